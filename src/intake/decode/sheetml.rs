//! SpreadsheetML 2003: a workbook as one XML document, which many systems write and call `.xls`.
//!
//! What makes a sheet hidden stands behind its rows, so that the document is read twice: first its sheets, then the
//! rows of those that are chosen.

use std::io::BufRead;

use quick_xml::errors::Error;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use crate::adapter::format::Xlsx;
use crate::adapter::limits::Limits;
use crate::adapter::row::Cell;
use crate::domain::batch::Unreadable;
use crate::intake::decode::from_io;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::look::{self, Look};
use crate::intake::decode::merges::{self, Merge, Merges};
use crate::intake::decode::meter::{Meter, Metered};
use crate::intake::decode::ranges::{Ranges, extend};
use crate::intake::decode::sheetml::outline::Outline;
use crate::intake::decode::sheets::{Lines, SHEET_COLUMNS, SHEET_ROWS, choose};
use crate::intake::decode::workbook::{attributes, damaged};
use crate::intake::decode::xml::{endless, token_bytes};

pub mod outline;

/// Reads the rows of the sheets that the adapter asks for.
pub fn decode(
    text: impl BufRead,
    outline: &Outline,
    format: &Xlsx,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<Option<u64>, Unreadable> {
    let chosen = choose(&outline.listed, format)?;
    let mut rows = Rows {
        lines: Lines::new(handover, format, limits).of(&outline.listed, &chosen),
        outline,
        chosen,
        limits,
        sheet: 0,
        reading: false,
        row: 0,
        hidden: false,
        column: 0,
        covered: Vec::new(),
        columns: 0,
        hidden_columns: Vec::new(),
        line: Vec::new(),
        uncalculated: None,
        merged: 0,
        cell: None,
    };
    walk(text, limits, &mut |event, path| rows.see(event, path))?;
    rows.lines.finish()
}

/// What looks at the tokens of a document.
type See<'s> = dyn FnMut(&Event<'_>, &[String]) -> Result<(), Unreadable> + 's;

/// Reads a document token by token, and shows every token with the names of the elements around it: for a start or an
/// end the element itself is the last.
fn walk(text: impl BufRead, limits: &Limits, see: &mut See<'_>) -> Result<(), Unreadable> {
    let meter = Meter::new(token_bytes(limits));
    let mut reader = Reader::from_reader(Metered::new(text, &meter, endless()));
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut complete = false;
    loop {
        buffer.clear();
        let event = match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => break,
            Ok(Event::DocType(_)) => return Err(damaged()),
            Ok(event) => event,
            Err(Error::Io(error)) => return Err(from_io(&error)),
            Err(_) => return Err(damaged()),
        };
        if let Event::Start(start) = &event {
            meter.reset();
            if path.len() >= limits.depth {
                return Err(damaged());
            }
            path.push(start.local_name().as_ref().to_owned());
        }
        see(&event, &path)?;
        if matches!(event, Event::End(_)) {
            meter.reset();
            path.pop();
            complete = path.is_empty();
        }
    }
    if complete { Ok(()) } else { Err(damaged()) }
}

fn is(path: &[String], wanted: &[&str]) -> bool {
    path.iter().map(String::as_str).eq(wanted.iter().copied())
}

struct OpenCell {
    look: Look,
    last_column: u32,
    formula: bool,
    kind: Option<String>,
    text: String,
}

struct Rows<'f, 'h, 's> {
    lines: Lines<'f, 'h, 's>,
    outline: &'f Outline,
    chosen: Vec<usize>,
    limits: &'f Limits,
    /// Sheets that were opened.
    sheet: usize,
    reading: bool,
    /// The row at hand, counted from 0.
    row: u32,
    hidden: bool,
    /// The column of the next cell.
    column: u32,
    /// Areas merged downwards into later rows: first and last column, last row. A cell without an index of its own
    /// stands beside them.
    covered: Vec<(u32, u32, u32)>,
    /// The column that the next description of columns is about.
    columns: u32,
    hidden_columns: Ranges,
    line: Vec<(usize, Cell)>,
    uncalculated: Option<u32>,
    /// Merged areas so far.
    merged: usize,
    cell: Option<OpenCell>,
}

