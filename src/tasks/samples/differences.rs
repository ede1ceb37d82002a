//! Where what came of a sample differs from what was expected, in words.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde_json::Value;

use crate::domain::batch::Verdict;
use crate::domain::record::Field;
use crate::tasks::samples::Expected;

/// Differences of one case that are shown.
const SHOWN: usize = 20;

/// Every difference in Chinese, the first ones.
pub fn differences(expected: &Expected, told: &Expected, key: &[Field]) -> Vec<String> {
    let mut found = Vec::new();
    let title = |verdict: Option<Verdict>| verdict.map_or("无", Verdict::title);
    if expected.verdict != told.verdict {
        found.push(format!(
            "结论：应为{}，实为{}",
            title(expected.verdict),
            title(told.verdict)
        ));
    }
    let codes = |codes: &[String]| {
        if codes.is_empty() {
            "无".to_owned()
        } else {
            codes.join("、")
        }
    };
    if expected.reasons != told.reasons {
        found.push(format!(
            "理由：应为{}，实为{}",
            codes(&expected.reasons),
            codes(&told.reasons)
        ));
    }
    for (what, wanted, is) in [
        ("行数", expected.rows, told.rows),
        ("退回行数", expected.set_aside, told.set_aside),
    ] {
        if wanted != is {
            found.push(format!("{what}：应为{wanted}，实为{is}"));
        }
    }
    if expected.as_of != told.as_of {
        let day = |day: Option<Date>| day.map_or_else(|| "不明".to_owned(), |day| day.to_string());
        found.push(format!(
            "数据日期：应为{}，实为{}",
            day(expected.as_of),
            day(told.as_of)
        ));
    }
    records(&expected.records, &told.records, key, &mut found);
    issues(&expected.issues, &told.issues, &mut found);
    if found.len() > SHOWN {
        let left = found.len() - SHOWN;
        found.truncate(SHOWN);
        found.push(format!("另有{left}处不同"));
    }
    found
}

fn records(expected: &[Value], told: &[Value], key: &[Field], found: &mut Vec<String>) {
    let by_key = |records: &[Value]| -> BTreeMap<String, Value> {
        records
            .iter()
            .map(|record| {
                let parts: Vec<String> = key
                    .iter()
                    .map(|field| shown(record.get(field.name())))
                    .collect();
                (parts.join("|"), record.clone())
            })
            .collect()
    };
    let (wanted, is) = (by_key(expected), by_key(told));
    for (key, record) in &wanted {
        let Some(other) = is.get(key) else {
            found.push(format!("少了记录 {key}"));
            continue;
        };
        let fields = |record: &Value| record.as_object().cloned().unwrap_or_default();
        let (record, other) = (fields(record), fields(other));
        let names: BTreeSet<&String> = record.keys().chain(other.keys()).collect();
        for name in names {
            if record.get(name) != other.get(name) {
                found.push(format!(
                    "记录 {key}：{name} 应为 {}，实为 {}",
                    shown(record.get(name)),
                    shown(other.get(name))
                ));
            }
        }
    }
    for key in is.keys().filter(|key| !wanted.contains_key(*key)) {
        found.push(format!("多了记录 {key}"));
    }
    if found.is_empty() && expected != told {
        found.push("记录的次序不同，或有重复".to_owned());
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "（无）".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn issues(expected: &[Value], told: &[Value], found: &mut Vec<String>) {
    let line = |issue: &Value| {
        let of = |name: &str| shown(issue.get(name));
        format!(
            "第{}行 {} {}：[{}] {}",
            of("row"),
            of("column"),
            of("value"),
            of("code"),
            of("reason")
        )
    };
    let mut left: Vec<&Value> = told.iter().collect();
    for issue in expected {
        match left.iter().position(|other| *other == issue) {
            Some(at) => {
                left.remove(at);
            }
            None => found.push(format!("少了问题 {}", line(issue))),
        }
    }
    found.extend(
        left.into_iter()
            .map(|issue| format!("多了问题 {}", line(issue))),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tasks::samples::tests::expected;

    #[test]
    fn every_difference_is_named_with_its_place() {
        let key = &[Field::CreditCode];
        assert_eq!(
            differences(&expected(), &expected(), key),
            Vec::<String>::new()
        );
        let mut told = expected();
        told.verdict = Some(Verdict::Quarantined);
        told.reasons = vec!["YB-3101".to_owned()];
        told.rows = 3;
        told.records = vec![
            json!({ "credit_code": "A", "employees": 4, "name": "甲" }),
            json!({ "credit_code": "C" }),
        ];
        told.issues = Vec::new();
        assert_eq!(
            differences(&expected(), &told, key),
            [
                "结论：应为已接收，实为已隔离待处理",
                "理由：应为无，实为YB-3101",
                "行数：应为2，实为3",
                "记录 A：employees 应为 3，实为 4",
                "记录 A：name 应为 （无），实为 甲",
                "少了记录 B",
                "多了记录 C",
                "少了问题 第3行 列 ：[YB-2201] 空",
            ]
        );
        told.records = (0..50).map(|n| json!({ "credit_code": n })).collect();
        let many = differences(&expected(), &told, key);
        assert_eq!(many.len(), SHOWN + 1);
        assert!(many[SHOWN].starts_with("另有"));
    }
}
