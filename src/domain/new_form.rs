//! New-form (新业态) tags: which marker says so, how strong it is, which licence proves it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// `config/rules/new-form.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Where the markers come from.
    pub basis: String,
    /// Industry codes.
    pub industry: Vec<IndustryMarker>,
    /// Words of the business scope.
    pub keyword: Vec<KeywordMarker>,
    /// Licences.
    pub licence: Vec<LicenceMarker>,
}

/// How much a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// An industry focus of the plan only.
    Weak,
    /// Likely.
    Medium,
    /// Platform work.
    Strong,
}

/// An industry code, with or without a keyword that must stand beside it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndustryMarker {
    /// Prefixes of GB/T 4754-2017.
    pub codes: Vec<String>,
    /// 快递, 外卖配送 …
    pub category: String,
    /// How much it says.
    pub strength: Strength,
    /// Counts only with a keyword in the business scope.
    #[serde(default)]
    pub keyword_needed: bool,
}

/// A word of the business scope.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeywordMarker {
    /// The words, any of which counts.
    pub words: Vec<String>,
    /// The category.
    pub category: String,
    /// How much it says.
    pub strength: Strength,
}

/// A kind of licence.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenceMarker {
    /// The canonical word (`licence_kind`).
    pub kind: String,
    /// Its name: 网络预约出租汽车经营许可证 …
    pub name: String,
    /// The category.
    pub category: String,
    /// How much it says.
    pub strength: Strength,
}

/// A licence an enterprise holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licence {
    /// The canonical word.
    pub kind: String,
    /// Its number.
    pub number: String,
    /// Valid until.
    pub until: Option<Date>,
}

/// Whether the tag speaks of platform work or only of an industry the plan looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TagKind {
    /// 平台用工.
    PlatformWork,
    /// 行业关注.
    SectorFocus,
}

/// One tag with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewFormTag {
    /// What it speaks of.
    pub kind: TagKind,
    /// 快递, 网约车 …
    pub category: String,
    /// How sure.
    pub strength: Strength,
    /// The marker, in Chinese: code, word or licence with number.
    pub proof: String,
}

/// The tags of an enterprise, strongest first, one per category.
#[must_use]
pub fn tags(
    rules: &Rules,
    industry: &str,
    business_scope: &str,
    licences: &[Licence],
) -> Vec<NewFormTag> {
    let _ = (rules, industry, business_scope, licences);
    todo!()
}

/// Whether it is a new-form enterprise of the plan: platform work, medium or strong.
#[must_use]
pub fn is_new_form(tags: &[NewFormTag]) -> bool {
    let _ = tags;
    todo!()
}
