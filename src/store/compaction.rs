//! Writing the index anew: sled never gives back what was overwritten in it, and many runs take longer to read than one.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use serde::Serialize;

use crate::store::fault::{Point, reach};
use crate::store::index::{Rows, json};
use crate::store::stage::{Marker, Ticket};
use crate::store::tracker::Manifest;
use crate::store::{Store, StoreError, keys, lock, rows};

/// What a rewriting of a folder did. Bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Rewritten {
    /// Of the files before.
    pub before: u64,
    /// Of the files after.
    pub after: u64,
    /// Of what they hold.
    pub logical: u64,
}

/// What [`Store::compact`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// The index.
    pub index: Rewritten,
    /// What is known of each source, by adapter.
    pub sources: BTreeMap<String, Rewritten>,
}

#[allow(
    clippy::missing_errors_doc,
    reason = "every error is a StoreError, described there"
)]
impl Store {
    /// Writes index and tracking files anew: what they say stays the same, what was overwritten in them is given back. Waits until no
    /// delivery is on its way; those that come wait until it is done. Killed anywhere, the next open ends before or after each
    /// step, never between.
    pub fn compact(&self) -> Result<Compacted, StoreError> {
        let _alone = self
            .delivering
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let _one_at_a_time = lock(&self.accepting);
        let mut done = Compacted::default();
        for (adapter, manifest) in self.tracked()? {
            done.sources
                .insert(adapter.clone(), self.merge(&adapter, &manifest)?);
        }
        let journal = lock(&self.journal);
        journal.check()?;
        done.index = self.index.compact()?;
        Ok(done)
    }

    /// How large index and tracking files are now; nothing is written.
    pub fn sizes(&self) -> Result<Compacted, StoreError> {
        let mut sizes = Compacted {
            index: self.index.sizes()?,
            ..Compacted::default()
        };
        for (adapter, manifest) in self.tracked()? {
            let bytes = self.trackers.bytes(&adapter, &manifest)?;
            let logical = self.trackers.logical(&adapter, &manifest)?;
            let now = Rewritten {
                before: bytes,
                after: bytes,
                logical,
            };
            sizes.sources.insert(adapter, now);
        }
        Ok(sizes)
    }

    fn tracked(&self) -> Result<Vec<(String, Manifest)>, StoreError> {
        self.index
            .scan(keys::TRACKED.into())
            .map(|item| {
                let (adapter, manifest) = item?;
                Ok((rows::read_text(adapter)?, json("变更索引清单", &manifest)?))
            })
            .collect()
    }

    fn merge(&self, adapter: &str, manifest: &Manifest) -> Result<Rewritten, StoreError> {
        let before = self.trackers.bytes(adapter, manifest)?;
        let ticket = Ticket::next(&self.numbers);
        let merged = self.trackers.merge(adapter, manifest, ticket.delivery)?;
        reach(Point::Merged);
        let manifest = match merged {
            None => manifest,
            Some(merged) => {
                let mut seen = Rows::new();
                Marker::see(adapter, &merged, &mut seen)?;
                let greatest = rows::number(ticket.keep());
                seen.insert(keys::DELIVERY.into(), Some(greatest));
                self.index.write(seen, None)?;
                self.index.barrier()?;
                self.trackers.sweep(adapter, &merged)?;
                &merged.clone()
            }
        };
        Ok(Rewritten {
            before,
            after: self.trackers.bytes(adapter, manifest)?,
            logical: self.trackers.logical(adapter, manifest)?,
        })
    }
}
