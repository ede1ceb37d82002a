//! The table of headings and writings that departments use, and how a heading is held against it.

use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;

use serde::Deserialize;

use crate::adapter::cell::heading_text;
use crate::domain::record::{Field, RecordKind};
use crate::domain::text::fold;

/// The table as shipped.
const SHIPPED: &str = include_str!("aliases.toml");

/// Least likeness of a heading that is written otherwise than any alias.
const FLOOR: f64 = 0.8;
/// ASCII names are short codes where one letter makes another column: they must be longer and more alike.
const ASCII_FLOOR: f64 = 0.88;
const ASCII_CHARS: usize = 8;
/// Hanzi an alias needs so that a heading that ends or begins with it means the same.
const PART_CHARS: usize = 4;

/// What departments call things.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aliases {
    /// Field name → headings, the most reliable first.
    fields: BTreeMap<String, Vec<String>>,
    /// Field name → canonical word → writings.
    pub words: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Record kind → field name → canonical word → code of a code table.
    pub codes: BTreeMap<String, BTreeMap<String, BTreeMap<String, Vec<String>>>>,
    /// Unit name → headings whose unit a data standard fixes.
    units: BTreeMap<String, Vec<String>>,
    day: Days,
    total: Totals,
    personal: Personal,
    /// Record kind → words in file names, titles and headings.
    kinds: BTreeMap<String, Vec<String>>,
    /// The headings of all fields, made of the above when first asked for.
    #[serde(skip)]
    known: OnceLock<Known>,
}

/// Headings of any field.
#[derive(Debug, Clone)]
struct Known {
    exact: HashSet<String>,
    bare: HashSet<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Days {
    labels: Vec<String>,
    columns: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Totals {
    names: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Personal {
    words: Vec<String>,
    codes: Vec<String>,
}

/// How a heading was recognised, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// It is an alias.
    Exact,
    /// It is one without brackets, unit, case and separators.
    Folded,
    /// It is like one.
    Similar,
    /// Only by its values.
    Values,
}

impl Way {
    /// For the comment beside the field.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Exact => "列名一致",
            Self::Folded => "列名去掉括号、分隔符后一致",
            Self::Similar => "列名相近，请核对",
            Self::Values => "列名不识，按内容判断，请核对",
        }
    }
}

/// A heading ready for comparing.
#[derive(Debug, Clone)]
pub struct Heading {
    exact: String,
    folded: String,
    /// The last part of a joined name: `owner/name` of inner objects, `上级/下级` of two heading rows.
    last: String,
}

impl Heading {
    /// Makes it ready.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let folded = fold(text);
        let last = folded.rsplit(['/', '.']).next().unwrap_or(&folded);
        Self {
            exact: upper(text),
            folded: bare(text),
            last: bare(last),
        }
    }
}

fn upper(text: &str) -> String {
    heading_text(text).to_uppercase()
}

/// Without brackets and what is in them, separators and case.
fn bare(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for c in fold(text).chars() {
        match c {
            '(' | '[' | '【' | '〔' | '<' => depth += 1,
            ')' | ']' | '】' | '〕' | '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 && c.is_alphanumeric() => kept.extend(c.to_uppercase()),
            _ => {}
        }
    }
    kept
}

impl Aliases {
    /// The table that goes with the program.
    ///
    /// # Errors
    /// The table is broken, which a test of this file excludes.
    pub fn shipped() -> Result<Self, toml::de::Error> {
        toml::from_str(SHIPPED)
    }

    /// The headings of a field, the most reliable first; its own title and name always count.
    fn of(&self, field: Field) -> impl Iterator<Item = &str> {
        self.fields
            .get(field.name())
            .into_iter()
            .flatten()
            .map(String::as_str)
            .chain([field.title(), field.name()])
    }

