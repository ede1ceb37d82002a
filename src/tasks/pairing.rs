//! Pairing: what a named person decides about who is one firm.

use crate::domain::event::Event;
use crate::domain::pairing::{self, Pairing, PairingEvent, Subject};
use crate::tasks::known::decisions;
use crate::tasks::{Desk, Failure};

/// What a person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// One firm.
    Same,
    /// Two.
    Different,
    /// The decision is taken back.
    Undo,
}

/// Commits the word of a person about a subject and an enterprise (its id, or a code of it) and gives the pair as it stands then. The
/// next review acts on it.
///
/// # Errors
/// A rule of the domain says no; nothing is written then.
pub fn record(
    desk: Desk<'_>,
    subject: &Subject,
    enterprise: &str,
    word: Word,
    by: &str,
    reason: &str,
) -> Result<Pairing, Failure> {
    let enterprise = enterprise_of(enterprise)?;
    let known = desk
        .store
        .pairings_of(&enterprise)?
        .into_iter()
        .find(|pairing| pairing.candidate.subject == *subject);
    let (by, reason) = (by.trim().to_owned(), reason.trim().to_owned());
    let change = match word {
        Word::Same | Word::Different => PairingEvent::Answered {
            same: word == Word::Same,
            by: by.clone(),
            reason,
        },
        Word::Undo => PairingEvent::Undone {
            by: by.clone(),
            reason,
        },
    };
    let after = pairing::apply(known, subject, &enterprise, desk.today(), &change)?;
    if word == Word::Same {
        decisions(desk)?.admits(subject, &enterprise)?;
    }
    let event = Event::Pairing {
        subject: subject.clone(),
        enterprise,
        day: desk.today(),
        change,
    };
    desk.store.commit(desk.now, &by, vec![event])?;
    Ok(after)
}

/// The id of the enterprise that is meant.
fn enterprise_of(wanted: &str) -> Result<String, Failure> {
    let organisation = crate::domain::register::organisation_wanted(wanted);
    if pairing::organisation(&organisation).is_some() {
        return Ok(format!("E{organisation}"));
    }
    Err(Failure::Usage {
        code: "YB-7240",
        text: format!(
            "“{wanted}”不是企业编号或统一社会信用代码。处理：写企业编号（E加9位组织机构代码）或18位代码。"
        ),
    })
}
