//! Spreadsheets of every kind: made here, by hand, or by a real spreadsheet program.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format as CellFormat, Formula, Workbook};
use zip::CompressionMethod;

use super::workbook::{HEADING, STRINGS, workbook};
use super::{adapter, archive, gbk, lines, read, refused};
use crate::adapter::format::{Charset, Format, HiddenRows, Merged, Sheets, Xlsx};
use crate::adapter::language::Adapter;

fn sheet(change: impl FnOnce(&mut Xlsx)) -> Adapter {
    let mut format = Xlsx {
        header: "名称".to_owned(),
        ..Xlsx::default()
    };
    change(&mut format);
    adapter(Format::Xlsx(format))
}

fn plain() -> Adapter {
    sheet(|_| {})
}

fn remarks(adapter: &Adapter, bytes: &[u8]) -> Vec<&'static str> {
    let (_, decoding) = read(adapter, bytes).expect("readable");
    decoding.remarks.iter().map(|remark| remark.code).collect()
}

/// A sheet of texts, rows by `/`, cells by `|`, empty ones left out.
fn fill(sheet: &mut rust_xlsxwriter::Worksheet, rows: &str) {
    for (row, line) in rows.split('/').enumerate() {
        for (column, text) in line
            .split('|')
            .enumerate()
            .filter(|(_, text)| !text.is_empty())
        {
            let row = u32::try_from(row).expect("row");
            let column = u16::try_from(column).expect("column");
            sheet.write_string(row, column, text).expect("cell");
        }
    }
}

fn book(sheets: &[(&str, &str)]) -> Workbook {
    let mut book = Workbook::new();
    for (name, rows) in sheets {
        let sheet = book.add_worksheet();
        sheet.set_name(*name).expect("name");
        fill(sheet, rows);
    }
    book
}

fn saved(mut book: Workbook) -> Vec<u8> {
    book.save_to_buffer().expect("workbook")
}

// ---------------------------------------------------------------- sheets

#[test]
fn a_split_sheet_is_read_on() {
    let split = || {
        book(&[
            ("说明", "请核对"),
            ("Sheet1", "标题/名称|数/甲|1/乙|2"),
            ("Sheet1(2)", "标题/名称|数/丙|3"),
            ("Sheet1(3)", ""),
        ])
    };
    let all = sheet(|format| {
        format.sheet = Some("Sheet1*".to_owned());
        format.sheets = Sheets::All;
    });
    assert_eq!(
        lines(&all, &saved(split())),
        ["T 标题", "C 名称|数", "3 甲|1", "4 乙|2", "7 丙|3"]
    );
    assert_eq!(
        remarks(&all, &saved(split())),
        ["YB-2174", "YB-2174", "YB-2173"]
    );
    refused(
        &sheet(|format| format.sheet = Some("Sheet1*".to_owned())),
        &saved(split()),
        "YB-2160",
    );
    let other = book(&[("Sheet1", "名称|数/甲|1"), ("Sheet1(2)", "名称|人数/丙|3")]);
    refused(&all, &saved(other), "YB-2162");
    let headless = book(&[("Sheet1", "名称|数/甲|1"), ("Sheet1(2)", "丙|3")]);
    refused(&all, &saved(headless), "YB-2121");
}

#[test]
fn a_total_row_declares_how_many_rows_there_are() {
    let totalled = sheet(|format| format.trailer = Some("合计".to_owned()));
    let rows = "名称|数/甲|1/乙|2/合计：2户|3";
    let told = |adapter: &Adapter, rows: &str| {
        let bytes = saved(book(&[("S", rows)]));
        read(adapter, &bytes).map(|(told, decoding)| (told.len(), decoding.declared_total))
    };
    // Without the word it is a total row like any other, and declares nothing.
    assert_eq!(told(&plain(), rows).unwrap().1, None);
    assert_eq!(
        told(&totalled, "名称|数/甲|1/乙|2/合计|2户").unwrap(),
        (3, Some(2))
    );
    for (rows, said) in [
        ("名称|数/甲|1", "没有“合计”行"),
        ("名称|数/甲|1/合计|无", "没有数"),
        ("名称|数/甲|1/合计|1/乙|2", "之后"),
    ] {
        let refusal = told(&totalled, rows).unwrap_err();
        assert_eq!(refusal.code, "YB-2128", "{refusal}");
        assert!(refusal.text.contains(said), "{refusal}");
    }
    let web = "<html><table><tr><th>名称<th>数<tr><td>甲<td>1<tr><td>合计<td>1户</table>";
    let (_, decoding) = read(&totalled, web.as_bytes()).unwrap();
    assert_eq!(decoding.declared_total, Some(1));
}

