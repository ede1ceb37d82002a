use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::daemon::socket::ask;

/// A daemon in this process: commands `say N LETTER`, `wait MS`, `panic`; everything else is echoed.
struct House {
    folder: tempfile::TempDir,
    socket: PathBuf,
    stop: oneshot::Sender<()>,
    daemon: JoinHandle<std::io::Result<()>>,
    runs: Arc<AtomicUsize>,
}

fn command(request: &Request) -> Answer {
    let words: Vec<&str> = request.arguments.iter().map(String::as_str).collect();
    let mut answer = Answer {
        out: Vec::new(),
        err: Vec::new(),
        exit: 0,
    };
    match words.as_slice() {
        ["say", n, letter] => {
            let n: usize = n.parse().expect("a number");
            answer.out = letter.as_bytes().repeat(n);
            answer.err = b"!".repeat(n / 2);
            answer.exit = 1;
        }
        ["wait", ms] => {
            std::thread::sleep(Duration::from_millis(ms.parse().expect("a number")));
            answer.exit = 7;
        }
        ["panic"] => panic!("as asked"),
        _ => answer.out = format!("{} in {}", words.join(" "), request.folder).into_bytes(),
    }
    answer
}

async fn house(lines: &[&str], run_due: impl Fn(usize) + Send + Sync + 'static) -> House {
    house_at(
        tempfile::tempdir().expect("a folder"),
        "yingbao.sock",
        lines,
        run_due,
    )
    .await
}

async fn house_at(
    folder: tempfile::TempDir,
    name: &str,
    lines: &[&str],
    run_due: impl Fn(usize) + Send + Sync + 'static,
) -> House {
    let socket = folder.path().join(name);
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    let duties = Duties {
        socket: socket.clone(),
        cron_lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        run_due: Arc::new(move |_| run_due(count.fetch_add(1, Ordering::SeqCst))),
        run_command: Arc::new(|request| command(&request)),
        safety_s: 0.02,
    };
    let (stop, stopped) = oneshot::channel();
    let daemon = tokio::spawn(serve_until(duties, async {
        let _ = stopped.await;
    }));
    for _ in 0..500 {
        if socket.exists() || daemon.is_finished() {
            break;
        }
        sleep(Duration::from_millis(2)).await;
    }
    House {
        folder,
        socket,
        stop,
        daemon,
        runs,
    }
}

impl House {
    async fn end(self) {
        self.stop.send(()).expect("it runs");
        self.daemon.await.expect("no panic").expect("a clean end");
        assert!(!self.socket.exists(), "the socket is taken away");
        drop(self.folder);
    }
}

