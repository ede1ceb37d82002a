//! What was wrong in a delivery goes back to the department: a sheet for every batch that has something, none for one that has not.

use std::fs;
use std::path::Path;

use calamine::{Data, Reader, Xlsx, open_workbook};
use serde_json::Value;

use crate::program::{home, out, root, tree};

fn sample(path: &str) -> String {
    let path = root().join("tests/golden/adapters").join(path);
    path.to_string_lossy().into_owned()
}

/// Every cell of a workbook, sheet by sheet.
fn cells(path: &Path) -> Vec<(String, Vec<String>)> {
    let mut book: Xlsx<_> = open_workbook(path).unwrap();
    book.sheet_names()
        .into_iter()
        .map(|sheet| {
            let range = book.worksheet_range(&sheet).unwrap();
            let texts = range.cells().map(|(.., cell)| match cell {
                Data::String(text) => text.clone(),
                other => other.to_string(),
            });
            (sheet, texts.collect())
        })
        .collect()
}

fn outputs(home: &Path) -> Vec<String> {
    let out = home.join("state/out");
    if !out.exists() {
        return Vec::new();
    }
    tree(&out, &|_| false).into_keys().collect()
}

#[test]
fn a_held_and_a_refused_batch_leave_a_sheet_and_a_sound_one_does_not() {
    let home = home();
    let path = home.path().to_string_lossy().into_owned();
    let pull = |adapter: &str, file: &str, code: i32| -> Value {
        let file = sample(file);
        let words = ["--home", &path, "pull", adapter, "--file", &file, "--json"];
        serde_json::from_str(&out(&words, code)).unwrap()
    };
    pull("transport", "transport/usual/input-licences.jsonl", 0);
    assert_eq!(outputs(home.path()), Vec::<String>::new());
    let held = pull("tax", "tax/dirty/input-202601.csv", 1);
    let refused = pull(
        "insured-roll",
        "insured-roll/cut/input-cbdj_20260316.xlsx",
        1,
    );
    let made = outputs(home.path());
    assert_eq!(made.len(), 2, "{made:?}");
    for batch in [&held, &refused] {
        let batch = batch["batch"].as_str().unwrap();
        assert!(
            made.iter()
                .any(|file| file.ends_with(&format!("issues/{batch}.xlsx"))),
            "{made:?}"
        );
    }
    let batch = held["batch"].as_str().unwrap();
    let wanted = home.path().join("mine/问题.xlsx");
    let file = wanted.to_string_lossy().into_owned();
    let words = [
        "--home",
        &path,
        "batch",
        "show",
        batch,
        "--issues-xlsx",
        &file,
        "--json",
    ];
    let told: Value = serde_json::from_str(&out(&words, 0)).unwrap();
    assert_eq!(
        (&told["left_out"], told["issues"].as_u64() > Some(0)),
        (&0.into(), true)
    );
    // The same batch, the same bytes, wherever it is written.
    let handed = made.iter().find(|file| file.contains(batch)).unwrap();
    let handed = fs::read(home.path().join("state/out").join(handed)).unwrap();
    assert!(fs::read(&wanted).unwrap() == handed);
    let sheets = cells(&wanted);
    let names: Vec<&str> = sheets.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["整份文件的问题", "逐行问题"]);
    let all: Vec<&String> = sheets.iter().flat_map(|(_, cells)| cells).collect();
    let has = |word: &str| all.iter().any(|cell| cell.contains(word));
    for word in [
        "税务申报月度数据问题清单",
        "input-202601.csv",
        batch,
        "YB-3113",
        "YB-2203",
        "纳税人识别号",
        "全部列出",
    ] {
        assert!(has(word), "{word}: {all:?}");
    }
    // The demo's phone numbers begin so; how the centre lets a file in is not the department's business.
    assert!(!has("1990") && !has("batch release"), "{all:?}");
}
