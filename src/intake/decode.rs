//! Container, charset, format → raw rows, streaming, under the adapter's limits.
//!
//! Bytes pass through one chain: [`container`] opens the file or the one member of its archive and caps what
//! comes out, [`charset`] makes UTF-8 of it, and a reader per format hands rows on as it meets them. Nothing
//! here repairs: what is not as declared is refused with its place and the remedy, and a caller that gets an
//! error discards every row it was handed before.

use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use crate::adapter::format::{Format, WidthUnit};
use crate::adapter::language::Adapter;
use crate::adapter::row::Sink;
use crate::domain::batch::Unreadable;
use crate::intake::decode::charset::{Reading, Tally, Transcoder};
use crate::intake::decode::container::Export;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::likeness::Layout;
use crate::intake::decode::sieve::{Gate, Lane, Sieve};
use crate::intake::decode::source::Source;

mod biff;
mod capped;
mod charset;
mod container;
mod csv;
mod fixed;
mod handover;
mod headings;
mod json;
mod likeness;
mod line;
mod look;
mod merges;
mod meter;
mod number;
mod ole;
mod page;
mod ranges;
mod records;
mod sheetml;
mod sheets;
mod sieve;
mod source;
mod spreadsheet;
mod table;
mod trailer;
mod workbook;
mod xlsx;
mod xml;

/// What was learned beside the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decoding {
    /// Rows handed on or known, spoilt ones included.
    pub rows: u64,
    /// Those of them that were known.
    pub known: u64,
    /// The total the file itself declares.
    pub declared_total: Option<u64>,
    /// `utf-8`, `gb18030`, `utf-16le`, `utf-16be`, or `` for a workbook; of several members the first one's.
    pub charset: String,
    /// What is worth a look beside the rows.
    pub remarks: Vec<Remark>,
    /// The charset that the file's own declaration names (XML), by the same names; `` when it names none.
    pub declared_charset: String,
    /// Malformed sequences that were replaced by U+FFFD, as the adapter allows.
    pub replaced: u64,
    /// U+FFFD that stood in the file already: a character lost before it came here.
    pub lost: u64,
    /// The members of an archive that were read, in order; empty for a file that is none.
    pub members: Vec<String>,
}

/// Something worth a look that does not keep the file from being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Stable code.
    pub code: &'static str,
    /// What and the remedy, in Chinese.
    pub text: String,
}

/// What somebody knows of the rows of an earlier file of the same layout.
pub struct Memory<'m> {
    /// Whether a row with this fingerprint is known: then it is not cut into cells, and goes no further.
    pub knows: &'m dyn Fn(u64) -> bool,
    /// Is told before which fingerprints are asked for next.
    pub coming: &'m dyn Fn(&[u64]),
    /// The columns that the known rows had.
    pub columns: &'m [String],
}

/// As [`decode_knowing`], for somebody who knows nothing.
///
/// # Errors
/// As there.
pub fn decode(path: &Path, adapter: &Adapter, sink: &mut Sink<'_>) -> Result<Decoding, Unreadable> {
    decode_knowing(path, adapter, None, sink)
}

/// Reads a file and hands everything to `sink` in file order. An error of the sink ends it. Rows that `memory` knows are counted only.
///
/// # Errors
/// The file is not what the adapter declares, is damaged, or exceeds a limit. The rows handed on before mean
/// nothing then: the file as a whole is not to be used.
///
/// With a memory an error may name another place than without: what is left out is not counted into it. Read again without.
pub fn decode_knowing<'s>(
    path: &Path,
    adapter: &Adapter,
    memory: Option<&'s Memory<'s>>,
    sink: &'s mut Sink<'s>,
) -> Result<Decoding, Unreadable> {
    let grows = matches!(adapter.format, Format::Xml(_) | Format::Json(_));
    let handover = Handover::new(sink, &adapter.limits).remembering(memory, grows)?;
    decode_into(path, adapter, memory, handover)
}

fn decode_into(
    path: &Path,
    adapter: &Adapter,
    memory: Option<&Memory<'_>>,
    mut handover: Handover<'_>,
) -> Result<Decoding, Unreadable> {
    let export = Export::new(path, adapter.container.as_ref(), &adapter.limits);
    let mut decoding = Decoding::default();
    for member in export.members()? {
        if export.has_several() {
            handover.member(&member.name)?;
        }
        one(
            &export.of(&member),
            adapter,
            memory,
            &mut handover,
            &mut decoding,
        )?;
        handover.end_of_member()?;
        decoding
            .members
            .extend(Some(member.name).filter(|name| !name.is_empty()));
    }
    decoding.rows = handover.rows();
    decoding.known = handover.known();
    decoding.remarks = handover.into_remarks();
    Ok(decoding)
}

