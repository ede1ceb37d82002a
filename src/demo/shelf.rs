//! A folder of files that a department shows on its server: in memory, read only, and nothing beside it to be reached.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use jiff::Timestamp;

/// A file that lies on a shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Laid {
    /// What is in it.
    pub content: Bytes,
    /// When the department wrote it, by the city's time.
    pub modified: Timestamp,
}

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// The shelf itself.
    Shelf,
    /// A name on it, whether something lies there or not.
    File(&'a [u8]),
    /// Anything else: there are no folders below, and nothing above.
    Nowhere,
}

/// Files by name, as bytes: departments write names in the charset they have. Clones show the same files.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Arc<RwLock<BTreeMap<Vec<u8>, Laid>>>);

impl Shelf {
    /// Lays a file down, in place of one of the same name.
    pub fn lay(&self, name: &[u8], content: impl Into<Bytes>, modified: Timestamp) {
        let laid = Laid {
            content: content.into(),
            modified,
        };
        // Whoever panicked with the lock held left whole entries behind: they are only ever replaced.
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_vec(), laid);
    }

    /// The file of a name.
    #[must_use]
    pub fn file(&self, name: &[u8]) -> Option<Laid> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// All files, in the order of their names.
    #[must_use]
    pub fn files(&self) -> Vec<(Vec<u8>, Laid)> {
        let files = self.0.read().unwrap_or_else(PoisonError::into_inner);
        files
            .iter()
            .map(|(name, laid)| (name.clone(), laid.clone()))
            .collect()
    }
}

/// What a path names, from the shelf or from the root: they are the same.
#[must_use]
pub fn named(path: &[u8]) -> Named<'_> {
    let path = path.strip_prefix(b".").unwrap_or(path);
    let from = path.iter().position(|byte| *byte != b'/');
    match from.map(|from| &path[from..]) {
        None | Some(b"." | b"./") => Named::Shelf,
        Some(name) if name.contains(&b'/') || name == b".." => Named::Nowhere,
        Some(name) => Named::File(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_nowhere_else() {
        for (path, wanted) in [
            (&b""[..], Named::Shelf),
            (b".", Named::Shelf),
            (b"/", Named::Shelf),
            (b"/.", Named::Shelf),
            (b"a.csv", Named::File(b"a.csv")),
            (b"./a.csv", Named::File(b"a.csv")),
            (b"//a.csv", Named::File(b"a.csv")),
            (b"/a/b", Named::Nowhere),
            (b"/..", Named::Nowhere),
            (b"../etc", Named::Nowhere),
        ] {
            assert_eq!(named(path), wanted, "{}", path.escape_ascii());
        }
    }
}
