//! The program itself: one pull as a process, with what it told checked.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use yingbao::cli::session::{Place, Session, open};

use crate::figures::Figures;
use crate::files::folder_bytes;
use crate::process::{Cost, mib, run};
use crate::snapshot::Truth;

/// The program with a state folder of its own.
pub struct Program {
    /// The state folder.
    pub state: PathBuf,
    /// Whether `pull` can take a file over instead of copying it.
    pub moves: bool,
}

impl Program {
    /// With a fresh state.
    pub fn fresh(state: PathBuf) -> Self {
        let _ = fs::remove_dir_all(&state);
        let help = run(Command::new(env!("CARGO_BIN_EXE_yingbao")).args(["pull", "--help"])).told;
        Self {
            state,
            moves: help.contains("--move"),
        }
    }

    fn run(&self, words: &[&str]) -> Cost {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yingbao"));
        command
            .env_remove("YINGBAO_HOME")
            .arg("--home")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/home"))
            .arg("--state")
            .arg(&self.state)
            .arg("--json")
            .args(words);
        run(&mut command)
    }

    /// Pulls a file, notes what it cost under `name`, and compares new, changed, missing, unchanged with what must come.
    pub fn pull(
        &self,
        name: &str,
        adapter: &str,
        file: &Path,
        must: [usize; 4],
        figures: &mut Figures,
    ) -> Vec<String> {
        // What is taken over must lie on the same disk and is gone afterwards: a copy, made before the clock runs.
        let taken = self.moves.then(|| {
            let name = file.file_name().expect("a file's name");
            let copy = self.state.with_extension("taken");
            fs::create_dir_all(&copy).expect("a folder");
            let copy = copy.join(name);
            fs::copy(file, &copy).expect("a copy");
            copy
        });
        let path = taken
            .as_deref()
            .unwrap_or(file)
            .to_string_lossy()
            .into_owned();
        let archived = self.archived();
        let mut words = vec!["pull", adapter, "--file", &path];
        words.extend(self.moves.then_some("--move"));
        let cost = self.run(&words);
        let copied = if self.moves {
            0
        } else {
            self.archived() - archived
        };
        figures.add(format!("{name}.cpu"), cost.cpu);
        figures.add(format!("{name}.wall"), cost.wall);
        figures.add(format!("{name}.peak"), cost.peak);
        figures.add(format!("{name}.written"), mib(cost.written));
        figures.add(
            format!("{name}.written without archive"),
            mib(cost.written.saturating_sub(copied)),
        );
        let Ok(told) = serde_json::from_str::<Value>(&cost.told) else {
            return vec![format!("{name}: exit {}, told {:?}", cost.code, cost.told)];
        };
        for (stage, seconds) in told["seconds"].as_object().into_iter().flatten() {
            figures.add(
                format!("{name}.stage {stage}"),
                seconds.as_f64().unwrap_or(f64::NAN),
            );
        }
        let found = ["new", "changed", "missing", "unchanged"].map(|name| told[name].as_u64());
        let must = must.map(|n| Some(n as u64));
        if cost.code == 0 && found == must {
            Vec::new()
        } else {
            vec![format!(
                "{name}: exit {}, {found:?} instead of {must:?}",
                cost.code
            )]
        }
    }

    /// What the last batch of an adapter changed.
    pub fn changes(&self, adapter: &str) -> Truth {
        let mut found = Truth::default();
        for line in self.run(&["changes", "--adapter", adapter]).told.lines() {
            let line: Value = serde_json::from_str(line).expect("a line of JSON");
            let key = line["key"].as_str().expect("a key").to_owned();
            let list: &mut BTreeSet<String> = match line["change"].as_str() {
                Some("new") => &mut found.new,
                Some("changed") => &mut found.changed,
                Some("missing") => &mut found.removed,
                _ => panic!("an unexpected change: {line}"),
            };
            list.insert(key);
        }
        found
    }

    /// `enterprise CODE` as a cold process.
    pub fn enterprise(&self, code: &str) -> Cost {
        self.run(&["enterprise", code])
    }

    /// The same home and state, open in this process.
    pub fn session(&self) -> Session {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/home");
        open(&Place {
            home: Some(home),
            state: Some(self.state.clone()),
            ..Place::default()
        })
        .unwrap_or_else(|trouble| panic!("the state opens: {trouble:?}"))
    }

    /// Bytes of index and tracking files, and of what they hold; written anew before unless `dry`.
    pub fn sizes(&self, dry: bool) -> (f64, f64) {
        let mut words = vec!["run", "compact"];
        words.extend(dry.then_some("--dry-run"));
        let told: Value = serde_json::from_str(&self.run(&words).told).expect("one document");
        let parts = || {
            let sources = told["sources"].as_object().into_iter().flatten();
            std::iter::once(&told["index"]).chain(sources.map(|(_, size)| size))
        };
        let sum = |name: &str| parts().filter_map(|size| size[name].as_f64()).sum();
        (sum("after"), sum("logical"))
    }

    /// Bytes in the state folder besides the archive.
    pub fn size(&self) -> u64 {
        folder_bytes(&self.state, "archive")
    }

    fn archived(&self) -> u64 {
        folder_bytes(&self.state.join("archive"), "")
    }
}
