//! `status`: last, next and missed runs; the age of each source; what is held and why.

use serde_json::json;

use crate::cli::console::{Console, minute};
use crate::cli::session::Session;
use crate::daemon::plan;
use crate::tasks::known::feeds;
use crate::tasks::{Failure, escalate, selfcheck};

/// Exit 0 when all is well, 1 when something is stale, held, failed, missed or stuck.
pub fn run(session: &Session, console: &mut Console<'_>) -> Result<i32, Failure> {
    let desk = session.desk();
    let feeds = feeds(desk)?;
    let standing = selfcheck::standing(desk)?;
    let runs = session.store.runs()?;
    let reviewed = session.store.reviewed()?;
    let due = escalate::run(desk, true)?;
    let outbox = session.store.outbox()?.len();
    let waiting = reviewed
        .as_ref()
        .map(|reviewed| reviewed.waiting.clone())
        .unwrap_or_default();
    let jobs: Vec<_> = session
        .configuration
        .schedules
        .iter()
        .map(|schedule| {
            (
                schedule,
                runs.get(&schedule.job),
                plan::next(schedule, desk.now, &session.configuration.calendar),
            )
        })
        .collect();
    if console.json {
        console.document(&json!({
            "now": desk.now,
            "sources": feeds.iter().map(|feed| json!({
                "adapter": feed.adapter, "department": feed.department,
                "as_of": feed.head.as_ref().and_then(|head| head.as_of),
                "batch": feed.head.as_ref().map(|head| &head.batch), "age": feed.age, "stale": feed.stale,
                "held": feed.held.iter().map(|batch| json!({
                    "batch": batch.batch, "verdict": batch.verdict, "reasons": batch.reasons,
                })).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "jobs": jobs.iter().map(|(schedule, last, next)| json!({
                "job": schedule.job, "last": last, "next": next,
            })).collect::<Vec<_>>(),
            "reviewed": reviewed.as_ref().map(|reviewed| reviewed.roll_as_of),
            "waiting": waiting,
            "due": due,
            "outbox": outbox,
            "wrong": standing,
        }));
        return Ok(i32::from(!standing.is_empty()));
    }
    console.line(format!("现在 {}", minute(desk.now)));
    let rows: Vec<Vec<String>> = feeds
        .iter()
        .map(|feed| {
            vec![
                feed.adapter.clone(),
                feed.department.clone(),
                feed.head
                    .as_ref()
                    .and_then(|head| head.as_of)
                    .map_or_else(|| "无".to_owned(), |day| day.to_string()),
                feed.age.clone(),
                if feed.remark().is_empty() {
                    "正常".to_owned()
                } else {
                    feed.remark()
                },
            ]
        })
        .collect();
    console.table(&["来源", "部门", "数据截至", "时限", "状态"], &rows);
    console.line("");
    let rows: Vec<Vec<String>> = jobs
        .iter()
        .map(|(schedule, last, next)| {
            vec![
                schedule.job.clone(),
                last.map(|run| minute(run.slot)).unwrap_or_default(),
                last.map(|run| run.outcome.title().to_owned())
                    .unwrap_or_default(),
                next.map(minute).unwrap_or_default(),
            ]
        })
        .collect();
    console.table(&["任务", "上次", "结果", "下次"], &rows);
    console.line("");
    console.line(format!("待发消息 {outbox} 条"));
    let next: u64 = due.steps.values().sum();
    for (unit, n) in &due.waiting {
        let name = desk
            .configuration
            .units()
            .get(unit)
            .map_or("未归属", |unit| unit.name.as_str());
        console.line(format!("因每次上限，{name}有{n}件到期个案要等以后的推进"));
    }
    for (why, n) in &due.held {
        console.line(format!("{n}件个案暂停推进：{why}"));
    }
    console.line(format!("下次推进可办 {next} 件"));
    for (unit, n) in &waiting {
        let name = desk
            .configuration
            .units()
            .get(unit)
            .map_or("未归属", |unit| unit.name.as_str());
        console.line(format!("因每次上限或数据暂停，{name}有{n}件疑点待立案"));
    }
    if standing.is_empty() {
        console.line("自检：没有异常");
        return Ok(0);
    }
    console.line(format!("自检：{}项异常", standing.len()));
    for text in standing.values() {
        console.line(format!("  {text}"));
    }
    Ok(1)
}
