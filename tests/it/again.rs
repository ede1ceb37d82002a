//! The same file again: told, journaled, and the index left closed.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;

use crate::program::{out, root, tree};
use crate::snapshot::{Snapshot, Traffic};

const ROWS: u32 = 120;

struct Office {
    folder: tempfile::TempDir,
}

impl Office {
    /// The benchmark's home, a state of its own.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in tree(&root().join("tests/bench/home"), &|_| false) {
            let path = folder.path().join("home").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn yingbao(&self, words: &[&str]) -> String {
        let (home, state) = (self.path("home"), self.path("state"));
        let mut all = vec!["--home", home.to_str().unwrap()];
        all.extend(["--state", state.to_str().unwrap()]);
        all.extend_from_slice(words);
        out(&all, 0)
    }

    fn pull(&self, file: &str, more: &[&str]) -> Value {
        let file = self.path(file);
        let words = [
            "pull",
            "bench-csv",
            "--json",
            "--file",
            file.to_str().unwrap(),
        ];
        let told = self.yingbao(&[&words, more].concat());
        let mut told: Value = serde_json::from_str(&told).expect("one document");
        told.as_object_mut().unwrap().remove("seconds").unwrap();
        told
    }

    /// Pulls it; whether the index was opened for that.
    fn opens(&self, file: &str) -> (Value, bool) {
        let before = self.written("state/index");
        let told = self.pull(file, &[]);
        (told, self.written("state/index") != before)
    }

    /// Names, lengths and times of the files of a folder.
    fn written(&self, folder: &str) -> Vec<(PathBuf, u64, SystemTime)> {
        let mut found: Vec<_> = std::fs::read_dir(self.path(folder))
            .unwrap()
            .map(|item| {
                let path = item.unwrap().path();
                let about = std::fs::metadata(&path).unwrap();
                (path, about.len(), about.modified().unwrap())
            })
            .collect();
        found.sort();
        found
    }

    fn entries(&self) -> usize {
        let journal = std::fs::read_to_string(self.path("state/journal/journal.log")).unwrap();
        journal.lines().count()
    }

    /// So that the next pull does not know it.
    fn forget(&self) {
        std::fs::remove_dir_all(self.path("state/known")).unwrap();
    }
}

fn two_days(office: &Office) {
    let first = Snapshot::first(ROWS);
    let (second, _) = first.next(Traffic {
        changed: 5,
        new: 1,
        removed: 1,
        moved: 3,
    });
    first.csv(&office.path("1.csv"), false).unwrap();
    second.csv(&office.path("2.csv"), false).unwrap();
}

