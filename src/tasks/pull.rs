//! Pull: one delivery of one source — fetched, archived, read, judged, compared, committed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Serialize;

use crate::adapter::guard::{Delivery, judge};
use crate::adapter::language::{Adapter, Mode, Repeat};
use crate::domain::batch::{
    Batch, BatchId, ChangeCounts, Reason, Release, Unreadable, Verdict, Weight,
};
use crate::domain::change::{Change, ChangeKind};
use crate::domain::event::Event;
use crate::domain::record::{Month, Record};
use crate::intake::fetch::client::Waits;
use crate::intake::fetch::{Errand, Fetched, Unfetched, carry, fetch, finish};
use crate::store::StoredRecord;
use crate::tasks::pseudonym::pseudonym_key;
use crate::tasks::reading::{Reading, read, read_watched};
use crate::tasks::stopwatch::Stopwatch;
use crate::tasks::{Desk, Failure, issue_sheets};

/// Batches of a source looked through for the same month a year before: more than a year of working days.
const BATCHES_LOOKED_BACK: usize = 400;

/// Where the file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The department's address.
    Automatic,
    /// A hand-carried file.
    Carried(PathBuf),
}

/// The shape of `pull --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PullReport {
    /// The batch.
    pub batch: BatchId,
    /// The adapter.
    pub adapter: String,
    /// The day it speaks of.
    pub as_of: Option<Date>,
    /// Rows seen.
    pub rows: u64,
    /// The verdict.
    pub verdict: Verdict,
    /// Every reason.
    pub reasons: Vec<Reason>,
    /// Keys not known before.
    pub new: u64,
    /// Known keys with another content.
    pub changed: u64,
    /// Known keys no longer mentioned.
    pub missing: u64,
    /// Keys that are back.
    pub returned: u64,
    /// Known keys with the same content.
    pub unchanged: u64,
    /// Rows set aside.
    pub set_aside: u64,
    /// Differences that the last accepted file shows under the adapter now in force, when that has changed.
    pub mapping_changed: u64,
    /// Seconds by stage.
    pub seconds: BTreeMap<String, f64>,
    /// What was met at the source and deserves a word, each with code and remedy; it changes no verdict.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cautions: Vec<String>,
}

impl PullReport {
    fn of(batch: &Batch, mapping_changed: u64, watch: Stopwatch) -> Self {
        Self {
            batch: batch.batch.clone(),
            adapter: batch.adapter.clone(),
            as_of: batch.as_of,
            rows: batch.rows,
            verdict: batch.verdict,
            reasons: batch.reasons.clone(),
            new: batch.changes.new,
            changed: batch.changes.changed,
            missing: batch.changes.missing,
            returned: batch.changes.returned,
            unchanged: batch.changes.unchanged,
            set_aside: batch.set_aside,
            mapping_changed,
            seconds: watch.stages(),
            cautions: Vec::new(),
        }
    }

    /// 0 accepted or seen before, 1 quarantined or refused.
    #[must_use]
    pub const fn exit_code(&self) -> i32 {
        match self.verdict {
            Verdict::Accepted | Verdict::AcceptedWithWarnings | Verdict::SeenBefore => 0,
            Verdict::Quarantined | Verdict::Refused => 1,
        }
    }

    /// Whether the same bytes came again.
    #[must_use]
    pub const fn is_repeat(&self) -> bool {
        matches!(self.verdict, Verdict::SeenBefore)
    }

    /// In one Chinese line.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut line = format!(
            "{}：{}，{}行，新增{}、变更{}、缺失{}、恢复{}，退回{}行",
            self.batch,
            self.verdict.title(),
            self.rows,
            self.new,
            self.changed,
            self.missing,
            self.returned,
            self.set_aside
        );
        for reason in &self.reasons {
            let _ = write!(line, "；[{}] {}", reason.code, reason.text);
        }
        if let Some(way) = self.verdict.way_out() {
            let _ = write!(line, "。{way}");
        }
        for caution in &self.cautions {
            let _ = write!(line, "；{caution}");
        }
        line
    }
}

/// The adapter of this name.
///
/// # Errors
/// There is none.
pub fn adapter_named<'a>(desk: Desk<'a>, name: &str) -> Result<&'a Adapter, Failure> {
    desk.configuration
        .adapters
        .get(name)
        .ok_or_else(|| Failure::Usage {
            code: "YB-7201",
            text: format!(
                "没有名为“{name}”的适配器。处理：可用的有 {}。",
                desk.configuration
                    .adapters
                    .keys()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("、")
            ),
        })
}

