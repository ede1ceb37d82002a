//! What careless hands and programs make of a name or a code: another text, not another way of writing it. Pure.

use std::borrow::Cow;

/// What stands in a code column instead of the credit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CodeSlip {
    /// Nothing.
    Lost,
    /// The 15-character tax id: the credit code without its head and check.
    TaxId,
    /// The same and five zeros.
    TaxIdAndZeros,
    /// The credit code and two zeros.
    CodeAndZeros,
    /// The organisation code.
    Organisation,
    /// The organisation code with its hyphen.
    OrganisationHyphen,
    /// One wrong character.
    Wrong,
    /// A letter for the digit that looks like it, or the other way round.
    Alike,
}

impl CodeSlip {
    /// What comes of a credit code of 18 characters; `how` tells which place is hit.
    #[must_use]
    pub fn of(self, code: &str, how: u64) -> String {
        match self {
            Self::Lost => String::new(),
            Self::TaxId => code[2..17].to_owned(),
            Self::TaxIdAndZeros => format!("{}00000", &code[2..17]),
            Self::CodeAndZeros => format!("{code}00"),
            Self::Organisation => code[8..17].to_owned(),
            Self::OrganisationHyphen => format!("{}-{}", &code[8..16], &code[16..17]),
            Self::Wrong => wrong(code, how),
            Self::Alike => alike(code, how),
        }
    }
}

/// One wrong character behind the two of the head. The form stays that of a credit code, and its check fails: every weight of
/// GB 32100 is prime to 31.
fn wrong(code: &str, how: u64) -> String {
    const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let mut bytes = code.as_bytes().to_vec();
    let at = place(how, 2, 18);
    // Region and organisation check are digits.
    let choices = if at < 8 || at == 16 { 10 } else { 31 };
    let old = ALPHABET.iter().position(|b| *b == bytes[at]).unwrap_or(0);
    let step = 1 + usize::try_from(how / 16 % (choices - 1)).unwrap_or(0);
    let size = usize::try_from(choices).unwrap_or(31);
    bytes[at] = ALPHABET[(old % size + step) % size];
    String::from_utf8_lossy(&bytes).into_owned()
}

/// O for 0, I for 1, Z for 2, S for 5, B for 8, or 8 for B, behind the region; a code without any of them gets a wrong character.
fn alike(code: &str, how: u64) -> String {
    let other = |b: u8| match b {
        b'0' => Some(b'O'),
        b'1' => Some(b'I'),
        b'2' => Some(b'Z'),
        b'5' => Some(b'S'),
        b'8' => Some(b'B'),
        b'B' => Some(b'8'),
        _ => None,
    };
    let mut bytes = code.as_bytes().to_vec();
    let places: Vec<usize> = (8..bytes.len().min(18))
        .filter(|at| other(bytes[*at]).is_some())
        .collect();
    if places.is_empty() {
        return wrong(code, how);
    }
    let at = places[place(how, 0, places.len())];
    bytes[at] = other(bytes[at]).unwrap_or(bytes[at]);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A code of digits alone after a spreadsheet took it for a number: fifteen digits stay, or fewer, or the nearest number of 64 bits.
/// `None` for a code with a letter, which is safe, and for one that comes out whole by luck.
#[must_use]
pub fn spreadsheet(code: &str, how: u64) -> Option<String> {
    let number = number(code)?;
    let spoilt = match how % 3 {
        0 => format!("{}000", &code[..15]),
        1 => format!("{}.{}E+17", &code[..1], &code[1..6]),
        _ => format!("{number:.0}"),
    };
    (spoilt != code).then_some(spoilt)
}

/// The code as the number that a spreadsheet keeps; `None` for a code with a letter.
#[must_use]
pub fn number(code: &str) -> Option<f64> {
    let is_number = code.len() == 18 && code.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| code.parse().ok()).flatten()
}

/// A name with one slip of typing: a character is missing, doubled, in its neighbour's place or another that looks like it, or the
/// legal form is the other one.
#[must_use]
pub fn name(name: &str, how: u64) -> Cow<'_, str> {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() < 4 {
        return Cow::Borrowed(name);
    }
    let (kind, how) = (how % 5, how / 5);
    if kind == 0
        && let Some(other) = other_form(name)
    {
        return Cow::Owned(other);
    }
    // The first two are the city and the last two the form: slips there would be seen at once.
    let at = place(how, 2, chars.len() - 2);
    let mut out = chars.clone();
    match kind {
        1 => {
            out.remove(at);
        }
        2 => out.insert(at, chars[at]),
        3 => {
            let alike = (at..chars.len() - 2)
                .chain(2..at)
                .find_map(|at| Some((at, lookalike(chars[at])?)));
            match alike {
                Some((at, other)) => out[at] = other,
                None => out.swap(at, at - 1),
            }
        }
        _ => out.swap(at, at - 1),
    }
    Cow::Owned(out.into_iter().collect())
}

