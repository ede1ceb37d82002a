//! A state folder of version 2, 3 or 4 becomes one of this version.
//!
//! Version 2 kept all that was known of a source as pages in sled, sorted by a hash of the key's first field. Now it lies in a sorted
//! file, by a hash of the organisation code inside that field, with a file of what the keys bear and the months they speak of in
//! the manifest. All of it follows from the records in the segments, so it is made of them, source by source; a source that has been
//! done is known by its manifest, so a kill is made good by the next start. What version 2 did not note is not known: which
//! deliveries had to mention every record (what is missing is counted from now on), and where the histories ended that withdrawals
//! took back.
//!
//! Version 3 did not note everything that keys bear: the former names and registration numbers of a registration, and identifiers on
//! the roll that hold no organisation code, were not looked up then. What the records bear is gathered anew and laid beside what was
//! noted, which also says where histories ended that were taken back. Nothing tells such a source from one that has been done, so
//! after a kill it is done again: what is noted twice is noted once.
//!
//! Version 4 did not note which pairs were answered.

use crate::domain::batch::Batch;
use crate::domain::pairing::Pairing;
use crate::domain::record::{Record, RecordKind};
use crate::store::bearers::Gathered;
use crate::store::comparison::decode;
use crate::store::index::{Index, Rows, json};
use crate::store::pages::{KeyHash, Known};
use crate::store::segment::{EntryKind, Place, Reader, Segments};
use crate::store::stage::Marker;
use crate::store::tracker::{Complete, Leaving, Manifest, Shift, Trackers};
use crate::store::{StoreError, keys, rows};

/// Takes a folder of an older version on. What an earlier process left unpublished must be gone.
pub fn to_this_version(
    version: u32,
    index: &Index,
    segments: &Segments,
    trackers: &Trackers,
) -> Result<(), StoreError> {
    note_answered(index)?;
    if version >= 4 {
        return Ok(());
    }
    let tracked: Vec<(Vec<u8>, Vec<u8>)> =
        index.scan(keys::TRACKED.into()).collect::<Result<_, _>>()?;
    for (adapter, manifest) in tracked {
        let adapter = rows::read_text(adapter)?;
        let manifest: Manifest = json("变更索引清单", &manifest)?;
        if manifest.is_of_version_2() {
            of_version_2(index, segments, trackers, &adapter, &manifest)?;
        } else if manifest.generation != 0 {
            of_version_3(index, segments, trackers, &adapter, &manifest)?;
        }
    }
    Ok(())
}

fn note_answered(index: &Index) -> Result<(), StoreError> {
    let mut answered = Rows::new();
    for item in index.scan(keys::PAIRINGS.into()) {
        let (own, row) = item?;
        let pairing: Pairing = json("归集认定", &row)?;
        if pairing.answer.is_some() {
            let key = [keys::ANSWERED.as_bytes(), &own].concat();
            answered.insert(key, Some(Vec::new()));
        }
    }
    index.write(answered, None)
}

/// What a source carries, as its last batch says.
fn kind_of(index: &Index, adapter: &str) -> Result<Option<RecordKind>, StoreError> {
    let prefix = keys::within(keys::BY_ADAPTER, adapter);
    let Some(last) = index.last_keys(&prefix, None, 1)?.pop() else {
        return Ok(None);
    };
    let seq = rows::read_number(&last)?;
    let batch: Option<Batch> = index.get_json("批次", &keys::numbered(keys::BATCHES, seq))?;
    Ok(batch.map(|batch| batch.kind))
}

