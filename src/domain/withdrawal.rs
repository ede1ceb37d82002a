//! What follows from a withdrawn batch: which cases rested on it and what becomes of them, which notices are held back, which
//! have to be corrected. Pure; a person decides about every correction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use crate::calendar::shanghai;
use crate::domain::batch::Batch;
use crate::domain::case::{Case, CaseEvent, CaseId, ClosingReason};
use crate::domain::coverage::{Assessment, Standing};
use crate::domain::finding::FindingKind;
use crate::domain::notice::{Channel, Notice, NoticeState, Purpose};
use crate::domain::record::RecordKind;
use crate::domain::register::Register;
use crate::domain::review::roll_shows;

/// What becomes of the cases.
#[derive(Debug, Clone, Default)]
pub struct Followed {
    /// In the order in which they are to be committed.
    pub events: Vec<(CaseId, CaseEvent)>,
    /// Open cases of which the data cannot say today whether they are still doubtful; they stay as they are.
    pub undecided: u64,
}

/// What the closing of a case by this batch begins with.
fn closing_start(batch: &str) -> String {
    format!("批次{batch}已撤回")
}

/// Whether this batch's withdrawal closed the case.
#[must_use]
pub fn closed_by(case: &Case, batch: &str) -> bool {
    case.closed.as_ref().is_some_and(|closing| {
        closing.reason == ClosingReason::BatchWithdrawn
            && closing
                .text
                .strip_prefix(&closing_start(batch))
                .is_some_and(|rest| rest.starts_with('（'))
    })
}

/// Whether the finding of a case rests on this batch: a ground names it, or it is the roll on which the finding was judged.
#[must_use]
pub fn rests_on(case: &Case, batch: &Batch) -> bool {
    let finding = &case.finding;
    let is_named = finding
        .grounds
        .iter()
        .any(|ground| ground.batch == batch.batch);
    let is_roll = batch.kind == RecordKind::InsuredRoll && batch.as_of == Some(finding.roll_as_of);
    is_named || is_roll
}

/// The day from which the batch counted, here.
fn counted_from(batch: &Batch) -> Date {
    shanghai::civil(batch.counted_from()).date()
}

/// Whether the data of this batch may have ended the case.
fn ended_by(case: &Case, batch: &Batch) -> bool {
    let Some(closing) = &case.closed else {
        return false;
    };
    let shown = || {
        batch
            .as_of
            .is_some_and(|as_of| closing.text.contains(&roll_shows(as_of, &batch.file)))
    };
    let is_roll = batch.kind == RecordKind::InsuredRoll;
    let by_it = match closing.reason {
        ClosingReason::Enrolled | ClosingReason::EnrolledPartly => is_roll && shown(),
        ClosingReason::NoLongerShown => !is_roll || shown(),
        ClosingReason::Deregistered => batch.kind == RecordKind::Registration,
        _ => false,
    };
    by_it && closing.date >= counted_from(batch)
}

/// Assesses the cases that rest on a withdrawn batch by what is known without it. One that is still doubtful gets the finding as it
/// is now; one that is not, and was opened while the batch counted, is closed. One that ended by the batch and is doubtful without
/// it goes on where it stood.
#[must_use]
pub fn follow(
    batch: &Batch,
    cases: &[Case],
    assessments: &[Assessment],
    register: &Register,
) -> Followed {
    let reason = batch
        .withdrawn
        .as_ref()
        .map_or("", |withdrawal| withdrawal.reason.as_str());
    let text = format!("{}（{reason}）", closing_start(&batch.batch));
    let assessed: HashMap<&str, &Assessment> = assessments
        .iter()
        .map(|assessment| (assessment.enterprise.as_str(), assessment))
        .collect();
    let mut followed = Followed::default();
    resume(&mut followed, batch, cases, &assessed, &text);
    let resting = cases
        .iter()
        .filter(|case| case.is_open() && rests_on(case, batch));
    for case in resting {
        let assessment = assessed.get(case.enterprise.as_str());
        let finding = assessment.and_then(|assessment| {
            let mut findings = assessment.findings.iter();
            findings.find(|finding| finding.kind == case.finding.kind)
        });
        if let Some(finding) = finding {
            if *finding != case.finding {
                let name = register
                    .get(&case.enterprise)
                    .map_or(&case.name, |enterprise| &enterprise.name);
                let event = CaseEvent::Refreshed {
                    finding: finding.clone(),
                    name: name.clone(),
                };
                followed.events.push((case.id.clone(), event));
            }
            continue;
        }
        // Without a roll nothing shows whether the firm is doubtful. A withdrawn roll itself leaves the finding without its ground.
        let is_unknown = assessment
            .is_some_and(|assessment| assessment.standing == Standing::RollNotKnown)
            && batch.kind != RecordKind::InsuredRoll;
        if is_unknown || case.opened < counted_from(batch) {
            followed.undecided += u64::from(is_unknown);
            continue;
        }
        let event = CaseEvent::Closed {
            reason: ClosingReason::BatchWithdrawn,
            text: text.clone(),
            heads: BTreeMap::new(),
        };
        followed.events.push((case.id.clone(), event));
    }
    followed
}

