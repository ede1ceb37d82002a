//! The change-tracking index of one source: what is known of each key in a sorted file, what changed since as runs of pages in a
//! sled folder beside it, apart from cases and outbox.
//!
//! A delivery adds a run of what it changed; a key's newest run counts. After two dozen runs, or when a delivery touched much of the
//! source, everything is written anew into a fresh folder (a *generation*), and the old one is deleted once the new one is seen.
//! The file costs a fifth of what the same pages cost sled to write and to read, and sled never gives back what was overwritten in
//! it. Beside each run lies a file of what its keys bear (`bearers`), in the folder of the generation: it is seen by the same
//! manifest and goes with the same folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use serde::{Deserialize, Serialize};

use crate::domain::finding::Insurance;
use crate::domain::record::{Month, Record};
use crate::domain::register::Periods;
use crate::store::StoreError;
use crate::store::archive::{folder_bytes, io, private_folder, remove_folder, sync_folder};
use crate::store::bearers::{self, Bearers, Gathered};
use crate::store::engine::{BATCH_MAX, Engine, RANGE_MAX, WriteBatch};
use crate::store::pages::{KeyHash, Known, pack, page_bounds, run_prefix, unpack};
use crate::store::sorted_file::{self, Item, SortedFile};

/// Runs beside the first after which everything is written anew: as much as some dozen small runs.
const RUNS_MAX: usize = 24;
/// Complete deliveries that are counted: no adapter waits for more before what is missing is gone.
pub const COMPLETE_KEPT: usize = 64;
/// How often a folder outlasts a rest: at the daemon's pace ten minutes.
pub const RESTS: u32 = 20;
/// Batches after which what was written is taken to the disk's queue: some 8 MiB.
const FLUSHED_BATCHES: u64 = 16;
/// The part of a source (one in so many) from which a delivery is no run but a new generation.
const MUCH: u64 = 8;

/// What of the tracking index of a source is seen: published together with the head.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The folder; 0 when there is none yet.
    pub generation: u64,
    /// The runs in it, oldest first: the first is the sorted file.
    pub runs: Vec<u64>,
    /// Records known, missing ones included.
    pub records: u64,
    /// What the raw fingerprints mean: they are only compared when it is the same.
    pub layout: String,
    /// The runs that have a file of what their keys bear, oldest first. Version 2 had none.
    #[serde(default)]
    pub bearers: Vec<u64>,
    /// The last deliveries that had to mention every record and were not taken back, oldest first: at most [`COMPLETE_KEPT`].
    #[serde(default)]
    pub complete: Vec<u64>,
    /// How many records that are present speak of a month: `2026-03` of tax, `2026-03/pension` of the roll.
    #[serde(default)]
    pub months: BTreeMap<String, u64>,
}

impl Manifest {
    /// Whether it was written by version 2.
    pub const fn is_of_version_2(&self) -> bool {
        self.generation != 0 && self.bearers.is_empty()
    }

    /// Adds the months that the present records speak of.
    pub fn add_to(&self, kind: crate::domain::record::RecordKind, periods: &mut Periods) {
        for (name, rows) in &self.months {
            let (month, insurance) = match name.split_once('/') {
                None => (name.as_str(), None),
                Some((month, word)) => (month, Insurance::by_word(word)),
            };
            if let Some(month) = Month::parse(month) {
                periods.count(kind, month, insurance, *rows);
            }
        }
    }
}

/// By how many more records a month is spoken of after a delivery than before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shift(BTreeMap<(Month, Option<Insurance>), i64>);

impl Shift {
    /// A record appeared (1) or is gone (-1).
    pub fn add(&mut self, record: &Record, by: i64) {
        if let Some(of) = Periods::of(record) {
            *self.0.entry(of).or_default() += by;
        }
    }

    fn apply(&self, months: &mut BTreeMap<String, u64>) {
        for ((month, insurance), by) in &self.0 {
            let name = match insurance {
                None => month.to_string(),
                Some(insurance) => format!("{month}/{}", insurance.word()),
            };
            let rows = months.get(&name).copied().unwrap_or(0);
            match rows.saturating_add_signed(*by) {
                0 => months.remove(&name),
                rows => months.insert(name, rows),
            };
        }
    }
}

