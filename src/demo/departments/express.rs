//! Postal administration: licences of express delivery, one CSV in UTF-8 with a byte order mark for each month.

use std::fmt::Write as _;

use jiff::civil::Date;

use crate::demo::city::City;
use crate::demo::departments::{licences, stamp};
use crate::demo::dirt::{self, Smudge, Tally, Written};
use crate::demo::places::place;

const DEPARTMENT: u64 = 5;

/// Express delivery.
const TRADES: [&str; 1] = ["6020"];

const HEADER: &str =
    "序号,统一社会信用代码,企业名称,许可证号,许可类别,有效期至,许可证状态,所在县区";

/// The name of the file of the month of `day`.
#[must_use]
pub fn name(day: Date) -> String {
    format!("kdxk_{}.csv", stamp(day.first_of_month()))
}

/// The file of the month of `day`: the same bytes on all its days. `None` when nobody holds a licence.
#[must_use]
pub fn file(city: &City, day: Date) -> Option<Written<Vec<u8>>> {
    let as_of = day.first_of_month();
    let smudge = Smudge::new(&city.options, DEPARTMENT);
    let mut text = format!("\u{feff}快递业务经营许可信息\n数据日期：{as_of}\n{HEADER}\n");
    let mut tally = Tally::default();
    for firm in licences::holders(city, &TRADES, as_of) {
        let row = smudge.row(firm.number.into());
        let until = licences::end(firm, as_of).map_or_else(
            || "长期".to_owned(),
            |end| row.cell(&end.to_string(), dirt::date(end, row.touch(3, 40))),
        );
        let code = licences::code(firm, smudge);
        // Writing to a String never fails.
        let _ = writeln!(
            text,
            "{},{},{},豫邮4113{:06}B,快递业务经营许可,{until},{},{}",
            tally.rows + 1,
            row.text(&firm.code, dirt::code(&code, row.touch(1, 30))),
            licences::name(firm, &row, as_of),
            firm.number,
            licences::state(firm.status(as_of)),
            place(firm.unit).region,
        );
        tally.count(row.is_touched());
    }
    (tally.rows > 0).then(|| Written {
        content: text.into_bytes(),
        tally,
    })
}
