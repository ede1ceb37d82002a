//! The register of enterprises (底数): the records of all sources, attached to one enterprise each by links with tier and reason.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::candidates::{LooseEnds, Search};
use crate::domain::code::{self, Claim, Organisation};
use crate::domain::finding::{Ground, Insurance};
use crate::domain::linking::{Anchors, UnitLead, claim_of, comparable_name, names_of};
use crate::domain::pairing::{self, Candidate, Decisions};
use crate::domain::record::{Field, Month, Record, RecordKind};
use crate::domain::unit::Units;

pub use crate::domain::linking::Tier;

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
    /// Which of several sources of the same kind prevails: the greater.
    pub precedence: i32,
    /// How many complete batches in a row did not mention it; 0: the last one did.
    pub missed: u64,
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
    /// Pairs for a person to decide that concern rows of the roll: its staff may stand on those, so nothing adverse is founded.
    pub undecided: Vec<Candidate>,
}

impl Enterprise {
    /// Every row it rests on: registration, tax by month, transport, the roll.
    pub fn rows(&self) -> impl Iterator<Item = &Placed> {
        self.registration
            .iter()
            .chain(self.tax.values())
            .chain(&self.transport)
            .chain(self.roll.values().flat_map(|heads| &heads.rows))
    }

    /// Whether it is called so, or was.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let name = comparable_name(name);
        let former = self.registration.as_ref().map(|placed| &placed.record);
        !name.is_empty()
            && (comparable_name(&self.name) == name
                || former.is_some_and(|record| {
                    names_of(record).any(|former| comparable_name(former) == name)
                }))
    }

    /// The tax row that its size class of a day's year is taken from. A class is fixed once a year by the figures of the year before, and
    /// what is declared meanwhile does not change it (213号): the last row of that year with a figure; who has none is classed by the
    /// first of the running year, and who has neither by the newest with one there is.
    #[must_use]
    pub fn annual_tax(&self, today: Date) -> Option<(&Month, &Placed)> {
        let has_figure = |(_, row): &(&Month, &Placed)| {
            [Field::Employees, Field::Revenue, Field::Assets]
                .iter()
                .any(|field| row.record.fields.get(field).is_some())
        };
        let of_year = |year| {
            let month = |month| Month { year, month };
            self.tax.range(month(1)..=month(12)).filter(has_figure)
        };
        of_year(today.year().saturating_sub(1))
            .next_back()
            .or_else(|| of_year(today.year()).next())
            // Without a figure in between, the row of one year stays that of the next.
            .or_else(|| self.tax.iter().rfind(has_figure))
            .or_else(|| self.tax.iter().next_back())
    }

    /// Its organisation code.
    #[must_use]
    pub fn organisation(&self) -> &str {
        self.id.strip_prefix('E').unwrap_or(&self.id)
    }

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
    /// Records that lead to nobody: never ground for a finding.
    pub unattached: Vec<Placed>,
    /// Pairs that may be one firm, for a person to decide; what has been decided is not among them. Sorted.
    pub candidates: Vec<Candidate>,
    /// Of which months the sources speak.
    pub periods: Periods,
    index: HashMap<String, usize>,
}

/// The months that tax and the roll speak of, whoever the rows belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Periods {
    /// The newest month of tax.
    pub newest_tax: Option<Month>,
    /// Rows of the roll by month and kind.
    pub roll_rows: BTreeMap<(Month, Insurance), u64>,
}

impl Periods {
    /// Counts `rows` of one kind of record, month and insurance.
    pub fn count(
        &mut self,
        kind: RecordKind,
        month: Month,
        insurance: Option<Insurance>,
        rows: u64,
    ) {
        match (kind, insurance) {
            _ if rows == 0 => {}
            (RecordKind::Tax, _) => self.newest_tax = self.newest_tax.max(Some(month)),
            (RecordKind::InsuredRoll, Some(insurance)) => {
                *self.roll_rows.entry((month, insurance)).or_default() += rows;
            }
            _ => {}
        }
    }

