//! The records that can belong to a few enterprises, looked up: what the register decides about them rests on these alone.
//!
//! - the records outside the roll with its organisation code, which make an enterprise known and give it its names and numbers;
//! - the records with one of these names or numbers, or under an identifier that was decided to be its own, and all that is known of
//!   the codes on them: somebody else may have them by a stronger tier;
//! - the rows of the roll with its code, its names or its numbers, and all rows of their unit numbers;
//! - for a branch its head office with all of this, and that one's other branches.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Deref;
use std::sync::Arc;

use crate::adapter::language::Adapter;
use crate::domain::code::{self, Claim};
use crate::domain::identity::Identity;
use crate::domain::linking::{Anchors, claim_of, names_of, variants};
use crate::domain::pairing::{self, Candidate, Decisions, Pairing, Subject};
use crate::domain::record::{Field, Record, RecordKind};
use crate::domain::register::{Placed, Register, organisation_code};
use crate::store::lookup::Lookup;
use crate::tasks::known::{Files, decisions};
use crate::tasks::{Desk, Failure};

/// Records that are remembered at most beside those that were taken in.
const READ_MOST: usize = 16_384;

/// A record that was read, with its place. Many hold it.
#[derive(Debug, Clone)]
pub(super) struct Read(Arc<Placed>);

impl Deref for Read {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.0.record
    }
}

/// Records on their way into a register of few enterprises.
pub(super) struct Gathering<'a> {
    pub(super) desk: Desk<'a>,
    pub(super) sources: Vec<(&'a Adapter, Lookup<'a>)>,
    pub(super) decisions: Arc<Decisions>,
    pub(super) files: Files,
    /// In the order in which the whole register takes them: by source, then by place.
    placed: BTreeMap<(usize, u64), Read>,
    /// What was read, taken in or not; what does not count any longer as nothing.
    read: HashMap<(usize, u64), Option<Read>>,
    /// Where the records stand that may bear what was looked up, by source: a name is looked up for one reason after the other.
    orders: HashMap<Identity, Vec<Option<Vec<u64>>>>,
    /// Organisation codes whose records outside the roll are here, and the names and numbers that the registrar gives each: `None`
    /// when it knows none of them.
    known: BTreeMap<String, Option<Registered>>,
    /// Names whose bearers are here, and whether the code of one that the registrar has fails its checks.
    names: BTreeMap<String, bool>,
    /// Names of which those bearers are here that may stand under another by them.
    joining: BTreeSet<String>,
    /// Identifiers without an organisation code whose records outside the roll are here.
    written: BTreeSet<String>,
    /// Unit numbers whose rows are here.
    units: BTreeSet<String>,
    /// Organisation codes of which everything is here, and whether another code may stand under one, beside what was decided.
    whole: BTreeMap<String, bool>,
}

/// What the registrar's records give an enterprise to be found by.
#[derive(Debug, Clone, Default)]
pub(super) struct Registered {
    /// Normalised, in every writing that counts as the same.
    names: BTreeSet<String>,
    numbers: BTreeSet<String>,
    /// The organisation codes of the head offices that it names.
    heads: BTreeSet<String>,
    /// One of its codes fails its checks.
    is_doubtful: bool,
}

impl<'a> Gathering<'a> {
    pub(super) fn begin(desk: Desk<'a>) -> Result<Self, Failure> {
        Self::knowing(desk, Arc::new(decisions(desk)?))
    }

    /// When the decisions are at hand.
    pub(super) fn knowing(desk: Desk<'a>, decisions: Arc<Decisions>) -> Result<Self, Failure> {
        let mut sources = Vec::new();
        for adapter in desk.configuration.adapters.values() {
            sources.push((adapter, desk.store.lookup(&adapter.name, adapter.record)?));
        }
        Ok(Self {
            desk,
            sources,
            decisions,
            files: Files::default(),
            placed: BTreeMap::new(),
            read: HashMap::new(),
            orders: HashMap::new(),
            known: BTreeMap::new(),
            names: BTreeMap::new(),
            joining: BTreeSet::new(),
            written: BTreeSet::new(),
            units: BTreeSet::new(),
            whole: BTreeMap::new(),
        })
    }

