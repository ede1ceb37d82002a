//! FTP and FTPS: passive, binary, certificates pinned to a CA; every name is bytes.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret as _, SecretString};
use suppaftp::tokio::{AsyncRustlsConnector, AsyncRustlsStream, ImplAsyncFtpStream};
use suppaftp::types::{FileType, Response};
use suppaftp::{FtpError, FtpResult, Mode, Status};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::TcpStream;

use crate::adapter::endpoint::host::{FtpHost, FtpTls, Names};
use crate::intake::fetch::ftp_words::{self, RawText};
use crate::intake::fetch::listing::{Entry, Stamp};
use crate::intake::fetch::remote::{self, Trouble};
use crate::intake::fetch::spooled::Spooled;
use crate::intake::fetch::{Errand, Unfetched};
use crate::secret;

/// Until a connection stands, TLS included.
const CONNECT: Duration = Duration::from_secs(15);

/// Until a reply, or the next piece of a file, comes.
const SILENCE: Duration = Duration::from_secs(60);

/// Longest line of a listing.
const LINE: u64 = 8 << 10;

/// Longest word of a server that is shown.
const SAID_CHARS: usize = 120;

/// Everything a login needs, read from files before the network is touched.
pub struct Login {
    host: FtpHost,
    password: SecretString,
    tls: Option<Arc<ClientConfig>>,
}

impl Login {
    /// Whose it is.
    pub const fn host(&self) -> &FtpHost {
        &self.host
    }

    /// Reads password and certificates.
    pub fn read(errand: &Errand<'_>, host: &FtpHost) -> Result<Self, Unfetched> {
        let tls = match (&host.ca_file, host.plain) {
            (_, true) => None,
            (Some(file), false) => Some(trusting(&secret::open_text(errand.home, file)?)?),
            (None, false) => {
                return Err(Unfetched::wrong(
                    "YB-2426",
                    "没有证书文件。处理：在 [endpoints] 中填写 ca_file",
                ));
            }
        };
        Ok(Self {
            host: host.clone(),
            password: secret::read(errand.home, &host.password_file)?,
            tls,
        })
    }
}

/// TLS that trusts these certificates and no others.
fn trusting(pem: &str) -> Result<Arc<ClientConfig>, Unfetched> {
    let wrong = || {
        Unfetched::wrong(
            "YB-2426",
            "证书文件不能使用。处理：核对 ca_file，须为对方 CA 证书（PEM 格式）",
        )
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| wrong())?;
        roots.add(certificate).map_err(|_| wrong())?;
    }
    if roots.is_empty() {
        return Err(wrong());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| wrong())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A connection that is logged in.
pub struct Session {
    ftp: ImplAsyncFtpStream<AsyncRustlsStream>,
    has_mlsd: bool,
    /// Where the login ends.
    start: String,
}

impl Session {
    /// Connects, secures, logs in, finds out what the server can.
    pub async fn open(login: &Login) -> Result<Self, Trouble> {
        let ftp = tokio::time::timeout(CONNECT, connected(login))
            .await
            .map_err(|_| not_connected())?
            .map_err(|error| match error {
                FtpError::SecureError(text) => no_tls(&text),
                FtpError::UnexpectedResponse(response) if response.status != Status::NotAvailable => {
                    Trouble::Final(Unfetched::wrong(
                        "YB-2427",
                        format!(
                            "服务器不肯加密（{}）。处理：核对端口和 tls（explicit 或 implicit），或请对方开通 FTPS",
                            code(&response)
                        ),
                    ))
                }
                _ => not_connected(),
            })?;
        let mut ftp = ftp.passive_stream_builder(|address| {
            Box::pin(async move {
                let late = |_| std::io::Error::from(ErrorKind::TimedOut);
                tokio::time::timeout(CONNECT, TcpStream::connect(address))
                    .await
                    .map_err(late)
                    .and_then(|connected| connected)
                    .map_err(FtpError::ConnectionError)
            })
        });
        // Whatever address the server names, data comes from where the login went.
        ftp.set_passive_nat_workaround(true);
        ftp.set_encoding(RawText).await;
        let user = ftp_words::wire(login.host.user.as_bytes());
        let password = ftp_words::wire(login.password.expose_secret().as_bytes());
        in_time(ftp.login(user, password)).await.map_err(|trouble| match trouble {
            Said::No(response) if response.status != Status::NotAvailable => {
                Trouble::Final(Unfetched::wrong(
                    remote::NO_LOGIN,
                    format!(
                        "服务器拒绝登录（{}）。处理：核对账户和口令，以及对方是否登记了本机地址",
                        code(&response)
                    ),
                ))
            }
            said => said.trouble(),
        })?;
        let mut session = Self {
            ftp,
            has_mlsd: false,
            start: String::new(),
        };
        session.prepare(login).await?;
        Ok(session)
    }

