//! What licences of all departments have in common: whose they are, how long they run, what state they are in.

use jiff::civil::{Date, date};

use crate::demo::city::City;
use crate::demo::firm::{Firm, Status};

/// The firms of these trades (industry codes) that had been founded by a day, in the order of their numbers.
///
/// Only firms whose trade needs the licence hold one: it says nothing that the register does not say, so that who owes
/// and who is asked stay as they are.
pub fn holders<'a>(
    city: &'a City,
    trades: &'a [&'a str],
    as_of: Date,
) -> impl Iterator<Item = &'a Firm> {
    city.firms
        .iter()
        .filter(move |firm| firm.founded <= as_of && trades.contains(&firm.trade().code))
}

/// The day a firm's licence runs out; `None` for one without an end.
#[must_use]
pub fn end(firm: &Firm, as_of: Date) -> Option<Date> {
    let n = i8::try_from(firm.number % 9).unwrap_or(0);
    (n > 0).then(|| date(as_of.year() + 1 + i16::from(n % 4), 1 + n, 1))
}

/// How departments call the state of a licence whose firm has this status.
#[must_use]
pub const fn state(status: Status) -> &'static str {
    match status {
        Status::Active => "正常",
        Status::Liquidating => "暂停",
        Status::Revoked | Status::Moved | Status::Cancelled => "注销",
    }
}
