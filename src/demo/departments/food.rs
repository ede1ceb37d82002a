//! Market regulation: licences of food business, lines of fixed width in GBK under a GBK name, once a month.

use encoding_rs::GBK;
use jiff::civil::Date;

use crate::demo::city::City;
use crate::demo::departments::{licences, stamp};
use crate::demo::dirt::{self, Smudge};
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
pub fn file(city: &City, day: Date) -> Option<Vec<u8>> {
    let as_of = day.first_of_month();
    let smudge = Smudge::new(&city.options, DEPARTMENT);
    let mut content = Vec::new();
    for firm in licences::holders(city, &TRADES, as_of) {
        line(&mut content, firm, as_of, smudge);
    }
    (!content.is_empty()).then_some(content)
}

fn line(content: &mut Vec<u8>, firm: &Firm, as_of: Date, smudge: Smudge) {
    let touch = |cell, per_mille| smudge.touch(firm.number.into(), cell, per_mille);
    let until = licences::end(firm, as_of).map_or_else(|| "长期".to_owned(), stamp);
    // A column has no room for dirt of the wide kind.
    let code = match touch(1, 20) {
        Some(_) => firm.code.to_ascii_lowercase(),
        None => firm.code.clone(),
    };
    let name = dirt::name(firm.name(as_of), touch(2, 25));
    let cells = [
        &code,
        &*name,
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
