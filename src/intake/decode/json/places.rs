//! The places of a document: on the way to the records, the total, the records.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::intake::decode::json::Walk;
use crate::intake::decode::json::record::Record;
use crate::intake::decode::number::plain;

/// A value on the way from the root to the rows and the total.
pub struct At<'w, 'h, 's, 'l> {
    /// Where reading stands.
    pub walk: &'w mut Walk<'h, 's, 'l>,
}

impl<'de> DeserializeSeed<'de> for At<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let walk = self.walk;
        if walk.path == walk.rows {
            if walk.rows_here {
                return Err(walk.stop(Walk::twice("记录")));
            }
            if walk.lines {
                walk.rows_here = true;
                return Record::new(walk).deserialize(deserializer);
            }
            return deserializer.deserialize_any(Rows { walk });
        }
        if walk.total.as_ref() == Some(&walk.path) {
            return deserializer.deserialize_any(Total { walk });
        }
        let on_the_way = walk.rows.starts_with(&walk.path)
            || walk
                .total
                .as_ref()
                .is_some_and(|total| total.starts_with(&walk.path));
        if on_the_way {
            return deserializer.deserialize_any(Envelope { walk });
        }
        walk.meter.watch(false);
        deserializer.deserialize_ignored_any(IgnoredAny)?;
        walk.meter.watch(true);
        Ok(())
    }
}

/// Values that are of no use where they stand.
macro_rules! ignore_scalars {
    () => {
        fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
            Ok(())
        }
        fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
            Ok(())
        }
        fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
            Ok(())
        }
        fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
            Ok(())
        }
    };
}

struct Envelope<'w, 'h, 's, 'l> {
    walk: &'w mut Walk<'h, 's, 'l>,
}

impl<'de> Visitor<'de> for Envelope<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    ignore_scalars!();

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        if !text.trim_start().starts_with(['{', '[']) {
            return Ok(());
        }
        self.walk.embedded(text, |walk, reader| {
            reader.deserialize_any(Envelope { walk })
        })
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.walk.path.push(key);
            map.next_value_seed(At { walk: self.walk })?;
            self.walk.path.pop();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for at in 0_usize.. {
            self.walk.path.push(at.to_string());
            let more = seq.next_element_seed(At { walk: self.walk })?;
            self.walk.path.pop();
            if more.is_none() {
                break;
            }
        }
        Ok(())
    }
}

struct Total<'w, 'h, 's, 'l> {
    walk: &'w mut Walk<'h, 's, 'l>,
}

impl Visitor<'_> for Total<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a total")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.visit_str(&plain(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.walk
            .take_total(text)
            .map_err(|refusal| self.walk.stop(refusal))
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Err(self.walk.stop(self.walk.bad_total()))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        self.visit_unit()
    }

    /// Below zero.
    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.visit_unit()
    }
}

struct Rows<'w, 'h, 's, 'l> {
    walk: &'w mut Walk<'h, 's, 'l>,
}

impl<'de> Visitor<'de> for Rows<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    /// Some gateways write `null` for no rows; the declared total and the guard judge it.
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.walk.rows_here = true;
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        match text.trim_start().chars().next() {
            // As `null`.
            None => self.visit_unit(),
            Some('[') => self
                .walk
                .embedded(text, |walk, reader| reader.deserialize_any(Rows { walk })),
            Some(_) => Err(self.walk.stop(self.walk.no_rows())),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let walk = self.walk;
        walk.rows_here = true;
        loop {
            walk.meter.allow(walk.record_bytes);
            walk.records.begin();
            if seq.next_element_seed(Record::new(walk))?.is_none() {
                break;
            }
            walk.records
                .finish()
                .map_err(|refusal| walk.stop(refusal))?;
        }
        walk.records.end();
        walk.meter
            .allow(walk.record_bytes.max(walk.limits.embedded_bytes));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.walk.stop(self.walk.no_rows()))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Err(self.walk.stop(self.walk.no_rows()))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Err(self.walk.stop(self.walk.no_rows()))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Err(self.walk.stop(self.walk.no_rows()))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Err(self.walk.stop(self.walk.no_rows()))
    }
}
