//! What may be one firm and is never joined by itself: pairs for a person to decide, and what has been decided.
//!
//! A *subject* is what a person decides about: all rows of a unit number of the roll, all records under an identifier as it is
//! written, or an enterprise. A pair says why it may belong to an enterprise of the register. While a pair that concerns rows of the
//! roll is open, nothing adverse is founded on that enterprise: its staff may stand on those rows. Decisions are kept for ever and
//! can be undone; each has its person, reason and day.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::code::Organisation;

/// What a person decides about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An identifier as it is written, made regular: it fails its checks.
    Code(String),
    /// An enterprise, by its organisation code.
    Enterprise(String),
    /// A unit number of the roll.
    Unit(String),
}

impl Subject {
    /// An enterprise.
    #[must_use]
    pub fn enterprise(organisation: Organisation) -> Self {
        Self::Enterprise(text(organisation))
    }

    /// For staff.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Code(code) => format!("代码“{code}”"),
            Self::Enterprise(organisation) => format!("企业E{organisation}"),
            Self::Unit(unit) => format!("单位编号{unit}"),
        }
    }
}

/// An organisation code as text: it is ASCII by its form.
#[must_use]
pub fn text(organisation: Organisation) -> String {
    String::from_utf8_lossy(&organisation).into_owned()
}

/// The organisation code of a text; `None` when it has not nine characters.
#[must_use]
pub fn organisation(text: &str) -> Option<Organisation> {
    text.strip_prefix('E')
        .filter(|rest| rest.len() == 9)
        .unwrap_or(text)
        .as_bytes()
        .try_into()
        .ok()
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "code:{code}"),
            Self::Enterprise(organisation) => write!(f, "enterprise:E{organisation}"),
            Self::Unit(unit) => write!(f, "unit:{unit}"),
        }
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("“{text}”不是对象：应为 unit:单位编号、code:代码 或 enterprise:企业编号");
        let (kind, name) = text.split_once(':').ok_or_else(wrong)?;
        match kind {
            _ if name.is_empty() => Err(wrong()),
            "unit" => Ok(Self::Unit(name.to_owned())),
            "code" => Ok(Self::Code(crate::domain::code::normal(name))),
            "enterprise" => organisation(name).map(Self::enterprise).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Why two may be one, with what it counts when candidates are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// The same name, and a veto or other bearers keep them apart.
    SameName,
    /// A name one slip away.
    NearName,
    /// The code becomes this one when one character is read otherwise.
    CodeSlip,
    /// The code lost its last digits in a spreadsheet; the first 15 are the same.
    CutCode,
    /// The code leads here, the name to another.
    ContradictingName,
    /// An individual business that ended when the company began (个体工商户转企业).
    Successor,
    /// The same county.
    SameCounty,
    /// The same representative or telephone.
    SamePeople,
}

impl Likeness {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 8] = [
        Self::SameName,
        Self::NearName,
        Self::CodeSlip,
        Self::CutCode,
        Self::ContradictingName,
        Self::Successor,
        Self::SameCounty,
        Self::SamePeople,
    ];

    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::SameName => "名称相同",
            Self::NearName => "名称相近",
            Self::CodeSlip => "代码相差一个字符",
            Self::CutCode => "代码前15位相同（末位疑被表格软件截断）",
            Self::ContradictingName => "代码指向此户而名称指向他户",
            Self::Successor => "个体工商户转企业",
            Self::SameCounty => "所在地相同",
            Self::SamePeople => "法定代表人或电话相同",
        }
    }

    /// Checks before region before name: what a slip of the pen explains counts most.
    const fn weight(self) -> u32 {
        match self {
            Self::CutCode | Self::Successor => 40,
            Self::CodeSlip => 35,
            Self::SameName => 30,
            Self::ContradictingName => 25,
            Self::NearName => 20,
            Self::SamePeople => 15,
            Self::SameCounty => 5,
        }
    }
}

/// Several of them, each once; written as a list in their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<Likeness>", from = "Vec<Likeness>")]
pub struct Likenesses(u8);

impl Likenesses {
    const fn bit(one: Likeness) -> u8 {
        1 << one as u8
    }

