//! Doubts about the data: what the rows of an enterprise say cannot be true, or cannot all be true. Where a verdict would rest on
//! it, nothing is decided, and the reason is said. Ordinary differences — an annual report is a year old, tax counts dispatched
//! workers — are no doubts: every threshold is far beyond them.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::finding::Ground;
use crate::domain::industry;
use crate::domain::record::{Field, Month, Value};
use crate::domain::register::{Enterprise, Placed};
use crate::domain::size::{self, Class};
use crate::domain::text::day;
use crate::domain::unit::Units;

/// The article on data that departments share.
const SHARED_DATA: &str = "社会保险经办条例第九条";
/// 1 元.
const FEN_PER_YUAN: i128 = 100;

/// What is doubtful about the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtKind {
    /// An industry code that no edition of GB/T 4754 has.
    UnknownIndustry,
    /// Code or letter of the industry contradict the name beside it.
    IndustryContradiction,
    /// A head count below zero or beyond any enterprise of the city.
    AbsurdHeads,
    /// Revenue per head, or revenue between two sources, off by the factor of a wrong unit.
    RevenueUnit,
    /// Founded in the future.
    FoundedInFuture,
    /// A county that there is none of.
    UnknownRegion,
    /// The register says neither that it is active nor that it is not.
    StatusUnclear,
    /// The register has it as active, tax as cancelled.
    StatusContradiction,
    /// Register and tax put it on different sides of the medium bound.
    ClassContradiction,
    /// Annual report and wage filers differ by a factor.
    HeadsContradiction,
}

impl DoubtKind {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::UnknownIndustry,
        Self::IndustryContradiction,
        Self::AbsurdHeads,
        Self::RevenueUnit,
        Self::FoundedInFuture,
        Self::UnknownRegion,
        Self::StatusUnclear,
        Self::StatusContradiction,
        Self::ClassContradiction,
        Self::HeadsContradiction,
    ];

    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::UnknownIndustry => "行业代码无效",
            Self::IndustryContradiction => "行业代码、门类与名称矛盾",
            Self::AbsurdHeads => "人数不合理",
            Self::RevenueUnit => "营业收入疑似元、万元混淆",
            Self::FoundedInFuture => "成立日期在未来",
            Self::UnknownRegion => "行政区划不存在",
            Self::StatusUnclear => "登记状态不明",
            Self::StatusContradiction => "登记与税务状态矛盾",
            Self::ClassContradiction => "登记与税务数据划型矛盾",
            Self::HeadsContradiction => "年报人数与个税申报人数相差悬殊",
        }
    }

    /// What removes it.
    #[must_use]
    pub const fn clears(self) -> &'static str {
        match self {
            Self::UnknownIndustry => {
                "登记部门更正行业代码（GB/T 4754），下一批登记数据载明有效代码"
            }
            Self::IndustryContradiction => "登记部门更正行业代码或名称，使门类、代码、名称一致",
            Self::AbsurdHeads => "报送部门更正人数后重新报送",
            Self::RevenueUnit => "报送部门核对营业收入的金额单位后重新报送",
            Self::FoundedInFuture => "登记部门更正成立日期后重新报送",
            Self::UnknownRegion => {
                "登记部门更正行政区划代码；代码确有其地的，在 config/units.toml 中列为填报单位或其别名"
            }
            Self::StatusUnclear => "登记部门载明登记状态（存续、注销等）后重新报送",
            Self::StatusContradiction => "登记、税务部门核对后状态一致",
            Self::ClassContradiction => "登记、税务部门核对从业人数、营业收入、资产总额后划型一致",
            Self::HeadsContradiction => "核对年报从业人数与个税申报人数，或走访核实用工人数",
        }
    }

    /// Whether it bears on the size class alone: who is in the plan at any size is not touched by it.
    #[must_use]
    pub const fn is_of_class(self) -> bool {
        matches!(self, Self::RevenueUnit | Self::ClassContradiction)
    }
}

/// One doubt, with the rows that show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// What.
    pub kind: DoubtKind,
    /// Why, in Chinese; without figures that only the section may see.
    pub text: String,
    /// The rows.
    pub grounds: Vec<Ground>,
}

