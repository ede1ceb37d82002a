//! Why each verdict about an enterprise holds: the facts with the place where anybody can look them up, the rule and the version of
//! the table it stands in, the article, and what would clear it. A value: a page, a mail or a letter may be made of it.

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::case::Case;
use crate::domain::coverage::{
    Assessment, RollKnowledge, Rules, Standing, roll_grounds, staff_due,
};
use crate::domain::doubt::{Doubt, industry_of, industry_row};
use crate::domain::employment::{Evidence, employing_since, oldest_allowed};
use crate::domain::finding::{Finding, FindingKind, Ground, Insurance};
use crate::domain::liability::{Liable, Period, articles};
use crate::domain::new_form::TagKind;
use crate::domain::record::{Audience, Field};
use crate::domain::register::{Enterprise, Link, Placed, Tier};
use crate::domain::scope::{Scope, scope};
use crate::domain::size::Class;
use crate::domain::survey::Survey;
use crate::domain::text::day;

/// The settings, as an explanation cites them beside the rule tables.
pub const SETTINGS: &str = "yingbao.toml";

/// Everything that was decided about an enterprise, with reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The enterprise.
    pub enterprise: String,
    /// Its credit code.
    pub credit_code: String,
    /// Its name.
    pub name: String,
    /// The day for which it holds.
    pub day: Date,
    /// One word for it.
    pub standing: Standing,
    /// The same for staff.
    pub title: &'static str,
    /// The verdicts, in the order in which they were reached.
    pub verdicts: Vec<Verdict>,
}

/// What a verdict is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Which records are its own.
    Identity,
    /// Its state with the registrar.
    Registration,
    /// Whether it employs anybody.
    Employment,
    /// Its size class.
    Class,
    /// A new-form tag.
    NewForm,
    /// Whether the plan looks at it.
    Scope,
    /// Whether and since when it owes a kind.
    Liability,
    /// A doubt about its data.
    Doubt,
    /// A clerk's answer that holds.
    Answer,
    /// What the roll shows of it.
    Coverage,
    /// A finding.
    Finding,
}

impl Subject {
    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Identity => "归集",
            Self::Registration => "登记",
            Self::Employment => "用工",
            Self::Class => "划型",
            Self::NewForm => "新业态",
            Self::Scope => "专项范围",
            Self::Liability => "参保义务",
            Self::Doubt => "数据存疑",
            Self::Answer => "核实结果",
            Self::Coverage => "参保情况",
            Self::Finding => "疑点",
        }
    }
}

/// One verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What it is about.
    pub subject: Subject,
    /// Its answer as a stable word.
    pub answer: String,
    /// The same in Chinese, with the reason.
    pub text: String,
    /// The furthest audience that may see it.
    pub audience: Audience,
    /// The facts.
    pub facts: Vec<Ground>,
    /// The rule.
    pub rule: Rule,
    /// The article of law, or the rule with its number.
    pub article: String,
    /// What would clear it, or change it; any one of these. Empty where nothing is to be cleared.
    pub clears: Vec<String>,
}

/// A rule of this program and the text it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The rule, such as `coverage.absent`.
    pub id: String,
    /// The table with its figures.
    pub table: String,
    /// The first digits of that table's digest.
    pub version: String,
    /// Since when the rule is in force; empty where the table does not say.
    pub from: String,
}

/// What an explanation is made of.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The enterprise.
    pub enterprise: &'a Enterprise,
    /// What the rules say of it.
    pub assessment: &'a Assessment,
    /// Its cases.
    pub cases: &'a [Case],
    /// The rules in force.
    pub rules: &'a Rules,
    /// The roll.
    pub roll: &'a RollKnowledge,
    /// What named persons found out about its staff.
    pub survey: Option<&'a Survey>,
    /// The day.
    pub today: Date,
}

