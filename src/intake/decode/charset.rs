//! Charsets: which one a file is in, and UTF-8 made of it, piece by piece.
//!
//! GB2312 and GBK are read as GB18030, their superset. Nothing is replaced unless the adapter names the charset and says
//! how much may be: the first malformed sequence refuses the file with its place, because a U+FFFD in a name or a code
//! would be believed later.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use crate::adapter::format::Charset;
use crate::domain::batch::Unreadable;
use crate::intake::decode::charset::watch::Utf8Watch;
use crate::intake::decode::container::Export;
use crate::intake::decode::likeness::{self, HEAD_BYTES, Layout};
use crate::intake::decode::{from_io, inside_io, unreadable, xml};

mod watch;

/// Bytes read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// The BOM of GB18030.
const GB18030_BOM: &[u8] = b"\x84\x31\x95\x33";

/// So many hanzi in UTF-8 never come out of GB18030 by chance.
const MIXED_FROM: u64 = 8;

/// U+FFFD in UTF-8.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// How a file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Its charset.
    pub charset: Charset,
    /// What its XML declaration says, when it has one that means something.
    pub label: Option<Charset>,
    /// Its XML declaration names a charset that is not known.
    pub strange_label: bool,
    /// Malformed sequences that may be replaced.
    replaced_at_most: u64,
    /// Bytes of BOM at its start.
    bom: usize,
    /// Somebody said so (adapter, BOM, declaration), as opposed to found out by trying.
    declared: bool,
}

impl Reading {
    /// How a text with a BOM is read; `None` when the bytes, its first ones, have none.
    pub fn marked(head: &[u8]) -> Option<Self> {
        let (charset, bom) = bom(head);
        Some(Self {
            charset: charset?,
            label: None,
            strange_label: false,
            replaced_at_most: 0,
            bom,
            declared: true,
        })
    }

    /// Bytes of BOM at the start of the file.
    pub fn bom(&self) -> u64 {
        self.bom as u64
    }
}

/// The decoder's name for a charset.
pub fn encoding(charset: Charset) -> &'static Encoding {
    match charset {
        Charset::Utf8 => UTF_8,
        Charset::Gb18030 => GB18030,
        Charset::Utf16Le => UTF_16LE,
        Charset::Utf16Be => UTF_16BE,
    }
}

/// Determines the charset: adapter, then BOM, then XML declaration, then UTF-8 when the whole file is valid UTF-8,
/// then GB18030. Refuses a file that is empty, in UTF-16 without a BOM or the adapter's word, an archive inside an
/// archive, or not what the layout looks like.
pub fn determine(
    export: &Export<'_>,
    adapter: Option<Charset>,
    layout: Layout,
) -> Result<Reading, Unreadable> {
    let head = export.read(|bytes| head(bytes))?;
    export.check_nesting(&head)?;
    let (bom_charset, bom) = bom(&head);
    if let (Some(declared), Some(found)) = (adapter, bom_charset)
        && declared != found
    {
        return Err(contradiction(declared, found));
    }
    let wide = adapter
        .or(bom_charset)
        .filter(|charset| matches!(charset, Charset::Utf16Le | Charset::Utf16Be));
    let shown = match wide {
        Some(charset) => {
            let (text, _) = encoding(charset).decode_without_bom_handling(&head[bom..]);
            text.into_owned().into_bytes()
        }
        None => head[bom..].to_vec(),
    };
    likeness::check(&shown, layout)?;
    let label = if layout == Layout::Xml {
        label_in_xml(&shown)
    } else {
        None
    };
    let known = match label.as_deref() {
        Some("utf-16") => wide,
        Some(label) => by_label(label),
        None => None,
    };
    let strange_label = label.is_some() && known.is_none();
    if let (Some(label), None, None, None) = (&label, adapter, bom_charset, known) {
        return Err(strange(label));
    }
    let declared = adapter.or(bom_charset).or(known);
    let charset = match declared {
        Some(charset) => charset,
        None if tells_utf8(&head[bom..]) || export.read(valid_utf8)? => Charset::Utf8,
        None => Charset::Gb18030,
    };
    Ok(Reading {
        charset,
        label: known,
        strange_label,
        replaced_at_most: adapter.map_or(0, |_| export.limits.replaced),
        bom,
        declared: declared.is_some(),
    })
}

/// The charset a BOM tells, and its length.
fn bom(head: &[u8]) -> (Option<Charset>, usize) {
    for (start, charset) in [
        (&b"\xef\xbb\xbf"[..], Charset::Utf8),
        (GB18030_BOM, Charset::Gb18030),
        (b"\xff\xfe", Charset::Utf16Le),
        (b"\xfe\xff", Charset::Utf16Be),
    ] {
        if head.starts_with(start) {
            return (Some(charset), start.len());
        }
    }
    (None, 0)
}

