//! Which element of an XML document is the record, and which holds the declared total.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::events::Event;
use quick_xml::reader::Reader;

use crate::adapter::draft::aliases::Aliases;

/// Different paths that are counted: a document with more is no list of records.
const PATHS: usize = 5_000;
/// Depth that is followed.
const DEPTH: usize = 32;
/// Attributes of an element that are looked at.
const ATTRIBUTES: usize = 200;
/// Records after which enough was seen.
const ENOUGH: u64 = 2_000;
/// Candidates that are handed on.
const CANDIDATES: usize = 3;
/// Characters of a total.
const TOTAL_CHARS: usize = 20;

/// A way to read the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Slash path of the record element.
    pub record: String,
    /// How often it was seen.
    pub count: u64,
    /// Slash path of the declared total.
    pub total: Option<String>,
}

#[derive(Default)]
struct Path {
    count: u64,
    leaves: BTreeSet<String>,
}

/// An element that is open.
struct Open {
    name: String,
    has_children: bool,
    text: String,
    /// Its attributes with their texts.
    attributes: Vec<(String, String)>,
}

#[derive(Default)]
struct Walk {
    stack: Vec<Open>,
    paths: BTreeMap<String, Path>,
    numbers: BTreeMap<String, u64>,
}

/// The elements that may be records, the likeliest first: seen more than once, with at least two kinds of leaves, and as far out as
/// possible.
pub fn find(text: &str, aliases: &Aliases) -> Vec<Found> {
    let mut walk = Walk::default();
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    loop {
        // The text may end anywhere: what was seen until then counts.
        match reader.read_event() {
            Ok(Event::Start(start)) if walk.stack.len() < DEPTH => {
                if let Some(parent) = walk.stack.last_mut() {
                    parent.has_children = true;
                }
                let attributes = start.attributes().flatten().take(ATTRIBUTES);
                walk.stack.push(Open {
                    name: String::from(start.local_name().as_ref()),
                    has_children: false,
                    text: String::new(),
                    attributes: attributes
                        .map(|attribute| {
                            let name =
                                format!("@{}", String::from(attribute.key.local_name().as_ref()));
                            let text = attribute.value.chars().take(TOTAL_CHARS).collect();
                            (name, text)
                        })
                        .collect(),
                });
            }
            Ok(Event::Text(piece)) => {
                if let Some(Open { text, .. }) = walk.stack.last_mut() {
                    let room = TOTAL_CHARS.saturating_sub(text.chars().count());
                    text.extend(piece.chars().take(room));
                }
            }
            Ok(Event::End(_)) => {
                if walk.close() >= ENOUGH || walk.paths.len() > PATHS {
                    break;
                }
            }
            Ok(Event::Eof | Event::Start(_)) | Err(_) => break,
            Ok(_) => {}
        }
    }
    walk.found(aliases)
}

impl Walk {
    /// Closes the element at hand; gives how often its path was seen.
    fn close(&mut self) -> u64 {
        let Some(open) = self.stack.pop() else {
            return 0;
        };
        let parent: Vec<&str> = self.stack.iter().map(|open| open.name.as_str()).collect();
        let parent = parent.join("/");
        let own = if parent.is_empty() {
            open.name.clone()
        } else {
            format!("{parent}/{}", open.name)
        };
        let mut leaves = Vec::new();
        for (name, text) in open.attributes {
            if let Ok(number) = text.trim().parse() {
                self.numbers.insert(format!("{own}/{name}"), number);
            }
            leaves.push(name);
        }
        if !open.has_children && leaves.len() < 2 {
            if let Ok(number) = open.text.trim().parse() {
                self.numbers.insert(own, number);
            }
            let parent = self.paths.entry(parent).or_default();
            parent.leaves.insert(open.name);
            return 0;
        }
        let path = self.paths.entry(own).or_default();
        path.count += 1;
        path.leaves.extend(leaves);
        path.count
    }

    fn found(self, aliases: &Aliases) -> Vec<Found> {
        let total = |record: &str| {
            self.numbers
                .keys()
                .filter(|path| !path.starts_with(&format!("{record}/")))
                .find(|path| aliases.names_total(path.rsplit(['/', '@']).next().unwrap_or(path)))
                .cloned()
        };
        let mut paths: Vec<(&String, &Path)> = self
            .paths
            .iter()
            .filter(|(name, path)| !name.is_empty() && path.count > 0 && path.leaves.len() >= 2)
            .collect();
        paths.sort_by_key(|(name, path)| {
            let depth = name.matches('/').count();
            (
                path.count < 2,
                depth,
                u64::MAX - path.count,
                usize::MAX - path.leaves.len(),
            )
        });
        // A single record beside a head of figures: the one with more leaves.
        if paths.first().is_some_and(|(_, path)| path.count < 2) {
            paths.sort_by_key(|(_, path)| usize::MAX - path.leaves.len());
        }
        paths
            .into_iter()
            .take(CANDIDATES)
            .map(|(name, path)| Found {
                record: name.clone(),
                count: path.count,
                total: total(name),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_element_and_the_total_are_found() {
        let aliases = Aliases::shipped().expect("the table is sound");
        for (text, wanted) in [
            (
                "<DATA><HEAD><TOTAL>2</TOTAL><DAY>1</DAY></HEAD><ROWS><ROW><A>1</A><B/></ROW><ROW><A>2</A><C>1</C></ROW></ROWS></DATA>",
                Some(("DATA/ROWS/ROW", Some("DATA/HEAD/TOTAL"))),
            ),
            (
                "<?xml version=\"1.0\"?><名单><企业><码>1</码><名>甲</名><人员><人><a>1</a><b>2</b></人><人><a>1</a><b>2</b></人></人员></企业><企业><码>1</码><名>甲</名></企业></名单>",
                Some(("名单/企业", None)),
            ),
            (
                "<r><h><a>1</a></h><x><a>1</a><b>2</b><c>3</c></x></r>",
                Some(("r/x", None)),
            ),
            (
                "<r><row><a>1</a><b>2</b></row><row><a>1</a><b>2</b></row><row><a>",
                Some(("r/row", None)),
            ),
            (
                "<d total=\"2\"><r id=\"1\" name=\"a\"/><r id=\"2\" name=\"b\"/></d>",
                Some(("d/r", Some("d/@total"))),
            ),
            ("<r>text</r>", None),
            ("<<<", None),
            ("", None),
        ] {
            let found = find(text, &aliases);
            let found = found
                .first()
                .map(|found| (found.record.as_str(), found.total.as_deref()));
            assert_eq!(found, wanted, "{text}");
        }
    }
}
