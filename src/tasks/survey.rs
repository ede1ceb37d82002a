//! Survey: what a named person found out about an enterprise's staff, whether it has a case or not.

use crate::domain::case::Refusal;
use crate::domain::event::Event;
use crate::domain::survey::{Found, Survey, Surveyed};
use crate::tasks::{Desk, Failure};

/// Commits a record and gives what is known of the enterprise then.
///
/// # Errors
/// Nobody answers for it, or its day lies in the future; nothing is written then.
pub fn record(desk: Desk<'_>, enterprise: &str, surveyed: Surveyed) -> Result<Survey, Failure> {
    #[allow(clippy::match_same_arms, reason = "what was found differs in type")]
    let (by, date) = match &surveyed {
        Surveyed::Visit(Found { by, date, .. }) => (by, *date),
        Surveyed::Relation(Found { by, date, .. }) => (by, *date),
        Surveyed::InjuryCover(Found { by, date, .. }) => (by, *date),
    };
    if by.trim().is_empty() {
        return Err(Refusal::Nameless.into());
    }
    if date > desk.today() {
        return Err(Failure::Usage {
            code: "YB-7224",
            text: format!("走访日期{date}晚于今日。处理：核对 --date。"),
        });
    }
    let actor = by.clone();
    let event = Event::Surveyed {
        enterprise: enterprise.to_owned(),
        surveyed,
    };
    desk.store.commit(desk.now, &actor, vec![event])?;
    Ok(desk.store.survey(enterprise)?.unwrap_or_default())
}
