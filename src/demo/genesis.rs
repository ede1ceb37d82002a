//! How firms come to be: the city at its start, and each firm founded later.

use jiff::civil::Date;

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

/// What kind of firm is made; parts of 10,000 firms in [`MIX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cast {
    Individual,
    Cooperative,
    Gone,
    ShellWithoutTax,
    ShellZero,
    OwnerOnly,
    Absent,
    NobodyInsured,
    KindsMissing,
    FewerInsured,
    NotPaying,
    Lone,
    Elsewhere,
    Builder,
    DispatchUser,
    BranchByHead,
    Big,
    Insured,
}

const MIX: [(Cast, u64); 18] = [
    (Cast::Individual, 1200),
    (Cast::Cooperative, 300),
    (Cast::Gone, 600),
    (Cast::ShellWithoutTax, 1300),
    (Cast::ShellZero, 1700),
    (Cast::OwnerOnly, 900),
    (Cast::Absent, 240),
    (Cast::NobodyInsured, 230),
    (Cast::KindsMissing, 160),
    (Cast::FewerInsured, 170),
    (Cast::NotPaying, 90),
    (Cast::Lone, 60),
    (Cast::Elsewhere, 150),
    (Cast::Builder, 260),
    (Cast::DispatchUser, 150),
    (Cast::BranchByHead, 240),
    (Cast::Big, 300),
    (Cast::Insured, 1950),
];

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

