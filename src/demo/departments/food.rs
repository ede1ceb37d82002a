//! Market regulation: licences of food business, lines of fixed width in GBK under a GBK name, once a month.

use std::borrow::Cow;

use encoding_rs::GBK;
use jiff::civil::Date;

use crate::demo::city::City;
use crate::demo::departments::{licences, stamp};
use crate::demo::dirt::{Smudge, Written};
use crate::demo::firm::Firm;

const DEPARTMENT: u64 = 6;

/// Meals, hotels, meals brought home, food that is made or sold.
const TRADES: [&str; 5] = ["6210", "6110", "6242", "1391", "5211"];

/// Bytes of each column: 信用代码, 名称, 许可证编号, 有效期至, 状态, 数据日期.
const WIDTHS: [usize; 6] = [20, 90, 18, 12, 6, 8];

/// The name of the file of the month of `day`, as its server sends it.
#[must_use]
pub fn name(day: Date) -> Vec<u8> {
    let name = format!("食品经营许可_{}.txt", stamp(day.first_of_month()));
    GBK.encode(&name).0.into_owned()
}

/// The file of the month of `day`: the same bytes on all its days. `None` when nobody holds a licence.
#[must_use]
pub fn file(city: &City, day: Date) -> Option<Written<Vec<u8>>> {
    let as_of = day.first_of_month();
    let smudge = Smudge::new(&city.options, DEPARTMENT);
    let mut written = Written::<Vec<u8>>::default();
    for firm in licences::holders(city, &TRADES, as_of) {
        let touched = line(&mut written.content, firm, as_of, smudge);
        written.tally.count(touched);
    }
    (written.tally.rows > 0).then_some(written)
}

/// Writes a line; whether any cell of it is not as agreed.
fn line(content: &mut Vec<u8>, firm: &Firm, as_of: Date, smudge: Smudge) -> bool {
    let row = smudge.row(firm.number.into());
    let until = licences::end(firm, as_of).map_or_else(|| "长期".to_owned(), stamp);
    let code = licences::code(firm, smudge);
    // A column has no room for dirt of the wide kind.
    let code = match row.touch(1, 30) {
        Some(_) => Cow::Owned(code.to_ascii_lowercase()),
        None => code,
    };
    let code = row.text(&firm.code, code);
    let name = licences::name(firm, &row, as_of);
    let cells = [
        &*code,
        &name,
        &format!("JY24113{:09}", firm.number),
        &until,
        licences::state(firm.status(as_of)),
        &stamp(as_of),
    ];
    for (cell, width) in cells.into_iter().zip(WIDTHS) {
        let (bytes, _, _) = GBK.encode(cell);
        let bytes = whole_characters(&bytes, width);
        content.extend_from_slice(bytes);
        content.resize(content.len() + width - bytes.len(), b' ');
    }
    content.extend_from_slice(b"\r\n");
    row.is_touched()
}

/// As many bytes as a column holds, without half a hanzi at its end.
fn whole_characters(bytes: &[u8], width: usize) -> &[u8] {
    let mut end = 0;
    while end < bytes.len() {
        let next = end + if bytes[end] < 0x80 { 1 } else { 2 };
        if next > width {
            break;
        }
        end = next;
    }
    &bytes[..end.min(bytes.len())]
}
