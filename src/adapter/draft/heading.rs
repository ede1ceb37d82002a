//! Which line of a table is the heading row. Pure.

use crate::adapter::cell::heading_text;
use crate::adapter::draft::aliases::{Aliases, Heading};
use crate::domain::text::fold;

/// Lines that are tried, the likeliest first.
const LINES: usize = 3;
/// Headings of a line that are tried: one must be a cell of its own.
const TRIED: usize = 8;
/// Characters of a heading.
const CHARS: usize = 24;

/// Texts to try as `header`, the likeliest first: a heading that stands in the likeliest line and in none before it. `lines` are the
/// first lines of the file, the texts of their cells joined by blanks.
#[must_use]
pub fn candidates(lines: &[String], aliases: &Aliases) -> Vec<String> {
    let lines: Vec<Vec<String>> = lines
        .iter()
        .map(|line| fold(line).split(' ').map(str::to_owned).collect())
        .collect();
    let mut scored: Vec<(i32, usize)> = lines
        .iter()
        .enumerate()
        .map(|(at, tokens)| (score(tokens, aliases), at))
        .filter(|(score, _)| *score > 0)
        .collect();
    scored.sort_by_key(|(score, at)| (-score, *at));
    scored
        .into_iter()
        .take(LINES)
        .flat_map(|(_, at)| from_line(&lines, at, aliases))
        .collect()
}

fn from_line(lines: &[Vec<String>], at: usize, aliases: &Aliases) -> Vec<String> {
    let is_new = |token: &&String| !lines[..at].iter().any(|line| line.contains(token));
    let mut tokens: Vec<&String> = lines[at]
        .iter()
        .filter(|token| !token.is_empty())
        .filter(is_new)
        .collect();
    // Known headings first: they are cells of their own.
    tokens.sort_by_key(|token| !aliases.knows(&Heading::new(token)));
    tokens.into_iter().take(TRIED).cloned().collect()
}

/// Known headings count most, short texts without a figure a little; what looks like a value speaks against it.
fn score(tokens: &[String], aliases: &Aliases) -> i32 {
    let mut score = 0;
    for token in tokens {
        let text = heading_text(token);
        if text.is_empty() {
            continue;
        }
        let figures = text.chars().filter(char::is_ascii_digit).count();
        score += if aliases.knows(&Heading::new(&text)) {
            4
        } else if text.chars().count() > CHARS || figures * 2 > text.len() || text.contains(':') {
            -2
        } else {
            1
        };
    }
    if tokens.len() < 2 { 0 } else { score }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heading_row_is_found_below_titles() {
        let aliases = Aliases::shipped().expect("the table is sound");
        for (lines, wanted) in [
            (
                &[
                    "南阳市税务申报月度数据",
                    "数据截止日期：2026-02-15 单位：元",
                    "序号 纳税人识别号 纳税人名称 所属期",
                    "1 91411303MAUKGQJW0H 南阳朔屏物业服务有限公司 202601",
                ][..],
                Some("纳税人识别号"),
            ),
            (&["AAB001 AAB004 AAE140", "1 甲 110"], Some("AAB001")),
            (&["甲 乙 丙", "1 2 3"], Some("甲")),
            (&["一句话"], None),
            (&[], None),
        ] {
            let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(
                candidates(&lines, &aliases).first().map(String::as_str),
                wanted,
                "{lines:?}"
            );
        }
    }
}
