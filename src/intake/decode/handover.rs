//! Handing rows on, with the count and the cap on it in one place.

use crate::adapter::limits::Limits;
use crate::adapter::row::{Decoded, RawRow};
use crate::domain::batch::Unreadable;
use crate::intake::decode::{Remark, unreadable};

/// Remarks that are kept of one file: nobody reads more.
const REMARKS: usize = 100;

/// The way out of every decoder.
pub struct Handover<'s> {
    sink: &'s mut dyn FnMut(Decoded) -> Result<(), Unreadable>,
    rows: u64,
    limit: u64,
    remarks: Vec<Remark>,
}

impl<'s> Handover<'s> {
    /// Nothing handed on yet.
    pub fn new(
        sink: &'s mut dyn FnMut(Decoded) -> Result<(), Unreadable>,
        limits: &Limits,
    ) -> Self {
        Self {
            sink,
            rows: 0,
            limit: limits.rows,
            remarks: Vec::new(),
        }
    }

    /// Rows handed on, spoilt ones included.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Something worth a look, in Chinese, that does not keep the file from being read.
    pub fn remark(&mut self, code: &'static str, text: String) {
        if self.remarks.len() < REMARKS {
            self.remarks.push(Remark { code, text });
        }
    }

    /// What was remarked.
    pub fn into_remarks(self) -> Vec<Remark> {
        self.remarks
    }

    /// A line above the headings.
    pub fn title(&mut self, text: String) -> Result<(), Unreadable> {
        (self.sink)(Decoded::Title(text))
    }

    /// All headings known by now.
    pub fn columns(&mut self, columns: Vec<String>) -> Result<(), Unreadable> {
        (self.sink)(Decoded::Columns(columns))
    }

    /// A row.
    pub fn row(&mut self, row: RawRow) -> Result<(), Unreadable> {
        self.count()?;
        (self.sink)(Decoded::Row(row))
    }

    /// A row that cannot be laid on the columns.
    pub fn spoilt(
        &mut self,
        number: u64,
        code: &'static str,
        reason: String,
    ) -> Result<(), Unreadable> {
        self.count()?;
        (self.sink)(Decoded::Spoilt {
            number,
            code,
            reason,
        })
    }

    fn count(&mut self) -> Result<(), Unreadable> {
        self.rows += 1;
        if self.rows > self.limit {
            return Err(unreadable(
                "YB-2107",
                format!(
                    "数据行数超过上限 {} 行。处理：核对文件是否正确；确需更多时调高适配文件 limits.rows",
                    self.limit
                ),
            ));
        }
        Ok(())
    }
}
