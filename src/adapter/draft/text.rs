//! A proposal as the TOML of an adapter, with a comment beside everything that was proposed. Pure.

use std::fmt::Write as _;

use crate::adapter::draft::proposal::{FieldProposal, Ignored, Proposal};
use crate::adapter::draft::vocabulary::Lookup;
use crate::adapter::language::Mode;
use crate::domain::record::{Field, FieldType, RecordKind};

/// Column at which comments begin where the line is short enough.
const COMMENT_AT: usize = 44;
/// And the furthest column at which those of a block begin.
const COMMENT_AT_MOST: usize = 72;
/// Stands where the sample says nothing of the usual number of rows.
const UNKNOWN_ROWS: &str =
    "# rows = { min = 1, max = 1 }  # 试运行后按实际的八成和两倍填写：少于下限隔离，多于上限提示\n";
/// Rows from which a sample may be a whole delivery.
const ROWS_TELLING: u64 = 100;
/// The agreement, for a person to fill in.
const AGREEMENT: &str = "# 数据共享协议，签订后填写，到期前自检会提醒：\n# [agreement]\n# number  = \"\"\n# purpose = \"小微新企业参保扩面\"\n# until   = 2027-12-31\n\n";
/// Width of a line of a lookup.
const LOOKUP_WIDTH: usize = 100;

/// A text as TOML writes it.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A line with its comment.
#[must_use]
pub fn remark(line: &str, why: &str) -> String {
    if why.is_empty() {
        return line.to_owned();
    }
    let room = COMMENT_AT.saturating_sub(width(line)).max(2);
    format!("{line}{}# {}", " ".repeat(room), plain(why))
}

/// Lines with their comments one below the other, as far as the lines are short enough.
#[must_use]
pub fn block(lines: &[(String, String)]) -> String {
    let widest = lines
        .iter()
        .filter(|(_, why)| !why.is_empty())
        .map(|(line, _)| width(line))
        .filter(|width| *width <= COMMENT_AT_MOST)
        .max()
        .unwrap_or_default();
    let mut out = String::new();
    for (line, why) in lines {
        out.push_str(line);
        if !why.is_empty() {
            let room = (widest + 2).saturating_sub(width(line)).max(2);
            let _ = write!(out, "{}# {}", " ".repeat(room), plain(why));
        }
        out.push('\n');
    }
    out
}

/// A comment must not end its line.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn width(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// A file-name pattern for a name: what changes from delivery to delivery becomes the one `*`.
#[must_use]
pub fn pattern(name: &str) -> String {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut best: Option<(usize, usize)> = None;
    let mut at = 0;
    for run in name.split(|c: char| !is_digit(c)) {
        if run.len() >= 4 && best.is_none_or(|(from, to)| run.len() > to - from) {
            best = Some((at, at + run.len()));
        }
        // The character that ended the run.
        at += run.len();
        at += name[at..].chars().next().map_or(0, char::len_utf8);
    }
    let (before, after) = match best {
        Some((from, to)) => (&name[..from], &name[to..]),
        None => name
            .rsplit_once('.')
            .map_or((name, ""), |(stem, _)| (stem, &name[stem.len()..])),
    };
    let pattern = format!("{before}*{after}");
    let is_legal = pattern.matches('*').count() == 1
        && !pattern.contains(['/', '\\', '?', '['])
        && !pattern.contains("..");
    if is_legal { pattern } else { "*".to_owned() }
}

/// What the department of a kind is, and what its export is called: to be corrected by a person.
const fn head(kind: RecordKind) -> (&'static str, &'static str, &'static str, &'static str) {
    match kind {
        RecordKind::Registration => (
            "market-regulation",
            "市场监管",
            "登记信息",
            "社会保险经办条例第六条、第九条",
        ),
        RecordKind::Tax => ("tax", "税务", "税务申报月度数据", "社会保险经办条例第九条"),
        RecordKind::Transport => (
            "transport",
            "交通运输",
            "运输经营许可信息",
            "社会保险经办条例第九条",
        ),
        RecordKind::InsuredRoll => (
            "insured-roll",
            "社会保险",
            "企业参保登记册",
            "社会保险经办条例第八条",
        ),
    }
}

