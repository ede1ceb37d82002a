//! The house keeps its floors: a room imports only lower floors, and rooms on one floor do not know each other.

use std::fs;
use std::path::{Path, PathBuf};

const FLOORS: &[(&str, u8)] = &[
    ("calendar", 1),
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
