//! The rules of form (XML 1.0, fifth edition) that the parser leaves to whoever calls it.
//!
//! It is lenient on purpose; a document that another house's parser refuses must not be read here, for what it means is
//! anybody's guess then. Namespaces are not looked at: names count without their prefix.

use crate::intake::decode::xml::form::Fault::{Form, UnknownEntity};

/// So many attributes of one element are compared each with each; more are sorted.
const FEW: usize = 8;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not well-formed: what, in Chinese.
    Form(&'static str),
    /// A reference to an entity that is not predefined.
    UnknownEntity,
}

/// Whether a text is a name.
pub fn is_name(name: &str) -> bool {
    let Some(first) = name.bytes().next() else {
        return false;
    };
    if name.is_ascii() {
        return is_start_byte(first) && name.bytes().all(is_name_byte);
    }
    let mut chars = name.chars();
    chars.next().is_some_and(starts_name) && chars.all(is_in_name)
}

fn is_start_byte(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b':'
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-' | b'.')
}

fn starts_name(c: char) -> bool {
    match c {
        '\0'..='\x7f' => is_start_byte(c as u8),
        '\u{c0}'..='\u{2ff}' => !matches!(c, '\u{d7}' | '\u{f7}'),
        '\u{370}'..='\u{1fff}' => c != '\u{37e}',
        '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}' => true,
        _ => false,
    }
}

fn is_in_name(c: char) -> bool {
    match c {
        '\0'..='\x7f' => is_name_byte(c as u8),
        '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}' => true,
        _ => starts_name(c),
    }
}

/// Whether a character may stand in a document at all.
fn is_character(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// Where the first character stands that may be in no document; the bytes are whole characters of UTF-8.
pub fn forbidden(text: &[u8]) -> Option<usize> {
    let is_control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    // Without a way out in the middle many bytes are looked at together.
    let any = text.iter().fold(false, |any, byte| any | is_control(*byte));
    if any {
        return text.iter().position(|byte| is_control(*byte));
    }
    // U+FFFE and U+FFFF.
    memchr::memmem::find_iter(text, b"\xef\xbf")
        .find(|at| text.get(at + 2).is_some_and(|last| *last >= 0xbe))
}

/// Text between tags.
pub fn text(text: &str) -> Result<(), Fault> {
    if memchr::memchr_iter(b'>', text.as_bytes()).any(|at| text[..at].ends_with("]]")) {
        return Err(Form("文本中有“]]>”"));
    }
    Ok(())
}

/// What stands between `&` and `;`: the character it means.
pub fn reference(inside: &str) -> Result<char, Fault> {
    match inside {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => {}
    }
    let Some(number) = inside.strip_prefix('#') else {
        return Err(if is_name(inside) {
            UnknownEntity
        } else {
            Form("有未转义的 & 符号")
        });
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // A sign would be read as part of the number.
    Some(digits)
        .filter(|digits| digits.chars().all(|c| c.is_digit(radix)))
        .and_then(|digits| u32::from_str_radix(digits, radix).ok())
        .and_then(char::from_u32)
        .filter(|c| is_character(*c))
        .ok_or(Form("字符引用不是 XML 允许的字符"))
}

/// A start tag: its name, and what follows the name.
pub fn tag(name: &str, rest: &str) -> Result<(), Fault> {
    if !is_name(name) {
        return Err(Form("元素名不合规范"));
    }
    if rest.is_empty() {
        return Ok(());
    }
    let mut few = [""; FEW];
    let mut many = Vec::new();
    let mut count = 0;
    attributes(rest, &mut |key, value| {
        value_of(value)?;
        if count < FEW {
            if few[..count].contains(&key) {
                return Err(TWICE);
            }
            few[count] = key;
        } else {
            many.push(key);
        }
        count += 1;
        Ok(())
    })?;
    if many.is_empty() {
        return Ok(());
    }
    many.extend(few);
    many.sort_unstable();
    if many.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(TWICE);
    }
    Ok(())
}

const TWICE: Fault = Form("同一标签中属性重复");

/// What takes the attributes of a tag: key and value as they stand.
type Sink<'f, 't> = dyn FnMut(&'t str, &'t str) -> Result<(), Fault> + 'f;

/// Hands on the attributes that follow a name.
fn attributes<'t>(rest: &'t str, sink: &mut Sink<'_, 't>) -> Result<(), Fault> {
    let bytes = rest.as_bytes();
    let mut at = 0;
    loop {
        let key_at = blanks(bytes, at);
        if key_at == bytes.len() {
            return Ok(());
        }
        if key_at == at {
            return Err(Form("属性之间没有空格"));
        }
        let length = (bytes[key_at..].iter()).position(|byte| *byte == b'=' || is_blank(*byte));
        let key_end = length.map_or(bytes.len(), |length| key_at + length);
        let key = &rest[key_at..key_end];
        if !is_name(key) {
            return Err(Form("属性名不合规范"));
        }
        at = blanks(bytes, key_end);
        if bytes.get(at) != Some(&b'=') {
            return Err(Form("有没有值的属性"));
        }
        at = blanks(bytes, at + 1);
        let Some(quote) = bytes.get(at).filter(|byte| b"\"'".contains(byte)) else {
            return Err(Form("属性值没有加引号"));
        };
        at += 1;
        let Some(length) = memchr::memchr(*quote, &bytes[at..]) else {
            return Err(Form("属性值的引号没有配对"));
        };
        sink(key, &rest[at..at + length])?;
        at += length + 1;
    }
}

