//! How old a source may be.

use std::fmt;

use jiff::civil::Date;
use serde::Deserialize;

use crate::calendar::Calendar;
use crate::calendar::clock::{DayCount, days_later};

/// Written `"40 days"` or `"3 working days"` in adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Age {
    /// How many days.
    pub n: u32,
    /// Counted how.
    pub unit: DayCount,
}

/// No source is worth using when it is ten years old: a larger figure is a slip.
const MOST_DAYS: u32 = 3_660;

impl Age {
    /// Whether data that speak of `as_of` are too old on `today`: on the last day of the age they are not yet.
    #[must_use]
    pub fn is_over(&self, as_of: Date, today: Date, calendar: &Calendar) -> bool {
        today > self.last_day(as_of, calendar)
    }

    /// The last day of the age that begins on `from`.
    #[must_use]
    pub fn last_day(&self, from: Date, calendar: &Calendar) -> Date {
        match self.unit {
            DayCount::CalendarDays => days_later(from, self.n),
            DayCount::WorkingDays => calendar.plus_working_days(from, self.n),
        }
    }
}

impl TryFrom<String> for Age {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let n = words.next().and_then(|n| n.parse::<u32>().ok());
        let unit = match words.collect::<Vec<_>>().as_slice() {
            ["day" | "days"] => Some(DayCount::CalendarDays),
            ["working", "day" | "days"] => Some(DayCount::WorkingDays),
            _ => None,
        };
        let (Some(n), Some(unit)) = (n, unit) else {
            return Err(format!(
                "“{text}”不是时效；处理：写作 \"40 days\"（自然日）或 \"3 working days\"（工作日）"
            ));
        };
        if n == 0 || n > MOST_DAYS {
            return Err(format!("时效“{text}”应在1至{MOST_DAYS}日之间"));
        }
        Ok(Self { n, unit })
    }
}

/// `40日`, `3个工作日`.
impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.unit.write(self.n, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::tests::shipped;

    fn age(text: &str) -> Result<Age, String> {
        Age::try_from(text.to_owned())
    }

    #[test]
    fn an_age_is_read_and_shown() {
        for (text, shown) in [
            ("40 days", "40日"),
            ("1 day", "1日"),
            ("3 working days", "3个工作日"),
            (" 1  working day ", "1个工作日"),
        ] {
            assert_eq!(age(text).expect(text).to_string(), shown);
        }
        for text in [
            "",
            "40",
            "days",
            "-1 days",
            "0 days",
            "4000 days",
            "3 weeks",
            "3 working",
            "3 days ago",
        ] {
            assert!(age(text).is_err(), "{text}");
        }
    }

    #[test]
    fn data_are_too_old_only_after_the_last_day() {
        for (text, as_of, today, over) in [
            ("40 days", "2026-01-01", "2026-02-10", false),
            ("40 days", "2026-01-01", "2026-02-11", true),
            ("3 working days", "2026-09-30", "2026-10-10", false),
            ("3 working days", "2026-09-30", "2026-10-11", true),
            ("1 day", "2026-05-05", "2026-05-01", false),
        ] {
            let got = age(text).expect(text).is_over(
                as_of.parse().expect("a date"),
                today.parse().expect("a date"),
                &shipped(),
            );
            assert_eq!(got, over, "{text} {as_of} {today}");
        }
    }
}
