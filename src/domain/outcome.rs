//! What a review leaves for the next one: what it found of each enterprise, and what it rested on.
//!
//! The next review judges those enterprises anew of which something changed, and takes over what was found of the others.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::candidates::{LooseEnds, Searched};
use crate::domain::code::Organisation;
use crate::domain::coverage::Assessment;
use crate::domain::finding::FindingKind;
use crate::domain::pairing;
use crate::domain::unit::Units;

/// Characters of an organisation code (GB 11714), in their order.
const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// An organisation code as a number that sorts as the code does: nine characters, each a digit or a letter.
#[must_use]
pub fn rank(organisation: Organisation) -> u64 {
    organisation.iter().fold(0, |rank, b| {
        let value = match b {
            b'0'..=b'9' => b - b'0',
            _ => b.saturating_sub(b'A').min(25) + 10,
        };
        rank * 36 + u64::from(value)
    })
}

/// The organisation code of a rank.
#[must_use]
pub fn of_rank(mut rank: u64) -> Organisation {
    let mut organisation = [b'0'; 9];
    for b in organisation.iter_mut().rev() {
        *b = ALPHABET[usize::try_from(rank % 36).unwrap_or(0)];
        rank /= 36;
    }
    organisation
}

/// What a review found of one enterprise, as far as the next one asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The enterprise, by the [`rank`] of its organisation code.
    pub enterprise: u64,
    /// The first day on which the same records would be told otherwise.
    pub turns: Option<Date>,
    /// The agency of its cases, by its place in the settings.
    pub unit: Option<u16>,
    /// Persons of its findings.
    pub employed: u64,
    /// Its findings, a bit for each of [`FindingKind::ALL`].
    pub findings: u8,
}

impl Outcome {
    /// Of an enterprise that was judged; `None` when its id holds no organisation code.
    #[must_use]
    pub fn of(assessment: &Assessment, units: &Units) -> Option<Self> {
        let unit = units
            .units
            .iter()
            .position(|unit| unit.id == assessment.unit);
        let bit = |kind: FindingKind| -> u8 {
            let at = FindingKind::ALL.iter().position(|of_all| *of_all == kind);
            at.map_or(0, |at| 1 << at)
        };
        let findings = assessment.findings.iter();
        Some(Self {
            enterprise: rank(pairing::organisation(&assessment.enterprise)?),
            turns: assessment.turns,
            unit: unit.and_then(|at| u16::try_from(at).ok()),
            employed: findings
                .clone()
                .map(|finding| finding.employed)
                .max()
                .unwrap_or(0),
            findings: findings.fold(0, |all, finding| all | bit(finding.kind)),
        })
    }

    /// The id of the enterprise.
    #[must_use]
    pub fn id(&self) -> String {
        format!("E{}", pairing::text(of_rank(self.enterprise)))
    }

    /// Its findings that open cases.
    pub fn opening(self) -> impl Iterator<Item = FindingKind> {
        let all = FindingKind::ALL.into_iter().enumerate();
        all.filter(move |(at, kind)| self.findings & 1 << at != 0 && kind.opens_case())
            .map(|(_, kind)| kind)
    }
}

/// How far a source had come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Its last delivery.
    pub delivery: u64,
    /// The batch that was.
    pub batch: String,
    /// The deliveries that had to mention every record, oldest first.
    pub complete: Vec<u64>,
}

/// What a review rested on and what it found beside the outcomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standpoint {
    /// Everything that bears on all enterprises at once, as a digest: rules, settings, adapters, decisions, the months and kinds known.
    /// While it is the same, nobody is told otherwise of whom nothing changed.
    pub basis: String,
    /// The day.
    pub day: Date,
    /// The day of the last review that judged everybody.
    pub full: Date,
    /// How far each source had come.
    pub positions: BTreeMap<String, Position>,
    /// What was found out about the staff of each enterprise, as a hash.
    pub surveys: BTreeMap<String, u64>,
    /// The records that lead nowhere.
    pub loose: LooseEnds,
    /// The pairs that may be one firm.
    pub searched: Searched,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_sort_as_codes_do_and_come_back() {
        let codes = [
            "000000000",
            "00000000X",
            "223287768",
            "EA40000X1",
            "MA49U85BX",
            "ZZZZZZZZX",
        ];
        let ranks: Vec<u64> = codes
            .iter()
            .map(|code| rank(code.as_bytes().try_into().unwrap()))
            .collect();
        assert!(ranks.is_sorted());
        for (code, rank) in codes.iter().zip(ranks) {
            assert_eq!(&of_rank(rank)[..], code.as_bytes());
            // Room for the number of a source beside it.
            assert!(rank < 1 << 48);
        }
    }
}
