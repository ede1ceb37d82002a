//! Where the records of JSON documents stand, and where their declared total.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::adapter::draft::aliases::Aliases;

/// Documents that are looked at.
const DOCUMENTS: usize = 20;
/// Depth to which arrays are looked for.
const DEPTH: usize = 8;
/// Different places that are remembered.
const PLACES: usize = 2_000;
/// Candidates that are handed on.
const CANDIDATES: usize = 3;

/// A way to read the documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// JSON pointer of the array of records.
    pub rows: String,
    /// JSON pointer of the declared total.
    pub total: Option<String>,
    /// Every line is a record.
    pub lines: bool,
}

#[derive(Default)]
struct Walk {
    /// Pointer → objects in the array.
    arrays: BTreeMap<String, u64>,
    /// Pointer → whole numbers.
    numbers: BTreeMap<String, u64>,
    documents: u64,
}

/// The arrays that may be the records, the greatest first. Documents that are the records themselves (JSON lines) have the empty
/// pointer.
pub fn find(text: &str, aliases: &Aliases) -> Vec<Found> {
    let mut walk = Walk::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    for _ in 0..DOCUMENTS {
        let at = At {
            walk: &mut walk,
            pointer: String::new(),
            depth: 0,
        };
        // The text may end anywhere: what was seen until then counts.
        if at.deserialize(&mut reader).is_err() {
            break;
        }
        walk.documents += 1;
    }
    let total = |rows: &str| {
        let mut totals = walk
            .numbers
            .keys()
            .filter(|pointer| !pointer.starts_with(&format!("{rows}/")) || rows.is_empty())
            .filter(|pointer| aliases.names_total(pointer.rsplit('/').next().unwrap_or(pointer)));
        totals.next().cloned()
    };
    let mut arrays: Vec<(&String, &u64)> = walk
        .arrays
        .iter()
        .filter(|(_, count)| **count > 0)
        .collect();
    arrays.sort_by_key(|(pointer, count)| (pointer.matches('/').count(), u64::MAX - **count));
    let mut found: Vec<Found> = arrays
        .into_iter()
        .take(CANDIDATES)
        .map(|(rows, _)| Found {
            rows: rows.clone(),
            total: if rows.is_empty() { None } else { total(rows) },
            lines: false,
        })
        .collect();
    // No array of objects at all: the documents are the records.
    if found.is_empty() {
        found.extend([true, false].map(|lines| Found {
            rows: String::new(),
            total: None,
            lines,
        }));
    }
    found
}

struct At<'w> {
    walk: &'w mut Walk,
    pointer: String,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth > DEPTH || self.walk.arrays.len() + self.walk.numbers.len() > PLACES {
            deserializer.deserialize_ignored_any(IgnoredAny)?;
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.walk.numbers.insert(self.pointer, value);
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        if let Ok(value) = text.trim().parse() {
            self.walk.numbers.insert(self.pointer, value);
        }
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let token = key.replace('~', "~0").replace('/', "~1");
            map.next_value_seed(At {
                walk: &mut *self.walk,
                pointer: format!("{}/{token}", self.pointer),
                depth: self.depth + 1,
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(item) = seq.next_element::<Item>()? {
            if item.is_object {
                *self.walk.arrays.entry(self.pointer.clone()).or_default() += 1;
            }
        }
        Ok(())
    }
}

/// An item of an array: only whether it is an object is of interest.
struct Item {
    is_object: bool,
}

impl<'de> de::Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl ItemVisitor {
    const OTHER: Item = Item { is_object: false };
}

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Item, E> {
        Ok(Self::OTHER)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Item, E> {
        Ok(Self::OTHER)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Item, E> {
        Ok(Self::OTHER)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Item, E> {
        Ok(Self::OTHER)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Item, E> {
        Ok(Self::OTHER)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Item, E> {
        Ok(Self::OTHER)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Item { is_object: true })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Item, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::OTHER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_array_of_records_and_the_total_are_found() {
        let aliases = Aliases::shipped().expect("the table is sound");
        for (text, rows, total) in [
            ("[{\"a\":1},{\"a\":2}]", "", None),
            (
                "{\"code\":\"200\",\"data\":{\"total\":\"2\",\"list\":[{\"a\":1},{\"a\":2}]}}",
                "/data/list",
                Some("/data/total"),
            ),
            (
                "{\"total\":2,\"list\":[{\"a\":1}]}\n{\"total\":2,\"list\":[{\"a\":2}]}",
                "/list",
                Some("/total"),
            ),
            ("{\"a\":1}\n{\"a\":2}\n", "", None),
            (
                "{\"rows\":[{\"a\":1,\"b\":[{\"c\":1}]},{\"a\":",
                "/rows",
                None,
            ),
            ("{\"a/b\":[{\"a\":1}]}", "/a~1b", None),
            ("{", "", None),
        ] {
            let found = find(text, &aliases).remove(0);
            assert_eq!(
                (found.rows.as_str(), found.total.as_deref()),
                (rows, total),
                "{text}"
            );
        }
    }
}
