//! Reading the rows of a sheet where they lie, before the parser comes to them: those that are written as spreadsheet programs
//! write them. Any other row is the parser's.

use memchr::memmem::Finder;

use crate::domain::batch::Unreadable;
use crate::intake::decode::source::Source;
use crate::intake::decode::xlsx::cells::{Cells, Kind, Take, place};
use crate::intake::decode::xlsx::rich::{trimmed, unescaped};

const START: &[u8] = b"<row";
const END: &[u8] = b"</row>";

/// Reads regular rows.
pub struct Regular {
    /// Longer rows are the parser's: no token in one is beyond its cap.
    most: usize,
    end: Finder<'static>,
    text: String,
}

impl Regular {
    /// Rows of at most so many bytes.
    pub fn new(most: u64) -> Self {
        Self {
            most: usize::try_from(most).unwrap_or(usize::MAX),
            end: Finder::new(END),
            text: String::new(),
        }
    }

    /// Reads the rows that come next, up to one that is not regular.
    pub fn pass(
        &mut self,
        source: &mut Source<'_>,
        cells: &mut Cells<'_>,
        take: &mut Take<'_>,
    ) -> Result<(), Unreadable> {
        while let Some((from, to)) = self.find(source)? {
            let Some(row) = source.look(from..to) else {
                break;
            };
            let mut scan = Scan {
                text: row,
                at: START.len(),
            };
            let (mut number, mut hidden) = (None, false);
            let start = scan.attributes(|name, value| {
                match name {
                    "r" => number = Some(value.parse().ok()?),
                    "hidden" => hidden = matches!(value, "1" | "true" | "on"),
                    _ => {}
                }
                Some(())
            });
            let Some(is_empty) = start else {
                break;
            };
            if is_empty {
                if !scan.is_at_end() {
                    break;
                }
                // It says nothing, so the row before is not at its end.
                cells.begin_row(number, hidden)?;
                cells.end_row();
                source.pass(to);
                continue;
            }
            let text = &mut self.text;
            let is_read = cells.attempt(number, hidden, take, |cells| scan.cells(cells, text))?;
            if !is_read {
                break;
            }
            source.pass(to);
        }
        Ok(())
    }

    /// Where the next row begins and ends in the rest of the window, when only blanks stand before it.
    fn find(&self, source: &mut Source<'_>) -> Result<Option<(usize, usize)>, Unreadable> {
        let mut seen = 0;
        loop {
            let rest = source.rest();
            let from = (rest.iter())
                .take_while(|byte| b" \t\r\n".contains(byte))
                .count();
            let row = &rest[from..];
            if row.len() > START.len() {
                if !row.starts_with(START) || !b" >".contains(&row[START.len()]) {
                    return Ok(None);
                }
                // A row without cells has no end tag.
                if let Some(close) = memchr::memchr(b'>', row)
                    && row[close - 1] == b'/'
                {
                    return Ok(Some((from, from + close + 1)));
                }
                seen = seen.max(from);
                if let Some(at) = self.end.find(&rest[seen..]) {
                    let to = seen + at + END.len();
                    return Ok((to <= self.most).then_some((from, to)));
                }
                seen = (rest.len() + 1).saturating_sub(END.len()).max(from);
            }
            if rest.len() > self.most || !source.more()? {
                return Ok(None);
            }
        }
    }
}

/// A row that is read from left to right.
struct Scan<'r> {
    text: &'r str,
    at: usize,
}

