//! Record: what a named person found or did, as an event of a case.

use jiff::civil::Date;

use crate::domain::case::{Case, CaseEvent, ClerkEvent, ClerkRule, Refusal, apply};
use crate::domain::event::Event;
use crate::tasks::{Desk, Failure};

/// What is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The case.
    pub case: String,
    /// What happened.
    pub event: ClerkEvent,
    /// Who answers for it.
    pub by: String,
    /// The day it happened.
    pub date: Date,
    /// Name and number of the paper.
    pub proof: Option<String>,
    /// Mail number.
    pub number: Option<String>,
    /// The last day on which the answer holds; the rules' own number of days without it.
    pub until: Option<Date>,
}

/// Commits an entry and gives the case as it stands then.
///
/// # Errors
/// A rule of the domain says no; nothing is written then.
pub fn record(desk: Desk<'_>, entry: Entry) -> Result<Case, Failure> {
    let before = desk.store.case(&entry.case)?;
    if before.is_none() {
        return Err(Refusal::Unknown { case: entry.case }.into());
    }
    let by = entry.by.trim().to_owned();
    let change = CaseEvent::Clerk {
        clerk_event: entry.event,
        by: by.clone(),
        date: entry.date,
        rule: rule(desk, &entry),
        proof: entry.proof,
        number: entry.number,
    };
    let after = apply(&entry.case, before, &change, desk.today())?;
    let event = Event::Case {
        case: entry.case,
        day: desk.today(),
        change,
    };
    desk.store.commit(desk.now, &by, vec![event])?;
    Ok(after)
}

/// What the rules of liability in force on the day of the record make of it.
fn rule(desk: Desk<'_>, entry: &Entry) -> Option<ClerkRule> {
    let period = desk.configuration.rules.liability.on(entry.date)?;
    if let Some(explanation) = period.explanation(entry.event) {
        let own = jiff::Span::new().days(explanation.days - 1);
        return Some(ClerkRule {
            clears: explanation.clears.clone(),
            until: entry.until.or_else(|| entry.date.checked_add(own).ok()),
            article: explanation.article.clone(),
        });
    }
    let none = period.no_explanation(entry.event)?;
    Some(ClerkRule {
        clears: Vec::new(),
        until: None,
        article: none.article.clone(),
    })
}
