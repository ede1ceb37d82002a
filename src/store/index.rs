//! Whole values under ordered keys: cuts long ones on the way in, joins them on the way out, scans in pieces.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::vec;

use serde::de::DeserializeOwned;

use crate::store::StoreError;
use crate::store::archive::{folder_bytes, io, remove_folder, sync_folder};
use crate::store::compaction::Rewritten;
use crate::store::engine::{BATCH_MAX, Engine, Pair, RANGE_MAX, WriteBatch};
use crate::store::fault::{Point, reach};
use crate::store::journal::Place;
use crate::store::keys;
use crate::store::rows::{self, Head};

/// How often a value that changes under the reader is read again.
const READ_AGAIN: usize = 100;

/// Values to be written together; `None` removes.
pub type Rows = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The index. Its engine is another one once it was written anew; nobody notices, for nobody keeps it between two calls.
#[derive(Debug)]
pub struct Index {
    folder: PathBuf,
    /// `None` when it could not be opened again.
    engine: RwLock<Option<Engine>>,
}

/// Reads JSON of a value.
pub fn json<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::Damaged {
        what: "索引".to_owned(),
        text: format!("{what}无法读取：{error}"),
    })
}

impl Index {
    /// Opens or makes it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let engine = Engine::open(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            engine: RwLock::new(Some(engine)),
        })
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        match engine.as_ref() {
            Some(engine) => work(engine),
            None => Err(StoreError::Locked {
                path: self.folder.clone(),
            }),
        }
    }

    /// Every key of the engine with its value, pieces apart, in order. Nothing is held between two steps.
    pub fn export(&self) -> Pairs<'_> {
        Pairs::new(self, Bound::Unbounded, keys::beyond_all())
    }

    /// Writes everything into a fresh folder beside this one and puts that in its place. Whoever writes must wait until this is
    /// done; readers wait for the last step only. Killed anywhere, one of the two folders is there, whole.
    pub fn compact(&self) -> Result<Rewritten, StoreError> {
        let fresh = fresh_folder(&self.folder);
        remove_folder(&fresh)?;
        let before = folder_bytes(&self.folder)?;
        let engine = Engine::open_small(&fresh)?;
        let copied = self.copy_into(&engine)?;
        engine.barrier()?;
        drop(engine);
        sync_folder(&fresh)?;
        let found = Self::open(&fresh)?.tally()?;
        if found != copied {
            return Err(StoreError::Damaged {
                what: format!("整理后的索引{}", fresh.display()),
                text: "与整理前的内容不符，未予采用".to_owned(),
            });
        }
        reach(Point::Rewritten);
        let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        drop(engine.take());
        let swapped = swap(&fresh, &self.folder);
        *engine = Some(Engine::open(&self.folder)?);
        drop(engine);
        swapped?;
        remove_folder(&fresh)?;
        Ok(Rewritten {
            before,
            after: folder_bytes(&self.folder)?,
            logical: copied.bytes,
        })
    }

    /// How large it is; nothing is written.
    pub fn sizes(&self) -> Result<Rewritten, StoreError> {
        let bytes = folder_bytes(&self.folder)?;
        Ok(Rewritten {
            before: bytes,
            after: bytes,
            logical: self.tally()?.bytes,
        })
    }

    fn copy_into(&self, engine: &Engine) -> Result<Tally, StoreError> {
        let mut tally = Tally::default();
        let mut batch = WriteBatch::default();
        for pair in self.export() {
            let (key, value) = pair?;
            tally.add(&key, &value);
            batch.put(key, value);
            if batch.len() >= BATCH_MAX {
                engine.load(std::mem::take(&mut batch))?;
                engine.flush()?;
            }
        }
        engine.load(batch)?;
        Ok(tally)
    }

    fn tally(&self) -> Result<Tally, StoreError> {
        let mut tally = Tally::default();
        for pair in self.export() {
            let (key, value) = pair?;
            tally.add(&key, &value);
        }
        Ok(tally)
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.with(|engine| engine.get(key))? {
            None => Ok(None),
            Some(row) => self.join(key, row),
        }
    }

    /// The value of a head row. Its pieces may be replaced meanwhile; the checksum tells, and the head is read again.
    fn join(&self, key: &[u8], row: Vec<u8>) -> Result<Option<Vec<u8>>, StoreError> {
        let mut row = row;
        for _ in 0..READ_AGAIN {
            let (pieces, sum) = match rows::head(row)? {
                Head::Whole(value) => return Ok(Some(value)),
                Head::Cut(pieces, sum) => (pieces, sum),
            };
            let mut value = Vec::new();
            for number in 0..pieces {
                if let Some(piece) = self.with(|engine| engine.get(&keys::piece(key, number)))? {
                    value.extend_from_slice(&piece);
                }
            }
            if xxhash_rust::xxh3::xxh3_64(&value) == sum {
                return Ok(Some(value));
            }
            match self.with(|engine| engine.get(key))? {
                None => return Ok(None),
                Some(again) => row = again,
            }
        }
        Err(StoreError::Damaged {
            what: "索引".to_owned(),
            text: format!("{}的分段与校验和不符", key.escape_ascii()),
        })
    }

    /// The value of a key as JSON.
    pub fn get_json<T: DeserializeOwned>(
        &self,
        what: &str,
        key: &[u8],
    ) -> Result<Option<T>, StoreError> {
        self.get(key)?.map(|value| json(what, &value)).transpose()
    }

    /// Every key with this prefix, in order, as the rest of the key and the value. Nothing is held between two steps.
    pub fn scan(&self, prefix: Vec<u8>) -> Scan<'_> {
        let to = keys::end_of(&prefix);
        Scan {
            skip: prefix.len(),
            pairs: Pairs::new(self, Bound::Included(prefix), to),
        }
    }

    /// The rests of the last keys with this prefix below `to`, newest first, at most `limit`.
    pub fn last_keys(
        &self,
        prefix: &[u8],
        to: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let to = to.unwrap_or_else(|| keys::end_of(prefix));
        let pairs = self.with(|engine| engine.range_back(prefix, &to, limit))?;
        Ok(pairs
            .into_iter()
            .map(|(key, _)| key[prefix.len()..].to_vec())
            .collect())
    }

    /// Writes values in one atomic batch. With `before`, only when the last journal entry in the index is still that one.
    pub fn write(&self, rows: Rows, before: Option<Place>) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        if let Some(place) = before {
            let row = (place.seq > 0).then(|| rows::cut(&[], rows::place(&place)).0);
            batch.expect(keys::APPLIED.into(), row);
        }
        for (key, value) in rows {
            let old = rows::pieces_of(self.with(|engine| engine.get(&key))?.as_deref());
            let new = put(&mut batch, key.clone(), value);
            for number in new..old {
                batch.delete(keys::piece(&key, number));
            }
        }
        self.finish(batch)
    }

    fn finish(&self, batch: WriteBatch) -> Result<(), StoreError> {
        if batch.is_empty() || self.with(|engine| engine.write(batch))? {
            return Ok(());
        }
        Err(StoreError::Damaged {
            what: "索引".to_owned(),
            text: "已登记的日志位置在提交期间改变".to_owned(),
        })
    }

    /// Returns when everything written before is on the disk.
    pub fn barrier(&self) -> Result<(), StoreError> {
        self.with(Engine::barrier)
    }

    /// The last journal entry in the index.
    pub fn applied(&self) -> Result<Place, StoreError> {
        match self.get(keys::APPLIED.as_bytes())? {
            None => Ok(Place::default()),
            Some(row) => rows::read_place(&row),
        }
    }
}

