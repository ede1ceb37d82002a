//! Kills: at every point between two steps, and at any moment of a busy run. Each child process is this test program again.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::domain::batch::Verdict;
use crate::domain::record::RecordKind;
use crate::store::Store;
use crate::store::fault::{Point, arm};
use crate::store::known_file::Found;
use crate::store::tests::{
    at, batch, change, deliver, everything, known, news, notice, opened, record, some_events,
};

use crate::domain::change::ChangeKind;

const TASK: &str = "YINGBAO_STORE_CRASH";

const POINTS: [Point; 14] = [
    Point::Checked,
    Point::TornLine,
    Point::Journaled,
    Point::Applied,
    Point::Begun,
    Point::Staged,
    Point::Tracked,
    Point::Sealed,
    Point::TornNote,
    Point::NoteWritten,
    Point::Noted,
    Point::Merged,
    Point::Rewritten,
    Point::Swapped,
];

/// What stood before, then the step that is killed.
fn prepare(store: &Store, which: &str) {
    for events in some_events() {
        store.commit(at(1), "test", events).unwrap();
    }
    deliver(store, 2, "1", news(0..1200, "甲"));
    if which == "withdraw" {
        step(store, "accept");
    }
}

/// Takes the first batch back, with the second on top: what both say is the second's then.
fn withdraw(store: &Store) {
    let mut withdrawing = store.withdrawing(&batch("1", Verdict::Accepted)).unwrap();
    for (delivery, _) in withdrawing.later() {
        withdrawing.listen(delivery);
        for key in (0..1200).filter(|key| *key < 400 && key % 3 > 0) {
            withdrawing
                .hear(&record(key, "乙"), key as u64 + 2)
                .unwrap();
        }
        for key in 400..1200 {
            withdrawing
                .hear(&record(key, "甲"), key as u64 + 2)
                .unwrap();
        }
        withdrawing.end(true).unwrap();
    }
    let state = batch("1", Verdict::Withdrawn);
    store
        .withdraw(
            at(4),
            "张示例",
            &state,
            vec![notice("told", "二")],
            withdrawing,
        )
        .unwrap();
}

fn step(store: &Store, which: &str) {
    if which == "commit" {
        let events = (10..40).map(opened).chain([notice("late", "三")]).collect();
        store.commit(at(3), "test", events).unwrap();
    } else if which == "withdraw" {
        withdraw(store);
    } else {
        let changes = (0..400)
            .map(|key| match key % 3 {
                0 => change(ChangeKind::Missing, key, Some("甲"), None),
                _ => change(ChangeKind::Changed, key, Some("甲"), Some("乙")),
            })
            .chain(news(2000..2100, "乙"));
        deliver(store, 3, "2", changes);
    }
}

fn child(task: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "store::crash::child_process", "--nocapture"])
        .env(TASK, task)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// Not a test of its own: what the children of the others run.
#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "the parent tells its child what to do"
)]
fn child_process() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let [which, point, path] = task.splitn(3, ' ').collect::<Vec<_>>()[..] else {
        panic!("{task}")
    };
    let armed = || {
        let point = POINTS.into_iter().find(|p| format!("{p:?}") == point);
        arm(point.unwrap());
    };
    if which == "again" {
        let found = Found::of(Path::new(path), "market").unwrap();
        let standing = found.standing().unwrap();
        armed();
        standing.seen_again(at(5), "pull", "again.csv").unwrap();
        return;
    }
    let store = Store::open(Path::new(path)).unwrap();
    if which == "note" {
        armed();
        store.remember(&known("2"), &store.moment()).unwrap();
        return;
    }
    if which == "compact" {
        armed();
        store.compact().unwrap();
        return;
    }
    if which == "loop" {
        busy(&store, point.parse().unwrap());
    }
    armed();
    step(&store, which);
}

#[test]
fn killed_between_any_two_steps_it_is_before_or_after() {
    let home = tempfile::tempdir().unwrap();
    for which in ["commit", "accept", "withdraw"] {
        let calm = home.path().join(format!("{which}-calm"));
        let store = Store::open(&calm).unwrap();
        prepare(&store, which);
        let before = everything(&store);
        step(&store, which);
        let after = everything(&store);
        drop(store);
        let journal = std::fs::read(calm.join("journal/journal.log")).unwrap();
        for point in POINTS {
            let reached = match point {
                Point::Begun | Point::Staged | Point::Tracked | Point::Sealed => which != "commit",
                Point::Checked => which == "commit",
                Point::TornNote
                | Point::NoteWritten
                | Point::Noted
                | Point::Merged
                | Point::Rewritten
                | Point::Swapped => false,
                _ => true,
            };
            if !reached {
                continue;
            }
            let state = home.path().join(format!("{which}-{point:?}"));
            let store = Store::open(&state).unwrap();
            prepare(&store, which);
            drop(store);
            let status = child(&format!("{which} {point:?} {}", state.display()))
                .status()
                .unwrap();
            assert!(!status.success(), "{which} {point:?} was not reached");
            let store = Store::open(&state).unwrap();
            let journaled = !matches!(
                point,
                Point::Checked
                    | Point::TornLine
                    | Point::Begun
                    | Point::Staged
                    | Point::Tracked
                    | Point::Sealed
            );
            let expected = if journaled { &after } else { &before };
            assert!(everything(&store) == *expected, "{which} {point:?}");
            assert!(nothing_staged(&store, &state), "{which} {point:?}");
            if !journaled {
                step(&store, which);
                assert!(everything(&store) == after, "{which} {point:?}, repeated");
            }
            assert_eq!(
                std::fs::read(state.join("journal/journal.log")).unwrap(),
                journal,
                "{which} {point:?}"
            );
            drop(store);
            let store = Store::open(&state).unwrap();
            assert!(everything(&store) == after, "{which} {point:?}, reopened");
        }
    }
}

