//! Rows that are known: leaving them out changes nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::json::json_lines;
use super::*;
use crate::adapter::format::Quotes;
use crate::adapter::row::Sink;
use crate::intake::decode::decode_into;
use crate::intake::decode::handover::Handover;

/// Cells by column: text, and whether it is a number.
type Cells = BTreeMap<String, (String, bool)>;

/// What was told of one row or beside the rows, without what was only sighted.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Other(String),
    Row(u64, Cells),
    Spoilt(u64, &'static str, String),
}

/// One decoding.
struct Run {
    told: Vec<Told>,
    /// Row → its fingerprint and cells by column.
    rows: BTreeMap<u64, (u64, Cells)>,
    /// Rows that were passed over, with the fingerprint they are known by.
    passed: BTreeMap<u64, u64>,
    result: Result<Decoding, Unreadable>,
}

fn run(path: &Path, adapter: &Adapter, looks_ahead: bool, known: &BTreeSet<u64>) -> Run {
    let mut told = Vec::new();
    let mut rows = BTreeMap::new();
    let mut passed = BTreeMap::new();
    let mut columns: Vec<String> = Vec::new();
    let mut last = (0, 0);
    let sink: &mut Sink<'_> = &mut |piece| {
        match piece {
            Decoded::Sighted {
                number,
                fingerprint,
            } => {
                assert_ne!(fingerprint, 0);
                if known.contains(&fingerprint) {
                    assert_eq!(passed.insert(number, fingerprint), None);
                    return Ok(Reply::Known);
                }
                last = (number, fingerprint);
            }
            Decoded::Row(row) => {
                let (number, fingerprint) = (&row.number, &row.fingerprint);
                assert_eq!(last, (*number, *fingerprint), "not sighted before");
                let cells: Cells = columns
                    .iter()
                    .zip(row.cells())
                    .enumerate()
                    .filter_map(|(at, (name, cell))| {
                        let cell = cell?;
                        Some((
                            format!("{name} {}", if adapter_grows(adapter) { 0 } else { at }),
                            (cell.text.to_owned(), cell.numeric),
                        ))
                    })
                    .collect();
                rows.insert(*number, (*fingerprint, cells.clone()));
                told.push(Told::Row(*number, cells));
            }
            Decoded::Spoilt {
                number,
                code,
                reason,
            } => told.push(Told::Spoilt(number, code, reason)),
            Decoded::Columns(headings) => {
                told.push(Told::Other(headings.join("|")));
                columns = headings;
            }
            other => told.push(Told::Other(format!("{other:?}"))),
        }
        Ok(Reply::GoOn)
    };
    let mut handover = Handover::new(sink, adapter);
    handover.looks_ahead = looks_ahead;
    let result = decode_into(path, adapter, handover);
    Run {
        told,
        rows,
        passed,
        result,
    }
}

fn adapter_grows(adapter: &Adapter) -> bool {
    matches!(adapter.format, Format::Xml(_) | Format::Json(_))
}

/// Reads `first`, then `second` knowing the rows of `first` (those that `chosen` picks), and holds it against reading all.
fn holds(adapter: &Adapter, first: &[u8], second: &[u8], chosen: u64) -> usize {
    let folder = tempfile::tempdir().expect("folder");
    let path = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("file");
        path
    };
    let (first, second) = (path("first", first), path("second", second));
    let before = run(&first, adapter, true, &BTreeSet::new());
    let mut meaning = BTreeMap::new();
    for (fingerprint, cells) in before.rows.into_values() {
        assert_ne!(fingerprint, 0);
        // Equal fingerprints mean equal rows.
        let same = meaning.entry(fingerprint).or_insert_with(|| cells.clone());
        assert_eq!(*same, cells);
    }
    let known: BTreeSet<u64> = meaning
        .keys()
        .copied()
        .filter(|fingerprint| fingerprint % 8 <= chosen)
        .collect();
    let full = run(&second, adapter, false, &BTreeSet::new());
    let all = run(&second, adapter, true, &BTreeSet::new());
    let some = run(&second, adapter, true, &known);
    // Errors in the bytes themselves may be met sooner by the one way than by the other.
    match (&full.result, &all.result) {
        (Ok(full_result), Ok(all_result)) => {
            assert_eq!(full_result, all_result);
            assert_eq!(full.told, all.told);
        }
        (Err(one), Err(other)) if one.code == other.code => assert_eq!(one, other),
        (one, other) => assert!(one.is_err() && other.is_err(), "{one:?} {other:?}"),
    }
    assert_eq!(all.result, some.result);
    let mut left = all.told;
    left.retain(|told| !matches!(told, Told::Row(number, _) if some.passed.contains_key(number)));
    assert_eq!(left, some.told);
    for (number, fingerprint) in &some.passed {
        let (own, cells) = &all.rows[number];
        assert_eq!(own, fingerprint);
        assert_eq!(&meaning[fingerprint], cells);
    }
    some.passed.len()
}

