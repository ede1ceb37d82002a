//! One firm of the city: what it is, whom it employs, what it has registered, and how it behaves.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::demo::names;
use crate::demo::steps::{Steps, days_between};
use crate::demo::trades::{Trade, trade_at};
use crate::domain::finding::Insurance;

/// Heads from which a gap is more than a lag of registration.
const SMALL_GAP: u32 = 3;

/// Its legal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A company.
    Company,
    /// A branch of the firm with this number.
    Branch {
        /// The head office.
        head: u32,
    },
    /// 个体工商户.
    Individual,
    /// 农民专业合作社.
    Cooperative,
}

/// Its size by what it truly has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// Small or micro.
    Small,
    /// Medium or large.
    Big,
    /// The size rule leaves its industry out.
    Unclassed,
}

/// Its state with the registrar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// 存续.
    Active,
    /// 吊销.
    Revoked,
    /// 清算.
    Liquidating,
    /// 迁出.
    Moved,
    /// 注销.
    Cancelled,
    /// 个体转企业: an individual business that went on as a company.
    Converted,
}

/// Where its staff are insured when not on its own entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    /// On its own entry, or nowhere.
    Own,
    /// At another place's agency (省直, 异地): no export shows it.
    Elsewhere,
    /// On the entry of the firm with this number.
    HeadOffice {
        /// The head office.
        head: u32,
    },
    /// On the entry of the individual business that it grew from, until that entry is rewritten.
    Predecessor {
        /// The individual business.
        firm: u32,
        /// The day its entry becomes the company's.
        until: Date,
    },
}

/// How it behaves about insurance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// Registers whom it employs, as it employs them.
    Registers,
    /// Registers nobody further.
    Avoids,
    /// Employs nobody.
    Shell,
}

/// What it does when told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// Registers everybody for everything.
    EnrolsFully,
    /// Registers some heads or some kinds.
    EnrolsPartly,
    /// Answers with promises and registers when told again.
    Answers,
    /// Does nothing.
    Ignores,
}

/// Its entry on the insured roll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// 单位编号.
    pub unit_number: String,
    /// One number for each kind instead of one for all.
    pub number_per_kind: bool,
    /// Since when it is there.
    pub since: Date,
    /// The unit whose agency holds it.
    pub unit: u8,
    /// Moves to the agency of the new address on this day.
    pub moves: Option<(Date, u8)>,
    /// An old unit: some rows carry no credit code.
    pub blank_codes: bool,
}

/// A scheduled change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// Takes on staff for the first time.
    Opens {
        /// How many.
        heads: u32,
        /// Registers them.
        registers: bool,
    },
    /// Lets temporary staff go again.
    Releases {
        /// How many.
        heads: u32,
    },
    /// Files its annual report.
    Reports,
    /// Registers everybody.
    EnrolsFully,
    /// Registers some.
    EnrolsPartly,
    /// Answers the notice.
    Answers,
    /// Goes on as a company (个体转企业).
    Converts,
}

/// What its newest annual report says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its year.
    pub year: i16,
    /// Heads.
    pub heads: u32,
    /// Revenue, 万元.
    pub revenue_wan: u64,
    /// Assets, 万元.
    pub assets_wan: u64,
}