    /// Month and insurance of a record that is counted by them.
    #[must_use]
    pub fn of(record: &Record) -> Option<(Month, Option<Insurance>)> {
        let insurance = record.text(Field::Insurance).and_then(Insurance::by_word);
        match record.kind {
            RecordKind::Tax | RecordKind::InsuredRoll => Some((record.month()?, insurance)),
            RecordKind::Registration | RecordKind::Transport => None,
        }
    }
}

/// The organisation code inside a credit code or a legacy tax id: the safe key, because the
/// region digits of older ids differ for firms that moved (GB 32100-2015; GB 11714).
#[must_use]
pub fn organisation_code(id: &str) -> Option<String> {
    code::organisation_code_of(id)
}

/// The organisation code that somebody may mean who asks for a credit code, an organisation code or an id.
#[must_use]
pub fn organisation_wanted(wanted: &str) -> String {
    organisation_code(wanted)
        .unwrap_or_else(|| wanted.strip_prefix('E').unwrap_or(wanted).to_owned())
}

impl Register {
    /// Builds the register from the current records of all sources, as the identifiers and names lead, without places and decisions.
    #[must_use]
    pub fn build(records: impl IntoIterator<Item = Placed>) -> Self {
        Self::link(records, &Units::default(), &Decisions::default())
    }

    /// Builds the register from the current records of all sources.
    #[must_use]
    pub fn link(
        records: impl IntoIterator<Item = Placed>,
        units: &Units,
        decisions: &Decisions,
    ) -> Self {
        let mut register = Self::default();
        let (mut registrations, mut roll, mut later) = (Vec::new(), Vec::new(), Vec::new());
        for placed in records {
            // What is missing stands for a while, but nobody speaks of its month any more.
            if placed.missed == 0
                && let Some((month, insurance)) = Periods::of(&placed.record)
            {
                register
                    .periods
                    .count(placed.record.kind, month, insurance, 1);
            }
            match placed.record.kind {
                RecordKind::Registration => registrations.push(placed),
                RecordKind::InsuredRoll => roll.push(placed),
                RecordKind::Tax | RecordKind::Transport => later.push(placed),
            }
        }
        let anchors = Anchors::of(
            registrations.iter().map(|placed| &placed.record),
            units,
            decisions,
        );
        let mut loose = LooseEnds::default();
        for placed in registrations {
            match anchors.of_registration(&placed.record) {
                Some((organisation, tier, reason)) => {
                    register.attach(organisation, placed, tier, reason);
                }
                None => register.unattached.push(placed),
            }
        }
        for placed in later {
            let lead = anchors.lead(&placed.record, None);
            let own = loose.settle(&anchors, &placed.record, lead);
            match own {
                Some((organisation, tier, reason)) => {
                    register.attach(organisation, placed, tier, reason);
                }
                None => register.unattached.push(placed),
            }
        }
        register.attach_roll(&anchors, &mut loose, roll);
        register.finish(&anchors, &loose)
    }

    /// The enterprise of this credit code, organisation code, id or exact name.
    #[must_use]
    pub fn find(&self, wanted: &str) -> Vec<&Enterprise> {
        if let Some(&at) = self.index.get(&organisation_wanted(wanted)) {
            return vec![&self.enterprises[at]];
        }
        self.enterprises
            .iter()
            .filter(|enterprise| enterprise.is_called(wanted))
            .collect()
    }

