//! Headings that stand in two rows, made one, and the codes under them.

use crate::adapter::row::Cell;
use crate::domain::batch::Unreadable;
use crate::intake::decode::merges::Merge;
use crate::intake::decode::table::trimmed;
use crate::intake::decode::unreadable;

/// Joins two heading rows into one, column by column, as `上级/下级`. The result is as long as the longer row.
///
/// The rule, for every column, after blanks at either end are taken off:
///
/// 1. A lower cell that is empty, or says the same as the upper one, leaves the upper cell alone.
/// 2. An upper cell that is empty continues the nearest upper cell to its left that is not, for a heading over
///    several columns is written once; but only above a lower cell that is not empty. A column with neither has no
///    heading, and does not end what spans over it.
/// 3. Where nothing stands above or to the left, the lower cell is alone.
///
/// An upper heading therefore spans until the next one. A workbook that knows its merged cells should fill them in,
/// or leave a lower cell empty, before it calls this.
pub fn joined(upper: &[String], lower: &[String]) -> Vec<String> {
    let mut spanning = "";
    (0..upper.len().max(lower.len()))
        .map(|at| {
            let above = upper.get(at).map_or("", |text| text.trim());
            let below = lower.get(at).map_or("", |text| text.trim());
            if !above.is_empty() {
                spanning = above;
            }
            match (spanning, below) {
                (_, "") => above.to_owned(),
                ("", below) => below.to_owned(),
                (above, below) if above == below => above.to_owned(),
                (above, below) => format!("{above}/{below}"),
            }
        })
        .collect()
}

/// Writes a heading into all columns of its merged area.
pub fn spread(texts: &mut Vec<String>, area: &Merge, most_columns: usize) {
    let first = area.first_column as usize;
    let end = (area.last_column as usize + 1).min(most_columns);
    let Some(text) = texts.get(first).filter(|text| !text.is_empty()).cloned() else {
        return;
    };
    if texts.len() < end {
        texts.resize(end, String::new());
    }
    for place in texts.iter_mut().take(end).skip(first + 1) {
        if place.is_empty() {
            place.clone_from(&text);
        }
    }
}

/// Passes over the row of codes, if it is one: a data row must not go unnoticed.
pub fn codes(number: u64, cells: &[(usize, Cell)]) -> Result<(), Unreadable> {
    let code = |text: &str| {
        text.bytes().any(|byte| byte.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    let mut texts = cells
        .iter()
        .map(|(_, cell)| trimmed(&cell.text))
        .filter(|text| !text.is_empty());
    if texts.all(code) {
        return Ok(());
    }
    Err(unreadable(
        "YB-2164",
        format!(
            "第 {number} 行应为表头下的代码行，内容却不是代码。处理：核对导出；没有代码行时删去适配文件中的 code_row"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn two_heading_rows_become_one() {
        for (upper, lower, expected) in [
            (
                "序号|单位名称|参保人数||备注",
                "||养老|工伤|",
                "序号|单位名称|参保人数/养老|参保人数/工伤|备注",
            ),
            ("名称|金额", "名称|金额", "名称|金额"),
            ("名称|金额", "", "名称|金额"),
            ("", "名称|金额", "名称|金额"),
            ("|参保|", "名称|养老|", "名称|参保/养老|"),
            // A column without any heading neither gets one nor ends the span.
            ("参保||", "养老||工伤", "参保/养老||参保/工伤"),
            // The lower row is longer: the last upper heading spans to its end.
            (
                "名称|参保",
                "|养老|工伤|失业",
                "名称|参保/养老|参保/工伤|参保/失业",
            ),
            ("名称|参保|备注", "|养老", "名称|参保/养老|备注"),
            (" 参保 |　", " 养老| 参保", "参保/养老|参保"),
            ("", "", ""),
        ] {
            let cells = |row: &str| row.split('|').map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(
                joined(&cells(upper), &cells(lower)).join("|"),
                expected,
                "{upper} over {lower}"
            );
        }
        assert!(joined(&[], &[]).is_empty());
    }
}
