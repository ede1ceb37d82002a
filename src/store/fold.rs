//! What one journal entry changes in the index. The same code runs for a commit and for a replay after a kill.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::batch::{Batch, Verdict};
use crate::domain::case::{self, Case, CaseEvent, CaseId};
use crate::domain::event::{Event, JournalEntry, LastRun};
use crate::domain::notice::{Notice, NoticeState, Outcome};
use crate::domain::pairing::{self, Pairing};
use crate::domain::survey::Survey;
use crate::store::index::{Index, Rows, json};
use crate::store::journal::Place;
use crate::store::withdrawal::head_without;
use crate::store::{Reviewed, StoreError, StoredBulletin, keys, rows};

/// Collects the rows of one entry; later events of the entry see what earlier ones did.
#[derive(Debug)]
pub struct Fold<'a> {
    index: &'a Index,
    seq: u64,
    at: Timestamp,
    /// The delivery whose records become visible with an accepted batch.
    delivery: Option<u64>,
    rows: Rows,
    cases: BTreeMap<CaseId, Case>,
    notices: BTreeMap<String, (OutboxPlace, Notice)>,
    case_events: bool,
    queued: u64,
    wave: u64,
}

/// Where a notice stands in the outbox: entry that queued it, and which of that entry's.
pub type OutboxPlace = (u64, u64);

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| unfit(format!("无法写成JSON：{error}")))
}

/// A commit that can not be: a fault of the program, found before anything was written.
pub fn unfit(text: impl Into<String>) -> StoreError {
    StoreError::Unfit { text: text.into() }
}

/// Names stand before a NUL in keys.
pub fn check_name(name: &str) -> Result<(), StoreError> {
    if name.contains('\0') || name.len() > 1024 {
        return Err(unfit(format!(
            "名称“{}”过长或含空字符",
            name.escape_debug()
        )));
    }
    Ok(())
}

/// Reads a notice row: its place in the outbox and itself.
pub fn read_notice(row: &[u8]) -> Result<(OutboxPlace, Notice), StoreError> {
    let place = rows::read_numbers(row)?;
    Ok((place, json("通知", &row[16..])?))
}

fn outbox_key(place: OutboxPlace) -> Vec<u8> {
    [keys::OUTBOX.as_bytes(), &rows::numbers(place.0, place.1)].concat()
}

impl<'a> Fold<'a> {
    /// Begins the entry `seq`.
    pub fn new(
        index: &'a Index,
        seq: u64,
        at: Timestamp,
        delivery: Option<u64>,
    ) -> Result<Self, StoreError> {
        let wave = index.get(keys::WAVE.as_bytes())?;
        Ok(Self {
            index,
            seq,
            at,
            delivery,
            rows: Rows::new(),
            cases: BTreeMap::new(),
            notices: BTreeMap::new(),
            case_events: false,
            queued: 0,
            wave: wave
                .map(|row| rows::read_number(&row))
                .transpose()?
                .unwrap_or(0),
        })
    }

