//! Which keys bear an identity that they do not begin with: names, the organisation codes of roll rows, head offices.
//!
//! Beside each run of the tracking index lies a file of pairs of numbers, sorted: the hash of an identity, and the first half of the
//! key's hash that some entry of the run's delivery bore it under. It is written once, in blocks that carry a checksum, and read by
//! a search that guesses the block. Pairs are never taken out: what a name leads to may bear it no longer, or share no more than
//! the hash. So whoever asks reads the record and lets it decide.
//!
//! The same files say where the history of a key ended that a withdrawal took back.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `ybbear` and the version of the layout |
//! | 4096 (the last: fewer) | a block: pairs in it (4), checksum (8), pairs (16 each); numbers little-endian |

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::domain::identity::{Borne, Identity, beside_key};
use crate::domain::record::Record;
use crate::store::StoreError;
use crate::store::archive::io;

/// What a file begins with.
const MAGIC: &[u8; 8] = b"ybbear\x00\x01";
/// Bytes of a pair.
const PAIR: usize = 16;
/// Number of pairs and checksum.
const HEAD: usize = 12;
/// Bytes of a whole block.
const BLOCK: usize = 4096;
/// Pairs of a whole block.
const PAIRS: usize = (BLOCK - HEAD) / PAIR;
/// How often the place of a block is guessed before it is halved in on: hashes are spread evenly.
const GUESSES: u32 = 4;
/// Pairs are gathered by the first byte of their hash.
const HEAPS: usize = 256;
/// Pairs of a heap after which it goes to the disk: together 1 MiB.
const HEAP_MAX: usize = 256;
/// Pairs that are remembered so as not to be gathered twice.
const RECENT: usize = 4096;

/// Marks that keep the hashes of one kind of identity apart from those of others.
const NAME: u64 = 2;
const ORGANISATION: u64 = 3;
const HEAD_OFFICE: u64 = 4;
const TAKEN_BACK: u64 = 5;

/// The hash of an identity, and what it leads to.
pub type Pair = (u64, u64);

fn mark(kind: u64, text: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(text, kind)
}

/// The hash under which the keys lie that bear this identity; `None` for a unit number, which keys begin with.
pub fn hash(identity: &Identity) -> Option<u64> {
    match identity {
        Identity::Name(name) => Some(mark(NAME, name.as_bytes())),
        Identity::Organisation(code) => Some(mark(ORGANISATION, code.as_bytes())),
        Identity::HeadOffice(code) => Some(mark(HEAD_OFFICE, code.as_bytes())),
        Identity::Unit(_) => None,
    }
}

/// The hash under which the places lie where histories of keys with this first half ended that were taken back.
pub fn taken_back(first: u64) -> u64 {
    mark(TAKEN_BACK, &first.to_be_bytes())
}

/// The hashes of the identities of a record.
pub fn hashes(record: &Record, all: &mut Vec<u64>) {
    beside_key(record, &mut |borne| {
        all.push(match borne {
            Borne::Name(name) => mark(NAME, name.as_bytes()),
            Borne::Organisation(code) => mark(ORGANISATION, &code),
            Borne::HeadOffice(code) => mark(HEAD_OFFICE, &code),
        });
    });
}

/// Pairs on their way into a file, in little memory: gathered by the first byte of their hash, and beyond a mebibyte in a file
/// that nobody sees.
#[derive(Debug, Default)]
pub struct Gathered {
    heaps: Vec<Vec<Pair>>,
    /// By heap: which pieces of the file are its.
    spilled: Vec<Vec<u32>>,
    pieces: u32,
    file: Option<File>,
    recent: Vec<Pair>,
    before: Vec<u64>,
    now: Vec<u64>,
}

impl Gathered {
    /// Adds what a record bears that it did not bear before, for the keys with this first half.
    pub fn note(
        &mut self,
        record: &Record,
        before: Option<&Record>,
        first: u64,
        folder: &Path,
    ) -> Result<(), StoreError> {
        let (mut now, mut old) = (
            std::mem::take(&mut self.now),
            std::mem::take(&mut self.before),
        );
        now.clear();
        old.clear();
        hashes(record, &mut now);
        if let Some(before) = before {
            hashes(before, &mut old);
        }
        let new = now.iter().filter(|hash| !old.contains(hash));
        let added = new
            .into_iter()
            .try_for_each(|hash| self.add((*hash, first), folder));
        (self.now, self.before) = (now, old);
        added
    }

