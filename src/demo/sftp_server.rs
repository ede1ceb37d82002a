//! A department's SFTP server, on the loopback only: one shelf, read only, with as much of version 3
//! (draft-ietf-secsh-filexfer-02) as listing and reading take.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, run_stream};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Handle;

use crate::demo::door::Door;
use crate::demo::shelf::{Laid, Named, Shelf, named};

/// Longest packet a caller may send.
const PACKET: usize = 64 << 10;

/// Most bytes of a file in one answer.
const PIECE: usize = 32 << 10;

/// Names in one answer.
const NAMES: usize = 64;

/// Files and folders a caller may have open.
const OPEN_AT_ONCE: usize = 16;

/// A silent caller is sent away.
const SILENCE: Duration = Duration::from_secs(60);

/// Bytes between the network and the conversation.
const BUFFER: usize = 64 << 10;

const INIT: u8 = 1;
const VERSION: u8 = 2;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;
const READ: u8 = 5;
const LSTAT: u8 = 7;
const FSTAT: u8 = 8;
const OPENDIR: u8 = 11;
const READDIR: u8 = 12;
const REALPATH: u8 = 16;
const STAT: u8 = 17;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRS: u8 = 105;

const OK: u32 = 0;
const EOF: u32 = 1;
const NO_SUCH_FILE: u32 = 2;
const PERMISSION_DENIED: u32 = 3;
const FAILURE: u32 = 4;
const BAD_MESSAGE: u32 = 5;
const UNSUPPORTED: u32 = 8;

/// `SSH_FXF_READ`: the only way a file may be opened.
const FOR_READING: u32 = 1;

/// Who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// The key of the demo's SFTP server: always the same for a seed, so that it can be pinned. There is nothing behind it to be
/// protected.
#[must_use]
pub fn host_key(seed: u64) -> PrivateKey {
    let seed = blake3::derive_key("yingbao demo sftp host key", &seed.to_be_bytes());
    Ed25519Keypair::from_seed(&seed).into()
}

/// The line of its `.pub` file; `None` only when the key cannot be written.
#[must_use]
pub fn public_line(key: &PrivateKey) -> Option<String> {
    key.public_key().to_openssh().ok()
}

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct SftpServer {
    door: Door,
}

impl SftpServer {
    /// Starts on a free port of the loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(
        runtime: &Handle,
        key: PrivateKey,
        account: Account,
        shelf: Shelf,
    ) -> io::Result<Self> {
        let config = Arc::new(Config {
            keys: vec![key],
            methods: MethodSet::from(&[MethodKind::Password][..]),
            inactivity_timeout: Some(SILENCE),
            nodelay: true,
            ..Config::default()
        });
        let door = Door::open(runtime, move |stream| {
            let caller = Caller {
                account: account.clone(),
                shelf: shelf.clone(),
                channel: None,
            };
            converse(Arc::clone(&config), stream, caller)
        })?;
        Ok(Self { door })
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.door.port()
    }
}

/// The conversation runs in a task of the library's; it hears of the end because the bytes pass through here.
async fn converse(config: Arc<Config>, mut stream: TcpStream, caller: Caller) {
    let _ = stream.set_nodelay(true);
    let (mut ours, theirs) = tokio::io::duplex(BUFFER);
    let session = tokio::spawn(async move {
        if let Ok(session) = run_stream(config, theirs, caller).await {
            let _ = session.await;
        }
    });
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut ours).await;
    drop(ours);
    session.abort();
}

/// One caller, from the login on.
struct Caller {
    account: Account,
    shelf: Shelf,
    /// The one channel it may have, until the subsystem is asked for.
    channel: Option<Channel<Msg>>,
}

impl Handler for Caller {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        let is_known = user == self.account.user && password == self.account.password;
        Ok(if is_known {
            Auth::Accept
        } else {
            Auth::reject()
        })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.channel.is_none() {
            self.channel = Some(channel);
            reply.accept().await;
        }
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.channel.take() {
            Some(own) if name == "sftp" && own.id() == channel => {
                session.channel_success(channel)?;
                let shelf = self.shelf.clone();
                tokio::spawn(async move {
                    let mut stream = own.into_stream();
                    // Whatever the caller did wrong, it has ended then.
                    let _ = serve(&mut stream, &shelf).await;
                    let _ = stream.shutdown().await;
                });
                Ok(())
            }
            _ => session.channel_failure(channel),
        }
    }
}

/// Something a caller has open.
enum Opened {
    File(Laid),
    /// What of the folder was not told yet.
    Folder(Vec<(Vec<u8>, Laid)>),
}

/// Answers until the caller goes.
async fn serve(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    shelf: &Shelf,
) -> io::Result<()> {
    let mut desk = Counter {
        shelf,
        opened: BTreeMap::new(),
        next: 0,
    };
    loop {
        let length = usize::try_from(stream.read_u32().await?).unwrap_or(usize::MAX);
        if !(1..=PACKET).contains(&length) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut packet = vec![0; length];
        stream.read_exact(&mut packet).await?;
        let (kind, body) = (packet[0], &packet[1..]);
        let answer = if kind == INIT {
            let mut answer = Answer::new(VERSION);
            answer.number(3);
            answer
        } else {
            let mut question = Question(body);
            let id = question.number().ok_or(io::ErrorKind::InvalidData)?;
            desk.answer(kind, id, question)
                .unwrap_or_else(|| status(id, BAD_MESSAGE))
        };
        stream.write_all(&answer.framed()).await?;
        stream.flush().await?;
    }
}

struct Counter<'a> {
    shelf: &'a Shelf,
    opened: BTreeMap<u32, Opened>,
    next: u32,
}

