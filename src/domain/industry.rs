//! Industry codes of GB/T 4754 in the shapes departments write them, and what the editions of 2011 and 2017 mean by them.

use serde::{Deserialize, Serialize};

pub mod names;

use names::Told;

/// The digits of an industry code without its section letter: `F5211`, `5211`, `521`, `52` → `5211`, …; empty when there are none.
#[must_use]
pub fn digits(code: &str) -> &str {
    let code = code.trim();
    let code = code
        .strip_prefix(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(code)
        .trim_start();
    let end = code
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(code.len());
    &code[..end]
}

/// The section letter (门类) before the digits, upper case.
#[must_use]
pub fn section(code: &str) -> Option<char> {
    let mut chars = code.trim().chars();
    let letter = chars.next()?.to_ascii_uppercase();
    let alone = chars.next().is_none_or(|c| !c.is_ascii_alphabetic());
    (alone && letter.is_ascii_uppercase()).then_some(letter)
}

/// Whether a code lies wholly within prefixes or ranges of divisions such as `47-50`; a section letter alone does when all its
/// divisions do.
#[must_use]
pub fn is_within(code: &str, ranges: &[String]) -> bool {
    let holds = |digits: &str| ranges.iter().any(|range| matched(range, digits).is_some());
    match (digits(code), section(code)) {
        ("", Some(section)) => divisions(section, Edition::E2017).is_some_and(|(first, last)| {
            (first..=last).all(|division| holds(&format!("{division:02}")))
        }),
        (digits, _) => holds(digits),
    }
}

/// How many digits of `digits` a prefix or a range of divisions matches.
#[must_use]
pub fn matched(code: &str, digits: &str) -> Option<usize> {
    match code.split_once('-') {
        Some((first, last)) => {
            // Two digits each: as text they are ordered as numbers are.
            let division = digits.get(..2)?;
            (first <= division && division <= last).then_some(2)
        }
        None => (!code.is_empty() && digits.starts_with(code)).then_some(code.len()),
    }
}

/// Prefixes and ranges of divisions, as a rule table lists them; with the divisions they speak of, by which most codes are told to be
/// none of theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct Codes {
    texts: Vec<String>,
    divisions: u128,
}

impl From<Vec<String>> for Codes {
    fn from(texts: Vec<String>) -> Self {
        let divisions = texts.iter().fold(0, |all, text| all | divisions_of(text));
        Self { texts, divisions }
    }
}

impl std::ops::Deref for Codes {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.texts
    }
}

impl Codes {
    /// How many digits of a code of these [`divisions_of`] the longest of them matches.
    #[must_use]
    pub fn longest(&self, digits: &str, divisions: u128) -> Option<usize> {
        if divisions & self.divisions == 0 {
            return None;
        }
        self.texts
            .iter()
            .filter_map(|code| matched(code, digits))
            .max()
    }
}

/// The divisions of a code or a range, a bit each; all of them of what is neither.
#[must_use]
pub fn divisions_of(code: &str) -> u128 {
    let division = |text: &str| {
        let two = text.get(..2)?;
        two.parse::<u32>().ok().filter(|_| text.is_ascii())
    };
    let (first, last) = match code.split_once('-') {
        Some((first, last)) => (division(first), division(last)),
        None => (division(code), division(code)),
    };
    match (first, last) {
        (Some(first), Some(last)) => (first..=last).fold(0, |all, one| all | 1 << one),
        _ => u128::MAX,
    }
}

/// Whether GB/T 4754 can have this code, in either edition: a section letter, or two to four digits of a division there is. The name
/// of a division in the place of the code is as good.
#[must_use]
pub fn is_known(code: &str) -> bool {
    let digits = digits(code);
    let known = |edition| section(code).is_some_and(|letter| divisions(letter, edition).is_some());
    if digits.is_empty() {
        return known(Edition::E2017) && code.trim().chars().count() == 1
            || names::division_named(code, Edition::E2017).is_some()
            || names::division_named(code, Edition::E2011).is_some();
    }
    let division = digits.get(..2).and_then(|two| two.parse::<u8>().ok());
    (2..=4).contains(&digits.len()) && division.is_some_and(|division| (1..=97).contains(&division))
}

/// How the edition of a code was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldBy {
    /// Who asked said so.
    Given,
    /// Only one edition has the division in the section of the letter before it.
    Letter,
    /// Only one edition calls the code as the name beside it does.
    Name,
    /// Only one edition has the code.
    Code,
    /// Nothing told it: 2017 is assumed.
    Assumed,
}

