//! What is known today: how fresh each source is, what may be founded on the roll, the register built from the index.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::adapter::language::{Adapter, Mode};
use crate::domain::batch::{Batch, Verdict};
use crate::domain::coverage::{Assessment, RollKnowledge, assess_all, known_kinds};
use crate::domain::pairing::Decisions;
use crate::domain::record::RecordKind;
use crate::domain::register::{Periods, Placed, Register};
use crate::store::StoredRecord;
use crate::tasks::{Desk, Failure};

/// One source and how far it can be relied on today.
#[derive(Debug, Clone)]
pub struct Feed {
    /// The adapter's name.
    pub adapter: String,
    /// The department, for staff.
    pub department: String,
    /// What it carries.
    pub kind: RecordKind,
    /// Its last accepted batch.
    pub head: Option<Batch>,
    /// Batches held or refused since then, oldest first.
    pub held: Vec<Batch>,
    /// Older than its `age`, or never seen.
    pub stale: bool,
    /// The age it may have, as the adapter writes it.
    pub age: String,
    /// The last day of the release its accepted batch rests on, when that day has passed.
    pub release_over: Option<Date>,
}

impl Feed {
    /// Whether something newer than the accepted batch waits in quarantine, or the accepted batch rests on a release that is over.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let waits = |batch: &Batch| batch.verdict == Verdict::Quarantined;
        self.release_over.is_some() || self.held.iter().any(waits)
    }

    /// In one Chinese phrase.
    #[must_use]
    pub fn remark(&self) -> String {
        let as_of = self.head.as_ref().and_then(|head| head.as_of);
        if let Some(until) = self.release_over {
            return format!("最新批次系具名放行，放行已于{until}到期");
        }
        match (self.stale, self.is_held(), as_of) {
            (_, true, _) => "最新批次已隔离，待具名放行".to_owned(),
            (true, _, None) => "尚无可用数据".to_owned(),
            (true, _, Some(day)) => format!("数据截至{day}，已超过{}", self.age),
            (false, ..) => String::new(),
        }
    }
}

/// Every source.
pub fn feeds(desk: Desk<'_>) -> Result<Vec<Feed>, Failure> {
    desk.configuration
        .adapters
        .values()
        .map(|adapter| feed(desk, adapter))
        .collect()
}

fn feed(desk: Desk<'_>, adapter: &Adapter) -> Result<Feed, Failure> {
    let head = desk.store.head(&adapter.name)?;
    let since = match &head {
        None => desk.store.batches(Some(&adapter.name), usize::MAX)?,
        Some(head) => desk.store.batches_after(head)?,
    };
    let held = since
        .into_iter()
        .filter(|batch| matches!(batch.verdict, Verdict::Quarantined | Verdict::Refused))
        .collect();
    let age = adapter.age();
    let stale = match head.as_ref().and_then(|head| head.as_of) {
        None => true,
        Some(as_of) => age.is_over(as_of, desk.today(), &desk.configuration.calendar),
    };
    let release_over = head
        .as_ref()
        .and_then(|head| head.released.as_ref()?.until)
        .filter(|until| desk.today() > *until);
    Ok(Feed {
        release_over,
        adapter: adapter.name.clone(),
        department: adapter.department.clone(),
        kind: adapter.record,
        head,
        held,
        stale,
        age: age.to_string(),
    })
}

/// What may be founded on the insured roll. A kind counts as known only while the source that carries it is
/// fresh and nothing newer of it is held.
#[must_use]
pub fn roll_knowledge(feeds: &[Feed]) -> RollKnowledge {
    let mut knowledge = RollKnowledge::default();
    for feed in feeds
        .iter()
        .filter(|feed| feed.kind == RecordKind::InsuredRoll)
    {
        let Some(head) = &feed.head else { continue };
        if feed.stale || feed.is_held() {
            continue;
        }
        let kinds = known_kinds(&head.census);
        if kinds.is_empty() {
            continue;
        }
        // Several rolls (a file per kind) speak together only for the day of the oldest of them.
        if knowledge
            .as_of
            .is_none_or(|as_of| head.as_of.is_some_and(|own| own < as_of))
        {
            knowledge.as_of = head.as_of;
            knowledge.adapter.clone_from(&feed.adapter);
            knowledge.batch.clone_from(&head.batch);
            knowledge.file.clone_from(&head.file);
        }
        knowledge.known.extend(kinds);
    }
    knowledge
}

/// The files of batches, each looked up once.
#[derive(Debug, Default)]
pub struct Files(BTreeMap<String, Option<Batch>>);

impl Files {
    /// A batch.
    pub fn batch(&mut self, desk: Desk<'_>, id: &str) -> Result<Option<&Batch>, Failure> {
        if !self.0.contains_key(id) {
            self.0.insert(id.to_owned(), desk.store.batch(id)?);
        }
        Ok(self.0.get(id).and_then(Option::as_ref))
    }

    /// A record with the place where anybody can look it up.
    pub fn place(
        &mut self,
        desk: Desk<'_>,
        adapter: &Adapter,
        stored: StoredRecord,
    ) -> Result<Placed, Failure> {
        let of = self.batch(desk, &stored.batch)?;
        let (file, as_of) = of.map_or_else(Default::default, |of| (of.file.clone(), of.as_of));
        Ok(Placed {
            adapter: adapter.name.clone(),
            batch: stored.batch,
            file,
            row: stored.row,
            as_of,
            precedence: adapter.precedence,
            missed: stored.missed,
            record: stored.record,
        })
    }
}

