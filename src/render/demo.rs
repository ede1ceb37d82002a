//! The closing pages of a demo: index, stories. Plain, printable, no scripts.

use jiff::civil::Date;
use minijinja::{Value, context};

use crate::render::RenderError;
use crate::render::chart::{self, Bar};
use crate::render::page;
use crate::render::wording;

/// The index page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    /// 演示数据，纯属虚构.
    pub demo_mark: String,
    /// 南阳市社会保险中心.
    pub centre: String,
    /// Enterprises in the city.
    pub enterprises: u64,
    /// Days passed.
    pub days: u64,
    /// First day.
    pub first: Option<Date>,
    /// Last day.
    pub last: Option<Date>,
    /// The funnel by reporting unit, total last.
    pub funnel: Vec<FunnelLine>,
    /// 没有被催的企业及原因, greatest first.
    pub not_accused: Vec<(String, u64)>,
    /// The stories, in order: title, one sentence, file name of the page.
    pub stories: Vec<(String, String, String)>,
    /// The cut roll.
    pub cut: Option<CutRoll>,
    /// What else the guards stopped: day, file, what, remedy.
    pub stopped: Vec<(Date, String, String)>,
    /// The late feed: title, expected, came, what was held meanwhile.
    pub late: Option<String>,
    /// Links (text, relative path): worklist, letter, bulletins (HTML, XLSX), truth and findings.
    pub links: Vec<(String, String)>,
    /// The letter, as HTML, shown in a frame of its own.
    pub letter: Option<(String, String)>,
    /// The worklist's first rows for showing: heading and rows.
    pub worklist: Option<(String, Vec<String>, Vec<Vec<String>>)>,
    /// How dirty the data were, and how their records came to their firms, in one sentence.
    pub dirt: Option<String>,
    /// Accused, wrongly accused, precision and recall in per cent texts, and other headline figures: title, value, remark.
    pub headline: Vec<(String, String, String)>,
}

/// One line of the funnel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FunnelLine {
    /// The unit's name; 合计 for the total.
    pub unit: String,
    /// Registered, active, evidence of staff, in scope, insured, finding, checked, notified, newly insured firms, transferred.
    pub firms: [u64; 10],
    /// Newly insured heads by kind: pension, unemployment, work injury.
    pub heads: [u64; 3],
}

/// The cut roll that was held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutRoll {
    /// The day.
    pub day: Date,
    /// The file.
    pub file: String,
    /// Rows before and now.
    pub rows: (u64, u64),
    /// The guard's reasons.
    pub reasons: Vec<String>,
    /// Firms that would have been asked wrongly.
    pub firms: u64,
    /// The same by unit name.
    pub by_unit: Vec<(String, u64)>,
}

/// A story: one firm from the export to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Story {
    /// 演示数据，纯属虚构.
    pub demo_mark: String,
    /// 通知后参保 …
    pub title: String,
    /// In two or three sentences: what happened and why it matters.
    pub summary: String,
    /// The firm: title → value.
    pub firm: Vec<(String, String)>,
    /// The facts: source, file, row, day, fact, rule, article.
    pub grounds: Vec<[String; 7]>,
    /// The history: day, who, what.
    pub history: Vec<(Date, String, String)>,
    /// Notices: day, channel, to whom, state, link or empty.
    pub notices: Vec<[String; 5]>,
    /// How it ended, or where it stands.
    pub ending: String,
    /// Relative path back to the index; `index.html` beside the page when empty.
    pub back: String,
}

/// What the ten figures of a [`FunnelLine`] are called.
pub const STEPS: [&str; 10] = [
    "登记企业",
    "存续",
    "有用工迹象",
    "专项范围",
    "已足额参保",
    "列出疑点",
    "已核查",
    "已通知",
    "新增参保",
    "转稽核",
];

/// Of which earlier figure each one is a part, for its small bar.
const WHOLE: [usize; 10] = [0, 0, 1, 2, 3, 3, 5, 6, 7, 7];

