//! Stored times are UTC; decisions are made in Asia/Shanghai.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// UTC+8, without summer time since 1991.
#[must_use]
pub fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

/// What the clock on the wall shows.
#[must_use]
pub fn civil(at: Timestamp) -> DateTime {
    zone().to_datetime(at)
}

/// The instant at which the clock on the wall shows this; at the edges of representable time, the edge.
#[must_use]
pub fn instant(at: DateTime) -> Timestamp {
    let edge = if at.year() < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    zone().to_timestamp(at).unwrap_or(edge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_is_eight_hours_ahead() {
        let at: Timestamp = "2026-03-05T16:30:00Z".parse().expect("an instant");
        assert_eq!(civil(at).to_string(), "2026-03-06T00:30:00");
        assert_eq!(instant(civil(at)), at);
        assert_eq!(instant(DateTime::MAX), Timestamp::MAX);
        assert_eq!(instant(DateTime::MIN), Timestamp::MIN);
    }
}
