//! Paged interfaces in every way of turning pages, and every way of going wrong.

use serde_json::{Value, json as value};

use super::server::{Scripted, json, reply};
use super::{Bench, Fetched, Unfetched, adapter, endpoint, text_of};

const FORMAT: &str = "[format.json]\nrows = \"/data/list\"\ntotal = \"/data/total\"";
const ROWS: &str = "rows = \"/data/list\"\n";

/// The parameter of a request, from query or form.
fn parameter(request: &str, name: &str) -> Option<String> {
    let line = request.lines().next()?.split(' ').nth(1)?.to_owned();
    let body = request.split_once("\r\n\r\n")?.1;
    let query = line.split_once('?').map_or("", |(_, query)| query);
    [query, body].join("&").split('&').find_map(|pair| {
        let (found, value) = pair.split_once('=')?;
        (found == name).then(|| value.to_owned())
    })
}

fn rows(numbers: std::ops::Range<u64>) -> Value {
    numbers
        .map(|number| value!({ "码": number.to_string() }))
        .collect()
}

fn number(request: &str, name: &str) -> u64 {
    parameter(request, name).unwrap().parse().unwrap()
}

fn pull(bench: &Bench, keys: &str, server: &Scripted) -> Result<Fetched, Unfetched> {
    let transport = format!("[transport.pages]\nendpoint = \"e\"\npath = \"/rows\"\n{keys}");
    let endpoint = endpoint(None, Some(server.url.clone()));
    bench.fetch(&adapter(&transport, FORMAT), &endpoint, &|_, _| false)
}

/// The numbers in a fetched file.
fn numbers(fetched: Fetched) -> Vec<u64> {
    text_of(fetched)
        .lines()
        .flat_map(|line| {
            let document: Value = serde_json::from_str(line).unwrap();
            let rows = document["data"]["list"].as_array().unwrap().clone();
            rows.into_iter()
                .map(|row| row["码"].as_str().unwrap().parse().unwrap())
        })
        .collect()
}

