//! A drop folder that is emptied as it is read, through the real binary: what is taken is moved only once the journal says so.

use std::fs;

use crate::program::{home, root, run};

#[test]
fn a_file_is_moved_aside_after_its_batch_whatever_the_verdict() {
    let home = home();
    let path = home.path().to_string_lossy().into_owned();
    let adapter = home.path().join("adapters/insured-roll.toml");
    let text = fs::read_to_string(&adapter).unwrap();
    let text = text.replace(
        "[transport.folder]",
        "[transport.folder]\ndone = \"done\"\nsettle_ms = 10",
    );
    fs::write(&adapter, text).unwrap();
    let inbox = home.path().join("inbox/insured-roll");
    fs::create_dir_all(&inbox).unwrap();
    let sample = root().join("tests/golden/adapters/insured-roll/dirty/input-cbdj_20260302.xlsx");
    let sample_bytes = fs::read(sample).unwrap();
    let put = |name: &str, bytes: &[u8]| {
        fs::write(inbox.join(name), bytes).unwrap();
        fs::write(inbox.join(format!("{name}.ok")), "").unwrap();
    };
    let pull = |words: &[&str]| {
        let mut all = vec!["--home", &path, "pull", "insured-roll", "--json"];
        all.extend_from_slice(words);
        run(&all)
    };
    let verdict = |words: &[&str]| {
        let output = pull(words);
        let told: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        told["verdict"].as_str().unwrap().to_owned()
    };
    let files = |below: &str| {
        let mut names: Vec<_> = fs::read_dir(inbox.join(below))
            .map(|entries| {
                entries
                    .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                    .collect()
            })
            .unwrap_or_default();
        names.sort();
        names
    };
    let name = "cbdj_20260302.xlsx";
    put(name, &sample_bytes);
    assert_eq!(verdict(&["--dry-run"]), "quarantined");
    assert_eq!(files("").len(), 2, "a dry run moves nothing");
    assert_eq!(verdict(&[]), "quarantined");
    assert_eq!(files(""), ["done"]);
    assert_eq!(files("done"), [name.to_owned(), format!("{name}.ok")]);
    // The same content under another name is journaled once, moved, and does not hold up what comes after it.
    put("cbdj_20260303.xlsx", &sample_bytes);
    put("cbdj_20260304.xlsx", b"no workbook");
    assert_eq!(verdict(&[]), "seen_before");
    assert_eq!(verdict(&[]), "refused");
    assert_eq!(files(""), ["done"]);
    assert_eq!(pull(&[]).status.code(), Some(3), "nothing there");
}

#[test]
fn a_withdrawn_file_that_lies_there_again_is_not_taken_in_by_itself() {
    let home = home();
    let path = home.path().to_string_lossy().into_owned();
    let inbox = home.path().join("inbox/insured-roll");
    fs::create_dir_all(&inbox).unwrap();
    let sample = root().join("tests/golden/adapters/insured-roll/usual/before-cbdj_20260302.xlsx");
    let put = |name: &str| {
        fs::copy(&sample, inbox.join(name)).unwrap();
        fs::write(inbox.join(format!("{name}.ok")), "").unwrap();
    };
    let told = |words: &[&str]| -> serde_json::Value {
        let mut all = vec!["--home", &path, "--json"];
        all.extend_from_slice(words);
        let output = run(&all);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    };
    let by = ["--by", "张示例", "--reason", "导出范围有误"];
    put("cbdj_20260302.xlsx");
    let first = told(&["pull", "insured-roll"]);
    let batch = first["batch"].as_str().unwrap();
    if first["verdict"] == "quarantined" {
        told(&[&["batch", "release", batch][..], &by].concat());
    }
    let withdrawn = told(&[&["batch", "withdraw", batch][..], &by].concat());
    assert_eq!(withdrawn["head"], serde_json::Value::Null);
    assert!(withdrawn["restored"]["forgotten"].as_u64().unwrap() > 0);
    put("cbdj_20260303.xlsx");
    let again = told(&["pull", "insured-roll"]);
    assert_eq!(again["verdict"], "seen_before");
    assert!(again["reasons"].to_string().contains("YB-3130"), "{again}");
    let file = inbox.join("cbdj_20260303.xlsx");
    let file = file.to_string_lossy().into_owned();
    let brought = told(&["pull", "insured-roll", "--file", &file]);
    assert_eq!(brought["new"], withdrawn["restored"]["forgotten"]);
    assert_ne!(brought["verdict"], "seen_before");
}