#[test]
fn the_short_way_tells_what_the_long_way_tells() {
    let office = Office::new();
    two_days(&office);
    assert_eq!(office.pull("1.csv", &[])["verdict"], "accepted");
    let entries = office.entries();
    let (short, opened) = office.opens("1.csv");
    assert!(!opened, "the index was opened");
    assert_eq!(short["verdict"], "seen_before");
    assert_eq!(office.entries(), entries + 1);
    office.forget();
    let (long, opened) = office.opens("1.csv");
    assert!(opened);
    assert_eq!(short, long);
    assert_eq!(office.entries(), entries + 2);
    let journal = std::fs::read_to_string(office.path("state/journal/journal.log")).unwrap();
    let said: Vec<Value> = journal
        .lines()
        .rev()
        .take(2)
        .map(|line| serde_json::from_str::<Value>(&line[65..]).unwrap()["events"].clone())
        .collect();
    assert_eq!(said[0], said[1]);

    let words = ["pull", "bench-csv", "--file"];
    let file = office.path("1.csv");
    let words = [&words[..], &[file.to_str().unwrap()]].concat();
    let lines = |told: String| -> Vec<String> {
        let untimed = told.lines().filter(|line| !line.contains("用时"));
        untimed.map(str::to_owned).collect()
    };
    let short = lines(office.yingbao(&words));
    office.forget();
    assert_eq!(short, lines(office.yingbao(&words)));

    // What the index was not told, it finds in the journal.
    let (_, opened) = office.opens("1.csv");
    assert!(!opened);
    let listed = office.yingbao(&["batch", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).expect("one batch");
    assert_eq!(listed["batch"], long["batch"]);
    let told = office.pull("2.csv", &[]);
    assert_eq!((&told["new"], &told["changed"]), (&1.into(), &5.into()));
}

#[test]
fn what_is_not_the_last_file_word_for_word_goes_the_long_way() {
    let office = Office::new();
    two_days(&office);
    office.pull("1.csv", &[]);
    let entries = office.entries();
    let told = office.pull("1.csv", &["--dry-run"]);
    assert_eq!(
        (&told["verdict"], office.entries()),
        (&"seen_before".into(), entries)
    );

    // An older file, then that one once more.
    let second = office.pull("2.csv", &[]);
    assert_ne!(second["verdict"], "seen_before");
    for opens in [true, false] {
        let (told, opened) = office.opens("1.csv");
        assert_eq!((&told["verdict"], opened), (&"seen_before".into(), opens));
    }

    // The same length, other bytes.
    let mut bytes = std::fs::read(office.path("1.csv")).unwrap();
    let at = bytes.iter().rposition(u8::is_ascii_digit).unwrap();
    bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
    std::fs::write(office.path("3.csv"), bytes).unwrap();
    let (told, opened) = office.opens("3.csv");
    assert!(opened && told["verdict"] != "seen_before", "{told}");

    // A changed adapter, another command in between, a withdrawal.
    office.pull("2.csv", &[]);
    let adapter = office.path("home/adapters/bench-csv.toml");
    let text = std::fs::read_to_string(&adapter).unwrap();
    std::fs::write(&adapter, format!("# changed\n{text}")).unwrap();
    for opens in [true, false] {
        let (told, opened) = office.opens("2.csv");
        assert_eq!((&told["verdict"], opened), (&"seen_before".into(), opens));
    }
    office.yingbao(&["run", "escalate"]);
    assert!(
        !office.opens("2.csv").1,
        "a run of a task is no news of a source"
    );
    let batch = second["batch"].as_str().unwrap();
    office.yingbao(&[
        "batch",
        "withdraw",
        batch,
        "--by",
        "张三",
        "--reason",
        "导出范围有误",
    ]);
    let (told, opened) = office.opens("2.csv");
    assert!(opened && told["verdict"] != "seen_before", "{told}");
}

#[test]
fn a_file_that_is_given_is_taken_and_a_sheet_that_is_gone_is_made_again() {
    let office = Office::new();
    two_days(&office);
    let text = std::fs::read_to_string(office.path("1.csv")).unwrap();
    let (head, rest) = text.split_once('\n').unwrap();
    let wrong = rest.lines().next().unwrap().replacen('9', "X", 1);
    std::fs::write(office.path("1.csv"), format!("{head}\n{rest}{wrong}\n")).unwrap();
    let told = office.pull("1.csv", &[]);
    assert_eq!(told["set_aside"], 1, "{told}");
    let sheets = || {
        tree(&office.path("state/out"), &|name| {
            name.contains('.') && !name.ends_with(".xlsx")
        })
    };
    let made = sheets();
    assert_eq!(made.len(), 1);
    assert!(!office.opens("1.csv").1);
    for name in made.keys() {
        std::fs::remove_file(office.path("state/out").join(Path::new(name))).unwrap();
    }
    assert!(office.opens("1.csv").1, "a sheet is due");
    assert_eq!(sheets().len(), 1);
    assert!(!office.opens("1.csv").1);
    let told = office.pull("1.csv", &["--move"]);
    assert_eq!(told["verdict"], "seen_before");
    assert!(!office.path("1.csv").exists());
}
