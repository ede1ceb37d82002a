//! Who owes what and who is covered: one enterprise against the insured roll.
//!
//! A finding needs positive evidence of employment for two months or more. Unknown is neither zero
//! nor guilty: it goes to the survey list. A kind whose part of the roll is late or held is *not
//! known* and founds nothing. Where the rows themselves cannot be true, nothing is decided.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::batch::Census;
use crate::domain::doubt::{self, Doubt, DoubtKind, DoubtRules};
use crate::domain::employment::{self, Evidence};
use crate::domain::finding::{Finding, FindingKind, Ground, Insurance};
use crate::domain::industry::{self, Edition, ToldBy};
use crate::domain::liability::{self, LiabilityTable, Liable, Period};
use crate::domain::new_form::{self, NewFormTag};
use crate::domain::record::{Field, Month, Record, Value};
use crate::domain::register::{Enterprise, Periods, Register, RollHeads};
use crate::domain::scope::{Scope, scope};
use crate::domain::size::{self, SizeClass};
use crate::domain::survey::{Relation, Survey, Surveys};
use crate::domain::unit::{UnitId, Units};

/// Figures of the comparison, from the settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent switches of the plan's scope, each a line of the settings"
)]
pub struct CoverageRules {
    /// Paying wage filers from which a month shows employment. One may be the owner alone.
    pub evidence_filers: u64,
    /// Consecutive months needed.
    pub evidence_months: u32,
    /// How old (months before the newest tax month) the newest of them may be.
    pub evidence_age: i32,
    /// Days for which a named person's visit counts as evidence of staff.
    pub visit_days: i32,
    /// Registered ÷ employed below which “fewer insured” is asked.
    pub ratio: f64,
    /// Persons that must be lacking besides.
    pub gap: u64,
    /// 个体工商户 (code head 92).
    pub individual_businesses: bool,
    /// 农民专业合作社 (93).
    pub cooperatives: bool,
    /// 民办非企业单位 (52).
    pub social_organisations: bool,
    /// Industries that the size rule leaves out (education, health …).
    pub unclassed_industries: bool,
    /// From where on the data are doubted.
    pub doubt: DoubtRules,
}

impl Default for CoverageRules {
    fn default() -> Self {
        Self {
            evidence_filers: 2,
            evidence_months: 2,
            evidence_age: 2,
            visit_days: 90,
            ratio: 0.8,
            gap: 3,
            individual_businesses: false,
            cooperatives: false,
            social_organisations: false,
            unclassed_industries: false,
            doubt: DoubtRules::default(),
        }
    }
}

/// All rule tables a review needs.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Figures of the comparison.
    pub coverage: CoverageRules,
    /// Size tables.
    pub size: size::Tables,
    /// New-form markers.
    pub new_form: new_form::Rules,
    /// Who is liable for what since when.
    pub liability: LiabilityTable,
    /// Reporting units.
    pub units: Units,
    /// Which texts these tables were read from.
    pub versions: Vec<RuleVersion>,
}

/// The text of a rule table, as an explanation cites it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleVersion {
    /// The file, such as `size-2017.toml`.
    pub table: String,
    /// The first twelve hex digits of the blake3 of its text; the archive keeps the text under the whole.
    pub digest: String,
    /// The rule it writes down, with its number.
    pub basis: String,
    /// Since when the rule is in force; empty where the table does not say.
    pub from: String,
}

/// What is known of the roll on the day of the review.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RollKnowledge {
    /// The day the last accepted roll speaks of.
    pub as_of: Option<Date>,
    /// Kinds whose part is fresh and not held.
    pub known: BTreeSet<Insurance>,
    /// The adapter, batch and file of that roll: what the absence of a row is cited from.
    pub adapter: String,
    /// Its batch.
    pub batch: String,
    /// Its file.
    pub file: String,
}

/// Why an enterprise has no finding, or that it has. One for each enterprise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Cancelled (注销).
    Cancelled,
    /// Revoked and not cancelled (吊销未注销).
    Revoked,
    /// Liquidating (清算).
    Liquidating,
    /// Moved away (迁出).
    Moved,
    /// Suspended by itself (停业、歇业): the duty does not end by that, a person finds out whether anybody is employed.
    Suspended,
    /// Only tax, transport or the roll know it.
    NotOnRegister,
    /// Founded less than 30 days ago.
    Grace,
    /// Pays wages for less than 30 days.
    StaffGrace,
    /// Its head alone, or nobody, is paid wages.
    NoStaff,
    /// Nothing or too little is known of its staff: survey list.
    StaffUnknown,
    /// Medium or large: a list of its own.
    MediumOrLarge,
    /// Individual business, cooperative, other form that the settings leave out.
    OtherForm,
    /// An industry that the size rule leaves out.
    UnclassedIndustry,
    /// No accepted, fresh roll to compare with.
    RollNotKnown,
    /// Rows of the roll may be its own; a person has to say.
    IdentityUndecided,
    /// All owed kinds and heads are on the roll.
    Insured,
    /// The same, with work injury by construction project.
    InsuredByProject,
    /// Its own staff are; the heads beyond are dispatched and the agency's duty.
    InsuredDispatch,
    /// Covered by the head office's heads.
    InsuredByHeadOffice,
    /// Registered but not paying, and otherwise covered: the tax authority's list.
    NotPaying,
    /// What its rows say cannot be true, or not all of it: nothing is decided until it is corrected.
    NotDecidable,
    /// It has a finding.
    Doubtful,
}

