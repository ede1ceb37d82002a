//! Reading one file through decode and mapping into what the guard judges: the same for pull, preview, release and “what if”.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use jiff::civil::Date;

use crate::adapter::guard::tally;
use crate::adapter::language::Adapter;
use crate::adapter::mapping::Mapper;
use crate::adapter::row::{CUT_ROW, Decoded};
use crate::domain::batch::{Census, ISSUES_KEPT, Issue, Unreadable};
use crate::domain::duplicate::prevails;
use crate::domain::record::Record;
use crate::intake::decode::{BROKEN_OFF, Memory, decode_knowing};
use crate::tasks::Failure;

/// What one file says of itself, its records apart.
#[derive(Debug, Default)]
pub struct Reading {
    /// Rows seen, without total rows.
    pub rows: u64,
    /// Rows set aside.
    pub set_aside: u64,
    /// The first issues, at most [`ISSUES_KEPT`].
    pub issues: Vec<Issue>,
    /// All issues.
    pub issue_count: u64,
    /// What the guards count; whoever takes the records counts them.
    pub census: Census,
    /// The row in which the file breaks off.
    pub cut_row: Option<u64>,
    /// The total the file declares.
    pub declared_total: Option<u64>,
    /// The day it speaks of.
    pub as_of: Option<Date>,
    /// The headings, sorted.
    pub columns: Vec<String>,
    /// The charset it was read in.
    pub charset: String,
    /// The member of an archive of several that is being read: rows are counted in it.
    member: String,
}

/// What a reading offers to whoever takes the records.
#[derive(Debug)]
pub enum Offer<'r> {
    /// Fingerprints that are about to be sighted: whoever knows rows may fetch what it needs for all of them at once.
    Coming(&'r [u64]),
    /// A raw row with this fingerprint, not read yet.
    Sighted(u64),
    /// A record.
    Record {
        /// Itself.
        record: &'r Record,
        /// The row it stands on.
        row: u64,
        /// The fingerprint of its raw row; 0 when the row has to be read again next time.
        raw: u64,
    },
}

/// What the taker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    GoOn,
    /// The row that was sighted is known and goes no further.
    Known,
    /// Another row has the same key and another content.
    Twins {
        /// The row that counts; 0 when its number is not known.
        kept: u64,
        /// The row that does not.
        other: u64,
    },
}

/// The file of a reading and how it came.
#[derive(Debug, Clone, Copy)]
pub struct Delivered<'a> {
    /// Where its bytes lie.
    pub path: &'a Path,
    /// Its name as delivered.
    pub name: &'a str,
    /// The day of delivery.
    pub day: Date,
    /// Pseudonyms are made under this key.
    pub pseudonym_key: &'a [u8; 32],
}

impl Reading {
    fn complain(&mut self, issues: impl IntoIterator<Item = Issue>) {
        for mut issue in issues {
            self.issue_count += 1;
            if !self.member.is_empty() {
                issue.reason = format!("（{}）{}", self.member, issue.reason);
            }
            if self.issues.len() < ISSUES_KEPT {
                self.issues.push(issue);
            }
        }
    }

    fn twins(&mut self, kept: u64, other: u64) {
        let kept_row = match kept {
            0 => "文件中另一行".to_owned(),
            kept => format!("第{kept}行"),
        };
        let (row, loses) = match other {
            0 => (
                kept,
                format!("本行与文件中另一行（内容同上一批）主键相同而内容不同，采用{kept_row}"),
            ),
            other => (
                other,
                format!("与{kept_row}主键相同而内容不同，采用{kept_row}"),
            ),
        };
        self.complain([Issue {
            row,
            column: String::new(),
            value: String::new(),
            code: "YB-2301".to_owned(),
            reason: format!("{loses}（核准日期较新者优先）。处理：请核对并只保留一行。"),
        }]);
    }
}

/// Rows between two words to whoever looks on.
const WATCHED_ROWS: u64 = 256;

/// A file read whole into memory: for samples, previews and “what if”.
#[derive(Debug, Default)]
pub struct Held {
    /// What the file says of itself.
    pub reading: Reading,
    /// Its records by key, with the row each stands on.
    pub records: BTreeMap<String, (Record, u64)>,
}

