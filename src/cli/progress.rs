//! Progress for people: rows and rows a second, on a terminal only.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

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
            ProgressStyle::with_template("{spinner} {msg} {human_pos}行，每秒{speed}行 {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner())
                .with_key("speed", |state: &ProgressState, out: &mut dyn Write| {
                    let _ = write!(out, "{:.0}", state.per_sec());
                });
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

/// A bar of days; hidden unless messages go to a terminal.
#[must_use]
pub fn days(console: &Console<'_>, days: u32) -> ProgressBar {
    if !console.terminal {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}天 {elapsed} 已读{prefix}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(u64::from(days))
        .with_style(style)
        .with_prefix("0行")
}

/// Tells a bar of days how many rows were read in all files so far, and how many a second.
#[must_use]
pub fn rows_on(bar: &ProgressBar) -> Box<dyn Fn(u64) + Send + Sync> {
    if bar.is_hidden() {
        return Box::new(|_| {});
    }
    let bar = bar.clone();
    let (all, of_file) = (AtomicU64::new(0), AtomicU64::new(0));
    Box::new(move |rows| {
        let added = added(of_file.swap(rows, Ordering::Relaxed), rows);
        let all = all.fetch_add(added, Ordering::Relaxed) + added;
        let per_second = all.checked_div(bar.elapsed().as_secs()).unwrap_or(all);
        bar.set_prefix(format!("{all}行，每秒{per_second}行"));
    })
}

/// Rows since the last word; fewer than then means that another file has begun.
const fn added(before: u64, now: u64) -> u64 {
    if now >= before { now - before } else { now }
}

#[cfg(test)]
mod tests {
    use super::added;

    #[test]
    fn rows_of_one_file_after_the_other_add_up() {
        let told = [0, 256, 300, 0, 256, 100, 100];
        let mut before = 0;
        let mut all = 0;
        for now in told {
            all += added(before, now);
            before = now;
        }
        assert_eq!(all, 300 + 256 + 100);
    }
}
