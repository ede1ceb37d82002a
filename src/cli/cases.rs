//! `case list | show | record`.

use serde_json::json;

use crate::cli::arguments::CaseCommand;
use crate::cli::console::Console;
use crate::cli::notices;
use crate::domain::case::{Case, ClerkEvent, Refusal, Stage};
use crate::domain::ladder::deadline;
use crate::domain::unit::{Unit, Units};
use crate::tasks::record::{Entry, record};
use crate::tasks::{Desk, Failure};

/// Exit 0; 1 when a rule refuses, 2 for an unknown word.
pub fn run(
    desk: Desk<'_>,
    command: &CaseCommand,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    match command {
        CaseCommand::List { unit, stage } => list(desk, unit.as_deref(), stage.as_deref(), console),
        CaseCommand::Show { case } => show(desk, case, console),
        CaseCommand::Record {
            case,
            event,
            by,
            date,
            proof,
            number,
            until,
        } => {
            let event = ClerkEvent::ALL
                .into_iter()
                .find(|known| known.word() == event)
                .ok_or_else(|| Failure::Usage {
                    code: "YB-7208",
                    text: format!(
                        "没有事项“{event}”。处理：可用的有 {}。",
                        ClerkEvent::ALL.map(ClerkEvent::word).join("、")
                    ),
                })?;
            let after = record(
                desk,
                Entry {
                    case: case.clone(),
                    event,
                    by: by.clone(),
                    date: *date,
                    proof: proof.clone(),
                    number: number.clone(),
                    until: *until,
                },
            )?;
            if console.json {
                console.document(&line(desk, &after));
            } else {
                console.line(format!(
                    "已登记：{}　{}　现处“{}”",
                    after.id,
                    event.title(),
                    after.stage.title()
                ));
            }
            Ok(0)
        }
    }
}

fn line(desk: Desk<'_>, case: &Case) -> serde_json::Value {
    json!({
        "case": case.id, "enterprise": case.enterprise, "credit_code": case.credit_code, "name": case.name,
        "unit": case.unit, "finding": case.finding.kind, "kinds": case.finding.kinds, "stage": case.stage,
        "opened": case.opened, "wave": case.wave, "answer_due": case.answer_due,
        "deadline": deadline(case, &desk.configuration.ladder, &desk.configuration.calendar),
        "closed": case.closed,
    })
}

fn list(
    desk: Desk<'_>,
    unit: Option<&str>,
    stage: Option<&str>,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    let units = desk.configuration.units();
    let unit = unit.map(|name| unit_named(units, name)).transpose()?;
    let stage = match stage {
        None => None,
        Some(word) => Some(stage_named(word)?),
    };
    let mut rows = Vec::new();
    for case in desk.store.cases() {
        let case = case?;
        if unit.is_some_and(|unit| unit.id != case.unit)
            || stage.is_some_and(|stage| stage != case.stage)
        {
            continue;
        }
        if console.json {
            console.document(&line(desk, &case));
        } else {
            let due = deadline(
                &case,
                &desk.configuration.ladder,
                &desk.configuration.calendar,
            );
            rows.push(vec![
                case.id.clone(),
                units
                    .get(&case.unit)
                    .map_or("未归属", |unit| unit.name.as_str())
                    .to_owned(),
                case.name.clone(),
                case.finding.kind.title().to_owned(),
                case.stage.title().to_owned(),
                case.opened.to_string(),
                due.map(|day| day.to_string()).unwrap_or_default(),
            ]);
        }
    }
    if !console.json {
        console.table(
            &["个案", "单位", "企业", "疑点", "阶段", "立案", "期限"],
            &rows,
        );
    }
    Ok(0)
}

/// The reporting unit that somebody names.
///
/// # Errors
/// There is none of that name.
pub fn unit_named<'u>(units: &'u Units, name: &str) -> Result<&'u Unit, Failure> {
    units.by_name(name).ok_or_else(|| {
        let known: Vec<&str> = units.units.iter().map(|unit| unit.name.as_str()).collect();
        Failure::Usage {
            code: "YB-7209",
            text: format!(
                "没有填报单位“{name}”。处理：可用的有 {}。",
                known.join("、")
            ),
        }
    })
}

fn stage_named(word: &str) -> Result<Stage, Failure> {
    let known = |stage: &Stage| {
        serde_json::to_value(stage)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
    };
    Stage::ALL
        .into_iter()
        .find(|stage| known(stage).as_deref() == Some(word))
        .ok_or_else(|| Failure::Usage {
            code: "YB-7210",
            text: format!(
                "没有阶段“{word}”。处理：可用的有 {}。",
                Stage::ALL
                    .iter()
                    .filter_map(known)
                    .collect::<Vec<_>>()
                    .join("、")
            ),
        })
}

fn show(desk: Desk<'_>, id: &str, console: &mut Console<'_>) -> Result<i32, Failure> {
    let Some(case) = desk.store.case(id)? else {
        return Err(Refusal::Unknown {
            case: id.to_owned(),
        }
        .into());
    };
    let mut sent = Vec::new();
    for notice in desk.store.notices() {
        let notice = notice?;
        if notice.cases.contains(&case.id) && notice.purpose.to_firm() {
            sent.push(notice);
        }
    }
    if console.json {
        let notices: Vec<_> = sent.iter().map(notices::shape).collect();
        console.document(&json!({ "case": case, "notices": notices }));
        return Ok(0);
    }
    console.line(format!(
        "个案 {}　{}　{}",
        case.id, case.name, case.credit_code
    ));
    console.line(format!(
        "  {}　现处“{}”",
        case.finding.kind.title(),
        case.stage.title()
    ));
    console.line("  依据：");
    for ground in &case.finding.grounds {
        let row = if ground.row == 0 {
            "无此行".to_owned()
        } else {
            format!("第{}行", ground.row)
        };
        console.line(format!(
            "    {}（{} {} {row}，{}；{}）",
            ground.text,
            ground.source,
            ground.file,
            ground.date.map(|day| day.to_string()).unwrap_or_default(),
            ground.article
        ));
    }
    console.line("  经过：");
    for entry in &case.history {
        console.line(format!("    {} {} {}", entry.date, entry.by, entry.text));
    }
    if !sent.is_empty() {
        console.line("  消息：");
    }
    for notice in &sent {
        console.line(format!(
            "    {} {} {} {}",
            notice.day,
            notice.channel.title(),
            notice.subject,
            notice.state.title()
        ));
    }
    Ok(0)
}
