//! XLSX workbooks, cell by cell: a sheet is never laid out in memory, so that one cell in the far corner costs nothing.

use std::fs::File;
use std::io::{BufReader, Read};

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx as Book, XlsxError};

use crate::adapter::format::Xlsx;
use crate::adapter::limits::Limits;
use crate::adapter::row::Cell;
use crate::domain::batch::Unreadable;
use crate::domain::text::fold;
use crate::intake::decode::container::{Export, from_zip};
use crate::intake::decode::handover::Handover;
use crate::intake::decode::likeness::{self, HEAD_BYTES};
use crate::intake::decode::number::plain;
use crate::intake::decode::table::Table;
use crate::intake::decode::{from_io, unreadable, workbook};

/// Reads one sheet of a workbook.
pub fn decode(
    export: &Export<'_>,
    format: &Xlsx,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<(), Unreadable> {
    let mut file = export.seekable()?;
    check_signature(&mut file)?;
    workbook::inspect(&mut file, limits)?;
    let mut book: Book<BufReader<File>> =
        Book::new(BufReader::new(file)).map_err(|error| fault(&error))?;
    let sheet = find_sheet(&book, format.sheet.as_deref())?;
    let mut cells = book
        .worksheet_cells_reader(&sheet)
        .map_err(|error| fault(&error))?;
    let mut table = Table::new(handover, &format.header, limits);
    let mut line = Vec::new();
    let mut row = None;
    while let Some(cell) = cells.next_cell().map_err(|error| fault(&error))? {
        let (at_row, at_column) = cell.get_position();
        if row != Some(at_row) {
            if let Some(done) = row {
                if at_row < done {
                    return Err(workbook::damaged());
                }
                table.line(u64::from(done) + 1, &mut line, None)?;
            }
            row = Some(at_row);
        }
        if let Some(shown) = shown(cell.get_value()) {
            keep(&mut line, at_column as usize, shown, limits)?;
        }
    }
    if let Some(done) = row {
        table.line(u64::from(done) + 1, &mut line, None)?;
    }
    table.finish()
}

/// Keeps a cell of the line at hand. Beyond the greatest number of columns one is enough to show that the row is
/// too long.
fn keep(
    line: &mut Vec<(usize, Cell)>,
    at: usize,
    cell: Cell,
    limits: &Limits,
) -> Result<(), Unreadable> {
    if line.last().is_some_and(|(before, _)| *before >= at) {
        return Err(workbook::damaged());
    }
    if line.len() <= limits.columns {
        line.push((at, cell));
    }
    Ok(())
}

fn check_signature(file: &mut File) -> Result<(), Unreadable> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.take(HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(|error| from_io(&error))?;
    match likeness::signature(&head) {
        _ if head.is_empty() => Err(likeness::empty()),
        Some(_) if head.starts_with(b"PK\x03\x04") => Ok(()),
        Some(_) if head.starts_with(b"\xd0\xcf\x11\xe0") => Err(unreadable(
            "YB-2142",
            "文件是旧版 XLS 或带密码的工作簿，不能读取。处理：请提供方取消密码并另存为 XLSX",
        )),
        Some(name) => Err(likeness::other("XLSX", name)),
        None => Err(likeness::other("XLSX", likeness::name_of_text(&head))),
    }
}

/// The sheet by name, or the first that can be seen: hidden sheets hold what nobody has looked at.
fn find_sheet(book: &Book<BufReader<File>>, wanted: Option<&str>) -> Result<String, Unreadable> {
    let mut sheets = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let found = match wanted {
        Some(wanted) => sheets.find(|sheet| fold(&sheet.name) == fold(wanted)),
        None => sheets.find(|sheet| sheet.visible == SheetVisible::Visible),
    };
    found.map(|sheet| sheet.name.clone()).ok_or_else(|| {
        let what = wanted.map_or_else(
            || "可见的工作表".to_owned(),
            |wanted| format!("工作表“{wanted}”"),
        );
        unreadable(
            "YB-2143",
            format!("工作簿中没有{what}。处理：核对适配文件 format.xlsx.sheet，或请提供方核对导出"),
        )
    })
}

/// A cell as shown; `None` for an empty one.
fn shown(value: &DataRef<'_>) -> Option<Cell> {
    let (text, numeric) = match value {
        DataRef::Empty => return None,
        DataRef::Int(value) => (value.to_string(), true),
        DataRef::Float(value) => (plain(*value), true),
        DataRef::String(text) | DataRef::DurationIso(text) => (text.clone(), false),
        DataRef::SharedString(text) => ((*text).to_owned(), false),
        DataRef::Bool(value) => (if *value { "TRUE" } else { "FALSE" }.to_owned(), false),
        DataRef::DateTime(value) => date(value),
        DataRef::DateTimeIso(text) => (
            text.split_once('T')
                .map_or(text.as_str(), |(day, _)| day)
                .to_owned(),
            false,
        ),
        // The text of the fault, as a person sees it: the mapping finds it unreadable, which an empty cell would hide.
        DataRef::Error(error) => (error.to_string(), false),
    };
    (!text.is_empty()).then_some(Cell { text, numeric })
}

/// A date by the workbook's own epoch (1900 or 1904). What has no day, a time or a duration, stays a number.
fn date(value: &ExcelDateTime) -> (String, bool) {
    let serial = value.as_f64();
    // 2958466 would be the year 10000.
    if !value.is_datetime() || !(1.0..2_958_466.0).contains(&serial) {
        return (plain(serial), true);
    }
    let (year, month, day, ..) = value.to_ymd_hms_milli();
    (format!("{year:04}-{month:02}-{day:02}"), false)
}

fn fault(error: &XlsxError) -> Unreadable {
    match error {
        XlsxError::Io(error) => from_io(error),
        XlsxError::Zip(error) => from_zip(error),
        XlsxError::Password => unreadable(
            "YB-2142",
            "工作簿设有密码，不能读取。处理：请提供方取消密码，改用受控的传输通道",
        ),
        _ => workbook::damaged(),
    }
}
