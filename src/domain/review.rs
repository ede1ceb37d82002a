//! What a review decides: cases opened, refreshed, moved and closed by the data. Pure.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use crate::domain::case::{
    ANSWER_EXPIRED, ANSWER_HOLDS, Case, CaseEvent, CaseId, Closing, ClosingReason,
};
use crate::domain::coverage::{Assessment, RollKnowledge, Standing};
use crate::domain::finding::{Finding, FindingKind, Ground, Insurance};
use crate::domain::pairing::Merger;
use crate::domain::register::Enterprise;
use crate::domain::text::day;

/// The result of a review.
#[derive(Debug, Clone, Default)]
pub struct Review {
    /// Events in the order they are to be committed.
    pub events: Vec<(CaseId, CaseEvent)>,
    /// Findings that wait for a later run because a cap was reached, by unit.
    pub waiting: BTreeMap<String, u64>,
}

/// A review under way: it hears of one enterprise after the other, in the order of ids, and holds them against the cases.
///
/// A case closes by itself only on a complete roll newer than the one it rests on; while the roll or
/// one of its kinds is not known, nothing is opened and nothing is closed by its silence.
#[derive(Debug)]
pub struct Reviewing<'a> {
    cases: HashMap<String, Vec<Case>>,
    roll: &'a RollKnowledge,
    new_cases_cap: usize,
    today: Date,
    review: Review,
    openings: BTreeMap<String, Openings>,
    mergers: BTreeMap<String, Merger>,
    /// What those are called to whom others were joined, as they were met.
    joined_to: HashMap<String, Option<String>>,
}

/// The likeliest new cases of one unit, as many as may be opened, and how many more there are.
#[derive(Debug, Default)]
struct Openings {
    best: Vec<Opening>,
    beyond: u64,
}

/// A case that may be opened.
#[derive(Debug)]
struct Opening {
    /// Persons first, then id.
    order: (std::cmp::Reverse<u64>, String, FindingKind),
    case: CaseId,
    event: CaseEvent,
}

impl Openings {
    fn keep(&mut self, cap: usize) {
        self.best.sort_by(|a, b| a.order.cmp(&b.order));
        self.beyond += self.best.len().saturating_sub(cap) as u64;
        self.best.truncate(cap);
    }
}

impl<'a> Reviewing<'a> {
    /// Against these cases. Each unit is given at most so many new cases.
    #[must_use]
    pub fn begin(
        cases: Vec<Case>,
        roll: &'a RollKnowledge,
        new_cases_cap: u32,
        today: Date,
    ) -> Self {
        let mut by_enterprise: HashMap<String, Vec<Case>> = HashMap::new();
        for case in cases {
            let own = by_enterprise.entry(case.enterprise.clone()).or_default();
            own.push(case);
        }
        Self {
            cases: by_enterprise,
            roll,
            new_cases_cap: usize::try_from(new_cases_cap).unwrap_or(usize::MAX),
            today,
            review: Review::default(),
            openings: BTreeMap::new(),
            mergers: BTreeMap::new(),
            joined_to: HashMap::new(),
        }
    }

    /// Knows which enterprises persons have joined to others, by their ids: the others are to be heard of, whatever is said of them.
    #[must_use]
    pub fn knowing(mut self, mergers: BTreeMap<String, Merger>) -> Self {
        let others = mergers.values().map(|merger| (merger.into.clone(), None));
        self.joined_to = others.collect();
        self.mergers = mergers;
        self
    }

    /// Hears what the rules say of one enterprise.
    pub fn hear(&mut self, enterprise: &Enterprise, assessment: &Assessment) {
        if let Some(name) = self.joined_to.get_mut(&enterprise.id) {
            *name = Some(enterprise.name.clone());
        }
        let own = self.cases.remove(&enterprise.id).unwrap_or_default();
        let own: Vec<&Case> = own.iter().collect();
        follow(&mut self.review, enterprise, assessment, &own, self.roll);
        let findings = assessment.findings.iter();
        for finding in findings.filter(|finding| finding.kind.opens_case()) {
            if let Some((finding, ordinal)) = may_open(&own, finding, self.today) {
                self.may_be_opened(enterprise, assessment, finding, ordinal);
            }
        }
    }

    /// Passes over an enterprise of which nothing is to be said: no case of it is open and it has no finding that may open one.
    pub fn pass_over(&mut self, enterprise: &str) {
        self.cases.remove(enterprise);
    }

