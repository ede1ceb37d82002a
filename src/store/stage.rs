//! Deliveries: the rows of a batch, first written unseen, then folded into the records.
//!
//! Each accepted batch is one *delivery* with a number of its own, greater than all before. Its changes are written under that
//! number (`c/N …`), each with the record as it stood before; nobody looks there yet. When the journal has the batch, the records
//! (`r/…`) are overwritten from the changes, in pieces; each is a plain put, so doing it twice does no harm. A reader works as of
//! one delivery, the source's head, and for a record that a later delivery has already touched takes what stood before from that
//! delivery's changes. So it never meets a half-published batch, needs no lock, and a walk that began before a batch ends before it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::batch::Batch;
use crate::domain::change::{Change, ChangeKind};
use crate::store::engine::{BATCH_MAX, Pair};
use crate::store::fault::{Point, reach};
use crate::store::fold::{check_name, unfit};
use crate::store::index::{Index, Rows, json};
use crate::store::rows::{self, ChangeRow, RecordRow};
use crate::store::{StoreError, keys};

/// A record's key longer than this is no key: it would fill the pages of the index.
const KEY_MAX_BYTES: usize = 1024;

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
}

impl Marker {
    /// The marker of a new delivery.
    pub fn new(delivery: u64, batch: &Batch) -> Self {
        Self {
            delivery,
            adapter: batch.adapter.clone(),
            batch: batch.batch.clone(),
            sealed: None,
        }
    }

    fn row(&self) -> Result<(Vec<u8>, Option<Vec<u8>>), StoreError> {
        let value = serde_json::to_vec(self)
            .map_err(|error| unfit(format!("暂存标记无法写成JSON：{error}")))?;
        Ok((keys::numbered(keys::STAGES, self.delivery), Some(value)))
    }

    /// Writes the changes, unseen.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] when a change does not fit the records as they stand: it was worked out against another state.
    pub fn write(
        &self,
        index: &Index,
        changes: impl Iterator<Item = Change>,
    ) -> Result<(), StoreError> {
        check_name(&self.adapter)?;
        let begin = Rows::from([
            self.row()?,
            (
                keys::numbered(keys::DELIVERIES, self.delivery),
                Some(self.batch.clone().into_bytes()),
            ),
            (keys::DELIVERY.into(), Some(rows::number(self.delivery))),
        ]);
        index.write(begin, None)?;
        let mut chunk = Rows::new();
        for change in changes {
            let (key, row) = self.row_of(index, &change)?;
            if chunk.insert(key, Some(row)).is_some() {
                return Err(unfit(format!("批次{}中有重复的主键", self.batch)));
            }
            if chunk.len() >= BATCH_MAX {
                index.write_new(std::mem::take(&mut chunk))?;
                reach(Point::Staged);
            }
        }
        index.write_new(chunk)?;
        reach(Point::Staged);
        Ok(())
    }

    fn row_of(&self, index: &Index, change: &Change) -> Result<Pair, StoreError> {
        if change.key.len() > KEY_MAX_BYTES {
            return Err(unfit(format!("批次{}中有过长的主键", self.batch)));
        }
        let key = change.key.as_bytes();
        let before = index
            .get(&keys::below(keys::RECORDS, &self.adapter, key))?
            .map(|row| RecordRow::decode(&row))
            .transpose()?;
        let present = before.as_ref().map(|before| before.present);
        let after = match (change.kind, present, &before, &change.after) {
            (ChangeKind::Missing, Some(true), Some(before), None) => {
                ChangeRow::gone(before, self.delivery)
            }
            (ChangeKind::New, None, _, Some(after))
            | (ChangeKind::Changed, Some(true), _, Some(after))
            | (ChangeKind::Returned, Some(false), _, Some(after)) => RecordRow {
                delivery: self.delivery,
                present: true,
                row: change.row,
                fingerprint: after.fingerprint(),
                bytes: after.encode(),
            },
            _ => {
                return Err(unfit(format!(
                    "批次{}的变更与现有记录不符（第{}行）：比对之后记录已改变",
                    self.batch, change.row
                )));
            }
        };
        let row = ChangeRow {
            kind: change.kind,
            before,
            after,
        };
        Ok((keys::change(self.delivery, key), row.encode()))
    }

    /// Says which journal entry it belongs to, and puts all of it on the disk: from here on the journal decides.
    pub fn seal(&mut self, index: &Index, seq: u64) -> Result<(), StoreError> {
        self.sealed = Some(seq);
        index.write(Rows::from([self.row()?]), None)?;
        index.barrier()
    }

    /// Folds the changes into the records. May be repeated; readers see nothing of it before the head names the delivery.
    pub fn publish(&self, index: &Index) -> Result<(), StoreError> {
        let mut chunk = Vec::new();
        for item in index.scan(keys::numbered(keys::CHANGES, self.delivery)) {
            let (key, row) = item?;
            let change = ChangeRow::decode(&row)?;
            chunk.push((
                keys::below(keys::RECORDS, &self.adapter, &key),
                change.after.encode(),
                // When this runs a second time the pieces are gone already, and removing them again does no harm.
                change.before.as_ref().map_or(0, RecordRow::pieces),
            ));
            if chunk.len() >= BATCH_MAX {
                index.write_over(std::mem::take(&mut chunk))?;
                reach(Point::HalfPublished);
            }
        }
        index.write_over(chunk)?;
        reach(Point::Published);
        Ok(())
    }

    /// Removes what was written of it; nothing of it was ever seen.
    pub fn remove(&self, index: &Index) -> Result<(), StoreError> {
        index.remove_all(&keys::numbered(keys::CHANGES, self.delivery))?;
        index.write(
            Rows::from([
                (keys::numbered(keys::STAGES, self.delivery), None),
                (keys::numbered(keys::DELIVERIES, self.delivery), None),
            ]),
            None,
        )
    }
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
