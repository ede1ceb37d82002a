//! The figures of a bulletin, from the assessments and the cases' own history. Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::bulletin::{Base, CaseFlow, UnitFigures, Work};
use crate::domain::case::{Case, CaseEvent, ClerkEvent, ClosingReason, Stage, Step, apply};
use crate::domain::coverage::{Assessment, Standing};
use crate::domain::finding::Insurance;
use crate::domain::unit::Units;

/// One case event of the journal with its day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    /// The case.
    pub case: String,
    /// The day it was recorded.
    pub day: Date,
    /// What happened.
    pub change: CaseEvent,
}

/// Everything a bulletin counts in cases, per unit, from `first` to `last` inclusive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Flow and work by unit id.
    pub units: BTreeMap<String, (CaseFlow, Work)>,
    /// Closed in the period by reason.
    pub closed_by: BTreeMap<ClosingReason, u64>,
    /// How the cases leave each enterprise on the last day.
    pub handled: BTreeMap<String, Handled>,
}

/// How its cases leave an enterprise whose data show a doubt. The greater prevails where it has several cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Handled {
    /// A named clerk's answer clears it, and still holds.
    Cleared,
    /// A case is open.
    InHand,
}

/// How these cases leave their enterprises on a day.
#[must_use]
pub fn handled<'c>(
    cases: impl IntoIterator<Item = &'c Case>,
    on: Date,
) -> BTreeMap<String, Handled> {
    let mut handled = BTreeMap::new();
    for case in cases {
        let now = match &case.closed {
            None => Handled::InHand,
            Some(closing) if closing.clears_until().is_some_and(|until| on <= until) => {
                Handled::Cleared
            }
            Some(_) => continue,
        };
        let known = handled.entry(case.enterprise.clone()).or_insert(now);
        *known = now.max(*known);
    }
    handled
}

/// Replays the events in the journal's order. Events after `last` are not looked at, so that a bulletin
/// made late counts the same as one made on time.
#[must_use]
pub fn count(events: impl IntoIterator<Item = Dated>, first: Date, last: Date) -> Counted {
    let mut counted = Counted::default();
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    for event in events.into_iter().take_while(|event| event.day <= last) {
        let before = cases.remove(&event.case);
        let from = before.as_ref().map(|case| case.unit.clone());
        // The journal holds only what was allowed when it was written; a refusal here would be a damaged journal.
        let Ok(case) = apply(&event.case, before, &event.change, event.day) else {
            continue;
        };
        if event.day >= first {
            tally(&mut counted, &event.change, &case, from.as_deref());
        } else {
            open_before(&mut counted, &event.change, &case, from.as_deref());
        }
        cases.insert(event.case, case);
    }
    for case in cases.values().filter(|case| case.is_open()) {
        let (flow, work) = counted.units.entry(case.unit.clone()).or_default();
        flow.closing += 1;
        work.unreachable += u64::from(case.stage == Stage::Unreachable);
        work.awaiting += u64::from(case.stage == Stage::Dispatched);
        let late = case.stage == Stage::Dispatched && case.answer_due.is_some_and(|due| due < last);
        work.checks_overdue += u64::from(late);
    }
    counted.handled = handled(cases.values(), last);
    counted
}

fn ends(change: &CaseEvent) -> Option<ClosingReason> {
    match change {
        CaseEvent::Closed { reason, .. } => Some(*reason),
        CaseEvent::Clerk { clerk_event, .. } => clerk_event.closes(),
        _ => None,
    }
}

/// Before the period only the opening balance counts.
fn open_before(counted: &mut Counted, change: &CaseEvent, case: &Case, from: Option<&str>) {
    let mut add = |unit: &str, by: i64| {
        let opening = &mut counted.units.entry(unit.to_owned()).or_default().0.opening;
        *opening = opening.saturating_add_signed(by);
    };
    match change {
        CaseEvent::Opened { .. } | CaseEvent::Resumed { .. } => add(&case.unit, 1),
        CaseEvent::Moved { .. } => {
            if let Some(from) = from {
                add(from, -1);
            }
            add(&case.unit, 1);
        }
        _ if ends(change).is_some() => add(&case.unit, -1),
        _ => {}
    }
}

