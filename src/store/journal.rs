//! The journal: one line per entry, `CHAIN JSON`, where CHAIN is the blake3 of the previous chain's hex and the JSON's bytes.
//!
//! The first entry follows on 64 zeros. Same entries, same bytes: nothing here reads a clock or draws a number. Who changes an
//! old line breaks every chain after it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::domain::event::JournalEntry;
use crate::store::StoreError;
use crate::store::archive::{io, sync_folder};
use crate::store::fault::{Point, torn_write};

/// Length of a chain in hex.
const CHAIN_LEN: usize = 64;

/// No entry is ever this long; a longer line is not ours and must not fill the memory.
const LINE_MAX_BYTES: u64 = 1 << 30;

/// The chain value of an entry.
pub type Chain = [u8; 32];

/// Where a line lies and how it is chained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The entry's number; 0 before the first.
    pub seq: u64,
    /// First byte of its line.
    pub start: u64,
    /// The byte after its newline.
    pub end: u64,
    /// The chain before it.
    pub previous: Chain,
    /// Its chain.
    pub chain: Chain,
}

/// One entry with its place.
#[derive(Debug)]
pub struct Line {
    /// Where it lies.
    pub place: Place,
    /// What it says.
    pub entry: JournalEntry,
}

/// The writing end. What it wrote is durable when a call returns.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    last: Place,
    /// Set when the file may hold something else than this believes; only a new start may go on then.
    broken: Option<String>,
}

fn damaged(text: impl Into<String>) -> StoreError {
    StoreError::Damaged {
        what: "日志journal.log".to_owned(),
        text: text.into(),
    }
}

fn hex(chain: &Chain) -> String {
    blake3::Hash::from_bytes(*chain).to_hex().to_string()
}

fn follow(previous: &Chain, json: &[u8]) -> Chain {
    let mut hasher = blake3::Hasher::new();
    hasher.update(hex(previous).as_bytes());
    hasher.update(json);
    *hasher.finalize().as_bytes()
}

impl Journal {
    /// Opens or makes the file, at `last`, the last entry that is known to be in it. The caller reads on from there with
    /// [`Reader`] and then says with [`Self::resume`] where it really ends.
    pub fn open(path: PathBuf, last: Place) -> Result<Self, StoreError> {
        let fresh = !path.exists();
        if fresh && last.seq > 0 {
            return Err(damaged(format!("文件不存在，而索引已到第{}条", last.seq)));
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io("打开日志"))?;
        if fresh && let Some(folder) = path.parent() {
            file.sync_all().map_err(io("建立日志"))?;
            sync_folder(folder)?;
        }
        let journal = Self {
            path,
            file,
            last,
            broken: None,
        };
        journal.check_last()?;
        Ok(journal)
    }

    /// The line the index saw last must still stand where it stood: else index and journal are of different states.
    fn check_last(&self) -> Result<(), StoreError> {
        if self.last.seq == 0 {
            return Ok(());
        }
        let mut chain = [0; CHAIN_LEN];
        let mut newline = [0; 1];
        let read = self
            .file
            .read_exact_at(&mut chain, self.last.start)
            .and_then(|()| self.file.read_exact_at(&mut newline, self.last.end - 1));
        if read.is_err() || chain != hex(&self.last.chain).as_bytes() || newline != *b"\n" {
            return Err(damaged(format!(
                "第{}条与索引所见不符（第{}字节）",
                self.last.seq, self.last.start
            )));
        }
        Ok(())
    }

