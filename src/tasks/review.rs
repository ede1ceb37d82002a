//! Review: who is doubtful today, and which cases the data open, move and close.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::candidates::{LooseEnds, Searched};
use crate::domain::case::CaseEvent;
use crate::domain::coverage::Assessment;
use crate::domain::event::Event;
use crate::domain::finding::Insurance;
use crate::domain::outcome::{Outcome, Standpoint};
use crate::domain::pairing::{Candidate, Decisions, Pairing, PairingEvent, Subject, mergers};
use crate::domain::record::RecordKind;
use crate::domain::register::Enterprise;
use crate::domain::review::Reviewing;
use crate::store::Reviewed;
use crate::tasks::known::{feeds, periods, roll_knowledge};
use crate::tasks::since::{Footing, renew};
use crate::tasks::walk::walk;
use crate::tasks::{Desk, Failure, withdraw};

/// What a review did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReviewReport {
    /// Enterprises assessed.
    pub enterprises: u64,
    /// Of these judged anew: of the others nothing changed since the last review.
    pub judged: u64,
    /// Of how many was found otherwise, on a review of everybody, than had been taken over: more than none is a fault of the program.
    pub differing: u64,
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
        let differing = match self.differing {
            0 => String::new(),
            differing => format!("；[YB-5242] 与此前逐日比对不一致{differing}处，已以本次为准"),
        };
        format!(
            "评估{}户（其中重新评估{}户），疑点{}件，新立{}件，办结{}件，移交{}件，待立{}件，归集待认定{}对{held}{differing}",
            self.enterprises,
            self.judged,
            self.findings,
            self.opened,
            self.closed,
            self.moved,
            self.waiting,
            self.undecided_pairs
        )
    }
}

/// Days after which a review judges everybody though it need not: what was taken over until then is held against that.
const ALL_AFTER: i32 = 7;

/// Loads, decides, commits. With `dry_run` nothing is committed. Only whom changes since the last review may concern is judged anew,
/// where that can be told.
pub fn run(desk: Desk<'_>, dry_run: bool) -> Result<ReviewReport, Failure> {
    carry_out(desk, dry_run, false)
}

/// The same, and everybody is judged.
pub fn run_all(desk: Desk<'_>, dry_run: bool) -> Result<ReviewReport, Failure> {
    carry_out(desk, dry_run, true)
}

fn carry_out(desk: Desk<'_>, dry_run: bool, all: bool) -> Result<ReviewReport, Failure> {
    if !dry_run {
        withdraw::finish_left(desk, true)?;
    }
    let decided = decide(desk, all)?;
    if !dry_run {
        desk.store.commit(desk.now, "review", decided.events)?;
        desk.store
            .keep_standpoint(decided.standpoint, &decided.outcomes)?;
    }
    Ok(decided.report)
}

/// What a review comes to.
#[derive(Debug)]
pub struct Decided {
    /// What it did.
    pub report: ReviewReport,
    /// What is to be committed.
    pub events: Vec<Event>,
    /// What was found of each enterprise, sorted.
    pub outcomes: Vec<Outcome>,
    standpoint: Standpoint,
}

