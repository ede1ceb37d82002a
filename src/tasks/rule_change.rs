//! What changed rule tables would change: every enterprise is assessed under both, and nothing is stored.

use serde::Serialize;

use crate::domain::coverage::{Assessment, Rules, Standing, assess_all};
use crate::domain::size::Class;
use crate::tasks::known::{feeds, register, roll_knowledge};
use crate::tasks::{Desk, Failure};

/// An enterprise for which something would change; each pair is before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Affected {
    /// Its id.
    pub enterprise: String,
    /// Its credit code.
    pub credit_code: String,
    /// Its name.
    pub name: String,
    /// Its size class; `None` without an industry.
    pub class: [Option<Class>; 2],
    /// Whether the plan looks at it.
    pub in_scope: [bool; 2],
    /// Its standing.
    pub standing: [Standing; 2],
}

/// All of it in figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RuleChange {
    /// Enterprises assessed.
    pub enterprises: u64,
    /// Of another class.
    pub class_changed: u64,
    /// Those that the plan would look at from now on.
    pub into_scope: u64,
    /// Those that it would not look at any more.
    pub out_of_scope: u64,
    /// Enterprises with a finding that opens a case, before and after.
    pub doubtful: [u64; 2],
}

/// Tells `each` whom the proposed rules would touch, in the order of ids.
pub fn compare(
    desk: Desk<'_>,
    proposed: &Rules,
    each: &mut dyn FnMut(&Affected),
) -> Result<RuleChange, Failure> {
    let roll = roll_knowledge(&feeds(desk)?);
    let register = register(desk, None)?;
    let surveys = desk.store.surveys()?;
    let under = |rules: &Rules| assess_all(&register, rules, &roll, &surveys, desk.today());
    let (before, after) = (under(&desk.configuration.rules), under(proposed));
    let mut change = RuleChange::default();
    for (enterprise, (before, after)) in register.enterprises.iter().zip(before.iter().zip(&after))
    {
        let class = [class(before), class(after)];
        let in_scope = [before.in_scope, after.in_scope];
        let standing = [before.standing, after.standing];
        change.enterprises += 1;
        change.class_changed += u64::from(class[0] != class[1]);
        change.into_scope += u64::from(in_scope == [false, true]);
        change.out_of_scope += u64::from(in_scope == [true, false]);
        for (count, standing) in change.doubtful.iter_mut().zip(standing) {
            *count += u64::from(standing == Standing::Doubtful);
        }
        if class[0] != class[1] || in_scope[0] != in_scope[1] || standing[0] != standing[1] {
            each(&Affected {
                enterprise: enterprise.id.clone(),
                credit_code: enterprise.credit_code.clone(),
                name: enterprise.name.clone(),
                class,
                in_scope,
                standing,
            });
        }
    }
    Ok(change)
}

fn class(assessment: &Assessment) -> Option<Class> {
    assessment.class.as_ref().map(|class| class.class)
}
