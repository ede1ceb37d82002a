//! How the city changes from one day to the next.

use jiff::civil::Date;

use crate::calendar::Calendar;
use crate::demo::chance::Chance;
use crate::demo::city::{Channel, City, Reply, Told};
use crate::demo::conversion;
use crate::demo::firm::{Cover, Firm, Form, Habit, Plan, Reaction, Size, State, Status, slot};
use crate::demo::genesis;
use crate::demo::names;
use crate::demo::options::Options;
use crate::demo::places::{self, CITY, place};
use crate::demo::steps::{ordinal, plus_days};
use crate::demo::trades::trade_at;
use crate::domain::finding::Insurance;

/// Moves the city through one day. Staff that another firm's entry must carry (a head office's, a predecessor's) come back as
/// changes of that firm.
pub(crate) fn pass(city: &mut City, day: Date, calendar: &Calendar) {
    let working = calendar.is_working_day(day);
    let mut carried: Vec<(u32, i64)> = Vec::new();
    let mut converting = Vec::new();
    let mut handed_over = Vec::new();
    for firm in &mut city.firms {
        if !firm.is_active(day) {
            continue;
        }
        if conversion::is_due(firm, day) {
            converting.push(firm.number);
            continue;
        }
        let before = firm.staff.heads(day);
        let replies = due(firm, day, &city.options);
        city.replies.extend(replies);
        if working {
            events(firm, day, &city.options, calendar);
        }
        let carrier = match firm.cover {
            Cover::HeadOffice { head } => Some(head),
            Cover::Predecessor { firm: old, until } => {
                if until <= day {
                    handed_over.push((old, firm.number));
                }
                Some(old)
            }
            Cover::Own | Cover::Elsewhere => None,
        };
        let change = i64::from(firm.staff.heads(day)) - i64::from(before);
        if let Some(carrier) = carrier.filter(|_| change != 0) {
            carried.push((carrier, change));
        }
    }
    for (carrier, change) in carried {
        if let Some(carrier) = city.firms.get_mut(carrier as usize) {
            register_change(carrier, change, day);
        }
    }
    for (old, new) in handed_over {
        conversion::hand_over(city, old, new);
    }
    for number in converting {
        conversion::convert(city, number, day);
    }
    if working {
        found(city, day);
    }
}

/// Firms are told; those that truly owe decide what they will do.
pub(crate) fn tell(city: &mut City, told: &[Told], calendar: &Calendar) {
    for notice in told {
        let Some(number) = city.number(&notice.credit_code) else {
            continue;
        };
        let options = &city.options;
        if let Some(firm) = city.firms.get_mut(number as usize) {
            hear(firm, notice, options, calendar);
        }
    }
}

fn hear(firm: &mut Firm, notice: &Told, options: &Options, calendar: &Calendar) {
    let turn = ordinal(notice.day) * 4 + notice.how as u64;
    let mut chance = Chance::new(options.seed, firm.number.into(), "told", turn);
    let overlooked = match notice.how {
        Channel::Letter | Channel::Call => 0,
        Channel::Sms => 35,
        Channel::Mail => 50,
    };
    if chance.percent(overlooked) {
        return;
    }
    let first = firm.told.is_empty();
    firm.told.push(notice.day);
    if firm.duty(notice.day).state != State::Owes
        || firm
            .plans
            .iter()
            .any(|(on, plan)| is_reaction(plan) && *on < plus_days(notice.day, 20))
    {
        return;
    }
    let post = if notice.how == Channel::Letter { 2 } else { 0 };
    let when = |days: u32| calendar.plus_working_days(notice.day, days + post);
    let delay = u32::try_from(chance.between(2, 7)).unwrap_or(3);
    // The same step often comes by several channels: only a later one counts as being told again.
    let again = firm.told.iter().any(|day| *day < plus_days(notice.day, -7));
    match (firm.reaction, first, again) {
        (Reaction::Answers, true, _) => firm.plan(when(delay), Plan::Answers),
        (Reaction::EnrolsFully, ..) | (Reaction::Answers, _, true) => {
            firm.plan(when(delay), Plan::EnrolsFully);
        }
        (Reaction::EnrolsPartly, true, _) => firm.plan(when(delay), Plan::EnrolsPartly),
        (Reaction::EnrolsPartly, _, true) if chance.percent(40) => {
            firm.plan(when(delay), Plan::EnrolsFully);
        }
        (Reaction::EnrolsPartly | Reaction::Answers | Reaction::Ignores, ..) => {}
    }
}