    async fn prepare(&mut self, login: &Login) -> Result<(), Trouble> {
        if login.tls.is_some() && login.host.tls == FtpTls::Implicit {
            for command in ["PBSZ 0", "PROT P"] {
                let sent = self.ftp.custom_command(command, &[Status::CommandOk]);
                in_time(sent).await.map_err(Said::trouble)?;
            }
        }
        // A server that has no FEAT, or no good one, is treated as the oldest.
        let features = match in_time(self.ftp.feat()).await {
            Ok(features) => features,
            Err(Said::No(_)) => suppaftp::types::Features::new(),
            Err(said) => return Err(said.trouble()),
        };
        self.has_mlsd = features.contains_key("MLST") || features.contains_key("MLSD");
        let peer = self.ftp.get_ref().await.peer_addr();
        let needs_epsv = peer.is_ok_and(|peer| peer.is_ipv6());
        self.ftp
            .set_mode(if needs_epsv || features.contains_key("EPSV") {
                Mode::ExtendedPassive
            } else {
                Mode::Passive
            });
        if login.host.names == Names::Utf8 {
            // Whether it is understood or not: names that are not UTF-8 are told when they come.
            let asked = self
                .ftp
                .custom_command("OPTS UTF8 ON", &[Status::CommandOk]);
            match in_time(asked).await {
                Ok(_) | Err(Said::No(_)) => {}
                Err(said) => return Err(said.trouble()),
            }
        }
        in_time(self.ftp.transfer_type(FileType::Binary))
            .await
            .map_err(Said::trouble)?;
        self.start = in_time(self.ftp.pwd()).await.map_err(Said::trouble)?;
        Ok(())
    }

    /// Whether its listings say what is a file, a folder, a link.
    pub const fn has_mlsd(&self) -> bool {
        self.has_mlsd
    }

    /// The entries of a folder. Servers without MLSD do not say what is a folder or a link: there everything counts as a file.
    pub async fn list(&mut self, path: &[u8], most: usize) -> Result<Vec<Entry>, Trouble> {
        let path = ftp_words::wire(path);
        if self.has_mlsd {
            let command = if path.is_empty() {
                "MLSD".to_owned()
            } else {
                format!("MLSD {path}")
            };
            let lines = self.lines(command, most).await.map_err(no_folder)?;
            return Ok(lines
                .iter()
                .filter_map(|line| ftp_words::mlsd(line))
                .collect());
        }
        // NLST of some servers reads its argument as options and wildcards, so it is given none.
        if !path.is_empty() {
            in_time(self.ftp.cwd(&path)).await.map_err(no_folder)?;
        }
        let lines = match self.lines("NLST".to_owned(), most).await {
            Ok(lines) => lines,
            // So many servers say that a folder is empty.
            Err(Said::No(response)) if matches!(code(&response), 450 | 550) => Vec::new(),
            Err(said) => return Err(said.trouble()),
        };
        if !path.is_empty() {
            let start = self.start.clone();
            in_time(self.ftp.cwd(start)).await.map_err(Said::trouble)?;
        }
        Ok(lines
            .iter()
            .filter_map(|line| ftp_words::nlst(line))
            .collect())
    }

    /// Size and time of change; `None` when there is no such file.
    pub async fn stamp(&mut self, path: &[u8]) -> Result<Option<Stamp>, Trouble> {
        let path = ftp_words::wire(path);
        let size = self.told("SIZE", &path).await?;
        if size == Told::NotThere {
            return Ok(None);
        }
        let modified = self.told("MDTM", &path).await?;
        Ok(Some(Stamp {
            size: size.number().and_then(|size| u64::try_from(size).ok()),
            modified: modified.number(),
        }))
    }

    /// Whether a file has this name.
    pub async fn exists(&mut self, path: &[u8]) -> Result<bool, Trouble> {
        Ok(self.stamp(path).await?.is_some())
    }

