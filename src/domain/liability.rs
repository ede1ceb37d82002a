//! Who is liable to insure its staff, for which kinds, since when and by which article: dated rules, read from
//! `config/rules/liability.toml`. What the exports cannot show — part-time work, persons over age, staff of a dispatch agency — a
//! named clerk records; the table says what such a record explains and what explains nothing.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::case::ClerkEvent;
use crate::domain::finding::Insurance;
use crate::domain::industry;
use crate::domain::record::Field;

/// `config/rules/liability.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiabilityTable {
    /// The laws it follows.
    pub basis: String,
    /// Periods, oldest first, without a gap; the last one is open.
    pub period: Vec<Period>,
}

/// What holds from one day to another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day; open without it.
    pub until: Option<Date>,
    /// Why the period begins: the law that came into force.
    pub source: String,
    /// Registration of the unit after its establishment.
    pub unit: Duty,
    /// Registration of staff after they were taken on.
    pub staff: Duty,
    /// What each state of the register means.
    pub status: BTreeMap<String, StatusRule>,
    /// The kinds.
    pub kind: Vec<KindRule>,
    /// What a clerk may record that explains missing cover.
    pub explanation: Vec<Explanation>,
    /// What is put forward and explains nothing while a labour relation exists.
    pub no_explanation: Vec<NoExplanation>,
}

/// A duty with its period of grace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// Calendar days.
    pub days: i32,
    /// The article.
    pub article: String,
}

/// What a state of the register means for the duty to insure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusRule {
    /// Whether it is liable.
    pub liable: Liable,
    /// The article.
    pub article: String,
}

/// Whether an enterprise of a state is liable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Liable {
    /// It is.
    Yes,
    /// The state does not end the duty; whether anybody is employed is for a person to find out.
    Verify,
    /// It is not.
    No,
}

/// One kind of insurance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindRule {
    /// Which.
    pub kind: Insurance,
    /// The article that makes the employer insure for it.
    pub article: String,
    /// Industries that insure for it otherwise than on the unit's own entry.
    #[serde(default)]
    pub otherwise: Vec<Otherwise>,
}

/// Industries whose entry need not show a kind.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Otherwise {
    /// Prefixes or ranges of divisions.
    pub codes: Vec<String>,
    /// How they insure, in Chinese.
    pub how: String,
    /// The article.
    pub article: String,
}

/// A circumstance that explains missing cover.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The event a clerk records.
    pub event: ClerkEvent,
    /// Kinds that are not owed for this reason.
    pub clears: Vec<Insurance>,
    /// Calendar days for which the record holds when no end is given.
    pub days: i32,
    /// The article.
    pub article: String,
}

/// A circumstance that explains nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoExplanation {
    /// The event a clerk records.
    pub event: ClerkEvent,
    /// The article.
    pub article: String,
}

impl LiabilityTable {
    /// The period in force on a day; before the first one, the first.
    #[must_use]
    pub fn on(&self, day: Date) -> Option<&Period> {
        self.period
            .iter()
            .rev()
            .find(|period| period.from <= day)
            .or_else(|| self.period.first())
    }

    /// What is wrong in the table itself, in Chinese.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.period.is_empty() {
            faults.push("没有任何时段 [[period]]".to_owned());
        }
        for pair in self.period.windows(2) {
            let follows = pair[0]
                .until
                .and_then(|until| until.tomorrow().ok())
                .is_some_and(|next| next == pair[1].from);
            if !follows {
                faults.push(format!(
                    "{}起的时段应紧接上一时段的末日（until）之后，不重叠、不间断",
                    pair[1].from
                ));
            }
        }
        if let Some(last) = self.period.last().and_then(|last| last.until) {
            faults.push(format!("最后一个时段止于{last}，其后没有规则"));
        }
        for period in &self.period {
            faults.extend(
                period
                    .faults()
                    .into_iter()
                    .map(|fault| format!("{}起的时段：{fault}", period.from)),
            );
        }
        faults
    }
}

