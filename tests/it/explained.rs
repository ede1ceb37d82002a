//! From bad rows to a verdict that says so, and from a clerk's answer to its end: a city of a few firms, told by the commands.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{home, out};

const ACCUSED: &str = "91411303MA49U85BX9";
const INSURED: &str = "914113022328776885";
const SPOILT: &str = "91411381MA4RHCMP9A";
const UNKNOWN: &str = "91411371MA52KTRWX1";

const ADAPTERS: [(&str, &str); 3] = [
    (
        "register",
        "record = \"registration\"\nmode = \"snapshot\"\n[fields]\ncredit_code = { from = \"码\", required = true }\n\
         name = { from = \"名称\", required = true }\nstatus = { from = \"状态\", lookup = \"status\" }\nindustry_code = \"行业\"\n\
         founded = \"成立\"\nregion = \"区划\"\nemployees = { from = \"人数\", unit = \"persons\" }\n\
         [lookup.status]\nactive = [\"存续\"]\nsuspended = [\"停业\"]\n",
    ),
    (
        "tax",
        "record = \"tax\"\nmode = \"increment\"\n[fields]\ncredit_code = { from = \"码\", required = true }\n\
         name = \"名称\"\nmonth = { from = \"月\", required = true }\nfilers = { from = \"申报\", unit = \"persons\" }\n",
    ),
    (
        "roll",
        "record = \"insured_roll\"\nmode = \"snapshot\"\ngone_after = 1\n[fields]\nunit_number = { from = \"单位编号\", required = true }\n\
         credit_code = \"码\"\nname = \"名称\"\ninsurance = { from = \"险种\", required = true, lookup = \"insurance\" }\n\
         month = { from = \"月\", required = true }\nregistered_heads = { from = \"参保\", unit = \"persons\" }\n\
         paying_heads = { from = \"缴费\", unit = \"persons\" }\n\
         [lookup.insurance]\npension = [\"110\"]\nunemployment = [\"210\"]\nwork_injury = [\"410\"]\n[expect]\nchange = { missing_at_most = 1.0, shrink_at_most = 1.0 }\n",
    ),
];

struct City {
    home: tempfile::TempDir,
}