/// The value of an attribute.
fn value_of(value: &str) -> Result<(), Fault> {
    let mut rest = value;
    while let Some(at) = memchr::memchr2(b'<', b'&', rest.as_bytes()) {
        if rest.as_bytes()[at] == b'<' {
            return Err(Form("属性值中有未转义的 < 符号"));
        }
        let Some((inside, behind)) = rest[at + 1..].split_once(';') else {
            return Err(Form("有未转义的 & 符号"));
        };
        reference(inside)?;
        rest = behind;
    }
    Ok(())
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| is_blank(*byte)) {
        at += 1;
    }
    at
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Whether only blanks as XML knows them stand there.
pub fn is_blank_text(text: &str) -> bool {
    text.trim_matches(BLANKS).is_empty()
}

/// The target of a processing instruction.
pub fn instruction(target: &str) -> Result<(), Fault> {
    if target.eq_ignore_ascii_case("xml") {
        return Err(MISPLACED);
    }
    if !is_name(target) {
        return Err(Form("处理指令的名称不合规范"));
    }
    Ok(())
}

/// An XML declaration where none may stand.
pub const MISPLACED: Fault = Form("XML 声明不在文件开头，其前不得有空白或其他内容");

/// What stands in `<?xml …?>` behind `xml`.
pub fn declaration(rest: &str) -> Result<(), Fault> {
    let mut said = Vec::new();
    attributes(rest, &mut |key, value| {
        said.push((key, value));
        Ok(())
    })
    .map_err(|_| DECLARATION)?;
    let is_version = |version: &str| {
        let minor = version.strip_prefix("1.").unwrap_or_default();
        !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_encoding = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && (name.bytes()).all(|byte| is_name_byte(byte) && byte != b':')
    };
    let mut rest = said.as_slice();
    let mut next = |key: &str| match rest.split_first() {
        Some(((name, value), behind)) if *name == key => {
            rest = behind;
            Some(*value)
        }
        _ => None,
    };
    let is_right = next("version").is_some_and(is_version)
        && next("encoding").is_none_or(is_encoding)
        && next("standalone").is_none_or(|said| said == "yes" || said == "no");
    if is_right && rest.is_empty() {
        Ok(())
    } else {
        Err(DECLARATION)
    }
}

const DECLARATION: Fault = Form("XML 声明不合规范");

/// A document type declaration without an internal subset, from `<!` to `>`.
pub fn document_type(whole: &str) -> Result<(), Fault> {
    is_document_type(whole)
        .is_some_and(|is| is)
        .then_some(())
        .ok_or(Form("DOCTYPE 不合规范"))
}

fn is_document_type(whole: &str) -> Option<bool> {
    let inside = whole.strip_prefix("<!DOCTYPE")?.strip_suffix('>')?;
    let (name, rest) = word(inside)?;
    let rest = if rest.trim_matches(BLANKS).is_empty() {
        ""
    } else {
        let (kind, rest) = word(rest)?;
        match kind {
            "SYSTEM" => literal(rest)?.1,
            "PUBLIC" => {
                let (public, rest) = literal(rest)?;
                let is_public = |byte: u8| {
                    byte.is_ascii_alphanumeric() || b" \r\n-'()+,./:=?;!*#@$_%".contains(&byte)
                };
                if !public.bytes().all(is_public) {
                    return None;
                }
                literal(rest)?.1
            }
            _ => return None,
        }
    };
    Some(is_name(name) && is_blank_text(rest))
}

/// The word behind blanks, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let word = text.trim_start_matches(BLANKS);
    let end = word.find(BLANKS).unwrap_or(word.len());
    (word.len() < text.len()).then(|| word.split_at(end))
}

/// The text in quotes behind blanks, and what follows it.
fn literal(text: &str) -> Option<(&str, &str)> {
    let quoted = text.trim_start_matches(BLANKS);
    let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (inside, rest) = quoted[1..].split_once(quote)?;
    (quoted.len() < text.len()).then_some((inside, rest))
}
