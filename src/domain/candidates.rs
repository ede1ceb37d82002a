//! To whom a loose end may belong: by checks, region and name, ranked, for a person to decide.
//!
//! A loose end is a record that no tier leads to an enterprise of the register. Few records are, so all enterprises are gone through
//! once for all of them: a name one slip away has, with one character left out, a text in common with it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::code::{self, Claim, Organisation};
use crate::domain::linking::{
    Anchors, Evidence, HEARD, Lead, Tier, claim_of, comparable_name, names_of, subject_of,
};
use crate::domain::pairing::{self, Candidate, Likeness, Likenesses, Subject};
use crate::domain::record::{Field, FieldSet, Record, RecordKind};
use crate::domain::register::Enterprise;

/// More than a handful of candidates helps nobody to decide. Those that protect are kept all the same: the rows may be any one's.
const MOST: usize = 5;
/// Shorter names have too many near ones.
const SHORTEST: usize = 5;
/// Days that may lie between the end of an individual business and the founding of the company it became (个体工商户登记管理办法 art. 18).
const SUCCESSION_DAYS: i32 = 180;

/// All that is looked at of a record that is linked and held against others here.
pub const LOOKED_AT: FieldSet =
    FieldSet::of(&HEARD).with(FieldSet::of(&[Field::RegisteredHeads, Field::Address]));

/// All that is looked at of the registration of an enterprise that is met.
pub const MET: FieldSet = LOOKED_AT.with(FieldSet::of(&[
    Field::Status,
    Field::Founded,
    Field::Approved,
]));

/// What is known of one loose end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct LooseEnd {
    name: String,
    names: BTreeSet<String>,
    codes: BTreeSet<String>,
    evidence: Evidence,
    /// Enterprises that its name or its contradicting code leads to.
    #[serde(with = "pairs")]
    open: BTreeMap<Organisation, Likeness>,
    protects: bool,
}

impl LooseEnd {
    /// Of several names the first by their letters is shown: the order of records says nothing.
    fn is_called(&mut self, name: &str) {
        if self.name.is_empty() || (!name.is_empty() && name < self.name.as_str()) {
            name.clone_into(&mut self.name);
        }
    }

    /// Organisations that its codes would name with one character mended.
    fn slipped(&self) -> BTreeSet<Organisation> {
        self.codes
            .iter()
            .flat_map(|code| code::examine(code).suggestions)
            .filter_map(|mended| match code::claim(&mended) {
                Claim::Sound(organisation) => Some(organisation),
                _ => None,
            })
            .collect()
    }

    /// What its codes begin with, when a spreadsheet has cut them.
    fn cuts(&self) -> impl Iterator<Item = String> {
        let codes = self.codes.iter();
        codes.filter_map(|code| code::kept_by_spreadsheet(code))
    }

    fn may_be(&mut self, organisation: Organisation, why: Likeness) {
        self.open
            .entry(organisation)
            .and_modify(|known| *known = why.min(*known))
            .or_insert(why);
    }
}

/// The records that lead nowhere, by what a person decides about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LooseEnds(#[serde(with = "pairs")] BTreeMap<Subject, LooseEnd>);

/// Maps as lists of pairs: their keys are no texts.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub fn deserialize<'d, K: Deserialize<'d> + Ord, V: Deserialize<'d>, D: Deserializer<'d>>(
        from: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Vec::<(K, V)>::deserialize(from).map(BTreeMap::from_iter)
    }
}

impl LooseEnds {
    /// Where a record of a source other than the registrar's stands in the end. What leads nowhere stands under its own code, when it
    /// has one that is nobody else's; what is not led to the registrar's own enterprises by a sound code is a loose end.
    pub fn settle(
        &mut self,
        anchors: &Anchors<'_>,
        record: &Record,
        lead: Lead,
    ) -> Option<(Organisation, Tier, &'static str)> {
        let open = match lead {
            Lead::To(organisation, tier, reason) => return Some((organisation, tier, reason)),
            Lead::Open(open) => open,
            Lead::Nowhere => Vec::new(),
        };
        let claim = claim_of(record);
        let own = claim
            .organisation()
            .map(|own| anchors.canonical(own))
            .filter(|own| !anchors.holds(*own));
        // A firm of another registrar, and nobody here is called so.
        let is_foreign = matches!(claim, Claim::Sound(_)) && open.is_empty();
        if !is_foreign {
            self.note(anchors, record, claim, &open);
        }
        own.map(|own| {
            (
                own,
                Tier::Code,
                "识别号所含组织机构代码相同，登记机关无此户",
            )
        })
    }

