//! Size class by 国统字〔2017〕213号 and, for finance, 银发〔2015〕309号: an interval when indicators are missing.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::industry::{self, Codes, Edition, ToldBy};

/// A size class; the smaller is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// 微型.
    Micro,
    /// 小型.
    Small,
    /// 中型.
    Medium,
    /// 大型.
    Large,
    /// More than one class is still possible.
    Undecided,
    /// The rule gives this industry no class.
    OutOfScope,
}

impl Class {
    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Micro => "微型",
            Self::Small => "小型",
            Self::Medium => "中型",
            Self::Large => "大型",
            Self::Undecided => "待定",
            Self::OutOfScope => "不划型",
        }
    }
}

/// What is known of an enterprise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// Industry code in any of its shapes: `F5211`, `5211`, `521`, `52`; or the name of a division alone.
    pub industry: String,
    /// What the industry is called beside its code: it may tell the edition.
    pub industry_name: String,
    /// 2011 or 2017; without it letter or name tell it, else 2017 is assumed, and `why` says so.
    pub edition: Option<u16>,
    /// 从业人员, persons.
    pub employees: Option<u64>,
    /// 营业收入, fen.
    pub revenue_fen: Option<i64>,
    /// 资产总额, fen.
    pub assets_fen: Option<i64>,
    /// 信托资产, fen.
    pub trust_assets_fen: Option<i64>,
}

/// The answer; its JSON is the shape of `classify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SizeClass {
    /// The class, `undecided` or `out_of_scope`.
    pub class: Class,
    /// The smallest class still possible.
    pub lower: Option<Class>,
    /// The greatest class still possible.
    pub upper: Option<Class>,
    /// Whether one class is left.
    pub decided: bool,
    /// Id of the row used.
    pub row: Option<String>,
    /// The rule, with its number.
    pub basis: String,
    /// In Chinese: which indicator decided, which is missing, what was assumed.
    pub why: String,
}

/// `config/rules/size-2017.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeTable {
    /// The rule, with its number.
    pub basis: String,
    /// In force from.
    pub from: String,
    /// What 704 (ambiguous between the editions) counts as: `out` or `other`.
    pub own_property: String,
    /// The rows.
    pub row: Vec<SizeRow>,
    /// Divisions and groups without a class, by name: prefixes or ranges such as `66-69`.
    pub out_of_scope: std::collections::BTreeMap<String, Codes>,
}

/// One row of the table: lower bounds of `[large, medium, small]`, inclusive.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeRow {
    /// Its id.
    pub id: String,
    /// Its name in the table.
    pub name: String,
    /// Prefixes or division ranges of GB/T 4754-2017; the longest prefix wins.
    pub codes: Codes,
    /// 从业人员, persons.
    pub employees: Option<[u64; 3]>,
    /// 营业收入, 万元.
    pub revenue_wan: Option<[u64; 3]>,
    /// 资产总额, 万元.
    pub assets_wan: Option<[u64; 3]>,
}

/// `config/rules/finance-2015.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinanceTable {
    /// The rule, with its number.
    pub basis: String,
    /// In force from.
    pub from: String,
    /// The rows.
    pub row: Vec<FinanceRow>,
    /// Codes without a class.
    pub out_of_scope: Codes,
}

/// One row: lower bounds of `[large, medium, small]` in 亿元, inclusive.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinanceRow {
    /// Its id.
    pub id: String,
    /// Its name in the table.
    pub name: String,
    /// Prefixes of GB/T 4754-2017.
    pub codes: Codes,
    /// 资产总额 (信托资产 where `trust`), 亿元.
    pub assets_yi: [u64; 3],
    /// Judged on trust assets.
    #[serde(default)]
    pub trust: bool,
}

/// Both tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    /// 213号.
    pub size: SizeTable,
    /// 309号.
    pub finance: FinanceTable,
}

/// 1 万元.
const FEN_PER_WAN: i128 = 1_000_000;
/// 1 亿元.
const FEN_PER_YI: i128 = 10_000_000_000;
/// The group whose meaning the editions do not share: see [`SizeTable::own_property`].
const OWN_PROPERTY: &str = "704";

