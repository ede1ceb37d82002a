//! The records of a source that bear an identity, without reading the others; and all that was ever said of a record.
//!
//! Hashes find, the record decides: what is handed out was read from its segment and bears what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::batch::BatchId;
use crate::domain::history::Deed;
use crate::domain::identity::Identity;
use crate::domain::record::{Record, RecordKind};
use crate::domain::register::Periods;
use crate::store::bearers::{self, Bearers};
use crate::store::comparison::decode;
use crate::store::pages::{KeyHash, Known};
use crate::store::records::View;
use crate::store::segment::{EntryKind, Place, Reader};
use crate::store::tracker::{Manifest, Tracker};
use crate::store::{Store, StoreError, StoredRecord};

/// Looks into one source, as it stood when it was opened.
#[derive(Debug)]
pub struct Lookup<'a> {
    kind: RecordKind,
    manifest: Manifest,
    tracker: Tracker,
    bearers: Vec<Bearers>,
    view: View<'a>,
    reader: Reader<'a>,
}

/// A record that was found, and where it stands in the order of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Greater ones come later in [`Store::records`].
    pub order: u64,
    /// The record, which may be missing.
    pub stored: StoredRecord,
}

/// What one delivery said of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What it did; [`Deed::Withdrawn`] when a withdrawal took it out of the record's history.
    pub deed: Deed,
    /// The batch.
    pub batch: BatchId,
    /// The number of its delivery: later ones have greater.
    pub delivery: u64,
    /// The row; 0 when it was not mentioned.
    pub row: u64,
    /// The record before.
    pub before: Option<Record>,
    /// The record from then on; `None` when it was not mentioned.
    pub after: Option<Record>,
    /// Where it lies: no two have the same.
    place: Place,
}

/// All that was said of one record, in the order in which it was said.
pub type History = Vec<Said>;

#[allow(
    clippy::missing_errors_doc,
    reason = "every error is a StoreError, described there"
)]
impl Store {
    /// Opens a source for looking records up. Its tracking index stays open for the next one.
    pub fn lookup(&self, adapter: &str, kind: RecordKind) -> Result<Lookup<'_>, StoreError> {
        loop {
            let manifest = self.manifest(adapter)?;
            // The files of a generation are opened first: opening the index of one that was just swept away would make it anew.
            let opened = self
                .trackers
                .bearers(adapter, &manifest)
                .and_then(|bearers| {
                    let tracker = self.trackers.of(adapter, &manifest)?;
                    Ok((tracker, bearers))
                });
            // Swept away between the two steps: another manifest is in force.
            if self.manifest(adapter)?.generation != manifest.generation {
                continue;
            }
            let (tracker, bearers) = opened?;
            return Ok(Lookup {
                kind,
                view: View::of(&self.index, &self.segments, kind, manifest.complete.clone()),
                manifest,
                tracker,
                bearers,
                reader: self.segments.reader(),
            });
        }
    }
}

