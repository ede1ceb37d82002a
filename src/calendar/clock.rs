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
    /// The last day of the period that starts from `start`.
    #[must_use]
    pub fn deadline(&self, start: Date, calendar: &Calendar) -> Date {
        let _ = (start, calendar);
        todo!()
    }
}

/// `15个工作日`, `30日`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f;
        todo!()
    }
}
