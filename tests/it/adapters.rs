//! One sample export per shipped adapter, with the records, issues and verdict it must give. `YINGBAO_RENEW=1` makes samples
//! (of a very small, very dirty city) and expectations anew; the difference is then reviewed.

use std::path::PathBuf;

use jiff::civil::date;
use yingbao::calendar::Calendar;
use yingbao::demo::city::City;
use yingbao::demo::departments::{market, roll, tax, transport};
use yingbao::demo::options::{Dirt, Options};
use yingbao::domain::record::Month;

use crate::program::{home, root, run};

const SAMPLES: &[(&str, &str)] = &[
    ("market-regulation", "scjg_20260302.zip"),
    ("tax", "202601.csv"),
    ("transport", "licences.jsonl"),
    ("insured-roll", "cbdj_20260302.xlsx"),
];

fn folder(adapter: &str) -> PathBuf {
    root().join("tests/golden/adapters").join(adapter)
}

#[allow(clippy::disallowed_methods, reason = "the one switch of the goldens")]
fn renewing() -> bool {
    std::env::var("YINGBAO_RENEW").is_ok_and(|value| value == "1")
}

fn make_samples() {
    let options = Options {
        enterprises: 16,
        seed: 3,
        start: date(2026, 3, 2),
        days: 30,
        dirt: Dirt::Heavy,
    };
    let mut city = City::new(options);
    city.advance(date(2026, 3, 2), &Calendar::default(), &[]);
    let day = city.today();
    // Licences are rare: a larger city shows some of each kind.
    let mut larger = City::new(Options {
        enterprises: 300,
        ..city.options().clone()
    });
    larger.advance(day, &Calendar::default(), &[]);
    let licences = transport::rows(&larger, day);
    let page = format!(
        "{{\"code\":\"200\",\"msg\":\"ok\",\"data\":{{\"total\":\"{}\",\"list\":[{}]}}}}\n",
        licences.len(),
        licences.join(",")
    );
    let files: [(&str, Vec<u8>); 4] = [
        ("market-regulation", market::archive(&city, day).unwrap()),
        (
            "tax",
            tax::file(
                &city,
                Month {
                    year: 2026,
                    month: 1,
                },
            ),
        ),
        ("transport", page.into_bytes()),
        ("insured-roll", roll::workbook(&city, day, false).unwrap()),
    ];
    for ((adapter, bytes), (_, name)) in files.into_iter().zip(SAMPLES) {
        std::fs::create_dir_all(folder(adapter)).unwrap();
        std::fs::write(folder(adapter).join(name), bytes).unwrap();
    }
}

#[test]
fn every_adapter_reads_its_sample_as_expected() {
    if renewing() {
        make_samples();
    }
    let home = home();
    let home_path = home.path().to_string_lossy().into_owned();
    for (adapter, name) in SAMPLES {
        let sample = folder(adapter).join(name);
        let output = run(&[
            "--home",
            &home_path,
            "preview",
            adapter,
            &sample.to_string_lossy(),
            "--json",
        ]);
        let text = String::from_utf8(output.stdout).unwrap();
        // The first line carries seconds, which no golden can.
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut head: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        head.as_object_mut().unwrap().remove("seconds");
        lines[0] = head.to_string();
        let told = lines.join("\n") + "\n";
        let expected = folder(adapter).join("expected.jsonl");
        if renewing() {
            std::fs::write(&expected, &told).unwrap();
        }
        assert_eq!(
            told,
            std::fs::read_to_string(&expected).unwrap(),
            "{adapter}"
        );
        assert!(
            told.contains("{\"record\":"),
            "{adapter}: a sample shows records"
        );
        let is_clean = *adapter == "transport";
        assert!(
            is_clean || told.contains("{\"issue\":"),
            "{adapter}: and issues"
        );
    }
}

#[test]
fn a_sample_cut_or_of_another_format_is_refused() {
    let home = home();
    let home_path = home.path().to_string_lossy().into_owned();
    let refused = |adapter: &str, bytes: &[u8]| {
        let file = home.path().join("bad");
        std::fs::write(&file, bytes).unwrap();
        let output = run(&[
            "--home",
            &home_path,
            "preview",
            adapter,
            &file.to_string_lossy(),
            "--json",
        ]);
        assert_eq!(output.status.code(), Some(1), "{adapter}");
        let text = String::from_utf8(output.stdout).unwrap();
        let head: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(head["verdict"], "refused", "{adapter}: {head}");
        assert!(
            head["reasons"][0]["text"]
                .as_str()
                .unwrap()
                .contains("处理"),
            "{head}"
        );
    };
    for (adapter, name) in SAMPLES {
        let whole = std::fs::read(folder(adapter).join(name)).unwrap();
        if *adapter != "tax" {
            refused(adapter, &whole[..whole.len() / 2]);
        }
        refused(adapter, b"");
        refused(adapter, "<html><body>系统维护中</body></html>".as_bytes());
        refused(adapter, &[0xFF, 0xFE, 0x31, 0x00, 0x0A, 0x00]);
    }
    refused(
        "tax",
        &std::fs::read(folder("insured-roll").join("cbdj_20260302.xlsx")).unwrap(),
    );
    refused(
        "insured-roll",
        &std::fs::read(folder("tax").join("202601.csv")).unwrap(),
    );
}