/// One firm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firm {
    /// Its number in the city: the subject of its streams of chance.
    pub number: u32,
    /// Its credit code.
    pub code: String,
    /// Tax still knows it by its 15-character id.
    pub legacy_tax_id: bool,
    /// The company that this individual business became.
    pub successor: Option<u32>,
    /// Its names.
    pub names: Steps<String>,
    /// Its form.
    pub form: Form,
    /// The credit code of its head office.
    pub head_code: Option<String>,
    /// Its trade, a place in the list of trades.
    pub trade: u8,
    /// Its size.
    pub size: Size,
    /// Founded.
    pub founded: Date,
    /// The registrar's last approval.
    pub approved: Date,
    /// Its states with the registrar.
    pub states: Steps<Status>,
    /// The unit in which it lies.
    pub unit: u8,
    /// Its town.
    pub town: String,
    /// Its address.
    pub address: String,
    /// Its phone with the registrar.
    pub phone: String,
    /// Its phone with tax and transport.
    pub tax_phone: String,
    /// Its mail address.
    pub email: Option<String>,
    /// Its newest annual report.
    pub report: Option<Report>,
    /// Revenue of the last year, yuan.
    pub revenue_yuan: u64,
    /// Assets, yuan.
    pub assets_yuan: u64,
    /// Tax has rows of it since this day.
    pub tax_since: Option<Date>,
    /// Its owner files wages for himself while it employs nobody.
    pub owner_files: bool,
    /// Staff of its own, by law to be insured.
    pub staff: Steps<u32>,
    /// Staff of a dispatch agency that work here.
    pub dispatched: u32,
    /// Where its staff are insured.
    pub cover: Cover,
    /// Its entry on the roll.
    pub entry: Option<Entry>,
    /// The roll has rows of the kind.
    pub rows: [bool; 3],
    /// Own staff registered in each kind.
    pub insured: [Steps<u32>; 3],
    /// Stopped paying on this day.
    pub unpaid_since: Option<Date>,
    /// Its habit.
    pub habit: Habit,
    /// What it does when told.
    pub reaction: Reaction,
    /// When it was told.
    pub told: Vec<Date>,
    /// What it will do when.
    pub plans: Vec<(Date, Plan)>,
    /// Vehicles and drivers of its licence.
    pub vehicles: u32,
    /// Chance leaves it alone, so that its story is told to the end.
    pub protected: bool,
}

/// Its true state on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// All it owes is on its own entry.
    Insured,
    /// The same, but it does not pay.
    NotPaying,
    /// It owes and has not registered all.
    Owes,
    /// Fewer than three heads, or no more than a fifth of its staff, are not registered yet in a kind where others are.
    SmallGap,
    /// It employs nobody.
    NotLiable,
    /// The plan leaves it out.
    OutOfScope,
    /// No longer active with the registrar.
    Deregistered,
    /// Founded less than 30 days ago.
    Grace,
    /// Its staff are insured at another place.
    CoveredElsewhere,
    /// Its staff are on the head office's entry.
    InsuredByHeadOffice,
    /// Its staff are still on the entry of the individual business that it grew from.
    InsuredByPredecessor,
    /// Pension and unemployment on its entry, work injury by project.
    Construction,
}

impl State {
    /// In Chinese.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Insured => "已足额参保",
            Self::NotPaying => "已参保未缴费",
            Self::Owes => "应参保未足额参保",
            Self::SmallGap => "个别职工尚待登记",
            Self::NotLiable => "没有用工",
            Self::OutOfScope => "不在专项范围",
            Self::Deregistered => "已不存续",
            Self::Grace => "成立未满30日",
            Self::CoveredElsewhere => "职工在他处参保",
            Self::InsuredByHeadOffice => "随总公司参保",
            Self::InsuredByPredecessor => "职工仍在原个体工商户单位参保",
            Self::Construction => "建筑企业，工伤按项目参保",
        }
    }
}

/// A state with what is uncovered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The state.
    pub state: State,
    /// Kinds in which somebody is uncovered.
    pub uncovered: Vec<Insurance>,
    /// Heads uncovered in the worst kind.
    pub heads: u32,
    /// Staff of its own.
    pub staff: u32,
}

impl Standing {
    fn of(state: State, staff: u32) -> Self {
        Self {
            state,
            uncovered: Vec::new(),
            heads: 0,
            staff,
        }
    }
}

