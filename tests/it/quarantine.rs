//! A roll that the guard holds: nothing of it counts until a named person lets it in, with a reason that stays.

use crate::program::{home, out, root, run};

#[test]
fn a_held_batch_waits_for_a_name_and_a_reason() {
    let home = home();
    let path = home.path().to_string_lossy().into_owned();
    let sample = root().join("tests/golden/adapters/insured-roll/dirty/input-cbdj_20260302.xlsx");
    let sample = sample.to_string_lossy().into_owned();
    let told = out(
        &[
            "--home",
            &path,
            "pull",
            "insured-roll",
            "--file",
            &sample,
            "--json",
        ],
        1,
    );
    let pulled: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(pulled["verdict"], "quarantined");
    assert_eq!(pulled["new"], 0);
    let batch = pulled["batch"].as_str().unwrap();
    // Nothing of it is known: no changes, no enterprise, and status says what is held.
    assert_eq!(
        out(
            &[
                "--home",
                &path,
                "changes",
                "--adapter",
                "insured-roll",
                "--json"
            ],
            0
        ),
        ""
    );
    assert!(out(&["--home", &path, "status"], 1).contains("已隔离待处理"));
    // The same file again is no news and does not get in by repetition.
    let again = out(
        &[
            "--home",
            &path,
            "pull",
            "insured-roll",
            "--file",
            &sample,
            "--json",
        ],
        0,
    );
    assert!(again.contains("seen_before"), "{again}");
    for (by, reason) in [("", "已核对"), ("张示例", " ")] {
        let refused = run(&[
            "--home", &path, "batch", "release", batch, "--by", by, "--reason", reason,
        ]);
        assert_eq!(refused.status.code(), Some(2));
    }
    let released = [
        "--home",
        &path,
        "batch",
        "release",
        batch,
        "--by",
        "张示例",
        "--reason",
        "已与来源部门核对",
        "--json",
    ];
    let told: serde_json::Value = serde_json::from_str(&out(&released, 0)).unwrap();
    assert_eq!(told["verdict"], "accepted_with_warnings");
    assert!(told["new"].as_u64().unwrap() > 0);
    let listed = out(&["--home", &path, "batch", "list", "--json"], 0);
    assert!(
        listed.contains("张示例") && listed.contains("已与来源部门核对"),
        "{listed}"
    );
    let changes = out(
        &[
            "--home",
            &path,
            "changes",
            "--adapter",
            "insured-roll",
            "--json",
        ],
        0,
    );
    assert_eq!(
        changes.lines().count() as u64,
        told["new"].as_u64().unwrap()
    );
    // Released once is released.
    assert_eq!(run(&released).status.code(), Some(2));
    // Let in by mistake, it is taken back: nothing of it is known any longer, and the same file is judged anew.
    let withdraw = |id: &str, by: &str, reason: &str| {
        run(&[
            "--home", &path, "batch", "withdraw", id, "--by", by, "--reason", reason, "--json",
        ])
    };
    for (id, by, reason, code) in [
        (batch, " ", "有误", 2),
        (batch, "张示例", "", 2),
        ("insured-roll-20260101-00000000", "张示例", "有误", 1),
    ] {
        let refused = withdraw(id, by, reason);
        assert_eq!(refused.status.code(), Some(code), "{id} {by} {reason}");
        assert!(refused.stdout.is_empty());
    }
    for again in [false, true] {
        let output = withdraw(batch, "张示例", "来源部门来函更正");
        assert_eq!(output.status.code(), Some(0));
        let withdrawn: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(withdrawn["again"], again);
        let forgotten = if again {
            0
        } else {
            told["new"].as_u64().unwrap()
        };
        assert_eq!(withdrawn["restored"]["forgotten"], forgotten);
        assert_eq!(withdrawn["corrections"], serde_json::Value::Null);
    }
    let shown = out(&["--home", &path, "batch", "show", batch], 0);
    assert!(
        shown.contains("已撤回") && shown.contains("来源部门来函更正"),
        "{shown}"
    );
    assert_eq!(run(&released).status.code(), Some(2), "nothing is held");
    let told = out(
        &[
            "--home",
            &path,
            "pull",
            "insured-roll",
            "--file",
            &sample,
            "--json",
        ],
        1,
    );
    let pulled: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(pulled["verdict"], "quarantined");
    assert_eq!(withdraw(batch, "张示例", "有误").status.code(), Some(2));
    // The notices' states are words of their own.
    out(
        &[
            "--home", &path, "notice", "list", "--in", "queued", "--json",
        ],
        0,
    );
    assert_eq!(
        run(&["--home", &path, "notice", "list", "--in", "lost"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn a_file_that_breaks_off_in_its_last_row_is_held() {
    let home = home();
    let path = home.path().to_string_lossy().into_owned();
    let sample = std::fs::read(root().join("tests/golden/adapters/tax/usual/input-202602.csv"))
        .expect("the sample");
    // The total row and a part of the last firm's row are gone; no guard of shares would see it.
    let total = encoding_rs::GB18030.encode("合计").0.into_owned();
    let end = sample
        .windows(total.len())
        .rposition(|piece| piece == total)
        .unwrap_or(sample.len());
    let cut = home.path().join("202603.csv");
    std::fs::write(&cut, &sample[..end.saturating_sub(40)]).unwrap();
    let told = out(
        &[
            "--home",
            &path,
            "preview",
            "tax",
            &cut.to_string_lossy(),
            "--json",
        ],
        1,
    );
    let head: serde_json::Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!(head["verdict"], "quarantined");
    assert!(head["reasons"].to_string().contains("YB-3127"), "{head}");
}