/// Takes the next delivery of a source. With `dry_run` it is judged and nothing is stored.
///
/// # Errors
/// Nothing there yet or unreachable ([`Failure::Unreachable`]), disk, an unknown adapter.
pub fn run(
    desk: Desk<'_>,
    name: &str,
    source: &Source,
    dry_run: bool,
) -> Result<PullReport, Failure> {
    let adapter = adapter_named(desk, name)?;
    let mut watch = Stopwatch::start();
    within_agreement(desk, adapter)?;
    if !dry_run {
        issue_sheets::make_up(desk, name)?;
    }
    let fetched = fetched(desk, adapter, source)?;
    watch.lap("fetch");
    let mut report = take(desk, adapter, &fetched, dry_run, watch);
    if let Ok(report) = &mut report {
        report.cautions.clone_from(&fetched.cautions);
        // Whatever the verdict, the file is taken; it is moved aside only now that the journal says so.
        if !dry_run
            && *source == Source::Automatic
            && let Err(unmoved) = moved_aside(desk, adapter, &fetched)
        {
            report.cautions.push(unmoved.to_string());
        }
    }
    // The spool copy has served: the archive has it, or nobody wants it.
    let _ = std::fs::remove_file(&fetched.path);
    let report = report?;
    if !dry_run {
        issue_sheets::hand_out(desk, &report.batch)?;
    }
    Ok(report)
}

fn within_agreement(desk: Desk<'_>, adapter: &Adapter) -> Result<(), Failure> {
    match adapter.agreed_until() {
        Some(until) if desk.today() > until => Err(Failure::Unreachable {
            code: "YB-2091".to_owned(),
            text: format!(
                "{}的数据共享协议已于{until}到期，不再拉取。处理：续签后修改 adapters/{}.toml 的 [agreement] until。",
                adapter.department, adapter.name
            ),
            not_yet: false,
        }),
        _ => Ok(()),
    }
}

fn spool(desk: Desk<'_>) -> Result<PathBuf, Failure> {
    let spool = desk.scratch();
    std::fs::create_dir_all(&spool).map_err(|source| Failure::Io {
        what: "建立暂存目录".to_owned(),
        source,
    })?;
    Ok(spool)
}

fn fetched(desk: Desk<'_>, adapter: &Adapter, source: &Source) -> Result<Fetched, Failure> {
    let spool = spool(desk)?;
    let found = match source {
        Source::Carried(file) => carry(file, adapter, &spool),
        Source::Automatic => on_errand(desk, adapter, &spool, fetch)?,
    };
    found.map_err(|unfetched| Failure::Unreachable {
        code: unfetched.code.to_owned(),
        text: unfetched.text,
        not_yet: unfetched.not_yet,
    })
}

fn moved_aside(desk: Desk<'_>, adapter: &Adapter, fetched: &Fetched) -> Result<(), Failure> {
    on_errand(desk, adapter, &spool(desk)?, |errand| {
        finish(errand, fetched)
    })?
    .map_err(|unmoved| Failure::Unreachable {
        code: unmoved.code.to_owned(),
        text: unmoved.text,
        not_yet: false,
    })
}

