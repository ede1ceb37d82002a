//! Which enterprise a record belongs to, by which tier and why.
//!
//! The registrar's records are the anchors: every enterprise of the register is one, under the organisation code (GB 11714) inside
//! its credit code. A record of another source is led to an anchor by, in this order,
//!
//! 1. what a named person has decided;
//! 2. the organisation code inside an identifier that passes its checks;
//! 3. a registration number (工商注册号) that the registrar names for one anchor only, else the organisation code inside an identifier
//!    that fails a check;
//! 4. its unit number on the roll, when other rows of that number lead to one enterprise and to no other;
//! 5. its normalised name, current or former, when the evidence leaves one bearer.
//!
//! **Vetoes.** Two different codes that both pass their checks are never one firm by tiers 4 and 5. What a person has decided to be
//! apart stays apart. An identifier that fails its checks leads to an anchor only while the name on the record does not lead to
//! another one. What no tier leads anywhere, but may be somebody's, is left to [`crate::domain::candidates`] and to a person.
//!
//! The answer for a record rests on the record, the anchors and the rows of its unit number, never on the order of records.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::code::{self, Claim, Organisation};
use crate::domain::pairing::{Decisions, LONGEST_CHAIN, Subject};
use crate::domain::record::{Field, Record, RecordKind};
use crate::domain::text::{normal_name, normalised_name};
use crate::domain::unit::Units;

/// How a record came to its enterprise, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// A named person has decided it.
    Decision,
    /// The same organisation code (positions 9–17 of the credit code, or the end of a legacy tax id).
    Code,
    /// The registration number of before 2015, which the registrar names for this enterprise.
    RegistrationNumber,
    /// Other rows of the same unit number lead to it.
    UnitNumber,
    /// The same normalised name, current or former, and the evidence leaves no other bearer.
    Name,
}

/// Where a record leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// To this enterprise.
    To(Organisation, Tier, &'static str),
    /// Its name leads to these, and nothing tells which; or to one that a veto or a contradiction keeps away.
    Open(Vec<Organisation>),
    /// Nowhere.
    Nowhere,
}

/// The two writings of one legal form (公司法 art. 8).
const LONG_FORM: &str = "有限责任公司";
const SHORT_FORM: &str = "有限公司";
/// What parts the names of a column of former names.
const BETWEEN_NAMES: [char; 9] = ['；', ';', '、', '，', ',', '|', '/', '\n', '\t'];

/// A name as names are compared for linking: normalised, with one writing of the legal form.
#[must_use]
pub fn comparable_name(name: &str) -> String {
    let name = normalised_name(name);
    if name.contains(LONG_FORM) {
        name.replace(LONG_FORM, SHORT_FORM)
    } else {
        name.into_owned()
    }
}

/// The normalised names that are compared as the same as this one: to look them up.
#[must_use]
pub fn variants(name: &str) -> Vec<String> {
    let own = normal_name(name);
    let short = own.replace(LONG_FORM, SHORT_FORM);
    let long = short.replace(SHORT_FORM, LONG_FORM);
    let mut all = vec![own, short, long];
    all.sort();
    all.dedup();
    all.retain(|name| !name.is_empty());
    all
}

/// The names that a registration bears: the current one first, then former ones.
pub fn names_of(record: &Record) -> impl Iterator<Item = &str> {
    let former = record.text(Field::FormerNames).unwrap_or_default();
    record
        .text(Field::Name)
        .into_iter()
        .chain(former.split(BETWEEN_NAMES))
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

/// Who a roll row or another record is when a person decides about it: its unit number, else its identifier as it stands.
#[must_use]
pub fn subject_of(record: &Record, claim: Claim) -> Option<Subject> {
    if let Some(unit) = record.text(Field::UnitNumber) {
        return Some(Subject::Unit(unit.to_owned()));
    }
    match claim {
        Claim::Sound(organisation) => Some(Subject::enterprise(organisation)),
        _ => record
            .text(Field::CreditCode)
            .map(code::normal)
            .map(Subject::Code),
    }
}

/// All that whoever links hears of a record.
pub const HEARD: [Field; 11] = [
    Field::CreditCode,
    Field::Name,
    Field::FormerNames,
    Field::RegistrationNumber,
    Field::UnitNumber,
    Field::HeadOfficeCode,
    Field::Representative,
    Field::Phone,
    Field::Region,
    Field::Township,
    Field::Agency,
];

/// Whether two versions of a record say the same to whoever links: they lead where they led, and so does what is led to them.
#[must_use]
pub fn links_alike(one: &Record, other: &Record) -> bool {
    HEARD
        .iter()
        .all(|field| one.text(*field) == other.text(*field))
}

/// A name that its legal form makes unique with one registrar (企业名称登记管理规定 arts. 6, 17): a company's or a cooperative's in full.
fn is_full_name(name: &str) -> bool {
    (name.ends_with("公司") || name.ends_with("合作社")) && name.chars().count() >= 8
}

/// What speaks for two records being of one firm beside their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Places: reporting units by their number in the settings.
    counties: Vec<u16>,
    /// Representatives' pseudonyms and telephone numbers, as hashes.
    people: Vec<u64>,
}

