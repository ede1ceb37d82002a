//! Industry codes of GB/T 4754 in the shapes departments write them, and what the editions of 2011 and 2017 mean by them.

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

/// 建筑业 (47–50): work injury is insured by project (按项目参保), never on the unit roll alone.
#[must_use]
pub fn is_construction(code: &str) -> bool {
    match digits(code) {
        "" => section(code) == Some('E'),
        digits => matches!(digits.get(..2), Some("47" | "48" | "49" | "50")),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// GB/T 4754-2011.
    E2011,
    /// GB/T 4754-2017.
    E2017,
}

impl Edition {
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
    fn construction_is_divisions_47_to_50() {
        for (code, is) in [
            ("E4710", true),
            ("47", true),
            ("5090", true),
            ("E", true),
            ("4620", false),
            ("5110", false),
            ("4", false),
            ("", false),
        ] {
            assert_eq!(is_construction(code), is, "{code}");
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
