//! Tax: one CSV in GBK for each month, there from the 16th of the next.

use std::borrow::Cow;
use std::fmt::Write as _;

use encoding_rs::GBK;
use jiff::civil::Date;

use crate::demo::city::City;
use crate::demo::departments::{known_as, month_number, period};
use crate::demo::dirt::{self, Smudge, Tally, Written};
use crate::demo::firm::Firm;
use crate::demo::incidents;
use crate::demo::options::Options;
use crate::demo::slips::{self, CodeSlip};
use crate::demo::steps::plus_days;
use crate::demo::trades::TRADES;
use crate::domain::record::Month;

const DEPARTMENT: u64 = 2;
const HEADER: &str = "序号,纳税人识别号,纳税人名称,纳税人状态,所属期,工资薪金个税申报人数,从业人数,营业收入,资产总额,行业代码,联系电话,备注";

/// Slips in ids, in parts of 100,000 firms.
const SLIPS: [(u64, CodeSlip); 3] = [
    (500, CodeSlip::TaxIdAndZeros),
    (500, CodeSlip::CodeAndZeros),
    (300, CodeSlip::Wrong),
];
/// Of old firms, those that tax has under their registration number.
const NUMBERED: [(u64, ()); 1] = [(1500, ())];
/// Of codes of digits alone, those that a spreadsheet spoilt in one month. The door has no use for a row without a key, so there are
/// few of them.
const SPREADSHEET: [(u64, ()); 1] = [(600, ())];
/// Slips of whoever copied the month by hand; few, for the same reason.
const COPIED: [(u64, CodeSlip); 1] = [(20, CodeSlip::Alike)];
/// Of old firms, those with a second row under the older id.
const TWIN: [(u64, ()); 1] = [(3000, ())];

/// The oldest month there is: three before the month of the start.
#[must_use]
pub fn first_month(options: &Options) -> Month {
    Month::of(options.start).plus(-3)
}

/// The day from which the file of a month is there.
#[must_use]
pub fn delivered(options: &Options, month: Month) -> Date {
    if month < Month::of(options.start).plus(-1) {
        return options.start;
    }
    incidents::tax_late(options, month).unwrap_or_else(|| plus_days(month.plus(1).first_day(), 15))
}

/// Whether the file of a month has a row of the firm.
#[must_use]
pub fn lists(firm: &Firm, month: Month) -> bool {
    let end = month.last_day();
    firm.founded <= end && firm.tax_since.is_some_and(|since| since <= end) && firm.is_active(end)
}

/// The wage filers its row shows; 0 without a row.
#[must_use]
pub fn filers(firm: &Firm, month: Month) -> u32 {
    if lists(firm, month) {
        firm.filers(month.last_day())
    } else {
        0
    }
}

/// The id under which tax has a firm in the file of a month, whatever blanks and widths come on top. What was typed wrong at the
/// registration stays; what went wrong when a month was copied or opened in a spreadsheet comes with its file.
#[must_use]
pub fn code<'a>(options: &Options, firm: &'a Firm, month: Month) -> Cow<'a, str> {
    let smudge = Smudge::new(options, DEPARTMENT);
    let subject = u64::from(firm.number);
    if smudge.is_clean() {
        return Cow::Borrowed(&firm.code);
    }
    if firm.legacy_tax_id {
        return Cow::Owned(CodeSlip::TaxId.of(&firm.code, 0));
    }
    if smudge.one_of(subject, 14, &NUMBERED).is_some()
        && let Some(number) = firm.registration_number()
    {
        return Cow::Owned(number);
    }
    let of_month = subject << 16 | u64::from(month.year.unsigned_abs()) << 4 | month_number(month);
    if let Some(((), how)) = smudge.one_of(of_month, 13, &SPREADSHEET)
        && let Some(spoilt) = slips::spreadsheet(&firm.code, how)
    {
        return Cow::Owned(spoilt);
    }
    let copied = smudge.one_of(of_month, 16, &COPIED);
    match copied.or_else(|| smudge.one_of(subject, 11, &SLIPS)) {
        Some((slip, how)) => Cow::Owned(slip.of(&firm.code, how)),
        None => Cow::Borrowed(&firm.code),
    }
}

/// The older id under which tax has a second row of the firm, with other figures.
#[must_use]
pub fn twin(options: &Options, firm: &Firm) -> Option<String> {
    let smudge = Smudge::new(options, DEPARTMENT);
    let has = firm.is_old() && !firm.legacy_tax_id;
    let drawn = smudge.one_of(firm.number.into(), 92, &TWIN).is_some();
    (has && drawn).then(|| CodeSlip::TaxId.of(&firm.code, 0))
}

