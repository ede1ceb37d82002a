//! The same bytes again: told and journaled without opening the index.
//!
//! Opening alone makes sled write half a mebibyte and wait for the disk, for a file of which nothing is to be stored. So the last
//! file of each source is noted beside the index, in `known/SOURCE`. The note can not be wrong, only worthless: it says up to which
//! entry of the journal it was looked at, and whoever uses it takes the lock of the folder, finds that entry in the journal and
//! reads on from there. A batch of the source that was accepted, held, released or taken back since, a torn line, a note that is
//! missing, half written or of another state of the folder: the long way decides. The index learns of the entry when it is opened
//! next, as after a kill.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::batch::{Batch, BatchId};
use crate::domain::event::{Event, JournalEntry};
use crate::store::archive::{io, private_folder};
use crate::store::engine::{Engine, Hold};
use crate::store::fault::{Point, reach, torn_write};
use crate::store::fold::unfit;
use crate::store::journal::{Journal, Place};
use crate::store::tracker::folder_name;
use crate::store::{StoreError, opening, rows};

/// Version of a note's layout.
const LAYOUT: u32 = 1;

/// No note is longer.
const NOTE_MAX_BYTES: u64 = 64 * 1024;

/// How much of the journal is read for one file; after more than that the long way makes a new note.
const JOURNAL_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// An entry of the journal: what was decided until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment(Place);

impl Moment {
    /// The moment of an entry.
    pub(super) const fn at(place: Place) -> Self {
        Self(place)
    }
}

/// A file that was accepted, and all that is told when it comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFile {
    /// The source.
    pub adapter: String,
    /// The adapter's digest when this was decided.
    pub adapter_digest: String,
    /// Digest of the file (blake3, hex).
    pub digest: String,
    /// Its length.
    pub bytes: u64,
    /// The batch it became.
    pub batch: BatchId,
    /// The day that speaks of.
    pub as_of: Option<Date>,
    /// Its rows.
    pub rows: u64,
    /// Its rows set aside.
    pub set_aside: u64,
    /// Below the state folder: the sheet of its issues, when it has one.
    pub sheet: Option<PathBuf>,
    /// Below the state folder: what must lie there, or there is more to do than to tell.
    pub outputs: Vec<PathBuf>,
}

/// As it lies on the disk, below a line with the digest of what follows.
#[derive(Serialize, Deserialize)]
struct Note {
    layout: u32,
    known: KnownFile,
    /// Row of the journal place up to which it was looked at.
    moment: Vec<u8>,
}

fn place_of(state: &Path, adapter: &str) -> PathBuf {
    state.join("known").join(folder_name(adapter))
}

impl KnownFile {
    /// Writes the note of its source in place of the one before. Nobody waits for the disk: half a note is none.
    pub(super) fn write(&self, state: &Path, moment: &Moment) -> Result<(), StoreError> {
        let note = Note {
            layout: LAYOUT,
            known: self.clone(),
            moment: rows::place(&moment.0),
        };
        let body = serde_json::to_vec(&note)
            .map_err(|error| unfit(format!("文件记录无法写成JSON：{error}")))?;
        let mut text = blake3::hash(&body).to_hex().to_string().into_bytes();
        text.push(b'\n');
        text.extend_from_slice(&body);
        let place = place_of(state, &self.adapter);
        private_folder(&state.join("known"))?;
        // One name for all that were broken off, so that they do not gather. A plain source's name holds no dot.
        let beside = place.with_extension("writing");
        File::create(&beside)
            .and_then(|file| torn_write(Point::TornNote, &text, |part| (&file).write_all(part)))
            .map_err(io("写文件记录"))?;
        reach(Point::NoteWritten);
        fs::rename(&beside, &place).map_err(io("写文件记录"))?;
        reach(Point::Noted);
        Ok(())
    }

    fn read(state: &Path, adapter: &str) -> Option<(Self, Moment)> {
        let mut text = Vec::new();
        File::open(place_of(state, adapter))
            .and_then(|file| file.take(NOTE_MAX_BYTES).read_to_end(&mut text))
            .ok()?;
        let (sum, body) = text.split_at_checked(64)?;
        let body = body.strip_prefix(b"\n")?;
        if blake3::hash(body).to_hex().as_bytes() != sum {
            return None;
        }
        let note: Note = serde_json::from_slice(body).ok()?;
        let place = rows::read_place(&note.moment).ok()?;
        (note.layout == LAYOUT && note.known.adapter == adapter)
            .then_some((note.known, Moment(place)))
    }

