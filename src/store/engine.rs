//! Ordered byte keys. The only file that names sled 0.34.7.
//!
//! The interface is what a table of a database on another machine can give too: `get`, a bounded range, an atomic batch with
//! preconditions, a barrier, an export; no closures. What the rest of the store relies on:
//!
//! - One tree. Cost on disk grows with the number of trees; prefixes do the same work.
//! - A batch is atomic also when the process is killed. Whoever loads many rows cuts them into batches of at most [`BATCH_MAX`],
//!   because a batch holds off every reader of the process while it runs.
//! - What was written may be lost by a kill until the next [`Engine::barrier`] (sled writes its buffer out twice a second), but
//!   only from the end: what is left is what stood at some earlier moment.
//! - Values stay below 4 KiB ([`crate::store::rows`] cuts longer ones): greater pages go to files of their own that are never synced.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::store::StoreError;

/// How many keys a piece of a range holds at most: no lock is held while the caller works on it.
pub const RANGE_MAX: usize = 256;

/// How many operations a batch of a bulk load holds at most.
pub const BATCH_MAX: usize = 500;

/// A hint, not a limit: measured, less cache costs more memory and twice the time.
const CACHE_BYTES: u64 = 96 * 1024 * 1024;

/// For folders of small pages.
const SMALL_CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// Without the flusher a kill would lose everything since the last barrier, and memory grows fivefold.
const FLUSH_EVERY_MS: Option<u64> = Some(500);

/// What lies in folders of small pages is unseen before a barrier, and who loads much flushes now and then. A flusher would only
/// move pages about on the disk: the more of them, the longer a folder is open.
const SMALL_FLUSH_EVERY_MS: Option<u64> = None;

/// A closed index stays locked for a moment longer: a process started just then has a copy of the lock until it runs its own
/// program. A lock that is really held is told a quarter of a second later.
const LOCK_TRIES: u32 = 10;

/// Between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// A key with its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Operations that are done whole or not at all, in the order of keys.
#[derive(Debug, Default)]
pub struct WriteBatch {
    ops: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    expected: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl WriteBatch {
    /// Sets a key.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.ops.insert(key, Some(value));
    }

    /// Removes a key.
    pub fn delete(&mut self, key: Vec<u8>) {
        self.ops.insert(key, None);
    }

    /// Only when this key holds this value (`None`: is not there) is anything written.
    pub fn expect(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.expected.push((key, value));
    }

    /// How many operations it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }
}

/// The index on disk. One process at a time.
pub struct Engine {
    tree: sled::Db,
    /// A second handle on sled's own file: its `flush` does not reach the disk, a sync of the same file does.
    file: File,
    /// Preconditions are read and the batch written under this.
    writing: Mutex<()>,
}

/// A folder that stays closed and that nobody else can open meanwhile.
#[derive(Debug)]
pub struct Hold {
    /// The file that sled locks.
    _file: File,
}

impl std::fmt::Debug for Engine {
    // sled would print every key and value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

fn damaged(text: impl Into<String>) -> StoreError {
    StoreError::Damaged {
        what: "索引".to_owned(),
        text: text.into(),
    }
}

fn translate(what: &str, error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(source) => StoreError::Io {
            what: what.to_owned(),
            source,
        },
        sled::Error::Corruption { at, .. } => damaged(format!("{what}：校验不符（位置{at:?}）")),
        sled::Error::CollectionNotFound(_) => damaged(format!("{what}：缺少数据表")),
        sled::Error::Unsupported(text) | sled::Error::ReportableBug(text) => {
            damaged(format!("{what}：{text}"))
        }
    }
}

