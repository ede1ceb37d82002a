//! Review: who is doubtful today, and which cases the data open, move and close.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::domain::case::CaseEvent;
use crate::domain::coverage::Assessment;
use crate::domain::event::Event;
use crate::domain::finding::{Finding, Insurance};
use crate::domain::pairing::{Candidate, PairingEvent, Subject, mergers};
use crate::domain::record::RecordKind;
use crate::domain::register::Enterprise;
use crate::domain::review::Reviewing;
use crate::store::Reviewed;
use crate::tasks::known::{feeds, roll_knowledge};
use crate::tasks::walk::walk;
use crate::tasks::{Desk, Failure, withdraw};

/// What a review did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReviewReport {
    /// Enterprises assessed.
    pub enterprises: u64,
    /// Findings that open cases.
    pub findings: u64,
    /// Cases opened.
    pub opened: u64,
    /// Cases closed by the data.
    pub closed: u64,
    /// Cases moved to another unit.
    pub moved: u64,
    /// Findings that wait because a cap was reached.
    pub waiting: u64,
    /// Pairs that may be one firm and wait for a person.
    pub undecided_pairs: u64,
    /// Why nothing could be founded on the roll, when so (Chinese).
    pub held: Option<String>,
}

impl ReviewReport {
    /// In one Chinese line.
    #[must_use]
    pub fn summary(&self) -> String {
        let held = self
            .held
            .as_deref()
            .map(|why| format!("；{why}"))
            .unwrap_or_default();
        format!(
            "评估{}户，疑点{}件，新立{}件，办结{}件，移交{}件，待立{}件，归集待认定{}对{held}",
            self.enterprises,
            self.findings,
            self.opened,
            self.closed,
            self.moved,
            self.waiting,
            self.undecided_pairs
        )
    }
}

/// Loads, decides, commits. With `dry_run` nothing is committed.
pub fn run(desk: Desk<'_>, dry_run: bool) -> Result<ReviewReport, Failure> {
    if !dry_run {
        withdraw::finish_left(desk, true)?;
    }
    let (report, events) = decide(desk)?;
    if !dry_run {
        desk.store.commit(desk.now, "review", events)?;
    }
    Ok(report)
}

/// What a review says anew of pairs that may be one firm: those it finds, and those it finds no longer. What a person has decided
/// stays as it is.
fn pairings(
    desk: Desk<'_>,
    candidates: &[Candidate],
) -> Result<Vec<(Subject, String, PairingEvent)>, Failure> {
    let mut known = BTreeMap::new();
    for pairing in desk.store.pairings() {
        let pairing = pairing?;
        let key = (
            pairing.candidate.subject.clone(),
            pairing.candidate.enterprise.clone(),
        );
        known.insert(key, pairing);
    }
    let mut news = Vec::new();
    for candidate in candidates {
        let key = (candidate.subject.clone(), candidate.enterprise.clone());
        let before = known.remove(&key);
        let is_known = before.is_some_and(|before| {
            before.answer.is_some() || (before.found.is_some() && before.candidate == *candidate)
        });
        if !is_known {
            let candidate = candidate.clone();
            news.push((key.0, key.1, PairingEvent::Found { candidate }));
        }
    }
    for ((subject, enterprise), pairing) in known {
        if pairing.is_open() {
            news.push((subject, enterprise, PairingEvent::Ended));
        }
    }
    Ok(news)
}

fn decide(desk: Desk<'_>) -> Result<(ReviewReport, Vec<Event>), Failure> {
    let today = desk.today();
    let cases = desk.store.cases().collect::<Result<Vec<_>, _>>()?;
    let feeds = feeds(desk)?;
    let roll = roll_knowledge(&feeds);
    // While the register or the tax data are stale or held, nothing new is founded on them: findings wait.
    let unfounded: Vec<String> = feeds
        .iter()
        .filter(|feed| matches!(feed.kind, RecordKind::Registration | RecordKind::Tax))
        .filter(|feed| feed.stale || feed.is_held())
        .map(|feed| format!("{}：{}", feed.department, feed.remark()))
        .collect();
    let cap = if unfounded.is_empty() {
        desk.configuration.ladder.caps.new_cases
    } else {
        0
    };
    let mut report = ReviewReport {
        held: (!unfounded.is_empty()).then(|| format!("暂停新立：{}", unfounded.join("；"))),
        ..ReviewReport::default()
    };
    let mut with_cases: HashSet<String> =
        cases.iter().map(|case| case.enterprise.clone()).collect();
    let decided = desk.store.pairings().collect::<Result<Vec<_>, _>>()?;
    let mergers = mergers(&decided);
    // To whom the cases of others may have come.
    with_cases.extend(mergers.values().map(|merger| merger.into.clone()));
    let mut reviewing = Reviewing::begin(cases, &roll, cap, today).knowing(mergers);
    // Of most enterprises there is nothing to say: neither a finding nor a case.
    let look = |enterprise: Enterprise, assessment: Assessment| {
        let is_of_interest = !assessment.findings.is_empty() || with_cases.contains(&enterprise.id);
        is_of_interest.then(|| Box::new((enterprise, assessment)))
    };
    let walked = walk(desk, &roll, &look, &mut |told| {
        let (enterprise, assessment) = *told;
        reviewing.hear(&enterprise, &assessment);
        let opening = |finding: &&Finding| finding.kind.opens_case();
        report.findings += assessment.findings.iter().filter(opening).count() as u64;
    })?;
    let reviewed = reviewing.done();
    report.enterprises = walked.enterprises;
    report.waiting = reviewed.waiting.values().sum();
    report.undecided_pairs = walked.candidates.len() as u64;
    let mut events: Vec<Event> = Vec::with_capacity(reviewed.events.len() + 1);
    for (subject, enterprise, change) in pairings(desk, &walked.candidates)? {
        events.push(Event::Pairing {
            subject,
            enterprise,
            day: today,
            change,
        });
    }
    for (case, change) in reviewed.events {
        match change {
            CaseEvent::Opened { .. } => report.opened += 1,
            CaseEvent::Closed { .. } => report.closed += 1,
            CaseEvent::Moved { .. } => report.moved += 1,
            _ => {}
        }
        events.push(Event::Case {
            case,
            day: today,
            change,
        });
    }
    match roll.as_of {
        Some(roll_as_of) if roll.known.len() == Insurance::ALL.len() => {
            let made = Reviewed {
                roll_as_of,
                waiting: reviewed.waiting,
            };
            // The same review again, after a restart, is no news.
            if desk.store.reviewed()?.as_ref() != Some(&made) {
                events.push(Event::Reviewed {
                    roll_as_of,
                    waiting: made.waiting,
                });
            }
        }
        _ => report.held = Some("参保登记册过期、被隔离或缺少险种，未新立、未办结个案".to_owned()),
    }
    Ok((report, events))
}
