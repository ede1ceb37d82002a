//! What a start checks and catches up with.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use crate::store::StoreError;
use crate::store::archive::{io, sync_folder};
use crate::store::fold::{Fold, delivered};
use crate::store::index::Index;
use crate::store::journal::Line;
use crate::store::stage::Marker;

/// Version of the layout of the state folder.
const VERSION: u32 = 5;
/// The oldest that is taken on: its records lie where this program looks.
const OLDEST: u32 = 2;

/// Refuses a folder of a newer or too old a program; marks a new one. The version of an older one that is to be taken on.
pub fn check_version(state: &Path) -> Result<Option<u32>, StoreError> {
    let path = state.join("VERSION");
    let damaged = |text: String| StoreError::Damaged {
        what: "状态目录的VERSION文件".to_owned(),
        text,
    };
    match fs::read_to_string(&path) {
        Ok(text) => {
            let found: u32 = text
                .trim()
                .parse()
                .map_err(|_| damaged(format!("内容为“{}”", text.trim().escape_debug())))?;
            match found.cmp(&VERSION) {
                Ordering::Greater => Err(StoreError::Newer {
                    found,
                    known: VERSION,
                }),
                // Its records lie where this program does not look: every row would seem new.
                Ordering::Less if found < OLDEST => Err(StoreError::Older {
                    found,
                    known: VERSION,
                }),
                Ordering::Less => Ok(Some(found)),
                Ordering::Equal => Ok(None),
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if state.join("journal").exists() || state.join("index").exists() {
                return Err(damaged("文件不存在，而目录中已有数据".to_owned()));
            }
            mark_version(state)?;
            Ok(None)
        }
        Err(error) => Err(io("读取VERSION文件")(error)),
    }
}

/// Marks a folder as one of this version.
pub fn mark_version(state: &Path) -> Result<(), StoreError> {
    let what = || io("写入VERSION文件");
    let mut file = tempfile::NamedTempFile::new_in(state).map_err(what())?;
    writeln!(file, "{VERSION}")
        .and_then(|()| file.as_file().sync_all())
        .map_err(what())?;
    file.persist(state.join("VERSION"))
        .map_err(|error| what()(error.error))?;
    sync_folder(state)
}

/// Whether a folder is one of this version; nothing is made or written.
pub fn is_current(state: &Path) -> bool {
    fs::read_to_string(state.join("VERSION")).is_ok_and(|text| text.trim().parse() == Ok(VERSION))
}

/// Applies an entry the index has not seen, publishing its staged changes when it has some.
pub fn replay(
    index: &Index,
    left: &mut BTreeMap<u64, Marker>,
    line: &Line,
) -> Result<(), StoreError> {
    let entry = &line.entry;
    let mut delivery = None;
    if let Some(batch) = delivered(entry) {
        let marker = left
            .values()
            .rev()
            .find(|marker| marker.sealed == Some(entry.seq) && marker.batch == batch.batch)
            .cloned()
            .ok_or_else(|| StoreError::Damaged {
                what: "索引".to_owned(),
                text: format!(
                    "日志第{}条涉及的批次{}的记录不在索引中，仅凭日志不能恢复，须连同索引一起恢复备份或由归档重建",
                    entry.seq, batch.batch
                ),
            })?;
        left.remove(&marker.delivery);
        delivery = Some(marker);
    }
    let mut fold = Fold::new(
        index,
        entry.seq,
        entry.at,
        delivery.as_ref().map(|marker| marker.delivery),
    )?;
    for event in &entry.events {
        fold.take(event).map_err(|error| match error {
            // What is journaled was allowed when it was written.
            StoreError::Refused(_) | StoreError::Unfit { .. } => StoreError::Damaged {
                what: format!("日志第{}条", entry.seq),
                text: error.to_string(),
            },
            other => other,
        })?;
    }
    let mut rows = fold.finish(line.place)?;
    if let Some(marker) = delivery {
        marker.publish(&mut rows)?;
    }
    index.write(rows, None)
}
