//! Everyday dirt. Which cell is touched, and how, is fixed for each firm and field, so that yesterday's dirt is there today too.

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::AddAssign;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::demo::chance::fixed;
use crate::demo::options::Options;

/// Rows that were written, and those of them in which at least one cell is not as agreed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Rows.
    pub rows: u64,
    /// Of these touched.
    pub touched: u64,
}

impl Tally {
    /// One more row.
    pub fn count(&mut self, touched: bool) {
        self.rows += 1;
        self.touched += u64::from(touched);
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.touched += other.touched;
    }
}

/// What a department wrote, with the count of its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written<T> {
    /// The file, or its rows.
    pub content: T,
    /// Its rows.
    pub tally: Tally,
}

/// Decides which cells are touched.
#[derive(Debug, Clone, Copy)]
pub struct Smudge {
    seed: u64,
    factor: u64,
}

impl Smudge {
    /// The dirt of one department.
    #[must_use]
    pub fn new(options: &Options, department: u64) -> Self {
        Self {
            seed: options.seed ^ department.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            factor: options.dirt.factor(),
        }
    }

    /// Whether there is any dirt.
    #[must_use]
    pub fn is_clean(self) -> bool {
        self.factor == 0
    }

    /// Touches `per_mille` of 1,000 cells (times the amount of dirt); the number tells how.
    #[must_use]
    pub fn touch(self, subject: u64, cell: u64, per_mille: u64) -> Option<u64> {
        let chance = fixed(self.seed, subject, cell);
        (chance % 1000 < per_mille * self.factor).then_some(chance / 1000)
    }

    /// What happens to a cell of several things that may: each has its parts of 100,000 (times the amount of dirt), and at most
    /// one happens. The number tells how.
    #[must_use]
    pub fn one_of<K: Copy>(self, subject: u64, cell: u64, kinds: &[(u64, K)]) -> Option<(K, u64)> {
        let chance = fixed(self.seed, subject, cell);
        let mut at = chance % 100_000;
        for (parts, kind) in kinds {
            let parts = parts * self.factor;
            if at < parts {
                return Some((*kind, chance / 100_000));
            }
            at -= parts;
        }
        None
    }

    /// How many rows of a kind that comes once or more in each file of `rows` rows.
    #[must_use]
    pub fn rows(self, rows: usize, per_mille: usize) -> usize {
        match usize::try_from(self.factor) {
            Ok(0) | Err(_) => 0,
            Ok(factor) => (rows * per_mille * factor / 1000).max(factor),
        }
    }

    /// A row of this department about a subject.
    #[must_use]
    pub fn row(self, subject: u64) -> Row {
        Row {
            smudge: self,
            subject,
            touched: Cell::new(false),
        }
    }
}

/// One row while it is written: it remembers whether any of its cells came out other than agreed.
#[derive(Debug)]
pub struct Row {
    smudge: Smudge,
    subject: u64,
    touched: Cell<bool>,
}

impl Row {
    /// As [`Smudge::touch`].
    #[must_use]
    pub fn touch(&self, cell: u64, per_mille: u64) -> Option<u64> {
        self.smudge.touch(self.subject, cell, per_mille)
    }

    /// A cell as it comes out, beside what was agreed.
    pub fn cell<T: PartialEq>(&self, agreed: &T, out: T) -> T {
        self.note(*agreed != out);
        out
    }

    /// A text as it comes out, beside what was agreed.
    pub fn text<'a>(&self, agreed: &str, out: Cow<'a, str>) -> Cow<'a, str> {
        self.note(agreed != out);
        out
    }

    /// Remembers that a cell was touched.
    pub fn note(&self, touched: bool) {
        self.touched.set(self.touched.get() || touched);
    }

    /// Whether any cell was.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        self.touched.get()
    }
}

/// An identifier as careless hands write it.
#[must_use]
pub fn code(code: &str, how: Option<u64>) -> Cow<'_, str> {
    let Some(how) = how else {
        return Cow::Borrowed(code);
    };
    Cow::Owned(match how % 7 {
        0 => wide(code),
        1 => code.to_ascii_lowercase(),
        2 => format!("{code} "),
        3 => format!("{code}\u{a0}"),
        4 => format!("\u{3000}{code}"),
        5 => format!("'{code}"),
        _ => format!(
            "{} {}",
            &code[..2.min(code.len())],
            &code[2.min(code.len())..]
        ),
    })
}

/// Digits and capitals in full width.
#[must_use]
pub fn wide(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '!'..='~' => char::from_u32(c as u32 + 0xFEE0).unwrap_or(c),
            other => other,
        })
        .collect()
}

/// A name with the other brackets, or with blanks around it.
#[must_use]
pub fn name(name: &str, how: Option<u64>) -> Cow<'_, str> {
    let Some(how) = how else {
        return Cow::Borrowed(name);
    };
    Cow::Owned(match how % 4 {
        0 | 1 if name.contains('（') => name.replace('（', "(").replace('）', ")"),
        2 => format!(" {name}"),
        _ => format!("{name}\u{3000}"),
    })
}

/// A date in one of the shapes that departments use; plain ISO when untouched.
#[must_use]
pub fn date(day: Date, how: Option<u64>) -> String {
    let (year, month, date) = (day.year(), day.month(), day.day());
    match how.map(|how| how % 5) {
        None => day.to_string(),
        Some(0) => format!("{year}/{month}/{date}"),
        Some(1) => format!("{year:04}{month:02}{date:02}"),
        Some(2) => format!("{year}年{month}月{date}日"),
        Some(3) => format!("{day} 00:00:00"),
        Some(_) => format!("{year}.{month}.{date}"),
    }
}

/// A whole number with full-width digits, a blank or separators.
#[must_use]
pub fn number(number: u64, how: Option<u64>) -> String {
    match how.map(|how| how % 3) {
        None => number.to_string(),
        Some(0) => wide(&number.to_string()),
        Some(1) => format!("{number} "),
        Some(_) => grouped(number),
    }
}

/// `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::normal;

    #[test]
    fn dirty_codes_are_the_same_codes() {
        let clean = "91411302MA4EAJAFXR";
        for how in 0..7 {
            let dirty = code(clean, Some(how));
            assert_ne!(dirty, clean);
            assert_eq!(normal(&dirty), clean, "{how}");
        }
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (n, text) in [
            (7, "7"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(n), text);
        }
    }
}