/// 有限公司 and 有限责任公司 stand for each other.
fn other_form(name: &str) -> Option<String> {
    if let Some(before) = name.strip_suffix("有限责任公司") {
        return Some(format!("{before}有限公司"));
    }
    let before = name.strip_suffix("有限公司")?;
    Some(format!("{before}有限责任公司"))
}

/// A hanzi that is taken for this one.
const fn lookalike(c: char) -> Option<char> {
    Some(match c {
        '岚' => '岗',
        '霁' => '霈',
        '沐' => '沭',
        '棠' => '堂',
        '澄' => '橙',
        '槐' => '愧',
        '汀' => '订',
        '芷' => '芝',
        '霖' => '淋',
        '筠' => '均',
        '璟' => '景',
        '皓' => '浩',
        '穗' => '惠',
        '渡' => '度',
        '渚' => '诸',
        '茗' => '名',
        '陌' => '佰',
        '庭' => '廷',
        '络' => '洛',
        '筑' => '巩',
        '健' => '建',
        '材' => '村',
        '商' => '啇',
        '贸' => '贺',
        '服' => '报',
        '流' => '琉',
        '品' => '晶',
        '械' => '诫',
        '百' => '白',
        '递' => '遁',
        '酒' => '洒',
        '管' => '菅',
        '理' => '埋',
        '件' => '仵',
        '源' => '沅',
        '传' => '转',
        '媒' => '煤',
        '修' => '攸',
        '房' => '旁',
        '牧' => '枚',
        '饰' => '饬',
        _ => return None,
    })
}

/// A place from `from` to before `to`.
fn place(how: u64, from: usize, to: usize) -> usize {
    let room = to.saturating_sub(from).max(1);
    from + usize::try_from(how % room as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::code::{CodeVerdict, Kind, examine, organisation_code_of};
    use crate::domain::text::normal_name;

    const LETTERS: &str = "91411303MA49U85BX9";
    const DIGITS: &str = "914113022328776885";

    #[test]
    fn an_older_id_leads_to_the_same_organisation() {
        for code in [LETTERS, DIGITS] {
            for slip in [
                CodeSlip::TaxId,
                CodeSlip::TaxIdAndZeros,
                CodeSlip::CodeAndZeros,
                CodeSlip::Organisation,
                CodeSlip::OrganisationHyphen,
            ] {
                let id = slip.of(code, 0);
                assert_eq!(
                    organisation_code_of(&id),
                    organisation_code_of(code),
                    "{slip:?} {id}"
                );
            }
            assert_eq!(CodeSlip::Lost.of(code, 0), "");
        }
    }

    #[test]
    fn a_wrong_character_keeps_the_form_and_fails_the_check() {
        let mut seen = BTreeSet::new();
        for code in [LETTERS, DIGITS] {
            for how in 0..600 {
                let slip = CodeSlip::Wrong.of(code, how);
                let examined = examine(&slip);
                assert_eq!(
                    (examined.kind, examined.verdict),
                    (Kind::CreditCode, CodeVerdict::BadCheck),
                    "{slip}"
                );
                let differing = slip.bytes().zip(code.bytes()).filter(|(a, b)| a != b);
                assert_eq!(differing.count(), 1, "{slip}");
                seen.insert(slip);
            }
        }
        assert!(seen.len() > 300, "{}", seen.len());
    }

    #[test]
    fn a_letter_that_looks_like_a_digit_is_never_a_valid_code() {
        for code in [LETTERS, DIGITS] {
            for how in 0..40 {
                let slip = CodeSlip::Alike.of(code, how);
                assert_ne!(slip, code);
                assert_ne!(examine(&slip).verdict, CodeVerdict::Valid, "{slip}");
            }
        }
    }

    #[test]
    fn spreadsheets_spoil_digits_only() {
        assert_eq!(spreadsheet(LETTERS, 0), None);
        for (how, spoilt) in [
            (0, "914113022328776000"),
            (1, "9.14113E+17"),
            (2, "914113022328776832"),
        ] {
            assert_eq!(spreadsheet(DIGITS, how).as_deref(), Some(spoilt));
        }
    }

    #[test]
    fn a_slip_in_a_name_is_another_name() {
        for given in [
            "南阳砚枢建材商贸有限公司",
            "南阳市砚枢百货有限责任公司",
            "砚枢（卧龙区）物流有限公司",
            "宛城区砚枢百货店（个体工商户）",
        ] {
            let mut others = BTreeSet::new();
            for how in 0..200 {
                let other = name(given, how);
                others.insert(normal_name(&other));
            }
            assert!(others.len() > 15, "{others:?}");
        }
        let other = name("南阳砚枢建材商贸有限公司", 0);
        assert_eq!(other, "南阳砚枢建材商贸有限责任公司");
        assert_eq!(name("甲店", 3), "甲店");
    }
}
