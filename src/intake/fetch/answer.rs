//! One answer of a JSON interface: is it what was asked for, which rows, is it the last. Pure.

use encoding_rs::GB18030;
use serde_json::{Map, Value};

use crate::adapter::language::OneOrMany;
use crate::adapter::transport::pages::{Cipher, Pages};
use crate::intake::fetch::Unfetched;
use crate::intake::fetch::download::begins_like_a_page;
use crate::intake::fetch::signing::{block, unwrapped};

/// Characters of a foreign text that a message repeats.
const SHOWN: usize = 80;

/// Digits in a row that could be a person's: such texts are masked.
const PERSONAL: usize = 6;

/// What an answer says.
#[derive(Debug)]
pub enum Answer {
    /// Rows.
    Page(Page),
    /// In its own words: there are none.
    Empty,
}

/// A page of rows.
#[derive(Debug)]
pub struct Page {
    /// The document as it came, on one line; rows that came as a text are unfolded.
    pub line: String,
    /// Digest of the rows.
    pub rows: blake3::Hash,
    /// How many.
    pub count: u64,
    /// The declared total.
    pub total: Option<u64>,
    /// Whether it says that it is the last; `None` when it has no such sign.
    pub is_last: Option<bool>,
    /// Cursor or link of the next page.
    pub next: Option<String>,
}

/// Why an answer is no page.
#[derive(Debug)]
pub struct Unfit {
    /// What is told.
    pub unfetched: Unfetched,
    /// The result code says that the short-lived key is too old.
    pub stale_key: bool,
}

impl From<Unfetched> for Unfit {
    fn from(unfetched: Unfetched) -> Self {
        Self {
            unfetched,
            stale_key: false,
        }
    }
}

/// Reads an answer. `ordinal` counts pages from 1, `next` is the pointer of cursor or link.
pub fn read(
    pages: &Pages,
    body: &[u8],
    data_key: Option<&[u8; 16]>,
    next: Option<&str>,
    ordinal: u64,
) -> Result<Answer, Unfit> {
    let body = decoded(body);
    let said = body.trim_start_matches('\u{feff}').trim();
    if is_empty_word(pages, said) {
        return Ok(Answer::Empty);
    }
    let Ok(document) = serde_json::from_str::<Value>(said) else {
        return Err(no_json(said, ordinal).into());
    };
    if let Value::String(text) = &document {
        if is_empty_word(pages, text) {
            return Ok(Answer::Empty);
        }
        return Err(no_json(text, ordinal).into());
    }
    if succeeded(pages, &document, ordinal)? {
        return Ok(Answer::Empty);
    }
    let (document, mut is_rewritten) = match (&pages.envelope, data_key) {
        (Some(envelope), Some(key)) => {
            let closed = pointed(&document, &envelope.field);
            let opened = opened(envelope.cipher, key, &closed).ok_or_else(|| {
                Unfetched::wrong(
                    "YB-2056",
                    format!("第{ordinal}页的密文解不开。处理：核对 data_key_file、加密方式和适配文件 envelope.field"),
                )
            })?;
            (opened, true)
        }
        _ => (document, false),
    };
    let mut document = document;
    let count = unfolded(pages, &mut document, &mut is_rewritten, ordinal)?;
    let no_total = || {
        Unfetched::wrong(
            "YB-2048",
            format!("第{ordinal}页没有总数。处理：核对适配文件 total"),
        )
    };
    let number = |pointer: &Option<String>| match pointer {
        Some(pointer) => document
            .pointer(pointer)
            .and_then(whole)
            .map(Some)
            .ok_or_else(no_total),
        None => Ok(None),
    };
    let total = number(&pages.total)?;
    let total_pages = number(&pages.total_pages)?;
    // A message “no data” counts only where the figures do not contradict it.
    if count == 0 && total.unwrap_or(0) == 0 && is_empty_message(pages, &document) {
        return Ok(Answer::Empty);
    }
    let by_sign = pages.last.as_ref().map(|pointer| {
        let sign = pointed(&document, pointer);
        pages
            .last_is
            .as_ref()
            .map_or_else(|| sign == "true", |words| is_word(words, &sign))
    });
    let by_pages = total_pages.map(|pages| ordinal >= pages);
    let is_last = match (by_sign, by_pages) {
        (Some(sign), Some(pages)) => Some(sign && pages),
        (sign, pages) => sign.or(pages),
    };
    let next = next
        .map(|pointer| pointed(&document, pointer))
        .filter(|next| !next.is_empty());
    let rows = document.pointer(&pages.rows).map(Value::to_string);
    Ok(Answer::Page(Page {
        rows: blake3::hash(rows.unwrap_or_default().as_bytes()),
        line: if is_rewritten {
            document.to_string()
        } else {
            // Line ends can only stand between values: inside a text JSON writes them otherwise.
            said.replace(['\r', '\n'], " ")
        },
        count,
        total,
        is_last,
        next,
    }))
}

