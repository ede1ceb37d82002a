//! `code check` and `classify`: filters, one line in, one line out, in the same order; they always end with 0.

use std::io::BufRead;

use serde::Deserialize;
use serde_json::json;

use crate::cli::console::Console;
use crate::cli::session::Place;
use crate::config::{shipped, toml_file};
use crate::domain::code;
use crate::domain::size;

/// Lines longer than this are cut: no identifier and no question is as long.
const LINE_BYTES: u64 = 64 << 10;

/// `code check [CODE…]`.
pub fn check(console: &mut Console<'_>, codes: &[String]) -> i32 {
    if codes.is_empty() {
        for_each_line(console, examine);
    } else {
        for code in codes {
            examine(console, code);
        }
    }
    0
}

fn examine(console: &mut Console<'_>, input: &str) {
    let examined = code::examine(input);
    if console.json {
        console.document(&examined);
    } else {
        let kind = serde_json::to_value(examined.kind)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned));
        let verdict = serde_json::to_value(examined.verdict)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned));
        let mut line = format!(
            "{}\t{}\t{}",
            examined.normalized,
            kind.unwrap_or_default(),
            verdict.unwrap_or_default()
        );
        if !examined.suggestions.is_empty() {
            line.push_str("\t?");
            line.push_str(&examined.suggestions.join(","));
        }
        console.line(line);
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    industry: String,
    edition: Option<u16>,
    employees: Option<u64>,
    revenue_wan: Option<f64>,
    assets_wan: Option<f64>,
    trust_assets_wan: Option<f64>,
}

/// `classify` with the tables of the home when there is one, else with those shipped.
pub fn classify_here(place: &Place, console: &mut Console<'_>) -> i32 {
    match crate::cli::session::configuration(place) {
        Ok(configuration) => classify(console, &configuration.rules.size),
        Err(unopened) => match shipped_tables() {
            // A folder without a home is no fault for a filter; a home with faults is.
            Some(tables)
                if !crate::config::home::Home::locate(place.home.as_deref(), None)
                    .root
                    .join("config")
                    .exists() =>
            {
                classify(console, &tables)
            }
            _ => unopened.report(console),
        },
    }
}

fn shipped_tables() -> Option<size::Tables> {
    let text = |name: &str| {
        shipped::FILES
            .iter()
            .find(|(file, _)| *file == name)
            .map(|(_, text)| *text)
    };
    let size = toml_file::parse(
        "config/rules/size-2017.toml",
        text("config/rules/size-2017.toml")?,
    )
    .ok()?;
    let finance = toml_file::parse(
        "config/rules/finance-2015.toml",
        text("config/rules/finance-2015.toml")?,
    )
    .ok()?;
    Some(size::Tables { size, finance })
}

/// `classify`: a line that is no question answers `{"error": …}` in its place.
pub fn classify(console: &mut Console<'_>, tables: &size::Tables) -> i32 {
    for_each_line(console, |console, line| {
        let answer = match serde_json::from_str::<Question>(line) {
            Ok(question) => {
                serde_json::to_value(size::classify(tables, &input(question))).unwrap_or_default()
            }
            Err(error) => json!({ "error": format!("[YB-1501] 不是一个划型问题：{error}") }),
        };
        console.document(&answer);
    });
    0
}

fn input(question: Question) -> size::Input {
    size::Input {
        industry: question.industry,
        edition: question.edition,
        employees: question.employees,
        revenue_fen: question.revenue_wan.map(fen),
        assets_fen: question.assets_wan.map(fen),
        trust_assets_fen: question.trust_assets_wan.map(fen),
    }
}

/// 1 万元 = 1,000,000 fen; the exports carry at most six decimals.
#[allow(
    clippy::cast_possible_truncation,
    reason = "saturates; far beyond any balance sheet"
)]
fn fen(wan: f64) -> i64 {
    (wan * 1_000_000.0).round() as i64
}

fn for_each_line(console: &mut Console<'_>, mut each: impl FnMut(&mut Console<'_>, &str)) {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = {
            let mut limited = std::io::Read::take(&mut *console.input, LINE_BYTES);
            limited.read_until(b'\n', &mut line)
        };
        match read {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']).to_owned();
        each(console, &text);
    }
}
