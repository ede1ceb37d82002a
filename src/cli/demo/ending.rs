//! The end of a demo: truth and findings side by side, the figures, the pages, the closing screen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use jiff::civil::Date;
use serde::Serialize;

use crate::cli::console::Console;
use crate::cli::demo::days::Run;
use crate::cli::demo::{io, links, pages, write_progress};
use crate::demo::dirt::Tally;
use crate::demo::firm::State;
use crate::demo::links::{Judge, Links};
use crate::domain::batch::Verdict;
use crate::domain::case::{Case, ClosingReason, Stage};
use crate::domain::coverage::{Assessment, Standing};
use crate::domain::figures::Standings;
use crate::domain::finding::{FindingKind, Insurance};
use crate::render::wording::percent;
use crate::tasks::known::{Known, known};
use crate::tasks::stopwatch::Stopwatch;
use crate::tasks::{Desk, Failure};

/// The last line of `demo --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Firms that the city ever had.
    pub enterprises: u64,
    /// Days passed.
    pub days: u32,
    /// The seed.
    pub seed: u64,
    /// Deliveries judged.
    pub batches: u64,
    /// Of these quarantined.
    pub quarantined: u64,
    /// Of these refused.
    pub refused: u64,
    /// Findings that opened cases.
    pub findings: u64,
    /// Cases confirmed by a clerk.
    pub confirmed: u64,
    /// Firms to which a registration notice or anything after it was sent.
    pub accused: u64,
    /// Of these, by the truth on the as-of date of the roll cited, wrongly.
    pub accused_wrongly: u64,
    /// Of these, enrolled between that date and the decision.
    pub overtaken: u64,
    /// Rightly accused ÷ accused.
    pub precision: f64,
    /// Owing firms with evidence and an open finding ÷ all of them.
    pub recall: f64,
    /// Firms of the scope whose class cannot be decided.
    pub undecided: u64,
    /// Firms without a finding, by reason.
    pub not_accused: BTreeMap<Standing, u64>,
    /// Cases ever opened.
    pub cases: u64,
    /// Notices ever put into the outbox.
    pub notices: u64,
    /// Cases transferred to audit.
    pub transferred: u64,
    /// Firms whose case ended by enrolment, whole or part.
    pub enrolled: u64,
    /// Paths relative to OUT.
    pub bulletins: Vec<String>,
    /// Whether every bulletin's accounting identity holds.
    pub identity_holds: bool,
    /// Rows delivered, and those of them with a cell that is not as agreed.
    pub dirt: Tally,
    /// How the records that stand came to their firms.
    pub links: Links,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// One line of `findings.jsonl`: a finding with or without its case.
#[derive(Debug, Serialize)]
struct FindingLine<'a> {
    enterprise: &'a str,
    credit_code: &'a str,
    name: &'a str,
    finding: FindingKind,
    kinds: &'a [Insurance],
    roll_as_of: Date,
    /// Whether the last review still shows it.
    open: bool,
    case: Option<&'a str>,
    stage: Option<Stage>,
    confirmed: Option<Date>,
    /// The day the first adverse step was decided, and the roll it cites.
    accused: Option<Date>,
    accused_roll_as_of: Option<Date>,
    closed: Option<Date>,
    closing_reason: Option<ClosingReason>,
}

/// Writes everything and shows the closing screen. `false` when the identity fails or a firm was accused wrongly.
pub fn write(run: &mut Run, watch: Stopwatch, console: &mut Console<'_>) -> Result<bool, Failure> {
    let desk = run.closing_desk();
    let known = known(desk)?;
    let cases = desk.store.cases().collect::<Result<Vec<_>, _>>()?;
    fs::write(run.out.join("truth.jsonl"), run.city.truth_lines()).map_err(io("写 truth.jsonl"))?;
    fs::write(run.out.join("findings.jsonl"), findings(&known, &cases)?)
        .map_err(io("写 findings.jsonl"))?;
    let (bulletins, identity_holds) = bulletins(run, desk)?;
    let judge = links::judge(run, desk, &known)?;
    links::write(run, &judge)?;
    let mut summary = summary(run, desk, &known, &cases, &judge)?;
    summary.bulletins = bulletins;
    summary.identity_holds = identity_holds;
    pages::write(run, desk, &known, &cases, &summary)?;
    let good = summary.identity_holds && summary.accused_wrongly == 0;
    run.progress.finished = true;
    write_progress(&run.out, &run.progress)?;
    let seconds: f64 = watch.stages().values().sum();
    summary.seconds = (seconds * 10.0).round() / 10.0;
    if console.json {
        console.document(&summary);
    } else {
        screen(run, &summary, console);
    }
    Ok(good)
}

