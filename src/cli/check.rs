//! `check`: every file of config/, adapters/ and schedules/; all faults at once. `--samples` runs the samples beside the adapters.

use std::path::Path;

use serde_json::json;

use crate::calendar::shanghai;
use crate::cli::arguments::CheckArguments;
use crate::cli::console::{Console, minute};
use crate::cli::session::{Place, Unopened, clock_of, configuration};
use crate::config::configuration::Configuration;
use crate::daemon::plan;
use crate::tasks::samples::{self, Outcome};

/// Where samples lie below a home.
const SAMPLES: &str = "samples";

/// Exit 0 without a fault, 1 when a sample gives something else than expected, 2 with faults. Warnings are shown and change nothing.
pub fn run(place: &Place, options: &CheckArguments, console: &mut Console<'_>) -> i32 {
    let configuration = match configuration(place) {
        Ok(configuration) => configuration,
        Err(Unopened::Faults(faults)) if console.json => {
            console.document(&json!({ "faults": faults }));
            return 2;
        }
        Err(unopened) => return unopened.report(console),
    };
    let outcomes = match &options.samples {
        Some(folder) => match run_samples(&configuration, folder.as_deref(), options.write) {
            Ok(outcomes) => Some(outcomes),
            Err(text) => {
                console.message(text);
                return 2;
            }
        },
        None => None,
    };
    if console.json {
        let mut document = json!({
            "faults": [],
            "warnings": configuration.warnings(),
            "files": configuration.files.len(),
            "adapters": configuration.adapters.keys().collect::<Vec<_>>(),
            "jobs": configuration.schedules.iter().map(|job| &job.job).collect::<Vec<_>>(),
        });
        if let Some(outcomes) = &outcomes {
            document["samples"] = json!(outcomes);
        }
        console.document(&document);
    } else {
        files(&configuration, console);
        if let Some(outcomes) = &outcomes {
            show(&configuration, outcomes, console);
        }
    }
    i32::from(
        outcomes
            .iter()
            .flatten()
            .any(|outcome| !outcome.differences.is_empty()),
    )
}

fn files(configuration: &Configuration, console: &mut Console<'_>) {
    for warning in configuration.warnings() {
        console.message(format!("警告 {warning}"));
    }
    console.line(format!(
        "检查通过：{}个文件，{}个适配器，{}个任务。",
        configuration.files.len(),
        configuration.adapters.len(),
        configuration.schedules.len()
    ));
    let clock = clock_of(configuration);
    for schedule in &configuration.schedules {
        let next = plan::next(schedule, clock.now(), &configuration.calendar)
            .map_or("五年内不会运行".to_owned(), minute);
        console.line(format!(
            "  {}（{}）下次运行 {next}",
            schedule.job, schedule.task
        ));
    }
}

fn run_samples(
    configuration: &Configuration,
    folder: Option<&Path>,
    write: bool,
) -> Result<Vec<Outcome>, String> {
    let root = folder.map_or_else(|| configuration.home.root.join(SAMPLES), Path::to_owned);
    let cases = samples::cases(&root).map_err(|error| {
        format!(
            "[YB-7223] 读样本目录 {} 失败：{error}。处理：建立 适配器名/样本名/ 目录并放入 input- 开头的样本，或用 --samples DIR 指明目录。",
            root.display()
        )
    })?;
    let today = shanghai::civil(clock_of(configuration).now()).date();
    Ok(cases
        .iter()
        .map(|case| {
            samples::run(
                case,
                &configuration.adapters,
                configuration.units(),
                write,
                today,
            )
        })
        .collect())
}

fn show(configuration: &Configuration, outcomes: &[Outcome], console: &mut Console<'_>) {
    for outcome in outcomes {
        let verdict = outcome
            .verdict
            .map_or("未能运行", |verdict| verdict.title());
        let mark = match outcome {
            Outcome { written: true, .. } => "已写入",
            outcome if outcome.differences.is_empty() => "相符",
            _ => "不符",
        };
        console.line(format!(
            "样本 {}/{} {mark}（{verdict}）",
            outcome.adapter, outcome.case
        ));
        for difference in &outcome.differences {
            console.line(format!("  {difference}"));
        }
    }
    let differing = outcomes
        .iter()
        .filter(|outcome| !outcome.differences.is_empty())
        .count();
    console.line(format!("样本{}个，不符{differing}个。", outcomes.len()));
    for adapter in configuration.adapters.keys() {
        if !outcomes.iter().any(|outcome| outcome.adapter == *adapter) {
            console.line(format!("  适配器 {adapter} 还没有样本。"));
        }
    }
}