impl Evidence {
    /// Of one record.
    #[must_use]
    pub fn of(record: &Record, units: &Units) -> Self {
        let mut people = Vec::new();
        if let Some(representative) = record.text(Field::Representative) {
            people.push(xxh3_64(representative.as_bytes()));
        }
        let phones = record.text(Field::Phone).unwrap_or_default();
        for phone in phones.split(|c: char| !(c.is_ascii_digit() || c == '-')) {
            let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
            if digits.len() >= 7 {
                people.push(xxh3_64(digits.as_bytes()));
            }
        }
        Self {
            counties: county(record, units).into_iter().collect(),
            people,
        }
    }

    /// What either says.
    pub fn add(&mut self, other: Self) {
        for county in other.counties {
            if !self.counties.contains(&county) {
                self.counties.push(county);
            }
        }
        for person in other.people {
            if !self.people.contains(&person) {
                self.people.push(person);
            }
        }
    }

    /// Representatives and telephones, as hashes.
    #[must_use]
    pub fn people(&self) -> &[u64] {
        &self.people
    }

    /// Whether both name a place, and not the same.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        !self.counties.is_empty() && !other.counties.is_empty() && !self.shares_county(other)
    }

    /// Whether both name the same place.
    #[must_use]
    pub fn shares_county(&self, other: &Self) -> bool {
        self.counties.iter().any(|own| other.counties.contains(own))
    }

    /// Whether both name the same representative or telephone.
    #[must_use]
    pub fn shares_people(&self, other: &Self) -> bool {
        self.people.iter().any(|own| other.people.contains(own))
    }
}

/// The place a record speaks of. A unit that is no place (市本级 insures firms of every county) says nothing.
fn county(record: &Record, units: &Units) -> Option<u16> {
    let unit = match record.kind {
        RecordKind::InsuredRoll => units.by_name(record.text(Field::Agency)?),
        _ => units.assign(
            None,
            record.text(Field::Township),
            record.text(Field::Region),
        ),
    }?;
    let is_place = unit.id.bytes().all(|b| b.is_ascii_digit()) || !unit.townships.is_empty();
    let at = units.units.iter().position(|other| other.id == unit.id)?;
    is_place.then(|| u16::try_from(at).ok()).flatten()
}

/// One enterprise of the registrar.
#[derive(Debug, Clone)]
struct Anchor {
    organisation: Organisation,
    /// One of its registrations has a code that passes both checks.
    sound: bool,
    /// One of its codes is an individual business's.
    individual: bool,
    evidence: Evidence,
}

/// Who bears a name or a number.
#[derive(Debug, Clone)]
enum Bearers {
    One(u32),
    More(Vec<u32>),
}

impl Bearers {
    fn add(&mut self, anchor: u32) {
        match self {
            Self::One(only) if *only == anchor => {}
            Self::One(only) => *self = Self::More(vec![*only, anchor]),
            Self::More(all) if all.contains(&anchor) => {}
            Self::More(all) => all.push(anchor),
        }
    }

    fn all(&self) -> &[u32] {
        match self {
            Self::One(only) => std::slice::from_ref(only),
            Self::More(all) => all,
        }
    }
}

/// What one registration tells: whoever reads a share of them hears it without the others.
#[derive(Debug, Clone)]
pub enum Heard {
    /// Under a code that passes its checks.
    Sound(Anchored),
    /// Under one that does not: whose it is can be told when all are heard.
    Doubtful(Organisation, Record),
}

/// A registration as records are led to it.
#[derive(Debug, Clone)]
pub struct Anchored {
    organisation: Organisation,
    individual: bool,
    evidence: Evidence,
    /// Hashes of its names.
    names: Vec<u64>,
    /// Hash of its registration number.
    number: Option<u64>,
}

