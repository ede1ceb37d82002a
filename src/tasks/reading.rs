//! Reading one file through decode and mapping into what the guard judges: the same for pull, preview, release and “what if”.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use jiff::civil::Date;

use crate::adapter::guard;
use crate::adapter::language::Adapter;
use crate::adapter::mapping::Mapper;
use crate::adapter::row::{CUT_ROW, Decoded, Reply};
use crate::domain::batch::{Census, ISSUES_KEPT, Issue, Unreadable};
use crate::domain::duplicate::prevails;
use crate::domain::record::Record;
use crate::intake::decode::decode;

/// Everything one file says.
#[derive(Debug, Default)]
pub struct Reading {
    /// The records by key, with the row each stands on.
    pub records: BTreeMap<String, (Record, u64)>,
    /// Rows seen, without total rows.
    pub rows: u64,
    /// Rows set aside.
    pub set_aside: u64,
    /// The first issues, at most [`ISSUES_KEPT`].
    pub issues: Vec<Issue>,
    /// All issues.
    pub issue_count: u64,
    /// What the guards count.
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

    fn keep(&mut self, record: Record, row: u64) {
        let duplicate = match self.records.entry(record.key()) {
            Entry::Vacant(place) => {
                place.insert((record, row));
                return;
            }
            Entry::Occupied(mut held) => {
                if held.get().0 == record {
                    return;
                }
                let (kept, other) = if prevails(&record, &held.get().0) {
                    let other = held.get().1;
                    held.insert((record, row));
                    (row, other)
                } else {
                    (held.get().1, row)
                };
                (kept, other)
            }
        };
        let (kept, other) = duplicate;
        self.complain([Issue {
            row: other,
            column: String::new(),
            value: String::new(),
            code: "YB-2301".to_owned(),
            reason: format!(
                "与第{kept}行主键相同而内容不同，采用第{kept}行（核准日期较新者优先）。处理：请核对并只保留一行。"
            ),
        }]);
    }
}

/// Rows between two words to whoever looks on.
const WATCHED_ROWS: u64 = 256;

/// As [`read_watched`], with nobody looking on.
///
/// # Errors
/// The file is not what the adapter declares; nothing of it is used.
pub fn read(
    path: &Path,
    adapter: &Adapter,
    name: &str,
    delivered: Date,
    pseudonym_key: &[u8; 32],
) -> Result<Reading, Unreadable> {
    read_watched(path, adapter, name, delivered, pseudonym_key, &|_| {})
}

/// Reads a file as the adapter describes it. `name` is the file's name as delivered, `delivered` the day; pseudonyms are made
/// under `pseudonym_key`; `watch` is told rows read, now and then.
///
/// # Errors
/// The file is not what the adapter declares; nothing of it is used.
pub fn read_watched(
    path: &Path,
    adapter: &Adapter,
    name: &str,
    delivered: Date,
    pseudonym_key: &[u8; 32],
    watch: &dyn Fn(u64),
) -> Result<Reading, Unreadable> {
    let mut mapper = Mapper::new(adapter, name, delivered, pseudonym_key);
    let mut reading = Reading::default();
    let mut ready = false;
    let decoding = decode(path, adapter, &mut |decoded| {
        match decoded {
            Decoded::Member(name) => reading.member = name,
            Decoded::Title(line) => reading.complain(mapper.title(&line)),
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
            Decoded::Sighted { .. } => {}
            Decoded::Row(row) => {
                mapper.depersonalise(row);
                let mapped = mapper.row(row);
                if mapped.is_total {
                    return Ok(Reply::GoOn);
                }
                reading.rows += 1;
                reading.complain(mapped.issues);
                match mapped.record {
                    Some(record) => reading.keep(record, row.number),
                    None => reading.set_aside += 1,
                }
            }
        }
        if reading.rows.is_multiple_of(WATCHED_ROWS) {
            watch(reading.rows);
        }
        Ok(Reply::GoOn)
    })?;
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
    count(&mut reading);
    Ok(reading)
}

fn count(reading: &mut Reading) {
    let mut census = Census::default();
    for (record, _) in reading.records.values() {
        guard::count(&mut census, record);
    }
    census.content = guard::content(reading.records.values().map(|(record, _)| record));
    reading.census = census;
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
        let reading = read(
            &path,
            &adapter,
            "202602.zip",
            jiff::civil::date(2026, 3, 20),
            &[0; 32],
        )
        .unwrap();
        assert_eq!((reading.rows, reading.set_aside), (2, 2));
        for name in ["甲.csv", "乙.csv"] {
            let start = format!("（{name}）");
            let named = |issue: &&Issue| issue.row == 3 && issue.reason.starts_with(&start);
            assert_eq!(reading.issues.iter().filter(named).count(), 1, "{name}");
        }
    }
}