impl Tables {
    /// What is wrong in the tables themselves, in Chinese: bounds out of order, a row without an indicator, a code that is
    /// none or stands twice, an unknown word for 704.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !matches!(self.size.own_property.as_str(), "out" | "other") {
            faults.push(format!(
                "own_property“{}”应为 \"out\" 或 \"other\"",
                self.size.own_property
            ));
        }
        for row in &self.size.row {
            let bounds = [row.employees, row.revenue_wan, row.assets_wan];
            if bounds.iter().all(Option::is_none) {
                faults.push(format!("划型行“{}”没有指标", row.id));
            }
            if bounds.into_iter().flatten().any(|b| !is_descending(b)) {
                faults.push(format!("划型行“{}”的界限应为大型≥中型≥小型", row.id));
            }
        }
        for row in &self.finance.row {
            if !is_descending(row.assets_yi) {
                faults.push(format!("金融划型行“{}”的界限应为大型≥中型≥小型", row.id));
            }
        }
        let of_size = self.size.row.iter().flat_map(|row| row.codes.iter());
        let left_out = self
            .size
            .out_of_scope
            .values()
            .flat_map(|codes| codes.iter());
        let of_finance = self.finance.row.iter().flat_map(|row| row.codes.iter());
        faults.extend(code_faults(of_size.chain(left_out)));
        faults.extend(code_faults(
            of_finance.chain(self.finance.out_of_scope.iter()),
        ));
        faults
    }

    /// The targets a code may mean: one when it is fine enough, several when it is coarse, none when it is unknown.
    fn targets(&self, digits: &str) -> Vec<Target<'_>> {
        if let Some(target) = self.target(digits) {
            return vec![target];
        }
        // `5900` or `59`: a division whose groups stand in different rows.
        let coarse = digits.trim_end_matches('0');
        if digits.len() < 2 || coarse.len() < 2 {
            return Vec::new();
        }
        let below = |code: &String| code.starts_with(coarse);
        let mut targets: Vec<Target<'_>> = Vec::new();
        targets.extend(
            self.size
                .row
                .iter()
                .filter(|row| row.codes.iter().any(below))
                .map(Target::Row),
        );
        targets.extend(
            self.finance
                .row
                .iter()
                .filter(|row| row.codes.iter().any(below))
                .map(Target::Finance),
        );
        if self.finance.out_of_scope.iter().any(below) {
            targets.push(Target::Out("金融监管服务"));
        }
        if OWN_PROPERTY.starts_with(coarse) && self.size.own_property == "out" {
            targets.push(Target::Out("自有房地产经营活动"));
        }
        targets
    }

    /// By the longest prefix.
    fn target(&self, digits: &str) -> Option<Target<'_>> {
        if digits.starts_with(OWN_PROPERTY) {
            let other = self.size.row.iter().find(|row| row.id == "other");
            return match self.size.own_property.as_str() {
                "other" => other.map(Target::Row),
                "out" => Some(Target::Out("自有房地产经营活动")),
                _ => None,
            };
        }
        let divisions = industry::divisions_of(digits);
        let size_rows = self
            .size
            .row
            .iter()
            .map(|row| (Target::Row(row), &row.codes));
        let left_out = self
            .size
            .out_of_scope
            .iter()
            .map(|(name, codes)| (Target::Out(name), codes));
        let finance_rows = self
            .finance
            .row
            .iter()
            .map(|row| (Target::Finance(row), &row.codes));
        let supervisors = (Target::Out("金融监管服务"), &self.finance.out_of_scope);
        size_rows
            .chain(left_out)
            .chain(finance_rows)
            .chain([supervisors])
            .filter_map(|(target, codes)| Some((codes.longest(digits, divisions)?, target)))
            .max_by_key(|(length, _)| *length)
            .map(|(_, target)| target)
    }
}

/// What an industry code leads to.
#[derive(Debug, Clone, Copy)]
enum Target<'a> {
    Row(&'a SizeRow),
    Finance(&'a FinanceRow),
    Out(&'a str),
}

impl Target<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Row(row) => &row.name,
            Self::Finance(row) => &row.name,
            Self::Out(name) => name,
        }
    }
}

fn is_descending(bounds: [u64; 3]) -> bool {
    bounds[0] >= bounds[1] && bounds[1] >= bounds[2] && bounds[2] > 0
}

fn code_faults<'a>(codes: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let is_code = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    for code in codes {
        let good = match code.split_once('-') {
            Some((first, last)) => is_code(first, 2..=2) && is_code(last, 2..=2) && first < last,
            None => is_code(code, 2..=4),
        };
        if !good {
            faults.push(format!(
                "“{code}”不是行业代码（2至4位数字，或如 06-46 的大类区间）"
            ));
        } else if !seen.insert(code) {
            faults.push(format!("行业代码“{code}”出现两次"));
        }
    }
    faults
}

/// The class of one indicator. Bounds are inclusive.
fn band(value: i128, bounds: [u64; 3], unit: i128) -> Class {
    let [large, medium, small] = bounds.map(|bound| i128::from(bound) * unit);
    if value >= large {
        Class::Large
    } else if value >= medium {
        Class::Medium
    } else if value >= small {
        Class::Small
    } else {
        Class::Micro
    }
}