impl Engine {
    /// Opens or makes the folder.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process (or another handle of this one) has it; [`StoreError::Damaged`] when sled can
    /// not make sense of its files.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_with(folder, CACHE_BYTES, FLUSH_EVERY_MS)
    }

    /// Opens or makes one that is read from end to end now and then: little is kept in memory, and what is written reaches the
    /// disk with [`Self::flush`] or [`Self::barrier`] only.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_small(folder: &Path) -> Result<Self, StoreError> {
        Self::open_with(folder, SMALL_CACHE_BYTES, SMALL_FLUSH_EVERY_MS)
    }

    /// Takes the lock of a folder and leaves it closed: opening alone makes sled write half a mebibyte. `None`: there is none, or
    /// somebody has it; who opens it learns which.
    #[must_use]
    pub fn hold(folder: &Path) -> Option<Hold> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(folder.join("db"))
            .ok()?;
        file.try_lock().ok()?;
        Some(Hold { _file: file })
    }

    /// As [`Self::hold`], when whoever just closed it needs a moment.
    #[must_use]
    pub fn hold_soon(folder: &Path) -> Option<Hold> {
        for _ in 1..LOCK_TRIES {
            if let Some(hold) = Self::hold(folder) {
                return Some(hold);
            }
            std::thread::sleep(LOCK_PAUSE);
        }
        Self::hold(folder)
    }

    fn open_with(
        folder: &Path,
        cache: u64,
        flush_every_ms: Option<u64>,
    ) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|source| StoreError::Io {
            what: format!("建立目录{}", folder.display()),
            source,
        })?;
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(cache)
            .flush_every_ms(flush_every_ms);
        remove_unfinished(folder);
        let mut tries = LOCK_TRIES;
        let tree = loop {
            match open_sled(&config, folder) {
                Err(StoreError::Locked { .. }) if tries > 1 => {
                    tries -= 1;
                    std::thread::sleep(LOCK_PAUSE);
                }
                other => break other?,
            }
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(folder.join("db"))
            .map_err(|source| StoreError::Io {
                what: "打开索引文件".to_owned(),
                source,
            })?;
        Ok(Self {
            tree,
            file,
            writing: Mutex::new(()),
        })
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.tree
            .get(key)
            .map(|value| value.map(|value| value.to_vec()))
            .map_err(|error| translate("读取索引", error))
    }

    /// At most `limit` keys (and never more than [`RANGE_MAX`]) from `from` up to and without `to`, in order.
    pub fn range(
        &self,
        from: Bound<&[u8]>,
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        self.tree
            .range::<&[u8], _>((from, Bound::Excluded(to)))
            .take(limit.min(RANGE_MAX))
            .map(pair)
            .collect()
    }

    /// As [`Self::range`], backwards: at most `limit` keys from below `to` down to `from`.
    pub fn range_back(
        &self,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        self.tree
            .range::<&[u8], _>((Bound::Included(from), Bound::Excluded(to)))
            .rev()
            .take(limit.min(RANGE_MAX))
            .map(pair)
            .collect()
    }

    /// Writes a batch, whole or not at all. `false`: a precondition does not hold, and nothing was written.
    pub fn write(&self, batch: WriteBatch) -> Result<bool, StoreError> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in &batch.expected {
            if self.get(key)? != *value {
                return Ok(false);
            }
        }
        let mut ops = sled::Batch::default();
        for (key, value) in batch.ops {
            match value {
                Some(value) => ops.insert(key, value),
                None => ops.remove(key),
            }
        }
        self.tree
            .apply_batch(ops)
            .map_err(|error| translate("写入索引", error))?;
        Ok(true)
    }

    /// Sets keys one after another in their order, not all or none: for what nobody sees yet. A batch reaches sled's pages in the
    /// order of a hash table, which leaves many of them so thin that whoever reads them next joins them and writes them again.
    pub fn load(&self, batch: WriteBatch) -> Result<(), StoreError> {
        for (key, value) in batch.ops {
            match value {
                Some(value) => self.tree.insert(key, value),
                None => self.tree.remove(key),
            }
            .map_err(|error| translate("写入索引", error))?;
        }
        Ok(())
    }

    /// Hands everything written before to the operating system.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.tree
            .flush()
            .map(|_| ())
            .map_err(|error| translate("写入索引", error))
    }

    /// Returns when everything written before is on the disk.
    pub fn barrier(&self) -> Result<(), StoreError> {
        self.flush()?;
        self.file.sync_data().map_err(|source| StoreError::Io {
            what: "同步索引".to_owned(),
            source,
        })
    }
}

/// Removes snapshots that a killed process had begun to write. sled takes the newest of all for whole and then calls the folder
/// damaged; the one before it and the log have everything.
fn remove_unfinished(folder: &Path) {
    // Who has the folder open may be writing one.
    let Some(_hold) = Engine::hold(folder) else {
        return;
    };
    let Ok(items) = fs::read_dir(folder) else {
        return;
    };
    for path in items.filter_map(|item| Some(item.ok()?.path())) {
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with("snap.") && name.ends_with(".generating")) {
            let removed = fs::remove_file(&path);
            tracing::debug!(?removed, ?path, "unfinished snapshot");
        }
    }
}

fn open_sled(config: &sled::Config, folder: &Path) -> Result<sled::Db, StoreError> {
    // sled asserts what it expects of its files; on damaged ones that is a panic, which must not take the daemon along.
    catch_unwind(AssertUnwindSafe(|| config.open()))
        .map_err(|_| damaged(format!("打开{}时存储引擎中止", folder.display())))?
        .map_err(|error| match error {
            sled::Error::Io(source) if is_lock(&source) => StoreError::Locked {
                path: folder.to_owned(),
            },
            other => translate("打开索引", other),
        })
}

fn pair(item: sled::Result<(sled::IVec, sled::IVec)>) -> Result<Pair, StoreError> {
    item.map(|(key, value)| (key.to_vec(), value.to_vec()))
        .map_err(|error| translate("读取索引", error))
}

