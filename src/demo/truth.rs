//! The truth, written so that anybody can recompute who was in scope, liable, past grace and not fully covered on a day.

use jiff::civil::Date;
use serde::Serialize;

use crate::demo::city::City;
use crate::demo::departments::tax;
use crate::demo::firm::{Firm, Standing, State};
use crate::demo::places::place;
use crate::domain::finding::Insurance;
use crate::domain::record::Month;

/// One stretch of days with one standing; it lasts until the next begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interval {
    /// Its first day.
    pub from: Date,
    /// The state.
    pub state: State,
    /// Kinds in which somebody is uncovered.
    pub uncovered: Vec<Insurance>,
    /// Heads uncovered in the worst kind.
    pub heads: u32,
    /// Staff of its own.
    pub staff: u32,
    /// For `owes`: the first day of it on which the exports held what shows it — two consecutive monthly tax files, both
    /// delivered, with two or more wage filers at whose month's end it owed already.
    pub evidence_from: Option<Date>,
}

/// The truth about one firm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// Its credit code.
    pub credit_code: String,
    /// Its newest name.
    pub name: String,
    /// The unit its case belongs to now.
    pub unit: &'static str,
    /// Its standings from the start of the run (or its founding) on, oldest first.
    pub intervals: Vec<Interval>,
    /// The first day on which the exports held two consecutive monthly tax files with two or more wage filers of it.
    pub evidence_from: Option<Date>,
    /// Whether the special plan looks at firms like it.
    pub scope: bool,
}

impl City {
    /// The truth about one firm.
    #[must_use]
    pub fn truth(&self, credit_code: &str) -> Option<Truth> {
        Some(self.truth_of(self.firm(credit_code)?))
    }

    /// The truth about all firms: a line of JSON each, in the order of their numbers.
    #[must_use]
    pub fn truth_lines(&self) -> String {
        let mut lines = String::new();
        for firm in &self.firms {
            // A struct of texts and numbers always serialises.
            lines.push_str(&serde_json::to_string(&self.truth_of(firm)).unwrap_or_default());
            lines.push('\n');
        }
        lines
    }

    /// The truth about all firms, in the order of their numbers.
    pub fn truths(&self) -> impl Iterator<Item = Truth> + '_ {
        self.firms.iter().map(|firm| self.truth_of(firm))
    }

    /// Its true standing on a day of the run; `None` before its founding or for an unknown code.
    #[must_use]
    pub fn standing(&self, credit_code: &str, day: Date) -> Option<&Standing> {
        let number = self.number(credit_code)? as usize;
        self.standings
            .get(number)?
            .iter()
            .rev()
            .find(|(from, _)| *from <= day)
            .map(|(_, standing)| standing)
    }

    fn truth_of(&self, firm: &Firm) -> Truth {
        let standings = self
            .standings
            .get(firm.number as usize)
            .map_or(&[][..], Vec::as_slice);
        Truth {
            credit_code: firm.code.clone(),
            name: firm.names.now().cloned().unwrap_or_default(),
            unit: place(firm.case_unit()).id,
            intervals: standings
                .iter()
                .enumerate()
                .map(|(at, (from, standing))| Interval {
                    from: *from,
                    state: standing.state,
                    uncovered: standing.uncovered.clone(),
                    heads: standing.heads,
                    staff: standing.staff,
                    evidence_from: self.shown_from(firm, standings, at),
                })
                .collect(),
            evidence_from: self.evidence_from(firm),
            scope: firm.in_scope(),
        }
    }

    /// The first day from `from` on that the exports hold what shows a standing of owing.
    fn shown_from(&self, firm: &Firm, standings: &[(Date, Standing)], at: usize) -> Option<Date> {
        let (from, standing) = standings.get(at)?;
        // It has owed without a break since then; before the run began, nobody knows since when.
        let settled = standings[..at]
            .iter()
            .rposition(|(_, before)| before.state != State::Owes);
        let since = settled.map_or(Date::MIN, |settled| standings[settled + 1].0);
        if standing.state != State::Owes || standing.staff < 2 {
            return None;
        }
        let shown = |month: Month| {
            month.last_day() >= since
                && tax::filers(firm, month) >= 2
                && firm.duty(month.last_day()).state == State::Owes
        };
        let first = tax::first_month(&self.options);
        let mut earliest: Option<Date> = None;
        let mut month = first.plus(1);
        while month < Month::of(self.today) {
            if shown(month) && shown(month.plus(-1)) {
                let there = tax::delivered(&self.options, month)
                    .max(tax::delivered(&self.options, month.plus(-1)))
                    .max(*from);
                if there <= self.today {
                    earliest = Some(earliest.map_or(there, |known| known.min(there)));
                }
            }
            month = month.plus(1);
        }
        earliest
    }

    /// Both files must be there: a month that comes late delays the evidence of the next one too.
    fn evidence_from(&self, firm: &Firm) -> Option<Date> {
        let first = tax::first_month(&self.options);
        let mut earliest: Option<Date> = None;
        let mut month = first.plus(1);
        while month <= Month::of(self.today) {
            let there = tax::delivered(&self.options, month)
                .max(tax::delivered(&self.options, month.plus(-1)));
            let shown = |month: Month| tax::filers(firm, month) >= 2;
            if there <= self.today && shown(month) && shown(month.plus(-1)) {
                earliest = Some(earliest.map_or(there, |known| known.min(there)));
            }
            month = month.plus(1);
        }
        earliest
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use crate::demo::city::City;
    use crate::demo::city::tests::{calendar, options};
    use crate::demo::firm::State;
    use crate::demo::options::Dirt;

    #[test]
    fn intervals_are_in_order_and_say_what_they_mean() {
        let mut city = City::new(options(400, 11, Dirt::Default));
        city.advance(date(2026, 5, 29), &calendar(), &[]);
        let mut owing_with_evidence = 0;
        for firm in &city.firms {
            let truth = city.truth(&firm.code).unwrap();
            assert!(!truth.intervals.is_empty());
            assert!(
                truth
                    .intervals
                    .windows(2)
                    .all(|pair| pair[0].from < pair[1].from && pair[0] != pair[1])
            );
            for interval in &truth.intervals {
                if interval.state == State::Owes {
                    assert!(
                        truth.scope
                            && interval.heads > 0
                            && interval.heads <= interval.staff
                            && !interval.uncovered.is_empty()
                    );
                }
                if matches!(
                    interval.state,
                    State::Insured | State::Construction | State::NotLiable
                ) {
                    assert_eq!((interval.heads, interval.uncovered.len()), (0, 0));
                }
            }
            let last = truth.intervals.last().unwrap();
            owing_with_evidence +=
                usize::from(last.state == State::Owes && truth.evidence_from.is_some());
        }
        assert!(owing_with_evidence >= 20, "{owing_with_evidence}");
        assert_eq!(city.truth_lines().lines().count(), city.len());
    }
}
