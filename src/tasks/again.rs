//! The same bytes again: the answer of a pull without opening the store, when nothing else is to be done.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::adapter::language::{Adapter, Repeat};
use crate::calendar::shanghai;
use crate::config::configuration::Configuration;
use crate::domain::batch::{BatchId, ChangeCounts, Verdict};
use crate::intake::fetch::Fetched;
use crate::intake::fetch::carried::carry;
use crate::store::known_file::{Found, KnownFile, Moment};
use crate::tasks::pull::PullReport;
use crate::tasks::stopwatch::Stopwatch;
use crate::tasks::{Desk, Failure, issue_sheets};

/// A file that was known.
#[derive(Debug)]
pub struct Again {
    /// What a pull tells of it.
    pub report: PullReport,
    /// The sheet of its issues, when it has one.
    pub sheet: Option<PathBuf>,
}

/// Tells and journals that a hand-carried file is the last one of its source, byte for byte. `None`: it is not, or a pull would do
/// more than tell so; nothing was done then.
///
/// # Errors
/// The journal cannot be written.
pub fn run(
    configuration: &Configuration,
    now: Timestamp,
    name: &str,
    file: &Path,
    given: bool,
) -> Result<Option<Again>, Failure> {
    let state = &configuration.home.state;
    let Some(adapter) = configuration.adapters.get(name) else {
        return Ok(None);
    };
    let today = shanghai::civil(now).date();
    if adapter.repeat == Repeat::Allowed
        || adapter.agreed_until().is_some_and(|until| today > until)
    {
        return Ok(None);
    }
    let Some(found) = Found::of(state, name) else {
        return Ok(None);
    };
    let known = found.known();
    if known.adapter_digest != adapter.digest
        || !known.outputs.iter().all(|path| state.join(path).exists())
    {
        return Ok(None);
    }
    let mut watch = Stopwatch::start();
    let Some(fetched) = same(known, file, given, adapter) else {
        return Ok(None);
    };
    watch.lap("fetch");
    let Some(standing) = found.standing() else {
        return Ok(None);
    };
    let known = standing.seen_again(now, "pull", &fetched.name)?;
    watch.lap("commit");
    if given {
        // The archive has it.
        let _ = fs::remove_file(file);
    }
    Ok(Some(Again {
        sheet: known.sheet.as_ref().map(|sheet| state.join(sheet)),
        report: report(known, watch),
    }))
}

/// The file, when it has the known bytes. Only one of the same length is read.
fn same(known: &KnownFile, file: &Path, given: bool, adapter: &Adapter) -> Option<Fetched> {
    let about = fs::symlink_metadata(file).ok()?;
    if !about.is_file() || about.len() != known.bytes {
        return None;
    }
    // What is wrong with a file is said by who takes it in.
    let fetched = carry(file, given, adapter).ok()?;
    (fetched.digest == known.digest).then_some(fetched)
}

fn report(known: KnownFile, watch: Stopwatch) -> PullReport {
    let none = ChangeCounts::default();
    PullReport {
        batch: known.batch,
        adapter: known.adapter,
        as_of: known.as_of,
        rows: known.rows,
        verdict: Verdict::SeenBefore,
        reasons: Vec::new(),
        new: none.new,
        changed: none.changed,
        missing: none.missing,
        returned: none.returned,
        unchanged: none.unchanged,
        set_aside: known.set_aside,
        mapping_changed: 0,
        seconds: watch.stages(),
        cautions: Vec::new(),
    }
}

/// Notes a file that is accepted, as everything stood at `moment` or later, when no pull of it leaves anything more to do.
///
/// # Errors
/// The store cannot be read.
pub fn remember(
    desk: Desk<'_>,
    adapter: &Adapter,
    batch: &BatchId,
    moment: &Moment,
) -> Result<(), Failure> {
    let Some(batch) = desk.store.batch(batch)? else {
        return Ok(());
    };
    let Ok(archived) = fs::metadata(desk.store.archived(&batch.digest)) else {
        return Ok(());
    };
    if !batch.verdict.accepted() || adapter.repeat == Repeat::Allowed {
        return Ok(());
    }
    let sheet = issue_sheets::is_due(&batch).then(|| issue_sheets::place(&batch));
    let mut outputs = issue_sheets::due(desk, &adapter.name)?;
    outputs.extend(sheet.clone());
    let known = KnownFile {
        adapter: batch.adapter,
        adapter_digest: adapter.digest.clone(),
        digest: batch.digest,
        bytes: archived.len(),
        batch: batch.batch,
        as_of: batch.as_of,
        rows: batch.rows,
        set_aside: batch.set_aside,
        sheet,
        outputs,
    };
    // Without a note the next pull takes the long way: no reason to fail a pull that is done.
    let noted = desk.store.remember(&known, moment);
    tracing::debug!(?noted, adapter = known.adapter, "known file noted");
    Ok(())
}
