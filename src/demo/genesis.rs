//! How firms come to be: the city at its start, and each firm founded later.

use jiff::civil::Date;

use crate::demo::casting::{Cast, cast, individual, play};
use crate::demo::chance::Chance;
use crate::demo::firm::{
    Cover, Entry, Firm, Form, Habit, Plan, Reaction, Report, Size, Status, slot,
};
use crate::demo::names;
use crate::demo::options::Options;
use crate::demo::places::{self, CITY, TOWNS, place};
use crate::demo::steps::{Steps, plus_days};
use crate::demo::trades;
use crate::domain::finding::Insurance;

/// Twenty reactions in turn: what owing firms do when told.
const REACTIONS: [Reaction; 20] = {
    use Reaction::{Answers as A, EnrolsFully as F, EnrolsPartly as P, Ignores as I};
    [F, I, P, F, F, A, F, I, F, P, F, F, I, F, A, F, P, I, F, F]
};

/// The golden ratio in parts of 2^64: steps of it spread evenly, so that small cities too have every kind of firm.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// An active company without staff, tax rows or entry: the clay of all others.
#[must_use]
pub fn blank(options: &Options, number: u32, founded: Date) -> Firm {
    let seed = options.seed;
    let mut chance = Chance::new(seed, number.into(), "firm", 0);
    let unit = by_address(&mut chance);
    let trade = trades::by_share(chance.below(1000));
    let town = town(unit, &mut chance);
    let word = names::word(number, seed);
    let name = names::company(
        &word,
        trades::trade_at(trade),
        place(unit),
        chance.below(10),
    );
    // Old firms' codes have digits where newer ones have MA.
    let old = founded.year() < 2015;
    let phone = phone(options, number, &mut chance);
    let mail = chance
        .percent(45)
        .then(|| format!("office@f{number:06}.example"));
    let address = names::address(unit, &town, chance.below(1 << 32));
    let mut states = Steps::default();
    states.set(founded, Status::Active);
    let mut firm = Firm {
        number,
        code: names::credit_code("91", place(unit).region, number, seed, old),
        legacy_tax_id: old && chance.percent(25),
        successor: None,
        names: Steps::always(name),
        form: Form::Company,
        head_code: None,
        trade,
        size: if trades::trade_at(trade).unclassed {
            Size::Unclassed
        } else {
            Size::Small
        },
        founded,
        approved: founded,
        states,
        unit,
        town,
        address,
        tax_phone: phone.clone(),
        phone,
        email: mail,
        report: None,
        revenue_yuan: 0,
        assets_yuan: 0,
        tax_since: Some(founded),
        owner_files: false,
        staff: Steps::default(),
        dispatched: 0,
        cover: Cover::Own,
        entry: None,
        rows: [false; 3],
        insured: [Steps::default(), Steps::default(), Steps::default()],
        unpaid_since: None,
        habit: Habit::Shell,
        reaction: REACTIONS[usize::try_from(chance.below(20)).unwrap_or(0)],
        told: Vec::new(),
        plans: Vec::new(),
        vehicles: chance.heads(3, 60),
        protected: false,
    };
    measure(&mut firm, &mut chance, false);
    firm
}

/// All firms at the start, in the order of their numbers.
#[must_use]
pub fn firms(options: &Options) -> Vec<Firm> {
    let mut all: Vec<Firm> = Vec::with_capacity(options.enterprises as usize);
    let offset = Chance::new(options.seed, 0, "mix", 0).below(u64::MAX);
    let mut owing = 0_usize;
    let mut heads: Vec<u32> = Vec::new();
    for number in 0..options.enterprises {
        let cast = cast(u64::from(number).wrapping_mul(GOLDEN).wrapping_add(offset));
        let mut chance = Chance::new(options.seed, number.into(), "cast", 0);
        let age = chance.days(90, 6000);
        let mut firm = blank(options, number, plus_days(options.start, -age));
        if matches!(
            cast,
            Cast::Absent | Cast::NobodyInsured | Cast::KindsMissing | Cast::FewerInsured
        ) {
            firm.reaction = REACTIONS[owing % REACTIONS.len()];
            owing += 1;
        }
        play(&mut firm, cast, &mut chance, options, &heads);
        if let (Form::Branch { head }, Cover::HeadOffice { .. }) = (firm.form, firm.cover) {
            firm.head_code = all.get(head as usize).map(|head| head.code.clone());
            carry(&mut all, head, &firm, options.start);
        }
        if cast == Cast::Insured && firm.size == Size::Small && firm.entry.is_some() {
            heads.push(number);
        }
        settle(&mut firm, &mut chance, options);
        all.push(firm);
    }
    all
}

/// A unit in which firms lie: 市本级 is one by the roll only.
fn by_address(chance: &mut Chance) -> u8 {
    match places::by_share(chance.below(1000)) {
        CITY => 1,
        unit => unit,
    }
}

/// A town of a unit.
pub fn town(unit: u8, chance: &mut Chance) -> String {
    let own = place(unit).towns;
    let list: &[&str] = if own.is_empty() { &TOWNS } else { own };
    (*chance.pick(list)).to_owned()
}

/// One phone for five to thirty firms where an agent keeps the books.
fn phone(options: &Options, number: u32, chance: &mut Chance) -> String {
    if chance.percent(14) {
        let agents = (options.enterprises / 100).max(1);
        return names::agent_phone(u32::try_from(chance.below(agents.into())).unwrap_or(0));
    }
    match chance.below(20) {
        0..=11 => names::mobile(number),
        12..=16 => names::landline(number),
        17 => format!("{}、{}", names::landline(number), names::mobile(number)),
        18 => format!("{}/{}", names::mobile(number), names::landline(number)),
        _ => String::new(),
    }
}