/// What a delivery leaves of a source.
pub struct Leaving<'a, I> {
    /// The keys it touched, sorted.
    pub known: I,
    /// What they bear beside what they bore.
    pub borne: Gathered,
    /// The months they speak of.
    pub months: &'a Shift,
    /// What the raw fingerprints mean from now on.
    pub layout: &'a str,
    /// The deliveries that had to mention every record, from now on.
    pub complete: Complete,
}

/// What a delivery makes of the deliveries that had to mention every record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Complete {
    /// It says nothing of records that it does not mention.
    Same,
    /// It is one itself.
    One,
    /// It takes these back.
    Without(BTreeSet<u64>),
}

impl Complete {
    fn apply(self, own: u64, complete: &mut Vec<u64>) {
        match self {
            Self::Same => {}
            Self::One => {
                complete.retain(|delivery| *delivery != own);
                complete.push(own);
                let surplus = complete.len().saturating_sub(COMPLETE_KEPT);
                complete.drain(..surplus);
            }
            Self::Without(taken) => complete.retain(|delivery| !taken.contains(delivery)),
        }
    }
}

/// The tracking folders of every source, open while somebody uses them.
#[derive(Debug)]
pub struct Trackers {
    folder: PathBuf,
    open: std::sync::Mutex<BTreeMap<(String, u64), Open>>,
}

/// A folder that was opened. Somebody may still read it after it was let go of, and it can not be opened twice.
#[derive(Debug)]
struct Open {
    kept: Option<Arc<Engine>>,
    /// How often [`Trackers::rest`] was called since it was used.
    rests: u32,
    used: Weak<Engine>,
}

impl Trackers {
    /// The folder that holds them.
    pub fn new(folder: PathBuf) -> Result<Self, StoreError> {
        private_folder(&folder)?;
        Ok(Self {
            folder,
            open: std::sync::Mutex::default(),
        })
    }

    fn place(&self, adapter: &str, generation: u64) -> PathBuf {
        self.folder
            .join(format!("{}-{generation:010}", folder_name(adapter)))
    }

    /// The index of a source as the manifest says.
    pub fn of(&self, adapter: &str, manifest: &Manifest) -> Result<Tracker, StoreError> {
        let Some((base, runs)) = manifest.runs.split_first() else {
            return Ok(Tracker::default());
        };
        let path = base_file(&self.place(adapter, manifest.generation), *base);
        let base = SortedFile::open(&path)?;
        // Without runs sled is not opened: that alone makes it write.
        let engine = match runs {
            [] => None,
            _ => Some(self.engine(adapter, manifest.generation)?),
        };
        Ok(Tracker {
            base: Some(Arc::new(base)),
            engine,
            runs: runs.to_vec(),
            overlay: Arc::default(),
        })
    }

    fn engine(&self, adapter: &str, generation: u64) -> Result<Arc<Engine>, StoreError> {
        let mut open = crate::store::lock(&self.open);
        let name = (adapter.to_owned(), generation);
        if let Some(found) = open.get_mut(&name)
            && let Some(engine) = found.used.upgrade()
        {
            found.rests = 0;
            return Ok(engine);
        }
        let path = self.place(adapter, generation);
        let is_new = !has_engine(&path);
        let engine = Arc::new(Engine::open_small(&path)?);
        if is_new {
            sync_folder(&path)?;
        }
        let used = Arc::downgrade(&engine);
        let kept = Some(Arc::clone(&engine));
        let rests = 0;
        open.insert(name, Open { kept, rests, used });
        Ok(engine)
    }

    /// Lets go of a source's index: sled keeps the pages it read in memory until then.
    pub fn close(&self, adapter: &str) {
        for ((name, _), open) in crate::store::lock(&self.open).iter_mut() {
            if name == adapter {
                open.kept = None;
            }
        }
    }