/// One file out of its pieces; cut off somewhere, or with a byte put in.
fn damaged(
    text: &str,
    in_gbk: bool,
    cut: Option<prop::sample::Index>,
    byte: Option<(prop::sample::Index, u8)>,
) -> Vec<u8> {
    let mut bytes = if in_gbk {
        gbk(text)
    } else {
        text.as_bytes().to_vec()
    };
    if let Some((at, byte)) = byte {
        let at = at.index(bytes.len() + 1);
        bytes.insert(at, byte);
    }
    if let Some(at) = cut {
        bytes.truncate(at.index(bytes.len()).max(1));
    }
    bytes
}

type Damage = (
    Option<prop::sample::Index>,
    Option<(prop::sample::Index, u8)>,
);

fn damage() -> impl Strategy<Value = Damage> {
    let rarely = 0.15;
    (
        prop::option::weighted(rarely, any::<prop::sample::Index>()),
        prop::option::weighted(rarely, (any::<prop::sample::Index>(), any::<u8>())),
    )
}

/// Records of these pieces: most as they are in a list, so that they come again, some put together at random.
fn records(
    whole: &'static [&'static str],
    pieces: &'static [&'static str],
) -> impl Strategy<Value = String> {
    let usual = prop::sample::select(whole).prop_map(str::to_owned);
    let odd = prop::collection::vec(prop::sample::select(pieces), 0..6)
        .prop_map(|pieces| pieces.concat());
    let record = prop_oneof![4 => usual, 1 => odd];
    prop::collection::vec(record, 0..14).prop_map(|records| records.concat())
}

const CSV_LINES: &[&str] = &[
    "甲,1,x\n",
    "乙,2,y\n",
    "乙,2,y\r\n",
    "丙,,\n",
    "丁,\"a,b\",z\n",
    "\"戊\",\"b\"\"c\",z\n",
    "己,\"b\nc\",z\n",
    "庚,\"b\rc\",z\n",
    "辛,1,x,\n",
    "壬,1\n",
    "合计,7\n",
    ",,\n",
    "\n",
    "\r\n",
    "  ,\u{3000},\n",
    "癸,\"a\"b,z\n",
    "子,a\\\"b,z\n",
    "丑,\"a\\\"b\",z\n",
    "寅,长长长长长长长,z\n",
    "卯,1,x\r辰,2,y\n",
    "\u{fffd}巳,1,x\n",
    "亂|駡,1,齊\n",
];

const CSV_PIECES: &[&str] = &[
    "甲",
    ",",
    "\"",
    "\n",
    "\r",
    "\r\n",
    "\\",
    "|",
    "记录数：3",
    " ",
    "\u{fffd}",
    "1",
    "\0",
    "，",
];

