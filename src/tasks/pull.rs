//! Pull: one delivery of one source — fetched, archived, read, judged, compared, committed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Serialize;

use crate::adapter::guard::tally::Tally;
use crate::adapter::guard::{Delivery, judge};
use crate::adapter::language::{Adapter, AsOf, Mode, Repeat};
use crate::domain::batch::{
    Batch, BatchId, ChangeCounts, Reason, Release, Unreadable, Verdict, Weight,
};
use crate::domain::event::Event;
use crate::domain::record::{Month, NORMALISER, Record};
use crate::intake::fetch::carried::carry;
use crate::intake::fetch::client::Waits;
use crate::intake::fetch::{Errand, Fetched, Holding, Unfetched, fetch, finish};
use crate::store::Adoption;
use crate::store::comparison::{Comparison, Taken, Terms};
use crate::tasks::pseudonym::pseudonym_key;
use crate::tasks::reading::{Answer, Delivered, Offer, Reading, read};
use crate::tasks::stopwatch::Stopwatch;
use crate::tasks::{Desk, Failure, again, issue_sheets};

/// Batches of a source looked through for the same month a year before: more than a year of working days.
const BATCHES_LOOKED_BACK: usize = 400;

/// Where the file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The department's address.
    Automatic,
    /// A hand-carried file; `given`: it is taken away once it is in the archive.
    Carried {
        /// Where it lies.
        file: PathBuf,
        /// Whether it may be taken away.
        given: bool,
    },
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
            Verdict::Quarantined | Verdict::Refused | Verdict::Withdrawn => 1,
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
    let moment = desk.store.moment();
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
    let is_over = match fetched.holding {
        // It has served: the archive has it, or nobody wants it.
        Holding::Spool => true,
        Holding::Lent => false,
        // Only now that the journal says what became of it.
        Holding::Given => report.is_ok() && !dry_run,
    };
    if is_over {
        let _ = std::fs::remove_file(&fetched.path);
    }
    let report = report?;
    if !dry_run {
        issue_sheets::hand_out(desk, &report.batch)?;
        again::remember(desk, adapter, &report.batch, &moment)?;
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
        Source::Carried { file, given } => carry(file, *given, adapter),
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
        _ => {
            !digest.is_empty()
                && seen(desk, adapter, digest, false).is_ok_and(|known| known.is_some())
        }
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
    let by_hand = fetched.holding != Holding::Spool;
    if let Some(known) = seen(desk, adapter, &fetched.digest, by_hand)? {
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
        batch.reasons = taken_back(&batch).into_iter().collect();
        batch.changes = ChangeCounts::default();
        return Ok(PullReport::of(&batch, 0, watch));
    }
    let archived = desk.store.archived(&fetched.digest);
    let mut adoption = None;
    if !dry_run {
        match fetched.holding {
            Holding::Spool | Holding::Given => {
                adoption = desk.store.adopt_file(&fetched.path, &fetched.digest)?;
            }
            Holding::Lent => {
                let digest = desk.store.archive_file(&fetched.path)?;
                if digest != fetched.digest {
                    return Err(Failure::Unreachable {
                        code: "YB-7219".to_owned(),
                        text: format!(
                            "{}在读取期间被改动。处理：等文件写完后重新执行。",
                            fetched.name
                        ),
                        not_yet: false,
                    });
                }
            }
        }
    }
    let path = if dry_run || adoption.is_some() {
        &fetched.path
    } else {
        &archived
    };
    watch.lap("archive");
    let mut batch = blank(desk, adapter, fetched);
    let head = desk.store.head(&adapter.name)?;
    // The disk is slow to take a large file; nothing of it has to wait for that but the journal.
    let compared = std::thread::scope(|scope| {
        let settled = scope.spawn(|| adoption.map_or(Ok(()), Adoption::settle));
        let compared = compare(desk, adapter, &batch, path, head.as_ref(), &mut watch);
        settled
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        compared
    })?;
    let (mut comparison, reading, mapping_changed) = match compared {
        Ok(compared) => compared,
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
    let counts = comparison.counts();
    settle(&mut batch, desk, adapter, reading, head.as_ref(), counts)?;
    if dry_run {
        return Ok(PullReport::of(&batch, mapping_changed, watch));
    }
    let event = Event::Batch {
        batch: Box::new(batch.clone()),
    };
    if batch.verdict.accepted() {
        comparison.miss()?;
        desk.store.accept(desk.now, "pull", event, comparison)?;
    } else {
        drop(comparison);
        desk.store.commit(desk.now, "pull", vec![event])?;
    }
    watch.lap("commit");
    Ok(PullReport::of(&batch, mapping_changed, watch))
}

/// Why the file of a withdrawn batch is not taken in again by itself.
fn taken_back(batch: &Batch) -> Option<Reason> {
    let withdrawal = batch.withdrawn.as_ref()?;
    Some(Reason {
        code: "YB-3130".to_owned(),
        weight: Weight::Warning,
        text: format!(
            "该文件的批次{}已由{}撤回（{}），自动拉取不再接收。处理：请来源部门更正；书面确认文件无误的，用 yingbao pull {} --file 导入，按新文件审核",
            batch.batch, withdrawal.by, withdrawal.reason, batch.adapter
        ),
    })
}

/// The batch that these bytes became before. A refused or held file is read again when the adapter has changed since, a withdrawn
/// one when somebody brings it: at a department's address the same wrong file may lie for days.
fn seen(
    desk: Desk<'_>,
    adapter: &Adapter,
    digest: &str,
    by_hand: bool,
) -> Result<Option<Batch>, Failure> {
    if adapter.repeat == Repeat::Allowed {
        return Ok(None);
    }
    let known = desk.store.seen(&adapter.name, digest)?;
    Ok(known.filter(|batch| match batch.verdict {
        Verdict::Withdrawn => !by_hand,
        verdict => verdict.accepted() || batch.adapter_digest == adapter.digest,
    }))
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
        withdrawn: None,
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

/// A delivery compared with what is known, what its file says of itself, and how many records a changed adapter reads otherwise.
type Compared<'s> = (Comparison<'s>, Reading, u64);

/// Reads the file of a batch and compares it with what is known of its source. Where the adapter has changed since the last
/// accepted export, that one is read again first, so that what only reads otherwise is not taken for a change.
fn compare<'s>(
    desk: Desk<'s>,
    adapter: &Adapter,
    batch: &Batch,
    path: &Path,
    head: Option<&Batch>,
    watch: &mut Stopwatch,
) -> Result<Result<Compared<'s>, Unreadable>, Failure> {
    let by_raw = rows_say_all(adapter);
    let compared = compare_by(desk, adapter, batch, path, head, by_raw, watch)?;
    match compared {
        // Where it is wrong is only told exactly when nothing is left out.
        Err(_) if by_raw => compare_by(desk, adapter, batch, path, head, false, watch),
        Ok((comparison, reading, _)) if by_raw && !adds_up(&comparison, &reading) => {
            tracing::warn!(
                code = "YB-7220",
                batch = batch.batch,
                "the figures carried on from the batch before do not add up; the file is read in full"
            );
            drop(comparison);
            compare_by(desk, adapter, batch, path, head, false, watch)
        }
        compared => Ok(compared),
    }
}