    /// Notes a record that no tier led to the register; `open`: where its name leads, and nothing tells which.
    fn note(
        &mut self,
        anchors: &Anchors<'_>,
        record: &Record,
        claim: Claim,
        open: &[Organisation],
    ) {
        let Some(subject) = subject_of(record, claim) else {
            return;
        };
        let end = self.0.entry(subject).or_default();
        if let Some(name) = record.text(Field::Name) {
            end.is_called(name);
            end.names.insert(comparable_name(name));
        }
        if let (Claim::Doubtful(_) | Claim::Opaque, Some(code)) =
            (claim, record.text(Field::CreditCode))
        {
            end.codes.insert(code::normal(code));
        }
        end.evidence.add(Evidence::of(record, anchors.units()));
        let own = claim.organisation().map(|own| anchors.canonical(own));
        for organisation in open {
            let why = if own == Some(*organisation) {
                Likeness::ContradictingName
            } else {
                Likeness::SameName
            };
            end.may_be(*organisation, why);
        }
        // A unit without heads covers nobody.
        end.protects |= record.kind == RecordKind::InsuredRoll
            && record
                .count(Field::RegisteredHeads)
                .is_none_or(|heads| heads > 0);
    }

    /// Adds those that another has noted.
    pub fn add(&mut self, other: Self) {
        for (subject, more) in other.0 {
            let end = self.0.entry(subject).or_default();
            end.is_called(&more.name);
            end.names.extend(more.names);
            end.codes.extend(more.codes);
            end.evidence.add(more.evidence);
            for (organisation, why) in more.open {
                end.may_be(organisation, why);
            }
            end.protects |= more.protects;
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Laid out to hold enterprises against.
    #[must_use]
    pub fn laid_out(&self) -> LaidOut<'_> {
        let mut laid_out = LaidOut {
            loose: self,
            open: HashMap::new(),
            slipped: HashMap::new(),
            names: Vec::new(),
            near: HashMap::new(),
            cuts: HashMap::new(),
        };
        for (subject, end) in &self.0 {
            for (organisation, why) in &end.open {
                let own = laid_out.open.entry(*organisation).or_default();
                own.push((subject, *why));
            }
            for organisation in end.slipped() {
                let own = laid_out.slipped.entry(organisation).or_default();
                own.push(subject);
            }
            for name in &end.names {
                let at = laid_out.names.len();
                let bare = bare(name);
                for hash in without_one(&bare) {
                    laid_out.near.entry(hash).or_default().push(at);
                }
                laid_out.names.push(Named {
                    subject,
                    name,
                    bare,
                });
            }
            for cut in end.cuts() {
                laid_out.cuts.entry(cut).or_default().push(subject);
            }
        }
        laid_out
    }

    /// What of these a registration must have in common with one of them, to be worth holding against them.
    #[must_use]
    pub fn traces(&self, ended: &[Ended]) -> Traces {
        let ends = || self.0.values();
        let names = ends().flat_map(|end| &end.names);
        Traces {
            near: names.flat_map(|name| without_one(&bare(name))).collect(),
            cuts: ends().flat_map(LooseEnd::cuts).collect(),
            codes: ends()
                .flat_map(|end| end.slipped().into_iter().chain(end.open.keys().copied()))
                .collect(),
            owners: ended.iter().map(|ended| ended.owner).collect(),
        }
    }

    /// Without what is known of these, of which the records are settled anew.
    pub fn forget(&mut self, subjects: &BTreeSet<Subject>) {
        self.0.retain(|subject, _| !subjects.contains(subject));
    }
}

/// Loose ends, by what an enterprise is found by that they may belong to.
#[derive(Debug)]
pub struct LaidOut<'s> {
    loose: &'s LooseEnds,
    /// By whom a name or a contradicting code leads to.
    open: HashMap<Organisation, Vec<(&'s Subject, Likeness)>>,
    /// By what a code becomes with one character mended.
    slipped: HashMap<Organisation, Vec<&'s Subject>>,
    /// Every name of theirs.
    names: Vec<Named<'s>>,
    /// By the hashes of what names become with one character left out.
    near: HashMap<u64, Vec<usize>>,
    /// By what spreadsheets left of codes.
    cuts: HashMap<String, Vec<&'s Subject>>,
}

/// A name of a loose end.
#[derive(Debug)]
struct Named<'s> {
    subject: &'s Subject,
    name: &'s str,
    /// Without brackets.
    bare: String,
}

