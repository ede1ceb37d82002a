//! A cap on how much a parser may swallow before it gives something back.
//!
//! The parsers below buffer a token whole: an attribute or a quoted field that is never closed would be collected
//! until memory ends. The reader in front of them counts, the decoder sets the count back whenever a token is out.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use crate::domain::batch::Unreadable;
use crate::intake::decode::inside_io;

/// The count, shared between the reader and the decoder.
#[derive(Debug)]
pub struct Meter {
    since: Cell<u64>,
    cap: Cell<u64>,
    watching: Cell<bool>,
}

impl Meter {
    /// A meter that allows `cap` bytes between two resets.
    pub fn new(cap: u64) -> Rc<Self> {
        Rc::new(Self {
            since: Cell::new(0),
            cap: Cell::new(cap),
            watching: Cell::new(true),
        })
    }

    /// The parser gave something back.
    pub fn reset(&self) {
        self.since.set(0);
    }

    /// Changes the cap.
    pub fn allow(&self, cap: u64) {
        self.cap.set(cap);
        self.reset();
    }

    /// Stops or resumes the watch: what a parser skips without keeping needs none.
    pub fn watch(&self, on: bool) {
        self.watching.set(on);
        self.reset();
    }

    fn over(&self) -> bool {
        self.watching.get() && self.since.get() > self.cap.get()
    }
}

/// The reader in front of a parser.
pub struct Metered<R> {
    inner: R,
    meter: Rc<Meter>,
    refusal: Unreadable,
}

impl<R> Metered<R> {
    /// Counts on `meter`, and fails with `refusal` beyond its cap.
    pub fn new(inner: R, meter: &Rc<Meter>, refusal: Unreadable) -> Self {
        Self {
            inner,
            meter: Rc::clone(meter),
            refusal,
        }
    }

    /// The reader behind the meter. What is taken from it is not counted.
    pub fn inner(&mut self) -> &mut R {
        &mut self.inner
    }
}

impl<R: BufRead> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.meter.over() {
            return Err(inside_io(self.refusal.clone()));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.meter.since.set(self.meter.since.get() + amount as u64);
        self.inner.consume(amount);
    }
}

impl<R: BufRead> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let chunk = self.fill_buf()?;
        let amount = chunk.len().min(buffer.len());
        buffer[..amount].copy_from_slice(&chunk[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}