/// Explains every verdict.
#[must_use]
pub fn explain(asked: &Asked<'_>) -> Explanation {
    let mut verdicts = vec![identity(asked)];
    verdicts.extend(pairs(asked));
    verdicts.extend([registration(asked), employment(asked)]);
    verdicts.extend(class(asked));
    verdicts.extend(new_form(asked));
    verdicts.push(plan(asked));
    verdicts.extend(liability(asked));
    verdicts.extend(asked.assessment.doubts.iter().map(|one| doubt(asked, one)));
    verdicts.extend(answers(asked));
    verdicts.push(coverage(asked));
    verdicts.extend(
        asked
            .assessment
            .findings
            .iter()
            .map(|one| finding(asked, one)),
    );
    Explanation {
        enterprise: asked.enterprise.id.clone(),
        credit_code: asked.enterprise.credit_code.clone(),
        name: asked.enterprise.name.clone(),
        day: asked.today,
        standing: asked.assessment.standing,
        title: asked.assessment.standing.title(),
        verdicts,
    }
}

/// What would clear a standing, whoever has it; `heads` are the persons employed. Empty: there is nothing to be cleared.
#[must_use]
pub fn clears_standing(
    standing: Standing,
    heads: Option<u64>,
    period: Option<&Period>,
) -> Vec<String> {
    let one = |text: &str| vec![text.to_owned()];
    let days = |of: fn(&Period) -> i32| period.map_or(0, of);
    match standing {
        Standing::Insured
        | Standing::InsuredByProject
        | Standing::InsuredDispatch
        | Standing::InsuredByHeadOffice => Vec::new(),
        Standing::Cancelled | Standing::Revoked | Standing::Liquidating | Standing::Moved => {
            one("登记数据重新显示存续后，重新比对")
        }
        Standing::Suspended => vec![
            "登记数据重新显示存续后，重新比对".to_owned(),
            "走访核实停业期间有无劳动关系：停业本身不免除参保义务".to_owned(),
        ],
        Standing::NotOnRegister => one("市场监管登记数据中出现该单位，或更正其统一社会信用代码"),
        Standing::Grace => vec![format!("成立满{}日后，重新比对", days(|p| p.unit.days))],
        Standing::StaffGrace => vec![format!("用工满{}日后，重新比对", days(|p| p.staff.days))],
        Standing::NoStaff | Standing::StaffUnknown => vec![
            "连续月份的税务数据显示有人申报工资薪金个税".to_owned(),
            "走访核实有无用工".to_owned(),
        ],
        Standing::MediumOrLarge => one("划型降至小型、微型，或认定为新业态后，纳入专项范围"),
        Standing::OtherForm => one("设置（[review]）把该类单位纳入专项范围"),
        Standing::UnclassedIndustry => {
            one("设置（unclassed_industries）把不划型的行业纳入专项范围")
        }
        Standing::RollNotKnown => one("取得完整、未过期、含三项险种的参保登记册后，重新比对"),
        Standing::IdentityUndecided => one(
            "具名人员认定相关参保记录是否属于该单位（yingbao identity same 或 different）后，重新比对",
        ),
        Standing::NotPaying => clears_finding(FindingKind::NotPaying, &Insurance::ALL, heads),
        Standing::NotDecidable => one("更正存疑的数据（逐项见“数据存疑”）后，重新比对"),
        Standing::Doubtful => one("逐项见“疑点”"),
    }
}

