//! Tables as people make them: titles, then the heading row, then rows. Shared by delimited text and workbooks.

use std::ops::RangeInclusive;

use crate::adapter::format::Merged;
use crate::adapter::limits::Limits;
use crate::adapter::row::{Cell, RawRow};
use crate::domain::batch::Unreadable;
use crate::domain::text::{fold, is_blank, is_invisible};
use crate::intake::decode::handover::Handover;
use crate::intake::decode::headings::{codes, joined, spread};
use crate::intake::decode::line::Line;
use crate::intake::decode::merges::{Merge, Merges};
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
    Lower(Upper),
    /// The row of codes under the headings.
    Codes,
    /// A data row.
    Rows,
}

/// The upper of two heading rows.
struct Upper {
    texts: Vec<String>,
    /// Merged areas that begin in it.
    merges: Vec<Merge>,
}

/// A value that goes down over the rows of a merged area.
struct Carried {
    column: usize,
    last_row: u32,
    cell: Cell,
}

/// Lays lines on the columns of the heading row.
pub struct Table<'h, 's> {
    handover: &'h mut Handover<'s>,
    heading: String,
    two_rows: bool,
    code_row: bool,
    merged: Merged,
    stage: Stage,
    /// The headings of the first sheet; every further sheet must have the same.
    headings: Option<Vec<String>>,
    merges: Merges,
    carried: Vec<Carried>,
    /// Merged areas of data that give their value to their first row only.
    first_only: u64,
    /// Lines of the sheets before this one.
    base: u64,
    /// The last line of this sheet that is not empty; 0 when there is none.
    last: u64,
    /// How many cells a row may have, where the format tells.
    lengths: RangeInclusive<usize>,
    first_row_seen: bool,
    /// Where the heading stands among others in one cell, and what parts them there.
    joined: Option<(u64, &'static str)>,
    most_columns: usize,
    cell_bytes: usize,
    /// The row at hand.
    raw: RawRow,
}

impl<'h, 's> Table<'h, 's> {
    /// A table whose heading row holds `heading`.
    pub fn new(handover: &'h mut Handover<'s>, heading: &str, limits: &Limits) -> Self {
        Self {
            handover,
            heading: fold(heading),
            two_rows: false,
            code_row: false,
            merged: Merged::First,
            stage: Stage::Titles,
            headings: None,
            merges: Merges::default(),
            carried: Vec::new(),
            first_only: 0,
            base: 0,
            last: 0,
            lengths: 0..=usize::MAX,
            first_row_seen: false,
            joined: None,
            most_columns: limits.columns,
            cell_bytes: limits.cell_bytes,
            raw: RawRow::default(),
        }
    }

    /// The same with as many heading rows (1 or 2), and with a row of codes under them or without.
    pub fn headed(mut self, rows: Option<u8>, code_row: bool) -> Self {
        self.two_rows = rows == Some(2);
        self.code_row = code_row;
        self
    }

    /// The same, with this done to merged cells of data.
    pub fn merging(mut self, merged: Merged) -> Self {
        self.merged = merged;
        self
    }

    /// Begins the next sheet: titles and headings come again, rows are numbered on.
    pub fn begin_sheet(&mut self, merges: Merges) {
        self.base += self.last;
        self.last = 0;
        self.stage = Stage::Titles;
        self.merges = merges;
        self.carried.clear();
    }

    /// Adds a merged area that begins in the line that comes next.
    pub fn merge(&mut self, area: Merge) {
        self.merges.add(area);
    }

    /// Whether the headings are behind, so that the next line is data.
    pub fn in_rows(&self) -> bool {
        matches!(self.stage, Stage::Rows)
    }

    /// Whether it is known how many cells a row may have, so that the next row depends on no other.
    pub fn is_settled(&self) -> bool {
        self.in_rows() && self.first_row_seen && self.handover.looks_ahead
    }

    /// The last line of this sheet that was not empty; 0 when there was none.
    pub fn last_line(&self) -> u64 {
        self.last
    }

    /// Lines of the sheets before this one.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// How many columns the headings have; 0 before they are known.
    pub fn width(&self) -> usize {
        self.headings.as_ref().map_or(0, Vec::len)
    }

    /// Merged areas of data that gave their value to their first row only.
    pub fn first_only(&self) -> u64 {
        self.first_only
    }

    /// Where remarks go.
    pub fn handover(&mut self) -> &mut Handover<'s> {
        self.handover
    }