    /// Adds to the spooled file what follows.
    pub async fn download(
        &mut self,
        path: &[u8],
        size: Option<u64>,
        spooled: &mut Spooled,
    ) -> Result<(), Trouble> {
        let from = spooled.bytes;
        if size.is_some_and(|size| from > 0 && from == size) {
            return Ok(());
        }
        let offset = usize::try_from(from).map_err(|_| Trouble::lost())?;
        match in_time(self.ftp.resume_transfer(offset)).await {
            Ok(()) => {}
            // It can not go on in the middle: once more from the beginning.
            Err(Said::No(response)) if from > 0 && (500..=504).contains(&code(&response)) => {
                spooled.start_over().map_err(Trouble::Final)?;
                return Err(Trouble::lost());
            }
            Err(said) => return Err(said.trouble()),
        }
        let opened = in_time(self.ftp.retr_as_stream(ftp_words::wire(path))).await;
        let mut stream = match opened {
            Ok(stream) => stream,
            Err(Said::No(response)) if from > 0 && (500..=504).contains(&code(&response)) => {
                // It can not go on in the middle: once more from the beginning.
                spooled.start_over().map_err(Trouble::Final)?;
                return Err(Trouble::lost());
            }
            Err(said) => return Err(said.trouble()),
        };
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = tokio::time::timeout(SILENCE, stream.read(&mut buffer)).await;
            match read {
                Ok(Ok(0)) => break,
                Ok(Ok(read)) => spooled.write(&buffer[..read]).map_err(Trouble::Final)?,
                // Servers that close TLS without a word are common; the size says whether all is there.
                Ok(Err(error)) if error.kind() == ErrorKind::UnexpectedEof => break,
                Ok(Err(_)) | Err(_) => return Err(Trouble::lost()),
            }
        }
        let is_whole = size.is_some_and(|size| size == spooled.bytes);
        match in_time(stream.finish()).await {
            Ok(()) if is_whole || size.is_none_or(|size| spooled.bytes > size) => Ok(()),
            Err(_) if is_whole => {
                // All bytes are here, but the conversation is out of step.
                Ok(())
            }
            _ => Err(Trouble::lost()),
        }
    }

    /// Makes a folder; that it is there already is no fault, and of others the move will tell.
    pub async fn make_folder(&mut self, path: &[u8]) -> Result<(), Trouble> {
        match in_time(self.ftp.mkdir(ftp_words::wire(path))).await {
            Ok(()) | Err(Said::No(_)) => Ok(()),
            Err(said) => Err(said.trouble()),
        }
    }

    /// Moves a file.
    pub async fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), Trouble> {
        in_time(self.ftp.rename(ftp_words::wire(from), ftp_words::wire(to)))
            .await
            .map_err(Said::trouble)
    }

    async fn told(&mut self, command: &str, path: &str) -> Result<Told, Trouble> {
        let asked = self
            .ftp
            .custom_command(format!("{command} {path}"), &[Status::File]);
        match in_time(asked).await {
            Ok(response) => {
                Ok(ftp_words::number(&response.body).map_or(Told::Nothing, Told::Number))
            }
            Err(Said::No(response)) if code(&response) == 550 => Ok(Told::NotThere),
            Err(Said::No(response)) if (500..=504).contains(&code(&response)) => Ok(Told::Nothing),
            Err(said) => Err(said.trouble()),
        }
    }

    async fn lines(&mut self, command: String, most: usize) -> Result<Vec<Vec<u8>>, Said> {
        // The folder itself and the one above it are listed too, and do not count.
        let most = most.saturating_add(2);
        let opening = [Status::AboutToSend, Status::AlreadyOpen];
        let (_, stream) = in_time(self.ftp.custom_data_command(command, &opening)).await?;
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        while lines.len() <= most {
            let mut line = Vec::new();
            let mut one = (&mut reader).take(LINE);
            let read = tokio::time::timeout(SILENCE, one.read_until(b'\n', &mut line)).await;
            match read {
                Ok(Ok(0)) => break,
                Ok(Ok(_)) if line.len() as u64 == LINE => return Err(Said::Nonsense),
                Ok(Ok(_)) => lines.push(line),
                Ok(Err(error)) if error.kind() == ErrorKind::UnexpectedEof => break,
                Ok(Err(_)) | Err(_) => return Err(Said::Lost),
            }
        }
        if lines.len() > most {
            return Ok(lines);
        }
        in_time(reader.into_inner().finish()).await?;
        Ok(lines)
    }
}

/// What SIZE or MDTM said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Number(i64),
    /// The server does not know the command.
    Nothing,
    NotThere,
}