    /// Takes note of findings without a case that can not be among the first of their unit.
    pub fn wait(&mut self, unit: &str, findings: u64) {
        self.openings.entry(unit.to_owned()).or_default().beyond += findings;
    }

    /// How many new cases a unit is given at most.
    #[must_use]
    pub const fn cap(&self) -> usize {
        self.new_cases_cap
    }

    /// The enterprises that are to be heard of, if they are met: those that have a case, and those to whom others were joined. Whether
    /// they are though they have no finding: one of their cases is open, or another's may end by them.
    pub fn awaited(&self) -> impl Iterator<Item = (&str, bool)> {
        let is_awaited = |id: &str| self.joined_to.contains_key(id);
        let with_cases = self.cases.iter().map(move |(id, own)| {
            let is_open = own.iter().any(Case::is_open);
            (id.as_str(), is_open || is_awaited(id))
        });
        let others = self.joined_to.keys().map(String::as_str);
        let others = others.filter(|id| !self.cases.contains_key(*id));
        with_cases.chain(others.map(|id| (id, true)))
    }

    fn may_be_opened(
        &mut self,
        enterprise: &Enterprise,
        assessment: &Assessment,
        finding: Finding,
        (ordinal, reopened): (u32, bool),
    ) {
        let openings = self.openings.entry(assessment.unit.clone()).or_default();
        openings.best.push(Opening {
            order: (
                std::cmp::Reverse(finding.employed),
                enterprise.id.clone(),
                finding.kind,
            ),
            case: Case::id_of(&enterprise.id, finding.kind, ordinal),
            event: CaseEvent::Opened {
                enterprise: enterprise.id.clone(),
                credit_code: enterprise.credit_code.clone(),
                name: enterprise.name.clone(),
                unit: assessment.unit.clone(),
                ordinal,
                reopened,
                finding,
            },
        });
        // What is beyond the cap is counted and let go: a first review may find a hundred thousand.
        if openings.best.len() / 2 > self.new_cases_cap.max(ROOM) {
            openings.keep(self.new_cases_cap);
        }
    }

    /// What is to be committed: cases opened by priority (persons first, then id) up to the cap of each unit.
    #[must_use]
    pub fn done(self) -> Review {
        let mut review = self.review;
        // Whose enterprise nobody heard of: its records were joined to another, or nothing of it stands any longer.
        // Whoever joined it by name ended the case; else nobody has said what became of it.
        let unmet = self.cases.into_values().flatten();
        let mut unmet: Vec<Case> = unmet.filter(Case::is_open).collect();
        unmet.sort_by(|a, b| a.id.cmp(&b.id));
        for case in unmet {
            let merger = self.mergers.get(&case.enterprise).and_then(|merger| {
                let name = self.joined_to.get(&merger.into)?.as_ref()?;
                Some((merger, name))
            });
            if let Some((merger, name)) = merger {
                let event = CaseEvent::Closed {
                    reason: ClosingReason::Merged,
                    text: merged_into(merger, name),
                    heads: BTreeMap::new(),
                };
                review.events.push((case.id, event));
            } else if case.doubt.as_deref() != Some(UNMET) {
                let text = UNMET.to_owned();
                review.events.push((case.id, CaseEvent::Doubted { text }));
            }
        }
        let mut opened = Vec::new();
        for (unit, mut openings) in self.openings {
            openings.keep(self.new_cases_cap);
            opened.append(&mut openings.best);
            if openings.beyond > 0 {
                review.waiting.insert(unit, openings.beyond);
            }
        }
        opened.sort_by(|a, b| a.order.cmp(&b.order));
        review.events.extend(
            opened
                .into_iter()
                .map(|opening| (opening.case, opening.event)),
        );
        review
    }
}

/// Why a case rests whose enterprise is no longer met.
const UNMET: &str = "底数中已无该企业（其记录已并入其他企业，或已不再报送），暂停办理，请核实";

/// What a closing says of the enterprise that took the place of another.
fn merged_into(merger: &Merger, name: &str) -> String {
    format!(
        "已并入{name}（{}）：{}于{}认定为同一企业（{}）",
        merger.into,
        merger.by,
        day(merger.day),
        merger.reason
    )
}

/// New cases that are held beyond a small cap before they are sorted.
const ROOM: usize = 64;

