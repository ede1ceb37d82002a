//! `enterprise CODE|NAME`: all that is known, and why each verdict holds.

use serde_json::{Value, json};

use crate::cli::console::Console;
use crate::domain::code;
use crate::domain::contradiction::{Contradiction, Told, contradictions};
use crate::domain::coverage::Assessment;
use crate::domain::employment::Evidence;
use crate::domain::explanation::{Asked, Explanation, explain};
use crate::domain::finding::Ground;
use crate::domain::history::Step;
use crate::domain::record::{Audience, Field, Record, shown_key, shown_to_staff};
use crate::domain::register::{Enterprise, Placed};
use crate::tasks::known::{feeds, roll_knowledge};
use crate::tasks::one::find_one;
use crate::tasks::{Desk, Failure};

/// Steps of the history that are shown as text.
const STEPS_SHOWN: usize = 40;

/// Exit 0 found, 1 not found or several of that name.
pub fn run(desk: Desk<'_>, wanted: &str, console: &mut Console<'_>) -> Result<i32, Failure> {
    let one = match find_one(desk, wanted)? {
        Ok(one) => one,
        Err(found) => {
            not_one(wanted, &found, console);
            return Ok(1);
        }
    };
    let (enterprise, assessment) = (&one.enterprise, one.assessment.as_ref());
    let cases = desk.store.cases_of(&enterprise.id)?;
    let roll = roll_knowledge(&feeds(desk)?);
    let survey = desk.store.survey(&enterprise.id)?;
    let explanation = assessment.map(|assessment| {
        explain(&Asked {
            enterprise,
            assessment,
            cases: &cases,
            rules: &desk.configuration.rules,
            roll: &roll,
            survey: survey.as_ref(),
            today: desk.today(),
        })
    });
    let contradictions = contradictions(enterprise, &one.rows);
    if console.json {
        console.document(&json!({
            "enterprise": enterprise.id,
            "credit_code": enterprise.credit_code,
            "code": code::examine(&enterprise.credit_code),
            "name": enterprise.name,
            "unit": assessment.map(|assessment| &assessment.unit),
            "registration": enterprise.registration.as_ref().map(placed),
            "tax": enterprise.tax.values().map(placed).collect::<Vec<_>>(),
            "transport": enterprise.transport.iter().map(placed).collect::<Vec<_>>(),
            "insured_roll": enterprise.roll.values().flat_map(|heads| &heads.rows).map(placed).collect::<Vec<_>>(),
            "links": enterprise.links,
            "contradictions": contradictions,
            "assessment": assessment.map(verdict),
            "explanation": explanation,
            "survey": survey,
            "cases": cases,
            "history": one.history.iter().map(Step::to_json).collect::<Vec<_>>(),
            "spans": one.spans,
        }));
        return Ok(0);
    }
    text(enterprise, console);
    differently(&contradictions, console);
    if let Some(explanation) = &explanation {
        reasons(explanation, console);
    }
    for case in &cases {
        console.line(format!(
            "个案 {}　{}　{}",
            case.id,
            case.finding.kind.title(),
            case.stage.title()
        ));
        for entry in &case.history {
            console.line(format!("    {} {} {}", entry.date, entry.by, entry.text));
        }
    }
    history(&one.history, console);
    Ok(0)
}

/// Says that nobody is meant, or who may be.
pub fn not_one(wanted: &str, found: &[Enterprise], console: &mut Console<'_>) {
    if found.is_empty() {
        console.message(format!(
            "[YB-7211] 底数中没有“{}”。处理：核对统一社会信用代码或全称。",
            code::examine(wanted).input
        ));
    }
    for enterprise in found {
        console.message(format!("{}　{}", enterprise.credit_code, enterprise.name));
    }
}

/// What was said of it, newest first.
fn history(steps: &[Step], console: &mut Console<'_>) {
    console.line("历次报送（最新在前）：");
    for step in steps.iter().take(STEPS_SHOWN) {
        let as_of = step
            .as_of
            .map_or_else(String::new, |day| format!("，数据截至{day}"));
        let effective = step
            .effective()
            .map_or_else(String::new, |day| format!("，{day}生效"));
        let row = match step.row {
            0 => String::new(),
            row => format!(" 第{row}行"),
        };
        console.line(format!(
            "  {} {}　{} {}（批次{}，文件{}{row}{as_of}{effective}）",
            step.learned,
            step.deed.title(),
            step.source,
            shown_key(&step.key),
            step.batch,
            step.file,
        ));
        if let Some((by, reason, day)) = &step.withdrawn {
            console.line(format!("    该批次已由{by}于{day}撤回：{reason}"));
        }
        differences(step, console);
    }
    if let Some(more) = steps
        .len()
        .checked_sub(STEPS_SHOWN)
        .filter(|more| *more > 0)
    {
        console.line(format!("  另有{more}次，用 --json 查看全部"));
    }
}

