//! Every decoder against files built here: good ones, dirty ones, hostile ones.

use std::fs;
use std::io::{Cursor, Write};

use encoding_rs::GB18030;
use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format as CellFormat, Workbook};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Decoding, decode};
use crate::adapter::format::{Charset, Container, Csv, Format, Json, Xlsx, Xml};
use crate::adapter::language::{Adapter, AsOf, Expect, Mode, Repeat};
use crate::adapter::limits::Limits;
use crate::adapter::row::Decoded;
use crate::adapter::transport::{Folder, Transport};
use crate::domain::batch::Unreadable;
use crate::domain::record::RecordKind;

fn adapter(format: Format) -> Adapter {
    Adapter {
        name: "sample".to_owned(),
        digest: String::new(),
        department: "测试".to_owned(),
        title: "样例".to_owned(),
        record: RecordKind::Tax,
        mode: Mode::Snapshot,
        repeat: Repeat::default(),
        agreement: None,
        transport: Transport::Folder(Folder {
            endpoint: "sample".to_owned(),
            pattern: "*".to_owned(),
            marker: None,
        }),
        container: None,
        format,
        as_of: AsOf::Delivery,
        fields: std::collections::BTreeMap::new(),
        lookup: std::collections::BTreeMap::new(),
        ignore: Vec::new(),
        expect: Expect::default(),
        limits: Limits::default(),
    }
}

fn csv(charset: Option<Charset>) -> Adapter {
    adapter(Format::Csv(Csv {
        charset,
        delimiter: None,
        header: "名称".to_owned(),
    }))
}

fn xml(total: Option<&str>) -> Adapter {
    adapter(Format::Xml(Xml {
        record: "DATA/ROWS/ROW".to_owned(),
        charset: None,
        total: total.map(str::to_owned),
    }))
}

fn json() -> Adapter {
    adapter(Format::Json(Json {
        rows: "/data/list".to_owned(),
        total: Some("/data/total".to_owned()),
    }))
}

fn xlsx(sheet: Option<&str>) -> Adapter {
    adapter(Format::Xlsx(Xlsx {
        sheet: sheet.map(str::to_owned),
        header: "名称".to_owned(),
        ..Xlsx::default()
    }))
}

fn zipped(mut inner: Adapter) -> Adapter {
    inner.container = Some(Container::Zip {
        member: "登记信息_*.xml".to_owned(),
    });
    inner
}

fn gbk(text: &str) -> Vec<u8> {
    GB18030.encode(text).0.into_owned()
}

/// Everything a decoder said, as short lines: `T title`, `C a|b`, `3 x|-|12#` (`#` numeric), `!4 YB-2151`.
fn read(adapter: &Adapter, bytes: &[u8]) -> Result<(Vec<String>, Decoding), Unreadable> {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("export");
    fs::write(&path, bytes).expect("file");
    let mut said = Vec::new();
    let decoding = decode(&path, adapter, &mut |piece| {
        said.push(match piece {
            Decoded::Title(text) => format!("T {text}"),
            Decoded::Columns(columns) => format!("C {}", columns.join("|")),
            Decoded::Row(row) => {
                let cells: Vec<String> = row
                    .cells
                    .into_iter()
                    .map(|cell| {
                        cell.map_or_else(
                            || "-".to_owned(),
                            |cell| format!("{}{}", cell.text, if cell.numeric { "#" } else { "" }),
                        )
                    })
                    .collect();
                format!("{} {}", row.number, cells.join("|"))
            }
            Decoded::Spoilt {
                number,
                code,
                reason,
            } => {
                assert!(reason.contains("处理："), "{reason}");
                format!("!{number} {code}")
            }
        });
        Ok(())
    })?;
    Ok((said, decoding))
}

fn lines(adapter: &Adapter, bytes: &[u8]) -> Vec<String> {
    match read(adapter, bytes) {
        Ok((said, _)) => said,
        Err(refusal) => panic!("{refusal}"),
    }
}

fn refused(adapter: &Adapter, bytes: &[u8], code: &str) -> String {
    match read(adapter, bytes) {
        Ok((said, _)) => panic!("{code} expected, read {said:?}"),
        Err(refusal) => {
            assert_eq!(refusal.code, code, "{refusal}");
            assert!(refusal.text.contains("处理："), "{refusal}");
            refusal.text
        }
    }
}

// ---------------------------------------------------------------- delimited text

#[test]
fn csv_titles_headings_and_rows_are_told_apart() {
    let text = "南阳市税务申报月度数据\r\n数据截止日期：2026-03-18,,单位：元\r\n\r\n序号,名称 ,金额,\r\n1,\"甲, 乙\",\"1,234.00\",\r\n,,,\r\n2,\"丙\n丁\",,\r\n3,戊,5";
    let expected = [
        "T 南阳市税务申报月度数据",
        "T 数据截止日期：2026-03-18 单位：元",
        "C 序号|名称|金额",
        "5 1|甲, 乙|1,234.00",
        "7 2|丙\n丁|-",
        "9 3|戊|5",
    ];
    for (bytes, charset) in [(text.as_bytes().to_vec(), "utf-8"), (gbk(text), "gb18030")] {
        let (said, decoding) = read(&csv(None), &bytes).expect("readable");
        assert_eq!(said, expected);
        assert_eq!(decoding.charset, charset);
        assert_eq!(decoding.rows, 3);
    }
}

