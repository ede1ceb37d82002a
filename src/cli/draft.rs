//! `draft FILE`: proposes an adapter from a sample. Works without a home, stores nothing.

use serde_json::json;

use crate::adapter::draft::aliases::Aliases;
use crate::adapter::draft::proposal::{Proposal, propose};
use crate::adapter::draft::text::toml;
use crate::adapter::language::{Adapter, AdapterFile, Mode};
use crate::cli::arguments::DraftArguments;
use crate::cli::console::Console;
use crate::cli::preview::NO_FILE;
use crate::cli::progress::Rows;
use crate::config::toml_file;
use crate::domain::record::RecordKind;
use crate::intake::sniff::sniff;

/// Exit 0 proposed, 1 not readable or a required field was not found, 2 no such file.
pub fn run(options: &DraftArguments, console: &mut Console<'_>) -> i32 {
    let name = options
        .file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    if !options.file.is_file() {
        console.message(format!(
            "[{NO_FILE}] 没有这个文件：{}。处理：核对路径。",
            options.file.display()
        ));
        return 2;
    }
    let aliases = match Aliases::shipped() {
        Ok(aliases) => aliases,
        Err(error) => {
            console.message(format!(
                "[YB-7221] 列名对照表有误：{error}。处理：联系维护人员。"
            ));
            return 3;
        }
    };
    let bar = Rows::begin(console, &name);
    let sample = sniff(&options.file, &name, &aliases, &|rows| bar.at(rows));
    drop(bar);
    let sample = match sample {
        Ok(sample) => sample,
        Err(unreadable) => {
            console.message(format!(
                "[{}] {name}：{}。",
                unreadable.code, unreadable.text
            ));
            if console.json {
                console.document(&json!({
                    "file": name, "refused": { "code": unreadable.code, "text": unreadable.text },
                }));
            }
            return 1;
        }
    };
    let proposal = propose(&sample, options.record.as_deref().and_then(kind), &aliases);
    let text = toml(&proposal);
    let faults = faults(&text);
    if console.json {
        console.document(&document(&proposal, &text, &faults));
    } else {
        let _ = write!(console.out, "{text}");
    }
    summary(&proposal, console);
    for fault in &faults {
        console.message(fault);
    }
    i32::from(!proposal.missing.is_empty() || !faults.is_empty())
}

fn kind(name: &str) -> Option<RecordKind> {
    [
        RecordKind::Registration,
        RecordKind::Tax,
        RecordKind::Transport,
        RecordKind::InsuredRoll,
    ]
    .into_iter()
    .find(|kind| kind.name() == name)
}

/// What `check` would say of the draft: nothing.
fn faults(text: &str) -> Vec<String> {
    let file: AdapterFile = match toml_file::parse("draft.toml", text) {
        Ok(file) => file,
        Err(faults) => return faults.iter().map(ToString::to_string).collect(),
    };
    match Adapter::check("draft", "", file) {
        Ok(_) => Vec::new(),
        Err(complaints) => complaints
            .iter()
            .map(|complaint| format!("[{}] {}：{}", complaint.code, complaint.key, complaint.text))
            .collect(),
    }
}

fn document(proposal: &Proposal, text: &str, faults: &[String]) -> serde_json::Value {
    let layout = &proposal.layout;
    let names = |fields: &[crate::domain::record::Field]| -> Vec<&str> {
        fields.iter().map(|field| field.name()).collect()
    };
    let kinds: Vec<serde_json::Value> = proposal
        .kinds
        .iter()
        .map(|(kind, points)| json!({ "record": kind, "points": points }))
        .collect();
    let lookups: serde_json::Map<String, serde_json::Value> = proposal
        .fields
        .iter()
        .filter_map(|field| {
            let lookup = field.lookup.as_ref()?;
            let unknown: Vec<&str> = lookup
                .unknown
                .iter()
                .map(|(word, _)| word.as_str())
                .collect();
            Some((
                field.field.to_owned(),
                json!({ "seen": lookup.seen, "unknown": unknown }),
            ))
        })
        .collect();
    let layout_keys = |table: &crate::adapter::draft::layout::Table| {
        let keys: serde_json::Map<String, serde_json::Value> = table
            .keys
            .iter()
            .map(|key| (key.name.to_owned(), unquoted(&key.value)))
            .collect();
        json!({ "table": table.name, "keys": keys })
    };
    json!({
        "file": proposal.file,
        "container": layout.container.as_ref().map(layout_keys),
        "format": layout_keys(&layout.format),
        "charset": layout.charset,
        "rows": proposal.rows,
        "whole": proposal.whole,
        "record": proposal.record,
        "kinds": kinds,
        "mode": match proposal.mode { Mode::Snapshot => "snapshot", Mode::Increment => "increment" },
        "as_of": proposal.day,
        "fields": proposal.fields,
        "missing": names(&proposal.missing),
        "absent": names(&proposal.absent),
        "lookup": lookups,
        "ignored": proposal.ignored,
        "remarks": proposal.remarks,
        "faults": faults,
        "adapter": text,
    })
}

/// A TOML value as JSON.
fn unquoted(value: &str) -> serde_json::Value {
    toml::from_str::<toml::Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .and_then(|value| serde_json::to_value(value).ok())
        .unwrap_or_default()
}

fn summary(proposal: &Proposal, console: &mut Console<'_>) {
    let layout = &proposal.layout;
    console.message(format!(
        "{}：{}{}，{}行{}；按 {} 类记录起草，{}个字段，忽略{}列。",
        proposal.file,
        layout.format.why.trim_start_matches("按内容判断为"),
        if layout.charset.is_empty() {
            String::new()
        } else {
            format!("（{}）", layout.charset)
        },
        proposal.rows,
        if proposal.whole {
            ""
        } else {
            "（只看了开头）"
        },
        proposal.record.name(),
        proposal.fields.len(),
        proposal.ignored.len()
    ));
    for field in &proposal.missing {
        console.message(format!(
            "[YB-7222] 没有找到必填字段 {}（{}）。处理：在 [fields] 中填上它的列名；样本中确实没有的，请来源部门补充，或用 --record 改变类别。",
            field.name(),
            field.title()
        ));
    }
    for remark in &proposal.remarks {
        console.message(format!("  注意：{remark}"));
    }
}
