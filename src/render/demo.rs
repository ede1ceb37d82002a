//! The closing pages of a demo: index, stories. Plain, printable, no scripts.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::render::RenderError;

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
    pub by_unit: BTreeMap<String, u64>,
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
}

/// The index page (HTML).
pub fn index(index: &Index) -> Result<String, RenderError> {
    let _ = index;
    todo!()
}

/// A story's page (HTML).
pub fn story(story: &Story) -> Result<String, RenderError> {
    let _ = story;
    todo!()
}
