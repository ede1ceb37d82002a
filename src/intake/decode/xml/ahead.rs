//! Looking for the next record in the bytes, before a parser reads it.

use encoding_rs::GB18030;
use memchr::memmem::Finder;
use xxhash_rust::xxh3::xxh3_64;

use crate::adapter::row::RawRow;
use crate::domain::batch::Unreadable;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::records::Records;
use crate::intake::decode::source::Source;

/// What is known of the records to come.
pub struct Ahead {
    /// Longer records are the parser's: no token in one is beyond its cap.
    most: usize,
    /// The name of the record before, and its tags in the bytes: `<ROW`, `</ROW>`.
    name: String,
    start: Vec<u8>,
    end: Finder<'static>,
    /// Where the record that was sighted ends, and the digest of its bytes.
    sighted: Option<(u64, u64)>,
    /// The elements of a record are within the cap on depth.
    is_deep_enough: bool,
}

/// Lays a record on its columns: the text from behind the name of its start tag up to its end tag.
fn lay(inside: &str, columns: &Handover<'_>, row: &mut RawRow) -> Option<()> {
    row.lay(inside);
    let bytes = inside.as_bytes();
    let mut at = 1;
    let mut next = 0;
    if bytes.first() != Some(&b'>') {
        return None;
    }
    loop {
        while bytes.get(at).is_some_and(|byte| b" \t\r\n".contains(byte)) {
            at += 1;
        }
        match bytes.get(at) {
            None => return Some(()),
            Some(b'<') => at += 1,
            Some(_) => return None,
        }
        let (column, name) = columns.named(next, &bytes[at..], b">/")?;
        // A second one joins the first.
        if row.is_marked(column) {
            return None;
        }
        next = column + 1;
        at += name.len();
        if bytes[at] == b'/' {
            if bytes.get(at + 1) != Some(&b'>') {
                return None;
            }
            row.mark(column, at..at, false);
            at += 2;
            continue;
        }
        at += 1;
        let end = at + memchr::memchr3(b'<', b'&', b'\r', &bytes[at..])?;
        let behind = (bytes[end..].strip_prefix(b"</"))?
            .strip_prefix(name.as_bytes())?
            .first();
        if behind != Some(&b'>') {
            return None;
        }
        row.mark(column, at..end, false);
        at = end + name.len() + 3;
    }
}

impl Ahead {
    /// Looks for records of at most so many bytes.
    pub fn new(most: u64, is_deep_enough: bool) -> Self {
        Self {
            most: usize::try_from(most).unwrap_or(usize::MAX),
            name: String::new(),
            start: Vec::new(),
            end: Finder::new(b""),
            sighted: None,
            is_deep_enough,
        }
    }

    /// The parser has read a record up to here: the digest of its bytes, when they are those that were sighted.
    pub fn end_at(&mut self, position: u64) -> Option<u64> {
        let (end, digest) = self.sighted.take()?;
        (end == position).then_some(digest)
    }

    /// Passes over the records that are known and hands on those that are regular, behind one of this name, up to one that
    /// the parser has to read.
    pub fn pass(
        &mut self,
        name: &str,
        source: &mut Source<'_>,
        records: &mut Records<'_, '_>,
    ) -> Result<(), Unreadable> {
        if name != self.name {
            self.of(name, source.is_undecoded());
        }
        if self.start.is_empty() || !source.is_between() {
            return Ok(());
        }
        while let Some((from, to)) = self.find(source)? {
            let digest = xxh3_64(&source.rest()[from..to]);
            let number = records.number() + 1;
            let inside = from + self.start.len()..to - self.end.needle().len();
            if !records.sight(number, digest)?
                && !self.is_regular(number, digest, source.look(inside), records)?
            {
                self.sighted = Some((source.position() + to as u64, digest));
                break;
            }
            source.pass(to);
        }
        Ok(())
    }

    /// Whether a record of elements that hold nothing but text was handed on. Anything else is the parser's.
    fn is_regular(
        &self,
        number: u64,
        digest: u64,
        inside: Option<&str>,
        records: &mut Records<'_, '_>,
    ) -> Result<bool, Unreadable> {
        let Some(inside) = inside.filter(|_| self.is_deep_enough) else {
            return Ok(false);
        };
        records.regular(number, digest, |columns, row| lay(inside, columns, row))
    }

    fn of(&mut self, name: &str, in_gb18030: bool) {
        name.clone_into(&mut self.name);
        let bytes = if in_gb18030 {
            let (bytes, _, is_unmappable) = GB18030.encode(name);
            if is_unmappable {
                self.start.clear();
                return;
            }
            bytes.into_owned()
        } else {
            name.as_bytes().to_vec()
        };
        self.start = [b"<", bytes.as_slice()].concat();
        self.end = Finder::new(&[b"</", bytes.as_slice(), b">"].concat()).into_owned();
    }

    /// Where the next record begins and ends in the rest of the window, when only blanks stand before it.
    fn find(&self, source: &mut Source<'_>) -> Result<Option<(usize, usize)>, Unreadable> {
        let mut from = 0;
        loop {
            let rest = source.rest();
            from += (rest[from..].iter())
                .take_while(|byte| b" \t\r\n".contains(byte))
                .count();
            // One byte more, so that `<ROWS` is not taken for `<ROW`.
            if rest.len() > from + self.start.len() {
                break;
            }
            if from > self.most || !source.more()? {
                return Ok(None);
            }
        }
        let rest = &source.rest()[from..];
        let behind = rest[self.start.len()];
        if !rest.starts_with(&self.start) || !b"> \t\r\n".contains(&behind) {
            return Ok(None);
        }
        let length = self.end.needle().len();
        let mut seen = from;
        loop {
            let rest = source.rest();
            if let Some(at) = self.end.find(&rest[seen..]) {
                let to = seen + at + length;
                return Ok((to <= self.most).then_some((from, to)));
            }
            seen = (rest.len() + 1).saturating_sub(length).max(from);
            if rest.len() > self.most || !source.more()? {
                return Ok(None);
            }
        }
    }
}
