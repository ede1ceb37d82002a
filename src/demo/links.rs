//! Whether each record came to the firm that it truly speaks of. The city knows: it wrote the record. Pure.
//!
//! Of whom a record speaks is told by what the department wrote it under (unit number, licence number, its code for the firm), never
//! by the product's rules.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::demo::city::City;
use crate::demo::departments::{market, tax};
use crate::demo::firm::Firm;
use crate::domain::code::{normal, organisation_code_of};
use crate::domain::record::{Field, Month, Record, Value};
use crate::domain::register::{Register, Tier};
use crate::domain::text::normal_name;

/// The adapter of the register, whose rows make enterprises of firms.
pub const REGISTER: &str = "market-regulation";

/// How the records came to their firms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Links {
    /// On the enterprise of their firm's registration.
    pub correct: u64,
    /// On another enterprise that has a registration: two firms were taken for one.
    pub wrong: u64,
    /// On none, or on an enterprise that no registration belongs to.
    pub missed: u64,
    /// All of these: records whose firm has a registration that stands.
    pub possible: u64,
}

/// A record that did not come to its firm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Astray {
    /// `wrong` or `missed`.
    pub fault: &'static str,
    /// The adapter.
    pub source: String,
    /// The record's key.
    pub key: String,
    /// The name as the department writes it.
    pub name: String,
    /// The credit code of the firm that it speaks of.
    pub credit_code: String,
    /// The enterprise it was attached to.
    pub enterprise: Option<String>,
    /// How.
    pub tier: Option<Tier>,
    /// What is dirty about it, in Chinese.
    pub why: String,
}

/// Looks at records one by one.
#[derive(Debug)]
pub struct Judge<'a> {
    city: &'a City,
    /// What the registrar and tax write as codes → number of the firm.
    registrar: HashMap<String, u32>,
    tax: HashMap<String, u32>,
    /// Source and key → place of the enterprise, and how.
    attached: HashMap<(&'a str, &'a str), (usize, Tier)>,
    register: &'a Register,
    /// Place of the enterprise → the firm of its registration.
    owners: HashMap<usize, Option<u32>>,
    /// Firm → the enterprise of its registration.
    homes: HashMap<u32, &'a str>,
    /// Firms with a registration that stands.
    registered: HashSet<u32>,
    /// The count so far.
    pub links: Links,
    /// What went astray so far.
    pub astray: Vec<Astray>,
}

impl<'a> Judge<'a> {
    /// Of the records of a register.
    #[must_use]
    pub fn of(city: &'a City, register: &'a Register) -> Self {
        let mut judge = Self {
            city,
            registrar: HashMap::new(),
            tax: HashMap::new(),
            attached: HashMap::new(),
            register,
            owners: HashMap::new(),
            homes: HashMap::new(),
            registered: HashSet::new(),
            links: Links::default(),
            astray: Vec::new(),
        };
        judge.learn_codes();
        for (at, enterprise) in register.enterprises.iter().enumerate() {
            for link in &enterprise.links {
                judge
                    .attached
                    .insert((&link.source, &link.key), (at, link.tier));
            }
            if let Some(registration) = &enterprise.registration {
                let owner = judge.number(REGISTER, &registration.record);
                judge.owners.insert(at, owner);
                if let Some(owner) = owner {
                    judge.homes.insert(owner, &enterprise.id);
                }
            }
        }
        judge
    }

    /// A code that two firms are known by is that of the firm whose own it is.
    fn learn_codes(&mut self) {
        let city = self.city;
        for firm in &city.firms {
            self.registrar.insert(firm.code.clone(), firm.number);
            self.tax.insert(firm.code.clone(), firm.number);
        }
        let first = tax::first_month(&city.options);
        let last = Month::of(city.today);
        for firm in &city.firms {
            let written = normal(&market::code(&city.options, firm));
            self.registrar.entry(written).or_insert(firm.number);
            let mut month = first;
            while month <= last {
                let written = normal(&tax::code(&city.options, firm, month));
                self.tax.entry(written).or_insert(firm.number);
                month = month.plus(1);
            }
            if let Some(twin) = tax::twin(&city.options, firm) {
                self.tax.entry(twin).or_insert(firm.number);
            }
        }
    }

