//! A delivery taken back: what is known of its source when it is left out.
//!
//! Every key whose history holds a word of the withdrawn delivery goes back to what stood before that word. Then the files of the
//! later deliveries are heard again, for these keys alone, and what they say is written anew with the later delivery as its author.
//! So no key's history holds the withdrawn delivery any longer, the next withdrawal finds a state that never knew it, and the
//! result is that of all other deliveries in their order. Like any delivery it is written unseen and made visible by one small write.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::RwLockReadGuard;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::batch::{Batch, BatchId, Verdict};
use crate::domain::duplicate::prevails;
use crate::domain::event::Event;
use crate::domain::record::{Field, Record, RecordKind, encoded_fingerprint};
use crate::store::bearers::{self, Gathered, Pair};
use crate::store::comparison::{Parts, decode, half, position};
use crate::store::fold::unfit;
use crate::store::index::{Index, json};
use crate::store::pages::{KeyHash, Known};
use crate::store::segment::{Entry, EntryKind, Place, Reader, Segments, Writer};
use crate::store::stage::Ticket;
use crate::store::table::Table;
use crate::store::tracker::{Complete, Manifest, Shift};
use crate::store::{Store, StoreError, keys, lock, rows};

/// What a withdrawal did to the keys that it touched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Nothing is known of them any longer: only the withdrawn batch had said something.
    pub forgotten: u64,
    /// Present, and say again what they said before.
    pub changed_back: u64,
    /// Present again: the withdrawn batch had not mentioned them.
    pub present_again: u64,
    /// Missing again: the withdrawn batch alone had mentioned them.
    pub missing_again: u64,
    /// Say what they said: another batch says so too.
    pub kept: u64,
}

/// Accepted batches, oldest first, each with the number of its delivery.
type Later = Vec<(u64, BatchId)>;

/// A key so far: its last entry, what it says, whether it is present. No place: nothing is known of it.
#[derive(Debug, Clone, Copy)]
struct Standing {
    place: Place,
    canonical: u64,
    present: bool,
}

/// A key whose history holds a word of the withdrawn delivery.
#[derive(Debug, Clone, Copy)]
struct Touched {
    /// As readers see it until this is published.
    was: Known,
    /// Before the file that is being heard.
    base: Standing,
    now: Standing,
    /// Whether the file that is being heard has mentioned it.
    heard: bool,
}

/// A withdrawal on its way. Dropped, nothing of it stays.
#[derive(Debug)]
pub struct Withdrawing<'s> {
    /// Nothing is written anew meanwhile.
    _delivering: RwLockReadGuard<'s, ()>,
    segments: &'s Segments,
    manifest: Manifest,
    adapter: String,
    kind: RecordKind,
    /// After the writer, so that the number is free only when its file is gone.
    writer: Writer,
    ticket: Ticket,
    touched: Vec<Touched>,
    by_key: Table,
    later: Later,
    /// The deliveries that are taken back.
    own: BTreeSet<u64>,
    /// The delivery whose file is being heard.
    author: u64,
    encoded: Vec<u8>,
    /// What the later files say that the keys bear.
    borne: Gathered,
    /// Where that may be put aside.
    aside: &'s Path,
}