    /// Reads on after the last entry.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.path, self.last)
    }

    /// Goes on after this entry.
    pub fn resume(&mut self, last: Place) {
        self.last = last;
    }

    /// Cuts off everything after the last entry: what a killed process had begun to write and nobody was told of.
    pub fn cut(&mut self) -> Result<(), StoreError> {
        self.file
            .set_len(self.last.end)
            .and_then(|()| self.file.sync_all())
            .map_err(io("截去日志末尾未写完的一条"))
    }

    /// The last entry.
    pub fn last(&self) -> Place {
        self.last
    }

    /// Whether an earlier failure left open what the file holds.
    pub fn check(&self) -> Result<(), StoreError> {
        match &self.broken {
            None => Ok(()),
            Some(why) => Err(StoreError::Io {
                what: "此前写入失败，须重新启动以核对日志".to_owned(),
                source: std::io::Error::other(why.clone()),
            }),
        }
    }

    /// Refuses every further entry: what was journaled could not be applied, and the next start has to.
    pub fn give_up(&mut self, why: &StoreError) {
        self.broken.get_or_insert_with(|| why.to_string());
    }

    /// Appends an entry (its `seq` is set here) and returns when it is on the disk.
    pub fn append(&mut self, entry: &mut JournalEntry) -> Result<Place, StoreError> {
        self.check()?;
        entry.seq = self.last.seq + 1;
        let json = serde_json::to_vec(entry).map_err(|error| damaged(error.to_string()))?;
        let chain = follow(&self.last.chain, &json);
        let mut line = Vec::with_capacity(CHAIN_LEN + json.len() + 2);
        line.extend_from_slice(hex(&chain).as_bytes());
        line.push(b' ');
        line.extend_from_slice(&json);
        line.push(b'\n');
        let place = Place {
            seq: entry.seq,
            start: self.last.end,
            end: self.last.end + line.len() as u64,
            previous: self.last.chain,
            chain,
        };
        if let Err(error) = self.write(&line, place.start) {
            // A full disk is no damage: take back the part that fitted and stay usable.
            if self.file.set_len(place.start).is_err() {
                self.give_up(&error);
            }
            return Err(error);
        }
        // After a failed sync nobody knows what the disk holds, and a second sync would say that all is well.
        if let Err(error) = self.file.sync_data().map_err(io("同步日志")) {
            self.give_up(&error);
            return Err(error);
        }
        self.last = place;
        Ok(place)
    }

    fn write(&self, line: &[u8], at: u64) -> Result<(), StoreError> {
        torn_write(Point::TornLine, line, |part| {
            self.file.write_all_at(part, at)
        })
        .map_err(io("写入日志"))
    }

    /// Reads one entry at its place, checked against the chain.
    pub fn read_at(path: &Path, place: Place) -> Result<JournalEntry, StoreError> {
        let len = usize::try_from(place.end.saturating_sub(place.start))
            .map_err(|_| damaged(format!("第{}条过长", place.seq)))?;
        let mut bytes = vec![0; len];
        File::open(path)
            .and_then(|file| file.read_exact_at(&mut bytes, place.start))
            .map_err(io("读取日志"))?;
        let json = split(&bytes, &place.previous)
            .filter(|(chain, _)| *chain == place.chain)
            .map(|(_, json)| json)
            .ok_or_else(|| damaged(format!("第{}条校验不符", place.seq)))?;
        parse(json, place.seq)
    }
}

/// Chain and JSON of a line that is whole and follows on `previous`.
fn split<'a>(line: &'a [u8], previous: &Chain) -> Option<(Chain, &'a [u8])> {
    let body = line.strip_suffix(b"\n")?;
    let (stated, rest) = body.split_at_checked(CHAIN_LEN)?;
    let json = rest.strip_prefix(b" ")?;
    let chain = follow(previous, json);
    (stated == hex(&chain).as_bytes()).then_some((chain, json))
}

fn parse(json: &[u8], seq: u64) -> Result<JournalEntry, StoreError> {
    let entry: JournalEntry = serde_json::from_slice(json)
        .map_err(|error| damaged(format!("第{seq}条无法读取：{error}")))?;
    if entry.seq == seq {
        Ok(entry)
    } else {
        Err(damaged(format!("第{seq}条的编号为{}", entry.seq)))
    }
}

/// Reads entries one after another, each checked against the chain.
#[derive(Debug)]
pub struct Reader {
    file: BufReader<File>,
    last: Place,
    len: u64,
    torn: bool,
}

