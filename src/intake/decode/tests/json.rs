//! JSON.

use super::*;

/// A record per line.
pub fn json_lines() -> Adapter {
    adapter(Format::Json(Json {
        lines: true,
        ..Json::default()
    }))
}

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
            "C uscc|n|x|on|owner/name|owner/at/city|tags",
            "2 -|-|-|-|甲|南阳|a；2",
            "3 -|1.50#",
        ]
    );
    assert_eq!(decoding.declared_total, Some(3));
    assert_eq!(decoding.charset, "utf-8");
    let array = adapter(Format::Json(Json::default()));
    assert_eq!(
        lines(
            &array,
            b"[{\"a\":1},{\"a\":911522010783762860},{\"a\":1e30}]"
        ),
        ["C a", "1 1#", "2 911522010783762860#", "3 1e30#"]
    );
    assert!(lines(&array, b"[]").is_empty());
    let inside = adapter(Format::Json(Json {
        rows: "/1/a~1b".to_owned(),
        ..Json::default()
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
            "6 1；2"
        ]
    );
    refused(
        &small,
        b"{\"data\":{\"total\":1,\"list\":[{\"a\":1,\"b\":1,\"c\":1,\"d\":1}]}}",
        "YB-2108",
    );
}

#[test]
fn json_numbers_keep_every_digit() {
    let array = adapter(Format::Json(Json::default()));
    for number in [
        "911522010783762860",
        "12345678901234567890123.4500",
        "-0.10",
        "1e999",
        "0",
        "-1.5E+3",
    ] {
        let text = format!("[{{\"a\":{number},\"b\":[{number}]}}]");
        assert_eq!(
            lines(&array, text.as_bytes())[1],
            format!("1 {number}#|{number}")
        );
    }
    refused(&array, b"[{\"a\":01}]", "YB-2131");
}

#[test]
fn json_lines_are_read_one_by_one() {
    let text = "{\"名称\":\"甲\",\"n\":1}\n\n{\"名称\":\"乙\"\n{\"n\":2,\"m\":{\"x\":3}} extra\n7\r\n{\"n\":4}\r\n{\"n\":";
    assert_eq!(
        lines(&json_lines(), text.as_bytes()),
        [
            "C 名称|n",
            "1 甲|1#",
            "!3 YB-2158",
            "!4 YB-2158",
            "!5 YB-2154",
            "C 名称|n|m/x",
            "6 -|4#",
            "!7 YB-2155"
        ]
    );
    let inside = adapter(Format::Json(Json {
        lines: true,
        rows: "/data".to_owned(),
        ..Json::default()
    }));
    assert_eq!(
        lines(&inside, b"{\"id\":1,\"data\":{\"a\":1}}\n{\"id\":2}\n"),
        ["C a", "1 1#", "!2 YB-2154"]
    );
    let endless = format!("{{\"a\":\"{}\"}}\n", "x".repeat(5 << 20));
    refused(&json_lines(), endless.as_bytes(), "YB-2137");
    refused(&json_lines(), b"{\"a\":\"\\ud800\"}\n", "YB-2131");
    refused(
        &json_lines(),
        format!("{}1{}\n", "{\"a\":".repeat(80), "}".repeat(80)).as_bytes(),
        "YB-2135",
    );
    // The whole-document layout says what is the matter.
    let said = refused(
        &adapter(Format::Json(Json::default())),
        b"{\"a\":1}\n",
        "YB-2132",
    );
    assert!(said.contains("lines = true"), "{said}");
}

#[test]
fn json_inside_a_text_is_read() {
    let wrapped = |rows: &str, total: Option<&str>| {
        adapter(Format::Json(Json {
            rows: rows.to_owned(),
            total: total.map(str::to_owned),
            ..Json::default()
        }))
    };
    let zhejiang = wrapped("/datas", Some("/dataCount"));
    let text = r#"{"code":"00","datas":"[{\"a\":\"x\\\"y\",\"n\":911522010783762860},{\"a\":2}]","dataCount":2}"#;
    let (said, decoding) = read(&zhejiang, text.as_bytes()).expect("readable");
    assert_eq!(said, ["C a|n", "1 x\"y|911522010783762860#", "2 2#"]);
    assert_eq!(decoding.declared_total, Some(2));
    assert!(lines(&zhejiang, br#"{"datas":"","dataCount":0}"#).is_empty());
    let deeper = wrapped("/data/list", Some("/data/total"));
    let text = r#"{"data":"{\"total\":1,\"list\":[{\"a\":1}]}","msg":"[not json"}"#;
    assert_eq!(lines(&deeper, text.as_bytes()), ["C a", "1 1#"]);
    for (text, code) in [
        (r#"{"datas":"无数据","dataCount":0}"#, "YB-2132"),
        (r#"{"datas":"[{\"a\":1}","dataCount":1}"#, "YB-2138"),
        (r#"{"datas":"[{\"a\":1}] x","dataCount":1}"#, "YB-2131"),
        (r#"{"datas":"\"[]\"","dataCount":1}"#, "YB-2132"),
        (r#"{"datas":[],"datas":[],"dataCount":1}"#, "YB-2136"),
        (r#"{"datas":[],"dataCount":1,"dataCount":1}"#, "YB-2136"),
    ] {
        refused(&zhejiang, text.as_bytes(), code);
    }
    let mut small = wrapped("/datas", None);
    small.limits.embedded_bytes = 1000;
    let list = format!("[{}]", vec!["{\"a\":1}"; 700_000].join(","));
    let text = format!(
        "{{\"datas\":{}}}",
        serde_json::to_string(&list).expect("text")
    );
    refused(&small, text.as_bytes(), "YB-2137");
    assert_eq!(
        lines(&wrapped("/datas", None), text.as_bytes()).len(),
        700_001
    );
}