/// One indicator of a row, with its class when it is known.
type Indicator = (&'static str, Option<Class>);

fn size_indicators(row: &SizeRow, input: &Input) -> Vec<Indicator> {
    let money = |fen: Option<i64>, bounds: [u64; 3]| {
        fen.map(|fen| band(i128::from(fen), bounds, FEN_PER_WAN))
    };
    let mut found = Vec::with_capacity(3);
    if let Some(bounds) = row.employees {
        let class = input.employees.map(|n| band(i128::from(n), bounds, 1));
        found.push(("从业人员", class));
    }
    if let Some(bounds) = row.revenue_wan {
        found.push(("营业收入", money(input.revenue_fen, bounds)));
    }
    if let Some(bounds) = row.assets_wan {
        found.push(("资产总额", money(input.assets_fen, bounds)));
    }
    found
}

fn finance_indicators(row: &FinanceRow, input: &Input) -> Vec<Indicator> {
    let (name, fen) = if row.trust {
        ("信托资产", input.trust_assets_fen)
    } else {
        ("资产总额", input.assets_fen)
    };
    vec![(
        name,
        fen.map(|fen| band(i128::from(fen), row.assets_yi, FEN_PER_YI)),
    )]
}

/// Classes one enterprise. Never fails: what cannot be said is `undecided` with its reason.
///
/// 213号 lets a large, medium or small enterprise meet all bounds of its row and drop a class otherwise: the same as the
/// smallest class of any indicator. A missing indicator could be anything, so it leaves an interval.
#[must_use]
pub fn classify(tables: &Tables, input: &Input) -> SizeClass {
    let read = Read::new(tables, input);
    let answer = match read.targets.as_slice() {
        [] => unknown(
            tables,
            "行业代码缺失或不在GB/T 4754中，无法确定适用的划型标准",
        ),
        [target] => judge(tables, *target, input),
        several => judge_coarse(tables, several, input),
    };
    let mut answer = answer;
    let mut between = "。";
    for note in &read.notes {
        answer.why.push_str(between);
        answer.why.push_str(note);
        between = "；";
    }
    answer
}

/// An industry code as understood, with what was assumed.
struct Read<'a> {
    targets: Vec<Target<'a>>,
    notes: Vec<Cow<'static, str>>,
}

impl<'a> Read<'a> {
    fn new(tables: &'a Tables, input: &Input) -> Self {
        let mut notes = Vec::new();
        let code = input.industry.as_str();
        let digits = industry::digits(code);
        let section = industry::section(code);
        if digits.is_empty() && section.is_none() {
            return Self::of_name(tables, code, input.edition);
        }
        let edition = edition(input, &mut notes);
        let targets = match section {
            Some(section) if digits.is_empty() => section_targets(tables, section, edition),
            _ => code_targets(tables, digits, edition),
        };
        if edition == Edition::E2017 && digits.starts_with(OWN_PROPERTY) {
            notes.push(
                "704在2011版为自有房地产经营活动（不划型），2017版口径更宽，按设置处理".into(),
            );
        }
        Self { targets, notes }
    }

    /// The name of a division in the place of the code.
    fn of_name(tables: &'a Tables, name: &str, given: Option<u16>) -> Self {
        let editions = match given.and_then(Edition::of_year) {
            Some(edition) => vec![edition],
            None => vec![Edition::E2017, Edition::E2011],
        };
        let found = editions.into_iter().find_map(|edition| {
            let division = industry::names::division_named(name, edition)?;
            Some((edition, format!("{division:02}")))
        });
        match found {
            Some((edition, digits)) => Self {
                targets: code_targets(tables, &digits, edition),
                notes: vec![
                    format!("只有行业名称，按GB/T 4754-{}的大类处理", edition.title()).into(),
                ],
            },
            None => Self {
                targets: Vec::new(),
                notes: Vec::new(),
            },
        }
    }
}

/// The edition given, else the one that letter, name or code tell, else 2017.
fn edition(input: &Input, notes: &mut Vec<Cow<'static, str>>) -> Edition {
    let read = industry::read(&input.industry, &input.industry_name);
    if read.letter_misfits {
        notes.push("门类字母与代码不符，按数字代码处理".into());
    }
    if let Some(contradiction) = read.contradiction {
        notes.push(format!("{contradiction}，按数字代码处理").into());
    }
    match (input.edition, input.edition.and_then(Edition::of_year)) {
        (_, Some(edition)) => return edition,
        (Some(year), None) => {
            notes.push(format!("不识别{year}版行业分类，按GB/T 4754-2017处理").into());
            return Edition::E2017;
        }
        (None, None) => {}
    }
    match (read.told_by, read.edition) {
        (ToldBy::Letter, Edition::E2011) => {
            notes.push("门类字母只合GB/T 4754-2011，按2011版处理".into());
        }
        (ToldBy::Name, edition) => {
            notes.push(format!("行业名称只合GB/T 4754-{0}，按{0}版处理", edition.title()).into());
        }
        (ToldBy::Code, edition) => {
            notes.push(format!("代码只见于GB/T 4754-{0}，按{0}版处理", edition.title()).into());
        }
        (ToldBy::Assumed, _) => {
            notes.push("未注明行业分类版本，按GB/T 4754-2017处理".into());
        }
        (ToldBy::Letter | ToldBy::Given, _) => {}
    }
    read.edition
}

