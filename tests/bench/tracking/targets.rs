//! The targets, and which figures they are measured by.

use crate::figures::{Figures, Target};
use crate::files::{Days, Layout};
use crate::process::mib;

/// Rows from which the bounds of memory are those for ten million.
const MANY_ROWS: u64 = 5_000_000;

/// Every line of the table.
pub fn all(figures: &Figures, days: &Days) -> Vec<Target> {
    let mut targets = Vec::new();
    first(figures, &mut targets);
    next(figures, &mut targets);
    standing_still(figures, &mut targets);
    written(figures, days, &mut targets);
    memory(figures, days, &mut targets);
    copy(figures, &mut targets);
    rest(figures, &mut targets);
    targets
}

fn target(job: &str, what: &'static str, values: Vec<f64>, must: f64, aim: Option<f64>) -> Target {
    Target {
        job: job.to_owned(),
        what,
        values,
        must,
        aim,
    }
}

fn first(figures: &Figures, targets: &mut Vec<Target>) {
    let ratio = |a: &str, b: &str| figures.ratio(a, b);
    targets.extend([
        target(
            "first import, CSV",
            "CPU / L",
            ratio("csv.first.cpu", "csv.L.cpu"),
            5.0,
            Some(3.0),
        ),
        target(
            "first import, CSV",
            "CPU / DuckDB, whole rows",
            ratio("csv.first.cpu", "csv.duckdb rows first.cpu"),
            0.5,
            None,
        ),
        target(
            "first import, CSV",
            "wall / Polars to Parquet",
            ratio("csv.first.wall", "csv.polars parquet.wall"),
            0.9,
            None,
        ),
        target(
            "first import, XML",
            "CPU / L",
            ratio("xml.first.cpu", "xml.L.cpu"),
            2.2,
            Some(1.6),
        ),
        target(
            "first import, XML",
            "wall / L",
            ratio("xml.first.wall", "xml.L.wall"),
            1.3,
            None,
        ),
        target(
            "first import, JSON lines",
            "CPU / L",
            ratio("jsonl.first.cpu", "jsonl.L.cpu"),
            3.0,
            Some(1.8),
        ),
    ]);
}

fn next(figures: &Figures, targets: &mut Vec<Target>) {
    let ratio = |a: &str, b: &str| figures.ratio(a, b);
    targets.extend([
        target(
            "re-import, CSV",
            "CPU / L",
            ratio("csv.next.cpu", "csv.L2.cpu"),
            2.2,
            Some(1.2),
        ),
        target(
            "re-import, CSV",
            "CPU / DuckDB, key and hash",
            ratio("csv.next.cpu", "csv.duckdb hash next.cpu"),
            0.65,
            None,
        ),
        target(
            "re-import, CSV",
            "wall / qsv diff",
            ratio("csv.next.wall", "csv.qsv diff.wall"),
            0.3,
            None,
        ),
        target(
            "re-import, XML",
            "CPU / L",
            ratio("xml.next.cpu", "xml.L2.cpu"),
            0.8,
            Some(0.4),
        ),
        target(
            "re-import, JSON lines",
            "CPU / L",
            ratio("jsonl.next.cpu", "jsonl.L2.cpu"),
            1.2,
            Some(0.6),
        ),
        target(
            "re-import, JSON lines",
            "CPU / DuckDB, key and hash",
            ratio("jsonl.next.cpu", "jsonl.duckdb hash next.cpu"),
            0.7,
            None,
        ),
        target(
            "re-import, GB18030",
            "CPU / the same rows in UTF-8",
            ratio("csv-gb18030.next.cpu", "csv.next.cpu"),
            1.1,
            Some(0.9),
        ),
    ]);
}

fn standing_still(figures: &Figures, targets: &mut Vec<Target>) {
    for name in Layout::ALL.map(Layout::name) {
        let of = |what: &str| format!("{name}.{what}");
        let job = format!("identical file, {name}");
        let wall = figures.ratio(&of("same.wall"), &of("read.wall"));
        targets.push(target(&job, "wall / reading it", wall, 4.0, Some(3.0)));
        let written = figures.of(&of("same.written without archive"));
        targets.push(target(&job, "written, MiB", written, 64.0 / 1024.0, None));
        let job = format!("another order, {name}");
        let cpu = figures.ratio(&of("order.cpu"), &of("next.cpu"));
        targets.push(target(&job, "CPU / re-import", cpu, 1.1, None));
        let written = figures.of(&of("order.written without archive"));
        targets.push(target(&job, "written cold, MiB", written, 8.0, None));
    }
}

