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
        Stage::Overdue => overdue(case, ladder, today),
    }
}

/// The end of the running period of a case, when a clock runs.
#[must_use]
pub fn deadline(case: &Case, ladder: &Ladder, calendar: &Calendar) -> Option<Date> {
    match case.stage {
        Stage::Dispatched => case.answer_due,
        Stage::Notified => case
            .counted_from(Step::RegistrationNotice)
            .map(|from| ladder.notice.answer.deadline(from, calendar)),
        Stage::Reminded => case
            .counted_from(Step::Reminder)
            .map(|from| ladder.reminder.answer.deadline(from, calendar)),
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
    let Some(from) = case.counted_from(step) else {
        let until = rule.patience.deadline(decided, today.calendar);
        return if today.date > until {
            Due::Now(CaseEvent::Unreachable)
        } else {
            Due::Waits { until }
        };
    };
    let until = rule.answer.deadline(from, today.calendar);
    if today.date <= until {
        return Due::Waits { until };
    }
    match today.reviewed_roll {
        None => Due::Held {
            why: "参保登记册过期或被隔离，暂停推进".to_owned(),
        },
        // The roll must be newer than the end of the period, or an enrolment on its last day would go unseen.
        Some(roll) if roll <= until => Due::Held {
            why: format!("等待{}之后的参保登记册", crate::domain::text::day(until)),
        },
        Some(roll) => Due::Now(next(roll)),
    }
}

/// A transfer needs a letter or an answered call, and that contact needs a period of its own: whom only texts had reached
/// and who is called today is not handed over today.
fn overdue(case: &Case, ladder: &Ladder, today: &Today<'_>) -> Due {
    let Some(contact) = case.firm_contact() else {
        return Due::WithPerson;
    };
    let until = ladder
        .reminder
        .answer
        .deadline(contact.heard(), today.calendar);
    if today.date <= until {
        return Due::Waits { until };
    }
    if today.reviewed_roll.is_none_or(|roll| roll <= until) {
        return Due::Held {
            why: format!("等待{}之后的参保登记册", crate::domain::text::day(until)),
        };
    }
    Due::Now(CaseEvent::Transferred {
        to: route(case, ladder, today.city),
    })
}

fn route(case: &Case, ladder: &Ladder, city: &str) -> UnitId {
    match ladder.transfer.to {
        TransferTo::County => case.unit.clone(),
        TransferTo::City => city.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::CalendarYear;
    use crate::domain::case::tests::{after, clerk, day, decided, dispatched, notified, opened};
    use crate::domain::case::{ClerkEvent, Contact, ContactKind};

    type Story = Vec<(&'static str, CaseEvent)>;

    fn ladder() -> Ladder {
        toml::from_str(include_str!("../../config/ladder.toml")).expect("the shipped ladder")
    }

    fn calendar() -> Calendar {
        let year: CalendarYear = toml::from_str(include_str!("../../config/calendar/2026.toml"))
            .expect("the shipped year");
        Calendar::new(vec![year]).expect("the shipped year")
    }

    fn due_on(story: &Story, date: &str, roll: Option<&str>) -> Due {
        let calendar = calendar();
        let today = Today {
            date: day(date),
            calendar: &calendar,
            wave: 3,
            reviewed_roll: roll.map(day),
            city: "city",
        };
        due(&after(story), &ladder(), &today)
    }

    fn waits(until: &str) -> Due {
        Due::Waits { until: day(until) }
    }

    fn is_held(due: &Due) -> bool {
        matches!(due, Due::Held { .. })
    }

    #[test]
    fn a_new_case_is_dispatched_while_the_roll_is_known() {
        let story = vec![("2026-03-02", opened())];
        let Due::Now(CaseEvent::Dispatched { wave, due }) =
            due_on(&story, "2026-03-03", Some("2026-02-28"))
        else {
            panic!("a dispatch");
        };
        // 15 working days.
        assert_eq!((wave, due), (3, day("2026-03-24")));
        assert!(is_held(&due_on(&story, "2026-03-03", None)));
    }

    #[test]
    fn nothing_is_decided_before_a_clerk_confirms() {
        let mut story = vec![("2026-03-02", opened()), ("2026-03-03", dispatched())];
        // Not even long after the answer was due.
        assert_eq!(
            due_on(&story, "2026-08-03", Some("2026-07-31")),
            Due::WithPerson
        );
        story.push(("2026-03-09", clerk(ClerkEvent::Confirmed, "2026-03-09")));
        assert_eq!(
            due_on(&story, "2026-03-10", Some("2026-02-28")),
            Due::Now(decided(Step::RegistrationNotice, "2026-02-28"))
        );
        assert!(is_held(&due_on(&story, "2026-03-10", None)));
    }

    #[test]
    fn without_contact_a_notice_never_becomes_overdue() {
        let story = notified();
        // 15 working days after 2026-03-10.
        assert_eq!(
            due_on(&story, "2026-03-31", Some("2026-03-31")),
            waits("2026-03-31")
        );
        assert_eq!(
            due_on(&story, "2026-04-01", None),
            Due::Now(CaseEvent::Unreachable)
        );
        let mut gone = story;
        gone.push(("2026-04-01", CaseEvent::Unreachable));
        assert_eq!(
            due_on(&gone, "2026-08-01", Some("2026-07-31")),
            Due::WithPerson
        );
    }

    #[test]
    fn the_clock_runs_from_the_contact_and_waits_for_a_newer_roll() {
        let mut story = notified();
        story.push(("2026-03-11", clerk(ClerkEvent::Posted, "2026-03-11")));
        // 15 calendar days after the letter.
        assert_eq!(
            due_on(&story, "2026-03-26", Some("2026-03-31")),
            waits("2026-03-26")
        );
        assert!(is_held(&due_on(&story, "2026-03-27", None)));
        assert!(is_held(&due_on(&story, "2026-03-27", Some("2026-02-28"))));
        // A roll of the last day does not yet show who enrolled on it.
        assert!(is_held(&due_on(&story, "2026-03-30", Some("2026-03-26"))));
        assert_eq!(
            due_on(&story, "2026-03-30", Some("2026-03-27")),
            Due::Now(decided(Step::Reminder, "2026-03-27"))
        );
        assert_eq!(
            deadline(&after(&story), &ladder(), &calendar()),
            Some(day("2026-03-26"))
        );
    }

    #[test]
    fn a_recorded_receipt_moves_the_clock_as_the_letter_promises() {
        let mut story = notified();
        story.push(("2026-03-11", clerk(ClerkEvent::Posted, "2026-03-11")));
        // A call the same day does not shorten what the letter gives.
        story.push(("2026-03-11", clerk(ClerkEvent::Phoned, "2026-03-11")));
        story.push(("2026-03-16", clerk(ClerkEvent::Delivered, "2026-03-16")));
        // 15 calendar days after the receipt.
        assert_eq!(
            due_on(&story, "2026-03-31", Some("2026-03-31")),
            waits("2026-03-31")
        );
        assert_eq!(
            due_on(&story, "2026-04-02", Some("2026-04-01")),
            Due::Now(decided(Step::Reminder, "2026-04-01"))
        );
    }

    fn reminded(contact: CaseEvent) -> Story {
        let mut story = notified();
        story.push(("2026-03-11", clerk(ClerkEvent::Posted, "2026-03-11")));
        story.push(("2026-04-01", decided(Step::Reminder, "2026-03-31")));
        story.push(("2026-04-02", contact));
        story
    }

    #[test]
    fn after_the_reminder_s_period_it_is_overdue_and_then_transferred() {
        let mut story = reminded(clerk(ClerkEvent::Phoned, "2026-04-02"));
        // 10 working days, over 清明.
        assert_eq!(
            due_on(&story, "2026-04-17", Some("2026-04-30")),
            waits("2026-04-17")
        );
        assert!(is_held(&due_on(&story, "2026-04-20", Some("2026-04-17"))));
        assert_eq!(
            due_on(&story, "2026-05-06", Some("2026-04-30")),
            Due::Now(CaseEvent::Overdue)
        );
        story.push(("2026-05-06", CaseEvent::Overdue));
        assert!(is_held(&due_on(&story, "2026-05-07", None)));
        let Due::Now(CaseEvent::Transferred { to }) =
            due_on(&story, "2026-05-07", Some("2026-04-30"))
        else {
            panic!("a transfer");
        };
        assert_eq!(to, "411303");
        let to = "411303".to_owned();
        story.push(("2026-05-07", CaseEvent::Transferred { to }));
        assert_eq!(
            due_on(&story, "2026-09-01", Some("2026-08-31")),
            Due::WithPerson
        );
    }

    #[test]
    fn the_city_s_audit_unit_takes_it_where_the_ladder_says_so() {
        let mut story = reminded(clerk(ClerkEvent::Phoned, "2026-04-02"));
        story.push(("2026-05-06", CaseEvent::Overdue));
        let mut ladder = ladder();
        ladder.transfer.to = TransferTo::City;
        let calendar = calendar();
        let today = Today {
            date: day("2026-05-07"),
            calendar: &calendar,
            wave: 1,
            reviewed_roll: Some(day("2026-04-30")),
            city: "city",
        };
        let to = "city".to_owned();
        assert_eq!(
            due(&after(&story), &ladder, &today),
            Due::Now(CaseEvent::Transferred { to })
        );
    }

    #[test]
    fn texts_alone_support_no_transfer_and_a_late_call_has_its_own_period() {
        let text = |date: &str| CaseEvent::Received {
            contact: Contact {
                kind: ContactKind::SmsDelivered,
                date: day(date),
                by: "courier".to_owned(),
                number: None,
                delivered: None,
            },
        };
        let mut story = notified();
        story.push(("2026-03-11", text("2026-03-11")));
        story.push(("2026-04-01", decided(Step::Reminder, "2026-03-31")));
        story.push(("2026-04-02", text("2026-04-02")));
        story.push(("2026-05-06", CaseEvent::Overdue));
        assert_eq!(
            due_on(&story, "2026-05-07", Some("2026-04-30")),
            Due::WithPerson
        );
        story.push(("2026-05-07", clerk(ClerkEvent::Phoned, "2026-05-07")));
        // 10 working days, one of them a Saturday (2026-05-09).
        assert_eq!(
            due_on(&story, "2026-05-07", Some("2026-05-06")),
            waits("2026-05-20")
        );
        assert!(is_held(&due_on(&story, "2026-05-21", Some("2026-05-20"))));
        assert!(matches!(
            due_on(&story, "2026-06-01", Some("2026-05-31")),
            Due::Now(CaseEvent::Transferred { .. })
        ));
    }

    #[test]
    fn a_closed_case_is_left_alone() {
        let mut story = notified();
        story.push(("2026-03-11", clerk(ClerkEvent::NoEmployees, "2026-03-11")));
        assert_eq!(
            due_on(&story, "2026-08-01", Some("2026-07-31")),
            Due::Nothing
        );
        assert_eq!(deadline(&after(&story), &ladder(), &calendar()), None);
    }
}
