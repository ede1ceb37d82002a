//! Working days with 调休, legal clocks, contact hours. Pure: a day, a table, an answer.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

pub mod age;
pub mod clock;
pub mod hours;
pub mod shanghai;

/// One file of `config/calendar/`: the days of a State Council paper (国务院办公厅节假日安排) that deviate from the week.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarYear {
    /// The year of the paper; late-December days may stand in the next year's.
    pub year: i16,
    /// Title or number of the paper.
    pub paper: String,
    /// The holidays.
    pub holiday: Vec<Holiday>,
}

/// One holiday of a paper.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// 春节 …
    pub name: String,
    /// First day off.
    pub from: String,
    /// Last day off.
    pub to: String,
    /// Saturdays and Sundays that are worked for it (调休).
    #[serde(default)]
    pub workdays: Vec<String>,
}

/// All known papers together. A year without a paper falls back to the plain week, and [`Self::knows`] says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    days: BTreeMap<Date, bool>,
    years: Vec<i16>,
}

impl Calendar {
    /// Puts the papers together.
    ///
    /// # Errors
    /// What is wrong in which paper, in Chinese: a date that is none, an empty span, a day both off and worked.
    pub fn new(years: Vec<CalendarYear>) -> Result<Self, Vec<String>> {
        let _ = years;
        todo!()
    }

    /// Whether a paper of this year is known.
    #[must_use]
    pub fn knows(&self, year: i16) -> bool {
        self.years.contains(&year)
    }

    /// Whether people work on this day.
    #[must_use]
    pub fn is_working_day(&self, day: Date) -> bool {
        let _ = (&self.days, day);
        todo!()
    }

    /// The day itself when it is worked, else the next that is.
    #[must_use]
    pub fn working_day_from(&self, day: Date) -> Date {
        let _ = day;
        todo!()
    }

    /// `n` working days after `day`, which is not counted itself.
    #[must_use]
    pub fn plus_working_days(&self, day: Date, n: u32) -> Date {
        let _ = (day, n);
        todo!()
    }

    /// Working days after `from` up to and with `to`; 0 when `to` is not later.
    #[must_use]
    pub fn working_days_between(&self, from: Date, to: Date) -> u32 {
        let _ = (from, to);
        todo!()
    }

    /// Whether `day` is the `n`th working day of its month (1 is the first).
    #[must_use]
    pub fn is_nth_working_day(&self, day: Date, n: u32) -> bool {
        let _ = (day, n);
        todo!()
    }
}
