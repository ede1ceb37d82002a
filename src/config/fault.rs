//! One fault in one file of the operator's, as `check` says it.

use std::fmt;

use serde::Serialize;

use crate::adapter::language::Complaint;

/// What is wrong where, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// Path below home.
    pub file: String,
    /// First line is 1; 0 when the whole file is meant.
    pub line: usize,
    /// First column is 1.
    pub column: usize,
    /// Dotted key, empty when none.
    pub key: String,
    /// Stable code, `YB-12xx`.
    pub code: String,
    /// What and the remedy, in Chinese.
    pub text: String,
}

impl Fault {
    /// A file that cannot be read.
    #[must_use]
    pub fn unreadable(file: &str, error: &std::io::Error) -> Self {
        let _ = (file, error);
        todo!()
    }

    /// A name that means nothing, with the nearest known one; `text` is the file's content, to find line and column.
    #[must_use]
    pub fn dangling<'a>(
        file: &str,
        text: &str,
        key: &str,
        name: &str,
        known: impl Iterator<Item = &'a String>,
    ) -> Self {
        let _ = (file, text, key, name, known.count());
        todo!()
    }

    /// A calendar that contradicts itself.
    #[must_use]
    pub fn of_calendar(text: String) -> Self {
        Self {
            file: "config/calendar".to_owned(),
            line: 0,
            column: 0,
            key: String::new(),
            code: "YB-1206".to_owned(),
            text,
        }
    }

    /// A complaint of an adapter, placed by its dotted key.
    #[must_use]
    pub fn of_adapter(file: &str, text: &str, complaint: Complaint) -> Self {
        let _ = (file, text, complaint);
        todo!()
    }
}

/// `[YB-1203] adapters/tax.toml:12:3 fields.name：…`
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f;
        todo!()
    }
}
