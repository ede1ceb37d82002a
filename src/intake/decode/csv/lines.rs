//! Delimited text cut into lines and cells.
//!
//! Written here rather than taken from a library because four things must be known that a tolerant reader hides: whether
//! a file ends inside a quote, whether its last line has a line end, whether text follows a closing quote (the other
//! style of escaping), and what a backslash means. None of them may be guessed over.

use std::io::BufRead;
use std::rc::Rc;

use crate::adapter::format::Quotes;
use crate::adapter::row::Cell;
use crate::domain::batch::Unreadable;
use crate::intake::decode::sieve::{Gate, Passed};
use crate::intake::decode::{from_io, unreadable};

/// One line: a record, which may go over several lines of the file.
#[derive(Debug, Default)]
pub struct Line {
    /// The line of the file it starts on, the first 1, blank ones counted, as an editor shows it.
    pub number: u64,
    /// Its cells that are not empty, with their places; beyond the cap on their number it keeps none.
    pub cells: Vec<(usize, Cell)>,
    /// How many cells it has, empty ones included.
    pub length: usize,
    /// Something follows a closing quote: cells may be torn apart.
    pub is_torn: bool,
    /// It has a line end.
    pub is_ended: bool,
    /// What a sieve noted of it.
    pub passed: Passed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a cell.
    Start,
    /// In a cell without quotes.
    Plain,
    /// Between quotes.
    Quoted,
    /// Behind a backslash between quotes.
    Escaped,
    /// Behind a quote between quotes: it ends the cell, or a second one follows.
    Closed,
}

/// Cuts text that is UTF-8 by now.
pub struct Lines<R> {
    text: R,
    delimiter: u8,
    quotes: Quotes,
    most_cells: usize,
    /// Line ends so far.
    ends: u64,
    /// The last byte was a CR: a LF behind it belongs to the same line end.
    after_cr: bool,
    state: State,
    /// What of the text was taken over, checked to be UTF-8 at once, and how much of it has served.
    chunk: String,
    served: usize,
    /// A cell that did not lie whole in one chunk.
    cell: String,
    gate: Option<Rc<Gate>>,
}

impl<R: BufRead> Lines<R> {
    /// Starts at the beginning. A line keeps at most `most_cells` cells.
    pub fn new(text: R, delimiter: u8, quotes: Quotes, most_cells: usize) -> Self {
        Self {
            text,
            delimiter,
            quotes,
            most_cells,
            ends: 0,
            after_cr: false,
            state: State::Start,
            chunk: String::new(),
            served: 0,
            cell: String::new(),
            gate: None,
        }
    }

    /// The same, for text that came through a sieve: each line has a note there.
    pub fn through(mut self, gate: Option<Rc<Gate>>) -> Self {
        self.gate = gate;
        self
    }

    /// Reads the next line; `false` at the end of the file.
    pub fn next(&mut self, line: &mut Line) -> Result<bool, Unreadable> {
        *line = Line {
            number: self.ends + 1,
            cells: std::mem::take(&mut line.cells),
            ..Line::default()
        };
        line.cells.clear();
        self.state = State::Start;
        self.cell.clear();
        let mut begun = false;
        loop {
            if self.served == self.chunk.len() {
                self.refill()?;
            }
            let mut chunk = &self.chunk[self.served..];
            if chunk.is_empty() {
                return self.end_of_file(line, begun);
            }
            let mut taken = 0;
            if self.after_cr {
                self.after_cr = false;
                if let Some(rest) = chunk.strip_prefix('\n') {
                    taken = 1;
                    chunk = rest;
                }
            }
            if !begun && !chunk.is_empty() {
                begun = true;
                // Only now is it certain that its first byte, and with it its note, has come.
                line.passed = self
                    .gate
                    .as_ref()
                    .map(|gate| gate.next())
                    .unwrap_or_default();
                self.ends += line.passed.skipped;
                line.number = self.ends + 1;
            }
            let mut scan = Scan {
                delimiter: self.delimiter,
                quotes: self.quotes,
                most_cells: self.most_cells,
                state: self.state,
                cell: &mut self.cell,
                line,
                ends: 0,
            };
            let (bytes, ended) = scan.chunk(chunk);
            self.state = scan.state;
            self.ends += scan.ends;
            taken += bytes;
            self.after_cr = bytes > 0 && chunk.as_bytes()[bytes - 1] == b'\r' && taken > 0;
            self.served += taken;
            if ended {
                line.is_ended = true;
                return Ok(true);
            }
        }
    }

