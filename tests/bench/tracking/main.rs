//! Change tracking at size: the command `pull` as a process on two days of a registry, beside the bare loops of the parsers and beside other
//! programs, pass by pass in the same run, held against the targets.
//!
//! `cargo bench --bench tracking` runs it. Behind `--`: `--rows N` (1000000), `--passes N` (5), `--only WORD` (csv, csv-gb18030, xml, jsonl,
//! daily, growth), `--data DIR` with the files of another generator, `--python PATH` with DuckDB and Polars, `--qsv PATH`, `--days N` (30),
//! `--growth` (ten times the rows, once), `--json FILE`. Lists that are not the truth end it with 1; a figure that is not met does not.
//!
//! The scratch folder (`TMPDIR`) needs about ten times the bytes of a day, and with `daily` forty.

mod figures;
mod files;
mod floors;
mod peers;
mod process;
mod pull;
#[path = "../snapshot.rs"]
#[allow(dead_code, reason = "the tests of the home use the rest")]
mod snapshot;
mod targets;
#[path = "../values.rs"]
mod values;

use std::path::{Path, PathBuf};

use yingbao::tasks::one::find_one;

use crate::figures::Figures;
use crate::files::{Days, Layout};
use crate::peers::Peers;
use crate::process::mib;
use crate::pull::Program;
use crate::snapshot::{Snapshot, Traffic};

struct Options {
    words: Vec<String>,
}

impl Options {
    fn has(&self, name: &str) -> bool {
        self.words.iter().any(|word| word == name)
    }

    fn text(&self, name: &str) -> Option<String> {
        let at = self.words.iter().position(|word| word == name)?;
        self.words.get(at + 1).cloned()
    }

    fn number(&self, name: &str, default: u32) -> u32 {
        self.text(name)
            .map_or(default, |text| text.parse().expect("a number"))
    }

    fn wants(&self, job: &str) -> bool {
        self.text("--only")
            .is_none_or(|only| job.starts_with(&only))
    }
}

fn main() {
    let options = Options {
        words: std::env::args().skip(1).collect(),
    };
    let scratch = tempfile::tempdir().expect("a folder");
    let layouts: Vec<Layout> = Layout::ALL
        .into_iter()
        .filter(|layout| options.wants(layout.name()))
        .collect();
    let days = match options.text("--data") {
        Some(folder) => Days::given(&PathBuf::from(folder)),
        None => Days::made(
            scratch.path(),
            options.number("--rows", 1_000_000),
            &layouts,
        ),
    };
    let peers = Peers::find(options.text("--python").as_deref(), options.text("--qsv"));
    let (mut figures, mut wrong) = (Figures::default(), Vec::new());
    let passes = options.number("--passes", 5);
    for pass in 1..=passes {
        for layout in &layouts {
            eprintln!("pass {pass} of {passes}: {}", layout.name());
            wrong.extend(one_pass(*layout, &days, scratch.path(), &mut figures));
            wrong.extend(peers.pass(*layout, &days, scratch.path(), &mut figures));
        }
    }
    let rows = u32::try_from(days.rows).expect("fewer than four thousand million rows");
    if options.wants("daily") {
        let count = options.number("--days", 30);
        wrong.extend(daily(rows, count, scratch.path(), &mut figures));
    }
    if options.has("--growth") || options.text("--only").is_some_and(|only| only == "growth") {
        wrong.extend(growth(rows, scratch.path(), &mut figures));
    }
    println!(
        "{} rows, {passes} passes; peers: {}",
        days.rows,
        peers.named()
    );
    figures.print();
    let targets = targets::all(&figures, &days);
    figures::print(&targets);
    println!(
        "Processor time of a process is counted in hundredths of a second. XLSX stands in the benchmark `intake`."
    );
    if let Some(file) = options.text("--json") {
        let targets: Vec<_> = targets.iter().map(figures::Target::json).collect();
        let report = serde_json::json!({
            "rows": days.rows, "passes": passes, "figures": figures.json(), "targets": targets, "wrong": wrong,
        });
        std::fs::write(file, format!("{report:#}\n")).expect("a report");
    }
    for line in &wrong {
        println!("WRONG: {line}");
    }
    if wrong.is_empty() {
        println!("Every list is the truth.");
    } else {
        std::process::exit(1);
    }
}

