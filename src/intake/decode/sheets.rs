//! Which sheets of a spreadsheet are read, and what is done about what a person does not see in them.

use crate::adapter::format::{HiddenRows, Sheets, Xlsx};
use crate::adapter::limits::Limits;
use crate::adapter::row::Cell;
use crate::domain::batch::Unreadable;
use crate::domain::text::fold;
use crate::domain::text::is_blank;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::line::Row;
use crate::intake::decode::merges::{Merge, Merges};
use crate::intake::decode::table::Table;
use crate::intake::decode::trailer::Trailer;
use crate::intake::decode::unreadable;
use crate::intake::pattern;

/// Rows of an XLS sheet and of an XLSX sheet: a sheet that has just so many was perhaps cut off there.
const FULL: [u64; 2] = [65_536, 1_048_576];

/// Columns of an XLSX sheet, the widest there is.
pub const SHEET_COLUMNS: u32 = 16_384;

/// Rows of an XLSX sheet, the longest there is.
pub const SHEET_ROWS: u32 = 1_048_576;

/// Names of sheets that a remark lists.
const NAMED: usize = 5;

/// A sheet as the workbook lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Whether a person who opens the workbook sees it.
    pub visible: bool,
    /// Whether anything stands in it.
    pub filled: bool,
}

/// The places of the sheets to be read, in the workbook's order. A hidden sheet holds what nobody has looked at: it
/// is read only when the adapter names it whole.
pub fn choose(listed: &[Listed], format: &Xlsx) -> Result<Vec<usize>, Unreadable> {
    let fits = |sheet: &Listed| match &format.sheet {
        None => sheet.visible,
        Some(name) if name.contains('*') => {
            sheet.visible && pattern::fits(&fold(name), &fold(&sheet.name))
        }
        Some(name) => fold(name) == fold(&sheet.name),
    };
    let mut chosen: Vec<usize> = (0..listed.len()).filter(|at| fits(&listed[*at])).collect();
    if format.sheet.is_none() && format.sheets == Sheets::One {
        chosen.truncate(1);
    }
    if chosen.is_empty() {
        let what = format.sheet.as_ref().map_or_else(
            || "可见的工作表".to_owned(),
            |wanted| format!("工作表“{wanted}”"),
        );
        return Err(unreadable(
            "YB-2143",
            format!("工作簿中没有{what}。处理：核对适配文件 format.xlsx.sheet，或请提供方核对导出"),
        ));
    }
    if format.sheets == Sheets::One && chosen.len() > 1 {
        let names = names(chosen.iter().map(|at| listed[*at].name.as_str()));
        return Err(ambiguous(&format!("有多张工作表符合（{names}）")));
    }
    Ok(chosen)
}

/// Several sheets or tables fit, and the adapter says to read one.
pub fn ambiguous(what: &str) -> Unreadable {
    unreadable(
        "YB-2160",
        format!(
            "{what}，无法确定以哪个为准。处理：在适配文件 format.xlsx 中把 sheet 写全，或写 sheets = \"all\" 依次全部读取"
        ),
    )
}

fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = all.collect();
    let shown = all[..all.len().min(NAMED)].join("、");
    if all.len() > NAMED {
        format!("{shown} 等 {} 张", all.len())
    } else {
        shown
    }
}

/// The lines of the chosen sheets on their way into the table.
pub struct Lines<'f, 'h, 's> {
    table: Table<'h, 's>,
    format: &'f Xlsx,
    most_columns: usize,
    sheet: String,
    /// Several sheets are read, so that an empty one among them is no fault.
    several: bool,
    /// Sheets that can be seen, hold something and are not read.
    unread: Vec<String>,
    hidden_rows: u64,
    hidden_columns: usize,
    /// Merged areas that were counted apart.
    first_only: u64,
    trailer: Trailer,
}

impl<'f, 'h, 's> Lines<'f, 'h, 's> {
    /// Nothing read yet.
    pub fn new(handover: &'h mut Handover<'s>, format: &'f Xlsx, limits: &Limits) -> Self {
        let table = Table::new(handover, &format.header, limits)
            .headed(format.header_rows, format.code_row)
            .merging(format.merged);
        Self {
            table,
            format,
            most_columns: limits.columns,
            sheet: String::new(),
            several: false,
            unread: Vec::new(),
            hidden_rows: 0,
            hidden_columns: 0,
            first_only: 0,
            trailer: Trailer::new(format.trailer.as_deref()),
        }
    }

