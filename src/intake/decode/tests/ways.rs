//! Regular lines and records are read where they lie: it is as if the parsers had read them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::json::json_lines;
use super::workbook::{STRINGS, workbook};
use super::*;
use crate::adapter::format::Quotes;
use crate::adapter::row::Sink;
use crate::intake::decode::decode_into;
use crate::intake::decode::handover::Handover;

/// Cells by column: text, and whether it is a number.
type Cells = BTreeMap<String, (String, bool)>;

/// What was told of one row or beside the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Other(String),
    Row(u64, Cells),
    Spoilt(u64, &'static str, String),
}

fn run(
    path: &Path,
    adapter: &Adapter,
    looks_ahead: bool,
) -> (Vec<Told>, Result<Decoding, Unreadable>) {
    let mut told = Vec::new();
    let mut columns: Vec<String> = Vec::new();
    let sink: &mut Sink<'_> = &mut |piece| {
        told.push(match piece {
            Decoded::Row(row) => {
                let cells = (columns.iter().zip(row.cells()).enumerate())
                    .filter_map(|(at, (name, cell))| {
                        let cell = cell?;
                        Some((format!("{at} {name}"), (cell.text.to_owned(), cell.numeric)))
                    })
                    .collect();
                Told::Row(row.number, cells)
            }
            Decoded::Spoilt {
                number,
                code,
                reason,
            } => Told::Spoilt(number, code, reason),
            Decoded::Columns(headings) => {
                columns.clone_from(&headings);
                Told::Other(headings.join("|"))
            }
            other => Told::Other(format!("{other:?}")),
        });
        Ok(())
    };
    let mut handover = Handover::new(sink, &adapter.limits);
    handover.looks_ahead = looks_ahead;
    let result = decode_into(path, adapter, None, handover);
    (told, result)
}

