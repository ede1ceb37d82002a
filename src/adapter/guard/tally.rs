//! Counting records for the guard, one by one and backwards too: what is unchanged need not be read again to be counted.

use std::collections::{BTreeMap, HashMap};

use crate::domain::batch::Census;
use crate::domain::record::{Field, Month, Record, RecordKind, Value};

/// Different texts of one kind of part that are counted apart: what comes beyond is a slipped column, and is counted together.
const PARTS_KEPT: usize = 500;
/// What stands for all beyond.
const BEYOND: &str = "…";
/// The parts a census is divided by, as it names them.
const PARTS: [(&str, Field); 3] = [
    ("region", Field::Region),
    ("agency", Field::Agency),
    ("insurance", Field::Insurance),
];
/// Field numbers are bytes.
const FIELDS: usize = 256;

/// A census in the making: whole, by region, agency and insurance kind, fill of every field, heads of rolls.
#[derive(Debug, Clone)]
pub struct Tally {
    records: u64,
    filled: Box<[u64; FIELDS]>,
    parts: [HashMap<String, u64>; PARTS.len()],
    heads: HashMap<(Month, String), u64>,
    content: u128,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            records: 0,
            filled: Box::new([0; FIELDS]),
            parts: Default::default(),
            heads: HashMap::new(),
            content: 0,
        }
    }
}

impl Tally {
    /// Goes on from a census; `None` when it does not say enough for that: it was stored before its content was counted, or had
    /// more parts than are counted apart.
    #[must_use]
    pub fn from_census(census: &Census) -> Option<Self> {
        let mut tally = Self {
            records: census.records,
            content: u128::from_str_radix(&census.content, 16).ok()?,
            ..Self::default()
        };
        for (name, filled) in &census.filled {
            tally.filled[Field::by_name(name)? as usize] = *filled;
        }
        for (part, count) in &census.parts {
            let (kind, text) = part.split_once(':')?;
            let at = PARTS.iter().position(|(name, _)| *name == kind)?;
            if text == BEYOND {
                return None;
            }
            tally.parts[at].insert(text.to_owned(), *count);
        }
        for (place, heads) in &census.heads {
            let (month, kind) = place.split_once('/')?;
            tally
                .heads
                .insert((Month::parse(month)?, kind.to_owned()), *heads);
        }
        Some(tally)
    }

    /// A record that counts.
    pub fn add(&mut self, record: &Record) {
        self.count(record, 1);
        self.content = self.content.wrapping_add(record.content_fingerprint());
    }

    /// As [`Self::add`], of a record whose fingerprint is known: most records say nothing beside their content.
    pub fn add_known(&mut self, record: &Record, fingerprint: u128) {
        if record.is_all_content() {
            self.count(record, 1);
            self.content = self.content.wrapping_add(fingerprint);
        } else {
            self.add(record);
        }
    }

    /// A record that counted and does no longer.
    pub fn remove(&mut self, record: &Record) {
        self.count(record, -1);
        self.content = self.content.wrapping_sub(record.content_fingerprint());
    }

    #[inline]
    fn count(&mut self, record: &Record, by: i64) {
        self.records = self.records.saturating_add_signed(by);
        for (field, value) in &record.fields {
            let is_readable = match value {
                Value::Unread(_) => false,
                Value::Text(text) => !text.is_empty(),
                _ => true,
            };
            if is_readable {
                let filled = &mut self.filled[*field as usize];
                *filled = filled.saturating_add_signed(by);
            }
        }
        for (at, (_, field)) in PARTS.iter().enumerate() {
            if let Some(text) = record.text(*field) {
                self.count_part(at, text, by);
            }
        }
        self.count_heads(record, by);
    }

    fn count_part(&mut self, at: usize, text: &str, by: i64) {
        if let Some(count) = self.parts[at].get_mut(text) {
            *count = count.saturating_add_signed(by);
            return;
        }
        let kept: usize = self.parts.iter().map(HashMap::len).sum();
        let text = if kept < PARTS_KEPT { text } else { BEYOND };
        let count = self.parts[at].entry(text.to_owned()).or_default();
        *count = count.saturating_add_signed(by);
    }