/// Goes to the address of an adapter with everything that must be known there.
fn on_errand<T>(
    desk: Desk<'_>,
    adapter: &Adapter,
    spool: &Path,
    work: impl FnOnce(&Errand<'_>) -> Result<T, Unfetched>,
) -> Result<Result<T, Unfetched>, Failure> {
    let taken = |name: &str, digest: &str| match desk.store.taken_name(&adapter.name, name) {
        Ok(Some(known)) if digest.is_empty() || known == digest => true,
        // The same content under another name, such as a file that was carried by hand, is no news either.
        _ => !digest.is_empty() && seen(desk, adapter, digest).is_ok_and(|known| known.is_some()),
    };
    let endpoints = &desk.configuration.settings.endpoints;
    let name = adapter.transport.endpoint();
    let endpoint = endpoints.get(name).ok_or_else(|| Failure::Usage {
        code: "YB-7202",
        text: format!(
            "适配器{}的地址“{name}”没有登记。处理：在 config/site.toml 的 [endpoints] 中补充。",
            adapter.name
        ),
    })?;
    Ok(work(&Errand {
        adapter,
        endpoint,
        home: &desk.configuration.home.root,
        spool,
        notes: &desk.fetch_notes(),
        today: desk.today(),
        now: desk.now,
        waits: Waits::default(),
        taken: &taken,
        runtime: desk.runtime,
    }))
}

fn take(
    desk: Desk<'_>,
    adapter: &Adapter,
    fetched: &Fetched,
    dry_run: bool,
    mut watch: Stopwatch,
) -> Result<PullReport, Failure> {
    if let Some(known) = seen(desk, adapter, &fetched.digest)? {
        if !dry_run {
            let event = Event::SeenBefore {
                adapter: adapter.name.clone(),
                digest: fetched.digest.clone(),
                file: fetched.name.clone(),
                batch: known.batch.clone(),
            };
            desk.store.commit(desk.now, "pull", vec![event])?;
        }
        let mut batch = known;
        batch.verdict = Verdict::SeenBefore;
        batch.reasons = Vec::new();
        batch.changes = ChangeCounts::default();
        return Ok(PullReport::of(&batch, 0, watch));
    }
    if !dry_run {
        desk.store.archive_file(&fetched.path)?;
    }
    watch.lap("archive");
    let key = pseudonym_key(desk, adapter)?;
    let today = desk.today();
    let reading = read_watched(
        &fetched.path,
        adapter,
        &fetched.name,
        today,
        &key,
        desk.watch,
    );
    watch.lap("read");
    let mut batch = blank(desk, adapter, fetched);
    let reading = match reading {
        Ok(reading) => reading,
        Err(unreadable) => {
            refuse(&mut batch, unreadable);
            if !dry_run {
                desk.store.commit(
                    desk.now,
                    "pull",
                    vec![Event::Batch {
                        batch: Box::new(batch.clone()),
                    }],
                )?;
            }
            watch.lap("commit");
            return Ok(PullReport::of(&batch, 0, watch));
        }
    };
    let head = desk.store.head(&adapter.name)?;
    let (changes, counts) = compare(desk, adapter, &reading.records)?;
    watch.lap("compare");
    settle(&mut batch, desk, adapter, reading, head.as_ref(), counts)?;
    let mapping_changed = mapping_changed(desk, adapter, head.as_ref())?;
    if dry_run {
        return Ok(PullReport::of(&batch, mapping_changed, watch));
    }
    let event = Event::Batch {
        batch: Box::new(batch.clone()),
    };
    if batch.verdict.accepted() {
        desk.store
            .accept(desk.now, "pull", event, changes.into_iter())?;
    } else {
        desk.store.commit(desk.now, "pull", vec![event])?;
    }
    watch.lap("commit");
    Ok(PullReport::of(&batch, mapping_changed, watch))
}

/// The batch that these bytes became before. A refused or held file is read again when the adapter has changed since.
fn seen(desk: Desk<'_>, adapter: &Adapter, digest: &str) -> Result<Option<Batch>, Failure> {
    if adapter.repeat == Repeat::Allowed {
        return Ok(None);
    }
    let known = desk.store.seen(&adapter.name, digest)?;
    Ok(known.filter(|batch| batch.verdict.accepted() || batch.adapter_digest == adapter.digest))
}

fn blank(desk: Desk<'_>, adapter: &Adapter, fetched: &Fetched) -> Batch {
    let day = desk.today();
    let short = fetched.digest.get(..8).unwrap_or(&fetched.digest);
    Batch {
        batch: format!(
            "{}-{:04}{:02}{:02}-{short}",
            adapter.name,
            day.year(),
            day.month(),
            day.day()
        ),
        adapter: adapter.name.clone(),
        kind: adapter.record,
        digest: fetched.digest.clone(),
        adapter_digest: adapter.digest.clone(),
        file: fetched.name.clone(),
        received: desk.now,
        as_of: None,
        rows: 0,
        set_aside: 0,
        verdict: Verdict::Refused,
        reasons: Vec::new(),
        census: crate::domain::batch::Census::default(),
        columns: Vec::new(),
        changes: ChangeCounts::default(),
        issues: Vec::new(),
        issues_found: 0,
        released: None,
    }
}

fn refuse(batch: &mut Batch, unreadable: Unreadable) {
    batch.verdict = Verdict::Refused;
    batch.reasons = vec![Reason {
        code: unreadable.code.to_owned(),
        weight: Weight::Refuse,
        text: unreadable.text,
    }];
}

/// Fills the batch with what was read and the guard's verdict.
fn settle(
    batch: &mut Batch,
    desk: Desk<'_>,
    adapter: &Adapter,
    reading: Reading,
    head: Option<&Batch>,
    counts: ChangeCounts,
) -> Result<(), Failure> {
    let year_before = year_before(desk, adapter, &reading)?;
    let (verdict, reasons) = verdict(desk, adapter, &reading, head, year_before.as_ref(), counts);
    batch.as_of = reading.as_of;
    batch.rows = reading.rows;
    batch.set_aside = reading.set_aside;
    batch.columns = reading.columns;
    batch.census = reading.census;
    batch.issues = reading.issues;
    batch.issues_found = reading.issue_count;
    batch.verdict = verdict;
    batch.reasons = reasons;
    if verdict.accepted() {
        batch.changes = counts;
    }
    Ok(())
}

/// The accepted batch that spoke of the same month a year before.
///
/// # Errors
/// The store.
pub fn year_before(
    desk: Desk<'_>,
    adapter: &Adapter,
    reading: &Reading,
) -> Result<Option<Batch>, Failure> {
    let Some(as_of) = reading.as_of.filter(|_| adapter.mode == Mode::Increment) else {
        return Ok(None);
    };
    let wanted = Month::of(as_of).plus(-12);
    let batches = desk
        .store
        .batches(Some(&adapter.name), BATCHES_LOOKED_BACK)?;
    Ok(batches.into_iter().rev().find(|batch| {
        batch.verdict.accepted() && batch.as_of.is_some_and(|day| Month::of(day) == wanted)
    }))
}

/// The guard's word on a reading.
pub fn verdict(
    desk: Desk<'_>,
    adapter: &Adapter,
    reading: &Reading,
    head: Option<&Batch>,
    year_before: Option<&Batch>,
    counts: ChangeCounts,
) -> (Verdict, Vec<Reason>) {
    judge(&Delivery {
        adapter,
        rows: reading.rows,
        set_aside: reading.set_aside,
        declared_total: reading.declared_total,
        cut_row: reading.cut_row,
        census: &reading.census,
        columns: &reading.columns,
        year_before,
        changes: counts,
        as_of: reading.as_of.unwrap_or_else(|| desk.today()),
        today: desk.today(),
        previous: head,
        units: desk.configuration.units(),
    })
}

/// What would change in the index if these records were accepted, in the order of keys.
pub fn compare(
    desk: Desk<'_>,
    adapter: &Adapter,
    records: &BTreeMap<String, (Record, u64)>,
) -> Result<(Vec<Change>, ChangeCounts), Failure> {
    let mut changes = Vec::new();
    let mut counts = ChangeCounts::default();
    let mut known = desk.store.records(&adapter.name).peekable();
    let mut incoming = records.iter().peekable();
    loop {
        let next_known = match known.peek() {
            Some(Err(_)) => {
                if let Some(Err(error)) = known.next() {
                    return Err(error.into());
                }
                continue;
            }
            Some(Ok((key, _))) => Some(key.clone()),
            None => None,
        };
        let order = match (next_known.as_ref(), incoming.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(known), Some((key, _))) => known.as_str().cmp(key.as_str()),
        };
        let before = if order.is_le() {
            known.next().transpose()?.map(|(_, stored)| stored)
        } else {
            None
        };
        let after = if order.is_ge() { incoming.next() } else { None };
        let key = after
            .map(|(key, _)| key.clone())
            .or(next_known)
            .unwrap_or_default();
        if let Some(change) = one(
            adapter,
            key,
            before,
            after.map(|(_, kept)| kept),
            &mut counts,
        ) {
            changes.push(change);
        }
    }
    Ok((changes, counts))
}

