//! A home with faults: `check` names each with file, line, column, key and remedy, all at once; `serve` refuses with the same text.

use std::fs;

use crate::program::{home, out, run};

#[test]
fn the_shipped_home_and_this_repository_are_without_fault() {
    let home = home();
    let told = out(
        &["check", "--home", &home.path().to_string_lossy(), "--json"],
        0,
    );
    let document: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(document["faults"].as_array().unwrap().len(), 0);
    out(
        &["check", "--home", &crate::program::root().to_string_lossy()],
        0,
    );
}

#[test]
fn every_fault_of_every_file_is_named_at_once_and_serve_says_the_same() {
    let home = home();
    let spoil = |file: &str, from: &str, to: &str| {
        let path = home.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    spoil("config/ladder.toml", "[checking]", "[cheking]");
    spoil(
        "config/ladder.toml",
        "n = 15, unit = \"calendar_days\"",
        "n = \"fifteen\", unit = \"calendar_days\"",
    );
    spoil("adapters/tax.toml", "record", "recrd");
    spoil("schedules/review.toml", "\ncron", "\ncorn");
    spoil("config/units.toml", "\nname", "\nnmae");
    fs::write(
        home.path().join("schedules/broken.toml"),
        "task = \"review\n",
    )
    .unwrap();
    let path = home.path().to_string_lossy().into_owned();
    let told = out(&["check", "--home", &path, "--json"], 2);
    let document: serde_json::Value = serde_json::from_str(&told).unwrap();
    let faults = document["faults"].as_array().unwrap();
    for (file, key) in [
        ("config/ladder.toml", "cheking"),
        ("config/ladder.toml", "notice.answer.n"),
        ("adapters/tax.toml", "recrd"),
        ("schedules/review.toml", "corn"),
        ("config/units.toml", "nmae"),
        ("schedules/broken.toml", ""),
    ] {
        let fault = faults
            .iter()
            .find(|fault| fault["file"] == file && fault["key"].as_str().unwrap().contains(key))
            .unwrap_or_else(|| panic!("{file} {key}: {told}"));
        assert!(
            fault["line"].as_u64().unwrap() > 0 && fault["column"].as_u64().unwrap() > 0,
            "{fault}"
        );
        assert!(fault["text"].as_str().unwrap().contains("处理"), "{fault}");
    }
    let checked = run(&["check", "--home", &path]);
    let served = run(&["serve", "--home", &path]);
    assert_eq!(
        (checked.status.code(), served.status.code()),
        (Some(2), Some(2))
    );
    assert_eq!(
        String::from_utf8_lossy(&checked.stderr),
        String::from_utf8_lossy(&served.stderr)
    );
}

#[test]
fn what_travels_in_the_clear_is_warned_of_and_nothing_more() {
    let home = home();
    fs::write(
        home.path().join("config/site.toml"),
        "[endpoints.tax]\nurl = \"http://tax.example\"\n\n\
         [endpoints.lake]\nftp = { host = \"10.0.0.8\", user = \"u\", password_file = \"p\", plain = true }\n",
    )
    .unwrap();
    let path = home.path().to_string_lossy().into_owned();
    let told = out(&["check", "--home", &path, "--json"], 0);
    let document: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(document["faults"].as_array().unwrap().len(), 0);
    let warnings: Vec<_> = document["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| {
            (
                warning["code"].as_str().unwrap(),
                warning["file"].as_str().unwrap(),
                warning["line"].as_u64().unwrap(),
            )
        })
        .collect();
    let site = "config/site.toml";
    assert_eq!(
        warnings,
        [("YB-1391", site, 5), ("YB-1390", site, 2)],
        "{told}"
    );
    let checked = run(&["check", "--home", &path]);
    assert_eq!(checked.status.code(), Some(0));
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert_eq!(said.matches("警告 [YB-139").count(), 2, "{said}");
}
