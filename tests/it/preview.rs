//! A preview shows everything that a pull would find, and leaves nothing behind.

use serde_json::Value;

use crate::program::{home, out, root};

fn sample(path: &str) -> String {
    let path = root().join("tests/golden/adapters").join(path);
    path.to_string_lossy().into_owned()
}

#[test]
fn the_first_line_counts_and_the_others_show() {
    let home = home();
    let path = home.path().to_string_lossy().into_owned();
    for (adapter, file, code) in [
        ("tax", "tax/dirty/input-202601.csv", 1),
        (
            "insured-roll",
            "insured-roll/usual/input-cbdj_20260316.xlsx",
            0,
        ),
        (
            "insured-roll",
            "insured-roll/cut/input-cbdj_20260316.xlsx",
            1,
        ),
    ] {
        let file = sample(file);
        let told = out(
            &["--home", &path, "preview", adapter, &file, "--json"],
            code,
        );
        let lines: Vec<Value> = told
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let mut keys: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(
            keys,
            [
                "charset", "issues", "reasons", "records", "rows", "seconds", "verdict"
            ]
        );
        assert!(lines[0]["seconds"]["read"].as_f64().is_some());
        let count =
            |kind: &str| lines.iter().filter(|line| line.get(kind).is_some()).count() as u64;
        assert_eq!(lines[0]["records"], count("record"), "{file}");
        assert_eq!(lines[0]["issues"], count("issue"), "{file}");
    }
    let listed = out(&["--home", &path, "batch", "list", "--json"], 0);
    assert_eq!(listed, "", "nothing is stored");
    assert!(!home.path().join("state/out").exists());
}

#[test]
fn people_read_it_in_their_own_words() {
    let home = home();
    let path = home.path().to_string_lossy().into_owned();
    let file = sample("tax/dirty/input-202601.csv");
    let told = out(&["--home", &path, "preview", "tax", &file], 1);
    for word in [
        "已隔离待处理：15行，12条记录，退回3行，3个问题",
        "数据日期 2026年2月15日　编码 gb18030",
        "[YB-3113]",
        "新增12、变更0",
        "营业收入",
        "营业收入 2651713.00元",
        "[YB-2201] 纳税人识别号：2个",
        "第16行 纳税人识别号",
    ] {
        assert!(told.contains(word), "{word}\n{told}");
    }
    // The demo's phone numbers begin so.
    assert!(!told.contains("1990"), "{told}");
    let file = sample("insured-roll/cut/input-cbdj_20260316.xlsx");
    let told = out(&["--home", &path, "preview", "insured-roll", &file], 1);
    assert!(
        told.starts_with("拒收：0行") && told.contains("处理："),
        "{told}"
    );
}
