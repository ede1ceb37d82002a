//! One enterprise is looked up as the whole register has it: random cities with every join, conflict and duplicate that the register
//! knows, delivered, changed, lost, returned and taken back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::date;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use yingbao::cli::session::{Place, Session, open};
use yingbao::domain::batch::{Batch, Census, ChangeCounts, Verdict, Withdrawal};
use yingbao::domain::coverage::Standing;
use yingbao::domain::event::Event;
use yingbao::domain::fields::Fields;
use yingbao::domain::finding::Insurance;
use yingbao::domain::history::Deed;
use yingbao::domain::pairing::Subject;
use yingbao::domain::record::{Field, Month, Record, RecordKind, Value};
use yingbao::store::comparison::Terms;
use yingbao::tasks::known::{Known, known};
use yingbao::tasks::one::{find, find_one};
use yingbao::tasks::pairing::{Word, record};
use yingbao::tasks::walk::walk;
use yingbao::tasks::{Desk, Failure, review};

use crate::program::home;

/// Organisation codes; of each a record may carry several shapes.
const FIRMS: [&str; 7] = [
    "MA49U85BX",
    "MA4RHCMP9",
    "223287768",
    "EA40000X1",
    "MA4TEST16",
    "MA4TEST24",
    "MA4TEST32",
];
const NAMES: [&str; 7] = [
    "南阳宛东（集团）有限公司",
    "南阳宛东(集团) 有限公司",
    "南阳宛西商贸有限公司",
    "南阳宛南物流有限公司",
    "南阳宛北建筑有限公司",
    "南阳宛北建筑有限责任公司",
    "南阳宛比建筑有限公司",
];
/// Two sources of the register and two rolls: they speak together.
const SOURCES: [(&str, RecordKind); 6] = [
    ("insured-roll", RecordKind::InsuredRoll),
    ("insured-roll-b", RecordKind::InsuredRoll),
    ("market-b", RecordKind::Registration),
    ("market-regulation", RecordKind::Registration),
    ("tax", RecordKind::Tax),
    ("transport", RecordKind::Transport),
];

fn now() -> Timestamp {
    yingbao::calendar::shanghai::instant(date(2026, 4, 3).at(9, 0, 0, 0))
}

fn code(firm: usize, shape: u8) -> String {
    let inner = FIRMS[firm];
    match shape {
        0..6 => format!("91411303{inner}9"),
        6 => format!("92411302{inner}0"),
        7 => format!("411381{inner}"),
        8 => format!("91411303{inner}900"),
        // Both checks hold where the organisation code's own does.
        9 | 10 => {
            let first = format!("91411303{inner}");
            let check = yingbao::domain::code::credit_code_check(&first).unwrap_or('9');
            format!("{first}{check}")
        }
        11 => NUMBERS[firm % NUMBERS.len()].to_owned(),
        _ => "911522010783762000".to_owned(),
    }
}

/// Registration numbers: the check of GS 15-2006 holds.
const NUMBERS: [&str; 3] = ["411300000012347", "411381100005670", "110108000000016"];

/// A row of a city: numbers out of which a record of any kind is made.
#[derive(Debug, Clone)]
struct Row {
    firm: usize,
    shape: u8,
    /// None: a blank code where the kind allows it.
    coded: bool,
    name: Option<usize>,
    other: usize,
    month: i8,
    count: u64,
    active: bool,
    head: Option<usize>,
    former: Option<usize>,
    place: usize,
}

fn row() -> impl Strategy<Value = Row> {
    (
        0..FIRMS.len(),
        0u8..13,
        prop::bool::weighted(0.6),
        prop::option::weighted(0.8, 0..NAMES.len()),
        0usize..6,
        1i8..4,
        select(vec![0u64, 1, 2, 5, 9, 20]),
        prop::bool::weighted(0.8),
        prop::option::weighted(0.3, 0..FIRMS.len()),
        (prop::option::weighted(0.2, 0..NAMES.len()), 0usize..4),
    )
        .prop_map(
            |(firm, shape, coded, name, other, month, count, active, head, (former, place))| Row {
                firm,
                shape,
                coded,
                name,
                other,
                month,
                count,
                active,
                head,
                former,
                place,
            },
        )
}