const fn is_reaction(plan: &Plan) -> bool {
    matches!(plan, Plan::EnrolsFully | Plan::EnrolsPartly | Plan::Answers)
}

/// What a firm had planned for today.
fn due(firm: &mut Firm, day: Date, options: &Options) -> Vec<Reply> {
    let mut replies = Vec::new();
    if let Some(entry) = &mut firm.entry
        && let Some((_, unit)) = entry.moves.filter(|(on, _)| *on <= day)
    {
        entry.unit = unit;
        entry.moves = None;
    }
    if firm.plans.is_empty() {
        return replies;
    }
    let (now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut firm.plans)
        .into_iter()
        .partition(|(on, _)| *on <= day);
    firm.plans = later;
    for (_, plan) in now {
        match plan {
            Plan::Opens { heads, registers } => {
                firm.staff.set(day, firm.staff.heads(day) + heads);
                firm.tax_since = firm.tax_since.or(Some(day));
                firm.habit = if registers {
                    Habit::Registers
                } else {
                    Habit::Avoids
                };
                if registers && firm.cover == Cover::Own {
                    firm.enter(day);
                    firm.insure_all(day);
                }
            }
            Plan::Releases { heads } => change_staff(firm, -i64::from(heads), day),
            Plan::Reports => {
                genesis::report(firm, options.start.year() - 1, day);
                firm.approved = day;
            }
            Plan::EnrolsFully => enrol(firm, day, true, options),
            Plan::EnrolsPartly => enrol(firm, day, false, options),
            // It takes two firms, so the city does it.
            Plan::Converts => {}
            Plan::Answers => {
                if firm.duty(day).state == State::Owes {
                    replies.push(Reply {
                        credit_code: firm.code.clone(),
                        day,
                        text: "正在整理职工名册，稍后到经办机构办理".to_owned(),
                    });
                }
            }
        }
    }
    replies
}

/// A firm that owes registers its staff: all of them, or some.
fn enrol(firm: &mut Firm, day: Date, fully: bool, options: &Options) {
    let duty = firm.duty(day);
    if duty.state != State::Owes || !firm.in_scope() {
        return;
    }
    firm.enter(day);
    if fully {
        firm.habit = Habit::Registers;
        for kind in duty.uncovered {
            firm.insure(kind, duty.staff, day);
        }
        return;
    }
    let mut chance = Chance::new(options.seed, firm.number.into(), "partly", 0);
    if duty.staff >= 8 && duty.uncovered.len() == 3 && chance.percent(50) {
        let heads = duty.staff * chance.heads(30, 50) / 100;
        for kind in duty.uncovered {
            let now = firm.insured[slot(kind)].heads(day);
            firm.insure(kind, now.max(heads), day);
        }
        return;
    }
    // Work injury is the cheapest kind, and often the first; builders have it by project and begin with unemployment.
    let kind = duty
        .uncovered
        .iter()
        .rev()
        .find(|kind| firm.owes_kind(**kind))
        .copied();
    if let Some(kind) = kind.filter(|_| duty.uncovered.len() > 1) {
        firm.insure(kind, duty.staff, day);
    }
}

/// Staff come and go; who registers, registers (or takes off) the same heads.
fn change_staff(firm: &mut Firm, change: i64, day: Date) {
    let add = |heads: u32, change: i64| {
        u32::try_from((i64::from(heads) + change).max(0)).unwrap_or(heads)
    };
    let before = firm.staff.heads(day);
    firm.staff.set(day, add(before, change));
    let change = i64::from(firm.staff.heads(day)) - i64::from(before);
    if firm.cover != Cover::Own {
        return;
    }
    if firm.habit == Habit::Registers {
        register_change(firm, change, day);
        return;
    }
    // Who leaves is taken off even by a firm that registers nobody new.
    let staff = firm.staff.heads(day);
    for steps in &mut firm.insured {
        if steps.heads(day) > staff {
            steps.set(day, staff);
        }
    }
}

fn register_change(firm: &mut Firm, change: i64, day: Date) {
    for kind in Insurance::ALL {
        let now = firm.insured[slot(kind)].heads(day);
        if firm.owes_kind(kind) && (now > 0 || firm.rows[slot(kind)]) {
            let heads = u32::try_from((i64::from(now) + change).max(0)).unwrap_or(now);
            firm.insure(kind, heads, day);
        }
    }
}

