//! What was wrong in one delivery, as a workbook to send back to the department: row, column, value, what is wrong, what to do.

use jiff::civil::Date;

use crate::domain::batch::{Issue, Reason, Weight};
use crate::domain::code::{self, Kind};
use crate::domain::record::mask;
use crate::domain::text;
use crate::render::RenderError;
use crate::render::sheet::{Book, Column, Row, Sheet, left, middle};

/// One delivery with what was wrong in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueSheet {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// Who sends it: the centre.
    pub centre: String,
    /// To whom: 税务.
    pub department: String,
    /// What the export is called.
    pub export: String,
    /// The file, as delivered.
    pub file: String,
    /// The batch.
    pub batch: String,
    /// The day of delivery.
    pub received: Date,
    /// The day it speaks of, where it could be read that far.
    pub as_of: Option<Date>,
    /// 已隔离待处理 …
    pub verdict: &'static str,
    /// Rows seen.
    pub rows: u64,
    /// Rows set aside.
    pub set_aside: u64,
    /// Reasons that concern the file as a whole.
    pub reasons: Vec<Reason>,
    /// The first issues.
    pub issues: Vec<Issue>,
    /// All issues.
    pub found: u64,
}

const WHOLE: &[Column] = &[
    middle("序号", 6.0),
    middle("代码", 12.0),
    left("问题", 70.0),
    left("处理意见", 62.0),
    left("来源部门说明", 30.0),
];

const ROWS: &[Column] = &[
    middle("序号", 6.0),
    middle("文件行号", 10.0),
    left("列名", 20.0),
    left("原值（涉及个人的已遮盖）", 26.0),
    middle("代码", 12.0),
    left("问题", 46.0),
    left("处理意见", 44.0),
    left("更正情况", 18.0),
];

/// What separates what is wrong from what to do.
const REMEDY: &str = "处理：";

/// The workbook (XLSX).
pub fn xlsx(sheet: &IssueSheet) -> Result<Vec<u8>, RenderError> {
    // 税务申报月度数据 needs the word no second time.
    let title = format!("{}数据问题清单", sheet.export.trim_end_matches("数据"));
    let mut book = Book::new("问题清单", &title, &sheet.centre, sheet.received)?;
    if !sheet.reasons.is_empty() {
        book.add(
            &Sheet {
                name: "整份文件的问题",
                title: title.clone(),
                demo_mark: sheet.demo_mark.as_deref(),
                remark: format!("{}\n以下问题涉及整份文件。", head(sheet)),
                columns: WHOLE,
                rows: (1..).zip(&sheet.reasons).map(whole).collect(),
                landscape: true,
                ..Sheet::default()
            },
            |_, _| Ok(()),
        )?;
    }
    // A refused file was not read row by row: a second sheet would only say so.
    if !sheet.issues.is_empty() || sheet.reasons.is_empty() {
        book.add(
            &Sheet {
                name: "逐行问题",
                title,
                demo_mark: sheet.demo_mark.as_deref(),
                remark: format!("{}\n{}", head(sheet), extent(sheet)),
                columns: ROWS,
                rows: (1..).zip(&sheet.issues).map(row).collect(),
                landscape: true,
                empty: "没有逐行的问题。",
                ..Sheet::default()
            },
            |_, _| Ok(()),
        )?;
    }
    book.bytes()
}

/// What a department does about a file that was held.
const HELD: &str =
    "请核对导出的条件和范围。确属实情的，请书面说明原因；否则更正后重新导出整份文件。";

fn head(sheet: &IssueSheet) -> String {
    format!(
        "发出单位：{}　　来源部门：{}　　文件：{}　　批次：{}\n接收日期：{}　　数据日期：{}　　结论：{}　　共{}行，退回{}行",
        sheet.centre,
        sheet.department,
        sheet.file,
        sheet.batch,
        text::day(sheet.received),
        sheet.as_of.map_or_else(|| "未能读出".to_owned(), text::day),
        sheet.verdict,
        sheet.rows,
        sheet.set_aside
    )
}

fn extent(sheet: &IssueSheet) -> String {
    let listed = sheet.issues.len() as u64;
    let left = sheet.found.saturating_sub(listed);
    let extent = if left > 0 {
        format!(
            "共{}个问题，列出前{listed}个，另有{left}个未列出。",
            sheet.found
        )
    } else {
        format!("共{listed}个问题，全部列出。")
    };
    format!(
        "{extent}请在源系统中更正后重新导出整份文件，不要在本表或旧文件上改数；行号为原文件中的行号（XML、JSON 为第几条记录）。"
    )
}

