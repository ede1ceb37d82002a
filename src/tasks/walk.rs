//! Every enterprise in turn, with what the rules say of it, in little memory: the whole register is never held.
//!
//! 1. The registrar's records are heard, then those of tax and transport, then the roll twice (its unit numbers first): of each record
//!    only whose it is and where it lies is kept, sixteen bytes.
//! 2. If loose ends are left, the registrations are gone through once more for those they may belong to.
//! 3. Head offices and branches judge each other, so they are read together.
//! 4. All others are read by a few hundred, in the order of their ids, by two workers.
//!
//! What comes out is what [`crate::tasks::known::known`] says of the same records.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use xxhash_rust::xxh3::xxh3_64;

use crate::adapter::language::Adapter;
use crate::domain::candidates::LooseEnds;
use crate::domain::code::{Organisation, organisation_bytes_of};
use crate::domain::coverage::{Assessment, RollKnowledge, assess_all};
use crate::domain::linking::{Anchors, UnitLead};
use crate::domain::pairing::{self, Candidate};
use crate::domain::record::{Field, Record, RecordKind};
use crate::domain::register::{Enterprise, Periods, Register};
use crate::domain::survey::Surveys;
use crate::store::{Records, StoredRecord};
use crate::tasks::known::{Feed, Files, decisions, feeds, roll_knowledge};
use crate::tasks::{Desk, Failure};

/// Records that one thread hands to another at a time.
const HANDFUL: usize = 512;
/// Handfuls that wait.
const WAITING: usize = 4;
/// Enterprises that are read together.
const GROUP: usize = 512;
/// Groups are read by so many.
const WORKERS: usize = 2;

/// What was learned on the way.
#[derive(Debug)]
pub struct Walked {
    /// The sources.
    pub feeds: Vec<Feed>,
    /// The roll.
    pub roll: RollKnowledge,
    /// Pairs that may be one firm.
    pub candidates: Vec<Candidate>,
    /// Enterprises met.
    pub enterprises: u64,
}

/// Goes through all enterprises in the order of their ids. Why a record is an enterprise's own is not told here: its `links` are empty.
///
/// # Errors
/// What `each` answers ends the walk.
pub fn walk(
    desk: Desk<'_>,
    each: &mut dyn FnMut(&Enterprise, &Assessment) -> Result<(), Failure>,
) -> Result<Walked, Failure> {
    let feeds = feeds(desk)?;
    let roll = roll_knowledge(&feeds);
    let decisions = decisions(desk)?;
    let units = desk.configuration.units();
    let mut sources: Vec<&Adapter> = desk.configuration.adapters.values().collect();
    let mut periods = Periods::default();
    for adapter in &sources {
        let lookup = desk.store.lookup(&adapter.name, adapter.record)?;
        lookup.add_to(&mut periods);
    }
    sources.truncate(usize::from(u16::MAX));
    let mut anchors = Anchors::begin(units, &decisions);
    let mut owned = Owned::default();
    owned.registrations(desk, &sources, &mut anchors)?;
    let mut loose = LooseEnds::default();
    let insured = owned.others(desk, &sources, &anchors, &mut loose)?;
    owned.sort(&anchors);
    let reading = Reading {
        desk,
        sources: &sources,
        owned: &owned,
    };
    let candidates = reading.candidates(&anchors, &loose, &insured)?;
    let judging = Judging {
        reading,
        periods: &periods,
        roll: &roll,
        surveys: &desk.store.surveys()?,
        protecting: &protecting(&candidates),
    };
    let enterprises = judging.all(&anchors, each)?;
    Ok(Walked {
        feeds,
        roll,
        candidates,
        enterprises,
    })
}

/// The open pairs that protect an enterprise, by its rank.
fn protecting(candidates: &[Candidate]) -> HashMap<u64, Vec<Candidate>> {
    let mut by_enterprise: HashMap<u64, Vec<Candidate>> = HashMap::new();
    for candidate in candidates.iter().filter(|candidate| candidate.protects) {
        if let Some(organisation) = pairing::organisation(&candidate.enterprise) {
            let own = by_enterprise.entry(rank(organisation)).or_default();
            own.push(candidate.clone());
        }
    }
    by_enterprise
}

