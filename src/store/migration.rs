//! A state folder of version 2 becomes one of this version.
//!
//! Version 2 kept all that was known of a source as pages in sled, sorted by a hash of the key's first field. Now it lies in a sorted
//! file, by a hash of the organisation code inside that field, with a file of what the keys bear and the months they speak of in
//! the manifest. All of it follows from the records in the segments, so it is made of them, source by source; a source that has been
//! done is known by its manifest, so a kill is made good by the next start. What version 2 did not note is not known: which
//! deliveries had to mention every record (what is missing is counted from now on), and where the histories ended that withdrawals
//! took back.

use crate::domain::batch::Batch;
use crate::domain::record::RecordKind;
use crate::store::bearers::Gathered;
use crate::store::comparison::decode;
use crate::store::index::{Index, Rows, json};
use crate::store::pages::{KeyHash, Known};
use crate::store::segment::{EntryKind, Segments};
use crate::store::stage::Marker;
use crate::store::tracker::{Complete, Leaving, Manifest, Shift, Trackers};
use crate::store::{StoreError, keys, rows};

/// Takes a folder of version 2 on. What an earlier process left unpublished must be gone.
pub fn to_this_version(
    index: &Index,
    segments: &Segments,
    trackers: &Trackers,
) -> Result<(), StoreError> {
    let tracked: Vec<(Vec<u8>, Vec<u8>)> =
        index.scan(keys::TRACKED.into()).collect::<Result<_, _>>()?;
    for (adapter, manifest) in tracked {
        let adapter = rows::read_text(adapter)?;
        let manifest: Manifest = json("变更索引清单", &manifest)?;
        if manifest.is_of_version_2() {
            source(index, segments, trackers, &adapter, &manifest)?;
        }
    }
    Ok(())
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

fn source(
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
    let (mut reader, mut aside) = (segments.reader(), segments.reader());
    if let Some(kind) = kind_of(index, adapter)? {
        for known in &mut known {
            let mut entry = reader.read_on(known.place())?;
            if entry.kind == EntryKind::Missing {
                entry = aside.read(entry.before)?;
            }
            let record = decode(kind, &entry)?;
            let key = KeyHash::of_record(&record);
            borne.note(&record, None, key.first, trackers.folder())?;
            if known.present() {
                months.add(&record, 1);
            }
            known.key = key;
        }
    }
    known.sort_unstable_by_key(|known| known.key);
    let number = match index.get(keys::DELIVERY.as_bytes())? {
        None => 1,
        Some(row) => rows::read_number(&row)? + 1,
    };
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
    let mut seen = Rows::from([(keys::DELIVERY.into(), Some(rows::number(number)))]);
    Marker::see(adapter, &manifest, &mut seen)?;
    index.write(seen, None)?;
    index.barrier()?;
    trackers.sweep(adapter, &manifest)
}
