//! A case: one enterprise, one finding, from the first doubt to its end. Events move it; a rule that says no is a [`Refusal`].

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::finding::{Finding, FindingKind, Insurance};
use crate::domain::text::day;
use crate::domain::unit::UnitId;

/// The rule of a ground that tells of a clerk's answer whose validity ran out.
pub const ANSWER_EXPIRED: &str = "coverage.answer_expired";
/// The rule of a ground that tells of a clerk's answer that still clears other kinds.
pub const ANSWER_HOLDS: &str = "coverage.answer_holds";

/// `ENTERPRISE-LETTER-ORDINAL`, such as `EMA4FQYQ67-A-1`. Derived, never drawn.
pub type CaseId = String;

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Opened by a review, waiting for its dispatch.
    Found,
    /// Given to the county agency for checking.
    Dispatched,
    /// Confirmed by a named clerk.
    Confirmed,
    /// A registration notice was decided; its clock starts from a recorded contact.
    Notified,
    /// Nobody could be reached in time: not overdue, a list of its own.
    Unreachable,
    /// The period of the notice ran out; a reminder was decided.
    Reminded,
    /// The period of the reminder ran out.
    Overdue,
    /// With the audit unit.
    Transferred,
    /// Ended.
    Closed,
}

impl Stage {
    /// All, in order.
    pub const ALL: [Self; 9] = [
        Self::Found,
        Self::Dispatched,
        Self::Confirmed,
        Self::Notified,
        Self::Unreachable,
        Self::Reminded,
        Self::Overdue,
        Self::Transferred,
        Self::Closed,
    ];

    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Found => "待下发",
            Self::Dispatched => "核实中",
            Self::Confirmed => "已核实",
            Self::Notified => "已通知",
            Self::Unreachable => "无法联系",
            Self::Reminded => "已催办",
            Self::Overdue => "逾期",
            Self::Transferred => "已转稽核",
            Self::Closed => "已办结",
        }
    }
}

/// Why a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosingReason {
    /// A complete roll shows all owed kinds and heads.
    Enrolled,
    /// A complete roll shows part of it; what is still doubtful is a finding of its own.
    EnrolledPartly,
    /// Clerk: it was insured already (roll late, other name or code).
    InsuredAlready,
    /// Clerk: the staff are insured elsewhere, with proof.
    InsuredElsewhere,
    /// Clerk: whoever is not insured works part-time; what is owed all the same may be a case of its own.
    PartTime,
    /// Clerk: whoever is not insured is over age or draws a pension.
    OverAge,
    /// Clerk: whoever is not insured is staff of a dispatch agency.
    AgencyStaff,
    /// Clerk: no employees.
    NoEmployees,
    /// Clerk: closed down in fact.
    ClosedDown,
    /// The register shows it cancelled, revoked, liquidating or moved away.
    Deregistered,
    /// The exports no longer show what the finding rested on (staff gone, class or scope changed).
    NoLongerShown,
    /// A batch that the finding rested on was withdrawn.
    BatchWithdrawn,
    /// A named person has joined the enterprise to another: what is doubtful of both is the other's.
    Merged,
}

impl ClosingReason {
    /// All, in the order of lists.
    pub const ALL: [Self; 13] = [
        Self::Enrolled,
        Self::EnrolledPartly,
        Self::InsuredAlready,
        Self::InsuredElsewhere,
        Self::PartTime,
        Self::OverAge,
        Self::AgencyStaff,
        Self::NoEmployees,
        Self::ClosedDown,
        Self::Deregistered,
        Self::NoLongerShown,
        Self::BatchWithdrawn,
        Self::Merged,
    ];

    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Enrolled => "已参保",
            Self::EnrolledPartly => "部分参保",
            Self::InsuredAlready => "核实原已参保",
            Self::InsuredElsewhere => "核实异地或其他单位参保",
            Self::PartTime => "核实为非全日制用工",
            Self::OverAge => "核实为超龄或退休返聘",
            Self::AgencyStaff => "核实为劳务派遣",
            Self::NoEmployees => "核实无用工",
            Self::ClosedDown => "核实已停业",
            Self::Deregistered => "已注销、吊销、清算或迁出",
            Self::NoLongerShown => "数据不再显示疑点",
            Self::BatchWithdrawn => "所据批次已撤回",
            Self::Merged => "合并至其他企业",
        }
    }

    /// Whether exports alone said so, and no person.
    #[must_use]
    pub const fn by_data(self) -> bool {
        matches!(
            self,
            Self::Enrolled | Self::EnrolledPartly | Self::Deregistered | Self::NoLongerShown
        )
    }

    /// How long (calendar days) the same finding is not opened again after a clerk's answer that names no end of its own: answers
    /// recorded before ends were kept.
    #[must_use]
    pub const fn clears_for_days(self) -> i32 {
        match self {
            Self::InsuredAlready => 60,
            Self::InsuredElsewhere | Self::PartTime | Self::OverAge | Self::AgencyStaff => 365,
            Self::NoEmployees | Self::ClosedDown => 180,
            _ => 0,
        }
    }
}

/// What a named person records (`case record --event`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClerkEvent {
    /// The finding is true.
    Confirmed,
    /// It was insured all the time.
    InsuredAlready,
    /// Its staff are insured elsewhere; proof is required.
    InsuredElsewhere,
    /// Whoever is not insured works part-time (非全日制); proof is required.
    PartTime,
    /// Whoever is not insured is over age or draws a pension (超龄、退休返聘); proof is required.
    OverAge,
    /// Whoever is not insured is staff of a dispatch agency (劳务派遣); proof is required.
    AgencyStaff,
    /// Put forward: the workers waived it. Explains nothing.
    Waiver,
    /// Put forward: the workers are in the residents' scheme. Explains nothing.
    ResidentInsurance,
    /// Put forward: the workers pay for themselves as flexibly employed. Explains nothing.
    FlexibleEmployment,
    /// Put forward: the firm suspended its business itself. Explains nothing.
    OwnSuspension,
    /// It employs nobody.
    NoEmployees,
    /// It has closed down.
    ClosedDown,
    /// Phone or address is somebody else's.
    WrongContact,
    /// A call was answered.
    Phoned,
    /// A letter was posted; the mail number is required.
    Posted,
    /// The letter was delivered.
    Delivered,
    /// The letter came back.
    Returned,
}

