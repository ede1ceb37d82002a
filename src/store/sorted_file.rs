//! Sorted items of one size in a file that is written once: in blocks that carry a checksum, and read from front to back or by a
//! search that guesses the block.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | what kind of items, and the version of the layout |
//! | 8 | how many items |
//! | 8 | checksum of the sixteen before |
//! | 4096 (the last: fewer) | a block: items in it (4), checksum (8), the items as each kind writes them |
//!
//! Numbers of the layout itself are little-endian.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::marker::PhantomData;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64;

use crate::store::StoreError;
use crate::store::archive::io;

/// Bytes before the first block.
const HEAD: usize = 24;
/// Bytes of a whole block.
const BLOCK: usize = 4096;
/// Number of items and checksum.
const BLOCK_HEAD: usize = 12;
/// Blocks that are read at once from front to back.
const STRIDE: u64 = 16;
/// How often the place of a block is guessed before it is halved in on: hashes are spread evenly.
const GUESSES: u32 = 4;
/// Whoever looks up so much, and one in sixteen blocks, is told where each block begins: that takes a short read of each.
const WORTH_A_GUIDE: u64 = 256;
/// A file of so many blocks (one mebibyte) is held as a whole then.
const SMALL: u64 = 256;

/// What such a file holds.
pub trait Item: Copy {
    /// What files of them begin with.
    const MAGIC: &'static [u8; 8];
    /// What they are called where a file is damaged.
    const TITLE: &'static str;
    /// Bytes of one.
    const BYTES: usize;

    /// What they are sorted by first.
    fn hash(&self) -> u64;

    /// Appends its bytes.
    fn put(&self, bytes: &mut Vec<u8>);

    /// Reads what [`Self::put`] wrote.
    fn take(bytes: &[u8]) -> Option<Self>;
}

/// Items of a whole block.
const fn per_block<T: Item>() -> usize {
    (BLOCK - BLOCK_HEAD) / T::BYTES
}

/// Writes a file and puts it on the disk; how many items it holds. What stood there was never seen.
///
/// # Errors
/// The disk's, and the first of `items`.
pub fn write<T: Item>(
    path: &Path,
    items: impl Iterator<Item = Result<T, StoreError>>,
) -> Result<u64, StoreError> {
    let what = || io(format!("写入{}{}", T::TITLE, path.display()));
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(what())?;
    let mut out = BufWriter::with_capacity(64 * BLOCK, file);
    out.write_all(&[0; HEAD]).map_err(what())?;
    let mut body = Vec::with_capacity(BLOCK);
    let (mut all, mut here) = (0_u64, 0_u32);
    let mut end = |body: &mut Vec<u8>, here: &mut u32, is_whole: bool| {
        all += u64::from(*here);
        out.write_all(&here.to_le_bytes())?;
        out.write_all(&xxh3_64(body).to_le_bytes())?;
        if is_whole {
            body.resize(BLOCK - BLOCK_HEAD, 0);
        }
        out.write_all(body)?;
        body.clear();
        *here = 0;
        Ok(())
    };
    for item in items {
        item?.put(&mut body);
        here += 1;
        if here as usize == per_block::<T>() {
            end(&mut body, &mut here, true).map_err(what())?;
        }
    }
    if here > 0 {
        end(&mut body, &mut here, false).map_err(what())?;
    }
    let file = out
        .into_inner()
        .map_err(|error| what()(error.into_error()))?;
    file.write_all_at(&head::<T>(all), 0).map_err(what())?;
    file.sync_all().map_err(what())?;
    Ok(all)
}

fn head<T: Item>(items: u64) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(T::MAGIC);
    head[8..16].copy_from_slice(&items.to_le_bytes());
    let sum = xxh3_64(&head[..16]);
    head[16..].copy_from_slice(&sum.to_le_bytes());
    head
}

