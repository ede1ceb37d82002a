//! Texts, workbooks and pages. Pure: values in, bytes out; no renderer can show a field beyond its audience.

pub mod bulletin;
pub mod call_list;
pub mod demo;
pub mod letter;
pub mod mail;
pub mod sms;
pub mod transfer;
pub mod worklist;

/// A template or workbook could not be written: a bug.
#[derive(Debug, thiserror::Error)]
#[error("{what}：{text}")]
pub struct RenderError {
    /// What was being written.
    pub what: &'static str,
    /// Why it failed.
    pub text: String,
}