#[test]
fn pages_are_turned_in_every_way() {
    let nine: Vec<u64> = (0..9).collect();
    let by = |from: u64| {
        json(&value!({ "data": { "total": 9, "list": rows(from..(from + 4).min(9)) } }))
    };
    let bench = Bench::new();
    let size = "size = \"size\"\nper_page = 4\n";
    let total = "total = \"/data/total\"\n";
    let cases: Vec<(String, Scripted)> = vec![
        (format!("page = \"p\"\n{size}{total}"), bench.scripted(move |_, r| by((number(r, "p") - 1) * 4))),
        (format!("page = \"p\"\nfirst = 0\n{size}{total}"), bench.scripted(move |_, r| by(number(r, "p") * 4))),
        (format!("offset = \"start\"\n{size}{total}"), bench.scripted(move |_, r| by(number(r, "start")))),
        (
            format!("page = \"p\"\nmethod = \"post\"\nbody = \"form\"\n{size}{total}"),
            bench.scripted(move |_, r| { assert!(r.starts_with("POST /rows HTTP")); by((number(r, "p") - 1) * 4) }),
        ),
        (
            format!("page = \"p\"\nmethod = \"post\"\n{size}{total}[transport.pages.parameters]\nmonth = \"{{period}}\"\ndeep = {{ a = [1, true] }}"),
            bench.scripted(move |_, r| {
                let body: Value = serde_json::from_str(r.split_once("\r\n\r\n").unwrap().1).unwrap();
                assert_eq!(body["month"], "202602");
                assert_eq!(body["deep"]["a"], value!([1, true]));
                by((body["p"].as_u64().unwrap() - 1) * 4)
            }),
        ),
        (
            "cursor = \"after\"\nnext = \"/next\"\n".to_owned(),
            bench.scripted(|_, r| {
                let from = parameter(r, "after").map_or(0, |after| after.parse().unwrap());
                let next = if from == 6 { Value::Null } else { value!((from + 3).to_string()) };
                json(&value!({ "next": next, "data": { "list": rows(from..from + 3) } }))
            }),
        ),
        (
            "next_link = \"/next\"\n".to_owned(),
            bench.scripted(|_, r| {
                let from = parameter(r, "x").map_or(0, |x| x.parse().unwrap());
                let next = if from == 6 { value!("") } else { value!(format!("/rows?x={}", from + 3)) };
                json(&value!({ "next": next, "data": { "list": rows(from..from + 3) } }))
            }),
        ),
        (
            "next_link = \"header\"\n".to_owned(),
            bench.scripted(|_, r| {
                let from = parameter(r, "x").map_or(0, |x| x.parse().unwrap());
                let link = format!("Link: </rows?a=1,2>; rel=\"first\", </rows?x={}>; rel=\"next\"\r\n", from + 3);
                let body = value!({ "data": { "list": rows(from..from + 3) } }).to_string();
                reply("200 OK", if from == 6 { "" } else { &link }, &body)
            }),
        ),
        (
            format!("page = \"p\"\n{size}last = \"/data/end\"\nlast_is = [\"Y\", \"1\"]\n"),
            bench.scripted(|_, r| {
                let from = (number(r, "p") - 1) * 4;
                json(&value!({ "data": { "end": i32::from(from == 8), "list": rows(from..(from + 4).min(9)) } }))
            }),
        ),
        (
            format!("page = \"p\"\n{size}total_pages = \"/data/pages\"\n"),
            bench.scripted(|_, r| {
                let from = (number(r, "p") - 1) * 4;
                json(&value!({ "data": { "pages": "3", "list": rows(from..(from + 4).min(9)) } }))
            }),
        ),
        (
            format!("page = \"p\"\n{size}until_empty = true\n"),
            bench.scripted(|_, r| {
                let from = ((number(r, "p") - 1) * 4).min(9);
                json(&value!({ "data": { "list": rows(from..(from + 4).min(9)) } }))
            }),
        ),
        // Rows as a text that holds JSON, the total as a text; a row number that no float can hold stays as it came.
        (
            format!("page = \"p\"\n{size}{total}"),
            bench.scripted(|_, r| {
                let from = (number(r, "p") - 1) * 4;
                json(&value!({ "data": { "total": "9", "list": rows(from..(from + 4).min(9)).to_string() } }))
            }),
        ),
    ];
    for (keys, server) in cases {
        let fetched = pull(&bench, &format!("{ROWS}{keys}"), &server)
            .unwrap_or_else(|e| panic!("{keys}: {e}"));
        assert_eq!(numbers(fetched), nine, "{keys}");
    }
}