impl Standing {
    /// All, in the order of lists.
    pub const ALL: [Self; 21] = [
        Self::Cancelled,
        Self::Revoked,
        Self::Liquidating,
        Self::Moved,
        Self::Suspended,
        Self::NotOnRegister,
        Self::Grace,
        Self::StaffGrace,
        Self::NoStaff,
        Self::StaffUnknown,
        Self::MediumOrLarge,
        Self::OtherForm,
        Self::UnclassedIndustry,
        Self::RollNotKnown,
        Self::Insured,
        Self::InsuredByProject,
        Self::InsuredDispatch,
        Self::InsuredByHeadOffice,
        Self::NotPaying,
        Self::NotDecidable,
        Self::Doubtful,
    ];

    /// The standing of a state of the register that is not plainly active. What is neither is for a person.
    #[must_use]
    pub fn of_status(status: Option<&str>) -> Self {
        match status {
            Some("cancelled") => Self::Cancelled,
            Some("revoked") => Self::Revoked,
            Some("liquidating") => Self::Liquidating,
            Some("moved") => Self::Moved,
            Some("suspended") => Self::Suspended,
            _ => Self::NotDecidable,
        }
    }

    /// Whether the register shows its end: cancelled, revoked, liquidating or moved away.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(
            self,
            Self::Cancelled | Self::Revoked | Self::Liquidating | Self::Moved
        )
    }

    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Cancelled => "已注销",
            Self::Revoked => "吊销未注销",
            Self::Liquidating => "清算中",
            Self::Moved => "已迁出",
            Self::Suspended => "停业（歇业），劳动关系待核实",
            Self::NotOnRegister => "登记底数中查无此户",
            Self::Grace => "成立未满30日，尚在法定登记期内",
            Self::StaffGrace => "用工未满30日，尚在法定登记期内",
            Self::NoStaff => "无用工迹象（空壳或仅经营者本人）",
            Self::StaffUnknown => "用工情况不明，列入调查清单",
            Self::MediumOrLarge => "中型、大型企业，另列清单",
            Self::OtherForm => "个体工商户、合作社等，未纳入专项范围",
            Self::UnclassedIndustry => "行业不在划型范围",
            Self::RollNotKnown => "参保登记册不可用，不作判断",
            Self::IdentityUndecided => "有参保记录疑属该户，待认定，不作判断",
            Self::Insured => "已按规定参保",
            Self::InsuredByProject => "已参保，工伤保险按建设项目参加",
            Self::InsuredDispatch => "自有职工已参保，其余为劳务派遣",
            Self::InsuredByHeadOffice => "随总公司参保",
            Self::NotPaying => "已参保未缴费，列入税务清单",
            Self::NotDecidable => "数据存疑，不能认定",
            Self::Doubtful => "有疑点",
        }
    }

    /// Whether it counts as covered in the base.
    #[must_use]
    pub const fn insured(self) -> bool {
        matches!(
            self,
            Self::Insured
                | Self::InsuredByProject
                | Self::InsuredDispatch
                | Self::InsuredByHeadOffice
                | Self::NotPaying
        )
    }
}

/// What a size class was taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassBasis {
    /// The year its figures speak of: that of the annual report, else that of the tax row.
    pub year: Option<i16>,
    /// The edition of GB/T 4754 the industry code is of.
    pub edition: Edition,
    /// How that was told.
    pub told_by: ToldBy,
    /// The head office whose class a branch takes.
    pub head_office: Option<String>,
}

/// All that the exports say of one enterprise.
#[derive(Debug, Clone)]
pub struct Assessment {
    /// The enterprise.
    pub enterprise: String,
    /// The agency its case would belong to.
    pub unit: UnitId,
    /// On the register and active.
    pub active: bool,
    /// The evidence of staff.
    pub evidence: Evidence,
    /// Its size class.
    pub class: Option<SizeClass>,
    /// What that was taken from.
    pub class_basis: Option<ClassBasis>,
    /// New-form tags.
    pub tags: Vec<NewFormTag>,
    /// In the plan's scope.
    pub in_scope: bool,
    /// In scope though its class cannot be decided: checked, but counted apart.
    pub undecided: bool,
    /// One word for it.
    pub standing: Standing,
    /// Why its rows cannot be true, or not all of them.
    pub doubts: Vec<Doubt>,
    /// Its findings.
    pub findings: Vec<Finding>,
    /// The month of the roll that it was held against.
    pub roll_month: Option<Month>,
    /// The first day after today on which the same records may be told otherwise, while rules, months and kinds known are the same:
    /// a term ends, a licence or a visit runs out.
    pub turns: Option<Date>,
}

