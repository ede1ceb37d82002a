//! Change tracking beside a naive oracle: whole tables in memory, compared row by row.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::domain::batch::ChangeCounts;
use crate::domain::change::ChangeKind;
use crate::domain::duplicate::prevails;
use crate::domain::fields::Fields;
use crate::domain::history::Deed;
use crate::domain::identity::Identity;
use crate::domain::record::{Field, Record, RecordKind, Value};
use crate::store::Store;
use crate::store::comparison::{Taken, Terms};
use crate::store::engine::Engine;
use crate::store::tests::{TERMS, accepted, at};
use crate::store::tracker::RESTS;

/// A row of a small table: key, content, and whether it has an issue (so that it has no raw fingerprint).
type Row = (u8, u8, bool);

/// The first two keys are two shapes of one firm's code: they share the first half of their hashes.
fn code(key: u8) -> String {
    match key {
        0 => format!("91411303{FIRM}9"),
        1 => format!("411302{FIRM}"),
        _ => format!("K{key}"),
    }
}

const FIRM: &str = "MA49U85BX";

fn number(code_of: &str) -> u8 {
    (0..24).find(|key| code(*key) == code_of).unwrap()
}

fn named(content: u8) -> String {
    format!("南阳示例{content}有限公司")
}

fn record(key: u8, content: u8) -> Record {
    let status = ["active", "cancelled"][usize::from(content % 2)];
    Record {
        kind: RecordKind::Registration,
        fields: Fields::from([
            (Field::CreditCode, Value::Text(code(key))),
            (Field::Name, Value::Text(named(content))),
            (Field::Status, Value::Text(status.to_owned())),
        ]),
    }
}

fn raw(row: Row, layout: u8) -> u64 {
    if row.2 {
        return 0;
    }
    1 + u64::from(row.0) + (u64::from(row.1) << 8) + (u64::from(layout) << 16)
}

/// What the oracle knows of a key.
#[derive(Debug, Clone, PartialEq)]
struct Standing {
    content: u8,
    /// Complete deliveries in a row without it.
    missed: u64,
}

