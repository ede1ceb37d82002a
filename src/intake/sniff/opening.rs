//! Opening a file of unknown kind: what it is packed in, and the beginning of what it holds.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use encoding_rs::{Encoding, GB18030, UTF_8};
use zip::ZipArchive;

use crate::adapter::draft::layout::{Key, Table};
use crate::adapter::draft::text::pattern;
use crate::domain::batch::Unreadable;
use crate::intake::pattern::fits;
use crate::intake::sniff::refusal;

/// Bytes of the unpacked file that are looked at.
const HEAD_BYTES: u64 = 8 << 20;
/// Members an archive may have to be looked into.
const MEMBERS: usize = 1000;
/// The beginning of the unpacked file.
pub struct Head {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// They are the whole of it.
    pub is_whole: bool,
    /// A zip with the parts of a workbook.
    pub is_workbook: bool,
    /// As text, without BOM.
    pub text: String,
    /// Its charset as adapters name it; `None` for pure ASCII and for workbooks.
    pub charset: Option<&'static str>,
}

impl Head {
    /// Whether the text begins so, case apart.
    pub fn starts(&self, start: &str) -> bool {
        let text = self.text.trim_start();
        text.len() >= start.len()
            && text.as_bytes()[..start.len()].eq_ignore_ascii_case(start.as_bytes())
    }
}

/// Opens a file down to the export, and reads its beginning.
pub fn open(path: &Path) -> Result<(Option<Table>, Head), Unreadable> {
    let mut magic = Vec::new();
    file(path)?
        .take(4)
        .read_to_end(&mut magic)
        .map_err(|error| io_refusal(&error))?;
    if magic.starts_with(b"\x1f\x8b") {
        let table = Table {
            name: "container.gzip".to_owned(),
            why: "文件是 GZIP 压缩的".to_owned(),
            keys: Vec::new(),
        };
        let unpacked = flate2::read::MultiGzDecoder::new(file(path)?);
        return Ok((Some(table), head(unpacked, false)?));
    }
    if !magic.starts_with(b"PK\x03\x04") {
        return Ok((None, head(file(path)?, false)?));
    }
    let damaged = || {
        let text = "压缩包损坏或不是 ZIP 格式。处理：核对传输是否完整，请提供方重新打包";
        refusal("YB-2061", text)
    };
    let mut archive = ZipArchive::new(file(path)?).map_err(|_| damaged())?;
    if archive.len() > MEMBERS {
        let text = format!("压缩包内文件数超过{MEMBERS}个。处理：只打包约定的导出文件");
        return Err(refusal("YB-2062", text));
    }
    if archive.index_for_name("[Content_Types].xml").is_some() {
        return Ok((None, head(file(path)?, true)?));
    }
    let (at, table) = member(&mut archive)?;
    let member = archive.by_index(at).map_err(|_| damaged())?;
    let mut head = head(member, false)?;
    // A workbook in an archive: its own parts are not looked for, only the decoder opens it.
    head.is_workbook = head.bytes.starts_with(b"PK\x03\x04");
    Ok((Some(table), head))
}

fn file(path: &Path) -> Result<BufReader<File>, Unreadable> {
    File::open(path)
        .map(BufReader::new)
        .map_err(|error| io_refusal(&error))
}

/// The greatest member, and a pattern that only it fits.
fn member(archive: &mut ZipArchive<BufReader<File>>) -> Result<(usize, Table), Unreadable> {
    let mut members = Vec::new();
    for at in 0..archive.len() {
        let Ok(member) = archive.by_index_raw(at) else {
            continue;
        };
        if member.is_dir() {
            continue;
        }
        let raw = member.name_raw();
        let (name, _) = match std::str::from_utf8(raw) {
            Ok(_) => UTF_8.decode_without_bom_handling(raw),
            Err(_) => GB18030.decode_without_bom_handling(raw),
        };
        let last = name.rsplit('/').next().unwrap_or(&name).to_owned();
        members.push((member.size(), at, last));
    }
    let Some((_, at, name)) = members.iter().max_by_key(|(size, ..)| *size).cloned() else {
        let text = "压缩包内没有文件。处理：请提供方重新打包";
        return Err(refusal("YB-2063", text));
    };
    let wanted = pattern(&name);
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let is_alike = |other: &str| other.rsplit_once('.').map_or("", |(_, end)| end) == end;
    let fitting = members.iter().filter(|(.., name)| fits(&wanted, name));
    let keys = match fitting.clone().count() {
        1 if members.len() == 1 => {
            vec![Key::text(
                "member",
                &wanted,
                "包内的文件名，变化的部分写作一个 *",
            )]
        }
        1 => {
            let why = format!("包内有{}个文件，取最大的一个", members.len());
            vec![Key::text("member", &wanted, why)]
        }
        count if wanted != "*" && fitting.clone().all(|(.., name)| is_alike(name)) => vec![
            Key::text("member", &wanted, format!("包内有{count}个这样的文件")),
            Key {
                name: "several",
                value: "true".to_owned(),
                why: "按名称顺序读完全部；若只应取一个，改正 member 并删去此行".to_owned(),
            },
        ],
        _ => vec![Key::text(
            "member",
            &name,
            "包内最大的一个；每次名称会变的，请写成带一个 * 的样式",
        )],
    };
    let table = Table {
        name: "container.zip".to_owned(),
        why: "文件是 ZIP 压缩的".to_owned(),
        keys,
    };
    Ok((at, table))
}

/// The beginning of a stream. Damage further on is the decoder's to tell.
fn head(bytes: impl Read, is_workbook: bool) -> Result<Head, Unreadable> {
    let mut kept = Vec::new();
    if let Err(error) = bytes.take(HEAD_BYTES).read_to_end(&mut kept)
        && kept.is_empty()
    {
        return Err(io_refusal(&error));
    }
    let is_text = !kept.starts_with(b"PK") && !kept.starts_with(b"\xd0\xcf");
    let (text, charset) = if is_text {
        text(&kept)
    } else {
        (String::new(), None)
    };
    Ok(Head {
        is_whole: (kept.len() as u64) < HEAD_BYTES,
        bytes: kept,
        is_workbook,
        text,
        charset,
    })
}

fn text(bytes: &[u8]) -> (String, Option<&'static str>) {
    // The mark says it, an adapter need not; whether it can be read is the decoder's to say.
    if let Some((encoding, _)) = Encoding::for_bom(bytes).filter(|(encoding, _)| *encoding != UTF_8)
    {
        return (encoding.decode_with_bom_removal(bytes).0.into_owned(), None);
    }
    let plain = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // The end may cut a character in two.
    let is_utf8 = match std::str::from_utf8(plain) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    if is_utf8 {
        let text = String::from_utf8_lossy(plain).into_owned();
        let charset = (!plain.is_ascii()).then_some("utf-8");
        return (text, charset);
    }
    let (text, _) = GB18030.decode_without_bom_handling(plain);
    (text.into_owned(), Some("gb18030"))
}

fn io_refusal(error: &std::io::Error) -> Unreadable {
    let text = format!(
        "读取文件时出错（{}）。处理：检查文件和磁盘后重试",
        error.kind()
    );
    refusal("YB-2073", text)
}
