//! The same work by other programs, where they are installed: their scripts lie in `tests/bench/peers/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::figures::Figures;
use crate::files::{Days, Layout};
use crate::process::{Cost, run};
use crate::snapshot::Truth;

/// The peers that are there.
pub struct Peers {
    duck: Option<PathBuf>,
    polar: Option<PathBuf>,
    qsv: Option<PathBuf>,
}

impl Peers {
    /// Looks for the modules of a Python and takes a `qsv` as named.
    pub fn find(python: Option<&str>, qsv: Option<String>) -> Self {
        let with = |module: &str| {
            let python = PathBuf::from(python?);
            let found = Command::new(&python)
                .args(["-c", &format!("import {module}")])
                .stderr(Stdio::null())
                .status();
            found.is_ok_and(|status| status.success()).then_some(python)
        };
        Self {
            duck: with("duckdb"),
            polar: with("polars"),
            qsv: qsv.map(PathBuf::from),
        }
    }

    /// Which there are, for the head of the table.
    pub fn named(&self) -> String {
        let there = [
            ("DuckDB", &self.duck),
            ("Polars", &self.polar),
            ("qsv", &self.qsv),
        ];
        let names: Vec<&str> = there
            .iter()
            .filter_map(|(name, path)| path.as_ref().map(|_| *name))
            .collect();
        if names.is_empty() {
            return "none (--python PATH with duckdb and polars, --qsv PATH)".to_owned();
        }
        names.join(", ")
    }

    /// One pass of every peer that reads this layout. Says what went wrong.
    pub fn pass(
        &self,
        layout: Layout,
        days: &Days,
        folder: &Path,
        figures: &mut Figures,
    ) -> Vec<String> {
        let folder = folder.join("peers");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let mut wrong = Vec::new();
        if let (Some(python), Layout::Csv | Layout::Jsonl) = (&self.duck, layout) {
            duck(python, layout, days, &folder, figures, &mut wrong);
        }
        if let (Some(python), Layout::Csv) = (&self.polar, layout) {
            let mut command = script(python, "polar.py");
            command
                .arg(days.file(layout, 1))
                .arg(folder.join("rows.parquet"));
            note(
                "polars parquet",
                layout,
                &run(&mut command),
                figures,
                &mut wrong,
            );
        }
        if let (Some(qsv), Layout::Csv) = (&self.qsv, layout) {
            let mut command = Command::new(qsv);
            command.args(["diff", "--key", "0", "-j", "2"]);
            command.arg(days.file(layout, 1)).arg(days.file(layout, 2));
            command.arg("-o").arg(folder.join("difference.csv"));
            note("qsv diff", layout, &run(&mut command), figures, &mut wrong);
        }
        wrong
    }
}

fn duck(
    python: &Path,
    layout: Layout,
    days: &Days,
    folder: &Path,
    figures: &mut Figures,
    wrong: &mut Vec<String>,
) {
    for (job, name, day) in [
        ("whole-first", "duckdb rows first", 1),
        ("hash-first", "duckdb hash first", 1),
        ("hash-next", "duckdb hash next", 2),
    ] {
        let database = folder.join(if job == "whole-first" {
            "whole.db"
        } else {
            "hash.db"
        });
        let mut command = script(python, "duck.py");
        command.arg(job).arg(database).arg(days.file(layout, day));
        command.arg(folder);
        note(name, layout, &run(&mut command), figures, wrong);
    }
    let list = |name: &str| {
        let text = fs::read_to_string(folder.join(format!("{name}.txt"))).unwrap_or_default();
        text.lines()
            .map(|line| line.trim_matches('"').to_owned())
            .collect()
    };
    let found = Truth {
        new: list("new"),
        changed: list("changed"),
        removed: list("removed"),
    };
    if found != days.truth {
        wrong.push(format!(
            "{}: DuckDB's lists are not the truth",
            layout.name()
        ));
    }
}

fn script(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/bench/peers")
            .join(name),
    );
    command
}

fn note(peer: &str, layout: Layout, cost: &Cost, figures: &mut Figures, wrong: &mut Vec<String>) {
    if cost.code != 0 {
        wrong.push(format!(
            "{}: {peer} ended with {}",
            layout.name(),
            cost.code
        ));
        return;
    }
    let name = format!("{}.{peer}", layout.name());
    figures.add(format!("{name}.cpu"), cost.cpu);
    figures.add(format!("{name}.wall"), cost.wall);
    figures.add(format!("{name}.peak"), cost.peak);
}
