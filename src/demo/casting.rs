//! Which kinds of firms a city has, how many of each, and what makes each of them what it is.

use crate::demo::chance::Chance;
use crate::demo::firm::{Cover, Firm, Form, Habit, Plan, Size, Status};
use crate::demo::genesis::{end, measure};
use crate::demo::names;
use crate::demo::options::Options;
use crate::demo::places::place;
use crate::demo::steps::{Steps, plus_days};
use crate::demo::trades;
use crate::domain::finding::Insurance;

/// What kind of firm is made; parts of 10,000 firms in [`MIX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cast {
    Individual,
    Converted,
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

const MIX: [(Cast, u64); 19] = [
    (Cast::Individual, 1120),
    (Cast::Converted, 80),
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

pub(crate) fn cast(position: u64) -> Cast {
    let mut at = u64::try_from((u128::from(position) * 10_000) >> 64).unwrap_or(0);
    for (cast, share) in MIX {
        if at < share {
            return cast;
        }
        at -= share;
    }
    Cast::Insured
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

pub(crate) fn play(
    firm: &mut Firm,
    cast: Cast,
    chance: &mut Chance,
    options: &Options,
    heads: &[u32],
) {
    if matches!(
        cast,
        Cast::Absent | Cast::NobodyInsured | Cast::KindsMissing | Cast::FewerInsured | Cast::Lone
    ) && firm.trade().unclassed
    {
        retrade(firm, 13, chance, options);
    }
    match cast {
        Cast::Individual => individual(firm, chance, options),
        Cast::Converted => converted(firm, chance, options),
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

pub(crate) fn individual(firm: &mut Firm, chance: &mut Chance, options: &Options) {
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

/// An individual business that registers its staff and goes on as a company, some months ago or during the run.
fn converted(firm: &mut Firm, chance: &mut Chance, options: &Options) {
    individual(firm, chance, options);
    firm.tax_since = Some(firm.founded);
    let n = chance.heads(2, 9);
    employ(firm, n, Habit::Registers);
    registered(firm, [n; 3]);
    firm.protected = true;
    firm.plans.clear();
    let day = plus_days(options.start, chance.days(0, 220) - 120);
    firm.plan(day.max(plus_days(firm.founded, 60)), Plan::Converts);
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