#[test]
fn a_full_sheet_beside_one_that_is_not_read_is_refused() {
    let full = |second: &str| {
        let mut book = book(&[("Sheet1", "名称"), ("Sheet1(2)", second)]);
        let first = book.worksheet_from_index(0).expect("sheet");
        first.write_string(65_535, 0, "末").expect("cell");
        saved(book)
    };
    refused(&plain(), &full("名称/丙"), "YB-2161");
    assert_eq!(remarks(&plain(), &full("")), ["YB-2176"]);
    let short = saved(book(&[("Sheet1", "名称/甲"), ("Sheet2", "x")]));
    assert_eq!(remarks(&plain(), &short), ["YB-2173"]);
}

#[test]
fn hidden_sheets_are_read_only_by_their_whole_name() {
    let mut hidden = book(&[("旧名册", "名称/旧"), ("新名册", "名称/新")]);
    let first = hidden.worksheet_from_index(0).expect("sheet");
    first.set_hidden(true);
    hidden
        .worksheet_from_index(1)
        .expect("sheet")
        .set_active(true);
    let bytes = saved(hidden);
    let named = |name: &str| {
        let name = name.to_owned();
        sheet(|format| format.sheet = Some(name))
    };
    for (adapter, row) in [
        (plain(), "2 新"),
        (named("*名册"), "2 新"),
        (named("旧名册"), "2 旧"),
    ] {
        assert_eq!(lines(&adapter, &bytes)[1], row);
    }
    refused(&named("旧*"), &bytes, "YB-2143");
}

// ---------------------------------------------------------------- headings, merged and hidden cells

#[test]
fn two_heading_rows_and_a_row_of_codes() {
    let mut book = book(&[("S", "名册/|名称/||养老|工伤|/|AAB004|AAC1|AAC2|/1|甲|5|6|x")]);
    let sheet1 = book.worksheet_from_index(0).expect("sheet");
    let look = CellFormat::new();
    sheet1
        .merge_range(1, 0, 2, 0, "序号", &look)
        .expect("merge");
    sheet1
        .merge_range(1, 1, 2, 1, "名称", &look)
        .expect("merge");
    sheet1
        .merge_range(1, 2, 1, 3, "人数", &look)
        .expect("merge");
    sheet1.write_string(2, 4, "备注").expect("cell");
    let bytes = saved(book);
    let two = sheet(|format| {
        format.header_rows = Some(2);
        format.code_row = true;
    });
    assert_eq!(
        lines(&two, &bytes),
        [
            "T 名册",
            "C 序号|名称|人数/养老|人数/工伤|备注",
            "5 1|甲|5|6|x"
        ]
    );
    let no_codes = saved(self::book(&[("S", "名称|数/甲|1")]));
    let codes = sheet(|format| format.code_row = true);
    refused(&codes, &no_codes, "YB-2164");
    let one_row = saved(self::book(&[("S", "名称|数")]));
    refused(
        &sheet(|format| format.header_rows = Some(2)),
        &one_row,
        "YB-2165",
    );
}

#[test]
fn merged_data_goes_down_only_when_asked() {
    let mut book = book(&[("S", "名称|险种/|养老/|工伤//|失业/乙|养老")]);
    let merged = book.worksheet_from_index(0).expect("sheet");
    merged
        .merge_range(1, 0, 4, 0, "甲", &CellFormat::new())
        .expect("merge");
    let bytes = saved(book);
    assert_eq!(
        lines(&plain(), &bytes),
        [
            "C 名称|险种",
            "2 甲|养老",
            "3 -|工伤",
            "5 -|失业",
            "6 乙|养老"
        ]
    );
    assert_eq!(remarks(&plain(), &bytes), ["YB-2172"]);
    let down = sheet(|format| format.merged = Merged::Down);
    assert_eq!(
        lines(&down, &bytes),
        [
            "C 名称|险种",
            "2 甲|养老",
            "3 甲|工伤",
            "5 甲|失业",
            "6 乙|养老"
        ]
    );
    assert_eq!(remarks(&down, &bytes), Vec::<&str>::new());
    let mut tight = plain();
    tight.limits.merged_cells = 0;
    refused(&tight, &bytes, "YB-2167");
}

#[test]
fn hidden_rows_are_read_skipped_or_refused() {
    let mut book = book(&[("S", "题/名称|数/甲|1/乙|2/丙|3")]);
    let hidden = book.worksheet_from_index(0).expect("sheet");
    hidden.set_row_hidden(0).expect("row");
    hidden.set_row_hidden(3).expect("row");
    hidden.set_row_hidden(9).expect("row");
    hidden.set_column_hidden(1).expect("column");
    hidden.set_column_hidden(5).expect("column");
    let bytes = saved(book);
    let with = |rows| sheet(|format| format.hidden_rows = rows);
    assert_eq!(lines(&plain(), &bytes).len(), 5);
    assert_eq!(remarks(&plain(), &bytes), ["YB-2170", "YB-2171"]);
    assert_eq!(
        lines(&with(HiddenRows::Skip), &bytes),
        ["T 题", "C 名称|数", "3 甲|1", "5 丙|3"]
    );
    assert_eq!(
        remarks(&with(HiddenRows::Skip), &bytes),
        ["YB-2170", "YB-2171"]
    );
    refused(&with(HiddenRows::Refuse), &bytes, "YB-2163");
}

