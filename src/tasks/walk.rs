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
use crate::domain::candidates::{LOOKED_AT, LooseEnds, MET, Search, Searched};
use crate::domain::code::{Organisation, organisation_bytes_of};
use crate::domain::coverage::{Assessment, RollKnowledge, assess_all};
use crate::domain::linking::{self, Anchors, UnitLead};
use crate::domain::outcome::{of_rank, rank};
use crate::domain::pairing::{self, Candidate};
use crate::domain::record::{Field, FieldSet, Record, RecordKind};
use crate::domain::register::{Enterprise, Periods, Register};
use crate::domain::survey::Surveys;
use crate::domain::unit::Units;
use crate::store::{Records, StoredRecord};
use crate::tasks::known::{Files, decisions, periods};
use crate::tasks::{Desk, Failure};

/// Groups that wait to be told of.
const WAITING: usize = 4;
/// Enterprises that are read together.
const GROUP: usize = 512;
/// Groups are read by so many.
pub(super) const WORKERS: usize = 2;

/// What was learned on the way.
#[derive(Debug)]
pub struct Walked {
    /// The records that lead nowhere.
    pub loose: LooseEnds,
    /// What was found on holding them against all: [`Searched::listed`] are the pairs that may be one firm.
    pub searched: Searched,
    /// Enterprises met.
    pub enterprises: u64,
}

/// Goes through all enterprises, against what is known of the roll. The workers ask `look` what is to be told of each, and `tell` hears
/// that in the order of ids. Why a record is an enterprise's own is not told here: its `links` are empty.
pub fn walk<T: Send>(
    desk: Desk<'_>,
    roll: &RollKnowledge,
    look: &(dyn Fn(Enterprise, Assessment) -> Option<T> + Sync),
    tell: &mut dyn FnMut(T),
) -> Result<Walked, Failure> {
    let decisions = decisions(desk)?;
    let units = desk.configuration.units();
    let sources: Vec<&Adapter> = desk.configuration.adapters.values().collect();
    let periods = periods(desk)?;
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
    let searched = reading.candidates(&anchors, &loose, &insured)?;
    let candidates = searched.listed();
    let judging = Judging {
        reading,
        periods: &periods,
        roll,
        surveys: &desk.store.surveys()?,
        protecting: &protecting(&candidates),
    };
    let enterprises = judging.all(&anchors, look, tell)?;
    Ok(Walked {
        loose,
        searched,
        enterprises,
    })
}

