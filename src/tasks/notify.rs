//! Notify: puts what is due into the outbox — letters, texts, mails and calls to firms, alert mails to counties, transfers.
//! Every message has a derived key, so that asking again is a no-op.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::case::{Case, CaseId, Stage, Step};
use crate::domain::event::Event;
use crate::domain::finding::{FindingKind, Insurance};
use crate::domain::notice::{Attachment, Channel, Notice, NoticeState, Purpose, Recipient};
use crate::domain::outreach::{self, Contacts, FirmsByPhone, Way};
use crate::domain::record::Field;
use crate::domain::register::{Enterprise, Register};
use crate::domain::unit::Unit;
use crate::render::call_list::{self, Call, CallList};
use crate::render::letter::{self, Letter};
use crate::render::mail::{self, CountyAlert, FirmMail, Mail, TransferMail};
use crate::render::sms::{self, FirmText};
use crate::render::transfer::{self, Transfer};
use crate::render::{RenderError, worklist};
use crate::tasks::county;
use crate::tasks::known::Known;
use crate::tasks::some::{of_ids, some};
use crate::tasks::{Desk, Failure, withdraw};

/// What was queued.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NotifyReport {
    /// Notices by purpose and channel.
    pub queued: BTreeMap<String, u64>,
    /// Ways not taken, by reason.
    pub left: BTreeMap<String, u64>,
}

impl NotifyReport {
    /// In one Chinese line.
    #[must_use]
    pub fn summary(&self) -> String {
        let queued: u64 = self.queued.values().sum();
        let left: u64 = self.left.values().sum();
        format!("新增待发消息{queued}条，未采用的渠道{left}条")
    }
}

/// Loads, decides, commits. With `dry_run` nothing is committed.
///
/// # Errors
/// Disk; a template that does not render.
pub fn run(desk: Desk<'_>, dry_run: bool) -> Result<NotifyReport, Failure> {
    if !dry_run {
        withdraw::finish_left(desk, false)?;
    }
    let cases = desk.store.cases().collect::<Result<Vec<_>, _>>()?;
    let (known, firms_on) = concerned(desk, &cases)?;
    let mut report = NotifyReport::default();
    let mut notices = firms(desk, &known.register, &firms_on, &cases, &mut report)?;
    attach_calls(desk, &known.register, &mut notices)?;
    notices.extend(counties(desk, &known, &cases, &notices)?);
    notices.extend(transfers(desk, &cases)?);
    for notice in &notices {
        *report
            .queued
            .entry(format!(
                "{}/{}",
                notice.purpose.word(),
                notice.channel.word()
            ))
            .or_default() += 1;
    }
    if !dry_run {
        let events = notices
            .into_iter()
            .map(|notice| Event::Queued {
                notice: Box::new(notice),
            })
            .collect();
        desk.store.commit(desk.now, "notify", events)?;
    }
    Ok(report)
}

/// The enterprises whose cases are on a county's desk, and how many firms share each telephone: whose number it is matters only while
/// somebody waits for a message.
fn concerned(desk: Desk<'_>, cases: &[Case]) -> Result<(Known, FirmsByPhone), Failure> {
    let on_the_list: BTreeSet<&str> = cases
        .iter()
        .filter(|case| county::on_the_list(case.stage))
        .map(|case| case.enterprise.as_str())
        .collect();
    if !cases.iter().any(county::awaits_contact) {
        return Ok((of_ids(desk, &on_the_list)?, FirmsByPhone::default()));
    }
    let firms_on = Mutex::new(FirmsByPhone::default());
    let known = some(desk, &|enterprise, _| {
        let contacts = contacts_of(enterprise);
        // Counting is done before anything can fail: a panic elsewhere left it whole.
        let mut firms_on = firms_on.lock().unwrap_or_else(PoisonError::into_inner);
        firms_on.add(&contacts);
        on_the_list.contains(enterprise.id.as_str())
    })?;
    let firms_on = firms_on.into_inner();
    Ok((known, firms_on.unwrap_or_else(PoisonError::into_inner)))
}

fn rendered<T>(result: Result<T, RenderError>) -> Result<T, Failure> {
    result.map_err(|error| Failure::Render {
        what: error.what.to_owned(),
        text: error.text,
    })
}

fn contacts_of(enterprise: &Enterprise) -> Contacts {
    let text = |field| {
        enterprise
            .registration
            .as_ref()
            .and_then(|placed| placed.record.text(field))
    };
    Contacts::read(text(Field::Phone), text(Field::Email))
}

