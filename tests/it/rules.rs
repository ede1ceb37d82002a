//! Size classes and identifiers at the command line: filters, and what a changed table would change.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use crate::program::{home, out, root, run, yingbao};

/// What a filter answers.
fn filter(words: &[&str], input: &[u8]) -> String {
    let mut child = yingbao(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn one_line_in_is_one_line_out_however_long_it_is() {
    let long = "9".repeat(200_000);
    let input = format!("91411303MA49U85BX9\r\n{long}\n\n91411303MA49U85BX8");
    let told = filter(&["code", "check"], input.as_bytes());
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(lines[0], "91411303MA49U85BX9\tcredit_code\tvalid");
    assert!(lines[1].ends_with("\topaque\tbad_form"));
    assert_eq!(lines[2], "\topaque\tbad_form");
    assert!(lines[3].starts_with("91411303MA49U85BX8\tcredit_code\tbad_check\t?"));
    for (line, input) in filter(&["--json", "code", "check"], input.as_bytes())
        .lines()
        .zip(input.lines())
    {
        let document: serde_json::Value = serde_json::from_str(line).unwrap();
        let answered = document["input"].as_str().unwrap();
        assert!(input.starts_with(answered), "{answered}");
    }
}

#[test]
fn a_changed_table_shows_whom_it_would_touch_and_changes_nothing() {
    let home = home();
    let path = home.path().to_string_lossy().into_owned();
    let sample = root().join("tests/golden/adapters/market-regulation/usual");
    let file = fs::read_dir(sample)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with("input-")
        })
        .expect("an input");
    let file = file.to_string_lossy().into_owned();
    out(
        &[
            "--home",
            &path,
            "pull",
            "market-regulation",
            "--file",
            &file,
            "--json",
        ],
        0,
    );
    let proposed = home.path().join("proposed");
    fs::create_dir(&proposed).unwrap();
    let folder = proposed.to_string_lossy().into_owned();
    let compare = ["--home", &path, "classify", "--compare", &folder];
    let json = [&compare[..], &["--json"]].concat();

    // An empty folder is a mistake, not “nothing would change”.
    let nothing = run(&compare);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("YB-1222"));

    // The same table touches nobody.
    let table = fs::read_to_string(home.path().join("config/rules/size-2017.toml")).unwrap();
    fs::write(proposed.join("size-2017.toml"), &table).unwrap();
    let same = out(&json, 0);
    let same: serde_json::Value = serde_json::from_str(&same).unwrap();
    let firms = same["summary"]["enterprises"].as_u64().unwrap();
    assert!(firms > 0);
    assert_eq!(same["summary"]["class_changed"], 0);

    // Bounds a hundred times as high: what was medium is micro.
    let mut higher: toml::Table = table.parse().unwrap();
    for row in higher["row"].as_array_mut().unwrap() {
        for (name, bounds) in row.as_table_mut().unwrap() {
            if let ("employees" | "revenue_wan" | "assets_wan", Some(bounds)) =
                (name.as_str(), bounds.as_array_mut())
            {
                for bound in bounds {
                    *bound = toml::Value::Integer(bound.as_integer().unwrap() * 100);
                }
            }
        }
    }
    fs::write(proposed.join("size-2017.toml"), higher.to_string()).unwrap();
    let told = out(&json, 0);
    let mut lines: Vec<serde_json::Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let summary = lines.pop().unwrap();
    assert_eq!(summary["summary"]["enterprises"], firms);
    let changed = lines
        .iter()
        .filter(|line| line["class"][0] != line["class"][1])
        .count();
    assert!(changed > 0);
    assert_eq!(summary["summary"]["class_changed"], changed);
    assert!(
        lines
            .iter()
            .all(|line| { line["class"][0] == line["class"][1] || line["class"][1] == "micro" })
    );
    let told = out(&compare, 0);
    assert!(told.contains("划型：中型→微型　新纳入专项范围"), "{told}");
    assert!(told.contains("以上为试算，未作任何改动"));
    // Liable only after so many years: whoever was asked about staff is in its time of grace.
    let liability = fs::read_to_string(home.path().join("config/rules/liability.toml")).unwrap();
    fs::remove_file(proposed.join("size-2017.toml")).unwrap();
    fs::write(
        proposed.join("liability.toml"),
        liability.replace("days = 30", "days = 100_000"),
    )
    .unwrap();
    let told = out(&json, 0);
    let later: Vec<serde_json::Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["standing"][1] == "grace")
        .collect();
    assert!(!later.is_empty(), "{told}");
    assert!(
        later
            .iter()
            .all(|line| line["class"][0] == line["class"][1])
    );
    // One that contradicts itself is none.
    fs::write(
        proposed.join("liability.toml"),
        liability.replacen("2023-11-30", "2023-11-29", 1),
    )
    .unwrap();
    let gap = run(&compare);
    assert_eq!(gap.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&gap.stderr).contains("YB-1223"));
    fs::remove_file(proposed.join("liability.toml")).unwrap();
    // What is in force stays in force.
    assert_eq!(
        fs::read_to_string(home.path().join("config/rules/size-2017.toml")).unwrap(),
        table
    );

    // A table with a fault is refused with its place.
    fs::write(
        proposed.join("size-2017.toml"),
        table.replace("own_property", "own_propertie"),
    )
    .unwrap();
    let faulty = run(&compare);
    assert_eq!(faulty.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&faulty.stderr).contains("size-2017.toml:"));
}