fn tally(counted: &mut Counted, change: &CaseEvent, case: &Case, from: Option<&str>) {
    if let Some(reason) = ends(change) {
        *counted.closed_by.entry(reason).or_default() += 1;
    }
    if let (CaseEvent::Moved { .. }, Some(from)) = (change, from) {
        counted
            .units
            .entry(from.to_owned())
            .or_default()
            .0
            .moved_out += 1;
    }
    let (flow, work) = counted.units.entry(case.unit.clone()).or_default();
    match change {
        CaseEvent::Opened { reopened: true, .. } | CaseEvent::Resumed { .. } => flow.reopened += 1,
        CaseEvent::Opened { .. } => flow.new += 1,
        CaseEvent::Moved { .. } => flow.moved_in += 1,
        CaseEvent::Dispatched { .. } => work.dispatched += 1,
        CaseEvent::Clerk {
            clerk_event: ClerkEvent::Confirmed,
            ..
        } => {
            work.checked += 1;
            work.confirmed += 1;
        }
        CaseEvent::Clerk { clerk_event, .. } if clerk_event.closes().is_some() => {
            // An answer after the confirmation is no second check.
            if case.confirmed.is_none() {
                work.checked += 1;
            }
            work.cleared += 1;
        }
        CaseEvent::Decided {
            step: Step::RegistrationNotice,
            ..
        } => work.notified += 1,
        CaseEvent::Transferred { .. } => work.transferred += 1,
        CaseEvent::Closed {
            reason: ClosingReason::Enrolled | ClosingReason::EnrolledPartly,
            heads,
            ..
        } => {
            work.enrolled_firms += 1;
            for (kind, n) in heads {
                *work.enrolled_heads.entry(*kind).or_default() += n;
            }
        }
        _ => {}
    }
    flow.closed += u64::from(ends(change).is_some());
}

/// What is counted of enterprises, met one after the other in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standings {
    /// The base of each unit.
    pub base: BTreeMap<String, Base>,
    /// Firms without a finding, by reason.
    pub not_accused: BTreeMap<Standing, u64>,
}

impl Standings {
    /// Counts one enterprise; `handled`: what became of the cases of each.
    pub fn hear(&mut self, assessment: &Assessment, handled: &BTreeMap<String, Handled>) {
        if assessment.standing == Standing::NotOnRegister {
            return;
        }
        if assessment.standing != Standing::Doubtful {
            *self.not_accused.entry(assessment.standing).or_default() += 1;
        }
        let base = self.base.entry(assessment.unit.clone()).or_default();
        base.registered += 1;
        if !assessment.active {
            return;
        }
        base.active += 1;
        if !assessment.evidence.shows_staff() {
            return;
        }
        base.with_staff += 1;
        if !assessment.in_scope {
            return;
        }
        base.in_scope += 1;
        base.insured += u64::from(assessment.standing.insured());
        if assessment.standing == Standing::Doubtful {
            base.doubtful += 1;
            match handled.get(&assessment.enterprise) {
                Some(Handled::InHand) => base.in_hand += 1,
                Some(Handled::Cleared) => base.cleared += 1,
                None => base.waiting += 1,
            }
        }
    }

    /// Counts all of them.
    #[must_use]
    pub fn of(assessments: &[Assessment], handled: &BTreeMap<String, Handled>) -> Self {
        let mut standings = Self::default();
        for assessment in assessments {
            standings.hear(assessment, handled);
        }
        standings
    }
}

/// One line per configured unit, and one for firms that no unit's name or code fits, when there are any.
#[must_use]
pub fn lines(units: &Units, base: &BTreeMap<String, Base>, counted: &Counted) -> Vec<UnitFigures> {
    let line = |id: &str, name: &str, provincial: bool| {
        let (flow, work) = counted.units.get(id).cloned().unwrap_or_default();
        UnitFigures {
            unit: id.to_owned(),
            name: name.to_owned(),
            provincial,
            base: base.get(id).copied().unwrap_or_default(),
            flow,
            work,
        }
    };
    let mut lines: Vec<UnitFigures> = units
        .units
        .iter()
        .map(|unit| line(&unit.id, &unit.name, unit.provincial))
        .collect();
    let mut strangers: Vec<&String> = base
        .keys()
        .chain(counted.units.keys())
        .filter(|id| units.get(id).is_none())
        .collect();
    strangers.sort();
    strangers.dedup();
    lines.extend(
        strangers
            .into_iter()
            .map(|id| line(id, if id.is_empty() { "未归属" } else { id }, false)),
    );
    lines
}

/// Heads newly registered, all kinds.
#[must_use]
pub fn all_heads(heads: &BTreeMap<Insurance, u64>) -> u64 {
    heads.values().sum()
}