    /// The enterprise with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Enterprise> {
        self.index
            .get(id.strip_prefix('E').unwrap_or(id))
            .map(|&at| &self.enterprises[at])
    }

    /// The enterprise whose organisation code is inside this code.
    #[must_use]
    pub fn of_code(&self, code: &str) -> Option<&Enterprise> {
        let at = self.index.get(&organisation_code(code)?)?;
        self.enterprises.get(*at)
    }

    fn entry(&mut self, organisation: Organisation) -> &mut Enterprise {
        let organisation = pairing::text(organisation);
        let enterprises = &mut self.enterprises;
        let at = *self
            .index
            .entry(organisation)
            .or_insert_with_key(|organisation| {
                enterprises.push(Enterprise {
                    id: format!("E{organisation}"),
                    ..Enterprise::default()
                });
                enterprises.len() - 1
            });
        &mut self.enterprises[at]
    }

    fn attach(&mut self, organisation: Organisation, placed: Placed, tier: Tier, reason: &str) {
        let enterprise = self.entry(organisation);
        enterprise.links.push(link(&placed, tier, reason));
        enterprise.take(placed);
    }

    fn attach_roll(&mut self, anchors: &Anchors<'_>, loose: &mut LooseEnds, rows: Vec<Placed>) {
        let mut units: HashMap<String, UnitLead> = HashMap::new();
        for placed in &rows {
            let Some(unit) = placed.record.text(Field::UnitNumber) else {
                continue;
            };
            if let Some(said) = anchors.said_by_row(&placed.record) {
                units.entry(unit.to_owned()).or_default().hear(said);
            }
        }
        for placed in rows {
            let of_unit = placed
                .record
                .text(Field::UnitNumber)
                .and_then(|unit| units.get(unit)?.one());
            let lead = anchors.lead(&placed.record, of_unit);
            match loose.settle(anchors, &placed.record, lead) {
                Some((organisation, tier, reason)) => {
                    self.attach(organisation, placed, tier, reason);
                }
                None => self.unattached.push(placed),
            }
        }
    }

    fn finish(self, anchors: &Anchors<'_>, loose: &LooseEnds) -> Self {
        let mut register = Self {
            unattached: self.unattached,
            ..Self::of(self.enterprises, self.periods)
        };
        register.join(anchors);
        let laid_out = loose.laid_out();
        let mut search = Search::begin(&laid_out, anchors);
        for enterprise in &register.enterprises {
            if let Some(row) = &enterprise.registration {
                search.meet(enterprise, &row.record, enterprise.has_heads());
            }
        }
        let mut searched = search.done();
        searched.succeed(&|subject, organisation| anchors.is_apart(subject, organisation));
        let candidates = searched.listed();
        register.protect(&candidates);
        register.candidates = candidates;
        register
    }

    /// Lets codes whose records were joined to another enterprise lead to that one.
    pub fn join(&mut self, anchors: &Anchors<'_>) {
        for (organisation, joined) in anchors.joined() {
            if let Some(&at) = self.index.get(&pairing::text(joined)) {
                self.index.insert(pairing::text(organisation), at);
            }
        }
    }

    /// These enterprises alone; `periods` are those of all rows of all enterprises.
    #[must_use]
    pub fn of(mut enterprises: Vec<Enterprise>, periods: Periods) -> Self {
        enterprises.sort_by(|a, b| a.id.cmp(&b.id));
        let index = enterprises
            .iter()
            .enumerate()
            .map(|(at, enterprise)| (enterprise.organisation().to_owned(), at))
            .collect();
        Self {
            enterprises,
            periods,
            index,
            ..Self::default()
        }
    }

    /// Marks the enterprises that open pairs protect: those of a whole register, for one that holds a few enterprises only.
    pub fn protect(&mut self, candidates: &[Candidate]) {
        for enterprise in &mut self.enterprises {
            enterprise.undecided.clear();
        }
        for candidate in candidates.iter().filter(|candidate| candidate.protects) {
            if let Some(at) = candidate
                .enterprise
                .strip_prefix('E')
                .and_then(|organisation| self.index.get(organisation))
            {
                self.enterprises[*at].undecided.push(candidate.clone());
            }
        }
    }
}

impl Enterprise {
    /// An enterprise of which nothing is known yet.
    #[must_use]
    pub fn of(organisation: Organisation) -> Self {
        Self {
            id: format!("E{}", pairing::text(organisation)),
            ..Self::default()
        }
    }

    /// Takes in a record that is its own. Registrations come first, the roll last.
    pub fn take(&mut self, placed: Placed) {
        match placed.record.kind {
            RecordKind::Registration => self.take_registration(placed),
            RecordKind::InsuredRoll => self.take_roll(placed),
            RecordKind::Tax | RecordKind::Transport => self.take_other(placed),
        }
    }

