//! To whom a loose end may belong: by checks, region and name, ranked, for a person to decide.
//!
//! A loose end is a record that no tier leads to an enterprise of the register. Few records are, so all enterprises are gone through
//! once for all of them: a name one slip away has, with one character left out, a text in common with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::code::{self, Claim, Organisation};
use crate::domain::linking::{Anchors, Evidence, Lead, Tier, claim_of, comparable_name, names_of};
use crate::domain::pairing::{self, Candidate, Likeness, Subject};
use crate::domain::record::{Field, Record, RecordKind};
use crate::domain::register::Enterprise;

/// More than a handful of candidates helps nobody to decide. Those that protect are kept all the same: the rows may be any one's.
const MOST: usize = 5;
/// Shorter names have too many near ones.
const SHORTEST: usize = 5;
/// Days that may lie between the end of an individual business and the founding of the company it became (个体工商户登记管理办法 art. 18).
const SUCCESSION_DAYS: i32 = 180;

/// What is known of one loose end.
#[derive(Debug, Clone, Default)]
struct LooseEnd {
    name: String,
    names: BTreeSet<String>,
    codes: BTreeSet<String>,
    evidence: Evidence,
    /// Enterprises that its name or its contradicting code leads to.
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

    fn may_be(&mut self, organisation: Organisation, why: Likeness) {
        self.open
            .entry(organisation)
            .and_modify(|known| *known = why.min(*known))
            .or_insert(why);
    }
}

/// The records that lead nowhere, by what a person decides about.
#[derive(Debug, Clone, Default)]
pub struct LooseEnds(BTreeMap<Subject, LooseEnd>);

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
        let Some(subject) = anchors.subject(record, claim) else {
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

    /// Begins the search for those they may belong to; every enterprise of the registrar is then to be met once.
    #[must_use]
    pub fn search<'s>(&'s self, anchors: &'s Anchors<'s>) -> Search<'s> {
        let mut search = Search {
            loose: self,
            anchors,
            found: BTreeMap::new(),
            slips: HashMap::new(),
            cuts: HashMap::new(),
            ended: Vec::new(),
            founded: Vec::new(),
        };
        for (subject, end) in &self.0 {
            for (organisation, why) in &end.open {
                search.note(subject, *organisation, *why);
            }
            for code in &end.codes {
                for slip in code::examine(code).suggestions {
                    if let Claim::Sound(organisation) = code::claim(&slip)
                        && anchors.holds(organisation)
                    {
                        let organisation = anchors.canonical(organisation);
                        search.note(subject, organisation, Likeness::CodeSlip);
                    }
                }
            }
            for name in &end.names {
                for slip in without_one(&bare(name)) {
                    search.slips.entry(slip).or_default().push((subject, name));
                }
            }
            let cuts = end
                .codes
                .iter()
                .filter_map(|code| code::kept_by_spreadsheet(code));
            for cut in cuts {
                search.cuts.entry(cut).or_default().push(subject);
            }
        }
        search
    }
}

/// A search under way: what was found, and what enterprises are still held against.
#[derive(Debug)]
pub struct Search<'s> {
    loose: &'s LooseEnds,
    anchors: &'s Anchors<'s>,
    found: BTreeMap<(Subject, Organisation), BTreeSet<Likeness>>,
    /// Texts that names of loose ends become with one character left out.
    slips: HashMap<String, Vec<(&'s Subject, &'s str)>>,
    /// What spreadsheets left of codes.
    cuts: HashMap<String, Vec<&'s Subject>>,
    /// Individual businesses on the roll that have ended: by owner.
    ended: Vec<(u64, Organisation, String, Date)>,
    /// Companies: by owner.
    founded: Vec<(u64, Organisation, Date)>,
}