/// What a registration has in common with some loose end, when it may have anything to do with it.
#[derive(Debug)]
pub struct Traces {
    near: HashSet<u64>,
    cuts: HashSet<String>,
    codes: HashSet<Organisation>,
    owners: HashSet<u64>,
}

impl Traces {
    /// Whether a registration has.
    #[must_use]
    pub fn lead_to(&self, registration: &Record) -> bool {
        let code = registration.text(Field::CreditCode).unwrap_or_default();
        if !self.near.is_empty() {
            let mut names = names_of(registration);
            let is_near = |name: &str| {
                let hashes = without_one(&bare(&comparable_name(name)));
                hashes.iter().any(|hash| self.near.contains(hash))
            };
            if names.any(is_near) {
                return true;
            }
        }
        let is_cut = |beginning: &str| self.cuts.contains(beginning);
        (!self.cuts.is_empty() && beginnings(code).any(is_cut))
            || (!self.codes.is_empty()
                && code::organisation_bytes_of(code).is_some_and(|own| self.codes.contains(&own)))
            || (!self.owners.is_empty()
                && owners(registration)
                    .iter()
                    .any(|owner| self.owners.contains(owner)))
    }
}

/// What a spreadsheet may have left of a code.
fn beginnings(code: &str) -> impl Iterator<Item = &str> {
    code::KEPT_BY_SPREADSHEET.filter_map(|length| code.get(..length))
}

/// An individual business on the roll that has ended, by one of those who ran it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ended {
    owner: u64,
    /// Which.
    pub organisation: Organisation,
    name: String,
    on: Date,
}

/// A search under way: what was found, and what enterprises are still held against.
#[derive(Debug)]
pub struct Search<'s> {
    loose: &'s LaidOut<'s>,
    anchors: &'s Anchors<'s>,
    /// The codes that stand under another one, by that one.
    joined: HashMap<Organisation, Vec<Organisation>>,
    searched: Searched,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Searched {
    /// The loose ends, each beside the enterprises that were met.
    #[serde(with = "concise")]
    laid: BTreeMap<Subject, Vec<Laid>>,
    /// Individual businesses met that have ended with rows on the roll.
    pub ended: Vec<Ended>,
    /// Companies met: by owner.
    #[serde(skip)]
    founded: Vec<(u64, Organisation, Date)>,
}

/// A loose end as it is called, beside enterprises: of a common name there are hundreds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Laid {
    name: String,
    protects: bool,
    beside: Vec<Beside>,
}

/// An enterprise that a loose end is laid beside, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Beside {
    organisation: Organisation,
    likeness: Likenesses,
}

impl Beside {
    /// The likeliest first.
    fn rank(&self) -> (Reverse<u32>, Organisation) {
        (Reverse(self.likeness.score()), self.organisation)
    }
}

/// All enterprises of one as one text.
mod concise {
    use std::collections::BTreeMap;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Beside, Laid};
    use crate::domain::pairing::{Likenesses, Subject, text};

    /// Subject, name, whether it protects; enterprises, each by nine characters of its code and two hexadecimal digits.
    type Group = (Subject, String, bool, String);
    const CHARS: usize = 9 + 2;

    pub fn serialize<S: Serializer>(
        laid: &BTreeMap<Subject, Vec<Laid>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let groups = laid
            .iter()
            .flat_map(|(subject, all)| all.iter().map(move |one| (subject, one)));
        to.collect_seq(groups.map(|(subject, one)| {
            let beside = one.beside.iter();
            let beside = beside.map(|beside| {
                let bits = beside.likeness.bits();
                format!("{}{bits:02x}", text(beside.organisation))
            });
            let group: Group = (
                subject.clone(),
                one.name.clone(),
                one.protects,
                beside.collect(),
            );
            group
        }))
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(
        from: D,
    ) -> Result<BTreeMap<Subject, Vec<Laid>>, D::Error> {
        let mut laid: BTreeMap<Subject, Vec<Laid>> = BTreeMap::new();
        for (subject, name, protects, text) in Vec::<Group>::deserialize(from)? {
            let beside = read(&text).ok_or_else(|| D::Error::custom("not what was written"))?;
            laid.entry(subject).or_default().push(Laid {
                name,
                protects,
                beside,
            });
        }
        Ok(laid)
    }

    fn read(text: &str) -> Option<Vec<Beside>> {
        let all = text.as_bytes().chunks(CHARS);
        all.map(|one| {
            let (organisation, bits) = one.split_first_chunk()?;
            let digit = |at: usize| char::from(*bits.get(at)?).to_digit(16);
            let bits = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
            Some(Beside {
                organisation: *organisation,
                likeness: Likenesses::of_bits(bits),
            })
        })
        .collect()
    }
}