/// Reads one member, or the file that is no archive.
fn one(
    export: &Export<'_>,
    adapter: &Adapter,
    memory: Option<&Memory<'_>>,
    handover: &mut Handover<'_>,
    decoding: &mut Decoding,
) -> Result<(), Unreadable> {
    let limits = &adapter.limits;
    let (charset, layout) = match &adapter.format {
        Format::Xlsx(format) => {
            let (total, read) = spreadsheet::decode(export, format, limits, handover)?;
            decoding.declare(total);
            if let Some((reading, tally)) = read {
                decoding.note(reading, None, &tally, handover);
            }
            return Ok(());
        }
        Format::Csv(format) => (format.charset, Layout::Csv),
        Format::Xml(format) => (format.charset, Layout::Xml),
        Format::Json(format) => (format.charset, Layout::Json),
        Format::Fixed(format) => (format.charset, Layout::Fixed),
    };
    let reading = charset::determine(export, charset, layout)?;
    let (total, tally) = export.read(|bytes| {
        if let Format::Fixed(format) = &adapter.format
            && format.unit == WidthUnit::Bytes
        {
            let total = fixed::decode_bytes(bytes, reading, format, limits, handover)?;
            return Ok((total, Rc::default()));
        }
        let lane = memory.and_then(|memory| {
            let lane = Lane::of(&adapter.format, reading.charset)?;
            Some((lane, memory))
        });
        let bytes: Box<dyn Read + '_> = match lane {
            None => Box::new(bytes),
            Some((lane, memory)) => {
                let gate = Rc::new(Gate::new(&lane, reading.charset));
                handover.through(Some(Rc::clone(&gate)));
                Box::new(Sieve::new(bytes, lane, gate, memory))
            }
        };
        let text = Transcoder::new(bytes, reading).of(layout);
        let tally = text.tally();
        let total = match &adapter.format {
            Format::Csv(format) => csv::decode(Source::new(text), format, limits, handover)?,
            Format::Xml(format) => xml::decode(Source::new(text), format, limits, handover)?,
            Format::Json(format) if format.lines => {
                json::decode_lines(Source::new(text), format, limits, handover)?;
                None
            }
            Format::Json(format) => json::decode(text, format, limits, handover)?,
            Format::Fixed(format) => fixed::decode(text, format, limits, handover)?,
            // Returned above: most spreadsheets are no text.
            Format::Xlsx(_) => None,
        };
        Ok((total, tally))
    })?;
    decoding.note(reading, total, &tally, handover);
    Ok(())
}

impl Decoding {
    /// Adds the total that one member declares.
    fn declare(&mut self, total: Option<u64>) {
        if let Some(total) = total {
            self.declared_total = Some(self.declared_total.unwrap_or(0).saturating_add(total));
        }
    }

    /// Adds what one member showed.
    fn note(
        &mut self,
        reading: Reading,
        total: Option<u64>,
        tally: &Tally,
        handover: &mut Handover<'_>,
    ) {
        self.declare(total);
        if self.charset.is_empty() {
            reading.charset.name().clone_into(&mut self.charset);
        }
        if self.declared_charset.is_empty()
            && let Some(label) = reading.label
        {
            label.name().clone_into(&mut self.declared_charset);
        }
        self.replaced += tally.replaced();
        self.lost += tally.lost();
        remark_charset(reading, tally, handover);
    }
}

fn remark_charset(reading: Reading, tally: &Tally, handover: &mut Handover<'_>) {
    let read = charset::title(reading.charset);
    if let Some(label) = reading.label.filter(|label| *label != reading.charset) {
        handover.remark(
            "YB-2109",
            format!(
                "文件声明的编码是 {}，按 {read} 读取无误。处理：请提供方改正文件中的编码声明",
                charset::title(label)
            ),
        );
    } else if reading.strange_label {
        handover.remark(
            "YB-2109",
            format!(
                "文件声明的编码无法识别，按 {read} 读取无误。处理：请提供方改正文件中的编码声明"
            ),
        );
    }
    if tally.replaced() > 0 {
        handover.remark(
            "YB-2127",
            format!(
                "有 {} 处字节序列不合 {read} 编码，已用“�”代替，原文已丢失。处理：请提供方重新导出",
                tally.replaced()
            ),
        );
    }
    if tally.lost() > 0 {
        handover.remark(
            "YB-2130",
            format!(
                "文件中已有 {} 个替换符“�”，提供方转换编码时丢失了原文。处理：请提供方从源系统重新导出",
                tally.lost()
            ),
        );
    }
}

/// Code of a reading that was broken off by the machine, not by the file.
pub const BROKEN_OFF: &str = "YB-2073";

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
                BROKEN_OFF,
                format!("读取文件时出错（{}）。处理：检查磁盘后重试", error.kind()),
            )
        })
}

#[cfg(test)]
mod tests;
