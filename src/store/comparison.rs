//! One delivery against what is known of its source: new, changed, missing, returned, unchanged.
//!
//! The keys of the source are in memory as sixteen bytes each — key hash and raw fingerprint — and a hash table over the raw
//! fingerprints: a row that stands as it stood before is known without being read. Only of rows that are not, the place is looked
//! up and the former record read. What the delivery leaves is written to its segment as it comes, unseen; the caller decides
//! afterwards whether [`crate::store::Store::accept`] makes it visible. Dropped, nothing of it stays.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::RwLockReadGuard;

use crate::domain::batch::ChangeCounts;
use crate::domain::duplicate::prevails;
use crate::domain::record::{Field, FieldSet, Record, RecordKind, encoded_fingerprint};
use crate::store::bearers::Gathered;
use crate::store::pages::{KeyHash, Known};
use crate::store::segment::{Entry, EntryKind, Place, Segments, Writer};
use crate::store::stage::Ticket;
use crate::store::table::{Bits, Pieces, Raws, Table};
use crate::store::tracker::{Complete, Manifest, Shift, Tracker};
use crate::store::{StoreError, fold};

/// What became of a record that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Its key was not known.
    New,
    /// Its key was missing.
    Returned,
    /// It says what it said before.
    Unchanged,
    /// It said this before.
    Changed(Box<Record>),
    /// The same delivery said exactly this before.
    Repeated,
    /// The same delivery had said otherwise of this key.
    Conflict {
        /// The row that counts; 0: one that stands as it stood in the delivery before, whose number is not kept.
        kept: u64,
        /// The row that does not.
        other: u64,
        /// What does not count any longer, when the record prevailed over it.
        lost: Option<Box<Record>>,
    },
}

/// How the delivery is to be compared.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// What it carries.
    pub kind: RecordKind,
    /// Whether a key it does not mention is missing.
    pub complete: bool,
    /// What raw fingerprints mean: adapter, normaliser, period. Those of a delivery with other ones are not compared.
    pub layout: &'a str,
    /// Whether rows may be known by their raw fingerprints at all.
    pub by_raw: bool,
}

/// What a key was touched to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    New,
    Changed,
    Returned,
    /// Unchanged, on another raw row.
    Same,
    /// Otherwise only because the adapter reads it otherwise.
    Remapped,
    Missing,
}

/// A key as this delivery leaves it.
#[derive(Debug, Clone, Copy)]
struct Fresh {
    known: Known,
    /// Its place among the known keys; `u32::MAX`: not among them.
    base: u32,
    now: Now,
    /// The reading it was mentioned in last.
    pass: u8,
}

const NOT_KNOWN: u32 = u32::MAX;

/// Known keys from which their raw fingerprints are added many at once.
const SMALL: usize = if cfg!(test) { 4 } else { 2_000_000 };

/// So many: sixteen MiB for the time of the loading.
const ADDED_AT_ONCE: usize = if cfg!(test) { 3 } else { 1 << 20 };

/// One in so many first halves may be that of several keys; beyond that all is kept in memory that is known of the keys.
const DOUBLES: usize = 16;

/// Keys that may be looked up page by page before all pages are read at once, whatever the size.
const LOOKUPS: usize = if cfg!(test) { 4 } else { 4096 };

/// What a lookup by first halves gives beside them.
#[derive(Debug, Clone, Copy)]
struct Rest {
    whole: u64,
    raw: u64,
    canonical: u64,
    place: Place,
}

