//! Every way of signing, against a server that looks at it.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json as value;

use super::server::{Scripted, header, json, reply};
use super::{Bench, CSV, Fetched, Unfetched, adapter, text_of};
use crate::adapter::endpoint::Endpoint;
use crate::adapter::endpoint::auth::Hash;
use crate::intake::fetch::signing::{exchange, irs, tif, token};

const NOW: &str = "2026-11-23T02:00:00Z";
const APP_KEY: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "fedcba9876543210fedcba9876543210";
const CLOSED: &str = "LDh6LJzNCB09fXMknMzXpiw4eiyczQgdPX1zJJzM16ZUfuRMyoXTthzV/Enp8P/V";

fn pull(bench: &Bench, server: &Scripted, auth: &str, now: &str) -> Result<Fetched, Unfetched> {
    let endpoint: Endpoint =
        toml::from_str(&format!("url = \"{}/base\"\n{auth}", server.url)).unwrap();
    assert_eq!(endpoint.complaints("e"), []);
    let adapter = adapter(
        "[transport.http]\nendpoint = \"e\"\npath = \"/f?b=2&a=1\"",
        CSV,
    );
    bench.fetch_at(now, &adapter, &endpoint, &|_, _| false)
}

#[test]
fn fixed_secrets_travel_where_they_belong() {
    let bench = Bench::new();
    bench.secret("s", "tea-and-rice\n");
    for (auth, line, name, wanted) in [
        (
            "token_file = \"s\"",
            "GET /base/f?b=2&a=1 HTTP/1.1",
            "authorization",
            Some("Bearer tea-and-rice"),
        ),
        (
            "[auth.bearer]\ntoken_file = \"s\"",
            "GET /base/f?b=2&a=1 HTTP/1.1",
            "authorization",
            Some("Bearer tea-and-rice"),
        ),
        (
            "[auth.basic]\nuser = \"u\"\npassword_file = \"s\"",
            "GET /base/f?b=2&a=1 HTTP/1.1",
            "authorization",
            Some("Basic dTp0ZWEtYW5kLXJpY2U="),
        ),
        (
            "[auth.header]\nname = \"X-Api-Key\"\nvalue_file = \"s\"",
            "GET /base/f?b=2&a=1 HTTP/1.1",
            "x-api-key",
            Some("tea-and-rice"),
        ),
        (
            "[auth.query]\nname = \"api_key\"\nvalue_file = \"s\"",
            "GET /base/f?b=2&a=1&api_key=tea-and-rice HTTP/1.1",
            "authorization",
            None,
        ),
        (
            "[auth.none]",
            "GET /base/f?b=2&a=1 HTTP/1.1",
            "authorization",
            None,
        ),
    ] {
        let server = bench.scripted(|_, _| reply("200 OK", "", "x"));
        text_of(pull(&bench, &server, auth, NOW).unwrap());
        let request = &server.requests()[0];
        assert_eq!(request.lines().next(), Some(line), "{auth}");
        assert_eq!(header(request, name), wanted, "{auth}");
    }
    let server = bench.scripted(|_, _| reply("403 Forbidden", "", "tea-and-rice"));
    for auth in [
        "[auth.bearer]\ntoken_file = \"s\"",
        "[auth.query]\nname = \"k\"\nvalue_file = \"s\"",
    ] {
        let refused = pull(&bench, &server, auth, NOW).unwrap_err();
        assert_eq!(refused.code, "YB-2026");
        assert!(!format!("{refused:?}").contains("tea"), "{refused:?}");
    }
    let refused = pull(
        &bench,
        &server,
        "[auth.bearer]\ntoken_file = \"nowhere\"",
        NOW,
    )
    .unwrap_err();
    assert_eq!(refused.code, "YB-2024");
}

