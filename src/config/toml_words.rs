//! What the TOML reader says, put into the operators' Chinese, with the remedy.

use crate::config::fault;

/// What kind of fault a message of the reader speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A key that the type does not know.
    UnknownKey {
        /// The key.
        name: String,
        /// What would be known.
        known: Vec<String>,
    },
    /// A word that is none of the allowed.
    UnknownWord {
        /// The word.
        name: String,
        /// What would be known.
        known: Vec<String>,
    },
    /// A key that must stand and does not.
    Missing {
        /// The key.
        name: String,
    },
    /// None of several forms fits.
    NoForm,
    /// Anything else that is wrong with a value.
    Value,
}

/// Reads a message of `serde`.
pub(crate) fn meaning(message: &str) -> Meaning {
    let message = message.trim();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let (name, known) = name_and_known(rest);
        return Meaning::UnknownKey { name, known };
    }
    // What the reader says itself of a table that is one form of several; the next reading names the next key.
    if let Some(rest) = message.strip_prefix("unexpected keys in table: ")
        && let Some((extra, known)) = rest.split_once(", available keys: ")
    {
        return Meaning::UnknownKey {
            name: extra.split(", ").next().unwrap_or(extra).to_owned(),
            known: known.split(", ").map(str::to_owned).collect(),
        };
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let (name, known) = name_and_known(rest);
        return Meaning::UnknownWord { name, known };
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        return Meaning::Missing {
            name: rest.trim_matches('`').to_owned(),
        };
    }
    if message.starts_with("data did not match any variant") {
        return Meaning::NoForm;
    }
    Meaning::Value
}

/// `` `answr`, expected `answer` or `patience` `` → the name and the known ones.
fn name_and_known(rest: &str) -> (String, Vec<String>) {
    let (name, known) = rest
        .rsplit_once(", expected ")
        .or_else(|| rest.rsplit_once(", there are no "))
        .unwrap_or((rest, ""));
    let known = known
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    let name = name.strip_prefix('`').unwrap_or(name);
    (name.strip_suffix('`').unwrap_or(name).to_owned(), known)
}

/// A syntax error; `line` is the line it stands in.
pub(crate) fn syntax(message: &str, line: &str) -> String {
    let hint = line
        .chars()
        .find(|c| "“”‘’＝，：；【】［］｛｝＃　".contains(*c))
        .map_or_else(String::new, |c| {
            if c == '　' {
                "该行含有全角空格；".to_owned()
            } else {
                format!("该行含有中文标点 {c} ；")
            }
        });
    let what = match message.trim() {
        "duplicate key" => "同一个键写了两次".to_owned(),
        other => format!("TOML 语法错误（{other}）"),
    };
    format!("{what}。处理：{hint}检查引号、等号、方括号是否成对且为英文半角，每个键只写一次。")
}

/// An unknown key.
pub(crate) fn unknown_key(name: &str, known: &[String]) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    format!(
        "不认识的键。{}处理：改正键名，或删去它。",
        fault::offer(name, &known, "此处可用的键")
    )
}

/// A missing key.
pub(crate) fn missing(name: &str) -> String {
    format!("缺少必填的键 {name}。处理：补上 {name}；写法见随程序提供的同类文件。")
}

/// Something wrong with a value.
pub(crate) fn value(message: &str) -> String {
    let message = message.trim();
    match meaning(message) {
        Meaning::UnknownWord { name, known } => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            format!(
                "不认识的取值“{}”。{}处理：改成可用的取值之一。",
                short(&name),
                fault::offer(&name, &known, "可用的取值")
            )
        }
        Meaning::NoForm => {
            "写法不符合此处允许的任何一种形式。处理：参照随程序提供的同类文件改正该键的写法。"
                .to_owned()
        }
        _ if message.starts_with("wanted exactly 1 element")
            || message.starts_with("expected table with exactly 1 entry") =>
        {
            "此处须恰好写一种（一个子表），不能没有，也不能写两种。处理：只保留实际使用的那一种。"
                .to_owned()
        }
        _ => mismatch(message).unwrap_or_else(|| own_words(message)),
    }
}

/// `invalid type: string "x", expected u32` and its kin.
fn mismatch(message: &str) -> Option<String> {
    let (what, rest) = if let Some(rest) = message.strip_prefix("invalid type: ") {
        ("类型不符", rest)
    } else if let Some(rest) = message.strip_prefix("invalid value: ") {
        ("取值不符", rest)
    } else if let Some(rest) = message.strip_prefix("invalid length ") {
        ("项数不符", rest)
    } else {
        return None;
    };
    let (found, expected) = rest.rsplit_once(", expected ")?;
    Some(format!(
        "{what}：写的是{}，应为{}。处理：按应有的类型改写。",
        found_words(found),
        expected_words(expected)
    ))
}

