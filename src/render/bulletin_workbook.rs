//! The bulletin's workbook: progress with a native chart, flow of cases, base, sources.

use rust_xlsxwriter::{Chart, ChartDataLabel, ChartLegendPosition, Color, Worksheet, XlsxError};

use crate::calendar::shanghai;
use crate::domain::bulletin::{Bulletin, UnitFigures};
use crate::domain::finding::Insurance;
use crate::render::RenderError;
use crate::render::bulletin;
use crate::render::progress::{self, Progress};
use crate::render::sheet::{Book, Cell, Column, Row, Sheet, Tint, left, middle};
use crate::render::wording;

const PROGRESS: &[Column] = &[
    middle("名次", 7.0),
    middle("县区", 22.0),
    middle("应核查", 10.0),
    middle("已核查", 10.0),
    middle("核查率", 10.0),
    middle("已核实", 10.0),
    middle("已通知", 10.0),
    middle("新增参保户数", 10.0),
    middle("新增养老保险人数", 10.0),
    middle("新增工伤保险人数", 10.0),
    middle("新增失业保险人数", 10.0),
    middle("转稽核", 10.0),
    middle("期末在办", 10.0),
    middle("逾期未反馈", 10.0),
    middle("无法联系", 10.0),
];
const FLOW: &[Column] = &[
    middle("县区", 22.0),
    middle("期初在办", 12.0),
    middle("新立", 12.0),
    middle("重现", 12.0),
    middle("移入", 12.0),
    middle("移出", 12.0),
    middle("办结", 12.0),
    middle("期末在办", 12.0),
    middle("勾稽", 12.0),
];
const BASE: &[Column] = &[
    middle("县区", 22.0),
    middle("登记企业", 14.0),
    middle("存续", 14.0),
    middle("有用工迹象", 14.0),
    middle("专项范围", 14.0),
    middle("已足额参保", 14.0),
    middle("数据仍显示疑点", 16.0),
    middle("其中在办", 12.0),
    middle("经核实已排除", 14.0),
    middle("尚未立案", 12.0),
];
const SOURCES: &[Column] = &[
    left("来源", 26.0),
    middle("数据截至", 18.0),
    middle("本期接收批次", 12.0),
    middle("本期拦截批次", 12.0),
    left("说明", 70.0),
];

const REASONS: &[Column] = &[left("原因", 60.0), middle("户数", 16.0)];

/// The workbook.
pub fn write(bulletin: &Bulletin) -> Result<Vec<u8>, RenderError> {
    let title = bulletin::title(bulletin);
    let day = shanghai::civil(bulletin.made).date();
    let mut book = Book::new("通报", &title, &bulletin.centre, day)?;
    let state = format!(
        "草稿·未签发　　数据截至{}",
        crate::domain::text::day(bulletin.cut_off)
    );
    let sheet = |name, title: &str, remark: String, columns, rows| Sheet {
        name,
        title: title.to_owned(),
        demo_mark: bulletin.demo_mark.as_deref(),
        remark: format!("{state}\n{remark}"),
        columns,
        rows,
        landscape: true,
        empty: "本期无数据。",
        ..Sheet::default()
    };
    let (placed, apart) = progress::ranked(bulletin);
    let units = bulletin.units.iter();
    let lines = || units.clone().chain([&bulletin.total]);
    book.add(
        &sheet(
            "各县区进展",
            &title,
            progress::RANK_RULE.to_owned(),
            PROGRESS,
            placed
                .iter()
                .chain(&apart)
                .map(|row| progress_row(row, Tint::None))
                .chain([progress_row(
                    &Progress {
                        line: &bulletin.total,
                        place: None,
                    },
                    Tint::Sum,
                )])
                .collect(),
        ),
        |page, first| add_chart(page, first, placed.len() + apart.len()),
    )?;
    let flow = format!(
        "期初＋新立＋重现＋移入−移出−办结＝期末；合计{}",
        bulletin::identity(&bulletin.total.flow)
    );
    let sheets = [
        sheet(
            "个案流转",
            "个案流转（件）",
            flow,
            FLOW,
            lines().map(flow_row).collect(),
        ),
        sheet(
            "底数漏斗",
            "底数漏斗（户）",
            "前四列依次为前一列的一部分；已足额参保、数据仍显示疑点均为专项范围内企业；数据仍显示疑点＝其中在办＋经核实已排除＋尚未立案。".to_owned(),
            BASE,
            lines().map(base_row).collect(),
        ),
        sheet(
            "未催原因",
            "没有被催的企业及原因（户）",
            "期末没有疑点、未予催办的企业，按原因统计。".to_owned(),
            REASONS,
            bulletin::not_accused(bulletin)
                .into_iter()
                .map(|(reason, number)| Row::from(vec![reason.into(), number.into()]))
                .collect(),
        ),
        sheet(
            "数据情况",
            "数据情况",
            "迟报、被拦截期间，以其为依据的催办、转稽核步骤暂停。".to_owned(),
            SOURCES,
            source_rows(bulletin),
        ),
    ];
    for sheet in &sheets {
        book.add(sheet, |_, _| Ok(()))?;
    }
    book.bytes()
}

