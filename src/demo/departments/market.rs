//! Market regulation: all registrations as XML in GB18030 inside a zip whose member name is GBK without the UTF-8 flag.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Cursor, Write as _};

use encoding_rs::{GB18030, GBK};
use jiff::civil::Date;
use zip::write::SimpleFileOptions;

use crate::demo::city::City;
use crate::demo::departments::stamp;
use crate::demo::dirt::{self, Smudge, Tally, Written};
use crate::demo::firm::{Firm, Form, Status};
use crate::demo::options::Options;
use crate::demo::places::place;
use crate::demo::slips::{self, CodeSlip};
use crate::demo::steps::plus_days;
use crate::demo::trades::{TRADES, Trade, trade_at};

const DEPARTMENT: u64 = 1;

/// Slips in codes, in parts of 100,000: the registrar gave them out and rarely has one.
const SLIPS: [(u64, CodeSlip); 2] = [(50, CodeSlip::Wrong), (8, CodeSlip::Alike)];

/// The zip of a day.
///
/// # Errors
/// Only when compressing fails.
pub fn archive(city: &City, day: Date) -> io::Result<Written<Vec<u8>>> {
    let Written {
        content: text,
        tally,
    } = xml(city, day);
    let (content, _, _) = GB18030.encode(&text);
    let name = format!("登记信息_{}.xml", stamp(day));
    let (name, _, _) = GBK.encode(&name);
    let content = zip_with_raw_name(&name, &content, day)?;
    Ok(Written { content, tally })
}

/// The credit code as the registrar has it, whatever blanks and widths come on top.
#[must_use]
pub fn code<'a>(options: &Options, firm: &'a Firm) -> Cow<'a, str> {
    let smudge = Smudge::new(options, DEPARTMENT);
    match smudge.one_of(firm.number.into(), 11, &SLIPS) {
        Some((slip, how)) => Cow::Owned(slip.of(&firm.code, how)),
        None => Cow::Borrowed(&firm.code),
    }
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

fn xml(city: &City, day: Date) -> Written<String> {
    let smudge = Smudge::new(&city.options, DEPARTMENT);
    let mut rows = String::with_capacity(city.firms.len() * 700);
    let mut tally = Tally::default();
    for firm in &city.firms {
        let subject = u64::from(firm.number);
        let touched = record(&mut rows, firm, &now(firm, day), city);
        tally.count(touched);
        // The same row once more.
        if smudge.touch(subject, 90, 5).is_some() {
            record(&mut rows, firm, &now(firm, day), city);
            tally.count(true);
        }
        // A row from before the last approval, which says something else.
        if let Some(how) = smudge.touch(subject, 91, 5) {
            record(&mut rows, firm, &older(firm, day, how), city);
            tally.count(true);
        }
    }
    for at in 0..smudge.rows(city.firms.len(), 1) {
        bad(&mut rows, at);
        tally.count(true);
    }
    let total = tally.rows;
    let content = format!(
        "<?xml version=\"1.0\" encoding=\"GB18030\"?>\n<DATA><HEAD><TOTAL>{total}</TOTAL></HEAD><ROWS>\n{rows}</ROWS></DATA>\n"
    );
    Written { content, tally }
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

/// What a row says that another row of the same firm may say otherwise.
struct Said<'a> {
    name: &'a str,
    former: Vec<&'a str>,
    status: Status,
    approved: Date,
    trade: &'static Trade,
}

fn now(firm: &Firm, day: Date) -> Said<'_> {
    Said {
        name: firm.name(day),
        former: firm.former_names(day),
        status: firm.status(day),
        approved: firm.approved,
        trade: firm.trade(),
    }
}

/// Before its last approval it was called what it was called then, and it had another state or trade.
fn older(firm: &Firm, day: Date, how: u64) -> Said<'_> {
    let before = plus_days(firm.approved.min(day), -30);
    let other = u8::try_from(how / 4 % TRADES.len() as u64).unwrap_or(0);
    Said {
        name: firm.name(before),
        former: firm.former_names(before),
        status: match how % 4 {
            0 => Status::Liquidating,
            1 => Status::Revoked,
            _ => Status::Active,
        },
        approved: before,
        trade: if how.is_multiple_of(2) {
            firm.trade()
        } else {
            trade_at(other)
        },
    }
}

/// Writes a row; whether any cell of it is not as agreed.
fn record(out: &mut String, firm: &Firm, said: &Said<'_>, city: &City) -> bool {
    let smudge = Smudge::new(&city.options, DEPARTMENT);
    let row = smudge.row(firm.number.into());
    // Writing to a String never fails.
    let _ = write!(out, "<ROW><PRIPID>4113{:012}</PRIPID>", firm.number);
    let known = code(&city.options, firm);
    let written = dirt::code(&known, row.touch(1, 15));
    element(out, "UNISCID", &row.text(&firm.code, written));
    if let Some(number) = firm.registration_number() {
        element(out, "REGNO", &number);
    }
    let slip = smudge.one_of(firm.number.into(), 12, &[(100, ())]);
    let known = slip.map_or(Cow::Borrowed(said.name), |((), how)| {
        slips::name(said.name, how)
    });
    let written = dirt::name(&known, row.touch(2, 20));
    element(out, "ENTNAME", &row.text(said.name, written));
    if !said.former.is_empty() {
        element(out, "FORMERNAME", &said.former.join("；"));
    }
    let written = row.cell(
        &state(said.status, None),
        state(said.status, row.touch(3, 60)),
    );
    element(out, "REGSTATE_CN", written);
    let agreed = format!("{}{}", said.trade.section, said.trade.code);
    let written = match row.touch(4, 40) {
        Some(_) => said.trade.code.to_owned(),
        None => agreed.clone(),
    };
    element(out, "INDUSTRYCO", &row.cell(&agreed, written));
    element(out, "INDUSTRYNAME", said.trade.industry());
    let day = |day: Date, cell| row.cell(&day.to_string(), dirt::date(day, row.touch(cell, 30)));
    element(out, "ESTDATE", &day(firm.founded, 5));
    element(out, "APPRDATE", &day(said.approved, 6));
    element(out, "REGORG", place(firm.unit).region);
    element(out, "TOWN", &firm.town);
    element(out, "DOM", &firm.address);
    if !firm.phone.is_empty() {
        let written = match row.touch(7, 15) {
            Some(_) => Cow::Owned(dirt::wide(&firm.phone)),
            None => Cow::Borrowed(firm.phone.as_str()),
        };
        element(out, "TEL", &row.text(&firm.phone, written));
    }
    if let Some(email) = &firm.email {
        element(out, "EMAIL", email);
    }
    element(out, "OPSCOPE", firm.trade().scope);
    if let Form::Branch { .. } = firm.form {
        element(
            out,
            "PARENTCODE",
            firm.head_code.as_deref().unwrap_or_default(),
        );
    }
    if let Some(report) = &firm.report {
        element(out, "ANCHEYEAR", &report.year.to_string());
        let figure = |n: u64, cell| row.cell(&n.to_string(), dirt::number(n, row.touch(cell, 10)));
        element(out, "EMPNUM", &figure(report.heads.into(), 8));
        element(out, "VENDINC", &figure(report.revenue_wan, 9));
        element(out, "ASSGRO", &figure(report.assets_wan, 10));
    }
    // Personal fields travel in the real feed too: these are nobody's.
    out.push_str("<LEREP>示例</LEREP><CERNO>000000000000000000</CERNO></ROW>\n");
    row.is_touched()
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
        Status::Converted => &["个体转企业"],
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
