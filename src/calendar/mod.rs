//! Working days with 调休, legal clocks, contact hours. Pure: a day, a table, an answer.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use serde::Deserialize;

pub mod age;
pub mod clock;
pub mod hours;
pub mod shanghai;

/// One file of `config/calendar/`: the days of a State Council paper (国务院办公厅节假日安排) that deviate from the week.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarYear {
    /// The year of the paper; late-December days may stand in the next year's.
    pub year: i16,
    /// Title or number of the paper.
    pub paper: String,
    /// The holidays.
    pub holiday: Vec<Holiday>,
}

/// One holiday of a paper.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// 春节 …
    pub name: String,
    /// First day off.
    pub from: String,
    /// Last day off.
    pub to: String,
    /// Saturdays and Sundays that are worked for it (调休).
    #[serde(default)]
    pub workdays: Vec<String>,
}

/// All known papers together. A year without a paper falls back to the plain week, and [`Self::knows`] says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    days: BTreeMap<Date, bool>,
    years: Vec<i16>,
}

impl Calendar {
    /// Puts the papers together.
    ///
    /// # Errors
    /// What is wrong in which paper, in Chinese: a date that is none, an empty span, a day both off and worked.
    pub fn new(years: Vec<CalendarYear>) -> Result<Self, Vec<String>> {
        let mut calendar = Self::default();
        let mut faults = Vec::new();
        for paper in years {
            if calendar.knows(paper.year) {
                faults.push(format!("{}年有两份节假日安排", paper.year));
                continue;
            }
            calendar.years.push(paper.year);
            for holiday in &paper.holiday {
                calendar.add(paper.year, holiday, &mut faults);
            }
        }
        calendar.years.sort_unstable();
        if faults.is_empty() {
            Ok(calendar)
        } else {
            Err(faults)
        }
    }

    /// Whether a paper of this year is known.
    #[must_use]
    pub fn knows(&self, year: i16) -> bool {
        self.years.contains(&year)
    }

    /// Whether people work on this day.
    #[must_use]
    pub fn is_working_day(&self, day: Date) -> bool {
        self.days
            .get(&day)
            .copied()
            .unwrap_or_else(|| !is_weekend(day))
    }

