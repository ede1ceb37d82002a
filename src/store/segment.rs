//! Segments: the changes of one delivery with their records, in an immutable file beside the index.
//!
//! A delivery writes one file, in the order in which its rows came; what is missing stands at the end. Each entry names the place
//! of the entry that it follows on for the same key, so that the history of a record is a chain that needs no index. An entry
//! carries its own checksum: a record is read alone, without its neighbours.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `ybsegm` and the version of the layout |
//! | 4 + 4 | length and checksum of the entry's body, little-endian as all numbers here |
//! | 1 + 4 + 8 | kind, row of the file, place of the entry before (0: none) |
//! | rest | canonical bytes of the record; of a missing one nothing |
//!
//! A withdrawal writes what later deliveries say without the withdrawn one; the rest of such an entry begins with the number of the
//! delivery whose word it is (8 bytes), its *author*.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::store::StoreError;
use crate::store::archive::{io, sync_folder};

/// What a file begins with.
const MAGIC: &[u8; 8] = b"ybsegm\x00\x01";
/// Length and checksum.
const HEAD: usize = 8;
/// Kind, row, place before.
const FIXED: usize = 13;
/// Of an author.
const AUTHOR: usize = 8;
/// No record is longer: a longer length is damage.
const BODY_MAX: usize = 1 << 24;
/// Bits of a place that hold the offset.
const OFFSET_BITS: u32 = 40;
/// The greatest delivery: one bit of a place belongs to the page that holds it.
const DELIVERY_MAX: u64 = (1 << 23) - 1;
/// Read and written at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// Where an entry lies: delivery and offset in its file. 0 is nowhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub u64);

impl Place {
    /// In the file of `delivery` at `offset`.
    pub fn new(delivery: u64, offset: u64) -> Self {
        Self(delivery << OFFSET_BITS | offset)
    }

    /// The delivery.
    pub const fn delivery(self) -> u64 {
        self.0 >> OFFSET_BITS
    }

    /// The offset of its entry in that delivery's file.
    pub const fn offset(self) -> u64 {
        self.0 & ((1 << OFFSET_BITS) - 1)
    }

    /// Whether it is no place.
    pub const fn is_nowhere(self) -> bool {
        self.0 == 0
    }
}

/// What an entry says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum EntryKind {
    /// Overtaken within the same delivery by another row of the same key; says nothing.
    Dead = 0,
    /// Not known before.
    New = 1,
    /// Another content.
    Changed = 2,
    /// No longer mentioned.
    Missing = 3,
    /// Back.
    Returned = 4,
    /// The same export read by a changed adapter.
    Remapped = 5,
    /// What a delivery says, where one before it was withdrawn.
    Upheld = 6,
    /// What a complete delivery does not mention, where one before it was withdrawn. Read as [`Self::Missing`].
    UpheldMissing = 7,
}

impl EntryKind {
    const ALL: [Self; 8] = [
        Self::Dead,
        Self::New,
        Self::Changed,
        Self::Missing,
        Self::Returned,
        Self::Remapped,
        Self::Upheld,
        Self::UpheldMissing,
    ];
}

/// One entry as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it lies.
    pub place: Place,
    /// What it says.
    pub kind: EntryKind,
    /// The delivery whose word it is.
    pub author: u64,
    /// The row of the file; 0 when missing.
    pub row: u64,
    /// The entry of the same key before.
    pub before: Place,
    /// The canonical bytes; empty when missing.
    pub bytes: Vec<u8>,
}

fn damaged(path: &Path, text: impl Into<String>) -> StoreError {
    StoreError::Damaged {
        what: format!("明细文件{}", path.display()),
        text: text.into(),
    }
}