/// Takes up again the cases that ended by the batch and are doubtful without it.
fn resume(
    followed: &mut Followed,
    batch: &Batch,
    cases: &[Case],
    assessed: &HashMap<&str, &Assessment>,
    text: &str,
) {
    let mut latest: HashMap<(&str, FindingKind), &Case> = HashMap::new();
    for case in cases {
        let known = latest
            .entry((&case.enterprise, case.finding.kind))
            .or_insert(case);
        if case.ordinal > known.ordinal {
            *known = case;
        }
    }
    for case in cases.iter().filter(|case| ended_by(case, batch)) {
        // A later case of the same doubt has taken its place.
        let key = (case.enterprise.as_str(), case.finding.kind);
        if latest.get(&key).is_some_and(|latest| latest.id != case.id) {
            continue;
        }
        let finding = assessed
            .get(case.enterprise.as_str())
            .and_then(|assessment| {
                let mut findings = assessment.findings.iter();
                findings.find(|finding| finding.kind == case.finding.kind)
            });
        if let Some(finding) = finding {
            let event = CaseEvent::Resumed {
                finding: finding.clone(),
                text: text.to_owned(),
            };
            followed.events.push((case.id.clone(), event));
        }
    }
}

/// What becomes of the notices that speak of closed cases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices<'n> {
    /// Keys of those that wait and are not to go out.
    pub cancelled: Vec<&'n str>,
    /// Those that somebody may have got, with what is to be done.
    pub corrections: Vec<Correction<'n>>,
}

/// A notice that may have to be corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction<'n> {
    /// The notice.
    pub notice: &'n Notice,
    /// What is to be done, Chinese.
    pub to_do: String,
}

/// Sorts out the notices that name one of these cases. One that was cancelled at an earlier run stays cancelled and is listed again
/// where its content went out with another message.
#[must_use]
pub fn notices<'n>(all: &'n [Notice], closed: &BTreeSet<CaseId>) -> Notices<'n> {
    let went = |notice: &Notice| {
        matches!(
            notice.state,
            NoticeState::Accepted | NoticeState::Unknown | NoticeState::Sending
        )
    };
    let names = |notice: &Notice| notice.cases.iter().any(|case| closed.contains(case));
    // Letters and call lists of a day go to the county with its alert too.
    let alerted: BTreeSet<(&str, Date)> = all
        .iter()
        .filter(|notice| notice.purpose == Purpose::CountyAlert && went(notice))
        .map(|notice| (notice.unit.as_str(), notice.day))
        .collect();
    // A call list is one file for all its calls: it goes out with those of other firms.
    let lists: BTreeSet<&str> = all
        .iter()
        .filter(|notice| notice.channel == Channel::CallList && !names(notice))
        .filter(|notice| went(notice) || notice.state == NoticeState::Queued)
        .flat_map(|notice| &notice.attachments)
        .map(|attachment| attachment.digest.as_str())
        .collect();
    let mut found = Notices::default();
    for notice in all.iter().filter(|notice| names(notice)) {
        if notice.state == NoticeState::Queued {
            found.cancelled.push(&notice.key);
        }
        if !notice.purpose.to_firm() && notice.purpose != Purpose::Transfer {
            continue;
        }
        let is_held = matches!(notice.state, NoticeState::Queued | NoticeState::Withdrawn);
        let by_paper = matches!(notice.channel, Channel::Letter | Channel::CallList);
        let went_along = is_held
            && by_paper
            && (alerted.contains(&(notice.unit.as_str(), notice.day))
                || notice
                    .attachments
                    .iter()
                    .any(|file| lists.contains(file.digest.as_str())));
        if went(notice) || went_along {
            found.corrections.push(Correction {
                notice,
                to_do: to_do(notice, went_along),
            });
        }
    }
    found
}

/// What staff tell a firm that was told something wrong.
const CORRECTED: &str = "原通知所据数据有误，现予撤回；贵单位无须据此办理，原通知所列期限不再计算，由此造成不便，敬请谅解";

fn to_do(notice: &Notice, went_along: bool) -> String {
    if notice.purpose == Purpose::Transfer {
        return "书面告知稽核部门：所列个案所据数据有误，撤回移送，停止据此稽核；已发出的稽核文书由其依程序更正，移送材料退回。"
            .to_owned();
    }
    let sure = match (notice.state, notice.channel) {
        (NoticeState::Accepted, _) => "",
        (_, Channel::Sms) => "先核对短信网关的发送记录；确已发出的，",
        (_, Channel::Email) => "先核对邮件服务器的发送记录；确已发出的，",
        _ => "",
    };
    match notice.channel {
        Channel::Letter if went_along => format!(
            "信函已随当日提醒邮件送交县区：通知县区停止寄发并销毁；已寄出的，按原地址寄送更正告知书，写明“{CORRECTED}”。"
        ),
        Channel::Letter => {
            format!("未寄出的停止寄发并销毁；已寄出的，按原地址寄送更正告知书，写明“{CORRECTED}”。")
        }
        Channel::CallList => format!(
            "未拨打的，从{}电话清单中划去该企业；已电话告知的，致电更正：“{CORRECTED}”，并登记通话日期和经办人。",
            notice.day
        ),
        Channel::Sms => format!("{sure}向同一号码发送更正短信：“{CORRECTED}”。"),
        Channel::Email => format!("{sure}向同一邮箱发送更正邮件：“{CORRECTED}”。"),
    }
}