fn one(
    adapter: &Adapter,
    key: String,
    before: Option<StoredRecord>,
    after: Option<&(Record, u64)>,
    counts: &mut ChangeCounts,
) -> Option<Change> {
    let decoded = |stored: &StoredRecord| Record::decode(adapter.record, &stored.bytes);
    match (before, after) {
        (Some(stored), None) => {
            // An increment that does not mention a row says nothing of it.
            if !stored.present || adapter.mode == Mode::Increment {
                return None;
            }
            counts.missing += 1;
            Some(Change {
                kind: ChangeKind::Missing,
                key,
                before: decoded(&stored),
                after: None,
                row: 0,
            })
        }
        (None, Some((record, row))) => {
            counts.new += 1;
            Some(Change {
                kind: ChangeKind::New,
                key,
                before: None,
                after: Some(record.clone()),
                row: *row,
            })
        }
        (Some(stored), Some((record, row))) => {
            let same = stored.fingerprint == record.fingerprint();
            if same && stored.present {
                counts.unchanged += 1;
                return None;
            }
            let kind = if stored.present {
                ChangeKind::Changed
            } else {
                ChangeKind::Returned
            };
            match kind {
                ChangeKind::Changed => counts.changed += 1,
                _ => counts.returned += 1,
            }
            Some(Change {
                kind,
                key,
                before: decoded(&stored),
                after: Some(record.clone()),
                row: *row,
            })
        }
        (None, None) => None,
    }
}

