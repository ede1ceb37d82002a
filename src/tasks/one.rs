//! One enterprise without the others: the records that can belong to it are looked up, and the rules of the register and of the
//! coverage are applied to these alone.
//!
//! What the register decides about one enterprise rests on few records, and all of them can be looked up:
//!
//! - the records outside the roll with its organisation code, which make it known and give it its names and numbers;
//! - the records with one of these names or numbers, or under an identifier that was decided to be its own, and all that is known of
//!   the codes on them: somebody else may have them by a stronger tier;
//! - the rows of the roll with its code, its names or its numbers, and all rows of their unit numbers;
//! - for a branch its head office with all of this, and the other branches that come before it.
//!
//! The months that tax and the roll speak of are counted with each delivery, and the pairs that wait for a decision are those of the
//! last review. So the answer is that of the whole register.

use std::collections::{BTreeMap, BTreeSet};

use crate::adapter::language::Adapter;
use crate::calendar::shanghai;
use crate::domain::batch::Verdict;
use crate::domain::code::{self, Claim};
use crate::domain::coverage::{Assessment, assess_one};
use crate::domain::history::{Deed, Span, Step, spans};
use crate::domain::identity::Identity;
use crate::domain::linking::{Anchors, claim_of, comparable_name, names_of, variants};
use crate::domain::pairing::{self, Candidate, Decisions, Pairing, Subject};
use crate::domain::record::{Field, Record, RecordKind};
use crate::domain::register::{
    Enterprise, Periods, Placed, Register, organisation_code, organisation_wanted,
};
use crate::store::lookup::{Lookup, Said};
use crate::tasks::known::{Files, decisions, feeds, roll_knowledge};
use crate::tasks::{Desk, Failure};

/// An enterprise with all that is known of it.
#[derive(Debug)]
pub struct One {
    /// The enterprise, as the whole register has it.
    pub enterprise: Enterprise,
    /// Every standing record that is its own, those included that the register set aside for others.
    pub rows: Vec<Placed>,
    /// What the rules say of it today.
    pub assessment: Option<Assessment>,
    /// What was said of its records, newest first.
    pub history: Vec<Step>,
    /// Over which days each of its records stood, by source and key.
    pub spans: Vec<Span>,
}

/// The enterprises of this credit code, organisation code, id or exact name, in the order of ids: as
/// [`Register::find`] has them. More than one share the name.
pub fn find(desk: Desk<'_>, wanted: &str) -> Result<Vec<Enterprise>, Failure> {
    Gathering::begin(desk)?.find(wanted)
}

/// The one enterprise that is meant, with what the rules say of it and its history; else all that may be.
pub fn find_one(
    desk: Desk<'_>,
    wanted: &str,
) -> Result<Result<Box<One>, Vec<Enterprise>>, Failure> {
    let mut gathering = Gathering::begin(desk)?;
    let mut found = gathering.find(wanted)?;
    let (Some(enterprise), true) = (found.pop(), found.is_empty()) else {
        return Ok(Err(gathering.find(wanted)?));
    };
    let rows = gathering.rows_of(&enterprise);
    let assessment = gathering.assess(&enterprise)?;
    let (history, spans) = gathering.history(&enterprise)?;
    Ok(Ok(Box::new(One {
        enterprise,
        rows,
        assessment,
        history,
        spans,
    })))
}

/// Records on their way into a register of few enterprises.
struct Gathering<'a> {
    desk: Desk<'a>,
    sources: Vec<(&'a Adapter, Lookup<'a>)>,
    decisions: Decisions,
    files: Files,
    /// In the order in which the whole register takes them: by source, then by place.
    placed: BTreeMap<(usize, u64), Placed>,
    /// Organisation codes whose records outside the roll are here, and the names and numbers that the registrar gives each: `None`
    /// when it knows none of them.
    known: BTreeMap<String, Option<Registered>>,
    /// Names whose bearers are here.
    names: BTreeSet<String>,
    /// Identifiers without an organisation code whose records outside the roll are here.
    written: BTreeSet<String>,
    /// Unit numbers whose rows are here.
    units: BTreeSet<String>,
    /// Organisation codes of which everything is here.
    whole: BTreeSet<String>,
}

/// What the registrar's records give an enterprise to be found by.
#[derive(Debug, Clone, Default)]
struct Registered {
    /// Normalised, in every writing that counts as the same.
    names: BTreeSet<String>,
    numbers: BTreeSet<String>,
}

