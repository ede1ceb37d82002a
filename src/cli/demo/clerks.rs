//! The clerks of the county agencies at work: each afternoon they look at their cases and record what they found or did,
//! through the same door as `case record`. What is recorded already is not recorded again.

use jiff::civil::Date;

use crate::calendar::Calendar;
use crate::demo::city::{Channel, City, Told};
use crate::demo::clerks::ClerkFinding;
use crate::domain::case::{Case, ClerkEvent, Contact, ContactKind, Stage, Step};
use crate::tasks::record::{Entry, record};
use crate::tasks::{Desk, Failure};

/// Working days until the post says that a letter arrived, or brings it back.
const POST_DAYS: u32 = 3;

/// All desks of all counties on one day.
pub struct Desks<'a> {
    city: &'a City,
    calendar: &'a Calendar,
}

/// What is recorded of one case.
struct Act {
    event: ClerkEvent,
    date: Date,
    proof: Option<String>,
    number: Option<String>,
}

impl Act {
    const fn plain(event: ClerkEvent, date: Date) -> Self {
        Self {
            event,
            date,
            proof: None,
            number: None,
        }
    }
}

impl<'a> Desks<'a> {
    /// The desks of a city.
    pub const fn new(city: &'a City, calendar: &'a Calendar) -> Self {
        Self { city, calendar }
    }

    /// An afternoon's work; what firms heard is returned.
    pub fn work(&self, desk: Desk<'_>) -> Result<Vec<Told>, Failure> {
        let today = desk.today();
        let mut told = Vec::new();
        let cases = desk
            .store
            .cases()
            .filter(|case| case.as_ref().map_or(true, Case::is_open));
        for case in cases.collect::<Result<Vec<_>, _>>()? {
            let Some(by) = self.city.clerk(&case.unit) else {
                continue;
            };
            for act in self.acts(&case, today) {
                let how = match act.event {
                    ClerkEvent::Posted => Some(Channel::Letter),
                    ClerkEvent::Phoned => Some(Channel::Call),
                    _ => None,
                };
                let entry = Entry {
                    case: case.id.clone(),
                    event: act.event,
                    by: by.clone(),
                    date: act.date,
                    proof: act.proof,
                    number: act.number,
                    until: None,
                };
                record(desk, entry)?;
                if let Some(how) = how {
                    told.push(Told {
                        credit_code: case.credit_code.clone(),
                        day: act.date,
                        how,
                    });
                }
            }
        }
        Ok(told)
    }

    fn acts(&self, case: &Case, today: Date) -> Vec<Act> {
        match case.stage {
            Stage::Dispatched => self.check(case, today),
            // A clerk who was interrupted between the two records makes the second.
            Stage::Confirmed
                if !case.wrong_contact
                    && case
                        .confirmed
                        .as_ref()
                        .is_some_and(|confirmed| confirmed.date == today)
                    && self.city.contact_is_wrong(&case.credit_code) =>
            {
                vec![Act::plain(ClerkEvent::WrongContact, today)]
            }
            Stage::Notified => self.contact(case, Step::RegistrationNotice, today),
            Stage::Reminded => self.contact(case, Step::Reminder, today),
            _ => Vec::new(),
        }
    }

    /// The answer to a finding, after the days this clerk takes.
    fn check(&self, case: &Case, today: Date) -> Vec<Act> {
        let Some(dispatched) = case.dispatched else {
            return Vec::new();
        };
        let Some(days) = self.city.answer_after(&case.credit_code) else {
            return Vec::new();
        };
        if today < self.calendar.plus_working_days(dispatched, days) {
            return Vec::new();
        }
        let Some(answer) = self.city.answer(&case.credit_code, today) else {
            return Vec::new();
        };
        let event = match answer.finding {
            ClerkFinding::Confirmed => ClerkEvent::Confirmed,
            ClerkFinding::InsuredElsewhere => ClerkEvent::InsuredElsewhere,
            ClerkFinding::InsuredAlready => ClerkEvent::InsuredAlready,
            ClerkFinding::NoEmployees => ClerkEvent::NoEmployees,
            ClerkFinding::ClosedDown => ClerkEvent::ClosedDown,
        };
        let mut acts = vec![Act {
            event,
            date: today,
            proof: answer.proof,
            number: None,
        }];
        if event == ClerkEvent::Confirmed && self.city.contact_is_wrong(&case.credit_code) {
            acts.push(Act::plain(ClerkEvent::WrongContact, today));
        }
        acts
    }

    /// Letters are posted, then arrive or come back; who was called may pick up.
    fn contact(&self, case: &Case, step: Step, today: Date) -> Vec<Act> {
        let Some(decided) = case.decided(step) else {
            return Vec::new();
        };
        let code = &case.credit_code;
        if let Some(letter) = letter(case, decided) {
            let called = case
                .contacts
                .iter()
                .any(|contact| contact.kind == ContactKind::Phoned && contact.date == today);
            let picks_up = !case.wrong_contact && self.city.phone_answered(code, today);
            if letter.date == today && picks_up && !called {
                return vec![Act::plain(ClerkEvent::Phoned, today)];
            }
            return self.post_brings(case, letter, today);
        }
        let came_back = case.history.iter().any(|entry| {
            entry.date >= decided && entry.text.starts_with(ClerkEvent::Returned.title())
        });
        if came_back {
            let reached = case.contact_for(step).is_some();
            let picks_up = !case.wrong_contact && self.city.phone_answered(code, today);
            return if !reached && picks_up {
                vec![Act::plain(ClerkEvent::Phoned, today)]
            } else {
                Vec::new()
            };
        }
        if today
            < self
                .calendar
                .plus_working_days(decided, self.city.posting_delay(code))
        {
            return Vec::new();
        }
        let mut acts = vec![Act {
            event: ClerkEvent::Posted,
            date: today,
            proof: None,
            number: Some(self.city.mail_number(code, today)),
        }];
        if !case.wrong_contact && self.city.phone_answered(code, today) {
            acts.push(Act::plain(ClerkEvent::Phoned, today));
        }
        acts
    }

    fn post_brings(&self, case: &Case, letter: &Contact, today: Date) -> Vec<Act> {
        if today < self.calendar.plus_working_days(letter.date, POST_DAYS) {
            return Vec::new();
        }
        let event = if self.city.letter_returned(&case.credit_code) {
            ClerkEvent::Returned
        } else {
            ClerkEvent::Delivered
        };
        let said = case
            .history
            .iter()
            .any(|entry| entry.date >= letter.date && entry.text.starts_with(event.title()));
        if said {
            return Vec::new();
        }
        vec![Act {
            event,
            date: today,
            proof: None,
            number: letter.number.clone(),
        }]
    }
}

/// The letter posted for a step.
fn letter(case: &Case, decided: Date) -> Option<&Contact> {
    case.contacts
        .iter()
        .rev()
        .find(|contact| contact.kind == ContactKind::Posted && contact.date >= decided)
}
