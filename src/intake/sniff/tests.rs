use std::io::Write;

use encoding_rs::GB18030;

use super::*;

fn sniffed(name: &str, bytes: &[u8]) -> Result<Sample, Unreadable> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("written");
    let aliases = Aliases::shipped().expect("the table is sound");
    sniff(file.path(), name, &aliases, &|_| {})
}

fn headings(sample: &Sample) -> Vec<&str> {
    sample
        .columns
        .iter()
        .map(|column| column.heading.as_str())
        .collect()
}

fn gb18030(text: &str) -> Vec<u8> {
    GB18030.encode(text).0.into_owned()
}

const HEADINGS: [&str; 3] = ["统一社会信用代码", "企业名称", "登记状态"];

#[test]
fn text_in_every_dress_is_found_out() {
    let table = |delimiter: &str, title: &str| {
        let row = ["91411303MA49U85BX9", "南阳示例有限公司", "存续"];
        format!(
            "{title}{}\n{}\n{}\n",
            HEADINGS.join(delimiter),
            row.join(delimiter),
            row.join(delimiter)
        )
    };
    for (bytes, charset, layout) in [
        (table(",", "").into_bytes(), "utf-8", "header = "),
        (
            gb18030(&table(",", "企业名单\n\n")),
            "gb18030",
            "charset = \"gb18030\"",
        ),
        (table("\t", "").into_bytes(), "utf-8", "delimiter = \"\\t\""),
        (
            gb18030(&table("|", "单位：万元\n")),
            "gb18030",
            "delimiter = \"|\"",
        ),
        (
            format!("\u{feff}{}", table(";", "")).into_bytes(),
            "utf-8",
            "delimiter = \";\"",
        ),
    ] {
        let sample = sniffed("a.txt", &bytes).expect("readable");
        assert_eq!(sample.layout.charset, charset);
        assert_eq!(
            (headings(&sample).as_slice(), sample.rows),
            (&HEADINGS[..], 2)
        );
        let toml = sample.layout.toml().replace("  ", " ").replace("  ", " ");
        assert!(toml.contains(layout), "{toml}");
        assert!(sample.whole);
    }
}

#[test]
fn xml_and_json_are_laid_open() {
    let xml = |declaration: &str| {
        format!(
            "{declaration}<d><h><count>2</count></h><r><UNISCID>甲</UNISCID><ENTNAME>乙</ENTNAME></r><r><UNISCID>丙</UNISCID><ENTNAME>丁</ENTNAME></r></d>"
        )
    };
    for (bytes, wanted) in [
        (
            xml("").into_bytes(),
            &["record = \"d/r\"", "total = \"d/h/count\""][..],
        ),
        (
            gb18030(&xml("<?xml version=\"1.0\" encoding=\"GBK\"?>")),
            &["record = \"d/r\""],
        ),
        // Without a word the decoder takes XML for UTF-8.
        (gb18030(&xml("")), &["charset = \"gb18030\""]),
        (
            "{\"total\":2,\"rows\":[{\"UNISCID\":\"甲\",\"ENTNAME\":\"乙\"},{\"UNISCID\":\"丙\"}]}"
                .into(),
            &["rows = \"/rows\"", "total = \"/total\""],
        ),
        (
            "[{\"UNISCID\":\"甲\",\"ENTNAME\":\"乙\"},{\"UNISCID\":\"丙\"}]".into(),
            &["rows = \"\""],
        ),
    ] {
        let sample = sniffed("a", &bytes).expect("readable");
        assert_eq!(
            (headings(&sample).as_slice(), sample.rows),
            (&["UNISCID", "ENTNAME"][..], 2)
        );
        let toml = sample
            .layout
            .toml()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        for word in wanted {
            assert!(toml.contains(word), "{word}: {toml}");
        }
    }
}

#[test]
fn an_archive_is_opened_at_its_greatest_member() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let csv = "UNISCID,ENTNAME\n91411303MA49U85BX9,甲\n";
    for (name, text) in [("说明.txt", "见表"), ("数据/名单_20260302.csv", csv)] {
        zip.start_file(name, options).expect("begun");
        zip.write_all(text.as_bytes()).expect("written");
    }
    let bytes = zip.finish().expect("whole").into_inner();
    let sample = sniffed("a.zip", &bytes).expect("readable");
    assert_eq!(sample.rows, 1);
    let toml = sample.layout.toml();
    assert!(toml.contains("member = \"名单_*.csv\""), "{toml}");
}

#[test]
fn only_the_beginning_of_a_long_file_is_read() {
    let mut text = "UNISCID,ENTNAME\n".to_owned();
    for _ in 0..5_000 {
        text.push_str("91411303MA49U85BX9,甲\n");
    }
    let sample = sniffed("a.csv", text.as_bytes()).expect("readable");
    assert_eq!(sample.rows, crate::adapter::draft::sample::ROWS);
    assert!(!sample.whole);
}

#[test]
fn a_format_that_this_program_lacks_is_named() {
    let refused = sniffed(
        "a.bin",
        &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0],
    );
    assert!(refused.is_err());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let _ = sniffed("a", &bytes);
    }

    #[test]
    fn no_text_panics(text in "[<>a-c/{}\\[\\]\":,\\n 0-9名称]{0,200}") {
        let _ = sniffed("a", text.as_bytes());
    }
}