impl Row {
    fn record(&self, kind: RecordKind) -> Record {
        let text = |text: &str| Value::Text(text.to_owned());
        let month = Month::parse(&format!("2026-0{}", self.month)).unwrap();
        let mut fields = Fields::new();
        if kind != RecordKind::InsuredRoll || self.coded {
            fields.insert(Field::CreditCode, text(&code(self.firm, self.shape)));
        }
        if let Some(name) = self.name {
            fields.insert(Field::Name, text(NAMES[name]));
        }
        let mut set = |field, value| fields.insert(field, value);
        match kind {
            RecordKind::Registration => {
                set(
                    Field::Status,
                    text(if self.active { "active" } else { "cancelled" }),
                );
                set(Field::Founded, Value::Date(date(2020, 1, self.month)));
                set(Field::Approved, Value::Date(date(2021, 1, self.month)));
                set(
                    Field::IndustryCode,
                    text(if self.other == 0 { "E4710" } else { "F5211" }),
                );
                set(Field::Employees, Value::Count(self.count));
                if let Some(head) = self.head {
                    set(Field::HeadOfficeCode, text(&code(head, self.shape)));
                }
                if let Some(former) = self.former {
                    let names = format!("{}；南阳旧名有限公司", NAMES[former]);
                    set(Field::FormerNames, text(&names));
                    set(
                        Field::RegistrationNumber,
                        text(NUMBERS[former % NUMBERS.len()]),
                    );
                }
                if self.place < 2 {
                    set(Field::Region, text(["411302", "411303"][self.place]));
                    set(
                        Field::Phone,
                        text(["037760000001", "13800000001"][self.place]),
                    );
                }
            }
            RecordKind::Tax => {
                set(Field::Month, Value::Month(month));
                set(Field::Filers, Value::Count(self.count));
                set(Field::Revenue, Value::Money(100_000));
                if self.place == 1 {
                    set(Field::Phone, text("138-0000-0001"));
                }
            }
            RecordKind::Transport => {
                set(Field::LicenceNumber, text(&format!("L{}", self.other)));
                set(Field::LicenceKind, text("ride_hailing"));
            }
            RecordKind::InsuredRoll => {
                let insurance = Insurance::ALL[usize::try_from(self.count).unwrap() % 3];
                set(Field::UnitNumber, text(&format!("U{}", self.other)));
                if self.place < 2 {
                    set(Field::Agency, text(["宛城区", "卧龙区"][self.place]));
                }
                set(Field::Insurance, text(insurance.word()));
                set(Field::Month, Value::Month(month));
                set(Field::RegisteredHeads, Value::Count(self.count));
                set(Field::PayingHeads, Value::Count(self.count / 2));
            }
        }
        Record { kind, fields }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Deliver {
        source: usize,
        complete: bool,
        rows: Vec<Row>,
    },
    Withdraw(Index),
    Decide {
        subject: usize,
        firm: usize,
        word: usize,
    },
    Reopen,
}

/// What persons decide about.
const SUBJECTS: [&str; 6] = [
    "unit:U1",
    "unit:U3",
    "code:911522010783762000",
    "code:91411303MA4RHCMP99",
    "enterprise:EMA49U85BX",
    "enterprise:EMA4TEST16",
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let deliver = (
        0..SOURCES.len(),
        prop::bool::weighted(0.8),
        prop::collection::vec(row(), 0..14),
    );
    let step = prop_oneof![
        8 => deliver.prop_map(|(source, complete, rows)| Step::Deliver { source, complete, rows }),
        2 => any::<Index>().prop_map(Step::Withdraw),
        2 => (0..SUBJECTS.len(), 0..FIRMS.len(), 0usize..4)
            .prop_map(|(subject, firm, word)| Step::Decide { subject, firm, word }),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 4..20)
}

struct City {
    home: tempfile::TempDir,
    session: Session,
    /// By batch: source, rows, whether it is complete.
    delivered: Vec<(Batch, Vec<Record>, bool)>,
    standing: Vec<bool>,
}

fn opened(home: &tempfile::TempDir) -> Session {
    let place = Place {
        home: Some(home.path().to_path_buf()),
        ..Place::default()
    };
    open(&place).unwrap_or_else(|trouble| panic!("the home opens: {trouble:?}"))
}

impl City {
    fn new() -> Self {
        let home = home();
        let adapters = home.path().join("adapters");
        for (from, to) in [
            ("insured-roll", "insured-roll-b"),
            ("market-regulation", "market-b"),
        ] {
            let text = std::fs::read_to_string(adapters.join(format!("{from}.toml"))).unwrap();
            std::fs::write(adapters.join(format!("{to}.toml")), text).unwrap();
        }
        Self {
            session: opened(&home),
            home,
            delivered: Vec::new(),
            standing: Vec::new(),
        }
    }

