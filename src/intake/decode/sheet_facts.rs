//! What a sheet of an XLSX workbook says beside its cells' values.

use quick_xml::events::{BytesStart, Event};

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::merges::{self, Merge};
use crate::intake::decode::sheets::{SHEET_COLUMNS, SHEET_ROWS};
use crate::intake::decode::workbook::{attributes, damaged};

/// Ranges of rows or columns, first and last, counted from 0.
pub type Ranges = Vec<(u32, u32)>;

/// What a sheet says beside its cells' values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Hidden rows, in order.
    pub hidden_rows: Ranges,
    /// Hidden columns.
    pub hidden_columns: Ranges,
    /// Merged areas.
    pub merges: Vec<Merge>,
    /// Cells with a formula and no result: runs down a column, as filled-down formulas are (first row, last row,
    /// column), in the order of their first rows.
    pub uncalculated: Vec<(u32, u32, u32)>,
    /// Whether it has a cell with a value.
    pub filled: bool,
}

impl Facts {
    /// Whether the row is hidden; rows must be asked for in order, `at` remembers the place between two questions.
    pub fn is_hidden(&self, row: u32, at: &mut usize) -> bool {
        while self
            .hidden_rows
            .get(*at)
            .is_some_and(|(_, last)| *last < row)
        {
            *at += 1;
        }
        self.hidden_rows
            .get(*at)
            .is_some_and(|(first, _)| *first <= row)
    }

    /// A column of the row whose formula has no result; asked like [`Self::is_hidden`].
    pub fn uncalculated_in(&self, row: u32, at: &mut usize) -> Option<u32> {
        while self
            .uncalculated
            .get(*at)
            .is_some_and(|(_, last, _)| *last < row)
        {
            *at += 1;
        }
        self.uncalculated
            .get(*at)
            .filter(|(first, _, _)| *first <= row)
            .map(|(_, _, column)| *column)
    }
}

/// Collects the facts token by token.
pub struct SheetLook {
    facts: Facts,
    row: u32,
    column: u32,
    formula: bool,
    value: bool,
    merges_left: usize,
}

impl SheetLook {
    /// Nothing seen yet; so many merged areas may come.
    pub fn new(merges_left: usize) -> Self {
        Self {
            facts: Facts::default(),
            row: 0,
            column: 0,
            formula: false,
            value: false,
            merges_left,
        }
    }

    /// What was seen.
    pub fn into_facts(self) -> Facts {
        self.facts
    }

