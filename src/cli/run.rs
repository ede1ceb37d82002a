//! `run TASK`: one task now, on the same path as its scheduled run.

use serde::Serialize;

use crate::cli::arguments::{RunArguments, TaskArgument};
use crate::cli::console::Console;
use crate::cli::session::Session;
use crate::tasks::{Failure, compact, deliver, escalate, notify, publish, review, selfcheck};

/// Exit 0 done; selfcheck 1 when something is wrong.
pub fn run(
    session: &Session,
    options: &RunArguments,
    console: &mut Console<'_>,
) -> Result<i32, Failure> {
    let desk = session.desk();
    let day = options.date.unwrap_or_else(|| desk.today());
    if day > desk.today() {
        return Err(Failure::Usage {
            code: "YB-7204",
            text: format!("日期{day}在今天之后。处理：--date 不得晚于今天。"),
        });
    }
    if options.date.is_some_and(|day| day != desk.today()) && options.task != TaskArgument::Publish
    {
        return Err(Failure::Usage {
            code: "YB-7205",
            text: "除 publish 外，任务只按今天的数据运行。处理：去掉 --date。".to_owned(),
        });
    }
    if options.all && options.task != TaskArgument::Review {
        return Err(Failure::Usage {
            code: "YB-7226",
            text: "只有 review 分为比对变化和比对全部。处理：去掉 --all。".to_owned(),
        });
    }
    let dry = options.dry_run;
    match options.task {
        TaskArgument::Review => {
            let review = if options.all {
                review::run_all
            } else {
                review::run
            };
            review(desk, dry).map(|report| show(console, &report, &report.summary()))
        }
        TaskArgument::Escalate => {
            escalate::run(desk, dry).map(|report| show(console, &report, &report.summary()))
        }
        TaskArgument::Notify => {
            notify::run(desk, dry).map(|report| show(console, &report, &report.summary()))
        }
        TaskArgument::Deliver => {
            let couriers = session.couriers()?;
            deliver::run(desk, &couriers, dry)
                .map(|report| show(console, &report, &report.summary()))
        }
        TaskArgument::Publish => {
            publish::run(desk, day, dry).map(|report| show(console, &report, &report.summary()))
        }
        TaskArgument::Compact => {
            compact::run(desk, dry).map(|report| show(console, &report, &report.summary()))
        }
        TaskArgument::Selfcheck => {
            let report = selfcheck::run(desk, dry)?;
            show(console, &report, &report.summary());
            if !console.json {
                for text in report.standing.values() {
                    console.line(format!("  {text}"));
                }
            }
            return Ok(i32::from(!report.standing.is_empty()));
        }
    }?;
    Ok(0)
}

fn show(console: &mut Console<'_>, report: &impl Serialize, summary: &str) {
    if console.json {
        console.document(report);
    } else {
        console.line(summary);
    }
}
