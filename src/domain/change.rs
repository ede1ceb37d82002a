//! Change tracking: a batch against the last accepted one. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::record::{Field, Record};

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
    /// The fields that differ, before and after.
    #[must_use]
    pub fn fields(&self) -> BTreeMap<Field, (Option<String>, Option<String>)> {
        todo!()
    }

    /// The JSON line of `changes`: `{"change", "key", "fields": {name: [before, after]}, "masked": [names]}`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        todo!()
    }
}
