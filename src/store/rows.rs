//! How values are laid out in the index.
//!
//! sled puts pages above 4 KiB into files of their own that it never syncs. A longer value (a batch with a thousand issues, a
//! case with a long history, a notice) is therefore cut into numbered pieces under derived keys. They are written in the same
//! atomic batch as their head, so no orphan is left and nothing outside the index has to be kept in step with it, as it would
//! with a file in the archive. The head carries length and checksum: a reader that met a half-replaced value reads again.

use crate::domain::change::ChangeKind;
use crate::store::StoreError;
use crate::store::engine::Pair;
use crate::store::journal::Place;
use crate::store::keys;

/// The longest value that is one row.
pub const ROW_MAX_BYTES: usize = 3_800;

/// The last byte of a row whose value it is.
const WHOLE: u8 = 0;
/// The last byte of a row whose value lies in pieces.
const CUT: u8 = 1;

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged {
        what: "索引".to_owned(),
        text: format!("{what}无法读取"),
    }
}

/// A value as rows: its head and, when it is long, its pieces with their keys.
#[must_use]
pub fn cut(key: &[u8], mut value: Vec<u8>) -> (Vec<u8>, Vec<Pair>) {
    if value.len() <= ROW_MAX_BYTES {
        value.push(WHOLE);
        return (value, Vec::new());
    }
    let mut head = (value.len() as u64).to_be_bytes().to_vec();
    head.extend_from_slice(&xxhash_rust::xxh3::xxh3_64(&value).to_be_bytes());
    head.push(CUT);
    let pieces = (0u32..)
        .zip(value.chunks(ROW_MAX_BYTES))
        .map(|(number, piece)| (keys::piece(key, number), piece.to_vec()))
        .collect();
    (head, pieces)
}

/// What a head row says.
#[derive(Debug, PartialEq, Eq)]
pub enum Head {
    /// The value.
    Whole(Vec<u8>),
    /// The value lies in this many pieces and has this checksum.
    Cut(u32, u64),
}

/// Reads a head row.
pub fn head(mut row: Vec<u8>) -> Result<Head, StoreError> {
    match row.pop() {
        Some(WHOLE) => Ok(Head::Whole(row)),
        Some(CUT) => {
            let mut rest = Bytes(&row);
            let len = rest.number().ok_or_else(|| damaged("值的长度"))?;
            let sum = rest.number().ok_or_else(|| damaged("值的校验和"))?;
            let pieces = u32::try_from(len.div_ceil(ROW_MAX_BYTES as u64))
                .map_err(|_| damaged("值的长度"))?;
            Ok(Head::Cut(pieces, sum))
        }
        _ => Err(damaged("值")),
    }
}

/// How many pieces belong to a head row.
#[must_use]
pub fn pieces_of(row: Option<&[u8]>) -> u32 {
    match row {
        Some(row) if row.last() == Some(&CUT) => match head(row.to_vec()) {
            Ok(Head::Cut(pieces, _)) => pieces,
            _ => 0,
        },
        _ => 0,
    }
}

/// How many pieces a value of this length is cut into.
#[must_use]
pub fn pieces_for(len: usize) -> u32 {
    if len <= ROW_MAX_BYTES {
        return 0;
    }
    u32::try_from(len.div_ceil(ROW_MAX_BYTES)).unwrap_or(u32::MAX)
}

/// Takes numbers off the front of a row.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn part(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }
}

/// A number as a row.
#[must_use]
pub fn number(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// Reads one number.
pub fn read_number(row: &[u8]) -> Result<u64, StoreError> {
    Bytes(row).number().ok_or_else(|| damaged("计数"))
}

/// Two numbers as a row: an entry and a delivery.
#[must_use]
pub fn numbers(first: u64, second: u64) -> Vec<u8> {
    [first.to_be_bytes(), second.to_be_bytes()].concat()
}

/// Reads two numbers.
pub fn read_numbers(row: &[u8]) -> Result<(u64, u64), StoreError> {
    let mut row = Bytes(row);
    row.number()
        .zip(row.number())
        .ok_or_else(|| damaged("编号"))
}

/// Reads text.
pub fn read_text(row: Vec<u8>) -> Result<String, StoreError> {
    String::from_utf8(row).map_err(|_| damaged("文本"))
}

/// A place of the journal as a row.
#[must_use]
pub fn place(place: &Place) -> Vec<u8> {
    let mut row = Vec::with_capacity(88);
    for number in [place.seq, place.start, place.end] {
        row.extend_from_slice(&number.to_be_bytes());
    }
    row.extend_from_slice(&place.previous);
    row.extend_from_slice(&place.chain);
    row
}

/// Reads a place.
pub fn read_place(row: &[u8]) -> Result<Place, StoreError> {
    let mut row = Bytes(row);
    let mut read = || {
        Some(Place {
            seq: row.number()?,
            start: row.number()?,
            end: row.number()?,
            previous: row.take()?,
            chain: row.take()?,
        })
    };
    read().ok_or_else(|| damaged("日志位置"))
}

/// A record as a delivery left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// The delivery that last changed it.
    pub delivery: u64,
    /// Whether the last complete batch mentioned it.
    pub present: bool,
    /// Its row in that delivery's file.
    pub row: u64,
    /// The fingerprint.
    pub fingerprint: u128,
    /// The canonical bytes.
    pub bytes: Vec<u8>,
}