impl Heard {
    /// Of a registration; nothing of one without an organisation code.
    #[must_use]
    pub fn of(record: &Record, units: &Units) -> Option<Self> {
        match claim_of(record) {
            Claim::Sound(organisation) => {
                Some(Self::Sound(Anchored::of(organisation, record, units)))
            }
            Claim::Doubtful(organisation) => Some(Self::Doubtful(organisation, record.clone())),
            Claim::Opaque | Claim::Blank => None,
        }
    }
}

impl Anchored {
    fn of(organisation: Organisation, record: &Record, units: &Units) -> Self {
        let names = names_of(record).map(comparable_name);
        let number = record.text(Field::RegistrationNumber);
        Self {
            organisation,
            individual: record
                .text(Field::CreditCode)
                .is_some_and(|code| code.starts_with("92")),
            evidence: Evidence::of(record, units),
            names: names
                .filter(|name| !name.is_empty())
                .map(|name| xxh3_64(name.as_bytes()))
                .collect(),
            number: number
                .filter(|number| !number.is_empty())
                .map(|number| xxh3_64(number.as_bytes())),
        }
    }
}

/// The enterprises of the registrar, as records are led to them.
#[derive(Debug, Clone)]
pub struct Anchors<'a> {
    units: &'a Units,
    decisions: &'a Decisions,
    list: Vec<Anchor>,
    by_organisation: HashMap<Organisation, u32>,
    by_name: HashMap<u64, Bearers>,
    by_number: HashMap<u64, Bearers>,
    /// Registrations under a code that fails its checks and belong to another anchor, by name or by decision.
    aliases: HashMap<Organisation, (Organisation, Tier)>,
    /// Registrations under such codes that were heard and wait to be settled: few.
    doubtful: Vec<(Organisation, Record)>,
}

