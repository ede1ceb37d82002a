//! Charsets.

use proptest::prelude::*;

use super::*;

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

fn utf_16(text: &str, little: bool) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        })
        .collect()
}

#[test]
fn utf_16_is_read_by_its_bom_and_refused_without() {
    let text = "名称,a\n𠮷甲,1\n";
    for little in [true, false] {
        let charset = if little { "utf-16le" } else { "utf-16be" };
        let bytes = utf_16(&format!("\u{feff}{text}"), little);
        let (said, decoding) = read(&csv(None), &bytes).expect("readable");
        assert_eq!(said, ["C 名称|a", "2 𠮷甲|1"]);
        assert_eq!(decoding.charset, charset);
        refused(&csv(Some(Charset::Gb18030)), &bytes, "YB-2103");
        let declared = format!("\u{feff}<?xml version='1.0' encoding='UTF-16'?>{RECORDS}");
        assert_eq!(
            lines(&xml(None), &utf_16(&declared, little)),
            ["C A", "1 甲"]
        );
    }
    let bare = utf_16(text, true);
    for adapter in [csv(None), csv(Some(Charset::Gb18030)), xml(None), json()] {
        let said = refused(&adapter, &bare, "YB-2102");
        assert!(said.contains("UTF-16"), "{said}");
    }
    assert_eq!(lines(&csv(Some(Charset::Utf16Le)), &bare)[1], "2 𠮷甲|1");
    // Half a surrogate pair, half a unit.
    let mut lone = utf_16("\u{feff}名称\n", true);
    lone.extend_from_slice(b"\x00\xd8\n\0");
    refused(&csv(None), &lone, "YB-2105");
    let cut = utf_16("\u{feff}名称\n甲", true);
    refused(&csv(None), &cut[..cut.len() - 1], "YB-2105");
}

#[test]
fn nothing_is_guessed_after_a_contradiction() {
    // Valid UTF-8 for a long way, then one line of another charset.
    let long = format!("名称\n{}", "南阳宛东商贸\n".repeat(20_000));
    let mixed = [long.into_bytes(), gbk("卧龙商行\n")].concat();
    refused(&csv(None), &mixed, "YB-2105");
    let mixed = [gbk("名称\n卧龙商行\n"), b"\xff\xff\n".to_vec()].concat();
    refused(&csv(None), &mixed, "YB-2105");
    // Surrogates in UTF-8.
    let mut lone = "名称\n".as_bytes().to_vec();
    lone.extend_from_slice(b"\xed\xa0\x80\n");
    refused(&csv(Some(Charset::Utf8)), &lone, "YB-2105");
}

#[test]
fn malformed_characters_are_replaced_only_as_far_as_the_adapter_allows() {
    let bytes = [gbk("名称\n甲"), b"\xff\n\xff\n".to_vec(), gbk("乙\n")].concat();
    let mut forced = csv(Some(Charset::Gb18030));
    refused(&forced, &bytes, "YB-2105");
    forced.limits.replaced = 1;
    refused(&forced, &bytes, "YB-2105");
    forced.limits.replaced = 2;
    let (said, decoding) = read(&forced, &bytes).expect("readable");
    assert_eq!(said, ["C 名称", "2 甲�", "3 �", "4 乙"]);
    assert_eq!((decoding.replaced, decoding.lost), (2, 0));
    assert_eq!(codes(&decoding), ["YB-2127"]);
    // A charset that was found out by trying is never forced.
    let mut free = csv(None);
    free.limits.replaced = 9;
    refused(&free, &bytes, "YB-2105");
    // Lost before it came here: told, for the file itself is sound.
    let (_, decoding) = read(&csv(None), "名称\n南�市�\n".as_bytes()).expect("readable");
    assert_eq!((decoding.replaced, decoding.lost), (0, 2));
    assert_eq!(codes(&decoding), ["YB-2130"]);
}

fn codes(decoding: &Decoding) -> Vec<&'static str> {
    for remark in &decoding.remarks {
        assert!(remark.text.contains("处理："), "{remark:?}");
    }
    decoding.remarks.iter().map(|remark| remark.code).collect()
}

#[test]
fn nul_bytes_are_refused_wherever_they_stand() {
    let text = format!("名称\n{}甲\0乙\n", "丙\n".repeat(50_000));
    let said = refused(&csv(None), text.as_bytes(), "YB-2125");
    assert!(said.contains("第 50002 行"), "{said}");
    refused(&csv(Some(Charset::Gb18030)), &gbk(&text), "YB-2125");
    let spaces = " ".repeat(5000);
    refused(
        &xml(None),
        format!("<DATA>{spaces}\0</DATA>").as_bytes(),
        "YB-2125",
    );
    refused(
        &json(),
        format!("{{\"data\":{spaces}\0}}").as_bytes(),
        "YB-2125",
    );
    let wide = fixed(&[("名称", 4)], |_| ());
    refused(&wide, &gbk(&text), "YB-2125");
}

#[test]
fn a_label_that_is_overruled_is_told() {
    let forced = |charset| {
        adapter(Format::Xml(Xml {
            record: "DATA/ROWS/ROW".to_owned(),
            charset: Some(charset),
            total: None,
        }))
    };
    let labelled = |label: &str| format!("<?xml version='1.0' encoding='{label}'?>{RECORDS}");
    for (label, told, declared) in [
        ("UTF-8", &["YB-2109"][..], "utf-8"),
        ("GBK", &[], "gb18030"),
        ("Big5", &["YB-2109"], ""),
    ] {
        let bytes = gbk(&labelled(label));
        let (said, decoding) = read(&forced(Charset::Gb18030), &bytes).expect("readable");
        assert_eq!(said, ["C A", "1 甲"]);
        assert_eq!(codes(&decoding), told);
        assert_eq!(
            (
                decoding.charset.as_str(),
                decoding.declared_charset.as_str()
            ),
            ("gb18030", declared)
        );
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