    /// Lets go of every other source's index: opening one makes sled write, keeping one costs memory.
    pub fn close_others(&self, adapter: &str) {
        for ((name, _), open) in crate::store::lock(&self.open).iter_mut() {
            if name != adapter {
                open.kept = None;
            }
        }
    }

    /// Lets go of what was not used since this was called [`RESTS`] times.
    pub fn rest(&self) {
        for open in crate::store::lock(&self.open).values_mut() {
            open.rests = open.rests.saturating_add(1);
            if open.rests > RESTS {
                open.kept = None;
            }
        }
    }

    /// Writes what a delivery left of a source, sorted by key, and puts it on the disk, unseen. The manifest by which it will be
    /// seen.
    pub fn write(
        &self,
        adapter: &str,
        before: &Manifest,
        delivery: u64,
        leaving: Leaving<'_, impl ExactSizeIterator<Item = Known>>,
    ) -> Result<Manifest, StoreError> {
        let fresh = leaving.known.len() as u64;
        let left = leaving.known.map(Ok);
        let anew = before.generation == 0
            || before.runs.len() > RUNS_MAX
            || fresh.saturating_mul(MUCH) > before.records;
        let mut manifest = Manifest {
            layout: leaving.layout.to_owned(),
            ..before.clone()
        };
        leaving.months.apply(&mut manifest.months);
        leaving.complete.apply(delivery, &mut manifest.complete);
        if anew {
            self.renew(adapter, delivery, &mut manifest, left, leaving.borne)?;
        } else if fresh > 0 {
            let engine = self.engine(adapter, before.generation)?;
            clear(&engine, delivery)?;
            put(&engine, delivery, left)?;
            manifest.runs.push(delivery);
            if !leaving.borne.is_empty() {
                let sorted = leaving.borne.sorted();
                self.bear(adapter, before.generation, delivery, sorted)?;
                manifest.bearers.push(delivery);
            }
        }
        Ok(manifest)
    }

    /// Writes everything that the manifest names, and what was left since, into the folder of a generation of its own.
    fn renew(
        &self,
        adapter: &str,
        generation: u64,
        manifest: &mut Manifest,
        left: impl Iterator<Item = Result<Known, StoreError>>,
        borne: Gathered,
    ) -> Result<(), StoreError> {
        let folder = self.place(adapter, generation);
        // Left by a killed process under the same number: nothing of it counts.
        remove_folder(&folder)?;
        private_folder(&folder)?;
        sync_folder(&self.folder)?;
        let tracker = self.of(adapter, manifest)?;
        let merged = known_only(Merged::new(tracker.all(), left));
        let records = sorted_file::write(&base_file(&folder, generation), merged)?;
        let files = self.bearers(adapter, manifest)?;
        let mut rows: Vec<bearers::Walk<'_>> = Vec::new();
        for bearers in &files {
            rows.push(Box::new(bearers.walk()));
        }
        rows.push(Box::new(borne.sorted()));
        self.bear(adapter, generation, generation, bearers::merged(rows))?;
        manifest.generation = generation;
        manifest.runs = vec![generation];
        manifest.records = records;
        manifest.bearers = vec![generation];
        Ok(())
    }

    /// What was known of a source in version 2, which had all of its runs in sled: by the key hashes of that version.
    pub fn of_version_2(
        &self,
        adapter: &str,
        manifest: &Manifest,
    ) -> Result<Vec<Known>, StoreError> {
        let tracker = Tracker {
            base: None,
            engine: Some(self.engine(adapter, manifest.generation)?),
            runs: manifest.runs.clone(),
            overlay: Arc::default(),
        };
        known_only(tracker.overlay()).collect()
    }

    /// Writes what is known of a source into one file, unseen. The manifest by which it will be seen; `None` when it is one file
    /// already.
    pub fn merge(
        &self,
        adapter: &str,
        before: &Manifest,
        generation: u64,
    ) -> Result<Option<Manifest>, StoreError> {
        if before.runs.len() < 2 {
            return Ok(None);
        }
        self.with_borne(adapter, before, generation, Gathered::default())
            .map(Some)
    }