/// One delivery on its way in.
#[derive(Debug)]
pub struct Comparison<'s> {
    /// Nothing is written anew meanwhile.
    _delivering: RwLockReadGuard<'s, ()>,
    segments: &'s Segments,
    tracker: Tracker,
    manifest: Manifest,
    adapter: String,
    kind: RecordKind,
    complete: bool,
    layout: String,
    delivery: u64,
    /// After the writer, so that the number is free only when its file is gone.
    writer: Writer,
    ticket: Ticket,
    /// First halves of the known keys, sorted.
    firsts: Vec<u64>,
    /// The raw fingerprints of those that are present and need not be read again.
    raws: Raws,
    present: Bits,
    seen: Bits,
    touched: Bits,
    /// What the runs after the first say, sorted; empty when `rest` is there.
    overlay: Vec<Known>,
    /// First halves that several keys share, or a forgotten one with another, sorted; empty when `rest` is there.
    doubles: Vec<u64>,
    /// All else of the known keys, when rows can not be known by their raw fingerprints.
    rest: Vec<Rest>,
    fresh: Pieces<Fresh>,
    by_key: Table,
    pass: u8,
    counts: ChangeCounts,
    /// Keys that were looked up.
    lookups: usize,
    /// The canonical bytes of the record that is being taken.
    encoded: Vec<u8>,
    /// Its fingerprint.
    fingerprint: u128,
    /// What the keys bear that they did not bear before.
    borne: Gathered,
    /// Where that may be put aside.
    aside: &'s Path,
    /// Which months are spoken of by more records than before, or by fewer.
    months: Shift,
}

