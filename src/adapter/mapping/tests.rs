use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;
use crate::adapter::row::Cell;

const KEY: [u8; 32] = [7; 32];
use crate::domain::record::Month;

const TAX: &str = include_str!("../../../adapters/tax.toml");
const TRANSPORT: &str = include_str!("../../../adapters/transport.toml");
const MARKET: &str = include_str!("../../../adapters/market-regulation.toml");
const ROLL: &str = include_str!("../../../adapters/insured-roll.toml");

const CODE: &str = "91350100M000100Y43";
const DELIVERED: Date = date(2026, 3, 18);

fn adapter(text: &str) -> Adapter {
    Adapter::check("x", "0", toml::from_str(text).unwrap()).unwrap()
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[allow(clippy::unnecessary_wraps, reason = "a raw row holds options")]
fn cell(text: &str) -> Option<Cell> {
    Some(Cell {
        text: text.to_owned(),
        numeric: false,
    })
}

/// Maps one row given as heading → text.
fn map(adapter: &Adapter, row: &[(&str, &str)]) -> Mapped {
    let mut mapper = Mapper::new(adapter, "x_20260318.zip", DELIVERED, &KEY);
    let headings: Vec<&str> = row.iter().map(|(heading, _)| *heading).collect();
    mapper.columns(&strings(&headings)).unwrap();
    mapper.row(&RawRow::of(7, row.iter().map(|(_, text)| cell(text))))
}

fn codes(issues: &[Issue]) -> Vec<&str> {
    issues.iter().map(|issue| issue.code.as_str()).collect()
}

fn with<'t>(
    base: &[(&'t str, &'t str)],
    heading: &'t str,
    text: &'t str,
) -> Vec<(&'t str, &'t str)> {
    let mut row: Vec<_> = base
        .iter()
        .copied()
        .filter(|(other, _)| *other != heading)
        .collect();
    row.push((heading, text));
    row
}

const FIRM: &[(&str, &str)] = &[
    ("UNISCID", CODE),
    ("ENTNAME", "南阳试例商贸有限公司"),
    ("REGSTATE_CN", "存续（在营、开业、在册）"),
];

#[test]
fn a_registration_is_mapped_whole_and_without_personal_columns() {
    let adapter = adapter(MARKET);
    let mapped = map(
        &adapter,
        &[
            ("PRIPID", "p1"),
            ("UNISCID", " 91350100m000100y43\t"),
            ("ENTNAME", "南阳试例商贸（集团）有限公司"),
            ("REGSTATE_CN", "在营（开业）企业"),
            ("INDUSTRYCO", "6210"),
            ("ESTDATE", "2023年4月1日"),
            ("APPRDATE", "45017"),
            ("REGORG", "４１１３０２"),
            ("TOWN", "官庄镇"),
            ("TEL", "000-00000000"),
            ("EMPNUM", "１２人"),
            ("VENDINC", "1,234.5"),
            ("ASSGRO", "500万元（认缴）"),
            ("ANCHEYEAR", "2025"),
            ("LEREP", "某某"),
            ("CERNO", "11010519491231002X"),
        ],
    );
    assert_eq!(mapped.issues, []);
    let record = mapped.record.unwrap();
    let text = |field| record.text(field);
    assert_eq!(text(Field::CreditCode), Some(CODE));
    assert_eq!(text(Field::Name), Some("南阳试例商贸（集团）有限公司"));
    assert_eq!(text(Field::Status), Some("active"));
    assert_eq!(text(Field::Region), Some("411302"));
    assert_eq!(record.date(Field::Founded), Some(date(2023, 4, 1)));
    assert_eq!(record.date(Field::Approved), Some(date(2023, 4, 1)));
    assert_eq!(record.count(Field::Employees), Some(12));
    assert_eq!(record.count(Field::ReportYear), Some(2025));
    assert_eq!(record.money(Field::Revenue), Some(1_234_500_000));
    assert_eq!(record.money(Field::Assets), Some(500_000_000));
    let kept = format!("{record:?}");
    assert!(!kept.contains("某某") && !kept.contains("1949"), "{kept}");
}

