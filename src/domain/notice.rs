//! Notices: what goes to whom, by which channel, and why — or why not. Pure; sending is the couriers' work.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::case::CaseId;
use crate::domain::unit::UnitId;

/// By which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A letter file for the county agency to number, seal and post.
    Letter,
    /// A row of a county's call list.
    CallList,
    /// A text message.
    Sms,
    /// A mail.
    Email,
}

impl Channel {
    /// The word in keys and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::CallList => "call_list",
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }

    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Letter => "信函",
            Self::CallList => "电话清单",
            Self::Sms => "短信",
            Self::Email => "邮件",
        }
    }
}

/// What it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// 参保登记通知书, to a firm.
    RegistrationNotice,
    /// 催办提醒, to a firm.
    Reminder,
    /// Alert mail with worklist, to a county agency.
    CountyAlert,
    /// Transfer with list, to an audit unit.
    Transfer,
    /// A feed or a job is silent: to the IT section.
    FeedAlert,
    /// Draft bulletin, to the public business section.
    BulletinDraft,
}

impl Purpose {
    /// The word in keys and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RegistrationNotice => "registration_notice",
            Self::Reminder => "reminder",
            Self::CountyAlert => "county_alert",
            Self::Transfer => "transfer",
            Self::FeedAlert => "feed_alert",
            Self::BulletinDraft => "bulletin_draft",
        }
    }

    /// Whether it goes to a firm (and so keeps contact hours and fails closed).
    #[must_use]
    pub const fn to_firm(self) -> bool {
        matches!(self, Self::RegistrationNotice | Self::Reminder)
    }
}

/// To whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum Recipient {
    /// An enterprise.
    Firm {
        /// The enterprise.
        enterprise: String,
        /// The name.
        name: String,
    },
    /// A county agency.
    County {
        /// The reporting unit.
        unit: UnitId,
    },
    /// A county agency's audit unit.
    Audit {
        /// The reporting unit.
        unit: UnitId,
    },
    /// 信息科.
    ItSection,
    /// 公共业务科.
    PublicSection,
}

/// A file that goes with it, kept in the archive under its digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Attachment {
    /// File name, ASCII.
    pub name: String,
    /// blake3 (hex) of its bytes.
    pub digest: String,
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// In the outbox.
    Queued,
    /// An attempt was recorded and its outcome is not yet known.
    Sending,
    /// The channel took it (letter and call list: the file was written).
    Accepted,
    /// Dry run: written to a file, nobody was reached.
    DryRun,
    /// It may or may not have gone out: a person or a receipt decides, never a blind repeat.
    Unknown,
    /// It failed for good.
    Failed,
    /// Taken out of the outbox before it went: what it rested on was withdrawn.
    Withdrawn,
}

impl NoticeState {
    /// All, in order.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Sending,
        Self::Accepted,
        Self::DryRun,
        Self::Unknown,
        Self::Failed,
        Self::Withdrawn,
    ];

    /// The word on the command line and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::DryRun => "dry_run",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Queued => "待发",
            Self::Sending => "发送中",
            Self::Accepted => "已交付",
            Self::DryRun => "演练（未实际发出）",
            Self::Unknown => "结果不明",
            Self::Failed => "失败",
            Self::Withdrawn => "已撤回（未发出）",
        }
    }
}

/// One message in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Derived: purpose, recipient, step's cases, channel, contact version. A repeat is a no-op.
    pub key: String,
    /// What it is for.
    pub purpose: Purpose,
    /// To whom.
    pub recipient: Recipient,
    /// By which way.
    pub channel: Channel,
    /// The cases it speaks of; empty for internal mail that is about none.
    pub cases: Vec<CaseId>,
    /// The agency in whose name it goes; empty for internal mail of the centre.
    pub unit: UnitId,
    /// Mail address or phone number; empty for letters (the address stands in the file).
    pub address: String,
    /// Subject of a mail; title of a letter.
    pub subject: String,
    /// Plain text (SMS, mail). Letters have theirs in the attachment.
    pub text: String,
    /// Files that go with it.
    pub attachments: Vec<Attachment>,
    /// When it was decided (UTC): the mail's date and the file's time.
    pub decided: Timestamp,
    /// The day of that, here.
    pub day: Date,
    /// Where it stands.
    pub state: NoticeState,
    /// Attempts recorded.
    pub attempts: u32,
    /// What the channel last said.
    pub answer: Option<String>,
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Taken by the channel, with its own number when it gives one.
    Accepted {
        /// What the channel said.
        answer: String,
    },
    /// Written to a file only.
    DryRun {
        /// What the channel said.
        answer: String,
    },
    /// Not taken; worth another try later.
    Retry {
        /// Stable code or the channel's own.
        code: String,
        /// What the channel said.
        answer: String,
    },
    /// Not known whether it went out.
    Unknown {
        /// Stable code or the channel's own.
        code: String,
        /// What the channel said.
        answer: String,
    },
    /// Never will.
    Failed {
        /// Stable code or the channel's own.
        code: String,
        /// What the channel said.
        answer: String,
    },
}
