//! One TOML file read with every fault at once: line, column, key, remedy.
//!
//! `serde` stops at the first fault. So the document is read once into a tree that remembers places; when reading the type
//! fails, the offending entry is taken out of the tree and reading begins again, until it succeeds or nothing can be taken out
//! any more. A key that is missing — from the start, or because it was taken out — is stood in for by guesses (a text, a number,
//! a table …), so that what comes after it is still looked at; only the first kind is reported.
//!
//! Limits: in an untagged enum (one of several forms) serde only says that no form fits. A [`Probe`] names the form that is
//! meant there, and the entry is then read as that form. A missing key of a type with a syntax of its own (`"40 days"`) can not
//! be guessed: its table is then given up, and further missing keys of that table are found in the next reading.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::config::fault::{self, Fault};
use crate::config::toml_tree::{self, Node, Step};
use crate::config::toml_words;

mod search;

use search::Search;

/// Greatest size of a file that a person wrote.
pub const FILE_BYTES: u64 = 1 << 20;

/// Most faults shown of one file.
const SHOWN: usize = 100;

/// The text of a file below a home.
///
/// # Errors
/// It cannot be read, is no UTF-8, or is larger than [`FILE_BYTES`].
pub fn text(root: &Path, file: &str) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(root.join(file))?
        .take(FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    // Editors on Windows put a mark before the text that no later layer wants to see.
    Ok(text
        .strip_prefix('\u{feff}')
        .map_or(text.clone(), str::to_owned))
}

/// Parses a file. After a fault the offending entry is blanked out and reading goes on, so that all are found.
///
/// # Errors
/// Every fault, in the order of lines.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Vec<Fault>> {
    parse_probing(file, text, &[])
}

/// As [`parse`], with the form that is meant in untagged enums.
///
/// # Errors
/// Every fault, in the order of lines.
pub fn parse_probing<T: DeserializeOwned>(
    file: &str,
    text: &str,
    probes: &[Probe],
) -> Result<T, Vec<Fault>> {
    let (value, faults) = read::<T>(file, text, probes, true);
    match value {
        Some(value) if faults.is_empty() => Ok(value),
        _ if faults.is_empty() => Err(vec![Fault::of_file(
            file,
            fault::VALUE,
            "内容无法读出。处理：对照随程序提供的同名文件改正。".to_owned(),
        )]),
        _ => Err(faults),
    }
}

/// The faults of a file that may leave keys out, because another file or a variable gives them.
#[must_use]
pub fn faults_of_part<T: DeserializeOwned>(file: &str, text: &str) -> Vec<Fault> {
    read::<T>(file, text, &[], false).1
}

/// The text under a key, however wrong the rest of the file is.
pub(crate) fn word(text: &str, key: &str) -> Option<String> {
    let (root, _) = toml_tree::read(text);
    let path = [Step::Key(key.to_owned())];
    toml_tree::node(&root, &path)?
        .get_ref()
        .as_str()
        .map(str::to_owned)
}

/// Line and column (both from 1) of a dotted key such as `fields.name.lookup`: of the deepest part that stands in the file;
/// (0, 0) when no part does.
#[must_use]
pub fn locate(text: &str, key: &str) -> (usize, usize) {
    let (root, _) = toml_tree::read(text);
    let path = toml_tree::path_of(&root, key);
    toml_tree::key_span(&root, &path).map_or((0, 0), |span| toml_tree::place(text, span.start))
}

/// The form that is meant in a map of untagged enums.
pub struct Probe {
    under: &'static [&'static str],
    check: for<'i> fn(Node<'i>) -> Vec<Found>,
}

impl Probe {
    /// Tables that stand in the table `under` are meant as `T`.
    #[must_use]
    pub fn of<T: DeserializeOwned>(under: &'static [&'static str]) -> Self {
        Self {
            under,
            check: |node| Search::new(node).run::<T>(&[]).1,
        }
    }

    fn fits(&self, path: &[Step]) -> bool {
        path.len() == self.under.len() + 1
            && self
                .under
                .iter()
                .zip(path)
                .all(|(key, step)| matches!(step, Step::Key(own) if own == key))
    }
}

/// A fault before it is put into words.
struct Found {
    path: Vec<Step>,
    /// Where, unless the path says it.
    span: Option<Range<usize>>,
    /// The key stands wrongly, not its value.
    on_key: bool,
    missing: bool,
    /// The key that was meant by an unknown one.
    meant: Option<Vec<Step>>,
    code: &'static str,
    text: String,
}

fn read<T: DeserializeOwned>(
    file: &str,
    text: &str,
    probes: &[Probe],
    whole: bool,
) -> (Option<T>, Vec<Fault>) {
    let (root, errors) = toml_tree::read(text);
    let mut faults: Vec<Fault> = Vec::new();
    for error in &errors {
        let offset = error.span().map_or(text.len(), |span| span.start);
        let (line, column) = toml_tree::place(text, offset);
        // One slip of the pen makes several errors in its line; the first is the one to mend.
        if faults.iter().any(|fault| fault.line == line) {
            continue;
        }
        let written = text.lines().nth(line - 1).unwrap_or_default();
        faults.push(Fault {
            file: file.to_owned(),
            line,
            column,
            key: String::new(),
            code: fault::NO_TOML.to_owned(),
            text: toml_words::syntax(error.message(), written),
        });
    }
    let (value, found) = Search::new(root.clone()).run::<T>(probes);
    let mistyped: Vec<Vec<Step>> = found
        .iter()
        .filter_map(|found| found.meant.clone())
        .collect();
    for found in found {
        // A key that was mistyped is not missing besides.
        if found.missing && mistyped.contains(&found.path) {
            continue;
        }
        // What is missing may be given elsewhere, or stand in a line that could not be read.
        if found.missing && (!whole || !errors.is_empty()) {
            continue;
        }
        let fault = placed(file, text, &root, found);
        let unreadable_line = !errors.is_empty() && faults.iter().any(|f| f.line == fault.line);
        if !unreadable_line {
            faults.push(fault);
        }
    }
    faults.sort();
    faults.dedup();
    faults.truncate(SHOWN);
    (value, faults)
}

fn placed(file: &str, text: &str, root: &Node<'_>, found: Found) -> Fault {
    let value = toml_tree::node(root, &found.path);
    let is_table = value.is_some_and(|node| node.get_ref().is_table());
    let span = if found.on_key || is_table {
        toml_tree::key_span(root, &found.path)
    } else {
        value.map(toml::Spanned::span)
    };
    let whole = found.missing && found.path.len() <= 1;
    let span = if found.missing {
        let parent = found.path.split_last().map_or(&[][..], |(_, rest)| rest);
        toml_tree::key_span(root, parent)
    } else {
        span
    };
    let (line, column) = match span.or(found.span) {
        Some(span) if !whole => toml_tree::place(text, span.start),
        _ => (0, 0),
    };
    Fault {
        file: file.to_owned(),
        line,
        column,
        key: toml_tree::dotted(&found.path),
        code: found.code.to_owned(),
        text: found.text,
    }
}

#[cfg(test)]
mod tests;
