//! The bulletin (通报) as a draft (草稿·未签发): a page with figures by reporting unit and a chart, and the same as a workbook.

use crate::domain::bulletin::Bulletin;
use crate::render::RenderError;

/// The page (HTML with inline SVG chart, A4, no scripts).
pub fn html(bulletin: &Bulletin) -> Result<String, RenderError> {
    let _ = bulletin;
    todo!()
}

/// The workbook (XLSX): figures, base, sources; with a native chart.
pub fn xlsx(bulletin: &Bulletin) -> Result<Vec<u8>, RenderError> {
    let _ = bulletin;
    todo!()
}
