//! Who owes what and who is covered: one enterprise against the insured roll.
//!
//! A finding needs positive evidence of employment for two months or more. Unknown is neither zero
//! nor guilty: it goes to the survey list. A kind whose part of the roll is late or held is *not
//! known* and founds nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::finding::{Finding, FindingKind, Ground, Insurance};
use crate::domain::industry;
use crate::domain::new_form::{self, NewFormTag};
use crate::domain::record::{Field, Month};
use crate::domain::register::{Enterprise, Register};
use crate::domain::size::{self, Class, SizeClass};
use crate::domain::unit::{UnitId, Units};

/// Figures of the comparison, from the settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
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
    let newest_tax = register
        .enterprises
        .iter()
        .filter_map(|e| e.tax.keys().next_back())
        .max()
        .copied();
    let roll_month = register
        .enterprises
        .iter()
        .filter_map(|e| e.roll.keys().next_back())
        .map(|(m, _)| *m)
        .max();
    let context = Context {
        register,
        rules,
        roll,
        today,
        newest_tax,
        roll_month,
    };
    let surplus = context.head_office_surplus();
    register
        .enterprises
        .iter()
        .map(|enterprise| context.assess(enterprise, &surplus))
        .collect()
}

struct Context<'a> {
    register: &'a Register,
    rules: &'a Rules,
    roll: &'a RollKnowledge,
    today: Date,
    newest_tax: Option<Month>,
    roll_month: Option<Month>,
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
            return Standing::Doubtful;
        }
        if !assessment.findings.is_empty() {
            return Standing::NotPaying;
        }
        if self.is_construction(enterprise) {
            return Standing::InsuredByProject;
        }
        let filers = months.last().map_or(0, |(_, filers)| *filers);
        let heads = enterprise
            .tax
            .values()
            .next_back()
            .and_then(|row| row.record.count(Field::Employees))
            .unwrap_or(0);
        if heads >= filers.saturating_mul(2) && heads >= filers + self.rules.coverage.gap {
            return Standing::InsuredDispatch;
        }
        Standing::Insured
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
            let run: Option<Vec<(Month, u64)>> = (0..i32::try_from(rules.evidence_months)
                .unwrap_or(2))
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

    fn is_construction(&self, enterprise: &Enterprise) -> bool {
        industry_of(enterprise).is_some_and(industry::is_construction)
    }

    /// The kinds this enterprise owes on its own roll entry, as far as the roll is known today.
    fn owed(&self, enterprise: &Enterprise) -> Vec<Insurance> {
        Insurance::ALL
            .into_iter()
            .filter(|kind| self.roll.known.contains(kind))
            .filter(|kind| *kind != Insurance::WorkInjury || !self.is_construction(enterprise))
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
        let newest = |kind: &Insurance| self.newest_heads(enterprise, *kind, current);
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
        if self.is_not_paying(enterprise, as_of) {
            findings.push(build(FindingKind::NotPaying, owed.clone()));
        }
        findings
    }

    /// Registered heads of the newest roll month; a unit on the roll without a row of this kind has nobody in it.
    fn newest_heads(
        &self,
        enterprise: &Enterprise,
        kind: Insurance,
        current: Month,
    ) -> Option<u64> {
        match enterprise.roll.get(&(current, kind)) {
            Some(heads) => heads.registered,
            None => Some(0),
        }
    }

    /// Ratio and gap in every month of the evidence *and* on the newest roll: who has caught up since is not asked.
    fn is_fewer(
        &self,
        enterprise: &Enterprise,
        kind: Insurance,
        months: &[(Month, u64)],
        current: Month,
    ) -> bool {
        let Some(now) = self.newest_heads(enterprise, kind, current) else {
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

    /// Registered heads and not one paying in the two newest complete months (complete in the month after).
    fn is_not_paying(&self, enterprise: &Enterprise, as_of: Date) -> bool {
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
                    format!("{month}工资薪金个税申报{filers}人"),
                    "coverage.evidence",
                    "社会保险经办条例第九条",
                ));
            }
        }
        let registered: BTreeMap<Insurance, u64> = Insurance::ALL
            .into_iter()
            .filter_map(|kind| Some((kind, self.newest_heads(enterprise, kind, current)?)))
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
                .map_or("不详".to_owned(), |day| day.to_string());
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
        match enterprise.roll.get(&(current, kind)) {
            Some(heads) => heads
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
                            "{}{current}参保{}人、缴费{}人",
                            kind.title(),
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
                    format!("参保登记册中没有该单位{current}的{}", kind.title()),
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

    fn head_office<'b>(&'b self, enterprise: &Enterprise) -> Option<&'b Enterprise> {
        let code = enterprise
            .registration
            .as_ref()?
            .record
            .text(Field::HeadOfficeCode)?;
        self.register
            .find(code)
            .into_iter()
            .next()
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
            Some((Class::OutOfScope, _)) if rules.unclassed_industries => Scope::In,
            Some((Class::OutOfScope, _)) => Scope::UnclassedIndustry,
            // An interval that ends below medium proves 小微 though the exact class is open.
            Some((Class::Undecided, Some(upper))) if upper <= Class::Small => Scope::In,
            Some((Class::Undecided, _)) => Scope::Undecided,
            Some((Class::Small | Class::Micro, _)) => Scope::In,
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
                    .map(|kind| self.newest_heads(head, *kind, current).unwrap_or(0))
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    In,
    Undecided,
    MediumOrLarge,
    OtherForm,
    UnclassedIndustry,
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
