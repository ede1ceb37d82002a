//! Identifiers: unified credit code (GB 32100-2015), organisation code (GB 11714-1997), registration number (GS 15-2006),
//! tax ids, citizen ids (GB 11643): recognised, checked, never silently repaired beyond width, case and blanks.

use serde::Serialize;

/// What an identifier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 统一社会信用代码.
    CreditCode,
    /// 组织机构代码.
    OrganisationCode,
    /// 工商注册号.
    RegistrationNumber,
    /// 纳税人识别号 of an older shape.
    TaxId,
    /// 公民身份号码: personal; `normalized` is masked.
    CitizenId,
    /// Nothing known fits.
    Opaque,
}

/// Whether it passes its checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeVerdict {
    /// Form and check characters are right.
    Valid,
    /// The form is right, a check character is not (really issued codes of that kind exist: kept and flagged).
    BadCheck,
    /// The form is wrong.
    BadForm,
}

/// The answer of [`examine`]; its JSON is the shape of `code check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Examined {
    /// As given (masked when it is a citizen id).
    pub input: String,
    /// What it is.
    pub kind: Kind,
    /// Whether it passes.
    pub verdict: CodeVerdict,
    /// Width, case and blanks made regular.
    pub normalized: String,
    /// What may have been meant; for a person to decide.
    pub suggestions: Vec<String>,
}

/// Recognises and checks one identifier.
#[must_use]
pub fn examine(input: &str) -> Examined {
    let _ = input;
    todo!()
}

/// Width-folded, upper case, without blanks (also NBSP, U+3000, zero-width), leading apostrophe and hyphens.
#[must_use]
pub fn normal(input: &str) -> String {
    let _ = input;
    todo!()
}

/// The organisation code (9 characters) inside a credit code (its positions 9–17), a 15-, 18- or 20-character tax id, or the
/// code itself. `None` when nothing of the kind is inside.
#[must_use]
pub fn organisation_code_of(id: &str) -> Option<String> {
    let _ = id;
    todo!()
}

/// The check character of a credit code's first 17 characters; `None` when they are not 17 of its alphabet.
#[must_use]
pub fn credit_code_check(first_17: &str) -> Option<char> {
    let _ = first_17;
    todo!()
}

/// The check character of an organisation code's first 8 characters.
#[must_use]
pub fn organisation_check(first_8: &str) -> Option<char> {
    let _ = first_8;
    todo!()
}
