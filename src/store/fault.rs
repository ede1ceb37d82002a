//! Points between the steps of a commit, where tests kill the process. Outside tests nothing happens here.

/// A point between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(test), allow(dead_code, reason = "some are only named by tests"))]
pub enum Point {
    /// A commit was checked; nothing is written.
    Checked,
    /// Half of the journal line is written.
    TornLine,
    /// The journal entry is on the disk, the index does not know it.
    Journaled,
    /// The index knows it.
    Applied,
    /// A delivery's marker is written.
    Begun,
    /// Its segment is on the disk.
    Staged,
    /// Its fingerprints are.
    Tracked,
    /// The stage is sealed and on the disk; the journal does not know it.
    Sealed,
    /// Half of the note of a known file is written.
    TornNote,
    /// The note is written and lies beside the old one.
    NoteWritten,
    /// The note stands.
    Noted,
    /// A source's fingerprints were written anew; nobody sees it.
    Merged,
    /// The index was written anew beside the old one.
    Rewritten,
    /// The two have changed places.
    Swapped,
}

#[cfg(not(test))]
#[allow(clippy::inline_always, reason = "must leave no trace outside tests")]
#[inline(always)]
/// Nothing, outside tests.
pub fn reach(_: Point) {}

#[cfg(not(test))]
#[allow(clippy::inline_always, reason = "must leave no trace outside tests")]
#[inline(always)]
/// Writes, outside tests.
pub fn torn_write(
    _: Point,
    line: &[u8],
    write: impl Fn(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    write(line)
}

#[cfg(test)]
thread_local! {
    static ARMED: std::cell::Cell<Option<Point>> = const { std::cell::Cell::new(None) };
}

/// The process dies at this point of this thread.
#[cfg(test)]
pub fn arm(point: Point) {
    ARMED.set(Some(point));
}

/// Dies here when armed.
#[cfg(test)]
pub fn reach(point: Point) {
    if ARMED.get() == Some(point) {
        std::process::abort();
    }
}

/// Writes half of it and dies, when armed for that.
#[cfg(test)]
pub fn torn_write(
    point: Point,
    line: &[u8],
    write: impl Fn(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    if ARMED.get() == Some(point) {
        write(&line[..line.len() / 2])?;
        std::process::abort();
    }
    write(line)
}
