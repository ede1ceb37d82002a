//! Tax: one CSV in GBK for each month, there from the 16th of the next.

use std::fmt::Write as _;

use encoding_rs::GBK;
use jiff::civil::Date;

use crate::demo::city::City;
use crate::demo::departments::period;
use crate::demo::dirt::{self, Smudge};
use crate::demo::firm::Firm;
use crate::demo::incidents;
use crate::demo::options::Options;
use crate::demo::steps::plus_days;
use crate::domain::record::Month;

const DEPARTMENT: u64 = 2;
const HEADER: &str = "序号,纳税人识别号,纳税人名称,纳税人状态,所属期,工资薪金个税申报人数,从业人数,营业收入,资产总额,行业代码,联系电话,备注";

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

/// The file of a month: the same bytes whenever it is made after the month's end.
#[must_use]
pub fn file(city: &City, month: Month) -> Vec<u8> {
    let smudge = Smudge::new(&city.options, DEPARTMENT);
    let cut_off = plus_days(month.plus(1).first_day(), 14);
    let mut text = format!("南阳市税务申报月度数据\n数据截止日期：{cut_off},,单位：元\n{HEADER}\n");
    let (mut serial, mut total) = (0, 0);
    for firm in city.firms.iter().filter(|firm| lists(firm, month)) {
        let copies = 1 + u32::from(smudge.touch(firm.number.into(), 90, 4).is_some());
        for _ in 0..copies {
            serial += 1;
            total += filers(firm, month);
            row(&mut text, firm, month, serial, smudge);
        }
    }
    // Writing to a String never fails.
    for at in 0..smudge.rows(city.firms.len(), 1) {
        serial += 1;
        let code = if at.is_multiple_of(2) {
            "无"
        } else {
            "9141130"
        };
        let _ = writeln!(
            text,
            "{serial},{code},数据补录中,正常,{},0,0,0.00,0.00,,,",
            period(month)
        );
    }
    let _ = writeln!(text, "合计,,,,,{total},,,,,,");
    // GBK has no no-break space; what this department's tables show in its place is the wide one.
    let text = text.replace('\u{a0}', "\u{3000}");
    let (bytes, _, _) = GBK.encode(&text);
    bytes.into_owned()
}

fn row(text: &mut String, firm: &Firm, month: Month, serial: u32, smudge: Smudge) {
    let end = month.last_day();
    let touch = |cell, per_mille| smudge.touch(firm.number.into(), cell, per_mille);
    // The legacy id is the credit code without its head and check.
    let code = if firm.legacy_tax_id && !smudge.is_clean() {
        &firm.code[2..17]
    } else {
        &firm.code
    };
    let code = dirt::code(code, touch(1, 12));
    let name = for_gbk(firm.name(end));
    let name = dirt::name(&name, touch(2, 15));
    let period = if touch(3, 20).is_some() {
        format!("{}年{:02}月", month.year, month.month)
    } else {
        period(month)
    };
    let filers = filers(firm, month);
    let heads = firm.staff.heads(end).max(filers) + firm.dispatched;
    let status = if touch(4, 15).is_some() {
        "正常户"
    } else {
        "正常"
    };
    let _ = writeln!(
        text,
        "{serial},{code},{name},{status},{period},{},{heads},{},{},{},{},",
        touch(5, 8).map_or_else(|| filers.to_string(), |_| dirt::wide(&filers.to_string())),
        money(firm.revenue_yuan, touch(6, 150)),
        money(firm.assets_yuan, touch(7, 150)),
        firm.trade().code,
        firm.tax_phone,
    );
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
