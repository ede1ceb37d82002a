//! The sheets of issues that go back to the departments: one for every batch with something wrong in it, below the state folder.

use std::path::PathBuf;

use crate::calendar::shanghai;
use crate::courier::files;
use crate::domain::batch::{Batch, ISSUES_KEPT, Verdict};
use crate::render::issue_sheet::{IssueSheet, xlsx};
use crate::tasks::{Desk, Failure};

/// Whether there is anything to send back: issues, or a file that was held or refused.
#[must_use]
pub const fn is_due(batch: &Batch) -> bool {
    !batch.issues.is_empty() || matches!(batch.verdict, Verdict::Quarantined | Verdict::Refused)
}

/// Where the sheet of a batch lies below the state folder: `out/2026-03-02/issues/BATCH.xlsx`.
#[must_use]
pub fn place(batch: &Batch) -> PathBuf {
    let day = shanghai::civil(batch.received).date().to_string();
    ["out", &day, "issues", &format!("{}.xlsx", batch.batch)]
        .iter()
        .collect()
}

/// The sheet of a batch.
///
/// # Errors
/// The workbook cannot be made.
pub fn sheet(desk: Desk<'_>, batch: &Batch) -> Result<Vec<u8>, Failure> {
    let settings = &desk.configuration.settings;
    // An adapter may be gone while its batches remain.
    let adapter = desk.configuration.adapters.get(&batch.adapter);
    let sheet = IssueSheet {
        demo_mark: settings.demo_mark.clone(),
        centre: settings.centre.clone(),
        department: adapter.map_or_else(String::new, |adapter| adapter.department.clone()),
        export: adapter.map_or_else(|| batch.adapter.clone(), |adapter| adapter.title.clone()),
        file: batch.file.clone(),
        batch: batch.batch.clone(),
        received: shanghai::civil(batch.received).date(),
        as_of: batch.as_of,
        verdict: batch.verdict.title(),
        rows: batch.rows,
        set_aside: batch.set_aside,
        reasons: batch.reasons.clone(),
        found: batch.issues_found.max(batch.issues.len() as u64),
        issues: batch.issues.iter().take(ISSUES_KEPT).cloned().collect(),
    };
    xlsx(&sheet).map_err(|error| Failure::Render {
        what: error.what.to_owned(),
        text: error.text,
    })
}

/// Puts the sheet of a batch where outputs lie, when one is due and not there. So a pull that was interrupted makes up for it when it
/// is repeated.
///
/// # Errors
/// Disk; the workbook cannot be made.
pub fn hand_out(desk: Desk<'_>, batch: &str) -> Result<(), Failure> {
    let Some(batch) = desk.store.batch(batch)?.filter(is_due) else {
        return Ok(());
    };
    let path = desk.configuration.home.state.join(place(&batch));
    if path.exists() {
        return Ok(());
    }
    let bytes = sheet(desk, &batch)?;
    write(&path, &bytes).map_err(|source| Failure::Io {
        what: format!("写问题清单{}", path.display()),
        source,
    })
}

/// Batches of a source looked through for a sheet that an interrupted pull did not come to.
const LOOKED_BACK: usize = 3;

/// Makes up for sheets that are missing: an interrupted pull is not repeated when nothing new has come.
///
/// # Errors
/// As [`hand_out`]; the store.
pub fn make_up(desk: Desk<'_>, adapter: &str) -> Result<(), Failure> {
    for batch in desk.store.batches(Some(adapter), LOOKED_BACK)? {
        hand_out(desk, &batch.batch)?;
    }
    Ok(())
}

/// Where the sheets lie that [`make_up`] looks for, below the state folder.
///
/// # Errors
/// The store.
pub fn due(desk: Desk<'_>, adapter: &str) -> Result<Vec<PathBuf>, Failure> {
    let batches = desk.store.batches(Some(adapter), LOOKED_BACK)?;
    Ok(batches
        .iter()
        .filter(|batch| is_due(batch))
        .map(place)
        .collect())
}

/// Writes the whole file or nothing. It can be made again at any time, so nobody waits for the disk.
///
/// # Errors
/// Disk.
pub fn write(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    files::place(path, bytes, false)
}
