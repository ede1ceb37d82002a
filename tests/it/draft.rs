//! Drafts of adapters: of every format that the demo's departments deliver, what is drafted reads nearly all that the shipped
//! adapter reads; of anything else, a plain word why not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::civil::{Date, date};
use serde_json::Value;
use yingbao::calendar::Calendar;
use yingbao::demo::city::City;
use yingbao::demo::departments::{market, roll, tax, transport};
use yingbao::demo::options::{Dirt, Options};
use yingbao::domain::record::Month;

use crate::program::{home, out, run};

const DAY: Date = date(2026, 3, 2);
const ADAPTERS: [&str; 4] = ["market-regulation", "tax", "transport", "insured-roll"];

fn city(seed: u64) -> City {
    let mut city = City::new(Options {
        enterprises: 300,
        seed,
        start: DAY,
        days: 30,
        dirt: Dirt::Default,
    });
    city.advance(DAY, &Calendar::default(), &[]);
    city
}

/// What each department delivers, under the names it gives.
fn files(city: &City, folder: &Path) -> BTreeMap<&'static str, String> {
    let licences = transport::rows(city, DAY).content;
    let page = format!(
        "{{\"code\":\"200\",\"msg\":\"ok\",\"data\":{{\"total\":\"{}\",\"list\":[{}]}}}}\n",
        licences.len(),
        licences.join(",")
    );
    let month = Month {
        year: 2026,
        month: 1,
    };
    fs::create_dir_all(folder).unwrap();
    [
        (
            "market-regulation",
            "scjg_20260302.zip",
            market::archive(city, DAY).unwrap().content,
        ),
        ("tax", "202601.csv", tax::file(city, month).content),
        ("transport", "licences.jsonl", page.into_bytes()),
        (
            "insured-roll",
            "cbdj_20260302.xlsx",
            roll::workbook(city, DAY, false).unwrap().content,
        ),
    ]
    .into_iter()
    .map(|(adapter, name, bytes)| {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        (adapter, path.to_string_lossy().into_owned())
    })
    .collect()
}

/// The records of a preview by what makes them one.
fn records(home: &Path, adapter: &str, file: &str) -> BTreeMap<String, Value> {
    let home = home.to_string_lossy();
    let told = run(&["--home", &home, "preview", adapter, file, "--json"]);
    let text = String::from_utf8(told.stdout).unwrap();
    let records: BTreeMap<String, Value> = text
        .lines()
        .filter_map(|line| {
            serde_json::from_str::<Value>(line)
                .ok()?
                .get_mut("record")
                .map(Value::take)
        })
        .map(|record| {
            let key: Vec<String> = [
                "credit_code",
                "month",
                "licence_number",
                "unit_number",
                "insurance",
            ]
            .iter()
            .map(|field| record[*field].to_string())
            .collect();
            (key.join("|"), record)
        })
        .collect();
    assert!(
        !records.is_empty(),
        "{adapter}: {text}{}",
        String::from_utf8_lossy(&told.stderr)
    );
    records
}

#[test]
fn a_draft_reads_nearly_all_that_the_shipped_adapter_reads() {
    let folder = tempfile::tempdir().unwrap();
    let samples = files(&city(5), &folder.path().join("samples"));
    let later = files(&city(6), &folder.path().join("later"));
    let (shipped, drafted) = (home(), home());
    for adapter in ADAPTERS {
        let text = out(&["draft", &samples[adapter]], 0);
        // Where it comes from is for the operator to say: this home knows a folder under this name.
        let text = text.replace(
            &format!("endpoint = \"{adapter}\""),
            "endpoint = \"insured-roll\"",
        );
        fs::write(
            drafted.path().join(format!("adapters/{adapter}.toml")),
            text,
        )
        .unwrap();
    }
    out(&["check", "--home", &drafted.path().to_string_lossy()], 0);
    for adapter in ADAPTERS {
        let wanted = records(shipped.path(), adapter, &later[adapter]);
        let found = records(drafted.path(), adapter, &later[adapter]);
        let (mut fields, mut same) = (0_u32, 0_u32);
        for (key, record) in &wanted {
            for (field, value) in record.as_object().unwrap() {
                fields += 1;
                let is_same = found.get(key).is_some_and(|other| &other[field] == value);
                same += u32::from(is_same);
            }
        }
        let share = f64::from(same) / f64::from(fields);
        println!(
            "{adapter}: {same} of {fields} fields, {:.1} %",
            share * 100.0
        );
        assert!(share >= 0.95, "{adapter}: {same} of {fields} fields");
        assert_eq!(wanted.len(), found.len(), "{adapter}");
    }
}

