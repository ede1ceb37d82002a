//! Delimited text.

use super::*;
use crate::adapter::format::Quotes;

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
        delimiter: Some('\t'),
        header: "单位名称(全称)".to_owned(),
        ..Csv::default()
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
    let other = "标题\n编号\t名称\t金额\n1\t甲\t2\n";
    let said = refused(&csv(None), other.as_bytes(), "YB-2121");
    assert!(
        said.contains("第 2 行") && said.contains("制表符"),
        "{said}"
    );
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
        delimiter: Some('，'),
        header: "名称".to_owned(),
        ..Csv::default()
    });
    refused(&strange, "名称\n".as_bytes(), "YB-2122");
}

#[test]
fn csv_quotes_are_read_as_the_adapter_says() {
    use Quotes::{Backslash, Doubled, None};
    for (quotes, row, expected) in [
        (Doubled, "\"甲\"\"乙\"\"\",1", "甲\"乙\"|1"),
        // A value may end with a backslash, and may hold a path.
        (Doubled, "\"甲\\\",1", "甲\\|1"),
        (Doubled, "\"C:\\new\",\"\"", "C:\\new|-"),
        (Doubled, "甲\"乙\",1", "甲\"乙\"|1"),
        (Doubled, "\"甲\" ,\"1\"\t", "甲|1"),
        (Backslash, "\"甲\\\"乙\\\"\",\"1\"", "甲\"乙\"|1"),
        (Backslash, "\"甲\\\\\",\"1\"", "甲\\|1"),
        (Backslash, "\"C:\\new\",\"1\"", "C:\\new|1"),
        (Backslash, "\"甲\"\"乙\",\"1\"", "甲\"乙|1"),
        (Backslash, "甲\\,1", "甲\\|1"),
        (None, "\"甲\"商行,\"1", "\"甲\"商行|\"1"),
    ] {
        let adapter = csv_with(|csv| csv.quotes = quotes);
        let text = format!("名称,备注\r\n{row}\r\n");
        assert_eq!(
            lines(&adapter, text.as_bytes())[1],
            format!("2 {expected}"),
            "{row}"
        );
    }
    // The wrong style is never read as something else: such rows are set aside.
    for row in ["\"甲\\\"乙\",\"1\"", "\"甲\\\"乙\\\"\",\"1\"", "\"甲\"乙,1"] {
        let text = format!("名称,备注\n{row}\n丙,2\n");
        assert_eq!(
            lines(&csv(Option::None), text.as_bytes())[1..],
            ["!2 YB-2156", "3 丙|2"],
            "{row}"
        );
    }
    let text = "名称,备注\n\"甲\\\",\"1\"\n丙,2\n";
    let adapter = csv_with(|csv| csv.quotes = Backslash);
    let said = lines(&adapter, text.as_bytes());
    assert!(said[1].starts_with("!2 YB-215"), "{said:?}");
}

#[test]
fn csv_headings_in_two_rows_and_codes_below_are_read() {
    let two = csv_with(|csv| {
        csv.header_rows = Some(2);
        csv.code_row = true;
        csv.delimiter = Some('\t');
    });
    let text = "参保情况表\n序号\t名称\t参保人数\t\t备注\n\t\t养老\t工伤\t\nXH\tAAB004\tAAE_1\tAAE_2\tBZ\n1\t甲\t3\t4\t\n合计\t\t3\t4\t\n";
    assert_eq!(
        lines(&two, text.as_bytes()),
        [
            "T 参保情况表",
            "C 序号|名称|参保人数/养老|参保人数/工伤|备注",
            "5 1|甲|3|4|-",
            "6 合计|-|3|4|-"
        ]
    );
    refused(&two, "名称\tb\n".as_bytes(), "YB-2165");
    let coded = csv_with(|csv| csv.code_row = true);
    assert_eq!(
        lines(&coded, "名称,b\nNAME,B_1\n甲,1\n".as_bytes()),
        ["C 名称|b", "3 甲|1"]
    );
    // What is no row of codes is data, and must not be passed over.
    refused(&coded, "名称,b\n甲,1\n".as_bytes(), "YB-2164");
    // The row of codes may be the header: what stands above is a title then.
    let by_code = csv_with(|csv| csv.header = "NAME".to_owned());
    assert_eq!(
        lines(&by_code, "名称,b\nNAME,B\n甲,1\n".as_bytes()),
        ["T 名称 b", "C NAME|B", "3 甲|1"]
    );
}

#[test]
fn csv_trailer_declares_the_total() {
    let trailed = csv_with(|csv| csv.trailer = Some("记录数".to_owned()));
    for (end, total) in [
        ("\"记录数：1,234条\"\n", 1234),
        ("记录数,2", 2),
        ("\n记录数 ,, ２\n\n", 2),
        ("合计,3\n记录数,2\r\n", 2),
    ] {
        let text = format!("名称,备注,x\n甲,1,\n乙,2,\n{end}");
        let (said, decoding) = read(&trailed, text.as_bytes()).expect("readable");
        assert_eq!(said[..3], ["C 名称|备注|x", "2 甲|1|-", "3 乙|2|-"]);
        assert!(!said.iter().any(|line| line.contains("记录数")), "{said:?}");
        assert_eq!(decoding.declared_total, Some(total));
    }
    let (said, decoding) = read(&trailed, "记录数：1\n名称\n甲\n".as_bytes()).expect("readable");
    assert_eq!(said, ["T 记录数：1", "C 名称", "3 甲"]);
    assert_eq!(decoding.declared_total, Some(1));
    for text in [
        "名称\n甲\n",
        "名称\n甲\n记录数\n",
        "名称\n甲\n记录数,1\n乙\n",
        "名称\n甲\n记录数,1\n记录数,1\n",
        "名称\n甲\n记录数,99999999999999999999999\n",
    ] {
        refused(&trailed, text.as_bytes(), "YB-2128");
    }
}