    /// Takes a token. A place outside the greatest sheet refuses the workbook: the reader counts on without a check.
    pub fn see(&mut self, event: &Event<'_>, limits: &Limits) -> Result<(), Unreadable> {
        match event {
            Event::Start(start) => self.open(start, limits),
            Event::Empty(start) => {
                self.open(start, limits)?;
                self.close(start.local_name().as_ref());
                Ok(())
            }
            Event::End(end) => {
                self.close(end.local_name().as_ref());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, limits: &Limits) -> Result<(), Unreadable> {
        match start.local_name().as_ref() {
            "row" => {
                let [r, hidden] = attributes(start, ["r", "hidden"])?;
                if let Some(r) = r {
                    let row: u32 = r.parse().map_err(|_| damaged())?;
                    self.row = row.checked_sub(1).ok_or_else(damaged)?;
                }
                if self.row >= SHEET_ROWS {
                    return Err(damaged());
                }
                if is_on(hidden.as_deref()) {
                    extend(&mut self.facts.hidden_rows, self.row, self.row);
                }
            }
            "c" => {
                let [r] = attributes(start, ["r"])?;
                if let Some(r) = r {
                    (self.row, self.column) = place(&r).ok_or_else(damaged)?;
                }
                if self.row >= SHEET_ROWS || self.column >= SHEET_COLUMNS {
                    return Err(damaged());
                }
                (self.formula, self.value) = (false, false);
            }
            "f" => self.formula = true,
            "v" | "is" => self.value = true,
            "col" => {
                let [min, max, hidden] = attributes(start, ["min", "max", "hidden"])?;
                let number = |text: Option<String>| text.and_then(|text| text.parse::<u32>().ok());
                if let (true, Some(min), Some(max)) =
                    (is_on(hidden.as_deref()), number(min), number(max))
                    && (1..=SHEET_COLUMNS).contains(&min)
                {
                    extend(
                        &mut self.facts.hidden_columns,
                        min - 1,
                        max.saturating_sub(1),
                    );
                }
            }
            "mergeCell" => {
                let [range] = attributes(start, ["ref"])?;
                self.merge(range.as_deref().unwrap_or_default(), limits)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn merge(&mut self, range: &str, limits: &Limits) -> Result<(), Unreadable> {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let (first, last) = place(first).zip(place(last)).ok_or_else(damaged)?;
        self.merges_left = self
            .merges_left
            .checked_sub(1)
            .ok_or_else(|| merges::too_many(limits))?;
        self.facts.merges.push(Merge {
            first_row: first.0,
            first_column: first.1,
            last_row: last.0,
            last_column: last.1.min(SHEET_COLUMNS - 1),
        });
        Ok(())
    }

    fn close(&mut self, name: &str) {
        match name {
            "row" => {
                self.row += 1;
                self.column = 0;
            }
            "c" => {
                self.facts.filled |= self.value;
                if self.formula && !self.value {
                    self.uncalculated();
                }
                self.column += 1;
            }
            _ => {}
        }
    }

    /// One cell of a row is enough to set the row aside, so that runs down a column, which is how formulas are filled
    /// in, keep the list short.
    fn uncalculated(&mut self) {
        let (row, column) = (self.row, self.column);
        match self.facts.uncalculated.last_mut() {
            Some((_, last, _)) if *last == row => {}
            Some((_, last, run)) if *last + 1 == row && *run == column => *last = row,
            _ => self.facts.uncalculated.push((row, row, column)),
        }
    }
}

/// Adds a range, joined to the last one where it follows it.
pub fn extend(ranges: &mut Ranges, first: u32, last: u32) {
    match ranges.last_mut() {
        Some((_, end)) if *end + 1 == first => *end = last,
        _ => ranges.push((first, last)),
    }
}

fn is_on(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true" | "on"))
}

/// Row and column of a cell's name such as `B7`, counted from 0.
fn place(name: &str) -> Option<(u32, u32)> {
    let name = name.as_bytes();
    let letters = name
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let (letters, digits) = name.split_at(letters);
    if !(1..=3).contains(&letters.len()) || !(1..=7).contains(&digits.len()) {
        return None;
    }
    let column = letters.iter().fold(0, |column, byte| {
        column * 26 + u32::from(byte.to_ascii_uppercase() - b'A') + 1
    });
    let row: u32 = digits
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| std::str::from_utf8(digits).ok()?.parse().ok())??;
    Some((row.checked_sub(1)?, column - 1))
}

#[cfg(test)]
mod tests {
    use super::{Facts, extend, place};

    #[test]
    fn names_of_cells_are_places() {
        for (name, expected) in [
            ("A1", Some((0, 0))),
            ("z2", Some((1, 25))),
            ("AA10", Some((9, 26))),
            ("XFD1048576", Some((1_048_575, 16_383))),
            ("A0", None),
            ("1", None),
            ("A", None),
            ("AAAA1", None),
            ("A99999999", None),
            ("A1B", None),
            ("A+1", None),
            ("", None),
            ("名1", None),
        ] {
            assert_eq!(place(name), expected, "{name}");
        }
    }

    #[test]
    fn hidden_rows_are_ranges() {
        let mut facts = Facts::default();
        for row in [2, 3, 4, 9] {
            extend(&mut facts.hidden_rows, row, row);
        }
        assert_eq!(facts.hidden_rows, [(2, 4), (9, 9)]);
        let mut at = 0;
        let hidden: Vec<u32> = (0..12)
            .filter(|row| facts.is_hidden(*row, &mut at))
            .collect();
        assert_eq!(hidden, [2, 3, 4, 9]);
    }
}
