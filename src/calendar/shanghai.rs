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

/// The instant at which the clock on the wall shows this.
#[must_use]
pub fn instant(at: DateTime) -> Timestamp {
    zone().to_timestamp(at).unwrap_or(Timestamp::MAX)
}
