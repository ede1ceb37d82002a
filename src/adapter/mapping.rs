//! From a raw row to a canonical record. Pure.

use jiff::civil::Date;

use crate::adapter::language::Adapter;
use crate::adapter::row::RawRow;
use crate::domain::batch::{Issue, Unreadable};
use crate::domain::record::Record;

/// What one row became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The record; `None` when the row is set aside (an issue says why) or is a total row.
    pub record: Option<Record>,
    /// What is wrong in it.
    pub issues: Vec<Issue>,
    /// A total row (合计): no record and no issue.
    pub is_total: bool,
}

/// Maps the rows of one file.
#[derive(Debug)]
pub struct Mapper<'a> {
    adapter: &'a Adapter,
}

impl<'a> Mapper<'a> {
    /// For one file, delivered on `delivered`, called `file_name`.
    #[must_use]
    pub fn new(adapter: &'a Adapter, file_name: &str, delivered: Date) -> Self {
        let _ = (file_name, delivered);
        Self { adapter }
    }

    /// A line above the headings: as-of label, unit (`单位：万元` contradicting the adapter is an issue).
    pub fn title(&mut self, line: &str) -> Vec<Issue> {
        let _ = (line, self.adapter);
        todo!()
    }

    /// The headings. Unknown ones are issues (row 0); a required one that is not there refuses the file.
    pub fn columns(&mut self, headings: &[String]) -> Result<Vec<Issue>, Unreadable> {
        let _ = headings;
        todo!()
    }

    /// One row.
    pub fn row(&mut self, row: &RawRow) -> Mapped {
        let _ = row;
        todo!()
    }

    /// The day the file speaks of, after its last row.
    ///
    /// # Errors
    /// It cannot be found, in Chinese with the remedy.
    pub fn as_of(&self) -> Result<Date, Unreadable> {
        todo!()
    }
}
