//! Whom changed records may concern: the enterprises that are to be judged anew, and the loose ends that are to be settled anew.
//!
//! Rather too many than too few: whoever is judged without need is found as he was. A changed record concerns
//!
//! - the enterprise whose code it bears, before and now; and when it did not lead there by that code alone, everybody it may have led
//!   to or may lead to now: by number, by name, by what was decided;
//! - of the roll, when its lead may have changed, all rows of its unit number, which lead each other, and whom they may be;
//! - of the registrar, when it is linked otherwise than before, all records that bear its code, its names or its number, since they
//!   may be led elsewhere now.

use std::collections::BTreeSet;

use crate::domain::candidates::LooseEnds;
use crate::domain::code::{self, Claim};
use crate::domain::identity::Identity;
use crate::domain::linking::{UnitLead, claim_of, links_alike, names_of, subject_of, variants};
use crate::domain::pairing::{self, Subject};
use crate::domain::record::{Field, Record, RecordKind};
use crate::domain::register::organisation_code;
use crate::tasks::Failure;
use crate::tasks::gathering::{Gathering, Read, own_code, unit_of};

/// Texts of one kind that are to be followed up, each once.
#[derive(Debug, Default)]
struct Following {
    waiting: Vec<String>,
    done: BTreeSet<String>,
}

impl Following {
    fn add(&mut self, text: String) {
        if !text.is_empty() && self.done.insert(text.clone()) {
            self.waiting.push(text);
        }
    }
}

/// Gathers whom changes may concern.
pub(super) struct Touching<'g, 'a> {
    gathering: &'g mut Gathering<'a>,
    touched: Touched,
    /// Organisation codes, names and numbers of which the registrar says something new.
    organisations: Following,
    names: Following,
    numbers: Following,
    /// Unit numbers of which a row leads elsewhere.
    units: Following,
    /// Names and numbers whose bearers with the registrar are noted.
    noted: BTreeSet<Identity>,
}

/// Whom changes may concern.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Organisation codes.
    pub organisations: BTreeSet<String>,
    /// Loose ends, those that may have become one among them.
    pub subjects: BTreeSet<Subject>,
}

impl<'g, 'a> Touching<'g, 'a> {
    pub(super) fn begin(gathering: &'g mut Gathering<'a>) -> Self {
        Self {
            gathering,
            touched: Touched::default(),
            organisations: Following::default(),
            names: Following::default(),
            numbers: Following::default(),
            units: Following::default(),
            noted: BTreeSet::new(),
        }
    }

    /// How many enterprises are touched until now.
    pub(super) fn len(&self) -> usize {
        self.touched.organisations.len()
    }

    /// Hears of one change.
    pub(super) fn hear(
        &mut self,
        before: Option<&Record>,
        after: Option<&Record>,
    ) -> Result<(), Failure> {
        let both = || before.into_iter().chain(after);
        for record in both() {
            self.touched.organisations.extend(own_code(record));
        }
        let is_alike = before
            .zip(after)
            .is_some_and(|(before, after)| links_alike(before, after))
            && both().all(|record| matches!(claim_of(record), Claim::Sound(_)));
        for record in both() {
            if record.kind == RecordKind::Registration {
                let head = record.text(Field::HeadOfficeCode);
                let head = head.and_then(organisation_code);
                self.touched.organisations.extend(head);
                if !is_alike {
                    self.registered(record);
                }
            } else if !is_alike || !self.is_registered(record)? {
                self.led(record)?;
            }
        }
        Ok(())
    }

    /// All that was touched, when every change was heard.
    pub(super) fn done(mut self) -> Result<Touched, Failure> {
        self.follow()?;
        Ok(self.touched)
    }

    /// Follows up what was heard.
    fn follow(&mut self) -> Result<(), Failure> {
        loop {
            if let Some(unit) = self.units.waiting.pop() {
                self.follow_unit(unit)?;
            } else if let Some(code) = self.organisations.waiting.pop() {
                self.follow_organisation(code)?;
            } else if let Some(name) = self.names.waiting.pop() {
                self.follow_bearers(&Identity::Name(name))?;
            } else if let Some(number) = self.numbers.waiting.pop() {
                self.follow_bearers(&Identity::Written(number))?;
            } else {
                return Ok(());
            }
        }
    }

    /// The registrar says something new by this record, or said it before.
    fn registered(&mut self, record: &Record) {
        if let Some(code) = own_code(record) {
            self.touched.organisations.insert(code.clone());
            self.organisations.add(code);
        }
        self.note_decided(record);
        for name in names_of(record).flat_map(variants) {
            self.names.add(name);
        }
        for field in [Field::RegistrationNumber, Field::CreditCode] {
            let number = record.text(field).map(code::normal);
            if let Some(number) = number.filter(|number| organisation_code(number).is_none()) {
                self.numbers.add(number);
            }
        }
    }

    /// A record of another source may lead elsewhere than before.
    fn led(&mut self, record: &Record) -> Result<(), Failure> {
        if let Some(unit) = unit_of(record) {
            self.units.add(unit.to_owned());
        }
        self.note_owners(record)
    }