#[test]
fn csv_line_ends_do_not_change_row_numbers() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["名称,金额", "甲,1", "", "乙,2"].join(end);
        assert_eq!(
            lines(&csv(None), text.as_bytes()),
            ["C 名称|金额", "2 甲|1", "4 乙|2"]
        );
    }
}

#[test]
fn csv_ragged_rows_are_set_aside_and_the_rest_is_read() {
    let text = "名称,金额,备注\n甲,1\n乙,2,x,y\n丙,3,x\n丁,,4,\n戊,5,\n合计,7\n";
    assert_eq!(
        lines(&csv(None), text.as_bytes()),
        [
            "C 名称|金额|备注",
            "!2 YB-2151",
            "!3 YB-2151",
            "4 丙|3|x",
            "!5 YB-2151",
            "6 戊|5|-",
            "7 合计|7|-"
        ]
    );
}

#[test]
fn csv_rows_that_all_end_with_a_delimiter_are_read() {
    let text = "名称,金额\n甲,1,\n乙,,\n丙,2\n丁,,3,\n";
    assert_eq!(
        lines(&csv(None), text.as_bytes()),
        [
            "C 名称|金额",
            "2 甲|1",
            "3 乙|-",
            "!4 YB-2151",
            "!5 YB-2151"
        ]
    );
    let text = "名称,金额,,\n甲,1,,\n乙,2\n丙,3,\n丁,4,,,\n";
    assert_eq!(
        lines(&csv(None), text.as_bytes()),
        ["C 名称|金额", "2 甲|1", "3 乙|2", "4 丙|3", "!5 YB-2151"]
    );
}

#[test]
fn csv_heading_is_found_whatever_its_width() {
    let mut wide = csv(None);
    wide.format = Format::Csv(Csv {
        charset: None,
        delimiter: Some('\t'),
        header: "单位名称(全称)".to_owned(),
    });
    assert_eq!(
        lines(
            &wide,
            "\u{feff}编号\t\u{3000}单位名称（全称）\u{200b}\n1\t甲\n".as_bytes()
        ),
        ["C 编号|单位名称（全称）", "2 1|甲"]
    );
}

#[test]
fn csv_without_its_heading_is_refused() {
    refused(&csv(None), "编号,金额\n1,2\n".as_bytes(), "YB-2121");
    let late = format!("{}名称,金额\n甲,1\n", "标题\n".repeat(50));
    refused(&csv(None), late.as_bytes(), "YB-2121");
    let timely = format!("{}名称,金额\n甲,1\n", "标题\n".repeat(49));
    assert_eq!(lines(&csv(None), timely.as_bytes()).len(), 51);
}

#[test]
fn csv_limits_hold() {
    let mut narrow = csv(None);
    narrow.limits.columns = 2;
    refused(&narrow, "名称,a,b\n".as_bytes(), "YB-2108");
    let mut few = csv(None);
    few.limits.rows = 1;
    refused(&few, "名称\n甲\n乙\n".as_bytes(), "YB-2107");
    let mut short = csv(None);
    short.limits.cell_bytes = 10;
    assert_eq!(
        lines(&short, "名称\n一二三四\n甲\n".as_bytes()),
        ["C 名称", "!2 YB-2152", "3 甲"]
    );
    let mut small = csv(None);
    small.limits.file_bytes = 5;
    refused(&small, "名称\n甲\n".as_bytes(), "YB-2072");
    let endless = format!("名称\n\"{}", "甲,乙\n".repeat(400_000));
    refused(&csv(None), endless.as_bytes(), "YB-2123");
    let mut strange = csv(None);
    strange.format = Format::Csv(Csv {
        charset: None,
        delimiter: Some('，'),
        header: "名称".to_owned(),
    });
    refused(&strange, "名称\n".as_bytes(), "YB-2122");
}

// ---------------------------------------------------------------- charsets

#[test]
fn charset_is_what_the_adapter_says_then_the_bom_then_what_fits() {
    let text = "名称,备注\n𠮷野商店㐂,镕堃\n";
    for (adapter, bytes, charset) in [
        (csv(Some(Charset::Utf8)), text.as_bytes().to_vec(), "utf-8"),
        (csv(Some(Charset::Gb18030)), gbk(text), "gb18030"),
        (
            csv(None),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            "utf-8",
        ),
        (
            csv(Some(Charset::Utf8)),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            "utf-8",
        ),
        (
            csv(None),
            [b"\x84\x31\x95\x33".to_vec(), gbk(text)].concat(),
            "gb18030",
        ),
        (csv(None), gbk(text), "gb18030"),
    ] {
        let (said, decoding) = read(&adapter, &bytes).expect("readable");
        assert_eq!(said, ["C 名称|备注", "2 𠮷野商店㐂|镕堃"]);
        assert_eq!(decoding.charset, charset);
    }
}