// ---------------------------------------------------------------- cells

#[test]
fn cells_by_hand_are_shown_as_people_see_them() {
    let strings = "<sst><si><t>名称</t></si><si><r><t>南</t></r><r><rPr><b/></rPr><t>阳</t></r><rPh sb=\"0\" eb=\"1\"><t>nan</t></rPh></si><si/><si><t xml:space=\"preserve\"> 留白 </t></si></sst>";
    let rows = format!(
        "<dimension ref=\"A1:A1\"/><sheetData>{HEADING}\
         <row r=\"2\"><c r=\"A2\" t=\"s\"><v>1</v></c></row>\
         <row r=\"3\"><c r=\"A3\" t=\"s\"><v>2</v></c></row>\
         <row r=\"4\"><c r=\"A4\" t=\"s\"><v>3</v></c></row>\
         <row r=\"5\"><c r=\"A5\" t=\"inlineStr\"><is><r><t>甲</t></r><r><t>乙</t></r></is></c></row>\
         <row r=\"6\"><c r=\"A6\" t=\"e\"><v>#N/A</v></c></row>\
         <row r=\"7\"><c r=\"A7\" t=\"e\"><v>#REF!</v></c></row>\
         <row r=\"8\"><c r=\"A8\" t=\"b\"><v>0</v></c></row>\
         <row r=\"9\"><c r=\"A9\" t=\"str\"><f>A1</f><v>算</v></c></row>\
         <row r=\"10\"><c r=\"A10\"><f>1+1</f></c></row>\
         <row r=\"11\"><c r=\"A11\"><v>9.11522010783763E+17</v></c></row>\
         <row r=\"12\"><c r=\"A12\" t=\"str\"><v>911522010783762000</v></c></row>\
         <row r=\"13\"><c r=\"A13\" t=\"d\"><v>2023-04-01T00:00:00</v></c></row>\
         </sheetData>"
    );
    assert_eq!(
        lines(&plain(), &workbook("", &rows, strings)),
        [
            "C 名称",
            "2 南阳",
            "4  留白 ",
            "5 甲乙",
            "7 #REF!",
            "8 FALSE",
            "9 算",
            "!10 YB-2166",
            "11 9.11522010783763E17#",
            "12 911522010783762000",
            "13 2023-04-01",
        ]
    );
}

#[test]
fn codes_with_leading_zeros_and_other_formats() {
    let mut book = book(&[("S", "名称|数")]);
    let sheet = book.worksheet_from_index(0).expect("sheet");
    for (row, (format, value)) in [
        ("0000000", 1234.0),
        ("0.00%", 0.05),
        ("_ * #,##0.00_ ", 1_234_567.5),
        ("0", 15.0),
        ("[h]:mm", 1.5),
    ]
    .into_iter()
    .enumerate()
    {
        let format = CellFormat::new().set_num_format(format);
        let row = u32::try_from(row).expect("row") + 1;
        sheet
            .write_number_with_format(row, 1, value, &format)
            .expect("cell");
    }
    assert_eq!(
        lines(&plain(), &saved(book))[1..],
        [
            "2 -|0001234#",
            "3 -|0.05#",
            "4 -|1234567.5#",
            "5 -|15#",
            "6 -|1.5#"
        ]
    );
}

// ---------------------------------------------------------------- kinds told by content

