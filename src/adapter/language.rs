//! An adapter: one TOML file that says what one department's export is, and what is expected of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;

use crate::adapter::format::{Container, Format};
use crate::adapter::limits::Limits;
use crate::adapter::transport::Transport;
use crate::calendar::age::Age;
use crate::calendar::clock::DayCount;
use crate::domain::record::{Field, RecordKind};

/// The file as written. [`Adapter::check`] makes an [`Adapter`] of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterFile {
    /// 税务 …
    pub department: String,
    /// What the export is called, for staff: 税务申报月度数据.
    pub title: String,
    /// Why the centre may have it: article of law.
    pub basis: String,
    /// What its rows become.
    pub record: RecordKind,
    /// Snapshot or increment.
    pub mode: Mode,
    /// Whether the same bytes delivered again count as a new statement.
    #[serde(default)]
    pub repeat: Repeat,
    /// The agreement under which it comes.
    pub agreement: Option<Agreement>,
    /// Which of several sources of the same kind prevails about one enterprise: the greater; the newer where equal.
    #[serde(default)]
    pub precedence: i32,
    /// After how many complete batches in a row that do not mention a record it is gone: 3 unless said otherwise.
    pub gone_after: Option<u64>,
    /// Where it comes from.
    pub transport: Transport,
    /// What it is packed in.
    pub container: Option<Container>,
    /// How it is laid out.
    pub format: Format,
    /// Where the day it speaks of stands.
    pub as_of: AsOf,
    /// Where the month it speaks of stands, when no column says it.
    pub period: Option<Period>,
    /// Columns about persons.
    #[serde(default)]
    pub personal: Personal,
    /// Canonical field name → where it comes from.
    pub fields: BTreeMap<String, FieldRule>,
    /// Lookup name → canonical word → the department's ways of writing it.
    #[serde(default)]
    pub lookup: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Columns that are known and not used.
    #[serde(default)]
    pub ignore: Ignore,
    /// What is expected of a batch.
    #[serde(default)]
    pub expect: Expect,
    /// Caps.
    #[serde(default)]
    pub limits: Limits,
}

/// An adapter that has been checked: every name in it means something.
#[derive(Debug, Clone)]
pub struct Adapter {
    /// The file's name without `.toml`: the name of the source.
    pub name: String,
    /// blake3 (hex) of the file's text.
    pub digest: String,
    /// 税务 …
    pub department: String,
    /// What the export is called, for staff.
    pub title: String,
    /// What its rows become.
    pub record: RecordKind,
    /// Snapshot or increment.
    pub mode: Mode,
    /// Whether the same bytes delivered again count as a new statement.
    pub repeat: Repeat,
    /// The agreement under which it comes.
    pub agreement: Option<Agreement>,
    /// Which of several sources of the same kind prevails about one enterprise: the greater; the newer where equal.
    pub precedence: i32,
    /// After how many complete batches in a row that do not mention a record it is gone. Until then it stands as it was last: not
    /// mentioned is not cancelled, and an export may be short.
    pub gone_after: u64,
    /// Where it comes from.
    pub transport: Transport,
    /// What it is packed in.
    pub container: Option<Container>,
    /// How it is laid out.
    pub format: Format,
    /// Where the day it speaks of stands.
    pub as_of: AsOf,
    /// Where the month it speaks of stands, when no column says it.
    pub period: Option<Period>,
    /// Columns about persons: dropped before anything reads them.
    pub personal: Vec<String>,
    /// Rules by field.
    pub fields: BTreeMap<Field, FieldRule>,
    /// Lookup name → folded text of the department → canonical word.
    pub lookup: BTreeMap<String, BTreeMap<String, String>>,
    /// Columns that are known and not used.
    pub ignore: Vec<String>,
    /// What is expected of a batch, defaults filled in.
    pub expect: Expect,
    /// Caps.
    pub limits: Limits,
    /// Codes and names of the counties there are, as the configuration has them; empty where nobody said.
    pub regions: BTreeSet<String>,
}

/// Snapshot or increment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The whole: a row that is not there is missing.
    Snapshot,
    /// A row that is not there is just not mentioned.
    Increment,
}

/// Whether the same bytes delivered again count as a new statement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Seen before: journaled, no row work, the as-of date does not advance.
    #[default]
    Refused,
    /// A new statement of its delivery day.
    Allowed,
}

/// The agreement under which an export comes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Its number.
    pub number: String,
    /// Its purpose.
    #[serde(default)]
    pub purpose: String,
    /// Its last day (a TOML date).
    pub until: toml::value::Datetime,
}

/// Where the day an export speaks of stands. Exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AsOf {
    /// The latest date in this column.
    Column(String),
    /// A title line that holds this label; the date follows it.
    Title(String),
    /// The eight (or six: end of that month) digits in the file's name.
    FileName,
    /// The last day of the latest month in this column.
    Month(String),
    /// The day of delivery.
    Delivery,
}

/// Where the month a whole export speaks of stands, for exports that do not repeat it in every row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Period {
    /// A title line that holds this label; the month follows it.
    Title(String),
    /// The six (or eight: the month of that day) digits in the file's name.
    FileName,
}

