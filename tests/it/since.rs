//! A review of what changed comes to the same as one of everybody, whatever happened in between.

use proptest::prelude::*;
use yingbao::tasks::review::{self, Decided};

use crate::city::{City, Step, quiet_steps, steps};

/// What they come to, line by line, but for how many were judged anew.
fn lines(decided: &Decided) -> Vec<String> {
    let mut report = decided.report.clone();
    assert_eq!(report.differing, 0);
    report.judged = 0;
    let mut lines = vec![format!("{report:?}")];
    lines.extend(decided.events.iter().map(|event| format!("{event:?}")));
    lines.extend(
        decided
            .outcomes
            .iter()
            .map(|outcome| format!("{outcome:?}")),
    );
    lines
}

/// Both ways agree; the review is committed then.
fn reviewed(city: &City, after: &Step) {
    let desk = city.desk();
    let of_changes = review::decide(desk, false).unwrap();
    let of_all = review::decide(desk, true).unwrap();
    let (changed, all) = (lines(&of_changes), lines(&of_all));
    let differs = changed
        .iter()
        .zip(&all)
        .find(|(changed, all)| changed != all);
    assert_eq!(differs, None, "after {after:?}");
    assert_eq!(changed.len(), all.len(), "after {after:?}");
    review::run(desk, false).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_review_of_what_changed_comes_to_the_same_as_one_of_everybody(steps in prop_oneof![1 => steps().boxed(), 2 => quiet_steps().boxed()]) {
        let mut city = City::new();
        city.people();
        for step in steps {
            let after = step.clone();
            city = city.step(step);
            reviewed(&city, &after);
        }
    }
}
