//! `pull ADAPTER`: one batch through the same door, guards and ledger as an automatic pull.

use std::path::Path;

use crate::cli::arguments::PullArguments;
use crate::cli::console::Console;
use crate::cli::progress::Rows;
use crate::cli::session::clock_of;
use crate::config::configuration::Configuration;
use crate::tasks::pull::{PullReport, Source, run as pull};
use crate::tasks::{Desk, Failure, again, issue_sheets};

/// Exit 0 accepted or seen before, 1 quarantined or refused, 3 unreachable.
pub fn run(
    desk: Desk<'_>,
    options: &PullArguments,
    folder: &Path,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    let source = options
        .file
        .as_ref()
        .map_or(Source::Automatic, |file| Source::Carried {
            file: folder.join(file),
            given: options.given,
        });
    let bar = Rows::begin(console, &options.adapter);
    let watched = Desk {
        watch: &|rows| bar.at(rows),
        ..desk
    };
    let report = pull(watched, &options.adapter, &source, options.dry_run);
    drop(bar);
    let report = report?;
    show(&report, console);
    if !options.dry_run && !console.json {
        let batch = desk.store.batch(&report.batch)?;
        if let Some(batch) = batch.filter(issue_sheets::is_due) {
            let sheet = desk
                .configuration
                .home
                .state
                .join(issue_sheets::place(&batch));
            show_sheet(&sheet, console);
        }
    }
    Ok(report.exit_code())
}

/// The exit code, when the file is known byte for byte and nothing but that is to be said: the store stays closed.
///
/// # Errors
/// The journal cannot be written.
pub fn known(
    configuration: &Configuration,
    options: &PullArguments,
    folder: &Path,
    console: &mut Console<'_>,
) -> Result<Option<i32>, Failure> {
    let Some(file) = options.file.as_ref().filter(|_| !options.dry_run) else {
        return Ok(None);
    };
    let now = clock_of(configuration).now();
    let file = folder.join(file);
    let found = again::run(configuration, now, &options.adapter, &file, options.given)?;
    Ok(found.map(|again| {
        show(&again.report, console);
        if let Some(sheet) = again.sheet.filter(|_| !console.json) {
            show_sheet(&sheet, console);
        }
        again.report.exit_code()
    }))
}

fn show_sheet(sheet: &Path, console: &mut Console<'_>) {
    console.line(format!("  可退回来源部门的问题清单：{}", sheet.display()));
}

/// Shows a report.
pub fn show(report: &PullReport, console: &mut Console<'_>) {
    if console.json {
        console.document(report);
        return;
    }
    console.line(report.summary());
    let seconds: f64 = report.seconds.values().sum();
    if report.mapping_changed > 0 {
        console.line(format!(
            "  适配器已变更：按新规则重读上一批，有{}条记录不同",
            report.mapping_changed
        ));
    }
    console.line(format!("  用时{seconds:.2}秒"));
}
