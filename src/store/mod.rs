//! Archive, journal, index: what is kept, what was decided, what is known now.
//!
//! The archive holds files as received, by digest. The journal is an append-only, fsynced, hash-chained file of everything that
//! was decided or done. The index (sled, named only in `engine`) holds what follows from both; it can be rebuilt.
//! A commit is journal append + fsync, then one sled batch. A batch of records is first staged, unseen by readers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::batch::{Batch, BatchId};
use crate::domain::case::{Case, Refusal};
use crate::domain::change::Change;
use crate::domain::event::{Event, JournalEntry, LastRun};
use crate::domain::figures::Dated;
use crate::domain::notice::Notice;
use crate::domain::record::RecordKind;

/// The store could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds it.
    #[error(
        "[YB-4001] 状态目录{path}正被另一个进程使用。处理：守护进程运行时命令会经由套接字执行；否则先结束占用的进程。"
    )]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The file system.
    #[error("[YB-4002] {what}：{source}。处理：检查磁盘空间和目录权限。")]
    Io {
        /// What was done.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Bytes are not what was written.
    #[error("[YB-4003] {what}损坏：{text}。处理：停止使用并从备份恢复，保留现场。")]
    Damaged {
        /// Which part.
        what: String,
        /// What was seen.
        text: String,
    },
    /// A rule of the domain refused an event; nothing of the commit was written.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Written by a newer program.
    #[error("[YB-4004] 状态目录的版本{found}高于本程序支持的{known}。处理：使用新版本程序。")]
    Newer {
        /// Found.
        found: u32,
        /// Supported.
        known: u32,
    },
}

/// A record as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Whether the last complete batch mentioned it.
    pub present: bool,
    /// The canonical bytes ([`crate::domain::record::Record::encode`]).
    pub bytes: Vec<u8>,
    /// The fingerprint.
    pub fingerprint: u128,
    /// The batch that last changed it.
    pub batch: BatchId,
    /// Its row in that batch's file.
    pub row: u64,
}

/// The last completed review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// The roll it was made on.
    pub roll_as_of: Date,
    /// Findings that wait for a later run, by unit.
    pub waiting: BTreeMap<String, u64>,
}

/// A frozen bulletin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBulletin {
    /// Its id.
    pub bulletin: String,
    /// The period, `YYYY-MM`.
    pub period: String,
    /// Digest of the figures (JSON of [`crate::domain::bulletin::Bulletin`]).
    pub figures: String,
    /// Digests of its files by name.
    pub files: BTreeMap<String, String>,
}

/// Archive, journal and index of one state folder. One process at a time; shared by reference between threads.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
}

#[allow(
    clippy::missing_errors_doc,
    reason = "every error is a StoreError, described there"
)]
impl Store {
    /// Opens (or makes) a state folder; finishes what a killed process left: drops stages without a journal record,
    /// publishes those with one, applies journal entries the index has not seen.
    pub fn open(state: &Path) -> Result<Self, StoreError> {
        let _ = state;
        todo!()
    }

    /// Keeps a file under its digest (blake3, hex), which is returned. The same content twice is kept once.
    pub fn archive_file(&self, path: &Path) -> Result<String, StoreError> {
        let _ = (path, &self.root);
        todo!()
    }

    /// Keeps bytes under their digest.
    pub fn archive_bytes(&self, bytes: &[u8]) -> Result<String, StoreError> {
        let _ = bytes;
        todo!()
    }

    /// Where the content of this digest lies (it may not exist).
    #[must_use]
    pub fn archived(&self, digest: &str) -> PathBuf {
        let _ = digest;
        todo!()
    }

    /// The content of this digest, checked against it.
    pub fn read_archived(&self, digest: &str) -> Result<Vec<u8>, StoreError> {
        let _ = digest;
        todo!()
    }

    /// Journals and applies events, all or none. No events: nothing is written. Case events are applied through
    /// [`crate::domain::case::apply`]; a refusal of one refuses all. `Queued` with a known key is dropped silently.
    pub fn commit(&self, at: Timestamp, actor: &str, events: Vec<Event>) -> Result<(), StoreError> {
        let _ = (at, actor, events);
        todo!()
    }

