//! Pages of the change-tracking index: fingerprints and places, packed and sorted by key.
//!
//! Forty bytes for each record: two halves of its key's hash, the fingerprint of its raw row, that of its canonical bytes, and the
//! place of its last entry in the segments. The first half is of the organisation code where the key begins with an identifier that
//! holds one: all records of an enterprise lie together, whatever shape of its code they carry. What one delivery wrote is a *run*;
//! two dozen entries of a run make a page, so that sled keeps few values of moderate length, and pages are never changed.

use crate::domain::code::organisation_bytes_of;
use crate::domain::identity::led_by_code;
use crate::domain::record::{Record, RecordKind, Value};
use crate::store::StoreError;
use crate::store::engine::Pair;
use crate::store::segment::Place;
use crate::store::sorted_file::Item;

/// Entries of one page. Small pages keep sled's memory small: it counts values, not bytes.
const PAGE_ENTRIES: usize = 24;
/// The bit of a place that says the record is missing.
const MISSING: u64 = 1 << 63;

/// The hash of a record's key. The first half is of the first field alone — of the organisation code inside it, where there is one —
/// so that what belongs to one enterprise lies together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash {
    /// Of the key's first field, or of the organisation code inside it.
    pub first: u64,
    /// Of the whole key.
    pub whole: u64,
}

impl KeyHash {
    /// Of a key as [`Record::key`] writes it.
    pub fn of(kind: RecordKind, key: &str) -> Self {
        let first = memchr::memchr(b'|', key.as_bytes()).map_or(key, |at| &key[..at]);
        Self {
            first: Self::of_first(kind, first),
            whole: xxhash_rust::xxh3::xxh3_64_with_seed(key.as_bytes(), 1),
        }
    }

    /// The first half, of the first field's text.
    pub fn of_first(kind: RecordKind, text: &str) -> u64 {
        let inner = led_by_code(kind)
            .then(|| organisation_bytes_of(text))
            .flatten();
        let text = inner.as_ref().map_or(text.as_bytes(), <[u8; 9]>::as_slice);
        xxhash_rust::xxh3::xxh3_64(text)
    }

    /// Of a record's key.
    pub fn of_record(record: &Record) -> Self {
        // A key of one text is hashed where it lies.
        if let [field] = record.kind.key()
            && let Some(Value::Text(text)) = record.fields.get(field)
        {
            return Self::of(record.kind, text);
        }
        Self::of(record.kind, &record.key())
    }
}

/// What the index has of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its key.
    pub key: KeyHash,
    /// The fingerprint of the raw row it stood on; 0 when such a row has to be read again (it has an issue, or is missing).
    pub raw: u64,
    /// The fingerprint of the canonical record.
    pub canonical: u64,
    /// The place of its last entry, with the bit that says whether it is missing: memory is spent by the million here.
    placed: u64,
}

impl Known {
    /// What the index has of a key from now on.
    pub const fn new(key: KeyHash, raw: u64, canonical: u64, place: Place, present: bool) -> Self {
        Self {
            key,
            raw,
            canonical,
            placed: place.0 | if present { 0 } else { MISSING },
        }
    }

    /// What says that nothing is known of a key any longer.
    pub const fn forgotten(key: KeyHash) -> Self {
        Self {
            key,
            raw: 0,
            canonical: 0,
            placed: MISSING,
        }
    }

    /// Whether it only says that nothing is known of its key.
    pub const fn is_forgotten(&self) -> bool {
        self.place().is_nowhere()
    }

    /// Its last entry.
    pub const fn place(&self) -> Place {
        Place(self.placed & !MISSING)
    }

    /// Whether the last complete batch mentioned it.
    pub const fn present(&self) -> bool {
        self.placed & MISSING == 0
    }
}

impl Item for Known {
    const MAGIC: &'static [u8; 8] = b"ybknow\x00\x01";
    const TITLE: &'static str = "变更索引";
    const BYTES: usize = 40;

    fn hash(&self) -> u64 {
        self.key.first
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        for number in [
            self.key.first,
            self.key.whole,
            self.raw,
            self.canonical,
            self.placed,
        ] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
    }

    fn take(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| {
            let bytes = bytes.get(at * 8..at * 8 + 8)?;
            Some(u64::from_be_bytes(bytes.try_into().ok()?))
        };
        Some(Self {
            key: KeyHash {
                first: number(0)?,
                whole: number(1)?,
            },
            raw: number(2)?,
            canonical: number(3)?,
            placed: number(4)?,
        })
    }
}

