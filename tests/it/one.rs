//! One enterprise is looked up as the whole register has it: random cities with every join, conflict and duplicate that the register
//! knows, delivered, changed, lost, returned and taken back.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use yingbao::domain::coverage::Standing;
use yingbao::domain::history::Deed;
use yingbao::tasks::known::{Known, known};
use yingbao::tasks::one::{find, find_one};
use yingbao::tasks::walk::walk;
use yingbao::tasks::{Desk, Failure, review};

use crate::city::{City, FIRMS, NAMES, Row, code, steps};

impl City {
    /// Whoever is asked for, one by one, is as the whole register has him.
    fn check(&self) -> Result<(), Failure> {
        let desk = self.desk();
        // It says which pairs are open.
        review::run(desk, false)?;
        let whole = known(desk)?;
        walked_as_whole(desk, &whole)?;
        let mut asked: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
        asked.extend(FIRMS.iter().map(|firm| format!("E{firm}")));
        asked.extend(
            (0..FIRMS.len()).flat_map(|firm| [0, 6, 7, 8, 9].map(|shape| code(firm, shape))),
        );
        asked.extend(["", "U1", "南阳无此户", "110105491231002"].map(str::to_owned));
        for wanted in asked {
            let expected: Vec<String> = whole
                .register
                .find(&wanted)
                .into_iter()
                .map(|enterprise| format!("{enterprise:#?}"))
                .collect();
            let found: Vec<String> = find(desk, &wanted)?
                .iter()
                .map(|enterprise| format!("{enterprise:#?}"))
                .collect();
            let ids = |all: &[String]| -> Vec<String> {
                let id = |text: &String| text.lines().nth(1).unwrap_or_default().trim().to_owned();
                all.iter().map(id).collect()
            };
            assert_eq!(ids(&found), ids(&expected), "{wanted} {expected:?}");
            for (found, expected) in found.iter().zip(&expected) {
                let differs = found
                    .lines()
                    .zip(expected.lines())
                    .find(|(found, expected)| found != expected);
                assert_eq!(differs, None, "{wanted}");
            }
            assert_eq!(found, expected, "{wanted}");
            let one = match find_one(desk, &wanted)? {
                Ok(one) => one,
                Err(several) => {
                    assert_eq!(several.len(), expected.len(), "{wanted}");
                    continue;
                }
            };
            assert_eq!(expected.len(), 1);
            let assessment = whole
                .assessments
                .iter()
                .find(|assessment| assessment.enterprise == one.enterprise.id);
            assert_eq!(
                format!("{:#?}", one.assessment.as_ref()),
                format!("{assessment:#?}"),
                "{wanted}"
            );
            self.check_history(&one);
        }
        Ok(())
    }

    /// The newest step of each record that counts says what the record says, on a batch that counts; what was taken back is told.
    fn check_history(&self, one: &yingbao::tasks::one::One) {
        let withdrawn: BTreeSet<&str> = (0..self.delivered.len())
            .filter(|n| !self.standing[*n])
            .map(|n| self.delivered[n].0.batch.as_str())
            .collect();
        let mut newest = BTreeMap::new();
        for step in &one.history {
            assert_eq!(
                withdrawn.contains(step.batch.as_str()),
                step.deed == Deed::Withdrawn,
                "{step:?}"
            );
            assert_eq!(step.withdrawn.is_some(), step.deed == Deed::Withdrawn);
            if step.deed != Deed::Withdrawn {
                newest.entry((&step.source, &step.key)).or_insert(step);
            }
        }
        let enterprise = &one.enterprise;
        for placed in enterprise.rows() {
            let step = newest[&(&placed.adapter, &placed.record.key())];
            if placed.missed > 0 {
                // It stands for a while as it was last.
                assert_eq!((step.deed, step.row), (Deed::Missing, 0));
                assert_eq!(step.before.as_ref(), Some(&placed.record));
                continue;
            }
            assert_eq!(step.after.as_ref(), Some(&placed.record));
            assert_eq!((&step.batch, step.row), (&placed.batch, placed.row));
        }
        // What is linked stands or stood.
        assert!(one.spans.len() >= enterprise.links.len(), "{:?}", one.spans);
        let json: Vec<_> = one
            .history
            .iter()
            .map(yingbao::domain::history::Step::to_json)
            .collect();
        assert!(
            json.iter()
                .all(|step| step["batch"].is_string() && step["fields"].is_object())
        );
    }
}

