//! One JSON record: an object laid flat.
//!
//! A record is taken as the text it stands in the file, so that a number keeps every digit it was written with: a float
//! would make 911522010783762816 of 911522010783762860.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::adapter::row::Cell;
use crate::domain::batch::Unreadable;
use crate::intake::decode::json::Walk;
use crate::intake::decode::records::BETWEEN;

/// The next record.
pub struct Record<'w, 'h, 's, 'l> {
    walk: &'w mut Walk<'h, 's, 'l>,
}

impl<'w, 'h, 's, 'l> Record<'w, 'h, 's, 'l> {
    /// Reads it into the walk's records, where it has begun already.
    pub fn new(walk: &'w mut Walk<'h, 's, 'l>) -> Self {
        Self { walk }
    }
}

impl<'de> DeserializeSeed<'de> for Record<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let walk = self.walk;
        walk.name.clear();
        walk.depth = 0;
        let result = if raw.get().starts_with('{') {
            object(walk, raw.get())
        } else {
            walk.records.spoil(
                "YB-2154",
                "记录不是对象。处理：请提供方核对该记录".to_owned(),
            );
            Ok(())
        };
        result.map_err(|refusal| walk.stop(refusal))
    }
}

/// Lays the entries of an object on their columns.
fn object(walk: &mut Walk<'_, '_, '_>, text: &str) -> Result<(), Unreadable> {
    walk.deeper()?;
    let before = walk.name.len();
    each(text, &mut |key, value| {
        if before > 0 {
            walk.name.push('/');
        }
        walk.name.push_str(key.trim());
        let result = entry(walk, value);
        walk.name.truncate(before);
        result
    })
    .map_err(|fault| fault.unwrap_or_else(|| walk.bad_record()))?;
    walk.depth -= 1;
    Ok(())
}

fn entry(walk: &mut Walk<'_, '_, '_>, text: &str) -> Result<(), Unreadable> {
    let cell = match text.as_bytes().first() {
        Some(b'{') => return object(walk, text),
        Some(b'[') => return array(walk, text),
        _ => scalar(walk, text)?,
    };
    walk.records.put(&walk.name, cell)
}

/// A value that is one text, a number, or nothing.
fn scalar(walk: &Walk<'_, '_, '_>, text: &str) -> Result<Option<Cell>, Unreadable> {
    let (text, numeric) = match text.as_bytes().first() {
        Some(b'"') => {
            let text = serde_json::from_str(text).map_err(|_| walk.bad_record())?;
            (text, false)
        }
        Some(b'n') => return Ok(None),
        Some(b't' | b'f') => (text.to_owned(), false),
        _ => (text.to_owned(), true),
    };
    Ok((!text.is_empty()).then_some(Cell { text, numeric }))
}

/// The scalars of an array are one cell.
fn array(walk: &mut Walk<'_, '_, '_>, text: &str) -> Result<(), Unreadable> {
    let mut joined = String::new();
    let mut flat = true;
    let most = walk.limits.cell_bytes;
    each(text, &mut |_, value| {
        if value.starts_with(['{', '[']) {
            flat = false;
        } else if let Some(cell) = scalar(walk, value)?
            && joined.len() <= most
        {
            if !joined.is_empty() {
                joined.push(BETWEEN);
            }
            joined.push_str(&cell.text);
        }
        Ok(())
    })
    .map_err(|fault| fault.unwrap_or_else(|| walk.bad_record()))?;
    if !flat {
        let name: String = walk.name.chars().take(60).collect();
        walk.records.spoil(
            "YB-2154",
            format!("“{name}”是对象的数组，无法放进一格。处理：请提供方展开该项"),
        );
        return Ok(());
    }
    let cell = (!joined.is_empty()).then_some(Cell {
        text: joined,
        numeric: false,
    });
    walk.records.put(&walk.name, cell)
}

/// What an entry is handed to: its key (empty in an array) and its text.
type Sink<'f> = dyn FnMut(&str, &str) -> Result<(), Unreadable> + 'f;

/// Hands on the entries of an object or an array. An error without a refusal is one of form.
fn each(text: &str, sink: &mut Sink<'_>) -> Result<(), Option<Unreadable>> {
    let mut refusal = None;
    let entries = Entries {
        sink,
        refusal: &mut refusal,
        text: PhantomData,
    };
    serde_json::Deserializer::from_str(text)
        .deserialize_any(entries)
        .map_err(|_| refusal)
}

struct Entries<'f, 'g, 'r, 't> {
    sink: &'f mut Sink<'g>,
    refusal: &'r mut Option<Unreadable>,
    text: PhantomData<&'t str>,
}

impl Entries<'_, '_, '_, '_> {
    fn hand<E: de::Error>(&mut self, key: &str, value: &RawValue) -> Result<(), E> {
        (self.sink)(key, value.get()).map_err(|refusal| {
            *self.refusal = Some(refusal);
            E::custom("stopped")
        })
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
            self.hand(&key, value)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(value) = seq.next_element::<&'de RawValue>()? {
            self.hand("", value)?;
        }
        Ok(())
    }
}
