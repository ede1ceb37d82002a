//! One enterprise without the others: the records that can belong to it are looked up, and the rules of the register and of the
//! coverage are applied to these alone.
//!
//! The months that tax and the roll speak of are counted with each delivery, and the pairs that wait for a decision are those of the
//! last review. So the answer is that of the whole register.

use std::collections::BTreeSet;

use crate::adapter::language::Adapter;
use crate::calendar::shanghai;
use crate::domain::batch::Verdict;
use crate::domain::coverage::{Assessment, assess_one};
use crate::domain::history::{Deed, Span, Step, spans};
use crate::domain::identity::Identity;
use crate::domain::linking::{comparable_name, names_of, variants};
use crate::domain::record::{Field, RecordKind};
use crate::domain::register::{
    Enterprise, Periods, Placed, Register, organisation_code, organisation_wanted,
};
use crate::store::lookup::Said;
use crate::tasks::gathering::{Gathering, unit_of};
use crate::tasks::known::{Files, feeds, roll_knowledge};
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
    let (found, _) = Gathering::begin(desk)?.find(wanted)?;
    Ok(found)
}

/// The one enterprise that is meant, with what the rules say of it and its history; else all that may be.
pub fn find_one(
    desk: Desk<'_>,
    wanted: &str,
) -> Result<Result<Box<One>, Vec<Enterprise>>, Failure> {
    let mut gathering = Gathering::begin(desk)?;
    let (mut found, register) = gathering.find(wanted)?;
    let enterprise = match found.pop() {
        Some(only) if found.is_empty() => only,
        last => {
            found.extend(last);
            return Ok(Err(found));
        }
    };
    let rows = gathering.rows_of(&enterprise);
    let assessment = gathering.assess(&enterprise, register)?;
    let (history, spans) = gathering.history(&enterprise)?;
    Ok(Ok(Box::new(One {
        enterprise,
        rows,
        assessment,
        history,
        spans,
    })))
}

impl Gathering<'_> {
    /// Who is meant, and the register of the few who are here.
    fn find(&mut self, wanted: &str) -> Result<(Vec<Enterprise>, Register), Failure> {
        let organisation = organisation_wanted(wanted);
        self.gather(&organisation)?;
        let register = self.register()?;
        if let Some(found) = register.of_code(&organisation).cloned() {
            return Ok((vec![found], register));
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
                .filter(|organisation| !self.is_whole(organisation))
                .collect();
            if fresh.is_empty() {
                let called = register.enterprises.iter();
                let called = called.filter(|enterprise| enterprise.is_called(wanted));
                return Ok((called.cloned().collect(), register));
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
        self.placed().filter(is_own).cloned().collect()
    }

    /// What the rules say of an enterprise that stands in this register.
    fn assess(
        &mut self,
        enterprise: &Enterprise,
        mut register: Register,
    ) -> Result<Option<Assessment>, Failure> {
        let is_branch = enterprise
            .registration
            .as_ref()
            .is_some_and(|placed| placed.record.text(Field::HeadOfficeCode).is_some());
        if is_branch {
            self.family(enterprise.organisation())?;
            register = self.register()?;
        }
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
