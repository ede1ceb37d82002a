//! To whom a loose end may belong: by checks, region and name, ranked, for a person to decide.
//!
//! A loose end is a record that no tier leads to an enterprise of the register. Few records are, so all enterprises are gone through
//! once for all of them: a name one slip away has, with one character left out, a text in common with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use crate::domain::code::{self, Claim, Organisation};
use crate::domain::linking::{Anchors, Evidence, comparable_name, names_of};
use crate::domain::pairing::{self, Candidate, Likeness, Subject};
use crate::domain::record::{Field, Record, RecordKind};
use crate::domain::register::Enterprise;

/// More than a handful of candidates helps nobody to decide.
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

/// The records that lead nowhere, by what a person decides about.
#[derive(Debug, Clone, Default)]
pub struct LooseEnds(BTreeMap<Subject, LooseEnd>);

impl LooseEnds {
    /// Notes a record that no tier led to the register; `open`: where its name leads, and nothing tells which.
    pub fn note(
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
            if end.name.is_empty() {
                name.clone_into(&mut end.name);
            }
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
            end.open.insert(*organisation, why);
        }
        // A unit without heads covers nobody.
        end.protects |= record.kind == RecordKind::InsuredRoll
            && record
                .count(Field::RegisteredHeads)
                .is_none_or(|heads| heads > 0);
    }

    /// The pairs of these loose ends with the enterprises of the register, and those of enterprises that succeed each other.
    #[must_use]
    pub fn candidates(self, anchors: &Anchors<'_>, enterprises: &[Enterprise]) -> Vec<Candidate> {
        let mut found: BTreeMap<(Subject, Organisation), BTreeSet<Likeness>> = BTreeMap::new();
        for (subject, end) in &self.0 {
            for (organisation, why) in &end.open {
                note(&mut found, subject, *organisation, *why);
            }
            for code in &end.codes {
                for slip in code::examine(code).suggestions {
                    if let Claim::Sound(organisation) = code::claim(&slip)
                        && anchors.holds(organisation)
                    {
                        let organisation = anchors.canonical(organisation);
                        note(&mut found, subject, organisation, Likeness::CodeSlip);
                    }
                }
            }
        }
        self.near(anchors, enterprises, &mut found);
        let mut candidates = self.ranked(anchors, found);
        candidates.extend(successors(anchors, enterprises));
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

    /// Names one slip away and codes cut to the same 15 characters: one walk over the register.
    fn near(
        &self,
        anchors: &Anchors<'_>,
        enterprises: &[Enterprise],
        found: &mut BTreeMap<(Subject, Organisation), BTreeSet<Likeness>>,
    ) {
        let mut slips: HashMap<String, Vec<(&Subject, &str)>> = HashMap::new();
        let mut cuts: HashMap<String, Vec<&Subject>> = HashMap::new();
        for (subject, end) in &self.0 {
            for name in &end.names {
                for slip in without_one(&bare(name)) {
                    slips.entry(slip).or_default().push((subject, name));
                }
            }
            for cut in end
                .codes
                .iter()
                .filter_map(|code| code::kept_by_spreadsheet(code))
            {
                cuts.entry(cut).or_default().push(subject);
            }
        }
        if slips.is_empty() && cuts.is_empty() {
            return;
        }
        for enterprise in enterprises {
            let (Some(registration), Some(organisation)) = (
                &enterprise.registration,
                pairing::organisation(&enterprise.id),
            ) else {
                continue;
            };
            let code = &enterprise.credit_code;
            for (cut, subjects) in &cuts {
                if code.starts_with(cut.as_str()) {
                    for subject in subjects {
                        note(found, subject, organisation, Likeness::CutCode);
                    }
                }
            }
            if slips.is_empty() {
                continue;
            }
            for name in names_of(&registration.record) {
                let own = comparable_name(name);
                let bare_own = bare(&own);
                for slip in without_one(&bare_own) {
                    for (subject, name) in slips.get(&slip).into_iter().flatten() {
                        let is_near =
                            own != **name && strsim::osa_distance(&bare_own, &bare(name)) <= 1;
                        if is_near && self.may_be(subject, anchors, organisation, found) {
                            note(found, subject, organisation, Likeness::NearName);
                        }
                    }
                }
            }
        }
    }

    /// Names alone are near by chance too often: the place has to be the same, or the person, or the code has to be near as well.
    fn may_be(
        &self,
        subject: &Subject,
        anchors: &Anchors<'_>,
        organisation: Organisation,
        found: &BTreeMap<(Subject, Organisation), BTreeSet<Likeness>>,
    ) -> bool {
        let Some(end) = self.0.get(subject) else {
            return false;
        };
        let Some(theirs) = anchors.evidence(organisation) else {
            return false;
        };
        theirs.shares_people(&end.evidence)
            || !theirs.contradicts(&end.evidence)
            || found.contains_key(&(subject.clone(), organisation))
    }

    fn ranked(
        &self,
        anchors: &Anchors<'_>,
        found: BTreeMap<(Subject, Organisation), BTreeSet<Likeness>>,
    ) -> Vec<Candidate> {
        let mut by_subject: BTreeMap<Subject, Vec<Candidate>> = BTreeMap::new();
        for ((subject, organisation), mut likeness) in found {
            if anchors.is_apart(&subject, organisation) {
                continue;
            }
            let Some(end) = self.0.get(&subject) else {
                continue;
            };
            if let Some(theirs) = anchors.evidence(organisation) {
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
            candidates.truncate(MOST);
            all.extend(candidates);
        }
        all
    }
}

fn note(
    found: &mut BTreeMap<(Subject, Organisation), BTreeSet<Likeness>>,
    subject: &Subject,
    organisation: Organisation,
    why: Likeness,
) {
    found
        .entry((subject.clone(), organisation))
        .or_default()
        .insert(why);
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

/// Individual businesses on the roll that are no longer active, and companies founded when they ended, by the same person or at the
/// same telephone and address: the roll may still carry the company's staff under the old code.
fn successors(anchors: &Anchors<'_>, enterprises: &[Enterprise]) -> Vec<Candidate> {
    let mut by_owner: HashMap<String, Vec<(&Enterprise, Date)>> = HashMap::new();
    for old in enterprises {
        let Some(row) = &old.registration else {
            continue;
        };
        let is_old = old.credit_code.starts_with("92")
            && row.record.text(Field::Status) != Some("active")
            && has_heads(old);
        if let (true, Some(ended)) = (is_old, row.record.date(Field::Approved)) {
            for owner in owners(&row.record) {
                by_owner.entry(owner).or_default().push((old, ended));
            }
        }
    }
    let mut found: BTreeMap<(Subject, &str), Candidate> = BTreeMap::new();
    if by_owner.is_empty() {
        return Vec::new();
    }
    for new in enterprises {
        let (Some(row), Some(organisation)) = (&new.registration, pairing::organisation(&new.id))
        else {
            continue;
        };
        let founded = row.record.date(Field::Founded);
        let Some(founded) = founded.filter(|_| new.credit_code.starts_with("91")) else {
            continue;
        };
        for owner in owners(&row.record) {
            for (old, ended) in by_owner.get(&owner).into_iter().flatten() {
                let is_then = ended
                    .until(founded)
                    .is_ok_and(|span| span.get_days().abs() <= SUCCESSION_DAYS);
                let subject = Subject::Enterprise(old.organisation().to_owned());
                if !is_then || anchors.is_apart(&subject, organisation) {
                    continue;
                }
                let candidate = Candidate {
                    subject: subject.clone(),
                    name: old.name.clone(),
                    protects: true,
                    enterprise: new.id.clone(),
                    likeness: BTreeSet::from([Likeness::Successor, Likeness::SamePeople]),
                };
                found.insert((subject, &new.id), candidate);
            }
        }
    }
    found.into_values().collect()
}

/// Who runs an enterprise: its representative, and its telephones each with the address (an agent's telephone is many firms').
fn owners(record: &Record) -> Vec<String> {
    let mut owners = Vec::new();
    if let Some(representative) = record.text(Field::Representative) {
        owners.push(format!("r{representative}"));
    }
    if let (Some(phone), Some(address)) = (record.text(Field::Phone), record.text(Field::Address)) {
        owners.push(format!("p{phone}\0{}", comparable_name(address)));
    }
    owners
}

fn has_heads(enterprise: &Enterprise) -> bool {
    enterprise
        .roll
        .values()
        .any(|heads| heads.registered.is_none_or(|heads| heads > 0))
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
