//! Records and changes as readers see them: as of the head of their source.

use std::collections::HashMap;

use crate::domain::batch::BatchId;
use crate::domain::change::{Change, ChangeKind};
use crate::domain::record::{Record, RecordKind};
use crate::store::index::{Index, Scan};
use crate::store::rows::{self, ChangeRow, RecordRow};
use crate::store::{StoreError, StoredRecord, keys};

/// Reads records as of one delivery.
#[derive(Debug)]
pub struct View<'a> {
    index: &'a Index,
    /// Deliveries after this one are not seen; 0 when the source has none.
    as_of: u64,
    batches: HashMap<u64, BatchId>,
}

impl<'a> View<'a> {
    /// As of the source's head now.
    pub fn of(index: &'a Index, adapter: &str) -> Result<Self, StoreError> {
        let as_of = match index.get(&keys::named(keys::HEADS, adapter))? {
            None => 0,
            Some(row) => rows::read_numbers(&row)?.1,
        };
        Ok(Self {
            index,
            as_of,
            batches: HashMap::new(),
        })
    }

    /// The record this row stood for; `None` when it was not there yet.
    pub fn see(&mut self, key: &[u8], row: &[u8]) -> Result<Option<StoredRecord>, StoreError> {
        let mut record = RecordRow::decode(row)?;
        while record.delivery > self.as_of {
            let change = self.index.get(&keys::change(record.delivery, key))?;
            let change = change.ok_or_else(|| StoreError::Damaged {
                what: "索引".to_owned(),
                text: format!("缺少第{}次交付的变更", record.delivery),
            })?;
            match ChangeRow::decode(&change)?.before {
                None => return Ok(None),
                Some(before) => record = before,
            }
        }
        Ok(Some(StoredRecord {
            present: record.present,
            batch: self.batch(record.delivery)?,
            bytes: record.bytes,
            fingerprint: record.fingerprint,
            row: record.row,
        }))
    }

    fn batch(&mut self, delivery: u64) -> Result<BatchId, StoreError> {
        if let Some(id) = self.batches.get(&delivery) {
            return Ok(id.clone());
        }
        let row = self
            .index
            .get(&keys::numbered(keys::DELIVERIES, delivery))?
            .ok_or_else(|| StoreError::Damaged {
                what: "索引".to_owned(),
                text: format!("缺少第{delivery}次交付的批次"),
            })?;
        let id = rows::read_text(row)?;
        self.batches.insert(delivery, id.clone());
        Ok(id)
    }
}

/// The records of a source in the order of keys.
#[derive(Debug)]
pub struct Records<'a> {
    view: View<'a>,
    scan: Scan<'a>,
}

impl<'a> Records<'a> {
    /// As of the source's head now.
    pub fn of(index: &'a Index, adapter: &str) -> Result<Self, StoreError> {
        Ok(Self {
            view: View::of(index, adapter)?,
            scan: index.scan(keys::within(keys::RECORDS, adapter)),
        })
    }
}

impl Iterator for Records<'_> {
    type Item = Result<(String, StoredRecord), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (key, row) = match self.scan.next()? {
                Ok(pair) => pair,
                Err(error) => return Some(Err(error)),
            };
            match self.view.see(&key, &row) {
                Ok(None) => {}
                Ok(Some(record)) => return Some(rows::read_text(key).map(|key| (key, record))),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The changes of a delivery in the order of keys.
pub fn changes(
    index: &Index,
    delivery: u64,
    kind: RecordKind,
) -> impl Iterator<Item = Result<Change, StoreError>> + '_ {
    index
        .scan(keys::numbered(keys::CHANGES, delivery))
        .map(move |item| {
            let (key, row) = item?;
            let row = ChangeRow::decode(&row)?;
            let key = rows::read_text(key)?;
            let read = |bytes: &[u8]| {
                Record::decode(kind, bytes).ok_or_else(|| StoreError::Damaged {
                    what: "索引".to_owned(),
                    text: format!("变更{key}中的记录无法读取"),
                })
            };
            Ok(Change {
                kind: row.kind,
                before: row
                    .before
                    .as_ref()
                    .map(|row| read(&row.bytes))
                    .transpose()?,
                after: match row.kind {
                    ChangeKind::Missing => None,
                    _ => Some(read(&row.after.bytes)?),
                },
                row: row.after.row,
                key,
            })
        })
}

/// The items, or the one error why there are none.
pub fn flatten<T>(
    items: Result<impl Iterator<Item = Result<T, StoreError>>, StoreError>,
) -> impl Iterator<Item = Result<T, StoreError>> {
    let (items, error) = match items {
        Ok(items) => (Some(items), None),
        Err(error) => (None, Some(Err(error))),
    };
    error.into_iter().chain(items.into_iter().flatten())
}
