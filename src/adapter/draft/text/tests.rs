use proptest::prelude::*;

use super::*;
use crate::adapter::draft::aliases::Aliases;
use crate::adapter::draft::layout::{Key, Layout, Table};
use crate::adapter::draft::proposal::propose;
use crate::adapter::draft::sample::Sample;
use crate::adapter::language::{Adapter, AdapterFile};
use crate::adapter::row::{Cell, Decoded, RawRow};

fn sample(file: &str, titles: &[&str], headings: &[String], rows: &[Vec<String>]) -> Sample {
    let layout = Layout {
        container: None,
        format: Table {
            name: "format.csv".into(),
            why: "按内容判断为分隔文本".into(),
            keys: vec![Key::text("header", "x", "")],
        },
        charset: "utf-8".into(),
    };
    let mut sample = Sample::new(file, layout);
    for title in titles {
        sample.take(Decoded::Title((*title).to_owned()));
    }
    sample.take(Decoded::Columns(headings.to_vec()));
    for (number, row) in (1..).zip(rows) {
        let cells = row.iter().map(|text| {
            Some(Cell {
                text: text.clone(),
                numeric: false,
            })
        });
        sample.take(Decoded::Row(&mut RawRow::of(number, cells)));
    }
    sample
}

fn checked(text: &str) -> Result<Adapter, String> {
    let file: AdapterFile = toml::from_str(text).map_err(|error| format!("{error}\n{text}"))?;
    Adapter::check("draft", "", file).map_err(|complaints| format!("{complaints:?}\n{text}"))
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_draft_says_what_it_found_and_why() {
    let aliases = Aliases::shipped().expect("the table is sound");
    let headings = owned(&[
        "序号",
        "纳税人识别号",
        "统一社会信用代码",
        "纳税人名称",
        "纳税人状态",
        "所属期",
        "个税申报人数",
        "营业收入（万元）",
        "资产总额",
        "法定代表人姓名",
        "联系电话",
        "备注",
    ]);
    let row = |code: &str, state: &str| {
        owned(&[
            "1",
            code,
            code,
            "南阳示例商贸有限公司",
            state,
            "202601",
            "3",
            "12.5",
            "30",
            "张示例",
            "0377-00000000",
            "无",
        ])
    };
    let rows = [
        row("91411303MA49U85BX9", "正常"),
        row("91350100M000100Y43", "说不清"),
    ];
    let sample = sample("sb_202601.csv", &["单位：元"], &headings, &rows);
    let proposal = propose(&sample, None, &aliases);
    assert_eq!(proposal.record, RecordKind::Tax);
    let text = toml(&proposal);
    let adapter = checked(&text).expect("sound");
    for (field, heading, unit) in [
        (Field::CreditCode, "统一社会信用代码", None),
        (Field::Name, "纳税人名称", None),
        (Field::Month, "所属期", None),
        (Field::Filers, "个税申报人数", Some("persons")),
        (Field::Revenue, "营业收入（万元）", Some("wan_yuan")),
        (Field::Assets, "资产总额", Some("yuan")),
        (Field::Phone, "联系电话", None),
    ] {
        let rule = &adapter.fields[&field];
        assert_eq!((rule.headings()[0].as_str(), rule.unit()), (heading, unit));
    }
    assert_eq!(adapter.lookup["status"]["正常"], "active");
    assert_eq!(adapter.ignore, ["序号", "纳税人识别号", "备注"]);
    assert_eq!(adapter.personal, ["法定代表人姓名"]);
    for said in [
        "列名写明万元",
        "表题写明单位为元",
        "个人信息，不进入任何记录；样本 ***",
        "也像统一社会信用代码（credit_code），已采用“统一社会信用代码”",
        "说不清",
        "pattern  = \"sb_*.csv\"",
        "as_of      = \"file_name\"",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert!(!text.contains("张示例"), "{text}");
}

#[test]
fn of_two_columns_for_one_field_the_fuller_counts() {
    let aliases = Aliases::shipped().expect("the table is sound");
    let headings = owned(&["SHXYDM", "NSRSBH", "NSRMC", "SSQ"]);
    let rows = [
        owned(&[
            "91411303MA49U85BX9",
            "91411303MA49U85BX9",
            "南阳示例一",
            "202602",
        ]),
        owned(&["", "41132552000219X", "南阳示例二", "202602"]),
        owned(&["", "91350100M000100Y43", "南阳示例三", "202602"]),
    ];
    let proposal = propose(&sample("a.csv", &[], &headings, &rows), None, &aliases);
    let code = &proposal.fields[0];
    assert_eq!(
        (code.column.as_str(), &code.also),
        ("NSRSBH", &owned(&["SHXYDM"]))
    );
}

#[test]
fn a_field_that_is_not_there_is_named_and_lets_nothing_pass() {
    let aliases = Aliases::shipped().expect("the table is sound");
    let sample = sample("x.csv", &[], &owned(&["甲", "乙"]), &[owned(&["1", "2"])]);
    let proposal = propose(&sample, Some(RecordKind::InsuredRoll), &aliases);
    assert_eq!(
        proposal.missing,
        [Field::UnitNumber, Field::Insurance, Field::Month]
    );
    let text = toml(&proposal);
    // A word field without a lookup is a fault; the placeholder has one.
    let adapter = checked(&text).expect("sound");
    assert!(adapter.fields[&Field::UnitNumber].headings()[0].contains("请填写"));
    assert!(text.contains("# 未找到必填字段 unit_number（单位编号）"));
}

#[test]
fn file_names_become_patterns() {
    for (name, wanted) in [
        ("scjg_20260302.zip", "scjg_*.zip"),
        ("202601.csv", "*.csv"),
        ("登记信息_20260302_1.xml", "登记信息_*_1.xml"),
        ("名单.xlsx", "名单*.xlsx"),
        ("名单", "名单*"),
        ("a*b_2026.csv", "*"),
        ("a[1]_2026.csv", "*"),
        ("", "*"),
    ] {
        assert_eq!(pattern(name), wanted, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_stands_in_a_sample_the_draft_is_sound(
        file in "\\PC{0,12}",
        title in "\\PC{0,20}",
        headings in proptest::collection::vec(prop_oneof!["\\PC{0,8}", "[\"\\\\\n#\t]{0,4}", Just("营业收入".to_owned()), Just("UNISCID".to_owned()), Just("参保状态".to_owned()), Just("姓名".to_owned())], 0..9),
        values in proptest::collection::vec("\\PC{0,12}", 0..9),
        kind in 0_usize..5,
    ) {
        let aliases = Aliases::shipped().expect("the table is sound");
        let kinds = [RecordKind::Registration, RecordKind::Tax, RecordKind::Transport, RecordKind::InsuredRoll];
        let sample = sample(&file, &[&title], &headings, &[values]);
        let text = toml(&propose(&sample, kinds.get(kind).copied(), &aliases));
        let checked = checked(&text);
        prop_assert!(checked.is_ok(), "{}", checked.unwrap_err());
    }
}