/// An organisation code as a number that sorts as the code does: nine characters, each a digit or a letter.
fn rank(organisation: Organisation) -> u64 {
    organisation.iter().fold(0, |rank, b| {
        let value = match b {
            b'0'..=b'9' => b - b'0',
            _ => b.saturating_sub(b'A').min(25) + 10,
        };
        rank * 36 + u64::from(value)
    })
}

fn of_rank(mut rank: u64) -> Organisation {
    let mut organisation = [b'0'; 9];
    for b in organisation.iter_mut().rev() {
        *b = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[usize::try_from(rank % 36).unwrap_or(0)];
        rank /= 36;
    }
    organisation
}

/// A record that is somebody's: whose and of which source in one number, so that they sort by enterprise, then by source; and where it
/// lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Own {
    whose: u64,
    place: u64,
}

const SOURCE_BITS: u32 = 16;

impl Own {
    fn of(organisation: Organisation, source: usize, place: u64) -> Self {
        Self {
            whose: rank(organisation) << SOURCE_BITS | source as u64,
            place,
        }
    }

    const fn enterprise(self) -> u64 {
        self.whose >> SOURCE_BITS
    }

    fn source(self) -> usize {
        usize::try_from(self.whose & ((1 << SOURCE_BITS) - 1)).unwrap_or(0)
    }
}

/// Whose every record is.
#[derive(Debug, Default)]
struct Owned {
    records: Vec<Own>,
    /// Branches with the head offices that they name.
    branches: Vec<(Organisation, Organisation)>,
}

impl Owned {
    /// Hears the registrar. Under whom a registration stands is known when all are heard, so first it stands under its own code.
    fn registrations(
        &mut self,
        desk: Desk<'_>,
        sources: &[&Adapter],
        anchors: &mut Anchors<'_>,
    ) -> Result<(), Failure> {
        // Under an identifier without an organisation code: few.
        let mut without: Vec<(usize, u64, Record)> = Vec::new();
        for (source, adapter) in of_kinds(sources, &[RecordKind::Registration]) {
            stream(desk, adapter, &mut |place, stored| {
                let record = stored.record;
                anchors.hear(&record);
                let own = record
                    .text(Field::CreditCode)
                    .and_then(organisation_bytes_of);
                let Some(own) = own else {
                    without.push((source, place, record));
                    return;
                };
                let head = record
                    .text(Field::HeadOfficeCode)
                    .and_then(organisation_bytes_of);
                self.branches.extend(head.map(|head| (own, head)));
                self.records.push(Own::of(own, source, place));
            })?;
        }
        anchors.settle();
        for (source, place, record) in without {
            if let Some((organisation, ..)) = anchors.of_registration(&record) {
                self.records.push(Own::of(organisation, source, place));
            }
        }
        Ok(())
    }

    /// Hears the other sources. The individual businesses on whose roll rows somebody may be registered.
    fn others(
        &mut self,
        desk: Desk<'_>,
        sources: &[&Adapter],
        anchors: &Anchors<'_>,
        loose: &mut LooseEnds,
    ) -> Result<HashSet<u64>, Failure> {
        for (source, adapter) in of_kinds(sources, &[RecordKind::Tax, RecordKind::Transport]) {
            stream(desk, adapter, &mut |place, stored| {
                let lead = anchors.lead(&stored.record, None);
                let settled = Register::settle(anchors, loose, &stored.record, lead);
                if let Some((organisation, ..)) = settled {
                    self.records.push(Own::of(organisation, source, place));
                }
            })?;
        }
        let mut units: HashMap<u64, UnitLead> = HashMap::new();
        let unit_of = |record: &Record| {
            let unit = record.text(Field::UnitNumber)?;
            Some(xxh3_64(unit.as_bytes()))
        };
        for (_, adapter) in of_kinds(sources, &[RecordKind::InsuredRoll]) {
            stream(desk, adapter, &mut |_, stored| {
                if let Some(unit) = unit_of(&stored.record)
                    && let Some(said) = anchors.said_by_row(&stored.record)
                {
                    units.entry(unit).or_default().hear(said);
                }
            })?;
        }
        let mut insured = HashSet::new();
        for (source, adapter) in of_kinds(sources, &[RecordKind::InsuredRoll]) {
            stream(desk, adapter, &mut |place, stored| {
                let record = &stored.record;
                let of_unit = unit_of(record).and_then(|unit| units.get(&unit)?.one());
                let lead = anchors.lead(record, of_unit);
                let Some((organisation, ..)) = Register::settle(anchors, loose, record, lead)
                else {
                    return;
                };
                self.records.push(Own::of(organisation, source, place));
                let heads = record.count(Field::RegisteredHeads);
                if heads.is_none_or(|heads| heads > 0) && anchors.is_individual(organisation) {
                    insured.insert(rank(organisation));
                }
            })?;
        }
        Ok(insured)
    }