/// Met one after the other, all are as the whole register has them.
fn walked_as_whole(desk: Desk<'_>, whole: &Known) -> Result<(), Failure> {
    let mut expected = whole.register.enterprises.iter().zip(&whole.assessments);
    let look = |enterprise, assessment| Some((enterprise, assessment));
    let walked = walk(desk, &whole.roll, &look, &mut |(enterprise, assessment)| {
        let (known, assessed) = expected.next().expect("no more are met than there are");
        let mut known = known.clone();
        known.links.clear();
        assert_eq!(format!("{enterprise:#?}"), format!("{known:#?}"));
        assert_eq!(format!("{assessment:#?}"), format!("{assessed:#?}"));
    })?;
    assert!(expected.next().is_none(), "all are met");
    assert_eq!(walked.searched.listed(), whole.register.candidates);
    assert_eq!(walked.enterprises, whole.assessments.len() as u64);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn one_enterprise_is_as_the_whole_register_has_it(steps in steps()) {
        let mut city = City::new();
        for step in steps {
            city = city.step(step);
        }
        city.check().unwrap();
    }
}

#[test]
fn a_branch_is_judged_by_what_its_head_office_has_left_after_the_branches_before_it() {
    let mut city = City::new();
    let row = |firm: usize, head: Option<usize>, count: u64, month: i8| Row {
        firm,
        shape: 0,
        coded: true,
        name: None,
        other: firm % 6 + 1,
        month,
        count,
        active: true,
        head,
        former: None,
        place: 3,
    };
    let registered = [
        (0, None),
        (1, Some(0)),
        (4, Some(0)),
        (5, Some(0)),
        (6, Some(0)),
    ];
    city.deliver(
        3,
        true,
        &registered.map(|(firm, head)| row(firm, head, 5, 1)),
    );
    let months = registered.map(|(firm, _)| [2, 3].map(|month| row(firm, None, 5, month)));
    city.deliver(4, true, &months.concat());
    // Heads of all three kinds: the remainder by three says which.
    let heads = [2, 3].map(|month| [21, 22, 20].map(|count| row(0, None, count, month)));
    city.deliver(0, true, &heads.concat());
    city.check().unwrap();
    let standing: Vec<_> = ["MA4RHCMP9", "MA4TEST16", "MA4TEST24", "MA4TEST32"]
        .map(|firm| {
            find_one(city.desk(), firm)
                .unwrap()
                .unwrap()
                .assessment
                .unwrap()
                .standing
        })
        .into();
    assert_eq!(
        standing,
        [
            Standing::InsuredByHeadOffice,
            Standing::InsuredByHeadOffice,
            Standing::InsuredByHeadOffice,
            Standing::Doubtful
        ]
    );
}

#[test]
fn what_is_missing_stands_until_the_third_complete_batch_without_it() {
    let mut city = City::new();
    let row = |firm: usize, count: u64| Row {
        firm,
        shape: 0,
        coded: true,
        name: Some(2 * firm),
        other: 1,
        month: 1,
        count,
        active: true,
        head: None,
        former: None,
        place: 3,
    };
    let missed = |city: &City| {
        city.check().unwrap();
        let found = find(city.desk(), FIRMS[1]).unwrap().pop();
        found.map(|firm| firm.registration.unwrap().missed)
    };
    city.deliver(3, true, &[row(0, 1), row(1, 1)]);
    assert_eq!(missed(&city), Some(0));
    city.deliver(3, true, &[row(0, 2)]);
    assert_eq!(missed(&city), Some(1));
    // An increment need not mention it, and a batch that is taken back never missed it.
    city.deliver(3, false, &[row(0, 3)]);
    city.deliver(3, true, &[row(0, 4)]);
    assert_eq!(missed(&city), Some(2));
    city.withdraw(3);
    assert_eq!(missed(&city), Some(1));
    city.deliver(3, true, &[row(0, 5)]);
    assert_eq!(missed(&city), Some(2));
    city.deliver(3, true, &[row(0, 6)]);
    assert_eq!(missed(&city), None, "the third in a row");
    city.deliver(3, true, &[row(0, 6), row(1, 1)]);
    assert_eq!(missed(&city), Some(0), "it is back");
}
