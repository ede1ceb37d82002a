//! Text that is looked at before it is decoded.
//!
//! Rows that are known already need no decoding: their bytes are found, fingerprinted and passed over. A window of the file
//! lies in memory; whoever reads finds the next line or record in it and either passes it or has it decoded.

use std::io::{self, BufRead, Read};
use std::ops::Range;
use std::rc::Rc;

use crate::adapter::format::Charset;
use crate::domain::batch::Unreadable;
use crate::intake::decode::charset::undecoded::Undecoded;
use crate::intake::decode::charset::{Reading, Tally, Transcoder};
use crate::intake::decode::{from_io, inside_io};

/// What a [`BufRead`] is given at once, so that caps on what a parser may swallow are looked at often enough.
const SERVED_BYTES: usize = 64 << 10;

/// Where the bytes come from.
enum Inner<'b> {
    /// UTF-8 by now.
    Text(Box<dyn BufRead + 'b>),
    /// GB18030 as it stands in the file: no byte below 0x30, and none of `:;<=>?`, is ever part of a longer character, so
    /// that line ends and tags are found in it as it is.
    Undecoded(Box<Undecoded<'b>>),
}

/// The bytes of a file, in their own charset where that allows finding rows in them.
pub struct Source<'b> {
    inner: Inner<'b>,
    window: Vec<u8>,
    /// What of the window has served.
    start: usize,
    ended: bool,
    /// Bytes that have served.
    position: u64,
    /// What was decoded last, and how much of it was read by the way of [`BufRead`].
    text: String,
    read: usize,
    /// What was decoded for a look.
    looked: String,
}

/// What [`Source::stretch`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// A line of so many bytes, its LF included.
    Line(usize),
    /// So many bytes without a LF: the file ends behind them, or there are at least as many as were asked for.
    Piece(usize),
    /// The file has ended.
    End,
}

impl<'b> Source<'b> {
    /// The bytes of a file that is read so; and what will have been noticed. `undecoded` allows GB18030 as it stands.
    pub fn new(bytes: &'b mut dyn Read, reading: Reading, undecoded: bool) -> (Self, Rc<Tally>) {
        if undecoded && reading.is_searchable() {
            let bytes = Undecoded::new(bytes, reading);
            let tally = bytes.tally();
            return (Self::of(Inner::Undecoded(Box::new(bytes))), tally);
        }
        let text = Transcoder::new(bytes, reading);
        let tally = text.tally();
        (Self::text_of(text), tally)
    }

    /// Text that is UTF-8 by now, in whole characters.
    pub fn text_of(text: impl BufRead + 'b) -> Self {
        Self::of(Inner::Text(Box::new(text)))
    }

    fn of(inner: Inner<'b>) -> Self {
        Self {
            inner,
            window: Vec::new(),
            start: 0,
            ended: false,
            position: 0,
            text: String::new(),
            read: 0,
            looked: String::new(),
        }
    }

    /// Whether the bytes are those of the file and not UTF-8.
    pub fn is_undecoded(&self) -> bool {
        matches!(self.inner, Inner::Undecoded(_))
    }

    /// What the bytes of the window are in.
    pub fn charset(&self) -> &'static str {
        if self.is_undecoded() {
            Charset::Gb18030.name()
        } else {
            Charset::Utf8.name()
        }
    }

    /// What lies in the window and has not served.
    pub fn rest(&self) -> &[u8] {
        &self.window[self.start..]
    }

    /// Bytes that have served.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether nothing follows what lies in the window.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether all that was decoded for [`BufRead`] has been read.
    pub fn is_between(&self) -> bool {
        self.read == self.text.len()
    }

    /// Fetches more into the window; `false` when the file has ended.
    pub fn more(&mut self) -> Result<bool, Unreadable> {
        if self.ended {
            return Ok(false);
        }
        if self.start > 0 {
            self.window.copy_within(self.start.., 0);
            self.window.truncate(self.window.len() - self.start);
            self.start = 0;
        }
        let amount = match &mut self.inner {
            Inner::Text(text) => {
                let chunk = text.fill_buf().map_err(|error| from_io(&error))?;
                self.window.extend_from_slice(chunk);
                let amount = chunk.len();
                text.consume(amount);
                amount
            }
            Inner::Undecoded(bytes) => bytes
                .fetch(&mut self.window)
                .map_err(|error| from_io(&error))?,
        };
        self.ended = amount == 0;
        Ok(!self.ended)
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

    /// Passes over bytes of the window that are known to be sound.
    pub fn pass(&mut self, amount: usize) {
        if let Inner::Undecoded(bytes) = &mut self.inner {
            bytes.pass(&self.window[self.start..self.start + amount]);
        }
        self.start += amount;
        self.position += amount as u64;
    }

    /// Bytes of the window as text. They end behind a whole character, or where the window does.
    pub fn text(&mut self, amount: usize) -> Result<&str, Unreadable> {
        let from = self.start;
        self.start += amount;
        self.position += amount as u64;
        let bytes = &self.window[from..from + amount];
        match &mut self.inner {
            Inner::Text(_) => {
                // The text comes in whole characters, so nothing is ever lost here.
                if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
                    return Ok(text);
                }
                self.text = String::from_utf8_lossy(bytes).into_owned();
                self.read = self.text.len();
                Ok(&self.text)
            }
            Inner::Undecoded(undecoded) => {
                self.text.clear();
                let last = self.ended && self.start == self.window.len();
                undecoded.decode(&self.window, from..from + amount, last, &mut self.text)?;
                self.read = self.text.len();
                Ok(&self.text)
            }
        }
    }

    /// A part of the rest of the window as text, without having it served. `None` when it cannot be had so: it is to be
    /// read, and what is wrong in it found there.
    pub fn look(&mut self, part: Range<usize>) -> Option<&str> {
        let bytes = &self.window[self.start..][part];
        match &self.inner {
            Inner::Text(_) => simdutf8::basic::from_utf8(bytes).ok(),
            Inner::Undecoded(undecoded) => {
                self.looked.clear();
                undecoded.look(bytes, &mut self.looked)?;
                Some(&self.looked)
            }
        }
    }

    /// The file has ended: refuses one that broke off in a character.
    pub fn finish(&mut self) -> Result<(), Unreadable> {
        self.text(0).map(|_| ())
    }

    /// Decodes up to the next `>`, so that a reader that stops there has left nothing behind.
    fn decode_tag(&mut self) -> Result<(), Unreadable> {
        while self.start == self.window.len() {
            if !self.more()? {
                return self.finish();
            }
        }
        let rest = &self.rest()[..self.rest().len().min(SERVED_BYTES)];
        let amount = memchr::memchr(b'>', rest).map_or(rest.len(), |at| at + 1);
        self.text(amount)?;
        self.read = 0;
        Ok(())
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.is_undecoded() {
            // A stretch that is only the beginning of a character gives no text yet.
            while self.is_between() && !(self.ended && self.start == self.window.len()) {
                self.decode_tag().map_err(inside_io)?;
            }
            return Ok(&self.text.as_bytes()[self.read..]);
        }
        if self.start == self.window.len() {
            self.more().map_err(inside_io)?;
        }
        let rest = self.rest();
        Ok(&rest[..rest.len().min(SERVED_BYTES)])
    }

    fn consume(&mut self, amount: usize) {
        if self.is_undecoded() {
            self.read = (self.read + amount).min(self.text.len());
        } else {
            let amount = amount.min(self.rest().len());
            self.start += amount;
            self.position += amount as u64;
        }
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