/// Fields of a line, each filled up with blanks to its width in bytes of GB18030, or in characters.
fn wide(fields: &[(&str, usize)], in_bytes: bool) -> String {
    let mut line = String::new();
    for (text, width) in fields {
        let own = if in_bytes {
            gb18030(text).len()
        } else {
            text.chars().count()
        };
        line.push_str(text);
        line.push_str(&" ".repeat(width - own));
    }
    line + "\r\n"
}

fn wide_rows(in_bytes: bool) -> String {
    [
        (
            "91411303MA49U85BX9",
            "南阳示例有限公司",
            "12",
            "存续",
            "20250102",
        ),
        (
            "91411303MA49U86AX3",
            "南阳样品餐饮有限公司",
            "3",
            "注销",
            "20231130",
        ),
        (
            "91411303MA49U87BX8",
            "宛城试制店",
            "140",
            "存续",
            "20190506",
        ),
        (
            "91411303MA49U88AX1",
            "卧龙演练用最长名称有限公司",
            "5",
            "",
            "20240711",
        ),
    ]
    .iter()
    .map(|(code, name, heads, state, day)| {
        let fields = [
            (*code, 18),
            (*name, 26),
            (*heads, 6),
            (*state, 4),
            (*day, 8),
        ];
        wide(&fields, in_bytes)
    })
    .collect()
}

/// The widths of a draft's columns.
fn widths(sample: &Sample) -> Vec<usize> {
    let columns = sample
        .layout
        .format
        .keys
        .iter()
        .find(|key| key.name == "columns")
        .expect("columns");
    columns
        .value
        .split("width = ")
        .skip(1)
        .map(|rest| {
            rest.split(' ')
                .next()
                .expect("a width")
                .parse()
                .expect("a number")
        })
        .collect()
}

#[test]
fn columns_of_fixed_width_are_found_by_what_every_line_has() {
    let heading = [
        ("统一社会信用代码", 18),
        ("企业名称", 26),
        ("人数", 6),
        ("状态", 4),
        ("成立日期", 8),
    ];
    let named = ["统一社会信用代码", "企业名称", "人数", "状态", "成立日期"];
    let numbered = ["列1", "列2", "列3", "列4", "列5"];
    let title = "市场主体名单（示例）\r\n";
    let bytes = |text: &str| gb18030(text);
    for (number, (file, headings, rows)) in [
        (bytes(&wide_rows(true)), numbered, 4),
        (bytes(&format!("{title}{}", wide_rows(true))), numbered, 4),
        (
            bytes(&format!(
                "{title}{}{}",
                wide(&heading, true),
                wide_rows(true)
            )),
            named,
            4,
        ),
        (wide_rows(false).into_bytes(), numbered, 4),
        (
            format!("\u{feff}{}{}", wide(&heading, false), wide_rows(false)).into_bytes(),
            named,
            4,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let sample = sniffed("a.txt", &file).expect("readable");
        assert_eq!(sample.layout.format_name(), "fixed", "{number}");
        assert_eq!(self::headings(&sample), headings, "{number}");
        assert_eq!(widths(&sample), [18, 26, 6, 4, 8], "{number}");
        assert_eq!((sample.rows, sample.spoilt), (rows, 0), "{number}");
        assert_eq!(sample.columns[2].filled, 4);
        assert_eq!(sample.columns[3].filled, 3);
        assert_eq!(
            sample.columns[1].values[3].text,
            "卧龙演练用最长名称有限公司"
        );
    }
    // Delimited text whose lines happen to be equally long is none, nor is a text of two lines, nor prose.
    for text in [
        "码,名称,状态\n01,甲公司,存续\n02,乙公司,存续\n03,丙公司,注销\n",
        "01 甲公司\n02 乙公司\n",
    ] {
        if let Ok(sample) = sniffed("a.txt", text.as_bytes()) {
            assert_ne!(sample.layout.format_name(), "fixed", "{text}");
        }
    }
}

#[test]
fn a_last_line_that_counts_the_rows_is_told_from_a_sum() {
    let csv = "统一社会信用代码,企业名称,登记状态\n91411303MA49U85BX9,南阳示例有限公司,存续\n\
               91411303MA49U86AX3,南阳样品有限公司,存续\n";
    let fixed = wide_rows(true);
    for (text, wanted) in [
        (format!("{csv}记录数：2\n"), Some("记录数")),
        (format!("企业名单\n\n{csv}共2条\n"), Some("共")),
        (format!("{csv}合计,2,\n"), Some("合计")),
        (format!("{csv}总计 2 条记录"), Some("总计")),
        (format!("{fixed}共4条\r\n"), Some("共")),
        (format!("{fixed}合计：0004\r\n"), Some("合计")),
        // Another figure, no word, no figure, a row.
        (format!("{csv}合计,125000,\n"), None),
        (format!("{csv}第2页\n"), None),
        (format!("{csv}甲2,,\n"), None),
        (format!("{csv}2\n"), None),
        (format!("{csv}完\n"), None),
        (csv.to_owned(), None),
        (format!("{fixed}共5条\r\n"), None),
    ] {
        let sample = sniffed("a.txt", &gb18030(&text)).expect("readable");
        let trailer = sample
            .layout
            .format
            .keys
            .iter()
            .find(|key| key.name == "trailer");
        let found = trailer.map(|key| key.value.trim_matches('"'));
        assert_eq!(found, wanted, "{text}");
        if wanted.is_some() {
            assert_eq!(sample.spoilt, 0, "{text}");
            assert!(sample.whole && sample.rows <= 4, "{text}");
        }
    }
}
