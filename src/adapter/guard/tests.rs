use jiff::Timestamp;
use jiff::civil::date;

use super::*;
use crate::adapter::guard::tally::Tally;
use crate::domain::record::{Field, Month, Record, RecordKind, Value};
use crate::domain::unit::Unit;

const ROLL: &str = include_str!("../../../adapters/insured-roll.toml");
const MARKET: &str = include_str!("../../../adapters/market-regulation.toml");
const TAX: &str = include_str!("../../../adapters/tax.toml");

fn adapter(text: &str) -> Adapter {
    Adapter::check("x", "0", toml::from_str(text).unwrap()).unwrap()
}

fn units() -> Units {
    let unit = |id: &str, name: &str, alias: &str| Unit {
        id: id.to_owned(),
        name: name.to_owned(),
        agency: format!("{name}社会保险中心"),
        aliases: vec![alias.to_owned()],
        townships: Vec::new(),
        email: "a@b.example".to_owned(),
        audit_email: "a@b.example".to_owned(),
        phone: None,
        provincial: false,
    };
    Units {
        units: vec![
            unit("411302", "宛城区", "宛城"),
            unit("411321", "南召县", "南召"),
            unit("411372", "示范区", "城乡一体化示范区"),
        ],
    }
}

fn map(pairs: &[(&str, u64)]) -> std::collections::BTreeMap<String, u64> {
    pairs
        .iter()
        .map(|(key, n)| ((*key).to_owned(), *n))
        .collect()
}

/// What a test turns: a healthy delivery of 1234 rows, like the one before.
#[derive(Clone)]
struct Case {
    adapter: Adapter,
    rows: u64,
    set_aside: u64,
    declared_total: Option<u64>,
    cut_row: Option<u64>,
    census: Census,
    changes: ChangeCounts,
    as_of: Date,
    columns: Vec<String>,
    previous: Option<Batch>,
    year_before: Option<Batch>,
}

const TODAY: Date = date(2026, 3, 18);

fn healthy(text: &str) -> Case {
    let census = Census {
        records: 1230,
        parts: map(&[
            ("agency:宛城区", 600),
            ("agency:南召县社会保险中心", 400),
            ("agency:示范区", 15),
            ("insurance:pension", 430),
            ("insurance:work_injury", 400),
        ]),
        filled: map(&[
            ("name", 1230),
            ("registered_heads", 1200),
            ("agency", 1100),
            ("paying_heads", 900),
            ("unit_state", 400),
            ("status", 1200),
            ("region", 1200),
            ("filers", 1000),
        ]),
        heads: map(&[
            ("2026-01/pension", 9000),
            ("2026-02/pension", 9100),
            ("2026-03/pension", 20),
            ("2026-02/work_injury", 5000),
            ("2099-01/pension", 1),
        ]),
        content: "a1".to_owned(),
    };
    let batch = Batch {
        batch: "x-20260317-00000000".to_owned(),
        adapter: "x".to_owned(),
        kind: RecordKind::InsuredRoll,
        digest: "0".to_owned(),
        adapter_digest: "0".to_owned(),
        file: "f".to_owned(),
        received: Timestamp::UNIX_EPOCH,
        as_of: Some(date(2026, 3, 17)),
        rows: 1234,
        set_aside: 4,
        verdict: Verdict::Accepted,
        reasons: Vec::new(),
        census: Census {
            content: "a0".to_owned(),
            ..census.clone()
        },
        columns: vec!["单位名称".to_owned(), "险种".to_owned()],
        changes: ChangeCounts::default(),
        issues: Vec::new(),
        issues_found: 0,
        released: None,
        withdrawn: None,
    };
    Case {
        adapter: adapter(text),
        rows: 1234,
        set_aside: 4,
        declared_total: Some(1234),
        cut_row: None,
        census,
        changes: ChangeCounts {
            new: 10,
            changed: 20,
            missing: 5,
            returned: 1,
            unchanged: 1200,
        },
        as_of: TODAY,
        columns: vec!["单位名称".to_owned(), "险种".to_owned()],
        previous: Some(batch),
        year_before: None,
    }
}