    /// Takes in one event. `false`: it changes nothing and is not to be journaled.
    pub fn take(&mut self, event: &Event) -> Result<bool, StoreError> {
        match event {
            Event::Batch { batch } | Event::Released { batch } => self.batch(batch)?,
            Event::Withdrawn { batch } => self.withdrawn(batch)?,
            // The same content under another name: that name is taken too, or it would be taken for new for ever.
            Event::SeenBefore {
                adapter,
                digest,
                file,
                ..
            } => {
                check_name(file)?;
                self.put(
                    keys::below(keys::BY_FILE, adapter, file.as_bytes()),
                    digest.clone().into_bytes(),
                );
            }
            Event::Case { case, day, change } => self.case(case, *day, change)?,
            Event::Pairing {
                subject,
                enterprise,
                day,
                change,
            } => {
                check_name(enterprise)?;
                let name = subject.to_string();
                let key = keys::below(keys::PAIRINGS, enterprise, name.as_bytes());
                let answered = keys::below(keys::ANSWERED, enterprise, name.as_bytes());
                let before = match self.get(&key)? {
                    Some(row) => Some(json::<Pairing>("归集认定", &row)?),
                    None => None,
                };
                let was_answered = before.as_ref().is_some_and(|known| known.answer.is_some());
                let after = pairing::apply(before, subject, enterprise, *day, change)
                    .map_err(|refusal| unfit(format!("{}：{refusal}", subject.title())))?;
                if after.answer.is_some() {
                    self.put(answered, Vec::new());
                } else if was_answered {
                    self.rows.insert(answered, None);
                }
                // Found once, never decided about, and gone: nothing of it is to be kept but the journal's word.
                let is_forgotten =
                    after.found.is_none() && after.answer.is_none() && after.history.is_empty();
                if is_forgotten {
                    self.rows.insert(key, None);
                } else {
                    self.put(key, to_json(&after)?);
                }
            }
            Event::Surveyed {
                enterprise,
                surveyed,
            } => {
                check_name(enterprise)?;
                let key = keys::named(keys::SURVEYS, enterprise);
                let mut survey: Survey = match self.get(&key)? {
                    Some(row) => json("走访记录", &row)?,
                    None => Survey::default(),
                };
                survey.take(surveyed);
                self.put(key, to_json(&survey)?);
            }
            Event::Reviewed {
                roll_as_of,
                waiting,
            } => {
                let reviewed = Reviewed {
                    roll_as_of: *roll_as_of,
                    waiting: waiting.clone(),
                };
                self.put(keys::REVIEWED.into(), to_json(&reviewed)?);
            }
            Event::Queued { notice } => return self.queue(notice),
            Event::Attempted { notice, attempt } => {
                let found = self.notice(notice)?;
                // Sending again: the process was killed between attempt and outcome, and a person decided.
                if !matches!(found.state, NoticeState::Queued | NoticeState::Sending) {
                    return Err(unfit(format!(
                        "通知{notice}现为“{}”，不能再发",
                        found.state.title()
                    )));
                }
                found.state = NoticeState::Sending;
                found.attempts = *attempt;
            }
            Event::Sent { notice, outcome } => sent(self.notice(notice)?, outcome)?,
            Event::Cancelled { notice, reason } => {
                let found = self.notice(notice)?;
                // Of one whose sending has begun nobody knows that it stays here.
                if found.state != NoticeState::Queued {
                    return Err(unfit(format!(
                        "通知{notice}现为“{}”，不能撤回",
                        found.state.title()
                    )));
                }
                found.state = NoticeState::Withdrawn;
                found.answer = Some(reason.clone());
            }
            Event::Alerted { alert, text } => {
                check_name(alert)?;
                self.put(keys::named(keys::ALERTS, alert), text.clone().into_bytes());
            }
            Event::AlertEnded { alert } => {
                self.rows.insert(keys::named(keys::ALERTS, alert), None);
            }
            Event::Bulletin {
                bulletin,
                period,
                figures,
                files,
            } => {
                check_name(bulletin)?;
                let stored = StoredBulletin {
                    bulletin: bulletin.clone(),
                    period: period.clone(),
                    figures: figures.clone(),
                    files: files.clone(),
                };
                self.put(keys::named(keys::BULLETINS, bulletin), to_json(&stored)?);
            }
            Event::Ran {
                job,
                slot,
                outcome,
                summary,
            } => {
                check_name(job)?;
                let run = LastRun {
                    slot: *slot,
                    at: self.at,
                    outcome: *outcome,
                    summary: summary.clone(),
                };
                self.put(keys::named(keys::RUNS, job), to_json(&run)?);
            }
            Event::InForce { name, digest } => {
                check_name(name)?;
                self.put(
                    keys::named(keys::IN_FORCE, name),
                    digest.clone().into_bytes(),
                );
            }
        }
        Ok(true)
    }

    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.rows.insert(key, Some(value));
    }

    /// What the key will hold after the events taken so far.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.rows.get(key) {
            Some(pending) => Ok(pending.clone()),
            None => self.index.get(key),
        }
    }

    fn batch(&mut self, batch: &Batch) -> Result<(), StoreError> {
        for name in [&batch.adapter, &batch.batch, &batch.digest, &batch.file] {
            check_name(name)?;
        }
        let delivery = match (batch.verdict.accepted(), self.delivery) {
            (true, Some(delivery)) => delivery,
            (false, None) => 0,
            (true, None) => {
                return Err(unfit(format!("批次{}已接收却没有明细", batch.batch)));
            }
            (false, Some(_)) => {
                return Err(unfit(format!("批次{}未被接收却带有明细", batch.batch)));
            }
        };
        let seq = self.seq;
        if self.rows.contains_key(&keys::numbered(keys::BATCHES, seq)) {
            return Err(unfit("一次提交只能登记一个批次"));
        }
        let by_id = keys::named(keys::BY_ID, &batch.batch);
        // The same file judged again on the same day has the same id; the changes it made when accepted stay findable.
        let delivered = match (delivery, self.get(&by_id)?) {
            (0, Some(row)) => rows::read_numbers(&row)?.1,
            (delivery, _) => delivery,
        };
        self.put(by_id, rows::numbers(seq, delivered));
        self.put(keys::numbered(keys::BATCHES, seq), to_json(batch)?);
        self.put(
            keys::below(keys::BY_ADAPTER, &batch.adapter, &seq.to_be_bytes()),
            Vec::new(),
        );
        self.put(
            keys::below(keys::BY_DIGEST, &batch.adapter, batch.digest.as_bytes()),
            batch.batch.clone().into_bytes(),
        );
        self.put(
            keys::below(keys::BY_FILE, &batch.adapter, batch.file.as_bytes()),
            batch.digest.clone().into_bytes(),
        );
        if delivery > 0 {
            self.put(
                keys::named(keys::HEADS, &batch.adapter),
                rows::numbers(seq, delivery),
            );
        }
        Ok(())
    }

    /// A batch that is taken back. What is known without it becomes visible with the entry, and the batch before it is the head.
    fn withdrawn(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if batch.verdict != Verdict::Withdrawn || self.delivery.is_none() {
            return Err(unfit(format!("批次{}的撤回不完整", batch.batch)));
        }
        let by_id = keys::named(keys::BY_ID, &batch.batch);
        let row = self.get(&by_id)?;
        let row = row.ok_or_else(|| unfit(format!("没有批次{}", batch.batch)))?;
        let (judged, delivered) = rows::read_numbers(&row)?;
        let stands: Option<Batch> = self
            .index
            .get_json("批次", &keys::numbered(keys::BATCHES, judged))?;
        if !stands.is_some_and(|batch| batch.verdict.accepted()) {
            return Err(unfit(format!("批次{}未被接收，不能撤回", batch.batch)));
        }
        let seq = self.seq;
        let head = head_without(self.index, &batch.adapter, &batch.batch)?;
        self.put(by_id, rows::numbers(seq, delivered));
        self.put(keys::numbered(keys::BATCHES, seq), to_json(batch)?);
        self.put(
            keys::below(keys::BY_ADAPTER, &batch.adapter, &seq.to_be_bytes()),
            Vec::new(),
        );
        self.rows.insert(
            keys::named(keys::HEADS, &batch.adapter),
            head.map(|(seq, delivery)| rows::numbers(seq, delivery)),
        );
        Ok(())
    }

    fn case(
        &mut self,
        id: &str,
        day: jiff::civil::Date,
        change: &CaseEvent,
    ) -> Result<(), StoreError> {
        let before = match self.cases.remove(id) {
            Some(case) => Some(case),
            None => self.index.get_json("个案", &keys::named(keys::CASES, id))?,
        };
        if let CaseEvent::Opened { enterprise, .. } = change {
            if before.is_some() {
                return Err(unfit(format!("个案{id}已经立过，不能再立")));
            }
            check_name(id)?;
            check_name(enterprise)?;
            self.put(
                keys::below(keys::BY_ENTERPRISE, enterprise, id.as_bytes()),
                Vec::new(),
            );
        }
        if let CaseEvent::Dispatched { wave, .. } = change {
            self.wave = self.wave.max(u64::from(*wave));
            self.put(keys::WAVE.into(), rows::number(self.wave));
        }
        let case = case::apply(id, before, change, day)?;
        self.cases.insert(id.to_owned(), case);
        self.case_events = true;
        Ok(())
    }

    fn queue(&mut self, notice: &Notice) -> Result<bool, StoreError> {
        check_name(&notice.key)?;
        let known = self.notices.contains_key(&notice.key)
            || self
                .index
                .get(&keys::named(keys::NOTICES, &notice.key))?
                .is_some();
        if known {
            return Ok(false);
        }
        let place = (self.seq, self.queued);
        self.queued += 1;
        // Whatever the caller thinks of it, it begins in the queue.
        let mut notice = notice.clone();
        notice.state = NoticeState::Queued;
        self.notices.insert(notice.key.clone(), (place, notice));
        Ok(true)
    }

    fn notice(&mut self, key: &str) -> Result<&mut Notice, StoreError> {
        if !self.notices.contains_key(key) {
            let row = self.index.get(&keys::named(keys::NOTICES, key))?;
            let row = row.ok_or_else(|| StoreError::Damaged {
                what: "发件箱".to_owned(),
                text: format!("没有通知{key}"),
            })?;
            self.notices.insert(key.to_owned(), read_notice(&row)?);
        }
        match self.notices.get_mut(key) {
            Some((_, notice)) => Ok(notice),
            None => Err(unfit(format!("没有通知{key}"))),
        }
    }

    /// The rows of the entry, which lies at `place`: with them the index knows it.
    pub fn finish(mut self, place: Place) -> Result<Rows, StoreError> {
        for (id, case) in std::mem::take(&mut self.cases) {
            self.put(keys::named(keys::CASES, &id), to_json(&case)?);
        }
        for (key, (outbox, notice)) in std::mem::take(&mut self.notices) {
            let waits = matches!(notice.state, NoticeState::Queued | NoticeState::Sending);
            self.rows
                .insert(outbox_key(outbox), waits.then(|| key.clone().into_bytes()));
            let mut row = rows::numbers(outbox.0, outbox.1);
            row.extend(to_json(&notice)?);
            self.put(keys::named(keys::NOTICES, &key), row);
        }
        if self.case_events {
            self.put(
                keys::numbered(keys::CASE_ENTRIES, place.seq),
                rows::place(&place),
            );
        }
        if let Some(delivery) = self.delivery {
            self.rows
                .insert(keys::numbered(keys::STAGES, delivery), None);
        }
        self.put(keys::APPLIED.into(), rows::place(&place));
        Ok(self.rows)
    }
}