fn found_words(found: &str) -> String {
    for (english, chinese) in [
        ("string ", "文字 "),
        ("integer ", "整数 "),
        ("floating point ", "小数 "),
        ("boolean ", "是否值 "),
        ("sequence", "数组"),
        ("map", "表"),
    ] {
        if let Some(rest) = found.strip_prefix(english) {
            return short(&format!("{chinese}{}", rest.trim_matches('`')));
        }
    }
    short(found)
}

fn expected_words(expected: &str) -> String {
    let word = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "不小于 0 的整数",
        "i8" | "i16" | "i32" | "i64" | "isize" => "整数",
        "f32" | "f64" => "数字",
        "a string" | "string" | "path string" => "带引号的文字",
        "a character" => "带引号的单个字符",
        "a boolean" => "true 或 false",
        "a sequence" => "数组 [ … ]",
        "a map" | "map" => "表",
        "TOML datetime" | "a TOML datetime" => "不带引号的日期，如 2027-12-31",
        other if other.starts_with("struct ") => "表（若干个键）",
        other if other.starts_with("enum ") || other.contains("or map") => "规定的取值之一",
        other if other.contains("timestamp") => "带引号的时刻，如 \"2026-03-02T07:00:00+08:00\"",
        other => return short(other),
    };
    word.to_owned()
}

/// A message that a type of ours (Chinese) or a library (English) made.
fn own_words(message: &str) -> String {
    if message.contains("处理：") {
        return fault::sentence(message.to_owned());
    }
    let chinese = message
        .chars()
        .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let what = if chinese {
        message.trim_end_matches('。').to_owned()
    } else {
        format!("取值无法读出（{}）", short(message))
    };
    format!("{what}。处理：改正该键的取值。")
}

/// Cuts what is too long for a line.
fn short(text: &str) -> String {
    const SHOWN: usize = 120;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let head: String = text.chars().take(SHOWN).collect();
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_understood() {
        let words = |list: &[&str]| {
            list.iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        for (message, expected) in [
            (
                "unknown field `answr`, expected `answer` or `patience`",
                Meaning::UnknownKey {
                    name: "answr".into(),
                    known: words(&["answer", "patience"]),
                },
            ),
            (
                "unknown field `a`, expected one of `x`, `y`, `z`\n",
                Meaning::UnknownKey {
                    name: "a".into(),
                    known: words(&["x", "y", "z"]),
                },
            ),
            (
                "unknown field `a`, there are no fields",
                Meaning::UnknownKey {
                    name: "a".into(),
                    known: vec![],
                },
            ),
            (
                "unknown variant `lve`, expected `dry_run` or `live`",
                Meaning::UnknownWord {
                    name: "lve".into(),
                    known: words(&["dry_run", "live"]),
                },
            ),
            (
                "missing field `host`",
                Meaning::Missing {
                    name: "host".into(),
                },
            ),
            (
                "data did not match any variant of untagged enum FieldRule",
                Meaning::NoForm,
            ),
            (
                "invalid type: integer `1`, expected a string",
                Meaning::Value,
            ),
        ] {
            assert_eq!(meaning(message), expected, "{message}");
        }
    }

    #[test]
    fn values_are_put_into_chinese_with_a_remedy() {
        for (message, expected) in [
            (
                "invalid type: string \"x\", expected u32",
                "类型不符：写的是文字 \"x\"，应为不小于 0 的整数",
            ),
            (
                "invalid type: integer `5`, expected a string",
                "类型不符：写的是整数 5，应为带引号的文字",
            ),
            (
                "invalid value: integer `-1`, expected u64",
                "取值不符：写的是整数 -1，应为不小于 0 的整数",
            ),
            (
                "unknown variant `lve`, expected `dry_run` or `live`",
                "不认识的取值“lve”。是否想写“live”？",
            ),
            (
                "时段“9点”不是 HH:MM-HH:MM",
                "时段“9点”不是 HH:MM-HH:MM。处理：",
            ),
            (
                "wanted exactly 1 element, more than 1 element",
                "须恰好写一种",
            ),
            (
                "some library's words",
                "取值无法读出（some library's words）",
            ),
        ] {
            let text = value(message);
            assert!(text.contains(expected), "{message} → {text}");
            assert!(text.contains("处理："), "{text}");
        }
    }

    #[test]
    fn chinese_punctuation_is_pointed_at() {
        assert!(syntax("x", "name = “南阳”").contains("该行含有中文标点"));
        assert!(syntax("x", "　name = 1").contains("全角空格"));
        assert!(!syntax("x", "name = ").contains("该行含有"));
    }
}
