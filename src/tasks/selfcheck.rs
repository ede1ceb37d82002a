//! Selfcheck (自检): looks for silence — feeds that stopped or are held, messages that are stuck, steps that should have
//! been taken and were not, a holiday table that runs out — and says each once to the IT section until its cause is gone.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::calendar::clock::days_later;
use crate::calendar::shanghai;
use crate::domain::event::{Event, RunOutcome};
use crate::domain::ladder::{Due, Today, due};
use crate::domain::notice::{NoticeState, Purpose, Recipient};
use crate::render::mail::{self, FeedAlert};
use crate::tasks::known::{Feed, feeds, roll_knowledge};
use crate::tasks::notify::{Message, internal};
use crate::tasks::{Desk, Failure, withdraw};

/// Working days after which a due step or a message that still waits is a fault of ours.
const PATIENCE_WORKING_DAYS: u32 = 3;

/// The month from which next year's holiday table is missed.
const HOLIDAY_TABLE_FROM_MONTH: i8 = 11;

/// Calendar days before the end of an agreement from which its renewal is asked for.
const AGREEMENT_NOTICE_DAYS: u32 = 30;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SelfcheckReport {
    /// Everything that is wrong today: key → what it says.
    pub standing: BTreeMap<String, String>,
    /// Keys that were not wrong at the last check.
    pub raised: Vec<String>,
    /// Keys whose cause is gone.
    pub ended: Vec<String>,
}

impl SelfcheckReport {
    /// In one Chinese line.
    #[must_use]
    pub fn summary(&self) -> String {
        format!(
            "异常{}项，新增{}项，解除{}项",
            self.standing.len(),
            self.raised.len(),
            self.ended.len()
        )
    }
}

/// Loads, decides, commits. With `dry_run` nothing is committed.
///
/// # Errors
/// The store; a template that does not render.
pub fn run(desk: Desk<'_>, dry_run: bool) -> Result<SelfcheckReport, Failure> {
    let standing = standing(desk)?;
    let known = desk.store.alerts()?;
    let raised: Vec<String> = standing
        .keys()
        .filter(|key| !known.contains_key(*key))
        .cloned()
        .collect();
    let ended: Vec<String> = known
        .keys()
        .filter(|key| !standing.contains_key(*key))
        .cloned()
        .collect();
    if !dry_run {
        let mut events: Vec<Event> = raised
            .iter()
            .filter_map(|key| {
                Some(Event::Alerted {
                    alert: key.clone(),
                    text: standing.get(key)?.clone(),
                })
            })
            .collect();
        events.extend(ended.iter().map(|alert| Event::AlertEnded {
            alert: alert.clone(),
        }));
        if !raised.is_empty() {
            let lines: Vec<String> = raised
                .iter()
                .filter_map(|key| standing.get(key).cloned())
                .collect();
            events.push(Event::Queued {
                notice: Box::new(alert_mail(desk, &raised, lines)?),
            });
        }
        desk.store.commit(desk.now, "selfcheck", events)?;
    }
    Ok(SelfcheckReport {
        standing,
        raised,
        ended,
    })
}

fn alert_mail(
    desk: Desk<'_>,
    raised: &[String],
    lines: Vec<String>,
) -> Result<crate::domain::notice::Notice, Failure> {
    let settings = &desk.configuration.settings;
    let mail = mail::feed_alert(&FeedAlert {
        demo_mark: settings.demo_mark.clone(),
        centre: settings.centre.clone(),
        day: desk.today(),
        lines,
    })
    .map_err(|error| Failure::Render {
        what: error.what.to_owned(),
        text: error.text,
    })?;
    let version = xxhash_rust::xxh3::xxh3_64(raised.join("\n").as_bytes());
    Ok(internal(
        desk,
        Message {
            key: format!("feed_alert/{}/{version:016x}", desk.today()),
            purpose: Purpose::FeedAlert,
            recipient: Recipient::ItSection,
            unit: String::new(),
            address: settings.recipients.it_section.clone(),
            mail,
            attachments: Vec::new(),
            cases: Vec::new(),
        },
    ))
}

