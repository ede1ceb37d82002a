use super::*;
use crate::domain::explanation::{Asked, Explanation, Subject, explain};
use crate::domain::record::{RecordKind, Value};
use crate::domain::register::Placed;
use crate::domain::survey::{Found, Surveyed};
use crate::domain::unit::Unit;

const FIRM: &str = "91411303MA49U85BX9";
const BRANCH: &str = "91411381MA4RHCMP9A";
const OTHER: &str = "914113022328776885";

fn rules() -> Rules {
    let unit = |id: &str, name: &str| Unit {
        id: id.to_owned(),
        name: name.to_owned(),
        agency: format!("{name}社会保险中心"),
        aliases: Vec::new(),
        townships: Vec::new(),
        email: "clerk@unit.example".to_owned(),
        audit_email: "audit@unit.example".to_owned(),
        phone: None,
        provincial: false,
    };
    Rules {
        coverage: CoverageRules::default(),
        size: size::Tables {
            size: toml::from_str(include_str!("../../../config/rules/size-2017.toml"))
                .expect("the shipped size table"),
            finance: toml::from_str(include_str!("../../../config/rules/finance-2015.toml"))
                .expect("the shipped finance table"),
        },
        new_form: toml::from_str(include_str!("../../../config/rules/new-form.toml"))
            .expect("the shipped markers"),
        liability: crate::domain::liability::tests::shipped(),
        units: Units {
            units: vec![unit("411302", "宛城区"), unit("411303", "卧龙区")],
        },
        versions: Vec::new(),
    }
}

fn day(text: &str) -> Date {
    text.parse().expect("a date")
}

fn month(text: &str) -> Month {
    Month::parse(text).expect("a month")
}

fn roll_of(known: &[Insurance]) -> RollKnowledge {
    RollKnowledge {
        as_of: Some(day("2026-03-31")),
        known: known.iter().copied().collect(),
        adapter: "roll".to_owned(),
        batch: "b1".to_owned(),
        file: "roll.csv".to_owned(),
    }
}

/// A city of a few firms, built row by row.
#[derive(Default)]
struct City {
    rows: Vec<Placed>,
    surveys: Surveys,
}

impl City {
    fn row(mut self, kind: RecordKind, fields: Vec<(Field, Value)>) -> Self {
        self.rows.push(Placed {
            adapter: kind.name().to_owned(),
            batch: "b1".to_owned(),
            file: format!("{}.csv", kind.name()),
            row: self.rows.len() as u64 + 2,
            as_of: Some(day("2026-03-31")),
            precedence: 0,
            missed: 0,
            record: Record {
                kind,
                fields: fields.into_iter().collect(),
            },
        });
        self
    }

    fn registered(self, code: &str, industry: &str) -> Self {
        self.registered_with(code, industry, vec![])
    }

    fn registered_with(self, code: &str, industry: &str, more: Vec<(Field, Value)>) -> Self {
        let mut fields = vec![
            (Field::CreditCode, text(code)),
            (
                Field::Name,
                text(&format!("南阳{}号有限公司", &code[9..17])),
            ),
            (Field::Status, text("active")),
            (Field::IndustryCode, text(industry)),
            (Field::Founded, Value::Date(day("2020-01-01"))),
            (Field::Region, text("411303")),
            (Field::Employees, Value::Count(9)),
        ];
        fields.extend(more);
        self.row(RecordKind::Registration, fields)
    }

    fn filers(mut self, code: &str, filers: &[(&str, u64)]) -> Self {
        for (at, n) in filers {
            self = self.row(
                RecordKind::Tax,
                vec![
                    (Field::CreditCode, text(code)),
                    (Field::Month, Value::Month(month(at))),
                    (Field::Filers, Value::Count(*n)),
                ],
            );
        }
        self
    }

    /// What a person found out about the firm.
    fn surveyed(mut self, surveyed: &Surveyed) -> Self {
        let id = format!("E{}", &FIRM[8..17]);
        self.surveys.entry(id).or_default().take(surveyed);
        self
    }

    /// Two months of the same staff.
    fn staff(self, code: &str, n: u64) -> Self {
        self.filers(code, &[("2026-02", n), ("2026-03", n)])
    }

    fn roll(mut self, code: &str, heads: &[(Insurance, u64)], at: &str) -> Self {
        for (kind, n) in heads {
            self = self.row(
                RecordKind::InsuredRoll,
                vec![
                    (Field::UnitNumber, text(&format!("U{code}"))),
                    (Field::CreditCode, text(code)),
                    (Field::Insurance, text(kind.word())),
                    (Field::Month, Value::Month(month(at))),
                    (Field::RegisteredHeads, Value::Count(*n)),
                    (Field::PayingHeads, Value::Count(*n)),
                    (Field::Agency, text("卧龙区社会保险中心")),
                ],
            );
        }
        self
    }

    fn insured(self, code: &str, n: u64) -> Self {
        self.roll(code, &Insurance::ALL.map(|kind| (kind, n)), "2026-03")
    }

    fn assess(self, code: &str) -> Assessment {
        self.assess_with(code, &Insurance::ALL, &rules())
    }