/// Revenue and assets that fit the firm's size: one indicator below the medium bound keeps it small.
pub(crate) fn measure(firm: &mut Firm, chance: &mut Chance, big: bool) {
    let trade = firm.trade();
    let mut draw = |bounds: trades::Bounds| match (bounds, big) {
        (Some([medium, _]), true) => chance.between(medium + medium / 10, medium * 4),
        (Some([medium, small]), false) if chance.percent(30) => {
            chance.between(small, medium - medium / 10)
        }
        (Some([_, small]), false) => chance.between(small / 8, small - 1),
        (None, _) => chance.between(20, 4000),
    };
    let (revenue, assets) = (draw(trade.revenue), draw(trade.assets));
    firm.revenue_yuan = revenue * 10_000 - chance.between(0, 9_999);
    firm.assets_yuan = assets * 10_000 - chance.between(0, 9_999);
}

/// Ends a firm with the registrar: its staff go with it.
pub fn end(firm: &mut Firm, status: Status, day: Date) {
    firm.states.set(day, status);
    firm.approved = day;
    firm.staff.set(day, 0);
    for steps in &mut firm.insured {
        if steps.heads(day) > 0 {
            steps.set(day, 0);
        }
    }
    firm.plans.clear();
}

/// The head office registers the branch's staff beside its own.
fn carry(all: &mut [Firm], head: u32, branch: &Firm, start: Date) {
    let carried = branch.staff.heads(start);
    if let Some(head) = all.get_mut(head as usize) {
        head.protected = true;
        let since = plus_days(start, -80);
        for kind in Insurance::ALL {
            if head.owes_kind(kind) {
                let now = head.insured[slot(kind)].heads(start);
                head.insure(kind, now + carried, since);
            }
        }
    }
}

/// The last touches that depend on all others: report, agency, old entries, later plans.
fn settle(firm: &mut Firm, chance: &mut Chance, options: &Options) {
    let start = options.start;
    let staff = firm.staff.heads(start);
    let last_year = start.year() - 1;
    if firm.founded.year() <= last_year {
        let reports = chance.percent(if staff > 0 { 80 } else { 55 });
        let early = chance.percent(25);
        if reports && (early || firm.founded.year() < last_year) {
            report(firm, if early { last_year } else { last_year - 1 }, start);
        }
        if !early && firm.is_active(start) && chance.percent(70) {
            let day = plus_days(start, chance.days(5, 115));
            firm.plan(day, Plan::Reports);
        }
    }
    if let Some(entry) = &mut firm.entry {
        settle_entry(entry, firm.number, chance);
    }
    if staff > 0 && firm.reaction != Reaction::Ignores && chance.percent(4) {
        let day = plus_days(start, chance.days(10, 100));
        firm.plan(day, Plan::EnrolsFully);
    }
    if firm.form == Form::Company && chance.percent(3) {
        renamed(firm, chance, options);
    }
}

/// It was called otherwise until some months ago, and perhaps otherwise again before that.
fn renamed(firm: &mut Firm, chance: &mut Chance, options: &Options) {
    let now = firm.name(options.start).to_owned();
    let before = |round: u32, chance: &mut Chance| {
        let word = names::word(2_000_000 * round + firm.number, options.seed);
        names::company(&word, firm.trade(), place(firm.unit), chance.below(10))
    };
    let last = plus_days(options.start, -chance.days(10, 300)).max(plus_days(firm.founded, 20));
    let mut steps = Steps::always(before(1, chance));
    if chance.percent(20) {
        let first = plus_days(last, -400).max(plus_days(firm.founded, 10));
        steps.set(first, before(2, chance));
    }
    steps.set(last, now);
    firm.names = steps;
    firm.approved = firm.approved.max(last);
}

fn settle_entry(entry: &mut Entry, number: u32, chance: &mut Chance) {
    entry.blank_codes = !entry.number_per_kind && chance.percent(6);
    // Some firms of the two districts around the centre are insured at the city's own agency.
    if matches!(entry.unit, 0 | 1) && number.is_multiple_of(6) {
        entry.unit = CITY;
    }
}

/// Files the report of a year with what is true now.
pub fn report(firm: &mut Firm, year: i16, day: Date) {
    let staff = firm.staff.heads(day);
    let owner = u32::from(staff == 0 && firm.owner_files);
    firm.report = Some(Report {
        year,
        heads: staff + owner + firm.dispatched,
        revenue_wan: firm.revenue_yuan / 10_000,
        assets_wan: firm.assets_yuan / 10_000,
    });
}

/// A firm founded on `day`.
#[must_use]
pub fn founded(options: &Options, number: u32, day: Date) -> Firm {
    let mut firm = blank(options, number, day);
    let mut chance = Chance::new(options.seed, number.into(), "founded", 0);
    if chance.percent(12) {
        individual(&mut firm, &mut chance, options);
        firm.staff = Steps::default();
        return firm;
    }
    if chance.percent(70) {
        // The entry comes with the licence.
        firm.enter(day);
        firm.rows = [true; 3];
    }
    if chance.percent(55) {
        let heads = chance.heads(2, 9);
        let opens = plus_days(day, chance.days(14, 70));
        firm.plan(
            opens,
            Plan::Opens {
                heads,
                registers: chance.percent(65),
            },
        );
    }
    firm
}