/// What would clear a finding: any one of these.
#[must_use]
pub fn clears_finding(kind: FindingKind, kinds: &[Insurance], heads: Option<u64>) -> Vec<String> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.title()).collect();
    let kinds = kinds.join("、");
    let by_roll = heads.map(|heads| format!("下一份完整参保登记册显示{kinds}各不少于{heads}人"));
    let by_clerk = || {
        "具名经办人员登记核实结果：原已参保、异地或其他单位参保（附证明）、非全日制、超龄、劳务派遣（附证明）、无用工或已停业"
            .to_owned()
    };
    match kind {
        FindingKind::Absent | FindingKind::NobodyInsured | FindingKind::KindsMissing => {
            by_roll.into_iter().chain([by_clerk()]).collect()
        }
        FindingKind::FewerInsured => by_roll
            .into_iter()
            .chain([
                "下一期税务数据显示用工人数减少，与参保人数相当".to_owned(),
                by_clerk(),
            ])
            .collect(),
        FindingKind::NotPaying => {
            vec!["参保登记册显示最近两个完整所属期有人缴费（以税务机关征收为准）".to_owned()]
        }
    }
}

impl Asked<'_> {
    fn period(&self) -> Option<&Period> {
        self.rules.liability.on(self.today)
    }

    fn rule(&self, id: &str, table: &str) -> Rule {
        let version = self.rules.versions.iter().find(|one| one.table == table);
        let from = match (table, self.period()) {
            ("liability.toml", Some(period)) => period.from.to_string(),
            _ => version.map(|one| one.from.clone()).unwrap_or_default(),
        };
        Rule {
            id: id.to_owned(),
            table: table.to_owned(),
            version: version.map(|one| one.digest.clone()).unwrap_or_default(),
            from,
        }
    }

    /// The state of the register, when it is on it.
    fn status(&self) -> Option<&str> {
        self.enterprise
            .registration
            .as_ref()?
            .record
            .text(Field::Status)
    }

    fn heads(&self) -> Option<u64> {
        self.assessment.employed()
    }
}

/// The word under which a value of ours is written.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Fields of a row as one fact; nothing when it has none of them.
fn fact(row: &Placed, fields: &[Field], rule: &str, article: &str) -> Option<Ground> {
    let said: Vec<String> = fields
        .iter()
        .filter_map(|field| {
            let value = row.record.fields.get(field)?;
            Some(format!("{}：{}", field.title(), field.shown(value)))
        })
        .collect();
    (!said.is_empty()).then(|| row.ground(said.join("，"), rule, article))
}

/// Which records were attached to it otherwise than by its code, and why.
fn identity(asked: &Asked<'_>) -> Verdict {
    const RULE: &str = "register.identity";
    const ARTICLE: &str = "GB 32100-2015、GB 11714-1997";
    let enterprise = asked.enterprise;
    let by_code = |link: &&Link| link.tier == Tier::Code;
    let (code, other): (Vec<&Link>, Vec<&Link>) = enterprise.links.iter().partition(by_code);
    let facts = other.iter().filter_map(|link| {
        let row = enterprise
            .rows()
            .find(|row| row.adapter == link.source && row.record.key() == link.key)?;
        Some(row.ground(link.reason.clone(), RULE, ARTICLE))
    });
    let own = enterprise.rows().next();
    let own = own.and_then(|row| fact(row, &[Field::CreditCode, Field::Name], RULE, ARTICLE));
    let facts: Vec<Ground> = own.into_iter().chain(facts).collect();
    let text = if other.is_empty() {
        format!("{}条记录均按统一社会信用代码归集", code.len())
    } else {
        format!(
            "{}条记录按统一社会信用代码归集，{}条按其他依据归集",
            code.len(),
            other.len()
        )
    };
    Verdict {
        subject: Subject::Identity,
        answer: if other.is_empty() {
            "by_code"
        } else {
            "by_evidence"
        }
        .to_owned(),
        text,
        audience: Audience::Section,
        facts,
        rule: asked.rule(RULE, SETTINGS),
        article: ARTICLE.to_owned(),
        clears: if other.is_empty() {
            Vec::new()
        } else {
            vec![
                "来源部门更正代码；归集有误的，具名人员认定（yingbao identity different）"
                    .to_owned(),
            ]
        },
    }
}

