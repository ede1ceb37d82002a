//! What a named person found out about an enterprise's staff, with a case or without one: a visit with the heads met there, the
//! labour relation of those who work through a platform, the occupational-injury cover (职业伤害保障) of riders and drivers.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::finding::Ground;

/// What is known of each enterprise, by its id.
pub type Surveys = BTreeMap<String, Survey>;

/// What is known of one enterprise; what nobody looked at yet is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// The newest visit.
    pub visit: Option<Found<u64>>,
    /// The labour relation of those who work through a platform.
    pub relation: Option<Found<Relation>>,
    /// Whether riders and drivers are covered against occupational injury, order by order. It is never work-injury insurance.
    pub injury_cover: Option<Found<bool>>,
}

/// Something that a named person found, with day and paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found<T> {
    /// What.
    pub what: T,
    /// Who answers for it.
    pub by: String,
    /// The day it was seen.
    pub date: Date,
    /// Name and number of the paper.
    pub proof: Option<String>,
}

/// The labour relation of those who work through a platform (人社部发〔2021〕56号). Registered drivers and riders are never staff
/// by that alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Labour contracts, or what the law takes for one: whoever works there is to be insured.
    Contract,
    /// Not wholly a labour relation, or a civil one: for the survey, no duty to insure follows.
    Without,
}

impl Relation {
    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Contract => "符合确立劳动关系",
            Self::Without => "不完全符合确立劳动关系或属民事关系",
        }
    }
}

/// One record, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "survey", rename_all = "snake_case")]
pub enum Surveyed {
    /// So many heads were met at a visit.
    Visit(Found<u64>),
    /// The labour relation of those who work through a platform.
    Relation(Found<Relation>),
    /// The occupational-injury cover of riders and drivers.
    InjuryCover(Found<bool>),
}

impl Survey {
    /// Takes in a record. One of an earlier day than what is known changes nothing.
    pub fn take(&mut self, surveyed: &Surveyed) {
        match surveyed {
            Surveyed::Visit(found) => newer(&mut self.visit, found),
            Surveyed::Relation(found) => newer(&mut self.relation, found),
            Surveyed::InjuryCover(found) => newer(&mut self.injury_cover, found),
        }
    }

    /// The newest visit, while it is not older than so many days.
    #[must_use]
    pub fn visit_on(&self, today: Date, days: i32) -> Option<&Found<u64>> {
        let visit = self.visit.as_ref()?;
        let age = visit
            .date
            .until(today)
            .map_or(i32::MAX, |span| span.get_days());
        (0..=days).contains(&age).then_some(visit)
    }
}

fn newer<T: Clone>(known: &mut Option<Found<T>>, found: &Found<T>) {
    if known.as_ref().is_none_or(|known| known.date <= found.date) {
        *known = Some(found.clone());
    }
}

impl<T> Found<T> {
    /// As the ground of a verdict.
    #[must_use]
    pub fn ground(&self, text: &str, rule: &str, article: &str) -> Ground {
        Ground {
            source: "survey".to_owned(),
            batch: String::new(),
            file: self.proof.clone().unwrap_or_else(|| self.by.clone()),
            row: 0,
            date: Some(self.date),
            text: format!("{text}（{}）", self.by),
            rule: rule.to_owned(),
            article: article.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(heads: u64, date: &str) -> Surveyed {
        Surveyed::Visit(Found {
            what: heads,
            by: "李示例".to_owned(),
            date: date.parse().expect("a date"),
            proof: Some("走访记录1号".to_owned()),
        })
    }

    #[test]
    fn the_newest_visit_counts_for_its_time() {
        let day = |text: &str| -> Date { text.parse().expect("a date") };
        let mut survey = Survey::default();
        survey.take(&visit(5, "2026-03-10"));
        survey.take(&visit(3, "2026-03-01"));
        let heads = |survey: &Survey, today| survey.visit_on(day(today), 90).map(|v| v.what);
        assert_eq!(heads(&survey, "2026-03-10"), Some(5));
        assert_eq!(heads(&survey, "2026-06-08"), Some(5));
        assert_eq!(heads(&survey, "2026-06-09"), None);
        // It says nothing of a day before it.
        assert_eq!(heads(&survey, "2026-03-09"), None);
        survey.take(&visit(0, "2026-04-01"));
        assert_eq!(heads(&survey, "2026-04-02"), Some(0));
        let json = serde_json::to_string(&survey).expect("plain values");
        assert_eq!(
            serde_json::from_str::<Survey>(&json).expect("the same"),
            survey
        );
    }
}