impl<'a> Gathering<'a> {
    fn begin(desk: Desk<'a>) -> Result<Self, Failure> {
        let mut sources = Vec::new();
        for adapter in desk.configuration.adapters.values() {
            sources.push((adapter, desk.store.lookup(&adapter.name, adapter.record)?));
        }
        Ok(Self {
            desk,
            sources,
            decisions: decisions(desk)?,
            files: Files::default(),
            placed: BTreeMap::new(),
            known: BTreeMap::new(),
            names: BTreeSet::new(),
            written: BTreeSet::new(),
            units: BTreeSet::new(),
            whole: BTreeSet::new(),
        })
    }

    /// The records of the roll, or of the other sources, that bear an identity.
    fn look(&mut self, identity: &Identity, roll: bool) -> Result<Vec<Record>, Failure> {
        let mut records = Vec::new();
        for (adapter, lookup) in &mut self.sources {
            if (adapter.record == RecordKind::InsuredRoll) == roll {
                let found = lookup.find(identity)?.into_iter();
                let standing = found.filter(|found| found.stored.stands(adapter.gone_after));
                records.extend(standing.map(|found| found.stored.record));
            }
        }
        Ok(records)
    }

    /// The same with their places; they are taken in.
    fn take_in(&mut self, identity: &Identity, roll: bool) -> Result<Vec<Record>, Failure> {
        let mut taken = Vec::new();
        for (at, (adapter, lookup)) in self.sources.iter_mut().enumerate() {
            if (adapter.record == RecordKind::InsuredRoll) != roll {
                continue;
            }
            for found in lookup.find(identity)? {
                if found.stored.stands(adapter.gone_after) {
                    let placed = self.files.place(self.desk, adapter, found.stored)?;
                    taken.push(placed.record.clone());
                    self.placed.insert((at, found.order), placed);
                }
            }
        }
        Ok(taken)
    }

    /// Takes in the records outside the roll with this organisation code; what the registrar gives it.
    fn know(&mut self, organisation: &str) -> Result<Option<Registered>, Failure> {
        if let Some(known) = self.known.get(organisation) {
            return Ok(known.clone());
        }
        let own = self.take_in(&Identity::Organisation(organisation.to_owned()), false)?;
        let mut registered: Option<Registered> = None;
        for record in own
            .iter()
            .filter(|own| own.kind == RecordKind::Registration)
        {
            let registered = registered.get_or_insert_default();
            registered.names.extend(names_of(record).flat_map(variants));
            let number = record.text(Field::RegistrationNumber);
            registered.numbers.extend(number.map(code::normal));
        }
        self.known
            .insert(organisation.to_owned(), registered.clone());
        // What stands under a code that fails its checks may be another's, whom it is called like.
        let doubtful = own
            .iter()
            .filter(|record| matches!(claim_of(record), Claim::Doubtful(_)));
        for record in doubtful {
            self.called_as(record)?;
        }
        // Whether it is the registrar's may hang on another code that a person has joined to it.
        if let Some(own) = pairing::organisation(organisation) {
            let canonical = self.decisions.canonical(own);
            let mut family: Vec<_> = self.decisions.joined_to(canonical).collect();
            family.push(canonical);
            for other in family.into_iter().filter(|other| *other != own) {
                self.know(&pairing::text(other))?;
            }
        }
        Ok(registered)
    }

    /// Takes in everybody who is called as this record is.
    fn called_as(&mut self, record: &Record) -> Result<(), Failure> {
        match record.text(Field::Name) {
            Some(name) => self.bearers(&variants(name)),
            None => Ok(()),
        }
    }

    /// Takes in the records outside the roll that bear one of these normalised names, and what is known of their codes.
    fn bearers(&mut self, names: &[String]) -> Result<(), Failure> {
        for name in names {
            if name.is_empty() || !self.names.insert(name.clone()) {
                continue;
            }
            let bearing = self.take_in(&Identity::Name(name.clone()), false)?;
            for organisation in bearing.iter().filter_map(own_code) {
                self.know(&organisation)?;
            }
        }
        Ok(())
    }