impl Assessment {
    /// Persons of the newest month of evidence.
    #[must_use]
    pub fn employed(&self) -> Option<u64> {
        self.evidence.employed()
    }
}

/// Assesses every enterprise of the register on `today`.
#[must_use]
pub fn assess_all(
    register: &Register,
    rules: &Rules,
    roll: &RollKnowledge,
    surveys: &Surveys,
    today: Date,
) -> Vec<Assessment> {
    let context = Context::of(register, rules, roll, surveys, today);
    let surplus = context.head_office_surplus();
    register
        .enterprises
        .iter()
        .map(|enterprise| context.assess(enterprise, &surplus))
        .collect()
}

/// Assesses one enterprise of the register on `today`; `None` when it is not there. The register may hold less than all enterprises:
/// beside this one its head office and that one's other branches are looked at, and its `periods` must be those of all rows.
#[must_use]
pub fn assess_one(
    register: &Register,
    id: &str,
    rules: &Rules,
    roll: &RollKnowledge,
    surveys: &Surveys,
    today: Date,
) -> Option<Assessment> {
    let context = Context::of(register, rules, roll, surveys, today);
    let enterprise = register.get(id)?;
    Some(context.assess(enterprise, &context.head_office_surplus()))
}

/// What of the months, the roll and the day bears on every enterprise alike, in one text: while it is the same and the rules are,
/// nobody is told otherwise of whom nothing changed before [`Assessment::turns`].
#[must_use]
pub fn common_to_all(
    periods: &Periods,
    rules: &Rules,
    roll: &RollKnowledge,
    today: Date,
) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?}",
        newest_tax(periods, today),
        roll_month(periods, roll),
        roll.as_of.map(Month::of),
        roll.known,
        rules.liability.on(today).map(|period| period.from),
    )
}

/// The kinds a roll speaks of: rows there are, and its newest month is not more than one behind the newest of all kinds. A kind whose
/// months stopped coming is late, and of what is late nothing is known.
#[must_use]
pub fn known_kinds(census: &Census) -> BTreeSet<Insurance> {
    let newest = |kind: Insurance| {
        census
            .heads
            .keys()
            .filter_map(|key| key.split_once('/'))
            .filter(|(_, word)| *word == kind.word())
            .filter_map(|(month, _)| Month::parse(month))
            .max()
    };
    let newest_of_all = Insurance::ALL.into_iter().filter_map(newest).max();
    Insurance::ALL
        .into_iter()
        .filter(|kind| {
            let rows = census.parts.get(&format!("insurance:{}", kind.word()));
            let is_late = newest_of_all
                .zip(newest(*kind))
                .is_some_and(|(all, own)| own < all.plus(-1));
            rows.is_some_and(|rows| *rows > 0) && !is_late
        })
        .collect()
}

/// The newest month that the roll has for (nearly) everybody.
///
/// The running month comes in unit by unit, and one row may carry a slip of the year: taking the newest month that stands
/// anywhere would make everybody else look uninsured. So a month counts when it has at least half the rows of the fullest.
fn roll_month(periods: &Periods, roll: &RollKnowledge) -> Option<Month> {
    let last = Month::of(roll.as_of?);
    let mut rows: BTreeMap<Month, u64> = BTreeMap::new();
    for ((month, kind), count) in &periods.roll_rows {
        if *month <= last && roll.known.contains(kind) {
            *rows.entry(*month).or_default() += count;
        }
    }
    let fullest = rows.values().copied().max()?;
    rows.into_iter()
        .rev()
        .find(|(_, count)| count.saturating_mul(2) >= fullest)
        .map(|(month, _)| month)
}

/// The newest month of tax. A month complete only in the next one, a row of a later month carries a slip of the year: taken for
/// the newest, it would make everybody else's wages look old.
fn newest_tax(periods: &Periods, today: Date) -> Option<Month> {
    let last_complete = Month::of(today).plus(-1);
    periods.newest_tax.map(|newest| newest.min(last_complete))
}

struct Context<'a> {
    register: &'a Register,
    rules: &'a Rules,
    roll: &'a RollKnowledge,
    surveys: &'a Surveys,
    today: Date,
    newest_tax: Option<Month>,
    roll_month: Option<Month>,
    /// The rules of liability in force today; without any nobody is liable.
    period: Option<&'a Period>,
}

