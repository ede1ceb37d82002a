//! Where the rows of an enterprise contradict each other, field by field: which value counts and why, and which are set aside.
//!
//! It decides nothing: which row counts is settled where rows are taken in ([`crate::domain::register`]), and what may not be founded
//! on contradictions is a doubt ([`crate::domain::doubt`]). Here it is told, so that staff can ask the department in question.
//!
//! A month's row speaks of its month. Of what does not belong to a month — name, address, industry — only the newest month of a source
//! speaks: what an older one says was so then.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::code::Claim;
use crate::domain::finding::Insurance;
use crate::domain::linking::{claim_of, comparable_name, names_of};
use crate::domain::outreach::Contacts;
use crate::domain::record::{Field, Month, RecordKind, Value, shown_to_staff};
use crate::domain::register::{Enterprise, Placed};

/// What rows tell differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contradiction {
    /// The field's name.
    pub field: &'static str,
    /// Its Chinese title.
    pub title: &'static str,
    /// What it is of: a year's report, a month, a licence, a unit number; nothing for what holds at any time.
    pub of: Option<String>,
    /// What counts.
    pub prevails: Told,
    /// What is set aside, each value once, the likeliest first.
    pub aside: Vec<SetAside>,
}

/// A value and where anybody can look it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// As staff read it: contacts masked.
    pub value: String,
    /// The adapter.
    pub source: String,
    /// The batch.
    pub batch: String,
    /// The file as the department named it.
    pub file: String,
    /// Its row there.
    pub row: u64,
    /// The day the file speaks of.
    pub date: Option<Date>,
}

/// A value that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetAside {
    /// The value.
    #[serde(flatten)]
    pub told: Told,
    /// Why the other one counts.
    pub why: Why,
    /// The same in Chinese.
    pub reason: &'static str,
}

/// Why one row counts before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The set-aside name is one that the registrar has as a former one.
    FormerName,
    /// The registrar counts before tax, tax before transport, all before the roll.
    Department,
    /// It speaks of a later month.
    LaterMonth,
    /// It stands under a code that passes its checks.
    SoundCode,
    /// Its source prevails (`precedence`).
    Precedence,
    /// Approved later.
    LaterApproval,
    /// The firm is active there.
    Active,
    /// The longer identifier is the newer.
    LongerCode,
    /// Its file speaks of a later day.
    LaterDate,
    /// Nothing tells them apart but the order of sources and rows.
    Order,
}

impl Why {
    /// All.
    pub const ALL: [Self; 10] = [
        Self::FormerName,
        Self::Department,
        Self::LaterMonth,
        Self::SoundCode,
        Self::Precedence,
        Self::LaterApproval,
        Self::Active,
        Self::LongerCode,
        Self::LaterDate,
        Self::Order,
    ];

    /// For staff.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::FormerName => "系登记机关载明的曾用名，以现名称为准",
            Self::Department => "以登记机关为准，其次税务、交通运输，再次参保登记册",
            Self::LaterMonth => "以所属期较晚的为准",
            Self::SoundCode => "以代码校验有效的登记为准",
            Self::Precedence => "以优先级较高的来源为准",
            Self::LaterApproval => "以核准日期较晚的为准",
            Self::Active => "以登记状态为存续的为准",
            Self::LongerCode => "以新识别号（位数较多）的行为准",
            Self::LaterDate => "以数据日期较晚的为准",
            Self::Order => "条件相同，按来源和行的先后取其一",
        }
    }
}

/// What a statement is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Scope<'a> {
    /// Of the enterprise as it is.
    Now,
    Year(u64),
    Month(Month),
    Licence(&'a str),
    Unit(Month, Option<Insurance>, &'a str),
}

impl Scope<'_> {
    fn text(&self) -> Option<String> {
        Some(match self {
            Self::Now => return None,
            Self::Year(year) => format!("{year}年度年报"),
            Self::Month(month) => month.to_string(),
            Self::Licence(number) => format!("许可证{number}"),
            Self::Unit(month, insurance, unit) => {
                let insurance = insurance.map_or("", Insurance::title);
                format!("单位编号{unit} {month}{insurance}")
            }
        })
    }
}

