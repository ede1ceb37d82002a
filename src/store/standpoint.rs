//! What a review leaves for the next one: in two files beside the index, `review/outcomes-N` and `review/standpoint`.
//!
//! They can not be wrong, only worthless: they say how far each source had come, and whoever uses them reads on from there. One
//! that is missing, half written, damaged or of another version is none, and everybody is judged.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::outcome::{Outcome, Standpoint};
use crate::store::archive::{io, private_folder};
use crate::store::fold::unfit;
use crate::store::sorted_file::{self, Item, SortedFile};
use crate::store::{Store, StoreError};

/// Version of both layouts.
const LAYOUT: u32 = 2;
/// Hex digits of a digest, and the end of its line.
const DIGEST_LINE: usize = 65;
/// No file of loose ends and pairs is longer.
const MAX_BYTES: u64 = 1 << 30;

/// As it lies on the disk, below a line with the digest of what follows.
#[derive(Serialize, Deserialize)]
struct Kept {
    layout: u32,
    outcomes: u64,
    items: u64,
    standpoint: Standpoint,
}

impl Item for Outcome {
    const MAGIC: &'static [u8; 8] = b"yboutc\x00\x01";
    const TITLE: &'static str = "评估结果";
    const BYTES: usize = 8 + 4 + 2 + 8 + 1;

    fn hash(&self) -> u64 {
        self.enterprise
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.enterprise.to_le_bytes());
        let turns = self.turns.map_or(i32::MAX, days);
        bytes.extend_from_slice(&turns.to_le_bytes());
        bytes.extend_from_slice(&self.unit.unwrap_or(u16::MAX).to_le_bytes());
        bytes.extend_from_slice(&self.employed.to_le_bytes());
        bytes.push(self.findings);
    }

    fn take(bytes: &[u8]) -> Option<Self> {
        let (enterprise, rest) = bytes.split_first_chunk()?;
        let (turns, rest) = rest.split_first_chunk()?;
        let (unit, rest) = rest.split_first_chunk()?;
        let (employed, rest) = rest.split_first_chunk()?;
        let unit = u16::from_le_bytes(*unit);
        let turns = match i32::from_le_bytes(*turns) {
            i32::MAX => None,
            days => Some(day(days)?),
        };
        Some(Self {
            enterprise: u64::from_le_bytes(*enterprise),
            turns,
            unit: (unit != u16::MAX).then_some(unit),
            employed: u64::from_le_bytes(*employed),
            findings: *rest.first()?,
        })
    }
}

/// A day as a number: year, month and day in decimal places.
fn days(day: Date) -> i32 {
    (i32::from(day.year()) * 100 + i32::from(day.month())) * 100 + i32::from(day.day())
}

fn day(days: i32) -> Option<Date> {
    let part = |of: i32| i8::try_from(of.rem_euclid(100)).ok();
    let year = i16::try_from(days.div_euclid(10_000)).ok()?;
    Date::new(year, part(days.div_euclid(100))?, part(days)?).ok()
}

fn outcomes_file(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("outcomes-{number:010}"))
}

/// The files of outcomes that lie there, by their numbers.
fn outcomes_in(folder: &Path) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder).map_err(io("读取评估结果目录"))? {
        let path = item.map_err(io("读取评估结果目录"))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| name.strip_prefix("outcomes-")?.parse().ok());
        found.extend(number.map(|number| (number, path.clone())));
    }
    found.sort();
    Ok(found)
}

#[allow(
    clippy::missing_errors_doc,
    reason = "every error is a StoreError, described there"
)]
impl Store {
    fn review_folder(&self) -> PathBuf {
        self.state.join("review")
    }

