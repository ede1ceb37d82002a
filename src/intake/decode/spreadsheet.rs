//! Spreadsheets: what the bytes are, whatever the file is called.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use crate::adapter::format::{Charset, Csv, Xlsx};
use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::charset::{self, Transcoder};
use crate::intake::decode::container::Export;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::likeness::{self, HEAD_BYTES, Layout};
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

/// Reads a spreadsheet. Returns the charset of what has one.
pub fn decode(
    export: &Export<'_>,
    format: &Xlsx,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<Option<Charset>, Unreadable> {
    let mut file = export.seekable()?;
    let head = head(&mut file)?;
    let layout = match kind(&head)? {
        Kind::Xlsx => return xlsx::decode(file, format, limits, handover).map(|()| None),
        Kind::Xls => return biff::decode(file, format, limits, handover).map(|()| None),
        Kind::SheetMl => Layout::Xml,
        Kind::Page => Layout::Page,
        Kind::Text { .. } => Layout::Csv,
    };
    let reading = charset::determine(export, format.charset, layout)?;
    match kind(&head)? {
        Kind::SheetMl => {
            let outline =
                export.read(|bytes| sheetml::outline(Transcoder::new(bytes, reading), limits))?;
            export.read(|bytes| {
                let text = Transcoder::new(bytes, reading);
                sheetml::decode(text, &outline, format, limits, handover)
            })?;
        }
        Kind::Text { delimiter } => {
            let text = Csv {
                charset: format.charset,
                delimiter: Some(delimiter),
                header: format.header.clone(),
            };
            export.read(|bytes| {
                csv::decode(Transcoder::new(bytes, reading), &text, limits, handover)
            })?;
        }
        _ => {
            export.read(|bytes| {
                page::decode(Transcoder::new(bytes, reading), format, limits, handover)
            })?;
        }
    }
    Ok(Some(reading.charset))
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
