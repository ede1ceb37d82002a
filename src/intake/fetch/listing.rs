//! Which file is next: one rule for every folder, wherever it lies. Nothing here touches a disk or a network.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::adapter::endpoint::host::Names;
use crate::adapter::transport::Pickup;
use crate::intake::fetch::names;
use crate::intake::pattern;

/// Files that were taken and still lie there which one pull looks at again.
const AGAIN: usize = 8;

/// Endings of files that a program is still writing, by the habit of upload programs.
const UNFINISHED: [&str; 5] = [".tmp", ".part", ".filepart", ".writing", ".crdownload"];

/// Names shown in one word of caution.
const SHOWN: usize = 3;

/// What lies in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link: never followed.
    Link,
    /// A pipe, a device …
    Other,
}

/// One entry of a folder, its name as the machine writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Bytes of its name.
    pub raw: Vec<u8>,
    /// What it is.
    pub kind: Kind,
}

/// Where something lies: the raw names of the folders from the root, then its own.
pub type Place = Vec<Vec<u8>>;

/// Size and time of change, in whatever unit the machine tells them: only equality counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes; `None` when the machine does not say.
    pub size: Option<u64>,
    /// Time of change; `None` when the machine does not say.
    pub modified: Option<i64>,
}

impl Stamp {
    /// Whether two equal stamps mean anything.
    #[must_use]
    pub const fn says_something(&self) -> bool {
        self.size.is_some()
    }
}

/// A complete file that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its path below the root as text, folders separated by `/`: its name in the ledger.
    pub name: String,
    /// Where it lies.
    pub place: Place,
}

/// What a look through the folders found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Complete files that fit, ascending by name.
    pub files: Vec<Listed>,
    /// Files whose marker is there without them: name of the file, place of the marker.
    pub widows: Vec<Listed>,
    /// Words of caution, in Chinese, with code.
    pub cautions: Vec<String>,
}

/// A look through the folders, one after another.
pub struct Walk<'a> {
    pickup: Pickup<'a>,
    names: Names,
    entries: usize,
    folders: VecDeque<(String, Place)>,
    files: BTreeMap<String, Place>,
    companions: BTreeMap<String, Place>,
    links: BTreeSet<String>,
    others: BTreeSet<String>,
    unreadable: usize,
    twins: BTreeSet<String>,
    deep: BTreeSet<String>,
}

/// There are more entries than are allowed.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

impl<'a> Walk<'a> {
    /// A look that begins at the root; at most so many entries are looked at.
    #[must_use]
    pub fn new(pickup: Pickup<'a>, names: Names, entries: usize) -> Self {
        Self {
            pickup,
            names,
            entries,
            folders: VecDeque::from([(String::new(), Place::new())]),
            files: BTreeMap::new(),
            companions: BTreeMap::new(),
            links: BTreeSet::new(),
            others: BTreeSet::new(),
            unreadable: 0,
            twins: BTreeSet::new(),
            deep: BTreeSet::new(),
        }
    }

    /// The folder to read next, and how many entries it may have.
    pub fn next_folder(&mut self) -> Option<(String, Place, usize)> {
        let (name, place) = self.folders.pop_front()?;
        Some((name, place, self.entries))
    }

    /// Takes what the folder called `below` (empty for the root) holds.
    ///
    /// # Errors
    /// Too many entries.
    pub fn take(
        &mut self,
        below: &str,
        place: &Place,
        mut entries: Vec<Entry>,
    ) -> Result<(), TooMany> {
        self.entries = self.entries.checked_sub(entries.len()).ok_or(TooMany)?;
        // Two ways of writing one name: the same one is met first whatever order the machine lists them in.
        entries.sort_by(|a, b| a.raw.cmp(&b.raw));
        for entry in entries {
            let Some(own) = names::read(&entry.raw, self.names) else {
                self.unreadable += usize::from(entry.raw != b"." && entry.raw != b"..");
                continue;
            };
            let name = if below.is_empty() {
                own.clone()
            } else {
                format!("{below}/{own}")
            };
            let mut place = place.clone();
            place.push(entry.raw);
            self.sort_in(&own, name, place, entry.kind);
        }
        Ok(())
    }

    fn sort_in(&mut self, own: &str, name: String, place: Place, kind: Kind) {
        let depth = u8::try_from(place.len()).unwrap_or(u8::MAX);
        match kind {
            Kind::Folder => {
                if depth == 1 && self.pickup.done == Some(own) {
                    return;
                }
                if depth <= self.pickup.depth {
                    self.folders.push_back((name, place));
                } else if self.pickup.depth > 0 {
                    self.deep.insert(name);
                }
            }
            Kind::File => {
                if let Some(file) = self
                    .pickup
                    .marker
                    .and_then(|marker| name.strip_suffix(marker))
                {
                    self.companions.insert(file.to_owned(), place);
                } else if self.fits(own) {
                    match self.files.entry(name) {
                        Slot::Vacant(slot) => {
                            slot.insert(place);
                        }
                        Slot::Occupied(slot) => {
                            self.twins.insert(slot.key().clone());
                        }
                    }
                }
            }
            // A link that stands for a folder has another name than the files: it is told where folders are looked into.
            Kind::Link if self.fits(own) || self.pickup.depth >= depth => {
                self.links.insert(name);
            }
            Kind::Other if self.fits(own) => {
                self.others.insert(name);
            }
            Kind::Link | Kind::Other => {}
        }
    }