#[test]
fn doubtful_optional_cells_stay_unread_with_an_issue() {
    let adapter = adapter(MARKET);
    for (heading, text, field, code, kept) in [
        (
            "REGSTATE_CN",
            "乱写",
            Field::Status,
            "YB-2207",
            Some("乱写"),
        ),
        (
            "EMPNUM",
            "1-49人",
            Field::Employees,
            "YB-2209",
            Some("1-49人"),
        ),
        (
            "EMPNUM",
            "10000人以上",
            Field::Employees,
            "YB-2209",
            Some("10000人以上"),
        ),
        ("EMPNUM", "-5", Field::Employees, "YB-2209", Some("-5")),
        ("ANCHEYEAR", "25", Field::ReportYear, "YB-2209", Some("25")),
        (
            "VENDINC",
            "6350万美元",
            Field::Revenue,
            "YB-2210",
            Some("6350万美元"),
        ),
        (
            "ESTDATE",
            "202304",
            Field::Founded,
            "YB-2208",
            Some("202304"),
        ),
        (
            "ESTDATE",
            "2026-03-19",
            Field::Founded,
            "YB-2211",
            Some("2026-03-19"),
        ),
        (
            "PARENTCODE",
            "9.11522E+17",
            Field::HeadOfficeCode,
            "YB-2205",
            Some("9.11522E+17"),
        ),
        // A citizen id is never kept, wherever it stands.
        (
            "PARENTCODE",
            "11010519491231002X",
            Field::HeadOfficeCode,
            "YB-2206",
            None,
        ),
        (
            "EMPNUM",
            "11010519491231002X",
            Field::Employees,
            "YB-2206",
            None,
        ),
        ("DOM", "11010519491231002X", Field::Address, "YB-2206", None),
    ] {
        let mapped = map(&adapter, &with(FIRM, heading, text));
        assert_eq!(codes(&mapped.issues), [code], "{heading} {text}");
        let issue = &mapped.issues[0];
        assert_eq!((issue.row, issue.column.as_str()), (7, heading));
        assert!(issue.reason.contains("处理："), "{}", issue.reason);
        if code == "YB-2206" {
            assert_eq!(issue.value, "110****2X", "{heading}");
        }
        let record = mapped.record.unwrap();
        assert_eq!(
            record.fields.get(&field).cloned(),
            kept.map(|text| Value::Unread(text.to_owned())),
            "{heading} {text}"
        );
        assert_eq!(record.count(field), None);
    }
}

#[test]
fn absent_is_unknown_and_no_issue() {
    let adapter = adapter(MARKET);
    for (heading, text, field) in [
        ("EMPNUM", "-", Field::Employees),
        ("EMPNUM", "未公示", Field::Employees),
        ("VENDINC", "/", Field::Revenue),
        ("ESTDATE", "0000-00-00", Field::Founded),
        ("ESTDATE", "9999-12-31", Field::Founded),
        ("REGSTATE_CN", " ", Field::Status),
        ("TEL", "", Field::Phone),
    ] {
        let mapped = map(&adapter, &with(FIRM, heading, text));
        assert_eq!(mapped.issues, [], "{heading} {text}");
        assert!(
            !mapped.record.unwrap().fields.contains_key(&field),
            "{heading} {text}"
        );
    }
}

#[test]
fn credit_codes() {
    let adapter = adapter(MARKET);
    // Kept, perhaps with a doubt.
    for (text, kept, wanted) in [
        (CODE, CODE, &[][..]),
        ("９１３５０１００Ｍ０００１００Ｙ４３", CODE, &[]),
        ("'91 350100 M000100Y4 3", CODE, &[]),
        ("91110000600037341N", "91110000600037341N", &["YB-2204"]),
        ("91350211M00013FA1N", "91350211M00013FA1N", &["YB-2204"]),
        ("110000600037341", "110000600037341", &[]),
        ("11000060003734100000", "11000060003734100000", &[]),
    ] {
        let mapped = map(&adapter, &with(FIRM, "UNISCID", text));
        assert_eq!(codes(&mapped.issues), wanted, "{text}");
        let record = mapped.record.unwrap_or_else(|| panic!("{text} is kept"));
        assert_eq!(record.text(Field::CreditCode), Some(kept), "{text}");
    }
    // Set aside.
    for (text, code, shown) in [
        ("", "YB-2201", ""),
        ("-", "YB-2201", "-"),
        ("12345", "YB-2203", "*****"),
        ("A1110000600037341L", "YB-2203", "A11****1L"),
        ("91350100MOOO1OOY43", "YB-2203", "913****43"),
        ("9.11522E+17", "YB-2205", "9.11522E+17"),
        ("911522010783762000", "YB-2205", "911522010783762000"),
        ("11010519491231002X", "YB-2206", "110****2X"),
        ("11010519491231002X00", "YB-2206", "110****00"),
    ] {
        let mapped = map(&adapter, &with(FIRM, "UNISCID", text));
        assert_eq!(mapped.record, None, "{text}");
        assert_eq!(codes(&mapped.issues), [code], "{text}");
        assert_eq!(mapped.issues[0].value, shown, "{text}");
        assert!(mapped.issues[0].reason.contains("本行未采用"), "{text}");
    }
}