    /// Writes what is known of a source into one file, unseen, and beside it what its keys bear, more than was known. The manifest by
    /// which it will be seen.
    pub fn with_borne(
        &self,
        adapter: &str,
        before: &Manifest,
        generation: u64,
        borne: Gathered,
    ) -> Result<Manifest, StoreError> {
        let mut manifest = before.clone();
        let nothing = std::iter::empty();
        self.renew(adapter, generation, &mut manifest, nothing, borne)?;
        Ok(manifest)
    }

    /// The bytes of what the manifest names: records once, whatever runs say of them, and what they bear.
    pub fn logical(&self, adapter: &str, manifest: &Manifest) -> Result<u64, StoreError> {
        let mut bytes = manifest.records * Known::BYTES as u64;
        for bearers in self.bearers(adapter, manifest)? {
            bytes += bearers.items() * bearers::Pair::BYTES as u64;
        }
        Ok(bytes)
    }

    /// The bytes of the files of a source.
    pub fn bytes(&self, adapter: &str, manifest: &Manifest) -> Result<u64, StoreError> {
        folder_bytes(&self.place(adapter, manifest.generation))
    }

    fn bear(
        &self,
        adapter: &str,
        generation: u64,
        run: u64,
        pairs: impl Iterator<Item = Result<bearers::Pair, StoreError>>,
    ) -> Result<(), StoreError> {
        let folder = self.place(adapter, generation);
        sorted_file::write(&bearers::place(&folder, run), pairs)?;
        sync_folder(&folder)
    }

    /// What the keys of a source bear, as the manifest says.
    pub fn bearers(&self, adapter: &str, manifest: &Manifest) -> Result<Vec<Bearers>, StoreError> {
        let folder = self.place(adapter, manifest.generation);
        let runs = manifest.bearers.iter();
        runs.map(|run| Bearers::open(&bearers::place(&folder, *run)))
            .collect()
    }

    /// Where what a delivery has to put aside for a while may lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes what a delivery wrote and nobody ever saw.
    pub fn remove(&self, adapter: &str, seen: &Manifest, delivery: u64) -> Result<(), StoreError> {
        if seen.runs.contains(&delivery) {
            return Ok(());
        }
        let folder = self.place(adapter, seen.generation);
        if seen.generation != 0 && folder.exists() {
            if has_engine(&folder) {
                clear(&*self.engine(adapter, seen.generation)?, delivery)?;
            }
            sorted_file::remove(&bearers::place(&folder, delivery))?;
        }
        self.sweep(adapter, seen)
    }

    /// Removes the folders of a source that the manifest does not name.
    pub fn sweep(&self, adapter: &str, seen: &Manifest) -> Result<(), StoreError> {
        crate::store::lock(&self.open)
            .retain(|(name, generation), _| name != adapter || *generation == seen.generation);
        let prefix = format!("{}-", folder_name(adapter));
        for item in fs::read_dir(&self.folder).map_err(io("读取变更索引目录"))? {
            let path = item.map_err(io("读取变更索引目录"))?.path();
            let generation = path
                .file_name()
                .and_then(|name| name.to_str())
                .and_then(|name| name.strip_prefix(&prefix))
                .and_then(|rest| rest.parse::<u64>().ok());
            if generation.is_some_and(|generation| generation != seen.generation) {
                remove_folder(&path)?;
            }
        }
        Ok(())
    }
}

/// A name that is safe as a folder's and unlike every other's.
pub fn folder_name(adapter: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !adapter.is_empty() && adapter.len() <= 64 && adapter.chars().all(is_plain) {
        return adapter.to_owned();
    }
    // An underscore is in no plain name.
    format!("_{}", &blake3::hash(adapter.as_bytes()).to_hex()[..32])
}

/// The sorted file of a generation.
fn base_file(folder: &Path, run: u64) -> PathBuf {
    folder.join(format!("known-{run:010}"))
}

