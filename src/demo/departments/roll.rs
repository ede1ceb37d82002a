//! The insured roll: unit × kind × month in one workbook.

use std::borrow::Cow;
use std::io;

use jiff::civil::Date;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::demo::city::City;
use crate::demo::departments::{known_as, month_number, period};
use crate::demo::dirt::{self, Row, Smudge, Tally, Written};
use crate::demo::firm::{Entry, Firm, slot};
use crate::demo::places::{PLACES, place};
use crate::demo::slips::{self, CodeSlip};
use crate::domain::finding::Insurance;
use crate::domain::record::Month;

const DEPARTMENT: u64 = 4;
const HEADER: [&str; 10] = [
    "序号",
    "单位编号",
    "统一社会信用代码",
    "单位名称",
    "经办机构",
    "险种",
    "费款所属期",
    "参保人数",
    "缴费人数",
    "单位参保状态",
];

/// What stands in the code column of a unit, in parts of 100,000 units: whoever opened the unit typed it once.
const SLIPS: [(u64, CodeSlip); 8] = [
    (800, CodeSlip::Lost),
    (400, CodeSlip::TaxId),
    (300, CodeSlip::TaxIdAndZeros),
    (300, CodeSlip::CodeAndZeros),
    (500, CodeSlip::Organisation),
    (400, CodeSlip::OrganisationHyphen),
    (400, CodeSlip::Wrong),
    (300, CodeSlip::Alike),
];
/// Of codes of digits alone, those that a spreadsheet took for numbers.
const SPREADSHEET: [(u64, ()); 1] = [(6000, ())];

/// The workbook of a day; with `halved`, whole counties are missing from it.
///
/// # Errors
/// When the workbook cannot be put together.
pub fn workbook(city: &City, day: Date, halved: bool) -> io::Result<Written<Vec<u8>>> {
    build(city, day, halved).map_err(io::Error::other)
}

fn build(city: &City, day: Date, halved: bool) -> Result<Written<Vec<u8>>, XlsxError> {
    let mut book = Workbook::new();
    // A fixed day, else each writing of the same roll would have other bytes.
    let made = ExcelDateTime::from_ymd(2026, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let sheet = book.add_worksheet_with_constant_memory()?;
    sheet.set_name("参保登记册")?;
    sheet.merge_range(0, 0, 0, 9, "南阳市企业参保登记册", &Format::new())?;
    let as_of = format!("数据日期：{}年{}月{}日", day.year(), day.month(), day.day());
    sheet.write_string(1, 0, as_of)?;
    for (column, title) in (0..).zip(HEADER) {
        sheet.write_string(2, column, title)?;
    }
    let cut = if halved { cut_units(city) } else { Vec::new() };
    let mut writer = Writer {
        sheet,
        smudge: Smudge::new(&city.options, DEPARTMENT),
        row: 3,
        registered: 0,
        paying: 0,
        tally: Tally::default(),
    };
    let january = Month {
        year: city.options.start.year(),
        month: 1,
    };
    for firm in &city.firms {
        if let Some(entry) = firm
            .entry
            .as_ref()
            .filter(|entry| !cut.contains(&entry.unit))
        {
            writer.firm(firm, entry, january, day)?;
        }
    }
    writer.end()?;
    let tally = writer.tally;
    let content = book.save_to_buffer()?;
    Ok(Written { content, tally })
}

/// The units, last ones first, that hold about half of the entries.
fn cut_units(city: &City) -> Vec<u8> {
    let mut entries = [0_usize; PLACES.len()];
    for entry in city.firms.iter().filter_map(|firm| firm.entry.as_ref()) {
        entries[usize::from(entry.unit)] += 1;
    }
    let half = entries.iter().sum::<usize>() / 2;
    let mut cut = Vec::new();
    let mut gone = 0;
    for (unit, n) in (0_u8..).zip(entries).skip(1) {
        if gone + n <= half {
            gone += n;
            cut.push(unit);
        }
    }
    cut
}

struct Writer<'a> {
    sheet: &'a mut Worksheet,
    smudge: Smudge,
    row: u32,
    registered: u64,
    paying: u64,
    tally: Tally,
}