/// What a review says anew of pairs that may be one firm: those it finds, and those it finds no longer. What a person has decided
/// stays as it is.
fn pairings(known: Vec<Pairing>, candidates: &[Candidate]) -> Vec<(Subject, String, PairingEvent)> {
    let key = |candidate: &Candidate| (candidate.subject.clone(), candidate.enterprise.clone());
    let mut known: BTreeMap<_, _> = known
        .into_iter()
        .map(|pairing| (key(&pairing.candidate), pairing))
        .collect();
    let mut news = Vec::new();
    for candidate in candidates {
        let key = key(candidate);
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
    news
}

/// What was found of everybody, of some of them anew.
struct Found {
    outcomes: Vec<Outcome>,
    loose: LooseEnds,
    searched: Searched,
    judged: u64,
    full: Date,
}

/// Reviews what changed since the last review: `None` when it takes a review of everybody.
fn find_changed(
    footing: &Footing<'_>,
    now: &Standpoint,
    (before, outcomes): (Standpoint, Vec<Outcome>),
    reviewing: &mut Reviewing<'_>,
) -> Result<Option<Found>, Failure> {
    let full = before.full;
    let renewed = renew(footing, now, before, outcomes, reviewing)?;
    Ok(renewed.map(|renewed| Found {
        outcomes: renewed.outcomes,
        loose: renewed.loose,
        searched: renewed.searched,
        judged: renewed.judged,
        full,
    }))
}

impl Found {
    /// Of how many enterprises something else was found.
    fn differing(&self, other: &Self) -> u64 {
        let known: BTreeMap<u64, Outcome> = other.by_enterprise().collect();
        let own: BTreeMap<u64, Outcome> = self.by_enterprise().collect();
        let all: BTreeSet<u64> = own.keys().chain(known.keys()).copied().collect();
        let differing = all.iter().filter(|one| own.get(one) != known.get(one));
        let pairs = u64::from(self.searched.listed() != other.searched.listed());
        differing.count() as u64 + pairs
    }

    fn by_enterprise(&self) -> impl Iterator<Item = (u64, Outcome)> {
        self.outcomes.iter().map(|one| (one.enterprise, *one))
    }
}

/// Reviews everybody.
fn find_all(footing: &Footing<'_>, reviewing: &mut Reviewing<'_>) -> Result<Found, Failure> {
    let awaited: HashSet<String> = reviewing
        .awaited()
        .map(|(enterprise, _)| enterprise.to_owned())
        .collect();
    let units = footing.desk.configuration.units();
    // Of most enterprises there is nothing to say: neither a finding nor a case, nor the cases of another.
    let look = |enterprise: Enterprise, assessment: Assessment| {
        let outcome = Outcome::of(&assessment, units);
        let is_of_interest = !assessment.findings.is_empty() || awaited.contains(&enterprise.id);
        Some((
            outcome,
            is_of_interest.then(|| Box::new((enterprise, assessment))),
        ))
    };
    let mut outcomes = Vec::new();
    let walked = walk(footing.desk, footing.roll, &look, &mut |(outcome, told)| {
        outcomes.extend(outcome);
        if let Some(told) = told {
            reviewing.hear(&told.0, &told.1);
        }
    })?;
    Ok(Found {
        outcomes,
        loose: walked.loose,
        searched: walked.searched,
        judged: walked.enterprises,
        full: footing.desk.today(),
    })
}

/// What a review would come to, with `all` judging everybody.
pub fn decide(desk: Desk<'_>, all: bool) -> Result<Decided, Failure> {
    let today = desk.today();
    // What the last review left is read beside the cases, the pairs and the sources.
    let (before, cases, decided, periods) = std::thread::scope(|scope| {
        let before = scope.spawn(|| if all { None } else { desk.store.standpoint() });
        let cases = desk.store.cases().collect::<Result<Vec<_>, _>>();
        let pairings = desk.store.pairings().collect::<Result<Vec<_>, _>>();
        let periods = periods(desk);
        let before = before.join();
        let before = before.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok::<_, Failure>((before, cases?, pairings?, periods?))
    })?;
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
    let mergers = mergers(&decided);
    let is_due = before.as_ref().is_some_and(|(before, _)| {
        let days = before.full.until(today).map(|span| span.get_days());
        days.unwrap_or(ALL_AFTER) >= ALL_AFTER
    });
    // What was taken over until the day it is due is held against what is found of everybody.
    let mut aside =
        is_due.then(|| Reviewing::begin(cases.clone(), &roll, cap, today).knowing(mergers.clone()));
    let mut reviewing = Reviewing::begin(cases, &roll, cap, today).knowing(mergers);
    let footing = Footing::of(desk, &roll, periods, Decisions::of(&decided))?;
    let mut standpoint = footing.standpoint()?;
    let changed = match before {
        None => None,
        Some(before) => {
            let hearing = aside.as_mut().unwrap_or(&mut reviewing);
            find_changed(&footing, &standpoint, before, hearing)?
        }
    };
    let mut differing = 0;
    let found = match changed {
        Some(found) if !is_due => found,
        changed => {
            let found = find_all(&footing, &mut reviewing)?;
            if let Some(changed) = changed {
                differing = found.differing(&changed);
            }
            found
        }
    };
    if differing > 0 {
        tracing::error!(
            code = "YB-5242",
            enterprises = differing,
            "what was taken over since the last review of everybody is not what is found now; what is found now holds"
        );
    }
    let candidates = found.searched.listed();
    let reviewed = reviewing.done();
    let opening = found.outcomes.iter().flat_map(|outcome| outcome.opening());
    let mut report = ReviewReport {
        enterprises: found.outcomes.len() as u64,
        judged: found.judged,
        differing,
        findings: opening.count() as u64,
        waiting: reviewed.waiting.values().sum(),
        undecided_pairs: candidates.len() as u64,
        held: (!unfounded.is_empty()).then(|| format!("暂停新立：{}", unfounded.join("；"))),
        ..ReviewReport::default()
    };
    let mut events: Vec<Event> = Vec::with_capacity(reviewed.events.len() + 1);
    for (subject, enterprise, change) in pairings(decided, &candidates) {
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
    standpoint.full = found.full;
    standpoint.loose = found.loose;
    standpoint.searched = found.searched;
    Ok(Decided {
        report,
        events,
        standpoint,
        outcomes: found.outcomes,
    })
}
