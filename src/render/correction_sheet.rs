//! What went out on the strength of a withdrawn batch, as a workbook: whom to tell what, with room for who did it and when.

use jiff::civil::Date;

use crate::domain::record::mask;
use crate::domain::text;
use crate::render::RenderError;
use crate::render::sheet::{Book, Column, Row, Sheet, left, middle};

/// The corrections that a withdrawal asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionSheet {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// Who keeps it: the centre.
    pub centre: String,
    /// 税务.
    pub department: String,
    /// The withdrawn batch.
    pub batch: String,
    /// Its file, as delivered.
    pub file: String,
    /// Who withdrew it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The day of that.
    pub day: Date,
    /// One for each notice.
    pub rows: Vec<CorrectionRow>,
}

/// One notice to be corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionRow {
    /// Case ids.
    pub cases: Vec<String>,
    /// The firm; of a transfer all its firms.
    pub firm: String,
    /// 宛城区.
    pub unit: String,
    /// The agency in whose name it went.
    pub agency: String,
    /// 信函 …
    pub channel: &'static str,
    /// Phone number or mail address, in full; it is masked here.
    pub address: String,
    /// The day it was decided.
    pub day: Date,
    /// 已交付 …
    pub state: &'static str,
    /// What it is called.
    pub title: String,
    /// What it said, or the file that says it.
    pub text: String,
    /// What is to be done.
    pub to_do: String,
}

const COLUMNS: &[Column] = &[
    middle("序号", 6.0),
    left("个案编号", 20.0),
    left("企业名称", 28.0),
    middle("县区", 10.0),
    left("经办机构", 24.0),
    middle("渠道", 10.0),
    middle("联系方式（已遮盖）", 16.0),
    middle("发出日期", 13.0),
    middle("状态", 10.0),
    left("文书", 18.0),
    left("内容", 40.0),
    left("更正办法", 48.0),
    middle("更正日期", 12.0),
    middle("经办人", 10.0),
    left("备注", 16.0),
];

/// The workbook (XLSX).
pub fn xlsx(sheet: &CorrectionSheet) -> Result<Vec<u8>, RenderError> {
    let title = format!("批次{}撤回更正清单", sheet.batch);
    let mut book = Book::new("更正清单", &title, &sheet.centre, sheet.day)?;
    book.add(
        &Sheet {
            name: "更正清单",
            title,
            demo_mark: sheet.demo_mark.as_deref(),
            remark: format!(
                "{}　　来源部门：{}　　文件：{}　　撤回人：{}　　撤回日期：{}\n撤回原因：{}\n以下{}条消息据本批数据发出，所涉个案已办结。本清单不会自动发送任何消息：请逐条核对，按“更正办法”办理后填写更正日期和经办人。",
                sheet.centre,
                sheet.department,
                sheet.file,
                sheet.by,
                text::day(sheet.day),
                sheet.reason,
                sheet.rows.len()
            ),
            columns: COLUMNS,
            rows: (1..).zip(&sheet.rows).map(row).collect(),
            landscape: true,
            ..Sheet::default()
        },
        |_, _| Ok(()),
    )?;
    book.bytes()
}

fn row((number, row): (u64, &CorrectionRow)) -> Row {
    let address = match row.address.as_str() {
        "" => String::new(),
        address => mask(address),
    };
    Row::from(vec![
        number.into(),
        row.cases.join("\n").into(),
        row.firm.clone().into(),
        row.unit.clone().into(),
        row.agency.clone().into(),
        row.channel.into(),
        address.into(),
        text::day(row.day).into(),
        row.state.into(),
        row.title.clone().into(),
        row.text.clone().into(),
        row.to_do.clone().into(),
        "".into(),
        "".into(),
        "".into(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_values_give_the_same_bytes_and_an_address_is_masked() {
        let mut sheet = CorrectionSheet {
            demo_mark: None,
            centre: "南阳市社会保险中心".into(),
            department: "社保".into(),
            batch: "insured-roll-20260413-1a2b3c4d".into(),
            file: "cbdj_20260413.xlsx".into(),
            by: "张示例".into(),
            reason: "导出范围有误".into(),
            day: jiff::civil::date(2026, 4, 14),
            rows: vec![CorrectionRow {
                cases: vec!["EMA49U85BX-A-1".into()],
                firm: "南阳示例商贸有限公司".into(),
                unit: "宛城区".into(),
                agency: "南阳市宛城区社会保险中心".into(),
                channel: "短信",
                address: "19900000001".into(),
                day: jiff::civil::date(2026, 4, 13),
                state: "已交付",
                title: "参保登记通知书".into(),
                text: "示例".into(),
                to_do: "示例".into(),
            }],
        };
        let bytes = xlsx(&sheet).expect("rendered");
        assert!(bytes == xlsx(&sheet).expect("rendered"));
        // Only the masked part differs.
        sheet.rows[0].address = "19922222201".into();
        assert!(bytes == xlsx(&sheet).expect("rendered"));
        sheet.rows[0].address = "19900000002".into();
        assert!(bytes != xlsx(&sheet).expect("rendered"));
    }
}
