use proptest::prelude::*;

use super::*;
use crate::calendar::CalendarYear;
use crate::domain::event::RunOutcome;

fn calendar() -> Calendar {
    let year: CalendarYear =
        toml::from_str(include_str!("../../../config/calendar/2026.toml")).expect("shipped");
    Calendar::new(vec![year]).expect("shipped")
}

fn at(text: &str) -> Timestamp {
    let time = if text.len() == 10 {
        format!("{text}T00:00:00+08:00")
    } else {
        format!("{text}:00+08:00")
    };
    time.parse().expect("a time")
}

fn show(at: Timestamp) -> String {
    shanghai::civil(at).strftime("%m-%dT%H:%M").to_string()
}

fn job(name: &str, cron: &str, days: Days, catch_up: CatchUp) -> Schedule {
    Schedule {
        job: name.to_owned(),
        task: TaskName::Review,
        cron: cron.to_owned(),
        days,
        catch_up,
        enabled: true,
    }
}

fn ledger(entries: &[(&str, &str)]) -> BTreeMap<String, LastRun> {
    entries
        .iter()
        .map(|(job, slot)| {
            let run = LastRun {
                slot: at(slot),
                at: at(slot),
                outcome: RunOutcome::Done,
                summary: String::new(),
            };
            ((*job).to_owned(), run)
        })
        .collect()
}

/// `+slot` is run, `-slot` is recorded as missed.
fn said(due: &[Activation]) -> String {
    due.iter()
        .map(|a| format!("{}{}", if a.run { '+' } else { '-' }, show(a.slot)))
        .collect::<Vec<_>>()
        .join(" ")
}

const DAILY: &str = "30 8 * * *";

#[test]
fn slots_after_the_last_follow_days_and_catch_up() {
    let calendar = calendar();
    let first = Days::NthWorking(1);
    for (cron, days, catch_up, last, now, expected) in [
        // On time, to the second before and after.
        (
            DAILY,
            Days::Any,
            CatchUp::Last,
            "2026-03-02T08:30",
            "2026-03-03T08:29",
            "",
        ),
        (
            DAILY,
            Days::Any,
            CatchUp::Last,
            "2026-03-02T08:30",
            "2026-03-03T08:30",
            "+03-03T08:30",
        ),
        (
            DAILY,
            Days::Any,
            CatchUp::Last,
            "2026-03-03T08:30",
            "2026-03-03T08:30",
            "",
        ),
        // A week down.
        (
            DAILY,
            Days::Working,
            CatchUp::Last,
            "2026-03-06T08:30",
            "2026-03-12T12:00",
            "-03-09T08:30 -03-10T08:30 -03-11T08:30 +03-12T08:30",
        ),
        (
            DAILY,
            Days::Working,
            CatchUp::All,
            "2026-03-06T08:30",
            "2026-03-12T12:00",
            "+03-09T08:30 +03-10T08:30 +03-11T08:30 +03-12T08:30",
        ),
        (
            DAILY,
            Days::Working,
            CatchUp::Skip,
            "2026-03-06T08:30",
            "2026-03-12T12:00",
            "-03-09T08:30 -03-10T08:30 -03-11T08:30 -03-12T08:30",
        ),
        (
            DAILY,
            Days::Working,
            CatchUp::Skip,
            "2026-03-11T08:30",
            "2026-03-12T08:40",
            "+03-12T08:30",
        ),
        (
            DAILY,
            Days::Working,
            CatchUp::Skip,
            "2026-03-11T08:30",
            "2026-03-12T08:41",
            "-03-12T08:30",
        ),
        // A weekend makes up for Friday on Saturday, not twice.
        (
            DAILY,
            Days::Working,
            CatchUp::Last,
            "2026-03-05T08:30",
            "2026-03-07T10:00",
            "+03-06T08:30",
        ),
        (
            DAILY,
            Days::Working,
            CatchUp::Last,
            "2026-03-06T08:30",
            "2026-03-08T10:00",
            "",
        ),
        // Spring Festival: 15 to 23 February off; Saturday 14 and Saturday 28 are worked (调休).
        (
            DAILY,
            Days::Working,
            CatchUp::Last,
            "2026-02-14T08:30",
            "2026-02-23T23:59",
            "",
        ),
        (
            DAILY,
            Days::Working,
            CatchUp::Last,
            "2026-02-13T08:30",
            "2026-02-14T09:00",
            "+02-14T08:30",
        ),
        (
            DAILY,
            Days::Working,
            CatchUp::All,
            "2026-02-27T08:30",
            "2026-03-01T09:00",
            "+02-28T08:30",
        ),
        // The first working day of a month; October's is the 8th, after the holidays.
        (
            "0 10 * * *",
            first,
            CatchUp::All,
            "2026-02-02T10:00",
            "2026-05-31T09:00",
            "+03-02T10:00 +04-01T10:00 +05-06T10:00",
        ),
        (
            "0 10 * * *",
            first,
            CatchUp::Last,
            "2026-08-03T10:00",
            "2026-10-07T23:00",
            "+09-01T10:00",
        ),
        (
            "0 10 * * *",
            first,
            CatchUp::Last,
            "2026-09-01T10:00",
            "2026-10-08T10:00",
            "+10-08T10:00",
        ),
        (
            "0 10 * * *",
            Days::NthWorking(3),
            CatchUp::All,
            "2026-03-01T10:00",
            "2026-03-31T10:00",
            "+03-04T10:00",
        ),
        // A clock that went back.
        (
            DAILY,
            Days::Any,
            CatchUp::All,
            "2026-03-09T08:30",
            "2026-03-05T12:00",
            "",
        ),
        // No such line.
        (
            "30 8 * *",
            Days::Any,
            CatchUp::All,
            "2026-03-02T08:30",
            "2026-03-05T12:00",
            "",
        ),
    ] {
        let schedules = [job("a", cron, days, catch_up)];
        let due = plan(
            at(now),
            at("2026-01-01"),
            &schedules,
            &ledger(&[("a", last)]),
            &calendar,
        );
        assert_eq!(
            said(&due),
            expected,
            "{cron} {days:?} {catch_up:?} {last} {now}"
        );
    }
}

