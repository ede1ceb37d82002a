//! One enterprise without the others: the records that can belong to it are looked up, and the rules of the register and of the
//! coverage are applied to these alone.
//!
//! What the register decides about one enterprise rests on few records, and all of them can be looked up:
//!
//! - the records of registration, tax and transport with its organisation code, which make it known and give it its name;
//! - the rows of the roll with its code, those of the same unit numbers, and — when nobody else known bears its name — those with
//!   that name and of their unit numbers;
//! - of every other code on these rows, whether anybody known has it; of every name on which a row's owner hangs, who else bears it;
//! - for a branch its head office with all of this, and the other branches that come before it.
//!
//! The months that tax and the roll speak of are counted with each delivery. So the answer is that of the whole register.

use std::collections::{BTreeMap, BTreeSet};

use crate::adapter::language::Adapter;
use crate::calendar::shanghai;
use crate::domain::batch::Verdict;
use crate::domain::coverage::{Assessment, assess_one};
use crate::domain::history::{Deed, Span, Step, spans};
use crate::domain::identity::Identity;
use crate::domain::record::{Field, Record, RecordKind};
use crate::domain::register::{
    Enterprise, Periods, Placed, Register, organisation_code, organisation_wanted,
};
use crate::domain::text::normal_name;
use crate::store::lookup::{Lookup, Said};
use crate::tasks::known::{Files, feeds, roll_knowledge};
use crate::tasks::{Desk, Failure};

/// An enterprise with all that is known of it.
#[derive(Debug)]
pub struct One {
    /// The enterprise, as the whole register has it.
    pub enterprise: Enterprise,
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
    let assessment = gathering.assess(&enterprise)?;
    let (history, spans) = gathering.history(&enterprise)?;
    Ok(Ok(Box::new(One {
        enterprise,
        assessment,
        history,
        spans,
    })))
}

/// Records on their way into a register of few enterprises.
struct Gathering<'a> {
    desk: Desk<'a>,
    sources: Vec<(&'a Adapter, Lookup<'a>)>,
    files: Files,
    /// In the order in which the whole register takes them: by source, then by place.
    placed: BTreeMap<(usize, u64), Placed>,
    /// Organisation codes whose records outside the roll are here, and the name that the register gives them: `None` when there are no
    /// such records.
    known: BTreeMap<String, Option<String>>,
    /// Unit numbers whose rows are here.
    units: BTreeSet<String>,
    /// Organisation codes of which everything is here.
    whole: BTreeSet<String>,
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
            files: Files::default(),
            placed: BTreeMap::new(),
            known: BTreeMap::new(),
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
    fn take_in(&mut self, identity: &Identity, roll: bool) -> Result<Vec<Placed>, Failure> {
        let mut taken = Vec::new();
        for (at, (adapter, lookup)) in self.sources.iter_mut().enumerate() {
            if (adapter.record == RecordKind::InsuredRoll) != roll {
                continue;
            }
            for found in lookup.find(identity)? {
                if found.stored.stands(adapter.gone_after) {
                    let placed = self.files.place(self.desk, adapter, found.stored)?;
                    taken.push(placed.clone());
                    self.placed.insert((at, found.order), placed);
                }
            }
        }
        Ok(taken)
    }

    /// Takes in the records outside the roll with this organisation code; the name that they give it.
    fn know(&mut self, organisation: &str) -> Result<Option<String>, Failure> {
        if let Some(name) = self.known.get(organisation) {
            return Ok(name.clone());
        }
        let identity = Identity::Organisation(organisation.to_owned());
        let own = self.take_in(&identity, false)?;
        let name = Register::build(own)
            .of_code(organisation)
            .map(|enterprise| normal_name(&enterprise.name));
        self.known.insert(organisation.to_owned(), name.clone());
        Ok(name)
    }

    /// Takes in as many of the known enterprises of this name as decide whether it is anybody's: two, or all there are.
    fn bearers(&mut self, name: &str) -> Result<usize, Failure> {
        let records = self.look(&Identity::Name(name.to_owned()), false)?;
        let organisations: BTreeSet<String> = records.iter().filter_map(own_code).collect();
        let mut bearers = 0;
        for organisation in organisations {
            if self.know(&organisation)?.as_deref() == Some(name) {
                bearers += 1;
            }
            if bearers > 1 {
                break;
            }
        }
        Ok(bearers)
    }

    /// Takes in the rows of a unit number.
    fn unit(&mut self, unit: &str) -> Result<(), Failure> {
        if self.units.insert(unit.to_owned()) {
            self.take_in(&Identity::Unit(unit.to_owned()), true)?;
        }
        Ok(())
    }

    /// Takes in all that decides about an enterprise.
    fn gather(&mut self, organisation: &str) -> Result<(), Failure> {
        if !self.whole.insert(organisation.to_owned()) {
            return Ok(());
        }
        let known = self.know(organisation)?;
        let own = Identity::Organisation(organisation.to_owned());
        let mut rows = self.look(&own, true)?;
        if let Some(name) = known.as_ref().filter(|name| !name.is_empty())
            && self.bearers(name)? == 1
        {
            rows.extend(self.look(&Identity::Name(name.clone()), true)?);
        }
        let units: BTreeSet<&str> = rows.iter().filter_map(unit_of).collect();
        for unit in &units {
            self.unit(unit)?;
        }
        let of_units: Vec<Record> = self
            .placed
            .values()
            .map(|placed| &placed.record)
            .filter(|record| unit_of(record).is_some_and(|unit| units.contains(unit)))
            .cloned()
            .collect();
        for row in of_units {
            let code = own_code(&row);
            if let Some(code) = &code {
                self.know(code)?;
            }
            // Nobody known has its code: whoever bears its name alone has the row.
            let by_name = known.is_none() && code.as_deref() == Some(organisation);
            if by_name && let Some(name) = row.text(Field::Name) {
                self.bearers(&normal_name(name))?;
            }
        }
        Ok(())
    }

    fn register(&self) -> Register {
        Register::build(self.placed.values().cloned())
    }

    fn find(&mut self, wanted: &str) -> Result<Vec<Enterprise>, Failure> {
        let organisation = organisation_wanted(wanted);
        self.gather(&organisation)?;
        if let Some(found) = self.register().of_code(&organisation) {
            return Ok(vec![found.clone()]);
        }
        let name = normal_name(wanted);
        if name.is_empty() {
            return Ok(Vec::new());
        }
        let identity = Identity::Name(name.clone());
        let mut candidates: BTreeSet<String> = self
            .look(&identity, false)?
            .iter()
            .filter_map(own_code)
            .collect();
        let rows = self.look(&identity, true)?;
        for unit in rows.iter().filter_map(unit_of) {
            self.unit(unit)?;
            let of_unit = self.placed.values().map(|placed| &placed.record);
            let of_unit = of_unit.filter(|record| unit_of(record) == Some(unit));
            candidates.extend(of_unit.filter_map(own_code));
        }
        for candidate in &candidates {
            self.gather(candidate)?;
        }
        let register = self.register();
        Ok(candidates
            .iter()
            .filter_map(|candidate| register.of_code(candidate))
            .filter(|enterprise| normal_name(&enterprise.name) == name)
            .cloned()
            .collect())
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
                self.know(branch)?;
            }
        }
        let mut register = self.register();
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
            let mut leads = vec![own.clone()];
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
