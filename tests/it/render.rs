//! Papers compared byte for byte with the kept ones; `YINGBAO_RENEW=1` writes them anew, to be looked at before they
//! are committed. Workbooks are read back with the reader that intake uses.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use calamine::{Data, Reader as _, Xlsx};
use jiff::civil::{Date, date};

use yingbao::domain::bulletin::{self, Base, Bulletin, CaseFlow, SourceNote, UnitFigures, Work};
use yingbao::domain::case::{
    self, Case, CaseEvent, ClerkEvent, ClosingReason, Contact, ContactKind, Step,
};
use yingbao::domain::finding::{Finding, FindingKind, Ground, Insurance};
use yingbao::domain::record::Month;
use yingbao::render::call_list::{self, Call, CallList};
use yingbao::render::demo::{self, CutRoll, FunnelLine, Index, Story};
use yingbao::render::letter::{self, Letter};
use yingbao::render::mail::{self, Mail};
use yingbao::render::sms::{self, FirmText};
use yingbao::render::transfer::{self, Transfer};
use yingbao::render::worklist::{self, WorkRow, Worklist};

const MARK: &str = "演示数据，纯属虚构";
const DAY: Date = date(2026, 3, 5);
const CENTRE: &str = "南阳市社会保险中心";
const AGENCY: &str = "南阳市宛城区社会保险中心";

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// Compares with the kept paper, or keeps it.
#[expect(clippy::disallowed_methods)] // A test's own switch; no setting of the program.
fn compare(name: &str, text: &str) {
    let path = golden(name);
    if std::env::var("YINGBAO_RENEW").is_ok() {
        fs::create_dir_all(path.parent().expect("has a folder")).expect("folder");
        fs::write(&path, text).expect("written");
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept == text {
        return;
    }
    let place = kept
        .lines()
        .zip(text.lines())
        .position(|(a, b)| a != b)
        .unwrap_or_else(|| kept.lines().count().min(text.lines().count()));
    panic!(
        "{name} differs from line {}:\n  kept {:?}\n  now  {:?}\nLook at it; YINGBAO_RENEW=1 keeps the new one.",
        place + 1,
        kept.lines().nth(place),
        text.lines().nth(place)
    );
}

#[expect(clippy::unnecessary_wraps)] // As every paper takes it.
fn mark() -> Option<String> {
    Some(MARK.to_owned())
}

fn a_letter(step: Step, findings: Vec<(FindingKind, Vec<Insurance>)>) -> Letter {
    Letter {
        demo_mark: mark(),
        step,
        agency: AGENCY.into(),
        agency_phone: None,
        firm: "南阳晨光虚构食品有限公司".into(),
        credit_code: "91411302MA00DEMO0X".into(),
        address: "南阳市宛城区虚构路1号".into(),
        findings,
        day: DAY,
        answer: if step == Step::Reminder {
            "10个工作日"
        } else {
            "15日"
        }
        .into(),
        cases: vec!["EMA00DEMO0-A-1".into()],
    }
}

#[test]
fn letters_are_as_kept() {
    let all = || Insurance::ALL.to_vec();
    let notice = a_letter(Step::RegistrationNotice, vec![(FindingKind::Absent, all())]);
    compare("letters/notice.html", &letter::html(&notice).unwrap());
    let mut bundle = a_letter(
        Step::Reminder,
        vec![
            (FindingKind::KindsMissing, vec![Insurance::WorkInjury]),
            (
                FindingKind::FewerInsured,
                vec![Insurance::Pension, Insurance::Unemployment],
            ),
        ],
    );
    bundle.demo_mark = None;
    bundle.agency_phone = Some("000-12345678".into());
    bundle.cases = vec!["EMA00DEMO0-F-1".into(), "EMA00DEMO0-K-1".into()];
    compare("letters/reminder.html", &letter::html(&bundle).unwrap());
    // The longest that can be: every finding, a long name, a demo; still one sheet of A4 (looked at in print).
    let mut longest = a_letter(
        Step::Reminder,
        FindingKind::ALL
            .into_iter()
            .filter(|kind| kind.opens_case())
            .map(|kind| (kind, all()))
            .collect(),
    );
    longest.firm = "南阳市宛城区晨光虚构食品加工贸易有限责任公司第一分公司".into();
    longest.cases = ["A", "F", "K", "N"]
        .map(|letter| format!("EMA00DEMO0-{letter}-1"))
        .to_vec();
    compare("letters/longest.html", &letter::html(&longest).unwrap());
}

fn as_text(mail: &Mail) -> String {
    format!("{}\n\n{}\n", mail.subject, mail.text)
}

fn county_alert(quiet: bool) -> mail::CountyAlert {
    mail::CountyAlert {
        demo_mark: mark(),
        centre: CENTRE.into(),
        agency: AGENCY.into(),
        day: DAY,
        dispatched: (!quiet).then_some((3, 42, date(2026, 3, 26))),
        checking: if quiet { (0, 0) } else { (57, 4) },
        letters: if quiet { 0 } else { 6 },
        calls: if quiet { 0 } else { 5 },
        unreachable: usize::from(!quiet) * 2,
        remark: (!quiet).then(|| "另有18件待下发，按每批上限顺延。".into()),
    }
}

fn firm_mail(step: Step) -> mail::FirmMail {
    mail::FirmMail {
        demo_mark: mark(),
        step,
        agency: AGENCY.into(),
        agency_phone: Some("000-12345678".into()),
        firm: "南阳晨光虚构食品有限公司".into(),
        findings: vec![(FindingKind::NobodyInsured, Insurance::ALL.to_vec())],
        answer: "15日".into(),
        cases: vec!["EMA00DEMO0-N-1".into()],
        day: DAY,
    }
}

fn transfer_mail(copy: bool) -> mail::TransferMail {
    mail::TransferMail {
        demo_mark: mark(),
        centre: CENTRE.into(),
        agency: AGENCY.into(),
        to: if copy {
            "稽核科"
        } else {
            "宛城区稽核股"
        }
        .into(),
        day: DAY,
        cases: 3,
        copy,
    }
}

fn feed_alert() -> mail::FeedAlert {
    mail::FeedAlert {
        demo_mark: mark(),
        centre: CENTRE.into(),
        day: DAY,
        lines: vec![
            "[YB-3004] 参保登记册应于3月3日到达，至今未到。处理：联系报送科室。".into(),
            "[YB-3002] 税务数据被拦截：\n行数骤减。处理：核对后放行或者退回。".into(),
        ],
    }
}

fn draft_mail(lines: Vec<String>) -> mail::BulletinMail {
    mail::BulletinMail {
        demo_mark: mark(),
        centre: CENTRE.into(),
        period: "2026年3月".into(),
        lines,
    }
}

#[test]
fn mails_and_texts_are_as_kept() {
    let mails = [
        ("county", mail::county_alert(&county_alert(false))),
        ("county-quiet", mail::county_alert(&county_alert(true))),
        (
            "firm-notice",
            mail::firm(&firm_mail(Step::RegistrationNotice)),
        ),
        ("firm-reminder", mail::firm(&firm_mail(Step::Reminder))),
        ("transfer", mail::transfer(&transfer_mail(false))),
        ("transfer-copy", mail::transfer(&transfer_mail(true))),
        ("feed", mail::feed_alert(&feed_alert())),
        (
            "draft",
            mail::bulletin_draft(&draft_mail(vec!["本期已核查57件。".into()])),
        ),
        ("draft-empty", mail::bulletin_draft(&draft_mail(vec![]))),
    ];
    for (name, mail) in mails {
        let mail = mail.unwrap();
        assert!(
            mail.subject.contains(MARK) && mail.text.contains(MARK),
            "{name}"
        );
        assert!(!mail.subject.contains('\n'), "{name}");
        compare(&format!("mails/{name}.txt"), &as_text(&mail));
    }
    for step in [Step::RegistrationNotice, Step::Reminder] {
        let text = sms::text(&FirmText {
            demo_mark: mark(),
            step,
            agency: AGENCY.into(),
            agency_phone: Some("000-12345678".into()),
            firm: "南阳晨光虚构食品有限公司".into(),
            answer: "15日".into(),
        })
        .unwrap();
        compare(&format!("mails/sms-{}.txt", step.word()), &text);
    }
}

fn unit(place: u64, name: &str) -> UnitFigures {
    let (checked, awaiting) = (12 + place * 3, place % 5);
    UnitFigures {
        unit: format!("4113{place:02}"),
        name: name.to_owned(),
        provincial: name == "邓州市",
        base: Base {
            registered: 4000 + place * 310,
            active: 3600 + place * 270,
            with_staff: 1400 + place * 90,
            in_scope: 1300 + place * 80,
            insured: 1100 + place * 60,
            doubtful: 60 + place * 7,
            in_hand: 40 + place * 7,
            cleared: 15,
            waiting: 5,
        },
        flow: CaseFlow {
            opening: 20 + place,
            new: 30,
            reopened: 1,
            moved_in: u64::from(place == 2),
            moved_out: u64::from(place == 3),
            closed: 9 + place,
            closing: 42 + u64::from(place == 2) - u64::from(place == 3),
        },
        work: Work {
            dispatched: 30,
            checked,
            confirmed: checked - 4,
            cleared: 4,
            awaiting,
            checks_overdue: awaiting.saturating_sub(2),
            notified: 8,
            unreachable: u64::from(place == 4) * 2,
            enrolled_firms: 3 + place,
            enrolled_heads: Insurance::ALL
                .into_iter()
                .map(|kind| (kind, 20 + place))
                .collect(),
            transferred: u64::from(place.is_multiple_of(3)),
        },
    }
}

fn a_bulletin() -> Bulletin {
    let names = [
        "宛城区",
        "卧龙区",
        "邓州市",
        "南召县",
        "方城县",
        "西峡县",
        "镇平县",
        "内乡县",
        "淅川县",
        "社旗县",
        "唐河县",
        "新野县",
        "桐柏县",
        "高新区",
        "示范区",
        "官庄工区",
        "鸭河工区",
        "卧龙综合保税区",
        "市本级",
    ];
    let units: Vec<UnitFigures> = (1u64..).zip(names).map(|(n, name)| unit(n, name)).collect();
    Bulletin {
        version: 1,
        id: "2026-03".into(),
        period: Month {
            year: 2026,
            month: 3,
        },
        cut_off: date(2026, 3, 31),
        made: "2026-04-01T01:05:00Z".parse().unwrap(),
        centre: CENTRE.into(),
        demo_mark: mark(),
        total: bulletin::total(&units),
        units,
        closed_by: BTreeMap::from([
            (ClosingReason::Enrolled, 200),
            (ClosingReason::InsuredElsewhere, 100),
            (ClosingReason::NoEmployees, 61),
        ]),
        not_accused: BTreeMap::from([
            ("已按规定参保".to_owned(), 24_310),
            ("无用工迹象（空壳或仅经营者本人）".to_owned(), 41_002),
            ("用工情况不明，列入调查清单".to_owned(), 2_310),
        ]),
        sources: vec![
            SourceNote {
                adapter: "insured_roll".into(),
                title: "参保登记册".into(),
                as_of: Some(date(2026, 3, 28)),
                accepted: 4,
                held: 1,
                remark: "3月12日一批因行数骤减被拦截，由公共业务科退回重报。".into(),
            },
            SourceNote {
                adapter: "transport".into(),
                title: "交通运输许可".into(),
                as_of: None,
                accepted: 0,
                held: 0,
                remark: "本期未收到。".into(),
            },
        ],
    }
}

#[test]
fn bulletins_are_as_kept() {
    compare(
        "bulletins/2026-03.html",
        &yingbao::render::bulletin::html(&a_bulletin()).unwrap(),
    );
    let mut empty = a_bulletin();
    empty.units.truncate(2);
    for line in &mut empty.units {
        (line.flow, line.work, line.base) = (CaseFlow::default(), Work::default(), Base::default());
    }
    empty.total = bulletin::total(&empty.units);
    empty.closed_by.clear();
    empty.not_accused.clear();
    empty.sources.clear();
    empty.demo_mark = None;
    compare(
        "bulletins/empty.html",
        &yingbao::render::bulletin::html(&empty).unwrap(),
    );
}

fn a_worklist(rows: usize) -> Worklist {
    let row = |n: usize| {
        WorkRow {
        case: format!("EMA00DEMO{n}-A-1"),
        wave: Some(3),
        stage: "核实中".into(),
        task: "电话或上门核实用工和参保情况，登记结果".into(),
        due: Some(date(2026, 3, 26)),
        late: n == 0,
        name: if n == 0 { "=1+1有限公司".into() } else { format!("南阳虚构{n}号商贸有限公司") },
        credit_code: "91411302MA00DEMO0X".into(),
        address: "+南阳市宛城区虚构路1号".into(),
        phone: "000****5678".into(),
        class: "微型".into(),
        tags: "快递".into(),
        finding: FindingKind::Absent,
        kinds: Insurance::ALL.to_vec(),
        heads: worklist::head_band(7).into(),
        grounds: vec![
            "税务，2026-02-28，gs202602.csv第118行：显示有用工（社会保险经办条例第九条）".into(),
            "参保登记册，2026-03-01，cb20260301.csv：没有该单位（社会保险法第五十七条、第五十八条）".into(),
        ],
    }
    };
    Worklist {
        demo_mark: mark(),
        unit: "宛城区".into(),
        agency: AGENCY.into(),
        day: DAY,
        rows: (0..rows).map(row).collect(),
    }
}

fn a_call_list() -> CallList {
    CallList {
        demo_mark: mark(),
        unit: "宛城区".into(),
        day: DAY,
        rows: vec![Call {
            phone: "000-12345678".into(),
            name: "南阳晨光虚构食品有限公司".into(),
            credit_code: "91411302MA00DEMO0X".into(),
            step: Step::RegistrationNotice,
            matter: "经核实尚未为职工办理参保登记，请自接到电话之日起15日内办理；原已参保、异地参保、没有用工或者停业的请说明。".into(),
            cases: vec!["EMA00DEMO0-A-1".into()],
            shared_with: 4,
        }],
    }
}

fn a_case() -> Case {
    let ground = |rule: &str, text: &str, row| Ground {
        source: "tax".into(),
        batch: "b1".into(),
        file: "gs202602.csv".into(),
        row,
        date: Some(date(2026, 2, 28)),
        text: text.into(),
        rule: rule.into(),
        article: "社会保险经办条例第九条".into(),
    };
    let finding = Finding {
        kind: FindingKind::Absent,
        kinds: Insurance::ALL.to_vec(),
        employed: 77,
        registered: BTreeMap::new(),
        roll_as_of: date(2026, 1, 2),
        grounds: vec![
            ground("coverage.evidence", "2026-02工资薪金个税申报77人", 118),
            ground("coverage.absent", "参保登记册中没有该单位", 0),
            ground("coverage.new_rule", "营业收入770万元", 9),
        ],
    };
    let clerk = |clerk_event, date, proof: Option<&str>, number: Option<&str>| CaseEvent::Clerk {
        clerk_event,
        by: "经办甲".into(),
        date,
        proof: proof.map(str::to_owned),
        number: number.map(str::to_owned),
        rule: None,
    };
    let decided = |step, day| {
        (
            CaseEvent::Decided {
                step,
                roll_as_of: day,
            },
            day,
        )
    };
    let (opened, checked, posted, reminded, overdue) = (
        date(2026, 1, 5),
        date(2026, 1, 8),
        date(2026, 1, 12),
        date(2026, 2, 2),
        date(2026, 3, 2),
    );
    let events = [
        (
            CaseEvent::Opened {
                enterprise: "EMA00DEMO0".into(),
                credit_code: "91411302MA00DEMO0X".into(),
                name: "南阳晨光虚构食品有限公司".into(),
                unit: "411302".into(),
                ordinal: 1,
                reopened: false,
                finding,
            },
            opened,
        ),
        (
            CaseEvent::Dispatched {
                wave: 1,
                due: posted,
            },
            opened,
        ),
        (
            clerk(ClerkEvent::Confirmed, checked, Some("走访记录1号"), None),
            checked,
        ),
        decided(Step::RegistrationNotice, checked),
        (
            clerk(ClerkEvent::Posted, posted, None, Some("XA00000000041")),
            posted,
        ),
        decided(Step::Reminder, reminded),
        (
            CaseEvent::Received {
                contact: Contact {
                    kind: ContactKind::SmsDelivered,
                    date: reminded,
                    by: "courier".into(),
                    number: Some("R-1".into()),
                    delivered: None,
                },
            },
            reminded,
        ),
        (CaseEvent::Overdue, overdue),
    ];
    let mut case = None;
    for (event, day) in events {
        case = Some(case::apply("EMA00DEMO0-A-1", case, &event, day).unwrap());
    }
    case.unwrap()
}

fn a_transfer() -> Transfer {
    Transfer {
        demo_mark: mark(),
        agency: AGENCY.into(),
        to: "宛城区稽核股".into(),
        day: DAY,
        cases: vec![a_case()],
    }
}

fn books() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("worklist", worklist::xlsx(&a_worklist(3)).unwrap()),
        ("worklist-empty", worklist::xlsx(&a_worklist(0)).unwrap()),
        ("calls", call_list::xlsx(&a_call_list()).unwrap()),
        ("transfer", transfer::xlsx(&a_transfer()).unwrap()),
        (
            "bulletin",
            yingbao::render::bulletin::xlsx(&a_bulletin()).unwrap(),
        ),
    ]
}