/// Whether as many records were counted as were mentioned: the census may have been carried on over what was left out.
fn adds_up(comparison: &Comparison<'_>, reading: &Reading) -> bool {
    let counts = comparison.counts();
    let mentioned = counts.new + counts.changed + counts.returned + counts.unchanged;
    reading.census.records == mentioned
}

fn compare_by<'s>(
    desk: Desk<'s>,
    adapter: &Adapter,
    batch: &Batch,
    path: &Path,
    head: Option<&Batch>,
    by_raw: bool,
    watch: &mut Stopwatch,
) -> Result<Result<Compared<'s>, Unreadable>, Failure> {
    let key = pseudonym_key(desk, adapter)?;
    let layout = layout(adapter, &key);
    let terms = Terms {
        kind: adapter.record,
        complete: adapter.mode == Mode::Snapshot,
        layout: &layout,
        by_raw,
    };
    let mut comparison = desk.store.compare(&adapter.name, &terms)?;
    let mut mapping_changed = 0;
    if let Some(head) = head.filter(|head| head.adapter_digest != adapter.digest) {
        comparison.begin_remapping();
        let archived = desk.store.archived(&head.digest);
        let before = Delivered {
            path: &archived,
            name: &head.file,
            day: crate::calendar::shanghai::civil(head.received).date(),
            pseudonym_key: &key,
        };
        let read = read(before, adapter, Some(&[]), &|_| {}, &mut |offer| {
            if let Offer::Record { record, row, raw } = offer {
                comparison.take(record, row, raw)?;
            }
            Ok(Answer::GoOn)
        })?;
        if read.is_ok() {
            mapping_changed = comparison.turn();
        } else {
            // The adapter is for another kind of file now; nothing of the old one can be told apart.
            mapping_changed = head.census.records;
            drop(comparison);
            comparison = desk.store.compare(&adapter.name, &terms)?;
        }
        watch.lap("remap");
    }
    let delivered = Delivered {
        path,
        name: &batch.file,
        day: crate::calendar::shanghai::civil(batch.received).date(),
        pseudonym_key: &key,
    };
    let mut tally = match head.filter(|_| comparison.may_know()) {
        Some(head) => Tally::from_census(&head.census),
        None => None,
    };
    let counted_on = tally.is_some();
    if !counted_on && comparison.may_know() {
        // What is unchanged would not be counted.
        drop(comparison);
        comparison = desk.store.compare(
            &adapter.name,
            &Terms {
                by_raw: false,
                ..terms
            },
        )?;
    }
    let tally = tally.get_or_insert_default();
    watch.lap("load");
    let columns = head.map_or(&[][..], |head| &head.columns);
    let known_columns = if comparison.may_know() { columns } else { &[] };
    let read = read(
        delivered,
        adapter,
        Some(known_columns),
        desk.watch,
        &mut |offer| match offer {
            Offer::Coming(raws) => {
                comparison.fetch(raws);
                Ok(Answer::GoOn)
            }
            Offer::Sighted(raw) if comparison.knows(raw) => Ok(Answer::Known),
            Offer::Sighted(_) => Ok(Answer::GoOn),
            Offer::Record { record, row, raw } => {
                let taken = comparison.take(record, row, raw)?;
                let fingerprint = comparison.fingerprint();
                Ok(tally_up(tally, record, fingerprint, taken, counted_on))
            }
        },
    )?;
    let mut reading = match read {
        Ok(reading) => reading,
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    watch.lap("read");
    if counted_on {
        comparison.unmentioned(&mut |record| tally.remove(record))?;
    }
    reading.census = tally.census();
    watch.lap("compare");
    Ok(Ok((comparison, reading, mapping_changed)))
}

