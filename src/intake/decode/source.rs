//! Text that is looked at before it is read.
//!
//! A window of the text lies in memory: whoever reads finds the next line or record in it, and takes it where it lies or leaves it
//! to a parser.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use crate::domain::batch::Unreadable;
use crate::intake::decode::{from_io, inside_io};

/// What a parser is given at once, so that caps on what it may swallow are looked at often enough.
const SERVED_BYTES: usize = 64 << 10;

/// A text in UTF-8, in whole characters.
pub struct Source<'b> {
    text: Box<dyn BufRead + 'b>,
    window: Vec<u8>,
    /// What of the window has served.
    start: usize,
    ended: bool,
    /// What was met while somebody looked ahead: whoever reads that far is told.
    failed: Option<Unreadable>,
    /// What [`Self::text`] gives of bytes that are none.
    mended: String,
}

/// What [`Source::stretch`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// A line of so many bytes, its LF included.
    Line(usize),
    /// So many bytes without a LF: the text ends behind them, or there are at least as many as were asked for.
    Piece(usize),
    /// The text has ended.
    End,
}

impl<'b> Source<'b> {
    /// Starts at the beginning of a text that comes in whole characters.
    pub fn new(text: impl BufRead + 'b) -> Self {
        Self {
            text: Box::new(text),
            window: Vec::new(),
            start: 0,
            ended: false,
            failed: None,
            mended: String::new(),
        }
    }

    /// What lies in the window and has not served.
    pub fn rest(&self) -> &[u8] {
        &self.window[self.start..]
    }

    /// Whether nothing follows what lies in the window.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Fetches more into the window; `false` when the text has ended.
    pub fn more(&mut self) -> Result<bool, Unreadable> {
        if self.ended {
            return Ok(false);
        }
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        if self.start > 0 {
            self.window.copy_within(self.start.., 0);
            self.window.truncate(self.window.len() - self.start);
            self.start = 0;
        }
        let chunk = self.text.fill_buf().map_err(|error| from_io(&error))?;
        self.window.extend_from_slice(chunk);
        let amount = chunk.len();
        self.text.consume(amount);
        self.ended = amount == 0;
        Ok(!self.ended)
    }

    /// The same for whoever only looks: a fault waits for the reader, who may find another before it.
    pub fn ahead(&mut self) -> bool {
        if self.failed.is_some() {
            return false;
        }
        self.more().unwrap_or_else(|failed| {
            self.failed = Some(failed);
            false
        })
    }

    /// Looks for the next line within so many bytes.
    pub fn stretch(&mut self, most: usize) -> Result<Stretch, Unreadable> {
        let mut seen = 0;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.rest()[seen..]) {
                return Ok(Stretch::Line(seen + at + 1));
            }
            seen = self.rest().len();
            if seen >= most {
                return Ok(Stretch::Piece(seen));
            }
            if !self.more()? {
                return Ok(if seen == 0 {
                    Stretch::End
                } else {
                    Stretch::Piece(seen)
                });
            }
        }
    }

    /// Bytes of the window have served.
    pub fn pass(&mut self, amount: usize) {
        self.start += amount;
    }

    /// The next bytes of the window, which serve with that. They end behind a whole character, or where the window does.
    pub fn text(&mut self, amount: usize) -> &str {
        let bytes = &self.window[self.start..self.start + amount];
        self.start += amount;
        // The text comes in whole characters, so nothing is ever lost here.
        if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
            return text;
        }
        self.mended = String::from_utf8_lossy(bytes).into_owned();
        &self.mended
    }

    /// A part of the rest of the window, without having it served; `None` when it begins or ends within a character.
    pub fn look(&self, part: Range<usize>) -> Option<&str> {
        simdutf8::basic::from_utf8(&self.rest()[part]).ok()
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.window.len() {
            self.more().map_err(inside_io)?;
        }
        let rest = self.rest();
        Ok(&rest[..rest.len().min(SERVED_BYTES)])
    }

    fn consume(&mut self, amount: usize) {
        self.start += amount.min(self.rest().len());
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let chunk = self.fill_buf()?;
        let amount = chunk.len().min(buffer.len());
        buffer[..amount].copy_from_slice(&chunk[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}
