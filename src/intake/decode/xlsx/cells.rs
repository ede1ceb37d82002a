//! The cells of a sheet, put into lines as they come.

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::line::{Line, Row};
use crate::intake::decode::look::Look;
use crate::intake::decode::number::is_plain;
use crate::intake::decode::sheets::{SHEET_COLUMNS, SHEET_ROWS};
use crate::intake::decode::workbook::damaged;
use crate::intake::decode::xlsx::rich::unescaped;
use crate::intake::decode::xlsx::strings::Strings;

/// What the cells of all sheets of a workbook hang on.
#[derive(Debug, Default)]
pub struct Workbook {
    /// The strings they share.
    pub strings: Strings,
    /// How each style shows numbers.
    pub looks: Vec<Look>,
    /// Whether days count from 1904.
    pub is_1904: bool,
}

/// How the value of a cell is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number.
    Number,
    /// A number, or a text where it is none.
    Untyped,
    /// The number of a shared string.
    Shared,
    /// The text that a formula gave.
    Text,
    /// A text inside the cell, which is no value.
    Inline,
    /// A truth value.
    Truth,
    /// An error.
    Fault,
    /// A day as ISO 8601 writes it.
    Day,
    /// What is not known.
    Unknown,
}

impl Kind {
    /// By the name that the format gives it; without one.
    pub fn of(name: Option<&str>) -> Self {
        match name {
            None => Self::Untyped,
            Some("n") => Self::Number,
            Some("s") => Self::Shared,
            Some("str") => Self::Text,
            Some("inlineStr" | "is") => Self::Inline,
            Some("b") => Self::Truth,
            Some("e") => Self::Fault,
            Some("d") => Self::Day,
            Some(_) => Self::Unknown,
        }
    }
}

/// Whoever takes the rows, in order.
pub type Take<'t> = dyn FnMut(&mut Row) -> Result<(), Unreadable> + 't;

#[allow(
    clippy::struct_excessive_bools,
    reason = "what the cell at hand was found to be"
)]
/// The cells of one sheet. A row is handed on when a cell of a later one comes.
pub struct Cells<'w> {
    workbook: &'w Workbook,
    row: u32,
    column: u32,
    hidden: bool,
    /// The row of the last cell; the line at hand is its as long as it is pending.
    last: Option<u32>,
    pending: bool,
    out: Row,
    kind: Kind,
    look: Look,
    formula: bool,
    value: bool,
    /// Whether any cell had a value.
    pub filled: bool,
}

impl<'w> Cells<'w> {
    /// No cell seen yet.
    pub fn new(workbook: &'w Workbook, limits: &Limits) -> Self {
        Self {
            workbook,
            row: 0,
            column: 0,
            hidden: false,
            last: None,
            pending: false,
            out: Row {
                at: 0,
                hidden: false,
                uncalculated: None,
                line: Line::new(limits),
            },
            kind: Kind::Untyped,
            look: Look::Number,
            formula: false,
            value: false,
            filled: false,
        }
    }

    /// Begins a row; `number` counts from 1, the next row without it.
    pub fn begin_row(&mut self, number: Option<u32>, hidden: bool) -> Result<(), Unreadable> {
        if let Some(number) = number {
            self.row = number.checked_sub(1).ok_or_else(damaged)?;
        }
        self.hidden = hidden;
        if self.row < SHEET_ROWS {
            Ok(())
        } else {
            Err(damaged())
        }
    }

    /// Ends a row.
    pub fn end_row(&mut self) {
        self.row += 1;
        self.column = 0;
    }

    /// Begins a cell at its place, row and column counted from 0; right of the one before without it.
    pub fn begin_cell(
        &mut self,
        place: Option<(u32, u32)>,
        style: usize,
        kind: Kind,
        take: &mut Take<'_>,
    ) -> Result<(), Unreadable> {
        if let Some((row, column)) = place {
            (self.row, self.column) = (row, column);
        }
        if self.row >= SHEET_ROWS || self.column >= SHEET_COLUMNS {
            return Err(damaged());
        }
        if !self.pending || self.last != Some(self.row) {
            if self.last.is_some_and(|last| self.row < last) {
                return Err(damaged());
            }
            self.flush(take)?;
            self.last = Some(self.row);
            self.pending = true;
            self.out.at = self.row;
            self.out.hidden = false;
            self.out.uncalculated = None;
        }
        self.out.hidden |= self.hidden;
        self.out.line.begin_cell();
        (self.formula, self.value) = (false, false);
        self.kind = kind;
        self.look = (self.workbook.looks.get(style)).map_or(Look::Number, |look| *look);
        Ok(())
    }

    /// The cell at hand has a formula.
    pub fn formula(&mut self) {
        self.formula = true;
    }

    /// The cell at hand holds a text.
    pub fn inline(&mut self, text: &str) {
        self.value = true;
        self.out.line.set(text, false);
    }