fn findings(known: &Known, cases: &[Case]) -> Result<String, Failure> {
    let mut lines = String::new();
    let mut covered: BTreeSet<(&str, FindingKind)> = BTreeSet::new();
    let by_enterprise: BTreeMap<&str, &Assessment> = known
        .assessments
        .iter()
        .map(|assessment| (assessment.enterprise.as_str(), assessment))
        .collect();
    let mut push = |line: &FindingLine<'_>| -> Result<(), Failure> {
        let text = serde_json::to_string(line).map_err(|error| Failure::Render {
            what: "findings.jsonl".to_owned(),
            text: error.to_string(),
        })?;
        lines.push_str(&text);
        lines.push('\n');
        Ok(())
    };
    for case in cases {
        let open = by_enterprise
            .get(case.enterprise.as_str())
            .is_some_and(|assessment| {
                assessment
                    .findings
                    .iter()
                    .any(|finding| finding.kind == case.finding.kind)
            });
        covered.insert((&case.enterprise, case.finding.kind));
        let first = case.steps.first();
        push(&FindingLine {
            enterprise: &case.enterprise,
            credit_code: &case.credit_code,
            name: &case.name,
            finding: case.finding.kind,
            kinds: &case.finding.kinds,
            roll_as_of: case.finding.roll_as_of,
            open,
            case: Some(&case.id),
            stage: Some(case.stage),
            confirmed: case.confirmed.as_ref().map(|confirmed| confirmed.date),
            accused: first.map(|step| step.date),
            accused_roll_as_of: first.map(|step| step.roll_as_of),
            closed: case.closed.as_ref().map(|closing| closing.date),
            closing_reason: case.closed.as_ref().map(|closing| closing.reason),
        })?;
    }
    for (assessment, enterprise) in known.assessments.iter().zip(&known.register.enterprises) {
        for finding in &assessment.findings {
            if covered.contains(&(assessment.enterprise.as_str(), finding.kind)) {
                continue;
            }
            push(&FindingLine {
                enterprise: &enterprise.id,
                credit_code: &enterprise.credit_code,
                name: &enterprise.name,
                finding: finding.kind,
                kinds: &finding.kinds,
                roll_as_of: finding.roll_as_of,
                open: true,
                case: None,
                stage: None,
                confirmed: None,
                accused: None,
                accused_roll_as_of: None,
                closed: None,
                closing_reason: None,
            })?;
        }
    }
    Ok(lines)
}

/// Copies the bulletins to where a reader looks for them.
fn bulletins(run: &Run, desk: Desk<'_>) -> Result<(Vec<String>, bool), Failure> {
    let folder = run.out.join("bulletins");
    fs::create_dir_all(&folder).map_err(io("建立通报目录"))?;
    let (mut paths, mut holds) = (Vec::new(), true);
    for made in desk.store.bulletins()? {
        for (name, digest) in &made.files {
            let bytes = desk.store.read_archived(digest)?;
            fs::write(folder.join(name), &bytes).map_err(io("写通报"))?;
            if name.ends_with(".json") {
                let frozen: Result<crate::domain::bulletin::Bulletin, _> =
                    serde_json::from_slice(&bytes);
                holds &= frozen.is_ok_and(|bulletin| bulletin.identity_holds());
            } else {
                paths.push(format!("bulletins/{name}"));
            }
        }
    }
    Ok((paths, holds))
}

fn summary(
    run: &Run,
    desk: Desk<'_>,
    known: &Known,
    cases: &[Case],
    judge: &Judge<'_>,
) -> Result<Summary, Failure> {
    let batches = desk.store.batches(None, usize::MAX)?;
    let with = |verdict: Verdict| {
        batches
            .iter()
            .filter(|batch| batch.verdict == verdict)
            .count() as u64
    };
    let judged = accusations(run, cases);
    let (owing, found) = recall(run, known, judge);
    let mut notices = 0;
    for notice in desk.store.notices() {
        notice?;
        notices += 1;
    }
    let enrolled: BTreeSet<&str> = cases
        .iter()
        .filter(|case| {
            case.closed.as_ref().is_some_and(|closing| {
                matches!(
                    closing.reason,
                    ClosingReason::Enrolled | ClosingReason::EnrolledPartly
                )
            })
        })
        .map(|case| case.enterprise.as_str())
        .collect();
    Ok(Summary {
        enterprises: run.city.len() as u64,
        days: run.progress.options.days,
        seed: run.progress.options.seed,
        batches: batches.len() as u64,
        quarantined: with(Verdict::Quarantined),
        refused: with(Verdict::Refused),
        findings: cases.len() as u64,
        confirmed: cases.iter().filter(|case| case.confirmed.is_some()).count() as u64,
        accused: judged.accused,
        accused_wrongly: judged.wrongly,
        overtaken: judged.overtaken,
        precision: share(judged.accused - judged.wrongly, judged.accused),
        recall: share(found, owing),
        undecided: known
            .assessments
            .iter()
            .filter(|a| a.active && a.undecided)
            .count() as u64,
        not_accused: Standings::of(&known.assessments, &BTreeMap::new()).not_accused,
        cases: cases.len() as u64,
        notices,
        transferred: cases
            .iter()
            .filter(|case| case.transferred.is_some())
            .count() as u64,
        enrolled: enrolled.len() as u64,
        bulletins: Vec::new(),
        identity_holds: true,
        dirt: run.progress.dirt,
        links: judge.links,
        seconds: 0.0,
    })
}