/// Field by field, where a record was and stays; what came or went whole is shown elsewhere or no longer counts.
fn differences(step: &Step, console: &mut Console<'_>) {
    let (Some(before), Some(after)) = (&step.before, &step.after) else {
        return;
    };
    for field in Field::ALL {
        let side = |record: &Record| {
            record
                .fields
                .get(field)
                .map(|value| shown_to_staff(*field, value))
        };
        if before.fields.get(field) != after.fields.get(field) {
            let text = |side: Option<String>| side.unwrap_or_else(|| "（空）".to_owned());
            console.line(format!(
                "    {}：{} → {}",
                field.title(),
                text(side(before)),
                text(side(after))
            ));
        }
    }
}

fn placed(row: &Placed) -> Value {
    json!({
        "source": row.adapter, "batch": row.batch, "file": row.file, "row": row.row, "as_of": row.as_of,
        "missed": row.missed,
        "record": row.record.to_json(Audience::Section),
    })
}

fn verdict(assessment: &Assessment) -> Value {
    let evidence = match &assessment.evidence {
        Evidence::Strong(months) => json!({
            "kind": "strong",
            "months": months.iter().map(|(month, filers)| json!([month.to_string(), filers])).collect::<Vec<_>>(),
        }),
        Evidence::Visited(date, heads) => {
            json!({ "kind": "visited", "date": date, "heads": heads })
        }
        Evidence::Nobody => json!({ "kind": "nobody" }),
        Evidence::Unknown => json!({ "kind": "unknown" }),
    };
    json!({
        "active": assessment.active,
        "evidence": evidence,
        "class": assessment.class,
        "class_basis": assessment.class_basis,
        "new_form": assessment.tags,
        "in_scope": assessment.in_scope,
        "undecided": assessment.undecided,
        "standing": assessment.standing,
        "standing_title": assessment.standing.title(),
        "doubts": assessment.doubts,
        "findings": assessment.findings,
    })
}

fn text(enterprise: &Enterprise, console: &mut Console<'_>) {
    console.line(format!(
        "{}　{}　{}",
        enterprise.id, enterprise.credit_code, enterprise.name
    ));
    for row in enterprise.rows() {
        let missed = match row.missed {
            0 => String::new(),
            missed => format!("（最近连续{missed}批完整数据中未再出现）"),
        };
        console.line(format!(
            "  [{} {} 第{}行]{missed}",
            row.adapter, row.file, row.row
        ));
        for (field, value) in &row.record.fields {
            console.line(format!("    {}：{}", field.title(), field.shown(value)));
        }
    }
    console.line("归集：");
    for link in &enterprise.links {
        console.line(format!("  {} {}：{}", link.source, link.key, link.reason));
    }
}

/// What sources tell differently, with the value that counts first.
fn differently(contradictions: &[Contradiction], console: &mut Console<'_>) {
    if contradictions.is_empty() {
        return;
    }
    console.line("来源不一致：");
    for one in contradictions {
        let of = one
            .of
            .as_ref()
            .map_or_else(String::new, |of| format!("（{of}）"));
        console.line(format!("  {}{of}", one.title));
        console.line(format!("    采用：{}", told(&one.prevails)));
        for aside in &one.aside {
            console.line(format!(
                "    未采用：{}；{}",
                told(&aside.told),
                aside.reason
            ));
        }
    }
}

fn told(told: &Told) -> String {
    let date = told
        .date
        .map_or_else(String::new, |date| format!("，数据日期{date}"));
    format!(
        "{}（{} {} 第{}行{date}）",
        told.value, told.source, told.file, told.row
    )
}

/// Every verdict with its facts, rule, article, and what would clear it.
fn reasons(explanation: &Explanation, console: &mut Console<'_>) {
    console.line(format!("判断：{}", explanation.title));
    for verdict in &explanation.verdicts {
        console.line(format!("  【{}】{}", verdict.subject.title(), verdict.text));
        for ground in &verdict.facts {
            console.line(format!("    依据：{}（{}）", ground.text, place(ground)));
        }
        let rule = &verdict.rule;
        let from = if rule.from.is_empty() {
            String::new()
        } else {
            format!("，{}起施行", rule.from)
        };
        console.line(format!(
            "    规则：{}（{} {}{from}）；{}",
            rule.id, rule.table, rule.version, verdict.article
        ));
        for way in &verdict.clears {
            console.line(format!("    如何消除或改变：{way}"));
        }
    }
}

/// Where a fact can be looked up.
fn place(ground: &Ground) -> String {
    match ground.source.as_str() {
        "case" | "rule" => return format!("个案{}", ground.file),
        "survey" => return ground.file.clone(),
        _ => {}
    }
    let row = match ground.row {
        0 => "无此行".to_owned(),
        row => format!("第{row}行"),
    };
    let date = ground
        .date
        .map_or_else(String::new, |date| format!("，数据日期{date}"));
    format!("{} {} {row}{date}", ground.source, ground.file)
}
