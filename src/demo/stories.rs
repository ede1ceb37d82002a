//! Firms whose stories are worth telling: chance leaves them alone, so that each story comes to its end.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::demo::city::City;
use crate::demo::firm::{Cover, Firm, Habit, Plan, Reaction, State};
use crate::demo::places::place;
use crate::demo::steps::days_between;

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoryKind {
    /// Owes, is told, registers everybody.
    EnrolledAfterNotice,
    /// Owes, is told, registers some.
    EnrolledPartly,
    /// Owes, is told twice, does nothing: goes to the audit unit.
    Ignores,
    /// A branch on its head office's entry.
    HeadOffice,
    /// On the roll with nobody insured, and lawfully so.
    Shell,
    /// Work injury by project.
    Construction,
    /// Insured elsewhere: only the clerk's answer clears it.
    InsuredElsewhere,
    /// Tax headcount full of dispatched staff.
    Dispatch,
}

impl StoryKind {
    /// All.
    pub const ALL: [Self; 8] = [
        Self::EnrolledAfterNotice,
        Self::EnrolledPartly,
        Self::Ignores,
        Self::HeadOffice,
        Self::Shell,
        Self::Construction,
        Self::InsuredElsewhere,
        Self::Dispatch,
    ];

    fn fits(self, firm: &Firm, day: Date) -> bool {
        let old = days_between(firm.founded, day) > 200 && firm.in_scope() && firm.is_active(day);
        let duty = firm.duty(day);
        let told = |reaction| {
            duty.state == State::Owes
                && firm.reaction == reaction
                && duty.heads >= 3
                && duty.heads * 4 >= duty.staff
                && !place(firm.case_unit()).laggard
        };
        old && match self {
            Self::EnrolledAfterNotice => told(Reaction::EnrolsFully),
            Self::EnrolledPartly => told(Reaction::EnrolsPartly) && duty.uncovered.len() > 1,
            Self::Ignores => told(Reaction::Ignores),
            Self::HeadOffice => duty.state == State::InsuredByHeadOffice,
            Self::Shell => {
                firm.habit == Habit::Shell
                    && firm.entry.is_some()
                    && !firm.owner_files
                    && firm.tax_since.is_some()
            }
            Self::Construction => duty.state == State::Construction && duty.staff >= 3,
            Self::InsuredElsewhere => firm.cover == Cover::Elsewhere && duty.staff >= 3,
            Self::Dispatch => firm.dispatched > 0 && duty.state == State::Insured,
        }
    }
}

/// A firm with its story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// What happens to it.
    pub kind: StoryKind,
    /// Its credit code.
    pub credit_code: String,
    /// Its name.
    pub name: String,
}

/// How many firms of each story are kept.
const OF_EACH: usize = 3;

pub(crate) fn choose(city: &mut City) {
    let day = city.options.start;
    for kind in StoryKind::ALL {
        let chosen = city
            .firms
            .iter_mut()
            .filter(|firm| kind.fits(firm, day))
            .take(OF_EACH);
        for firm in chosen {
            firm.protected = true;
            firm.plans.retain(|(_, plan)| *plan == Plan::Reports);
            city.stories.push(Story {
                kind,
                credit_code: firm.code.clone(),
                name: firm.name(day).to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::city::tests::{calendar, options};
    use crate::demo::city::{Channel, Told};
    use crate::demo::options::Dirt;
    use crate::demo::steps::plus_days;

    #[test]
    fn every_story_has_a_firm_and_comes_true() {
        for seed in [1, 2, 3] {
            let calendar = calendar();
            let mut city = City::new(options(400, seed, Dirt::Default));
            let kinds: BTreeSet<StoryKind> = city.stories.iter().map(|story| story.kind).collect();
            assert_eq!(kinds.len(), StoryKind::ALL.len(), "seed {seed}: {kinds:?}");
            let day = plus_days(city.options.start, 20);
            let told: Vec<Told> = city
                .stories
                .iter()
                .map(|story| Told {
                    credit_code: story.credit_code.clone(),
                    day,
                    how: Channel::Letter,
                })
                .collect();
            city.advance(day, &calendar, &[]);
            city.advance(plus_days(day, 40), &calendar, &told);
            for story in city.stories() {
                let duty = city.firm(&story.credit_code).unwrap().duty(city.today);
                let expected: &[State] = match story.kind {
                    StoryKind::EnrolledAfterNotice => {
                        &[State::Insured, State::SmallGap, State::Construction]
                    }
                    StoryKind::EnrolledPartly | StoryKind::Ignores => &[State::Owes],
                    StoryKind::HeadOffice => &[State::InsuredByHeadOffice],
                    StoryKind::Shell => &[State::NotLiable, State::Insured, State::Owes],
                    StoryKind::Construction => &[State::Construction],
                    StoryKind::InsuredElsewhere => &[State::CoveredElsewhere],
                    StoryKind::Dispatch => &[State::Insured],
                };
                assert!(
                    expected.contains(&duty.state),
                    "seed {seed} {story:?}: {duty:?}"
                );
            }
        }
    }
}