/// The file of a month: the same bytes whenever it is made after the month's end.
#[must_use]
pub fn file(city: &City, month: Month) -> Written<Vec<u8>> {
    let smudge = Smudge::new(&city.options, DEPARTMENT);
    let cut_off = plus_days(month.plus(1).first_day(), 14);
    let mut text = format!("南阳市税务申报月度数据\n数据截止日期：{cut_off},,单位：元\n{HEADER}\n");
    let mut tally = Tally::default();
    let mut total = 0;
    for firm in city.firms.iter().filter(|firm| lists(firm, month)) {
        let row = Row::of(firm, month, &city.options);
        let touched = row.write(&mut text, tally.rows + 1);
        tally.count(touched);
        total += u64::from(row.filers);
        if smudge.touch(firm.number.into(), 90, 4).is_some() {
            row.write(&mut text, tally.rows + 1);
            tally.count(true);
            total += u64::from(row.filers);
        }
        if let Some(code) = twin(&city.options, firm) {
            let older = row.twin(code);
            older.write(&mut text, tally.rows + 1);
            tally.count(true);
            total += u64::from(older.filers);
        }
    }
    // Writing to a String never fails.
    for at in 0..smudge.rows(city.firms.len(), 1) {
        tally.count(true);
        let code = if at.is_multiple_of(2) {
            "无"
        } else {
            "9141130"
        };
        let _ = writeln!(
            text,
            "{},{code},数据补录中,正常,{},0,0,0.00,0.00,,,",
            tally.rows,
            period(month)
        );
    }
    let _ = writeln!(text, "合计,,,,,{total},,,,,,");
    // GBK has no no-break space; what this department's tables show in its place is the wide one.
    let text = text.replace('\u{a0}', "\u{3000}");
    let (bytes, _, _) = GBK.encode(&text);
    Written {
        content: bytes.into_owned(),
        tally,
    }
}

/// What a row says.
struct Row<'a> {
    firm: &'a Firm,
    month: Month,
    smudge: Smudge,
    code: Cow<'a, str>,
    filers: u32,
    heads: u32,
    revenue: u64,
}

impl<'a> Row<'a> {
    fn of(firm: &'a Firm, month: Month, options: &Options) -> Self {
        let filers = filers(firm, month);
        Self {
            firm,
            month,
            smudge: Smudge::new(options, DEPARTMENT),
            code: code(options, firm, month),
            filers,
            heads: firm.staff.heads(month.last_day()).max(filers) + firm.dispatched,
            revenue: firm.revenue_yuan,
        }
    }

    /// The row that stayed behind under the older id: figures of another time.
    fn twin(&self, code: String) -> Self {
        let number = self.firm.number;
        let filers = if number.is_multiple_of(2) {
            self.filers / 2
        } else {
            self.filers + 1 + number % 3
        };
        Self {
            code: Cow::Owned(code),
            filers,
            heads: filers + self.firm.dispatched,
            revenue: self.revenue / 5 * 4,
            ..*self
        }
    }

    /// Writes it; whether any cell of it is not as agreed.
    fn write(&self, text: &mut String, serial: u64) -> bool {
        let (firm, month) = (self.firm, self.month);
        let end = month.last_day();
        let row = self.smudge.row(firm.number.into());
        let code = row.text(&firm.code, dirt::code(&self.code, row.touch(1, 12)));
        let agreed = for_gbk(firm.name(end));
        let known = for_gbk(known_as(firm, &row, end));
        let known = match row.touch(12, 6) {
            Some(how) => slips::name(&known, how),
            None => Cow::Borrowed(known.as_str()),
        };
        let name = row.text(&agreed, dirt::name(&known, row.touch(2, 15)));
        let agreed = period(month);
        let written = match row.touch(3, 20) {
            Some(_) => format!("{}年{:02}月", month.year, month.month),
            None => agreed.clone(),
        };
        let period = row.cell(&agreed, written);
        let status = if row.touch(4, 15).is_some() {
            "正常户"
        } else {
            "正常"
        };
        let status = row.cell(&"正常", status);
        let agreed = self.filers.to_string();
        let written = match row.touch(5, 8) {
            Some(_) => dirt::wide(&agreed),
            None => agreed.clone(),
        };
        let filers = row.cell(&agreed, written);
        let figure = |yuan, cell| row.cell(&money(yuan, None), money(yuan, row.touch(cell, 150)));
        let (revenue, assets) = (figure(self.revenue, 6), figure(firm.assets_yuan, 7));
        // What the taxpayer ticked when it registered, whatever it does now.
        let industry = match row.touch(8, 30) {
            Some(how) => TRADES[usize::try_from(how % TRADES.len() as u64).unwrap_or(0)].code,
            None => firm.trade().code,
        };
        let industry = row.cell(&firm.trade().code, industry);
        // Writing to a String never fails.
        let _ = writeln!(
            text,
            "{serial},{code},{name},{status},{period},{filers},{},{revenue},{assets},{industry},{},",
            self.heads, firm.tax_phone,
        );
        row.is_touched()
    }
}

/// With separators, and therefore in quotation marks, or plain.
fn money(yuan: u64, how: Option<u64>) -> String {
    match how {
        Some(_) if yuan >= 1000 => format!("\"{}.00\"", dirt::grouped(yuan)),
        _ => format!("{yuan}.00"),
    }
}

/// Rare characters that GBK has no place for come out as question marks in this department.
fn for_gbk(name: &str) -> String {
    name.chars()
        .map(|c| if c == '㑇' { '?' } else { c })
        .collect()
}
