//! Reading the next record where it lies, before a parser comes to it.

use memchr::memmem::Finder;

use crate::adapter::row::RawRow;
use crate::domain::batch::Unreadable;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::records::Records;
use crate::intake::decode::source::Source;

/// What is known of the records to come.
pub struct Ahead {
    /// Longer records are the parser's: no token in one is beyond its cap.
    most: usize,
    /// The name of the record before, and its tags: `<ROW`, `</ROW>`.
    name: String,
    start: Vec<u8>,
    end: Finder<'static>,
    /// `]]>` may stand in no text.
    stray: Finder<'static>,
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
        // A second one joins the first. A column may have lost its prefix: without it, it need not be a name.
        if row.is_marked(column) || !columns.is_element(column) {
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
    pub fn new(most: u64) -> Self {
        Self {
            most: usize::try_from(most).unwrap_or(usize::MAX),
            name: String::new(),
            start: Vec::new(),
            end: Finder::new(b""),
            stray: Finder::new(b"]]>"),
        }
    }

    /// Hands on the records that are regular, behind one of this name, up to one that the parser has to read.
    pub fn pass(
        &mut self,
        name: &str,
        source: &mut Source<'_>,
        records: &mut Records<'_, '_>,
    ) -> Result<(), Unreadable> {
        if name != self.name {
            name.clone_into(&mut self.name);
            self.start = format!("<{name}").into_bytes();
            self.end = Finder::new(format!("</{name}>").as_bytes()).into_owned();
        }
        while let Some((from, to)) = self.find(source) {
            let inside = from + self.start.len()..to - self.end.needle().len();
            let Some(inside) = source.look(inside) else {
                break;
            };
            if self.stray.find(inside.as_bytes()).is_some()
                || !records.lay(|columns, row| lay(inside, columns, row))
            {
                break;
            }
            let number = records.number() + records.passed()? + 1;
            records.hand_on(number)?;
            source.pass(to);
        }
        Ok(())
    }

    /// Where the next record begins and ends in the rest of the window, when only blanks stand before it.
    fn find(&self, source: &mut Source<'_>) -> Option<(usize, usize)> {
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
            if from > self.most || !source.ahead() {
                return None;
            }
        }
        let rest = &source.rest()[from..];
        let behind = rest[self.start.len()];
        if !rest.starts_with(&self.start) || !b"> \t\r\n".contains(&behind) {
            return None;
        }
        let length = self.end.needle().len();
        let mut seen = from;
        loop {
            let rest = source.rest();
            if let Some(at) = self.end.find(&rest[seen..]) {
                let to = seen + at + length;
                return (to <= self.most).then_some((from, to));
            }
            seen = (rest.len() + 1).saturating_sub(length).max(from);
            if rest.len() > self.most || !source.ahead() {
                return None;
            }
        }
    }
}
