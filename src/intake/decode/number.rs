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

#[cfg(test)]
mod tests {
    use super::plain;

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
