//! The register of enterprises (底数): the records of all sources, attached to one enterprise each by links with tier and reason.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::code;
use crate::domain::finding::{Ground, Insurance};
use crate::domain::record::{Field, Month, Record, RecordKind};
use crate::domain::text::normal_name;

/// A record with the place where anybody can look it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The adapter.
    pub adapter: String,
    /// The batch whose row it is (the one that last changed it).
    pub batch: String,
    /// The file as the department named it.
    pub file: String,
    /// Its row there.
    pub row: u64,
    /// The day the file speaks of.
    pub as_of: Option<Date>,
    /// The record.
    pub record: Record,
}

impl Placed {
    /// As the ground of a verdict.
    #[must_use]
    pub fn ground(&self, text: String, rule: &str, article: &str) -> Ground {
        Ground {
            source: self.adapter.clone(),
            batch: self.batch.clone(),
            file: self.file.clone(),
            row: self.row,
            date: self.as_of,
            text,
            rule: rule.to_owned(),
            article: article.to_owned(),
        }
    }
}

/// How a record came to its enterprise, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// The same organisation code (positions 9–17 of the credit code, or the end of a legacy tax id).
    Code,
    /// Another row of the same unit number carries the code.
    UnitNumber,
    /// The same normalised name, and only one enterprise bears it.
    Name,
}

/// Why a record belongs to an enterprise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The adapter.
    pub source: String,
    /// The record's key.
    pub key: String,
    /// How sure.
    pub tier: Tier,
    /// In Chinese.
    pub reason: String,
}

/// Heads of one month and kind, over all unit numbers of the enterprise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RollHeads {
    /// Registered (参保人数); `None` when a row of it could not be read.
    pub registered: Option<u64>,
    /// Paying (缴费人数).
    pub paying: Option<u64>,
    /// The rows.
    pub rows: Vec<Placed>,
}

/// One enterprise.
#[derive(Debug, Clone, Default)]
pub struct Enterprise {
    /// Derived from the first record that showed it: `E` and its organisation code.
    pub id: String,
    /// Its credit code as the register (else the first source) writes it.
    pub credit_code: String,
    /// Its name.
    pub name: String,
    /// What market regulation says.
    pub registration: Option<Placed>,
    /// What tax says, by month.
    pub tax: BTreeMap<Month, Placed>,
    /// Its licences.
    pub transport: Vec<Placed>,
    /// The insured roll.
    pub roll: BTreeMap<(Month, Insurance), RollHeads>,
    /// The agency that the newest roll row names.
    pub insured_at: Option<String>,
    /// Whether a unit of it stands on the roll at all, and in which state.
    pub unit_states: BTreeMap<String, String>,
    /// Why each record is here.
    pub links: Vec<Link>,
}

impl Enterprise {
    /// Registered heads of a kind in a month: `None` when the month is on no row or unreadable.
    #[must_use]
    pub fn registered(&self, month: Month, kind: Insurance) -> Option<u64> {
        self.roll
            .get(&(month, kind))
            .and_then(|heads| heads.registered)
    }

    /// Whether any unit of it is on the roll.
    #[must_use]
    pub fn on_roll(&self) -> bool {
        !self.roll.is_empty()
    }
}

/// The register and what could not be attached.
#[derive(Debug, Clone, Default)]
pub struct Register {
    /// Sorted by id.
    pub enterprises: Vec<Enterprise>,
    /// Roll rows that belong to nobody known: shown in `status`, never ground for a finding.
    pub unattached: Vec<Placed>,
    index: HashMap<String, usize>,
}

/// The organisation code inside a credit code or a legacy tax id: the safe key, because the
/// region digits of older ids differ for firms that moved (GB 32100-2015; GB 11714).
#[must_use]
pub fn organisation_code(id: &str) -> Option<String> {
    code::organisation_code_of(id)
}

impl Register {
    /// Builds the register from the current records of all sources.
    #[must_use]
    pub fn build(records: impl IntoIterator<Item = Placed>) -> Self {
        let mut register = Self::default();
        let mut roll = Vec::new();
        let mut later = Vec::new();
        for placed in records {
            match placed.record.kind {
                RecordKind::Registration => register.attach_registration(placed),
                RecordKind::InsuredRoll => roll.push(placed),
                RecordKind::Tax | RecordKind::Transport => later.push(placed),
            }
        }
        for placed in later {
            register.attach_by_code(placed);
        }
        register.attach_roll(roll);
        register.finish()
    }

    /// The enterprise of this credit code, organisation code, id or exact name.
    #[must_use]
    pub fn find(&self, wanted: &str) -> Vec<&Enterprise> {
        let organisation =
            organisation_code(wanted).unwrap_or_else(|| wanted.trim_start_matches('E').to_owned());
        if let Some(&at) = self.index.get(&organisation) {
            return vec![&self.enterprises[at]];
        }
        let name = normal_name(wanted);
        self.enterprises
            .iter()
            .filter(|enterprise| normal_name(&enterprise.name) == name)
            .collect()
    }

