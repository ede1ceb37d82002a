//! The records of an XLS workbook.

use crate::intake::decode::ole::u16_at;

/// Kind of record: beginning of the workbook, a sheet or a chart.
pub const BOF: u16 = 0x0809;
/// Kind of record: its end.
pub const EOF: u16 = 0x000a;
/// Kind of record: more of the record before.
pub const CONTINUE: u16 = 0x003c;
/// Kind of record: the workbook is encrypted.
pub const FILE_PASS: u16 = 0x002f;
/// Kind of record: code page of one-byte texts.
pub const CODE_PAGE: u16 = 0x0042;
/// Kind of record: epoch of dates.
pub const DATE_MODE: u16 = 0x0022;
/// Kind of record: a sheet.
pub const BOUND_SHEET: u16 = 0x0085;
/// Kind of record: a number format.
pub const FORMAT: u16 = 0x041e;
/// Kind of record: a cell format.
pub const XF: u16 = 0x00e0;
/// Kind of record: shared texts.
pub const SST: u16 = 0x00fc;
/// Kind of record: a row.
pub const ROW: u16 = 0x0208;
/// Kind of record: columns.
pub const COL_INFO: u16 = 0x007d;
/// Kind of record: merged areas.
pub const MERGED_CELLS: u16 = 0x00e5;
/// Kind of record: cell with a shared text.
pub const LABEL_SST: u16 = 0x00fd;
/// Kind of record: cell with a text.
pub const LABEL: u16 = 0x0204;
/// Kind of record: cell with a text in several fonts.
pub const RICH_STRING: u16 = 0x00d6;
/// Kind of record: cell with a number.
pub const NUMBER: u16 = 0x0203;
/// Kind of record: cell with a packed number.
pub const RK: u16 = 0x027e;
/// Kind of record: cells with packed numbers.
pub const MUL_RK: u16 = 0x00bd;
/// Kind of record: cell with a truth value or a fault.
pub const BOOL_ERR: u16 = 0x0205;
/// Kind of record: cell with a formula and its result.
pub const FORMULA: u16 = 0x0006;
/// Kind of record: text that the formula before gave.
pub const STRING: u16 = 0x0207;

/// A record: its kind, its content, and where it begins.
#[derive(Clone, Copy)]
pub struct Record<'s> {
    /// What it is.
    pub kind: u16,
    /// Its bytes.
    pub content: &'s [u8],
    /// Where it begins in the stream.
    pub start: usize,
}

/// Records from a place in the stream on. `None` is the end of the stream or a record that reaches beyond it.
#[derive(Clone)]
pub struct Records<'s> {
    stream: &'s [u8],
    at: usize,
}

impl<'s> Records<'s> {
    /// From this place on.
    pub fn new(stream: &'s [u8], at: usize) -> Self {
        Self { stream, at }
    }

    /// The next record.
    pub fn next(&mut self) -> Option<Record<'s>> {
        let kind = u16_at(self.stream, self.at)?;
        let bytes = usize::from(u16_at(self.stream, self.at + 2)?);
        let from = self.at + 4;
        let content = self.stream.get(from..from + bytes)?;
        let start = self.at;
        self.at = from + bytes;
        Some(Record {
            kind,
            content,
            start,
        })
    }

    /// The record and those that continue it.
    pub fn with_continuation(&mut self, record: Record<'s>) -> Vec<&'s [u8]> {
        let mut segments = vec![record.content];
        let mut ahead = self.clone();
        while let Some(more) = ahead.next().filter(|more| more.kind == CONTINUE) {
            segments.push(more.content);
            *self = ahead.clone();
        }
        segments
    }
}