impl Reader {
    /// Begins after `last`; reads what the file holds now.
    pub fn open(path: &Path, last: Place) -> Result<Self, StoreError> {
        let len = std::fs::metadata(path).map_err(io("读取日志"))?.len();
        Self::open_to(path, last, len)
    }

    /// Begins after `last` and reads up to byte `len`.
    pub fn open_to(path: &Path, last: Place, len: u64) -> Result<Self, StoreError> {
        let mut file = File::open(path).map_err(io("打开日志"))?;
        file.seek(SeekFrom::Start(last.end))
            .map_err(io("读取日志"))?;
        Ok(Self {
            file: BufReader::with_capacity(1 << 16, file),
            last,
            len,
            torn: false,
        })
    }

    /// The last entry read.
    pub fn last(&self) -> Place {
        self.last
    }

    /// How many bytes are still to be read.
    pub fn ahead(&self) -> u64 {
        self.len.saturating_sub(self.last.end)
    }

    /// Whether the file ended in a line that was not written to its end.
    pub fn torn(&self) -> bool {
        self.torn
    }

    /// Reads nothing more: what follows a fault can not be trusted.
    fn stop(&mut self) {
        self.torn = false;
        self.len = self.last.end;
    }

    /// As an iterator over entries that are known to be whole.
    pub fn whole(self) -> Whole {
        Whole(self)
    }