/// From where on a difference is a doubt.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DoubtRules {
    /// Persons beyond which a head count is absurd.
    pub heads_most: u64,
    /// Yearly revenue per head, 元, below which the unit is doubted.
    pub revenue_per_head_least: u64,
    /// And from which on.
    pub revenue_per_head_most: u64,
    /// Heads from which a tiny revenue is doubted; in the smallest firms it is ordinary.
    pub heads_for_least: u64,
    /// How many times one source's revenue may be the other's.
    pub revenue_factor: u64,
    /// How many times a figure of one source must be the other's, before two classes contradict each other.
    pub class_factor: u64,
    /// How many times the annual report's heads must be the wage filers, or the other way round.
    pub heads_factor: u64,
    /// And how many persons they must lie apart besides.
    pub heads_gap: u64,
}

impl Default for DoubtRules {
    fn default() -> Self {
        Self {
            heads_most: 100_000,
            revenue_per_head_least: 10,
            revenue_per_head_most: 1_000_000_000,
            heads_for_least: 10,
            revenue_factor: 1_000,
            class_factor: 2,
            heads_factor: 10,
            heads_gap: 50,
        }
    }
}

/// Revenue per head that only a wrong unit explains: 元 and 万元 were mixed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PerHead {
    /// More than any business has.
    High,
    /// Next to nothing, in a firm of some size.
    Low,
}

impl DoubtRules {
    /// Whether revenue per head is out of all proportion. 1 元 = 100 fen.
    #[must_use]
    pub fn per_head(&self, revenue_fen: i64, heads: u64) -> Option<PerHead> {
        if heads == 0 {
            return None;
        }
        let fen = i128::from(revenue_fen);
        let per_head = fen / i128::from(heads);
        if per_head >= i128::from(self.revenue_per_head_most) * FEN_PER_YUAN {
            return Some(PerHead::High);
        }
        let is_low = fen > 0
            && heads >= self.heads_for_least
            && per_head < i128::from(self.revenue_per_head_least) * FEN_PER_YUAN;
        is_low.then_some(PerHead::Low)
    }

    /// Whether a head count cannot be one: below zero, or beyond any enterprise of the city. A range or a word is merely unknown.
    #[must_use]
    pub fn is_absurd_count(&self, value: &Value) -> bool {
        match value {
            Value::Count(heads) => *heads > self.heads_most,
            Value::Unread(text) => {
                let digits: String = text
                    .trim_end_matches(['人', '名', '位', ' '])
                    .chars()
                    .filter(|c| !matches!(c, ',' | '，' | ' '))
                    .collect();
                digits.parse::<f64>().is_ok_and(|number| {
                    #[allow(clippy::cast_precision_loss, reason = "a bound far below 2^52")]
                    let most = self.heads_most as f64;
                    number < 0.0 || number > most
                })
            }
            _ => false,
        }
    }
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The enterprise.
    pub enterprise: &'a Enterprise,
    /// Whose class it takes: itself, or its head office.
    pub sized: &'a Enterprise,
    /// The oldest tax month that counts as evidence.
    pub oldest_tax: Option<Month>,
    /// Wage filers of the newest month of evidence.
    pub filers: Option<u64>,
    /// Size tables.
    pub tables: &'a size::Tables,
    /// Reporting units.
    pub units: &'a Units,
    /// The day.
    pub today: Date,
}

/// Every doubt about an enterprise, in the order of [`DoubtKind::ALL`].
#[must_use]
pub fn doubts(rules: &DoubtRules, asked: &Asked<'_>) -> Vec<Doubt> {
    let mut found = Vec::new();
    found.extend(industry_doubt(asked.sized));
    if asked.enterprise.id != asked.sized.id {
        found.extend(industry_doubt(asked.enterprise));
    }
    found.extend(absurd_heads(rules, asked));
    found.extend(revenue_unit(rules, asked.sized, asked.today));
    found.extend(founded_in_future(asked));
    found.extend(unknown_region(asked));
    found.extend(status(asked));
    found.extend(class_contradiction(rules, asked));
    found.extend(heads_contradiction(rules, asked));
    found
}

/// The row that names the industry: the register's, else the newest of tax.
#[must_use]
pub fn industry_row(enterprise: &Enterprise) -> Option<&Placed> {
    let names = |placed: &&Placed| {
        placed.record.text(Field::IndustryCode).is_some()
            || placed.record.text(Field::IndustryName).is_some()
    };
    enterprise
        .registration
        .as_ref()
        .filter(names)
        .or_else(|| enterprise.tax.values().next_back().filter(names))
}

