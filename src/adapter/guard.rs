//! The guard: whether a whole batch may be believed. Pure.

use jiff::civil::Date;

use crate::adapter::language::Adapter;
use crate::domain::batch::{Batch, Census, ChangeCounts, Reason, Verdict};
use crate::domain::record::Record;
use crate::domain::unit::Units;

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
    /// What was counted.
    pub census: &'a Census,
    /// What would change.
    pub changes: ChangeCounts,
    /// The day it speaks of.
    pub as_of: Date,
    /// The day it is judged.
    pub today: Date,
    /// The last accepted batch of the source.
    pub previous: Option<&'a Batch>,
    /// The reporting units, each of which had rows before and should have rows again.
    pub units: &'a Units,
}

/// Adds a usable record to the census: whole, by region, agency and insurance kind, fill of every field, heads of rolls.
pub fn count(census: &mut Census, record: &Record) {
    let _ = (census, record);
    todo!()
}

/// Judges. The verdict is the heaviest reason's.
#[must_use]
pub fn judge(delivery: &Delivery<'_>) -> (Verdict, Vec<Reason>) {
    let _ = delivery;
    todo!()
}
