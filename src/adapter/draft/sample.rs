//! What was read of a sample: titles, columns, a bounded number of values. Pure.

use std::collections::BTreeMap;

use crate::adapter::cell::{cut, heading_text, lookup_text};
use crate::adapter::draft::layout::Layout;
use crate::adapter::row::{Cell, CellText, Decoded, RawRow};
use crate::domain::text::fold;

/// Rows that are looked at.
pub const ROWS: u64 = 2_000;
/// Title lines that are kept.
const TITLES: usize = 50;
/// Values of a column that are kept.
const VALUES: usize = 300;
/// Characters of a value that are kept.
const VALUE_CHARS: usize = 200;
/// Different short texts of a column that are counted: more is no code table.
pub const WORDS: usize = 60;
/// Characters of a text that may be a word.
const WORD_CHARS: usize = 30;

/// A sample that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The file's name, without folder.
    pub file: String,
    /// How it is packed and laid out.
    pub layout: Layout,
    /// Lines above the headings.
    pub titles: Vec<String>,
    /// The columns, in file order.
    pub columns: Vec<Column>,
    /// Rows that were looked at, total rows not counted.
    pub rows: u64,
    /// Rows that cannot be laid on the columns.
    pub spoilt: u64,
    /// Whether the file has no more rows than were looked at.
    pub whole: bool,
}

/// One column with some of its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// As the file writes it.
    pub heading: String,
    /// Rows with a value.
    pub filled: u64,
    /// The first values.
    pub values: Vec<Cell>,
    /// Different texts with their counts, while they are few and short.
    pub words: BTreeMap<String, u64>,
    /// There are more than [`WORDS`] different ones, or long ones.
    pub is_open: bool,
}

impl Column {
    fn take(&mut self, cell: CellText<'_>) {
        let text = fold(cell.text);
        if text.is_empty() {
            return;
        }
        self.filled += 1;
        if self.values.len() < VALUES {
            self.values.push(Cell {
                text: cut(cell.text, VALUE_CHARS),
                numeric: cell.numeric,
            });
        }
        if self.is_open {
            return;
        }
        let word = lookup_text(&text);
        if let Some(count) = self.words.get_mut(&word) {
            *count += 1;
        } else if self.words.len() < WORDS && word.chars().count() <= WORD_CHARS {
            self.words.insert(word, 1);
        } else {
            self.is_open = true;
        }
    }

    /// The share of the kept values of which `is` holds; `None` without a value.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "at most some hundred values")]
    pub fn share(&self, is: impl Fn(&Cell) -> bool) -> Option<f64> {
        let n = self.values.iter().filter(|cell| is(cell)).count();
        (!self.values.is_empty()).then(|| n as f64 / self.values.len() as f64)
    }
}

impl Sample {
    /// Nothing read yet.
    #[must_use]
    pub fn new(file: &str, layout: Layout) -> Self {
        Self {
            file: file.to_owned(),
            layout,
            titles: Vec::new(),
            columns: Vec::new(),
            rows: 0,
            spoilt: 0,
            whole: false,
        }
    }

    /// Takes what a decoder tells. False when enough was seen.
    #[allow(
        clippy::match_wildcard_for_single_variants,
        reason = "whatever else a decoder tells is no part of a sample"
    )]
    pub fn take(&mut self, decoded: Decoded<'_>) -> bool {
        match decoded {
            Decoded::Title(line) if self.titles.len() < TITLES => {
                self.titles.push(cut(&line, VALUE_CHARS * 10));
            }
            Decoded::Columns(headings) => {
                for (at, heading) in headings.into_iter().enumerate() {
                    if at < self.columns.len() {
                        self.columns[at].heading = heading;
                    } else {
                        self.columns.push(Column {
                            heading,
                            ..Column::default()
                        });
                    }
                }
            }
            Decoded::Row(row) => {
                if self.rows >= ROWS {
                    return false;
                }
                self.row(row);
            }
            Decoded::Spoilt { .. } => self.spoilt += 1,
            _ => {}
        }
        true
    }

    fn row(&mut self, row: &RawRow) {
        let first = row
            .cells()
            .flatten()
            .map(|cell| heading_text(cell.text))
            .find(|text| !text.is_empty());
        match first {
            Some(text)
                if !["合计", "总计", "小计"]
                    .iter()
                    .any(|word| text.starts_with(word)) => {}
            _ => return,
        }
        self.rows += 1;
        for (column, cell) in self.columns.iter_mut().zip(row.cells()) {
            if let Some(cell) = cell {
                column.take(cell);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::draft::layout::Table;

    #[test]
    fn a_sample_stays_small_however_long_the_file_is() {
        let layout = Layout {
            container: None,
            format: Table {
                name: "format.csv".into(),
                why: String::new(),
                keys: Vec::new(),
            },
            charset: String::new(),
        };
        let mut sample = Sample::new("a.csv", layout);
        sample.take(Decoded::Columns(vec!["码".into(), "状态".into()]));
        let mut wanted = 0;
        for number in 1..=5_000 {
            let cell = |text: String| {
                Some(Cell {
                    text,
                    numeric: false,
                })
            };
            let cells = vec![cell(number.to_string().repeat(100)), cell("正常".into())];
            let mut row = RawRow::of(number, cells);
            if !sample.take(Decoded::Row(&mut row)) {
                break;
            }
            wanted += 1;
        }
        assert_eq!((wanted, sample.rows), (ROWS, ROWS));
        assert_eq!(sample.columns[0].values.len(), VALUES);
        assert!(sample.columns[0].is_open && !sample.columns[1].is_open);
        assert_eq!(sample.columns[1].words.get("正常"), Some(&ROWS));
        assert!(
            sample.columns[0]
                .values
                .iter()
                .all(|cell| cell.text.chars().count() <= VALUE_CHARS)
        );
    }
}