#[test]
fn a_code_stored_as_a_number_sets_its_row_aside() {
    let adapter = adapter(MARKET);
    let mut mapper = Mapper::new(&adapter, "x_20260318.zip", DELIVERED, &KEY);
    mapper.columns(&strings(&["UNISCID", "ENTNAME"])).unwrap();
    let outcome = mapper.row(&RawRow::of(
        3,
        vec![
            Some(Cell {
                text: "911522010783762860".to_owned(),
                numeric: true,
            }),
            cell("某公司"),
        ],
    ));
    assert_eq!(
        (outcome.record, codes(&outcome.issues)),
        (None, vec!["YB-2205"])
    );
    assert!(
        outcome.issues[0]
            .reason
            .contains("单元格设为文本格式后重新导出")
    );
}

const UNIT: &[(&str, &str)] = &[
    ("序号", "1"),
    ("单位编号", "4113-000123"),
    ("统一社会信用代码", CODE),
    ("单位名称", "南阳试例商贸有限公司"),
    ("经办机构", "南阳市宛城区社会保险中心"),
    ("险种", "110"),
    ("费款所属期", "2026年02月"),
    ("参保人数", "0"),
    ("缴费人数", ""),
    ("单位参保状态", "正常参保"),
];

#[test]
fn a_roll_row_survives_a_bad_credit_code() {
    let adapter = adapter(ROLL);
    for (text, wanted, value) in [
        (CODE, &[][..], Some(Value::Text(CODE.to_owned()))),
        ("", &[], None),
        (
            "12345",
            &["YB-2203"],
            Some(Value::Unread("12345".to_owned())),
        ),
        (
            "9.11522E+17",
            &["YB-2205"],
            Some(Value::Unread("9.11522E+17".to_owned())),
        ),
        ("11010519491231002X", &["YB-2206"], None),
    ] {
        let mapped = map(&adapter, &with(UNIT, "统一社会信用代码", text));
        assert_eq!(codes(&mapped.issues), wanted, "{text}");
        let record = mapped.record.unwrap_or_else(|| panic!("{text}"));
        assert_eq!(
            record.fields.get(&Field::CreditCode).cloned(),
            value,
            "{text}"
        );
        assert_eq!(record.key(), "4113000123|pension|2026-02");
        assert_eq!(record.count(Field::RegisteredHeads), Some(0));
        assert_eq!(record.count(Field::PayingHeads), None);
    }
    for (heading, text, code) in [
        ("险种", "310", "YB-2207"),
        ("费款所属期", "2026年第一季度", "YB-2208"),
        ("单位编号", "", "YB-2201"),
        ("单位编号", "4.11E+15", "YB-2205"),
    ] {
        let mapped = map(&adapter, &with(UNIT, heading, text));
        assert_eq!(
            (mapped.record, codes(&mapped.issues)),
            (None, vec![code]),
            "{heading} {text}"
        );
    }
}

#[test]
fn totals_and_empty_rows_are_no_rows() {
    let adapter = adapter(ROLL);
    for first in ["合计", "总 计", "小计：", "合　计", " "] {
        let mapped = map(
            &adapter,
            &[
                ("序号", first),
                ("单位编号", ""),
                ("单位名称", ""),
                ("险种", ""),
                ("费款所属期", ""),
            ],
        );
        assert_eq!(mapped, Mapped::total(), "{first:?}");
    }
    // A firm may be called so: it has its keys.
    let named = with(UNIT, "序号", "合计商贸");
    let mut row = vec![("序号", "合计商贸")];
    row.extend(named.into_iter().filter(|(heading, _)| *heading != "序号"));
    assert!(map(&adapter, &row).record.is_some());
}

