//! Charsets: which one a file is in, and UTF-8 made of it, piece by piece.
//!
//! GB2312 and GBK are read as GB18030, their superset. Nothing is ever replaced: the first malformed sequence
//! refuses the file with its place, because a U+FFFD in a name or a code would be believed later.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, GB18030, UTF_8};

use crate::adapter::format::Charset;
use crate::domain::batch::Unreadable;
use crate::intake::decode::container::Export;
use crate::intake::decode::likeness::{self, HEAD_BYTES, Layout};
use crate::intake::decode::{from_io, inside_io, unreadable};

/// Bytes read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// The BOM of GB18030.
const GB18030_BOM: &[u8] = b"\x84\x31\x95\x33";

/// How a file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Its charset.
    pub charset: Charset,
    /// Bytes of BOM at its start.
    bom: usize,
    /// Somebody said so (adapter, BOM, declaration), as opposed to found out by trying.
    declared: bool,
}

/// Determines the charset: adapter, then BOM, then XML declaration, then UTF-8 when the whole file is valid UTF-8,
/// then GB18030. Refuses a file that is empty, in UTF-16, or not what the layout looks like.
pub fn determine(
    export: &Export<'_>,
    adapter: Option<Charset>,
    layout: Layout,
) -> Result<Reading, Unreadable> {
    let head = export.read(|bytes| head(bytes))?;
    likeness::check(&head, layout)?;
    let (bom_charset, bom) = match &head {
        head if head.starts_with(b"\xef\xbb\xbf") => (Some(Charset::Utf8), 3),
        head if head.starts_with(GB18030_BOM) => (Some(Charset::Gb18030), 4),
        _ => (None, 0),
    };
    if let (Some(declared), Some(found)) = (adapter, bom_charset)
        && declared != found
    {
        return Err(contradiction(declared, found));
    }
    let declaration = if layout == Layout::Xml {
        declared_in_xml(&head[bom..])?
    } else {
        None
    };
    let declared = adapter.or(bom_charset).or(declaration);
    let charset = match declared {
        Some(charset) => charset,
        None if export.read(valid_utf8)? => Charset::Utf8,
        None => Charset::Gb18030,
    };
    Ok(Reading {
        charset,
        bom,
        declared: declared.is_some(),
    })
}

fn head(bytes: &mut dyn Read) -> Result<Vec<u8>, Unreadable> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    bytes
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(|error| from_io(&error))?;
    Ok(head)
}

fn valid_utf8(bytes: &mut dyn Read) -> Result<bool, Unreadable> {
    let mut watch = Utf8Watch::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let amount = bytes.read(&mut chunk).map_err(|error| from_io(&error))?;
        if amount == 0 {
            return Ok(watch.valid_to_the_end());
        }
        watch.see(&chunk[..amount]);
        if watch.broken {
            return Ok(false);
        }
    }
}

fn title(charset: Charset) -> &'static str {
    match charset {
        Charset::Utf8 => "UTF-8",
        Charset::Gb18030 => "GB18030",
    }
}

fn contradiction(declared: Charset, found: Charset) -> Unreadable {
    unreadable(
        "YB-2103",
        format!(
            "声明的编码是 {}，内容实为 {}。处理：改正适配文件 charset，或请提供方改正文件中的编码声明",
            title(declared),
            title(found)
        ),
    )
}

/// The charset of an XML declaration. Label and content differ often enough, so that the content is watched, too.
fn declared_in_xml(head: &[u8]) -> Result<Option<Charset>, Unreadable> {
    let Some(end) = head
        .starts_with(b"<?xml")
        .then(|| head.windows(2).position(|pair| pair == b"?>"))
        .flatten()
    else {
        return Ok(None);
    };
    let declaration = String::from_utf8_lossy(&head[..end]).to_ascii_lowercase();
    let Some((_, after)) = declaration.split_once("encoding") else {
        return Ok(None);
    };
    let label: String = after
        .trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '=')
        .trim_start_matches(['"', '\''])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_.:".contains(*c))
        .take(40)
        .collect();
    match label.as_str() {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => Ok(Some(Charset::Utf8)),
        "gb18030" | "gbk" | "gb2312" | "gb_2312-80" | "cp936" | "ms936" | "windows-936" => {
            Ok(Some(Charset::Gb18030))
        }
        // The bytes of the declaration itself were readable, so it is not UTF-16 whatever it says.
        _ => Err(unreadable(
            "YB-2104",
            format!(
                "XML 声明的编码“{label}”不受支持。处理：请提供方改用 UTF-8 或 GB18030，或在适配文件中写明 charset"
            ),
        )),
    }
}

/// Tells whether bytes that pass by are valid UTF-8, over the borders of pieces.
#[derive(Debug, Default)]
struct Utf8Watch {
    /// A sequence that the last piece cut off.
    rest: Vec<u8>,
    /// Not valid.
    broken: bool,
    /// Characters of three bytes and more: hanzi. GB18030 text that is valid UTF-8 by chance has none of them.
    wide: u64,
}

