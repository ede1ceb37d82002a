//! Delimited text cut into lines and cells.
//!
//! Written here rather than taken from a library because four things must be known that a tolerant reader hides: whether
//! a file ends inside a quote, whether its last line has a line end, whether text follows a closing quote (the other
//! style of escaping), and what a backslash means. None of them may be guessed over.

use std::rc::Rc;

use crate::adapter::format::Quotes;
use crate::adapter::row::Cell;
use crate::domain::batch::Unreadable;
use crate::intake::decode::sieve::{Gate, Passed};
use crate::intake::decode::unreadable;

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

/// Cuts text that comes piece by piece.
pub struct Cutter {
    delimiter: u8,
    quotes: Quotes,
    most_cells: usize,
    /// Line ends so far.
    ends: u64,
    /// The last byte was a CR: a LF behind it belongs to the same line end.
    after_cr: bool,
    state: State,
    /// Something of the line at hand has come.
    begun: bool,
    /// A cell that did not lie whole in one piece.
    cell: String,
    gate: Option<Rc<Gate>>,
    /// The note of the line that begins next, when it was taken already.
    noted: Option<Passed>,
}

impl Cutter {
    /// Starts at the beginning. A line keeps at most `most_cells` cells.
    pub fn new(delimiter: u8, quotes: Quotes, most_cells: usize) -> Self {
        Self {
            delimiter,
            quotes,
            most_cells,
            ends: 0,
            after_cr: false,
            state: State::Start,
            begun: false,
            cell: String::new(),
            gate: None,
            noted: None,
        }
    }

    /// The same, for text that came through a sieve: each line has a note there.
    pub fn through(mut self, gate: Option<Rc<Gate>>) -> Self {
        self.gate = gate;
        self
    }

    /// Takes the note of the line whose first byte has come. Lines that were left out before it have their numbers.
    pub fn note(&mut self) -> Passed {
        let passed = self.gate.as_ref().map(|gate| gate.next());
        let passed = passed.unwrap_or_default();
        self.ends += passed.skipped;
        self.noted = Some(Passed {
            skipped: 0,
            ..passed
        });
        passed
    }

    /// Whether the next byte begins a line.
    pub fn is_between(&self) -> bool {
        !self.begun && !self.after_cr
    }

    /// The number of the line that begins next.
    pub fn number(&self) -> u64 {
        self.ends + 1
    }

    /// The line was taken by others; it goes over one line of the file.
    pub fn pass(&mut self) {
        self.noted = None;
        self.ends += 1;
    }

    /// Takes text up to the end of the line, or all of it; how many bytes, and whether the line ended.
    pub fn feed(&mut self, text: &str, line: &mut Line) -> (usize, bool) {
        let mut taken = 0;
        if self.after_cr && !text.is_empty() {
            self.after_cr = false;
            taken = usize::from(text.starts_with('\n'));
        }
        let text = &text[taken..];
        if text.is_empty() {
            return (taken, false);
        }
        self.begin(line);
        let mut scan = Scan {
            delimiter: self.delimiter,
            quotes: self.quotes,
            most_cells: self.most_cells,
            state: self.state,
            cell: &mut self.cell,
            line,
            ends: 0,
        };
        let (bytes, ended) = scan.chunk(text);
        self.state = scan.state;
        self.ends += scan.ends;
        self.after_cr = bytes > 0 && text.as_bytes()[bytes - 1] == b'\r';
        if ended {
            line.is_ended = true;
            self.begun = false;
        }
        (taken + bytes, ended)
    }

    fn begin(&mut self, line: &mut Line) {
        if self.begun {
            return;
        }
        self.begun = true;
        let noted = self.noted.take();
        let passed = noted.unwrap_or_else(|| self.note());
        self.noted = None;
        *line = Line {
            number: self.ends + 1,
            passed,
            cells: std::mem::take(&mut line.cells),
            ..Line::default()
        };
        line.cells.clear();
        self.state = State::Start;
        self.cell.clear();
    }

    /// The text has ended: whether a last line was begun, which is whole now.
    pub fn end(&mut self, line: &mut Line) -> Result<bool, Unreadable> {
        if !self.begun {
            return Ok(false);
        }
        if matches!(self.state, State::Quoted | State::Escaped) {
            return Err(unreadable(
                "YB-2126",
                format!(
                    "第 {} 行开始的一行中引号没有配对，直到文件末尾。处理：核对传输是否完整；内容中的引号按约定转义后重新导出",
                    line.number
                ),
            ));
        }
        self.begun = false;
        end_cell(&mut self.cell, line, self.most_cells);
        Ok(true)
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
