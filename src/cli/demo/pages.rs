//! The closing pages of a demo: the index, seven stories, one county's worklist and one letter.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::calendar::shanghai;
use crate::cli::demo::days::Run;
use crate::cli::demo::ending::Summary;
use crate::cli::demo::stories::Teller;
use crate::cli::demo::{MARK, io};
use crate::domain::batch::Verdict;
use crate::domain::case::{Case, ClosingReason};
use crate::domain::coverage::Standing;
use crate::domain::event::Event;
use crate::domain::figures::{self, Standings};
use crate::domain::finding::Insurance;
use crate::domain::notice::{Channel, Notice, Purpose};
use crate::domain::text;
use crate::domain::unit::Units;
use crate::render::RenderError;
use crate::render::demo::{self as page, CutRoll, FunnelLine, Index};
use crate::render::wording::{count, percent};
use crate::tasks::county;
use crate::tasks::known::Known;
use crate::tasks::{Desk, Failure};

/// Rows of the worklist that the index shows; the workbook has all.
const EXCERPT: usize = 6;

fn rendered(result: Result<String, RenderError>) -> Result<String, Failure> {
    result.map_err(|error| Failure::Render {
        what: error.what.to_owned(),
        text: error.text,
    })
}

/// Writes index, stories, worklist and letter under OUT.
pub fn write(
    run: &Run,
    desk: Desk<'_>,
    known: &Known,
    cases: &[Case],
    summary: &Summary,
) -> Result<(), Failure> {
    let notices = desk.store.notices().collect::<Result<Vec<_>, _>>()?;
    let out = &run.out;
    for folder in ["stories", "samples"] {
        fs::create_dir_all(out.join(folder)).map_err(io("建立演示目录"))?;
    }
    let mut index = Index {
        demo_mark: MARK.to_owned(),
        centre: desk.configuration.settings.centre.clone(),
        enterprises: summary.enterprises,
        days: u64::from(summary.days),
        first: Some(run.progress.options.start),
        last: Some(run.last_day()),
        funnel: funnel(desk, known, cases),
        not_accused: not_accused(summary),
        headline: headline(summary),
        dirt: Some(dirt(summary)),
        cut: cut(run, desk)?,
        stopped: stopped(desk)?,
        late: late(desk)?,
        ..Index::default()
    };
    let teller = Teller {
        run,
        desk,
        known,
        cases,
        notices: &notices,
    };
    for (name, told) in teller.stories() {
        let file = format!("stories/{name}.html");
        fs::write(out.join(&file), rendered(page::story(&told))?).map_err(io("写演示页面"))?;
        index
            .stories
            .push((told.title.clone(), told.ending.clone(), file));
    }
    samples(out, desk, &notices, known, cases, &mut index)?;
    for bulletin in &summary.bulletins {
        let kind = if bulletin.ends_with(".html") {
            "网页"
        } else {
            "工作簿"
        };
        let month = bulletin
            .trim_start_matches("bulletins/bulletin-")
            .split('.')
            .next()
            .unwrap_or_default();
        index
            .links
            .push((format!("{month}通报草稿（{kind}）"), bulletin.clone()));
    }
    index
        .links
        .push(("真相（每户一行）".to_owned(), "truth.jsonl".to_owned()));
    index
        .links
        .push(("疑点（每件一行）".to_owned(), "findings.jsonl".to_owned()));
    index.links.push((
        "错并或未归户的记录（每条一行）".to_owned(),
        "links.jsonl".to_owned(),
    ));
    fs::write(out.join("index.html"), rendered(page::index(&index))?).map_err(io("写演示首页"))
}

fn headline(summary: &Summary) -> Vec<(String, String, String)> {
    let card =
        |title: &str, value: String, remark: &str| (title.to_owned(), value, remark.to_owned());
    vec![
        card(
            "已通知企业",
            format!("{}户", summary.accused),
            "经具名人员核实后才发出通知",
        ),
        card(
            "误催企业",
            format!("{}户", summary.accused_wrongly),
            "与真相逐户比对",
        ),
        card(
            "应催尽催",
            format!("{:.1}%", summary.recall * 100.0),
            "有用工证据的未足额参保企业中已列疑点的比例",
        ),
        card(
            "新增参保",
            format!("{}户", summary.enrolled),
            "由完整的参保登记册自动确认",
        ),
        card(
            "转稽核",
            format!("{}件", summary.transferred),
            "逾期且有邮寄或通话记录",
        ),
        card(
            "拦截问题数据",
            format!("{}批", summary.quarantined + summary.refused),
            "残缺、截断的文件没有进入比对",
        ),
    ]
}

