//! `batch list | show | release | withdraw`.

use std::path::Path;

use serde_json::json;

use crate::cli::arguments::BatchCommand;
use crate::cli::console::{Console, minute};
use crate::cli::pull::show as show_report;
use crate::domain::batch::Batch;
use crate::tasks::pull::release;
use crate::tasks::withdraw;
use crate::tasks::{Desk, Failure, issue_sheets};

/// Exit 0; 1 for an unknown batch.
pub fn run(
    desk: Desk<'_>,
    command: &BatchCommand,
    folder: &Path,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    match command {
        BatchCommand::List { adapter } => list(desk, adapter.as_deref(), console),
        BatchCommand::Show {
            batch,
            issues_xlsx: None,
        } => show(desk, batch, console),
        BatchCommand::Show {
            batch,
            issues_xlsx: Some(file),
        } => issues(desk, batch, &folder.join(file), console),
        BatchCommand::Release { batch, by, reason } => {
            let report = release(desk, batch, by, reason)?;
            show_report(&report, console);
            Ok(0)
        }
        BatchCommand::Withdraw { batch, by, reason } => {
            let report = withdraw::run(desk, batch, by, reason)?;
            if console.json {
                console.document(&report);
            } else {
                for line in report.lines() {
                    console.line(line);
                }
            }
            Ok(0)
        }
    }
}

fn list(desk: Desk<'_>, adapter: Option<&str>, console: &mut Console<'_>) -> Result<i32, Failure> {
    let batches = desk.store.batches(adapter, usize::MAX)?;
    if console.json {
        for batch in &batches {
            console.document(&json!({
                "batch": batch.batch, "adapter": batch.adapter, "file": batch.file, "received": batch.received,
                "as_of": batch.as_of, "rows": batch.rows, "set_aside": batch.set_aside, "verdict": batch.verdict,
                "reasons": batch.reasons, "changes": batch.changes, "released": batch.released, "withdrawn": batch.withdrawn,
            }));
        }
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = batches
        .iter()
        .map(|batch| {
            vec![
                batch.batch.clone(),
                minute(batch.received),
                batch.as_of.map(|day| day.to_string()).unwrap_or_default(),
                batch.rows.to_string(),
                batch.set_aside.to_string(),
                batch.verdict.title().to_owned(),
                batch.file.clone(),
            ]
        })
        .collect();
    console.table(
        &[
            "批次",
            "接收时间",
            "数据截至",
            "行数",
            "退回",
            "结论",
            "文件",
        ],
        &rows,
    );
    Ok(0)
}

fn known(desk: Desk<'_>, id: &str) -> Result<Batch, Failure> {
    desk.store.batch(id)?.ok_or_else(|| Failure::no_batch(id))
}

/// The workbook for the department, wherever it is wanted.
fn issues(
    desk: Desk<'_>,
    id: &str,
    file: &Path,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    let batch = known(desk, id)?;
    let bytes = issue_sheets::sheet(desk, &batch)?;
    issue_sheets::write(file, &bytes).map_err(|source| Failure::Io {
        what: format!("写问题清单{}", file.display()),
        source,
    })?;
    if console.json {
        console.document(&json!({
            "batch": batch.batch, "file": file.to_string_lossy(), "issues": batch.issues.len(),
            "left_out": batch.issues_found.saturating_sub(batch.issues.len() as u64),
        }));
    } else {
        console.line(format!(
            "已写 {}：{}个问题，整份文件的问题{}个。",
            file.display(),
            batch.issues.len(),
            batch.reasons.len()
        ));
    }
    Ok(0)
}

fn show(desk: Desk<'_>, id: &str, console: &mut Console<'_>) -> Result<i32, Failure> {
    let batch = known(desk, id)?;
    if console.json {
        console.document(&batch);
    } else {
        text(&batch, console);
    }
    Ok(0)
}

fn text(batch: &Batch, console: &mut Console<'_>) {
    console.line(format!("批次 {}　{}", batch.batch, batch.verdict.title()));
    console.line(format!("  文件 {}　摘要 {}", batch.file, batch.digest));
    console.line(format!(
        "  接收 {}　数据截至 {}　{}行，退回{}行",
        minute(batch.received),
        batch
            .as_of
            .map_or_else(|| "不明".to_owned(), |day| day.to_string()),
        batch.rows,
        batch.set_aside
    ));
    let changes = &batch.changes;
    console.line(format!(
        "  新增{}　变更{}　缺失{}　恢复{}　未变{}",
        changes.new, changes.changed, changes.missing, changes.returned, changes.unchanged
    ));
    for reason in &batch.reasons {
        console.line(format!("  [{}] {}", reason.code, reason.text));
    }
    if let Some(way) = batch.verdict.way_out() {
        console.line(format!("  {way}。"));
    }
    if let Some(release) = &batch.released {
        console.line(format!(
            "  由{}于{}放行：{}",
            release.by,
            minute(release.at),
            release.reason
        ));
    }
    if let Some(withdrawal) = &batch.withdrawn {
        console.line(format!(
            "  由{}于{}撤回：{}",
            withdrawal.by,
            minute(withdrawal.at),
            withdrawal.reason
        ));
    }
    let left = batch.issues_found.saturating_sub(batch.issues.len() as u64);
    if left > 0 {
        console.line(format!(
            "  只记前{}个问题，另有{left}个",
            batch.issues.len()
        ));
    }
    for issue in &batch.issues {
        console.line(format!(
            "  第{}行 {} {}：[{}] {}",
            issue.row, issue.column, issue.value, issue.code, issue.reason
        ));
    }
}
