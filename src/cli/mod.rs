//! The command line: one file per command; the only place where rooms are wired together.

pub mod arguments;
pub mod batches;
pub mod cases;
pub mod changes;
pub mod check;
pub mod codes;
pub mod console;
pub mod demo;
pub mod dispatch;
pub mod draft;
pub mod enterprise;
pub mod identity;
pub mod list;
pub mod notices;
pub mod preview;
pub mod progress;
pub mod pull;
pub mod run;
pub mod schedules;
pub mod serve;
pub mod session;
pub mod status;
pub mod survey;