impl RecordRow {
    /// Length without the canonical bytes.
    const FIXED: usize = 8 + 1 + 8 + 16;

    /// How many pieces its row is cut into.
    #[must_use]
    pub fn pieces(&self) -> u32 {
        pieces_for(Self::FIXED + self.bytes.len())
    }

    /// As a row; what readers need first stands first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut row = Vec::with_capacity(Self::FIXED + self.bytes.len() + 1);
        row.extend_from_slice(&self.delivery.to_be_bytes());
        row.push(u8::from(self.present));
        row.extend_from_slice(&self.row.to_be_bytes());
        row.extend_from_slice(&self.fingerprint.to_be_bytes());
        row.extend_from_slice(&self.bytes);
        row
    }

    /// Reads a row.
    pub fn decode(row: &[u8]) -> Result<Self, StoreError> {
        let mut row = Bytes(row);
        let mut read = || {
            Some(Self {
                delivery: row.number()?,
                present: row.take::<1>()? == [1],
                row: row.number()?,
                fingerprint: u128::from_be_bytes(row.take()?),
                bytes: row.0.to_vec(),
            })
        };
        read().ok_or_else(|| damaged("记录"))
    }
}

/// What a delivery changed at a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// What happened.
    pub kind: ChangeKind,
    /// The record before, as it stood in the index.
    pub before: Option<RecordRow>,
    /// The record after.
    pub after: RecordRow,
}

impl ChangeRow {
    /// As a row. A missing record keeps its bytes, so those are not written twice.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut row = vec![match self.kind {
            ChangeKind::New => 1,
            ChangeKind::Changed => 2,
            ChangeKind::Missing => 3,
            ChangeKind::Returned => 4,
        }];
        let before = self.before.as_ref().map(RecordRow::encode);
        let len = before.as_ref().map_or(0, Vec::len);
        row.extend_from_slice(&(len as u64).to_be_bytes());
        row.extend(before.into_iter().flatten());
        if self.kind == ChangeKind::Missing {
            row.extend_from_slice(&self.after.delivery.to_be_bytes());
        } else {
            row.extend(self.after.encode());
        }
        row
    }

    /// Reads a row.
    pub fn decode(row: &[u8]) -> Result<Self, StoreError> {
        let mut row = Bytes(row);
        let mut read = || {
            let kind = match row.take::<1>()? {
                [1] => ChangeKind::New,
                [2] => ChangeKind::Changed,
                [3] => ChangeKind::Missing,
                [4] => ChangeKind::Returned,
                _ => return None,
            };
            let len = usize::try_from(row.number()?).ok()?;
            let before = row.part(len)?;
            let before = (len > 0)
                .then(|| RecordRow::decode(before))
                .transpose()
                .ok()?;
            let after = if kind == ChangeKind::Missing {
                Self::gone(before.as_ref()?, row.number()?)
            } else {
                RecordRow::decode(row.0).ok()?
            };
            Some(Self {
                kind,
                before,
                after,
            })
        };
        read().ok_or_else(|| damaged("变更"))
    }

    /// A record that a complete delivery no longer mentions: its content stays, it stands on no row.
    #[must_use]
    pub fn gone(before: &RecordRow, delivery: u64) -> RecordRow {
        RecordRow {
            delivery,
            present: false,
            row: 0,
            ..before.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record() -> impl Strategy<Value = RecordRow> {
        (
            any::<u64>(),
            any::<bool>(),
            any::<u64>(),
            any::<u128>(),
            proptest::collection::vec(any::<u8>(), 0..60),
        )
            .prop_map(|(delivery, present, row, fingerprint, bytes)| RecordRow {
                delivery,
                present,
                row,
                fingerprint,
                bytes,
            })
    }

    proptest! {
        #[test]
        fn records_and_changes_come_back(before in record(), after in record(), delivery: u64) {
            prop_assert_eq!(&RecordRow::decode(&before.encode()).unwrap(), &before);
            for kind in [ChangeKind::New, ChangeKind::Changed, ChangeKind::Missing, ChangeKind::Returned] {
                let row = ChangeRow {
                    kind,
                    before: (kind != ChangeKind::New).then(|| before.clone()),
                    after: if kind == ChangeKind::Missing { ChangeRow::gone(&before, delivery) } else { after.clone() },
                };
                prop_assert_eq!(ChangeRow::decode(&row.encode()).unwrap(), row);
            }
        }

        #[test]
        fn rubbish_is_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (head(bytes.clone()), RecordRow::decode(&bytes), ChangeRow::decode(&bytes));
            let _ = (read_place(&bytes), read_number(&bytes), read_numbers(&bytes), pieces_of(Some(&bytes)));
        }
    }

    #[test]
    fn long_values_are_cut_where_sled_would_leave_the_log() {
        for (len, pieces) in [
            (0, 0),
            (ROW_MAX_BYTES, 0),
            (ROW_MAX_BYTES + 1, 2),
            (3 * ROW_MAX_BYTES, 3),
        ] {
            let (row, cut) = cut(b"k", vec![b'a'; len]);
            assert_eq!(cut.len(), pieces, "{len}");
            assert_eq!(pieces_of(Some(&row)) as usize, pieces, "{len}");
            assert_eq!(pieces_for(len) as usize, pieces, "{len}");
            assert!(row.len() < 4096 && cut.iter().all(|(_, piece)| piece.len() < 4096));
        }
    }
}