impl Period {
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, duty) in [("unit", &self.unit), ("staff", &self.staff)] {
            if duty.days < 0 {
                faults.push(format!("{name}.days 不能小于 0"));
            }
        }
        for kind in Insurance::ALL {
            match self.kind.iter().filter(|rule| rule.kind == kind).count() {
                1 => {}
                0 => faults.push(format!("缺少险种“{}”", kind.word())),
                _ => faults.push(format!("险种“{}”写了多次", kind.word())),
            }
        }
        let words = Field::Status.words();
        for word in words {
            if !self.status.contains_key(*word) {
                faults.push(format!("缺少登记状态“{word}”"));
            }
        }
        for word in self.status.keys() {
            if !words.contains(&word.as_str()) {
                faults.push(format!(
                    "没有登记状态“{word}”，可用的有 {}",
                    words.join("、")
                ));
            }
        }
        for explanation in &self.explanation {
            let word = explanation.event.word();
            if explanation.event.closes().is_none() {
                faults.push(format!("“{word}”不是可以办结个案的事项，不能作为免除理由"));
            }
            if explanation.clears.is_empty() || explanation.days <= 0 {
                faults.push(format!(
                    "免除理由“{word}”应写明险种（clears）和有效天数（days）"
                ));
            }
        }
        for none in &self.no_explanation {
            if !none.event.is_no_excuse() {
                faults.push(format!("“{}”不能列为不构成免除的理由", none.event.word()));
            }
        }
        for event in ClerkEvent::ALL {
            let explained = self.explanation.iter().filter(|e| e.event == event).count();
            let refused = self
                .no_explanation
                .iter()
                .filter(|e| e.event == event)
                .count();
            if explained + refused > 1 {
                faults.push(format!("事项“{}”写了多次", event.word()));
            }
            if event.needs_rule() && explained + refused == 0 {
                faults.push(format!("缺少事项“{}”的规则", event.word()));
            }
        }
        faults
    }

    /// The rule of a kind.
    #[must_use]
    pub fn kind(&self, kind: Insurance) -> Option<&KindRule> {
        self.kind.iter().find(|rule| rule.kind == kind)
    }

    /// How an industry insures for a kind when not on its own entry.
    #[must_use]
    pub fn otherwise(&self, kind: Insurance, industry: Option<&str>) -> Option<&Otherwise> {
        let industry = industry?;
        self.kind(kind)?
            .otherwise
            .iter()
            .find(|other| industry::is_within(industry, &other.codes))
    }

    /// Whether a state of the register leaves the enterprise liable; an unknown state is for a person.
    #[must_use]
    pub fn liable(&self, status: Option<&str>) -> Liable {
        status
            .and_then(|status| self.status.get(status))
            .map_or(Liable::Verify, |rule| rule.liable)
    }

    /// What a clerk's record explains, with the article.
    #[must_use]
    pub fn explanation(&self, event: ClerkEvent) -> Option<&Explanation> {
        self.explanation.iter().find(|rule| rule.event == event)
    }

    /// Whether a record is one of those that explain nothing.
    #[must_use]
    pub fn no_explanation(&self, event: ClerkEvent) -> Option<&NoExplanation> {
        self.no_explanation.iter().find(|rule| rule.event == event)
    }
}