/// What stands in an index, by number, length and checksum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    pairs: u64,
    bytes: u64,
    sum: u64,
}

impl Tally {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.pairs += 1;
        self.bytes += (key.len() + value.len()) as u64;
        // In their order.
        self.sum = xxhash_rust::xxh3::xxh3_64_with_seed(key, self.sum);
        self.sum = xxhash_rust::xxh3::xxh3_64_with_seed(value, self.sum);
    }
}

/// Where an index is written anew.
fn fresh_folder(folder: &Path) -> PathBuf {
    folder.with_extension("new")
}

/// Removes what a killed process left of an index written anew: either it was not whole, or it is the old one.
pub fn remove_fresh(folder: &Path) -> Result<(), StoreError> {
    remove_folder(&fresh_folder(folder))
}

/// Two closed folders change places. Both stay locked meanwhile: whoever starts just then is told that they are in use.
fn swap(fresh: &Path, folder: &Path) -> Result<(), StoreError> {
    let what = || format!("以整理后的索引替换{}", folder.display());
    let held = (Engine::hold_soon(folder), Engine::hold_soon(fresh));
    let (Some(_old), Some(_new)) = held else {
        return Err(StoreError::Locked {
            path: folder.to_owned(),
        });
    };
    let (cwd, exchange) = (rustix::fs::CWD, rustix::fs::RenameFlags::EXCHANGE);
    rustix::fs::renameat_with(cwd, fresh, cwd, folder, exchange)
        .map_err(|error| io(what())(error.into()))?;
    if let Some(parent) = folder.parent() {
        sync_folder(parent)?;
    }
    reach(Point::Swapped);
    Ok(())
}

