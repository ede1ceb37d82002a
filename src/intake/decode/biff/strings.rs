//! Texts of an XLS workbook: two bytes a character, or one; or, before Excel 97, in the workbook's code page.

use encoding_rs::{Encoding, GB18030, UTF_8, WINDOWS_1252};

use crate::adapter::format::Charset;

/// What one-byte texts are written in.
#[derive(Debug, Clone, Copy)]
pub struct Narrow {
    /// The code page before Excel 97.
    page: &'static Encoding,
    /// The adapter names it: then one-byte texts of later versions are in it, too, which some old writers of Chinese
    /// workbooks do although the format knows only Latin there.
    forced: bool,
}

impl Narrow {
    /// By the adapter, else by the workbook's code page. A workbook that says nothing is Chinese; a code page that is
    /// not known is `None`.
    pub fn new(adapter: Option<Charset>, code_page: Option<u16>) -> Option<Self> {
        // Sixteen bits a character is what texts of one byte are not.
        let adapter = adapter.filter(|charset| matches!(charset, Charset::Gb18030 | Charset::Utf8));
        let page = match (adapter, code_page) {
            // 1200 is UTF-16: such a workbook has no texts of one byte but Latin ones.
            (Some(Charset::Gb18030), _) | (None, None | Some(936 | 20_936 | 54_936 | 1200)) => {
                GB18030
            }
            (Some(Charset::Utf8), _) | (None, Some(65_001)) => UTF_8,
            (None, Some(1252 | 28_591 | 20_127 | 367 | 32_769)) => WINDOWS_1252,
            _ => return None,
        };
        Some(Self {
            page,
            forced: adapter.is_some(),
        })
    }

    /// A text in the code page; `None` when it is malformed.
    pub fn paged(self, bytes: &[u8]) -> Option<String> {
        self.page
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map(std::borrow::Cow::into_owned)
    }

    fn push(self, bytes: &[u8], text: &mut String) -> Option<()> {
        if self.forced && !bytes.is_ascii() {
            text.push_str(&self.paged(bytes)?);
        } else {
            text.extend(bytes.iter().map(|byte| char::from(*byte)));
        }
        Some(())
    }
}

/// Reads over a record and those that continue it.
pub struct Segments<'s> {
    parts: Vec<&'s [u8]>,
    at: usize,
    offset: usize,
}

impl<'s> Segments<'s> {
    /// From the start of the first.
    pub fn new(parts: Vec<&'s [u8]>) -> Self {
        Self {
            parts,
            at: 0,
            offset: 0,
        }
    }

    /// The bytes that are left of the segment at hand; of the next one when nothing is left of it.
    fn rest(&mut self) -> Option<&'s [u8]> {
        while self.offset >= self.parts.get(self.at)?.len() {
            self.at += 1;
            self.offset = 0;
        }
        self.parts[self.at].get(self.offset..)
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.rest()?.first()?;
        self.offset += 1;
        Some(byte)
    }

    /// Two bytes as a number.
    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    /// Four bytes as a number.
    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) | u32::from(self.u16()?) << 16)
    }

    fn skip(&mut self, mut bytes: usize) -> Option<()> {
        while bytes > 0 {
            let step = self.rest()?.len().min(bytes);
            self.offset += step;
            bytes -= step;
        }
        Some(())
    }

    /// A text with its length in characters before it. Fonts and phonetic marks behind it are passed over.
    pub fn text(&mut self, narrow: Narrow, text: &mut String) -> Option<()> {
        let characters = usize::from(self.u16()?);
        self.characters(characters, narrow, text)
    }

    /// A text of known length. Where a record continues it, the mark of its width comes again.
    pub fn characters(&mut self, mut left: usize, narrow: Narrow, text: &mut String) -> Option<()> {
        let flags = self.byte()?;
        let runs = if flags & 8 != 0 { self.u16()? } else { 0 };
        let marks = if flags & 4 != 0 { self.u32()? } else { 0 };
        let mut wide = flags & 1 != 0;
        let mut units: Vec<u16> = Vec::new();
        let mut bytes: Vec<u8> = Vec::new();
        while left > 0 {
            if self.offset >= self.parts.get(self.at)?.len() {
                self.rest()?;
                wide = self.byte()? & 1 != 0;
            }
            let rest = self.rest()?;
            if wide {
                flush(narrow, &mut bytes, text)?;
                let taken = (rest.len() / 2).min(left);
                if taken == 0 {
                    return None;
                }
                units.extend(
                    rest[..taken * 2]
                        .chunks_exact(2)
                        .map(|pair| u16::from_le_bytes([pair[0], pair[1]])),
                );
                self.offset += taken * 2;
                left -= taken;
            } else {
                flush_wide(&mut units, text)?;
                let taken = rest.len().min(left);
                bytes.extend_from_slice(&rest[..taken]);
                self.offset += taken;
                left -= taken;
            }
        }
        flush(narrow, &mut bytes, text)?;
        flush_wide(&mut units, text)?;
        self.skip(usize::from(runs) * 4)?;
        self.skip(usize::try_from(marks).ok()?)
    }
}

