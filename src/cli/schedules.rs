//! `schedule list | next`.

use jiff::Timestamp;
use serde_json::json;

use crate::cli::arguments::ScheduleCommand;
use crate::cli::console::{Console, minute};
use crate::cli::session::Session;
use crate::daemon::plan;
use crate::tasks::Failure;

/// Exit 0.
pub fn run(
    session: &Session,
    command: &ScheduleCommand,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    match command {
        ScheduleCommand::List => list(session, console),
        ScheduleCommand::Next { count } => {
            next(session, *count as usize, console);
            Ok(0)
        }
    }
}

fn list(session: &Session, console: &mut Console<'_>) -> Result<i32, Failure> {
    let now = session.clock.now();
    let runs = session.store.runs()?;
    let mut rows = Vec::new();
    for schedule in &session.configuration.schedules {
        let next = plan::next(schedule, now, &session.configuration.calendar);
        let last = runs.get(&schedule.job);
        if console.json {
            console.document(&json!({
                "job": schedule.job, "task": schedule.task.to_string(), "cron": schedule.cron,
                "enabled": schedule.enabled, "last": last, "next": next,
            }));
            continue;
        }
        rows.push(vec![
            schedule.job.clone(),
            schedule.task.to_string(),
            schedule.cron.clone(),
            last.map(|run| minute(run.slot)).unwrap_or_default(),
            last.map(|run| run.outcome.title().to_owned())
                .unwrap_or_default(),
            next.map(minute).unwrap_or_default(),
        ]);
    }
    if !console.json {
        console.table(&["任务", "内容", "时间", "上次", "结果", "下次"], &rows);
    }
    Ok(0)
}

fn next(session: &Session, count: usize, console: &mut Console<'_>) {
    let mut slots: Vec<(Timestamp, &str)> = Vec::new();
    for schedule in session
        .configuration
        .schedules
        .iter()
        .filter(|schedule| schedule.enabled)
    {
        let mut at = session.clock.now();
        for _ in 0..count {
            let Some(slot) = plan::next(schedule, at, &session.configuration.calendar) else {
                break;
            };
            slots.push((slot, &schedule.job));
            at = slot;
        }
    }
    slots.sort();
    for (slot, job) in slots.into_iter().take(count) {
        if console.json {
            console.document(&json!({ "slot": slot, "job": job }));
        } else {
            console.line(format!("{}　{job}", minute(slot)));
        }
    }
}
