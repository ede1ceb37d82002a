//! `preview ADAPTER FILE`: what the adapter makes of a file — records, issues, guard verdict. Stores nothing.

use std::path::Path;

use serde_json::json;

use crate::cli::arguments::PreviewArguments;
use crate::cli::console::Console;
use crate::domain::batch::{Reason, Verdict, Weight};
use crate::domain::record::Audience;
use crate::tasks::pseudonym::pseudonym_key;
use crate::tasks::pull::{adapter_named, compare, verdict, year_before};
use crate::tasks::reading::read;
use crate::tasks::stopwatch::Stopwatch;
use crate::tasks::{Desk, Failure};

/// Records shown as text; `--json` gives all.
const SHOWN: usize = 20;

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
            code: "YB-7212",
            text: format!("没有这个文件：{}。处理：核对路径。", options.file.display()),
        });
    }
    let mut watch = Stopwatch::start();
    let key = pseudonym_key(desk, adapter)?;
    let reading = match read(&path, adapter, &name, desk.today(), &key) {
        Ok(reading) => reading,
        Err(unreadable) => {
            let reasons = vec![Reason {
                code: unreadable.code.to_owned(),
                weight: Weight::Refuse,
                text: unreadable.text,
            }];
            watch.lap("read");
            head(console, Verdict::Refused, &reasons, [0, 0, 0], "", watch);
            return Ok(1);
        }
    };
    watch.lap("read");
    let previous = desk.store.head(&adapter.name)?;
    let (_, counts) = compare(desk, adapter, &reading.records)?;
    let before = year_before(desk, adapter, &reading)?;
    let (verdict, reasons) = verdict(
        desk,
        adapter,
        &reading,
        previous.as_ref(),
        before.as_ref(),
        counts,
    );
    watch.lap("judge");
    let figures = [
        reading.rows,
        reading.records.len() as u64,
        reading.issue_count,
    ];
    head(console, verdict, &reasons, figures, &reading.charset, watch);
    for (at, (record, _)) in reading.records.values().enumerate() {
        if console.json {
            console.document(&json!({ "record": record.to_json(Audience::Section) }));
        } else if at < SHOWN {
            console.line(format!("  {}", record.to_json(Audience::Section)));
        }
    }
    for issue in &reading.issues {
        if console.json {
            console.document(&json!({ "issue": issue }));
        } else {
            console.line(format!(
                "  第{}行 {} {}：[{}] {}",
                issue.row, issue.column, issue.value, issue.code, issue.reason
            ));
        }
    }
    Ok(i32::from(!verdict.accepted()))
}

fn head(
    console: &mut Console<'_>,
    verdict: Verdict,
    reasons: &[Reason],
    [rows, records, issues]: [u64; 3],
    charset: &str,
    watch: Stopwatch,
) {
    if console.json {
        console.document(&json!({
            "verdict": verdict, "reasons": reasons, "rows": rows, "records": records, "issues": issues,
            "charset": charset, "seconds": watch.stages(),
        }));
        return;
    }
    console.line(format!(
        "{}：{rows}行，{records}条记录，{issues}个问题 {charset}",
        verdict.title()
    ));
    for reason in reasons {
        console.line(format!("  [{}] {}", reason.code, reason.text));
    }
    if let Some(way) = verdict.way_out() {
        console.line(format!("  {way}。"));
    }
}