    /// Whether an event says something of the source that this does not know.
    fn is_overtaken_by(&self, event: &Event) -> bool {
        match event {
            Event::Batch { batch } => batch.adapter == self.adapter && !self.is_told_by(batch),
            Event::Released { batch } | Event::Withdrawn { batch } => batch.adapter == self.adapter,
            Event::SeenBefore { .. }
            | Event::Case { .. }
            | Event::Pairing { .. }
            | Event::Surveyed { .. }
            | Event::Reviewed { .. }
            | Event::Queued { .. }
            | Event::Attempted { .. }
            | Event::Sent { .. }
            | Event::Cancelled { .. }
            | Event::Alerted { .. }
            | Event::AlertEnded { .. }
            | Event::Bulletin { .. }
            | Event::Ran { .. }
            | Event::InForce { .. } => false,
        }
    }

    /// The entry that accepted it.
    fn is_told_by(&self, batch: &Batch) -> bool {
        batch.batch == self.batch && batch.digest == self.digest && batch.verdict.accepted()
    }
}

/// A note that was found; nothing is known yet of what happened since.
#[derive(Debug)]
pub struct Found {
    state: PathBuf,
    known: KnownFile,
    moment: Moment,
}

impl Found {
    /// The note of a source's last file, when there is one that can be read.
    #[must_use]
    pub fn of(state: &Path, adapter: &str) -> Option<Self> {
        let (known, moment) = KnownFile::read(state, adapter)?;
        Some(Self {
            state: state.to_owned(),
            known,
            moment,
        })
    }

    /// What it says.
    #[must_use]
    pub const fn known(&self) -> &KnownFile {
        &self.known
    }

    /// Takes the lock of the folder and reads the journal on: `None` when the note says no longer, or perhaps not, how things stand.
    #[must_use]
    pub fn standing(self) -> Option<Standing> {
        if !opening::is_current(&self.state) {
            return None;
        }
        let hold = Engine::hold(&self.state.join("index"))?;
        let path = self.state.join("journal").join("journal.log");
        if !path.exists() {
            return None;
        }
        let mut journal = Journal::open(path, self.moment.0).ok()?;
        let mut reader = journal.reader().ok()?;
        if reader.ahead() > JOURNAL_MAX_BYTES {
            return None;
        }
        while let Some(line) = reader.read().ok()? {
            let mut events = line.entry.events.iter();
            if events.any(|event| self.known.is_overtaken_by(event)) {
                return None;
            }
        }
        if reader.torn() {
            return None;
        }
        journal.resume(reader.last());
        Some(Standing {
            known: self.known,
            journal,
            _hold: hold,
        })
    }
}

/// A known file while nobody else can say anything.
#[derive(Debug)]
pub struct Standing {
    known: KnownFile,
    journal: Journal,
    _hold: Hold,
}

impl Standing {
    /// Journals that the same bytes came again, under this name. It is on the disk when this returns.
    ///
    /// # Errors
    /// The journal can not be written.
    pub fn seen_again(
        mut self,
        at: Timestamp,
        actor: &str,
        file: &str,
    ) -> Result<KnownFile, StoreError> {
        let mut entry = JournalEntry {
            seq: 0,
            at,
            actor: actor.to_owned(),
            events: vec![Event::SeenBefore {
                adapter: self.known.adapter.clone(),
                digest: self.known.digest.clone(),
                file: file.to_owned(),
                batch: self.known.batch.clone(),
            }],
        };
        self.journal.append(&mut entry)?;
        reach(Point::Journaled);
        Ok(self.known)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    use super::*;
    use crate::domain::batch::Verdict;
    use crate::store::tests::{accepted, at, batch, deliver, news, opened};
    use crate::store::{self, Store};

    /// A state with one accepted batch of a source, noted.
    fn noted(state: &Path) -> Store {
        let store = Store::open(state).unwrap();
        store.commit(at(0), "test", vec![opened(1)]).unwrap();
        let moment = store.moment();
        deliver(&store, 1, "1", news(0..3, "甲"));
        store.remember(&known("1"), &moment).unwrap();
        store
    }

    fn known(id: &str) -> KnownFile {
        KnownFile {
            outputs: vec!["out/x.xlsx".into()],
            ..store::tests::known(id)
        }
    }

    /// A program that another test starts holds our locks too from its fork until it is the program: so once more after a while.
    fn stands(state: &Path) -> bool {
        (0..10).any(|_| {
            let stands = Found::of(state, "market").is_some_and(|found| found.standing().is_some());
            if !stands {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            stands
        })
    }

    /// Every file below a folder with its content and when it was written.
    fn files(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
        let mut found = BTreeMap::new();
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                found.extend(files(&path));
            } else {
                let written = fs::metadata(&path).unwrap().modified().unwrap();
                found.insert(path.clone(), (fs::read(&path).unwrap(), written));
            }
        }
        found
    }

