//! Withdraw: takes an accepted batch back with everything that followed from it. First the data, then the cases, then the notices;
//! what an interruption leaves is said in an alert, and whatever runs next — the same command, a review, a delivery — finishes it
//! before anything else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use crate::adapter::language::Mode;
use crate::calendar::shanghai;
use crate::domain::batch::{Batch, BatchId, Verdict, Withdrawal};
use crate::domain::case::{Case, CaseEvent, CaseId};
use crate::domain::event::Event;
use crate::domain::notice::{Notice, Recipient};
use crate::domain::withdrawal::{Correction, closed_by, concerns, counted_from, follow, notices};
use crate::render::correction_sheet::{CorrectionRow, CorrectionSheet, xlsx};
use crate::store::StoreError;
use crate::store::withdrawal::{Restored, Withdrawing};
use crate::tasks::issue_sheets::write;
use crate::tasks::pseudonym::pseudonym_key;
use crate::tasks::pull::adapter_named;
use crate::tasks::reading::{Answer, Delivered, Offer, read};
use crate::tasks::some::of_ids;
use crate::tasks::{Desk, Failure};

/// Begins the alert that stands from the withdrawal until its cases and notices have followed.
const UNFINISHED: &str = "withdrawal/";

/// Begins the alert that stands while the data cannot say what becomes of some cases.
const UNDECIDED: &str = "undecided/";

/// The shape of `batch withdraw --json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WithdrawReport {
    /// The batch.
    pub batch: BatchId,
    /// It had been withdrawn before; this run only finished what was left.
    pub again: bool,
    /// What became of the keys that it had touched.
    pub restored: Restored,
    /// The batch that the source stands at now.
    pub head: Option<BatchId>,
    /// Cases closed because it is withdrawn.
    pub cases_closed: u64,
    /// Cases that are still doubtful without it and got the finding as it is now.
    pub cases_refreshed: u64,
    /// Cases that had ended by its data and go on where they stood.
    pub cases_resumed: u64,
    /// Open cases of which the data cannot say today whether they are doubtful.
    pub cases_undecided: u64,
    /// Notices taken out of the outbox.
    pub notices_cancelled: u64,
    /// Notices that somebody may have got.
    pub notices_to_correct: u64,
    /// The list of these, below the state folder; `None` when there are none.
    pub corrections: Option<String>,
}

impl WithdrawReport {
    fn of(batch: &Batch) -> Self {
        Self {
            batch: batch.batch.clone(),
            ..Self::default()
        }
    }

    /// In Chinese lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let restored = &self.restored;
        let mut lines = vec![if self.again {
            format!("批次{}此前已撤回，本次补办未完事项", self.batch)
        } else {
            format!(
                "{}：已撤回。{}条不再有记录，{}条恢复原内容，{}条恢复在册，{}条恢复缺失，{}条另有批次载明、内容不变",
                self.batch,
                restored.forgotten,
                restored.changed_back,
                restored.present_again,
                restored.missing_again,
                restored.kept
            )
        }];
        lines.push(self.head.as_ref().map_or_else(
            || "  该来源现在没有可用批次".to_owned(),
            |head| format!("  该来源现以批次{head}为准"),
        ));
        lines.push(format!(
            "  办结个案{}件，恢复办理{}件，更新疑点{}件；撤回待发消息{}条",
            self.cases_closed, self.cases_resumed, self.cases_refreshed, self.notices_cancelled
        ));
        if self.cases_undecided > 0 {
            lines.push(format!(
                "  另有{}件个案因参保登记册不可用暂不能判断，保持原状。处理：登记册恢复后的下一次比对自动补办",
                self.cases_undecided
            ));
        }
        if let Some(corrections) = &self.corrections {
            lines.push(format!(
                "  已发出的消息{}条须人工更正，清单：{corrections}",
                self.notices_to_correct
            ));
        }
        lines
    }
}

