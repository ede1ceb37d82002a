//! Truth beside what was linked: each record that stands against the firm it speaks of.

use std::fs;

use crate::cli::demo::days::Run;
use crate::cli::demo::io;
use crate::demo::links::{Judge, REGISTER};
use crate::tasks::known::Known;
use crate::tasks::{Desk, Failure};

/// Judges every record that stands.
pub fn judge<'a>(run: &'a Run, desk: Desk<'_>, known: &'a Known) -> Result<Judge<'a>, Failure> {
    let mut judge = Judge::of(&run.city, &known.register);
    let adapters = desk.configuration.adapters.values();
    for adapter in adapters.clone().filter(|adapter| adapter.name == REGISTER) {
        for stored in desk.store.records(&adapter.name, adapter.record) {
            let stored = stored?;
            if stored.stands(adapter.gone_after) {
                judge.stands(&stored.record);
            }
        }
    }
    for adapter in adapters {
        for stored in desk.store.records(&adapter.name, adapter.record) {
            let stored = stored?;
            if stored.stands(adapter.gone_after) {
                judge.judge(&adapter.name, &stored.record);
            }
        }
    }
    Ok(judge)
}

/// Writes `links.jsonl`: each record that went astray.
pub fn write(run: &Run, judge: &Judge<'_>) -> Result<(), Failure> {
    let mut lines = String::new();
    for astray in &judge.astray {
        let line = serde_json::to_string(astray).map_err(|error| Failure::Render {
            what: "links.jsonl".to_owned(),
            text: error.to_string(),
        })?;
        lines.push_str(&line);
        lines.push('\n');
    }
    fs::write(run.out.join("links.jsonl"), lines).map_err(io("写 links.jsonl"))
}
