//! A proposal: everything that a draft says, as facts. Pure.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::adapter::draft::aliases::{Aliases, Heading, Way};
use crate::adapter::draft::columns;
use crate::adapter::draft::layout::Layout;
use crate::adapter::draft::matching::{self, Likenesses, Match};
use crate::adapter::draft::money;
use crate::adapter::draft::sample::{Column, Sample};
use crate::adapter::draft::text::quoted;
use crate::adapter::draft::vocabulary::{self, Lookup};
use crate::adapter::language::Mode;
use crate::adapter::reading::{self, Said, leading_date};
use crate::domain::record::{Field, FieldType, RecordKind};
use crate::domain::text::fold;

/// Different days a column of the data's day may hold: one delivery speaks of one, give or take what trickles in.
const DAYS_AT_MOST: usize = 31;
/// Points by which the second kind must be behind for the guess to stand unquestioned.
const CLEAR_LEAD: f64 = 1.5;

/// One field of the proposal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldProposal {
    /// Its canonical name.
    pub field: &'static str,
    /// The column's heading.
    pub column: String,
    /// How it was recognised.
    pub how: Way,
    /// How sure, up to 1.
    pub score: f64,
    /// Whether a row without it is set aside.
    pub required: bool,
    /// The unit, of counts of persons and of money.
    pub unit: Option<&'static str>,
    /// The unit was guessed.
    pub unit_guessed: bool,
    /// Rows of the sample with a value.
    pub filled: u64,
    /// Why, in Chinese.
    pub why: String,
    /// Further columns that would fit.
    pub also: Vec<String>,
    /// The lookup of a word field.
    #[serde(skip)]
    pub lookup: Option<Lookup>,
}

/// A column that is not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// Its heading.
    pub column: String,
    /// `personal`, `second` (another column feeds the same field) or `unused`.
    pub reason: &'static str,
    /// Why, in Chinese, with what it looks like.
    pub why: String,
    /// A value, masked.
    pub sample: String,
}

/// Where the day of the data stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Day {
    /// As TOML writes it.
    pub toml: String,
    /// Why, in Chinese.
    pub why: String,
}

/// The whole proposal.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The sample's file name.
    pub file: String,
    /// Container and format.
    pub layout: Layout,
    /// Rows that were looked at.
    pub rows: u64,
    /// Whether these are all.
    pub whole: bool,
    /// The kind of records.
    pub record: RecordKind,
    /// Why, in Chinese.
    pub record_why: String,
    /// All kinds with their points.
    pub kinds: Vec<(RecordKind, f64)>,
    /// Snapshot or increment.
    pub mode: Mode,
    /// Where the day stands.
    pub day: Day,
    /// The fields that were found.
    pub fields: Vec<FieldProposal>,
    /// Required fields that were not.
    pub missing: Vec<Field>,
    /// The usual writings for those of them that need a lookup.
    pub missing_lookups: Vec<(Field, Lookup)>,
    /// Other fields that were not.
    pub absent: Vec<Field>,
    /// Columns that are not used.
    pub ignored: Vec<Ignored>,
    /// What a person should know besides, in Chinese.
    pub remarks: Vec<String>,
}

/// Proposes an adapter for a sample. `record` forces the kind.
#[must_use]
pub fn propose(sample: &Sample, record: Option<RecordKind>, aliases: &Aliases) -> Proposal {
    let likenesses = Likenesses::of(sample, aliases);
    let kinds = matching::kinds(sample, &likenesses, aliases);
    let guessed = kinds
        .first()
        .map_or(RecordKind::Registration, |kind| kind.0);
    let kind = record.unwrap_or(guessed);
    let matches = likenesses.matches(kind);
    let fields: Vec<FieldProposal> = matches
        .iter()
        .map(|found| field(sample, kind, found, &matches, aliases))
        .collect();
    let has = |field: &Field| matches.iter().any(|found| found.field == *field);
    let (missing, absent): (Vec<Field>, Vec<Field>) = kind
        .fields()
        .iter()
        .filter(|field| !has(field))
        .partition(|field| kind.key().contains(field));
    let missing_lookups = missing
        .iter()
        .filter(|field| field.field_type() == FieldType::Word)
        .map(|field| {
            let lookup = vocabulary::lookup(kind, *field, &Column::default(), aliases);
            (*field, lookup)
        })
        .collect();
    let (day, day_column) = day(sample, kind, &matches, aliases);
    let remarks = remarks(sample, &fields);
    Proposal {
        file: sample.file.clone(),
        layout: sample.layout.clone(),
        rows: sample.rows,
        whole: sample.whole,
        record: kind,
        record_why: record_why(record, &kinds),
        kinds,
        mode: match kind {
            RecordKind::Tax => Mode::Increment,
            _ => Mode::Snapshot,
        },
        day,
        ignored: ignored(sample, &likenesses, &matches, day_column),
        fields,
        missing,
        missing_lookups,
        absent,
        remarks,
    }
}

