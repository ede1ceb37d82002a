//! From the words seen in a column to a lookup. Pure.

use std::collections::BTreeMap;

use crate::adapter::cell::lookup_text;
use crate::adapter::draft::aliases::Aliases;
use crate::adapter::draft::sample::Column;
use crate::adapter::reading::says_nothing;
use crate::domain::code::{self, Kind};
use crate::domain::record::{Field, RecordKind};

/// Digits from which a text may be a number of a person.
const PERSONAL_DIGITS: usize = 7;
/// Words without a meaning that are listed.
const UNKNOWN_SHOWN: usize = 40;

/// A proposed lookup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookup {
    /// Canonical word → writings seen in the sample.
    pub seen: BTreeMap<&'static str, Vec<String>>,
    /// Canonical word → further usual writings, which the sample does not show.
    pub usual: BTreeMap<&'static str, Vec<String>>,
    /// Writings that nobody knows, with their counts; never codes of persons.
    pub unknown: Vec<(String, u64)>,
    /// Codes of a code table were taken for what they mean elsewhere: a person must look.
    pub has_codes: bool,
}

/// Sorts the words of a column into the vocabulary of a field.
#[must_use]
pub fn lookup(kind: RecordKind, field: Field, column: &Column, aliases: &Aliases) -> Lookup {
    let mut lookup = Lookup::default();
    let words = aliases.words.get(field.name());
    let codes = aliases
        .codes
        .get(kind.name())
        .and_then(|fields| fields.get(field.name()));
    let mut left = column.words.clone();
    left.retain(|word, _| !says_nothing(word));
    // One code of a table seen: the others will come.
    lookup.has_codes = codes.is_some_and(|codes| {
        codes
            .values()
            .flatten()
            .any(|code| left.contains_key(&lookup_text(code)))
    });
    for canonical in field.words() {
        let writings = |table: Option<&BTreeMap<String, Vec<String>>>| {
            table
                .and_then(|table| table.get(*canonical))
                .cloned()
                .unwrap_or_default()
        };
        let (mut seen, mut usual) = (Vec::new(), Vec::new());
        for code in writings(codes).into_iter().filter(|_| lookup.has_codes) {
            if left.remove(&lookup_text(&code)).is_some() {
                seen.push(code);
            } else {
                usual.push(code);
            }
        }
        for writing in writings(words) {
            if left.remove(&lookup_text(&writing)).is_some() {
                seen.push(writing);
            } else if !seen.contains(&writing) {
                usual.push(writing);
            }
        }
        if !seen.is_empty() {
            lookup.seen.insert(canonical, seen);
        }
        if !usual.is_empty() {
            lookup.usual.insert(canonical, usual);
        }
    }
    lookup.unknown = left
        .into_iter()
        .filter(|(word, _)| !may_be_personal(word))
        .take(UNKNOWN_SHOWN)
        .collect();
    lookup
}

/// A column of words is listed as it is: what may be a number of somebody is no word.
fn may_be_personal(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    digits >= PERSONAL_DIGITS || word.contains('@') || code::examine(word).kind != Kind::Opaque
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_seen_are_sorted_and_the_rest_is_named() {
        let aliases = Aliases::shipped().expect("the table is sound");
        let column = Column {
            words: [
                ("正常户", 9),
                ("03", 2),
                ("说不清", 1),
                ("-", 4),
                ("19900000001", 1),
            ]
            .into_iter()
            .map(|(word, count)| (word.to_owned(), count))
            .collect(),
            ..Column::default()
        };
        let found = lookup(RecordKind::Tax, Field::Status, &column, &aliases);
        assert_eq!(found.seen["active"], ["03", "正常户"]);
        assert_eq!(found.unknown, [("说不清".to_owned(), 1)]);
        assert!(found.has_codes);
        assert!(found.usual["cancelled"].contains(&"注销".to_owned()));
        // The same code means nothing in another department's table.
        let other = lookup(RecordKind::Registration, Field::Status, &column, &aliases);
        assert!(!other.has_codes);
        assert_eq!(other.unknown.len(), 2);
    }
}
