//! Where a department's export comes from.

use serde::Deserialize;

use crate::adapter::transport::job::Job;
use crate::adapter::transport::pages::Pages;
use crate::adapter::transport::request::Parameter;

pub mod job;
pub mod pages;
pub mod request;

/// Where the export comes from. Exactly one table under `[transport]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Transport {
    /// A folder the department writes into.
    Folder(Folder),
    /// One file by HTTP GET.
    Http(Http),
    /// A paged JSON interface by HTTP.
    Pages(Box<Pages>),
    /// An export that is made on request, by HTTP.
    Job(Box<Job>),
    /// A folder on an SFTP server.
    Sftp(Remote),
    /// A folder on an FTP server.
    Ftp(Remote),
    /// A program on this machine that writes JSON lines.
    Command(Command),
}

impl Transport {
    /// The endpoint's name under `[endpoints]` in the settings.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        match self {
            Self::Folder(folder) => &folder.endpoint,
            Self::Http(http) => &http.endpoint,
            Self::Pages(pages) => &pages.endpoint,
            Self::Job(job) => &job.endpoint,
            Self::Sftp(remote) | Self::Ftp(remote) => &remote.endpoint,
            Self::Command(command) => &command.endpoint,
        }
    }

    /// Its table under `[transport]`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Folder(_) => "folder",
            Self::Http(_) => "http",
            Self::Pages(_) => "pages",
            Self::Job(_) => "job",
            Self::Sftp(_) => "sftp",
            Self::Ftp(_) => "ftp",
            Self::Command(_) => "command",
        }
    }

    /// How files are picked out of a folder; `None` where there is none to pick from.
    #[must_use]
    pub fn pickup(&self) -> Option<Pickup<'_>> {
        match self {
            Self::Folder(folder) => Some(Pickup {
                pattern: &folder.pattern,
                marker: folder.marker.as_deref(),
                done: folder.done.as_deref(),
                depth: folder.depth,
                settle_ms: folder.settle_ms,
            }),
            Self::Sftp(remote) | Self::Ftp(remote) => Some(Pickup {
                pattern: &remote.pattern,
                marker: remote.marker.as_deref(),
                done: remote.done.as_deref(),
                depth: remote.depth,
                settle_ms: remote.settle_ms,
            }),
            Self::Http(_) | Self::Pages(_) | Self::Job(_) | Self::Command(_) => None,
        }
    }

    /// What is asked for, which is then the file's name: the path, with `#{period}` or `#{day}` where only the parameters say it.
    /// `None` where files have names of their own.
    #[must_use]
    pub fn requested_name(&self) -> Option<String> {
        let (path, parameters) = match self {
            Self::Folder(_) | Self::Sftp(_) | Self::Ftp(_) | Self::Command(_) => return None,
            Self::Http(http) => return Some(http.path.clone()),
            Self::Pages(pages) => (&pages.path, &pages.parameters),
            Self::Job(job) => (&job.ask.path, &job.ask.parameters),
        };
        let mut name = path.clone();
        for placeholder in ["{period}", "{day}"] {
            let is_said = parameters
                .values()
                .flat_map(Parameter::texts)
                .any(|text| text.contains(placeholder));
            if is_said && !path.contains(placeholder) {
                name.push('#');
                name.push_str(placeholder);
            }
        }
        Some(name)
    }
}

/// A drop folder. Files are copied, never deleted at the source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Name of the endpoint whose `path` is the folder.
    pub endpoint: String,
    /// File name with at most one `*`, such as `scjg_*.zip`. Files come in the order of their names.
    pub pattern: String,
    /// Suffix of the companion file that says the export is complete, such as `.ok`. Without it a file
    /// counts as complete when size and digest are the same over two looks.
    pub marker: Option<String>,
    /// Folder below it that files are moved to once their batch is journaled. Without it they stay where they are.
    pub done: Option<String>,
    /// How many levels of folders below it are looked into; 0 unless given. Links are never followed.
    #[serde(default)]
    pub depth: u8,
    /// Milliseconds between the two looks at a file without a marker; 200 unless given.
    #[serde(default = "near")]
    pub settle_ms: u32,
}

const fn near() -> u32 {
    200
}

const fn far() -> u32 {
    2000
}

/// One file by HTTP GET.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Name of the endpoint whose `url` is the base address.
    pub endpoint: String,
    /// Path below the base; `{period}` is the last full month as `YYYYMM`, `{day}` today as `YYYYMMDD`.
    pub path: String,
    /// Whether the department labels its data `text/html`: then only a body that begins like a web page is refused as one.
    #[serde(default)]
    pub mislabelled: bool,
}

/// A folder on another machine. Files are copied, never deleted at the source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    /// Name of the endpoint whose `sftp` or `ftp` is the server.
    pub endpoint: String,
    /// The folder: `/out` from the root, `out` or nothing from where the login ends.
    #[serde(default)]
    pub path: String,
    /// File name with at most one `*`. Files come in the order of their names.
    pub pattern: String,
    /// Suffix of the companion file that says the export is complete. Without it a file counts as complete when size and
    /// time of change are the same over two looks, and after the download.
    pub marker: Option<String>,
    /// Folder below it that files are moved to once their batch is journaled. Without it they stay where they are.
    pub done: Option<String>,
    /// How many levels of folders below it are looked into; 0 unless given. Links are never followed.
    #[serde(default)]
    pub depth: u8,
    /// Milliseconds between the two looks at a file without a marker; 2000 unless given.
    #[serde(default = "far")]
    pub settle_ms: u32,
}

/// How files are picked out of a folder, wherever it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pickup<'a> {
    /// File name with at most one `*`.
    pub pattern: &'a str,
    /// Suffix of the companion file.
    pub marker: Option<&'a str>,
    /// Folder that taken files are moved to.
    pub done: Option<&'a str>,
    /// Levels of folders that are looked into.
    pub depth: u8,
    /// Milliseconds between two looks.
    pub settle_ms: u32,
}

/// A program on this machine: the way out for a source that nothing else reaches. It writes JSON lines.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Name of the endpoint whose `program` is started.
    pub endpoint: String,
    /// Its arguments, as they are: no shell reads them. `{period}` and `{day}` as in [`Http`].
    #[serde(default)]
    pub arguments: Vec<String>,
}
