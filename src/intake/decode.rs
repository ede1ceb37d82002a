//! Container, charset, format → raw rows, streaming, under the adapter's limits.
//!
//! Bytes pass through one chain: [`container`] opens the file or the one member of its archive and caps what
//! comes out, [`charset`] makes UTF-8 of it, and a reader per format hands rows on as it meets them. Nothing
//! here repairs: what is not as declared is refused with its place and the remedy, and a caller that gets an
//! error discards every row it was handed before.

use std::path::Path;

use crate::adapter::format::{Charset, Format};
use crate::adapter::language::Adapter;
use crate::adapter::row::Decoded;
use crate::domain::batch::Unreadable;
use crate::intake::decode::charset::Transcoder;
use crate::intake::decode::container::Export;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::likeness::Layout;

mod biff;
mod charset;
mod container;
mod csv;
mod handover;
mod headings;
mod json;
mod likeness;
mod look;
mod merges;
mod meter;
mod number;
mod ole;
mod page;
mod records;
mod sheet_facts;
mod sheetml;
mod sheets;
mod spreadsheet;
mod table;
mod workbook;
mod xlsx;
mod xml;

/// What was learned beside the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decoding {
    /// Rows handed on, spoilt ones included.
    pub rows: u64,
    /// The total the file itself declares.
    pub declared_total: Option<u64>,
    /// `utf-8`, `gb18030`, or `` for a workbook.
    pub charset: String,
    /// What is worth a look beside the rows: hidden rows, merged cells, sheets that were not read.
    pub remarks: Vec<Remark>,
}

/// Something worth a look that does not keep the file from being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Stable code.
    pub code: &'static str,
    /// What and the remedy, in Chinese.
    pub text: String,
}

/// Reads a file and hands everything to `sink` in file order. An error of the sink ends it.
///
/// # Errors
/// The file is not what the adapter declares, is damaged, or exceeds a limit. The rows handed on before mean
/// nothing then: the file as a whole is not to be used.
pub fn decode(
    path: &Path,
    adapter: &Adapter,
    sink: &mut dyn FnMut(Decoded) -> Result<(), Unreadable>,
) -> Result<Decoding, Unreadable> {
    let limits = &adapter.limits;
    let export = Export {
        path,
        container: adapter.container.as_ref(),
        limits,
    };
    let mut handover = Handover::new(sink, limits);
    let (charset, declared_total) = match &adapter.format {
        Format::Xlsx(format) => {
            let charset = spreadsheet::decode(&export, format, limits, &mut handover)?;
            (charset, None)
        }
        Format::Csv(format) => {
            let reading = charset::determine(&export, format.charset, Layout::Csv)?;
            export.read(|bytes| {
                let text = Transcoder::new(bytes, reading);
                csv::decode(text, format, limits, &mut handover)
            })?;
            (Some(reading.charset), None)
        }
        Format::Xml(format) => {
            let reading = charset::determine(&export, format.charset, Layout::Xml)?;
            let total = export.read(|bytes| {
                let text = Transcoder::new(bytes, reading);
                xml::decode(text, format, limits, &mut handover)
            })?;
            (Some(reading.charset), total)
        }
        Format::Json(format) => {
            let reading = charset::determine(&export, None, Layout::Json)?;
            let total = export.read(|bytes| {
                let text = Transcoder::new(bytes, reading);
                json::decode(text, format, limits, &mut handover)
            })?;
            (Some(reading.charset), total)
        }
    };
    Ok(Decoding {
        rows: handover.rows(),
        declared_total,
        charset: match charset {
            None => String::new(),
            Some(Charset::Utf8) => "utf-8".to_owned(),
            Some(Charset::Gb18030) => "gb18030".to_owned(),
        },
        remarks: handover.into_remarks(),
    })
}

/// A refusal of the whole file.
fn unreadable(code: &'static str, text: impl Into<String>) -> Unreadable {
    Unreadable {
        code,
        text: text.into(),
    }
}

/// A refusal on its way through a reader that can only fail with an I/O error.
fn inside_io(refusal: Unreadable) -> std::io::Error {
    std::io::Error::other(refusal)
}

/// The refusal that travels in an I/O error, or one of its own for a real I/O error.
fn from_io(error: &std::io::Error) -> Unreadable {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Unreadable>())
        .cloned()
        .unwrap_or_else(|| {
            unreadable(
                "YB-2073",
                format!("读取文件时出错（{}）。处理：检查磁盘后重试", error.kind()),
            )
        })
}

#[cfg(test)]
mod tests;
