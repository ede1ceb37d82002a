//! Evidence of employment: who is paid wages, as the exports show it. Unknown is neither zero nor guilty.

use jiff::civil::Date;

use crate::domain::coverage::CoverageRules;
use crate::domain::record::{Field, Month};
use crate::domain::register::Enterprise;
use crate::domain::survey::Found;

/// Evidence of employment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// Paying wage filers over consecutive months, oldest first, each with its figure.
    Strong(Vec<(Month, u64)>),
    /// A named person's visit: the day, and the heads met there.
    Visited(Date, u64),
    /// The tax rows show nobody, or one person who may be the owner.
    Nobody,
    /// No row, one month only, or an annual report alone.
    Unknown,
}

impl Evidence {
    /// Whether it shows staff.
    #[must_use]
    pub const fn shows_staff(&self) -> bool {
        matches!(self, Self::Strong(_) | Self::Visited(..))
    }

    /// Persons of the newest month, or of the visit.
    #[must_use]
    pub fn employed(&self) -> Option<u64> {
        match self {
            Self::Strong(months) => months.last().map(|(_, filers)| *filers),
            Self::Visited(_, heads) => Some(*heads),
            Self::Nobody | Self::Unknown => None,
        }
    }
}

/// The first month that may still carry evidence, when `newest` is the newest of tax.
#[must_use]
pub fn oldest_allowed(rules: &CoverageRules, newest: Month) -> Month {
    newest.plus(-rules.evidence_age)
}

/// Wage filers of consecutive months; where they show nobody or nothing, a visit that is not too old. Who was met there is staff,
/// and a visit that met nobody is as good as tax rows that show nobody.
#[must_use]
pub fn evidence(
    rules: &CoverageRules,
    enterprise: &Enterprise,
    newest_tax: Option<Month>,
    visit: Option<&Found<u64>>,
) -> Evidence {
    let by_tax = by_tax(rules, enterprise, newest_tax);
    match (&by_tax, visit) {
        (Evidence::Strong(_), _) | (_, None) => by_tax,
        (_, Some(visit)) if visit.what == 0 => Evidence::Nobody,
        (_, Some(visit)) => Evidence::Visited(visit.date, visit.what),
    }
}

/// Consecutive months with enough paying filers, the newest of them not too old.
fn by_tax(rules: &CoverageRules, enterprise: &Enterprise, newest_tax: Option<Month>) -> Evidence {
    let Some(newest) = newest_tax else {
        return Evidence::Unknown;
    };
    let oldest_allowed = oldest_allowed(rules, newest);
    for (&month, _) in enterprise.tax.range(oldest_allowed..).rev() {
        // Without a month there is no evidence, whatever the settings say.
        let needed = i32::try_from(rules.evidence_months.max(1)).unwrap_or(i32::MAX);
        let run: Option<Vec<(Month, u64)>> = (0..needed)
            .rev()
            .map(|back| {
                let month = month.plus(-back);
                filers(enterprise, month)
                    .filter(|n| *n >= rules.evidence_filers)
                    .map(|n| (month, n))
            })
            .collect();
        if let Some(run) = run {
            return Evidence::Strong(run);
        }
    }
    let recent: Vec<Option<u64>> = enterprise
        .tax
        .range(oldest_allowed..)
        .map(|(_, row)| row.record.count(Field::Filers))
        .collect();
    let reported = enterprise
        .registration
        .as_ref()
        .and_then(|placed| placed.record.count(Field::Employees))
        .is_some_and(|heads| heads >= rules.evidence_filers);
    let nobody = !recent.is_empty()
        && recent
            .iter()
            .all(|n| n.is_some_and(|n| n < rules.evidence_filers));
    if nobody && !reported {
        Evidence::Nobody
    } else {
        Evidence::Unknown
    }
}

/// Paying wage filers of a month; `None` when unknown.
#[must_use]
pub fn filers(enterprise: &Enterprise, month: Month) -> Option<u64> {
    enterprise.tax.get(&month)?.record.count(Field::Filers)
}

/// The month from which wages are paid without a break up to the newest month of evidence, as far back as the rows go.
#[must_use]
pub fn employing_since(rules: &CoverageRules, enterprise: &Enterprise, newest: Month) -> Month {
    let mut since = newest;
    while filers(enterprise, since.plus(-1)).is_some_and(|n| n >= rules.evidence_filers) {
        since = since.plus(-1);
    }
    since
}
