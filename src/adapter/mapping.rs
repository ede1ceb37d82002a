//! From a raw row to a canonical record. Pure.
//!
//! Columns are found by heading, cells are read by [`crate::adapter::cell`]. A required field that cannot be read sets its row
//! aside; an optional one stays unread, so that its change is seen while nothing is founded on it. Columns that the adapter does
//! not map — personal ones above all — never reach a record.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use jiff::civil::Date;

use crate::adapter::cell::{self, Outcome, Plain, Reader};
use crate::adapter::format::Format;
use crate::adapter::language::{Adapter, AsOf, FieldRule, Period};
use crate::adapter::reading::{self, MoneyUnit};
use crate::adapter::row::{CellText, RawRow};
use crate::domain::batch::{Issue, Unreadable};
use crate::domain::fields::{Fields, Refill};
use crate::domain::record::{Field, FieldType, Month, Record, Value, mask};
use crate::domain::text::{fold, folded, is_blank};

mod columns;
mod doubts;

/// What one row became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The record; `None` when the row is set aside (an issue says why) or is a total row.
    pub record: Option<Record>,
    /// What is wrong in it.
    pub issues: Vec<Issue>,
    /// A total row (合计) or a row without any content: no record and no issue.
    pub is_total: bool,
}

impl Mapped {
    const fn total() -> Self {
        Self {
            record: None,
            issues: Vec::new(),
            is_total: true,
        }
    }
}

/// Where one field comes from in this file.
#[derive(Debug)]
struct Plan<'a> {
    reader: Reader<'a>,
    rule: &'a FieldRule,
    default: Option<Value>,
    /// Index of its column; `None` while no heading of it was seen.
    column: Option<usize>,
    /// The title names another unit than the adapter: bare figures mean one of two things, so they mean nothing.
    is_unit_disputed: bool,
    /// What texts without a fault became: dates, words, districts come again and again.
    known: HashMap<String, Value, BuildHasherDefault<TextHasher>>,
    /// Texts looked up since the last judgement, and how many of them were there.
    asked: u32,
    hits: u32,
    /// Texts come again too seldom to be remembered.
    is_varied: bool,
}

/// Hashes a short text in one go: the table is small and capped, so nobody gains by collisions.
#[derive(Debug, Default)]
struct TextHasher(u64);

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= xxhash_rust::xxh3::xxh3_64(bytes);
    }

    fn write_u8(&mut self, byte: u8) {
        self.0 = self.0.rotate_left(8) ^ u64::from(byte);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Texts of one column that are remembered, and the longest.
const KNOWN_TEXTS: usize = 16_384;
const KNOWN_BYTES: usize = 256;
/// Texts after which it is judged whether remembering pays: more than are remembered.
const KNOWN_JUDGED: u32 = 32_768;

/// Maps the rows of one file.
#[derive(Debug)]
pub struct Mapper<'a> {
    adapter: &'a Adapter,
    delivered: Date,
    file_name: String,
    plans: Vec<Plan<'a>>,
    headings: Vec<String>,
    as_of_column: Option<usize>,
    as_of_heading: Option<String>,
    /// The day found so far.
    as_of: Option<Date>,
    /// The month the whole file speaks of, for adapters whose rows do not say it.
    period: Option<Month>,
    /// Indices of columns about persons that no pseudonym is made of.
    personal: Vec<usize>,
    /// Headings that an issue was raised for already.
    raised: BTreeSet<String>,
    rows: u64,
    /// The fields of a record that nobody needs any more.
    spare: Fields,
}