/// Code and name of an industry as one row has them. Where only the name is given, it stands for the code.
#[must_use]
pub fn industry_of(enterprise: &Enterprise) -> Option<(&str, &str)> {
    let record = &industry_row(enterprise)?.record;
    let name = record.text(Field::IndustryName).unwrap_or_default();
    let code = record.text(Field::IndustryCode).unwrap_or(name);
    Some((code, name))
}

fn industry_doubt(enterprise: &Enterprise) -> Option<Doubt> {
    let row = industry_row(enterprise)?;
    // A class's name alone is no code: nothing is told by it, and nothing is wrong.
    let code = row.record.text(Field::IndustryCode)?;
    let name = row.record.text(Field::IndustryName).unwrap_or_default();
    let (kind, text) = if industry::is_known(code) {
        let contradiction = industry::read(code, name).contradiction?;
        (DoubtKind::IndustryContradiction, contradiction.to_owned())
    } else {
        (
            DoubtKind::UnknownIndustry,
            format!("行业代码“{code}”不在GB/T 4754中，无法确定划型标准"),
        )
    };
    let shown = if name.is_empty() {
        format!("行业代码{code}")
    } else {
        format!("行业代码{code}，行业名称{name}")
    };
    Some(Doubt {
        kind,
        text,
        grounds: vec![row.ground(shown, "doubt.industry", "GB/T 4754")],
    })
}

fn absurd_heads(rules: &DoubtRules, asked: &Asked<'_>) -> Option<Doubt> {
    let looked_at = |enterprise: &'_ Enterprise| -> Vec<Placed> {
        let oldest = asked.oldest_tax;
        let annual = enterprise.annual_tax(asked.today).map(|(month, _)| month);
        enterprise
            .tax
            .iter()
            .filter(|(month, _)| {
                oldest.is_some_and(|oldest| **month >= oldest) || annual == Some(*month)
            })
            .map(|(_, row)| row)
            .chain(&enterprise.registration)
            .filter(|row| {
                [Field::Filers, Field::Employees]
                    .iter()
                    .filter_map(|field| row.record.fields.get(field))
                    .any(|value| rules.is_absurd_count(value))
            })
            .cloned()
            .collect()
    };
    let mut rows = looked_at(asked.enterprise);
    if asked.sized.id != asked.enterprise.id {
        rows.extend(looked_at(asked.sized));
    }
    if rows.is_empty() {
        return None;
    }
    let grounds = rows
        .iter()
        .flat_map(|row| {
            [Field::Filers, Field::Employees]
                .into_iter()
                .filter_map(|field| Some((field, row.record.fields.get(&field)?)))
                .filter(|(_, value)| rules.is_absurd_count(value))
                .map(|(field, value)| {
                    let text = format!("{}为“{value}”", field.title());
                    row.ground(text, "doubt.heads", SHARED_DATA)
                })
        })
        .collect();
    Some(Doubt {
        kind: DoubtKind::AbsurdHeads,
        text: "人数为负数或大得不合理，不能据以认定用工和划型".to_owned(),
        grounds,
    })
}

fn revenue_unit(rules: &DoubtRules, enterprise: &Enterprise, today: Date) -> Option<Doubt> {
    let tax = enterprise.annual_tax(today).map(|(_, row)| row);
    let registration = enterprise.registration.as_ref();
    let shown = |row: &Placed| {
        let revenue = row
            .record
            .fields
            .get(&Field::Revenue)
            .map_or_else(String::new, |value| Field::Revenue.shown(value));
        row.ground(format!("营业收入{revenue}"), "doubt.revenue", SHARED_DATA)
    };
    for row in [tax, registration].into_iter().flatten() {
        let heads = row
            .record
            .count(Field::Employees)
            .or_else(|| row.record.count(Field::Filers));
        let (Some(revenue), Some(heads)) = (row.record.money(Field::Revenue), heads) else {
            continue;
        };
        if let Some(per_head) = rules.per_head(revenue, heads) {
            let text = match per_head {
                PerHead::High => "人均营业收入高得不合理，可能混淆了元和万元",
                PerHead::Low => "人均营业收入低得不合理，可能混淆了元和万元",
            };
            return Some(Doubt {
                kind: DoubtKind::RevenueUnit,
                text: text.to_owned(),
                grounds: vec![shown(row)],
            });
        }
    }
    let (tax, registration) = (tax?, registration?);
    let of = |row: &Placed| row.record.money(Field::Revenue).filter(|fen| *fen > 0);
    let (one, other) = (of(tax)?, of(registration)?);
    let factor = i64::try_from(rules.revenue_factor.max(1)).unwrap_or(i64::MAX);
    (one.max(other) / one.min(other) >= factor).then(|| Doubt {
        kind: DoubtKind::RevenueUnit,
        text: "登记年报与税务的营业收入相差上千倍，可能混淆了元和万元".to_owned(),
        grounds: vec![shown(tax), shown(registration)],
    })
}