    fn take_registration(&mut self, placed: Placed) {
        let is_older = self
            .registration
            .as_ref()
            .is_some_and(|known| standing(known) > standing(&placed));
        if is_older {
            return;
        }
        let text = |field| placed.record.text(field).unwrap_or_default();
        text(Field::Name).clone_into(&mut self.name);
        text(Field::CreditCode).clone_into(&mut self.credit_code);
        self.registration = Some(placed);
    }

    fn take_other(&mut self, placed: Placed) {
        self.called_by(&placed.record);
        match (placed.record.kind, placed.record.month()) {
            (RecordKind::Tax, Some(month)) => {
                let is_twin = self.tax.get(&month).is_some_and(|known| {
                    (known.precedence, id_length(known)) >= (placed.precedence, id_length(&placed))
                });
                if !is_twin {
                    self.tax.insert(month, placed);
                }
            }
            _ => self.transport.push(placed),
        }
    }

    fn take_roll(&mut self, placed: Placed) {
        self.called_by(&placed.record);
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
            self.unit_states.insert(unit.to_owned(), state.to_owned());
        }
        if self
            .roll
            .keys()
            .next_back()
            .is_none_or(|(newest, _)| month >= *newest)
        {
            let named = placed.record.text(Field::Agency).map(str::to_owned);
            self.insured_at = named.or(self.insured_at.take());
        }
        let heads = self.roll.entry((month, kind)).or_default();
        let first = heads.rows.is_empty();
        heads.registered = sum(
            heads.registered,
            placed.record.count(Field::RegisteredHeads),
            first,
        );
        heads.paying = sum(heads.paying, placed.record.count(Field::PayingHeads), first);
        heads.rows.push(placed);
    }

    /// Whether anybody may be registered on its roll rows.
    #[must_use]
    pub fn has_heads(&self) -> bool {
        self.roll
            .values()
            .any(|heads| heads.registered.is_none_or(|heads| heads > 0))
    }

    /// Takes name and code from the first record, where the registrar gives none.
    fn called_by(&mut self, record: &Record) {
        if self.credit_code.is_empty() {
            let text = |field| record.text(field).unwrap_or_default();
            text(Field::CreditCode).clone_into(&mut self.credit_code);
            text(Field::Name).clone_into(&mut self.name);
        }
    }
}

/// Of two registrations of one enterprise the one under a sound code counts, else that of the source with precedence, else the fresher.
fn standing(placed: &Placed) -> (bool, i32, (Option<Date>, bool, Option<Date>)) {
    let is_sound = matches!(claim_of(&placed.record), Claim::Sound(_));
    (is_sound, placed.precedence, freshness(placed))
}

/// Of two registrations under one organisation code the later approval counts, else the active one, else the newer file.
fn freshness(placed: &Placed) -> (Option<Date>, bool, Option<Date>) {
    (
        placed.record.date(Field::Approved),
        placed.record.text(Field::Status) == Some("active"),
        placed.as_of,
    )
}

/// Twin tax rows of one month (15 and 18 characters): the longer id is the newer.
fn id_length(placed: &Placed) -> usize {
    placed.record.text(Field::CreditCode).map_or(0, str::len)
}

/// Unit numbers of one enterprise add up; one unreadable row makes the sum unknown.
fn sum(known: Option<u64>, row: Option<u64>, first: bool) -> Option<u64> {
    if first { row } else { known?.checked_add(row?) }
}