impl ClerkEvent {
    /// All, in the order of `--help`.
    pub const ALL: [Self; 17] = [
        Self::Confirmed,
        Self::InsuredAlready,
        Self::InsuredElsewhere,
        Self::PartTime,
        Self::OverAge,
        Self::AgencyStaff,
        Self::Waiver,
        Self::ResidentInsurance,
        Self::FlexibleEmployment,
        Self::OwnSuspension,
        Self::NoEmployees,
        Self::ClosedDown,
        Self::WrongContact,
        Self::Phoned,
        Self::Posted,
        Self::Delivered,
        Self::Returned,
    ];

    /// The word on the command line and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::InsuredAlready => "insured_already",
            Self::InsuredElsewhere => "insured_elsewhere",
            Self::PartTime => "part_time",
            Self::OverAge => "over_age",
            Self::AgencyStaff => "agency_staff",
            Self::Waiver => "waiver",
            Self::ResidentInsurance => "resident_insurance",
            Self::FlexibleEmployment => "flexible_employment",
            Self::OwnSuspension => "own_suspension",
            Self::NoEmployees => "no_employees",
            Self::ClosedDown => "closed_down",
            Self::WrongContact => "wrong_contact",
            Self::Phoned => "phoned",
            Self::Posted => "posted",
            Self::Delivered => "delivered",
            Self::Returned => "returned",
        }
    }

    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Confirmed => "核实属实",
            Self::InsuredAlready => "核实原已参保",
            Self::InsuredElsewhere => "核实异地或其他单位参保",
            Self::PartTime => "核实为非全日制用工",
            Self::OverAge => "核实为超龄或退休返聘",
            Self::AgencyStaff => "核实为劳务派遣",
            Self::Waiver => "企业称职工自愿放弃参保",
            Self::ResidentInsurance => "企业称职工已参加城乡居民养老保险",
            Self::FlexibleEmployment => "企业称职工以灵活就业身份缴费",
            Self::OwnSuspension => "企业称已自行停业",
            Self::NoEmployees => "核实无用工",
            Self::ClosedDown => "核实已停业",
            Self::WrongContact => "联系方式有误",
            Self::Phoned => "电话已告知",
            Self::Posted => "通知书已邮寄",
            Self::Delivered => "通知书已送达",
            Self::Returned => "通知书被退回",
        }
    }

    /// The closing a checking answer leads to.
    #[must_use]
    pub const fn closes(self) -> Option<ClosingReason> {
        match self {
            Self::InsuredAlready => Some(ClosingReason::InsuredAlready),
            Self::InsuredElsewhere => Some(ClosingReason::InsuredElsewhere),
            Self::PartTime => Some(ClosingReason::PartTime),
            Self::OverAge => Some(ClosingReason::OverAge),
            Self::AgencyStaff => Some(ClosingReason::AgencyStaff),
            Self::NoEmployees => Some(ClosingReason::NoEmployees),
            Self::ClosedDown => Some(ClosingReason::ClosedDown),
            _ => None,
        }
    }

    /// Whether it records what is put forward and explains nothing.
    #[must_use]
    pub const fn is_no_excuse(self) -> bool {
        matches!(
            self,
            Self::Waiver | Self::ResidentInsurance | Self::FlexibleEmployment | Self::OwnSuspension
        )
    }

    /// Whether the rules of liability must say what it means.
    #[must_use]
    pub const fn needs_rule(self) -> bool {
        self.closes().is_some() || self.is_no_excuse()
    }

    /// Whether a paper must be named.
    #[must_use]
    pub const fn needs_proof(self) -> bool {
        matches!(
            self,
            Self::InsuredElsewhere | Self::PartTime | Self::OverAge | Self::AgencyStaff
        )
    }
}

/// What the rules of liability in force on the day of a clerk's record make of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClerkRule {
    /// Kinds that are not owed for this reason; none when it explains nothing.
    pub clears: Vec<Insurance>,
    /// The last day on which the record holds.
    pub until: Option<Date>,
    /// The article.
    pub article: String,
}

/// How the firm was reached. Only these start a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactKind {
    /// Letter posted, with its mail number.
    Posted,
    /// Call answered.
    Phoned,
    /// The gateway reported the text as delivered.
    SmsDelivered,
    /// The firm's mail server took the mail.
    EmailAccepted,
}

impl ContactKind {
    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Posted => "邮寄通知书",
            Self::Phoned => "电话告知",
            Self::SmsDelivered => "短信送达",
            Self::EmailAccepted => "邮件接收",
        }
    }
}

/// One recorded contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// How.
    pub kind: ContactKind,
    /// The day.
    pub date: Date,
    /// The clerk, or `courier` for a receipt.
    pub by: String,
    /// Mail number or receipt id.
    pub number: Option<String>,
    /// Of a letter: the day it was delivered, once that is recorded.
    #[serde(default)]
    pub delivered: Option<Date>,
}

impl Contact {
    /// The day it reached the firm, as far as that is recorded.
    #[must_use]
    pub fn heard(&self) -> Date {
        self.delivered.unwrap_or(self.date)
    }
}

/// A step whose notice was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// 参保登记通知书.
    RegistrationNotice,
    /// 催办.
    Reminder,
}

impl Step {
    /// The word in keys and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RegistrationNotice => "registration_notice",
            Self::Reminder => "reminder",
        }
    }

    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::RegistrationNotice => "参保登记通知书",
            Self::Reminder => "参保催办提醒",
        }
    }
}

/// One line of a case's history, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The day it happened (a clerk may record it later).
    pub date: Date,
    /// Who.
    pub by: String,
    /// What, in Chinese.
    pub text: String,
}