/// Every cell as text, by sheet.
fn read(bytes: &[u8]) -> Vec<(String, Vec<Vec<String>>)> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes.to_vec())).unwrap();
    let cell = |cell: &Data| match cell {
        Data::Empty => String::new(),
        other => other.to_string(),
    };
    book.worksheets()
        .into_iter()
        .map(|(name, range)| {
            let rows = range.rows().map(|row| row.iter().map(cell).collect());
            (name, rows.collect())
        })
        .collect()
}

/// Names and text of the parts of a workbook.
fn parts(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|place| {
            let mut part = archive.by_index(place).unwrap();
            // Nothing comes from the clock: the oldest moment the container knows.
            assert_eq!(part.last_modified().map(|time| time.year()), Some(1980));
            let name = part.name().unwrap().into_owned();
            let mut text = String::new();
            part.read_to_string(&mut text).unwrap();
            (name, text)
        })
        .collect()
}

#[test]
fn workbooks_are_the_same_bytes_marked_and_hold_no_formulas() {
    // The file format keeps whole seconds: two moments of one run must not differ either.
    for ((name, first), (_, second)) in books().into_iter().zip(books()) {
        assert!(first == second, "{name} differs between two writings");
        for (part, text) in parts(&first) {
            assert!(!text.contains("<f>"), "{name} {part} holds a formula");
            if part == "docProps/core.xml" {
                let day = if name == "bulletin" {
                    "2026-04-01T"
                } else {
                    "2026-03-05T"
                };
                assert_eq!(text.matches(day).count(), 2, "{name}: {text}");
            }
        }
        for (sheet, rows) in read(&first) {
            assert!(
                rows.iter().flatten().any(|cell| cell == MARK),
                "{name} {sheet}"
            );
        }
    }
}

