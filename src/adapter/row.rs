//! Raw rows: what a decoder hands to the mapping, whatever the format was.

/// One cell as it stood in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its text (a spreadsheet number as shown without exponent where exact; a date cell as `YYYY-MM-DD`).
    pub text: String,
    /// Whether the file stored it as a number: a credit code that arrives so has lost digits.
    pub numeric: bool,
}

/// One row: cells stand at the index of their column; `None` is an absent element or an empty cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRow {
    /// Row as a person counts it in the file or in the member told last, first row 1 (ordinal of the record for XML and
    /// JSON; of JSON lines the line).
    pub number: u64,
    /// The cells, at most as many as there are columns.
    pub cells: Vec<Option<Cell>>,
    /// A fingerprint of the row as it stood: rows of one layout with the same fingerprint say the same. 0: none was asked for.
    pub fingerprint: u64,
}

/// Code of a last row that the file breaks off in: whatever stood behind it is missing as well.
pub const CUT_ROW: &str = "YB-2155";

/// What a decoder tells its caller, in file order. `Columns` comes before the first row and again
/// (whole, only ever longer) whenever an XML or JSON record shows a column not seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// What follows comes from this member of an archive of several: row numbers begin anew.
    Member(String),
    /// A line above the heading row: its cells' texts joined by one blank.
    Title(String),
    /// The headings, in file order, trimmed.
    Columns(Vec<String>),
    /// A data row.
    Row(RawRow),
    /// A row that cannot be laid on the columns (ragged, too long …): row, code, reason.
    Spoilt {
        /// The row, as in [`RawRow`].
        number: u64,
        /// Stable code.
        code: &'static str,
        /// What and the remedy, in Chinese.
        reason: String,
    },
}
