//! What a source says anew since somebody looked.

use std::collections::BTreeSet;

use crate::domain::batch::Verdict;
use crate::domain::outcome::Position;
use crate::domain::record::{Record, RecordKind};
use crate::store::comparison::decode;
use crate::store::segment::{EntryKind, Place, Reader};
use crate::store::tracker::Manifest;
use crate::store::{Store, StoreError, keys, rows};

/// Is told one record as it was and as it is now; `None`: it did not count, or counts no longer.
pub type Told<'a, E> = &'a mut dyn FnMut(Option<&Record>, Option<&Record>) -> Result<(), E>;

fn last(manifest: &Manifest) -> u64 {
    let runs = manifest.runs.iter().max();
    runs.max(manifest.complete.last()).copied().unwrap_or(0)
}

#[allow(
    clippy::missing_errors_doc,
    reason = "every error is a StoreError, described there"
)]
impl Store {
    /// How far a source has come.
    pub fn position(&self, adapter: &str) -> Result<Position, StoreError> {
        let manifest = self.manifest(adapter)?;
        let delivery = last(&manifest);
        Ok(Position {
            delivery,
            batch: self.batch_of(delivery)?.unwrap_or_default(),
            complete: manifest.complete,
        })
    }

    fn batch_of(&self, delivery: u64) -> Result<Option<String>, StoreError> {
        let row = self
            .index
            .get(&keys::numbered(keys::DELIVERIES, delivery))?;
        row.map(rows::read_text).transpose()
    }

    /// Tells every record of a source that changed after `from`, more than once when it changed more than once; also those that count
    /// no longer since `gone_after` complete deliveries did not mention them. `false`: what was known then was taken back since, or is
    /// not this source's, and nothing can be told.
    pub fn since<E: From<StoreError>>(
        &self,
        adapter: &str,
        kind: RecordKind,
        gone_after: u64,
        from: &Position,
        each: Told<'_, E>,
    ) -> Result<bool, E> {
        let manifest = self.manifest(adapter)?;
        let to = last(&manifest);
        if from.delivery > to
            || self.batch_of(from.delivery)?.unwrap_or_default() != from.batch
            || !goes_on(&from.complete, &manifest.complete, from.delivery)
        {
            return Ok(false);
        }
        let mut telling = Telling {
            store: self,
            kind,
            before: self.segments.reader(),
        };
        for delivery in from.delivery + 1..=to {
            let Some(id) = self.batch_of(delivery)? else {
                continue;
            };
            let Some(batch) = self.batch(&id)?.filter(|batch| batch.adapter == adapter) else {
                continue;
            };
            if batch.verdict == Verdict::Withdrawn {
                return Ok(false);
            }
            telling.changes(delivery, each)?;
        }
        let fresh = manifest.complete.iter();
        let fresh = fresh.filter(|complete| **complete > from.delivery).count();
        for delivery in crossing(&manifest.complete, fresh, gone_after) {
            telling.missing(*delivery, each)?;
        }
        Ok(true)
    }
}

/// Whether no complete delivery of then was taken back: the oldest are forgotten in time.
fn goes_on(then: &[u64], now: &[u64], until: u64) -> bool {
    let Some(oldest) = now.first() else {
        return then.is_empty();
    };
    let kept: BTreeSet<u64> = now.iter().filter(|own| **own <= until).copied().collect();
    let is_full = now.len() >= crate::store::tracker::COMPLETE_KEPT;
    let known: BTreeSet<u64> = then
        .iter()
        .filter(|own| !is_full || *own >= oldest)
        .copied()
        .collect();
    kept == known
}

/// The complete deliveries of which the missing records ceased to count with the last `fresh` ones.
fn crossing(complete: &[u64], fresh: usize, gone_after: u64) -> &[u64] {
    let gone_after = usize::try_from(gone_after).unwrap_or(usize::MAX);
    let to = complete.len().saturating_sub(gone_after.saturating_sub(1));
    let from = to.saturating_sub(fresh);
    &complete[from..to]
}

struct Telling<'a> {
    store: &'a Store,
    kind: RecordKind,
    before: Reader<'a>,
}

impl Telling<'_> {
    fn changes<E: From<StoreError>>(&mut self, delivery: u64, each: Told<'_, E>) -> Result<(), E> {
        for entry in self.store.segments.walk(delivery)? {
            let entry = entry?;
            let after = match entry.kind {
                EntryKind::Dead => continue,
                EntryKind::Missing | EntryKind::UpheldMissing => None,
                _ => Some(decode(self.kind, &entry)?),
            };
            let before = self.content(entry.before)?;
            each(before.as_ref(), after.as_ref())?;
        }
        Ok(())
    }

    fn missing<E: From<StoreError>>(&mut self, delivery: u64, each: Told<'_, E>) -> Result<(), E> {
        for entry in self.store.segments.walk(delivery)? {
            let entry = entry?;
            if entry.kind == EntryKind::Missing {
                let before = self.content(entry.before)?;
                each(before.as_ref(), None)?;
            }
        }
        Ok(())
    }

    /// What a record said by this entry, of a missing one what it said last.
    fn content(&mut self, place: Place) -> Result<Option<Record>, StoreError> {
        let entry = self.before.content(place)?;
        entry.map(|entry| decode(self.kind, &entry)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_cease_to_count_with_the_delivery_that_misses_them_often_enough() {
        // Missing since 5 and gone after 3: with 7 they are missed the third time.
        assert_eq!(crossing(&[3, 5, 6, 7], 1, 3), [5]);
        assert_eq!(crossing(&[3, 5, 6, 7], 2, 3), [3, 5]);
        assert_eq!(crossing(&[3, 5, 6, 7], 0, 3), [0; 0]);
        assert_eq!(crossing(&[3, 5, 6, 7], 1, 1), [7]);
        assert_eq!(crossing(&[7], 1, 3), [0; 0]);
        assert_eq!(crossing(&[], 0, 3), [0; 0]);
    }

    #[test]
    fn a_complete_delivery_that_was_taken_back_is_missed() {
        assert!(goes_on(&[3, 5], &[3, 5, 8], 5));
        assert!(!goes_on(&[3, 5], &[3, 8], 5));
        assert!(!goes_on(&[3], &[], 3));
        assert!(goes_on(&[], &[8], 5));
        let many: Vec<u64> = (10..74).collect();
        assert!(goes_on(&[8, 9, 10, 11], &many, 11));
        assert!(!goes_on(&[8, 9, 11], &many, 11));
    }
}