    /// Whether a row without a line end has fewer cells than the headings, and is no total row: the file was cut off
    /// in it.
    pub fn is_cut(&self, cells: &[(usize, Cell)], length: usize) -> bool {
        self.in_rows() && length < *self.lengths.start() && !is_total(cells)
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
            // Areas that begin in an empty line say nothing, and would pile up otherwise.
            self.merges.beginning_in(row_of(number));
            Ok(())
        } else {
            self.last = number;
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
                self.go_down(number, cells);
                let width = self.headings.as_ref().map_or(0, Vec::len);
                self.row(self.base + number, cells, length, width)
            }
            Stage::Codes => codes(number, cells),
            Stage::Lower(upper) => self.lower_row(number, &upper, cells, length),
            Stage::Titles if number > HEADING_WITHIN => Err(self.no_heading()),
            Stage::Titles
                if cells
                    .iter()
                    .any(|(_, cell)| fold(&cell.text) == self.heading) =>
            {
                self.heading_row(number, cells, length)
            }
            Stage::Titles => {
                self.stage = Stage::Titles;
                self.merges.beginning_in(row_of(number));
                self.look_for_joined(number, cells);
                self.title(cells)
            }
        }
    }

    /// A line whose cells are parted by something else than the adapter says comes as one cell.
    fn look_for_joined(&mut self, number: u64, cells: &[(usize, Cell)]) {
        for (mark, name) in [
            ('\t', "制表符"),
            (',', "逗号"),
            (';', "分号"),
            ('|', "竖线"),
        ] {
            let holds = cells.iter().any(|(_, cell)| {
                cell.text.contains(mark)
                    && cell.text.split(mark).any(|part| fold(part) == self.heading)
            });
            if holds {
                self.joined.get_or_insert((number, name));
            }
        }
    }

    /// The titles of further sheets repeat those of the first.
    fn title(&mut self, cells: &[(usize, Cell)]) -> Result<(), Unreadable> {
        if self.headings.is_some() {
            return Ok(());
        }
        let texts: Vec<&str> = cells
            .iter()
            .map(|(_, cell)| trimmed(&cell.text))
            .filter(|text| !text.is_empty())
            .collect();
        self.handover.title(texts.join(" "))
    }

    /// A row that could not even be put together.
    pub fn spoilt(
        &mut self,
        number: u64,
        code: &'static str,
        reason: String,
    ) -> Result<(), Unreadable> {
        self.last = number;
        self.handover.spoilt(self.base + number, code, reason)
    }

    /// The sheet has ended, and the file perhaps.
    pub fn finish(&self) -> Result<(), Unreadable> {
        match self.stage {
            Stage::Titles => Err(self.no_heading()),
            Stage::Lower(_) => Err(no_lower_row()),
            Stage::Codes | Stage::Rows => Ok(()),
        }
    }

    fn no_heading(&self) -> Unreadable {
        if let Some((line, mark)) = self.joined {
            return unreadable(
                "YB-2121",
                format!(
                    "第 {line} 行含有“{}”，但各列以{mark}分隔，与适配文件声明的不同。处理：请来源部门按约定的分隔符重新导出；确已改用{mark}的，改正适配文件 format.csv.delimiter",
                    self.heading
                ),
            );
        }
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
        let mut texts = self.texts(number, cells)?;
        if !self.two_rows {
            return self.headings(texts, length);
        }
        let merges = self.merges.beginning_in(row_of(number)).to_vec();
        for area in &merges {
            spread(&mut texts, area, self.most_columns);
        }
        self.stage = Stage::Lower(Upper { texts, merges });
        Ok(())
    }

    fn lower_row(
        &mut self,
        number: u64,
        upper: &Upper,
        cells: &[(usize, Cell)],
        length: Option<usize>,
    ) -> Result<(), Unreadable> {
        let mut lower = self.texts(number, cells)?;
        for area in self.merges.beginning_in(row_of(number)) {
            spread(&mut lower, area, self.most_columns);
        }
        let mut above = upper.texts.clone();
        if !upper.merges.is_empty() {
            // The file says how far every upper heading goes, so that none may be taken to go further.
            above.resize(above.len().max(lower.len()), String::new());
            for (above, below) in above.iter_mut().zip(&lower) {
                if above.is_empty() {
                    above.clone_from(below);
                }
            }
        }
        self.headings(joined(&above, &lower), length)
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
        if let Some(first) = &self.headings {
            let folded = |texts: &[String]| texts.iter().map(|text| fold(text)).collect::<Vec<_>>();
            if folded(first) != folded(&headings) {
                return Err(unreadable(
                    "YB-2162",
                    "各工作表的表头不一致，不能接着读。处理：请提供方按同一表头导出；或在适配文件 format.xlsx.sheet 中写明只读哪一张",
                ));
            }
            return Ok(());
        }
        if let Some(length) = length {
            self.lengths = headings.len()..=length.max(headings.len());
        }
        self.headings = Some(headings.clone());
        self.handover.columns(headings)
    }

    /// Gives the row the values of merged areas that reach into it, and takes note of those that begin in it.
    fn go_down(&mut self, number: u64, cells: &mut Vec<(usize, Cell)>) {
        let row = row_of(number);
        self.carried.retain(|carried| carried.last_row >= row);
        for carried in &self.carried {
            match cells.binary_search_by_key(&carried.column, |(at, _)| *at) {
                Ok(at) if is_blank(&cells[at].1.text) => cells[at].1 = carried.cell.clone(),
                Ok(_) => {}
                Err(at) => cells.insert(at, (carried.column, carried.cell.clone())),
            }
        }
        for area in self.merges.beginning_in(row) {
            let column = area.first_column as usize;
            let Some((_, cell)) = cells
                .iter()
                .find(|(at, cell)| *at == column && !is_blank(&cell.text))
            else {
                continue;
            };
            if area.last_row <= row {
                continue;
            }
            match self.merged {
                Merged::First => self.first_only += 1,
                Merged::Down => self.carried.push(Carried {
                    column,
                    last_row: area.last_row,
                    cell: cell.clone(),
                }),
            }
        }
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
        self.raw.begin(number);
        for (at, cell) in cells.drain(..).filter(|(at, _)| *at < width) {
            while self.raw.len() < at {
                self.raw.push(None);
            }
            self.raw.push(Some(cell.as_text()));
        }
        while self.raw.len() < width {
            self.raw.push(None);
        }
        self.handover.row(&mut self.raw)
    }

    /// Takes the next line where nothing is unusual about it: data, of as many cells as the rows before, between delimiters
    /// only, none of them too long. `false` leaves it to [`Self::line`].
    pub fn plain_line(
        &mut self,
        number: u64,
        line: &str,
        delimiter: u8,
    ) -> Result<bool, Unreadable> {
        if !self.is_settled() {
            return Ok(false);
        }
        self.raw.begin(number);
        self.raw.split(line, delimiter);
        let width = self.width();
        let is_usual = self.lengths.contains(&self.raw.len())
            && self.raw.longest() <= self.cell_bytes
            && self.raw.cells().skip(width).all(|cell| cell.is_none())
            && (self.raw.cells().flatten()).any(|cell| !is_blank(cell.text));
        if is_usual {
            self.last = number;
            self.raw.number = self.base + number;
            self.raw.truncate(width);
            self.handover.row(&mut self.raw)?;
        }
        Ok(is_usual)
    }

    /// The same with a line of a sheet: data that lies in the columns of the headings, and that no merged area reaches into.
    pub fn plain_cells(&mut self, number: u64, line: &Line) -> Result<bool, Unreadable> {
        let width = self.width();
        let is_usual = self.in_rows()
            && self.carried.is_empty()
            && self.merges.are_over()
            && line.fits(width, self.cell_bytes)
            && line.any(|text| !is_blank(text));
        if is_usual {
            self.last = number;
            self.raw.begin(self.base + number);
            line.lay(&mut self.raw, width);
            self.handover.row(&mut self.raw)?;
        }
        Ok(is_usual)
    }

    /// Whether a row has as many cells as it should. A row with one delimiter too many is shifted even when its last
    /// cells are empty. Some exports end every row, but not the headings, with a delimiter: when the first row is
    /// so, all must be.
    fn fits(&mut self, cells: &[(usize, Cell)], length: usize, width: usize) -> bool {
        if self.first_row_seen && self.lengths.contains(&length) {
            return true;
        }
        if is_total(cells) {
            return true;
        }
        let first = !std::mem::replace(&mut self.first_row_seen, true);
        let filled = cells.last().map_or(0, |(at, _)| at + 1);
        if first && length > *self.lengths.end() && filled <= width {
            self.lengths = length..=length;
        }
        if first {
            self.handover.settle(&format!("{:?}", self.lengths));
        }
        self.lengths.contains(&length)
    }
}

/// The row of a line, counted from 0 as merged areas do.
fn row_of(number: u64) -> u32 {
    u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX)
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

/// Without what cannot be seen at either end.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(unseen)
}
