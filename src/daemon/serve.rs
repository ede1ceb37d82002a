//! The daemon's life: wake, plan, run, answer the socket, end cleanly.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::daemon::socket::{
    Answer, FRAME_BYTES, Frame, Listening, REQUEST_BYTES, Request, SIGN_OF_LIFE,
};
use crate::daemon::wake::Wake;

/// How long a client may take to say what it wants.
const LISTEN_TIME: Duration = Duration::from_secs(5);

/// How long a client may take to accept one frame.
const FRAME_TIME: Duration = Duration::from_secs(10);

/// How long work that runs may go on after the signal to end.
const LAST_MINUTE: Duration = Duration::from_secs(60);

/// Clients at a time; the next wait to be accepted.
const CLIENTS: usize = 64;

/// Commands at a time; the next wait in line.
const COMMANDS: usize = 4;

/// Plans and runs everything due; the argument says whether the daemon is ending.
pub type RunDue = Arc<dyn Fn(&dyn Fn() -> bool) + Send + Sync>;

/// What the daemon is handed.
pub struct Duties {
    /// Path of the Unix socket.
    pub socket: PathBuf,
    /// Cron lines (five fields) that wake it.
    pub cron_lines: Vec<String>,
    /// Plans and runs everything due now; returns when done. Called on a blocking thread, never twice at a time. Between two jobs
    /// it asks whether the daemon is ending; what is not begun is due again at the next start.
    pub run_due: RunDue,
    /// Runs one command line. Called on a blocking thread, never at the same time as `run_due`'s commits need it
    /// (the store itself orders writers).
    pub run_command: Arc<dyn Fn(Request) -> Answer + Send + Sync>,
    /// Real seconds between safety wake-ups beside the cron lines (shorter when the clock is simulated).
    pub safety_s: f64,
}

/// Runs until SIGTERM or SIGINT, then stops accepting, lets what runs come to its end (at most a minute), and returns.
/// Work that has not ended by then still holds its thread: end the runtime with `shutdown_timeout`, not by dropping it.
///
/// # Errors
/// The socket cannot be made.
pub async fn serve(duties: Duties) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: ending"),
            _ = interrupt.recv() => tracing::info!("SIGINT: ending"),
        }
    };
    serve_until(duties, stop).await
}

/// As [`serve`], until `stop` comes to its end.
///
/// # Errors
/// The socket cannot be made.
pub async fn serve_until(duties: Duties, stop: impl Future<Output = ()>) -> std::io::Result<()> {
    let listening = Listening::open(&duties.socket)?;
    let poke = Arc::new(Notify::new());
    let wake = Wake::start(&duties.cron_lines, &poke)
        .await
        .inspect_err(|error| {
            tracing::error!(%error, "no scheduler; the safety interval wakes alone");
        })
        .ok();
    let ending = CancellationToken::new();
    let work = TaskTracker::new();
    work.spawn(keep_running(
        Arc::clone(&duties.run_due),
        safety(duties.safety_s),
        poke,
        ending.clone(),
    ));
    let desk = Desk {
        run_command: duties.run_command,
        commands: Arc::new(Semaphore::new(COMMANDS)),
        ending: ending.clone(),
        owner: listening.owner,
    };
    tokio::pin!(stop);
    tokio::select! {
        () = accept(&listening, &desk, &work) => {}
        () = &mut stop => {}
    }
    ending.cancel();
    drop(listening);
    work.close();
    if timeout(LAST_MINUTE, work.wait()).await.is_err() {
        tracing::error!("work still running after the last minute is left behind");
    }
    if let Some(wake) = wake {
        wake.stop().await;
    }
    Ok(())
}

/// The safety interval; nonsense becomes half a minute.
fn safety(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds)
        .unwrap_or(Duration::from_secs(30))
        .clamp(Duration::from_millis(10), Duration::from_secs(3600))
}

/// Runs what is due at once, then at every poke and after every safety interval, one run at a time. A poke during a run is
/// kept and makes one more.
async fn keep_running(
    run_due: RunDue,
    safety: Duration,
    poke: Arc<Notify>,
    ending: CancellationToken,
) {
    while !ending.is_cancelled() {
        let (run, token) = (Arc::clone(&run_due), ending.clone());
        if let Err(error) = spawn_blocking(move || run(&|| token.is_cancelled())).await {
            tracing::error!(code = "YB-7311", %error, "a run of what was due broke off; the daemon goes on");
        }
        tokio::select! {
            () = ending.cancelled() => {}
            () = poke.notified() => {}
            () = sleep(safety) => {}
        }
    }
}

