//! A pull that is killed in the middle of a download, and the next one.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::program::{home, out, yingbao};

const ROWS: usize = 12_000;

/// Twelve thousand firms, 12 MB.
fn csv() -> String {
    let padding = "x".repeat(950);
    let rows = (0..ROWS).map(|number| {
        format!("91411300MA0{number:06}A,南阳示例第{number:05}公司,202602,{padding}\n")
    });
    std::iter::once("码,名称,月,备注\n".to_owned())
        .chain(rows)
        .collect()
}

/// Sends the file, or the part of it that is asked for; the first time it falls silent after ten megabytes.
fn serve(body: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming().flatten() {
            if let Some(stream) = answer(stream, &body, &written) {
                silent.push(stream);
            }
        }
    });
    (url, asked)
}

fn answer(mut stream: TcpStream, body: &str, asked: &Mutex<Vec<String>>) -> Option<TcpStream> {
    let mut request = [0; 8192];
    let read = stream.read(&mut request).ok()?;
    let request = String::from_utf8_lossy(&request[..read]).to_ascii_lowercase();
    let range = request.lines().find_map(|line| {
        let from = line.strip_prefix("range: bytes=")?.strip_suffix('-')?;
        from.parse::<usize>().ok()
    });
    let is_first = {
        let mut asked = asked.lock().expect("a list");
        asked.push(request.clone());
        asked.len() == 1
    };
    let length = body.len();
    let (status, more, from) = match range {
        Some(from) => (
            "206 Partial Content",
            format!("Content-Range: bytes {from}-{}/{length}\r\n", length - 1),
            from,
        ),
        None => ("200 OK", String::new(), 0),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\n{more}ETag: \"v1\"\r\nContent-Length: {}\r\n\r\n",
        length - from
    );
    stream.write_all(head.as_bytes()).ok()?;
    let until = if is_first { 10_000_000 } else { length };
    stream.write_all(&body.as_bytes()[from..until]).ok()?;
    is_first.then_some(stream)
}

/// Files below the folder of parts.
fn notes(home: &Path) -> Vec<PathBuf> {
    let folder = home.join("state/fetch/cut.parts");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.expect("entry").path()).collect())
        .unwrap_or_default();
    paths.retain(|path: &PathBuf| path.extension().is_some());
    paths
}

#[test]
fn a_download_that_was_killed_is_gone_on_with_by_the_next_pull() {
    for spoils in [false, true] {
        let home = home();
        let (url, asked) = serve(csv());
        fs::write(
            home.path().join("config/site.toml"),
            format!("[endpoints.cut]\nurl = \"{url}\"\n"),
        )
        .expect("site");
        let adapter = "department = \"税务\"\ntitle = \"测试数据\"\nbasis = \"test\"\nrecord = \"tax\"\n\
             mode = \"increment\"\nas_of = \"delivery\"\n[transport.http]\nendpoint = \"cut\"\npath = \"/f\"\n\
             [format.csv]\nheader = \"码\"\n[fields]\ncredit_code = { from = \"码\", required = true }\n\
             name = \"名称\"\nmonth = { from = \"月\", required = true }\n[ignore]\ncolumns = [\"备注\"]\n";
        fs::write(home.path().join("adapters/cut.toml"), adapter).expect("adapter");
        let folder = home.path().to_string_lossy().into_owned();
        let words = ["--home", &folder, "pull", "cut", "--json"];
        let mut pull = yingbao(&words)
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("the binary starts");
        let noted = (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            notes(home.path())
                .iter()
                .any(|path| path.extension().is_some_and(|kind| kind == "json"))
        });
        // SIGKILL: nothing is tidied up.
        pull.kill().expect("killed");
        pull.wait().expect("ended");
        assert!(noted, "what came was noted down");
        if spoils {
            let note = notes(home.path()).pop().expect("a note");
            let part = note.with_extension("");
            let mut bytes = fs::read(&part).expect("a part");
            assert!(bytes.len() > 8 << 20);
            bytes[1_000_000] ^= 1;
            fs::write(&part, bytes).expect("spoilt");
        }
        let told: serde_json::Value = serde_json::from_str(&out(&words, 0)).expect("a document");
        assert_eq!(told["rows"], ROWS, "{told}");
        assert_eq!(told["set_aside"], 0, "{told}");
        assert!(
            told["verdict"]
                .as_str()
                .expect("a verdict")
                .starts_with("accepted")
        );
        let asked = asked.lock().expect("a list");
        assert_eq!(asked.len(), 2);
        assert!(!asked[0].contains("range: "));
        assert_eq!(
            asked[1].contains("if-range: \"v1\""),
            !spoils,
            "{}",
            asked[1]
        );
        assert!(notes(home.path()).is_empty());
    }
}
