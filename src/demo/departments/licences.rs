//! What licences of all departments have in common: whose they are, how long they run, what state they are in.

use std::borrow::Cow;

use jiff::civil::{Date, date};

use crate::demo::city::City;
use crate::demo::departments::known_as;
use crate::demo::dirt::{self, Row, Smudge};
use crate::demo::firm::{Firm, Status};
use crate::demo::slips::{self, CodeSlip};

/// Slips in codes of holders, in parts of 100,000. The column is never empty: a licence without a holder is none.
const SLIPS: [(u64, CodeSlip); 4] = [
    (500, CodeSlip::TaxId),
    (500, CodeSlip::TaxIdAndZeros),
    (500, CodeSlip::Wrong),
    (100, CodeSlip::Alike),
];
/// Of old firms, those known by their registration number.
const NUMBERED: [(u64, ()); 1] = [(1500, ())];

/// The code of a holder as a department has it, whatever blanks and widths come on top.
#[must_use]
pub fn code(firm: &Firm, smudge: Smudge) -> Cow<'_, str> {
    let subject = u64::from(firm.number);
    if smudge.one_of(subject, 14, &NUMBERED).is_some()
        && let Some(number) = firm.registration_number()
    {
        return Cow::Owned(number);
    }
    match smudge.one_of(subject, 11, &SLIPS) {
        Some((slip, how)) => Cow::Owned(slip.of(&firm.code, how)),
        None => Cow::Borrowed(&firm.code),
    }
}

/// The name of a holder in a row of a day.
#[must_use]
pub fn name(firm: &Firm, row: &Row, as_of: Date) -> String {
    let known = known_as(firm, row, as_of);
    let known = row
        .touch(12, 10)
        .map_or(Cow::Borrowed(known), |how| slips::name(known, how));
    let written = dirt::name(&known, row.touch(2, 40));
    row.text(firm.name(as_of), written).into_owned()
}

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
        Status::Revoked | Status::Moved | Status::Cancelled | Status::Converted => "注销",
    }
}