/// The months that tax and the roll speak of, as they were counted with each delivery.
pub fn periods(desk: Desk<'_>) -> Result<Periods, Failure> {
    let mut periods = Periods::default();
    for adapter in desk.configuration.adapters.values() {
        let lookup = desk.store.lookup(&adapter.name, adapter.record)?;
        lookup.add_to(&mut periods);
    }
    Ok(periods)
}

/// What persons have decided about who is one firm.
pub fn decisions(desk: Desk<'_>) -> Result<Decisions, Failure> {
    let pairings = desk.store.answered().collect::<Result<Vec<_>, _>>()?;
    Ok(Decisions::of(&pairings))
}

/// The whole register as the index has it, held at once: for a small city. `instead` replaces one source's records (for “what if this batch had been accepted”).
pub fn register(desk: Desk<'_>, instead: Option<(&str, Vec<Placed>)>) -> Result<Register, Failure> {
    let mut files = Files::default();
    let mut placed = Vec::new();
    for adapter in desk.configuration.adapters.values() {
        let told = instead
            .as_ref()
            .filter(|(name, _)| *name == adapter.name)
            .map(|(_, rows)| -> BTreeSet<String> {
                rows.iter().map(|placed| placed.record.key()).collect()
            });
        for stored in desk.store.records(&adapter.name, adapter.record) {
            let mut stored = stored?;
            if let Some(told) = &told {
                if told.contains(&stored.record.key()) {
                    continue;
                }
                // What the batch does not mention would be missing once more.
                stored.missed += u64::from(adapter.mode == Mode::Snapshot);
            }
            if stored.stands(adapter.gone_after) {
                placed.push(files.place(desk, adapter, stored)?);
            }
        }
    }
    if let Some((_, rows)) = instead {
        placed.extend(rows);
    }
    let decisions = decisions(desk)?;
    Ok(Register::link(
        placed,
        desk.configuration.units(),
        &decisions,
    ))
}

/// Everything a decision about enterprises rests on: of all of them, or of some ([`crate::tasks::some`]).
pub struct Known {
    /// The sources.
    pub feeds: Vec<Feed>,
    /// The roll.
    pub roll: RollKnowledge,
    /// The register.
    pub register: Register,
    /// One assessment per enterprise, in the register's order.
    pub assessments: Vec<Assessment>,
}

/// Loads and assesses all, and holds all: for what a small city is shown, and as what the walk is held against.
pub fn known(desk: Desk<'_>) -> Result<Known, Failure> {
    let feeds = feeds(desk)?;
    let roll = roll_knowledge(&feeds);
    let register = register(desk, None)?;
    let assessments = assess_all(
        &register,
        &desk.configuration.rules,
        &roll,
        &desk.store.surveys()?,
        desk.today(),
    );
    Ok(Known {
        feeds,
        roll,
        register,
        assessments,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn roll_feed() -> Feed {
        let census = crate::domain::batch::Census {
            parts: BTreeMap::from([("insurance:pension".to_owned(), 100)]),
            ..crate::domain::batch::Census::default()
        };
        let head = Batch {
            batch: "insured-roll-20260302-00000000".to_owned(),
            adapter: "insured-roll".to_owned(),
            kind: RecordKind::InsuredRoll,
            digest: String::new(),
            adapter_digest: String::new(),
            file: "cbdj_20260302.xlsx".to_owned(),
            received: jiff::Timestamp::UNIX_EPOCH,
            as_of: Some(date(2026, 3, 2)),
            rows: 100,
            set_aside: 0,
            verdict: Verdict::AcceptedWithWarnings,
            reasons: Vec::new(),
            columns: Vec::new(),
            census,
            changes: crate::domain::batch::ChangeCounts::default(),
            issues: Vec::new(),
            issues_found: 0,
            released: None,
            withdrawn: None,
        };
        Feed {
            adapter: "insured-roll".to_owned(),
            department: "社保".to_owned(),
            kind: RecordKind::InsuredRoll,
            head: Some(head),
            held: Vec::new(),
            stale: false,
            age: "3个工作日".to_owned(),
            release_over: None,
        }
    }

    #[test]
    fn nothing_is_founded_on_a_roll_that_is_stale_held_or_released_too_long_ago() {
        let sound = roll_feed();
        assert_eq!(roll_knowledge(std::slice::from_ref(&sound)).known.len(), 1);
        let stale = Feed {
            stale: true,
            ..sound.clone()
        };
        let mut waiting = sound.head.clone().unwrap();
        waiting.verdict = Verdict::Quarantined;
        let held = Feed {
            held: vec![waiting],
            ..sound.clone()
        };
        let over = Feed {
            release_over: Some(date(2026, 4, 1)),
            ..sound
        };
        for (feed, said) in [
            (stale, "已超过"),
            (held, "隔离"),
            (over, "放行已于2026-04-01到期"),
        ] {
            assert!(roll_knowledge(std::slice::from_ref(&feed)).known.is_empty());
            assert!(feed.remark().contains(said), "{}", feed.remark());
        }
    }
}