impl Told {
    const fn number(self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Nothing | Self::NotThere => None,
        }
    }
}

async fn connected(login: &Login) -> FtpResult<ImplAsyncFtpStream<AsyncRustlsStream>> {
    let address = (login.host.host.as_str(), login.host.port());
    let Some(tls) = &login.tls else {
        return ImplAsyncFtpStream::connect(address).await;
    };
    let connector = AsyncRustlsConnector::from(tokio_rustls::TlsConnector::from(Arc::clone(tls)));
    let name = login.host.certificate_name();
    match login.host.tls {
        FtpTls::Implicit => {
            ImplAsyncFtpStream::connect_secure_implicit(address, connector, name).await
        }
        FtpTls::Explicit => {
            let plain = ImplAsyncFtpStream::connect(address).await?;
            plain.into_secure(connector, name).await
        }
    }
}

/// What came of a command.
enum Said {
    No(Response),
    Lost,
    Nonsense,
}

impl Said {
    fn trouble(self) -> Trouble {
        match self {
            // Too busy, no data connection, transfer broken off: another session may do.
            Self::No(response) if matches!(code(&response), 421 | 425 | 426 | 450..=452) => {
                Trouble::lost()
            }
            Self::No(response) if matches!(code(&response), 530..=553) => {
                Trouble::Final(Unfetched::wrong(
                    remote::NOT_ALLOWED,
                    format!(
                        "服务器不允许该操作（{}）。处理：请对方核对该账户对目录和文件的权限",
                        code(&response)
                    ),
                ))
            }
            Self::No(response) => Trouble::Final(Unfetched::wrong(
                remote::REFUSED,
                format!(
                    "服务器拒绝（{}）。处理：联系对方检查服务器",
                    word(&response)
                ),
            )),
            Self::Lost => Trouble::lost(),
            Self::Nonsense => Trouble::Final(Unfetched::wrong(
                remote::NONSENSE,
                "服务器的应答不合 FTP 规范。处理：联系对方检查服务器",
            )),
        }
    }
}

fn no_folder(said: Said) -> Trouble {
    match said {
        Said::No(response) if matches!(code(&response), 501 | 550) => {
            Trouble::Final(Unfetched::wrong(
                remote::NO_FOLDER,
                "服务器上没有这个目录，或该账户不能进入。处理：核对适配文件 transport 的 path 和对方授权",
            ))
        }
        said => said.trouble(),
    }
}

fn code(response: &Response) -> u32 {
    response.status.code()
}

fn word(response: &Response) -> String {
    String::from_utf8_lossy(&response.body)
        .chars()
        .filter(|c| !c.is_control() && *c != '\u{fffd}')
        .take(SAID_CHARS)
        .collect()
}

async fn in_time<T>(work: impl Future<Output = FtpResult<T>>) -> Result<T, Said> {
    match tokio::time::timeout(SILENCE, work).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(FtpError::UnexpectedResponse(response))) => Err(Said::No(response)),
        Ok(Err(FtpError::BadResponse | FtpError::InvalidAddress(_))) => Err(Said::Nonsense),
        // TLS of a data connection that does not come about is a broken connection like any other.
        Ok(Err(_)) | Err(_) => Err(Said::Lost),
    }
}

fn not_connected() -> Trouble {
    Trouble::Lost(Unfetched::wrong(
        remote::NOT_CONNECTED,
        "无法连接服务器。处理：核对网络、主机和端口，稍后自动重试",
    ))
}

/// The library tells it as text; only what kind it is goes on, since the text names hosts.
fn no_tls(text: &str) -> Trouble {
    let what = if text.contains("UnknownIssuer") {
        "证书不是 ca_file 中的机构签发的。处理：向对方核实并索取其 CA 证书"
    } else if text.contains("not valid for name") || text.contains("NotValidForName") {
        "证书上的名称与主机不符。处理：向对方核实后填写 certificate_name"
    } else if text.contains("expired") || text.contains("Expired") {
        "证书已过期。处理：请对方更换证书"
    } else if text.contains("certificate") {
        "证书不能使用。处理：请对方按 X.509 第三版更换证书"
    } else {
        return Trouble::Lost(Unfetched::wrong(
            "YB-2427",
            "加密连接没有建立。处理：核对端口和 tls（explicit 或 implicit）；对方只支持 TLS 1.1 以下的须升级",
        ));
    };
    Trouble::Final(Unfetched::wrong("YB-2426", format!("服务器{what}")))
}
