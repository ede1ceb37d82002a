//! Records whose columns show themselves only as they come: XML and JSON.

use crate::adapter::limits::Limits;
use crate::adapter::row::{Cell, RawRow};
use crate::domain::batch::Unreadable;
use crate::domain::text::is_invisible;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::unreadable;

/// Stands between the texts of a value that a record has several of.
pub const BETWEEN: char = '；';

/// Collects one record after the other; the columns are the union of all names, in the order they were first seen.
pub struct Records<'h, 's> {
    handover: &'h mut Handover<'s>,
    cells: Vec<Option<Cell>>,
    present: Vec<bool>,
    spoilt: Option<(&'static str, String)>,
    number: u64,
    cell_bytes: usize,
    /// The row that is handed on.
    row: RawRow,
}

impl<'h, 's> Records<'h, 's> {
    /// No record yet.
    pub fn new(handover: &'h mut Handover<'s>, limits: &Limits) -> Self {
        Self {
            handover,
            cells: Vec::new(),
            present: Vec::new(),
            spoilt: None,
            number: 0,
            cell_bytes: limits.cell_bytes,
            row: RawRow::default(),
        }
    }

    /// The number of the record at hand, or of the last one.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether regular records are read where they lie.
    pub fn looks_ahead(&self) -> bool {
        self.handover.looks_ahead
    }

    /// Lays the next record out where `lay` finds it regular: all its columns known, each at most once, no cell too long. Nothing
    /// has happened otherwise.
    pub fn lay(&mut self, lay: impl FnOnce(&Handover<'_>, &mut RawRow) -> Option<()>) -> bool {
        self.row.begin(0);
        lay(self.handover, &mut self.row).is_some() && self.row.longest() <= self.cell_bytes
    }

    /// Hands on the record that was laid out, under this number.
    pub fn hand_on(&mut self, number: u64) -> Result<(), Unreadable> {
        self.number = number;
        self.row.number = number;
        self.handover.announce()?;
        self.handover.row(&mut self.row)
    }

    /// Takes the note of the next record; how many were left out before it.
    pub fn passed(&mut self) -> Result<u64, Unreadable> {
        Ok(self.handover.passed()?.skipped)
    }

    /// Starts the next record that passed a sieve: those left out before it have their numbers.
    pub fn begin_passed(&mut self) -> Result<(), Unreadable> {
        let skipped = self.passed()?;
        self.begin_at(self.number + skipped + 1);
        Ok(())
    }

    /// Starts the next record.
    pub fn begin(&mut self) {
        self.begin_at(self.number + 1);
    }

    /// Starts the record with this number.
    pub fn begin_at(&mut self, number: u64) {
        self.number = number;
        self.cells.clear();
        self.present.clear();
        self.spoilt = None;
    }

    /// There was no further record after all: the one that was begun does not count.
    pub fn end(&mut self) {
        self.number = self.number.saturating_sub(1);
    }

    /// Puts a value under its name. A name that stands in the record twice with different values leaves open which
    /// one is meant: the record is spoilt.
    pub fn put(&mut self, name: &str, cell: Option<Cell>) -> Result<(), Unreadable> {
        let at = self.place(name)?;
        if self.too_long(name, cell.as_ref()) {
            return Ok(());
        }
        if self.present[at] && self.cells[at] != cell {
            self.spoil(
                "YB-2153",
                format!(
                    "“{}”在同一记录中出现多次且内容不同。处理：请提供方每项只给一个值",
                    shown(name)
                ),
            );
            return Ok(());
        }
        self.present[at] = true;
        self.cells[at] = cell;
        Ok(())
    }

    /// Puts a value under its name, behind those that are there already. The same value again is no further one.
    pub fn join(&mut self, name: &str, cell: Option<Cell>) -> Result<(), Unreadable> {
        let at = self.place(name)?;
        self.present[at] = true;
        let Some(cell) = cell else {
            return Ok(());
        };
        let longer = self.cells[at].as_ref().map_or(0, |kept| kept.text.len());
        if longer + cell.text.len() + BETWEEN.len_utf8() > self.cell_bytes
            && longer > 0
            && self.cells[at].as_ref() != Some(&cell)
        {
            self.spoil_too_long(name);
            return Ok(());
        }
        if self.too_long(name, Some(&cell)) {
            return Ok(());
        }
        match &mut self.cells[at] {
            Some(kept) if *kept == cell => {}
            Some(kept) => {
                kept.text.push(BETWEEN);
                kept.text.push_str(&cell.text);
                kept.numeric = false;
            }
            none => *none = Some(cell),
        }
        Ok(())
    }

    fn place(&mut self, name: &str) -> Result<usize, Unreadable> {
        let name = name.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        let at = self.handover.column(name, self.number)?;
        if at >= self.cells.len() {
            self.cells.resize(at + 1, None);
            self.present.resize(at + 1, false);
        }
        Ok(at)
    }

    fn too_long(&mut self, name: &str, cell: Option<&Cell>) -> bool {
        let too_long = cell.is_some_and(|cell| cell.text.len() > self.cell_bytes);
        if too_long {
            self.spoil_too_long(name);
        }
        too_long
    }

    /// Marks the record as spoilt; the first reason stays.
    pub fn spoil(&mut self, code: &'static str, reason: String) {
        self.spoilt.get_or_insert((code, reason));
    }

    /// Marks the record as spoilt by a value beyond the cap.
    pub fn spoil_too_long(&mut self, name: &str) {
        self.spoil(
            "YB-2152",
            format!(
                "“{}”的内容超过上限 {} 字节。处理：请提供方核对该项内容",
                shown(name),
                self.cell_bytes
            ),
        );
    }

    /// Hands the record on, and the columns before it when there are new ones.
    pub fn finish(&mut self) -> Result<(), Unreadable> {
        if let Some((code, reason)) = self.spoilt.take() {
            return self.handover.spoilt(self.number, code, reason);
        }
        self.handover.announce()?;
        self.row.begin(self.number);
        for cell in &self.cells {
            self.row.push(cell.as_ref().map(Cell::as_text));
        }
        self.handover.row(&mut self.row)
    }
}

/// A name as a message can bear it.
fn shown(name: &str) -> String {
    name.chars().take(60).collect()
}

/// More columns than the adapter allows.
pub fn too_many_columns(number: u64, most: usize) -> Unreadable {
    unreadable(
        "YB-2108",
        format!(
            "第 {number} 行（条）处列数超过上限 {most} 列。处理：核对文件是否正确；确需更多时调高适配文件 limits.columns"
        ),
    )
}
