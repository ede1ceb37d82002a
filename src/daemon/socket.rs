//! The Unix socket (0600): a command line in, its output and exit code out.
//!
//! The request is one line of JSON. The answer is a row of frames: a letter (`o` output, `e` errors, `k` still at work, `x`
//! exit code), the length of what follows (four bytes, big-endian), and that many bytes. `k` comes every few seconds, so a caller
//! can tell a long command from a daemon that hangs.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;

/// Longest request.
pub(crate) const REQUEST_BYTES: usize = 1 << 20;

/// Longest frame.
pub(crate) const FRAME_BYTES: usize = 64 << 10;

/// How often a daemon at work says so.
pub(crate) const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// How long a caller waits without a sign of life.
const SILENCE: Duration = Duration::from_secs(60);

/// Longest path that the system takes as a socket's name, with some room.
const NAME_BYTES: usize = 100;

/// One command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its arguments, without the program's name and without `--home` and `--state`.
    pub arguments: Vec<String>,
    /// The caller's folder: relative paths of files start there.
    pub folder: String,
}

/// What it answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: Vec<u8>,
    /// Exit code.
    pub exit: i32,
}

/// A part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    Out,
    Err,
    Alive,
    Exit,
}

impl Frame {
    pub(crate) const fn letter(self) -> u8 {
        match self {
            Self::Out => b'o',
            Self::Err => b'e',
            Self::Alive => b'k',
            Self::Exit => b'x',
        }
    }

    const fn of(letter: u8) -> Option<Self> {
        match letter {
            b'o' => Some(Self::Out),
            b'e' => Some(Self::Err),
            b'k' => Some(Self::Alive),
            b'x' => Some(Self::Exit),
            _ => None,
        }
    }

    /// Letter and length.
    pub(crate) fn head(self, length: usize) -> [u8; 5] {
        let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        [self.letter(), a, b, c, d]
    }
}

/// Asks a running daemon. `None` when none listens there (no socket, or one left by a killed process).
///
/// # Errors
/// It listens but the conversation broke.
pub fn ask(
    socket: &Path,
    request: &Request,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Option<i32>> {
    let Some(mut stream) = connect(socket)? else {
        return Ok(None);
    };
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    if line.len() > REQUEST_BYTES {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "the command line is too long",
        ));
    }
    stream.write_all(&line)?;
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head)?;
        let [letter, a, b, c, d] = head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let frame = Frame::of(letter).filter(|_| length <= FRAME_BYTES);
        let Some(frame) = frame else {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "not an answer of yingbao",
            ));
        };
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        match frame {
            Frame::Out => out.write_all(&body)?,
            Frame::Err => err.write_all(&body)?,
            Frame::Alive => {}
            Frame::Exit => {
                let code = <[u8; 4]>::try_from(body.as_slice()).map_err(|_| {
                    io::Error::new(ErrorKind::InvalidData, "not an answer of yingbao")
                })?;
                out.flush()?;
                err.flush()?;
                return Ok(Some(i32::from_be_bytes(code)));
            }
        }
    }
}

fn connect(socket: &Path) -> io::Result<Option<UnixStream>> {
    let connected = ShortPath::of(socket).and_then(|short| UnixStream::connect(&short.path));
    match connected {
        Ok(stream) => Ok(Some(stream)),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A name for a path that the system takes as a socket's name: a long one is reached through its open folder.
struct ShortPath {
    path: PathBuf,
    /// Keeps the folder open while the name is used.
    _folder: Option<File>,
}

impl ShortPath {
    fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().len() <= NAME_BYTES {
            return Ok(Self {
                path: path.to_owned(),
                _folder: None,
            });
        }
        let folder = File::open(folder_of(path))?;
        let name = path.file_name().unwrap_or_default();
        Ok(Self {
            path: Path::new("/proc/self/fd")
                .join(folder.as_raw_fd().to_string())
                .join(name),
            _folder: Some(folder),
        })
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// The socket, listening. Dropped, it takes its file away.
pub(crate) struct Listening {
    pub(crate) listener: UnixListener,
    path: PathBuf,
    /// Device, inode and owner: the file is taken away only while it is still this one.
    identity: (u64, u64),
    pub(crate) owner: u32,
}

impl Listening {
    /// Listens at `path`. A socket that nobody listens at any more is replaced. The file is made in a private folder and moved
    /// into place, so that at no time anybody else can open it.
    ///
    /// # Errors
    /// Somebody listens there; something else lies there; it cannot be written.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(io::Error::new(
                    ErrorKind::AlreadyExists,
                    format!("{} is no socket", path.display()),
                ));
            }
            Ok(_) if connect(path)?.is_some() => {
                return Err(io::Error::new(
                    ErrorKind::AddrInUse,
                    format!("somebody listens at {}", path.display()),
                ));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let private = tempfile::Builder::new()
            .prefix(".socket-")
            .tempdir_in(folder_of(path))?;
        let made = private.path().join("s");
        let listener = UnixListener::bind(&ShortPath::of(&made)?.path)?;
        fs::set_permissions(&made, Permissions::from_mode(0o600))?;
        fs::rename(&made, path)?;
        let file = fs::symlink_metadata(path)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            identity: (file.dev(), file.ino()),
            owner: file.uid(),
        })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|file| (file.dev(), file.ino()) == self.identity);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "the socket's file could not be taken away");
        }
    }
}
