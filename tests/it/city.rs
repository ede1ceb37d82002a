//! Random cities: records of few firms with every join, conflict and duplicate that the register knows, delivered, changed, lost,
//! returned and taken back, while persons decide, visit and answer and days go by.

use jiff::civil::{Date, date};
use jiff::{Span, Timestamp};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use yingbao::cli::session::{Place, Session, open};
use yingbao::domain::batch::{Batch, Census, ChangeCounts, Verdict, Withdrawal};
use yingbao::domain::case::ClerkEvent;
use yingbao::domain::event::Event;
use yingbao::domain::fields::Fields;
use yingbao::domain::finding::Insurance;
use yingbao::domain::pairing::Subject;
use yingbao::domain::record::{Field, Month, Record, RecordKind, Value};
use yingbao::domain::survey::{Found, Relation, Surveyed};
use yingbao::store::comparison::Terms;
use yingbao::tasks::Desk;
use yingbao::tasks::pairing::{Word, record};
use yingbao::tasks::record::Entry;

use crate::program::home;

/// Organisation codes; of each a record may carry several shapes.
pub const FIRMS: [&str; 7] = [
    "MA49U85BX",
    "MA4RHCMP9",
    "223287768",
    "EA40000X1",
    "MA4TEST16",
    "MA4TEST24",
    "MA4TEST32",
];
pub const NAMES: [&str; 7] = [
    "南阳宛东（集团）有限公司",
    "南阳宛东(集团) 有限公司",
    "南阳宛西商贸有限公司",
    "南阳宛南物流有限公司",
    "南阳宛北建筑有限公司",
    "南阳宛北建筑有限责任公司",
    "南阳宛比建筑有限公司",
];
/// Two sources of the register and two rolls: they speak together.
pub const SOURCES: [(&str, RecordKind); 6] = [
    ("insured-roll", RecordKind::InsuredRoll),
    ("insured-roll-b", RecordKind::InsuredRoll),
    ("market-b", RecordKind::Registration),
    ("market-regulation", RecordKind::Registration),
    ("tax", RecordKind::Tax),
    ("transport", RecordKind::Transport),
];

/// The first day.
const FIRST: Date = date(2026, 4, 3);

pub fn code(firm: usize, shape: u8) -> String {
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
pub struct Row {
    pub firm: usize,
    pub shape: u8,
    /// None: a blank code where the kind allows it.
    pub coded: bool,
    pub name: Option<usize>,
    pub other: usize,
    pub month: i8,
    pub count: u64,
    pub active: bool,
    pub head: Option<usize>,
    pub former: Option<usize>,
    pub place: usize,
}

pub fn row() -> impl Strategy<Value = Row> {
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
pub enum Step {
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
    /// Days go by.
    Wait(i32),
    /// Somebody visits a firm and meets so many, or finds that they are no staff.
    Survey {
        firm: usize,
        heads: u64,
        without: bool,
    },
    /// A clerk answers for one of the open cases.
    Answer(Index, usize),
    Reopen,
}

/// What persons decide about.
pub const SUBJECTS: [&str; 6] = [
    "unit:U1",
    "unit:U3",
    "code:911522010783762000",
    "code:91411303MA4RHCMP99",
    "enterprise:EMA49U85BX",
    "enterprise:EMA4TEST16",
];

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    steps_of(step(8))
}

/// Days on which little else happens than that a source delivers a few rows.
pub fn quiet_steps() -> impl Strategy<Value = Vec<Step>> {
    steps_of(step(60))
}

fn steps_of(step: impl Strategy<Value = Step>) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step, 4..20)
}

fn step(deliveries: u32) -> impl Strategy<Value = Step> {
    let deliver = (
        0..SOURCES.len(),
        prop::bool::weighted(0.8),
        prop::collection::vec(row(), 0..14),
    );
    prop_oneof![
        deliveries => deliver.prop_map(|(source, complete, rows)| Step::Deliver { source, complete, rows }),
        2 => any::<Index>().prop_map(Step::Withdraw),
        2 => (0..SUBJECTS.len(), 0..FIRMS.len(), 0usize..4)
            .prop_map(|(subject, firm, word)| Step::Decide { subject, firm, word }),
        1 => Just(Step::Reopen),
        2 => (1..40i32).prop_map(Step::Wait),
        1 => (0..FIRMS.len(), 0u64..9, prop::bool::ANY)
            .prop_map(|(firm, heads, without)| Step::Survey { firm, heads, without }),
        2 => (any::<Index>(), 0usize..4).prop_map(|(case, answer)| Step::Answer(case, answer)),
    ]
}

pub struct City {
    pub home: tempfile::TempDir,
    pub session: Session,
    /// By batch: source, rows, whether it is complete.
    pub delivered: Vec<(Batch, Vec<Record>, bool)>,
    pub standing: Vec<bool>,
    /// Days gone since the first.
    pub days: i32,
}

pub fn opened(home: &tempfile::TempDir) -> Session {
    let place = Place {
        home: Some(home.path().to_path_buf()),
        ..Place::default()
    };
    open(&place).unwrap_or_else(|trouble| panic!("the home opens: {trouble:?}"))
}

