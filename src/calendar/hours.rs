//! Contact hours: when a firm may be called, texted or mailed.

use jiff::civil::{DateTime, Time};
use serde::Deserialize;

use crate::calendar::Calendar;

/// Windows of a working day, such as `["09:00-12:00", "14:30-18:00"]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct ContactHours {
    windows: Vec<(Time, Time)>,
}

/// More windows than this in a day are a slip.
const MOST_WINDOWS: usize = 8;

impl ContactHours {
    /// Whether this moment (Asia/Shanghai) lies in a window of a working day. A window's end does not belong to it.
    #[must_use]
    pub fn contains(&self, moment: DateTime, calendar: &Calendar) -> bool {
        let time = moment.time();
        calendar.is_working_day(moment.date())
            && self
                .windows
                .iter()
                .any(|(from, to)| *from <= time && time < *to)
    }
}

impl TryFrom<Vec<String>> for ContactHours {
    type Error = String;

    fn try_from(windows: Vec<String>) -> Result<Self, String> {
        if windows.is_empty() || windows.len() > MOST_WINDOWS {
            return Err(format!(
                "联系时段应有1至{MOST_WINDOWS}个；处理：写作 [\"09:00-12:00\", \"14:30-18:00\"]"
            ));
        }
        let mut read = windows
            .iter()
            .map(|text| window(text))
            .collect::<Result<Vec<_>, _>>()?;
        read.sort_unstable();
        if let Some(pair) = read.windows(2).find(|pair| pair[1].0 < pair[0].1) {
            return Err(format!("联系时段重叠：{}之前另一时段尚未结束", pair[1].0));
        }
        Ok(Self { windows: read })
    }
}

fn window(text: &str) -> Result<(Time, Time), String> {
    let (from, to) = text
        .split_once('-')
        .and_then(|(from, to)| Some((time(from)?, time(to)?)))
        .ok_or_else(|| format!("“{text}”不是时段；处理：写作 \"09:00-12:00\""))?;
    if from < to {
        Ok((from, to))
    } else {
        Err(format!("时段“{text}”没有长度：结束应晚于开始"))
    }
}

fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two = |part: &str| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<i8>().ok())
            .flatten()
    };
    Time::new(two(hour)?, two(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::tests::shipped;

    fn hours(windows: &[&str]) -> Result<ContactHours, String> {
        ContactHours::try_from(windows.iter().map(|&w| w.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn windows_are_half_open_and_only_on_working_days() {
        let custom = hours(&["14:30-18:00", "09:00-12:00"]).expect("two windows");
        for (moment, inside) in [
            ("2026-03-05T08:59:59", false),
            ("2026-03-05T09:00:00", true),
            ("2026-03-05T11:59:59", true),
            ("2026-03-05T12:00:00", false),
            ("2026-03-05T14:30:00", true),
            ("2026-03-05T18:00:00", false),
            // A Saturday, a worked Saturday, a holiday on a Monday.
            ("2026-03-07T10:00:00", false),
            ("2026-02-14T10:00:00", true),
            ("2026-02-16T10:00:00", false),
        ] {
            let at: DateTime = moment.parse().expect("a moment");
            assert_eq!(custom.contains(at, &shipped()), inside, "{moment}");
        }
    }

    #[test]
    fn wrong_windows_are_refused() {
        for windows in [
            &[][..],
            &["09:00"],
            &["9:00-12:00"],
            &["12:00-09:00"],
            &["09:00-09:00"],
            &["09:00-25:00"],
            &["09:00-12:00", "11:00-13:00"],
            &["x-y"],
            &["09:00-10:00"; 9],
        ] {
            assert!(hours(windows).is_err(), "{windows:?}");
        }
        assert!(hours(&["09:00-12:00", "12:00-13:00"]).is_ok());
    }
}