/// Characters of a value or heading that an issue shows.
const SHOWN_CHARS: usize = 64;
/// Headings that a refusal lists, and unknown columns that issues are raised for.
const HEADINGS_SHOWN: usize = 50;
impl<'a> Mapper<'a> {
    /// For one file, delivered on `delivered`, called `file_name`; pseudonyms are made under `pseudonym_key`.
    #[must_use]
    pub fn new(
        adapter: &'a Adapter,
        file_name: &str,
        delivered: Date,
        pseudonym_key: &'a [u8; 32],
    ) -> Self {
        let plans = adapter
            .fields
            .iter()
            .map(|(field, rule)| Plan::new(adapter, *field, rule, delivered, pseudonym_key))
            .collect();
        let as_of_heading = match &adapter.as_of {
            AsOf::Column(heading) | AsOf::Month(heading) => Some(cell::heading_text(heading)),
            _ => None,
        };
        let as_of = match &adapter.as_of {
            AsOf::FileName => date_in_name(file_name),
            AsOf::Delivery => Some(delivered),
            _ => None,
        };
        Self {
            adapter,
            delivered,
            file_name: cell::cut(file_name, SHOWN_CHARS),
            plans,
            headings: Vec::new(),
            as_of_column: None,
            as_of_heading,
            as_of,
            period: match &adapter.period {
                Some(Period::FileName) => date_in_name(file_name).map(Month::of),
                _ => None,
            },
            personal: Vec::new(),
            raised: BTreeSet::new(),
            rows: 0,
            spare: Fields::new(),
        }
    }

    /// A line above the headings: as-of label, unit (`单位：万元` contradicting the adapter is an issue).
    pub fn title(&mut self, line: &str) -> Vec<Issue> {
        let line = fold(line);
        if let AsOf::Title(label) = &self.adapter.as_of
            && let Some(day) = date_after(&line, &fold(label))
        {
            self.as_of = self.as_of.max(Some(day));
        }
        if let Some(Period::Title(label)) = &self.adapter.period
            && let Some(day) = date_after(&line, &fold(label))
        {
            self.period = self.period.or(Some(Month::of(day)));
        }
        let Some(unit) = reading::unit_in_title(&line) else {
            return Vec::new();
        };
        let mut issues = Vec::new();
        for plan in &mut self.plans {
            if plan.reader.field.field_type() != FieldType::Money
                || plan.reader.unit == unit
                || plan.is_unit_disputed
            {
                continue;
            }
            plan.is_unit_disputed = true;
            issues.push(Issue {
                row: 0,
                column: plan.heading(&[]),
                value: cell::cut(&line, SHOWN_CHARS),
                code: "YB-2212".to_owned(),
                reason: format!(
                    "表题写明单位为{}，适配器声明为{}，此列数值按未知处理。处理：与来源部门核实后修改适配器的 fields.{}.unit",
                    unit.title(),
                    plan.reader.unit.title(),
                    plan.reader.field.name()
                ),
            });
        }
        issues
    }

    /// Whether the title casts doubt on the figures of some column.
    #[must_use]
    pub fn is_doubted(&self) -> bool {
        self.plans.iter().any(|plan| plan.is_unit_disputed)
    }