/// Pairs that wait for a person.
fn pairs<'a>(asked: &'a Asked<'_>) -> impl Iterator<Item = Verdict> + 'a {
    const RULE: &str = "register.pair";
    asked.enterprise.undecided.iter().map(|candidate| Verdict {
        subject: Subject::Identity,
        answer: "undecided".to_owned(),
        text: format!(
            "{}（{}）疑属该单位：{}。认定前不据以立疑点",
            candidate.subject.title(),
            candidate.name,
            candidate.reason()
        ),
        audience: Audience::County,
        facts: Vec::new(),
        rule: asked.rule(RULE, SETTINGS),
        article: "社会保险经办条例第九条".to_owned(),
        clears: clears_standing(Standing::IdentityUndecided, None, None),
    })
}

fn registration(asked: &Asked<'_>) -> Verdict {
    const RULE: &str = "liability.status";
    let row = asked.enterprise.registration.as_ref();
    let status = asked.status();
    let article = asked
        .period()
        .and_then(|period| period.status.get(status?))
        .map_or_else(
            || "社会保险法第五十七条".to_owned(),
            |rule| rule.article.clone(),
        );
    let text = match (row, status) {
        (None, _) => "市场监管登记数据中没有该单位".to_owned(),
        (Some(_), None) => "登记数据未载明可识别的登记状态".to_owned(),
        (Some(_), Some(status)) => format!(
            "登记状态为{}",
            Field::Status.word_title(status).unwrap_or(status)
        ),
    };
    let facts = row.and_then(|row| {
        let fields = [
            Field::Status,
            Field::Founded,
            Field::Approved,
            Field::Region,
        ];
        fact(row, &fields, RULE, &article)
    });
    let ended = Standing::of_status(status);
    Verdict {
        subject: Subject::Registration,
        answer: match row {
            None => "absent".to_owned(),
            Some(_) => status.unwrap_or("unknown").to_owned(),
        },
        text,
        audience: Audience::County,
        facts: facts.into_iter().collect(),
        rule: asked.rule(RULE, "liability.toml"),
        article,
        clears: match (row, status) {
            (None, _) => clears_standing(Standing::NotOnRegister, None, None),
            (_, Some("active")) => Vec::new(),
            _ => clears_standing(ended, None, None),
        },
    }
}

fn employment(asked: &Asked<'_>) -> Verdict {
    const RULE: &str = "coverage.evidence";
    const ARTICLE: &str = "社会保险经办条例第九条";
    let rules = &asked.rules.coverage;
    let evidence = &asked.assessment.evidence;
    let (answer, text) = match evidence {
        Evidence::Strong(months) => (
            "strong",
            format!(
                "连续{}个月每月有{}人以上申报工资薪金个税，显示有用工",
                months.len(),
                rules.evidence_filers
            ),
        ),
        Evidence::Visited(date, heads) => (
            "visited",
            format!(
                "{}走访时有用工{heads}人，{}日内作为用工证据",
                day(*date),
                rules.visit_days
            ),
        ),
        Evidence::Nobody => (
            "nobody",
            format!(
                "税务数据显示每月不足{}人申报工资薪金个税，无用工或仅经营者本人",
                rules.evidence_filers
            ),
        ),
        Evidence::Unknown => (
            "unknown",
            "没有连续月份的工资薪金个税申报，用工情况不明".to_owned(),
        ),
    };
    let newest = asked.enterprise.tax.keys().next_back();
    let from = match evidence {
        Evidence::Strong(months) => months.first().map(|(month, _)| *month),
        _ => newest.map(|newest| oldest_allowed(rules, *newest)),
    };
    let fields = [Field::Month, Field::Filers, Field::Employees, Field::Status];
    let mut facts: Vec<Ground> = from
        .map(|from| asked.enterprise.tax.range(from..))
        .into_iter()
        .flatten()
        .filter_map(|(_, row)| fact(row, &fields, RULE, ARTICLE))
        .collect();
    facts.extend(
        asked
            .enterprise
            .registration
            .as_ref()
            .and_then(|row| fact(row, &[Field::ReportYear, Field::Employees], RULE, ARTICLE)),
    );
    if let Some(visit) = asked.survey.and_then(|survey| survey.visit.as_ref()) {
        facts.push(visit.ground(&format!("走访时有用工{}人", visit.what), RULE, ARTICLE));
    }
    Verdict {
        subject: Subject::Employment,
        answer: answer.to_owned(),
        text,
        audience: Audience::Section,
        facts,
        rule: asked.rule(RULE, SETTINGS),
        article: ARTICLE.to_owned(),
        clears: match evidence {
            Evidence::Strong(_) | Evidence::Visited(..) => vec![
                "下一期税务数据不再显示有人申报工资薪金个税".to_owned(),
                "走访核实无用工".to_owned(),
            ],
            Evidence::Nobody => clears_standing(Standing::NoStaff, None, None),
            Evidence::Unknown => clears_standing(Standing::StaffUnknown, None, None),
        },
    }
}