/// How dirty the data were, and how their records came to their firms nevertheless.
fn dirt(summary: &Summary) -> String {
    let (dirt, links) = (summary.dirt, summary.links);
    format!(
        "各部门共送来{}行，其中{}行（{}）有错别字、旧号、空号、曾用名、重复等情况；应归户的{}条记录归对{}条，错并{}条，未归户{}条。",
        count(dirt.rows),
        count(dirt.touched),
        percent(dirt.touched, dirt.rows),
        count(links.possible),
        count(links.correct),
        count(links.wrong),
        count(links.missed),
    )
}

fn not_accused(summary: &Summary) -> Vec<(String, u64)> {
    let mut reasons: Vec<(String, u64)> = summary
        .not_accused
        .iter()
        .map(|(standing, n)| (standing.title().to_owned(), *n))
        .collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    reasons
}

/// The funnel by unit over the whole run, total last.
fn funnel(desk: Desk<'_>, known: &Known, cases: &[Case]) -> Vec<FunnelLine> {
    let handled = figures::handled(cases, desk.today());
    let base = Standings::of(&known.assessments, &handled).base;
    let mut firms: BTreeMap<&str, [std::collections::BTreeSet<&str>; 5]> = BTreeMap::new();
    let mut heads: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    for case in cases {
        let [checked, notified, enrolled, transferred, doubted] =
            firms.entry(&case.unit).or_default();
        doubted.insert(&case.enterprise);
        let answered = case
            .closed
            .as_ref()
            .is_some_and(|closing| closing.reason.clears_for_days() > 0);
        if case.confirmed.is_some() || answered {
            checked.insert(&case.enterprise);
        }
        if case.accused() {
            notified.insert(&case.enterprise);
        }
        if case.transferred.is_some() {
            transferred.insert(&case.enterprise);
        }
        if let Some(closing) = &case.closed
            && matches!(
                closing.reason,
                ClosingReason::Enrolled | ClosingReason::EnrolledPartly
            )
        {
            enrolled.insert(&case.enterprise);
            let sums = heads.entry(&case.unit).or_default();
            for (at, kind) in Insurance::ALL.iter().enumerate() {
                sums[at] += closing.heads.get(kind).copied().unwrap_or(0);
            }
        }
    }
    // Findings that still wait for their case are doubts as well.
    for assessment in known
        .assessments
        .iter()
        .filter(|a| a.standing == Standing::Doubtful)
    {
        firms.entry(&assessment.unit).or_default()[4].insert(&assessment.enterprise);
    }
    let mut lines: Vec<FunnelLine> = Vec::new();
    let mut total = FunnelLine {
        unit: "合计".to_owned(),
        ..FunnelLine::default()
    };
    for unit in &desk.configuration.units().units {
        let base = base.get(&unit.id).copied().unwrap_or_default();
        let sets = firms.get(unit.id.as_str());
        let count = |at: usize| sets.map_or(0, |sets| sets[at].len() as u64);
        let line = FunnelLine {
            unit: unit.name.clone(),
            firms: [
                base.registered,
                base.active,
                base.with_staff,
                base.in_scope,
                base.insured,
                count(4),
                count(0),
                count(1),
                count(2),
                count(3),
            ],
            heads: heads.get(unit.id.as_str()).copied().unwrap_or_default(),
        };
        for at in 0..10 {
            total.firms[at] += line.firms[at];
        }
        for at in 0..3 {
            total.heads[at] += line.heads[at];
        }
        lines.push(line);
    }
    lines.push(total);
    lines
}

fn cut(run: &Run, desk: Desk<'_>) -> Result<Option<CutRoll>, Failure> {
    let Some(cut) = &run.progress.cut else {
        return Ok(None);
    };
    let batch = desk.store.batch(&cut.batch)?;
    let units = desk.configuration.units();
    Ok(Some(CutRoll {
        day: cut.day,
        file: batch
            .as_ref()
            .map(|batch| batch.file.clone())
            .unwrap_or_default(),
        rows: cut.rows,
        reasons: batch
            .map(|batch| {
                let way = batch.verdict.way_out().map(str::to_owned);
                let reasons = batch.reasons.into_iter().map(|reason| reason.text);
                reasons.chain(way).collect()
            })
            .unwrap_or_default(),
        firms: cut.by_unit.values().sum(),
        by_unit: in_order_of_units(&cut.by_unit, units),
    }))
}

