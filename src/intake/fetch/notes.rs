//! What fetching remembers between pulls of one source: by which mark an unchanged file is known, which export was asked for. A
//! small file, checked when read; losing it costs a download, or one more export.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::intake::fetch::Unfetched;

/// Longest file, bytes.
const BYTES: u64 = 256 << 10;

/// What is remembered of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// Files by name.
    pub files: BTreeMap<String, Remembered>,
    /// The export that was asked for and not yet taken in.
    pub job: Option<Asked>,
    /// Exports that failed in a row.
    pub failures: Option<Failures>,
}

/// A file as it came last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// blake3 (hex).
    pub digest: String,
    /// The department's `ETag`.
    pub etag: Option<String>,
    /// The department's `Last-Modified`.
    pub modified: Option<String>,
}

/// An export that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What was asked, as a digest: another question is another export.
    pub question: String,
    /// Its name for people.
    pub name: String,
    /// The job's number.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Digest of its file, once that was downloaded.
    #[serde(default)]
    pub digest: Option<String>,
}

/// Exports that failed in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// What was asked.
    pub question: String,
    /// The day of the last.
    pub on: Date,
    /// How many on that day.
    pub count: u32,
}

/// The file: what it says, and the digest of that.
#[derive(Serialize, Deserialize)]
struct Sheet {
    check: String,
    notes: String,
}

impl Notes {
    /// What was written down of a source; nothing when there is no such file, or it is damaged.
    pub fn read(folder: &Path, adapter: &str) -> Self {
        Self::checked(&path(folder, adapter)).unwrap_or_default()
    }

    fn checked(path: &Path) -> Option<Self> {
        let mut text = String::new();
        File::open(path)
            .ok()?
            .take(BYTES)
            .read_to_string(&mut text)
            .ok()?;
        let sheet: Sheet = serde_json::from_str(&text).ok()?;
        let digest = blake3::hash(sheet.notes.as_bytes());
        (sheet.check == digest.to_hex().as_str())
            .then(|| serde_json::from_str(&sheet.notes).ok())
            .flatten()
    }

    /// Writes it down; on the disk when this returns.
    pub fn write(&self, folder: &Path, adapter: &str) -> Result<(), Unfetched> {
        self.written(folder, adapter).map_err(|error| {
            Unfetched::wrong(
                "YB-2080",
                format!(
                    "拉取记录写入失败（{}）。处理：检查状态目录的磁盘空间和权限",
                    error.kind()
                ),
            )
        })
    }

    fn written(&self, folder: &Path, adapter: &str) -> std::io::Result<()> {
        let notes = serde_json::to_string(self)?;
        let sheet = Sheet {
            check: blake3::hash(notes.as_bytes()).to_hex().to_string(),
            notes,
        };
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, &sheet)?;
        file.flush()?;
        file.as_file().sync_all()?;
        file.persist(path(folder, adapter))?;
        // The new name must outlive a power cut too.
        File::open(folder)?.sync_all()
    }
}

fn path(folder: &Path, adapter: &str) -> PathBuf {
    folder.join(format!("{adapter}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_back_and_damaged_ones_are_no_notes() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("new");
        assert_eq!(Notes::read(&inner, "tax"), Notes::default());
        let notes = Notes {
            job: Some(Asked {
                question: "q".into(),
                name: "/x".into(),
                id: "7".into(),
                at: Timestamp::UNIX_EPOCH,
                digest: None,
            }),
            ..Notes::default()
        };
        notes.write(&inner, "tax").unwrap();
        assert_eq!(Notes::read(&inner, "tax"), notes);
        assert_eq!(
            fs::read_dir(&inner).unwrap().count(),
            1,
            "nothing else lies about"
        );
        let text = fs::read_to_string(inner.join("tax.json")).unwrap();
        for damaged in [
            text.replace("\\\"7\\\"", "\\\"8\\\""),
            text[..text.len() / 2].to_owned(),
            String::new(),
        ] {
            assert_ne!(damaged, text);
            fs::write(inner.join("tax.json"), damaged).unwrap();
            assert_eq!(Notes::read(&inner, "tax"), Notes::default());
        }
        fs::write(folder.path().join("file"), "").unwrap();
        let refused = notes.write(&folder.path().join("file"), "tax").unwrap_err();
        assert_eq!(refused.code, "YB-2080");
    }
}
