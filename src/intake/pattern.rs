//! File-name patterns of adapters: literal text with at most one `*`.

/// Whether the name fits. A `*` stands for any text, also none; a second `*` stands for itself, so that a
/// mistaken pattern matches too little rather than too much.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => {
            name.len() >= before.len() + after.len()
                && name.starts_with(before)
                && name.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn one_star_stands_for_any_text() {
        for (pattern, name, expected) in [
            ("scjg_*.zip", "scjg_20260318.zip", true),
            ("scjg_*.zip", "scjg_.zip", true),
            ("scjg_*.zip", "scjg.zip", false),
            ("scjg_*.zip", "scjg_20260318.zip.ok", false),
            ("ab*ba", "aba", false),
            ("登记信息_*.xml", "登记信息_20260318.xml", true),
            ("roll.xlsx", "roll.xlsx", true),
            ("roll.xlsx", "Roll.xlsx", false),
            ("a*b*c", "a1b2c", false),
            ("*", "anything", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
