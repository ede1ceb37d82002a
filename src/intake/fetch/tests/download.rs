//! Files over bad lines and from departments that say one thing and do another.

use std::time::Duration;

use super::server::{header, reply};
use super::{Bench, CSV, adapter, endpoint, fs, text_of};
use crate::adapter::endpoint::Endpoint;
use crate::adapter::language::Adapter;

fn file() -> Adapter {
    adapter("[transport.http]\nendpoint = \"e\"\npath = \"/f.csv\"", CSV)
}

fn at(url: &str) -> Endpoint {
    endpoint(None, Some(url.to_owned()))
}

const WHOLE: &str = "0123456789";

/// Ten bytes promised, four sent.
fn broken(marks: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{marks}Content-Length: 10\r\n\r\n0123")
}

const DATED: &str =
    "Date: Mon, 16 Mar 2026 02:00:00 GMT\r\nLast-Modified: Mon, 16 Mar 2026 01:00:00 GMT\r\n";

#[test]
fn a_broken_transfer_is_continued_or_begun_anew() {
    let rest = |range: &str, more: &str, body: &str| {
        reply(
            "206 Partial Content",
            &format!("Content-Range: {range}\r\n{more}"),
            body,
        )
    };
    // What the first answer is marked with; the second answer; whether the second question continues; how many questions.
    for (marks, second, continues, questions) in [
        (
            "ETag: \"a\"\r\n",
            rest("bytes 4-9/10", "ETag: \"a\"\r\n", "456789"),
            true,
            2,
        ),
        (
            "ETag: \"a\"\r\n",
            rest("bytes 4-9/*", "", "456789"),
            true,
            2,
        ),
        (DATED, rest("bytes 4-9/10", "", "456789"), true, 2),
        // Two pieces.
        ("ETag: \"a\"\r\n", rest("bytes 4-6/10", "", "456"), true, 3),
        // Range is not understood.
        (
            "ETag: \"a\"\r\n",
            reply("200 OK", "ETag: \"a\"\r\n", WHOLE),
            true,
            2,
        ),
        // Another content since: the department sends all of it.
        (
            "ETag: \"a\"\r\n",
            reply("200 OK", "ETag: \"b\"\r\n", WHOLE),
            true,
            2,
        ),
        // Pieces that do not fit: begun anew.
        (
            "ETag: \"a\"\r\n",
            rest("bytes 3-9/10", "", "3456789"),
            true,
            3,
        ),
        (
            "ETag: \"a\"\r\n",
            rest("bytes 4-9/11", "", "456789"),
            true,
            3,
        ),
        (
            "ETag: \"a\"\r\n",
            rest("bytes 4-9/10", "ETag: \"b\"\r\n", "456789"),
            true,
            3,
        ),
        (
            "ETag: \"a\"\r\n",
            reply("206 Partial Content", "", "456789"),
            true,
            3,
        ),
        (
            "ETag: \"a\"\r\n",
            reply("416 Range Not Satisfiable", "", ""),
            true,
            3,
        ),
        // No mark that would tell the same content: begun anew.
        ("", reply("200 OK", "", WHOLE), false, 2),
        ("ETag: W/\"a\"\r\n", reply("200 OK", "", WHOLE), false, 2),
        // Changed in the very second it was sent in.
        (
            "Date: Mon, 16 Mar 2026 02:00:00 GMT\r\nLast-Modified: Mon, 16 Mar 2026 02:00:00 GMT\r\n",
            reply("200 OK", "", WHOLE),
            false,
            2,
        ),
    ] {
        let bench = Bench::new();
        let told = second.clone();
        let server = bench.scripted(move |number, request| match number {
            0 => broken(marks),
            1 => told.clone(),
            _ => match header(request, "range") {
                Some("bytes=7-") => reply(
                    "206 Partial Content",
                    "Content-Range: bytes 7-9/10\r\n",
                    "789",
                ),
                Some(other) => panic!("{other}"),
                None => reply("200 OK", "", WHOLE),
            },
        });
        let fetched = bench
            .fetch(&file(), &at(&server.url), &|_, _| false)
            .unwrap();
        assert_eq!(
            fetched.digest,
            blake3::hash(WHOLE.as_bytes()).to_hex().to_string()
        );
        assert_eq!(text_of(fetched), WHOLE, "{second}");
        let requests = server.requests();
        assert_eq!(requests.len(), questions, "{second}");
        assert_eq!(header(&requests[0], "range"), None);
        assert_eq!(
            header(&requests[1], "range"),
            continues.then_some("bytes=4-"),
            "{marks}"
        );
        assert_eq!(
            header(&requests[1], "if-range").is_some(),
            continues,
            "{marks}"
        );
        assert!(
            requests
                .iter()
                .all(|request| header(request, "accept-encoding") == Some("identity"))
        );
    }
}

