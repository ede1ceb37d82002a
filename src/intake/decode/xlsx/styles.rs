//! How the styles of a workbook show numbers.

use std::collections::HashMap;

use quick_xml::events::Event;

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::look::Look;
use crate::intake::decode::source::Source;
use crate::intake::decode::workbook::{attributes, walk};

/// Reads the look of every style that cells name, by number.
pub fn read(source: Source<'_>, limits: &Limits) -> Result<Vec<Look>, Unreadable> {
    let mut codes: HashMap<u32, Look> = HashMap::new();
    let mut formats: Vec<u32> = Vec::new();
    let mut of_cells = false;
    walk(source, limits, &mut |event, _| {
        match event {
            Event::Start(start) => match start.local_name().as_ref() {
                "cellXfs" => of_cells = true,
                "xf" if of_cells => {
                    let [id] = attributes(start, ["numFmtId"])?;
                    formats.push(id.and_then(|id| id.parse().ok()).unwrap_or(0));
                }
                "numFmt" => {
                    let [id, code] = attributes(start, ["numFmtId", "formatCode"])?;
                    if let (Some(id), Some(code)) = (id.and_then(|id| id.parse().ok()), code) {
                        codes.insert(id, Look::of_code(&code));
                    }
                }
                _ => {}
            },
            Event::End(end) if end.local_name().as_ref() == "cellXfs" => of_cells = false,
            _ => {}
        }
        Ok(())
    })?;
    let look = |id: &u32| {
        let built_in = || u16::try_from(*id).map_or(Look::Number, Look::built_in);
        codes.get(id).copied().unwrap_or_else(built_in)
    };
    Ok(formats.iter().map(look).collect())
}