fn founded_in_future(asked: &Asked<'_>) -> Option<Doubt> {
    let row = asked.enterprise.registration.as_ref()?;
    let said = row.record.fields.get(&Field::Founded)?;
    let is_future = match said {
        Value::Date(founded) => *founded > asked.today,
        // What lay beyond its delivery was not taken at the door. The year tells it from other unreadable dates.
        Value::Unread(text) => text
            .get(..4)
            .and_then(|year| year.parse::<i16>().ok())
            .is_some_and(|year| year >= asked.today.year()),
        _ => false,
    };
    is_future.then(|| Doubt {
        kind: DoubtKind::FoundedInFuture,
        text: format!("成立日期{said}在{}之后，登记期限无从起算", day(asked.today)),
        grounds: vec![row.ground(
            format!("成立日期{said}"),
            "doubt.founded",
            "社会保险法第五十七条",
        )],
    })
}

fn unknown_region(asked: &Asked<'_>) -> Option<Doubt> {
    let row = asked.enterprise.registration.as_ref()?;
    let region = row.record.text(Field::Region)?;
    asked.units.by_region(region).is_none().then(|| Doubt {
        kind: DoubtKind::UnknownRegion,
        text: format!("行政区划“{region}”不是任何填报单位，无法确定由谁核实"),
        grounds: vec![row.ground(
            format!("登记机关行政区划{region}"),
            "doubt.region",
            SHARED_DATA,
        )],
    })
}

fn status(asked: &Asked<'_>) -> Option<Doubt> {
    let row = asked.enterprise.registration.as_ref()?;
    let title = |row: &Placed| {
        row.record
            .fields
            .get(&Field::Status)
            .map_or_else(|| "未载明".to_owned(), |value| Field::Status.shown(value))
    };
    let ground = |row: &Placed, of: &str| {
        let text = format!("{of}：{}", title(row));
        row.ground(text, "doubt.status", "社会保险法第五十七条")
    };
    match row.record.text(Field::Status) {
        Some("active") => {
            let tax = asked.enterprise.tax.values().next_back()?;
            matches!(
                tax.record.text(Field::Status),
                Some("cancelled" | "liquidating")
            )
            .then(|| Doubt {
                kind: DoubtKind::StatusContradiction,
                text: format!("登记状态存续，而纳税人状态为{}", title(tax)),
                grounds: vec![ground(row, "登记状态"), ground(tax, "纳税人状态")],
            })
        }
        None | Some("unclear" | "abnormal") => Some(Doubt {
            kind: DoubtKind::StatusUnclear,
            text: format!("登记状态“{}”，是否存续不明", title(row)),
            grounds: vec![ground(row, "登记状态")],
        }),
        Some(_) => None,
    }
}

/// The figures of one row alone, as the size rule takes them.
fn figures_of_row(industry: (&str, &str), row: &Placed) -> size::Input {
    size::Input {
        industry: industry.0.to_owned(),
        industry_name: industry.1.to_owned(),
        employees: row.record.count(Field::Employees),
        revenue_fen: row.record.money(Field::Revenue),
        assets_fen: row.record.money(Field::Assets),
        ..size::Input::default()
    }
}

