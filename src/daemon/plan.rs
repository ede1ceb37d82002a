//! `plan(now, ledger)`: which (job, slot) is due. Pure: used by the daemon and the demo alike.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::calendar::Calendar;
use crate::config::schedule::{Schedule, TaskName};
use crate::domain::event::LastRun;

/// One slot of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// The job.
    pub job: String,
    /// What it does.
    pub task: TaskName,
    /// The slot.
    pub slot: Timestamp,
    /// To be run, or only to be recorded as missed.
    pub run: bool,
}

/// Everything due at `now`, in the order of slots, then names. A job without an entry in the ledger starts at `since` (no
/// catch-up before it). Slots in `(last slot, now]` are due; older than the newest they follow the job's catch-up rule.
/// A clock that went back makes nothing due twice.
#[must_use]
pub fn plan(
    now: Timestamp,
    since: Timestamp,
    schedules: &[Schedule],
    ledger: &BTreeMap<String, LastRun>,
    calendar: &Calendar,
) -> Vec<Activation> {
    let _ = (now, since, schedules, ledger, calendar);
    todo!()
}

/// The next slot after `now`; `None` within five years.
#[must_use]
pub fn next(schedule: &Schedule, now: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    let _ = (schedule, now, calendar);
    todo!()
}
