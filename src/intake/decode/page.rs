//! Web pages that are called `.xls`: the rows of their tables.
//!
//! Tables may lie in one another, as layouts of old pages do. Rows are numbered through the page. The table that holds
//! the headings is the one that is read; the rows before it are titles, and what comes after it is passed over, unless
//! it has the headings again.

use std::io::BufRead;
use std::rc::Rc;

use html5gum::{DefaultEmitter, HtmlString, IoReader, StartTag, Token, Tokenizer};

use crate::adapter::format::{Sheets, Xlsx};
use crate::adapter::limits::Limits;
use crate::adapter::row::Cell;
use crate::domain::batch::Unreadable;
use crate::domain::text::fold;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::likeness;
use crate::intake::decode::merges::{Merge, Merges};
use crate::intake::decode::meter::{Meter, Metered};
use crate::intake::decode::number::plain;
use crate::intake::decode::sheets::{Lines, ambiguous};
use crate::intake::decode::xml::{endless, token_bytes};
use crate::intake::decode::{from_io, unreadable};

/// Rows that a cell may span; browsers stop there, too.
const SPANNED_ROWS: u32 = 65_534;

/// Reads the tables of a page.
pub fn decode(
    text: impl BufRead,
    format: &Xlsx,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<Option<u64>, Unreadable> {
    let meter = Meter::new(token_bytes(limits));
    let metered = Metered::new(text, &meter, endless());
    let mut emitter = DefaultEmitter::<()>::new_with_span();
    // Scripts and style sheets are no text.
    emitter.naively_switch_states(true);
    let tokens = Tokenizer::new_with_emitter(IoReader::new(metered), emitter);
    let mut page = Page {
        lines: Lines::new(handover, format, limits),
        format,
        heading: fold(&format.header),
        limits,
        tables: Vec::new(),
        ordinal: 0,
        number: 0,
        reading: None,
    };
    page.lines.begin("", Merges::default());
    for token in tokens {
        let token = token.map_err(|error| from_io(&error))?;
        page.take(token, &meter)?;
    }
    while !page.tables.is_empty() {
        page.close_table()?;
    }
    if page.ordinal == 0 {
        return Err(likeness::other(
            "表格",
            "网页（HTML），可能是登录页或报错页",
        ));
    }
    page.lines.end(&[])?;
    page.lines.finish()
}

/// A table that is open.
struct OpenTable {
    ordinal: u64,
    row: Option<OpenRow>,
    /// How many further rows a cell above takes of each column.
    taken: Vec<u32>,
}

struct OpenRow {
    cells: Vec<(usize, Cell)>,
    merges: Vec<(u32, u32, u32)>,
    hidden: bool,
    /// The column of the next cell.
    column: usize,
    cell: Option<OpenCell>,
}

struct OpenCell {
    column: usize,
    text: String,
    /// The number that the writing program stored with it.
    stored: Option<String>,
}

struct Page<'f, 'h, 's> {
    lines: Lines<'f, 'h, 's>,
    format: &'f Xlsx,
    heading: String,
    limits: &'f Limits,
    tables: Vec<OpenTable>,
    /// Tables that were opened.
    ordinal: u64,
    /// Rows of the page so far, and of them those before the table at hand where tables are read one after another.
    number: u64,
    /// The table that held the headings.
    reading: Option<u64>,
}

