//! What changed rule tables would change: every enterprise is assessed under both, and nothing is stored.

use serde::Serialize;

use crate::config::configuration::Configuration;
use crate::domain::coverage::{Assessment, Rules, Standing};
use crate::domain::register::Enterprise;
use crate::domain::size::Class;
use crate::tasks::known::{feeds, roll_knowledge};
use crate::tasks::walk::walk;
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

/// What a rule table makes of an enterprise.
struct Made {
    class: Option<Class>,
    in_scope: bool,
    standing: Standing,
}

impl Made {
    fn of(assessment: &Assessment) -> Self {
        Self {
            class: class(assessment),
            in_scope: assessment.in_scope,
            standing: assessment.standing,
        }
    }
}

/// Tells `each` whom the proposed rules would touch, in the order of ids. The enterprises are gone through twice, by the rules in force
/// and by those proposed: of the first time only what was made of each is kept.
pub fn compare(
    desk: Desk<'_>,
    proposed: &Rules,
    each: &mut dyn FnMut(&Affected),
) -> Result<RuleChange, Failure> {
    let roll = roll_knowledge(&feeds(desk)?);
    let mut before = Vec::new();
    let look = |enterprise: Enterprise, assessment: Assessment| {
        Some((enterprise.id, Made::of(&assessment)))
    };
    walk(desk, &roll, &look, &mut |made| before.push(made))?;
    let mut before = before.into_iter().peekable();
    let configuration = Configuration {
        rules: proposed.clone(),
        ..desk.configuration.clone()
    };
    let desk = Desk {
        configuration: &configuration,
        ..desk
    };
    let mut change = RuleChange::default();
    let look = |enterprise: Enterprise, assessment: Assessment| {
        let Enterprise {
            id,
            credit_code,
            name,
            ..
        } = enterprise;
        Some((id, credit_code, name, Made::of(&assessment)))
    };
    walk(desk, &roll, &look, &mut |(id, credit_code, name, after)| {
        // Whoever came or went between the two was not seen under both.
        while before.next_if(|(earlier, _)| *earlier < id).is_some() {}
        let Some((_, before)) = before.next_if(|(same, _)| *same == id) else {
            return;
        };
        let affected = Affected {
            enterprise: id,
            credit_code,
            name,
            class: [before.class, after.class],
            in_scope: [before.in_scope, after.in_scope],
            standing: [before.standing, after.standing],
        };
        change.hear(&affected);
        if affected.is_touched() {
            each(&affected);
        }
    })?;
    Ok(change)
}

impl RuleChange {
    fn hear(&mut self, affected: &Affected) {
        self.enterprises += 1;
        self.class_changed += u64::from(affected.class[0] != affected.class[1]);
        self.into_scope += u64::from(affected.in_scope == [false, true]);
        self.out_of_scope += u64::from(affected.in_scope == [true, false]);
        for (count, standing) in self.doubtful.iter_mut().zip(affected.standing) {
            *count += u64::from(standing == Standing::Doubtful);
        }
    }
}

impl Affected {
    fn is_touched(&self) -> bool {
        self.class[0] != self.class[1]
            || self.in_scope[0] != self.in_scope[1]
            || self.standing[0] != self.standing[1]
    }
}

fn class(assessment: &Assessment) -> Option<Class> {
    assessment.class.as_ref().map(|class| class.class)
}
