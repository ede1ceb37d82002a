//! The package of a workbook: which parts it has, and what of them is opened.
//!
//! Only what is needed is unpacked, under the adapter's limits: the parts that say what the workbook holds, the strings and styles
//! of its cells, and the sheets that are read. What lies in the others does not matter.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::rc::Rc;

use quick_xml::errors::Error;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use zip::ZipArchive;

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::charset::{Reading, Transcoder};
use crate::intake::decode::container::{Rationed, from_zip, open_zip, unpack};
use crate::intake::decode::meter::{Meter, Metered};
use crate::intake::decode::source::Source;
use crate::intake::decode::xml::{endless, token_bytes};
use crate::intake::decode::{from_io, unreadable};

/// Where a package says what it holds.
pub const PACKAGE_RELATIONS: &str = "_rels/.rels";

/// What is unpacked at once.
const CHUNK_BYTES: usize = 64 << 10;

/// A package whose parts can be opened by name. Names are looked for in lower case: they differ in nothing else.
pub struct Package<'l> {
    archive: ZipArchive<Rationed>,
    /// Where each part lies.
    places: HashMap<String, usize>,
    /// Bytes of the whole file.
    bytes: u64,
    /// Bytes of the parts that were opened.
    unpacked: u64,
    /// Bytes of those that have to be kept.
    kept: u64,
    limits: &'l Limits,
}

impl<'l> Package<'l> {
    /// Reads the directory of a package. One of another kind is refused by name, before anything is unpacked.
    pub fn open(file: File, limits: &'l Limits) -> Result<Self, Unreadable> {
        let bytes = file.metadata().map_err(|error| from_io(&error))?.len();
        let mut archive = open_zip(file)?;
        let names = (0..archive.len())
            .map(|at| part_name(&mut archive, at))
            .collect::<Result<Vec<_>, _>>()?;
        check_kind(&names)?;
        let count = names.len();
        let places: HashMap<String, usize> = names.into_iter().zip(0..).collect();
        if places.len() < count {
            return Err(damaged());
        }
        Ok(Self {
            archive,
            places,
            bytes,
            unpacked: 0,
            kept: 0,
            limits,
        })
    }

    /// Whether there is a part of this name.
    pub fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Opens a part that is read through.
    pub fn stream(&mut self, name: &str) -> Result<Source<'_>, Unreadable> {
        Ok(self.part(name, false)?.0)
    }

    /// Opens a part whose content stays in memory, and tells its size.
    pub fn keep(&mut self, name: &str) -> Result<(Source<'_>, u64), Unreadable> {
        self.part(name, true)
    }

    fn part(&mut self, name: &str, keeps: bool) -> Result<(Source<'_>, u64), Unreadable> {
        let at = *self.places.get(name).ok_or_else(damaged)?;
        let size = (self.archive.by_index_data(at))
            .map_err(|error| from_zip(&error))?
            .size();
        // More than this in one part alone is refused as it is read, and so is a part that is larger than it says.
        let size_within = size.min(self.limits.unpacked_bytes);
        self.unpacked = self.unpacked.saturating_add(size_within);
        self.kept += if keeps { size_within } else { 0 };
        if self.kept > self.limits.kept_bytes || self.unpacked > self.limits.unpacked_bytes {
            return Err(too_big(self.limits));
        }
        let part = unpack(&mut self.archive, at, self.bytes, self.limits)?;
        let mut part = BufReader::with_capacity(CHUNK_BYTES, part);
        let head = part.fill_buf().map_err(|error| from_io(&error))?;
        let source = match Reading::marked(head) {
            Some(reading) => Source::new(Transcoder::new(part, reading)),
            None => Source::new(part),
        };
        Ok((source, size))
    }
}

/// The name of a part as it is looked for. An encrypted part is a workbook with a password.
fn part_name(archive: &mut ZipArchive<Rationed>, at: usize) -> Result<String, Unreadable> {
    let entry = archive
        .by_index_data(at)
        .map_err(|error| from_zip(&error))?;
    if entry.encrypted() {
        return Err(password());
    }
    let name = String::from_utf8_lossy(entry.name_raw());
    Ok(name.replace('\\', "/").to_lowercase())
}

/// Refuses packages of other kinds by name, before anything is unpacked.
fn check_kind(names: &[String]) -> Result<(), Unreadable> {
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let kind = if names.iter().any(|name| name.ends_with("vbaproject.bin")) {
        "含宏的工作簿（XLSM）"
    } else if has("xl/workbook.bin") {
        "二进制工作簿（XLSB）"
    } else if has("content.xml") && has("mimetype") {
        "OpenDocument 表格（ODS）"
    } else if has("word/document.xml") {
        "Word 文档（DOCX）"
    } else if has("ppt/presentation.xml") {
        "演示文稿（PPTX）"
    } else if !has(PACKAGE_RELATIONS) {
        "普通 ZIP 压缩包"
    } else {
        return Ok(());
    };
    Err(other_kind(kind))
}

