//! Legal clocks: a period, how its days are counted, and the day it ends.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;

/// How the days of a period are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayCount {
    /// 工作日, with 调休.
    WorkingDays,
    /// 自然日; a last day that is no working day moves on to the next (民事诉讼法第八十五条).
    CalendarDays,
}

/// A period; the day it starts from is never counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// How many days.
    pub n: u32,
    /// Counted how.
    pub unit: DayCount,
}

impl Period {
    /// The last day of the period that starts from `start`. A period beyond the last day there is ends on that day.
    #[must_use]
    pub fn deadline(&self, start: Date, calendar: &Calendar) -> Date {
        match self.unit {
            DayCount::WorkingDays => calendar.plus_working_days(start, self.n),
            DayCount::CalendarDays => calendar.working_day_from(days_later(start, self.n)),
        }
    }
}

/// `15个工作日`, `30日`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.unit.write(self.n, f)
    }
}

impl DayCount {
    /// `15个工作日`, `30日`.
    pub(crate) fn write(self, n: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorkingDays => write!(f, "{n}个工作日"),
            Self::CalendarDays => write!(f, "{n}日"),
        }
    }
}

/// `n` calendar days after `day`, at most the last day there is.
pub(crate) fn days_later(day: Date, n: u32) -> Date {
    jiff::Span::new()
        .try_days(i64::from(n))
        .and_then(|span| day.checked_add(span))
        .unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::tests::shipped;

    fn check(from: &str, n: u32, unit: DayCount, wanted: &str) {
        let end = Period { n, unit }.deadline(from.parse().expect("a date"), &shipped());
        assert_eq!(end.to_string(), wanted, "{from} + {n}");
    }

    #[test]
    fn calendar_days_roll_to_the_next_working_day() {
        for (from, n, to) in [
            ("2026-09-16", 15, "2026-10-08"),
            ("2026-04-01", 30, "2026-05-06"),
            ("2026-01-18", 30, "2026-02-24"),
            // A Saturday that is worked.
            ("2026-01-30", 15, "2026-02-14"),
            ("2026-03-02", 15, "2026-03-17"),
        ] {
            check(from, n, DayCount::CalendarDays, to);
        }
    }

    #[test]
    fn working_days_end_on_a_working_day() {
        check("2026-09-24", 5, DayCount::WorkingDays, "2026-10-09");
        check("2026-02-13", 1, DayCount::WorkingDays, "2026-02-14");
    }

    #[test]
    fn a_period_beyond_all_time_ends_with_it() {
        for unit in [DayCount::CalendarDays, DayCount::WorkingDays] {
            let period = Period { n: u32::MAX, unit };
            let late = jiff::civil::date(9999, 12, 1);
            assert_eq!(period.deadline(late, &Calendar::default()), Date::MAX);
        }
    }

    #[test]
    fn a_period_reads_as_clerks_write_it() {
        let text = |n, unit| Period { n, unit }.to_string();
        assert_eq!(text(15, DayCount::WorkingDays), "15个工作日");
        assert_eq!(text(30, DayCount::CalendarDays), "30日");
    }
}