#[test]
fn headings_are_matched_after_folding_and_strangers_told() {
    let adapter = adapter(TAX);
    let mut mapper = Mapper::new(&adapter, "202602.csv", DELIVERED, &KEY);
    let headings = strings(&[
        "序号",
        "纳税人\n识别号",
        "纳税人名称 ",
        "所属期",
        "新列",
        "",
        "新列",
        "联系电话",
        "联系电话",
    ]);
    let issues = mapper.columns(&headings).unwrap();
    assert_eq!(
        issues
            .iter()
            .map(|issue| (issue.row, issue.column.as_str(), issue.code.as_str()))
            .collect::<Vec<_>>(),
        [(0, "联系电话", "YB-2215"), (0, "新列", "YB-2202")]
    );
    assert_eq!(mapper.columns(&headings).unwrap(), [], "said once");
    let cells = ["1", CODE, "甲", "202602", "x", "", "", "111", "222"]
        .iter()
        .map(|text| cell(text));
    let record = mapper.row(&RawRow::of(4, cells)).record.unwrap();
    assert_eq!(
        record.text(Field::Phone),
        None,
        "two columns of one name mean neither"
    );
    assert_eq!(record.month(), Month::parse("2026-02"));
}

#[test]
fn aliases_in_order() {
    let adapter = adapter(TAX);
    let row = [
        ("纳税人识别号", "12345"),
        ("统一社会信用代码", CODE),
        ("纳税人名称", "甲"),
        ("所属期", "202602"),
    ];
    assert_eq!(
        map(&adapter, &row).record.unwrap().text(Field::CreditCode),
        Some(CODE)
    );
}

#[test]
fn a_missing_or_double_required_column_refuses_the_file() {
    let adapter = adapter(TAX);
    for (headings, code, named) in [
        (
            &["序号", "纳税人名称", "所属期"][..],
            "YB-2110",
            "纳税人识别号",
        ),
        (
            &["纳税人识别号", "纳税人名称", "所属期", "所属期"],
            "YB-2119",
            "所属期",
        ),
    ] {
        let error = Mapper::new(&adapter, "x", DELIVERED, &KEY)
            .columns(&strings(headings))
            .unwrap_err();
        assert_eq!(error.code, code);
        assert!(
            error.text.contains(named) && error.text.contains("处理："),
            "{}",
            error.text
        );
    }
}

#[test]
fn columns_of_xml_grow() {
    let adapter = adapter(MARKET);
    let mut mapper = Mapper::new(&adapter, "scjg_20260302.zip", DELIVERED, &KEY);
    assert_eq!(mapper.columns(&strings(&["ENTNAME"])).unwrap(), []);
    let first = mapper.row(&RawRow::of(1, vec![cell("甲")]));
    assert_eq!(
        (first.record, codes(&first.issues)),
        (None, vec!["YB-2201"])
    );
    assert_eq!(
        mapper.as_of().unwrap_err().code,
        "YB-2110",
        "no record ever had a code"
    );
    let issues = mapper
        .columns(&strings(&["ENTNAME", "UNISCID", "NEW"]))
        .unwrap();
    assert_eq!(codes(&issues), ["YB-2202"]);
    assert!(
        mapper
            .row(&RawRow::of(2, vec![cell("乙"), cell(CODE)]))
            .record
            .is_some()
    );
    assert_eq!(mapper.as_of(), Ok(date(2026, 3, 2)));
}

#[test]
fn dates_in_names() {
    for (name, wanted) in [
        ("scjg_20260302.zip", Some(date(2026, 3, 2))),
        ("411300_scjg_20260302153000.zip", Some(date(2026, 3, 2))),
        ("20260301_20260302.xml", Some(date(2026, 3, 2))),
        ("/export/202602.csv", Some(date(2026, 2, 28))),
        ("202602_20260305.csv", Some(date(2026, 3, 5))),
        ("scjg_20261302.zip", None),
        ("scjg.zip", None),
        ("411300.zip", None),
    ] {
        assert_eq!(date_in_name(name), wanted, "{name}");
    }
}

