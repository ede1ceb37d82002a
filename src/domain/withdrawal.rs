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

/// The day from which the batch counted, here: nothing that followed from it is older.
#[must_use]
pub fn counted_from(batch: &Batch) -> Date {
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

/// Whether a withdrawal of this batch may touch the case.
#[must_use]
pub fn concerns(case: &Case, batch: &Batch) -> bool {
    (case.is_open() && rests_on(case, batch)) || ended_by(case, batch)
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
        let is_unknown = assessment.is_some_and(|assessment| {
            matches!(
                assessment.standing,
                Standing::RollNotKnown | Standing::IdentityUndecided
            )
        }) && batch.kind != RecordKind::InsuredRoll;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::batch::{Census, ChangeCounts, Release, Verdict, Withdrawal};
    use crate::domain::case::{Stage, apply};
    use crate::domain::employment::Evidence;
    use crate::domain::finding::{Finding, Ground, Insurance};
    use crate::domain::notice::{Attachment, Recipient};

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    fn noon(text: &str) -> jiff::Timestamp {
        shanghai::instant(day(text).at(12, 0, 0, 0))
    }

    fn batch(kind: RecordKind) -> Batch {
        Batch {
            batch: "b1".to_owned(),
            adapter: kind.name().to_owned(),
            kind,
            digest: String::new(),
            adapter_digest: String::new(),
            file: "f.xlsx".to_owned(),
            received: noon("2026-03-10"),
            as_of: Some(day("2026-03-09")),
            rows: 0,
            set_aside: 0,
            verdict: Verdict::Withdrawn,
            reasons: Vec::new(),
            census: Census::default(),
            columns: Vec::new(),
            changes: ChangeCounts::default(),
            issues: Vec::new(),
            issues_found: 0,
            released: None,
            withdrawn: Some(Withdrawal {
                by: "张示例".to_owned(),
                reason: "导出范围有误".to_owned(),
                at: noon("2026-03-20"),
            }),
        }
    }

    fn finding(batch: &str, roll_as_of: &str, employed: u64) -> Finding {
        Finding {
            kind: FindingKind::Absent,
            kinds: Insurance::ALL.to_vec(),
            employed,
            registered: BTreeMap::new(),
            roll_as_of: day(roll_as_of),
            grounds: vec![Ground {
                source: "tax".to_owned(),
                batch: batch.to_owned(),
                file: "f.csv".to_owned(),
                row: 2,
                date: None,
                text: String::new(),
                rule: "coverage.absent".to_owned(),
                article: String::new(),
            }],
        }
    }

    fn case(finding: Finding, opened: &str) -> Case {
        let event = CaseEvent::Opened {
            enterprise: "E1".to_owned(),
            credit_code: "1".to_owned(),
            name: "南阳示例商贸有限公司".to_owned(),
            unit: "411302".to_owned(),
            ordinal: 1,
            reopened: false,
            finding,
        };
        apply("E1-A-1", None, &event, day(opened)).expect("opened")
    }

    fn ended(case: Case, reason: ClosingReason, text: &str, on: &str) -> Case {
        let event = CaseEvent::Closed {
            reason,
            text: text.to_owned(),
            heads: BTreeMap::new(),
        };
        apply("E1-A-1", Some(case), &event, day(on)).expect("closed")
    }

    fn assessment(standing: Standing, findings: Vec<Finding>) -> Assessment {
        Assessment {
            enterprise: "E1".to_owned(),
            unit: "411302".to_owned(),
            active: true,
            evidence: Evidence::Strong(Vec::new()),
            class: None,
            class_basis: None,
            tags: Vec::new(),
            in_scope: true,
            undecided: false,
            standing,
            doubts: Vec::new(),
            findings,
            roll_month: None,
            turns: None,
        }
    }

    /// What becomes of one case: the word of its event, or how many are undecided.
    fn fate(batch: &Batch, case: Case, assessment: Option<Assessment>) -> String {
        let assessments: Vec<_> = assessment.into_iter().collect();
        let followed = follow(batch, &[case], &assessments, &Register::default());
        let word = |event: &CaseEvent| match event {
            CaseEvent::Closed { reason, .. } => {
                assert_eq!(*reason, ClosingReason::BatchWithdrawn);
                "closed".to_owned()
            }
            CaseEvent::Refreshed { finding, .. } => format!("refreshed {}", finding.employed),
            CaseEvent::Resumed { .. } => "resumed".to_owned(),
            other => panic!("{other:?}"),
        };
        assert!(followed.events.len() < 2);
        match followed.events.first() {
            Some((_, event)) => word(event),
            None => format!("{} undecided", followed.undecided),
        }
    }

    #[test]
    fn an_open_case_is_closed_refreshed_or_left() {
        let tax = batch(RecordKind::Tax);
        let roll = batch(RecordKind::InsuredRoll);
        let mut released = roll.clone();
        released.released = Some(Release {
            by: "李示例".to_owned(),
            reason: "核对".to_owned(),
            at: noon("2026-03-12"),
            until: None,
        });
        let insured = || Some(assessment(Standing::Insured, Vec::new()));
        let unknown = || Some(assessment(Standing::RollNotKnown, Vec::new()));
        let doubtful = || {
            Some(assessment(
                Standing::Doubtful,
                vec![finding("b0", "2026-03-05", 7)],
            ))
        };
        let on = |batch: &str, roll: &str, opened: &str| case(finding(batch, roll, 9), opened);
        for (what, batch, case, assessment, expected) in [
            (
                "named by a ground",
                &tax,
                on("b1", "2026-03-05", "2026-03-11"),
                insured(),
                "closed",
            ),
            (
                "still doubtful",
                &tax,
                on("b1", "2026-03-05", "2026-03-11"),
                doubtful(),
                "refreshed 7",
            ),
            (
                "rests on another",
                &tax,
                on("b2", "2026-03-09", "2026-03-11"),
                insured(),
                "0 undecided",
            ),
            (
                "opened before it came",
                &tax,
                on("b1", "2026-03-05", "2026-03-09"),
                insured(),
                "0 undecided",
            ),
            (
                "the roll cannot say",
                &tax,
                on("b1", "2026-03-05", "2026-03-11"),
                unknown(),
                "1 undecided",
            ),
            (
                "its enterprise is gone",
                &tax,
                on("b1", "2026-03-05", "2026-03-11"),
                None,
                "closed",
            ),
            (
                "judged on the roll",
                &roll,
                on("b2", "2026-03-09", "2026-03-11"),
                insured(),
                "closed",
            ),
            (
                "the roll was the ground",
                &roll,
                on("b2", "2026-03-09", "2026-03-11"),
                unknown(),
                "closed",
            ),
            (
                "judged on another roll",
                &roll,
                on("b2", "2026-03-08", "2026-03-11"),
                insured(),
                "0 undecided",
            ),
            (
                "opened before the release",
                &released,
                on("b2", "2026-03-09", "2026-03-11"),
                insured(),
                "0 undecided",
            ),
            (
                "opened after the release",
                &released,
                on("b2", "2026-03-09", "2026-03-12"),
                insured(),
                "closed",
            ),
        ] {
            assert_eq!(fate(batch, case, assessment), expected, "{what}");
        }
        let same = on("b1", "2026-03-05", "2026-03-11");
        let still = assessment(Standing::Doubtful, vec![same.finding.clone()]);
        assert_eq!(fate(&tax, same, Some(still)), "0 undecided", "nothing new");
    }

    #[test]
    fn a_case_that_ended_by_the_batch_goes_on() {
        let roll = batch(RecordKind::InsuredRoll);
        let by_it = "2026年3月9日的参保登记册（f.xlsx）已显示";
        let by_other = "2026年3月8日的参保登记册（g.xlsx）已显示";
        let doubtful = || {
            Some(assessment(
                Standing::Doubtful,
                vec![finding("b0", "2026-03-05", 9)],
            ))
        };
        let insured = || Some(assessment(Standing::Insured, Vec::new()));
        let closed = |reason, text: &str, on: &str| {
            ended(
                case(finding("b0", "2026-03-05", 9), "2026-03-06"),
                reason,
                text,
                on,
            )
        };
        for (case, assessment, expected) in [
            (
                closed(ClosingReason::Enrolled, by_it, "2026-03-11"),
                doubtful(),
                "resumed",
            ),
            (
                closed(ClosingReason::EnrolledPartly, by_it, "2026-03-11"),
                doubtful(),
                "resumed",
            ),
            (
                closed(ClosingReason::NoLongerShown, by_it, "2026-03-11"),
                doubtful(),
                "resumed",
            ),
            (
                closed(ClosingReason::Enrolled, by_it, "2026-03-11"),
                insured(),
                "0 undecided",
            ),
            (
                closed(ClosingReason::Enrolled, by_other, "2026-03-11"),
                doubtful(),
                "0 undecided",
            ),
            (
                closed(ClosingReason::Enrolled, by_it, "2026-03-09"),
                doubtful(),
                "0 undecided",
            ),
            (
                closed(ClosingReason::Deregistered, by_it, "2026-03-11"),
                doubtful(),
                "0 undecided",
            ),
            (
                closed(ClosingReason::InsuredAlready, by_it, "2026-03-11"),
                doubtful(),
                "0 undecided",
            ),
        ] {
            let what = format!("{:?}", case.closed);
            assert_eq!(fate(&roll, case, assessment), expected, "{what}");
        }
        // A later case of the same doubt has taken its place.
        let old = closed(ClosingReason::Enrolled, by_it, "2026-03-11");
        let mut new = case(finding("b0", "2026-03-05", 9), "2026-03-12");
        new.id = "E1-A-2".to_owned();
        new.ordinal = 2;
        let assessments = [doubtful().expect("one")];
        let followed = follow(&roll, &[old, new], &assessments, &Register::default());
        assert!(followed.events.is_empty());
    }

    #[test]
    fn a_resumed_case_stands_where_it_stood() {
        let event =
            |change: CaseEvent, case: Case| apply("E1-A-1", Some(case), &change, day("2026-03-11"));
        let opened = case(finding("b0", "2026-03-05", 9), "2026-03-06");
        let due = day("2026-03-20");
        let dispatched =
            event(CaseEvent::Dispatched { wave: 1, due }, opened.clone()).expect("dispatched");
        let resumed = || CaseEvent::Resumed {
            finding: finding("b0", "2026-03-05", 8),
            text: "批次b1已撤回".to_owned(),
        };
        for before in [opened.clone(), dispatched] {
            let stage = before.stage;
            assert!(
                event(resumed(), before.clone()).is_err(),
                "it had not ended"
            );
            let case = ended(before, ClosingReason::Enrolled, "", "2026-03-11");
            let case = event(resumed(), case).expect("resumed");
            assert_eq!(
                (case.stage, case.closed.is_none(), case.finding.employed),
                (stage, true, 8)
            );
        }
        assert_eq!(opened.stage, Stage::Found);
        let by_person = ended(opened, ClosingReason::NoEmployees, "", "2026-03-11");
        assert!(event(resumed(), by_person).is_err(), "a person said so");
    }

    fn notice(key: &str, channel: Channel, state: NoticeState, cases: &[&str]) -> Notice {
        Notice {
            key: key.to_owned(),
            purpose: Purpose::RegistrationNotice,
            recipient: Recipient::Firm {
                enterprise: "E1".to_owned(),
                name: "南阳示例商贸有限公司".to_owned(),
            },
            channel,
            cases: cases.iter().map(|case| (*case).to_owned()).collect(),
            unit: "411302".to_owned(),
            address: String::new(),
            subject: "参保登记通知书".to_owned(),
            text: String::new(),
            attachments: Vec::new(),
            decided: noon("2026-03-11"),
            day: day("2026-03-11"),
            state,
            attempts: 0,
            answer: None,
        }
    }

    #[test]
    fn what_waits_is_cancelled_and_what_went_is_listed() {
        use {Channel as C, NoticeState as S};
        let with_list = |mut notice: Notice| {
            notice.attachments.push(Attachment {
                name: "calls.xlsx".to_owned(),
                digest: "d".to_owned(),
            });
            notice
        };
        let mut all = vec![
            notice("a", C::Letter, S::Accepted, &["E1-A-1"]),
            notice("b", C::Sms, S::Unknown, &["E1-A-1", "E1-K-1"]),
            notice("c", C::Email, S::Queued, &["E1-A-1"]),
            notice("d", C::Email, S::DryRun, &["E1-A-1"]),
            notice("e", C::Email, S::Failed, &["E1-A-1"]),
            notice("f", C::Letter, S::Accepted, &["E2-A-1"]),
            notice("g", C::Letter, S::Queued, &["E1-A-1"]),
            with_list(notice("h", C::CallList, S::Queued, &["E1-A-1"])),
        ];
        let mut alert = notice("i", C::Email, S::Queued, &["E1-A-1", "E2-A-1"]);
        alert.purpose = Purpose::CountyAlert;
        all.push(alert);
        let mut transfer = notice("j", C::Email, S::Accepted, &["E1-A-1"]);
        transfer.purpose = Purpose::Transfer;
        all.push(transfer);
        let closed = BTreeSet::from(["E1-A-1".to_owned()]);
        let sorted = |all: &[Notice]| {
            let sorted = notices(all, &closed);
            let listed: Vec<String> = sorted
                .corrections
                .iter()
                .map(|correction| correction.notice.key.clone())
                .collect();
            (sorted.cancelled.concat(), listed.concat())
        };
        assert_eq!(sorted(&all), ("cghi".to_owned(), "abj".to_owned()));
        // The call list goes with another firm's call; letters and lists had gone with the county's alert.
        let mut shared = all.clone();
        shared.push(with_list(notice("k", C::CallList, S::Queued, &["E2-A-1"])));
        assert_eq!(sorted(&shared), ("cghi".to_owned(), "abhj".to_owned()));
        all[8].state = S::Accepted;
        for notice in &mut all {
            if notice.state == S::Queued {
                notice.state = S::Withdrawn;
            }
        }
        assert_eq!(sorted(&all), (String::new(), "abghj".to_owned()), "again");
        for correction in notices(&all, &closed).corrections {
            let is_unsure = correction.notice.state == S::Unknown;
            assert_eq!(correction.to_do.starts_with("先核对"), is_unsure);
        }
    }
}