impl<'a> Context<'a> {
    fn of(
        register: &'a Register,
        rules: &'a Rules,
        roll: &'a RollKnowledge,
        surveys: &'a Surveys,
        today: Date,
    ) -> Self {
        Self {
            register,
            rules,
            roll,
            surveys,
            today,
            newest_tax: newest_tax(&register.periods, today),
            roll_month: roll_month(&register.periods, roll),
            period: rules.liability.on(today),
        }
    }
}

impl Context<'_> {
    fn assess(&self, enterprise: &Enterprise, by_head_office: &BTreeSet<String>) -> Assessment {
        let registration = enterprise
            .registration
            .as_ref()
            .map(|placed| &placed.record);
        let active =
            registration.is_some_and(|record| record.text(Field::Status) == Some("active"));
        let rules = &self.rules.coverage;
        let visit = self
            .survey(enterprise)
            .and_then(|survey| survey.visit_on(self.today, rules.visit_days));
        let evidence = employment::evidence(rules, enterprise, self.newest_tax, visit);
        let (class, class_basis) = self.class(enterprise).unzip();
        let tags = self.tags(enterprise);
        let scope = scope(
            &self.rules.coverage,
            &enterprise.credit_code,
            class.as_ref(),
            &tags,
        );
        let unit = self.rules.units.assign(
            enterprise.insured_at.as_deref(),
            registration.and_then(|record| record.text(Field::Township)),
            registration
                .and_then(|record| record.text(Field::Region))
                .or_else(|| enterprise.credit_code.get(2..8)),
        );
        // Who employs nobody known is not checked, so that its class is nobody's question.
        let undecided = scope == Scope::Undecided && evidence.shows_staff();
        let mut assessment = Assessment {
            enterprise: enterprise.id.clone(),
            unit: unit.map(|unit| unit.id.clone()).unwrap_or_default(),
            active,
            doubts: self.doubts(enterprise, &evidence),
            evidence,
            undecided,
            in_scope: matches!(scope, Scope::In | Scope::Undecided),
            class,
            class_basis,
            tags,
            standing: Standing::NotDecidable,
            findings: Vec::new(),
            roll_month: self.roll_month,
            turns: None,
        };
        assessment.turns = self.turns(enterprise, &assessment.evidence);
        assessment.standing = self.standing(enterprise, &mut assessment, scope, by_head_office);
        if matches!(
            assessment.standing,
            Standing::Doubtful | Standing::NotPaying
        ) && is_blocked(&assessment)
        {
            assessment.findings.clear();
            assessment.standing = Standing::NotDecidable;
        }
        assessment
    }

    /// The first day on which one of the comparisons with today comes out otherwise.
    fn turns(&self, enterprise: &Enterprise, evidence: &Evidence) -> Option<Date> {
        let mut days: Vec<Option<Date>> = Vec::new();
        let after = |day: Date, days: i32| day.checked_add(jiff::Span::new().days(days)).ok();
        // A branch is sized as its head office: what is doubtful of that one is doubtful of it.
        let sized = self.head_office(enterprise);
        for registered in [Some(enterprise), sized].into_iter().flatten() {
            let row = registered.registration.as_ref();
            match row.and_then(|row| row.record.fields.get(&Field::Founded)) {
                Some(Value::Date(founded)) => {
                    days.push(Some(*founded));
                    days.extend(self.period.map(|period| after(*founded, period.unit.days)));
                }
                Some(Value::Unread(text)) => {
                    let year = text.get(..4).and_then(|year| year.parse::<i16>().ok());
                    days.push(year.and_then(|year| Date::new(year.checked_add(1)?, 1, 1).ok()));
                }
                _ => {}
            }
            // Its class is fixed anew by other rows.
            let new_year = Date::new(self.today.year().saturating_add(1), 1, 1).ok();
            let running = registered.tax.keys().next_back();
            days.push(
                new_year.filter(|_| running.is_some_and(|month| month.year >= self.today.year())),
            );
        }
        if let Evidence::Strong(months) = evidence {
            days.push(self.staff_since(enterprise, months));
        }
        if let Some(visit) = self.survey(enterprise).and_then(|one| one.visit.as_ref()) {
            days.push(Some(visit.date));
            days.push(after(
                visit.date,
                self.rules.coverage.visit_days.saturating_add(1),
            ));
        }
        for licence in &enterprise.transport {
            let until = licence.record.date(Field::LicenceUntil);
            days.push(until.and_then(|until| after(until, 1)));
        }
        days.into_iter()
            .flatten()
            .filter(|day| *day > self.today)
            .min()
    }

    fn survey(&self, enterprise: &Enterprise) -> Option<&Survey> {
        self.surveys.get(&enterprise.id)
    }

    /// Whether a named person found that those who work there through a platform are no staff.
    fn is_without_relation(&self, enterprise: &Enterprise) -> bool {
        self.survey(enterprise)
            .and_then(|survey| survey.relation.as_ref())
            .is_some_and(|found| found.what == Relation::Without)
    }

    fn doubts(&self, enterprise: &Enterprise, evidence: &Evidence) -> Vec<Doubt> {
        if enterprise.registration.is_none() {
            return Vec::new();
        }
        let rules = &self.rules.coverage;
        doubt::doubts(
            &rules.doubt,
            &doubt::Asked {
                enterprise,
                sized: self.head_office(enterprise).unwrap_or(enterprise),
                oldest_tax: self
                    .newest_tax
                    .map(|newest| employment::oldest_allowed(rules, newest)),
                filers: evidence.employed(),
                tables: &self.rules.size,
                units: &self.rules.units,
                today: self.today,
            },
        )
    }

    fn standing(
        &self,
        enterprise: &Enterprise,
        assessment: &mut Assessment,
        scope: Scope,
        by_head_office: &BTreeSet<String>,
    ) -> Standing {
        let Some(registration) = &enterprise.registration else {
            return Standing::NotOnRegister;
        };
        let status = registration.record.text(Field::Status);
        let Some(period) = self
            .period
            .filter(|period| period.liable(status) == Liable::Yes)
        else {
            return Standing::of_status(status);
        };
        // A founding date in the future is a doubt, and a missing one decides nothing against the firm.
        if let Some(founded) = registration.record.date(Field::Founded)
            && (0..period.unit.days).contains(&days_between(founded, self.today))
        {
            return Standing::Grace;
        }
        let months = match &assessment.evidence {
            Evidence::Nobody => return Standing::NoStaff,
            // A head count that cannot be one is not the same as none known.
            Evidence::Unknown if has(assessment, DoubtKind::AbsurdHeads) => {
                return Standing::NotDecidable;
            }
            Evidence::Unknown => return Standing::StaffUnknown,
            // Platform work without a labour relation is for the survey: no duty to insure follows from it.
            Evidence::Strong(_) | Evidence::Visited(..)
                if self.is_without_relation(enterprise)
                    && new_form::is_new_form(&assessment.tags) =>
            {
                return Standing::StaffUnknown;
            }
            Evidence::Strong(months) => months.clone(),
            Evidence::Visited(date, heads) => vec![(Month::of(*date), *heads)],
        };
        match scope {
            Scope::OtherForm => return Standing::OtherForm,
            Scope::MediumOrLarge | Scope::UnclassedIndustry if is_blocked(assessment) => {
                return Standing::NotDecidable;
            }
            Scope::MediumOrLarge => return Standing::MediumOrLarge,
            Scope::UnclassedIndustry => return Standing::UnclassedIndustry,
            Scope::In | Scope::Undecided => {}
        }
        let by_tax = matches!(assessment.evidence, Evidence::Strong(_));
        if by_tax && self.staff_since(enterprise, &months) > Some(self.today) {
            return Standing::StaffGrace;
        }
        let (Some(as_of), false) = (self.roll.as_of, self.roll.known.is_empty()) else {
            return Standing::RollNotKnown;
        };
        assessment.findings = self.findings(enterprise, &months, as_of);
        if assessment
            .findings
            .iter()
            .any(|finding| finding.kind.opens_case())
        {
            if by_head_office.contains(&enterprise.id) {
                assessment.findings.clear();
                return Standing::InsuredByHeadOffice;
            }
            // Rows of the roll that may be its own: its staff may stand there.
            if !enterprise.undecided.is_empty() {
                assessment.findings.clear();
                return Standing::IdentityUndecided;
            }
            return Standing::Doubtful;
        }
        if !assessment.findings.is_empty() {
            return Standing::NotPaying;
        }
        if !self.shows_cover(enterprise) {
            return Standing::RollNotKnown;
        }
        if Insurance::ALL
            .into_iter()
            .any(|kind| self.is_otherwise(enterprise, kind))
        {
            return Standing::InsuredByProject;
        }
        let filers = months.last().map_or(0, |(_, filers)| *filers);
        let heads = enterprise
            .tax
            .values()
            .next_back()
            .and_then(|row| row.record.count(Field::Employees))
            .unwrap_or(0);
        if heads >= filers.saturating_mul(2)
            && heads >= filers.saturating_add(self.rules.coverage.gap)
        {
            return Standing::InsuredDispatch;
        }
        Standing::Insured
    }

    /// The day from which whoever is paid wages must be registered: so many days after the first month of the unbroken run. Who was
    /// taken on at its beginning had to be earlier; the month says no more.
    fn staff_since(&self, enterprise: &Enterprise, months: &[(Month, u64)]) -> Option<Date> {
        let (newest, _) = months.last()?;
        staff_due(&self.rules.coverage, self.period?, enterprise, *newest)
    }

    /// Whether the industry insures for a kind otherwise than on its own entry.
    fn is_otherwise(&self, enterprise: &Enterprise, kind: Insurance) -> bool {
        let industry = doubt::industry_of(enterprise).map(|(code, _)| code);
        self.period
            .is_some_and(|period| period.otherwise(kind, industry).is_some())
    }

    /// Whether the part of the roll that is known today speaks for the firm: no owed kind unreadable, and one with heads. A firm
    /// without a finding only because a kind is late is not insured by that.
    fn shows_cover(&self, enterprise: &Enterprise) -> bool {
        let heads: Vec<Option<u64>> = self
            .owed(enterprise)
            .iter()
            .filter_map(|kind| Some(newest_heads(enterprise, *kind, self.roll_month?)))
            .collect();
        heads.iter().all(Option::is_some) && heads.iter().any(|n| n.is_some_and(|n| n > 0))
    }

    /// The kinds this enterprise owes on its own roll entry, as far as the roll is known today.
    fn owed(&self, enterprise: &Enterprise) -> Vec<Insurance> {
        Insurance::ALL
            .into_iter()
            .filter(|kind| self.roll.known.contains(kind))
            .filter(|kind| !self.is_otherwise(enterprise, *kind))
            .collect()
    }

    fn findings(
        &self,
        enterprise: &Enterprise,
        months: &[(Month, u64)],
        as_of: Date,
    ) -> Vec<Finding> {
        let owed = self.owed(enterprise);
        let Some(current) = self.roll_month else {
            return Vec::new();
        };
        let newest = |kind: &Insurance| newest_heads(enterprise, *kind, current);
        let build = |kind: FindingKind, kinds: Vec<Insurance>| {
            self.finding(enterprise, kind, kinds, months, as_of, current)
        };
        let mut findings = Vec::new();
        if !enterprise.on_roll() {
            if self.roll.known.len() == Insurance::ALL.len() {
                findings.push(build(FindingKind::Absent, owed));
            }
            return findings;
        }
        let heads: BTreeMap<Insurance, Option<u64>> =
            owed.iter().map(|kind| (*kind, newest(kind))).collect();
        let missing: Vec<Insurance> = heads
            .iter()
            .filter(|(_, n)| **n == Some(0))
            .map(|(k, _)| *k)
            .collect();
        if missing.len() == owed.len() && !owed.is_empty() {
            if self.roll.known.len() == Insurance::ALL.len() {
                findings.push(build(FindingKind::NobodyInsured, missing));
            }
            return findings;
        }
        if !missing.is_empty() {
            findings.push(build(FindingKind::KindsMissing, missing));
        }
        let fewer: Vec<Insurance> = heads
            .iter()
            .filter(|(kind, n)| {
                n.is_some_and(|n| n > 0) && self.is_fewer(enterprise, **kind, months, current)
            })
            .map(|(kind, _)| *kind)
            .collect();
        if !fewer.is_empty() {
            findings.push(build(FindingKind::FewerInsured, fewer));
        }
        if is_not_paying(enterprise, as_of) {
            findings.push(build(FindingKind::NotPaying, owed.clone()));
        }
        findings
    }

    /// Ratio and gap in every month of the evidence *and* on the newest roll: who has caught up since is not asked.
    fn is_fewer(
        &self,
        enterprise: &Enterprise,
        kind: Insurance,
        months: &[(Month, u64)],
        current: Month,
    ) -> bool {
        let Some(now) = newest_heads(enterprise, kind, current) else {
            return false;
        };
        months.iter().all(|(month, filers)| {
            let then = enterprise.registered(*month, kind);
            self.falls_short(now, *filers)
                && then.is_none_or(|then| self.falls_short(then, *filers))
        })
    }

    fn falls_short(&self, registered: u64, employed: u64) -> bool {
        #[allow(clippy::cast_precision_loss, reason = "heads are far below 2^52")]
        let below = (registered as f64) < employed as f64 * self.rules.coverage.ratio;
        below && employed.saturating_sub(registered) >= self.rules.coverage.gap
    }

    fn finding(
        &self,
        enterprise: &Enterprise,
        kind: FindingKind,
        kinds: Vec<Insurance>,
        months: &[(Month, u64)],
        as_of: Date,
        current: Month,
    ) -> Finding {
        let mut grounds = Vec::new();
        for (month, filers) in months {
            if let Some(row) = enterprise.tax.get(month) {
                grounds.push(row.ground(
                    format!("{}工资薪金个税申报{filers}人", month.title()),
                    "coverage.evidence",
                    "社会保险经办条例第九条",
                ));
            }
        }
        // Without rows of wages it was a person who saw them.
        if grounds.is_empty()
            && let Some(visit) = self.survey(enterprise).and_then(|one| one.visit.as_ref())
        {
            grounds.push(visit.ground(
                &format!("走访时有用工{}人", visit.what),
                "coverage.evidence",
                "社会保险法第五十八条",
            ));
        }
        let registered: BTreeMap<Insurance, u64> = Insurance::ALL
            .into_iter()
            .filter_map(|kind| Some((kind, newest_heads(enterprise, kind, current)?)))
            .collect();
        if enterprise.on_roll() {
            for insurance in &kinds {
                grounds.extend(roll_grounds(
                    enterprise, *insurance, current, self.roll, as_of,
                ));
            }
        } else {
            let text = "参保登记册中没有该单位".to_owned();
            grounds.push(absence(self.roll, as_of, text, "coverage.absent"));
        }
        if let (Some(row), Some(period)) = (&enterprise.registration, self.period) {
            let founded = row
                .record
                .date(Field::Founded)
                .map_or("不详".to_owned(), crate::domain::text::day);
            let of_kinds = kinds
                .iter()
                .filter_map(|kind| Some(period.kind(*kind)?.article.as_str()));
            let of_unit = [period.unit.article.as_str(), period.staff.article.as_str()];
            let articles = liability::articles(of_unit.into_iter().chain(of_kinds));
            grounds.push(row.ground(
                format!(
                    "登记状态存续，成立日期{founded}，已满{}日",
                    period.unit.days
                ),
                "coverage.liable",
                &articles,
            ));
        }
        Finding {
            kind,
            kinds,
            employed: months.last().map_or(0, |(_, filers)| *filers),
            registered,
            roll_as_of: as_of,
            grounds,
        }
    }

    /// A branch takes its head office's class: it is no legal person of its own (213号).
    fn class(&self, enterprise: &Enterprise) -> Option<(SizeClass, ClassBasis)> {
        let head_office = self.head_office(enterprise);
        let sized = head_office.unwrap_or(enterprise);
        let record = sized.registration.as_ref().map(|placed| &placed.record);
        let annual = sized.annual_tax(self.today);
        let tax = annual.map(|(_, placed)| &placed.record);
        let (code, name) = doubt::industry_of(sized)?;
        let class = size::classify(
            &self.rules.size,
            &size::Input {
                industry: code.to_owned(),
                industry_name: name.to_owned(),
                edition: None,
                employees: record
                    .and_then(|record| record.count(Field::Employees))
                    .or_else(|| tax.and_then(|record| record.count(Field::Employees))),
                revenue_fen: tax
                    .and_then(|record| record.money(Field::Revenue))
                    .or_else(|| record.and_then(|record| record.money(Field::Revenue))),
                assets_fen: tax
                    .and_then(|record| record.money(Field::Assets))
                    .or_else(|| record.and_then(|record| record.money(Field::Assets))),
                trust_assets_fen: None,
            },
        );
        let read = industry::read(code, name);
        let reported = record
            .and_then(|record| record.count(Field::ReportYear))
            .and_then(|year| i16::try_from(year).ok());
        Some((
            class,
            ClassBasis {
                year: reported.or_else(|| annual.map(|(month, _)| month.year)),
                edition: read.edition,
                told_by: read.told_by,
                head_office: head_office.map(|head| head.id.clone()),
            },
        ))
    }

    fn tags(&self, enterprise: &Enterprise) -> Vec<NewFormTag> {
        let licences: Vec<new_form::Licence> = enterprise
            .transport
            .iter()
            .filter(|placed| self.is_in_force(&placed.record))
            .map(|placed| new_form::Licence {
                kind: placed
                    .record
                    .text(Field::LicenceKind)
                    .unwrap_or_default()
                    .to_owned(),
                number: placed
                    .record
                    .text(Field::LicenceNumber)
                    .unwrap_or_default()
                    .to_owned(),
                until: placed.record.date(Field::LicenceUntil),
            })
            .collect();
        let scope = enterprise
            .registration
            .as_ref()
            .and_then(|placed| placed.record.text(Field::BusinessScope));
        let industry = doubt::industry_of(enterprise).map(|(code, _)| code);
        new_form::tags(
            &self.rules.new_form,
            industry.unwrap_or_default(),
            scope.unwrap_or_default(),
            &licences,
        )
    }

    /// A licence that has run out or was withdrawn proves nothing; one without an end or a status is taken as it stands.
    fn is_in_force(&self, licence: &Record) -> bool {
        licence
            .date(Field::LicenceUntil)
            .is_none_or(|until| until >= self.today)
            && licence
                .text(Field::Status)
                .is_none_or(|status| status == "active")
    }

    fn head_office<'b>(&'b self, enterprise: &Enterprise) -> Option<&'b Enterprise> {
        let code = enterprise
            .registration
            .as_ref()?
            .record
            .text(Field::HeadOfficeCode)?;
        self.register
            .of_code(code)
            .filter(|head| head.id != enterprise.id)
    }

    /// Branches whose staff fit into what their head office has registered beyond its own staff, in the order of ids.
    fn head_office_surplus(&self) -> BTreeSet<String> {
        let Some(current) = self.roll_month else {
            return BTreeSet::new();
        };
        let filers = |enterprise: &Enterprise| {
            enterprise
                .tax
                .values()
                .next_back()
                .and_then(|row| row.record.count(Field::Filers))
                .unwrap_or(0)
        };
        let mut left: HashMap<String, u64> = HashMap::new();
        let mut covered = BTreeSet::new();
        for branch in &self.register.enterprises {
            let Some(head) = self.head_office(branch) else {
                continue;
            };
            let spare = left.entry(head.id.clone()).or_insert_with(|| {
                let registered = self
                    .owed(head)
                    .iter()
                    .map(|kind| newest_heads(head, *kind, current).unwrap_or(0))
                    .min()
                    .unwrap_or(0);
                registered.saturating_sub(filers(head))
            });
            let needed = filers(branch);
            if needed > 0 && *spare >= needed {
                *spare -= needed;
                covered.insert(branch.id.clone());
            }
        }
        covered
    }
}