#[test]
fn charset_faults_are_refused_with_their_place() {
    let text = "名称,备注\n甲方商行,一\n";
    refused(&csv(Some(Charset::Gb18030)), text.as_bytes(), "YB-2103");
    refused(
        &csv(Some(Charset::Gb18030)),
        &[b"\xef\xbb\xbf", text.as_bytes()].concat(),
        "YB-2103",
    );
    let said = refused(&csv(Some(Charset::Utf8)), &gbk(text), "YB-2105");
    assert!(said.contains("第 1 字节"), "{said}");
    let mut bad = gbk("名称\n甲\n");
    bad.extend_from_slice(b"ab\xff\n");
    let said = refused(&csv(None), &bad, "YB-2105");
    assert!(said.contains("第 11 字节（约第 3 行）"), "{said}");
    let mut cut = gbk("名称\n甲乙");
    cut.pop();
    refused(&csv(None), &cut, "YB-2105");
}

#[test]
fn utf_16_is_refused_by_name() {
    let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
    let little: Vec<u8> = units("名称,a\n甲,1\n")
        .iter()
        .flat_map(|u| u.to_le_bytes())
        .collect();
    let big: Vec<u8> = units("名称,a\n甲,1\n")
        .iter()
        .flat_map(|u| u.to_be_bytes())
        .collect();
    for bytes in [
        [b"\xff\xfe".to_vec(), little.clone()].concat(),
        [b"\xfe\xff".to_vec(), big].concat(),
        little,
    ] {
        for adapter in [csv(None), csv(Some(Charset::Gb18030)), xml(None), json()] {
            let said = refused(&adapter, &bytes, "YB-2102");
            assert!(said.contains("UTF-16"), "{said}");
        }
    }
}

#[test]
fn xml_declarations_count_and_are_checked_against_the_content() {
    let body = "<DATA><ROWS><ROW><N>南阳㐂商店</N></ROW></ROWS></DATA>";
    for (label, bytes, charset) in [
        ("GB2312", gbk(body), "gb18030"),
        ("gbk", gbk(body), "gb18030"),
        ("UTF-8", body.as_bytes().to_vec(), "utf-8"),
    ] {
        let declared = format!("<?xml version='1.0' encoding='{label}'?>\n");
        let (said, decoding) =
            read(&xml(None), &[declared.into_bytes(), bytes].concat()).expect("readable");
        assert_eq!(said, ["C N", "1 南阳㐂商店"]);
        assert_eq!(decoding.charset, charset);
    }
    let mislabelled = format!("<?xml version=\"1.0\" encoding=\"GB18030\"?>{body}");
    refused(&xml(None), mislabelled.as_bytes(), "YB-2103");
    let mislabelled = [
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_vec(),
        gbk(body),
    ]
    .concat();
    refused(&xml(None), &mislabelled, "YB-2105");
    let foreign = format!("<?xml version=\"1.0\" encoding=\"Big5\"?>{body}");
    refused(&xml(None), foreign.as_bytes(), "YB-2104");
}

proptest! {
    #[test]
    fn any_text_comes_through_either_charset_over_any_border(
        cells in prop::collection::vec("[\\u{4e00}-\\u{9fa5}a-z\\u{3400}-\\u{3420}\\u{20000}-\\u{20100}]{1,40}", 1..40),
        padding in 0_usize..70_000,
    ) {
        let text = format!("{}\n名称\n{}\n", "x".repeat(padding + 1), cells.join("\n"));
        let expected: Vec<String> = cells.iter().enumerate().map(|(at, cell)| format!("{} {cell}", at + 3)).collect();
        let mut wide = csv(Some(Charset::Gb18030));
        wide.limits.cell_bytes = 1 << 20;
        let said = lines(&wide, &gbk(&text));
        prop_assert_eq!(&said[2..], &expected[..]);
        let said = lines(&csv(None), text.as_bytes());
        prop_assert_eq!(&said[2..], &expected[..]);
    }
}

// ---------------------------------------------------------------- what it looks like

