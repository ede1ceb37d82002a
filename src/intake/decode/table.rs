//! Tables as people make them: titles, then the heading row, then rows. Shared by delimited text and workbooks.

use std::ops::RangeInclusive;

use crate::adapter::limits::Limits;
use crate::adapter::row::{Cell, RawRow};
use crate::domain::batch::Unreadable;
use crate::domain::text::{fold, is_blank, is_invisible};
use crate::intake::decode::handover::Handover;
use crate::intake::decode::headings::joined;
use crate::intake::decode::records::too_many_columns;
use crate::intake::decode::unreadable;

/// Lines within which the heading row must stand.
const HEADING_WITHIN: u64 = 50;

/// First cells of a total row, which many exports write shorter than the table.
const TOTALS: &[&str] = &["合计", "总计", "小计", "共计", "总合计"];

/// What the next line is.
enum Stage {
    /// A title, or the heading row.
    Titles,
    /// The lower of two heading rows, under this one.
    Lower(Vec<String>),
    /// The row of codes under the headings.
    Codes,
    /// A data row.
    Rows,
}

/// Lays lines on the columns of the heading row.
pub struct Table<'h, 's> {
    handover: &'h mut Handover<'s>,
    heading: String,
    two_rows: bool,
    code_row: bool,
    stage: Stage,
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
            two_rows: false,
            code_row: false,
            stage: Stage::Titles,
            headings: None,
            lengths: 0..=usize::MAX,
            first_row_seen: false,
            most_columns: limits.columns,
            cell_bytes: limits.cell_bytes,
        }
    }

    /// The same with as many heading rows (1 or 2), and with a row of codes under them or without.
    pub fn headed(mut self, rows: Option<u8>, code_row: bool) -> Self {
        self.two_rows = rows == Some(2);
        self.code_row = code_row;
        self
    }

    /// Whether the headings are behind, so that the next line is data.
    pub fn in_rows(&self) -> bool {
        matches!(self.stage, Stage::Rows)
    }

    /// Whether a row without a line end has fewer cells than the headings, and is no total row: the file was cut off
    /// in it.
    pub fn is_cut(&self, cells: &[(usize, Cell)], length: usize) -> bool {
        self.in_rows() && length < *self.lengths.start() && !is_total(cells)
    }

    /// A row that could not even be put together.
    pub fn spoilt(
        &mut self,
        number: u64,
        code: &'static str,
        reason: String,
    ) -> Result<(), Unreadable> {
        self.handover.spoilt(number, code, reason)
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
        } else {
            self.filled_line(number, cells, length)
        };
        cells.clear();
        result
    }

    fn filled_line(
        &mut self,
        number: u64,
        cells: &mut Vec<(usize, Cell)>,
        length: Option<usize>,
    ) -> Result<(), Unreadable> {
        match std::mem::replace(&mut self.stage, Stage::Rows) {
            Stage::Rows => {
                let width = self.headings.as_ref().map_or(0, Vec::len);
                self.row(number, cells, length, width)
            }
            Stage::Codes => codes(number, cells),
            Stage::Lower(upper) => {
                let lower = self.texts(number, cells)?;
                self.headings(joined(&upper, &lower), length)
            }
            Stage::Titles if number > HEADING_WITHIN => Err(self.no_heading()),
            Stage::Titles
                if cells
                    .iter()
                    .any(|(_, cell)| fold(&cell.text) == self.heading) =>
            {
                let texts = self.texts(number, cells)?;
                if self.two_rows {
                    self.stage = Stage::Lower(texts);
                    return Ok(());
                }
                self.headings(texts, length)
            }
            Stage::Titles => {
                self.stage = Stage::Titles;
                let texts: Vec<&str> = cells
                    .iter()
                    .map(|(_, cell)| trimmed(&cell.text))
                    .filter(|text| !text.is_empty())
                    .collect();
                self.handover.title(texts.join(" "))
            }
        }
    }

    /// The file has ended.
    pub fn finish(&self) -> Result<(), Unreadable> {
        match self.stage {
            Stage::Titles => Err(self.no_heading()),
            Stage::Lower(_) => Err(no_lower_row()),
            Stage::Codes | Stage::Rows => Ok(()),
        }
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

    /// The texts of a heading row.
    fn texts(&self, number: u64, cells: &[(usize, Cell)]) -> Result<Vec<String>, Unreadable> {
        let mut texts = Vec::new();
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
            texts.resize(*at, String::new());
            texts.push(trimmed(&cell.text).to_owned());
        }
        Ok(texts)
    }

    fn headings(&mut self, headings: Vec<String>, length: Option<usize>) -> Result<(), Unreadable> {
        self.stage = if self.code_row {
            Stage::Codes
        } else {
            Stage::Rows
        };
        if let Some(length) = length {
            self.lengths = headings.len()..=length.max(headings.len());
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
        if is_total(cells) {
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

/// Passes over the row of codes, if it is one: a data row must not go unnoticed.
fn codes(number: u64, cells: &[(usize, Cell)]) -> Result<(), Unreadable> {
    let code = |text: &str| {
        text.bytes().any(|byte| byte.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    let mut texts = cells
        .iter()
        .map(|(_, cell)| trimmed(&cell.text))
        .filter(|text| !text.is_empty());
    if texts.all(code) {
        return Ok(());
    }
    Err(unreadable(
        "YB-2164",
        format!(
            "第 {number} 行应为表头下的代码行，内容却不是代码。处理：核对导出；没有代码行时删去适配文件中的 code_row"
        ),
    ))
}

fn no_lower_row() -> Unreadable {
    unreadable(
        "YB-2165",
        "适配文件写明表头有两行，文件在第一行表头之后就结束了。处理：核对导出；表头只有一行时删去 header_rows",
    )
}

/// Whether a line begins with 合计 and the like.
fn is_total(cells: &[(usize, Cell)]) -> bool {
    cells
        .iter()
        .find(|(_, cell)| !is_blank(&cell.text))
        .is_some_and(|(_, cell)| TOTALS.contains(&fold(&cell.text).replace(' ', "").as_str()))
}

fn unseen(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(unseen)
}
