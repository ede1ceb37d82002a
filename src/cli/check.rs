//! `check`: every file of config/, adapters/ and schedules/; all faults at once.

use serde_json::json;

use crate::cli::console::Console;
use crate::cli::session::{Place, Unopened, configuration};
use crate::daemon::plan;

/// Exit 0 without a fault, 2 with. Warnings are shown and change nothing.
pub fn run(place: &Place, console: &mut Console<'_>) -> i32 {
    match configuration(place) {
        Ok(configuration) => {
            let warnings = configuration.warnings();
            if console.json {
                console.document(&json!({
                    "faults": [],
                    "warnings": warnings,
                    "files": configuration.files.len(),
                    "adapters": configuration.adapters.keys().collect::<Vec<_>>(),
                    "jobs": configuration.schedules.iter().map(|job| &job.job).collect::<Vec<_>>(),
                }));
                return 0;
            }
            for warning in &warnings {
                console.message(format!("警告 {warning}"));
            }
            console.line(format!(
                "检查通过：{}个文件，{}个适配器，{}个任务。",
                configuration.files.len(),
                configuration.adapters.len(),
                configuration.schedules.len()
            ));
            let clock = crate::cli::session::clock_of(&configuration);
            for schedule in &configuration.schedules {
                let next = plan::next(schedule, clock.now(), &configuration.calendar)
                    .map_or("五年内不会运行".to_owned(), crate::cli::console::minute);
                console.line(format!(
                    "  {}（{}）下次运行 {next}",
                    schedule.job, schedule.task
                ));
            }
            0
        }
        Err(Unopened::Faults(faults)) if console.json => {
            console.document(&json!({ "faults": faults }));
            2
        }
        Err(unopened) => unopened.report(console),
    }
}
