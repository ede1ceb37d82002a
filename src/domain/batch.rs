//! A batch: one delivery of one source, what the guards said of it, and the issues in its rows.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::record::RecordKind;

/// `SOURCE-YYYYMMDD-DIGEST8`: source, day of delivery, first eight hex digits of the file's digest. Derived, never drawn.
pub type BatchId = String;

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Taken as it is.
    Accepted,
    /// Taken; the reasons want a look.
    AcceptedWithWarnings,
    /// Held: nothing is founded on it until a named person releases it.
    Quarantined,
    /// Unreadable, or not what the adapter declares; nothing of it is used.
    Refused,
    /// The same digest was delivered before; no row was touched.
    SeenBefore,
    /// Was accepted, and a named person took it back: nothing rests on it any longer.
    Withdrawn,
}

impl Verdict {
    /// Whether its records stand in the index.
    #[must_use]
    pub const fn accepted(self) -> bool {
        matches!(self, Self::Accepted | Self::AcceptedWithWarnings)
    }

    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Accepted => "已接收",
            Self::AcceptedWithWarnings => "已接收（有提示）",
            Self::Quarantined => "已隔离待处理",
            Self::Refused => "拒收",
            Self::SeenBefore => "重复文件",
            Self::Withdrawn => "已撤回",
        }
    }

    /// What can be done about it as a whole, beside the remedy of each reason; Chinese. `None` when nothing is to be done.
    #[must_use]
    pub const fn way_out(self) -> Option<&'static str> {
        match self {
            Self::Quarantined => Some(
                "隔离期间不据此认定疑点、不推进个案。收到更正文件后照常导入；核对确属实情的，由具名人员执行 yingbao batch release 放行并写明理由",
            ),
            Self::Refused => Some("本批一行也未采用。请来源部门更正后重新报送"),
            Self::Withdrawn => Some(
                "所据数据已恢复到本批接收之前。来源部门书面确认本文件无误的，可用 yingbao pull --file 重新导入，按新文件审核",
            ),
            Self::Accepted | Self::AcceptedWithWarnings | Self::SeenBefore => None,
        }
    }
}

/// How loud a reason is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Accepted with a warning.
    Warning,
    /// Held for a person.
    Hold,
    /// Refused.
    Refuse,
}

/// One reason for a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable code such as `YB-3102`.
    pub code: String,
    /// How loud.
    pub weight: Weight,
    /// What was seen, what was expected, and the remedy; Chinese, for staff.
    pub text: String,
}

/// Something wrong in one row of a department's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Row in the file as a person counts it (first row 1); for XML and JSON the ordinal of the record.
    pub row: u64,
    /// The column's heading in the file.
    pub column: String,
    /// The value as it stood, masked when personal.
    pub value: String,
    /// Stable code such as `YB-2203`.
    pub code: String,
    /// What is wrong and the remedy; Chinese, it goes back to the supplier.
    pub reason: String,
}

/// Counts of a batch by reporting unit (or region) and by insurance kind: what the shrinkage guard compares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// Usable records.
    pub records: u64,
    /// Per part — `region:411302`, `agency:宛城区`, `insurance:pension` — the usable records.
    pub parts: BTreeMap<String, u64>,
    /// Per field name, how many of `records` carry a readable value.
    pub filled: BTreeMap<String, u64>,
    /// Sum of registered heads per `YYYY-MM/kind` (rolls only); the newest month but one is what the guard compares.
    pub heads: BTreeMap<String, u64>,
    /// Sum of the records' fingerprints without month and effective date (hex): equal when the content is, in whatever order. Empty in
    /// batches that were stored before this was counted.
    #[serde(default)]
    pub content: String,
}

/// What change tracking counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCounts {
    /// Keys not known before.
    pub new: u64,
    /// Known keys with another content.
    pub changed: u64,
    /// Known keys that a complete batch no longer mentions.
    pub missing: u64,
    /// Keys that were missing and are back.
    pub returned: u64,
    /// Known keys with the same content.
    pub unchanged: u64,
}

/// Everything kept about a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Its id.
    pub batch: BatchId,
    /// The adapter's name, which is the source's name.
    pub adapter: String,
    /// What kind of records it carries.
    pub kind: RecordKind,
    /// blake3 of the file as received (hex): its place in the archive.
    pub digest: String,
    /// blake3 of the adapter file in force.
    pub adapter_digest: String,
    /// Name of the file or address path, for people; never with host or port.
    pub file: String,
    /// When it was taken in (UTC).
    pub received: jiff::Timestamp,
    /// The day its content speaks of; `None` when the file could not be read that far.
    pub as_of: Option<Date>,
    /// Rows seen, usable or not.
    pub rows: u64,
    /// Rows set aside with an issue.
    pub set_aside: u64,
    /// The verdict now (a release changes `quarantined` to `accepted_with_warnings`, a withdrawal what was accepted to `withdrawn`).
    pub verdict: Verdict,
    /// Every reason.
    pub reasons: Vec<Reason>,
    /// What the guards counted.
    pub census: Census,
    /// The headings of the file, sorted. Empty in batches that were stored before they were kept.
    #[serde(default)]
    pub columns: Vec<String>,
    /// What changed against the last accepted batch (zero while held).
    pub changes: ChangeCounts,
    /// The first issues, at most [`ISSUES_KEPT`].
    pub issues: Vec<Issue>,
    /// All issues, kept or not; 0 in batches that were stored before this was counted.
    #[serde(default)]
    pub issues_found: u64,
    /// Who released it and why, when someone did.
    pub released: Option<Release>,
    /// Who took it back and why, when someone did.
    #[serde(default)]
    pub withdrawn: Option<Withdrawal>,
}

impl Batch {
    /// When it began to count: its release, else its delivery (UTC).
    #[must_use]
    pub fn counted_from(&self) -> jiff::Timestamp {
        self.released
            .as_ref()
            .map_or(self.received, |release| release.at)
    }
}

/// How many issues are kept with a batch; the count stays exact in `set_aside`.
pub const ISSUES_KEPT: usize = 1000;

/// A release from quarantine by a named person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Who answers for it.
    pub by: String,
    /// Why the guards' doubt is unfounded.
    pub reason: String,
    /// When (UTC).
    pub at: jiff::Timestamp,
    /// The last day on which something may be founded on the batch; `None` in releases that were stored before they expired.
    #[serde(default)]
    pub until: Option<Date>,
}

/// A batch taken back by a named person after it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// Who answers for it.
    pub by: String,
    /// What is wrong with the batch.
    pub reason: String,
    /// When (UTC).
    pub at: jiff::Timestamp,
}

/// Why a file could not be read as what its adapter declares: the batch is refused with this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} {text}")]
pub struct Unreadable {
    /// Stable code, `YB-20xx` container and transport, `YB-21xx` charset and format.
    pub code: &'static str,
    /// What was found where, and the remedy; Chinese.
    pub text: String,
}
