//! The strings that the cells of a workbook share, in one text.

use quick_xml::events::Event;

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::source::Source;
use crate::intake::decode::workbook::{claim, damaged, walk};
use crate::intake::decode::xlsx::rich::{Rich, push_piece};
use crate::intake::decode::xml::token_bytes;

/// The shortest shared string, `<si/>`.
const STRING_BYTES: u64 = 5;

/// The strings, by their numbers.
#[derive(Debug, Default)]
pub struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    /// Reads the table, of which the part has so many bytes. It is as large as the part at most.
    pub fn read(source: Source<'_>, bytes: u64, limits: &Limits) -> Result<Self, Unreadable> {
        let mut strings = Self::default();
        let mut rich = Rich::default();
        let mut inside = false;
        let most = token_bytes(limits);
        walk(source, limits, &mut |event, source| {
            match event {
                Event::Start(start) if start.local_name().as_ref() == "sst" => {
                    if claim(start.attributes_raw()) > bytes / STRING_BYTES {
                        return Err(damaged());
                    }
                    return strings.pass(source, most);
                }
                Event::Start(start) if !inside && start.local_name().as_ref() == "si" => {
                    inside = true;
                    rich.clear();
                }
                Event::End(end) if inside && end.local_name().as_ref() == "si" => {
                    inside = false;
                    strings.text.push_str(&rich.text);
                    strings.ends.push(strings.text.len());
                    return strings.pass(source, most);
                }
                event if inside => rich.see(event, most)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(strings)
    }

    /// The string of this number.
    pub fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start = match number {
            0 => 0,
            _ => self.ends[number - 1],
        };
        Some(&self.text[start..end])
    }

    /// Takes the strings of one plain piece that come next, up to one that the parser has to read.
    fn pass(&mut self, source: &mut Source<'_>, most: u64) -> Result<(), Unreadable> {
        loop {
            match self.next(source.rest()) {
                Some(amount) => source.pass(amount),
                None if source.rest().len() as u64 > most || source.rest().len() >= WINDOW => {
                    return Ok(());
                }
                None if source.more()? => {}
                None => return Ok(()),
            }
        }
    }

    fn next(&mut self, rest: &[u8]) -> Option<usize> {
        let behind = rest.strip_prefix(b"<si><t")?;
        let (keeps_blanks, behind) = match behind.strip_prefix(b">") {
            Some(behind) => (false, behind),
            None => (true, behind.strip_prefix(b" xml:space=\"preserve\">")?),
        };
        let length = memchr::memchr3(b'<', b'&', b'\r', behind)?;
        let after = behind[length..].strip_prefix(b"</t></si>")?;
        let piece = simdutf8::basic::from_utf8(&behind[..length]).ok()?;
        push_piece(piece, keeps_blanks, &mut self.text);
        self.ends.push(self.text.len());
        Some(rest.len() - after.len())
    }
}

/// A window that holds so much and no string that is plain, and ends in it, is not looked at further.
const WINDOW: usize = 64 << 10;
