//! From argv to a command: where it runs (here, or in the daemon that holds the store), and its exit code.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use crate::cli::arguments::{Arguments, ClassifyArguments, CodeCommand, Command};
use crate::cli::console::Console;
use crate::cli::session::{Place, Session, Unopened, configuration, opened};
use crate::cli::{
    batches, cases, changes, check, codes, demo, draft, enterprise, identity, list, notices,
    preview, pull, run, schedules, serve, status, survey,
};
use crate::config::settings::Overrides;
use crate::daemon::socket::{Request, ask};

/// Name of the socket in the state folder.
pub const SOCKET: &str = "yingbao.sock";

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    // One TLS stack for everything, chosen once; a second choice would be refused, and that is no fault.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let argv: Vec<OsString> = std::env::args_os().collect();
    let arguments = match Arguments::try_parse_from(&argv) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let (stdout, stderr, stdin) = (std::io::stdout(), std::io::stderr(), std::io::stdin());
    let terminal = stderr.is_terminal();
    tracing_to_stderr(matches!(arguments.command, Command::Serve));
    let mut out = std::io::BufWriter::new(stdout.lock());
    let mut err = stderr;
    let mut input = BufReader::new(stdin.lock());
    let mut console = Console {
        out: &mut out,
        err: &mut err,
        input: &mut input,
        json: arguments.json,
        terminal,
    };
    let place = place(&arguments);
    let words: Vec<String> = argv
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let code = execute(&arguments, &place, words, &mut console);
    let _ = console.out.flush();
    ExitCode::from(u8::try_from(code).unwrap_or(3))
}

/// Logs go to standard error: warnings for commands, everything that happens for the daemon. `YINGBAO_LOG` overrides.
fn tracing_to_stderr(serving: bool) {
    let default = if serving {
        "info,reqwest=warn,hyper=warn,sled=warn,tokio_cron_scheduler=warn"
    } else {
        "warn,sled=error"
    };
    let filter = environment()
        .get("YINGBAO_LOG")
        .and_then(|filter| tracing_subscriber::EnvFilter::try_new(filter).ok())
        .unwrap_or_else(|| tracing_subscriber::EnvFilter::new(default));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

/// The variables whose name begins with `YINGBAO_`.
#[allow(
    clippy::disallowed_methods,
    reason = "the command line is where the environment is read, once, as a value"
)]
fn environment() -> BTreeMap<String, String> {
    std::env::vars()
        .filter(|(name, _)| name.starts_with("YINGBAO_"))
        .collect()
}

fn place(arguments: &Arguments) -> Place {
    let mut environment = environment();
    environment.remove("YINGBAO_LOG");
    let named = environment.remove("YINGBAO_HOME").map(PathBuf::from);
    Place {
        home: arguments.home.clone().or(named),
        state: arguments.state.clone(),
        overrides: Overrides {
            environment,
            endpoints: BTreeMap::new(),
        },
    }
}

/// Runs one command line: without a store, in the daemon when one listens, else here.
pub fn execute(
    arguments: &Arguments,
    place: &Place,
    words: Vec<String>,
    console: &mut Console<'_>,
) -> i32 {
    match &arguments.command {
        Command::Demo(options) => return demo::run(options, console),
        Command::Serve => return serve::run(place, console),
        Command::Check(options) => return check::run(place, options, console),
        Command::Draft(options) => return draft::run(options, console),
        Command::Code(CodeCommand::Check { codes: wanted }) => {
            return codes::check(console, wanted);
        }
        Command::Classify(options) if options.compare.is_none() => {
            return codes::classify_here(place, console);
        }
        _ => {}
    }
    let configuration = match configuration(place) {
        Ok(configuration) => configuration,
        Err(unopened) => return unopened.report(console),
    };
    let socket = configuration.home.state.join(SOCKET);
    let folder = std::env::current_dir()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let request = Request {
        arguments: words,
        folder: folder.clone(),
    };
    match ask(&socket, &request, console.out, console.err) {
        Ok(Some(code)) => return code,
        Ok(None) => {}
        Err(error) => {
            console.message(format!(
                "[YB-7301] 守护进程没有完成应答：{error}。处理：查看守护进程日志后重试；已提交的操作不会丢失。"
            ));
            return 3;
        }
    }
    if let Command::Pull(options) = &arguments.command {
        match pull::known(&configuration, options, Path::new(&folder), console) {
            Ok(None) => {}
            Ok(Some(code)) => return code,
            Err(failure) => return Unopened::Failure(failure).report(console),
        }
    }
    match opened(configuration) {
        Ok(session) => command(&arguments.command, &session, Path::new(&folder), console),
        Err(unopened) => unopened.report(console),
    }
}

/// Runs a command on an open store. Relative paths start at `folder`.
pub fn command(
    command: &Command,
    session: &Session,
    folder: &Path,
    console: &mut Console<'_>,
) -> i32 {
    let desk = session.desk();
    let result = match command {
        Command::Pull(options) => pull::run(desk, options, folder, console),
        Command::Run(options) => run::run(session, options, console),
        Command::Preview(options) => preview::run(desk, options, folder, console),
        Command::Batch(options) => batches::run(desk, &options.command, folder, console),
        Command::Changes(options) => changes::run(desk, options, console),
        Command::Classify(ClassifyArguments {
            compare: Some(proposed),
        }) => return codes::compare(desk, &folder.join(proposed), console),
        Command::Enterprise(options) => enterprise::run(desk, &options.wanted, console),
        Command::Case(command) => cases::run(desk, command, console),
        Command::Identity(command) => identity::run(desk, command, console),
        Command::List(options) => match options.roster() {
            Some(roster) => list::run(desk, roster, options.unit.as_deref(), console),
            // The parser of the command line lets no other word through.
            None => return 2,
        },
        Command::Survey(options) => survey::run(desk, options, console),
        Command::Notice(command) => notices::run(desk, command, console),
        Command::Schedule(command) => schedules::run(session, command, console),
        Command::Status => status::run(session, console),
        Command::Demo(_)
        | Command::Serve
        | Command::Check(_)
        | Command::Draft(_)
        | Command::Code(_)
        | Command::Classify(_) => {
            console.message("[YB-7302] 该命令不经守护进程执行。处理：直接在命令行运行。");
            return 2;
        }
    };
    match result {
        Ok(code) => code,
        Err(failure) => Unopened::Failure(failure).report(console),
    }
}
