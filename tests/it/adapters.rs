//! Samples of every shipped adapter with what must come of them, run by the same code as an operator's: `check --samples`.
//! `YINGBAO_RENEW=1` makes samples (of very small synthetic cities) and expectations anew; the difference is then reviewed.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook};
use serde_json::Value;
use yingbao::calendar::Calendar;
use yingbao::config::shipped;
use yingbao::demo::city::City;
use yingbao::demo::departments::{express, food, market, roll, tax, transport};
use yingbao::demo::options::{Dirt, Options};
use yingbao::domain::record::Month;

use crate::program::{home, out, root, run};

const MONDAY: Date = date(2026, 3, 2);
const LATER: Date = date(2026, 3, 16);
/// Licences that are delivered once a month.
const NEXT_MONTH: Date = date(2026, 4, 1);

const ADAPTERS: [&str; 6] = [
    "market-regulation",
    "tax",
    "transport",
    "insured-roll",
    "express",
    "food",
];

/// As the shipped roll, but of an office whose total row says how many rows there are.
const TOTALLED: &str = "insured-roll-total";

fn samples() -> PathBuf {
    root().join("tests/golden/adapters")
}

#[allow(clippy::disallowed_methods, reason = "the one switch of the goldens")]
fn renewing() -> bool {
    std::env::var("YINGBAO_RENEW").is_ok_and(|value| value == "1")
}

fn city(enterprises: u32, seed: u64, dirt: Dirt, day: Date) -> City {
    let mut city = City::new(Options {
        enterprises,
        seed,
        start: MONDAY,
        days: 30,
        dirt,
    });
    let mut today = MONDAY;
    loop {
        city.advance(today, &Calendar::default(), &[]);
        if today == day {
            return city;
        }
        today = today.tomorrow().unwrap();
    }
}

/// What a department delivers, under the name it gives.
fn delivery(adapter: &str, city: &City, day: Date, halved: bool) -> (String, Vec<u8>) {
    let stamp = day.to_string().replace('-', "");
    match adapter {
        "market-regulation" => (
            format!("scjg_{stamp}.zip"),
            market::archive(city, day).unwrap().content,
        ),
        "insured-roll" => (
            format!("cbdj_{stamp}.xlsx"),
            roll::workbook(city, day, halved).unwrap().content,
        ),
        "tax" => {
            let month = if day == MONDAY { 1 } else { 2 };
            (
                format!("20260{month}.csv"),
                tax::file(city, Month { year: 2026, month }).content,
            )
        }
        "express" => (
            express::name(day),
            express::file(city, day).unwrap().content,
        ),
        "food" => (
            format!(
                "食品经营许可_{}.txt",
                stamp.get(..6).unwrap().to_owned() + "01"
            ),
            food::file(city, day).unwrap().content,
        ),
        _ => {
            let rows = transport::rows(city, day).content;
            let page = format!(
                "{{\"code\":\"200\",\"msg\":\"ok\",\"data\":{{\"total\":\"{}\",\"list\":[{}]}}}}\n",
                rows.len(),
                rows.join(",")
            );
            ("licences.jsonl".to_owned(), page.into_bytes())
        }
    }
}

fn put(adapter: &str, case: &str, role: &str, (name, bytes): &(String, Vec<u8>), day: Date) {
    let folder = samples().join(adapter).join(case);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{role}-{name}")), bytes).unwrap();
    let expected = folder.join("expected.json");
    if !expected.exists() {
        fs::write(expected, format!("{{ \"delivered\": \"{day}\" }}\n")).unwrap();
    }
}