/// How strong a row is. What is compared first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    kind: Reverse<u8>,
    month: Option<Month>,
    /// It is the row that the register took: whatever follows here only says why.
    is_taken: bool,
    is_sound: bool,
    precedence: i32,
    approved: Option<Date>,
    is_active: bool,
    code_length: usize,
    as_of: Option<Date>,
}

impl Rank {
    fn of(placed: &Placed, is_taken: bool) -> Self {
        let record = &placed.record;
        let is_registration = record.kind == RecordKind::Registration;
        Self {
            kind: Reverse(match record.kind {
                RecordKind::Registration => 0,
                RecordKind::Tax => 1,
                RecordKind::Transport => 2,
                RecordKind::InsuredRoll => 3,
            }),
            month: record.month(),
            is_taken,
            is_sound: is_registration && matches!(claim_of(record), Claim::Sound(_)),
            precedence: placed.precedence,
            approved: record.date(Field::Approved),
            is_active: is_registration && record.text(Field::Status) == Some("active"),
            code_length: match record.kind {
                RecordKind::Tax => record.text(Field::CreditCode).map_or(0, str::len),
                _ => 0,
            },
            as_of: placed.as_of,
        }
    }

    /// Why this one counts before a weaker one.
    fn before(&self, other: &Self) -> Why {
        [
            (self.kind > other.kind, Why::Department),
            (self.month > other.month, Why::LaterMonth),
            (self.is_sound && !other.is_sound, Why::SoundCode),
            (self.precedence > other.precedence, Why::Precedence),
            (self.approved > other.approved, Why::LaterApproval),
            (self.is_active && !other.is_active, Why::Active),
            (self.code_length > other.code_length, Why::LongerCode),
            (self.as_of > other.as_of, Why::LaterDate),
        ]
        .into_iter()
        .find_map(|(is_it, why)| is_it.then_some(why))
        .unwrap_or(Why::Order)
    }
}

/// What a row says of a field, and how strongly.
#[derive(Debug, Clone, Copy)]
struct Statement<'a> {
    placed: &'a Placed,
    value: &'a Value,
    rank: Rank,
}

/// The contradictions between the standing rows of an enterprise, those included that the register set aside; by field.
#[must_use]
pub fn contradictions(enterprise: &Enterprise, rows: &[Placed]) -> Vec<Contradiction> {
    let taken: HashSet<(&str, String)> = enterprise
        .rows()
        .map(|placed| (placed.adapter.as_str(), placed.record.key()))
        .collect();
    let mut newest: HashMap<&str, Month> = HashMap::new();
    for placed in rows {
        if let Some(month) = placed.record.month() {
            let known = newest.entry(&placed.adapter).or_insert(month);
            *known = month.max(*known);
        }
    }
    let mut told: BTreeMap<(Field, Scope<'_>), Vec<Statement<'_>>> = BTreeMap::new();
    for placed in rows {
        let is_taken = taken.contains(&(placed.adapter.as_str(), placed.record.key()));
        let rank = Rank::of(placed, is_taken);
        let is_newest = placed.record.month() == newest.get(placed.adapter.as_str()).copied();
        for (field, value) in &placed.record.fields {
            let Some(scope) = scope(placed, *field) else {
                continue;
            };
            if scope != Scope::Now || is_newest {
                let statement = Statement {
                    placed,
                    value,
                    rank,
                };
                told.entry((*field, scope)).or_default().push(statement);
            }
        }
    }
    told.into_iter()
        .filter_map(|((field, scope), statements)| contradiction(field, &scope, statements))
        .collect()
}

/// What this field of a row is of; `None` when rows may well differ in it.
fn scope(placed: &Placed, field: Field) -> Option<Scope<'_>> {
    use Field as F;
    let record = &placed.record;
    match (record.kind, field) {
        (RecordKind::Registration, F::Employees | F::Revenue | F::Assets) => {
            record.count(F::ReportYear).map(Scope::Year)
        }
        (RecordKind::Tax, F::Filers | F::Employees | F::Revenue | F::Assets) => {
            record.month().map(Scope::Month)
        }
        (RecordKind::Transport, F::Vehicles | F::Drivers | F::LicenceUntil | F::Status) => {
            record.text(F::LicenceNumber).map(Scope::Licence)
        }
        (RecordKind::InsuredRoll, F::RegisteredHeads | F::PayingHeads | F::UnitState) => {
            let insurance = record.text(F::Insurance).and_then(Insurance::by_word);
            Some(Scope::Unit(
                record.month()?,
                insurance,
                record.text(F::UnitNumber)?,
            ))
        }
        // Codes of several shapes are one firm's; what it was called is the registrar's to say; approvals and reports come one after
        // the other.
        _ if matches!(
            field,
            F::Name
                | F::Status
                | F::IndustryCode
                | F::IndustryName
                | F::Founded
                | F::Region
                | F::Address
                | F::Township
                | F::Phone
                | F::Email
                | F::HeadOfficeCode
                | F::Representative
                | F::RegisteredCapital
                | F::RegistrationAuthority
                | F::RegistrationNumber
        ) =>
        {
            Some(Scope::Now)
        }
        _ => None,
    }
}

