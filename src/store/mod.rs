//! Archive, journal, index: what is kept, what was decided, what is known now.
//!
//! The archive holds files as received, by digest. The journal is an append-only, fsynced, hash-chained file of everything that
//! was decided or done. The index (sled, named only in `engine`) holds what follows from both; it can be rebuilt.
//! A commit is journal append + fsync, then one sled batch. A batch of records is first staged, unseen by readers: its changes in a
//! segment (a file of its own), its fingerprints in the tracking index of its source (a sorted file, and sled for what changed since).
//!
//! | file | what it does |
//! |---|---|
//! | `archive` | content by digest |
//! | `journal` | the chain of lines: append, read, check |
//! | `engine` | ordered byte keys on sled |
//! | `keys`, `rows` | which keys there are, how values are laid out |
//! | `index` | whole values under keys, walks |
//! | `fold` | journal entry → rows of the index |
//! | `opening` | version, catching up with the journal |
//! | `known_file` | the same bytes again, told without opening the index |
//! | `comparison` | one delivery against what is known: new, changed, missing, returned |
//! | `segment` | the changes of a delivery with their records |
//! | `pages`, `tracker` | fingerprints and places, packed; the tracking index of a source |
//! | `sorted_file` | sorted items in a file that is written once |
//! | `bearers` | which keys bear a name, an organisation code, a head office: sorted files beside the runs |
//! | `lookup` | the records that bear an identity, and what was said of each |
//! | `table` | hash table and bits in little memory |
//! | `stage` | deliveries: staged, sealed, published |
//! | `records` | records and changes as of a source's head |
//! | `since` | what a source says anew since somebody looked |
//! | `standpoint` | what a review leaves for the next one |
//! | `migration` | a state folder of an older version |
//! | `compaction` | index and tracking files written anew |
//! | `withdrawal` | a delivery taken back |
//!
//! Locks: `delivering` (by each delivery on its way, alone while the index is written anew), then `accepting` (one delivery at a
//! time), then `journal` (one entry at a time). Readers take none, and no iterator holds anything between two steps; so who walks
//! may commit.

mod archive;
mod bearers;
pub mod compaction;
pub mod comparison;
pub mod engine;
mod fault;
mod fold;
mod index;
mod journal;
mod keys;
pub mod known_file;
pub mod lookup;
mod migration;
mod opening;
mod pages;
mod records;
mod rows;
mod segment;
mod since;
mod sorted_file;
mod stage;
mod standpoint;
mod table;
mod tracker;
pub mod withdrawal;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod taken_back;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tracking;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::batch::{Batch, BatchId};
use crate::domain::case::{Case, Refusal};
use crate::domain::change::Change;
use crate::domain::event::{Event, JournalEntry, LastRun};
use crate::domain::figures::Dated;
use crate::domain::notice::Notice;
use crate::domain::pairing::Pairing;
use crate::domain::record::{Record, RecordKind};
use crate::domain::survey::{Survey, Surveys};
pub use crate::store::archive::Adoption;
use crate::store::archive::{Archive, private_folder, sync_folder};
use crate::store::comparison::{Comparison, Terms};
use crate::store::fault::{Point, reach};
use crate::store::fold::{Fold, unfit};
use crate::store::index::{Index, json};
use crate::store::journal::{Journal, Reader};
use crate::store::known_file::{KnownFile, Moment};
use crate::store::pages::KeyHash;
use crate::store::records::{Changes, View, flatten};

pub use crate::store::records::Records;
use crate::store::segment::Segments;
use crate::store::stage::{Marker, Numbers, Ticket};
use crate::store::tracker::{Leaving, Manifest, Trackers};