/// The messages to firms for steps whose contact has not been recorded yet.
fn firms(
    desk: Desk<'_>,
    register: &Register,
    firms_on: &FirmsByPhone,
    cases: &[Case],
    report: &mut NotifyReport,
) -> Result<Vec<Notice>, Failure> {
    let mut notices = Vec::new();
    let waiting: Vec<&Case> = cases
        .iter()
        .filter(|case| county::awaits_contact(case))
        .collect();
    for (step, stage) in [
        (Step::RegistrationNotice, Stage::Notified),
        (Step::Reminder, Stage::Reminded),
    ] {
        let at_step = waiting.iter().copied().filter(|case| case.stage == stage);
        for bundle in outreach::bundles(at_step, step) {
            let Some(first) = bundle.first() else {
                continue;
            };
            let Some(enterprise) = register.get(&first.enterprise) else {
                continue;
            };
            let Some(unit) = desk.configuration.units().get(&first.unit) else {
                continue;
            };
            let subject = Subject {
                desk,
                enterprise,
                unit,
                bundle: &bundle,
                step,
            };
            for way in outreach::ways(
                &contacts_of(enterprise),
                bundle.iter().any(|case| case.wrong_contact),
                firms_on,
            ) {
                match way {
                    Way::Take { channel, address } => {
                        notices.extend(subject.notice(channel, address)?);
                    }
                    Way::Leave { channel, why } => {
                        *report
                            .left
                            .entry(format!("{}：{why}", channel.title()))
                            .or_default() += 1;
                    }
                }
            }
        }
    }
    Ok(notices)
}

/// One firm and the cases that one step bundles.
struct Subject<'a> {
    desk: Desk<'a>,
    enterprise: &'a Enterprise,
    unit: &'a Unit,
    bundle: &'a [&'a Case],
    step: Step,
}

impl Subject<'_> {
    fn cases(&self) -> Vec<CaseId> {
        self.bundle.iter().map(|case| case.id.clone()).collect()
    }

    fn findings(&self) -> Vec<(FindingKind, Vec<Insurance>)> {
        self.bundle
            .iter()
            .map(|case| (case.finding.kind, case.finding.kinds.clone()))
            .collect()
    }

    fn answer(&self) -> String {
        let ladder = &self.desk.configuration.ladder;
        match self.step {
            Step::RegistrationNotice => ladder.notice.answer.to_string(),
            Step::Reminder => ladder.reminder.answer.to_string(),
        }
    }

    fn demo_mark(&self) -> Option<String> {
        self.desk.configuration.settings.demo_mark.clone()
    }

    /// The notice, unless it stands in the outbox already.
    fn notice(&self, channel: Channel, address: String) -> Result<Option<Notice>, Failure> {
        let cases = self.cases();
        let key = outreach::key(&self.enterprise.id, self.step, &cases, channel, &address);
        if self.desk.store.notice(&key)?.is_some() {
            return Ok(None);
        }
        let Mail { subject, text } = self.words(channel)?;
        let attachments = if channel == Channel::Letter {
            vec![self.letter()?]
        } else {
            Vec::new()
        };
        Ok(Some(Notice {
            key,
            purpose: match self.step {
                Step::RegistrationNotice => Purpose::RegistrationNotice,
                Step::Reminder => Purpose::Reminder,
            },
            recipient: Recipient::Firm {
                enterprise: self.enterprise.id.clone(),
                name: self.enterprise.name.clone(),
            },
            channel,
            cases,
            unit: self.unit.id.clone(),
            address,
            subject,
            text,
            attachments,
            decided: self.desk.now,
            day: self.desk.today(),
            state: NoticeState::Queued,
            attempts: 0,
            answer: None,
        }))
    }

    fn words(&self, channel: Channel) -> Result<Mail, Failure> {
        let subject = self.step.title().to_owned();
        match channel {
            Channel::Letter => Ok(Mail {
                subject,
                text: String::new(),
            }),
            Channel::Sms | Channel::CallList => {
                let text = rendered(sms::text(&FirmText {
                    demo_mark: self.demo_mark(),
                    step: self.step,
                    agency: self.unit.agency.clone(),
                    agency_phone: self.unit.phone.clone(),
                    firm: self.enterprise.name.clone(),
                    answer: self.answer(),
                }))?;
                Ok(Mail { subject, text })
            }
            Channel::Email => rendered(mail::firm(&FirmMail {
                demo_mark: self.demo_mark(),
                step: self.step,
                agency: self.unit.agency.clone(),
                agency_phone: self.unit.phone.clone(),
                firm: self.enterprise.name.clone(),
                findings: self.findings(),
                answer: self.answer(),
                cases: self.cases(),
                day: self.desk.today(),
            })),
        }
    }

    fn letter(&self) -> Result<Attachment, Failure> {
        let address = self
            .enterprise
            .registration
            .as_ref()
            .and_then(|placed| placed.record.text(Field::Address))
            .unwrap_or_default();
        let page = rendered(letter::html(&Letter {
            demo_mark: self.demo_mark(),
            step: self.step,
            agency: self.unit.agency.clone(),
            agency_phone: self.unit.phone.clone(),
            firm: self.enterprise.name.clone(),
            credit_code: self.enterprise.credit_code.clone(),
            address: address.to_owned(),
            findings: self.findings(),
            day: self.desk.today(),
            answer: self.answer(),
            cases: self.cases(),
        }))?;
        let digest = self.desk.store.archive_bytes(page.as_bytes())?;
        let name = format!("{}-{}.html", self.step.word(), self.enterprise.id);
        Ok(Attachment { name, digest })
    }
}