#[test]
fn as_of_of_every_kind() {
    let titled = adapter(TAX);
    let mut mapper = Mapper::new(&titled, "x", DELIVERED, &KEY);
    assert_eq!(mapper.as_of().unwrap_err().code, "YB-2120");
    assert_eq!(mapper.title("南阳市税务申报月度数据"), []);
    assert_eq!(mapper.title("数据截止日期：2026-03-18  单位：元"), []);
    assert_eq!(mapper.as_of(), Ok(date(2026, 3, 18)));

    for (line, wanted) in [
        ("数据日期：2026年3月2日", date(2026, 3, 2)),
        ("数据日期 20260302", date(2026, 3, 2)),
        ("数据日期: 2026年2月", date(2026, 2, 28)),
    ] {
        let roll = adapter(ROLL);
        let mut mapper = Mapper::new(&roll, "x", DELIVERED, &KEY);
        mapper.title(line);
        assert_eq!(mapper.as_of(), Ok(wanted), "{line}");
    }

    let column = adapter(TRANSPORT);
    let mut mapper = Mapper::new(&column, "x", DELIVERED, &KEY);
    assert_eq!(
        mapper
            .columns(&strings(&["uscc", "owner", "permit_no", "data_date"]))
            .unwrap(),
        []
    );
    for day in ["2026-03-01", "2026/3/2", "不详", ""] {
        mapper.row(&RawRow::of(
            1,
            vec![cell(CODE), cell("甲"), cell("豫1"), cell(day)],
        ));
    }
    assert_eq!(mapper.as_of(), Ok(date(2026, 3, 2)));

    let month = adapter(&TAX.replace("{ title = \"数据截止日期\" }", "{ month = \"所属期\" }"));
    let mut mapper = Mapper::new(&month, "x", DELIVERED, &KEY);
    mapper
        .columns(&strings(&["纳税人识别号", "纳税人名称", "所属期"]))
        .unwrap();
    mapper.row(&RawRow::of(1, vec![cell(CODE), cell("甲"), cell("202602")]));
    mapper.row(&RawRow::of(2, vec![cell("合计"), None, cell("202612")]));
    assert_eq!(mapper.as_of(), Ok(date(2026, 2, 28)));

    let delivery = adapter(&TAX.replace("{ title = \"数据截止日期\" }", "\"delivery\""));
    assert_eq!(
        Mapper::new(&delivery, "x", DELIVERED, &KEY).as_of(),
        Ok(DELIVERED)
    );
}

#[test]
fn a_disputed_unit_makes_bare_figures_unknown() {
    let adapter = adapter(TAX);
    let mut mapper = Mapper::new(&adapter, "x", DELIVERED, &KEY);
    let issues = mapper.title("数据截止日期：2026-03-18 单位：万元");
    assert_eq!(codes(&issues), ["YB-2212", "YB-2212"]);
    assert_eq!(mapper.title("单位：万元"), [], "said once");
    mapper
        .columns(&strings(&[
            "纳税人识别号",
            "纳税人名称",
            "所属期",
            "营业收入",
            "资产总额",
        ]))
        .unwrap();
    let outcome = mapper.row(&RawRow::of(
        4,
        vec![
            cell(CODE),
            cell("甲"),
            cell("202602"),
            cell("120"),
            cell("5万元"),
        ],
    ));
    assert_eq!(outcome.issues, []);
    let record = outcome.record.unwrap();
    assert_eq!(
        record.fields.get(&Field::Revenue),
        Some(&Value::Unread("120".to_owned()))
    );
    assert_eq!(record.money(Field::Assets), Some(5_000_000));
}

#[test]
fn revenue_per_head_shows_a_wrong_unit() {
    let adapter = adapter(TAX);
    for (heads, revenue, wanted) in [
        ("10", "5,000,000.00", &[][..]),
        ("10", "50000000000", &["YB-2213"]),
        ("10", "50", &["YB-2213"]),
        ("2", "5", &[]),
        ("10", "0", &[]),
        ("", "50000000000", &[]),
    ] {
        let row = [
            ("纳税人识别号", CODE),
            ("纳税人名称", "甲"),
            ("所属期", "202602"),
            ("从业人数", heads),
            ("营业收入", revenue),
        ];
        let mapped = map(&adapter, &row);
        assert_eq!(codes(&mapped.issues), wanted, "{heads} {revenue}");
        assert!(mapped.record.unwrap().money(Field::Revenue).is_some());
    }
}