    /// Adds a pair. What does not fit in memory goes to a file without a name in `folder`.
    pub fn add(&mut self, pair: Pair, folder: &Path) -> Result<(), StoreError> {
        if self.heaps.is_empty() {
            self.heaps = vec![Vec::new(); HEAPS];
            self.spilled = vec![Vec::new(); HEAPS];
            self.recent = vec![Pair::default(); RECENT];
        }
        #[allow(clippy::cast_possible_truncation, reason = "12 bits are meant")]
        let seen = (pair.0 ^ pair.1) as usize % RECENT;
        // A unit of the roll names its firm once for each month and kind.
        if self.recent[seen] == pair {
            return Ok(());
        }
        self.recent[seen] = pair;
        let at = usize::from(pair.0.to_be_bytes()[0]);
        self.heaps[at].push(pair);
        if self.heaps[at].len() >= HEAP_MAX {
            self.spill(at, folder)?;
        }
        Ok(())
    }

    fn spill(&mut self, at: usize, folder: &Path) -> Result<(), StoreError> {
        let what = || "暂存归集索引".to_owned();
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(folder).map_err(io(what()))?),
        };
        let mut bytes = Vec::with_capacity(HEAP_MAX * PAIR);
        self.heaps[at]
            .iter()
            .for_each(|pair| put(&mut bytes, *pair));
        file.write_all(&bytes).map_err(io(what()))?;
        self.heaps[at].clear();
        self.spilled[at].push(self.pieces);
        self.pieces += 1;
        Ok(())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pieces == 0 && self.heaps.iter().all(Vec::is_empty)
    }

    /// All of them, sorted.
    pub fn sorted(mut self) -> impl Iterator<Item = Result<Pair, StoreError>> {
        let mut at = 0;
        let mut heap: std::vec::IntoIter<Pair> = Vec::new().into_iter();
        self.recent = Vec::new();
        std::iter::from_fn(move || {
            loop {
                if let Some(pair) = heap.next() {
                    return Some(Ok(pair));
                }
                if at >= self.heaps.len() {
                    return None;
                }
                match self.heap(at) {
                    Ok(pairs) => heap = pairs.into_iter(),
                    Err(error) => {
                        at = self.heaps.len();
                        return Some(Err(error));
                    }
                }
                at += 1;
            }
        })
    }

    fn heap(&mut self, at: usize) -> Result<Vec<Pair>, StoreError> {
        let mut pairs = std::mem::take(&mut self.heaps[at]);
        let mut bytes = vec![0; HEAP_MAX * PAIR];
        for piece in &self.spilled[at] {
            let Some(file) = &self.file else { break };
            let from = u64::from(*piece) * bytes.len() as u64;
            file.read_exact_at(&mut bytes, from)
                .map_err(io("读取暂存的归集索引"))?;
            pairs.extend(bytes.chunks_exact(PAIR).filter_map(take));
        }
        pairs.sort_unstable();
        pairs.dedup();
        Ok(pairs)
    }
}

fn put(bytes: &mut Vec<u8>, (hash, what): Pair) {
    bytes.extend_from_slice(&hash.to_le_bytes());
    bytes.extend_from_slice(&what.to_le_bytes());
}

fn take(bytes: &[u8]) -> Option<Pair> {
    let (hash, rest) = bytes.split_first_chunk()?;
    let what = rest.first_chunk()?;
    Some((u64::from_le_bytes(*hash), u64::from_le_bytes(*what)))
}

/// The file of a run in the folder of its generation.
pub fn place(folder: &Path, run: u64) -> PathBuf {
    folder.join(format!("bearers-{run:010}"))
}

/// Writes a file and puts it on the disk. What stood there was never seen.
pub fn write(
    path: &Path,
    pairs: impl Iterator<Item = Result<Pair, StoreError>>,
) -> Result<(), StoreError> {
    let what = || io(format!("写入归集索引{}", path.display()));
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(what())?;
    let mut out = BufWriter::with_capacity(16 * BLOCK, file);
    out.write_all(MAGIC).map_err(what())?;
    let mut body = Vec::with_capacity(BLOCK);
    let mut last = None;
    for pair in pairs {
        let pair = pair?;
        if last.replace(pair) == Some(pair) {
            continue;
        }
        put(&mut body, pair);
        if body.len() == PAIRS * PAIR {
            out.write_all(&block(&body)).map_err(what())?;
            body.clear();
        }
    }
    if !body.is_empty() {
        out.write_all(&block(&body)).map_err(what())?;
    }
    let file = out
        .into_inner()
        .map_err(|error| what()(error.into_error()))?;
    file.sync_all().map_err(what())
}

