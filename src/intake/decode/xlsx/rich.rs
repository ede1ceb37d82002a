//! The text of a string: plain, or in runs of several fonts; phonetic marks are none of it.

use std::borrow::Cow;

use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::domain::batch::Unreadable;
use crate::intake::decode::workbook::{attributes, damaged};
use crate::intake::decode::xml::endless;

/// A UTF-16 code unit as the format escapes it: `_x000D_`.
const ESCAPE: usize = "_x000D_".len();

/// Adds what an event says to a text.
pub fn push_event(event: &Event<'_>, text: &mut String) -> Result<(), Unreadable> {
    match event {
        Event::Text(piece) => text.push_str(&piece.xml10_content()),
        Event::CData(piece) => text.push_str(&piece.xml10_content()),
        Event::GeneralRef(reference) => push_reference(reference, text)?,
        _ => {}
    }
    Ok(())
}

/// Only the five predefined entities and numeric references mean something.
fn push_reference(reference: &BytesRef<'_>, text: &mut String) -> Result<(), Unreadable> {
    if let Some(c) = reference.resolve_char_ref().map_err(|_| damaged())? {
        text.push(c);
        return Ok(());
    }
    let meaning = quick_xml::escape::resolve_predefined_entity(reference.as_ref());
    text.push_str(meaning.ok_or_else(damaged)?);
    Ok(())
}

/// Puts the pieces of one string together.
#[derive(Debug, Default)]
pub struct Rich {
    /// What there is by now.
    pub text: String,
    piece: String,
    /// In a `t`; whether it keeps the blanks around it.
    open: Option<bool>,
    phonetic: bool,
}

impl Rich {
    /// Begins the next string.
    pub fn clear(&mut self) {
        self.text.clear();
        self.open = None;
        self.phonetic = false;
    }

    /// Takes what stands in the string. It refuses one that grows beyond so many bytes, piece by piece.
    pub fn see(&mut self, event: &Event<'_>, most: u64) -> Result<(), Unreadable> {
        match event {
            Event::Start(start) => self.start(start)?,
            Event::End(end) => match end.local_name().as_ref() {
                "rPh" => self.phonetic = false,
                "t" => self.end_piece(),
                _ => {}
            },
            _ if self.open.is_some() => push_event(event, &mut self.piece)?,
            _ => {}
        }
        if (self.text.len() + self.piece.len()) as u64 > most {
            return Err(endless());
        }
        Ok(())
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), Unreadable> {
        match start.local_name().as_ref() {
            "rPh" => self.phonetic = true,
            "t" if !self.phonetic => {
                let [space] = attributes(start, ["space"])?;
                self.piece.clear();
                self.open = Some(space.as_deref() == Some("preserve"));
            }
            _ => {}
        }
        Ok(())
    }

    fn end_piece(&mut self) {
        if let Some(keeps) = self.open.take() {
            push_piece(&self.piece, keeps, &mut self.text);
            self.piece.clear();
        }
    }
}

/// Adds the text of a `t`.
pub fn push_piece(piece: &str, keeps_blanks: bool, text: &mut String) {
    let piece = if keeps_blanks { piece } else { trimmed(piece) };
    text.push_str(&unescaped(piece));
}

/// The text of a `t` that does not keep the blanks around it.
pub fn trimmed(piece: &str) -> &str {
    piece.trim_matches([' ', '\t', '\r', '\n'])
}

/// A text without the escapes of the format: what XML cannot hold is written as `_x` and the code unit in four digits.
pub fn unescaped(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memmem::find(text.as_bytes(), b"_x") else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    let mut at = first;
    loop {
        if let Some(unit) = escape(&rest[at..]) {
            if at > 0 {
                push_units(&mut units, &mut out);
                out.push_str(&rest[..at]);
            }
            units.push(unit);
            rest = &rest[at + ESCAPE..];
        } else {
            push_units(&mut units, &mut out);
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
        }
        match memchr::memmem::find(rest.as_bytes(), b"_x") {
            Some(next) => at = next,
            None => break,
        }
    }
    push_units(&mut units, &mut out);
    out.push_str(rest);
    Cow::Owned(out)
}

fn push_units(units: &mut Vec<u16>, out: &mut String) {
    out.extend(
        char::decode_utf16(units.drain(..)).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)),
    );
}

/// The code unit of an escape that the text begins with.
fn escape(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("_x")?.get(..4)?;
    if text.as_bytes().get(ESCAPE - 1) != Some(&b'_')
        || !digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{push_piece, unescaped};

    #[test]
    fn escapes_are_code_units() {
        for (text, expected) in [
            ("", ""),
            ("南阳", "南阳"),
            ("_x000D_", "\r"),
            ("甲_x000a_乙", "甲\n乙"),
            ("_x005F_x000D_", "_x000D_"),
            ("_x5357__x9633_", "南阳"),
            ("_xD83D__xDCF7_", "\u{1f4f7}"),
            ("_xD83D_甲_xDCF7_", "\u{fffd}甲\u{fffd}"),
            ("_x000", "_x000"),
            ("_x000G_", "_x000G_"),
            ("_x00½_", "_x00½_"),
            ("__x000D_", "_\r"),
            ("_x_x000D_", "_x\r"),
            ("a_xb", "a_xb"),
        ] {
            assert_eq!(unescaped(text), expected, "{text}");
        }
    }

    #[test]
    fn blanks_around_a_piece_count_only_when_the_file_says_so() {
        let mut text = String::new();
        push_piece(" \t甲　\r\n", false, &mut text);
        push_piece(" 乙 ", true, &mut text);
        assert_eq!(text, "甲　 乙 ");
    }
}
