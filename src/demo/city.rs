//! The façade: one city, its days, its exports, its truth and its clerks.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;
use crate::demo::conversion;
use crate::demo::days;
use crate::demo::departments::market;
use crate::demo::firm::{Firm, Plan, Standing};
use crate::demo::genesis;
use crate::demo::options::Options;
use crate::demo::steps::plus_days;
use crate::demo::stories;

/// How a firm was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A posted letter.
    Letter,
    /// An answered call.
    Call,
    /// A delivered text.
    Sms,
    /// An accepted mail.
    Mail,
}

/// A firm was told that it should register its staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its credit code.
    pub credit_code: String,
    /// The day.
    pub day: Date,
    /// How.
    pub how: Channel,
}

/// A firm answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Its credit code.
    pub credit_code: String,
    /// The day.
    pub day: Date,
    /// What it says, in Chinese.
    pub text: String,
}

/// The whole world. Serialising it is the snapshot; what comes back continues exactly as the one that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct City {
    pub(crate) options: Options,
    /// The last day that has passed; the day before the start in a new city.
    pub(crate) today: Date,
    /// In the order of their numbers.
    pub(crate) firms: Vec<Firm>,
    pub(crate) by_code: BTreeMap<String, u32>,
    /// The codes that the registrar writes otherwise than they are.
    pub(crate) by_slip: BTreeMap<String, u32>,
    /// The standings of each firm from the start on, by number: a day stands here when the standing became another.
    pub(crate) standings: Vec<Vec<(Date, Standing)>>,
    pub(crate) replies: Vec<Reply>,
    pub(crate) stories: Vec<stories::Story>,
}