fn make_samples() {
    let of = |firms: u32, adapter: &str| {
        // Licences are rare: a larger city shows some of each kind.
        match adapter {
            "transport" | "express" => firms * 20,
            "food" => firms * 3,
            _ => firms,
        }
    };
    for adapter in ADAPTERS {
        let later = match adapter {
            "express" | "food" => NEXT_MONTH,
            _ => LATER,
        };
        let dirty = city(of(16, adapter), 3, Dirt::Heavy, MONDAY);
        put(
            adapter,
            "dirty",
            "input",
            &delivery(adapter, &dirty, MONDAY, false),
            MONDAY,
        );
        let before = city(of(24, adapter), 4, Dirt::None, MONDAY);
        let after = city(of(24, adapter), 4, Dirt::None, later);
        let before = delivery(adapter, &before, MONDAY, false);
        let usual = delivery(adapter, &after, later, false);
        put(adapter, "usual", "before", &before, later);
        put(adapter, "usual", "input", &usual, later);
        // A city half the size under the same name: what a broken query exports.
        let half = city(of(12, adapter), 4, Dirt::None, later);
        put(adapter, "short", "before", &before, later);
        put(
            adapter,
            "short",
            "input",
            &delivery(adapter, &half, later, true),
            later,
        );
        // Text without an end mark can not tell that it was cut; a page of an overloaded gateway it can.
        let (name, bytes) = &usual;
        let cut = if matches!(adapter, "tax" | "express" | "food") {
            "<html><body>系统维护中</body></html>".into()
        } else {
            bytes[..bytes.len() / 2].to_vec()
        };
        put(adapter, "cut", "input", &(name.clone(), cut), later);
    }
    put(TOTALLED, "usual", "input", &totalled("共4行"), LATER);
    // Two rows were lost on the way.
    put(TOTALLED, "short", "input", &totalled("共6行"), LATER);
}

/// Takes the optional sources into use.
fn add_optional(home: &Path) {
    let optional = shipped::FILES
        .iter()
        .filter(|(file, _)| shipped::is_optional(file));
    for (file, text) in optional {
        fs::write(home.join(shipped::in_use(file)), text).unwrap();
    }
    let site = yingbao::demo::home::settings(1);
    fs::write(home.join("config/site.toml"), site).unwrap();
}

/// Writes the adapter of the roll with a total row into a home.
fn add_totalled(home: &Path) {
    let folder = home.join("adapters");
    let text = fs::read_to_string(folder.join("insured-roll.toml")).unwrap();
    let mut changed = text.clone();
    for (from, to) in [
        ("cbdj_*.xlsx", "cbdjhz_*.xlsx"),
        (
            "header = \"单位编号\"",
            "header = \"单位编号\"\ntrailer = \"合计\"",
        ),
    ] {
        assert!(changed.contains(from), "{from}");
        changed = changed.replace(from, to);
    }
    fs::write(folder.join(format!("{TOTALLED}.toml")), changed).unwrap();
}

