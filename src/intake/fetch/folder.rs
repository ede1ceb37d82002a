//! Drop folders of this machine. The department writes into them, so nothing in them is trusted: every step below the
//! folder is taken by open folder, and links are never followed.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use crate::adapter::transport::Folder;
use crate::intake::fetch::listing::{Entry, Kind, Place, Stamp};
use crate::intake::fetch::spooled::Spooled;
use crate::intake::fetch::{Errand, Unfetched, irregular, pour, unread};

/// A drop folder, opened.
pub struct Local {
    root: OwnedFd,
}

impl Local {
    /// Opens the folder of the address. It may be a link itself: it is the operator who wrote it.
    pub fn open(errand: &Errand<'_>, folder: &Folder) -> Result<Self, Unfetched> {
        let Some(path) = &errand.endpoint.path else {
            return Err(Unfetched::wrong(
                "YB-2010",
                format!(
                    "地址“{}”没有 path。处理：在 [endpoints] 中写明目录",
                    folder.endpoint
                ),
            ));
        };
        let root = rustix::fs::openat(
            CWD,
            errand.home.join(path),
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|error| unreadable(&folder.endpoint, error))?;
        Ok(Self { root })
    }

    /// The entries of a folder.
    pub fn list(&self, place: &Place, most: usize) -> Result<Vec<Entry>, Unfetched> {
        let failed = |error| unreadable(&shown(place), error);
        let folder = self.folder(place).map_err(failed)?;
        let mut entries = Vec::new();
        let mut dir = Dir::read_from(&folder).map_err(failed)?;
        while let Some(entry) = dir.read() {
            let entry = entry.map_err(failed)?;
            let raw = entry.file_name().to_bytes().to_vec();
            if raw == b"." || raw == b".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => match status(folder.as_fd(), &raw) {
                    Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                    Err(_) => continue,
                },
                known => known,
            };
            entries.push(Entry {
                raw,
                kind: match kind {
                    FileType::RegularFile => Kind::File,
                    FileType::Directory => Kind::Folder,
                    FileType::Symlink => Kind::Link,
                    _ => Kind::Other,
                },
            });
            if entries.len() > most {
                break;
            }
        }
        Ok(entries)
    }

    /// Size and time of change; `None` when there is no such regular file (any more).
    pub fn stamp(&self, place: &Place) -> Result<Option<Stamp>, Unfetched> {
        let Some((own, above)) = place.split_last() else {
            return Ok(None);
        };
        let stat = self
            .folder(above)
            .and_then(|folder| status(folder.as_fd(), own));
        match stat {
            Ok(stat) => Ok(stamp(&stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(unreadable(&shown(place), error)),
        }
    }

    /// Copies a file into the spool, hashing it on the way.
    pub fn copy(&self, place: &Place, spooled: &mut Spooled) -> Result<(), Unfetched> {
        let failed = |error: Errno| match error {
            Errno::LOOP => irregular(&shown(place)),
            error => unread(&shown(place), error.kind()),
        };
        let (own, above) = place.split_last().ok_or_else(|| failed(Errno::NOENT))?;
        let folder = self.folder(above).map_err(failed)?;
        // Without waiting: a pipe that was put in its place would hold us for ever.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, OsStr::from_bytes(own), flags, Mode::empty())
            .map_err(failed)?;
        let stat = rustix::fs::fstat(&file).map_err(failed)?;
        if stamp(&stat).is_none() {
            return Err(failed(Errno::LOOP));
        }
        pour(File::from(file), &shown(place), spooled)
    }

    /// Makes a folder that is not there.
    pub fn make_folder(&self, place: &Place) -> Result<(), Unfetched> {
        let Some((own, above)) = place.split_last() else {
            return Ok(());
        };
        let made = self.folder(above).and_then(|folder| {
            rustix::fs::mkdirat(&folder, OsStr::from_bytes(own), Mode::from_raw_mode(0o755))
        });
        match made {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(unreadable(&shown(place), error)),
        }
    }

    /// Moves a file; `false` when something has that name already.
    pub fn rename(&self, from: &Place, to: &Place) -> Result<bool, Unfetched> {
        let (Some((old, above)), Some((new, into))) = (from.split_last(), to.split_last()) else {
            return Ok(false);
        };
        let (old, new) = (OsStr::from_bytes(old), OsStr::from_bytes(new));
        let moved = self.folder(above).and_then(|above| {
            let into = self.folder(into)?;
            match rustix::fs::renameat_with(&above, old, &into, new, RenameFlags::NOREPLACE) {
                // Network folders and old kernels do not know that word; we look first and are quick.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                    match status(into.as_fd(), new.as_bytes()) {
                        Err(Errno::NOENT) => rustix::fs::renameat(&above, old, &into, new),
                        Ok(_) => Err(Errno::EXIST),
                        Err(error) => Err(error),
                    }
                }
                moved => moved,
            }
        });
        match moved {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(error) => Err(unreadable(&shown(from), error)),
        }
    }

    /// A folder below the root, reached step by step.
    fn folder(&self, place: &[Vec<u8>]) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut at = rustix::fs::openat(
            &self.root,
            ".",
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        for part in place {
            at = rustix::fs::openat(&at, OsStr::from_bytes(part), flags, Mode::empty())?;
        }
        Ok(at)
    }
}

fn status(folder: BorrowedFd<'_>, name: &[u8]) -> Result<Stat, Errno> {
    rustix::fs::statat(folder, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW)
}

/// Of a regular file only.
fn stamp(stat: &Stat) -> Option<Stamp> {
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let nanos = i64::try_from(stat.st_mtime_nsec).unwrap_or_default();
    is_file.then(|| Stamp {
        size: u64::try_from(stat.st_size).ok(),
        modified: Some(
            stat.st_mtime
                .wrapping_mul(1_000_000_000)
                .wrapping_add(nanos),
        ),
    })
}

/// A place for people: names that are not UTF-8 as far as they can be shown.
fn shown(place: &[Vec<u8>]) -> String {
    let parts: Vec<_> = place
        .iter()
        .map(|part| Path::new(OsStr::from_bytes(part)).display().to_string())
        .collect();
    parts.join("/")
}

fn unreadable(what: &str, error: Errno) -> Unfetched {
    Unfetched::wrong(
        "YB-2011",
        format!(
            "接收目录“{what}”不能读取（{}）。处理：核对目录是否挂载、权限是否正确",
            error.kind()
        ),
    )
}