#[test]
fn a_worklist_reads_back_as_it_was_given() {
    let sheets = read(&worklist::xlsx(&a_worklist(3)).unwrap());
    let names: Vec<&str> = sheets.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["工作清单", "填写说明"]);
    let rows = &sheets[0].1;
    assert_eq!(rows[3][0..2], ["序号", "个案编号"]);
    assert_eq!(rows[4][1], "EMA00DEMO0-A-1");
    assert_eq!(rows[4][4], "2026年3月26日\n已逾期");
    assert_eq!(rows[4][5], "=1+1有限公司");
    assert_eq!(rows[4][6], "91411302MA00DEMO0X");
    assert_eq!(rows[4][7], "+南阳市宛城区虚构路1号");
    assert_eq!(rows[4][11], "5–9人");
    assert_eq!(rows[4][13], "");
    assert_eq!(rows.len(), 7);
    let words: Vec<&str> = sheets[1].1.iter().map(|row| row[0].as_str()).collect();
    for event in ClerkEvent::ALL {
        assert!(words.contains(&event.title()), "{}", event.title());
        let command = format!("--event {} --by", event.word());
        assert!(
            sheets[1].1.iter().any(|row| row[3].contains(&command)),
            "{command}"
        );
    }
    let sheet = &parts(&worklist::xlsx(&a_worklist(3)).unwrap())["xl/worksheets/sheet1.xml"];
    for setting in [
        "<autoFilter",
        "state=\"frozen\"",
        "orientation=\"landscape\"",
        "核实属实,核实原已参保",
        "paperSize=\"9\"",
    ] {
        assert!(sheet.contains(setting), "{setting}");
    }
    let empty = read(&worklist::xlsx(&a_worklist(0)).unwrap());
    assert!(
        empty[0]
            .1
            .iter()
            .flatten()
            .any(|cell| cell.contains("没有需要办理"))
    );
}

