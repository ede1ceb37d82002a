//! A sheet of an XLSX workbook, read once from its beginning to its end.

use quick_xml::events::{BytesStart, Event};

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::merges::{self, Merge};
use crate::intake::decode::ranges::{Ranges, extend};
use crate::intake::decode::sheets::SHEET_COLUMNS;
use crate::intake::decode::source::Source;
use crate::intake::decode::workbook::{Tokens, attributes, damaged};
use crate::intake::decode::xlsx::cells::{Cells, Kind, Take, Workbook, place};
use crate::intake::decode::xlsx::regular::Regular;
use crate::intake::decode::xlsx::rich::{Rich, push_event};
use crate::intake::decode::xml::{endless, token_bytes};

/// What a sheet says beside its rows.
#[derive(Debug, Default)]
pub struct Facts {
    /// Hidden columns.
    pub hidden_columns: Ranges,
    /// Merged areas. They stand behind the rows.
    pub merges: Vec<Merge>,
}

/// What is read of a sheet.
#[allow(
    clippy::struct_excessive_bools,
    reason = "where in the sheet the reading stands"
)]
pub struct Reading<'w, 'l> {
    cells: Cells<'w>,
    regular: Option<Regular>,
    facts: Facts,
    limits: &'l Limits,
    merges_left: usize,
    /// After the tag of the whole: another part than a sheet is not read for one.
    begun: bool,
    /// Between the tags of the rows.
    in_rows: bool,
    in_cell: bool,
    in_value: bool,
    value: String,
    in_string: bool,
    string: Rich,
    most: u64,
}

impl<'w, 'l> Reading<'w, 'l> {
    /// Of a sheet of this workbook, with at most so many merged areas. Rows that are regular are read where they lie if `looks_ahead`.
    pub fn new(
        workbook: &'w Workbook,
        limits: &'l Limits,
        merges_left: usize,
        looks_ahead: bool,
    ) -> Self {
        let most = token_bytes(limits);
        Self {
            cells: Cells::new(workbook, limits),
            regular: looks_ahead.then(|| Regular::new(most)),
            facts: Facts::default(),
            limits,
            merges_left,
            begun: false,
            in_rows: false,
            in_cell: false,
            in_value: false,
            value: String::new(),
            in_string: false,
            string: Rich::default(),
            most,
        }
    }

    /// Reads the whole sheet.
    pub fn read(mut self, part: Source<'_>, take: &mut Take<'_>) -> Result<Facts, Unreadable> {
        let mut tokens = Tokens::new(part, self.limits);
        while tokens.next(&mut |event, source| self.see(event, source, take))? {}
        self.cells.flush(take)?;
        Ok(self.facts)
    }

    /// Whether any cell has a value; the sheet is read as far as the first.
    pub fn finds_a_value(mut self, part: Source<'_>) -> Result<bool, Unreadable> {
        let mut tokens = Tokens::new(part, self.limits);
        let nobody: &mut Take<'_> = &mut |_| Ok(());
        while !self.cells.filled
            && tokens.next(&mut |event, source| self.see(event, source, nobody))?
        {}
        Ok(self.cells.filled)
    }

    fn see(
        &mut self,
        event: &Event<'_>,
        source: &mut Source<'_>,
        take: &mut Take<'_>,
    ) -> Result<(), Unreadable> {
        match event {
            Event::Start(start) if !self.in_string => self.start(start, take)?,
            Event::End(end) if self.in_string && end.local_name().as_ref() == "is" => {
                self.in_string = false;
                self.cells.inline(&self.string.text);
            }
            _ if self.in_string => self.string.see(event, self.most)?,
            Event::End(end) => self.end(end.local_name().as_ref())?,
            _ if self.in_value => {
                push_event(event, &mut self.value)?;
                if self.value.len() as u64 > self.most {
                    return Err(endless());
                }
            }
            _ => return Ok(()),
        }
        let is_between = self.in_rows
            && match event {
                Event::Start(start) => start.local_name().as_ref() == "sheetData",
                Event::End(end) => end.local_name().as_ref() == "row",
                _ => false,
            };
        match &mut self.regular {
            Some(regular) if is_between => regular.pass(source, &mut self.cells, take),
            _ => Ok(()),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, take: &mut Take<'_>) -> Result<(), Unreadable> {
        let name = start.local_name();
        if !std::mem::replace(&mut self.begun, true) && name.as_ref() != "worksheet" {
            return Err(damaged());
        }
        match name.as_ref() {
            "sheetData" => self.in_rows = true,
            "row" if self.in_rows => {
                let [number, hidden] = attributes(start, ["r", "hidden"])?;
                let number = number.map(|number| number.parse().map_err(|_| damaged()));
                self.cells
                    .begin_row(number.transpose()?, is_on(hidden.as_deref()))?;
            }
            "c" if self.in_rows => {
                let [at, style, kind] = attributes(start, ["r", "s", "t"])?;
                let at = at.map(|at| place(&at).ok_or_else(damaged)).transpose()?;
                let style = style.and_then(|style| style.parse().ok()).unwrap_or(0);
                self.cells
                    .begin_cell(at, style, Kind::of(kind.as_deref()), take)?;
                self.in_cell = true;
            }
            "f" if self.in_cell => self.cells.formula(),
            "v" if self.in_cell => {
                self.in_value = true;
                self.value.clear();
            }
            "is" if self.in_cell => {
                self.in_string = true;
                self.string.clear();
            }
            "col" => self.columns(start)?,
            "mergeCell" => self.merge(start)?,
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), Unreadable> {
        match name {
            "sheetData" => self.in_rows = false,
            "row" if self.in_rows => self.cells.end_row(),
            "c" if self.in_cell => {
                self.in_cell = false;
                self.cells.end_cell()?;
            }
            "v" if self.in_value => {
                self.in_value = false;
                self.cells.value(&self.value)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn columns(&mut self, start: &BytesStart<'_>) -> Result<(), Unreadable> {
        let [min, max, hidden] = attributes(start, ["min", "max", "hidden"])?;
        let number = |text: Option<String>| text.and_then(|text| text.parse::<u32>().ok());
        if let (true, Some(min), Some(max)) = (is_on(hidden.as_deref()), number(min), number(max))
            && (1..=SHEET_COLUMNS).contains(&min)
        {
            let columns = &mut self.facts.hidden_columns;
            extend(columns, min - 1, max.saturating_sub(1));
            if columns.len() > SHEET_COLUMNS as usize {
                return Err(damaged());
            }
        }
        Ok(())
    }

    fn merge(&mut self, start: &BytesStart<'_>) -> Result<(), Unreadable> {
        let [range] = attributes(start, ["ref"])?;
        let range = range.as_deref().unwrap_or_default();
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let (first, last) = place(first).zip(place(last)).ok_or_else(damaged)?;
        self.merges_left =
            (self.merges_left.checked_sub(1)).ok_or_else(|| merges::too_many(self.limits))?;
        self.facts.merges.push(Merge {
            first_row: first.0,
            first_column: first.1,
            last_row: last.0,
            last_column: last.1.min(SHEET_COLUMNS - 1),
        });
        Ok(())
    }
}

fn is_on(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true" | "on"))
}
