//! Records whose columns show themselves only as they come: XML and JSON.

use std::collections::HashMap;

use crate::adapter::limits::Limits;
use crate::adapter::row::{Cell, RawRow};
use crate::domain::batch::Unreadable;
use crate::domain::text::is_invisible;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::unreadable;

/// Collects one record after the other; the columns are the union of all names, in the order they were first seen.
pub struct Records<'h, 's> {
    handover: &'h mut Handover<'s>,
    columns: Vec<String>,
    index: HashMap<String, usize>,
    announced: usize,
    cells: Vec<Option<Cell>>,
    present: Vec<bool>,
    spoilt: Option<(&'static str, String)>,
    number: u64,
    most_columns: usize,
    cell_bytes: usize,
}

impl<'h, 's> Records<'h, 's> {
    /// No record yet.
    pub fn new(handover: &'h mut Handover<'s>, limits: &Limits) -> Self {
        Self {
            handover,
            columns: Vec::new(),
            index: HashMap::new(),
            announced: 0,
            cells: Vec::new(),
            present: Vec::new(),
            spoilt: None,
            number: 0,
            most_columns: limits.columns,
            cell_bytes: limits.cell_bytes,
        }
    }

    /// The ordinal of the record at hand, or of the last one.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Starts the next record.
    pub fn begin(&mut self) {
        self.number += 1;
        self.cells.clear();
        self.present.clear();
        self.spoilt = None;
    }

    /// Puts a value under its name. A name that stands in the record twice with different values leaves open which
    /// one is meant: the record is spoilt.
    pub fn put(&mut self, name: &str, cell: Option<Cell>) -> Result<(), Unreadable> {
        let at = self.column(name.trim_matches(|c: char| c.is_whitespace() || is_invisible(c)))?;
        if at >= self.cells.len() {
            self.cells.resize(at + 1, None);
            self.present.resize(at + 1, false);
        }
        if cell
            .as_ref()
            .is_some_and(|cell| cell.text.len() > self.cell_bytes)
        {
            self.spoil_too_long(name);
            return Ok(());
        }
        if self.present[at] && self.cells[at] != cell {
            self.spoil(
                "YB-2153",
                format!("“{name}”在同一记录中出现多次且内容不同。处理：请提供方每项只给一个值"),
            );
            return Ok(());
        }
        self.present[at] = true;
        self.cells[at] = cell;
        Ok(())
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
                "“{name}”的内容超过上限 {} 字节。处理：请提供方核对该项内容",
                self.cell_bytes
            ),
        );
    }

    /// Hands the record on, and the columns before it when there are new ones.
    pub fn finish(&mut self) -> Result<(), Unreadable> {
        if let Some((code, reason)) = self.spoilt.take() {
            return self.handover.spoilt(self.number, code, reason);
        }
        if self.announced < self.columns.len() {
            self.announced = self.columns.len();
            self.handover.columns(self.columns.clone())?;
        }
        self.handover.row(RawRow {
            number: self.number,
            cells: std::mem::take(&mut self.cells),
        })
    }

    fn column(&mut self, name: &str) -> Result<usize, Unreadable> {
        if let Some(&at) = self.index.get(name) {
            return Ok(at);
        }
        let at = self.columns.len();
        if at >= self.most_columns {
            return Err(too_many_columns(self.number, self.most_columns));
        }
        self.columns.push(name.to_owned());
        self.index.insert(name.to_owned(), at);
        Ok(at)
    }
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
