//! `serve`: the daemon. Here the rooms are wired: schedules to tasks, the socket to commands.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use jiff::Timestamp;

use crate::cli::arguments::Arguments;
use crate::cli::console::Console;
use crate::cli::dispatch::{SOCKET, command};
use crate::cli::session::{Place, Session, open};
use crate::courier::Couriers;
use crate::daemon::plan::{Activation, plan};
use crate::daemon::serve::{Duties, serve};
use crate::daemon::socket::{Answer, Request};
use crate::domain::event::{Event, RunOutcome};
use crate::tasks::{Desk, Failure, job};

/// Real seconds between safety wake-ups on the wall clock.
const SAFETY_S: f64 = 30.0;

/// What is left for threads when everything that could end has ended.
const LAST_SECOND: std::time::Duration = std::time::Duration::from_secs(1);

/// Simulated seconds that a simulated clock may run on between two wake-ups.
const SIMULATED_SAFETY_S: f64 = 600.0;

/// Runs until SIGTERM or SIGINT. Exit 0 clean, 2 configuration, 3 environment.
pub fn run(place: &Place, console: &mut Console<'_>) -> i32 {
    let session = match open(place) {
        Ok(session) => Arc::new(session),
        Err(unopened) => return unopened.report(console),
    };
    let couriers = match session.couriers() {
        Ok(couriers) => Arc::new(couriers),
        Err(failure) => {
            console.message(failure.to_string());
            return failure.exit_code();
        }
    };
    if let Err(failure) = put_in_force(session.desk()) {
        console.message(failure.to_string());
        return failure.exit_code();
    }
    let since = session.clock.now();
    tracing::info!(at = %since, jobs = session.configuration.schedules.len(), live = couriers.live(), "serving");
    let duties = duties(&session, couriers, since);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(source) => {
            let failure = Failure::Io {
                what: "启动守护进程运行时".to_owned(),
                source,
            };
            console.message(failure.to_string());
            return failure.exit_code();
        }
    };
    let ended = runtime.block_on(serve(duties));
    // Work that did not end in its last minute keeps its thread; it must not keep the process.
    runtime.shutdown_timeout(LAST_SECOND);
    match ended {
        Ok(()) => {
            tracing::info!("ended");
            0
        }
        Err(error) => {
            console.message(format!(
                "[YB-7303] 守护进程无法建立套接字：{error}。处理：检查状态目录权限。"
            ));
            3
        }
    }
}

fn duties(session: &Arc<Session>, couriers: Arc<Couriers>, since: Timestamp) -> Duties {
    let speed = session.clock.speed();
    let for_jobs = Arc::clone(session);
    let for_commands = Arc::clone(session);
    Duties {
        socket: session.configuration.home.state.join(SOCKET),
        cron_lines: session
            .configuration
            .schedules
            .iter()
            .filter(|schedule| schedule.enabled)
            .map(|schedule| schedule.cron.clone())
            .collect(),
        run_due: Arc::new(move |stop| {
            if let Err(failure) = run_due(&for_jobs, &couriers, since, stop) {
                tracing::error!(%failure, "due jobs");
            }
            for_jobs.store.rest();
        }),
        run_command: Arc::new(move |request| answer(&for_commands, &request)),
        safety_s: if speed > 1.0 {
            (SIMULATED_SAFETY_S / speed).clamp(0.02, SAFETY_S)
        } else {
            SAFETY_S
        },
    }
}

/// Keeps every file of the configuration in the archive and journals the digests that have changed.
///
/// # Errors
/// The store.
pub fn put_in_force(desk: Desk<'_>) -> Result<(), Failure> {
    let known = desk.store.in_force()?;
    let mut events = Vec::new();
    for (name, text) in &desk.configuration.files {
        let digest = desk.store.archive_bytes(text.as_bytes())?;
        if known.get(name) != Some(&digest) {
            events.push(Event::InForce {
                name: name.clone(),
                digest,
            });
        }
    }
    desk.store.commit(desk.now, "configuration", events)?;
    Ok(())
}

/// Plans and runs everything that is due, until nothing is.
fn run_due(
    session: &Session,
    couriers: &Couriers,
    since: Timestamp,
    stop: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    loop {
        let now = session.clock.now();
        let ledger = session.store.runs()?;
        let due = plan(
            now,
            since,
            &session.configuration.schedules,
            &ledger,
            &session.configuration.calendar,
        );
        if due.is_empty() {
            return Ok(());
        }
        for activation in due {
            // What is not begun is due again at the next start.
            if stop() {
                return Ok(());
            }
            activate(session.desk_at(now), couriers, &activation)?;
        }
    }
}

/// Runs one activation, or records it as missed.
///
/// # Errors
/// The store; what a task fails of is an outcome.
pub fn activate(
    desk: Desk<'_>,
    couriers: &Couriers,
    activation: &Activation,
) -> Result<(), Failure> {
    let (outcome, summary) = if activation.run {
        // A panic is a bug of one task; the others and the daemon go on, and the run ledger says it.
        std::panic::catch_unwind(AssertUnwindSafe(|| {
            job::run(desk, couriers, &activation.task)
        }))
        .unwrap_or_else(|_| {
            (
                RunOutcome::Failed,
                "[YB-4199] 任务内部错误。处理：查看日志并联系维护人员。".to_owned(),
            )
        })
    } else {
        (RunOutcome::Missed, "该时点没有运行，按设置不补".to_owned())
    };
    tracing::info!(job = activation.job, slot = %activation.slot, ?outcome, summary, "job");
    let event = Event::Ran {
        job: activation.job.clone(),
        slot: activation.slot,
        outcome,
        summary,
    };
    desk.store.commit(desk.now, "schedule", vec![event])?;
    Ok(())
}

/// A command line that came over the socket.
fn answer(session: &Session, request: &Request) -> Answer {
    let words = std::iter::once("yingbao").chain(request.arguments.iter().map(String::as_str));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = match Arguments::try_parse_from(words) {
        Err(error) => {
            err.extend_from_slice(error.to_string().as_bytes());
            error.exit_code()
        }
        Ok(arguments) => {
            let mut input = std::io::empty();
            let mut console = Console {
                out: &mut out,
                err: &mut err,
                input: &mut input,
                json: arguments.json,
                terminal: false,
            };
            command(
                &arguments.command,
                session,
                Path::new(&request.folder),
                &mut console,
            )
        }
    };
    Answer { out, err, exit }
}