const SHEET_ML: &str = r#"<?xml version="1.0"?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" xmlns:x="urn:schemas-microsoft-com:office:excel" xmlns:html="http://www.w3.org/TR/REC-html40">
<Styles><Style ss:ID="d"><NumberFormat ss:Format="Short Date"/></Style><Style ss:ID="z"><NumberFormat ss:Format="00000"/></Style></Styles>
<Worksheet ss:Name="旧"><Table><Row><Cell><Data ss:Type="String">名称</Data></Cell></Row></Table><WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel"><Visible>SheetHidden</Visible></WorksheetOptions></Worksheet>
<Worksheet ss:Name="新"><Table ss:ExpandedColumnCount="1"><Column ss:Index="2" ss:Hidden="1" ss:Span="1"/>
<Row ss:Index="2"><Cell ss:MergeAcross="2"><Data ss:Type="String">标题</Data></Cell></Row>
<Row><Cell><Data ss:Type="String">名称</Data></Cell><Cell ss:Index="3"><Data ss:Type="String">日期</Data></Cell><Cell><Data ss:Type="String">数</Data></Cell></Row>
<Row ss:Index="5"><Cell ss:MergeDown="1"><Data ss:Type="String">甲&amp;乙</Data><Comment><ss:Data>注</ss:Data></Comment></Cell><Cell ss:Index="3" ss:StyleID="d"><Data ss:Type="DateTime">2023-04-01T00:00:00.000</Data></Cell><Cell ss:StyleID="z"><Data ss:Type="Number">42</Data></Cell></Row>
<Row ss:Hidden="1"><Cell ss:Index="3" ss:StyleID="d"><Data ss:Type="Number">45017</Data></Cell><Cell><Data ss:Type="Error">#N/A</Data></Cell></Row>
<Row><Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40"><B>丙</B><Font>丁</Font></ss:Data></Cell><Cell ss:Index="4"><Data ss:Type="Boolean">1</Data></Cell></Row>
<Row><Cell ss:Formula="=1+1"/></Row>
<Row><Cell ss:MergeAcross="1"><Data ss:Type="String">戊</Data></Cell><Cell><Data ss:Type="String">三</Data></Cell></Row>
</Table></Worksheet></Workbook>"#;

#[test]
fn spreadsheet_ml_is_read() {
    let bytes = SHEET_ML.as_bytes();
    assert_eq!(
        lines(&plain(), bytes),
        [
            "T 标题",
            "C 名称||日期|数",
            "5 甲&乙|-|2023-04-01|00042#",
            "6 -|-|2023-04-01|-",
            "7 丙丁|-|-|TRUE",
            "!8 YB-2166",
            "9 戊|-|三|-",
        ]
    );
    assert_eq!(remarks(&plain(), bytes), ["YB-2170", "YB-2171", "YB-2172"]);
    let down = sheet(|format| format.merged = Merged::Down);
    assert_eq!(lines(&down, bytes)[3], "6 甲&乙|-|2023-04-01|-");
    assert_eq!(
        lines(&sheet(|format| format.sheet = Some("旧".to_owned())), bytes),
        ["C 名称"]
    );
    for (from, to) in [
        ("ss:Index=\"5\"", "ss:Index=\"2\""),
        ("ss:Index=\"5\"", "ss:Index=\"0\""),
        ("ss:Index=\"5\"", "ss:Index=\"1048577\""),
        ("ss:Index=\"3\"", "ss:Index=\"16385\""),
        ("&amp;", "&evil;"),
        ("<Styles>", "<!DOCTYPE x [<!ENTITY a 'b'>]><Styles>"),
        (">42<", ">x<"),
        ("</Workbook>", ""),
    ] {
        refused(
            &plain(),
            SHEET_ML.replacen(from, to, 1).as_bytes(),
            "YB-2141",
        );
    }
}

#[test]
fn web_pages_are_read() {
    let page = "<html><head><meta http-equiv=Content-Type content='text/html; charset=gb2312'><style>td{}</style><script>var a='<table><tr><td>名称</td></tr></table>'</script></head><body>\
        <table><tr><td>布局<table><tr><td colspan=3>参保&nbsp;名册<tr><th rowspan=2>名称</th><th colspan=2>人数</th></tr><tr><th>养老<th>工伤</tr>\
        <tr><td rowspan='2'>甲&lt;乙&#12288;</td><td x:num>5</td><td x:num=\"6.5\">6.50</td></tr><tr style='display: none'><td>7<br>8</td><td></td></tr>\
        <tr><td>丙</td></tr></table></td></tr></table><table><tr><td>页脚</td></tr></table></body></html>";
    let two = sheet(|format| format.header_rows = Some(2));
    let expected = [
        "T 参保\u{a0}名册",
        "C 名称|人数/养老|人数/工伤",
        "4 甲<乙\u{3000}|5#|6.5#",
        "5 -|7\n8|-",
        "6 丙|-|-",
    ];
    assert_eq!(lines(&two, &gbk(page)), expected);
    assert_eq!(lines(&two, page.as_bytes()), expected);
    assert_eq!(remarks(&two, page.as_bytes()), ["YB-2170", "YB-2172"]);
    let (_, decoding) = read(&two, &gbk(page)).expect("readable");
    assert_eq!(decoding.charset, "gb18030");

    let twice = "<table><tr><td>名称<td>数</tr><tr><td>甲<td>1</table><p><table><tr><td>名称<td>数<tr><td>乙<td>2</table>";
    refused(&plain(), twice.as_bytes(), "YB-2160");
    assert_eq!(
        lines(
            &sheet(|format| format.sheets = Sheets::All),
            twice.as_bytes()
        ),
        ["C 名称|数", "2 甲|1", "4 乙|2"]
    );
    for (page, code) in [
        ("<html><body>请先登录</body></html>".to_owned(), "YB-2106"),
        ("<html><table><tr><td>x</table>".to_owned(), "YB-2121"),
        ("<meta charset=big5><html><table>".to_owned(), "YB-2104"),
        ("<table>".repeat(100), "YB-2115"),
        (
            format!("<table><tr><td title='{}'>", "x".repeat(400_000)),
            "YB-2116",
        ),
    ] {
        refused(&plain(), page.as_bytes(), code);
    }
    // Spans that no table has cost nothing.
    let wide = "<table><tr><td>名称</tr><tr><td colspan=4000000000 rowspan=4000000000>甲<td>乙</tr><tr><td>丙</tr></table>";
    assert_eq!(
        lines(&plain(), wide.as_bytes()),
        ["C 名称", "!2 YB-2151", "!3 YB-2151"]
    );
}

