//! The sieve: records that are known by their bytes go no further.
//!
//! It stands between the file and the decoder, finds the ends of records in undecoded bytes, and leaves out those whose
//! fingerprint is known: they stood in the last accepted export, byte by byte, so they were read, mapped and judged then. All
//! others pass, each with a note of its fingerprint and of how many were left out before it. In UTF-8 and GB18030 no byte below
//! 0x30 and none of 0x3A–0x3F is ever part of a longer character, so that line ends, quotes, `<` and `>` can be sought as bytes.
//!
//! Whatever is unusual passes, and the decoder decides. What the sieve says holds only when the decoding as a whole succeeds; a
//! caller that meets an error reads the file again without it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::adapter::format::{Charset, Csv, Format, Quotes};
use crate::intake::decode::Memory;

/// Bytes read at a time.
const PIECE_BYTES: usize = 256 << 10;
/// Records that are asked for at once.
const AT_ONCE: usize = 32;
/// A record that does not fit into this much is not sought for.
const RECORD_BYTES: usize = 4 << 20;

/// What a decoder learns of a record that passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// Records left out since the last one that passed.
    pub skipped: u64,
    /// Its fingerprint; 0 when it has to be made of its cells.
    pub fingerprint: u64,
}

/// What sieve and decoder tell each other.
#[derive(Debug, Default)]
pub struct Gate {
    /// Of format and charset.
    base: u64,
    /// The seed of fingerprints; nothing is left out before the decoder knows what the records mean.
    seed: Cell<Option<u64>>,
    /// Until the decoder has learnt from a row how the others are written, all pass, one by one.
    settled: Cell<bool>,
    passed: RefCell<VecDeque<Passed>>,
    skipped: Cell<u64>,
}

impl Gate {
    /// For one lane in one charset.
    pub fn new(lane: &Lane, charset: Charset) -> Self {
        Self {
            base: xxh3_64(format!("{lane:?} {charset:?}").as_bytes()),
            settled: Cell::new(!matches!(lane, Lane::Delimited { .. })),
            ..Self::default()
        }
    }

    /// The headings are known, or the first record was met: what comes are records. `meaning` is of the headings.
    pub fn open(&self, meaning: u64) {
        if self.seed.get().is_none() {
            self.seed.set(Some(self.base ^ meaning));
        }
    }

    /// The decoder knows how rows are written; `manner` is of that, and what a row means depends on it.
    pub fn settle(&self, manner: u64) {
        if !self.settled.replace(true) {
            self.seed.set(self.seed.get().map(|seed| seed ^ manner));
        }
    }

    /// The note of the next record that passed.
    pub fn next(&self) -> Passed {
        let noted = self.passed.borrow_mut().pop_front();
        // Where everything passes there are no notes; what was left out before that still counts.
        noted.unwrap_or_else(|| Passed {
            skipped: self.skipped.take(),
            fingerprint: 0,
        })
    }

    /// Records left out behind the last one that passed. Once, at the end.
    pub fn tail(&self) -> u64 {
        self.skipped.take()
    }

    fn pass(&self, fingerprint: u64) {
        let skipped = self.skipped.take();
        self.passed.borrow_mut().push_back(Passed {
            skipped,
            fingerprint,
        });
    }
}

/// How records are found.
#[derive(Debug, Clone)]
pub enum Lane {
    /// Lines; a quote keeps them together.
    Delimited {
        /// Between cells.
        delimiter: u8,
        /// How quotes are meant.
        quotes: Quotes,
    },
    /// Lines.
    Lines,
    /// Elements that follow on each other.
    Elements {
        /// `<NAME` in the file's own bytes.
        start: Vec<u8>,
    },
}

impl Lane {
    /// The lane of a format in a charset, where there is one.
    pub fn of(format: &Format, charset: Charset) -> Option<Self> {
        let is_gb = match charset {
            Charset::Utf8 => false,
            Charset::Gb18030 => true,
            Charset::Utf16Le | Charset::Utf16Be => return None,
        };
        match format {
            Format::Csv(format) => Self::delimited(format, is_gb),
            Format::Json(format) if format.lines => Some(Self::Lines),
            Format::Xml(format) => {
                let name = format.record.rsplit('/').find(|part| !part.is_empty())?;
                // As the file writes it; one with a prefix is not found, and the full reader reads.
                let start = format!("<{name}");
                let start = if is_gb {
                    encoding_rs::GB18030.encode(&start).0.into_owned()
                } else {
                    start.into_bytes()
                };
                Some(Self::Elements { start })
            }
            _ => None,
        }
    }

