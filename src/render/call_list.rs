//! A county's call list of one day as a workbook: whom to call, about what, with room for the answer.

use jiff::civil::Date;

use crate::domain::case::Step;
use crate::render::RenderError;

/// One county's calls of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallList {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// 宛城区.
    pub unit: String,
    /// The day.
    pub day: Date,
    /// The calls; firms of one number stand together.
    pub rows: Vec<Call>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The number, in full: it is what the list is for.
    pub phone: String,
    /// The firm.
    pub name: String,
    /// Its credit code.
    pub credit_code: String,
    /// Which step.
    pub step: Step,
    /// What to say.
    pub matter: String,
    /// Case ids.
    pub cases: Vec<String>,
    /// Shared with how many other firms (bookkeeping agent).
    pub shared_with: u32,
}

/// The workbook (XLSX).
pub fn xlsx(list: &CallList) -> Result<Vec<u8>, RenderError> {
    let _ = list;
    todo!()
}
