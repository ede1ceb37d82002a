//! Handing rows on, with what holds for a whole batch in one place: the count of rows and the cap on it, the columns,
//! and remarks.

use std::collections::HashMap;
use std::rc::Rc;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::adapter::limits::Limits;
use crate::adapter::row::{Decoded, RawRow, Sink};
use crate::domain::batch::Unreadable;
use crate::domain::text::fold;
use crate::intake::decode::records::too_many_columns;
use crate::intake::decode::sieve::{Gate, Passed};
use crate::intake::decode::xml::is_name;
use crate::intake::decode::{Memory, Remark, unreadable};

/// Remarks that are kept of one file: nobody reads more.
const REMARKS: usize = 100;

/// The longest name of a column that an XML or JSON record may show.
const NAME_BYTES: usize = 1 << 10;

/// The way out of every decoder.
pub struct Handover<'s> {
    sink: &'s mut Sink<'s>,
    /// Whether regular lines and records are read where they lie; without it the parsers read all.
    pub looks_ahead: bool,
    rows: u64,
    limit: u64,
    remarks: Vec<Remark>,
    /// The columns known by now, over all members of an archive.
    columns: Vec<String>,
    /// Which of them have a name that stands in a record as it is.
    are_plain: Vec<bool>,
    /// Which of them may be the name of an element.
    are_elements: Vec<bool>,
    /// Places of the columns that XML and JSON show record by record.
    index: HashMap<String, usize>,
    /// How many of them the sink knows.
    announced: usize,
    most_columns: usize,
    /// The place of the column that is expected next.
    next: usize,
    /// What is known of the rows, when somebody asks.
    memory: Option<&'s Memory<'s>>,
    gate: Option<Rc<Gate>>,
    /// Hashes of the columns' names, for fingerprints made of cells.
    names: Vec<u64>,
    /// The fingerprint of the row at hand, when it was found before it was cut.
    fingerprint: u64,
    /// Rows left out because they are known.
    known: u64,
}

impl<'s> Handover<'s> {
    /// Nothing handed on yet.
    pub fn new(sink: &'s mut Sink<'s>, limits: &Limits) -> Self {
        Self {
            sink,
            looks_ahead: true,
            rows: 0,
            limit: limits.rows,
            remarks: Vec::new(),
            columns: Vec::new(),
            are_plain: Vec::new(),
            are_elements: Vec::new(),
            index: HashMap::new(),
            announced: 0,
            most_columns: limits.columns,
            next: 0,
            memory: None,
            gate: None,
            names: Vec::new(),
            fingerprint: 0,
            known: 0,
        }
    }

    /// The same, for somebody who knows rows. Columns that the rows known by now had are told at once where records show them.
    pub fn remembering(
        mut self,
        memory: Option<&'s Memory<'s>>,
        grows: bool,
    ) -> Result<Self, Unreadable> {
        self.memory = memory;
        if let Some(memory) = memory.filter(|_| grows) {
            for name in memory.columns {
                self.column(name, 0)?;
            }
            self.next = 0;
            self.announce()?;
        }
        Ok(self)
    }

    /// The next member's rows come through this gate.
    pub fn through(&mut self, gate: Option<Rc<Gate>>) {
        // A further member has its headings yet to come; they are the same, and open it again.
        self.gate = gate;
    }

    /// The gate of the member at hand.
    pub fn gate(&self) -> Option<Rc<Gate>> {
        self.gate.clone()
    }

    /// The note of a record whose first byte has come; those left out before it are counted.
    pub fn passed(&mut self) -> Result<Passed, Unreadable> {
        let passed = self.gate.as_ref().map(|gate| gate.next());
        let passed = passed.unwrap_or_default();
        self.note(passed)?;
        Ok(passed)
    }

    /// The first row has shown how the others are written: `manner` says how.
    pub fn settle(&self, manner: &str) {
        if let Some(gate) = &self.gate {
            gate.settle(xxh3_64(manner.as_bytes()));
        }
    }

    /// Takes the note of a record.
    pub fn note(&mut self, passed: Passed) -> Result<(), Unreadable> {
        self.fingerprint = passed.fingerprint;
        self.skip(passed.skipped)
    }