/// The open pairs that protect an enterprise, by its rank.
pub(super) fn protecting(candidates: &[Candidate]) -> HashMap<u64, Vec<Candidate>> {
    let mut by_enterprise: HashMap<u64, Vec<Candidate>> = HashMap::new();
    for candidate in candidates.iter().filter(|candidate| candidate.protects) {
        if let Some(organisation) = pairing::organisation(&candidate.enterprise) {
            let own = by_enterprise.entry(rank(organisation)).or_default();
            own.push(candidate.clone());
        }
    }
    by_enterprise
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
    ///
    /// Two read and say what they heard; it is taken here, in the same order whoever is faster.
    fn registrations(
        &mut self,
        desk: Desk<'_>,
        sources: &[&Adapter],
        anchors: &mut Anchors<'_>,
    ) -> Result<(), Failure> {
        // Under an identifier without an organisation code: few.
        let mut without: Vec<(usize, u64, Record)> = Vec::new();
        // Under codes that fail their checks: of two under one code the later counts, so these are heard in order.
        let mut doubtful: Vec<(usize, u64, linking::Heard)> = Vec::new();
        let units = anchors.units();
        std::thread::scope(|scope| {
            let mut readers: Vec<Receiver<Result<Registrations, Failure>>> = (0..WORKERS)
                .map(|worker| {
                    let (give, take) = sync_channel(WAITING);
                    scope.spawn(move || Registrations::read(desk, sources, units, worker, &give));
                    take
                })
                .collect();
            while !readers.is_empty() {
                let mut going = Vec::with_capacity(readers.len());
                for reader in readers {
                    let Ok(read) = reader.recv() else {
                        continue;
                    };
                    let read = read?;
                    for heard in read.heard {
                        anchors.take(heard);
                    }
                    self.records.extend(read.records);
                    self.branches.extend(read.branches);
                    doubtful.extend(read.doubtful);
                    without.extend(read.without);
                    going.push(reader);
                }
                readers = going;
            }
            Ok::<_, Failure>(())
        })?;
        doubtful.sort_unstable_by_key(|(source, place, _)| (*source, *place));
        for (.., heard) in doubtful {
            anchors.take(heard);
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
        let unit_of = |record: &Record| {
            let unit = record.text(Field::UnitNumber)?;
            Some(xxh3_64(unit.as_bytes()))
        };
        let heard = shared(|worker| {
            let mut heard = Heard::default();
            let others = [RecordKind::Tax, RecordKind::Transport];
            for (source, adapter) in of_kinds(sources, &others) {
                stream(desk, adapter, worker, &mut |place, record| {
                    heard.hear(anchors, source, place, record, None);
                })?;
            }
            let mut units: HashMap<u64, UnitLead> = HashMap::new();
            for (_, adapter) in of_kinds(sources, &[RecordKind::InsuredRoll]) {
                stream(desk, adapter, worker, &mut |_, record| {
                    if let Some(unit) = unit_of(record)
                        && let Some(said) = anchors.said_by_row(record)
                    {
                        units.entry(unit).or_default().hear(said);
                    }
                })?;
            }
            Ok((heard, units))
        })?;
        let mut units: HashMap<u64, UnitLead> = HashMap::new();
        for (heard, said) in heard {
            self.take(heard, loose);
            if units.is_empty() {
                units = said;
            } else {
                for (unit, said) in said {
                    units.entry(unit).or_default().hear_all(said);
                }
            }
        }
        let units = &units;
        let heard = shared(|worker| {
            let mut heard = Heard::default();
            for (source, adapter) in of_kinds(sources, &[RecordKind::InsuredRoll]) {
                stream(desk, adapter, worker, &mut |place, record| {
                    let of_unit = unit_of(record).and_then(|unit| units.get(&unit)?.one());
                    let whose = heard.hear(anchors, source, place, record, of_unit);
                    let heads = record.count(Field::RegisteredHeads);
                    if let Some(organisation) = whose
                        && heads.is_none_or(|heads| heads > 0)
                        && anchors.is_individual(organisation)
                    {
                        heard.insured.insert(rank(organisation));
                    }
                })?;
            }
            Ok(heard)
        })?;
        let mut insured = HashSet::new();
        for mut heard in heard {
            insured.extend(std::mem::take(&mut heard.insured));
            self.take(heard, loose);
        }
        Ok(insured)
    }

    fn take(&mut self, heard: Heard, loose: &mut LooseEnds) {
        self.records.extend(heard.records);
        loose.add(heard.loose);
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

/// What one reader has read of the registrar, some hundred registrations at a time.
#[derive(Debug, Default)]
struct Registrations {
    heard: Vec<linking::Heard>,
    doubtful: Vec<(usize, u64, linking::Heard)>,
    records: Vec<Own>,
    branches: Vec<(Organisation, Organisation)>,
    without: Vec<(usize, u64, Record)>,
    count: usize,
}

impl Registrations {
    fn read(
        desk: Desk<'_>,
        sources: &[&Adapter],
        units: &Units,
        worker: usize,
        give: &SyncSender<Result<Self, Failure>>,
    ) {
        let mut read = Self::default();
        for (source, adapter) in of_kinds(sources, &[RecordKind::Registration]) {
            let streamed = stream(desk, adapter, worker, &mut |place, record| {
                read.hear(units, source, place, record);
                if read.count == GROUP {
                    // Nobody listens any longer only when another has failed.
                    let _ = give.send(Ok(std::mem::take(&mut read)));
                }
            });
            if let Err(failure) = streamed {
                let _ = give.send(Err(failure));
                return;
            }
        }
        let _ = give.send(Ok(read));
    }

    fn hear(&mut self, units: &Units, source: usize, place: u64, record: &Record) {
        self.count += 1;
        match linking::Heard::of(record, units) {
            Some(heard @ linking::Heard::Doubtful(..)) => {
                self.doubtful.push((source, place, heard));
            }
            heard => self.heard.extend(heard),
        }
        let own = record
            .text(Field::CreditCode)
            .and_then(organisation_bytes_of);
        let Some(own) = own else {
            self.without.push((source, place, record.clone()));
            return;
        };
        let head = record
            .text(Field::HeadOfficeCode)
            .and_then(organisation_bytes_of);
        self.branches.extend(head.map(|head| (own, head)));
        self.records.push(Own::of(own, source, place));
    }
}

/// What one worker has heard.
#[derive(Debug, Default)]
struct Heard {
    records: Vec<Own>,
    loose: LooseEnds,
    insured: HashSet<u64>,
}

impl Heard {
    /// Hears one record of a source other than the registrar's; whose it is.
    fn hear(
        &mut self,
        anchors: &Anchors<'_>,
        source: usize,
        place: u64,
        record: &Record,
        of_unit: Option<Organisation>,
    ) -> Option<Organisation> {
        let lead = anchors.lead(record, of_unit);
        let (organisation, ..) = self.loose.settle(anchors, record, lead)?;
        self.records.push(Own::of(organisation, source, place));
        Some(organisation)
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

/// Tells `each` the standing records of one reader's share of a source with their places, in order: no more of them than is
/// looked at in linking.
pub(super) fn stream(
    desk: Desk<'_>,
    adapter: &Adapter,
    reader: usize,
    each: &mut dyn FnMut(u64, &Record),
) -> Result<(), Failure> {
    let records = desk.store.scan(&adapter.name, adapter.record)?;
    let mut records = records.only(LOOKED_AT).share(reader, WORKERS);
    let mut stored = StoredRecord::blank(adapter.record);
    while let Some(place) = records.placed_over(&mut stored) {
        let place = place?;
        if stored.stands(adapter.gone_after) {
            each(place, &stored.record);
        }
    }
    Ok(())
}

/// Lets every worker do its share; their results in order.
pub(super) fn shared<T: Send>(
    work: impl Fn(usize) -> Result<T, Failure> + Sync,
) -> Result<Vec<T>, Failure> {
    std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| scope.spawn(move || work(worker)))
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
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
            .map(|adapter| self.desk.store.again(&adapter.name, adapter.record))
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
    ) -> Result<Searched, Failure> {
        if loose.is_empty() && insured.is_empty() {
            return Ok(Searched::default());
        }
        let laid_out = loose.laid_out();
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
        let groups = groups(&registrations);
        // Each has a stretch of them, so that what was found stands in the order of ids.
        let found = shared(|worker| {
            let (from, to) = (
                groups.len() * worker / WORKERS,
                groups.len() * (worker + 1) / WORKERS,
            );
            let mut search = Search::begin(&laid_out, anchors);
            let mut open = self.open()?.only(MET);
            for group in &groups[from..to] {
                for enterprise in open.enterprises(group, &|_| true)? {
                    if let Some(row) = &enterprise.registration {
                        let is_insured = pairing::organisation(&enterprise.id)
                            .is_some_and(|organisation| insured.contains(&rank(organisation)));
                        search.meet(&enterprise, &row.record, is_insured);
                    }
                }
            }
            Ok(search.done())
        })?;
        let mut searched = Searched::default();
        for more in found {
            searched.add(more);
        }
        searched.succeed(&|subject, organisation| anchors.is_apart(subject, organisation));
        Ok(searched)
    }
}

impl Open<'_> {
    /// Of all records no more than these fields.
    fn only(mut self, wanted: FieldSet) -> Self {
        let records = self.records.into_iter();
        self.records = records.map(|records| records.only(wanted)).collect();
        self
    }

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
/// How many were looked at, and what is to be told of whom.
type Looked<T> = (u64, Vec<(u64, T)>);

impl Judging<'_> {
    /// Judges all and tells of them in the order of ids; how many there are.
    fn all<T: Send>(
        self,
        anchors: &Anchors<'_>,
        look: &(dyn Fn(Enterprise, Assessment) -> Option<T> + Sync),
        tell: &mut dyn FnMut(T),
    ) -> Result<u64, Failure> {
        let families: BTreeSet<u64> = self
            .reading
            .owned
            .branches
            .iter()
            .flat_map(|(branch, head)| [*branch, *head])
            .map(|organisation| rank(anchors.canonical(organisation)))
            .collect();
        let (mut met, together) = looked(self.families(anchors, &families)?, look);
        let mut together: BTreeMap<u64, T> = together.into_iter().collect();
        let groups = groups(&self.reading.owned.records);
        let (groups, families) = (&groups, &families);
        std::thread::scope(|scope| {
            let workers: Vec<Receiver<Result<Looked<T>, Failure>>> = (0..WORKERS)
                .map(|worker| {
                    let (give, take) = sync_channel(WAITING);
                    scope.spawn(move || self.work(groups, worker, families, look, &give));
                    take
                })
                .collect();
            for at in 0..groups.len() {
                let Ok(looked) = workers[at % WORKERS].recv() else {
                    break;
                };
                let (count, told) = looked?;
                met += count;
                for (whose, told) in told {
                    // The families that come before it.
                    let later = together.split_off(&whose);
                    for told in std::mem::replace(&mut together, later).into_values() {
                        tell(told);
                    }
                    tell(told);
                }
            }
            for told in together.into_values() {
                tell(told);
            }
            Ok(met)
        })
    }

    fn work<T: Send>(
        self,
        groups: &[&[Own]],
        worker: usize,
        families: &BTreeSet<u64>,
        look: &(dyn Fn(Enterprise, Assessment) -> Option<T> + Sync),
        give: &SyncSender<Result<Looked<T>, Failure>>,
    ) {
        let mut open = match self.reading.open() {
            Ok(open) => open,
            Err(failure) => {
                // Nobody listens any longer only when another worker has failed.
                let _ = give.send(Err(failure));
                return;
            }
        };
        for group in groups.iter().skip(worker).step_by(WORKERS) {
            let judged = open
                .enterprises(group, &|whose| !families.contains(&whose))
                .map(|enterprises| looked(self.judge(enterprises, None), look));
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

fn looked<T>(
    judged: Judged,
    look: &(dyn Fn(Enterprise, Assessment) -> Option<T> + Sync),
) -> Looked<T> {
    let count = judged.len() as u64;
    let told = judged
        .into_iter()
        .filter_map(|(whose, enterprise, assessment)| Some((whose, look(enterprise, assessment)?)))
        .collect();
    (count, told)
}
