//! Spreadsheets: what the bytes are, whatever the file is called.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::rc::Rc;

use crate::adapter::format::{Charset, Csv, Xlsx};
use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::charset::{self, Reading, Tally, Transcoder};
use crate::intake::decode::container::Export;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::likeness::{self, HEAD_BYTES, Layout};
use crate::intake::decode::sheetml::outline::{self, Outline};
use crate::intake::decode::source::Source;
use crate::intake::decode::workbook::other_kind;
use crate::intake::decode::{biff, csv, from_io, ole, page, sheetml, unreadable, xlsx};

/// What a spreadsheet is stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Xlsx,
    Xls,
    SheetMl,
    Page,
    /// Delimited text.
    Text {
        delimiter: char,
    },
}

/// A declared total, and how a text was read.
pub type Told = (Option<u64>, Option<(Reading, Rc<Tally>)>);

/// Reads a spreadsheet. Returns the total that its trailer declares, and how the text of what is one was read.
pub fn decode(
    export: &Export<'_>,
    format: &Xlsx,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<Told, Unreadable> {
    let mut file = export.seekable()?;
    let head = head(&mut file)?;
    let kind = kind(&as_utf8(&head, format.charset))?;
    let layout = match kind {
        Kind::Xlsx => return Ok((xlsx::decode(file, format, limits, handover)?, None)),
        Kind::Xls => return Ok((biff::decode(file, format, limits, handover)?, None)),
        Kind::SheetMl => Layout::Xml,
        Kind::Page => Layout::Page,
        Kind::Text { .. } => Layout::Csv,
    };
    let reading = charset::determine(export, format.charset, layout)?;
    let outline = if kind == Kind::SheetMl {
        export.read(|bytes| outline::read(Transcoder::new(bytes, reading), limits))?
    } else {
        Outline::default()
    };
    let (total, tally) = export.read(|bytes| {
        let text = Transcoder::new(bytes, reading);
        let tally = text.tally();
        let total = match kind {
            Kind::SheetMl => sheetml::decode(text, &outline, format, limits, handover)?,
            Kind::Text { delimiter } => {
                let source = Source::new(text);
                csv::decode(source, &as_csv(format, delimiter), limits, handover)?
            }
            _ => page::decode(text, format, limits, handover)?,
        };
        Ok((total, tally))
    })?;
    Ok((total, Some((reading, tally))))
}

/// The same headings over delimited text.
fn as_csv(format: &Xlsx, delimiter: char) -> Csv {
    Csv {
        charset: format.charset,
        delimiter: Some(delimiter),
        header: format.header.clone(),
        header_rows: format.header_rows,
        code_row: format.code_row,
        trailer: format.trailer.clone(),
        ..Csv::default()
    }
}

/// The first bytes, for a look at them, as UTF-8 when they are UTF-16: spreadsheet programs write “Unicode text” so.
fn as_utf8(head: &[u8], adapter: Option<Charset>) -> Cow<'_, [u8]> {
    let wide = match adapter {
        _ if head.starts_with(b"\xff\xfe") => Charset::Utf16Le,
        _ if head.starts_with(b"\xfe\xff") => Charset::Utf16Be,
        Some(charset @ (Charset::Utf16Le | Charset::Utf16Be)) => charset,
        _ => return Cow::Borrowed(head),
    };
    let (text, _) = charset::encoding(wide).decode_with_bom_removal(head);
    Cow::Owned(text.into_owned().into_bytes())
}

fn head(file: &mut File) -> Result<Vec<u8>, Unreadable> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.take(HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(|error| from_io(&error))?;
    file.seek(SeekFrom::Start(0))
        .map_err(|error| from_io(&error))?;
    if head.is_empty() {
        return Err(likeness::empty());
    }
    Ok(head)
}

/// Tells what a spreadsheet is by its first bytes.
fn kind(head: &[u8]) -> Result<Kind, Unreadable> {
    if head.starts_with(b"PK\x03\x04") {
        return Ok(Kind::Xlsx);
    }
    if head.starts_with(ole::SIGNATURE) {
        return Ok(Kind::Xls);
    }
    if let Some(name) = likeness::signature(head) {
        return Err(likeness::other("表格", name));
    }
    // The versions before the compound file: a record “beginning of file” and nothing around it.
    if matches!(head, [0x09, 0 | 2 | 4 | 8, 4..=16, 0, ..]) {
        return Err(other_kind("Excel 4.0 或更早版本的工作簿"));
    }
    let text = String::from_utf8_lossy(likeness::without_bom(head)).to_ascii_lowercase();
    let start = text.trim_start();
    if start.starts_with("mime-version:") || start.starts_with("from: <saved by") {
        return Err(other_kind("单个文件网页（MHTML）"));
    }
    if start.starts_with('<') {
        let is_page = ["<html", "<table", "<!doctype html"]
            .iter()
            .any(|mark| start.contains(mark));
        return if start.contains("urn:schemas-microsoft-com:office:spreadsheet")
            && !start.contains("<html")
        {
            Ok(Kind::SheetMl)
        } else if is_page || likeness::is_page(head) {
            check_page(head)
        } else {
            Err(likeness::other("表格", likeness::name_of_text(head)))
        };
    }
    if likeness::name_of_text(head) == "JSON 文件" {
        return Err(likeness::other("表格", "JSON 文件"));
    }
    let delimiter = if head.contains(&b'\t') { '\t' } else { ',' };
    Ok(Kind::Text { delimiter })
}

fn check_page(head: &[u8]) -> Result<Kind, Unreadable> {
    match page::foreign_charset(head) {
        None => Ok(Kind::Page),
        Some(label) => Err(unreadable(
            "YB-2104",
            format!("网页声明的编码“{label}”不受支持。处理：请提供方改用 UTF-8 或 GB18030"),
        )),
    }
}
