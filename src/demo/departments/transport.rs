//! Transport: licences as JSON rows, renewed at the beginning of each month.

use jiff::civil::Date;
use serde_json::json;

use crate::demo::city::City;
use crate::demo::departments::licences;
use crate::demo::dirt::{self, Smudge};
use crate::demo::firm::Firm;
use crate::demo::places::place;
use crate::demo::trades::Licence;

const DEPARTMENT: u64 = 3;

/// All rows of the month of `day`, each one JSON object.
#[must_use]
pub fn rows(city: &City, day: Date) -> Vec<String> {
    let as_of = day.first_of_month();
    let smudge = Smudge::new(&city.options, DEPARTMENT);
    let mut rows = Vec::new();
    for firm in city.firms.iter().filter(|firm| firm.founded <= as_of) {
        if let Some(licence) = firm.trade().licence {
            let row = row(firm, licence, as_of, smudge);
            if smudge.touch(firm.number.into(), 90, 20).is_some() {
                rows.push(row.clone());
            }
            rows.push(row);
        }
    }
    rows
}

fn row(firm: &Firm, licence: Licence, as_of: Date, smudge: Smudge) -> String {
    let touch = |cell, per_mille| smudge.touch(firm.number.into(), cell, per_mille);
    let until = licences::end(firm, as_of).map_or_else(
        || "长期".to_owned(),
        |end| format!("{}/{}/{}", end.year(), end.month(), end.day()),
    );
    let state = licences::state(firm.status(as_of));
    let (vehicles, drivers) = (firm.vehicles, firm.vehicles * 3 / 2);
    let count = |n: u32, cell| {
        if touch(cell, 200).is_some() {
            json!(n)
        } else {
            json!(n.to_string())
        }
    };
    json!({
        "uscc": dirt::code(&firm.code, touch(1, 20)),
        "owner": dirt::name(firm.name(as_of), touch(2, 25)),
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
    .to_string()
}
