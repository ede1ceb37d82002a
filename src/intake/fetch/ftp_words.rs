//! The words of FTP that hold file names, as bytes.

use crate::intake::fetch::listing::{Entry, Kind};

/// Bytes and text, one for one: the library keeps names as text, and so loses none, whatever charset they are in.
#[derive(Debug)]
pub struct RawText;

impl suppaftp::Encoding for RawText {
    fn decode(&self, bytes: &[u8]) -> String {
        wire(bytes)
    }

    fn encode(&self, text: &str) -> std::io::Result<Vec<u8>> {
        text.chars()
            .map(|c| {
                u8::try_from(u32::from(c))
                    .map_err(|_| std::io::Error::from(std::io::ErrorKind::InvalidInput))
            })
            .collect()
    }
}

/// Bytes as the library wants them: each a character of its own.
#[must_use]
pub fn wire(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// One line of MLSD: `type=file;size=7; name`. `None` for the folder itself and what is above it.
#[must_use]
pub fn mlsd(line: &[u8]) -> Option<Entry> {
    let line = trimmed(line);
    let space = line.iter().position(|byte| *byte == b' ')?;
    let (facts, name) = (&line[..space], &line[space + 1..]);
    let facts = String::from_utf8_lossy(facts).to_ascii_lowercase();
    let kind = facts
        .split(';')
        .find_map(|fact| fact.strip_prefix("type="))?;
    let kind = match kind {
        "file" => Kind::File,
        "dir" => Kind::Folder,
        "cdir" | "pdir" => return None,
        link if link.starts_with("os.unix=slink") || link.starts_with("os.unix=symlink") => {
            Kind::Link
        }
        _ => Kind::Other,
    };
    entry(name, kind)
}

/// One line of NLST: a name, of some servers with its folder before it. What it is, nobody says.
#[must_use]
pub fn nlst(line: &[u8]) -> Option<Entry> {
    let line = trimmed(line);
    // In GB18030 no second byte is a slash.
    let name = line.rsplit(|byte| *byte == b'/').next()?;
    entry(name, Kind::File)
}

/// The digits after the code of a reply: `213 20260318093000.123`.
#[must_use]
pub fn number(body: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(body).ok()?;
    let digits: String = text
        .get(4..)?
        .trim_start()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn entry(name: &[u8], kind: Kind) -> Option<Entry> {
    let is_name = !name.is_empty() && name != b"." && name != b"..";
    is_name.then(|| Entry {
        raw: name.to_vec(),
        kind,
    })
}

#[cfg(test)]
mod tests {
    use suppaftp::Encoding as _;

    use super::*;

    #[test]
    fn listings_are_read_as_bytes() {
        for (line, wanted) in [
            (
                &b"type=file;size=7;modify=20260318093000; \xb2\xce b.csv\r\n"[..],
                Some((&b"\xb2\xce b.csv"[..], Kind::File)),
            ),
            (
                b"Type=dir;UNIX.mode=0755; sub\n",
                Some((b"sub", Kind::Folder)),
            ),
            (b"type=cdir; .", None),
            (b"type=pdir; ..", None),
            (
                b"type=OS.unix=slink:/etc/passwd;size=1; a.csv",
                Some((b"a.csv", Kind::Link)),
            ),
            (b"type=OS.unix=symlink; a", Some((b"a", Kind::Link))),
            (b"type=OS.unix=fifo; p", Some((b"p", Kind::Other))),
            (b"size=7; a", None),
            (b"nonsense", None),
            (b"", None),
            (b"type=file; ", None),
        ] {
            let found = mlsd(line);
            let found = found
                .as_ref()
                .map(|entry| (entry.raw.as_slice(), entry.kind));
            assert_eq!(found, wanted, "{line:?}");
        }
        for (line, wanted) in [
            (&b"a.csv\r\n"[..], Some(&b"a.csv"[..])),
            (b"/out/\xb2\xce.csv", Some(b"\xb2\xce.csv")),
            (b"./a", Some(b"a")),
            (b"..", None),
            (b"\r\n", None),
        ] {
            let found = nlst(line);
            assert_eq!(found.as_ref().map(|entry| entry.raw.as_slice()), wanted);
        }
        for (body, wanted) in [
            (&b"213 20260318093000\r\n"[..], Some(20_260_318_093_000)),
            (b"213 17", Some(17)),
            (b"213 99999999999999999999", None),
            (b"213", None),
            (b"213 x", None),
        ] {
            assert_eq!(number(body), wanted, "{body:?}");
        }
    }

    #[test]
    fn every_byte_goes_there_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(RawText.encode(&RawText.decode(&all)).unwrap(), all);
        assert!(RawText.encode("参").is_err());
    }
}
