//! Workbooks.

use rust_xlsxwriter::{ExcelDateTime, Format as CellFormat, Workbook};

use super::*;

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

/// A workbook by hand, so that it can say what no writer writes.
pub fn workbook(properties: &str, sheet: &str, strings: &str) -> Vec<u8> {
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

pub const STRINGS: &str = "<sst uniqueCount=\"1\"><si><t>名称</t></si></sst>";
pub const HEADING: &str = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row>";

/// A cell as the spreadsheet library reads it.
fn as_the_library_reads(bytes: &[u8]) -> Vec<Vec<String>> {
    use calamine::{Data, Reader as _};
    let mut book: calamine::Xlsx<_> =
        calamine::open_workbook_from_rs(std::io::Cursor::new(bytes)).expect("a workbook");
    let range = book.worksheet_range("Sheet1").expect("a sheet");
    let shown = |cell: &Data| match cell {
        Data::Empty => "-".to_owned(),
        Data::Float(number) => format!("{number}#"),
        Data::Bool(true) => "TRUE".to_owned(),
        Data::Bool(false) => "FALSE".to_owned(),
        other => other.to_string(),
    };
    range
        .rows()
        .map(|row| row.iter().map(shown).collect())
        .collect()
}

#[derive(Debug, Clone)]
enum Written {
    Nothing,
    Text(String),
    Number(f64),
    Truth(bool),
}

fn written() -> impl proptest::strategy::Strategy<Value = Written> {
    use proptest::prelude::*;
    prop_oneof![
        Just(Written::Nothing),
        "[甲乙a-z<&>\"'_x][甲乙a-z<&>\"' _x]{0,11}".prop_map(Written::Text),
        (-1_000_000_i64..1_000_000).prop_map(|n| {
            #[allow(clippy::cast_precision_loss, reason = "small")]
            Written::Number(n as f64 / 100.0)
        }),
        any::<bool>().prop_map(Written::Truth),
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]

    /// What a spreadsheet program writes is read as the spreadsheet library reads it.
    #[test]
    fn cells_are_those_that_the_library_reads(
        rows in proptest::collection::vec(proptest::collection::vec(written(), 3), 0..20),
    ) {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (at, heading) in ["名称", "数", "末"].into_iter().enumerate() {
            sheet.write_string(0, u16::try_from(at).expect("column"), heading).expect("heading");
        }
        for (row, cells) in (1..).zip(&rows) {
            for (column, cell) in (0..).zip(cells) {
                match cell {
                    Written::Nothing => continue,
                    Written::Text(text) => sheet.write_string(row, column, text),
                    Written::Number(number) => sheet.write_number(row, column, *number),
                    Written::Truth(truth) => sheet.write_boolean(row, column, *truth),
                }
                .expect("cell");
            }
        }
        let bytes = book.save_to_buffer().expect("workbook");
        let told = lines(&xlsx(None), &bytes);
        let expected = as_the_library_reads(&bytes);
        let number = |line: &str| -> usize { line.split(' ').next().expect("a number").parse().expect("a number") };
        for line in told.iter().skip(1) {
            let row = number(line);
            let (_, cells) = line.split_once(' ').expect("cells");
            proptest::prop_assert_eq!(cells, expected[row - 1].join("|"));
        }
        let filled = expected.iter().skip(1).filter(|row| row.iter().any(|cell| cell != "-")).count();
        proptest::prop_assert_eq!(told.len() - 1, filled);
    }
}
