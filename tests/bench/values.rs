//! Every key and value of a JSON document seen, and none kept: the least that a reader of JSON does.

use std::fmt;
use std::hint::black_box;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Any value.
pub struct Values;

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Seeing)
    }
}

struct Seeing;

impl<'de> Visitor<'de> for Seeing {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Values, E> {
        Ok(Values)
    }

    fn visit_bool<E>(self, is: bool) -> Result<Values, E> {
        black_box(is);
        Ok(Values)
    }

    fn visit_u64<E>(self, n: u64) -> Result<Values, E> {
        black_box(n);
        Ok(Values)
    }

    fn visit_i64<E>(self, n: i64) -> Result<Values, E> {
        black_box(n);
        Ok(Values)
    }

    fn visit_f64<E>(self, n: f64) -> Result<Values, E> {
        black_box(n);
        Ok(Values)
    }

    fn visit_str<E>(self, text: &str) -> Result<Values, E> {
        black_box(text);
        Ok(Values)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
        while map.next_entry::<Values, Values>()?.is_some() {}
        Ok(Values)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
        while list.next_element::<Values>()?.is_some() {}
        Ok(Values)
    }
}
