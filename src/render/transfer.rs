//! The list of a transfer to audit as a workbook: each case with its proof.

use jiff::civil::Date;

use crate::domain::case::{Case, Step};
use crate::render::RenderError;
use crate::render::sheet::{Book, Cell, Column, Row, Sheet, left, middle};
use crate::render::wording;

/// One transfer of one day to one audit unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// From which agency.
    pub agency: String,
    /// To which audit unit.
    pub to: String,
    /// The day.
    pub day: Date,
    /// The cases.
    pub cases: Vec<Case>,
}

const CASES: &[Column] = &[
    middle("序号", 5.0),
    left("个案编号", 18.0),
    left("企业名称", 28.0),
    middle("统一社会信用代码", 22.0),
    left("经核实的事项", 22.0),
    left("涉及险种", 14.0),
    left("核实（人员、日期、材料）", 24.0),
    middle("通知书决定日期", 15.0),
    middle("催办决定日期", 15.0),
    middle("联系次数", 8.0),
    left("最近一次联系", 24.0),
    middle("最后比对登记册日期", 15.0),
];
const CONTACTS: &[Column] = &[
    left("个案编号", 18.0),
    left("企业名称", 30.0),
    middle("联系方式", 16.0),
    middle("日期", 16.0),
    middle("经办人", 14.0),
    left("邮件号或回执号", 28.0),
];
const HISTORY: &[Column] = &[
    left("个案编号", 18.0),
    left("企业名称", 30.0),
    middle("日期", 16.0),
    middle("人员", 14.0),
    left("事项", 60.0),
];
const GROUNDS: &[Column] = &[
    left("个案编号", 18.0),
    middle("来源", 16.0),
    left("文件", 26.0),
    middle("行", 10.0),
    middle("数据日期", 16.0),
    left("事实", 44.0),
    left("条款", 30.0),
];

/// The workbook (XLSX): the list; a sheet with every contact (kind, day, number, clerk); a sheet with the history; a sheet
/// with the grounds, without figures that never leave the section.
pub fn xlsx(transfer: &Transfer) -> Result<Vec<u8>, RenderError> {
    let mut book = Book::new("转稽核清单", "转稽核清单", &transfer.agency, transfer.day)?;
    let sheet = |name, title: &str, columns, rows, remark| Sheet {
        name,
        title: title.to_owned(),
        demo_mark: transfer.demo_mark.as_deref(),
        remark,
        columns,
        rows,
        landscape: true,
        empty: "没有记录。",
        ..Sheet::default()
    };
    let remark = format!(
        "{}转{}　　{}　　共{}件。均经具名人员核实，已通知并催办，期满后最近一期参保登记册仍未显示办理完毕。",
        transfer.agency,
        transfer.to,
        crate::domain::text::day(transfer.day),
        transfer.cases.len()
    );
    let cases = || transfer.cases.iter();
    let sheets = [
        sheet(
            "转稽核清单",
            "小微新企业参保扩面转稽核清单",
            CASES,
            (1u64..)
                .zip(cases())
                .map(|(n, case)| case_row(n, case))
                .collect(),
            remark,
        ),
        sheet(
            "联系记录",
            "联系记录",
            CONTACTS,
            cases().flat_map(contact_rows).collect(),
            String::new(),
        ),
        sheet(
            "办理经过",
            "办理经过",
            HISTORY,
            cases().flat_map(history_rows).collect(),
            String::new(),
        ),
        sheet(
            "数据依据",
            "数据依据",
            GROUNDS,
            cases().flat_map(ground_rows).collect(),
            "个税申报人数等数据只供市中心比对使用，不随案移交；需要时由市中心依规查证。".to_owned(),
        ),
    ];
    for sheet in &sheets {
        book.add(sheet, |_, _| Ok(()))?;
    }
    book.bytes()
}

fn day_or_dash(date: Option<Date>) -> Cell {
    date.map_or("—".to_owned(), crate::domain::text::day).into()
}

fn case_row(number: u64, case: &Case) -> Row {
    let confirmed = case.confirmed.as_ref().map_or("—".to_owned(), |answer| {
        let proof = answer.proof.as_deref().unwrap_or("未附材料");
        format!(
            "{}，{}，{proof}",
            answer.by,
            crate::domain::text::day(answer.date)
        )
    });
    let last = case
        .contacts
        .iter()
        .max_by_key(|contact| contact.date)
        .map_or("—".to_owned(), |contact| {
            format!(
                "{}，{}",
                crate::domain::text::day(contact.date),
                contact.kind.title()
            )
        });
    let roll = case
        .steps
        .iter()
        .map(|step| step.roll_as_of)
        .chain([case.finding.roll_as_of])
        .max();
    Row::from(vec![
        number.into(),
        case.id.clone().into(),
        case.name.clone().into(),
        case.credit_code.clone().into(),
        case.finding.kind.title().trim_start_matches("疑似").into(),
        wording::kinds(&case.finding.kinds).into(),
        confirmed.into(),
        day_or_dash(case.decided(Step::RegistrationNotice)),
        day_or_dash(case.decided(Step::Reminder)),
        u64::try_from(case.contacts.len())
            .unwrap_or(u64::MAX)
            .into(),
        last.into(),
        day_or_dash(roll),
    ])
}

fn contact_rows(case: &Case) -> impl Iterator<Item = Row> {
    case.contacts.iter().map(|contact| {
        let by = if contact.by == "courier" {
            "系统回执"
        } else {
            contact.by.as_str()
        };
        Row::from(vec![
            case.id.clone().into(),
            case.name.clone().into(),
            contact.kind.title().into(),
            crate::domain::text::day(contact.date).into(),
            by.into(),
            contact.number.clone().unwrap_or_default().into(),
        ])
    })
}

fn history_rows(case: &Case) -> impl Iterator<Item = Row> {
    case.history.iter().map(|entry| {
        Row::from(vec![
            case.id.clone().into(),
            case.name.clone().into(),
            crate::domain::text::day(entry.date).into(),
            entry.by.clone().into(),
            entry.text.clone().into(),
        ])
    })
}

/// The facts of the roll and the register in full; of any other only where it stands, since it may hold a figure
/// of the section (filers, revenue, assets).
fn ground_rows(case: &Case) -> impl Iterator<Item = Row> {
    case.finding.grounds.iter().map(|ground| {
        let fact = match ground.rule.as_str() {
            "coverage.absent" | "coverage.kind" | "coverage.roll" | "coverage.liable" => {
                ground.text.clone()
            }
            "coverage.evidence" => "工资薪金个税申报显示有用工（人数不移交）".to_owned(),
            _ => "内容由市中心留存备查".to_owned(),
        };
        let row = if ground.row == 0 {
            "无此行".to_owned()
        } else {
            ground.row.to_string()
        };
        Row::from(vec![
            case.id.clone().into(),
            ground.source.clone().into(),
            ground.file.clone().into(),
            row.into(),
            day_or_dash(ground.date),
            fact.into(),
            ground.article.clone().into(),
        ])
    })
}