    /// Puts registrations under whom they stand, and all in order.
    fn sort(&mut self, anchors: &Anchors<'_>) {
        let joined: HashMap<u64, Organisation> = anchors
            .joined()
            .map(|(own, joined)| (rank(own), joined))
            .collect();
        if !joined.is_empty() {
            for own in &mut self.records {
                if let Some(joined) = joined.get(&own.enterprise()) {
                    *own = Own::of(*joined, own.source(), own.place);
                }
            }
        }
        self.records.sort_unstable();
    }
}

fn of_kinds<'s>(
    sources: &'s [&Adapter],
    kinds: &'s [RecordKind],
) -> impl Iterator<Item = (usize, &'s Adapter)> {
    let all = sources.iter().enumerate();
    all.filter(|(_, adapter)| kinds.contains(&adapter.record))
        .map(|(at, adapter)| (at, *adapter))
}

/// Tells `each` the standing records of a source with their places, in order. Reading goes on while it listens.
fn stream(
    desk: Desk<'_>,
    adapter: &Adapter,
    each: &mut dyn FnMut(u64, StoredRecord),
) -> Result<(), Failure> {
    let (give, take): (SyncSender<Vec<(u64, StoredRecord)>>, Receiver<_>) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || -> Result<(), Failure> {
            let mut records = desk.store.scan(&adapter.name, adapter.record)?;
            let mut handful = Vec::with_capacity(HANDFUL);
            while let Some(found) = records.placed() {
                let (place, stored) = found?;
                if !stored.stands(adapter.gone_after) {
                    continue;
                }
                handful.push((place, stored));
                if handful.len() == HANDFUL {
                    let full = std::mem::replace(&mut handful, Vec::with_capacity(HANDFUL));
                    if give.send(full).is_err() {
                        return Ok(());
                    }
                }
            }
            // Nobody listens any longer only when he has failed himself.
            let _ = give.send(handful);
            Ok(())
        });
        for handful in take {
            for (place, stored) in handful {
                each(place, stored);
            }
        }
        reader
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Reads enterprises by what is owned.
#[derive(Clone, Copy)]
struct Reading<'a> {
    desk: Desk<'a>,
    sources: &'a [&'a Adapter],
    owned: &'a Owned,
}

/// The sources as one reader has them open.
struct Open<'a> {
    reading: Reading<'a>,
    records: Vec<Records<'a>>,
    files: Files,
}