#[test]
fn killed_while_the_index_is_written_anew_it_says_what_it_said() {
    let home = tempfile::tempdir().unwrap();
    for point in [Point::Merged, Point::Rewritten, Point::Swapped] {
        let state = home.path().join(format!("{point:?}"));
        let store = Store::open(&state).unwrap();
        prepare(&store, "accept");
        // A run beside the first, so that there is something to merge.
        deliver(&store, 3, "2", news(3000..3010, "乙"));
        let before = everything(&store);
        drop(store);
        let status = child(&format!("compact {point:?} {}", state.display())).status();
        assert!(!status.unwrap().success(), "{point:?} was not reached");
        let store = Store::open(&state).unwrap();
        assert!(everything(&store) == before, "{point:?}");
        assert!(!state.join("index.new").exists(), "{point:?}");
        // What comes next finds everything in its place.
        deliver(&store, 4, "3", news(4000..4001, "丙"));
        let with = everything(&store);
        store.compact().unwrap();
        assert!(everything(&store) == with, "{point:?}");
        assert!(nothing_staged(&store, &state), "{point:?}");
    }
}

/// The batch of the note, and whether it is told by.
fn note(state: &Path) -> (String, bool) {
    let found = Found::of(state, "market").unwrap();
    (found.known().batch.clone(), found.standing().is_some())
}

#[test]
fn killed_while_a_known_file_is_noted_the_note_is_the_old_or_the_new_one() {
    let home = tempfile::tempdir().unwrap();
    for point in [Point::TornNote, Point::NoteWritten, Point::Noted] {
        let state = home.path().join(format!("{point:?}"));
        let store = Store::open(&state).unwrap();
        prepare(&store, "accept");
        store.remember(&known("1"), &store.moment()).unwrap();
        step(&store, "accept");
        let before = everything(&store);
        drop(store);
        // The first batch has been overtaken by the second: its note tells nothing.
        assert_eq!(note(&state), ("market-20260701-1".into(), false));
        let status = child(&format!("note {point:?} {}", state.display())).status();
        assert!(!status.unwrap().success(), "{point:?} was not reached");
        let expected = match point {
            Point::Noted => ("market-20260701-2".into(), true),
            _ => ("market-20260701-1".into(), false),
        };
        assert_eq!(note(&state), expected, "{point:?}");
        let store = Store::open(&state).unwrap();
        assert!(everything(&store) == before, "{point:?}");
        // What was broken off stands in nobody's way.
        store.remember(&known("2"), &store.moment()).unwrap();
        drop(store);
        assert_eq!(note(&state), ("market-20260701-2".into(), true));
    }
}