    #[test]
    fn it_is_told_without_touching_the_index_which_learns_of_it_later() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path();
        drop(noted(state));
        let before = ["index", "tracking", "segments"].map(|folder| files(&state.join(folder)));
        for name in ["a.csv", "b.csv"] {
            let standing = Found::of(state, "market").unwrap().standing().unwrap();
            // Nobody else is in while it is being told.
            assert!(matches!(Store::open(state), Err(StoreError::Locked { .. })));
            assert_eq!(
                standing.seen_again(at(2), "pull", name).unwrap(),
                known("1")
            );
        }
        let after = ["index", "tracking", "segments"].map(|folder| files(&state.join(folder)));
        assert!(before == after, "the index was opened");
        let store = Store::open(state).unwrap();
        let entries: Vec<_> = store.journal().unwrap().map(Result::unwrap).collect();
        assert_eq!(entries.len(), 4);
        assert!(
            matches!(&entries[3].events[..], [Event::SeenBefore { file, .. }] if file == "b.csv")
        );
        for name in ["a.csv", "b.csv"] {
            let taken = store.taken_name("market", name).unwrap();
            assert_eq!(taken, Some(known("1").digest), "{name}");
        }
        store.commit(at(3), "test", vec![opened(2)]).unwrap();
        drop(store);
        assert!(stands(state));
    }

    #[test]
    fn whatever_else_is_said_of_the_source_sends_the_long_way() {
        let held = |verdict| Event::Batch {
            batch: Box::new(batch("2", verdict)),
        };
        let other = |event: Event| match event {
            Event::Batch { mut batch } => {
                batch.adapter = "tax".into();
                Event::Batch { batch }
            }
            event => event,
        };
        let same = Event::SeenBefore {
            adapter: "market".into(),
            digest: known("1").digest,
            file: "c.csv".into(),
            batch: known("1").batch,
        };
        for (what, event, expected) in [
            ("a case", opened(3), true),
            ("the same", same, true),
            ("another source's", other(held(Verdict::Refused)), true),
            ("refused", held(Verdict::Refused), false),
            ("held", held(Verdict::Quarantined), false),
        ] {
            let home = tempfile::tempdir().unwrap();
            let store = noted(home.path());
            assert!(!stands(home.path()), "{what}: the store is open");
            store.commit(at(2), "test", vec![event]).unwrap();
            drop(store);
            assert_eq!(stands(home.path()), expected, "{what}");
        }
        for verdict in [Verdict::Accepted, Verdict::Withdrawn] {
            let home = tempfile::tempdir().unwrap();
            let store = noted(home.path());
            if verdict == Verdict::Accepted {
                deliver(&store, 2, "2", news(3..4, "乙"));
            } else {
                let first = batch("1", Verdict::Accepted);
                let withdrawing = store.withdrawing(&first).unwrap();
                let state = batch("1", Verdict::Withdrawn);
                store
                    .withdraw(at(2), "张示例", &state, vec![], withdrawing)
                    .unwrap();
            }
            drop(store);
            assert!(!stands(home.path()), "{verdict:?}");
        }
        let released = Event::Released {
            batch: Box::new(batch("1", Verdict::Accepted)),
        };
        assert!(known("1").is_overtaken_by(&released));
        assert!(!known("1").is_overtaken_by(&accepted("1")));
        assert!(known("1").is_overtaken_by(&accepted("2")));
    }

    #[test]
    fn a_note_that_is_damaged_or_of_another_state_is_none() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        drop(noted(&state));
        assert!(stands(&state));
        let note = place_of(&state, "market");
        let whole = fs::read(&note).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&note, &bytes).unwrap();
            assert!(Found::of(&state, "market").is_none(), "byte {at}");
            fs::write(&note, &whole[..at]).unwrap();
            assert!(Found::of(&state, "market").is_none(), "{at} bytes");
        }
        fs::write(place_of(&state, "tax"), &whole).unwrap();
        assert!(Found::of(&state, "tax").is_none(), "another source's");
        fs::write(&note, &whole).unwrap();
        assert!(stands(&state));

        let journal = state.join("journal/journal.log");
        let lines = fs::read(&journal).unwrap();
        let first = lines.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for (what, bytes) in [
            ("a torn line", lines[..lines.len() - 3].to_vec()),
            ("an older journal", lines[..first / 2].to_vec()),
            ("another journal", [b"0".as_slice(), &lines[1..]].concat()),
        ] {
            fs::write(&journal, bytes).unwrap();
            assert!(!stands(&state), "{what}");
        }
        fs::write(&journal, &lines).unwrap();
        for (what, path) in [
            ("no journal", "journal/journal.log"),
            ("no index", "index/db"),
            ("no version", "VERSION"),
        ] {
            fs::rename(state.join(path), home.path().join("away")).unwrap();
            assert!(!stands(&state), "{what}");
            assert!(!state.join(path).exists(), "{what}: made again");
            fs::rename(home.path().join("away"), state.join(path)).unwrap();
        }
        fs::write(state.join("VERSION"), "1\n").unwrap();
        assert!(!stands(&state), "another version");
    }
}