impl<'s> Search<'s> {
    /// Begins a search; every enterprise of the registrar that may have to do with the loose ends is then to be met once.
    #[must_use]
    pub fn begin(loose: &'s LaidOut<'s>, anchors: &'s Anchors<'s>) -> Self {
        let mut joined: HashMap<Organisation, Vec<Organisation>> = HashMap::new();
        for (organisation, canonical) in anchors.joined() {
            joined.entry(canonical).or_default().push(organisation);
        }
        Self {
            loose,
            anchors,
            joined,
            searched: Searched::default(),
        }
    }

    /// Holds an enterprise of the registrar against the loose ends; `insured`: rows of the roll with heads are its own.
    pub fn meet(&mut self, enterprise: &Enterprise, registration: &Record, insured: bool) {
        let Some(organisation) = pairing::organisation(&enterprise.id) else {
            return;
        };
        self.remember(enterprise, organisation, registration, insured);
        let mut found: BTreeMap<&Subject, Likenesses> = BTreeMap::new();
        for (subject, why) in self.loose.open.get(&organisation).into_iter().flatten() {
            found.entry(subject).or_default().insert(*why);
        }
        let joined = self.joined.get(&organisation).into_iter().flatten();
        for own in joined.chain([&organisation]) {
            for subject in self.loose.slipped.get(own).into_iter().flatten() {
                found.entry(subject).or_default().insert(Likeness::CodeSlip);
            }
        }
        if !self.loose.cuts.is_empty() {
            let cuts = beginnings(&enterprise.credit_code);
            for subject in cuts.filter_map(|cut| self.loose.cuts.get(cut)).flatten() {
                found.entry(subject).or_default().insert(Likeness::CutCode);
            }
        }
        for subject in self.near(organisation, registration, &found) {
            found.entry(subject).or_default().insert(Likeness::NearName);
        }
        for (subject, likeness) in found {
            self.lay_beside(subject, organisation, likeness);
        }
    }

    /// The loose ends of which a name is one slip away from one of the registration's.
    fn near(
        &self,
        organisation: Organisation,
        registration: &Record,
        found: &BTreeMap<&Subject, Likenesses>,
    ) -> BTreeSet<&'s Subject> {
        let mut near = BTreeSet::new();
        if self.loose.near.is_empty() {
            return near;
        }
        for name in names_of(registration) {
            let own = comparable_name(name);
            let bare_own = bare(&own);
            // One slip leaves most of what a name becomes with one character left out, so the same names are met many times.
            let hashes = without_one(&bare_own);
            let met = hashes.iter().filter_map(|hash| self.loose.near.get(hash));
            let met: BTreeSet<usize> = met.flatten().copied().collect();
            for named in met.into_iter().map(|at| &self.loose.names[at]) {
                let is_near = own != named.name
                    && is_one_slip(&bare_own, &named.bare)
                    && (found.contains_key(named.subject)
                        || self.may_be(named.subject, organisation));
                if is_near {
                    near.insert(named.subject);
                }
            }
        }
        near
    }

    /// Names alone are near by chance too often: the place must not be another, or the person is the same, or the code is near as well.
    fn may_be(&self, subject: &Subject, organisation: Organisation) -> bool {
        let (Some(end), Some(theirs)) = (
            self.loose.loose.0.get(subject),
            self.anchors.evidence(organisation),
        ) else {
            return false;
        };
        theirs.shares_people(&end.evidence) || !theirs.contradicts(&end.evidence)
    }

    fn lay_beside(
        &mut self,
        subject: &Subject,
        organisation: Organisation,
        mut likeness: Likenesses,
    ) {
        if self.anchors.is_apart(subject, organisation) {
            return;
        }
        let Some(end) = self.loose.loose.0.get(subject) else {
            return;
        };
        if let Some(theirs) = self.anchors.evidence(organisation) {
            if theirs.shares_county(&end.evidence) {
                likeness.insert(Likeness::SameCounty);
            }
            if theirs.shares_people(&end.evidence) {
                likeness.insert(Likeness::SamePeople);
            }
        }
        let beside = Beside {
            organisation,
            likeness,
        };
        self.searched
            .lay(subject, &end.name, end.protects, [beside]);
    }

    /// Keeps what tells whether a company continues an individual business.
    fn remember(
        &mut self,
        enterprise: &Enterprise,
        organisation: Organisation,
        registration: &Record,
        insured: bool,
    ) {
        if enterprise.credit_code.starts_with("92") {
            let has_ended = registration.text(Field::Status) != Some("active");
            if let (true, Some(on)) = (insured && has_ended, registration.date(Field::Approved)) {
                for owner in owners(registration) {
                    self.searched.ended.push(Ended {
                        owner,
                        organisation,
                        name: enterprise.name.clone(),
                        on,
                    });
                }
            }
        } else if enterprise.credit_code.starts_with("91")
            && let Some(founded) = registration.date(Field::Founded)
        {
            for owner in owners(registration) {
                self.searched.founded.push((owner, organisation, founded));
            }
        }
    }

    /// What was found.
    #[must_use]
    pub fn done(self) -> Searched {
        self.searched
    }
}