/// Reads a file both ways; how many rows there were.
fn holds(adapter: &Adapter, bytes: &[u8]) -> usize {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("file");
    fs::write(&path, bytes).expect("file");
    let (parsed, parser) = run(&path, adapter, false);
    let (told, result) = run(&path, adapter, true);
    assert_eq!(parser, result);
    if result.is_ok() {
        assert_eq!(parsed, told);
    } else {
        // Nothing of a refused file is used; where a character is cut in two, one way tells a row more before it comes upon that.
        let both = parsed.len().min(told.len());
        assert_eq!(parsed[..both], told[..both]);
    }
    let is_row = |told: &&Told| matches!(told, Told::Row(..));
    told.iter().filter(is_row).count()
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

/// Rows of a sheet; `{n}` is the number of the row.
const SHEET_ROWS: &[&str] = &[
    r#"<row r="{n}"><c r="A{n}" t="s"><v>0</v></c><c r="B{n}"><v>1.5</v></c></row>"#,
    r#"<row r="{n}" spans="1:2" ht="15"><c r="A{n}" s="1" t="inlineStr"><is><t xml:space="preserve"> 甲 &amp; 乙</t></is></c></row>"#,
    r#"<row r="{n}"><c r="A{n}" t="inlineStr"><is><r><t>甲</t></r><r><rPr/><t>乙</t></r><rPh sb="0" eb="1"><t>jia</t></rPh></is></c></row>"#,
    r#"<row r="{n}"><c r="B{n}" t="str"><f>1+1</f><v>x_x0041_&#x42;</v></c></row>"#,
    r#"<row r="{n}"><c r="A{n}"><f>1+1</f></c></row>"#,
    r#"<row r="{n}" hidden="1"><c r="A{n}" t="b"><v>1</v></c></row>"#,
    r#"<row><c><v>3</v></c><c t="e"><v>#N/A</v></c></row>"#,
    r#"<row r="{n}"><c r="A{n}" t="s"><v>99</v></c></row>"#,
    r#"<row r="{n}"/>"#,
    r#"<x:row r="{n}"><x:c r="A{n}"><x:v>5</x:v></x:c></x:row>"#,
    r#"<row r="{n}"><!-- </row> --><c r="A{n}"><v> 7 </v></c></row>"#,
    r#"<row r="{n}"><c r="C{n}"><v>1</v></c><c r="A{n}"><v>2</v></c></row>"#,
    r#"<row r="{n}"><c r="A{n}"><v>1</v></c><c r="A{n}"><v>2</v></c></row>"#,
    r#"<row r="{n}"><c r="A{n}"><v>1e400</v></c></row>"#,
    r#"<row r="{n}"><c r="A{n}" t="d"><v>2026-03-01T08:00:00</v></c></row>"#,
    r#"<row r="1"><c r="A1"><v>1</v></c></row>"#,
    r#"<row r="{n}"><c r="A{n}"><v>1</v>"#,
    r#"<row r='{n}' ><c r = "A{n}" ><v >1</v ></c ></row >"#,
    r#"<row r="{n}"><c r="A{n}"><v><![CDATA[1]]></v></c><extLst/></row>"#,
];

proptest! {
    #[test]
    fn delimited_lines(
        which in 0..7_usize,
        rows in records(CSV_LINES, CSV_PIECES),
        ends in prop::sample::select(vec!["", "甲,1,x", "丁,\"a,b\",z", "壬,1", "记录数：3\n"]),
        in_gbk in any::<bool>(),
        damage in damage(),
    ) {
        let adapter = &csv_layouts()[which];
        let head = if which == 5 { "标题\n名称|b|c\n" } else { "标题\n名称,b,c\n" };
        let swap = |text: String| if which == 5 { text.replace(',', "|") } else { text };
        let text = format!("{head}{}{}", swap(rows), swap(ends.to_owned()));
        holds(adapter, &damaged(&text, in_gbk, damage.0, damage.1));
    }

    #[test]
    fn xml_records(
        total in prop::sample::select(vec![None, Some("DATA/TOTAL"), Some("DATA/ROWS")]),
        rows in records(XML_RECORDS, XML_PIECES),
        tail in prop::sample::select(vec!["<TOTAL>3</TOTAL></DATA>", "</DATA>", "", "</DATA>x"]),
        in_gbk in any::<bool>(),
        damage in damage(),
    ) {
        let charset = if in_gbk { "GB18030" } else { "UTF-8" };
        let text = format!("<?xml version=\"1.0\" encoding=\"{charset}\"?><DATA><ROWS>{rows}</ROWS>{tail}");
        holds(&small(xml(total)), &damaged(&text, in_gbk, damage.0, damage.1));
    }

    #[test]
    fn rows_of_a_sheet(
        picks in prop::collection::vec((prop::sample::select(SHEET_ROWS), 1..3_u32), 0..12),
        byte in prop::option::weighted(0.2, (any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut number = 1;
        let mut rows = String::new();
        for (row, step) in picks {
            number += step;
            rows.push_str(&row.replace("{n}", &number.to_string()));
        }
        let mut rows = rows.into_bytes();
        if let Some((at, byte)) = byte {
            let at = at.index(rows.len() + 1);
            rows.insert(at, byte);
        }
        let rows = String::from_utf8_lossy(&rows);
        let heading = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>数</t></is></c></row>"#;
        let data = format!("<sheetData>{heading}{rows}</sheetData>");
        holds(&xlsx(None), &workbook("", &data, STRINGS));
    }

    #[test]
    fn lines_of_json(
        rows in records(JSON_LINES, JSON_PIECES),
        ends in prop::sample::select(vec!["", "{\"a\":\"甲\",\"b\":1}", "{\"a\":\"甲\",\"b", " "]),
        in_gbk in any::<bool>(),
        damage in damage(),
    ) {
        let text = format!("{{\"a\":1}}\n{rows}{ends}");
        holds(&small(json_lines()), &damaged(&text, in_gbk, damage.0, damage.1));
    }
}

/// Rows longer than a piece, and pieces that end in the middle of a line end or a character.
#[test]
fn rows_over_the_borders_of_pieces() {
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
            let mut adapter = adapter.clone();
            if let Format::Xml(xml) = &mut adapter.format
                && std::str::from_utf8(&bytes).is_err()
            {
                xml.charset = Some(Charset::Gb18030);
            }
            assert_eq!(holds(&adapter, &bytes), 400);
        }
    }
}

/// Each kind of record by itself, so that none hides behind another that refuses the file.
#[test]
fn every_kind_of_record_by_itself() {
    for record in XML_RECORDS {
        let rows = format!("<ROW><A>1</A></ROW>{record}<ROW><A>2</A></ROW>{record}<ROW/>{record}");
        holds(
            &small(xml(None)),
            format!("<DATA><ROWS>{rows}</ROWS></DATA>").as_bytes(),
        );
    }
    for line in CSV_LINES {
        let text = format!("名称,b,c\n甲,1,x\n{line}乙,2,y\n{line}");
        holds(&small(csv(None)), text.as_bytes());
    }
    for line in JSON_LINES {
        let text = format!("{{\"a\":\"1\"}}\n{line}{{\"b\":2}}\n{line}");
        holds(&small(json_lines()), text.as_bytes());
    }
}