impl City {
    fn new() -> Self {
        let home = home();
        for folder in ["adapters", "schedules"] {
            fs::remove_dir_all(home.path().join(folder)).unwrap();
            fs::create_dir(home.path().join(folder)).unwrap();
        }
        for (name, text) in ADAPTERS {
            let (record, fields) = text.split_once("[fields]").unwrap();
            let adapter = format!(
                "department = \"测试\"\ntitle = \"测试数据\"\nbasis = \"test\"\nas_of = \"delivery\"\nrepeat = \"allowed\"\n{record}\
                 [transport.folder]\nendpoint = \"insured-roll\"\npattern = \"*.csv\"\n[format.csv]\nheader = \"码\"\n\
                 [fields]{fields}"
            );
            fs::write(home.path().join(format!("adapters/{name}.toml")), adapter).unwrap();
        }
        Self { home }
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    /// What a command prints on a day.
    fn on(&self, day: &str, words: &[&str], code: i32) -> String {
        let clock = format!("[clock]\nstart = \"{day}T09:00:00+08:00\"\nspeed = 1.0\n");
        fs::write(self.path().join("config/site.toml"), clock).unwrap();
        let home = self.path().to_string_lossy().into_owned();
        out(&[&["--home", &home], words].concat(), code)
    }

    fn json(&self, day: &str, words: &[&str]) -> Vec<Value> {
        self.on(day, &[words, &["--json"]].concat(), 0)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn pull(&self, day: &str, adapter: &str, rows: &[String]) -> Value {
        let heading = match adapter {
            "register" => "码,名称,状态,行业,成立,区划,人数",
            "tax" => "码,名称,月,申报",
            _ => "单位编号,码,名称,险种,月,参保,缴费",
        };
        let file = self.path().join(format!("{adapter}.csv"));
        fs::write(&file, format!("{heading}\n{}\n", rows.join("\n"))).unwrap();
        let file = file.to_string_lossy().into_owned();
        self.json(day, &["pull", adapter, "--file", &file])
            .remove(0)
    }

    /// Everything of a day: the register with this county of the accused, two months of wages, the roll.
    fn deliver(&self, day: &str, region: &str, months: [&str; 2]) -> Value {
        let firm = |code: &str, industry: &str, region: &str| {
            format!(
                "{code},南阳{}商贸有限公司,存续,{industry},2020-01-06,{region},8",
                &code[9..12]
            )
        };
        let told = self.pull(
            day,
            "register",
            &[
                firm(ACCUSED, "F5211", region),
                firm(INSURED, "F5211", "411302"),
                firm(SPOILT, "9911", "411302"),
                firm(UNKNOWN, "F5211", "411303"),
            ],
        );
        let wages: Vec<String> = months
            .iter()
            .flat_map(|month| {
                [ACCUSED, INSURED, SPOILT]
                    .map(|code| format!("{code},南阳{}商贸有限公司,{month},8", &code[9..12]))
            })
            .collect();
        self.pull(day, "tax", &wages);
        let roll = ["110", "210", "410"]
            .map(|kind| format!("U1,{INSURED},南阳商贸有限公司,{kind},{},8,8", months[1]));
        self.pull(day, "roll", &roll);
        told
    }
}

fn verdicts<'v>(explanation: &'v Value, subject: &str) -> Vec<&'v Value> {
    explanation["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|verdict| verdict["subject"] == subject)
        .collect()
}

#[test]
fn bad_rows_are_told_at_the_door_and_decide_nothing() {
    let city = City::new();
    let day = "2026-04-20";
    city.deliver(day, "411303", ["202602", "202603"]);
    // The row with the industry that there is none of.
    let batch = &city.json(day, &["batch", "list", "--adapter", "register"])[0]["batch"];
    let shown = city.on(
        day,
        &["batch", "show", batch.as_str().unwrap(), "--json"],
        0,
    );
    assert!(
        shown.contains("YB-2216") && shown.contains("9911"),
        "{shown}"
    );

    let review = &city.json(day, &["run", "review"])[0];
    assert_eq!(
        (&review["findings"], &review["opened"]),
        (&1.into(), &1.into())
    );
    let list = city.json(day, &["list", "not-decidable"]);
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["credit_code"], SPOILT);
    assert_eq!(list[0]["doubts"][0]["kind"], "unknown_industry");
    assert!(list[0]["clears"][0].as_str().unwrap().contains("行业代码"));
    let survey = city.json(day, &["list", "survey"]);
    assert_eq!(survey.len(), 1);
    assert_eq!(survey[0]["credit_code"], UNKNOWN);
    assert!(
        city.json(day, &["list", "survey", "--unit", "宛城区"])
            .is_empty()
    );
    assert!(
        city.on(day, &["list", "survey"], 0)
            .starts_with("用工情况调查清单：1户")
    );
    city.on(day, &["list", "survey", "--unit", "无此单位"], 2);
    // Somebody goes there and meets six people: now it is asked like any other.
    let visit = [
        "survey",
        UNKNOWN,
        "--heads",
        "6",
        "--by",
        "李示例",
        "--proof",
        "走访记录1号",
        "--date",
    ];
    city.on(day, &[&visit[..], &["2026-04-21"]].concat(), 2);
    city.on(day, &[&visit[..], &["2026-04-17"]].concat(), 0);
    assert!(city.json(day, &["list", "survey"]).is_empty());
    let visited = &city.json(day, &["enterprise", UNKNOWN])[0];
    assert_eq!(visited["assessment"]["evidence"]["kind"], "visited");
    assert_eq!(visited["assessment"]["standing"], "doubtful");
    let employment = verdicts(&visited["explanation"], "employment")[0];
    assert!(
        employment["facts"].to_string().contains("走访记录1号"),
        "{employment}"
    );
    assert_eq!(city.json(day, &["run", "review"])[0]["opened"], 1);

