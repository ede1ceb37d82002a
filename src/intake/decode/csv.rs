//! Delimited text.

use std::io::BufRead;

use crate::adapter::format::Csv;
use crate::adapter::limits::Limits;
use crate::adapter::row::CUT_ROW;
use crate::domain::batch::Unreadable;
use crate::intake::decode::csv::lines::{Line, Lines};
use crate::intake::decode::handover::Handover;
use crate::intake::decode::meter::{Meter, Metered};
use crate::intake::decode::table::Table;
use crate::intake::decode::trailer::Trailer;
use crate::intake::decode::unreadable;

mod lines;

/// The least cap on one record.
const RECORD_BYTES: u64 = 1 << 20;

/// Reads delimited text. A row's number is the line it starts on, blank lines counted, as an editor shows it. Returns the
/// total that its trailer declares.
///
/// A row that cannot be laid on the headings is set aside: too many or too few cells, text behind a closing quote, the
/// last one when the file was cut off in it. A file that ends inside a quote is refused, for nobody knows how many rows
/// that quote swallowed.
pub fn decode(
    text: impl BufRead,
    format: &Csv,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<Option<u64>, Unreadable> {
    let delimiter = match format.delimiter {
        None => b',',
        Some(delimiter) => u8::try_from(delimiter)
            .ok()
            .filter(u8::is_ascii)
            .ok_or_else(|| {
                unreadable(
                    "YB-2122",
                    "分隔符须为单个 ASCII 字符。处理：改正适配文件 format.csv.delimiter",
                )
            })?,
    };
    let meter = Meter::new(
        (limits.cell_bytes as u64)
            .saturating_mul(16)
            .max(RECORD_BYTES),
    );
    let text = Metered::new(text, &meter, endless());
    // One more than there may be is enough to show that there are too many.
    let mut lines =
        Lines::new(text, delimiter, format.quotes, limits.columns + 1).through(handover.gate());
    let mut table =
        Table::new(handover, &format.header, limits).headed(format.header_rows, format.code_row);
    let mut trailer = Trailer::new(format.trailer.as_deref());
    let mut line = Line::default();
    while lines.next(&mut line)? {
        table.handover().note(line.passed)?;
        meter.reset();
        if trailer.take(line.number, &line.cells, table.in_rows())? {
            continue;
        }
        lay(&mut table, &mut line)?;
    }
    table.finish()?;
    trailer.finish()
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