#[test]
fn a_draft_as_json_says_the_same_facts_and_shows_nothing_personal() {
    let folder = tempfile::tempdir().unwrap();
    let samples = files(&city(5), folder.path());
    for adapter in ADAPTERS {
        let told = out(&["draft", &samples[adapter], "--json"], 0);
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["missing"], serde_json::json!([]), "{adapter}");
        assert_eq!(told["faults"], serde_json::json!([]), "{adapter}");
        let text = out(&["draft", &samples[adapter]], 0);
        assert_eq!(told["adapter"], Value::String(text.clone()), "{adapter}");
        for field in told["fields"].as_array().unwrap() {
            assert!(text.contains(field["why"].as_str().unwrap()), "{field}");
        }
        // The demo's mobile numbers begin so.
        assert!(
            !text.contains("1990") && !told.to_string().contains("1990"),
            "{adapter}"
        );
    }
}

#[test]
fn what_is_no_export_is_named_for_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, code) in [
        ("empty.csv", &b""[..], "YB-2101"),
        ("blank.csv", b" \n\n", "YB-2101"),
        ("utf16.csv", &[0xFF, 0xFE, 0x31, 0x00], "YB-"),
        ("binary.bin", &[1, 0, 2, 0, 3, 0, 4], "YB-2191"),
        ("prose.txt", "就一句话".as_bytes(), "YB-2192"),
        ("cut.zip", b"PK\x03\x04\x14\x00", "YB-2061"),
        ("scalar.json", b"{\"a\":1", "YB-21"),
        (
            "old.xls",
            &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0],
            "YB-2141",
        ),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let told = run(&["draft", &file.to_string_lossy(), "--json"]);
        assert_eq!(told.status.code(), Some(1), "{name}");
        let document: Value = serde_json::from_slice(&told.stdout).unwrap();
        let refused = document["refused"]["code"].as_str().unwrap();
        assert!(refused.starts_with(code), "{name}: {document}");
        let said = String::from_utf8(told.stderr).unwrap();
        assert!(said.contains("处理："), "{name}: {said}");
    }
    assert_eq!(run(&["draft", "no-such-file.csv"]).status.code(), Some(2));
}

#[test]
fn a_text_of_fixed_width_with_its_count_becomes_an_adapter_that_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    // Filled up with blanks to widths in bytes of GBK: two for a hanzi.
    let line = |fields: [&str; 3]| {
        let mut line = String::new();
        for (field, width) in fields.into_iter().zip([18, 26, 4]) {
            let own: usize = field
                .chars()
                .map(|c| if c.is_ascii() { 1 } else { 2 })
                .sum();
            line.push_str(field);
            line.push_str(&" ".repeat(width - own));
        }
        line + "\r\n"
    };
    let text = [
        ["统一社会信用代码", "企业名称", "状态"],
        ["91411300MA40000015", "南阳示例商贸有限公司", "存续"],
        ["91411300MA40000023", "宛城试制店", "注销"],
        ["91411300MA40000031", "卧龙演练餐饮店", "存续"],
    ]
    .map(line)
    .concat();
    let text = format!("{text}共3条\r\n");
    let (bytes, _, _) = encoding_rs::GB18030.encode(&text);
    let file = folder.path().join("qy_20260301.txt");
    fs::write(&file, bytes).unwrap();
    let file = file.to_string_lossy();
    let told: Value = serde_json::from_str(&out(&["draft", &file, "--json"], 0)).unwrap();
    assert_eq!(told["faults"], serde_json::json!([]));
    assert_eq!(told["format"]["table"], "format.fixed");
    assert_eq!(told["format"]["keys"]["trailer"], "共");
    assert_eq!(told["format"]["keys"]["columns"][0]["width"], 18);
    assert_eq!(told["rows"], 3);
    let home = home();
    let text = out(&["draft", &file], 0);
    let text = text.replace(
        "endpoint = \"market-regulation\"",
        "endpoint = \"insured-roll\"",
    );
    fs::write(home.path().join("adapters/fixed.toml"), text).unwrap();
    let home = home.path().to_string_lossy();
    out(&["check", "--home", &home], 0);
    let told = run(&["--home", &home, "preview", "fixed", &file, "--json"]);
    let told = String::from_utf8(told.stdout).unwrap();
    let told: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!(told["rows"], 3, "{told}");
}