    /// How well a heading names a field: the way and a figure up to 1.
    #[must_use]
    pub fn likeness(&self, heading: &Heading, field: Field) -> Option<(Way, f64)> {
        let mut best: Option<(Way, f64)> = None;
        let mut rank = 0.0;
        for alias in self.of(field) {
            let found = if upper(alias) == heading.exact {
                Some((Way::Exact, 1.0 - rank))
            } else {
                let alias = bare(alias);
                if !alias.is_empty() && alias == heading.folded {
                    Some((Way::Folded, 0.95 - rank))
                } else if !alias.is_empty() && alias == heading.last {
                    Some((Way::Folded, 0.93 - rank))
                } else {
                    similar(&heading.folded, &alias)
                        .map(|likeness| (Way::Similar, 0.8 * likeness - rank))
                }
            };
            if let Some(found) = found
                && best.is_none_or(|best| found.1 > best.1)
            {
                best = Some(found);
            }
            rank += 0.001;
        }
        best
    }

    /// Whether a heading names any field at all, or a column that exports are known to have.
    #[must_use]
    pub fn knows(&self, heading: &Heading) -> bool {
        // Every word of the first lines of a file is asked about, perhaps of one that is no table at all.
        let known = self.known.get_or_init(|| {
            let all = || Field::ALL.iter().flat_map(|field| self.of(*field));
            Known {
                exact: all().map(upper).collect(),
                bare: all().map(bare).filter(|bare| !bare.is_empty()).collect(),
            }
        });
        known.exact.contains(&heading.exact)
            || known.bare.contains(&heading.folded)
            || known.bare.contains(&heading.last)
            || self.is_personal(heading)
            || self.names_day(heading)
    }

    /// Whether a column is personal by its heading. 联系电话 of a firm is not; 手机 of a person is.
    #[must_use]
    pub fn is_personal(&self, heading: &Heading) -> bool {
        // 法人 stands in 法人单位 and 经营者 in 经营者名称, too: a column of firms is none of persons.
        let of_firms = ["单位", "企业", "名称", "代码", "类型"]
            .iter()
            .any(|word| heading.folded.ends_with(word));
        self.personal
            .codes
            .iter()
            .any(|code| bare(code) == heading.folded || bare(code) == heading.last)
            || (!of_firms
                && self
                    .personal
                    .words
                    .iter()
                    .any(|word| heading.folded.contains(word.as_str())))
    }

    /// Whether a column says the day the data speak of.
    #[must_use]
    pub fn names_day(&self, heading: &Heading) -> bool {
        self.day
            .columns
            .iter()
            .any(|name| bare(name) == heading.folded)
    }

    /// The labels before the day in a title line, the most reliable first.
    #[must_use]
    pub fn day_labels(&self) -> &[String] {
        &self.day.labels
    }

    /// Whether a name is that of a declared total.
    #[must_use]
    pub fn names_total(&self, name: &str) -> bool {
        let name = bare(name);
        self.total.names.iter().any(|known| bare(known) == name)
    }

    /// The unit that a data standard fixes for a heading.
    #[must_use]
    pub fn unit(&self, heading: &Heading) -> Option<&str> {
        self.units
            .iter()
            .find(|(_, names)| names.iter().any(|name| bare(name) == heading.folded))
            .map(|(unit, _)| unit.as_str())
    }

    /// How many hints of a kind stand in these texts.
    #[must_use]
    pub fn hints(&self, kind: RecordKind, texts: &[String]) -> u32 {
        let words = self.kinds.get(kind.name()).into_iter().flatten();
        words
            .map(|word| {
                let word = word.to_uppercase();
                u32::from(texts.iter().any(|text| text.to_uppercase().contains(&word)))
            })
            .sum()
    }
}

