//! Paths in a parsed TOML document whose every key and value still knows where it stood in the text.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with its place.
pub(crate) type Node<'i> = Spanned<DeValue<'i>>;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into a table.
    Key(String),
    /// Into a list, counted from 0.
    Item(usize),
}

/// The document's root as a value, with every syntax error.
pub(crate) fn read(text: &str) -> (Node<'_>, Vec<toml::de::Error>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let span = table.span();
    (
        Spanned::new(span, DeValue::Table(table.into_inner())),
        errors,
    )
}

/// The node at a path.
pub(crate) fn node<'a, 'i>(root: &'a Node<'i>, path: &[Step]) -> Option<&'a Node<'i>> {
    path.iter()
        .try_fold(root, |node, step| match (step, node.get_ref()) {
            (Step::Key(key), DeValue::Table(table)) => table.get(key.as_str()),
            (Step::Item(index), DeValue::Array(items)) => items.get(*index),
            _ => None,
        })
}

fn node_mut<'a, 'i>(root: &'a mut Node<'i>, path: &[Step]) -> Option<&'a mut Node<'i>> {
    path.iter()
        .try_fold(root, |node, step| match (step, node.get_mut()) {
            (Step::Key(key), DeValue::Table(table)) => table.get_mut(key.as_str()),
            (Step::Item(index), DeValue::Array(items)) => items.get_mut(*index),
            _ => None,
        })
}

/// Where the last step of a path is written: the key itself, or the item of a list.
pub(crate) fn key_span(root: &Node<'_>, path: &[Step]) -> Option<Range<usize>> {
    let (last, parent) = path.split_last()?;
    match (last, node(root, parent)?.get_ref()) {
        (Step::Key(key), DeValue::Table(table)) => table
            .get_key_value(key.as_str())
            .map(|(written, _)| written.span()),
        (Step::Item(index), DeValue::Array(items)) => items.get(*index).map(Spanned::span),
        _ => None,
    }
}

/// Takes an entry out; everything else keeps its place.
pub(crate) fn remove(root: &mut Node<'_>, path: &[Step]) -> bool {
    let Some((last, parent)) = path.split_last() else {
        return false;
    };
    match (last, node_mut(root, parent).map(Spanned::get_mut)) {
        (Step::Key(key), Some(DeValue::Table(table))) => table.remove(key.as_str()).is_some(),
        (Step::Item(index), Some(DeValue::Array(items))) if *index < items.len() => {
            let kept = items.iter().enumerate().filter(|(at, _)| at != index);
            *items = kept.map(|(_, item)| item.clone()).collect();
            true
        }
        _ => false,
    }
}

/// Puts a value under a key of a table that exists.
pub(crate) fn insert(root: &mut Node<'_>, path: &[Step], value: DeValue<'static>) -> bool {
    let Some((Step::Key(key), parent)) = path.split_last() else {
        return false;
    };
    let Some(DeValue::Table(table)) = node_mut(root, parent).map(Spanned::get_mut) else {
        return false;
    };
    table.insert(
        Spanned::new(0..0, key.clone().into()),
        Spanned::new(0..0, value),
    );
    true
}

/// A path as the operator reads it: `unit[3].email`, items counted from 1.
pub(crate) fn dotted(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Step::Item(index) => {
                text.push('[');
                text.push_str(&(index + 1).to_string());
                text.push(']');
            }
        }
    }
    text
}

/// The path of a dotted key as far as it stands in the document. Keys may hold dots themselves: the longest that fits is taken.
pub(crate) fn path_of(root: &Node<'_>, key: &str) -> Vec<Step> {
    let mut path = Vec::new();
    let mut at = root;
    let mut rest = key;
    while !rest.is_empty() {
        let step = match at.get_ref() {
            DeValue::Table(table) => table
                .keys()
                .map(|written| written.get_ref().as_ref())
                .filter(|written| {
                    rest.strip_prefix(*written).is_some_and(|after| {
                        after.is_empty() || after.starts_with('.') || after.starts_with('[')
                    })
                })
                .max_by_key(|written| written.len())
                .map(|written| (Step::Key(written.to_owned()), written.len())),
            DeValue::Array(_) => rest.strip_prefix('[').and_then(|after| {
                let (digits, _) = after.split_once(']')?;
                let number: usize = digits.parse().ok()?;
                Some((Step::Item(number.checked_sub(1)?), digits.len() + 2))
            }),
            _ => None,
        };
        let Some((step, length)) = step else { break };
        path.push(step);
        let Some(next) = node(root, &path) else {
            path.pop();
            break;
        };
        at = next;
        rest = rest.get(length..).unwrap_or_default();
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
    path
}

/// Line and column, both from 1, of a byte offset; columns count characters.
pub(crate) fn place(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let head = text.get(..offset).unwrap_or_default();
    let line_start = head.rfind('\n').map_or(0, |at| at + 1);
    let line = head.matches('\n').count() + 1;
    let column = head
        .get(line_start..)
        .unwrap_or_default()
        .chars()
        .filter(|c| *c != '\u{feff}')
        .count()
        + 1;
    (line, column)
}