async fn asked(socket: &Path, words: &[&str]) -> (std::io::Result<Option<i32>>, Vec<u8>, Vec<u8>) {
    let socket = socket.to_owned();
    let request = Request {
        arguments: words.iter().map(|word| (*word).to_owned()).collect(),
        folder: "/somewhere".to_owned(),
    };
    spawn_blocking(move || {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = ask(&socket, &request, &mut out, &mut err);
        (exit, out, err)
    })
    .await
    .expect("no panic")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_comes_back_with_output_and_exit_code() {
    let house = house(&["30 8 * * *"], |_| {}).await;
    let mode = std::fs::metadata(&house.socket)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let (exit, out, err) = asked(&house.socket, &["status", "--json"]).await;
    assert_eq!(exit.expect("answered"), Some(0));
    assert_eq!(out, "status --json in /somewhere".as_bytes());
    assert!(err.is_empty());
    let many = 3 * FRAME_BYTES + 5;
    let (exit, out, err) = asked(&house.socket, &["say", &many.to_string(), "a"]).await;
    assert_eq!(exit.expect("answered"), Some(1));
    assert_eq!((out.len(), err.len()), (many, many / 2));
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_are_answered_each_with_its_own() {
    let house = house(&[], |_| {}).await;
    let clients: Vec<_> = (0..100)
        .map(|n: usize| {
            let socket = house.socket.clone();
            tokio::spawn(async move {
                let (exit, out, _) = asked(&socket, &["client", &n.to_string()]).await;
                (
                    exit.expect("answered"),
                    out == format!("client {n} in /somewhere").into_bytes(),
                )
            })
        })
        .collect();
    for client in clients {
        assert_eq!(client.await.expect("no panic"), (Some(0), true));
    }
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_and_foolish_clients_harm_nobody() {
    let house = house(&[], |_| {}).await;
    let silent: Vec<_> = (0..10)
        .map(|_| std::os::unix::net::UnixStream::connect(&house.socket).expect("listening"))
        .collect();
    for nonsense in ["\n", "{}\n", "GET / HTTP/1.1\r\n\r\n", "no end of line"] {
        let mut stream = std::os::unix::net::UnixStream::connect(&house.socket).expect("listening");
        stream.write_all(nonsense.as_bytes()).expect("taken");
        stream.shutdown(std::net::Shutdown::Write).expect("done");
        let mut answer = Vec::new();
        spawn_blocking(move || {
            stream.read_to_end(&mut answer).expect("answered");
            assert_eq!(answer.first(), Some(&Frame::Err.letter()));
            assert!(String::from_utf8_lossy(&answer).contains("YB-7312"));
        })
        .await
        .expect("no panic");
    }
    let (exit, ..) = asked(&house.socket, &["hello"]).await;
    assert_eq!(exit.expect("answered"), Some(0));
    // Those that still say nothing do not hold up the end.
    house.end().await;
    drop(silent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_contained_and_said() {
    let house = house(&[], |run| assert!(run != 0, "the first run breaks off")).await;
    let (exit, _, err) = asked(&house.socket, &["panic"]).await;
    assert_eq!(exit.expect("answered"), Some(3));
    assert!(String::from_utf8_lossy(&err).contains("YB-7311"));
    let (exit, ..) = asked(&house.socket, &["hello"]).await;
    assert_eq!(exit.expect("answered"), Some(0));
    for _ in 0..500 {
        if house.runs.load(Ordering::SeqCst) > 2 {
            break;
        }
        sleep(Duration::from_millis(2)).await;
    }
    assert!(
        house.runs.load(Ordering::SeqCst) > 2,
        "runs go on after a panic"
    );
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_never_overlap_and_the_end_waits_for_them() {
    let busy = Arc::new(AtomicUsize::new(0));
    let ended = Arc::new(AtomicUsize::new(0));
    let (busy_in, ended_in) = (Arc::clone(&busy), Arc::clone(&ended));
    let house = house(&["* * * * *"], move |_| {
        assert_eq!(
            busy_in.fetch_add(1, Ordering::SeqCst),
            0,
            "two runs at a time"
        );
        std::thread::sleep(Duration::from_millis(30));
        busy_in.fetch_sub(1, Ordering::SeqCst);
        ended_in.fetch_add(1, Ordering::SeqCst);
    })
    .await;
    let socket = house.socket.clone();
    let waiting = tokio::spawn(async move { asked(&socket, &["wait", "60"]).await });
    sleep(Duration::from_millis(30)).await;
    let runs = Arc::clone(&house.runs);
    house.end().await;
    assert_eq!(
        runs.load(Ordering::SeqCst),
        ended.load(Ordering::SeqCst),
        "a begun run is ended"
    );
    let (exit, ..) = waiting.await.expect("no panic");
    assert_eq!(
        exit.expect("answered"),
        Some(7),
        "a begun command is answered"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_where_nobody_listens() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("yingbao.sock");
    let (exit, ..) = asked(&socket, &["status"]).await;
    assert_eq!(exit.expect("no failure"), None, "no socket");
    // As a killed process leaves it.
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("bound"));
    let (exit, ..) = asked(&socket, &["status"]).await;
    assert_eq!(exit.expect("no failure"), None, "a stale socket");
    let house = house_at(folder, "yingbao.sock", &[], |_| {}).await;
    for _ in 0..500 {
        if let (Ok(Some(0)), ..) = asked(&house.socket, &["status"]).await {
            break;
        }
        sleep(Duration::from_millis(2)).await;
    }
    let (exit, ..) = asked(&house.socket, &["status"]).await;
    assert_eq!(
        exit.expect("answered"),
        Some(0),
        "the stale one was replaced"
    );
    let second = Listening::open(&house.socket)
        .err()
        .map(|error| error.kind());
    assert_eq!(second, Some(std::io::ErrorKind::AddrInUse));
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn something_else_in_the_sockets_place_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("yingbao.sock");
    std::fs::write(&place, "notes").expect("written");
    let refused = Listening::open(&place).err().map(|error| error.kind());
    assert_eq!(refused, Some(std::io::ErrorKind::AlreadyExists));
    assert_eq!(std::fs::read_to_string(&place).expect("there"), "notes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_path_is_no_hindrance() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep = folder.path().join("很深的目录".repeat(12));
    std::fs::create_dir(&deep).expect("a folder");
    let name = format!("{}/yingbao.sock", "很深的目录".repeat(12));
    let house = house_at(folder, &name, &[], |_| {}).await;
    let (exit, ..) = asked(&house.socket, &["status"]).await;
    assert_eq!(exit.expect("answered"), Some(0));
    house.end().await;
}

#[test]
fn a_foolish_interval_becomes_a_sound_one() {
    for (seconds, ms) in [
        (30.0, 30_000),
        (0.0, 10),
        (-1.0, 30_000),
        (f64::NAN, 30_000),
        (1e9, 3_600_000),
    ] {
        assert_eq!(safety(seconds), Duration::from_millis(ms), "{seconds}");
    }
}