#[test]
fn what_a_row_alone_shows_to_be_untrue_is_told_and_kept() {
    let mut market = adapter(MARKET);
    market.regions = ["411303".to_owned(), "宛城区".to_owned()].into();
    for (column, text, wanted) in [
        ("INDUSTRYCO", "F5211", &[][..]),
        ("INDUSTRYCO", "9911", &["YB-2216"]),
        ("INDUSTRYCO", "百货", &["YB-2216"]),
        ("INDUSTRYCO", "C5211", &[]),
        ("EMPNUM", "100000", &[]),
        ("EMPNUM", "100001", &["YB-2217"]),
        ("EMPNUM", "-5", &["YB-2209"]),
        ("REGORG", "411303", &[]),
        ("REGORG", "411303000", &[]),
        ("REGORG", "411399", &["YB-2218"]),
        ("ESTDATE", "2062-01-01", &["YB-2211"]),
    ] {
        let mapped = map(&market, &with(FIRM, column, text));
        assert_eq!(codes(&mapped.issues), wanted, "{column} {text}");
        assert!(mapped.record.is_some(), "{column} {text}");
    }
    // Without a word of the counties there are, none is wrong.
    market.regions.clear();
    assert_eq!(map(&market, &with(FIRM, "REGORG", "411399")).issues, []);
}

#[test]
fn long_texts_are_cut_and_defaults_fill_gaps() {
    let market = adapter(MARKET);
    let long = "经营".repeat(600);
    let mapped = map(&market, &with(FIRM, "OPSCOPE", &long));
    assert_eq!(codes(&mapped.issues), ["YB-2214"]);
    assert!(mapped.issues[0].value.chars().count() <= SHOWN_CHARS);
    assert_eq!(
        mapped
            .record
            .unwrap()
            .text(Field::BusinessScope)
            .unwrap()
            .chars()
            .count(),
        1000
    );

    let text = MARKET.replace(
        "lookup = \"status\" }",
        "lookup = \"status\", default = \"unclear\" }",
    );
    let mapped = map(&adapter(&text), &with(FIRM, "REGSTATE_CN", ""));
    assert_eq!(mapped.record.unwrap().text(Field::Status), Some("unclear"));
}

#[test]
fn masked_fields_are_masked_in_issues() {
    let adapter = adapter(MARKET);
    let long = "0".repeat(200);
    let mapped = map(&adapter, &with(FIRM, "TEL", &long));
    assert_eq!(mapped.issues[0].value, "000****00");
}

proptest! {
    #[test]
    fn nothing_panics(texts in proptest::collection::vec("\\PC{0,20}", 10)) {
        let adapter = adapter(ROLL);
        let headings: Vec<&str> = UNIT.iter().map(|(heading, _)| *heading).collect();
        let mut mapper = Mapper::new(&adapter, &texts[0], DELIVERED, &KEY);
        mapper.title(&texts[1]);
        mapper.columns(&strings(&headings)).unwrap();
        let mapped = mapper.row(&RawRow::of(1, texts.iter().map(|text| cell(text))));
        prop_assert!(mapped.is_total || mapped.record.is_some() || !mapped.issues.is_empty());
    }

    #[test]
    fn columns_may_stand_in_any_order(order in Just(UNIT.to_vec()).prop_shuffle()) {
        let adapter = adapter(ROLL);
        prop_assert_eq!(map(&adapter, &order).record, map(&adapter, UNIT).record);
    }
}

/// A tax feed whose month stands above the table or in the file's name, with a column about persons.
fn monthly(period: &str) -> Adapter {
    let text = format!(
        r#"
department = "税务"
title = "月报"
basis = "社会保险经办条例第九条"
record = "tax"
mode = "increment"
as_of = "delivery"
period = {period}
transport.folder = {{ endpoint = "tax", pattern = "sb_*.csv", marker = ".ok" }}
format.csv.header = "税号"
personal.columns = ["法人证件号码", "经办人"]

[fields]
credit_code = {{ from = "税号", required = true }}
representative = "法人证件号码"
effective = "变更日期"
"#
    );
    Adapter::check("tax", "0", toml::from_str(&text).unwrap()).unwrap()
}

#[test]
fn a_file_says_its_month_once() {
    let month = |year, month| Some(Month { year, month });
    for (period, name, title, wanted) in [
        ("\"file_name\"", "sb_202602.csv", "", month(2026, 2)),
        ("\"file_name\"", "sb_20260315.csv", "", month(2026, 3)),
        ("\"file_name\"", "sb_x.csv", "", None),
        (
            "{ title = \"所属期\" }",
            "x.csv",
            "申报汇总 所属期：2026年2月",
            month(2026, 2),
        ),
        ("{ title = \"所属期\" }", "x.csv", "申报汇总", None),
    ] {
        let adapter = monthly(period);
        let mut mapper = Mapper::new(&adapter, name, DELIVERED, &KEY);
        mapper.title(title);
        mapper
            .columns(&strings(&["税号", "法人证件号码", "变更日期"]))
            .unwrap();
        let mapped = mapper.row(&RawRow::of(
            2,
            vec![cell(CODE), cell(""), cell("2026-02-03")],
        ));
        let found = mapped.record.as_ref().and_then(Record::month);
        assert_eq!(found, wanted, "{period} {name} {title}");
        match wanted {
            Some(_) => assert_eq!(mapper.as_of(), Ok(DELIVERED)),
            None => assert_eq!(mapper.as_of().unwrap_err().code, "YB-2129"),
        }
    }
}

