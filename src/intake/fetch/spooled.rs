//! A file that grows in the spool under its cap. It is gone when it is not finished, unless it is a download that may go on at
//! a later pull: then what came is kept beside the notes, with the mark of the content it is a part of.
//!
//! A part is never taken for a whole: it lies in another folder, under no file's name, and only [`Spooled::finish`] moves it into
//! the spool. And it is never trusted: what is told about it (how long, which digest, of what content) stands in a checked note,
//! written after the bytes are on the disk; what the disk holds beyond that, or otherwise, does not count.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read, Seek as _, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rustix::fs::{FlockOperation, OFlags};
use serde::{Deserialize, Serialize};
use tempfile::TempPath;

use crate::adapter::language::Adapter;
use crate::intake::fetch::{Errand, Fetched, Holding, Unfetched};

/// Bytes after which what came is noted down, so that not more than this is lost when the program is killed.
const STEP: u64 = 8 << 20;

/// How long a part waits for its rest: raw data that nobody comes back for must not lie about.
const KEPT: SignedDuration = SignedDuration::from_hours(72);

/// File that is locked while parts are written.
const LOCK: &str = "lock";

/// Longest note, bytes.
const NOTE_BYTES: u64 = 16 << 10;

/// A file that grows in the spool.
pub struct Spooled {
    file: File,
    /// Where it lies; removed when this is dropped.
    place: Option<TempPath>,
    hasher: blake3::Hasher,
    /// Bytes so far.
    pub bytes: u64,
    limit: u64,
    adapter: String,
    spool: PathBuf,
    part: Option<Part>,
}

/// What makes a download a part that can be gone on with.
struct Part {
    note: PathBuf,
    question: String,
    /// The content it belongs to; unknown, and nothing is kept, until this is set.
    mark: Option<String>,
    noted: u64,
    /// When the newest byte came.
    at: Timestamp,
    now: Timestamp,
    /// Held as long as anything of this source may be written, swept or moved.
    _lock: File,
}

/// The note of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// What was asked, as a digest.
    question: String,
    /// The content it belongs to, in the words of who downloads.
    mark: String,
    /// Bytes that are sure.
    bytes: u64,
    /// Their blake3 (hex).
    digest: String,
    /// When.
    at: Timestamp,
}

impl Spooled {
    /// An empty one.
    pub fn new(adapter: &Adapter, spool: &Path) -> Result<Self, Unfetched> {
        let (file, place) = tempfile::Builder::new()
            .prefix(&format!("{}-", adapter.name))
            .tempfile_in(spool)
            .map_err(|error| failed(&error))?
            .into_parts();
        Ok(Self::of(adapter, spool, file, place))
    }

    fn of(adapter: &Adapter, spool: &Path, file: File, place: TempPath) -> Self {
        Self {
            file,
            place: Some(place),
            hasher: blake3::Hasher::new(),
            bytes: 0,
            limit: adapter.limits.file_bytes,
            adapter: adapter.name.clone(),
            spool: spool.to_owned(),
            part: None,
        }
    }

    /// One that may go on where an earlier pull was broken off: with the mark of its content when there is a sound part of what
    /// `question` asks for, else empty. The caller goes on only when that content is still there, and starts over otherwise.
    pub fn resumable(
        errand: &Errand<'_>,
        question: &str,
    ) -> Result<(Self, Option<String>), Unfetched> {
        let folder = errand.notes.join(format!("{}.parts", errand.adapter.name));
        let question = blake3::hash(question.as_bytes()).to_hex().to_string();
        let path = folder.join(&question[..32]);
        let note = path.with_extension("json");
        // Without such a place, or when another pull of this source is at it, nothing is lost but the going on.
        let Ok(lock) = locked(&folder) else {
            return Ok((Self::new(errand.adapter, errand.spool)?, None));
        };
        sweep(&folder, errand.now);
        let Ok(file) = opened(&path, false) else {
            return Ok((Self::new(errand.adapter, errand.spool)?, None));
        };
        let place = TempPath::try_from_path(&path).map_err(|error| failed(&error))?;
        let mut spooled = Self::of(errand.adapter, errand.spool, file, place);
        spooled.part = Some(Part {
            note: note.clone(),
            question: question.clone(),
            mark: None,
            noted: 0,
            at: errand.now,
            now: errand.now,
            _lock: lock,
        });
        let limit = spooled.limit;
        let kept = Kept::read(&note).filter(|kept| {
            kept.question == question
                && kept.is_fresh(errand.now)
                && kept.bytes <= limit
                && spooled.holds(kept).unwrap_or(false)
        });
        let Some(kept) = kept else {
            spooled.start_over()?;
            return Ok((spooled, None));
        };
        spooled.bytes = kept.bytes;
        spooled.marked(Some(kept.mark.clone()));
        if let Some(part) = &mut spooled.part {
            part.at = kept.at;
        }
        Ok((spooled, Some(kept.mark)))
    }

    /// Whether the file begins with what was noted; then it is cut to that, and what follows is added to it.
    fn holds(&mut self, kept: &Kept) -> std::io::Result<bool> {
        self.hasher.reset();
        self.file.rewind()?;
        let read = std::io::copy(&mut (&self.file).take(kept.bytes), &mut self.hasher)?;
        if read != kept.bytes || self.digest() != kept.digest {
            return Ok(false);
        }
        self.file.set_len(kept.bytes)?;
        self.file.seek(SeekFrom::Start(kept.bytes))?;
        Ok(true)
    }

