//! The whole job on a small synthetic city: the same bytes twice, nobody accused wrongly, and killed anywhere it ends the same.

use std::path::Path;
use std::time::Duration;

use crate::program::{out, run, tree, yingbao};

/// What may differ between two runs of the same options: the index's own files (not its content) and the daemon's socket.
fn skip(name: &str) -> bool {
    name.starts_with("home/state/index")
        || name.starts_with("home/state/tracking")
        || name.starts_with("home/state/spool")
        || name.ends_with(".sock")
}

fn words<'a>(folder: &'a str, enterprises: &'a str, days: &'a str) -> Vec<&'a str> {
    vec![
        "demo",
        "--enterprises",
        enterprises,
        "--days",
        days,
        "--seed",
        "7",
        "--out",
        folder,
        "--json",
    ]
}

fn summary(text: &str) -> serde_json::Value {
    let mut value: serde_json::Value =
        serde_json::from_str(text.lines().last().expect("a last line")).expect("JSON");
    value.as_object_mut().expect("object").remove("seconds");
    value
}

fn same(one: &Path, other: &Path, skip: &dyn Fn(&str) -> bool) {
    let (one, other) = (tree(one, skip), tree(other, skip));
    let lacks = |tree: &std::collections::BTreeMap<String, Vec<u8>>, name: &String| {
        !tree.contains_key(name)
    };
    let in_one: Vec<&String> = one.keys().filter(|name| lacks(&other, name)).collect();
    let in_other: Vec<&String> = other.keys().filter(|name| lacks(&one, name)).collect();
    assert!(
        in_one.is_empty() && in_other.is_empty(),
        "files of one alone: {in_one:?}, of the other alone: {in_other:?}"
    );
    let differing: Vec<&String> = one
        .iter()
        .filter(|(name, bytes)| other[*name] != **bytes)
        .map(|(name, _)| name)
        .collect();
    assert!(differing.is_empty(), "these files differ: {differing:?}");
}

/// Sources of every transport, each by the name of its adapter, and how many of their batches must have been accepted: the
/// optional ones come once a month.
const DELIVERED: &[(&str, &str)] = &[
    ("market-regulation", "folder"),
    ("tax", "http"),
    ("transport", "pages"),
    ("dispatch", "command"),
    ("express", "sftp"),
    ("food", "ftp"),
];

fn every_transport_delivers(home: &Path) {
    let home = home.to_string_lossy();
    for (adapter, transport) in DELIVERED {
        let text = std::fs::read_to_string(format!("{home}/adapters/{adapter}.toml")).unwrap();
        assert!(
            text.contains(&format!("[transport.{transport}]")),
            "{adapter}"
        );
        let words = [
            "--home",
            &home,
            "batch",
            "list",
            "--adapter",
            adapter,
            "--json",
        ];
        let listed = out(&words, 0);
        let batches: Vec<serde_json::Value> = listed
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let accepted = batches
            .iter()
            .filter(|batch| batch["verdict"].as_str().unwrap().starts_with("accepted"))
            .count();
        assert!(accepted >= 3, "{adapter} by {transport}: {listed}");
    }
    // What goes out at the end can be looked at without the servers: nothing in the home is dangling.
    out(&["--home", &home, "check"], 0);
}