    /// Whether a file may be an export, by its name alone.
    fn fits(&self, own: &str) -> bool {
        let unfinished = self.pickup.marker.is_none()
            && UNFINISHED
                .iter()
                .any(|ending| own.ends_with(ending) && !self.pickup.pattern.ends_with(ending));
        pattern::fits(self.pickup.pattern, own) && !unfinished
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> Listing {
        let cautions = self.cautions();
        let mut widows = Vec::new();
        if self.pickup.marker.is_some() {
            let companions = std::mem::take(&mut self.companions);
            self.files.retain(|name, _| companions.contains_key(name));
            for (name, place) in companions {
                let own = name.rsplit('/').next().unwrap_or(&name);
                if !self.files.contains_key(&name) && self.fits(own) {
                    widows.push(Listed { name, place });
                }
            }
        }
        Listing {
            files: self
                .files
                .into_iter()
                .map(|(name, place)| Listed { name, place })
                .collect(),
            widows,
            cautions,
        }
    }

    fn cautions(&self) -> Vec<String> {
        let mut cautions = Vec::new();
        for (code, names, what) in [
            (
                "YB-2430",
                &self.links,
                "是符号链接，已跳过。处理：请对方放置文件本身",
            ),
            (
                "YB-2431",
                &self.others,
                "不是普通文件，已跳过。处理：请对方放置文件本身",
            ),
            (
                "YB-2432",
                &self.twins,
                "有同名文件（编码不同），只取一个。处理：请对方删去多余的",
            ),
            (
                "YB-2433",
                &self.deep,
                "目录过深，未查看。处理：按对方目录结构调高 depth",
            ),
        ] {
            if !names.is_empty() {
                cautions.push(format!("[{code}] {}{what}", some(names)));
            }
        }
        if self.unreadable > 0 {
            cautions.push(format!(
                "[YB-2434] 有{}个文件名不能识别，已跳过。处理：核对 [endpoints] 的 names（utf-8 或 gb18030）",
                self.unreadable
            ));
        }
        cautions
    }
}

/// The first names, and how many there are.
fn some(names: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    if names.len() > SHOWN {
        format!("{}等{}个", shown.join("、"), names.len())
    } else {
        shown.join("、")
    }
}

/// A look at one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A file whose name was not taken: it is next.
    New(usize),
    /// A file whose name was taken: it is next when its content is another (a correction under the old name).
    Again(usize),
}

