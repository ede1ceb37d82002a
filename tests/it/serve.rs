//! The daemon on a simulated clock: its jobs, its socket, its clean end — and killed anywhere, the same state in the end.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use jiff::civil::date;
use yingbao::calendar::Calendar;
use yingbao::demo::city::City;
use yingbao::demo::departments::Folders;
use yingbao::demo::options::{Dirt, Options};

use crate::program::{home, out, run, yingbao};

/// Four simulated hours a second: the working day lasts two and a half.
const SITE: &str = "demo_mark = \"演示数据，纯属虚构\"\n[clock]\nstart = \"2026-03-02T05:00:00+08:00\"\nspeed = 14400\n";

struct Daemon(Child);

impl Daemon {
    fn start(home: &Path) -> Self {
        let home = home.to_string_lossy().into_owned();
        Self(
            yingbao(&["--home", &home, "serve"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    /// Ends it as systemd would.
    fn terminate(mut self) {
        let told = std::process::Command::new("kill")
            .args(["-TERM", &self.0.id().to_string()])
            .status()
            .unwrap();
        assert!(told.success());
        assert_eq!(self.0.wait().unwrap().code(), Some(0), "a clean end");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A home on the morning of the first day: everything delivered, earlier tax months carried by hand.
fn ready() -> tempfile::TempDir {
    let home = home();
    std::fs::write(home.path().join("config/site.toml"), SITE).unwrap();
    let inbox = |name: &str| -> PathBuf {
        let folder = home.path().join("inbox").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    };
    let calendar = Calendar::default();
    let options = Options {
        enterprises: 150,
        seed: 5,
        start: date(2026, 3, 2),
        days: 30,
        dirt: Dirt::Default,
    };
    let mut city = City::new(options);
    city.advance(date(2026, 3, 2), &calendar, &[]);
    let folders = Folders {
        market_regulation: &inbox("market-regulation"),
        insured_roll: &inbox("insured-roll"),
        desk: None,
    };
    city.publish(date(2026, 3, 2), &calendar, folders).unwrap();
    let path = home.path().to_string_lossy().into_owned();
    for file in city.history_files(&inbox("history")).unwrap() {
        out(
            &[
                "--home",
                &path,
                "pull",
                "tax",
                "--file",
                &file.to_string_lossy(),
                "--json",
            ],
            0,
        );
    }
    home
}

/// Waits until the last job of the day has run.
fn wait_for_evening(home: &Path) {
    let home = home.to_string_lossy().into_owned();
    for _ in 0..600 {
        std::thread::sleep(Duration::from_millis(50));
        let output = run(&["--home", &home, "schedule", "list", "--json"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let done = text.lines().any(|line| {
            let job: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            job["job"] == "selfcheck" && !job["last"].is_null()
        });
        if done {
            return;
        }
    }
    panic!("the evening did not come");
}

/// Everything that was decided, without the seconds at which it was.
fn state(home: &Path) -> Vec<String> {
    let home = home.to_string_lossy().into_owned();
    let mut told = Vec::new();
    for words in [
        &["case", "list"][..],
        &["notice", "list"],
        &["batch", "list"],
    ] {
        let mut all = vec!["--home", home.as_str()];
        all.extend(words);
        all.push("--json");
        for line in out(&all, 0).lines() {
            let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
            value.as_object_mut().unwrap().remove("received");
            told.push(value.to_string());
        }
    }
    told
}

#[test]
fn killed_at_ten_moments_the_daemon_ends_the_day_as_if_it_had_not_been() {
    let whole = ready();
    let daemon = Daemon::start(whole.path());
    wait_for_evening(whole.path());
    daemon.terminate();
    assert!(
        !whole.path().join("state/yingbao.sock").exists(),
        "the socket is gone"
    );
    let expected = state(whole.path());
    assert!(
        expected
            .iter()
            .any(|line| line.contains("\"stage\":\"dispatched\"")),
        "{expected:?}"
    );
    assert!(
        expected
            .iter()
            .any(|line| line.contains("county_alert") && line.contains("dry_run")),
        "{expected:?}"
    );

    let killed = ready();
    for moment in 1..=10u64 {
        let daemon = Daemon::start(killed.path());
        std::thread::sleep(Duration::from_millis(90 + moment * 170));
        drop(daemon);
    }
    let daemon = Daemon::start(killed.path());
    wait_for_evening(killed.path());
    daemon.terminate();
    assert_eq!(state(killed.path()), expected);
}