    /// The records that bear an identity, of the sources of some kinds, with their places.
    fn bearing(
        &mut self,
        identity: &Identity,
        is_asked: &dyn Fn(RecordKind) -> bool,
        each: &mut dyn FnMut((usize, u64), &Read),
    ) -> Result<(), Failure> {
        if self.read.len() > READ_MOST {
            self.read.clear();
        }
        if self.orders.len() > READ_MOST {
            self.orders.clear();
        }
        if !self.orders.contains_key(identity) {
            let nothing = vec![None; self.sources.len()];
            self.orders.insert(identity.clone(), nothing);
        }
        let Some(orders) = self.orders.get_mut(identity) else {
            return Ok(());
        };
        for (at, (adapter, lookup)) in self.sources.iter_mut().enumerate() {
            if !is_asked(adapter.record) {
                continue;
            }
            let orders = match &mut orders[at] {
                Some(orders) => orders,
                none => none.insert(lookup.orders(identity)?),
            };
            for order in orders.iter().copied() {
                let key = (at, order);
                if !self.read.contains_key(&key) {
                    let stored = lookup.at(order)?;
                    let stands = stored.stands(adapter.gone_after);
                    let placed = self.files.place(self.desk, adapter, stored)?;
                    self.read
                        .insert(key, stands.then(|| Read(Arc::new(placed))));
                }
                if let Some(Some(placed)) = self.read.get(&key)
                    && identity.is_of(placed)
                {
                    each(key, placed);
                }
            }
        }
        Ok(())
    }

    /// The records of the roll, or of the other sources, that bear an identity.
    pub(super) fn look(&mut self, identity: &Identity, roll: bool) -> Result<Vec<Read>, Failure> {
        let mut found = Vec::new();
        let is_asked = |kind| (kind == RecordKind::InsuredRoll) == roll;
        self.bearing(identity, &is_asked, &mut |_, placed| {
            found.push(placed.clone());
        })?;
        Ok(found)
    }

    /// The registrar's records that bear an identity.
    pub(super) fn look_registered(&mut self, identity: &Identity) -> Result<Vec<Read>, Failure> {
        let mut found = Vec::new();
        let is_asked = |kind| kind == RecordKind::Registration;
        self.bearing(identity, &is_asked, &mut |_, placed| {
            found.push(placed.clone());
        })?;
        Ok(found)
    }

    /// The records that are here with their places, in the order in which the whole register takes them.
    pub(super) fn placed(&self) -> impl Iterator<Item = &Placed> {
        self.placed.values().map(|read| &*read.0)
    }

    /// The records that are here.
    pub(super) fn all(&self) -> Vec<Read> {
        self.placed.values().cloned().collect()
    }

    /// The same as [`Self::look`]; they are taken in.
    pub(super) fn take_in(
        &mut self,
        identity: &Identity,
        roll: bool,
    ) -> Result<Vec<Read>, Failure> {
        let mut found = Vec::new();
        let is_asked = |kind| (kind == RecordKind::InsuredRoll) == roll;
        self.bearing(identity, &is_asked, &mut |key, placed| {
            found.push((key, placed.clone()));
        })?;
        let taken = found.iter().map(|(_, placed)| placed.clone()).collect();
        self.placed.extend(found);
        Ok(taken)
    }