/// What happens to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CaseEvent {
    /// A review found it.
    Opened {
        /// Its id.
        enterprise: String,
        /// Its credit code.
        credit_code: String,
        /// Its name.
        name: String,
        /// The agency.
        unit: UnitId,
        /// 1 for the first case of this enterprise and finding.
        ordinal: u32,
        /// Whether an earlier case of the same finding had closed as enrolled.
        reopened: bool,
        /// The finding.
        finding: Finding,
    },
    /// A later review saw other figures or a newer roll.
    Refreshed {
        /// As it is now.
        finding: Finding,
        /// The firm's name now.
        name: String,
    },
    /// The agency changed with the firm's seat.
    Moved {
        /// The new agency.
        to: UnitId,
    },
    /// 第N批疑点下发.
    Dispatched {
        /// Number of the dispatch.
        wave: u32,
        /// When the answer is due.
        due: Date,
    },
    /// A named person's record.
    Clerk {
        /// What.
        clerk_event: ClerkEvent,
        /// Who.
        by: String,
        /// The day it happened.
        date: Date,
        /// Name or number of the proof.
        proof: Option<String>,
        /// Mail number.
        number: Option<String>,
        /// What the rules of liability make of it; absent where they have no say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<ClerkRule>,
    },
    /// The data about the enterprise came under doubt, or its labour relations are to be verified: no step is taken until a review
    /// finds it doubtful or covered again.
    Doubted {
        /// Why, in Chinese.
        text: String,
    },
    /// A receipt that counts as contact.
    Received {
        /// The contact it proves.
        contact: Contact,
    },
    /// The step's notice was decided.
    Decided {
        /// Which step.
        step: Step,
        /// The day the roll speaks of that last showed the finding.
        roll_as_of: Date,
    },
    /// No contact within the patience of the step.
    Unreachable,
    /// The reminder's period ran out.
    Overdue,
    /// Handed to the audit unit.
    Transferred {
        /// Whose audit unit.
        to: UnitId,
    },
    /// It ended by the data; `heads` are the newly registered persons by kind when it was by enrolment.
    Closed {
        /// Why.
        reason: ClosingReason,
        /// The fact, in Chinese.
        text: String,
        /// Newly registered persons by kind.
        heads: BTreeMap<Insurance, u64>,
    },
    /// The data it had ended by were withdrawn: it goes on where it stood.
    Resumed {
        /// As it is now.
        finding: Finding,
        /// Why, in Chinese.
        text: String,
    },
}

/// A case as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The enterprise.
    pub enterprise: String,
    /// Its credit code when last seen.
    pub credit_code: String,
    /// Its name when last seen.
    pub name: String,
    /// The agency that works it.
    pub unit: UnitId,
    /// The finding as last seen.
    pub finding: Finding,
    /// 1 for the first case of this enterprise and finding.
    pub ordinal: u32,
    /// Whether an earlier case of the same finding had closed as enrolled.
    pub reopened: bool,
    /// Where it stands.
    pub stage: Stage,
    /// The day it was opened.
    pub opened: Date,
    /// Number of the dispatch.
    pub wave: Option<u32>,
    /// The day it was dispatched.
    pub dispatched: Option<Date>,
    /// When the county's answer is due.
    pub answer_due: Option<Date>,
    /// Who confirmed it, and when.
    pub confirmed: Option<Confirmation>,
    /// Steps decided, with their day.
    pub steps: Vec<DecidedStep>,
    /// Every recorded contact, in the order recorded.
    pub contacts: Vec<Contact>,
    /// A clerk found phone or address wrong; calls and texts stop.
    pub wrong_contact: bool,
    /// The day the reminder's period had run out.
    #[serde(default)]
    pub overdue: Option<Date>,
    /// The day it was transferred.
    pub transferred: Option<Date>,
    /// To which unit's audit.
    pub transferred_to: Option<UnitId>,
    /// Why no step is taken, while its data are under doubt or its labour relations are to be verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// The end, when it has one.
    pub closed: Option<Closing>,
    /// Everything that happened, in Chinese.
    pub history: Vec<Entry>,
}

/// A clerk's confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Who.
    pub by: String,
    /// The day.
    pub date: Date,
    /// Visit record, call record …
    pub proof: Option<String>,
}

/// A decided step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedStep {
    /// Which.
    pub step: Step,
    /// The day it was decided.
    pub date: Date,
    /// The day the roll spoke of that last showed the finding before the decision.
    pub roll_as_of: Date,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// Why.
    pub reason: ClosingReason,
    /// The day.
    pub date: Date,
    /// The proof or the fact, in Chinese.
    pub text: String,
    /// Newly registered persons by kind when it ended by enrolment.
    #[serde(default)]
    pub heads: BTreeMap<Insurance, u64>,
    /// The last day on which a clerk's answer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Kinds that a clerk's answer explains; all when none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Insurance>,
}

impl Closing {
    /// The last day on which a clerk's answer clears the enterprise; `None` when it clears nothing.
    #[must_use]
    pub fn clears_until(&self) -> Option<Date> {
        let days = self.reason.clears_for_days();
        if days == 0 {
            return None;
        }
        self.until
            .or_else(|| self.date.checked_add(jiff::Span::new().days(days - 1)).ok())
    }

    /// Whether it clears this kind on a day.
    #[must_use]
    pub fn clears(&self, kind: Insurance, on: Date) -> bool {
        self.clears_until().is_some_and(|until| on <= until)
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }
}

/// A rule says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// The case is not known.
    #[error("[YB-5001] 没有编号为{case}的个案。处理：用 `yingbao case list` 核对编号。")]
    Unknown {
        /// The id asked for.
        case: CaseId,
    },
    /// It has ended.
    #[error("[YB-5002] 个案{case}已办结，不能再登记“{event}”。处理：如疑点重现，系统会另立新案。")]
    Closed {
        /// The case.
        case: CaseId,
        /// The event, for staff.
        event: String,
    },
    /// The stage does not allow it.
    #[error(
        "[YB-5003] 个案{case}现处“{stage}”，不能登记“{event}”。处理：按核实—通知—联系的顺序登记。"
    )]
    Stage {
        /// The case.
        case: CaseId,
        /// Its stage, for staff.
        stage: String,
        /// The event, for staff.
        event: String,
    },
    /// A name is required.
    #[error("[YB-5004] 须由具名人员登记。处理：用 --by 写明姓名。")]
    Nameless,
    /// Proof is required.
    #[error("[YB-5005] 登记“{event}”须附证明材料。处理：用 --proof 写明材料名称、编号。")]
    Proofless {
        /// The event, for staff.
        event: String,
    },
    /// The mail number is required.
    #[error("[YB-5006] 登记“{event}”须有邮件号。处理：用 --number 写明挂号或特快专递号。")]
    Numberless {
        /// The event, for staff.
        event: String,
    },
    /// The rules of liability do not know the event.
    #[error(
        "[YB-5008] 现行义务规则表没有事项“{event}”。处理：在 config/rules/liability.toml 的现行时段中写明该事项。"
    )]
    Ruleless {
        /// The event, for staff.
        event: String,
    },
    /// The end of validity lies before the record.
    #[error("[YB-5009] 有效期止{until}早于登记日{date}。处理：核对 --until。")]
    Until {
        /// The end given.
        until: Date,
        /// The day recorded.
        date: Date,
    },
    /// The day lies after today or before the case.
    #[error("[YB-5007] 日期{date}不在立案日{opened}与今日之间。处理：核对 --date。")]
    Day {
        /// The day given.
        date: Date,
        /// The day the case was opened.
        opened: Date,
    },
}

