//! The bulletin (通报) as a draft (草稿·未签发): a page with figures by reporting unit and a chart, and the same as a workbook.

use minijinja::value::Serde;
use minijinja::{Value, context};

use crate::calendar::shanghai;
use crate::domain::bulletin::{Bulletin, CaseFlow, SourceNote, UnitFigures};
use crate::domain::case::ClosingReason;
use crate::domain::finding::Insurance;
use crate::render::RenderError;
use crate::render::bulletin_workbook;
use crate::render::chart::{self, Bar};
use crate::render::page;
use crate::render::progress::{self, Progress};
use crate::render::wording;

/// The title of a bulletin of this month.
#[must_use]
pub fn title(bulletin: &Bulletin) -> String {
    format!(
        "关于{}年{}月小微新企业参保扩面工作情况的通报",
        bulletin.period.year, bulletin.period.month
    )
}

/// The page (HTML with inline SVG chart, A4, no scripts).
///
/// # Errors
/// Figures whose accounting identity does not hold are not published.
pub fn html(bulletin: &Bulletin) -> Result<String, RenderError> {
    balanced(bulletin)?;
    let (placed, apart) = progress::ranked(bulletin);
    let (base, work, flow) = (
        &bulletin.total.base,
        &bulletin.total.work,
        &bulletin.total.flow,
    );
    let made = shanghai::civil(bulletin.made);
    page::fill(
        "通报",
        "bulletin.html",
        context! {
            title => title(bulletin),
            demo_mark => &bulletin.demo_mark,
            centre => &bulletin.centre,
            month => format!("{}年{}月", bulletin.period.year, bulletin.period.month),
            cut_off => crate::domain::text::day(bulletin.cut_off),
            made => format!("{}{:02}时{:02}分", crate::domain::text::day(made.date()), made.hour(), made.minute()),
            id => &bulletin.id,
            base => Value::from(Serde(*base)),
            coverage => wording::percent(base.insured, base.in_scope),
            flow => Value::from(Serde(flow.clone())),
            work => Value::from(Serde(work.clone())),
            to_check => progress::to_check(work),
            rate => progress::rate(work),
            heads => heads(&bulletin.total),
            closed_by => closed_by(bulletin),
            placed => placed.iter().map(line).collect::<Vec<_>>(),
            apart => apart.iter().map(line).collect::<Vec<_>>(),
            total => line(&Progress { line: &bulletin.total, place: None }),
            flows => bulletin.units.iter().chain([&bulletin.total]).map(flow_line).collect::<Vec<_>>(),
            rank_rule => progress::RANK_RULE,
            identity => identity(flow),
            chart => Value::from_safe_string(chart_of(bulletin, &placed, &apart)),
            any_check => progress::to_check(work) > 0,
            overdue => named(bulletin, |line| line.work.checks_overdue),
            unreachable => named(bulletin, |line| line.work.unreachable),
            below => below_mean(bulletin, &placed),
            not_accused => not_accused(bulletin).into_iter().map(|(reason, number)| Value::from((reason, number))).collect::<Vec<_>>(),
            sources => bulletin.sources.iter().map(source).collect::<Vec<_>>(),
            troubled => bulletin.sources.iter().any(|note| note.held > 0 || !note.remark.is_empty() || note.as_of.is_none()),
        },
    )
}

/// The workbook (XLSX): figures, base, sources; with a native chart.
///
/// # Errors
/// As [`html`].
pub fn xlsx(bulletin: &Bulletin) -> Result<Vec<u8>, RenderError> {
    balanced(bulletin)?;
    bulletin_workbook::write(bulletin)
}

fn balanced(bulletin: &Bulletin) -> Result<(), RenderError> {
    if bulletin.identity_holds() {
        return Ok(());
    }
    let unbalanced: Vec<&str> = bulletin
        .units
        .iter()
        .chain([&bulletin.total])
        .filter(|line| !line.flow.identity_holds())
        .map(|line| line.name.as_str())
        .collect();
    Err(RenderError {
        what: "通报",
        text: format!(
            "个案流转不平（期初＋新立＋重现＋移入−移出−办结≠期末，或移入移出合计不等）：{}",
            unbalanced.join("、")
        ),
    })
}

/// 期初＋新立＋重现＋移入−移出−办结＝期末, in figures.
#[must_use]
pub fn identity(flow: &CaseFlow) -> String {
    format!(
        "{}＋{}＋{}＋{}−{}−{}＝{}",
        flow.opening,
        flow.new,
        flow.reopened,
        flow.moved_in,
        flow.moved_out,
        flow.closed,
        flow.closing
    )
}

fn heads(line: &UnitFigures) -> Vec<u64> {
    [
        Insurance::Pension,
        Insurance::WorkInjury,
        Insurance::Unemployment,
    ]
    .iter()
    .map(|kind| line.work.enrolled_heads.get(kind).copied().unwrap_or(0))
    .collect()
}

