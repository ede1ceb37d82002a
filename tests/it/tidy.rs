//! The house keeps its floors: a room imports only lower floors, and rooms on one floor do not know each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const FLOORS: &[(&str, u8)] = &[
    ("calendar", 1),
    ("secret", 1),
    ("domain", 2),
    ("adapter", 3),
    ("store", 3),
    ("courier", 3),
    ("render", 3),
    ("intake", 4),
    ("config", 4),
    ("demo", 4),
    ("tasks", 5),
    ("daemon", 6),
    ("cli", 8),
];

/// Rooms that take values and return values.
const PURE: &[&str] = &["calendar", "domain", "adapter", "render"];

/// What a pure room must not name.
const WORLD: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "SystemTime",
    "Instant::now",
    "tokio::",
    "tracing::",
    "sled::",
];

/// Codes that two readers of files share, word for word or nearly, and the files that write them. No new line belongs here: a
/// code that a second file needs is a constant with its meaning beside it.
const SAID_TWICE: &[(&str, &[&str])] = &[
    (
        "YB-2061",
        &["intake/sniff/opening.rs", "intake/decode/container.rs"],
    ),
    (
        "YB-2062",
        &["intake/sniff/opening.rs", "intake/decode/container.rs"],
    ),
    (
        "YB-2063",
        &["intake/sniff/opening.rs", "intake/decode/container.rs"],
    ),
    ("YB-2073", &["intake/sniff/opening.rs", "intake/decode.rs"]),
    ("YB-2101", &["intake/sniff.rs", "intake/decode/likeness.rs"]),
    (
        "YB-2102",
        &["intake/decode/likeness.rs", "intake/decode/fixed.rs"],
    ),
    (
        "YB-2104",
        &["intake/decode/charset.rs", "intake/decode/spreadsheet.rs"],
    ),
    (
        "YB-2115",
        &["intake/decode/xml.rs", "intake/decode/page.rs"],
    ),
    (
        "YB-2123",
        &[
            "intake/decode/csv.rs",
            "intake/decode/fixed.rs",
            "intake/decode/table.rs",
        ],
    ),
    (
        "YB-2151",
        &["intake/decode/fixed.rs", "intake/decode/table.rs"],
    ),
    (
        "YB-2152",
        &[
            "intake/decode/records.rs",
            "intake/decode/fixed.rs",
            "intake/decode/table.rs",
        ],
    ),
    (
        "YB-2154",
        &[
            "intake/decode/xml.rs",
            "intake/decode/json.rs",
            "intake/decode/json/record.rs",
        ],
    ),
    ("YB-2203", &["adapter/cell.rs", "adapter/mapping.rs"]),
    ("YB-2212", &["adapter/cell.rs", "adapter/mapping.rs"]),
    ("YB-7206", &["tasks/mod.rs", "tasks/pull.rs"]),
];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("src can be read")
        .map(|entry| entry.expect("entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    files
        .into_iter()
        .filter_map(|path| {
            let room = path
                .strip_prefix(&root)
                .ok()?
                .components()
                .next()?
                .as_os_str()
                .to_str()?
                .to_owned();
            let text = fs::read_to_string(&path).ok()?;
            (!room.ends_with(".rs")).then_some((room, path, text))
        })
        .collect()
}

fn floor(room: &str) -> u8 {
    FLOORS
        .iter()
        .find(|(name, _)| *name == room)
        .unwrap_or_else(|| panic!("room {room} has no floor"))
        .1
}

/// Code without comments and without the unit tests at its end.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]").next().unwrap_or_default();
    body.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn rooms_import_only_lower_floors() {
    let mut faults = Vec::new();
    for (room, path, text) in sources() {
        for piece in code(&text).split("crate::").skip(1) {
            let other: String = piece
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            if other == room || !FLOORS.iter().any(|(name, _)| *name == other) {
                continue;
            }
            if floor(&other) >= floor(&room) {
                faults.push(format!(
                    "{}: {room} must not import {other}",
                    path.display()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn pure_rooms_do_not_touch_the_world() {
    let mut faults = Vec::new();
    for (room, path, text) in sources()
        .into_iter()
        .filter(|(room, ..)| PURE.contains(&room.as_str()))
    {
        let body = code(&text);
        for word in WORLD {
            if body.contains(word) {
                faults.push(format!(
                    "{}: {room} is pure and must not name {word}",
                    path.display()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn only_the_engine_names_sled_and_only_the_clock_reads_the_time() {
    let mut faults = Vec::new();
    for (_, path, text) in sources() {
        let body = code(&text);
        if body.contains("sled::") && !path.ends_with("store/engine.rs") {
            faults.push(format!("{}: names sled", path.display()));
        }
        if (body.contains("Timestamp::now") || body.contains("SystemTime::now"))
            && !path.ends_with("daemon/clock.rs")
        {
            faults.push(format!("{}: reads the clock", path.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_unfinished_is_left() {
    for (_, path, text) in sources() {
        for word in ["todo!(", "unimplemented!(", "dbg!(", "FIXME", "XXX "] {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}

/// The codes that are written in a text, with what stands around them.
fn codes(text: &str) -> Vec<&str> {
    text.match_indices("YB-")
        .filter_map(|(place, _)| text.get(place..place + 7))
        .filter(|code| code[3..].bytes().all(|byte| byte.is_ascii_digit()))
        .collect()
}

/// An operator looks a code up, a colleague counts it, a program waits for it: it must mean one thing. What has one meaning is
/// written in one file; where another file needs it, it takes the constant or the function.
#[test]
fn a_code_is_written_in_one_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut writers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, path, text) in sources() {
        let name = path.strip_prefix(&root).expect("below src");
        let name = name.to_string_lossy().into_owned();
        // Tests of a room may wait for any of its codes.
        if name.ends_with("/tests.rs") || name.contains("/tests/") {
            continue;
        }
        for code in codes(&code(&text)) {
            writers
                .entry(code.to_owned())
                .or_default()
                .insert(name.clone());
        }
    }
    assert!(writers.len() > 300, "only {} codes seen", writers.len());
    let mut faults = Vec::new();
    for (code, files) in &writers {
        let known = SAID_TWICE.iter().find(|(known, _)| known == code);
        let is_allowed =
            |file: &String| known.is_some_and(|(_, known)| known.contains(&file.as_str()));
        if files.len() > 1 && !files.iter().all(is_allowed) {
            faults.push(format!("{code} is written in {files:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