#[allow(
    clippy::missing_errors_doc,
    reason = "every error is a StoreError, described there"
)]
impl Lookup<'_> {
    /// Counts the months that the present records of the source speak of.
    pub fn add_to(&self, periods: &mut Periods) {
        self.manifest.add_to(self.kind, periods);
    }

    /// The records that bear this identity, missing ones by what they said last, in the order of the source.
    pub fn find(&mut self, identity: &Identity) -> Result<Vec<Found>, StoreError> {
        let mut found = Vec::new();
        for order in self.orders(identity)? {
            let stored = self.at(order)?;
            if identity.is_of(&stored.record) {
                found.push(Found { order, stored });
            }
        }
        Ok(found)
    }

    /// Where the records stand that may bear this identity, in the order of the source: whether they do, they say themselves.
    pub fn orders(&self, identity: &Identity) -> Result<Vec<u64>, StoreError> {
        let mut orders = Vec::new();
        for first in self.firsts(identity)? {
            let known = self.tracker.under(first)?;
            orders.extend(known.iter().map(|known| known.place().0));
        }
        orders.sort_unstable();
        orders.dedup();
        Ok(orders)
    }

    /// The record that stands here.
    pub fn at(&mut self, order: u64) -> Result<StoredRecord, StoreError> {
        self.view.see_at(Place(order))
    }

    /// The first halves of the keys that may bear it.
    fn firsts(&self, identity: &Identity) -> Result<Vec<u64>, StoreError> {
        let mut firsts = Vec::new();
        if let Identity::Organisation(text) | Identity::Unit(text) | Identity::Written(text) =
            identity
            && identity.leads(self.kind)
        {
            firsts.push(KeyHash::of_first(self.kind, text));
            // What stands as an identifier in one row may be the registrar's number in another.
            if !matches!(identity, Identity::Written(_)) {
                return Ok(firsts);
            }
        }
        if let Some(hash) = bearers::hash(identity) {
            for bearers in &self.bearers {
                firsts.extend(bearers.find(hash)?.iter().map(|pair| pair.1));
            }
        }
        firsts.sort_unstable();
        firsts.dedup();
        Ok(firsts)
    }

    /// What was said of each record whose key begins with this unit number or holds this organisation code there, what was taken
    /// back included: by key.
    pub fn histories(
        &mut self,
        identity: &Identity,
    ) -> Result<BTreeMap<String, History>, StoreError> {
        let (Identity::Organisation(text) | Identity::Unit(text) | Identity::Written(text)) =
            identity
        else {
            return Ok(BTreeMap::new());
        };
        let mut histories = BTreeMap::new();
        if !identity.leads(self.kind) {
            return Ok(histories);
        }
        let first = KeyHash::of_first(self.kind, text);
        let standing: Vec<Place> = self
            .tracker
            .under(first)?
            .iter()
            .map(Known::place)
            .collect();
        let mut told = BTreeSet::new();
        for place in standing {
            self.follow(identity, place, &mut told, false, &mut histories)?;
        }
        let mut aside = Vec::new();
        for bearers in &self.bearers {
            aside.extend(bearers.find(bearers::taken_back(first))?);
        }
        for place in aside {
            self.follow(identity, Place(place.1), &mut told, true, &mut histories)?;
        }
        for history in histories.values_mut() {
            history.sort_by_key(|said: &Said| (said.delivery, said.place));
        }
        Ok(histories)
    }

    /// Goes back from an entry as far as nobody has been.
    fn follow(
        &mut self,
        identity: &Identity,
        mut place: Place,
        told: &mut BTreeSet<Place>,
        is_aside: bool,
        histories: &mut BTreeMap<String, History>,
    ) -> Result<(), StoreError> {
        while !place.is_nowhere() && told.insert(place) {
            let entry = self.reader.read(place)?;
            if entry.before >= place {
                return Err(StoreError::Damaged {
                    what: "明细文件".to_owned(),
                    text: format!(
                        "第{}次交付偏移{}处的前一条不在其前",
                        place.delivery(),
                        place.offset()
                    ),
                });
            }
            let before = self.content(entry.before)?;
            let after = match entry.kind {
                EntryKind::Missing => None,
                _ => Some(decode(self.kind, &entry)?),
            };
            let was_missing = !entry.before.is_nowhere()
                && self.reader.read(entry.before)?.kind == EntryKind::Missing;
            let Some(record) = after.as_ref().or(before.as_ref()) else {
                return Ok(());
            };
            // Another key of the same hash.
            if !identity.is_of(record) {
                return Ok(());
            }
            let said = Said {
                deed: if is_aside {
                    Deed::Withdrawn
                } else {
                    deed(entry.kind, before.is_some(), was_missing)
                },
                batch: self.view.batch(entry.author)?,
                delivery: entry.author,
                row: entry.row,
                place,
                before,
                after: after.clone(),
            };
            histories.entry(record_key(&said)).or_default().push(said);
            place = entry.before;
        }
        Ok(())
    }

    /// What a record says by this entry, of a missing one what it said last.
    fn content(&mut self, place: Place) -> Result<Option<Record>, StoreError> {
        let entry = self.reader.content(place)?;
        entry.map(|entry| decode(self.kind, &entry)).transpose()
    }
}

fn record_key(said: &Said) -> String {
    let record = said.after.as_ref().or(said.before.as_ref());
    record.map(Record::key).unwrap_or_default()
}

const fn deed(kind: EntryKind, has_before: bool, was_missing: bool) -> Deed {
    match kind {
        EntryKind::Missing | EntryKind::UpheldMissing => Deed::Missing,
        EntryKind::Returned => Deed::Returned,
        EntryKind::Remapped => Deed::Remapped,
        // What a dead or upheld one did follows from what it stands on.
        EntryKind::New => Deed::New,
        EntryKind::Dead | EntryKind::Upheld if !has_before => Deed::New,
        EntryKind::Dead | EntryKind::Upheld if was_missing => Deed::Returned,
        EntryKind::Changed | EntryKind::Dead | EntryKind::Upheld => Deed::Changed,
    }
}
