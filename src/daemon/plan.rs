//! `plan(now, ledger)`: which (job, slot) is due. Pure: used by the daemon and the demo alike.

use std::collections::BTreeMap;

use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::{SignedDuration, Timestamp};

use crate::calendar::{Calendar, shanghai};
use crate::config::schedule::{CatchUp, Days, Schedule, TaskName};
use crate::domain::event::LastRun;

/// A slot counts as on time for so long, whatever its catch-up rule: wake-ups come a little late.
const ON_TIME: SignedDuration = SignedDuration::from_mins(10);

/// Slots of one job looked at in one plan; after a longer silence the oldest are passed over.
const SLOTS: usize = 1000;

/// Occurrences of a cron line looked at for the next slot that its days allow: five years of minutes are not searched.
const OCCURRENCES: usize = 4000;

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
    let mut due = Vec::new();
    for schedule in schedules.iter().filter(|schedule| schedule.enabled) {
        let last = ledger.get(&schedule.job).map_or(since, |run| run.slot);
        due.extend(of_job(now, last, schedule, calendar));
    }
    due.sort_by(|a, b| (a.slot, &a.job).cmp(&(b.slot, &b.job)));
    due
}

fn of_job(
    now: Timestamp,
    last: Timestamp,
    schedule: &Schedule,
    calendar: &Calendar,
) -> Vec<Activation> {
    let slots = slots(schedule, last, now, calendar);
    let Some(newest) = slots.last().copied() else {
        return Vec::new();
    };
    slots
        .into_iter()
        .map(|slot| Activation {
            job: schedule.job.clone(),
            task: schedule.task.clone(),
            slot,
            run: match schedule.catch_up {
                CatchUp::All => true,
                CatchUp::Last => slot == newest,
                CatchUp::Skip => slot == newest && now.duration_since(slot) <= ON_TIME,
            },
        })
        .collect()
}

/// The slots in `(after, until]`, oldest first, at most [`SLOTS`] of the newest.
fn slots(
    schedule: &Schedule,
    after: Timestamp,
    until: Timestamp,
    calendar: &Calendar,
) -> Vec<Timestamp> {
    let Some(cron) = parse(&schedule.cron) else {
        return Vec::new();
    };
    let mut slots = std::collections::VecDeque::new();
    let mut at = after;
    while let Some(slot) = occurrence(&cron, at) {
        if slot > until {
            break;
        }
        if on_its_day(schedule.days, slot, calendar) {
            slots.push_back(slot);
            if slots.len() > SLOTS {
                slots.pop_front();
            }
        }
        at = slot;
    }
    slots.into()
}

/// The next slot after `now`; `None` within five years.
#[must_use]
pub fn next(schedule: &Schedule, now: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    if !schedule.enabled {
        return None;
    }
    let cron = parse(&schedule.cron)?;
    let mut at = now;
    for _ in 0..OCCURRENCES {
        at = occurrence(&cron, at)?;
        if on_its_day(schedule.days, at, calendar) {
            return Some(at);
        }
    }
    None
}

fn on_its_day(days: Days, slot: Timestamp, calendar: &Calendar) -> bool {
    let day = shanghai::civil(slot).date();
    match days {
        Days::Any => true,
        Days::Working => calendar.is_working_day(day),
        Days::NthWorking(n) => calendar.is_nth_working_day(day, n),
    }
}

/// Five fields, as the scheduler reads them with a `0` for the second put before.
fn parse(line: &str) -> Option<Cron> {
    CronParser::builder()
        .seconds(Seconds::Required)
        .build()
        .parse(&format!("0 {line}"))
        .ok()
}