    /// Notes the loose end that a record may be, and everybody it may belong to.
    fn note_owners(&mut self, record: &Record) -> Result<(), Failure> {
        let claim = claim_of(record);
        let subject = subject_of(record, claim);
        self.touched.subjects.extend(subject);
        self.touched.organisations.extend(own_code(record));
        self.note_decided(record);
        for name in record.text(Field::Name).into_iter().flat_map(variants) {
            self.note_bearers(Identity::Name(name))?;
        }
        let code = record.text(Field::CreditCode);
        if let (Some(code), false) = (code, matches!(claim, Claim::Sound(_))) {
            self.note_bearers(Identity::Written(code::normal(code)))?;
        }
        Ok(())
    }

    /// Notes whose a record is by what persons have decided.
    fn note_decided(&mut self, record: &Record) {
        let decisions = &self.gathering.decisions;
        let unit = record.text(Field::UnitNumber);
        let code = record.text(Field::CreditCode).map(code::normal);
        let decided = [
            unit.and_then(|unit| decisions.of_unit(unit)),
            code.and_then(|code| decisions.of_code(&code)),
        ];
        let decided = decided.into_iter().flatten().map(pairing::text);
        self.touched.organisations.extend(decided);
    }

    /// Notes whom the registrar gives this name or number.
    fn note_bearers(&mut self, identity: Identity) -> Result<(), Failure> {
        if self.noted.contains(&identity) {
            return Ok(());
        }
        let found = self.gathering.look_registered(&identity)?;
        let codes = found.iter().filter_map(|one| own_code(one));
        self.touched.organisations.extend(codes);
        self.noted.insert(identity);
        Ok(())
    }

    fn is_registered(&mut self, record: &Record) -> Result<bool, Failure> {
        let Some(code) = own_code(record) else {
            return Ok(false);
        };
        let own = Identity::Organisation(code);
        Ok(!self.gathering.look_registered(&own)?.is_empty())
    }

    fn follow_unit(&mut self, unit: String) -> Result<(), Failure> {
        let rows = self.gathering.look(&Identity::Unit(unit), true)?;
        rows.iter().try_for_each(|row| self.note_owners(row))
    }

    fn follow_organisation(&mut self, code: String) -> Result<(), Failure> {
        if let Some(own) = pairing::organisation(&code) {
            let decisions = &self.gathering.decisions;
            let canonical = decisions.canonical(own);
            let joined = decisions.joined_to(canonical).chain([canonical]);
            for other in joined.map(pairing::text).collect::<Vec<_>>() {
                self.organisations.add(other);
            }
        }
        // Its registrations stand together: what is new of one of them may tell for the names of another.
        self.follow_bearers(&Identity::Organisation(code))
    }

    /// Whatever bears it may be led elsewhere now. One whose code fails its checks stands under the others' or by itself.
    fn follow_bearers(&mut self, identity: &Identity) -> Result<(), Failure> {
        let found = self.gathering.look(identity, false)?;
        let is_own = matches!(identity, Identity::Organisation(_));
        let is_unsound = |record: &Record| {
            record.kind == RecordKind::Registration && !matches!(claim_of(record), Claim::Sound(_))
        };
        let is_open = is_own || found.iter().any(|one| is_unsound(one));
        for record in &found {
            self.touched.organisations.extend(own_code(record));
            if record.kind != RecordKind::Registration {
                self.led(record)?;
            } else if is_open {
                self.registered(record);
            }
        }
        let rows = self.gathering.look(identity, true)?;
        rows.iter().try_for_each(|row| self.led(row))
    }
}

/// Settles these loose ends anew: the records that a person would decide about when he decides about them.
pub(super) fn settled<'s>(
    gathering: &mut Gathering<'_>,
    subjects: impl Iterator<Item = &'s Subject>,
) -> Result<LooseEnds, Failure> {
    let mut loose = LooseEnds::default();
    for subject in subjects {
        gathering.clear();
        let code = match subject {
            Subject::Unit(unit) => {
                gathering.unit(unit)?;
                None
            }
            Subject::Enterprise(own) => Some(Identity::Organisation(own.clone())),
            Subject::Code(code) => Some(match organisation_code(code) {
                Some(own) => Identity::Organisation(own),
                None => Identity::Written(code.clone()),
            }),
        };
        if let Some(code) = code {
            gathering.take_in(&code, false)?;
            gathering.take_in(&code, true)?;
        }
        // Whom they lead to hangs on whom their codes and names lead to.
        for record in gathering.all() {
            gathering.coded_as(&record)?;
            gathering.called_as(&record)?;
        }
        let records = gathering.all();
        let anchors = gathering.anchors();
        let mut of_unit = UnitLead::default();
        let is_roll = |record: &&Read| record.kind == RecordKind::InsuredRoll;
        for row in records.iter().filter(is_roll) {
            if let (Subject::Unit(unit), Some(said)) = (subject, anchors.said_by_row(row))
                && unit_of(row) == Some(unit)
            {
                of_unit.hear(said);
            }
        }
        for record in &records {
            let own = subject_of(record, claim_of(record));
            if record.kind == RecordKind::Registration || own.as_ref() != Some(subject) {
                continue;
            }
            let lead = anchors.lead(record, of_unit.one());
            loose.settle(&anchors, record, lead);
        }
    }
    gathering.clear();
    Ok(loose)
}
