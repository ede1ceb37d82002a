//! Raw rows: what a decoder hands to the mapping, whatever the format was.

use std::ops::Range;
use std::sync::LazyLock;

use crate::domain::batch::Unreadable;

/// One cell as it stood in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its text (a spreadsheet number as shown without exponent where exact; a date cell as `YYYY-MM-DD`).
    pub text: String,
    /// Whether the file stored it as a number: a credit code that arrives so has lost digits.
    pub numeric: bool,
}

impl Cell {
    /// The same without owning it.
    #[must_use]
    pub fn as_text(&self) -> CellText<'_> {
        CellText {
            text: &self.text,
            numeric: self.numeric,
        }
    }
}

/// One cell of a row, as [`Cell`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellText<'r> {
    /// Its text, never empty in a row.
    pub text: &'r str,
    /// Whether the file stored it as a number.
    pub numeric: bool,
}

/// Where a cell stands in the row's text; nowhere when it is empty.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    start: usize,
    end: usize,
    numeric: bool,
}

/// One row: cells stand at the index of their column, at most as many as there are columns; an absent element and an empty
/// cell are none. All of them lie in one text, so that a row costs no memory of its own when it is used for the next.
#[derive(Debug, Clone, Default)]
pub struct RawRow {
    /// Row as a person counts it in the file or in the member told last, first row 1 (ordinal of the record for XML and
    /// JSON; of JSON lines the line).
    pub number: u64,
    /// Fingerprint of the row as it stood in the file; 0 is none. Two rows of exports read by the same format and limits
    /// that have the same fingerprint say the same.
    pub fingerprint: u64,
    text: String,
    places: Vec<Place>,
}

impl RawRow {
    /// A row of these cells, without a fingerprint.
    #[must_use]
    pub fn of(number: u64, cells: impl IntoIterator<Item = Option<Cell>>) -> Self {
        let mut row = Self::default();
        row.begin(number);
        for cell in cells {
            row.push(cell.as_ref().map(Cell::as_text));
        }
        row
    }

    /// Empties it for the row with this number.
    pub fn begin(&mut self, number: u64) {
        self.number = number;
        self.fingerprint = 0;
        self.text.clear();
        self.places.clear();
    }

    /// Adds the next cell.
    pub fn push(&mut self, cell: Option<CellText<'_>>) {
        let start = self.text.len();
        if let Some(cell) = cell {
            self.text.push_str(cell.text);
        }
        self.places.push(Place {
            start,
            end: self.text.len(),
            numeric: cell.is_some_and(|cell| cell.numeric),
        });
    }

    /// Takes over a text of which [`Self::mark`] tells where the cells lie.
    pub fn lay(&mut self, text: &str) {
        self.text.clear();
        self.text.push_str(text);
    }

    /// Makes a part of the text the cell at `at`; what lies outside the text or within a character is an empty cell.
    pub fn mark(&mut self, at: usize, part: Range<usize>, numeric: bool) {
        if at >= self.places.len() {
            self.places.resize(at + 1, Place::default());
        }
        self.places[at] = Place {
            start: part.start,
            end: part.end,
            numeric,
        };
    }

    /// Whether a cell was marked at `at`, an empty one included. Cells that begin with the text do not count.
    #[must_use]
    pub fn is_marked(&self, at: usize) -> bool {
        self.places.get(at).is_some_and(|place| place.start > 0)
    }

    /// Cuts the text into cells at a delimiter.
    pub fn split(&mut self, text: &str, delimiter: u8) {
        self.lay(text);
        let mut start = 0;
        for end in memchr::memchr_iter(delimiter, text.as_bytes()) {
            self.places.push(Place {
                start,
                end,
                numeric: false,
            });
            start = end + 1;
        }
        self.places.push(Place {
            start,
            end: text.len(),
            numeric: false,
        });
    }

    /// Leaves out the cells behind the first `width`.
    pub fn truncate(&mut self, width: usize) {
        self.places.truncate(width);
    }