/// Every record is counted once, and whatever went astray is told line by line.
fn links_are_told(out: &Path, told: &serde_json::Value) {
    let of = |key: &str| told["links"][key].as_u64().unwrap();
    let (wrong, missed) = (of("wrong"), of("missed"));
    assert_eq!(of("correct") + wrong + missed, of("possible"), "{told}");
    assert!(of("correct") > 1000, "{told}");
    let lines = std::fs::read_to_string(out.join("links.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let faults = |fault: &str| lines.iter().filter(|line| line["fault"] == fault).count() as u64;
    assert_eq!((faults("wrong"), faults("missed")), (wrong, missed));
    for line in &lines {
        for key in ["source", "key", "credit_code", "why"] {
            assert!(!line[key].as_str().unwrap().is_empty(), "{line}");
        }
        assert_eq!(line["enterprise"].is_null(), line["tier"].is_null());
    }
}

/// The roll stays away from 13 to 20 April 2026; on the 16th the last one is older than three working days.
fn nothing_goes_on_while_the_roll_is_stale(out_folder: &Path) {
    let is_stale = |day: &str| ("2026-04-16"..="2026-04-20").contains(&day);
    let inbox = out_folder.join("home/inbox/insured-roll");
    for (day, comes) in [("10", true), ("13", false), ("20", false), ("21", true)] {
        let file = inbox.join(format!("cbdj_202604{day}.xlsx"));
        assert_eq!(file.exists(), comes, "{}", file.display());
    }
    let home = out_folder.join("home").to_string_lossy().into_owned();
    let listed = out(&["--home", &home, "case", "list", "--json"], 0);
    let opened: Vec<String> = listed
        .lines()
        .map(|line| {
            let case: serde_json::Value = serde_json::from_str(line).unwrap();
            case["opened"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(opened.iter().any(|day| day.as_str() < "2026-04-16"));
    assert!(opened.iter().any(|day| day.as_str() > "2026-04-20"));
    assert!(!opened.iter().any(|day| is_stale(day)), "{opened:?}");
    let findings = std::fs::read_to_string(out_folder.join("findings.jsonl")).unwrap();
    for line in findings.lines() {
        let finding: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(!finding["accused"].as_str().is_some_and(is_stale), "{line}");
    }
}

#[test]
fn a_small_city_accuses_nobody_wrongly_and_gives_the_same_bytes_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (first, second) = (path("first"), path("second"));
    let told = summary(&out(&words(&first, "300", "68"), 0));
    assert_eq!(told["accused_wrongly"], 0, "{told}");
    assert_eq!(told["identity_holds"], true);
    assert_eq!(told["quarantined"], 1, "the cut roll: {told}");
    assert_eq!(told["refused"], 1, "the truncated file: {told}");
    assert!(told["recall"].as_f64().unwrap() >= 0.99, "{told}");
    assert!(
        told["accused"].as_u64().unwrap() > 0 && told["enrolled"].as_u64().unwrap() > 0,
        "{told}"
    );
    assert_eq!(
        told["bulletins"].as_array().unwrap().len(),
        4,
        "two months, page and workbook: {told}"
    );
    let (rows, touched) = (&told["dirt"]["rows"], &told["dirt"]["touched"]);
    assert!(
        touched.as_u64().unwrap() * 20 >= rows.as_u64().unwrap(),
        "a row in twenty is touched: {told}"
    );
    links_are_told(Path::new(&first), &told);
    nothing_goes_on_while_the_roll_is_stale(Path::new(&first));
    assert_eq!(summary(&out(&words(&second, "300", "68"), 0)), told);
    every_transport_delivers(&Path::new(&first).join("home"));
    same(Path::new(&first), Path::new(&second), &skip);
    // A finished demo is replaced; another folder that is not empty is refused.
    let other = path("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(Path::new(&other).join("diary.txt"), "mine").unwrap();
    assert_eq!(run(&words(&other, "300", "68")).status.code(), Some(2));
    assert_eq!(
        std::fs::read_to_string(Path::new(&other).join("diary.txt")).unwrap(),
        "mine"
    );
    // Its home can not be switched to live sending.
    let site = Path::new(&first).join("home/config/site.toml");
    let text = std::fs::read_to_string(&site).unwrap();
    for live in [
        format!("{text}\n[couriers]\nmode = \"live\"\n"),
        "[couriers]\nmode = \"live\"\n[couriers.smtp]\nhost = \"localhost\"\nsecurity = \"none\"\n"
            .to_owned(),
    ] {
        std::fs::write(&site, live).unwrap();
        let home = Path::new(&first)
            .join("home")
            .to_string_lossy()
            .into_owned();
        let refused = run(&["--home", &home, "run", "deliver"]);
        assert_eq!(
            refused.status.code(),
            Some(2),
            "{}",
            String::from_utf8_lossy(&refused.stderr)
        );
    }
}

/// What the journal says was decided and done, in order. That a source was asked again after a kill, and gave what was known
/// already, is true and stands in the journal, but it decides nothing.
fn decided(out: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(out.join("home/state/journal/journal.log")).unwrap();
    text.lines()
        .filter_map(|line| {
            let mut entry: serde_json::Value =
                serde_json::from_str(line.split_once(' ').unwrap().1).unwrap();
            entry.as_object_mut().unwrap().remove("seq");
            let events = entry["events"].as_array_mut().unwrap();
            // The line of a run in the ledger says what this life of it did; an earlier one may have done its work.
            events.retain(|event| event["kind"] != "seen_before" && event["kind"] != "ran");
            (!events.is_empty()).then_some(entry)
        })
        .collect()
}

/// Whether a killed process was writing it.
fn is_broken_off(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.starts_with(".writing-") || file.starts_with(".tmp") || file.ends_with(".tmp")
}

/// How many deliveries have left a segment.
fn segments(out: &Path) -> usize {
    let folder = std::fs::read_dir(out.join("home/state/segments")).unwrap();
    let is_whole = |name: &std::ffi::OsStr| Path::new(name).extension() == Some("seg".as_ref());
    folder
        .filter(|entry| is_whole(&entry.as_ref().unwrap().file_name()))
        .count()
}

/// What the last review left, and its outcomes; without how far each source had come, which is said by the numbers of deliveries,
/// and without the number of the file of outcomes: who is killed has used up a number.
fn left_by_review(out: &Path) -> (serde_json::Value, Vec<u8>) {
    let folder = out.join("home/state/review");
    let text = std::fs::read(folder.join("standpoint")).unwrap();
    let end_of_digest = text.iter().position(|byte| *byte == b'\n').unwrap();
    let mut kept: serde_json::Value = serde_json::from_slice(&text[end_of_digest..]).unwrap();
    let number = kept["outcomes"].take().as_u64().unwrap();
    let outcomes = std::fs::read(folder.join(format!("outcomes-{number:010}"))).unwrap();
    let positions = kept["standpoint"]["positions"].take();
    assert!(!positions.as_object().unwrap().is_empty());
    (kept, outcomes)
}

#[test]
fn killed_at_ten_moments_it_ends_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (whole, killed) = (path("whole"), path("killed"));
    #[allow(
        clippy::disallowed_methods,
        reason = "how long a life lasts decides only where it is cut"
    )]
    let began = std::time::Instant::now();
    let told = summary(&out(&words(&whole, "150", "24"), 0));
    let length = began.elapsed();
    let mut kills = 0;
    for moment in 1..=10u32 {
        let mut child = yingbao(&words(&killed, "150", "24"))
            // Who is killed leaves its temporary folder behind.
            .env("TMPDIR", folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Each life is a tenth of the whole longer than its start takes, so that every life gets somewhere else.
        std::thread::sleep(Duration::from_millis(60) + length.mul_f64(f64::from(moment) * 0.017));
        if child.try_wait().unwrap().is_none() {
            kills += 1;
        }
        let _ = child.kill();
        child.wait().unwrap();
    }
    assert!(kills >= 3, "too few lives ended by a kill: {kills}");
    assert_eq!(summary(&out(&words(&killed, "150", "24"), 0)), told);
    let (one, other) = (decided(Path::new(&whole)), decided(Path::new(&killed)));
    for (whole, killed) in one.iter().zip(&other) {
        assert_eq!(whole, killed);
    }
    assert_eq!(one.len(), other.len());
    same(Path::new(&whole), Path::new(&killed), &|name| {
        // A note of a known file only spares opening the index; who is killed before it goes the long way. A delivery that was
        // broken off has used up its number, and a file that was being written lies beside its place under another name.
        skip(name)
            || name.ends_with("journal.log")
            || name.starts_with("home/state/known")
            || name.starts_with("home/state/segments")
            || name.starts_with("home/state/review")
            || is_broken_off(name)
    });
    assert_eq!(
        left_by_review(Path::new(&whole)),
        left_by_review(Path::new(&killed))
    );
    assert_eq!(segments(Path::new(&whole)), segments(Path::new(&killed)));
}
