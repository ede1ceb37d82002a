//! Caps on everything that comes from outside: each has a default and a key under `[limits]`.

use serde::Deserialize;

/// Longest pull: a day, since the next one is due by then.
pub const FETCH_SECONDS: u32 = 86_400;

/// Caps on everything that comes from outside.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of the file as received.
    pub file_bytes: u64,
    /// Bytes after unpacking.
    pub unpacked_bytes: u64,
    /// Unpacked ÷ packed.
    pub ratio: u64,
    /// Rows.
    pub rows: u64,
    /// Columns.
    pub columns: usize,
    /// Bytes of one cell.
    pub cell_bytes: usize,
    /// Depth of elements or JSON values.
    pub depth: usize,
    /// Pages of one paged pull.
    pub pages: u32,
    /// Bytes of a workbook that have to be kept in memory: an XLS workbook, and what an XLSX workbook keeps outside
    /// its sheets (shared strings, styles).
    pub kept_bytes: u64,
    /// Merged areas of a workbook.
    pub merged_cells: usize,
    /// Members of an archive, those that are not wanted included.
    pub members: usize,
    /// Malformed characters that are replaced by `�` when the adapter names the charset; one more refuses the file. 0: none.
    pub replaced: u64,
    /// Seconds for reading one file.
    pub seconds: u64,
    /// Bytes of a text inside JSON that is JSON itself.
    pub embedded_bytes: u64,
    /// Bytes of one page, or of any other answer that is read whole.
    pub page_bytes: usize,
    /// Seconds that one whole pull may take, from whatever place (interface, file server, program), waiting included; at most
    /// [`FETCH_SECONDS`].
    pub fetch_seconds: u32,
    /// Attempts after the first at one request of a pull, or at one file, when the network or the department fails for a while.
    pub retries: u32,
    /// Entries of a folder that is looked through, folders below it included.
    pub entries: usize,
    /// Address space of a program that is started, bytes.
    pub program_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 2 << 30,
            unpacked_bytes: 8 << 30,
            ratio: 200,
            rows: 20_000_000,
            columns: 512,
            cell_bytes: 64 << 10,
            depth: 64,
            pages: 20_000,
            kept_bytes: 512 << 20,
            merged_cells: 1_000_000,
            members: 1000,
            replaced: 0,
            seconds: 1800,
            embedded_bytes: 64 << 20,
            page_bytes: 32 << 20,
            fetch_seconds: 3600,
            retries: 5,
            entries: 100_000,
            program_bytes: 2 << 30,
        }
    }
}