fn contradiction(
    field: Field,
    scope: &Scope<'_>,
    mut statements: Vec<Statement<'_>>,
) -> Option<Contradiction> {
    // Stable: of equals the one that was read first stays first.
    statements.sort_by_key(|statement| Reverse(statement.rank));
    let (strongest, others) = statements.split_first()?;
    let mut seen = BTreeSet::new();
    let mut aside = Vec::new();
    for other in others {
        let is_new = !agrees(field, strongest.value, other.value)
            && seen.insert(comparable(field, other.value));
        if is_new {
            let why = why(field, strongest, other);
            aside.push(SetAside {
                told: told(field, other),
                why,
                reason: why.reason(),
            });
        }
    }
    (!aside.is_empty()).then(|| Contradiction {
        field: field.name(),
        title: field.title(),
        of: scope.text(),
        prevails: told(field, strongest),
        aside,
    })
}

fn told(field: Field, statement: &Statement<'_>) -> Told {
    let placed = statement.placed;
    Told {
        value: shown_to_staff(field, statement.value),
        source: placed.adapter.clone(),
        batch: placed.batch.clone(),
        file: placed.file.clone(),
        row: placed.row,
        date: placed.as_of,
    }
}

fn why(field: Field, strongest: &Statement<'_>, other: &Statement<'_>) -> Why {
    let record = &strongest.placed.record;
    let is_former = || {
        let name = comparable(field, other.value);
        names_of(record).any(|former| comparable_name(former) == name)
    };
    if field == Field::Name && record.kind == RecordKind::Registration && is_former() {
        return Why::FormerName;
    }
    strongest.rank.before(&other.rank)
}

/// A value as it is compared.
fn comparable(field: Field, value: &Value) -> String {
    let text = value.to_string();
    match field {
        Field::Name
        | Field::Address
        | Field::IndustryName
        | Field::Township
        | Field::RegistrationAuthority => comparable_name(&text),
        Field::Email => text.to_ascii_lowercase(),
        Field::Phone => numbers(&text).into_iter().collect::<Vec<_>>().join(","),
        // A whole place or branch of trade is written with zeros.
        Field::Region => text.trim_end_matches('0').to_owned(),
        Field::IndustryCode => text
            .trim_start_matches(|c: char| c.is_ascii_alphabetic())
            .to_owned(),
        _ => text,
    }
}

/// The digits of each telephone number.
fn numbers(text: &str) -> BTreeSet<String> {
    Contacts::read(Some(text), None)
        .phones
        .iter()
        .map(|number| number.chars().filter(char::is_ascii_digit).collect())
        .collect()
}

