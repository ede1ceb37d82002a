//! What the machine and the parsers themselves need for the same files.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;

use encoding_rs::GB18030;

use crate::files::Layout;
use crate::process::timed;
use crate::values::Values;

const BUFFER: usize = 1 << 20;

/// Seconds of the bare loop of a format's parser: wall, processor.
pub fn parser(layout: Layout, path: &Path) -> (f64, f64) {
    timed(|| match layout {
        Layout::Csv => csv(open(path)),
        Layout::CsvGb => csv(Decoded::new(open(path))),
        Layout::Xml => xml(path),
        Layout::Jsonl => jsonl(path),
    })
}

/// Seconds of reading the file in pieces.
pub fn read(path: &Path) -> (f64, f64) {
    timed(|| {
        let mut file = File::open(path).expect("a file");
        let mut piece = vec![0; BUFFER];
        while file.read(&mut piece).expect("read") > 0 {
            black_box(&piece);
        }
    })
}

/// Seconds of a copy that is hashed on the way and synced.
pub fn copy_and_digest(from: &Path, to: &Path) -> (f64, f64) {
    timed(|| {
        let (mut from, mut to) = (
            File::open(from).expect("a file"),
            File::create(to).expect("a file"),
        );
        let mut hasher = blake3::Hasher::new();
        let mut piece = vec![0; BUFFER];
        loop {
            let n = from.read(&mut piece).expect("read");
            if n == 0 {
                break;
            }
            hasher.update(&piece[..n]);
            to.write_all(&piece[..n]).expect("written");
        }
        to.sync_all().expect("synced");
        black_box(hasher.finalize());
    })
}

fn open(path: &Path) -> BufReader<File> {
    BufReader::with_capacity(BUFFER, File::open(path).expect("a file"))
}

fn csv(from: impl Read) {
    let mut reader = csv::ReaderBuilder::new()
        .buffer_capacity(BUFFER)
        .from_reader(from);
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).expect("a row") {
        black_box(record.len());
    }
}

fn xml(path: &Path) {
    let mut reader = quick_xml::Reader::from_reader(open(path));
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer).expect("XML") {
            quick_xml::events::Event::Eof => break,
            event => {
                black_box(&event);
            }
        }
        buffer.clear();
    }
}

fn jsonl(path: &Path) {
    let mut reader = open(path);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).expect("read") > 0 {
        black_box(serde_json::from_slice::<Values>(&line).expect("JSON"));
        line.clear();
    }
}

/// GB18030 as UTF-8, a piece at a time.
struct Decoded<R> {
    from: R,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    at: usize,
    kept: usize,
    is_over: bool,
}

impl<R: Read> Decoded<R> {
    fn new(from: R) -> Self {
        Self {
            from,
            decoder: GB18030.new_decoder_without_bom_handling(),
            raw: vec![0; BUFFER],
            text: Vec::new(),
            at: 0,
            kept: 0,
            is_over: false,
        }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.kept && !self.is_over {
            let n = self.from.read(&mut self.raw)?;
            self.is_over = n == 0;
            let most = self
                .decoder
                .max_utf8_buffer_length(n)
                .expect("a small piece");
            self.text.resize(most.max(self.text.len()), 0);
            let (_, _, written, is_damaged) =
                self.decoder
                    .decode_to_utf8(&self.raw[..n], &mut self.text, self.is_over);
            assert!(!is_damaged, "sound GB18030");
            (self.at, self.kept) = (0, written);
        }
        let n = into.len().min(self.kept - self.at);
        into[..n].copy_from_slice(&self.text[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}
