//! How fast it is: `cargo test --lib store::speed -- --ignored --nocapture`.

use std::path::Path;

use crate::domain::batch::Verdict;
use crate::domain::change::ChangeKind;
use crate::domain::record::RecordKind;
use crate::store::Store;
use crate::store::tests::{
    at, batch, change, deliver, dispatched, everything, news, notice, opened, record,
};

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    #[allow(clippy::disallowed_methods, reason = "shown to who runs it")]
    let begin = std::time::Instant::now();
    let result = work();
    println!("{what}: {:.1} ms", begin.elapsed().as_secs_f64() * 1000.0);
    result
}

fn size(folder: &Path) -> u64 {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            if entry.path().is_dir() {
                size(&entry.path())
            } else {
                entry.metadata().unwrap().len()
            }
        })
        .sum()
}

#[test]
#[ignore = "takes a while; prints figures"]
fn figures() {
    const ALL: usize = 200_000;
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    timed("accept 200,000 new", || {
        deliver(&store, 0, "1", news(0..ALL, "甲"));
    });
    println!("state folder: {} KiB", size(home.path()) / 1024);
    timed("make 15,000 changes", || {
        let changes = (0..15_000).map(|n| n * 13);
        let change = |key| change(ChangeKind::Changed, key, Some("甲"), Some("乙"));
        changes.map(change).collect::<Vec<_>>()
    });
    timed("accept 15,000 changes", || {
        let changes = (0..15_000)
            .map(|n| n * 13)
            .map(|key| change(ChangeKind::Changed, key, Some("甲"), Some("乙")));
        deliver(&store, 0, "2", changes);
    });
    timed(
        "withdraw 200,000, of which 15,000 are mentioned again",
        || {
            let mut withdrawing = store.withdrawing(&batch("1", Verdict::Accepted)).unwrap();
            for (delivery, _) in withdrawing.later() {
                withdrawing.listen(delivery);
                for key in (0..15_000).map(|n| n * 13) {
                    withdrawing.hear(&record(key, "乙"), 2).unwrap();
                }
                withdrawing.end(false).unwrap();
            }
            let state = batch("1", Verdict::Withdrawn);
            store
                .withdraw(at(1), "张示例", &state, Vec::new(), withdrawing)
                .unwrap();
        },
    );
    assert_eq!(
        store.records("market", RecordKind::Registration).count(),
        15_000
    );
    deliver(&store, 0, "3", news(0..ALL, "甲"));
    timed("scan 200,000", || {
        assert_eq!(
            store.records("market", RecordKind::Registration).count(),
            ALL
        );
    });
    timed("3,000 cases in one commit", || {
        store
            .commit(at(1), "review", (0..3000).map(opened).collect())
            .unwrap();
    });
    timed("3,000 dispatches in one commit", || {
        store
            .commit(
                at(1),
                "review",
                (0..3000).map(|n| dispatched(n, 1)).collect(),
            )
            .unwrap();
    });
    timed("200 small commits", || {
        for n in 0..200 {
            store
                .commit(at(2), "test", vec![notice(&format!("n{n}"), "一")])
                .unwrap();
        }
    });
    // A journal of 20 MB.
    let mut n = 10_000;
    let journal = home.path().join("journal/journal.log");
    while std::fs::metadata(&journal).unwrap().len() < 20 << 20 {
        store
            .commit(at(3), "review", (n..n + 1000).map(opened).collect())
            .unwrap();
        n += 1000;
    }
    drop(store);
    let store = timed("open with a journal of 20 MB", || {
        Store::open(home.path()).unwrap()
    });
    timed("read the whole journal", || {
        store.journal().unwrap().count()
    });
    timed("read every case event", || store.case_events().count());
    timed("read every case", || store.cases().count());
    assert!(!everything(&store).is_empty());
}