    /// The next entry; `None` at the end or before a torn last line.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a line that others follow does not fit the chain.
    pub fn read(&mut self) -> Result<Option<Line>, StoreError> {
        if self.torn || self.last.end >= self.len {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        (&mut self.file)
            .take((self.len - self.last.end).min(LINE_MAX_BYTES))
            .read_until(b'\n', &mut bytes)
            .map_err(io("读取日志"))?;
        let seq = self.last.seq + 1;
        let end = self.last.end + bytes.len() as u64;
        let Some((chain, json)) = split(&bytes, &self.last.chain) else {
            if end == self.len {
                self.torn = true;
                return Ok(None);
            }
            return Err(damaged(format!(
                "第{seq}条校验不符（第{}字节）",
                self.last.end
            )));
        };
        let entry = parse(json, seq)?;
        self.last = Place {
            seq,
            start: self.last.end,
            end,
            previous: self.last.chain,
            chain,
        };
        Ok(Some(Line {
            place: self.last,
            entry,
        }))
    }
}

/// The journal up to its end at one moment.
#[derive(Debug)]
pub struct Whole(Reader);

impl Iterator for Whole {
    type Item = Result<JournalEntry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0.read() {
            Ok(Some(line)) => Some(Ok(line.entry)),
            // What was committed is whole: a torn line before the end is damage here.
            Ok(None) if self.0.torn() => {
                let (at, end) = (self.0.last(), self.0.len);
                self.0.stop();
                Some(Err(damaged(format!(
                    "第{}条校验不符（第{}至{end}字节）",
                    at.seq + 1,
                    at.end
                ))))
            }
            Ok(None) => None,
            Err(error) => {
                self.0.stop();
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::event::Event;

    fn entry(text: &str) -> JournalEntry {
        JournalEntry {
            seq: 0,
            at: "2026-07-01T01:00:00Z".parse().unwrap(),
            actor: "test".into(),
            events: vec![
                Event::Alerted {
                    alert: "a".into(),
                    text: text.into(),
                },
                Event::Reviewed {
                    roll_as_of: "2026-06-30".parse().unwrap(),
                    waiting: BTreeMap::new(),
                },
            ],
        }
    }

    fn write(folder: &Path, texts: &[&str]) -> (PathBuf, Vec<Place>) {
        let path = folder.join("journal.log");
        let mut journal = Journal::open(path.clone(), Place::default()).unwrap();
        let places = texts
            .iter()
            .map(|text| journal.append(&mut entry(text)).unwrap())
            .collect();
        (path, places)
    }

    /// Texts read, whether the tail is torn; or damage.
    fn read(path: &Path, from: Place) -> Result<(Vec<String>, bool), StoreError> {
        let mut reader = Reader::open(path, from)?;
        let mut texts = Vec::new();
        while let Some(line) = reader.read()? {
            let Event::Alerted { text, .. } = &line.entry.events[0] else {
                panic!("{:?}", line.entry)
            };
            texts.push(text.clone());
        }
        Ok((texts, reader.torn()))
    }

    #[test]
    fn what_is_appended_is_read_and_the_same_twice() {
        let one = tempfile::tempdir().unwrap();
        let two = tempfile::tempdir().unwrap();
        let texts = ["一", "two\nlines", "三"];
        let (path, places) = write(one.path(), &texts);
        let (again, _) = write(two.path(), &texts);
        assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(again).unwrap());
        let (found, torn) = read(&path, Place::default()).unwrap();
        assert_eq!(found, texts);
        assert!(!torn);
        assert_eq!(read(&path, places[1]).unwrap().0, ["三"]);
        assert_eq!(Journal::read_at(&path, places[1]).unwrap().seq, 2);
        let wrong = Place {
            previous: places[2].previous,
            ..places[1]
        };
        assert!(Journal::read_at(&path, wrong).is_err());
    }

    #[test]
    fn only_a_torn_end_is_forgiven() {
        let folder = tempfile::tempdir().unwrap();
        let (path, places) = write(folder.path(), &["1", "2", "3"]);
        let whole = std::fs::read(&path).unwrap();
        let second = usize::try_from(places[1].start).unwrap();
        let third = usize::try_from(places[2].start).unwrap();
        let flip = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            bytes
        };
        let mut dropped = whole[..second].to_vec();
        dropped.extend_from_slice(&whole[third..]);
        dropped.extend_from_slice(b"x");
        for (what, bytes, expected) in [
            ("half a line", whole[..third + 90].to_vec(), Some(2)),
            ("no newline", whole[..whole.len() - 1].to_vec(), Some(2)),
            ("one byte", whole[..=third].to_vec(), Some(2)),
            ("wrong hash at the end", flip(whole.len() - 5), Some(2)),
            ("wrong chain at the end", flip(third + 3), Some(2)),
            ("wrong byte in the middle", flip(second + 100), None),
            ("wrong chain in the middle", flip(second), None),
            ("joined lines", flip(third - 1), None),
            ("a line is missing", dropped, None),
        ] {
            std::fs::write(&path, &bytes).unwrap();
            match (read(&path, Place::default()), expected) {
                (Ok((texts, torn)), Some(n)) => {
                    assert_eq!((texts.len(), torn), (n, true), "{what}");
                }
                (Err(StoreError::Damaged { .. }), None) => {}
                // The two last lines have become one broken last line: the earlier entry must not be lost in silence.
                (Ok((texts, true)), None) if what == "joined lines" => assert_eq!(texts.len(), 1),
                (found, _) => panic!("{what}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_journal_that_lost_what_the_index_saw_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let (path, places) = write(folder.path(), &["1", "2"]);
        let whole = std::fs::read(&path).unwrap();
        let second = usize::try_from(places[1].start).unwrap();
        assert!(Journal::open(path.clone(), places[1]).is_ok());
        std::fs::write(&path, &whole[..second]).unwrap();
        assert!(Journal::open(path.clone(), places[1]).is_err());
        assert!(Journal::open(path.clone(), places[0]).is_ok());
        std::fs::remove_file(&path).unwrap();
        assert!(Journal::open(path, places[0]).is_err());
    }

    #[test]
    fn after_a_cut_the_chain_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (path, places) = write(folder.path(), &["1", "2"]);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        let mut journal = Journal::open(path.clone(), places[0]).unwrap();
        journal.cut().unwrap();
        journal.append(&mut entry("2")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }
}
