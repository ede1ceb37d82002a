//! `code check` and `classify`: filters, one line in, one line out, in the same order; they always end with 0. And what changed rule
//! tables would change.

use std::fmt::Write as _;
use std::io::BufRead;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::cli::console::Console;
use crate::cli::session::{Place, Unopened};
use crate::config::{rule_tables, shipped, toml_file};
use crate::domain::code;
use crate::domain::coverage::Standing;
use crate::domain::size;
use crate::tasks::Desk;
use crate::tasks::rule_change::{self, Affected};

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
        let mut line = format!(
            "{}\t{}\t{}",
            examined.normalized,
            examined.kind.word(),
            examined.verdict.word()
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
    #[serde(default)]
    industry_name: String,
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
    fn table<T: DeserializeOwned>(name: &str) -> Option<T> {
        let path = rule_tables::in_force(name);
        let (_, text) = shipped::FILES.iter().find(|(file, _)| *file == path)?;
        toml_file::parse(&path, text).ok()
    }
    Some(size::Tables {
        size: table(rule_tables::SIZE)?,
        finance: table(rule_tables::FINANCE)?,
    })
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
        industry_name: question.industry_name,
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

/// `classify --compare FOLDER`: exit 0, 2 when a table has faults.
pub fn compare(desk: Desk<'_>, folder: &Path, console: &mut Console<'_>) -> i32 {
    let proposed = match rule_tables::proposed(folder, &desk.configuration.rules) {
        Ok(proposed) => proposed,
        Err(faults) => return Unopened::Faults(faults).report(console),
    };
    let change = rule_change::compare(desk, &proposed, &mut |affected| {
        if console.json {
            console.document(affected);
        } else {
            console.line(in_words(affected));
        }
    });
    match change {
        Ok(change) if console.json => console.document(&json!({ "summary": change })),
        Ok(change) => console.line(format!(
            "共{}户：划型变化{}户，新纳入专项范围{}户，不再纳入{}户；有疑点的企业由{}户变为{}户。以上为试算，未作任何改动。",
            change.enterprises,
            change.class_changed,
            change.into_scope,
            change.out_of_scope,
            change.doubtful[0],
            change.doubtful[1],
        )),
        Err(failure) => return Unopened::Failure(failure).report(console),
    }
    0
}

fn in_words(affected: &Affected) -> String {
    let class = |at: usize| affected.class[at].map_or("行业不详", size::Class::title);
    let mut line = format!("{}　{}", affected.credit_code, affected.name);
    if affected.class[0] != affected.class[1] {
        let _ = write!(line, "　划型：{}→{}", class(0), class(1));
    }
    match affected.in_scope {
        [false, true] => line += "　新纳入专项范围",
        [true, false] => line += "　不再纳入专项范围",
        _ => {}
    }
    if affected.standing[0] != affected.standing[1] {
        let [before, after] = affected.standing.map(Standing::title);
        let _ = write!(line, "　判断：{before}→{after}");
    }
    line
}

/// A line longer than the cap is one line all the same: what is behind the cap is passed over.
fn for_each_line(console: &mut Console<'_>, mut each: impl FnMut(&mut Console<'_>, &str)) {
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = std::io::Read::take(&mut *console.input, LINE_BYTES);
        match limited.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let is_cut = limited.limit() == 0 && line.last() != Some(&b'\n');
        if is_cut && console.input.skip_until(b'\n').is_err() {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        each(console, text.trim_end_matches(['\n', '\r']));
    }
}