fn whole((number, reason): (u64, &Reason)) -> Row {
    let (what, mut remedy) = split(&reason.text);
    // How the centre lets a held file in is no matter of the department's.
    if reason.weight == Weight::Hold {
        HELD.clone_into(&mut remedy);
    }
    Row::from(vec![
        number.into(),
        reason.code.clone().into(),
        what.into(),
        remedy.into(),
        "".into(),
    ])
}

fn row((number, issue): (u64, &Issue)) -> Row {
    let (what, remedy) = split(&issue.reason);
    let line = match issue.row {
        0 => "整列".to_owned(),
        row => row.to_string(),
    };
    Row::from(vec![
        number.into(),
        line.into(),
        issue.column.clone().into(),
        shown(&issue.value).into(),
        issue.code.clone().into(),
        what.into(),
        remedy.into(),
        "".into(),
    ])
}

/// What is wrong, and what to do.
fn split(reason: &str) -> (String, String) {
    let (what, remedy) = reason.split_once(REMEDY).unwrap_or((reason, ""));
    let plain = |text: &str| {
        let text = text.trim().trim_end_matches(['。', '；', '，']);
        if text.is_empty() {
            String::new()
        } else {
            format!("{text}。")
        }
    };
    (plain(what), plain(remedy))
}

/// A value without what may be a person's: columns slip, and then a number of a person stands where nobody masks it.
fn shown(value: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric();
    let mut out = String::new();
    let mut rest = value;
    while let Some(at) = rest.find(is_part) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        let (part, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(&if is_personal(part) {
            mask(part)
        } else {
            part.to_owned()
        });
        rest = after;
    }
    out.push_str(rest);
    if out.contains('@') { mask(&out) } else { out }
}

fn is_personal(part: &str) -> bool {
    let is_mobile =
        part.len() == 11 && part.starts_with('1') && part.bytes().all(|byte| byte.is_ascii_digit());
    is_mobile || code::examine(part).kind == Kind::CitizenId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_parted_into_what_and_remedy() {
        for (reason, what, remedy) in [
            (
                "代码校验位不符，暂予保留并标记。处理：请对照登记证照核对",
                "代码校验位不符，暂予保留并标记。",
                "请对照登记证照核对。",
            ),
            ("只有问题", "只有问题。", ""),
            ("", "", ""),
        ] {
            assert_eq!(split(reason), (what.to_owned(), remedy.to_owned()));
        }
    }

    #[test]
    fn no_number_of_a_person_is_shown() {
        for (value, wanted) in [
            ("19900000001", "199****01"),
            ("电话19900000001转2", "电话199****01转2"),
            ("office@f1.example", "off****le"),
            ("91411303MA49U85BX9", "91411303MA49U85BX9"),
            ("0377-00000000", "0377-00000000"),
            ("9141130", "9141130"),
            ("", ""),
        ] {
            assert_eq!(shown(value), wanted, "{value}");
        }
        let citizen = "110101190001011009";
        assert!(!shown(&format!("证{citizen}")).contains(citizen));
    }

    #[test]
    fn the_same_values_give_the_same_bytes_and_what_is_left_out_is_said() {
        let mut sheet = IssueSheet {
            demo_mark: None,
            centre: "南阳市社会保险中心".into(),
            department: "税务".into(),
            export: "税务申报月度数据".into(),
            file: "202601.csv".into(),
            batch: "tax-20260302-1a2b3c4d".into(),
            received: jiff::civil::date(2026, 3, 2),
            as_of: None,
            verdict: "已接收",
            rows: 10,
            set_aside: 1,
            reasons: Vec::new(),
            issues: vec![Issue {
                row: 3,
                column: "营业收入".into(),
                value: "=1+1".into(),
                code: "YB-2210".into(),
                reason: "金额无法识别。处理：请填写数字".into(),
            }],
            found: 1,
        };
        assert!(extent(&sheet).contains("全部列出"));
        let bytes = xlsx(&sheet).expect("rendered");
        assert!(bytes == xlsx(&sheet).expect("rendered"));
        sheet.found = 2_500;
        assert!(extent(&sheet).contains("列出前1个，另有2499个未列出"));
        assert!(bytes != xlsx(&sheet).expect("rendered"));
    }
}