/// The adapter. It passes `check` as it is; fields that were not found hold a placeholder that no file can satisfy.
#[must_use]
pub fn toml(proposal: &Proposal) -> String {
    let mut out = opening(proposal);
    about(&mut out, proposal);
    out.push_str(AGREEMENT);
    transport(&mut out, proposal);
    out.push_str(&proposal.layout.toml());
    fields(&mut out, proposal);
    for field in &proposal.fields {
        if let Some(lookup) = &field.lookup {
            table(&mut out, field.field, lookup);
        }
    }
    for (field, lookup) in &proposal.missing_lookups {
        table(&mut out, field.name(), lookup);
    }
    ignored(&mut out, proposal);
    expectation(&mut out, proposal);
    out
}

/// What it is, what to do with it, what to look at first.
fn opening(proposal: &Proposal) -> String {
    let (name, ..) = head(proposal.record);
    let mut out = format!(
        "# 由 yingbao draft 根据样本 {} 起草（看了{}行{}）。\n\
         # 核对后保存为 adapters/{name}.toml，先 yingbao check，再 yingbao preview {name} 样本文件。\n",
        plain(&proposal.file),
        proposal.rows,
        if proposal.whole { "，即全部" } else { "" }
    );
    for remark in &proposal.remarks {
        let _ = writeln!(out, "# 注意：{}", plain(remark));
    }
    for field in &proposal.missing {
        let _ = writeln!(
            out,
            "# 未找到必填字段 {}（{}），已在 [fields] 中留空位，填上列名之前任何文件都会被拒绝。",
            field.name(),
            field.title()
        );
    }
    out.push('\n');
    out
}

fn about(out: &mut String, proposal: &Proposal) {
    let (_, department, title, basis) = head(proposal.record);
    let (mode, mode_why) = match proposal.mode {
        Mode::Snapshot => (
            "snapshot",
            "全量：没有的行视为不见了；若每次只给变化的，改为 increment",
        ),
        Mode::Increment => (
            "increment",
            "增量：没提到的不算不见了；若每次都是全部单位，改为 snapshot",
        ),
    };
    let line = |key: &str, value: String, why: &str| (format!("{key} = {value}"), why.to_owned());
    out.push_str(&block(&[
        line("department", quoted(department), "请核对"),
        line("title     ", quoted(title), "请核对"),
        line("basis     ", quoted(basis), "法律依据，请核对"),
        line(
            "record    ",
            quoted(proposal.record.name()),
            &proposal.record_why,
        ),
        line("mode      ", quoted(mode), mode_why),
        line("as_of     ", proposal.day.toml.clone(), &proposal.day.why),
    ]));
    out.push('\n');
}

fn transport(out: &mut String, proposal: &Proposal) {
    let (name, ..) = head(proposal.record);
    let line = |line: String, why: &str| (line, why.to_owned());
    out.push_str(&block(&[
        line(
            "[transport.folder]".to_owned(),
            "先按人工投放目录写；接口方式改用 [transport.http] 或 [transport.pages]",
        ),
        line(
            format!("endpoint = {}", quoted(name)),
            "目录写在 config/site.toml 的 [endpoints] 中",
        ),
        line(
            format!("pattern  = {}", quoted(&pattern(&proposal.file))),
            "按样本的文件名",
        ),
    ]));
    out.push('\n');
}

fn expectation(out: &mut String, proposal: &Proposal) {
    out.push_str("[expect]\n");
    let rows = if proposal.whole { proposal.rows } else { 0 };
    if rows < ROWS_TELLING {
        out.push_str(UNKNOWN_ROWS);
        return;
    }
    let line = format!("# rows = {{ min = {}, max = {} }}", rows * 8 / 10, rows * 2);
    let why = "样本行数的八成和两倍；确认样本是一次完整交付后启用";
    let _ = writeln!(out, "{}", remark(&line, why));
}