    /// The same, told what the workbook lists and which of it is read.
    pub fn of(mut self, listed: &[Listed], chosen: &[usize]) -> Self {
        self.several = chosen.len() > 1;
        self.unread = (0..listed.len())
            .filter(|at| listed[*at].visible && listed[*at].filled && !chosen.contains(at))
            .map(|at| listed[at].name.clone())
            .collect();
        self
    }

    /// Begins a sheet.
    pub fn begin(&mut self, name: &str, merges: Merges) {
        name.clone_into(&mut self.sheet);
        self.table.begin_sheet(merges);
        if self.table.base() > 0 {
            let text = format!(
                "自第 {} 行起为工作表“{name}”，行号接着前一张编",
                self.table.base() + 1
            );
            self.table.handover().remark("YB-2174", text);
        }
    }

    /// Adds a merged area that begins in the line that comes next.
    pub fn merge(&mut self, area: Merge) {
        self.table.merge(area);
    }

    /// Takes a line of the sheet, its first line being 1, and leaves `cells` empty.
    pub fn line(
        &mut self,
        number: u64,
        hidden: bool,
        cells: &mut Vec<(usize, Cell)>,
    ) -> Result<(), Unreadable> {
        if hidden && self.table.in_rows() && cells.iter().any(|(_, cell)| !is_blank(&cell.text)) {
            self.hidden_rows += 1;
            match self.format.hidden_rows {
                HiddenRows::Read => {}
                HiddenRows::Skip => cells.clear(),
                HiddenRows::Refuse => {
                    return Err(unreadable(
                        "YB-2163",
                        format!(
                            "第 {} 行被隐藏（可能留有筛选）。处理：请提供方取消筛选和隐藏后重新提供；确要照读时把适配文件 hidden_rows 改为 \"read\"",
                            self.table.base() + number
                        ),
                    ));
                }
            }
        }
        let line = self.table.base() + number;
        if self.trailer.take(line, cells, self.table.in_rows())? {
            cells.clear();
            return Ok(());
        }
        self.table.line(number, cells, None)
    }

    /// Takes a row of the sheet.
    pub fn row(&mut self, row: &mut Row) -> Result<(), Unreadable> {
        let number = u64::from(row.at) + 1;
        let is_plain = !row.hidden && row.uncalculated.is_none() && self.format.trailer.is_none();
        if is_plain && self.table.plain_cells(number, &row.line)? {
            return Ok(());
        }
        let mut cells = row.line.cells();
        match row.uncalculated {
            Some(column) => self.uncalculated(number, column, row.hidden, &mut cells),
            None => self.line(number, row.hidden, &mut cells),
        }
    }

    /// Takes a line with a formula whose result the file does not hold. Above the data it counts as empty.
    pub fn uncalculated(
        &mut self,
        number: u64,
        column: u32,
        hidden: bool,
        cells: &mut Vec<(usize, Cell)>,
    ) -> Result<(), Unreadable> {
        if !self.table.in_rows() || (hidden && self.format.hidden_rows != HiddenRows::Read) {
            return self.line(number, hidden, cells);
        }
        cells.clear();
        self.hidden_rows += u64::from(hidden);
        self.table.spoilt(
            number,
            "YB-2166",
            format!(
                "第 {} 列的公式没有存下计算结果。处理：请提供方用表格软件打开、保存后重新提供",
                column + 1
            ),
        )
    }

    /// Ends the sheet, of which these columns (first and last) are hidden.
    pub fn end(&mut self, hidden_columns: &[(u32, u32)]) -> Result<(), Unreadable> {
        let last = self.table.last_line();
        if last == 0 && self.several {
            return Ok(());
        }
        self.table.finish()?;
        let width = self.table.width();
        self.hidden_columns += (0..width)
            .filter(|at| {
                hidden_columns
                    .iter()
                    .any(|(first, last)| (*first as usize..=*last as usize).contains(at))
            })
            .count();
        if !FULL.contains(&last) {
            return Ok(());
        }
        if !self.unread.is_empty() {
            return Err(unreadable(
                "YB-2161",
                format!(
                    "工作表“{}”写满了 {last} 行，另有工作表未读（{}），数据可能分在几张表里。处理：核对后在适配文件 format.xlsx 中写 sheets = \"all\"，或请提供方改正导出",
                    self.sheet,
                    names(self.unread.iter().map(String::as_str))
                ),
            ));
        }
        let text = format!(
            "工作表“{}”写满了 {last} 行，此后的数据可能被截去。处理：请提供方核对总数",
            self.sheet
        );
        self.table.handover().remark("YB-2176", text);
        Ok(())
    }

