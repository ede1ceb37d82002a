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

/// What the line under the heading row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// Data.
    Data,
    /// Codes of the columns (`AAB001` …).
    Codes,
    /// A second heading row.
    Headings,
}

/// A text to try as `header`, and what stands below it.
pub type Candidate = (String, Below);

/// What to try as `header`, the likeliest first: a heading that stands in the likeliest line and in none before it. `lines` are the
/// first lines of the file, the texts of their cells joined by blanks.
#[must_use]
pub fn candidates(lines: &[String], aliases: &Aliases) -> Vec<Candidate> {
    let lines: Vec<Vec<String>> = lines
        .iter()
        .map(|line| fold(line).split(' ').map(str::to_owned).collect())
        .collect();
    let scores: Vec<i32> = lines.iter().map(|line| score(line, aliases)).collect();
    let mut scored: Vec<(i32, usize)> = (0..lines.len())
        .filter(|at| scores[*at] > 0)
        .map(|at| match lines.get(at + 1) {
            // The upper of two heading rows is the one to name, however little its cells say.
            Some(next) if goes_on(&lines[at], next, aliases) => {
                (scores[at].max(scores[at + 1] + 1), at)
            }
            _ => (scores[at], at),
        })
        .collect();
    scored.sort_by_key(|(score, at)| (-score, *at));
    scored
        .into_iter()
        .take(LINES)
        .flat_map(|(_, at)| {
            let below = match lines.get(at + 1) {
                Some(next) if fills_up(&lines[at], next, lines.get(at + 2)) => Below::Headings,
                Some(next) => below(next, aliases),
                None => Below::Data,
            };
            from_line(&lines, at, aliases)
                .into_iter()
                .map(move |heading| (heading, below))
        })
        .collect()
}

/// Whether `next` goes on with the headings of `line`: a title above a heading row has no known headings, and the row needs none
/// above it while its own headings differ.
fn goes_on(line: &[String], next: &[String], aliases: &Aliases) -> bool {
    let known = line
        .iter()
        .filter(|token| aliases.knows(&Heading::new(token)))
        .count();
    let has_twins = (1..next.len()).any(|at| next[..at].contains(&next[at]));
    (known >= 2 || has_twins) && below(next, aliases) != Below::Data
}

/// Whether `next` parts some headings of `line` into two or more each, as merged cells do: it has only short words, and with them
/// there are as many headings as the first line of data has cells.
fn fills_up(line: &[String], next: &[String], data: Option<&Vec<String>>) -> bool {
    let Some(data) = data else {
        return false;
    };
    let is_word = |token: &String| {
        token.chars().count() * 2 <= CHARS
            && token.chars().all(|c| c.is_alphabetic() && !c.is_ascii())
    };
    let groups = (line.len() + next.len()).checked_sub(data.len());
    next.len() >= 2
        && next.len() < line.len()
        && next.iter().all(is_word)
        && data.len() > line.len()
        && groups.is_some_and(|groups| (1..=next.len() / 2).contains(&groups))
}

/// A line of which at least half the cells are known headings, and none is a value, goes on with the heading.
fn below(tokens: &[String], aliases: &Aliases) -> Below {
    let tokens: Vec<&String> = tokens.iter().filter(|token| !token.is_empty()).collect();
    let known = tokens
        .iter()
        .filter(|token| aliases.knows(&Heading::new(token)))
        .count();
    let is_value = |token: &&String| {
        let starts_as_name = token.chars().next().is_some_and(char::is_alphabetic);
        !starts_as_name || token.chars().count() > CHARS
    };
    if tokens.len() < 2 || known * 2 < tokens.len() || tokens.iter().any(is_value) {
        Below::Data
    } else if tokens.iter().all(|token| token.is_ascii()) {
        Below::Codes
    } else {
        Below::Headings
    }
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
            (
                &[
                    "单位 养老保险 失业保险",
                    "单位编号 单位名称 参保人数 参保人数",
                    "1 2 3 4",
                ],
                Some("单位"),
            ),
            (
                &["南阳市 企业名单", "企业名称 信用代码 登记状态", "甲 乙 丙"],
                Some("企业名称"),
            ),
            (&["甲 乙 丙", "1 2 3"], Some("甲")),
            (&["一句话"], None),
            (&[], None),
        ] {
            let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(
                candidates(&lines, &aliases)
                    .first()
                    .map(|(heading, _)| heading.as_str()),
                wanted,
                "{lines:?}"
            );
        }
    }

    #[test]
    fn words_below_merged_headings_are_headings() {
        let aliases = Aliases::shipped().expect("the table is sound");
        let heading = "统一社会信用代码 企业名称 从业情况 登记状态";
        for (next, data, wanted) in [
            (
                "人数 参保",
                "91411303MA49U85BX9 南阳示例商贸有限公司 3 1 存续",
                Below::Headings,
            ),
            (
                "人数 参保",
                "91411303MA49U85BX9 南阳示例商贸有限公司 3 存续",
                Below::Data,
            ),
            (
                "人数 3",
                "91411303MA49U85BX9 南阳示例商贸有限公司 3 1 存续",
                Below::Data,
            ),
            (
                "人数 参保 其中 另有",
                "91411303MA49U85BX9 南阳示例商贸有限公司 3 1 存续",
                Below::Data,
            ),
        ] {
            let lines = [heading, next, data].map(str::to_owned);
            let (name, below) = &candidates(&lines, &aliases)[0];
            assert_eq!(
                (name.as_str(), *below),
                ("统一社会信用代码", wanted),
                "{next}"
            );
        }
    }

    #[test]
    fn a_line_of_codes_or_of_further_headings_is_seen() {
        let aliases = Aliases::shipped().expect("the table is sound");
        for (next, wanted) in [
            ("AAB001 AAB004 AAE140", Below::Codes),
            ("参保人数 缴费人数 参保人数 缴费人数", Below::Headings),
            ("1 南阳示例有限公司 正常", Below::Data),
            ("91411303MA49U85BX9 甲 110", Below::Data),
            ("参保人数 缴费人数 登记日期 备注", Below::Headings),
            ("", Below::Data),
        ] {
            let lines = ["单位编号 单位名称 险种".to_owned(), next.to_owned()];
            let found = candidates(&lines, &aliases)
                .first()
                .map(|(_, below)| *below);
            assert_eq!(found, Some(wanted), "{next}");
        }
    }
}
