//! Where a command writes: results to one stream, messages to the other, as text or as JSON.

use std::io::{BufRead, Write};

use serde::Serialize;

/// The streams of one command.
pub struct Console<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Messages.
    pub err: &'a mut dyn Write,
    /// Standard input of filters.
    pub input: &'a mut dyn BufRead,
    /// Results as JSON.
    pub json: bool,
    /// Whether the messages go to a terminal: progress is shown only there.
    pub terminal: bool,
}

impl Console<'_> {
    /// A line of text results. A closed pipe ends output quietly: whoever reads has read enough.
    pub fn line(&mut self, text: impl AsRef<str>) {
        let _ = writeln!(self.out, "{}", text.as_ref());
    }

    /// One JSON document on one line.
    pub fn document(&mut self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.line(text),
            Err(error) => self.message(format!("[YB-7101] 结果无法写成 JSON：{error}")),
        }
    }

    /// A message for people.
    pub fn message(&mut self, text: impl AsRef<str>) {
        let _ = writeln!(self.err, "{}", text.as_ref());
    }

    /// A table with a heading row; columns as wide as their widest cell, full-width characters counted double.
    pub fn table(&mut self, heading: &[&str], rows: &[Vec<String>]) {
        let mut widths: Vec<usize> = heading.iter().map(|cell| width(cell)).collect();
        for row in rows {
            for (at, cell) in row.iter().enumerate() {
                if let Some(known) = widths.get_mut(at) {
                    *known = (*known).max(width(cell));
                }
            }
        }
        let heading: Vec<String> = heading.iter().map(|cell| (*cell).to_owned()).collect();
        self.row(&heading, &widths);
        for row in rows {
            self.row(row, &widths);
        }
    }

    fn row(&mut self, cells: &[String], widths: &[usize]) {
        let mut line = String::new();
        for (at, cell) in cells.iter().enumerate() {
            line.push_str(cell);
            if at + 1 < cells.len() {
                let room = widths
                    .get(at)
                    .copied()
                    .unwrap_or_default()
                    .saturating_sub(width(cell))
                    + 2;
                line.extend(std::iter::repeat_n(' ', room));
            }
        }
        self.line(line);
    }
}

/// Columns a text takes on a terminal.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars()
        .map(|c| {
            if (c as u32) >= 0x1100 && c != '—' && c != '·' {
                2
            } else {
                1
            }
        })
        .sum()
}

/// `2026-03-02 07:30`, as the clock on the wall shows it.
#[must_use]
pub fn minute(at: jiff::Timestamp) -> String {
    crate::calendar::shanghai::civil(at)
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}
