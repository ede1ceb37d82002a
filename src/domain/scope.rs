//! Whether the plan looks at an enterprise: by its form, its size and its new-form tags. Everything here is a line of the settings.

use crate::domain::coverage::CoverageRules;
use crate::domain::new_form::{self, NewFormTag};
use crate::domain::size::{Class, SizeClass};

/// Where the plan puts an enterprise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Small, micro, or new-form of any size.
    In,
    /// In, though its class cannot be decided: checked, but counted apart.
    Undecided,
    /// Medium or large: a list of its own.
    MediumOrLarge,
    /// A form that the settings leave out.
    OtherForm,
    /// An industry that the size rule leaves out.
    UnclassedIndustry,
}

/// The scope of an enterprise with this credit code, class and tags.
#[must_use]
pub fn scope(
    rules: &CoverageRules,
    credit_code: &str,
    class: Option<&SizeClass>,
    tags: &[NewFormTag],
) -> Scope {
    let allowed = match credit_code.get(..2) {
        Some("91") => true,
        Some("92") => rules.individual_businesses,
        Some("93") => rules.cooperatives,
        Some("52") => rules.social_organisations,
        _ => false,
    };
    if !allowed {
        return Scope::OtherForm;
    }
    if new_form::is_new_form(tags) {
        return Scope::In;
    }
    match class.map(|class| (class.class, class.upper)) {
        None => Scope::Undecided,
        Some((Class::Large | Class::Medium, _)) => Scope::MediumOrLarge,
        Some((Class::OutOfScope, _)) if !rules.unclassed_industries => Scope::UnclassedIndustry,
        // An interval that ends below medium proves 小微 though the exact class is open.
        Some((Class::Undecided, upper)) if upper.is_none_or(|upper| upper > Class::Small) => {
            Scope::Undecided
        }
        Some((Class::OutOfScope | Class::Undecided | Class::Small | Class::Micro, _)) => Scope::In,
    }
}
