//! Which keys bear an identity that they do not begin with: names, the organisation codes of roll rows, head offices.
//!
//! Beside each run of the tracking index lies a file of pairs of numbers, sorted: the hash of an identity, and the first half of the
//! key's hash that some entry of the run's delivery bore it under. Pairs are never taken out: what a name leads to may bear it no
//! longer, or share no more than the hash. So whoever asks reads the record and lets it decide.
//!
//! The same files say where the history of a key ended that a withdrawal took back.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::domain::identity::{Borne, Identity, beside_key};
use crate::domain::record::Record;
use crate::store::StoreError;
use crate::store::archive::io;
use crate::store::sorted_file::{Item, SortedFile};

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
const WRITTEN: u64 = 6;

/// The hash of an identity, and what it leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair(pub u64, pub u64);

impl Item for Pair {
    const MAGIC: &'static [u8; 8] = b"ybbear\x00\x01";
    const TITLE: &'static str = "归集索引";
    const BYTES: usize = 16;

    fn hash(&self) -> u64 {
        self.0
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.0.to_le_bytes());
        bytes.extend_from_slice(&self.1.to_le_bytes());
    }

    fn take(bytes: &[u8]) -> Option<Self> {
        let (hash, rest) = bytes.split_first_chunk()?;
        let what = rest.first_chunk()?;
        Some(Self(u64::from_le_bytes(*hash), u64::from_le_bytes(*what)))
    }
}

/// The file of one run.
pub type Bearers = SortedFile<Pair>;

fn mark(kind: u64, text: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(text, kind)
}

/// The hash under which the keys lie that bear this identity; `None` for a unit number, which keys begin with.
pub fn hash(identity: &Identity) -> Option<u64> {
    match identity {
        Identity::Name(name) => Some(mark(NAME, name.as_bytes())),
        Identity::Organisation(code) => Some(mark(ORGANISATION, code.as_bytes())),
        Identity::HeadOffice(code) => Some(mark(HEAD_OFFICE, code.as_bytes())),
        Identity::Written(text) => Some(mark(WRITTEN, text.as_bytes())),
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
            Borne::Written(text) => mark(WRITTEN, text.as_bytes()),
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
    recent: Vec<Option<Pair>>,
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
            .try_for_each(|hash| self.add(Pair(*hash, first), folder));
        (self.now, self.before) = (now, old);
        added
    }

    /// Adds a pair. What does not fit in memory goes to a file without a name in `folder`.
    pub fn add(&mut self, pair: Pair, folder: &Path) -> Result<(), StoreError> {
        if self.heaps.is_empty() {
            self.heaps = vec![Vec::new(); HEAPS];
            self.spilled = vec![Vec::new(); HEAPS];
            self.recent = vec![None; RECENT];
        }
        #[allow(clippy::cast_possible_truncation, reason = "12 bits are meant")]
        let seen = (pair.0 ^ pair.1) as usize % RECENT;
        // A unit of the roll names its firm once for each month and kind.
        if self.recent[seen] == Some(pair) {
            return Ok(());
        }
        self.recent[seen] = Some(pair);
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
        let mut bytes = Vec::with_capacity(HEAP_MAX * Pair::BYTES);
        self.heaps[at].iter().for_each(|pair| pair.put(&mut bytes));
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
        let mut bytes = vec![0; HEAP_MAX * Pair::BYTES];
        for piece in &self.spilled[at] {
            let Some(file) = &self.file else { break };
            let from = u64::from(*piece) * bytes.len() as u64;
            file.read_exact_at(&mut bytes, from)
                .map_err(io("读取暂存的归集索引"))?;
            pairs.extend(bytes.chunks_exact(Pair::BYTES).filter_map(Pair::take));
        }
        pairs.sort_unstable();
        pairs.dedup();
        Ok(pairs)
    }
}

/// The file of a run in the folder of its generation.
pub fn place(folder: &Path, run: u64) -> PathBuf {
    folder.join(format!("bearers-{run:010}"))
}

/// A sorted row of pairs.
pub type Walk<'a> = Box<dyn Iterator<Item = Result<Pair, StoreError>> + 'a>;

/// Several sorted rows of pairs as one, each pair once.
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
    let mut last = None;
    std::iter::from_fn(move || {
        loop {
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
            if last.replace(pair) != Some(pair) {
                return Some(Ok(pair));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use proptest::prelude::*;

    use super::*;
    use crate::store::sorted_file::write;

    fn written(folder: &Path, run: u64, pairs: &[Pair]) -> Bearers {
        let mut gathered = Gathered::default();
        for pair in pairs {
            gathered.add(*pair, folder).unwrap();
        }
        assert_eq!(gathered.is_empty(), pairs.is_empty());
        write(&place(folder, run), gathered.sorted()).unwrap();
        Bearers::open(&place(folder, run)).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Few hashes borne by many: of several files one is made that has what they have.
        #[test]
        fn several_files_become_one(pairs in prop::collection::vec((0u64..60, 0u64..400), 0..1500)) {
            let pairs: Vec<Pair> = pairs.iter().map(|(n, what)| Pair(n << 58 | n, *what)).collect();
            let folder = tempfile::tempdir().unwrap();
            let half = pairs.len() / 2;
            let files: Vec<Bearers> = (1..)
                .zip([&pairs[..half], &pairs[half..]])
                .map(|(run, pairs)| written(folder.path(), run, pairs))
                .collect();
            let walks = files.iter().map(|file| Box::new(file.walk()) as Walk<'_>).collect();
            let all: BTreeSet<Pair> = pairs.iter().copied().collect();
            prop_assert!(merged(walks).map(Result::unwrap).eq(all));
        }
    }

    #[test]
    fn more_than_fits_in_memory_comes_back_sorted() {
        let folder = tempfile::tempdir().unwrap();
        let pairs: Vec<Pair> = (0..200_000u64)
            .map(|n| Pair(n.wrapping_mul(0x9e37_79b9_7f4a_7c15), n))
            .collect();
        let bearers = written(folder.path(), 1, &pairs);
        let mut sorted = pairs.clone();
        sorted.sort_unstable();
        assert!(bearers.walk().map(Result::unwrap).eq(sorted));
        for pair in pairs.iter().step_by(997) {
            assert_eq!(bearers.find(pair.0).unwrap(), [*pair]);
        }
        // The file that held them has no name.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
