//! `plan(now, ledger)`: which (job, slot) is due. Pure: used by the daemon and the demo alike.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::calendar::{Calendar, shanghai};
use crate::config::cron::CronLine;
use crate::config::schedule::{CatchUp, Days, Schedule, TaskName};
use crate::domain::event::LastRun;

/// With `skip`, a slot this many seconds old still counts as on time: a daemon that was busy with another job is not late.
pub const GRACE_S: i64 = 600;

/// Slots of one job that one plan holds. Of those before, one entry says that there were more.
pub const MOST_SLOTS: usize = 1000;

/// Days looked at for a slot, backward or forward: five years.
const MOST_DAYS: usize = 5 * 366;

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
///
/// The newest slot is run, unless the rule is `skip` and the slot is more than [`GRACE_S`] old. Those before it are
/// recorded as missed, or run too when the rule is `all`. A job that is off, or whose cron line cannot be read, has no slots.
#[must_use]
pub fn plan(
    now: Timestamp,
    since: Timestamp,
    schedules: &[Schedule],
    ledger: &BTreeMap<String, LastRun>,
    calendar: &Calendar,
) -> Vec<Activation> {
    let mut due: Vec<Activation> = schedules
        .iter()
        .filter(|schedule| schedule.enabled)
        .flat_map(|schedule| {
            let last = ledger.get(&schedule.job).map_or(since, |last| last.slot);
            let slots = newest_first(schedule, last, now, calendar);
            slots
                .into_iter()
                .enumerate()
                .map(move |(age, slot)| Activation {
                    job: schedule.job.clone(),
                    task: schedule.task.clone(),
                    slot,
                    run: runs(schedule.catch_up, age, slot, now),
                })
        })
        .collect();
    due.sort_by(|a, b| (a.slot, &a.job).cmp(&(b.slot, &b.job)));
    due
}

/// Whether a slot is run; `age` is 0 for the newest.
fn runs(catch_up: CatchUp, age: usize, slot: Timestamp, now: Timestamp) -> bool {
    match catch_up {
        CatchUp::Skip => age == 0 && now.as_second() - slot.as_second() <= GRACE_S,
        CatchUp::Last => age == 0,
        CatchUp::All => age < MOST_SLOTS,
    }
}

/// The slots in `(after, now]`, newest first; at most [`MOST_SLOTS`] and one more that stands for all before.
fn newest_first(
    schedule: &Schedule,
    after: Timestamp,
    now: Timestamp,
    calendar: &Calendar,
) -> Vec<Timestamp> {
    let mut slots = Vec::new();
    let Ok(cron) = CronLine::read(&schedule.cron) else {
        return slots;
    };
    let mut at = now;
    let mut days = 0;
    while slots.len() <= MOST_SLOTS && days < MOST_DAYS {
        let Some(slot) = cron.at_or_before(at).filter(|slot| *slot > after) else {
            break;
        };
        let day = shanghai::civil(slot).date();
        let before = if is_day(schedule.days, day, calendar) {
            slots.push(slot);
            slot
        } else {
            days += 1;
            shanghai::instant(day.at(0, 0, 0, 0))
        };
        let Some(second_before) = before.as_second().checked_sub(1) else {
            break;
        };
        let Ok(next) = Timestamp::from_second(second_before) else {
            break;
        };
        at = next;
    }
    slots
}

/// Whether a job runs on this day at all.
fn is_day(days: Days, day: Date, calendar: &Calendar) -> bool {
    match days {
        Days::Any => true,
        Days::Working => calendar.is_working_day(day),
        Days::NthWorking(n) => calendar.is_nth_working_day(day, n),
    }
}

/// The next slot after `now`; `None` within five years.
#[must_use]
pub fn next(schedule: &Schedule, now: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    if !schedule.enabled {
        return None;
    }
    let cron = CronLine::read(&schedule.cron).ok()?;
    let mut at = now;
    for _ in 0..MOST_DAYS {
        let slot = cron.after(at)?;
        let day = shanghai::civil(slot).date();
        if is_day(schedule.days, day, calendar) {
            return Some(slot);
        }
        at = shanghai::instant(day.at(23, 59, 59, 0));
    }
    None
}

#[cfg(test)]
mod tests;