/// First import, the next day, the same bytes, the same rows in another order; floors just before.
fn one_pass(layout: Layout, days: &Days, scratch: &Path, figures: &mut Figures) -> Vec<String> {
    let name = layout.name();
    let (first, second) = (days.file(layout, 1), days.file(layout, 2));
    for (floor, (wall, cpu)) in [
        ("L", floors::parser(layout, &first)),
        ("L2", floors::parser(layout, &second)),
        ("read", floors::read(&second)),
        (
            "copy and digest",
            floors::copy_and_digest(&first, &scratch.join("copy")),
        ),
    ] {
        figures.add(format!("{name}.{floor}.wall"), wall);
        figures.add(format!("{name}.{floor}.cpu"), cpu);
    }
    let _ = std::fs::remove_file(scratch.join("copy"));
    let program = Program::fresh(scratch.join("state"));
    let adapter = layout.adapter();
    let rows = usize::try_from(days.rows).unwrap_or(usize::MAX);
    let rows_after = usize::try_from(days.rows_after).unwrap_or(usize::MAX);
    let truth = &days.truth;
    let [new, changed, removed] =
        [&truth.new, &truth.changed, &truth.removed].map(std::collections::BTreeSet::len);
    let mut pull = |job: &str, file: &Path, must: [usize; 4]| {
        program.pull(&format!("{name}.{job}"), adapter, file, must, figures)
    };
    let mut wrong = pull("first", &first, [rows, 0, 0, 0]);
    wrong.extend(pull(
        "next",
        &second,
        [new, changed, removed, rows_after - new - changed],
    ));
    if program.changes(adapter) != *truth {
        wrong.push(format!("{name}: the lists of `changes` are not the truth"));
    }
    wrong.extend(pull("same", &second, [0; 4]));
    let shuffled = days.shuffled(layout, scratch);
    wrong.extend(pull("order", &shuffled, [0, 0, 0, rows_after]));
    let _ = std::fs::remove_file(shuffled);
    if layout == Layout::Csv
        && let Some(code) = truth.changed.first()
    {
        let cost = program.enterprise(code);
        figures.add("enterprise.wall ms", cost.wall * 1000.0);
        figures.add("enterprise.peak", cost.peak);
        if cost.code != 0 || !cost.told.contains(code.as_str()) {
            wrong.push(format!("enterprise {code}: exit {}", cost.code));
        }
        let codes: Vec<&str> = truth.changed.iter().take(200).map(String::as_str).collect();
        wrong.extend(warm(&program, &codes, figures));
    }
    wrong
}

/// The answer about one enterprise where the store is open already, as in the daemon.
#[allow(clippy::disallowed_methods, reason = "a benchmark measures")]
fn warm(program: &Program, codes: &[&str], figures: &mut Figures) -> Vec<String> {
    let session = program.session();
    let mut wrong = Vec::new();
    for code in codes {
        let from = std::time::Instant::now();
        let found = find_one(session.desk(), code);
        figures.add("enterprise.warm ms", from.elapsed().as_secs_f64() * 1000.0);
        if !found.is_ok_and(|found| found.is_ok_and(|one| one.enterprise.credit_code == *code)) {
            wrong.push(format!("enterprise {code}: not found in an open store"));
        }
    }
    wrong
}

/// Day after day on one state; then the last day alone on a fresh one, which is what the state would be without a past.
fn daily(rows: u32, count: u32, scratch: &Path, figures: &mut Figures) -> Vec<String> {
    let program = Program::fresh(scratch.join("state"));
    let file = scratch.join("day.csv");
    let mut day = Snapshot::first(rows);
    let mut wrong = Vec::new();
    day.csv(&file, false).expect("room for the file");
    wrong.extend(program.pull(
        "daily.first",
        "bench-csv",
        &file,
        [day.rows(), 0, 0, 0],
        figures,
    ));
    for n in 1..=count {
        eprintln!("day {n} of {count}");
        let (next, truth) = day.next(Traffic::usual(day.rows()));
        next.csv(&file, false).expect("room for the file");
        let [new, changed, removed] =
            [&truth.new, &truth.changed, &truth.removed].map(std::collections::BTreeSet::len);
        let must = [new, changed, removed, next.rows() - new - changed];
        wrong.extend(program.pull("daily", "bench-csv", &file, must, figures));
        figures.add("daily.folder without archive", mib(program.size()));
        day = next;
    }
    let end = program.size();
    let (sizes, logical) = program.sizes(true);
    figures.add("daily.index and tracking / what they hold", sizes / logical);
    let (sizes, logical) = program.sizes(false);
    figures.add("daily.the same, written anew", sizes / logical);
    let alone = Program::fresh(scratch.join("state-alone"));
    wrong.extend(alone.pull(
        "daily.alone",
        "bench-csv",
        &file,
        [day.rows(), 0, 0, 0],
        figures,
    ));
    figures.add("daily.folder at the end", mib(end));
    figures.add("daily.folder of the last day alone", mib(alone.size()));
    let _ = std::fs::remove_dir_all(scratch.join("state-alone"));
    wrong
}

/// The same at a tenth and whole, so that growth is a ratio of one run.
fn growth(rows: u32, scratch: &Path, figures: &mut Figures) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, rows) in [
        ("growth.one", rows),
        ("growth.ten", rows.saturating_mul(10)),
    ] {
        eprintln!("{name}: {rows} rows");
        let folder = scratch.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let days = Days::made(&folder, rows, &[Layout::Csv]);
        let mut own = Figures::default();
        wrong.extend(one_pass(Layout::Csv, &days, &folder, &mut own));
        for job in ["first", "next"] {
            for what in ["cpu", "wall", "peak"] {
                for value in own.of(&format!("csv.{job}.{what}")) {
                    figures.add(format!("{name}.{job}.{what}"), value);
                }
            }
        }
        let _ = std::fs::remove_dir_all(folder);
    }
    wrong
}