    /// Adds one.
    pub const fn insert(&mut self, one: Likeness) {
        self.0 |= Self::bit(one);
    }

    /// Whether it is among them.
    #[must_use]
    pub const fn contains(self, one: Likeness) -> bool {
        self.0 & Self::bit(one) != 0
    }

    /// In the order in which they are told.
    pub fn iter(self) -> impl Iterator<Item = Likeness> {
        Likeness::ALL
            .into_iter()
            .filter(move |one| self.contains(*one))
    }

    /// What they count together: the greater, the likelier.
    #[must_use]
    pub fn score(self) -> u32 {
        self.iter().map(Likeness::weight).sum()
    }

    /// A bit for each, in the order of [`Likeness::ALL`].
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// What [`Self::bits`] gave.
    #[must_use]
    pub const fn of_bits(bits: u8) -> Self {
        Self(bits)
    }
}

impl FromIterator<Likeness> for Likenesses {
    fn from_iter<I: IntoIterator<Item = Likeness>>(all: I) -> Self {
        let mut likenesses = Self::default();
        all.into_iter().for_each(|one| likenesses.insert(one));
        likenesses
    }
}

impl From<Vec<Likeness>> for Likenesses {
    fn from(all: Vec<Likeness>) -> Self {
        all.into_iter().collect()
    }
}

impl From<Likenesses> for Vec<Likeness> {
    fn from(all: Likenesses) -> Self {
        all.iter().collect()
    }
}

/// A pair as a review finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// What may belong to it.
    pub subject: Subject,
    /// The subject's name, as written.
    pub name: String,
    /// Rows of the roll are concerned: nothing adverse is founded on the enterprise meanwhile.
    pub protects: bool,
    /// The enterprise.
    pub enterprise: String,
    /// Why.
    pub likeness: Likenesses,
}

impl Candidate {
    /// The greater, the likelier.
    #[must_use]
    pub fn score(&self) -> u32 {
        self.likeness.score()
    }

    /// In Chinese.
    #[must_use]
    pub fn reason(&self) -> String {
        let reasons: Vec<&str> = self.likeness.iter().map(Likeness::title).collect();
        reasons.join("，")
    }
}

/// What a person has said of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// One firm, or not.
    pub same: bool,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub day: Date,
}

/// A pair with all that was said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    /// As last found; a person may have decided about a pair that no review found.
    pub candidate: Candidate,
    /// Since when it is found; `None` while it is not.
    pub found: Option<Date>,
    /// What holds.
    pub answer: Option<Answer>,
    /// What was said before, oldest first: undone or overruled.
    pub history: Vec<(Answer, Undoing)>,
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undoing {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub day: Date,
}

impl Pairing {
    /// Whether a person has still to decide.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.found.is_some() && self.answer.is_none()
    }
}

/// What happens to a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum PairingEvent {
    /// A review found it, or found other reasons.
    Found {
        /// The pair.
        candidate: Candidate,
    },
    /// A review finds it no longer.
    Ended,
    /// A named person decides.
    Answered {
        /// One firm, or not.
        same: bool,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A named person takes the decision back.
    Undone {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
}

/// Why an event about a pair is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No name or no reason given.
    #[error("[YB-5101] 认定须写明认定人和理由。处理：用 --by 写明姓名，用 --reason 写明依据。")]
    Unnamed,
    /// There is nothing to take back.
    #[error(
        "[YB-5102] {subject}与{enterprise}之间没有认定，无可撤销。处理：用 yingbao identity list --all 核对。"
    )]
    NotAnswered {
        /// The subject, for staff.
        subject: String,
        /// The enterprise.
        enterprise: String,
    },
    /// It is answered already.
    #[error(
        "[YB-5103] {subject}与{enterprise}已有认定。处理：要改变认定，先用 yingbao identity undo 撤销。"
    )]
    AnsweredAlready {
        /// The subject, for staff.
        subject: String,
        /// The enterprise.
        enterprise: String,
    },
    /// It was decided to be another's.
    #[error(
        "[YB-5104] {subject}已认定属于{other}。处理：认定有误的，先用 yingbao identity undo 撤销。"
    )]
    Elsewhere {
        /// The subject, for staff.
        subject: String,
        /// The other enterprise.
        other: String,
    },
    /// An enterprise would be joined to itself, directly or by others.
    #[error("[YB-5105] {enterprise}不能与自身合并。处理：核对两个企业编号和已有认定。")]
    Itself {
        /// The enterprise.
        enterprise: String,
    },
}

