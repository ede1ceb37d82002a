//! Which column is which field, and what kind of records the rows are. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::adapter::cell::heading_text;
use crate::adapter::draft::aliases::{Aliases, Heading, Way};
use crate::adapter::draft::columns::{self, FIT_AT_LEAST};
use crate::adapter::draft::sample::{Column, Sample};
use crate::domain::record::{Field, RecordKind};

/// Every kind, in the order in which equal ones are preferred.
const KINDS: [RecordKind; 4] = [
    RecordKind::Registration,
    RecordKind::Tax,
    RecordKind::Transport,
    RecordKind::InsuredRoll,
];
/// A field that no other kind has tells more.
const DISTINCT_WEIGHT: f64 = 2.0;
/// Without its key a kind is hardly meant.
const KEY_MISSING: f64 = 1.5;
/// Words in file name, titles and headings.
const HINT_WEIGHT: f64 = 0.75;

/// One field with the column it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The field.
    pub field: Field,
    /// Index of its column.
    pub column: usize,
    /// How it was recognised.
    pub way: Way,
    /// How sure, up to 1.
    pub score: f64,
    /// Further columns for the same field, the better first.
    pub also: Vec<usize>,
}

/// The columns of a sample held against every field, once.
pub struct Likenesses {
    /// Every pair worth a look: column, field, way, score.
    pairs: Vec<(usize, Field, Way, f64)>,
    /// Columns that may be mapped: with a heading that stands there once, and not personal.
    usable: BTreeSet<usize>,
    /// Columns that are personal.
    pub personal: BTreeSet<usize>,
}

impl Likenesses {
    /// Compares.
    #[must_use]
    pub fn of(sample: &Sample, aliases: &Aliases) -> Self {
        let mut seen = BTreeSet::new();
        let (mut usable, mut personal) = (BTreeSet::new(), BTreeSet::new());
        let mut pairs = Vec::new();
        for (at, column) in sample.columns.iter().enumerate() {
            let text = heading_text(&column.heading);
            if text.is_empty() || !seen.insert(text) {
                continue;
            }
            let heading = Heading::new(&column.heading);
            // A person's name under 单位名称 is rare; a citizen id anywhere is one.
            if columns::is_personal(column) || aliases.is_personal(&heading) {
                personal.insert(at);
                continue;
            }
            usable.insert(at);
            for field in Field::ALL {
                let by_name = aliases.likeness(&heading, *field);
                let by_value = (*field == Field::CreditCode && columns::is_credit_code(column))
                    .then_some((Way::Values, 0.5));
                if let Some((way, score)) = by_name.or(by_value) {
                    let fit = columns::fit(*field, column);
                    if fit >= FIT_AT_LEAST {
                        let score = score * (0.5 + 0.5 * fit) * fullness(column, sample.rows);
                        pairs.push((at, *field, way, score));
                    }
                }
            }
        }
        pairs.sort_by(|a, b| b.3.total_cmp(&a.3).then(a.0.cmp(&b.0)).then(a.1.cmp(&b.1)));
        Self {
            pairs,
            usable,
            personal,
        }
    }

    /// The fields of one kind with their columns: the best pair first, each column and each field once.
    #[must_use]
    pub fn matches(&self, kind: RecordKind) -> Vec<Match> {
        let mut matches: BTreeMap<Field, Match> = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for (column, field, way, score) in &self.pairs {
            if taken.contains(column)
                || matches.contains_key(field)
                || !kind.fields().contains(field)
            {
                continue;
            }
            taken.insert(*column);
            matches.insert(
                *field,
                Match {
                    field: *field,
                    column: *column,
                    way: *way,
                    score: *score,
                    also: Vec::new(),
                },
            );
        }
        for (column, field, way, _) in &self.pairs {
            if let Some(found) = matches.get_mut(field)
                && !taken.contains(column)
                && *way != Way::Similar
                && !found.also.contains(column)
            {
                found.also.push(*column);
            }
        }
        // In the order in which the kind declares them.
        kind.fields()
            .iter()
            .filter_map(|field| matches.remove(field))
            .collect()
    }

    /// Columns that nobody used, in file order.
    #[must_use]
    pub fn unused(&self, used: &BTreeSet<usize>) -> Vec<usize> {
        self.usable.difference(used).copied().collect()
    }
}

/// Of two columns for one field the fuller is the better: many an old firm has a tax id and an empty credit code beside it.
#[allow(clippy::cast_precision_loss, reason = "at most some thousand rows")]
fn fullness(column: &Column, rows: u64) -> f64 {
    if rows == 0 {
        return 1.0;
    }
    0.6 + 0.4 * (column.filled.min(rows) as f64 / rows as f64)
}

/// The kinds with their points, the likeliest first.
#[must_use]
pub fn kinds(
    sample: &Sample,
    likenesses: &Likenesses,
    aliases: &Aliases,
) -> Vec<(RecordKind, f64)> {
    let texts: Vec<String> = std::iter::once(sample.file.clone())
        .chain(sample.titles.iter().cloned())
        .chain(sample.columns.iter().map(|column| column.heading.clone()))
        .collect();
    let mut kinds: Vec<(RecordKind, f64)> = KINDS
        .iter()
        .map(|kind| {
            let matches = likenesses.matches(*kind);
            let found: f64 = matches
                .iter()
                .map(|found| found.score * weight(found.field))
                .sum();
            let key = kind
                .key()
                .iter()
                .filter(|field| !matches.iter().any(|found| found.field == **field));
            let missing: f64 = key.map(|_| KEY_MISSING).sum();
            let hints = f64::from(aliases.hints(*kind, &texts)) * HINT_WEIGHT;
            (*kind, ((found + hints - missing) * 100.0).round() / 100.0)
        })
        .collect();
    kinds.sort_by(|a, b| b.1.total_cmp(&a.1));
    kinds
}

fn weight(field: Field) -> f64 {
    let kinds = KINDS
        .iter()
        .filter(|kind| kind.fields().contains(&field))
        .count();
    if kinds == 1 { DISTINCT_WEIGHT } else { 1.0 }
}