#[test]
fn delimited_text_is_read_whatever_it_is_called() {
    for bytes in [
        "题\n名称\t数\n甲\t1\n".as_bytes().to_vec(),
        gbk("题\n名称\t数\n甲\t1\n"),
        "题\n名称,数\n甲,1\n".as_bytes().to_vec(),
        "\u{feff}题\n名称\t数\n甲\t1\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
    ] {
        assert_eq!(lines(&plain(), &bytes), ["T 题", "C 名称|数", "3 甲|1"]);
    }
    refused(
        &sheet(|format| format.charset = Some(Charset::Gb18030)),
        "名称\t数\n甲\t1\n".as_bytes(),
        "YB-2103",
    );
}

#[test]
fn other_kinds_are_refused_by_name() {
    let package = |names: &[&str]| {
        let members: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, &b"x"[..])).collect();
        archive(&members, CompressionMethod::Stored)
    };
    for (bytes, word) in [
        (package(&["_rels/.rels", "xl/workbook.bin"]), "XLSB"),
        (package(&["mimetype", "content.xml"]), "ODS"),
        (
            package(&["_rels/.rels", "xl/workbook.xml", "xl/vbaProject.bin"]),
            "宏",
        ),
        (package(&["_rels/.rels", "word/document.xml"]), "Word"),
        (package(&["a.xlsx"]), "container.zip"),
        (b"\x09\x04\x06\0\0\0\x10\0\0\0".to_vec(), "Excel 4.0"),
        (b"MIME-Version: 1.0\r\n".to_vec(), "MHTML"),
    ] {
        let said = refused(&plain(), &bytes, "YB-2168");
        assert!(said.contains(word), "{word}: {said}");
    }
    refused(&plain(), b"%PDF-1.4", "YB-2106");
    refused(&plain(), b"<?xml version='1.0'?><a/>", "YB-2106");
}

#[test]
fn damaged_packages_are_refused() {
    let rows = format!("<sheetData>{HEADING}</sheetData>");
    assert_eq!(lines(&plain(), &workbook("", &rows, STRINGS)), ["C 名称"]);
    let formula_bomb = format!(
        "<sheetData>{HEADING}<row r=\"2\"><c r=\"A99999999999\"><v>1</v></c></row></sheetData>"
    );
    let far = format!("<sheetData>{HEADING}<row r=\"1048577\"/></sheetData>");
    for (nth, bytes) in [
        workbook("", &formula_bomb, STRINGS),
        workbook("", &far, STRINGS),
        // Relations that point at themselves, at nothing, and out of the package.
        renamed("xl/workbook.xml", "_rels/.rels"),
        renamed("worksheets/sheet1.xml", "workbook.xml"),
        renamed("worksheets/sheet1.xml", "worksheets/none.xml"),
        renamed("worksheets/sheet1.xml", "../../../etc/passwd"),
        renamed("worksheets/sheet1.xml", "sheet1"),
        // The library panics at a sheet that lies in no folder.
        renamed("worksheets/sheet1.xml", "/sheet1"),
    ]
    .into_iter()
    .enumerate()
    {
        let refusal = read(&plain(), &bytes).expect_err(&nth.to_string());
        assert!(
            ["YB-2141", "YB-2061", "YB-2071"].contains(&refusal.code),
            "{refusal}"
        );
    }
}

/// A good workbook with one target of its relations changed.
fn renamed(from: &str, to: &str) -> Vec<u8> {
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = format!("<Relationships><Relationship Id=\"r1\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>").replace(from, to);
    let book = format!("<Relationships><Relationship Id=\"r1\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>").replace(from, to);
    archive(
        &[
            ("_rels/.rels", package.as_bytes()),
            ("xl/workbook.xml", b"<workbook xmlns:r=\"r\"><sheets><sheet name=\"S\" r:id=\"r1\"/></sheets></workbook>"),
            ("xl/_rels/workbook.xml.rels", book.as_bytes()),
            ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>\xe5\x90\x8d\xe7\xa7\xb0</t></is></c></row></sheetData></worksheet>"),
        ],
        CompressionMethod::Deflated,
    )
}