fn record_why(forced: Option<RecordKind>, kinds: &[(RecordKind, f64)]) -> String {
    match (forced, kinds) {
        (Some(_), _) => "按 --record 指定".to_owned(),
        (None, [first, second, ..]) if first.1 - second.1 < CLEAR_LEAD => format!(
            "按列名和内容判断，与 {} 接近，请核对；可用 --record 指定",
            second.0.name()
        ),
        _ => "按列名和内容判断".to_owned(),
    }
}

fn field(
    sample: &Sample,
    kind: RecordKind,
    found: &Match,
    matches: &[Match],
    aliases: &Aliases,
) -> FieldProposal {
    let column = &sample.columns[found.column];
    let of = |field: Field| {
        matches
            .iter()
            .find(|other| other.field == field)
            .map(|other| &sample.columns[other.column])
    };
    let mut why = vec![found.way.title().to_owned()];
    let (mut unit, mut unit_guessed) = (None, false);
    match found.field.field_type() {
        FieldType::Money => {
            let heads = of(Field::Employees).or_else(|| of(Field::Filers));
            let found = money::unit(sample, column, aliases, heads, of(Field::Revenue));
            unit = Some(found.name());
            unit_guessed = found.is_guess;
            why.push(found.why);
        }
        FieldType::Count if !matches!(found.field, Field::ReportYear | Field::Vehicles) => {
            unit = Some("persons");
        }
        _ => {}
    }
    let lookup = (found.field.field_type() == FieldType::Word)
        .then(|| vocabulary::lookup(kind, found.field, column, aliases));
    if column.filled < sample.rows {
        why.push(format!("{}行中{}行有值", sample.rows, column.filled));
    }
    let numeric = column.share(|cell| cell.numeric).unwrap_or_default();
    if found.field == Field::CreditCode && numeric > 0.0 {
        why.push("有以数值存放的代码，末几位可能已丢失".to_owned());
    }
    let also: Vec<String> = found
        .also
        .iter()
        .map(|at| sample.columns[*at].heading.clone())
        .collect();
    FieldProposal {
        field: found.field.name(),
        column: column.heading.clone(),
        how: found.way,
        score: (found.score * 100.0).round() / 100.0,
        // A row that cannot be named is of no use to a clerk, besides one without its key.
        required: kind.key().contains(&found.field) || found.field == Field::Name,
        unit,
        unit_guessed,
        filled: column.filled,
        why: why.join("；"),
        also,
        lookup,
    }
}

/// The day of the data: a labelled date in a title, a column that says so, the file's name, the newest month, the delivery.
fn day(
    sample: &Sample,
    kind: RecordKind,
    matches: &[Match],
    aliases: &Aliases,
) -> (Day, Option<usize>) {
    let day = |toml: String, why: &str| Day {
        toml,
        why: why.to_owned(),
    };
    if let Some(label) = label_in_titles(sample, aliases) {
        let toml = format!("{{ title = {} }}", quoted(&label));
        return (day(toml, "标题行中这个标签之后的日期"), None);
    }
    let used: BTreeSet<usize> = matches.iter().map(|found| found.column).collect();
    let column = sample.columns.iter().enumerate().find(|(at, column)| {
        !used.contains(at)
            && aliases.names_day(&Heading::new(&column.heading))
            && (1..=DAYS_AT_MOST).contains(&days(column).len())
    });
    if let Some((at, column)) = column {
        let toml = format!("{{ column = {} }}", quoted(&column.heading));
        return (day(toml, "这一列中最晚的日期"), Some(at));
    }
    let in_name = |lengths: &[usize]| {
        fold(&sample.file)
            .split(|c: char| !c.is_ascii_digit())
            .any(|run| {
                lengths.contains(&run.len())
                    && leading_date(run)
                        .is_some_and(|(date, _)| (2000..=2100).contains(&date.last_day().year()))
            })
    };
    if in_name(&[8, 12, 14]) {
        return (day("\"file_name\"".to_owned(), "文件名中的8位日期"), None);
    }
    if in_name(&[6]) {
        let why = "文件名中的6位年月，取月末";
        return (day("\"file_name\"".to_owned(), why), None);
    }
    let month = matches.iter().find(|found| found.field == Field::Month);
    if let (RecordKind::Tax, Some(found)) = (kind, month) {
        let heading = &sample.columns[found.column].heading;
        let toml = format!("{{ month = {} }}", quoted(heading));
        return (day(toml, "这一列中最晚月份的末日"), None);
    }
    let why = "样本中没有写明数据日期，取交付日；最好请来源部门写明";
    (day("\"delivery\"".to_owned(), why), None)
}

