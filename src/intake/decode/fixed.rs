//! Text in columns of fixed width, as mainframes write it.

use std::io::{BufRead, BufReader, Read};

use encoding_rs::Encoding;

use crate::adapter::format::{Charset, Fixed, WidthUnit};
use crate::adapter::limits::Limits;
use crate::adapter::row::{CUT_ROW, Cell, RawRow};
use crate::domain::batch::Unreadable;
use crate::intake::decode::charset::{Reading, encoding, nul};
use crate::intake::decode::handover::Handover;
use crate::intake::decode::meter::{Meter, Metered};
use crate::intake::decode::trailer::Trailer;
use crate::intake::decode::{from_io, unreadable};

/// Bytes a line may have beyond four per column position, the longest character there is.
const SPARE_BYTES: u64 = 64 << 10;

/// Reads lines of fixed width that counts characters. A row's number is its line. Returns the total that the trailer
/// declares.
///
/// Blanks at the end of a value go. A line may be shorter, where blanks at its end were stripped; the last one, when it
/// has no line end either, was cut off and is set aside.
pub fn decode(
    text: impl BufRead,
    format: &Fixed,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<Option<u64>, Unreadable> {
    rows(text, encoding_rs::UTF_8, format, limits, handover)
}

/// The same of width that counts bytes of the file's own charset: a line is cut before it is decoded.
pub fn decode_bytes(
    bytes: impl Read,
    reading: Reading,
    format: &Fixed,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<Option<u64>, Unreadable> {
    if matches!(reading.charset, Charset::Utf16Le | Charset::Utf16Be) {
        return Err(unreadable(
            "YB-2102",
            "UTF-16 的定长文本不能按字节计宽。处理：请提供方改用 GB18030 导出；或在适配文件中写明 format.fixed.unit = \"characters\" 并改正列宽",
        ));
    }
    let mut bytes = BufReader::with_capacity(64 << 10, bytes);
    std::io::copy(&mut (&mut bytes).take(reading.bom()), &mut std::io::sink())
        .map_err(|error| from_io(&error))?;
    rows(bytes, encoding(reading.charset), format, limits, handover)
}

fn rows(
    text: impl BufRead,
    encoding: &'static Encoding,
    format: &Fixed,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<Option<u64>, Unreadable> {
    let headings = format.columns.iter().map(|column| column.heading.trim());
    let mut headings: Option<Vec<String>> = Some(headings.map(str::to_owned).collect());
    let cut = Cut {
        places: format.places(),
        unit: format.unit,
        encoding,
        cell_bytes: limits.cell_bytes,
    };
    let width = cut.places.last().map_or(0, |(_, end)| *end);
    let meter = Meter::new((width as u64).saturating_mul(4) + SPARE_BYTES);
    let mut text = Metered::new(text, &meter, endless());
    let mut trailer = Trailer::new(format.trailer.as_deref());
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        meter.reset();
        text.read_until(b'\n', &mut line)
            .map_err(|error| from_io(&error))?;
        if line.is_empty() {
            break;
        }
        let is_ended = line.last() == Some(&b'\n');
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        if line.contains(&0) {
            return Err(nul(number));
        }
        if line.iter().all(|byte| b" \t\x1a".contains(byte)) {
            continue;
        }
        let is_title = number <= u64::from(format.title_lines);
        if is_title || format.trailer.is_some() {
            let whole = Cell {
                text: cut.whole(&line),
                numeric: false,
            };
            let whole = [(0, whole)];
            if trailer.take(number, &whole, !is_title)? {
                continue;
            }
            if is_title {
                let [(_, cell)] = whole;
                handover.title(cell.text.trim().to_owned())?;
                continue;
            }
        }
        if let Some(headings) = headings.take() {
            handover.columns(headings)?;
        }
        match cut.row(&line, is_ended) {
            Ok(cells) => handover.row(&mut RawRow::of(number, cells))?,
            Err((code, reason)) => handover.spoilt(number, code, reason)?,
        }
    }
    if let Some(headings) = headings {
        handover.columns(headings)?;
    }
    trailer.finish()
}

fn endless() -> Unreadable {
    unreadable(
        "YB-2123",
        "有一行比约定的宽度长得多，可能不是定长文本。处理：请提供方核对导出格式",
    )
}

/// Cuts lines.
struct Cut {
    /// Where each column begins and ends.
    places: Vec<(usize, usize)>,
    unit: WidthUnit,
    /// What the bytes of a line are in.
    encoding: &'static Encoding,
    cell_bytes: usize,
}

impl Cut {
    /// A line as a person reads it.
    fn whole(&self, line: &[u8]) -> String {
        let (text, _) = self.encoding.decode_without_bom_handling(line);
        text.into_owned()
    }

    fn row(
        &self,
        line: &[u8],
        is_ended: bool,
    ) -> Result<Vec<Option<Cell>>, (&'static str, String)> {
        // Places in a line that counts characters are turned into places of bytes by the way.
        let starts: Option<Vec<usize>> = (self.unit == WidthUnit::Characters).then(|| {
            let text = std::str::from_utf8(line).unwrap_or_default();
            text.char_indices().map(|(at, _)| at).collect()
        });
        let length = starts.as_ref().map_or(line.len(), Vec::len);
        let byte = |at: usize| match &starts {
            None => at.min(line.len()),
            Some(starts) => starts.get(at).copied().unwrap_or(line.len()),
        };
        let width = self.places.last().map_or(0, |(_, end)| *end);
        if length < width && !is_ended {
            return Err((
                CUT_ROW,
                format!(
                    "文件在这一行中断：没有行尾，宽 {length}，应为 {width}。处理：核对传输是否完整，请提供方重新导出"
                ),
            ));
        }
        if !line[byte(width)..].trim_ascii().is_empty() {
            return Err((
                "YB-2151",
                format!(
                    "本行宽 {length}，约定为 {width}，内容可能错位。处理：请提供方核对该行；核对适配文件 format.fixed 的列宽"
                ),
            ));
        }
        self.places
            .iter()
            .enumerate()
            .map(|(at, (start, end))| self.cell(at + 1, &line[byte(*start)..byte(*end)]))
            .collect()
    }

    fn cell(&self, column: usize, bytes: &[u8]) -> Result<Option<Cell>, (&'static str, String)> {
        if bytes.len() > self.cell_bytes {
            return Err((
                "YB-2152",
                format!(
                    "第 {column} 列内容超过上限 {} 字节。处理：请提供方核对该项内容",
                    self.cell_bytes
                ),
            ));
        }
        let Some(text) = self
            .encoding
            .decode_without_bom_handling_and_without_replacement(bytes)
        else {
            return Err((
                "YB-2157",
                format!(
                    "第 {column} 列的边界落在一个汉字中间，或有无法识别的字节，各列可能错位。处理：请提供方核对该行；核对适配文件 format.fixed 的列宽和单位"
                ),
            ));
        };
        let text = text.trim_end_matches([' ', '\t', '\u{3000}']);
        Ok((!text.is_empty()).then(|| Cell {
            text: text.to_owned(),
            numeric: false,
        }))
    }
}
