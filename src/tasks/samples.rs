//! Samples beside the adapters: an export in, and what must come of it — verdict, reasons, records, issues. The same reading and the
//! same guards as a pull, without a store.
//!
//! `DIR/ADAPTER/CASE/` holds `input…` (the export), perhaps `before…` (the delivery before it, which is taken as accepted), and
//! `expected.json`. A file called `input-scjg_20260302.zip` is delivered under the name `scjg_20260302.zip`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::adapter::guard::{Delivery, judge};
use crate::adapter::language::{Adapter, Mode};
use crate::calendar::shanghai;
use crate::domain::batch::{Batch, ChangeCounts, Unreadable, Verdict};
use crate::domain::record::Audience;
use crate::domain::unit::Units;
use crate::tasks::pseudonym;
use crate::tasks::reading::{Delivered, Held, read_held};
use crate::tasks::samples::differences::differences;

mod differences;

/// The file that says what is expected.
const EXPECTED: &str = "expected.json";
/// Its greatest size.
const EXPECTED_BYTES: u64 = 64 << 20;
/// Cases of one adapter that are run.
const CASES: usize = 1_000;

/// What must come of a sample; before the first `--write` only the day stands in it, or nothing at all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The day of delivery: judgements depend on it, and must not change with the calendar.
    pub delivered: Option<Date>,
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// The codes of its reasons.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// Rows seen.
    #[serde(default)]
    pub rows: u64,
    /// Rows set aside.
    #[serde(default)]
    pub set_aside: u64,
    /// The day the file speaks of.
    pub as_of: Option<Date>,
    /// The records, as `preview` shows them.
    #[serde(default)]
    pub records: Vec<Value>,
    /// The issues, as `preview` shows them.
    #[serde(default)]
    pub issues: Vec<Value>,
}

/// One sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The adapter's name.
    pub adapter: String,
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
}

/// How a sample came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The adapter's name.
    pub adapter: String,
    /// The case.
    pub case: String,
    /// What the verdict is.
    pub verdict: Option<Verdict>,
    /// Where it differs from what was expected, in Chinese; empty when it does not.
    pub differences: Vec<String>,
    /// Whether the expectation was written anew.
    pub written: bool,
}

/// The samples below a folder, by adapter and name.
///
/// # Errors
/// The folder cannot be read.
pub fn cases(root: &Path) -> std::io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (adapter, folder) in folders(root)? {
        for (name, folder) in folders(&folder)?.into_iter().take(CASES) {
            cases.push(Case {
                adapter: adapter.clone(),
                name,
                folder,
            });
        }
    }
    Ok(cases)
}

fn folders(root: &Path) -> std::io::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        if let Some(name) = name.filter(|name| path.is_dir() && !name.starts_with('.')) {
            found.insert(name, path);
        }
    }
    Ok(found)
}

/// Runs a sample. With `write` what comes of it now is written as what is expected; `today` is its day of delivery when it has none.
#[must_use]
pub fn run(
    case: &Case,
    adapters: &BTreeMap<String, Adapter>,
    units: &Units,
    write: bool,
    today: Date,
) -> Outcome {
    let mut outcome = Outcome {
        adapter: case.adapter.clone(),
        case: case.name.clone(),
        verdict: None,
        differences: Vec::new(),
        written: false,
    };
    let told = expected(case).and_then(|expected| {
        let day = expected.as_ref().and_then(|expected| expected.delivered);
        let told = tell(case, adapters, units, day.unwrap_or(today))?;
        Ok((expected, told))
    });
    let (expected, told) = match told {
        Ok(told) => told,
        Err(text) => {
            outcome.differences.push(text);
            return outcome;
        }
    };
    outcome.verdict = told.verdict;
    let key = adapters
        .get(&case.adapter)
        .map_or(&[][..], |adapter| adapter.record.key());
    let differences = match &expected {
        Some(expected) if expected.verdict.is_some() => differences(expected, &told, key),
        _ => vec![format!(
            "没有写明应有的结果。处理：核对后用 yingbao check --samples --write 写入 {EXPECTED}"
        )],
    };
    if !write || differences.is_empty() {
        outcome.differences = differences;
        return outcome;
    }
    match fs::write(case.folder.join(EXPECTED), text(&told)) {
        Ok(()) => outcome.written = true,
        Err(error) => outcome
            .differences
            .push(format!("写 {EXPECTED} 失败：{error}。处理：检查目录权限")),
    }
    outcome
}