    /// The enterprise of a firm's registration.
    #[must_use]
    pub fn home(&self, firm: &Firm) -> Option<&'a str> {
        self.homes.get(&firm.number).copied()
    }

    /// The firm that a record speaks of; `None` when it is nobody's.
    #[must_use]
    pub fn firm(&self, source: &str, record: &Record) -> Option<&'a Firm> {
        let number = self.number(source, record)?;
        self.city.firms.get(number as usize)
    }

    fn number(&self, source: &str, record: &Record) -> Option<u32> {
        let code = record.text(Field::CreditCode);
        match source {
            REGISTER => self.registrar.get(code?).copied(),
            "tax" => self.tax.get(code?).copied(),
            "insured-roll" => self.of_unit(record.text(Field::UnitNumber)?, code),
            _ => {
                let (_, rest) = record.text(Field::LicenceNumber)?.split_once("4113")?;
                let end = rest.find(|c: char| !c.is_ascii_digit());
                rest[..end.unwrap_or(rest.len())].parse().ok()
            }
        }
    }

    /// The unit of an individual business that became a company is that of whichever code stands in the row; without a code, of
    /// whom the city has it down for.
    fn of_unit(&self, unit: &str, code: Option<&str>) -> Option<u32> {
        let number: u32 = unit.strip_prefix("41130")?.get(..7)?.parse().ok()?;
        let firm = self
            .city
            .firms
            .get(number.checked_sub(1_000_000)? as usize)?;
        let Some(new) = firm.successor else {
            return Some(firm.number);
        };
        let new = self.city.firms.get(new as usize)?;
        let organisation = code.and_then(organisation_code_of);
        let is_of = |firm: &Firm| organisation == organisation_code_of(&firm.code);
        let is_new = is_of(new) || (!is_of(firm) && firm.entry.is_none());
        Some(if is_new { new.number } else { firm.number })
    }

    /// A row of the register that stands: all of them are shown before any record is judged.
    pub fn stands(&mut self, registration: &Record) {
        self.registered.extend(self.number(REGISTER, registration));
    }

    /// Judges one record.
    pub fn judge(&mut self, source: &str, record: &Record) {
        let Some(number) = self
            .number(source, record)
            .filter(|number| self.registered.contains(number))
        else {
            return;
        };
        let key = record.key();
        let found = self.attached.get(&(source, key.as_str())).copied();
        self.links.possible += 1;
        let fault = match found.map(|(at, _)| self.owners.get(&at)) {
            Some(Some(owner)) if *owner == Some(number) => {
                self.links.correct += 1;
                return;
            }
            Some(Some(_)) => {
                self.links.wrong += 1;
                "wrong"
            }
            Some(None) | None => {
                self.links.missed += 1;
                "missed"
            }
        };
        let Some(firm) = self.city.firms.get(number as usize) else {
            return;
        };
        self.astray.push(Astray {
            fault,
            source: source.to_owned(),
            key,
            name: record.text(Field::Name).unwrap_or_default().to_owned(),
            credit_code: firm.code.clone(),
            enterprise: found.map(|(at, _)| self.register.enterprises[at].id.clone()),
            tier: found.map(|(_, tier)| tier),
            why: self.why(firm, record),
        });
    }

    /// What is other than it should be.
    fn why(&self, firm: &Firm, record: &Record) -> String {
        let mut why = Vec::new();
        match record.fields.get(&Field::CreditCode) {
            None => why.push("代码栏空白"),
            Some(Value::Text(code)) if *code == firm.code => {}
            Some(Value::Text(code)) if firm.registration_number().as_ref() == Some(code) => {
                why.push("代码栏填的是工商注册号");
            }
            Some(Value::Text(code)) => {
                let is_same = organisation_code_of(code) == organisation_code_of(&firm.code);
                why.push(if is_same {
                    "代码写法不同，所含组织机构代码相同"
                } else {
                    "代码有误"
                });
            }
            Some(_) => why.push("代码无法识读"),
        }
        let today = self.city.today;
        let name = normal_name(record.text(Field::Name).unwrap_or_default());
        if name != normal_name(firm.name(today)) {
            let is_former = |former: &&str| normal_name(former) == name;
            let former = firm.former_names(today);
            why.push(if former.iter().any(is_former) {
                "名称为曾用名"
            } else {
                "名称与登记不同"
            });
        }
        if market::code(&self.city.options, firm) != firm.code {
            why.push("登记数据中的代码有误");
        }
        if why.is_empty() {
            why.push("代码、名称均与登记相同");
        }
        why.join("；")
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::demo::city::tests::{calendar, options};
    use crate::demo::options::Dirt;
    use crate::domain::record::RecordKind;
    use crate::domain::register::Placed;

    fn placed(source: &str, kind: RecordKind, fields: &[(Field, &str)]) -> Placed {
        let mut record = Record::new(kind);
        for (field, text) in fields {
            let value = match field {
                Field::Month => Value::Month(Month::parse(text).unwrap()),
                _ => Value::Text((*text).to_owned()),
            };
            record.fields.insert(*field, value);
        }
        Placed {
            adapter: source.to_owned(),
            batch: "b1".to_owned(),
            file: "f".to_owned(),
            row: 2,
            as_of: None,
            precedence: 0,
            missed: 0,
            record,
        }
    }

    fn registration(firm: &Firm) -> Placed {
        let name = firm.names.now().unwrap();
        let fields = [(Field::CreditCode, &*firm.code), (Field::Name, name)];
        placed(REGISTER, RecordKind::Registration, &fields)
    }

    fn roll(number: u32, code: &str, name: &str) -> Placed {
        let unit = format!("41130{:07}", 1_000_000 + number);
        let mut fields = vec![
            (Field::UnitNumber, &*unit),
            (Field::Name, name),
            (Field::Insurance, "pension"),
            (Field::Month, "2026-03"),
        ];
        if !code.is_empty() {
            fields.push((Field::CreditCode, code));
        }
        placed("insured-roll", RecordKind::InsuredRoll, &fields)
    }

    fn judged(city: &City, rows: &[Placed]) -> (Links, Vec<Astray>) {
        let register = Register::build(rows.to_vec());
        let mut judge = Judge::of(city, &register);
        for row in rows.iter().filter(|row| row.adapter == REGISTER) {
            judge.stands(&row.record);
        }
        for row in rows {
            judge.judge(&row.adapter, &row.record);
        }
        (judge.links, judge.astray)
    }

    #[test]
    fn every_record_is_correct_wrong_or_missed() {
        let city = City::new(options(60, 3, Dirt::None));
        let [one, two, three] = [&city.firms[0], &city.firms[1], &city.firms[2]];
        let licence = |firm: &Firm| {
            let number = format!("JY24113{:09}", firm.number);
            let fields = [
                (Field::CreditCode, &*firm.code),
                (Field::Name, "甲"),
                (Field::LicenceNumber, &number),
            ];
            placed("food", RecordKind::Transport, &fields)
        };
        let rows = [
            registration(one),
            registration(two),
            roll(0, &one.code, "甲"),
            licence(one),
            // Its code is another firm's.
            roll(1, &one.code, "乙"),
            // Nothing says whose it is, but the unit number.
            roll(0, "", "丙"),
            // No registration of it stands: nothing could be right or wrong.
            roll(2, &three.code, "丁"),
            // Nobody's.
            roll(4_000_000, &two.code, "戊"),
        ];
        let (links, astray) = judged(&city, &rows[..5]);
        let wanted = Links {
            correct: 4,
            wrong: 1,
            missed: 0,
            possible: 5,
        };
        assert_eq!(links, wanted);
        let found = (astray[0].fault, &*astray[0].credit_code, &*astray[0].name);
        assert_eq!(found, ("wrong", &*two.code, "乙"));
        assert_eq!(astray[0].tier, Some(Tier::Code));
        assert_eq!(astray[0].why, "代码有误；名称与登记不同");

        let mut others = rows[..2].to_vec();
        others.extend_from_slice(&rows[5..]);
        let (links, astray) = judged(&city, &others);
        let wanted = Links {
            correct: 2,
            wrong: 0,
            missed: 1,
            possible: 3,
        };
        assert_eq!(links, wanted);
        assert_eq!((astray[0].fault, &astray[0].enterprise), ("missed", &None));
        assert_eq!(astray[0].why, "代码栏空白；名称与登记不同");
    }

    #[test]
    fn the_unit_of_a_converted_business_is_of_the_code_in_the_row() {
        let mut city = City::new(options(2000, 5, Dirt::Heavy));
        city.advance(date(2026, 6, 20), &calendar(), &[]);
        let register = Register::build(Vec::new());
        let judge = Judge::of(&city, &register);
        let mut handed_over = 0;
        for old in city.firms.iter().filter(|firm| firm.successor.is_some()) {
            let new = &city.firms[old.successor.unwrap() as usize];
            for (code, wanted) in [
                (&*old.code, old.number),
                (&*new.code, new.number),
                (
                    "",
                    if old.entry.is_some() {
                        old.number
                    } else {
                        new.number
                    },
                ),
            ] {
                let row = roll(old.number, code, "");
                let firm = judge.firm("insured-roll", &row.record).unwrap();
                assert_eq!(firm.number, wanted);
            }
            handed_over += usize::from(old.entry.is_none());
        }
        assert!(handed_over > 0);
    }

    #[test]
    fn whatever_a_department_writes_the_city_knows_whose_it_is() {
        let mut city = City::new(options(2000, 8, Dirt::Heavy));
        city.advance(date(2026, 4, 20), &calendar(), &[]);
        let register = Register::build(Vec::new());
        let judge = Judge::of(&city, &register);
        let month = Month::parse("2026-03").unwrap();
        for firm in &city.firms {
            let tax = normal(&tax::code(&city.options, firm, month));
            let fields = [(Field::CreditCode, &*tax), (Field::Month, "2026-03")];
            let row = placed("tax", RecordKind::Tax, &fields);
            let known = judge.firm("tax", &row.record).unwrap().number;
            // What is left of a number in a spreadsheet's short form is no key, and the row no record.
            assert!(known == firm.number || tax.contains("E+"), "{tax}");
            let code = normal(&market::code(&city.options, firm));
            let row = placed(
                REGISTER,
                RecordKind::Registration,
                &[(Field::CreditCode, &*code)],
            );
            assert_eq!(
                judge.firm(REGISTER, &row.record).unwrap().number,
                firm.number
            );
            assert_eq!(city.firm(&code).unwrap().number, firm.number);
        }
    }
}