/// One alert mail a county and day, when something is new for it today: a dispatch, letters, calls, an answer overdue since today.
fn counties(
    desk: Desk<'_>,
    known: &Known,
    cases: &[Case],
    to_firms: &[Notice],
) -> Result<Vec<Notice>, Failure> {
    let mut notices = Vec::new();
    let waiting = desk.store.outbox()?;
    for unit in &desk.configuration.units().units {
        let own: Vec<&Case> = cases.iter().filter(|case| case.unit == unit.id).collect();
        let mut fresh: Vec<&Notice> = to_firms
            .iter()
            .filter(|notice| notice.unit == unit.id)
            .collect();
        let usual = format!("county_alert/{}/{}", unit.id, desk.today());
        let Some(key) = free_key(desk, &usual)? else {
            continue;
        };
        let is_anew = key != usual;
        if is_anew {
            // Today's alert was taken back before it went: what it carried goes with the new one.
            let is_carried = |notice: &&Notice| {
                notice.unit == unit.id && notice.day == desk.today() && notice.purpose.to_firm()
            };
            fresh.extend(waiting.iter().filter(is_carried));
        }
        if !is_anew && !has_news(desk, &own, &fresh) {
            continue;
        }
        let mail = rendered(mail::county_alert(&alert(desk, unit, &own, &fresh)))?;
        let mut attachments = vec![keep(
            desk,
            format!("worklist-{}-{}.xlsx", unit.id, desk.today()),
            &rendered(worklist::xlsx(&county::worklist(desk, known, unit, cases)))?,
        )?];
        attachments.extend(calls_of(&fresh));
        if let Some(letters) = letters(desk, unit, &fresh)? {
            attachments.push(letters);
        }
        notices.push(internal(
            desk,
            Message {
                key,
                purpose: Purpose::CountyAlert,
                recipient: Recipient::County {
                    unit: unit.id.clone(),
                },
                unit: unit.id.clone(),
                address: unit.email.clone(),
                mail,
                attachments,
                cases: own
                    .iter()
                    .filter(|case| case.is_open())
                    .map(|case| case.id.clone())
                    .collect(),
            },
        ));
    }
    Ok(notices)
}

/// The key under which a message goes into the outbox; `None` when it stands there. One that was taken back unsent is followed by
/// another under a key of its own.
fn free_key(desk: Desk<'_>, usual: &str) -> Result<Option<String>, Failure> {
    let mut key = usual.to_owned();
    let mut times = 1;
    while let Some(notice) = desk.store.notice(&key)? {
        if notice.state != NoticeState::Withdrawn {
            return Ok(None);
        }
        times += 1;
        key = format!("{usual}/{times}");
    }
    Ok(Some(key))
}

fn has_news(desk: Desk<'_>, own: &[&Case], fresh: &[&Notice]) -> bool {
    let today = desk.today();
    let yesterday = today.yesterday().unwrap_or(today);
    !fresh.is_empty()
        || own.iter().any(|case| {
            case.stage == Stage::Dispatched
                && (case.dispatched == Some(today)
                    // Overdue since the last day: said once, on the first working day after it.
                    || case.answer_due.is_some_and(|due| {
                        due < today && desk.configuration.calendar.working_days_between(due, today) == 1
                            && due <= yesterday
                    }))
        })
}

