//! The search for all faults of one document: read, take out what is wrong or stand in for what is missing, read again.

use serde::de::DeserializeOwned;
use toml::de::{DeValue, ValueDeserializer};

use super::{Found, Probe};
use crate::config::fault;
use crate::config::toml_tree::{self, Node, Step};
use crate::config::toml_words::{self, Meaning};

/// Most readings of one file; each takes out or guesses one entry.
const ROUNDS: usize = 500;

/// A stand-in for a missing key.
struct Guess {
    path: Vec<Step>,
    tried: usize,
    /// Words that the type itself named.
    words: Vec<String>,
}

/// The search for all faults of one document.
pub(super) struct Search<'i> {
    original: Node<'i>,
    tree: Node<'i>,
    removed: Vec<Vec<Step>>,
    guesses: Vec<Guess>,
    found: Vec<Found>,
}

impl<'i> Search<'i> {
    pub(super) fn new(root: Node<'i>) -> Self {
        Self {
            original: root.clone(),
            tree: root,
            removed: Vec::new(),
            guesses: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Reads again and again. The value is only there when the first reading succeeded.
    pub(super) fn run<T: DeserializeOwned>(mut self, probes: &[Probe]) -> (Option<T>, Vec<Found>) {
        for round in 0..ROUNDS {
            let reader = ValueDeserializer::from(self.tree.clone());
            match serde_path_to_error::deserialize::<_, T>(reader) {
                Ok(value) => return ((round == 0).then_some(value), self.found),
                Err(error) => {
                    if !self.step(&error, probes) {
                        break;
                    }
                }
            }
        }
        (None, self.found)
    }

    /// Takes note of one fault and makes the next reading possible.
    fn step(
        &mut self,
        error: &serde_path_to_error::Error<toml::de::Error>,
        probes: &[Probe],
    ) -> bool {
        let mut path = self.path_of(error.path());
        let message = error.inner().message();
        let meaning = toml_words::meaning(message);
        match &meaning {
            Meaning::Missing { name } => {
                path.push(Step::Key(name.clone()));
                return self.step_missing(&path, name);
            }
            Meaning::UnknownKey { name, .. } if path.last() != Some(&Step::Key(name.clone())) => {
                path.push(Step::Key(name.clone()));
            }
            // A table's only key chooses the form: `[transport.ftp]`.
            Meaning::UnknownWord { name, .. } => {
                let below = [path.as_slice(), &[Step::Key(name.clone())]].concat();
                if toml_tree::node(&self.tree, &below).is_some() {
                    path = below;
                }
            }
            _ => {}
        }
        if let Some(at) = self
            .guesses
            .iter()
            .rposition(|guess| path.starts_with(&guess.path))
        {
            if let Meaning::UnknownWord { known, .. } = meaning
                && path.len() == self.guesses[at].path.len()
            {
                self.guesses[at].words = known;
            }
            return self.guess_again(at);
        }
        let Some(node) = toml_tree::node(&self.tree, &path) else {
            return false;
        };
        if meaning == Meaning::NoForm && node.get_ref().is_table() {
            let within: Vec<Found> = probes
                .iter()
                .filter(|probe| probe.fits(&path))
                .flat_map(|probe| (probe.check)(node.clone()))
                .collect();
            if !within.is_empty() {
                for found in within {
                    let meant = found.meant.map(|below| [path.as_slice(), &below].concat());
                    let path = [path.as_slice(), &found.path].concat();
                    self.note(Found {
                        path,
                        meant,
                        ..found
                    });
                }
                return self.take_out(path);
            }
        }
        // A table that lacks what was taken out of it is no fault of its own.
        if self
            .removed
            .iter()
            .any(|gone| gone.len() > path.len() && gone.starts_with(&path))
        {
            return self.take_out(path);
        }
        let on_key = match &meaning {
            Meaning::UnknownKey { .. } => true,
            Meaning::UnknownWord { name, .. } => path.last() == Some(&Step::Key(name.clone())),
            _ => false,
        };
        let (code, text) = match &meaning {
            Meaning::UnknownKey { name, known } => {
                ("YB-1202", toml_words::unknown_key(name, known))
            }
            Meaning::UnknownWord { name, known } if on_key => {
                ("YB-1202", toml_words::unknown_key(name, known))
            }
            _ => (fault::VALUE, toml_words::value(message)),
        };
        let meant = match &meaning {
            Meaning::UnknownKey { name, known } => self.meant(&path, name, known),
            _ => None,
        };
        self.note(Found {
            path: path.clone(),
            span: error.inner().span(),
            on_key,
            missing: false,
            meant,
            code,
            text,
        });
        self.take_out(path)
    }

    /// The key beside an unknown one that was most likely meant, as it stands in the text.
    fn meant(&self, path: &[Step], name: &str, known: &[String]) -> Option<Vec<Step>> {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let (_, parent) = path.split_last()?;
        let word = fault::nearest(name, &known)?;
        let mut meant = self.as_written(parent);
        meant.push(Step::Key(word.to_owned()));
        Some(meant)
    }

    fn step_missing(&mut self, path: &[Step], name: &str) -> bool {
        let expected = self.removed.iter().any(|gone| gone == path)
            || self
                .guesses
                .iter()
                .any(|guess| path.starts_with(&guess.path));
        if !expected {
            self.note(Found {
                path: path.to_vec(),
                span: None,
                on_key: false,
                missing: true,
                meant: None,
                code: fault::MISSING,
                text: toml_words::missing(name),
            });
        }
        self.guesses.push(Guess {
            path: path.to_vec(),
            tried: 0,
            words: Vec::new(),
        });
        self.guess_again(self.guesses.len() - 1)
    }

    /// Puts the next guess in place; when all have been tried, the table around it is given up.
    fn guess_again(&mut self, at: usize) -> bool {
        self.guesses.truncate(at + 1);
        let Some(guess) = self.guesses.last_mut() else {
            return false;
        };
        let value = if let Some(word) = guess.words.pop() {
            DeValue::String(word.into())
        } else if let Some(value) = stand_in(guess.tried) {
            guess.tried += 1;
            value
        } else {
            let path = guess.path.clone();
            self.guesses.pop();
            return self.give_up(&path);
        };
        let path = guess.path.clone();
        toml_tree::insert(&mut self.tree, &path, value)
    }

    fn give_up(&mut self, path: &[Step]) -> bool {
        let parent = path.split_last().map_or(&[][..], |(_, rest)| rest);
        // A guessed table that asks for what can not be guessed: another guess in its place.
        if let Some(at) = self
            .guesses
            .iter()
            .rposition(|guess| parent.starts_with(&guess.path))
        {
            return self.guess_again(at);
        }
        !parent.is_empty() && self.take_out(parent.to_vec())
    }

    fn take_out(&mut self, path: Vec<Step>) -> bool {
        let gone = toml_tree::remove(&mut self.tree, &path);
        self.removed.push(path);
        gone
    }

    /// Items that were taken out shift those behind them; the fault names the place in the text.
    fn note(&mut self, found: Found) {
        let path = self.as_written(&found.path);
        self.found.push(Found { path, ..found });
    }

    fn as_written(&self, path: &[Step]) -> Vec<Step> {
        let mut written: Vec<Step> = Vec::new();
        for (depth, step) in path.iter().enumerate() {
            let here = toml_tree::node(&self.tree, &path[..=depth]).map(toml::Spanned::span);
            let list = toml_tree::node(&self.original, &written).map(toml::Spanned::get_ref);
            let shifted = match (step, here, list) {
                (Step::Item(_), Some(span), Some(DeValue::Array(items))) => {
                    items.iter().position(|item| item.span() == span)
                }
                _ => None,
            };
            written.push(shifted.map_or_else(|| step.clone(), Step::Item));
        }
        written
    }

    /// The steps of serde's path that the tree has; the variant of an enum is a step when it is written as a table.
    fn path_of(&self, written: &serde_path_to_error::Path) -> Vec<Step> {
        use serde_path_to_error::Segment;
        let mut path = Vec::new();
        for segment in written {
            let step = match segment {
                Segment::Seq { index } => Step::Item(*index),
                Segment::Map { key } | Segment::Enum { variant: key } => Step::Key(key.clone()),
                Segment::Unknown => break,
            };
            path.push(step);
            if toml_tree::node(&self.tree, &path).is_none() {
                path.pop();
                if !matches!(segment, Segment::Enum { .. }) {
                    break;
                }
            }
        }
        path
    }
}

/// The values that stand in for a missing key, in the order they are tried.
fn stand_in(turn: usize) -> Option<DeValue<'static>> {
    let written = *["\"\"", "1", "{}", "[]", "true", "2000-01-01", "\"/\""].get(turn)?;
    DeValue::parse(written).ok().map(toml::Spanned::into_inner)
}