impl Searched {
    /// Adds what another search found, of other enterprises.
    pub fn add(&mut self, other: Self) {
        for (subject, all) in other.laid {
            for one in all {
                self.lay(&subject, &one.name, one.protects, one.beside);
            }
        }
        self.ended.extend(other.ended);
        self.founded.extend(other.founded);
    }

    fn lay(
        &mut self,
        subject: &Subject,
        name: &str,
        protects: bool,
        beside: impl IntoIterator<Item = Beside>,
    ) {
        if !self.laid.contains_key(subject) {
            self.laid.insert(subject.clone(), Vec::new());
        }
        let Some(all) = self.laid.get_mut(subject) else {
            return;
        };
        let known = all
            .iter_mut()
            .find(|one| one.name == name && one.protects == protects);
        match known {
            Some(one) => one.beside.extend(beside),
            None => all.push(Laid {
                name: name.to_owned(),
                protects,
                beside: beside.into_iter().collect(),
            }),
        }
    }

    /// Of an earlier search what stands whatever was met anew: neither of these enterprises nor of these subjects.
    #[must_use]
    pub fn without(mut self, met: &HashSet<Organisation>, touched: &BTreeSet<Subject>) -> Self {
        self.laid.retain(|subject, all| {
            // An individual business is known by its code, as is a firm of another registrar whose records are settled.
            let has_ended = match subject {
                Subject::Enterprise(own) => {
                    pairing::organisation(own).is_some_and(|own| met.contains(&own))
                }
                Subject::Code(_) | Subject::Unit(_) => false,
            };
            for one in &mut *all {
                one.beside.retain(|beside| {
                    let is_of_met = has_ended && beside.likeness.contains(Likeness::Successor);
                    !is_of_met && !met.contains(&beside.organisation)
                });
            }
            all.retain(|one| !one.beside.is_empty());
            !all.is_empty() && !touched.contains(subject)
        });
        self.ended
            .retain(|ended| !met.contains(&ended.organisation));
        self
    }

    /// Lays companies that were met beside the individual businesses that they may have been.
    pub fn succeed(&mut self, is_apart: &dyn Fn(&Subject, Organisation) -> bool) {
        for (subject, name, beside) in self.successors(is_apart) {
            self.lay(&subject, &name, true, [beside]);
        }
        self.founded = Vec::new();
        for all in self.laid.values_mut() {
            all.sort_by(|a, b| (&a.name, a.protects).cmp(&(&b.name, b.protects)));
            for one in all {
                // What was found before is in order but for the few that were added.
                one.beside.sort_by_key(Beside::rank);
                one.beside.dedup();
            }
        }
        self.ended.sort();
    }

