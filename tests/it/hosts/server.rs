//! Servers of our own under a temporary folder, as a user who may do nothing; stopped when dropped.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// `nobody`.
const NOBODY: u32 = 65534;

/// Whom the servers run as when the tests run as root.
pub fn lesser_user() -> Option<u32> {
    fs::metadata("/proc/self")
        .is_ok_and(|own| own.uid() == 0)
        .then_some(NOBODY)
}

/// The name of the user the servers run as.
pub fn user() -> String {
    if lesser_user().is_some() {
        return "nobody".to_owned();
    }
    let output = Command::new("id").arg("-un").output().expect("id");
    String::from_utf8(output.stdout)
        .expect("a name")
        .trim()
        .to_owned()
}

/// A line past the harness, which keeps what passing tests print.
pub fn skip(why: &str) {
    let line = format!("\nskipped: files from a real server: {why}\n");
    std::io::stderr()
        .lock()
        .write_all(line.as_bytes())
        .expect("standard error");
}

/// Runs to a good end.
pub fn must(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Ports that were free a moment ago.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [0; N].map(|_| TcpListener::bind("127.0.0.1:0").expect("port"));
    listeners.map(|listener| listener.local_addr().expect("address").port())
}

/// A server that runs.
pub struct Server {
    child: Child,
}

impl Server {
    /// Starts it and waits for its port.
    pub fn start(program: &Path, arguments: &[&str], port: u16, log: &Path) -> Self {
        let said = fs::File::create(log).expect("log");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(said.try_clone().expect("log"))
            .stderr(said);
        if let Some(user) = lesser_user() {
            command.uid(user).gid(user);
        }
        let mut child = command.spawn().expect("the server starts");
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Self { child };
            }
            let ended = child.try_wait().expect("a state");
            assert!(
                ended.is_none(),
                "{} ended\n{}",
                program.display(),
                fs::read_to_string(log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!(
            "{} does not listen\n{}",
            program.display(),
            fs::read_to_string(log).unwrap_or_default()
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