fn written(figures: &Figures, days: &Days, targets: &mut Vec<Target>) {
    for layout in Layout::ALL {
        let aim = 3.0 * mib(days.changed_bytes(layout)) + 1.0;
        targets.push(target(
            &format!("0.8 % changed, {}", layout.name()),
            "written without archive, MiB",
            figures.of(&format!("{}.next.written without archive", layout.name())),
            10.0,
            Some(aim),
        ));
    }
    let daily = figures.of("daily.written without archive");
    targets.push(target(
        "daily batches",
        "written, median day, MiB",
        daily.clone(),
        10.0,
        None,
    ));
    targets.push(target(
        "daily batches",
        "written, mean, MiB",
        mean(&daily),
        15.0,
        None,
    ));
    let alone = figures.of("daily.folder of the last day alone");
    let sizes = figures.of("daily.folder without archive");
    let most = sizes.iter().copied().reduce(f64::max);
    let most = most
        .zip(alone.first().copied())
        .map(|(most, alone)| most / alone);
    targets.push(target(
        "daily batches",
        "largest folder / last day alone",
        most.into_iter().collect(),
        6.0,
        Some(3.0),
    ));
}

fn mean(values: &[f64]) -> Vec<f64> {
    #[allow(clippy::cast_precision_loss, reason = "a number of days")]
    let n = values.len() as f64;
    if values.is_empty() {
        return Vec::new();
    }
    vec![values.iter().sum::<f64>() / n]
}

fn memory(figures: &Figures, days: &Days, targets: &mut Vec<Target>) {
    let (first, next) = if days.rows >= MANY_ROWS {
        ((768.0, 512.0), (512.0, 256.0))
    } else {
        ((160.0, 96.0), (96.0, 70.0))
    };
    for name in Layout::ALL.map(Layout::name) {
        for (job, (must, aim)) in [("first", first), ("next", next)] {
            let values = figures.of(&format!("{name}.{job}.peak"));
            targets.push(target(
                &format!("memory, {job}, {name}"),
                "peak, MiB",
                values,
                must,
                Some(aim),
            ));
        }
    }
}

/// The archive's copy is measured apart, by the stages that make it.
fn copy(figures: &Figures, targets: &mut Vec<Target>) {
    for name in Layout::ALL.map(Layout::name) {
        let stages =
            ["fetch", "archive"].map(|stage| figures.of(&format!("{name}.first.stage {stage}")));
        let floor = figures.of(&format!("{name}.copy and digest.wall"));
        let values = floor
            .iter()
            .enumerate()
            .filter(|_| stages.iter().any(|stage| !stage.is_empty()))
            .map(|(at, floor)| stages.iter().filter_map(|stage| stage.get(at)).sum::<f64>() / floor)
            .collect();
        targets.push(target(
            &format!("archive, {name}"),
            "wall / copy and digest",
            values,
            1.5,
            None,
        ));
    }
}

fn rest(figures: &Figures, targets: &mut Vec<Target>) {
    for job in ["first", "next"] {
        let (ten, one) = (
            format!("growth.ten.{job}.cpu"),
            format!("growth.one.{job}.cpu"),
        );
        let values = figures.ratio(&ten, &one);
        targets.push(target(
            &format!("ten times the rows, {job}"),
            "CPU / once",
            values,
            12.0,
            Some(10.5),
        ));
    }
    for (what, figure, must) in [
        (
            "index and tracking after the days",
            "daily.index and tracking / what they hold",
            6.0,
        ),
        (
            "the same, written anew",
            "daily.the same, written anew",
            3.0,
        ),
    ] {
        let values = figures.of(figure);
        targets.push(target(what, "files / what they hold", values, must, None));
    }
    targets.push(target(
        "enterprise, open store",
        "ms",
        figures.of("enterprise.warm ms"),
        2.0,
        Some(1.0),
    ));
    targets.push(target(
        "enterprise, cold",
        "wall, ms",
        figures.of("enterprise.wall ms"),
        80.0,
        Some(20.0),
    ));
}