/// What stands in a code column.
#[derive(Clone)]
enum Code<'a> {
    Text(Cow<'a, str>),
    /// A spreadsheet took it for a number.
    Number(f64),
}

struct Line<'a> {
    number: &'a str,
    code: Code<'a>,
    name: Cow<'a, str>,
    agency: &'static str,
    kind: &'static str,
    month: String,
    registered: u32,
    paying: u32,
    state: &'static str,
}

/// The code of a unit: one for all its rows.
fn code<'a>(firm: &'a Firm, unit: &Row, smudge: Smudge, subject: u64) -> Code<'a> {
    if let Some(((), how)) = smudge.one_of(subject, 13, &SPREADSHEET)
        && let Some(number) = slips::number(&firm.code)
    {
        unit.note(true);
        return match slips::spreadsheet(&firm.code, how / 2) {
            Some(text) if how.is_multiple_of(2) => Code::Text(Cow::Owned(text)),
            _ => Code::Number(number),
        };
    }
    let slip = smudge.one_of(subject, 11, &SLIPS);
    Code::Text(unit.text(
        &firm.code,
        slip.map_or(Cow::Borrowed(&*firm.code), |(slip, how)| {
            Cow::Owned(slip.of(&firm.code, how))
        }),
    ))
}

/// The name of a unit: one for all its rows.
fn name<'a>(firm: &'a Firm, unit: &Row, day: Date) -> Cow<'a, str> {
    let known = known_as(firm, unit, day);
    let slip = unit.touch(12, 5);
    let known = slip.map_or(Cow::Borrowed(known), |how| slips::name(known, how));
    unit.text(firm.name(day), known)
}

