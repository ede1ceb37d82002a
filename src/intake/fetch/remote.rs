//! A folder on another machine: one session at a time, opened again when it breaks, under one limit of time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::time::Instant;

use crate::adapter::endpoint::host::Names;
use crate::adapter::transport::{Remote, Transport};
use crate::intake::fetch::listing::{Entry, Place, Stamp};
use crate::intake::fetch::spooled::Spooled;
use crate::intake::fetch::{Errand, Unfetched, ftp, names, sftp};

/// The server is not there.
pub const NOT_CONNECTED: &str = "YB-2411";
/// The server does not let us in.
pub const NO_LOGIN: &str = "YB-2414";
/// The folder is not there.
pub const NO_FOLDER: &str = "YB-2417";
/// The server does not speak as it should.
pub const NONSENSE: &str = "YB-2419";
/// The account may not do this.
pub const NOT_ALLOWED: &str = "YB-2420";
/// The server says no for another reason.
pub const REFUSED: &str = "YB-2421";

/// Attempts in a row without a byte more.
const TRIES: u32 = 3;

/// Before the next attempt.
const PAUSE: Duration = Duration::from_millis(300);

/// Why something did not work.
#[derive(Debug)]
pub enum Trouble {
    /// The connection is gone: another may do.
    Lost(Unfetched),
    /// No use trying again now.
    Final(Unfetched),
}

impl Trouble {
    /// The connection broke or fell silent.
    pub fn lost() -> Self {
        Self::Lost(Unfetched::wrong(
            "YB-2422",
            "与服务器的连接中断或长时间无应答。处理：稍后自动重试；持续出现请检查网络",
        ))
    }
}

impl Drop for Distant {
    fn drop(&mut self) {
        self.close();
    }
}

enum Login {
    Sftp(sftp::Login),
    Ftp(ftp::Login),
}

enum Session {
    Sftp(sftp::Session),
    Ftp(ftp::Session),
}

/// A folder on another machine.
pub struct Distant {
    login: Login,
    session: Option<Session>,
    runtime: tokio::runtime::Runtime,
    deadline: Instant,
    seconds: u32,
    root: Vec<u8>,
    /// What file names are written in.
    pub names: Names,
}