fn tint(line: &UnitFigures) -> Tint {
    if line.name == "合计" {
        Tint::Sum
    } else {
        Tint::None
    }
}

fn progress_row(row: &Progress<'_>, tint: Tint) -> Row {
    let (line, work) = (row.line, &row.line.work);
    let heads = |kind| Cell::Count(work.enrolled_heads.get(&kind).copied().unwrap_or(0));
    let apart = if line.provincial {
        "（省直管）"
    } else {
        ""
    };
    let rate = wording::per_mille(work.checked, progress::to_check(work));
    Row {
        cells: vec![
            row.place
                .and_then(|place| u64::try_from(place).ok())
                .map_or("—".into(), Cell::Count),
            format!("{}{apart}", line.name).into(),
            progress::to_check(work).into(),
            work.checked.into(),
            rate.map_or("—".into(), Cell::Share),
            work.confirmed.into(),
            work.notified.into(),
            work.enrolled_firms.into(),
            heads(Insurance::Pension),
            heads(Insurance::WorkInjury),
            heads(Insurance::Unemployment),
            work.transferred.into(),
            line.flow.closing.into(),
            work.checks_overdue.into(),
            work.unreachable.into(),
        ],
        tint,
    }
}

fn flow_row(line: &UnitFigures) -> Row {
    let flow = &line.flow;
    Row {
        cells: vec![
            line.name.clone().into(),
            flow.opening.into(),
            flow.new.into(),
            flow.reopened.into(),
            flow.moved_in.into(),
            flow.moved_out.into(),
            flow.closed.into(),
            flow.closing.into(),
            if flow.identity_holds() {
                "相符"
            } else {
                "不符"
            }
            .into(),
        ],
        tint: tint(line),
    }
}

fn base_row(line: &UnitFigures) -> Row {
    let base = &line.base;
    Row {
        cells: vec![
            line.name.clone().into(),
            base.registered.into(),
            base.active.into(),
            base.with_staff.into(),
            base.in_scope.into(),
            base.insured.into(),
            base.doubtful.into(),
            base.in_hand.into(),
            base.cleared.into(),
            base.waiting.into(),
        ],
        tint: tint(line),
    }
}

fn source_rows(bulletin: &Bulletin) -> Vec<Row> {
    bulletin
        .sources
        .iter()
        .map(|note| {
            let remark = if note.remark.is_empty() {
                "正常"
            } else {
                &note.remark
            };
            Row::from(vec![
                note.title.clone().into(),
                note.as_of
                    .map_or("尚无".to_owned(), crate::domain::text::day)
                    .into(),
                note.accepted.into(),
                note.held.into(),
                remark.into(),
            ])
        })
        .collect()
}

/// The rates as columns, below the table.
fn add_chart(page: &mut Worksheet, first: u32, units: usize) -> Result<(), XlsxError> {
    let Some(last) = u32::try_from(units)
        .ok()
        .and_then(|units| (first + units).checked_sub(1))
        .filter(|last| *last >= first)
    else {
        return Ok(());
    };
    let mut chart = Chart::new_column();
    chart
        .add_series()
        .set_name("核查率")
        .set_categories(("各县区进展", first, 1, last, 1))
        .set_values(("各县区进展", first, 4, last, 4))
        .set_format(rust_xlsxwriter::ChartFormat::new().set_solid_fill(
            rust_xlsxwriter::ChartSolidFill::new().set_color(Color::RGB(0x001F_4E79)),
        ))
        .set_data_label(ChartDataLabel::new().show_value());
    chart.title().set_name("各县区疑点核查率");
    chart.y_axis().set_min(0).set_max(1).set_num_format("0%");
    chart.legend().set_position(ChartLegendPosition::Bottom);
    chart.set_width(1180).set_height(380);
    // Table and chart on one sheet of paper.
    page.set_print_fit_to_pages(1, 1);
    // Below the sum, with a row between.
    page.insert_chart(last + 3, 0, &chart)?;
    Ok(())
}
