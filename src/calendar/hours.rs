//! Contact hours: when a firm may be called, texted or mailed.

use jiff::civil::DateTime;
use serde::Deserialize;

use crate::calendar::Calendar;

/// Windows of a working day, such as `["09:00-12:00", "14:30-18:00"]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct ContactHours {
    windows: Vec<(jiff::civil::Time, jiff::civil::Time)>,
}

impl ContactHours {
    /// Whether this moment (Asia/Shanghai) lies in a window of a working day.
    #[must_use]
    pub fn contains(&self, moment: DateTime, calendar: &Calendar) -> bool {
        let _ = (&self.windows, moment, calendar);
        todo!()
    }
}

impl TryFrom<Vec<String>> for ContactHours {
    type Error = String;

    fn try_from(windows: Vec<String>) -> Result<Self, String> {
        let _ = windows;
        todo!()
    }
}