/// Takes clients for ever.
async fn accept(listening: &Listening, desk: &Desk, work: &TaskTracker) {
    let seats = Arc::new(Semaphore::new(CLIENTS));
    loop {
        let Ok(seat) = Arc::clone(&seats).acquire_owned().await else {
            return;
        };
        match listening.listener.accept().await {
            Ok((stream, _)) => {
                let desk = desk.clone();
                work.spawn(async move {
                    if let Err(error) = desk.attend(stream).await {
                        tracing::warn!(%error, "a client was given up");
                    }
                    drop(seat);
                });
            }
            Err(error) => {
                // Out of descriptors, most likely: a moment later some are free.
                tracing::warn!(%error, "a client could not be accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// What answers clients.
#[derive(Clone)]
struct Desk {
    run_command: Arc<dyn Fn(Request) -> Answer + Send + Sync>,
    commands: Arc<Semaphore>,
    ending: CancellationToken,
    owner: u32,
}

impl Desk {
    /// One client from request to exit code.
    async fn attend(&self, stream: UnixStream) -> std::io::Result<()> {
        // The file's mode keeps others out; this holds even where a mount ignores modes.
        let caller = stream.peer_cred()?.uid();
        if caller != self.owner && caller != 0 {
            tracing::warn!(caller, "a client of another account was turned away");
            return Ok(());
        }
        let (read, mut write) = stream.into_split();
        let request = tokio::select! {
            () = self.ending.cancelled() => return Ok(()),
            heard = timeout(LISTEN_TIME, hear(BufReader::new(read))) => heard??,
        };
        let answer = match request {
            None => refusal(
                2,
                "[YB-7312] 请求无法读出。处理：使用与服务同一版本的 yingbao 命令。",
            ),
            Some(request) => {
                let answer = self.run(request);
                tokio::pin!(answer);
                loop {
                    tokio::select! {
                        answer = &mut answer => break answer,
                        () = sleep(SIGN_OF_LIFE) => send(&mut write, Frame::Alive, &[]).await?,
                    }
                }
            }
        };
        for (frame, bytes) in [(Frame::Out, &answer.out), (Frame::Err, &answer.err)] {
            for chunk in bytes.chunks(FRAME_BYTES) {
                send(&mut write, frame, chunk).await?;
            }
        }
        send(&mut write, Frame::Exit, &answer.exit.to_be_bytes()).await
    }

    /// Waits in line, runs, and contains whatever breaks.
    async fn run(&self, request: Request) -> Answer {
        let turn = tokio::select! {
            () = self.ending.cancelled() => None,
            turn = Arc::clone(&self.commands).acquire_owned() => turn.ok(),
        };
        let Some(turn) = turn else {
            return refusal(
                3,
                "[YB-7313] 服务正在停止，命令没有执行。处理：等服务重新启动后再试。",
            );
        };
        let run = Arc::clone(&self.run_command);
        // The turn goes along: a client that leaves does not free it before its command has ended.
        let ran = spawn_blocking(move || {
            let answer = run(request);
            drop(turn);
            answer
        })
        .await;
        ran.unwrap_or_else(|error| {
            tracing::error!(code = "YB-7311", %error, "a command broke off; the daemon goes on");
            refusal(
                3,
                "[YB-7311] 命令执行中程序出错，该命令已中止，服务继续运行。处理：查看服务日志中的 YB-7311，交维护人员。",
            )
        })
    }
}

fn refusal(exit: i32, text: &str) -> Answer {
    Answer {
        out: Vec::new(),
        err: format!("{text}\n").into_bytes(),
        exit,
    }
}

/// One line of JSON, no longer than it may be; `None` when it is no request.
async fn hear(read: impl tokio::io::AsyncBufRead + Unpin) -> std::io::Result<Option<Request>> {
    let mut line = Vec::new();
    let most = u64::try_from(REQUEST_BYTES).unwrap_or(u64::MAX);
    read.take(most).read_until(b'\n', &mut line).await?;
    if line.last() != Some(&b'\n') {
        return Ok(None);
    }
    Ok(serde_json::from_slice(&line).ok())
}

async fn send(
    write: &mut (impl AsyncWriteExt + Unpin),
    frame: Frame,
    body: &[u8],
) -> std::io::Result<()> {
    timeout(FRAME_TIME, async {
        write.write_all(&frame.head(body.len())).await?;
        write.write_all(body).await?;
        write.flush().await
    })
    .await?
}

#[cfg(test)]
mod tests;
