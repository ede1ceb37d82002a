//! The centre's own licensing office: licences of labour dispatch, as JSON lines of a program on its machine.

use std::fmt::Write as _;

use jiff::civil::Date;
use serde_json::json;

use crate::demo::city::City;
use crate::demo::departments::licences;
use crate::demo::dirt::{self, Smudge, Written};

const DEPARTMENT: u64 = 7;

/// Labour dispatch and other services of human resources.
const TRADES: [&str; 1] = ["7263"];

/// What the program writes in the month of `day`: one licence on each line.
#[must_use]
pub fn lines(city: &City, day: Date) -> Written<String> {
    let as_of = day.first_of_month();
    let smudge = Smudge::new(&city.options, DEPARTMENT);
    let mut written = Written::<String>::default();
    for firm in licences::holders(city, &TRADES, as_of) {
        let row = smudge.row(firm.number.into());
        let code = licences::code(firm, smudge);
        let line = json!({
            "统一社会信用代码": row.text(&firm.code, dirt::code(&code, row.touch(1, 30))),
            "单位名称": licences::name(firm, &row, as_of),
            "许可类别": "劳务派遣经营许可",
            "许可证编号": format!("豫劳派4113{:06}", firm.number),
            "有效期至": licences::end(firm, as_of).map_or_else(|| "长期".to_owned(), |end| end.to_string()),
            "许可状态": licences::state(firm.status(as_of)),
            "数据日期": as_of.to_string(),
        });
        // Writing to a String never fails.
        let _ = writeln!(written.content, "{line}");
        written.tally.count(row.is_touched());
    }
    written
}
