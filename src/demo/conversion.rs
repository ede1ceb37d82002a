//! Individual businesses that go on as companies (个体转企业): another firm with another code, the same people at the same place.

use jiff::civil::Date;

use crate::demo::chance::Chance;
use crate::demo::city::City;
use crate::demo::firm::{Cover, Firm, Habit, Plan, Status};
use crate::demo::genesis;
use crate::demo::names;
use crate::demo::places::place;
use crate::demo::steps::{Steps, plus_days};

/// Whether a firm goes on as a company on or before a day.
pub(crate) fn is_due(firm: &Firm, day: Date) -> bool {
    firm.plans
        .iter()
        .any(|(on, plan)| *plan == Plan::Converts && *on <= day)
}

/// The individual business with this number goes on as a company from `day` on. Its staff stay on its entry of the roll until
/// somebody rewrites that.
pub(crate) fn convert(city: &mut City, number: u32, day: Date) {
    let successor = u32::try_from(city.firms.len()).unwrap_or(u32::MAX);
    let options = &city.options;
    let Some(old) = city.firms.get_mut(number as usize) else {
        return;
    };
    let mut chance = Chance::new(options.seed, number.into(), "converted", 0);
    let mut new = genesis::blank(options, successor, day);
    let region = place(old.unit).region;
    new.code = names::credit_code("91", region, successor, options.seed, false);
    new.trade = old.trade;
    new.unit = old.unit;
    genesis::measure(&mut new, &mut chance, false);
    let word = names::word(old.number, options.seed);
    let name = names::company(&word, old.trade(), place(old.unit), chance.below(10));
    new.names = Steps::always(name);
    new.town.clone_from(&old.town);
    new.address.clone_from(&old.address);
    new.phone.clone_from(&old.phone);
    new.tax_phone.clone_from(&old.tax_phone);
    new.email.clone_from(&old.email);
    new.staff.set(day, old.staff.heads(day));
    new.habit = Habit::Registers;
    new.cover = Cover::Predecessor {
        firm: number,
        until: plus_days(day, chance.days(40, 150)),
    };
    // Its story is told to the end: the entry that covers its staff must not vanish under them.
    new.protected = true;
    let state = if chance.percent(60) {
        Status::Converted
    } else {
        Status::Cancelled
    };
    old.states.set(day, state);
    old.approved = day;
    old.staff.set(day, 0);
    old.plans.clear();
    old.successor = Some(successor);
    city.enter(new);
}

/// The entry on the roll is rewritten to the company.
pub(crate) fn hand_over(city: &mut City, old: u32, new: u32) {
    let Some(old) = city.firms.get_mut(old as usize) else {
        return;
    };
    let (entry, rows) = (old.entry.take(), old.rows);
    let insured = std::mem::take(&mut old.insured);
    if let Some(new) = city.firms.get_mut(new as usize) {
        new.entry = entry;
        new.rows = rows;
        new.insured = insured;
        new.cover = Cover::Own;
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::demo::city::tests::{calendar, options};
    use crate::demo::clerks::ClerkFinding;
    use crate::demo::firm::{Form, State};
    use crate::demo::options::Dirt;

    #[test]
    fn whoever_grew_from_an_individual_business_is_covered_by_its_entry_and_then_by_its_own() {
        let calendar = calendar();
        let mut city = City::new(options(3000, 5, Dirt::Default));
        let (mut by_predecessor, mut by_itself) = (0, 0);
        let mut day = city.options.start;
        while day <= date(2026, 6, 20) {
            city.advance(day, &calendar, &[]);
            for old in city.firms.iter().filter(|firm| firm.successor.is_some()) {
                let new = &city.firms[old.successor.unwrap() as usize];
                assert!(old.form == Form::Individual && !old.is_active(day));
                if new.approved == new.founded {
                    let places = [(&old.phone, &old.address), (&new.phone, &new.address)];
                    assert_eq!(places[0], places[1]);
                }
                assert_eq!(city.firm(&new.code).unwrap().number, new.number);
                let duty = new.duty(day);
                assert_ne!(duty.state, State::Owes, "{new:?}");
                if duty.state == State::InsuredByPredecessor {
                    assert!(old.entry.is_some() && new.entry.is_none());
                    let heads = old.insured[0].heads(day);
                    assert_eq!(heads, duty.staff, "{old:?}");
                    let answer = city.answer(&new.code, day).unwrap();
                    assert_eq!(answer.finding, ClerkFinding::InsuredAlready);
                    by_predecessor += 1;
                } else if new.entry.is_some() {
                    assert!(old.entry.is_none());
                    by_itself += 1;
                }
            }
            day = plus_days(day, 7);
        }
        assert!(by_predecessor > 30, "{by_predecessor}");
        assert!(by_itself > 10, "{by_itself}");
    }
}
