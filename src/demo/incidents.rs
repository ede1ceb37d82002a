//! What goes wrong with deliveries in a long run: fixed by the options, so that a run can be looked at again.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;
use crate::demo::city::City;
use crate::demo::options::{Dirt, Options};
use crate::demo::steps::plus_days;
use crate::domain::record::Month;

/// What is wrong on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Incident {
    /// The tax file of the month before the start is overdue.
    TaxLate,
    /// The roll is a valid file from which whole counties are missing.
    RollHalved,
    /// The roll is whole again.
    RollWhole,
    /// The roll does not come.
    RollAbsent,
    /// The registrar's zip is cut off though its marker is there.
    RegistrationTruncated,
}

/// Runs shorter than this have no incidents.
const SHORTEST_RUN_DAYS: u32 = 60;

/// The day from which a late tax file is there; `None` for a month that is in time.
#[must_use]
pub fn tax_late(options: &Options, month: Month) -> Option<Date> {
    let late = options.days >= SHORTEST_RUN_DAYS && month == Month::of(options.start).plus(-1);
    late.then(|| plus_days(month.plus(2).first_day(), 1))
}

/// Working days without a roll: more than its adapter's `age` allows.
const ABSENT_WORKING_DAYS: u32 = 6;

/// Where the stretches without a roll begin, for a run of 120 days; the second only where dirt is heavy.
const ABSENT_FROM: [u32; 2] = [75, 100];

/// The working day on or after a place in the run, given for a run of 120 days.
fn placed(options: &Options, calendar: &Calendar, of_120: u32) -> Date {
    let offset = i32::try_from(of_120 * options.days.min(120) / 120).unwrap_or(0);
    calendar.working_day_from(plus_days(options.start, offset))
}

impl City {
    /// The working days on which no roll comes.
    #[must_use]
    pub fn roll_absences(&self, calendar: &Calendar) -> BTreeSet<Date> {
        let options = &self.options;
        let stretches = match options.dirt {
            Dirt::Default if options.days >= SHORTEST_RUN_DAYS => 1,
            Dirt::Heavy if options.days >= SHORTEST_RUN_DAYS => 2,
            Dirt::None | Dirt::Default | Dirt::Heavy => 0,
        };
        ABSENT_FROM[..stretches]
            .iter()
            .flat_map(|from| {
                let first = placed(options, calendar, *from);
                (0..ABSENT_WORKING_DAYS).map(move |n| calendar.plus_working_days(first, n))
            })
            .collect()
    }

    /// What is wrong with the deliveries of a day; the gravest when there are two.
    #[must_use]
    pub fn incident(&self, day: Date, calendar: &Calendar) -> Option<Incident> {
        let options = &self.options;
        if options.days < SHORTEST_RUN_DAYS {
            return None;
        }
        let halved = placed(options, calendar, 43);
        if day == halved {
            return Some(Incident::RollHalved);
        }
        if day == calendar.plus_working_days(halved, 1) {
            return Some(Incident::RollWhole);
        }
        if day == placed(options, calendar, 50) {
            return Some(Incident::RegistrationTruncated);
        }
        if self.roll_absences(calendar).contains(&day) {
            return Some(Incident::RollAbsent);
        }
        let month = Month::of(options.start).plus(-1);
        let due = plus_days(month.plus(1).first_day(), 15);
        tax_late(options, month)
            .filter(|there| day >= due && day < *there)
            .map(|_| Incident::TaxLate)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::demo::city::tests::{calendar, options};
    #[test]
    fn incidents_have_their_days() {
        let calendar = calendar();
        let city = City::new(options(20, 1, Dirt::None));
        let cases = [
            (date(2026, 3, 15), None),
            (date(2026, 3, 16), Some(Incident::TaxLate)),
            (date(2026, 4, 1), Some(Incident::TaxLate)),
            (date(2026, 4, 2), None),
            (date(2026, 4, 14), Some(Incident::RollHalved)),
            (date(2026, 4, 15), Some(Incident::RollWhole)),
            (date(2026, 4, 21), Some(Incident::RegistrationTruncated)),
        ];
        for (day, incident) in cases {
            assert_eq!(city.incident(day, &calendar), incident, "{day}");
        }
        for (dirt, stretches) in [(Dirt::None, 0), (Dirt::Default, 1), (Dirt::Heavy, 2)] {
            let city = City::new(options(20, 1, dirt));
            let absences = city.roll_absences(&calendar);
            assert_eq!(absences.len(), stretches * ABSENT_WORKING_DAYS as usize);
            for day in &absences {
                assert!(calendar.is_working_day(*day));
                assert_eq!(city.incident(*day, &calendar), Some(Incident::RollAbsent));
            }
        }
        let mut short = options(20, 1, Dirt::None);
        short.days = 30;
        assert_eq!(
            City::new(short).incident(date(2026, 3, 16), &calendar),
            None
        );
    }
}