#[test]
fn every_request_is_signed_with_its_own_time() {
    let bench = Bench::new();
    bench.secret("s", "BCDSGS_test");
    let server = bench.scripted(|number, _| {
        if number == 0 {
            reply("500 X", "", "")
        } else {
            reply("200 OK", "", "x")
        }
    });
    text_of(
        pull(
            &bench,
            &server,
            "[auth.irs]\naccess_key = \"BCDSGA_test\"\nsecret_file = \"s\"",
            NOW,
        )
        .unwrap(),
    );
    for request in server.requests() {
        let date = header(&request, "x-bg-date-time").unwrap();
        let at = super::super::client::moment(date).unwrap();
        let wanted = irs::headers(
            "GET",
            "/base/f",
            "a=1&b=2",
            "BCDSGA_test",
            "BCDSGS_test",
            Hash::Sha256,
            at,
        );
        assert_eq!(
            header(&request, "x-bg-hmac-signature"),
            Some(wanted[2].1.as_str())
        );
        assert_eq!(
            header(&request, "x-bg-hmac-access-key"),
            Some("BCDSGA_test")
        );
    }
    let server = bench.scripted(|number, _| {
        if number == 0 {
            reply("500 X", "", "")
        } else {
            reply("200 OK", "", "x")
        }
    });
    text_of(
        pull(
            &bench,
            &server,
            "[auth.tif]\npaas_id = \"p\"\ntoken_file = \"s\"",
            NOW,
        )
        .unwrap(),
    );
    let requests = server.requests();
    let nonces: Vec<_> = requests
        .iter()
        .map(|request| header(request, "x-tif-nonce").unwrap())
        .collect();
    assert_ne!(nonces[0], nonces[1]);
    for (request, nonce) in requests.iter().zip(nonces) {
        let seconds = header(request, "x-tif-timestamp").unwrap().parse().unwrap();
        let wanted = tif::headers("p", "BCDSGS_test", seconds, nonce, Hash::Sha256, false);
        assert_eq!(
            header(request, "x-tif-signature"),
            Some(wanted[3].1.as_str())
        );
    }
}

fn query<'r>(request: &'r str, name: &str) -> &'r str {
    let line = request.lines().next().unwrap();
    let (_, query) = line.split(' ').nth(1).unwrap().split_once('?').unwrap();
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(&format!("{name}=")))
        .unwrap()
}

#[test]
fn keys_of_the_token_gateway_are_renewed_by_key_then_by_secret() {
    const AUTH: &str =
        "[auth.token]\napp_key = \"0123456789abcdef0123456789abcdef\"\nsecret_file = \"s\"";
    let bench = Bench::new();
    bench.secret("s", SECRET);
    // Fifteen minutes and two days from 02:00.
    let server = bench.scripted(|number, request| {
        if request.contains("refreshTokenBy") {
            json(&value!({ "code": "00", "datas": {
                "requestSecret": format!("request{number}"), "requestSecretEndTime": 1_795_400_100_000_i64,
                "refreshSecret": format!("refresh{number}"), "refreshSecretEndTime": "1795572000000" } }))
        } else {
            reply("200 OK", "", "x")
        }
    });
    text_of(pull(&bench, &server, AUTH, NOW).unwrap());
    text_of(pull(&bench, &server, AUTH, "2026-11-23T02:11:00Z").unwrap());
    // Less than three minutes before the end.
    text_of(pull(&bench, &server, AUTH, "2026-11-23T02:12:30Z").unwrap());
    let requests = server.requests();
    let paths: Vec<_> = server
        .lines()
        .iter()
        .map(|line| line.split([' ', '?']).nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(
        paths,
        [
            "/base/gateway/app/refreshTokenByKey.htm",
            "/base/f",
            "/base/f",
            "/base/gateway/app/refreshTokenBySec.htm",
            "/base/f"
        ]
    );
    for (request, secret) in requests
        .iter()
        .zip([SECRET, "request0", "request0", "refresh0", "request3"])
    {
        let millis = query(request, "requestTime").parse().unwrap();
        let wanted = token::parameters(APP_KEY, secret, millis);
        assert_eq!(query(request, "sign"), wanted[1].1);
        assert_eq!(query(request, "appKey"), APP_KEY);
    }
}

#[test]
fn pulls_side_by_side_renew_a_key_once() {
    let bench = Bench::new();
    bench.secret("s", SECRET);
    let server = bench.scripted(|_, request| {
        if request.contains("refreshTokenBy") {
            json(&value!({ "code": "00", "datas": { "requestSecret": "r", "requestSecretEndTime": 1_795_400_100_000_i64 } }))
        } else {
            reply("200 OK", "", "x")
        }
    });
    let auth = "[auth.token]\napp_key = \"side-by-side\"\nsecret_file = \"s\"";
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| pull(&bench, &server, auth, NOW).unwrap());
        }
    });
    let renewals = server
        .lines()
        .iter()
        .filter(|line| line.contains("refresh"))
        .count();
    assert_eq!(renewals, 1);
}