/// Takes an accepted batch back, by a named person with a reason.
///
/// # Errors
/// It is not known or was never accepted, no name or reason, a later file cannot be read again, disk.
pub fn run(desk: Desk<'_>, id: &str, by: &str, reason: &str) -> Result<WithdrawReport, Failure> {
    let (by, reason) = (by.trim(), reason.trim());
    if by.is_empty() || reason.is_empty() {
        return Err(Failure::Usage {
            code: "YB-7214",
            text: "撤回须具名并写明原因。处理：用 --by 和 --reason 补充。".to_owned(),
        });
    }
    let Some(batch) = desk.store.batch(id)? else {
        return Err(Failure::no_batch(id));
    };
    let (batch, restored) = match batch.verdict {
        Verdict::Withdrawn => (batch, None),
        verdict if verdict.accepted() => {
            let (batch, restored) = take_back(desk, batch, by, reason)?;
            (batch, Some(restored))
        }
        verdict => {
            return Err(Failure::Usage {
                code: "YB-7215",
                text: format!(
                    "批次{id}的状态是“{}”，没有据此认定任何事项，无须撤回。处理：用 yingbao batch show 核对。",
                    verdict.title()
                ),
            });
        }
    };
    let mut report = WithdrawReport {
        again: restored.is_none(),
        restored: restored.unwrap_or_default(),
        head: desk.store.head(&batch.adapter)?.map(|head| head.batch),
        ..WithdrawReport::of(&batch)
    };
    follow_up(desk, &batch, by, &mut report)?;
    Ok(report)
}

/// Finishes withdrawals that were interrupted before their cases and notices had followed; with `undecided` also those of which the
/// data could not say everything.
///
/// # Errors
/// The store, disk.
pub fn finish_left(desk: Desk<'_>, undecided: bool) -> Result<(), Failure> {
    let left: BTreeSet<BatchId> = desk
        .store
        .alerts()?
        .into_keys()
        .filter_map(|key| {
            let waits = key.strip_prefix(UNDECIDED).filter(|_| undecided);
            key.strip_prefix(UNFINISHED).or(waits).map(str::to_owned)
        })
        .collect();
    for id in left {
        if let Some(batch) = desk.store.batch(&id)? {
            let by = batch.withdrawn.as_ref().map(|withdrawal| &withdrawal.by);
            let by = by.cloned().unwrap_or_default();
            follow_up(desk, &batch, &by, &mut WithdrawReport::of(&batch))?;
        }
    }
    Ok(())
}

/// The alerts of withdrawals that stand, by key.
///
/// # Errors
/// The store.
pub fn alerts(desk: Desk<'_>) -> Result<BTreeMap<String, String>, Failure> {
    let mut alerts = desk.store.alerts()?;
    alerts.retain(|key, _| key.starts_with(UNFINISHED) || key.starts_with(UNDECIDED));
    Ok(alerts)
}

/// The data without the batch.
fn take_back(
    desk: Desk<'_>,
    mut batch: Batch,
    by: &str,
    reason: &str,
) -> Result<(Batch, Restored), Failure> {
    let mut withdrawing = desk.store.withdrawing(&batch)?;
    for (delivery, id) in withdrawing.later() {
        if let Some(later) = desk.store.batch(&id)? {
            hear(desk, &mut withdrawing, delivery, &later)?;
        }
    }
    let restored = withdrawing.restored();
    batch.verdict = Verdict::Withdrawn;
    batch.withdrawn = Some(Withdrawal {
        by: by.to_owned(),
        reason: reason.to_owned(),
        at: desk.now,
    });
    let unfinished = Event::Alerted {
        alert: format!("{UNFINISHED}{}", batch.batch),
        text: format!(
            "[YB-5210] 批次{}已撤回，所涉个案和待发消息尚未处理完。处理：下一次比对或发送会先自动补办，也可再次执行 yingbao batch withdraw。",
            batch.batch
        ),
    };
    desk.store
        .withdraw(desk.now, by, &batch, vec![unfinished], withdrawing)?;
    Ok((batch, restored))
}