impl<'a> Reading<'a> {
    fn open(self) -> Result<Open<'a>, Failure> {
        let records = self
            .sources
            .iter()
            .map(|adapter| self.desk.store.scan(&adapter.name, adapter.record))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Open {
            reading: self,
            records,
            files: Files::default(),
        })
    }

    /// The pairs that may be one firm. Without loose ends and without ended businesses on the roll there are none.
    fn candidates(
        self,
        anchors: &Anchors<'_>,
        loose: &LooseEnds,
        insured: &HashSet<u64>,
    ) -> Result<Vec<Candidate>, Failure> {
        if loose.is_empty() && insured.is_empty() {
            return Ok(Vec::new());
        }
        let mut search = loose.search(anchors);
        let registrar = |own: &&Own| {
            let adapter = self.sources.get(own.source());
            adapter.is_some_and(|adapter| adapter.record == RecordKind::Registration)
        };
        let registrations: Vec<Own> = self
            .owned
            .records
            .iter()
            .filter(registrar)
            .copied()
            .collect();
        let mut open = self.open()?;
        for group in groups(&registrations) {
            for enterprise in open.enterprises(group, &|_| true)? {
                if let Some(row) = &enterprise.registration {
                    let is_insured = pairing::organisation(&enterprise.id)
                        .is_some_and(|organisation| insured.contains(&rank(organisation)));
                    search.meet(&enterprise, &row.record, is_insured);
                }
            }
        }
        Ok(search.done())
    }
}

impl Open<'_> {
    /// The enterprises of these records, those that are wanted, in the order of their ids.
    fn enterprises(
        &mut self,
        records: &[Own],
        wanted: &dyn Fn(u64) -> bool,
    ) -> Result<Vec<Enterprise>, Failure> {
        // What lies together is read together.
        let mut by_place: Vec<usize> = (0..records.len())
            .filter(|at| wanted(records[*at].enterprise()))
            .collect();
        by_place.sort_unstable_by_key(|at| (records[*at].source(), records[*at].place));
        let mut found = Vec::with_capacity(by_place.len());
        for at in by_place {
            let own = records[at];
            let (Some(source), Some(adapter)) = (
                self.records.get_mut(own.source()),
                self.reading.sources.get(own.source()),
            ) else {
                continue;
            };
            let stored = source.again(own.place)?;
            found.push((at, self.files.place(self.reading.desk, adapter, stored)?));
        }
        found.sort_unstable_by_key(|(at, placed)| {
            (records[*at].enterprise(), turn(placed.record.kind), *at)
        });
        let mut enterprises: Vec<(u64, Enterprise)> = Vec::new();
        for (at, placed) in found {
            let whose = records[at].enterprise();
            if enterprises.last().is_none_or(|(last, _)| *last != whose) {
                enterprises.push((whose, Enterprise::of(of_rank(whose))));
            }
            if let Some((_, enterprise)) = enterprises.last_mut() {
                enterprise.take(placed);
            }
        }
        Ok(enterprises
            .into_iter()
            .map(|(_, enterprise)| enterprise)
            .collect())
    }
}

/// The registrar first, the roll last.
const fn turn(kind: RecordKind) -> u8 {
    match kind {
        RecordKind::Registration => 0,
        RecordKind::Tax | RecordKind::Transport => 1,
        RecordKind::InsuredRoll => 2,
    }
}

/// Records of a few hundred enterprises at a time.
fn groups(records: &[Own]) -> Vec<&[Own]> {
    let mut groups = Vec::new();
    let (mut from, mut met) = (0, 0);
    for at in 0..records.len() {
        let is_new = at == 0 || records[at].enterprise() != records[at - 1].enterprise();
        if is_new {
            if met == GROUP {
                groups.push(&records[from..at]);
                (from, met) = (at, 0);
            }
            met += 1;
        }
    }
    if from < records.len() {
        groups.push(&records[from..]);
    }
    groups
}

/// Judges enterprises.
#[derive(Clone, Copy)]
struct Judging<'a> {
    reading: Reading<'a>,
    periods: &'a Periods,
    roll: &'a RollKnowledge,
    surveys: &'a Surveys,
    protecting: &'a HashMap<u64, Vec<Candidate>>,
}

type Judged = Vec<(u64, Enterprise, Assessment)>;

