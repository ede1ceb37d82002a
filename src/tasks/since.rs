//! A review of what changed since the last one: whom the changes may concern is judged anew, of all others is taken over what was
//! found then. What comes out is what [`crate::tasks::walk::walk`] would say.
//!
//! 1. The changes of each source tell which enterprises and which loose ends they may concern ([`crate::tasks::touched`]).
//! 2. Touched loose ends are settled anew and held against all registrations, touched enterprises against all loose ends.
//! 3. Touched enterprises are judged with their head offices and branches, and so is of whom a day has come on which the same
//!    records are told otherwise, of whom a person found out something, and who has an open case.
//! 4. Of findings without a case only as many are founded anew as may open one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::civil::Date;
use xxhash_rust::xxh3::xxh3_64;

use crate::adapter::language::Adapter;
use crate::domain::candidates::{LaidOut, LooseEnds, Search, Searched, Traces};
use crate::domain::code::Organisation;
use crate::domain::coverage::{Assessment, RollKnowledge, assess_all, common_to_all};
use crate::domain::finding::FindingKind;
use crate::domain::linking::Anchors;
use crate::domain::outcome::{Outcome, Standpoint, of_rank, rank};
use crate::domain::pairing::{self, Candidate, Decisions, Subject};
use crate::domain::record::RecordKind;
use crate::domain::register::{Enterprise, Periods, Register};
use crate::domain::review::Reviewing;
use crate::domain::survey::Surveys;
use crate::tasks::gathering::{Gathering, own_code};
use crate::tasks::touched::{Touched, Touching, settled};
use crate::tasks::walk::{WORKERS, protecting, shared, stream};
use crate::tasks::{Desk, Failure};

/// Enterprises that are gathered at once.
const GROUP: usize = 64;
/// Of more than one enterprise in so many it takes no longer to judge all.
const MUCH: usize = 8;
/// Of fewer enterprises it is always worth it.
const FEW: usize = 1000;

/// What bears on all enterprises alike.
pub(super) struct Footing<'a> {
    pub desk: Desk<'a>,
    pub roll: &'a RollKnowledge,
    pub periods: Periods,
    pub surveys: Surveys,
    pub decisions: Arc<Decisions>,
}

impl<'a> Footing<'a> {
    pub fn of(
        desk: Desk<'a>,
        roll: &'a RollKnowledge,
        periods: Periods,
        decisions: Decisions,
    ) -> Result<Self, Failure> {
        Ok(Self {
            desk,
            roll,
            periods,
            surveys: desk.store.surveys()?,
            decisions: Arc::new(decisions),
        })
    }

    /// All of it as it stands now, with nothing found yet; to be asked before anything is read.
    pub fn standpoint(&self) -> Result<Standpoint, Failure> {
        let desk = self.desk;
        let configuration = desk.configuration;
        let mut basis = blake3::Hasher::new();
        basis.update(env!("CARGO_PKG_VERSION").as_bytes());
        for (path, text) in &configuration.files {
            basis.update(path.as_bytes());
            basis.update(blake3::hash(text.as_bytes()).as_bytes());
        }
        let common = common_to_all(&self.periods, &configuration.rules, self.roll, desk.today());
        basis.update(common.as_bytes());
        basis.update(format!("{:?}", self.decisions).as_bytes());
        let mut positions = BTreeMap::new();
        for adapter in configuration.adapters.keys() {
            positions.insert(adapter.clone(), desk.store.position(adapter)?);
        }
        let surveys = self.surveys.iter();
        Ok(Standpoint {
            basis: basis.finalize().to_hex().to_string(),
            day: desk.today(),
            full: desk.today(),
            positions,
            surveys: surveys
                .map(|(id, survey)| (id.clone(), xxh3_64(format!("{survey:?}").as_bytes())))
                .collect(),
            loose: LooseEnds::default(),
            searched: Searched::default(),
        })
    }
}

/// What a review of the changes found: as much as one of everybody.
pub(super) struct Renewed {
    /// Sorted by enterprise.
    pub outcomes: Vec<Outcome>,
    pub loose: LooseEnds,
    pub searched: Searched,
    /// How many enterprises were judged anew.
    pub judged: u64,
}