impl<'s> Comparison<'s> {
    /// Begins.
    #[allow(
        clippy::too_many_arguments,
        reason = "what a store lends to one delivery"
    )]
    pub(super) fn begin(
        segments: &'s Segments,
        tracker: Tracker,
        manifest: Manifest,
        adapter: &str,
        ticket: Ticket,
        terms: &Terms<'_>,
        aside: &'s Path,
        delivering: RwLockReadGuard<'s, ()>,
    ) -> Result<Self, StoreError> {
        let by_raw = terms.by_raw && terms.complete && manifest.layout == terms.layout;
        let mut new = Self {
            _delivering: delivering,
            segments,
            tracker,
            manifest,
            adapter: adapter.to_owned(),
            kind: terms.kind,
            complete: terms.complete,
            layout: terms.layout.to_owned(),
            writer: segments.begin(ticket.delivery)?,
            delivery: ticket.delivery,
            ticket,
            firsts: Vec::new(),
            raws: Raws::default(),
            present: Bits::default(),
            seen: Bits::default(),
            touched: Bits::default(),
            overlay: Vec::new(),
            doubles: Vec::new(),
            rest: Vec::new(),
            fresh: Pieces::default(),
            by_key: Table::default(),
            pass: 1,
            counts: ChangeCounts::default(),
            lookups: 0,
            encoded: Vec::new(),
            fingerprint: 0,
            borne: Gathered::default(),
            aside,
            months: Shift::default(),
        };
        new.load(by_raw)?;
        Ok(new)
    }

    fn load(&mut self, by_raw: bool) -> Result<(), StoreError> {
        let size = usize::try_from(self.manifest.records).unwrap_or(0);
        self.firsts.reserve_exact(size);
        if by_raw {
            self.raws = Raws::for_so_many(size);
        } else {
            self.rest.reserve_exact(size);
        }
        // A small table lies in the processor's caches anyway.
        let at_once = if size > SMALL { ADDED_AT_ONCE } else { 0 };
        let mut raws = Vec::with_capacity(if by_raw { at_once } else { 0 });
        let tracker = self.tracker.clone();
        let mut last = None;
        for known in tracker.all_with_forgotten() {
            let known = known?;
            // What is forgotten still stands in the runs, where a lookup by first halves would meet it.
            let first = known.key.first;
            if last.replace(first) == Some(first) && self.doubles.last() != Some(&first) {
                self.doubles.push(first);
            }
            if known.is_forgotten() {
                continue;
            }
            let at = self.firsts.len();
            self.firsts.push(known.key.first);
            self.present.push(known.present());
            if by_raw {
                // More than the manifest says would be damage; they are read in full then.
                if known.present() && known.raw != 0 && at < size {
                    raws.push((known.raw, position(at)?));
                    if raws.len() >= at_once {
                        self.raws.add_all(&mut raws);
                    }
                }
            } else {
                self.rest.push(Rest {
                    whole: known.key.whole,
                    raw: known.raw,
                    canonical: known.canonical,
                    place: known.place(),
                });
            }
        }
        self.raws.add_all(&mut raws);
        drop(raws);
        self.seen = Bits::none(self.firsts.len());
        self.touched = Bits::none(self.firsts.len());
        if by_raw && (self.doubles.len() > size / DOUBLES || self.raws.is_empty()) {
            // Keys of several parts share their first halves: a lookup needs the whole key.
            self.doubles = Vec::new();
            self.load_rest()?;
        } else if by_raw {
            self.overlay = tracker.overlay().collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    fn load_rest(&mut self) -> Result<(), StoreError> {
        self.rest.reserve_exact(self.firsts.len());
        for known in self.tracker.clone().all() {
            let known = known?;
            self.rest.push(Rest {
                whole: known.key.whole,
                raw: known.raw,
                canonical: known.canonical,
                place: known.place(),
            });
        }
        self.overlay = Vec::new();
        Ok(())
    }

    /// Whether some rows may be known by their raw fingerprints.
    #[must_use]
    pub fn may_know(&self) -> bool {
        !self.raws.is_empty()
    }

    /// Some raw fingerprints that will be asked for next: what is known of them is fetched side by side.
    pub fn fetch(&self, raws: &[u64]) {
        self.raws.fetch(raws);
    }

    /// Whether a raw row with this fingerprint stood in the last accepted delivery. If so it is counted as unchanged.
    pub fn knows(&mut self, raw: u64) -> bool {
        // Where another row of the key came before, which of them counts is to be decided.
        let Some(before) = self.raws.see(raw) else {
            return false;
        };
        self.counts.unchanged += u64::from(!before);
        true
    }

    /// Takes a record that stands on `row`; `raw` is the fingerprint of its raw row, 0 when it has to be read again next time.
    pub fn take(&mut self, record: &Record, row: u64, raw: u64) -> Result<Taken, StoreError> {
        let key = KeyHash::of_record(record);
        self.encoded.clear();
        record.encode_into(&mut self.encoded);
        self.fingerprint = encoded_fingerprint(&self.encoded);
        let canonical = half(self.fingerprint);
        if let Some(at) = self
            .by_key
            .find(key.whole, |at| self.fresh[at as usize].known.key == key)
        {
            let at = at as usize;
            if self.fresh[at].pass == self.pass {
                return self.again(at, record, row, raw, canonical);
            }
            let before = self.fresh[at];
            return self.take_known(
                record,
                row,
                raw,
                canonical,
                before.known,
                before.base,
                Some(at),
            );
        }
        self.lookups += 1;
        if self.rest.is_empty()
            && !self.firsts.is_empty()
            && self.lookups > LOOKUPS.max(self.firsts.len() / 16)
        {
            // Most rows are written otherwise than before, for instance in another charset: reading all pages once costs less
            // than reading one for each row.
            self.load_rest()?;
        }
        match self.look_up(key)? {
            Some((base, known)) if self.seen.get(base as usize) || self.raws.is_seen(known.raw) => {
                self.again_known(record, row, raw, canonical, known, base)
            }
            Some((base, known)) => {
                self.seen.set(base as usize);
                self.take_known(record, row, raw, canonical, known, base, None)
            }
            None => {
                self.months.add(record, 1);
                self.borne.note(record, None, key.first, self.aside)?;
                let kind = self.kind_of(EntryKind::New);
                let place = self.write(kind, row, Place::default())?;
                let known = Known::new(key, raw, canonical, place, true);
                self.count(self.now_of(Now::New), 1);
                self.put(None, known, NOT_KNOWN, self.now_of(Now::New))?;
                Ok(Taken::New)
            }
        }
    }

    /// The fingerprint of the record that was taken last, as [`Record::fingerprint`] has it.
    #[must_use]
    pub const fn fingerprint(&self) -> u128 {
        self.fingerprint
    }

    /// A record of a key that was known before this reading.
    #[allow(
        clippy::too_many_arguments,
        reason = "one record and all that is known of its key"
    )]
    fn take_known(
        &mut self,
        record: &Record,
        row: u64,
        raw: u64,
        canonical: u64,
        known: Known,
        base: u32,
        fresh: Option<usize>,
    ) -> Result<Taken, StoreError> {
        self.raws.block(known.raw);
        if known.present() && known.canonical == canonical {
            self.count(Now::Same, 1);
            if known.raw != raw || fresh.is_some() {
                let known = Known::new(known.key, raw, canonical, known.place(), true);
                self.put(fresh, known, base, Now::Same)?;
            }
            return Ok(Taken::Unchanged);
        }
        let before = self.content(known.place())?;
        let before = self.decode(&before, record)?;
        let (kind, now) = if known.present() {
            (EntryKind::Changed, Now::Changed)
        } else {
            self.months.add(record, 1);
            (EntryKind::Returned, Now::Returned)
        };
        self.borne
            .note(record, Some(&before), known.key.first, self.aside)?;
        let (kind, now) = (self.kind_of(kind), self.now_of(now));
        let place = self.write(kind, row, known.place())?;
        self.count(now, 1);
        let next = Known::new(known.key, raw, canonical, place, true);
        self.put(fresh, next, base, now)?;
        Ok(if known.present() {
            Taken::Changed(Box::new(before))
        } else {
            Taken::Returned
        })
    }

    /// A second record of a key that this reading has touched.
    fn again(
        &mut self,
        at: usize,
        record: &Record,
        row: u64,
        raw: u64,
        canonical: u64,
    ) -> Result<Taken, StoreError> {
        let held = self.fresh[at];
        if held.known.canonical == canonical {
            return Ok(Taken::Repeated);
        }
        let entry = self.content(held.known.place())?;
        let standing = self.decode(&entry, record)?;
        let is_own = held.known.place().delivery() == self.delivery && held.now != Now::Same;
        let held_row = if is_own { entry.row } else { 0 };
        if !prevails(record, &standing) {
            return Ok(Taken::Conflict {
                kept: held_row,
                other: row,
                lost: None,
            });
        }
        self.count(held.now, -1);
        let before = if is_own {
            self.writer.kill(held.known.place())?;
            entry.before
        } else {
            held.known.place()
        };
        // Against what stood before this reading.
        let (known, base) = if before.is_nowhere() {
            (None, NOT_KNOWN)
        } else {
            (Some(self.at(before, held.known.key)?), held.base)
        };
        match known {
            None => {
                self.borne
                    .note(record, Some(&standing), held.known.key.first, self.aside)?;
                let now = self.now_of(Now::New);
                let place = self.write(self.kind_of(EntryKind::New), row, before)?;
                self.count(now, 1);
                let next = Known::new(held.known.key, raw, canonical, place, true);
                self.put(Some(at), next, base, now)?;
            }
            Some(known) => {
                if !known.present() {
                    // It is counted once more below.
                    self.months.add(record, -1);
                }
                self.fresh[at].now = Now::Same;
                self.take_known(record, row, raw, canonical, known, base, Some(at))?;
            }
        }
        Ok(Taken::Conflict {
            kept: row,
            other: held_row,
            lost: Some(Box::new(standing)),
        })
    }

    /// A record of a key that this reading has seen standing as it stood.
    fn again_known(
        &mut self,
        record: &Record,
        row: u64,
        raw: u64,
        canonical: u64,
        known: Known,
        base: u32,
    ) -> Result<Taken, StoreError> {
        if known.canonical == canonical {
            return Ok(Taken::Repeated);
        }
        let entry = self.content(known.place())?;
        let standing = self.decode(&entry, record)?;
        if !prevails(record, &standing) {
            return Ok(Taken::Conflict {
                kept: 0,
                other: row,
                lost: None,
            });
        }
        self.count(Now::Same, -1);
        self.take_known(record, row, raw, canonical, known, base, None)?;
        Ok(Taken::Conflict {
            kept: row,
            other: 0,
            lost: Some(Box::new(standing)),
        })
    }

    /// The reading so far was of the last accepted export by a changed adapter: its differences are told apart, and what comes now
    /// is compared with what it left. How many differences there were.
    pub fn turn(&mut self) -> u64 {
        let remapped = self.counts.changed;
        self.counts = ChangeCounts::default();
        self.seen.clear();
        self.raws.forget();
        self.pass += 1;
        remapped
    }

    /// Declares that the reading until [`Self::turn`] is of the last accepted export.
    pub fn begin_remapping(&mut self) {
        self.pass = 0;
    }

    const fn is_remapping(&self) -> bool {
        self.pass == 0
    }

    const fn kind_of(&self, kind: EntryKind) -> EntryKind {
        if self.is_remapping() {
            EntryKind::Remapped
        } else {
            kind
        }
    }

    const fn now_of(&self, now: Now) -> Now {
        if self.is_remapping() {
            Now::Remapped
        } else {
            now
        }
    }

    /// What would be counted if the delivery ended here.
    #[must_use]
    pub fn counts(&self) -> ChangeCounts {
        let mut counts = self.counts;
        if self.complete && counts.missing == 0 {
            counts.missing = self.missing_count();
        }
        counts
    }

    /// The known keys that were mentioned, by whatever was known of them.
    fn all_seen(&self) -> Bits {
        let mut seen = self.seen.clone();
        for key in self.raws.seen() {
            seen.set(key as usize);
        }
        seen
    }

    fn missing_count(&self) -> u64 {
        let seen = self.all_seen();
        let known = (0..self.firsts.len())
            .filter(|at| self.present.get(*at) && !seen.get(*at) && !self.touched.get(*at))
            .count();
        let fresh = self
            .fresh
            .iter()
            .filter(|fresh| fresh.pass < self.pass && fresh.known.present())
            .count();
        (known + fresh) as u64
    }

    /// Tells `each` what a complete delivery does not mention, as it was last; in the order of their places.
    pub fn unmentioned(&mut self, each: &mut dyn FnMut(&Record)) -> Result<(), StoreError> {
        let mut reader = self.segments.reader();
        for (known, ..) in self.not_mentioned()? {
            let place = known.place();
            let entry = if place.delivery() == self.delivery {
                self.writer.read(place)?
            } else {
                reader.read_on(place)?
            };
            each(&decode(self.kind, &entry)?);
        }
        Ok(())
    }

    /// Notes what a complete delivery does not mention. Once, after the last row.
    pub fn miss(&mut self) -> Result<(), StoreError> {
        let mut reader = self.segments.reader();
        for (known, base, fresh) in self.not_mentioned()? {
            if self.kind.fields().contains(&Field::Month) {
                let entry = if known.place().delivery() == self.delivery {
                    self.writer.read(known.place())?
                } else {
                    reader.read_on(known.place())?
                };
                self.months.add(&decode(self.kind, &entry)?, -1);
            }
            let place = self
                .writer
                .add(EntryKind::Missing, 0, known.place(), |_| ())?;
            self.count(Now::Missing, 1);
            let known = Known::new(known.key, 0, known.canonical, place, false);
            self.put(fresh, known, base, Now::Missing)?;
        }
        Ok(())
    }

    /// What is not mentioned: itself, its place among the known keys, its place among those touched.
    fn not_mentioned(&self) -> Result<Vec<(Known, u32, Option<usize>)>, StoreError> {
        let mut missing = Vec::new();
        if !self.complete {
            return Ok(missing);
        }
        let seen = self.all_seen();
        for at in 0..self.firsts.len() {
            if self.present.get(at) && !seen.get(at) && !self.touched.get(at) {
                missing.push((self.known_at(at)?, position(at)?, None));
            }
        }
        for (at, fresh) in self.fresh.iter().enumerate() {
            if fresh.pass < self.pass && fresh.known.present() {
                missing.push((fresh.known, fresh.base, Some(at)));
            }
        }
        missing.sort_by_key(|(known, ..)| known.place());
        Ok(missing)
    }

    fn count(&mut self, now: Now, by: i64) {
        let counted = match now {
            Now::New => &mut self.counts.new,
            Now::Changed | Now::Remapped => &mut self.counts.changed,
            Now::Returned => &mut self.counts.returned,
            Now::Same => &mut self.counts.unchanged,
            Now::Missing => &mut self.counts.missing,
        };
        *counted = counted.saturating_add_signed(by);
    }

    /// Writes the record that is being taken.
    fn write(&mut self, kind: EntryKind, row: u64, before: Place) -> Result<Place, StoreError> {
        let encoded = &self.encoded;
        self.writer
            .add(kind, row, before, |body| body.extend_from_slice(encoded))
    }

    fn put(
        &mut self,
        fresh: Option<usize>,
        known: Known,
        base: u32,
        now: Now,
    ) -> Result<(), StoreError> {
        let pass = self.pass;
        let next = Fresh {
            known,
            base,
            now,
            pass,
        };
        if let Some(at) = fresh {
            self.fresh[at] = next;
            return Ok(());
        }
        if base != NOT_KNOWN {
            self.touched.set(base as usize);
        }
        let at = position(self.fresh.len())?;
        self.fresh.push(next);
        self.by_key.grow_for(self.fresh.len());
        self.by_key.add(known.key.whole, at);
        Ok(())
    }

    /// The entry that holds a key's content; of a missing one that is the entry before.
    fn content(&mut self, place: Place) -> Result<Entry, StoreError> {
        let entry = self.entry(place)?;
        if entry.kind == EntryKind::Missing {
            return self.entry(entry.before);
        }
        Ok(entry)
    }

    fn entry(&mut self, place: Place) -> Result<Entry, StoreError> {
        if place.delivery() == self.delivery {
            self.writer.read(place)
        } else {
            self.segments.reader().read(place)
        }
    }

    /// What was known when this place was a key's last.
    fn at(&mut self, place: Place, key: KeyHash) -> Result<Known, StoreError> {
        let present = self.entry(place)?.kind != EntryKind::Missing;
        let content = self.content(place)?;
        let canonical = half(encoded_fingerprint(&content.bytes));
        Ok(Known::new(key, 0, canonical, place, present))
    }

    /// Reads a former record and makes sure that it has the key of this one: so far only hashes said so.
    fn decode(&self, entry: &Entry, record: &Record) -> Result<Record, StoreError> {
        let found = decode(self.kind, entry)?;
        if found.key() == record.key() {
            return Ok(found);
        }
        Err(StoreError::Damaged {
            what: "变更索引".to_owned(),
            text: format!(
                "第{}次交付偏移{}处的主键与索引不符",
                entry.place.delivery(),
                entry.place.offset()
            ),
        })
    }

    fn look_up(&self, key: KeyHash) -> Result<Option<(u32, Known)>, StoreError> {
        let from = lower_bound(&self.firsts, key.first);
        let mut at = from;
        while self.firsts.get(at) == Some(&key.first) {
            let known = self.known_at(at)?;
            if known.key == key {
                return Ok(Some((position(at)?, known)));
            }
            at += 1;
        }
        Ok(None)
    }

    fn known_at(&self, at: usize) -> Result<Known, StoreError> {
        let first = self.firsts[at];
        if let Some(rest) = self.rest.get(at) {
            let key = KeyHash {
                first,
                whole: rest.whole,
            };
            let present = self.present.get(at);
            return Ok(Known::new(
                key,
                rest.raw,
                rest.canonical,
                rest.place,
                present,
            ));
        }
        if self.doubles.binary_search(&first).is_ok() {
            return self.one_of_several(first, at);
        }
        if let Ok(at) = self
            .overlay
            .binary_search_by_key(&first, |known| known.key.first)
        {
            return Ok(self.overlay[at]);
        }
        self.tracker
            .in_base(first)?
            .ok_or_else(|| self.lacks(first))
    }

    /// A key that shares its first half with others.
    fn one_of_several(&self, first: u64, at: usize) -> Result<Known, StoreError> {
        let base = self.tracker.under_in_base(first)?;
        let from = self
            .overlay
            .partition_point(|known| known.key.first < first);
        let newer = self.overlay[from..]
            .iter()
            .take_while(|known| known.key.first == first);
        let mut all: BTreeMap<KeyHash, Known> = base.iter().map(|k| (k.key, *k)).collect();
        all.extend(newer.map(|known| (known.key, *known)));
        let number = at - lower_bound(&self.firsts, first);
        all.into_values()
            .filter(|known| !known.is_forgotten())
            .nth(number)
            .ok_or_else(|| self.lacks(first))
    }

    fn lacks(&self, first: u64) -> StoreError {
        StoreError::Damaged {
            what: "变更索引".to_owned(),
            text: format!("来源{}缺少主键摘要{first:016x}", self.adapter),
        }
    }

    /// What `accept` needs, in the order of keys.
    pub(super) fn into_parts(self) -> Parts {
        drop(self.by_key);
        let mut fresh = self.fresh.into_vec();
        fresh.sort_unstable_by_key(|fresh| fresh.known.key);
        Parts {
            adapter: self.adapter,
            writer: self.writer,
            ticket: self.ticket,
            manifest: self.manifest,
            layout: self.layout,
            borne: self.borne,
            months: self.months,
            complete: if self.complete {
                Complete::One
            } else {
                Complete::Same
            },
            left: Box::new(Left(fresh.into_iter())),
        }
    }
}