    fn count_heads(&mut self, record: &Record, by: i64) {
        if record.kind != RecordKind::InsuredRoll {
            return;
        }
        if let (Some(month), Some(kind), Some(heads)) = (
            record.month(),
            record.text(Field::Insurance),
            record.count(Field::RegisteredHeads),
        ) {
            let sum = self.heads.entry((month, kind.to_owned())).or_default();
            *sum = if by > 0 {
                sum.saturating_add(heads)
            } else {
                sum.saturating_sub(heads)
            };
        }
    }

    /// The census. What counts nothing is not in it.
    #[must_use]
    pub fn census(&self) -> Census {
        let filled = Field::ALL
            .iter()
            .map(|field| (field.name().to_owned(), self.filled[*field as usize]));
        let parts = PARTS
            .iter()
            .zip(&self.parts)
            .flat_map(|((name, _), texts)| {
                texts
                    .iter()
                    .map(move |(text, count)| (format!("{name}:{text}"), *count))
            });
        let heads = self
            .heads
            .iter()
            .map(|((month, kind), heads)| (format!("{month}/{kind}"), *heads));
        Census {
            records: self.records,
            parts: parts.filter(|(_, count)| *count > 0).collect(),
            filled: filled.filter(|(_, count)| *count > 0).collect(),
            heads: heads.collect::<BTreeMap<_, _>>(),
            content: format!("{:x}", self.content),
        }
    }
}

/// The census of these records.
#[must_use]
pub fn census<'r>(records: impl IntoIterator<Item = &'r Record>) -> Census {
    let mut tally = Tally::default();
    for record in records {
        tally.add(record);
    }
    tally.census()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::fields::Fields;

    fn record() -> impl Strategy<Value = Record> {
        (0..4u8, 0..3u8, 0..3u8, 0..50u64).prop_map(|(agency, kind, month, heads)| Record {
            kind: RecordKind::InsuredRoll,
            fields: Fields::from([
                (Field::UnitNumber, Value::Text(format!("{heads}"))),
                (Field::Agency, Value::Text(format!("第{agency}经办机构"))),
                (
                    Field::Insurance,
                    match kind {
                        0 => Value::Text("pension".into()),
                        1 => Value::Unread("养老?".into()),
                        _ => Value::Text("work_injury".into()),
                    },
                ),
                (
                    Field::Month,
                    Value::Month(Month {
                        year: 2026,
                        month: 1 + i8::try_from(month).unwrap(),
                    }),
                ),
                (Field::RegisteredHeads, Value::Count(heads)),
            ]),
        })
    }

    proptest! {
        /// What was counted and taken back counts as if it had never come, also when the counting was interrupted in between.
        #[test]
        fn counting_backwards_is_exact(
            stay in prop::collection::vec(record(), 0..30),
            gone in prop::collection::vec(record(), 0..30),
        ) {
            let mut tally = Tally::default();
            for record in stay.iter().chain(&gone) {
                tally.add_known(record, record.fingerprint());
            }
            let mut tally = Tally::from_census(&tally.census()).unwrap();
            for record in &gone {
                tally.remove(record);
            }
            let mut told = tally.census();
            told.heads.retain(|_, heads| *heads > 0);
            let mut expected = census(&stay);
            expected.heads.retain(|_, heads| *heads > 0);
            prop_assert_eq!(told, expected);
        }
    }

    #[test]
    fn a_census_of_too_many_parts_is_no_beginning() {
        let records: Vec<Record> = (0..600)
            .map(|n| Record {
                kind: RecordKind::Registration,
                fields: Fields::from([(Field::Region, Value::Text(format!("{n:06}")))]),
            })
            .collect();
        let census = census(&records);
        assert_eq!(census.parts["region:…"], 100);
        assert!(Tally::from_census(&census).is_none());
        assert!(Tally::from_census(&Census::default()).is_none());
    }
}
