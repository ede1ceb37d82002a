//! The order of the units in a bulletin: by rate of checking, ties share a place, 省直管 apart.

use crate::domain::bulletin::{Bulletin, UnitFigures, Work};
use crate::render::wording;

/// How the places are given, as the bulletin says it.
pub const RANK_RULE: &str = "应核查为本期已核查与期末待核查之和，核查率为已核查占应核查的比例。名次按核查率由高到低排列；核查率相同的名次并列，其后名次顺延，并列单位按填报单位顺序列示；没有应核查任务的不排名；省直管县（市）和未归属的单列，计入合计。";

/// One line with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The figures.
    pub line: &'a UnitFigures,
    /// 1, 2, 2, 4 …; `None` without anything to check, and for lines listed apart.
    pub place: Option<usize>,
}

/// What was to be checked: answered in the period or still awaited at its end.
#[must_use]
pub const fn to_check(work: &Work) -> u64 {
    work.checked + work.awaiting
}

/// `85.7%`, or `—` when nothing was to be checked.
#[must_use]
pub fn rate(work: &Work) -> String {
    wording::percent(work.checked, to_check(work))
}

/// Units in their places, then those listed apart (省直管; firms of no unit), each in the configured order.
#[must_use]
pub fn ranked(bulletin: &Bulletin) -> (Vec<Progress<'_>>, Vec<Progress<'_>>) {
    let unplaced = |line| Progress { line, place: None };
    // A line without a configured unit (未归属) is nobody's to be ranked.
    let apart = |line: &UnitFigures| line.provincial || line.unit.is_empty();
    let (aside, mut placed): (Vec<&UnitFigures>, Vec<&UnitFigures>) =
        bulletin.units.iter().partition(|line| apart(line));
    // Shares are compared as fractions: figures that print alike but differ are no tie. The sort is stable.
    placed.sort_by(|a, b| {
        let (ours, theirs) = (to_check(&a.work), to_check(&b.work));
        (theirs > 0).cmp(&(ours > 0)).then_with(|| {
            let left = u128::from(a.work.checked) * u128::from(theirs);
            let right = u128::from(b.work.checked) * u128::from(ours);
            right.cmp(&left)
        })
    });
    let mut lines: Vec<Progress<'_>> = Vec::with_capacity(placed.len());
    for line in placed {
        let whole = to_check(&line.work);
        let place = (whole > 0).then(|| match lines.last() {
            Some(Progress {
                line: before,
                place: Some(place),
            }) if u128::from(before.work.checked) * u128::from(whole)
                == u128::from(line.work.checked) * u128::from(to_check(&before.work)) =>
            {
                *place
            }
            _ => lines.len() + 1,
        });
        lines.push(Progress { line, place });
    }
    (lines, aside.into_iter().map(unplaced).collect())
}

#[cfg(test)]
pub mod sample {
    //! A small bulletin for tests.

    use std::collections::BTreeMap;

    use jiff::civil::date;

    use crate::domain::bulletin::{Base, Bulletin, CaseFlow, UnitFigures, Work, total};
    use crate::domain::record::Month;

    /// A line with this checked and awaited.
    pub fn line(name: &str, checked: u64, awaiting: u64) -> UnitFigures {
        UnitFigures {
            unit: name.to_owned(),
            name: name.to_owned(),
            base: Base::default(),
            flow: CaseFlow {
                new: checked + awaiting,
                closing: checked + awaiting,
                ..CaseFlow::default()
            },
            work: Work {
                checked,
                awaiting,
                ..Work::default()
            },
            provincial: false,
        }
    }

    /// A bulletin of these lines.
    pub fn bulletin(units: Vec<UnitFigures>) -> Bulletin {
        Bulletin {
            version: 1,
            id: "2026-03".into(),
            period: Month {
                year: 2026,
                month: 3,
            },
            cut_off: date(2026, 3, 31),
            made: "2026-04-01T01:00:00Z".parse().unwrap(),
            centre: "南阳市社会保险中心".into(),
            demo_mark: None,
            total: total(&units),
            units,
            closed_by: BTreeMap::new(),
            not_accused: BTreeMap::new(),
            sources: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_a_place_and_the_next_is_passed_over() {
        let mut provincial = sample::line("邓州市", 9, 0);
        provincial.provincial = true;
        let mut nobody = sample::line("未归属", 1, 0);
        nobody.unit = String::new();
        let bulletin = sample::bulletin(vec![
            sample::line("甲", 0, 0),
            sample::line("乙", 1, 1),
            provincial,
            sample::line("丙", 3, 1),
            sample::line("丁", 5, 5),
            sample::line("戊", 0, 4),
            nobody,
        ]);
        let (placed, apart) = ranked(&bulletin);
        let seen: Vec<_> = placed
            .iter()
            .map(|row| (row.line.name.as_str(), row.place))
            .collect();
        assert_eq!(
            seen,
            [
                ("丙", Some(1)),
                ("乙", Some(2)),
                ("丁", Some(2)),
                ("戊", Some(4)),
                ("甲", None)
            ]
        );
        let names: Vec<_> = apart.iter().map(|row| row.line.name.as_str()).collect();
        assert_eq!(names, ["邓州市", "未归属"]);
    }
}