/// Whether sled has made its files in a folder.
fn has_engine(folder: &Path) -> bool {
    folder.join("db").exists()
}

/// Removes the pages of a run.
fn clear(engine: &Engine, run: u64) -> Result<(), StoreError> {
    let (from, to) = (run_prefix(run), run_prefix(run + 1));
    loop {
        let pages = engine.range(Bound::Included(&from), &to, BATCH_MAX)?;
        if pages.is_empty() {
            return Ok(());
        }
        let mut batch = WriteBatch::default();
        for (key, _) in pages {
            batch.delete(key);
        }
        engine.write(batch)?;
    }
}

fn put(
    engine: &Engine,
    run: u64,
    entries: impl Iterator<Item = Result<Known, StoreError>>,
) -> Result<(), StoreError> {
    let mut batch = WriteBatch::default();
    let mut batches = 0_u64;
    for page in pack(run, entries) {
        let (key, page) = page?;
        batch.put(key, page);
        if batch.len() >= BATCH_MAX {
            engine.load(std::mem::take(&mut batch))?;
            batches += 1;
            if batches.is_multiple_of(FLUSHED_BATCHES) {
                // On a busy machine the flusher falls behind, and what it has not written stays in memory.
                engine.flush()?;
            }
        }
    }
    engine.load(batch)?;
    engine.barrier()
}

/// The index of one source, as some manifest says. It keeps its folder open.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    base: Option<Arc<SortedFile<Known>>>,
    engine: Option<Arc<Engine>>,
    /// The runs after the first.
    runs: Vec<u64>,
    overlay: Arc<Overlay>,
}

/// What the runs after the first left, held once so much was looked up that it is worth it: at most an eighth of the source.
#[derive(Debug, Default)]
struct Overlay {
    asked: AtomicU64,
    known: OnceLock<Vec<Known>>,
}

/// So many lookups are worth reading all runs after the first.
const WORTH_ALL_RUNS: u64 = 512;

type Entries<'a> = Box<dyn Iterator<Item = Result<Known, StoreError>> + 'a>;

