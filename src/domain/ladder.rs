//! Which step of a case is due today, by the legal clock. Pure: a case, the ladder, the day.

use jiff::civil::Date;
use serde::Deserialize;

use crate::calendar::Calendar;
use crate::calendar::clock::Period;
use crate::domain::case::{Case, CaseEvent, Stage, Step};
use crate::domain::unit::UnitId;

/// `config/ladder.toml`: periods, routing and caps.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// The county's checking.
    pub checking: Checking,
    /// The registration notice.
    pub notice: StepRule,
    /// The reminder.
    pub reminder: StepRule,
    /// The transfer to audit.
    pub transfer: TransferRule,
    /// Caps of one run for one reporting unit; what is beyond waits by priority, and `status` says so.
    pub caps: Caps,
}

/// The county's checking of a dispatch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checking {
    /// From the dispatch to the answer.
    pub answer: Period,
}

/// A step towards the firm.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRule {
    /// From the recorded contact to the end of the step.
    pub answer: Period,
    /// From the decision: without any contact by then the case is unreachable.
    pub patience: Period,
}

/// The transfer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferRule {
    /// `county`: the county agency's own audit unit, with a copy to the city's 稽核科; `city`: the city's alone.
    pub to: TransferTo,
}

/// Where overdue cases go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferTo {
    /// 县区稽核股, copy to the city.
    County,
    /// 市稽核科.
    City,
}

/// Caps of one run for one reporting unit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// New cases.
    pub new_cases: u32,
    /// Cases dispatched.
    pub dispatched: u32,
    /// Registration notices and reminders.
    pub notices: u32,
    /// Transfers.
    pub transfers: u32,
}

/// What the ladder says of a case today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Take this step now.
    Now(CaseEvent),
    /// Nothing before this day.
    Waits {
        /// The day it is looked at again.
        until: Date,
    },
    /// With a person: an answer, a contact, the audit unit.
    WithPerson,
    /// The data it rests on are not known well enough today.
    Held {
        /// Why, in Chinese.
        why: String,
    },
    /// Ended.
    Nothing,
}

/// What the ladder must know of the day.
#[derive(Debug, Clone, Copy)]
pub struct Today<'a> {
    /// The day.
    pub date: Date,
    /// Working days.
    pub calendar: &'a Calendar,
    /// Number of the dispatch that would be made today.
    pub wave: u32,
    /// The day of the fresh roll that the last review was made on, when the roll and every kind the case is
    /// about are known today: every case still open then was still shown by it.
    pub reviewed_roll: Option<Date>,
    /// The city's own unit id: its cases and `city` routing go to the city's 稽核科.
    pub city: &'a str,
}

/// The step that is due for a case, if any. Never skips a stage; one step a day.
#[must_use]
pub fn due(case: &Case, ladder: &Ladder, today: &Today<'_>) -> Due {
    let roll = today.reviewed_roll;
    let held = || Due::Held {
        why: "参保登记册过期或被隔离，暂停推进".to_owned(),
    };
    match case.stage {
        Stage::Closed => Due::Nothing,
        Stage::Found if roll.is_some() => Due::Now(CaseEvent::Dispatched {
            wave: today.wave,
            due: ladder.checking.answer.deadline(today.date, today.calendar),
        }),
        Stage::Found => held(),
        Stage::Confirmed => roll.map_or_else(held, |roll_as_of| {
            Due::Now(CaseEvent::Decided {
                step: Step::RegistrationNotice,
                roll_as_of,
            })
        }),
        Stage::Dispatched | Stage::Unreachable | Stage::Transferred => Due::WithPerson,
        Stage::Notified => after_contact(
            case,
            Step::RegistrationNotice,
            &ladder.notice,
            today,
            |roll_as_of| CaseEvent::Decided {
                step: Step::Reminder,
                roll_as_of,
            },
        ),
        Stage::Reminded => after_contact(case, Step::Reminder, &ladder.reminder, today, |_| {
            CaseEvent::Overdue
        }),
        Stage::Overdue if roll.is_none() => held(),
        Stage::Overdue if !case.has_firm_contact() => Due::WithPerson,
        Stage::Overdue => Due::Now(CaseEvent::Transferred {
            to: route(case, ladder, today.city),
        }),
    }
}

/// The end of the running period of a case, when a clock runs.
#[must_use]
pub fn deadline(case: &Case, ladder: &Ladder, calendar: &Calendar) -> Option<Date> {
    match case.stage {
        Stage::Dispatched => case.answer_due,
        Stage::Notified => case
            .contact_for(Step::RegistrationNotice)
            .map(|c| ladder.notice.answer.deadline(c.date, calendar)),
        Stage::Reminded => case
            .contact_for(Step::Reminder)
            .map(|c| ladder.reminder.answer.deadline(c.date, calendar)),
        _ => None,
    }
}

fn after_contact(
    case: &Case,
    step: Step,
    rule: &StepRule,
    today: &Today<'_>,
    next: impl Fn(Date) -> CaseEvent,
) -> Due {
    let Some(decided) = case.decided(step) else {
        return Due::WithPerson;
    };
    let Some(contact) = case.contact_for(step) else {
        let until = rule.patience.deadline(decided, today.calendar);
        return if today.date > until {
            Due::Now(CaseEvent::Unreachable)
        } else {
            Due::Waits { until }
        };
    };
    let until = rule.answer.deadline(contact.date, today.calendar);
    if today.date <= until {
        return Due::Waits { until };
    }
    match today.reviewed_roll {
        None => Due::Held {
            why: "参保登记册过期或被隔离，暂停推进".to_owned(),
        },
        // The roll must be newer than the end of the period, or an enrolment on its last day would go unseen.
        Some(roll) if roll <= until => Due::Held {
            why: format!("等待{until}之后的参保登记册"),
        },
        Some(roll) => Due::Now(next(roll)),
    }
}

fn route(case: &Case, ladder: &Ladder, city: &str) -> UnitId {
    match ladder.transfer.to {
        TransferTo::County => case.unit.clone(),
        TransferTo::City => city.to_owned(),
    }
}