/// What chance brings one active firm on one working day.
fn events(firm: &mut Firm, day: Date, options: &Options, calendar: &Calendar) {
    let mut chance = Chance::new(options.seed, firm.number.into(), "day", ordinal(day));
    let staff = firm.staff.heads(day);
    let company = firm.form == Form::Company && firm.size == Size::Small;
    if !firm.protected && ends(firm, staff, day, &mut chance) {
        return;
    }
    if chance.per_100k(120) {
        firm.phone = if chance.percent(70) {
            names::mobile(500_000 + firm.number)
        } else {
            names::landline(500_000 + firm.number)
        };
        firm.approved = day;
    }
    if chance.per_100k(50) {
        firm.town = genesis::town(firm.unit, &mut chance);
        firm.address = names::address(firm.unit, &firm.town, chance.below(1 << 32));
        firm.approved = day;
    }
    if company && !firm.protected {
        if chance.per_100k(25) {
            moves(firm, day, calendar, &mut chance);
        }
        if chance.per_100k(25) {
            let word = names::word(1_000_000 + firm.number, options.seed);
            firm.names.set(
                day,
                names::company(
                    &word,
                    trade_at(firm.trade),
                    place(firm.unit),
                    chance.below(10),
                ),
            );
            firm.approved = day;
        }
    }
    if staff >= 2 {
        staffed(firm, staff, day, &mut chance);
    } else if company && staff == 0 && chance.per_100k(45) {
        let heads = chance.heads(2, 7);
        let registers = chance.percent(60);
        firm.plan(plus_days(day, 1), Plan::Opens { heads, registers });
        if chance.percent(15) {
            // A month's job only: one month of filers is no evidence.
            firm.plan(
                plus_days(day, chance.days(15, 28)),
                Plan::Releases { heads },
            );
        }
    }
}

fn staffed(firm: &mut Firm, heads: u32, day: Date, chance: &mut Chance) {
    if chance.per_100k(1200) {
        let most = (heads / 6).max(1);
        let moved = i64::from(chance.heads(1, most));
        let fewer = chance.percent(50) && heads > most + 1;
        // The gap of a firm that registers nobody widens as it hires.
        change_staff(firm, if fewer { -moved } else { moved }, day);
    }
    if firm.protected || firm.cover != Cover::Own || firm.habit != Habit::Registers {
        return;
    }
    if chance.per_100k(30) {
        // It grows and registers nobody new.
        firm.habit = Habit::Avoids;
        let grown = i64::from(chance.heads(4, 9));
        change_staff(firm, grown, day);
    } else if chance.per_100k(15) {
        // It takes everybody off the roll and keeps them at work.
        firm.habit = Habit::Avoids;
        for kind in Insurance::ALL {
            firm.insure(kind, 0, day);
        }
    }
}

fn ends(firm: &mut Firm, staff: u32, day: Date, chance: &mut Chance) -> bool {
    let rate = if staff == 0 { 45 } else { 15 };
    if !chance.per_100k(rate) {
        return false;
    }
    let status = *chance.pick(&[
        Status::Cancelled,
        Status::Cancelled,
        Status::Cancelled,
        Status::Revoked,
        Status::Liquidating,
    ]);
    genesis::end(firm, status, day);
    true
}

/// Moves to another unit; its entry on the roll follows some working days later.
fn moves(firm: &mut Firm, day: Date, calendar: &Calendar, chance: &mut Chance) {
    let to = places::by_share(chance.below(1000));
    if to == CITY || to == firm.unit {
        return;
    }
    firm.unit = to;
    firm.town = genesis::town(to, chance);
    firm.address = names::address(to, &firm.town, chance.below(1 << 32));
    firm.approved = day;
    let on = calendar.plus_working_days(day, u32::try_from(chance.between(5, 15)).unwrap_or(5));
    if let Some(entry) = &mut firm.entry {
        entry.moves = Some((on, to));
    }
}

/// New firms: 0.8 for each 1,000 on a working day.
fn found(city: &mut City, day: Date) {
    let mut chance = Chance::new(city.options.seed, 0, "found", ordinal(day));
    let expected = u64::from(city.options.enterprises) * 8;
    let mut n = expected / 10_000;
    if chance.below(10_000) < expected % 10_000 {
        n += 1;
    }
    for _ in 0..n {
        let number = u32::try_from(city.firms.len()).unwrap_or(u32::MAX);
        let firm = genesis::founded(&city.options, number, day);
        city.enter(firm);
    }
}
