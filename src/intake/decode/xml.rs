//! XML records, one after the other, by element path.

use quick_xml::XmlVersion;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::escape::{EscapeError, resolve_predefined_entity};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::adapter::format::Xml;
use crate::adapter::limits::Limits;
use crate::adapter::row::Cell;
use crate::domain::batch::Unreadable;
use crate::domain::text::fold;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::meter::{Meter, Metered};
use crate::intake::decode::records::{Records, too_many_columns};
use crate::intake::decode::source::Source;
use crate::intake::decode::xml::ahead::Ahead;
use crate::intake::decode::xml::form::Fault;
use crate::intake::decode::{from_io, unreadable};

mod ahead;
mod form;

pub use form::{forbidden, is_name};

/// Text of a declared total is never longer.
const TOTAL_BYTES: usize = 64;

/// Reads XML records. Child elements are the columns, deeper ones joined by slashes, attributes with an at sign; an
/// element that is repeated is one cell. Names are local names; attributes that speak of XML itself (`xmlns`, `xsi:nil`,
/// `xml:lang`) are none. Returns the declared total.
///
/// Only the five predefined entities and numeric references are resolved; an internal subset or any other entity
/// refuses the file, so that nothing can be made to grow or to be fetched. A file that is not well-formed is refused wherever
/// the fault stands, also where no record is; `forbidden` characters are refused before they come here.
///
/// Behind a record the next one is looked for where it lies: one of elements that hold nothing but text is read there, any other
/// is the parser's.
pub fn decode(
    source: Source<'_>,
    format: &Xml,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<Option<u64>, Unreadable> {
    let meter = Meter::new(token_bytes(limits));
    let mut reader = Reader::from_reader(Metered::new(source, &meter, endless()));
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_comments = true;
    let record = split(&format.record);
    let total = format.total.as_deref().map(split);
    // The elements of a record must be within the cap on depth.
    let looks_ahead = handover.looks_ahead
        && record.len() < limits.depth
        && !is_around(total.as_deref(), &record);
    let mut ahead = Ahead::new(token_bytes(limits));
    let mut walk = Walk {
        record,
        total,
        stack: Vec::new(),
        inside: None,
        records: Records::new(handover, limits),
        total_text: None,
        parent_seen: false,
        root_closed: false,
        type_seen: false,
        limits,
    };
    let mut buffer = Vec::new();
    let mut nothing_yet = true;
    loop {
        buffer.clear();
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|error| walk.fault(&error))?;
        meter.reset();
        let is_first = std::mem::take(&mut nothing_yet);
        match event {
            Event::Start(start) => {
                walk.check(form::tag(start.name().as_ref(), start.attributes_raw()))?;
                walk.open(start.local_name().as_ref())?;
                walk.attributes(&start)?;
            }
            Event::End(end) => {
                let is_record = walk.is_in_record_only();
                walk.close()?;
                if is_record && looks_ahead {
                    let source = reader.get_mut().inner();
                    ahead.pass(end.name().as_ref(), source, &mut walk.records)?;
                }
            }
            Event::Text(text) => {
                walk.check(form::text(&text))?;
                walk.text(&text.xml10_content())?;
            }
            // Outside the root not even one that holds blanks may stand.
            Event::CData(_) | Event::GeneralRef(_) if walk.stack.is_empty() => {
                return Err(walk.malformed("根元素之外有文字"));
            }
            Event::CData(text) => walk.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = walk.check(form::reference(&reference))?;
                walk.text(character.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(text) if text.contains('[') => return Err(walk.internal_subset()),
            // One that only names a file is never followed. What the event tells lacks the beginning.
            Event::DocType(_) => walk.document_type(&buffer)?,
            Event::Decl(_) if !is_first => walk.check(Err(form::MISPLACED))?,
            Event::Decl(declaration) => {
                let rest = declaration.strip_prefix("xml").unwrap_or_default();
                walk.check(form::declaration(rest))?;
            }
            Event::PI(instruction) => walk.check(form::instruction(instruction.target()))?,
            // Empty elements arrive expanded.
            Event::Empty(_) | Event::Comment(_) => {}
            Event::Eof => return walk.finish(),
        }
    }
}

/// Whether the total stands in the text around the records or is a record itself, so that they cannot be passed over.
fn is_around(total: Option<&[String]>, record: &[String]) -> bool {
    total.is_some_and(|total| record.starts_with(total))
}

/// The cap on what may lie between two tokens.
pub fn token_bytes(limits: &Limits) -> u64 {
    (limits.cell_bytes as u64).saturating_mul(4).max(64 << 10)
}

/// Something that never ends: an attribute, a comment, a text.
pub fn endless() -> Unreadable {
    unreadable(
        "YB-2116",
        "XML 中有过长的标签、属性或文本，可能没有闭合。处理：请提供方核对并重新导出",
    )
}

/// Whether an attribute speaks of XML itself.
fn is_of_xml(key: &str) -> bool {
    key == "xmlns"
        || ["xmlns:", "xml:", "xsi:"]
            .iter()
            .any(|prefix| key.starts_with(prefix))
}

fn split(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The inside of a record that is being read.
struct Inside {
    /// Slash path of the element at hand from the record.
    name: String,
    /// Per open element below the record: length of its parent's path, its text, whether it has children.
    open: Vec<(usize, String, bool)>,
}

struct Walk<'h, 's, 'l> {
    record: Vec<String>,
    total: Option<Vec<String>>,
    /// The open elements down to the record; those below it are counted in `inside`.
    stack: Vec<String>,
    inside: Option<Inside>,
    records: Records<'h, 's>,
    total_text: Option<String>,
    parent_seen: bool,
    root_closed: bool,
    /// There was a DOCTYPE.
    type_seen: bool,
    limits: &'l Limits,
}

impl Walk<'_, '_, '_> {
    fn open(&mut self, name: &str) -> Result<(), Unreadable> {
        if self.stack.is_empty() && self.root_closed {
            return Err(self.malformed("根元素之后还有内容"));
        }
        let inner = self.inside.as_ref().map_or(0, |inside| inside.open.len());
        if self.stack.len() + inner >= self.limits.depth {
            return Err(unreadable(
                "YB-2115",
                format!(
                    "第 {} 条记录附近元素嵌套超过上限 {} 层。处理：请提供方核对导出格式",
                    self.records.number(),
                    self.limits.depth
                ),
            ));
        }
        if let Some(inside) = &mut self.inside {
            if let Some((_, _, children)) = inside.open.last_mut() {
                *children = true;
            }
            let before = inside.name.len();
            if before > 0 {
                inside.name.push('/');
            }
            inside.name.push_str(name);
            inside.open.push((before, String::new(), false));
            return Ok(());
        }
        self.stack.push(name.to_owned());
        if self.stack == self.record {
            self.records.begin_passed()?;
            self.inside = Some(Inside {
                name: String::new(),
                open: Vec::new(),
            });
        }
        let parent = &self.record[..self.record.len().saturating_sub(1)];
        self.parent_seen |= if parent.is_empty() {
            self.stack == self.record
        } else {
            self.stack == parent
        };
        if self.total.as_ref() == Some(&self.stack) {
            if self.total_text.is_some() {
                return Err(self.bad_total());
            }
            self.total_text = Some(String::new());
        }
        Ok(())
    }

    /// The attributes of the element that was opened: columns of a record, or the declared total.
    fn attributes(&mut self, start: &BytesStart<'_>) -> Result<(), Unreadable> {
        if start.attributes_raw().trim().is_empty() {
            return Ok(());
        }
        let total = self
            .total
            .as_deref()
            .and_then(<[String]>::split_last)
            .filter(|(_, parent)| self.inside.is_none() && *parent == self.stack)
            .and_then(|(last, _)| last.strip_prefix('@'))
            .map(str::to_owned);
        if self.inside.is_none() && total.is_none() {
            return Ok(());
        }
        // The library's search for doubles takes time by the square; they were refused before.
        let mut attributes = start.attributes();
        attributes.with_checks(false);
        for (count, attribute) in attributes.enumerate() {
            if count >= self.limits.columns {
                return Err(too_many_columns(self.records.number(), self.limits.columns));
            }
            let attribute = attribute.map_err(|_| self.malformed("有不合规范的属性"))?;
            if is_of_xml(attribute.key.as_ref()) {
                continue;
            }
            let text = attribute
                .normalized_value_with(XmlVersion::Implicit1_0, 1, resolve_predefined_entity)
                .map_err(|error| self.fault(&error))?;
            let name = attribute.key.local_name();
            if let Some(total) = &total {
                if name.as_ref() == total && self.total_text.replace(text.into_owned()).is_some() {
                    return Err(self.bad_total());
                }
                continue;
            }
            let Some(inside) = &self.inside else { break };
            let between = if inside.name.is_empty() { "" } else { "/" };
            let column = format!("{}{between}@{}", inside.name, name.as_ref());
            let cell = (!text.is_empty()).then(|| Cell {
                text: text.into_owned(),
                numeric: false,
            });
            if inside.open.is_empty() {
                self.records.put(&column, cell)?;
            } else {
                self.records.join(&column, cell)?;
            }
        }
        Ok(())
    }

    /// Whether the element that is innermost is the record.
    fn is_in_record_only(&self) -> bool {
        (self.inside.as_ref()).is_some_and(|inside| inside.open.is_empty())
    }

    fn close(&mut self) -> Result<(), Unreadable> {
        let ends = match &self.inside {
            Some(inside) => inside.open.is_empty(),
            None => true,
        };
        if ends {
            self.stack.pop();
            self.root_closed = self.stack.is_empty();
            return match self.inside.take() {
                Some(_) => self.records.finish(),
                None => Ok(()),
            };
        }
        let Some(inside) = &mut self.inside else {
            return Ok(());
        };
        let Some((before, text, children)) = inside.open.pop() else {
            return Ok(());
        };
        let blank = text.trim().is_empty();
        let result = if children && blank {
            Ok(())
        } else {
            let cell = (!text.is_empty()).then_some(Cell {
                text,
                numeric: false,
            });
            self.records.join(&inside.name, cell)
        };
        inside.name.truncate(before);
        result
    }

    fn text(&mut self, text: &str) -> Result<(), Unreadable> {
        if self.stack.is_empty() {
            if form::is_blank_text(text) {
                return Ok(());
            }
            return Err(self.malformed("根元素之外有文字"));
        }
        let Some(inside) = &mut self.inside else {
            if self.total.as_ref() == Some(&self.stack)
                && let Some(total) = &mut self.total_text
            {
                total.push_str(text);
                if total.len() > TOTAL_BYTES {
                    return Err(self.bad_total());
                }
            }
            return Ok(());
        };
        match inside.open.last_mut() {
            Some((_, kept, _)) if kept.len() + text.len() > self.limits.cell_bytes => {
                self.records.spoil_too_long(&inside.name);
            }
            Some((_, kept, _)) => kept.push_str(text),
            None if text.trim().is_empty() => {}
            None => self.records.spoil(
                "YB-2154",
                "记录中有不属于任何子元素的文字。处理：请提供方核对该记录".to_owned(),
            ),
        }
        Ok(())
    }

    fn document_type(&mut self, whole: &[u8]) -> Result<(), Unreadable> {
        if !self.stack.is_empty() || self.root_closed || self.type_seen {
            return Err(self.malformed("DOCTYPE 的位置不合规范"));
        }
        self.type_seen = true;
        // What is no text is no DOCTYPE either.
        self.check(form::document_type(
            str::from_utf8(whole).unwrap_or_default(),
        ))
    }

    /// Refuses what is against the rules of form.
    fn check<T>(&self, result: Result<T, Fault>) -> Result<T, Unreadable> {
        result.map_err(|fault| match fault {
            Fault::Form(what) => self.malformed(what),
            Fault::UnknownEntity => self.unknown_entity(),
        })
    }

    fn finish(mut self) -> Result<Option<u64>, Unreadable> {
        if !self.stack.is_empty() || !self.root_closed {
            return Err(self.cut_off());
        }
        if !self.parent_seen {
            return Err(unreadable(
                "YB-2117",
                format!(
                    "文件中没有“{}”这一层。处理：核对适配文件 format.xml.record 与导出是否一致",
                    self.record.join("/")
                ),
            ));
        }
        if self.total.is_none() {
            return Ok(None);
        }
        match self.total_text.take().map(|text| fold(&text).parse()) {
            Some(Ok(total)) => Ok(Some(total)),
            _ => Err(self.bad_total()),
        }
    }

    fn bad_total(&self) -> Unreadable {
        unreadable(
            "YB-2118",
            format!(
                "文件声明的总数（{}）缺失、重复或不是数字。处理：请提供方核对并重新导出",
                self.total.as_deref().unwrap_or_default().join("/")
            ),
        )
    }

    fn unknown_entity(&self) -> Unreadable {
        unreadable(
            "YB-2114",
            format!(
                "第 {} 条记录附近引用了未定义的实体。处理：请提供方只使用 XML 预定义实体（如 &amp;amp;）后重新导出",
                self.records.number()
            ),
        )
    }

    fn internal_subset(&self) -> Unreadable {
        unreadable(
            "YB-2113",
            format!(
                "第 {} 条记录前有内部 DTD（实体定义），不予读取。处理：请提供方去掉 DOCTYPE 后重新导出",
                self.records.number() + 1
            ),
        )
    }

    fn cut_off(&self) -> Unreadable {
        unreadable(
            "YB-2112",
            format!(
                "文件不完整：读到第 {} 条记录后中断，结尾缺失。处理：核对传输是否完整，请提供方重新导出",
                self.records.number()
            ),
        )
    }

    fn malformed(&self, what: &str) -> Unreadable {
        unreadable(
            "YB-2111",
            format!(
                "第 {} 条记录附近 XML 格式有误：{what}。处理：请提供方核对并重新导出",
                self.records.number()
            ),
        )
    }

    fn fault(&self, error: &Error) -> Unreadable {
        match error {
            Error::Io(inner) => from_io(inner),
            Error::Escape(EscapeError::UnrecognizedEntity(..)) => self.unknown_entity(),
            Error::Syntax(SyntaxError::InvalidBangMarkup) => self.malformed("有无法识别的标记"),
            Error::Syntax(_) | Error::IllFormed(IllFormedError::MissingEndTag(_)) => self.cut_off(),
            Error::IllFormed(
                IllFormedError::MismatchedEndTag { .. } | IllFormedError::UnmatchedEndTag(_),
            ) => self.malformed("开始标签与结束标签不配对"),
            Error::IllFormed(IllFormedError::UnclosedReference) => {
                self.malformed("有未转义的 & 符号")
            }
            Error::IllFormed(IllFormedError::DoubleHyphenInComment) => {
                self.malformed("注释中有“--”")
            }
            _ => self.malformed("有无法识别的内容"),
        }
    }
}
