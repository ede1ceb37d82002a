//! A county's call list of one day as a workbook: whom to call, about what, with room for the answer.

use jiff::civil::Date;

use crate::domain::case::{ClerkEvent, Step};
use crate::render::RenderError;
use crate::render::answer_sheet;
use crate::render::sheet::{Book, Column, Row, Sheet, left, middle};

/// One county's calls of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallList {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// 宛城区.
    pub unit: String,
    /// The day.
    pub day: Date,
    /// The calls; firms of one number stand together.
    pub rows: Vec<Call>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The number, in full: it is what the list is for.
    pub phone: String,
    /// The firm.
    pub name: String,
    /// Its credit code.
    pub credit_code: String,
    /// Which step.
    pub step: Step,
    /// What to say.
    pub matter: String,
    /// Case ids.
    pub cases: Vec<String>,
    /// Shared with how many other firms (bookkeeping agent).
    pub shared_with: u32,
}

const COLUMNS: &[Column] = &[
    middle("序号", 5.0),
    middle("电话", 18.0),
    left("企业名称", 28.0),
    middle("统一社会信用代码", 22.0),
    middle("事项", 16.0),
    left("告知内容", 48.0),
    left("个案编号", 18.0),
    left("提示", 20.0),
    middle("结果", 17.0),
    middle("通话日期", 13.0),
    middle("经办人", 10.0),
    left("备注（承诺办理时间、无人接听等）", 22.0),
];

/// Place of 结果 among the columns.
const ANSWER: u16 = 8;

/// What may come of a call.
const ANSWERS: &[ClerkEvent] = &[
    ClerkEvent::Phoned,
    ClerkEvent::WrongContact,
    ClerkEvent::InsuredAlready,
    ClerkEvent::InsuredElsewhere,
    ClerkEvent::NoEmployees,
    ClerkEvent::ClosedDown,
];

/// The workbook (XLSX).
pub fn xlsx(list: &CallList) -> Result<Vec<u8>, RenderError> {
    let title = format!("{}小微新企业参保扩面电话清单", list.unit);
    let mut book = Book::new("电话清单", &title, &list.unit, list.day)?;
    let rows = (1u64..)
        .zip(&list.rows)
        .map(|(number, call)| {
            let shared = match call.shared_with {
                0 => String::new(),
                others => format!("该号码另有{others}户企业登记（可能为代账机构），请一并告知"),
            };
            Row::from(vec![
                number.into(),
                call.phone.clone().into(),
                call.name.clone().into(),
                call.credit_code.clone().into(),
                call.step.title().into(),
                call.matter.clone().into(),
                call.cases.join("\n").into(),
                shared.into(),
                "".into(),
                "".into(),
                "".into(),
                "".into(),
            ])
        })
        .collect();
    book.add(
        &Sheet {
            name: "电话清单",
            title,
            demo_mark: list.demo_mark.as_deref(),
            remark: format!(
                "{}　　共{}户。请在工作日上班时间拨打，先说明单位和姓名，再告知事项；无人接听的不填结果，写入备注，改日再拨。填写方法见“填写说明”。",
                crate::domain::text::day(list.day),
                list.rows.len()
            ),
            columns: COLUMNS,
            rows,
            answers: Some((ANSWER, answer_sheet::titles(ANSWERS))),
            landscape: true,
            empty: "今日没有需要拨打的电话。",
        },
        |_, _| Ok(()),
    )?;
    answer_sheet::add(&mut book, ANSWERS, list.demo_mark.as_deref())?;
    book.bytes()
}
