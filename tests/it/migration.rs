//! A state folder that a program of an older version wrote goes on where that one stopped.
//!
//! `tests/golden/state/v2.zip` was written by such a program: two accepted batches and a withdrawn one of a source `reg`, its adapter,
//! the file that came next, and what that program said of all of it (`expected/`).

use std::path::Path;

use serde_json::Value;

use crate::program::{home, out, root};

/// A home with the source's adapter, and a state folder of version 2 in it.
fn unpacked() -> tempfile::TempDir {
    let home = home();
    let path = root().join("tests/golden/state/v2.zip");
    let mut archive =
        zip::ZipArchive::new(std::fs::File::open(path).expect("the archive")).expect("an archive");
    archive.extract(home.path().join("old")).expect("unpacked");
    let adapter = home.path().join("adapters/reg.toml");
    std::fs::copy(home.path().join("old/reg.toml"), adapter).expect("the adapter");
    home
}

fn yingbao(home: &Path, words: &[&str]) -> String {
    let state = home.join("old/state");
    let (home, state) = (home.to_string_lossy(), state.to_string_lossy());
    let mut all = vec!["--home", &home, "--state", &state];
    all.extend_from_slice(words);
    out(&all, 0)
}

fn expected(home: &Path, name: &str) -> String {
    std::fs::read_to_string(home.join("old/expected").join(name)).expect("what it said")
}

fn lines(text: &str) -> Vec<Value> {
    let of = |line: &str| serde_json::from_str(line).expect("a document");
    text.lines().map(of).collect()
}

#[test]
fn a_state_of_version_2_says_what_it_said_and_goes_on() {
    let home = unpacked();
    let home = home.path();
    let version = || std::fs::read_to_string(home.join("old/state/VERSION")).expect("a version");
    assert_eq!(version().trim(), "2");
    let batches = lines(&expected(home, "batches.jsonl"));
    let told = yingbao(home, &["batch", "list", "--json"]);
    assert_eq!(lines(&told), batches);
    assert_eq!(version().trim(), "5");
    for (n, batch) in batches.iter().take(2).enumerate() {
        let id = batch["batch"].as_str().expect("an id");
        let told = yingbao(home, &["changes", "--batch", id, "--json"]);
        let name = format!("changes-{}.jsonl", n + 1);
        assert_eq!(lines(&told), lines(&expected(home, &name)), "{id}");
    }
    // Killed before it was marked, the next start finds what was done already.
    std::fs::write(home.join("old/state/VERSION"), "2\n").expect("written");
    let told = yingbao(home, &["batch", "list", "--json"]);
    assert_eq!(lines(&told), batches);
    assert_eq!(version().trim(), "5");
    // A record is found by what is inside its code, and by its name.
    let first = &lines(&expected(home, "changes-1.jsonl"))[7];
    let name = first["fields"]["name"][1].as_str().expect("a name");
    for wanted in [&first["key"].as_str().expect("a code")[8..17], name] {
        let told = yingbao(home, &["enterprise", wanted, "--json"]);
        let told: Value = serde_json::from_str(&told).expect("one document");
        assert_eq!(told["credit_code"], first["key"], "{wanted}");
    }
    // The next file is compared as the program before would have compared it.
    let file = home.join("old/reg_20260904.csv");
    let told = yingbao(
        home,
        &["pull", "reg", "--file", &file.to_string_lossy(), "--json"],
    );
    let (told, wanted) = (lines(&told), lines(&expected(home, "pull-4.json")));
    for name in [
        "verdict",
        "rows",
        "new",
        "changed",
        "missing",
        "returned",
        "unchanged",
        "mapping_changed",
    ] {
        assert_eq!(told[0][name], wanted[0][name], "{name}");
    }
    let told = yingbao(home, &["changes", "--adapter", "reg", "--json"]);
    assert_eq!(lines(&told), lines(&expected(home, "changes-4.jsonl")));
}

#[test]
fn a_state_of_version_1_is_refused_with_the_remedy() {
    let home = unpacked();
    let version = home.path().join("old/state/VERSION");
    std::fs::write(&version, "1\n").expect("written");
    let state = home.path().join("old/state");
    let (place, state) = (home.path().to_string_lossy(), state.to_string_lossy());
    let told = crate::program::run(&["--home", &place, "--state", &state, "batch", "list"]);
    let said = String::from_utf8_lossy(&told.stderr);
    assert!(
        said.contains("YB-4009") && said.contains("处理："),
        "{said}"
    );
    let left = std::fs::read_to_string(&version).expect("a version");
    assert_eq!(left.trim(), "1", "nothing is written");
}