/// Counts a record that was taken: anew, or on from the batch before.
fn tally_up(
    tally: &mut Tally,
    record: &Record,
    fingerprint: u128,
    taken: Taken,
    counted_on: bool,
) -> Answer {
    match taken {
        Taken::New | Taken::Returned => tally.add_known(record, fingerprint),
        Taken::Changed(before) => {
            tally.add_known(record, fingerprint);
            if counted_on {
                tally.remove(&before);
            }
        }
        Taken::Unchanged if !counted_on => tally.add_known(record, fingerprint),
        Taken::Unchanged | Taken::Repeated => {}
        Taken::Conflict { kept, other, lost } => {
            if let Some(lost) = lost {
                tally.add_known(record, fingerprint);
                tally.remove(&lost);
            }
            return Answer::Twins { kept, other };
        }
    }
    Answer::GoOn
}

/// What raw fingerprints of a source mean: they are of use only while adapter, normaliser and pseudonyms stay the same.
fn layout(adapter: &Adapter, pseudonym_key: &[u8; 32]) -> String {
    let key = blake3::keyed_hash(pseudonym_key, b"layout of raw rows").to_hex();
    format!("{NORMALISER}/{}/{}", adapter.digest, &key[..16])
}

/// Whether the same raw row gives the same record whatever else stands in the file, and says nothing of the file as a whole.
fn rows_say_all(adapter: &Adapter) -> bool {
    adapter.period.is_none() && !matches!(adapter.as_of, AsOf::Column(_) | AsOf::Month(_))
}

/// What would change in the index if these records were accepted.
///
/// # Errors
/// The store.
pub fn counts(
    desk: Desk<'_>,
    adapter: &Adapter,
    records: &BTreeMap<String, (Record, u64)>,
) -> Result<ChangeCounts, Failure> {
    let terms = Terms {
        kind: adapter.record,
        complete: adapter.mode == Mode::Snapshot,
        layout: "",
        by_raw: false,
    };
    let mut comparison = desk.store.compare(&adapter.name, &terms)?;
    for (record, row) in records.values() {
        comparison.take(record, *row, 0)?;
    }
    Ok(comparison.counts())
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
        return Err(Failure::no_batch(id));
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
    let compared = compare(desk, adapter, &batch, &path, head.as_ref(), &mut watch)?;
    let (mut comparison, reading, mapping_changed) =
        compared.map_err(|unreadable| usage(unreadable.to_string()))?;
    let counts = comparison.counts();
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
    comparison.miss()?;
    desk.store.accept(desk.now, by.trim(), event, comparison)?;
    watch.lap("commit");
    Ok(PullReport::of(&batch, mapping_changed, watch))
}