    /// Takes over the next piece of text; nothing at the end of the file.
    fn refill(&mut self) -> Result<(), Unreadable> {
        let bytes = self.text.fill_buf().map_err(|error| from_io(&error))?;
        self.chunk.clear();
        self.served = 0;
        // The text comes in whole characters, so nothing is ever lost here.
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => self.chunk.push_str(text),
            Err(_) => self.chunk.push_str(&String::from_utf8_lossy(bytes)),
        }
        let amount = bytes.len();
        self.text.consume(amount);
        Ok(())
    }

    fn end_of_file(&mut self, line: &mut Line, begun: bool) -> Result<bool, Unreadable> {
        if matches!(self.state, State::Quoted | State::Escaped) {
            return Err(unreadable(
                "YB-2126",
                format!(
                    "第 {} 行开始的一行中引号没有配对，直到文件末尾。处理：核对传输是否完整；内容中的引号按约定转义后重新导出",
                    line.number
                ),
            ));
        }
        if begun {
            end_cell(&mut self.cell, line, self.most_cells);
        }
        Ok(begun)
    }
}

/// One pass over a chunk.
struct Scan<'a> {
    delimiter: u8,
    quotes: Quotes,
    most_cells: usize,
    state: State,
    cell: &'a mut String,
    line: &'a mut Line,
    ends: u64,
}

impl Scan<'_> {
    /// Takes bytes up to the end of the line; how many, and whether it ended.
    fn chunk(&mut self, text: &str) -> (usize, bool) {
        let chunk = text.as_bytes();
        let mut at = 0;
        while at < chunk.len() {
            let byte = chunk[at];
            match self.state {
                State::Start if byte == b'"' && self.quotes != Quotes::None => {
                    self.state = State::Quoted;
                }
                State::Start | State::Plain => {
                    let rest = &chunk[at..];
                    let Some(length) = memchr::memchr3(self.delimiter, b'\n', b'\r', rest) else {
                        self.cell.push_str(&text[at..]);
                        at = chunk.len();
                        self.state = State::Plain;
                        break;
                    };
                    let piece = &text[at..at + length];
                    at += length;
                    // A cell that lies whole in the chunk needs no collecting.
                    let ended = if self.cell.is_empty() {
                        put_cell(piece, self.line, self.most_cells);
                        self.separated(chunk[at])
                    } else {
                        self.cell.push_str(piece);
                        self.separator(chunk[at])
                    };
                    if ended {
                        return (at + 1, true);
                    }
                }
                State::Quoted => {
                    let rest = &chunk[at..];
                    let backslash = self.quotes == Quotes::Backslash;
                    let length = memchr::memchr3(b'"', b'\n', b'\r', rest).unwrap_or(rest.len());
                    let length = if backslash {
                        memchr::memchr(b'\\', &rest[..length]).unwrap_or(length)
                    } else {
                        length
                    };
                    self.cell.push_str(&text[at..at + length]);
                    at += length;
                    if at == chunk.len() {
                        break;
                    }
                    self.quoted(chunk[at]);
                }
                State::Escaped => {
                    // Only what needs it is escaped: the backslash of a path stays.
                    if byte != b'"' && byte != b'\\' {
                        self.cell.push('\\');
                    }
                    self.state = State::Quoted;
                    if byte == b'\n' || byte == b'\r' {
                        self.quoted(byte);
                    } else if byte.is_ascii() {
                        self.cell.push(char::from(byte));
                    } else {
                        continue;
                    }
                }
                State::Closed if byte == b'"' => {
                    self.cell.push('"');
                    self.state = State::Quoted;
                }
                State::Closed if byte == self.delimiter || byte == b'\n' || byte == b'\r' => {
                    if self.separator(byte) {
                        return (at + 1, true);
                    }
                }
                State::Closed if byte == b' ' || byte == b'\t' => {}
                State::Closed => {
                    self.line.is_torn = true;
                    self.state = State::Plain;
                    continue;
                }
            }
            at += 1;
        }
        (at, false)
    }

    /// A byte between quotes that means something. Every line end becomes one LF.
    fn quoted(&mut self, byte: u8) {
        match byte {
            b'"' => self.state = State::Closed,
            b'\\' => self.state = State::Escaped,
            b'\n' if self.cell.ends_with('\r') => {
                self.cell.pop();
                self.cell.push('\n');
            }
            byte => {
                self.ends += 1;
                self.cell.push(char::from(byte));
            }
        }
    }

    /// A delimiter or a line end; whether it was the latter.
    fn separator(&mut self, byte: u8) -> bool {
        end_cell(self.cell, self.line, self.most_cells);
        self.separated(byte)
    }

    /// The same for a cell that is in the line already.
    fn separated(&mut self, byte: u8) -> bool {
        self.state = State::Start;
        let ended = byte != self.delimiter;
        self.ends += u64::from(ended);
        ended
    }
}

fn end_cell(cell: &mut String, line: &mut Line, most_cells: usize) {
    // Only between quotes can a CR be part of a cell.
    if memchr::memchr(b'\r', cell.as_bytes()).is_some() {
        *cell = cell.replace('\r', "\n");
    }
    put_cell(cell, line, most_cells);
    cell.clear();
}

fn put_cell(cell: &str, line: &mut Line, most_cells: usize) {
    if !cell.is_empty() && line.cells.len() < most_cells {
        let text = cell.to_owned();
        let numeric = false;
        line.cells.push((line.length, Cell { text, numeric }));
    }
    line.length += 1;
}