fn expected(case: &Case) -> Result<Option<Expected>, String> {
    let path = case.folder.join(EXPECTED);
    let file = match fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("读 {EXPECTED} 失败：{error}。处理：检查文件权限")),
    };
    let mut text = String::new();
    file.take(EXPECTED_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| format!("读 {EXPECTED} 失败：{error}。处理：检查文件"))?;
    serde_json::from_str(&text).map(Some).map_err(|error| {
        format!(
            "{EXPECTED} 第{}行有误：{error}。处理：改正，或删去后用 --write 重写",
            error.line()
        )
    })
}

/// The file of a case whose name begins so, and the name it is delivered under.
fn file(case: &Case, begin: &str) -> Result<Option<(PathBuf, String)>, String> {
    let entries = fs::read_dir(&case.folder)
        .map_err(|error| format!("读目录失败：{error}。处理：检查权限"))?;
    let mut found: Vec<(PathBuf, String)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.to_owned();
            let rest = name.strip_prefix(begin)?;
            let delivered = match rest.strip_prefix('-') {
                Some(delivered) => delivered.to_owned(),
                None if rest.is_empty() || rest.starts_with('.') => name.clone(),
                None => return None,
            };
            Some((path, delivered))
        })
        .collect();
    if found.len() > 1 {
        return Err(format!(
            "有{}个 {begin} 文件。处理：每个样本只留一个",
            found.len()
        ));
    }
    Ok(found.pop())
}

/// What comes of a sample.
fn tell(
    case: &Case,
    adapters: &BTreeMap<String, Adapter>,
    units: &Units,
    delivered: Date,
) -> Result<Expected, String> {
    let Some(adapter) = adapters.get(&case.adapter) else {
        return Err(format!(
            "没有名为“{}”的适配器。处理：样本目录名应与 adapters/ 下的文件名一致",
            case.adapter
        ));
    };
    let Some((input, name)) = file(case, "input")? else {
        return Err(
            "没有 input 文件。处理：放入样本，文件名以 input- 开头，其后是交付时的文件名"
                .to_owned(),
        );
    };
    let before = match file(case, "before")? {
        Some((path, name)) => Some(earlier(&path, &name, adapter, delivered)?),
        None => None,
    };
    let mut told = Expected {
        delivered: Some(delivered),
        ..Expected::default()
    };
    let held = match read_held(sample(&input, &name, delivered), adapter, &|_| {}) {
        Ok(held) => held,
        Err(Unreadable { code, .. }) => {
            told.verdict = Some(Verdict::Refused);
            told.reasons = vec![code.to_owned()];
            return Ok(told);
        }
    };
    let changes = before.as_ref().map_or_else(
        || ChangeCounts {
            new: held.records.len() as u64,
            ..ChangeCounts::default()
        },
        |(before, _)| changes(adapter, before, &held),
    );
    let reading = &held.reading;
    let (verdict, reasons) = judge(&Delivery {
        adapter,
        rows: reading.rows,
        set_aside: reading.set_aside,
        declared_total: reading.declared_total,
        cut_row: reading.cut_row,
        census: &reading.census,
        columns: &reading.columns,
        year_before: None,
        changes,
        as_of: reading.as_of.unwrap_or(delivered),
        today: delivered,
        previous: before.as_ref().map(|(_, batch)| batch),
        units,
    });
    told.verdict = Some(verdict);
    told.reasons = reasons.into_iter().map(|reason| reason.code).collect();
    told.rows = reading.rows;
    told.set_aside = reading.set_aside;
    told.as_of = reading.as_of;
    told.records = held
        .records
        .values()
        .map(|(record, _)| record.to_json(Audience::Section))
        .collect();
    told.issues = reading
        .issues
        .iter()
        .filter_map(|issue| serde_json::to_value(issue).ok())
        .collect();
    Ok(told)
}

