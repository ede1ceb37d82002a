//! Mails: subject and plain text.

use jiff::civil::Date;

use crate::domain::case::Step;
use crate::domain::finding::{FindingKind, Insurance};
use crate::render::RenderError;

/// Subject and plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Begins with the demo mark in a demo.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// The alert of a county with its worklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountyAlert {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// Who signs.
    pub centre: String,
    /// To whom.
    pub agency: String,
    /// The day.
    pub day: Date,
    /// Number of today's dispatch with how many cases and the day the answer is due.
    pub dispatched: Option<(u32, usize, Date)>,
    /// Cases to be checked, of these overdue.
    pub checking: (usize, usize),
    /// Letters to post, calls to make today.
    pub letters: usize,
    /// Calls to make today.
    pub calls: usize,
    /// Cases nobody could reach.
    pub unreachable: usize,
    /// What is still held back, and why.
    pub remark: Option<String>,
}

/// The mail of a [`CountyAlert`].
pub fn county_alert(alert: &CountyAlert) -> Result<Mail, RenderError> {
    let _ = alert;
    todo!()
}

/// A transfer to audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferMail {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// Who signs.
    pub centre: String,
    /// From which agency.
    pub agency: String,
    /// To which audit unit.
    pub to: String,
    /// The day.
    pub day: Date,
    /// How many cases.
    pub cases: usize,
    /// Whether this is the city's copy.
    pub copy: bool,
}

/// The mail of a [`TransferMail`].
pub fn transfer(mail: &TransferMail) -> Result<Mail, RenderError> {
    let _ = mail;
    todo!()
}

/// Something is silent or held: to the IT section, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedAlert {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// Who signs.
    pub centre: String,
    /// The day.
    pub day: Date,
    /// What, one line each, with code and remedy.
    pub lines: Vec<String>,
}

/// The mail of a [`FeedAlert`].
pub fn feed_alert(alert: &FeedAlert) -> Result<Mail, RenderError> {
    let _ = alert;
    todo!()
}

/// The draft of a bulletin, to the public business section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulletinMail {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// Who signs.
    pub centre: String,
    /// `2026年3月`.
    pub period: String,
    /// A few lines of figures.
    pub lines: Vec<String>,
}

/// The mail of a [`BulletinMail`].
pub fn bulletin_draft(mail: &BulletinMail) -> Result<Mail, RenderError> {
    let _ = mail;
    todo!()
}

/// A notice to a firm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmMail {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// Which step.
    pub step: Step,
    /// In whose name.
    pub agency: String,
    /// Its telephone.
    pub agency_phone: Option<String>,
    /// The firm.
    pub firm: String,
    /// What was found and confirmed.
    pub findings: Vec<(FindingKind, Vec<Insurance>)>,
    /// `15日`.
    pub answer: String,
    /// Case ids.
    pub cases: Vec<String>,
    /// The day.
    pub day: Date,
}

/// The mail of a [`FirmMail`].
pub fn firm(mail: &FirmMail) -> Result<Mail, RenderError> {
    let _ = mail;
    todo!()
}