/// The store could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds it.
    #[error(
        "[YB-4001] 状态目录{path}正被另一个进程使用。处理：守护进程运行时命令会经由套接字执行；否则先结束占用的进程。"
    )]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The file system.
    #[error("[YB-4002] {what}：{source}。处理：检查磁盘空间和目录权限。")]
    Io {
        /// What was done.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Bytes are not what was written.
    #[error("[YB-4003] {what}损坏：{text}。处理：停止使用并从备份恢复，保留现场。")]
    Damaged {
        /// Which part.
        what: String,
        /// What was seen.
        text: String,
    },
    /// A rule of the domain refused an event; nothing of the commit was written.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Written by a newer program.
    #[error("[YB-4004] 状态目录的版本{found}高于本程序支持的{known}。处理：使用新版本程序。")]
    Newer {
        /// Found.
        found: u32,
        /// Supported.
        known: u32,
    },
    /// Written by an older program whose layout is not read.
    #[error(
        "[YB-4009] 状态目录的版本{found}低于本程序使用的{known}，其中的记录不能直接沿用。处理：保留原目录，另用--state指定新目录，再把archive中的原始文件依次重新导入。"
    )]
    Older {
        /// Found.
        found: u32,
        /// Used.
        known: u32,
    },
    /// The caller asked for what can not be; nothing was written.
    #[error(
        "[YB-4005] 提交未写入：{text}。处理：数据未改动，可重新执行；反复出现时请将本消息交维护人员。"
    )]
    Unfit {
        /// What does not fit.
        text: String,
    },
}

/// A record as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// How many complete batches in a row did not mention it; 0: it is present.
    pub missed: u64,
    /// The record; of a missing one as it was last.
    pub record: Record,
    /// The batch that last said something else of it than the one before.
    pub batch: BatchId,
    /// Its row in that batch's file.
    pub row: u64,
}

impl StoredRecord {
    /// One that says nothing yet.
    #[must_use]
    pub const fn blank(kind: RecordKind) -> Self {
        Self {
            missed: 0,
            record: Record::new(kind),
            batch: BatchId::new(),
            row: 0,
        }
    }

    /// Whether the last complete batch mentioned it.
    #[must_use]
    pub const fn present(&self) -> bool {
        self.missed == 0
    }

    /// Whether it still stands: fewer than `gone_after` complete batches in a row did not mention it. An export that is short by
    /// a row takes nothing from anybody.
    #[must_use]
    pub const fn stands(&self, gone_after: u64) -> bool {
        self.missed < gone_after
    }
}

/// The last completed review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviewed {
    /// The roll it was made on.
    pub roll_as_of: Date,
    /// Findings that wait for a later run, by unit.
    pub waiting: BTreeMap<String, u64>,
}

/// A frozen bulletin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBulletin {
    /// Its id.
    pub bulletin: String,
    /// The period, `YYYY-MM`.
    pub period: String,
    /// Digest of the figures (JSON of [`crate::domain::bulletin::Bulletin`]).
    pub figures: String,
    /// Digests of its files by name.
    pub files: BTreeMap<String, String>,
}

