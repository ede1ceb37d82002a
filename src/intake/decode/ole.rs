//! OLE compound files: the little file system inside an XLS workbook.
//!
//! Read here and not by the spreadsheet library, because the library follows a chain of sectors that runs in a circle
//! for ever, and lays a whole sheet out in memory up to the farthest cell that a record claims.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::from_io;
use crate::intake::decode::workbook::{damaged, too_big};

/// The first bytes of every compound file.
pub const SIGNATURE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

const HEADER_BYTES: usize = 512;
const ENTRY_BYTES: usize = 128;
const SMALL_SECTOR: usize = 64;
/// Streams shorter than this lie in small sectors.
const SMALL_BELOW: u64 = 4096;
/// Sector numbers from here on are marks: end of a chain, free, in use by the tables.
const MARKS_FROM: u32 = 0xffff_fffa;
/// Places of table sectors that the header itself holds.
const IN_HEADER: usize = 109;

struct Entry {
    name: String,
    start: u32,
    bytes: u64,
}

/// An open compound file.
pub struct Ole {
    file: File,
    file_bytes: u64,
    sector: usize,
    /// The sector after each sector.
    next: Vec<u32>,
    /// The small sector after each small sector.
    next_small: Vec<u32>,
    entries: Vec<Entry>,
    kept_bytes: u64,
}