fn class(asked: &Asked<'_>) -> Option<Verdict> {
    const RULE: &str = "size.class";
    let class = asked.assessment.class.as_ref()?;
    let basis = asked.assessment.class_basis.as_ref()?;
    let fields = [
        Field::IndustryCode,
        Field::IndustryName,
        Field::ReportYear,
        Field::Month,
        Field::Employees,
        Field::Revenue,
        Field::Assets,
    ];
    let rows = asked
        .enterprise
        .registration
        .iter()
        .chain(asked.enterprise.annual_tax(asked.today).map(|(_, row)| row));
    let facts: Vec<Ground> = rows
        .filter_map(|row| fact(row, &fields, RULE, &class.basis))
        .collect();
    let year = basis
        .year
        .map_or_else(String::new, |year| format!("，参考年度{year}"));
    let of_head = basis
        .head_office
        .as_ref()
        .map_or_else(String::new, |id| format!("，分支机构随总机构{id}划型"));
    let is_finance = class.basis == asked.rules.size.finance.basis;
    Some(Verdict {
        subject: Subject::Class,
        answer: word(&class.class),
        text: format!(
            "{}：{}（GB/T 4754-{}，{}{year}{of_head}）",
            class.class.title(),
            class.why,
            basis.edition.title(),
            basis.told_by.title()
        ),
        audience: Audience::Section,
        facts,
        rule: asked.rule(
            RULE,
            if is_finance {
                "finance-2015.toml"
            } else {
                "size-2017.toml"
            },
        ),
        article: class.basis.clone(),
        clears: match class.class {
            Class::Undecided => {
                vec!["补齐或更正行业代码、从业人数、营业收入、资产总额后重新划型".to_owned()]
            }
            _ => vec!["新一年度的年报、税务数据改变划型".to_owned()],
        },
    })
}

fn new_form<'a>(asked: &'a Asked<'a>) -> impl Iterator<Item = Verdict> + 'a {
    const RULE: &str = "new_form.tag";
    let article = &asked.rules.new_form.basis;
    asked.assessment.tags.iter().map(move |tag| {
        let fields = [Field::IndustryCode, Field::BusinessScope];
        let own = industry_row(asked.enterprise).and_then(|row| fact(row, &fields, RULE, article));
        let licences = asked.enterprise.transport.iter().filter_map(|row| {
            let fields = [
                Field::LicenceKind,
                Field::LicenceNumber,
                Field::LicenceUntil,
                Field::Drivers,
            ];
            fact(row, &fields, RULE, article)
        });
        let what = match tag.kind {
            TagKind::PlatformWork => {
                "平台用工；登记的驾驶员、骑手不当然是职工，职业伤害保障不是工伤保险"
            }
            TagKind::SectorFocus => "行业关注，本身不是平台用工",
        };
        Verdict {
            subject: Subject::NewForm,
            answer: word(&tag.kind),
            text: format!(
                "{}（{}）：{what}{}",
                tag.category,
                tag.proof,
                found(asked, tag.kind)
            ),
            audience: Audience::County,
            facts: own.into_iter().chain(licences).collect(),
            rule: asked.rule(RULE, "new-form.toml"),
            article: article.clone(),
            clears: vec!["行业代码、经营范围变更，或许可证注销、过期".to_owned()],
        }
    })
}