/// The prefix of a run's pages.
pub fn run_prefix(run: u64) -> Vec<u8> {
    run.to_be_bytes().to_vec()
}

/// The key of the page that begins with this entry.
fn page_key(run: u64, first: KeyHash) -> Vec<u8> {
    [
        run.to_be_bytes(),
        first.first.to_be_bytes(),
        first.whole.to_be_bytes(),
    ]
    .concat()
}

/// The key up to which (included) the page of a key hash may begin, and the one after it.
pub fn page_bounds(run: u64, key: KeyHash) -> (Vec<u8>, Vec<u8>) {
    let mut after = page_key(run, key);
    after.push(0);
    (run_prefix(run), after)
}

/// Packs sorted entries into pages.
pub fn pack(
    run: u64,
    entries: impl Iterator<Item = Result<Known, StoreError>>,
) -> impl Iterator<Item = Result<Pair, StoreError>> {
    let mut entries = entries.peekable();
    std::iter::from_fn(move || {
        let first = match entries.peek()? {
            Ok(known) => known.key,
            Err(_) => return entries.next().map(|item| item.map(|_| Pair::default())),
        };
        let mut page = Vec::with_capacity(Known::BYTES * PAGE_ENTRIES);
        for _ in 0..PAGE_ENTRIES {
            let Some(Ok(known)) = entries.next_if(Result::is_ok) else {
                break;
            };
            known.put(&mut page);
        }
        Some(Ok((page_key(run, first), page)))
    })
}

/// The entries of a page.
///
/// # Errors
/// It is not a whole number of entries.
pub fn unpack(page: &[u8]) -> Result<impl Iterator<Item = Known> + '_, StoreError> {
    if page.is_empty() || !page.len().is_multiple_of(Known::BYTES) {
        return Err(StoreError::Damaged {
            what: "变更索引".to_owned(),
            text: format!("有一页长{}字节", page.len()),
        });
    }
    Ok(page.chunks_exact(Known::BYTES).filter_map(Known::take))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn entries_come_back_from_pages(numbers in prop::collection::vec((any::<u64>(), any::<u64>(), 0u64..1 << 62, any::<bool>()), 0..100)) {
            let mut known: Vec<Known> = numbers
                .iter()
                .map(|(first, other, place, present)| {
                    let key = KeyHash { first: *first, whole: other ^ 5 };
                    let known = Known::new(key, *other, other.rotate_left(9), Place(*place), *present);
                    assert_eq!((known.place(), known.present()), (Place(*place), *present));
                    known
                })
                .collect();
            known.sort_by_key(|known| known.key);
            let pages: Vec<Pair> = pack(3, known.iter().copied().map(Ok)).map(Result::unwrap).collect();
            prop_assert!(pages.is_sorted_by(|a, b| a.0 <= b.0));
            let back: Vec<Known> = pages.iter().flat_map(|(_, page)| unpack(page).unwrap().collect::<Vec<_>>()).collect();
            prop_assert_eq!(back, known);
        }
    }

    #[test]
    fn a_page_of_a_strange_length_is_damage() {
        assert!(unpack(&[0; 39]).is_err() && unpack(&[]).is_err());
    }

    #[test]
    fn what_belongs_to_one_enterprise_lies_together() {
        let tax = |code: &str| KeyHash::of(RecordKind::Tax, code);
        let [march, april] =
            ["2026-03", "2026-04"].map(|month| tax(&format!("91411303MA49U85BX9|{month}")));
        assert_eq!(march.first, april.first);
        assert_ne!(march, april);
        assert_eq!(
            tax("411302MA49U85BX|2026-03").first,
            march.first,
            "it moved"
        );
        let registration = |code| KeyHash::of(RecordKind::Registration, code);
        assert_eq!(registration("91411303MA49U85BX9").first, march.first);
        assert_ne!(
            registration("11010519491231002X"),
            registration("110105491231002")
        );
        // A unit number is no identifier, whatever it looks like.
        let unit = |unit| KeyHash::of(RecordKind::InsuredRoll, unit).first;
        assert_ne!(unit("91411303MA49U85BX9"), unit("MA49U85BX"));
        let mut record = Record::new(RecordKind::Registration);
        for code in ["91411303MA49U85BX9", "a|b", ""] {
            let field = crate::domain::record::Field::CreditCode;
            record.fields.insert(field, Value::Text(code.to_owned()));
            let hash = KeyHash::of(record.kind, &record.key());
            assert_eq!(KeyHash::of_record(&record), hash);
        }
    }
}