impl Held {
    fn keep(&mut self, record: &Record, row: u64) -> Answer {
        match self.records.entry(record.key()) {
            Entry::Vacant(place) => {
                place.insert((record.clone(), row));
                Answer::GoOn
            }
            Entry::Occupied(held) if held.get().0 == *record => Answer::GoOn,
            Entry::Occupied(mut held) if prevails(record, &held.get().0) => {
                let other = held.get().1;
                held.insert((record.clone(), row));
                Answer::Twins { kept: row, other }
            }
            Entry::Occupied(held) => Answer::Twins {
                kept: held.get().1,
                other: row,
            },
        }
    }
}

/// Reads a file into memory; `watch` is told rows read, now and then.
///
/// # Errors
/// The file is not what the adapter declares; nothing of it is used.
pub fn read_held(
    delivered: Delivered<'_>,
    adapter: &Adapter,
    watch: &dyn Fn(u64),
) -> Result<Held, Unreadable> {
    let mut held = Held::default();
    let read = read(delivered, adapter, None, watch, &mut |offer| {
        Ok(match offer {
            Offer::Coming(_) | Offer::Sighted(_) => Answer::GoOn,
            Offer::Record { record, row, .. } => held.keep(record, row),
        })
    });
    held.reading = match read {
        Ok(reading) => reading?,
        // Nothing above fails otherwise than by the file.
        Err(failure) => {
            return Err(Unreadable {
                code: BROKEN_OFF,
                text: failure.to_string(),
            });
        }
    };
    held.reading.census = tally::census(held.records.values().map(|(record, _)| record));
    Ok(held)
}

/// Reads a file as the adapter describes it and offers its records one by one. With `known_columns` — those that the rows known so
/// far had — rows are sighted first, and those the taker knows go no further.
///
/// # Errors
/// Outside what `take` fails with; inside, the file is not what the adapter declares, and nothing of it is to be used.
pub fn read(
    delivered: Delivered<'_>,
    adapter: &Adapter,
    known_columns: Option<&[String]>,
    watch: &dyn Fn(u64),
    take: &mut dyn FnMut(Offer<'_>) -> Result<Answer, Failure>,
) -> Result<Result<Reading, Unreadable>, Failure> {
    let mut failed = None;
    let mut guarded = |offer: Offer<'_>| match take(offer) {
        Ok(answer) => Ok(answer),
        Err(failure) => {
            failed = Some(failure);
            // Ends the decoding; what it says is not heard.
            Err(Unreadable {
                code: BROKEN_OFF,
                text: String::new(),
            })
        }
    };
    let read = read_offered(delivered, adapter, known_columns, watch, &mut guarded);
    match failed {
        Some(failure) => Err(failure),
        None => Ok(read),
    }
}

