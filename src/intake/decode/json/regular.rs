//! A record that is like the one before: an object of known keys with plain values, read in place.

use crate::adapter::row::RawRow;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::json::BLANKS;

/// Lays a line on its columns: an object of texts without a backslash, plain numbers, `true`, `false` and `null`. Anything
/// else, and whatever may be no JSON at all, is `None`.
pub fn lay(line: &str, columns: &Handover<'_>, row: &mut RawRow) -> Option<()> {
    let line = line.trim_matches(BLANKS);
    let bytes = line.as_bytes();
    // Within the object a control character is either blank between values or wrong within one. Without a way out in the
    // middle many bytes are looked at together.
    let lowest = bytes.iter().fold(u8::MAX, |lowest, byte| lowest.min(*byte));
    if bytes.first() != Some(&b'{') || lowest < b' ' {
        return None;
    }
    row.lay(line);
    let mut next = 0;
    let mut at = blanks(bytes, 1);
    loop {
        at = after(bytes, at, b'"')?;
        let (column, name) = columns.named(next, &bytes[at..], b"\"")?;
        // The second of a key must say the same.
        if row.is_marked(column) {
            return None;
        }
        next = column + 1;
        at = blanks(bytes, at + name.len() + 1);
        at = blanks(bytes, after(bytes, at, b':')?);
        at = value(bytes, at, column, row)?;
        at = blanks(bytes, at);
        match bytes.get(at)? {
            b',' => at = blanks(bytes, at + 1),
            b'}' => return (at + 1 == bytes.len()).then_some(()),
            _ => return None,
        }
    }
}

fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

fn after(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    (bytes.get(at) == Some(&byte)).then_some(at + 1)
}

/// Marks the value; where it ends.
fn value(bytes: &[u8], at: usize, column: usize, row: &mut RawRow) -> Option<usize> {
    let rest = &bytes[at..];
    match rest.first()? {
        b'"' => {
            let end = at + 1 + memchr::memchr2(b'"', b'\\', &rest[1..])?;
            row.mark(column, at + 1..end, false);
            after(bytes, end, b'"')
        }
        b'n' if rest.starts_with(b"null") => {
            row.mark(column, at..at, false);
            Some(at + 4)
        }
        b't' if rest.starts_with(b"true") => {
            row.mark(column, at..at + 4, false);
            Some(at + 4)
        }
        b'f' if rest.starts_with(b"false") => {
            row.mark(column, at..at + 5, false);
            Some(at + 5)
        }
        _ => {
            let end = at + number(rest)?;
            row.mark(column, at..end, true);
            Some(end)
        }
    }
}

/// The length of a number without an exponent.
fn number(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && bytes[at] == b'0') {
        return None;
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    (!matches!(bytes.get(at), Some(b'e' | b'E'))).then_some(at)
}