    /// Individual businesses on the roll that are no longer active, and companies founded when they ended, by the same person or at the
    /// same telephone and address: the roll may still carry the company's staff under the old code.
    fn successors(
        &self,
        is_apart: &dyn Fn(&Subject, Organisation) -> bool,
    ) -> Vec<(Subject, String, Beside)> {
        let mut by_owner: HashMap<u64, Vec<&Ended>> = HashMap::new();
        for ended in &self.ended {
            by_owner.entry(ended.owner).or_default().push(ended);
        }
        let mut found = Vec::new();
        for (owner, organisation, founded) in &self.founded {
            for old in by_owner.get(owner).into_iter().flatten() {
                let is_then = old
                    .on
                    .until(*founded)
                    .is_ok_and(|span| span.get_days().abs() <= SUCCESSION_DAYS);
                let subject = Subject::enterprise(old.organisation);
                if is_then && !is_apart(&subject, *organisation) {
                    let likeness = [Likeness::Successor, Likeness::SamePeople];
                    let beside = Beside {
                        organisation: *organisation,
                        likeness: likeness.into_iter().collect(),
                    };
                    found.push((subject, old.name.clone(), beside));
                }
            }
        }
        found
    }

    /// What a person is shown and what protects, sorted: by subject, the likeliest first.
    #[must_use]
    pub fn listed(&self) -> Vec<Candidate> {
        let mut listed = Vec::new();
        for (subject, all) in &self.laid {
            let protects = all.iter().any(|one| one.protects);
            let mut beside: Vec<(&Laid, &Beside)> = all
                .iter()
                .flat_map(|one| one.beside.iter().map(move |beside| (one, beside)))
                .collect();
            if all.len() > 1 {
                beside.sort_by_key(|(_, beside)| beside.rank());
            }
            let most = if protects { beside.len() } else { MOST };
            let mut seen = HashSet::new();
            let told = beside
                .into_iter()
                .filter(|(_, beside)| seen.insert(beside.organisation));
            listed.extend(told.take(most).map(|(one, beside)| Candidate {
                subject: subject.clone(),
                name: one.name.clone(),
                protects: one.protects,
                enterprise: format!("E{}", pairing::text(beside.organisation)),
                likeness: beside.likeness,
            }));
        }
        listed
    }
}

/// A comparable name without brackets: whether 集团 stands in them or not, it is the same name.
fn bare(name: &str) -> String {
    name.replace(['(', ')'], "")
}

/// Whether two names are the same, or one becomes the other with one character lost, doubled or misread, or two exchanged: told
/// without the table of a general distance.
fn is_one_slip(one: &str, other: &str) -> bool {
    let same = |(a, b): &(char, char)| a == b;
    let at_start: usize = one
        .chars()
        .zip(other.chars())
        .take_while(same)
        .map(|(c, _)| c.len_utf8())
        .sum();
    let (one, other) = (&one[at_start..], &other[at_start..]);
    let at_end: usize = one
        .chars()
        .rev()
        .zip(other.chars().rev())
        .take_while(same)
        .map(|(c, _)| c.len_utf8())
        .sum();
    let mut one = one[..one.len() - at_end].chars();
    let mut other = other[..other.len() - at_end].chars();
    match (
        (one.next(), one.next(), one.next()),
        (other.next(), other.next(), other.next()),
    ) {
        ((_, None, _), (_, None, _)) => true,
        ((Some(a), Some(b), None), (Some(c), Some(d), None)) => a == d && b == c,
        _ => false,
    }
}