    fn delimited(format: &Csv, is_gb: bool) -> Option<Self> {
        let delimiter = match format.delimiter {
            None => b',',
            Some(delimiter) => u8::try_from(delimiter).ok().filter(u8::is_ascii)?,
        };
        let is_sure = |byte: u8| !is_gb || byte < 0x30 || (0x3a..0x40).contains(&byte);
        // What stands below a trailer is a fault of the file, and only a line that passes is met there.
        let is_plain = format.trailer.is_none()
            && is_sure(delimiter)
            && !(is_gb && format.quotes == Quotes::Backslash)
            && !matches!(delimiter, b'"' | b'\n' | b'\r' | b'\\');
        is_plain.then_some(Self::Delimited {
            delimiter,
            quotes: format.quotes,
        })
    }
}

/// A record in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It ends before this offset; plain ones are told by these bytes.
    Record {
        end: usize,
        plain: Option<(usize, usize)>,
    },
    /// More bytes are needed to tell.
    More,
    /// Something else than records: from here on everything passes.
    Strange,
}

/// A record that was found.
#[derive(Debug, Clone, Copy)]
struct Sifted {
    length: usize,
    fingerprint: u64,
    is_known: bool,
}

/// Bytes without the records that are known.
pub struct Sieve<'k, R> {
    inner: R,
    lane: Lane,
    gate: Rc<Gate>,
    memory: &'k Memory<'k>,
    buffer: Vec<u8>,
    /// What of the buffer was not looked at yet.
    from: usize,
    to: usize,
    /// What of it passes and was not handed on yet.
    out: std::ops::Range<usize>,
    ended: bool,
    /// Records that were found and are still to be handed on or left out.
    found: VecDeque<Sifted>,
    /// Their fingerprints, while it is asked whether they are known.
    coming: Vec<u64>,
    /// The record that was found last ended with a lone CR.
    after_cr: bool,
    /// Everything passes.
    is_off: bool,
}

impl<'k, R: Read> Sieve<'k, R> {
    /// Before these bytes.
    pub fn new(inner: R, lane: Lane, gate: Rc<Gate>, memory: &'k Memory<'k>) -> Self {
        Self {
            inner,
            lane,
            gate,
            memory,
            buffer: vec![0; PIECE_BYTES],
            from: 0,
            to: 0,
            out: 0..0,
            ended: false,
            found: VecDeque::with_capacity(AT_ONCE),
            coming: Vec::with_capacity(AT_ONCE),
            after_cr: false,
            is_off: false,
        }
    }

