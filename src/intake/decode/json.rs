//! JSON: one document, several after each other, or a record per line, without keeping a document in memory.

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::rc::Rc;

use serde::de::{self, DeserializeSeed};

use crate::adapter::format::Json;
use crate::adapter::limits::Limits;
use crate::adapter::row::CUT_ROW;
use crate::domain::batch::Unreadable;
use crate::domain::text::fold;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::json::places::At;
use crate::intake::decode::meter::{Meter, Metered};
use crate::intake::decode::records::Records;
use crate::intake::decode::source::{Source, Stretch};
use crate::intake::decode::{from_io, unreadable};

mod places;
mod record;
mod regular;

/// What may stand around values; there is more that other formats take for blank.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// The least cap on one record.
const RECORD_BYTES: u64 = 4 << 20;

/// Reads JSON records: keys are the columns, keys of inner objects joined by slashes, the scalars of an inner array
/// joined by `；`. Returns the declared total, in which all documents must agree.
///
/// A text where the records, or something on the way to them, should stand is read as the JSON it holds: gateways wrap
/// one system's answer into another's.
pub fn decode(
    text: impl BufRead,
    format: &Json,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<Option<u64>, Unreadable> {
    let mut walk = Walk::new(format, limits, handover);
    let text = Metered::new(text, &walk.meter, endless());
    // The reader takes byte by byte, which a plain buffer gives fastest; what it fetches ahead is far below the cap.
    let buffered = BufReader::with_capacity(8 << 10, text);
    let mut reader = serde_json::Deserializer::from_reader(buffered);
    loop {
        walk.total_here = false;
        walk.rows_here = false;
        if let Err(error) = (At { walk: &mut walk }).deserialize(&mut reader) {
            return Err(walk.fault(error));
        }
        walk.meter.reset();
        if !walk.rows_here {
            return Err(walk.no_rows());
        }
        if walk.total.is_some() && !walk.total_here {
            return Err(walk.bad_total());
        }
        match reader.end() {
            Ok(()) => return Ok(walk.total_seen),
            Err(error) if error.is_io() => return Err(walk.fault(error)),
            // Something follows: the next document, or what is none and fails there.
            Err(_) => {}
        }
    }
}

/// Reads a record per line. A line that is no JSON is set aside with its number: the next one stands by itself.
pub fn decode_lines(
    mut source: Source<'_>,
    format: &Json,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<(), Unreadable> {
    let mut walk = Walk::new(format, limits, handover);
    let may_be_regular = walk.rows.is_empty() && limits.depth > 0 && walk.records.looks_ahead();
    let most = usize::try_from(walk.record_bytes).unwrap_or(usize::MAX);
    let mut number = 0;
    loop {
        let (bytes, is_ended) = match source.stretch(most)? {
            Stretch::Line(bytes) => (bytes, true),
            Stretch::Piece(bytes) if source.has_ended() => (bytes, false),
            Stretch::Piece(_) => return Err(endless()),
            Stretch::End => break,
        };
        number += 1 + walk.records.passed()?;
        let text = source.text(bytes);
        if may_be_regular && (walk.records).lay(|columns, row| regular::lay(text, columns, row)) {
            walk.records.hand_on(number)?;
        } else if !text.trim_matches(BLANKS).is_empty() {
            walk.line(number, text, is_ended)?;
        }
    }
    Ok(())
}

/// The tokens of a JSON pointer (RFC 6901).
fn split(pointer: &str) -> Vec<String> {
    pointer
        .split('/')
        .skip(1)
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect()
}

fn endless() -> Unreadable {
    unreadable(
        "YB-2137",
        "JSON 中有一条记录或一个值过大。处理：请提供方核对该记录；核对适配文件 rows 是否指向记录数组",
    )
}

/// A reader of JSON that stands in a text.
type Embedded<'t> = serde_json::Deserializer<serde_json::de::StrRead<'t>>;

/// Where reading stands.
#[allow(
    clippy::struct_excessive_bools,
    reason = "what was met in this document, and where reading is; not a state machine"
)]
struct Walk<'h, 's, 'l> {
    rows: Vec<String>,
    total: Option<Vec<String>>,
    path: Vec<String>,
    records: Records<'h, 's>,
    total_seen: Option<u64>,
    total_here: bool,
    rows_here: bool,
    /// Every line is a document with one record.
    lines: bool,
    /// Inside a text that holds JSON. There is no second one inside it.
    embedded: bool,
    /// Slash path of the value at hand, inside a record.
    name: String,
    depth: usize,
    limits: &'l Limits,
    record_bytes: u64,
    meter: Rc<Meter>,
    /// Why reading was stopped: serde's errors carry text only.
    refusal: RefCell<Option<Unreadable>>,
}

impl<'h, 's, 'l> Walk<'h, 's, 'l> {
    fn new(format: &Json, limits: &'l Limits, handover: &'h mut Handover<'s>) -> Self {
        let record_bytes = (limits.cell_bytes as u64)
            .saturating_mul(16)
            .max(RECORD_BYTES);
        Self {
            rows: split(&format.rows),
            total: format.total.as_deref().map(split),
            path: Vec::new(),
            records: Records::new(handover, limits),
            total_seen: None,
            total_here: false,
            rows_here: false,
            lines: format.lines,
            embedded: false,
            name: String::new(),
            depth: 0,
            limits,
            record_bytes,
            meter: Meter::new(record_bytes.max(limits.embedded_bytes)),
            refusal: RefCell::new(None),
        }
    }
}

