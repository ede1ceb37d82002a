//! Records and changes as readers see them: as of the head of their source.

use std::collections::HashMap;

use crate::domain::batch::BatchId;
use crate::domain::change::{Change, ChangeKind};
use crate::domain::record::{FieldSet, Record, RecordKind};
use crate::store::comparison::{decode, decode_over};
use crate::store::index::Index;
use crate::store::pages::Known;
use crate::store::rows;
use crate::store::segment::{Entry, EntryKind, Place, Reader, Segments, Walk};
use crate::store::{StoreError, StoredRecord, keys};

/// Reads records by what the tracking index knows of them.
#[derive(Debug)]
pub struct View<'a> {
    index: &'a Index,
    kind: RecordKind,
    reader: Reader<'a>,
    /// Entries that others point to lie anywhere: they do not disturb the walk.
    aside: Reader<'a>,
    batches: HashMap<u64, BatchId>,
    /// The deliveries that had to mention every record, oldest first.
    complete: Vec<u64>,
    /// What is read of records.
    wanted: FieldSet,
}

impl<'a> View<'a> {
    /// Of these segments; `complete`: the deliveries of the source that had to mention every record.
    pub fn of(
        index: &'a Index,
        segments: &'a Segments,
        kind: RecordKind,
        complete: Vec<u64>,
    ) -> Self {
        Self {
            index,
            kind,
            reader: segments.reader(),
            aside: segments.reader(),
            batches: HashMap::new(),
            complete,
            wanted: FieldSet::ALL,
        }
    }

    /// The record whose last entry lies here; when many are seen in rising order.
    pub fn see(&mut self, place: Place) -> Result<StoredRecord, StoreError> {
        let mut stored = StoredRecord::blank(self.kind);
        self.see_over(place, &mut stored)?;
        Ok(stored)
    }

    /// The same over another one, so that one after the other is seen without asking for memory.
    pub fn see_over(&mut self, place: Place, stored: &mut StoredRecord) -> Result<(), StoreError> {
        let entry = self.reader.read_on(place)?;
        self.read(entry, stored)
    }

    /// The record whose last entry lies here, wherever the one before was.
    pub fn see_at(&mut self, place: Place) -> Result<StoredRecord, StoreError> {
        let entry = self.aside.read(place)?;
        let mut stored = StoredRecord::blank(self.kind);
        self.read(entry, &mut stored)?;
        Ok(stored)
    }

    fn read(&mut self, entry: Entry, stored: &mut StoredRecord) -> Result<(), StoreError> {
        let (content, missed) = if entry.kind == EntryKind::Missing {
            let since = self
                .complete
                .partition_point(|delivery| *delivery < entry.author);
            let missed = (self.complete.len() - since) as u64;
            (self.aside.read(entry.before)?, missed.max(1))
        } else {
            (entry, 0)
        };
        // Read otherwise by a changed adapter, it still stands where it stood before.
        let (mut kind, mut before) = (content.kind, content.before);
        let (mut author, mut row) = (content.author, content.row);
        while kind == EntryKind::Remapped && !before.is_nowhere() {
            let origin = self.aside.read(before)?;
            (kind, before) = (origin.kind, origin.before);
            (author, row) = (origin.author, origin.row);
        }
        stored.missed = missed;
        stored.row = row;
        if self.batches.get(&author) != Some(&stored.batch) {
            stored.batch = self.batch(author)?;
        }
        decode_over(&content, &mut stored.record, self.wanted)
    }

    /// The batch that is this delivery.
    pub fn batch(&mut self, delivery: u64) -> Result<BatchId, StoreError> {
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

/// The records of a source in the order in which they were delivered.
#[derive(Debug)]
pub struct Records<'a> {
    view: View<'a>,
    places: std::vec::IntoIter<Place>,
}

impl<'a> Records<'a> {
    /// As the tracking index has them now. Their places are in memory, eight bytes each.
    pub fn of(
        view: View<'a>,
        known: impl Iterator<Item = Result<Known, StoreError>>,
    ) -> Result<Self, StoreError> {
        let mut places = known
            .map(|known| known.map(|known| known.place()))
            .collect::<Result<Vec<_>, _>>()?;
        places.sort_unstable();
        Ok(Self {
            view,
            places: places.into_iter(),
        })
    }
}

impl Iterator for Records<'_> {
    type Item = Result<StoredRecord, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.placed().map(|placed| placed.map(|(_, stored)| stored))
    }
}

impl Records<'_> {
    /// The next record with its place, by which [`Records::again`] finds it; greater ones come later.
    pub fn placed(&mut self) -> Option<Result<(u64, StoredRecord), StoreError>> {
        let place = self.places.next()?;
        Some(self.view.see(place).map(|stored| (place.0, stored)))
    }

    /// The same over the one before, so that a million are seen without asking for memory: its place.
    pub fn placed_over(&mut self, stored: &mut StoredRecord) -> Option<Result<u64, StoreError>> {
        let place = self.places.next()?;
        Some(self.view.see_over(place, stored).map(|()| place.0))
    }

    /// Those among the rest that are to be read by this one of several readers: each has a stretch of them.
    #[must_use]
    pub fn share(mut self, reader: usize, readers: usize) -> Self {
        let all = self.places.as_slice();
        let (from, to) = (
            all.len() * reader / readers,
            all.len() * (reader + 1) / readers,
        );
        let share: Vec<Place> = all[from..to].to_vec();
        self.places = share.into_iter();
        self
    }

    /// Of all records no more than these fields: for whoever goes through a million and looks at little of each.
    #[must_use]
    pub const fn only(mut self, wanted: FieldSet) -> Self {
        self.view.wanted = wanted;
        self
    }

    /// A record that was seen before, by its place.
    pub fn again(&mut self, place: u64) -> Result<StoredRecord, StoreError> {
        self.view.see_at(Place(place))
    }
}

/// The changes of a delivery: in the order of its rows, what is missing at the end.
#[derive(Debug)]
pub struct Changes<'a> {
    walk: Walk,
    before: Reader<'a>,
    kind: RecordKind,
}

impl<'a> Changes<'a> {
    /// Of one delivery.
    pub fn of(segments: &'a Segments, delivery: u64, kind: RecordKind) -> Result<Self, StoreError> {
        Ok(Self {
            walk: segments.walk(delivery)?,
            before: segments.reader(),
            kind,
        })
    }

    fn change(&mut self, entry: &Entry) -> Result<Option<Change>, StoreError> {
        let kind = match entry.kind {
            EntryKind::Dead
            | EntryKind::Remapped
            | EntryKind::Upheld
            | EntryKind::UpheldMissing => return Ok(None),
            EntryKind::New => ChangeKind::New,
            EntryKind::Changed => ChangeKind::Changed,
            EntryKind::Missing => ChangeKind::Missing,
            EntryKind::Returned => ChangeKind::Returned,
        };
        let before = self.before.content(entry.before)?;
        let before = before
            .map(|before| decode(self.kind, &before))
            .transpose()?;
        let after = match kind {
            ChangeKind::Missing => None,
            _ => Some(decode(self.kind, entry)?),
        };
        let key = after.as_ref().or(before.as_ref());
        Ok(Some(Change {
            kind,
            key: key.map(Record::key).unwrap_or_default(),
            before,
            after,
            row: entry.row,
        }))
    }
}

impl Iterator for Changes<'_> {
    type Item = Result<Change, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = match self.walk.next()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            if let Some(change) = self.change(&entry).transpose() {
                return Some(change);
            }
        }
    }
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
