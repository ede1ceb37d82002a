//! Tables as people make them: titles, then the heading row, then rows. Shared by delimited text and workbooks.

use std::ops::RangeInclusive;

use crate::adapter::limits::Limits;
use crate::adapter::row::{Cell, RawRow};
use crate::domain::batch::Unreadable;
use crate::domain::text::{fold, is_invisible};
use crate::intake::decode::handover::Handover;
use crate::intake::decode::records::too_many_columns;
use crate::intake::decode::unreadable;

/// Lines within which the heading row must stand.
const HEADING_WITHIN: u64 = 50;

/// First cells of a total row, which many exports write shorter than the table.
const TOTALS: &[&str] = &["合计", "总计", "小计", "共计", "总合计"];

/// Lays lines on the columns of the heading row.
pub struct Table<'h, 's> {
    handover: &'h mut Handover<'s>,
    heading: String,
    headings: Option<Vec<String>>,
    /// How many cells a row may have, where the format tells.
    lengths: RangeInclusive<usize>,
    first_row_seen: bool,
    most_columns: usize,
    cell_bytes: usize,
}

impl<'h, 's> Table<'h, 's> {
    /// A table whose heading row holds `heading`.
    pub fn new(handover: &'h mut Handover<'s>, heading: &str, limits: &Limits) -> Self {
        Self {
            handover,
            heading: fold(heading),
            headings: None,
            lengths: 0..=usize::MAX,
            first_row_seen: false,
            most_columns: limits.columns,
            cell_bytes: limits.cell_bytes,
        }
    }

    /// Takes the next line: its cells that are not empty with their places, in order, and how many cells the file
    /// gives the line where the format tells. `cells` is left empty.
    pub fn line(
        &mut self,
        number: u64,
        cells: &mut Vec<(usize, Cell)>,
        length: Option<usize>,
    ) -> Result<(), Unreadable> {
        let result = if cells.iter().all(|(_, cell)| is_blank(&cell.text)) {
            Ok(())
        } else if let Some(width) = self.headings.as_ref().map(Vec::len) {
            self.row(number, cells, length, width)
        } else if number > HEADING_WITHIN {
            Err(self.no_heading())
        } else if cells
            .iter()
            .any(|(_, cell)| fold(&cell.text) == self.heading)
        {
            self.heading_row(number, cells, length)
        } else {
            let texts: Vec<&str> = cells
                .iter()
                .map(|(_, cell)| trimmed(&cell.text))
                .filter(|text| !text.is_empty())
                .collect();
            self.handover.title(texts.join(" "))
        };
        cells.clear();
        result
    }

    /// The file has ended.
    pub fn finish(self) -> Result<(), Unreadable> {
        if self.headings.is_none() {
            return Err(self.no_heading());
        }
        Ok(())
    }

    fn no_heading(&self) -> Unreadable {
        unreadable(
            "YB-2121",
            format!(
                "前 {HEADING_WITHIN} 行内没有找到含“{}”的表头行。处理：核对导出的表头是否改名，改正适配文件 header",
                self.heading
            ),
        )
    }

    fn heading_row(
        &mut self,
        number: u64,
        cells: &[(usize, Cell)],
        length: Option<usize>,
    ) -> Result<(), Unreadable> {
        let mut headings = Vec::new();
        for (at, cell) in cells.iter().filter(|(_, cell)| !is_blank(&cell.text)) {
            if *at >= self.most_columns {
                return Err(too_many_columns(number, self.most_columns));
            }
            if cell.text.len() > self.cell_bytes {
                return Err(unreadable(
                    "YB-2123",
                    format!(
                        "第 {number} 行表头第 {} 列过长。处理：请提供方核对表头",
                        at + 1
                    ),
                ));
            }
            headings.resize(*at, String::new());
            headings.push(trimmed(&cell.text).to_owned());
        }
        if let Some(length) = length {
            self.lengths = headings.len()..=length;
        }
        self.headings = Some(headings.clone());
        self.handover.columns(headings)
    }

    fn row(
        &mut self,
        number: u64,
        cells: &mut Vec<(usize, Cell)>,
        length: Option<usize>,
        width: usize,
    ) -> Result<(), Unreadable> {
        let beyond = cells
            .iter()
            .filter(|(at, cell)| *at >= width && !is_blank(&cell.text))
            .map(|(at, _)| at + 1)
            .max();
        let ragged = length.is_some_and(|length| !self.fits(cells, length, width));
        if beyond.is_some() || ragged {
            let found = beyond.max(length).unwrap_or(width);
            return self.handover.spoilt(
                number,
                "YB-2151",
                format!(
                    "本行有 {found} 列，表头有 {width} 列，内容可能错位。处理：请提供方核对该行的分隔符、引号和换行"
                ),
            );
        }
        if let Some((at, _)) = cells
            .iter()
            .find(|(_, cell)| cell.text.len() > self.cell_bytes)
        {
            let reason = format!(
                "第 {} 列内容超过上限 {} 字节。处理：请提供方核对该项内容",
                at + 1,
                self.cell_bytes
            );
            return self.handover.spoilt(number, "YB-2152", reason);
        }
        let mut row = vec![None; width];
        for (at, cell) in cells.drain(..) {
            if let Some(place) = row.get_mut(at) {
                *place = Some(cell);
            }
        }
        self.handover.row(RawRow { number, cells: row })
    }

    /// Whether a row has as many cells as it should. A row with one delimiter too many is shifted even when its last
    /// cells are empty. Some exports end every row, but not the headings, with a delimiter: when the first row is
    /// so, all must be.
    fn fits(&mut self, cells: &[(usize, Cell)], length: usize, width: usize) -> bool {
        let total = cells
            .iter()
            .find(|(_, cell)| !is_blank(&cell.text))
            .is_some_and(|(_, cell)| TOTALS.contains(&fold(&cell.text).replace(' ', "").as_str()));
        if total {
            return true;
        }
        let first = !std::mem::replace(&mut self.first_row_seen, true);
        let filled = cells.last().map_or(0, |(at, _)| at + 1);
        if first && length > *self.lengths.end() && filled <= width {
            self.lengths = length..=length;
        }
        self.lengths.contains(&length)
    }
}

fn unseen(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

fn is_blank(text: &str) -> bool {
    text.chars().all(unseen)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(unseen)
}