const XML_RECORDS: &[&str] = &[
    "<ROW><A>甲</A><B>1</B></ROW>",
    "\n<ROW><A>乙</A><B>2</B></ROW>\r\n",
    "<ROW><A>乙</A><B>2</B></ROW>",
    "<ROW><A>丙</A><C>3</C></ROW>",
    "<ROW>\n  <A>丁</A>\n  <B></B>\n</ROW>\n",
    "<ROW><A>戊</A><B/></ROW>",
    "<ROW/>",
    "<ROW></ROW>",
    "<ROW id='1'><A>己</A></ROW>",
    "<ROW ><A>庚</A></ROW >",
    "<ROW><A>a&amp;b</A><B>&#20108;</B></ROW>",
    "<ROW><A><![CDATA[</ROW>]]></A></ROW>",
    "<ROW><!-- </ROW> --><A>辛</A></ROW>",
    "<ROW><A b='</ROW>'>壬</A></ROW>",
    "<ROW><ROW>x</ROW><A>癸</A></ROW>",
    "<ROW><A>1</A><A>2</A></ROW>",
    "<ROW><A>子\r\n子</A></ROW>",
    "<ROW>loose<A>1</A></ROW>",
    "<ROW><A>长长长长长长长</A></ROW>",
    "<ROW><A><B>deep</B></A><n:B>p</n:B></ROW>",
    "<n:ROW><A>丑</A></n:ROW>",
    "<!-- <ROW><A>no</A></ROW> -->",
    "<?pi <ROW?>",
    "<OTHER><ROW><A>寅</A></ROW></OTHER>",
    "<ROWS2><A>x</A></ROWS2>",
    "<ROW><A>\u{fffd}</A><D>4</D></ROW>",
    "<ROW><A>亂>駡</A><B>齊]]</B></ROW>",
    "<ROW><A>]]></A><B>\t</B></ROW>",
    "<ROW><B>2</B><A>卯</A></ROW>",
    "<ROW><A>辰</A ><B />\n</ROW>",
    "<ROW><A>巳</A></B></ROW>",
    "<ROW><A>午</A><A/></ROW>",
    "<ROW><A/><A>未</A></ROW>",
    "<ROW><A></A><@id>申</@id></ROW>",
    "<ROW><A><B>酉</B></A><A/B>1</A/B></ROW>",
    "<ROW><A>戌</A>\u{3000}</ROW>",
    "<ROW><A>亥</A>\u{b}</ROW>",
    " text ",
];

const XML_PIECES: &[&str] = &[
    "<ROW>",
    "</ROW>",
    "<A>",
    "</A>",
    "<B>",
    "</B>",
    "<A/>",
    "甲",
    "&amp;",
    "&x;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    " ",
    "\r",
    "<ROW",
    ">",
    "'",
    "</ROWS>",
    "\u{fffd}",
];

const JSON_LINES: &[&str] = &[
    "{\"a\":\"甲\",\"b\":1}\n",
    "{\"a\":\"乙\",\"b\":2}\n",
    "{\"a\":\"乙\",\"b\":2}\r\n",
    " {\"a\":\"乙\",\"b\":2} \n",
    "{\"b\":2,\"a\":\"丙\"}\n",
    "{\"a\":\"x\\\"y\\n\",\"b\":-1.5e3}\n",
    "{\"a\":\"\\u4e00\\ud83d\\ude00\"}\n",
    "{\"a\":\"\\ud800\"}\n",
    "{\"a\":null,\"b\":true,\"c\":[1,\"二\",null]}\n",
    "{\"a\":{\"d\":\"丁\"}}\n",
    "{\"a\":\"1\",\"a\":\"2\"}\n",
    "{\"a\":\"1\",\"a\":\"1\"}\n",
    "{\"a\":[{}]}\n",
    "{\"a\":\"长长长长长长长\"}\n",
    "{\"a\" : \"戊\" , \"b\" : 01}\n",
    "{\"a\":\"戊\",\"b\":9115220107837628600}\n",
    "{}\n",
    "[1]\n",
    "\n",
    "\r\n",
    "{\"a\":\"己\"\n",
    "{\"a\":\"\u{fffd}\",\"d\":1}\n",
    "{\" a \":\"亂|駡\",\"b\":\"齊\\\\\"}\n",
    "{\"a\":\"\t\"}\n",
    "{\"a\":-0,\"b\":0.50}\n",
    "{\"a\":1.,\"b\":1}\n",
    "{\"a\":1e5,\"b\":-}\n",
    "{\"a\":1E5}\n",
    "{\"a\":.5}\n",
    "{\"a\":truex}\n",
    "{\"a\":true , \"b\":false}\n",
    "{\"a\":null,\"b\":\"\"}\n",
    "{\"a\":\"1\",}\n",
    "{\"a\":\"1\"}}\n",
    "{\"a\":\"1\"} {\"a\":\"2\"}\n",
    "{\"b\":\"1\" \"a\":\"2\"}\n",
    "{\"a\":null,\"a\":\"2\"}\n",
    "{\"d/e\":1,\"d\":{\"e\":2}}\n",
    "{\"\":1}\n",
];

const JSON_PIECES: &[&str] = &[
    "{", "}", "\"a\"", ":", ",", "\"甲\"", "1", "\\", "\"", "\n", "\r", "[", "]", "null", " ",
    "\u{fffd}", "-", ".5",
];

fn small(mut adapter: Adapter) -> Adapter {
    adapter.limits.cell_bytes = 20;
    adapter.limits.columns = 6;
    adapter
}

