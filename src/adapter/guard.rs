//! The guard: whether a whole batch may be believed. Pure.
//!
//! A short or broken export must never turn into notices, so most doubts hold the batch for a named person. Rules that need no
//! past are in [`absolute`], those against the last accepted batch in [`compared`]. The first batch of a source is judged by the
//! absolute ones only.

use jiff::civil::Date;

use crate::adapter::language::Adapter;
use crate::domain::batch::{Batch, Census, ChangeCounts, Reason, Verdict, Weight};
use crate::domain::unit::Units;

mod absolute;
mod compared;
pub mod tally;

/// Everything the guard looks at.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The adapter.
    pub adapter: &'a Adapter,
    /// Rows seen, usable or not (total rows not counted).
    pub rows: u64,
    /// Rows set aside.
    pub set_aside: u64,
    /// The total the file itself declares.
    pub declared_total: Option<u64>,
    /// The row in which the file breaks off.
    pub cut_row: Option<u64>,
    /// What was counted.
    pub census: &'a Census,
    /// What would change.
    pub changes: ChangeCounts,
    /// The day it speaks of.
    pub as_of: Date,
    /// The day it is judged.
    pub today: Date,
    /// The headings of the file, sorted.
    pub columns: &'a [String],
    /// The last accepted batch of the source.
    pub previous: Option<&'a Batch>,
    /// The accepted batch of the same month a year before: the Spring Festival shrinks both.
    pub year_before: Option<&'a Batch>,
    /// The reporting units, each of which had rows before and should have rows again.
    pub units: &'a Units,
}

/// Judges. The verdict is the heaviest reason's.
#[must_use]
pub fn judge(delivery: &Delivery<'_>) -> (Verdict, Vec<Reason>) {
    let mut reasons = absolute::reasons(delivery);
    if let Some(previous) = delivery.previous {
        reasons.extend(compared::reasons(delivery, previous));
    }
    let verdict = match reasons.iter().map(|reason| reason.weight).max() {
        None => Verdict::Accepted,
        Some(Weight::Warning) => Verdict::AcceptedWithWarnings,
        Some(Weight::Hold) => Verdict::Quarantined,
        Some(Weight::Refuse) => Verdict::Refused,
    };
    (verdict, reasons)
}

/// Held until a named person releases it; that way out stands once beside the verdict ([`Verdict::way_out`]), not in every reason.
fn hold(code: &str, what: &str, remedy: &str) -> Reason {
    Reason {
        code: code.to_owned(),
        weight: Weight::Hold,
        text: format!("{what}。处理：{remedy}"),
    }
}

/// Taken, with a word.
fn warning(code: &str, what: &str, remedy: &str) -> Reason {
    Reason {
        code: code.to_owned(),
        weight: Weight::Warning,
        text: format!("{what}。处理：{remedy}"),
    }
}

/// `part` ÷ `whole`; 0 of nothing.
#[allow(
    clippy::cast_precision_loss,
    reason = "row counts are far below 2^52, and a share is compared with a bound of two digits"
)]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// By which share `now` is smaller than `before`; 0 when it is not.
fn shrinkage(before: u64, now: u64) -> f64 {
    share(before.saturating_sub(now), before)
}

/// `12.5%`.
fn percent(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    format!("{}%", text.trim_end_matches(".0"))
}

#[cfg(test)]
mod tests;
