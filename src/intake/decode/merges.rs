//! Merged areas of a sheet.

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::unreadable;

/// A merged area; all ends count from 0 and belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Merge {
    /// Its first row, where its value stands.
    pub first_row: u32,
    /// Its first column, where its value stands.
    pub first_column: u32,
    /// Its last row.
    pub last_row: u32,
    /// Its last column.
    pub last_column: u32,
}

/// The merged areas of one sheet, taken row by row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merges {
    areas: Vec<Merge>,
    next: usize,
}

impl Merges {
    /// The areas, in whatever order.
    pub fn new(mut areas: Vec<Merge>) -> Self {
        areas.sort_unstable();
        Self { areas, next: 0 }
    }

    /// One more area; its first row must not have been taken yet. A format that tells them along with the rows adds
    /// them so, and what was taken before is forgotten: only one row's areas are held then.
    pub fn add(&mut self, area: Merge) {
        self.areas.drain(..self.next);
        self.next = 0;
        let at = self.areas.partition_point(|before| *before <= area);
        self.areas.insert(at, area);
    }

    /// Whether all areas have been taken.
    pub fn are_over(&self) -> bool {
        self.next == self.areas.len()
    }

    /// Takes the areas that begin in this row. Rows must come in order; areas of rows that did not come are dropped,
    /// for nothing stands in them.
    pub fn beginning_in(&mut self, row: u32) -> &[Merge] {
        let rest = &self.areas[self.next..];
        let from = self.next + rest.partition_point(|area| area.first_row < row);
        let to = self.next + rest.partition_point(|area| area.first_row <= row);
        self.next = to;
        &self.areas[from..to]
    }
}

/// The refusal for a workbook with more merged areas than an adapter allows.
pub fn too_many(limits: &Limits) -> Unreadable {
    unreadable(
        "YB-2167",
        format!(
            "合并单元格超过上限 {} 处。处理：请提供方取消合并后重新导出；确需更多时调高适配文件 limits.merged_cells",
            limits.merged_cells
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::{Merge, Merges};

    fn area(first_row: u32, first_column: u32) -> Merge {
        Merge {
            first_row,
            first_column,
            last_row: first_row + 1,
            last_column: first_column,
        }
    }

    #[test]
    fn areas_are_taken_row_by_row() {
        let mut merges = Merges::new(vec![area(5, 0), area(2, 3), area(2, 1), area(9, 0)]);
        assert_eq!(merges.beginning_in(0), []);
        assert_eq!(merges.beginning_in(2), [area(2, 1), area(2, 3)]);
        assert_eq!(merges.beginning_in(7), []);
        merges.add(area(8, 4));
        assert_eq!(merges.beginning_in(8), [area(8, 4)]);
        assert_eq!(merges.beginning_in(9), [area(9, 0)]);
        assert!(merges.are_over());
        assert_eq!(merges.beginning_in(10), []);
    }
}
