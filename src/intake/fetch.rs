//! Fetching: the next export of a source as a file in the spool folder, or the word that there is none yet.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::adapter::endpoint::Endpoint;
use crate::adapter::language::Adapter;

/// What fetching must know.
pub struct Errand<'a> {
    /// The adapter.
    pub adapter: &'a Adapter,
    /// Its address.
    pub endpoint: &'a Endpoint,
    /// The home folder: relative paths of endpoints start here.
    pub home: &'a Path,
    /// Where files are put while they are judged.
    pub spool: &'a Path,
    /// Today.
    pub today: Date,
    /// Whether the file of this name and digest was taken before (drop folders: the next one is looked for).
    pub taken: &'a dyn Fn(&str, &str) -> bool,
    /// Where HTTP runs.
    pub runtime: &'a tokio::runtime::Handle,
}

/// A file in the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name for people: file name, or address path without host and port.
    pub name: String,
    /// blake3 (hex).
    pub digest: String,
}

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[{code}] {text}")]
pub struct Unfetched {
    /// Stable code, `YB-20xx`.
    pub code: &'static str,
    /// What and the remedy, in Chinese; never with a secret, host or port.
    pub text: String,
    /// Nothing is wrong: the department has not delivered yet (empty folder, 404).
    pub not_yet: bool,
}

/// Fetches the next export.
///
/// # Errors
/// Nothing there yet, cannot be reached, or exceeds a limit.
pub fn fetch(errand: &Errand<'_>) -> Result<Fetched, Unfetched> {
    let _ = errand.adapter;
    todo!()
}

/// Takes a hand-carried file into the spool.
///
/// # Errors
/// It cannot be read or exceeds a limit.
pub fn carry(file: &Path, adapter: &Adapter, spool: &Path) -> Result<Fetched, Unfetched> {
    let _ = (file, adapter, spool);
    todo!()
}