impl<'a> Anchors<'a> {
    /// Of the registrar's records.
    #[must_use]
    pub fn of<'r>(
        registrations: impl Iterator<Item = &'r Record>,
        units: &'a Units,
        decisions: &'a Decisions,
    ) -> Self {
        let mut anchors = Self::begin(units, decisions);
        for record in registrations {
            anchors.hear(record);
        }
        anchors.settle();
        anchors
    }

    /// None yet: each registration is to be heard, and then it is to be settled whose those under doubtful codes are.
    #[must_use]
    pub fn begin(units: &'a Units, decisions: &'a Decisions) -> Self {
        Self {
            units,
            decisions,
            list: Vec::new(),
            by_organisation: HashMap::new(),
            by_name: HashMap::new(),
            by_number: HashMap::new(),
            aliases: HashMap::new(),
            doubtful: Vec::new(),
        }
    }

    /// Hears one registration: those under codes that fail their checks in the order of sources and places, all others in any.
    pub fn hear(&mut self, record: &Record) {
        if let Some(heard) = Heard::of(record, self.units) {
            self.take(heard);
        }
    }

    /// Takes what another has heard.
    pub fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Sound(anchored) => self.add(true, anchored),
            Heard::Doubtful(organisation, record) => self.doubtful.push((organisation, record)),
        }
    }

    /// Registrations under codes that fail a check. Early codes of that kind were really issued; others are slips, and their firm may
    /// stand in the register under its true code too.
    pub fn settle(&mut self) {
        let doubtful = std::mem::take(&mut self.doubtful);
        let mut aliases = HashMap::new();
        for (organisation, record) in &doubtful {
            let organisation = *organisation;
            let joined = self.decisions.canonical(organisation);
            if joined != organisation || self.by_organisation.contains_key(&joined) {
                continue;
            }
            let subject = subject_of(record, Claim::Doubtful(organisation));
            if let Some(decided) = self.decided(record, Claim::Doubtful(organisation)) {
                aliases.insert(organisation, (decided, Tier::Decision));
            } else if let Lead::To(other, tier, _) = self.by_name(record, subject.as_ref(), false) {
                aliases.insert(organisation, (other, tier));
            }
        }
        self.aliases = aliases;
        for (organisation, record) in doubtful {
            let organisation = self.canonical(organisation);
            self.add(false, Anchored::of(organisation, &record, self.units));
        }
    }

    fn add(&mut self, sound: bool, anchored: Anchored) {
        let organisation = self.canonical(anchored.organisation);
        let at = *self.by_organisation.entry(organisation).or_insert_with(|| {
            self.list.push(Anchor {
                organisation,
                sound: false,
                individual: false,
                evidence: Evidence::default(),
            });
            u32::try_from(self.list.len() - 1).unwrap_or(u32::MAX)
        });
        let anchor = &mut self.list[at as usize];
        anchor.sound |= sound;
        anchor.individual |= anchored.individual;
        anchor.evidence.add(anchored.evidence);
        for name in anchored.names {
            bear(&mut self.by_name, name, at);
        }
        if let Some(number) = anchored.number {
            bear(&mut self.by_number, number, at);
        }
    }

    /// The organisation code under which an enterprise stands: its own, unless it was joined to another.
    #[must_use]
    pub fn canonical(&self, organisation: Organisation) -> Organisation {
        let mut canonical = organisation;
        // Who was joined by name may be joined further by decision, and the other way round.
        for _ in 0..LONGEST_CHAIN {
            let alias = self.aliases.get(&canonical);
            let next = self
                .decisions
                .canonical(alias.map_or(canonical, |(other, _)| *other));
            if next == canonical {
                break;
            }
            canonical = next;
        }
        canonical
    }

    /// The reporting units, by which places are told.
    #[must_use]
    pub const fn units(&self) -> &'a Units {
        self.units
    }

    /// What is known of an enterprise of the registrar beside its names.
    #[must_use]
    pub fn evidence(&self, organisation: Organisation) -> Option<&Evidence> {
        let at = self.by_organisation.get(&organisation)?;
        self.list.get(*at as usize).map(|anchor| &anchor.evidence)
    }

    /// Whether the registrar has it as an individual business (92).
    #[must_use]
    pub fn is_individual(&self, organisation: Organisation) -> bool {
        let at = self.by_organisation.get(&organisation);
        at.is_some_and(|at| self.list[*at as usize].individual)
    }

    /// Whether a person has said that these are not one firm.
    #[must_use]
    pub fn is_apart(&self, subject: &Subject, organisation: Organisation) -> bool {
        self.decisions.is_apart(subject, organisation)
    }

    /// Organisation codes under which nothing stands, since all of theirs was joined to another enterprise.
    pub fn joined(&self) -> impl Iterator<Item = (Organisation, Organisation)> + '_ {
        self.aliases
            .keys()
            .copied()
            .chain(self.decisions.joined())
            .map(|own| (own, self.canonical(own)))
    }

    /// Whether the registrar knows it.
    #[must_use]
    pub fn holds(&self, organisation: Organisation) -> bool {
        self.by_organisation
            .contains_key(&self.canonical(organisation))
    }

    /// Where the registrar's own record leads: to its anchor.
    #[must_use]
    pub fn of_registration(&self, record: &Record) -> Option<(Organisation, Tier, &'static str)> {
        const DECIDED: &str = "经办人认定为同一单位";
        let claim = claim_of(record);
        let Some(organisation) = claim.organisation() else {
            let decided = self.decided(record, claim)?;
            return Some((self.canonical(decided), Tier::Decision, DECIDED));
        };
        let joined = self.canonical(organisation);
        let tier = match self.aliases.get(&organisation) {
            Some((_, tier)) => *tier,
            None if joined == organisation => Tier::Code,
            None => Tier::Decision,
        };
        let reason = match tier {
            Tier::Code => "统一社会信用代码相同",
            Tier::Name => "代码校验不符，名称与登记机关另一户相同且唯一",
            _ => DECIDED,
        };
        Some((joined, tier, reason))
    }

    /// Where a record of another source leads by what stands in it alone: by decision, code and number.
    #[must_use]
    pub fn by_code(&self, record: &Record) -> Option<(Organisation, Tier, &'static str)> {
        let claim = claim_of(record);
        if let Some(decided) = self.decided(record, claim) {
            let joined = self.canonical(decided);
            return Some((joined, Tier::Decision, "经办人认定为同一单位"));
        }
        if let Claim::Sound(organisation) = claim {
            let joined = self.canonical(organisation);
            if joined != organisation && !self.aliases.contains_key(&organisation) {
                return Some((joined, Tier::Decision, "经办人认定为同一单位"));
            }
            let reason = match record.kind {
                RecordKind::InsuredRoll => "统一社会信用代码相同",
                _ => "识别号所含组织机构代码相同",
            };
            return self.by_organisation.contains_key(&joined).then_some((
                joined,
                Tier::Code,
                reason,
            ));
        }
        if let Some(at) = self.by_number(record) {
            let reason = "识别号为该单位的工商注册号";
            return Some((
                self.list[at as usize].organisation,
                Tier::RegistrationNumber,
                reason,
            ));
        }
        let joined = self.canonical(claim.organisation()?);
        let at = *self.by_organisation.get(&joined)?;
        let is_contradicted = self.names_another(record, at);
        (!is_contradicted).then_some((
            joined,
            Tier::Code,
            "所含组织机构代码相同（整码校验不符，已标注）",
        ))
    }

    /// Whom a row of the roll names by itself, for the blank rows of its unit number: also a firm that the registrar does not know.
    #[must_use]
    pub fn said_by_row(&self, record: &Record) -> Option<Organisation> {
        match (self.by_code(record), claim_of(record)) {
            (Some((organisation, ..)), _) => Some(organisation),
            (None, Claim::Sound(organisation)) => Some(self.canonical(organisation)),
            (None, _) => None,
        }
    }

    /// Where a record leads by all tiers; `of_unit`: where the other rows of its unit number lead, when to one.
    #[must_use]
    pub fn lead(&self, record: &Record, of_unit: Option<Organisation>) -> Lead {
        if let Some((organisation, tier, reason)) = self.by_code(record) {
            return Lead::To(organisation, tier, reason);
        }
        let claim = claim_of(record);
        let is_sound = matches!(claim, Claim::Sound(_));
        if let Some(organisation) = of_unit.filter(|_| !is_sound) {
            let reason = "同一单位编号的其他行载有其代码";
            return Lead::To(organisation, Tier::UnitNumber, reason);
        }
        let subject = subject_of(record, claim);
        let mut named = self.by_name(record, subject.as_ref(), is_sound);
        let own = claim.organisation().map(|own| self.canonical(own));
        // The code leads to one, the name to another: nobody but a person can tell.
        if let (Some(own), Lead::To(other, ..)) = (own, &named)
            && self.by_organisation.contains_key(&own)
        {
            named = Lead::Open(vec![own, *other]);
        }
        named
    }

    fn decided(&self, record: &Record, claim: Claim) -> Option<Organisation> {
        let of_unit = record
            .text(Field::UnitNumber)
            .and_then(|unit| self.decisions.of_unit(unit))
            // A code that passes its checks and is the registrar's own says more than a number that was decided about.
            .filter(|_| !matches!(claim, Claim::Sound(own) if self.holds(own)));
        if of_unit.is_some() {
            return of_unit;
        }
        match claim {
            Claim::Sound(_) | Claim::Blank => None,
            Claim::Doubtful(_) | Claim::Opaque => self
                .decisions
                .of_code(&code::normal(record.text(Field::CreditCode)?)),
        }
    }

    fn by_number(&self, record: &Record) -> Option<u32> {
        if self.by_number.is_empty() {
            return None;
        }
        let number = code::regular(record.text(Field::CreditCode)?);
        match self.by_number.get(&xxh3_64(number.as_bytes()))? {
            Bearers::One(at) => Some(*at),
            Bearers::More(_) => None,
        }
    }

    /// Whether the name on a record is none of this anchor's and leads to another one.
    fn names_another(&self, record: &Record, at: u32) -> bool {
        let Some(name) = record.text(Field::Name) else {
            return false;
        };
        self.bearers(name)
            .is_some_and(|bearers| !bearers.all().contains(&at))
    }

    fn bearers(&self, name: &str) -> Option<&Bearers> {
        let name = comparable_name(name);
        (!name.is_empty())
            .then(|| self.by_name.get(&xxh3_64(name.as_bytes())))
            .flatten()
    }

    /// By name: the one bearer that the evidence leaves. With `sound`, the record's own code passes its checks: only an anchor whose
    /// code does not may be the same firm.
    fn by_name(&self, record: &Record, subject: Option<&Subject>, sound: bool) -> Lead {
        let Some(name) = record.text(Field::Name) else {
            return Lead::Nowhere;
        };
        let Some(bearers) = self.bearers(name) else {
            return Lead::Nowhere;
        };
        let own = Evidence::of(record, self.units);
        let is_apart = |anchor: &Anchor| {
            subject.is_some_and(|subject| self.decisions.is_apart(subject, anchor.organisation))
        };
        let candidates: Vec<&Anchor> = bearers
            .all()
            .iter()
            .map(|at| &self.list[*at as usize])
            .filter(|anchor| !is_apart(anchor))
            .collect();
        let open = |anchors: &[&Anchor]| {
            let mut all: Vec<Organisation> =
                anchors.iter().map(|anchor| anchor.organisation).collect();
            all.sort_unstable();
            Lead::Open(all)
        };
        let allowed: Vec<&Anchor> = candidates
            .iter()
            .filter(|anchor| !(sound && anchor.sound))
            .copied()
            .collect();
        if allowed.is_empty() {
            return if candidates.is_empty() {
                Lead::Nowhere
            } else {
                open(&candidates)
            };
        }
        let to = |anchor: &Anchor, reason| Lead::To(anchor.organisation, Tier::Name, reason);
        if let [only] = allowed[..] {
            let is_elsewhere = only.evidence.contradicts(&own) && !is_full_name(name);
            if is_elsewhere && !only.evidence.shares_people(&own) {
                return open(&allowed);
            }
            // Others bear it whom a veto keeps away: then the name alone says too little.
            if candidates.len() == 1 || only.evidence.shares_people(&own) {
                return to(only, "规范化名称相同且唯一");
            }
            return open(&candidates);
        }
        let here: Vec<&Anchor> = allowed
            .iter()
            .filter(|anchor| anchor.evidence.shares_county(&own))
            .copied()
            .collect();
        if let [only] = here[..] {
            return to(only, "规范化名称相同，所在地相同的仅此一户");
        }
        let met: Vec<&Anchor> = allowed
            .iter()
            .filter(|anchor| anchor.evidence.shares_people(&own))
            .copied()
            .collect();
        if let [only] = met[..] {
            return to(only, "规范化名称相同，法定代表人或电话相同的仅此一户");
        }
        open(&candidates)
    }
}