/// Columns about persons. They stay in the archive alone: their cells are emptied before the mapping sees a row, and no issue
/// shows them. The one exception is a column that feeds a pseudonym field, of which a keyed digest is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Personal {
    /// Their headings.
    #[serde(default)]
    pub columns: Vec<String>,
}

/// How one canonical field comes about: `"heading"` or a table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum FieldRule {
    /// Just a heading.
    Heading(String),
    /// The whole.
    Table(FieldTable),
}

/// A field with its options.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldTable {
    /// Heading, or several of which the first present counts.
    pub from: OneOrMany,
    /// A row without it is set aside.
    #[serde(default)]
    pub required: bool,
    /// Unit of the column: `persons`, `yuan`, `wan_yuan`, `fen`.
    pub unit: Option<String>,
    /// Name of the lookup.
    pub lookup: Option<String>,
    /// Value of an empty cell.
    pub default: Option<String>,
}

/// One heading or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// Columns that are known and not used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ignore {
    /// Their headings.
    #[serde(default)]
    pub columns: Vec<String>,
}

/// What is expected of a batch. Everything has a default that protects an adapter that declares nothing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// Rows.
    pub rows: Bounds,
    /// Least share of readable values, by field name.
    pub fill: BTreeMap<String, f64>,
    /// Shares of the last accepted batch.
    pub change: ChangeBounds,
    /// How old the newest accepted batch may be. Default: 3 working days for a snapshot, 40 days for an increment.
    pub age: Option<Age>,
    /// Greatest share of rows set aside. Default 0.05.
    pub set_aside_at_most: Option<f64>,
    /// Whether a batch without rows may be true. Default no.
    pub may_be_empty: bool,
    /// Reporting units (by name) that must have rows, also in the first batch. Units that had rows before must have some anyway.
    pub units: Vec<String>,
}

/// Least and greatest number of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bounds {
    /// Fewer are held.
    pub min: Option<u64>,
    /// More are warned of.
    pub max: Option<u64>,
}

/// Shares of the last accepted batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeBounds {
    /// New rows ÷ rows before; more are held. No default: a register may grow by any campaign, and what is new is only asked about.
    pub new_at_most: Option<f64>,
    /// Changed rows ÷ rows before; more are held. Without it more than half is a warning.
    pub changed_at_most: Option<f64>,
    /// Missing rows ÷ rows before. Default 0.1.
    pub missing_at_most: Option<f64>,
    /// Shrinkage of the whole and of every part (county, kind). Default 0.1 of the whole, 0.2 of a part that had 20 rows or more.
    pub shrink_at_most: Option<f64>,
}

/// Something in an adapter file that means nothing: `key` is its dotted path in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Such as `fields.name.lookup`.
    pub key: String,
    /// Stable code, `YB-13xx`.
    pub code: &'static str,
    /// What and the remedy, in Chinese, with a suggestion where a known word is near.
    pub text: String,
}

impl OneOrMany {
    /// All of them.
    #[must_use]
    pub fn list(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

impl Adapter {
    /// How old its newest accepted batch may be.
    #[must_use]
    pub fn age(&self) -> Age {
        self.expect.age.unwrap_or_else(|| default_age(self.mode))
    }

    /// The last day of its agreement, when it has one.
    #[must_use]
    pub fn agreed_until(&self) -> Option<Date> {
        self.agreement.as_ref().and_then(Agreement::last_day)
    }
}

/// What is expected of a source whose adapter does not say: a snapshot every working day, an increment every month.
pub(crate) const fn default_age(mode: Mode) -> Age {
    match mode {
        Mode::Snapshot => Age {
            n: 3,
            unit: DayCount::WorkingDays,
        },
        Mode::Increment => Age {
            n: 40,
            unit: DayCount::CalendarDays,
        },
    }
}

impl Agreement {
    /// Its last day; `None` when `until` is no calendar day (a time alone, the 30th of February).
    #[must_use]
    pub fn last_day(&self) -> Option<Date> {
        let date = self.until.date?;
        Date::new(
            i16::try_from(date.year).ok()?,
            i8::try_from(date.month).ok()?,
            i8::try_from(date.day).ok()?,
        )
        .ok()
    }
}

impl FieldRule {
    /// The headings it may stand under; the first that is present counts.
    #[must_use]
    pub fn headings(&self) -> &[String] {
        match self {
            Self::Heading(heading)
            | Self::Table(FieldTable {
                from: OneOrMany::One(heading),
                ..
            }) => std::slice::from_ref(heading),
            Self::Table(FieldTable {
                from: OneOrMany::Many(headings),
                ..
            }) => headings,
        }
    }

    const fn table(&self) -> Option<&FieldTable> {
        match self {
            Self::Heading(_) => None,
            Self::Table(table) => Some(table),
        }
    }

    /// Whether a row without it is set aside.
    #[must_use]
    pub fn required(&self) -> bool {
        self.table().is_some_and(|table| table.required)
    }

    /// Unit of the column, as written.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        self.table()?.unit.as_deref()
    }

    /// Name of its lookup.
    #[must_use]
    pub fn lookup(&self) -> Option<&str> {
        self.table()?.lookup.as_deref()
    }

    /// Value of an empty cell, as written.
    #[must_use]
    pub fn default(&self) -> Option<&str> {
        self.table()?.default.as_deref()
    }
}