impl Search<'_> {
    fn note(&mut self, subject: &Subject, organisation: Organisation, why: Likeness) {
        self.found
            .entry((subject.clone(), organisation))
            .or_default()
            .insert(why);
    }

    /// Holds an enterprise of the registrar against the loose ends; `insured`: rows of the roll with heads are its own.
    pub fn meet(&mut self, enterprise: &Enterprise, registration: &Record, insured: bool) {
        let Some(organisation) = pairing::organisation(&enterprise.id) else {
            return;
        };
        self.remember(enterprise, organisation, registration, insured);
        let cuts: Vec<Subject> = self
            .cuts
            .iter()
            .filter(|(cut, _)| enterprise.credit_code.starts_with(cut.as_str()))
            .flat_map(|(_, subjects)| subjects.iter().map(|subject| (*subject).clone()))
            .collect();
        for subject in cuts {
            self.note(&subject, organisation, Likeness::CutCode);
        }
        if self.slips.is_empty() {
            return;
        }
        let mut near = BTreeSet::new();
        for name in names_of(registration) {
            let own = comparable_name(name);
            let bare_own = bare(&own);
            for slip in without_one(&bare_own) {
                for (subject, name) in self.slips.get(&slip).into_iter().flatten() {
                    let is_near =
                        own != **name && strsim::osa_distance(&bare_own, &bare(name)) <= 1;
                    if is_near && self.may_be(subject, organisation) {
                        near.insert((*subject).clone());
                    }
                }
            }
        }
        for subject in near {
            self.note(&subject, organisation, Likeness::NearName);
        }
    }

    /// Names alone are near by chance too often: the place must not be another, or the person is the same, or the code is near as well.
    fn may_be(&self, subject: &Subject, organisation: Organisation) -> bool {
        let (Some(end), Some(theirs)) = (
            self.loose.0.get(subject),
            self.anchors.evidence(organisation),
        ) else {
            return false;
        };
        theirs.shares_people(&end.evidence)
            || !theirs.contradicts(&end.evidence)
            || self.found.contains_key(&(subject.clone(), organisation))
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
            if let (true, Some(ended)) = (insured && has_ended, registration.date(Field::Approved))
            {
                for owner in owners(registration) {
                    let name = enterprise.name.clone();
                    self.ended.push((owner, organisation, name, ended));
                }
            }
        } else if enterprise.credit_code.starts_with("91")
            && let Some(founded) = registration.date(Field::Founded)
        {
            for owner in owners(registration) {
                self.founded.push((owner, organisation, founded));
            }
        }
    }

    /// What was found, sorted: by subject, the likeliest first.
    #[must_use]
    pub fn done(mut self) -> Vec<Candidate> {
        let mut candidates = self.ranked();
        candidates.extend(self.successors());
        candidates.sort_by(|a, b| {
            (&a.subject, std::cmp::Reverse(a.score()), &a.enterprise).cmp(&(
                &b.subject,
                std::cmp::Reverse(b.score()),
                &b.enterprise,
            ))
        });
        candidates.dedup_by(|a, b| a.subject == b.subject && a.enterprise == b.enterprise);
        candidates
    }

    /// What was found of the loose ends, the likeliest of each.
    fn ranked(&mut self) -> Vec<Candidate> {
        let mut by_subject: BTreeMap<Subject, Vec<Candidate>> = BTreeMap::new();
        for ((subject, organisation), mut likeness) in std::mem::take(&mut self.found) {
            if self.anchors.is_apart(&subject, organisation) {
                continue;
            }
            let Some(end) = self.loose.0.get(&subject) else {
                continue;
            };
            if let Some(theirs) = self.anchors.evidence(organisation) {
                if theirs.shares_county(&end.evidence) {
                    likeness.insert(Likeness::SameCounty);
                }
                if theirs.shares_people(&end.evidence) {
                    likeness.insert(Likeness::SamePeople);
                }
            }
            by_subject
                .entry(subject.clone())
                .or_default()
                .push(Candidate {
                    subject,
                    name: end.name.clone(),
                    protects: end.protects,
                    enterprise: format!("E{}", pairing::text(organisation)),
                    likeness,
                });
        }
        let mut all = Vec::new();
        for (_, mut candidates) in by_subject {
            candidates.sort_by(|a, b| {
                (std::cmp::Reverse(a.score()), &a.enterprise)
                    .cmp(&(std::cmp::Reverse(b.score()), &b.enterprise))
            });
            if !candidates.iter().any(|candidate| candidate.protects) {
                candidates.truncate(MOST);
            }
            all.extend(candidates);
        }
        all
    }

    /// Individual businesses on the roll that are no longer active, and companies founded when they ended, by the same person or at the
    /// same telephone and address: the roll may still carry the company's staff under the old code.
    fn successors(&self) -> Vec<Candidate> {
        let mut by_owner: HashMap<u64, Vec<(Organisation, &str, Date)>> = HashMap::new();
        for (owner, organisation, name, ended) in &self.ended {
            let old = (*organisation, name.as_str(), *ended);
            by_owner.entry(*owner).or_default().push(old);
        }
        let mut found = Vec::new();
        for (owner, organisation, founded) in &self.founded {
            for (old, name, ended) in by_owner.get(owner).into_iter().flatten() {
                let is_then = ended
                    .until(*founded)
                    .is_ok_and(|span| span.get_days().abs() <= SUCCESSION_DAYS);
                let subject = Subject::enterprise(*old);
                if is_then && !self.anchors.is_apart(&subject, *organisation) {
                    found.push(Candidate {
                        subject,
                        name: (*name).to_owned(),
                        protects: true,
                        enterprise: format!("E{}", pairing::text(*organisation)),
                        likeness: BTreeSet::from([Likeness::Successor, Likeness::SamePeople]),
                    });
                }
            }
        }
        found
    }
}

/// A comparable name without brackets: whether 集团 stands in them or not, it is the same name.
fn bare(name: &str) -> String {
    name.replace(['(', ')'], "")
}

/// A name, and every text it becomes when one character is left out.
fn without_one(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() < SHORTEST {
        return Vec::new();
    }
    let mut all = vec![name.to_owned()];
    all.extend((0..chars.len()).map(|left_out| {
        chars
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != left_out)
            .map(|(_, c)| *c)
            .collect()
    }));
    all.sort();
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
                    candidate.likeness.into_iter().collect(),
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
