//! Publish: freezes the figures of a month and drafts its bulletin (草稿·未签发): files, and a mail to 公共业务科 only.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use serde::Serialize;

use crate::calendar::shanghai;
use crate::domain::batch::Verdict;
use crate::domain::bulletin::{Bulletin, SourceNote, total};
use crate::domain::coverage::Assessment;
use crate::domain::event::Event;
use crate::domain::figures::{self, Handled, Standings};
use crate::domain::notice::{Purpose, Recipient};
use crate::domain::record::Month;
use crate::domain::register::Enterprise;
use crate::render::RenderError;
use crate::render::bulletin as page;
use crate::render::mail::{self, BulletinMail};
use crate::tasks::known::{feeds, roll_knowledge};
use crate::tasks::notify::{Message, internal, keep};
use crate::tasks::walk::walk;
use crate::tasks::{Desk, Failure};

/// Version of the frozen layout.
const LAYOUT: u8 = 1;

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishReport {
    /// Its id.
    pub bulletin: String,
    /// Whether it was made now; an existing one is never made again.
    pub made: bool,
    /// Whether the month lies before the first delivery.
    pub no_data: bool,
    /// Whether opening + new + reopened + moved in − moved out − closed = closing for every unit.
    pub identity_holds: bool,
    /// File names.
    pub files: Vec<String>,
}

impl PublishReport {
    /// In one Chinese line.
    #[must_use]
    pub fn summary(&self) -> String {
        if self.made {
            format!("生成{}通报草稿", self.bulletin)
        } else if self.no_data {
            format!("{}没有已接收的数据，不生成通报", self.bulletin)
        } else {
            format!("{}通报草稿已存在", self.bulletin)
        }
    }
}

/// Drafts the bulletin of the month before `day`. With `dry_run` nothing is committed.
///
/// # Errors
/// Disk; a template that does not render; figures whose identity fails.
pub fn run(desk: Desk<'_>, day: Date, dry_run: bool) -> Result<PublishReport, Failure> {
    let period = Month::of(day).plus(-1);
    let id = period.to_string();
    if let Some(made) = desk
        .store
        .bulletins()?
        .into_iter()
        .find(|made| made.bulletin == id)
    {
        return Ok(PublishReport {
            bulletin: id,
            made: false,
            no_data: false,
            identity_holds: true,
            files: made.files.into_keys().collect(),
        });
    }
    let begun = desk.store.batches(None, usize::MAX)?.iter().any(|batch| {
        batch.verdict.accepted() && shanghai::civil(batch.received).date() <= period.last_day()
    });
    if !begun {
        // The month lies before the first delivery: there is nothing to report of it.
        return Ok(PublishReport {
            bulletin: id,
            made: false,
            no_data: true,
            identity_holds: true,
            files: Vec::new(),
        });
    }
    let bulletin = figures_of(desk, period)?;
    if !bulletin.identity_holds() {
        return Err(Failure::Render {
            what: format!("{id}通报"),
            text: "[YB-5301] 期初+新立+重现+移入−移出−办结与期末不相等，未生成通报".to_owned(),
        });
    }
    let stem = format!("bulletin-{id}");
    let names = [
        format!("{stem}.json"),
        format!("{stem}.html"),
        format!("{stem}.xlsx"),
    ];
    if dry_run {
        return Ok(PublishReport {
            bulletin: id,
            made: false,
            no_data: false,
            identity_holds: true,
            files: names.to_vec(),
        });
    }
    let render = |error: RenderError| Failure::Render {
        what: error.what.to_owned(),
        text: error.text,
    };
    let json = serde_json::to_vec_pretty(&bulletin).map_err(|error| Failure::Render {
        what: "通报数据".to_owned(),
        text: error.to_string(),
    })?;
    let [json_name, html_name, xlsx_name] = names;
    let figures = keep(desk, json_name, &json)?;
    let html = keep(
        desk,
        html_name,
        page::html(&bulletin).map_err(render)?.as_bytes(),
    )?;
    let xlsx = keep(desk, xlsx_name, &page::xlsx(&bulletin).map_err(render)?)?;
    let files: BTreeMap<String, String> = [&figures, &html, &xlsx]
        .into_iter()
        .map(|file| (file.name.clone(), file.digest.clone()))
        .collect();
    let mail = mail::bulletin_draft(&BulletinMail {
        demo_mark: bulletin.demo_mark.clone(),
        centre: bulletin.centre.clone(),
        period: format!("{}年{}月", period.year, period.month),
        lines: headline(&bulletin),
    })
    .map_err(render)?;
    let notice = internal(
        desk,
        Message {
            key: format!("bulletin_draft/{id}"),
            purpose: Purpose::BulletinDraft,
            recipient: Recipient::PublicSection,
            unit: String::new(),
            address: desk
                .configuration
                .settings
                .recipients
                .public_section
                .clone(),
            mail,
            attachments: vec![html, xlsx],
            cases: Vec::new(),
        },
    );
    let report = PublishReport {
        bulletin: id.clone(),
        made: true,
        no_data: false,
        identity_holds: true,
        files: files.keys().cloned().collect(),
    };
    let frozen = Event::Bulletin {
        bulletin: id.clone(),
        period: id,
        figures: figures.digest,
        files,
    };
    desk.store.commit(
        desk.now,
        "publish",
        vec![
            frozen,
            Event::Queued {
                notice: Box::new(notice),
            },
        ],
    )?;
    Ok(report)
}

