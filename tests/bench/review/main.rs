//! A review of a city at the size of a province: the command `run review` as a process, beside reading the records alone in the same
//! run; then, after the next exports with 0.8 % of the rows of each source changed, a review of what changed, beside one of everybody.
//!
//! `cargo bench --bench review` runs it. Behind `--`: `--rows N` enterprises (1000000), `--passes N` (3), `--keep DIR` to look at the state
//! afterwards. Of the enterprises every second one
//! has two months of tax, nine of twenty stand on the roll with three kinds. A count that is not the truth, or that differs between
//! both reviews, ends it with 1; a figure that is not met does not.

#[path = "../tracking/process.rs"]
#[allow(dead_code, reason = "the other benchmark uses the rest")]
mod process;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use yingbao::cli::session::{Place, open};
use yingbao::domain::code::{credit_code_check, organisation_check};
use yingbao::domain::record::RecordKind;

use crate::process::{Cost, run, timed};

/// Of a whole review, wall seconds and MiB (two cores).
const MUST: (f64, f64) = (20.0, 1024.0);
/// Of a review of what changed.
const MUST_CHANGED: (f64, f64) = (2.0, 1024.0);

const SOURCES: [(&str, RecordKind); 3] = [
    ("registration", RecordKind::Registration),
    ("tax", RecordKind::Tax),
    ("insured-roll", RecordKind::InsuredRoll),
];

const COUNTIES: [(&str, &str); 6] = [
    ("411302", "宛城区"),
    ("411303", "卧龙区"),
    ("411321", "南召县"),
    ("411322", "方城县"),
    ("411323", "西峡县"),
    ("411381", "邓州市"),
];
const TRADES: [(&str, &str); 4] = [
    ("商贸", "F5154"),
    ("物流", "G5430"),
    ("餐饮", "H6210"),
    ("机械", "C3599"),
];
const WORDS: &str = "东西南北中华兴盛达源通泰和顺宏利丰润德信安康宁永恒新星辰光明";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: u64| {
        let at = words.iter().position(|word| word == name);
        let text = at.and_then(|at| words.get(at + 1));
        text.map_or(default, |text| text.parse().expect("a number"))
    };
    let (rows, passes) = (number("--rows", 1_000_000), number("--passes", 3));
    let scratch = tempfile::tempdir().expect("a folder");
    let kept = words.iter().position(|word| word == "--keep");
    let kept = kept.and_then(|at| words.get(at + 1)).map(Path::new);
    let folder = kept.unwrap_or(scratch.path());
    let state = folder.join("state");
    deliver(folder, &state, rows, 1);
    let mut is_true = true;
    println!(
        "| pass | review, wall s | CPU s | peak MiB | records alone, wall s | review / records | must |"
    );
    println!("|---|---|---|---|---|---|---|");
    for pass in 1..=passes {
        let (records, floor) = read_alone(&state);
        let review = program(&state, &["run", "review", "--dry-run"]);
        let told: serde_json::Value =
            serde_json::from_str(review.told.trim()).expect("a review tells JSON");
        is_true &= told["enterprises"] == rows && told["findings"].as_u64() > Some(0);
        let met = review.wall <= MUST.0 && review.peak <= MUST.1;
        println!(
            "| {pass} | {:.1} | {:.1} | {:.0} | {floor:.1} for {records} | {:.2} | {} s, {} MiB: {} |",
            review.wall,
            review.cpu,
            review.peak,
            review.wall / floor,
            MUST.0,
            MUST.1,
            if met { "met" } else { "not met" },
        );
    }
    // What it leaves is what the next one goes on from.
    assert_eq!(program(&state, &["run", "review"]).code, 0);
    deliver(folder, &state, rows, 2);
    println!(
        "\n| pass | review of what changed, wall s | CPU s | peak MiB | judged | of all, wall s | must |"
    );
    println!("|---|---|---|---|---|---|---|");
    for pass in 1..=passes {
        let changed = program(&state, &["run", "review", "--dry-run"]);
        let all = program(&state, &["run", "review", "--all", "--dry-run"]);
        let [told, of_all] = [&changed, &all].map(|cost| {
            let told: serde_json::Value =
                serde_json::from_str(cost.told.trim()).expect("a review tells JSON");
            told
        });
        let judged = told["judged"].as_u64().unwrap_or(0);
        let told_alike = |name: &str| told[name] == of_all[name];
        is_true &= judged < rows
            && [
                "enterprises",
                "findings",
                "opened",
                "closed",
                "moved",
                "waiting",
                "undecided_pairs",
            ]
            .into_iter()
            .all(told_alike);
        let met = changed.wall <= MUST_CHANGED.0 && changed.peak <= MUST_CHANGED.1;
        println!(
            "| {pass} | {:.2} | {:.2} | {:.0} | {judged} | {:.1} | {} s, {} MiB: {} |",
            changed.wall,
            changed.cpu,
            changed.peak,
            all.wall,
            MUST_CHANGED.0,
            MUST_CHANGED.1,
            if met { "met" } else { "not met" },
        );
    }
    ExitCode::from(u8::from(!is_true))
}

/// Writes the exports of a day and takes them in.
fn deliver(folder: &Path, state: &Path, rows: u64, day: u64) {
    write_files(folder, rows, day).expect("the files are written");
    for (adapter, _) in SOURCES {
        let file = folder.join(format!("{adapter}.csv"));
        let file = file.to_str().expect("UTF-8");
        let pulled = program(state, &["pull", adapter, "--file", file]);
        assert_eq!(pulled.code, 0, "{}", pulled.told);
    }
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/review/home")
}

