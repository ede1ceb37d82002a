//! Escalate: takes every open case one step along the ladder when its clock says so.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::domain::case::{Case, CaseEvent, Stage};
use crate::domain::coverage::RollKnowledge;
use crate::domain::event::Event;
use crate::domain::ladder::{Caps, Due, Today, due};
use crate::tasks::known::{feeds, roll_knowledge};
use crate::tasks::{Desk, Failure, withdraw};

/// What an escalation did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EscalateReport {
    /// Number of the dispatch, when there was one.
    pub wave: Option<u32>,
    /// Steps taken, by name.
    pub steps: BTreeMap<String, u64>,
    /// Steps that wait because a cap was reached, by unit.
    pub waiting: BTreeMap<String, u64>,
    /// Cases held because the roll is not known, and why.
    pub held: BTreeMap<String, u64>,
}

impl EscalateReport {
    /// In one Chinese line.
    #[must_use]
    pub fn summary(&self) -> String {
        let wave = self
            .wave
            .map(|wave| format!("第{wave}批下发；"))
            .unwrap_or_default();
        let steps: u64 = self.steps.values().sum();
        let waiting: u64 = self.waiting.values().sum();
        let held: u64 = self.held.values().sum();
        format!("{wave}推进{steps}件，因上限等待{waiting}件，因数据暂停{held}件")
    }
}

/// Loads, decides, commits. With `dry_run` nothing is committed.
pub fn run(desk: Desk<'_>, dry_run: bool) -> Result<EscalateReport, Failure> {
    if !dry_run {
        withdraw::finish_left(desk, false)?;
    }
    let roll = roll_knowledge(&feeds(desk)?);
    let cases = desk.store.cases().collect::<Result<Vec<_>, _>>()?;
    let reviewed = desk.store.reviewed()?.map(|reviewed| reviewed.roll_as_of);
    let wave = desk.store.next_wave()?;
    let (report, events) = decide(desk, &cases, &roll, reviewed, wave);
    if !dry_run {
        desk.store.commit(desk.now, "escalate", events)?;
    }
    Ok(report)
}

fn decide(
    desk: Desk<'_>,
    cases: &[Case],
    roll: &RollKnowledge,
    reviewed: Option<jiff::civil::Date>,
    wave: u32,
) -> (EscalateReport, Vec<Event>) {
    let configuration = desk.configuration;
    let mut open: Vec<&Case> = cases.iter().filter(|case| case.is_open()).collect();
    open.sort_by(|a, b| {
        (Reverse(a.finding.employed), &a.id).cmp(&(Reverse(b.finding.employed), &b.id))
    });
    let mut report = EscalateReport::default();
    let mut used: HashMap<(&str, &'static str), u32> = HashMap::new();
    let mut events = Vec::new();
    for case in open {
        // One step a day: who became overdue today is not handed over today, however often this runs.
        if case.stage == Stage::Overdue && case.overdue == Some(desk.today()) {
            continue;
        }
        // While the firm's data are under doubt nothing adverse is founded on them.
        if let Some(doubt) = &case.doubt {
            *report.held.entry(format!("暂停推进：{doubt}")).or_default() += 1;
            continue;
        }
        let known = case
            .finding
            .kinds
            .iter()
            .all(|kind| roll.known.contains(kind));
        let today = Today {
            date: desk.today(),
            calendar: &configuration.calendar,
            wave,
            // The review must have been made on the roll that is in force today.
            reviewed_roll: reviewed.filter(|day| known && roll.as_of == Some(*day)),
            city: &configuration.settings.city_unit,
        };
        match due(case, &configuration.ladder, &today) {
            Due::Now(change) => {
                let (name, cap) = kind_and_cap(&change, &configuration.ladder.caps);
                let count = used.entry((&case.unit, name)).or_default();
                if *count >= cap {
                    *report.waiting.entry(case.unit.clone()).or_default() += 1;
                    continue;
                }
                *count += 1;
                *report.steps.entry(name.to_owned()).or_default() += 1;
                if matches!(change, CaseEvent::Dispatched { .. }) {
                    report.wave = Some(wave);
                }
                events.push(Event::Case {
                    case: case.id.clone(),
                    day: desk.today(),
                    change,
                });
            }
            Due::Held { why } => *report.held.entry(why).or_default() += 1,
            Due::Waits { .. } | Due::WithPerson | Due::Nothing => {}
        }
    }
    (report, events)
}

fn kind_and_cap(change: &CaseEvent, caps: &Caps) -> (&'static str, u32) {
    match change {
        CaseEvent::Dispatched { .. } => ("dispatched", caps.dispatched),
        CaseEvent::Decided { .. } => ("notices", caps.notices),
        CaseEvent::Transferred { .. } => ("transferred", caps.transfers),
        CaseEvent::Overdue => ("overdue", u32::MAX),
        CaseEvent::Unreachable => ("unreachable", u32::MAX),
        _ => ("other", u32::MAX),
    }
}