impl Tracker {
    /// Everything known, sorted by key, the newest of each.
    pub fn all(&self) -> Entries<'_> {
        Box::new(known_only(self.all_with_forgotten()))
    }

    /// The same with the keys of which nothing is known any longer.
    pub fn all_with_forgotten(&self) -> Entries<'_> {
        match &self.base {
            None => Box::new(std::iter::empty()),
            Some(base) if self.runs.is_empty() => Box::new(base.walk()),
            Some(base) => Box::new(Merged::new(base.walk(), self.overlay())),
        }
    }

    /// What the runs after the first left, sorted by key.
    pub fn overlay(&self) -> Entries<'_> {
        let mut all: Vec<Entries<'_>> = Vec::new();
        for run in &self.runs {
            all.push(Box::new(self.run(*run)));
        }
        // Neighbours first, as in a tournament: an entry passes few others on its way, however many runs there are.
        while all.len() > 1 {
            let mut left = all.into_iter();
            all = Vec::new();
            while let Some(older) = left.next() {
                all.push(match left.next() {
                    Some(newer) => Box::new(Merged::new(older, newer)),
                    None => older,
                });
            }
        }
        all.pop().unwrap_or_else(|| Box::new(std::iter::empty()))
    }

    /// The first run's entry of which the first half is this; there must be one only.
    pub fn in_base(&self, first: u64) -> Result<Option<Known>, StoreError> {
        Ok(self.under_in_base(first)?.into_iter().next())
    }

    /// What is known of the keys of which the first half is this, sorted by key.
    pub fn under(&self, first: u64) -> Result<Vec<Known>, StoreError> {
        let mut newest = self.under_in_base(first)?;
        if let Some(overlay) = self.held_overlay()? {
            let from = overlay.partition_point(|known| known.key.first < first);
            let own = overlay[from..].iter();
            newest.extend(own.take_while(|known| known.key.first == first));
        } else {
            for run in &self.runs {
                newest.extend(self.under_in(*run, first)?);
            }
        }
        // Of each key the last that was said.
        newest.reverse();
        newest.sort_by_key(|known| known.key);
        newest.dedup_by_key(|known| known.key);
        newest.retain(|known| !known.is_forgotten());
        Ok(newest)
    }

    fn held_overlay(&self) -> Result<Option<&[Known]>, StoreError> {
        if let Some(known) = self.overlay.known.get() {
            return Ok(Some(known));
        }
        if self.overlay.asked.fetch_add(1, Ordering::Relaxed) < WORTH_ALL_RUNS {
            return Ok(None);
        }
        let known = self.overlay().collect::<Result<Vec<_>, _>>()?;
        Ok(Some(self.overlay.known.get_or_init(|| known)))
    }

    /// The same of the first run alone.
    pub fn under_in_base(&self, first: u64) -> Result<Vec<Known>, StoreError> {
        match &self.base {
            None => Ok(Vec::new()),
            Some(base) => base.find(first),
        }
    }

    fn under_in(&self, run: u64, first: u64) -> Result<Vec<Known>, StoreError> {
        let mut found = Vec::new();
        let Some(engine) = &self.engine else {
            return Ok(found);
        };
        let whole = u64::MAX;
        let (from, mut to) = page_bounds(run, KeyHash { first, whole });
        // Backwards from the last page that may hold one, to the first that begins before them all.
        while let Some((key, page)) = engine.range_back(&from, &to, 1)?.pop() {
            let mut begins_before = false;
            for known in unpack(&page)? {
                begins_before |= known.key.first < first;
                if known.key.first == first {
                    found.push(known);
                }
            }
            if begins_before {
                break;
            }
            to = key;
        }
        found.sort_unstable_by_key(|known| known.key);
        Ok(found)
    }

    /// What is known of a key.
    pub fn get(&self, key: KeyHash) -> Result<Option<Known>, StoreError> {
        for run in self.runs.iter().rev() {
            if let Some(found) = self.in_run(*run, key)? {
                return Ok(Some(found).filter(|known| !known.is_forgotten()));
            }
        }
        let base = self.under_in_base(key.first)?;
        Ok(base.into_iter().find(|known| known.key == key))
    }

    fn in_run(&self, run: u64, key: KeyHash) -> Result<Option<Known>, StoreError> {
        match self.page(run, key)? {
            None => Ok(None),
            Some(page) => Ok(unpack(&page)?.find(|known| known.key == key)),
        }
    }

    /// The page of a run that holds this key if any does.
    fn page(&self, run: u64, key: KeyHash) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(engine) = &self.engine else {
            return Ok(None);
        };
        let (from, after) = page_bounds(run, key);
        let found = engine.range_back(&from, &after, 1)?.pop();
        Ok(found.map(|(_, page)| page))
    }

    fn run(&self, run: u64) -> Run<'_> {
        Run {
            engine: self.engine.as_deref(),
            from: Bound::Included(run_prefix(run)),
            to: run_prefix(run + 1),
            pages: Vec::new().into_iter(),
            page: Vec::new().into_iter(),
        }
    }
}

/// The entries of one run, read in pieces.
struct Run<'a> {
    engine: Option<&'a Engine>,
    from: Bound<Vec<u8>>,
    to: Vec<u8>,
    pages: std::vec::IntoIter<crate::store::engine::Pair>,
    page: std::vec::IntoIter<Known>,
}

impl Run<'_> {
    fn step(&mut self) -> Result<Option<Known>, StoreError> {
        loop {
            if let Some(known) = self.page.next() {
                return Ok(Some(known));
            }
            if let Some((_, page)) = self.pages.next() {
                self.page = unpack(&page)?.collect::<Vec<_>>().into_iter();
                continue;
            }
            let Some(engine) = self.engine else {
                return Ok(None);
            };
            let from = self.from.as_ref().map(Vec::as_slice);
            let pages = engine.range(from, &self.to, RANGE_MAX)?;
            match pages.last() {
                None => self.engine = None,
                Some((key, _)) => self.from = Bound::Excluded(key.clone()),
            }
            self.pages = pages.into_iter();
        }
    }
}