const TABLE: &[&str] = &["Workbook", "Worksheet", "Table"];

impl Rows<'_, '_, '_> {
    fn see(&mut self, event: &Event<'_>, path: &[String]) -> Result<(), Unreadable> {
        match event {
            Event::Start(start) => self.open(start, path),
            Event::End(_) => self.close(path),
            Event::Text(text) => {
                self.text(&text.xml10_content(), path);
                Ok(())
            }
            Event::CData(text) => {
                self.text(&text.xml10_content(), path);
                Ok(())
            }
            Event::GeneralRef(reference) => {
                let text = resolved(reference).ok_or_else(damaged)?;
                self.text(&text, path);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, path: &[String]) -> Result<(), Unreadable> {
        if is(path, &TABLE[..2]) {
            self.reading = self.chosen.contains(&self.sheet);
            if self.reading {
                let name = &self
                    .outline
                    .listed
                    .get(self.sheet)
                    .ok_or_else(damaged)?
                    .name;
                self.lines.begin(name, Merges::default());
            }
            self.sheet += 1;
            (self.row, self.columns) = (0, 0);
            self.covered.clear();
            self.hidden_columns.clear();
            return Ok(());
        }
        if !self.reading || path.len() < 4 || !is(&path[..3], TABLE) {
            return Ok(());
        }
        match (
            path.len(),
            path[3].as_str(),
            path.last().map_or("", String::as_str),
        ) {
            (4, "Column", _) => self.open_columns(start),
            (4, "Row", _) => {
                let [index, hidden] = attributes(start, ["Index", "Hidden"])?;
                self.row = moved(index, self.row, SHEET_ROWS)?;
                let row = self.row;
                self.covered.retain(|(_, _, last_row)| *last_row >= row);
                self.hidden = hidden.as_deref() == Some("1");
                self.column = 0;
                Ok(())
            }
            (5, "Row", "Cell") => self.open_cell(start),
            (6, "Row", "Data") if path[4] == "Cell" => {
                let [kind] = attributes(start, ["Type"])?;
                if let Some(cell) = &mut self.cell {
                    cell.kind = Some(kind.unwrap_or_default());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn open_columns(&mut self, start: &BytesStart<'_>) -> Result<(), Unreadable> {
        let [index, span, hidden] = attributes(start, ["Index", "Span", "Hidden"])?;
        let first = moved(index, self.columns, SHEET_COLUMNS)?;
        let last = first.saturating_add(further(span)).min(SHEET_COLUMNS - 1);
        if hidden.as_deref() == Some("1") {
            extend(&mut self.hidden_columns, first, last);
        }
        self.columns = last + 1;
        Ok(())
    }

    fn open_cell(&mut self, start: &BytesStart<'_>) -> Result<(), Unreadable> {
        let [index, style, formula, across, down] = attributes(
            start,
            ["Index", "StyleID", "Formula", "MergeAcross", "MergeDown"],
        )?;
        if index.is_none() {
            self.step_aside();
        }
        self.column = moved(index, self.column, SHEET_COLUMNS)?;
        let (across, down) = (further(across), further(down));
        let last_column = self.column.saturating_add(across).min(SHEET_COLUMNS - 1);
        if across > 0 || down > 0 {
            let area = Merge {
                first_row: self.row,
                first_column: self.column,
                last_row: self.row.saturating_add(down),
                last_column,
            };
            self.lines.merge(area);
            self.merged += 1;
            if self.merged > self.limits.merged_cells {
                return Err(merges::too_many(self.limits));
            }
            if down > 0 && self.covered.len() < SHEET_COLUMNS as usize {
                self.covered
                    .push((area.first_column, last_column, area.last_row));
            }
        }
        let look = style.and_then(|style| self.outline.looks.get(&style).copied());
        self.cell = Some(OpenCell {
            look: look.unwrap_or(Look::Number),
            last_column,
            formula: formula.is_some(),
            kind: None,
            text: String::new(),
        });
        Ok(())
    }

    fn step_aside(&mut self) {
        let row = self.row;
        while let Some((_, last, _)) = self.covered.iter().find(|(first, last, last_row)| {
            (*first..=*last).contains(&self.column) && *last_row >= row
        }) {
            self.column = last + 1;
        }
    }

    /// The text of the cell's data, its runs of other fonts included; comments and phonetic marks are none of it.
    fn text(&mut self, text: &str, path: &[String]) {
        if path.len() < 6 || !is(&path[..3], TABLE) || path[4] != "Cell" || path[5] != "Data" {
            return;
        }
        if let Some(cell) = &mut self.cell
            && cell.text.len() <= self.limits.cell_bytes
        {
            cell.text.push_str(text);
        }
    }

    fn close(&mut self, path: &[String]) -> Result<(), Unreadable> {
        if !self.reading {
            return Ok(());
        }
        if is(path, &TABLE[..2]) {
            return self.lines.end(&self.hidden_columns);
        }
        if path.len() < 4 || !is(&path[..3], TABLE) || path[3] != "Row" {
            return Ok(());
        }
        match path.len() {
            4 => self.close_row(),
            5 if path[4] == "Cell" => self.close_cell(),
            _ => Ok(()),
        }
    }

    fn close_cell(&mut self) -> Result<(), Unreadable> {
        let Some(cell) = self.cell.take() else {
            return Ok(());
        };
        let column = self.column;
        self.column = cell.last_column + 1;
        if cell.formula && cell.kind.is_none() {
            self.uncalculated.get_or_insert(column);
        }
        if let Some(shown) = shown(cell)?
            && !self.lines.keep(&mut self.line, column as usize, shown)
        {
            return Err(damaged());
        }
        Ok(())
    }

    fn close_row(&mut self) -> Result<(), Unreadable> {
        let number = u64::from(self.row) + 1;
        self.row += 1;
        match self.uncalculated.take() {
            Some(column) => self
                .lines
                .uncalculated(number, column, self.hidden, &mut self.line),
            None => self.lines.line(number, self.hidden, &mut self.line),
        }
    }
}

/// The place that an index (from 1) moves on to; it may leave gaps, and never goes back.
fn moved(index: Option<String>, at: u32, end: u32) -> Result<u32, Unreadable> {
    let to = match index {
        None => at,
        Some(index) => index
            .trim()
            .parse::<u32>()
            .ok()
            .and_then(|index| index.checked_sub(1))
            .filter(|to| *to >= at)
            .ok_or_else(damaged)?,
    };
    if to < end { Ok(to) } else { Err(damaged()) }
}

fn further(count: Option<String>) -> u32 {
    count
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0)
}

fn resolved(reference: &BytesRef<'_>) -> Option<String> {
    if let Some(c) = reference.resolve_char_ref().ok()? {
        return Some(c.to_string());
    }
    quick_xml::escape::resolve_predefined_entity(&reference.xml10_content()).map(str::to_owned)
}

fn shown(cell: OpenCell) -> Result<Option<Cell>, Unreadable> {
    let text = cell.text;
    if text.is_empty() {
        return Ok(None);
    }
    Ok(match cell.kind.as_deref() {
        Some("Number") => {
            let value: f64 = text.trim().parse().map_err(|_| damaged())?;
            Some(cell.look.cell(value, false))
        }
        // The day alone, as everywhere. A time without a day stands on the last day of 1899.
        Some("DateTime") => {
            let (day, time) = text.trim().split_once('T').unwrap_or((text.trim(), ""));
            let shown = if day == "1899-12-31" { time } else { day };
            Some(Cell {
                text: shown.to_owned(),
                numeric: false,
            })
        }
        Some("Boolean") => Some(look::truth(text.trim() == "1")),
        Some("Error") => look::fault(text.trim()),
        // Some programs write the fault of a formula as a text.
        _ if cell.formula && text == "#N/A" => None,
        _ => Some(Cell {
            text,
            numeric: false,
        }),
    })
}
