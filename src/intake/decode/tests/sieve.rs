//! Rows that are known by their bytes: leaving them out changes nothing else, whatever the file looks like.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::adapter::format::Quotes;

/// Cells by the names of their columns.
type Cells = Vec<(String, String, bool)>;

/// Everything one decoding says.
#[derive(Debug, Default)]
struct Told {
    /// Rows in order: number, cells, fingerprint.
    rows: Vec<(u64, Cells, u64)>,
    spoilt: Vec<(u64, &'static str)>,
    titles: Vec<String>,
    columns: BTreeSet<String>,
    asked: BTreeSet<u64>,
    decoding: Decoding,
}

fn told(
    bytes: &[u8],
    adapter: &Adapter,
    known: Option<&BTreeSet<u64>>,
    columns: &[String],
) -> Result<Told, Unreadable> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows");
    fs::write(&path, bytes).unwrap();
    let mut told = Told::default();
    let asked = RefCell::new(BTreeSet::new());
    let knows = |fingerprint| {
        asked.borrow_mut().insert(fingerprint);
        known.is_some_and(|known| known.contains(&fingerprint))
    };
    let memory = known.map(|_| Memory {
        knows: &knows,
        coming: &|_| {},
        columns,
    });
    let mut names: Vec<String> = Vec::new();
    let mut sink = |decoded: Decoded<'_>| {
        match decoded {
            Decoded::Columns(columns) => {
                names.clone_from(&columns);
                told.columns.extend(columns);
            }
            Decoded::Title(title) => told.titles.push(title),
            Decoded::Member(_) => {}
            Decoded::Spoilt { number, code, .. } => told.spoilt.push((number, code)),
            Decoded::Row(row) => {
                let mut cells: Cells = (names.iter().cloned().zip(row.cells()))
                    .filter_map(|(name, cell)| {
                        cell.map(|cell| (name, cell.text.to_owned(), cell.numeric))
                    })
                    .collect();
                cells.sort();
                told.rows.push((row.number, cells, row.fingerprint));
            }
        }
        Ok(())
    };
    let decoding = decode_knowing(&path, adapter, memory.as_ref(), &mut sink)?;
    told.decoding = decoding;
    told.asked = asked.into_inner();
    Ok(told)
}

/// Reads `first`, knows some of its rows, and reads `second` with and without that knowledge.
fn compare(first: &[u8], second: &[u8], adapter: &Adapter, keep: u64) -> Result<(), TestCaseError> {
    let nothing = BTreeSet::new();
    let Ok(before) = told(first, adapter, Some(&nothing), &[]) else {
        return Ok(());
    };
    let columns: Vec<String> = before.columns.iter().cloned().collect();
    let known: BTreeSet<u64> = (before.rows.iter().map(|(.., print)| *print))
        .filter(|print| print.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 62 != keep)
        .collect();
    prop_assert!(!known.contains(&0));
    let plain = told(second, adapter, None, &[]);
    let whole = told(second, adapter, Some(&nothing), &[]);
    prop_assert_eq!(plain.is_ok(), whole.is_ok());
    let sieved = told(second, adapter, Some(&known), &columns);
    let (Ok(plain), Ok(whole)) = (plain, whole) else {
        return Ok(());
    };
    let Ok(sieved) = sieved else {
        return Err(TestCaseError::fail("readable without, not with"));
    };
    // Asking changes nothing.
    let bare = |told: &Told| -> Vec<_> {
        let rows = told.rows.iter().map(|(n, cells, _)| (*n, cells.clone()));
        rows.collect()
    };
    prop_assert_eq!(bare(&plain), bare(&whole));
    prop_assert_eq!(&plain.spoilt, &whole.spoilt);
    // The same fingerprint says the same, also in another file.
    let mut says = BTreeMap::new();
    for (_, cells, print) in before.rows.iter().chain(&whole.rows).chain(&sieved.rows) {
        prop_assert!(*print != 0);
        let said = says.entry(*print).or_insert(cells);
        prop_assert_eq!(*said, cells);
    }
    // What is left out is known, what is not is there as before.
    prop_assert_eq!(&sieved.spoilt, &whole.spoilt);
    prop_assert_eq!(&sieved.titles, &whole.titles);
    prop_assert_eq!(sieved.decoding.rows, whole.decoding.rows);
    prop_assert_eq!(
        sieved.decoding.declared_total,
        whole.decoding.declared_total
    );
    prop_assert_eq!(
        sieved.decoding.known,
        (whole.rows.len() - sieved.rows.len()) as u64
    );
    let mut left = sieved.rows.iter().peekable();
    for (number, cells, print) in &whole.rows {
        match left.next_if(|(n, ..)| n == number) {
            Some((_, same, _)) => prop_assert_eq!(same, cells),
            None => prop_assert!(says.contains_key(print) && is_known(&known, cells, &before)),
        }
    }
    prop_assert!(left.next().is_none());
    Ok(())
}

/// Whether a row of this content was known.
fn is_known(known: &BTreeSet<u64>, cells: &[(String, String, bool)], before: &Told) -> bool {
    let mut rows = before.rows.iter();
    rows.any(|(_, other, print)| other == cells && known.contains(print))
}

fn pieces(words: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(words), 0..most).prop_map(|words| words.concat())
}

fn encoded(text: &str, charset: Charset) -> Vec<u8> {
    match charset {
        Charset::Gb18030 => GB18030.encode(text).0.into_owned(),
        _ => text.as_bytes().to_vec(),
    }
}