#[test]
fn other_formats_are_named() {
    let mut book = Workbook::new();
    book.add_worksheet()
        .write_string(0, 0, "名称")
        .expect("cell");
    let book = book.save_to_buffer().expect("workbook");
    let ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest of an old workbook".to_vec();
    for (adapter, bytes, code, word) in [
        (csv(None), book, "YB-2106", "XLSX"),
        (csv(None), ole.clone(), "YB-2106", "XLS"),
        (
            csv(None),
            b"  <!DOCTYPE HTML><html>login</html>".to_vec(),
            "YB-2106",
            "HTML",
        ),
        (
            json(),
            b"<html><body>502</body></html>".to_vec(),
            "YB-2106",
            "HTML",
        ),
        (
            xml(None),
            b"\n<!doctype html><p>x".to_vec(),
            "YB-2106",
            "HTML",
        ),
        (csv(None), b"{\"code\":500}".to_vec(), "YB-2106", "JSON"),
        (
            csv(None),
            b"<?xml version='1.0'?><a/>".to_vec(),
            "YB-2106",
            "XML",
        ),
        (json(), "无数据".as_bytes().to_vec(), "YB-2106", "普通文本"),
        (
            json(),
            "名称,金额\n".as_bytes().to_vec(),
            "YB-2106",
            "普通文本",
        ),
        (
            xml(None),
            "名称,金额\n".as_bytes().to_vec(),
            "YB-2106",
            "普通文本",
        ),
        (xml(None), b"%PDF-1.4".to_vec(), "YB-2106", "PDF"),
        (csv(None), b"\x1f\x8b\x08rest".to_vec(), "YB-2106", "GZIP"),
        (csv(None), b"abc\0def,\0\0x".to_vec(), "YB-2106", "二进制"),
        (
            xlsx(None),
            b"<html><body>502</body></html>".to_vec(),
            "YB-2106",
            "HTML",
        ),
        (xlsx(None), b"{\"code\":500}".to_vec(), "YB-2106", "JSON"),
        (xlsx(None), ole, "YB-2141", "损坏"),
        (csv(None), Vec::new(), "YB-2101", "空"),
        (xml(None), b"\xef\xbb\xbf \r\n".to_vec(), "YB-2101", "空"),
        (json(), b"\n".to_vec(), "YB-2101", "空"),
        (xlsx(None), Vec::new(), "YB-2101", "空"),
    ] {
        let said = refused(&adapter, &bytes, code);
        assert!(said.contains(word), "{word}: {said}");
    }
}

// ---------------------------------------------------------------- XML

#[test]
fn xml_records_are_read_one_by_one() {
    let text = "<?xml version=\"1.0\"?><!-- c --><DATA><HEAD><TOTAL> ３ </TOTAL></HEAD><ROWS>\
        <ROW id='1'><A>甲&amp;乙 &lt;&#x4e00;&#20108;&gt;</A><B/><C><![CDATA[<raw>&]]></C></ROW>\
        <ROW><D> x </D><A></A></ROW>\
        <ROW><A>1</A><P><Q>q</Q><R>r</R></P></ROW></ROWS></DATA>\n";
    let (said, decoding) = read(&xml(Some("DATA/HEAD/TOTAL")), text.as_bytes()).expect("readable");
    assert_eq!(
        said,
        [
            "C A|B|C",
            "1 甲&乙 <一二>|-|<raw>&",
            "C A|B|C|D",
            "2 -|-|-| x ",
            "C A|B|C|D|P.Q|P.R",
            "3 1|-|-|-|q|r",
        ]
    );
    assert_eq!(decoding.declared_total, Some(3));
    assert_eq!(decoding.rows, 3);
}

#[test]
fn xml_with_no_records_is_told_from_xml_of_another_layout() {
    assert!(lines(&xml(None), b"<DATA><ROWS></ROWS></DATA>").is_empty());
    assert!(lines(&xml(None), b"<DATA><ROWS/></DATA>").is_empty());
    refused(
        &xml(None),
        b"<DATA><LIST><ROW><A>1</A></ROW></LIST></DATA>",
        "YB-2117",
    );
    refused(&xml(None), b"<error>no permission</error>", "YB-2117");
}

#[test]
fn xml_cut_off_anywhere_is_refused() {
    let text = "<DATA><ROWS><ROW><A>x&amp;y</A></ROW><ROW b=\"c\"><A>z</A></ROW></ROWS></DATA>";
    for end in 1..text.len() {
        let cut = &text.as_bytes()[..end];
        let refusal = read(&xml(None), cut).expect_err("cut off");
        assert!(
            ["YB-2111", "YB-2112", "YB-2106"].contains(&refusal.code),
            "{end}: {refusal}"
        );
    }
}

#[test]
fn xml_faults_and_attacks_are_refused() {
    let rows = |inside: &str| format!("<DATA><ROWS>{inside}</ROWS></DATA>");
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><DATA><ROWS><ROW><A>&b;</A></ROW></ROWS></DATA>";
    for (text, code) in [
        (bomb.to_owned(), "YB-2113"),
        (rows("<ROW><A>&b;</A></ROW>"), "YB-2114"),
        (rows("<ROW><A>&nbsp;</A></ROW>"), "YB-2114"),
        (rows("<ROW><A>&#0;</A></ROW>"), "YB-2111"),
        (rows("<ROW><A>a & b</A></ROW>"), "YB-2111"),
        (rows("<ROW><A>1</B></ROW>"), "YB-2111"),
        (rows("<ROW></ROW>") + "<DATA/>", "YB-2111"),
        (rows("<ROW></ROW>") + "trailer", "YB-2111"),
        (rows(&"<D>".repeat(100)), "YB-2115"),
        (format!("<DATA a=\"{}", "x".repeat(400_000)), "YB-2116"),
        (format!("<DATA><!-- {}", "x".repeat(400_000)), "YB-2116"),
        (
            rows(&format!("<ROW><A>{}</A></ROW>", "x".repeat(400_000))),
            "YB-2116",
        ),
    ] {
        refused(&xml(None), text.as_bytes(), code);
    }
    assert_eq!(
        lines(&xml(None), b"<!DOCTYPE DATA SYSTEM \"file:///etc/passwd\"><DATA><ROWS><ROW><A>1</A></ROW></ROWS></DATA>"),
        ["C A", "1 1"]
    );
}

