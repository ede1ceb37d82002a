//! Exports that are made on request: asked for once, waited for across pulls, given up in time.

use serde_json::json as value;

use super::server::{header, json, reply};
use super::{Bench, CSV, adapter, endpoint, text_of};
use crate::adapter::endpoint::Endpoint;
use crate::adapter::language::Adapter;

const JOB: &str = r#"
[transport.job]
endpoint = "e"
[transport.job.ask]
method = "post"
path = "/ask"
parameters = { month = "{period}" }
success = "/code"
success_is = "0"
id = "/data/id"
[transport.job.poll]
path = "/jobs/{job}"
state = "/state"
ready = "DONE"
working = ["QUEUED", "RUNNING"]
failed = ["FAILED"]
message = "/msg"
every = 1
at_most = 2
"#;

fn by_path() -> Adapter {
    adapter(
        &format!("{JOB}[transport.job.download]\npath = \"/jobs/{{job}}/file\""),
        CSV,
    )
}

fn at(url: &str) -> Endpoint {
    endpoint(None, Some(url.to_owned()))
}

/// Asks answered with a number, looks with these states one after the other (the last one stays), files with their text.
fn department(bench: &Bench, states: &'static [&'static str]) -> super::server::Scripted {
    let looks = std::sync::atomic::AtomicUsize::new(0);
    bench.scripted(move |number, request| {
        let line = request.lines().next().unwrap();
        if line.starts_with("POST /ask") {
            assert!(request.ends_with(r#"{"month":"202602"}"#), "{request}");
            let body = value!({ "code": 0, "data": { "id": format!("j{number}") } });
            reply("202 Accepted", "", &body.to_string())
        } else if line.contains("/file") {
            reply("200 OK", "", line.split(' ').nth(1).unwrap())
        } else {
            let look = looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let state = states[look.min(states.len() - 1)];
            json(&value!({ "state": state, "url": "/jobs/x/file?sign=1", "msg": "说明" }))
        }
    })
}

fn asks(server: &super::server::Scripted) -> usize {
    server
        .lines()
        .iter()
        .filter(|line| line.starts_with("POST"))
        .count()
}

#[test]
fn an_export_is_asked_for_once_and_waited_for_across_pulls() {
    let bench = Bench::new();
    let server = department(&bench, &["QUEUED", "RUNNING", "RUNNING", "DONE"]);
    let none = |_: &str, _: &str| false;
    let later = bench
        .fetch(&by_path(), &at(&server.url), &none)
        .unwrap_err();
    assert!(later.not_yet, "{later}");
    // The program was started anew: nothing but the note is left.
    let fetched = bench.fetch(&by_path(), &at(&server.url), &none).unwrap();
    assert_eq!(fetched.name, "/ask#202602");
    assert_eq!(asks(&server), 1);
    let digest = fetched.digest.clone();
    assert_eq!(text_of(fetched), "/jobs/j0/file");
    // Fetched, and lost before it was taken in: downloaded again, not asked for again.
    assert_eq!(
        text_of(bench.fetch(&by_path(), &at(&server.url), &none).unwrap()),
        "/jobs/j0/file"
    );
    assert_eq!(asks(&server), 1);
    // Taken in: the next pull asks for the next one.
    let taken = |name: &str, known: &str| name == "/ask#202602" && known == digest;
    let next = bench.fetch(&by_path(), &at(&server.url), &taken).unwrap();
    assert_eq!(asks(&server), 2);
    assert_ne!(text_of(next), "/jobs/j0/file");
}

#[test]
fn the_file_may_lie_where_the_answer_says_but_not_elsewhere() {
    let bench = Bench::new();
    let server = department(&bench, &["DONE"]);
    let linked = adapter(
        &format!("{JOB}[transport.job.download]\nlink = \"/url\""),
        CSV,
    );
    let fetched = bench
        .fetch(&linked, &at(&server.url), &|_, _| false)
        .unwrap();
    assert_eq!(text_of(fetched), "/jobs/x/file?sign=1");
    let elsewhere = bench.scripted(|_, request| {
        if request.starts_with("POST") {
            json(&value!({ "code": "0", "data": { "id": 7 } }))
        } else {
            json(&value!({ "state": "DONE", "url": "https://elsewhere.example/file" }))
        }
    });
    let bench = Bench::new();
    let refused = bench
        .fetch(&linked, &at(&elsewhere.url), &|_, _| false)
        .unwrap_err();
    assert_eq!(refused.code, "YB-2053");
    assert_eq!(elsewhere.lines()[1], "GET /jobs/7 HTTP/1.1");
}

#[test]
fn failed_exports_are_asked_for_anew_but_not_for_ever() {
    let bench = Bench::new();
    let server = department(&bench, &["FAILED"]);
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(
            bench
                .fetch(&by_path(), &at(&server.url), &|_, _| false)
                .unwrap_err()
                .code,
        );
    }
    assert_eq!(codes, ["YB-2075", "YB-2075", "YB-2075", "YB-2079"]);
    assert_eq!(asks(&server), 3);
}

#[test]
fn what_a_department_may_say_about_a_job() {
    // The answer to the ask, to the look, to the download; the code; whether the job is kept.
    let asked = || json(&value!({ "code": "0", "data": { "id": "7" } }));
    let state = |state: &str| json(&value!({ "state": state }));
    for (ask, look, file, code, kept) in [
        (
            json(&value!({ "code": "9" })),
            state("DONE"),
            "",
            "YB-2074",
            false,
        ),
        (
            json(&value!({ "code": "0" })),
            state("DONE"),
            "",
            "YB-2059",
            false,
        ),
        (
            json(&value!({ "code": "0", "data": { "id": "../x" } })),
            state("DONE"),
            "",
            "YB-2059",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n".to_owned(),
            state("DONE"),
            "",
            "YB-2025",
            false,
        ),
        (
            reply("500 Internal Server Error", "", ""),
            state("DONE"),
            "",
            "YB-2028",
            false,
        ),
        (asked(), state("PAUSED"), "", "YB-2076", true),
        (asked(), reply("200 OK", "", "busy"), "", "YB-2046", true),
        (
            asked(),
            reply("404 Not Found", "", ""),
            "",
            "YB-2077",
            false,
        ),
        (asked(), state("DONE"), "410 Gone", "YB-2077", false),
        (asked(), state("DONE"), "400 Bad Request", "YB-2028", true),
    ] {
        let bench = Bench::new();
        let (told, looked) = (ask.clone(), look.clone());
        let server = bench.scripted(move |_, request| {
            if request.starts_with("POST") {
                told.clone()
            } else if request.contains("/file") {
                reply(file, "", "")
            } else {
                looked.clone()
            }
        });
        let refused = bench
            .fetch(&by_path(), &at(&server.url), &|_, _| false)
            .unwrap_err();
        assert_eq!(refused.code, code, "{refused}");
        // An ask that may have been heard is not repeated within the pull.
        assert_eq!(asks(&server), 1, "{ask}");
        let _ = bench.fetch(&by_path(), &at(&server.url), &|_, _| false);
        assert_eq!(
            asks(&server),
            if kept { 1 } else { 2 },
            "{ask} {look} {file}"
        );
    }
}

#[test]
fn an_ask_that_was_turned_away_at_the_door_is_repeated() {
    let bench = Bench::new();
    let server = bench.scripted(|number, request| {
        if number == 0 {
            reply("503 Service Unavailable", "Retry-After: 0\r\n", "")
        } else if request.starts_with("POST") {
            assert_eq!(header(request, "content-type"), Some("application/json"));
            json(&value!({ "code": "0", "data": { "id": "7" } }))
        } else {
            json(&value!({ "state": "QUEUED" }))
        }
    });
    assert!(
        bench
            .fetch(&by_path(), &at(&server.url), &|_, _| false)
            .unwrap_err()
            .not_yet
    );
    assert_eq!(asks(&server), 2);
    // Two days later it is given up.
    let late = bench.fetch_at(
        "2026-03-20T02:00:00Z",
        &by_path(),
        &at(&server.url),
        &|_, _| false,
    );
    assert_eq!(late.unwrap_err().code, "YB-2077");
}

#[test]
fn without_a_place_for_notes_nothing_is_asked() {
    let bench = Bench::new();
    let server = department(&bench, &["DONE"]);
    super::fs::write(bench.notes(), "a file where the folder should be").unwrap();
    let refused = bench
        .fetch(&by_path(), &at(&server.url), &|_, _| false)
        .unwrap_err();
    assert_eq!(refused.code, "YB-2080");
    assert_eq!(server.requests().len(), 0);
}