    let spoilt = &city.json(day, &["enterprise", SPOILT])[0];
    assert_eq!(spoilt["assessment"]["standing"], "not_decidable");
    assert_eq!(verdicts(&spoilt["explanation"], "finding").len(), 0);
    let doubt = verdicts(&spoilt["explanation"], "doubt")[0];
    assert_eq!(doubt["facts"][0]["row"], 4);
    assert_eq!(doubt["facts"][0]["file"], "register.csv");

    let accused = &city.json(day, &["enterprise", ACCUSED])[0];
    let finding = verdicts(&accused["explanation"], "finding")[0];
    assert_eq!(finding["answer"], "absent");
    assert_eq!(
        finding["clears"][0],
        "下一份完整参保登记册显示养老保险、失业保险、工伤保险各不少于8人"
    );
    let liability = verdicts(&accused["explanation"], "liability");
    assert_eq!(liability.len(), 3);
    let table = fs::read(city.path().join("config/rules/liability.toml")).unwrap();
    let digest = blake3::hash(&table).to_hex().to_string();
    assert_eq!(liability[0]["rule"]["version"], digest[..12]);
    assert_eq!(liability[0]["rule"]["from"], "2025-09-01");
    let text = city.on(day, &["enterprise", ACCUSED], 0);
    for words in [
        "【疑点】",
        "【参保义务】养老保险",
        "如何消除或改变：下一份完整参保登记册",
        "liability.toml",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn an_answer_with_an_end_clears_until_then_and_doubted_data_hold_the_case() {
    let city = City::new();
    let day = "2026-04-20";
    city.deliver(day, "411303", ["202602", "202603"]);
    city.on(day, &["run", "review"], 0);
    city.on(day, &["run", "escalate"], 0);
    let first = format!("E{}-A-1", &ACCUSED[8..17]);
    let record = |event: &str, more: &[&str], code: i32| {
        let words = [
            &[
                "case",
                "record",
                &first,
                "--event",
                event,
                "--by",
                "李示例",
                "--date",
                day,
            ],
            more,
        ]
        .concat();
        city.on(day, &words, code)
    };
    // What explains nothing is recorded, and the case goes on.
    record("waiver", &[], 0);
    let shown = city.on(day, &["case", "show", &first], 0);
    assert!(
        shown.contains("不构成免除参保义务的理由，劳动关系待核实（社会保险法"),
        "{shown}"
    );
    // Elsewhere needs its proof, and cannot have ended before.
    record("insured_elsewhere", &[], 1);
    record(
        "insured_elsewhere",
        &["--proof", "证明1号", "--until", "2026-04-01"],
        1,
    );
    record(
        "insured_elsewhere",
        &["--proof", "证明1号", "--until", "2026-05-31"],
        0,
    );
    let list = city.json(day, &["list", "covered-elsewhere"]);
    assert_eq!(list.len(), 1);
    assert_eq!(
        (&list[0]["proof"], &list[0]["until"]),
        (&"证明1号".into(), &"2026-05-31".into())
    );
    let explained = &city.json(day, &["enterprise", ACCUSED])[0]["explanation"];
    assert_eq!(
        verdicts(explained, "answer")[0]["answer"],
        "insured_elsewhere"
    );

    let before = "2026-05-20";
    city.deliver(before, "411303", ["202603", "202604"]);
    assert_eq!(city.json(before, &["run", "review"])[0]["opened"], 0);
    let after = "2026-06-16";
    city.deliver(after, "411303", ["202604", "202605"]);
    assert_eq!(city.json(after, &["run", "review"])[0]["opened"], 1);
    assert!(city.json(after, &["list", "covered-elsewhere"]).is_empty());
    let second = format!("E{}-A-2", &ACCUSED[8..17]);
    let shown = city.on(after, &["case", "show", &second], 0);
    assert!(
        shown.contains("证明1号") && shown.contains("已于2026年5月31日期满，须重新核实"),
        "{shown}"
    );

    // The register now has it in a county that there is none of: nobody takes a step.
    let next = "2026-06-17";
    city.deliver(next, "411399", ["202604", "202605"]);
    city.on(next, &["run", "review"], 0);
    let held = &city.json(next, &["run", "escalate"])[0];
    assert_eq!(held["steps"], serde_json::json!({}));
    assert!(
        held["held"].to_string().contains("行政区划“411399”"),
        "{held}"
    );
    // The same again is no news.
    let entries = |day: &str| {
        city.json(day, &["case", "show", &second])[0]["case"]["history"]
            .as_array()
            .unwrap()
            .len()
    };
    let told = entries(next);
    city.on(next, &["run", "review"], 0);
    assert_eq!(entries(next), told);
    // Corrected: it goes on.
    let last = "2026-06-18";
    city.deliver(last, "411303", ["202604", "202605"]);
    city.on(last, &["run", "review"], 0);
    let went = &city.json(last, &["run", "escalate"])[0];
    assert_eq!(went["steps"]["dispatched"], 1, "{went}");
}

#[test]
fn a_case_rests_while_the_firm_says_it_is_suspended_ends_on_the_roll_and_returns_with_the_gap() {
    let city = City::new();
    let day = "2026-04-20";
    city.deliver(day, "411303", ["202602", "202603"]);
    city.on(day, &["run", "review"], 0);
    let id = |ordinal: u32| format!("E{}-A-{ordinal}", &ACCUSED[8..17]);
    let case = |day: &str, ordinal: u32| {
        city.json(day, &["case", "show", &id(ordinal)])[0]["case"].clone()
    };
    let status = |day: &str, status: &str| {
        let firm = |code: &str, status: &str, industry: &str| {
            // A county that is in the register stays in it.
            let region = if code == INSURED { "411302" } else { "411303" };
            format!(
                "{code},南阳{}商贸有限公司,{status},{industry},2020-01-06,{region},8",
                &code[9..12]
            )
        };
        city.pull(
            day,
            "register",
            &[
                firm(ACCUSED, status, "F5211"),
                firm(INSURED, "存续", "F5211"),
                firm(SPOILT, "存续", "9911"),
                firm(UNKNOWN, "存续", "F5211"),
            ],
        );
        city.on(day, &["run", "review"], 0);
    };
    // Its own suspension of business ends no duty: nobody closes the case, and nobody takes a step in it.
    status("2026-04-21", "停业");
    let suspended = "2026-04-21";
    assert_eq!(case(suspended, 1)["stage"], "found");
    let held = &city.json(suspended, &["run", "escalate"])[0];
    assert!(
        held["held"].to_string().contains("劳动关系待核实"),
        "{held}"
    );
    assert_eq!(
        city.json(suspended, &["list", "suspended"])[0]["credit_code"],
        ACCUSED
    );
    status("2026-04-22", "存续");
    assert!(case("2026-04-22", 1)["doubt"].is_null());

    let roll = |day: &str, firms: &[&str]| {
        let rows: Vec<String> = firms
            .iter()
            .flat_map(|code| {
                ["110", "210", "410"]
                    .map(|kind| format!("U{code},{code},南阳商贸有限公司,{kind},202603,8,8"))
            })
            .collect();
        city.pull(day, "roll", &rows);
        city.on(day, &["run", "review"], 0);
    };
    roll("2026-04-23", &[INSURED, ACCUSED]);
    let ended = case("2026-04-23", 1);
    assert_eq!(ended["closed"]["reason"], "enrolled", "{ended}");
    // The next roll has lost it again: the same question, as one that returned.
    roll("2026-04-24", &[INSURED]);
    let again = case("2026-04-24", 2);
    assert_eq!(
        (&again["reopened"], &again["stage"]),
        (&true.into(), &"found".into())
    );
    assert!(
        again["history"][0]["text"]
            .as_str()
            .unwrap()
            .contains("疑点重现")
    );
}

#[test]
fn what_sources_tell_differently_is_listed_with_the_value_that_counts() {
    let city = City::new();
    let day = "2026-04-20";
    city.deliver(day, "411303", ["202602", "202603"]);
    let name = format!("南阳{}商贸有限公司", &ACCUSED[9..12]);
    let quiet = city.on(day, &["enterprise", ACCUSED], 0);
    assert!(!quiet.contains("来源不一致"), "{quiet}");
    // Of another firm's name in March, and of one before that nobody minds.
    let other = "南阳另名商贸有限公司";
    let mut rows = Vec::new();
    for (month, own) in [("202602", "南阳当时商贸有限公司"), ("202603", other)] {
        rows.push(format!("{ACCUSED},{own},{month},8"));
        rows.extend(
            [INSURED, SPOILT]
                .map(|code| format!("{code},南阳{}商贸有限公司,{month},8", &code[9..12])),
        );
    }
    let told = city.pull(day, "tax", &rows);
    assert_eq!(told["changed"], 2, "{told}");
    let found = &city.json(day, &["enterprise", ACCUSED])[0]["contradictions"];
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    let one = &found[0];
    assert_eq!(
        (&one["field"], &one["title"]),
        (&"name".into(), &"名称".into())
    );
    let prevails = &one["prevails"];
    assert_eq!(
        (&prevails["value"], &prevails["source"], &prevails["row"]),
        (&name.as_str().into(), &"register".into(), &2.into())
    );
    let aside = &one["aside"][0];
    assert_eq!(
        (
            &aside["value"],
            &aside["file"],
            &aside["row"],
            &aside["why"]
        ),
        (
            &other.into(),
            &"tax.csv".into(),
            &5.into(),
            &"department".into()
        )
    );
    assert_eq!(aside["date"], day);
    let text = city.on(day, &["enterprise", ACCUSED], 0);
    for words in [
        format!(
            "来源不一致：\n  名称\n    采用：{name}（register register.csv 第2行，数据日期{day}）"
        ),
        format!("    未采用：{other}（tax tax.csv 第5行，数据日期{day}）；以登记机关为准"),
    ] {
        assert!(text.contains(&words), "{words}\n{text}");
    }
}

#[test]
fn a_case_of_an_enterprise_that_a_person_joined_to_another_ends_and_comes_back_with_the_undoing() {
    let city = City::new();
    let day = "2026-04-20";
    city.deliver(day, "411303", ["202602", "202603"]);
    assert_eq!(city.json(day, &["run", "review"])[0]["opened"], 1);
    let first = format!("E{}-A-1", &ACCUSED[8..17]);
    let into = format!("E{}", &UNKNOWN[8..17]);
    let subject = format!("enterprise:E{}", &ACCUSED[8..17]);
    let say = |day: &str, word: &str| {
        let by = ["--by", "李示例", "--reason", "登记机关来函1号"];
        city.on(
            day,
            &[&["identity", word, &subject, &into], &by[..]].concat(),
            0,
        );
        city.json(day, &["run", "review"]).remove(0)
    };
    let next = "2026-04-21";
    let joined = say(next, "same");
    // The wages are the other's now, and so is the doubt.
    assert_eq!(
        (&joined["closed"], &joined["opened"]),
        (&1.into(), &1.into()),
        "{joined}"
    );
    let closed = &city.json(next, &["case", "show", &first])[0]["case"]["closed"];
    assert_eq!(closed["reason"], "merged");
    let text = closed["text"].as_str().unwrap();
    // It is called as the registration that prevails of the two.
    let other = &city.json(next, &["enterprise", &into])[0];
    let name = other["name"].as_str().unwrap();
    assert_eq!(
        text,
        format!("已并入{name}（{into}）：李示例于2026年4月21日认定为同一企业（登记机关来函1号）")
    );
    assert_eq!(city.json(next, &["run", "review"])[0]["closed"], 0);
    let undone = say("2026-04-22", "undo");
    assert_eq!(undone["opened"], 1, "{undone}");
    let again = format!("E{}-A-2", &ACCUSED[8..17]);
    let case = &city.json("2026-04-22", &["case", "show", &again])[0]["case"];
    assert_eq!(case["stage"], "found", "{case}");
}