impl Firm {
    /// Its trade.
    #[must_use]
    pub fn trade(&self) -> &'static Trade {
        trade_at(self.trade)
    }

    /// Its name on a day.
    #[must_use]
    pub fn name(&self, day: Date) -> &str {
        self.names.at(day).map_or("", String::as_str)
    }

    /// What it was called before, newest first.
    #[must_use]
    pub fn former_names(&self, day: Date) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .names
            .iter()
            .filter(|(from, _)| *from <= day)
            .map(|(_, name)| name.as_str())
            .collect();
        names.pop();
        names.reverse();
        names
    }

    /// Its 工商注册号: only firms founded before the unified credit codes of 2015 have one.
    #[must_use]
    pub fn registration_number(&self) -> Option<String> {
        let region = self.code.get(2..8)?;
        self.is_old()
            .then(|| names::registration_number(region, self.number))
    }

    /// Whether it is older than the unified credit codes.
    #[must_use]
    pub fn is_old(&self) -> bool {
        self.founded.year() < 2015
    }

    /// Whether the registrar lists it as active on a day.
    #[must_use]
    pub fn is_active(&self, day: Date) -> bool {
        self.states.at(day) == Some(&Status::Active)
    }

    /// Its state with the registrar; a firm not founded yet counts as active.
    #[must_use]
    pub fn status(&self, day: Date) -> Status {
        self.states.at(day).copied().unwrap_or(Status::Active)
    }

    /// Whether the special plan looks at it (apart from being active, old enough and an employer).
    #[must_use]
    pub fn in_scope(&self) -> bool {
        let enterprise = matches!(self.form, Form::Company | Form::Branch { .. });
        enterprise && (self.size == Size::Small || self.trade().new_form)
    }

    /// Paying wage filers on a day.
    #[must_use]
    pub fn filers(&self, day: Date) -> u32 {
        if self.tax_since.is_none_or(|since| since > day) {
            return 0;
        }
        match self.staff.heads(day) {
            0 => u32::from(self.owner_files),
            staff => staff,
        }
    }

    /// Whether it owes this kind on its own entry.
    #[must_use]
    pub fn owes_kind(&self, kind: Insurance) -> bool {
        kind != Insurance::WorkInjury || !self.trade().is_construction()
    }

    /// Its true standing without regard to the plan's scope.
    #[must_use]
    pub fn duty(&self, day: Date) -> Standing {
        let staff = self.staff.heads(day);
        if !self.is_active(day) {
            return Standing::of(State::Deregistered, staff);
        }
        if days_between(self.founded, day) < 30 {
            return Standing::of(State::Grace, staff);
        }
        if staff == 0 {
            return Standing::of(State::NotLiable, 0);
        }
        match self.cover {
            Cover::Elsewhere => return Standing::of(State::CoveredElsewhere, staff),
            Cover::HeadOffice { .. } => return Standing::of(State::InsuredByHeadOffice, staff),
            Cover::Predecessor { .. } => return Standing::of(State::InsuredByPredecessor, staff),
            Cover::Own => {}
        }
        let lacking = |kind: Insurance| {
            let insured = self.insured[slot(kind)].heads(day);
            if self.owes_kind(kind) {
                staff.saturating_sub(insured)
            } else {
                0
            }
        };
        // A few heads short is what lags of registration look like; the plan asks nobody about them.
        let falls_short = |kind: Insurance| {
            let gap = lacking(kind);
            gap == staff && gap > 0 || gap >= SMALL_GAP && gap * 5 > staff
        };
        let uncovered: Vec<Insurance> = Insurance::ALL
            .into_iter()
            .filter(|kind| falls_short(*kind))
            .collect();
        let heads = Insurance::ALL.into_iter().map(lacking).max().unwrap_or(0);
        let state = if !uncovered.is_empty() {
            State::Owes
        } else if heads > 0 {
            State::SmallGap
        } else if self.unpaid_since.is_some_and(|since| since <= day) {
            State::NotPaying
        } else if self.trade().is_construction() {
            State::Construction
        } else {
            State::Insured
        };
        Standing {
            state,
            uncovered,
            heads,
            staff,
        }
    }

    /// Its true standing in the plan.
    #[must_use]
    pub fn standing(&self, day: Date) -> Standing {
        let duty = self.duty(day);
        if duty.state != State::Deregistered && !self.in_scope() {
            return Standing {
                state: State::OutOfScope,
                ..duty
            };
        }
        duty
    }

    /// The unit its case belongs to: where it is on the roll, else where it lies.
    #[must_use]
    pub fn case_unit(&self) -> u8 {
        self.entry.as_ref().map_or(self.unit, |entry| entry.unit)
    }

    /// Registers exactly these heads in a kind.
    pub fn insure(&mut self, kind: Insurance, heads: u32, day: Date) {
        let at = slot(kind);
        self.insured[at].set(day, heads);
        self.rows[at] |= heads > 0;
    }

    /// Registers everybody in every owed kind.
    pub fn insure_all(&mut self, day: Date) {
        let staff = self.staff.heads(day);
        for kind in Insurance::ALL {
            if self.owes_kind(kind) {
                self.insure(kind, staff, day);
            }
        }
    }

    /// Gives it an entry on the roll when it has none.
    pub fn enter(&mut self, day: Date) {
        if self.entry.is_none() {
            self.entry = Some(Entry {
                unit_number: format!("41130{:07}", 1_000_000 + self.number),
                number_per_kind: self.number % 23 == 7,
                since: day,
                unit: self.unit,
                moves: None,
                blank_codes: false,
            });
        }
    }

    /// Schedules something.
    pub fn plan(&mut self, day: Date, plan: Plan) {
        self.plans.push((day, plan));
    }
}

