//! One process from start to end: time, memory, bytes written, as the kernel counts them.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// Ticks of processor time in a second: fixed in the kernel's interface.
const TICKS: f64 = 100.0;
/// How often a running process is looked at.
const LOOK: Duration = Duration::from_millis(1);

/// What one process cost.
#[derive(Debug, Clone, Default)]
pub struct Cost {
    /// Seconds by the clock on the wall.
    pub wall: f64,
    /// Seconds of processor time, user and system, its children included; to a hundredth.
    pub cpu: f64,
    /// Highest memory, MiB.
    pub peak: f64,
    /// Bytes it wrote, wherever.
    pub written: u64,
    /// Its standard output.
    pub told: String,
    /// Its exit code.
    pub code: i32,
}

/// Runs a command to its end.
///
/// The dead process is looked at before it is reaped: its counters are final then. Memory is gone at that time, so its highest value is
/// the one seen in the last millisecond.
#[allow(
    clippy::disallowed_methods,
    reason = "measuring time is what this is for"
)]
pub fn run(command: &mut Command) -> Cost {
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the command starts");
    let mut out = child.stdout.take().expect("a pipe");
    let reader = std::thread::spawn(move || {
        let mut told = String::new();
        out.read_to_string(&mut told).map(|_| told)
    });
    let pid = child.id();
    let id = Pid::from_raw(i32::try_from(pid).expect("a process number")).expect("not zero");
    let mut peak = 0;
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    while waitid(WaitId::Pid(id), ended).expect("a child").is_none() {
        peak = peak.max(of(&format!("/proc/{pid}/status"), "VmHWM:"));
        std::thread::sleep(LOOK);
    }
    let wall = begin.elapsed().as_secs_f64();
    let written = of(&format!("/proc/{pid}/io"), "wchar:");
    let cpu = cpu_of(pid);
    let code = child.wait().expect("a child").code().unwrap_or(-1);
    let told = reader.join().expect("a reader").expect("UTF-8");
    Cost {
        wall,
        cpu,
        peak: mib(peak << 10),
        written,
        told,
        code,
    }
}

/// Bytes as MiB.
#[allow(clippy::cast_precision_loss, reason = "figures for people")]
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The number behind a word in a file of /proc; 0 when the process is gone.
fn of(file: &str, word: &str) -> u64 {
    fs::read_to_string(file)
        .unwrap_or_default()
        .lines()
        .find_map(|line| {
            line.strip_prefix(word)?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or(0)
}

fn cpu_of(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the name in brackets, which may hold anything: user, system, and both of the children that were waited for.
    let ticks: f64 = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|word| word.parse::<f64>().ok())
        .sum();
    ticks / TICKS
}

/// Seconds of this thread's work: wall and processor.
#[allow(
    clippy::disallowed_methods,
    reason = "measuring time is what this is for"
)]
pub fn timed(work: impl FnOnce()) -> (f64, f64) {
    let (begin, before) = (Instant::now(), thread_cpu());
    work();
    (begin.elapsed().as_secs_f64(), thread_cpu() - before)
}

fn thread_cpu() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let word = text.split(' ').next().unwrap_or_default();
    word.parse::<f64>().expect("nanoseconds") / 1e9
}
