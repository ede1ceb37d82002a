//! Text of fixed width.

use super::*;
use crate::adapter::format::WidthUnit;

const COLUMNS: &[(&str, usize)] = &[("代码", 4), ("名称", 6), ("人数", 3)];

#[test]
fn fixed_width_counts_bytes_of_the_files_own_charset() {
    let text = "A001甲乙丙 12\r\nA002丁    003\n\nA003戊\nA004己庚    \n";
    let expected = [
        "C 代码|名称|人数",
        "1 A001|甲乙丙| 12",
        "2 A002|丁|003",
        "4 A003|戊|-",
        "5 A004|己庚|-",
    ];
    let (said, decoding) = read(&fixed(COLUMNS, |_| ()), &gbk(text)).expect("readable");
    assert_eq!(said, expected);
    assert_eq!((decoding.charset.as_str(), decoding.rows), ("gb18030", 4));
    // A rare hanzi has four bytes.
    assert_eq!(
        lines(&fixed(COLUMNS, |_| ()), &gbk("A001𠮷甲 12\n"))[1],
        "1 A001|𠮷甲| 12"
    );
    let with_bom = [b"\x84\x31\x95\x33".to_vec(), gbk("A001甲乙丙 12\n")].concat();
    assert_eq!(
        lines(&fixed(COLUMNS, |_| ()), &with_bom)[1],
        "1 A001|甲乙丙| 12"
    );
    // In UTF-8 a hanzi has three.
    assert_eq!(
        lines(&fixed(COLUMNS, |_| ()), "A001甲乙123\n".as_bytes())[1],
        "1 A001|甲乙|123"
    );
}

#[test]
fn fixed_width_may_count_characters() {
    let columns = &[("代码", 4), ("名称", 3), ("人数", 3)];
    let counted = fixed(columns, |fixed| fixed.unit = WidthUnit::Characters);
    let text = "A001甲乙丙 12\nA002丁　 003\n";
    for bytes in [text.as_bytes().to_vec(), gbk(text)] {
        assert_eq!(
            lines(&counted, &bytes),
            ["C 代码|名称|人数", "1 A001|甲乙丙| 12", "2 A002|丁|003"]
        );
    }
}

#[test]
fn fixed_width_may_leave_gaps_and_have_titles_and_a_trailer() {
    let gaps = fixed(&[("代码", 2), ("名称", 4)], |fixed| {
        fixed.columns[1].from = Some(5);
        fixed.title_lines = 2;
        fixed.trailer = Some("END".to_owned());
    });
    let text = gbk("数据日期 2026-03-18\n\nA1--甲乙\nA2--丙\nEND 0002\n");
    let (said, decoding) = read(&gaps, &text).expect("readable");
    assert_eq!(
        said,
        [
            "T 数据日期 2026-03-18",
            "C 代码|名称",
            "3 A1|甲乙",
            "4 A2|丙"
        ]
    );
    assert_eq!(decoding.declared_total, Some(2));
    refused(&gaps, &gbk("x\nx\nA1--甲乙\n"), "YB-2128");
}

#[test]
fn fixed_width_rows_that_do_not_fit_are_set_aside() {
    let adapter = fixed(COLUMNS, |_| ());
    for (row, expected) in [
        ("A001甲乙丙 12x\n", "!1 YB-2151"),
        ("A001甲乙丙 12  \n", "1 A001|甲乙丙| 12"),
        // A border through a hanzi: everything behind it is shifted.
        ("A01甲乙丙 12\n", "!1 YB-2157"),
        ("A001甲乙丙 1", "!1 YB-2155"),
        ("A001甲乙丙 12", "1 A001|甲乙丙| 12"),
    ] {
        assert_eq!(
            lines(&adapter, &gbk(row)).last().expect("row"),
            expected,
            "{row}"
        );
    }
    let mut small = fixed(COLUMNS, |_| ());
    small.limits.cell_bytes = 5;
    assert_eq!(lines(&small, b"A001bcdefg 12\n")[1], "!1 YB-2152");
    refused(&adapter, "x".repeat(200_000).as_bytes(), "YB-2123");
    let wide: Vec<u8> = "\u{feff}A001\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    refused(&adapter, &wide, "YB-2102");
}