/// What was found out about those who work through a platform; what nobody looked at is said as such.
fn found(asked: &Asked<'_>, kind: TagKind) -> String {
    if kind != TagKind::PlatformWork {
        return String::new();
    }
    let relation = asked
        .survey
        .and_then(|survey| survey.relation.as_ref())
        .map_or_else(
            || "尚未核实".to_owned(),
            |found| {
                format!(
                    "{}（{}，{}）",
                    found.what.title(),
                    found.by,
                    day(found.date)
                )
            },
        );
    let cover = match asked.survey.and_then(|survey| survey.injury_cover.as_ref()) {
        None => "不详",
        Some(found) if found.what => "已参加",
        Some(_) => "未参加",
    };
    format!("。劳动关系：{relation}；职业伤害保障：{cover}")
}

fn plan(asked: &Asked<'_>) -> Verdict {
    let assessment = asked.assessment;
    let code = &asked.enterprise.credit_code;
    let scope = scope(
        &asked.rules.coverage,
        code,
        assessment.class.as_ref(),
        &assessment.tags,
    );
    let (answer, text, standing) = match scope {
        Scope::In => ("in", "属小型、微型企业或新业态企业，纳入专项范围", None),
        Scope::Undecided => ("undecided", "划型待定，照常比对，另行统计", None),
        Scope::MediumOrLarge => (
            "medium_or_large",
            "中型、大型企业，另列清单，不立案",
            Some(Standing::MediumOrLarge),
        ),
        Scope::OtherForm => (
            "other_form",
            "该类单位未纳入专项范围",
            Some(Standing::OtherForm),
        ),
        Scope::UnclassedIndustry => (
            "unclassed_industry",
            "行业不在划型范围，未纳入专项范围",
            Some(Standing::UnclassedIndustry),
        ),
    };
    let facts = asked
        .enterprise
        .registration
        .as_ref()
        .and_then(|row| fact(row, &[Field::CreditCode], "scope.plan", "专项行动方案"));
    Verdict {
        subject: Subject::Scope,
        answer: answer.to_owned(),
        text: text.to_owned(),
        audience: Audience::County,
        facts: facts.into_iter().collect(),
        rule: asked.rule("scope.plan", SETTINGS),
        article: "小微新企业参保扩面专项行动方案".to_owned(),
        clears: standing.map_or_else(Vec::new, |standing| clears_standing(standing, None, None)),
    }
}

/// The day from which an enterprise owes what it owes: so many days after its establishment, and after it took on staff.
fn since(asked: &Asked<'_>, period: &Period) -> Option<Date> {
    let founded = asked
        .enterprise
        .registration
        .as_ref()?
        .record
        .date(Field::Founded)?;
    let unit = founded
        .checked_add(jiff::Span::new().days(period.unit.days))
        .ok()?;
    let staff = match &asked.assessment.evidence {
        Evidence::Strong(months) => months.last().and_then(|(newest, _)| {
            staff_due(&asked.rules.coverage, period, asked.enterprise, *newest)
        }),
        _ => None,
    };
    Some(staff.map_or(unit, |staff| staff.max(unit)))
}