#[test]
fn relations_may_be_absolute_and_other_parts_are_not_followed() {
    assert_eq!(
        lines(&plain(), &renamed("worksheets/", "/xl/worksheets/")),
        ["C 名称"]
    );
    assert_eq!(
        lines(&plain(), &renamed("xl/workbook.xml", "/xl/workbook.xml")),
        ["C 名称"]
    );
}

// ---------------------------------------------------------------- written by a spreadsheet program

/// The table that is written in every format.
fn sample() -> Vec<u8> {
    let mut book = book(&[(
        "参保登记册",
        "企业参保登记册/数据日期：2026-03-02/序号|名称|代码|编号|日期|金额|比例|备注",
    )]);
    let sheet = book.worksheet_from_index(0).expect("sheet");
    sheet
        .merge_range(0, 0, 0, 7, "企业参保登记册", &CellFormat::new())
        .expect("title");
    let format = |code: &str| CellFormat::new().set_num_format(code);
    let date = ExcelDateTime::from_ymd(2023, 4, 1).expect("date");
    for row in 3..6_u32 {
        sheet
            .write_number(row, 0, f64::from(row - 2))
            .expect("cell");
        sheet
            .write_string(row, 1, format!("南阳虚构{row}（有限）公司 & <乙>"))
            .expect("cell");
        sheet
            .write_string(row, 2, "91411303MA49U85BX9")
            .expect("cell");
        sheet
            .write_number_with_format(row, 3, f64::from(row), &format("000000"))
            .expect("cell");
        sheet
            .write_datetime_with_format(row, 4, &date, &format("yyyy-mm-dd"))
            .expect("cell");
        sheet
            .write_number_with_format(row, 5, 1_234_567.5, &format("#,##0.00"))
            .expect("cell");
        sheet
            .write_number_with_format(row, 6, 0.25, &format("0.00%"))
            .expect("cell");
    }
    sheet.write_string(3, 7, "一行\n二行").expect("cell");
    sheet
        .write_formula(4, 7, Formula::new("A4+A5").set_result("3"))
        .expect("cell");
    sheet.write_boolean(5, 7, true).expect("cell");
    sheet.write_string(7, 1, "𠮷林虚构合作社").expect("cell");
    saved(book)
}

const SAMPLE: [&str; 7] = [
    "T 企业参保登记册",
    "T 数据日期：2026-03-02",
    "C 序号|名称|代码|编号|日期|金额|比例|备注",
    "4 1#|南阳虚构3（有限）公司 & <乙>|91411303MA49U85BX9|000003#|2023-04-01|1234567.5#|0.25#|一行\n二行",
    "5 2#|南阳虚构4（有限）公司 & <乙>|91411303MA49U85BX9|000004#|2023-04-01|1234567.5#|0.25#|3#",
    "6 3#|南阳虚构5（有限）公司 & <乙>|91411303MA49U85BX9|000005#|2023-04-01|1234567.5#|0.25#|TRUE",
    "8 -|𠮷林虚构合作社|-|-|-|-|-|-",
];

/// Converts with a real spreadsheet program; `None` and a line on the real standard error where there is none.
fn converted(bytes: &[u8], targets: &[(&str, &str)]) -> Option<Vec<Vec<u8>>> {
    if Command::new("soffice").arg("--version").output().is_err() {
        // Past the test harness, so that whoever runs the tests sees it.
        let _ = std::io::stderr()
            .lock()
            .write_all(b"\nskipped: workbooks of a spreadsheet program: no soffice here\n");
        return None;
    }
    let folder = tempfile::tempdir().expect("folder");
    let source = folder.path().join("sample.xlsx");
    std::fs::write(&source, bytes).expect("file");
    let convert = |source: &Path, filter: &str, ending: &str| {
        let profile = folder.path().join("profile");
        let output = Command::new("soffice")
            .arg(format!(
                "-env:UserInstallation=file://{}",
                profile.display()
            ))
            .args(["--headless", "--convert-to", filter, "--outdir"])
            .arg(folder.path().join("out"))
            .arg(source)
            .output()
            .expect("soffice");
        std::fs::read(folder.path().join("out/sample").with_extension(ending))
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    };
    let made = targets.iter().map(|(filter, ending)| {
        if *ending != "xml" {
            return convert(&source, filter, ending);
        }
        // The program's style sheet for SpreadsheetML gives up on empty columns up to the 16,384th.
        let flat = convert(&source, "fods:OpenDocument Spreadsheet Flat XML", "fods");
        let mut short = String::new();
        for piece in String::from_utf8(flat)
            .expect("text")
            .split_inclusive("number-columns-repeated=\"")
        {
            let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
            short.push_str(if digits > 3 { "1" } else { &piece[..digits] });
            short.push_str(&piece[digits..]);
        }
        let path = folder.path().join("sample.fods");
        std::fs::write(&path, short).expect("file");
        convert(&path, filter, ending)
    });
    Some(made.collect())
}