/// An answer without rows, as a document in which the format finds an empty array and total.
pub fn empty_line(rows: &str, total: Option<&str>) -> String {
    let mut document = Value::Object(Map::new());
    put(&mut document, rows, Value::Array(Vec::new()));
    if let Some(total) = total {
        put(&mut document, total, Value::from(0));
    }
    document.to_string()
}

fn put(document: &mut Value, pointer: &str, value: Value) {
    let mut place = document;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if !place.is_object() {
            // The document is the array itself: there is no place beside it.
            return;
        }
        place = &mut place[token];
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
    }
    *place = value;
}

/// UTF-8, or what it is when it is none: old systems answer in GB18030 whatever they declare.
fn decoded(body: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(body) {
        Ok(text) => text.into(),
        Err(_) => GB18030.decode_without_bom_handling(body).0,
    }
}

fn is_empty_word(pages: &Pages, said: &str) -> bool {
    pages.empty.iter().any(|word| word.trim() == said.trim())
}

fn is_empty_message(pages: &Pages, document: &Value) -> bool {
    pages
        .message
        .as_ref()
        .is_some_and(|pointer| is_empty_word(pages, &pointed(document, pointer)))
}

/// Whether it failed, succeeded (false), or failed for want of rows (true).
fn succeeded(pages: &Pages, document: &Value, ordinal: u64) -> Result<bool, Unfit> {
    let success = pages.success.as_deref().zip(pages.success_is.as_ref());
    let code = success.map(|(pointer, _)| pointed(document, pointer));
    let fault = document
        .get("errCode")
        .filter(|code| !code.is_null())
        .map(text);
    if let (Some((_, words)), Some(code)) = (success, &code)
        && is_word(words, code)
    {
        return Ok(false);
    }
    if is_empty_message(pages, document) {
        return Ok(true);
    }
    let is_stale = |code: &str| pages.stale_key.iter().any(|stale| stale == code);
    if let Some(fault) = fault.filter(|_| code.as_ref().is_none_or(String::is_empty)) {
        let message = document.get("errMsg").map(text).unwrap_or_default();
        return Err(Unfit {
            stale_key: is_stale(&fault),
            unfetched: Unfetched::wrong(
                "YB-2051",
                format!(
                    "第{ordinal}页是交换平台的报错“{}”，“{}”。处理：核对授权和服务状态，联系平台",
                    shortened(&fault),
                    shortened(&message)
                ),
            ),
        });
    }
    let (Some(code), Some((_, words))) = (code, success) else {
        return Ok(false);
    };
    let message = pages
        .message
        .as_ref()
        .map(|pointer| pointed(document, pointer))
        .filter(|message| !message.is_empty())
        .map_or_else(String::new, |message| {
            format!("，对方说“{}”", shortened(&message))
        });
    Err(Unfit {
        stale_key: is_stale(&code),
        unfetched: Unfetched::wrong(
            "YB-2047",
            format!(
                "第{ordinal}页的结果码是“{}”，不是“{}”{message}。处理：联系该部门核对授权和参数",
                shortened(&code),
                words.list().join("、")
            ),
        ),
    })
}

