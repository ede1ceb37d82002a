//! What the first bytes look like: an answer that is no export is named for what it is.

use crate::domain::batch::Unreadable;
use crate::intake::decode::unreadable;

/// How many bytes are looked at.
pub const HEAD_BYTES: usize = 4096;

/// Text layouts an adapter can declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// XML.
    Xml,
    /// Delimited text.
    Csv,
    /// JSON.
    Json,
    /// A web page that stands for a spreadsheet.
    Page,
    /// Text of fixed width.
    Fixed,
}

impl Layout {
    fn title(self) -> &'static str {
        match self {
            Self::Xml => "XML",
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Page => "网页表格",
            Self::Fixed => "定长文本",
        }
    }
}

/// Signatures of files that are no text. OLE stands for the old `.xls` and for workbooks with a password alike.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "ZIP 压缩包或 XLSX 工作簿"),
    (b"PK\x05\x06", "空的 ZIP 压缩包"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "旧版 XLS 工作簿或带密码的工作簿",
    ),
    (b"%PDF", "PDF 文件"),
    (b"\x1f\x8b", "GZIP 压缩文件"),
    (b"Rar!", "RAR 压缩包"),
    (b"7z\xbc\xaf\x27\x1c", "7Z 压缩包"),
    (b"\x89PNG", "图片"),
    (b"\xff\xd8\xff", "图片"),
];

/// What a file that is no text looks like.
pub fn signature(head: &[u8]) -> Option<&'static str> {
    SIGNATURES
        .iter()
        .find(|(start, _)| head.starts_with(start))
        .map(|(_, name)| *name)
}

/// Checks the first bytes against what the adapter declares.
pub fn check(head: &[u8], layout: Layout) -> Result<(), Unreadable> {
    let text = without_bom(head).trim_ascii();
    if text.is_empty() {
        return Err(empty());
    }
    if let Some(name) = signature(head) {
        return Err(other(layout.title(), name));
    }
    if utf_16(head) {
        return Err(unreadable(
            "YB-2102",
            "文件是没有 BOM 的 UTF-16 编码，不能确定字节顺序。处理：请提供方改用 UTF-8 或 GB18030 导出；确认无误的在适配文件中写明 charset = \"utf-16le\"",
        ));
    }
    if head.contains(&0) {
        return Err(other(layout.title(), "二进制文件"));
    }
    // What called it a page has looked at it more closely: it may begin as XML does.
    if layout == Layout::Page {
        return Ok(());
    }
    match (layout, appearance(text)) {
        (Layout::Xml, Some(Seen::Xml))
        | (Layout::Json, Some(Seen::Json))
        | (Layout::Csv | Layout::Fixed, None) => Ok(()),
        // Too little to call anything JSON, but enough where it is to be: the reader says what is wrong with it.
        (Layout::Json, None) if text.starts_with(b"{") || text.starts_with(b"[") => Ok(()),
        _ => Err(other(layout.title(), name_of_text(head))),
    }
}

/// Whether it looks like a web page.
pub fn is_page(head: &[u8]) -> bool {
    matches!(
        appearance(without_bom(head).trim_ascii()),
        Some(Seen::WebPage)
    )
}

/// What a file without a signature looks like.
pub fn name_of_text(head: &[u8]) -> &'static str {
    match appearance(without_bom(head).trim_ascii()) {
        Some(Seen::WebPage) => "网页（HTML），可能是登录页或报错页",
        Some(Seen::Xml) => "XML 文件",
        Some(Seen::Json) => "JSON 文件",
        None if head.contains(&0) => "二进制文件",
        None => "普通文本",
    }
}

/// An empty file.
pub fn empty() -> Unreadable {
    unreadable(
        "YB-2101",
        "文件是空的。处理：请提供方重新导出；空文件不表示没有数据",
    )
}

/// A file of another format than declared.
pub fn other(expected: &str, found: &str) -> Unreadable {
    unreadable(
        "YB-2106",
        format!(
            "适配文件声明为 {expected}，文件看起来是{found}。处理：请提供方核对导出格式，或改正适配文件 [format]"
        ),
    )
}

/// The bytes after a UTF-8 BOM, or all.
pub fn without_bom(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head)
}

enum Seen {
    WebPage,
    Xml,
    Json,
}

fn appearance(text: &[u8]) -> Option<Seen> {
    let lower: Vec<u8> = text.iter().take(512).map(u8::to_ascii_lowercase).collect();
    let starts = |start: &str| lower.starts_with(start.as_bytes());
    if [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<script",
        "<table",
    ]
    .into_iter()
    .any(starts)
    {
        return Some(Seen::WebPage);
    }
    let second = text.get(1..).unwrap_or_default().trim_ascii_start();
    match (text.first(), second.first()) {
        (Some(b'<'), Some(next)) if next.is_ascii_alphabetic() || b"?!_:".contains(next) => {
            Some(Seen::Xml)
        }
        // Department names in element names are Chinese now and then.
        (Some(b'<'), Some(next)) if !next.is_ascii() => Some(Seen::Xml),
        (Some(b'{'), Some(b'"' | b'}')) | (Some(b'['), Some(b'{' | b'[' | b'"' | b']')) => {
            Some(Seen::Json)
        }
        _ => None,
    }
}

/// A BOM of UTF-16, or its footprint without one: ASCII characters leave every second byte zero.
fn utf_16(head: &[u8]) -> bool {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return true;
    }
    let sample = &head[..head.len().min(256)];
    let zeros = |odd: usize| {
        sample
            .iter()
            .enumerate()
            .filter(|(at, byte)| at % 2 == odd && **byte == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    even.max(odd) * 8 >= sample.len().max(1) && even.min(odd) == 0
}

/// An archive or a packed file, which has no place inside another.
pub fn packed(head: &[u8]) -> Option<&'static str> {
    [
        &b"PK\x03\x04"[..],
        b"PK\x05\x06",
        b"\x1f\x8b",
        b"Rar!",
        b"7z\xbc\xaf\x27\x1c",
    ]
    .iter()
    .find(|start| head.starts_with(start))
    .and_then(|start| signature(start))
}
