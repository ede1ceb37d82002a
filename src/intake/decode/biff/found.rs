//! Where the cells of an XLS sheet are, and what else it says.

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::biff::records::{
    BOF, BOOL_ERR, COL_INFO, EOF, FORMULA, LABEL, LABEL_SST, MERGED_CELLS, MUL_RK, NUMBER,
    RICH_STRING, RK, ROW, Records,
};
use crate::intake::decode::merges::{self, Merge};
use crate::intake::decode::ole::u16_at;
use crate::intake::decode::ranges::{Ranges, extend};

/// The bit of a row's options that hides it.
const ROW_HIDDEN: u16 = 0x0020;

/// Where a cell stands, and the record that holds it.
#[derive(Clone, Copy)]
pub struct Place {
    /// Row, counted from 0.
    pub row: u16,
    /// Column, counted from 0.
    pub column: u16,
    /// Where its record begins in the stream.
    pub record: u32,
}

/// What the first pass found in a sheet.
pub struct Found {
    /// Cells by row and column; of two in one place the later one counts.
    pub cells: Vec<Place>,
    /// Hidden rows, in order.
    pub hidden_rows: Vec<u16>,
    /// Hidden columns.
    pub hidden_columns: Ranges,
    /// Merged areas.
    pub merges: Vec<Merge>,
}

impl Found {
    /// `None` when a record is cut off or lies about its size.
    pub fn read(stream: &[u8], start: usize, limits: &Limits) -> Option<Result<Self, Unreadable>> {
        let mut records = Records::new(stream, start);
        records.next().filter(|first| first.kind == BOF)?;
        let mut found = Self {
            cells: Vec::new(),
            hidden_rows: Vec::new(),
            hidden_columns: Vec::new(),
            merges: Vec::new(),
        };
        // Charts inside a sheet have a beginning and an end of their own.
        let mut depth = 1_u32;
        while depth > 0 {
            let record = records.next()?;
            let content = record.content;
            match record.kind {
                BOF => depth += 1,
                EOF => depth -= 1,
                _ if depth > 1 => {}
                ROW if u16_at(content, 12)? & ROW_HIDDEN != 0 => {
                    found.hidden_rows.push(u16_at(content, 0)?);
                }
                COL_INFO if u16_at(content, 8)? & 1 != 0 => {
                    let (first, last) = (u16_at(content, 0)?, u16_at(content, 2)?);
                    extend(&mut found.hidden_columns, first.into(), last.into());
                }
                MERGED_CELLS => found.merged(content)?,
                LABEL_SST | LABEL | RICH_STRING | NUMBER | RK | BOOL_ERR | FORMULA => {
                    found.cell(u16_at(content, 0)?, u16_at(content, 2)?, record.start)?;
                }
                MUL_RK => {
                    let first = u16_at(content, 2)?;
                    for at in 0..u16::try_from(content.len().checked_sub(6)? / 6).ok()? {
                        found.cell(u16_at(content, 0)?, first.checked_add(at)?, record.start)?;
                    }
                }
                _ => {}
            }
            if found.merges.len() > limits.merged_cells {
                return Some(Err(merges::too_many(limits)));
            }
        }
        // Stable: of two records for one cell the later one counts, as for the program that wrote them.
        found.cells.sort_by_key(|cell| (cell.row, cell.column));
        found.hidden_rows.sort_unstable();
        Some(Ok(found))
    }

    fn cell(&mut self, row: u16, column: u16, record: usize) -> Option<()> {
        self.cells.push(Place {
            row,
            column,
            record: u32::try_from(record).ok()?,
        });
        Some(())
    }

    fn merged(&mut self, content: &[u8]) -> Option<()> {
        for at in 0..usize::from(u16_at(content, 0)?) {
            let number = |nth: usize| u16_at(content, 2 + 8 * at + 2 * nth).map(u32::from);
            self.merges.push(Merge {
                first_row: number(0)?,
                last_row: number(1)?,
                first_column: number(2)?,
                last_column: number(3)?,
            });
        }
        Some(())
    }
}