/// A roll of four rows whose total row says this number.
fn totalled(total: &str) -> (String, Vec<u8>) {
    let mut book = Workbook::new();
    // A fixed day, else each writing would have other bytes.
    let made = ExcelDateTime::from_ymd(2026, 1, 1).unwrap();
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let sheet = book.add_worksheet();
    sheet.set_name("参保登记册").unwrap();
    let firm = "411301000012,9141130209000301XE,南阳芷渚服饰有限公司,南阳市宛城区社会保险中心";
    let kind = "企业职工基本养老保险";
    let lines = [
        "数据日期：2026年3月16日".to_owned(),
        "单位编号,统一社会信用代码,单位名称,经办机构,险种,费款所属期,参保人数,缴费人数,单位参保状态".to_owned(),
        format!("{firm},{kind},2026-01,4,4,正常参保"),
        format!("{firm},{kind},2026-02,5,5,正常参保"),
        format!("{firm},失业保险,2026-01,4,4,正常参保"),
        format!("{firm},工伤保险,2026-01,4,4,正常参保"),
        format!("合计,{total}"),
    ];
    for (row, line) in (0..).zip(&lines) {
        for (column, cell) in (0..).zip(line.split(',')) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    (
        "cbdjhz_20260316.xlsx".to_owned(),
        book.save_to_buffer().unwrap(),
    )
}

fn told(words: &[&str], code: i32) -> Value {
    serde_json::from_str(&out(words, code)).unwrap()
}

#[test]
fn every_sample_comes_out_as_expected() {
    let home = home();
    add_totalled(home.path());
    add_optional(home.path());
    let home = home.path().to_string_lossy().into_owned();
    let folder = samples().to_string_lossy().into_owned();
    let mut words = vec!["check", "--home", &home, "--samples", &folder, "--json"];
    if renewing() {
        make_samples();
        words.push("--write");
        out(&words, 0);
        words.pop();
    }
    let told = told(&words, 0);
    let outcomes = told["samples"].as_array().unwrap();
    for adapter in ADAPTERS {
        for (case, verdicts) in [
            ("dirty", &["quarantined", "accepted"][..]),
            ("usual", &["accepted", "accepted_with_warnings"]),
            ("short", &["quarantined"]),
            ("cut", &["refused"]),
        ] {
            let outcome = outcomes
                .iter()
                .find(|outcome| outcome["adapter"] == adapter && outcome["case"] == case)
                .unwrap_or_else(|| panic!("{adapter} has no {case}"));
            let verdict = outcome["verdict"].as_str().unwrap();
            assert!(verdicts.contains(&verdict), "{outcome}");
        }
    }
    let of_totalled = |case: &str| {
        let is_it = |outcome: &&Value| outcome["adapter"] == TOTALLED && outcome["case"] == case;
        outcomes.iter().find(is_it).unwrap()["verdict"].clone()
    };
    assert_eq!(of_totalled("usual"), "accepted");
    assert_eq!(of_totalled("short"), "quarantined");
    // No store was needed.
    assert!(!PathBuf::from(home).join("state").exists());
}

#[test]
fn a_difference_is_told_in_words_and_can_be_written() {
    let home = home();
    let path = home.path().to_string_lossy().into_owned();
    let case = home.path().join("samples/tax/own");
    // Without a folder of samples there is nothing to compare.
    assert_eq!(
        run(&["check", "--home", &path, "--samples"]).status.code(),
        Some(2)
    );
    fs::create_dir_all(&case).unwrap();
    let dirty = samples().join("tax/dirty");
    fs::copy(
        dirty.join("input-202601.csv"),
        case.join("input-202601.csv"),
    )
    .unwrap();
    let said = out(&["check", "--home", &path, "--samples"], 1);
    assert!(
        said.contains("没有写明应有的结果") && said.contains("--write"),
        "{said}"
    );
    out(&["check", "--home", &path, "--samples", "--write"], 0);
    out(&["check", "--home", &path, "--samples"], 0);
    // The adapter changes its mind about a column: the sample says which field of which record became another.
    let adapter = home.path().join("adapters/tax.toml");
    let text = fs::read_to_string(&adapter).unwrap();
    let spoilt = text.replace(
        "from = \"营业收入\", unit = \"yuan\"",
        "from = \"营业收入\", unit = \"fen\"",
    );
    assert_ne!(text, spoilt);
    fs::write(&adapter, spoilt).unwrap();
    let said = out(&["check", "--home", &path, "--samples"], 1);
    assert!(
        said.contains("样本 tax/own 不符") && said.contains("revenue 应为"),
        "{said}"
    );
    // Folders that mean nothing are said, not passed over.
    for (folder, file, word) in [
        ("samples/nobody/x", "input.csv", "没有名为“nobody”的适配器"),
        ("samples/tax/none", "readme.txt", "没有 input 文件"),
        (
            "samples/tax/broken",
            "expected.json",
            "expected.json 第1行有误",
        ),
    ] {
        fs::create_dir_all(home.path().join(folder)).unwrap();
        fs::write(home.path().join(folder).join(file), "{ x").unwrap();
        let said = out(&["check", "--home", &path, "--samples"], 1);
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn a_sample_of_another_format_is_refused() {
    let home = home();
    add_optional(home.path());
    let home_path = home.path().to_string_lossy().into_owned();
    let refused = |adapter: &str, bytes: &[u8]| {
        let file = home.path().join("bad");
        fs::write(&file, bytes).unwrap();
        let file = file.to_string_lossy().into_owned();
        let output = run(&["--home", &home_path, "preview", adapter, &file, "--json"]);
        assert_eq!(output.status.code(), Some(1), "{adapter}");
        let text = String::from_utf8(output.stdout).unwrap();
        let head: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(head["verdict"], "refused", "{adapter}: {head}");
        let reason = head["reasons"][0]["text"].as_str().unwrap();
        assert!(reason.contains("处理"), "{head}");
    };
    for adapter in ADAPTERS {
        refused(adapter, b"");
        refused(adapter, "<html><body>系统维护中</body></html>".as_bytes());
        refused(adapter, &[0xFF, 0xFE, 0x31, 0x00, 0x0A, 0x00]);
    }
    let of = |sample: &str| fs::read(samples().join(sample)).unwrap();
    refused("tax", &of("insured-roll/dirty/input-cbdj_20260302.xlsx"));
    refused("insured-roll", &of("tax/dirty/input-202601.csv"));
}
