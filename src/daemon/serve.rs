//! The daemon's life: wake, plan, run, answer the socket, end cleanly.

use std::path::PathBuf;
use std::sync::Arc;

use crate::daemon::socket::{Answer, Request};

/// What the daemon is handed.
pub struct Duties {
    /// Path of the Unix socket.
    pub socket: PathBuf,
    /// Cron lines (five fields) that wake it.
    pub cron_lines: Vec<String>,
    /// Plans and runs everything due now; returns when done. Called on a blocking thread, never twice at a time.
    pub run_due: Arc<dyn Fn() + Send + Sync>,
    /// Runs one command line. Called on a blocking thread, never at the same time as `run_due`'s commits need it
    /// (the store itself orders writers).
    pub run_command: Arc<dyn Fn(Request) -> Answer + Send + Sync>,
    /// Real seconds between safety wake-ups beside the cron lines (shorter when the clock is simulated).
    pub safety_s: f64,
}

/// Runs until SIGTERM or SIGINT, then stops accepting, lets what runs come to its end (at most a minute), and returns.
///
/// # Errors
/// The socket cannot be made.
pub async fn serve(duties: Duties) -> std::io::Result<()> {
    let _ = duties.socket;
    todo!()
}