fn csv_layouts() -> Vec<Adapter> {
    let mut replaced = csv(Some(Charset::Gb18030));
    replaced.limits.replaced = 3;
    let all = [
        csv(None),
        csv(Some(Charset::Gb18030)),
        replaced,
        csv_with(|csv| csv.quotes = Quotes::Backslash),
        csv_with(|csv| csv.quotes = Quotes::None),
        csv_with(|csv| csv.delimiter = Some('|')),
        csv_with(|csv| csv.trailer = Some("记录数".to_owned())),
    ];
    all.into_iter().map(small).collect()
}

proptest! {
    #[test]
    fn delimited_rows_that_are_known_are_left_out_and_nothing_else(
        which in 0..7_usize,
        first in records(CSV_LINES, CSV_PIECES),
        second in records(CSV_LINES, CSV_PIECES),
        ends in prop::sample::select(vec!["", "甲,1,x", "丁,\"a,b\",z", "壬,1", "记录数：3\n"]),
        in_gbk in any::<bool>(),
        damage in damage(),
        chosen in 0..8_u64,
    ) {
        let adapter = &csv_layouts()[which];
        let head = if which == 5 { "标题\n名称|b|c\n" } else { "标题\n名称,b,c\n" };
        let swap = |text: String| if which == 5 { text.replace(',', "|") } else { text };
        let first = damaged(&format!("{head}{}", swap(first)), in_gbk, None, None);
        let second = damaged(&format!("{head}{}{}", swap(second), swap(ends.to_owned())), in_gbk, damage.0, damage.1);
        holds(adapter, &first, &second, chosen);
    }

    #[test]
    fn xml_records_that_are_known_are_left_out_and_nothing_else(
        total in prop::sample::select(vec![None, Some("DATA/TOTAL"), Some("DATA/ROWS")]),
        first in records(XML_RECORDS, XML_PIECES),
        second in records(XML_RECORDS, XML_PIECES),
        tail in prop::sample::select(vec!["<TOTAL>3</TOTAL></DATA>", "</DATA>", "", "</DATA>x"]),
        in_gbk in any::<bool>(),
        damage in damage(),
        chosen in 0..8_u64,
    ) {
        let charset = if in_gbk { "GB18030" } else { "UTF-8" };
        let file = |rows: &str, tail: &str| {
            format!("<?xml version=\"1.0\" encoding=\"{charset}\"?><DATA><ROWS>{rows}</ROWS>{tail}")
        };
        let first = damaged(&file(&first, "<TOTAL>3</TOTAL></DATA>"), in_gbk, None, None);
        let second = damaged(&file(&second, tail), in_gbk, damage.0, damage.1);
        holds(&small(xml(total)), &first, &second, chosen);
    }

    #[test]
    fn json_lines_that_are_known_are_left_out_and_nothing_else(
        first in records(JSON_LINES, JSON_PIECES),
        second in records(JSON_LINES, JSON_PIECES),
        ends in prop::sample::select(vec!["", "{\"a\":\"甲\",\"b\":1}", "{\"a\":\"甲\",\"b", " "]),
        in_gbk in any::<bool>(),
        damage in damage(),
        chosen in 0..8_u64,
    ) {
        let first = damaged(&format!("{{\"a\":1}}\n{first}"), in_gbk, None, None);
        let second = damaged(&format!("{{\"a\":1}}\n{second}{ends}"), in_gbk, damage.0, damage.1);
        holds(&small(json_lines()), &first, &second, chosen);
    }
}

#[test]
fn rows_that_are_known_are_passed_over_in_every_format() {
    let csv_text = "名称,b,c\n甲,1,x\n\"乙\",\"2,3\",y\n丙,,\n";
    let xml_text = "<DATA><ROWS><ROW><A>甲</A></ROW>\n<ROW id='1'><A>乙&amp;</A></ROW><ROW><A>丙</A></ROW></ROWS></DATA>";
    let json_text = "{\"data\":{\"total\":3,\"list\":[{\"a\":1},{\"a\":\"甲\"},{\"b\":2}]}}";
    let lines_text = "{\"a\":1}\n{\"a\":\"甲\"}\n{\"b\":2}\n";
    let fixed_text = "甲  1\n乙  2\n丙  3\n";
    for (adapter, text) in [
        (csv(None), csv_text),
        (xml(None), xml_text),
        (json(), json_text),
        (json_lines(), lines_text),
        (fixed(&[("名称", 4), ("备注", 1)], |_| ()), fixed_text),
    ] {
        // Fixed columns are cut by the bytes of GB18030.
        let in_utf8 = !matches!(adapter.format, Format::Fixed(_));
        if in_utf8 {
            assert_eq!(holds(&adapter, text.as_bytes(), text.as_bytes(), 7), 3);
        }
        assert_eq!(holds(&adapter, &gbk(text), &gbk(text), 7), 3);
    }
}