#[test]
fn a_new_job_makes_up_for_nothing_before_it_came() {
    let schedules = [job("new", DAILY, Days::Any, CatchUp::All)];
    let due = |since: &str, now: &str| {
        said(&plan(
            at(now),
            at(since),
            &schedules,
            &BTreeMap::new(),
            &calendar(),
        ))
    };
    assert_eq!(due("2026-03-05T09:00", "2026-03-05T20:00"), "");
    assert_eq!(due("2026-03-05T09:00", "2026-03-06T08:30"), "+03-06T08:30");
}

#[test]
fn a_job_that_is_off_has_no_slots() {
    let mut off = job("off", DAILY, Days::Any, CatchUp::All);
    off.enabled = false;
    let schedules = [off];
    let last = ledger(&[("off", "2026-03-02T08:30")]);
    assert_eq!(
        plan(
            at("2026-03-09"),
            at("2026-03-01"),
            &schedules,
            &last,
            &calendar()
        ),
        []
    );
    assert_eq!(next(&schedules[0], at("2026-03-09"), &calendar()), None);
}

#[test]
fn the_order_is_that_of_slots_then_names() {
    let schedules = [
        job("z", "0 8 * * *", Days::Any, CatchUp::Last),
        job("review", DAILY, Days::Any, CatchUp::Last),
        job("b", "40 7 * * *", Days::Any, CatchUp::Last),
        job("a", "0 8 * * *", Days::Any, CatchUp::Last),
    ];
    let due = plan(
        at("2026-03-02T12:00"),
        at("2026-03-02T00:00"),
        &schedules,
        &BTreeMap::new(),
        &calendar(),
    );
    let names: Vec<_> = due.iter().map(|a| a.job.as_str()).collect();
    assert_eq!(names, ["b", "a", "z", "review"]);
}

