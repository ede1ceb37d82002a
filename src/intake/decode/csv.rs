//! Delimited text.

use std::io::{self, BufRead, Read};
use std::rc::Rc;

use crate::adapter::format::Csv;
use crate::adapter::limits::Limits;
use crate::adapter::row::Cell;
use crate::domain::batch::Unreadable;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::meter::{Meter, Metered};
use crate::intake::decode::table::Table;
use crate::intake::decode::{from_io, unreadable};

/// The least cap on one record; it must exceed what the reader fetches ahead.
const RECORD_BYTES: u64 = 1 << 20;

/// Reads delimited text. A row's number is the line it starts on, blank lines counted, as an editor shows it.
pub fn decode(
    text: impl BufRead,
    format: &Csv,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<(), Unreadable> {
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
    let lines = LineEnds::new(Metered::new(text, &meter, endless()));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(lines);
    let mut table = Table::new(handover, &format.header, limits);
    read_lines(&mut reader, &meter, &mut table)?;
    table.finish()
}

fn read_lines(
    reader: &mut csv::Reader<impl Read>,
    meter: &Rc<Meter>,
    table: &mut Table<'_, '_>,
) -> Result<(), Unreadable> {
    let mut record = csv::StringRecord::new();
    let mut cells = Vec::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| fault(&error))?
    {
        meter.reset();
        // Every line end is one LF by now, so the reader stands at the start of the next line.
        let breaks = record.as_slice().bytes().filter(|b| *b == b'\n').count() as u64;
        let number = reader.position().line().saturating_sub(1 + breaks);
        cells.extend(
            record
                .iter()
                .enumerate()
                .filter(|(_, text)| !text.is_empty())
                .map(|(at, text)| {
                    let text = text.to_owned();
                    (
                        at,
                        Cell {
                            text,
                            numeric: false,
                        },
                    )
                }),
        );
        table.line(number, &mut cells, Some(record.len()))?;
    }
    Ok(())
}

fn endless() -> Unreadable {
    unreadable(
        "YB-2123",
        "有一行过长，可能是引号没有配对。处理：请提供方检查双引号并重新导出",
    )
}

fn fault(error: &csv::Error) -> Unreadable {
    match error.kind() {
        csv::ErrorKind::Io(inner) => from_io(inner),
        _ => unreadable(
            "YB-2124",
            "分隔文本无法解析。处理：请提供方按约定的分隔符重新导出",
        ),
    }
}

/// Makes one LF of every line end (CRLF, lone CR) and gives the last line one, so that lines can be counted.
struct LineEnds<R> {
    inner: R,
    after_cr: bool,
    last: u8,
}

impl<R> LineEnds<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            after_cr: false,
            last: b'\n',
        }
    }
}

impl<R: BufRead> Read for LineEnds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let chunk = self.inner.fill_buf()?;
            if chunk.is_empty() {
                if self.last == b'\n' {
                    return Ok(0);
                }
                self.last = b'\n';
                buffer[0] = b'\n';
                return Ok(1);
            }
            let mut taken = 0;
            let mut written = 0;
            while taken < chunk.len() && written < buffer.len() {
                if self.after_cr {
                    self.after_cr = false;
                    if chunk[taken] == b'\n' {
                        taken += 1;
                        continue;
                    }
                }
                let most = (chunk.len() - taken).min(buffer.len() - written);
                let piece = &chunk[taken..taken + most];
                let plain = piece.iter().position(|b| *b == b'\r').unwrap_or(most);
                buffer[written..written + plain].copy_from_slice(&piece[..plain]);
                taken += plain;
                written += plain;
                if plain < most {
                    buffer[written] = b'\n';
                    taken += 1;
                    written += 1;
                    self.after_cr = true;
                }
            }
            self.inner.consume(taken);
            if written > 0 {
                self.last = buffer[written - 1];
                return Ok(written);
            }
        }
    }
}