fn flush(narrow: Narrow, bytes: &mut Vec<u8>, text: &mut String) -> Option<()> {
    narrow.push(bytes, text)?;
    bytes.clear();
    Some(())
}

fn flush_wide(units: &mut Vec<u16>, text: &mut String) -> Option<()> {
    for c in char::decode_utf16(units.drain(..)) {
        text.push(c.ok()?);
    }
    Some(())
}

/// Many texts in one piece of memory.
#[derive(Debug, Default)]
pub struct Texts {
    joined: String,
    ends: Vec<usize>,
}

impl Texts {
    /// Reads the table of shared texts.
    pub fn read(segments: &mut Segments<'_>, narrow: Narrow) -> Option<Self> {
        let _uses = segments.u32()?;
        let claimed = segments.u32()?;
        let mut texts = Self::default();
        for _ in 0..claimed {
            segments.text(narrow, &mut texts.joined)?;
            texts.ends.push(texts.joined.len());
        }
        Some(texts)
    }

    /// The text at this place.
    pub fn get(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)?;
        let start = match at.checked_sub(1) {
            Some(before) => self.ends[before],
            None => 0,
        };
        self.joined.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::{Narrow, Segments, Texts};
    use crate::adapter::format::Charset;

    fn narrow() -> Narrow {
        Narrow::new(None, Some(1200)).expect("known")
    }

    #[test]
    fn texts_go_on_over_the_borders_of_records() {
        // “ab” narrow; “名称” wide, cut after one character, going on narrow; rich “x” with one run and two marks.
        let first: &[u8] = b"\x03\0\0\0\x03\0\0\0\x02\0\0ab\x03\0\x01\x0d\x54";
        let second: &[u8] = b"\0yz\x01\0\x0c\x01\0\x02\0\0\0xRRRRmm";
        let mut segments = Segments::new(vec![first, second]);
        let texts = Texts::read(&mut segments, narrow()).expect("texts");
        assert_eq!(texts.get(0), Some("ab"));
        assert_eq!(texts.get(1), Some("名yz"));
        assert_eq!(texts.get(2), Some("x"));
        assert_eq!(texts.get(3), None);
        for end in 0..second.len() {
            let mut cut = Segments::new(vec![first, &second[..end]]);
            assert!(Texts::read(&mut cut, narrow()).is_none(), "{end}");
        }
    }

    #[test]
    fn code_pages_are_those_of_the_workbook_or_the_adapter() {
        let bytes = b"\xc3\xfb\xb3\xc6";
        for (adapter, page, expected) in [
            (None, None, Some("名称")),
            (None, Some(936), Some("名称")),
            (None, Some(1252), Some("Ãû³Æ")),
            (Some(Charset::Gb18030), Some(1252), Some("名称")),
            (Some(Charset::Utf8), Some(936), None),
            (None, Some(950), None),
        ] {
            let text = Narrow::new(adapter, page).and_then(|narrow| narrow.paged(bytes));
            assert_eq!(text.as_deref(), expected, "{page:?}");
        }
        let mut text = String::new();
        let forced = Narrow::new(Some(Charset::Gb18030), Some(1200)).expect("known");
        Segments::new(vec![b"\x04\0\0\xc3\xfb\xb3\xc6"])
            .text(forced, &mut text)
            .expect("text");
        assert_eq!(text, "名称");
    }
}
