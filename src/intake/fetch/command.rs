//! A program of the operator's that writes JSON lines: the way out for a source that nothing else reaches.
//!
//! It is started without a shell, without input, with a bare environment, in an empty folder of its own, as the leader
//! of a process group that is ended as a whole. Its memory is limited from outside right after the start: a limit set
//! in the child before it runs would need code that can not be proved safe.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use jiff::civil::Date;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, geteuid, kill_process_group, prlimit,
    waitid,
};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Child;

use crate::adapter::transport::Command;
use crate::domain::record::Month;
use crate::intake::fetch::spooled::{self, Spooled};
use crate::intake::fetch::{Errand, Fetched, Unfetched, filled};

/// What is kept of the end of its error output, bytes.
const TAIL: usize = 4 << 10;

/// Exit code of a program that has nothing yet (`EX_TEMPFAIL` of sysexits.h).
const NOTHING_YET: i32 = 75;

/// Full months that are asked for until they have come: a month that is late is not forgotten when the next begins.
const MONTHS: i32 = 3;

/// Until its output ends once it has ended itself and all it started.
const GRACE: Duration = Duration::from_secs(5);

/// Open files it may have.
const FILES: u64 = 256;

/// Fetches the first output with a content that was not taken yet, of the last full months when the arguments name the month.
pub fn fetch(errand: &Errand<'_>, command: &Command) -> Result<Fetched, Unfetched> {
    let program = program(errand, &command.endpoint)?;
    let name_of = |arguments: &[String]| {
        let mut words = vec![command.endpoint.as_str()];
        words.extend(arguments.iter().map(String::as_str));
        words.join(" ")
    };
    let mut not_yet = Unfetched::not_yet(format!("{}尚无新数据", errand.adapter.title));
    let newest: Vec<String> = command
        .arguments
        .iter()
        .map(|argument| filled(argument, errand.today))
        .collect();
    for arguments in rounds(command, errand.today) {
        let name = name_of(&arguments);
        // The newest is asked for again even when it was taken: it may have been corrected.
        if arguments != newest && (errand.taken)(&name, "") {
            continue;
        }
        match run(errand, &program, &arguments, &name) {
            Ok(fetched) if (errand.taken)(&name, &fetched.digest) => {
                let _ = fs::remove_file(&fetched.path);
            }
            Ok(fetched) => return Ok(fetched),
            Err(unfetched) if unfetched.not_yet => not_yet = unfetched,
            Err(unfetched) => return Err(unfetched),
        }
    }
    Err(not_yet)
}

/// The arguments, once for each of the last full months where they name the month, oldest first.
fn rounds(command: &Command, today: Date) -> Vec<Vec<String>> {
    let names_month = |argument: &String| argument.contains("{period}");
    let months = if command.arguments.iter().any(names_month) {
        MONTHS
    } else {
        1
    };
    (0..months)
        .rev()
        .map(|back| {
            let month = Month::of(today).plus(-back).first_day();
            let day = |argument: &String| {
                // The day stays today's; only the month goes back.
                if names_month(argument) {
                    filled(&filled_day(argument, today), month)
                } else {
                    filled(argument, today)
                }
            };
            command.arguments.iter().map(day).collect()
        })
        .collect()
}

/// The argument with today in place of `{day}`.
fn filled_day(argument: &str, today: Date) -> String {
    argument.replace("{day}", &filled("{day}", today))
}

/// The program of the address, when nobody but root and us can have put it there.
fn program(errand: &Errand<'_>, endpoint: &str) -> Result<PathBuf, Unfetched> {
    let Some(path) = &errand.endpoint.program else {
        return Err(Unfetched::wrong(
            "YB-2446",
            format!("地址“{endpoint}”没有 program。处理：在 [endpoints] 中写明程序的绝对路径"),
        ));
    };
    let wrong = |what: &str| {
        Unfetched::wrong(
            "YB-2440",
            format!(
                "程序 {} {what}，不予运行。处理：由 root 或运行本程序的账户持有，其他账户不可写（连同各级目录）",
                path.display()
            ),
        )
    };
    if !path.is_absolute() {
        return Err(wrong("不是绝对路径"));
    }
    let real = fs::canonicalize(path).map_err(|_| wrong("不存在或不能读取"))?;
    let own = geteuid().as_raw();
    for (at, step) in real.ancestors().enumerate() {
        let about = fs::metadata(step).map_err(|_| wrong("不能读取"))?;
        if at == 0 && (!about.is_file() || about.mode() & 0o111 == 0) {
            return Err(wrong("不是可执行文件"));
        }
        // In a folder like /tmp others may write, but not touch what is not theirs.
        let is_sticky = at > 0 && about.mode() & 0o1000 != 0;
        if about.uid() != 0 && about.uid() != own {
            return Err(wrong("或其目录归其他账户所有"));
        }
        if about.mode() & 0o022 != 0 && !is_sticky {
            return Err(wrong("或其目录可由其他账户改写"));
        }
    }
    Ok(real)
}