impl ToldBy {
    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Given => "按注明的版本",
            Self::Letter => "按门类字母判定",
            Self::Name => "按行业名称判定",
            Self::Code => "按代码判定",
            Self::Assumed => "未注明，按2017版处理",
        }
    }
}

/// A code and the name beside it, read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The edition the code is of.
    pub edition: Edition,
    /// How that was told.
    pub told_by: ToldBy,
    /// The letter is that of another section in either edition: a slip of the letter, and the digits say more.
    pub letter_misfits: bool,
    /// Why code and name, or letter and name, cannot both be right, in Chinese.
    pub contradiction: Option<&'static str>,
}

/// Which edition a code is of: by its letter, else by the name beside it, else by the code itself; 2017 is assumed otherwise.
#[must_use]
pub fn read(code: &str, name: &str) -> Reading {
    let digits = digits(code);
    let by_letter = section(code).filter(|_| digits.len() >= 2).map(|section| {
        [Edition::E2011, Edition::E2017].map(|edition| edition.fits(section, digits))
    });
    let by_name = names::told_by_name(digits, name);
    let letter = match by_letter {
        Some([true, false]) => Some(Edition::E2011),
        Some([false, true]) => Some(Edition::E2017),
        _ => None,
    };
    let contradiction = match (letter, by_name) {
        (_, Told::Another) => Some("行业代码与行业名称不是同一行业"),
        (Some(letter), Told::Edition(named)) if letter != named => {
            Some("门类字母与行业名称所属的分类版本不同")
        }
        _ => None,
    };
    let (edition, told_by) = match (letter, by_name) {
        (Some(edition), _) => (edition, ToldBy::Letter),
        (None, Told::Edition(edition)) => (edition, ToldBy::Name),
        _ if names::is_only_of_2011(digits) => (Edition::E2011, ToldBy::Code),
        _ => (Edition::E2017, ToldBy::Assumed),
    };
    Reading {
        edition,
        told_by,
        letter_misfits: by_letter == Some([false, false]),
        contradiction,
    }
}

/// The divisions (大类) of a section: first and last. `None` when the edition has no such section.
#[must_use]
pub const fn divisions(section: char, edition: Edition) -> Option<(u8, u8)> {
    let shift = match edition {
        Edition::E2017 => 1,
        Edition::E2011 => 0,
    };
    Some(match section {
        'A' => (1, 5),
        'B' => (6, 12),
        'C' => (13, 43),
        'D' => (44, 46),
        'E' => (47, 50),
        'F' => (51, 52),
        'G' => (53, 60),
        'H' => (61, 62),
        'I' => (63, 65),
        'J' => (66, 69),
        'K' => (70, 70),
        'L' => (71, 72),
        'M' => (73, 75),
        // 2017 put 79 土地管理业 here and moved all that follows by one.
        'N' => (76, 78 + shift),
        'O' => (79 + shift, 81 + shift),
        'P' => (82 + shift, 82 + shift),
        'Q' => (83 + shift, 84 + shift),
        'R' => (85 + shift, 89 + shift),
        'S' => (90 + shift, 95 + shift),
        'T' => (96 + shift, 96 + shift),
        _ => return None,
    })
}

/// An edition of GB/T 4754 that registries still carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Edition {
    /// GB/T 4754-2011.
    #[serde(rename = "2011")]
    E2011,
    /// GB/T 4754-2017.
    #[serde(rename = "2017")]
    E2017,
}

impl Edition {
    /// Its year, as staff write it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::E2011 => "2011",
            Self::E2017 => "2017",
        }
    }

    /// The edition of this year.
    #[must_use]
    pub const fn of_year(year: u16) -> Option<Self> {
        match year {
            2011 => Some(Self::E2011),
            2017 => Some(Self::E2017),
            _ => None,
        }
    }

    /// Whether the edition has this division in this section.
    #[must_use]
    pub fn fits(self, section: char, digits: &str) -> bool {
        let division = digits.get(..2).and_then(|two| two.parse::<u8>().ok());
        match (divisions(section, self), division) {
            (Some((first, last)), Some(division)) => (first..=last).contains(&division),
            _ => false,
        }
    }
}