    /// The cell at hand has a value.
    pub fn value(&mut self, text: &str) -> Result<(), Unreadable> {
        self.value = true;
        let line = &mut self.out.line;
        match self.kind {
            Kind::Inline => {}
            Kind::Unknown => return Err(damaged()),
            _ if text.is_empty() => line.set("", false),
            Kind::Shared => {
                let number = text.trim().parse().map_err(|_| damaged())?;
                line.set(
                    self.workbook.strings.get(number).ok_or_else(damaged)?,
                    false,
                );
            }
            Kind::Number | Kind::Untyped => self.number(text)?,
            Kind::Text => line.set(&unescaped(text), false),
            Kind::Truth => match text.trim() {
                "" => line.set("", false),
                "0" => line.set("FALSE", false),
                "1" => line.set("TRUE", false),
                text if text.eq_ignore_ascii_case("false") => line.set("FALSE", false),
                text if text.eq_ignore_ascii_case("true") => line.set("TRUE", false),
                _ => return Err(damaged()),
            },
            // `#N/A` says that there is no value.
            Kind::Fault => line.set(if text == "#N/A" { "" } else { text }, false),
            Kind::Day => line.set(text.split_once('T').map_or(text, |(day, _)| day), false),
        }
        Ok(())
    }

    fn number(&mut self, text: &str) -> Result<(), Unreadable> {
        let line = &mut self.out.line;
        if self.look == Look::Number && is_plain(text) {
            line.set(text, true);
            return Ok(());
        }
        match text.parse::<f64>() {
            Ok(value) => line.write(|out| self.look.show(value, self.workbook.is_1904, out)),
            Err(_) if self.kind == Kind::Untyped => line.set(text, false),
            Err(_) => return Err(damaged()),
        }
        Ok(())
    }

    /// Ends the cell at hand.
    pub fn end_cell(&mut self) -> Result<(), Unreadable> {
        if self.formula && !self.value {
            // One is enough to set the row aside.
            self.out.uncalculated.get_or_insert(self.column);
        }
        self.filled |= self.value;
        if !self.out.line.end_cell(self.column) {
            return Err(damaged());
        }
        self.column += 1;
        Ok(())
    }

    /// Hands on the row at hand.
    pub fn flush(&mut self, take: &mut Take<'_>) -> Result<(), Unreadable> {
        if std::mem::take(&mut self.pending) {
            take(&mut self.out)?;
            self.out.line.clear();
        }
        Ok(())
    }

    /// Tries to read a whole row, which is undone when it cannot be read so. The row must come behind the last cell, or it is not
    /// tried. An error is the taker's, of the row before.
    pub fn attempt(
        &mut self,
        number: Option<u32>,
        hidden: bool,
        take: &mut Take<'_>,
        read: impl FnOnce(&mut Self) -> Option<()>,
    ) -> Result<bool, Unreadable> {
        let row = number.map_or(Some(self.row), |number| number.checked_sub(1));
        let Some(row) = row.filter(|row| {
            *row < SHEET_ROWS && self.last.is_none_or(|last| last < *row) && self.column == 0
        }) else {
            return Ok(false);
        };
        self.flush(take)?;
        let before = (self.row, self.hidden, self.last, self.filled);
        (self.row, self.hidden) = (row, hidden);
        if read(self).is_some() {
            self.end_row();
            return Ok(true);
        }
        (self.row, self.hidden, self.last, self.filled) = before;
        self.column = 0;
        self.pending = false;
        self.out.line.clear();
        Ok(false)
    }

    /// The row at hand, counted from 0.
    pub fn row(&self) -> u32 {
        self.row
    }
}

/// Row and column of a cell's name such as `B7`, counted from 0.
pub fn place(name: &str) -> Option<(u32, u32)> {
    let name = name.as_bytes();
    let letters = (name.iter())
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let (letters, digits) = name.split_at(letters);
    if !(1..=3).contains(&letters.len()) || !(1..=7).contains(&digits.len()) {
        return None;
    }
    let column = letters.iter().fold(0, |column, byte| {
        column * 26 + u32::from(byte.to_ascii_uppercase() - b'A') + 1
    });
    let row = digits.iter().try_fold(0_u32, |row, byte| {
        byte.is_ascii_digit()
            .then(|| row * 10 + u32::from(byte - b'0'))
    })?;
    Some((row.checked_sub(1)?, column - 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::place;

    fn name(row: u32, column: u32) -> String {
        let mut letters = String::new();
        let mut rest = column + 1;
        while rest > 0 {
            let digit = u8::try_from((rest - 1) % 26).expect("a letter");
            letters.insert(0, char::from(b'A' + digit));
            rest = (rest - 1) / 26;
        }
        format!("{letters}{}", row + 1)
    }

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

    proptest! {
        #[test]
        fn places_have_names(row in 0..1_048_576_u32, column in 0..16_384_u32) {
            prop_assert_eq!(place(&name(row, column)), Some((row, column)));
        }
    }
}
