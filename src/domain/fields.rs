//! The fields of a record: few, sorted, in one piece of memory.

use crate::domain::record::{Field, Value};

/// A record's fields with their values, sorted by field, each at most once. A record has a dozen at most, so a sorted list is
/// found in faster than a tree and costs one allocation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(Field, Value)>);

impl Fields {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: &Field) -> Option<&Value> {
        self.place(*field).ok().map(|at| &self.0[at].1)
    }

    /// Whether a field has a value.
    #[must_use]
    pub fn contains_key(&self, field: &Field) -> bool {
        self.place(*field).is_ok()
    }

    /// Puts a value in its place; the value that was there before.
    pub fn insert(&mut self, field: Field, value: Value) -> Option<Value> {
        match self.place(field) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (field, value));
                None
            }
        }
    }

    /// Keeps the fields that `keep` says.
    pub fn retain(&mut self, mut keep: impl FnMut(&Field, &mut Value) -> bool) {
        self.0.retain_mut(|(field, value)| keep(field, value));
    }

    /// The fields in order.
    pub fn keys(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().map(|(field, _)| field)
    }

    /// The fields with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Field, &Value)> {
        self.0.iter().map(|(field, value)| (field, value))
    }

    fn place(&self, field: Field) -> Result<usize, usize> {
        self.0.binary_search_by_key(&field, |(held, _)| *held)
    }
}

/// Fills fields anew where others were, in ascending order: texts are written over texts, so that a million records of one kind
/// ask for memory once.
#[derive(Debug)]
pub struct Refill {
    fields: Vec<(Field, Value)>,
    filled: usize,
}

impl Refill {
    /// Over these, which are forgotten.
    #[must_use]
    pub fn over(fields: Fields) -> Self {
        Self {
            fields: fields.0,
            filled: 0,
        }
    }

    /// A text, or whatever holds one.
    pub fn text(&mut self, field: Field, text: &str) {
        if let Some((held, Value::Text(old))) = self.fields.get_mut(self.filled) {
            old.clear();
            old.push_str(text);
            *held = field;
            self.filled += 1;
        } else {
            self.value(field, Value::Text(text.to_owned()));
        }
    }

    /// A copy of a value.
    pub fn copy(&mut self, field: Field, value: &Value) {
        match value {
            Value::Text(text) => self.text(field, text),
            other => self.value(field, other.clone()),
        }
    }

    /// A value.
    pub fn value(&mut self, field: Field, value: Value) {
        match self.fields.get_mut(self.filled) {
            Some(place) => *place = (field, value),
            None => self.fields.push((field, value)),
        }
        self.filled += 1;
    }

    /// What was filled in; nothing else is left.
    #[must_use]
    pub fn done(mut self) -> Fields {
        self.fields.truncate(self.filled);
        Fields::from(self.fields)
    }
}

impl From<Vec<(Field, Value)>> for Fields {
    /// Of a field that stands twice the later value counts.
    fn from(fields: Vec<(Field, Value)>) -> Self {
        if fields.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Self(fields);
        }
        fields.into_iter().collect()
    }
}

impl<const N: usize> From<[(Field, Value); N]> for Fields {
    fn from(fields: [(Field, Value); N]) -> Self {
        Self::from(Vec::from(fields))
    }
}

impl FromIterator<(Field, Value)> for Fields {
    fn from_iter<I: IntoIterator<Item = (Field, Value)>>(fields: I) -> Self {
        let mut all = Self::new();
        all.extend(fields);
        all
    }
}

impl Extend<(Field, Value)> for Fields {
    fn extend<I: IntoIterator<Item = (Field, Value)>>(&mut self, fields: I) {
        for (field, value) in fields {
            self.insert(field, value);
        }
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = (&'a Field, &'a Value);
    type IntoIter = std::iter::Map<
        std::slice::Iter<'a, (Field, Value)>,
        fn(&'a (Field, Value)) -> (&'a Field, &'a Value),
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(field, value)| (field, value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_behave_as_a_sorted_map(
            puts in prop::collection::vec((0..Field::ALL.len(), 0u64..5), 0..40),
            asked in 0..Field::ALL.len(),
        ) {
            let puts: Vec<(Field, Value)> = puts
                .into_iter()
                .map(|(at, n)| (Field::ALL[at], Value::Count(n)))
                .collect();
            let map: std::collections::BTreeMap<Field, Value> = puts.iter().cloned().collect();
            let fields = Fields::from(puts);
            prop_assert!(fields.iter().eq(map.iter()));
            prop_assert!(fields.keys().eq(map.keys()));
            let asked = Field::ALL[asked];
            prop_assert_eq!(fields.get(&asked), map.get(&asked));
            prop_assert_eq!(fields.contains_key(&asked), map.contains_key(&asked));
            let mut fewer = fields;
            fewer.retain(|field, _| *field != asked);
            prop_assert!(!fewer.contains_key(&asked));
        }
    }
}
