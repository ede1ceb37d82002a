//! Mails: subject and plain text.

use jiff::civil::Date;

use minijinja::{Value, context};

use crate::domain::case::Step;
use crate::domain::finding::{FindingKind, Insurance};
use crate::render::RenderError;
use crate::render::page;
use crate::render::wording;

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
    let day = crate::domain::text::day(alert.day);
    let late = if alert.checking.1 > 0 {
        format!("，逾期{}件", alert.checking.1)
    } else {
        String::new()
    };
    mail(
        alert.demo_mark.as_deref(),
        &format!(
            "{}{day}参保扩面工作清单（待核实{}件{late}）",
            alert.agency, alert.checking.0
        ),
        "county-alert.txt",
        context! {
            demo_mark => &alert.demo_mark,
            centre => &alert.centre,
            agency => &alert.agency,
            day,
            dispatched => alert.dispatched.map(|(wave, cases, due)| context! {
                wave, cases, due => crate::domain::text::day(due),
            }),
            checking => &alert.checking.0,
            overdue => &alert.checking.1,
            letters => &alert.letters,
            calls => &alert.calls,
            unreachable => &alert.unreachable,
            remark => &alert.remark,
        },
    )
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
    let day = crate::domain::text::day(mail.day);
    let copy = if mail.copy { "抄送：" } else { "" };
    self::mail(
        mail.demo_mark.as_deref(),
        &format!("{copy}{}{day}转稽核个案{}件", mail.agency, mail.cases),
        "transfer.txt",
        context! {
            demo_mark => &mail.demo_mark,
            centre => &mail.centre,
            agency => &mail.agency,
            to => &mail.to,
            day,
            cases => &mail.cases,
            copy => &mail.copy,
        },
    )
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
    let day = crate::domain::text::day(alert.day);
    mail(
        alert.demo_mark.as_deref(),
        &format!("{day}数据或作业异常提醒（{}项）", alert.lines.len()),
        "feed-alert.txt",
        context! {
            demo_mark => &alert.demo_mark,
            centre => &alert.centre,
            day,
            lines => lines(&alert.lines),
        },
    )
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
    self::mail(
        mail.demo_mark.as_deref(),
        &format!("{}参保扩面工作通报草稿（未签发）", mail.period),
        "bulletin-draft.txt",
        context! {
            demo_mark => &mail.demo_mark,
            centre => &mail.centre,
            period => &mail.period,
            lines => lines(&mail.lines),
        },
    )
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
    let what = mail.step.title();
    let template = match mail.step {
        Step::RegistrationNotice => "firm-notice.txt",
        Step::Reminder => "firm-reminder.txt",
    };
    self::mail(
        mail.demo_mark.as_deref(),
        &format!("{what}（{}）", mail.firm),
        template,
        context! {
            demo_mark => &mail.demo_mark,
            agency => &mail.agency,
            agency_phone => &mail.agency_phone,
            firm => wording::one_line(&mail.firm),
            findings => wording::all_confirmed(what, &mail.findings)?,
            answer => &mail.answer,
            cases => mail.cases.join("、"),
            day => crate::domain::text::day(mail.day),
        },
    )
}

/// One mail: the mark before the subject, the text from its template.
fn mail(
    demo_mark: Option<&str>,
    subject: &str,
    template: &str,
    values: Value,
) -> Result<Mail, RenderError> {
    let mark = demo_mark.map_or(String::new(), |mark| format!("（{mark}）"));
    Ok(Mail {
        subject: wording::one_line(&format!("{mark}{subject}")),
        text: page::fill("邮件", template, values)?,
    })
}

fn lines(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| wording::one_line(line)).collect()
}