impl Withdrawing<'_> {
    /// The accepted batches after the withdrawn one, oldest first, each with the number of its delivery: they are to be heard
    /// again in this order.
    #[must_use]
    pub fn later(&self) -> Later {
        // Without a key that was touched there is nothing to hear.
        if self.touched.is_empty() {
            return Vec::new();
        }
        self.later.clone()
    }

    /// What comes now stands in the file of this delivery.
    pub fn listen(&mut self, delivery: u64) {
        self.author = delivery;
    }

    /// Hears a record that stands on `row` of the file.
    pub fn hear(&mut self, record: &Record, row: u64) -> Result<(), StoreError> {
        let key = KeyHash::of_record(record);
        let touched = &self.touched;
        let found = self
            .by_key
            .find(key.whole, |at| touched[at as usize].was.key == key);
        let Some(at) = found.map(|at| at as usize) else {
            return Ok(());
        };
        self.encoded.clear();
        record.encode_into(&mut self.encoded);
        let canonical = half(encoded_fingerprint(&self.encoded));
        let held = self.touched[at];
        if held.heard {
            if held.now.canonical == canonical {
                return Ok(());
            }
            let standing = self.entry(held.now.place)?;
            if !prevails(record, &decode(self.kind, &standing)?) {
                return Ok(());
            }
        }
        // An entry that another row of the same file overtakes stays in the segment; no history names it.
        let now = if held.base.present && held.base.canonical == canonical {
            held.base
        } else {
            self.borne.note(record, None, key.first, self.aside)?;
            let (author, encoded) = (self.author, &self.encoded);
            let place = self
                .writer
                .add(EntryKind::Upheld, row, held.base.place, |body| {
                    body.extend_from_slice(&author.to_le_bytes());
                    body.extend_from_slice(encoded);
                })?;
            Standing {
                place,
                canonical,
                present: true,
            }
        };
        self.touched[at].now = now;
        self.touched[at].heard = true;
        Ok(())
    }

    /// The file has ended; when it is `complete`, what it did not mention is missing.
    pub fn end(&mut self, complete: bool) -> Result<(), StoreError> {
        let author = self.author;
        for touched in &mut self.touched {
            let now = touched.now;
            if complete && !touched.heard && now.present && !now.place.is_nowhere() {
                let kind = EntryKind::UpheldMissing;
                touched.now.place = self.writer.add(kind, 0, now.place, |body| {
                    body.extend_from_slice(&author.to_le_bytes());
                })?;
                touched.now.present = false;
            }
            touched.base = touched.now;
            touched.heard = false;
        }
        Ok(())
    }

    /// What becomes of the keys.
    #[must_use]
    pub fn restored(&self) -> Restored {
        let mut restored = Restored::default();
        for touched in &self.touched {
            let (was, now) = (touched.was, touched.now);
            *match (was.present(), now.present) {
                _ if now.place.is_nowhere() => &mut restored.forgotten,
                (true, false) => &mut restored.missing_again,
                (false, true) => &mut restored.present_again,
                _ if was.canonical == now.canonical => &mut restored.kept,
                _ => &mut restored.changed_back,
            } += 1;
        }
        restored
    }

    /// The entry that holds a key's content.
    fn entry(&mut self, place: Place) -> Result<Entry, StoreError> {
        let own = self.ticket.delivery;
        let mut read = |place: Place| {
            if place.delivery() == own {
                self.writer.read(place)
            } else {
                self.segments.reader().read(place)
            }
        };
        let entry = read(place)?;
        if entry.kind == EntryKind::Missing {
            return read(entry.before);
        }
        Ok(entry)
    }

    /// Notes where the histories ended that are taken back, and the months that are spoken of no longer, or again.
    fn taken_back(&mut self) -> Result<Shift, StoreError> {
        let mut months = Shift::default();
        for at in 0..self.touched.len() {
            let Touched { was, now, .. } = self.touched[at];
            let pair = Pair(bearers::taken_back(was.key.first), was.place().0);
            self.borne.add(pair, self.aside)?;
            let is_present = now.present && !now.place.is_nowhere();
            if was.present() != is_present && self.kind.fields().contains(&Field::Month) {
                // Its key names the month: what it says otherwise does not matter.
                let entry = self.entry(was.place())?;
                let by = if is_present { 1 } else { -1 };
                months.add(&decode(self.kind, &entry)?, by);
            }
        }
        Ok(months)
    }

    fn into_parts(mut self) -> Result<Parts, StoreError> {
        let months = self.taken_back()?;
        let left = self.touched.into_iter().map(|touched| {
            let (key, now) = (touched.was.key, touched.now);
            if now.place.is_nowhere() {
                Known::forgotten(key)
            } else {
                // Which raw row said so is not kept: it is read again next time.
                Known::new(key, 0, now.canonical, now.place, now.present)
            }
        });
        Ok(Parts {
            adapter: self.adapter,
            writer: self.writer,
            ticket: self.ticket,
            layout: self.manifest.layout.clone(),
            manifest: self.manifest,
            borne: self.borne,
            months,
            complete: Complete::Without(self.own),
            left: Box::new(left),
        })
    }
}