fn program(state: &Path, words: &[&str]) -> Cost {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yingbao"));
    command
        .env_remove("YINGBAO_HOME")
        .arg("--home")
        .arg(home())
        .arg("--state")
        .arg(state)
        .arg("--json")
        .args(words);
    run(&mut command)
}

/// The floor: every record read and decoded by one thread, and nothing else.
fn read_alone(state: &Path) -> (u64, f64) {
    let place = Place {
        home: Some(home()),
        state: Some(state.to_path_buf()),
        ..Place::default()
    };
    let session = open(&place).unwrap_or_else(|trouble| panic!("the home opens: {trouble:?}"));
    let mut records = 0;
    let (wall, _) = timed(|| {
        for (adapter, kind) in SOURCES {
            for stored in session.store.records(adapter, kind) {
                stored.expect("a record");
                records += 1;
            }
        }
    });
    (records, wall)
}

/// A credit code in which both checks hold.
fn code(n: u64) -> String {
    let head = if n % 10 < 8 { "91" } else { "92" };
    let (county, _) = COUNTIES[pick(n, COUNTIES.len())];
    let digits: String = (0..6)
        .rev()
        .map(|place| {
            char::from(b"0123456789ABCDEFGHJKLMNPQRTUWXY"[pick(n / 31_u64.pow(place), 31)])
        })
        .collect();
    let inner = format!("MA{digits}");
    let check = organisation_check(&inner).expect("digits and letters");
    let first = format!("{head}{county}{inner}{check}");
    let check = credit_code_check(&first).expect("the alphabet of codes");
    format!("{first}{check}")
}

fn pick(n: u64, of: usize) -> usize {
    usize::try_from(n % of as u64).expect("a small number")
}

fn name(n: u64) -> String {
    let words: Vec<char> = WORDS.chars().collect();
    let mut rest = n;
    let word: String = (0..4)
        .map(|_| {
            let at = pick(rest, words.len());
            rest /= words.len() as u64;
            words[at]
        })
        .collect();
    let form = if n % 10 < 8 { "有限公司" } else { "店" };
    format!("南阳{word}{}{form}", TRADES[pick(n, TRADES.len())].0)
}

/// On the second day one firm in 125 of each source has other rows, not the same firms everywhere: 0.8 %. Of those of the registrar
/// one in ten is renamed and one in ten has ended.
fn write_files(folder: &Path, rows: u64, day: u64) -> io::Result<()> {
    let file = |name: &str| File::create(folder.join(name)).map(BufWriter::new);
    let (mut registration, mut tax, mut roll) = (
        file("registration.csv")?,
        file("tax.csv")?,
        file("insured-roll.csv")?,
    );
    writeln!(
        registration,
        "统一社会信用代码,企业名称,登记状态,行业代码,成立日期,核准日期,行政区划,住所,联系电话,经营范围,从业人数,营业收入,资产总额"
    )?;
    writeln!(
        tax,
        "统一社会信用代码,纳税人名称,纳税人状态,所属期,工资薪金个税申报人数,从业人数,营业收入,资产总额"
    )?;
    writeln!(
        roll,
        "单位编号,统一社会信用代码,单位名称,经办机构,险种,费款所属期,参保人数,缴费人数,单位参保状态"
    )?;
    for n in 0..rows {
        let (code, mut name) = (code(n), name(n));
        let is_other = |rest: u64| day == 2 && n % 125 == rest;
        let is_registered_otherwise = is_other(7);
        let [is_renamed, has_ended] =
            [1, 2].map(|digit| is_registered_otherwise && n / 125 % 10 == digit);
        if is_renamed {
            name = name.replace("南阳", "南阳市新");
        }
        let (county, agency) = COUNTIES[pick(n, COUNTIES.len())];
        let (word, industry) = TRADES[pick(n, TRADES.len())];
        let status = if n % 12 > 0 && !has_ended {
            "存续"
        } else {
            "注销"
        };
        writeln!(
            registration,
            "{code},{name},{status},{industry},20{}-0{}-1{},2024-0{}-02,{county},南阳市{agency}示例路{}号,1380{n:07},{word}的销售；技术服务，许可项目除外,{},{},{}",
            10 + n % 14,
            1 + n % 9,
            n % 10,
            1 + n % 9,
            n % 997,
            n % 40 + 1 + u64::from(is_registered_otherwise),
            n % 900,
            n % 700,
        )?;
        let filers = n % 11 + u64::from(is_other(34) || is_other(35));
        if n % 2 == 0 {
            for month in ["2026-02", "2026-03"] {
                let (revenue, assets) = ((n % 900) * 10_000, (n % 700) * 10_000);
                writeln!(
                    tax,
                    "{code},{name},正常,{month},{filers},{},{revenue},{assets}",
                    filers + n % 3,
                )?;
            }
        }
        if n % 20 < 9 {
            let heads = n % 11 + u64::from(is_other(71));
            let heads = if n % 25 > 0 { heads } else { 0 };
            // An old unit: its rows carry no code.
            let code = if n % 50 > 0 { code.as_str() } else { "" };
            for kind in ["110", "210", "410"] {
                writeln!(
                    roll,
                    "4113{n:07},{code},{name},{agency},{kind},2026-03,{heads},{heads},正常"
                )?;
            }
        }
    }
    registration.flush()?;
    tax.flush()?;
    roll.flush()
}
