//! Compact: writes index and tracking files anew, so that they do not grow with what was overwritten in them. What they say stays.
//! What a power cut left of files that were being written goes.

use std::fmt::Write as _;

use serde::Serialize;

use crate::courier::files;
use crate::store::compaction::Compacted;
use crate::tasks::{Desk, Failure};

/// What it did. Bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompactReport {
    /// Whether anything was written.
    pub written: bool,
    /// Index and sources: files before and after, and what they hold.
    #[serde(flatten)]
    pub sizes: Compacted,
}

impl CompactReport {
    /// What the journal keeps of it: how large files are on a disk is not the same everywhere.
    #[must_use]
    pub fn outcome(&self) -> String {
        format!("已整理索引和{}个来源的变更索引", self.sizes.sources.len())
    }

    /// In one Chinese line.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = if self.written {
            format!(
                "整理索引：{}→{}",
                mebibytes(self.sizes.index.before),
                mebibytes(self.sizes.index.after)
            )
        } else {
            format!("索引{}", mebibytes(self.sizes.index.before))
        };
        for (adapter, size) in &self.sizes.sources {
            let _ = if size.after == size.before {
                write!(text, "；{adapter}变更索引{}", mebibytes(size.after))
            } else {
                write!(
                    text,
                    "；{adapter}变更索引{}→{}",
                    mebibytes(size.before),
                    mebibytes(size.after)
                )
            };
        }
        text
    }
}

/// With one digit behind the point, rounded up: nothing that is there shows as nothing.
fn mebibytes(bytes: u64) -> String {
    let tenths = (u128::from(bytes) * 10).div_ceil(1 << 20);
    format!("{}.{}MiB", tenths / 10, tenths % 10)
}

/// Writes them anew; `dry_run` only tells how large they are.
///
/// # Errors
/// Disk; a file that is damaged. What was there before stays then.
pub fn run(desk: Desk<'_>, dry_run: bool) -> Result<CompactReport, Failure> {
    let sizes = if dry_run {
        desk.store.sizes()?
    } else {
        let outputs = desk.configuration.home.state.join("out");
        files::sweep(&outputs).map_err(|source| Failure::Io {
            what: format!("清理未写完的文件{}", outputs.display()),
            source,
        })?;
        desk.store.compact()?
    };
    Ok(CompactReport {
        written: !dry_run,
        sizes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::compaction::Rewritten;

    #[test]
    fn sizes_are_told_in_one_line() {
        let size = |before, after| Rewritten {
            before,
            after,
            logical: 1,
        };
        let sizes = Compacted {
            index: size(12_900_000, 1_048_576),
            sources: [
                ("market-regulation".to_owned(), size(2_097_152, 1)),
                ("tax".to_owned(), size(40_000, 40_000)),
            ]
            .into(),
        };
        let report = CompactReport {
            written: true,
            sizes,
        };
        assert_eq!(report.outcome(), "已整理索引和2个来源的变更索引");
        assert_eq!(
            report.summary(),
            "整理索引：12.4MiB→1.0MiB；market-regulation变更索引2.0MiB→0.1MiB；tax变更索引0.1MiB"
        );
        let report = CompactReport {
            written: false,
            sizes: Compacted::default(),
        };
        assert_eq!(report.summary(), "索引0.0MiB");
    }
}