/// Reads the archived file of a later batch for what it says of the keys in question.
fn hear(
    desk: Desk<'_>,
    withdrawing: &mut Withdrawing<'_>,
    delivery: u64,
    later: &Batch,
) -> Result<(), Failure> {
    let adapter = adapter_named(desk, &later.adapter)?;
    let key = pseudonym_key(desk, adapter)?;
    let archived = desk.store.archived(&later.digest);
    let delivered = Delivered {
        path: &archived,
        name: &later.file,
        day: shanghai::civil(later.received).date(),
        pseudonym_key: &key,
    };
    withdrawing.listen(delivery);
    let read = read(delivered, adapter, None, desk.watch, &mut |offer| {
        if let Offer::Record { record, row, .. } = offer {
            withdrawing.hear(record, row)?;
        }
        Ok(Answer::GoOn)
    })?;
    if let Err(unreadable) = read {
        return Err(Failure::Usage {
            code: "YB-7216",
            text: format!(
                "之后的批次{}按现行适配器无法重读（{unreadable}），不能确定撤回后的数据，未作改动。处理：先撤回该批次，或恢复当时的适配器后重试。",
                later.batch
            ),
        });
    }
    withdrawing.end(adapter.mode == Mode::Snapshot)?;
    Ok(())
}

/// The cases and notices that followed from the batch. What is committed meanwhile is looked at again, once.
fn follow_up(
    desk: Desk<'_>,
    batch: &Batch,
    by: &str,
    report: &mut WithdrawReport,
) -> Result<(), Failure> {
    let before = report.clone();
    match followed_up(desk, batch, by, report) {
        Err(Failure::Store(StoreError::Refused(_) | StoreError::Unfit { .. })) => {
            *report = before;
            followed_up(desk, batch, by, report)
        }
        other => other,
    }
}

fn followed_up(
    desk: Desk<'_>,
    batch: &Batch,
    by: &str,
    report: &mut WithdrawReport,
) -> Result<(), Failure> {
    let cases = desk.store.cases().collect::<Result<Vec<_>, _>>()?;
    let concerned: BTreeSet<&str> = cases
        .iter()
        .filter(|case| concerns(case, batch))
        .map(|case| case.enterprise.as_str())
        .collect();
    let known = of_ids(desk, &concerned)?;
    let followed = follow(batch, &cases, &known.assessments, &known.register);
    report.cases_undecided = followed.undecided;
    let mut closed: BTreeSet<CaseId> = cases
        .iter()
        .filter(|case| closed_by(case, &batch.batch))
        .map(|case| case.id.clone())
        .collect();
    let mut events = Vec::new();
    for (case, change) in followed.events {
        match change {
            CaseEvent::Closed { .. } => {
                report.cases_closed += 1;
                closed.insert(case.clone());
            }
            CaseEvent::Resumed { .. } => report.cases_resumed += 1,
            _ => report.cases_refreshed += 1,
        }
        events.push(Event::Case {
            case,
            day: desk.today(),
            change,
        });
    }
    let from = counted_from(batch);
    let all = desk
        .store
        .notices()
        .filter(|notice| notice.as_ref().map_or(true, |notice| notice.day >= from))
        .collect::<Result<Vec<_>, _>>()?;
    let sorted = notices(&all, &closed);
    report.notices_cancelled = sorted.cancelled.len() as u64;
    events.extend(sorted.cancelled.iter().map(|key| Event::Cancelled {
        notice: (*key).to_owned(),
        reason: format!("批次{}已撤回", batch.batch),
    }));
    report.notices_to_correct = sorted.corrections.len() as u64;
    if !sorted.corrections.is_empty() {
        // Before the commit that ends the alert: interrupted here, it is written again.
        report.corrections = Some(hand_out(desk, batch, &cases, &sorted.corrections)?);
    }
    events.extend(settled(desk, batch, followed.undecided)?);
    desk.store.commit(desk.now, by, events)?;
    Ok(())
}

