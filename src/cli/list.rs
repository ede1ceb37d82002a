//! `list KIND`: enterprises beside the cases, for the section: who is to be surveyed, whose data decide nothing, whom another
//! authority asks.

use serde_json::{Value, json};

use crate::cli::cases::unit_named;
use crate::cli::console::Console;
use crate::domain::case::{Case, ClosingReason};
use crate::domain::coverage::Assessment;
use crate::domain::explanation::clears_standing;
use crate::domain::register::Enterprise;
use crate::domain::roster::Roster;
use crate::tasks::known::Known;
use crate::tasks::some::some;
use crate::tasks::{Desk, Failure};

/// One line of a list.
struct Line {
    unit: String,
    credit_code: String,
    name: String,
    /// What there is to say of it, in Chinese.
    remarks: Vec<String>,
    json: Value,
}

/// Exit 0; 2 for an unknown unit.
pub fn run(
    desk: Desk<'_>,
    roster: Roster,
    unit: Option<&str>,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    let units = desk.configuration.units();
    let unit = unit.map(|name| unit_named(units, name)).transpose()?;
    let mut lines = if roster == Roster::CoveredElsewhere {
        elsewhere(desk)?
    } else {
        let known = some(desk, &|_, assessment| roster.holds(assessment))?;
        of_data(desk, &known, roster)
    };
    lines.retain(|line| unit.is_none_or(|unit| unit.id == line.unit));
    if console.json {
        for line in &lines {
            console.document(&line.json);
        }
        return Ok(0);
    }
    console.line(format!("{}：{}户", roster.title(), lines.len()));
    let rows: Vec<Vec<String>> = lines
        .into_iter()
        .map(|line| {
            let unit = units.get(&line.unit);
            vec![
                unit.map_or("未归属", |unit| unit.name.as_str()).to_owned(),
                line.credit_code,
                line.name,
                line.remarks.join("；"),
            ]
        })
        .collect();
    console.table(&["单位", "统一社会信用代码", "企业", "情况"], &rows);
    Ok(0)
}

/// Whom the data put on a list, in the order of ids.
fn of_data(desk: Desk<'_>, known: &Known, roster: Roster) -> Vec<Line> {
    known
        .assessments
        .iter()
        .filter_map(|assessment| {
            let enterprise = known.register.get(&assessment.enterprise)?;
            Some(of_assessment(desk, roster, enterprise, assessment))
        })
        .collect()
}

fn of_assessment(
    desk: Desk<'_>,
    roster: Roster,
    enterprise: &Enterprise,
    assessment: &Assessment,
) -> Line {
    let doubts: Vec<&str> = assessment
        .doubts
        .iter()
        .map(|doubt| doubt.text.as_str())
        .collect();
    let remarks = if doubts.is_empty() {
        vec![match &assessment.class {
            Some(class) if matches!(roster, Roster::MediumLarge | Roster::Undecided) => {
                format!("{}：{}", class.class.title(), class.why)
            }
            _ => assessment.standing.title().to_owned(),
        }]
    } else {
        doubts.iter().map(|&text| text.to_owned()).collect()
    };
    let period = desk.configuration.rules.liability.on(desk.today());
    let clears: Vec<String> = if assessment.doubts.is_empty() {
        clears_standing(assessment.standing, assessment.employed(), period)
    } else {
        let of = assessment.doubts.iter();
        of.map(|doubt| doubt.kind.clears().to_owned()).collect()
    };
    Line {
        unit: assessment.unit.clone(),
        credit_code: enterprise.credit_code.clone(),
        name: enterprise.name.clone(),
        json: json!({
            "list": roster.word(),
            "enterprise": enterprise.id,
            "credit_code": enterprise.credit_code,
            "name": enterprise.name,
            "unit": assessment.unit,
            "standing": assessment.standing,
            "standing_title": assessment.standing.title(),
            "class": assessment.class.as_ref().map(|class| class.class),
            "employed": assessment.employed(),
            "doubts": assessment.doubts,
            "clears": clears,
        }),
        remarks,
    }
}

/// Whom a named clerk found to be insured elsewhere, while the answer holds, in the order of cases.
fn elsewhere(desk: Desk<'_>) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    for case in desk.store.cases() {
        lines.extend(of_case(&case?, desk.today()));
    }
    Ok(lines)
}

fn of_case(case: &Case, today: jiff::civil::Date) -> Option<Line> {
    let closing = case
        .closed
        .as_ref()
        .filter(|closing| closing.reason == ClosingReason::InsuredElsewhere)?;
    let until = closing.clears_until().filter(|until| today <= *until)?;
    Some(Line {
        unit: case.unit.clone(),
        credit_code: case.credit_code.clone(),
        name: case.name.clone(),
        remarks: vec![closing.text.clone(), format!("有效期至{until}")],
        json: json!({
            "list": Roster::CoveredElsewhere.word(),
            "enterprise": case.enterprise,
            "credit_code": case.credit_code,
            "name": case.name,
            "unit": case.unit,
            "case": case.id,
            "proof": closing.text,
            "date": closing.date,
            "until": until,
            "kinds": closing.kinds,
        }),
    })
}