#[test]
fn xml_records_that_cannot_be_laid_out_are_set_aside() {
    let mut small = xml(None);
    small.limits.cell_bytes = 8;
    small.limits.columns = 3;
    let text = "<DATA><ROWS><ROW><A>123456789</A></ROW><ROW><A>1234&amp;678</A></ROW><ROW><A>1234&amp;6789</A></ROW>\
        <ROW><A>1</A><A>2</A></ROW><ROW><A>1</A><A>1</A></ROW><ROW>loose<A>1</A></ROW><ROW/></ROWS></DATA>";
    assert_eq!(
        lines(&small, text.as_bytes()),
        [
            "!1 YB-2152",
            "C A",
            "2 1234&678",
            "!3 YB-2152",
            "!4 YB-2153",
            "5 1",
            "!6 YB-2154",
            "7 "
        ]
    );
    let wide = "<DATA><ROWS><ROW><A/><B/><C/><D/></ROW></ROWS></DATA>";
    refused(&small, wide.as_bytes(), "YB-2108");
}

#[test]
fn xml_total_must_be_there_and_a_number() {
    for total in [
        "",
        "<TOTAL/>",
        "<TOTAL>many</TOTAL>",
        "<TOTAL>1</TOTAL><TOTAL>2</TOTAL>",
    ] {
        let text = format!("<DATA><HEAD>{total}</HEAD><ROWS><ROW><A>1</A></ROW></ROWS></DATA>");
        refused(&xml(Some("DATA/HEAD/TOTAL")), text.as_bytes(), "YB-2118");
    }
}

// ---------------------------------------------------------------- JSON

#[test]
fn json_pages_and_documents_are_read() {
    let pages = "{\"code\":\"200\",\"msg\":{\"deep\":[1,[2,{}]]},\"data\":{\"total\":\"3\",\"list\":[{\"uscc\":\"91\",\"n \":12,\"x\":null,\"on\":true},{\"owner\":{\"name\":\"甲\",\"at\":{\"city\":\"南阳\"}},\"tags\":[\"a\",2,null]}]}}\n\
        {\"data\":{\"list\":[{\"n\":1.50,\"uscc\":\"\"}],\"total\":3},\"code\":200}\n";
    let (said, decoding) = read(&json(), pages.as_bytes()).expect("readable");
    assert_eq!(
        said,
        [
            "C uscc|n|x|on",
            "1 91|12#|-|true",
            "C uscc|n|x|on|owner.name|owner.at.city|tags",
            "2 -|-|-|-|甲|南阳|a;2",
            "3 -|1.5#",
        ]
    );
    assert_eq!(decoding.declared_total, Some(3));
    assert_eq!(decoding.charset, "utf-8");
    let array = adapter(Format::Json(Json {
        rows: String::new(),
        total: None,
    }));
    assert_eq!(
        lines(
            &array,
            b"[{\"a\":1},{\"a\":911522010783762860},{\"a\":1e30}]"
        ),
        ["C a", "1 1#", "2 911522010783762860#", "3 1E30#"]
    );
    assert!(lines(&array, b"[]").is_empty());
    let inside = adapter(Format::Json(Json {
        rows: "/1/a~1b".to_owned(),
        total: None,
    }));
    assert_eq!(
        lines(&inside, b"[{\"a/b\":[{\"x\":1}]},{\"a/b\":[{\"x\":2}]}]"),
        ["C x", "1 2#"]
    );
    let (said, decoding) = read(&array, &gbk("[{\"名称\":\"南阳市㐂\"}]")).expect("readable");
    assert_eq!(said, ["C 名称", "1 南阳市㐂"]);
    assert_eq!(decoding.charset, "gb18030");
}

#[test]
fn json_faults_are_refused() {
    let page =
        |total: &str, list: &str| format!("{{\"data\":{{\"total\":{total},\"list\":{list}}}}}\n");
    for (text, code) in [
        (page("1", "{}"), "YB-2132"),
        (page("1", "\"none\""), "YB-2132"),
        ("{\"code\":\"500\",\"msg\":\"x\"}".to_owned(), "YB-2132"),
        (page("\"x\"", "[]"), "YB-2133"),
        (page("null", "[]"), "YB-2133"),
        ("{\"data\":{\"list\":[]}}".to_owned(), "YB-2133"),
        (page("1", "[]") + &page("2", "[]"), "YB-2134"),
        (page("1", "[{\"a\":}]"), "YB-2131"),
        (page("1", "[]") + "oops", "YB-2131"),
        (
            page("1", "[{\"a\":1}]")
                .trim_end()
                .trim_end_matches('}')
                .to_owned(),
            "YB-2138",
        ),
        (
            page("1", &format!("[{{\"a\":\"{}\"}}]", "x".repeat(5 << 20))),
            "YB-2137",
        ),
        (
            page(
                "1",
                &format!("[{}1{}]", "{\"a\":".repeat(80), "}".repeat(80)),
            ),
            "YB-2135",
        ),
    ] {
        refused(&json(), text.as_bytes(), code);
    }
    // What is not of interest may be large and deep.
    let text = format!(
        "{{\"trace\":\"{}\",\"data\":{{\"total\":0,\"list\":null}}}}",
        "x".repeat(6 << 20)
    );
    assert!(lines(&json(), text.as_bytes()).is_empty());
}