    /// The headings. Unknown ones are issues (row 0); a required one that is not there refuses the file. XML and JSON show
    /// their columns record by record, so for them the latter is said at the end, by [`Self::as_of`].
    pub fn columns(&mut self, headings: &[String]) -> Result<Vec<Issue>, Unreadable> {
        self.headings = headings.to_vec();
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, heading) in headings.iter().enumerate() {
            let text = cell::heading_text(heading);
            if !text.is_empty() {
                places.entry(text).or_default().push(at);
            }
        }
        let mut issues = Vec::new();
        self.place(&places, &mut issues)?;
        let used: BTreeSet<usize> = self.plans.iter().filter_map(|plan| plan.column).collect();
        self.personal = self
            .adapter
            .personal
            .iter()
            .filter_map(|heading| places.get(&cell::heading_text(heading)))
            .flatten()
            .copied()
            .filter(|at| !used.contains(at))
            .collect();
        self.as_of_column = self
            .as_of_heading
            .as_ref()
            .and_then(|heading| places.get(heading)?.first().copied());
        if !self.grows() {
            self.require_columns()?;
        }
        self.raise_unknown(&places, &mut issues);
        Ok(issues)
    }

    /// Empties the cells about persons: nothing beyond this line has them.
    pub fn depersonalise(&self, row: &mut RawRow) {
        for at in &self.personal {
            row.drop_cell(*at);
        }
    }

    /// One row.
    pub fn row(&mut self, row: &RawRow) -> Mapped {
        let has_content = (row.cells().flatten()).any(|cell| !is_blank(cell.text));
        if !has_content || self.is_total(row) {
            return Mapped::total();
        }
        self.rows += 1;
        self.note_as_of(row);
        let mut record = Record::new(self.adapter.record);
        let mut issues = Vec::new();
        let mut is_usable = true;
        // Plans stand in the order of fields, so the map is built at once.
        let mut fields = Refill::over(std::mem::take(&mut self.spare));
        for at in 0..self.plans.len() {
            let plan = &mut self.plans[at];
            let field = plan.reader.field;
            let cell = plan.column.and_then(|at| row.cell(at));
            // Nearly every cell goes by here, without anything that could be wrong in it.
            if cell.is_some_and(|cell| plan.read_soon(cell, &mut fields)) {
                continue;
            }
            let outcome = plan.read_and_remember(cell);
            let is_required = plan.rule.required();
            if is_required && !outcome.is_read() {
                is_usable = false;
            }
            if outcome.fault.is_some() || (is_required && outcome.value.is_none()) {
                issues.extend(self.issue(row.number, &self.plans[at], cell, &outcome));
            }
            if let Some(value) = outcome.value {
                fields.value(field, value);
            }
        }
        record.fields = fields.done();
        if self.adapter.period.is_some() {
            // Without it the file as a whole is refused after its last row.
            match self.period {
                Some(month) => {
                    record.fields.insert(Field::Month, Value::Month(month));
                }
                None => is_usable = false,
            }
        }
        if is_usable {
            issues.extend(self.doubts(row.number, &record));
        }
        Mapped {
            record: is_usable.then_some(record),
            issues,
            is_total: false,
        }
    }

    /// Takes back a record that nobody needs any more: the next one is written over it.
    pub fn take_back(&mut self, record: Record) {
        self.spare = record.fields;
    }

    /// The day the file speaks of, after its last row.
    ///
    /// # Errors
    /// It cannot be found, or a required column never came, in Chinese with the remedy.
    pub fn as_of(&self) -> Result<Date, Unreadable> {
        if self.rows > 0 {
            self.require_columns()?;
            self.require_period()?;
        }
        if let Some(day) = self.as_of {
            return Ok(day);
        }
        // Nothing was said of any day, and the adapter allows that nothing is said at all.
        if self.rows == 0 && self.adapter.expect.may_be_empty {
            return Ok(self.delivered);
        }
        let place = match &self.adapter.as_of {
            AsOf::Column(heading) => format!("“{heading}”列中没有可识别的日期"),
            AsOf::Month(heading) => format!("“{heading}”列中没有可识别的月份"),
            AsOf::Title(label) => format!("表头以上没有“{label}”及其后的日期"),
            AsOf::FileName => format!("文件名“{}”中没有8位日期或6位年月", self.file_name),
            AsOf::Delivery => "没有交付日期".to_owned(),
        };
        Err(Unreadable {
            code: "YB-2120",
            text: format!(
                "无法确定数据日期：{place}。处理：请来源部门补上数据日期，或修改适配器的 [as_of]"
            ),
        })
    }

    fn require_period(&self) -> Result<(), Unreadable> {
        let place = match &self.adapter.period {
            Some(Period::Title(label)) if self.period.is_none() => {
                format!("表头以上没有“{label}”及其后的月份")
            }
            Some(Period::FileName) if self.period.is_none() => {
                format!("文件名“{}”中没有6位年月或8位日期", self.file_name)
            }
            _ => return Ok(()),
        };
        Err(Unreadable {
            code: "YB-2129",
            text: format!(
                "无法确定所属期：{place}。处理：请来源部门补上所属期，或修改适配器的 [period]"
            ),
        })
    }

    /// Whether columns are only known once every record was seen.
    const fn grows(&self) -> bool {
        matches!(self.adapter.format, Format::Xml(_) | Format::Json(_))
    }

    /// A total row begins with 合计, 总计 or 小计 and lacks part of the key; a firm of such a name has all of it.
    fn is_total(&self, row: &RawRow) -> bool {
        let first = (row.cells().flatten()).find(|cell| !is_blank(cell.text));
        // Folding makes no hanzi of letters and digits.
        let may_be = |text: &str| {
            !text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.contains('计')
        };
        let is_named = first.filter(|cell| may_be(cell.text)).is_some_and(|cell| {
            let text = folded(cell.text);
            // Blanks between the two hanzi are layout.
            let mut letters = text.chars().filter(|c| *c != ' ');
            let start = (letters.next(), letters.next());
            [('合', '计'), ('总', '计'), ('小', '计')]
                .iter()
                .any(|(a, b)| start == (Some(*a), Some(*b)))
        });
        is_named
            && self.plans.iter().any(|plan| {
                let is_key = self.adapter.record.key().contains(&plan.reader.field);
                let cell = plan.column.and_then(|at| row.cell(at));
                is_key && !plan.read(cell).is_read()
            })
    }

    fn note_as_of(&mut self, row: &RawRow) {
        let cell = self.as_of_column.and_then(|at| row.cell(at));
        let Some(cell) = cell else {
            return;
        };
        let text = folded(cell.text);
        let day = match &self.adapter.as_of {
            AsOf::Column(_) => match reading::date(&text) {
                reading::Said::Value(day) => Some(day),
                _ => None,
            },
            AsOf::Month(_) => match reading::month(&text) {
                reading::Said::Value(month) => Some(month.last_day()),
                _ => None,
            },
            _ => None,
        };
        self.as_of = self.as_of.max(day);
    }

    fn issue(
        &self,
        row: u64,
        plan: &Plan<'_>,
        cell: Option<CellText<'_>>,
        outcome: &Outcome,
    ) -> Option<Issue> {
        let column = plan.heading(&self.headings);
        let is_required = plan.rule.required();
        let Some(fault) = &outcome.fault else {
            return (is_required && outcome.value.is_none()).then(|| Issue {
                row,
                column,
                value: cell.map_or_else(String::new, |cell| cell::cut(cell.text, SHOWN_CHARS)),
                code: "YB-2201".to_owned(),
                reason: format!(
                    "{}为空，本行未采用。处理：请补全后重新导出",
                    plan.reader.field.title()
                ),
            });
        };
        // The title's own issue has said it once for the whole column.
        if fault.code == "YB-2212" && !is_required {
            return None;
        }
        let is_masked = fault.is_personal
            || plan.reader.field.masked()
            || plan.reader.field.field_type() == FieldType::Pseudonym
            || fault.code == "YB-2203";
        let text = cell.map_or_else(String::new, |cell| fold(cell.text));
        let aside = if is_required && !outcome.is_read() {
            "本行未采用："
        } else {
            ""
        };
        Some(Issue {
            row,
            column,
            value: if is_masked {
                mask(&text)
            } else {
                cell::cut(&text, SHOWN_CHARS)
            },
            code: fault.code.to_owned(),
            reason: format!("{aside}{}", fault.reason),
        })
    }
}