    /// Says of which content the bytes are, the next ones included; with `None` they are of nothing that could be found again.
    pub fn marked(&mut self, mark: Option<String>) {
        if let Some(part) = &mut self.part {
            part.mark = mark;
            part.noted = self.bytes;
        }
    }

    /// Adds what came, under the cap.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Unfetched> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.limit {
            self.marked(None);
            return Err(Unfetched::over_cap(self.limit));
        }
        self.hasher.update(bytes);
        self.file.write_all(bytes).map_err(|error| failed(&error))?;
        let Some(part) = &mut self.part else {
            return Ok(());
        };
        part.at = part.now;
        if part.mark.is_some() && self.bytes - part.noted >= STEP {
            part.noted = self.bytes;
            // A part that can not be noted down costs a download.
            let _ = self.note();
        }
        Ok(())
    }

    /// The first bytes, at most so many.
    pub fn head(&mut self, most: usize) -> Result<Vec<u8>, Unfetched> {
        let mut head = Vec::new();
        self.file
            .rewind()
            .and_then(|()| (&self.file).take(most as u64).read_to_end(&mut head))
            .and_then(|_| self.file.seek(SeekFrom::Start(self.bytes)))
            .map_err(|error| failed(&error))?;
        Ok(head)
    }

    /// blake3 (hex) of what is there so far.
    pub fn digest(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    /// Empty again.
    pub fn start_over(&mut self) -> Result<(), Unfetched> {
        if let Some(part) = &mut self.part {
            part.mark = None;
            part.noted = 0;
            let _ = fs::remove_file(&part.note);
        }
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .map_err(|error| failed(&error))?;
        self.hasher.reset();
        self.bytes = 0;
        Ok(())
    }

    /// The whole file, in the spool.
    pub fn finish(mut self, name: &str) -> Result<Fetched, Unfetched> {
        self.file.flush().map_err(|error| failed(&error))?;
        let digest = self.digest();
        let place = self
            .place
            .take()
            .ok_or_else(|| failed(&std::io::ErrorKind::NotFound.into()))?;
        let path = if let Some(part) = &self.part {
            // First the note: a whole file must not look like a part of itself.
            let _ = fs::remove_file(&part.note);
            let target = tempfile::Builder::new()
                .prefix(&format!("{}-", self.adapter))
                .tempfile_in(&self.spool)
                .map_err(|error| failed(&error))?
                .into_temp_path();
            place
                .persist(&target)
                .map_err(|error| failed(&error.error))?;
            target.keep().map_err(|error| failed(&error.error))?
        } else {
            place.keep().map_err(|error| failed(&error.error))?
        };
        Ok(Fetched {
            path,
            name: name.to_owned(),
            digest,
            cautions: Vec::new(),
            holding: Holding::Spool,
            origin: None,
        })
    }

    /// Notes down what is on the disk by now.
    fn note(&self) -> std::io::Result<()> {
        let Some((part, mark)) = self
            .part
            .as_ref()
            .and_then(|part| Some((part, part.mark.as_ref()?)))
        else {
            return Err(std::io::ErrorKind::NotFound.into());
        };
        self.file.sync_data()?;
        Kept {
            question: part.question.clone(),
            mark: mark.clone(),
            bytes: self.bytes,
            digest: self.digest(),
            at: part.at,
        }
        .write(&part.note)
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        let Some(place) = self.place.take() else {
            return;
        };
        if self.bytes > 0 && self.note().is_ok() {
            let _ = place.keep();
        } else if let Some(part) = &self.part {
            let _ = fs::remove_file(&part.note);
        }
    }
}

impl Kept {
    fn read(path: &Path) -> Option<Self> {
        let mut text = String::new();
        File::open(path)
            .ok()?
            .take(NOTE_BYTES)
            .read_to_string(&mut text)
            .ok()?;
        let (check, kept) = text.split_once('\n')?;
        let digest = blake3::hash(kept.as_bytes());
        (check == digest.to_hex().as_str())
            .then(|| serde_json::from_str(kept).ok())
            .flatten()
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        let kept = serde_json::to_string(self)?;
        let folder = path.parent().unwrap_or(path);
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        write!(file, "{}\n{kept}", blake3::hash(kept.as_bytes()).to_hex())?;
        file.as_file().sync_data()?;
        file.persist(path)?;
        Ok(())
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.at);
        age <= KEPT && age >= -KEPT
    }
}

/// The folder of the parts of a source, to ourselves.
fn locked(folder: &Path) -> std::io::Result<File> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let lock = opened(&folder.join(LOCK), true)?;
    rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    Ok(lock)
}

/// A file as it is, made when it is not there; for nobody but us.
fn opened(path: &Path, empty: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(empty)
        .mode(0o600);
    if let Ok(flags) = i32::try_from(OFlags::NOFOLLOW.bits()) {
        options.custom_flags(flags);
    }
    options.open(path)
}

/// Removes parts that waited too long, and what no note speaks of.
fn sweep(folder: &Path, now: Timestamp) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let paths = entries.flatten().map(|entry| entry.path());
    for path in paths.filter(|path| !path.ends_with(LOCK)) {
        let note = path.with_extension("json");
        if !Kept::read(&note).is_some_and(|kept| kept.is_fresh(now)) {
            let _ = fs::remove_file(&note);
            let _ = fs::remove_file(&path);
        }
    }
}

/// The disk says no.
pub fn failed(error: &std::io::Error) -> Unfetched {
    Unfetched::wrong(
        "YB-2004",
        format!(
            "写入暂存目录失败（{}）。处理：检查磁盘空间和权限",
            error.kind()
        ),
    )
}