/// A row that is known under one order of headings, one charset or one delimiter is not known under another.
#[test]
fn a_row_under_other_headings_is_another_row() {
    let first = "名称,b\n甲,乙\n".as_bytes();
    for second in [
        "名称,c\n甲,乙\n",
        "b,名称\n甲,乙\n",
        "名称,b\n乙,甲\n",
        "名称,b\n甲,乙,\n甲,乙\n",
    ] {
        assert_eq!(
            holds(&csv(None), first, second.as_bytes(), 7),
            0,
            "{second}"
        );
    }
    assert_eq!(
        holds(
            &csv(None),
            first,
            "标题\n\n名称,b\r\n丙,丁\r\n甲,乙\r\n".as_bytes(),
            7
        ),
        1
    );
    // Cells that change places, or a number that becomes a text.
    let first = b"{\"a\":\"1\",\"b\":\"2\"}\n";
    for second in [
        "{\"a\":\"2\",\"b\":\"1\"}\n",
        "{\"a\":1,\"b\":\"2\"}\n",
        "{\"a\":\"12\",\"b\":\"\"}\n",
    ] {
        assert_eq!(
            holds(&json_lines(), first, second.as_bytes(), 7),
            0,
            "{second}"
        );
    }
}

/// Rows longer than a piece, and pieces that end in the middle of a line end or a character.
#[test]
fn rows_are_found_over_the_borders_of_pieces() {
    let long = "长".repeat(20_000);
    let mut csv_text = "名称,b\n".to_owned();
    let mut xml_text = "<DATA><ROWS>".to_owned();
    let mut json_text = String::new();
    for n in 0..400 {
        let fill = "填".repeat(n * 7 % 331);
        let text = if n % 100 == 7 { &long } else { &fill };
        let (quote, mark) = if n % 2 == 0 {
            ("\"", "&lt;")
        } else {
            ("", "<!-- -->")
        };
        let _ = writeln!(csv_text, "甲{n}{text},{quote}x{quote}\r");
        let _ = writeln!(
            xml_text,
            "<ROW><A>{n}{text}</A><B>{}</B></ROW>",
            &mark[..n % 3 / 2 * mark.len()]
        );
        let _ = writeln!(json_text, "{{\"a\":\"{n}{text}\"}}");
    }
    xml_text.push_str("</ROWS></DATA>");
    for (adapter, text) in [
        (csv(None), csv_text),
        (xml(None), xml_text),
        (json_lines(), json_text),
    ] {
        for bytes in [text.as_bytes().to_vec(), gbk(&text)] {
            if matches!(adapter.format, Format::Xml(_)) && std::str::from_utf8(&bytes).is_err() {
                let mut adapter = adapter.clone();
                if let Format::Xml(xml) = &mut adapter.format {
                    xml.charset = Some(Charset::Gb18030);
                }
                assert_eq!(holds(&adapter, &bytes, &bytes, 7), 400);
                continue;
            }
            assert_eq!(holds(&adapter, &bytes, &bytes, 7), 400);
        }
    }
}

/// Each kind of record by itself, so that none hides behind another that refuses the file.
#[test]
fn every_kind_of_record_is_known_for_what_it_is() {
    for record in XML_RECORDS {
        let rows = format!("<ROW><A>1</A></ROW>{record}<ROW><A>2</A></ROW>{record}<ROW/>{record}");
        let text = format!("<DATA><ROWS>{rows}</ROWS></DATA>");
        holds(&small(xml(None)), text.as_bytes(), text.as_bytes(), 7);
    }
    for line in CSV_LINES {
        let text = format!("名称,b,c\n甲,1,x\n{line}乙,2,y\n{line}");
        holds(&small(csv(None)), text.as_bytes(), text.as_bytes(), 7);
    }
    for line in JSON_LINES {
        let text = format!("{{\"a\":\"1\"}}\n{line}{{\"b\":2}}\n{line}");
        holds(&small(json_lines()), text.as_bytes(), text.as_bytes(), 7);
    }
}
