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
        }
    }

    /// What is asked for, which is then the file's name: the path, with `#{period}` or `#{day}` where only the parameters say it.
    /// `None` where files have names of their own.
    #[must_use]
    pub fn requested_name(&self) -> Option<String> {
        let (path, parameters) = match self {
            Self::Folder(_) => return None,
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
    /// File name with at most one `*`, such as `scjg_*.zip`. The greatest name that is complete and not yet taken is next.
    pub pattern: String,
    /// Suffix of the companion file that says the export is complete, such as `.ok`. Without it a file
    /// counts as complete when size and digest are the same over two looks.
    pub marker: Option<String>,
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
