//! Deliveries: what a batch changed, first written unseen, then made visible by one small write.
//!
//! Each accepted batch is one *delivery* with a number of its own, greater than all before. Its changes lie in a segment of that
//! number, its fingerprints in a run of that number in the tracking index of its source; nobody looks there yet. When the journal
//! has the batch, one write to the index names the run in the source's manifest: that is what readers go by. What is written once
//! is never changed, so a walk that began before a batch ends before it and needs no lock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use crate::domain::batch::Batch;
use crate::store::fold::{check_name, unfit};
use crate::store::index::{Index, Rows, json};
use crate::store::rows;
use crate::store::segment::Segments;
use crate::store::tracker::{Manifest, Trackers};
use crate::store::{StoreError, keys, lock};

/// The numbers of deliveries: each is greater than all that were kept, and one that came to nothing is given again, so that the
/// same batches have the same numbers whatever was held, refused or broken off between them.
#[derive(Debug, Default)]
pub struct Numbers {
    greatest: u64,
    given: BTreeSet<u64>,
}

impl Numbers {
    /// After the greatest that was kept.
    pub const fn after(greatest: u64) -> Self {
        Self {
            greatest,
            given: BTreeSet::new(),
        }
    }
}

/// The number of a delivery while it is on its way.
#[derive(Debug)]
pub struct Ticket {
    numbers: Arc<Mutex<Numbers>>,
    /// The number.
    pub delivery: u64,
}

impl Ticket {
    /// The next number.
    pub fn next(numbers: &Arc<Mutex<Numbers>>) -> Self {
        let mut held = lock(numbers);
        let mut delivery = held.greatest + 1;
        while !held.given.insert(delivery) {
            delivery += 1;
        }
        drop(held);
        Self {
            numbers: Arc::clone(numbers),
            delivery,
        }
    }

    /// The number is used; the greatest used so far.
    pub fn keep(&self) -> u64 {
        let mut held = lock(&self.numbers);
        held.greatest = held.greatest.max(self.delivery);
        held.greatest
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.numbers).given.remove(&self.delivery);
    }
}

/// A delivery that is not published yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// Its number.
    pub delivery: u64,
    /// The source.
    pub adapter: String,
    /// The batch.
    pub batch: String,
    /// The journal entry it was sealed for; `None` while it is being written.
    pub sealed: Option<u64>,
    /// By which it will be seen.
    pub manifest: Manifest,
}

impl Marker {
    /// The marker of a new delivery of a source that stands at `manifest`.
    pub fn new(delivery: u64, batch: &Batch, manifest: Manifest) -> Self {
        Self {
            delivery,
            adapter: batch.adapter.clone(),
            batch: batch.batch.clone(),
            sealed: None,
            manifest,
        }
    }

    fn row(&self) -> Result<(Vec<u8>, Option<Vec<u8>>), StoreError> {
        let value = serde_json::to_vec(self)
            .map_err(|error| unfit(format!("暂存标记无法写成JSON：{error}")))?;
        Ok((keys::numbered(keys::STAGES, self.delivery), Some(value)))
    }

    /// Says that it is being written: what a kill leaves of it is found by this. `greatest` is the greatest number used.
    pub fn begin(&self, index: &Index, greatest: u64) -> Result<(), StoreError> {
        check_name(&self.adapter)?;
        let begin = Rows::from([
            self.row()?,
            (
                keys::numbered(keys::DELIVERIES, self.delivery),
                Some(self.batch.clone().into_bytes()),
            ),
            (keys::DELIVERY.into(), Some(rows::number(greatest))),
        ]);
        index.write(begin, None)?;
        index.barrier()
    }

    /// Says which journal entry it belongs to, and puts it on the disk: from here on the journal decides.
    pub fn seal(&mut self, index: &Index, seq: u64) -> Result<(), StoreError> {
        self.sealed = Some(seq);
        index.write(Rows::from([self.row()?]), None)?;
        index.barrier()
    }

    /// The row by which readers see it; written together with the head.
    pub fn publish(&self, rows: &mut Rows) -> Result<(), StoreError> {
        Self::see(&self.adapter, &self.manifest, rows)
    }

    /// The row by which readers see what a manifest names.
    pub fn see(adapter: &str, manifest: &Manifest, rows: &mut Rows) -> Result<(), StoreError> {
        let value = serde_json::to_vec(manifest)
            .map_err(|error| unfit(format!("变更索引清单无法写成JSON：{error}")))?;
        rows.insert(keys::named(keys::TRACKED, adapter), Some(value));
        Ok(())
    }

    /// Removes what was written of it; nothing of it was ever seen.
    pub fn remove(
        &self,
        index: &Index,
        segments: &Segments,
        trackers: &Trackers,
    ) -> Result<(), StoreError> {
        segments.remove(self.delivery)?;
        trackers.remove(
            &self.adapter,
            &manifest(index, &self.adapter)?,
            self.delivery,
        )?;
        index.write(
            Rows::from([
                (keys::numbered(keys::STAGES, self.delivery), None),
                (keys::numbered(keys::DELIVERIES, self.delivery), None),
            ]),
            None,
        )
    }
}

/// What of a source's tracking index is seen.
pub fn manifest(index: &Index, adapter: &str) -> Result<Manifest, StoreError> {
    let found = index.get_json("变更索引清单", &keys::named(keys::TRACKED, adapter))?;
    Ok(found.unwrap_or_default())
}

/// What an earlier process left unpublished, by number.
pub fn left(index: &Index) -> Result<BTreeMap<u64, Marker>, StoreError> {
    index
        .scan(keys::STAGES.into())
        .map(|item| {
            let marker: Marker = json("暂存标记", &item?.1)?;
            Ok((marker.delivery, marker))
        })
        .collect()
}