/// The hashes of a name and of every text it becomes when one character is left out. Two names of which one is a slip of the other
/// have one of them in common.
fn without_one(name: &str) -> Vec<u64> {
    // An odd multiplier: no character is lost in it.
    const BASE: u64 = 0x9E37_79B9_7F4A_7C15;
    let chars: Vec<u64> = name.chars().map(|c| u64::from(u32::from(c)) + 1).collect();
    if chars.len() < SHORTEST {
        return Vec::new();
    }
    // Of the first so many characters each; a text is the sum of its characters times the power of their distance from its end.
    let mut first = Vec::with_capacity(chars.len() + 1);
    let mut hash = 0_u64;
    first.push(hash);
    for c in &chars {
        hash = hash.wrapping_mul(BASE).wrapping_add(*c);
        first.push(hash);
    }
    let mut all = Vec::with_capacity(chars.len() + 1);
    all.push(hash);
    let mut power = 1_u64;
    for left_out in (0..chars.len()).rev() {
        let rest = hash.wrapping_sub(first[left_out + 1].wrapping_mul(power));
        all.push(first[left_out].wrapping_mul(power).wrapping_add(rest));
        power = power.wrapping_mul(BASE);
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Who runs an enterprise: its representative, and its telephones each with the address (an agent's telephone is many firms').
fn owners(record: &Record) -> Vec<u64> {
    let mut owners = Vec::new();
    if let Some(representative) = record.text(Field::Representative) {
        owners.push(xxh3_64(format!("r{representative}").as_bytes()));
    }
    if let (Some(phone), Some(address)) = (record.text(Field::Phone), record.text(Field::Address)) {
        let text = format!("p{phone}\0{}", comparable_name(address));
        owners.push(xxh3_64(text.as_bytes()));
    }
    owners
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::record::Value;
    use crate::domain::register::{Placed, Register};

    const FIRM: &str = "91411303MA49U85BX9";
    const OTHER: &str = "91411381MA4RHCMP9A";
    const DIGITS: &str = "911522010783762860";
    const OLD: &str = "92411381MA4FQYQ67Y";

    proptest::proptest! {
        #[test]
        fn one_slip_is_a_distance_of_one(one in "[南阳(商a]{0,7}", other in "[南阳(商a]{0,7}") {
            let is_one = strsim::osa_distance(&one, &other) <= 1;
            proptest::prop_assert_eq!(is_one_slip(&one, &other), is_one);
        }

        #[test]
        fn a_slip_is_one(name in "[南阳(商a]{5,9}", at in 0_usize..9, how in 0..4) {
            let mut chars: Vec<char> = name.chars().collect();
            let at = at % (chars.len() - 1);
            match how {
                0 => { chars.remove(at); }
                1 => chars.insert(at, chars[at]),
                2 => chars[at] = '宛',
                _ => chars.swap(at, at + 1),
            }
            let slipped: String = chars.into_iter().collect();
            proptest::prop_assert!(is_one_slip(&name, &slipped));
            proptest::prop_assert!(strsim::osa_distance(&name, &slipped) <= 1);
        }
    }

    fn placed(kind: RecordKind, fields: &[(Field, &str)]) -> Placed {
        let mut record = Record::new(kind);
        for (field, text) in fields {
            let value = match field {
                Field::Founded | Field::Approved => Value::Date(text.parse().unwrap()),
                Field::RegisteredHeads => Value::Count(text.parse().unwrap()),
                Field::Month => Value::Month(crate::domain::record::Month::of(date(2026, 3, 1))),
                _ => Value::Text((*text).to_owned()),
            };
            record.fields.insert(*field, value);
        }
        Placed {
            adapter: "a".into(),
            batch: "b".into(),
            file: "f".into(),
            row: 1,
            as_of: None,
            precedence: 0,
            missed: 0,
            record,
        }
    }

    fn registered(code: &str, name: &str) -> Placed {
        placed(
            RecordKind::Registration,
            &[(Field::CreditCode, code), (Field::Name, name)],
        )
    }

    fn rolled(code: &str, name: &str, heads: &str) -> Placed {
        placed(
            RecordKind::InsuredRoll,
            &[
                (Field::UnitNumber, "7"),
                (Field::CreditCode, code),
                (Field::Name, name),
                (Field::Insurance, "pension"),
                (Field::Month, ""),
                (Field::RegisteredHeads, heads),
            ],
        )
    }

    fn found(rows: Vec<Placed>) -> Vec<(String, String, Vec<Likeness>)> {
        Register::build(rows)
            .candidates
            .into_iter()
            .map(|candidate| {
                (
                    candidate.subject.to_string(),
                    candidate.enterprise,
                    candidate.likeness.iter().collect(),
                )
            })
            .collect()
    }

    fn one(likeness: &[Likeness], code: &str) -> Vec<(String, String, Vec<Likeness>)> {
        vec![("unit:7".to_owned(), format!("E{code}"), likeness.to_vec())]
    }

    #[test]
    fn a_loose_end_is_laid_beside_whom_a_slip_makes_of_it() {
        use Likeness::{CodeSlip, CutCode, NearName, SameName};
        let rows = |row: Placed| {
            vec![
                registered(FIRM, "南阳宛东商贸有限公司"),
                registered(OTHER, "南阳城西物流有限公司"),
                registered(DIGITS, "南阳数字建材有限公司"),
                row,
            ]
        };
        let wrong_letter = "91411303MA49U86BX9";
        for (code, name, wanted) in [
            // One character of the name, whichever slip it was.
            ("", "南阳宛乐商贸有限公司", one(&[NearName], "MA49U85BX")),
            ("", "南阳宛商贸有限公司", one(&[NearName], "MA49U85BX")),
            ("", "南阳宛宛东商贸有限公司", one(&[NearName], "MA49U85BX")),
            ("", "南阳东宛商贸有限公司", one(&[NearName], "MA49U85BX")),
            // The code, and both.
            (wrong_letter, "别名", one(&[CodeSlip], "MA49U85BX")),
            (
                wrong_letter,
                "南阳宛乐商贸有限公司",
                one(&[NearName, CodeSlip], "MA49U85BX"),
            ),
            ("911522010783762000", "别名", one(&[CutCode], "078376286")),
            // Another sound code and the same name: a code may have been replaced.
            (
                "914113022328776885",
                "南阳宛东商贸有限公司",
                one(&[SameName], "MA49U85BX"),
            ),
            // Nothing alike.
            ("", "唐河无此户服务中心", Vec::new()),
            ("914113022328776885", "唐河无此户服务中心", Vec::new()),
        ] {
            assert_eq!(
                found(rows(rolled(code, name, "5"))),
                wanted,
                "{code} {name}"
            );
        }
    }

    #[test]
    fn only_rows_with_heads_protect_and_only_from_what_is_open() {
        for (heads, protects) in [("5", true), ("0", false)] {
            let register = Register::build(vec![
                registered(FIRM, "南阳宛东商贸有限公司"),
                rolled("", "南阳宛乐商贸有限公司", heads),
            ]);
            assert_eq!(register.candidates.len(), 1);
            assert_eq!(!register.enterprises[0].undecided.is_empty(), protects);
        }
        let led = Register::build(vec![
            registered(FIRM, "南阳宛东商贸有限公司"),
            rolled(FIRM, "南阳宛乐商贸有限公司", "5"),
        ]);
        assert!(led.candidates.is_empty());
    }

    #[test]
    fn rows_with_heads_protect_every_bearer_of_their_name_however_many_there_are() {
        let twelve = |heads: &str| {
            let code = |at: u8| {
                let body = format!("MA4TE0{at:02}");
                let check = code::organisation_check(&body).unwrap();
                let first = format!("92411303{body}{check}");
                format!("{first}{}", code::credit_code_check(&first).unwrap())
            };
            let mut rows: Vec<Placed> = (0..12)
                .map(|at| registered(&code(at), "鸿运小吃店"))
                .collect();
            rows.push(rolled("", "鸿运小吃店", heads));
            Register::build(rows)
        };
        let register = twelve("5");
        assert_eq!(register.enterprises.len(), 12);
        for enterprise in &register.enterprises {
            assert_eq!(enterprise.undecided.len(), 1, "{}", enterprise.id);
        }
        // Where nobody is insured nothing hangs on it, and a handful is shown.
        assert_eq!(twelve("0").candidates.len(), MOST);
    }

    #[test]
    fn a_company_is_laid_beside_the_individual_business_that_it_was() {
        let owner = [
            (Field::Phone, "13800000001"),
            (Field::Address, "南阳市宛城区示例路1号"),
        ];
        let old = |status: &str| {
            let own = [
                (Field::CreditCode, OLD),
                (Field::Name, "宛城区示例餐馆"),
                (Field::Status, status),
                (Field::Approved, "2026-01-20"),
            ];
            placed(RecordKind::Registration, &[&own[..], &owner].concat())
        };
        let new = |founded: &str, owner: &[(Field, &str)]| {
            let own = [
                (Field::CreditCode, FIRM),
                (Field::Name, "南阳示例餐饮有限公司"),
                (Field::Status, "active"),
                (Field::Founded, founded),
            ];
            placed(RecordKind::Registration, &[&own[..], owner].concat())
        };
        let pairs = |old: Placed, new: Placed, heads: &str| {
            found(vec![old, new, rolled(OLD, "宛城区示例餐馆", heads)]).len()
        };
        assert_eq!(pairs(old("cancelled"), new("2026-01-25", &owner), "5"), 1);
        // Still there, long ago, somebody else, or nobody insured under it.
        assert_eq!(pairs(old("active"), new("2026-01-25", &owner), "5"), 0);
        assert_eq!(pairs(old("cancelled"), new("2024-01-25", &owner), "5"), 0);
        assert_eq!(
            pairs(old("cancelled"), new("2026-01-25", &owner[..1]), "5"),
            0
        );
        assert_eq!(pairs(old("cancelled"), new("2026-01-25", &owner), "0"), 0);
    }
}