#[test]
fn answers_without_rows_are_zero_rows_only_in_the_departments_own_words() {
    let bench = Bench::new();
    let keys = format!(
        "{ROWS}page = \"p\"\nsize = \"s\"\nper_page = 4\ntotal = \"/data/total\"\nsuccess = \"/code\"\nsuccess_is = [\"200\", \"00\"]\nmessage = \"/msg\"\nempty = [\"无数据\"]\n"
    );
    for (body, wanted) in [
        ("无数据", Ok(())),
        (" \"无数据\"\n", Ok(())),
        (r#"{"code":"404","msg":"无数据"}"#, Ok(())),
        (
            r#"{"code":"00","msg":"无数据","data":{"total":0,"list":null}}"#,
            Ok(()),
        ),
        (r#"{"code":200,"data":{"total":"0","list":null}}"#, Ok(())),
        (r#"{"code":200,"data":{"total":0,"list":""}}"#, Ok(())),
        ("无数据或日期格式错误", Err("YB-2046")),
        ("", Err("YB-2046")),
        ("<html>", Err("YB-2046")),
        ("{\"code\":200,", Err("YB-2046")),
        (r#"{"code":"500","msg":"无权限"}"#, Err("YB-2047")),
        (
            r#"{"errCode":"E-106","errMsg":"不在授权列表"}"#,
            Err("YB-2051"),
        ),
        (r#"{"code":200,"data":{"list":[]}}"#, Err("YB-2048")),
        (r#"{"code":200,"data":{"total":0}}"#, Err("YB-2049")),
        (
            r#"{"code":200,"data":{"total":1,"list":{"a":1}}}"#,
            Err("YB-2049"),
        ),
        (
            r#"{"code":200,"data":{"total":1,"list":"text"}}"#,
            Err("YB-2049"),
        ),
        (
            r#"{"code":200,"msg":"无数据","data":{"total":5,"list":null}}"#,
            Err("YB-2043"),
        ),
    ] {
        let server = bench.scripted(move |_, _| reply("200 OK", "", body));
        match (pull(&bench, &keys, &server), wanted) {
            (Ok(fetched), Ok(())) => assert_eq!(numbers(fetched), Vec::<u64>::new(), "{body}"),
            (Err(refused), Err(code)) => assert_eq!(refused.code, code, "{body}: {refused}"),
            (found, _) => panic!("{body}: {found:?}"),
        }
    }
    // Old systems answer in GB18030 without saying so.
    let (gbk, _, _) = encoding_rs::GB18030.encode("无数据");
    let bytes = gbk.into_owned();
    let answer = super::super::answer::read(&serde_pages(&keys), &bytes, None, None, 1);
    assert!(
        matches!(answer, Ok(super::super::answer::Answer::Empty)),
        "{answer:?}"
    );
}

fn serde_pages(keys: &str) -> crate::adapter::transport::pages::Pages {
    toml::from_str(&format!("endpoint = \"e\"\npath = \"/rows\"\n{keys}")).unwrap()
}

#[test]
fn nothing_is_complete_without_a_reason() {
    let bench = Bench::new();
    let size = "page = \"p\"\nsize = \"s\"\nper_page = 4\n";
    let cases: Vec<(&str, Scripted, &str)> = vec![
        // A later page is not there.
        (
            "total = \"/data/total\"",
            bench.scripted(|number, _| match number {
                0 => json(&value!({ "data": { "total": 9, "list": rows(0..4) } })),
                _ => reply("404 Not Found", "", ""),
            }),
            "YB-2052",
        ),
        // A page from before comes again, not just the last one.
        (
            "total = \"/data/total\"",
            bench.scripted(|number, _| {
                let from = if number == 1 { 4 } else { 0 };
                json(&value!({ "data": { "total": 20, "list": rows(from..from + 4) } }))
            }),
            "YB-2041",
        ),
        // More rows than declared.
        (
            "total = \"/data/total\"",
            bench.scripted(|_, _| json(&value!({ "data": { "total": 3, "list": rows(0..4) } }))),
            "YB-2043",
        ),
        // The last page, says the sign; not so, says the total.
        (
            "total = \"/data/total\"\nlast = \"/end\"",
            bench.scripted(|_, _| {
                json(&value!({ "end": true, "data": { "total": 9, "list": rows(0..4) } }))
            }),
            "YB-2043",
        ),
        // No total: a short page that is not called the last one, an empty one likewise.
        (
            "last = \"/end\"",
            bench.scripted(|_, _| json(&value!({ "end": false, "data": { "list": rows(0..3) } }))),
            "YB-2043",
        ),
        (
            "last = \"/end\"",
            bench.scripted(|_, _| json(&value!({ "end": false, "data": { "list": [] } }))),
            "YB-2055",
        ),
        // A page after a short one.
        (
            "until_empty = true",
            bench.scripted(|number, _| {
                let from = number as u64 * 4;
                json(&value!({ "data": { "list": rows(from..from + 3) } }))
            }),
            "YB-2043",
        ),
        // Broken in the middle of a page, every time.
        (
            "total = \"/data/total\"",
            bench.scripted(|_, _| "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"da".to_owned()),
            "YB-2025",
        ),
    ];
    for (keys, server, code) in cases {
        let refused = pull(&bench, &format!("{ROWS}{size}{keys}\n"), &server).unwrap_err();
        assert_eq!(refused.code, code, "{keys}: {refused}");
    }
    for (next, code) in [
        ("https://elsewhere.example/rows?x=1", "YB-2053"),
        ("http://user:word@127.0.0.1:1/", "YB-2053"),
        ("//127.0.0.1:1/rows", "YB-2053"),
        ("/rows?x=1", "YB-2041"),
    ] {
        let server = bench.scripted(move |number, _| {
            let from = number as u64 * 4;
            json(&value!({ "next": next, "data": { "list": rows(from..from + 4) } }))
        });
        let refused = pull(&bench, &format!("{ROWS}next_link = \"/next\"\n"), &server).unwrap_err();
        assert_eq!(refused.code, code, "{next}");
    }
}

#[test]
fn a_page_that_broke_off_is_asked_for_again_and_big_ones_are_refused() {
    let bench = Bench::new();
    let keys = format!(
        "{ROWS}page = \"p\"\nsize = \"s\"\nper_page = 4\ntotal = \"/data/total\"\npause_ms = 1\n"
    );
    let server = bench.scripted(|number, r| {
        if number == 1 {
            return "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"da".to_owned();
        }
        let from = (super::paging::number(r, "p") - 1) * 4;
        json(&value!({ "data": { "total": 6, "list": rows(from..(from + 4).min(6)) } }))
    });
    let fetched = pull(&bench, &keys, &server).unwrap();
    assert_eq!(numbers(fetched), (0..6).collect::<Vec<_>>());
    assert_eq!(server.requests().len(), 3);
    let transport = format!("[transport.pages]\nendpoint = \"e\"\npath = \"/rows\"\n{keys}");
    let mut small = adapter(&transport, FORMAT);
    small.limits.page_bytes = 20;
    let endpoint = endpoint(None, Some(server.url.clone()));
    let refused = bench.fetch(&small, &endpoint, &|_, _| false).unwrap_err();
    assert_eq!(refused.code, "YB-2045");
    small.limits.page_bytes = 1 << 20;
    small.limits.pages = 1;
    let refused = bench.fetch(&small, &endpoint, &|_, _| false).unwrap_err();
    assert_eq!(refused.code, "YB-2044");
}

#[test]
fn encrypted_answers_are_opened_with_the_data_key() {
    use base64::Engine as _;
    use sm4::cipher::array::Array;
    use sm4::cipher::{BlockCipherEncrypt, KeyInit};
    let bench = Bench::new();
    bench.secret("data-key", "0123456789abcdef");
    let mut plain = value!({ "data": { "total": 2, "list": rows(0..2) } })
        .to_string()
        .into_bytes();
    let padding = 16 - plain.len() % 16;
    plain.extend(std::iter::repeat_n(u8::try_from(padding).unwrap(), padding));
    let cipher = sm4::Sm4::new(&Array(*b"0123456789abcdef"));
    for block in plain.chunks_exact_mut(16) {
        let mut one = Array(<[u8; 16]>::try_from(&*block).unwrap());
        cipher.encrypt_block(&mut one);
        block.copy_from_slice(&one);
    }
    let closed = [
        super::super::signing::hex(&plain),
        base64::engine::general_purpose::STANDARD.encode(&plain),
    ];
    for closed in closed {
        let server =
            bench.scripted(move |_, _| json(&value!({ "code": 0, "data": { "encData": closed } })));
        let transport = format!(
            "[transport.pages]\nendpoint = \"e\"\npath = \"/rows\"\n{ROWS}page = \"p\"\nsize = \"s\"\nper_page = 4\ntotal = \"/data/total\"\nsuccess = \"/code\"\nsuccess_is = \"0\"\nenvelope = {{ field = \"/data/encData\", cipher = \"sm4_ecb\" }}"
        );
        let adapter = adapter(&transport, FORMAT);
        let mut endpoint = endpoint(None, Some(server.url.clone()));
        endpoint.data_key_file = Some("data-key".into());
        let fetched = bench.fetch(&adapter, &endpoint, &|_, _| false).unwrap();
        assert_eq!(numbers(fetched), [0, 1]);
        bench.secret("other-key", "fedcba9876543210");
        endpoint.data_key_file = Some("other-key".into());
        let refused = bench.fetch(&adapter, &endpoint, &|_, _| false).unwrap_err();
        assert_eq!(refused.code, "YB-2056");
    }
}
