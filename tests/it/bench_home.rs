//! The benchmark's home takes its files, and what it tells is the truth: through every format, in every charset.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::program::{home, out, root, run};
use crate::snapshot::{Snapshot, Traffic, Truth};

/// Writes a day in one format.
type Write = fn(&Snapshot, &Path) -> std::io::Result<()>;

const ROWS: u32 = 200;
const TRAFFIC: Traffic = Traffic {
    changed: 24,
    new: 5,
    removed: 3,
    moved: 40,
};

fn pull(state: &Path, adapter: &str, file: &Path) -> Value {
    let told = yingbao(
        state,
        &["pull", adapter, "--file", &file.to_string_lossy(), "--json"],
    );
    serde_json::from_str(&told).expect("one document")
}

fn yingbao(state: &Path, words: &[&str]) -> String {
    let home = root().join("tests/bench/home");
    let (home, state) = (home.to_string_lossy(), state.to_string_lossy());
    let mut all = vec!["--home", &home, "--state", &state];
    all.extend_from_slice(words);
    out(&all, 0)
}

fn changes(state: &Path, adapter: &str) -> Truth {
    let told = yingbao(state, &["changes", "--adapter", adapter, "--json"]);
    let mut found = Truth::default();
    for line in told.lines() {
        let line: Value = serde_json::from_str(line).expect("a line");
        let key = line["key"].as_str().expect("a key").to_owned();
        let fields = line["fields"].as_object().expect("fields").len();
        match line["change"].as_str() {
            Some("new") => found.new.insert(key),
            Some("changed") => {
                assert_eq!(fields, 1, "{line}");
                found.changed.insert(key)
            }
            Some("missing") => found.removed.insert(key),
            _ => panic!("{line}"),
        };
    }
    found
}

fn counts(told: &Value) -> [u64; 5] {
    ["new", "changed", "missing", "returned", "unchanged"]
        .map(|name| told[name].as_u64().expect(name))
}

#[test]
fn three_formats_tell_the_same_true_changes() {
    let first = Snapshot::first(ROWS);
    let (second, truth) = first.next(TRAFFIC);
    assert_eq!(truth.changed.len(), TRAFFIC.changed);
    let folder = tempfile::tempdir().unwrap();
    let formats: [(&str, &str, Write); 3] = [
        ("bench-csv", "csv", |day, path| day.csv(path, false)),
        ("bench-xml", "xml", |day, path| day.xml(path, false)),
        ("bench-jsonl", "ndjson", Snapshot::jsonl),
    ];
    for (adapter, extension, write) in formats {
        let state = folder.path().join(adapter);
        let days = [&first, &second].map(|day| {
            let file = folder.path().join(format!("{}.{extension}", day.rows()));
            write(day, &file).unwrap();
            file
        });
        let told = pull(&state, adapter, &days[0]);
        assert_eq!(told["verdict"], "accepted", "{told}");
        assert_eq!(told["rows"], ROWS);
        assert_eq!(counts(&told), [u64::from(ROWS), 0, 0, 0, 0], "{adapter}");
        let batch = told["batch"].as_str().unwrap();
        let shown: Value =
            serde_json::from_str(&yingbao(&state, &["batch", "show", batch, "--json"])).unwrap();
        assert_eq!(shown["issues_found"], 0, "{}", shown["issues"]);
        for (field, filled) in shown["census"]["filled"].as_object().unwrap() {
            assert_eq!(*filled, ROWS, "{adapter} {field}");
        }
        assert_eq!(shown["census"]["filled"].as_object().unwrap().len(), 11);

        let told = pull(&state, adapter, &days[1]);
        assert_eq!(changes(&state, adapter), truth, "{adapter}");
        assert_eq!(counts(&told), [5, 24, 3, 0, 173], "{adapter}");
    }
}

#[test]
fn neither_order_nor_charset_is_a_change() {
    let first = Snapshot::first(ROWS);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    first.csv(&path("day.csv"), false).unwrap();
    first.csv(&path("day.gb18030.csv"), true).unwrap();
    first.shuffled().csv(&path("other.csv"), false).unwrap();
    first.xml(&path("day.xml"), false).unwrap();
    first.xml(&path("day.gb18030.xml"), true).unwrap();
    let bytes: BTreeSet<Vec<u8>> = ["day.csv", "day.gb18030.csv", "other.csv"]
        .map(|name| std::fs::read(path(name)).unwrap())
        .into();
    assert_eq!(bytes.len(), 3, "three different files");
    for (adapter, files) in [
        (
            "bench-csv",
            &["day.csv", "day.gb18030.csv", "other.csv"][..],
        ),
        ("bench-xml", &["day.gb18030.xml", "day.xml"][..]),
    ] {
        let state = path(adapter);
        for (at, file) in files.iter().enumerate() {
            let told = pull(&state, adapter, &path(file));
            let (new, same) = if at == 0 {
                (u64::from(ROWS), 0)
            } else {
                (0, u64::from(ROWS))
            };
            assert_eq!(counts(&told), [new, 0, 0, 0, same], "{file}: {told}");
        }
    }
}

#[test]
fn only_the_mark_of_a_demo_stands_in_for_the_key_of_pseudonyms() {
    let home = home();
    let bench = root().join("tests/bench/home");
    std::fs::copy(
        bench.join("adapters/bench-csv.toml"),
        home.path().join("adapters/bench-csv.toml"),
    )
    .unwrap();
    let site = std::fs::read_to_string(bench.join("config/site.toml")).unwrap();
    assert!(site.contains("\ndemo_mark"));
    let path = home.path().to_string_lossy().into_owned();
    for (site, is_sound) in [
        (site.clone(), true),
        (site.replace("\ndemo_mark", "\n# demo_mark"), false),
    ] {
        std::fs::write(home.path().join("config/site.toml"), site).unwrap();
        let output = run(&["--home", &path, "check"]);
        let told = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), is_sound, "{told}");
        assert_eq!(told.contains("YB-1376"), !is_sound, "{told}");
    }
}
