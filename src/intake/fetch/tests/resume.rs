//! Downloads that a later pull goes on with.

use super::server::{header, reply};
use super::{Bench, CSV, adapter, endpoint, fs, text_of};
use crate::adapter::endpoint::Endpoint;
use crate::adapter::language::Adapter;

const WHOLE: &str = "0123456789";

const OTHER: &str = "abcdefghij";

const FIRST: &str = "2026-03-18T01:00:00Z";

const NEXT_DAY: &str = "2026-03-19T01:00:00Z";

const NEXT_WEEK: &str = "2026-03-25T01:00:00Z";

const TAGGED: &str = "ETag: \"a\"\r\n";

const DATED: &str =
    "Date: Mon, 16 Mar 2026 02:00:00 GMT\r\nLast-Modified: Mon, 16 Mar 2026 01:00:00 GMT\r\n";

fn file() -> Adapter {
    let mut adapter = adapter("[transport.http]\nendpoint = \"e\"\npath = \"/f.csv\"", CSV);
    adapter.limits.retries = 0;
    adapter
}

fn at(url: &str) -> Endpoint {
    endpoint(None, Some(url.to_owned()))
}

/// Ten bytes promised, four sent.
fn broken(marks: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{marks}Content-Length: 10\r\n\r\n0123")
}

fn rest(more: &str) -> String {
    reply(
        "206 Partial Content",
        &format!("Content-Range: bytes 4-9/10\r\n{more}"),
        "456789",
    )
}

/// What lies where parts lie: files besides the lock.
fn parts(bench: &Bench) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(bench.notes().join("test.parts"))
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    paths.retain(|path: &std::path::PathBuf| !path.ends_with("lock"));
    paths.sort();
    paths
}

#[test]
fn the_next_pull_goes_on_where_this_one_was_broken_off() {
    for (marks, condition) in [(TAGGED, "\"a\""), (DATED, "Mon, 16 Mar 2026 01:00:00 GMT")] {
        let bench = Bench::new();
        let server = bench.scripted(move |number, _| match number {
            0 => broken(marks),
            1 => reply("404 Not Found", "", ""),
            2 => reply("503 Service Unavailable", "", ""),
            _ => rest(marks),
        });
        for (code, now) in [
            ("YB-2025", FIRST),
            ("YB-2001", NEXT_DAY),
            ("YB-2028", NEXT_DAY),
        ] {
            let refused = bench
                .fetch_at(now, &file(), &at(&server.url), &|_, _| false)
                .unwrap_err();
            assert_eq!(refused.code, code);
            // Four bytes and their note, whatever else goes wrong meanwhile.
            let kept = parts(&bench);
            assert_eq!(kept.len(), 2, "{kept:?}");
            assert_eq!(fs::read(&kept[0]).unwrap(), b"0123");
        }
        let fetched = bench
            .fetch_at(NEXT_DAY, &file(), &at(&server.url), &|_, _| false)
            .unwrap();
        assert_eq!(
            fetched.digest,
            blake3::hash(WHOLE.as_bytes()).to_hex().to_string()
        );
        assert!(fetched.path.starts_with(bench.folder.path().join("spool")));
        assert_eq!(text_of(fetched), WHOLE);
        assert!(parts(&bench).is_empty());
        let requests = server.requests();
        assert_eq!(header(&requests[0], "range"), None);
        for request in &requests[1..] {
            assert_eq!(header(request, "range"), Some("bytes=4-"));
            assert_eq!(header(request, "if-range"), Some(condition));
        }
        // The whole one is known by the mark of its first piece.
        let taken = |_: &str, _: &str| true;
        let _ = bench.fetch_at(NEXT_DAY, &file(), &at(&server.url), &taken);
        let last = server.requests().pop().unwrap();
        assert!(
            header(&last, "if-none-match").is_some()
                || header(&last, "if-modified-since").is_some()
        );
    }
}