fn head(bytes: &mut dyn Read) -> Result<Vec<u8>, Unreadable> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    bytes
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(|error| from_io(&error))?;
    Ok(head)
}

/// Whether the head alone tells that the file is UTF-8 or damaged: whoever reads it will see which.
fn tells_utf8(head: &[u8]) -> bool {
    let mut watch = Utf8Watch::default();
    watch.see(head);
    !watch.broken && watch.wide >= MIXED_FROM
}

/// Whether the whole file is UTF-8. One that is for a long way and then no more is neither that nor GB18030.
fn valid_utf8(bytes: &mut dyn Read) -> Result<bool, Unreadable> {
    let mut watch = Utf8Watch::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let amount = match bytes.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other.map_err(|error| from_io(&error))?,
        };
        watch.see(&chunk[..amount]);
        let ended = amount == 0;
        let valid = !watch.broken && (!ended || watch.rest.is_empty());
        if !valid && watch.wide >= MIXED_FROM {
            return Err(unreadable(
                "YB-2105",
                format!(
                    "文件前 {} 字节是 UTF-8，其后不是，编码前后不一致。处理：核对传输是否完整，请提供方以同一编码重新导出",
                    watch.valid
                ),
            ));
        }
        if !valid || ended {
            return Ok(valid);
        }
    }
}

/// A charset's name for staff.
pub fn title(charset: Charset) -> &'static str {
    match charset {
        Charset::Utf8 => "UTF-8",
        Charset::Gb18030 => "GB18030",
        Charset::Utf16Le | Charset::Utf16Be => "UTF-16",
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

/// The charset that an XML declaration names, in lower case. Label and content differ often enough, so that the content
/// is watched, too.
fn label_in_xml(head: &[u8]) -> Option<String> {
    let end = head
        .starts_with(b"<?xml")
        .then(|| head.windows(2).position(|pair| pair == b"?>"))
        .flatten()?;
    let declaration = String::from_utf8_lossy(&head[..end]).to_ascii_lowercase();
    let (_, after) = declaration.split_once("encoding")?;
    let label: String = after
        .trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '=')
        .trim_start_matches(['"', '\''])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_.:".contains(*c))
        .take(40)
        .collect();
    Some(label)
}

fn by_label(label: &str) -> Option<Charset> {
    match label {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => Some(Charset::Utf8),
        "gb18030" | "gbk" | "gb2312" | "gb_2312-80" | "cp936" | "ms936" | "windows-936" => {
            Some(Charset::Gb18030)
        }
        "utf-16le" => Some(Charset::Utf16Le),
        "utf-16be" => Some(Charset::Utf16Be),
        _ => None,
    }
}

/// The bytes of the declaration itself were readable, so it is not UTF-16 whatever it says.
fn strange(label: &str) -> Unreadable {
    unreadable(
        "YB-2104",
        format!(
            "XML 声明的编码“{label}”不受支持。处理：请提供方改用 UTF-8 或 GB18030，或在适配文件中写明 charset"
        ),
    )
}

/// A NUL in a text: the file is none, or was torn while it was written.
pub fn nul(line: u64) -> Unreadable {
    unreadable(
        "YB-2125",
        format!(
            "第 {line} 行附近有空字节（NUL），文件损坏或没有写完。处理：核对传输是否完整，请提供方重新导出"
        ),
    )
}

/// A character that may stand in no XML document, written out or as a reference.
fn not_in_xml(line: u64) -> Unreadable {
    unreadable(
        "YB-2124",
        format!("第 {line} 行附近有 XML 不允许的字符（控制字符）。处理：请提供方去掉后重新导出"),
    )
}

/// What was noticed while a file was transcoded.
#[derive(Debug, Default)]
pub struct Tally {
    replaced: Cell<u64>,
    lost: Cell<u64>,
}

impl Tally {
    /// Malformed sequences that were replaced by U+FFFD.
    pub fn replaced(&self) -> u64 {
        self.replaced.get()
    }

    /// U+FFFD that stood in the file: somebody before us lost a character there.
    pub fn lost(&self) -> u64 {
        self.lost.get()
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
    /// Only the beginning of a character is left of the last piece.
    broken_off: bool,
    finished: bool,
    /// Watches a file that is said to be GB18030 for being UTF-8.
    watch: Option<Utf8Watch>,
    replaced_at_most: u64,
    /// What is known of the text: not every character may stand in XML.
    layout: Option<Layout>,
    tally: Rc<Tally>,
}

impl<R: Read> Transcoder<R> {
    /// Starts at the beginning of the file.
    pub fn new(inner: R, reading: Reading) -> Self {
        Self {
            inner,
            decoder: encoding(reading.charset).new_decoder_without_bom_handling(),
            charset: reading.charset,
            raw: vec![0; CHUNK_BYTES],
            raw_start: 0,
            raw_end: 0,
            offset: 0,
            lines: 0,
            bom: reading.bom,
            // UTF-8 of GB18030 and UTF-16 is at most half as long again.
            out: vec![0; CHUNK_BYTES * 3 / 2 + 16],
            out_start: 0,
            out_end: 0,
            input_ended: false,
            broken_off: false,
            finished: false,
            watch: (reading.declared && reading.bom == 0 && reading.charset == Charset::Gb18030)
                .then(Utf8Watch::default),
            replaced_at_most: reading.replaced_at_most,
            layout: None,
            tally: Rc::default(),
        }
    }

