//! Invented names, codes, phones and addresses. Nothing here belongs to a real firm or person.

use crate::demo::places::{Place, STREETS, place};
use crate::demo::trades::Trade;
use crate::domain::code;

const FIRST: [&str; 48] = [
    "砚", "霁", "沐", "岚", "朔", "棠", "鹿", "樾", "澄", "禾", "屿", "栖", "槐", "笙", "汀", "芷",
    "衢", "珩", "邈", "霖", "筠", "滏", "晞", "峤", "菡", "隽", "湜", "旻", "檐", "荻", "嵘", "翎",
    "绛", "穗", "漪", "璟", "枢", "昉", "泠", "萤", "皓", "蓼", "岫", "湉", "骊", "苒", "垚", "翊",
];
const SECOND: [&str; 47] = [
    "枢", "衡", "序", "渡", "湾", "野", "觅", "陌", "垣", "澜", "溯", "眠", "驿", "笺", "径", "浦",
    "阙", "隅", "汐", "庭", "络", "屏", "塬", "畔", "楫", "钧", "棹", "霓", "叙", "隰", "曦", "纫",
    "筑", "翮", "川", "麓", "簌", "圃", "梭", "缃", "朝", "弦", "茗", "渚", "杼", "沅", "陂",
];
/// In ext-A: four bytes in GB18030, not in GBK at all.
const RARE: char = '㑇';

/// The invented word of a firm. No two of the first 106,032 firms share one with the same trade.
#[must_use]
pub fn word(number: u32, seed: u64) -> String {
    let pairs = FIRST.len() * SECOND.len();
    let at = number as usize;
    // 1009 shares no factor with 48 × 47: each pair comes once in a round.
    let pair = (at * 1009 + usize::try_from(seed % 2256).unwrap_or(0)) % pairs;
    let mut word = format!(
        "{}{}",
        FIRST[pair % FIRST.len()],
        SECOND[pair / FIRST.len()]
    );
    let round = at / pairs;
    if round > 0 {
        word.push_str(SECOND[(round - 1) % SECOND.len()]);
    }
    if number % 400 == 399 {
        word.push(RARE);
    }
    word
}

/// The name of a company.
#[must_use]
pub fn company(word: &str, trade: &Trade, unit: &Place, chance: u64) -> String {
    match chance % 10 {
        0..=5 => format!("南阳{word}{}有限公司", trade.word),
        6 | 7 => format!("河南{word}{}有限公司", trade.word),
        8 => format!("南阳市{word}{}有限责任公司", trade.word),
        _ => format!("{word}（{}）{}有限公司", unit.name, trade.word),
    }
}

/// The name of an individual business.
#[must_use]
pub fn individual(word: &str, trade: &Trade, unit: &Place) -> String {
    format!("{}{word}{}店（个体工商户）", unit.name, trade.word)
}

/// The name of a cooperative.
#[must_use]
pub fn cooperative(word: &str, unit: &Place) -> String {
    format!("{}{word}种植农民专业合作社", unit.name)
}

/// The credit code of the firm with this number: both checks hold (GB 32100, GB 11714). `head` is 91, 92 or 93.
///
/// Old firms have digits, new ones `MA` and six characters, as the registrar gives them out.
#[must_use]
pub fn credit_code(head: &str, region: &str, number: u32, seed: u64, old: bool) -> String {
    const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let mixed = u64::from(number).wrapping_mul(7_919_000_027) + seed % 1_000_003;
    let eight = if old {
        format!("{:08}", mixed % 100_000_000)
    } else {
        let mut rest = mixed % 887_503_681;
        let mut eight = String::from("MA");
        for _ in 0..6 {
            eight.push(char::from(
                ALPHABET[usize::try_from(rest % 31).unwrap_or(0)],
            ));
            rest /= 31;
        }
        eight
    };
    // Eight digits or letters and seventeen characters of the alphabet, by their making.
    let inner = code::organisation_check(&eight).unwrap_or('0');
    let first = format!("{head}{region}{eight}{inner}");
    let check = code::credit_code_check(&first).unwrap_or('0');
    format!("{first}{check}")
}

/// The 工商注册号 that a firm had before credit codes: registry, eight digits and a check (GS 15-2006, ISO 7064 MOD 11,10).
#[must_use]
pub fn registration_number(region: &str, number: u32) -> String {
    let first = format!("{region}{:08}", 10_000_000 + number % 10_000_000);
    let mut p = 10;
    for digit in first.chars().filter_map(|c| c.to_digit(10)) {
        let s = (p + digit) % 10;
        p = if s == 0 { 10 } else { s } * 2 % 11;
    }
    format!("{first}{}", (11 - p) % 10)
}

/// A mobile number that reads as invented.
#[must_use]
pub fn mobile(number: u32) -> String {
    format!("199{:08}", number % 1_000_000)
}

/// A landline that reads as invented.
#[must_use]
pub fn landline(number: u32) -> String {
    format!("0377-{:08}", number % 1_000_000)
}

/// The number of a bookkeeping agent, shared by many firms.
#[must_use]
pub fn agent_phone(agent: u32) -> String {
    format!("199{:08}", 9_000_000 + agent)
}

/// An address.
#[must_use]
pub fn address(unit: u8, town: &str, chance: u64) -> String {
    let street = STREETS[usize::try_from(chance % 16).unwrap_or(0)];
    format!(
        "{}{town}{street}{}号",
        county(place(unit)),
        chance / 16 % 300 + 1
    )
}

/// The county or district a unit lies in, as addresses write it.
fn county(unit: &Place) -> String {
    let name = match unit.region {
        "411302" => "宛城区",
        "411303" => "卧龙区",
        "411321" => "南召县",
        "411381" => return "河南省邓州市".to_owned(),
        _ => unit.name,
    };
    format!("河南省南阳市{name}")
}

/// The clerk of a unit: a made-up name that nobody bears.
#[must_use]
pub fn clerk(unit: u8) -> String {
    const SURNAMES: [char; 19] = [
        '柳', '梅', '竹', '松', '杏', '桃', '桂', '枫', '槐', '荷', '菊', '兰', '桐', '榆', '柏',
        '栗', '棠', '藤', '茶',
    ];
    format!("{}示例", SURNAMES[usize::from(unit) % SURNAMES.len()])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::code::{CodeVerdict, Kind, examine, organisation_code_of};

    #[test]
    fn codes_are_valid_and_differ() {
        let mut seen = BTreeSet::new();
        for number in 0..3000 {
            for (head, old) in [("91", true), ("91", false)] {
                let code = credit_code(head, "411302", number, 42, old);
                let examined = examine(&code);
                assert_eq!(
                    (examined.kind, examined.verdict),
                    (Kind::CreditCode, CodeVerdict::Valid),
                    "{code}"
                );
                assert!(seen.insert(organisation_code_of(&code)), "{code} twice");
            }
        }
    }

    #[test]
    fn registration_numbers_hold_their_check() {
        for number in 0..2000 {
            let made = registration_number("411381", number);
            let examined = examine(&made);
            assert_eq!(
                (examined.kind, examined.verdict),
                (Kind::RegistrationNumber, CodeVerdict::Valid),
                "{made}"
            );
        }
    }

    #[test]
    fn words_differ_within_their_rounds() {
        let words: BTreeSet<String> = (0..20_000).map(|number| word(number, 7)).collect();
        assert_eq!(words.len(), 20_000);
    }
}