impl City {
    pub fn new() -> Self {
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
            days: 0,
        }
    }

    pub fn today(&self) -> Date {
        FIRST.checked_add(Span::new().days(self.days)).unwrap()
    }

    pub fn now(&self) -> Timestamp {
        yingbao::calendar::shanghai::instant(self.today().at(9, 0, 0, 0))
    }

    pub fn desk(&self) -> Desk<'_> {
        self.session.desk_at(self.now())
    }

    pub fn deliver(&mut self, source: usize, complete: bool, rows: &[Row]) {
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
            received: self.now() - jiff::SignedDuration::from_mins(500 - i64::try_from(n).unwrap()),
            as_of: Some(self.today().yesterday().unwrap()),
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
        store.accept(self.now(), "pull", event, comparison).unwrap();
        self.delivered.push((batch, records, complete));
        self.standing.push(true);
    }

    pub fn withdraw(&mut self, n: usize) {
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
                at: self.now(),
            }),
            ..batch
        };
        store
            .withdraw(self.now(), "张示例", &taken, Vec::new(), withdrawing)
            .unwrap();
        self.standing[n] = false;
    }

    /// A person decides; the rules may say no.
    pub fn decide(&self, subject: usize, firm: usize, word: usize) {
        let word = [Word::Same, Word::Same, Word::Different, Word::Undo][word];
        let subject: Subject = SUBJECTS[subject].parse().unwrap();
        let said = record(self.desk(), &subject, FIRMS[firm], word, "张示例", "已核实");
        if let Err(failure) = said {
            assert_eq!(failure.exit_code(), 1, "{failure}");
        }
    }

    fn survey(&self, firm: usize, heads: u64, without: bool) {
        fn found<T>(what: T, date: Date) -> Found<T> {
            Found {
                what,
                by: "张示例".into(),
                date,
                proof: None,
            }
        }
        let said = if without {
            Surveyed::Relation(found(Relation::Without, self.today()))
        } else {
            Surveyed::Visit(found(heads, self.today()))
        };
        let id = format!("E{}", FIRMS[firm]);
        yingbao::tasks::survey::record(self.desk(), &id, said).unwrap();
    }

    fn answer(&self, case: Index, answer: usize) {
        let cases = self.session.store.cases().map(Result::unwrap);
        let open: Vec<String> = cases
            .filter(yingbao::domain::case::Case::is_open)
            .map(|case| case.id)
            .collect();
        if open.is_empty() {
            return;
        }
        let events = [
            ClerkEvent::Confirmed,
            ClerkEvent::PartTime,
            ClerkEvent::OverAge,
            ClerkEvent::NoEmployees,
        ];
        let entry = Entry {
            case: case.get(&open).clone(),
            event: events[answer],
            by: "张示例".into(),
            date: self.today(),
            proof: Some("证明1号".into()),
            number: None,
            until: None,
        };
        if let Err(failure) = yingbao::tasks::record::record(self.desk(), entry) {
            assert_eq!(failure.exit_code(), 1, "{failure}");
        }
    }

    /// Firms with staff, some of them insured: most things that can be found are found of some.
    pub fn people(&mut self) {
        let row = |firm: usize, month: i8, count: u64| Row {
            firm,
            shape: 9,
            coded: true,
            name: Some(firm),
            other: firm % 6,
            month,
            count,
            active: true,
            head: (firm == 6).then_some(4),
            former: None,
            place: firm % 4,
        };
        let firms = 0..FIRMS.len();
        let registered: Vec<Row> = firms.clone().map(|firm| row(firm, 1, 9)).collect();
        self.deliver(3, true, &registered);
        let paid = firms.flat_map(|firm| [2, 3].map(|month| row(firm, month, 9)));
        self.deliver(4, true, &paid.collect::<Vec<_>>());
        let insured = [(0, 9), (1, 2), (3, 20), (4, 20)];
        let insured = insured.map(|(firm, count)| [2, 3].map(|month| row(firm, month, count)));
        self.deliver(0, true, &insured.concat());
        self.deliver(2, true, &[]);
        self.deliver(5, true, &[]);
        self.deliver(1, true, &[]);
    }

    /// Takes one step.
    pub fn step(mut self, step: Step) -> Self {
        match step {
            Step::Deliver {
                source,
                complete,
                rows,
            } => self.deliver(source, complete, &rows),
            Step::Withdraw(which) => {
                let standing: Vec<usize> = (0..self.standing.len())
                    .filter(|n| self.standing[*n])
                    .collect();
                if !standing.is_empty() {
                    self.withdraw(*which.get(&standing));
                }
            }
            Step::Decide {
                subject,
                firm,
                word,
            } => self.decide(subject, firm, word),
            Step::Wait(days) => self.days += days,
            Step::Survey {
                firm,
                heads,
                without,
            } => self.survey(firm, heads, without),
            Step::Answer(case, answer) => self.answer(case, answer),
            Step::Reopen => {
                drop(self.session);
                self.session = opened(&self.home);
            }
        }
        self
    }
}