/// Removes a file that was never seen.
///
/// # Errors
/// The disk's.
pub fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(io(format!("删除{}", path.display()))(error))
        }
        _ => Ok(()),
    }
}

/// A file of sorted items, open for reading.
#[derive(Debug)]
pub struct SortedFile<T> {
    path: PathBuf,
    file: File,
    items: u64,
    blocks: u64,
    length: u64,
    /// How often something was looked up.
    asked: AtomicU64,
    guide: OnceLock<Vec<u64>>,
    items_held: OnceLock<Vec<T>>,
    kind: PhantomData<T>,
}

impl<T: Item> SortedFile<T> {
    /// Opens a file.
    ///
    /// # Errors
    /// The disk's; [`StoreError::Damaged`] when it holds something else, or not all of it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let what = || io(format!("打开{}{}", T::TITLE, path.display()));
        let file = File::open(path).map_err(what())?;
        let length = file.metadata().map_err(what())?.len();
        let mut found = [0; HEAD];
        let items = file.read_exact_at(&mut found, 0).is_ok().then(|| {
            let mut items = [0; 8];
            items.copy_from_slice(&found[8..16]);
            u64::from_le_bytes(items)
        });
        let items = items
            .filter(|items| head::<T>(*items) == found)
            .ok_or_else(|| Self::damaged(path, "文件头不符"))?;
        let per_block = per_block::<T>() as u64;
        let blocks = items.div_ceil(per_block);
        let rest = match items % per_block {
            0 => 0,
            rest => BLOCK_HEAD as u64 + rest * T::BYTES as u64,
        };
        let wanted = (items / per_block)
            .checked_mul(BLOCK as u64)
            .and_then(|whole| whole.checked_add(HEAD as u64 + rest));
        if wanted != Some(length) {
            return Err(Self::damaged(path, "文件长度不符"));
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            items,
            blocks,
            length,
            asked: AtomicU64::new(0),
            guide: OnceLock::new(),
            items_held: OnceLock::new(),
            kind: PhantomData,
        })
    }

    /// How many items it holds.
    pub const fn items(&self) -> u64 {
        self.items
    }

    fn damaged(path: &Path, text: &str) -> StoreError {
        StoreError::Damaged {
            what: format!("{}{}", T::TITLE, path.display()),
            text: text.to_owned(),
        }
    }

    fn unread(&self, error: std::io::Error) -> StoreError {
        io(format!("读取{}{}", T::TITLE, self.path.display()))(error)
    }

    /// Adds the items of `many` blocks from `at` on.
    fn read(&self, at: u64, many: u64, items: &mut Vec<T>) -> Result<(), StoreError> {
        let from = HEAD as u64 + at * BLOCK as u64;
        let length = (many * BLOCK as u64).min(self.length - from);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.file
            .read_exact_at(&mut bytes, from)
            .map_err(|error| self.unread(error))?;
        for (block, bytes) in (at..).zip(bytes.chunks(BLOCK)) {
            let body = checked::<T>(bytes).ok_or_else(|| {
                Self::damaged(&self.path, &format!("第{}段的校验和不符", block + 1))
            })?;
            items.extend(body.chunks_exact(T::BYTES).filter_map(T::take));
        }
        Ok(())
    }

    /// Reads one block into `bytes`; what of it are items.
    fn body<'b>(&self, at: u64, bytes: &'b mut [u8; BLOCK]) -> Result<&'b [u8], StoreError> {
        let from = HEAD as u64 + at * BLOCK as u64;
        let length = (BLOCK as u64).min(self.length - from);
        let bytes = &mut bytes[..usize::try_from(length).unwrap_or(0)];
        self.file
            .read_exact_at(bytes, from)
            .map_err(|error| self.unread(error))?;
        checked::<T>(bytes)
            .ok_or_else(|| Self::damaged(&self.path, &format!("第{}段的校验和不符", at + 1)))
    }

    /// The hash with which each block begins, once so much was looked up that it is worth knowing them. They only say where to look:
    /// what is read is checked.
    fn guide(&self) -> Result<Option<&[u64]>, StoreError> {
        if let Some(guide) = self.guide.get() {
            return Ok(Some(guide));
        }
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        if asked < WORTH_A_GUIDE.max(self.blocks / 16) {
            return Ok(None);
        }
        let mut guide = Vec::with_capacity(usize::try_from(self.blocks).unwrap_or(0));
        let mut first = vec![0; BLOCK_HEAD + T::BYTES];
        for block in 0..self.blocks {
            self.file
                .read_exact_at(&mut first, HEAD as u64 + block * BLOCK as u64)
                .map_err(|error| self.unread(error))?;
            let item = T::take(&first[BLOCK_HEAD..]);
            guide.push(item.map_or(0, |item| item.hash()));
        }
        Ok(Some(self.guide.get_or_init(|| guide)))
    }

    /// All items of a small file, once so much was looked up that it is worth holding them.
    fn whole(&self) -> Result<Option<&[T]>, StoreError> {
        if let Some(items) = self.items_held.get() {
            return Ok(Some(items));
        }
        if self.blocks > SMALL || self.asked.load(Ordering::Relaxed) < WORTH_A_GUIDE {
            return Ok(None);
        }
        let items = self.walk().collect::<Result<Vec<_>, _>>()?;
        Ok(Some(self.items_held.get_or_init(|| items)))
    }

    /// What lies under this hash, in the order of the file.
    ///
    /// # Errors
    /// The disk's; [`StoreError::Damaged`].
    pub fn find(&self, hash: u64) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        if let Some(items) = self.whole()? {
            let from = items.partition_point(|item| item.hash() < hash);
            let own = items[from..].iter().take_while(|item| item.hash() == hash);
            found.extend(own);
            return Ok(found);
        }
        let mut bytes = [0; BLOCK];
        let mut low = match self.guide()? {
            // The block before the first that begins with this hash or a greater one may end with it.
            Some(guide) => {
                let at = guide.partition_point(|first| *first < hash);
                at.saturating_sub(1) as u64
            }
            None => self.guess(hash, &mut bytes)?,
        };
        while low < self.blocks {
            let body = self.body(low, &mut bytes)?;
            let items = body.len() / T::BYTES;
            let item = |at: usize| T::take(&body[at * T::BYTES..(at + 1) * T::BYTES]);
            let (mut from, mut to) = (0, items);
            while from < to {
                let mid = from + (to - from) / 2;
                if item(mid).is_some_and(|item| item.hash() < hash) {
                    from = mid + 1;
                } else {
                    to = mid;
                }
            }
            let own = (from..items).map_while(|at| item(at).filter(|item| item.hash() == hash));
            found.extend(own);
            if item(items - 1).is_some_and(|last| last.hash() > hash) {
                break;
            }
            low += 1;
        }
        Ok(found)
    }

    /// The first block that may end with this hash or a greater one.
    fn guess(&self, hash: u64, bytes: &mut [u8; BLOCK]) -> Result<u64, StoreError> {
        let (mut low, mut high) = (0, self.blocks);
        let (mut least, mut most) = (0_u64, u64::MAX);
        let mut tries = 0;
        while low < high {
            let room = high - low;
            let mid = if tries < GUESSES && most > least {
                let part = u128::from(hash.saturating_sub(least)) * u128::from(room);
                let part = part / (u128::from(most - least) + 1);
                low + u64::try_from(part).unwrap_or(0).min(room - 1)
            } else {
                low + room / 2
            };
            tries += 1;
            let body = self.body(mid, bytes)?;
            let (Some(first), Some(last)) =
                (T::take(body), T::take(&body[body.len() - T::BYTES..]))
            else {
                break;
            };
            if last.hash() < hash {
                (low, least) = (mid + 1, last.hash());
            } else if first.hash() < hash {
                // It can only begin here.
                return Ok(mid);
            } else {
                (high, most) = (mid, first.hash());
            }
        }
        Ok(low)
    }

    /// All items in order. After an error there are no more.
    pub fn walk(&self) -> Walk<'_, T> {
        Walk {
            file: self,
            at: 0,
            held: Vec::new(),
            next: 0,
        }
    }
}