/// Everything that is wrong today, by key. Also what `status` shows.
///
/// # Errors
/// The store.
pub fn standing(desk: Desk<'_>) -> Result<BTreeMap<String, String>, Failure> {
    let mut standing = BTreeMap::new();
    let feeds = feeds(desk)?;
    for feed in &feeds {
        standing.extend(of_feed(feed));
    }
    standing.extend(of_notices(desk)?);
    standing.extend(of_runs(desk)?);
    standing.extend(of_cases(desk, &feeds)?);
    standing.extend(withdraw::alerts(desk)?);
    standing.extend(of_calendar(desk));
    standing.extend(of_agreements(desk));
    Ok(standing)
}

fn of_feed(feed: &Feed) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if feed.stale {
        let as_of = feed.head.as_ref().and_then(|head| head.as_of).map_or_else(
            || "尚无可用批次".to_owned(),
            |day| format!("最近一批数据截至{day}"),
        );
        found.push((
            format!("stale/{}", feed.adapter),
            format!(
                "[YB-5201] {}（{}）{as_of}，超过约定的{}。据此的疑点和推进已暂停。处理：联系该部门补送，或用 yingbao pull {} --file 导入。",
                feed.department, feed.adapter, feed.age, feed.adapter
            ),
        ));
    }
    if let Some(until) = feed.release_over {
        let batch = feed.head.as_ref().map_or("", |head| head.batch.as_str());
        found.push((
            format!("released/{batch}"),
            format!(
                "[YB-5208] {}（{}）的批次{batch}系具名放行，放行已于{until}到期，其后没有合格的新批次。据此的疑点和推进已暂停。处理：请该部门补送完整文件。",
                feed.department, feed.adapter
            ),
        ));
    }
    for batch in &feed.held {
        let reasons: Vec<&str> = batch
            .reasons
            .iter()
            .map(|reason| reason.text.as_str())
            .collect();
        found.push((
            format!("held/{}", batch.batch),
            format!(
                "[YB-5202] {}的批次{}（{}）{}：{}。{}",
                feed.department,
                batch.batch,
                batch.file,
                batch.verdict.title(),
                reasons.join("；"),
                batch
                    .verdict
                    .way_out()
                    .map_or_else(String::new, |way| format!("{way}。"))
            ),
        ));
    }
    found
}

/// Agreements that end soon or have ended: after the last day nothing is pulled any more, and that must not come as a surprise.
fn of_agreements(desk: Desk<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for adapter in desk.configuration.adapters.values() {
        let Some(until) = adapter.agreed_until() else {
            continue;
        };
        if until >= days_later(desk.today(), AGREEMENT_NOTICE_DAYS) {
            continue;
        }
        let what = if until < desk.today() {
            "已到期，不再拉取"
        } else {
            "即将到期，到期后不再拉取"
        };
        found.push((
            format!("agreement/{}/{until}", adapter.name),
            format!(
                "[YB-5209] {}的数据共享协议（{}）于{until}{what}。处理：与该部门续签后修改 adapters/{}.toml 的 [agreement]。",
                adapter.department, adapter.name, adapter.name
            ),
        ));
    }
    found
}