/// The place of a kind in arrays of three.
#[must_use]
pub const fn slot(kind: Insurance) -> usize {
    match kind {
        Insurance::Pension => 0,
        Insurance::Unemployment => 1,
        Insurance::WorkInjury => 2,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::demo::genesis::blank;
    use crate::demo::options::{Dirt, Options};

    #[test]
    fn duty_follows_the_facts() {
        type Case<'a> = (&'a dyn Fn(&mut Firm), (State, usize, u32));
        let options = Options {
            enterprises: 1,
            seed: 1,
            start: date(2026, 3, 2),
            days: 5,
            dirt: Dirt::None,
        };
        let day = date(2026, 3, 2);
        let make = |change: &dyn Fn(&mut Firm)| {
            let mut firm = blank(&options, 3, date(2020, 1, 6));
            firm.staff = Steps::always(5);
            change(&mut firm);
            let duty = firm.duty(day);
            (duty.state, duty.uncovered.len(), duty.heads)
        };
        let cases: [Case; 9] = [
            (&|_| {}, (State::Owes, 3, 5)),
            (&|f| f.insure_all(day), (State::Insured, 0, 0)),
            (
                &|f| {
                    f.insure_all(day);
                    f.insure(Insurance::Unemployment, 2, day);
                },
                (State::Owes, 1, 3),
            ),
            (
                &|f| {
                    f.trade = 7;
                    f.insure_all(day);
                },
                (State::Construction, 0, 0),
            ),
            (
                &|f| f.cover = Cover::Elsewhere,
                (State::CoveredElsewhere, 0, 0),
            ),
            (&|f| f.staff.set(day, 0), (State::NotLiable, 0, 0)),
            (&|f| f.founded = date(2026, 2, 1), (State::Grace, 0, 0)),
            (
                &|f| f.states.set(day, Status::Revoked),
                (State::Deregistered, 0, 0),
            ),
            (
                &|f| {
                    f.insure_all(day);
                    f.unpaid_since = Some(day);
                },
                (State::NotPaying, 0, 0),
            ),
        ];
        for (at, (change, expected)) in cases.into_iter().enumerate() {
            assert_eq!(make(change), expected, "case {at}");
        }
    }
}