fn sum(body: &[u8]) -> [u8; 4] {
    // The low half serves.
    #[allow(clippy::cast_possible_truncation, reason = "32 of 64 bits are meant")]
    let sum = xxhash_rust::xxh3::xxh3_64(body) as u32;
    sum.to_le_bytes()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

fn entry(path: &Path, place: Place, head: &[u8], body: &[u8]) -> Result<Entry, StoreError> {
    if head[4..8] != sum(body) {
        return Err(damaged(
            path,
            format!("偏移{}处的校验和不符", place.offset()),
        ));
    }
    let kind = EntryKind::ALL
        .get(usize::from(body[0]))
        .copied()
        .ok_or_else(|| damaged(path, format!("偏移{}处的种类不明", place.offset())))?;
    let rest = &body[FIXED..];
    let (kind, author, bytes) = match kind {
        EntryKind::Upheld | EntryKind::UpheldMissing => {
            let (author, bytes) = rest
                .split_first_chunk::<AUTHOR>()
                .ok_or_else(|| damaged(path, format!("偏移{}处的长度不符", place.offset())))?;
            let kind = match kind {
                EntryKind::UpheldMissing => EntryKind::Missing,
                kind => kind,
            };
            (kind, u64::from_le_bytes(*author), bytes)
        }
        kind => (kind, place.delivery(), rest),
    };
    Ok(Entry {
        place,
        kind,
        author,
        row: u64::from(u32_at(body, 1)),
        before: Place(u64_at(body, 5)),
        bytes: bytes.to_vec(),
    })
}

/// The folder of segments.
#[derive(Debug)]
pub struct Segments {
    folder: PathBuf,
}

impl Segments {
    /// Opens or makes it. What a killed process left half written is removed.
    pub fn open(folder: PathBuf) -> Result<Self, StoreError> {
        crate::store::archive::private_folder(&folder)?;
        for item in fs::read_dir(&folder).map_err(io("读取明细目录"))? {
            let path = item.map_err(io("读取明细目录"))?.path();
            if path.extension().is_some_and(|end| end == "part") {
                fs::remove_file(&path).map_err(io(format!("删除未写完的{}", path.display())))?;
            }
        }
        Ok(Self { folder })
    }

    fn path(&self, delivery: u64) -> PathBuf {
        self.folder.join(format!("{delivery:010}.seg"))
    }

    /// Begins the file of a delivery, unseen until it is [`Writer::keep`]t.
    pub fn begin(&self, delivery: u64) -> Result<Writer, StoreError> {
        if delivery > DELIVERY_MAX {
            return Err(StoreError::Unfit {
                text: format!("交付次数超过{DELIVERY_MAX}"),
            });
        }
        let part = self.folder.join(format!("{delivery:010}.part"));
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)
            .map_err(io(format!("建立明细文件{}", part.display())))?;
        let mut writer = Writer {
            out: BufWriter::with_capacity(PIECE_BYTES, file),
            part,
            path: self.path(delivery),
            delivery,
            length: 0,
            entries: 0,
            is_kept: false,
            body: Vec::new(),
        };
        writer.write(MAGIC)?;
        Ok(writer)
    }

    /// Removes the file of a delivery that was never seen.
    pub fn remove(&self, delivery: u64) -> Result<(), StoreError> {
        let path = self.path(delivery);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(io(format!("删除明细文件{}", path.display()))(error))
            }
            _ => Ok(()),
        }
    }

    /// Reads entries by their places; the file read last stays open.
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            segments: self,
            open: None,
            others: Vec::new(),
            buffer: Vec::new(),
            from: 0,
        }
    }

    /// The entries of a delivery in the order in which they were written; none when it changed nothing.
    pub fn walk(&self, delivery: u64) -> Result<Walk, StoreError> {
        let path = self.path(delivery);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Walk {
                    path,
                    delivery,
                    file: None,
                    at: 0,
                });
            }
            Err(error) => return Err(io(format!("打开明细文件{}", path.display()))(error)),
        };
        let mut file = BufReader::with_capacity(PIECE_BYTES, file);
        let mut magic = [0; MAGIC.len()];
        if file.read_exact(&mut magic).is_err() || magic != *MAGIC {
            return Err(damaged(&path, "文件头不符"));
        }
        Ok(Walk {
            path,
            delivery,
            file: Some(file),
            at: MAGIC.len() as u64,
        })
    }
}