#[test]
fn what_stays_wrong_is_told_after_a_bounded_number_of_attempts() {
    for (answer, code, questions) in [
        // Less than promised, again and again.
        (broken(""), "YB-2025", 3),
        (reply("500 Internal Server Error", "", ""), "YB-2028", 3),
        (
            reply("503 Service Unavailable", "Retry-After: 1\r\n", ""),
            "YB-2028",
            3,
        ),
        (
            reply("429 Too Many Requests", "Retry-After: 99999\r\n", ""),
            "YB-2038",
            1,
        ),
        (reply("400 Bad Request", "", ""), "YB-2028", 1),
        (
            reply("200 OK", "Content-Type: text/html; charset=gbk\r\n", "busy"),
            "YB-2032",
            1,
        ),
        (
            reply("200 OK", "", "\n<!DOCTYPE html><p>login"),
            "YB-2032",
            1,
        ),
        (
            reply("200 OK", "Content-Encoding: gzip\r\n", "x"),
            "YB-2031",
            1,
        ),
        (reply("204 No Content", "", ""), "YB-2001", 1),
    ] {
        let bench = Bench::new();
        let told = answer.clone();
        let server = bench.scripted(move |_, _| told.clone());
        let mut adapter = file();
        adapter.limits.retries = 2;
        let refused = bench
            .fetch(&adapter, &at(&server.url), &|_, _| false)
            .unwrap_err();
        assert_eq!(refused.code, code, "{answer}: {refused}");
        assert_eq!(server.requests().len(), questions, "{answer}");
        assert!(!refused.text.contains("127.0.0.1"));
    }
}

#[test]
fn a_department_that_asks_to_wait_is_obeyed() {
    let bench = Bench::new();
    let server = bench.scripted(|number, _| match number {
        0 => reply("503 Service Unavailable", "Retry-After: 6\r\n", ""),
        1 => reply("429 Too Many Requests", "", ""),
        _ => reply("200 OK", "", WHOLE),
    });
    let before = tokio::time::Instant::now();
    let fetched = bench
        .fetch(&file(), &at(&server.url), &|_, _| false)
        .unwrap();
    assert!(
        before.elapsed() >= Duration::from_millis(30),
        "six seconds of the bench"
    );
    assert_eq!(text_of(fetched), WHOLE);
}

#[test]
fn labels_and_pages_count_only_where_they_can_be_told_from_data() {
    let bench = Bench::new();
    let server = bench.scripted(|_, request| {
        let label = "Content-Type: text/html\r\n";
        if request.starts_with("GET /page") {
            reply("200 OK", label, "<html>")
        } else {
            reply("200 OK", label, WHOLE)
        }
    });
    let mislabelled = |path: &str| {
        let transport =
            format!("[transport.http]\nendpoint = \"e\"\npath = \"{path}\"\nmislabelled = true");
        adapter(&transport, CSV)
    };
    let fetched = bench.fetch(&mislabelled("/f.csv"), &at(&server.url), &|_, _| false);
    assert_eq!(text_of(fetched.unwrap()), WHOLE);
    let refused = bench.fetch(&mislabelled("/page"), &at(&server.url), &|_, _| false);
    assert_eq!(refused.unwrap_err().code, "YB-2032");
    // Old spreadsheets are web pages inside.
    let sheet = adapter(
        "[transport.http]\nendpoint = \"e\"\npath = \"/page\"",
        "[format.xlsx]\nheader = \"码\"",
    );
    let fetched = bench.fetch(&sheet, &at(&server.url), &|_, _| false);
    assert_eq!(text_of(fetched.unwrap()), "<html>");
}

