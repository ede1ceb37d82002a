//! Bulletin (通报): the figures of a month by reporting unit, frozen when made, with their accounting identity.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::case::ClosingReason;
use crate::domain::finding::Insurance;
use crate::domain::record::Month;
use crate::domain::unit::UnitId;

/// The base (底数) of one reporting unit on the cut-off day: each count is a part of the one before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Enterprises on the register.
    pub registered: u64,
    /// Of these active.
    pub active: u64,
    /// Of these with evidence of staff for two months or more.
    pub with_staff: u64,
    /// Of these in the plan's scope (small, micro, new-form).
    pub in_scope: u64,
    /// Of these covered in every owed kind and head, as far as the roll shows.
    pub insured: u64,
    /// Of the scope: the data still show a doubt. The three below add up to it.
    pub doubtful: u64,
    /// Of the doubtful: with an open case on the cut-off day.
    #[serde(default)]
    pub in_hand: u64,
    /// Of the doubtful: cleared by a named clerk, and the answer still holds.
    #[serde(default)]
    pub cleared: u64,
    /// Of the doubtful: without a case yet (cases open in waves).
    #[serde(default)]
    pub waiting: u64,
}

/// The cases of one reporting unit over the period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFlow {
    /// Open at the beginning.
    pub opening: u64,
    /// Opened for the first time.
    pub new: u64,
    /// Opened again after enrolment.
    pub reopened: u64,
    /// Came from another unit.
    pub moved_in: u64,
    /// Went to another unit.
    pub moved_out: u64,
    /// Ended.
    pub closed: u64,
    /// Open at the end.
    pub closing: u64,
}

impl CaseFlow {
    /// opening + new + reopened + moved in − moved out − closed = closing.
    #[must_use]
    pub const fn identity_holds(&self) -> bool {
        self.opening + self.new + self.reopened + self.moved_in
            == self.closing + self.moved_out + self.closed
    }
}

/// What was done in the period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Cases dispatched to the county agency.
    pub dispatched: u64,
    /// Cases answered (confirmed or cleared).
    pub checked: u64,
    /// Of these confirmed.
    pub confirmed: u64,
    /// Of these cleared: insured already or elsewhere, no employees, closed down.
    pub cleared: u64,
    /// Cases dispatched and not yet answered on the cut-off day: with `checked` what was to be checked, so that
    /// the rate of checking never passes 100 %.
    #[serde(default)]
    pub awaiting: u64,
    /// Of the awaited answers, overdue on the cut-off day.
    pub checks_overdue: u64,
    /// Registration notices decided.
    pub notified: u64,
    /// Cases without any contact on the cut-off day.
    pub unreachable: u64,
    /// Firms newly insured (case closed as enrolled, wholly or partly).
    pub enrolled_firms: u64,
    /// Heads newly registered in those, by kind.
    pub enrolled_heads: BTreeMap<Insurance, u64>,
    /// Transferred to audit.
    pub transferred: u64,
}

/// One line of the bulletin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitFigures {
    /// The unit; empty for the total.
    pub unit: UnitId,
    /// Its name; 合计 for the total.
    pub name: String,
    /// 省直管: listed apart.
    pub provincial: bool,
    /// The base.
    pub base: Base,
    /// The flow of cases.
    pub flow: CaseFlow,
    /// The work done.
    pub work: Work,
}

/// What the reader must know of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceNote {
    /// The adapter's name.
    pub adapter: String,
    /// 市场监管登记 …
    pub title: String,
    /// The day its last accepted batch speaks of.
    pub as_of: Option<Date>,
    /// Accepted in the period.
    pub accepted: u64,
    /// Held or refused in the period.
    pub held: u64,
    /// In Chinese: late, held, released by whom; empty when nothing is to be said.
    pub remark: String,
}

/// The frozen figures of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulletin {
    /// Version of this layout.
    pub version: u8,
    /// Its id, `YYYY-MM`.
    pub id: String,
    /// The month.
    pub period: Month,
    /// The last day counted.
    pub cut_off: Date,
    /// When the figures were frozen (UTC).
    pub made: Timestamp,
    /// City and centre, for the head: 南阳市社会保险中心.
    pub centre: String,
    /// The line that marks a demo; `None` on a real home.
    pub demo_mark: Option<String>,
    /// Every reporting unit, in the configured order.
    pub units: Vec<UnitFigures>,
    /// Their sum.
    pub total: UnitFigures,
    /// Cases ended in the period, by reason.
    pub closed_by: BTreeMap<ClosingReason, u64>,
    /// Active firms without a finding on the cut-off day, by reason (Chinese) — 没有被催的企业及原因.
    pub not_accused: BTreeMap<String, u64>,
    /// The sources.
    pub sources: Vec<SourceNote>,
}

impl Bulletin {
    /// Whether the accounting identity holds for every unit and the total, and the moves balance.
    #[must_use]
    pub fn identity_holds(&self) -> bool {
        self.units
            .iter()
            .chain(std::iter::once(&self.total))
            .all(|line| line.flow.identity_holds())
            && self.total.flow.moved_in == self.total.flow.moved_out
    }
}

/// Sums the units' lines.
#[must_use]
pub fn total(units: &[UnitFigures]) -> UnitFigures {
    let mut sum = UnitFigures {
        name: "合计".to_owned(),
        ..UnitFigures::default()
    };
    for line in units {
        let (base, flow, work) = (&mut sum.base, &mut sum.flow, &mut sum.work);
        base.registered += line.base.registered;
        base.active += line.base.active;
        base.with_staff += line.base.with_staff;
        base.in_scope += line.base.in_scope;
        base.insured += line.base.insured;
        base.doubtful += line.base.doubtful;
        base.in_hand += line.base.in_hand;
        base.cleared += line.base.cleared;
        base.waiting += line.base.waiting;
        flow.opening += line.flow.opening;
        flow.new += line.flow.new;
        flow.reopened += line.flow.reopened;
        flow.moved_in += line.flow.moved_in;
        flow.moved_out += line.flow.moved_out;
        flow.closed += line.flow.closed;
        flow.closing += line.flow.closing;
        work.dispatched += line.work.dispatched;
        work.checked += line.work.checked;
        work.confirmed += line.work.confirmed;
        work.cleared += line.work.cleared;
        work.awaiting += line.work.awaiting;
        work.checks_overdue += line.work.checks_overdue;
        work.notified += line.work.notified;
        work.unreachable += line.work.unreachable;
        work.enrolled_firms += line.work.enrolled_firms;
        work.transferred += line.work.transferred;
        for (kind, heads) in &line.work.enrolled_heads {
            *work.enrolled_heads.entry(*kind).or_default() += heads;
        }
    }
    sum
}