    /// Reads on; nothing that was not looked at is lost.
    fn more(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.from..self.to, 0);
        self.to -= self.from;
        self.from = 0;
        self.out = 0..0;
        if self.to == self.buffer.len() {
            if self.to >= RECORD_BYTES {
                self.is_off = true;
                return Ok(());
            }
            self.buffer.resize(self.to * 2, 0);
        }
        while self.to < self.buffer.len() && !self.ended {
            match self.inner.read(&mut self.buffer[self.to..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.to += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Decides on what lies in the buffer until something passes or more has to be read.
    fn look(&mut self) -> io::Result<()> {
        while self.out.is_empty() {
            if self.is_off || (self.ended && self.from == self.to) {
                if self.from == self.to && !self.ended {
                    self.more()?;
                }
                self.out = self.from..self.to;
                self.from = self.to;
                return Ok(());
            }
            if self.gate.seed.get().is_none() {
                self.step()?;
                continue;
            }
            if self.sift() {
                self.more()?;
            }
        }
        Ok(())
    }

    /// Before the records: a little at a time, so that the decoder does not run ahead.
    fn step(&mut self) -> io::Result<()> {
        let ahead = &self.buffer[self.from..self.to];
        let end = match &self.lane {
            Lane::Elements { .. } => memchr::memchr(b'>', ahead),
            _ => memchr::memchr(b'\n', ahead),
        };
        match end {
            Some(end) => {
                self.out = self.from..self.from + end + 1;
                self.from = self.out.end;
            }
            None if self.ended => self.is_off = true,
            None => self.more()?,
        }
        Ok(())
    }

    /// Takes records until one passes; `true` when more must be read first.
    fn sift(&mut self) -> bool {
        loop {
            if self.found.is_empty() {
                let settled = self.gate.settled.get();
                match self.find(settled) {
                    Some(more) if !self.found.is_empty() => debug_assert!(more),
                    // What passes by now is handed on first.
                    Some(more) => return more && self.out.is_empty(),
                    None => {
                        self.is_off = true;
                        return false;
                    }
                }
            }
            let Some(next) = self.found.front().copied() else {
                return false;
            };
            if next.is_known {
                if !self.out.is_empty() {
                    return false;
                }
                self.found.pop_front();
                self.gate.skipped.set(self.gate.skipped.get() + 1);
                self.from += next.length;
                continue;
            }
            self.found.pop_front();
            self.gate.pass(next.fingerprint);
            if self.out.is_empty() {
                self.out = self.from..self.from;
            }
            self.from += next.length;
            self.out.end = self.from;
            if !self.gate.settled.get() {
                return false;
            }
        }
    }

    /// Finds the next records and asks of all of them at once whether they are known: what has to be fetched from memory for that
    /// is fetched side by side. `Some(true)`: more has to be read to find any, or some were found; `None`: strange.
    fn find(&mut self, settled: bool) -> Option<bool> {
        let seed = self.gate.seed.get()?;
        let most = if settled { AT_ONCE } else { 1 };
        let mut at = self.from;
        let mut result = Some(true);
        while self.found.len() < most {
            let ahead = &self.buffer[at..self.to];
            if ahead.is_empty() {
                result = Some(!self.ended);
                break;
            }
            let found = match &self.lane {
                Lane::Delimited { delimiter, quotes } => {
                    delimited(ahead, *delimiter, *quotes, self.ended)
                }
                Lane::Lines => line(ahead, self.ended),
                Lane::Elements { start } => element(ahead, start, self.ended),
            };
            let (length, plain) = match found {
                Found::Record { end, plain } => (end, plain),
                Found::More if !self.ended => break,
                Found::More | Found::Strange => {
                    result = None;
                    break;
                }
            };
            // 0 says that there is none.
            let fingerprint = plain.map_or(0, |(begin, end)| {
                xxh3_64_with_seed(&ahead[begin..end], seed).max(1)
            });
            // Behind a lone CR the decoder waits for an LF: what follows must be what follows in the file.
            let ends_in_cr = ahead[length - 1] == b'\r';
            let may_go = !std::mem::replace(&mut self.after_cr, ends_in_cr) && settled;
            self.found.push_back(Sifted {
                length,
                fingerprint,
                is_known: may_go && fingerprint != 0,
            });
            at += length;
        }
        self.coming.clear();
        let in_question = self.found.iter().filter(|sifted| sifted.is_known);
        self.coming
            .extend(in_question.map(|sifted| sifted.fingerprint));
        (self.memory.coming)(&self.coming);
        for sifted in self.found.iter_mut().filter(|sifted| sifted.is_known) {
            sifted.is_known = (self.memory.knows)(sifted.fingerprint);
        }
        if self.found.is_empty() {
            result
        } else {
            Some(true)
        }
    }
}

impl<R: Read> Read for Sieve<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.out.is_empty() {
            self.look()?;
        }
        let amount = self.out.len().min(into.len());
        into[..amount].copy_from_slice(&self.buffer[self.out.start..self.out.start + amount]);
        self.out.start += amount;
        Ok(amount)
    }
}

/// A line that is a record by itself.
fn line(ahead: &[u8], ended: bool) -> Found {
    match memchr::memchr(b'\n', ahead) {
        Some(at) => Found::Record {
            end: at + 1,
            plain: (at > 0).then_some((0, at)),
        },
        None if ended => Found::Record {
            end: ahead.len(),
            plain: None,
        },
        None => Found::More,
    }
}

/// A record of delimited text, as the cutter of lines sees it.
fn delimited(ahead: &[u8], delimiter: u8, quotes: Quotes, ended: bool) -> Found {
    let stop = if quotes == Quotes::None {
        memchr::memchr2(b'\n', b'\r', ahead)
    } else {
        memchr::memchr3(b'"', b'\n', b'\r', ahead)
    };
    let record = |end: usize, plain: Option<usize>| Found::Record {
        end,
        plain: plain.map(|plain| (0, plain)),
    };
    match stop.map(|at| (at, ahead[at], ahead.get(at + 1))) {
        Some((at, b'\n', _)) => record(at + 1, (at > 0).then_some(at)),
        Some((at, b'\r', Some(b'\n'))) => record(at + 2, (at > 0).then_some(at)),
        Some((_, b'\r', None)) if !ended => Found::More,
        Some((at, b'\r', _)) => record(at + 1, None),
        Some(_) => match quoted(ahead, delimiter, quotes) {
            // A CR at the very end may have its LF behind it.
            Some(end) if end < ahead.len() || ended || ahead[end - 1] == b'\n' => record(end, None),
            None if ended => record(ahead.len(), None),
            _ => Found::More,
        },
        None if ended => record(ahead.len(), None),
        None => Found::More,
    }
}

/// The end of a record with quotes in it.
fn quoted(ahead: &[u8], delimiter: u8, quotes: Quotes) -> Option<usize> {
    enum State {
        Start,
        Plain,
        Quoted,
        Escaped,
        Closed,
    }
    let mut state = State::Start;
    let mut at = 0;
    while let Some(&byte) = ahead.get(at) {
        at += 1;
        state = match state {
            State::Quoted => match byte {
                b'"' => State::Closed,
                b'\\' if quotes == Quotes::Backslash => State::Escaped,
                _ => State::Quoted,
            },
            State::Escaped => State::Quoted,
            State::Start | State::Closed if byte == b'"' => State::Quoted,
            _ if byte == delimiter => State::Start,
            _ if byte == b'\n' => return Some(at),
            _ if byte == b'\r' => return Some(at + usize::from(ahead.get(at) == Some(&b'\n'))),
            State::Closed if byte == b' ' || byte == b'\t' => State::Closed,
            _ => State::Plain,
        };
    }
    None
}

/// An element that follows on the last one; blanks before it belong to it.
fn element(ahead: &[u8], start: &[u8], ended: bool) -> Found {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let Some(begin) = ahead.iter().position(|byte| !blank(byte)) else {
        return if ended { Found::Strange } else { Found::More };
    };
    let record = &ahead[begin..];
    match record.get(start.len()) {
        None if !ended => return Found::More,
        Some(next) if record.starts_with(start) && (blank(next) || *next == b'>') => {}
        _ => return Found::Strange,
    }
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(tag) = memchr::memchr(b'<', &record[at..]).map(|next| at + next) {
        let Some(&kind) = record.get(tag + 1) else {
            return Found::More;
        };
        if matches!(kind, b'!' | b'?') {
            return Found::Strange;
        }
        // A quote in a tag may hold anything, such as `>`.
        let mut end = tag + 1;
        let close = loop {
            let Some(stop) = memchr::memchr3(b'>', b'"', b'\'', &record[end..]) else {
                return Found::More;
            };
            let stop = end + stop;
            if record[stop] == b'>' {
                break stop;
            }
            match memchr::memchr(record[stop], &record[stop + 1..]) {
                None => return Found::More,
                Some(next) => end = stop + 1 + next + 1,
            }
        };
        at = close + 1;
        if kind == b'/' {
            depth = depth.saturating_sub(1);
        } else if record[close - 1] != b'/' {
            depth += 1;
        }
        if depth == 0 {
            return Found::Record {
                end: begin + at,
                // Blanks between records mean nothing; those before it are left out with it.
                plain: Some((begin, begin + at)),
            };
        }
    }
    Found::More
}