fn liability(asked: &Asked<'_>) -> Vec<Verdict> {
    const RULE: &str = "liability.kind";
    let Some(period) = asked.period() else {
        return Vec::new();
    };
    let status = asked.status();
    let liable = period.liable(status);
    let is_employer = asked.assessment.evidence.shows_staff();
    let since = since(asked, period);
    let paid_since = match &asked.assessment.evidence {
        Evidence::Strong(months) => months
            .last()
            .map(|(newest, _)| employing_since(&asked.rules.coverage, asked.enterprise, *newest)),
        _ => None,
    };
    let industry = industry_of(asked.enterprise).map(|(code, _)| code);
    let of_kind = |kind: Insurance| {
        let rule = period.kind(kind)?;
        let other = period.otherwise(kind, industry);
        let (answer, text, clears) = match (liable, is_employer, since) {
            (Liable::No, ..) => (
                "not_owed",
                "登记状态显示已终止，不负参保义务".to_owned(),
                Vec::new(),
            ),
            (Liable::Verify, ..) => (
                "to_verify",
                "登记状态不终止参保义务，有无劳动关系待核实".to_owned(),
                vec!["走访核实有无劳动关系".to_owned()],
            ),
            (Liable::Yes, false, _) => (
                "not_shown",
                "没有用工证据，参保义务未显示".to_owned(),
                clears_standing(Standing::StaffUnknown, None, None),
            ),
            (Liable::Yes, true, Some(since)) if since > asked.today => (
                "not_yet",
                format!("最迟自{}起应参保，尚在登记期内", day(since)),
                Vec::new(),
            ),
            (Liable::Yes, true, since) => {
                let since = since.map_or_else(String::new, |since| {
                    format!("，据现有数据最迟自{}起", day(since))
                });
                match other {
                    Some(other) => ("otherwise", format!("{}{since}", other.how), Vec::new()),
                    None => (
                        "owed",
                        format!("应为职工参保{since}"),
                        vec![
                            "非全日制、超龄、劳务派遣、异地参保等情形，由具名经办人员附证明登记"
                                .to_owned(),
                        ],
                    ),
                }
            }
        };
        let of_kind = [Some(&rule.article), other.map(|other| &other.article)];
        let of_unit = [Some(&period.unit.article), Some(&period.staff.article)];
        let named = of_kind.into_iter().chain(of_unit).flatten();
        let article = articles(named.map(String::as_str));
        let row = asked.enterprise.registration.as_ref();
        let fields = [Field::Status, Field::Founded, Field::IndustryCode];
        let registered = row.and_then(|row| fact(row, &fields, RULE, &article));
        let wages = paid_since.and_then(|month| {
            let row = asked.enterprise.tax.get(&month)?;
            fact(row, &[Field::Month, Field::Filers], RULE, &article)
        });
        Some(Verdict {
            subject: Subject::Liability,
            answer: answer.to_owned(),
            text: format!("{}：{text}", kind.title()),
            // The wage filers are among the facts.
            audience: Audience::Section,
            facts: registered.into_iter().chain(wages).collect(),
            rule: asked.rule(RULE, "liability.toml"),
            article,
            clears,
        })
    };
    Insurance::ALL.into_iter().filter_map(of_kind).collect()
}

fn doubt(asked: &Asked<'_>, doubt: &Doubt) -> Verdict {
    let ground = doubt.grounds.first();
    Verdict {
        subject: Subject::Doubt,
        answer: word(&doubt.kind),
        text: format!("{}：{}，不据以认定", doubt.kind.title(), doubt.text),
        audience: Audience::Section,
        facts: doubt.grounds.clone(),
        rule: asked.rule(
            ground.map_or("doubt", |ground| ground.rule.as_str()),
            SETTINGS,
        ),
        article: ground.map_or_else(String::new, |ground| ground.article.clone()),
        clears: vec![doubt.kind.clears().to_owned()],
    }
}