/// Articles in one line, each named once.
#[must_use]
pub fn articles<'a>(of: impl IntoIterator<Item = &'a str>) -> String {
    let mut named: Vec<&str> = Vec::new();
    for article in of.into_iter().flat_map(|article| article.split('；')) {
        if !named.contains(&article) {
            named.push(article);
        }
    }
    named.join("；")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn shipped() -> LiabilityTable {
        toml::from_str(include_str!("../../config/rules/liability.toml"))
            .expect("the shipped liability table")
    }

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn the_shipped_table_is_sound_and_each_day_has_its_period() {
        let table = shipped();
        assert_eq!(table.faults(), Vec::<String>::new());
        for (at, from) in [
            ("2000-01-01", "2011-07-01"),
            ("2011-07-01", "2011-07-01"),
            ("2023-11-30", "2011-07-01"),
            ("2023-12-01", "2023-12-01"),
            ("2026-04-10", "2025-09-01"),
        ] {
            let period = table.on(day(at)).expect("a period");
            assert_eq!(period.from, day(from), "{at}");
            assert_eq!((period.unit.days, period.staff.days), (30, 30));
        }
    }

    #[test]
    fn states_are_kept_apart_and_the_own_suspension_of_business_frees_nobody() {
        let table = shipped();
        let period = table.on(day("2026-04-10")).expect("a period");
        for (status, wanted) in [
            (Some("active"), Liable::Yes),
            (Some("suspended"), Liable::Verify),
            (Some("abnormal"), Liable::Verify),
            (Some("unclear"), Liable::Verify),
            (None, Liable::Verify),
            (Some("revoked"), Liable::No),
            (Some("liquidating"), Liable::No),
            (Some("moved"), Liable::No),
            (Some("cancelled"), Liable::No),
        ] {
            assert_eq!(period.liable(status), wanted, "{status:?}");
        }
    }

    #[test]
    fn construction_owes_work_injury_by_project_and_nothing_else_so() {
        let table = shipped();
        let period = table.on(day("2026-04-10")).expect("a period");
        for (kind, industry, by_project) in [
            (Insurance::WorkInjury, Some("E4710"), true),
            (Insurance::WorkInjury, Some("5010"), true),
            (Insurance::WorkInjury, Some("E"), true),
            (Insurance::WorkInjury, Some("F5211"), false),
            (Insurance::WorkInjury, None, false),
            (Insurance::Pension, Some("E4710"), false),
            (Insurance::Unemployment, Some("E4710"), false),
        ] {
            let found = period.otherwise(kind, industry).is_some();
            assert_eq!(found, by_project, "{kind:?} {industry:?}");
        }
    }

    #[test]
    fn part_time_and_over_age_leave_work_injury_owed_and_a_waiver_frees_nobody() {
        let table = shipped();
        let period = table.on(day("2026-04-10")).expect("a period");
        for event in [ClerkEvent::PartTime, ClerkEvent::OverAge] {
            let rule = period.explanation(event).expect("a rule");
            assert!(!rule.clears.contains(&Insurance::WorkInjury), "{event:?}");
            assert!(rule.clears.contains(&Insurance::Pension));
        }
        for event in [ClerkEvent::AgencyStaff, ClerkEvent::InsuredElsewhere] {
            let rule = period.explanation(event).expect("a rule");
            assert_eq!(rule.clears, Insurance::ALL, "{event:?}");
        }
        for event in [
            ClerkEvent::Waiver,
            ClerkEvent::ResidentInsurance,
            ClerkEvent::FlexibleEmployment,
            ClerkEvent::OwnSuspension,
        ] {
            assert!(period.explanation(event).is_none());
            assert!(period.no_explanation(event).is_some(), "{event:?}");
        }
    }

    #[test]
    fn each_article_is_named_once() {
        assert_eq!(articles(["甲；乙", "乙；丙", "甲"]), "甲；乙；丙");
        assert_eq!(articles([]), "");
    }

    #[test]
    fn a_wrong_table_is_told_all_at_once() {
        let mut table = shipped();
        table.period[0].until = Some(day("2023-11-29"));
        table.period[0].kind.pop();
        table.period[2].until = Some(day("2030-12-31"));
        table.period[2].unit.days = -1;
        table.period[2].status.remove("moved");
        let waiver = table.period[2].no_explanation.remove(0);
        let faults = table.faults();
        assert_eq!(waiver.event, ClerkEvent::Waiver);
        assert_eq!(faults.len(), 6, "{faults:#?}");
    }
}