fn fields(out: &mut String, proposal: &Proposal) {
    let names = proposal.fields.iter().map(|field| field.field.len());
    let missing = proposal.missing.iter().map(|field| field.name().len());
    let widest = names.chain(missing).max().unwrap_or_default();
    let mut lines = vec![(
        "[fields]".to_owned(),
        "规范字段 = 列名；required：没有或读不懂的行不采用".to_owned(),
    )];
    for field in &proposal.missing {
        let lookup = if field.field_type() == FieldType::Word {
            format!(", lookup = {}", quoted(field.name()))
        } else {
            String::new()
        };
        let heading = quoted(&format!("请填写{}所在的列名", field.title()));
        let line = format!(
            "{:widest$} = {{ from = {heading}, required = true{lookup} }}",
            field.name()
        );
        lines.push((line, "未找到，必填".to_owned()));
    }
    for field in &proposal.fields {
        let line = format!("{:widest$} = {}", field.field, rule(field));
        lines.push((line, field.why.clone()));
    }
    out.push_str(&block(&lines));
    if !proposal.absent.is_empty() {
        let names: Vec<String> = proposal
            .absent
            .iter()
            .map(|field| format!("{}（{}）", field.name(), Field::title(*field)))
            .collect();
        let _ = writeln!(out, "# 样本中未找到：{}", names.join("、"));
    }
    out.push('\n');
}

fn rule(field: &FieldProposal) -> String {
    let heading = quoted(&field.column);
    let mut options = String::new();
    if field.required {
        options.push_str(", required = true");
    }
    if let Some(unit) = field.unit {
        let _ = write!(options, ", unit = {}", quoted(unit));
    }
    if field.lookup.is_some() {
        let _ = write!(options, ", lookup = {}", quoted(field.field));
    }
    if options.is_empty() {
        heading
    } else {
        format!("{{ from = {heading}{options} }}")
    }
}

fn table(out: &mut String, field: &str, lookup: &Lookup) {
    let head = format!("[lookup.{field}]");
    let why = "规范词 = 部门的写法：样本中见到的在前，其后是常见的写法";
    let _ = writeln!(out, "{}", remark(&head, why));
    let words = Field::by_name(field).map_or(&[][..], Field::words);
    let widest = words
        .iter()
        .map(|word| word.len())
        .max()
        .unwrap_or_default();
    for word in words {
        let none = Vec::new();
        let seen = lookup.seen.get(word).unwrap_or(&none);
        let usual = lookup.usual.get(word).unwrap_or(&none);
        let all: Vec<String> = seen.iter().chain(usual).map(|text| quoted(text)).collect();
        if all.is_empty() {
            continue;
        }
        let line = format!("{word:widest$} = [{}]", all.join(", "));
        let why = if seen.is_empty() {
            "样本中未见"
        } else {
            ""
        };
        if width(&line) <= LOOKUP_WIDTH {
            let _ = writeln!(out, "{}", remark(&line, why));
        } else {
            let head = format!("{word:widest$} = [");
            let _ = writeln!(out, "{}\n{}]", remark(&head, why), wrapped(&all));
        }
    }
    if !lookup.unknown.is_empty() {
        let unknown: Vec<String> = lookup
            .unknown
            .iter()
            .map(|(word, count)| format!("{}（{count}行）", quoted(word)))
            .collect();
        let _ = writeln!(
            out,
            "# 未归类，按“未知”处理；确认含义后归入上面一项：{}",
            plain(&unknown.join("、"))
        );
    }
    out.push('\n');
}

/// Items on lines of at most [`LOOKUP_WIDTH`].
fn wrapped(items: &[String]) -> String {
    let mut out = String::new();
    let mut line = String::new();
    for item in items {
        if !line.is_empty() && width(&line) + width(item) + 6 > LOOKUP_WIDTH {
            let _ = writeln!(out, "   {line}");
            line.clear();
        }
        let _ = write!(line, " {item},");
    }
    if !line.is_empty() {
        let _ = writeln!(out, "   {line}");
    }
    out
}

fn ignored(out: &mut String, proposal: &Proposal) {
    let (personal, unused): (Vec<&Ignored>, Vec<&Ignored>) = proposal
        .ignored
        .iter()
        .partition(|column| column.reason == "personal");
    columns(out, "[ignore]", "知道而不用的列；样本值已遮盖", &unused);
    columns(
        out,
        "[personal]",
        "个人信息列：进入比对之前即清空，只在存档原件中",
        &personal,
    );
}

fn columns(out: &mut String, table: &str, what: &str, columns: &[&Ignored]) {
    if columns.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}", remark(table, what));
    out.push_str("columns = [\n");
    for column in columns {
        let sample = if column.sample.is_empty() {
            String::new()
        } else {
            format!("；样本 {}", column.sample)
        };
        let line = format!("    {},", quoted(&column.column));
        let _ = writeln!(out, "{}", remark(&line, &format!("{}{sample}", column.why)));
    }
    out.push_str("]\n\n");
}

#[cfg(test)]
mod tests;
