//! The form of every workbook: title, mark, heading, body, print setup. Same values, same bytes.

use jiff::civil::Date;
use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, DocProperties, ExcelDateTime, Format,
    FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use crate::render::RenderError;

/// Paper sizes as the format numbers them.
const A4: u8 = 9;
/// Characters Excel holds in a cell.
const CELL_CHARS: usize = 32_767;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Text, as it is; also codes and numbers that are names.
    Text(String),
    /// A count.
    Count(u64),
    /// A share in thousandths, shown in per cent.
    Share(u64),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Count(number)
    }
}

/// One column: heading, width in characters, whether its text stands in the middle.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The heading.
    pub title: &'static str,
    /// Width in characters of the standard font.
    pub width: f64,
    /// Short entries stand in the middle, long ones at the left.
    pub middle: bool,
}

/// A short, centred column.
#[must_use]
pub const fn middle(title: &'static str, width: f64) -> Column {
    Column {
        title,
        width,
        middle: true,
    }
}

/// A column of longer text.
#[must_use]
pub const fn left(title: &'static str, width: f64) -> Column {
    Column {
        title,
        width,
        middle: false,
    }
}

/// How a row is set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tint {
    /// Not at all.
    #[default]
    None,
    /// Overdue.
    Late,
    /// A sum.
    Sum,
}

/// A row with its tint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The cells.
    pub cells: Vec<Cell>,
    /// How it is set off.
    pub tint: Tint,
}

impl From<Vec<Cell>> for Row {
    fn from(cells: Vec<Cell>) -> Self {
        Self {
            cells,
            tint: Tint::None,
        }
    }
}

/// One sheet of a workbook.
#[derive(Debug, Clone, Default)]
pub struct Sheet<'a> {
    /// The tab.
    pub name: &'a str,
    /// The first row.
    pub title: String,
    /// Marks a demo: the second row, and the head of each printed page.
    pub demo_mark: Option<&'a str>,
    /// A sentence below the title.
    pub remark: String,
    /// The columns.
    pub columns: &'a [Column],
    /// The rows.
    pub rows: Vec<Row>,
    /// Column and allowed words, for answers.
    pub answers: Option<(u16, Vec<&'static str>)>,
    /// Printed landscape.
    pub landscape: bool,
    /// Stands where rows would when there are none.
    pub empty: &'a str,
}

/// A workbook being written.
pub struct Book {
    what: &'static str,
    book: Workbook,
}

impl Book {
    /// An empty workbook whose time of creation is the morning of `day`: nothing in it comes from the clock.
    pub fn new(
        what: &'static str,
        title: &str,
        author: &str,
        day: Date,
    ) -> Result<Self, RenderError> {
        let mut book = Workbook::new();
        let created = u16::try_from(day.year())
            .map_err(|error| error.to_string())
            .and_then(|year| {
                ExcelDateTime::from_ymd(year, day.month().unsigned_abs(), day.day().unsigned_abs())
                    .map_err(|error| error.to_string())
            })
            .map_err(|text| RenderError { what, text })?;
        book.set_properties(
            &DocProperties::new()
                .set_title(title)
                .set_author(author)
                .set_creation_datetime(&created),
        );
        Ok(Self { what, book })
    }

    /// Writes one sheet; `more` may add to it (a chart) and is told the first row of the body.
    pub fn add(
        &mut self,
        sheet: &Sheet<'_>,
        more: impl FnOnce(&mut Worksheet, u32) -> Result<(), XlsxError>,
    ) -> Result<(), RenderError> {
        let what = self.what;
        write(self.book.add_worksheet(), sheet, more).map_err(|error| failed(what, &error))
    }

    /// The bytes.
    pub fn bytes(mut self) -> Result<Vec<u8>, RenderError> {
        let what = self.what;
        self.book
            .save_to_buffer()
            .map_err(|error| failed(what, &error))
    }
}

fn failed(what: &'static str, error: &XlsxError) -> RenderError {
    RenderError {
        what,
        text: error.to_string(),
    }
}