#[test]
fn the_same_table_reads_the_same_from_every_format() {
    let source = sample();
    assert_eq!(lines(&plain(), &source), SAMPLE);
    let targets = [
        ("xlsx:Calc MS Excel 2007 XML", "xlsx"),
        ("xls:MS Excel 97", "xls"),
        ("xls:MS Excel 95", "xls"),
        ("xml:MS Excel 2003 XML", "xml"),
        ("html:HTML (StarCalc)", "html"),
        (
            "csv:Text - txt - csv (StarCalc):9,34,76,1,,0,false,true",
            "csv",
        ),
    ];
    let Some(made) = converted(&source, &targets) else {
        return;
    };
    for ((target, ending), bytes) in targets.iter().zip(made) {
        let said = lines(&plain(), &bytes);
        let narrow = target.contains("95");
        for (at, expected) in SAMPLE.iter().enumerate() {
            let line = said.get(at).map_or("", String::as_str);
            match *ending {
                // Texts alone: numbers are as shown, and nothing says which are numbers.
                "csv" => {
                    let shown = expected
                        .replace('#', "")
                        .replace("1234567.5", "1,234,567.50")
                        .replace("0.25", "25.00%");
                    // The file counts lines, the sheet rows.
                    let rest = |text: &str| text.split_once(' ').map(|(_, rest)| rest.to_owned());
                    assert_eq!(rest(line), rest(&shown), "{target}");
                }
                // The program shows a truth value as a number there.
                "html" => assert_eq!(line, expected.replace("TRUE", "1#"), "{target}"),
                // The program does not write such formats into SpreadsheetML.
                "xml" => assert_eq!(line, expected.replace("|00000", "|"), "{target}"),
                // The code page of Excel 95 has no rare hanzi.
                _ if narrow && expected.contains('𠮷') => {
                    assert!(line.starts_with("8 -|"), "{line}");
                }
                _ => assert_eq!(line, *expected, "{target}"),
            }
        }
        assert_eq!(said.len(), SAMPLE.len(), "{target}");
        assert_eq!(remarks(&plain(), &bytes), Vec::<&str>::new(), "{target}");
    }
}

#[test]
fn an_old_workbook_says_what_the_new_one_does() {
    let mut book = book(&[
        ("隐", "名称/旧"),
        ("Sheet1", "名称|险种|值/|养老/|工伤/乙|养老"),
        ("Sheet1(2)", "名称|险种|值/丙|养老"),
        ("空", ""),
    ]);
    book.worksheet_from_index(0)
        .expect("sheet")
        .set_hidden(true);
    let first = book.worksheet_from_index(1).expect("sheet");
    first.set_active(true);
    first
        .merge_range(1, 0, 2, 0, "甲", &CellFormat::new())
        .expect("merge");
    for (row, formula, result) in [(1, "1/0", "#DIV/0!"), (2, "NA()", "#N/A")] {
        first
            .write_formula(row, 2, Formula::new(formula).set_result(result))
            .expect("cell");
    }
    first.set_column_hidden(1).expect("column");
    first.set_row_hidden(3).expect("row");
    let source = saved(book);
    let adapter = sheet(|format| {
        format.sheet = Some("Sheet1*".to_owned());
        format.sheets = Sheets::All;
        format.merged = Merged::Down;
    });
    let expected = [
        "C 名称|险种|值",
        "2 甲|养老|#DIV/0!",
        "3 甲|工伤|-",
        "4 乙|养老|-",
        "6 丙|养老|-",
    ];
    assert_eq!(lines(&adapter, &source), expected);
    assert_eq!(
        remarks(&adapter, &source),
        ["YB-2174", "YB-2170", "YB-2171"]
    );
    let targets = [("xls:MS Excel 97", "xls"), ("xml:MS Excel 2003 XML", "xml")];
    let Some(made) = converted(&source, &targets) else {
        return;
    };
    for ((target, _), bytes) in targets.iter().zip(&made) {
        assert_eq!(lines(&adapter, bytes), expected, "{target}");
        let (_, decoding) = read(&adapter, bytes).expect("readable");
        let said = |code: &str| decoding.remarks.iter().any(|remark| remark.code == code);
        assert!(
            said("YB-2174") && said("YB-2170") && said("YB-2171"),
            "{target}"
        );
        // The program does not write into SpreadsheetML that a sheet is hidden.
        for remark in decoding
            .remarks
            .iter()
            .filter(|remark| remark.code == "YB-2173")
        {
            assert!(
                target.contains("2003") && remark.text.contains("未读：隐。"),
                "{target} {}",
                remark.text
            );
        }
    }
    let xls = &made[0];
    assert_eq!(
        lines(&sheet(|format| format.sheet = Some("隐".to_owned())), xls),
        ["C 名称", "2 旧"]
    );
    damage_old_workbook(xls);
}