fn bear(index: &mut HashMap<u64, Bearers>, hash: u64, at: u32) {
    index
        .entry(hash)
        .and_modify(|bearers| bearers.add(at))
        .or_insert(Bearers::One(at));
}

/// What the identifier of a record is worth.
#[must_use]
pub fn claim_of(record: &Record) -> Claim {
    record
        .text(Field::CreditCode)
        .map_or(Claim::Blank, code::claim)
}

/// Where the rows of one unit number lead that say it by themselves: to one enterprise, or not to one alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnitLead {
    /// No row says.
    #[default]
    Nowhere,
    /// All that say, say this.
    To(Organisation),
    /// Two codes under one unit number: the number proves nothing for its blank rows.
    Several,
}

impl UnitLead {
    /// Hears one row more.
    pub fn hear(&mut self, organisation: Organisation) {
        *self = match *self {
            Self::Nowhere => Self::To(organisation),
            Self::To(known) if known == organisation => Self::To(known),
            Self::To(_) | Self::Several => Self::Several,
        };
    }

    /// Hears what another, who heard other rows, was told.
    pub fn hear_all(&mut self, other: Self) {
        match other {
            Self::Nowhere => {}
            Self::To(organisation) => self.hear(organisation),
            Self::Several => *self = Self::Several,
        }
    }