#[test]
fn a_transfer_holds_its_proof_but_no_figures_of_the_section() {
    let sheets: BTreeMap<_, _> = read(&transfer::xlsx(&a_transfer()).unwrap())
        .into_iter()
        .collect();
    let all: Vec<&String> = sheets.values().flatten().flatten().collect();
    for secret in ["77人", "770"] {
        assert!(!all.iter().any(|cell| cell.contains(secret)), "{secret}");
    }
    let contacts = &sheets["联系记录"];
    assert!(
        contacts
            .iter()
            .any(|row| row[2] == "邮寄通知书" && row[5] == "XA00000000041" && row[4] == "经办甲")
    );
    assert!(
        contacts
            .iter()
            .any(|row| row[2] == "短信送达" && row[4] == "系统回执")
    );
    assert!(sheets["办理经过"].iter().any(|row| row[4].contains("逾期")));
    assert!(
        sheets["转稽核清单"]
            .iter()
            .any(|row| row[6] == "经办甲，2026年1月8日，走访记录1号")
    );
    assert!(
        sheets["数据依据"]
            .iter()
            .any(|row| row[5] == "参保登记册中没有该单位" && row[3] == "无此行")
    );
}

#[test]
fn a_bulletin_workbook_says_what_the_page_says() {
    let book = yingbao::render::bulletin::xlsx(&a_bulletin()).unwrap();
    let sheets: BTreeMap<_, _> = read(&book).into_iter().collect();
    for name in ["各县区进展", "个案流转", "底数漏斗", "未催原因", "数据情况"]
    {
        assert!(sheets.contains_key(name), "{name}");
    }
    let page = yingbao::render::bulletin::html(&a_bulletin()).unwrap();
    for row in sheets["各县区进展"]
        .iter()
        .filter(|row| row[0].parse::<f64>().is_ok())
    {
        assert!(
            page.contains(&format!(
                "<td>{}</td><td class=\"name\">{}</td><td>{}</td>",
                row[0], row[1], row[2]
            )),
            "{row:?}"
        );
    }
    assert!(parts(&book).contains_key("xl/charts/chart1.xml"));
    assert!(
        sheets["个案流转"]
            .iter()
            .flatten()
            .all(|cell| cell != "不符")
    );
}