/// How many records the last accepted file gives otherwise under the adapter now in force. Increments hold other months
/// beside that file's, so only keys that the file mentions are compared.
fn mapping_changed(
    desk: Desk<'_>,
    adapter: &Adapter,
    head: Option<&Batch>,
) -> Result<u64, Failure> {
    let Some(head) = head.filter(|head| head.adapter_digest != adapter.digest) else {
        return Ok(0);
    };
    let path = desk.store.archived(&head.digest);
    let delivered = crate::calendar::shanghai::civil(head.received).date();
    let key = pseudonym_key(desk, adapter)?;
    let Ok(reading) = read(&path, adapter, &head.file, delivered, &key) else {
        return Ok(head.census.records);
    };
    let mut differing = 0;
    for (key, (record, _)) in &reading.records {
        let stored = desk.store.record(&adapter.name, key)?;
        differing +=
            u64::from(stored.is_none_or(|stored| stored.fingerprint != record.fingerprint()));
    }
    Ok(differing)
}

/// Lets a held batch in, by a named person with a reason: its archived file is read again and compared with what is known now.
///
/// # Errors
/// It is not held, something newer was accepted meanwhile, no name or reason, disk.
pub fn release(desk: Desk<'_>, id: &str, by: &str, reason: &str) -> Result<PullReport, Failure> {
    let usage = |text: String| Failure::Usage {
        code: "YB-7203",
        text,
    };
    if by.trim().is_empty() || reason.trim().is_empty() {
        return Err(usage(
            "放行须具名并写明理由。处理：用 --by 和 --reason 补充。".to_owned(),
        ));
    }
    let Some(mut batch) = desk.store.batch(id)? else {
        return Err(Failure::NotFound {
            code: "YB-7206",
            text: format!("没有编号为{id}的批次。处理：用 yingbao batch list 核对。"),
        });
    };
    if batch.verdict != Verdict::Quarantined {
        return Err(usage(format!(
            "批次{id}的状态是“{}”，不是隔离待处理，无须放行。",
            batch.verdict.title()
        )));
    }
    let adapter = adapter_named(desk, &batch.adapter)?;
    let head = desk.store.head(&adapter.name)?;
    if let Some(newer) = head.as_ref().filter(|head| head.received > batch.received) {
        return Err(usage(format!(
            "之后的批次{}已接收，放行旧批次会使数据倒退。处理：保留隔离，以新批次为准。",
            newer.batch
        )));
    }
    let mut watch = Stopwatch::start();
    let path = desk.store.archived(&batch.digest);
    let delivered = crate::calendar::shanghai::civil(batch.received).date();
    let key = pseudonym_key(desk, adapter)?;
    let reading = read(&path, adapter, &batch.file, delivered, &key)
        .map_err(|unreadable| usage(unreadable.to_string()))?;
    watch.lap("read");
    let (changes, counts) = compare(desk, adapter, &reading.records)?;
    watch.lap("compare");
    batch.verdict = Verdict::AcceptedWithWarnings;
    batch.changes = counts;
    batch.columns = reading.columns;
    batch.census = reading.census;
    batch.as_of = reading.as_of;
    batch.adapter_digest.clone_from(&adapter.digest);
    batch.released = Some(Release {
        by: by.trim().to_owned(),
        reason: reason.trim().to_owned(),
        at: desk.now,
        until: Some(
            desk.configuration
                .settings
                .release
                .counts_for
                .last_day(desk.today(), &desk.configuration.calendar),
        ),
    });
    let event = Event::Released {
        batch: Box::new(batch.clone()),
    };
    desk.store
        .accept(desk.now, by.trim(), event, changes.into_iter())?;
    watch.lap("commit");
    Ok(PullReport::of(&batch, 0, watch))
}
