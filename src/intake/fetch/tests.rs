//! Drop folders on the disk, HTTP against a real server on loopback with faults.

use std::fs;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;

use super::*;
use crate::adapter::language::AdapterFile;

mod download;
mod jobs;
mod login;
mod paging;
mod resume;
mod server;
mod tls;

fn adapter(transport: &str, format: &str) -> Adapter {
    let text = format!(
        r#"
department = "税务"
title = "测试数据"
basis = "test"
record = "tax"
mode = "increment"
as_of = "delivery"
{transport}
{format}
[fields]
credit_code = {{ from = "码", required = true }}
month = {{ from = "月", required = true }}
"#
    );
    let file: AdapterFile = toml::from_str(&text).unwrap();
    Adapter::check("test", "digest", file).unwrap()
}

const CSV: &str = "[format.csv]\nheader = \"码\"";

struct Bench {
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn serve(&self, router: Router) -> String {
        let listener = self
            .runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        self.runtime
            .spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn fetch(
        &self,
        adapter: &Adapter,
        endpoint: &Endpoint,
        taken: &dyn Fn(&str, &str) -> bool,
    ) -> Result<Fetched, Unfetched> {
        self.fetch_at("2026-03-18T01:00:00Z", adapter, endpoint, taken)
    }

    fn fetch_at(
        &self,
        now: &str,
        adapter: &Adapter,
        endpoint: &Endpoint,
        taken: &dyn Fn(&str, &str) -> bool,
    ) -> Result<Fetched, Unfetched> {
        let spool = self.folder.path().join("spool");
        fs::create_dir_all(&spool).unwrap();
        let fetched = fetch(&Errand {
            adapter,
            endpoint,
            home: self.folder.path(),
            spool: &spool,
            notes: &self.notes(),
            today: jiff::civil::date(2026, 3, 18),
            now: now.parse().unwrap(),
            waits: Waits {
                first_pause: Duration::from_millis(1),
                longest_pause: Duration::from_millis(2),
                second: Duration::from_millis(5),
                ..Waits::default()
            },
            taken,
            runtime: self.runtime.handle(),
        });
        if fetched.is_err() {
            assert_eq!(
                fs::read_dir(&spool).unwrap().count(),
                0,
                "a failed fetch leaves nothing behind"
            );
        }
        fetched
    }

    fn notes(&self) -> PathBuf {
        self.folder.path().join("notes")
    }

    /// A secret for an endpoint, readable by its owner only.
    fn secret(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// The text of a fetched file, which is then removed.
fn text_of(fetched: Fetched) -> String {
    let text = fs::read_to_string(&fetched.path).unwrap();
    fs::remove_file(fetched.path).unwrap();
    text
}

fn endpoint(path: Option<&str>, url: Option<String>) -> Endpoint {
    Endpoint {
        path: path.map(PathBuf::from),
        url,
        ..Endpoint::default()
    }
}

#[test]
fn files_come_one_after_another_when_their_marker_is_there() {
    let bench = Bench::new();
    let inbox = bench.folder.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    let adapter = adapter(
        "[transport.folder]\nendpoint = \"in\"\npattern = \"a_*.csv\"\nmarker = \".ok\"",
        CSV,
    );
    let endpoint = endpoint(Some("inbox"), None);
    let taken = std::cell::RefCell::new(std::collections::BTreeMap::<String, String>::new());
    let asked = |name: &str, digest: &str| {
        taken
            .borrow()
            .get(name)
            .is_some_and(|known| digest.is_empty() || known == digest)
    };
    let next = || bench.fetch(&adapter, &endpoint, &asked);
    let put = |name: &str, text: &str| fs::write(inbox.join(name), text).unwrap();
    put("a_1.csv", "one");
    assert!(next().unwrap_err().not_yet, "no marker yet");
    put("a_1.csv.ok", "");
    put("a_2.csv", "two");
    put("a_2.csv.ok", "");
    put("b_3.csv", "other");
    for expected in ["a_1.csv", "a_2.csv"] {
        let fetched = next().unwrap();
        assert_eq!(fetched.name, expected);
        assert_eq!(
            fetched.digest,
            blake3::hash(&fs::read(&fetched.path).unwrap())
                .to_hex()
                .to_string()
        );
        taken.borrow_mut().insert(fetched.name, fetched.digest);
        fs::remove_file(fetched.path).unwrap();
    }
    assert!(next().unwrap_err().not_yet);
    // A corrected file under the old name.
    put("a_2.csv", "two, corrected");
    let corrected = next().unwrap();
    assert_eq!(corrected.name, "a_2.csv");
    taken.borrow_mut().insert(corrected.name, corrected.digest);
    fs::remove_file(&corrected.path).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", inbox.join("a_9.csv")).unwrap();
    put("a_9.csv.ok", "");
    // A link is passed over with a word, and what comes after it is taken.
    let word = next().unwrap_err();
    assert!(
        word.not_yet && word.text.contains("[YB-2430] a_9.csv"),
        "{word}"
    );
    put("a_99.csv", "nine");
    put("a_99.csv.ok", "");
    let after = next().unwrap();
    assert_eq!((after.name.as_str(), after.cautions.len()), ("a_99.csv", 1));
}

#[test]
fn http_answers_are_taken_or_refused_without_naming_the_host() {
    let bench = Bench::new();
    let url = bench.serve(
        Router::new()
            .route("/export/202602.csv", get(|| async { "码,月\n" }))
            .route(
                "/moved",
                get(|| async { Redirect::permanent("/export/202602.csv") }),
            )
            .route("/closed", get(|| async { StatusCode::FORBIDDEN }))
            .route(
                "/broken",
                get(|| async { StatusCode::INTERNAL_SERVER_ERROR }),
            ),
    );
    let at = |path: &str| {
        adapter(
            &format!("[transport.http]\nendpoint = \"e\"\npath = \"{path}\""),
            CSV,
        )
    };
    let endpoint = endpoint(None, Some(url.clone()));
    let fetched = bench
        .fetch(&at("/export/{period}.csv"), &endpoint, &|_, _| false)
        .unwrap();
    assert_eq!(fetched.name, "/export/202602.csv");
    fs::remove_file(&fetched.path).unwrap();
    for (path, code, not_yet) in [
        ("/nothing", "YB-2001", true),
        ("/moved", "YB-2027", false),
        ("/closed", "YB-2026", false),
        ("/broken", "YB-2028", false),
    ] {
        let refused = bench
            .fetch(&at(path), &endpoint, &|_, _| false)
            .unwrap_err();
        assert_eq!((refused.code, refused.not_yet), (code, not_yet), "{path}");
        assert!(!refused.to_string().contains("127.0.0.1"));
    }
    let nowhere = Endpoint {
        url: Some("http://127.0.0.1:9".into()),
        ..endpoint
    };
    assert_eq!(
        bench
            .fetch(&at("/x"), &nowhere, &|_, _| false)
            .unwrap_err()
            .code,
        "YB-2025"
    );
    let mut small = at("/export/{period}.csv");
    small.limits.file_bytes = 3;
    let endpoint = Endpoint {
        url: Some(url),
        ..nowhere
    };
    assert_eq!(
        bench
            .fetch(&small, &endpoint, &|_, _| false)
            .unwrap_err()
            .code,
        "YB-2005"
    );
}

#[derive(serde::Deserialize)]
struct Wanted {
    page: u32,
    size: u32,
}

fn paged(
    total: impl Fn(u32) -> u32 + Clone + Send + Sync + 'static,
    fault: &'static str,
) -> Router {
    let calls = Arc::new(AtomicU32::new(0));
    Router::new().route(
        "/rows",
        get(move |Query(wanted): Query<Wanted>| {
            let (total, calls) = (total.clone(), Arc::clone(&calls));
            async move {
                calls.fetch_add(1, Ordering::Relaxed);
                let page = if fault == "repeat" { 1 } else { wanted.page };
                if fault == "text" {
                    return "busy".into_response();
                }
                let all = total(wanted.page);
                let from = (page - 1) * wanted.size;
                let until = (from + wanted.size).min(if fault == "short" && page == 1 { from + 1 } else { all });
                let list: Vec<_> = (from..until).map(|n| serde_json::json!({ "码": n.to_string() })).collect();
                let code = if fault == "code" { "500" } else { "200" };
                serde_json::json!({ "code": code, "data": { "total": all.to_string(), "list": list } })
                    .to_string()
                    .into_response()
            }
        }),
    )
}

#[test]
fn pages_are_all_there_or_nothing_is_taken() {
    let bench = Bench::new();
    let adapter = adapter(
        "[transport.pages]\nendpoint = \"e\"\npath = \"/rows\"\npage = \"page\"\nsize = \"size\"\nper_page = 4\n\
         success = \"/code\"\nsuccess_is = \"200\"\ntotal = \"/data/total\"\nrows = \"/data/list\"",
        "[format.json]\nrows = \"/data/list\"\ntotal = \"/data/total\"",
    );
    let run = |router: Router| {
        let endpoint = endpoint(None, Some(bench.serve(router)));
        bench.fetch(&adapter, &endpoint, &|_, _| false)
    };
    for (total, lines) in [(0, 1), (3, 1), (4, 1), (9, 3)] {
        let fetched = run(paged(move |_| total, "")).unwrap();
        assert_eq!(
            fs::read_to_string(&fetched.path).unwrap().lines().count(),
            lines,
            "{total}"
        );
        fs::remove_file(fetched.path).unwrap();
    }
    for (router, code) in [
        (paged(|_| 9, "repeat"), "YB-2041"),
        (paged(|page| 8 + page, ""), "YB-2042"),
        (paged(|_| 9, "short"), "YB-2043"),
        (paged(|_| 9, "text"), "YB-2046"),
        (paged(|_| 9, "code"), "YB-2047"),
    ] {
        assert_eq!(run(router).unwrap_err().code, code);
    }
}