const EXCHANGE: &str = "[auth.exchange]\nprefix = \"gjzwfwpt\"\nrequester = \"r@sd\"\nservice = \"s_1\"\nkey_file = \"s\"\nrenew = \"/sysapi/auth/refreshappsecret\"\nhash = \"sm3\"";

#[test]
fn the_secret_of_the_day_signs_until_it_is_refused() {
    let bench = Bench::new();
    bench.secret("s", APP_KEY);
    let data = AtomicUsize::new(0);
    let server = bench.scripted(move |_, request| {
        if request.starts_with("POST") {
            return json(&value!({ "code": 0, "data": { "secret": CLOSED, "secretEndTime": "2026-11-23 23:59:59" } }));
        }
        // The second request of data meets a secret that the platform has changed.
        match data.fetch_add(1, Ordering::Relaxed) {
            1 => reply("401 Unauthorized", "", ""),
            _ => reply("200 OK", "", "x"),
        }
    });
    text_of(pull(&bench, &server, EXCHANGE, NOW).unwrap());
    text_of(pull(&bench, &server, EXCHANGE, "2026-11-23T10:00:00Z").unwrap());
    let requests = server.requests();
    let kinds: Vec<_> = requests.iter().map(|request| &request[..4]).collect();
    assert_eq!(kinds, ["POST", "GET ", "GET ", "POST", "GET "]);
    for request in &requests {
        let millis = header(request, "gjzwfwpt_rtime").unwrap();
        let key = if request.starts_with("POST") {
            APP_KEY
        } else {
            SECRET
        };
        let wanted = exchange::marks(
            "gjzwfwpt",
            "s_1",
            "r@sd",
            millis.parse().unwrap(),
            key,
            Hash::Sm3,
        );
        for (name, value) in wanted {
            assert_eq!(header(request, &name), Some(value.as_str()), "{name}");
            let in_body = request.contains(&format!("\"{name}\":"));
            assert_eq!(in_body, request.starts_with("POST"));
        }
    }
}

#[test]
fn keys_that_are_not_given_are_told() {
    for (answer, told) in [
        (
            json(&value!({ "code": "E-106", "message": "不在授权列表" })),
            "E-106",
        ),
        (
            json(&value!({ "code": "0", "data": { "secret": "AAAA" } })),
            "解不开",
        ),
        (reply("200 OK", "", "busy"), "不是 JSON"),
        (reply("404 Not Found", "", ""), "没有换取密钥的接口"),
    ] {
        let bench = Bench::new();
        bench.secret("s", APP_KEY);
        let server = bench.scripted(move |_, _| answer.clone());
        let refused = pull(&bench, &server, EXCHANGE, NOW).unwrap_err();
        assert_eq!(
            (refused.code, refused.not_yet),
            ("YB-2039", false),
            "{refused}"
        );
        assert!(refused.text.contains(told), "{refused}");
        assert_eq!(server.requests().len(), 1);
    }
    // Refused with a fresh key too: once is enough.
    let bench = Bench::new();
    bench.secret("s", APP_KEY);
    let server = bench.scripted(|_, request| {
        if request.starts_with("POST") {
            json(&value!({ "code": "0", "data": { "secret": CLOSED } }))
        } else {
            reply("403 Forbidden", "", "")
        }
    });
    assert_eq!(
        pull(&bench, &server, EXCHANGE, NOW).unwrap_err().code,
        "YB-2026"
    );
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_result_code_may_say_that_the_key_is_too_old() {
    let bench = Bench::new();
    bench.secret("s", APP_KEY);
    let server = bench.scripted(|number, request| {
        if request.contains("/sysapi/") {
            json(&value!({ "code": "0", "data": { "secret": CLOSED } }))
        } else if number == 1 {
            json(&value!({ "errCode": "sign-expired", "errMsg": "x" }))
        } else {
            json(&value!({ "data": { "total": 0, "list": [] } }))
        }
    });
    let endpoint: Endpoint =
        toml::from_str(&format!("url = \"{}\"\n{EXCHANGE}", server.url)).unwrap();
    let adapter = adapter(
        "[transport.pages]\nendpoint = \"e\"\npath = \"/rows\"\nrows = \"/data/list\"\ntotal = \"/data/total\"\npage = \"p\"\nsize = \"s\"\nper_page = 4\nstale_key = [\"sign-expired\"]",
        "[format.json]\nrows = \"/data/list\"",
    );
    text_of(
        bench
            .fetch_at(NOW, &adapter, &endpoint, &|_, _| false)
            .unwrap(),
    );
    assert_eq!(server.requests().len(), 4);
}
