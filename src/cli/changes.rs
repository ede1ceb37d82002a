//! `changes`: what a batch changed, in the order of its rows; what is missing stands at the end.

use crate::cli::arguments::ChangesArguments;
use crate::cli::console::Console;
use crate::domain::batch::Batch;
use crate::domain::change::ChangeKind;
use crate::domain::record::{Field, mask};
use crate::tasks::{Desk, Failure};

/// Exit 0.
pub fn run(
    desk: Desk<'_>,
    options: &ChangesArguments,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    let Some(batch) = wanted(desk, options)? else {
        console.message("还没有已接收的批次。");
        return Ok(0);
    };
    if !console.json {
        console.line(format!("批次 {}（{}）", batch.batch, batch.file));
    }
    let mut any = false;
    for change in desk.store.changes(&batch.batch, batch.kind) {
        let change = change?;
        any = true;
        if console.json {
            console.document(&change.to_json());
            continue;
        }
        let word = match change.kind {
            ChangeKind::New => "新增",
            ChangeKind::Changed => "变更",
            ChangeKind::Missing => "缺失",
            ChangeKind::Returned => "恢复",
        };
        let name = change
            .after
            .as_ref()
            .or(change.before.as_ref())
            .and_then(|record| record.text(Field::Name))
            .unwrap_or_default();
        console.line(format!("{word} {} {name}", change.key));
        if change.kind == ChangeKind::Changed || change.kind == ChangeKind::Returned {
            for (field, (before, after)) in change.fields() {
                let shown = |value: Option<String>| {
                    value.map_or_else(
                        || "（空）".to_owned(),
                        |value| if field.masked() { mask(&value) } else { value },
                    )
                };
                console.line(format!(
                    "    {}：{} → {}",
                    field.title(),
                    shown(before),
                    shown(after)
                ));
            }
        }
    }
    if !any && !console.json {
        console.line("无变化");
    }
    Ok(0)
}

fn wanted(desk: Desk<'_>, options: &ChangesArguments) -> Result<Option<Batch>, Failure> {
    if let Some(id) = &options.batch {
        return match desk.store.batch(id)? {
            Some(batch) => Ok(Some(batch)),
            None => Err(Failure::no_batch(id)),
        };
    }
    if let Some(adapter) = &options.adapter {
        crate::tasks::pull::adapter_named(desk, adapter)?;
        return Ok(desk.store.head(adapter)?);
    }
    let mut newest: Option<Batch> = None;
    for adapter in desk.configuration.adapters.keys() {
        if let Some(head) = desk.store.head(adapter)?
            && newest
                .as_ref()
                .is_none_or(|known| head.received > known.received)
        {
            newest = Some(head);
        }
    }
    Ok(newest)
}