#[test]
fn a_thousand_jobs_of_one_second_are_all_due_once() {
    let schedules: Vec<Schedule> = (0..1000)
        .map(|n| job(&format!("job-{n:04}"), DAILY, Days::Working, CatchUp::Last))
        .collect();
    let (since, now) = (at("2026-03-02T08:00"), at("2026-03-02T08:30"));
    let due = plan(now, since, &schedules, &BTreeMap::new(), &calendar());
    assert_eq!(due.len(), 1000);
    assert!(due.iter().all(|a| a.run && a.slot == now));
    let done: BTreeMap<String, LastRun> = due
        .iter()
        .map(|a| {
            (
                a.job.clone(),
                ledger(&[("x", "2026-03-02T08:30")])["x"].clone(),
            )
        })
        .collect();
    assert_eq!(plan(now, since, &schedules, &done, &calendar()), []);
}

#[test]
fn years_of_minutes_are_bounded_and_the_rest_is_said_once() {
    let schedules = [job("minutely", "* * * * *", Days::Any, CatchUp::All)];
    let due = plan(
        at("2026-03-02T12:00"),
        at("2020-01-01"),
        &schedules,
        &BTreeMap::new(),
        &calendar(),
    );
    assert_eq!(due.len(), MOST_SLOTS + 1);
    assert!(!due[0].run);
    assert!(due[1..].iter().all(|a| a.run));
    assert_eq!(due[MOST_SLOTS].slot, at("2026-03-02T12:00"));
}

#[test]
fn the_next_slot_is_the_one_that_will_run() {
    let calendar = calendar();
    for (cron, days, now, expected) in [
        (
            DAILY,
            Days::Any,
            "2026-03-02T08:30",
            Some("2026-03-03T08:30"),
        ),
        (
            DAILY,
            Days::Working,
            "2026-03-06T08:30",
            Some("2026-03-09T08:30"),
        ),
        (
            DAILY,
            Days::Working,
            "2026-02-14T08:30",
            Some("2026-02-24T08:30"),
        ),
        (
            "* * * * *",
            Days::Working,
            "2026-03-06T23:59",
            Some("2026-03-09T00:00"),
        ),
        (
            "0 10 * * *",
            Days::NthWorking(1),
            "2026-09-01T10:00",
            Some("2026-10-08T10:00"),
        ),
        ("0 10 1 * *", Days::NthWorking(3), "2026-09-01T10:00", None),
        ("bad", Days::Any, "2026-09-01T10:00", None),
    ] {
        let found = next(&job("a", cron, days, CatchUp::Last), at(now), &calendar);
        assert_eq!(found, expected.map(at), "{cron} {days:?} {now}");
    }
}

proptest! {
    /// However often it is asked, every slot comes up exactly once when each answer is recorded.
    #[test]
    fn every_slot_comes_up_once(steps in proptest::collection::vec(-3_000i64..200_000, 1..40), rule in 0..3usize) {
        let catch_up = [CatchUp::Skip, CatchUp::Last, CatchUp::All][rule];
        let schedules = [job("a", "*/30 8-17 * * *", Days::Working, catch_up)];
        let calendar = calendar();
        let since = at("2026-02-01");
        let (mut now, mut furthest) = (since, since);
        let mut done: BTreeMap<String, LastRun> = BTreeMap::new();
        let mut seen = Vec::new();
        for step in steps {
            now = Timestamp::from_second(now.as_second() + step).expect("in range");
            furthest = furthest.max(now);
            for activation in plan(now, since, &schedules, &done, &calendar) {
                prop_assert!(activation.slot <= now);
                seen.push(activation.slot);
                let run = LastRun { slot: activation.slot, at: now, outcome: RunOutcome::Done, summary: String::new() };
                done.insert(activation.job, run);
            }
        }
        let mut expected = Vec::new();
        let mut slot = next(&schedules[0], since, &calendar);
        while let Some(at) = slot.filter(|slot| *slot <= furthest) {
            expected.push(at);
            slot = next(&schedules[0], at, &calendar);
        }
        prop_assert_eq!(seen, expected);
    }
}