    /// Takes in the records outside the roll under this identifier, or with it as the registrar's number.
    fn written(&mut self, text: &str) -> Result<(), Failure> {
        if self.written.insert(text.to_owned()) {
            let found = self.take_in(&Identity::Written(text.to_owned()), false)?;
            for organisation in found.iter().filter_map(own_code) {
                self.know(&organisation)?;
            }
        }
        Ok(())
    }

    /// Takes in whom the identifier on a record may lead to.
    fn coded_as(&mut self, record: &Record) -> Result<(), Failure> {
        if let Some(code) = own_code(record) {
            self.know(&code)?;
        }
        match (claim_of(record), record.text(Field::CreditCode)) {
            (Claim::Doubtful(_) | Claim::Opaque, Some(code)) => {
                self.written(&code::normal(code))?;
                self.called_as(record)
            }
            _ => Ok(()),
        }
    }

    /// Takes in the rows of a unit number, and whom the codes on them may lead to.
    fn unit(&mut self, unit: &str) -> Result<(), Failure> {
        if self.units.insert(unit.to_owned()) {
            for row in self.take_in(&Identity::Unit(unit.to_owned()), true)? {
                self.coded_as(&row)?;
            }
        }
        Ok(())
    }

    /// The enterprise under which an organisation code stands by decision.
    fn canonical(&self, organisation: &str) -> String {
        pairing::organisation(organisation).map_or_else(
            || organisation.to_owned(),
            |own| pairing::text(self.decisions.canonical(own)),
        )
    }

    /// Takes in all that decides about an enterprise.
    fn gather(&mut self, organisation: &str) -> Result<(), Failure> {
        let organisation = &self.canonical(organisation);
        if !self.whole.insert(organisation.clone()) {
            return Ok(());
        }
        let mut own = BTreeSet::from([organisation.clone()]);
        let mut subjects = Vec::new();
        let mut rows = Vec::new();
        let mut registered = Registered::default();
        let mut is_known = false;
        // What stands under a code that fails its checks may be joined to it, and bear more names.
        let mut heard = BTreeSet::new();
        while heard != own {
            let codes: Vec<String> = own.difference(&heard).cloned().collect();
            for code in codes {
                if let Some(more) = self.know(&code)? {
                    is_known = true;
                    registered.names.extend(more.names);
                    registered.numbers.extend(more.numbers);
                }
                if let Some(code) = pairing::organisation(&code) {
                    own.extend(self.decisions.joined_to(code).map(pairing::text));
                    subjects.extend(self.decisions.subjects_of(code));
                }
                rows.extend(self.look(&Identity::Organisation(code.clone()), true)?);
                heard.insert(code);
            }
            for subject in std::mem::take(&mut subjects) {
                rows.extend(self.decided(subject)?);
            }
            let names: Vec<String> = registered.names.iter().cloned().collect();
            self.bearers(&names)?;
            own.extend(self.joined_to(organisation));
        }
        for name in registered.names {
            rows.extend(self.look(&Identity::Name(name), true)?);
        }
        for number in registered.numbers {
            self.written(&number)?;
            rows.extend(self.look(&Identity::Written(number), true)?);
        }
        let units: BTreeSet<&str> = rows.iter().filter_map(unit_of).collect();
        for unit in units {
            self.unit(unit)?;
        }
        // Nobody registered has its code: whoever bears the name alone may have its records.
        if !is_known {
            let bears =
                |placed: &Placed| own_code(&placed.record).is_some_and(|code| own.contains(&code));
            let named: Vec<Record> = self
                .placed
                .values()
                .filter(|placed| bears(placed))
                .map(|placed| placed.record.clone())
                .collect();
            for record in named {
                self.called_as(&record)?;
            }
        }
        match self.joined(organisation) {
            Some(other) if other != *organisation => self.gather(&other),
            _ => Ok(()),
        }
    }

    /// Takes in what a person has decided to be an enterprise's; the rows of the roll among it.
    fn decided(&mut self, subject: Subject) -> Result<Vec<Record>, Failure> {
        let identity = match subject {
            Subject::Unit(unit) => {
                self.unit(&unit)?;
                return Ok(Vec::new());
            }
            Subject::Enterprise(_) => return Ok(Vec::new()),
            Subject::Code(code) => {
                if let Some(inner) = organisation_code(&code) {
                    self.know(&inner)?;
                    Identity::Organisation(inner)
                } else {
                    self.written(&code)?;
                    Identity::Written(code)
                }
            }
        };
        self.look(&identity, true)
    }

