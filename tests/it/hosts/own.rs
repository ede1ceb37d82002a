//! The demo's own servers of files, with the client that reads real ones.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use jiff::Timestamp;
use yingbao::demo::ftp_server::FtpServer;
use yingbao::demo::sftp_server::{Account, SftpServer, host_key, public_line};
use yingbao::demo::shelf::Shelf;

use crate::hosts::proxy::line;
use crate::hosts::{Bench, GBK, noise};

const NAME: &str = "参保_1.csv";

fn account() -> Account {
    Account {
        user: "demo".into(),
        password: "口令 1".into(),
    }
}

fn lay(shelf: &Shelf, name: &[u8], content: &[u8]) {
    shelf.lay(name, content.to_vec(), Timestamp::UNIX_EPOCH);
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.secret("password", "口令 1\n");
    bench.secret("wrong", "口令 2\n");
    bench
}

fn files(kind: &str, more: &str) -> String {
    format!("{kind}]\nendpoint = \"e\"\npattern = \"*.csv\"\n{more}")
}

/// Files come in order and whole, whatever they are called; one without its marker does not, and nothing comes twice.
fn story(bench: &Bench, shelf: &Shelf, endpoint: &str, kind: &str) {
    let marked = files(kind, "marker = \".ok\"");
    // More than one piece, and not a whole number of them.
    let big = noise(200_001);
    lay(shelf, b"a.csv", &big);
    lay(shelf, GBK, b"gbk");
    assert!(bench.fetch(endpoint, &marked).unwrap_err().not_yet);
    lay(shelf, b"a.csv.ok", b"");
    lay(shelf, &[GBK, b".ok"].concat(), b"");
    assert_eq!(bench.take(endpoint, &marked), ("a.csv".to_owned(), big));
    assert_eq!(
        bench.take(endpoint, &marked),
        (NAME.to_owned(), b"gbk".to_vec())
    );
    assert!(bench.fetch(endpoint, &marked).unwrap_err().not_yet);
    // An empty one, told by two looks instead of a marker.
    lay(shelf, b"z.csv", b"");
    let looked = files(kind, "settle_ms = 20");
    assert_eq!(
        bench.take(endpoint, &looked),
        ("z.csv".to_owned(), Vec::new())
    );
    // Nothing is moved on it, and there is nothing below.
    lay(shelf, b"zz.csv", b"z");
    lay(shelf, b"zz.csv.ok", b"");
    let below = files(kind, "marker = \".ok\"\npath = \"below\"");
    bench.refused(endpoint, &below, "YB-2417");
    let wrong = endpoint.replace("\"password\"", "\"wrong\"");
    bench.refused(&wrong, &marked, "YB-2414");
    assert_eq!(bench.take(endpoint, &marked).0, "zz.csv");
}

#[test]
fn files_come_from_the_demos_own_sftp_server() {
    let bench = bench();
    let shelf = Shelf::default();
    let start = || {
        SftpServer::start(
            bench.runtime.handle(),
            host_key(7),
            account(),
            shelf.clone(),
        )
        .expect("a port")
    };
    let server = start();
    let at = |port: u16, seed: u64| {
        let key = public_line(&host_key(seed)).expect("a key");
        format!(
            "[sftp]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"demo\"\npassword_file = \"password\"\nhost_key = \"{key}\"\n"
        )
    };
    story(&bench, &shelf, &at(server.port(), 7), "sftp");
    bench.refused(&at(server.port(), 8), &files("sftp", ""), "YB-2412");
    let gone = at(server.port(), 7);
    drop(server);
    bench.refused(&gone, &files("sftp", ""), "YB-2411");
}

#[test]
fn files_come_from_the_demos_own_ftp_server() {
    let bench = bench();
    let shelf = Shelf::default();
    let server =
        FtpServer::start(bench.runtime.handle(), account(), shelf.clone()).expect("a port");
    let endpoint = format!(
        "[ftp]\nhost = \"127.0.0.1\"\nport = {}\nuser = \"demo\"\npassword_file = \"password\"\nplain = true\n",
        server.port()
    );
    story(&bench, &shelf, &endpoint, "ftp");
    // Who knows no extended words is served as well.
    assert_eq!(old_fashioned(server.port()), b"gbk");
    // It goes on in the middle.
    let bytes = noise(8_000_000);
    lay(&shelf, b"zzz.csv", &bytes);
    lay(&shelf, b"zzz.csv.ok", b"");
    let (port, broken) = line(server.port(), 3_000_000, 2, true);
    let far = endpoint.replace(&server.port().to_string(), &port.to_string());
    let marked = files("ftp", "marker = \".ok\"");
    assert!(bench.take(&far, &marked).1 == bytes, "byte for byte");
    assert_eq!((broken.cuts_left(), broken.rests()), (0, 2));
    drop(server);
    bench.refused(&endpoint, &marked, "YB-2411");
}

/// Logs in by hand, is kept from writing, and takes the file with the GBK name by PASV.
fn old_fashioned(port: u16) -> Vec<u8> {
    let control = TcpStream::connect(("127.0.0.1", port)).expect("a caller");
    let mut words = control.try_clone().expect("a handle");
    let mut replies = BufReader::new(control);
    let mut told = |line: &[u8]| {
        words.write_all(&[line, b"\r\n"].concat()).expect("sent");
        let mut reply = String::new();
        replies.read_line(&mut reply).expect("a reply");
        reply
    };
    // The greeting answers the first line, so that each reply is one behind.
    assert!(told(b"LIST").starts_with("220"));
    assert!(told(b"USER demo").starts_with("530"));
    assert!(told("PASS 口令 1".as_bytes()).starts_with("331"));
    assert!(told(b"STOR a.csv").starts_with("230"));
    assert!(told(b"RETR a.csv").starts_with("550"));
    assert!(told(b"PASV").starts_with("425"));
    let port = told(b"NOOP");
    let numbers: Vec<u16> = port
        .trim_end()
        .trim_end_matches(')')
        .rsplit(',')
        .take(2)
        .map(|number| number.parse().expect("a number"))
        .collect();
    assert!(told(&[b"RETR ", GBK].concat()).starts_with("200"));
    let mut data = TcpStream::connect(("127.0.0.1", numbers[1] * 256 + numbers[0])).expect("data");
    let mut content = Vec::new();
    data.read_to_end(&mut content).expect("content");
    content
}