fn run(
    errand: &Errand<'_>,
    program: &Path,
    arguments: &[String],
    name: &str,
) -> Result<Fetched, Unfetched> {
    let limits = &errand.adapter.limits;
    let mut spooled = Spooled::new(errand.adapter, errand.spool)?;
    let folder = tempfile::Builder::new()
        .prefix(&format!("{}-", errand.adapter.name))
        .tempdir_in(errand.spool)
        .map_err(|error| spooled::failed(&error))?;
    let ended = errand.runtime.block_on(async {
        let mut child = start(program, arguments, folder.path())?;
        let group = Group::of(&child)?;
        limit(group.leader, limits.program_bytes, limits.file_bytes);
        let time = Duration::from_secs(u64::from(limits.fetch_seconds));
        let watched = watch(&mut child, &group, &mut spooled);
        match tokio::time::timeout(time, watched).await {
            Ok(ended) => ended,
            Err(_) => Err(Unfetched::wrong(
                "YB-2443",
                format!(
                    "程序运行超过{}秒，已中止。处理：检查程序；确需更久时调高 limits.fetch_seconds",
                    limits.fetch_seconds
                ),
            )),
        }
    });
    let (status, said) = ended?;
    judge(status, &said)?;
    spooled.finish(name)
}

fn start(program: &Path, arguments: &[String], folder: &Path) -> Result<Child, Unfetched> {
    let folder = std::path::absolute(folder).map_err(|error| spooled::failed(&error))?;
    tokio::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LANG", "C.UTF-8")
        .env("HOME", &folder)
        .env("TMPDIR", &folder)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            Unfetched::wrong(
                "YB-2441",
                format!(
                    "程序不能启动（{}）。处理：核对程序的执行权限和解释器",
                    error.kind()
                ),
            )
        })
}

/// A process group of ours, ended at the latest when it goes out of sight: before its leader is reaped, so that its
/// number can belong to nobody else.
struct Group {
    leader: Pid,
    is_ended: Cell<bool>,
}