fn link(placed: &Placed, tier: Tier, reason: &str) -> Link {
    Link {
        source: placed.adapter.clone(),
        key: placed.record.key(),
        tier,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Value;

    const FIRM: &str = "91411303MA49U85BX9";
    const OTHER: &str = "91411381MA4RHCMP9A";

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn placed(kind: RecordKind, fields: Vec<(Field, Value)>) -> Placed {
        Placed {
            adapter: kind.name().to_owned(),
            batch: "b1".to_owned(),
            file: "f.csv".to_owned(),
            row: 2,
            as_of: None,
            precedence: 0,
            missed: 0,
            record: Record {
                kind,
                fields: fields.into_iter().collect(),
            },
        }
    }

    fn registration(code: &str, name: &str) -> Placed {
        placed(
            RecordKind::Registration,
            vec![(Field::CreditCode, text(code)), (Field::Name, text(name))],
        )
    }

    /// A pension row of March; blank code or name is left out.
    fn roll(unit: &str, code: &str, name: &str, heads: u64) -> Placed {
        let mut fields = vec![
            (Field::UnitNumber, text(unit)),
            (Field::Insurance, text("pension")),
            (
                Field::Month,
                Value::Month(Month {
                    year: 2026,
                    month: 3,
                }),
            ),
            (Field::RegisteredHeads, Value::Count(heads)),
        ];
        if !code.is_empty() {
            fields.push((Field::CreditCode, text(code)));
        }
        if !name.is_empty() {
            fields.push((Field::Name, text(name)));
        }
        placed(RecordKind::InsuredRoll, fields)
    }

    fn heads(register: &Register, code: &str) -> Option<u64> {
        let month = Month {
            year: 2026,
            month: 3,
        };
        register.find(code)[0].registered(month, Insurance::Pension)
    }

    fn tier(register: &Register, code: &str) -> Option<Tier> {
        register.find(code)[0]
            .links
            .iter()
            .find(|link| link.source == "insured_roll")
            .map(|link| link.tier)
    }

    fn two_firms() -> Vec<Placed> {
        vec![
            registration(FIRM, "南阳宛东（集团）有限公司"),
            registration(OTHER, "南阳宛西商贸有限公司"),
        ]
    }

    fn with(rows: Vec<Placed>) -> Register {
        Register::build(two_firms().into_iter().chain(rows))
    }

    #[test]
    fn every_shape_of_the_code_leads_to_the_same_firm() {
        for id in [
            FIRM,
            "411303MA49U85BX",
            "91411303MA49U85BX900",
            "MA49U85BX",
            "EMA49U85BX",
        ] {
            let register = with(vec![]);
            assert_eq!(register.find(id)[0].credit_code, FIRM, "{id}");
        }
        // A firm that moved keeps its organisation code.
        let register = with(vec![roll("1", "411302MA49U85BX", "", 4)]);
        assert_eq!(heads(&register, FIRM), Some(4));
        assert_eq!(register.enterprises.len(), 2);
        assert_eq!(register.find("南阳宛东(集团)有限公司").len(), 1);
        assert!(register.find("南阳无此户").is_empty());
    }

    #[test]
    fn blank_codes_are_attached_by_unit_number_then_by_name() {
        let register = with(vec![roll("1", FIRM, "", 4), roll("1", "", "别名", 3)]);
        assert_eq!(heads(&register, FIRM), Some(7));

        let register = with(vec![roll("9", "", "南阳宛东(集团) 有限公司", 5)]);
        assert_eq!(heads(&register, FIRM), Some(5));
        assert_eq!(tier(&register, FIRM), Some(Tier::Name));

        let register = with(vec![roll("9", "", "南阳无此户", 5)]);
        assert_eq!(register.unattached.len(), 1);
    }

    #[test]
    fn two_codes_under_one_unit_number_prove_nothing_for_its_blank_rows() {
        let register = with(vec![
            roll("1", FIRM, "", 4),
            roll("1", OTHER, "", 2),
            roll("1", "", "", 9),
        ]);
        assert_eq!(heads(&register, FIRM), Some(4));
        assert_eq!(heads(&register, OTHER), Some(2));
        assert_eq!(register.unattached.len(), 1);
    }

    #[test]
    fn a_name_borne_by_two_firms_proves_nothing() {
        let twins = vec![
            registration(FIRM, "南阳宛东商贸有限公司"),
            registration(OTHER, "南阳宛东商贸有限公司"),
            roll("1", "", "南阳宛东商贸有限公司", 5),
        ];
        let register = Register::build(twins);
        assert_eq!(register.unattached.len(), 1);
        assert_eq!(register.find("南阳宛东商贸有限公司").len(), 2);
    }

    #[test]
    fn a_slip_in_the_code_of_a_roll_row_does_not_rob_the_firm_of_its_cover() {
        let register = with(vec![roll(
            "1",
            "91411303MA49U86BX9",
            "南阳宛东(集团)有限公司",
            5,
        )]);
        assert_eq!(heads(&register, FIRM), Some(5));
        // A firm that only the roll knows has an entry of its own.
        let register = with(vec![roll("1", "914113022328776885", "南阳宛南有限公司", 5)]);
        assert_eq!(heads(&register, "914113022328776885"), Some(5));
        assert_eq!(register.enterprises.len(), 3);
    }

    #[test]
    fn unit_numbers_add_up_and_one_unreadable_row_makes_the_sum_unknown() {
        let register = with(vec![roll("1", FIRM, "", 4), roll("2", FIRM, "", 6)]);
        assert_eq!(heads(&register, FIRM), Some(10));

        let mut unread = roll("2", FIRM, "", 0);
        unread
            .record
            .fields
            .insert(Field::RegisteredHeads, Value::Unread("若干".to_owned()));
        let register = with(vec![roll("1", FIRM, "", 4), unread, roll("3", FIRM, "", 1)]);
        assert_eq!(heads(&register, FIRM), None);
        let register = with(vec![roll("1", FIRM, "", u64::MAX), roll("2", FIRM, "", 1)]);
        assert_eq!(heads(&register, FIRM), None);
    }

    #[test]
    fn twin_rows_are_one_firm() {
        let month = Value::Month(Month {
            year: 2026,
            month: 3,
        });
        let tax = |code: &str, filers: u64| {
            placed(
                RecordKind::Tax,
                vec![
                    (Field::CreditCode, text(code)),
                    (Field::Month, month.clone()),
                    (Field::Filers, Value::Count(filers)),
                ],
            )
        };
        for rows in [
            vec![tax(FIRM, 5), tax("411303MA49U85BX", 9)],
            vec![tax("411303MA49U85BX", 9), tax(FIRM, 5)],
        ] {
            let register = with(rows);
            let firm = register.find(FIRM)[0];
            let filers: Vec<Option<u64>> = firm
                .tax
                .values()
                .map(|row| row.record.count(Field::Filers))
                .collect();
            assert_eq!(filers, [Some(5)]);
        }
        let mut old = registration("91411302MA49U85BX0", "南阳旧名有限公司");
        let mut new = registration(FIRM, "南阳新名有限公司");
        let approved = |year| Value::Date(jiff::civil::date(year, 1, 1));
        old.record.fields.insert(Field::Approved, approved(2019));
        new.record.fields.insert(Field::Approved, approved(2024));
        for rows in [vec![old.clone(), new.clone()], vec![new, old]] {
            let register = Register::build(rows);
            assert_eq!(register.enterprises.len(), 1);
            assert_eq!(register.enterprises[0].name, "南阳新名有限公司");
        }
    }

    #[test]
    fn a_citizen_id_makes_no_enterprise() {
        let register = Register::build(vec![registration("11010519491231002X", "个体户")]);
        assert!(register.enterprises.is_empty());
    }

    #[test]
    fn the_source_with_precedence_prevails_and_the_newer_among_equals() {
        let of = |name: &str, precedence: i32, day: i8| {
            let mut placed = registration("91411300MA40000001", name);
            placed.adapter = name.to_owned();
            placed.precedence = precedence;
            placed.as_of = Some(jiff::civil::date(2026, 3, day));
            placed
        };
        for (first, second, wanted) in [
            (of("a", 0, 1), of("b", 0, 2), "b"),
            (of("a", 1, 1), of("b", 0, 2), "a"),
            (of("a", 0, 2), of("b", 1, 1), "b"),
        ] {
            for rows in [
                vec![first.clone(), second.clone()],
                vec![second.clone(), first.clone()],
            ] {
                let register = Register::build(rows);
                assert_eq!(register.enterprises.len(), 1);
                assert_eq!(register.enterprises[0].name, wanted);
                assert_eq!(register.enterprises[0].links.len(), 2, "both stay shown");
            }
        }
    }
}