impl Writer<'_> {
    fn firm(
        &mut self,
        firm: &Firm,
        entry: &Entry,
        january: Month,
        day: Date,
    ) -> Result<(), XlsxError> {
        // An individual business that became a company is gone, but its unit goes on until somebody rewrites it.
        let active = firm.is_active(day) || firm.successor.is_some();
        let last = if active {
            Month::of(day)
        } else {
            firm.states
                .iter()
                .last()
                .map_or(january, |(since, _)| Month::of(*since))
        };
        let state = if active {
            "正常参保"
        } else {
            "终止参保"
        };
        let smudge = self.smudge;
        let of_unit = u64::from(firm.number) * 4 + 3;
        let unit = smudge.row(of_unit);
        let unit_code = code(firm, &unit, smudge, of_unit);
        let unit_name = name(firm, &unit, day);
        for kind in Insurance::ALL {
            let at = slot(kind);
            if !firm.rows[at] {
                continue;
            }
            let subject = u64::from(firm.number) * 4 + at as u64;
            let row = smudge.row(subject);
            row.note(unit.is_touched());
            let number = if entry.number_per_kind {
                format!("{}{}", entry.unit_number, at + 1)
            } else {
                entry.unit_number.clone()
            };
            let of_old_unit = entry.blank_codes && at > 0 && firm.rows[0] && !smudge.is_clean();
            let code = match &unit_code {
                _ if of_old_unit || row.touch(6, 10).is_some() => {
                    row.note(true);
                    Code::Text(Cow::Borrowed(""))
                }
                Code::Text(text) if !text.is_empty() => {
                    Code::Text(row.text(text, dirt::code(text, row.touch(1, 15))))
                }
                other => other.clone(),
            };
            let slip = row.touch(7, 4);
            let known = slip.map_or(Cow::Borrowed(&*unit_name), |how| {
                slips::name(&unit_name, how)
            });
            let name = row.text(&unit_name, dirt::name(&known, row.touch(2, 20)));
            let agency = row.cell(
                &agency(entry.unit, None),
                agency(entry.unit, row.touch(3, 60)),
            );
            let kind = row.cell(&kind_word(kind, None), kind_word(kind, row.touch(4, 20)));
            let mut month = january.max(Month::of(entry.since));
            while month <= last.min(Month::of(day)) {
                let word = month_word(month, None);
                let line = Line {
                    number: &number,
                    code: code.clone(),
                    name: name.clone(),
                    agency,
                    kind,
                    month: row.cell(&word, month_word(month, row.touch(5, 20))),
                    registered: firm.insured[at].heads(month.last_day().min(day)),
                    paying: paying(firm, at, month, day),
                    state,
                };
                self.line(&line, row.is_touched())?;
                // The same row once more.
                if smudge.touch(subject, 90 + month_number(month), 2).is_some() {
                    self.line(&line, true)?;
                }
                month = month.plus(1);
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &Line<'_>, touched: bool) -> Result<(), XlsxError> {
        let (sheet, row) = (&mut *self.sheet, self.row);
        sheet.write_number(row, 0, row - 2)?;
        sheet.write_string(row, 1, line.number)?;
        match &line.code {
            Code::Number(number) => {
                sheet.write_number(row, 2, *number)?;
            }
            Code::Text(text) if text.is_empty() => {}
            Code::Text(text) => {
                sheet.write_string(row, 2, &**text)?;
            }
        }
        sheet.write_string(row, 3, &*line.name)?;
        sheet.write_string(row, 4, line.agency)?;
        sheet.write_string(row, 5, line.kind)?;
        sheet.write_string(row, 6, &line.month)?;
        sheet.write_number(row, 7, line.registered)?;
        sheet.write_number(row, 8, line.paying)?;
        sheet.write_string(row, 9, line.state)?;
        self.registered += u64::from(line.registered);
        self.paying += u64::from(line.paying);
        self.row += 1;
        self.tally.count(touched);
        Ok(())
    }

    /// Bad rows and the total.
    fn end(&mut self) -> Result<(), XlsxError> {
        let rows = usize::try_from(self.row).unwrap_or(0) / 9;
        for at in 0..self.smudge.rows(rows, 1) {
            let row = self.row;
            self.sheet.write_number(row, 0, row - 2)?;
            self.sheet.write_string(row, 1, format!("99990{at:07}"))?;
            self.sheet.write_string(row, 2, "9141130")?;
            self.sheet.write_string(row, 3, "数据补录中")?;
            self.sheet.write_string(row, 5, "企业职工基本养老保险")?;
            self.sheet.write_string(row, 6, "2026-00")?;
            self.row += 1;
            self.tally.count(true);
        }
        let row = self.row;
        self.sheet.write_string(row, 0, "合计")?;
        self.sheet
            .write_string(row, 7, self.registered.to_string())?;
        self.sheet.write_string(row, 8, self.paying.to_string())?;
        Ok(())
    }
}

/// Who is registered pays by the 15th; the month is complete when it is over.
fn paying(firm: &Firm, at: usize, month: Month, day: Date) -> u32 {
    let end = month.last_day();
    if firm.unpaid_since.is_some_and(|since| since <= end)
        || (Month::of(day) == month && day.day() < 15)
    {
        return 0;
    }
    firm.insured[at].heads(end.min(day))
}

fn agency(unit: u8, how: Option<u64>) -> &'static str {
    let place = place(unit);
    match how {
        Some(how) => place.aliases[usize::try_from(how % place.aliases.len() as u64).unwrap_or(0)],
        None => place.agency,
    }
}

fn kind_word(kind: Insurance, how: Option<u64>) -> &'static str {
    let words = match kind {
        Insurance::Pension => ["企业职工基本养老保险", "110"],
        Insurance::Unemployment => ["失业保险", "210"],
        Insurance::WorkInjury => ["工伤保险", "410"],
    };
    // Only the words and codes that the departments have agreed on.
    words[how.map_or(0, |how| usize::try_from(how % 2).unwrap_or(0))]
}

fn month_word(month: Month, how: Option<u64>) -> String {
    match how.map(|how| how % 2) {
        None => period(month),
        Some(0) => month.to_string(),
        Some(_) => format!("{}年{}月", month.year, month.month),
    }
}