/// Where the newest roll row of a kind stands: in the current month, or in a later one that is not yet complete for everybody.
fn newest_row(
    enterprise: &Enterprise,
    kind: Insurance,
    current: Month,
) -> Option<(Month, &RollHeads)> {
    enterprise
        .roll
        .range((current, Insurance::Pension)..)
        .rev()
        .find(|((_, own), _)| *own == kind)
        .map(|((month, _), heads)| (*month, heads))
}

/// What the roll says of a kind in the newest month there is, row by row; that it says nothing is a fact as well.
pub(crate) fn roll_grounds(
    enterprise: &Enterprise,
    kind: Insurance,
    current: Month,
    roll: &RollKnowledge,
    as_of: Date,
) -> Vec<Ground> {
    let Some((month, heads)) = newest_row(enterprise, kind, current) else {
        let text = format!(
            "参保登记册中没有该单位{}的{}",
            current.title(),
            kind.title()
        );
        return vec![absence(roll, as_of, text, "coverage.kind")];
    };
    heads
        .rows
        .iter()
        .map(|row| {
            let count = |field| {
                row.record
                    .count(field)
                    .map_or("不详".to_owned(), |n: u64| n.to_string())
            };
            row.ground(
                format!(
                    "{}{}参保{}人、缴费{}人",
                    kind.title(),
                    month.title(),
                    count(Field::RegisteredHeads),
                    count(Field::PayingHeads)
                ),
                "coverage.roll",
                "社会保险法第五十八条",
            )
        })
        .collect()
}