fn alert(desk: Desk<'_>, unit: &Unit, own: &[&Case], fresh: &[&Notice]) -> CountyAlert {
    let today = desk.today();
    let dispatched: Vec<&&Case> = own
        .iter()
        .filter(|case| case.dispatched == Some(today) && case.stage == Stage::Dispatched)
        .collect();
    let checking: Vec<&&Case> = own
        .iter()
        .filter(|case| case.stage == Stage::Dispatched)
        .collect();
    let by_channel = |channel: Channel| {
        fresh
            .iter()
            .filter(|notice| notice.channel == channel)
            .count()
    };
    CountyAlert {
        demo_mark: desk.configuration.settings.demo_mark.clone(),
        centre: desk.configuration.settings.centre.clone(),
        agency: unit.agency.clone(),
        day: today,
        dispatched: dispatched
            .first()
            .and_then(|case| Some((case.wave?, dispatched.len(), case.answer_due?))),
        checking: (
            checking.len(),
            checking
                .iter()
                .filter(|case| case.answer_due.is_some_and(|due| due < today))
                .count(),
        ),
        letters: by_channel(Channel::Letter),
        calls: by_channel(Channel::CallList),
        unreachable: own
            .iter()
            .filter(|case| case.stage == Stage::Unreachable)
            .count(),
        remark: None,
    }
}

/// Every call of a county carries the county's list of the day: one file, however many calls.
fn attach_calls(
    desk: Desk<'_>,
    register: &Register,
    notices: &mut [Notice],
) -> Result<(), Failure> {
    for unit in &desk.configuration.units().units {
        let own: Vec<&Notice> = notices
            .iter()
            .filter(|notice| notice.unit == unit.id)
            .collect();
        let Some(list) = calls(desk, register, unit, &own)? else {
            continue;
        };
        for notice in notices.iter_mut() {
            if notice.unit == unit.id && notice.channel == Channel::CallList {
                notice.attachments = vec![list.clone()];
            }
        }
    }
    Ok(())
}

/// The list that a county's calls carry.
fn calls_of(fresh: &[&Notice]) -> Option<Attachment> {
    fresh
        .iter()
        .find(|notice| notice.channel == Channel::CallList)?
        .attachments
        .first()
        .cloned()
}

/// Today's calls of one county; firms of one number stand together.
fn calls(
    desk: Desk<'_>,
    register: &Register,
    unit: &Unit,
    fresh: &[&Notice],
) -> Result<Option<Attachment>, Failure> {
    let mut shared: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    let own: Vec<&&Notice> = fresh
        .iter()
        .filter(|notice| notice.channel == Channel::CallList)
        .collect();
    if own.is_empty() {
        return Ok(None);
    }
    for notice in &own {
        if let Recipient::Firm { enterprise, .. } = &notice.recipient {
            shared
                .entry(&notice.address)
                .or_default()
                .insert(enterprise);
        }
    }
    let mut rows: Vec<Call> = own
        .iter()
        .filter_map(|notice| {
            let Recipient::Firm { enterprise, name } = &notice.recipient else {
                return None;
            };
            Some(Call {
                phone: notice.address.clone(),
                name: name.clone(),
                credit_code: register
                    .get(enterprise)
                    .map(|known| known.credit_code.clone())
                    .unwrap_or_default(),
                step: if notice.purpose == Purpose::Reminder {
                    Step::Reminder
                } else {
                    Step::RegistrationNotice
                },
                matter: notice.text.clone(),
                cases: notice.cases.clone(),
                shared_with: shared.get(notice.address.as_str()).map_or(0, |firms| {
                    u32::try_from(firms.len().saturating_sub(1)).unwrap_or(u32::MAX)
                }),
            })
        })
        .collect();
    rows.sort_by(|a, b| (&a.phone, &a.name).cmp(&(&b.phone, &b.name)));
    let list = CallList {
        demo_mark: desk.configuration.settings.demo_mark.clone(),
        unit: unit.name.clone(),
        day: desk.today(),
        rows,
    };
    let name = format!("calls-{}-{}.xlsx", unit.id, desk.today());
    Ok(Some(keep(desk, name, &rendered(call_list::xlsx(&list))?)?))
}

/// Today's letters of one county in one zip, to print, number, seal and post.
fn letters(desk: Desk<'_>, unit: &Unit, fresh: &[&Notice]) -> Result<Option<Attachment>, Failure> {
    let pages: Vec<&Attachment> = fresh
        .iter()
        .filter(|notice| notice.channel == Channel::Letter)
        .flat_map(|notice| &notice.attachments)
        .collect();
    if pages.is_empty() {
        return Ok(None);
    }
    let failed = |text: String| Failure::Render {
        what: "信函压缩包".to_owned(),
        text,
    };
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    // A fixed time: the same letters give the same bytes.
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    for page in pages {
        zip.start_file(&page.name, options)
            .map_err(|error| failed(error.to_string()))?;
        zip.write_all(&desk.store.read_archived(&page.digest)?)
            .map_err(|error| failed(error.to_string()))?;
    }
    let bytes = zip
        .finish()
        .map_err(|error| failed(error.to_string()))?
        .into_inner();
    Ok(Some(keep(
        desk,
        format!("letters-{}-{}.zip", unit.id, desk.today()),
        &bytes,
    )?))
}