    /// The codes that are known and stand under this one.
    fn joined_to(&self, organisation: &str) -> Vec<String> {
        let anchors = self.anchors();
        let stands = |code: &&String| {
            pairing::organisation(code)
                .is_some_and(|own| pairing::text(anchors.canonical(own)) == organisation)
        };
        self.known.keys().filter(stands).cloned().collect()
    }

    /// The code under which this one stands.
    fn joined(&self, organisation: &str) -> Option<String> {
        let own = pairing::organisation(organisation)?;
        Some(pairing::text(self.anchors().canonical(own)))
    }

    fn anchors(&self) -> Anchors<'_> {
        let registrations = self
            .placed
            .values()
            .map(|placed| &placed.record)
            .filter(|record| record.kind == RecordKind::Registration);
        Anchors::of(
            registrations,
            self.desk.configuration.units(),
            &self.decisions,
        )
    }

    fn register(&self) -> Result<Register, Failure> {
        let mut register = Register::link(
            self.placed.values().cloned(),
            self.desk.configuration.units(),
            &self.decisions,
        );
        let mut open: Vec<Candidate> = Vec::new();
        for enterprise in &register.enterprises {
            let pairings = self.desk.store.pairings_of(&enterprise.id)?;
            open.extend(
                pairings
                    .into_iter()
                    .filter(Pairing::is_open)
                    .map(|pairing| pairing.candidate),
            );
        }
        register.protect(&open);
        Ok(register)
    }

    fn find(&mut self, wanted: &str) -> Result<Vec<Enterprise>, Failure> {
        let organisation = organisation_wanted(wanted);
        self.gather(&organisation)?;
        if let Some(found) = self.register()?.of_code(&organisation) {
            return Ok(vec![found.clone()]);
        }
        let names = variants(wanted);
        self.bearers(&names)?;
        for name in names {
            for row in self.look(&Identity::Name(name), true)? {
                if let Some(unit) = unit_of(&row) {
                    self.unit(unit)?;
                }
            }
        }
        // Whoever has a record here that bears the name may be called by it, when all that is his is here.
        let wanted_name = comparable_name(wanted);
        let bears = |placed: &Placed| {
            names_of(&placed.record).any(|name| comparable_name(name) == wanted_name)
        };
        loop {
            let register = self.register()?;
            let fresh: Vec<&str> = register
                .enterprises
                .iter()
                .filter(|enterprise| enterprise.is_called(wanted) || enterprise.rows().any(bears))
                .map(Enterprise::organisation)
                .filter(|organisation| !self.whole.contains(*organisation))
                .collect();
            if fresh.is_empty() {
                let called = register.enterprises.into_iter();
                return Ok(called
                    .filter(|enterprise| enterprise.is_called(wanted))
                    .collect());
            }
            for organisation in fresh {
                self.gather(organisation)?;
            }
        }
    }

    fn rows_of(&self, enterprise: &Enterprise) -> Vec<Placed> {
        let own: BTreeSet<(&str, &str)> = enterprise
            .links
            .iter()
            .map(|link| (link.source.as_str(), link.key.as_str()))
            .collect();
        let is_own = |placed: &&Placed| {
            own.contains(&(placed.adapter.as_str(), placed.record.key().as_str()))
        };
        self.placed.values().filter(is_own).cloned().collect()
    }

    fn assess(&mut self, enterprise: &Enterprise) -> Result<Option<Assessment>, Failure> {
        let head = enterprise
            .registration
            .as_ref()
            .and_then(|placed| placed.record.text(Field::HeadOfficeCode))
            .and_then(organisation_code)
            .filter(|head| head != enterprise.organisation());
        if let Some(head) = head {
            self.gather(&head)?;
            let branches = self.look(&Identity::HeadOffice(head), false)?;
            let branches: BTreeSet<String> = branches.iter().filter_map(own_code).collect();
            // In the order of ids: what is left of the head office's heads comes to the later ones last.
            let before = |branch: &&String| branch.as_str() < enterprise.organisation();
            for branch in branches.iter().take_while(before) {
                self.gather(branch)?;
            }
        }
        let mut register = self.register()?;
        register.periods = Periods::default();
        for (_, lookup) in &self.sources {
            lookup.add_to(&mut register.periods);
        }
        let roll = roll_knowledge(&feeds(self.desk)?);
        let rules = &self.desk.configuration.rules;
        let today = self.desk.today();
        let survey = self.desk.store.survey(&enterprise.id)?;
        let surveys = survey
            .into_iter()
            .map(|survey| (enterprise.id.clone(), survey))
            .collect();
        let id = &enterprise.id;
        Ok(assess_one(&register, id, rules, &roll, &surveys, today))
    }

    /// What was said of the records of an enterprise, newest first, and over which days they stood. Of the roll these are the rows
    /// that are its own, and those of its unit numbers that are gone and were not another's.
    fn history(&mut self, enterprise: &Enterprise) -> Result<(Vec<Step>, Vec<Span>), Failure> {
        let own = Identity::Organisation(enterprise.organisation().to_owned());
        let mut told: Vec<(u64, Step)> = Vec::new();
        let mut stood = Vec::new();
        for (adapter, lookup) in &mut self.sources {
            let mut leads = BTreeSet::from([own.clone()]);
            if adapter.record == RecordKind::InsuredRoll {
                let mut units: BTreeSet<String> = enterprise.unit_states.keys().cloned().collect();
                for found in lookup.find(&own)? {
                    units.extend(unit_of(&found.stored.record).map(str::to_owned));
                }
                leads = units.into_iter().map(Identity::Unit).collect();
            }
            let linked: BTreeSet<&str> = enterprise
                .links
                .iter()
                .filter(|link| link.source == adapter.name)
                .map(|link| link.key.as_str())
                .collect();
            // What came to it by another tier lies under the code that it carries.
            if adapter.record != RecordKind::InsuredRoll {
                leads.extend(linked.iter().map(|key| {
                    let first = key.split('|').next().unwrap_or(key);
                    organisation_code(first).map_or_else(
                        || Identity::Written(first.to_owned()),
                        Identity::Organisation,
                    )
                }));
            }
            for lead in leads {
                for (key, history) in lookup.histories(&lead)? {
                    let last = history
                        .last()
                        .and_then(|said| said.after.as_ref().or(said.before.as_ref()));
                    let is_own = linked.contains(key.as_str())
                        || last.is_some_and(|record| own.is_of(record));
                    if !is_own {
                        continue;
                    }
                    let mut steps = Vec::new();
                    for said in history {
                        if let Some(step) = step(self.desk, &mut self.files, adapter, &key, said)? {
                            steps.push(step);
                        }
                    }
                    stood.extend(spans(steps.iter().map(|(_, step)| step)));
                    told.extend(steps);
                }
            }
        }
        // Deliveries are numbered in the order in which they were taken in. Of one delivery in the order of sources and keys.
        told.sort_by_key(|(delivery, _)| std::cmp::Reverse(*delivery));
        Ok((told.into_iter().map(|(_, step)| step).collect(), stood))
    }
}

