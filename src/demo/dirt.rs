//! Everyday dirt. Which cell is touched, and how, is fixed for each firm and field, so that yesterday's dirt is there today too.

use std::borrow::Cow;

use jiff::civil::Date;

use crate::demo::chance::fixed;
use crate::demo::options::Options;

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

    /// How many rows of a kind that comes once or more in each file of `rows` rows.
    #[must_use]
    pub fn rows(self, rows: usize, per_mille: usize) -> usize {
        match usize::try_from(self.factor) {
            Ok(0) | Err(_) => 0,
            Ok(factor) => (rows * per_mille * factor / 1000).max(factor),
        }
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