impl Iterator for Run<'_> {
    type Item = Result<Known, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.step().transpose();
        if matches!(item, Some(Err(_))) {
            self.engine = None;
        }
        item
    }
}

/// Without the keys of which nothing is known any longer.
fn known_only(
    entries: impl Iterator<Item = Result<Known, StoreError>>,
) -> impl Iterator<Item = Result<Known, StoreError>> {
    entries.filter(|entry| !matches!(entry, Ok(known) if known.is_forgotten()))
}

/// Two sorted streams as one; of a key that is in both the newer counts. The newer is the shorter by far: most entries are handed on
/// as they come from the older.
struct Merged<A, B> {
    old: A,
    /// What was read of the older and comes after the next of the newer.
    held: Option<Known>,
    new: B,
    next_of_new: Option<Result<Known, StoreError>>,
}

impl<A, B> Merged<A, B>
where
    A: Iterator<Item = Result<Known, StoreError>>,
    B: Iterator<Item = Result<Known, StoreError>>,
{
    fn new(old: A, mut new: B) -> Self {
        Self {
            old,
            held: None,
            next_of_new: new.next(),
            new,
        }
    }

    fn newer(&mut self) -> Option<Result<Known, StoreError>> {
        let next = self.new.next();
        std::mem::replace(&mut self.next_of_new, next)
    }
}

