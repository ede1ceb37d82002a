//! `schedules/*.toml`: one job each — which task, when, and what becomes of a missed slot.

use std::fmt;

use serde::Deserialize;

use crate::config::fault::Fault;

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The file's name without `.toml`.
    pub job: String,
    /// What it does.
    pub task: TaskName,
    /// Five fields (minute hour day month weekday), Asia/Shanghai.
    pub cron: String,
    /// On which of the cron line's days it really runs.
    pub days: Days,
    /// What becomes of slots that passed while nothing ran.
    pub catch_up: CatchUp,
    /// Off without deleting the file.
    pub enabled: bool,
}

/// A task, with the adapter of a pull.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskName {
    /// Pull one adapter.
    Pull(String),
    /// Open, refresh, move and close cases by the data.
    Review,
    /// Take cases along the ladder.
    Escalate,
    /// Put due notices into the outbox.
    Notify,
    /// Hand the outbox to the couriers.
    Deliver,
    /// Draft the bulletin of the month before.
    Publish,
    /// Look for silence.
    Selfcheck,
}

/// `pull tax`, `review` …
impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pull(adapter) => write!(f, "pull {adapter}"),
            Self::Review => f.write_str("review"),
            Self::Escalate => f.write_str("escalate"),
            Self::Notify => f.write_str("notify"),
            Self::Deliver => f.write_str("deliver"),
            Self::Publish => f.write_str("publish"),
            Self::Selfcheck => f.write_str("selfcheck"),
        }
    }
}

/// On which days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Days {
    /// Every day the cron line names.
    #[default]
    Any,
    /// Only on working days (调休 counted).
    Working,
    /// Only on the nth working day of the month: `days = { nth_working = 3 }`.
    NthWorking(u32),
}

/// What becomes of missed slots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Recorded as missed only.
    Skip,
    /// The latest is made up for, those before are recorded as missed.
    #[default]
    Last,
    /// Each is made up for, in order.
    All,
}

/// Reads one file; the cron line is parsed by the same library that will run it and must have an occurrence within five years.
///
/// # Errors
/// Every fault at once.
pub fn parse(file: &str, text: &str) -> Result<Schedule, Vec<Fault>> {
    let _ = (file, text);
    todo!()
}