    fn kept(&self) -> Option<Kept> {
        let mut text = Vec::new();
        File::open(self.review_folder().join("standpoint"))
            .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut text))
            .ok()?;
        let (sum, body) = text.split_at_checked(DIGEST_LINE)?;
        if blake3::hash(body).to_hex().as_bytes() != sum.get(..DIGEST_LINE - 1)? {
            return None;
        }
        let kept: Kept = serde_json::from_slice(body).ok()?;
        (kept.layout == LAYOUT).then_some(kept)
    }

    /// What the last review left, when it can be read: with its outcomes, sorted by enterprise.
    #[must_use]
    pub fn standpoint(&self) -> Option<(Standpoint, Vec<Outcome>)> {
        let kept = self.kept()?;
        let file = SortedFile::open(&outcomes_file(&self.review_folder(), kept.outcomes)).ok()?;
        if file.items() != kept.items {
            return None;
        }
        let mut outcomes = Vec::with_capacity(usize::try_from(kept.items).ok()?);
        for outcome in file.walk() {
            outcomes.push(outcome.ok()?);
        }
        Some((kept.standpoint, outcomes))
    }

    /// Keeps what a review leaves in place of what the one before left; `outcomes` are sorted by enterprise.
    pub fn keep_standpoint(
        &self,
        standpoint: Standpoint,
        outcomes: &[Outcome],
    ) -> Result<(), StoreError> {
        let folder = self.review_folder();
        private_folder(&folder)?;
        let older = outcomes_in(&folder)?;
        let number = older.last().map_or(0, |(number, _)| *number) + 1;
        let items = outcomes.iter().map(|outcome| Ok(*outcome));
        let items = sorted_file::write(&outcomes_file(&folder, number), items)?;
        let kept = Kept {
            layout: LAYOUT,
            outcomes: number,
            items,
            standpoint,
        };
        let body = serde_json::to_vec(&kept)
            .map_err(|error| unfit(format!("评估结果无法写成JSON：{error}")))?;
        let mut text = blake3::hash(&body).to_hex().to_string().into_bytes();
        text.push(b'\n');
        text.extend_from_slice(&body);
        let (place, beside) = (folder.join("standpoint"), folder.join("standpoint.writing"));
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .and_then(|mut file| {
                file.write_all(&text)?;
                file.sync_all()
            })
            .map_err(io("写评估结果"))?;
        fs::rename(&beside, &place).map_err(io("写评估结果"))?;
        for (_, path) in older {
            sorted_file::remove(&path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;
    use crate::domain::candidates::{LooseEnds, Searched};

    #[test]
    fn what_is_damaged_is_none_and_the_next_review_leaves_its_own() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path()).unwrap();
        assert!(store.standpoint().is_none());
        let standpoint = Standpoint {
            basis: "b".to_owned(),
            day: date(2026, 4, 10),
            full: date(2026, 4, 7),
            positions: BTreeMap::new(),
            surveys: BTreeMap::from([("EMA49U85BX".to_owned(), 7)]),
            loose: LooseEnds::default(),
            searched: Searched::default(),
        };
        let outcome = |enterprise| Outcome {
            enterprise,
            turns: None,
            unit: Some(1),
            employed: 5,
            findings: 1,
        };
        let outcomes: Vec<Outcome> = (0..500).map(outcome).collect();
        for _ in 0..2 {
            store
                .keep_standpoint(standpoint.clone(), &outcomes)
                .unwrap();
            assert_eq!(
                store.standpoint(),
                Some((standpoint.clone(), outcomes.clone()))
            );
        }
        let folder = home.path().join("review");
        let files = || outcomes_in(&folder).unwrap();
        assert_eq!(files().len(), 1, "the older ones are gone");
        for path in [folder.join("standpoint"), files()[0].1.clone()] {
            let whole = fs::read(&path).unwrap();
            for at in [0, whole.len() / 2, whole.len() - 1] {
                let mut damaged = whole.clone();
                damaged[at] ^= 0x20;
                fs::write(&path, &damaged).unwrap();
                assert!(store.standpoint().is_none(), "{} {at}", path.display());
                fs::write(&path, &whole[..at]).unwrap();
                assert!(store.standpoint().is_none(), "{} cut {at}", path.display());
            }
            fs::write(&path, &whole).unwrap();
            assert!(store.standpoint().is_some());
        }
        fs::remove_file(&files()[0].1).unwrap();
        assert!(store.standpoint().is_none());
    }

    #[test]
    fn outcomes_come_back_as_they_were() {
        for turns in [
            None,
            Some(date(2026, 4, 30)),
            Some(date(-44, 3, 15)),
            Some(Date::MAX),
        ] {
            for unit in [None, Some(0), Some(13)] {
                let outcome = Outcome {
                    enterprise: u64::MAX >> 16,
                    turns,
                    unit,
                    employed: 1 << 40,
                    findings: 0b1010,
                };
                let mut bytes = Vec::new();
                outcome.put(&mut bytes);
                assert_eq!(bytes.len(), Outcome::BYTES);
                assert_eq!(Outcome::take(&bytes), Some(outcome));
            }
        }
    }
}
