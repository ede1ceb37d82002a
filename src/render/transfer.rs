//! The list of a transfer to audit as a workbook: each case with its proof.

use jiff::civil::Date;

use crate::domain::case::Case;
use crate::render::RenderError;

/// One transfer of one day to one audit unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// From which agency.
    pub agency: String,
    /// To which audit unit.
    pub to: String,
    /// The day.
    pub day: Date,
    /// The cases.
    pub cases: Vec<Case>,
}

/// The workbook (XLSX): the list; a sheet with every contact (kind, day, number, clerk); a sheet with the history.
pub fn xlsx(transfer: &Transfer) -> Result<Vec<u8>, RenderError> {
    let _ = transfer;
    todo!()
}