impl Distant {
    /// Reads what the login needs; connects when it is first asked something.
    pub fn new(errand: &Errand<'_>, remote: &Remote) -> Result<Self, Unfetched> {
        let missing = || {
            Unfetched::wrong(
                "YB-2410",
                format!(
                    "地址“{}”没有写服务器。处理：在 [endpoints] 中写明 sftp 或 ftp",
                    remote.endpoint
                ),
            )
        };
        let (login, names) = if let Transport::Sftp(_) = errand.adapter.transport {
            let host = errand.endpoint.sftp.as_ref().ok_or_else(missing)?;
            (Login::Sftp(sftp::Login::read(errand, host)?), host.names)
        } else {
            let host = errand.endpoint.ftp.as_ref().ok_or_else(missing)?;
            (Login::Ftp(ftp::Login::read(errand, host)?), host.names)
        };
        // A runtime of its own: nothing the libraries log of a login reaches a log, and what they spawn ends with it.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|_| {
                Unfetched::wrong(
                    "YB-2423",
                    "无法建立网络会话。处理：查看系统资源（文件句柄）后重试",
                )
            })?;
        let seconds = errand.adapter.limits.fetch_seconds;
        let far = Duration::from_secs(u64::from(seconds));
        let root = match remote.path.trim_end_matches('/') {
            "" if remote.path.starts_with('/') => "/",
            root => root,
        };
        Ok(Self {
            login,
            session: None,
            runtime,
            deadline: Instant::now() + far,
            seconds,
            root: names::write(root, names),
            names,
        })
    }

    /// The entries of a folder.
    pub fn list(&mut self, place: &Place, most: usize) -> Result<Vec<Entry>, Unfetched> {
        let path = self.path(place);
        self.run(async |session| match session {
            Session::Sftp(sftp) => sftp.list(&path, most).await,
            Session::Ftp(ftp) => ftp.list(&path, most).await,
        })
    }

    /// Whether the server, as far as it was asked, says what is a file, a folder, a link.
    pub fn tells_kinds(&self) -> bool {
        !matches!(&self.session, Some(Session::Ftp(ftp)) if !ftp.has_mlsd())
    }

    /// Size and time of change; `None` when there is no such file (any more).
    pub fn stamp(&mut self, place: &Place) -> Result<Option<Stamp>, Unfetched> {
        let path = self.path(place);
        self.run(async |session| match session {
            Session::Sftp(sftp) => sftp.stamp(&path).await,
            Session::Ftp(ftp) => ftp.stamp(&path).await,
        })
    }

    /// Which file of which account on which server, as a text.
    pub fn question(&self, place: &Place) -> String {
        let (kind, host, port, user) = match &self.login {
            Login::Sftp(login) => {
                let host = login.host();
                ("sftp", &host.host, host.port, &host.user)
            }
            Login::Ftp(login) => {
                let host = login.host();
                ("ftp", &host.host, host.port.unwrap_or_default(), &host.user)
            }
        };
        format!("{kind} {host} {port} {user} {:?}", self.path(place))
    }

    /// Downloads a file of this stamp; after a break it goes on where it was, when the stamp is still the same.
    pub fn download(
        &mut self,
        place: &Place,
        stamp: Stamp,
        spooled: &mut Spooled,
    ) -> Result<(), Unfetched> {
        let path = self.path(place);
        let size = stamp.size.unwrap_or(u64::MAX);
        let mut tries = 0;
        let mut is_first = true;
        loop {
            let before = spooled.bytes;
            let outcome = self.once(async |session| {
                if !is_first {
                    let now = match session {
                        Session::Sftp(sftp) => sftp.stamp(&path).await?,
                        Session::Ftp(ftp) => ftp.stamp(&path).await?,
                    };
                    if now != Some(stamp) {
                        return Err(Trouble::Final(Unfetched::not_yet(
                            "下载中断后文件已变化，下次重新下载",
                        )));
                    }
                }
                match session {
                    Session::Sftp(sftp) => sftp.download(&path, size, spooled).await,
                    Session::Ftp(ftp) => ftp.download(&path, stamp.size, spooled).await,
                }
            });
            is_first = false;
            match outcome {
                Ok(()) => return Ok(()),
                Err(Trouble::Final(unfetched)) => return Err(unfetched),
                Err(Trouble::Lost(unfetched)) => {
                    tries = if spooled.bytes > before { 1 } else { tries + 1 };
                    if tries >= TRIES {
                        return Err(unfetched);
                    }
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Makes a folder that is not there.
    pub fn make_folder(&mut self, place: &Place) -> Result<(), Unfetched> {
        let path = self.path(place);
        self.run(async |session| match session {
            Session::Sftp(sftp) => sftp.make_folder(&path).await,
            Session::Ftp(ftp) => ftp.make_folder(&path).await,
        })
    }

    /// Moves a file; `false` when something has that name already.
    pub fn rename(&mut self, from: &Place, to: &Place) -> Result<bool, Unfetched> {
        let (from, to) = (self.path(from), self.path(to));
        self.run(async |session| {
            let is_taken = match session {
                Session::Sftp(sftp) => sftp.exists(&to).await?,
                Session::Ftp(ftp) => ftp.exists(&to).await?,
            };
            if is_taken {
                return Ok(false);
            }
            match session {
                Session::Sftp(sftp) => sftp.rename(&from, &to).await?,
                Session::Ftp(ftp) => ftp.rename(&from, &to).await?,
            }
            Ok(true)
        })
    }

    fn path(&self, place: &Place) -> Vec<u8> {
        let mut path = self.root.clone();
        for part in place {
            if !path.is_empty() && !path.ends_with(b"/") {
                path.push(b'/');
            }
            path.extend_from_slice(part);
        }
        path
    }

    /// Asks until it is answered or there is no use in asking.
    fn run<T>(
        &mut self,
        mut work: impl AsyncFnMut(&mut Session) -> Result<T, Trouble>,
    ) -> Result<T, Unfetched> {
        for tried in 1.. {
            match self.once(&mut work) {
                Ok(found) => return Ok(found),
                Err(Trouble::Lost(_)) if tried < TRIES => std::thread::sleep(PAUSE),
                Err(Trouble::Lost(unfetched) | Trouble::Final(unfetched)) => {
                    return Err(unfetched);
                }
            }
        }
        Err(Unfetched::wrong("YB-2422", "与服务器的连接中断"))
    }

    /// Asks once, in a session that is opened when there is none. A panic of a library ends the session, not us.
    fn once<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Session) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let Self {
            login,
            session,
            runtime,
            deadline,
            ..
        } = self;
        let nowhere = tracing::Dispatch::none();
        let _quiet = tracing::dispatcher::set_default(&nowhere);
        let asked = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                let whole = async {
                    let open = match session {
                        Some(open) => open,
                        None => session.insert(match login {
                            Login::Sftp(login) => Session::Sftp(sftp::Session::open(login).await?),
                            Login::Ftp(login) => Session::Ftp(ftp::Session::open(login).await?),
                        }),
                    };
                    work(open).await
                };
                tokio::time::timeout_at(*deadline, whole).await
            })
        }));
        let outcome = match asked {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Trouble::Final(Unfetched::wrong(
                "YB-2424",
                format!(
                    "超过{}秒仍未完成。处理：核对文件大小和网络；确需更久时调高 limits.fetch_seconds",
                    self.seconds
                ),
            ))),
            Err(_) => Err(Trouble::Final(Unfetched::wrong(
                "YB-2425",
                "会话因程序内部错误中止。处理：稍后自动重试；持续出现请保留日志并联系维护人员",
            ))),
        };
        if outcome.is_err() {
            // Whatever state it was left in, the next question gets a fresh one.
            self.close();
        }
        outcome
    }

    /// Ends the session. Inside the runtime: the libraries say goodbye in tasks of their own.
    fn close(&mut self) {
        let Some(session) = self.session.take() else {
            return;
        };
        let nowhere = tracing::Dispatch::none();
        let _quiet = tracing::dispatcher::set_default(&nowhere);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            self.runtime.block_on(async move {
                drop(session);
                tokio::task::yield_now().await;
            });
        }));
    }
}