/// The deliveries that are taken back.
#[derive(Debug, Default)]
struct Withdrawn {
    /// Their numbers.
    own: BTreeSet<u64>,
    /// The deliveries that came next: when an adapter had changed, they first read the withdrawn file anew, and what that gave is a
    /// word of the withdrawn one too.
    next: BTreeSet<u64>,
}

impl Withdrawn {
    fn said(&self, entry: &Entry) -> bool {
        self.own.contains(&entry.author)
            || (entry.kind == EntryKind::Remapped && self.next.contains(&entry.author))
    }
}

/// The place before the first word of these deliveries in the history that ends with `entry`; `None`: they said nothing of the key.
fn before_them(
    aside: &mut Reader<'_>,
    mut entry: Entry,
    withdrawn: &Withdrawn,
    least: u64,
) -> Result<Option<Place>, StoreError> {
    let mut before = None;
    // Going back, authors never come later.
    while entry.author >= least {
        if withdrawn.said(&entry) {
            before = Some(entry.before);
        }
        if entry.before.is_nowhere() || entry.before.delivery() < least {
            break;
        }
        entry = aside.read(entry.before)?;
    }
    Ok(before)
}

/// What was known when this place was a key's last.
fn standing(
    reader: &mut Reader<'_>,
    aside: &mut Reader<'_>,
    place: Place,
) -> Result<Standing, StoreError> {
    if place.is_nowhere() {
        return Ok(Standing {
            place,
            canonical: 0,
            present: false,
        });
    }
    let entry = reader.read_on(place)?;
    let present = entry.kind != EntryKind::Missing;
    let content = if present {
        entry
    } else {
        aside.read(entry.before)?
    };
    Ok(Standing {
        place,
        canonical: half(encoded_fingerprint(&content.bytes)),
        present,
    })
}

/// The keys whose history holds a word of these deliveries, in the order of keys.
fn touched(
    segments: &Segments,
    known: impl Iterator<Item = Result<Known, StoreError>>,
    withdrawn: &Withdrawn,
) -> Result<Vec<Touched>, StoreError> {
    let Some(least) = withdrawn.own.first().copied() else {
        return Ok(Vec::new());
    };
    let mut candidates = Vec::new();
    for known in known {
        let known = known?;
        if known.place().delivery() >= least {
            candidates.push(known);
        }
    }
    candidates.sort_unstable_by_key(Known::place);
    let (mut reader, mut aside) = (segments.reader(), segments.reader());
    let mut found = Vec::new();
    for known in candidates {
        let entry = reader.read_on(known.place())?;
        if let Some(before) = before_them(&mut aside, entry, withdrawn, least)? {
            found.push((known, before));
        }
    }
    found.sort_unstable_by_key(|(_, before)| *before);
    let mut touched = Vec::with_capacity(found.len());
    for (was, before) in found {
        let now = standing(&mut reader, &mut aside, before)?;
        touched.push(Touched {
            was,
            base: now,
            now,
            heard: false,
        });
    }
    touched.sort_unstable_by_key(|touched| touched.was.key);
    Ok(touched)
}