fn code_targets<'a>(tables: &'a Tables, digits: &str, edition: Edition) -> Vec<Target<'a>> {
    match edition {
        Edition::E2017 => tables.targets(digits),
        Edition::E2011 if digits.starts_with(OWN_PROPERTY) => {
            vec![Target::Out("自有房地产经营活动")]
        }
        Edition::E2011 => tables.targets(&industry::in_2017(digits)),
    }
}

fn section_targets(tables: &Tables, section: char, edition: Edition) -> Vec<Target<'_>> {
    let Some((first, last)) = industry::divisions(section, edition) else {
        return Vec::new();
    };
    let mut targets: Vec<Target<'_>> = Vec::new();
    for target in
        (first..=last).flat_map(|division| code_targets(tables, &format!("{division:02}"), edition))
    {
        if targets.iter().all(|known| known.name() != target.name()) {
            targets.push(target);
        }
    }
    targets
}

fn judge(tables: &Tables, target: Target<'_>, input: &Input) -> SizeClass {
    match target {
        Target::Row(row) => from_indicators(
            &row.id,
            &row.name,
            &tables.size.basis,
            &size_indicators(row, input),
        ),
        Target::Finance(row) => from_indicators(
            &row.id,
            &row.name,
            &tables.finance.basis,
            &finance_indicators(row, input),
        ),
        Target::Out(name) => SizeClass {
            class: Class::OutOfScope,
            lower: None,
            upper: None,
            decided: true,
            row: None,
            basis: tables.size.basis.clone(),
            why: format!("{name}不在划型范围"),
        },
    }
}

/// The smallest and the greatest class that indicators leave possible. A row without any says nothing.
fn left_by(indicators: &[Indicator]) -> (Class, Class) {
    let least = |missing: Class| {
        let classes = indicators.iter().map(|(_, class)| class.unwrap_or(missing));
        classes.min()
    };
    (
        least(Class::Micro).unwrap_or(Class::Micro),
        least(Class::Large).unwrap_or(Class::Large),
    )
}

/// The smallest and the greatest class still possible; `None` out of scope. What [`classify`] says, without its reasons.
#[must_use]
pub fn bounds(tables: &Tables, input: &Input) -> Option<(Class, Class)> {
    bounds_of_all(&Read::new(tables, input).targets, input)
}

fn bounds_of_all(targets: &[Target<'_>], input: &Input) -> Option<(Class, Class)> {
    let each = |target: &Target<'_>| match target {
        Target::Row(row) => Some(left_by(&size_indicators(row, input))),
        Target::Finance(row) => Some(left_by(&finance_indicators(row, input))),
        Target::Out(_) => None,
    };
    let all: Vec<Option<(Class, Class)>> = targets.iter().map(each).collect();
    let known: Vec<(Class, Class)> = all.iter().copied().flatten().collect();
    if known.is_empty() && !all.is_empty() {
        return None;
    }
    let lower = known.iter().map(|(lower, _)| *lower).min();
    let upper = known.iter().map(|(_, upper)| *upper).max();
    match (lower, upper) {
        (Some(lower), Some(upper)) if known.len() == all.len() => Some((lower, upper)),
        _ => Some((Class::Micro, Class::Large)),
    }
}

fn from_indicators(id: &str, name: &str, basis: &str, indicators: &[Indicator]) -> SizeClass {
    let (lower, upper) = left_by(indicators);
    let decided = lower == upper;
    SizeClass {
        class: if decided { lower } else { Class::Undecided },
        lower: Some(lower),
        upper: Some(upper),
        decided,
        row: Some(id.to_owned()),
        basis: basis.to_owned(),
        why: reason(name, indicators, lower, upper),
    }
}