    /// The day itself when it is worked, else the next that is.
    #[must_use]
    pub fn working_day_from(&self, mut day: Date) -> Date {
        while !self.is_working_day(day) {
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        day
    }

    /// `n` working days after `day`, which is not counted itself; `day` when `n` is 0. Stops at the last day there is.
    #[must_use]
    pub fn plus_working_days(&self, mut day: Date, n: u32) -> Date {
        let mut left = n;
        while left > 0 {
            let Ok(next) = day.tomorrow() else { break };
            day = next;
            if self.is_working_day(day) {
                left -= 1;
            }
        }
        day
    }

    /// Working days after `from` up to and with `to`; 0 when `to` is not later.
    #[must_use]
    pub fn working_days_between(&self, from: Date, to: Date) -> u32 {
        let mut day = from;
        let mut worked = 0;
        while day < to {
            let Ok(next) = day.tomorrow() else { break };
            day = next;
            worked += u32::from(self.is_working_day(day));
        }
        worked
    }

    /// Whether `day` is the `n`th working day of its month (1 is the first).
    #[must_use]
    pub fn is_nth_working_day(&self, day: Date, n: u32) -> bool {
        let first = day.first_of_month();
        let counted = u32::from(self.is_working_day(first)) + self.working_days_between(first, day);
        self.is_working_day(day) && counted == n
    }

    fn add(&mut self, year: i16, holiday: &Holiday, faults: &mut Vec<String>) {
        let place = format!("{year}年“{}”", holiday.name);
        match (
            date_of_paper(year, &holiday.from),
            date_of_paper(year, &holiday.to),
        ) {
            (Ok(from), Ok(to)) if from > to => {
                faults.push(format!("{place}：{from}至{to}没有一天，起止日期颠倒"));
            }
            // No holiday of a paper is as long as a month: a wrong digit must not free half a year.
            (Ok(from), Ok(to)) if (to - from).get_days() > 31 => {
                faults.push(format!("{place}：{from}至{to}超过31天"));
            }
            (Ok(from), Ok(to)) => {
                let days = from
                    .series(jiff::Span::new().days(1))
                    .take_while(|day| *day <= to);
                for day in days {
                    self.set(day, false, &place, faults);
                }
            }
            (from, to) => {
                for fault in [from, to].into_iter().filter_map(Result::err) {
                    faults.push(format!("{place}：{fault}"));
                }
            }
        }
        for text in &holiday.workdays {
            match date_of_paper(year, text) {
                Ok(day) if !is_weekend(day) => faults.push(format!(
                    "{place}：调休上班日{day}不是星期六、星期日，无需列出"
                )),
                Ok(day) => self.set(day, true, &place, faults),
                Err(fault) => faults.push(format!("{place}：{fault}")),
            }
        }
    }

    fn set(&mut self, day: Date, worked: bool, place: &str, faults: &mut Vec<String>) {
        if self
            .days
            .insert(day, worked)
            .is_some_and(|before| before != worked)
        {
            faults.push(format!("{place}：{day}既列为放假又列为上班"));
        }
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// A day of the paper of `year`: in that year, or in the December before it.
fn date_of_paper(year: i16, text: &str) -> Result<Date, String> {
    let day: Date = text
        .parse()
        .ok()
        .filter(|_| text.len() == "2026-01-01".len())
        .ok_or_else(|| format!("“{text}”不是日期（应如2026-01-01）"))?;
    let fits =
        day.year() == year || (i32::from(day.year()) == i32::from(year) - 1 && day.month() == 12);
    if fits {
        Ok(day)
    } else {
        Err(format!("{day}不在{year}年（上年12月除外）"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn year(text: &str) -> CalendarYear {
        toml::from_str(text).expect("a calendar file")
    }

    /// The shipped calendar.
    pub(crate) fn shipped() -> Calendar {
        Calendar::new(vec![
            year(include_str!("../../config/calendar/2025.toml")),
            year(include_str!("../../config/calendar/2026.toml")),
        ])
        .expect("the shipped papers fit together")
    }

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn each_shipped_year_has_248_working_days() {
        let calendar = shipped();
        for year in [2025, 2026] {
            let worked = calendar.working_days_between(date(year - 1, 12, 31), date(year, 12, 31));
            assert_eq!(worked, 248, "{year}");
            assert!(calendar.knows(year));
        }
        assert!(!calendar.knows(2027));
    }

    #[test]
    fn working_days_are_counted_over_holidays_and_shifted_weekends() {
        let calendar = shipped();
        for (from, n, to) in [
            ("2026-02-13", 1, "2026-02-14"),
            ("2026-02-13", 5, "2026-02-27"),
            ("2026-04-30", 5, "2026-05-11"),
            ("2026-09-18", 5, "2026-09-24"),
            ("2026-09-24", 5, "2026-10-09"),
            ("2026-09-30", 10, "2026-10-20"),
            ("2025-01-24", 5, "2025-02-07"),
            ("2025-09-26", 5, "2025-10-10"),
            ("2025-12-31", 3, "2026-01-06"),
        ] {
            assert_eq!(
                calendar.plus_working_days(day(from), n),
                day(to),
                "{from} + {n}"
            );
            assert_eq!(calendar.working_days_between(day(from), day(to)), n);
        }
        assert_eq!(
            calendar.working_days_between(day("2026-03-05"), day("2026-03-05")),
            0
        );
        assert_eq!(
            calendar.working_days_between(day("2026-03-05"), day("2026-03-01")),
            0
        );
    }

    #[test]
    fn a_year_without_a_paper_is_a_plain_week() {
        let calendar = shipped();
        assert!(calendar.is_working_day(date(2027, 10, 1)));
        assert!(!calendar.is_working_day(date(2027, 10, 2)));
    }

    #[test]
    fn the_nth_working_day_of_a_month_is_found() {
        let calendar = shipped();
        for (text, n, is) in [
            ("2026-01-04", 1, true),
            ("2026-01-05", 2, true),
            ("2026-01-05", 1, false),
            ("2026-10-08", 1, true),
            ("2026-10-10", 3, true),
            ("2026-10-11", 3, false),
            ("2025-04-01", 1, true),
        ] {
            assert_eq!(calendar.is_nth_working_day(day(text), n), is, "{text} {n}");
        }
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        let calendar = Calendar::default();
        assert_eq!(calendar.plus_working_days(Date::MAX, 3), Date::MAX);
        assert_eq!(calendar.working_days_between(Date::MAX, Date::MAX), 0);
        assert!(calendar.working_day_from(Date::MAX) <= Date::MAX);
    }

    #[test]
    fn a_wrong_paper_is_refused_with_its_place() {
        for (holiday, wanted) in [
            (r#"from = "2026-10-07", to = "2026-10-01""#, "颠倒"),
            (r#"from = "2026-10-1", to = "2026-10-07""#, "不是日期"),
            (r#"from = "2026-02-30", to = "2026-03-01""#, "不是日期"),
            (r#"from = "2026-01-01", to = "2026-10-01""#, "超过31天"),
            (r#"from = "2028-10-01", to = "2028-10-02""#, "不在2026年"),
            (
                r#"from = "2026-10-03", to = "2026-10-04", workdays = ["2026-10-04"]"#,
                "既列为放假又列为上班",
            ),
            (
                r#"from = "2026-10-01", to = "2026-10-02", workdays = ["2026-10-09"]"#,
                "不是星期六",
            ),
        ] {
            let paper = year(&format!(
                "year = 2026\npaper = \"甲\"\nholiday = [{{ name = \"乙节\", {holiday} }}]"
            ));
            let faults = Calendar::new(vec![paper]).expect_err(holiday);
            assert!(
                faults
                    .iter()
                    .any(|fault| fault.contains(wanted) && fault.contains("乙节")),
                "{holiday}: {faults:?}"
            );
        }
        let paper = year("year = 2026\npaper = \"甲\"\nholiday = []");
        assert!(Calendar::new(vec![paper.clone(), paper]).is_err());
    }

    #[test]
    fn a_december_day_may_stand_in_the_next_paper() {
        let calendar = Calendar::new(vec![year(
            r#"
            year = 2023
            paper = "甲"
            holiday = [{ name = "元旦", from = "2022-12-31", to = "2023-01-02" }]"#,
        )])
        .expect("a paper");
        assert!(!calendar.is_working_day(date(2023, 1, 2)));
        assert!(!calendar.is_working_day(date(2022, 12, 31)));
    }

    proptest! {
        #[test]
        fn working_days_after_a_day_are_worked_ordered_and_counted_back(
            offset in 0i64..1_200,
            n in 1u32..60,
        ) {
            let calendar = shipped();
            let from = date(2024, 11, 1) + jiff::Span::new().days(offset);
            let to = calendar.plus_working_days(from, n);
            prop_assert!(calendar.is_working_day(to));
            prop_assert!(to > from);
            prop_assert!(to < calendar.plus_working_days(from, n + 1));
            prop_assert!(to <= calendar.plus_working_days(from + jiff::Span::new().days(1), n));
            prop_assert_eq!(calendar.working_days_between(from, to), n);
        }

        #[test]
        fn rolling_moves_only_days_off_and_never_back(offset in 0i64..1_200) {
            let calendar = shipped();
            let day = date(2024, 11, 1) + jiff::Span::new().days(offset);
            let rolled = calendar.working_day_from(day);
            prop_assert!(rolled >= day && calendar.is_working_day(rolled));
            prop_assert_eq!(rolled == day, calendar.is_working_day(day));
        }
    }
}
