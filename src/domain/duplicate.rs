//! Two rows of one batch with the same key: which one counts does not depend on their order. Pure.

use crate::domain::record::{Field, Record};

/// Whether `challenger` counts instead of `holder`: the later approval date, then active over inactive, then the greater
/// canonical bytes, so that any order of the rows gives the same winner.
#[must_use]
pub fn prevails(challenger: &Record, holder: &Record) -> bool {
    let rank = |record: &Record| {
        (
            record.date(Field::Approved),
            record.text(Field::Status) == Some("active"),
            record.encode(),
        )
    };
    rank(challenger) > rank(holder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::{RecordKind, Value};

    fn record(approved: Option<&str>, status: &str, name: &str) -> Record {
        let mut record = Record::new(RecordKind::Registration);
        if let Some(day) = approved {
            record
                .fields
                .insert(Field::Approved, Value::Date(day.parse().unwrap()));
        }
        record
            .fields
            .insert(Field::Status, Value::Text(status.into()));
        record.fields.insert(Field::Name, Value::Text(name.into()));
        record
    }

    #[test]
    fn the_later_approval_then_the_active_then_the_greater_bytes() {
        let old = record(Some("2025-01-01"), "active", "甲");
        let new = record(Some("2026-01-01"), "cancelled", "甲");
        assert!(prevails(&new, &old) && !prevails(&old, &new));
        let active = record(None, "active", "甲");
        let gone = record(None, "cancelled", "甲");
        assert!(prevails(&active, &gone) && !prevails(&gone, &active));
        let one = record(None, "active", "甲");
        let other = record(None, "active", "乙");
        assert_ne!(prevails(&one, &other), prevails(&other, &one));
        assert!(!prevails(&one, &one));
    }
}
