//! How a sample is packed and laid out, as the keys of an adapter that say so.

use crate::adapter::draft::text::{block, quoted};

/// One key of a table with its value as TOML writes it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Its value, as TOML.
    pub value: String,
    /// Why, in Chinese.
    pub why: String,
}

impl Key {
    /// A text.
    #[must_use]
    pub fn text(name: &'static str, value: &str, why: impl Into<String>) -> Self {
        Self {
            name,
            value: quoted(value),
            why: why.into(),
        }
    }
}

/// A table of an adapter: `[format.csv]` with its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Dotted name.
    pub name: String,
    /// Why, in Chinese.
    pub why: String,
    /// Its keys.
    pub keys: Vec<Key>,
}

/// Container and format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// `[container.…]`, when it is packed.
    pub container: Option<Table>,
    /// `[format.…]`.
    pub format: Table,
    /// The charset, for people; empty for a workbook.
    pub charset: String,
}

impl Layout {
    /// The tables as TOML.
    #[must_use]
    pub fn toml(&self) -> String {
        let mut text = String::new();
        for table in self.container.iter().chain([&self.format]) {
            let mut lines = vec![(format!("[{}]", table.name), table.why.clone())];
            let widest = table.keys.iter().map(|key| key.name.len()).max();
            let widest = widest.unwrap_or_default();
            lines.extend(table.keys.iter().map(|key| {
                let line = format!("{:widest$} = {}", key.name, key.value);
                (line, key.why.clone())
            }));
            text.push_str(&block(&lines));
            text.push('\n');
        }
        text
    }

    /// The format's name: `csv`.
    #[must_use]
    pub fn format_name(&self) -> &str {
        self.format
            .name
            .strip_prefix("format.")
            .unwrap_or(&self.format.name)
    }
}
