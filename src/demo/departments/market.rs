//! Market regulation: all registrations as XML in GB18030 inside a zip whose member name is GBK without the UTF-8 flag.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Cursor, Write as _};

use encoding_rs::{GB18030, GBK};
use jiff::civil::Date;
use zip::write::SimpleFileOptions;

use crate::demo::city::City;
use crate::demo::departments::stamp;
use crate::demo::dirt::{self, Smudge};
use crate::demo::firm::{Firm, Form, Status};
use crate::demo::places::place;
use crate::demo::steps::plus_days;

const DEPARTMENT: u64 = 1;

/// The zip of a day.
///
/// # Errors
/// Only when compressing fails.
pub fn archive(city: &City, day: Date) -> io::Result<Vec<u8>> {
    let text = xml(city, day);
    let (content, _, _) = GB18030.encode(&text);
    let name = format!("登记信息_{}.xml", stamp(day));
    let (name, _, _) = GBK.encode(&name);
    zip_with_raw_name(&name, &content, day)
}

/// The zip writer takes UTF-8 names only: a stand-in of the same length is written and then replaced in both headers.
fn zip_with_raw_name(name: &[u8], content: &[u8], day: Date) -> io::Result<Vec<u8>> {
    let stand_in = "N".repeat(name.len());
    let day = zip::DateTime::from_date_and_time(
        u16::try_from(day.year()).unwrap_or(1980),
        u8::try_from(day.month()).unwrap_or(1),
        u8::try_from(day.day()).unwrap_or(1),
        7,
        30,
        0,
    )
    .unwrap_or_default();
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(1))
        .last_modified_time(day);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(stand_in.as_str(), options)?;
    writer.write_all(content)?;
    let mut bytes = writer.finish()?.into_inner();
    // The local header's name stands 30 bytes after its start (APPNOTE 4.3.7), the other in the central directory near the end.
    let first = 30..30 + name.len();
    let last = bytes
        .windows(name.len())
        .rposition(|window| window == stand_in.as_bytes());
    let whole = bytes.get(first.clone()) == Some(stand_in.as_bytes());
    match last.filter(|at| whole && *at > first.start) {
        Some(at) => {
            bytes[first].copy_from_slice(name);
            bytes[at..at + name.len()].copy_from_slice(name);
            Ok(bytes)
        }
        None => Err(io::Error::other("zip headers are not where they should be")),
    }
}

fn xml(city: &City, day: Date) -> String {
    let smudge = Smudge::new(&city.options, DEPARTMENT);
    let mut rows = String::with_capacity(city.firms.len() * 640);
    let mut total = 0;
    for firm in &city.firms {
        let subject = u64::from(firm.number);
        row(&mut rows, firm, day, smudge);
        total += 1;
        // The same row once more.
        if smudge.touch(subject, 90, 5).is_some() {
            row(&mut rows, firm, day, smudge);
            total += 1;
        }
        // A row from before the last approval.
        if smudge.touch(subject, 91, 5).is_some() {
            older(&mut rows, firm, day, smudge);
            total += 1;
        }
    }
    for at in 0..smudge.rows(city.firms.len(), 1) {
        bad(&mut rows, at);
        total += 1;
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"GB18030\"?>\n<DATA><HEAD><TOTAL>{total}</TOTAL></HEAD><ROWS>\n{rows}</ROWS></DATA>\n"
    )
}

fn element(out: &mut String, tag: &str, text: &str) {
    let text = if text.contains(['&', '<', '>']) {
        Cow::Owned(
            text.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;"),
        )
    } else {
        Cow::Borrowed(text)
    };
    // Writing to a String never fails.
    let _ = write!(out, "<{tag}>{text}</{tag}>");
}

fn row(out: &mut String, firm: &Firm, day: Date, smudge: Smudge) {
    let approved = firm.approved;
    record(
        out,
        firm,
        firm.name(day),
        firm.status(day),
        approved,
        smudge,
    );
}

