//! `schedules/*.toml`: one job each — which task, when, and what becomes of a missed slot.

use std::fmt;

use serde::Deserialize;

use crate::config::cron::CronLine;
use crate::config::fault::{self, Fault};
use crate::config::toml_file;

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
    /// Write index and tracking files anew.
    Compact,
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
            Self::Compact => f.write_str("compact"),
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

/// The file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleFile {
    task: TaskWord,
    adapter: Option<String>,
    cron: String,
    #[serde(default)]
    days: Days,
    #[serde(default)]
    catch_up: CatchUp,
    #[serde(default = "yes")]
    enabled: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TaskWord {
    Pull,
    Review,
    Escalate,
    Notify,
    Deliver,
    Publish,
    Selfcheck,
    Compact,
}

/// A month has at most this many working days.
const MOST_WORKING_DAYS: u32 = 23;

/// Reads one file; the cron line is parsed by the same library that will run it and must have an occurrence within five years.
///
/// # Errors
/// Every fault at once.
pub fn parse(file: &str, text: &str) -> Result<Schedule, Vec<Fault>> {
    let written: ScheduleFile = toml_file::parse(file, text)?;
    let mut faults = Vec::new();
    let mut fault = |key: &str, code: &str, what: String| {
        faults.push(Fault::at_key(file, text, key, code, what));
    };
    if let Err(what) = CronLine::read(&written.cron) {
        fault("cron", "YB-1220", what);
    }
    if let Days::NthWorking(n) = written.days
        && !(1..=MOST_WORKING_DAYS).contains(&n)
    {
        let what = format!(
            "一个月没有第{n}个工作日。处理：nth_working 写 1 至 {MOST_WORKING_DAYS} 之间的数。"
        );
        fault("days", "YB-1221", what);
    }
    let task = match (written.task, written.adapter) {
        (TaskWord::Pull, Some(adapter)) => Some(TaskName::Pull(adapter)),
        (TaskWord::Pull, None) => {
            let what = "task = \"pull\" 没有写明取哪个数据源。处理：补上 adapter = \"…\"，即 adapters/ 中的文件名。";
            fault("task", fault::MISSING, what.to_owned());
            None
        }
        (_, Some(_)) => {
            let what =
                "只有 task = \"pull\" 才有 adapter。处理：删去 adapter，或把 task 改为 \"pull\"。";
            fault("adapter", fault::VALUE, what.to_owned());
            None
        }
        (TaskWord::Review, None) => Some(TaskName::Review),
        (TaskWord::Escalate, None) => Some(TaskName::Escalate),
        (TaskWord::Notify, None) => Some(TaskName::Notify),
        (TaskWord::Deliver, None) => Some(TaskName::Deliver),
        (TaskWord::Publish, None) => Some(TaskName::Publish),
        (TaskWord::Selfcheck, None) => Some(TaskName::Selfcheck),
        (TaskWord::Compact, None) => Some(TaskName::Compact),
    };
    let job = file.rsplit('/').next().unwrap_or(file);
    match task {
        Some(task) if faults.is_empty() => Ok(Schedule {
            job: job.strip_suffix(".toml").unwrap_or(job).to_owned(),
            task,
            cron: written.cron,
            days: written.days,
            catch_up: written.catch_up,
            enabled: written.enabled,
        }),
        _ => Err(faults),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_read_with_its_defaults() {
        let read = |text: &str| parse("schedules/job-a.toml", text).expect(text);
        let plain = read("task = \"review\"\ncron = \"30 8 * * *\"\n");
        assert_eq!(
            plain,
            Schedule {
                job: "job-a".to_owned(),
                task: TaskName::Review,
                cron: "30 8 * * *".to_owned(),
                days: Days::Any,
                catch_up: CatchUp::Last,
                enabled: true,
            }
        );
        let whole = read(
            "task = \"pull\"\nadapter = \"tax\"\ncron = \"0 8 * * *\"\ndays = { nth_working = 3 }\ncatch_up = \"all\"\nenabled = false\n",
        );
        assert_eq!(whole.task, TaskName::Pull("tax".to_owned()));
        assert_eq!(
            (whole.days, whole.catch_up, whole.enabled),
            (Days::NthWorking(3), CatchUp::All, false)
        );
    }

    #[test]
    fn faults_name_line_column_key_and_remedy() {
        for (text, expected) in [
            ("task = \"reviw\"\ncron = \"0 8 * * *\"", "1:8 YB-1203 task"),
            (
                "task = \"review\"\ncron = \"61 8 * * *\"",
                "2:1 YB-1220 cron",
            ),
            ("task = \"review\"\ncron = 5", "2:8 YB-1203 cron"),
            (
                "task = \"review\"\nkron = \"0 8 * * *\"",
                "2:1 YB-1202 kron",
            ),
            ("task = \"pull\"\ncron = \"0 8 * * *\"", "1:1 YB-1204 task"),
            (
                "task = \"review\"\nadapter = \"tax\"\ncron = \"0 8 1 1 1\"",
                "3:1 YB-1220 cron|2:1 YB-1203 adapter",
            ),
            (
                "task = \"review\"\ncron = \"0 8 * * *\"\ndays = { nth_working = 24 }",
                "3:1 YB-1221 days",
            ),
            (
                "task = \"review\"\ncron = \"0 8 * * *\"\ndays = \"workday\"",
                "3:8 YB-1203 days",
            ),
            (
                "task = \"review\"\ncron = \"0 8 * * *\"\ncatch_up = \"once\"",
                "3:12 YB-1203 catch_up",
            ),
            ("task = \"review\"\ncron = “0 8 * * *”", "2:8 YB-1201 "),
        ] {
            let faults = parse("schedules/a.toml", text).expect_err(text);
            let said: Vec<String> = faults
                .iter()
                .map(|f| format!("{}:{} {} {}", f.line, f.column, f.code, f.key))
                .collect();
            assert_eq!(said.join("|"), expected, "{text}");
            assert!(
                faults.iter().all(|f| f.text.contains("处理：")),
                "{faults:?}"
            );
        }
    }
}