fn cast(position: u64) -> Cast {
    let mut at = u64::try_from((u128::from(position) * 10_000) >> 64).unwrap_or(0);
    for (cast, share) in MIX {
        if at < share {
            return cast;
        }
        at -= share;
    }
    Cast::Insured
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
fn measure(firm: &mut Firm, chance: &mut Chance, big: bool) {
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

fn staff(chance: &mut Chance) -> u32 {
    match chance.below(10) {
        0..=3 => chance.heads(2, 4),
        4..=6 => chance.heads(5, 9),
        7 | 8 => chance.heads(10, 18),
        _ => chance.heads(19, 45),
    }
}

fn employ(firm: &mut Firm, heads: u32, habit: Habit) {
    firm.staff = Steps::default();
    let founded = firm.founded;
    firm.staff.set(plus_days(founded, 40), heads);
    firm.habit = habit;
}

/// Registers the given heads in the given kinds since long.
fn registered(firm: &mut Firm, heads: [u32; 3]) {
    let since = plus_days(firm.founded, 45);
    firm.enter(since);
    for (kind, heads) in Insurance::ALL.into_iter().zip(heads) {
        if heads > 0 && firm.owes_kind(kind) {
            firm.insure(kind, heads, since);
        }
    }
}

fn play(firm: &mut Firm, cast: Cast, chance: &mut Chance, options: &Options, heads: &[u32]) {
    if matches!(
        cast,
        Cast::Absent | Cast::NobodyInsured | Cast::KindsMissing | Cast::FewerInsured | Cast::Lone
    ) && firm.trade().unclassed
    {
        retrade(firm, 13, chance, options);
    }
    match cast {
        Cast::Individual => individual(firm, chance, options),
        Cast::Cooperative => cooperative(firm, chance, options),
        Cast::Gone => gone(firm, chance, options),
        Cast::ShellWithoutTax => {
            firm.tax_since = None;
            shell(firm, chance);
        }
        Cast::ShellZero => shell(firm, chance),
        Cast::OwnerOnly => {
            firm.owner_files = true;
            shell(firm, chance);
            if chance.percent(30) {
                // The owner has registered himself, of his own will.
                registered(firm, [1, 1, 1]);
            }
        }
        Cast::Absent => {
            let n = staff(chance);
            employ(firm, n, Habit::Avoids);
        }
        Cast::NobodyInsured => {
            let n = staff(chance);
            employ(firm, n, Habit::Avoids);
            firm.enter(plus_days(firm.founded, 1));
            firm.rows = [true; 3];
        }
        Cast::KindsMissing => kinds_missing(firm, chance, options),
        Cast::FewerInsured => fewer_insured(firm, chance),
        Cast::NotPaying => {
            let n = staff(chance);
            employ(firm, n, Habit::Registers);
            registered(firm, [n; 3]);
            firm.unpaid_since =
                Some(plus_days(options.start, -chance.days(100, 400)).max(firm.founded));
        }
        Cast::Lone => employ(firm, 1, Habit::Avoids),
        Cast::Elsewhere => {
            let n = chance.heads(2, 12);
            employ(firm, n, Habit::Registers);
            firm.cover = Cover::Elsewhere;
            if chance.percent(40) {
                firm.enter(plus_days(firm.founded, 1));
                firm.rows = [true; 3];
            }
        }
        Cast::Builder => {
            let trade = *chance.pick(&trades::construction());
            retrade(firm, trade, chance, options);
            let n = staff(chance);
            employ(firm, n, Habit::Registers);
            registered(firm, [n; 3]);
        }
        Cast::DispatchUser => {
            let n = staff(chance);
            employ(firm, n, Habit::Registers);
            registered(firm, [n; 3]);
            // Below the bounds of every trade, so that dispatched staff make no firm medium.
            firm.dispatched = (n * 2 + chance.heads(3, 20)).min(95_u32.saturating_sub(n));
        }
        Cast::BranchByHead => branch(firm, chance, options, heads),
        Cast::Big => big(firm, chance, options),
        Cast::Insured => {
            let n = staff(chance);
            employ(firm, n, Habit::Registers);
            registered(firm, [n; 3]);
        }
    }
}

/// Another trade, with the name and figures that fit it.
fn retrade(firm: &mut Firm, trade: u8, chance: &mut Chance, options: &Options) {
    firm.trade = trade;
    firm.size = Size::Small;
    measure(firm, chance, false);
    let word = names::word(firm.number, options.seed);
    firm.names = Steps::always(names::company(
        &word,
        firm.trade(),
        place(firm.unit),
        u64::from(firm.number % 10),
    ));
}

fn recode(firm: &mut Firm, head: &str, options: &Options) {
    firm.legacy_tax_id = false;
    firm.code = names::credit_code(
        head,
        place(firm.unit).region,
        firm.number,
        options.seed,
        false,
    );
}

fn individual(firm: &mut Firm, chance: &mut Chance, options: &Options) {
    firm.form = Form::Individual;
    firm.trade = *chance.pick(&[13, 14, 15, 22, 29, 30]);
    recode(firm, "92", options);
    let word = names::word(firm.number, options.seed);
    firm.names = Steps::always(names::individual(&word, firm.trade(), place(firm.unit)));
    firm.tax_since = chance.percent(50).then_some(firm.founded);
    if chance.percent(20) {
        let n = chance.heads(2, 6);
        employ(firm, n, Habit::Avoids);
    }
}

fn cooperative(firm: &mut Firm, chance: &mut Chance, options: &Options) {
    firm.form = Form::Cooperative;
    firm.trade = 0;
    recode(firm, "93", options);
    let word = names::word(firm.number, options.seed);
    firm.names = Steps::always(names::cooperative(&word, place(firm.unit)));
    firm.tax_since = chance.percent(40).then_some(firm.founded);
    if chance.percent(25) {
        let n = chance.heads(2, 8);
        employ(firm, n, Habit::Avoids);
    }
}

fn gone(firm: &mut Firm, chance: &mut Chance, options: &Options) {
    let status = *chance.pick(&[
        Status::Cancelled,
        Status::Cancelled,
        Status::Cancelled,
        Status::Revoked,
        Status::Revoked,
        Status::Liquidating,
        Status::Moved,
    ]);
    let day = plus_days(options.start, -chance.days(20, 900)).max(plus_days(firm.founded, 30));
    if chance.percent(40) {
        let n = chance.heads(2, 8);
        employ(firm, n, Habit::Registers);
        if chance.percent(50) {
            registered(firm, [n; 3]);
        }
    }
    end(firm, status, day);
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

/// Registration for insurance comes with the licence: most shells stand on the roll with nobody insured.
fn shell(firm: &mut Firm, chance: &mut Chance) {
    firm.habit = Habit::Shell;
    if chance.percent(65) {
        firm.enter(plus_days(firm.founded, 1));
        firm.rows = [chance.percent(60); 3];
        // Without any row it is not on the roll at all.
        firm.rows[0] = true;
    }
    if chance.percent(40) {
        firm.revenue_yuan = 0;
    }
}

fn kinds_missing(firm: &mut Firm, chance: &mut Chance, options: &Options) {
    if firm.trade().is_construction() {
        retrade(firm, 11, chance, options);
    }
    let n = staff(chance).max(3);
    employ(firm, n, Habit::Avoids);
    registered(
        firm,
        match chance.below(6) {
            0..=2 => [0, 0, n],
            3 | 4 => [n, 0, n],
            _ => [n, n, 0],
        },
    );
    if chance.percent(50) {
        firm.rows = [true; 3];
    }
}

fn fewer_insured(firm: &mut Firm, chance: &mut Chance) {
    let n = chance.heads(8, 40);
    employ(firm, n, Habit::Avoids);
    let insured = if chance.percent(10) {
        n - 1
    } else {
        (n * chance.heads(15, 60) / 100).max(1)
    };
    registered(firm, [insured; 3]);
}

fn branch(firm: &mut Firm, chance: &mut Chance, options: &Options, heads: &[u32]) {
    let n = chance.heads(2, 9);
    if heads.is_empty() {
        employ(firm, n, Habit::Registers);
        registered(firm, [n; 3]);
        return;
    }
    let head = *chance.pick(heads);
    firm.form = Form::Branch { head };
    firm.cover = Cover::HeadOffice { head };
    if firm.trade().unclassed || firm.trade().is_construction() {
        retrade(firm, 13, chance, options);
    }
    employ(firm, n, Habit::Registers);
    let word = names::word(head, options.seed);
    firm.names = Steps::always(format!(
        "南阳{word}{}有限公司{}分公司",
        firm.trade().word,
        place(firm.unit).name
    ));
    if chance.percent(40) {
        firm.enter(plus_days(firm.founded, 1));
        firm.rows = [true; 3];
    }
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

fn big(firm: &mut Firm, chance: &mut Chance, options: &Options) {
    if firm.trade().unclassed || firm.trade().is_construction() {
        retrade(firm, 2, chance, options);
    }
    firm.size = Size::Big;
    measure(firm, chance, true);
    let medium = u32::try_from(firm.trade().heads.map_or(120, |[medium, _]| medium)).unwrap_or(120);
    let n = medium + chance.heads(10, 200);
    employ(firm, n, Habit::Registers);
    let insured = if chance.percent(30) { n / 2 } else { n };
    registered(firm, [insured; 3]);
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
}

fn settle_entry(entry: &mut Entry, number: u32, chance: &mut Chance) {
    entry.blank_codes = !entry.number_per_kind && chance.percent(6);
    // Some firms of the two districts around the centre are insured at the city's own agency.
    if matches!(entry.unit, 0 | 1) && number % 6 == 0 {
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
