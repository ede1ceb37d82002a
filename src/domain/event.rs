//! Everything that is decided or done, as the journal keeps it. The index is a fold of these (plus staged rows).

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::batch::Batch;
use crate::domain::case::{CaseEvent, CaseId};
use crate::domain::notice::{Notice, Outcome};

/// One thing decided or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A batch was judged. When accepted, its staged rows become visible with this.
    Batch { batch: Box<Batch> },
    /// A held batch was released: `batch` is its new state; its staged rows become visible with this.
    Released { batch: Box<Batch> },
    /// The same bytes came again.
    SeenBefore {
        adapter: String,
        digest: String,
        file: String,
        batch: String,
    },
    /// A case moved.
    Case {
        case: CaseId,
        day: Date,
        change: CaseEvent,
    },
    /// A review of every enterprise was completed on this roll; findings beyond the caps wait, by unit.
    Reviewed {
        roll_as_of: Date,
        waiting: BTreeMap<String, u64>,
    },
    /// A notice was put into the outbox.
    Queued { notice: Box<Notice> },
    /// A send is about to be attempted.
    Attempted { notice: String, attempt: u32 },
    /// What came of it.
    Sent { notice: String, outcome: Outcome },
    /// An internal alert that is raised once until its cause is gone: key and what it said.
    Alerted { alert: String, text: String },
    /// The cause of an alert is gone.
    AlertEnded { alert: String },
    /// A bulletin's figures were frozen: digests of its files by name.
    Bulletin {
        bulletin: String,
        period: String,
        figures: String,
        files: BTreeMap<String, String>,
    },
    /// A scheduled or manual run ended.
    Ran {
        job: String,
        slot: Timestamp,
        outcome: RunOutcome,
        summary: String,
    },
    /// A named setting in force changed (ladder, calendar, rules): name → digest in the archive.
    InForce { name: String, digest: String },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// It did its work.
    Done,
    /// It could not; the summary says why.
    Failed,
    /// Its slot passed while nothing ran, and the policy does not make up for it.
    Missed,
}

impl RunOutcome {
    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Done => "完成",
            Self::Failed => "失败",
            Self::Missed => "错过",
        }
    }
}

/// The last run of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// The slot it was for.
    pub slot: Timestamp,
    /// When it ended.
    pub at: Timestamp,
    /// How.
    pub outcome: RunOutcome,
    /// In a line.
    pub summary: String,
}

/// One journal entry: what one commit decided, whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// 1, 2, 3 … without a gap.
    pub seq: u64,
    /// When (UTC, from the activation's clock).
    pub at: Timestamp,
    /// Who or what: a task's name, a command, a person.
    pub actor: String,
    /// What.
    pub events: Vec<Event>,
}