fn days(column: &Column) -> BTreeSet<jiff::civil::Date> {
    column
        .values
        .iter()
        .filter_map(|cell| match reading::date(&fold(&cell.text)) {
            Said::Value(day) => Some(day),
            _ => None,
        })
        .collect()
}

fn label_in_titles(sample: &Sample, aliases: &Aliases) -> Option<String> {
    let lines: Vec<String> = sample.titles.iter().map(|line| fold(line)).collect();
    aliases
        .day_labels()
        .iter()
        .find(|label| {
            let label = fold(label);
            lines.iter().any(|line| {
                line.find(&label).is_some_and(|at| {
                    let after = &line[at + label.len()..];
                    leading_date(after.trim_start_matches([':', ' ', '为', '('])).is_some()
                })
            })
        })
        .cloned()
}

fn ignored(
    sample: &Sample,
    likenesses: &Likenesses,
    matches: &[Match],
    day: Option<usize>,
) -> Vec<Ignored> {
    let mut used: BTreeSet<usize> = matches.iter().map(|found| found.column).collect();
    used.extend(day);
    let mut ignored = Vec::new();
    for at in &likenesses.personal {
        let column = &sample.columns[*at];
        ignored.push((
            *at,
            Ignored {
                column: column.heading.clone(),
                reason: "personal",
                why: "个人信息，不进入任何记录".to_owned(),
                sample: columns::masked(column),
            },
        ));
    }
    for at in likenesses.unused(&used) {
        let column = &sample.columns[at];
        let better = matches.iter().find(|found| found.also.contains(&at));
        let (reason, why) = match better {
            Some(found) => (
                "second",
                format!(
                    "也像{}（{}），已采用“{}”",
                    found.field.title(),
                    found.field.name(),
                    sample.columns[found.column].heading
                ),
            ),
            None => ("unused", columns::appearance(column).to_owned()),
        };
        ignored.push((
            at,
            Ignored {
                column: column.heading.clone(),
                reason,
                why,
                sample: columns::masked(column),
            },
        ));
    }
    ignored.sort_by_key(|(at, _)| *at);
    ignored.into_iter().map(|(_, ignored)| ignored).collect()
}

fn remarks(sample: &Sample, fields: &[FieldProposal]) -> Vec<String> {
    let mut remarks = Vec::new();
    if sample.rows == 0 {
        remarks.push("样本中没有数据行，只能按列名起草。".to_owned());
    }
    if sample.spoilt > 0 {
        remarks.push(format!(
            "样本有{}行与表头对不上，请用 yingbao preview 查看。",
            sample.spoilt
        ));
    }
    let mut seen = BTreeSet::new();
    for column in &sample.columns {
        let text = crate::adapter::cell::heading_text(&column.heading);
        if !text.is_empty() && !seen.insert(text) {
            remarks.push(format!(
                "列“{}”不止一次出现，读取时会被拒绝或按未知处理，请来源部门改名。",
                column.heading
            ));
        }
    }
    for field in fields.iter().filter(|field| field.unit_guessed) {
        remarks.push(format!(
            "“{}”的金额单位没有写明，暂按 {}，必须核实。",
            field.column,
            field.unit.unwrap_or_default()
        ));
    }
    for field in fields {
        let Some(lookup) = &field.lookup else {
            continue;
        };
        if !lookup.unknown.is_empty() {
            remarks.push(format!(
                "“{}”有{}种写法不知其义，请归入 [lookup.{}]。",
                field.column,
                lookup.unknown.len(),
                field.field
            ));
        }
        if lookup.has_codes {
            remarks.push(format!(
                "“{}”是代码，请对照来源部门的代码表核对 [lookup.{}]。",
                field.column, field.field
            ));
        }
    }
    remarks
}