/// The figures of a month as they stand today.
///
/// # Errors
/// The store.
pub fn figures_of(desk: Desk<'_>, period: Month) -> Result<Bulletin, Failure> {
    let events = desk.store.case_events().collect::<Result<Vec<_>, _>>()?;
    let counted = figures::count(events, period.first_day(), period.last_day());
    let standings = standings(desk, &counted.handled)?;
    let units = figures::lines(desk.configuration.units(), &standings.base, &counted);
    let settings = &desk.configuration.settings;
    Ok(Bulletin {
        version: LAYOUT,
        id: period.to_string(),
        period,
        cut_off: period.last_day(),
        made: desk.now,
        centre: settings.centre.clone(),
        demo_mark: settings.demo_mark.clone(),
        total: total(&units),
        units,
        closed_by: counted.closed_by,
        not_accused: standings
            .not_accused
            .into_iter()
            .map(|(standing, n)| (standing.title().to_owned(), n))
            .collect(),
        sources: sources(desk, period)?,
    })
}

/// Counts every enterprise; none is held.
fn standings(desk: Desk<'_>, handled: &BTreeMap<String, Handled>) -> Result<Standings, Failure> {
    let roll = roll_knowledge(&feeds(desk)?);
    let standings = Mutex::new(Standings::default());
    let look = |_: Enterprise, assessment: Assessment| -> Option<()> {
        let mut standings = standings.lock().unwrap_or_else(PoisonError::into_inner);
        standings.hear(&assessment, handled);
        None
    };
    walk(desk, &roll, &look, &mut |()| {})?;
    Ok(standings
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner))
}

fn sources(desk: Desk<'_>, period: Month) -> Result<Vec<SourceNote>, Failure> {
    let mut notes = Vec::new();
    for feed in feeds(desk)? {
        let Some(adapter) = desk.configuration.adapters.get(&feed.adapter) else {
            continue;
        };
        let mut note = SourceNote {
            adapter: feed.adapter.clone(),
            title: adapter.title.clone(),
            as_of: None,
            accepted: 0,
            held: 0,
            remark: feed.remark(),
        };
        for batch in desk.store.batches(Some(&feed.adapter), usize::MAX)? {
            let received = shanghai::civil(batch.received).date();
            if batch.verdict.accepted() && received <= period.last_day() {
                note.as_of = batch.as_of;
            }
            if let Some(release) = &batch.released
                && Month::of(shanghai::civil(release.at).date()) == period
            {
                if !note.remark.is_empty() {
                    note.remark.push('；');
                }
                let until = release
                    .until
                    .map_or_else(String::new, |until| format!("，有效至{until}"));
                let _ = write!(
                    note.remark,
                    "{}由{}放行（{}{until}）",
                    batch.batch, release.by, release.reason
                );
            }
            if let Some(withdrawal) = &batch.withdrawn
                && Month::of(shanghai::civil(withdrawal.at).date()) == period
            {
                if !note.remark.is_empty() {
                    note.remark.push('；');
                }
                let _ = write!(
                    note.remark,
                    "{}由{}撤回（{}）",
                    batch.batch, withdrawal.by, withdrawal.reason
                );
            }
            if Month::of(received) != period {
                continue;
            }
            match batch.verdict {
                Verdict::Accepted | Verdict::AcceptedWithWarnings => note.accepted += 1,
                Verdict::Quarantined | Verdict::Refused => note.held += 1,
                Verdict::SeenBefore | Verdict::Withdrawn => {}
            }
        }
        notes.push(note);
    }
    Ok(notes)
}

fn headline(bulletin: &Bulletin) -> Vec<String> {
    let (base, flow, work) = (
        &bulletin.total.base,
        &bulletin.total.flow,
        &bulletin.total.work,
    );
    vec![
        format!(
            "在册{}户，存续{}户，有用工迹象{}户，纳入专项{}户。",
            base.registered, base.active, base.with_staff, base.in_scope
        ),
        format!(
            "本期新立疑点{}件，核实{}件，其中属实{}件、排除{}件。",
            flow.new + flow.reopened,
            work.checked,
            work.confirmed,
            work.cleared
        ),
        format!(
            "发出通知{}件，新增参保{}户、{}人次，转稽核{}件，期末在办{}件。",
            work.notified,
            work.enrolled_firms,
            figures::all_heads(&work.enrolled_heads),
            work.transferred,
            flow.closing
        ),
    ]
}