/// The items of a block; `None` when they are not what was written.
fn checked<T: Item>(bytes: &[u8]) -> Option<&[u8]> {
    let (count, rest) = bytes.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
    let body = rest.get(..count.checked_mul(T::BYTES)?)?;
    (count > 0 && u64::from_le_bytes(*sum) == xxh3_64(body)).then_some(body)
}

/// The items of a file from front to back.
#[derive(Debug)]
pub struct Walk<'f, T> {
    file: &'f SortedFile<T>,
    /// The block that is read next.
    at: u64,
    held: Vec<T>,
    next: usize,
}

impl<T: Item> Iterator for Walk<'_, T> {
    type Item = Result<T, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(item) = self.held.get(self.next) {
            self.next += 1;
            return Some(Ok(*item));
        }
        if self.at >= self.file.blocks {
            return None;
        }
        self.held.clear();
        self.next = 1;
        let many = STRIDE.min(self.file.blocks - self.at);
        if let Err(error) = self.file.read(self.at, many, &mut self.held) {
            self.held.clear();
            self.at = self.file.blocks;
            return Some(Err(error));
        }
        self.at += many;
        self.held.first().map(|item| Ok(*item))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::bearers::Pair;

    fn written(path: &Path, pairs: &[Pair]) -> SortedFile<Pair> {
        let count = write(path, pairs.iter().copied().map(Ok)).unwrap();
        assert_eq!(count, pairs.len() as u64);
        SortedFile::open(path).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Crowded or spread, whole blocks or a rest: what is found is what was written.
        #[test]
        fn what_was_written_is_found(
            mut pairs in prop::collection::vec((0u64..60, any::<u64>()), 0..1500),
            near in any::<bool>(),
            whole in any::<bool>(),
        ) {
            let hash = |n: u64| if near { n } else { n.wrapping_mul(0x9e37_79b9_7f4a_7c15) };
            if whole {
                pairs.truncate(pairs.len() / 255 * 255);
            }
            let mut pairs: Vec<Pair> = pairs.iter().map(|(n, what)| Pair(hash(*n), *what)).collect();
            pairs.sort_unstable();
            let folder = tempfile::tempdir().unwrap();
            let file = written(&folder.path().join("x"), &pairs);
            for n in 0..62 {
                let expected: Vec<Pair> = pairs.iter().filter(|pair| pair.0 == hash(n)).copied().collect();
                prop_assert_eq!(file.find(hash(n)).unwrap(), expected);
            }
            prop_assert!(file.walk().map(Result::unwrap).eq(pairs));
        }
    }

    #[test]
    fn damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let pairs: Vec<Pair> = (0..300).map(|n| Pair(n << 50, n)).collect();
        drop(written(&path, &pairs));
        let whole = fs::read(&path).unwrap();
        let read = || {
            SortedFile::<Pair>::open(&path)
                .and_then(|file| file.walk().collect::<Result<Vec<_>, _>>())
        };
        // The bytes that fill the first block up are nobody's.
        let filling = HEAD + BLOCK_HEAD + 255 * Pair::BYTES..HEAD + BLOCK;
        for at in (0..whole.len())
            .step_by(61)
            .filter(|at| !filling.contains(at))
        {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            fs::write(&path, &bytes).unwrap();
            assert!(read().is_err(), "byte {at}");
        }
        for length in [0, 7, HEAD, HEAD + BLOCK, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(read().is_err(), "{length} bytes");
        }
        fs::write(&path, &whole).unwrap();
        assert_eq!(read().unwrap(), pairs);
    }
}