impl<'r> Scan<'r> {
    fn rest(&self) -> &'r [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    fn takes(&mut self, wanted: &[u8]) -> bool {
        let takes = self.rest().starts_with(wanted);
        if takes {
            self.at += wanted.len();
        }
        takes
    }

    /// Reads attributes up to the end of the tag: whether the element is empty. Names with a prefix and values with references are
    /// not read here.
    fn attributes(&mut self, mut see: impl FnMut(&'r str, &'r str) -> Option<()>) -> Option<bool> {
        loop {
            match self.rest() {
                [b'>', ..] => {
                    self.at += 1;
                    return Some(false);
                }
                [b'/', b'>', ..] => {
                    self.at += 2;
                    return Some(true);
                }
                [b' ', ..] => self.at += 1,
                _ => return None,
            }
            let rest = self.rest();
            if matches!(rest.first(), Some(b'>' | b'/')) {
                continue;
            }
            let length = rest.iter().take(64).position(|byte| !is_name(*byte))?;
            let value = rest[length..].strip_prefix(b"=\"")?;
            let end = memchr::memchr(b'"', value)?;
            if value[..end].iter().any(|byte| b"&<".contains(byte)) {
                return None;
            }
            let name = &self.text[self.at..self.at + length];
            let from = self.at + length + 2;
            self.at = from + end + 1;
            // By its local name it would be one that means something.
            if let Some((_, local)) = name.rsplit_once(':') {
                if matches!(local, "r" | "s" | "t" | "hidden" | "space") && name != "xml:space" {
                    return None;
                }
                continue;
            }
            see(name, &self.text[from..from + end])?;
        }
    }

    /// The text up to the next tag, references resolved into `kept`.
    fn text<'k>(&mut self, kept: &'k mut String) -> Option<&'k str>
    where
        'r: 'k,
    {
        let rest = self.rest();
        let length = memchr::memchr2(b'<', b'\r', rest)?;
        if rest[length] == b'\r' {
            return None;
        }
        let text = &self.text[self.at..self.at + length];
        self.at += length;
        if memchr::memchr(b'&', text.as_bytes()).is_none() {
            return Some(text);
        }
        kept.clear();
        kept.push_str(&quick_xml::escape::unescape(text).ok()?);
        Some(kept)
    }

    /// The cells of a row and its end.
    fn cells(&mut self, cells: &mut Cells<'_>, kept: &mut String) -> Option<()> {
        loop {
            match self.rest() {
                [b'<', b'c', b' ' | b'>' | b'/', ..] => self.cell(cells, kept)?,
                [b' ' | b'\t' | b'\r' | b'\n', ..] => self.at += 1,
                END => return Some(()),
                _ => return None,
            }
        }
    }

    fn cell(&mut self, cells: &mut Cells<'_>, kept: &mut String) -> Option<()> {
        self.at += 2;
        let (mut at, mut style, mut kind) = (None, 0, None);
        let is_empty = self.attributes(|name, value| {
            match name {
                "r" => at = Some(place(value)?),
                "s" => style = value.parse().ok()?,
                "t" => kind = Some(value),
                _ => {}
            }
            Some(())
        })?;
        if at.is_some_and(|(row, _)| row != cells.row()) {
            return None;
        }
        // No row is pending, so that nothing is taken here.
        let nobody: &mut Take<'_> = &mut |_| Ok(());
        cells.begin_cell(at, style, Kind::of(kind), nobody).ok()?;
        if !is_empty {
            self.content(cells, kept)?;
        }
        cells.end_cell().ok()
    }

    fn content(&mut self, cells: &mut Cells<'_>, kept: &mut String) -> Option<()> {
        loop {
            if self.takes(b"<v>") {
                cells.value(self.text(kept)?).ok()?;
                if !self.takes(b"</v>") {
                    return None;
                }
            } else if self.takes(b"<is><t") {
                self.inline(cells, kept)?;
            } else if self.takes(b"</c>") {
                return Some(());
            } else if self.takes(b"<f") {
                cells.formula();
                if !self.attributes(|_, _| Some(()))? {
                    self.at += memchr::memchr(b'<', self.rest())?;
                    if !self.takes(b"</f>") {
                        return None;
                    }
                }
            } else {
                return None;
            }
        }
    }

    /// A text of one piece, from behind `<is><t`.
    fn inline(&mut self, cells: &mut Cells<'_>, kept: &mut String) -> Option<()> {
        let keeps_blanks = self.takes(b" xml:space=\"preserve\"");
        if !self.takes(b">") {
            return None;
        }
        let text = self.text(kept)?;
        let text = if keeps_blanks { text } else { trimmed(text) };
        cells.inline(&unescaped(text));
        self.takes(b"</t></is>").then_some(())
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b":_-.".contains(&byte)
}
