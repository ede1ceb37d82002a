//! A look at a workbook's parts before the spreadsheet reader opens it.
//!
//! The reader itself has no caps: it keeps shared strings and styles whole, reserves memory for as many strings as
//! the file claims, and buffers every token. So each part is unpacked once beforehand, under the adapter's limits,
//! and nothing is kept. This costs about a third of the reading time.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use quick_xml::errors::Error;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::container::{from_zip, open_zip, unpack};
use crate::intake::decode::meter::{Meter, Metered};
use crate::intake::decode::xml::{endless, token_bytes};
use crate::intake::decode::{from_io, unreadable};

/// Unpacked bytes of all parts that are no sheets: they are kept in memory while the sheet is read.
const KEPT_BYTES: u64 = 512 << 20;

/// The shortest shared string, `<si/>`.
const STRING_BYTES: u64 = 5;

/// Checks every part; the file stands at its start again.
pub fn inspect(file: &mut File, limits: &Limits) -> Result<(), Unreadable> {
    let bytes = file.metadata().map_err(|error| from_io(&error))?.len();
    let copy = file.try_clone().map_err(|error| from_io(&error))?;
    let mut archive = open_zip(copy)?;
    let mut all = 0;
    let mut kept = 0;
    for at in 0..archive.len() {
        let entry = archive
            .by_index_data(at)
            .map_err(|error| from_zip(&error))?;
        if entry.encrypted() {
            return Err(unreadable(
                "YB-2142",
                "工作簿设有密码，不能读取。处理：请提供方取消密码，改用受控的传输通道",
            ));
        }
        let name = String::from_utf8_lossy(entry.name_raw()).to_ascii_lowercase();
        let part = unpack(&mut archive, at, bytes, limits)?;
        let is_xml = [".xml", ".rels", ".vml"]
            .iter()
            .any(|end| name.ends_with(end));
        let size = if is_xml {
            inspect_xml(part, limits)?
        } else {
            drain(part)?
        };
        all += size;
        if !(is_xml && name.contains("worksheets/")) {
            kept += size;
        }
        if kept > KEPT_BYTES || all > limits.unpacked_bytes {
            return Err(too_big());
        }
    }
    file.seek(SeekFrom::Start(0))
        .map_err(|error| from_io(&error))?;
    Ok(())
}

fn too_big() -> Unreadable {
    unreadable(
        "YB-2145",
        "工作簿解压后过大，不予打开。处理：核对文件来源；请提供方改用 CSV 或拆分导出",
    )
}

fn drain(mut part: impl Read) -> Result<u64, Unreadable> {
    std::io::copy(&mut part, &mut std::io::sink()).map_err(|error| from_io(&error))
}

/// Reads a part token by token and returns its size.
fn inspect_xml(part: impl Read, limits: &Limits) -> Result<u64, Unreadable> {
    let meter = Meter::new(token_bytes(limits));
    let counted = Metered::new(BufReader::with_capacity(64 << 10, part), &meter, endless());
    let mut reader = Reader::from_reader(counted);
    let mut buffer = Vec::new();
    let mut claimed = 0;
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(start) | Event::Empty(start)) => {
                meter.reset();
                if start.local_name().as_ref() == "sst" {
                    claimed = claimed.max(claim(start.attributes_raw()));
                }
            }
            Ok(Event::End(_)) => meter.reset(),
            Ok(Event::Eof) => break,
            Err(Error::Io(error)) => return Err(from_io(&error)),
            Ok(Event::DocType(_)) | Err(_) => return Err(damaged()),
            // A text cut up by references or comments is still one text: only elements set the meter back.
            Ok(_) => {}
        }
    }
    let size = reader.buffer_position();
    if claimed > size / STRING_BYTES {
        return Err(damaged());
    }
    Ok(size)
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