impl Page<'_, '_, '_> {
    fn take(&mut self, token: Token, meter: &Rc<Meter>) -> Result<(), Unreadable> {
        match token {
            Token::StartTag(tag) => {
                meter.reset();
                self.open(&tag)
            }
            Token::EndTag(tag) => {
                meter.reset();
                match tag.name.as_slice() {
                    b"td" | b"th" => self.close_cell(),
                    b"tr" => self.close_row()?,
                    b"table" => self.close_table()?,
                    _ => {}
                }
                Ok(())
            }
            Token::String(text) => {
                self.text(&String::from_utf8_lossy(&text.value));
                Ok(())
            }
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => Ok(()),
        }
    }

    fn open(&mut self, tag: &StartTag<()>) -> Result<(), Unreadable> {
        match tag.name.as_slice() {
            b"table" => {
                if self.tables.len() >= self.limits.depth {
                    return Err(unreadable(
                        "YB-2115",
                        format!(
                            "网页表格嵌套超过上限 {} 层。处理：请提供方核对导出格式",
                            self.limits.depth
                        ),
                    ));
                }
                self.ordinal += 1;
                self.tables.push(OpenTable {
                    ordinal: self.ordinal,
                    row: None,
                    taken: Vec::new(),
                });
            }
            // Their ends may be left out: the next one ends them.
            b"tr" => {
                self.close_row()?;
                self.open_row(is_hidden(tag));
            }
            b"td" | b"th" => {
                self.close_cell();
                self.open_cell(tag);
            }
            b"br" => self.text("\u{b}"),
            b"p" | b"div" => self.text(" "),
            _ => {}
        }
        Ok(())
    }

    fn open_row(&mut self, hidden: bool) {
        if let Some(table) = self.tables.last_mut() {
            table.row = Some(OpenRow {
                cells: Vec::new(),
                merges: Vec::new(),
                hidden,
                column: 0,
                cell: None,
            });
        }
    }

    fn open_cell(&mut self, tag: &StartTag<()>) {
        if self.tables.last().is_some_and(|table| table.row.is_none()) {
            self.open_row(false);
        }
        let most = self.limits.columns + 1;
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        let Some(row) = &mut table.row else {
            return;
        };
        while table.taken.get(row.column).is_some_and(|rows| *rows > 0) {
            row.column += 1;
        }
        let column = row.column;
        let columns = span(tag, "colspan").min(u32::try_from(most).unwrap_or(u32::MAX));
        let rows = span(tag, "rowspan").min(SPANNED_ROWS);
        row.column += columns as usize;
        row.cell = Some(OpenCell {
            column,
            text: String::new(),
            stored: ["x:num", "sdval"]
                .iter()
                .find_map(|name| attribute(tag, name)),
        });
        if column > most {
            return;
        }
        if columns > 1 || rows > 1 {
            let last = u32::try_from(column)
                .unwrap_or(u32::MAX)
                .saturating_add(columns - 1);
            row.merges
                .push((u32::try_from(column).unwrap_or(u32::MAX), last, rows));
        }
        if rows > 1 {
            let end = (column + columns as usize).min(most + 1);
            if table.taken.len() < end {
                table.taken.resize(end, 0);
            }
            // The row at hand is counted down with the others when it closes.
            table.taken[column.min(end)..end].fill(rows);
        }
    }

    fn text(&mut self, text: &str) {
        let most = self.limits.cell_bytes;
        let cell = self
            .tables
            .last_mut()
            .and_then(|table| table.row.as_mut())
            .and_then(|row| row.cell.as_mut());
        // A cell that is too long is set aside by the table; one byte too much is enough for that.
        if let Some(cell) = cell
            && cell.text.len() <= most
        {
            cell.text.push_str(text);
        }
    }

    fn close_cell(&mut self) {
        let Some(row) = self.tables.last_mut().and_then(|table| table.row.as_mut()) else {
            return;
        };
        let Some(cell) = row.cell.take() else {
            return;
        };
        let shown = shown(&cell.text, cell.stored.as_deref());
        if let Some(shown) = shown {
            self.lines.keep(&mut row.cells, cell.column, shown);
        }
    }

    fn close_row(&mut self) -> Result<(), Unreadable> {
        self.close_cell();
        let Some(table) = self.tables.last_mut() else {
            return Ok(());
        };
        let Some(mut row) = table.row.take() else {
            return Ok(());
        };
        for rows in &mut table.taken {
            *rows = rows.saturating_sub(1);
        }
        let ordinal = table.ordinal;
        self.number += 1;
        let has_heading = || {
            row.cells
                .iter()
                .any(|(_, cell)| fold(&cell.text) == self.heading)
        };
        match self.reading {
            Some(reading) if reading == ordinal => {}
            Some(_) if !has_heading() => return Ok(()),
            Some(_) if self.format.sheets == Sheets::One => {
                return Err(ambiguous("网页中有多张表格含有同一表头"));
            }
            Some(_) => {
                self.lines.end(&[])?;
                self.lines.begin(&format!("表{ordinal}"), Merges::default());
                self.number = 1;
                self.reading = Some(ordinal);
            }
            None if has_heading() => self.reading = Some(ordinal),
            None => {}
        }
        let first_row = u32::try_from(self.number - 1).unwrap_or(u32::MAX);
        for (first_column, last_column, rows) in row.merges {
            self.lines.merge(Merge {
                first_row,
                first_column,
                last_row: first_row.saturating_add(rows - 1),
                last_column,
            });
        }
        self.lines.line(self.number, row.hidden, &mut row.cells)
    }

    fn close_table(&mut self) -> Result<(), Unreadable> {
        self.close_row()?;
        self.tables.pop();
        Ok(())
    }
}

