//! The line at the end of a text that says how many rows there are.

use crate::adapter::draft::layout::Key;
use crate::adapter::draft::sample::Sample;
use crate::intake::sniff::opening::Head;

/// One of these stands in the label: a row whose number happens to fit has none.
const WORDS: &[&str] = &[
    "合计", "总", "共", "记录", "条数", "行数", "户数", "total", "count",
];

/// Characters of a label.
const LABEL_CHARS: usize = 12;

/// The key for such a line: the last line begins with a word and gives, as its first number, exactly how many rows stand above it.
/// Anything else (a sum of money, the number of a page) is none.
pub fn find(head: &Head, sample: &Sample) -> Option<Key> {
    if !head.is_whole {
        return None;
    }
    let mut lines = head.text.lines().filter(|line| !line.trim().is_empty());
    let last = lines.next_back()?.trim();
    let above = lines.count() as u64;
    let digits = last.find(|c: char| c.is_ascii_digit())?;
    let label = last[..digits].trim_end_matches(|c: char| !c.is_alphanumeric());
    let lower = label.to_lowercase();
    let says_so = WORDS.iter().any(|word| lower.contains(word));
    if !says_so || label.chars().count() > LABEL_CHARS || !label.chars().all(char::is_alphabetic) {
        return None;
    }
    let figure: String = last[digits..]
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',')
        .filter(char::is_ascii_digit)
        .collect();
    let header = sample
        .layout
        .format
        .keys
        .iter()
        .map(|key| match (key.name, key.value.as_str()) {
            ("header", _) | ("code_row", "true") | ("header_rows", "2") => 1,
            _ => 0,
        })
        .sum::<u64>();
    let titles = sample
        .titles
        .iter()
        .filter(|title| !title.trim().is_empty())
        .count() as u64;
    let rows = above.checked_sub(header + titles)?;
    (rows > 0 && figure.parse() == Ok(rows)).then(|| {
        Key::text(
            "trailer",
            label,
            "末行以此开头，声明总行数；缺少或与实收不符则隔离",
        )
    })
}