/// A receipt or a person may settle what was unknown or send a failed one again; what was delivered stays delivered.
fn sent(notice: &mut Notice, outcome: &Outcome) -> Result<(), StoreError> {
    if matches!(
        notice.state,
        NoticeState::Accepted | NoticeState::DryRun | NoticeState::Withdrawn
    ) {
        return Err(unfit(format!(
            "通知{}现为“{}”，不能再登记结果",
            notice.key,
            notice.state.title()
        )));
    }
    let (state, answer) = match outcome {
        Outcome::Accepted { answer } => (NoticeState::Accepted, answer),
        Outcome::DryRun { answer } => (NoticeState::DryRun, answer),
        Outcome::Retry { answer, .. } => (NoticeState::Queued, answer),
        Outcome::Unknown { answer, .. } => (NoticeState::Unknown, answer),
        Outcome::Failed { answer, .. } => (NoticeState::Failed, answer),
    };
    notice.state = state;
    notice.answer = Some(answer.clone());
    Ok(())
}

/// The batch of an entry whose records have to be published with it: accepted, or taken back.
pub fn delivered(entry: &JournalEntry) -> Option<&Batch> {
    entry.events.iter().find_map(|event| match event {
        Event::Batch { batch } | Event::Released { batch } if batch.verdict.accepted() => {
            Some(batch.as_ref())
        }
        Event::Withdrawn { batch } => Some(batch.as_ref()),
        _ => None,
    })
}