/// A file of a kind that is not read.
pub fn other_kind(kind: &str) -> Unreadable {
    unreadable(
        "YB-2168",
        format!(
            "文件是{kind}，不予读取。处理：请提供方用表格软件打开、另存为 XLSX 后重新提供；压缩包须在适配文件中写明 [container.zip]"
        ),
    )
}

/// A workbook with a password.
pub fn password() -> Unreadable {
    unreadable(
        "YB-2142",
        "工作簿设有密码，不能读取。处理：请提供方取消密码，改用受控的传输通道",
    )
}

/// A workbook that would fill the memory.
pub fn too_big(limits: &Limits) -> Unreadable {
    unreadable(
        "YB-2145",
        format!(
            "工作簿过大，不予打开（需留在内存的部分上限 {} 字节）。处理：核对文件来源；请提供方改用 CSV 或拆分导出；确属正常时调高适配文件 limits.kept_bytes",
            limits.kept_bytes
        ),
    )
}

/// The values of attributes by local name.
pub fn attributes<const N: usize>(
    start: &BytesStart<'_>,
    wanted: [&str; N],
) -> Result<[Option<String>; N], Unreadable> {
    let mut values = [const { None }; N];
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| damaged())?;
        let local = attribute.key.local_name();
        if let Some(at) = wanted.iter().position(|name| *name == local.as_ref()) {
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                .map_err(|_| damaged())?;
            values[at] = Some(value.into_owned());
        }
    }
    Ok(values)
}

/// What looks at the tokens of a part, and may take from it what comes next.
type See<'s, 'p> = dyn FnMut(&Event<'_>, &mut Source<'p>) -> Result<(), Unreadable> + 's;

/// Reads a part token by token to its end, and shows every token; empty elements come as a start and an end.
pub fn walk<'p>(
    part: Source<'p>,
    limits: &Limits,
    see: &mut See<'_, 'p>,
) -> Result<(), Unreadable> {
    let mut tokens = Tokens::new(part, limits);
    while tokens.next(see)? {}
    Ok(())
}

/// A part, token by token.
pub struct Tokens<'p> {
    reader: Reader<Metered<Source<'p>>>,
    meter: Rc<Meter>,
    buffer: Vec<u8>,
    depth: usize,
    most_depth: usize,
}

impl<'p> Tokens<'p> {
    /// Starts at the beginning of the part.
    pub fn new(part: Source<'p>, limits: &Limits) -> Self {
        let meter = Meter::new(token_bytes(limits));
        let mut reader = Reader::from_reader(Metered::new(part, &meter, endless()));
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            meter,
            buffer: Vec::new(),
            depth: 0,
            most_depth: limits.depth,
        }
    }

    /// Shows the next token; `false` at the end.
    pub fn next(&mut self, see: &mut See<'_, 'p>) -> Result<bool, Unreadable> {
        self.buffer.clear();
        let event = match self.reader.read_event_into(&mut self.buffer) {
            Ok(Event::Eof) if self.depth == 0 => return Ok(false),
            Ok(Event::Eof | Event::DocType(_)) => return Err(damaged()),
            Ok(event) => event,
            Err(Error::Io(error)) => return Err(from_io(&error)),
            Err(_) => return Err(damaged()),
        };
        // A text cut up by references or comments is still one text: only elements set the meter back.
        match event {
            Event::Start(_) => {
                self.meter.reset();
                self.depth += 1;
                if self.depth > self.most_depth {
                    return Err(damaged());
                }
            }
            Event::End(_) => {
                self.meter.reset();
                self.depth = self.depth.saturating_sub(1);
            }
            _ => {}
        }
        see(&event, self.reader.get_mut().inner())?;
        Ok(true)
    }
}

/// How many strings the table of shared strings claims to hold.
pub fn claim(attributes: &str) -> u64 {
    attributes
        .split_once("uniqueCount")
        .map(|(_, after)| {
            after
                .trim_start_matches(|c: char| c.is_whitespace() || c == '=')
                .trim_start_matches(['"', '\''])
        })
        .and_then(|after| {
            let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
            // More digits than a number can have is more strings than a file can have.
            (!digits.is_empty()).then(|| digits.parse().unwrap_or(u64::MAX))
        })
        .unwrap_or(0)
}

/// A workbook that cannot be read.
pub fn damaged() -> Unreadable {
    unreadable(
        "YB-2141",
        "工作簿损坏或内容不合规范，不能读取。处理：请提供方用表格软件打开、另存为 XLSX 后重新提供",
    )
}
