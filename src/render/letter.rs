//! Letters to firms, as pages to print: 参保登记通知书 and 参保催办提醒. In the county agency's name, number and seal place
//! left blank, never a fine or an order.

use jiff::civil::Date;

use crate::domain::case::Step;
use crate::domain::finding::{FindingKind, Insurance};
use crate::render::RenderError;

/// One letter; several findings of one firm are bundled in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// Which letter.
    pub step: Step,
    /// 南阳市宛城区社会保险中心.
    pub agency: String,
    /// Its telephone; a blank to fill in when `None`.
    pub agency_phone: Option<String>,
    /// The firm.
    pub firm: String,
    /// Its credit code.
    pub credit_code: String,
    /// Where it is posted to.
    pub address: String,
    /// What was found and confirmed: kind and the insurances concerned.
    pub findings: Vec<(FindingKind, Vec<Insurance>)>,
    /// The day it was decided.
    pub day: Date,
    /// `15日`, `10个工作日`: counted from receipt.
    pub answer: String,
    /// Case ids, small at the foot, so that an answer finds its case.
    pub cases: Vec<String>,
}

/// The page (HTML, A4, prints on one sheet).
pub fn html(letter: &Letter) -> Result<String, RenderError> {
    let _ = letter;
    todo!()
}
