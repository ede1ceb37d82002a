//! File names of other machines: bytes there, text here.

use encoding_rs::GB18030;

use crate::adapter::endpoint::host::Names;

/// The name as text; `None` when it is not written in this charset, or no file may be called so: control characters,
/// slashes, `.` and `..`.
#[must_use]
pub fn read(raw: &[u8], names: Names) -> Option<String> {
    let utf8 = || std::str::from_utf8(raw).ok().map(str::to_owned);
    let gb18030 = || {
        GB18030
            .decode_without_bom_handling_and_without_replacement(raw)
            .map(std::borrow::Cow::into_owned)
    };
    let text = match names {
        Names::Utf8 => utf8(),
        Names::Gb18030 => gb18030(),
        Names::Auto => utf8().or_else(gb18030),
    }?;
    let is_usable = !text.is_empty()
        && text != "."
        && text != ".."
        && !text.contains(['/', '\\'])
        && !text.chars().any(char::is_control);
    is_usable.then_some(text)
}

/// A path or name of ours as the machine writes it.
#[must_use]
pub fn write(text: &str, names: Names) -> Vec<u8> {
    match names {
        Names::Utf8 | Names::Auto => text.as_bytes().to_vec(),
        // GB18030 has a place for every character.
        Names::Gb18030 => GB18030.encode(text).0.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_their_charset_or_not_at_all() {
        let gbk: &[u8] = b"\xb2\xce\xb1\xa3_1.csv";
        let utf8 = "参保_1.csv".as_bytes();
        for (raw, names, wanted) in [
            (gbk, Names::Auto, Some("参保_1.csv")),
            (gbk, Names::Gb18030, Some("参保_1.csv")),
            (gbk, Names::Utf8, None),
            (utf8, Names::Auto, Some("参保_1.csv")),
            (utf8, Names::Utf8, Some("参保_1.csv")),
            (b"a b.csv", Names::Gb18030, Some("a b.csv")),
            (b"\xff\xff", Names::Auto, None),
            (b"..", Names::Auto, None),
            (b"", Names::Auto, None),
            (b"a/b", Names::Auto, None),
            (b"a\\b", Names::Auto, None),
            (b"a\nb", Names::Auto, None),
        ] {
            assert_eq!(read(raw, names).as_deref(), wanted, "{raw:?} {names:?}");
        }
        assert_eq!(write("参保_1.csv", Names::Gb18030), gbk);
        assert_eq!(write("参保_1.csv", Names::Auto), utf8);
    }
}