    /// How many cells it has, empty ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether it has no cells at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The cell at this index; `None` when it is empty or there is none.
    #[must_use]
    pub fn cell(&self, at: usize) -> Option<CellText<'_>> {
        self.cell_in(self.places.get(at)?)
    }

    /// All cells, in order.
    pub fn cells(&self) -> impl Iterator<Item = Option<CellText<'_>>> {
        self.places.iter().map(|place| self.cell_in(place))
    }

    /// Whether a character may have been lost in it before it came here: U+FFFD stands in it, or between its cells.
    #[must_use]
    pub fn shows_loss(&self) -> bool {
        // Made once: every row is looked through.
        static REPLACED: LazyLock<memchr::memmem::Finder<'static>> =
            LazyLock::new(|| memchr::memmem::Finder::new("\u{fffd}"));
        REPLACED.find(self.text.as_bytes()).is_some()
    }

    /// Bytes of the longest cell.
    #[must_use]
    pub fn longest(&self) -> usize {
        let lengths = self
            .places
            .iter()
            .map(|place| place.end.saturating_sub(place.start));
        lengths.max().unwrap_or(0)
    }

    fn cell_in(&self, place: &Place) -> Option<CellText<'_>> {
        let text = self.text.get(place.start..place.end)?;
        (!text.is_empty()).then_some(CellText {
            text,
            numeric: place.numeric,
        })
    }

    /// Empties a cell.
    pub fn drop_cell(&mut self, at: usize) {
        if let Some(place) = self.places.get_mut(at) {
            *place = Place::default();
        }
    }
}

/// Code of a last row that the file breaks off in: whatever stood behind it is missing as well.
pub const CUT_ROW: &str = "YB-2155";

/// What a decoder tells its caller, in file order. `Columns` comes before the first row and again
/// (whole, only ever longer) whenever an XML or JSON record shows a column not seen before.
#[derive(Debug)]
pub enum Decoded<'r> {
    /// What follows comes from this member of an archive of several: row numbers begin anew.
    Member(String),
    /// A line above the heading row: its cells' texts joined by one blank.
    Title(String),
    /// The headings, in file order, trimmed.
    Columns(Vec<String>),
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

/// Whoever is told. An error ends the decoding.
pub type Sink<'s> = dyn FnMut(Decoded<'_>) -> Result<(), Unreadable> + 's;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_at_the_index_of_their_column() {
        let of = |row: &RawRow| {
            let cells = row
                .cells()
                .map(|cell| cell.map(|cell| cell.text.to_owned()));
            cells.collect::<Vec<_>>()
        };
        let some = |text: &str| Some(text.to_owned());
        let mut row = RawRow::default();
        row.split("甲,,丙,", b',');
        assert_eq!(of(&row), [some("甲"), None, some("丙"), None]);
        row.drop_cell(0);
        row.truncate(3);
        assert_eq!(of(&row), [None, None, some("丙")]);
        assert_eq!((row.len(), row.longest(), row.shows_loss()), (3, 3, false));
        row.begin(7);
        assert_eq!((row.number, row.is_empty()), (7, true));
        row.split("甲,乙\u{fffd}", b',');
        assert!(row.shows_loss());
        row.begin(7);
        row.lay("<乙>12");
        row.mark(2, 5..7, true);
        row.mark(0, 1..1, false);
        assert_eq!(of(&row), [None, None, some("12")]);
        assert!(row.cell(2).is_some_and(|cell| cell.numeric));
        assert_eq!(
            [0, 1, 2, 3].map(|at| row.is_marked(at)),
            [true, false, true, false]
        );
        // Nothing that is no text becomes one, and nothing panics.
        row.mark(1, 2..5, false);
        row.mark(3, 6..9, false);
        assert_eq!((row.cell(1), row.cell(3), row.cell(4)), (None, None, None));
    }
}