/// A cell as shown: white space is one blank, `<br>` a line end. A number that is shown as a number keeps the digits
/// it was stored with; a date is stored as a number, too, and is what it shows.
fn shown(text: &str, stored: Option<&str>) -> Option<Cell> {
    let lines: Vec<String> = text
        .split('\u{b}')
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let text = lines.join("\n").trim_matches('\n').to_owned();
    let number = stored
        .map(|stored| if stored.is_empty() { &text } else { stored })
        .filter(|_| looks_like_a_number(&text))
        .and_then(|stored| stored.trim().parse::<f64>().ok())
        .filter(|number| number.is_finite());
    let cell = match number {
        // `00042` is shown so although 42 is stored.
        Some(number) if text.bytes().all(|byte| byte.is_ascii_digit()) => Cell {
            text: format!("{:0>width$}", plain(number), width = text.len()),
            numeric: true,
        },
        Some(number) => Cell {
            text: plain(number),
            numeric: true,
        },
        None => Cell {
            text,
            numeric: false,
        },
    };
    (!cell.text.is_empty() && cell.text != "#N/A").then_some(cell)
}

fn looks_like_a_number(text: &str) -> bool {
    let plain: String = text
        .chars()
        .filter(|c| !matches!(c, ',' | '%' | '¥' | '￥' | '$' | ' ' | '\u{a0}' | '(' | ')'))
        .collect();
    plain.parse::<f64>().is_ok()
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    tag.attributes
        .get(&HtmlString(name.as_bytes().to_vec()))
        .map(|value| String::from_utf8_lossy(&value.value).into_owned())
}

fn span(tag: &StartTag<()>, name: &str) -> u32 {
    attribute(tag, name)
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(1)
        .max(1)
}

fn is_hidden(tag: &StartTag<()>) -> bool {
    attribute(tag, "style").is_some_and(|style| {
        let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
        style.to_ascii_lowercase().contains("display:none")
    })
}

/// The charset that a page says it is in, when it is none of those that are read.
pub fn foreign_charset(head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let (_, after) = head.split_once("charset")?;
    let label: String = after
        .trim_start_matches(|c: char| c.is_ascii_whitespace() || "=\"'".contains(c))
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .take(40)
        .collect();
    let known = [
        "",
        "utf-8",
        "utf8",
        "gb2312",
        "gbk",
        "gb18030",
        "gb_2312-80",
        "cp936",
        "x-gbk",
        "unicode",
        "us-ascii",
        "iso-8859-1",
        "windows-1252",
        "windows-936",
    ];
    (!known.contains(&label.as_str())).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::{foreign_charset, shown};

    #[test]
    fn cells_are_shown_as_people_see_them() {
        for (text, stored, expected, numeric) in [
            (" 甲\n  乙 ", None, Some("甲 乙"), false),
            ("甲\u{b} 乙", None, Some("甲\n乙"), false),
            ("1,234.50", Some("1234.5"), Some("1234.5"), true),
            ("1,234.50", None, Some("1,234.50"), false),
            ("5%", Some("0.05"), Some("0.05"), true),
            ("2023-04-01", Some("45017"), Some("2023-04-01"), false),
            ("00042", Some("42"), Some("00042"), true),
            ("42", Some(""), Some("42"), true),
            (
                "9.11522E+17",
                Some("911522010783762860"),
                Some("9.115220107837628E17"),
                true,
            ),
            ("甲", Some(""), Some("甲"), false),
            ("#N/A", None, None, false),
            (" ", None, None, false),
        ] {
            let cell = shown(text, stored);
            assert_eq!(
                cell.as_ref().map(|cell| cell.text.as_str()),
                expected,
                "{text}"
            );
            assert_eq!(cell.is_some_and(|cell| cell.numeric), numeric, "{text}");
        }
    }

    #[test]
    fn charsets_that_are_not_read_are_named() {
        for (head, expected) in [
            ("<meta charset=gbk>", None),
            (
                "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=GB2312\">",
                None,
            ),
            ("<meta charset=\"Big5\">", Some("big5")),
            ("<table>", None),
        ] {
            assert_eq!(
                foreign_charset(head.as_bytes()).as_deref(),
                expected,
                "{head}"
            );
        }
    }
}
