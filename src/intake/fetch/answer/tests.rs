use proptest::prelude::*;

use super::*;

fn pages() -> Pages {
    toml::from_str(
        "endpoint = \"e\"\npath = \"/p\"\npage = \"p\"\nrows = \"/a/rows\"\ntotal = \"/a/n\"\nlast = \"/a/end\"\nmessage = \"/m\"\nempty = [\"none\"]",
    )
    .unwrap()
}

#[test]
fn a_page_is_kept_as_it_came() {
    let body = b"\xef\xbb\xbf{\n\"a\": {\"n\": 1.0, \"end\": true,\r\n \"rows\": [{\"x\": 123456789012345678901234567890}]}}";
    let Answer::Page(page) = read(&pages(), body, None, None, 1).unwrap() else {
        panic!("a page");
    };
    assert_eq!(
        (page.count, page.total, page.is_last),
        (1, Some(1), Some(true))
    );
    assert!(page.line.contains("123456789012345678901234567890"));
    assert!(!page.line.contains(['\n', '\r']));
}

#[test]
fn foreign_texts_are_shortened_and_masked() {
    for (foreign, wanted) in [
        ("用户41130219900101123X不存在", "用户41****X不存在"),
        ("错误码12345", "错误码12345"),
        ("a\nb", "a b"),
    ] {
        assert_eq!(shortened(foreign), wanted);
    }
    assert_eq!(shortened(&"长".repeat(500)).chars().count(), SHOWN + 1);
}

#[test]
fn totals_are_whole_numbers_in_every_way_of_writing() {
    for (written, wanted) in [
        (serde_json::json!(7), Some(7)),
        (serde_json::json!("7"), Some(7)),
        (serde_json::json!(" 7 "), Some(7)),
        (serde_json::json!(7.0), Some(7)),
        (serde_json::json!("7.5"), None),
        (serde_json::json!(-1), None),
        (serde_json::json!(null), None),
        (serde_json::json!(""), None),
    ] {
        assert_eq!(whole(&written), wanted, "{written}");
    }
}

#[test]
fn an_empty_answer_gets_a_place_for_every_pointer() {
    for (rows, total, wanted) in [
        ("/a/rows", Some("/a/n"), r#"{"a":{"n":0,"rows":[]}}"#),
        ("/rows", None, r#"{"rows":[]}"#),
        ("", Some("/n"), "[]"),
    ] {
        assert_eq!(empty_line(rows, total), wanted);
    }
}

proptest! {
    #[test]
    fn no_answer_is_too_strange(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&pages(), &body, None, Some("/a/next"), 1);
    }

    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,120}") {
        prop_assert!(shortened(&text).chars().count() <= SHOWN + 5 * 8);
    }
}
