//! A county's own view of its cases: the rows of its worklist, with nothing beyond a county's audience.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::domain::case::{Case, Stage, Step};
use crate::domain::coverage::Assessment;
use crate::domain::finding::Ground;
use crate::domain::ladder::deadline;
use crate::domain::record::{Field, mask};
use crate::domain::register::Register;
use crate::domain::text::day;
use crate::domain::unit::Unit;
use crate::render::worklist::{WorkRow, Worklist, head_band};
use crate::tasks::Desk;
use crate::tasks::known::Known;

/// The worklist of one unit, most urgent first. Of the enterprises only those of its cases need be known.
#[must_use]
pub fn worklist(desk: Desk<'_>, known: &Known, unit: &Unit, cases: &[Case]) -> Worklist {
    let assessments: HashMap<&str, &Assessment> = known
        .assessments
        .iter()
        .map(|assessment| (assessment.enterprise.as_str(), assessment))
        .collect();
    let mut rows: Vec<WorkRow> = cases
        .iter()
        .filter(|case| case.unit == unit.id && on_the_list(case.stage))
        .map(|case| {
            row(
                desk,
                &known.register,
                assessments.get(case.enterprise.as_str()).copied(),
                case,
            )
        })
        .collect();
    rows.sort_by(|a, b| {
        (!a.late, a.due.unwrap_or(Date::MAX), &a.case).cmp(&(
            !b.late,
            b.due.unwrap_or(Date::MAX),
            &b.case,
        ))
    });
    Worklist {
        demo_mark: desk.configuration.settings.demo_mark.clone(),
        unit: unit.name.clone(),
        agency: unit.agency.clone(),
        day: desk.today(),
        rows,
    }
}

/// What waits for its dispatch, is with the audit unit or has ended is nothing for the county's desk.
#[must_use]
pub const fn on_the_list(stage: Stage) -> bool {
    matches!(
        stage,
        Stage::Dispatched
            | Stage::Confirmed
            | Stage::Notified
            | Stage::Unreachable
            | Stage::Reminded
            | Stage::Overdue
    )
}

fn row(
    desk: Desk<'_>,
    register: &Register,
    assessment: Option<&Assessment>,
    case: &Case,
) -> WorkRow {
    let enterprise = register.get(&case.enterprise);
    let text = |field| {
        enterprise
            .and_then(|enterprise| enterprise.registration.as_ref())
            .and_then(|placed| placed.record.text(field))
            .unwrap_or_default()
            .to_owned()
    };
    let due = deadline(
        case,
        &desk.configuration.ladder,
        &desk.configuration.calendar,
    );
    WorkRow {
        case: case.id.clone(),
        wave: case.wave,
        stage: case.stage.title().to_owned(),
        task: task_of(case).to_owned(),
        due,
        late: due.is_some_and(|due| due < desk.today()) && case.stage == Stage::Dispatched,
        name: case.name.clone(),
        credit_code: case.credit_code.clone(),
        address: text(Field::Address),
        phone: mask(&text(Field::Phone)),
        class: assessment
            .and_then(|assessment| assessment.class.as_ref())
            .map_or("待定", |class| class.class.title())
            .to_owned(),
        tags: assessment
            .map(|assessment| {
                assessment
                    .tags
                    .iter()
                    .map(|tag| tag.category.as_str())
                    .collect::<Vec<_>>()
                    .join("、")
            })
            .unwrap_or_default(),
        finding: case.finding.kind,
        kinds: case.finding.kinds.clone(),
        heads: head_band(case.finding.employed).to_owned(),
        grounds: case
            .finding
            .grounds
            .iter()
            .map(|ground| for_county(desk, ground))
            .collect(),
    }
}

/// What the county is asked to do next.
const fn task_of(case: &Case) -> &'static str {
    match case.stage {
        Stage::Dispatched => "核实用工和参保情况，登记核实结果",
        Stage::Confirmed => "已核实，系统将生成参保登记通知书",
        Stage::Notified | Stage::Reminded if case.contacts.is_empty() => {
            "邮寄通知书或电话告知，登记邮件号或通话"
        }
        Stage::Notified | Stage::Reminded => "跟踪办理情况；必要时再次联系并登记",
        Stage::Unreachable => "上门或另寻联系方式，登记联系结果",
        Stage::Overdue => "核对邮寄或通话记录，准备转稽核",
        Stage::Found | Stage::Transferred | Stage::Closed => "",
    }
}

/// A ground without the figures that must not leave the section: the tax filers' count is told as a fact without its number.
fn for_county(desk: Desk<'_>, ground: &Ground) -> String {
    let department = desk
        .configuration
        .adapters
        .get(&ground.source)
        .map_or("", |adapter| adapter.department.as_str());
    let date = ground
        .date
        .map(|date| format!("，数据截至{}", day(date)))
        .unwrap_or_default();
    let place = if ground.row == 0 {
        String::new()
    } else {
        format!("第{}行", ground.row)
    };
    let fact = if ground.rule == "coverage.evidence" {
        "连续月份有工资薪金个税申报，显示存在用工".to_owned()
    } else {
        ground.text.clone()
    };
    format!(
        "{fact}（{department}{date}，{}{place}；依据：{}）",
        ground.file, ground.article
    )
}

/// Whether a case still needs its letter posted or its call made for the step it is at.
#[must_use]
pub fn awaits_contact(case: &Case) -> bool {
    let step = match case.stage {
        Stage::Notified => Step::RegistrationNotice,
        Stage::Reminded => Step::Reminder,
        _ => return false,
    };
    case.contact_for(step).is_none()
}