/// The alerts of a withdrawal whose cases and notices have followed.
fn settled(desk: Desk<'_>, batch: &Batch, undecided: u64) -> Result<Vec<Event>, Failure> {
    let standing = desk.store.alerts()?;
    let [unfinished, waits] =
        [UNFINISHED, UNDECIDED].map(|start| format!("{start}{}", batch.batch));
    let mut events = Vec::new();
    let text = format!(
        "[YB-5211] 批次{}已撤回，因参保登记册不可用，有{undecided}件个案暂不能判断是否仍有疑点。处理：补送参保登记册，其后的比对自动补办。",
        batch.batch
    );
    if undecided == 0 {
        if standing.contains_key(&waits) {
            events.push(Event::AlertEnded { alert: waits });
        }
    } else if standing.get(&waits) != Some(&text) {
        events.push(Event::Alerted { alert: waits, text });
    }
    if standing.contains_key(&unfinished) {
        events.push(Event::AlertEnded { alert: unfinished });
    }
    Ok(events)
}

/// Where the corrections of a batch lie below the state folder: `out/2026-04-14/corrections/BATCH.xlsx`.
fn place(batch: &Batch) -> PathBuf {
    let at = batch
        .withdrawn
        .as_ref()
        .map_or(batch.received, |withdrawal| withdrawal.at);
    let day = shanghai::civil(at).date().to_string();
    ["out", &day, "corrections", &format!("{}.xlsx", batch.batch)]
        .iter()
        .collect()
}

fn hand_out(
    desk: Desk<'_>,
    batch: &Batch,
    cases: &[Case],
    corrections: &[Correction<'_>],
) -> Result<String, Failure> {
    let settings = &desk.configuration.settings;
    let withdrawal = batch.withdrawn.as_ref();
    let text = |of: fn(&Withdrawal) -> &String| withdrawal.map(of).cloned().unwrap_or_default();
    let sheet = CorrectionSheet {
        demo_mark: settings.demo_mark.clone(),
        centre: settings.centre.clone(),
        // An adapter may be gone while its batches remain.
        department: desk.configuration.adapters.get(&batch.adapter).map_or_else(
            || batch.adapter.clone(),
            |adapter| adapter.department.clone(),
        ),
        batch: batch.batch.clone(),
        file: batch.file.clone(),
        by: text(|withdrawal| &withdrawal.by),
        reason: text(|withdrawal| &withdrawal.reason),
        day: shanghai::civil(withdrawal.map_or(desk.now, |withdrawal| withdrawal.at)).date(),
        rows: corrections
            .iter()
            .map(|correction| row(desk, cases, correction))
            .collect(),
    };
    let bytes = xlsx(&sheet).map_err(|error| Failure::Render {
        what: error.what.to_owned(),
        text: error.text,
    })?;
    let place = place(batch);
    let path = desk.configuration.home.state.join(&place);
    write(&path, &bytes).map_err(|source| Failure::Io {
        what: format!("写更正清单{}", path.display()),
        source,
    })?;
    Ok(place.to_string_lossy().into_owned())
}

fn row(desk: Desk<'_>, cases: &[Case], correction: &Correction<'_>) -> CorrectionRow {
    let notice = correction.notice;
    let unit = desk.configuration.units().get(&notice.unit);
    let files = || {
        let names = notice.attachments.iter().map(|file| file.name.as_str());
        names.collect::<Vec<_>>().join("、")
    };
    CorrectionRow {
        cases: notice.cases.clone(),
        firm: firm(notice, cases),
        unit: unit.map_or_else(|| notice.unit.clone(), |unit| unit.name.clone()),
        agency: unit.map_or_else(String::new, |unit| unit.agency.clone()),
        channel: notice.channel.title(),
        address: notice.address.clone(),
        day: notice.day,
        state: notice.state.title(),
        title: notice.subject.clone(),
        text: if notice.text.is_empty() {
            format!("见{}", files())
        } else {
            notice.text.clone()
        },
        to_do: correction.to_do.clone(),
    }
}

/// The firm of a notice; of a transfer the firms of all its cases.
fn firm(notice: &Notice, cases: &[Case]) -> String {
    if let Recipient::Firm { name, .. } = &notice.recipient {
        return name.clone();
    }
    cases
        .iter()
        .filter(|case| notice.cases.contains(&case.id))
        .map(|case| case.name.as_str())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
        .join("\n")
}