/// Whether two values can both be true: equal in the form in which they are compared, or one only says less.
fn agrees(field: Field, one: &Value, other: &Value) -> bool {
    let (a, b) = (comparable(field, one), comparable(field, other));
    match field {
        Field::Phone => {
            let (one, other) = (numbers(&one.to_string()), numbers(&other.to_string()));
            // What is no number says nothing.
            one.is_empty() || other.is_empty() || !one.is_disjoint(&other)
        }
        // A city holds its counties, a division its classes; a section letter alone is told by the code.
        Field::Region | Field::IndustryCode => a.starts_with(&b) || b.starts_with(&a),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Record;
    use crate::domain::register::Register;

    const FIRM: &str = "91411303MA49U85BX9";

    /// A row of a source; `what` are names of fields with their texts.
    fn row(source: &str, kind: RecordKind, precedence: i32, what: &[(Field, &str)]) -> Placed {
        let mut record = Record::new(kind);
        for (field, text) in what {
            let value = match field {
                Field::Month => Value::Month(Month::parse(text).unwrap()),
                Field::Founded | Field::Approved => Value::Date(text.parse().unwrap()),
                Field::Employees | Field::ReportYear | Field::Filers | Field::RegisteredHeads => {
                    Value::Count(text.parse().unwrap())
                }
                _ => Value::Text((*text).to_owned()),
            };
            record.fields.insert(*field, value);
        }
        if kind != RecordKind::InsuredRoll && record.text(Field::CreditCode).is_none() {
            record
                .fields
                .insert(Field::CreditCode, Value::Text(FIRM.to_owned()));
        }
        Placed {
            adapter: source.to_owned(),
            batch: format!("{source}-1"),
            file: format!("{source}.csv"),
            row: 7,
            as_of: Some("2026-03-31".parse().unwrap()),
            precedence,
            missed: 0,
            record,
        }
    }

    fn of(rows: &[Placed]) -> Vec<Contradiction> {
        let register = Register::build(rows.to_vec());
        assert_eq!(register.enterprises.len(), 1);
        contradictions(&register.enterprises[0], rows)
    }

    /// Field, what it is of, what counts, what is set aside and why.
    type Line = (&'static str, Option<String>, String, Vec<(String, Why)>);

    fn lines(rows: &[Placed]) -> Vec<Line> {
        let line = |one: Contradiction| {
            let aside = one.aside.into_iter();
            (
                one.title,
                one.of,
                one.prevails.value,
                aside
                    .map(|aside| {
                        assert_eq!(aside.reason, aside.why.reason());
                        (aside.told.value, aside.why)
                    })
                    .collect(),
            )
        };
        of(rows).into_iter().map(line).collect()
    }

    use RecordKind::{InsuredRoll, Registration, Tax, Transport};

    #[test]
    fn the_registrar_counts_and_what_others_say_is_told_beside_it() {
        let rows = [
            row(
                "market",
                Registration,
                0,
                &[
                    (Field::Name, "南阳宛东商贸有限公司"),
                    (Field::FormerNames, "南阳旧名商贸有限公司"),
                    (Field::Region, "411303"),
                    (Field::Phone, "13800000001、0377-60000001"),
                    (Field::Status, "active"),
                    (Field::IndustryCode, "F5211"),
                ],
            ),
            row(
                "tax",
                Tax,
                0,
                &[
                    (Field::Name, "南阳旧名商贸有限责任公司"),
                    (Field::Month, "2026-03"),
                    (Field::Phone, "13900000002"),
                    (Field::Status, "cancelled"),
                    (Field::IndustryCode, "5299"),
                ],
            ),
            row(
                "transport",
                Transport,
                0,
                &[
                    (Field::Name, "南阳 宛东商贸有限责任公司"),
                    (Field::LicenceNumber, "L1"),
                    (Field::Region, "411300"),
                    (Field::Phone, "037760000001"),
                ],
            ),
        ];
        let of = |text: &str, why| vec![(text.to_owned(), why)];
        assert_eq!(
            lines(&rows),
            [
                (
                    "名称",
                    None,
                    "南阳宛东商贸有限公司".to_owned(),
                    of("南阳旧名商贸有限责任公司", Why::FormerName)
                ),
                ("状态", None, "存续".to_owned(), of("注销", Why::Department)),
                (
                    "行业代码",
                    None,
                    "F5211".to_owned(),
                    of("5299", Why::Department)
                ),
                // The telephones of transport are among the registrar's, and a city holds its county.
                (
                    "联系电话",
                    None,
                    "138****01".to_owned(),
                    of("139****02", Why::Department)
                ),
            ]
        );
    }

    #[test]
    fn of_two_registrars_the_row_that_the_register_took_counts_and_says_why() {
        let told = |precedence, approved: &str, name| {
            row(
                name,
                Registration,
                precedence,
                &[
                    (Field::Name, "南阳宛东商贸有限公司"),
                    (Field::Approved, approved),
                    (
                        Field::Founded,
                        if name == "a" {
                            "2015-01-01"
                        } else {
                            "2016-02-03"
                        },
                    ),
                    (Field::ReportYear, "2025"),
                    (Field::Employees, if name == "a" { "12" } else { "30" }),
                ],
            )
        };
        for (rows, counts, why) in [
            (
                [told(1, "2020-01-01", "a"), told(0, "2025-01-01", "b")],
                "a",
                Why::Precedence,
            ),
            (
                [told(0, "2020-01-01", "a"), told(0, "2025-01-01", "b")],
                "b",
                Why::LaterApproval,
            ),
            (
                [told(0, "2025-01-01", "a"), told(0, "2025-01-01", "b")],
                "b",
                Why::Order,
            ),
        ] {
            let found = of(&rows);
            let titles: Vec<_> = found
                .iter()
                .map(|one| (one.title, one.of.as_deref()))
                .collect();
            assert_eq!(
                titles,
                [("成立日期", None), ("从业人数", Some("2025年度年报"))]
            );
            for one in &found {
                assert_eq!(one.prevails.source, counts);
                assert_eq!(one.aside[0].why, why);
                assert_ne!(one.aside[0].told.source, counts);
            }
        }
    }

    #[test]
    fn figures_are_compared_within_their_month_and_names_within_the_newest() {
        let taxed = |month, filers, code, name| {
            row(
                "tax",
                Tax,
                0,
                &[
                    (Field::CreditCode, code),
                    (Field::Name, name),
                    (Field::Month, month),
                    (Field::Filers, filers),
                ],
            )
        };
        let now = "南阳宛东商贸有限公司";
        let rows = [
            taxed("2026-01", "9", FIRM, "南阳当时商贸有限公司"),
            taxed("2026-02", "5", FIRM, now),
            taxed("2026-02", "6", "411303MA49U85BX", now),
        ];
        let aside = vec![("6".to_owned(), Why::LongerCode)];
        assert_eq!(
            lines(&rows),
            [(
                "工资薪金个税申报人数",
                Some("2026-02".to_owned()),
                "5".to_owned(),
                aside
            )]
        );
    }

    #[test]
    fn rows_that_agree_contradict_nothing() {
        let heads = |month| {
            row(
                "roll",
                InsuredRoll,
                0,
                &[
                    (Field::UnitNumber, "4113000001"),
                    (Field::CreditCode, FIRM),
                    (Field::Name, "南阳宛东商贸有限公司"),
                    (Field::Insurance, "pension"),
                    (Field::Month, month),
                    (
                        Field::RegisteredHeads,
                        if month == "2026-01" { "3" } else { "5" },
                    ),
                ],
            )
        };
        let rows = [
            row(
                "market",
                Registration,
                0,
                &[(Field::Name, "南阳宛东商贸有限公司")],
            ),
            heads("2026-01"),
            heads("2026-02"),
        ];
        assert!(of(&rows).is_empty());
        let reasons: BTreeSet<&str> = Why::ALL.into_iter().map(Why::reason).collect();
        assert_eq!(reasons.len(), Why::ALL.len());
    }
}