fn an_index() -> Index {
    let line = |unit: &str, by: u64| FunnelLine {
        unit: unit.into(),
        firms: [6300, 5600, 2400, 2200, 1980, 160, 120, 90, 40, 6].map(|n| n * by),
        heads: [310, 290, 320].map(|n| n * by),
    };
    let reasons = |list: &[(&str, u64)]| list.iter().map(|(r, n)| ((*r).to_owned(), *n)).collect();
    let table = a_worklist(3);
    Index {
        demo_mark: MARK.into(),
        centre: CENTRE.into(),
        enterprises: 118_204,
        days: 90,
        first: Some(date(2026, 1, 5)),
        last: Some(date(2026, 4, 4)),
        funnel: vec![line("宛城区", 1), line("卧龙区", 2), line("合计", 3)],
        dirt: Some("各部门共送来31,204,118行，其中2,410,007行（7.7%）有错别字、旧号、空号、曾用名、重复等情况。".into()),
        not_accused: reasons(&[
            ("已按规定参保", 74_310),
            ("无用工迹象（空壳或仅经营者本人）", 31_002),
            ("成立未满30日，尚在法定登记期内", 410),
        ]),
        stories: (1..=7)
            .map(|n| {
                (
                    format!("第{n}个故事：通知后参保"),
                    "一户快递加盟商收到通知书后为12名职工参保。".to_owned(),
                    format!("stories/{n}.html"),
                )
            })
            .collect(),
        cut: Some(CutRoll {
            day: date(2026, 2, 12),
            file: "cb20260212.csv".into(),
            rows: (182_310, 109_400),
            reasons: vec![
                "[YB-3102] 行数比上一批减少40.0%，上限2.0%。处理：联系报送科室核对后重报。".into(),
            ],
            firms: 8_412,
            by_unit: vec![("宛城区".to_owned(), 4_120), ("卧龙区".to_owned(), 4_292)],
        }),
        stopped: vec![(
            date(2026, 3, 2),
            "gs202602.csv".into(),
            "第118行列错位，整批隔离。处理：核对表头。".into(),
        )],
        late: Some("参保登记册应于3月3日到达，3月9日才到；其间没有发出任何通知。".into()),
        links: vec![
            ("3月通报（网页）".into(), "bulletins/2026-03.html".into()),
            ("3月通报（表格）".into(), "bulletins/2026-03.xlsx".into()),
        ],
        letter: Some((
            "企业收到的通知书".into(),
            letter::html(&a_letter(
                Step::RegistrationNotice,
                vec![(FindingKind::Absent, Insurance::ALL.to_vec())],
            ))
            .unwrap(),
        )),
        worklist: Some((
            "宛城区工作清单（前3行）".into(),
            ["个案编号", "企业名称", "疑点", "用工人数", "办理期限"]
                .map(str::to_owned)
                .to_vec(),
            table
                .rows
                .iter()
                .map(|row| {
                    vec![
                        row.case.clone(),
                        row.name.clone(),
                        row.finding.title().to_owned(),
                        row.heads.clone(),
                        "2026年3月26日".to_owned(),
                    ]
                })
                .collect(),
        )),
        headline: vec![
            (
                "核实后通知".into(),
                "1,204户".into(),
                "均经具名人员核实".into(),
            ),
            ("误催".into(), "0户".into(), "逐户对照真值".into()),
            ("疑点准确率".into(), "99.2%".into(), "核实前".into()),
            ("新增参保".into(), "312户".into(), "养老保险2,410人".into()),
            ("拦截坏批次".into(), "5份".into(), "没有一份进入判断".into()),
        ],
    }
}

