//! A department that announces less than it sends. By RFC 9110 (§8.6) and RFC 9112 (§6.3) the announced length is the message;
//! what follows is none of it, and the HTTP library neither hands it out nor tells of it. So the file ends where the length
//! says, mostly inside a row, and must not pass for a whole one.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::program::{home, out};

/// Answers every request with the whole body under a length that is `short` bytes less.
fn serve(body: &str, short: usize, keeps_open: bool) -> String {
    let body = body.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked);
            let length = body.len() - short;
            let close = if keeps_open {
                ""
            } else {
                "Connection: close\r\n"
            };
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{close}\r\n{body}");
            let _ = stream.write_all(answer.as_bytes());
            if keeps_open {
                open.push(stream);
            }
        }
    });
    url
}

/// A hundred firms; every name is as long as every other.
fn csv() -> String {
    let rows = (0..100)
        .map(|number| format!("91411300MA00000{number:02}A,202602,南阳示例第{number:02}公司\n"));
    std::iter::once("码,月,名称\n".to_owned())
        .chain(rows)
        .collect()
}

const JSON: &str = r#"{"list": [{"码": "91411300MA0000001A", "名称": "甲公司", "月": "202602"},
{"码": "91411300MA0000002B", "名称": "乙公司", "月": "202602"}]}"#;

const XML: &str = "<list><row><码>91411300MA0000001A</码><名称>甲公司</名称><月>202602</月></row>\
<row><码>91411300MA0000002B</码><名称>乙公司</名称><月>202602</月></row></list>";

/// Verdict and reasons of a pull.
fn pulled(body: &str, short: usize, keeps_open: bool, format: &str, code: i32) -> String {
    let home = home();
    let url = serve(body, short, keeps_open);
    fs::write(
        home.path().join("config/site.toml"),
        format!("[endpoints.cut]\nurl = \"{url}\"\n"),
    )
    .expect("site");
    let adapter = format!(
        "department = \"税务\"\ntitle = \"测试数据\"\nbasis = \"test\"\nrecord = \"tax\"\nmode = \"increment\"\n\
         as_of = \"delivery\"\n[transport.http]\nendpoint = \"cut\"\npath = \"/f\"\n{format}\n[fields]\n\
         credit_code = {{ from = \"码\", required = true }}\nname = \"名称\"\n\
         month = {{ from = \"月\", required = true }}\n"
    );
    fs::write(home.path().join("adapters/cut.toml"), adapter).expect("adapter");
    let folder = home.path().to_string_lossy().into_owned();
    out(&["--home", &folder, "pull", "cut", "--json"], code)
}

#[test]
fn a_file_that_is_cut_by_its_own_length_is_held() {
    let rows = csv();
    let csv = "[format.csv]\nheader = \"码\"";
    let json = "[format.json]\nrows = \"/list\"";
    let xml = "[format.xml]\nrecord = \"list/row\"";
    for (body, short, format, verdict, word) in [
        (rows.as_str(), 0, csv, "accepted", ""),
        // In the month; in the code; in the middle of the file.
        (&rows, 28, csv, "quarantined", "YB-3127"),
        (&rows, 40, csv, "quarantined", "YB-3127"),
        (&rows, 2440, csv, "quarantined", "YB-3127"),
        // In the middle of a character; in the middle of a document.
        (&rows, 2, csv, "refused", "YB-2105"),
        (JSON, 0, json, "accepted", ""),
        (JSON, 1, json, "refused", "YB-"),
        (JSON, 30, json, "refused", "YB-"),
        (XML, 0, xml, "accepted", ""),
        (XML, 2, xml, "refused", "YB-"),
        (XML, 60, xml, "refused", "YB-"),
        // What no reader can tell: only the line end is missing, or the end of the last cell. A declared total, the number of
        // rows and what was there before are what is left to tell by.
        (&rows, 1, csv, "accepted", ""),
        (&rows, 4, csv, "accepted", ""),
    ] {
        for keeps_open in [false, true] {
            let code = i32::from(!verdict.starts_with("accepted"));
            let told = pulled(body, short, keeps_open, format, code);
            let told: serde_json::Value = serde_json::from_str(&told).expect("a document");
            let found = told["verdict"].as_str().expect("a verdict");
            assert!(found.starts_with(verdict), "{short}: {told}");
            assert!(told.to_string().contains(word), "{short}: {told}");
        }
    }
}
