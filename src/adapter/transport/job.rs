//! An export that is made on request: ask, wait until it is ready, download.

use serde::Deserialize;

use crate::adapter::language::OneOrMany;
use crate::adapter::transport::request::{Body, Method, Parameters, Request};

/// An export that is made on request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Name of the endpoint whose `url` is the base address.
    pub endpoint: String,
    /// Whether the department labels its data `text/html`: then only a body that begins like a web page is refused as one.
    #[serde(default)]
    pub mislabelled: bool,
    /// How it is asked for. What was asked and is not ready is polled again at the next pull, never asked for twice.
    pub ask: Ask,
    /// How its state is asked for.
    pub poll: Poll,
    /// Where the file lies when it is ready.
    pub download: Download,
}

/// How an export is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Path below the base; `{period}`, `{day}`.
    pub path: String,
    /// GET unless given.
    #[serde(default)]
    pub method: Method,
    /// JSON unless given; only with POST.
    #[serde(default)]
    pub body: Body,
    /// Names and fixed values; placeholders as in the path.
    #[serde(default)]
    pub parameters: Parameters,
    /// JSON pointer of the success code.
    pub success: Option<String>,
    /// The text or texts of the success code.
    pub success_is: Option<OneOrMany>,
    /// JSON pointer of the message that goes with a failure.
    pub message: Option<String>,
    /// JSON pointer of the job's number.
    pub id: String,
}

/// How the state of an export is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// Path below the base; `{job}`.
    pub path: String,
    /// GET unless given.
    #[serde(default)]
    pub method: Method,
    /// JSON unless given; only with POST.
    #[serde(default)]
    pub body: Body,
    /// Names and fixed values; placeholders as in the path.
    #[serde(default)]
    pub parameters: Parameters,
    /// JSON pointer of the state.
    pub state: String,
    /// States in which the file can be had.
    pub ready: OneOrMany,
    /// States in which it is being made.
    pub working: OneOrMany,
    /// States in which it will never come: it is forgotten, and asked for anew at the next pull.
    pub failed: OneOrMany,
    /// JSON pointer of the message that goes with a failure.
    pub message: Option<String>,
    /// Seconds between two looks; 10 unless given.
    pub every: Option<u32>,
    /// Looks within one pull; 30 unless given.
    pub at_most: Option<u32>,
    /// Hours after which a job that is still not ready is given up; 48 unless given.
    pub hours: Option<u32>,
}

/// Where the file lies. Exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Download {
    /// A path below the base, with `{job}`.
    Path(String),
    /// JSON pointer, in the answer that said it is ready, of its address (same origin only) or path.
    Link(String),
}

impl Ask {
    /// Its request.
    #[must_use]
    pub const fn request(&self) -> Request<'_> {
        Request {
            path: self.path.as_str(),
            method: self.method,
            body: self.body,
            parameters: &self.parameters,
        }
    }
}

impl Poll {
    /// Its request.
    #[must_use]
    pub const fn request(&self) -> Request<'_> {
        Request {
            path: self.path.as_str(),
            method: self.method,
            body: self.body,
            parameters: &self.parameters,
        }
    }

    /// Seconds between two looks.
    #[must_use]
    pub fn seconds(&self) -> u32 {
        self.every.unwrap_or(10)
    }

    /// Looks within one pull.
    #[must_use]
    pub fn looks(&self) -> u32 {
        self.at_most.unwrap_or(30)
    }

    /// Hours after which it is given up.
    #[must_use]
    pub fn patience(&self) -> u32 {
        self.hours.unwrap_or(48)
    }
}
