//! Withdrawals beside a naive oracle: the state afterwards is that of all other deliveries, replayed in their order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::domain::batch::{Batch, ChangeCounts, Verdict, Withdrawal};
use crate::domain::duplicate::prevails;
use crate::domain::event::Event;
use crate::domain::history::Deed;
use crate::domain::identity::Identity;
use crate::domain::record::{Field, Month, Record, RecordKind, Value};
use crate::store::comparison::Terms;
use crate::store::tests::{at, batch};
use crate::store::withdrawal::Restored;
use crate::store::{Store, StoreError};

/// A row of a small table: key and content.
type Row = (u8, u8);

/// Whether some keys share their first part.
type Parts = bool;

const FIRM: &str = "MA49U85BX";

/// The first two are two shapes of one firm's code.
fn code_of(firm: u8) -> String {
    match firm {
        0 => format!("91411303{FIRM}9"),
        1 => format!("411302{FIRM}"),
        _ => format!("K{firm}"),
    }
}

fn record(parts: Parts, row: Row) -> Record {
    let mut record = Record::new(RecordKind::Tax);
    let (code, month) = if parts {
        (row.0 / 3, row.0 % 3)
    } else {
        (row.0, 0)
    };
    let month = Month::of("2026-01-31".parse().unwrap()).plus(i32::from(month));
    let mut set = |field, value| record.fields.insert(field, value);
    set(Field::CreditCode, Value::Text(code_of(code)));
    set(Field::Month, Value::Month(month));
    set(Field::Filers, Value::Count(row.1.into()));
    record
}

fn judged(id: usize, verdict: Verdict) -> Batch {
    Batch {
        kind: RecordKind::Tax,
        ..batch(&format!("{id:04}"), verdict)
    }
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq)]
struct Standing {
    content: u8,
    /// Complete deliveries in a row without it.
    missed: u64,
}

type State = BTreeMap<String, Standing>;

/// Takes one delivery into the state; what changed.
fn take(state: &mut State, parts: Parts, complete: bool, rows: &[Row]) -> ChangeCounts {
    let mut winners: BTreeMap<String, Record> = BTreeMap::new();
    for row in rows {
        let record = record(parts, *row);
        let held = winners
            .entry(record.key())
            .or_insert_with(|| record.clone());
        if prevails(&record, held) {
            *held = record;
        }
    }
    let mut counts = ChangeCounts::default();
    for (key, standing) in state.iter_mut() {
        if complete && !winners.contains_key(key) {
            standing.missed += 1;
            counts.missing += u64::from(standing.missed == 1);
        }
    }
    for (key, record) in winners {
        let next = Standing {
            content: u8::try_from(record.count(Field::Filers).unwrap()).unwrap(),
            missed: 0,
        };
        *match state.insert(key, next.clone()) {
            None => &mut counts.new,
            Some(before) if before.missed > 0 => &mut counts.returned,
            Some(before) if before == next => &mut counts.unchanged,
            Some(_) => &mut counts.changed,
        } += 1;
    }
    counts
}

/// A store beside everything that was ever delivered to it.
struct City {
    home: tempfile::TempDir,
    store: Store,
    parts: Parts,
    complete: bool,
    tables: Vec<Vec<Row>>,
    standing: Vec<bool>,
}

