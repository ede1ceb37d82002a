//! Numbers as people see them.

/// Integers up to this are exact in a 64-bit float (2⁵³).
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Digits a spreadsheet keeps.
const DIGITS: usize = 15;

/// A stored number as text: whole numbers up to 2⁵³ plain, others with the 15 digits a spreadsheet keeps. Beyond
/// that digits have been lost, and the exponent stays in the text so that everybody can see it.
pub fn plain(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.abs() > EXACT {
        return format!("{value:E}");
    }
    if value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    let shown: f64 = format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value);
    format!("{shown}")
}

/// Whether a number is written as [`plain`] writes it, so that it need not be read at all. It may say no to one that is.
pub fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let (whole, fraction) = match memchr::memchr(b'.', digits) {
        None => (digits, None),
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
    };
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number(whole)
        && (whole[0] != b'0' || (whole.len() == 1 && (fraction.is_some() || text.len() == 1)))
        && fraction.is_none_or(|fraction| is_number(fraction) && !fraction.ends_with(b"0"))
        && digits.len() <= DIGITS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_plain, plain};

    #[test]
    fn plain_numbers_are_known_by_their_looks() {
        for text in [
            "0",
            "7",
            "-12",
            "0.5",
            "-0.05",
            "1234567.89",
            "411300000012347",
        ] {
            assert!(is_plain(text), "{text}");
        }
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "1.0",
            "0.0",
            "-0",
            "007",
            "00.5",
            "+1",
            "1e3",
            "1,2",
            " 1",
            "nan",
            "9007199254740993",
            "1.2.3",
        ] {
            assert!(!is_plain(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_number_that_looks_plain_is(text in "-?[0-9]{1,9}(\\.[0-9]{1,9})?") {
            if is_plain(&text) {
                let value: f64 = text.parse().expect("a number");
                prop_assert_eq!(plain(value), text);
            }
        }
    }

    #[test]
    fn numbers_lose_their_exponent_only_where_they_are_exact() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (12.0, "12"),
            (-3.0, "-3"),
            (1_234_567.89, "1234567.89"),
            (0.1 + 0.2, "0.3"),
            (0.000_012_5, "0.0000125"),
            (411_300_000_012_347.0, "411300000012347"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (911_522_010_783_762_860.0, "9.115220107837628E17"),
        ] {
            assert_eq!(plain(value), text);
        }
    }
}