    /// Merged areas of data that gave their value to their first row only.
    pub fn first_only(&self) -> u64 {
        self.table.first_only() + self.first_only
    }

    /// The same, that were counted apart.
    pub fn add_first_only(&mut self, areas: u64) {
        self.first_only += areas;
    }

    /// Ends the file: the total that it declares.
    pub fn finish(mut self) -> Result<Option<u64>, Unreadable> {
        if self.table.width() == 0 {
            self.table.finish()?;
        }
        let first_only = self.first_only();
        let unread = names(self.unread.iter().map(String::as_str));
        let rows = match self.format.hidden_rows {
            HiddenRows::Skip => "未读取",
            HiddenRows::Read | HiddenRows::Refuse => "已照常读取",
        };
        let (hidden_rows, hidden_columns) = (self.hidden_rows, self.hidden_columns);
        let handover = self.table.handover();
        if hidden_rows > 0 {
            let text = format!(
                "有 {hidden_rows} 行被隐藏（可能留有筛选），{rows}。处理：请提供方取消筛选和隐藏，核对这些行是否有效"
            );
            handover.remark("YB-2170", text);
        }
        if hidden_columns > 0 {
            let text = format!(
                "有 {hidden_columns} 列被隐藏，已照常读取。处理：请提供方核对这些列是否应当提供"
            );
            handover.remark("YB-2171", text);
        }
        if first_only > 0 {
            let text = format!(
                "有 {first_only} 处数据单元格向下合并，只有第一行有值。处理：请提供方取消合并；确属每行同值时在适配文件中写 merged = \"down\""
            );
            handover.remark("YB-2172", text);
        }
        if !unread.is_empty() {
            let text = format!(
                "另有可见的工作表未读：{unread}。处理：核对其中有无应读的数据；需要时在适配文件 format.xlsx 中写 sheets = \"all\""
            );
            handover.remark("YB-2173", text);
        }
        self.trailer.finish()
    }

    /// Keeps a cell of the line at hand; cells must come from left to right. Beyond the greatest number of columns
    /// one is enough to show that the row is too long. False when the cell does not come in order.
    pub fn keep(&self, line: &mut Vec<(usize, Cell)>, at: usize, cell: Cell) -> bool {
        if line.last().is_some_and(|(before, _)| *before >= at) {
            return false;
        }
        if line.len() <= self.most_columns {
            line.push((at, cell));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Listed, choose};
    use crate::adapter::format::{Sheets, Xlsx};

    #[test]
    fn sheets_are_chosen_by_name_pattern_or_place_and_hidden_ones_only_by_name() {
        let listed: Vec<Listed> = [
            ("旧", false),
            ("Sheet1", true),
            ("Sheet1(2)", true),
            ("说明", true),
            ("Sheet1(3)", false),
        ]
        .into_iter()
        .map(|(name, visible)| Listed {
            name: name.to_owned(),
            visible,
            filled: true,
        })
        .collect();
        let all = Sheets::All;
        let one = Sheets::One;
        let ok = |places: &[usize]| Ok(places.to_vec());
        for (sheet, sheets, expected) in [
            (None, one, ok(&[1])),
            (None, all, ok(&[1, 2, 3])),
            (Some("旧"), one, ok(&[0])),
            (Some("Ｓheet1 "), one, ok(&[1])),
            (Some("说*"), one, ok(&[3])),
            (Some("旧*"), one, Err("YB-2143")),
            (Some("新"), one, Err("YB-2143")),
            (Some("Sheet1*"), one, Err("YB-2160")),
            (Some("Sheet1*"), all, ok(&[1, 2])),
        ] {
            let format = Xlsx {
                sheet: sheet.map(str::to_owned),
                sheets,
                ..Xlsx::default()
            };
            let chosen = choose(&listed, &format).map_err(|refusal| refusal.code);
            assert_eq!(chosen, expected, "{sheet:?}");
        }
    }
}