/// Likeness of two bare headings that are not equal, when it is worth a look.
fn similar(heading: &str, alias: &str) -> Option<f64> {
    let long = |text: &str| text.chars().count();
    if heading.is_empty() || alias.is_empty() {
        return None;
    }
    if !alias.is_ascii()
        && long(alias) >= PART_CHARS
        && (heading.ends_with(alias) || heading.starts_with(alias))
        && long(heading) <= long(alias) * 2
    {
        return Some(0.9);
    }
    let likeness = strsim::normalized_damerau_levenshtein(heading, alias);
    let floor = if heading.is_ascii() || alias.is_ascii() {
        let is_name = |text: &str| {
            text.len() >= ASCII_CHARS && text.bytes().all(|byte| byte.is_ascii_alphabetic())
        };
        if !(is_name(heading) && is_name(alias)) {
            return None;
        }
        ASCII_FLOOR
    } else {
        FLOOR
    };
    (likeness >= floor).then_some(likeness)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_speaks_of_what_exists() {
        let aliases = Aliases::shipped().expect("the table is sound");
        for name in aliases.fields.keys().chain(aliases.words.keys()) {
            assert!(Field::by_name(name).is_some(), "{name}");
        }
        for (name, words) in &aliases.words {
            let field = Field::by_name(name).expect("a field");
            for word in words.keys() {
                assert!(field.words().contains(&word.as_str()), "{name} {word}");
            }
        }
        let kinds: Vec<&str> = [
            RecordKind::Registration,
            RecordKind::Tax,
            RecordKind::Transport,
            RecordKind::InsuredRoll,
        ]
        .iter()
        .map(|kind| kind.name())
        .collect();
        for kind in aliases.kinds.keys().chain(aliases.codes.keys()) {
            assert!(kinds.contains(&kind.as_str()), "{kind}");
        }
    }

    #[test]
    fn headings_are_recognised_by_name_fold_and_likeness() {
        let aliases = Aliases::shipped().expect("the table is sound");
        for (heading, field, way) in [
            ("统一社会信用代码", Field::CreditCode, Some(Way::Exact)),
            ("统一社会信用 代码", Field::CreditCode, Some(Way::Exact)),
            ("uniscid", Field::CreditCode, Some(Way::Exact)),
            ("ＴＹＳＨＸＹＤＭ", Field::CreditCode, Some(Way::Exact)),
            ("营业收入(万元)", Field::Revenue, Some(Way::Folded)),
            ("营业收入（单位：元）", Field::Revenue, Some(Way::Folded)),
            ("creditCode", Field::CreditCode, Some(Way::Folded)),
            ("data.uscc", Field::CreditCode, Some(Way::Folded)),
            ("owner/name", Field::Name, Some(Way::Folded)),
            (
                "参保情况/参保人数",
                Field::RegisteredHeads,
                Some(Way::Folded),
            ),
            ("@UNISCID", Field::CreditCode, Some(Way::Folded)),
            ("企业从业人数", Field::Employees, Some(Way::Similar)),
            ("统一社会信用代碼", Field::CreditCode, Some(Way::Similar)),
            ("AAB001", Field::UnitNumber, Some(Way::Exact)),
            ("AAB004", Field::UnitNumber, None),
            ("缴费人数", Field::RegisteredHeads, None),
            ("注销日期", Field::Founded, None),
            ("", Field::Name, None),
            ("（）", Field::Name, None),
        ] {
            let found = aliases.likeness(&Heading::new(heading), field);
            assert_eq!(found.map(|(way, _)| way), way, "{heading} {field:?}");
        }
    }

    #[test]
    fn personal_columns_are_told_from_those_of_firms() {
        let aliases = Aliases::shipped().expect("the table is sound");
        for (heading, wanted) in [
            ("法定代表人", true),
            ("法定代表人身份证号", true),
            ("证件号码", true),
            ("LEREP", true),
            ("CERNO", true),
            ("手机号码", true),
            ("联系人", true),
            ("姓名", true),
            ("联系电话", false),
            ("经营者名称", false),
            ("法人单位", false),
            ("UNISCID", false),
            ("备注", false),
        ] {
            assert_eq!(
                aliases.is_personal(&Heading::new(heading)),
                wanted,
                "{heading}"
            );
        }
    }
}
