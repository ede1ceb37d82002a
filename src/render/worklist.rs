//! A county's own worklist as a workbook: nothing beyond a county's audience, no other county's rows.

use jiff::civil::Date;

use crate::domain::finding::{FindingKind, Insurance};
use crate::render::RenderError;

/// One county's worklist of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worklist {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// 宛城区.
    pub unit: String,
    /// Its agency.
    pub agency: String,
    /// The day.
    pub day: Date,
    /// The rows, most urgent first.
    pub rows: Vec<WorkRow>,
}

/// One open case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkRow {
    /// Case id.
    pub case: String,
    /// Number of its dispatch.
    pub wave: Option<u32>,
    /// 核实中 …
    pub stage: String,
    /// What the county is asked to do next.
    pub task: String,
    /// By when.
    pub due: Option<Date>,
    /// Whether that day has passed.
    pub late: bool,
    /// The firm.
    pub name: String,
    /// Its credit code.
    pub credit_code: String,
    /// Its address.
    pub address: String,
    /// Its telephone, masked.
    pub phone: String,
    /// 微型 …, or 待定.
    pub class: String,
    /// New-form categories.
    pub tags: String,
    /// The finding.
    pub finding: FindingKind,
    /// Kinds that look owed and uncovered.
    pub kinds: Vec<Insurance>,
    /// An indication of heads ([`head_band`]).
    pub heads: String,
    /// The facts a county may see, one a line: source, day, file and row, article; no figures of tax filers, revenue, assets.
    pub grounds: Vec<String>,
}

/// An indication of heads: 2–4人, 5–9人, 10–19人, 20–49人, 50–99人, 100人以上.
#[must_use]
pub fn head_band(heads: u64) -> &'static str {
    let _ = heads;
    todo!()
}

/// The workbook (XLSX): the list, with a frozen heading, filter, column for the answer and the clerk's name, and a second
/// sheet that says how to answer.
pub fn xlsx(worklist: &Worklist) -> Result<Vec<u8>, RenderError> {
    let _ = worklist;
    todo!()
}
