//! Container, charset, format → raw rows, streaming, under the adapter's limits.

use std::path::Path;

use crate::adapter::language::Adapter;
use crate::adapter::row::Decoded;
use crate::domain::batch::Unreadable;

/// What was learned beside the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decoding {
    /// Rows handed on, spoilt ones included.
    pub rows: u64,
    /// The total the file itself declares.
    pub declared_total: Option<u64>,
    /// `utf-8`, `gb18030`, or `` for a workbook.
    pub charset: String,
}

/// Reads a file and hands everything to `sink` in file order. An error of the sink ends it.
///
/// # Errors
/// The file is not what the adapter declares, is damaged, or exceeds a limit.
pub fn decode(
    path: &Path,
    adapter: &Adapter,
    sink: &mut dyn FnMut(Decoded) -> Result<(), Unreadable>,
) -> Result<Decoding, Unreadable> {
    let _ = (path, adapter, sink);
    todo!()
}