/// A pair after an event; a refusal when a rule says no.
pub fn apply(
    known: Option<Pairing>,
    subject: &Subject,
    enterprise: &str,
    day: Date,
    event: &PairingEvent,
) -> Result<Pairing, Refusal> {
    let mut pairing = known.unwrap_or_else(|| Pairing {
        candidate: Candidate {
            subject: subject.clone(),
            name: String::new(),
            protects: matches!(subject, Subject::Unit(_)),
            enterprise: enterprise.to_owned(),
            likeness: Likenesses::default(),
        },
        found: None,
        answer: None,
        history: Vec::new(),
    });
    let is_named = |by: &str, reason: &str| !by.trim().is_empty() && !reason.trim().is_empty();
    match event {
        PairingEvent::Found { candidate } => {
            pairing.found = pairing.found.or(Some(day));
            pairing.candidate = candidate.clone();
        }
        PairingEvent::Ended => pairing.found = None,
        PairingEvent::Answered { same, by, reason } => {
            if !is_named(by, reason) {
                return Err(Refusal::Unnamed);
            }
            let own = enterprise.strip_prefix('E').unwrap_or(enterprise);
            if *subject == Subject::Enterprise(own.to_owned()) {
                return Err(Refusal::Itself {
                    enterprise: enterprise.to_owned(),
                });
            }
            if pairing.answer.is_some() {
                return Err(Refusal::AnsweredAlready {
                    subject: subject.title(),
                    enterprise: enterprise.to_owned(),
                });
            }
            pairing.answer = Some(Answer {
                same: *same,
                by: by.clone(),
                reason: reason.clone(),
                day,
            });
        }
        PairingEvent::Undone { by, reason } => {
            if !is_named(by, reason) {
                return Err(Refusal::Unnamed);
            }
            let answer = pairing.answer.take().ok_or_else(|| Refusal::NotAnswered {
                subject: subject.title(),
                enterprise: enterprise.to_owned(),
            })?;
            let undoing = Undoing {
                by: by.clone(),
                reason: reason.clone(),
                day,
            };
            pairing.history.push((answer, undoing));
        }
    }
    Ok(pairing)
}

/// What persons have decided, as linking asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions {
    codes: BTreeMap<String, Organisation>,
    units: BTreeMap<String, Organisation>,
    enterprises: BTreeMap<Organisation, Organisation>,
    apart: BTreeSet<(Subject, Organisation)>,
}

/// What joined an enterprise to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merger {
    /// The id of the enterprise under which it stands.
    pub into: String,
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub day: Date,
}

/// The decisions in force that joined enterprises to others, by the id of who was joined.
pub fn mergers<'a>(
    pairings: impl IntoIterator<Item = &'a Pairing> + Clone,
) -> BTreeMap<String, Merger> {
    let decisions = Decisions::of(pairings.clone());
    let merger = |pairing: &Pairing| {
        let Subject::Enterprise(own) = &pairing.candidate.subject else {
            return None;
        };
        let own = organisation(own)?;
        let answer = pairing.answer.as_ref().filter(|answer| answer.same)?;
        let merger = Merger {
            into: format!("E{}", text(decisions.canonical(own))),
            by: answer.by.clone(),
            reason: answer.reason.clone(),
            day: answer.day,
        };
        Some((format!("E{}", text(own)), merger))
    };
    pairings.into_iter().filter_map(merger).collect()
}

/// Decisions of which each joins one enterprise to the next are followed this far; a ring of them is refused when it is decided.
pub const LONGEST_CHAIN: usize = 16;

