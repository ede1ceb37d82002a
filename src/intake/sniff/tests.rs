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