impl Utf8Watch {
    fn see(&mut self, piece: &[u8]) {
        if self.broken {
            return;
        }
        let joined;
        let bytes = if self.rest.is_empty() {
            piece
        } else {
            joined = [self.rest.as_slice(), piece].concat();
            joined.as_slice()
        };
        let (valid, rest) = match std::str::from_utf8(bytes) {
            Ok(_) => (bytes, &[][..]),
            Err(error) if error.error_len().is_none() => bytes.split_at(error.valid_up_to()),
            Err(_) => {
                self.broken = true;
                return;
            }
        };
        self.wide += valid.iter().filter(|byte| **byte >= 0xe0).count() as u64;
        self.rest = rest.to_vec();
    }

    fn valid_to_the_end(&self) -> bool {
        !self.broken && self.rest.is_empty()
    }
}

/// UTF-8 out of a file in a known charset; 64 KiB at a time.
pub struct Transcoder<R> {
    inner: R,
    decoder: Decoder,
    charset: Charset,
    raw: Vec<u8>,
    raw_start: usize,
    raw_end: usize,
    /// Bytes of the file that were decoded.
    offset: u64,
    /// Line ends that were decoded.
    lines: u64,
    bom: usize,
    out: Vec<u8>,
    out_start: usize,
    out_end: usize,
    input_ended: bool,
    finished: bool,
    /// Watches a file that is said to be GB18030 for being UTF-8.
    watch: Option<Utf8Watch>,
}

impl<R: Read> Transcoder<R> {
    /// Starts at the beginning of the file.
    pub fn new(inner: R, reading: Reading) -> Self {
        let encoding = match reading.charset {
            Charset::Utf8 => UTF_8,
            Charset::Gb18030 => GB18030,
        };
        Self {
            inner,
            decoder: encoding.new_decoder_without_bom_handling(),
            charset: reading.charset,
            raw: vec![0; CHUNK_BYTES],
            raw_start: 0,
            raw_end: 0,
            offset: 0,
            lines: 0,
            bom: reading.bom,
            // UTF-8 of GB18030 is at most half as long again.
            out: vec![0; CHUNK_BYTES * 3 / 2 + 16],
            out_start: 0,
            out_end: 0,
            input_ended: false,
            finished: false,
            watch: (reading.declared && reading.bom == 0 && reading.charset == Charset::Gb18030)
                .then(Utf8Watch::default),
        }
    }

    fn read_raw(&mut self) -> io::Result<()> {
        let amount = loop {
            match self.inner.read(&mut self.raw) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.raw_start = 0;
        self.raw_end = amount;
        if amount == 0 {
            self.input_ended = true;
            if let Some(watch) = &self.watch
                && watch.valid_to_the_end()
                && watch.wide > 0
            {
                return Err(inside_io(contradiction(Charset::Gb18030, Charset::Utf8)));
            }
            return Ok(());
        }
        if let Some(watch) = &mut self.watch {
            watch.see(&self.raw[..amount]);
        }
        let skip = self.bom.min(amount);
        self.raw_start = skip;
        self.bom -= skip;
        self.offset += skip as u64;
        Ok(())
    }

    fn decode(&mut self) -> io::Result<()> {
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.raw[self.raw_start..self.raw_end],
            &mut self.out,
            self.input_ended,
        );
        self.raw_start += read;
        self.offset += read as u64;
        self.out_start = 0;
        self.out_end = written;
        self.lines += self.out[..written].split(|b| *b == b'\n').skip(1).count() as u64;
        match result {
            DecoderResult::InputEmpty => self.finished = self.input_ended,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(length, after) => {
                let at = self
                    .offset
                    .saturating_sub(u64::from(after))
                    .saturating_sub(u64::from(length));
                // UTF-8 under a label of GB18030 breaks sooner or later; the label is what is wrong then.
                let mislabelled = self
                    .watch
                    .as_ref()
                    .is_some_and(|watch| !watch.broken && watch.wide > 0);
                return Err(inside_io(if mislabelled {
                    contradiction(Charset::Gb18030, Charset::Utf8)
                } else {
                    self.malformed(at)
                }));
            }
        }
        Ok(())
    }

    fn malformed(&self, at: u64) -> Unreadable {
        unreadable(
            "YB-2105",
            format!(
                "按 {} 读取时，第 {} 字节（约第 {} 行）处字节序列有误。处理：核对适配文件 charset 是否与文件一致；一致时请提供方重新导出",
                title(self.charset),
                at + 1,
                self.lines + 1
            ),
        )
    }
}

impl<R: Read> BufRead for Transcoder<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.out_start == self.out_end && !self.finished {
            if self.raw_start == self.raw_end && !self.input_ended {
                self.read_raw()?;
            }
            self.decode()?;
        }
        Ok(&self.out[self.out_start..self.out_end])
    }

    fn consume(&mut self, amount: usize) {
        self.out_start = (self.out_start + amount).min(self.out_end);
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let chunk = self.fill_buf()?;
        let amount = chunk.len().min(buffer.len());
        buffer[..amount].copy_from_slice(&chunk[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}