/// sled tells a held lock from other failures only by this text.
fn is_lock(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
        || error.to_string().contains("could not acquire lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(rows: &[(&str, Option<&str>)]) -> WriteBatch {
        let mut batch = WriteBatch::default();
        for (key, value) in rows {
            match value {
                Some(value) => batch.put(key.as_bytes().to_vec(), value.as_bytes().to_vec()),
                None => batch.delete(key.as_bytes().to_vec()),
            }
        }
        batch
    }

    fn keys(pairs: &[Pair]) -> Vec<String> {
        pairs
            .iter()
            .map(|(key, _)| String::from_utf8_lossy(key).into_owned())
            .collect()
    }

    /// How many keys there are.
    fn all(engine: &Engine) -> usize {
        let mut from = Bound::Unbounded;
        let mut count = 0;
        loop {
            let after = from.as_ref().map(Vec::as_slice);
            let pairs = engine.range(after, &[u8::MAX], RANGE_MAX).unwrap();
            let Some((last, _)) = pairs.last() else {
                return count;
            };
            count += pairs.len();
            from = Bound::Excluded(last.clone());
        }
    }

    #[test]
    fn ranges_are_bounded_and_ordered() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(folder.path()).unwrap();
        engine
            .write(batch(&[
                ("b", Some("2")),
                ("a", Some("1")),
                ("c", Some("3")),
                ("d", Some("4")),
            ]))
            .unwrap();
        engine.write(batch(&[("c", None)])).unwrap();
        let forward = engine.range(Bound::Excluded(b"a"), b"e", 9).unwrap();
        assert_eq!(keys(&forward), ["b", "d"]);
        assert_eq!(
            keys(&engine.range(Bound::Included(b"a"), b"d", 1).unwrap()),
            ["a"]
        );
        assert_eq!(keys(&engine.range_back(b"a", b"d", 9).unwrap()), ["b", "a"]);
        assert_eq!(all(&engine), 3);
        assert_eq!(engine.get(b"d").unwrap(), Some(b"4".to_vec()));
        assert_eq!(engine.get(b"c").unwrap(), None);
    }

    #[test]
    fn a_failed_precondition_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(folder.path()).unwrap();
        engine.write(batch(&[("a", Some("1"))])).unwrap();
        for (expected, written) in [
            (None, false),
            (Some(b"2".to_vec()), false),
            (Some(b"1".to_vec()), true),
        ] {
            let mut next = batch(&[("a", Some("9")), ("b", Some("9"))]);
            next.expect(b"a".to_vec(), expected);
            assert_eq!(engine.write(next).unwrap(), written);
            assert_eq!(engine.get(b"b").unwrap().is_some(), written);
        }
    }

    #[test]
    fn a_second_handle_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = Engine::open(folder.path()).unwrap();
        first.write(batch(&[("a", Some("1"))])).unwrap();
        first.barrier().unwrap();
        assert!(matches!(
            Engine::open(folder.path()),
            Err(StoreError::Locked { .. })
        ));
        assert!(Engine::hold(folder.path()).is_none());
        drop(first);
        let hold = Engine::hold(folder.path()).unwrap();
        assert!(matches!(
            Engine::open(folder.path()),
            Err(StoreError::Locked { .. })
        ));
        drop(hold);
        assert!(Engine::open(folder.path()).is_ok());
        assert!(Engine::hold(&folder.path().join("none")).is_none());
    }

    #[test]
    fn a_snapshot_that_was_broken_off_is_no_damage() {
        let folder = tempfile::tempdir().unwrap();
        let last = folder.path().join("snap.0000000000FFFFFF.generating");
        for (round, half) in [&b""[..], b"half a snapshot"].into_iter().enumerate() {
            let engine = Engine::open(folder.path()).unwrap();
            let key = format!("{round}");
            engine.write(batch(&[(key.as_str(), Some("1"))])).unwrap();
            engine.barrier().unwrap();
            drop(engine);
            fs::write(&last, half).unwrap();
            let engine = Engine::open(folder.path()).unwrap();
            assert_eq!(engine.get(key.as_bytes()).unwrap(), Some(b"1".to_vec()));
            assert!(!last.exists());
            // Whoever is in may be writing it.
            fs::write(&last, half).unwrap();
            assert!(Engine::open(folder.path()).is_err());
            assert!(last.exists());
            drop(engine);
        }
    }

    #[test]
    fn what_was_loaded_is_not_written_again_by_reading_it() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open_small(folder.path()).unwrap();
        for n in 0..8_u32 {
            let mut batch = WriteBatch::default();
            for key in n * 500..(n + 1) * 500 {
                batch.put(key.to_be_bytes().to_vec(), vec![7; 900]);
            }
            engine.load(batch).unwrap();
        }
        engine.barrier().unwrap();
        let lsn = || std::fs::read(folder.path().join("db")).unwrap();
        let before = lsn();
        assert_eq!(all(&engine), 4000);
        engine.barrier().unwrap();
        assert!(lsn() == before, "reading wrote");
    }
}
