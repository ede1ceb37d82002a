//! Texts, workbooks and pages. Pure: values in, bytes out; no renderer can show a field beyond its audience.
//!
//! Each paper has a file of its own (`letter`, `bulletin`, `worklist` …); `page` holds the templates, `sheet` the
//! workbooks' form, `chart` the drawings and `wording` how days and figures are written. Same values, same bytes.

mod answer_sheet;
pub mod bulletin;
mod bulletin_workbook;
pub mod call_list;
mod chart;
pub mod correction_sheet;
pub mod demo;
pub mod issue_sheet;
pub mod letter;
pub mod mail;
mod page;
mod progress;
mod sheet;
pub mod sms;
pub mod transfer;
pub mod wording;
pub mod worklist;

/// A template or workbook could not be written: a bug, or values that must not be written.
#[derive(Debug, thiserror::Error)]
#[error("{what}：{text}")]
pub struct RenderError {
    /// What was being written.
    pub what: &'static str,
    /// Why it failed.
    pub text: String,
}