/// Clerks' answers that hold today.
fn answers<'a>(asked: &'a Asked<'a>) -> impl Iterator<Item = Verdict> + 'a {
    const ARTICLE: &str = "社会保险法第五十八条";
    asked.cases.iter().filter_map(|case| {
        let closing = case.closed.as_ref()?;
        let until = closing
            .clears_until()
            .filter(|until| asked.today <= *until)?;
        let kinds: Vec<&str> = closing.kinds.iter().map(|kind| kind.title()).collect();
        let of = if kinds.is_empty() {
            String::new()
        } else {
            format!("，所涉险种：{}", kinds.join("、"))
        };
        let text = format!("{}，有效期至{}{of}", closing.reason.title(), day(until));
        Some(Verdict {
            subject: Subject::Answer,
            answer: word(&closing.reason),
            facts: vec![Ground {
                source: "case".to_owned(),
                batch: String::new(),
                file: case.id.clone(),
                row: 0,
                date: Some(closing.date),
                text: if closing.text.is_empty() {
                    closing.reason.title().to_owned()
                } else {
                    closing.text.clone()
                },
                rule: "liability.explanation".to_owned(),
                article: ARTICLE.to_owned(),
            }],
            text,
            audience: Audience::County,
            rule: asked.rule("liability.explanation", "liability.toml"),
            article: ARTICLE.to_owned(),
            clears: vec![format!("{}期满后重新比对，疑点仍在的另立新案", day(until))],
        })
    })
}

fn coverage(asked: &Asked<'_>) -> Verdict {
    let assessment = asked.assessment;
    let standing = assessment.standing;
    let roll = asked.roll;
    let mut facts = Vec::new();
    if let (Some(month), Some(as_of)) = (assessment.roll_month, roll.as_of) {
        for kind in Insurance::ALL {
            if roll.known.contains(&kind) {
                facts.extend(roll_grounds(asked.enterprise, kind, month, roll, as_of));
            }
        }
    }
    Verdict {
        subject: Subject::Coverage,
        answer: word(&standing),
        text: standing.title().to_owned(),
        audience: Audience::County,
        facts,
        rule: asked.rule("coverage.standing", SETTINGS),
        article: "社会保险法第五十七条、第五十八条".to_owned(),
        clears: clears_standing(standing, asked.heads(), asked.period()),
    }
}

fn finding(asked: &Asked<'_>, finding: &Finding) -> Verdict {
    let kinds: Vec<&str> = finding.kinds.iter().map(|kind| kind.title()).collect();
    let articles: std::collections::BTreeSet<&str> = finding
        .grounds
        .iter()
        .filter(|ground| ground.rule == "coverage.liable")
        .map(|ground| ground.article.as_str())
        .collect();
    Verdict {
        subject: Subject::Finding,
        answer: word(&finding.kind),
        text: format!("{}：{}", finding.kind.title(), kinds.join("、")),
        audience: Audience::Section,
        facts: finding.grounds.clone(),
        rule: asked.rule(&format!("coverage.{}", word(&finding.kind)), SETTINGS),
        article: if articles.is_empty() {
            "社会保险法第五十七条、第五十八条".to_owned()
        } else {
            articles.into_iter().collect::<Vec<_>>().join("；")
        },
        clears: clears_finding(finding.kind, &finding.kinds, Some(finding.employed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standing_that_is_not_cover_says_what_would_clear_it() {
        for standing in Standing::ALL {
            let clears = clears_standing(standing, Some(8), None);
            let covered = standing.insured() && standing != Standing::NotPaying;
            assert_eq!(clears.is_empty(), covered, "{standing:?}");
        }
        for kind in FindingKind::ALL {
            assert!(!clears_finding(kind, &Insurance::ALL, Some(8)).is_empty());
        }
        assert_eq!(
            clears_finding(FindingKind::Absent, &Insurance::ALL, Some(8))[0],
            "下一份完整参保登记册显示养老保险、失业保险、工伤保险各不少于8人"
        );
        assert_eq!(
            clears_finding(FindingKind::KindsMissing, &[Insurance::WorkInjury], Some(3))[0],
            "下一份完整参保登记册显示工伤保险各不少于3人"
        );
    }
}
