//! Handing rows on, with what holds for a whole batch in one place: the count of rows and the cap on it, the columns, the
//! fingerprints, and remarks.

use std::collections::HashMap;

use crate::adapter::language::Adapter;
use crate::adapter::row::{Decoded, RawRow, Reply, Sink};
use crate::domain::batch::Unreadable;
use crate::domain::text::fold;
use crate::intake::decode::fingerprint::Stamp;
use crate::intake::decode::records::too_many_columns;
use crate::intake::decode::{Remark, unreadable};

/// Remarks that are kept of one file: nobody reads more.
const REMARKS: usize = 100;

/// The longest name of a column that an XML or JSON record may show.
const NAME_BYTES: usize = 1 << 10;

/// The way out of every decoder.
pub struct Handover<'s> {
    sink: &'s mut Sink<'s>,
    /// Whether rows are found before they are read; without it every row is read in full.
    pub looks_ahead: bool,
    /// What makes fingerprints.
    stamp: Stamp,
    /// Digest of the bytes of the row at hand, where they are known to be all of it and nothing else.
    bytes: Option<u64>,
    /// The fingerprint that was sighted last of the row at hand; 0 when none was.
    sighted: u64,
    rows: u64,
    limit: u64,
    remarks: Vec<Remark>,
    /// The columns known by now, over all members of an archive.
    columns: Vec<String>,
    /// Which of them have a name that stands in a record as it is.
    are_plain: Vec<bool>,
    /// Places of the columns that XML and JSON show record by record.
    index: HashMap<String, usize>,
    /// How many of them the sink knows.
    announced: usize,
    most_columns: usize,
    /// The place of the column that is expected next.
    next: usize,
}

impl<'s> Handover<'s> {
    /// Nothing handed on yet.
    pub fn new(sink: &'s mut Sink<'s>, adapter: &Adapter) -> Self {
        let limits = &adapter.limits;
        Self {
            sink,
            looks_ahead: true,
            stamp: Stamp::new(adapter),
            bytes: None,
            sighted: 0,
            rows: 0,
            limit: limits.rows,
            remarks: Vec::new(),
            columns: Vec::new(),
            are_plain: Vec::new(),
            index: HashMap::new(),
            announced: 0,
            most_columns: limits.columns,
            next: 0,
        }
    }

    /// Rows handed on, spoilt ones included.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Something worth a look, in Chinese, that does not keep the file from being read.
    pub fn remark(&mut self, code: &'static str, text: String) {
        if self.remarks.len() < REMARKS {
            self.remarks.push(Remark { code, text });
        }
    }

    /// What was remarked.
    pub fn into_remarks(self) -> Vec<Remark> {
        self.remarks
    }

    /// The next member of an archive of several.
    pub fn member(&mut self, name: &str) -> Result<(), Unreadable> {
        self.tell(Decoded::Member(name.to_owned()))
    }

    /// A line above the headings.
    pub fn title(&mut self, text: String) -> Result<(), Unreadable> {
        self.tell(Decoded::Title(text))
    }

    fn tell(&mut self, decoded: Decoded<'_>) -> Result<(), Unreadable> {
        (self.sink)(decoded).map(|_| ())
    }

    /// The charset of the bytes that the rows of the next member are found in.
    pub fn read_as(&mut self, charset: &str) {
        self.stamp.read_as(charset);
    }

    /// How many cells the rows that follow may have.
    pub fn rows_of(&mut self, lengths: &str) {
        self.stamp.lengths(lengths);
    }

    /// The headings of a table. A further member of an archive must have the same.
    pub fn columns(&mut self, columns: Vec<String>) -> Result<(), Unreadable> {
        if self.columns.is_empty() {
            self.columns.clone_from(&columns);
            self.announced = columns.len();
            self.stamp.headings(&columns);
            return self.tell(Decoded::Columns(columns));
        }
        let same = self.columns.len() == columns.len()
            && (self.columns.iter().zip(&columns)).all(|(a, b)| fold(a) == fold(b));
        if same {
            return Ok(());
        }
        Err(unreadable(
            "YB-2082",
            "压缩包内各文件的表头不一致，不能接着读。处理：请提供方按同一表头导出；或改正适配文件 container.zip.member，只取其中一个",
        ))
    }