/// The number of rows; a text that holds them is unfolded in place.
fn unfolded(
    pages: &Pages,
    document: &mut Value,
    is_rewritten: &mut bool,
    ordinal: u64,
) -> Result<u64, Unfetched> {
    let none = || {
        Unfetched::wrong(
            "YB-2049",
            format!("第{ordinal}页没有数据数组。处理：核对适配文件 rows"),
        )
    };
    let place = document.pointer_mut(&pages.rows).ok_or_else(none)?;
    if let Value::String(inner) = place {
        *place = if inner.trim().is_empty() {
            Value::Null
        } else {
            serde_json::from_str(inner).map_err(|_| none())?
        };
        *is_rewritten = true;
    }
    if place.is_null() {
        *place = Value::Array(Vec::new());
        *is_rewritten = true;
    }
    place
        .as_array()
        .map(|rows| rows.len() as u64)
        .ok_or_else(none)
}

fn opened(cipher: Cipher, key: &[u8; 16], closed: &str) -> Option<Value> {
    let bytes = unwrapped(closed)?;
    let plain = match cipher {
        Cipher::Sm4Ecb => block::sm4_ecb(key, &bytes)?,
        Cipher::Sm4Cbc => {
            let (iv, data) = bytes.split_first_chunk::<16>()?;
            block::sm4_cbc(key, iv, data)?
        }
    };
    serde_json::from_slice(&plain).ok()
}

/// What was answered is not JSON.
pub const NO_JSON: &str = "YB-2046";

fn no_json(said: &str, ordinal: u64) -> Unfetched {
    let what = if begins_like_a_page(said.as_bytes()) {
        "是网页".to_owned()
    } else if said.is_empty() {
        "是空的".to_owned()
    } else if said.starts_with(['{', '[']) {
        "是不完整或有误的 JSON".to_owned()
    } else {
        format!("只有一句话“{}”", shortened(said))
    };
    Unfetched::wrong(
        NO_JSON,
        format!(
            "第{ordinal}页的应答不是 JSON：{what}。处理：联系该部门核对接口；确表示没有数据的，把原话写入适配文件 empty"
        ),
    )
}

/// A value as text: `"200"` and `200` are the same; null is nothing.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The text at a pointer; nothing where there is none.
pub fn pointed(document: &Value, pointer: &str) -> String {
    document.pointer(pointer).map(text).unwrap_or_default()
}

/// Whether a text is one of these.
pub fn is_word(words: &OneOrMany, text: &str) -> bool {
    words.list().iter().any(|word| word == text)
}

/// A whole number, also as a text or with a zero fraction.
fn whole(value: &Value) -> Option<u64> {
    let text = text(value);
    let text = text.trim();
    let plain = text
        .split_once('.')
        .filter(|(_, fraction)| fraction.bytes().all(|byte| byte == b'0'))
        .map_or(text, |(plain, _)| plain);
    plain.parse().ok()
}

/// A foreign text for a message: short, on one line, without numbers that could be a person's.
pub fn shortened(foreign: &str) -> String {
    let mut shown = String::new();
    let mut digits = String::new();
    let close = |digits: &mut String, shown: &mut String| {
        if digits.len() < PERSONAL {
            shown.push_str(digits);
        } else {
            shown.push_str(&digits[..2]);
            shown.push_str("****");
        }
        digits.clear();
    };
    for c in foreign.chars().take(SHOWN) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        close(&mut digits, &mut shown);
        shown.push(if c.is_control() { ' ' } else { c });
    }
    close(&mut digits, &mut shown);
    if foreign.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
