//! Who owes what and who is covered: one enterprise against the insured roll.
//!
//! A finding needs positive evidence of employment for two months or more. Unknown is neither zero
//! nor guilty: it goes to the survey list. A kind whose part of the roll is late or held is *not
//! known* and founds nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::batch::Census;
use crate::domain::finding::{Finding, FindingKind, Ground, Insurance};
use crate::domain::industry;
use crate::domain::new_form::{self, NewFormTag};
use crate::domain::record::{Field, Month, Record};
use crate::domain::register::{Enterprise, Periods, Register, RollHeads};
use crate::domain::size::{self, Class, SizeClass};
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
    /// Registered ÷ employed below which “fewer insured” is asked.
    pub ratio: f64,
    /// Persons that must be lacking besides.
    pub gap: u64,
    /// Days of grace after founding (社会保险法 art. 57).
    pub grace_days: i32,
    /// 个体工商户 (code head 92).
    pub individual_businesses: bool,
    /// 农民专业合作社 (93).
    pub cooperatives: bool,
    /// 民办非企业单位 (52).
    pub social_organisations: bool,
    /// Industries that the size rule leaves out (education, health …).
    pub unclassed_industries: bool,
}

impl Default for CoverageRules {
    fn default() -> Self {
        Self {
            evidence_filers: 2,
            evidence_months: 2,
            evidence_age: 2,
            ratio: 0.8,
            gap: 3,
            grace_days: 30,
            individual_businesses: false,
            cooperatives: false,
            social_organisations: false,
            unclassed_industries: false,
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
    /// Reporting units.
    pub units: Units,
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
    /// Cancelled, revoked, liquidating, moved away, suspended.
    NotActive,
    /// Only tax, transport or the roll know it.
    NotOnRegister,
    /// Founded less than 30 days ago.
    Grace,
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
    /// It has a finding.
    Doubtful,
}

impl Standing {
    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::NotActive => "已注销、吊销、清算、停业或迁出",
            Self::NotOnRegister => "登记底数中查无此户",
            Self::Grace => "成立未满30日，尚在法定登记期内",
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

/// Evidence of employment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// Paying wage filers over consecutive months, oldest first, each with its figure.
    Strong(Vec<(Month, u64)>),
    /// The tax rows show nobody, or one person who may be the owner.
    Nobody,
    /// No row, one month only, or an annual report alone.
    Unknown,
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
    /// New-form tags.
    pub tags: Vec<NewFormTag>,
    /// In the plan's scope.
    pub in_scope: bool,
    /// In scope though its class cannot be decided: checked, but counted apart.
    pub undecided: bool,
    /// One word for it.
    pub standing: Standing,
    /// Its findings.
    pub findings: Vec<Finding>,
}

impl Assessment {
    /// Persons of the newest month of evidence.
    #[must_use]
    pub fn employed(&self) -> Option<u64> {
        match &self.evidence {
            Evidence::Strong(months) => months.last().map(|(_, filers)| *filers),
            _ => None,
        }
    }
}

/// Assesses every enterprise of the register on `today`.
#[must_use]
pub fn assess_all(
    register: &Register,
    rules: &Rules,
    roll: &RollKnowledge,
    today: Date,
) -> Vec<Assessment> {
    let context = Context::of(register, rules, roll, today);
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
    today: Date,
) -> Option<Assessment> {
    let context = Context::of(register, rules, roll, today);
    let enterprise = register.get(id)?;
    Some(context.assess(enterprise, &context.head_office_surplus()))
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

struct Context<'a> {
    register: &'a Register,
    rules: &'a Rules,
    roll: &'a RollKnowledge,
    today: Date,
    newest_tax: Option<Month>,
    roll_month: Option<Month>,
}

impl<'a> Context<'a> {
    fn of(register: &'a Register, rules: &'a Rules, roll: &'a RollKnowledge, today: Date) -> Self {
        Self {
            register,
            rules,
            roll,
            today,
            newest_tax: register.periods.newest_tax,
            roll_month: roll_month(&register.periods, roll),
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
        let evidence = self.evidence(enterprise);
        let (class, tags) = self.class_and_tags(enterprise);
        let scope = self.scope(enterprise, class.as_ref(), &tags);
        let unit = self.rules.units.assign(
            enterprise.insured_at.as_deref(),
            registration.and_then(|record| record.text(Field::Township)),
            registration
                .and_then(|record| record.text(Field::Region))
                .or_else(|| enterprise.credit_code.get(2..8)),
        );
        let mut assessment = Assessment {
            enterprise: enterprise.id.clone(),
            unit: unit.map(|unit| unit.id.clone()).unwrap_or_default(),
            active,
            evidence,
            undecided: scope == Scope::Undecided,
            in_scope: matches!(scope, Scope::In | Scope::Undecided),
            class,
            tags,
            standing: Standing::NotActive,
            findings: Vec::new(),
        };
        assessment.standing = self.standing(enterprise, &mut assessment, scope, by_head_office);
        assessment
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
        if !assessment.active {
            return Standing::NotActive;
        }
        match registration.record.date(Field::Founded) {
            // A founding date in the future or missing decides nothing against the firm.
            Some(founded) if days_between(founded, self.today) < self.rules.coverage.grace_days => {
                return Standing::Grace;
            }
            Some(_) | None => {}
        }
        let months = match &assessment.evidence {
            Evidence::Nobody => return Standing::NoStaff,
            Evidence::Unknown => return Standing::StaffUnknown,
            Evidence::Strong(months) => months.clone(),
        };
        match scope {
            Scope::MediumOrLarge => return Standing::MediumOrLarge,
            Scope::OtherForm => return Standing::OtherForm,
            Scope::UnclassedIndustry => return Standing::UnclassedIndustry,
            Scope::In | Scope::Undecided => {}
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
        if is_construction(enterprise) {
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

    /// Two consecutive months with enough paying filers, the newest of them not too old.
    fn evidence(&self, enterprise: &Enterprise) -> Evidence {
        let rules = &self.rules.coverage;
        let Some(newest) = self.newest_tax else {
            return Evidence::Unknown;
        };
        let oldest_allowed = newest.plus(-rules.evidence_age);
        let filers = |month: Month| {
            enterprise
                .tax
                .get(&month)
                .and_then(|row| row.record.count(Field::Filers))
        };
        for (&month, _) in enterprise.tax.range(oldest_allowed..).rev() {
            // Without a month there is no evidence, whatever the settings say.
            let needed = i32::try_from(rules.evidence_months.max(1)).unwrap_or(i32::MAX);
            let run: Option<Vec<(Month, u64)>> = (0..needed)
                .rev()
                .map(|back| {
                    let month = month.plus(-back);
                    filers(month)
                        .filter(|n| *n >= rules.evidence_filers)
                        .map(|n| (month, n))
                })
                .collect();
            if let Some(run) = run {
                return Evidence::Strong(run);
            }
        }
        let recent: Vec<Option<u64>> = enterprise
            .tax
            .range(oldest_allowed..)
            .map(|(_, row)| row.record.count(Field::Filers))
            .collect();
        let reported = enterprise
            .registration
            .as_ref()
            .and_then(|placed| placed.record.count(Field::Employees))
            .is_some_and(|heads| heads >= rules.evidence_filers);
        let nobody = !recent.is_empty()
            && recent
                .iter()
                .all(|n| n.is_some_and(|n| n < rules.evidence_filers));
        if nobody && !reported {
            Evidence::Nobody
        } else {
            Evidence::Unknown
        }
    }

    /// The kinds this enterprise owes on its own roll entry, as far as the roll is known today.
    fn owed(&self, enterprise: &Enterprise) -> Vec<Insurance> {
        Insurance::ALL
            .into_iter()
            .filter(|kind| self.roll.known.contains(kind))
            .filter(|kind| *kind != Insurance::WorkInjury || !is_construction(enterprise))
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
        let registered: BTreeMap<Insurance, u64> = Insurance::ALL
            .into_iter()
            .filter_map(|kind| Some((kind, newest_heads(enterprise, kind, current)?)))
            .collect();
        if enterprise.on_roll() {
            for insurance in &kinds {
                grounds.extend(self.roll_ground(enterprise, *insurance, current, as_of));
            }
        } else {
            grounds.push(self.absence(
                as_of,
                "参保登记册中没有该单位".to_owned(),
                "coverage.absent",
            ));
        }
        if let Some(row) = &enterprise.registration {
            let founded = row
                .record
                .date(Field::Founded)
                .map_or("不详".to_owned(), crate::domain::text::day);
            grounds.push(row.ground(
                format!("登记状态存续，成立日期{founded}，已满30日"),
                "coverage.liable",
                "社会保险法第五十七条、第五十八条",
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

    fn roll_ground(
        &self,
        enterprise: &Enterprise,
        kind: Insurance,
        current: Month,
        as_of: Date,
    ) -> Vec<Ground> {
        match newest_row(enterprise, kind, current) {
            Some((month, heads)) => heads
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
                .collect(),
            None => {
                vec![self.absence(
                    as_of,
                    format!(
                        "参保登记册中没有该单位{}的{}",
                        current.title(),
                        kind.title()
                    ),
                    "coverage.kind",
                )]
            }
        }
    }

    fn absence(&self, as_of: Date, text: String, rule: &str) -> Ground {
        Ground {
            source: self.roll.adapter.clone(),
            batch: self.roll.batch.clone(),
            file: self.roll.file.clone(),
            row: 0,
            date: Some(as_of),
            text,
            rule: rule.to_owned(),
            article: "社会保险法第五十七条、第五十八条".to_owned(),
        }
    }

    fn class_and_tags(&self, enterprise: &Enterprise) -> (Option<SizeClass>, Vec<NewFormTag>) {
        // A branch takes its head office's class: it is no legal person of its own (213号).
        let sized = self.head_office(enterprise).unwrap_or(enterprise);
        let record = sized.registration.as_ref().map(|placed| &placed.record);
        let tax = sized.tax.values().next_back().map(|placed| &placed.record);
        let industry = industry_of(sized);
        let class = industry.map(|industry| {
            size::classify(
                &self.rules.size,
                &size::Input {
                    industry: industry.to_owned(),
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
            )
        });
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
        let tags = new_form::tags(
            &self.rules.new_form,
            industry_of(enterprise).unwrap_or_default(),
            scope.unwrap_or_default(),
            &licences,
        );
        (class, tags)
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

    fn scope(
        &self,
        enterprise: &Enterprise,
        class: Option<&SizeClass>,
        tags: &[NewFormTag],
    ) -> Scope {
        let rules = &self.rules.coverage;
        let allowed = match enterprise.credit_code.get(..2) {
            Some("91") => true,
            Some("92") => rules.individual_businesses,
            Some("93") => rules.cooperatives,
            Some("52") => rules.social_organisations,
            _ => false,
        };
        if !allowed {
            return Scope::OtherForm;
        }
        if new_form::is_new_form(tags) {
            return Scope::In;
        }
        match class.map(|class| (class.class, class.upper)) {
            None => Scope::Undecided,
            Some((Class::Large | Class::Medium, _)) => Scope::MediumOrLarge,
            Some((Class::OutOfScope, _)) if !rules.unclassed_industries => Scope::UnclassedIndustry,
            // An interval that ends below medium proves 小微 though the exact class is open.
            Some((Class::Undecided, upper)) if upper.is_none_or(|upper| upper > Class::Small) => {
                Scope::Undecided
            }
            Some((Class::OutOfScope | Class::Undecided | Class::Small | Class::Micro, _)) => {
                Scope::In
            }
        }
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    In,
    Undecided,
    MediumOrLarge,
    OtherForm,
    UnclassedIndustry,
}

fn is_construction(enterprise: &Enterprise) -> bool {
    industry_of(enterprise).is_some_and(industry::is_construction)
}

fn industry_of(enterprise: &Enterprise) -> Option<&str> {
    enterprise
        .registration
        .as_ref()
        .and_then(|placed| placed.record.text(Field::IndustryCode))
        .or_else(|| {
            enterprise
                .tax
                .values()
                .next_back()
                .and_then(|placed| placed.record.text(Field::IndustryCode))
        })
}

/// Whole days from one day to a later one; negative when it is earlier.
#[must_use]
pub fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::{RecordKind, Value};
    use crate::domain::register::Placed;
    use crate::domain::unit::Unit;

    const FIRM: &str = "91411303MA49U85BX9";
    const BRANCH: &str = "91411381MA4RHCMP9A";
    const OTHER: &str = "914113022328776885";

    fn rules() -> Rules {
        let unit = |id: &str, name: &str| Unit {
            id: id.to_owned(),
            name: name.to_owned(),
            agency: format!("{name}社会保险中心"),
            aliases: Vec::new(),
            townships: Vec::new(),
            email: "clerk@unit.example".to_owned(),
            audit_email: "audit@unit.example".to_owned(),
            phone: None,
            provincial: false,
        };
        Rules {
            coverage: CoverageRules::default(),
            size: size::Tables {
                size: toml::from_str(include_str!("../../config/rules/size-2017.toml"))
                    .expect("the shipped size table"),
                finance: toml::from_str(include_str!("../../config/rules/finance-2015.toml"))
                    .expect("the shipped finance table"),
            },
            new_form: toml::from_str(include_str!("../../config/rules/new-form.toml"))
                .expect("the shipped markers"),
            units: Units {
                units: vec![unit("411302", "宛城区"), unit("411303", "卧龙区")],
            },
        }
    }

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    fn month(text: &str) -> Month {
        Month::parse(text).expect("a month")
    }

    fn roll_of(known: &[Insurance]) -> RollKnowledge {
        RollKnowledge {
            as_of: Some(day("2026-03-31")),
            known: known.iter().copied().collect(),
            adapter: "roll".to_owned(),
            batch: "b1".to_owned(),
            file: "roll.csv".to_owned(),
        }
    }

    /// A city of a few firms, built row by row.
    #[derive(Default)]
    struct City {
        rows: Vec<Placed>,
    }

    impl City {
        fn row(mut self, kind: RecordKind, fields: Vec<(Field, Value)>) -> Self {
            self.rows.push(Placed {
                adapter: kind.name().to_owned(),
                batch: "b1".to_owned(),
                file: format!("{}.csv", kind.name()),
                row: self.rows.len() as u64 + 2,
                as_of: Some(day("2026-03-31")),
                precedence: 0,
                missed: 0,
                record: Record {
                    kind,
                    fields: fields.into_iter().collect(),
                },
            });
            self
        }

        fn registered(self, code: &str, industry: &str) -> Self {
            self.registered_with(code, industry, vec![])
        }

        fn registered_with(self, code: &str, industry: &str, more: Vec<(Field, Value)>) -> Self {
            let mut fields = vec![
                (Field::CreditCode, text(code)),
                (
                    Field::Name,
                    text(&format!("南阳{}号有限公司", &code[9..17])),
                ),
                (Field::Status, text("active")),
                (Field::IndustryCode, text(industry)),
                (Field::Founded, Value::Date(day("2020-01-01"))),
                (Field::Region, text("411303")),
                (Field::Employees, Value::Count(9)),
            ];
            fields.extend(more);
            self.row(RecordKind::Registration, fields)
        }

        fn filers(mut self, code: &str, filers: &[(&str, u64)]) -> Self {
            for (at, n) in filers {
                self = self.row(
                    RecordKind::Tax,
                    vec![
                        (Field::CreditCode, text(code)),
                        (Field::Month, Value::Month(month(at))),
                        (Field::Filers, Value::Count(*n)),
                    ],
                );
            }
            self
        }

        /// Two months of the same staff.
        fn staff(self, code: &str, n: u64) -> Self {
            self.filers(code, &[("2026-02", n), ("2026-03", n)])
        }

        fn roll(mut self, code: &str, heads: &[(Insurance, u64)], at: &str) -> Self {
            for (kind, n) in heads {
                self = self.row(
                    RecordKind::InsuredRoll,
                    vec![
                        (Field::UnitNumber, text(&format!("U{code}"))),
                        (Field::CreditCode, text(code)),
                        (Field::Insurance, text(kind.word())),
                        (Field::Month, Value::Month(month(at))),
                        (Field::RegisteredHeads, Value::Count(*n)),
                        (Field::PayingHeads, Value::Count(*n)),
                        (Field::Agency, text("卧龙区社会保险中心")),
                    ],
                );
            }
            self
        }

        fn insured(self, code: &str, n: u64) -> Self {
            self.roll(code, &Insurance::ALL.map(|kind| (kind, n)), "2026-03")
        }

        fn assess(self, code: &str) -> Assessment {
            self.assess_with(code, &Insurance::ALL, &rules())
        }

        fn assess_with(self, code: &str, known: &[Insurance], rules: &Rules) -> Assessment {
            let register = Register::build(self.rows);
            let wanted = register.find(code)[0].id.clone();
            assess_all(&register, rules, &roll_of(known), day("2026-04-10"))
                .into_iter()
                .find(|one| one.enterprise == wanted)
                .expect("every enterprise is assessed")
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    /// The same city with a fully insured firm beside, so that the roll has its current month.
    fn city() -> City {
        City::default()
            .registered(OTHER, "F5211")
            .staff(OTHER, 5)
            .insured(OTHER, 5)
    }

    fn firm(industry: &str, staff: u64) -> City {
        city().registered(FIRM, industry).staff(FIRM, staff)
    }

    use Insurance::{Pension, Unemployment, WorkInjury};

    fn check(city: City, standing: Standing, findings: &[(FindingKind, &[Insurance])]) {
        let assessment = city.assess(FIRM);
        assert_eq!(assessment.standing, standing, "{assessment:#?}");
        let seen: Vec<(FindingKind, &[Insurance])> = assessment
            .findings
            .iter()
            .map(|finding| (finding.kind, finding.kinds.as_slice()))
            .collect();
        assert_eq!(seen, findings, "{assessment:#?}");
    }

    #[test]
    fn staff_and_no_unit_on_the_roll_is_absent() {
        let city = firm("F5211", 8);
        check(
            city,
            Standing::Doubtful,
            &[(FindingKind::Absent, &Insurance::ALL)],
        );
        let finding = &firm("F5211", 8).assess(FIRM).findings[0];
        assert_eq!(finding.employed, 8);
        // Two months of filers, the absence, the registration: each can be looked up.
        assert_eq!(finding.grounds.len(), 4);
        assert!(
            finding
                .grounds
                .iter()
                .all(|ground| !ground.file.is_empty() && !ground.article.is_empty())
        );
        assert_eq!(finding.grounds[2].row, 0);
    }

    #[test]
    fn a_unit_without_anybody_is_nobody_insured() {
        check(
            firm("F5211", 8).insured(FIRM, 0),
            Standing::Doubtful,
            &[(FindingKind::NobodyInsured, &Insurance::ALL)],
        );
        // Its rows ended months ago.
        check(
            firm("F5211", 8).roll(FIRM, &[(Pension, 8)], "2025-06"),
            Standing::Doubtful,
            &[(FindingKind::NobodyInsured, &Insurance::ALL)],
        );
    }

    #[test]
    fn a_kind_without_heads_is_missing() {
        check(
            firm("F5211", 8).roll(FIRM, &[(Pension, 8), (Unemployment, 0)], "2026-03"),
            Standing::Doubtful,
            &[(FindingKind::KindsMissing, &[Unemployment, WorkInjury])],
        );
    }

    #[test]
    fn fewer_insured_needs_ratio_and_gap() {
        for (staff, insured, fewer) in [
            (10, 10, false),
            (10, 8, false),
            (10, 7, true),
            (5, 3, false),
            (4, 1, true),
            (100, 79, true),
            (100, 80, false),
        ] {
            let assessment = firm("F5211", staff).insured(FIRM, insured).assess(FIRM);
            let seen = assessment
                .findings
                .iter()
                .any(|finding| finding.kind == FindingKind::FewerInsured);
            assert_eq!(seen, fewer, "{staff} {insured}");
            let standing = if fewer {
                Standing::Doubtful
            } else {
                Standing::Insured
            };
            assert_eq!(assessment.standing, standing, "{staff} {insured}");
        }
    }

    #[test]
    fn a_kind_that_is_not_known_founds_nothing() {
        let partly = |city: City| city.assess_with(FIRM, &[Pension, Unemployment], &rules());
        // Work injury is late: its missing rows say nothing.
        let late =
            partly(firm("F5211", 8).roll(FIRM, &[(Pension, 8), (Unemployment, 8)], "2026-03"));
        assert_eq!(late.standing, Standing::Insured);
        assert!(late.findings.is_empty());
        // Neither absence nor an empty unit is told from two kinds of three — nor is it cover.
        for city in [firm("F5211", 8), firm("F5211", 8).insured(FIRM, 0)] {
            let open = partly(city);
            assert_eq!(open.standing, Standing::RollNotKnown);
            assert!(open.findings.is_empty());
        }
        // What is known still counts.
        let missing = partly(firm("F5211", 8).roll(FIRM, &[(Pension, 8)], "2026-03"));
        assert_eq!(missing.findings[0].kinds, [Unemployment]);
        // Nothing known at all.
        let nothing = firm("F5211", 8).assess_with(FIRM, &[], &rules());
        assert_eq!(nothing.standing, Standing::RollNotKnown);
    }

    #[test]
    fn unreadable_heads_are_neither_missing_nor_cover() {
        let unreadable = firm("F5211", 8)
            .roll(FIRM, &[(Pension, 8), (Unemployment, 8)], "2026-03")
            .row(
                RecordKind::InsuredRoll,
                vec![
                    (Field::UnitNumber, text("U9")),
                    (Field::CreditCode, text(FIRM)),
                    (Field::Insurance, text("work_injury")),
                    (Field::Month, Value::Month(month("2026-03"))),
                    (Field::RegisteredHeads, Value::Unread("若干".to_owned())),
                ],
            );
        check(unreadable, Standing::RollNotKnown, &[]);
    }

    #[test]
    fn one_early_or_mistyped_month_does_not_make_everybody_uninsured() {
        for month in ["2026-04", "2062-03"] {
            let mut city = firm("F5211", 8).insured(FIRM, 8);
            // A dozen firms insured in March, one of them already in the later month.
            city = city.roll(OTHER, &[(Pension, 5)], month);
            check(city, Standing::Insured, &[]);
        }
        // Who enrolled in the month that is not yet complete for all is seen.
        check(
            firm("F5211", 8).roll(FIRM, &Insurance::ALL.map(|kind| (kind, 8)), "2026-04"),
            Standing::Insured,
            &[],
        );
    }

    #[test]
    fn construction_is_insured_against_work_injury_by_project() {
        check(
            firm("E4710", 8).roll(FIRM, &[(Pension, 8), (Unemployment, 8)], "2026-03"),
            Standing::InsuredByProject,
            &[],
        );
        check(
            firm("E4710", 8).roll(FIRM, &[(Pension, 8)], "2026-03"),
            Standing::Doubtful,
            &[(FindingKind::KindsMissing, &[Unemployment])],
        );
    }

    #[test]
    fn a_branch_is_covered_by_what_its_head_office_has_to_spare() {
        let branch = |heads: u64| {
            city()
                .registered(BRANCH, "F5211")
                .staff(BRANCH, 10)
                .insured(BRANCH, heads)
                .registered_with(FIRM, "F5211", vec![(Field::HeadOfficeCode, text(BRANCH))])
                .staff(FIRM, 4)
        };
        check(branch(14), Standing::InsuredByHeadOffice, &[]);
        check(
            branch(13),
            Standing::Doubtful,
            &[(FindingKind::Absent, &Insurance::ALL)],
        );
    }

    #[test]
    fn without_evidence_of_staff_nothing_is_asked() {
        for (filers, standing) in [
            (&[][..], Standing::StaffUnknown),
            (&[("2026-03", 8)], Standing::StaffUnknown),
            (&[("2026-01", 8), ("2026-03", 8)], Standing::StaffUnknown),
            (&[("2025-10", 8), ("2025-11", 8)], Standing::StaffUnknown),
            (&[("2026-02", 8), ("2026-03", 8)], Standing::Doubtful),
            (&[("2026-01", 8), ("2026-02", 8)], Standing::Doubtful),
        ] {
            let assessment = city()
                .registered(FIRM, "F5211")
                .filers(FIRM, filers)
                .assess(FIRM);
            assert_eq!(assessment.standing, standing, "{filers:?}");
        }
        // The owner alone, and no heads in the annual report.
        let owner = city()
            .registered_with(FIRM, "F5211", vec![(Field::Employees, Value::Count(1))])
            .staff(FIRM, 1)
            .assess(FIRM);
        assert_eq!(owner.standing, Standing::NoStaff);
        // No setting makes a month of evidence out of none.
        let mut rules = rules();
        rules.coverage.evidence_months = 0;
        let none = city()
            .registered(FIRM, "F5211")
            .assess_with(FIRM, &Insurance::ALL, &rules);
        assert_eq!(none.standing, Standing::StaffUnknown);
    }

    #[test]
    fn status_age_form_and_size_come_before_any_question() {
        let with = |code: &str, more: Vec<(Field, Value)>, staff: u64| {
            city()
                .registered_with(code, "F5211", more)
                .staff(code, staff)
                .assess(code)
                .standing
        };
        for status in ["cancelled", "revoked", "liquidating", "moved"] {
            assert_eq!(
                with(FIRM, vec![(Field::Status, text(status))], 8),
                Standing::NotActive
            );
        }
        let founded = |date: &str| vec![(Field::Founded, Value::Date(day(date)))];
        assert_eq!(with(FIRM, founded("2026-03-12"), 8), Standing::Grace);
        assert_eq!(with(FIRM, founded("2026-03-11"), 8), Standing::Doubtful);
        assert_eq!(with("92411303MA9MWA7340", vec![], 8), Standing::OtherForm);
        let large = vec![
            (Field::Employees, Value::Count(300)),
            (Field::Revenue, Value::Money(20_000 * 1_000_000)),
        ];
        assert_eq!(with(FIRM, large, 300), Standing::MediumOrLarge);
        let unknown = city().filers(FIRM, &[("2026-03", 8)]).assess(FIRM);
        assert_eq!(unknown.standing, Standing::NotOnRegister);
    }

    #[test]
    fn a_large_platform_is_in_scope_and_an_expired_licence_makes_none() {
        let licensed = |until: &str, status: &str| {
            city()
                .registered_with(
                    FIRM,
                    "I6513",
                    vec![
                        (Field::Employees, Value::Count(500)),
                        (Field::Revenue, Value::Money(50_000 * 1_000_000)),
                    ],
                )
                .staff(FIRM, 300)
                .row(
                    RecordKind::Transport,
                    vec![
                        (Field::CreditCode, text(FIRM)),
                        (Field::LicenceKind, text("ride_hailing")),
                        (Field::LicenceNumber, text("0001")),
                        (Field::LicenceUntil, Value::Date(day(until))),
                        (Field::Status, text(status)),
                    ],
                )
                .assess(FIRM)
        };
        let valid = licensed("2026-04-10", "active");
        assert!(valid.in_scope);
        assert_eq!(valid.standing, Standing::Doubtful);
        for gone in [
            licensed("2026-04-09", "active"),
            licensed("2030-01-01", "cancelled"),
        ] {
            assert!(gone.tags.is_empty());
            assert_eq!(gone.standing, Standing::MediumOrLarge);
        }
    }

    #[test]
    fn registered_and_not_paying_is_the_tax_authority_s_list() {
        let mut city = firm("F5211", 8);
        for at in ["2026-01", "2026-02", "2026-03"] {
            for kind in Insurance::ALL {
                city = city.row(
                    RecordKind::InsuredRoll,
                    vec![
                        (Field::UnitNumber, text("U1")),
                        (Field::CreditCode, text(FIRM)),
                        (Field::Insurance, text(kind.word())),
                        (Field::Month, Value::Month(month(at))),
                        (Field::RegisteredHeads, Value::Count(8)),
                        (Field::PayingHeads, Value::Count(0)),
                    ],
                );
            }
        }
        check(
            city,
            Standing::NotPaying,
            &[(FindingKind::NotPaying, &Insurance::ALL)],
        );
    }

    #[test]
    fn the_case_belongs_to_the_agency_that_insures_or_registers() {
        assert_eq!(firm("F5211", 8).assess(FIRM).unit, "411303");
        let moved = firm("F5211", 8)
            .registered_with(BRANCH, "F5211", vec![(Field::Region, text("411302"))])
            .staff(BRANCH, 3)
            .insured(BRANCH, 3);
        // Registered in 宛城, insured in 卧龙.
        assert_eq!(moved.assess(BRANCH).unit, "411303");
    }

    #[test]
    fn a_kind_whose_months_stopped_coming_is_not_known() {
        let census = |heads: &[(&str, u64)]| Census {
            parts: Insurance::ALL
                .iter()
                .map(|kind| (format!("insurance:{}", kind.word()), 10))
                .collect(),
            heads: heads
                .iter()
                .map(|(key, n)| ((*key).to_owned(), *n))
                .collect(),
            ..Census::default()
        };
        let [pension, unemployment, work_injury] = Insurance::ALL;
        for (heads, wanted) in [
            (
                &[
                    ("2026-03/pension", 9),
                    ("2026-03/unemployment", 9),
                    ("2026-03/work_injury", 9),
                ][..],
                &[pension, unemployment, work_injury][..],
            ),
            (
                &[
                    ("2026-03/pension", 9),
                    ("2026-02/unemployment", 9),
                    ("2026-01/work_injury", 9),
                ],
                &[pension, unemployment],
            ),
            (&[], &[pension, unemployment, work_injury]),
        ] {
            let found: Vec<_> = known_kinds(&census(heads)).into_iter().collect();
            assert_eq!(found, wanted, "{heads:?}");
        }
        assert!(known_kinds(&Census::default()).is_empty());
    }
}
