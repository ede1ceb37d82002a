//! Raw rows: what a decoder hands to the mapping, whatever the format was.

use crate::domain::batch::Unreadable;

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
    /// Fingerprint of the row as it stood in the file; 0 is none. Two rows of exports read by the same format and limits
    /// that have the same fingerprint say the same.
    pub fingerprint: u64,
}

/// Code of a last row that the file breaks off in: whatever stood behind it is missing as well.
pub const CUT_ROW: &str = "YB-2155";

/// What a decoder tells its caller, in file order. `Columns` comes before the first row and again
/// (whole, only ever longer) whenever an XML or JSON record shows a column not seen before.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded<'r> {
    /// What follows comes from this member of an archive of several: row numbers begin anew.
    Member(String),
    /// A line above the heading row: its cells' texts joined by one blank.
    Title(String),
    /// The headings, in file order, trimmed.
    Columns(Vec<String>),
    /// A row is coming, and this is its fingerprint: whoever knows it need not have it read. Told before every
    /// [`Self::Row`] with the fingerprint of that row, where the format allows it before the row is cut into cells. What is
    /// sighted may turn out to be spoilt, to be no row (a blank line, a trailer), or to be sighted once more under another
    /// fingerprint, for instance because it shows a column that was not seen before; the last one counts.
    Sighted {
        /// The row, as in [`RawRow`].
        number: u64,
        /// Never 0.
        fingerprint: u64,
    },
    /// A data row. It is the caller's until it answers; the next row reuses its memory.
    Row(&'r mut RawRow),
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

/// What the caller answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// Go on; of a row that was sighted the row itself is wanted.
    GoOn,
    /// To [`Decoded::Sighted`]: a row with this fingerprint was handed on as [`Decoded::Row`] before, from this file or an
    /// earlier one under the same adapter. It is counted and goes no further. To anything else it means [`Self::GoOn`].
    Known,
}

/// Whoever is told. An error ends the decoding.
pub type Sink<'s> = dyn FnMut(Decoded<'_>) -> Result<Reply, Unreadable> + 's;