/// Messages whose end is unknown, that failed, or that wait too long.
fn of_notices(desk: Desk<'_>) -> Result<Vec<(String, String)>, Failure> {
    let mut found = Vec::new();
    let calendar = &desk.configuration.calendar;
    let waiting = desk
        .store
        .outbox()?
        .iter()
        .filter(|notice| {
            calendar.working_days_between(notice.day, desk.today()) > PATIENCE_WORKING_DAYS
        })
        .count();
    if waiting > 0 {
        found.push((
            "outbox/waiting".to_owned(),
            format!("[YB-5203] 有{waiting}条消息超过{PATIENCE_WORKING_DAYS}个工作日仍未发出。处理：查看 yingbao notice list --in queued 和通道设置。"),
        ));
    }
    let mut unsure: BTreeMap<NoticeState, u64> = BTreeMap::new();
    for notice in desk.store.notices() {
        let state = notice?.state;
        if matches!(state, NoticeState::Unknown | NoticeState::Failed) {
            *unsure.entry(state).or_default() += 1;
        }
    }
    for (state, n) in unsure {
        found.push((
            format!("notices/{}", state.word()),
            format!(
                "[YB-5204] 有{n}条消息{}。处理：查看 yingbao notice list --in {}，改用信函或电话。",
                state.title(),
                state.word()
            ),
        ));
    }
    Ok(found)
}

/// Jobs whose last run failed or was missed.
fn of_runs(desk: Desk<'_>) -> Result<Vec<(String, String)>, Failure> {
    Ok(desk
        .store
        .runs()?
        .into_iter()
        .filter(|(_, run)| run.outcome != RunOutcome::Done)
        .map(|(job, run)| {
            let what = if run.outcome == RunOutcome::Failed {
                "失败"
            } else {
                "错过"
            };
            (
                format!("job/{job}"),
                format!(
                    "[YB-5205] 任务{job}在{}的运行{what}：{}",
                    shanghai::civil(run.slot).strftime("%Y-%m-%d %H:%M"),
                    run.summary
                ),
            )
        })
        .collect())
}

/// Recomputes what the ladder should have done, apart from the ladder's own run: a step that is due for longer than the
/// caps can explain did not fire.
fn of_cases(desk: Desk<'_>, feeds: &[Feed]) -> Result<Vec<(String, String)>, Failure> {
    let roll = roll_knowledge(feeds);
    let reviewed = desk.store.reviewed()?.map(|reviewed| reviewed.roll_as_of);
    let calendar = &desk.configuration.calendar;
    let mut overdue: BTreeMap<String, u64> = BTreeMap::new();
    for case in desk.store.cases() {
        let case = case?;
        let Some(since) = case.history.last().map(|entry| entry.date) else {
            continue;
        };
        if !case.is_open()
            || calendar.working_days_between(since, desk.today()) <= PATIENCE_WORKING_DAYS
        {
            continue;
        }
        let today = Today {
            // What was due three working days ago and still is.
            date: since,
            calendar,
            wave: 0,
            reviewed_roll: reviewed.filter(|day| roll.as_of == Some(*day)),
            city: &desk.configuration.settings.city_unit,
        };
        if matches!(due(&case, &desk.configuration.ladder, &today), Due::Now(_)) {
            *overdue.entry(case.unit.clone()).or_default() += 1;
        }
    }
    Ok(overdue
        .into_iter()
        .map(|(unit, n)| {
            let name = desk.configuration.units().get(&unit).map_or("未归属", |unit| unit.name.as_str());
            (
                format!("waiting/{unit}"),
                format!("[YB-5206] {name}有{n}件个案到期未推进（上限或故障）。处理：查看 yingbao status；如属上限，可在 config/ladder.toml [caps] 调整。"),
            )
        })
        .collect())
}

fn of_calendar(desk: Desk<'_>) -> Option<(String, String)> {
    let today = desk.today();
    let next = today.year() + 1;
    let missing = if desk.configuration.calendar.knows(today.year()) {
        (today.month() >= HOLIDAY_TABLE_FROM_MONTH && !desk.configuration.calendar.knows(next))
            .then_some(next)?
    } else {
        today.year()
    };
    Some((
        format!("calendar/{missing}"),
        format!(
            "[YB-5207] 没有{missing}年的节假日表，暂按周末推算工作日。处理：国务院办公厅通知发布后写入 config/calendar/{missing}.toml。"
        ),
    ))
}
