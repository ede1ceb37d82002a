//! Text as departments write it, made regular.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// Characters that nobody sees: zero-width blanks and joiners, direction marks, soft hyphen, BOM, control characters that are no blanks.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        || (c.is_control() && !c.is_whitespace())
}

/// `2026年3月5日`, as official texts write a day: no zero before month or day.
#[must_use]
pub fn day(date: jiff::civil::Date) -> String {
    format!("{}年{}月{}日", date.year(), date.month(), date.day())
}

/// Width-folded (NFKC), trimmed (also U+3000, NBSP, zero-width, BOM, tabs), inner runs of blanks as one.
#[must_use]
pub fn fold(text: &str) -> String {
    folded(text).into_owned()
}

/// As [`fold`], without a copy where nothing is to be done, which is the rule.
#[must_use]
pub fn folded(text: &str) -> Cow<'_, str> {
    if is_regular(text) {
        return Cow::Borrowed(text);
    }
    let folded = match narrowed(text) {
        Some(narrow) => narrow,
        None => single_blanks(text, text.nfkc()),
    };
    Cow::Owned(folded)
}

/// Most of what is not regular is full-width punctuation among hanzi: its narrow form is known without the tables of normalisation.
/// `None` when a character needs them.
fn narrowed(text: &str) -> Option<String> {
    let narrow = |c: char| match c {
        '\t'
        | '\n'
        | '\r'
        | ' '..='~'
        | '\u{4e00}'..='\u{9fff}'
        | '、'
        | '。'
        | '《'
        | '》'
        | '“'
        | '”'
        | '〔'
        | '〕'
        | '【'
        | '】' => Some(c),
        '\u{3000}' => Some(' '),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        _ => None,
    };
    if !text.chars().all(|c| narrow(c).is_some()) {
        return None;
    }
    Some(single_blanks(text, text.chars().filter_map(narrow)))
}

fn single_blanks(text: &str, normal: impl Iterator<Item = char>) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut blank = false;
    for c in normal.filter(|&c| !is_invisible(c)) {
        if c.is_whitespace() {
            blank = true;
            continue;
        }
        if blank && !folded.is_empty() {
            folded.push(' ');
        }
        blank = false;
        folded.push(c);
    }
    folded
}

/// Whether nothing is left of a text once it is folded.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Whether [`fold`] would change nothing, told without normalising: visible ASCII and common hanzi, single blanks inside.
#[inline]
#[must_use]
pub fn is_regular(text: &str) -> bool {
    is_regular_apart(text, |_| false)
}

/// As [`is_regular`], but for characters of three bytes that `is_meant` says.
#[inline]
#[must_use]
pub fn is_regular_apart(text: &str, is_meant: impl Fn([u8; 3]) -> bool) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return true;
    };
    if *first == b' ' || *last == b' ' {
        return false;
    }
    let is_common = is_common_pair(*last, u8::MAX) && are_common(bytes);
    is_common || are_regular(bytes, is_meant)
}

/// How many bytes are looked at together: every cell of every row passes here.
const TOGETHER: usize = 16;

/// Whether every byte but the last is, before its next, one of visible ASCII, of hanzi U+4E00–U+9FFF or a single blank.
fn are_common(bytes: &[u8]) -> bool {
    let at = |from: usize| {
        let pair = bytes.get(from..=from + TOGETHER)?;
        Some((
            pair.first_chunk::<TOGETHER>()?,
            pair.last_chunk::<TOGETHER>()?,
        ))
    };
    let mut from = 0;
    while let Some((these, next)) = at(from) {
        if !are_common_pairs(these, next) {
            return false;
        }
        from += TOGETHER;
    }
    // The rest, with what was looked at before where it is too short alone.
    match bytes.len().checked_sub(TOGETHER + 1).and_then(at) {
        Some((these, next)) => are_common_pairs(these, next),
        None => bytes
            .windows(2)
            .all(|pair| is_common_pair(pair[0], pair[1])),
    }
}

#[inline]
fn are_common_pairs(these: &[u8; TOGETHER], next: &[u8; TOGETHER]) -> bool {
    let mut rare = [0_u8; TOGETHER];
    for at in 0..TOGETHER {
        rare[at] = u8::from(!is_common_pair(these[at], next[at]));
    }
    u128::from_ne_bytes(rare) == 0
}

/// A hanzi has three bytes, led by E4 B8 to E9 BF.
#[inline]
#[allow(
    clippy::needless_bitwise_bool,
    reason = "without branches many are looked at together"
)]
const fn is_common_pair(this: u8, next: u8) -> bool {
    let is_usual = (this.wrapping_sub(b' ') < 0x5f)
        | (this.wrapping_sub(0x80) < 0x40)
        | (this.wrapping_sub(0xe4) < 6);
    let is_rare_hanzi = (this == 0xe4) & (next < 0xb8);
    let is_second_blank = (this == b' ') & (next == b' ');
    is_usual & !is_rare_hanzi & !is_second_blank
}