impl City {
    fn new(parts: Parts, complete: bool) -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path()).unwrap();
        Self {
            home,
            store,
            parts,
            complete,
            tables: Vec::new(),
            standing: Vec::new(),
        }
    }

    fn reopen(self) -> Self {
        drop(self.store);
        Self {
            store: Store::open(self.home.path()).unwrap(),
            ..self
        }
    }

    fn replay(&self) -> State {
        let mut state = State::new();
        for (rows, _) in self.tables.iter().zip(&self.standing).filter(|(_, s)| **s) {
            take(&mut state, self.parts, self.complete, rows);
        }
        state
    }

    fn deliver(&mut self, rows: Vec<Row>, layout: &str) {
        let id = self.tables.len();
        let expected = take(&mut self.replay(), self.parts, self.complete, &rows);
        let terms = Terms {
            kind: RecordKind::Tax,
            complete: self.complete,
            layout,
            by_raw: true,
        };
        let mut comparison = self.store.compare("market", &terms).unwrap();
        for (n, row) in rows.iter().enumerate() {
            let raw = 1 + u64::from(row.0) + (u64::from(row.1) << 8);
            if !comparison.knows(raw) {
                let record = record(self.parts, *row);
                comparison.take(&record, n as u64 + 2, raw).unwrap();
            }
        }
        comparison.miss().unwrap();
        assert_eq!(comparison.counts(), expected, "delivery {id}");
        let batch = Box::new(judged(id, Verdict::Accepted));
        self.store
            .accept(at(1), "pull", Event::Batch { batch }, comparison)
            .unwrap();
        self.tables.push(rows);
        self.standing.push(true);
    }

    fn withdraw(&mut self, id: usize) -> Restored {
        let before = self.replay();
        let restored = self.restore(id);
        let after = self.replay();
        let count = |is: &dyn Fn(&Standing, Option<&Standing>) -> bool| {
            before
                .iter()
                .filter(|(key, was)| is(was, after.get(*key)))
                .count() as u64
        };
        assert_eq!(restored.forgotten, count(&|_, now| now.is_none()));
        assert_eq!(
            restored.missing_again,
            count(&|was, now| was.missed == 0 && now.is_some_and(|now| now.missed > 0))
        );
        assert_eq!(
            restored.present_again,
            count(&|was, now| was.missed > 0 && now.is_some_and(|now| now.missed == 0))
        );
        restored
    }

    fn restore(&mut self, id: usize) -> Restored {
        let batch = judged(id, Verdict::Accepted);
        let mut withdrawing = self.store.withdrawing(&batch).unwrap();
        for (delivery, later) in withdrawing.later() {
            let n: usize = later[later.len() - 4..].parse().unwrap();
            assert!(self.standing[n] && n > id, "{later}");
            withdrawing.listen(delivery);
            for (line, row) in self.tables[n].iter().enumerate() {
                let record = record(self.parts, *row);
                withdrawing.hear(&record, line as u64 + 2).unwrap();
            }
            withdrawing.end(self.complete).unwrap();
        }
        let restored = withdrawing.restored();
        self.store
            .withdraw(at(2), "张示例", &withdrawn(id), Vec::new(), withdrawing)
            .unwrap();
        self.standing[id] = false;
        restored
    }

    /// What readers see is what the oracle says, and nothing stands on a batch that does not count.
    fn check(&self) {
        let mut seen = State::new();
        for stored in self.store.records("market", RecordKind::Tax) {
            let stored = stored.unwrap();
            let content = stored.record.count(Field::Filers).unwrap();
            let content = u8::try_from(content).unwrap();
            let key = stored.record.key();
            if stored.present() {
                let n: usize = stored.batch[stored.batch.len() - 4..].parse().unwrap();
                assert!(self.standing[n], "{key} stands on {}", stored.batch);
                let line = usize::try_from(stored.row).unwrap() - 2;
                assert_eq!(record(self.parts, self.tables[n][line]), stored.record);
            }
            let one = self.store.record("market", RecordKind::Tax, &key).unwrap();
            assert_eq!(one.as_ref(), Some(&stored));
            let missed = stored.missed;
            assert!(seen.insert(key, Standing { content, missed }).is_none());
        }
        assert_eq!(seen, self.replay());
        for key in 0..24 {
            let key = record(self.parts, (key, 0)).key();
            let found = self.store.record("market", RecordKind::Tax, &key).unwrap();
            assert_eq!(found.is_some(), seen.contains_key(&key), "{key}");
        }
        self.check_months();
        self.check_histories(&seen);
        let head = self.store.head("market").unwrap().map(|head| head.batch);
        let last = self.standing.iter().rposition(|stands| *stands);
        assert_eq!(head, last.map(|n| judged(n, Verdict::Accepted).batch));
    }
}

impl City {
    /// The months that are counted with each delivery are those of the records that are present.
    fn check_months(&self) {
        let mut months = BTreeMap::new();
        for stored in self.store.records("market", RecordKind::Tax) {
            let stored = stored.unwrap();
            if stored.present() {
                let month = stored.record.month().unwrap().to_string();
                *months.entry(month).or_insert(0) += 1;
            }
        }
        assert_eq!(self.store.manifest("market").unwrap().months, months);
    }

