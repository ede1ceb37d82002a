//! Transport: licences as JSON rows, renewed at the beginning of each month.

use jiff::civil::Date;
use serde_json::json;

use crate::demo::city::City;
use crate::demo::departments::licences;
use crate::demo::dirt::{self, Smudge, Written};
use crate::demo::firm::Firm;
use crate::demo::places::place;
use crate::demo::trades::Licence;

const DEPARTMENT: u64 = 3;

/// All rows of the month of `day`, each one JSON object.
#[must_use]
pub fn rows(city: &City, day: Date) -> Written<Vec<String>> {
    let as_of = day.first_of_month();
    let smudge = Smudge::new(&city.options, DEPARTMENT);
    let mut written = Written::<Vec<String>>::default();
    for firm in city.firms.iter().filter(|firm| firm.founded <= as_of) {
        if let Some(licence) = firm.trade().licence {
            let (row, touched) = row(firm, licence, as_of, smudge);
            if smudge.touch(firm.number.into(), 90, 20).is_some() {
                written.content.push(row.clone());
                written.tally.count(true);
            }
            written.content.push(row);
            written.tally.count(touched);
        }
    }
    written
}

/// A row, and whether any cell of it is not as agreed.
fn row(firm: &Firm, licence: Licence, as_of: Date, smudge: Smudge) -> (String, bool) {
    let row = smudge.row(firm.number.into());
    let until = licences::end(firm, as_of).map_or_else(
        || "长期".to_owned(),
        |end| format!("{}/{}/{}", end.year(), end.month(), end.day()),
    );
    let state = licences::state(firm.status(as_of));
    let (vehicles, drivers) = (firm.vehicles, firm.vehicles * 3 / 2);
    let count = |n: u32, cell| {
        let agreed = json!(n.to_string());
        let written = match row.touch(cell, 200) {
            Some(_) => json!(n),
            None => agreed.clone(),
        };
        row.cell(&agreed, written)
    };
    let code = licences::code(firm, smudge);
    let text = json!({
        "uscc": row.text(&firm.code, dirt::code(&code, row.touch(1, 20))),
        "owner": licences::name(firm, &row, as_of),
        "permit_type": licence.title(),
        "permit_no": format!("豫交运许可南字4113{:08}号", firm.number),
        "valid_to": until,
        "vehicle_num": count(vehicles, 3),
        "driver_num": count(drivers, 4),
        "region": place(firm.unit).region,
        "phone": firm.tax_phone,
        "state": state,
        "data_date": as_of.to_string(),
    })
    .to_string();
    (text, row.is_touched())
}