    /// Takes in the records outside the roll with this organisation code; what the registrar gives it.
    pub(super) fn know(&mut self, organisation: &str) -> Result<Option<Registered>, Failure> {
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
            let head = record
                .text(Field::HeadOfficeCode)
                .and_then(organisation_code);
            registered.heads.extend(head);
            registered.is_doubtful |= is_doubtful(record);
        }
        self.known
            .insert(organisation.to_owned(), registered.clone());
        // What stands under a code that fails its checks may be another's, whom it is called like.
        let doubtful = own
            .iter()
            .filter(|record| matches!(claim_of(record), Claim::Doubtful(_)));
        for record in doubtful {
            self.coded_as(record)?;
        }
        for name in registered.iter().flat_map(|registered| &registered.names) {
            self.joining(name)?;
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

    /// Takes in the registrations under codes that fail their checks that bear this normalised name: whoever stands under another by it
    /// brings his place and his people along. Of those with sound codes nobody does, and through them all namesakes of namesakes
    /// would be met.
    fn joining(&mut self, name: &str) -> Result<(), Failure> {
        if self.names.contains_key(name) || !self.joining.insert(name.to_owned()) {
            return Ok(());
        }
        let found = self.look_registered(&Identity::Name(name.to_owned()))?;
        let doubtful = found.iter().filter(|record| is_doubtful(record));
        for organisation in doubtful.filter_map(|one| own_code(one)) {
            self.know(&organisation)?;
        }
        Ok(())
    }

    /// Takes in everybody who is called as this record is.
    pub(super) fn called_as(&mut self, record: &Record) -> Result<(), Failure> {
        match record.text(Field::Name) {
            Some(name) => self.bearers(&variants(name)),
            None => Ok(()),
        }
    }

    /// Takes in the records outside the roll that bear one of these normalised names, and what is known of their codes.
    pub(super) fn bearers(&mut self, names: &[String]) -> Result<(), Failure> {
        for name in names {
            if name.is_empty() || self.names.contains_key(name) {
                continue;
            }
            let bearing = self.take_in(&Identity::Name(name.clone()), false)?;
            self.names
                .insert(name.clone(), bearing.iter().any(|one| is_doubtful(one)));
            // What bears it may be another's by the number on it.
            for record in &bearing {
                self.coded_as(record)?;
            }
        }
        Ok(())
    }

    /// Takes in the records outside the roll under this identifier, or with it as the registrar's number.
    pub(super) fn written(&mut self, text: &str) -> Result<(), Failure> {
        if self.written.insert(text.to_owned()) {
            let found = self.take_in(&Identity::Written(text.to_owned()), false)?;
            for organisation in found.iter().filter_map(|one| own_code(one)) {
                self.know(&organisation)?;
            }
        }
        Ok(())
    }

    /// Takes in whom the identifier on a record may lead to.
    pub(super) fn coded_as(&mut self, record: &Record) -> Result<(), Failure> {
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
    pub(super) fn unit(&mut self, unit: &str) -> Result<(), Failure> {
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
    pub(super) fn gather(&mut self, organisation: &str) -> Result<(), Failure> {
        let organisation = &self.canonical(organisation);
        if self.whole.contains_key(organisation) {
            return Ok(());
        }
        self.whole.insert(organisation.clone(), false);
        let mut own = BTreeSet::from([organisation.clone()]);
        let mut subjects = Vec::new();
        let mut rows = Vec::new();
        let mut registered = Registered::default();
        let mut is_known = false;
        // Whether another code may stand under it, or it under another one, beside what was decided about the codes.
        let mut is_open = false;
        // What stands under a code that fails its checks may be joined to it, and bear more names.
        let mut heard = BTreeSet::new();
        while heard != own {
            let codes: Vec<String> = own.difference(&heard).cloned().collect();
            for code in codes {
                if let Some(more) = self.know(&code)? {
                    is_known = true;
                    registered.names.extend(more.names);
                    registered.numbers.extend(more.numbers);
                    is_open |= more.is_doubtful;
                }
                if let Some(code) = pairing::organisation(&code) {
                    own.extend(self.decisions.joined_to(code).map(pairing::text));
                    subjects.extend(self.decisions.subjects_of(code));
                }
                rows.extend(self.look(&Identity::Organisation(code.clone()), true)?);
                heard.insert(code);
            }
            is_open |= !subjects.is_empty();
            for subject in std::mem::take(&mut subjects) {
                rows.extend(self.decided(subject)?);
            }
            let names: Vec<String> = registered.names.iter().cloned().collect();
            self.bearers(&names)?;
            is_open |= names.iter().any(|name| self.names.get(name) == Some(&true));
            if is_open {
                own.extend(self.joined_to(organisation));
            }
        }
        for name in registered.names {
            rows.extend(self.look(&Identity::Name(name), true)?);
        }
        for number in registered.numbers {
            self.written(&number)?;
            rows.extend(self.look(&Identity::Written(number), true)?);
        }
        let units: BTreeSet<&str> = rows.iter().filter_map(|one| unit_of(one)).collect();
        for unit in units {
            self.unit(unit)?;
        }
        // Nobody registered has its code: whoever bears the name alone may have its records.
        if !is_known {
            let bears = |record: &Record| own_code(record).is_some_and(|code| own.contains(&code));
            let named: Vec<Record> = self
                .placed
                .values()
                .filter(|record| bears(record))
                .map(|record| Record::clone(record))
                .collect();
            for record in named {
                self.called_as(&record)?;
            }
        }
        if !is_open {
            return Ok(());
        }
        self.whole.insert(organisation.clone(), true);
        match self.joined(organisation) {
            Some(other) if other != *organisation => self.gather(&other),
            _ => Ok(()),
        }
    }

    /// Takes in what a person has decided to be an enterprise's; the rows of the roll among it.
    fn decided(&mut self, subject: Subject) -> Result<Vec<Read>, Failure> {
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

    /// Takes in the head offices that an enterprise names, and the branches of these and of itself; whom.
    pub(super) fn family(&mut self, organisation: &str) -> Result<BTreeSet<String>, Failure> {
        let mut family = BTreeSet::new();
        let own = self.codes_of(organisation);
        let mut heads = own.clone();
        for code in &own {
            let registered = self.known.get(code).cloned().flatten();
            for head in registered.into_iter().flat_map(|one| one.heads) {
                self.gather(&head)?;
                heads.extend(self.codes_of(&head));
            }
        }
        for head in &heads {
            let branches = self.look_registered(&Identity::HeadOffice(head.clone()))?;
            family.extend(branches.iter().filter_map(|one| own_code(one)));
        }
        for branch in &family {
            self.gather(branch)?;
        }
        family.extend(heads);
        Ok(family)
    }

    /// The codes that stand under an enterprise that is here, its own among them.
    fn codes_of(&self, organisation: &str) -> BTreeSet<String> {
        let canonical = self.canonical(organisation);
        let is_open = self.whole.get(&canonical).copied().unwrap_or(false);
        let mut own = BTreeSet::from([organisation.to_owned(), canonical.clone()]);
        if let Some(canonical) = pairing::organisation(&canonical) {
            own.extend(self.decisions.joined_to(canonical).map(pairing::text));
        }
        if is_open {
            let canonical = self.joined(organisation).unwrap_or(canonical);
            own.extend(self.joined_to(&canonical));
        }
        own
    }

    /// Whether everything of an enterprise is here.
    pub(super) fn is_whole(&self, organisation: &str) -> bool {
        self.whole.contains_key(organisation)
    }

    /// Hands over everything that was taken in, in the order in which the whole register takes it.
    pub(super) fn hand_over(&mut self) -> Vec<Placed> {
        let placed = std::mem::take(&mut self.placed);
        self.clear();
        let placed = placed.into_values();
        placed.map(|read| Arc::unwrap_or_clone(read.0)).collect()
    }

    /// Lets go of everything that was taken in.
    pub(super) fn clear(&mut self) {
        self.placed.clear();
        self.read.clear();
        self.orders.clear();
        self.known.clear();
        self.names.clear();
        self.joining.clear();
        self.written.clear();
        self.units.clear();
        self.whole.clear();
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

    pub(super) fn anchors(&self) -> Anchors<'_> {
        let registrations = self
            .placed
            .values()
            .map(|read| &**read)
            .filter(|record| record.kind == RecordKind::Registration);
        Anchors::of(
            registrations,
            self.desk.configuration.units(),
            &self.decisions,
        )
    }

    pub(super) fn register(&self) -> Result<Register, Failure> {
        let mut register = Register::link(
            self.placed().cloned(),
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
}

fn is_doubtful(record: &Record) -> bool {
    record.kind == RecordKind::Registration && matches!(claim_of(record), Claim::Doubtful(_))
}

pub(super) fn own_code(record: &Record) -> Option<String> {
    record.text(Field::CreditCode).and_then(organisation_code)
}

pub(super) fn unit_of(record: &Record) -> Option<&str> {
    if record.kind != RecordKind::InsuredRoll {
        return None;
    }
    record.text(Field::UnitNumber)
}