#[test]
fn a_part_that_does_not_fit_is_forgotten() {
    // What the first answer is; what happens to the part; when the next pull is; what the server says then; the first question of
    // that pull continues; what comes in the end.
    type Spoil = fn(&Bench);
    let nothing: Spoil = |_| ();
    let in_part: Spoil = |bench| fs::write(&parts(bench)[0], "0923").unwrap();
    let longer: Spoil = |bench| fs::write(&parts(bench)[0], "0123zzz").unwrap();
    let shorter: Spoil = |bench| fs::write(&parts(bench)[0], "012").unwrap();
    let in_note: Spoil = |bench| {
        let note = &parts(bench)[1];
        let text = fs::read_to_string(note).unwrap();
        let spoilt = text.replace("\"bytes\":4", "\"bytes\":3");
        assert_ne!(text, spoilt);
        fs::write(note, spoilt).unwrap();
    };
    let no_note: Spoil = |bench| fs::remove_file(&parts(bench)[1]).unwrap();
    let whole = || reply("200 OK", TAGGED, WHOLE);
    let other = || reply("200 OK", "ETag: \"b\"\r\n", OTHER);
    for (number, (first, spoil, now, second, continues, wanted)) in [
        // The server has another content, or none that can be gone on with.
        (broken(TAGGED), nothing, NEXT_DAY, other(), true, OTHER),
        (broken(TAGGED), nothing, NEXT_DAY, whole(), true, WHOLE),
        // What the disk has beyond the note does not count; anything else does not fit.
        (broken(TAGGED), longer, NEXT_DAY, rest(TAGGED), true, WHOLE),
        (broken(TAGGED), in_part, NEXT_DAY, whole(), false, WHOLE),
        (broken(TAGGED), shorter, NEXT_DAY, whole(), false, WHOLE),
        (broken(TAGGED), in_note, NEXT_DAY, whole(), false, WHOLE),
        (broken(TAGGED), no_note, NEXT_DAY, whole(), false, WHOLE),
        (broken(TAGGED), nothing, NEXT_WEEK, whole(), false, WHOLE),
        // Nothing says which content it was, or how long.
        (broken(""), nothing, NEXT_DAY, whole(), false, WHOLE),
        (
            broken("ETag: W/\"a\"\r\n"),
            nothing,
            NEXT_DAY,
            whole(),
            false,
            WHOLE,
        ),
        (
            format!("HTTP/1.1 200 OK\r\n{TAGGED}Transfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n"),
            nothing,
            NEXT_DAY,
            whole(),
            false,
            WHOLE,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let bench = Bench::new();
        let server = bench.scripted(move |number, _| {
            if number == 0 {
                first.clone()
            } else {
                second.clone()
            }
        });
        let refused = bench
            .fetch_at(FIRST, &file(), &at(&server.url), &|_, _| false)
            .unwrap_err();
        assert_eq!(refused.code, "YB-2025", "{number}");
        spoil(&bench);
        let fetched = bench
            .fetch_at(now, &file(), &at(&server.url), &|_, _| false)
            .unwrap();
        assert_eq!(
            fetched.digest,
            blake3::hash(wanted.as_bytes()).to_hex().to_string()
        );
        assert_eq!(text_of(fetched), wanted, "{number}");
        let asked = server.requests();
        assert_eq!(
            header(&asked[1], "range").is_some(),
            continues,
            "{number}: {}",
            asked[1]
        );
        assert!(parts(&bench).is_empty(), "{number}");
    }
}

#[test]
fn an_unfit_rest_costs_a_download_and_a_refused_file_leaves_no_part() {
    // Another length, another mark, another place, no such range: asked once more, from the beginning.
    for second in [
        reply(
            "206 Partial Content",
            "Content-Range: bytes 4-9/11\r\n",
            "456789",
        ),
        rest("ETag: \"b\"\r\n"),
        reply(
            "206 Partial Content",
            "Content-Range: bytes 3-9/10\r\n",
            "3456789",
        ),
        reply("416 Range Not Satisfiable", "", ""),
    ] {
        let bench = Bench::new();
        let told = second.clone();
        let server = bench.scripted(move |number, _| match number {
            0 => broken(TAGGED),
            1 => told.clone(),
            _ => reply("200 OK", TAGGED, WHOLE),
        });
        let fetch = |retries| {
            let mut adapter = file();
            adapter.limits.retries = retries;
            bench.fetch(&adapter, &at(&server.url), &|_, _| false)
        };
        fetch(0).unwrap_err();
        assert_eq!(text_of(fetch(1).unwrap()), WHOLE, "{second}");
        assert_eq!(header(&server.requests()[2], "range"), None);
    }
    // A page, a file beyond its cap.
    let page = "<!doctype html><p>log in";
    for (body, code) in [(page, "YB-2032"), (&"9".repeat(100), "YB-2005")] {
        let bench = Bench::new();
        let answer = reply("200 OK", TAGGED, body);
        let server = bench.scripted(move |_, _| answer.clone());
        let mut adapter = file();
        adapter.limits.file_bytes = 50;
        let refused = bench
            .fetch(&adapter, &at(&server.url), &|_, _| false)
            .unwrap_err();
        assert_eq!(refused.code, code);
        assert!(parts(&bench).is_empty());
    }
}

#[test]
fn a_pull_that_runs_out_of_time_is_gone_on_with() {
    let bench = Bench::new();
    let body = "x".repeat(150);
    let whole = body.clone();
    let server = bench.paced(
        std::time::Duration::from_millis(1),
        move |_, request| match header(request, "range") {
            None => reply("200 OK", TAGGED, &whole),
            Some(range) => {
                let from: usize = range["bytes=".len()..range.len() - 1].parse().unwrap();
                let range = format!("Content-Range: bytes {from}-149/150\r\n");
                reply("206 Partial Content", &range, &whole[from..])
            }
        },
    );
    let mut adapter = file();
    // A second of the bench is five milliseconds.
    adapter.limits.fetch_seconds = 60;
    let mut pulls = 0;
    let fetched = loop {
        pulls += 1;
        assert!(pulls < 30, "it never comes to an end");
        match bench.fetch(&adapter, &at(&server.url), &|_, _| false) {
            Ok(fetched) => break fetched,
            Err(unfetched) => assert_eq!(unfetched.code, "YB-2029"),
        }
    };
    assert!(pulls > 1, "it takes more than one");
    assert_eq!(text_of(fetched), body);
}