    fn desk(&self) -> Desk<'_> {
        self.session.desk_at(now())
    }

    fn deliver(&mut self, source: usize, complete: bool, rows: &[Row]) {
        let (adapter, kind) = SOURCES[source];
        let records: Vec<Record> = rows.iter().map(|row| row.record(kind)).collect();
        let n = self.delivered.len();
        let mut census = Census::default();
        for kind in Insurance::ALL {
            census.parts.insert(format!("insurance:{}", kind.word()), 1);
        }
        let batch = Batch {
            batch: format!("{adapter}-20260402-{n:08}"),
            adapter: adapter.to_owned(),
            kind,
            digest: format!("{n:064}"),
            adapter_digest: String::new(),
            file: format!("{n}.csv"),
            received: now() - jiff::SignedDuration::from_mins(500 - i64::try_from(n).unwrap()),
            as_of: Some(date(2026, 4, 2)),
            rows: rows.len() as u64,
            set_aside: 0,
            verdict: Verdict::Accepted,
            reasons: Vec::new(),
            columns: Vec::new(),
            census,
            changes: ChangeCounts::default(),
            issues: Vec::new(),
            issues_found: 0,
            released: None,
            withdrawn: None,
        };
        let terms = Terms {
            kind,
            complete,
            layout: "",
            by_raw: true,
        };
        let store = &self.session.store;
        let mut comparison = store.compare(adapter, &terms).unwrap();
        for (row, record) in (2..).zip(&records) {
            comparison.take(record, row, 0).unwrap();
        }
        if complete {
            comparison.miss().unwrap();
        }
        let event = Event::Batch {
            batch: Box::new(batch.clone()),
        };
        store.accept(now(), "pull", event, comparison).unwrap();
        self.delivered.push((batch, records, complete));
        self.standing.push(true);
    }

    fn withdraw(&mut self, n: usize) {
        let batch = self.delivered[n].0.clone();
        let store = &self.session.store;
        let mut withdrawing = store.withdrawing(&batch).unwrap();
        for (delivery, id) in withdrawing.later() {
            withdrawing.listen(delivery);
            let of = self.delivered.iter().find(|(batch, ..)| batch.batch == id);
            let (_, records, complete) = of.unwrap();
            for (row, record) in (2..).zip(records) {
                withdrawing.hear(record, row).unwrap();
            }
            withdrawing.end(*complete).unwrap();
        }
        let taken = Batch {
            verdict: Verdict::Withdrawn,
            withdrawn: Some(Withdrawal {
                by: "张示例".into(),
                reason: "来函更正".into(),
                at: now(),
            }),
            ..batch
        };
        store
            .withdraw(now(), "张示例", &taken, Vec::new(), withdrawing)
            .unwrap();
        self.standing[n] = false;
    }

    /// A person decides; the rules may say no.
    fn decide(&self, subject: usize, firm: usize, word: usize) {
        let word = [Word::Same, Word::Same, Word::Different, Word::Undo][word];
        let subject: Subject = SUBJECTS[subject].parse().unwrap();
        let said = record(self.desk(), &subject, FIRMS[firm], word, "张示例", "已核实");
        if let Err(failure) = said {
            assert_eq!(failure.exit_code(), 1, "{failure}");
        }
    }

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
    assert_eq!(walked.candidates, whole.register.candidates);
    assert_eq!(walked.enterprises, whole.assessments.len() as u64);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn one_enterprise_is_as_the_whole_register_has_it(steps in steps()) {
        let mut city = City::new();
        for step in steps {
            match step {
                Step::Deliver { source, complete, rows } => city.deliver(source, complete, &rows),
                Step::Withdraw(which) => {
                    let standing: Vec<usize> = (0..city.standing.len()).filter(|n| city.standing[*n]).collect();
                    if !standing.is_empty() {
                        city.withdraw(*which.get(&standing));
                    }
                }
                Step::Decide { subject, firm, word } => city.decide(subject, firm, word),
                Step::Reopen => {
                    drop(city.session);
                    city.session = opened(&city.home);
                }
            }
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
