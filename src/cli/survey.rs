//! `survey CODE|NAME`: what a named person found out about an enterprise's staff.

use serde_json::json;

use crate::cli::arguments::SurveyArguments;
use crate::cli::console::Console;
use crate::cli::enterprise;
use crate::domain::survey::{Found, Relation, Surveyed};
use crate::tasks::one::find;
use crate::tasks::survey::record;
use crate::tasks::{Desk, Failure};

/// Exit 0 recorded, 1 no such enterprise, several of that name, or refused; 2 nothing to record.
pub fn run(
    desk: Desk<'_>,
    options: &SurveyArguments,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    let found = find(desk, &options.wanted)?;
    let [one] = found.as_slice() else {
        enterprise::not_one(&options.wanted, &found, console);
        return Ok(1);
    };
    let mut records = Vec::new();
    if let Some(heads) = options.heads {
        records.push(Surveyed::Visit(said(options, heads)));
    }
    if let Some(relation) = options.relation.as_deref() {
        let relation = if relation == "contract" {
            Relation::Contract
        } else {
            Relation::Without
        };
        records.push(Surveyed::Relation(said(options, relation)));
    }
    if let Some(cover) = options.injury_cover.as_deref() {
        records.push(Surveyed::InjuryCover(said(options, cover == "yes")));
    }
    let Some(last) = records.pop() else {
        return Err(Failure::Usage {
            code: "YB-7225",
            text: "没有要登记的内容。处理：写明 --heads、--relation 或 --injury-cover。".to_owned(),
        });
    };
    for surveyed in records {
        record(desk, &one.id, surveyed)?;
    }
    let survey = record(desk, &one.id, last)?;
    if console.json {
        console.document(&json!({
            "enterprise": one.id, "credit_code": one.credit_code, "name": one.name, "survey": survey,
        }));
    } else {
        console.line(format!("已登记：{}　{}", one.credit_code, one.name));
    }
    Ok(0)
}

fn said<T>(options: &SurveyArguments, what: T) -> Found<T> {
    Found {
        what,
        by: options.by.trim().to_owned(),
        date: options.date,
        proof: options.proof.clone(),
    }
}