/// The same, byte by byte; the first and the last are no blanks.
fn are_regular(bytes: &[u8], is_meant: impl Fn([u8; 3]) -> bool) -> bool {
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += match byte {
            b'!'..=b'~' => 1,
            b' ' if bytes.get(at + 1) != Some(&b' ') => 1,
            0xe4..=0xe9 => 3,
            // Rare hanzi, U+3400 on and U+20000 to U+2EFFF, are what they are as well; names and places have them.
            0xe3 if bytes.get(at + 1).is_some_and(|second| *second >= 0x90) => 3,
            0xf0 if (bytes.get(at + 1)).is_some_and(|second| (0xa0..=0xae).contains(second)) => 4,
            // 、 。 《 》
            0xe3 if matches!(
                bytes.get(at + 1..at + 3),
                Some([0x80, 0x81 | 0x82 | 0x8a | 0x8b])
            ) =>
            {
                3
            }
            0xe0..=0xef
                if bytes
                    .get(at..at + 3)
                    .and_then(|c| c.try_into().ok())
                    .is_some_and(&is_meant) =>
            {
                3
            }
            _ => return false,
        };
    }
    true
}

/// Full-width round brackets, as UTF-8 has them.
#[must_use]
pub const fn is_wide_bracket(bytes: [u8; 3]) -> bool {
    matches!(bytes, [0xef, 0xbc, 0x88 | 0x89])
}

/// A firm's name for comparing: folded, without blanks, brackets of one kind and width, ASCII letters upper case.
#[must_use]
pub fn normal_name(name: &str) -> String {
    normalised_name(name).into_owned()
}

/// As [`normal_name`], without a copy where nothing is to be done, which is the rule.
#[must_use]
pub fn normalised_name(name: &str) -> Cow<'_, str> {
    let is_other = |b: &u8| matches!(b, b' ' | b'[' | b']') || b.is_ascii_lowercase();
    if !is_regular_apart(name, is_wide_bracket) {
        return Cow::Owned(remade_name(name));
    }
    // All at once: most names have none of them.
    let bytes = name.as_bytes();
    let rest = bytes.iter().filter(|b| is_other(b) || **b == 0xef).count() > 0;
    if rest {
        Cow::Owned(narrow_name(bytes).unwrap_or_else(|| remade_name(name)))
    } else {
        Cow::Borrowed(name)
    }
}

/// As [`remade_name`] of a name that is regular but for full-width round brackets: one in five.
fn narrow_name(bytes: &[u8]) -> Option<String> {
    let mut made = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' => {}
            b'[' => made.push(b'('),
            b']' => made.push(b')'),
            0xef => {
                let is_open = bytes.get(at + 2) == Some(&0x88);
                made.push(if is_open { b'(' } else { b')' });
                at += 2;
            }
            other => made.push(other.to_ascii_uppercase()),
        }
        at += 1;
    }
    String::from_utf8(made).ok()
}

fn remade_name(name: &str) -> String {
    folded(name)
        .chars()
        .filter(|c| *c != ' ')
        .map(|c| match c {
            '[' | '〔' | '【' => '(',
            ']' | '〕' | '】' => ')',
            _ => c.to_ascii_uppercase(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_folded() {
        for (raw, wanted) in [
            ("", ""),
            ("南阳宛东商贸有限公司", "南阳宛东商贸有限公司"),
            ("存续（在营、开业、在册）", "存续(在营、开业、在册)"),
            ("吊销，未注销", "吊销,未注销"),
            ("\u{feff}ＡＢＣ\u{3000}１２３ ", "ABC 123"),
            ("\u{a0}a\t \n b\u{200b}c\u{a0}", "a bc"),
            ("a  b", "a b"),
            (" a", "a"),
            ("a ", "a"),
            ("\u{3000}", ""),
            ("PJND ", "PJND"),
            ("\u{1}a\u{0}", "a"),
            ("𠮷野家", "𠮷野家"),
        ] {
            assert_eq!(fold(raw), wanted, "{raw:?}");
        }
    }

    #[test]
    fn names_are_compared_without_blanks_width_and_case() {
        for (raw, wanted) in [
            ("南阳 宛东（集团）有限公司", "南阳宛东(集团)有限公司"),
            ("南阳【宛东】abc", "南阳(宛东)ABC"),
            ("　南阳ＡＢＣ公司", "南阳ABC公司"),
        ] {
            assert_eq!(normal_name(raw), wanted, "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "[ \\t　a-zA-Z\\[\\]〔〕【】Ａ-Ｚ０-９（），一-龥\u{200b}\u{a0}]{0,24}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
            prop_assert_eq!(normal_name(&once), normal_name(&text));
            prop_assert_eq!(normal_name(&text), remade_name(&text));
        }

        #[test]
        fn the_short_way_says_what_the_long_way_says(text in "[ a-z一-龥]{0,12}") {
            let long = text.nfkc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(fold(&text), long);
        }
    }

    #[test]
    fn no_character_is_regular_that_the_tables_would_change() {
        for c in '\u{1}'..=char::MAX {
            let text = c.to_string();
            if is_regular(&text) {
                assert_eq!(by_the_tables(&text), text, "{c:?}");
            }
            let hanzi = matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{2a6df}');
            assert!(!hanzi || is_regular(&text), "{c:?}");
        }
    }

    /// Folding by the definition, without the short ways.
    fn by_the_tables(text: &str) -> String {
        single_blanks(text, text.nfkc())
    }

    proptest! {
        #[test]
        fn the_short_ways_of_folding_give_what_the_tables_give(
            text in "[ -~\u{3000}\u{ff01}-\u{ff5e}、。《》“”〔〕【】一-丁甲乙\t\u{200b}\u{301}①ａ]{0,24}",
        ) {
            prop_assert_eq!(fold(&text), by_the_tables(&text));
        }

        #[test]
        fn any_text_folds_by_the_tables(text in "\\PC{0,16}") {
            prop_assert_eq!(fold(&text), by_the_tables(&text));
        }
    }
}