/// The finding as a new case has it, and the case's ordinal, unless one is open or clerks' answers still clear every kind of it. A
/// clerk's answer about the firm clears every finding of it, for its kinds and its time; one that ran out is named as a reason.
fn may_open(own: &[&Case], finding: &Finding, today: Date) -> Option<(Finding, (u32, bool))> {
    let mut ordinal = 1;
    let mut reopened = false;
    let mut open = finding.clone();
    for case in own {
        let same = case.finding.kind == finding.kind;
        match &case.closed {
            None if same => return None,
            None => {}
            Some(closing) => {
                let before = open.kinds.len();
                open.kinds.retain(|kind| !closing.clears(*kind, today));
                if open.kinds.is_empty() {
                    return None;
                }
                if open.kinds.len() < before {
                    open.grounds.push(answer(case, closing, ANSWER_HOLDS));
                } else if same && closing.clears_until().is_some_and(|until| until < today) {
                    open.grounds.push(answer(case, closing, ANSWER_EXPIRED));
                }
                if same {
                    ordinal = ordinal.max(case.ordinal + 1);
                    reopened |= matches!(
                        closing.reason,
                        ClosingReason::Enrolled | ClosingReason::EnrolledPartly
                    );
                }
            }
        }
    }
    Some((open, (ordinal, reopened)))
}

/// A clerk's earlier answer as a ground of the new finding.
fn answer(case: &Case, closing: &Closing, rule: &str) -> Ground {
    let until = closing.clears_until().unwrap_or(closing.date);
    let proof = if closing.text.is_empty() {
        String::new()
    } else {
        format!("（{}）", closing.text)
    };
    let of = if closing.kinds.is_empty() {
        String::new()
    } else {
        let kinds: Vec<&str> = closing.kinds.iter().map(|kind| kind.title()).collect();
        format!("，所涉{}", kinds.join("、"))
    };
    let end = if rule == ANSWER_EXPIRED {
        format!("已于{}期满，须重新核实", day(until))
    } else {
        format!("在{}前有效{of}，其余险种仍须核实", day(until))
    };
    Ground {
        source: "rule".to_owned(),
        batch: String::new(),
        file: case.id.clone(),
        row: 0,
        date: Some(closing.date),
        text: format!(
            "此前{}的核实结果“{}”{proof}{end}",
            day(closing.date),
            closing.reason.title()
        ),
        rule: rule.to_owned(),
        article: "社会保险法第五十八条".to_owned(),
    }
}

/// Moves, refreshes or closes the open cases of one enterprise.
fn follow(
    review: &mut Review,
    enterprise: &Enterprise,
    assessment: &Assessment,
    own: &[&Case],
    roll: &RollKnowledge,
) {
    for case in own.iter().filter(|case| case.is_open()) {
        if assessment.unit != case.unit && !assessment.unit.is_empty() {
            review.events.push((
                case.id.clone(),
                CaseEvent::Moved {
                    to: assessment.unit.clone(),
                },
            ));
        }
        if let Some(finding) = assessment
            .findings
            .iter()
            .find(|finding| finding.kind == case.finding.kind)
        {
            let finding = narrowed(finding, own, case);
            if !finding.same_figures(&case.finding)
                || enterprise.name != case.name
                || case.doubt.is_some()
            {
                let event = CaseEvent::Refreshed {
                    finding,
                    name: enterprise.name.clone(),
                };
                review.events.push((case.id.clone(), event));
            }
        } else if let Some(text) = holding(assessment) {
            if case.doubt.as_ref() != Some(&text) {
                let event = CaseEvent::Doubted { text };
                review.events.push((case.id.clone(), event));
            }
        } else if let Some((reason, text)) = ending(assessment, case, roll) {
            let heads = match reason {
                ClosingReason::Enrolled | ClosingReason::EnrolledPartly => {
                    newly_registered(enterprise, case)
                }
                _ => BTreeMap::new(),
            };
            review.events.push((
                case.id.clone(),
                CaseEvent::Closed {
                    reason,
                    text,
                    heads,
                },
            ));
        }
    }
}

/// Why no step is to be taken though the finding is neither shown nor refuted: the data cannot be true, or the firm says that it
/// suspended its business. That ends no duty (社会保险法 art. 4): whether anybody is employed is to be verified.
fn holding(assessment: &Assessment) -> Option<String> {
    match assessment.standing {
        Standing::NotDecidable => {
            let why: Vec<&str> = assessment
                .doubts
                .iter()
                .map(|doubt| doubt.text.as_str())
                .collect();
            Some(why.join("；"))
        }
        Standing::Suspended => Some(assessment.standing.title().to_owned()),
        _ => None,
    }
}

