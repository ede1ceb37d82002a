//! XLSX workbooks, cell by cell: a sheet is never laid out in memory, so that one cell in the far corner costs nothing.

use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx as Book, XlsxCellReader, XlsxError};

use crate::adapter::format::Xlsx;
use crate::adapter::limits::Limits;
use crate::adapter::row::Cell;
use crate::domain::batch::Unreadable;
use crate::intake::decode::container::from_zip;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::look::{self, Look};
use crate::intake::decode::merges::Merges;
use crate::intake::decode::sheet_facts::Facts;
use crate::intake::decode::sheets::{Lines, Listed, choose};
use crate::intake::decode::{from_io, workbook};

type Cells<'b> = XlsxCellReader<'b, BufReader<File>>;

/// Reads the sheets of a workbook that the adapter asks for.
pub fn decode(
    mut file: File,
    format: &Xlsx,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<(), Unreadable> {
    let mut parts = workbook::inspect(&mut file, limits)?;
    let mut book: Book<BufReader<File>> = calm(|| Book::new(BufReader::new(file)))?;
    let is_1904 = book.has_1904_epoch();
    let mut facts = parts.in_order()?;
    let listed = list(&book, &facts)?;
    let worksheets: Vec<usize> = (0..listed.len())
        .filter(|at| listed[*at].is_some())
        .collect();
    let listed: Vec<Listed> = listed.into_iter().flatten().collect();
    let chosen = choose(&listed, format)?;
    let mut lines = Lines::new(handover, format, limits).of(&listed, &chosen);
    for at in chosen {
        let name = &listed[at].name;
        // The reader finds sheets by name: of two with the same name it would read the first twice.
        if listed.iter().filter(|other| other.name == *name).count() > 1 {
            return Err(workbook::damaged());
        }
        let mut facts = facts[worksheets[at]].take().ok_or_else(workbook::damaged)?;
        lines.begin(name, Merges::new(std::mem::take(&mut facts.merges)));
        let mut cells = calm(|| book.worksheet_cells_reader(name))?;
        read_sheet(&mut cells, &facts, is_1904, &mut lines)?;
        lines.end(&facts.hidden_columns)?;
    }
    lines.finish()
}

/// Calls the reader. It checks most of what it reads, not all: a panic in it is a damaged workbook, and must never
/// leave the decoder. Only the reader runs in here, so that a fault of our own is not taken for one of the file's.
fn calm<T>(read: impl FnOnce() -> Result<T, XlsxError>) -> Result<T, Unreadable> {
    catch_unwind(AssertUnwindSafe(read))
        .map_err(|_| workbook::damaged())?
        .map_err(|error| fault(&error))
}

/// The sheets with cells; `None` for charts and the like.
fn list(
    book: &Book<BufReader<File>>,
    facts: &[Option<Facts>],
) -> Result<Vec<Option<Listed>>, Unreadable> {
    let sheets = book.sheets_metadata();
    if sheets.len() != facts.len() {
        return Err(workbook::damaged());
    }
    Ok(sheets
        .iter()
        .zip(facts)
        .map(|(sheet, facts)| {
            (sheet.typ == SheetType::WorkSheet).then(|| Listed {
                name: sheet.name.clone(),
                visible: sheet.visible == SheetVisible::Visible,
                filled: facts.as_ref().is_some_and(|facts| facts.filled),
            })
        })
        .collect())
}

/// What is known of the rows beforehand, and how far it was used.
struct Course<'f> {
    facts: &'f Facts,
    hidden_at: usize,
    uncalculated_at: usize,
}

impl Course<'_> {
    fn line(
        &mut self,
        row: u32,
        line: &mut Vec<(usize, Cell)>,
        lines: &mut Lines<'_, '_, '_>,
    ) -> Result<(), Unreadable> {
        let number = u64::from(row) + 1;
        let hidden = self.facts.is_hidden(row, &mut self.hidden_at);
        match self.facts.uncalculated_in(row, &mut self.uncalculated_at) {
            Some(column) => lines.uncalculated(number, column, hidden, line),
            None => lines.line(number, hidden, line),
        }
    }
}

fn read_sheet(
    cells: &mut Cells<'_>,
    facts: &Facts,
    is_1904: bool,
    lines: &mut Lines<'_, '_, '_>,
) -> Result<(), Unreadable> {
    let looks: Vec<Look> = cells
        .styles()
        .iter()
        .map(|style| {
            style
                .number_format
                .as_ref()
                .map_or(Look::Number, |format| Look::of_code(&format.format_code))
        })
        .collect();
    let mut course = Course {
        facts,
        hidden_at: 0,
        uncalculated_at: 0,
    };
    let mut line = Vec::new();
    let mut row = None;
    while let Some((cell, style)) = calm(|| cells.next_cell_with_style_id())? {
        let (at_row, at_column) = cell.get_position();
        if row != Some(at_row) {
            if let Some(done) = row {
                if at_row < done {
                    return Err(workbook::damaged());
                }
                course.line(done, &mut line, lines)?;
            }
            row = Some(at_row);
        }
        let look = looks.get(style).copied().unwrap_or(Look::Number);
        if let Some(shown) = shown(cell.get_value(), look, is_1904)
            && !lines.keep(&mut line, at_column as usize, shown)
        {
            return Err(workbook::damaged());
        }
    }
    match row {
        Some(done) => course.line(done, &mut line, lines),
        None => Ok(()),
    }
}

/// A cell as shown; `None` for an empty one.
fn shown(value: &DataRef<'_>, look: Look, is_1904: bool) -> Option<Cell> {
    let text = |text: &str| Cell {
        text: text.to_owned(),
        numeric: false,
    };
    let cell = match value {
        DataRef::Empty => return None,
        DataRef::Int(value) => Cell {
            text: value.to_string(),
            numeric: true,
        },
        DataRef::Float(value) => match look {
            Look::Digits(_) => look.cell(*value, false),
            _ => Look::Number.cell(*value, false),
        },
        DataRef::String(value) | DataRef::DurationIso(value) => text(value),
        DataRef::SharedString(value) => text(value),
        DataRef::Bool(value) => look::truth(*value),
        DataRef::DateTime(value) if value.is_datetime() => Look::Date.cell(value.as_f64(), is_1904),
        DataRef::DateTime(value) => Look::Number.cell(value.as_f64(), false),
        DataRef::DateTimeIso(value) => {
            text(value.split_once('T').map_or(value.as_str(), |(day, _)| day))
        }
        DataRef::Error(error) => return look::fault(&error.to_string()),
    };
    (!cell.text.is_empty()).then_some(cell)
}

fn fault(error: &XlsxError) -> Unreadable {
    match error {
        XlsxError::Io(error) => from_io(error),
        XlsxError::Zip(error) => from_zip(error),
        XlsxError::Password => workbook::password(),
        _ => workbook::damaged(),
    }
}