fn write(
    page: &mut Worksheet,
    sheet: &Sheet<'_>,
    more: impl FnOnce(&mut Worksheet, u32) -> Result<(), XlsxError>,
) -> Result<(), XlsxError> {
    page.set_name(sheet.name)?;
    let last = u16::try_from(sheet.columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    for (column, width) in (0u16..).zip(sheet.columns.iter().map(|column| column.width)) {
        page.set_column_width(column, width)?;
    }
    let mut at = head(page, sheet, last)?;
    let heading = at;
    for (column, title) in (0u16..).zip(sheet.columns.iter().map(|column| column.title)) {
        page.write_string_with_format(at, column, title, &heading_format())?;
    }
    page.set_row_height(at, 32)?;
    at += 1;
    let first = at;
    for row in &sheet.rows {
        write_row(page, at, row, sheet.columns)?;
        at += 1;
    }
    if sheet.rows.is_empty() {
        merged(page, at, last, sheet.empty, &text_format(true, Tint::None))?;
        at += 1;
    } else {
        page.autofilter(heading, 0, at - 1, last)?;
    }
    page.set_freeze_panes(first, 0)?;
    if let Some((column, words)) = sheet.answers.as_ref().filter(|_| !sheet.rows.is_empty()) {
        page.add_data_validation(first, *column, at - 1, *column, &answers(words)?)?;
    }
    print_setup(page, sheet, heading)?;
    more(page, first)
}

/// Title, mark, remark; gives the row of the heading.
fn head(page: &mut Worksheet, sheet: &Sheet<'_>, last: u16) -> Result<u32, XlsxError> {
    let mut at = 0;
    let title = Format::new()
        .set_bold()
        .set_font_name("宋体")
        .set_font_size(18)
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter);
    merged(page, at, last, &sheet.title, &title)?;
    page.set_row_height(at, 34)?;
    at += 1;
    if let Some(mark) = sheet.demo_mark {
        let format = Format::new()
            .set_bold()
            .set_font_name("宋体")
            .set_font_size(12)
            .set_font_color(Color::RGB(0x00A4_0000))
            .set_align(FormatAlign::Center)
            .set_align(FormatAlign::VerticalCenter);
        merged(page, at, last, mark, &format)?;
        page.set_row_height(at, 22)?;
        at += 1;
    }
    if !sheet.remark.is_empty() {
        let format = Format::new()
            .set_font_name("宋体")
            .set_font_size(11)
            .set_text_wrap()
            .set_align(FormatAlign::VerticalCenter);
        merged(page, at, last, &sheet.remark, &format)?;
        let width: f64 = sheet.columns.iter().map(|column| column.width).sum();
        page.set_row_height(at, 17.0 * f64::from(lines(&sheet.remark, width)) + 5.0)?;
        at += 1;
    }
    Ok(at)
}

/// One cell over all columns. A single column needs no merging.
fn merged(
    page: &mut Worksheet,
    row: u32,
    last: u16,
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    if last == 0 {
        page.write_string_with_format(row, 0, text, format)?;
    } else {
        page.merge_range(row, 0, row, last, text, format)?;
    }
    Ok(())
}

fn write_row(
    page: &mut Worksheet,
    at: u32,
    row: &Row,
    columns: &[Column],
) -> Result<(), XlsxError> {
    let mut height = 1;
    for ((number, column), cell) in (0u16..).zip(columns).zip(&row.cells) {
        match cell {
            Cell::Text(text) => {
                let text: String = text.chars().take(CELL_CHARS).collect();
                let mut format = text_format(column.middle, row.tint);
                // A string cell is never a formula; the prefix keeps it text when somebody edits it.
                if text.starts_with(['=', '+', '-', '@']) {
                    format = format.set_quote_prefix();
                }
                height = height.max(lines(&text, column.width));
                page.write_string_with_format(at, number, &text, &format)?;
            }
            Cell::Count(count) => {
                // Counts of firms and heads stay far below 2^53.
                #[expect(clippy::cast_precision_loss)]
                let value = *count as f64;
                let format = text_format(true, row.tint).set_num_format("#,##0");
                page.write_number_with_format(at, number, value, &format)?;
            }
            Cell::Share(share) => {
                #[expect(clippy::cast_precision_loss)]
                let value = *share as f64 / 1000.0;
                let format = text_format(true, row.tint).set_num_format("0.0%");
                page.write_number_with_format(at, number, value, &format)?;
            }
        }
    }
    page.set_row_height(at, (16.0 * f64::from(height) + 6.0).min(400.0))?;
    Ok(())
}

