//! Everything that is decided or done, as the journal keeps it. The index is a fold of these (plus staged rows).

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::batch::Batch;
use crate::domain::case::{CaseEvent, CaseId};
use crate::domain::notice::{Notice, Outcome};
use crate::domain::pairing::{PairingEvent, Subject};
use crate::domain::survey::Surveyed;

/// One thing decided or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A batch was judged. When accepted, its staged rows become visible with this.
    Batch {
        /// The batch.
        batch: Box<Batch>,
    },
    /// A held batch was released: `batch` is its new state; its staged rows become visible with this.
    Released {
        /// The batch.
        batch: Box<Batch>,
    },
    /// An accepted batch was taken back: `batch` is its new state; what is known of its source without it becomes visible with this.
    Withdrawn {
        /// The batch.
        batch: Box<Batch>,
    },
    /// The same bytes came again.
    SeenBefore {
        /// The adapter.
        adapter: String,
        /// blake3 (hex).
        digest: String,
        /// The file as delivered.
        file: String,
        /// The batch.
        batch: String,
    },
    /// A case moved.
    Case {
        /// The case.
        case: CaseId,
        /// The day, here.
        day: Date,
        /// What happened to it.
        change: CaseEvent,
    },
    /// Something happened to a pair that may be one firm.
    Pairing {
        /// What may belong to the enterprise.
        subject: Subject,
        /// The enterprise.
        enterprise: String,
        /// The day, here.
        day: Date,
        /// What happened.
        change: PairingEvent,
    },
    /// A named person found something out about an enterprise's staff.
    Surveyed {
        /// The enterprise.
        enterprise: String,
        /// What.
        surveyed: Surveyed,
    },
    /// A review of every enterprise was completed on this roll; findings beyond the caps wait, by unit.
    Reviewed {
        /// The day the roll speaks of.
        roll_as_of: Date,
        /// Findings that wait, by unit.
        waiting: BTreeMap<String, u64>,
    },
    /// A notice was put into the outbox.
    Queued {
        /// The notice (its key, where it is text).
        notice: Box<Notice>,
    },
    /// A send is about to be attempted.
    Attempted {
        /// The notice (its key, where it is text).
        notice: String,
        /// 1 for the first.
        attempt: u32,
    },
    /// What came of it.
    Sent {
        /// The notice (its key, where it is text).
        notice: String,
        /// What came of it.
        outcome: Outcome,
    },
    /// A notice that waited is not to be sent any longer.
    Cancelled {
        /// The notice (its key, where it is text).
        notice: String,
        /// Why, in Chinese.
        reason: String,
    },
    /// An internal alert that is raised once until its cause is gone: key and what it said.
    Alerted {
        /// Its key.
        alert: String,
        /// What it says, in Chinese.
        text: String,
    },
    /// The cause of an alert is gone.
    AlertEnded {
        /// Its key.
        alert: String,
    },
    /// A bulletin's figures were frozen: digests of its files by name.
    Bulletin {
        /// Its id.
        bulletin: String,
        /// `YYYY-MM`.
        period: String,
        /// Digest of the frozen figures.
        figures: String,
        /// Digests by file name.
        files: BTreeMap<String, String>,
    },
    /// A scheduled or manual run ended.
    Ran {
        /// The job.
        job: String,
        /// The slot it was for (UTC).
        slot: Timestamp,
        /// What came of it.
        outcome: RunOutcome,
        /// In a line, Chinese.
        summary: String,
    },
    /// A named setting in force changed (ladder, calendar, rules): name → digest in the archive.
    InForce {
        /// The name.
        name: String,
        /// blake3 (hex).
        digest: String,
    },
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