    /// The place of a column that a record shows; a new one is added. `number` is the record's.
    pub fn column(&mut self, name: &str, number: u64) -> Result<usize, Unreadable> {
        // Records are alike: the next column is nearly always the one behind the last.
        if self.columns.get(self.next).is_some_and(|next| next == name) {
            self.next += 1;
            return Ok(self.next - 1);
        }
        if let Some(&at) = self.index.get(name) {
            self.next = at + 1;
            return Ok(at);
        }
        let at = self.columns.len();
        if at >= self.most_columns {
            return Err(too_many_columns(number, self.most_columns));
        }
        if name.len() > NAME_BYTES {
            return Err(unreadable(
                "YB-2139",
                format!(
                    "第 {number} 条记录中有名称超过 {NAME_BYTES} 字节的项。处理：请提供方核对导出格式"
                ),
            ));
        }
        self.next = at + 1;
        self.stamp.column(name);
        let odd = |byte: u8| byte <= b' ' || b"/@:<>&'\"=!?\\".contains(&byte);
        self.are_plain
            .push(!name.is_empty() && !name.bytes().any(odd));
        self.columns.push(name.to_owned());
        self.index.insert(name.to_owned(), at);
        Ok(at)
    }

    /// The place and the name of a known column whose name the bytes begin with, when `behind` follows it. `next` is the one
    /// that is looked at first: records are alike.
    pub fn named(&self, next: usize, bytes: &[u8], behind: &[u8]) -> Option<(usize, &str)> {
        let is_it = |at: usize| {
            let name = self.columns.get(at)?.as_str();
            let rest = bytes.strip_prefix(name.as_bytes())?;
            let is_plain = self.are_plain.get(at).is_some_and(|is| *is);
            (is_plain && rest.first().is_some_and(|byte| behind.contains(byte)))
                .then_some((at, name))
        };
        if let Some(found) = is_it(next) {
            return Some(found);
        }
        let length = bytes
            .iter()
            .take(NAME_BYTES)
            .position(|byte| behind.contains(byte))?;
        let name = std::str::from_utf8(&bytes[..length]).ok()?;
        is_it(*self.index.get(name)?)
    }

    /// Tells the sink of columns that were added.
    pub fn announce(&mut self) -> Result<(), Unreadable> {
        if self.announced == self.columns.len() {
            return Ok(());
        }
        self.announced = self.columns.len();
        self.tell(Decoded::Columns(self.columns.clone()))
    }

    /// A row was found whose bytes have this digest: whether it is known, so that it need not be read. It is counted then.
    pub fn sight(&mut self, number: u64, digest: u64) -> Result<bool, Unreadable> {
        let fingerprint = self.stamp.of_bytes(digest);
        self.sighted = fingerprint;
        let is_known = self.is_known(number, fingerprint)?;
        if is_known {
            self.sighted = 0;
        }
        Ok(is_known)
    }

    /// The row that comes next is made of the bytes with this digest, all of them and no others; `None` when that is not
    /// known.
    pub fn made_of(&mut self, digest: Option<u64>) {
        self.bytes = digest;
    }

    fn is_known(&mut self, number: u64, fingerprint: u64) -> Result<bool, Unreadable> {
        let sighted = Decoded::Sighted {
            number,
            fingerprint,
        };
        let is_known = (self.sink)(sighted)? == Reply::Known;
        if is_known {
            self.next = 0;
            self.count()?;
            // A record that was spoilt may have shown some.
            self.announce()?;
        }
        Ok(is_known)
    }

    /// A row. Its fingerprint is put here.
    pub fn row(&mut self, row: &mut RawRow) -> Result<(), Unreadable> {
        self.next = 0;
        row.fingerprint = match self.bytes.take() {
            Some(digest) => self.stamp.of_bytes(digest),
            None => self.stamp.of_cells(row),
        };
        let sighted = std::mem::take(&mut self.sighted);
        if row.fingerprint != sighted && self.is_known(row.number, row.fingerprint)? {
            return Ok(());
        }
        self.count()?;
        (self.sink)(Decoded::Row(row)).map(|_| ())
    }

    /// A row that cannot be laid on the columns.
    pub fn spoilt(
        &mut self,
        number: u64,
        code: &'static str,
        reason: String,
    ) -> Result<(), Unreadable> {
        self.bytes = None;
        self.sighted = 0;
        self.count()?;
        self.tell(Decoded::Spoilt {
            number,
            code,
            reason,
        })
    }

    fn count(&mut self) -> Result<(), Unreadable> {
        self.rows += 1;
        if self.rows > self.limit {
            return Err(unreadable(
                "YB-2107",
                format!(
                    "数据行数超过上限 {} 行。处理：核对文件是否正确；确需更多时调高适配文件 limits.rows",
                    self.limit
                ),
            ));
        }
        Ok(())
    }
}