    /// What counts ends with what is known; what was taken back is still told, as such.
    fn check_histories(&self, seen: &State) {
        let mut lookup = self.store.lookup("market", RecordKind::Tax).unwrap();
        let firm = Identity::Organisation(FIRM.to_owned());
        let number = |batch: &str| -> usize { batch[batch.len() - 4..].parse().unwrap() };
        let mut told = BTreeMap::new();
        let mut off = BTreeSet::new();
        for (key, history) in lookup.histories(&firm).unwrap() {
            for said in history {
                let n = number(&said.batch);
                if said.deed == Deed::Withdrawn {
                    off.insert((key.clone(), n));
                    continue;
                }
                assert!(self.standing[n], "{key} {said:?}");
                assert_eq!(said.after.is_none(), said.deed == Deed::Missing);
                told.insert(key.clone(), said);
            }
        }
        let is_own = |key: &&String| key.contains(FIRM);
        assert!(told.keys().eq(seen.keys().filter(is_own)));
        for (key, said) in &told {
            let record = said.after.as_ref().or(said.before.as_ref()).unwrap();
            let content = record.count(Field::Filers).unwrap();
            assert_eq!(content, u64::from(seen[key].content), "{key}");
            assert_eq!(said.after.is_some(), seen[key].missed == 0, "{key}");
        }
        // Whatever a batch that was taken back had brought is told of it.
        for (n, rows) in self
            .tables
            .iter()
            .enumerate()
            .filter(|(n, _)| !self.standing[*n])
        {
            let before: BTreeSet<String> = self.tables[..n]
                .iter()
                .flatten()
                .map(|row| record(self.parts, *row).key())
                .collect();
            for row in rows {
                let key = record(self.parts, *row).key();
                if key.contains(FIRM) && !before.contains(&key) {
                    assert!(off.contains(&(key.clone(), n)), "{key} {n}");
                }
            }
        }
    }
}

fn withdrawn(id: usize) -> Batch {
    Batch {
        withdrawn: Some(Withdrawal {
            by: "张示例".into(),
            reason: "来源部门来函更正".into(),
            at: at(2),
        }),
        ..judged(id, Verdict::Withdrawn)
    }
}

#[derive(Debug, Clone)]
enum Step {
    Deliver(Vec<Row>, bool),
    Withdraw(prop::sample::Index),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = (0u8..24, 0u8..4);
    let rows = prop_oneof![
        prop::collection::vec(row.clone(), 0..30),
        prop::collection::vec(row, 0..4),
    ];
    let step = prop_oneof![
        5 => (rows, prop::bool::weighted(0.15)).prop_map(|(rows, turns)| Step::Deliver(rows, turns)),
        3 => any::<prop::sample::Index>().prop_map(Step::Withdraw),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 2..22)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_state_is_that_of_all_other_deliveries(steps in steps(), parts: bool, complete: bool) {
        let mut city = City::new(parts, complete);
        let mut layout = 0;
        for step in steps {
            match step {
                Step::Deliver(rows, turns) => {
                    layout += u8::from(turns);
                    city.deliver(rows, &layout.to_string());
                }
                Step::Withdraw(which) => {
                    let standing: Vec<usize> = (0..city.tables.len()).filter(|n| city.standing[*n]).collect();
                    if !standing.is_empty() {
                        city.withdraw(*which.get(&standing));
                    }
                }
                Step::Reopen => city = city.reopen(),
            }
            city.check();
        }
    }
}

#[test]
fn a_word_that_a_later_file_repeats_is_that_files_from_then_on() {
    for complete in [false, true] {
        let mut city = City::new(false, complete);
        city.deliver(vec![(1, 1), (2, 1), (3, 1)], "");
        city.deliver(vec![(1, 2), (2, 2), (4, 2), (5, 2)], "");
        city.deliver(vec![(1, 2), (3, 3), (4, 2)], "");
        let restored = city.withdraw(1);
        // 1 and 4 stand in the last file too; 2 was only changed, 5 only brought by the withdrawn one.
        let expected = if complete {
            Restored {
                forgotten: 1,
                changed_back: 1,
                kept: 3,
                ..Restored::default()
            }
        } else {
            Restored {
                forgotten: 1,
                changed_back: 1,
                kept: 2,
                ..Restored::default()
            }
        };
        assert_eq!(restored, expected, "{complete}");
        city.check();
        // The last file alone keeps them now.
        city.withdraw(2);
        city.check();
        assert_eq!(city.replay().len(), 3);
        city.withdraw(0);
        city.check();
        assert!(city.store.head("market").unwrap().is_none());
        city.deliver(vec![(5, 2)], "");
        city.check();
    }
}