/// Reviews what changed since `before` when things stand as `now` says; `reviewing` hears it. `None`: it takes a review of everybody,
/// and nothing was heard.
pub(super) fn renew(
    footing: &Footing<'_>,
    now: &Standpoint,
    before: Standpoint,
    outcomes: Vec<Outcome>,
    reviewing: &mut Reviewing<'_>,
) -> Result<Option<Renewed>, Failure> {
    if before.basis != now.basis || before.day > now.day {
        return Ok(None);
    }
    let worker = |_| {
        let gathering = Gathering::knowing(footing.desk, Arc::clone(&footing.decisions))?;
        Ok(Mutex::new(gathering))
    };
    let workers: Vec<_> = (0..WORKERS).map(worker).collect::<Result<_, Failure>>()?;
    let Some(touched) = footing.touched(&workers, &before, outcomes.len())? else {
        return Ok(None);
    };
    let mut loose = before.loose;
    loose.forget(&touched.subjects);
    let fresh = Footing::settled(&workers, &touched.subjects)?;
    loose.add(fresh.clone());
    let mut renewing = Renewing {
        footing,
        workers,
        cases: reviewing
            .awaited()
            .map(|(id, is_open)| (id.to_owned(), is_open))
            .collect(),
        before: outcomes,
        judged: BTreeMap::new(),
        gone: BTreeSet::new(),
    };
    let protected_then = protecting(&before.searched.listed());
    // Whom nothing protects yet is judged so at first: few are protected, and they are judged once more.
    let searched = renewing.search(
        &loose,
        &fresh,
        before.searched,
        touched.organisations,
        &touched.subjects,
    )?;
    let protecting = [protected_then, protecting(&searched.listed())];
    let mut again = renewing.turned(&before.surveys, &now.surveys, now.day);
    again.extend(protected(&protecting, &renewing.judged));
    let passed = renewing.pass(&again, &protecting[1], None)?;
    renewing.take(passed);
    let with_cases = renewing.asked_for_cases();
    let passed = renewing.pass(&with_cases, &protecting[1], None)?;
    if !renewing.is_as_before(&passed) {
        return Ok(None);
    }
    renewing.take(passed);
    let outcomes = renewing.outcomes();
    let first = renewing.first_of_units(&outcomes, reviewing.cap());
    let passed = renewing.pass(&first.asked, &protecting[1], None)?;
    if !renewing.is_as_before(&passed) {
        return Ok(None);
    }
    renewing.take(passed);
    let judged = renewing.judged.len() as u64;
    renewing.tell(&outcomes, first, reviewing);
    Ok(Some(Renewed {
        outcomes,
        loose,
        searched,
        judged,
    }))
}