impl Case {
    /// The id of the `ordinal`th case of this finding for this enterprise.
    #[must_use]
    pub fn id_of(enterprise: &str, kind: FindingKind, ordinal: u32) -> CaseId {
        format!("{enterprise}-{}-{ordinal}", kind.letter())
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.stage != Stage::Closed
    }

    /// The day a step was decided.
    #[must_use]
    pub fn decided(&self, step: Step) -> Option<Date> {
        self.steps
            .iter()
            .rev()
            .find(|decided| decided.step == step)
            .map(|decided| decided.date)
    }

    /// The first recorded contact on or after the day a step was decided: its clock starts there.
    #[must_use]
    pub fn contact_for(&self, step: Step) -> Option<&Contact> {
        let from = self.decided(step)?;
        self.contacts
            .iter()
            .filter(|contact| contact.date >= from)
            .min_by_key(|contact| contact.date)
    }

    /// The day from which the period of a step is counted: the letter's receipt where it is recorded, else its posting; without a
    /// letter the first contact. What the letter promises goes before an earlier call.
    #[must_use]
    pub fn counted_from(&self, step: Step) -> Option<Date> {
        let from = self.decided(step)?;
        let of_step = || self.contacts.iter().filter(|contact| contact.date >= from);
        let letter = of_step()
            .filter(|contact| contact.kind == ContactKind::Posted)
            .map(Contact::heard)
            .min();
        letter.or_else(|| of_step().map(Contact::heard).min())
    }

    /// The first letter posted or call answered since the registration notice was decided: what a transfer needs.
    #[must_use]
    pub fn firm_contact(&self) -> Option<&Contact> {
        let from = self.decided(Step::RegistrationNotice)?;
        self.contacts
            .iter()
            .filter(|contact| matches!(contact.kind, ContactKind::Posted | ContactKind::Phoned))
            .filter(|contact| contact.date >= from)
            .min_by_key(|contact| contact.date)
    }

    /// Whether a letter was posted or a call answered since the registration notice was decided.
    #[must_use]
    pub fn has_firm_contact(&self) -> bool {
        self.firm_contact().is_some()
    }

    /// Whether anything adverse was sent: a registration notice or anything after it.
    #[must_use]
    pub fn accused(&self) -> bool {
        !self.steps.is_empty()
    }
}

/// Moves a case by one event on `today`, or says why not. `None` only for `Opened`.
pub fn apply(
    id: &str,
    case: Option<Case>,
    event: &CaseEvent,
    today: Date,
) -> Result<Case, Refusal> {
    if let CaseEvent::Opened {
        enterprise,
        credit_code,
        name,
        unit,
        ordinal,
        reopened,
        finding,
    } = event
    {
        // Opening it again would wipe its history.
        if let Some(case) = case {
            return Err(refuse_stage(&case, event));
        }
        return Ok(Case {
            id: id.to_owned(),
            enterprise: enterprise.clone(),
            credit_code: credit_code.clone(),
            name: name.clone(),
            unit: unit.clone(),
            finding: finding.clone(),
            ordinal: *ordinal,
            reopened: *reopened,
            stage: Stage::Found,
            opened: today,
            wave: None,
            dispatched: None,
            answer_due: None,
            confirmed: None,
            steps: Vec::new(),
            contacts: Vec::new(),
            wrong_contact: false,
            overdue: None,
            transferred: None,
            transferred_to: None,
            doubt: None,
            closed: None,
            history: vec![Entry {
                date: today,
                by: "系统".into(),
                text: opening(finding, *reopened),
            }],
        });
    }
    let mut case = case.ok_or_else(|| Refusal::Unknown {
        case: id.to_owned(),
    })?;
    // What a person said stands whatever becomes of the data.
    let may_resume = matches!(event, CaseEvent::Resumed { .. })
        && case
            .closed
            .as_ref()
            .is_some_and(|closing| closing.reason.by_data());
    if case.stage == Stage::Closed && !may_resume {
        return Err(Refusal::Closed {
            case: case.id,
            event: title_of(event),
        });
    }
    step(&mut case, event, today)?;
    Ok(case)
}

/// What the history says of the beginning: an answer whose validity ran out is named.
fn opening(finding: &Finding, reopened: bool) -> String {
    let again = if reopened { "疑点重现，" } else { "" };
    let mut text = format!("{again}立案：{}", finding.kind.title());
    let earlier = finding
        .grounds
        .iter()
        .filter(|ground| matches!(ground.rule.as_str(), ANSWER_EXPIRED | ANSWER_HOLDS));
    for ground in earlier {
        let _ = write!(text, "。{}", ground.text);
    }
    text
}

fn title_of(event: &CaseEvent) -> String {
    match event {
        CaseEvent::Clerk { clerk_event, .. } => clerk_event.title(),
        CaseEvent::Opened { .. } => "立案",
        CaseEvent::Refreshed { .. } => "数据更新",
        CaseEvent::Moved { .. } => "移交经办机构",
        CaseEvent::Dispatched { .. } => "下发核实",
        CaseEvent::Doubted { .. } => "数据存疑",
        CaseEvent::Received { .. } => "送达回执",
        CaseEvent::Decided { .. } => "决定发出通知",
        CaseEvent::Unreachable => "无法联系",
        CaseEvent::Overdue => "逾期",
        CaseEvent::Transferred { .. } => "转稽核",
        CaseEvent::Closed { .. } => "办结",
        CaseEvent::Resumed { .. } => "恢复办理",
    }
    .to_owned()
}

fn refuse_stage(case: &Case, event: &CaseEvent) -> Refusal {
    Refusal::Stage {
        case: case.id.clone(),
        stage: case.stage.title().to_owned(),
        event: title_of(event),
    }
}

