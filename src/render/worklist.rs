//! A county's own worklist as a workbook: nothing beyond a county's audience, no other county's rows.

use jiff::civil::Date;

use crate::domain::case::ClerkEvent;
use crate::domain::finding::{FindingKind, Insurance};
use crate::render::RenderError;
use crate::render::answer_sheet;
use crate::render::sheet::{Book, Column, Row, Sheet, Tint, left, middle};
use crate::render::wording;

/// One county's worklist of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worklist {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// 宛城区.
    pub unit: String,
    /// Its agency.
    pub agency: String,
    /// The day.
    pub day: Date,
    /// The rows, most urgent first.
    pub rows: Vec<WorkRow>,
}

/// One open case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkRow {
    /// Case id.
    pub case: String,
    /// Number of its dispatch.
    pub wave: Option<u32>,
    /// 核实中 …
    pub stage: String,
    /// What the county is asked to do next.
    pub task: String,
    /// By when.
    pub due: Option<Date>,
    /// Whether that day has passed.
    pub late: bool,
    /// The firm.
    pub name: String,
    /// Its credit code.
    pub credit_code: String,
    /// Its address.
    pub address: String,
    /// Its telephone, masked.
    pub phone: String,
    /// 微型 …, or 待定.
    pub class: String,
    /// New-form categories.
    pub tags: String,
    /// The finding.
    pub finding: FindingKind,
    /// Kinds that look owed and uncovered.
    pub kinds: Vec<Insurance>,
    /// An indication of heads ([`head_band`]).
    pub heads: String,
    /// The facts a county may see, one a line: source, day, file and row, article; no figures of tax filers, revenue, assets.
    pub grounds: Vec<String>,
}

/// An indication of heads: 1人, 2–4人, 5–9人, 10–19人, 20–49人, 50–99人, 100人以上.
#[must_use]
pub const fn head_band(heads: u64) -> &'static str {
    match heads {
        0 => "不详",
        1 => "1人",
        2..=4 => "2–4人",
        5..=9 => "5–9人",
        10..=19 => "10–19人",
        20..=49 => "20–49人",
        50..=99 => "50–99人",
        100.. => "100人以上",
    }
}

const COLUMNS: &[Column] = &[
    middle("序号", 5.0),
    left("个案编号", 16.0),
    middle("批次、阶段", 9.0),
    left("需办事项", 17.0),
    middle("办理期限", 14.0),
    left("企业名称", 19.0),
    middle("统一社会信用代码", 20.0),
    left("登记地址", 18.0),
    middle("电话", 13.0),
    middle("规模、新业态", 9.0),
    left("疑点（待核实）及涉及险种", 19.0),
    middle("用工人数（参考）", 10.0),
    left("依据（来源、日期、文件及行号、条款）", 42.0),
    middle("结果", 15.0),
    middle("日期", 12.0),
    middle("经办人", 9.0),
    left("证明材料、邮件号、备注", 16.0),
];

/// Place of 结果 among the columns.
const ANSWER: u16 = 13;

/// The workbook (XLSX): the list, with a frozen heading, filter, column for the answer and the clerk's name, and a second
/// sheet that says how to answer.
pub fn xlsx(worklist: &Worklist) -> Result<Vec<u8>, RenderError> {
    let day = crate::domain::text::day(worklist.day);
    let title = format!("{}小微新企业参保扩面工作清单", worklist.unit);
    let late = worklist.rows.iter().filter(|row| row.late).count();
    let mut book = Book::new("工作清单", &title, &worklist.agency, worklist.day)?;
    let rows = (1u64..)
        .zip(&worklist.rows)
        .map(|(number, row)| list_row(number, row))
        .collect();
    book.add(
        &Sheet {
            name: "工作清单",
            title,
            demo_mark: worklist.demo_mark.as_deref(),
            remark: format!(
                "{}　　{day}　　共{}件，其中逾期{late}件（底色标出）。疑点是待核实的线索，不是认定；填写方法见“填写说明”。",
                worklist.agency,
                worklist.rows.len()
            ),
            columns: COLUMNS,
            rows,
            answers: Some((ANSWER, answer_sheet::titles(&ClerkEvent::ALL))),
            landscape: true,
            empty: "今日没有需要办理的个案。",
        },
        |_, _| Ok(()),
    )?;
    answer_sheet::add(&mut book, &ClerkEvent::ALL, worklist.demo_mark.as_deref())?;
    book.bytes()
}

fn list_row(number: u64, row: &WorkRow) -> Row {
    let due = match (row.due, row.late) {
        (Some(due), true) => format!("{}\n已逾期", crate::domain::text::day(due)),
        (Some(due), false) => crate::domain::text::day(due),
        (None, true) => "已逾期".to_owned(),
        (None, false) => "—".to_owned(),
    };
    let wave = row
        .wave
        .map_or(String::new(), |wave| format!("第{wave}批\n"));
    let class = [row.class.as_str(), row.tags.as_str()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    let cells = vec![
        number.into(),
        row.case.clone().into(),
        format!("{wave}{}", row.stage).into(),
        row.task.clone().into(),
        due.into(),
        row.name.clone().into(),
        row.credit_code.clone().into(),
        row.address.clone().into(),
        row.phone.clone().into(),
        class.into(),
        format!("{}\n{}", row.finding.title(), wording::kinds(&row.kinds)).into(),
        row.heads.clone().into(),
        row.grounds.join("\n").into(),
        "".into(),
        "".into(),
        "".into(),
        "".into(),
    ];
    Row {
        cells,
        tint: if row.late { Tint::Late } else { Tint::None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_shown_as_a_band() {
        for (heads, band) in [
            (0, "不详"),
            (1, "1人"),
            (2, "2–4人"),
            (4, "2–4人"),
            (5, "5–9人"),
            (19, "10–19人"),
            (20, "20–49人"),
            (99, "50–99人"),
            (100, "100人以上"),
            (u64::MAX, "100人以上"),
        ] {
            assert_eq!(head_band(heads), band, "{heads}");
        }
    }
}