/// Archive, journal and index of one state folder. One process at a time; shared by reference between threads.
#[derive(Debug)]
pub struct Store {
    state: PathBuf,
    archive: Archive,
    index: Index,
    segments: Segments,
    trackers: Trackers,
    journal: Mutex<Journal>,
    journal_path: PathBuf,
    /// Where the last whole entry ends: what readers may read.
    journal_end: AtomicU64,
    /// Held while a delivery is on its way, by each; alone while the index is written anew.
    delivering: RwLock<()>,
    /// Held while a delivery is made visible.
    accepting: Mutex<()>,
    numbers: Arc<Mutex<Numbers>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while it was held left memory as it was: values here change only after all that can fail is done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(
    clippy::missing_errors_doc,
    reason = "every error is a StoreError, described there"
)]
impl Store {
    /// Opens (or makes) a state folder; finishes what a killed process left: drops stages without a journal record,
    /// publishes those with one, applies journal entries the index has not seen.
    pub fn open(state: &Path) -> Result<Self, StoreError> {
        private_folder(state)?;
        let older = opening::check_version(state)?;
        // From here on no other process is in: sled holds the lock of the whole folder.
        let index = Index::open(&state.join("index"))?;
        index::remove_fresh(&state.join("index"))?;
        let archive = Archive::open(state.join("archive"))?;
        let segments = Segments::open(state.join("segments"))?;
        let trackers = Trackers::new(state.join("tracking"))?;
        let journal_folder = state.join("journal");
        private_folder(&journal_folder)?;
        sync_folder(state)?;
        let journal_path = journal_folder.join("journal.log");
        let mut journal = Journal::open(journal_path.clone(), index.applied()?)?;
        let mut left = stage::left(&index)?;
        let mut reader = journal.reader()?;
        while let Some(line) = reader.read()? {
            opening::replay(&index, &mut left, &line)?;
        }
        journal.resume(reader.last());
        if reader.torn() {
            tracing::warn!(
                code = "YB-4006",
                after_entry = reader.last().seq,
                at_byte = reader.last().end,
                "the journal's last line was not written to its end and is cut off"
            );
            journal.cut()?;
        }
        for marker in left.values() {
            tracing::warn!(
                code = "YB-4007",
                batch = marker.batch,
                "a staged batch was never journaled and is dropped; pull it again"
            );
            marker.remove(&index, &segments, &trackers)?;
        }
        if let Some(version) = older {
            migration::to_this_version(version, &index, &segments, &trackers)?;
            opening::mark_version(state)?;
            tracing::info!("the state folder of an older version was taken on");
        }
        // A process killed after a batch became visible may have left what stood before it.
        for item in index.scan(keys::TRACKED.into()) {
            let (adapter, manifest) = item?;
            trackers.sweep(
                &rows::read_text(adapter)?,
                &json("变更索引清单", &manifest)?,
            )?;
        }
        let delivery = index.get(keys::DELIVERY.as_bytes())?;
        let delivery = delivery.map(|row| rows::read_number(&row)).transpose()?;
        Ok(Self {
            state: state.to_owned(),
            archive,
            index,
            segments,
            trackers,
            journal_end: AtomicU64::new(journal.last().end),
            journal: Mutex::new(journal),
            journal_path,
            delivering: RwLock::default(),
            accepting: Mutex::default(),
            numbers: Arc::new(Mutex::new(Numbers::after(delivery.unwrap_or(0)))),
        })
    }

    /// Keeps a file under its digest (blake3, hex), which is returned. The same content twice is kept once.
    pub fn archive_file(&self, path: &Path) -> Result<String, StoreError> {
        self.archive.keep_file(path)
    }