#[test]
fn a_trickle_ends_within_the_time_of_a_pull() {
    let bench = Bench::new();
    let server = bench.paced(Duration::from_millis(2), |_, _| {
        reply("200 OK", "", &"x".repeat(100_000))
    });
    let mut adapter = file();
    adapter.limits.fetch_seconds = 20;
    let before = tokio::time::Instant::now();
    let refused = bench
        .fetch(&adapter, &at(&server.url), &|_, _| false)
        .unwrap_err();
    assert_eq!(refused.code, "YB-2029");
    assert!(before.elapsed() < Duration::from_secs(5));
}

#[test]
fn an_unchanged_file_is_not_downloaded_again_once_it_was_taken_in() {
    for (marks, asked, value) in [
        ("ETag: W/\"v1\"\r\n", "if-none-match", "W/\"v1\""),
        (DATED, "if-modified-since", "Mon, 16 Mar 2026 01:00:00 GMT"),
    ] {
        let bench = Bench::new();
        let server = bench.scripted(move |_, request| {
            if header(request, asked) == Some(value) {
                reply("304 Not Modified", "", "")
            } else {
                reply("200 OK", marks, WHOLE)
            }
        });
        let digest = blake3::hash(WHOLE.as_bytes()).to_hex().to_string();
        let taken = |_: &str, known: &str| known == digest;
        let first = bench
            .fetch(&file(), &at(&server.url), &|_, _| false)
            .unwrap();
        assert_eq!(text_of(first), WHOLE);
        // It was fetched and got lost before it was taken in: it comes again.
        let again = bench
            .fetch(&file(), &at(&server.url), &|_, _| false)
            .unwrap();
        assert_eq!(text_of(again), WHOLE);
        assert_eq!(header(&server.requests()[1], asked), None);
        assert!(
            bench
                .fetch(&file(), &at(&server.url), &taken)
                .unwrap_err()
                .not_yet
        );
        assert_eq!(header(&server.requests()[2], asked), Some(value));
        // Without the note it costs a download.
        fs::remove_dir_all(bench.notes()).unwrap();
        assert!(
            bench
                .fetch(&file(), &at(&server.url), &taken)
                .unwrap_err()
                .not_yet
        );
        assert_eq!(header(&server.requests()[3], asked), None);
        // A damaged one likewise.
        fs::write(bench.notes().join("test.json"), "{").unwrap();
        assert!(
            bench
                .fetch(&file(), &at(&server.url), &taken)
                .unwrap_err()
                .not_yet
        );
        assert_eq!(header(&server.requests()[4], asked), None);
    }
}

#[test]
fn the_cap_holds_across_pieces() {
    let bench = Bench::new();
    let server = bench.scripted(|number, _| {
        if number == 0 {
            broken("ETag: \"a\"\r\n")
        } else {
            reply(
                "206 Partial Content",
                "Content-Range: bytes 4-9/10\r\n",
                "456789",
            )
        }
    });
    let mut adapter = file();
    adapter.limits.file_bytes = 9;
    let refused = bench
        .fetch(&adapter, &at(&server.url), &|_, _| false)
        .unwrap_err();
    assert_eq!(refused.code, "YB-2005");
}

#[test]
fn a_name_that_nobody_knows_and_a_door_that_is_shut_do_not_keep_a_pull_waiting() {
    let bench = Bench::new();
    for url in ["http://department.invalid", "http://127.0.0.1:9"] {
        let mut adapter = file();
        adapter.limits.retries = 1_000_000;
        let refused = bench.fetch(&adapter, &at(url), &|_, _| false).unwrap_err();
        assert_eq!(refused.code, "YB-2025");
        assert!(!refused.text.contains("department"), "{refused}");
    }
}
