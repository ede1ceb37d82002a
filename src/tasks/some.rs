//! What is known of some enterprises: of all that the walk meets only those are held that somebody asks for.

use std::collections::BTreeSet;

use crate::domain::coverage::Assessment;
use crate::domain::register::{Enterprise, Periods, Register};
use crate::tasks::known::{Known, feeds, roll_knowledge};
use crate::tasks::walk::walk;
use crate::tasks::{Desk, Failure};

/// Loads and assesses all, and keeps whom `keep` wants; it is shown every enterprise once. Why a record is an enterprise's own is not
/// told here: its `links` are empty.
pub fn some(
    desk: Desk<'_>,
    keep: &(dyn Fn(&Enterprise, &Assessment) -> bool + Sync),
) -> Result<Known, Failure> {
    let mut known = nobody(desk)?;
    let mut enterprises = Vec::new();
    let look = |enterprise: Enterprise, assessment: Assessment| {
        keep(&enterprise, &assessment).then(|| Box::new((enterprise, assessment)))
    };
    walk(desk, &known.roll, &look, &mut |kept| {
        let (enterprise, assessment) = *kept;
        enterprises.push(enterprise);
        known.assessments.push(assessment);
    })?;
    known.register = Register::of(enterprises, Periods::default());
    Ok(known)
}

/// The enterprises of these ids. Nothing is read when there are none.
pub fn of_ids(desk: Desk<'_>, ids: &BTreeSet<&str>) -> Result<Known, Failure> {
    if ids.is_empty() {
        return nobody(desk);
    }
    some(desk, &|enterprise, _| ids.contains(enterprise.id.as_str()))
}

fn nobody(desk: Desk<'_>) -> Result<Known, Failure> {
    let feeds = feeds(desk)?;
    let roll = roll_knowledge(&feeds);
    Ok(Known {
        feeds,
        roll,
        register: Register::default(),
        assessments: Vec::new(),
    })
}