impl Counter<'_> {
    /// `None` for a question that is cut short.
    fn answer(&mut self, kind: u8, id: u32, mut question: Question<'_>) -> Option<Answer> {
        Some(match kind {
            OPEN => {
                let (path, flags) = (question.text()?, question.number()?);
                match (flags == FOR_READING, self.laid(path)) {
                    (false, _) => status(id, PERMISSION_DENIED),
                    (true, None) => status(id, NO_SUCH_FILE),
                    (true, Some(laid)) => self.open(id, Opened::File(laid)),
                }
            }
            OPENDIR => match named(question.text()?) {
                Named::Shelf => self.open(id, Opened::Folder(self.shelf.files())),
                Named::File(_) | Named::Nowhere => status(id, NO_SUCH_FILE),
            },
            CLOSE => {
                let is_there = self.opened.remove(&question.handle()?).is_some();
                status(id, if is_there { OK } else { FAILURE })
            }
            READ => {
                let (handle, from, most) =
                    (question.handle()?, question.long()?, question.number()?);
                match self.opened.get(&handle) {
                    Some(Opened::File(laid)) => read(id, &laid.content, from, most),
                    _ => status(id, FAILURE),
                }
            }
            READDIR => match self.opened.get_mut(&question.handle()?) {
                Some(Opened::Folder(left)) => list(id, left),
                _ => status(id, FAILURE),
            },
            LSTAT | STAT => {
                let path = question.text()?;
                match (named(path), self.laid(path)) {
                    (Named::Shelf, _) => attributes(id, None),
                    (_, Some(laid)) => attributes(id, Some(&laid)),
                    (_, None) => status(id, NO_SUCH_FILE),
                }
            }
            FSTAT => match self.opened.get(&question.handle()?) {
                Some(Opened::File(laid)) => attributes(id, Some(laid)),
                Some(Opened::Folder(_)) => attributes(id, None),
                None => status(id, FAILURE),
            },
            REALPATH => {
                let name = match named(question.text()?) {
                    Named::Shelf | Named::Nowhere => b"/".to_vec(),
                    Named::File(name) => [b"/", name].concat(),
                };
                let mut answer = Answer::to(NAME, id);
                answer.number(1);
                answer.text(&name);
                answer.text(&name);
                answer.number(0);
                answer
            }
            _ => status(id, UNSUPPORTED),
        })
    }

    fn laid(&self, path: &[u8]) -> Option<Laid> {
        match named(path) {
            Named::File(name) => self.shelf.file(name),
            Named::Shelf | Named::Nowhere => None,
        }
    }

    fn open(&mut self, id: u32, opened: Opened) -> Answer {
        if self.opened.len() >= OPEN_AT_ONCE {
            return status(id, FAILURE);
        }
        let handle = self.next;
        self.next = self.next.wrapping_add(1);
        self.opened.insert(handle, opened);
        let mut answer = Answer::to(HANDLE, id);
        answer.text(&handle.to_be_bytes());
        answer
    }
}

fn read(id: u32, content: &Bytes, from: u64, most: u32) -> Answer {
    let left = usize::try_from(from)
        .ok()
        .and_then(|from| content.get(from..))
        .filter(|left| !left.is_empty());
    let Some(left) = left else {
        return status(id, EOF);
    };
    let most = usize::try_from(most).unwrap_or(PIECE).min(PIECE);
    let mut answer = Answer::to(DATA, id);
    answer.text(&left[..most.min(left.len())]);
    answer
}

fn list(id: u32, left: &mut Vec<(Vec<u8>, Laid)>) -> Answer {
    if left.is_empty() {
        return status(id, EOF);
    }
    let told: Vec<_> = left.drain(..NAMES.min(left.len())).collect();
    let mut answer = Answer::to(NAME, id);
    answer.number(length(told.len()));
    for (name, laid) in &told {
        answer.text(name);
        answer.text(name);
        answer.attributes(Some(laid));
    }
    answer
}

fn attributes(id: u32, laid: Option<&Laid>) -> Answer {
    let mut answer = Answer::to(ATTRS, id);
    answer.attributes(laid);
    answer
}

fn status(id: u32, code: u32) -> Answer {
    let mut answer = Answer::to(STATUS, id);
    answer.number(code);
    answer.text(b"");
    answer.text(b"");
    answer
}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A packet in the making: room for its length, its kind, fields.
struct Answer(Vec<u8>);

impl Answer {
    fn new(kind: u8) -> Self {
        Self(vec![0, 0, 0, 0, kind])
    }

    fn to(kind: u8, id: u32) -> Self {
        let mut answer = Self::new(kind);
        answer.number(id);
        answer
    }

    fn number(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn text(&mut self, text: &[u8]) {
        self.number(length(text.len()));
        self.0.extend_from_slice(text);
    }

    /// Size, mode and times of a file; of the shelf itself the mode alone.
    fn attributes(&mut self, laid: Option<&Laid>) {
        let Some(laid) = laid else {
            self.number(4);
            self.number(0o040_555);
            return;
        };
        self.number(1 | 4 | 8);
        self.0
            .extend_from_slice(&(laid.content.len() as u64).to_be_bytes());
        self.number(0o100_444);
        let seconds = u32::try_from(laid.modified.as_second()).unwrap_or(0);
        self.number(seconds);
        self.number(seconds);
    }

    fn framed(mut self) -> Vec<u8> {
        let length = length(self.0.len() - 4);
        self.0[..4].copy_from_slice(&length.to_be_bytes());
        self.0
    }
}

/// What is left of a question.
struct Question<'a>(&'a [u8]);

impl<'a> Question<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.bytes(4)?.try_into().ok()?))
    }

    fn long(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.bytes(8)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.bytes(usize::try_from(length).ok()?)
    }

    fn handle(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.text()?.try_into().ok()?))
    }
}