/// Figures by unit id as rows by name, in the city's order of units; what belongs to none comes last.
fn in_order_of_units(by_unit: &BTreeMap<String, u64>, units: &Units) -> Vec<(String, u64)> {
    let known = units
        .units
        .iter()
        .filter_map(|unit| Some((unit.name.clone(), *by_unit.get(&unit.id)?)));
    let unplaced: u64 = by_unit
        .iter()
        .filter(|(id, _)| units.get(id).is_none())
        .map(|(_, n)| *n)
        .sum();
    known
        .chain((unplaced > 0).then(|| ("未归属".to_owned(), unplaced)))
        .collect()
}

/// Deliveries that the door refused.
fn stopped(desk: Desk<'_>) -> Result<Vec<(jiff::civil::Date, String, String)>, Failure> {
    Ok(desk
        .store
        .batches(None, usize::MAX)?
        .into_iter()
        .filter(|batch| batch.verdict == Verdict::Refused)
        .map(|batch| {
            let what: Vec<String> = batch
                .reasons
                .iter()
                .map(|reason| format!("[{}] {}", reason.code, reason.text))
                .collect();
            (
                shanghai::civil(batch.received).date(),
                batch.file,
                what.join("；"),
            )
        })
        .collect())
}

/// The late feed, as the alerts of the selfcheck told it.
fn late(desk: Desk<'_>) -> Result<Option<String>, Failure> {
    let mut raised: BTreeMap<String, jiff::civil::Date> = BTreeMap::new();
    let mut told = Vec::new();
    for entry in desk.store.journal()? {
        let entry = entry?;
        let day = shanghai::civil(entry.at).date();
        for event in entry.events {
            match event {
                Event::Alerted { alert, .. } if alert.starts_with("stale/") => {
                    raised.insert(alert, day);
                }
                Event::AlertEnded { alert } => {
                    if let Some(since) = raised.remove(&alert) {
                        let name = alert.trim_start_matches("stale/");
                        let title = desk
                            .configuration
                            .adapters
                            .get(name)
                            .map_or(name, |adapter| adapter.title.as_str())
                            .to_owned();
                        told.push(format!(
                            "{title}在{}超过约定时限，当日邮件告知信息科一次；期间不据此新立疑点；{}补到并恢复。",
                            text::day(since),
                            text::day(day)
                        ));
                    }
                }
                _ => {}
            }
        }
    }
    Ok((!told.is_empty()).then(|| told.join("")))
}

/// The fullest worklist mail and the letter of a case, as clerk and firm see them.
fn samples(
    out: &Path,
    desk: Desk<'_>,
    notices: &[Notice],
    known: &Known,
    cases: &[Case],
    index: &mut Index,
) -> Result<(), Failure> {
    let letter = notices
        .iter()
        .filter(|notice| {
            notice.channel == Channel::Letter && notice.purpose == Purpose::RegistrationNotice
        })
        .min_by_key(|notice| (notice.day, notice.key.clone()));
    if let Some(page) = letter.and_then(|letter| letter.attachments.first()) {
        let bytes = desk.store.read_archived(&page.digest)?;
        fs::write(out.join("samples/letter.html"), &bytes).map_err(io("写样例"))?;
        index.links.push((
            "参保登记通知书（样例）".to_owned(),
            "samples/letter.html".to_owned(),
        ));
        index.letter = Some((
            "参保登记通知书（样例）".to_owned(),
            String::from_utf8_lossy(&bytes).into_owned(),
        ));
    }
    let Some(unit) = desk.configuration.units().units.iter().max_by_key(|unit| {
        cases
            .iter()
            .filter(|case| case.unit == unit.id && case.is_open())
            .count()
    }) else {
        return Ok(());
    };
    let list = county::worklist(desk, known, unit, cases);
    let workbook = crate::render::worklist::xlsx(&list).map_err(|error| Failure::Render {
        what: error.what.to_owned(),
        text: error.text,
    })?;
    fs::write(out.join("samples/worklist.xlsx"), workbook).map_err(io("写样例"))?;
    index.links.push((
        format!("{}工作清单（工作簿）", unit.name),
        "samples/worklist.xlsx".to_owned(),
    ));
    let rows = list
        .rows
        .iter()
        .take(EXCERPT)
        .map(|row| {
            vec![
                row.name.clone(),
                row.finding.title().to_owned(),
                row.heads.clone(),
                row.stage.clone(),
                row.due.map(|day| day.to_string()).unwrap_or_default(),
                row.task.clone(),
            ]
        })
        .collect();
    let heading = ["企业名称", "疑点", "用工规模", "阶段", "期限", "下一步"]
        .map(str::to_owned)
        .to_vec();
    index.worklist = Some((
        format!(
            "{}工作清单（{}，共{}件）",
            unit.name,
            list.day,
            list.rows.len()
        ),
        heading,
        rows,
    ));
    Ok(())
}