/// The first occurrence after `at` on the clock of Asia/Shanghai. The scheduler's own time type is met here only.
fn occurrence(cron: &Cron, at: Timestamp) -> Option<Timestamp> {
    let zone = chrono::FixedOffset::east_opt(8 * 3600)?;
    let from = chrono::DateTime::from_timestamp(at.as_second(), 0)?.with_timezone(&zone);
    let found = cron.find_next_occurrence(&from, false).ok()?;
    Timestamp::from_second(found.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{CalendarYear, Holiday};
    use crate::domain::event::RunOutcome;

    fn calendar() -> Calendar {
        Calendar::new(vec![CalendarYear {
            year: 2026,
            paper: "test".into(),
            holiday: vec![Holiday {
                name: "劳动节".into(),
                from: "2026-05-01".into(),
                to: "2026-05-05".into(),
                workdays: vec!["2026-05-09".into()],
            }],
        }])
        .unwrap()
    }

    fn at(text: &str) -> Timestamp {
        shanghai::instant(text.parse().unwrap())
    }

    fn job(cron: &str, days: Days, catch_up: CatchUp) -> Schedule {
        Schedule {
            job: "job".into(),
            task: TaskName::Review,
            cron: cron.into(),
            days,
            catch_up,
            enabled: true,
        }
    }

    fn ledger(slot: &str) -> BTreeMap<String, LastRun> {
        let run = LastRun {
            slot: at(slot),
            at: at(slot),
            outcome: RunOutcome::Done,
            summary: String::new(),
        };
        BTreeMap::from([("job".to_owned(), run)])
    }

    fn check(schedule: &Schedule, last: &str, now: &str, expected: &[(&str, bool)]) {
        let planned: Vec<(Timestamp, bool)> = plan(
            at(now),
            at(now),
            &[schedule.clone()],
            &ledger(last),
            &calendar(),
        )
        .into_iter()
        .map(|activation| (activation.slot, activation.run))
        .collect();
        let expected: Vec<(Timestamp, bool)> = expected
            .iter()
            .map(|(slot, run)| (at(slot), *run))
            .collect();
        assert_eq!(planned, expected);
    }

    #[test]
    fn each_slot_once_and_missed_ones_by_their_rule() {
        let daily = |catch_up| job("30 8 * * *", Days::Any, catch_up);
        check(
            &daily(CatchUp::Last),
            "2026-03-02T08:30",
            "2026-03-03T08:29",
            &[],
        );
        check(
            &daily(CatchUp::Skip),
            "2026-03-02T08:30",
            "2026-03-03T08:30",
            &[("2026-03-03T08:30", true)],
        );
        // Two days down.
        let now = "2026-03-05T10:00";
        check(
            &daily(CatchUp::Last),
            "2026-03-03T08:30",
            now,
            &[("2026-03-04T08:30", false), ("2026-03-05T08:30", true)],
        );
        check(
            &daily(CatchUp::All),
            "2026-03-03T08:30",
            now,
            &[("2026-03-04T08:30", true), ("2026-03-05T08:30", true)],
        );
        check(
            &daily(CatchUp::Skip),
            "2026-03-03T08:30",
            now,
            &[("2026-03-04T08:30", false), ("2026-03-05T08:30", false)],
        );
        // A clock that went back.
        check(
            &daily(CatchUp::All),
            "2026-03-05T08:30",
            "2026-03-04T09:00",
            &[],
        );
    }

    #[test]
    fn working_days_know_holidays_and_worked_saturdays() {
        let working = job("30 8 * * *", Days::Working, CatchUp::All);
        check(
            &working,
            "2026-04-30T08:30",
            "2026-05-10T09:00",
            &[
                ("2026-05-06T08:30", true),
                ("2026-05-07T08:30", true),
                ("2026-05-08T08:30", true),
                ("2026-05-09T08:30", true),
            ],
        );
        let first = job("0 10 * * *", Days::NthWorking(1), CatchUp::All);
        assert_eq!(
            next(&first, at("2026-04-15T00:00"), &calendar()),
            Some(at("2026-05-06T10:00"))
        );
    }

    #[test]
    fn a_new_job_starts_where_the_daemon_did() {
        let schedule = job("30 8 * * *", Days::Any, CatchUp::All);
        let planned = plan(
            at("2026-03-03T09:00"),
            at("2026-03-03T08:00"),
            &[schedule],
            &BTreeMap::new(),
            &calendar(),
        );
        assert_eq!(planned.len(), 1);
    }

    #[test]
    fn a_thousand_jobs_of_one_second_are_all_planned() {
        let schedules: Vec<Schedule> = (0..1000)
            .map(|n| Schedule {
                job: format!("job-{n:04}"),
                ..job("0 9 * * *", Days::Any, CatchUp::Last)
            })
            .collect();
        let planned = plan(
            at("2026-03-03T09:00"),
            at("2026-03-03T08:00"),
            &schedules,
            &BTreeMap::new(),
            &calendar(),
        );
        assert_eq!(planned.len(), 1000);
        assert!(planned.is_sorted_by(|a, b| a.job < b.job));
    }

    #[test]
    fn a_long_silence_is_bounded() {
        let schedule = job("* * * * *", Days::Any, CatchUp::All);
        let planned = plan(
            at("2026-03-10T00:00"),
            at("2026-03-01T00:00"),
            &[schedule],
            &BTreeMap::new(),
            &calendar(),
        );
        assert_eq!(planned.len(), SLOTS);
    }
}