const DELIMITED: &[&str] = &[
    "甲,一\n",
    "甲,一\n",
    "甲,一\r\n",
    "乙,二\n",
    "丙丙,\n",
    "甲,一",
    "\"",
    "\"甲\",一\n",
    "\"多\n行\",二\n",
    ",",
    "\n",
    "\r",
    "\t",
    " ",
    "\\",
    "乙",
    "合计,9\n",
    "\u{fffd},一\n",
    "甲,一,\n",
];

const ELEMENTS: &[&str] = &[
    "<R><a>甲</a><b>一</b></R>",
    "<R><a>甲</a><b>一</b></R>\n",
    "<R><a>乙</a></R>\r\n ",
    "<R><a>丙&amp;</a><b/></R>",
    "<R>",
    "</R>",
    "<a>",
    "</a>",
    "甲",
    "<R x=\"</R>\"><a>甲</a></R>",
    "<R x='1'/>",
    "<!-- <R> -->",
    "<![CDATA[</R>]]>",
    "<?p <R> ?>",
    "<S><R><a>甲</a></R></S>",
    "\n",
    "<R><R><a>甲</a></R></R>",
    "<R><a>甲</a><a>乙</a></R>",
];

const LINES: &[&str] = &[
    "{\"a\":\"甲\",\"b\":1}\n",
    "{\"a\":\"甲\",\"b\":1}\n",
    "{\"a\":\"乙\"}\n",
    "{\"b\":1,\"a\":\"甲\"}\r\n",
    "{\"a\":\"x\\ny\"}\n",
    "{\"a\":",
    "\n",
    "\r",
    " ",
    "甲\n",
    "{\"c\":{\"d\":[1,2]}}\n",
    "{\"a\":\"甲\",\"b\":1}",
    "[]\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn delimited_text(
        first in pieces(DELIMITED, 24),
        second in pieces(DELIMITED, 24),
        gb: bool,
        quotes in prop::sample::select(&[Quotes::Doubled, Quotes::Backslash, Quotes::None][..]),
        keep in 0u64..5,
    ) {
        let charset = if gb { Charset::Gb18030 } else { Charset::Utf8 };
        let adapter = csv_with(|format| {
            format.charset = Some(charset);
            format.quotes = quotes;
        });
        let file = |rows: &str| encoded(&format!("标题\n名称,数\n{rows}"), charset);
        compare(&file(&first), &file(&second), &adapter, keep)?;
        // The same rows again, in another order.
        let turned: String = first.split_inclusive('\n').rev().collect();
        compare(&file(&first), &file(&turned), &adapter, keep)?;
    }

    #[test]
    fn elements(first in pieces(ELEMENTS, 20), second in pieces(ELEMENTS, 20), gb: bool, keep in 0u64..5) {
        let charset = if gb { Charset::Gb18030 } else { Charset::Utf8 };
        let adapter = super::adapter(Format::Xml(Xml {
            record: "目录/企业".to_owned(),
            charset: Some(charset),
            ..Xml::default()
        }));
        let named = |rows: &str| rows.replace("R>", "企业>").replace("<R", "<企业");
        let file = |rows: &str| encoded(&format!("<目录>{}</目录>", named(rows)), charset);
        compare(&file(&first), &file(&second), &adapter, keep)?;
    }

    #[test]
    fn json_lines(first in pieces(LINES, 24), second in pieces(LINES, 24), gb: bool, keep in 0u64..5) {
        let charset = if gb { Charset::Gb18030 } else { Charset::Utf8 };
        let adapter = super::adapter(Format::Json(Json {
            lines: true,
            charset: Some(charset),
            ..Json::default()
        }));
        compare(&encoded(&first, charset), &encoded(&second, charset), &adapter, keep)?;
    }
}

#[test]
fn nearly_all_rows_of_an_unchanged_file_are_left_out() {
    let rows = |row: &dyn Fn(u32) -> String| (0..5000).map(row).collect::<Vec<_>>().concat();
    let csv = format!("名称,数\n{}", rows(&|n| format!("名{n},{n}\n")));
    let xml = rows(&|n| format!("<R><a>名{n}</a></R>\n"));
    let xml = format!("<D>\n{xml}</D>\n");
    let json = rows(&|n| format!("{{\"a\":\"名{n}\"}}\n"));
    let xml_adapter = super::adapter(Format::Xml(Xml {
        record: "D/R".to_owned(),
        ..Xml::default()
    }));
    let json_adapter = super::adapter(Format::Json(Json {
        lines: true,
        ..Json::default()
    }));
    for (name, text, adapter) in [
        ("csv", csv, super::csv(None)),
        ("xml", xml, xml_adapter),
        ("json", json, json_adapter),
    ] {
        let before = told(text.as_bytes(), &adapter, Some(&BTreeSet::new()), &[]).unwrap();
        assert_eq!(before.rows.len(), 5000, "{name}");
        let known: BTreeSet<u64> = before.rows.iter().map(|(.., print)| *print).collect();
        assert_eq!(known.len(), 5000, "{name}");
        let columns: Vec<String> = before.columns.into_iter().collect();
        let again = told(text.as_bytes(), &adapter, Some(&known), &columns).unwrap();
        assert_eq!(again.decoding.rows, 5000, "{name}");
        assert!(again.rows.len() <= 2, "{name}: {}", again.rows.len());
        let changed = text.replacen("名4321", "改", 1);
        let again = told(changed.as_bytes(), &adapter, Some(&known), &columns).unwrap();
        let numbers: Vec<u64> = again.rows.iter().map(|(number, ..)| *number).collect();
        let expected = if name == "csv" { 4323 } else { 4322 };
        assert_eq!(numbers.last(), Some(&expected), "{name}");
    }
}