fn judged(case: &Case) -> (Verdict, Vec<Reason>) {
    judge(&Delivery {
        adapter: &case.adapter,
        rows: case.rows,
        set_aside: case.set_aside,
        declared_total: case.declared_total,
        cut_row: case.cut_row,
        census: &case.census,
        changes: case.changes,
        as_of: case.as_of,
        today: TODAY,
        columns: &case.columns,
        previous: case.previous.as_ref(),
        year_before: case.year_before.as_ref(),
        units: &units(),
    })
}

#[test]
fn a_healthy_batch_is_accepted_without_a_word() {
    for text in [ROLL, MARKET, TAX] {
        let mut case = healthy(text);
        assert_eq!(judged(&case), (Verdict::Accepted, Vec::new()));
        case.previous = None;
        assert_eq!(judged(&case), (Verdict::Accepted, Vec::new()));
    }
}

type Turn = fn(&mut Case);
/// What is turned, in which adapter, how; the codes and verdict it earns, and a word every reason names.
type Rule = (
    &'static str,
    &'static str,
    Turn,
    &'static [&'static str],
    Verdict,
    &'static str,
);

/// Every rule: what is turned, what is found, and a word the reason must name.
#[test]
fn every_rule_has_its_reason() {
    let rules: &[Rule] = &[
        (
            "no rows",
            ROLL,
            |c| {
                c.rows = 0;
                c.set_aside = 0;
                c.census = Census::default();
                c.declared_total = None;
                c.changes = ChangeCounts::default();
            },
            &["YB-3101"],
            Verdict::Quarantined,
            "没有数据行",
        ),
        (
            "no rows, allowed",
            TAX,
            |c| {
                c.adapter.expect.may_be_empty = true;
                c.rows = 0;
                c.set_aside = 0;
                c.census = Census::default();
                c.declared_total = None;
                c.changes = ChangeCounts::default();
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "below the bound",
            ROLL,
            |c| c.adapter.expect.rows.min = Some(1235),
            &["YB-3102"],
            Verdict::Quarantined,
            "1235",
        ),
        (
            "on the bounds",
            ROLL,
            |c| {
                c.adapter.expect.rows.min = Some(1234);
                c.adapter.expect.rows.max = Some(1234);
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "above the bound",
            ROLL,
            |c| c.adapter.expect.rows.max = Some(1233),
            &["YB-3103"],
            Verdict::AcceptedWithWarnings,
            "1233",
        ),
        (
            "a tenth less is borne",
            ROLL,
            |c| {
                c.rows = 1111;
                c.declared_total = None;
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "more than a tenth less",
            ROLL,
            |c| {
                c.rows = 1110;
                c.declared_total = None;
            },
            &["YB-3104"],
            Verdict::Quarantined,
            "1234",
        ),
        (
            "a month may lose three tenths",
            TAX,
            |c| {
                c.rows = 870;
                c.declared_total = None;
                c.adapter.expect.change.shrink_at_most = None;
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "but not more",
            TAX,
            |c| {
                c.rows = 860;
                c.declared_total = None;
                c.adapter.expect.change.shrink_at_most = None;
            },
            &["YB-3104"],
            Verdict::Quarantined,
            "30%",
        ),
        (
            "a declared bound",
            ROLL,
            |c| {
                c.rows = 1220;
                c.declared_total = None;
                c.adapter.expect.change.shrink_at_most = Some(0.01);
            },
            &["YB-3104"],
            Verdict::Quarantined,
            "1%",
        ),
        (
            "a part shrinks",
            ROLL,
            |c| {
                c.census.parts.insert("agency:宛城区".to_owned(), 479);
            },
            &["YB-3105"],
            Verdict::Quarantined,
            "宛城区从600条减为479条",
        ),
        (
            "a part shrinks a little",
            ROLL,
            |c| {
                c.census.parts.insert("agency:宛城区".to_owned(), 480);
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "a kind vanishes",
            ROLL,
            |c| {
                c.census.parts.remove("insurance:work_injury");
            },
            &["YB-3105"],
            Verdict::Quarantined,
            "工伤保险从400条减为0条",
        ),
        (
            "a small part shrinks",
            ROLL,
            |c| {
                c.census.parts.insert("agency:示范区".to_owned(), 1);
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "a unit vanishes",
            ROLL,
            |c| {
                c.census.parts.remove("agency:示范区");
            },
            &["YB-3119"],
            Verdict::Quarantined,
            "示范区（上批15条）",
        ),
        (
            "a unit is spelt otherwise",
            ROLL,
            |c| {
                c.census.parts.remove("agency:示范区");
                c.census
                    .parts
                    .insert("agency:城乡一体化示范区".to_owned(), 15);
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "a great unit vanishes",
            ROLL,
            |c| {
                c.census.parts.remove("agency:南召县社会保险中心");
            },
            &["YB-3119"],
            Verdict::Quarantined,
            "南召县",
        ),
        (
            "heads shrink",
            ROLL,
            |c| {
                c.census.heads.insert("2026-02/pension".to_owned(), 7700);
            },
            &["YB-3106"],
            Verdict::Quarantined,
            "从9100人减为7700人",
        ),
        (
            "heads shrink a little",
            ROLL,
            |c| {
                c.census.heads.insert("2026-02/pension".to_owned(), 7800);
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "the newest month may be thin",
            ROLL,
            |c| {
                c.census.heads.insert("2026-03/pension".to_owned(), 1);
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "declared fill",
            ROLL,
            |c| {
                c.census.filled.insert("registered_heads".to_owned(), 1000);
            },
            &["YB-3107"],
            Verdict::Quarantined,
            "参保人数",
        ),
        (
            "fill collapses",
            ROLL,
            |c| {
                c.census.filled.insert("paying_heads".to_owned(), 440);
            },
            &["YB-3108"],
            Verdict::Quarantined,
            "缴费人数",
        ),
        (
            "fill collapses to nothing",
            ROLL,
            |c| {
                c.census.filled.remove("paying_heads");
            },
            &["YB-3108"],
            Verdict::Quarantined,
            "0%",
        ),
        (
            "fill drops",
            ROLL,
            |c| {
                c.census.filled.insert("paying_heads".to_owned(), 600);
            },
            &["YB-3109"],
            Verdict::AcceptedWithWarnings,
            "缴费人数",
        ),
        (
            "sparse fill drops",
            ROLL,
            |c| {
                c.census.filled.insert("unit_state".to_owned(), 0);
            },
            &["YB-3109"],
            Verdict::AcceptedWithWarnings,
            "单位参保状态",
        ),
        (
            "many missing",
            MARKET,
            |c| c.changes.missing = 200,
            &["YB-3110"],
            Verdict::Quarantined,
            "200",
        ),
        (
            "keys renumbered",
            MARKET,
            |c| {
                c.changes.missing = 100;
                c.changes.new = 80;
            },
            &["YB-3111"],
            Verdict::Quarantined,
            "整体换码",
        ),
        (
            "many missing, few new",
            MARKET,
            |c| {
                c.changes.missing = 100;
                c.changes.new = 79;
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "few renumbered",
            MARKET,
            |c| {
                c.changes.missing = 49;
                c.changes.new = 49;
                c.changes.unchanged = 500;
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "most changed",
            MARKET,
            |c| {
                c.changes.changed = 700;
                c.changes.unchanged = 500;
            },
            &["YB-3112"],
            Verdict::AcceptedWithWarnings,
            "700",
        ),
        (
            "too many bad rows",
            MARKET,
            |c| c.set_aside = 62,
            &["YB-3113"],
            Verdict::Quarantined,
            "62",
        ),
        (
            "bad rows on the bound",
            ROLL,
            |c| {
                c.rows = 1200;
                c.declared_total = None;
                c.set_aside = 24;
                c.previous.as_mut().unwrap().rows = 1200;
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "fewer than declared",
            ROLL,
            |c| c.declared_total = Some(1235),
            &["YB-3114"],
            Verdict::Quarantined,
            "少1条",
        ),
        (
            "more than declared",
            ROLL,
            |c| c.declared_total = Some(1230),
            &["YB-3114"],
            Verdict::Quarantined,
            "多4条",
        ),
        (
            "a round total",
            ROLL,
            |c| {
                c.rows = 2000;
                c.declared_total = None;
            },
            &["YB-3115"],
            Verdict::AcceptedWithWarnings,
            "2000",
        ),
        (
            "the same round total",
            ROLL,
            |c| {
                c.rows = 2000;
                c.declared_total = None;
                c.previous.as_mut().unwrap().rows = 2000;
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "a first round total",
            ROLL,
            |c| {
                c.rows = 2000;
                c.declared_total = None;
                c.previous = None;
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "a spreadsheet's end",
            ROLL,
            |c| {
                c.rows = 65_535;
                c.declared_total = None;
                c.previous = None;
            },
            &["YB-3115"],
            Verdict::AcceptedWithWarnings,
            "65535",
        ),
        (
            "tomorrow's data",
            ROLL,
            |c| c.as_of = date(2026, 3, 19),
            &["YB-3116"],
            Verdict::Quarantined,
            "2026-03-19",
        ),
        (
            "an older file",
            ROLL,
            |c| c.as_of = date(2026, 3, 16),
            &["YB-3117"],
            Verdict::Quarantined,
            "旧文件",
        ),
        (
            "a correction",
            ROLL,
            |c| c.as_of = date(2026, 3, 17),
            &["YB-3118"],
            Verdict::AcceptedWithWarnings,
            "更正件",
        ),
        (
            "the same again",
            ROLL,
            |c| {
                c.as_of = date(2026, 3, 17);
                c.changes = ChangeCounts {
                    unchanged: 1230,
                    ..ChangeCounts::default()
                };
            },
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "the file breaks off in a row",
            ROLL,
            |c| c.cut_row = Some(1235),
            &["YB-3127"],
            Verdict::Quarantined,
            "第1235行中断",
        ),
        (
            "last month's file with a new date",
            ROLL,
            |c| {
                let previous = c.previous.as_mut().unwrap();
                previous.as_of = Some(date(2026, 2, 27));
                // A whole city's roll: five times the usual.
                for census in [&mut c.census, &mut previous.census] {
                    census.content = "a0".to_owned();
                    census.records *= 5;
                    census.filled.values_mut().for_each(|filled| *filled *= 5);
                }
            },
            &["YB-3120"],
            Verdict::Quarantined,
            "旧文件换了日期",
        ),
        (
            "nothing happened since yesterday",
            ROLL,
            |c| c.census.content = "a0".to_owned(),
            &["YB-3125"],
            Verdict::AcceptedWithWarnings,
            "完全相同",
        ),
        (
            "a named unit has no row in a first batch",
            ROLL,
            |c| {
                c.previous = None;
                c.adapter.expect.units = vec!["宛城区".to_owned(), "南召".to_owned()];
                c.census.parts.remove("agency:南召县社会保险中心");
            },
            &["YB-3121"],
            Verdict::Quarantined,
            "南召",
        ),
        (
            "named units with rows",
            ROLL,
            |c| c.adapter.expect.units = vec!["宛城区".to_owned(), "南召县".to_owned()],
            &[],
            Verdict::Accepted,
            "",
        ),
        (
            "more new than declared",
            ROLL,
            |c| {
                c.adapter.expect.change.new_at_most = Some(0.05);
                c.changes.new = 100;
            },
            &["YB-3122"],
            Verdict::Quarantined,
            "新增100条",
        ),
        (
            "more changed than declared",
            ROLL,
            |c| {
                c.adapter.expect.change.changed_at_most = Some(0.01);
                c.changes.changed = 100;
            },
            &["YB-3123"],
            Verdict::Quarantined,
            "100条内容改变",
        ),
        (
            "columns come and go",
            ROLL,
            |c| c.columns = vec!["单位名称".to_owned(), "险种类型".to_owned()],
            &["YB-3124"],
            Verdict::AcceptedWithWarnings,
            "险种",
        ),
        (
            "the Spring Festival month of an increment",
            TAX,
            |c| {
                c.rows = 700;
                c.declared_total = None;
                let mut then = c.previous.clone().unwrap();
                then.rows = 720;
                c.year_before = Some(then);
            },
            &["YB-3126"],
            Verdict::AcceptedWithWarnings,
            "上年同月720行",
        ),
        (
            "smaller than the same month a year before as well",
            TAX,
            |c| {
                c.rows = 700;
                c.declared_total = None;
                let mut then = c.previous.clone().unwrap();
                then.rows = 1300;
                c.year_before = Some(then);
            },
            &["YB-3104"],
            Verdict::Quarantined,
            "700",
        ),
        (
            "two doubts",
            ROLL,
            |c| {
                c.adapter.expect.rows.max = Some(1);
                c.declared_total = Some(1);
            },
            &["YB-3103", "YB-3114"],
            Verdict::Quarantined,
            "1234",
        ),
    ];
    for (what, text, turn, codes, verdict, named) in rules {
        let mut case = healthy(text);
        turn(&mut case);
        let (found, reasons) = judged(&case);
        let said: Vec<_> = reasons.iter().map(|reason| reason.code.as_str()).collect();
        assert_eq!((said.as_slice(), found), (*codes, *verdict), "{what}");
        for reason in &reasons {
            assert!(reason.text.contains(named), "{what}: {}", reason.text);
            assert!(reason.text.contains("处理："), "{what}: {}", reason.text);
        }
    }
}

#[test]
fn a_first_batch_is_judged_by_absolute_rules_only() {
    let mut case = healthy(ROLL);
    case.previous = None;
    case.changes = ChangeCounts {
        new: 1230,
        ..ChangeCounts::default()
    };
    case.as_of = date(2025, 1, 1);
    assert_eq!(judged(&case).0, Verdict::Accepted);
    case.declared_total = Some(9);
    assert_eq!(judged(&case).0, Verdict::Quarantined);
}

#[test]
fn long_lists_of_parts_are_cut() {
    let mut case = healthy(ROLL);
    let many: Vec<String> = (0..30).map(|i| format!("insurance:{i:02}")).collect();
    let census = &mut case.previous.as_mut().unwrap().census;
    census.parts.extend(many.into_iter().map(|part| (part, 50)));
    let (_, reasons) = judged(&case);
    assert!(reasons[0].text.contains("等30个"), "{}", reasons[0].text);
    assert!(!reasons[0].text.contains("险种09"), "{}", reasons[0].text);
}

#[test]
fn records_are_counted() {
    let mut tally = Tally::default();
    let mut record = Record::new(RecordKind::InsuredRoll);
    record.fields.extend([
        (Field::Agency, Value::Text("宛城区".to_owned())),
        (Field::Insurance, Value::Text("pension".to_owned())),
        (
            Field::Month,
            Value::Month(Month {
                year: 2026,
                month: 2,
            }),
        ),
        (Field::RegisteredHeads, Value::Count(7)),
        (Field::PayingHeads, Value::Unread("若干".to_owned())),
        (Field::Name, Value::Text(String::new())),
    ]);
    tally.add(&record);
    record
        .fields
        .insert(Field::RegisteredHeads, Value::Unread("若干".to_owned()));
    tally.add(&record);
    let census = tally.census();
    assert_eq!(census.records, 2);
    assert_eq!(
        census.parts,
        map(&[("agency:宛城区", 2), ("insurance:pension", 2)])
    );
    assert_eq!(
        census.filled,
        map(&[
            ("agency", 2),
            ("insurance", 2),
            ("month", 2),
            ("registered_heads", 1)
        ])
    );
    assert_eq!(census.heads, map(&[("2026-02/pension", 7)]));

    // A slipped column makes no endless census.
    for i in 0..1000 {
        record
            .fields
            .insert(Field::Agency, Value::Text(format!("甲{i}")));
        tally.add(&record);
    }
    let census = tally.census();
    assert!(census.parts.len() <= 501);
    assert!(census.parts["agency:…"] > 0);
}
