//! A file in GB18030 of which only what is wanted is decoded.

use std::io::{self, Read};
use std::ops::Range;
use std::rc::Rc;

use encoding_rs::{Decoder, DecoderResult, GB18030};
use memchr::memmem::Finder;

use crate::adapter::format::Charset;
use crate::domain::batch::Unreadable;
use crate::intake::decode::charset::watch::Utf8Watch;
use crate::intake::decode::charset::{
    CHUNK_BYTES, REPLACEMENT, Reading, Tally, contradiction, malformed, nul,
};
use crate::intake::decode::inside_io;

/// U+FFFD in GB18030.
const REPLACEMENT_BYTES: &[u8] = b"\x84\x31\xa4\x37";

/// Bytes of a file in GB18030, and the decoder for them. What is refused in a transcoded file is refused here as well; a
/// malformed sequence where it is decoded.
pub struct Undecoded<'b> {
    inner: &'b mut dyn Read,
    decoder: Decoder,
    bom: usize,
    /// Bytes of the file that were fetched, and line ends among them.
    fetched: u64,
    lines: u64,
    watch: Option<Utf8Watch>,
    lost: Finder<'static>,
    /// The bytes of U+FFFD were seen: from here on it is counted.
    counts_lost: bool,
    tally: Rc<Tally>,
}

impl<'b> Undecoded<'b> {
    /// Starts at the beginning of the file.
    pub fn new(inner: &'b mut dyn Read, reading: Reading) -> Self {
        Self {
            inner,
            decoder: GB18030.new_decoder_without_bom_handling(),
            bom: reading.bom,
            fetched: 0,
            lines: 0,
            watch: reading.watch(),
            lost: Finder::new(REPLACEMENT_BYTES),
            counts_lost: false,
            tally: Rc::default(),
        }
    }

    /// What will have been noticed when the file has been read.
    pub fn tally(&self) -> Rc<Tally> {
        Rc::clone(&self.tally)
    }

    /// Appends the next bytes of the file to `window`; how many, 0 at its end.
    pub fn fetch(&mut self, window: &mut Vec<u8>) -> io::Result<usize> {
        let before = window.len();
        loop {
            window.resize(before + CHUNK_BYTES, 0);
            let read = self.inner.read(&mut window[before..]);
            window.truncate(before + *read.as_ref().unwrap_or(&0));
            let amount = match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if amount == 0 {
                return self.at_end();
            }
            if let Some(watch) = &mut self.watch {
                watch.see(&window[before..]);
            }
            let skip = self.bom.min(amount);
            self.bom -= skip;
            window.drain(before..before + skip);
            self.fetched += amount as u64;
            if skip < amount {
                break;
            }
        }
        let fresh = &window[before..];
        if let Some(at) = memchr::memchr(0, fresh) {
            return Err(inside_io(nul(self.lines + 1 + line_ends(&fresh[..at]))));
        }
        self.lines += line_ends(fresh);
        // It may lie over the border of two pieces.
        let from = before.saturating_sub(REPLACEMENT_BYTES.len() - 1);
        self.counts_lost |= self.lost.find(&window[from..]).is_some();
        Ok(window.len() - before)
    }

    fn at_end(&self) -> io::Result<usize> {
        match &self.watch {
            Some(watch) if watch.valid_to_the_end() && watch.wide > 0 => {
                Err(inside_io(contradiction(Charset::Gb18030, Charset::Utf8)))
            }
            _ => Ok(0),
        }
    }

    /// Takes note of bytes that are passed over: they were sound when they were read before.
    pub fn pass(&self, bytes: &[u8]) {
        if self.counts_lost && self.lost.find(bytes).is_some() {
            let (text, _) = GB18030.decode_without_bom_handling(bytes);
            self.count_lost(&text);
        }
    }

    /// Decodes a range of `window`, which ends where the bytes that were fetched end. `last` says that the file does, too.
    pub fn decode(
        &mut self,
        window: &[u8],
        range: Range<usize>,
        last: bool,
        text: &mut String,
    ) -> Result<(), Unreadable> {
        let mut at = range.start;
        loop {
            let bytes = &window[at..range.end];
            text.reserve(bytes.len() * 3 / 2 + 16);
            let (result, read) = self
                .decoder
                .decode_to_string_without_replacement(bytes, text, last);
            at += read;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(length, after) => {
                    return Err(self.refusal(&window[at..], length, after));
                }
            }
        }
        if last {
            self.decoder = GB18030.new_decoder_without_bom_handling();
        }
        if self.counts_lost {
            self.count_lost(text);
        }
        Ok(())
    }

    /// Decodes bytes that begin and end with whole characters; `None` where anything is malformed or must be counted.
    pub fn look(&self, bytes: &[u8], text: &mut String) -> Option<()> {
        if self.counts_lost {
            return None;
        }
        text.reserve(bytes.len() * 3 / 2 + 16);
        let (result, _) = GB18030
            .new_decoder_without_bom_handling()
            .decode_to_string_without_replacement(bytes, text, true);
        (result == DecoderResult::InputEmpty).then_some(())
    }

    fn count_lost(&self, text: &str) {
        let lost = memchr::memmem::find_iter(text.as_bytes(), REPLACEMENT).count() as u64;
        self.tally.lost.set(self.tally.lost.get() + lost);
    }

    fn refusal(&self, behind: &[u8], length: u8, after: u8) -> Unreadable {
        // UTF-8 under a label of GB18030 breaks sooner or later; the label is what is wrong then.
        let mislabelled = self
            .watch
            .as_ref()
            .is_some_and(|watch| !watch.broken && watch.wide > 0);
        if mislabelled {
            return contradiction(Charset::Gb18030, Charset::Utf8);
        }
        let at = self
            .fetched
            .saturating_sub(behind.len() as u64)
            .saturating_sub(u64::from(after))
            .saturating_sub(u64::from(length));
        let line = self.lines.saturating_sub(line_ends(behind)) + 1;
        malformed(Charset::Gb18030, at, line)
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
