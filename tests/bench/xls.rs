//! Writes an old workbook (BIFF 8): one sheet of texts, as Excel 97 lays it out, and nothing more.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Bytes of a sector of the compound file.
const SECTOR: usize = 4096;
/// Links in a sector of its table, and table sectors that the header can name.
const LINKS: usize = SECTOR / 4;
const NAMED: usize = 109;
const END: u32 = 0xffff_fffe;
const TABLE: u32 = 0xffff_fffd;
const NONE: u32 = 0xffff_ffff;

/// The stream of a workbook, built row by row; at most 65,536 rows fit a sheet.
pub struct Sheet {
    stream: Vec<u8>,
    row: u16,
}

impl Sheet {
    /// An empty one.
    pub fn new() -> Self {
        let mut stream = Vec::new();
        record(&mut stream, 0x0809, &[&begin(5)]);
        // The sheet begins behind this list and the end of it.
        let start = u32::try_from(stream.len() + 4 + 9 + 4).expect("a short head");
        record(
            &mut stream,
            0x0085,
            &[&start.to_le_bytes(), &[0, 0, 1, 0, b'S']],
        );
        record(&mut stream, 0x000a, &[]);
        record(&mut stream, 0x0809, &[&begin(0x10)]);
        Self { stream, row: 0 }
    }

    /// One more row.
    pub fn push(&mut self, cells: impl IntoIterator<Item: AsRef<str>>) {
        for (column, cell) in (0_u16..).zip(cells) {
            let text: Vec<u8> = cell
                .as_ref()
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect();
            let length = u16::try_from(text.len() / 2).expect("a short text");
            let mut head = Vec::new();
            for word in [self.row, column, 0, length] {
                head.extend(word.to_le_bytes());
            }
            // Two bytes a character.
            head.push(1);
            record(&mut self.stream, 0x0204, &[&head, &text]);
        }
        self.row += 1;
    }

    /// Writes the workbook: its stream, the directory, the table of sectors.
    pub fn save(mut self, path: &Path) -> io::Result<()> {
        record(&mut self.stream, 0x000a, &[]);
        let bytes = self.stream.len() as u64;
        let sectors = self.stream.len().div_ceil(SECTOR);
        self.stream.resize(sectors * SECTOR, 0);
        let tables = (1..=NAMED)
            .find(|tables| tables * LINKS > sectors + tables)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        let place = |n: usize| u32::try_from(n).expect("fewer sectors than named");
        let mut file = BufWriter::new(File::create(path)?);
        let mut header = vec![0; SECTOR];
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
        for (at, word) in [(24, 0x3e_u16), (26, 4), (28, 0xfffe), (30, 12), (32, 6)] {
            put(at, &word.to_le_bytes());
        }
        for (at, word) in [
            (40, 1),
            (44, place(tables)),
            (48, place(sectors)),
            (56, 4096),
            (60, END),
            (68, END),
        ] {
            put(at, &word.to_le_bytes());
        }
        for n in 0..NAMED {
            let word = if n < tables {
                place(sectors + 1 + n)
            } else {
                NONE
            };
            put(76 + 4 * n, &word.to_le_bytes());
        }
        file.write_all(&header)?;
        file.write_all(&self.stream)?;
        let mut directory = entry("Root Entry", 5, 1, END, 0);
        directory.extend(entry("Workbook", 2, NONE, 0, bytes));
        directory.resize(SECTOR, 0);
        file.write_all(&directory)?;
        for n in 0..tables * LINKS {
            let link = if n + 1 < sectors {
                place(n + 1)
            } else if n <= sectors {
                END
            } else if n <= sectors + tables {
                TABLE
            } else {
                NONE
            };
            file.write_all(&link.to_le_bytes())?;
        }
        file.flush()
    }
}

fn begin(kind: u16) -> Vec<u8> {
    let words = [0x0600, kind, 0x0dbb, 0x07cc, 0, 0, 6, 0];
    words.into_iter().flat_map(u16::to_le_bytes).collect()
}

fn record(stream: &mut Vec<u8>, kind: u16, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    stream.extend(kind.to_le_bytes());
    stream.extend(u16::try_from(length).expect("a short record").to_le_bytes());
    for part in parts {
        stream.extend_from_slice(part);
    }
}

/// An entry of the directory.
fn entry(name: &str, kind: u8, child: u32, start: u32, bytes: u64) -> Vec<u8> {
    let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = u16::try_from(entry.len() + 2).expect("a short name");
    entry.resize(64, 0);
    entry.extend(length.to_le_bytes());
    entry.extend([kind, 1]);
    for word in [NONE, NONE, child] {
        entry.extend(word.to_le_bytes());
    }
    entry.resize(116, 0);
    entry.extend(start.to_le_bytes());
    entry.extend(bytes.to_le_bytes());
    entry
}
