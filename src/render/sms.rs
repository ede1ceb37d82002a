//! Texts to firms.

use crate::domain::case::Step;
use crate::render::RenderError;

/// What a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmText {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// Which step.
    pub step: Step,
    /// In whose name.
    pub agency: String,
    /// Its telephone.
    pub agency_phone: Option<String>,
    /// The firm.
    pub firm: String,
    /// `15日`.
    pub answer: String,
}

/// The text without signature; no 【】, no line breaks.
pub fn text(sms: &FirmText) -> Result<String, RenderError> {
    let _ = sms;
    todo!()
}

/// Segments of a text with its signature: UTF-16 units, 70 in one, else 67 each; `None` above 500.
#[must_use]
pub fn segments(text: &str, signature: &str) -> Option<usize> {
    let _ = (text, signature);
    todo!()
}