#[test]
fn csv_that_was_cut_off_is_told_from_csv_without_a_last_line_end() {
    for (end, expected) in [
        ("乙,2,x", "3 乙|2|x"),
        ("乙,2", "!3 YB-2155"),
        ("乙", "!3 YB-2155"),
        ("乙,2\n", "!3 YB-2151"),
        ("合计,2", "3 合计|2|-"),
    ] {
        let text = format!("名称,金额,备注\n甲,1,\n{end}");
        assert_eq!(lines(&csv(None), text.as_bytes())[2], expected, "{end}");
    }
    // Inside a quote nobody knows how many rows were swallowed.
    let said = refused(
        &csv(None),
        "名称,b\n甲,1\n乙,\"2\n丙,3\n".as_bytes(),
        "YB-2126",
    );
    assert!(said.contains("第 3 行"), "{said}");
}

#[test]
fn csv_lines_are_cut_the_same_over_any_border_of_pieces() {
    // A CR at the end of one piece and the LF at the start of the next are one line end.
    for padding in 65_400..65_560 {
        let text = format!(
            "{}\r\n名称,b\r\n\"甲\r\n乙\",1\r\n丙,2\r\n",
            "x".repeat(padding)
        );
        assert_eq!(
            lines(&csv(None), text.as_bytes())[1..],
            ["C 名称|b", "3 甲\n乙|1", "5 丙|2"],
            "{padding}"
        );
    }
}

/// What is unusual and means only one thing is read; what could mean several is set aside or refused.
#[test]
fn csv_that_is_unusual_is_read() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        // Empty cells.
        (
            "名称,b,c\n甲,,\n乙,,1\n丙,\"\",2\n",
            &["C 名称|b|c", "2 甲|-|-", "3 乙|-|1", "4 丙|-|2"][..],
        ),
        ("b,名称\n,甲\n", &["C b|名称", "2 -|甲"]),
        // Quotes.
        ("名称,b\n\"甲\",\"1\"\n", &["C 名称|b", "2 甲|1"]),
        (
            "名称,b\n\"甲\"\"乙\"\"\",\"\"\"\"\n",
            &["C 名称|b", "2 甲\"乙\"|\""],
        ),
        ("名称,b\n\"甲,乙\",1\n", &["C 名称|b", "2 甲,乙|1"]),
        ("名称,b\n甲\"乙,1\"2\n", &["C 名称|b", "2 甲\"乙|1\"2"]),
        ("\"名称\",\"b\"\n甲,1\n", &["C 名称|b", "2 甲|1"]),
        ("名称,b\n\"甲\"x,1\n", &["C 名称|b", "!2 YB-2156"]),
        // Line ends in a cell.
        (
            "名称,b\n\"甲\n乙\",1\n丙,2\n",
            &["C 名称|b", "2 甲\n乙|1", "4 丙|2"],
        ),
        (
            "名称,b\r\n\"甲\r\n乙\",1\r\n丙,2\r\n",
            &["C 名称|b", "2 甲\n乙|1", "4 丙|2"],
        ),
        (
            "名称,b\n\"甲\r乙\",1\n丙,2\n",
            &["C 名称|b", "2 甲\n乙|1", "4 丙|2"],
        ),
        ("名称,b\n\"甲\n\n\",1\n", &["C 名称|b", "2 甲\n\n|1"]),
        // Line ends.
        ("名称,b\r甲,1\r乙,2\r", &["C 名称|b", "2 甲|1", "3 乙|2"]),
        (
            "名称,b\r\n甲,1\n乙,2\r丙,3\r\n",
            &["C 名称|b", "2 甲|1", "3 乙|2", "4 丙|3"],
        ),
        ("名称,b\n甲,1", &["C 名称|b", "2 甲|1"]),
        ("名称,b\n甲,\"1\"", &["C 名称|b", "2 甲|1"]),
        ("名称,b\n甲,", &["C 名称|b", "2 甲|-"]),
        ("名称,b\n\n\n甲,1\n\n", &["C 名称|b", "4 甲|1"]),
        // A BOM, before a quote, too.
        ("\u{feff}名称,b\n甲,1\n", &["C 名称|b", "2 甲|1"]),
        ("\u{feff}\"名称\",b\n甲,1\n", &["C 名称|b", "2 甲|1"]),
        // Only headings.
        ("名称,b\n", &["C 名称|b"]),
        ("名称,b", &["C 名称|b"]),
        // One column.
        ("名称\n甲\n\"乙,丙\"\n", &["C 名称", "2 甲", "3 乙,丙"]),
        // Blanks belong to the value; around quotes they do not.
        ("名称,b\n 甲 ,1 \n", &["C 名称|b", "2  甲 |1 "]),
        ("名称,b\n\"甲\" ,1\n", &["C 名称|b", "2 甲|1"]),
        // Ragged.
        (
            "名称,b\n甲\n乙,1,2\n丙,3\n",
            &["C 名称|b", "!2 YB-2151", "!3 YB-2151", "4 丙|3"],
        ),
    ] {
        match read(&csv(None), text.as_bytes()) {
            Ok((said, _)) if said == expected => {}
            other => wrong.push(format!("{text:?}: {expected:?} expected, {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
