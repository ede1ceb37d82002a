//! A figure that changes on dated days, and the few sums with dates that the city needs.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A value with the days from which each holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps<T>(Vec<(Date, T)>);

impl<T> Default for Steps<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Steps<T> {
    /// Holds from the beginning of time.
    #[must_use]
    pub fn always(value: T) -> Self {
        Self(vec![(Date::MIN, value)])
    }

    /// The value on a day; `None` before the first.
    #[must_use]
    pub fn at(&self, day: Date) -> Option<&T> {
        self.0
            .iter()
            .rev()
            .find(|(from, _)| *from <= day)
            .map(|(_, value)| value)
    }

    /// The newest value.
    #[must_use]
    pub fn now(&self) -> Option<&T> {
        self.0.last().map(|(_, value)| value)
    }

    /// From `day` on it is `value`. Days come in order; a second value for one day replaces the first.
    pub fn set(&mut self, day: Date, value: T) {
        if self.now() == Some(&value) {
            return;
        }
        match self.0.last_mut() {
            Some((from, last)) if *from >= day => *last = value,
            _ => self.0.push((day, value)),
        }
    }

    /// The dated values, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &(Date, T)> {
        self.0.iter()
    }
}

impl Steps<u32> {
    /// The figure on a day; nobody before the first.
    #[must_use]
    pub fn heads(&self, day: Date) -> u32 {
        self.at(day).copied().unwrap_or(0)
    }
}

/// `n` days later; earlier when negative.
#[must_use]
pub fn plus_days(day: Date, n: i32) -> Date {
    day.saturating_add(n.days())
}

/// Days from `from` to `to`.
#[must_use]
pub fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

/// A number for a day, for streams of chance.
#[must_use]
pub fn ordinal(day: Date) -> u64 {
    u64::try_from(days_between(Date::ZERO, day)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_step_holds_from_its_day() {
        let mut steps = Steps::default();
        steps.set(date(2026, 3, 2), 4_u32);
        steps.set(date(2026, 3, 9), 6);
        steps.set(date(2026, 3, 9), 7);
        steps.set(date(2026, 3, 12), 7);
        let cases = [
            (date(2026, 3, 1), 0),
            (date(2026, 3, 2), 4),
            (date(2026, 3, 8), 4),
            (date(2026, 3, 9), 7),
            (date(2026, 4, 1), 7),
        ];
        for (day, heads) in cases {
            assert_eq!(steps.heads(day), heads, "{day}");
        }
        assert_eq!(steps.iter().count(), 2);
    }
}