#[allow(
    clippy::missing_errors_doc,
    reason = "every error is a StoreError, described there"
)]
impl Store {
    /// Begins to take an accepted batch back. Nothing of it is seen before [`Self::withdraw`].
    pub fn withdrawing(&self, batch: &Batch) -> Result<Withdrawing<'_>, StoreError> {
        let delivering = self.delivering();
        let ticket = Ticket::next(&self.numbers);
        let manifest = self.manifest(&batch.adapter)?;
        let tracker = self.trackers.of(&batch.adapter, &manifest)?;
        let (withdrawn, later) = self.deliveries(batch)?;
        let touched = touched(&self.segments, tracker.all(), &withdrawn)?;
        let mut by_key = Table::default();
        by_key.grow_for(touched.len());
        for (at, touched) in touched.iter().enumerate() {
            by_key.add(touched.was.key.whole, position(at)?);
        }
        Ok(Withdrawing {
            _delivering: delivering,
            segments: &self.segments,
            manifest,
            adapter: batch.adapter.clone(),
            kind: batch.kind,
            writer: self.segments.begin(ticket.delivery)?,
            ticket,
            touched,
            by_key,
            later,
            own: withdrawn.own,
            author: 0,
            encoded: Vec::new(),
            borne: Gathered::default(),
            aside: self.trackers.folder(),
        })
    }

    /// The deliveries of a batch, and those after it that count.
    fn deliveries(&self, batch: &Batch) -> Result<(Withdrawn, Later), StoreError> {
        let mut own = BTreeSet::new();
        let mut later = Vec::new();
        for item in self.index.scan(keys::DELIVERIES.into()) {
            let (number, id) = item?;
            let (number, id) = (rows::read_number(&number)?, rows::read_text(id)?);
            if id == batch.batch {
                own.insert(number);
            } else if !own.is_empty() {
                later.push((number, id));
            }
        }
        let mut counting = Vec::new();
        for (number, id) in later {
            // A withdrawal, a stage that is not published and an older delivery of the same file are not a batch's newest.
            let Some((seq, newest)) = self.place_of(&id)? else {
                continue;
            };
            if newest != number {
                continue;
            }
            let counts = self
                .batch_at(seq)?
                .is_some_and(|later| later.adapter == batch.adapter && later.verdict.accepted());
            if counts {
                counting.push((number, id));
            }
        }
        let next = own.iter().filter_map(|own| {
            let after = |(number, _): &&(u64, BatchId)| number > own;
            counting.iter().find(after).map(|(number, _)| *number)
        });
        let next = next.collect();
        Ok((Withdrawn { own, next }, counting))
    }

    /// Takes a batch back: `batch` is its new state; `beside` is journaled in the same entry. Puts what is known without it on the disk, unseen, journals the withdrawal with
    /// fsync, makes it visible. Killed anywhere, the next open ends before or after it, never between.
    ///
    /// Nothing of the source must have been accepted or withdrawn since `withdrawing` began; else [`StoreError::Unfit`], and
    /// nothing is written.
    pub fn withdraw(
        &self,
        at: Timestamp,
        actor: &str,
        batch: &Batch,
        beside: Vec<Event>,
        withdrawing: Withdrawing<'_>,
    ) -> Result<(), StoreError> {
        if batch.verdict != Verdict::Withdrawn {
            return Err(unfit(format!("批次{}不是撤回的批次", batch.batch)));
        }
        let _one_at_a_time = lock(&self.accepting);
        let event = Event::Withdrawn {
            batch: Box::new(batch.clone()),
        };
        let mut events = vec![event];
        events.extend(beside);
        self.publish(at, actor, events, batch, withdrawing.into_parts()?)
    }
}

/// The last accepted batch of a source that is not withdrawn, `without` this one: the entry that judged it, and its delivery.
pub(super) fn head_without(
    index: &Index,
    adapter: &str,
    without: &str,
) -> Result<Option<(u64, u64)>, StoreError> {
    let batch_at = |seq: u64| -> Result<Option<Batch>, StoreError> {
        let row = index.get(&keys::numbered(keys::BATCHES, seq))?;
        row.map(|row| json("批次", &row)).transpose()
    };
    let prefix = keys::within(keys::BY_ADAPTER, adapter);
    let mut to = None;
    loop {
        let rests = index.last_keys(&prefix, to, crate::store::engine::RANGE_MAX)?;
        let Some(first) = rests.last() else {
            return Ok(None);
        };
        to = Some([prefix.as_slice(), first].concat());
        for rest in rests {
            let seq = rows::read_number(&rest)?;
            let Some(batch) = batch_at(seq)? else {
                continue;
            };
            if batch.batch == without || !batch.verdict.accepted() {
                continue;
            }
            let Some(row) = index.get(&keys::named(keys::BY_ID, &batch.batch))? else {
                continue;
            };
            let (newest, delivery) = rows::read_numbers(&row)?;
            // It may have been withdrawn since.
            let stands = newest == seq
                || batch_at(newest)?.is_some_and(|batch| batch.verdict != Verdict::Withdrawn);
            if stands {
                return Ok(Some((seq, delivery)));
            }
        }
    }
}