fn class_contradiction(rules: &DoubtRules, asked: &Asked<'_>) -> Option<Doubt> {
    let registration = asked.sized.registration.as_ref()?;
    let (_, tax) = asked.sized.annual_tax(asked.today)?;
    // Most firms end here: two sources that are near each other are not classed twice.
    let figure = |row: &Placed, field: Field| match row.record.fields.get(&field) {
        Some(Value::Count(n)) => i64::try_from(*n).ok(),
        Some(Value::Money(fen)) => Some(*fen),
        _ => None,
    };
    let factor = i64::try_from(rules.class_factor.max(1)).unwrap_or(i64::MAX);
    let is_apart = [Field::Employees, Field::Revenue, Field::Assets]
        .into_iter()
        .any(|field| {
            let (Some(a), Some(b)) = (figure(registration, field), figure(tax, field)) else {
                return false;
            };
            a.max(b) >= a.min(b).max(1).saturating_mul(factor)
        });
    if !is_apart {
        return None;
    }
    let industry = industry_of(asked.sized)?;
    let [by_register, by_tax] = [registration, tax].map(|row| figures_of_row(industry, row));
    let left = [&by_register, &by_tax].map(|figures| size::bounds(asked.tables, figures));
    let is_small =
        |left: Option<(Class, Class)>| left.is_some_and(|(_, upper)| upper <= Class::Small);
    let is_big =
        |left: Option<(Class, Class)>| left.is_some_and(|(lower, _)| lower >= Class::Medium);
    let [one, other] = left;
    let contradicts = is_small(one) && is_big(other) || is_big(one) && is_small(other);
    contradicts.then(|| {
        let ground = |row: &Placed, figures: &size::Input| {
            let class = size::classify(asked.tables, figures).class;
            let text = format!("按本行数据划为{}", class.title());
            row.ground(text, "doubt.class", &asked.tables.size.basis)
        };
        Doubt {
            kind: DoubtKind::ClassContradiction,
            text: "按登记年报与按税务数据划型，分处中型界限两侧，且所据数值相差一倍以上".to_owned(),
            grounds: vec![ground(registration, &by_register), ground(tax, &by_tax)],
        }
    })
}

fn heads_contradiction(rules: &DoubtRules, asked: &Asked<'_>) -> Option<Doubt> {
    let row = asked.enterprise.registration.as_ref()?;
    let reported = row.record.count(Field::Employees)?;
    let filers = asked.filers?;
    // An annual report of nobody is the form left empty; what is absurd by itself contradicts nobody.
    if reported == 0 || filers == 0 || reported > rules.heads_most {
        return None;
    }
    let (more, fewer) = (reported.max(filers), reported.min(filers));
    let is_apart =
        more >= fewer.saturating_mul(rules.heads_factor) && more - fewer >= rules.heads_gap;
    is_apart.then(|| {
        let mut grounds = vec![row.ground(
            format!("年报从业人数{reported}人"),
            "doubt.heads",
            SHARED_DATA,
        )];
        if let Some(tax) = asked.enterprise.tax.values().next_back() {
            let text = format!("工资薪金个税申报{filers}人");
            grounds.push(tax.ground(text, "doubt.heads", SHARED_DATA));
        }
        Doubt {
            kind: DoubtKind::HeadsContradiction,
            text: "年报从业人数与工资薪金个税申报人数相差悬殊，用工人数无从认定".to_owned(),
            grounds,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_wrong_unit_explains_is_out_of_proportion() {
        let rules = DoubtRules::default();
        let yuan = |yuan: i64| yuan * 100;
        for (revenue, heads, wanted) in [
            (yuan(5_000_000), 10, None),
            (yuan(50_000_000_000), 10, Some(PerHead::High)),
            (yuan(9_999_999_990), 10, None),
            (yuan(10_000_000_000), 10, Some(PerHead::High)),
            (yuan(99), 10, Some(PerHead::Low)),
            (yuan(100), 10, None),
            // The smallest firms may well have taken nothing in.
            (yuan(5), 2, None),
            (0, 10, None),
            (-yuan(100), 10, None),
            (yuan(50_000_000_000), 0, None),
        ] {
            assert_eq!(rules.per_head(revenue, heads), wanted, "{revenue} {heads}");
        }
    }

    #[test]
    fn a_count_below_zero_or_beyond_all_bounds_is_absurd_and_a_range_is_not() {
        let rules = DoubtRules::default();
        let unread = |text: &str| Value::Unread(text.to_owned());
        for (value, absurd) in [
            (Value::Count(0), false),
            (Value::Count(100_000), false),
            (Value::Count(100_001), true),
            (unread("-3"), true),
            (unread("-3人"), true),
            (unread("99,999,999"), true),
            (unread("1.5"), false),
            (unread("1-49人"), false),
            (unread("若干"), false),
            (Value::Money(-5), false),
        ] {
            assert_eq!(rules.is_absurd_count(&value), absurd, "{value:?}");
        }
    }

    #[test]
    fn every_doubt_says_what_removes_it() {
        let mut titles = std::collections::BTreeSet::new();
        for kind in DoubtKind::ALL {
            assert!(titles.insert(kind.title()), "{kind:?}");
            assert!(!kind.clears().is_empty());
        }
    }
}