fn block(body: &[u8]) -> Vec<u8> {
    let count = u32::try_from(body.len() / PAIR).unwrap_or(u32::MAX);
    let mut block = Vec::with_capacity(BLOCK);
    block.extend_from_slice(&count.to_le_bytes());
    block.extend_from_slice(&xxhash_rust::xxh3::xxh3_64(body).to_le_bytes());
    block.extend_from_slice(body);
    // A last block of 255 pairs is as long as the others.
    if body.len() == PAIRS * PAIR {
        block.resize(BLOCK, 0);
    }
    block
}

/// Removes the file of a run that was never seen.
pub fn remove(folder: &Path, run: u64) -> Result<(), StoreError> {
    let path = place(folder, run);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(io(format!("删除归集索引{}", path.display()))(error))
        }
        _ => Ok(()),
    }
}

/// The file of one run, open for reading.
#[derive(Debug)]
pub struct Bearers {
    path: PathBuf,
    file: File,
    blocks: u64,
}

impl Bearers {
    /// Opens the file of a run.
    pub fn open(folder: &Path, run: u64) -> Result<Self, StoreError> {
        let path = place(folder, run);
        let what = || io(format!("打开归集索引{}", path.display()));
        let file = File::open(&path).map_err(what())?;
        let length = file.metadata().map_err(what())?.len();
        let mut magic = [0; MAGIC.len()];
        if file.read_exact_at(&mut magic, 0).is_err() || magic != *MAGIC {
            return Err(damaged(&path, "文件头不符"));
        }
        let blocks = (length - MAGIC.len() as u64).div_ceil(BLOCK as u64);
        Ok(Self { path, file, blocks })
    }

    fn block(&self, at: u64) -> Result<Vec<Pair>, StoreError> {
        let mut bytes = [0; BLOCK];
        let mut length = 0;
        let from = MAGIC.len() as u64 + at * BLOCK as u64;
        while length < BLOCK {
            match self
                .file
                .read_at(&mut bytes[length..], from + length as u64)
            {
                Ok(0) => break,
                Ok(n) => length += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(io(format!("读取归集索引{}", self.path.display()))(
                        error,
                    ));
                }
            }
        }
        self.checked(&bytes[..length])
            .ok_or_else(|| damaged(&self.path, &format!("第{at}段的校验和不符")))
    }

    fn checked(&self, bytes: &[u8]) -> Option<Vec<Pair>> {
        let (count, rest) = bytes.split_first_chunk()?;
        let (sum, rest) = rest.split_first_chunk()?;
        let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        let body = rest.get(..count.checked_mul(PAIR)?)?;
        let sound = count > 0 && u64::from_le_bytes(*sum) == xxhash_rust::xxh3::xxh3_64(body);
        sound.then(|| body.chunks_exact(PAIR).filter_map(take).collect())
    }

    /// What lies under this hash.
    pub fn find(&self, hash: u64) -> Result<Vec<u64>, StoreError> {
        let mut found = Vec::new();
        // The first block that ends with this hash or a greater one.
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
            let pairs = self.block(mid)?;
            let (Some(first), Some(last)) = (pairs.first(), pairs.last()) else {
                break;
            };
            if last.0 < hash {
                (low, least) = (mid + 1, last.0);
            } else if first.0 < hash {
                // It can only begin here.
                low = mid;
                break;
            } else {
                (high, most) = (mid, first.0);
            }
        }
        while low < self.blocks {
            let pairs = self.block(low)?;
            let from = pairs.partition_point(|pair| pair.0 < hash);
            let own = pairs[from..].iter().take_while(|pair| pair.0 == hash);
            found.extend(own.map(|pair| pair.1));
            if pairs.last().is_some_and(|last| last.0 > hash) {
                break;
            }
            low += 1;
        }
        Ok(found)
    }

    /// All pairs, sorted.
    pub fn walk(self) -> impl Iterator<Item = Result<Pair, StoreError>> {
        let mut at = 0;
        let mut block: std::vec::IntoIter<Pair> = Vec::new().into_iter();
        std::iter::from_fn(move || {
            if let Some(pair) = block.next() {
                return Some(Ok(pair));
            }
            if at >= self.blocks {
                return None;
            }
            match self.block(at) {
                Ok(pairs) => block = pairs.into_iter(),
                Err(error) => {
                    at = self.blocks;
                    return Some(Err(error));
                }
            }
            at += 1;
            block.next().map(Ok)
        })
    }
}