    /// The member has ended: what was left out behind its last record is counted.
    pub fn end_of_member(&mut self) -> Result<(), Unreadable> {
        match self.gate.take() {
            Some(gate) => self.skip(gate.tail()),
            None => Ok(()),
        }
    }

    fn skip(&mut self, rows: u64) -> Result<(), Unreadable> {
        self.known += rows;
        self.rows += rows;
        self.within_limit()
    }

    /// Rows left out because they are known.
    pub fn known(&self) -> u64 {
        self.known
    }

    fn meaning(&self) -> u64 {
        let mut text = String::new();
        for column in &self.columns {
            text.push_str(column);
            text.push('\n');
        }
        xxh3_64(text.as_bytes())
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
        (self.sink)(Decoded::Member(name.to_owned()))
    }

    /// A line above the headings.
    pub fn title(&mut self, text: String) -> Result<(), Unreadable> {
        (self.sink)(Decoded::Title(text))
    }

    /// The headings of a table. A further member of an archive must have the same.
    pub fn columns(&mut self, columns: Vec<String>) -> Result<(), Unreadable> {
        if self.columns.is_empty() {
            self.columns.clone_from(&columns);
            let meaning = self.meaning();
            if let Some(gate) = &self.gate {
                gate.open(meaning);
            }
            return (self.sink)(Decoded::Columns(columns));
        }
        let same = self.columns.len() == columns.len()
            && (self.columns.iter().zip(&columns)).all(|(a, b)| fold(a) == fold(b));
        if same {
            let meaning = self.meaning();
            if let Some(gate) = &self.gate {
                gate.open(meaning);
            }
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
        let odd = |byte: u8| byte <= b' ' || b"/@:<>&'\"=!?\\".contains(&byte);
        self.are_plain
            .push(!name.is_empty() && !name.bytes().any(odd));
        self.are_elements.push(is_name(name));
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

    /// Whether a column of records has a name that an element may have.
    pub fn is_element(&self, column: usize) -> bool {
        self.are_elements.get(column).is_some_and(|is| *is)
    }

    /// Tells the sink of columns that were added.
    pub fn announce(&mut self) -> Result<(), Unreadable> {
        if self.announced == self.columns.len() {
            return Ok(());
        }
        self.announced = self.columns.len();
        (self.sink)(Decoded::Columns(self.columns.clone()))
    }

    /// A row.
    pub fn row(&mut self, row: &mut RawRow) -> Result<(), Unreadable> {
        self.next = 0;
        self.count()?;
        if self.announced > 0
            && let Some(gate) = &self.gate
        {
            // A record where records stand: those that follow on it are told by themselves.
            gate.open(0);
        }
        row.fingerprint = std::mem::take(&mut self.fingerprint);
        if let Some(memory) = self.memory
            && row.fingerprint == 0
        {
            row.fingerprint = self.of_cells(row);
            if (memory.knows)(row.fingerprint) {
                self.known += 1;
                return Ok(());
            }
        }
        (self.sink)(Decoded::Row(row))
    }

    /// A fingerprint of the cells under the names of their columns.
    fn of_cells(&mut self, row: &RawRow) -> u64 {
        for name in &self.columns[self.names.len()..] {
            let at = self.names.len() as u64;
            // Two columns of a table may have one name; records show no name twice.
            let seed = if self.announced > 0 { 0 } else { at + 1 };
            self.names.push(xxh3_64_with_seed(name.as_bytes(), seed));
        }
        let mut sum = 0_u64;
        for (cell, name) in row.cells().zip(&self.names) {
            if let Some(cell) = cell {
                let seed = name ^ u64::from(cell.numeric);
                // Added up, so that the order of columns does not matter.
                sum = sum.wrapping_add(xxh3_64_with_seed(cell.text.as_bytes(), seed));
            }
        }
        sum.max(1)
    }

    /// A row that cannot be laid on the columns.
    pub fn spoilt(
        &mut self,
        number: u64,
        code: &'static str,
        reason: String,
    ) -> Result<(), Unreadable> {
        self.fingerprint = 0;
        self.count()?;
        (self.sink)(Decoded::Spoilt {
            number,
            code,
            reason,
        })
    }

    fn count(&mut self) -> Result<(), Unreadable> {
        self.rows += 1;
        self.within_limit()
    }

    fn within_limit(&self) -> Result<(), Unreadable> {
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
