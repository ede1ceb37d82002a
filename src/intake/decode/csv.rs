//! Delimited text.

use crate::adapter::format::Csv;
use crate::adapter::limits::Limits;
use crate::adapter::row::CUT_ROW;
use crate::domain::batch::Unreadable;
use crate::intake::decode::csv::lines::{Cutter, Line};
use crate::intake::decode::handover::Handover;
use crate::intake::decode::source::{Source, Stretch};
use crate::intake::decode::table::Table;
use crate::intake::decode::trailer::Trailer;
use crate::intake::decode::unreadable;

mod lines;

/// The least cap on one record.
const RECORD_BYTES: usize = 1 << 20;

/// Reads delimited text. A row's number is the line it starts on, blank lines counted, as an editor shows it. Returns the
/// total that its trailer declares.
///
/// A row that cannot be laid on the headings is set aside: too many or too few cells, text behind a closing quote, the
/// last one when the file was cut off in it. A file that ends inside a quote is refused, for nobody knows how many rows
/// that quote swallowed.
///
/// A line without quotes, of as many cells as the rows before, is cut where it lies; all others are the cutter's.
pub fn decode(
    mut source: Source<'_>,
    format: &Csv,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<Option<u64>, Unreadable> {
    let most_bytes = limits.cell_bytes.saturating_mul(16).max(RECORD_BYTES);
    let delimiter = delimiter(format)?;
    // One more than there may be is enough to show that there are too many.
    let mut cutter =
        Cutter::new(delimiter, format.quotes, limits.columns + 1).through(handover.gate());
    let mut table =
        Table::new(handover, &format.header, limits).headed(format.header_rows, format.code_row);
    let mut trailer = Trailer::new(format.trailer.as_deref());
    let may_be_plain = format.trailer.is_none() && !b"\r\n".contains(&delimiter);
    let mut line = Line::default();
    let mut line_bytes = 0;
    loop {
        let (bytes, is_line) = match source.stretch(RECORD_BYTES)? {
            Stretch::Line(bytes) => (bytes, true),
            Stretch::Piece(bytes) => (bytes, false),
            Stretch::End => break,
        };
        let mut text = source.text(bytes);
        if is_line
            && may_be_plain
            && cutter.is_between()
            && table.is_settled()
            && bytes < most_bytes
            && let Some(plain) = plain(text)
        {
            {
                table.handover().note(cutter.note())?;
                if table.plain_line(cutter.number(), plain, delimiter)? {
                    cutter.pass();
                    continue;
                }
            }
        }
        while !text.is_empty() {
            let (taken, ended) = cutter.feed(text, &mut line);
            text = &text[taken..];
            line_bytes += taken;
            if line_bytes > most_bytes {
                return Err(endless());
            }
            if ended {
                line_bytes = 0;
                take(&mut table, &mut trailer, &mut line)?;
            }
        }
    }
    if cutter.end(&mut line)? {
        take(&mut table, &mut trailer, &mut line)?;
    }
    table.finish()?;
    trailer.finish()
}

fn delimiter(format: &Csv) -> Result<u8, Unreadable> {
    let Some(delimiter) = format.delimiter else {
        return Ok(b',');
    };
    u8::try_from(delimiter)
        .ok()
        .filter(u8::is_ascii)
        .ok_or_else(|| {
            unreadable(
                "YB-2122",
                "分隔符须为单个 ASCII 字符。处理：改正适配文件 format.csv.delimiter",
            )
        })
}

/// A line of the file without its line end, when it has no quotes and no CR inside, which ends a line as well.
fn plain(line: &str) -> Option<&str> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let is_plain = !line.is_empty() && memchr::memchr2(b'\r', b'"', line.as_bytes()).is_none();
    is_plain.then_some(line)
}

fn take(
    table: &mut Table<'_, '_>,
    trailer: &mut Trailer,
    line: &mut Line,
) -> Result<(), Unreadable> {
    table.handover().note(line.passed)?;
    if trailer.take(line.number, &line.cells, table.in_rows())? {
        return Ok(());
    }
    lay(table, line)
}

fn lay(table: &mut Table<'_, '_>, line: &mut Line) -> Result<(), Unreadable> {
    if !line.is_ended && !line.cells.is_empty() && table.is_cut(&line.cells, line.length) {
        let reason = format!(
            "文件在这一行中断：没有行尾，只有 {} 列。处理：核对传输是否完整，请提供方重新导出",
            line.length
        );
        return table.spoilt(line.number, CUT_ROW, reason);
    }
    if line.is_torn && table.in_rows() {
        let reason = "引号结束后还有内容，各列可能错位。处理：内容中的引号写成两个；用反斜杠转义的，在适配文件中写明 format.csv.quotes = \"backslash\"";
        return table.spoilt(line.number, "YB-2156", reason.to_owned());
    }
    table.line(line.number, &mut line.cells, Some(line.length))
}

fn endless() -> Unreadable {
    unreadable(
        "YB-2123",
        "有一行过长，可能是引号没有配对。处理：请提供方检查双引号并重新导出",
    )
}