/// Writes the file of one delivery. Dropped before [`Self::keep`] it leaves nothing.
#[derive(Debug)]
pub struct Writer {
    out: BufWriter<File>,
    part: PathBuf,
    path: PathBuf,
    delivery: u64,
    length: u64,
    entries: u64,
    is_kept: bool,
    body: Vec<u8>,
}

impl Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.out
            .write_all(bytes)
            .map_err(|error| io(format!("写入明细文件{}", self.part.display()))(error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// How many entries were added.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Adds an entry; `record` appends the canonical bytes.
    pub fn add(
        &mut self,
        kind: EntryKind,
        row: u64,
        before: Place,
        record: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Place, StoreError> {
        let place = Place::new(self.delivery, self.length);
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        body.extend_from_slice(&[0; HEAD]);
        body.push(kind as u8);
        body.extend_from_slice(&u32::try_from(row).unwrap_or(u32::MAX).to_le_bytes());
        body.extend_from_slice(&before.0.to_le_bytes());
        record(&mut body);
        let length = body.len() - HEAD;
        if length > BODY_MAX || self.length + body.len() as u64 >= 1 << OFFSET_BITS {
            return Err(StoreError::Unfit {
                text: "记录或明细文件过长".to_owned(),
            });
        }
        let sum = sum(&body[HEAD..]);
        body[..4].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        body[4..HEAD].copy_from_slice(&sum);
        let written = self.write(&body);
        self.body = body;
        written?;
        self.entries += 1;
        Ok(place)
    }

    /// An entry added before.
    pub fn read(&mut self, place: Place) -> Result<Entry, StoreError> {
        self.flush()?;
        read_at(self.out.get_ref(), &self.part, place)
    }

    /// Another row of the same key took the place of this entry.
    pub fn kill(&mut self, place: Place) -> Result<(), StoreError> {
        let found = self.read(place)?;
        let mut body = vec![EntryKind::Dead as u8];
        body.extend_from_slice(&u32::try_from(found.row).unwrap_or(u32::MAX).to_le_bytes());
        body.extend_from_slice(&found.before.0.to_le_bytes());
        body.extend_from_slice(&found.bytes);
        let patch = [sum(&body).as_slice(), &body[..1]].concat();
        self.out
            .get_ref()
            .write_all_at(&patch, place.offset() + 4)
            .map_err(io(format!("写入明细文件{}", self.part.display())))?;
        self.entries -= 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.out
            .flush()
            .map_err(|error| io(format!("写入明细文件{}", self.part.display()))(error))
    }

    /// Puts the file on the disk under its name. From here on it is never changed.
    pub fn keep(mut self) -> Result<(), StoreError> {
        self.flush()?;
        let what = format!("写入明细文件{}", self.part.display());
        self.out.get_ref().sync_all().map_err(io(what.clone()))?;
        fs::rename(&self.part, &self.path).map_err(io(what))?;
        self.is_kept = true;
        match self.path.parent() {
            Some(folder) => sync_folder(folder),
            None => Ok(()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_kept {
            // What stays is removed by the next start.
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// Read at once: most entries are shorter, head and all.
const USUAL: usize = 768;

fn read_at(file: &File, path: &Path, place: Place) -> Result<Entry, StoreError> {
    let mut usual = [0; USUAL];
    let mut got = 0;
    while got < usual.len() {
        let at = place.offset() + got as u64;
        match file.read_at(&mut usual[got..], at) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(io(format!("读取明细文件{}", path.display()))(error)),
        }
    }
    let short = |at: u64| damaged(path, format!("偏移{at}处没有内容"));
    let read = &usual[..got];
    let Some((head, rest)) = read.split_at_checked(HEAD) else {
        return Err(short(place.offset()));
    };
    let length = u32_at(head, 0) as usize;
    if !(FIXED..=BODY_MAX).contains(&length) {
        return Err(damaged(path, format!("偏移{}处的长度不符", place.offset())));
    }
    if let Some(body) = rest.get(..length) {
        return entry(path, place, head, body);
    }
    let at = place.offset() + HEAD as u64;
    let mut body = vec![0; length];
    match file.read_exact_at(&mut body, at) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(short(at)),
        Err(error) => Err(io(format!("读取明细文件{}", path.display()))(error)),
        Ok(()) => entry(path, place, head, &body),
    }
}

/// Files that stay open beside the one that is read.
const OTHERS: usize = 16;

/// Reads single entries. Places in rising order are read in pieces.
#[derive(Debug)]
pub struct Reader<'s> {
    segments: &'s Segments,
    open: Option<(u64, PathBuf, File)>,
    /// Files that were open before: who reads here and there comes back to them.
    others: Vec<(u64, PathBuf, File)>,
    /// A piece of the open file that begins at `from`.
    buffer: Vec<u8>,
    from: u64,
}

impl Reader<'_> {
    /// The entry at this place.
    pub fn read(&mut self, place: Place) -> Result<Entry, StoreError> {
        self.go_to(place.delivery())?;
        match self.open.as_ref() {
            Some((_, path, file)) => read_at(file, path, place),
            None => Err(damaged(&self.segments.folder, "文件未打开")),
        }
    }

    /// What a record says by the entry at this place: of a missing one the entry by which it said something last; `None` nowhere.
    pub fn content(&mut self, place: Place) -> Result<Option<Entry>, StoreError> {
        if place.is_nowhere() {
            return Ok(None);
        }
        let entry = self.read(place)?;
        match entry.kind {
            EntryKind::Missing => self.read(entry.before).map(Some),
            _ => Ok(Some(entry)),
        }
    }

    /// The entry at this place, when many are read in rising order.
    pub fn read_on(&mut self, place: Place) -> Result<Entry, StoreError> {
        self.go_to(place.delivery())?;
        let Some((_, path, file)) = &mut self.open else {
            return Err(damaged(&self.segments.folder, "文件未打开"));
        };
        for _ in 0..2 {
            let at = place.offset().checked_sub(self.from);
            let at = at.and_then(|at| usize::try_from(at).ok());
            if let Some(at) = at
                && let Some(head) = self.buffer.get(at..at + HEAD)
            {
                let length = u32_at(head, 0) as usize;
                if let Some(body) = self.buffer.get(at + HEAD..at + HEAD + length)
                    && length >= FIXED
                {
                    return entry(path, place, head, body);
                }
            }
            self.from = place.offset();
            file.seek(SeekFrom::Start(self.from))
                .map_err(io(format!("读取明细文件{}", path.display())))?;
            self.buffer.clear();
            file.take(PIECE_BYTES as u64)
                .read_to_end(&mut self.buffer)
                .map_err(io(format!("读取明细文件{}", path.display())))?;
        }
        // Longer than a piece, or damaged.
        read_at(file, path, place)
    }

    fn go_to(&mut self, delivery: u64) -> Result<(), StoreError> {
        if self
            .open
            .as_ref()
            .is_none_or(|(open, ..)| *open != delivery)
        {
            let known = self
                .others
                .iter()
                .position(|(other, ..)| *other == delivery);
            let wanted = if let Some(at) = known {
                self.others.swap_remove(at)
            } else {
                let path = self.segments.path(delivery);
                let file =
                    File::open(&path).map_err(io(format!("打开明细文件{}", path.display())))?;
                (delivery, path, file)
            };
            if self.others.len() >= OTHERS {
                self.others.clear();
            }
            self.others.extend(self.open.replace(wanted));
            self.buffer.clear();
            self.from = 0;
        }
        Ok(())
    }
}

/// Walks through one file.
#[derive(Debug)]
pub struct Walk {
    path: PathBuf,
    delivery: u64,
    file: Option<BufReader<File>>,
    at: u64,
}

impl Walk {
    fn step(&mut self) -> Result<Option<Entry>, StoreError> {
        let Some(file) = &mut self.file else {
            return Ok(None);
        };
        let mut head = [0; HEAD];
        let mut filled = 0;
        while filled < HEAD {
            match file.read(&mut head[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(damaged(&self.path, "文件在一条明细中结束")),
                Ok(n) => filled += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(io(format!("读取明细文件{}", self.path.display()))(
                        error,
                    ));
                }
            }
        }
        let length = u32_at(&head, 0) as usize;
        if !(FIXED..=BODY_MAX).contains(&length) {
            return Err(damaged(&self.path, format!("偏移{}处的长度不符", self.at)));
        }
        let mut body = vec![0; length];
        file.read_exact(&mut body)
            .map_err(|_| damaged(&self.path, "文件在一条明细中结束"))?;
        let place = Place::new(self.delivery, self.at);
        self.at += (HEAD + length) as u64;
        entry(&self.path, place, &head, &body).map(Some)
    }
}

impl Iterator for Walk {
    type Item = Result<Entry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.step().transpose();
        if matches!(item, Some(Err(_))) {
            self.file = None;
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(writer: &mut Writer, kind: EntryKind, row: u64, before: Place, text: &str) -> Place {
        writer
            .add(kind, row, before, |body| {
                body.extend_from_slice(text.as_bytes());
            })
            .unwrap()
    }

    #[test]
    fn entries_come_back_alone_and_in_order_and_dead_ones_are_marked() {
        let home = tempfile::tempdir().unwrap();
        let segments = Segments::open(home.path().join("segments")).unwrap();
        let mut writer = segments.begin(7).unwrap();
        let one = put(&mut writer, EntryKind::New, 2, Place::default(), "甲");
        let two = put(&mut writer, EntryKind::Changed, 3, one, "乙");
        let three = put(&mut writer, EntryKind::Missing, 0, two, "");
        let long = "长".repeat(PIECE_BYTES);
        let four = put(&mut writer, EntryKind::New, 9, Place::default(), &long);
        assert_eq!(writer.read(two).unwrap().bytes, "乙".as_bytes());
        writer.kill(two).unwrap();
        assert_eq!(writer.entries(), 3);
        writer.keep().unwrap();
        let walked: Vec<Entry> = segments.walk(7).unwrap().map(Result::unwrap).collect();
        assert_eq!(
            walked.iter().map(|e| (e.kind, e.row)).collect::<Vec<_>>(),
            [
                (EntryKind::New, 2),
                (EntryKind::Dead, 3),
                (EntryKind::Missing, 0),
                (EntryKind::New, 9)
            ]
        );
        let mut reader = segments.reader();
        for (place, entry) in [one, two, three, four].into_iter().zip(&walked) {
            assert_eq!(&reader.read_on(place).unwrap(), entry);
            assert_eq!(&segments.reader().read(place).unwrap(), entry);
        }
        assert_eq!(reader.read_on(one).unwrap(), walked[0], "and back");
        assert_eq!(segments.walk(8).unwrap().count(), 0, "changed nothing");
    }

    #[test]
    fn what_was_not_kept_is_gone_and_damage_is_told() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("segments");
        let segments = Segments::open(folder.clone()).unwrap();
        drop(segments.begin(1).unwrap());
        std::mem::forget(segments.begin(2).unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        let segments = Segments::open(folder.clone()).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        let mut writer = segments.begin(3).unwrap();
        let place = put(&mut writer, EntryKind::New, 2, Place::default(), "甲乙丙");
        writer.keep().unwrap();
        let path = folder.join("0000000003.seg");
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            fs::write(&path, &bytes).unwrap();
            let walked = segments
                .walk(3)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>);
            assert!(walked.is_err(), "byte {at}");
            if at >= MAGIC.len() {
                assert!(segments.reader().read(place).is_err(), "byte {at}");
                assert!(segments.reader().read_on(place).is_err(), "byte {at}");
            }
        }
        for end in MAGIC.len() + 1..whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            assert!(segments.walk(3).unwrap().any(|entry| entry.is_err()));
            assert!(segments.reader().read_on(place).is_err(), "cut at {end}");
        }
    }
}