/// In which order files are looked at; `taken` says of each, ascending by name, whether its name was taken.
///
/// Files stay: the smallest name above the greatest taken; else the greatest taken again, then the smallest left out.
/// Files are moved once taken: what was taken and still lies there first (a crash came between, or it is a correction),
/// the greatest name before the others; then the smallest name.
#[must_use]
pub fn order(taken: &[bool], moves: bool) -> Vec<Look> {
    let left_out = taken.iter().position(|taken| !taken).map(Look::New);
    if moves {
        let again = taken
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, taken)| **taken)
            .map(|(at, _)| Look::Again(at));
        return again.take(AGAIN).chain(left_out).collect();
    }
    let Some(greatest) = taken.iter().rposition(|taken| *taken) else {
        return left_out.into_iter().collect();
    };
    if greatest + 1 < taken.len() {
        return vec![Look::New(greatest + 1)];
    }
    std::iter::once(Look::Again(greatest))
        .chain(left_out)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pickup<'a>(
        pattern: &'a str,
        marker: Option<&'a str>,
        done: Option<&'a str>,
        depth: u8,
    ) -> Pickup<'a> {
        Pickup {
            pattern,
            marker,
            done,
            depth,
            settle_ms: 0,
        }
    }

    fn entries(text: &str) -> Vec<Entry> {
        text.split_whitespace()
            .map(|word| {
                let (kind, name) = match word.as_bytes()[0] {
                    b'/' => (Kind::Folder, &word[1..]),
                    b'@' => (Kind::Link, &word[1..]),
                    b'|' => (Kind::Other, &word[1..]),
                    _ => (Kind::File, word),
                };
                Entry {
                    raw: name.as_bytes().to_vec(),
                    kind,
                }
            })
            .collect()
    }

    fn names(files: &[Listed]) -> String {
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        names.join(" ")
    }

    #[test]
    fn complete_files_that_fit_are_listed_and_the_rest_is_told() {
        for (pickup, root, files, widows, codes) in [
            (
                pickup("a_*.csv", None, None, 0),
                "a_2.csv a_1.csv b_1.csv a_3.csv.part /a_4.csv",
                "a_1.csv a_2.csv",
                "",
                &[][..],
            ),
            (
                pickup("a_*", None, None, 0),
                "a_1.csv a_2.csv.filepart a_3.tmp",
                "a_1.csv",
                "",
                &[],
            ),
            (
                pickup("a_*.csv", Some(".ok"), None, 0),
                "a_1.csv a_1.csv.ok a_2.csv a_3.csv.ok b_9.csv.ok",
                "a_1.csv",
                "a_3.csv",
                &[],
            ),
            (
                pickup("a_*", Some(".ok"), None, 0),
                "a_1 a_1.ok",
                "a_1",
                "",
                &[],
            ),
            (
                pickup("a_*.csv", None, None, 0),
                "a_1.csv @a_2.csv |a_3.csv @other",
                "a_1.csv",
                "",
                &["YB-2430", "YB-2431"],
            ),
            (
                pickup("a_*.csv", None, Some("done"), 1),
                "a_1.csv /done @link",
                "a_1.csv",
                "",
                &["YB-2430"],
            ),
        ] {
            let mut walk = Walk::new(pickup, Names::Auto, 100);
            let (name, place, _) = walk.next_folder().unwrap();
            walk.take(&name, &place, entries(root)).unwrap();
            assert_eq!(walk.next_folder(), None, "{root}");
            let listing = walk.finish();
            assert_eq!(self::names(&listing.files), files, "{root}");
            assert_eq!(self::names(&listing.widows), widows, "{root}");
            let found: Vec<_> = listing.cautions.iter().map(|text| &text[1..8]).collect();
            assert_eq!(found, codes, "{root}");
        }
    }

    #[test]
    fn folders_are_looked_into_to_the_depth_allowed_and_no_further() {
        let mut walk = Walk::new(pickup("*.csv", None, Some("done"), 1), Names::Auto, 7);
        let (name, place, left) = walk.next_folder().unwrap();
        assert_eq!((name.as_str(), left), ("", 7));
        walk.take(&name, &place, entries("/20260318 /done z.csv"))
            .unwrap();
        let (name, place, left) = walk.next_folder().unwrap();
        assert_eq!((name.as_str(), left), ("20260318", 4));
        walk.take(&name, &place, entries("a.csv /done /deep"))
            .unwrap();
        assert_eq!(walk.next_folder(), None);
        assert_eq!(
            walk.take("more", &place, entries("1 2")),
            Err(TooMany),
            "one entry was left"
        );
        let listing = walk.finish();
        assert_eq!(self::names(&listing.files), "20260318/a.csv z.csv");
        assert_eq!(
            listing.files[0].place,
            [b"20260318".to_vec(), b"a.csv".to_vec()]
        );
        assert!(
            listing.cautions[0].contains("20260318/deep"),
            "{:?}",
            listing.cautions
        );
    }

    #[test]
    fn one_name_written_two_ways_counts_once() {
        let raw = |raw: &[u8]| Entry {
            raw: raw.to_vec(),
            kind: Kind::File,
        };
        let mut walk = Walk::new(pickup("*", None, None, 0), Names::Auto, 10);
        let (name, place, _) = walk.next_folder().unwrap();
        let twins = vec![raw("参".as_bytes()), raw(b"\xb2\xce"), raw(b"\xff")];
        walk.take(&name, &place, twins).unwrap();
        let listing = walk.finish();
        assert_eq!(self::names(&listing.files), "参");
        assert_eq!(listing.files[0].place, [b"\xb2\xce".to_vec()]);
        assert_eq!(listing.cautions.len(), 2, "{:?}", listing.cautions);
    }

    #[test]
    fn files_come_one_after_another() {
        use Look::{Again, New};
        let (o, x) = (false, true);
        for (taken, moves, wanted) in [
            (&[][..], false, &[][..]),
            (&[o, o], false, &[New(0)]),
            (&[x, o, o], false, &[New(1)]),
            (&[o, x, o], false, &[New(2)]),
            (&[x, x], false, &[Again(1)]),
            (&[o, x], false, &[Again(1), New(0)]),
            (&[o, o], true, &[New(0)]),
            (&[x, o, x, o], true, &[Again(2), Again(0), New(1)]),
            (&[x], true, &[Again(0)]),
        ] {
            assert_eq!(order(taken, moves), wanted, "{taken:?} {moves}");
        }
        let many = order(&[true; 100], true);
        assert_eq!((many.len(), many[0]), (AGAIN, Again(99)));
    }

    proptest::proptest! {
        /// However they lie there: every new file is reached, one pull at a time, and each is taken once.
        #[test]
        fn every_file_is_taken_once(mut taken in proptest::collection::vec(proptest::bool::ANY, 0..20), moves: bool) {
            let left = taken.iter().filter(|taken| !**taken).count();
            let mut found = 0;
            while let Some(Look::New(at)) = order(&taken, moves).into_iter().find(|look| matches!(look, Look::New(_))) {
                proptest::prop_assert!(!taken[at]);
                taken[at] = true;
                found += 1;
            }
            proptest::prop_assert_eq!(found, left);
        }
    }
}
