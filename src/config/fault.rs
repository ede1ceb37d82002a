//! One fault in one file of the operator's, as `check` says it.

use std::fmt;

use serde::Serialize;

use crate::adapter::language::Complaint;
use crate::config::toml_file;

/// What is wrong where, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// Path below home; for a variable of the environment, its name after `环境变量`.
    pub file: String,
    /// First line is 1; 0 when the whole file is meant.
    pub line: usize,
    /// First column is 1, counted in characters.
    pub column: usize,
    /// Dotted key, empty when none. Items of a list are counted from 1: `unit[3].email`.
    pub key: String,
    /// Stable code, `YB-12xx`.
    pub code: String,
    /// What and the remedy, in Chinese.
    pub text: String,
}

/// A file is not TOML.
pub(super) const NO_TOML: &str = "YB-1201";
/// A value can not stand where it stands.
pub(super) const VALUE: &str = "YB-1203";
/// A key is missing.
pub(super) const MISSING: &str = "YB-1204";
/// A file can not be read.
pub(super) const UNREADABLE: &str = "YB-1207";
/// A mail address is none.
pub(super) const MAIL_ADDRESS: &str = "YB-1212";

impl Fault {
    /// A fault of a key, placed in the file's `text`.
    #[must_use]
    pub fn at_key(file: &str, text: &str, key: &str, code: &str, what: String) -> Self {
        let (line, column) = toml_file::locate(text, key);
        Self {
            file: file.to_owned(),
            line,
            column,
            key: key.to_owned(),
            code: code.to_owned(),
            text: what,
        }
    }

    /// A fault of a file as a whole.
    #[must_use]
    pub fn of_file(file: &str, code: &str, what: String) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            column: 0,
            key: String::new(),
            code: code.to_owned(),
            text: what,
        }
    }

    /// A file that cannot be read.
    #[must_use]
    pub fn unreadable(file: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let what = match error.kind() {
            ErrorKind::NotFound => {
                "没有这个文件。处理：从安装包中恢复该文件，或用 --home 指明正确的目录。".to_owned()
            }
            ErrorKind::PermissionDenied => {
                "无权读取这个文件。处理：让运行本程序的账户能够读取它。".to_owned()
            }
            ErrorKind::InvalidData => {
                "文件不是 UTF-8 编码。处理：用编辑器把它另存为 UTF-8 编码（不是 GBK、ANSI）。"
                    .to_owned()
            }
            ErrorKind::FileTooLarge => format!(
                "文件超过 {} KiB，不像是手写的配置。处理：检查是否把数据文件放进了配置目录。",
                toml_file::FILE_BYTES / 1024
            ),
            _ => format!("文件无法读取（{error}）。处理：检查磁盘和文件权限。"),
        };
        Self::of_file(file, UNREADABLE, what)
    }

    /// A name that means nothing, with the nearest known one; `text` is the file's content, to find line and column.
    #[must_use]
    pub fn dangling<'a>(
        file: &str,
        text: &str,
        key: &str,
        name: &str,
        known: impl Iterator<Item = &'a String>,
    ) -> Self {
        let known: Vec<&str> = known.map(String::as_str).collect();
        let what = format!(
            "“{name}”没有定义。{}处理：改成已定义的名称，或先定义它。",
            offer(name, &known, "已定义的")
        );
        Self::at_key(file, text, key, "YB-1205", what)
    }

    /// A calendar that contradicts itself.
    #[must_use]
    pub fn of_calendar(text: String) -> Self {
        let text = if text.contains("处理：") {
            text
        } else {
            format!("{text}。处理：对照国务院办公厅当年的放假安排通知改正。")
        };
        Self::of_file("config/calendar", "YB-1206", text)
    }

    /// A complaint of an adapter, placed by its dotted key.
    #[must_use]
    pub fn of_adapter(file: &str, text: &str, complaint: Complaint) -> Self {
        let what = sentence(complaint.text);
        Self::at_key(file, text, &complaint.key, complaint.code, what)
    }
}

/// `[YB-1203] adapters/tax.toml:12:3 键 fields.name：…`
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.code, self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.key.is_empty() {
            write!(f, " 键 {}", self.key)?;
        }
        write!(f, "：{}", self.text)
    }
}

/// With the full stop that rooms below leave to us.
pub(crate) fn sentence(mut text: String) -> String {
    if !text.ends_with('。') {
        text.push('。');
    }
    text
}

/// The known name nearest to a mistyped one, when one is near enough to be meant.
#[must_use]
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|word| {
            // Short words with two letters swapped look unlike to the first measure.
            let slip = name.len() > 2 && strsim::osa_distance(name, word) == 1;
            let likeness = strsim::jaro_winkler(name, word);
            (if slip { likeness.max(0.9) } else { likeness }, *word)
        })
        .filter(|(likeness, _)| *likeness >= 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, word)| word)
}

/// `是否想写“answer”？可用的：…。`, or nothing when nothing is known.
#[must_use]
pub(crate) fn offer(name: &str, known: &[&str], title: &str) -> String {
    const SHOWN: usize = 24;
    let mut text =
        nearest(name, known).map_or_else(String::new, |word| format!("是否想写“{word}”？"));
    if !known.is_empty() {
        let more = if known.len() > SHOWN { " 等" } else { "" };
        let list: Vec<&str> = known.iter().take(SHOWN).copied().collect();
        text.push_str(title);
        text.push('：');
        text.push_str(&list.join("、"));
        text.push_str(more);
        text.push('。');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_one_that_may_be_meant() {
        let known = ["answer", "patience", "market-regulation"];
        for (name, expected) in [
            ("answr", Some("answer")),
            ("patiense", Some("patience")),
            ("market_regulation", Some("market-regulation")),
            ("answre", Some("answer")),
            ("xyz", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
    }

    #[test]
    fn two_letters_swapped_are_a_slip() {
        assert_eq!(nearest("cvs", &["xml", "csv", "json"]), Some("csv"));
        assert_eq!(nearest("ab", &["b"]), None);
    }

    #[test]
    fn a_fault_says_code_place_key_and_remedy() {
        let fault = Fault::at_key(
            "config/ladder.toml",
            "[checking]\n  answr = 1\n",
            "checking.answr",
            "YB-1202",
            "不认识的键。处理：改正。".to_owned(),
        );
        assert_eq!(
            fault.to_string(),
            "[YB-1202] config/ladder.toml:2:3 键 checking.answr：不认识的键。处理：改正。"
        );
        let whole = Fault::unreadable(
            "config/units.toml",
            &std::io::Error::from(std::io::ErrorKind::NotFound),
        );
        assert!(
            whole
                .to_string()
                .starts_with("[YB-1207] config/units.toml：没有这个文件"),
            "{whole}"
        );
    }

    #[test]
    fn a_dangling_name_offers_what_is_known() {
        let known = ["tax".to_owned(), "transport".to_owned()];
        let fault = Fault::dangling(
            "schedules/a.toml",
            "adapter = \"taxx\"",
            "adapter",
            "taxx",
            known.iter(),
        );
        assert_eq!((fault.line, fault.column), (1, 1));
        assert!(fault.text.contains("是否想写“tax”"), "{}", fault.text);
        assert!(fault.text.contains("处理："), "{}", fault.text);
    }
}
