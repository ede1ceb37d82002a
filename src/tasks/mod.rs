//! The tasks: each is the same sentence — load, decide, commit. A task receives no message about what changed;
//! it looks at the state and does what is missing, so that first run, restart, manual run and cron run are one path.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::calendar::shanghai;
use crate::config::configuration::Configuration;
use crate::store::{Store, StoreError};

pub mod again;
pub mod compact;
pub mod county;
pub mod deliver;
pub mod escalate;
mod gathering;
pub mod issue_sheets;
pub mod job;
pub mod known;
pub mod notify;
pub mod one;
pub mod pairing;
pub mod pseudonym;
pub mod publish;
pub mod pull;
pub mod reading;
pub mod record;
pub mod review;
pub mod rule_change;
pub mod samples;
pub mod selfcheck;
mod since;
pub mod some;
pub mod stopwatch;
pub mod survey;
mod touched;
pub mod walk;
pub mod withdraw;

/// What every task works with: the store, the checked configuration, one reading of the clock.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// Archive, journal, index.
    pub store: &'a Store,
    /// Everything the operator wrote, checked.
    pub configuration: &'a Configuration,
    /// Now, read once for this activation.
    pub now: Timestamp,
    /// Where the few asynchronous things (HTTP, SMTP) run; tasks themselves are synchronous.
    pub runtime: &'a tokio::runtime::Handle,
    /// Is told rows read while a file is read, for people who wait; nothing is decided by it.
    pub watch: &'a (dyn Fn(u64) + Sync),
}

impl Desk<'_> {
    /// Today in Asia/Shanghai.
    #[must_use]
    pub fn today(&self) -> Date {
        shanghai::civil(self.now).date()
    }

    /// Where temporary files may lie: inside the state folder, emptied by whoever made them.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.configuration.home.state.join("spool")
    }

    /// Where fetching remembers what is unchanged at a department and which export was asked for.
    #[must_use]
    pub fn fetch_notes(&self) -> PathBuf {
        self.configuration.home.state.join("fetch")
    }
}

/// A task could not do its work: disk, network, bug. Nothing was half-decided.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file system.
    #[error("[YB-4101] {what}：{source}。处理：检查磁盘空间和目录权限后重试。")]
    Io {
        /// What was done.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A department cannot be reached.
    #[error("[{code}] {text}")]
    Unreachable {
        /// Stable code.
        code: String,
        /// What and the remedy.
        text: String,
        /// Nothing is wrong: it has not delivered yet.
        not_yet: bool,
    },
    /// What was asked for does not exist or is not allowed.
    #[error("[{code}] {text}")]
    Usage {
        /// Stable code.
        code: &'static str,
        /// What and the remedy.
        text: String,
    },
    /// A batch, case, enterprise or notice of this name was looked up and is not there.
    #[error("[{code}] {text}")]
    NotFound {
        /// Stable code.
        code: &'static str,
        /// What and the remedy.
        text: String,
    },
    /// A rule of the domain says no.
    #[error(transparent)]
    Refused(#[from] crate::domain::case::Refusal),
    /// A rule about who is one firm says no.
    #[error(transparent)]
    NotPaired(#[from] crate::domain::pairing::Refusal),
    /// A template or workbook could not be written: a bug or a full disk.
    #[error("[YB-4102] 生成{what}失败：{text}。处理：保留现场并联系维护人员。")]
    Render {
        /// What.
        what: String,
        /// Why.
        text: String,
    },
}

impl Failure {
    /// No batch has this id.
    #[must_use]
    pub fn no_batch(id: &str) -> Self {
        Self::NotFound {
            code: "YB-7206",
            text: format!("没有编号为{id}的批次。处理：用 yingbao batch list 核对。"),
        }
    }

    /// The exit code of a command that ends with it (1 a rule said no or what was named is not there, 2 usage, 3 environment).
    #[must_use]
    pub const fn exit_code(&self) -> i32 {
        match self {
            Self::Refused(_) | Self::NotPaired(_) | Self::NotFound { .. } => 1,
            Self::Usage { .. } => 2,
            Self::Store(_) | Self::Io { .. } | Self::Unreachable { .. } | Self::Render { .. } => 3,
        }
    }
}