    /// The enterprise with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Enterprise> {
        self.index
            .get(id.trim_start_matches('E'))
            .map(|&at| &self.enterprises[at])
    }

    fn entry(&mut self, organisation: &str) -> &mut Enterprise {
        let at = *self
            .index
            .entry(organisation.to_owned())
            .or_insert_with(|| {
                self.enterprises.push(Enterprise {
                    id: format!("E{organisation}"),
                    ..Enterprise::default()
                });
                self.enterprises.len() - 1
            });
        &mut self.enterprises[at]
    }

    fn attach_registration(&mut self, placed: Placed) {
        let Some(code) = placed.record.text(Field::CreditCode).map(str::to_owned) else {
            return;
        };
        let Some(organisation) = organisation_code(&code) else {
            return;
        };
        let enterprise = self.entry(&organisation);
        enterprise
            .links
            .push(link(&placed, Tier::Code, "统一社会信用代码相同"));
        placed
            .record
            .text(Field::Name)
            .unwrap_or_default()
            .clone_into(&mut enterprise.name);
        enterprise.credit_code = code;
        enterprise.registration = Some(placed);
    }

    fn attach_by_code(&mut self, placed: Placed) {
        let Some(code) = placed.record.text(Field::CreditCode).map(str::to_owned) else {
            return;
        };
        let Some(organisation) = organisation_code(&code) else {
            return;
        };
        let enterprise = self.entry(&organisation);
        if enterprise.credit_code.is_empty() {
            enterprise.credit_code = code;
            placed
                .record
                .text(Field::Name)
                .unwrap_or_default()
                .clone_into(&mut enterprise.name);
        }
        enterprise
            .links
            .push(link(&placed, Tier::Code, "识别号所含组织机构代码相同"));
        match (placed.record.kind, placed.record.month()) {
            (RecordKind::Tax, Some(month)) => {
                enterprise.tax.insert(month, placed);
            }
            _ => enterprise.transport.push(placed),
        }
    }

    fn attach_roll(&mut self, rows: Vec<Placed>) {
        let mut by_unit: HashMap<String, Option<String>> = HashMap::new();
        for placed in &rows {
            let (Some(unit), Some(code)) = (
                placed.record.text(Field::UnitNumber),
                placed.record.text(Field::CreditCode),
            ) else {
                continue;
            };
            let Some(organisation) = organisation_code(code) else {
                continue;
            };
            by_unit
                .entry(unit.to_owned())
                .and_modify(|known| {
                    // Two codes under one unit number: the number proves nothing for blank rows.
                    if known.as_deref() != Some(&organisation) {
                        *known = None;
                    }
                })
                .or_insert(Some(organisation));
        }
        let mut by_name: HashMap<String, Option<String>> = HashMap::new();
        for enterprise in &self.enterprises {
            by_name
                .entry(normal_name(&enterprise.name))
                .and_modify(|known| *known = None)
                .or_insert_with(|| Some(enterprise.id.trim_start_matches('E').to_owned()));
        }
        for placed in rows {
            let found = placed
                .record
                .text(Field::CreditCode)
                .and_then(organisation_code)
                .map(|code| (code, Tier::Code, "统一社会信用代码相同"))
                .or_else(|| {
                    let unit = placed.record.text(Field::UnitNumber)?;
                    let code = by_unit.get(unit)?.clone()?;
                    Some((
                        code,
                        Tier::UnitNumber,
                        "同一单位编号的其他行载有统一社会信用代码",
                    ))
                })
                .or_else(|| {
                    let name = placed.record.text(Field::Name)?;
                    let code = by_name.get(&normal_name(name))?.clone()?;
                    Some((code, Tier::Name, "规范化名称相同且唯一"))
                });
            match found {
                Some((organisation, tier, reason)) => {
                    self.attach_roll_row(&organisation, placed, tier, reason)
                }
                None => self.unattached.push(placed),
            }
        }
    }

    fn attach_roll_row(&mut self, organisation: &str, placed: Placed, tier: Tier, reason: &str) {
        let enterprise = self.entry(organisation);
        if enterprise.credit_code.is_empty() {
            placed
                .record
                .text(Field::CreditCode)
                .unwrap_or_default()
                .clone_into(&mut enterprise.credit_code);
            placed
                .record
                .text(Field::Name)
                .unwrap_or_default()
                .clone_into(&mut enterprise.name);
        }
        enterprise.links.push(link(&placed, tier, reason));
        let (Some(month), Some(kind)) = (
            placed.record.month(),
            placed
                .record
                .text(Field::Insurance)
                .and_then(Insurance::by_word),
        ) else {
            return;
        };
        if let Some(unit) = placed.record.text(Field::UnitNumber) {
            let state = placed.record.text(Field::UnitState).unwrap_or("normal");
            enterprise
                .unit_states
                .insert(unit.to_owned(), state.to_owned());
        }
        if enterprise
            .roll
            .keys()
            .next_back()
            .is_none_or(|(newest, _)| month >= *newest)
        {
            enterprise.insured_at = placed.record.text(Field::Agency).map(str::to_owned);
        }
        let heads = enterprise.roll.entry((month, kind)).or_default();
        let first = heads.rows.is_empty();
        heads.registered = sum(
            heads.registered,
            placed.record.count(Field::RegisteredHeads),
            first,
        );
        heads.paying = sum(heads.paying, placed.record.count(Field::PayingHeads), first);
        heads.rows.push(placed);
    }

    fn finish(mut self) -> Self {
        self.enterprises.sort_by(|a, b| a.id.cmp(&b.id));
        self.index = self
            .enterprises
            .iter()
            .enumerate()
            .map(|(at, enterprise)| (enterprise.id.trim_start_matches('E').to_owned(), at))
            .collect();
        self
    }
}

/// Unit numbers of one enterprise add up; one unreadable row makes the sum unknown.
fn sum(known: Option<u64>, row: Option<u64>, first: bool) -> Option<u64> {
    if first { row } else { Some(known? + row?) }
}

fn link(placed: &Placed, tier: Tier, reason: &str) -> Link {
    Link {
        source: placed.adapter.clone(),
        key: placed.record.key(),
        tier,
        reason: reason.to_owned(),
    }
}