fn damaged(path: &Path, text: &str) -> StoreError {
    StoreError::Damaged {
        what: format!("归集索引{}", path.display()),
        text: text.to_owned(),
    }
}

/// A sorted row of pairs.
pub type Walk<'a> = Box<dyn Iterator<Item = Result<Pair, StoreError>> + 'a>;

/// Several sorted rows of pairs as one.
pub fn merged(mut rows: Vec<Walk<'_>>) -> impl Iterator<Item = Result<Pair, StoreError>> {
    let mut heap = BinaryHeap::new();
    let mut error = None;
    for (at, row) in rows.iter_mut().enumerate() {
        match row.next() {
            Some(Ok(pair)) => heap.push(Reverse((pair, at))),
            Some(Err(told)) => error = Some(told),
            None => {}
        }
    }
    std::iter::from_fn(move || {
        if let Some(error) = error.take() {
            heap.clear();
            return Some(Err(error));
        }
        let Reverse((pair, at)) = heap.pop()?;
        match rows[at].next() {
            Some(Ok(next)) => heap.push(Reverse((next, at))),
            Some(Err(told)) => error = Some(told),
            None => {}
        }
        Some(Ok(pair))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn written(folder: &Path, run: u64, pairs: &[Pair]) -> Bearers {
        let mut gathered = Gathered::default();
        for pair in pairs {
            gathered.add(*pair, folder).unwrap();
        }
        assert_eq!(gathered.is_empty(), pairs.is_empty());
        write(&place(folder, run), gathered.sorted()).unwrap();
        Bearers::open(folder, run).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Few hashes borne by many, crowded or spread: what is found is what was added.
        #[test]
        fn what_was_added_is_found(
            pairs in prop::collection::vec((0u64..60, 0u64..400, any::<bool>()), 0..1500),
            near in any::<bool>(),
        ) {
            let hash = |n: u64| if near { n } else { n.wrapping_mul(0x9e37_79b9_7f4a_7c15) };
            let pairs: Vec<Pair> = pairs.iter().map(|(n, what, far)| (hash(*n), if *far { what << 40 } else { *what })).collect();
            let folder = tempfile::tempdir().unwrap();
            let half = pairs.len() / 2;
            let rows = [&pairs[..half], &pairs[half..]];
            let all: BTreeSet<Pair> = pairs.iter().copied().collect();
            let walks: Vec<Walk<'_>> = (1..)
                .zip(rows)
                .map(|(run, pairs)| Box::new(written(folder.path(), run, pairs).walk()) as Walk<'_>)
                .collect();
            write(&place(folder.path(), 3), merged(walks)).unwrap();
            let whole = Bearers::open(folder.path(), 3).unwrap();
            for n in 0..62 {
                let expected: Vec<u64> = all.iter().filter(|pair| pair.0 == hash(n)).map(|pair| pair.1).collect();
                prop_assert_eq!(whole.find(hash(n)).unwrap(), expected);
            }
            prop_assert!(whole.walk().map(Result::unwrap).eq(all));
        }
    }

    #[test]
    fn more_than_fits_in_memory_comes_back_sorted() {
        let folder = tempfile::tempdir().unwrap();
        let pairs: Vec<Pair> = (0..200_000u64)
            .map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15), n))
            .collect();
        let bearers = written(folder.path(), 1, &pairs);
        assert!(bearers.blocks > 700);
        for pair in pairs.iter().step_by(997) {
            assert_eq!(bearers.find(pair.0).unwrap(), [pair.1]);
            assert!(bearers.find(pair.0 ^ 1).unwrap().is_empty());
        }
        assert_eq!(bearers.walk().count(), pairs.len());
        // The file that held them has no name.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let pairs: Vec<Pair> = (0..300).map(|n| (n << 50, n)).collect();
        drop(written(folder.path(), 1, &pairs));
        let path = place(folder.path(), 1);
        let whole = fs::read(&path).unwrap();
        for at in (0..whole.len())
            .step_by(61)
            .filter(|at| !(8 + 4092..8 + 4096).contains(at))
        {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            fs::write(&path, &bytes).unwrap();
            let read = Bearers::open(folder.path(), 1)
                .and_then(|bearers| bearers.walk().collect::<Result<Vec<_>, _>>());
            assert!(read.is_err(), "byte {at}");
        }
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let cut = Bearers::open(folder.path(), 1).unwrap();
        assert!(cut.find(299 << 50).is_err());
    }
}
