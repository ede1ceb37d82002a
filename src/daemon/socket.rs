//! The Unix socket (0600): a command line in, its output and exit code out.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// One command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its arguments, without the program's name and without `--home` and `--state`.
    pub arguments: Vec<String>,
    /// The caller's folder: relative paths of files start there.
    pub folder: String,
}

/// What it answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: Vec<u8>,
    /// Exit code.
    pub exit: i32,
}

/// Asks a running daemon. `None` when none listens there (no socket, or one left by a killed process).
///
/// # Errors
/// It listens but the conversation broke.
pub fn ask(
    socket: &Path,
    request: &Request,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> std::io::Result<Option<i32>> {
    let _ = (socket, request, out, err);
    todo!()
}