#[test]
fn killed_while_a_known_file_is_told_again_it_is_before_or_after() {
    let home = tempfile::tempdir().unwrap();
    // A program that another test starts holds our locks too from its fork until it is the program: so once more after a while.
    let again = |state: &Path| {
        let standing = (0..50).find_map(|_| {
            let standing = Found::of(state, "market")?.standing();
            if standing.is_none() {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            standing
        });
        let standing = standing.unwrap();
        standing.seen_again(at(5), "pull", "again.csv").unwrap();
    };
    let prepared = |name: &str| {
        let state = home.path().join(name);
        let store = Store::open(&state).unwrap();
        prepare(&store, "accept");
        store.remember(&known("1"), &store.moment()).unwrap();
        (state, everything(&store))
    };
    let (calm, before) = prepared("calm");
    again(&calm);
    let after = everything(&Store::open(&calm).unwrap());
    assert!(before != after);
    let journal = std::fs::read(calm.join("journal/journal.log")).unwrap();
    for point in [Point::TornLine, Point::Journaled] {
        let (state, _) = prepared(&format!("{point:?}"));
        let status = child(&format!("again {point:?} {}", state.display())).status();
        assert!(!status.unwrap().success(), "{point:?} was not reached");
        // A torn line is for the next start to cut off.
        let journaled = point == Point::Journaled;
        assert_eq!(note(&state).1, journaled, "{point:?}");
        let store = Store::open(&state).unwrap();
        let expected = if journaled { &after } else { &before };
        assert!(everything(&store) == *expected, "{point:?}");
        drop(store);
        if !journaled {
            again(&state);
        }
        assert!(
            everything(&Store::open(&state).unwrap()) == after,
            "{point:?}"
        );
        let found = std::fs::read(state.join("journal/journal.log")).unwrap();
        assert_eq!(found, journal, "{point:?}");
    }
}

/// Whether nothing lies on the disk that can not be seen: no marker, no segment but of batches and withdrawals, no tracking folder but one each.
fn nothing_staged(store: &Store, state: &Path) -> bool {
    let marked = store
        .export_index()
        .any(|pair| pair.unwrap().0.starts_with(b"s/"));
    let count = |folder: &str| std::fs::read_dir(state.join(folder)).unwrap().count();
    let batches = store.batches(None, usize::MAX).unwrap();
    let withdrawn = batches
        .iter()
        .filter(|batch| batch.verdict == Verdict::Withdrawn)
        .count();
    let bearers: usize = std::fs::read_dir(state.join("tracking"))
        .unwrap()
        .map(|folder| {
            let files = std::fs::read_dir(folder.unwrap().path()).unwrap();
            let names = files.map(|file| file.unwrap().file_name());
            let own = |name: &std::ffi::OsString| name.to_string_lossy().starts_with("bearers");
            names.filter(own).count()
        })
        .sum();
    let seen = store.manifest("market").unwrap().bearers.len();
    !marked
        && bearers == seen
        && count("segments") == batches.len() + withdrawn
        && count("tracking") == 1
}

/// How many keys a round of the busy run delivers.
const ROUND: usize = 700;

/// Commits and accepts until it is killed, telling what is done.
fn busy(store: &Store, from: usize) -> ! {
    for round in from.. {
        let first = round * ROUND;
        let id = format!("{round:04}");
        deliver(store, 1, &id, news(first..first + ROUND, "甲"));
        println!("\naccepted {round}");
        for n in 0..5 {
            let n = round * 5 + n;
            let events = vec![opened(n), notice(&format!("n{n:06}"), "一")];
            store.commit(at(1), "test", events).unwrap();
            println!("\ncommitted {n}");
        }
    }
    std::process::exit(0)
}

/// Rounds accepted and cases committed, in a state that must be whole.
fn whole(store: &Store) -> (usize, usize) {
    let rounds = store.batches(None, usize::MAX).unwrap().len();
    let records: Vec<_> = store
        .records("market", RecordKind::Registration)
        .map(Result::unwrap)
        .collect();
    assert_eq!(records.len(), rounds * ROUND);
    for round in 0..rounds {
        let id = format!("market-20260701-{round:04}");
        let kind = RecordKind::Registration;
        assert_eq!(store.changes(&id, kind).count(), ROUND);
    }
    let cases = store.cases().map(Result::unwrap).count();
    assert_eq!(store.outbox().unwrap().len(), cases);
    assert_eq!(store.case_events().map(Result::unwrap).count(), cases);
    let entries = store.journal().unwrap().map(Result::unwrap).count();
    assert_eq!(entries, rounds + cases);
    assert!(cases <= rounds * 5 && cases + 5 >= rounds * 5);
    (rounds, cases)
}

#[test]
fn killed_at_any_moment_nothing_told_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let state: PathBuf = home.path().join("state");
    let mut from = 0;
    for lines in [1, 9, 14, 3, 22, 8] {
        let mut child = child(&format!("loop {from} {}", state.display()))
            .spawn()
            .unwrap();
        let (mut accepted, mut committed) = (None, None);
        let out = BufReader::new(child.stdout.take().unwrap());
        let told = out.lines().map_while(Result::ok).filter_map(|line| {
            let (what, n) = line.split_once(' ')?;
            let n: usize = n.parse().ok()?;
            matches!(what, "accepted" | "committed").then(|| (what == "accepted", n))
        });
        for (round, n) in told.take(lines) {
            *(if round { &mut accepted } else { &mut committed }) = Some(n);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let store = Store::open(&state).unwrap();
        let (rounds, cases) = whole(&store);
        assert!(accepted.is_none_or(|round| rounds > round));
        assert!(committed.is_none_or(|n| cases > n));
        // What the killed round still owed, so that the next child can begin with a whole one.
        for n in cases..rounds * 5 {
            let events = vec![opened(n), notice(&format!("n{n:06}"), "一")];
            store.commit(at(1), "test", events).unwrap();
        }
        from = rounds;
    }
    assert!(from > 3, "the children did nothing");
}