fn a_story() -> Story {
    let pairs = |list: &[(&str, &str)]| {
        list.iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    };
    Story {
        demo_mark: MARK.into(),
        title: "通知后参保：一户快递加盟商".into(),
        summary:
            "税务数据显示连续两个月有用工，参保登记册中没有该单位；核实、通知后为12名职工参保。"
                .into(),
        firm: pairs(&[
            ("名称", "南阳晨光虚构速递有限公司"),
            ("统一社会信用代码", "91411302MA00DEMO0X"),
            ("划型", "微型"),
            ("新业态", "快递"),
        ]),
        grounds: vec![
            [
                "税务",
                "gs202602.csv",
                "118",
                "2026年2月28日",
                "2026年2月工资薪金个税申报12人",
                "coverage.evidence",
                "社会保险经办条例第九条",
            ]
            .map(str::to_owned),
        ],
        history: vec![
            (
                date(2026, 1, 5),
                "系统".into(),
                "立案：疑似有用工未办理参保登记".into(),
            ),
            (date(2026, 1, 8), "经办甲".into(), "核实属实".into()),
            (date(2026, 2, 2), "系统".into(), "办结：已参保".into()),
        ],
        notices: vec![
            [
                "2026年1月8日",
                "信函",
                "南阳晨光虚构速递有限公司",
                "已交付",
                "../letters/1.html",
            ]
            .map(str::to_owned),
        ],
        ending: "2026年2月2日的参保登记册显示已为12名职工办理参保登记，办结。".into(),
        back: "../index.html".into(),
    }
}

#[test]
fn demo_pages_are_as_kept_and_an_empty_demo_still_renders() {
    compare("demo/index.html", &demo::index(&an_index()).unwrap());
    compare("demo/story.html", &demo::story(&a_story()).unwrap());
    demo::index(&Index::default()).unwrap();
    demo::story(&Story::default()).unwrap();
}

/// Writes everything where a person can look at it, when asked to.
#[test]
#[ignore = "writes files to look at: cargo test --test it papers_to_look_at -- --ignored"]
fn papers_to_look_at() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("papers");
    fs::create_dir_all(&folder).unwrap();
    for (name, bytes) in books() {
        fs::write(folder.join(format!("{name}.xlsx")), bytes).unwrap();
    }
}