#[test]
fn texts_that_formulas_gave_are_read() {
    let sheet = "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>\
        <row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>名称</t></is></c></row>\
        <row r=\"2\"><c r=\"A2\" t=\"str\"><f>\"甲\"&amp;\"b\"</f><v>甲b</v></c></row>\
        <row r=\"3\"><c r=\"A3\" t=\"b\"><f>1=1</f><v>1</v></c></row></sheetData></worksheet>";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relation = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"{office}/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let source = archive(
        &[
            ("[Content_Types].xml", format!("<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\"{kinds}.sheet.main+xml\"/><Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"{kinds}.worksheet+xml\"/></Types>").as_bytes()),
            ("_rels/.rels", relation("officeDocument", "xl/workbook.xml").as_bytes()),
            ("xl/workbook.xml", format!("<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"{office}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>").as_bytes()),
            ("xl/_rels/workbook.xml.rels", relation("worksheet", "worksheets/sheet1.xml").as_bytes()),
            ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ],
        CompressionMethod::Deflated,
    );
    let expected = ["C 名称", "2 甲b", "3 TRUE"];
    assert_eq!(lines(&plain(), &source), expected);
    let targets = [("xls:MS Excel 97", "xls"), ("xls:MS Excel 95", "xls")];
    for bytes in converted(&source, &targets).into_iter().flatten() {
        assert_eq!(lines(&plain(), &bytes), expected);
    }
}

/// Ways in which an old workbook can be broken, each at every place where it would hurt.
fn damage_old_workbook(xls: &[u8]) {
    let mut tight = plain();
    tight.limits.kept_bytes = 1000;
    refused(&tight, xls, "YB-2145");
    refused(&plain(), &xls[..600], "YB-2141");
    // Every link of the table of sectors turned back to the first sector: chains that run in a circle.
    let table = u32::from_le_bytes(xls[76..80].try_into().expect("place")) as usize;
    let from = (table + 1) * 512;
    let mut circle = xls.to_vec();
    circle[from..from + 512].fill(0);
    refused(&plain(), &circle, "YB-2141");
    // Records that claim to be longer than they are.
    let start = xls
        .windows(4)
        .position(|four| four == b"\x09\x08\x10\0")
        .expect("records");
    for offset in 0..600 {
        let mut lying = xls.to_vec();
        lying[start + offset] = 0xff;
        let _ = read(&plain(), &lying);
    }
    // The directory says what else it holds.
    for (name, code) in [
        ("EncryptedPackage", "YB-2142"),
        ("WordDocument", "YB-2168"),
        ("_VBA_PROJECT_CUR", "YB-2168"),
    ] {
        let mut other = xls.to_vec();
        let wide = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>()
        };
        let workbook = wide("Workbook");
        let at = xls
            .windows(workbook.len())
            .position(|window| window == workbook)
            .expect("entry");
        let name = wide(name);
        other[at..at + name.len()].copy_from_slice(&name);
        refused(&plain(), &other, code);
    }
    proptest!(ProptestConfig::with_cases(200), |(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
    )| {
        let mut bytes = xls.to_vec();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() * 4).max(1));
        let _ = read(&plain(), &bytes);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn random_bytes_are_never_a_panic(
        start in prop::sample::select(vec![
            &b""[..], b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<table><tr><td>", b"<html>",
            b"<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"><Worksheet><Table><Row><Cell>",
            b"\x09\x08\x10\0\0\x06",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let _ = read(&plain(), &[start, &bytes[..]].concat());
    }

    #[test]
    fn damaged_spreadsheets_are_never_a_panic(
        which in 0_usize..3,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let page = "<table><tr><td>名称<td colspan=2>数</tr><tr><td rowspan=3>甲<td x:num='1'>1</table>";
        let mut bytes = match which {
            0 => SHEET_ML.as_bytes().to_vec(),
            1 => page.as_bytes().to_vec(),
            _ => renamed("", ""),
        };
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read(&plain(), &bytes);
    }
}

#[test]
fn a_long_page_is_read_as_it_comes() {
    let mut page = "<table><tr><td>名称<td>数</tr>".to_owned();
    for row in 0..5000 {
        let _ = write!(page, "<tr><td>甲{row}<td>{row}</tr>");
    }
    assert_eq!(lines(&plain(), page.as_bytes()).len(), 5001);
    let mut tight = plain();
    tight.limits.rows = 10;
    refused(&tight, page.as_bytes(), "YB-2107");
}