/// One delivery as the oracle sees it: the winners by key, and what changed.
fn oracle(
    known: &mut BTreeMap<u8, Standing>,
    rows: &[Row],
) -> (ChangeCounts, BTreeMap<u8, ChangeKind>) {
    let mut winners: BTreeMap<u8, u8> = BTreeMap::new();
    for (key, content, _) in rows {
        let held = winners.entry(*key).or_insert(*content);
        if prevails(&record(*key, *content), &record(*key, *held)) {
            *held = *content;
        }
    }
    let mut counts = ChangeCounts::default();
    let mut changes = BTreeMap::new();
    for (key, standing) in known.iter_mut() {
        if winners.contains_key(key) {
            continue;
        }
        standing.missed += 1;
        if standing.missed == 1 {
            counts.missing += 1;
            changes.insert(*key, ChangeKind::Missing);
        }
    }
    for (key, content) in winners {
        let next = Standing { content, missed: 0 };
        let kind = match known.insert(key, next.clone()) {
            None => ChangeKind::New,
            Some(before) if before.missed > 0 => ChangeKind::Returned,
            Some(before) if before == next => {
                counts.unchanged += 1;
                continue;
            }
            Some(_) => ChangeKind::Changed,
        };
        *match kind {
            ChangeKind::New => &mut counts.new,
            ChangeKind::Returned => &mut counts.returned,
            _ => &mut counts.changed,
        } += 1;
        changes.insert(key, kind);
    }
    (counts, changes)
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((0u8..24, 0u8..6, prop::bool::weighted(0.15)), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Random snapshots with repeated keys, rows with issues, and a layout that changes now and then: counts, lists and the state
    /// are those of the oracle, and every record's history holds what it said before.
    #[test]
    fn deliveries_are_compared_as_the_oracle_does(
        tables in prop::collection::vec((rows(), prop::bool::weighted(0.2)), 1..18),
    ) {
        let home = tempfile::tempdir().unwrap();
        let mut store = Store::open(home.path()).unwrap();
        let mut known = BTreeMap::new();
        let mut layout = 0u8;
        let mut said: BTreeMap<u8, Vec<(Deed, Option<Record>)>> = BTreeMap::new();
        for (n, (table, turns)) in tables.iter().enumerate() {
            layout += u8::from(*turns);
            let before = known.clone();
            let (expected, changes) = oracle(&mut known, table);
            let name = layout.to_string();
            let terms = Terms { complete: true, layout: &name, ..TERMS };
            let mut comparison = store.compare("market", &terms).unwrap();
            for (at, row) in table.iter().enumerate() {
                let raw = raw(*row, layout);
                if comparison.knows(raw) {
                    prop_assert!(before.get(&row.0).is_some_and(|standing| standing.content == row.1));
                    continue;
                }
                let taken = comparison.take(&record(row.0, row.1), at as u64 + 2, raw).unwrap();
                if let Taken::Changed(was) = taken {
                    prop_assert_eq!(*was, record(row.0, before[&row.0].content));
                }
            }
            prop_assert_eq!(comparison.counts(), expected, "delivery {}", n);
            let mut gone = Vec::new();
            comparison.unmentioned(&mut |record| gone.push(record.key())).unwrap();
            prop_assert_eq!(gone.len() as u64, expected.missing);
            comparison.miss().unwrap();
            prop_assert_eq!(comparison.counts(), expected);
            let id = n.to_string();
            store.accept(at(1), "pull", accepted(&id), comparison).unwrap();
            if n % 5 == 4 {
                drop(store);
                store = Store::open(home.path()).unwrap();
            }
            let told: Vec<_> = store
                .changes(&format!("market-20260701-{n}"), RecordKind::Registration)
                .map(Result::unwrap)
                .collect();
            let kinds: BTreeMap<u8, ChangeKind> = told.iter().map(|change| (number(&change.key), change.kind)).collect();
            prop_assert_eq!(told.len(), kinds.len(), "a key twice");
            prop_assert_eq!(&kinds, &changes);
            for change in &told {
                let key = number(&change.key);
                prop_assert_eq!(change.before.clone(), before.get(&key).map(|was| record(key, was.content)));
            }
            for (key, kind) in &changes {
                let deed = match kind {
                    ChangeKind::New => Deed::New,
                    ChangeKind::Changed => Deed::Changed,
                    ChangeKind::Missing => Deed::Missing,
                    ChangeKind::Returned => Deed::Returned,
                };
                let after = (deed != Deed::Missing).then(|| record(*key, known[key].content));
                said.entry(*key).or_default().push((deed, after));
            }
            let mut lookup = store.lookup("market", RecordKind::Registration).unwrap();
            let histories = lookup.histories(&Identity::Organisation(FIRM.to_owned())).unwrap();
            let histories: BTreeMap<u8, Vec<_>> = histories
                .into_iter()
                .map(|(key, history)| (number(&key), history.into_iter().map(|said| (said.deed, said.after)).collect()))
                .collect();
            prop_assert!(histories.iter().eq(said.range(..2)));
            for content in 0u8..6 {
                let found = lookup.find(&Identity::Name(named(content))).unwrap();
                let found: BTreeSet<(u8, u64)> = found.iter().map(|found| (number(&found.stored.record.key()), found.stored.missed)).collect();
                let expected = known.iter().filter(|(_, standing)| standing.content == content);
                prop_assert_eq!(found, expected.map(|(key, standing)| (*key, standing.missed)).collect());
            }
            drop(lookup);
            let now: BTreeMap<u8, Standing> = store
                .records("market", RecordKind::Registration)
                .map(|stored| {
                    let stored = stored.unwrap();
                    let key = number(&stored.record.key());
                    let name = stored.record.text(Field::Name).unwrap();
                    let content = name.chars().find_map(|c| c.to_digit(10)).unwrap();
                    (key, Standing { content: u8::try_from(content).unwrap(), missed: stored.missed })
                })
                .collect();
            prop_assert_eq!(&now, &known);
            for key in 0u8..24 {
                let stored = store.record("market", RecordKind::Registration, &code(key)).unwrap();
                prop_assert_eq!(stored.map(|stored| stored.missed), known.get(&key).map(|standing| standing.missed));
            }
        }
    }
}

#[test]
fn what_a_changed_adapter_reads_otherwise_is_no_change() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let deliver = |id: &str, remap: &[(u8, u8)], rows: &[(u8, u8)]| {
        let terms = Terms {
            complete: true,
            ..TERMS
        };
        let mut comparison = store.compare("market", &terms).unwrap();
        let mut remapped = 0;
        if !remap.is_empty() {
            comparison.begin_remapping();
            for (key, content) in remap {
                comparison.take(&record(*key, *content), 2, 0).unwrap();
            }
            remapped = comparison.turn();
        }
        for (key, content) in rows {
            comparison.take(&record(*key, *content), 2, 0).unwrap();
        }
        comparison.miss().unwrap();
        let counts = comparison.counts();
        store
            .accept(at(1), "pull", accepted(id), comparison)
            .unwrap();
        let told: Vec<_> = store
            .changes(&format!("market-20260701-{id}"), RecordKind::Registration)
            .map(|change| {
                let change = change.unwrap();
                (change.kind, change.key)
            })
            .collect();
        (remapped, counts, told)
    };
    deliver("1", &[], &[(1, 0), (2, 0), (3, 0), (4, 0)]);
    // The changed adapter reads 1 and 2 otherwise and makes something of a row it had set aside.
    let (remapped, counts, told) = deliver(
        "2",
        &[(1, 5), (2, 5), (3, 0), (4, 0), (9, 1)],
        &[(1, 5), (2, 3), (3, 0), (7, 0)],
    );
    assert_eq!(remapped, 3);
    let expected = ChangeCounts {
        new: 1,
        changed: 1,
        missing: 2,
        returned: 0,
        unchanged: 2,
    };
    assert_eq!(counts, expected);
    let key = |n: u8| code(n);
    assert_eq!(
        told,
        [
            (ChangeKind::Changed, key(2)),
            (ChangeKind::New, key(7)),
            (ChangeKind::Missing, key(4)),
            (ChangeKind::Missing, key(9)),
        ]
    );
    let stored = store
        .record("market", RecordKind::Registration, &code(1))
        .unwrap()
        .unwrap();
    assert_eq!(stored.record, record(1, 5));
    assert_eq!(
        stored.batch, "market-20260701-1",
        "it stands where it stood"
    );
}