/// The index page (HTML).
pub fn index(index: &Index) -> Result<String, RenderError> {
    let cut = index.cut.as_ref().map(|cut| {
        context! {
            day => crate::domain::text::day(cut.day),
            file => &cut.file,
            rows => [cut.rows.0, cut.rows.1],
            reasons => &cut.reasons,
            firms => &cut.firms,
            by_unit => with_bars(cut.by_unit.iter().map(|(unit, n)| (unit.as_str(), *n))),
        }
    });
    let reasons = index
        .not_accused
        .iter()
        .map(|(reason, number)| (reason.as_str(), *number));
    page::fill(
        "演示首页",
        "index.html",
        context! {
            title => "小微新企业参保扩面演示",
            demo_mark => &index.demo_mark,
            centre => &index.centre,
            enterprises => &index.enterprises,
            days => &index.days,
            first => index.first.map(crate::domain::text::day),
            last => index.last.map(crate::domain::text::day),
            headline => &index.headline,
            dirt => &index.dirt,
            steps => STEPS,
            funnel => index.funnel.iter().map(funnel_line).collect::<Vec<_>>(),
            chart => Value::from_safe_string(index.funnel.last().map_or(String::new(), funnel_chart)),
            not_accused => with_bars(reasons),
            cut,
            stopped => index.stopped.iter()
                .map(|(day, file, what)| Value::from([crate::domain::text::day(*day), file.clone(), what.clone()]))
                .collect::<Vec<_>>(),
            late => &index.late,
            stories => &index.stories,
            worklist => &index.worklist,
            letter => &index.letter,
            links => &index.links,
        },
    )
}

/// A story's page (HTML).
pub fn story(story: &Story) -> Result<String, RenderError> {
    page::fill(
        "演示故事",
        "story.html",
        context! {
            title => &story.title,
            demo_mark => &story.demo_mark,
            summary => &story.summary,
            firm => &story.firm,
            grounds => &story.grounds,
            history => story.history.iter()
                .map(|(day, who, what)| Value::from([crate::domain::text::day(*day), who.clone(), what.clone()]))
                .collect::<Vec<_>>(),
            notices => &story.notices,
            ending => &story.ending,
            back => if story.back.is_empty() { "index.html" } else { story.back.as_str() },
        },
    )
}

fn tenths(part: u64, whole: u64) -> String {
    let share = wording::per_mille(part, whole).unwrap_or(0).min(1000);
    format!("{}.{}", share / 10, share % 10)
}

/// Lines with a bar each, the longest full.
fn with_bars<'a>(lines: impl Iterator<Item = (&'a str, u64)> + Clone) -> Vec<Value> {
    let most = lines.clone().map(|(_, number)| number).max().unwrap_or(0);
    lines
        .map(|(text, number)| context! { text, number, width => tenths(number, most) })
        .collect()
}

fn funnel_line(line: &FunnelLine) -> Value {
    let cells: Vec<Value> = line
        .firms
        .iter()
        .zip(WHOLE)
        .map(|(number, whole)| context! { number, width => tenths(*number, line.firms[whole]) })
        .collect();
    context! { unit => &line.unit, cells, heads => &line.heads }
}

fn funnel_chart(total: &FunnelLine) -> String {
    let first = total.firms[0];
    let bars: Vec<Bar> = STEPS
        .into_iter()
        .zip(total.firms)
        .zip(WHOLE)
        .enumerate()
        .map(|(place, ((label, number), whole))| {
            let of = if place == 0 {
                String::new()
            } else {
                format!(
                    "，占{}的{}",
                    STEPS[whole],
                    wording::percent(number, total.firms[whole])
                )
            };
            Bar {
                label: label.to_owned(),
                length: wording::per_mille(number, first).unwrap_or(0),
                value: format!("{}{of}", wording::count(number)),
                hatched: false,
            }
        })
        .collect();
    chart::bars("从登记底数到参保", &bars, None)
}