/// Before its last approval it was active, and bore the name it had then.
fn older(out: &mut String, firm: &Firm, day: Date, smudge: Smudge) {
    let before = plus_days(firm.approved.min(day), -30);
    record(out, firm, firm.name(before), Status::Active, before, smudge);
}

fn record(
    out: &mut String,
    firm: &Firm,
    name: &str,
    status: Status,
    approved: Date,
    smudge: Smudge,
) {
    let subject = u64::from(firm.number);
    let touch = |cell, per_mille| smudge.touch(subject, cell, per_mille);
    let trade = firm.trade();
    let _ = write!(out, "<ROW><PRIPID>4113{:012}</PRIPID>", firm.number);
    element(out, "UNISCID", &dirt::code(&firm.code, touch(1, 15)));
    element(out, "ENTNAME", &dirt::name(name, touch(2, 20)));
    element(out, "REGSTATE_CN", state(status, touch(3, 60)));
    let industry = if touch(4, 40).is_some() {
        trade.code.to_owned()
    } else {
        format!("{}{}", trade.section, trade.code)
    };
    element(out, "INDUSTRYCO", &industry);
    element(out, "ESTDATE", &dirt::date(firm.founded, touch(5, 30)));
    element(out, "APPRDATE", &dirt::date(approved, touch(6, 30)));
    element(out, "REGORG", place(firm.unit).region);
    element(out, "TOWN", &firm.town);
    element(out, "DOM", &firm.address);
    if !firm.phone.is_empty() {
        let phone = touch(7, 15).map_or(Cow::Borrowed(firm.phone.as_str()), |_| {
            Cow::Owned(dirt::wide(&firm.phone))
        });
        element(out, "TEL", &phone);
    }
    if let Some(email) = &firm.email {
        element(out, "EMAIL", email);
    }
    element(out, "OPSCOPE", trade.scope);
    if let Form::Branch { .. } = firm.form {
        element(
            out,
            "PARENTCODE",
            firm.head_code.as_deref().unwrap_or_default(),
        );
    }
    if let Some(report) = &firm.report {
        element(out, "ANCHEYEAR", &report.year.to_string());
        element(
            out,
            "EMPNUM",
            &dirt::number(report.heads.into(), touch(8, 10)),
        );
        element(
            out,
            "VENDINC",
            &dirt::number(report.revenue_wan, touch(9, 10)),
        );
        element(
            out,
            "ASSGRO",
            &dirt::number(report.assets_wan, touch(10, 10)),
        );
    }
    // Personal fields travel in the real feed too: these are nobody's.
    out.push_str("<LEREP>示例</LEREP><CERNO>000000000000000000</CERNO></ROW>\n");
}

fn state(status: Status, how: Option<u64>) -> &'static str {
    let variants: &[&str] = match status {
        Status::Active => &[
            "存续",
            "存续（在营、开业、在册）",
            "存续(在营、开业、在册)",
            "开业",
            "在业",
            "在营（开业）",
        ],
        Status::Revoked => &["吊销", "已吊销", "吊销，未注销", "吊销未注销"],
        Status::Liquidating => &["清算", "清算中"],
        Status::Moved => &["迁出", "迁移异地"],
        Status::Cancelled => &["注销", "已注销", "注销企业"],
    };
    let at = how.map_or(0, |how| {
        usize::try_from(how % variants.len() as u64).unwrap_or(0)
    });
    variants[at]
}

/// A row nobody can use: a code cut short, or a date that is none.
fn bad(out: &mut String, at: usize) {
    let (code, founded) = if at.is_multiple_of(2) {
        ("9141130", "2019-05-06")
    } else {
        ("", "0000-00-00")
    };
    let _ = write!(out, "<ROW><PRIPID>9999{at:012}</PRIPID>");
    element(out, "UNISCID", code);
    element(out, "ENTNAME", "数据补录中");
    element(out, "REGSTATE_CN", "存续");
    element(out, "ESTDATE", founded);
    out.push_str("</ROW>\n");
}
