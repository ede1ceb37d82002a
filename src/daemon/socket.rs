//! The Unix socket (0600): a command line in, its output and exit code out.
//!
//! A request is one JSON line. An answer is frames: one byte of kind (1 out, 2 err, 3 exit), four bytes of length (big-endian), the
//! bytes; the exit frame is the last.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// Longest request, bytes.
const REQUEST_BYTES: u64 = 64 << 10;

/// Longest frame, bytes.
const FRAME_BYTES: usize = 64 << 10;

/// A client that says nothing for so long is left.
const SILENCE: Duration = Duration::from_secs(10);

/// A client that does not take its answer for so long is left.
const SLOW: Duration = Duration::from_secs(60);

const OUT: u8 = 1;
const ERR: u8 = 2;
const EXIT: u8 = 3;

/// One command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its arguments, without the program's name.
    pub arguments: Vec<String>,
    /// The caller's folder: relative paths of files start there.
    pub folder: String,
}

/// What it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: Vec<u8>,
    /// Exit code.
    pub exit: i32,
}

/// Runs one command line.
pub type Run = Arc<dyn Fn(Request) -> Answer + Send + Sync>;

/// Asks a running daemon. `None` when none listens there (no socket, or one left by a killed process).
///
/// # Errors
/// It listens but the conversation broke.
pub fn ask(
    socket: &Path,
    request: &Request,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> std::io::Result<Option<i32>> {
    let Ok(mut stream) = BlockingStream::connect(socket) else {
        return Ok(None);
    };
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut head = [0u8; 5];
    let mut bytes = Vec::new();
    loop {
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if length > FRAME_BYTES {
            return Err(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                "frame too long",
            ));
        }
        bytes.resize(length, 0);
        stream.read_exact(&mut bytes)?;
        match head[0] {
            OUT => out.write_all(&bytes)?,
            ERR => err.write_all(&bytes)?,
            EXIT => {
                let code = <[u8; 4]>::try_from(bytes.as_slice()).map_or(3, i32::from_be_bytes);
                out.flush()?;
                return Ok(Some(code));
            }
            _ => {
                return Err(std::io::Error::new(
                    std::io::ErrorKind::InvalidData,
                    "unknown frame",
                ));
            }
        }
    }
}

/// Makes the socket; one left by a killed process is replaced. The caller holds the store's lock, so no other daemon listens.
///
/// # Errors
/// The folder cannot be written.
pub fn listen(socket: &Path) -> std::io::Result<UnixListener> {
    match std::fs::remove_file(socket) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// One conversation. The command runs on a blocking thread.
pub async fn converse(stream: UnixStream, run: Run) {
    let (reading, mut writing) = stream.into_split();
    let mut line = Vec::new();
    let mut limited = BufReader::new(reading).take(REQUEST_BYTES);
    let read = tokio::time::timeout(SILENCE, limited.read_until(b'\n', &mut line)).await;
    let answer = match read {
        Ok(Ok(n)) if n > 0 => match serde_json::from_slice::<Request>(&line) {
            Ok(request) => tokio::task::spawn_blocking(move || run(request))
                .await
                .unwrap_or_else(|error| {
                    tracing::error!(%error, "command");
                    refusal("[YB-7304] 命令内部错误。处理：查看守护进程日志。")
                }),
            Err(_) => refusal("[YB-7305] 请求无法识别。处理：使用与守护进程同一版本的程序。"),
        },
        _ => return,
    };
    let mut bytes = Vec::with_capacity(answer.out.len() + answer.err.len() + 64);
    frames(&mut bytes, OUT, &answer.out);
    frames(&mut bytes, ERR, &answer.err);
    frames(&mut bytes, EXIT, &answer.exit.to_be_bytes());
    match tokio::time::timeout(SLOW, writing.write_all(&bytes)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "client left"),
        Err(_) => tracing::warn!("client too slow"),
    }
}

fn refusal(text: &str) -> Answer {
    Answer {
        out: Vec::new(),
        err: format!("{text}\n").into_bytes(),
        exit: 3,
    }
}

fn frames(into: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    for piece in bytes.chunks(FRAME_BYTES) {
        into.push(kind);
        // A piece is at most FRAME_BYTES long.
        into.extend_from_slice(&u32::try_from(piece.len()).unwrap_or(0).to_be_bytes());
        into.extend_from_slice(piece);
    }
}