    /// Keeps a file that nobody else writes to under the digest that was taken of it: by a link where the file system can, so that
    /// nothing is copied. Its former name stays. `None`: the archive has it; else it has it once it is settled.
    pub fn adopt_file(
        &self,
        path: &Path,
        digest: &str,
    ) -> Result<Option<Adoption<'_>>, StoreError> {
        self.archive.adopt(path, digest)
    }

    /// Keeps bytes under their digest.
    pub fn archive_bytes(&self, bytes: &[u8]) -> Result<String, StoreError> {
        self.archive.keep_bytes(bytes)
    }

    /// Where the content of this digest lies (it may not exist).
    #[must_use]
    pub fn archived(&self, digest: &str) -> PathBuf {
        self.archive.place(digest)
    }

    /// The content of this digest, checked against it.
    pub fn read_archived(&self, digest: &str) -> Result<Vec<u8>, StoreError> {
        self.archive.read(digest)
    }

    /// Journals and applies events, all or none. No events: nothing is written. Case events are applied through
    /// [`crate::domain::case::apply`]; a refusal of one refuses all. `Queued` with a known key is dropped silently.
    pub fn commit(&self, at: Timestamp, actor: &str, events: Vec<Event>) -> Result<(), StoreError> {
        let mut journal = lock(&self.journal);
        journal.check()?;
        let before = journal.last();
        let mut fold = Fold::new(&self.index, before.seq + 1, at, None)?;
        let mut kept = Vec::with_capacity(events.len());
        for event in events {
            if fold.take(&event)? {
                kept.push(event);
            }
        }
        if kept.is_empty() {
            return Ok(());
        }
        reach(Point::Checked);
        let place = self.append(&mut journal, at, actor, kept)?;
        let written = fold
            .finish(place)
            .and_then(|rows| self.index.write(rows, Some(before)));
        reach(Point::Applied);
        written.inspect_err(|error| journal.give_up(error))
    }

    fn append(
        &self,
        journal: &mut Journal,
        at: Timestamp,
        actor: &str,
        events: Vec<Event>,
    ) -> Result<journal::Place, StoreError> {
        let mut entry = JournalEntry {
            seq: 0,
            at,
            actor: actor.to_owned(),
            events,
        };
        let place = journal.append(&mut entry)?;
        self.journal_end.store(place.end, Ordering::Release);
        reach(Point::Journaled);
        Ok(place)
    }

    /// Where the journal stands.
    #[must_use]
    pub fn moment(&self) -> Moment {
        Moment::at(lock(&self.journal).last())
    }

    /// Notes what became of a source's file, as it stood at `moment` or later: who delivers the same bytes is told without opening
    /// the index, as long as the journal has said nothing else of the source since `moment`.
    pub fn remember(&self, known: &KnownFile, moment: &Moment) -> Result<(), StoreError> {
        let _one_at_a_time = lock(&self.accepting);
        known.write(&self.state, moment)
    }

    /// Begins to compare a delivery of a source with what is known of it. Nothing of it is seen before [`Self::accept`].
    pub fn compare(&self, adapter: &str, terms: &Terms<'_>) -> Result<Comparison<'_>, StoreError> {
        let delivering = self.delivering();
        let ticket = Ticket::next(&self.numbers);
        let manifest = self.manifest(adapter)?;
        let tracker = self.trackers.of(adapter, &manifest)?;
        let aside = self.trackers.folder();
        Comparison::begin(
            &self.segments,
            tracker,
            manifest,
            adapter,
            ticket,
            terms,
            aside,
            delivering,
        )
    }

    /// To be held while a delivery is on its way. Whoever holds it must not ask for it again: whoever waits to be alone goes first.
    fn delivering(&self) -> RwLockReadGuard<'_, ()> {
        self.delivering
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn manifest(&self, adapter: &str) -> Result<Manifest, StoreError> {
        stage::manifest(&self.index, adapter)
    }

    /// Accepts a batch: puts its changes on the disk, unseen, journals `event` (a `Batch` or `Released`) with fsync, makes them
    /// visible. Killed anywhere, the next open ends before or after it, never between.
    ///
    /// Nothing else of the source must have been accepted since the comparison began; else [`StoreError::Unfit`], and nothing is
    /// written.
    pub fn accept(
        &self,
        at: Timestamp,
        actor: &str,
        event: Event,
        comparison: Comparison<'_>,
    ) -> Result<(), StoreError> {
        let batch = match &event {
            Event::Batch { batch } | Event::Released { batch } if batch.verdict.accepted() => batch,
            _ => return Err(unfit("只有已接收的批次才带有明细")),
        };
        let batch = batch.clone();
        let _one_at_a_time = lock(&self.accepting);
        self.publish(at, actor, vec![event], &batch, comparison.into_parts())
    }

    /// Writes a delivery, unseen, journals its events, makes it visible. The caller holds `accepting`.
    fn publish(
        &self,
        at: Timestamp,
        actor: &str,
        events: Vec<Event>,
        batch: &Batch,
        parts: comparison::Parts,
    ) -> Result<(), StoreError> {
        if parts.adapter != batch.adapter || self.manifest(&batch.adapter)? != parts.manifest {
            return Err(unfit(format!(
                "批次{}的变更与现有记录不符：比对之后记录已改变",
                batch.batch
            )));
        }
        let adapter = parts.adapter.clone();
        let mut marker = Marker::new(parts.ticket.delivery, batch, parts.manifest.clone());
        let result = self
            .put_down(parts, &mut marker)
            .and_then(|()| self.make_visible(at, actor, events, &mut marker));
        if result.is_ok() {
            // What the old manifest named is no longer wanted. A walk that still reads it holds it open.
            let swept = self.trackers.sweep(&adapter, &marker.manifest);
            tracing::debug!(?swept, adapter, "old tracking index removed");
        } else if !self.may_be_journaled(&marker) {
            // Unseen files do no harm; when they can not be removed now, the next start does it.
            let removed = marker.remove(&self.index, &self.segments, &self.trackers);
            tracing::debug!(?removed, batch = marker.batch, "stage given up");
        }
        // The next file of the source may come soon; in a daemon it finds the folder open and makes sled write nothing.
        self.trackers.close_others(&adapter);
        result
    }

    /// To be called every half minute or so where a process lives long: lets go of what was not used for a while.
    pub fn rest(&self) {
        self.trackers.rest();
    }

    /// Puts a delivery on the disk, unseen.
    fn put_down(&self, parts: comparison::Parts, marker: &mut Marker) -> Result<(), StoreError> {
        marker.begin(&self.index, parts.ticket.keep())?;
        reach(Point::Begun);
        if parts.writer.entries() > 0 {
            parts.writer.keep()?;
        }
        reach(Point::Staged);
        marker.manifest = self.trackers.write(
            &parts.adapter,
            &parts.manifest,
            marker.delivery,
            Leaving {
                known: parts.left,
                borne: parts.borne,
                months: &parts.months,
                layout: &parts.layout,
                complete: parts.complete,
            },
        )?;
        reach(Point::Tracked);
        Ok(())
    }

    /// A stage whose entry may be on the disk belongs to the next start: it must find the rows.
    fn may_be_journaled(&self, marker: &Marker) -> bool {
        let journal = lock(&self.journal);
        marker
            .sealed
            .is_some_and(|seq| journal.check().is_err() || journal.last().seq >= seq)
    }

    fn make_visible(
        &self,
        at: Timestamp,
        actor: &str,
        events: Vec<Event>,
        marker: &mut Marker,
    ) -> Result<(), StoreError> {
        let mut journal = lock(&self.journal);
        journal.check()?;
        let before = journal.last();
        let mut fold = Fold::new(&self.index, before.seq + 1, at, Some(marker.delivery))?;
        for event in &events {
            fold.take(event)?;
        }
        marker.seal(&self.index, before.seq + 1)?;
        reach(Point::Sealed);
        let place = self.append(&mut journal, at, actor, events)?;
        let written = fold.finish(place).and_then(|mut rows| {
            marker.publish(&mut rows)?;
            self.index.write(rows, Some(before))
        });
        reach(Point::Applied);
        written.inspect_err(|error| journal.give_up(error))
    }

    /// The last accepted batch of a source.
    pub fn head(&self, adapter: &str) -> Result<Option<Batch>, StoreError> {
        match self.index.get(&keys::named(keys::HEADS, adapter))? {
            None => Ok(None),
            Some(row) => self.batch_at(rows::read_numbers(&row)?.0),
        }
    }

    fn batch_at(&self, seq: u64) -> Result<Option<Batch>, StoreError> {
        self.index
            .get_json("批次", &keys::numbered(keys::BATCHES, seq))
    }

    /// Newest entry and newest delivery (0: none) of a batch.
    fn place_of(&self, batch: &str) -> Result<Option<(u64, u64)>, StoreError> {
        self.index
            .get(&keys::named(keys::BY_ID, batch))?
            .map(|row| rows::read_numbers(&row))
            .transpose()
    }

    /// One batch.
    pub fn batch(&self, id: &str) -> Result<Option<Batch>, StoreError> {
        match self.place_of(id)? {
            None => Ok(None),
            Some((seq, _)) => self.batch_at(seq),
        }
    }

    /// The last `limit` batches (of one source), oldest first. A batch stands where it was last judged, once.
    pub fn batches(&self, adapter: Option<&str>, limit: usize) -> Result<Vec<Batch>, StoreError> {
        self.batches_until(adapter, limit, |_| false)
    }

    /// The same, of those that were judged after the newest one that `ends` it.
    fn batches_until(
        &self,
        adapter: Option<&str>,
        limit: usize,
        ends: impl Fn(&Batch) -> bool,
    ) -> Result<Vec<Batch>, StoreError> {
        let prefix = match adapter {
            None => keys::BATCHES.into(),
            Some(adapter) => keys::within(keys::BY_ADAPTER, adapter),
        };
        let mut found = Vec::new();
        let mut to = None;
        'all: loop {
            let rests = self.index.last_keys(&prefix, to, engine::RANGE_MAX)?;
            let Some(first) = rests.last() else { break };
            to = Some([prefix.as_slice(), first].concat());
            for rest in rests {
                if found.len() >= limit {
                    break 'all;
                }
                let seq = rows::read_number(&rest)?;
                let Some(batch) = self.batch_at(seq)? else {
                    continue;
                };
                if ends(&batch) {
                    break 'all;
                }
                if self
                    .place_of(&batch.batch)?
                    .is_some_and(|(newest, _)| newest == seq)
                {
                    found.push(batch);
                }
            }
        }
        found.reverse();
        Ok(found)
    }

    /// The batches of a source that came after this one was received, oldest first: those before it are not read.
    pub fn batches_after(&self, head: &Batch) -> Result<Vec<Batch>, StoreError> {
        let is_its_reception =
            |batch: &Batch| batch.batch == head.batch && batch.released.is_none();
        let mut found = self.batches_until(Some(&head.adapter), usize::MAX, is_its_reception)?;
        found.retain(|batch| batch.received > head.received);
        Ok(found)
    }

    /// The batch that this source's file of this digest became before, when it came before.
    pub fn seen(&self, adapter: &str, digest: &str) -> Result<Option<Batch>, StoreError> {
        let key = keys::below(keys::BY_DIGEST, adapter, digest.as_bytes());
        match self.index.get(&key)? {
            None => Ok(None),
            Some(row) => self.batch(&rows::read_text(row)?),
        }
    }

    /// The digest of this source's newest batch whose file had this name: a drop folder asks whether it took a file already.
    pub fn taken_name(&self, adapter: &str, name: &str) -> Result<Option<String>, StoreError> {
        let key = keys::below(keys::BY_FILE, adapter, name.as_bytes());
        self.index.get(&key)?.map(rows::read_text).transpose()
    }

    /// Every record of a source in the order in which they were delivered, missing ones included: as they stood when this was
    /// called, whatever is accepted meanwhile.
    pub fn records(
        &self,
        adapter: &str,
        kind: RecordKind,
    ) -> impl Iterator<Item = Result<StoredRecord, StoreError>> + '_ {
        flatten(self.scan(adapter, kind))
    }

    /// A source to come back to records of, whose places are known.
    pub fn again(&self, adapter: &str, kind: RecordKind) -> Result<Records<'_>, StoreError> {
        let manifest = self.manifest(adapter)?;
        let view = View::of(&self.index, &self.segments, kind, manifest.complete);
        Records::of(view, std::iter::empty())
    }

    /// The same with their places, to come back to.
    pub fn scan(&self, adapter: &str, kind: RecordKind) -> Result<Records<'_>, StoreError> {
        let manifest = self.manifest(adapter)?;
        let tracker = self.trackers.of(adapter, &manifest)?;
        let view = View::of(&self.index, &self.segments, kind, manifest.complete);
        let records = Records::of(view, tracker.all());
        self.trackers.close(adapter);
        records
    }

    /// One record.
    pub fn record(
        &self,
        adapter: &str,
        kind: RecordKind,
        key: &str,
    ) -> Result<Option<StoredRecord>, StoreError> {
        let manifest = self.manifest(adapter)?;
        let tracker = self.trackers.of(adapter, &manifest)?;
        match tracker.get(KeyHash::of(kind, key))? {
            None => Ok(None),
            Some(known) => View::of(&self.index, &self.segments, kind, manifest.complete)
                .see(known.place())
                .map(Some),
        }
    }

    /// The changes a batch made, in the order of its rows; what is missing stands at the end.
    pub fn changes(
        &self,
        batch: &str,
        kind: RecordKind,
    ) -> impl Iterator<Item = Result<Change, StoreError>> + '_ {
        // Deliveries begin at 1: under 0 lies nothing.
        let delivery = self
            .place_of(batch)
            .map(|place| place.map_or(0, |(_, delivery)| delivery));
        flatten(delivery.and_then(|delivery| Changes::of(&self.segments, delivery, kind)))
    }

    /// One case.
    pub fn case(&self, id: &str) -> Result<Option<Case>, StoreError> {
        self.index.get_json("个案", &keys::named(keys::CASES, id))
    }

    /// Every case in the order of ids.
    pub fn cases(&self) -> impl Iterator<Item = Result<Case, StoreError>> + '_ {
        self.index
            .scan(keys::CASES.into())
            .map(|item| json("个案", &item?.1))
    }

    /// The cases of one enterprise.
    pub fn cases_of(&self, enterprise: &str) -> Result<Vec<Case>, StoreError> {
        self.index
            .scan(keys::within(keys::BY_ENTERPRISE, enterprise))
            .filter_map(|item| {
                item.and_then(|(id, _)| self.case(&rows::read_text(id)?))
                    .transpose()
            })
            .collect()
    }

    /// Pairs that may be one firm, by enterprise and subject.
    pub fn pairings(&self) -> impl Iterator<Item = Result<Pairing, StoreError>> + '_ {
        self.index
            .scan(keys::PAIRINGS.into())
            .map(|item| json("归集认定", &item?.1))
    }

    /// The pairs that a person has answered: few of them.
    pub fn answered(&self) -> impl Iterator<Item = Result<Pairing, StoreError>> + '_ {
        self.index.scan(keys::ANSWERED.into()).map(|item| {
            let (own, _) = item?;
            let key = [keys::PAIRINGS.as_bytes(), &own].concat();
            let row = self.index.get(&key)?;
            row.map_or_else(
                || {
                    Err(StoreError::Damaged {
                        what: "索引".to_owned(),
                        text: "缺少已作答的归集认定".to_owned(),
                    })
                },
                |row| json("归集认定", &row),
            )
        })
    }

    /// The pairs of one enterprise.
    pub fn pairings_of(&self, enterprise: &str) -> Result<Vec<Pairing>, StoreError> {
        self.index
            .scan(keys::within(keys::PAIRINGS, enterprise))
            .map(|item| json("归集认定", &item?.1))
            .collect()
    }

    /// Every case event of the journal, in its order: what bulletins count. Entries without case events are not read.
    pub fn case_events(&self) -> impl Iterator<Item = Result<Dated, StoreError>> + '_ {
        self.index
            .scan(keys::CASE_ENTRIES.into())
            .flat_map(|item| flatten(item.and_then(|(_, row)| self.dated(&row))))
    }

    fn dated(
        &self,
        row: &[u8],
    ) -> Result<impl Iterator<Item = Result<Dated, StoreError>> + use<>, StoreError> {
        let entry = Journal::read_at(&self.journal_path, rows::read_place(row)?)?;
        Ok(entry.events.into_iter().filter_map(|event| match event {
            Event::Case { case, day, change } => Some(Ok(Dated { case, day, change })),
            _ => None,
        }))
    }

    /// The journal from its beginning, each entry checked against the chain; ends after the first fault.
    pub fn journal(
        &self,
    ) -> Result<impl Iterator<Item = Result<JournalEntry, StoreError>> + '_, StoreError> {
        let end = self.journal_end.load(Ordering::Acquire);
        let reader = Reader::open_to(&self.journal_path, journal::Place::default(), end)?;
        Ok(reader.whole())
    }

    /// One notice.
    pub fn notice(&self, key: &str) -> Result<Option<Notice>, StoreError> {
        self.index
            .get(&keys::named(keys::NOTICES, key))?
            .map(|row| Ok(fold::read_notice(&row)?.1))
            .transpose()
    }

    /// Every notice in the order of keys.
    pub fn notices(&self) -> impl Iterator<Item = Result<Notice, StoreError>> + '_ {
        self.index
            .scan(keys::NOTICES.into())
            .map(|item| Ok(fold::read_notice(&item?.1)?.1))
    }

    /// Notices still to be sent (queued or sending), in the order they were queued. An index of its own: cheap.
    pub fn outbox(&self) -> Result<Vec<Notice>, StoreError> {
        self.index
            .scan(keys::OUTBOX.into())
            .filter_map(|item| {
                item.and_then(|(_, key)| self.notice(&rows::read_text(key)?))
                    .transpose()
            })
            .collect()
    }

    /// The last completed review.
    pub fn reviewed(&self) -> Result<Option<Reviewed>, StoreError> {
        self.index
            .get_json("最近一次比对", keys::REVIEWED.as_bytes())
    }

    /// The number of the next dispatch (第N批): one more than the greatest made.
    pub fn next_wave(&self) -> Result<u32, StoreError> {
        let greatest = match self.index.get(keys::WAVE.as_bytes())? {
            None => 0,
            Some(row) => rows::read_number(&row)?,
        };
        u32::try_from(greatest + 1).map_err(|_| unfit("下发批次号已用尽"))
    }

    /// What was found out about the staff of one enterprise.
    pub fn survey(&self, enterprise: &str) -> Result<Option<Survey>, StoreError> {
        self.index
            .get_json("走访记录", &keys::named(keys::SURVEYS, enterprise))
    }

    /// What was found out about the staff of every enterprise that anybody looked at.
    pub fn surveys(&self) -> Result<Surveys, StoreError> {
        self.index
            .scan(keys::SURVEYS.into())
            .map(|item| {
                let (enterprise, row) = item?;
                Ok((rows::read_text(enterprise)?, json("走访记录", &row)?))
            })
            .collect()
    }

    /// Alerts that stand: key → what it said.
    pub fn alerts(&self) -> Result<BTreeMap<String, String>, StoreError> {
        self.texts(keys::ALERTS)
    }

    fn texts(&self, prefix: &str) -> Result<BTreeMap<String, String>, StoreError> {
        self.index
            .scan(prefix.into())
            .map(|item| {
                let (name, text) = item?;
                Ok((rows::read_text(name)?, rows::read_text(text)?))
            })
            .collect()
    }

    /// The last run of each job.
    pub fn runs(&self) -> Result<BTreeMap<String, LastRun>, StoreError> {
        self.index
            .scan(keys::RUNS.into())
            .map(|item| {
                let (job, row) = item?;
                Ok((rows::read_text(job)?, json("运行记录", &row)?))
            })
            .collect()
    }

    /// The frozen bulletins by id.
    pub fn bulletins(&self) -> Result<Vec<StoredBulletin>, StoreError> {
        self.index
            .scan(keys::BULLETINS.into())
            .map(|item| json("通报", &item?.1))
            .collect()
    }

    /// Digest in force of each named setting.
    pub fn in_force(&self) -> Result<BTreeMap<String, String>, StoreError> {
        self.texts(keys::IN_FORCE)
    }

    /// Every key of the index with its value, in order, for a logical copy.
    pub fn export_index(&self) -> impl Iterator<Item = Result<engine::Pair, StoreError>> + '_ {
        self.index.export()
    }
}