fn line(progress: &Progress<'_>) -> Value {
    let work = &progress.line.work;
    context! {
        name => &progress.line.name,
        provincial => &progress.line.provincial,
        place => progress.place.map_or("—".to_owned(), |place| place.to_string()),
        to_check => progress::to_check(work),
        rate => progress::rate(work),
        work => Value::from(Serde(work.clone())),
        heads => heads(progress.line),
        closing => &progress.line.flow.closing,
    }
}

fn flow_line(line: &UnitFigures) -> Value {
    context! { name => &line.name, flow => Value::from(Serde(line.flow.clone())) }
}

/// `宛城区12件、卧龙区3件`: every unit with its figure, greatest first.
fn named(bulletin: &Bulletin, figure: impl Fn(&UnitFigures) -> u64) -> String {
    let mut lines: Vec<(&str, u64)> = bulletin
        .units
        .iter()
        .map(|line| (line.name.as_str(), figure(line)))
        .filter(|(_, number)| *number > 0)
        .collect();
    lines.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    lines
        .iter()
        .map(|(name, number)| format!("{name}{number}件"))
        .collect::<Vec<_>>()
        .join("、")
}

/// Units whose rate lies below the city's, the lowest first: `镇平县（40.0%）`.
fn below_mean(bulletin: &Bulletin, placed: &[Progress<'_>]) -> String {
    let total = &bulletin.total.work;
    let (checked, whole) = (
        u128::from(total.checked),
        u128::from(progress::to_check(total)),
    );
    placed
        .iter()
        .rev()
        .filter(|row| row.place.is_some())
        .filter(|row| {
            let own = u128::from(progress::to_check(&row.line.work));
            u128::from(row.line.work.checked) * whole < checked * own
        })
        .map(|row| format!("{}（{}）", row.line.name, progress::rate(&row.line.work)))
        .collect::<Vec<_>>()
        .join("、")
}

fn closed_by(bulletin: &Bulletin) -> String {
    ClosingReason::ALL
        .into_iter()
        .filter_map(|reason| {
            let number = bulletin.closed_by.get(&reason).copied().unwrap_or(0);
            (number > 0).then(|| format!("{}{number}件", reason.title()))
        })
        .collect::<Vec<_>>()
        .join("、")
}

/// Reasons with their numbers, greatest first, equal ones by name.
#[must_use]
pub fn not_accused(bulletin: &Bulletin) -> Vec<(&str, u64)> {
    let mut reasons: Vec<(&str, u64)> = bulletin
        .not_accused
        .iter()
        .map(|(reason, number)| (reason.as_str(), *number))
        .collect();
    reasons.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    reasons
}

fn source(note: &SourceNote) -> Value {
    context! {
        title => &note.title,
        as_of => note.as_of.map_or("尚无".to_owned(), crate::domain::text::day),
        accepted => &note.accepted,
        held => &note.held,
        remark => if note.remark.is_empty() { "正常" } else { note.remark.as_str() },
    }
}

fn chart_of(bulletin: &Bulletin, placed: &[Progress<'_>], apart: &[Progress<'_>]) -> String {
    let bars: Vec<Bar> = placed
        .iter()
        .map(|row| (row, false))
        .chain(apart.iter().map(|row| (row, true)))
        .filter_map(|(row, hatched)| {
            let work = &row.line.work;
            let whole = progress::to_check(work);
            Some(Bar {
                label: row.line.name.clone(),
                length: wording::per_mille(work.checked, whole)?,
                value: format!("{}（{}/{whole}）", progress::rate(work), work.checked),
                hatched,
            })
        })
        .collect();
    let total = &bulletin.total.work;
    let caption = format!("全市{}", progress::rate(total));
    let mean = wording::per_mille(total.checked, progress::to_check(total));
    chart::bars(
        "各县区疑点核查率",
        &bars,
        mean.map(|mean| (mean, caption.as_str())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::progress::sample;

    #[test]
    fn an_empty_period_says_none_instead_of_leaving_a_blank() {
        let page = html(&sample::bulletin(vec![sample::line("宛城区", 0, 0)])).unwrap();
        for text in [
            "本期无应核查任务",
            "本期没有逾期未反馈",
            "本期无办结",
            "草稿·未签发",
        ] {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("演示"));
        xlsx(&sample::bulletin(vec![])).unwrap();
    }

    #[test]
    fn figures_that_do_not_balance_are_not_published() {
        let mut line = sample::line("宛城区", 3, 1);
        line.flow.closed = 1;
        let bulletin = sample::bulletin(vec![line]);
        let error = html(&bulletin).unwrap_err();
        assert!(error.text.contains("宛城区"), "{error}");
        assert!(xlsx(&bulletin).is_err());
    }

    #[test]
    fn laggards_are_named_with_their_figures() {
        let mut late = sample::line("镇平县", 2, 6);
        late.work.checks_overdue = 5;
        let bulletin = sample::bulletin(vec![sample::line("宛城区", 8, 0), late]);
        let page = html(&bulletin).unwrap();
        assert!(page.contains("镇平县5件"));
        assert!(page.contains("镇平县（25.0%）"));
        assert!(!page.contains("宛城区（100.0%）、"));
    }
}
