//! What holds for any bytes.

use proptest::prelude::*;

use super::container::{gzip, gzipped};
use super::json::json_lines;
use super::workbook::{HEADING, STRINGS, workbook};
use super::*;
use crate::adapter::format::{Quotes, WidthUnit};

proptest! {
    #[test]
    fn damaged_files_are_refused_or_read_but_never_a_panic(
        which in 0_usize..8,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let rows = format!("<sheetData>{HEADING}<row r=\"2\"><c r=\"A2\" s=\"1\"><v>45017</v></c></row></sheetData>");
        let (adapter, mut bytes) = match which {
            0 => (xlsx(None), workbook("", &rows, STRINGS)),
            1 => (zipped(xml(None)), archive(&[("登记信息_1.xml", RECORDS.as_bytes())], CompressionMethod::Stored)),
            2 => (json(), b"{\"data\":{\"total\":1,\"list\":[{\"a\":[1,{\"b\":null}],\"c\":-1.5e3}]}}".to_vec()),
            3 => (csv_with(|csv| csv.quotes = Quotes::Backslash), b"\xe5\x90\x8d\xe7\xa7\xb0,b\n\"a\\\"b\",\"c\\\\\"\n".to_vec()),
            4 => (gzipped(csv(None)), gzip("名称,备注\n甲,\"乙\"\n".as_bytes())),
            5 => (fixed(&[("名称", 4), ("备注", 3)], |_| ()), gbk("甲乙abc\n丙  d  \n")),
            6 => (json_lines(), b"{\"a\":[1,{\"b\":null}],\"c\":-1.5e3}\n{\"a\":\"\\ud83d\\ude00\"}\n".to_vec()),
            _ => (csv(None), gbk("标题\n名称,备注\n甲,\"乙\"\n")),
        };
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() * 8).max(1));
        let _ = read(&adapter, &bytes);
    }
}

/// Every decoder, with caps so small that random bytes run into them.
fn every_decoder() -> Vec<Adapter> {
    let mut all = vec![
        csv(None),
        csv(Some(Charset::Utf8)),
        csv(Some(Charset::Gb18030)),
        csv(Some(Charset::Utf16Le)),
        csv_with(|csv| {
            csv.quotes = Quotes::Backslash;
            csv.header_rows = Some(2);
            csv.code_row = true;
        }),
        csv_with(|csv| csv.trailer = Some("记录数".to_owned())),
        fixed(&[("名称", 4), ("备注", 3)], |_| ()),
        fixed(&[("名称", 4), ("备注", 3)], |fixed| {
            fixed.unit = WidthUnit::Characters;
        }),
        xml(Some("DATA/HEAD/TOTAL")),
        json(),
        json_lines(),
        xlsx(None),
        zipped(xml(None)),
        gzipped(csv(None)),
    ];
    for adapter in &mut all {
        adapter.limits.rows = 8;
        adapter.limits.columns = 6;
        adapter.limits.cell_bytes = 12;
        adapter.limits.depth = 6;
        adapter.limits.replaced = 2;
    }
    all
}

/// Reads the bytes by every decoder and looks at the caps of what comes out.
fn stays_within_caps(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("export");
    fs::write(&path, bytes).expect("file");
    for adapter in every_decoder() {
        let mut rows = 0;
        let mut columns = 0;
        let result = decode(&path, &adapter, &mut |piece| {
            match piece {
                Decoded::Columns(headings) => columns = headings.len(),
                Decoded::Row(row) => {
                    rows += 1;
                    assert!(row.number > 0 && row.len() <= columns);
                    let longest = row.cells().flatten().map(|cell| cell.text.len()).max();
                    assert!(longest.unwrap_or(0) <= adapter.limits.cell_bytes);
                }
                Decoded::Spoilt { .. } => rows += 1,
                Decoded::Title(_) | Decoded::Member(_) => {}
            }
            Ok(())
        });
        assert!(rows <= adapter.limits.rows && columns <= adapter.limits.columns);
        match result {
            Ok(decoding) => assert_eq!(decoding.rows, rows),
            Err(refusal) => assert!(refusal.text.contains("处理："), "{refusal}"),
        }
    }
}

/// Pieces of which all formats are made: random bytes alone would never get past the first check.
const PIECES: &[&str] = &[
    "名称",
    "记录数",
    "a",
    "1",
    ",",
    "\"",
    "\\",
    "\n",
    "\r",
    "\t",
    " ",
    "\0",
    "\u{feff}",
    "<DATA>",
    "<ROWS>",
    "<ROW>",
    "</ROW>",
    "<A>",
    "</A>",
    "<A b='1' b='2'/>",
    "</ROWS></DATA>",
    "&amp;",
    "&x;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "<!DOCTYPE d [",
    "{\"data\":",
    "{\"list\":[",
    "{\"a\":",
    "[",
    "]",
    "}",
    "null",
    "1e999",
    "\"\\ud800\"",
    "\\\"",
    "\u{fffd}",
];

proptest! {
    #[test]
    fn any_bytes_stay_within_caps(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        stays_within_caps(&bytes);
    }

    #[test]
    fn any_pieces_stay_within_caps(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40),
        in_gbk in any::<bool>(),
    ) {
        let text = pieces.concat();
        let bytes = if in_gbk { gbk(&text) } else { text.into_bytes() };
        stays_within_caps(&bytes);
    }

    /// Against a writer and a reader of another house.
    #[test]
    fn delimited_text_is_what_another_reader_makes_of_it(
        rows in prop::collection::vec(prop::collection::vec("[a甲,\"\n\r\\\\ ]{0,6}", 3), 1..12),
        quoted in any::<bool>(),
        crlf in any::<bool>(),
    ) {
        let mut writer = ::csv::WriterBuilder::new()
            .quote_style(if quoted { ::csv::QuoteStyle::Always } else { ::csv::QuoteStyle::Necessary })
            .terminator(if crlf { ::csv::Terminator::CRLF } else { ::csv::Terminator::Any(b'\n') })
            .from_writer(Vec::new());
        writer.write_record(["名称", "b", "c"]).expect("header");
        for row in &rows {
            // The first cell keeps a row from being blank, which is passed over.
            writer.write_record([format!("x{}", row[0]), row[1].clone(), row[2].clone()]).expect("row");
        }
        let bytes = writer.into_inner().expect("bytes");
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("export");
        fs::write(&path, &bytes).expect("file");
        let mut read: Vec<Vec<String>> = Vec::new();
        decode(&path, &csv(None), &mut |piece| {
            if let Decoded::Row(row) = piece {
                let texts = row.cells().map(|cell| cell.map_or_else(String::new, |cell| cell.text.to_owned()));
                read.push(texts.collect());
            }
            Ok(())
        }).expect("readable");
        let lf = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
        let mut reference = ::csv::Reader::from_reader(bytes.as_slice());
        let expected: Vec<Vec<String>> = reference
            .records()
            .map(|record| record.expect("record").iter().map(lf).collect())
            .collect();
        prop_assert_eq!(read, expected);
    }
}