/// Lines a text takes in a column; a Chinese character is two wide.
fn lines(text: &str, width: f64) -> u32 {
    text.split('\n')
        .map(|line| {
            let wide: u32 = line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
            let mut needed = 1;
            while f64::from(needed) * (width - 1.0).max(1.0) < f64::from(wide) && needed < 100 {
                needed += 1;
            }
            needed
        })
        .sum()
}

fn bordered() -> Format {
    Format::new()
        .set_border(FormatBorder::Thin)
        .set_border_color(Color::RGB(0x0080_8080))
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap()
        .set_font_name("宋体")
        .set_font_size(11)
}

fn heading_format() -> Format {
    bordered()
        .set_bold()
        .set_align(FormatAlign::Center)
        .set_background_color(Color::RGB(0x00DC_E6F1))
}

fn text_format(middle: bool, tint: Tint) -> Format {
    let format = match tint {
        Tint::None => bordered(),
        Tint::Late => bordered().set_background_color(Color::RGB(0x00FD_E9D9)),
        Tint::Sum => bordered()
            .set_bold()
            .set_background_color(Color::RGB(0x00F2_F2F2)),
    };
    if middle {
        format.set_align(FormatAlign::Center)
    } else {
        format
    }
}

fn answers(words: &[&'static str]) -> Result<DataValidation, XlsxError> {
    DataValidation::new()
        .allow_list_strings(words)?
        .set_input_title("请从下拉列表选择")?
        .set_input_message("各项含义和须附材料见“填写说明”。")?
        .set_error_title("不是列表中的结果")?
        .set_error_message("请从下拉列表选择；其他情况写在备注栏。")
        .map(|validation| validation.set_error_style(DataValidationErrorStyle::Stop))
}

fn print_setup(page: &mut Worksheet, sheet: &Sheet<'_>, heading: u32) -> Result<(), XlsxError> {
    page.set_paper_size(A4);
    if sheet.landscape {
        page.set_landscape();
    }
    page.set_print_fit_to_pages(1, 0);
    page.set_repeat_rows(heading, heading)?;
    page.set_margins(0.4, 0.4, 0.6, 0.6, 0.3, 0.3);
    page.set_print_center_horizontally(true);
    if let Some(mark) = sheet.demo_mark {
        page.set_header(format!("&C&\"宋体,加粗\"{}", mark.replace('&', "&&")));
    }
    page.set_footer("&L&A&C— &P —");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const COLUMNS: &[Column] = &[middle("序号", 6.0), left("名称", 20.0)];

    fn book(cell: &str) -> Vec<u8> {
        let mut book = Book::new("表", "题", "中心", date(2026, 3, 5)).unwrap();
        let sheet = Sheet {
            name: "表",
            title: "题".into(),
            demo_mark: Some("演示数据，纯属虚构"),
            columns: COLUMNS,
            rows: vec![Row::from(vec![1.into(), cell.into()])],
            answers: Some((1, vec!["核实属实"])),
            ..Sheet::default()
        };
        book.add(&sheet, |_, _| Ok(())).unwrap();
        book.bytes().unwrap()
    }

    #[test]
    fn the_same_values_give_the_same_bytes() {
        assert!(book("甲") == book("甲"));
        assert!(book("甲") != book("乙"));
    }

    #[test]
    fn a_text_needs_as_many_lines_as_its_column_is_narrow() {
        for (text, width, expected) in [
            ("", 10.0, 1),
            ("abcdefghi", 10.0, 1),
            ("abcdefghij", 10.0, 2),
            ("一二三四五", 10.0, 2),
            ("一\n二\n三", 10.0, 3),
        ] {
            assert_eq!(lines(text, width), expected, "{text}");
        }
    }
}