#[test]
fn an_open_store_takes_the_same_rows_without_writing_to_the_tracking_folder() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path()).unwrap();
    let deliver = |id: &str, order: &mut dyn Iterator<Item = u8>| {
        let mut comparison = store.compare("market", &TERMS).unwrap();
        for (row, key) in order.enumerate() {
            comparison.take(&record(key, 1), row as u64 + 2, 0).unwrap();
        }
        comparison.miss().unwrap();
        let counts = comparison.counts();
        store
            .accept(at(1), "pull", accepted(id), comparison)
            .unwrap();
        counts
    };
    assert_eq!(deliver("1", &mut (0..200)).new, 200);
    let folder = home.path().join("tracking/market-0000000001");
    let written = || {
        let about = std::fs::metadata(folder.join("db")).unwrap();
        (about.len(), about.modified().unwrap())
    };
    assert!(!folder.join("db").exists(), "sled is not needed yet");
    assert_eq!(deliver("2", &mut (0..201)).new, 1);
    let before = written();
    assert_eq!(deliver("3", &mut (0..201).rev()).unchanged, 201);
    assert_eq!(written(), before);
    // It is not kept open for ever.
    for rest in 0..=RESTS {
        assert!(Engine::hold(&folder).is_none(), "let go after {rest}");
        store.rest();
    }
    assert!(Engine::hold(&folder).is_some());
    assert_eq!(deliver("4", &mut (0..202)).new, 1);
}