fn read_offered(
    delivered: Delivered<'_>,
    adapter: &Adapter,
    known_columns: Option<&[String]>,
    watch: &dyn Fn(u64),
    take: &mut dyn FnMut(Offer<'_>) -> Result<Answer, Unreadable>,
) -> Result<Reading, Unreadable> {
    let take = RefCell::new(take);
    // Rows that are known by their bytes are known whatever a title says, unless the title casts doubt on what they say.
    let doubted = Cell::new(false);
    let known = Cell::new(0_u64);
    let knows = |fingerprint| {
        let is_known = !doubted.get()
            && matches!(
                (take.borrow_mut())(Offer::Sighted(fingerprint)),
                Ok(Answer::Known)
            );
        if is_known {
            known.set(known.get() + 1);
            if known.get().is_multiple_of(WATCHED_ROWS) {
                watch(known.get());
            }
        }
        is_known
    };
    let coming = |fingerprints: &[u64]| {
        // What it answers means nothing: nothing was asked yet.
        let _ = (take.borrow_mut())(Offer::Coming(fingerprints));
    };
    let memory = known_columns.map(|columns| Memory {
        knows: &knows,
        coming: &coming,
        columns,
    });
    let mut mapper = Mapper::new(
        adapter,
        delivered.name,
        delivered.day,
        delivered.pseudonym_key,
    );
    let mut reading = Reading::default();
    let mut ready = false;
    let mut sink = |decoded: Decoded<'_>| {
        match decoded {
            Decoded::Member(name) => reading.member = name,
            Decoded::Title(line) => {
                reading.complain(mapper.title(&line));
                doubted.set(mapper.is_doubted());
            }
            Decoded::Columns(headings) => {
                reading.complain(mapper.columns(&headings)?);
                reading.columns = headings;
                ready = true;
            }
            Decoded::Spoilt {
                number,
                code,
                reason,
            } => {
                reading.rows += 1;
                reading.set_aside += 1;
                if code == CUT_ROW {
                    reading.cut_row = Some(number);
                }
                reading.complain([Issue {
                    row: number,
                    column: String::new(),
                    value: String::new(),
                    code: code.to_owned(),
                    reason,
                }]);
            }
            Decoded::Row(row) => {
                let lost = known_columns.is_some() && row.shows_loss();
                mapper.depersonalise(row);
                let mapped = mapper.row(row);
                if mapped.is_total {
                    return Ok(());
                }
                reading.rows += 1;
                // A row with an issue is read again each time, so that the issue is told each time; one that lost a character, so
                // that the loss is counted.
                let is_sound = mapped.issues.is_empty() && !lost && !doubted.get();
                let raw = if is_sound { row.fingerprint } else { 0 };
                reading.complain(mapped.issues);
                match mapped.record {
                    Some(record) => {
                        let offer = Offer::Record {
                            record: &record,
                            row: row.number,
                            raw,
                        };
                        if let Answer::Twins { kept, other } = (take.borrow_mut())(offer)? {
                            reading.twins(kept, other);
                        }
                        mapper.take_back(record);
                    }
                    None => reading.set_aside += 1,
                }
            }
        }
        if reading.rows.is_multiple_of(WATCHED_ROWS) {
            watch(reading.rows + known.get());
        }
        Ok(())
    };
    let decoding = decode_knowing(delivered.path, adapter, memory.as_ref(), &mut sink)?;
    reading.rows += decoding.known;
    reading.member.clear();
    reading.declared_total = decoding.declared_total;
    reading.charset = decoding.charset;
    reading.complain(decoding.remarks.into_iter().map(|remark| Issue {
        row: 0,
        column: String::new(),
        value: String::new(),
        code: remark.code.to_owned(),
        reason: remark.text,
    }));
    // An export without a single row has no headings either where the format carries them in the rows.
    if ready || reading.rows > 0 {
        reading.as_of = Some(mapper.as_of()?);
    } else {
        reading.as_of = mapper.as_of().ok();
    }
    reading.columns.retain(|heading| !heading.is_empty());
    reading.columns.sort();
    watch(reading.rows);
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const TAX: &str = include_str!("../../adapters/tax.toml");

    #[test]
    fn an_issue_names_the_member_its_row_stands_in() {
        let text = TAX.replacen(
            "[format.csv]",
            "[container.zip]\nmember = \"*.csv\"\nseveral = true\n\n[format.csv]",
            1,
        );
        let adapter = Adapter::check("tax", "0", toml::from_str(&text).unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("202602.zip");
        let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        for name in ["甲.csv", "乙.csv"] {
            let options = zip::write::SimpleFileOptions::default();
            archive.start_file(name, options).unwrap();
            let rows =
                "数据截止日期：2026-03-18\n纳税人识别号,纳税人名称,所属期\n,宛东商贸,202602\n";
            let bytes = encoding_rs::GB18030.encode(rows).0;
            archive.write_all(&bytes).unwrap();
        }
        archive.finish().unwrap();
        let delivered = Delivered {
            path: &path,
            name: "202602.zip",
            day: jiff::civil::date(2026, 3, 20),
            pseudonym_key: &[0; 32],
        };
        let reading = read_held(delivered, &adapter, &|_| {}).unwrap().reading;
        assert_eq!((reading.rows, reading.set_aside), (2, 2));
        for name in ["甲.csv", "乙.csv"] {
            let start = format!("（{name}）");
            let named = |issue: &&Issue| issue.row == 3 && issue.reason.starts_with(&start);
            assert_eq!(reading.issues.iter().filter(named).count(), 1, "{name}");
        }
    }
}