/// Four decimals; of nothing, all is right.
#[allow(
    clippy::cast_precision_loss,
    reason = "counts of firms are far below 2^52"
)]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        1.0
    } else {
        (part as f64 / whole as f64 * 10_000.0).round() / 10_000.0
    }
}

#[derive(Debug, Default)]
struct Accusations {
    accused: u64,
    wrongly: u64,
    overtaken: u64,
}

/// Every accused firm against the truth on the as-of date of the roll its first adverse step cites.
fn accusations(run: &Run, cases: &[Case]) -> Accusations {
    let mut firms: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.accused()) {
        let Some(first) = case.steps.first() else {
            continue;
        };
        let owed = |day: Date| {
            run.city
                .standing(&case.credit_code, day)
                .is_some_and(|standing| {
                    standing.state == State::Owes
                        && case
                            .finding
                            .kinds
                            .iter()
                            .any(|kind| standing.uncovered.contains(kind))
                })
        };
        let (wrongly, overtaken) = firms.entry(&case.enterprise).or_default();
        *wrongly |= !owed(first.roll_as_of);
        *overtaken |= owed(first.roll_as_of) && !owed(first.date);
    }
    Accusations {
        accused: firms.len() as u64,
        wrongly: firms.values().filter(|(wrongly, _)| *wrongly).count() as u64,
        overtaken: firms.values().filter(|(_, overtaken)| *overtaken).count() as u64,
    }
}

/// Owing firms with evidence on the last accepted roll's as-of date, and those of them with an open finding on the enterprise of
/// their registration, under whatever code the registrar has it.
fn recall(run: &Run, known: &Known, judge: &Judge<'_>) -> (u64, u64) {
    let Some(as_of) = known
        .feeds
        .iter()
        .find(|feed| feed.adapter == "insured-roll")
        .and_then(|feed| feed.head.as_ref().and_then(|head| head.as_of))
    else {
        return (0, 0);
    };
    let (mut owing, mut found) = (0, 0);
    for truth in run.city.truths() {
        let standing = truth
            .intervals
            .iter()
            .rev()
            .find(|interval| interval.from <= as_of);
        let shown = standing.is_some_and(|interval| {
            interval.state == State::Owes
                && interval.evidence_from.is_some_and(|from| from <= as_of)
        });
        if !truth.scope || !shown {
            continue;
        }
        owing += 1;
        let home = run
            .city
            .firm(&truth.credit_code)
            .and_then(|firm| judge.home(firm));
        let shown = home.is_some_and(|home| {
            known.assessments.iter().any(|a| {
                a.enterprise == home && a.findings.iter().any(|finding| finding.kind.opens_case())
            })
        });
        found += u64::from(shown);
    }
    (owing, found)
}

fn screen(run: &Run, summary: &Summary, console: &mut Console<'_>) {
    let mut text = String::new();
    let _ = writeln!(text, "\n应保 · 演示结束（{}）", super::MARK);
    let _ = writeln!(
        text,
        "  {}户企业，{}天；收到{}批数据，隔离{}批，拒收{}批",
        summary.enterprises, summary.days, summary.batches, summary.quarantined, summary.refused
    );
    let _ = writeln!(
        text,
        "  立案{}件，核实属实{}件；通知{}户，误催{}户；转稽核{}件；新增参保{}户",
        summary.cases,
        summary.confirmed,
        summary.accused,
        summary.accused_wrongly,
        summary.transferred,
        summary.enrolled
    );
    let _ = writeln!(
        text,
        "  应催尽催率 {:.2}%，催办准确率 {:.2}%",
        summary.recall * 100.0,
        summary.precision * 100.0
    );
    let _ = writeln!(
        text,
        "  收到{}行，其中{}行有错别字、旧号等瑕疵（{}）；应归户记录{}条，归对{}条，错并{}条，未归户{}条",
        summary.dirt.rows,
        summary.dirt.touched,
        percent(summary.dirt.touched, summary.dirt.rows),
        summary.links.possible,
        summary.links.correct,
        summary.links.wrong,
        summary.links.missed
    );
    if let Some(cut) = &run.progress.cut {
        let _ = writeln!(
            text,
            "  {}的残缺登记册已拦截：若未拦截，将误催{}户",
            cut.day,
            cut.by_unit.values().sum::<u64>()
        );
    }
    text.push_str("  没有被催的企业及原因：\n");
    let mut reasons: Vec<_> = summary.not_accused.iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    for (standing, n) in reasons {
        let _ = writeln!(text, "    {n:>6}户　{}", standing.title());
    }
    let _ = writeln!(
        text,
        "  请用浏览器打开 {}",
        run.out.join("index.html").display()
    );
    let _ = write!(text, "  用时{:.1}秒", summary.seconds);
    console.line(text);
}
