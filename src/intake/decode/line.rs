//! A line of a sheet while it is read: only its filled cells, all in one text, so that a line costs no memory of its own when the
//! same is used for the next, and a cell in the far corner costs one place.

use crate::adapter::limits::Limits;
use crate::adapter::row::{Cell, RawRow};

/// A filled cell: where it stands, and where its text lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    column: u32,
    start: usize,
    end: usize,
    numeric: bool,
}

/// The filled cells of one line, from left to right.
#[derive(Debug)]
pub struct Line {
    text: String,
    places: Vec<Place>,
    /// Where the text of the cell at hand begins.
    open: usize,
    numeric: bool,
    most_cells: usize,
    most_bytes: usize,
}

impl Line {
    /// An empty line. Of a longer one than the limits allow as many cells are kept as show that it is too long, and of a longer
    /// cell as many bytes.
    pub fn new(limits: &Limits) -> Self {
        Self {
            text: String::new(),
            places: Vec::new(),
            open: 0,
            numeric: false,
            most_cells: limits.columns.saturating_add(1),
            most_bytes: limits.cell_bytes.saturating_add(1),
        }
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.text.clear();
        self.places.clear();
        self.open = 0;
    }

    /// Begins the next cell, empty so far.
    pub fn begin_cell(&mut self) {
        self.open = self.text.len();
        self.numeric = false;
    }

    /// Gives the cell at hand a value instead of the one it has.
    pub fn set(&mut self, value: &str, numeric: bool) {
        self.text.truncate(self.open);
        let mut end = value.len().min(self.most_bytes);
        while !value.is_char_boundary(end) {
            end += 1;
        }
        self.text.push_str(&value[..end]);
        self.numeric = numeric;
    }

    /// Has the cell at hand written instead of the value it has; the writer appends, and says whether it is a number.
    pub fn write(&mut self, writer: impl FnOnce(&mut String) -> bool) {
        self.text.truncate(self.open);
        self.numeric = writer(&mut self.text);
    }

    /// Ends the cell at hand. False when one stands in its column or further right already.
    pub fn end_cell(&mut self, column: u32) -> bool {
        if self.text.len() == self.open {
            return true;
        }
        if (self.places.last()).is_some_and(|before| before.column >= column) {
            return false;
        }
        if self.places.len() < self.most_cells {
            self.places.push(Place {
                column,
                start: self.open,
                end: self.text.len(),
                numeric: self.numeric,
            });
        } else {
            self.text.truncate(self.open);
        }
        true
    }

    /// Whether any cell satisfies this.
    pub fn any(&self, is: impl Fn(&str) -> bool) -> bool {
        (self.places.iter()).any(|place| is(&self.text[place.start..place.end]))
    }

    /// Whether all cells stand in the first `width` columns, none of them longer than `bytes`.
    pub fn fits(&self, width: usize, bytes: usize) -> bool {
        (self.places.last()).is_none_or(|last| (last.column as usize) < width)
            && (self.places.iter()).all(|place| place.end - place.start <= bytes)
    }

    /// Lays the cells on the first `width` columns of a row; the others are left out.
    pub fn lay(&self, row: &mut RawRow, width: usize) {
        row.lay(&self.text);
        for place in &self.places {
            if (place.column as usize) < width {
                row.mark(place.column as usize, place.start..place.end, place.numeric);
            }
        }
        if row.len() < width {
            row.mark(width - 1, 0..0, false);
        }
    }

    /// The cells by themselves, with their columns.
    pub fn cells(&self) -> Vec<(usize, Cell)> {
        let cell = |place: &Place| {
            let text = self.text[place.start..place.end].to_owned();
            let numeric = place.numeric;
            (place.column as usize, Cell { text, numeric })
        };
        self.places.iter().map(cell).collect()
    }
}

/// A row of a sheet.
#[derive(Debug)]
pub struct Row {
    /// Its row, counted from 0.
    pub at: u32,
    /// Whether it is hidden.
    pub hidden: bool,
    /// Its first column whose formula has no result.
    pub uncalculated: Option<u32>,
    /// Its cells.
    pub line: Line,
}

#[cfg(test)]
mod tests {
    use super::Line;
    use crate::adapter::limits::Limits;
    use crate::adapter::row::RawRow;

    fn line(cells: &[(u32, &str, bool)]) -> (Line, Vec<bool>) {
        let mut line = Line::new(&Limits {
            columns: 3,
            cell_bytes: 8,
            ..Limits::default()
        });
        let taken = (cells.iter()).map(|(column, text, numeric)| {
            line.begin_cell();
            line.set("lost", false);
            line.set(text, *numeric);
            line.end_cell(*column)
        });
        let taken = taken.collect();
        (line, taken)
    }

    #[test]
    fn filled_cells_are_kept_in_order() {
        let (line, taken) = line(&[(1, "甲", false), (2, "", false), (4, "7", true)]);
        assert_eq!(taken, [true, true, true]);
        let cells = line.cells();
        let cells: Vec<_> = (cells.iter())
            .map(|(at, cell)| (*at, cell.text.as_str(), cell.numeric))
            .collect();
        assert_eq!(cells, [(1, "甲", false), (4, "7", true)]);
        assert!(line.fits(5, 3) && !line.fits(4, 3) && !line.fits(5, 2));
        let mut row = RawRow::default();
        row.begin(9);
        line.lay(&mut row, 6);
        let texts: Vec<_> = row
            .cells()
            .map(|cell| cell.map_or("-", |cell| cell.text))
            .collect();
        assert_eq!(texts, ["-", "甲", "-", "-", "7", "-"]);
        row.begin(10);
        line.lay(&mut row, 2);
        assert_eq!(
            (row.len(), row.cell(1).map(|cell| cell.text)),
            (2, Some("甲"))
        );
    }

    #[test]
    fn what_is_out_of_order_or_beyond_the_limits_is_told() {
        assert_eq!(line(&[(1, "a", false), (1, "b", false)]).1, [true, false]);
        assert_eq!(line(&[(2, "a", false), (1, "b", false)]).1, [true, false]);
        let many: Vec<_> = (0..9).map(|at| (at, "x", false)).collect();
        assert_eq!(line(&many).0.cells().len(), 4);
        let (long, _) = line(&[(0, "南阳市宛城区", false)]);
        assert_eq!(long.cells()[0].1.text, "南阳市");
        assert!(!long.fits(1, 8));
    }
}