/// A finding without the kinds that an answer explained when this case was opened: they stay explained while it is worked.
fn narrowed(finding: &Finding, own: &[&Case], case: &Case) -> Finding {
    let explained = |kind: Insurance| {
        own.iter()
            .filter_map(|other| other.closed.as_ref())
            .any(|closing| closing.date <= case.opened && closing.clears(kind, case.opened))
    };
    let mut finding = finding.clone();
    if finding.kinds.iter().any(|kind| !explained(*kind)) {
        finding.kinds.retain(|kind| !explained(*kind));
    }
    finding
}

/// Why a case whose finding is no longer shown ends — or `None` while the roll cannot say.
fn ending(
    assessment: &Assessment,
    case: &Case,
    roll: &RollKnowledge,
) -> Option<(ClosingReason, String)> {
    if assessment.standing.has_ended() {
        let text = format!("登记状态不再存续：{}", assessment.standing.title());
        return Some((ClosingReason::Deregistered, text));
    }
    let as_of = roll
        .as_of
        .filter(|as_of| *as_of > case.finding.roll_as_of)?;
    let unknown = matches!(
        assessment.standing,
        Standing::NotOnRegister | Standing::RollNotKnown | Standing::IdentityUndecided
    );
    if unknown || roll.known.len() < Insurance::ALL.len() {
        return None;
    }
    let text = roll_shows(as_of, &roll.file);
    if assessment.standing.insured() {
        return Some((ClosingReason::Enrolled, text));
    }
    if assessment.standing == Standing::Doubtful {
        return Some((ClosingReason::EnrolledPartly, text));
    }
    Some((
        ClosingReason::NoLongerShown,
        format!("{}。{text}", assessment.standing.title()),
    ))
}

/// What a closing says of the roll that it rests on.
#[must_use]
pub fn roll_shows(as_of: Date, file: &str) -> String {
    format!("{}的参保登记册（{file}）已显示", day(as_of))
}

