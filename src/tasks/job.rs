//! One scheduled job from beginning to end, with a line that says what it did: the daemon and the demo run jobs only here.

use std::fmt::Write as _;

use crate::config::schedule::TaskName;
use crate::courier::Couriers;
use crate::domain::event::RunOutcome;
use crate::tasks::pull::Source;
use crate::tasks::{
    Desk, Failure, compact, deliver, escalate, notify, publish, pull, review, selfcheck,
};

/// Files that piled up while nothing ran are taken one after another, at most so many in one run.
const FILES_PER_RUN: usize = 60;

/// Runs a task; a failure is an outcome with its text.
#[must_use]
pub fn run(desk: Desk<'_>, couriers: &Couriers, task: &TaskName) -> (RunOutcome, String) {
    let result = match task {
        TaskName::Pull(adapter) => pull_all(desk, adapter),
        TaskName::Review => review::run(desk, false).map(|report| report.summary()),
        TaskName::Escalate => escalate::run(desk, false).map(|report| report.summary()),
        TaskName::Notify => notify::run(desk, false).map(|report| report.summary()),
        TaskName::Deliver => deliver::run(desk, couriers, false).map(|report| report.summary()),
        TaskName::Publish => publish::run(desk, desk.today(), false).map(|report| report.summary()),
        TaskName::Compact => compact::run(desk, false).map(|report| {
            tracing::info!(sizes = ?report.sizes, "index and tracking files were written anew");
            report.outcome()
        }),
        TaskName::Selfcheck => selfcheck::run(desk, false).map(|report| report.summary()),
    };
    match result {
        Ok(summary) => (RunOutcome::Done, summary),
        Err(failure) => (RunOutcome::Failed, failure.to_string()),
    }
}

fn pull_all(desk: Desk<'_>, adapter: &str) -> Result<String, Failure> {
    let mut summary = String::new();
    let mut last = None;
    for _ in 0..FILES_PER_RUN {
        match pull::run(desk, adapter, &Source::Automatic, false) {
            Ok(report) => {
                if !summary.is_empty() {
                    summary.push('\n');
                }
                let _ = write!(summary, "{}", report.summary());
                // Some sources give the same content again and again instead of saying that nothing is left.
                if report.is_repeat() || last.as_ref() == Some(&report.batch) {
                    break;
                }
                last = Some(report.batch);
            }
            Err(Failure::Unreachable {
                not_yet: true,
                text,
                ..
            }) => {
                if summary.is_empty() {
                    summary = text;
                }
                break;
            }
            Err(failure) if summary.is_empty() => return Err(failure),
            Err(failure) => {
                let _ = write!(summary, "\n{failure}");
                break;
            }
        }
    }
    Ok(summary)
}