impl<'a> Plan<'a> {
    fn new(
        adapter: &'a Adapter,
        field: Field,
        rule: &'a FieldRule,
        delivered: Date,
        pseudonym_key: &'a [u8; 32],
    ) -> Self {
        let unit = rule
            .unit()
            .and_then(MoneyUnit::by_name)
            .unwrap_or(MoneyUnit::Yuan);
        Self {
            reader: Reader {
                field,
                unit,
                lookup: rule.lookup().and_then(|name| adapter.lookup.get(name)),
                delivered,
                pseudonym_key,
            },
            rule,
            default: rule
                .default()
                .and_then(|text| cell::default_value(field, unit, text)),
            column: None,
            is_unit_disputed: false,
            known: HashMap::default(),
            asked: 0,
            hits: 0,
            is_varied: false,
        }
    }

    /// Puts down what [`Self::read`] would give, by the short ways: a text that needs no work is copied, one that was read before
    /// is remembered. `false`: nothing was put down, and that says nothing.
    #[inline]
    fn read_soon(&mut self, cell: CellText<'_>, fields: &mut Refill) -> bool {
        if self.is_unit_disputed {
            return false;
        }
        let field = self.reader.field;
        match cell::plain(&self.reader, cell) {
            Some(Plain::Text(text)) => {
                fields.text(field, text);
                return true;
            }
            Some(Plain::Value(value)) => {
                fields.value(field, value);
                return true;
            }
            None if cell.numeric || cell.text.len() > KNOWN_BYTES || self.is_varied => {
                return false;
            }
            None => {}
        }
        self.asked += 1;
        let Some(value) = self.known.get(cell.text) else {
            return false;
        };
        self.hits += 1;
        fields.copy(field, value);
        true
    }

