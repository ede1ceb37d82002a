//! The daemon's life: wake, plan, run, answer the socket, end cleanly.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;

use crate::daemon::socket::{Run, converse, listen};
use crate::daemon::wake;

/// Conversations at a time; more wait.
const CONVERSATIONS: usize = 16;

/// What runs may take so long to end when the daemon is told to.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the daemon is handed.
pub struct Duties {
    /// Path of the Unix socket.
    pub socket: PathBuf,
    /// Cron lines (five fields) that wake it.
    pub cron_lines: Vec<String>,
    /// Plans and runs everything due now; returns when done. Called on a blocking thread, never twice at a time. Between two
    /// jobs it asks whether to stop.
    pub run_due: Arc<dyn Fn(&dyn Fn() -> bool) + Send + Sync>,
    /// Runs one command line. Called on a blocking thread; the store itself orders writers.
    pub run_command: Run,
    /// Real seconds between safety wake-ups beside the cron lines (shorter when the clock is simulated).
    pub safety_s: f64,
}

/// Runs until SIGTERM or SIGINT, then stops accepting, lets what runs come to its end (at most a minute), and returns.
///
/// # Errors
/// The socket cannot be made, signals cannot be listened to.
pub async fn serve(duties: Duties) -> std::io::Result<()> {
    let listener = listen(&duties.socket)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let poke = Arc::new(Notify::new());
    let stop = tokio_util::sync::CancellationToken::new();
    let tracker = TaskTracker::new();
    let scheduler = match wake::start(&duties.cron_lines, Arc::clone(&poke)).await {
        Ok(scheduler) => Some(scheduler),
        Err(error) => {
            // The safety interval wakes the planner all the same; jobs are late by seconds, never lost.
            tracing::error!(%error, "cron wake-ups could not be started; the safety interval goes on");
            None
        }
    };
    tracker.spawn(worker(
        Arc::clone(&duties.run_due),
        Arc::clone(&poke),
        stop.clone(),
        duties.safety_s,
    ));
    let conversations = Arc::new(Semaphore::new(CONVERSATIONS));
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (run, conversations) = (Arc::clone(&duties.run_command), Arc::clone(&conversations));
                    tracker.spawn(async move {
                        let _permit = conversations.acquire_owned().await;
                        converse(stream, run).await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    tracing::info!("ending");
    drop(listener);
    let _ = std::fs::remove_file(&duties.socket);
    stop.cancel();
    if let Some(mut scheduler) = scheduler {
        let _ = scheduler.shutdown().await;
    }
    tracker.close();
    if tokio::time::timeout(PATIENCE, tracker.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            "something still ran after a minute; it will be made up for at the next start"
        );
    }
    Ok(())
}

/// Runs what is due, one run at a time: at once, then at every poke, and at the latest after the safety interval.
async fn worker(
    run_due: Arc<dyn Fn(&dyn Fn() -> bool) + Send + Sync>,
    poke: Arc<Notify>,
    stop: tokio_util::sync::CancellationToken,
    safety_s: f64,
) {
    while !stop.is_cancelled() {
        let (run, token) = (Arc::clone(&run_due), stop.clone());
        if let Err(error) = tokio::task::spawn_blocking(move || run(&|| token.is_cancelled())).await
        {
            tracing::error!(%error, "due jobs");
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = poke.notified() => {}
            () = tokio::time::sleep(Duration::from_secs_f64(safety_s)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::socket::{Answer, Request, ask};

    fn duties(folder: &std::path::Path) -> Duties {
        Duties {
            socket: folder.join("test.sock"),
            cron_lines: vec!["30 8 * * *".into(), "0 9 1 * *".into()],
            run_due: Arc::new(|_| {}),
            run_command: Arc::new(|request| {
                assert_ne!(request.arguments[0], "panic", "asked to");
                Answer {
                    out: request.arguments[0].repeat(200_000).into_bytes(),
                    err: request.folder.into_bytes(),
                    exit: 7,
                }
            }),
            safety_s: 0.05,
        }
    }

    fn say(socket: &std::path::Path, word: &str) -> (Vec<u8>, Vec<u8>, Option<i32>) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let request = Request {
            arguments: vec![word.into()],
            folder: "/folder".into(),
        };
        let code = ask(socket, &request, &mut out, &mut err).unwrap();
        (out, err, code)
    }

    #[test]
    fn it_answers_many_at_once_survives_a_panic_and_a_silent_client() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("test.sock");
        assert_eq!(say(&socket, "a").2, None, "nobody listens yet");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .worker_threads(2)
            .build()
            .unwrap();
        // A file left by a killed process is replaced.
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        let served = runtime.spawn(serve(duties(folder.path())));
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _silent = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let socket = socket.clone();
                std::thread::spawn(move || say(&socket, "abc"))
            })
            .collect();
        for client in clients {
            let (out, err, code) = client.join().unwrap();
            assert_eq!(
                (out.len(), err.as_slice(), code),
                (600_000, b"/folder".as_slice(), Some(7))
            );
        }
        assert_eq!(say(&socket, "panic").2, Some(3));
        assert_eq!(say(&socket, "x").2, Some(7));
        served.abort();
    }
}