/// Heads of the newest roll month beyond those the finding counted.
fn newly_registered(enterprise: &Enterprise, case: &Case) -> BTreeMap<Insurance, u64> {
    let Some(newest) = enterprise.roll.keys().map(|(month, _)| *month).max() else {
        return BTreeMap::new();
    };
    Insurance::ALL
        .into_iter()
        .filter_map(|kind| {
            let before = case.finding.registered.get(&kind).copied().unwrap_or(0);
            let more = enterprise.registered(newest, kind)?.saturating_sub(before);
            (more > 0).then_some((kind, more))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::case::ClerkEvent;
    use crate::domain::case::tests::{after, day, dispatched, finding, opened, ruled};
    use crate::domain::employment::Evidence;
    use crate::domain::pairing::organisation;
    use Insurance::{Pension, Unemployment, WorkInjury};

    fn answered(event: ClerkEvent, clears: &[Insurance]) -> Case {
        let until = Some("2026-12-31");
        after(&[
            ("2026-03-02", opened()),
            ("2026-03-03", dispatched()),
            ("2026-03-05", ruled(event, "2026-03-05", clears, until)),
        ])
    }

    #[test]
    fn a_case_whose_enterprise_is_no_longer_met_rests_and_says_so_once() {
        let roll = RollKnowledge::default();
        let reviewed = |case: &Case| {
            let reviewing = Reviewing::begin(vec![case.clone()], &roll, 30, day("2026-03-10"));
            reviewing.done().events
        };
        let case = after(&[("2026-03-02", opened()), ("2026-03-03", dispatched())]);
        let events = reviewed(&case);
        let [(id, CaseEvent::Doubted { text })] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!((id, text.as_str()), (&case.id, UNMET));
        let doubted = CaseEvent::Doubted { text: text.clone() };
        let resting = after(&[
            ("2026-03-02", opened()),
            ("2026-03-03", dispatched()),
            ("2026-03-10", doubted),
        ]);
        assert!(reviewed(&resting).is_empty());
        assert!(reviewed(&answered(ClerkEvent::NoEmployees, &[])).is_empty());
    }

    #[test]
    fn a_case_ends_whose_enterprise_a_person_joined_to_one_that_is_met() {
        let roll = RollKnowledge::default();
        let case = after(&[("2026-03-02", opened()), ("2026-03-03", dispatched())]);
        let merger = Merger {
            into: "EMA4RHCMP9".to_owned(),
            by: "张示例".to_owned(),
            reason: "登记机关来函".to_owned(),
            day: day("2026-03-09"),
        };
        let reviewed = |is_met: bool| {
            let mergers = BTreeMap::from([(case.enterprise.clone(), merger.clone())]);
            let mut reviewing =
                Reviewing::begin(vec![case.clone()], &roll, 30, day("2026-03-10")).knowing(mergers);
            if is_met {
                let mut other = Enterprise::of(organisation("MA4RHCMP9").expect("a code"));
                other.name = "南阳示例物流有限公司".to_owned();
                let assessment = Assessment {
                    enterprise: other.id.clone(),
                    unit: "411302".to_owned(),
                    active: true,
                    evidence: Evidence::Unknown,
                    class: None,
                    class_basis: None,
                    tags: Vec::new(),
                    in_scope: true,
                    undecided: false,
                    standing: Standing::RollNotKnown,
                    doubts: Vec::new(),
                    findings: Vec::new(),
                    roll_month: None,
                    turns: None,
                };
                reviewing.hear(&other, &assessment);
            }
            reviewing.done().events
        };
        let events = reviewed(true);
        let [
            (
                id,
                CaseEvent::Closed {
                    reason,
                    text,
                    heads,
                },
            ),
        ] = &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!(
            (id, *reason, heads.len()),
            (&case.id, ClosingReason::Merged, 0)
        );
        assert_eq!(
            text,
            "已并入南阳示例物流有限公司（EMA4RHCMP9）：张示例于2026年3月9日认定为同一企业（登记机关来函）"
        );
        // Neither is met: their records are no longer told, and nobody knows what became of them.
        let events = reviewed(false);
        assert!(
            matches!(&events[..], [(_, CaseEvent::Doubted { text })] if text == UNMET),
            "{events:?}"
        );
    }

    #[test]
    fn an_answer_clears_its_kinds_for_its_time_and_leaves_the_others_owed() {
        let part_time = answered(ClerkEvent::PartTime, &[Pension, Unemployment]);
        let elsewhere = answered(ClerkEvent::InsuredElsewhere, &Insurance::ALL);
        let open = |case: &Case, today: &str| may_open(&[case], &finding(), day(today));
        let (left, (ordinal, reopened)) = open(&part_time, "2026-12-31").expect("a case");
        assert_eq!(
            (left.kinds, ordinal, reopened),
            (vec![WorkInjury], 2, false)
        );
        let said = left.grounds.last().expect("a ground");
        assert_eq!(said.rule, ANSWER_HOLDS);
        assert!(
            said.text
                .contains("所涉养老保险、失业保险，其余险种仍须核实"),
            "{}",
            said.text
        );
        assert!(open(&elsewhere, "2026-12-31").is_none());
        // The day after both have ended: everything is asked again, and why is said.
        for case in [&part_time, &elsewhere] {
            let (again, _) = open(case, "2027-01-01").expect("a case");
            assert_eq!(again.kinds, Insurance::ALL);
            let said = again.grounds.last().expect("a ground");
            assert_eq!(said.rule, ANSWER_EXPIRED);
            assert!(said.text.contains("走访记录1号"), "{}", said.text);
            assert!(said.text.contains("2026年12月31日期满"), "{}", said.text);
        }
        // Two answers together leave nothing.
        let injury = answered(ClerkEvent::AgencyStaff, &[WorkInjury]);
        assert!(may_open(&[&part_time, &injury], &finding(), day("2026-05-01")).is_none());
    }

    #[test]
    fn a_case_stays_with_the_kinds_it_was_opened_for() {
        let part_time = answered(ClerkEvent::PartTime, &[Pension, Unemployment]);
        let mut open = after(&[("2026-04-01", opened())]);
        open.finding.kinds = vec![WorkInjury];
        let own = [&part_time, &open];
        assert_eq!(narrowed(&finding(), &own, &open).kinds, [WorkInjury]);
        // One opened before the answer keeps what it asked for.
        let before = after(&[("2026-03-01", opened())]);
        let own = [&part_time, &before];
        assert_eq!(narrowed(&finding(), &own, &before).kinds, Insurance::ALL);
    }
}
