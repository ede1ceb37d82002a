//! Fingerprints of rows as they stood in the file.
//!
//! Two rows with one fingerprint say the same: it depends on the row's bytes or cells and on all that gives them their
//! meaning. 64 bits are enough for rows of one department, who gains nothing by making two alike; whoever must be sure
//! against that compares the records.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::adapter::language::Adapter;
use crate::adapter::row::RawRow;

/// Raised when the same bytes would give other cells than before.
const VERSION: u8 = 1;

/// Makes the fingerprints of one decoding.
pub struct Stamp {
    /// Of the format and the limits.
    format: u64,
    /// Of the format, the charset and the headings: what the bytes of a row mean.
    seed: u64,
    /// Of the headings of a table, in order.
    headings: u64,
    /// Of the charset.
    reading: u64,
    /// Of how many cells a row of the table may have.
    lengths: u64,
    /// Of the columns that records have shown so far, in whatever order: a row whose bytes are known shows no other.
    shown: u64,
    /// One per column.
    columns: Vec<u64>,
}

impl Stamp {
    /// For files of this adapter.
    pub fn new(adapter: &Adapter) -> Self {
        let limits = &adapter.limits;
        let text = format!(
            "{VERSION} {:?} {} {} {}",
            adapter.format, limits.columns, limits.cell_bytes, limits.depth
        );
        let mut stamp = Self {
            format: xxh3_64(text.as_bytes()),
            seed: 0,
            headings: 0,
            reading: 0,
            lengths: 0,
            shown: 0,
            columns: Vec::new(),
        };
        stamp.sow();
        stamp
    }

    /// The charset of the bytes that rows are found in.
    pub fn read_as(&mut self, charset: &str) {
        self.reading = xxh3_64(charset.as_bytes());
        self.lengths = 0;
        self.sow();
    }

    /// How many cells a row may have.
    pub fn lengths(&mut self, lengths: &str) {
        self.lengths = xxh3_64(lengths.as_bytes());
        self.sow();
    }

    /// The headings of a table.
    pub fn headings(&mut self, headings: &[String]) {
        self.headings = 1;
        for heading in headings {
            self.headings = xxh3_64_with_seed(heading.as_bytes(), self.headings);
        }
        self.columns = (0..headings.len() as u64)
            .map(|at| xxh3_64_with_seed(&at.to_le_bytes(), self.headings))
            .collect();
        self.sow();
    }

    /// A column that a record shows for the first time.
    pub fn column(&mut self, name: &str) {
        let of_name = xxh3_64_with_seed(name.as_bytes(), 2);
        self.shown = self.shown.wrapping_add(of_name);
        self.columns.push(of_name);
    }

    fn sow(&mut self) {
        let parts = [self.format, self.headings, self.reading, self.lengths];
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.to_le_bytes()).collect();
        self.seed = xxh3_64(&bytes);
    }

    /// The fingerprint of a row whose bytes have this digest.
    pub fn of_bytes(&self, digest: u64) -> u64 {
        digest
            .wrapping_add(self.seed)
            .wrapping_add(self.shown)
            .max(1)
    }

    /// The fingerprint of a row by its cells.
    pub fn of_cells(&self, row: &RawRow) -> u64 {
        let mut sum = self.format.rotate_left(1);
        for (cell, column) in row.cells().zip(&self.columns) {
            if let Some(cell) = cell {
                let seed = column ^ u64::from(cell.numeric);
                sum = sum.wrapping_add(xxh3_64_with_seed(cell.text.as_bytes(), seed));
            }
        }
        sum.max(1)
    }
}
