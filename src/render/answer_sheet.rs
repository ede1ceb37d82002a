//! The sheet 填写说明 of county workbooks: what each answer means, what it needs, how it is recorded.

use crate::domain::case::ClerkEvent;
use crate::render::RenderError;
use crate::render::sheet::{Book, Column, Row, Sheet, left, middle};

const COLUMNS: &[Column] = &[
    middle("填写结果", 24.0),
    left("什么情况下填写", 52.0),
    left("必须写明", 30.0),
    left("登记命令（由信息岗执行，或按此格式报市中心）", 74.0),
];

/// When to use it, and what must be written besides name and day.
const fn meaning(event: ClerkEvent) -> (&'static str, &'static str, &'static str) {
    match event {
        ClerkEvent::Confirmed => (
            "经电话、上门或查档核实，确有用工且未参保，或者险种、人数不全",
            "经办人、日期；核实记录名称（建议）",
            " --proof '走访记录'",
        ),
        ClerkEvent::InsuredAlready => (
            "企业原已足额参保（登记册滞后，或以其他名称、代码参保）",
            "经办人、日期；参保证明（建议）",
            " --proof '参保证明'",
        ),
        ClerkEvent::InsuredElsewhere => (
            "职工已在异地或者其他单位（如劳务派遣单位、总公司）参保",
            "经办人、日期、证明材料（必填）；有效期止（不写为一年）",
            " --proof '异地参保证明' --until 有效期止",
        ),
        ClerkEvent::PartTime => (
            "未参保人员均为非全日制用工（养老、失业由本人自愿参加，工伤仍应参保）",
            "经办人、日期、用工协议等证明（必填）",
            " --proof '非全日制用工协议'",
        ),
        ClerkEvent::OverAge => (
            "未参保人员均已达到法定退休年龄或者已领取养老金",
            "经办人、日期、证明材料（必填）",
            " --proof '退休证明'",
        ),
        ClerkEvent::AgencyStaff => (
            "未参保人员均为劳务派遣单位派来，由派遣单位参保",
            "经办人、日期、派遣协议和参保证明（必填）",
            " --proof '劳务派遣协议'",
        ),
        ClerkEvent::Waiver => (
            "企业称职工自愿放弃参保（不构成免除理由，个案继续办理）",
            "经办人、日期",
            "",
        ),
        ClerkEvent::ResidentInsurance => (
            "企业称职工已参加城乡居民养老保险（不构成免除理由，个案继续办理）",
            "经办人、日期",
            "",
        ),
        ClerkEvent::FlexibleEmployment => (
            "企业称职工以灵活就业身份缴费（不构成免除理由，个案继续办理）",
            "经办人、日期",
            "",
        ),
        ClerkEvent::OwnSuspension => (
            "企业称已自行停业，而劳动关系没有解除（不构成免除理由，个案继续办理）",
            "经办人、日期",
            "",
        ),
        ClerkEvent::NoEmployees => (
            "没有应当参保的用工，仅经营者本人或者退休返聘等人员",
            "经办人、日期；说明材料（建议）",
            " --proof '企业说明'",
        ),
        ClerkEvent::ClosedDown => (
            "已停业、歇业或者登记住所已无此企业",
            "经办人、日期；走访记录（建议）",
            " --proof '走访记录'",
        ),
        ClerkEvent::WrongContact => ("电话为空号、属于他人，或者地址查无此户", "经办人、日期", ""),
        ClerkEvent::Phoned => (
            "电话已接通并已告知本单位事项（无人接听不算，写备注）",
            "经办人、通话日期",
            "",
        ),
        ClerkEvent::Posted => (
            "通知书已编号、盖章并交邮",
            "经办人、交邮日期、邮件号（必填）",
            " --number 邮件号",
        ),
        ClerkEvent::Delivered => (
            "回执或者邮政查询显示已送达",
            "经办人、送达日期；回执编号（建议）",
            " --number 邮件号",
        ),
        ClerkEvent::Returned => (
            "邮件被退回",
            "经办人、退回日期；退回原因写备注",
            " --number 邮件号",
        ),
    }
}

/// The titles of these events, as the answer column offers them.
#[must_use]
pub fn titles(events: &[ClerkEvent]) -> Vec<&'static str> {
    events.iter().map(|event| event.title()).collect()
}

/// Adds the sheet.
pub fn add(
    book: &mut Book,
    events: &[ClerkEvent],
    demo_mark: Option<&str>,
) -> Result<(), RenderError> {
    let rows = events
        .iter()
        .map(|event| {
            let (when, needed, option) = meaning(*event);
            Row::from(vec![
                event.title().into(),
                when.into(),
                needed.into(),
                format!(
                    "yingbao case record 个案编号 --event {} --by 姓名 --date 年-月-日{option}",
                    event.word()
                )
                .into(),
            ])
        })
        .collect();
    book.add(
        &Sheet {
            name: "填写说明",
            title: "填写说明".to_owned(),
            demo_mark,
            remark: "1.疑点来自部门数据比对，是待核实的线索，不是认定；未经具名人员核实，不得据此通知企业。\n2.在“结果”栏选择下列之一，并写明经办人（真实姓名）和日期（如2026-03-05）；一件个案有多项结果的，另起一行。\n3.清单含企业信息，仅限本单位办理使用，不得转发、外传；不得增删个案编号。".to_owned(),
            columns: COLUMNS,
            rows,
            landscape: true,
            ..Sheet::default()
        },
        |_, _| Ok(()),
    )
}