/// The 2017 code, as far as a size rule distinguishes it, of a code of the 2011 edition. `7040` stays and is 自有房地产经营活动.
#[must_use]
pub fn in_2017(digits_2011: &str) -> String {
    let code = digits_2011;
    // Loading (装卸搬运) moved from 581 to 591, where warehouses of farm produce had stood.
    for (before, after) in [
        ("581", "591"),
        ("591", "595"),
        // Finance: supervisors and trusts were renumbered among each other.
        ("664", "665"),
        ("673", "675"),
        ("674", "676"),
        ("686", "687"),
        ("691", "6911"),
        ("699", "6999"),
    ] {
        if code.starts_with(before) {
            return after.to_owned();
        }
    }
    match code.get(..2).and_then(|two| two.parse::<u8>().ok()) {
        Some(division @ 79..=96) => (division + 1).to_string(),
        // Before the split of warehouses all of 59 was storage.
        Some(59) => "599".to_owned(),
        _ => code.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_section_are_read_in_any_shape() {
        for (code, wanted, letter) in [
            ("F5211", "5211", Some('F')),
            ("f521", "521", Some('F')),
            ("52", "52", None),
            (" 5211 ", "5211", None),
            ("F 5211", "5211", Some('F')),
            ("5211-零售", "5211", None),
            ("F", "", Some('F')),
            ("零售业", "", None),
            ("", "", None),
            ("XY12", "", None),
        ] {
            assert_eq!(digits(code), wanted, "{code}");
            assert_eq!(section(code), letter, "{code}");
        }
    }

    #[test]
    fn a_code_lies_within_ranges_and_prefixes() {
        let ranges = ["47-50".to_owned(), "591".to_owned()];
        for (code, is) in [
            ("E4710", true),
            ("47", true),
            ("5090", true),
            ("E", true),
            ("5910", true),
            ("G", false),
            ("4620", false),
            ("5110", false),
            ("5920", false),
            ("4", false),
            ("", false),
        ] {
            assert_eq!(is_within(code, &ranges), is, "{code}");
        }
        assert!(!is_within("4710", &[String::new()]));
    }

    #[test]
    fn what_no_edition_can_have_is_unknown() {
        for (code, known) in [
            ("F5211", true),
            ("5211", true),
            ("521", true),
            ("52", true),
            ("F", true),
            ("97", true),
            ("批发业", true),
            ("仓储业", true),
            ("9811", false),
            ("0011", false),
            ("5", false),
            ("52110", false),
            ("X", false),
            ("FX", false),
            ("百货", false),
            ("", false),
        ] {
            assert_eq!(is_known(code), known, "{code}");
        }
    }

    #[test]
    fn letter_name_and_code_tell_the_edition_or_contradict_each_other() {
        use ToldBy::{Assumed, Code, Letter, Name};
        for (code, name, edition, told_by, contradicts) in [
            ("O7910", "", Edition::E2011, Letter, false),
            ("N7910", "", Edition::E2017, Letter, false),
            ("7910", "家庭服务", Edition::E2011, Name, false),
            ("O7910", "家庭服务", Edition::E2011, Letter, false),
            ("N7910", "居民服务业", Edition::E2017, Letter, true),
            ("5211", "百货零售", Edition::E2017, Assumed, false),
            ("5211", "教育", Edition::E2017, Assumed, true),
            ("C5211", "", Edition::E2017, Assumed, false),
            ("6292", "", Edition::E2011, Code, false),
            ("F", "批发业", Edition::E2017, Assumed, false),
        ] {
            let reading = read(code, name);
            assert_eq!(reading.edition, edition, "{code} {name}");
            assert_eq!(reading.told_by, told_by, "{code} {name}");
            assert_eq!(
                reading.contradiction.is_some(),
                contradicts,
                "{code} {name}"
            );
            assert_eq!(reading.letter_misfits, code == "C5211");
        }
    }

    #[test]
    fn the_section_tells_the_edition() {
        for (section, digits, in_2011, in_2017) in [
            ('O', "7910", true, false),
            ('N', "7910", false, true),
            ('P', "82", true, false),
            ('P', "83", false, true),
            ('S', "9010", true, false),
            ('R', "9010", false, true),
            ('T', "96", true, false),
            ('F', "5211", true, true),
            ('C', "5211", false, false),
            ('F', "5", false, false),
            ('U', "97", false, false),
        ] {
            assert_eq!(
                Edition::E2011.fits(section, digits),
                in_2011,
                "{section}{digits}"
            );
            assert_eq!(
                Edition::E2017.fits(section, digits),
                in_2017,
                "{section}{digits}"
            );
        }
    }

    #[test]
    fn codes_of_2011_find_their_counterpart() {
        for (before, after) in [
            ("7910", "80"),
            ("8321", "84"),
            ("84", "85"),
            ("9600", "97"),
            ("5810", "591"),
            ("5821", "5821"),
            ("5911", "595"),
            ("5990", "599"),
            ("6910", "6911"),
            ("5211", "5211"),
            ("7040", "7040"),
            ("7810", "7810"),
        ] {
            assert_eq!(in_2017(before), after, "{before}");
        }
    }
}
