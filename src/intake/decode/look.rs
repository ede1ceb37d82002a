//! How a stored number looks in its cell: spreadsheets store dates as numbers, and show codes with leading zeros
//! that they do not store.

use std::fmt::Write as _;

use calamine::{ExcelDateTime, ExcelDateTimeType};

use crate::adapter::row::Cell;
use crate::intake::decode::number::plain;

/// The serial that would be the year 10000.
const TOO_LATE: f64 = 2_958_466.0;

/// The most zeros a number format may ask for.
const MOST_DIGITS: usize = 32;

/// What a number format makes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A number; grouping, percent and currency signs do not change its value.
    Number,
    /// A date, perhaps with a time.
    Date,
    /// A whole number with at least so many digits: `000000` shows 42 as 000042.
    Digits(usize),
}

impl Look {
    /// The look of a format that every spreadsheet program knows by number.
    pub fn built_in(id: u16) -> Self {
        match id {
            // 27–36 and 50–58 are the dates of the East Asian versions.
            14..=22 | 27..=36 | 45 | 47 | 50..=58 => Self::Date,
            _ => Self::Number,
        }
    }

    /// The look of a format code, by its first section, the one for positive numbers.
    pub fn of_code(code: &str) -> Self {
        let zeros = code.bytes().filter(|byte| *byte == b'0').count();
        if zeros == code.len() && (2..=MOST_DIGITS).contains(&zeros) {
            return Self::Digits(zeros);
        }
        let mut characters = code.chars();
        let mut bracket: Option<String> = None;
        while let Some(c) = characters.next() {
            if let Some(inside) = &mut bracket {
                if c != ']' {
                    inside.push(c.to_ascii_lowercase());
                    continue;
                }
                // `[h]` counts hours: a duration, not a day.
                let elapsed = !inside.is_empty()
                    && inside.bytes().all(|byte| byte == inside.as_bytes()[0])
                    && inside.starts_with(['h', 'm', 's']);
                if elapsed {
                    return Self::Number;
                }
                bracket = None;
                continue;
            }
            match c {
                ';' => break,
                '\\' | '_' | '*' => {
                    characters.next();
                }
                '"' => while characters.next().is_some_and(|c| c != '"') {},
                '[' => bracket = Some(String::new()),
                'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' => return Self::Date,
                _ => {}
            }
        }
        Self::Number
    }

    /// The cell of a stored number. What has no day, a time or a duration, stays a number.
    pub fn cell(self, value: f64, is_1904: bool) -> Cell {
        let mut text = String::new();
        let numeric = self.show(value, is_1904, &mut text);
        Cell { text, numeric }
    }

    /// Writes a stored number as [`Self::cell`] has it, and returns whether it is a number still.
    pub fn show(self, value: f64, is_1904: bool, out: &mut String) -> bool {
        match self {
            Self::Date if (1.0..TOO_LATE).contains(&value) => {
                push_day(value, is_1904, out);
                return false;
            }
            Self::Digits(digits) if value >= 0.0 && value.fract() == 0.0 => {
                let _ = write!(out, "{:0>digits$}", plain(value));
            }
            _ => out.push_str(&plain(value)),
        }
        true
    }
}

/// A serial as `YYYY-MM-DD` by the workbook's own epoch, 1900 or 1904.
fn push_day(serial: f64, is_1904: bool, out: &mut String) {
    let (year, month, day, ..) =
        ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904).to_ymd_hms_milli();
    let _ = write!(out, "{year:04}-{month:02}-{day:02}");
}

/// A truth value as spreadsheets show it.
pub fn truth(value: bool) -> Cell {
    Cell {
        text: if value { "TRUE" } else { "FALSE" }.to_owned(),
        numeric: false,
    }
}

/// The cell of a calculation that failed. `#N/A` says that there is no value; any other fault stays as a person
/// sees it, for the mapping to find unreadable, which an empty cell would hide.
pub fn fault(shown: &str) -> Option<Cell> {
    (shown != "#N/A").then(|| Cell {
        text: shown.to_owned(),
        numeric: false,
    })
}

#[cfg(test)]
mod tests {
    use super::Look;

    #[test]
    fn formats_tell_dates_from_numbers() {
        for (code, look) in [
            ("General", Look::Number),
            ("@", Look::Number),
            ("0", Look::Number),
            ("0.00%", Look::Number),
            ("#,##0.00_);[Red](#,##0.00)", Look::Number),
            ("_ \"¥\"* #,##0.00_ ", Look::Number),
            ("[Red]0", Look::Number),
            ("0.00E+00", Look::Number),
            ("\"days\" 0", Look::Number),
            ("0\\d", Look::Number),
            ("[h]:mm", Look::Number),
            ("[ss]", Look::Number),
            ("0;[Red]-0;yyyy", Look::Number),
            ("yyyy-mm-dd", Look::Date),
            ("yyyy\"年\"m\"月\"d\"日\"", Look::Date),
            ("[$-804]yyyy\"年\"m\"月\";@", Look::Date),
            ("[DBNum1][$-804]yyyy\"年\"", Look::Date),
            ("M/D/YY h:mm", Look::Date),
            ("000000", Look::Digits(6)),
            ("", Look::Number),
        ] {
            assert_eq!(Look::of_code(code), look, "{code}");
        }
    }

    #[test]
    fn numbers_look_as_a_person_sees_them() {
        for (look, value, is_1904, text, numeric) in [
            (Look::Date, 45_017.0, false, "2023-04-01", false),
            (Look::Date, 45_017.75, false, "2023-04-01", false),
            (Look::Date, 43_555.0, true, "2023-04-01", false),
            (Look::Date, 1.0, false, "1900-01-01", false),
            (Look::Date, 61.0, false, "1900-03-01", false),
            (Look::Date, 0.5, false, "0.5", true),
            (Look::Date, -1.0, false, "-1", true),
            (Look::Date, 3e6, false, "3000000", true),
            (Look::Date, f64::NAN, false, "NaN", true),
            (Look::Digits(6), 42.0, false, "000042", true),
            (Look::Digits(6), -42.0, false, "-42", true),
            (Look::Digits(6), 1.5, false, "1.5", true),
            (Look::Number, 0.05, false, "0.05", true),
            (
                Look::Number,
                911_522_010_783_762_860.0,
                false,
                "9.115220107837628E17",
                true,
            ),
        ] {
            let cell = look.cell(value, is_1904);
            assert_eq!(
                (cell.text.as_str(), cell.numeric),
                (text, numeric),
                "{value}"
            );
        }
    }
}