#[test]
fn json_records_that_cannot_be_laid_out_are_set_aside() {
    let mut small = json();
    small.limits.cell_bytes = 8;
    small.limits.columns = 3;
    let text = "{\"data\":{\"total\":6,\"list\":[{\"a\":\"123456789\"},7,null,{\"a\":[{\"b\":1}]},{\"a\":1,\"a\":2},{\"a\":[1,2]}]}}";
    assert_eq!(
        lines(&small, text.as_bytes()),
        [
            "!1 YB-2152",
            "!2 YB-2154",
            "!3 YB-2154",
            "!4 YB-2154",
            "!5 YB-2153",
            "C a",
            "6 1;2"
        ]
    );
    refused(
        &small,
        b"{\"data\":{\"total\":1,\"list\":[{\"a\":1,\"b\":1,\"c\":1,\"d\":1}]}}",
        "YB-2108",
    );
}

// ---------------------------------------------------------------- archives

const MEMBER: &str = "AAAAAAAA_20260318.xml";
const RECORDS: &str = "<DATA><ROWS><ROW><A>甲</A></ROW></ROWS></DATA>";

fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).expect("member");
        writer.write_all(content).expect("content");
    }
    writer.finish().expect("archive").into_inner()
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut replaced = bytes.to_vec();
    let mut at = 0;
    while at + from.len() <= replaced.len() {
        if &replaced[at..at + from.len()] == from {
            replaced[at..at + to.len()].copy_from_slice(to);
        }
        at += 1;
    }
    replaced
}

#[test]
fn zip_member_is_found_by_its_gbk_name() {
    let plain = archive(
        &[("readme.txt", b"x"), (MEMBER, RECORDS.as_bytes())],
        CompressionMethod::Deflated,
    );
    let named = replace(&plain, MEMBER.as_bytes(), &gbk("登记信息_20260318.xml"));
    assert_eq!(lines(&zipped(xml(None)), &named), ["C A", "1 甲"]);
    let flagged = archive(
        &[("out/登记信息_20260318.xml", RECORDS.as_bytes())],
        CompressionMethod::Stored,
    );
    assert_eq!(lines(&zipped(xml(None)), &flagged), ["C A", "1 甲"]);
    refused(&zipped(xml(None)), &plain, "YB-2063");
}

#[test]
fn zip_attacks_and_damage_are_refused() {
    let wanted = "登记信息_1.xml";
    let content = RECORDS.as_bytes();
    let deflated = CompressionMethod::Deflated;
    let good = archive(&[(wanted, content)], deflated);
    let stored = archive(&[(wanted, content)], CompressionMethod::Stored);
    let encrypted = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        for (signature, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
            let at = bytes
                .windows(4)
                .position(|w| w == signature)
                .expect("header");
            bytes[at + flags] |= 1;
        }
        bytes
    };
    let many: Vec<String> = (0..1001).map(|n| format!("m{n}")).collect();
    let mut many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
    many.push((wanted, content));
    let nested = archive(&[(wanted, &good)], CompressionMethod::Stored);
    let two = archive(
        &[("登记信息_1.xml", content), ("登记信息_2.xml", content)],
        deflated,
    );
    let climbing = |name: &str| archive(&[(wanted, content), (name, b"x")], deflated);
    for (bytes, code) in [
        (encrypted(&good), "YB-2066"),
        (two.clone(), "YB-2064"),
        (
            replace(
                &two,
                "登记信息_2.xml".as_bytes(),
                "登记信息_1.xml".as_bytes(),
            ),
            "YB-2064",
        ),
        (archive(&many, deflated), "YB-2062"),
        (climbing("a/../../x"), "YB-2065"),
        (climbing("/etc/x"), "YB-2065"),
        (climbing("..\\x"), "YB-2065"),
        (climbing("C:x"), "YB-2065"),
        (nested, "YB-2106"),
        (
            replace(&stored, "甲".as_bytes(), "乙".as_bytes()),
            "YB-2071",
        ),
        (good[..good.len() / 2].to_vec(), "YB-2061"),
        (b"PK\x03\x04 nothing".to_vec(), "YB-2061"),
        (RECORDS.as_bytes().to_vec(), "YB-2061"),
        (archive(&[(wanted, b"")], deflated), "YB-2101"),
    ] {
        refused(&zipped(xml(None)), &bytes, code);
    }
}