impl Group {
    fn of(child: &Child) -> Result<Self, Unfetched> {
        child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw)
            .map(|leader| Self {
                leader,
                is_ended: Cell::new(false),
            })
            .ok_or_else(|| Unfetched::wrong("YB-2441", "程序不能启动。处理：重试"))
    }

    fn end(&self) {
        if !self.is_ended.replace(true) {
            let _ = kill_process_group(self.leader, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// What it starts inherits the limits.
fn limit(pid: Pid, memory: u64, file: u64) {
    let most = |value| Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    for (resource, value) in [
        (Resource::As, memory),
        (Resource::Fsize, file),
        (Resource::Nofile, FILES),
        (Resource::Core, 0),
    ] {
        // It may have ended already.
        let _ = prlimit(Some(pid), resource, most(value));
    }
}

/// Spools its output until it ends; then ends what it left behind.
async fn watch(
    child: &mut Child,
    group: &Group,
    spooled: &mut Spooled,
) -> Result<(ExitStatus, String), Unfetched> {
    let broken = || {
        Unfetched::wrong(
            "YB-2444",
            "读取程序输出失败。处理：重试；持续出现请检查系统资源",
        )
    };
    let mut output = child.stdout.take().ok_or_else(broken)?;
    let errors = child.stderr.take().ok_or_else(broken)?;
    let leader = group.leader;
    // Looked at, not reaped: until the group is ended its number must stay taken.
    let ended = tokio::task::spawn_blocking(move || {
        loop {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            match waitid(WaitId::Pid(leader), options) {
                Err(rustix::io::Errno::INTR) => {}
                _ => return,
            }
        }
    });
    let reading = async {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match output.read(&mut buffer).await {
                Ok(0) => return Ok(()),
                Ok(read) => spooled.write(&buffer[..read])?,
                Err(_) => return Err(broken()),
            }
        }
    };
    let all = async { tokio::try_join!(reading, async { Ok(tail(errors).await) }) };
    tokio::pin!(all, ended);
    let read = tokio::select! {
        read = &mut all => {
            // Nothing more is wanted of a program whose output can not be used.
            if read.is_ok() {
                let _ = ended.await;
            }
            group.end();
            read
        }
        _ = &mut ended => {
            group.end();
            tokio::time::timeout(GRACE, all).await.map_err(|_| broken())?
        }
    };
    let status = child.wait().await.map_err(|_| broken())?;
    let ((), said) = read?;
    Ok((status, said))
}

/// The end of what it wrote.
async fn tail(mut from: impl AsyncRead + Unpin) -> String {
    let mut kept: VecDeque<u8> = VecDeque::with_capacity(2 * TAIL);
    let mut buffer = vec![0; TAIL];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        kept.extend(&buffer[..read]);
        let over = kept.len().saturating_sub(TAIL);
        kept.drain(..over);
    }
    masked(&String::from_utf8_lossy(kept.make_contiguous()))
}

fn judge(status: ExitStatus, said: &str) -> Result<(), Unfetched> {
    use std::os::unix::process::ExitStatusExt as _;
    let said = if said.is_empty() {
        String::new()
    } else {
        format!("；程序输出：{said}")
    };
    match status.code() {
        Some(0) => Ok(()),
        Some(NOTHING_YET) => Err(Unfetched::not_yet(format!("程序尚无数据可交{said}"))),
        Some(code) => Err(Unfetched::wrong(
            "YB-2442",
            format!("程序以退出码 {code} 结束，输出不予采用。处理：检查程序{said}"),
        )),
        None => Err(Unfetched::wrong(
            "YB-2445",
            format!(
                "程序被信号 {} 中止，输出不予采用。处理：检查程序；内存不足时调高 limits.program_bytes{said}",
                status.signal().unwrap_or_default()
            ),
        )),
    }
}

/// What a program said, fit to be shown: on one line, without long numbers, without what follows a word for a secret.
fn masked(text: &str) -> String {
    const SECRETS: [&str; 9] = [
        "password", "passwd", "pwd", "secret", "token", "apikey", "key", "口令", "密码",
    ];
    let mut shown = String::new();
    let mut hides_next = false;
    for word in text.split_whitespace() {
        if !shown.is_empty() {
            shown.push(' ');
        }
        let lower = word.to_lowercase();
        // `password=x`, `"token":"x"`, and a connection address with a password in it.
        let sign = word.find(['=', ':', '：']);
        let names_secret = |part: &str| SECRETS.iter().any(|secret| part.contains(secret));
        let address = word.find("://").is_some_and(|at| word[at..].contains('@'));
        if hides_next || address {
            shown.push_str("***");
            hides_next = false;
        } else if let Some(at) = sign.filter(|at| lower.get(..*at).is_none_or(names_secret)) {
            let after = word[at..].chars().next().map_or(1, char::len_utf8);
            shown.push_str(&word[..at + after]);
            if word.len() == at + after {
                hides_next = true;
            } else {
                shown.push_str("***");
            }
        } else {
            hides_next = SECRETS
                .iter()
                .any(|secret| lower.trim_matches(['-', '"', '\'']) == *secret);
            shown.push_str(&without_numbers(word));
        }
    }
    shown
}

/// Runs of six digits and more are phone numbers, codes, identity numbers.
fn without_numbers(word: &str) -> String {
    let mut shown = String::new();
    let mut digits = String::new();
    for c in word.chars().chain(std::iter::once('\n')) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if digits.len() >= 6 {
            shown.push_str("******");
        } else {
            shown.push_str(&digits);
        }
        digits.clear();
        if !c.is_control() {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests;
