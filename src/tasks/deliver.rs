//! Deliver: hands the outbox to the couriers. The attempt is recorded before, the outcome after; an end that is not known is
//! never repeated blindly.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::calendar::shanghai;
use crate::courier::{Couriers, Parcel, stops_channel};
use crate::domain::case::{CaseEvent, Contact, ContactKind};
use crate::domain::event::Event;
use crate::domain::notice::{Channel, Notice, NoticeState, Outcome};
use crate::tasks::{Desk, Failure, withdraw};

/// After so many attempts a message that is always put off counts as failed.
const ATTEMPTS: u32 = 12;

/// Messages between two commits: a crash leaves at most so many ends unknown.
const GROUP: usize = 20;

/// The same for dry run, where a repeat reaches nobody.
const DRY_GROUP: usize = 500;

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeliverReport {
    /// Outcomes by name.
    pub outcomes: BTreeMap<String, u64>,
    /// Messages to firms that wait for contact hours.
    pub outside_hours: u64,
    /// Messages without a courier for their channel.
    pub without_courier: u64,
}

impl DeliverReport {
    /// In one Chinese line.
    #[must_use]
    pub fn summary(&self) -> String {
        let sent: u64 = self.outcomes.values().sum();
        format!(
            "处理{sent}条，非联系时间暂留{}条，无通道{}条",
            self.outside_hours, self.without_courier
        )
    }
}

/// Sends what waits.
///
/// # Errors
/// The store or a missing file; what a courier answers is an outcome, not an error.
pub fn run(desk: Desk<'_>, couriers: &Couriers, dry_run: bool) -> Result<DeliverReport, Failure> {
    if !dry_run {
        withdraw::finish_left(desk, false)?;
    }
    let mut report = DeliverReport::default();
    let open = desk
        .configuration
        .settings
        .contact_hours
        .contains(shanghai::civil(desk.now), &desk.configuration.calendar);
    let mut ready = Vec::new();
    for notice in desk.store.outbox()? {
        let by_wire = matches!(notice.channel, Channel::Sms | Channel::Email);
        if notice.purpose.to_firm() && by_wire && !open {
            report.outside_hours += 1;
        } else if couriers.for_channel(notice.channel).is_none() {
            report.without_courier += 1;
        } else {
            ready.push(notice);
        }
    }
    if dry_run {
        report
            .outcomes
            .insert("would_send".to_owned(), ready.len() as u64);
        return Ok(report);
    }
    let group = if couriers.live() { GROUP } else { DRY_GROUP };
    for notices in ready.chunks(group) {
        send(desk, couriers, notices, &mut report)?;
    }
    Ok(report)
}

fn send(
    desk: Desk<'_>,
    couriers: &Couriers,
    notices: &[Notice],
    report: &mut DeliverReport,
) -> Result<(), Failure> {
    let mut events = Vec::new();
    let mut sending = Vec::new();
    for notice in notices {
        let was_sending = notice.state == NoticeState::Sending;
        if was_sending && couriers.live() {
            // A process died between the attempt and its outcome: nobody knows whether it went out.
            let outcome = Outcome::Unknown {
                code: "YB-6090".to_owned(),
                answer:
                    "发送过程中程序中断，结果不明。处理：核对网关或邮件服务器记录后再决定是否重发。"
                        .to_owned(),
            };
            count(report, &outcome);
            events.push(Event::Sent {
                notice: notice.key.clone(),
                outcome,
            });
            continue;
        }
        if !was_sending {
            events.push(Event::Attempted {
                notice: notice.key.clone(),
                attempt: notice.attempts + 1,
            });
        }
        sending.push(notice);
    }
    desk.store.commit(desk.now, "deliver", events)?;
    let mut events = Vec::new();
    for channel in [
        Channel::Letter,
        Channel::CallList,
        Channel::Sms,
        Channel::Email,
    ] {
        let own: Vec<&Notice> = sending
            .iter()
            .copied()
            .filter(|notice| notice.channel == channel)
            .collect();
        let Some(courier) = couriers.for_channel(channel).filter(|_| !own.is_empty()) else {
            continue;
        };
        let parcels = own
            .iter()
            .map(|notice| parcel(desk, notice))
            .collect::<Result<Vec<_>, _>>()?;
        for (notice, outcome) in own.iter().zip(courier.send(&parcels)) {
            let outcome = tired(notice, outcome);
            count(report, &outcome);
            events.extend(receipts(desk, notice, &outcome)?);
            events.push(Event::Sent {
                notice: notice.key.clone(),
                outcome,
            });
        }
    }
    desk.store.commit(desk.now, "deliver", events)?;
    Ok(())
}

fn parcel<'a>(desk: Desk<'_>, notice: &'a Notice) -> Result<Parcel<'a>, Failure> {
    let mut files = Vec::with_capacity(notice.attachments.len());
    for attachment in &notice.attachments {
        files.push((
            attachment.name.clone(),
            desk.store.read_archived(&attachment.digest)?,
        ));
    }
    Ok(Parcel { notice, files })
}

/// A message that was put off too often has failed, and a person must see it.
fn tired(notice: &Notice, outcome: Outcome) -> Outcome {
    match outcome {
        // While the channel itself is in trouble no message has had its chance.
        Outcome::Retry { .. } if stops_channel(&outcome) => outcome,
        Outcome::Retry { code, answer } if notice.attempts + 1 >= ATTEMPTS => {
            Outcome::Failed { code, answer }
        }
        other => other,
    }
}

/// An accepted mail is a recorded contact. A text is one only by its delivery report; a dry run reached nobody.
fn receipts(desk: Desk<'_>, notice: &Notice, outcome: &Outcome) -> Result<Vec<Event>, Failure> {
    let Outcome::Accepted { answer } = outcome else {
        return Ok(Vec::new());
    };
    if notice.channel != Channel::Email || !notice.purpose.to_firm() {
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    for id in &notice.cases {
        if desk.store.case(id)?.is_some_and(|case| case.is_open()) {
            let contact = Contact {
                kind: ContactKind::EmailAccepted,
                date: desk.today(),
                by: "courier".to_owned(),
                number: Some(answer.clone()),
                delivered: None,
            };
            events.push(Event::Case {
                case: id.clone(),
                day: desk.today(),
                change: CaseEvent::Received { contact },
            });
        }
    }
    Ok(events)
}

fn count(report: &mut DeliverReport, outcome: &Outcome) {
    let name = match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::DryRun { .. } => "dry_run",
        Outcome::Retry { .. } => "retry",
        Outcome::Unknown { .. } => "unknown",
        Outcome::Failed { .. } => "failed",
    };
    *report.outcomes.entry(name.to_owned()).or_default() += 1;
}