fn step(case: &mut Case, event: &CaseEvent, today: Date) -> Result<(), Refusal> {
    let note = |case: &mut Case, text: String| {
        case.history.push(Entry {
            date: today,
            by: "系统".into(),
            text,
        });
    };
    match event {
        CaseEvent::Opened { .. } => {}
        CaseEvent::Refreshed { finding, name } => {
            finding.clone_into(&mut case.finding);
            name.clone_into(&mut case.name);
            if case.doubt.take().is_some() {
                note(case, "暂停推进的原因已消除，疑点仍在，继续办理".to_owned());
            }
        }
        CaseEvent::Doubted { text } => {
            note(case, format!("暂停推进：{text}"));
            case.doubt = Some(text.clone());
        }
        CaseEvent::Moved { to } => {
            note(case, "经办机构随企业住所或参保地变更".to_owned());
            to.clone_into(&mut case.unit);
        }
        CaseEvent::Dispatched { wave, due } => {
            if case.stage != Stage::Found {
                return Err(refuse_stage(case, event));
            }
            case.stage = Stage::Dispatched;
            case.wave = Some(*wave);
            case.dispatched = Some(today);
            case.answer_due = Some(*due);
            note(
                case,
                format!("第{wave}批疑点下发，{}前反馈核实结果", day(*due)),
            );
        }
        CaseEvent::Clerk { .. } => clerk(case, event, today)?,
        CaseEvent::Received { contact } => {
            note(case, format!("收到回执：{}", contact.kind.title()));
            touched(case, contact.clone());
        }
        CaseEvent::Decided { step, roll_as_of } => {
            let allowed = match step {
                Step::RegistrationNotice => case.stage == Stage::Confirmed,
                Step::Reminder => case.stage == Stage::Notified,
            };
            if !allowed {
                return Err(refuse_stage(case, event));
            }
            case.stage = match step {
                Step::RegistrationNotice => Stage::Notified,
                Step::Reminder => Stage::Reminded,
            };
            case.steps.push(DecidedStep {
                step: *step,
                date: today,
                roll_as_of: *roll_as_of,
            });
            note(case, format!("决定发出{}", step.title()));
        }
        CaseEvent::Unreachable => {
            if !matches!(case.stage, Stage::Notified | Stage::Reminded) {
                return Err(refuse_stage(case, event));
            }
            case.stage = Stage::Unreachable;
            note(case, "期限内没有任何联系记录，列入无法联系清单".to_owned());
        }
        CaseEvent::Overdue => {
            if case.stage != Stage::Reminded {
                return Err(refuse_stage(case, event));
            }
            case.stage = Stage::Overdue;
            case.overdue = Some(today);
            note(case, "催办期满仍未参保，逾期".to_owned());
        }
        CaseEvent::Transferred { to } => {
            if case.stage != Stage::Overdue || !case.has_firm_contact() {
                return Err(refuse_stage(case, event));
            }
            case.stage = Stage::Transferred;
            case.transferred = Some(today);
            case.transferred_to = Some(to.clone());
            note(case, "转稽核".to_owned());
        }
        CaseEvent::Closed {
            reason,
            text,
            heads,
        } => {
            close(
                case,
                Closing {
                    reason: *reason,
                    date: today,
                    text: text.clone(),
                    heads: heads.clone(),
                    until: None,
                    kinds: Vec::new(),
                },
            );
            note(case, format!("办结：{}。{text}", reason.title()));
        }
        CaseEvent::Resumed { finding, text } => {
            if case.closed.take().is_none() {
                return Err(refuse_stage(case, event));
            }
            finding.clone_into(&mut case.finding);
            case.stage = reached(case);
            note(
                case,
                format!("恢复办理，回到“{}”：{text}", case.stage.title()),
            );
        }
    }
    Ok(())
}

/// How far it had come before it ended. Whom nobody could reach has its patience again.
fn reached(case: &Case) -> Stage {
    if case.transferred.is_some() {
        Stage::Transferred
    } else if case.overdue.is_some() && case.contact_for(Step::Reminder).is_some() {
        Stage::Overdue
    } else if case.decided(Step::Reminder).is_some() {
        Stage::Reminded
    } else if case.decided(Step::RegistrationNotice).is_some() {
        Stage::Notified
    } else if case.confirmed.is_some() {
        Stage::Confirmed
    } else if case.dispatched.is_some() {
        Stage::Dispatched
    } else {
        Stage::Found
    }
}

fn close(case: &mut Case, closing: Closing) {
    case.stage = Stage::Closed;
    case.doubt = None;
    case.closed = Some(closing);
}

/// The receipt of a letter: of the one with this number, else of the last posted.
fn delivered(case: &mut Case, number: Option<&str>, date: Date) {
    let is_letter = |contact: &Contact| contact.kind == ContactKind::Posted;
    let at = case
        .contacts
        .iter()
        .rposition(|contact| {
            is_letter(contact) && number.is_some() && contact.number.as_deref() == number
        })
        .or_else(|| case.contacts.iter().rposition(is_letter));
    if let Some(contact) = at.and_then(|at| case.contacts.get_mut(at)) {
        contact.delivered = Some(date);
    }
}

/// A contact takes an unreachable case back to the step it was at.
fn touched(case: &mut Case, contact: Contact) {
    case.contacts.push(contact);
    if case.stage == Stage::Unreachable {
        case.stage = if case.decided(Step::Reminder).is_some() {
            Stage::Reminded
        } else {
            Stage::Notified
        };
    }
}

/// Takes the returned letter (by its mail number, else the last one) out of the contacts. When the reminder thereby reached
/// nobody, its period never ran and the case is not overdue.
fn returned(case: &mut Case, number: Option<&str>) {
    let is_letter = |contact: &Contact| contact.kind == ContactKind::Posted;
    let by_number = number
        .filter(|number| !number.is_empty())
        .and_then(|number| {
            case.contacts.iter().rposition(|contact| {
                is_letter(contact) && contact.number.as_deref() == Some(number)
            })
        });
    if let Some(at) = by_number.or_else(|| case.contacts.iter().rposition(is_letter)) {
        case.contacts.remove(at);
    }
    if case.stage == Stage::Overdue && case.contact_for(Step::Reminder).is_none() {
        case.stage = Stage::Reminded;
    }
}

