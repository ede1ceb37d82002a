//! The clerks of the county agencies: what they find, and when. They see the truth, as a visit shows it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::demo::chance::Chance;
use crate::demo::city::City;
use crate::demo::firm::{Firm, State};
use crate::demo::names;
use crate::demo::places::place;
use crate::demo::steps::ordinal;

/// What a clerk finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClerkFinding {
    /// It owes.
    Confirmed,
    /// Its staff are insured elsewhere.
    InsuredElsewhere,
    /// It is insured.
    InsuredAlready,
    /// It employs nobody, or nobody yet for whom the time has come.
    NoEmployees,
    /// It has closed down.
    ClosedDown,
}

/// An answer with its name and proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClerkAnswer {
    /// What was found.
    pub finding: ClerkFinding,
    /// The clerk.
    pub by: String,
    /// The proof, in Chinese.
    pub proof: Option<String>,
}

impl City {
    /// What the county's clerk finds when he looks at the firm on a day that has passed.
    #[must_use]
    pub fn answer(&self, credit_code: &str, day: Date) -> Option<ClerkAnswer> {
        let firm = self.firm(credit_code)?;
        let (finding, proof) = match firm.duty(day).state {
            State::Owes => (
                ClerkFinding::Confirmed,
                Some(format!("实地核查记录{}", reference(firm, day))),
            ),
            State::CoveredElsewhere => (
                ClerkFinding::InsuredElsewhere,
                Some(format!(
                    "省直经办机构参保证明{}，{}出具，有效期至{}-12-31",
                    reference(firm, day),
                    day,
                    day.year()
                )),
            ),
            State::Insured
            | State::NotPaying
            | State::SmallGap
            | State::Construction
            | State::InsuredByHeadOffice
            | State::InsuredByPredecessor
            | State::OutOfScope => (
                ClerkFinding::InsuredAlready,
                Some("参保缴费明细已核对".to_owned()),
            ),
            State::NotLiable => (
                ClerkFinding::NoEmployees,
                Some("现场无用工，个税申报已核对".to_owned()),
            ),
            State::Grace => (
                ClerkFinding::NoEmployees,
                Some("尚在法定登记期内".to_owned()),
            ),
            State::Deregistered => (ClerkFinding::ClosedDown, Some("登记状态已核对".to_owned())),
        };
        Some(ClerkAnswer {
            finding,
            by: names::clerk(firm.case_unit()),
            proof,
        })
    }

    /// Working days from the dispatch to the answer; `None` when a laggard unit never answers.
    #[must_use]
    pub fn answer_after(&self, credit_code: &str) -> Option<u32> {
        let firm = self.firm(credit_code)?;
        let mut chance = self.clerk_chance(firm, "answer", 0);
        if place(firm.case_unit()).laggard {
            return chance.percent(65).then(|| chance.heads(10, 24));
        }
        Some(chance.heads(1, 12))
    }

    /// Whether the firm picks up when called on a day.
    #[must_use]
    pub fn phone_answered(&self, credit_code: &str, day: Date) -> bool {
        self.firm(credit_code).is_some_and(|firm| {
            !firm.phone.is_empty() && self.clerk_chance(firm, "call", ordinal(day)).percent(55)
        })
    }

    /// Whether the registered phone and address are somebody else's.
    #[must_use]
    pub fn contact_is_wrong(&self, credit_code: &str) -> bool {
        self.firm(credit_code)
            .is_some_and(|firm| !firm.protected && self.clerk_chance(firm, "contact", 0).percent(3))
    }

    /// Working days until a letter is posted.
    #[must_use]
    pub fn posting_delay(&self, credit_code: &str) -> u32 {
        self.firm(credit_code)
            .map_or(1, |firm| self.clerk_chance(firm, "posting", 0).heads(1, 2))
    }

    /// The (invented) mail number of the letter posted on a day.
    #[must_use]
    pub fn mail_number(&self, credit_code: &str, day: Date) -> String {
        let number = self.firm(credit_code).map_or(0, |firm| firm.number);
        format!("XA000{:05}{number:06}41", ordinal(day) % 100_000)
    }

    /// Whether its letters come back.
    #[must_use]
    pub fn letter_returned(&self, credit_code: &str) -> bool {
        self.firm(credit_code).is_some_and(|firm| {
            !firm.protected && self.clerk_chance(firm, "returned", 0).percent(4)
        })
    }

    /// The clerk of a reporting unit.
    #[must_use]
    pub fn clerk(&self, unit: &str) -> Option<String> {
        (0_u8..)
            .zip(&crate::demo::places::PLACES)
            .find(|(_, place)| place.id == unit)
            .map(|(at, _)| names::clerk(at))
    }

    fn clerk_chance(&self, firm: &Firm, purpose: &str, turn: u64) -> Chance {
        Chance::new(self.options.seed, firm.number.into(), purpose, turn)
    }
}

fn reference(firm: &Firm, day: Date) -> String {
    format!("（{}）第{:06}号", day.year(), firm.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::city::tests::{calendar, options};
    use crate::demo::options::Dirt;

    #[test]
    fn clerks_confirm_only_the_truth() {
        let mut city = City::new(options(400, 2, Dirt::None));
        let day = city.options.start;
        city.advance(day, &calendar(), &[]);
        let mut confirmed = 0;
        for firm in &city.firms {
            let answer = city.answer(&firm.code, day).unwrap();
            assert_eq!(
                answer.finding == ClerkFinding::Confirmed,
                firm.duty(day).state == State::Owes
            );
            assert!(answer.finding != ClerkFinding::InsuredElsewhere || answer.proof.is_some());
            confirmed += usize::from(answer.finding == ClerkFinding::Confirmed);
            match city.answer_after(&firm.code) {
                Some(days) => assert!((1..=24).contains(&days)),
                None => assert!(place(firm.case_unit()).laggard),
            }
        }
        assert!(confirmed > 20, "{confirmed}");
        assert!(city.answer("91411302MA4EAJAFXR", day).is_none());
    }
}
