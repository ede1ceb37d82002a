//! How old a source may be.

use std::fmt;

use jiff::civil::Date;
use serde::Deserialize;

use crate::calendar::Calendar;
use crate::calendar::clock::DayCount;

/// Written `"40 days"` or `"3 working days"` in adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Age {
    /// How many days.
    pub n: u32,
    /// Counted how.
    pub unit: DayCount,
}

impl Age {
    /// Whether data that speak of `as_of` are too old on `today`.
    #[must_use]
    pub fn is_over(&self, as_of: Date, today: Date, calendar: &Calendar) -> bool {
        let _ = (as_of, today, calendar);
        todo!()
    }
}

impl TryFrom<String> for Age {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let _ = text;
        todo!()
    }
}

/// `40日`, `3个工作日`.
impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f;
        todo!()
    }
}