impl City {
    /// A new city on the evening before its first day.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let firms = genesis::firms(&options);
        let eve = plus_days(options.start, -1);
        let mut city = Self {
            today: eve,
            options,
            firms: Vec::with_capacity(firms.len()),
            by_code: BTreeMap::new(),
            by_slip: BTreeMap::new(),
            standings: Vec::new(),
            replies: Vec::new(),
            stories: Vec::new(),
        };
        let mut converted = Vec::new();
        for firm in firms {
            let before = |plan: &(Date, Plan)| plan.1 == Plan::Converts && plan.0 <= eve;
            converted.extend(
                firm.plans
                    .iter()
                    .find(|plan| before(plan))
                    .map(|(day, _)| (firm.number, *day)),
            );
            city.enter(firm);
        }
        for (number, day) in converted {
            conversion::convert(&mut city, number, day);
        }
        stories::choose(&mut city);
        city
    }

    /// A firm that the city did not have.
    pub(crate) fn enter(&mut self, firm: Firm) {
        let written = market::code(&self.options, &firm);
        if written != firm.code {
            self.by_slip.insert(written.into_owned(), firm.number);
        }
        self.by_code.insert(firm.code.clone(), firm.number);
        self.firms.push(firm);
    }

    /// What it was made from.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The last day that has passed.
    #[must_use]
    pub fn today(&self) -> Date {
        self.today
    }

    /// How many firms there are, of any state.
    #[must_use]
    pub fn len(&self) -> usize {
        self.firms.len()
    }

    /// Whether there is no firm at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.firms.is_empty()
    }

    /// The firm with this credit code, as it is or as the registrar writes it: whoever goes there finds the firm either way.
    #[must_use]
    pub fn firm(&self, credit_code: &str) -> Option<&Firm> {
        self.firms.get(self.number(credit_code)? as usize)
    }

    /// Its number.
    pub(crate) fn number(&self, credit_code: &str) -> Option<u32> {
        self.by_code
            .get(credit_code)
            .or_else(|| self.by_slip.get(credit_code))
            .copied()
    }

    /// Lives through all days after [`Self::today`] up to and with `day`. What firms were told reaches them before the first of these days.
    /// A day that has passed already changes nothing.
    pub fn advance(&mut self, day: Date, calendar: &Calendar, told: &[Told]) {
        days::tell(self, told, calendar);
        while self.today < day {
            self.today = plus_days(self.today, 1);
            days::pass(self, self.today, calendar);
            self.remember();
        }
    }

    /// What firms have answered since the last call.
    pub fn take_replies(&mut self) -> Vec<Reply> {
        std::mem::take(&mut self.replies)
    }

    /// Firms whose stories are worth telling.
    #[must_use]
    pub fn stories(&self) -> &[stories::Story] {
        &self.stories
    }

    fn remember(&mut self) {
        let today = self.today;
        self.standings.resize(self.firms.len(), Vec::new());
        for (firm, known) in self.firms.iter().zip(&mut self.standings) {
            let standing = firm.standing(today);
            if known.last().is_none_or(|(_, last)| *last != standing) {
                known.push((today, standing));
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::calendar::{CalendarYear, Holiday};
    use crate::demo::firm::State;
    use crate::demo::options::Dirt;

    /// The papers of 2025 and 2026 as far as a run needs them.
    pub(crate) fn calendar() -> Calendar {
        let holiday = |name: &str, from: &str, to: &str, workdays: &[&str]| Holiday {
            name: name.into(),
            from: from.into(),
            to: to.into(),
            workdays: workdays.iter().map(|day| (*day).into()).collect(),
        };
        Calendar::new(vec![CalendarYear {
            year: 2026,
            paper: "2026".into(),
            holiday: vec![
                holiday("清明", "2026-04-04", "2026-04-06", &[]),
                holiday("劳动节", "2026-05-01", "2026-05-05", &["2026-05-09"]),
                holiday("端午", "2026-06-19", "2026-06-21", &[]),
            ],
        }])
        .unwrap()
    }

    pub(crate) fn options(enterprises: u32, seed: u64, dirt: Dirt) -> Options {
        Options {
            enterprises,
            seed,
            start: date(2026, 3, 2),
            days: 120,
            dirt,
        }
    }

    #[test]
    fn a_snapshot_continues_exactly() {
        let calendar = calendar();
        let mut whole = City::new(options(300, 5, Dirt::Default));
        whole.advance(date(2026, 3, 20), &calendar, &[]);
        let told: Vec<Told> = whole
            .firms
            .iter()
            .filter(|firm| firm.duty(whole.today).state == State::Owes)
            .map(|firm| Told {
                credit_code: firm.code.clone(),
                day: whole.today,
                how: Channel::Letter,
            })
            .collect();
        assert!(told.len() > 10);
        let snapshot = serde_json::to_string(&whole).unwrap();
        let mut restored: City = serde_json::from_str(&snapshot).unwrap();
        assert_eq!(whole, restored);
        for city in [&mut whole, &mut restored] {
            city.advance(date(2026, 4, 30), &calendar, &told);
        }
        assert_eq!(whole, restored);
        assert_eq!(whole.truth_lines(), restored.truth_lines());
        let left = told
            .iter()
            .filter(|t| whole.firm(&t.credit_code).unwrap().duty(whole.today).state == State::Owes)
            .count();
        assert!(
            left > 0 && left * 3 < told.len() * 2,
            "{left} of {} still owe",
            told.len()
        );
    }

    #[test]
    fn many_firms_are_shells_and_a_tenth_owes() {
        let city = City::new(options(2000, 3, Dirt::None));
        let start = city.options.start;
        let active: Vec<&Firm> = city
            .firms
            .iter()
            .filter(|firm| firm.is_active(start))
            .collect();
        let shells = active.iter().filter(|firm| firm.filers(start) <= 1).count();
        assert!(
            shells * 100 >= active.len() * 40,
            "{shells} of {}",
            active.len()
        );
        let owe = city
            .firms
            .iter()
            .filter(|firm| firm.standing(start).state == State::Owes)
            .count();
        assert!((140..=220).contains(&owe), "{owe}");
    }

    #[test]
    fn a_day_lived_in_parts_is_the_same_day() {
        let calendar = calendar();
        let mut at_once = City::new(options(200, 9, Dirt::Default));
        let mut by_days = at_once.clone();
        at_once.advance(date(2026, 4, 10), &calendar, &[]);
        let mut day = date(2026, 3, 2);
        while day <= date(2026, 4, 10) {
            by_days.advance(day, &calendar, &[]);
            day = plus_days(day, 1);
        }
        assert_eq!(at_once, by_days);
        assert_ne!(
            at_once.firms,
            City::new(options(200, 10, Dirt::Default)).firms
        );
    }
}
