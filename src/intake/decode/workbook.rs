//! A look at a workbook's parts before the spreadsheet reader opens it.
//!
//! The reader itself has no caps: it keeps shared strings and styles whole, reserves memory for as many strings as
//! the file claims, and buffers every token. So each part is unpacked once beforehand, under the adapter's limits,
//! and nothing of its content is kept. This costs about a third of the reading time. The look also learns what the
//! reader does not tell and what stands behind the cells in a sheet: merged areas, hidden rows, and formulas without
//! a result.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use quick_xml::errors::Error;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use zip::ZipArchive;

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::container::{Rationed, from_zip, open_zip, unpack};
use crate::intake::decode::meter::{Meter, Metered};
use crate::intake::decode::sheet_facts::{Facts, SheetLook};
use crate::intake::decode::xml::{endless, token_bytes};
use crate::intake::decode::{from_io, unreadable};

/// The shortest shared string, `<si/>`.
const STRING_BYTES: u64 = 5;

/// Where a package says what it holds.
const PACKAGE_RELATIONS: &str = "_rels/.rels";

/// What the parts of a workbook say about its sheets. Names of parts are in lower case, as the reader finds them.
#[derive(Debug, Default)]
pub struct Parts {
    /// Facts of every sheet's part.
    facts: HashMap<String, Facts>,
    /// Of every part of relations but those of sheets: id → type and target.
    relations: HashMap<String, HashMap<String, Relation>>,
    /// Of every part that lists sheets: their ids in its order.
    lists: HashMap<String, Vec<String>>,
}

#[derive(Debug)]
struct Relation {
    kind: String,
    target: String,
}

impl Parts {
    /// The facts of the sheets, in the order in which the workbook lists them; `None` for what is no worksheet.
    pub fn in_order(&mut self) -> Result<Vec<Option<Facts>>, Unreadable> {
        let workbook = self
            .relations
            .get(PACKAGE_RELATIONS)
            .and_then(|relations| {
                relations
                    .values()
                    .find(|relation| relation.kind.ends_with("/officeDocument"))
            })
            .map(|relation| relation.target.trim_start_matches('/').to_lowercase())
            .ok_or_else(damaged)?;
        let (folder, name) = workbook.rsplit_once('/').unwrap_or(("", &workbook));
        let folder = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let relations = self
            .relations
            .get(&format!("{folder}_rels/{name}.rels"))
            .ok_or_else(damaged)?;
        let list = self.lists.get(&workbook).ok_or_else(damaged)?;
        let parts: Vec<String> = list
            .iter()
            .map(|id| {
                let target = &relations.get(id).ok_or_else(damaged)?.target;
                Ok(match target.strip_prefix('/') {
                    Some(absolute) => absolute.to_lowercase(),
                    None => format!("{folder}{target}").to_lowercase(),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(parts.iter().map(|part| self.facts.remove(part)).collect())
    }
}

/// Checks every part; the file stands at its start again.
pub fn inspect(file: &mut File, limits: &Limits) -> Result<Parts, Unreadable> {
    let bytes = file.metadata().map_err(|error| from_io(&error))?.len();
    let copy = file.try_clone().map_err(|error| from_io(&error))?;
    let mut archive = open_zip(copy)?;
    check_kind(&mut archive)?;
    let mut parts = Parts::default();
    let mut all = 0;
    let mut kept = 0;
    let mut merged = 0;
    for at in 0..archive.len() {
        let name = part_name(&mut archive, at)?;
        let part = unpack(&mut archive, at, bytes, limits)?;
        let is_xml = [".xml", ".rels", ".vml"]
            .iter()
            .any(|end| name.ends_with(end));
        let is_sheet = is_xml && name.contains("worksheets/") && !name.ends_with(".rels");
        let size = if is_sheet {
            let mut look = SheetLook::new(limits.merged_cells - merged);
            let size = walk(part, limits, &mut |event| look.see(event, limits))?;
            let facts = look.into_facts();
            merged += facts.merges.len();
            parts.facts.insert(name, facts);
            size
        } else if is_xml {
            parts.inspect(&name, part, limits)?
        } else {
            drain(part)?
        };
        all += size;
        if !is_sheet {
            kept += size;
        }
        if kept > limits.kept_bytes || all > limits.unpacked_bytes {
            return Err(too_big(limits));
        }
    }
    file.seek(SeekFrom::Start(0))
        .map_err(|error| from_io(&error))?;
    Ok(parts)
}

/// The name of a part as the reader looks for it. An encrypted part is a workbook with a password.
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
fn check_kind(archive: &mut ZipArchive<Rationed>) -> Result<(), Unreadable> {
    let names = (0..archive.len())
        .map(|at| part_name(archive, at))
        .collect::<Result<Vec<_>, _>>()?;
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

fn drain(mut part: impl Read) -> Result<u64, Unreadable> {
    std::io::copy(&mut part, &mut std::io::sink()).map_err(|error| from_io(&error))
}

impl Parts {
    /// Looks at a part that is no sheet and returns its size.
    fn inspect(&mut self, name: &str, part: impl Read, limits: &Limits) -> Result<u64, Unreadable> {
        let mut claimed = 0;
        let mut relations = HashMap::new();
        let mut list = Vec::new();
        let of_sheets = name.contains("worksheets/");
        let size = walk(part, limits, &mut |event| {
            let (Event::Start(start) | Event::Empty(start)) = event else {
                return Ok(());
            };
            match start.local_name().as_ref() {
                "sst" => claimed = claimed.max(claim(start.attributes_raw())),
                "Relationship" if !of_sheets => {
                    let [id, kind, target] = attributes(start, ["Id", "Type", "Target"])?;
                    if let Some(id) = id {
                        let relation = Relation {
                            kind: kind.unwrap_or_default(),
                            target: target.unwrap_or_default(),
                        };
                        relations.insert(id, relation);
                    }
                }
                "sheet" => {
                    let [id] = attributes(start, ["id"])?;
                    list.push(id.unwrap_or_default());
                }
                _ => {}
            }
            Ok(())
        })?;
        if claimed > size / STRING_BYTES {
            return Err(damaged());
        }
        if !relations.is_empty() {
            self.relations.insert(name.to_owned(), relations);
        }
        if !list.is_empty() {
            self.lists.insert(name.to_owned(), list);
        }
        Ok(size)
    }
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

/// Reads a part token by token, shows every token and returns the part's size.
fn walk(
    part: impl Read,
    limits: &Limits,
    see: &mut dyn FnMut(&Event<'_>) -> Result<(), Unreadable>,
) -> Result<u64, Unreadable> {
    let meter = Meter::new(token_bytes(limits));
    let counted = Metered::new(BufReader::with_capacity(64 << 10, part), &meter, endless());
    let mut reader = Reader::from_reader(counted);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => break,
            Ok(Event::DocType(_)) => return Err(damaged()),
            Ok(event) => event,
            Err(Error::Io(error)) => return Err(from_io(&error)),
            Err(_) => return Err(damaged()),
        };
        // A text cut up by references or comments is still one text: only elements set the meter back.
        if matches!(event, Event::Start(_) | Event::Empty(_) | Event::End(_)) {
            meter.reset();
        }
        see(&event)?;
    }
    Ok(reader.buffer_position())
}

/// How many strings the table of shared strings claims to hold.
fn claim(attributes: &str) -> u64 {
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