fn of_version_2(
    index: &Index,
    segments: &Segments,
    trackers: &Trackers,
    adapter: &str,
    before: &Manifest,
) -> Result<(), StoreError> {
    let mut known = trackers.of_version_2(adapter, before)?;
    // In the order in which the records lie.
    known.sort_unstable_by_key(Known::place);
    let (mut borne, mut months) = (Gathered::default(), Shift::default());
    let mut contents = Contents::of(segments);
    if let Some(kind) = kind_of(index, adapter)? {
        for known in &mut known {
            let record = contents.read(kind, known.place())?;
            let key = KeyHash::of_record(&record);
            borne.note(&record, None, key.first, trackers.folder())?;
            if known.present() {
                months.add(&record, 1);
            }
            known.key = key;
        }
    }
    known.sort_unstable_by_key(|known| known.key);
    let number = next_delivery(index)?;
    let manifest = trackers.write(
        adapter,
        &Manifest::default(),
        number,
        Leaving {
            known: known.into_iter(),
            borne,
            months: &months,
            layout: &before.layout,
            complete: Complete::Same,
        },
    )?;
    see(index, trackers, adapter, number, &manifest)
}

fn of_version_3(
    index: &Index,
    segments: &Segments,
    trackers: &Trackers,
    adapter: &str,
    before: &Manifest,
) -> Result<(), StoreError> {
    let Some(kind) = kind_of(index, adapter)? else {
        return Ok(());
    };
    let mut places = trackers
        .of(adapter, before)?
        .all()
        .map(|known| known.map(|known| known.place()))
        .collect::<Result<Vec<_>, _>>()?;
    places.sort_unstable();
    let mut borne = Gathered::default();
    let mut contents = Contents::of(segments);
    for place in places {
        let record = contents.read(kind, place)?;
        let first = KeyHash::of_record(&record).first;
        borne.note(&record, None, first, trackers.folder())?;
    }
    let number = next_delivery(index)?;
    let manifest = trackers.with_borne(adapter, before, number, borne)?;
    see(index, trackers, adapter, number, &manifest)
}

/// What records say, read in the order in which they lie; of missing ones what they said last.
struct Contents<'a> {
    reader: Reader<'a>,
    aside: Reader<'a>,
}

impl<'a> Contents<'a> {
    fn of(segments: &'a Segments) -> Self {
        Self {
            reader: segments.reader(),
            aside: segments.reader(),
        }
    }

    fn read(&mut self, kind: RecordKind, place: Place) -> Result<Record, StoreError> {
        let mut entry = self.reader.read_on(place)?;
        if entry.kind == EntryKind::Missing {
            entry = self.aside.read(entry.before)?;
        }
        decode(kind, &entry)
    }
}

fn next_delivery(index: &Index) -> Result<u64, StoreError> {
    Ok(match index.get(keys::DELIVERY.as_bytes())? {
        None => 1,
        Some(row) => rows::read_number(&row)? + 1,
    })
}

