//! Change tracking: a batch against the last accepted one. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::record::{Field, Record, Value, shown, shown_key};

/// What happened to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Not known before.
    New,
    /// Known, with another content.
    Changed,
    /// Known, and a complete snapshot no longer mentions it. Not “cancelled”: only the register says that.
    Missing,
    /// Was missing and is back (its content may differ too).
    Returned,
}

/// One change: its key and the fields that differ, each before → after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The record's key.
    pub key: String,
    /// The record before; `None` when new.
    pub before: Option<Record>,
    /// The record now; `None` when missing.
    pub after: Option<Record>,
    /// The row of the file it stands on; 0 when missing.
    pub row: u64,
}

impl Change {
    /// The fields that differ, before and after, in the order of their numbers. Unmasked: [`Self::to_json`] is for showing.
    #[must_use]
    pub fn fields(&self) -> BTreeMap<Field, (Option<String>, Option<String>)> {
        self.differing()
            .map(|(field, before, after)| {
                let text = |value: Option<&Value>| value.map(ToString::to_string);
                (field, (text(before), text(after)))
            })
            .collect()
    }

    /// The JSON line of `changes`: `{"change", "key", "fields": {name: [before, after]}, "masked": [names]}`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut fields = serde_json::Map::new();
        let mut masked = Vec::new();
        for (field, before, after) in self.differing() {
            let mut is_masked = field.masked();
            let mut side = |value: Option<&Value>| {
                value.map_or(serde_json::Value::Null, |value| {
                    let (shown, hidden) = shown(field, value);
                    is_masked |= hidden;
                    shown
                })
            };
            let pair = serde_json::json!([side(before), side(after)]);
            fields.insert(field.name().to_owned(), pair);
            if is_masked {
                masked.push(field.name());
            }
        }
        serde_json::json!({
            "change": self.kind,
            "key": shown_key(&self.key),
            "fields": fields,
            "masked": masked,
        })
    }

    fn differing(&self) -> impl Iterator<Item = (Field, Option<&Value>, Option<&Value>)> {
        Field::ALL.iter().filter_map(|&field| {
            let before = self
                .before
                .as_ref()
                .and_then(|record| record.fields.get(&field));
            let after = self
                .after
                .as_ref()
                .and_then(|record| record.fields.get(&field));
            (before != after).then_some((field, before, after))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::record::RecordKind;

    fn record(fields: &[(Field, Value)]) -> Record {
        Record {
            kind: RecordKind::Registration,
            fields: fields.iter().cloned().collect(),
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn change(kind: ChangeKind, before: Option<Record>, after: Option<Record>) -> Change {
        Change {
            kind,
            key: "91411303MA49U85BX9".to_owned(),
            before,
            after,
            row: 7,
        }
    }

    #[test]
    fn only_what_differs_is_shown_before_and_after() {
        let before = record(&[
            (Field::Name, text("南阳宛东商贸有限公司")),
            (Field::Status, text("active")),
            (Field::Phone, text("00012345678")),
            (Field::Employees, Value::Count(5)),
        ]);
        let after = record(&[
            (Field::Name, text("南阳宛东商贸有限公司")),
            (Field::Status, text("cancelled")),
            (Field::Phone, text("00087654321")),
            (Field::Revenue, Value::Money(150)),
        ]);
        let change = change(ChangeKind::Changed, Some(before), Some(after));
        let fields: Vec<Field> = change.fields().into_keys().collect();
        assert_eq!(
            fields,
            [
                Field::Status,
                Field::Phone,
                Field::Employees,
                Field::Revenue
            ]
        );
        assert_eq!(
            change.fields()[&Field::Phone].1.as_deref(),
            Some("00087654321")
        );
        assert_eq!(
            change.to_json(),
            json!({
                "change": "changed",
                "key": "91411303MA49U85BX9",
                "fields": {
                    "status": ["active", "cancelled"],
                    "phone": ["000****78", "000****21"],
                    "employees": [5, null],
                    "revenue": [null, 1.5],
                },
                "masked": ["phone"],
            })
        );
    }

    #[test]
    fn new_and_missing_have_one_side() {
        let record = record(&[(Field::Name, text("南阳甲公司"))]);
        let new = change(ChangeKind::New, None, Some(record.clone())).to_json();
        assert_eq!(new["fields"], json!({"name": [null, "南阳甲公司"]}));
        let missing = change(ChangeKind::Missing, Some(record.clone()), None).to_json();
        assert_eq!(missing["change"], "missing");
        assert_eq!(missing["fields"], json!({"name": ["南阳甲公司", null]}));
        let back = change(ChangeKind::Returned, Some(record.clone()), Some(record)).to_json();
        assert_eq!(back["fields"], json!({}));
        assert_eq!(back["masked"], json!([]));
    }

    #[test]
    fn a_citizen_id_in_the_place_of_a_code_is_masked_in_field_and_key() {
        let id = "11010519491231002X";
        let mut change = change(
            ChangeKind::New,
            None,
            Some(record(&[(Field::CreditCode, text(id))])),
        );
        change.key = format!("{id}|2026-03");
        let json = change.to_json();
        assert!(!json.to_string().contains("19491231"), "{json}");
        assert_eq!(json["masked"], json!(["credit_code"]));
        assert_eq!(json["key"], "110****2X|2026-03");
    }
}
