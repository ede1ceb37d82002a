//! `preview ADAPTER FILE`: what the adapter makes of a file — records, issues, guard verdict. Stores nothing.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use crate::adapter::language::Adapter;
use crate::cli::arguments::PreviewArguments;
use crate::cli::console::Console;
use crate::cli::progress::Rows;
use crate::domain::batch::{Reason, Verdict, Weight};
use crate::domain::record::{Audience, Field, Record, Value, shown, shown_key};
use crate::tasks::pseudonym::pseudonym_key;
use crate::tasks::pull::{adapter_named, counts, verdict, year_before};
use crate::tasks::reading::{Delivered, Held, read_held};
use crate::tasks::stopwatch::Stopwatch;
use crate::tasks::{Desk, Failure};

/// There is no such file to look at.
pub const NO_FILE: &str = "YB-7212";

/// Records shown as text; `--json` gives all.
const SHOWN: usize = 5;
/// Issues shown as text; `--json` gives all that are kept.
const ISSUES_SHOWN: usize = 20;

/// Exit 0 when it would be accepted, 1 when quarantined or refused.
pub fn run(
    desk: Desk<'_>,
    options: &PreviewArguments,
    folder: &Path,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    let adapter = adapter_named(desk, &options.adapter)?;
    let path = folder.join(&options.file);
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    if !path.is_file() {
        return Err(Failure::Usage {
            code: NO_FILE,
            text: format!("没有这个文件：{}。处理：核对路径。", options.file.display()),
        });
    }
    let mut watch = Stopwatch::start();
    let key = pseudonym_key(desk, adapter)?;
    let bar = Rows::begin(console, &name);
    let delivered = Delivered {
        path: &path,
        name: &name,
        day: desk.today(),
        pseudonym_key: &key,
    };
    let held = read_held(delivered, adapter, &|rows| bar.at(rows));
    drop(bar);
    watch.lap("read");
    let held = match held {
        Ok(held) => held,
        Err(unreadable) => {
            let reasons = vec![Reason {
                code: unreadable.code.to_owned(),
                weight: Weight::Refuse,
                text: unreadable.text,
            }];
            let nothing = Held::default();
            head(console, Verdict::Refused, &reasons, &nothing, watch);
            return Ok(1);
        }
    };
    let previous = desk.store.head(&adapter.name)?;
    let reading = &held.reading;
    let counts = counts(desk, adapter, &held.records)?;
    let before = year_before(desk, adapter, reading)?;
    let (verdict, reasons) = verdict(
        desk,
        adapter,
        reading,
        previous.as_ref(),
        before.as_ref(),
        counts,
    );
    watch.lap("judge");
    head(console, verdict, &reasons, &held, watch);
    if console.json {
        for (record, _) in held.records.values() {
            console.document(&json!({ "record": record.to_json(Audience::Section) }));
        }
        for issue in &reading.issues {
            console.document(&json!({ "issue": issue }));
        }
    } else {
        let changes = format!(
            "  与已入库的相比：新增{}、变更{}、缺失{}、恢复{}、未变{}",
            counts.new, counts.changed, counts.missing, counts.returned, counts.unchanged
        );
        console.line(changes);
        text(adapter, &held, console);
    }
    Ok(i32::from(!verdict.accepted()))
}

fn head(
    console: &mut Console<'_>,
    verdict: Verdict,
    reasons: &[Reason],
    held: &Held,
    watch: Stopwatch,
) {
    let reading = &held.reading;
    let (rows, records, issues) = (reading.rows, held.records.len(), reading.issue_count);
    if console.json {
        console.document(&json!({
            "verdict": verdict, "reasons": reasons, "rows": rows, "records": records, "issues": issues,
            "charset": reading.charset, "seconds": watch.stages(),
        }));
        return;
    }
    let seconds: f64 = watch.stages().values().sum();
    console.line(format!(
        "{}：{rows}行，{records}条记录，退回{}行，{issues}个问题；用时{seconds:.2}秒（试读，不入库）",
        verdict.title(),
        reading.set_aside
    ));
    if verdict != Verdict::Refused || rows > 0 {
        let day = reading
            .as_of
            .map_or_else(|| "不明".to_owned(), crate::domain::text::day);
        let charset = if reading.charset.is_empty() {
            String::new()
        } else {
            format!("　编码 {}", reading.charset)
        };
        let total = reading
            .declared_total
            .map_or_else(String::new, |total| format!("　声明总数 {total}"));
        console.line(format!("  数据日期 {day}{charset}{total}"));
    }
    for reason in reasons {
        console.line(format!("  [{}] {}", reason.code, reason.text));
    }
    if let Some(way) = verdict.way_out() {
        console.line(format!("  {way}。"));
    }
}

/// Fill of every field, the first records, the issues by kind and the first of them.
fn text(adapter: &Adapter, held: &Held, console: &mut Console<'_>) {
    let reading = &held.reading;
    let records = held.records.len() as u64;
    if records > 0 {
        console.line("字段可用率：");
        let rows: Vec<Vec<String>> = adapter
            .fields
            .iter()
            .map(|(field, rule)| {
                let filled = reading
                    .census
                    .filled
                    .get(field.name())
                    .copied()
                    .unwrap_or(0);
                vec![
                    format!("  {}", field.title()),
                    field.name().to_owned(),
                    rule.headings().join("、"),
                    format!("{}%", filled * 100 / records),
                ]
            })
            .collect();
        console.table(&["  字段", "名称", "列名", "可用"], &rows);
        console.line(format!("前{}条记录：", SHOWN.min(held.records.len())));
    }
    for (key, (record, row)) in held.records.iter().take(SHOWN) {
        console.line(format!("  {}（第{row}行）", shown_key(key)));
        console.line(format!("    {}", in_words(record)));
    }
    let mut kinds: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for issue in &reading.issues {
        *kinds.entry((&issue.code, &issue.column)).or_default() += 1;
    }
    if kinds.is_empty() {
        return;
    }
    console.line("问题按列汇总：");
    for ((code, column), count) in &kinds {
        let column = if column.is_empty() { "整行" } else { column };
        console.line(format!("  [{code}] {column}：{count}个"));
    }
    for issue in reading.issues.iter().take(ISSUES_SHOWN) {
        let place = match issue.row {
            0 => "整列".to_owned(),
            row => format!("第{row}行"),
        };
        console.line(format!(
            "  {place} {} {}：[{}] {}",
            issue.column, issue.value, issue.code, issue.reason
        ));
    }
    let left = reading
        .issue_count
        .saturating_sub(reading.issues.len().min(ISSUES_SHOWN) as u64);
    if left > 0 {
        console.line(format!("  另有{left}个问题，用 --json 查看"));
    }
}

/// `名称 南阳甲公司；从业人数 3`, personal values masked.
fn in_words(record: &Record) -> String {
    let words: Vec<String> = record
        .fields
        .iter()
        .map(|(field, value)| {
            let (json, _) = shown(*field, value);
            let plain = || {
                json.as_str()
                    .map_or_else(|| json.to_string(), str::to_owned)
            };
            let text = match value {
                Value::Money(_) => format!("{value}元"),
                Value::Unread(_) => format!("{}（读不懂）", plain()),
                _ => plain(),
            };
            format!("{} {text}", Field::title(*field))
        })
        .collect();
    words.join("；")
}