impl Judging<'_> {
    /// Judges all and tells of each in the order of ids.
    fn all(
        self,
        anchors: &Anchors<'_>,
        each: &mut dyn FnMut(&Enterprise, &Assessment) -> Result<(), Failure>,
    ) -> Result<u64, Failure> {
        let families: BTreeSet<u64> = self
            .reading
            .owned
            .branches
            .iter()
            .flat_map(|(branch, head)| [*branch, *head])
            .map(|organisation| rank(anchors.canonical(organisation)))
            .collect();
        let mut together: BTreeMap<u64, (Enterprise, Assessment)> = self
            .families(anchors, &families)?
            .into_iter()
            .map(|(whose, enterprise, assessment)| (whose, (enterprise, assessment)))
            .collect();
        let groups = groups(&self.reading.owned.records);
        let (groups, families) = (&groups, &families);
        let mut met = 0;
        std::thread::scope(|scope| {
            let workers: Vec<Receiver<Result<Judged, Failure>>> = (0..WORKERS)
                .map(|worker| {
                    let (give, take) = sync_channel(WAITING);
                    scope.spawn(move || self.work(groups, worker, families, &give));
                    take
                })
                .collect();
            for at in 0..groups.len() {
                let Ok(judged) = workers[at % WORKERS].recv() else {
                    break;
                };
                for (whose, enterprise, assessment) in judged? {
                    // The families that come before it.
                    let later = together.split_off(&whose);
                    for (enterprise, assessment) in std::mem::replace(&mut together, later).values()
                    {
                        each(enterprise, assessment)?;
                        met += 1;
                    }
                    each(&enterprise, &assessment)?;
                    met += 1;
                }
            }
            for (enterprise, assessment) in together.values() {
                each(enterprise, assessment)?;
                met += 1;
            }
            Ok(met)
        })
    }

    fn work(
        self,
        groups: &[&[Own]],
        worker: usize,
        families: &BTreeSet<u64>,
        give: &SyncSender<Result<Judged, Failure>>,
    ) {
        let mut open = match self.reading.open() {
            Ok(open) => open,
            Err(failure) => {
                let _ = give.send(Err(failure));
                return;
            }
        };
        for group in groups.iter().skip(worker).step_by(WORKERS) {
            let judged = open
                .enterprises(group, &|whose| !families.contains(&whose))
                .map(|enterprises| self.judge(enterprises, None));
            if give.send(judged).is_err() {
                return;
            }
        }
    }

    /// Head offices and branches, read and judged together.
    fn families(self, anchors: &Anchors<'_>, families: &BTreeSet<u64>) -> Result<Judged, Failure> {
        if families.is_empty() {
            return Ok(Vec::new());
        }
        let own: Vec<Own> = self
            .reading
            .owned
            .records
            .iter()
            .filter(|own| families.contains(&own.enterprise()))
            .copied()
            .collect();
        let enterprises = self.reading.open()?.enterprises(&own, &|_| true)?;
        Ok(self.judge(enterprises, Some(anchors)))
    }

    fn judge(self, mut enterprises: Vec<Enterprise>, anchors: Option<&Anchors<'_>>) -> Judged {
        for enterprise in &mut enterprises {
            if let Some(organisation) = pairing::organisation(&enterprise.id)
                && let Some(open) = self.protecting.get(&rank(organisation))
            {
                enterprise.undecided.clone_from(open);
            }
        }
        let mut register = Register::of(enterprises, self.periods.clone());
        if let Some(anchors) = anchors {
            register.join(anchors);
        }
        let desk = self.reading.desk;
        let assessments = assess_all(
            &register,
            &desk.configuration.rules,
            self.roll,
            self.surveys,
            desk.today(),
        );
        register
            .enterprises
            .into_iter()
            .zip(assessments)
            .map(|(enterprise, assessment)| {
                let whose = pairing::organisation(&enterprise.id).map_or(0, rank);
                (whose, enterprise, assessment)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_sort_as_codes_do_and_come_back() {
        let codes = [
            "000000000",
            "00000000X",
            "223287768",
            "EA40000X1",
            "MA49U85BX",
            "ZZZZZZZZX",
        ];
        let ranks: Vec<u64> = codes
            .iter()
            .map(|code| rank(code.as_bytes().try_into().unwrap()))
            .collect();
        assert!(ranks.is_sorted());
        for (code, rank) in codes.iter().zip(ranks) {
            assert_eq!(&of_rank(rank)[..], code.as_bytes());
            assert!(rank < 1 << (64 - SOURCE_BITS));
        }
    }
}
