//! The two days in four layouts, and what is true of them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::snapshot::{Snapshot, Traffic, Truth};

/// A layout that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Delimited text in UTF-8.
    Csv,
    /// The same in GB18030.
    CsvGb,
    /// XML.
    Xml,
    /// JSON lines.
    Jsonl,
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Csv, Self::CsvGb, Self::Xml, Self::Jsonl];

    /// How it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::CsvGb => "csv-gb18030",
            Self::Xml => "xml",
            Self::Jsonl => "jsonl",
        }
    }

    /// The adapter that reads it.
    pub const fn adapter(self) -> &'static str {
        match self {
            Self::Csv | Self::CsvGb => "bench-csv",
            Self::Xml => "bench-xml",
            Self::Jsonl => "bench-jsonl",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::CsvGb => "gb18030.csv",
            Self::Xml => "xml",
            Self::Jsonl => "ndjson",
        }
    }

    /// Where a record ends: at a line end, outside quotes in delimited text, behind an element in XML.
    fn ends(self, bytes: &[u8]) -> Vec<usize> {
        let mut is_quoted = false;
        let mut ends = Vec::new();
        for at in memchr::memchr2_iter(b'"', b'\n', bytes) {
            if bytes[at] == b'"' {
                is_quoted ^= matches!(self, Self::Csv | Self::CsvGb);
            } else if !is_quoted && (self != Self::Xml || bytes[..at].last() == Some(&b'>')) {
                ends.push(at + 1);
            }
        }
        ends
    }

    /// Pieces before the first record and behind the last.
    const fn frame(self) -> (usize, usize) {
        match self {
            Self::Csv | Self::CsvGb => (1, 0),
            Self::Xml => (2, 1),
            Self::Jsonl => (0, 0),
        }
    }
}

/// Files of two days, and the truth.
pub struct Days {
    folder: PathBuf,
    /// Rows of the first day.
    pub rows: u64,
    /// Rows of the second.
    pub rows_after: u64,
    /// What changed.
    pub truth: Truth,
}

impl Days {
    /// Files that a generator left: `day1.csv`, `day1.gb18030.csv`, `day1.xml`, `day1.ndjson`, likewise `day2`, and `truth.json` with
    /// `rows_day1`, `rows_day2` and the lists `new`, `changed`, `removed`.
    pub fn given(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join("truth.json"))
            .expect("truth.json lies beside the files");
        let told: serde_json::Value = serde_json::from_str(&text).expect("truth.json is JSON");
        let list = |name: &str| -> BTreeSet<String> {
            let list = told[name].as_array().expect("a list of keys");
            list.iter()
                .filter_map(|key| Some(key.as_str()?.to_owned()))
                .collect()
        };
        Self {
            folder: folder.to_path_buf(),
            rows: told["rows_day1"].as_u64().expect("a number"),
            rows_after: told["rows_day2"].as_u64().expect("a number"),
            truth: Truth {
                new: list("new"),
                changed: list("changed"),
                removed: list("removed"),
            },
        }
    }

    /// Files of invented rows, written here.
    pub fn made(folder: &Path, rows: u32, layouts: &[Layout]) -> Self {
        let first = Snapshot::first(rows);
        let (second, truth) = first.next(Traffic::usual(first.rows()));
        let days = Self {
            folder: folder.to_path_buf(),
            rows: u64::from(rows),
            rows_after: second.rows() as u64,
            truth,
        };
        for layout in layouts {
            for (day, snapshot) in [(1, &first), (2, &second)] {
                let path = days.file(*layout, day);
                match layout {
                    Layout::Csv => snapshot.csv(&path, false),
                    Layout::CsvGb => snapshot.csv(&path, true),
                    Layout::Xml => snapshot.xml(&path, false),
                    Layout::Jsonl => snapshot.jsonl(&path),
                }
                .expect("room for the files");
            }
        }
        days
    }

    /// One of the files.
    pub fn file(&self, layout: Layout, day: u8) -> PathBuf {
        self.folder.join(format!("day{day}.{}", layout.extension()))
    }

    /// The second day with its records in another order, to the byte otherwise.
    pub fn shuffled(&self, layout: Layout, into: &Path) -> PathBuf {
        let bytes = fs::read(self.file(layout, 2)).expect("the second day");
        let ends = layout.ends(&bytes);
        let pieces: Vec<&[u8]> = std::iter::once(0)
            .chain(ends.iter().copied())
            .zip(&ends)
            .map(|(from, to)| &bytes[from..*to])
            .collect();
        let (head, foot) = layout.frame();
        let records = &pieces[head..pieces.len() - foot];
        let path = into.join(format!("shuffled.{}", layout.extension()));
        let mut file = BufWriter::new(fs::File::create(&path).expect("a file"));
        // Every 97th, then every 97th from the second on …: far from the old order and no draw needed.
        let others = (0..97).flat_map(|from| records.iter().skip(from).step_by(97));
        for piece in pieces[..head]
            .iter()
            .chain(others)
            .chain(&pieces[pieces.len() - foot..])
        {
            file.write_all(piece).expect("written");
        }
        file.flush().expect("written");
        path
    }

    /// Bytes of the rows that are new or changed on the second day, about: their share of the file.
    pub fn changed_bytes(&self, layout: Layout) -> u64 {
        let whole = fs::metadata(self.file(layout, 2)).map_or(0, |file| file.len());
        let touched = (self.truth.new.len() + self.truth.changed.len()) as u64;
        whole * touched / self.rows_after.max(1)
    }
}

/// Bytes of all files below a folder, those in `without` (a folder's name) left out.
pub fn folder_bytes(folder: &Path, without: &str) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() && entry.file_name() != without => {
                folder_bytes(&entry.path(), without)
            }
            Ok(about) if about.is_file() => about.len(),
            _ => 0,
        })
        .sum()
}
