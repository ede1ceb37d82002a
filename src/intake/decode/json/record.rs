//! One JSON record: an object laid flat.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::adapter::row::Cell;
use crate::intake::decode::json::Walk;
use crate::intake::decode::number::plain;

/// The next record of the array.
pub struct Record<'w, 'h, 's, 'l> {
    walk: &'w mut Walk<'h, 's, 'l>,
}

impl<'w, 'h, 's, 'l> Record<'w, 'h, 's, 'l> {
    /// Reads it into the walk's records.
    pub fn new(walk: &'w mut Walk<'h, 's, 'l>) -> Self {
        Self { walk }
    }
}

impl<'de> DeserializeSeed<'de> for Record<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let walk = self.walk;
        walk.records.begin();
        walk.name.clear();
        walk.depth = 0;
        deserializer.deserialize_any(Field {
            walk: &mut *walk,
            root: true,
        })?;
        walk.records.finish().map_err(|refusal| walk.stop(refusal))
    }
}

/// A value inside a record, or the record itself.
struct Field<'w, 'h, 's, 'l> {
    walk: &'w mut Walk<'h, 's, 'l>,
    root: bool,
}

impl Field<'_, '_, '_, '_> {
    fn put<E: de::Error>(self, text: String, numeric: bool) -> Result<(), E> {
        if self.root {
            self.walk.records.spoil(
                "YB-2154",
                "记录不是对象。处理：请提供方核对该记录".to_owned(),
            );
            return Ok(());
        }
        let cell = (!text.is_empty()).then_some(Cell { text, numeric });
        self.walk
            .records
            .put(&self.walk.name, cell)
            .map_err(|refusal| self.walk.stop(refusal))
    }
}

impl<'de> DeserializeSeed<'de> for Field<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Field<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.put(value.to_string(), false)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.put(value.to_string(), true)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.put(value.to_string(), true)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.put(plain(value), true)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.put(text.to_owned(), false)
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<(), E> {
        self.put(text, false)
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.put(String::new(), false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let walk = self.walk;
        walk.deeper().map_err(|refusal| walk.stop(refusal))?;
        let before = walk.name.len();
        while let Some(key) = map.next_key::<String>()? {
            if before > 0 {
                walk.name.push('.');
            }
            walk.name.push_str(key.trim());
            map.next_value_seed(Field {
                walk: &mut *walk,
                root: false,
            })?;
            walk.name.truncate(before);
        }
        walk.depth -= 1;
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut texts = Vec::new();
        let mut bytes = 0;
        let mut flat = true;
        while let Some(item) = seq.next_element::<Scalar>()? {
            match item {
                Scalar::Text(text) => {
                    bytes += text.len() + 1;
                    if bytes <= self.walk.limits.cell_bytes {
                        texts.push(text);
                    }
                }
                Scalar::Absent => {}
                Scalar::Composite => flat = false,
            }
        }
        if bytes > self.walk.limits.cell_bytes + 1 {
            self.walk.records.spoil_too_long(&self.walk.name);
            return Ok(());
        }
        if !flat {
            self.walk.records.spoil(
                "YB-2154",
                format!(
                    "“{}”是对象的数组，无法放进一格。处理：请提供方展开该项",
                    self.walk.name
                ),
            );
            return Ok(());
        }
        self.put(texts.join(";"), false)
    }
}

/// An item of an array inside a record.
enum Scalar {
    Text(String),
    Absent,
    Composite,
}

impl<'de> de::Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Text(plain(value)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
        Ok(Scalar::Absent)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Composite)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Composite)
    }
}
