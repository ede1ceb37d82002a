//! Progress for people: rows and rows a second, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::console::Console;

/// A line that counts rows while a file is read, and is gone afterwards.
pub struct Rows {
    bar: ProgressBar,
}

impl Rows {
    /// Begins; hidden unless messages go to a terminal.
    #[must_use]
    pub fn begin(console: &Console<'_>, what: &str) -> Self {
        if !console.terminal {
            return Self {
                bar: ProgressBar::hidden(),
            };
        }
        let style =
            ProgressStyle::with_template("{spinner} {msg} {human_pos}行 {per_sec} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
        Self {
            bar: ProgressBar::no_length()
                .with_style(style)
                .with_message(what.to_owned()),
        }
    }

    /// So many rows were read. Cheap: the line is drawn some ten times a second at most.
    pub fn at(&self, rows: u64) {
        self.bar.set_position(rows);
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
