//! XLS workbooks (BIFF 5 to 8, Excel 5 to 2003): a stream of records, kept in memory under a cap.
//!
//! Cells are found in a first pass over a sheet's records and read in a second one, row by row: a sheet is never laid
//! out, and some writers do not keep the cells in order.

use std::fs::File;

use crate::adapter::format::Xlsx;
use crate::adapter::limits::Limits;
use crate::adapter::row::Cell;
use crate::domain::batch::Unreadable;
use crate::intake::decode::biff::found::{Found, Place};
use crate::intake::decode::biff::records::{
    BOF, BOOL_ERR, BOUND_SHEET, CODE_PAGE, DATE_MODE, EOF, FILE_PASS, FORMAT, FORMULA, LABEL,
    LABEL_SST, MUL_RK, NUMBER, RICH_STRING, RK, Records, SST, STRING, XF,
};
use crate::intake::decode::biff::strings::{Narrow, Segments, Texts};
use crate::intake::decode::handover::Handover;
use crate::intake::decode::look::{self, Look};
use crate::intake::decode::merges::Merges;
use crate::intake::decode::ole::{Ole, f64_at, u16_at, u32_at};
use crate::intake::decode::sheets::{Lines, Listed, choose};
use crate::intake::decode::unreadable;
use crate::intake::decode::workbook::{damaged, other_kind, password};

mod found;
mod records;
mod strings;