/// Transfers by audit unit and day: one mail to it, one copy to the city's 稽核科.
fn transfers(desk: Desk<'_>, cases: &[Case]) -> Result<Vec<Notice>, Failure> {
    let mut groups: BTreeMap<(Date, &str), Vec<&Case>> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.stage == Stage::Transferred) {
        if let Some(day) = case.transferred {
            groups
                .entry((day, case.transferred_to.as_deref().unwrap_or(&case.unit)))
                .or_default()
                .push(case);
        }
    }
    let settings = &desk.configuration.settings;
    let mut notices = Vec::new();
    for ((day, to), group) in groups {
        let Some(unit) = desk.configuration.units().get(to) else {
            continue;
        };
        let is_city = unit.id == settings.city_unit;
        let usual = format!("transfer/{to}/{day}");
        let mut mails = Vec::new();
        for copy in if is_city {
            &[false][..]
        } else {
            &[false, true]
        } {
            let usual = if *copy {
                format!("{usual}/copy")
            } else {
                usual.clone()
            };
            mails.extend(free_key(desk, &usual)?.map(|key| (key, *copy)));
        }
        if mails.is_empty() {
            continue;
        }
        let audit_unit = if is_city {
            "稽核科".to_owned()
        } else {
            format!("{}稽核股", unit.agency)
        };
        let list = Transfer {
            demo_mark: settings.demo_mark.clone(),
            agency: unit.agency.clone(),
            to: audit_unit.clone(),
            day,
            cases: group.iter().map(|case| (*case).clone()).collect(),
        };
        let attachment = keep(
            desk,
            format!("transfer-{to}-{day}.xlsx"),
            &rendered(transfer::xlsx(&list))?,
        )?;
        for (key, copy) in mails {
            let mail = rendered(mail::transfer(&TransferMail {
                demo_mark: settings.demo_mark.clone(),
                centre: settings.centre.clone(),
                agency: unit.agency.clone(),
                to: audit_unit.clone(),
                day,
                cases: group.len(),
                copy,
            }))?;
            notices.push(internal(
                desk,
                Message {
                    key,
                    purpose: Purpose::Transfer,
                    recipient: Recipient::Audit {
                        unit: if copy {
                            settings.city_unit.clone()
                        } else {
                            unit.id.clone()
                        },
                    },
                    unit: unit.id.clone(),
                    address: if copy || is_city {
                        settings.recipients.audit_section.clone()
                    } else {
                        unit.audit_email.clone()
                    },
                    mail,
                    attachments: vec![attachment.clone()],
                    cases: group.iter().map(|case| case.id.clone()).collect(),
                },
            ));
        }
    }
    Ok(notices)
}

/// Keeps a file in the archive.
pub fn keep(desk: Desk<'_>, name: String, bytes: &[u8]) -> Result<Attachment, Failure> {
    let digest = desk.store.archive_bytes(bytes)?;
    Ok(Attachment { name, digest })
}

/// A mail inside the house, before it is a notice.
pub struct Message {
    /// Derived key.
    pub key: String,
    /// What it is for.
    pub purpose: Purpose,
    /// To whom.
    pub recipient: Recipient,
    /// The unit it is about.
    pub unit: String,
    /// Mail address.
    pub address: String,
    /// Subject and text.
    pub mail: Mail,
    /// Files that go with it.
    pub attachments: Vec<Attachment>,
    /// Cases it is about.
    pub cases: Vec<CaseId>,
}

/// The notice of a mail inside the house.
#[must_use]
pub fn internal(desk: Desk<'_>, message: Message) -> Notice {
    Notice {
        key: message.key,
        purpose: message.purpose,
        recipient: message.recipient,
        channel: Channel::Email,
        cases: message.cases,
        unit: message.unit,
        address: message.address,
        subject: message.mail.subject,
        text: message.mail.text,
        attachments: message.attachments,
        decided: desk.now,
        day: desk.today(),
        state: NoticeState::Queued,
        attempts: 0,
        answer: None,
    }
}