/// The delivery before, as if it had been accepted the day before.
fn earlier(
    path: &Path,
    name: &str,
    adapter: &Adapter,
    delivered: Date,
) -> Result<(Held, Batch), String> {
    let day = delivered.saturating_sub(1.day());
    let held = read_held(sample(path, name, day), adapter, &|_| {})
        .map_err(|refused| format!("before 文件读不了：[{}] {}", refused.code, refused.text))?;
    let reading = &held.reading;
    let batch = Batch {
        batch: "before".to_owned(),
        adapter: adapter.name.clone(),
        kind: adapter.record,
        digest: String::new(),
        adapter_digest: adapter.digest.clone(),
        file: name.to_owned(),
        received: shanghai::instant(day.at(12, 0, 0, 0)),
        as_of: reading.as_of,
        rows: reading.rows,
        set_aside: reading.set_aside,
        verdict: Verdict::Accepted,
        reasons: Vec::new(),
        columns: reading.columns.clone(),
        census: reading.census.clone(),
        changes: ChangeCounts::default(),
        issues: Vec::new(),
        issues_found: 0,
        released: None,
        withdrawn: None,
    };
    Ok((held, batch))
}

const fn sample<'a>(path: &'a Path, name: &'a str, day: Date) -> Delivered<'a> {
    Delivered {
        path,
        name,
        day,
        pseudonym_key: &pseudonym::INVENTED,
    }
}

fn changes(adapter: &Adapter, before: &Held, now: &Held) -> ChangeCounts {
    let mut counts = ChangeCounts::default();
    for (key, (record, _)) in &now.records {
        match before.records.get(key) {
            None => counts.new += 1,
            Some((other, _)) if other == record => counts.unchanged += 1,
            Some(_) => counts.changed += 1,
        }
    }
    if adapter.mode == Mode::Snapshot {
        let is_gone = |key: &&String| !now.records.contains_key(*key);
        counts.missing = before.records.keys().filter(is_gone).count() as u64;
    }
    counts
}

/// As JSON with a record and an issue a line, so that a difference shows as one.
fn text(told: &Expected) -> String {
    let list = |items: &[Value]| {
        if items.is_empty() {
            return "[]".to_owned();
        }
        let lines: Vec<String> = items.iter().map(|item| format!("    {item}")).collect();
        format!("[\n{}\n  ]", lines.join(",\n"))
    };
    format!(
        "{{\n  \"delivered\": {},\n  \"verdict\": {},\n  \"reasons\": {},\n  \"rows\": {},\n  \"set_aside\": {},\n  \"as_of\": {},\n  \"records\": {},\n  \"issues\": {}\n}}\n",
        json(&told.delivered),
        json(&told.verdict),
        json(&told.reasons),
        told.rows,
        told.set_aside,
        json(&told.as_of),
        list(&told.records),
        list(&told.issues),
    )
}

/// A day, a word or a list of words as JSON; such values always have one.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub fn expected() -> Expected {
        Expected {
            delivered: Some(jiff::civil::date(2026, 3, 2)),
            verdict: Some(Verdict::Accepted),
            rows: 2,
            records: vec![
                json!({ "credit_code": "A", "employees": 3 }),
                json!({ "credit_code": "B", "name": "乙" }),
            ],
            issues: vec![
                json!({ "row": 3, "column": "列", "value": "", "code": "YB-2201", "reason": "空" }),
            ],
            ..Expected::default()
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let expected = expected();
        let read: Expected = serde_json::from_str(&text(&expected)).expect("sound");
        assert_eq!(read, expected);
    }
}