fn absence(roll: &RollKnowledge, as_of: Date, text: String, rule: &str) -> Ground {
    Ground {
        source: roll.adapter.clone(),
        batch: roll.batch.clone(),
        file: roll.file.clone(),
        row: 0,
        date: Some(as_of),
        text,
        rule: rule.to_owned(),
        article: "社会保险法第五十七条、第五十八条".to_owned(),
    }
}

/// Registered heads of the newest roll month; a unit on the roll without a row of this kind has nobody in it. `None` when unreadable.
fn newest_heads(enterprise: &Enterprise, kind: Insurance, current: Month) -> Option<u64> {
    newest_row(enterprise, kind, current).map_or(Some(0), |(_, heads)| heads.registered)
}

/// Registered heads and not one paying in the two newest complete months (complete in the month after).
fn is_not_paying(enterprise: &Enterprise, as_of: Date) -> bool {
    let last = Month::of(as_of).plus(-1);
    [last, last.plus(-1)].iter().all(|month| {
        let rows: Vec<_> = Insurance::ALL
            .iter()
            .filter_map(|kind| enterprise.roll.get(&(*month, *kind)))
            .collect();
        let registered: Option<u64> = rows.iter().map(|heads| heads.registered).sum();
        let paying: Option<u64> = rows.iter().map(|heads| heads.paying).sum();
        registered.is_some_and(|n| n > 0) && paying == Some(0)
    })
}

/// The day from which staff paid since the unbroken run of months before `newest` must be registered.
#[must_use]
pub fn staff_due(
    rules: &CoverageRules,
    period: &Period,
    enterprise: &Enterprise,
    newest: Month,
) -> Option<Date> {
    let since = employment::employing_since(rules, enterprise, newest).last_day();
    since
        .checked_add(jiff::Span::new().days(period.staff.days))
        .ok()
}

fn has(assessment: &Assessment, kind: DoubtKind) -> bool {
    assessment.doubts.iter().any(|doubt| doubt.kind == kind)
}

/// Whether a doubt stands before any verdict on it. What bears on the class alone does not touch who is in the plan at any size.
fn is_blocked(assessment: &Assessment) -> bool {
    let any_size = new_form::is_new_form(&assessment.tags);
    assessment
        .doubts
        .iter()
        .any(|doubt| !(any_size && doubt.kind.is_of_class()))
}

/// Whole days from one day to a later one; negative when it is earlier.
#[must_use]
pub fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests;