#[test]
fn what_does_not_count_is_not_withdrawn() {
    let mut city = City::new(false, true);
    city.deliver(vec![(1, 1)], "");
    city.deliver(vec![(1, 2)], "");
    let unfit = |result: Result<(), StoreError>| matches!(result, Err(StoreError::Unfit { .. }));
    let batch = judged(1, Verdict::Accepted);
    let twice = [0, 1].map(|_| city.store.withdrawing(&batch).unwrap());
    let told = twice.map(|withdrawing| {
        city.store
            .withdraw(at(2), "张示例", &withdrawn(1), Vec::new(), withdrawing)
    });
    assert!(told[0].is_ok() && unfit(told.into_iter().nth(1).unwrap()));
    city.standing[1] = false;
    city.check();
    // Withdrawn before, never delivered, not marked as withdrawn.
    let again = city.store.withdrawing(&batch).unwrap();
    assert!(unfit(city.store.withdraw(
        at(2),
        "张示例",
        &withdrawn(1),
        Vec::new(),
        again
    )));
    let unknown = city
        .store
        .withdrawing(&judged(9, Verdict::Accepted))
        .unwrap();
    assert!(unfit(city.store.withdraw(
        at(2),
        "张示例",
        &withdrawn(9),
        Vec::new(),
        unknown
    )));
    let standing = city
        .store
        .withdrawing(&judged(0, Verdict::Accepted))
        .unwrap();
    assert!(unfit(city.store.withdraw(
        at(2),
        "张示例",
        &judged(0, Verdict::Accepted),
        Vec::new(),
        standing
    )));
    let event = Event::Withdrawn {
        batch: Box::new(withdrawn(0)),
    };
    assert!(unfit(city.store.commit(at(2), "张示例", vec![event])));
    city.check();
    city = city.reopen();
    city.check();
}

#[test]
fn what_a_changed_adapter_read_otherwise_goes_back_too() {
    // The second delivery comes with a changed adapter, which reads the first otherwise.
    let begin = |complete| {
        let mut city = City::new(false, complete);
        city.deliver(vec![(1, 1), (2, 1), (3, 1)], "");
        let terms = Terms {
            kind: RecordKind::Tax,
            complete,
            layout: "other",
            by_raw: true,
        };
        let mut comparison = city.store.compare("market", &terms).unwrap();
        let take = |comparison: &mut crate::store::comparison::Comparison<'_>, rows: &[Row]| {
            for (line, row) in rows.iter().enumerate() {
                let record = record(false, *row);
                comparison.take(&record, line as u64 + 2, 0).unwrap();
            }
        };
        comparison.begin_remapping();
        take(&mut comparison, &[(1, 2), (2, 2), (3, 2), (4, 2)]);
        assert_eq!(comparison.turn(), 4);
        let rows = vec![(1, 2), (2, 3), (4, 2)];
        take(&mut comparison, &rows);
        comparison.miss().unwrap();
        let batch = Box::new(judged(1, Verdict::Accepted));
        city.store
            .accept(at(1), "pull", Event::Batch { batch }, comparison)
            .unwrap();
        city.tables.push(rows);
        city.standing.push(true);
        city
    };
    for complete in [false, true] {
        let mut city = begin(complete);
        city.restore(1);
        city.check();
        let mut city = begin(complete);
        city.restore(0);
        // What the changed adapter made of the withdrawn file is gone with it.
        city.check();
    }
}

#[test]
fn a_forgotten_key_does_not_stand_for_another_of_its_enterprise() {
    let mut city = City::new(true, true);
    // One month of many enterprises, then a second month of the first: it shares the first part of its key.
    let base: Vec<Row> = (0..40).map(|n| (n * 3, 1)).collect();
    city.deliver(base.clone(), "");
    city.deliver([base.clone(), vec![(1, 1)]].concat(), "");
    city.withdraw(1);
    city.check();
    let changed = [vec![(0, 2)], base[1..].to_vec()].concat();
    city.deliver(changed, "");
    city.check();
}