impl Ole {
    /// Reads the tables and the directory. A file beyond the limit is refused, for its streams are kept in memory.
    pub fn open(mut file: File, limits: &Limits) -> Result<Self, Unreadable> {
        let file_bytes = file.metadata().map_err(|error| from_io(&error))?.len();
        if file_bytes > limits.kept_bytes {
            return Err(too_big(limits));
        }
        let mut header = [0; HEADER_BYTES];
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.read_exact(&mut header))
            .map_err(|_| damaged())?;
        let sector = match u16_at(&header, 30) {
            Some(9) => 512,
            Some(12) => 4096,
            _ => return Err(damaged()),
        };
        if !header.starts_with(SIGNATURE) || u16_at(&header, 32) != Some(6) {
            return Err(damaged());
        }
        let mut ole = Self {
            file,
            file_bytes,
            sector,
            next: Vec::new(),
            next_small: Vec::new(),
            entries: Vec::new(),
            kept_bytes: limits.kept_bytes,
        };
        for place in ole.tables(&header)? {
            let table = ole.read_sector(place)?;
            ole.next.extend(words(&table));
        }
        let at = |offset| u32_at(&header, offset).ok_or_else(damaged);
        let directory = ole.chain(at(48)?, None)?;
        ole.entries = directory
            .chunks_exact(ENTRY_BYTES)
            .filter_map(|entry| read_entry(entry, sector))
            .collect();
        if at(64)? > 0 {
            ole.next_small = words(&ole.chain(at(60)?, None)?).collect();
        }
        Ok(ole)
    }

    /// Whether the directory holds this name.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// A stream, whole; `None` when there is none of that name.
    pub fn stream(&mut self, name: &str) -> Result<Option<Vec<u8>>, Unreadable> {
        let Some(entry) = self.find(name) else {
            return Ok(None);
        };
        let (start, bytes) = (entry.start, entry.bytes);
        if bytes >= SMALL_BELOW {
            return self.chain(start, Some(bytes)).map(Some);
        }
        // The root entry, the first, holds all small streams.
        let root = self.entries.first().ok_or_else(damaged)?;
        let (root_start, root_bytes) = (root.start, root.bytes);
        let small = self.chain(root_start, Some(root_bytes))?;
        let mut stream = Vec::new();
        let mut at = start;
        for _ in 0..=self.next_small.len() {
            if stream.len() as u64 >= bytes || at >= MARKS_FROM {
                break;
            }
            let from = at as usize * SMALL_SECTOR;
            let rest = small
                .get(from..)
                .filter(|rest| !rest.is_empty())
                .ok_or_else(damaged)?;
            stream.extend_from_slice(&rest[..rest.len().min(SMALL_SECTOR)]);
            at = *self.next_small.get(at as usize).ok_or_else(damaged)?;
        }
        cut(stream, bytes).map(Some)
    }

    /// The places of the sectors that hold the table of sectors.
    fn tables(&mut self, header: &[u8]) -> Result<Vec<u32>, Unreadable> {
        let mut places: Vec<u32> = words(&header[HEADER_BYTES - 4 * IN_HEADER..]).collect();
        let mut more = u32_at(header, 68).ok_or_else(damaged)?;
        for _ in 0..self.sectors() {
            if more >= MARKS_FROM {
                break;
            }
            let sector = self.read_sector(more)?;
            places.extend(words(&sector));
            more = places.pop().ok_or_else(damaged)?;
        }
        places.retain(|place| *place < MARKS_FROM);
        if more < MARKS_FROM || places.len() as u64 > self.sectors() {
            return Err(damaged());
        }
        Ok(places)
    }

    fn sectors(&self) -> u64 {
        self.file_bytes.div_ceil(self.sector as u64)
    }

    /// The last sector of a file may be short: some writers do not fill it.
    fn read_sector(&mut self, place: u32) -> Result<Vec<u8>, Unreadable> {
        let from = (u64::from(place) + 1) * self.sector as u64;
        if from >= self.file_bytes {
            return Err(damaged());
        }
        let mut sector = Vec::with_capacity(self.sector);
        self.file
            .seek(SeekFrom::Start(from))
            .and_then(|_| {
                (&mut self.file)
                    .take(self.sector as u64)
                    .read_to_end(&mut sector)
            })
            .map_err(|error| from_io(&error))?;
        Ok(sector)
    }

    /// The sectors of a chain, cut at `bytes`. A chain has at most as many sectors as the file: one that has more
    /// runs in a circle.
    fn chain(&mut self, start: u32, bytes: Option<u64>) -> Result<Vec<u8>, Unreadable> {
        let mut content = Vec::new();
        let mut at = start;
        for _ in 0..self.sectors() {
            if at >= MARKS_FROM || bytes.is_some_and(|bytes| content.len() as u64 >= bytes) {
                break;
            }
            content.extend(self.read_sector(at)?);
            at = *self.next.get(at as usize).ok_or_else(damaged)?;
        }
        debug_assert!(content.len() as u64 <= self.kept_bytes + self.sector as u64);
        match bytes {
            Some(bytes) => cut(content, bytes),
            None if at < MARKS_FROM => Err(damaged()),
            None => Ok(content),
        }
    }
}

fn cut(mut content: Vec<u8>, bytes: u64) -> Result<Vec<u8>, Unreadable> {
    if (content.len() as u64) < bytes {
        return Err(damaged());
    }
    content.truncate(usize::try_from(bytes).map_err(|_| damaged())?);
    Ok(content)
}

/// An entry of the directory; `None` for an empty one.
fn read_entry(entry: &[u8], sector: usize) -> Option<Entry> {
    let units: Vec<u16> = entry[..64]
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .take_while(|unit| *unit != 0)
        .collect();
    let low = u64::from(u32_at(entry, 120)?);
    // In files of small sectors the upper half may hold anything.
    let high = if sector == 512 {
        0
    } else {
        u64::from(u32_at(entry, 124)?)
    };
    (!units.is_empty()).then(|| Entry {
        name: String::from_utf16_lossy(&units),
        start: u32_at(entry, 116).unwrap_or(u32::MAX),
        bytes: high << 32 | low,
    })
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
}

/// Two bytes as a number.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// Four bytes as a number.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

/// Eight bytes as a floating-point number.
pub fn f64_at(bytes: &[u8], at: usize) -> Option<f64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    bytes.try_into().ok().map(f64::from_le_bytes)
}