#[test]
fn zip_bombs_are_stopped_while_they_unpack() {
    let zeros = vec![b' '; 8 << 20];
    let content = [b"<DATA><ROWS>".to_vec(), zeros, b"</ROWS></DATA>".to_vec()].concat();
    let bomb = archive(&[("登记信息_1.xml", &content)], CompressionMethod::Deflated);
    refused(&zipped(xml(None)), &bomb, "YB-2068");
    let mut generous = zipped(xml(None));
    generous.limits.ratio = 10_000;
    refused(&generous, &bomb, "YB-2116");
    let rows = format!(
        "<DATA><ROWS>{}</ROWS></DATA>",
        "<ROW><A>1</A></ROW>".repeat(400_000)
    );
    let rows = archive(
        &[("登记信息_1.xml", rows.as_bytes())],
        CompressionMethod::Deflated,
    );
    let mut tight = zipped(xml(None));
    tight.limits.ratio = 20;
    refused(&tight, &rows, "YB-2068");
    let mut tight = zipped(xml(None));
    tight.limits.ratio = 10_000;
    tight.limits.unpacked_bytes = 1 << 20;
    refused(&tight, &rows, "YB-2067");
}

#[test]
fn zip_may_hold_a_workbook() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "名称").expect("cell");
    sheet.write_string(1, 0, "甲").expect("cell");
    let book = book.save_to_buffer().expect("workbook");
    let bytes = archive(&[("登记信息_1.xml", &book)], CompressionMethod::Stored);
    assert_eq!(lines(&zipped(xlsx(None)), &bytes), ["C 名称", "2 甲"]);
}

// ---------------------------------------------------------------- workbooks

#[test]
fn workbook_cells_are_shown_as_people_see_them() {
    let mut book = Workbook::new();
    let hidden = book.add_worksheet();
    hidden.set_name("旧").expect("name").set_hidden(true);
    hidden.write_string(0, 0, "名称").expect("cell");
    let sheet = book.add_worksheet().set_name("参保登记册").expect("name");
    sheet.set_active(true);
    let day = CellFormat::new().set_num_format("yyyy\"年\"m\"月\"d\"日\"");
    sheet
        .merge_range(0, 0, 0, 4, "企业参保登记册", &CellFormat::new())
        .expect("title");
    sheet
        .write_string(1, 0, "数据日期：2026年3月2日")
        .expect("cell");
    sheet.write_string(1, 3, "单位：人").expect("cell");
    for (at, heading) in ["序号", "名称", "代码", "日期", "公式"]
        .into_iter()
        .enumerate()
    {
        sheet
            .write_string(2, u16::try_from(at).expect("column"), heading)
            .expect("heading");
    }
    sheet.write_number(3, 0, 1.0).expect("cell");
    sheet.write_string(3, 1, " 甲 ").expect("cell");
    sheet
        .write_number(3, 2, 911_522_010_783_762_860.0)
        .expect("cell");
    let date = ExcelDateTime::from_ymd(2023, 4, 1)
        .expect("date")
        .and_hms(8, 30, 0)
        .expect("time");
    sheet
        .write_datetime_with_format(3, 3, &date, &day)
        .expect("cell");
    sheet
        .write_formula(
            3,
            4,
            rust_xlsxwriter::Formula::new("1/0").set_result("#DIV/0!"),
        )
        .expect("cell");
    sheet.write_number(6, 0, 1234.5).expect("cell");
    sheet.write_boolean(6, 2, true).expect("cell");
    sheet.write_number(6, 4, 202_603.0).expect("cell");
    let bytes = book.save_to_buffer().expect("workbook");
    let expected = [
        "T 企业参保登记册",
        "T 数据日期：2026年3月2日 单位：人",
        "C 序号|名称|代码|日期|公式",
        "4 1#| 甲 |9.115220107837628E17#|2023-04-01|#DIV/0!",
        "7 1234.5#|-|TRUE|-|202603#",
    ];
    assert_eq!(lines(&xlsx(None), &bytes), expected);
    assert_eq!(lines(&xlsx(Some("参保登记册")), &bytes), expected);
    let (_, decoding) = read(&xlsx(None), &bytes).expect("readable");
    assert_eq!((decoding.rows, decoding.charset.as_str()), (2, ""));
    assert_eq!(lines(&xlsx(Some("旧")), &bytes), ["C 名称"]);
    refused(&xlsx(Some("别的")), &bytes, "YB-2143");
}

#[test]
fn workbook_with_a_cell_in_the_far_corner_costs_one_row() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "名称").expect("cell");
    sheet.write_string(1, 0, "甲").expect("cell");
    sheet.write_string(1_048_575, 16_383, "x").expect("cell");
    let bytes = book.save_to_buffer().expect("workbook");
    assert_eq!(
        lines(&xlsx(None), &bytes),
        ["C 名称", "2 甲", "!1048576 YB-2151"]
    );
}

