//! `demo`: the whole job on a synthetic city, offline. The same tasks as `serve`, the same plan of schedules, a simulated clock;
//! the city plays the departments and the firms, and answers for the clerks.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use crate::cli::arguments::{DemoArguments, DirtLevel};
use crate::cli::console::Console;
use crate::cli::demo::days::Run;
use crate::cli::session::{DEMO, Place, Unopened};
use crate::config::shipped;
use crate::demo::dirt::Tally;
use crate::demo::home;
use crate::demo::options::{Dirt, Options};
use crate::tasks::Failure;
use crate::tasks::stopwatch::Stopwatch;

mod clerks;
mod days;
mod ending;
mod links;
mod pages;
mod stories;

/// Marks everything that a demo writes.
pub const MARK: &str = "演示数据，纯属虚构";

/// The first day.
const START: Date = date(2026, 3, 2);

/// What a demo folder says of itself: same options continue an unfinished one.
const PROGRESS: &str = "progress.json";

/// How far a demo has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What it was made from.
    pub options: Options,
    /// The last day that is over.
    pub done: Option<Date>,
    /// Whether the closing pages are written.
    pub finished: bool,
    /// What the cut roll would have done.
    pub cut: Option<Cut>,
    /// Rows delivered on the days that are over.
    #[serde(default)]
    pub dirt: Tally,
}

/// What a quarantined roll would have done, had it been believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The batch.
    pub batch: String,
    /// The day.
    pub day: Date,
    /// Firms that would have been asked though they owe nothing, by unit.
    pub by_unit: BTreeMap<String, u64>,
    /// Rows before and in the cut file.
    pub rows: (u64, u64),
}

/// Exit 0; 1 only when the identity of a bulletin fails or a firm was accused wrongly; 2 and 3 as everywhere.
pub fn run(arguments: &DemoArguments, console: &mut Console<'_>) -> i32 {
    let options = Options {
        enterprises: arguments.enterprises,
        seed: arguments.seed,
        start: START,
        days: arguments.days,
        dirt: match arguments.dirt {
            DirtLevel::None => Dirt::None,
            DirtLevel::Default => Dirt::Default,
            DirtLevel::Heavy => Dirt::Heavy,
        },
    };
    let mut watch = Stopwatch::start();
    let prepared = prepare(&arguments.out, &options);
    let (progress, home) = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => return Unopened::Failure(failure).report(console),
    };
    let mut run = match Run::begin(&arguments.out, &home, progress) {
        Ok(run) => run,
        Err(unopened) => return unopened.report(console),
    };
    let result = run.all_days(console).and_then(|()| {
        watch.lap("run");
        ending::write(&mut run, watch, console)
    });
    match result {
        Ok(good) => i32::from(!good),
        Err(failure) => Unopened::Failure(failure).report(console),
    }
}

fn io(what: &str) -> impl FnOnce(std::io::Error) -> Failure {
    let what = what.to_owned();
    move |source| Failure::Io { what, source }
}

/// Makes the folder ready: new, or an unfinished demo of the same options. A finished demo is replaced; any other folder
/// that is not empty is refused.
fn prepare(out: &Path, options: &Options) -> Result<(Progress, PathBuf), Failure> {
    let home = out.join("home");
    match read_progress(out) {
        Some(progress) if progress.options == *options && !progress.finished => {
            return Ok((progress, home));
        }
        Some(progress) if progress.finished => {
            fs::remove_dir_all(out).map_err(io("清空上次的演示目录"))?;
        }
        Some(_) => {
            return Err(Failure::Usage {
                code: "YB-7401",
                text: format!(
                    "{} 中有一次参数不同且未完成的演示。处理：用相同参数续跑，或用 --out 另选目录。",
                    out.display()
                ),
            });
        }
        None if !is_vacant(out) => {
            return Err(Failure::Usage {
                code: "YB-7402",
                text: format!(
                    "目录 {} 不为空，且不是演示目录。处理：用 --out 另选一个空目录。",
                    out.display()
                ),
            });
        }
        None => {}
    }
    // The progress file comes first: a folder half prepared is known as ours.
    fs::create_dir_all(out).map_err(io("建立演示目录"))?;
    let progress = Progress {
        options: options.clone(),
        done: None,
        finished: false,
        cut: None,
        dirt: Tally::default(),
    };
    write_progress(out, &progress)?;
    Ok((progress, home))
}

fn is_vacant(out: &Path) -> bool {
    match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

fn read_progress(out: &Path) -> Option<Progress> {
    serde_json::from_slice(&fs::read(out.join(PROGRESS)).ok()?).ok()
}

/// Writes how far it has come, whole or not at all.
fn write_progress(out: &Path, progress: &Progress) -> Result<(), Failure> {
    let text = serde_json::to_vec_pretty(progress).map_err(|error| Failure::Render {
        what: "演示进度".to_owned(),
        text: error.to_string(),
    })?;
    let temporary = out.join("progress.tmp");
    fs::write(&temporary, text).map_err(io("写演示进度"))?;
    fs::rename(&temporary, out.join(PROGRESS)).map_err(io("写演示进度"))
}

/// The shipped configuration, adapters and schedules unchanged, the optional sources in use, those of the demo's own beside them, and the
/// site file that marks a demo.
fn furnish(at: &Path, seed: u64) -> Result<(), Failure> {
    shipped::unpack(at).map_err(io("写演示配置"))?;
    let optional = shipped::FILES
        .iter()
        .filter(|(file, _)| shipped::is_optional(file));
    for (file, text) in optional {
        fs::write(at.join(shipped::in_use(file)), text).map_err(io("写演示配置"))?;
    }
    for (file, text) in home::FILES {
        fs::write(at.join(file), text).map_err(io("写演示配置"))?;
    }
    let site = format!(
        "# 演示环境：所有输出带有此标记，且不得切换为实际发送。\ndemo_mark = \"{MARK}\"\n{}",
        home::settings(seed)
    );
    fs::write(at.join("config/site.toml"), site).map_err(io("写演示配置"))?;
    for folder in ["inbox/market-regulation", "inbox/insured-roll", "state"] {
        fs::create_dir_all(at.join(folder)).map_err(io("建立演示目录"))?;
    }
    keep_secret(&at.join(home::PASSWORD_FILE), home::PASSWORD).map_err(io("写演示口令"))?;
    fs::write(at.join("state").join(DEMO), MARK).map_err(io("写演示标记"))
}

/// Writes a secret as the program wants it: closed to all but its owner.
fn keep_secret(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// Where the demo's home lies.
fn place(home: &Path) -> Place {
    Place {
        home: Some(home.to_path_buf()),
        ..Place::default()
    }
}