fn clerk(case: &mut Case, event: &CaseEvent, today: Date) -> Result<(), Refusal> {
    let CaseEvent::Clerk {
        clerk_event,
        by,
        date,
        proof,
        number,
        rule,
    } = event
    else {
        return Ok(());
    };
    let title = clerk_event.title().to_owned();
    if by.trim().is_empty() {
        return Err(Refusal::Nameless);
    }
    if *date > today || *date < case.opened {
        return Err(Refusal::Day {
            date: *date,
            opened: case.opened,
        });
    }
    let blank = |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
    match clerk_event {
        ClerkEvent::Confirmed => {
            if case.stage != Stage::Dispatched {
                return Err(refuse_stage(case, event));
            }
            case.stage = Stage::Confirmed;
            case.confirmed = Some(Confirmation {
                by: by.clone(),
                date: *date,
                proof: proof.clone(),
            });
        }
        event if event.needs_proof() && blank(proof) => {
            return Err(Refusal::Proofless { event: title });
        }
        // What they mean is the rules' to say: without one nobody is cleared of anything.
        ClerkEvent::PartTime
        | ClerkEvent::OverAge
        | ClerkEvent::AgencyStaff
        | ClerkEvent::Waiver
        | ClerkEvent::ResidentInsurance
        | ClerkEvent::FlexibleEmployment
        | ClerkEvent::OwnSuspension
            if rule.is_none() =>
        {
            return Err(Refusal::Ruleless { event: title });
        }
        ClerkEvent::InsuredAlready
        | ClerkEvent::InsuredElsewhere
        | ClerkEvent::PartTime
        | ClerkEvent::OverAge
        | ClerkEvent::AgencyStaff
        | ClerkEvent::NoEmployees
        | ClerkEvent::ClosedDown => {
            if case.stage == Stage::Found {
                return Err(refuse_stage(case, event));
            }
            let until = rule.as_ref().and_then(|rule| rule.until);
            if let Some(until) = until.filter(|until| until < date) {
                return Err(Refusal::Until { until, date: *date });
            }
            if let Some(reason) = clerk_event.closes() {
                close(
                    case,
                    Closing {
                        reason,
                        date: today,
                        text: proof.clone().unwrap_or_default(),
                        heads: BTreeMap::new(),
                        until,
                        kinds: rule
                            .as_ref()
                            .map(|rule| rule.clears.clone())
                            .unwrap_or_default(),
                    },
                );
            }
        }
        ClerkEvent::Waiver
        | ClerkEvent::ResidentInsurance
        | ClerkEvent::FlexibleEmployment
        | ClerkEvent::OwnSuspension => {
            if case.stage == Stage::Found {
                return Err(refuse_stage(case, event));
            }
        }
        ClerkEvent::WrongContact => case.wrong_contact = true,
        ClerkEvent::Posted if blank(number) => return Err(Refusal::Numberless { event: title }),
        ClerkEvent::Phoned | ClerkEvent::Posted => {
            if case.steps.is_empty() {
                return Err(refuse_stage(case, event));
            }
            let kind = if *clerk_event == ClerkEvent::Posted {
                ContactKind::Posted
            } else {
                ContactKind::Phoned
            };
            touched(
                case,
                Contact {
                    kind,
                    date: *date,
                    by: by.clone(),
                    number: number.clone(),
                    delivered: None,
                },
            );
        }
        ClerkEvent::Delivered | ClerkEvent::Returned => {
            if !case
                .contacts
                .iter()
                .any(|contact| contact.kind == ContactKind::Posted)
            {
                return Err(refuse_stage(case, event));
            }
            if *clerk_event == ClerkEvent::Delivered {
                delivered(case, number.as_deref(), *date);
            } else {
                // A letter that came back reached nobody: it no longer starts a clock nor supports a transfer.
                returned(case, number.as_deref());
            }
        }
    }
    let mut text = title;
    if let Some(number) = number.as_deref().filter(|number| !number.is_empty()) {
        let _ = write!(text, "，邮件号{number}");
    }
    if let Some(proof) = proof.as_deref().filter(|proof| !proof.is_empty()) {
        let _ = write!(text, "（{proof}）");
    }
    if let Some(rule) = rule {
        let _ = match rule.until {
            _ if clerk_event.is_no_excuse() => write!(
                text,
                "。不构成免除参保义务的理由，劳动关系待核实（{}）",
                rule.article
            ),
            Some(until) => write!(text, "，有效期至{}（{}）", day(until), rule.article),
            None => write!(text, "（{}）", rule.article),
        };
    }
    case.history.push(Entry {
        date: *date,
        by: by.clone(),
        text,
    });
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    pub(crate) fn finding() -> Finding {
        Finding {
            kind: FindingKind::Absent,
            kinds: Insurance::ALL.to_vec(),
            employed: 8,
            registered: BTreeMap::new(),
            roll_as_of: day("2026-02-28"),
            grounds: Vec::new(),
        }
    }

    pub(crate) fn opened() -> CaseEvent {
        CaseEvent::Opened {
            enterprise: "EMA49U85BX".to_owned(),
            credit_code: "91411303MA49U85BX9".to_owned(),
            name: "南阳宛东商贸有限公司".to_owned(),
            unit: "411303".to_owned(),
            ordinal: 1,
            reopened: false,
            finding: finding(),
        }
    }

    pub(crate) fn clerk(event: ClerkEvent, date: &str) -> CaseEvent {
        CaseEvent::Clerk {
            clerk_event: event,
            by: "经办员甲".to_owned(),
            date: day(date),
            proof: Some("走访记录1号".to_owned()),
            number: Some("XA00000000041".to_owned()),
            rule: None,
        }
    }

    /// The same with what the rules make of it.
    pub(crate) fn ruled(
        event: ClerkEvent,
        on: &str,
        clears: &[Insurance],
        until: Option<&str>,
    ) -> CaseEvent {
        let CaseEvent::Clerk {
            clerk_event,
            by,
            date,
            proof,
            number,
            ..
        } = clerk(event, on)
        else {
            unreachable!("a clerk's event")
        };
        CaseEvent::Clerk {
            clerk_event,
            by,
            date,
            proof,
            number,
            rule: Some(ClerkRule {
                clears: clears.to_vec(),
                until: until.map(day),
                article: "社会保险法第五十八条".to_owned(),
            }),
        }
    }

    pub(crate) fn dispatched() -> CaseEvent {
        CaseEvent::Dispatched {
            wave: 3,
            due: day("2026-03-24"),
        }
    }

    pub(crate) fn decided(step: Step, roll: &str) -> CaseEvent {
        CaseEvent::Decided {
            step,
            roll_as_of: day(roll),
        }
    }

    /// The case after these events, each on its day.
    pub(crate) fn after(events: &[(&str, CaseEvent)]) -> Case {
        let mut case = None;
        for (date, event) in events {
            let id = "EMA49U85BX-A-1";
            let next = apply(id, case.take(), event, day(date))
                .unwrap_or_else(|refusal| panic!("{date} {event:?}: {refusal}"));
            case = Some(next);
        }
        case.expect("at least one event")
    }

    /// Up to and with the registration notice, decided on 2026-03-10.
    pub(crate) fn notified() -> Vec<(&'static str, CaseEvent)> {
        vec![
            ("2026-03-02", opened()),
            ("2026-03-03", dispatched()),
            ("2026-03-09", clerk(ClerkEvent::Confirmed, "2026-03-06")),
            (
                "2026-03-10",
                decided(Step::RegistrationNotice, "2026-02-28"),
            ),
        ]
    }

    fn refused(case: &Case, event: &CaseEvent, today: &str) -> Refusal {
        apply(&case.id, Some(case.clone()), event, day(today)).expect_err("a refusal")
    }

    fn code(refusal: &Refusal) -> String {
        refusal.to_string()[1..8].to_owned()
    }

    #[test]
    fn from_a_finding_to_the_audit_unit() {
        let mut story = notified();
        let case = after(&story);
        assert_eq!(case.stage, Stage::Notified);
        assert_eq!(
            case.confirmed.as_ref().map(|c| c.date),
            Some(day("2026-03-06"))
        );
        assert_eq!(
            (case.wave, case.answer_due),
            (Some(3), Some(day("2026-03-24")))
        );
        assert!(case.accused() && !case.has_firm_contact());

        story.push(("2026-03-12", clerk(ClerkEvent::Posted, "2026-03-11")));
        story.push(("2026-03-16", clerk(ClerkEvent::Delivered, "2026-03-14")));
        let case = after(&story);
        assert_eq!(
            case.contact_for(Step::RegistrationNotice).map(|c| c.date),
            Some(day("2026-03-11"))
        );
        story.push(("2026-04-01", decided(Step::Reminder, "2026-03-31")));
        story.push(("2026-04-02", clerk(ClerkEvent::Phoned, "2026-04-02")));
        story.push(("2026-04-20", CaseEvent::Overdue));
        let to = "411303".to_owned();
        story.push(("2026-04-21", CaseEvent::Transferred { to }));
        let case = after(&story);
        assert_eq!(case.stage, Stage::Transferred);
        assert_eq!(case.transferred, Some(day("2026-04-21")));
        assert_eq!(case.history.len(), story.len());
        assert!(case.history[0].text.contains("立案"));

        let heads = BTreeMap::from([(Insurance::Pension, 8)]);
        story.push((
            "2026-05-06",
            CaseEvent::Closed {
                reason: ClosingReason::Enrolled,
                text: "2026-04-30参保登记册".to_owned(),
                heads,
            },
        ));
        let case = after(&story);
        assert!(!case.is_open());
        assert_eq!(
            case.closed.as_ref().map(|c| c.reason),
            Some(ClosingReason::Enrolled)
        );
        let refusal = refused(
            &case,
            &clerk(ClerkEvent::Phoned, "2026-05-06"),
            "2026-05-06",
        );
        assert_eq!(code(&refusal), "YB-5002");
    }

    #[test]
    fn no_stage_is_skipped() {
        let case = after(&[("2026-03-02", opened())]);
        for event in [
            clerk(ClerkEvent::Confirmed, "2026-03-02"),
            clerk(ClerkEvent::NoEmployees, "2026-03-02"),
            clerk(ClerkEvent::Phoned, "2026-03-02"),
            clerk(ClerkEvent::Posted, "2026-03-02"),
            clerk(ClerkEvent::Delivered, "2026-03-02"),
            decided(Step::RegistrationNotice, "2026-02-28"),
            decided(Step::Reminder, "2026-02-28"),
            CaseEvent::Unreachable,
            CaseEvent::Overdue,
            CaseEvent::Transferred { to: "city".into() },
            opened(),
        ] {
            assert_eq!(
                code(&refused(&case, &event, "2026-03-02")),
                "YB-5003",
                "{event:?}"
            );
        }
        let unknown = apply("E-A-1", None, &CaseEvent::Overdue, day("2026-03-02"));
        assert_eq!(
            unknown.map_err(|refusal| code(&refusal)),
            Err("YB-5001".to_owned())
        );
    }

    #[test]
    fn a_clerk_s_record_needs_name_proof_number_and_a_possible_day() {
        let case = after(&notified());
        let record = |event, by: &str, date: &str, proof: &str, number: &str| CaseEvent::Clerk {
            clerk_event: event,
            by: by.to_owned(),
            date: day(date),
            proof: (!proof.is_empty()).then(|| proof.to_owned()),
            number: (!number.is_empty()).then(|| number.to_owned()),
            rule: None,
        };
        let today = "2026-03-12";
        for (event, wanted) in [
            (record(ClerkEvent::Phoned, " ", today, "", ""), "YB-5004"),
            (
                record(ClerkEvent::InsuredElsewhere, "甲", today, "", ""),
                "YB-5005",
            ),
            (
                record(ClerkEvent::InsuredElsewhere, "甲", today, " ", ""),
                "YB-5005",
            ),
            (record(ClerkEvent::Posted, "甲", today, "", ""), "YB-5006"),
            (record(ClerkEvent::Posted, "甲", today, "", " "), "YB-5006"),
            (
                record(ClerkEvent::Phoned, "甲", "2026-03-13", "", ""),
                "YB-5007",
            ),
            (
                record(ClerkEvent::Phoned, "甲", "2026-03-01", "", ""),
                "YB-5007",
            ),
        ] {
            let refusal = refused(&case, &event, today);
            assert_eq!(code(&refusal), wanted, "{event:?}");
            assert!(refusal.to_string().contains("处理："));
        }
    }

    #[test]
    fn a_clerk_s_answer_ends_the_case_with_its_proof() {
        for (event, reason) in [
            (ClerkEvent::InsuredAlready, ClosingReason::InsuredAlready),
            (
                ClerkEvent::InsuredElsewhere,
                ClosingReason::InsuredElsewhere,
            ),
            (ClerkEvent::NoEmployees, ClosingReason::NoEmployees),
            (ClerkEvent::ClosedDown, ClosingReason::ClosedDown),
        ] {
            let case = after(&[
                ("2026-03-02", opened()),
                ("2026-03-03", dispatched()),
                ("2026-03-05", clerk(event, "2026-03-05")),
            ]);
            let closing = case.closed.expect("an end");
            assert_eq!(
                (closing.reason, closing.text.as_str()),
                (reason, "走访记录1号")
            );
        }
    }

    #[test]
    fn an_answer_holds_until_its_end_and_for_the_kinds_it_explains() {
        use Insurance::{Pension, Unemployment, WorkInjury};
        let after_answer = |event: CaseEvent| {
            after(&[
                ("2026-03-02", opened()),
                ("2026-03-03", dispatched()),
                ("2026-03-05", event),
            ])
            .closed
            .expect("an end")
        };
        let elsewhere = after_answer(ruled(
            ClerkEvent::InsuredElsewhere,
            "2026-03-05",
            &Insurance::ALL,
            Some("2026-12-31"),
        ));
        for kind in Insurance::ALL {
            assert!(elsewhere.clears(kind, day("2026-12-31")));
            assert!(!elsewhere.clears(kind, day("2027-01-01")));
        }
        let part_time = after_answer(ruled(
            ClerkEvent::PartTime,
            "2026-03-05",
            &[Pension, Unemployment],
            Some("2026-12-31"),
        ));
        assert!(part_time.clears(Pension, day("2026-04-01")));
        assert!(!part_time.clears(WorkInjury, day("2026-04-01")));
        // One recorded before ends were kept holds for its days.
        let old = after_answer(clerk(ClerkEvent::NoEmployees, "2026-03-05"));
        assert_eq!(old.clears_until(), Some(day("2026-08-31")));
        // Nor can one have ended before it was recorded, or mean something without a rule.
        let case = after(&[("2026-03-02", opened()), ("2026-03-03", dispatched())]);
        let ended = ruled(
            ClerkEvent::InsuredElsewhere,
            "2026-03-05",
            &Insurance::ALL,
            Some("2026-03-04"),
        );
        assert_eq!(code(&refused(&case, &ended, "2026-03-05")), "YB-5009");
        for event in [ClerkEvent::PartTime, ClerkEvent::Waiver] {
            let refusal = refused(&case, &clerk(event, "2026-03-05"), "2026-03-05");
            assert_eq!(code(&refusal), "YB-5008");
        }
    }

    #[test]
    fn what_is_put_forward_and_explains_nothing_leaves_the_case_open() {
        for event in ClerkEvent::ALL.into_iter().filter(|e| e.is_no_excuse()) {
            let case = after(&[
                ("2026-03-02", opened()),
                ("2026-03-03", dispatched()),
                ("2026-03-05", ruled(event, "2026-03-05", &[], None)),
            ]);
            assert_eq!(case.stage, Stage::Dispatched, "{event:?}");
            let said = &case.history.last().expect("an entry").text;
            assert!(said.contains("不构成免除参保义务的理由"), "{said}");
        }
    }

    #[test]
    fn a_case_under_doubt_says_so_until_its_finding_is_seen_again() {
        let text = "行业代码无效".to_owned();
        let mut story = notified();
        story.push(("2026-03-11", CaseEvent::Doubted { text: text.clone() }));
        let case = after(&story);
        assert_eq!((case.stage, case.doubt), (Stage::Notified, Some(text)));
        story.push((
            "2026-03-12",
            CaseEvent::Refreshed {
                finding: finding(),
                name: "南阳宛东商贸有限公司".to_owned(),
            },
        ));
        let case = after(&story);
        assert_eq!(case.doubt, None);
        assert!(
            case.history
                .last()
                .is_some_and(|entry| entry.text.contains("继续办理"))
        );
    }

    #[test]
    fn nobody_reached_is_unreachable_and_a_contact_leads_back() {
        let mut story = notified();
        story.push(("2026-04-08", CaseEvent::Unreachable));
        assert_eq!(after(&story).stage, Stage::Unreachable);
        story.push(("2026-04-09", clerk(ClerkEvent::Phoned, "2026-04-09")));
        let case = after(&story);
        assert_eq!(case.stage, Stage::Notified);
        assert_eq!(
            case.contact_for(Step::RegistrationNotice).map(|c| c.date),
            Some(day("2026-04-09"))
        );
    }

    #[test]
    fn a_returned_letter_reached_nobody() {
        let posted = |number: &str, date: &str| CaseEvent::Clerk {
            clerk_event: ClerkEvent::Posted,
            by: "甲".to_owned(),
            date: day(date),
            proof: None,
            number: Some(number.to_owned()),
            rule: None,
        };
        let returned = |number: &str, date: &str| CaseEvent::Clerk {
            clerk_event: ClerkEvent::Returned,
            by: "甲".to_owned(),
            date: day(date),
            proof: None,
            number: Some(number.to_owned()),
            rule: None,
        };
        let mut story = notified();
        story.push(("2026-03-11", posted("XA1", "2026-03-11")));
        story.push(("2026-03-13", posted("XA2", "2026-03-13")));
        story.push(("2026-03-16", returned("XA1", "2026-03-16")));
        let case = after(&story);
        let left: Vec<_> = case
            .contacts
            .iter()
            .filter_map(|c| c.number.as_deref())
            .collect();
        assert_eq!(left, ["XA2"]);
        assert_eq!(
            case.contact_for(Step::RegistrationNotice).map(|c| c.date),
            Some(day("2026-03-13"))
        );
        // The reminder's only letter comes back after its period: the period never ran.
        story.push(("2026-04-01", decided(Step::Reminder, "2026-03-31")));
        story.push(("2026-04-01", posted("XA3", "2026-04-01")));
        story.push(("2026-04-20", CaseEvent::Overdue));
        assert_eq!(after(&story).stage, Stage::Overdue);
        story.push(("2026-04-21", returned("XA3", "2026-04-21")));
        assert_eq!(after(&story).stage, Stage::Reminded);
    }

    #[test]
    fn a_call_from_before_the_notice_supports_no_transfer() {
        let mut story = notified();
        story.push(("2026-03-10", clerk(ClerkEvent::Phoned, "2026-03-05")));
        let case = after(&story);
        assert!(case.contact_for(Step::RegistrationNotice).is_none());
        assert!(!case.has_firm_contact());
    }

    #[test]
    fn receipts_count_as_contact_but_not_as_firm_contact() {
        let mut story = notified();
        let contact = Contact {
            kind: ContactKind::SmsDelivered,
            date: day("2026-03-10"),
            by: "courier".to_owned(),
            number: None,
            delivered: None,
        };
        story.push(("2026-03-10", CaseEvent::Received { contact }));
        let case = after(&story);
        assert!(case.contact_for(Step::RegistrationNotice).is_some());
        assert!(!case.has_firm_contact());
        assert!(
            case.history
                .last()
                .is_some_and(|entry| entry.text.contains("短信送达"))
        );
    }

    #[test]
    fn a_wrong_contact_and_a_move_change_only_themselves() {
        let mut story = notified();
        story.push(("2026-03-11", clerk(ClerkEvent::WrongContact, "2026-03-11")));
        let to = "411302".to_owned();
        story.push(("2026-03-12", CaseEvent::Moved { to }));
        let case = after(&story);
        assert!(case.wrong_contact);
        assert_eq!(
            (case.unit.as_str(), case.stage),
            ("411302", Stage::Notified)
        );
        let json = serde_json::to_string(&case).expect("plain values");
        assert_eq!(serde_json::from_str::<Case>(&json).expect("the same"), case);
    }
}
