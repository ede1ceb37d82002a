//! Headings that stand in two rows, made one.

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