/// A workbook by hand, so that it can say what no writer writes.
fn workbook(properties: &str, sheet: &str, strings: &str) -> Vec<u8> {
    let sheet = format!(
        "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">{sheet}</worksheet>"
    );
    archive(
        &[
            ("[Content_Types].xml", b"<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>"),
            ("_rels/.rels", b"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"),
            ("xl/workbook.xml", format!("<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">{properties}<sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>").as_bytes()),
            ("xl/_rels/workbook.xml.rels", b"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"),
            ("xl/styles.xml", b"<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"20\"/></cellXfs></styleSheet>"),
            ("xl/sharedStrings.xml", strings.as_bytes()),
            ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ],
        CompressionMethod::Deflated,
    )
}

const STRINGS: &str = "<sst uniqueCount=\"1\"><si><t>名称</t></si></sst>";
const HEADING: &str = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row>";

#[test]
fn workbook_dates_follow_the_epoch() {
    let rows = format!(
        "<sheetData>{HEADING}<row r=\"2\"><c r=\"A2\" s=\"1\"><v>45017</v></c></row><row r=\"3\"><c r=\"A3\" s=\"2\"><v>0.5</v></c></row><row r=\"4\"><c r=\"A4\" s=\"1\"><v>-1</v></c></row></sheetData>"
    );
    assert_eq!(
        lines(&xlsx(None), &workbook("", &rows, STRINGS)),
        ["C 名称", "2 2023-04-01", "3 0.5#", "4 -1#"]
    );
    assert_eq!(
        lines(
            &xlsx(None),
            &workbook("<workbookPr date1904=\"1\"/>", &rows, STRINGS)
        )[1],
        "2 2027-04-02"
    );
}

#[test]
fn workbook_attacks_and_damage_are_refused() {
    let rows =
        format!("<sheetData>{HEADING}<row r=\"2\"><c r=\"A2\"><v>1</v></c></row></sheetData>");
    let good = workbook("", &rows, STRINGS);
    assert_eq!(lines(&xlsx(None), &good), ["C 名称", "2 1#"]);
    let claims = STRINGS.replace("\"1\"", "\"99999999999\"");
    let boundless = STRINGS.replace("\"1\"", "\"99999999999999999999999\"");
    let backwards = format!(
        "<sheetData>{HEADING}<row r=\"9\"><c r=\"A9\"><v>1</v></c></row><row r=\"2\"><c r=\"A2\"><v>1</v></c></row></sheetData>"
    );
    let sideways = format!(
        "<sheetData>{HEADING}<row r=\"2\"><c r=\"B2\"><v>1</v></c><c r=\"A2\"><v>1</v></c></row></sheetData>"
    );
    let attribute = format!(
        "<sheetData><row r=\"{}\"/></sheetData>",
        "1".repeat(400_000)
    );
    let text = format!(
        "<sheetData>{HEADING}<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>{}</t></is></c></row></sheetData>",
        "a&amp;".repeat(100_000)
    );
    let dangling = format!(
        "<sheetData>{HEADING}<row r=\"2\"><c r=\"A2\" t=\"s\"><v>7</v></c></row></sheetData>"
    );
    let cut = format!("<sheetData>{HEADING}<row r=\"2\"><c r=\"A2\">");
    for (bytes, code) in [
        (workbook("", &rows, &claims), "YB-2141"),
        (workbook("", &rows, &boundless), "YB-2141"),
        (
            workbook("", &rows, "<!DOCTYPE x [<!ENTITY a \"b\">]><sst/>"),
            "YB-2141",
        ),
        (workbook("", &backwards, STRINGS), "YB-2141"),
        (workbook("", &sideways, STRINGS), "YB-2141"),
        (workbook("", &attribute, STRINGS), "YB-2116"),
        (workbook("", &text, STRINGS), "YB-2116"),
        (workbook("", &dangling, STRINGS), "YB-2141"),
        (workbook("", &cut, STRINGS), "YB-2141"),
        (workbook("", "<sheetData/>", STRINGS), "YB-2121"),
        (
            archive(&[("a.txt", b"x")], CompressionMethod::Stored),
            "YB-2168",
        ),
        (good[..good.len() - 200].to_vec(), "YB-2061"),
    ] {
        refused(&xlsx(None), &bytes, code);
    }
    let mut tight = xlsx(None);
    tight.limits.unpacked_bytes = 100;
    refused(&tight, &good, "YB-2067");
}

proptest! {
    #[test]
    fn damaged_files_are_refused_or_read_but_never_a_panic(
        which in 0_usize..4,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let rows = format!("<sheetData>{HEADING}<row r=\"2\"><c r=\"A2\" s=\"1\"><v>45017</v></c></row></sheetData>");
        let (adapter, mut bytes) = match which {
            0 => (xlsx(None), workbook("", &rows, STRINGS)),
            1 => (zipped(xml(None)), archive(&[("登记信息_1.xml", RECORDS.as_bytes())], CompressionMethod::Stored)),
            2 => (json(), b"{\"data\":{\"total\":1,\"list\":[{\"a\":[1,{\"b\":null}],\"c\":-1.5e3}]}}".to_vec()),
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

#[test]
fn an_error_of_the_caller_ends_it() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("export");
    fs::write(&path, "名称\n甲\n乙\n").expect("file");
    let mut calls = 0;
    let refusal = decode(&path, &csv(None), &mut |_| {
        calls += 1;
        Err(super::unreadable("YB-2999", "停"))
    })
    .expect_err("ends");
    assert_eq!((refusal.code, calls), ("YB-2999", 1));
}

mod sheets;