impl<A, B> Iterator for Merged<A, B>
where
    A: Iterator<Item = Result<Known, StoreError>>,
    B: Iterator<Item = Result<Known, StoreError>>,
{
    type Item = Result<Known, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let old = match self.held.take() {
            Some(held) => held,
            None => match self.old.next() {
                Some(Ok(old)) => old,
                Some(Err(error)) => return Some(Err(error)),
                None => return self.newer(),
            },
        };
        match &self.next_of_new {
            None => Some(Ok(old)),
            Some(Ok(new)) if old.key < new.key => Some(Ok(old)),
            Some(Ok(new)) => {
                if old.key != new.key {
                    self.held = Some(old);
                }
                self.newer()
            }
            Some(Err(_)) => self.newer(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::segment::Place;

    fn known(n: u64, canonical: u64) -> Known {
        let key = KeyHash { first: n, whole: n };
        Known::new(key, n, canonical, Place::new(1, n), true)
    }

    static NO_MONTHS: std::sync::LazyLock<Shift> = std::sync::LazyLock::new(Shift::default);

    fn leaving(left: &[Known]) -> Leaving<'static, impl ExactSizeIterator<Item = Known>> {
        Leaving {
            known: left.iter().copied(),
            borne: Gathered::default(),
            months: &NO_MONTHS,
            layout: "l",
            complete: Complete::Same,
        }
    }

    #[test]
    fn all_keys_under_one_half_are_found_in_whatever_run_and_page() {
        let home = tempfile::tempdir().unwrap();
        let trackers = Trackers::new(home.path().join("tracking")).unwrap();
        // Of each half as many keys as its number says: none, one, some pages full.
        let of = |first: u64, canonical: u64| {
            (0..first * 7 % 90).map(move |whole| {
                let key = KeyHash { first, whole };
                Known::new(key, 1, canonical, Place::new(1, canonical), true)
            })
        };
        let all: Vec<Known> = (0..60).flat_map(|first| of(first, 1)).collect();
        let mut expected: BTreeMap<KeyHash, Known> = all.iter().map(|k| (k.key, *k)).collect();
        let mut manifest = trackers
            .write("tax", &Manifest::default(), 1, leaving(&all))
            .unwrap();
        for delivery in 2..5 {
            let mut left: Vec<Known> = of(delivery * 5, delivery).step_by(2).collect();
            left.extend(of(40, delivery).take(3).map(|k| Known::forgotten(k.key)));
            expected.extend(left.iter().map(|known| (known.key, *known)));
            manifest = trackers
                .write("tax", &manifest, delivery, leaving(&left))
                .unwrap();
        }
        let tracker = trackers.of("tax", &manifest).unwrap();
        for first in 0..62 {
            let own = expected.values().filter(|known| known.key.first == first);
            let own: Vec<Known> = own.filter(|known| !known.is_forgotten()).copied().collect();
            assert_eq!(tracker.under(first).unwrap(), own, "{first}");
        }
    }

    #[test]
    fn the_newest_run_counts_and_many_runs_become_one() {
        let home = tempfile::tempdir().unwrap();
        let trackers = Trackers::new(home.path().join("tracking")).unwrap();
        let mut manifest = Manifest::default();
        let mut expected: BTreeMap<u64, Known> = (0..3000).map(|n| (n, known(n, 1))).collect();
        let all: Vec<Known> = expected.values().copied().collect();
        manifest = trackers.write("tax", &manifest, 1, leaving(&all)).unwrap();
        let mut generations = std::collections::BTreeSet::new();
        for delivery in 2..60 {
            let left: Vec<Known> = (0..30)
                .map(|n| n * 100 + delivery)
                .map(|n| known(n, delivery))
                .collect();
            expected.extend(left.iter().map(|known| (known.key.first, *known)));
            // Written twice, as after a kill.
            trackers
                .write("tax", &manifest, delivery, leaving(&left[..3]))
                .unwrap();
            let before = manifest.clone();
            manifest = trackers
                .write("tax", &manifest, delivery, leaving(&left))
                .unwrap();
            let now = trackers.of("tax", &manifest).unwrap();
            let then = trackers.of("tax", &before).unwrap();
            assert!(
                now.all().map(Result::unwrap).eq(expected.values().copied()),
                "{delivery}"
            );
            assert_ne!(
                then.get(left[0].key).unwrap(),
                Some(left[0]),
                "what stood before"
            );
            assert_eq!(now.get(left[0].key).unwrap(), Some(left[0]));
            assert_eq!(now.get(KeyHash { first: 2, whole: 9 }).unwrap(), None);
            trackers.sweep("tax", &manifest).unwrap();
            generations.insert(manifest.generation);
            assert_eq!(
                fs::read_dir(home.path().join("tracking")).unwrap().count(),
                1
            );
        }
        assert!((3..6).contains(&generations.len()), "{generations:?}");
        assert_eq!(manifest.records, expected.len() as u64);
    }

    #[test]
    fn a_folder_that_was_let_go_of_while_it_is_read_can_be_used_again() {
        let home = tempfile::tempdir().unwrap();
        let trackers = Trackers::new(home.path().join("tracking")).unwrap();
        let all = (0..100).map(|n| known(n, 1));
        let all = all.collect::<Vec<_>>();
        let manifest = trackers
            .write("tax", &Manifest::default(), 1, leaving(&all))
            .unwrap();
        let reader = trackers.of("tax", &manifest).unwrap();
        let mut walk = reader.all();
        assert_eq!(walk.next().unwrap().unwrap(), all[0]);
        for _ in 0..3 {
            trackers.close("tax");
            let other = trackers.of("tax", &manifest).unwrap();
            assert_eq!(other.get(all[7].key).unwrap(), Some(all[7]));
        }
        // A new generation while the old one is still read.
        let next = trackers.write("tax", &manifest, 2, leaving(&all)).unwrap();
        trackers.sweep("tax", &next).unwrap();
        assert_eq!(walk.count(), 99);
        drop(reader);
        let now = trackers.of("tax", &next).unwrap();
        assert_eq!(now.all().count(), 100);
    }

    #[test]
    fn names_of_folders_stay_apart() {
        for name in ["税务", "../x", "a/b", "A", "", &"a".repeat(65)] {
            let folder = folder_name(name);
            assert!(
                folder.starts_with('_') && folder.len() == 33,
                "{name} {folder}"
            );
        }
        assert_eq!(folder_name("market-regulation"), "market-regulation");
    }
}