impl Walk<'_, '_, '_> {
    /// Reads one line; `is_ended` says that it has a line end.
    fn line(&mut self, number: u64, line: &str, is_ended: bool) -> Result<(), Unreadable> {
        self.records.begin_at(number);
        self.path.clear();
        self.rows_here = false;
        let mut reader = serde_json::Deserializer::from_str(line);
        let result = (At { walk: self })
            .deserialize(&mut reader)
            .and_then(|()| reader.end());
        if let Some(refusal) = self.refusal.borrow_mut().take() {
            return Err(refusal);
        }
        let (code, reason) = match result {
            Ok(()) if self.rows_here => return self.records.finish(),
            Ok(()) => (
                "YB-2154",
                format!(
                    "本行没有“/{}”。处理：请提供方核对该行；核对适配文件 rows 与导出是否一致",
                    self.rows.join("/")
                ),
            ),
            Err(error) if error.is_eof() && !is_ended => (
                CUT_ROW,
                "文件在这一行中断：没有行尾，内容不完整。处理：核对传输是否完整，请提供方重新导出"
                    .to_owned(),
            ),
            Err(error) => (
                "YB-2158",
                format!(
                    "本行第 {} 列起 JSON 格式有误。处理：请提供方核对该行",
                    error.column()
                ),
            ),
        };
        self.records.begin_at(number);
        self.records.spoil(code, reason);
        self.records.finish()
    }

    /// Reads the JSON that a text holds, as if it stood there itself.
    fn embedded<E: de::Error>(
        &mut self,
        text: &str,
        read: impl FnOnce(&mut Self, &mut Embedded<'_>) -> serde_json::Result<()>,
    ) -> Result<(), E> {
        if self.embedded {
            return Err(self.stop(self.no_rows()));
        }
        self.embedded = true;
        let mut reader = serde_json::Deserializer::from_str(text);
        let result = read(self, &mut reader).and_then(|()| reader.end());
        self.embedded = false;
        result.map_err(|error| {
            let refusal = self.fault(error);
            self.stop(refusal)
        })
    }

    /// A value in the record at hand that is no JSON after all, such as half a surrogate pair.
    fn bad_record(&self) -> Unreadable {
        unreadable(
            "YB-2131",
            format!(
                "第 {} 条记录中有不合规范的字符或转义，JSON 格式有误。处理：请提供方核对并重新导出",
                self.records.number()
            ),
        )
    }

    /// The same key twice on the way to the records or the total: nobody can say which is meant.
    fn twice(what: &str) -> Unreadable {
        unreadable(
            "YB-2136",
            format!("同一文档中{what}出现两次，无法确定以哪个为准。处理：请提供方核对导出格式"),
        )
    }

    fn stop<E: de::Error>(&self, refusal: Unreadable) -> E {
        self.refusal.borrow_mut().get_or_insert(refusal);
        E::custom("stopped")
    }

    fn fault(&self, error: serde_json::Error) -> Unreadable {
        if let Some(refusal) = self.refusal.borrow_mut().take() {
            return refusal;
        }
        let place = format!(
            "第 {} 行第 {} 列（第 {} 条记录附近）",
            error.line(),
            error.column(),
            self.records.number()
        );
        if error.is_io() {
            from_io(&error.into())
        } else if error.is_eof() {
            unreadable(
                "YB-2138",
                format!("{place}文件中断，结尾缺失。处理：核对传输是否完整，请提供方重新导出"),
            )
        } else {
            unreadable(
                "YB-2131",
                format!("{place}JSON 格式有误。处理：请提供方核对并重新导出"),
            )
        }
    }

    fn no_rows(&self) -> Unreadable {
        unreadable(
            "YB-2132",
            format!(
                "没有找到记录数组“/{}”。处理：核对适配文件 rows 与导出是否一致；每行一条记录的，写明 lines = true；也可能返回的是报错信息",
                self.rows.join("/")
            ),
        )
    }

    fn bad_total(&self) -> Unreadable {
        unreadable(
            "YB-2133",
            format!(
                "声明的总数“/{}”缺失或不是数字。处理：核对适配文件 total 与导出是否一致",
                self.total.as_deref().unwrap_or_default().join("/")
            ),
        )
    }

    fn take_total(&mut self, text: &str) -> Result<(), Unreadable> {
        if self.total_here {
            return Err(Self::twice("总数"));
        }
        let total = fold(text).parse().map_err(|_| self.bad_total())?;
        self.total_here = true;
        match self.total_seen.replace(total) {
            Some(before) if before != total => Err(unreadable(
                "YB-2134",
                format!(
                    "各页声明的总数不一致（{before} 与 {total}），数据在导出期间有变化。处理：重新拉取"
                ),
            )),
            _ => Ok(()),
        }
    }

    fn deeper(&mut self) -> Result<(), Unreadable> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(unreadable(
                "YB-2135",
                format!(
                    "第 {} 条记录附近嵌套超过上限 {} 层。处理：请提供方核对导出格式",
                    self.records.number(),
                    self.limits.depth
                ),
            ));
        }
        Ok(())
    }
}