/// A comparison that has ended.
pub(super) struct Parts {
    pub(super) adapter: String,
    pub(super) writer: Writer,
    pub(super) ticket: Ticket,
    /// What it was compared with.
    pub(super) manifest: Manifest,
    pub(super) layout: String,
    /// What the keys bear that they did not bear before.
    pub(super) borne: Gathered,
    /// Which months are spoken of by more records, or by fewer.
    pub(super) months: Shift,
    /// What it makes of the deliveries that had to mention every record.
    pub(super) complete: Complete,
    /// What it left, in the order of keys.
    pub(super) left: Box<dyn ExactSizeIterator<Item = Known>>,
}

/// What the delivery left, in the order of keys.
struct Left(std::vec::IntoIter<Fresh>);

impl Iterator for Left {
    type Item = Known;

    fn next(&mut self) -> Option<Known> {
        self.0.next().map(|fresh| fresh.known)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Left {}

/// The record of an entry.
pub(super) fn decode(kind: RecordKind, entry: &Entry) -> Result<Record, StoreError> {
    let mut record = Record::new(kind);
    decode_over(entry, &mut record, FieldSet::ALL)?;
    Ok(record)
}

/// The same over another record, of no more than these fields.
pub(super) fn decode_over(
    entry: &Entry,
    record: &mut Record,
    wanted: FieldSet,
) -> Result<(), StoreError> {
    record
        .decode_some_over(&entry.bytes, wanted)
        .ok_or_else(|| StoreError::Damaged {
            what: "明细文件".to_owned(),
            text: format!(
                "第{}次交付偏移{}处的记录无法读取",
                entry.place.delivery(),
                entry.place.offset()
            ),
        })
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "half of it serves: it is compared with one other"
)]
pub(super) const fn half(fingerprint: u128) -> u64 {
    fingerprint as u64
}

pub(super) fn position(at: usize) -> Result<u32, StoreError> {
    u32::try_from(at)
        .ok()
        .filter(|at| *at != NOT_KNOWN)
        .ok_or_else(|| fold::unfit("一个来源的记录超过42亿条"))
}

/// Where `wanted` stands or would stand. Hashes are spread evenly, so the search begins where it should be.
fn lower_bound(sorted: &[u64], wanted: u64) -> usize {
    let length = sorted.len();
    let guess = usize::try_from((u128::from(wanted) * length as u128) >> 64).unwrap_or(0);
    let (mut low, mut high) = (guess, guess);
    let mut step = 16;
    while low > 0 && sorted[low - 1] >= wanted {
        low = low.saturating_sub(step);
        step *= 2;
    }
    step = 16;
    while high < length && sorted[high] < wanted {
        high = (high + step).min(length);
        step *= 2;
    }
    low + sorted[low..high].partition_point(|first| *first < wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_place_of_a_hash_is_found(mut sorted in prop::collection::vec(any::<u64>(), 0..200), wanted: u64, near in any::<prop::sample::Index>()) {
            sorted.sort_unstable();
            for wanted in [wanted, 0, u64::MAX, sorted.get(near.index(sorted.len().max(1))).copied().unwrap_or(7)] {
                prop_assert_eq!(lower_bound(&sorted, wanted), sorted.partition_point(|first| *first < wanted));
            }
        }
    }
}