impl Decisions {
    /// Of all pairs that were answered.
    #[must_use]
    pub fn of<'a>(pairings: impl IntoIterator<Item = &'a Pairing>) -> Self {
        let mut decisions = Self::default();
        for pairing in pairings {
            let (Some(answer), Some(enterprise)) =
                (&pairing.answer, organisation(&pairing.candidate.enterprise))
            else {
                continue;
            };
            let subject = &pairing.candidate.subject;
            match (answer.same, subject) {
                (false, _) => {
                    decisions.apart.insert((subject.clone(), enterprise));
                }
                (true, Subject::Code(code)) => {
                    decisions.codes.insert(code.clone(), enterprise);
                }
                (true, Subject::Unit(unit)) => {
                    decisions.units.insert(unit.clone(), enterprise);
                }
                (true, Subject::Enterprise(own)) => {
                    if let Some(own) = organisation(own) {
                        decisions.enterprises.insert(own, enterprise);
                    }
                }
            }
        }
        decisions
    }

    /// The organisation code under which an enterprise stands.
    #[must_use]
    pub fn canonical(&self, organisation: Organisation) -> Organisation {
        let mut canonical = organisation;
        for _ in 0..LONGEST_CHAIN {
            match self.enterprises.get(&canonical) {
                Some(next) => canonical = *next,
                None => break,
            }
        }
        canonical
    }

    /// Whose an identifier is that fails its checks.
    #[must_use]
    pub fn of_code(&self, code: &str) -> Option<Organisation> {
        self.codes.get(code).map(|own| self.canonical(*own))
    }

    /// Whose a unit number is.
    #[must_use]
    pub fn of_unit(&self, unit: &str) -> Option<Organisation> {
        self.units.get(unit).map(|own| self.canonical(*own))
    }

    /// Whether a person has said that these are not one firm.
    #[must_use]
    pub fn is_apart(&self, subject: &Subject, organisation: Organisation) -> bool {
        !self.apart.is_empty() && self.apart.contains(&(subject.clone(), organisation))
    }

    /// Whether a decision fits to those that stand: a subject is one enterprise's only, and nobody is joined to himself.
    pub fn admits(&self, subject: &Subject, enterprise: &str) -> Result<(), Refusal> {
        let target = organisation(enterprise).map(|own| self.canonical(own));
        let known = match subject {
            Subject::Code(code) => self.of_code(code),
            Subject::Unit(unit) => self.of_unit(unit),
            Subject::Enterprise(own) => {
                let own = organisation(own);
                if own.is_some() && target == own {
                    return Err(Refusal::Itself {
                        enterprise: enterprise.to_owned(),
                    });
                }
                own.filter(|own| self.enterprises.contains_key(own))
                    .map(|own| self.canonical(own))
            }
        };
        match known {
            Some(other) => Err(Refusal::Elsewhere {
                subject: subject.title(),
                other: format!("E{}", text(other)),
            }),
            None => Ok(()),
        }
    }

    /// Enterprises that were joined to others.
    pub fn joined(&self) -> impl Iterator<Item = Organisation> + '_ {
        self.enterprises.keys().copied()
    }

    /// Enterprises that were joined to this one: their records are its own.
    pub fn joined_to(&self, organisation: Organisation) -> impl Iterator<Item = Organisation> + '_ {
        self.enterprises
            .keys()
            .copied()
            .filter(move |own| self.canonical(*own) == organisation && *own != organisation)
    }

    /// Identifiers and unit numbers that were decided to be this enterprise's.
    pub fn subjects_of(&self, organisation: Organisation) -> impl Iterator<Item = Subject> + '_ {
        let codes = self
            .codes
            .iter()
            .filter(move |(_, own)| self.canonical(**own) == organisation)
            .map(|(code, _)| Subject::Code(code.clone()));
        let units = self
            .units
            .iter()
            .filter(move |(_, own)| self.canonical(**own) == organisation)
            .map(|(unit, _)| Subject::Unit(unit.clone()));
        codes.chain(units)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn day() -> Date {
        date(2026, 4, 10)
    }

    fn answered(same: bool) -> PairingEvent {
        PairingEvent::Answered {
            same,
            by: "张示例".into(),
            reason: "已电话核实".into(),
        }
    }

    fn undone() -> PairingEvent {
        PairingEvent::Undone {
            by: "李示例".into(),
            reason: "误认".into(),
        }
    }

    fn pair(subject: &str, enterprise: &str, events: &[PairingEvent]) -> Pairing {
        let subject: Subject = subject.parse().unwrap();
        let mut pairing = None;
        for event in events {
            pairing = Some(apply(pairing, &subject, enterprise, day(), event).unwrap());
        }
        pairing.unwrap()
    }

    #[test]
    fn subjects_are_written_and_read() {
        for text in [
            "unit:4113000007",
            "code:911522010783762000",
            "enterprise:EMA49U85BX",
        ] {
            assert_eq!(text.parse::<Subject>().unwrap().to_string(), text);
        }
        assert_eq!(
            "code:91 1522-010783762000".parse::<Subject>().unwrap(),
            Subject::Code("911522010783762000".into())
        );
        for wrong in ["", "unit", "unit:", "firm:1", "enterprise:E1"] {
            assert!(wrong.parse::<Subject>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_decision_needs_a_name_and_a_reason_and_stays_until_it_is_undone() {
        let subject: Subject = "unit:7".parse().unwrap();
        for (by, reason) in [("", "x"), ("张示例", " ")] {
            let event = PairingEvent::Answered {
                same: true,
                by: by.into(),
                reason: reason.into(),
            };
            assert_eq!(
                apply(None, &subject, "EMA49U85BX", day(), &event),
                Err(Refusal::Unnamed)
            );
        }
        let said = pair("unit:7", "EMA49U85BX", &[answered(false)]);
        assert!(!said.is_open());
        let again = apply(
            Some(said.clone()),
            &subject,
            "EMA49U85BX",
            day(),
            &answered(true),
        );
        assert!(matches!(again, Err(Refusal::AnsweredAlready { .. })));
        let gone = apply(Some(said), &subject, "EMA49U85BX", day(), &undone()).unwrap();
        assert_eq!((gone.answer.as_ref(), gone.history.len()), (None, 1));
        let nothing = apply(Some(gone), &subject, "EMA49U85BX", day(), &undone());
        assert!(matches!(nothing, Err(Refusal::NotAnswered { .. })));
        let own: Subject = "enterprise:EMA49U85BX".parse().unwrap();
        let itself = apply(None, &own, "EMA49U85BX", day(), &answered(true));
        assert!(matches!(itself, Err(Refusal::Itself { .. })));
    }

    #[test]
    fn decisions_are_followed_and_contradict_nothing() {
        let pairs = [
            pair("enterprise:EMA4RHCMP9", "EMA49U85BX", &[answered(true)]),
            pair("enterprise:E223287768", "EMA4RHCMP9", &[answered(true)]),
            pair("unit:7", "E223287768", &[answered(true)]),
            pair("unit:8", "EMA49U85BX", &[answered(false)]),
            pair("unit:9", "EMA49U85BX", &[answered(true), undone()]),
        ];
        let decisions = Decisions::of(&pairs);
        let main = organisation("MA49U85BX").unwrap();
        let other = organisation("223287768").unwrap();
        assert_eq!(decisions.canonical(other), main);
        assert_eq!(decisions.of_unit("7"), Some(main));
        assert_eq!(decisions.of_unit("9"), None);
        assert!(decisions.is_apart(&Subject::Unit("8".into()), main));
        assert_eq!(decisions.joined_to(main).count(), 2);
        // Each stands under the last of the chain, by the word of who joined it.
        let joined = mergers(&pairs);
        assert!(joined.keys().eq(["E223287768", "EMA4RHCMP9"]));
        for merger in joined.values() {
            assert_eq!(
                (merger.into.as_str(), merger.by.as_str()),
                ("EMA49U85BX", "张示例")
            );
        }
        // Joined to itself by way of others, or another's already.
        let main_subject = Subject::enterprise(main);
        assert!(matches!(
            decisions.admits(&main_subject, "E223287768"),
            Err(Refusal::Itself { .. })
        ));
        assert!(matches!(
            decisions.admits(&Subject::Unit("7".into()), "EMA4TEST16"),
            Err(Refusal::Elsewhere { .. })
        ));
        assert_eq!(
            decisions.admits(&Subject::Unit("8".into()), "EMA4TEST16"),
            Ok(())
        );
    }
}