    /// As [`Self::read`]; what is without a fault is remembered.
    fn read_and_remember(&mut self, cell: Option<CellText<'_>>) -> Outcome {
        let outcome = self.read(cell);
        if let Some(cell) = cell
            && !self.is_unit_disputed
            && !self.is_varied
            && !cell.numeric
            && cell.text.len() <= KNOWN_BYTES
            && outcome.fault.is_none()
            && self.known.len() < KNOWN_TEXTS
            && let Some(value) = &outcome.value
        {
            self.known.insert(cell.text.to_owned(), value.clone());
        }
        if self.asked >= KNOWN_JUDGED {
            // Where most texts are new, looking them up is work for nothing.
            self.is_varied = self.hits < self.asked / 2;
            (self.asked, self.hits) = (0, 0);
        }
        outcome
    }

    fn read(&self, cell: Option<CellText<'_>>) -> Outcome {
        let mut outcome = cell.map_or_else(Outcome::default, |cell| {
            if self.is_unit_disputed {
                cell::read_disputed(&self.reader, cell)
            } else {
                cell::read(&self.reader, cell)
            }
        });
        if outcome == Outcome::default() {
            outcome.value.clone_from(&self.default);
        }
        outcome
    }

    /// Its heading as the file writes it, else as the adapter does.
    fn heading(&self, headings: &[String]) -> String {
        let written = self.column.and_then(|at| headings.get(at));
        let heading = written.or_else(|| self.rule.headings().first());
        heading.map_or_else(String::new, |heading| cell::cut(heading, SHOWN_CHARS))
    }
}

/// The date that follows a label in a folded title line.
fn date_after(line: &str, label: &str) -> Option<Date> {
    let at = line.find(label)? + label.len();
    let after = line[at..].trim_start_matches([':', ' ', '为', '(']);
    reading::leading_date(after).map(|(date, _)| date.last_day())
}

/// The last date in a file's name: eight digits (or the first eight of a time stamp) before six, which mean the month's end.
fn date_in_name(name: &str) -> Option<Date> {
    let name = fold(name);
    let runs = || name.split(|c: char| !c.is_ascii_digit()).rev();
    let find = |lengths: &[usize]| {
        runs()
            .filter(|run| lengths.contains(&run.len()))
            .filter_map(reading::leading_date)
            .map(|(date, _)| date.last_day())
            .find(|day| (2000..=2100).contains(&day.year()))
    };
    find(&[8, 12, 14]).or_else(|| find(&[6]))
}

#[cfg(test)]
mod tests;