/// Names the indicators and their classes, never their figures: a class may be shown where revenue and assets may not.
fn reason(name: &str, indicators: &[Indicator], lower: Class, upper: Class) -> String {
    // Most enterprises are told their class, so it is written into one text.
    let mut why = String::with_capacity(160);
    why.push_str("按“");
    why.push_str(name);
    why.push('”');
    let mut known = 0;
    for (indicator, class) in indicators {
        if let Some(class) = class {
            known += 1;
            for part in ["，", indicator, "属", class.title()] {
                why.push_str(part);
            }
        }
    }
    let missing = indicators.iter().filter(|(_, class)| class.is_none());
    let mut between = "，缺";
    for (indicator, _) in missing {
        why.push_str(between);
        why.push_str(indicator);
        between = "、";
    }
    let is_all = known == indicators.len();
    let end = match (lower == upper, known) {
        (true, 1) if is_all => ["，定为", lower.title(), "", "", ""],
        (true, _) => ["，以最低者定为", lower.title(), "", "", ""],
        (false, 0) => ["，不能确定", "", "", "", ""],
        (false, _) => ["，介于", lower.title(), "与", upper.title(), "之间"],
    };
    why.extend(end);
    why
}

/// Several rows are possible: whatever all of them leave possible.
fn judge_coarse(tables: &Tables, targets: &[Target<'_>], input: &Input) -> SizeClass {
    let names: Vec<&str> = targets.iter().map(Target::name).collect();
    let why = format!("行业代码过粗，可能属{}", names.join("、"));
    let Some((lower, upper)) = bounds_of_all(targets, input) else {
        return SizeClass {
            why: format!("{why}，均不在划型范围"),
            ..judge(tables, targets[0], input)
        };
    };
    if targets
        .iter()
        .any(|target| matches!(target, Target::Out(_)))
    {
        return unknown(tables, &format!("{why}，其中有不划型的行业"));
    }
    let decided = lower == upper;
    let end = if decided {
        format!("，各标准均为{}", lower.title())
    } else {
        format!("，介于{}与{}之间", lower.title(), upper.title())
    };
    SizeClass {
        class: if decided { lower } else { Class::Undecided },
        lower: Some(lower),
        upper: Some(upper),
        decided,
        row: None,
        basis: tables.size.basis.clone(),
        why: why + &end,
    }
}

fn unknown(tables: &Tables, why: &str) -> SizeClass {
    SizeClass {
        class: Class::Undecided,
        lower: Some(Class::Micro),
        upper: Some(Class::Large),
        decided: false,
        row: None,
        basis: tables.size.basis.clone(),
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shipped() -> Tables {
        Tables {
            size: toml::from_str(include_str!("../../config/rules/size-2017.toml"))
                .expect("the shipped size table"),
            finance: toml::from_str(include_str!("../../config/rules/finance-2015.toml"))
                .expect("the shipped finance table"),
        }
    }

    /// 万元 with up to six decimals, as fen.
    fn wan(text: &str) -> Option<i64> {
        if text.is_empty() {
            return None;
        }
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        Some(
            format!("{whole}{part:0<6}")
                .parse()
                .expect("a figure in 万元"),
        )
    }

    fn input(code: &str, employees: &str, revenue: &str, assets: &str) -> Input {
        Input {
            industry: code.to_owned(),
            employees: employees.parse().ok(),
            revenue_fen: wan(revenue),
            assets_fen: wan(assets),
            ..Input::default()
        }
    }

    #[test]
    fn the_vectors_of_the_rule_hold() {
        use Class::{Large, Medium, Micro, OutOfScope, Small, Undecided};
        let tables = shipped();
        for (code, x, y, z, class, row) in [
            ("6513", "103", "15735.28", "", Medium, "software"),
            ("3921", "1000", "40000", "", Large, "industry"),
            ("3921", "999", "40000", "", Medium, "industry"),
            ("3921", "300", "1999.99", "", Small, "industry"),
            ("3921", "19", "1000000", "", Micro, "industry"),
            ("5910", "1000", "30000", "", Large, "transport"),
            ("5920", "199", "30000", "", Medium, "storage"),
            ("5920", "99", "30000", "", Small, "storage"),
            ("0111", "", "500", "", Medium, "agri"),
            ("0111", "", "49.99", "", Micro, "agri"),
            ("4710", "", "80000", "79999.99", Medium, "constr"),
            ("7010", "", "200000", "4999", Small, "realdev"),
            ("7020", "99", "5000", "", Micro, "property"),
            ("7263", "300", "", "119999", Medium, "lease"),
            ("7263", "9", "", "500000", Micro, "lease"),
            ("5299", "50", "499.99", "", Small, "retail"),
            ("8090", "10", "", "", Small, "other"),
            ("6432", "2000", "", "", Undecided, "info"),
            ("6432", "9", "", "", Micro, "info"),
            ("8310", "500", "9999", "", OutOfScope, ""),
            ("5310", "500", "9999", "", OutOfScope, ""),
            ("7040", "10", "", "", Small, "other"),
        ] {
            let answer = classify(&tables, &input(code, x, y, z));
            assert_eq!(answer.class, class, "{code} {x} {y} {z}: {answer:?}");
            assert_eq!(answer.row.as_deref().unwrap_or_default(), row, "{code}");
            assert_eq!(answer.decided, class != Undecided);
            if class == OutOfScope {
                assert_eq!((answer.lower, answer.upper), (None, None));
            } else if class != Undecided {
                assert_eq!((answer.lower, answer.upper), (Some(class), Some(class)));
            }
            assert!(answer.why.contains("2017"), "{}", answer.why);
        }
    }

    #[test]
    fn a_missing_indicator_leaves_an_interval() {
        use Class::{Large, Medium, Micro, Small};
        let tables = shipped();
        for (code, x, y, lower, upper) in [
            ("6432", "2000", "", Micro, Large),
            ("6432", "999", "", Micro, Medium),
            ("6432", "", "999", Micro, Small),
            ("6432", "9", "", Micro, Micro),
            ("6432", "", "", Micro, Large),
        ] {
            let answer = classify(&tables, &input(code, x, y, ""));
            assert_eq!((answer.lower, answer.upper), (Some(lower), Some(upper)));
            assert_eq!(answer.decided, lower == upper);
            assert!(answer.why.contains('缺'), "{}", answer.why);
        }
    }

    #[test]
    fn every_bound_of_every_row_is_inclusive() {
        use Class::{Large, Medium, Micro, Small};
        let tables = shipped();
        let steps = [(Large, Medium), (Medium, Small), (Small, Micro)];
        let rich = |row: &SizeRow| Input {
            industry: row.codes[0][..2].to_owned()
                + row.codes[0].get(2..3).filter(|c| *c != "-").unwrap_or("1"),
            edition: Some(2017),
            employees: Some(u64::MAX),
            revenue_fen: Some(i64::MAX),
            assets_fen: Some(i64::MAX),
            ..Input::default()
        };
        let mut checked = 0;
        let mut check = |row: &SizeRow, input: &Input, class: Class| {
            let answer = classify(&tables, input);
            assert_eq!(answer.class, class, "{} {input:?}", row.id);
            assert_eq!(answer.row.as_ref(), Some(&row.id));
            checked += 1;
        };
        for row in &tables.size.row {
            for (at, (over, under)) in steps.into_iter().enumerate() {
                if let Some(bounds) = row.employees {
                    for (n, class) in [(bounds[at], over), (bounds[at] - 1, under)] {
                        let input = Input {
                            employees: Some(n),
                            ..rich(row)
                        };
                        check(row, &input, class);
                    }
                }
                let fen =
                    |bound: u64| i64::try_from(i128::from(bound) * FEN_PER_WAN).expect("fits");
                if let Some(bounds) = row.revenue_wan {
                    for (n, class) in [(fen(bounds[at]), over), (fen(bounds[at]) - 1, under)] {
                        let input = Input {
                            revenue_fen: Some(n),
                            ..rich(row)
                        };
                        check(row, &input, class);
                    }
                }
                if let Some(bounds) = row.assets_wan {
                    for (n, class) in [(fen(bounds[at]), over), (fen(bounds[at]) - 1, under)] {
                        let input = Input {
                            assets_fen: Some(n),
                            ..rich(row)
                        };
                        check(row, &input, class);
                    }
                }
            }
        }
        // 16 rows with 30 indicators, three bounds each, on both sides.
        assert_eq!(tables.size.row.len(), 16);
        assert_eq!(checked, 30 * 6);
        for row in &tables.finance.row {
            for (at, (over, under)) in steps.into_iter().enumerate() {
                let fen = i64::try_from(i128::from(row.assets_yi[at]) * FEN_PER_YI).expect("fits");
                for (fen, class) in [(fen, over), (fen - 1, under)] {
                    let mut input = Input::default();
                    if row.trust {
                        input.trust_assets_fen = Some(fen);
                    } else {
                        input.assets_fen = Some(fen);
                    }
                    let answer = judge(&tables, Target::Finance(row), &input);
                    assert_eq!(answer.class, class, "{} {fen}", row.id);
                }
            }
        }
        assert_eq!(tables.finance.row.len(), 8);
    }

    #[test]
    fn finance_has_its_own_rule_and_rows() {
        let tables = shipped();
        for (code, row) in [
            ("6621", "bank"),
            ("6632", "non_deposit"),
            ("6635", "lender"),
            ("6637", "other_finance"),
            ("6640", "other_finance"),
            ("6712", "securities"),
            ("6720", "securities"),
            ("6853", "insurance"),
            ("6911", "trust"),
            ("6919", "other_finance"),
            ("6920", "other_finance"),
            ("6999", "other_finance"),
        ] {
            let answer = classify(&tables, &input(code, "5", "1", "100000"));
            assert_eq!(answer.row.as_deref(), Some(row), "{code}");
            assert!(answer.basis.contains("309"));
            assert_eq!(answer.decided, row != "trust", "{code}");
        }
        for code in ["6610", "6650", "6750", "6870"] {
            assert_eq!(
                classify(&tables, &input(code, "5", "", "1")).class,
                Class::OutOfScope
            );
        }
        // A trust company is judged on what it holds in trust.
        let trust = Input {
            trust_assets_fen: Some(400 * 10_000_000_000),
            ..input("6911", "", "", "1")
        };
        assert_eq!(classify(&tables, &trust).class, Class::Medium);
    }

    #[test]
    fn the_edition_is_given_or_told_by_the_letter() {
        let tables = shipped();
        for (code, edition, row, out, said) in [
            ("O7910", None, "other", false, "2011"),
            ("N7910", None, "other", false, ""),
            ("P8210", None, "", true, "2011"),
            ("8210", None, "other", false, "未注明"),
            ("8210", Some(2011), "", true, ""),
            ("8410", None, "", true, "未注明"),
            ("8410", Some(2011), "other", false, ""),
            ("8321", Some(2011), "", true, ""),
            ("9010", Some(2017), "other", false, ""),
            ("S9010", None, "", true, "2011"),
            ("5810", Some(2011), "transport", false, ""),
            ("5911", Some(2011), "storage", false, ""),
            ("5911", Some(2017), "transport", false, ""),
            ("6292", Some(2011), "catering", false, ""),
            ("6420", Some(2011), "info", false, ""),
            ("7040", Some(2011), "", true, ""),
            ("7040", Some(2017), "other", false, "704"),
            ("6910", Some(2011), "trust", false, ""),
            ("6640", Some(2011), "", true, ""),
            ("C5211", None, "retail", false, "门类字母与代码不符"),
            ("5211", Some(1994), "retail", false, "不识别1994版"),
        ] {
            let answer = classify(
                &tables,
                &Input {
                    edition,
                    ..input(code, "10", "", "")
                },
            );
            assert_eq!(
                answer.row.as_deref().unwrap_or_default(),
                row,
                "{code} {edition:?}"
            );
            assert_eq!(answer.class == Class::OutOfScope, out, "{code} {edition:?}");
            assert!(answer.why.contains(said), "{code}: {}", answer.why);
        }
    }

    #[test]
    fn what_is_unknown_or_coarse_is_undecided_unless_all_rows_agree() {
        use Class::{Large, Micro, Small};
        let tables = shipped();
        for (code, x, y, lower, upper) in [
            ("", "10", "100", Micro, Large),
            ("百货", "10", "100", Micro, Large),
            ("99", "10", "100", Micro, Large),
            ("9", "10", "100", Micro, Large),
            ("X", "10", "100", Micro, Large),
            ("J", "10", "100", Micro, Large),
            // Transport or storage.
            ("59", "19", "100", Micro, Micro),
            ("5900", "20", "200", Small, Small),
            // Wholesale micro, retail small.
            ("F", "10", "100", Micro, Small),
            ("H", "10", "100", Small, Small),
            ("H6100", "10", "100", Small, Small),
        ] {
            let answer = classify(&tables, &input(code, x, y, ""));
            assert_eq!(
                (answer.lower, answer.upper),
                (Some(lower), Some(upper)),
                "{code}: {answer:?}"
            );
            assert_eq!(answer.decided, lower == upper);
            assert!(!answer.why.is_empty());
        }
        // A section within one row is as good as a code.
        let whole = classify(&tables, &input("C", "20", "300", ""));
        assert_eq!(
            (whole.class, whole.row.as_deref()),
            (Small, Some("industry"))
        );
        assert_eq!(
            classify(&tables, &input("P", "", "", "")).class,
            Class::OutOfScope
        );
    }

    #[test]
    fn a_name_beside_the_code_tells_the_edition_and_a_name_alone_the_division() {
        let tables = shipped();
        let of = |code: &str, name: &str| {
            classify(
                &tables,
                &Input {
                    industry_name: name.to_owned(),
                    ..input(code, "10", "", "")
                },
            )
        };
        // 82 was education in 2011 and is 其他服务业 since 2017.
        assert_eq!(of("8210", "学前教育").class, Class::OutOfScope);
        assert_eq!(of("8210", "").class, Class::Small);
        assert!(
            of("8210", "学前教育")
                .why
                .contains("行业名称只合GB/T 4754-2011")
        );
        // A letter goes before the name; that they differ is said.
        let differs = of("N7910", "居民服务业");
        assert!(differs.why.contains("版本不同"), "{}", differs.why);
        assert_eq!(of("批发业", "").row.as_deref(), Some("wholesale"));
        assert_eq!(of("教育", "").class, Class::OutOfScope);
        assert_eq!(of("仓储业", "").row.as_deref(), Some("storage"));
        assert!(of("仓储业", "").why.contains("4754-2011"));
    }

    #[test]
    fn the_setting_decides_what_704_counts_as() {
        let mut tables = shipped();
        tables.size.own_property = "out".to_owned();
        assert_eq!(
            classify(&tables, &input("7040", "10", "", "")).class,
            Class::OutOfScope
        );
        assert_eq!(
            classify(&tables, &input("7030", "10", "", "")).class,
            Class::Small
        );
    }

    #[test]
    fn the_answer_names_no_figure() {
        let answer = classify(&shipped(), &input("6513", "103", "15735.28", ""));
        assert!(!answer.why.contains("103") && !answer.why.contains("15735"));
        let json = serde_json::to_value(&answer).expect("plain values");
        assert_eq!(json["class"], "medium");
        assert_eq!(json["row"], "software");
        assert_eq!(json["lower"], "medium");
        assert_eq!(json["decided"], true);
    }

    /// Every code, division and group, by all that the tables list.
    #[test]
    fn the_divisions_of_a_list_leave_out_none_of_its_codes() {
        let tables = shipped();
        let size = tables.size.row.iter().map(|row| &row.codes);
        let finance = tables.finance.row.iter().map(|row| &row.codes);
        let out = tables.size.out_of_scope.values();
        let mut matched = 0;
        for codes in size
            .chain(finance)
            .chain(out)
            .chain([&tables.finance.out_of_scope])
        {
            for number in 0..10_000 {
                for digits in [format!("{number:04}"), format!("{number}")] {
                    let each = codes
                        .iter()
                        .filter_map(|code| industry::matched(code, &digits));
                    let longest = each.max();
                    assert_eq!(
                        codes.longest(&digits, industry::divisions_of(&digits)),
                        longest,
                        "{digits} {codes:?}"
                    );
                    matched += u32::from(longest.is_some());
                }
            }
        }
        assert!(matched > 9_000, "{matched}");
    }

    #[test]
    fn bounds_are_those_of_the_class() {
        let tables = shipped();
        for industry in [
            "6513",
            "I6513",
            "5900",
            "59",
            "F",
            "7040",
            "E47",
            "66",
            "90",
            "",
            "0",
            "9700",
            "X",
            "餐饮业",
        ] {
            for employees in ["", "5", "60", "120", "2000"] {
                for revenue in ["", "40", "600", "20000", "90000"] {
                    let input = input(industry, employees, revenue, "");
                    let class = classify(&tables, &input);
                    let told = class.lower.zip(class.upper);
                    assert_eq!(
                        bounds(&tables, &input),
                        told,
                        "{industry} {employees} {revenue}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_wrong_table_is_told() {
        let with = |codes: &Codes, more: &str| {
            let mut all = codes.to_vec();
            all.push(more.to_owned());
            Codes::from(all)
        };
        assert_eq!(shipped().faults(), Vec::<String>::new());
        let mut tables = shipped();
        tables.size.own_property = "maybe".to_owned();
        tables.size.row[0].revenue_wan = Some([1, 2, 3]);
        tables.size.row[1].codes = with(&tables.size.row[1].codes, "6-46");
        tables.size.row[1].employees = None;
        tables.size.row[1].revenue_wan = None;
        tables.size.row[3].codes = with(&tables.size.row[3].codes, "52");
        tables.finance.row[0].assets_yi = [1, 2, 0];
        let faults = tables.faults();
        assert_eq!(faults.len(), 6, "{faults:?}");
    }

    proptest! {
        #[test]
        fn more_knowledge_never_widens_and_more_of_anything_never_lowers(
            code in prop::sample::select(&["3921", "5211", "4710", "7010", "7263", "8090", "59", "F", "6513"][..]),
            x in 0u64..2_500,
            y in 0i64..300_000,
            z in 0i64..300_000,
        ) {
            let tables = shipped();
            let full = Input {
                industry: code.to_owned(),
                edition: Some(2017),
                employees: Some(x),
                revenue_fen: Some(y * 1_000_000),
                assets_fen: Some(z * 1_000_000),
                ..Input::default()
            };
            let all = classify(&tables, &full);
            for less in [
                Input { employees: None, ..full.clone() },
                Input { revenue_fen: None, ..full.clone() },
                Input { assets_fen: None, ..full.clone() },
            ] {
                let part = classify(&tables, &less);
                prop_assert!(part.lower <= all.lower && all.upper <= part.upper);
            }
            let richer = classify(&tables, &Input { revenue_fen: Some(y * 2_000_000), employees: Some(x * 2), ..full });
            prop_assert!(richer.lower >= all.lower && richer.upper >= all.upper);
        }
    }
}
