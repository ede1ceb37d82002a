//! `identity list | same | different | undo`.

use std::collections::BTreeMap;

use serde_json::json;

use crate::cli::arguments::{IdentityCommand, IdentityWord};
use crate::cli::console::Console;
use crate::domain::pairing::{Pairing, Subject};
use crate::tasks::one;
use crate::tasks::pairing::{Word, record};
use crate::tasks::{Desk, Failure};

/// Pairs of one subject that a person is shown: of a common name there may be hundreds.
const SHOWN: usize = 5;

/// Exit 0; 1 when a rule refuses.
pub fn run(
    desk: Desk<'_>,
    command: &IdentityCommand,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    match command {
        IdentityCommand::List { all } => list(desk, *all, console),
        IdentityCommand::Same(word) => say(desk, word, Word::Same, console),
        IdentityCommand::Different(word) => say(desk, word, Word::Different, console),
        IdentityCommand::Undo(word) => say(desk, word, Word::Undo, console),
    }
}

fn say(
    desk: Desk<'_>,
    said: &IdentityWord,
    word: Word,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    let pairing = record(
        desk,
        &said.subject,
        &said.enterprise,
        word,
        &said.by,
        &said.reason,
    )?;
    if console.json {
        console.document(&line(desk, &pairing)?);
    } else {
        let what = match word {
            Word::Same => "认定为同一单位",
            Word::Different => "认定不是同一单位",
            Word::Undo => "已撤销认定",
        };
        console.line(format!(
            "{}与{}：{what}。下次比对起按此归集。",
            pairing.candidate.subject.title(),
            pairing.candidate.enterprise
        ));
    }
    Ok(0)
}

fn line(desk: Desk<'_>, pairing: &Pairing) -> Result<serde_json::Value, Failure> {
    let candidate = &pairing.candidate;
    let found = one::find(desk, &candidate.enterprise)?;
    let enterprise = found.first();
    Ok(json!({
        "subject": candidate.subject,
        "subject_name": candidate.name,
        "enterprise": candidate.enterprise,
        "credit_code": enterprise.map(|enterprise| &enterprise.credit_code),
        "name": enterprise.map(|enterprise| &enterprise.name),
        "likeness": candidate.likeness,
        "reason": candidate.reason(),
        "score": candidate.score(),
        "protects": candidate.protects,
        "found": pairing.found,
        "answer": pairing.answer,
        "history": pairing.history,
    }))
}

fn list(desk: Desk<'_>, all: bool, console: &mut Console<'_>) -> Result<i32, Failure> {
    let mut pairings = desk.store.pairings().collect::<Result<Vec<_>, _>>()?;
    pairings.retain(|pairing| all || pairing.is_open());
    pairings.sort_by(|a, b| {
        let order = |pairing: &Pairing| {
            (
                std::cmp::Reverse(pairing.is_open()),
                std::cmp::Reverse(pairing.candidate.score()),
            )
        };
        (order(a), &a.candidate.subject).cmp(&(order(b), &b.candidate.subject))
    });
    let mut rows = Vec::new();
    let mut met: BTreeMap<&Subject, usize> = BTreeMap::new();
    for pairing in &pairings {
        let of_subject = met.entry(&pairing.candidate.subject).or_default();
        *of_subject += 1;
        if !console.json && *of_subject > SHOWN {
            continue;
        }
        let line = line(desk, pairing)?;
        if console.json {
            console.document(&line);
            continue;
        }
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let stands = match &pairing.answer {
            None if pairing.candidate.protects => "待认定（暂不立疑点）".to_owned(),
            None => "待认定".to_owned(),
            Some(answer) => format!(
                "{}（{}，{}）",
                if answer.same {
                    "同一单位"
                } else {
                    "不是同一单位"
                },
                answer.by,
                answer.day
            ),
        };
        rows.push(vec![
            pairing.candidate.subject.to_string(),
            text("subject_name"),
            pairing.candidate.enterprise.clone(),
            text("name"),
            text("reason"),
            stands,
        ]);
    }
    for (subject, met) in met.into_iter().filter(|(_, met)| *met > SHOWN) {
        let rest = format!("另有{}户，用--json查看", met - SHOWN);
        let blank = String::new;
        rows.push(vec![
            subject.to_string(),
            blank(),
            blank(),
            rest,
            blank(),
            blank(),
        ]);
    }
    if !console.json {
        console.table(
            &["对象", "对象名称", "疑为企业", "企业名称", "依据", "状态"],
            &rows,
        );
    }
    Ok(0)
}
