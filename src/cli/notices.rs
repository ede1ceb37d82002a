//! `notice list`: the outbox and what became of it.

use serde_json::json;

use crate::cli::arguments::NoticeCommand;
use crate::cli::console::Console;
use crate::domain::notice::{Notice, NoticeState, Recipient};
use crate::domain::record::mask;
use crate::tasks::{Desk, Failure};

/// Exit 0.
pub fn run(
    desk: Desk<'_>,
    command: &NoticeCommand,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    let NoticeCommand::List { stands } = command;
    let wanted = match stands {
        None => None,
        Some(word) => Some(
            NoticeState::ALL
                .into_iter()
                .find(|state| state.word() == word)
                .ok_or_else(|| Failure::Usage {
                    code: "YB-7207",
                    text: format!(
                        "没有状态“{word}”。处理：可用的有 {}。",
                        NoticeState::ALL.map(NoticeState::word).join("、")
                    ),
                })?,
        ),
    };
    let mut rows = Vec::new();
    for notice in desk.store.notices() {
        let notice = notice?;
        if wanted.is_some_and(|wanted| wanted != notice.state) {
            continue;
        }
        if console.json {
            console.document(&shape(&notice));
        } else {
            rows.push(vec![
                notice.day.to_string(),
                notice.channel.title().to_owned(),
                notice.subject.clone(),
                recipient(&notice),
                mask(&notice.address),
                notice.state.title().to_owned(),
                notice.answer.clone().unwrap_or_default(),
            ]);
        }
    }
    if !console.json {
        console.table(
            &["日期", "渠道", "事由", "收件方", "地址", "状态", "结果"],
            &rows,
        );
    }
    Ok(0)
}

/// The shape of a notice in JSON; the address is masked.
#[must_use]
pub fn shape(notice: &Notice) -> serde_json::Value {
    json!({
        "notice": notice.key, "purpose": notice.purpose, "channel": notice.channel, "recipient": notice.recipient,
        "cases": notice.cases, "unit": notice.unit, "address": mask(&notice.address), "subject": notice.subject,
        "attachments": notice.attachments, "day": notice.day, "state": notice.state, "attempts": notice.attempts,
        "answer": notice.answer,
    })
}

/// For people.
#[must_use]
pub fn recipient(notice: &Notice) -> String {
    match &notice.recipient {
        Recipient::Firm { name, .. } => name.clone(),
        Recipient::County { unit } => format!("{unit}经办机构"),
        Recipient::Audit { unit } => format!("{unit}稽核"),
        Recipient::ItSection => "信息科".to_owned(),
        Recipient::PublicSection => "公共业务科".to_owned(),
    }
}