    /// The one enterprise.
    #[must_use]
    pub const fn one(self) -> Option<Organisation> {
        match self {
            Self::To(organisation) => Some(organisation),
            Self::Nowhere | Self::Several => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Value;
    use crate::domain::unit::Unit;

    const FIRM: &str = "91411303MA49U85BX9";
    const OTHER: &str = "91411381MA4RHCMP9A";
    /// [`FIRM`] with one character misread: it fails its checks.
    const SLIP: &str = "91411303MA49U86BX9";
    const NUMBER: &str = "411300000012347";

    fn record(kind: RecordKind, fields: &[(Field, &str)]) -> Record {
        let mut record = Record::new(kind);
        for (field, text) in fields {
            record
                .fields
                .insert(*field, Value::Text((*text).to_owned()));
        }
        record
    }

    fn registration(code: &str, name: &str, more: &[(Field, &str)]) -> Record {
        let own = [(Field::CreditCode, code), (Field::Name, name)];
        record(RecordKind::Registration, &[&own, more].concat())
    }

    fn row(code: &str, name: &str, more: &[(Field, &str)]) -> Record {
        let own = [
            (Field::UnitNumber, "7"),
            (Field::CreditCode, code),
            (Field::Name, name),
        ];
        record(RecordKind::InsuredRoll, &[&own, more].concat())
    }

    fn units() -> Units {
        let unit = |id: &str, name: &str| Unit {
            id: id.to_owned(),
            name: name.to_owned(),
            agency: format!("{name}社会保险中心"),
            aliases: Vec::new(),
            townships: Vec::new(),
            email: "office@sbzx.example".to_owned(),
            audit_email: "audit@sbzx.example".to_owned(),
            phone: None,
            provincial: false,
        };
        Units {
            units: vec![
                unit("411302", "宛城区"),
                unit("411303", "卧龙区"),
                unit("city", "市本级"),
            ],
        }
    }

    /// Tier and code, or how many it may be.
    fn led(registrations: &[Record], record: &Record) -> Result<(Tier, String), usize> {
        led_after(registrations, record, &Decisions::default())
    }

    fn led_after(
        registrations: &[Record],
        record: &Record,
        decisions: &Decisions,
    ) -> Result<(Tier, String), usize> {
        let units = units();
        let anchors = Anchors::of(registrations.iter(), &units, decisions);
        match anchors.lead(record, None) {
            Lead::To(organisation, tier, reason) => {
                assert!(!reason.is_empty());
                Ok((tier, crate::domain::pairing::text(organisation)))
            }
            Lead::Open(open) => Err(open.len()),
            Lead::Nowhere => Err(0),
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "what a lead is compared with")]
    fn to(tier: Tier, code: &str) -> Result<(Tier, String), usize> {
        Ok((tier, code.to_owned()))
    }

    const A: &str = "南阳宛东商贸有限公司";
    const B: &str = "南阳宛西物流有限公司";

    #[test]
    fn each_tier_leads_by_what_it_rests_on() {
        let more = [
            (Field::FormerNames, "南阳旧名商贸有限公司；南阳更旧商店"),
            (Field::RegistrationNumber, NUMBER),
        ];
        let known = [registration(FIRM, A, &more), registration(OTHER, B, &[])];
        for (row, wanted) in [
            // The same organisation code in each shape of an identifier.
            (row(FIRM, B, &[]), to(Tier::Code, "MA49U85BX")),
            (row("411303MA49U85BX", "", &[]), to(Tier::Code, "MA49U85BX")),
            (row("MA49U85B-X", "", &[]), to(Tier::Code, "MA49U85BX")),
            // The registrar's number.
            (
                row(NUMBER, "", &[]),
                to(Tier::RegistrationNumber, "MA49U85BX"),
            ),
            // Names: as they are, in another writing, as they were.
            (row("", A, &[]), to(Tier::Name, "MA49U85BX")),
            (
                row("", "南阳 宛东商贸有限责任公司", &[]),
                to(Tier::Name, "MA49U85BX"),
            ),
            (
                row("", "南阳旧名商贸有限公司", &[]),
                to(Tier::Name, "MA49U85BX"),
            ),
            (row(SLIP, A, &[]), to(Tier::Name, "MA49U85BX")),
            (
                row("911522010783762000", A, &[]),
                to(Tier::Name, "MA49U85BX"),
            ),
            // Nothing leads anywhere.
            (row("", "南阳无此户有限公司", &[]), Err(0)),
            (row(SLIP, "", &[]), Err(0)),
        ] {
            assert_eq!(led(&known, &row), wanted, "{row:?}");
        }
    }

    #[test]
    fn two_codes_that_pass_their_checks_are_never_one_firm_by_name() {
        let known = [registration(FIRM, A, &[])];
        assert_eq!(led(&known, &row(OTHER, A, &[])), Err(1));
        // Where the registrar's own code fails its checks, the name may say it.
        let slipped = [registration(SLIP, A, &[])];
        assert_eq!(
            led(&slipped, &row(OTHER, A, &[])),
            to(Tier::Name, "MA49U86BX")
        );
    }

    #[test]
    fn a_code_that_fails_its_checks_gives_way_when_the_name_leads_to_another() {
        // Organisation code of FIRM, check character wrong.
        let doubtful = "91411303MA49U85BX1";
        let known = [registration(FIRM, A, &[]), registration(OTHER, B, &[])];
        assert_eq!(
            led(&known, &row(doubtful, "南阳新名有限公司", &[])),
            to(Tier::Code, "MA49U85BX")
        );
        assert_eq!(
            led(&known, &row(doubtful, A, &[])),
            to(Tier::Code, "MA49U85BX")
        );
        assert_eq!(led(&known, &row(doubtful, B, &[])), Err(2));
    }

    #[test]
    fn of_several_bearers_the_place_or_the_person_decides() {
        let at = |code: &str, region: &str, phone: &str| {
            registration(
                code,
                "鸿运小吃店",
                &[(Field::Region, region), (Field::Phone, phone)],
            )
        };
        let twins = [
            at(FIRM, "411303", "0377-60000001"),
            at(OTHER, "411302", "13800000001/037760000002"),
        ];
        for (more, wanted) in [
            (vec![], Err(2)),
            (vec![(Field::Agency, "市本级")], Err(2)),
            (vec![(Field::Agency, "宛城区")], to(Tier::Name, "MA4RHCMP9")),
            (vec![(Field::Phone, "0377 60000001")], Err(2)),
            (
                vec![(Field::Phone, "037760000001")],
                to(Tier::Name, "MA49U85BX"),
            ),
            (
                vec![(Field::Phone, "138-0000-0001")],
                to(Tier::Name, "MA4RHCMP9"),
            ),
        ] {
            assert_eq!(
                led(&twins, &row("", "鸿运小吃店", &more)),
                wanted,
                "{more:?}"
            );
        }
        // A short name elsewhere is another firm's; a company's full name is its own wherever it is insured.
        let one = &twins[..1];
        let elsewhere = [(Field::Agency, "宛城区")];
        assert_eq!(led(one, &row("", "鸿运小吃店", &elsewhere)), Err(1));
        let company = [registration(FIRM, A, &[(Field::Region, "411303")])];
        assert_eq!(
            led(&company, &row("", A, &elsewhere)),
            to(Tier::Name, "MA49U85BX")
        );
    }

    #[test]
    fn what_a_person_has_decided_goes_before_everything_and_what_he_parted_stays_apart() {
        use crate::domain::pairing::{Answer, Candidate, Pairing};
        let decided = |subject: &str, enterprise: &str, same: bool| Pairing {
            candidate: Candidate {
                subject: subject.parse().unwrap(),
                name: String::new(),
                protects: true,
                enterprise: enterprise.to_owned(),
                likeness: crate::domain::pairing::Likenesses::default(),
            },
            found: None,
            answer: Some(Answer {
                same,
                by: "张示例".into(),
                reason: "已核实".into(),
                day: jiff::civil::date(2026, 4, 1),
            }),
            history: Vec::new(),
        };
        let known = [registration(FIRM, A, &[]), registration(OTHER, B, &[])];
        let after =
            |pairing: Pairing, row: &Record| led_after(&known, row, &Decisions::of([&pairing]));
        let unit = decided("unit:7", "EMA4RHCMP9", true);
        assert_eq!(
            after(unit.clone(), &row("", A, &[])),
            to(Tier::Decision, "MA4RHCMP9")
        );
        // The registrar's own code, sound, says more than the number.
        assert_eq!(after(unit, &row(FIRM, A, &[])), to(Tier::Code, "MA49U85BX"));
        let code = decided(&format!("code:{SLIP}"), "EMA4RHCMP9", true);
        assert_eq!(
            after(code, &row(SLIP, A, &[])),
            to(Tier::Decision, "MA4RHCMP9")
        );
        let joined = decided("enterprise:EMA49U85BX", "EMA4RHCMP9", true);
        assert_eq!(
            after(joined, &row(FIRM, A, &[])),
            to(Tier::Decision, "MA4RHCMP9")
        );
        let apart = decided("unit:7", "EMA49U85BX", false);
        assert_eq!(after(apart, &row("", A, &[])), Err(0));
    }

    #[test]
    fn a_registration_under_a_slipped_code_is_a_duplicate_of_the_firm_it_is_called_like() {
        let units = units();
        let decisions = Decisions::default();
        let known = [registration(SLIP, A, &[]), registration(FIRM, A, &[])];
        for order in [[0, 1], [1, 0]] {
            let anchors = Anchors::of(order.iter().map(|at| &known[*at]), &units, &decisions);
            let lead = anchors.of_registration(&known[0]).unwrap();
            assert_eq!((&lead.0, lead.1), (b"MA49U85BX", Tier::Name));
        }
        // Alone it stands by itself.
        let anchors = Anchors::of(known[..1].iter(), &units, &decisions);
        assert_eq!(anchors.of_registration(&known[0]).unwrap().1, Tier::Code);
    }
}
