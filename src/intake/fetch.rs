//! Fetching: the next export of a source as a file in the spool folder, or the word that there is none yet.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::adapter::endpoint::Endpoint;
use crate::adapter::language::Adapter;
use crate::adapter::transport::Transport;
use crate::domain::record::Month;
use crate::intake::fetch::client::Waits;
use crate::intake::fetch::spooled::Spooled;
use crate::secret;

mod answer;
pub mod carried;
pub mod client;
mod command;
mod download;
mod folder;
mod ftp;
mod ftp_words;
mod http;
mod job;
mod keyring;
mod listing;
mod login;
mod names;
mod notes;
mod pages;
mod pickup;
mod remote;
mod sftp;
mod sftp_wire;
mod signing;
mod spooled;
mod trouble;

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
    /// Where fetching remembers between pulls what is unchanged and which export was asked for. A cache: losing it costs a download.
    pub notes: &'a Path,
    /// Today.
    pub today: Date,
    /// Now, for signatures; later requests of the errand add what has passed since.
    pub now: Timestamp,
    /// How long is waited for what.
    pub waits: Waits,
    /// Whether the file of this name and digest, or the same content under another name, was taken before. With an empty digest: whether a file of this name was, whatever
    /// its content (drop folders ask that first, so that not every old file is hashed each time).
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
    /// What was met on the way and deserves a word, in Chinese, each with code and remedy.
    pub cautions: Vec<String>,
    /// Whose it is.
    pub holding: Holding,
    /// Where it lies at its source, where it may have to be moved aside.
    origin: Option<pickup::Origin>,
}

/// Whose a fetched file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// It was made in the spool and may be linked elsewhere and removed.
    Spool,
    /// Somebody else's, who keeps it: it may change under the reader, so it is to be copied before it is read.
    Lent,
    /// Somebody gave it away: it may be linked elsewhere, and is removed once it was taken.
    Given,
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

impl Unfetched {
    /// The file is greater than it may be.
    fn over_cap(limit: u64) -> Self {
        Self::wrong(
            "YB-2005",
            format!(
                "文件超过上限 {limit} 字节。处理：核对文件；确需更大时调高适配文件 limits.file_bytes"
            ),
        )
    }

    /// Something is wrong.
    fn wrong(code: &'static str, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            not_yet: false,
        }
    }

    /// Nothing there yet.
    fn not_yet(text: impl Into<String>) -> Self {
        Self {
            code: "YB-2001",
            text: text.into(),
            not_yet: true,
        }
    }
}

impl From<secret::Refused> for Unfetched {
    fn from(refused: secret::Refused) -> Self {
        Self::wrong(refused.code, refused.text)
    }
}

/// Fetches the next export.
///
/// # Errors
/// Nothing there yet, cannot be reached, or exceeds a limit.
pub fn fetch(errand: &Errand<'_>) -> Result<Fetched, Unfetched> {
    match &errand.adapter.transport {
        Transport::Http(http) => http::fetch(errand, http),
        Transport::Pages(pages) => pages::fetch(errand, pages),
        Transport::Job(job) => job::fetch(errand, job),
        Transport::Command(command) => command::fetch(errand, command),
        folder @ (Transport::Folder(_) | Transport::Sftp(_) | Transport::Ftp(_)) => {
            match folder.pickup() {
                Some(pickup) => pickup::fetch(errand, pickup),
                None => Err(Unfetched::not_yet("没有可取的文件")),
            }
        }
    }
}

/// After the batch of a fetched file is journaled, whatever the verdict: moves the file aside at its source, where the
/// adapter says `done`. Should the program end before, the next fetch does it.
///
/// # Errors
/// It could not be moved: a word for people, nothing is lost.
pub fn finish(errand: &Errand<'_>, fetched: &Fetched) -> Result<(), Unfetched> {
    pickup::finish(errand, fetched)
}

/// A file that can not be read.
fn unread(name: &str, kind: std::io::ErrorKind) -> Unfetched {
    Unfetched::wrong(
        "YB-2002",
        format!("读取文件 {name} 失败（{kind}）。处理：核对文件和权限"),
    )
}

/// A link, a pipe, a device.
fn irregular(name: &str) -> Unfetched {
    Unfetched::wrong(
        "YB-2003",
        format!("{name} 不是普通文件。处理：只放置文件本身，不用链接"),
    )
}

/// All that is left of a file.
fn pour(mut from: File, name: &str, into: &mut Spooled) -> Result<(), Unfetched> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = from
            .read(&mut buffer)
            .map_err(|error| unread(name, error.kind()))?;
        if read == 0 {
            return Ok(());
        }
        into.write(&buffer[..read])?;
    }
}

/// `{period}` is the last full month before `today` as `YYYYMM`, `{day}` is `today` as `YYYYMMDD`.
fn filled(path: &str, today: Date) -> String {
    let period = Month::of(today).plus(-1);
    path.replace(
        "{period}",
        &format!("{:04}{:02}", period.year, period.month),
    )
    .replace(
        "{day}",
        &format!("{:04}{:02}{:02}", today.year(), today.month(), today.day()),
    )
}

#[cfg(test)]
mod tests;
