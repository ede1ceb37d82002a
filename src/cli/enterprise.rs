//! `enterprise CODE|NAME`: all that is known, and why each verdict holds.

use serde_json::{Value, json};

use crate::cli::console::Console;
use crate::domain::code;
use crate::domain::coverage::{Assessment, Evidence};
use crate::domain::record::Audience;
use crate::domain::register::{Enterprise, Placed};
use crate::tasks::known::known;
use crate::tasks::{Desk, Failure};

/// Exit 0 found, 1 not found or several of that name.
pub fn run(desk: Desk<'_>, wanted: &str, console: &mut Console<'_>) -> Result<i32, Failure> {
    let known = known(desk)?;
    let found = known.register.find(wanted);
    let [enterprise] = found.as_slice() else {
        if found.is_empty() {
            console.message(format!(
                "[YB-7211] 底数中没有“{}”。处理：核对统一社会信用代码或全称。",
                code::examine(wanted).input
            ));
        }
        for enterprise in &found {
            console.message(format!("{}　{}", enterprise.credit_code, enterprise.name));
        }
        return Ok(1);
    };
    let assessment = known
        .assessments
        .iter()
        .find(|assessment| assessment.enterprise == enterprise.id);
    let cases = desk.store.cases_of(&enterprise.id)?;
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
            "assessment": assessment.map(verdict),
            "cases": cases,
        }));
        return Ok(0);
    }
    text(enterprise, assessment, console);
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
    Ok(0)
}

fn placed(row: &Placed) -> Value {
    json!({
        "source": row.adapter, "batch": row.batch, "file": row.file, "row": row.row, "as_of": row.as_of,
        "record": row.record.to_json(Audience::Section),
    })
}

fn verdict(assessment: &Assessment) -> Value {
    let evidence = match &assessment.evidence {
        Evidence::Strong(months) => json!({
            "kind": "strong",
            "months": months.iter().map(|(month, filers)| json!([month.to_string(), filers])).collect::<Vec<_>>(),
        }),
        Evidence::Nobody => json!({ "kind": "nobody" }),
        Evidence::Unknown => json!({ "kind": "unknown" }),
    };
    json!({
        "active": assessment.active,
        "evidence": evidence,
        "class": assessment.class,
        "new_form": assessment.tags,
        "in_scope": assessment.in_scope,
        "undecided": assessment.undecided,
        "standing": assessment.standing,
        "standing_title": assessment.standing.title(),
        "findings": assessment.findings,
    })
}

fn text(enterprise: &Enterprise, assessment: Option<&Assessment>, console: &mut Console<'_>) {
    console.line(format!(
        "{}　{}　{}",
        enterprise.id, enterprise.credit_code, enterprise.name
    ));
    let rows = enterprise
        .registration
        .iter()
        .chain(enterprise.tax.values())
        .chain(&enterprise.transport)
        .chain(enterprise.roll.values().flat_map(|heads| &heads.rows));
    for row in rows {
        console.line(format!("  [{} {} 第{}行]", row.adapter, row.file, row.row));
        for (field, value) in &row.record.fields {
            console.line(format!("    {}：{}", field.title(), field.shown(value)));
        }
    }
    console.line("归集：");
    for link in &enterprise.links {
        console.line(format!("  {} {}：{}", link.source, link.key, link.reason));
    }
    let Some(assessment) = assessment else { return };
    console.line(format!("判断：{}", assessment.standing.title()));
    if let Some(class) = &assessment.class {
        console.line(format!(
            "  划型：{}（{}；{}）",
            class.class.title(),
            class.basis,
            class.why
        ));
    }
    for tag in &assessment.tags {
        console.line(format!("  新业态：{}（{}）", tag.category, tag.proof));
    }
    for finding in &assessment.findings {
        console.line(format!("  疑点：{}", finding.kind.title()));
        for ground in &finding.grounds {
            console.line(format!(
                "    {}（{} {} 第{}行；{}）",
                ground.text, ground.source, ground.file, ground.row, ground.article
            ));
        }
    }
}