impl Footing<'_> {
    /// Whom the changes since then may concern; `None` when that can not be told, or is everybody. Whichever worker is free hears the
    /// next source.
    fn touched(
        &self,
        workers: &[Mutex<Gathering<'_>>],
        before: &Standpoint,
        enterprises: usize,
    ) -> Result<Option<Touched>, Failure> {
        let most = (enterprises / MUCH).max(FEW);
        let adapters: Vec<&Adapter> = self.desk.configuration.adapters.values().collect();
        let next = AtomicUsize::new(0);
        let heard = shared(|worker| {
            let mut gathering = locked(&workers[worker]);
            let mut touching = Touching::begin(&mut gathering);
            while let Some(adapter) = adapters.get(next.fetch_add(1, Ordering::Relaxed)) {
                let from = before.positions.get(&adapter.name).cloned();
                let is_told = self.desk.store.since(
                    &adapter.name,
                    adapter.record,
                    adapter.gone_after,
                    &from.unwrap_or_default(),
                    &mut |before, after| {
                        if touching.len() > most {
                            return Ok(());
                        }
                        touching.hear(before, after)
                    },
                )?;
                if !is_told || touching.len() > most {
                    return Ok(None);
                }
            }
            touching.done().map(Some)
        })?;
        let mut all = Touched::default();
        for heard in heard {
            let Some(touched) = heard else {
                return Ok(None);
            };
            all.organisations.extend(touched.organisations);
            all.subjects.extend(touched.subjects);
        }
        Ok((all.organisations.len() <= most).then_some(all))
    }

    /// These loose ends settled anew.
    fn settled(
        workers: &[Mutex<Gathering<'_>>],
        subjects: &BTreeSet<Subject>,
    ) -> Result<LooseEnds, Failure> {
        let subjects: Vec<&Subject> = subjects.iter().collect();
        let parts = shared(|worker| {
            let own = subjects.iter().skip(worker).step_by(WORKERS);
            settled(&mut locked(&workers[worker]), own.copied())
        })?;
        let mut loose = LooseEnds::default();
        for part in parts {
            loose.add(part);
        }
        Ok(loose)
    }

    /// The registrations that have something in common with these loose ends or ended businesses.
    fn traced(&self, traces: &Traces) -> Result<BTreeSet<String>, Failure> {
        let desk = self.desk;
        let found = shared(|worker| {
            let mut found = BTreeSet::new();
            let adapters = desk.configuration.adapters.values();
            for adapter in adapters.filter(|one| one.record == RecordKind::Registration) {
                stream(desk, adapter, worker, &mut |_, record| {
                    if traces.lead_to(record) {
                        found.extend(own_code(record));
                    }
                })?;
            }
            Ok(found)
        })?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// A worker's gathering is cleared before it serves anew, so a panic left nothing in it.
fn locked<'g, 'a>(gathering: &'g Mutex<Gathering<'a>>) -> MutexGuard<'g, Gathering<'a>> {
    let mut gathering = gathering.lock().unwrap_or_else(PoisonError::into_inner);
    gathering.clear();
    gathering
}

/// Of whom other pairs protect him now than when he was judged.
fn protected(
    [then, now]: &[HashMap<u64, Vec<Candidate>>; 2],
    judged: &BTreeMap<u64, Judged>,
) -> BTreeSet<String> {
    let both = then.keys().chain(now.keys());
    both.filter(|enterprise| {
        if judged.contains_key(enterprise) {
            now.contains_key(enterprise)
        } else {
            then.get(enterprise) != now.get(enterprise)
        }
    })
    .map(|enterprise| pairing::text(of_rank(*enterprise)))
    .collect()
}

/// What was found of an enterprise, and itself when something is to be said of it.
type Judged = (Outcome, Option<Box<(Enterprise, Assessment)>>);

/// What a pass over some enterprises found.
#[derive(Default)]
struct Passed {
    judged: BTreeMap<u64, Judged>,
    /// Of those asked for, the codes under which no enterprise stands.
    gone: BTreeSet<u64>,
    /// Head offices and branches of those asked for.
    family: BTreeSet<String>,
    searched: Searched,
}

/// Of findings without a case, those that may be among the first of their unit.
#[derive(Default)]
struct First {
    asked: BTreeSet<String>,
    /// How many findings of each unit wait whatever is heard.
    waiting: BTreeMap<String, u64>,
}

struct Renewing<'a> {
    footing: &'a Footing<'a>,
    /// One for each worker: what it has open serves it from pass to pass.
    workers: Vec<Mutex<Gathering<'a>>>,
    /// Enterprises that have a case or are awaited, and whether they are heard of without a finding.
    cases: HashMap<String, bool>,
    /// Sorted by enterprise.
    before: Vec<Outcome>,
    judged: BTreeMap<u64, Judged>,
    gone: BTreeSet<u64>,
}

impl Renewing<'_> {
    /// Judges whom changes may concern, and holds him against all loose ends; whoever has something in common with a touched one is
    /// held against them too. All that is found then of pairs.
    fn search(
        &mut self,
        loose: &LooseEnds,
        fresh: &LooseEnds,
        before: Searched,
        touched: BTreeSet<String>,
        subjects: &BTreeSet<Subject>,
    ) -> Result<Searched, Failure> {
        let laid_out = loose.laid_out();
        let nobody = HashMap::new();
        let mut met = BTreeSet::new();
        let mut searched = Searched::default();
        let mut asked = touched;
        let mut is_traced = false;
        while !asked.is_empty() || !is_traced {
            let mut passed = self.pass(&asked, &nobody, Some(&laid_out))?;
            met.append(&mut asked);
            searched.add(std::mem::take(&mut passed.searched));
            asked = std::mem::take(&mut passed.family);
            self.take(passed);
            asked.retain(|organisation| !met.contains(organisation));
            if asked.is_empty() && !is_traced {
                is_traced = true;
                asked = self.footing.traced(&fresh.traces(&searched.ended))?;
                asked.retain(|organisation| !met.contains(organisation));
            }
        }
        // Under whom they stand is met as well.
        let mut organisations: HashSet<Organisation> = met
            .iter()
            .filter_map(|own| pairing::organisation(own))
            .collect();
        organisations.extend(self.judged.keys().map(|own| of_rank(*own)));
        let mut all = before.without(&organisations, subjects);
        all.add(searched);
        let decisions = &self.footing.decisions;
        all.succeed(&|subject, organisation| decisions.is_apart(subject, organisation));
        Ok(all)
    }

    /// Judges the enterprises under these codes, with what protects them; with `loose` they are held against the loose ends.
    fn pass(
        &self,
        asked: &BTreeSet<String>,
        protecting: &HashMap<u64, Vec<Candidate>>,
        loose: Option<&LaidOut<'_>>,
    ) -> Result<Passed, Failure> {
        let asked: Vec<&String> = asked.iter().collect();
        let next = AtomicUsize::new(0);
        let parts = shared(|worker| {
            let mut gathering = locked(&self.workers[worker]);
            let mut passed = Passed::default();
            // Whoever is done takes the next group: one takes longer than another.
            let groups = std::iter::repeat_with(|| {
                let at = next.fetch_add(GROUP, Ordering::Relaxed);
                asked.get(at..)?.chunks(GROUP).next()
            });
            for group in groups.map_while(|group| group) {
                self.pass_group(&mut gathering, group, protecting, loose, &mut passed)?;
            }
            Ok(passed)
        })?;
        let mut all = Passed::default();
        for part in parts {
            all.judged.extend(part.judged);
            all.gone.extend(part.gone);
            all.family.extend(part.family);
            all.searched.add(part.searched);
        }
        Ok(all)
    }

    fn pass_group(
        &self,
        gathering: &mut Gathering<'_>,
        asked: &[&String],
        protecting: &HashMap<u64, Vec<Candidate>>,
        loose: Option<&LaidOut<'_>>,
        passed: &mut Passed,
    ) -> Result<(), Failure> {
        let footing = self.footing;
        let configuration = footing.desk.configuration;
        for organisation in asked {
            gathering.gather(organisation)?;
            let family = gathering.family(organisation)?;
            // Without any it is itself alone.
            passed.family.extend(family);
        }
        let placed = gathering.hand_over();
        let registrations = placed
            .iter()
            .map(|placed| &placed.record)
            .filter(|record| record.kind == RecordKind::Registration);
        let units = configuration.units();
        let anchors = Anchors::of(registrations, units, &footing.decisions);
        let mut register = Register::link(placed, units, &footing.decisions);
        register.periods = footing.periods.clone();
        let pairs = register.enterprises.iter().filter_map(|enterprise| {
            let own = pairing::organisation(&enterprise.id)?;
            protecting.get(&rank(own))
        });
        let pairs: Vec<Candidate> = pairs.flatten().cloned().collect();
        register.protect(&pairs);
        let assessments = assess_all(
            &register,
            &configuration.rules,
            footing.roll,
            &footing.surveys,
            footing.desk.today(),
        );
        let mut wanted = BTreeSet::new();
        for organisation in asked {
            let own = pairing::organisation(organisation).map(rank);
            let found = register.of_code(organisation);
            let stands = found.and_then(|one| Some(rank(pairing::organisation(&one.id)?)));
            passed.gone.extend(own.filter(|own| Some(*own) != stands));
            wanted.extend(stands);
        }
        let mut search = loose.map(|loose| Search::begin(loose, &anchors));
        for (enterprise, assessment) in register.enterprises.into_iter().zip(assessments) {
            let Some(outcome) = Outcome::of(&assessment, units) else {
                continue;
            };
            if !wanted.contains(&outcome.enterprise) {
                continue;
            }
            if let (Some(search), Some(row)) = (&mut search, &enterprise.registration) {
                search.meet(&enterprise, &row.record, enterprise.has_heads());
            }
            let is_of_interest =
                !assessment.findings.is_empty() || self.cases.contains_key(&enterprise.id);
            let of_interest = is_of_interest.then(|| Box::new((enterprise, assessment)));
            passed
                .judged
                .insert(outcome.enterprise, (outcome, of_interest));
        }
        if let Some(search) = search {
            passed.searched.add(search.done());
        }
        Ok(())
    }

    fn take(&mut self, passed: Passed) {
        self.judged.extend(passed.judged);
        self.gone.extend(passed.gone);
    }

    /// Of whom a day has come on which the same records are told otherwise, or a person found out something.
    fn turned(
        &self,
        then: &BTreeMap<String, u64>,
        now: &BTreeMap<String, u64>,
        today: Date,
    ) -> BTreeSet<String> {
        let both = then.keys().chain(now.keys());
        let mut turned: BTreeSet<String> = both
            .filter(|id| then.get(*id) != now.get(*id))
            .filter_map(|id| id.strip_prefix('E'))
            .map(str::to_owned)
            .collect();
        let is_due = |one: &&Outcome| one.turns.is_some_and(|turns| turns <= today);
        let due = self.before.iter().filter(is_due);
        turned.extend(due.map(|one| pairing::text(of_rank(one.enterprise))));
        turned
    }

    /// Who was not judged yet and has an open case, or a finding beside an ended one.
    fn asked_for_cases(&self) -> BTreeSet<String> {
        let is_asked = |id: &str, is_open: bool| {
            let own = pairing::organisation(id).map(rank)?;
            let before = self.before(own)?;
            let is_due = is_open || before.opening().next().is_some();
            (is_due && !self.judged.contains_key(&own) && !self.gone.contains(&own))
                .then(|| pairing::text(of_rank(own)))
        };
        let cases = self.cases.iter();
        cases
            .filter_map(|(id, is_open)| is_asked(id, *is_open))
            .collect()
    }

    /// Whether everybody was found as the review before found him: nothing of him has changed.
    fn is_as_before(&self, passed: &Passed) -> bool {
        let differs = passed
            .judged
            .values()
            .find(|(outcome, _)| self.before(outcome.enterprise) != Some(*outcome));
        if let Some((outcome, _)) = differs {
            tracing::error!(
                code = "YB-5241",
                enterprise = outcome.id(),
                "an enterprise of which nothing changed is found otherwise than by the last review; all are reviewed"
            );
        }
        differs.is_none() && passed.gone.is_empty()
    }

    /// What was found of an enterprise before.
    fn before(&self, enterprise: u64) -> Option<Outcome> {
        let at = self
            .before
            .binary_search_by_key(&enterprise, |one| one.enterprise);
        at.ok().map(|at| self.before[at])
    }

    /// What holds now of all, sorted by enterprise.
    fn outcomes(&self) -> Vec<Outcome> {
        let mut all = Vec::with_capacity(self.before.len() + self.judged.len());
        let mut kept = self.before.as_slice();
        // Up to this enterprise they are as before; of itself nothing is kept.
        let mut keep = |enterprise: u64, all: &mut Vec<Outcome>| {
            let at = kept.partition_point(|one| one.enterprise < enterprise);
            all.extend_from_slice(&kept[..at]);
            let is_known = kept.get(at).is_some_and(|one| one.enterprise == enterprise);
            kept = &kept[at + usize::from(is_known)..];
        };
        let mut gone = self.gone.iter().copied().peekable();
        for (enterprise, (outcome, _)) in &self.judged {
            while let Some(gone) = gone.next_if(|gone| gone < enterprise) {
                keep(gone, &mut all);
            }
            keep(*enterprise, &mut all);
            all.push(*outcome);
        }
        for gone in gone {
            keep(gone, &mut all);
        }
        all.extend_from_slice(kept);
        all
    }

    /// Whose findings may be among the first of their unit, of those who have no case and were not judged: as many as there is room for.
    fn first_of_units(&self, outcomes: &[Outcome], room: usize) -> First {
        type Place = (std::cmp::Reverse<u64>, u64, FindingKind);
        let units = &self.footing.desk.configuration.units().units;
        let ids = self.cases.keys();
        let with_cases: HashSet<u64> = ids
            .filter_map(|id| pairing::organisation(id).map(rank))
            .collect();
        let mut by_unit: BTreeMap<&str, Vec<Place>> = BTreeMap::new();
        for one in outcomes {
            if one.findings == 0
                || with_cases.contains(&one.enterprise)
                || self.judged.contains_key(&one.enterprise)
            {
                continue;
            }
            let unit = one.unit.and_then(|at| units.get(usize::from(at)));
            let places = by_unit.entry(unit.map_or("", |unit| &unit.id)).or_default();
            let persons = std::cmp::Reverse(one.employed);
            places.extend(one.opening().map(|kind| (persons, one.enterprise, kind)));
        }
        let mut first = First::default();
        for (unit, mut places) in by_unit {
            if places.len() > room && room > 0 {
                places.select_nth_unstable(room - 1);
            }
            let asked: BTreeSet<u64> = places.iter().take(room).map(|place| place.1).collect();
            let rest = places.iter().filter(|place| !asked.contains(&place.1));
            first.waiting.insert(unit.to_owned(), rest.count() as u64);
            let codes = asked.into_iter().map(|own| pairing::text(of_rank(own)));
            first.asked.extend(codes);
        }
        first
    }

    /// Tells what was found, in the order of ids.
    fn tell(self, outcomes: &[Outcome], first: First, reviewing: &mut Reviewing<'_>) {
        for (unit, findings) in first
            .waiting
            .into_iter()
            .filter(|(_, findings)| *findings > 0)
        {
            reviewing.wait(&unit, findings);
        }
        for (_, of_interest) in self.judged.values() {
            if let Some(told) = of_interest {
                reviewing.hear(&told.0, &told.1);
            }
        }
        let is_met = |id: &str| {
            let own = pairing::organisation(id).map(rank);
            own.is_some_and(|own| {
                outcomes
                    .binary_search_by_key(&own, |one| one.enterprise)
                    .is_ok()
            })
        };
        for id in self.cases.keys().filter(|id| is_met(id)) {
            reviewing.pass_over(id);
        }
    }
}