/// Reads the sheets of a workbook that the adapter asks for.
pub fn decode(
    file: File,
    format: &Xlsx,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<Option<u64>, Unreadable> {
    let stream = open(file, limits)?;
    let book = Book::read(&stream, format)?;
    let found = book
        .sheets
        .iter()
        .map(|sheet| Found::read(&stream, sheet.start, limits))
        .collect::<Option<Result<Vec<_>, _>>>()
        .ok_or_else(damaged)??;
    let listed: Vec<Listed> = book
        .sheets
        .iter()
        .zip(&found)
        .map(|(sheet, found)| Listed {
            name: sheet.name.clone(),
            visible: sheet.visible,
            filled: !found.cells.is_empty(),
        })
        .collect();
    let chosen = choose(&listed, format)?;
    let mut lines = Lines::new(handover, format, limits).of(&listed, &chosen);
    for at in chosen {
        let found = &found[at];
        lines.begin(&listed[at].name, Merges::new(found.merges.clone()));
        found.hand_on(&stream, &book, &mut lines)?;
        lines.end(&found.hidden_columns)?;
    }
    lines.finish()
}

/// The workbook's stream of records.
fn open(file: File, limits: &Limits) -> Result<Vec<u8>, Unreadable> {
    let mut ole = Ole::open(file, limits)?;
    if ole.has("EncryptedPackage") || ole.has("EncryptionInfo") {
        return Err(password());
    }
    if ole.has("_VBA_PROJECT_CUR") {
        return Err(other_kind("含宏的工作簿（XLS）"));
    }
    if ole.has("WordDocument") {
        return Err(other_kind("Word 文档（DOC）"));
    }
    if ole.has("PowerPoint Document") {
        return Err(other_kind("演示文稿（PPT）"));
    }
    // A file for both Excel 95 and 97 has both streams, the later one says more.
    match ole.stream("Workbook")? {
        Some(stream) => Ok(stream),
        None => ole.stream("Book")?.ok_or_else(damaged),
    }
}

struct Sheet {
    name: String,
    visible: bool,
    start: usize,
}

/// What a workbook says before its sheets.
struct Book {
    /// Excel 97 and later.
    is_8: bool,
    narrow: Narrow,
    is_1904: bool,
    sheets: Vec<Sheet>,
    texts: Texts,
    looks: Vec<Look>,
}

impl Book {
    fn read(stream: &[u8], format: &Xlsx) -> Result<Self, Unreadable> {
        let mut records = Records::new(stream, 0);
        let first = records.next().filter(|first| first.kind == BOF);
        let is_8 = match first.and_then(|first| u16_at(first.content, 0)) {
            Some(0x0600) => true,
            Some(0x0500) => false,
            _ => return Err(damaged()),
        };
        let mut code_page = None;
        let mut is_1904 = false;
        let mut sheets = Vec::new();
        let mut formats = Vec::new();
        let mut cell_formats = Vec::new();
        let mut shared = None;
        loop {
            let record = records.next().ok_or_else(damaged)?;
            match record.kind {
                EOF => break,
                FILE_PASS => return Err(password()),
                CODE_PAGE => code_page = u16_at(record.content, 0),
                DATE_MODE => is_1904 = u16_at(record.content, 0) == Some(1),
                BOUND_SHEET => sheets.push(record.content),
                FORMAT => formats.push(record.content),
                XF => cell_formats.push(u16_at(record.content, 2).unwrap_or(0)),
                SST => shared = Some(records.with_continuation(record)),
                _ => {}
            }
        }
        let narrow = Narrow::new(format.charset, code_page).ok_or_else(|| unreadable(
            "YB-2169",
            format!(
                "工作簿的代码页 {} 不受支持。处理：请提供方另存为 XLSX；确知是中文时在适配文件 format.xlsx 中写明 charset = \"gb18030\"",
                code_page.unwrap_or_default()
            ),
        ))?;
        let mut book = Self {
            is_8,
            narrow,
            is_1904,
            sheets: Vec::new(),
            texts: Texts::default(),
            looks: Vec::new(),
        };
        // The others are charts, modules and sheets of old macros.
        book.sheets = sheets
            .into_iter()
            .filter(|content| content.get(5) == Some(&0))
            .map(|content| book.sheet(content))
            .collect::<Option<_>>()
            .ok_or_else(damaged)?;
        if let Some(segments) = shared {
            book.texts = Texts::read(&mut Segments::new(segments), narrow).ok_or_else(damaged)?;
        }
        let named: std::collections::HashMap<u16, Look> = formats
            .into_iter()
            .filter_map(|content| {
                let code = if is_8 {
                    book.text(content, 2)?
                } else {
                    book.short_text(content, 2)?
                };
                Some((u16_at(content, 0)?, Look::of_code(&code)))
            })
            .collect();
        book.looks = cell_formats
            .into_iter()
            .map(|id| {
                named
                    .get(&id)
                    .copied()
                    .unwrap_or_else(|| Look::built_in(id))
            })
            .collect();
        Ok(book)
    }

    /// A sheet as the workbook lists it.
    fn sheet(&self, content: &[u8]) -> Option<Sheet> {
        Some(Sheet {
            name: self.short_text(content, 6)?,
            // 1 is hidden, 2 is hidden well.
            visible: matches!(content.get(4)? % 4, 0),
            start: usize::try_from(u32_at(content, 0)?).ok()?,
        })
    }

    /// A text with a length of one byte before it.
    fn short_text(&self, content: &[u8], at: usize) -> Option<String> {
        let length = usize::from(*content.get(at)?);
        let rest = content.get(at + 1..)?;
        if !self.is_8 {
            return self.narrow.paged(rest.get(..length)?);
        }
        let mut text = String::new();
        Segments::new(vec![rest]).characters(length, self.narrow, &mut text)?;
        Some(text)
    }

    /// A text with a length of two bytes before it.
    fn text(&self, content: &[u8], at: usize) -> Option<String> {
        if !self.is_8 {
            let length = usize::from(u16_at(content, at)?);
            return self.narrow.paged(content.get(at + 2..)?.get(..length)?);
        }
        let mut text = String::new();
        Segments::new(vec![content.get(at..)?]).text(self.narrow, &mut text)?;
        Some(text)
    }
}

impl Found {
    /// Hands the rows on.
    fn hand_on(
        &self,
        stream: &[u8],
        book: &Book,
        lines: &mut Lines<'_, '_, '_>,
    ) -> Result<(), Unreadable> {
        let mut line: Vec<(usize, Cell)> = Vec::new();
        for row in self.cells.chunk_by(|one, other| one.row == other.row) {
            for (at, place) in row.iter().enumerate() {
                let overwritten = row
                    .get(at + 1)
                    .is_some_and(|next| next.column == place.column);
                if overwritten {
                    continue;
                }
                let cell = book.cell(stream, *place).ok_or_else(damaged)?;
                if !cell.text.is_empty() {
                    lines.keep(&mut line, place.column.into(), cell);
                }
            }
            let number = row[0].row;
            let hidden = self.hidden_rows.binary_search(&number).is_ok();
            lines.line(u64::from(number) + 1, hidden, &mut line)?;
        }
        Ok(())
    }
}

impl Book {
    /// The cell at this place; one without a text is empty.
    fn cell(&self, stream: &[u8], place: Place) -> Option<Cell> {
        let mut records = Records::new(stream, usize::try_from(place.record).ok()?);
        let record = records.next()?;
        let content = record.content;
        Some(match record.kind {
            LABEL_SST => {
                let at = usize::try_from(u32_at(content, 6)?).ok()?;
                written(self.texts.get(at)?.to_owned())
            }
            LABEL | RICH_STRING => written(self.text(content, 6)?),
            RK => self.number(packed(u32_at(content, 6)?), u16_at(content, 4)?),
            MUL_RK => {
                let nth = usize::from(place.column.checked_sub(u16_at(content, 2)?)?);
                let value = u32_at(content, 6 + 6 * nth)?;
                self.number(packed(value), u16_at(content, 4 + 6 * nth)?)
            }
            BOOL_ERR => truth_or_fault(*content.get(6)?, *content.get(7)? != 0),
            FORMULA if u16_at(content, 12)? == 0xffff => match *content.get(6)? {
                0 => written(self.result(&mut records)?),
                1 => truth_or_fault(*content.get(8)?, false),
                2 => truth_or_fault(*content.get(8)?, true),
                _ => written(String::new()),
            },
            NUMBER | FORMULA => self.number(f64_at(content, 6)?, u16_at(content, 4)?),
            _ => return None,
        })
    }

    fn number(&self, value: f64, format: u16) -> Cell {
        let look = self.looks.get(usize::from(format)).copied();
        look.unwrap_or(Look::Number).cell(value, self.is_1904)
    }

    /// The text that a formula gave: it stands in a record of its own, behind those that share the formula out.
    fn result(&self, records: &mut Records<'_>) -> Option<String> {
        for _ in 0..3 {
            let record = records.next()?;
            if record.kind != STRING {
                continue;
            }
            if !self.is_8 {
                return self.text(record.content, 0);
            }
            let segments = records.with_continuation(record);
            let mut text = String::new();
            Segments::new(segments).text(self.narrow, &mut text)?;
            return Some(text);
        }
        None
    }
}

fn written(text: String) -> Cell {
    Cell {
        text,
        numeric: false,
    }
}

fn truth_or_fault(value: u8, is_fault: bool) -> Cell {
    if !is_fault {
        return look::truth(value != 0);
    }
    let fault = look::fault(match value {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0f => "#VALUE!",
        0x17 => "#REF!",
        0x1d => "#NAME?",
        0x24 => "#NUM!",
        0x2a => "#N/A",
        _ => "#ERROR!",
    });
    fault.unwrap_or_else(|| written(String::new()))
}

/// A number packed into four bytes: a whole number or the upper half of a floating-point one, perhaps in hundredths.
fn packed(value: u32) -> f64 {
    let number = if value & 2 != 0 {
        f64::from(value.cast_signed() >> 2)
    } else {
        f64::from_bits(u64::from(value & !3) << 32)
    };
    if value & 1 != 0 {
        number / 100.0
    } else {
        number
    }
}

#[cfg(test)]
mod tests {
    use super::packed;

    #[test]
    fn packed_numbers() {
        for (value, number) in [
            (0x3ff0_0000, 1.0),
            (0x3ff0_0001, 0.01),
            (0x004b_5646, 1_234_321.0),
            (0x004b_5647, 12_343.21),
            (0xffff_ffee, -5.0),
        ] {
            assert!((packed(value) - number).abs() < 1e-9, "{value:x}");
        }
    }
}