    /// Accepts a batch: stages its changes in chunks, barrier, journals `event` (a `Batch` or `Released`) with fsync, makes
    /// them visible. Killed anywhere, the next open ends before or after it, never between.
    pub fn accept(
        &self,
        at: Timestamp,
        actor: &str,
        event: Event,
        changes: impl Iterator<Item = Change>,
    ) -> Result<(), StoreError> {
        let _ = (at, actor, event, changes.count());
        todo!()
    }

    /// The last accepted batch of a source.
    pub fn head(&self, adapter: &str) -> Result<Option<Batch>, StoreError> {
        let _ = adapter;
        todo!()
    }

    /// One batch.
    pub fn batch(&self, id: &str) -> Result<Option<Batch>, StoreError> {
        let _ = id;
        todo!()
    }

    /// The last `limit` batches (of one source), oldest first.
    pub fn batches(&self, adapter: Option<&str>, limit: usize) -> Result<Vec<Batch>, StoreError> {
        let _ = (adapter, limit);
        todo!()
    }

    /// The batch that this source's file of this digest became before, when it came before.
    pub fn seen(&self, adapter: &str, digest: &str) -> Result<Option<Batch>, StoreError> {
        let _ = (adapter, digest);
        todo!()
    }

    /// Digest of the latest batch of this source whose file bears this name.
    pub fn taken_name(&self, adapter: &str, name: &str) -> Result<Option<String>, StoreError> {
        let _ = (adapter, name);
        todo!()
    }

    /// Every record of a source in the order of keys, missing ones included.
    pub fn records(
        &self,
        adapter: &str,
    ) -> impl Iterator<Item = Result<(String, StoredRecord), StoreError>> + '_ {
        let _ = adapter;
        std::iter::empty()
    }

    /// One record.
    pub fn record(&self, adapter: &str, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        let _ = (adapter, key);
        todo!()
    }

    /// The changes a batch made, in the order of keys.
    pub fn changes(
        &self,
        batch: &str,
        kind: RecordKind,
    ) -> impl Iterator<Item = Result<Change, StoreError>> + '_ {
        let _ = (batch, kind);
        std::iter::empty()
    }

    /// One case.
    pub fn case(&self, id: &str) -> Result<Option<Case>, StoreError> {
        let _ = id;
        todo!()
    }

    /// Every case in the order of ids.
    pub fn cases(&self) -> impl Iterator<Item = Result<Case, StoreError>> + '_ {
        std::iter::empty()
    }

    /// The cases of one enterprise.
    pub fn cases_of(&self, enterprise: &str) -> Result<Vec<Case>, StoreError> {
        let _ = enterprise;
        todo!()
    }

    /// Every case event of the journal, in its order: what bulletins count.
    pub fn case_events(&self) -> impl Iterator<Item = Result<Dated, StoreError>> + '_ {
        std::iter::empty()
    }

    /// The journal from its beginning, each entry checked against the chain.
    pub fn journal(
        &self,
    ) -> Result<impl Iterator<Item = Result<JournalEntry, StoreError>> + '_, StoreError> {
        Ok(std::iter::empty())
    }

    /// One notice.
    pub fn notice(&self, key: &str) -> Result<Option<Notice>, StoreError> {
        let _ = key;
        todo!()
    }

    /// Every notice in the order of keys.
    pub fn notices(&self) -> impl Iterator<Item = Result<Notice, StoreError>> + '_ {
        std::iter::empty()
    }

    /// Notices still to be sent (queued or sending), in the order they were queued. An index of its own: cheap.
    pub fn outbox(&self) -> Result<Vec<Notice>, StoreError> {
        todo!()
    }

    /// The last completed review.
    pub fn reviewed(&self) -> Result<Option<Reviewed>, StoreError> {
        todo!()
    }

    /// The number of the next dispatch (第N批): one more than the greatest made.
    pub fn next_wave(&self) -> Result<u32, StoreError> {
        todo!()
    }

    /// Alerts that stand: key → what it said.
    pub fn alerts(&self) -> Result<BTreeMap<String, String>, StoreError> {
        todo!()
    }

    /// The last run of each job.
    pub fn runs(&self) -> Result<BTreeMap<String, LastRun>, StoreError> {
        todo!()
    }

    /// The frozen bulletins by id.
    pub fn bulletins(&self) -> Result<Vec<StoredBulletin>, StoreError> {
        todo!()
    }

    /// Digest in force of each named setting.
    pub fn in_force(&self) -> Result<BTreeMap<String, String>, StoreError> {
        todo!()
    }
}