/// A step with its batch. What a withdrawal took out of a history beside the withdrawn batch's own words is told where the later
/// batch says it anew.
fn step(
    desk: Desk<'_>,
    files: &mut Files,
    adapter: &Adapter,
    key: &str,
    said: Said,
) -> Result<Option<(u64, Step)>, Failure> {
    let Some(batch) = files.batch(desk, &said.batch)? else {
        return Ok(None);
    };
    let is_withdrawn = batch.verdict == Verdict::Withdrawn;
    if said.deed == Deed::Withdrawn && !is_withdrawn {
        return Ok(None);
    }
    let withdrawn = batch
        .withdrawn
        .as_ref()
        .filter(|_| said.deed == Deed::Withdrawn)
        .map(|taken| {
            let day = shanghai::civil(taken.at).date();
            (taken.by.clone(), taken.reason.clone(), day)
        });
    let step = Step {
        source: adapter.name.clone(),
        key: key.to_owned(),
        deed: said.deed,
        batch: said.batch,
        file: batch.file.clone(),
        row: said.row,
        learned: shanghai::civil(batch.counted_from()).date(),
        as_of: batch.as_of,
        withdrawn,
        before: said.before,
        after: said.after,
    };
    Ok(Some((said.delivery, step)))
}

fn own_code(record: &Record) -> Option<String> {
    record.text(Field::CreditCode).and_then(organisation_code)
}

fn unit_of(record: &Record) -> Option<&str> {
    if record.kind != RecordKind::InsuredRoll {
        return None;
    }
    record.text(Field::UnitNumber)
}