    /// The same, of a text of this layout.
    pub fn of(mut self, layout: Layout) -> Self {
        self.layout = Some(layout);
        self
    }

    /// What will have been noticed when the file has been read.
    pub fn tally(&self) -> Rc<Tally> {
        Rc::clone(&self.tally)
    }

    fn read_raw(&mut self) -> io::Result<()> {
        // A character that the last piece broke off in is kept for the next.
        let kept = self.raw_end - self.raw_start;
        self.raw.copy_within(self.raw_start..self.raw_end, 0);
        self.broken_off = false;
        let amount = loop {
            match self.inner.read(&mut self.raw[kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.raw_start = 0;
        self.raw_end = kept + amount;
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
            watch.see(&self.raw[kept..kept + amount]);
        }
        let skip = self.bom.min(amount);
        self.raw_start = skip;
        self.bom -= skip;
        self.offset += skip as u64;
        Ok(())
    }

    /// UTF-8 that is sound needs no decoder: it is copied. How many bytes, 0 when the decoder must look.
    fn copy_sound(&mut self) -> usize {
        if self.charset != Charset::Utf8 {
            return 0;
        }
        let raw = &self.raw[self.raw_start..self.raw_end];
        let sound = match simdutf8::compat::from_utf8(raw) {
            Ok(_) => raw.len(),
            Err(error) if error.error_len().is_none() => {
                self.broken_off = !self.input_ended;
                error.valid_up_to()
            }
            Err(_) => 0,
        };
        self.out[..sound].copy_from_slice(&raw[..sound]);
        sound
    }

    fn decode(&mut self) -> io::Result<()> {
        let sound = self.copy_sound();
        if self.broken_off && sound == 0 {
            return Ok(());
        }
        if sound > 0 {
            self.raw_start += sound;
            self.offset += sound as u64;
            self.out_start = 0;
            self.out_end = sound;
            self.look_through()?;
            return Ok(());
        }
        // One replacement more always has room.
        let room = self.out.len() - REPLACEMENT.len();
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.raw[self.raw_start..self.raw_end],
            &mut self.out[..room],
            self.input_ended,
        );
        self.raw_start += read;
        self.offset += read as u64;
        self.out_start = 0;
        self.out_end = written;
        self.look_through()?;
        match result {
            DecoderResult::InputEmpty => self.finished = self.input_ended,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(length, after) => self.replace(length, after)?,
        }
        Ok(())
    }

    /// What must be noticed in every piece that is handed on: NUL, replacement characters, line ends.
    fn look_through(&mut self) -> io::Result<()> {
        let out = &self.out[..self.out_end];
        let ends = |piece: &[u8]| memchr::memchr_iter(b'\n', piece).count() as u64;
        if let Some(at) = memchr::memchr(0, out) {
            return Err(inside_io(nul(self.lines + 1 + ends(&out[..at]))));
        }
        if self.layout == Some(Layout::Xml)
            && let Some(at) = xml::forbidden(out)
        {
            return Err(inside_io(not_in_xml(self.lines + 1 + ends(&out[..at]))));
        }
        let lost = memchr::memmem::find_iter(out, REPLACEMENT).count() as u64;
        self.tally.lost.set(self.tally.lost.get() + lost);
        self.lines += ends(out);
        Ok(())
    }

    /// Puts U+FFFD for a malformed sequence, or refuses it.
    fn replace(&mut self, length: u8, after: u8) -> io::Result<()> {
        let at = self
            .offset
            .saturating_sub(u64::from(after))
            .saturating_sub(u64::from(length));
        // UTF-8 under a label of GB18030 breaks sooner or later; the label is what is wrong then.
        let mislabelled = self
            .watch
            .as_ref()
            .is_some_and(|watch| !watch.broken && watch.wide > 0);
        if mislabelled {
            return Err(inside_io(contradiction(Charset::Gb18030, Charset::Utf8)));
        }
        if self.tally.replaced.get() >= self.replaced_at_most {
            return Err(inside_io(self.malformed(at)));
        }
        self.tally.replaced.set(self.tally.replaced.get() + 1);
        let end = self.out_end + REPLACEMENT.len();
        self.out[self.out_end..end].copy_from_slice(REPLACEMENT);
        self.out_end = end;
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
            if (self.raw_start == self.raw_end || self.broken_off) && !self.input_ended {
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