    fn assess_with(self, code: &str, known: &[Insurance], rules: &Rules) -> Assessment {
        let register = Register::build(self.rows.clone());
        let wanted = register.find(code)[0].id.clone();
        let roll = roll_of(known);
        assess_all(&register, rules, &roll, &self.surveys, day("2026-04-10"))
            .into_iter()
            .find(|one| one.enterprise == wanted)
            .expect("every enterprise is assessed")
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// The same city with a fully insured firm beside, so that the roll has its current month.
fn city() -> City {
    City::default()
        .registered(OTHER, "F5211")
        .staff(OTHER, 5)
        .insured(OTHER, 5)
}

fn firm(industry: &str, staff: u64) -> City {
    city().registered(FIRM, industry).staff(FIRM, staff)
}

use Insurance::{Pension, Unemployment, WorkInjury};

fn check(city: City, standing: Standing, findings: &[(FindingKind, &[Insurance])]) {
    let assessment = city.assess(FIRM);
    assert_eq!(assessment.standing, standing, "{assessment:#?}");
    let seen: Vec<(FindingKind, &[Insurance])> = assessment
        .findings
        .iter()
        .map(|finding| (finding.kind, finding.kinds.as_slice()))
        .collect();
    assert_eq!(seen, findings, "{assessment:#?}");
}

#[test]
fn staff_and_no_unit_on_the_roll_is_absent() {
    let city = firm("F5211", 8);
    check(
        city,
        Standing::Doubtful,
        &[(FindingKind::Absent, &Insurance::ALL)],
    );
    let finding = &firm("F5211", 8).assess(FIRM).findings[0];
    assert_eq!(finding.employed, 8);
    // Two months of filers, the absence, the registration: each can be looked up.
    assert_eq!(finding.grounds.len(), 4);
    assert!(
        finding
            .grounds
            .iter()
            .all(|ground| !ground.file.is_empty() && !ground.article.is_empty())
    );
    assert_eq!(finding.grounds[2].row, 0);
}

#[test]
fn a_unit_without_anybody_is_nobody_insured() {
    check(
        firm("F5211", 8).insured(FIRM, 0),
        Standing::Doubtful,
        &[(FindingKind::NobodyInsured, &Insurance::ALL)],
    );
    // Its rows ended months ago.
    check(
        firm("F5211", 8).roll(FIRM, &[(Pension, 8)], "2025-06"),
        Standing::Doubtful,
        &[(FindingKind::NobodyInsured, &Insurance::ALL)],
    );
}

#[test]
fn a_kind_without_heads_is_missing() {
    check(
        firm("F5211", 8).roll(FIRM, &[(Pension, 8), (Unemployment, 0)], "2026-03"),
        Standing::Doubtful,
        &[(FindingKind::KindsMissing, &[Unemployment, WorkInjury])],
    );
}

#[test]
fn fewer_insured_needs_ratio_and_gap() {
    for (staff, insured, fewer) in [
        (10, 10, false),
        (10, 8, false),
        (10, 7, true),
        (5, 3, false),
        (4, 1, true),
        (100, 79, true),
        (100, 80, false),
    ] {
        let assessment = city()
            .registered_with(FIRM, "F5211", vec![(Field::Employees, Value::Count(staff))])
            .staff(FIRM, staff)
            .insured(FIRM, insured)
            .assess(FIRM);
        let seen = assessment
            .findings
            .iter()
            .any(|finding| finding.kind == FindingKind::FewerInsured);
        assert_eq!(seen, fewer, "{staff} {insured}");
        let standing = if fewer {
            Standing::Doubtful
        } else {
            Standing::Insured
        };
        assert_eq!(assessment.standing, standing, "{staff} {insured}");
    }
}

#[test]
fn a_kind_that_is_not_known_founds_nothing() {
    let partly = |city: City| city.assess_with(FIRM, &[Pension, Unemployment], &rules());
    // Work injury is late: its missing rows say nothing.
    let late = partly(firm("F5211", 8).roll(FIRM, &[(Pension, 8), (Unemployment, 8)], "2026-03"));
    assert_eq!(late.standing, Standing::Insured);
    assert!(late.findings.is_empty());
    // Neither absence nor an empty unit is told from two kinds of three — nor is it cover.
    for city in [firm("F5211", 8), firm("F5211", 8).insured(FIRM, 0)] {
        let open = partly(city);
        assert_eq!(open.standing, Standing::RollNotKnown);
        assert!(open.findings.is_empty());
    }
    // What is known still counts.
    let missing = partly(firm("F5211", 8).roll(FIRM, &[(Pension, 8)], "2026-03"));
    assert_eq!(missing.findings[0].kinds, [Unemployment]);
    // Nothing known at all.
    let nothing = firm("F5211", 8).assess_with(FIRM, &[], &rules());
    assert_eq!(nothing.standing, Standing::RollNotKnown);
}

#[test]
fn unreadable_heads_are_neither_missing_nor_cover() {
    let unreadable = firm("F5211", 8)
        .roll(FIRM, &[(Pension, 8), (Unemployment, 8)], "2026-03")
        .row(
            RecordKind::InsuredRoll,
            vec![
                (Field::UnitNumber, text("U9")),
                (Field::CreditCode, text(FIRM)),
                (Field::Insurance, text("work_injury")),
                (Field::Month, Value::Month(month("2026-03"))),
                (Field::RegisteredHeads, Value::Unread("若干".to_owned())),
            ],
        );
    check(unreadable, Standing::RollNotKnown, &[]);
}

#[test]
fn one_early_or_mistyped_month_does_not_make_everybody_uninsured() {
    for month in ["2026-04", "2062-03"] {
        let mut city = firm("F5211", 8).insured(FIRM, 8);
        // A dozen firms insured in March, one of them already in the later month.
        city = city.roll(OTHER, &[(Pension, 5)], month);
        check(city, Standing::Insured, &[]);
    }
    // Who enrolled in the month that is not yet complete for all is seen.
    check(
        firm("F5211", 8).roll(FIRM, &Insurance::ALL.map(|kind| (kind, 8)), "2026-04"),
        Standing::Insured,
        &[],
    );
}

#[test]
fn a_mistyped_month_of_tax_does_not_make_everybody_s_wages_old() {
    let slip = firm("F5211", 8).filers(OTHER, &[("2062-03", 5)]);
    check(
        slip,
        Standing::Doubtful,
        &[(FindingKind::Absent, &Insurance::ALL)],
    );
}

#[test]
fn construction_is_insured_against_work_injury_by_project() {
    check(
        firm("E4710", 8).roll(FIRM, &[(Pension, 8), (Unemployment, 8)], "2026-03"),
        Standing::InsuredByProject,
        &[],
    );
    check(
        firm("E4710", 8).roll(FIRM, &[(Pension, 8)], "2026-03"),
        Standing::Doubtful,
        &[(FindingKind::KindsMissing, &[Unemployment])],
    );
}

#[test]
fn a_branch_is_covered_by_what_its_head_office_has_to_spare() {
    let branch = |heads: u64| {
        city()
            .registered(BRANCH, "F5211")
            .staff(BRANCH, 10)
            .insured(BRANCH, heads)
            .registered_with(FIRM, "F5211", vec![(Field::HeadOfficeCode, text(BRANCH))])
            .staff(FIRM, 4)
    };
    check(branch(14), Standing::InsuredByHeadOffice, &[]);
    check(
        branch(13),
        Standing::Doubtful,
        &[(FindingKind::Absent, &Insurance::ALL)],
    );
}

#[test]
fn without_evidence_of_staff_nothing_is_asked() {
    for (filers, standing) in [
        (&[][..], Standing::StaffUnknown),
        (&[("2026-03", 8)], Standing::StaffUnknown),
        (&[("2026-01", 8), ("2026-03", 8)], Standing::StaffUnknown),
        (&[("2025-10", 8), ("2025-11", 8)], Standing::StaffUnknown),
        (&[("2026-02", 8), ("2026-03", 8)], Standing::Doubtful),
        (&[("2026-01", 8), ("2026-02", 8)], Standing::Doubtful),
    ] {
        let assessment = city()
            .registered(FIRM, "F5211")
            .filers(FIRM, filers)
            .assess(FIRM);
        assert_eq!(assessment.standing, standing, "{filers:?}");
    }
    // The owner alone, and no heads in the annual report.
    let owner = city()
        .registered_with(FIRM, "F5211", vec![(Field::Employees, Value::Count(1))])
        .staff(FIRM, 1)
        .assess(FIRM);
    assert_eq!(owner.standing, Standing::NoStaff);
    // No setting makes a month of evidence out of none.
    let mut rules = rules();
    rules.coverage.evidence_months = 0;
    let none = city()
        .registered(FIRM, "F5211")
        .assess_with(FIRM, &Insurance::ALL, &rules);
    assert_eq!(none.standing, Standing::StaffUnknown);
}

#[test]
fn status_age_form_and_size_come_before_any_question() {
    let with = |code: &str, more: Vec<(Field, Value)>, staff: u64| {
        city()
            .registered_with(code, "F5211", more)
            .staff(code, staff)
            .assess(code)
            .standing
    };
    for (status, standing) in [
        ("cancelled", Standing::Cancelled),
        ("revoked", Standing::Revoked),
        ("liquidating", Standing::Liquidating),
        ("moved", Standing::Moved),
        ("suspended", Standing::Suspended),
        ("abnormal", Standing::NotDecidable),
        ("unclear", Standing::NotDecidable),
    ] {
        assert_eq!(
            with(FIRM, vec![(Field::Status, text(status))], 8),
            standing,
            "{status}"
        );
    }
    let founded = |date: &str| vec![(Field::Founded, Value::Date(day(date)))];
    assert_eq!(with(FIRM, founded("2026-03-12"), 8), Standing::Grace);
    assert_eq!(with(FIRM, founded("2026-03-11"), 8), Standing::Doubtful);
    assert_eq!(with("92411303MA9MWA7340", vec![], 8), Standing::OtherForm);
    let large = vec![
        (Field::Employees, Value::Count(300)),
        (Field::Revenue, Value::Money(20_000 * 1_000_000)),
    ];
    assert_eq!(with(FIRM, large, 300), Standing::MediumOrLarge);
    let unknown = city().filers(FIRM, &[("2026-03", 8)]).assess(FIRM);
    assert_eq!(unknown.standing, Standing::NotOnRegister);
}

/// 213号: a class is fixed once a year.
#[test]
fn what_is_declared_within_the_year_does_not_change_the_class() {
    let declared = |at: &str, heads: u64, wan: i64| {
        vec![
            (Field::CreditCode, text(FIRM)),
            (Field::Month, Value::Month(month(at))),
            (Field::Employees, Value::Count(heads)),
            (Field::Revenue, Value::Money(wan * 1_000_000)),
        ]
    };
    let registered = |rows: &[(&str, u64, i64)]| {
        let fields = vec![
            (Field::CreditCode, text(FIRM)),
            (Field::Status, text("active")),
            (Field::IndustryCode, text("I6513")),
            (Field::Founded, Value::Date(day("2020-01-01"))),
            (Field::Region, text("411303")),
        ];
        let mut all = City::default().row(RecordKind::Registration, fields);
        for (at, heads, wan) in rows {
            all = all.row(RecordKind::Tax, declared(at, *heads, *wan));
        }
        all
    };
    let class = |all: &City, today: &str| {
        let register = Register::build(all.rows.clone());
        let all = assess_all(&register, &rules(), &roll_of(&[]), &all.surveys, day(today));
        let one = all.into_iter().next().expect("one enterprise");
        let year = one.class_basis.and_then(|basis| basis.year);
        (one.class.map(|class| class.class), year, one.turns)
    };
    let grown = registered(&[
        ("2025-11", 9, 40),
        ("2025-12", 120, 5_000),
        ("2026-02", 8, 30),
        ("2026-03", 320, 20_000),
    ]);
    let new_year = Some(day("2027-01-01"));
    let medium = Some(size::Class::Medium);
    assert_eq!(class(&grown, "2026-04-10"), (medium, Some(2025), new_year));
    assert_eq!(class(&grown, "2026-12-31"), (medium, Some(2025), new_year));
    let large = Some(size::Class::Large);
    assert_eq!(class(&grown, "2027-01-01"), (large, Some(2026), None));
    // Nothing of the year before: by what it declared first, and so all year.
    let young = registered(&[("2026-02", 8, 30), ("2026-03", 320, 20_000)]);
    let micro = Some(size::Class::Micro);
    assert_eq!(class(&young, "2026-04-10"), (micro, Some(2026), new_year));
    let old = registered(&[("2023-11", 8, 30), ("2023-12", 320, 20_000)]);
    assert_eq!(class(&old, "2026-04-10"), (large, Some(2023), None));
    // A row of wages alone says nothing of the class, neither in the year after nor later.
    let silent = old.filers(FIRM, &[("2024-02", 8)]);
    for today in ["2024-12-31", "2025-04-10", "2026-04-10"] {
        let (of, year, _) = class(&silent, today);
        assert_eq!((of, year), (large, Some(2023)), "{today}");
    }
}

#[test]
fn a_large_platform_is_in_scope_and_an_expired_licence_makes_none() {
    let licensed = |until: &str, status: &str| {
        city()
            .registered_with(
                FIRM,
                "I6513",
                vec![
                    (Field::Employees, Value::Count(500)),
                    (Field::Revenue, Value::Money(50_000 * 1_000_000)),
                ],
            )
            .staff(FIRM, 300)
            .row(
                RecordKind::Transport,
                vec![
                    (Field::CreditCode, text(FIRM)),
                    (Field::LicenceKind, text("ride_hailing")),
                    (Field::LicenceNumber, text("0001")),
                    (Field::LicenceUntil, Value::Date(day(until))),
                    (Field::Status, text(status)),
                ],
            )
            .assess(FIRM)
    };
    let valid = licensed("2026-04-10", "active");
    assert!(valid.in_scope);
    assert_eq!(valid.standing, Standing::Doubtful);
    for gone in [
        licensed("2026-04-09", "active"),
        licensed("2030-01-01", "cancelled"),
    ] {
        assert!(gone.tags.is_empty());
        assert_eq!(gone.standing, Standing::MediumOrLarge);
    }
}

#[test]
fn registered_and_not_paying_is_the_tax_authority_s_list() {
    let mut city = firm("F5211", 8);
    for at in ["2026-01", "2026-02", "2026-03"] {
        for kind in Insurance::ALL {
            city = city.row(
                RecordKind::InsuredRoll,
                vec![
                    (Field::UnitNumber, text("U1")),
                    (Field::CreditCode, text(FIRM)),
                    (Field::Insurance, text(kind.word())),
                    (Field::Month, Value::Month(month(at))),
                    (Field::RegisteredHeads, Value::Count(8)),
                    (Field::PayingHeads, Value::Count(0)),
                ],
            );
        }
    }
    check(
        city,
        Standing::NotPaying,
        &[(FindingKind::NotPaying, &Insurance::ALL)],
    );
}

#[test]
fn the_case_belongs_to_the_agency_that_insures_or_registers() {
    assert_eq!(firm("F5211", 8).assess(FIRM).unit, "411303");
    let moved = firm("F5211", 8)
        .registered_with(BRANCH, "F5211", vec![(Field::Region, text("411302"))])
        .staff(BRANCH, 3)
        .insured(BRANCH, 3);
    // Registered in 宛城, insured in 卧龙.
    assert_eq!(moved.assess(BRANCH).unit, "411303");
}

#[test]
fn a_kind_whose_months_stopped_coming_is_not_known() {
    let census = |heads: &[(&str, u64)]| Census {
        parts: Insurance::ALL
            .iter()
            .map(|kind| (format!("insurance:{}", kind.word()), 10))
            .collect(),
        heads: heads
            .iter()
            .map(|(key, n)| ((*key).to_owned(), *n))
            .collect(),
        ..Census::default()
    };
    let [pension, unemployment, work_injury] = Insurance::ALL;
    for (heads, wanted) in [
        (
            &[
                ("2026-03/pension", 9),
                ("2026-03/unemployment", 9),
                ("2026-03/work_injury", 9),
            ][..],
            &[pension, unemployment, work_injury][..],
        ),
        (
            &[
                ("2026-03/pension", 9),
                ("2026-02/unemployment", 9),
                ("2026-01/work_injury", 9),
            ],
            &[pension, unemployment],
        ),
        (&[], &[pension, unemployment, work_injury]),
    ] {
        let found: Vec<_> = known_kinds(&census(heads)).into_iter().collect();
        assert_eq!(found, wanted, "{heads:?}");
    }
    assert!(known_kinds(&Census::default()).is_empty());
}

fn doubtful(more: Vec<(Field, Value)>) -> Assessment {
    city()
        .registered_with(FIRM, "F5211", more)
        .staff(FIRM, 8)
        .assess(FIRM)
}

fn kinds_of(assessment: &Assessment) -> Vec<DoubtKind> {
    assessment.doubts.iter().map(|doubt| doubt.kind).collect()
}

#[test]
fn what_cannot_be_true_founds_no_accusation() {
    let count = |n| Value::Count(n);
    let wan = |wan: i64| Value::Money(wan * 1_000_000);
    let unread = |text: &str| Value::Unread(text.to_owned());
    // The same firm with sound rows is accused.
    assert_eq!(doubtful(vec![]).standing, Standing::Doubtful);
    for (more, kind) in [
        (
            vec![(Field::IndustryCode, text("9911"))],
            DoubtKind::UnknownIndustry,
        ),
        (
            vec![(Field::IndustryCode, text("百货"))],
            DoubtKind::UnknownIndustry,
        ),
        (
            vec![
                (Field::IndustryCode, text("5211")),
                (Field::IndustryName, text("教育")),
            ],
            DoubtKind::IndustryContradiction,
        ),
        (
            vec![(Field::Employees, unread("-5"))],
            DoubtKind::AbsurdHeads,
        ),
        (
            vec![(Field::Employees, count(9_000_000))],
            DoubtKind::AbsurdHeads,
        ),
        (
            vec![
                (Field::Employees, count(10)),
                (Field::Revenue, wan(5_000_000)),
            ],
            DoubtKind::RevenueUnit,
        ),
        (
            vec![(Field::Founded, Value::Date(day("2026-04-11")))],
            DoubtKind::FoundedInFuture,
        ),
        (
            vec![(Field::Founded, unread("2062-01-01"))],
            DoubtKind::FoundedInFuture,
        ),
        (
            vec![(Field::Region, text("411399"))],
            DoubtKind::UnknownRegion,
        ),
        (
            vec![(Field::Employees, count(200))],
            DoubtKind::HeadsContradiction,
        ),
    ] {
        let assessment = doubtful(more);
        assert_eq!(assessment.standing, Standing::NotDecidable, "{kind:?}");
        assert!(assessment.findings.is_empty(), "{kind:?}");
        assert_eq!(kinds_of(&assessment), [kind]);
        let doubt = &assessment.doubts[0];
        assert!(!doubt.text.is_empty());
        // The row can be looked up.
        assert!(
            doubt
                .grounds
                .iter()
                .all(|ground| ground.row > 0 && !ground.file.is_empty())
        );
    }
}

#[test]
fn ordinary_differences_are_no_doubts() {
    let count = |n| Value::Count(n);
    for more in [
        // An annual report of last year, and a firm that grew since; a form left empty.
        vec![(Field::Employees, count(2))],
        vec![(Field::Employees, count(0))],
        vec![(Field::Employees, count(40))],
        // A range is merely unknown, and so is a date that is none.
        vec![(Field::Employees, Value::Unread("1-49人".to_owned()))],
        vec![(Field::Founded, Value::Unread("不详之日".to_owned()))],
        vec![(Field::IndustryName, text("百货零售"))],
        vec![(Field::Region, text("411303000"))],
        // A small shop's revenue of next to nothing.
        vec![(Field::Revenue, Value::Money(5_000))],
    ] {
        let assessment = doubtful(more.clone());
        assert_eq!(assessment.doubts, [], "{more:?}");
        assert_eq!(assessment.standing, Standing::Doubtful, "{more:?}");
    }
}

/// A tax row of March beside the register's own figures.
fn with_tax(register: &[(Field, Value)], tax: &[(Field, Value)]) -> Assessment {
    let mut row = vec![
        (Field::CreditCode, text(FIRM)),
        (Field::Month, Value::Month(month("2026-03"))),
        (Field::Filers, Value::Count(60)),
    ];
    row.extend(tax.iter().cloned());
    city()
        .registered_with(FIRM, "F5211", register.to_vec())
        .filers(FIRM, &[("2026-02", 60)])
        .row(RecordKind::Tax, row)
        .assess(FIRM)
}

#[test]
fn sources_that_contradict_each_other_decide_nothing() {
    let count = |n| Value::Count(n);
    let wan = |wan: i64| Value::Money(wan * 1_000_000);
    let small = [(Field::Employees, count(40)), (Field::Revenue, wan(400))];
    let medium = [(Field::Employees, count(120)), (Field::Revenue, wan(1_000))];
    let near = [(Field::Employees, count(52)), (Field::Revenue, wan(600))];
    for (register, tax, wanted, standing) in [
        (
            &small[..],
            &medium[..],
            &[DoubtKind::ClassContradiction][..],
            Standing::NotDecidable,
        ),
        (
            &medium,
            &small,
            &[DoubtKind::ClassContradiction],
            Standing::NotDecidable,
        ),
        // Both sides of the bound, but near it: a year lies between them.
        (&small, &near, &[], Standing::Doubtful),
        (&medium, &medium, &[], Standing::MediumOrLarge),
        (
            &[(Field::Employees, count(60)), (Field::Revenue, wan(400))],
            &[
                (Field::Employees, count(60)),
                (Field::Revenue, Value::Money(40_000)),
            ],
            &[DoubtKind::RevenueUnit],
            Standing::NotDecidable,
        ),
        (
            &small,
            &[(Field::Status, text("cancelled"))],
            &[DoubtKind::StatusContradiction],
            Standing::NotDecidable,
        ),
        (
            &small,
            &[(Field::Status, text("abnormal"))],
            &[],
            Standing::Doubtful,
        ),
        (
            &small,
            &[(Field::Filers, Value::Unread("-60".to_owned()))],
            &[DoubtKind::AbsurdHeads],
            Standing::NotDecidable,
        ),
    ] {
        let assessment = with_tax(register, tax);
        assert_eq!(kinds_of(&assessment), wanted, "{register:?} {tax:?}");
        assert_eq!(assessment.standing, standing, "{register:?} {tax:?}");
    }
}

#[test]
fn a_doubt_about_the_class_does_not_touch_a_platform_nor_any_doubt_who_is_insured() {
    let doubtful_revenue = vec![
        (Field::Employees, Value::Count(10)),
        (Field::Revenue, Value::Money(5_000_000 * 1_000_000)),
    ];
    let express = city()
        .registered_with(FIRM, "G6020", doubtful_revenue.clone())
        .staff(FIRM, 8);
    let express = express.assess(FIRM);
    assert_eq!(kinds_of(&express), [DoubtKind::RevenueUnit]);
    assert_eq!(express.standing, Standing::Doubtful);
    // But whether it can be anybody's business is for every doubt of another kind to ask.
    let nowhere = city()
        .registered_with(FIRM, "G6020", vec![(Field::Region, text("411399"))])
        .staff(FIRM, 8)
        .assess(FIRM);
    assert_eq!(nowhere.standing, Standing::NotDecidable);
    let insured = city()
        .registered_with(
            FIRM,
            "F5211",
            vec![(Field::Founded, Value::Date(day("2027-01-01")))],
        )
        .staff(FIRM, 8)
        .insured(FIRM, 8)
        .assess(FIRM);
    assert_eq!(insured.standing, Standing::Insured);
    assert_eq!(kinds_of(&insured), [DoubtKind::FoundedInFuture]);
}

#[test]
fn the_class_carries_its_year_and_how_its_edition_was_told() {
    let basis = |more: Vec<(Field, Value)>| doubtful(more).class_basis.expect("a class");
    let plain = basis(vec![]);
    assert_eq!((plain.year, plain.told_by), (Some(2026), ToldBy::Assumed));
    let reported = basis(vec![
        (Field::ReportYear, Value::Count(2024)),
        (Field::IndustryCode, text("7910")),
        (Field::IndustryName, text("家庭服务")),
    ]);
    assert_eq!(reported.year, Some(2024));
    assert_eq!(
        (reported.edition, reported.told_by),
        (Edition::E2011, ToldBy::Name)
    );
    let branch = city()
        .registered(BRANCH, "F5211")
        .registered_with(FIRM, "F5211", vec![(Field::HeadOfficeCode, text(BRANCH))])
        .staff(FIRM, 4)
        .assess(FIRM);
    let of = branch.class_basis.expect("a class").head_office;
    assert_eq!(of.as_deref(), Some(&*format!("E{}", &BRANCH[8..17])));
}

#[test]
fn who_pays_wages_for_less_than_thirty_days_is_not_late() {
    let mut rules = rules();
    rules.coverage.evidence_months = 1;
    let standing = |months: &[(&str, u64)]| {
        city()
            .registered(FIRM, "F5211")
            .filers(FIRM, months)
            .assess_with(FIRM, &Insurance::ALL, &rules)
            .standing
    };
    // On 10 April: taken on some day of March is at most due on 30 April.
    assert_eq!(standing(&[("2026-03", 8)]), Standing::StaffGrace);
    assert_eq!(
        standing(&[("2026-02", 8), ("2026-03", 8)]),
        Standing::Doubtful
    );
    assert_eq!(
        standing(&[("2026-02", 1), ("2026-03", 8)]),
        Standing::StaffGrace
    );
}

/// How a city is made anew.
type Make = fn() -> City;

/// The explanation of the firm in this city, and the city as it was.
fn explained(city: City) -> Explanation {
    let City { rows, surveys } = city;
    let register = Register::build(rows);
    let wanted = register.find(FIRM)[0].id.clone();
    let (rules, roll) = (rules(), roll_of(&Insurance::ALL));
    let today = day("2026-04-10");
    let assessment = assess_one(&register, &wanted, &rules, &roll, &surveys, today).expect("there");
    explain(&Asked {
        enterprise: register.get(&wanted).expect("there"),
        assessment: &assessment,
        cases: &[],
        rules: &rules,
        roll: &roll,
        survey: surveys.get(&wanted),
        today,
    })
}

#[test]
fn every_verdict_has_facts_with_their_place_a_rule_and_an_article() {
    for (city, subjects) in [
        (firm("F5211", 8), &[Subject::Finding][..]),
        (firm("F5211", 8).insured(FIRM, 8), &[]),
        (firm("G6020", 8), &[Subject::NewForm, Subject::Finding]),
        (firm("9911", 8), &[Subject::Doubt]),
    ] {
        let explanation = explained(city);
        let seen: std::collections::BTreeSet<Subject> = explanation
            .verdicts
            .iter()
            .map(|verdict| verdict.subject)
            .collect();
        for subject in [
            Subject::Registration,
            Subject::Employment,
            Subject::Class,
            Subject::Scope,
            Subject::Liability,
            Subject::Coverage,
        ]
        .iter()
        .chain(subjects)
        {
            assert!(seen.contains(subject), "{subject:?}");
        }
        for verdict in &explanation.verdicts {
            assert!(
                !verdict.answer.is_empty() && !verdict.text.is_empty(),
                "{verdict:?}"
            );
            assert!(
                !verdict.rule.id.is_empty() && !verdict.article.is_empty(),
                "{verdict:?}"
            );
            assert!(!verdict.facts.is_empty(), "{verdict:?}");
            for fact in &verdict.facts {
                assert!(!fact.file.is_empty() && fact.date.is_some(), "{fact:?}");
            }
        }
        let kinds = explanation
            .verdicts
            .iter()
            .filter(|verdict| verdict.subject == Subject::Liability)
            .count();
        assert_eq!(kinds, 3);
    }
}

#[test]
fn what_is_said_to_clear_a_finding_clears_it() {
    let heads = |text: &str| -> u64 {
        let (_, after) = text.split_once("各不少于").expect("a number of heads");
        after.trim_end_matches('人').parse().expect("a number")
    };
    let kinds_missing =
        || firm("F5211", 8).roll(FIRM, &[(Pension, 8), (Unemployment, 8)], "2026-03");
    let fewer = || firm("F5211", 20).insured(FIRM, 9);
    for make in [
        (|| firm("F5211", 8)) as Make,
        || firm("F5211", 8).insured(FIRM, 0),
        kinds_missing,
        fewer,
    ] {
        let explanation = explained(make());
        let finding = explanation
            .verdicts
            .iter()
            .find(|verdict| verdict.subject == Subject::Finding)
            .expect("a finding");
        let heads = heads(&finding.clears[0]);
        // Everybody registered from April on: the newest month counts.
        let after = make().roll(FIRM, &Insurance::ALL.map(|kind| (kind, heads)), "2026-04");
        assert_eq!(
            after.assess(FIRM).standing,
            Standing::Insured,
            "{finding:?}"
        );
        let short = make().roll(
            FIRM,
            &Insurance::ALL.map(|kind| (kind, heads / 2)),
            "2026-04",
        );
        assert_eq!(
            short.assess(FIRM).standing,
            Standing::Doubtful,
            "{finding:?}"
        );
    }
}

#[test]
fn the_liability_says_since_when_and_by_which_article() {
    let of = |explanation: &Explanation, kind: &str| {
        explanation
            .verdicts
            .iter()
            .find(|verdict| verdict.subject == Subject::Liability && verdict.text.starts_with(kind))
            .cloned()
            .expect("a verdict")
    };
    let shop = explained(firm("F5211", 8));
    let pension = of(&shop, "养老保险");
    assert_eq!(pension.answer, "owed");
    // Paid since February at the latest: thirty days after its end.
    assert!(pension.text.contains("2026年3月30日"), "{}", pension.text);
    assert!(pension.article.contains("社会保险法第十条"));
    assert!(pension.article.contains("第五十七条"));
    assert_eq!(pension.rule.table, "liability.toml");
    assert_eq!(pension.rule.from, "2025-09-01");
    let builder = explained(firm("E4710", 8));
    assert_eq!(of(&builder, "工伤保险").answer, "otherwise");
    assert_eq!(of(&builder, "失业保险").answer, "owed");
    for (status, answer) in [("suspended", "to_verify"), ("revoked", "not_owed")] {
        let ended = explained(
            city()
                .registered_with(FIRM, "F5211", vec![(Field::Status, text(status))])
                .staff(FIRM, 8),
        );
        assert_eq!(of(&ended, "工伤保险").answer, answer, "{status}");
    }
    let empty = explained(city().registered(FIRM, "F5211"));
    assert_eq!(of(&empty, "养老保险").answer, "not_shown");
}

fn found<T>(what: T, date: &str) -> Found<T> {
    Found {
        what,
        by: "李示例".to_owned(),
        date: day(date),
        proof: Some("走访记录1号".to_owned()),
    }
}

#[test]
fn a_visit_is_evidence_for_its_time_and_wages_go_before_it() {
    let visited = |heads: u64, date: &str| {
        city()
            .registered(FIRM, "F5211")
            .surveyed(&Surveyed::Visit(found(heads, date)))
    };
    let seen = visited(6, "2026-04-01").assess(FIRM);
    assert_eq!(seen.standing, Standing::Doubtful);
    assert_eq!(seen.evidence, Evidence::Visited(day("2026-04-01"), 6));
    let finding = &seen.findings[0];
    assert_eq!((finding.kind, finding.employed), (FindingKind::Absent, 6));
    assert!(finding.grounds[0].text.contains("走访时有用工6人"));
    assert_eq!(finding.grounds[0].file, "走访记录1号");
    // Long ago, of nobody, or of people who are insured by now.
    assert_eq!(
        visited(6, "2026-01-09").assess(FIRM).standing,
        Standing::StaffUnknown
    );
    assert_eq!(
        visited(0, "2026-04-01").assess(FIRM).standing,
        Standing::NoStaff
    );
    let insured = visited(6, "2026-04-01").insured(FIRM, 6);
    assert_eq!(insured.assess(FIRM).standing, Standing::Insured);
    let paid = visited(30, "2026-04-01").staff(FIRM, 8).assess(FIRM);
    assert_eq!(paid.employed(), Some(8));
}

#[test]
fn platform_work_without_a_labour_relation_is_for_the_survey() {
    let platform = |relation: Option<Relation>| {
        let city = city().registered(FIRM, "G6020").staff(FIRM, 8);
        match relation {
            None => city,
            Some(relation) => city.surveyed(&Surveyed::Relation(found(relation, "2026-04-01"))),
        }
    };
    assert_eq!(platform(None).assess(FIRM).standing, Standing::Doubtful);
    assert_eq!(
        platform(Some(Relation::Contract)).assess(FIRM).standing,
        Standing::Doubtful
    );
    assert_eq!(
        platform(Some(Relation::Without)).assess(FIRM).standing,
        Standing::StaffUnknown
    );
    // A shop is no platform, whatever somebody noted.
    let shop =
        firm("F5211", 8).surveyed(&Surveyed::Relation(found(Relation::Without, "2026-04-01")));
    assert_eq!(shop.assess(FIRM).standing, Standing::Doubtful);
    // Injury cover of riders is shown, and is no work-injury insurance.
    let covered = platform(None)
        .roll(FIRM, &[(Pension, 8), (Unemployment, 8)], "2026-03")
        .surveyed(&Surveyed::InjuryCover(found(true, "2026-04-01")));
    let explanation = explained(covered);
    let of = |subject: Subject| {
        let mut verdicts = explanation.verdicts.iter();
        verdicts
            .find(|verdict| verdict.subject == subject)
            .expect("a verdict")
    };
    assert!(of(Subject::NewForm).text.contains("尚未核实"));
    assert!(of(Subject::NewForm).text.contains("职业伤害保障：已参加"));
    assert_eq!(of(Subject::Finding).answer, "kinds_missing");
    assert!(of(Subject::Finding).text.contains("工伤保险"));
}

#[test]
fn the_same_records_are_told_alike_until_the_day_that_turns_them() {
    let visit = |on: &str| {
        let found = Found {
            what: 6,
            by: "张示例".to_owned(),
            date: day(on),
            proof: None,
        };
        Surveyed::Visit(found)
    };
    let today = day("2026-04-10");
    let (rules, roll) = (rules(), roll_of(&Insurance::ALL));
    let mut turning = 0;
    for founded in [
        None,
        Some(Value::Date(day("2020-01-01"))),
        Some(Value::Date(day("2026-03-25"))),
        Some(Value::Date(day("2026-06-01"))),
        Some(Value::Unread("2026-13-45".to_owned())),
        Some(Value::Unread("2027-02-30".to_owned())),
    ] {
        for months in [
            &[][..],
            &[("2026-02", 6), ("2026-03", 6)],
            &[
                ("2025-12", 6),
                ("2026-01", 6),
                ("2026-02", 6),
                ("2026-03", 6),
            ],
        ] {
            for licence in [None, Some("2026-04-10"), Some("2026-08-31")] {
                for (visited, is_branch) in [
                    (None, false),
                    (Some("2026-02-01"), false),
                    (Some("2026-04-20"), true),
                ] {
                    let founded = founded.clone().map(|value| (Field::Founded, value));
                    let mut fields = vec![
                        (Field::CreditCode, text(FIRM)),
                        (Field::Status, text("active")),
                        (Field::IndustryCode, text("G5430")),
                        (Field::Region, text("411303")),
                        (Field::Employees, Value::Count(9)),
                    ];
                    fields.extend(founded.clone());
                    let mut all = city().row(RecordKind::Registration, fields);
                    if is_branch {
                        let head = vec![(Field::HeadOfficeCode, text(FIRM))];
                        all = all.registered_with(BRANCH, "G5430", head).staff(BRANCH, 4);
                    }
                    all = all.filers(FIRM, months);
                    if let Some(until) = licence {
                        let fields = vec![
                            (Field::CreditCode, text(FIRM)),
                            (Field::LicenceKind, text("ride_hailing")),
                            (Field::LicenceNumber, text("L1")),
                            (Field::LicenceUntil, Value::Date(day(until))),
                        ];
                        all = all.row(RecordKind::Transport, fields);
                    }
                    if let Some(on) = visited {
                        all = all.surveyed(&visit(on));
                    }
                    let register = Register::build(all.rows.clone());
                    let on = |today| {
                        let mut all = assess_all(&register, &rules, &roll, &all.surveys, today);
                        for one in &mut all {
                            // What the future founding is told against is the day itself.
                            one.doubts.iter_mut().for_each(|doubt| doubt.text.clear());
                        }
                        all
                    };
                    let first = on(today);
                    let turns = first.iter().filter_map(|one| one.turns);
                    let around = turns.flat_map(|day| [day.yesterday().unwrap(), day]);
                    let weekly = (1..50).map(|n| today.checked_add(jiff::Span::new().weeks(n)));
                    let days: BTreeSet<Date> = weekly.map(Result::unwrap).chain(around).collect();
                    for later in days.into_iter().filter(|day| *day > today) {
                        let mut now = on(later);
                        for (first, now) in first.iter().zip(&mut now) {
                            if first.turns.is_none_or(|turns| later < turns) {
                                now.turns = first.turns;
                                assert_eq!(
                                    format!("{first:?}"),
                                    format!("{now:?}"),
                                    "{later} {:?}",
                                    first.turns
                                );
                            } else if Some(later) == first.turns {
                                turning += u32::from(first.standing != now.standing);
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(turning > 20, "{turning}");
}