/// Makes what was written seen, and removes what stood before.
fn see(
    index: &Index,
    trackers: &Trackers,
    adapter: &str,
    number: u64,
    manifest: &Manifest,
) -> Result<(), StoreError> {
    let mut seen = Rows::from([(keys::DELIVERY.into(), Some(rows::number(number)))]);
    Marker::see(adapter, manifest, &mut seen)?;
    index.write(seen, None)?;
    index.barrier()?;
    trackers.sweep(adapter, manifest)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use jiff::civil::date;

    use super::*;
    use crate::domain::batch::Verdict;
    use crate::domain::event::Event;
    use crate::domain::identity::Identity;
    use crate::domain::pairing::{PairingEvent, Subject};
    use crate::domain::record::{Field, Month, Value};
    use crate::store::bearers::{self, Pair};
    use crate::store::comparison::Terms;
    use crate::store::tests::{at, batch};
    use crate::store::{Store, sorted_file};

    fn with(kind: RecordKind, texts: &[(Field, &str)]) -> Record {
        let mut record = Record::new(kind);
        for (field, text) in texts {
            record.fields.insert(*field, Value::Text((*text).into()));
        }
        record
    }

    fn registration(code: &str, name: &str, former: &str, number: &str) -> Record {
        with(
            RecordKind::Registration,
            &[
                (Field::CreditCode, code),
                (Field::Name, name),
                (Field::FormerNames, former),
                (Field::RegistrationNumber, number),
            ],
        )
    }

    fn roll_row(unit: &str, code: &str) -> Record {
        let mut record = with(
            RecordKind::InsuredRoll,
            &[
                (Field::UnitNumber, unit),
                (Field::CreditCode, code),
                (Field::Name, "南阳示例某某有限公司"),
                (Field::Insurance, "pension"),
            ],
        );
        let month = Month::of("2026-03-31".parse().unwrap());
        record.fields.insert(Field::Month, Value::Month(month));
        record
    }

    fn deliver(store: &Store, adapter: &str, n: usize, records: &[Record]) -> Batch {
        let kind = records[0].kind;
        let terms = Terms {
            kind,
            complete: false,
            layout: "l",
            by_raw: true,
        };
        let mut comparison = store.compare(adapter, &terms).unwrap();
        for (row, record) in (2_u64..).zip(records) {
            comparison.take(record, row, n as u64 * 1000 + row).unwrap();
        }
        let delivered = Batch {
            batch: format!("{adapter}-20260701-{n}"),
            adapter: adapter.to_owned(),
            kind,
            ..batch(&n.to_string(), Verdict::Accepted)
        };
        let event = Event::Batch {
            batch: Box::new(delivered.clone()),
        };
        store.accept(at(1), "pull", event, comparison).unwrap();
        delivered
    }

    /// The folder as version 3 would have left it: without the pairs of these identities.
    fn of_version_3_without(state: &Path, forgotten: &[Identity]) {
        let forgotten: BTreeSet<u64> = forgotten.iter().filter_map(bearers::hash).collect();
        let folders = std::fs::read_dir(state.join("tracking")).unwrap();
        let mut left_out = BTreeSet::new();
        for folder in folders {
            for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if !name.starts_with("bearers") {
                    continue;
                }
                let pairs: Vec<Pair> = bearers::Bearers::open(&path)
                    .unwrap()
                    .walk()
                    .map(Result::unwrap)
                    .collect();
                let is_known = |pair: &&Pair| !forgotten.contains(&pair.0);
                let kept: Vec<Pair> = pairs.iter().filter(is_known).copied().collect();
                left_out.extend(
                    pairs
                        .iter()
                        .filter(|pair| !is_known(pair))
                        .map(|pair| pair.0),
                );
                std::fs::remove_file(&path).unwrap();
                sorted_file::write(&path, kept.into_iter().map(Ok)).unwrap();
            }
        }
        assert_eq!(left_out, forgotten, "each was noted before it was left out");
        std::fs::write(state.join("VERSION"), "3\n").unwrap();
    }

    #[test]
    fn pairs_that_were_answered_are_noted_when_version_4_was_taken_on() {
        let home = tempfile::tempdir().unwrap();
        let day = date(2026, 4, 10);
        let enterprise = "EMA49U85BX";
        let answered = |store: &Store| -> Vec<Subject> {
            let all = store.answered().map(Result::unwrap);
            all.map(|pairing| pairing.candidate.subject).collect()
        };
        let unit = |n: u32| Subject::Unit(format!("4113{n:04}"));
        let said = |n: u32, change: PairingEvent| Event::Pairing {
            subject: unit(n),
            enterprise: enterprise.to_owned(),
            day,
            change,
        };
        let answer = |same| PairingEvent::Answered {
            same,
            by: "张示例".to_owned(),
            reason: "核对营业执照".to_owned(),
        };
        let undone = PairingEvent::Undone {
            by: "张示例".to_owned(),
            reason: "看错".to_owned(),
        };
        let store = Store::open(home.path()).unwrap();
        let events = vec![
            said(1, answer(true)),
            said(2, answer(false)),
            said(3, answer(false)),
            said(3, undone),
        ];
        store.commit(at(1), "identity", events).unwrap();
        assert_eq!(answered(&store), [unit(1), unit(2)]);
        assert_eq!(store.pairings().count(), 3);
        let noted = [1, 2].map(|n| {
            let name = unit(n).to_string();
            keys::below(keys::ANSWERED, enterprise, name.as_bytes())
        });
        let gone = noted.into_iter().map(|key| (key, None)).collect();
        store.index.write(gone, None).unwrap();
        assert_eq!(answered(&store), []);
        drop(store);
        std::fs::write(home.path().join("VERSION"), "4\n").unwrap();
        let store = Store::open(home.path()).unwrap();
        assert_eq!(answered(&store), [unit(1), unit(2)]);
    }

    #[test]
    fn what_version_3_did_not_note_is_found_when_it_was_taken_on() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path();
        let store = Store::open(state).unwrap();
        let first = registration(
            "91411303MA49U85BX9",
            "南阳宛东物流有限公司",
            "南阳旧名物流有限公司；南阳更旧有限公司",
            "411300000012347",
        );
        let others: Vec<Record> = (0..40)
            .map(|n| registration(&format!("91411300{n:010}"), "南阳示例有限公司", "", ""))
            .collect();
        deliver(&store, "market", 1, &[vec![first], others].concat());
        // In a run of its own.
        let second = registration(
            "914113002232877688",
            "南阳示例运输有限公司",
            "南阳原名运输有限公司",
            "411300000098765",
        );
        let taken = deliver(&store, "market", 2, std::slice::from_ref(&second));
        let written = "豫宛社0007号";
        let rows = [roll_row("4113000007", written), roll_row("4113000008", "")];
        deliver(&store, "roll", 3, &rows);
        // What a withdrawal noted must outlast it all.
        let withdrawn = Batch {
            verdict: Verdict::Withdrawn,
            withdrawn: Some(crate::domain::batch::Withdrawal {
                by: "张示例".into(),
                reason: "来源部门来函更正".into(),
                at: at(2),
            }),
            ..taken.clone()
        };
        deliver(&store, "market", 4, &[second]);
        let mut withdrawing = store.withdrawing(&taken).unwrap();
        for (delivery, _) in withdrawing.later() {
            withdrawing.listen(delivery);
            withdrawing.end(false).unwrap();
        }
        store
            .withdraw(at(2), "张示例", &withdrawn, Vec::new(), withdrawing)
            .unwrap();
        drop(store);

        let registered = [
            Identity::Name("南阳旧名物流有限公司".into()),
            Identity::Name("南阳更旧有限公司".into()),
            Identity::Written("411300000012347".into()),
        ];
        let on_roll = Identity::Written(crate::domain::code::normal(written));
        let told = |store: &Store| {
            let mut market = store.lookup("market", RecordKind::Registration).unwrap();
            let mut found: Vec<usize> = registered
                .iter()
                .map(|identity| market.find(identity).unwrap().len())
                .collect();
            let mut roll = store.lookup("roll", RecordKind::InsuredRoll).unwrap();
            found.push(roll.find(&on_roll).unwrap().len());
            let of_second = Identity::Organisation("223287768".into());
            (found, market.histories(&of_second).unwrap())
        };
        let (_, histories) = told(&Store::open(state).unwrap());
        assert!(!histories.is_empty(), "a history that was taken back");

        let mut forgotten = registered.to_vec();
        forgotten.push(on_roll.clone());
        of_version_3_without(state, &forgotten);
        // Read as this version's, it would not find them.
        std::fs::write(state.join("VERSION"), "4\n").unwrap();
        assert_eq!(told(&Store::open(state).unwrap()).0, [0, 0, 0, 0]);
        std::fs::write(state.join("VERSION"), "3\n").unwrap();
        let store = Store::open(state).unwrap();
        assert_eq!(told(&store), (vec![1, 1, 1, 1], histories.clone()));
        let size = |store: &Store| store.sizes().unwrap();
        let once = size(&store);
        drop(store);
        // Killed before it was marked: done again, nothing is there twice.
        std::fs::write(state.join("VERSION"), "3\n").unwrap();
        let store = Store::open(state).unwrap();
        assert_eq!(told(&store), (vec![1, 1, 1, 1], histories));
        for (source, now) in size(&store).sources {
            assert_eq!(now.logical, once.sources[&source].logical, "{source}");
        }
        // The next delivery stands beside it.
        let third = registration(
            "91411303MA4RHCMP9X",
            "南阳示例三有限公司",
            "南阳旧名物流有限公司",
            "",
        );
        deliver(&store, "market", 5, &[third]);
        assert_eq!(told(&store).0, [2, 1, 1, 1]);
    }
}