#[test]
fn columns_about_persons_are_emptied_or_become_pseudonyms() {
    let adapter = monthly("\"file_name\"");
    let read = |key: &[u8; 32], id: &str| {
        let mut mapper = Mapper::new(&adapter, "sb_202602.csv", DELIVERED, key);
        let issues = mapper
            .columns(&strings(&["税号", "法人证件号码", "经办人"]))
            .unwrap();
        assert_eq!(issues, Vec::new(), "a column about persons is known");
        let mut row = RawRow::of(2, vec![cell(CODE), cell(id), cell("某人")]);
        mapper.depersonalise(&mut row);
        assert_eq!(row.cell(2), None, "dropped before the mapping sees it");
        let mapped = mapper.row(&row);
        let record = mapped.record.unwrap();
        let kept = record.text(Field::Representative).map(str::to_owned);
        assert!(!format!("{record:?}{:?}", mapped.issues).contains("41130019"));
        kept.unwrap_or_default()
    };
    let one = read(&KEY, "41130019800101001X");
    assert_eq!(one.len(), 32);
    assert_eq!(
        read(&KEY, " 41130019800101001x"),
        one,
        "the same person, written another way"
    );
    assert_ne!(read(&KEY, "411300198001010028"), one);
    assert_ne!(read(&[8; 32], "41130019800101001X"), one, "another key");
    assert_eq!(read(&KEY, ""), "");
    assert_eq!(
        read(&KEY, "4.1130019800101E+17"),
        "",
        "lost digits make nobody equal"
    );
}

proptest::proptest! {
    /// What the short way makes of a cell is what reading it gives, whatever the text.
    #[test]
    fn the_short_way_of_a_cell_gives_what_reading_gives(
        text in "(91[0-9]{6}[A-Z0-9]{10}|[0-9]{17}[0-9X]|[一-丁甲乙()（）、a-z0-9 ]{0,40}|无|-|[A-Z0-9]{18}|[A-Z0-9]{1,5}|NULL|1E5|[0-9]{15}|\\PC{0,12}|\
            (18|19|20|21|22|99|00)[0-9]{2}[-/.][0-9]{0,3}[-/.][0-9]{0,3}|[0-9]{4}[-/.]1?[0-9][-/.][0-9]{1,2}日?)",
        numeric in proptest::bool::ANY,
        at in 0..Field::ALL.len(),
    ) {
        let field = Field::ALL[at];
        let reader = cell::Reader {
            field,
            unit: MoneyUnit::Yuan,
            lookup: None,
            delivered: DELIVERED,
            pseudonym_key: &KEY,
        };
        let whole = CellText { text: &text, numeric };
        if let Some(value) = cell::plain(&reader, whole) {
            let read = cell::read(&reader, whole);
            proptest::prop_assert_eq!(read.value, Some(value.into()));
            proptest::prop_assert_eq!(read.fault, None);
        }
    }
}

#[test]
fn a_text_read_before_is_read_the_same_again() {
    let adapter = adapter(MARKET);
    let mut mapper = Mapper::new(&adapter, "x_20260318.zip", DELIVERED, &KEY);
    let firm = with(FIRM, "ESTDATE", "2023-04-01");
    let headings: Vec<&str> = firm.iter().map(|(heading, _)| *heading).collect();
    mapper.columns(&strings(&headings)).unwrap();
    let mut once =
        |row: &[(&str, &str)]| mapper.row(&RawRow::of(7, row.iter().map(|(_, text)| cell(text))));
    let first = once(&firm);
    assert_eq!(once(&firm), first);
    // A fault is told every time.
    let faulty = with(FIRM, "ESTDATE", "2023-13-40");
    let told = once(&faulty);
    assert!(!told.issues.is_empty());
    assert_eq!(once(&faulty), told);
}
