//! How values are laid out in the index.
//!
//! sled puts pages above 4 KiB into files of their own that it never syncs. A longer value (a batch with a thousand issues, a
//! case with a long history, a notice) is therefore cut into numbered pieces under derived keys. They are written in the same
//! atomic batch as their head, so no orphan is left and nothing outside the index has to be kept in step with it, as it would
//! with a file in the archive. The head carries length and checksum: a reader that met a half-replaced value reads again.

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

/// Takes numbers off the front of a row.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rubbish_is_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = head(bytes.clone());
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
            assert!(row.len() < 4096 && cut.iter().all(|(_, piece)| piece.len() < 4096));
        }
    }
}