/// Adds a value with its pieces; how many pieces it has.
fn put(batch: &mut WriteBatch, key: Vec<u8>, value: Option<Vec<u8>>) -> u32 {
    let Some(value) = value else {
        batch.delete(key);
        return 0;
    };
    let (head, pieces) = rows::cut(&key, value);
    let mut count = 0;
    for (key, piece) in pieces {
        batch.put(key, piece);
        count += 1;
    }
    batch.put(key, head);
    count
}

/// A walk over keys and values as the engine has them, read in pieces. After an error there is nothing more.
#[derive(Debug)]
pub struct Pairs<'a> {
    index: &'a Index,
    from: Bound<Vec<u8>>,
    to: Vec<u8>,
    read: vec::IntoIter<Pair>,
    done: bool,
}

impl<'a> Pairs<'a> {
    fn new(index: &'a Index, from: Bound<Vec<u8>>, to: Vec<u8>) -> Self {
        Self {
            index,
            from,
            to,
            read: Vec::new().into_iter(),
            done: false,
        }
    }

    fn more(&mut self) -> Result<(), StoreError> {
        let from = self.from.as_ref().map(Vec::as_slice);
        let pairs = self
            .index
            .with(|engine| engine.range(from, &self.to, RANGE_MAX))?;
        match pairs.last() {
            None => self.done = true,
            Some((key, _)) => self.from = Bound::Excluded(key.clone()),
        }
        self.read = pairs.into_iter();
        Ok(())
    }
}

impl Iterator for Pairs<'_> {
    type Item = Result<Pair, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            if let Some(pair) = self.read.next() {
                return Some(Ok(pair));
            }
            if let Err(error) = self.more() {
                self.done = true;
                return Some(Err(error));
            }
        }
        None
    }
}

/// A walk over the keys of a prefix with whole values.
#[derive(Debug)]
pub struct Scan<'a> {
    pairs: Pairs<'a>,
    skip: usize,
}

impl Scan<'_> {
    fn step(&mut self) -> Result<Option<Pair>, StoreError> {
        while let Some(pair) = self.pairs.next() {
            let (mut key, row) = pair?;
            // Removed between the two reads: as if it had not been there.
            if let Some(value) = self.pairs.index.join(&key, row)? {
                key.drain(..self.skip);
                return Ok(Some((key, value)));
            }
        }
        Ok(None)
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Pair, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.step().transpose();
        self.pairs.done |= matches!(item, Some(Err(_)));
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(items: &[(&str, Option<usize>)]) -> Rows {
        items
            .iter()
            .map(|(key, len)| {
                (
                    key.as_bytes().to_vec(),
                    len.map(|len| vec![u8::try_from(len % 251).unwrap(); len]),
                )
            })
            .collect()
    }

    #[test]
    fn long_values_grow_and_shrink_without_leaving_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        for len in [Some(300_000), Some(9_000), Some(10), Some(20_000), None] {
            index.write(rows(&[("k/a", len)]), None).unwrap();
            assert_eq!(index.get(b"k/a").unwrap().map(|v| v.len()), len);
            let expected = match len {
                None => 0,
                Some(len) if len > rows::ROW_MAX_BYTES => 1 + len.div_ceil(rows::ROW_MAX_BYTES),
                Some(_) => 1,
            };
            assert_eq!(index.export().count(), expected, "{len:?}");
        }
        index.barrier().unwrap();
        assert!(
            std::fs::read_dir(folder.path().join("blobs")).map_or(0, Iterator::count) == 0,
            "sled wrote files it does not sync"
        );
    }

    #[test]
    fn scans_join_pieces_and_see_writes_of_the_same_thread() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        for n in 0..600 {
            let len = if n % 100 == 0 { 9_000 } else { 3 };
            index
                .write(rows(&[(&format!("k/{n:04}"), Some(len))]), None)
                .unwrap();
        }
        let mut seen = 0;
        for item in index.scan(b"k/".to_vec()) {
            let (key, value) = item.unwrap();
            assert_eq!(key, format!("{seen:04}").as_bytes());
            assert_eq!(value.len(), if seen % 100 == 0 { 9_000 } else { 3 });
            index.write(rows(&[("v/x", Some(seen))]), None).unwrap();
            seen += 1;
        }
        assert_eq!(seen, 600);
        assert_eq!(
            index.last_keys(b"k/", None, 2).unwrap(),
            [b"0599".to_vec(), b"0598".to_vec()]
        );
    }
}
