//! SFTP: the server's key is pinned, the login comes from files, and every name is bytes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::ssh_key::HashAlg;
use russh::keys::{
    Algorithm, PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate,
};
use russh::{ChannelMsg, ChannelStream, MethodKind, Preferred, cipher, compression, kex, mac};
use secrecy::{ExposeSecret as _, SecretString};

use crate::adapter::endpoint::host::SftpHost;
use crate::intake::fetch::listing::{Entry, Kind, Stamp};
use crate::intake::fetch::remote::{self, Trouble};
use crate::intake::fetch::sftp_wire::{Attributes, Fault, NO_SUCH_FILE, PERMISSION_DENIED, Wire};
use crate::intake::fetch::spooled::Spooled;
use crate::intake::fetch::{Errand, Unfetched};
use crate::secret;

/// Until the connection stands, and until keys are agreed on.
const CONNECT: Duration = Duration::from_secs(15);

/// Until the login is decided; old servers look the client's name up first.
const LOGIN: Duration = Duration::from_secs(45);

/// Rounds of a keyboard-interactive login that are answered.
const ROUNDS: usize = 4;

/// Bits of a mode that say what a file is.
const TYPE: u32 = 0o170_000;

/// Everything a login needs, read from files before the network is touched.
pub struct Login {
    host: SftpHost,
    pinned: Vec<PublicKey>,
    password: Option<SecretString>,
    key: Option<Arc<PrivateKey>>,
}

impl Login {
    /// Whose it is.
    pub const fn host(&self) -> &SftpHost {
        &self.host
    }

    /// Reads keys and secrets.
    pub fn read(errand: &Errand<'_>, host: &SftpHost) -> Result<Self, Unfetched> {
        let word = |file: &Option<std::path::PathBuf>| {
            file.as_ref()
                .map(|file| secret::read(errand.home, file))
                .transpose()
        };
        let passphrase = word(&host.passphrase_file)?;
        let key = match &host.key_file {
            None => None,
            Some(file) => {
                let text = secret::key(errand.home, file)?;
                let passphrase = passphrase.as_ref().map(SecretString::expose_secret);
                let key = russh::keys::decode_secret_key(text.expose_secret(), passphrase)
                    .map_err(|_| {
                        Unfetched::wrong(
                            "YB-2415",
                            format!(
                                "私钥 {} 不能解开。处理：核对 key_file（OpenSSH 格式）和 passphrase_file",
                                file.display()
                            ),
                        )
                    })?;
                Some(Arc::new(key))
            }
        };
        Ok(Self {
            host: host.clone(),
            pinned: pinned(errand, host)?,
            password: word(&host.password_file)?,
            key,
        })
    }

    /// What is offered to the server: nothing it could use to present a key that is not pinned, no compression.
    fn offered(&self) -> Preferred {
        let old = self.host.old_algorithms;
        let pinned = |algorithm: &Algorithm| {
            self.pinned.iter().any(|key| match algorithm {
                Algorithm::Rsa { hash } => key.algorithm().is_rsa() && (old || hash.is_some()),
                other => key.algorithm() == *other,
            })
        };
        let mut offered = Preferred::DEFAULT;
        offered.key = offered
            .key
            .iter()
            .filter(|key| pinned(key))
            .cloned()
            .collect();
        offered.compression = vec![compression::NONE].into();
        if old {
            offered
                .kex
                .to_mut()
                .extend([kex::DH_GEX_SHA1, kex::DH_G14_SHA1]);
            offered.cipher.to_mut().extend([
                cipher::AES_256_CBC,
                cipher::AES_192_CBC,
                cipher::AES_128_CBC,
            ]);
            offered
                .mac
                .to_mut()
                .extend([mac::HMAC_SHA1_ETM, mac::HMAC_SHA1]);
        }
        offered
    }
}

/// The keys the server may present.
fn pinned(errand: &Errand<'_>, host: &SftpHost) -> Result<Vec<PublicKey>, Unfetched> {
    if let Some(key) = &host.host_key {
        let key = PublicKey::from_openssh(key).map_err(|_| {
            Unfetched::wrong(
                "YB-2416",
                "host_key 不是公钥。处理：照抄服务器 .pub 文件中的一行，如 ssh-ed25519 AAAA…",
            )
        })?;
        return Ok(vec![key]);
    }
    let Some(file) = &host.known_hosts else {
        return Err(Unfetched::wrong(
            "YB-2416",
            "没有固定服务器公钥。处理：在 [endpoints] 中填写 host_key 或 known_hosts",
        ));
    };
    let wrong = |what: &str| {
        Unfetched::wrong(
            "YB-2416",
            format!(
                "{} {what}。处理：向对方核对公钥后，用 ssh-keyscan 的格式写入该文件",
                file.display()
            ),
        )
    };
    let text = secret::open_text(errand.home, file)?;
    if text.lines().any(|line| line.trim_start().starts_with('@')) {
        return Err(wrong("中有不支持的 @ 标记（吊销、证书）"));
    }
    let keys = russh::keys::known_hosts::known_host_keys_path(
        &host.host,
        host.port,
        errand.home.join(file),
    )
    .map_err(|_| wrong("中有不能识别的公钥"))?;
    if keys.is_empty() {
        return Err(wrong("中没有该服务器的公钥"));
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

/// Lets only a pinned key pass, and remembers what else was presented.
struct Gatekeeper {
    pinned: Vec<PublicKey>,
    stranger: Arc<Mutex<Option<String>>>,
}

impl client::Handler for Gatekeeper {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        presented: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let key = presented.public_key();
        let is_pinned = presented.certificate().is_none()
            && self
                .pinned
                .iter()
                .any(|pin| pin.key_data() == key.key_data());
        if !is_pinned {
            *self.stranger.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(key.fingerprint(HashAlg::Sha256).to_string());
        }
        Ok(is_pinned)
    }
}

/// A connection that is logged in.
pub struct Session {
    wire: Wire<ChannelStream<client::Msg>>,
    /// Ends the connection when it is dropped.
    _handle: Handle<Gatekeeper>,
}

impl Session {
    /// Connects, compares the server's key, logs in.
    pub async fn open(login: &Login) -> Result<Self, Trouble> {
        let stranger = Arc::new(Mutex::new(None));
        let gatekeeper = Gatekeeper {
            pinned: login.pinned.clone(),
            stranger: Arc::clone(&stranger),
        };
        let config = Arc::new(client::Config {
            preferred: login.offered(),
            nodelay: true,
            ..client::Config::default()
        });
        let address = (login.host.host.as_str(), login.host.port);
        let connected = tokio::time::timeout(CONNECT, client::connect(config, address, gatekeeper))
            .await
            .unwrap_or(Err(russh::Error::ConnectionTimeout));
        let mut handle = match connected {
            Ok(handle) => handle,
            Err(error) => {
                let stranger = stranger
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take();
                return Err(not_connected(&error, stranger));
            }
        };
        tokio::time::timeout(LOGIN, log_in(login, &mut handle))
            .await
            .unwrap_or_else(|_| Err(Trouble::lost()))?;
        let subsystem = async {
            let mut channel = handle.channel_open_session().await?;
            channel.request_subsystem(true, "sftp").await?;
            loop {
                match channel.wait().await {
                    Some(ChannelMsg::Success) => return Ok(channel),
                    Some(ChannelMsg::Failure) | None => return Err(russh::Error::RequestDenied),
                    Some(_) => {}
                }
            }
        };
        let channel = tokio::time::timeout(LOGIN, subsystem)
            .await
            .map_err(|_| Trouble::lost())?
            .map_err(|_| no_sftp())?;
        let wire = Wire::begin(channel.into_stream())
            .await
            .map_err(|_| no_sftp())?;
        Ok(Self {
            wire,
            _handle: handle,
        })
    }

    /// The entries of a folder.
    pub async fn list(&mut self, path: &[u8], most: usize) -> Result<Vec<Entry>, Trouble> {
        let path = if path.is_empty() { b"." } else { path };
        let found = self
            .wire
            .list(path, most)
            .await
            .map_err(|fault| match fault {
                Fault::Said(NO_SUCH_FILE, _) => Trouble::Final(Unfetched::wrong(
                    remote::NO_FOLDER,
                    "服务器上没有这个目录。处理：核对适配文件 transport 的 path",
                )),
                fault => trouble(fault),
            })?;
        let mut entries = Vec::with_capacity(found.len());
        for (raw, attributes) in found {
            let kind = if let Some(mode) = attributes.mode {
                kind(mode)
            } else {
                // Servers that tell nothing here are asked of each file.
                let own = [path, b"/", &raw].concat();
                match self.wire.lstat(&own).await.map_err(trouble)? {
                    Some(attributes) => attributes.mode.map_or(Kind::File, kind),
                    None => continue,
                }
            };
            entries.push(Entry { raw, kind });
        }
        Ok(entries)
    }

    /// Size and time of change of a regular file; `None` when there is none (any more).
    pub async fn stamp(&mut self, path: &[u8]) -> Result<Option<Stamp>, Trouble> {
        let found = self.wire.lstat(path).await.map_err(trouble)?;
        let is_file = |found: &Attributes| {
            found
                .mode
                .is_none_or(|mode| mode & TYPE == 0 || kind(mode) == Kind::File)
        };
        Ok(found.filter(is_file).map(|found| Stamp {
            size: found.size,
            modified: found.modified.map(i64::from),
        }))
    }

    /// Whether anything has this name.
    pub async fn exists(&mut self, path: &[u8]) -> Result<bool, Trouble> {
        let found = self.wire.lstat(path).await.map_err(trouble)?;
        Ok(found.is_some())
    }

    /// Adds to the spooled file what follows, up to the size told.
    pub async fn download(
        &mut self,
        path: &[u8],
        size: u64,
        spooled: &mut Spooled,
    ) -> Result<(), Trouble> {
        let from = spooled.bytes;
        self.wire
            .read(path, from, size, &mut |piece: &[u8]| spooled.write(piece))
            .await
            .map_err(trouble)?
            .map_err(Trouble::Final)
    }

    /// Makes a folder that is not there.
    pub async fn make_folder(&mut self, path: &[u8]) -> Result<(), Trouble> {
        if self.exists(path).await? {
            return Ok(());
        }
        self.wire.make_folder(path).await.map_err(trouble)
    }

    /// Moves a file to a name that is free.
    pub async fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), Trouble> {
        self.wire.rename(from, to).await.map_err(trouble)
    }
}

const fn kind(mode: u32) -> Kind {
    match mode & TYPE {
        0o100_000 => Kind::File,
        0o040_000 => Kind::Folder,
        0o120_000 => Kind::Link,
        _ => Kind::Other,
    }
}

async fn log_in(login: &Login, handle: &mut Handle<Gatekeeper>) -> Result<(), Trouble> {
    let lost = |_| Trouble::lost();
    let user = login.host.user.as_str();
    if let Some(key) = &login.key {
        for hash in signatures(login, handle, key).await.map_err(lost)? {
            let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
            let answer = handle.authenticate_publickey(user, key).await;
            if answer.map_err(lost)?.success() {
                return Ok(());
            }
        }
    }
    if let Some(password) = &login.password {
        let password = password.expose_secret();
        let answer = handle
            .authenticate_password(user, password)
            .await
            .map_err(lost)?;
        match answer {
            AuthResult::Success => return Ok(()),
            AuthResult::Failure {
                remaining_methods, ..
            } if remaining_methods.contains(&MethodKind::KeyboardInteractive) => {
                if answers(handle, user, password).await.map_err(lost)? {
                    return Ok(());
                }
            }
            AuthResult::Failure { .. } => {}
        }
    }
    Err(Trouble::Final(Unfetched::wrong(
        remote::NO_LOGIN,
        "服务器拒绝登录。处理：核对账户、口令或私钥，以及对方是否登记了本机地址和公钥",
    )))
}

/// What an RSA key signs with, in the order of trying; for other keys there is nothing to choose.
async fn signatures(
    login: &Login,
    handle: &Handle<Gatekeeper>,
    key: &PrivateKey,
) -> Result<Vec<Option<HashAlg>>, russh::Error> {
    if !key.algorithm().is_rsa() {
        return Ok(vec![None]);
    }
    let best = handle.best_supported_rsa_hash().await?.flatten();
    Ok(if login.host.old_algorithms {
        // Some say they take SHA-2 and do not.
        let mut all = vec![best, None];
        all.dedup();
        all
    } else {
        vec![best.or(Some(HashAlg::Sha256))]
    })
}

/// Some servers ask for the password in a conversation, with rounds that ask nothing before or after. It is told once, to the
/// one question of a round whose answer is not seen: whatever else is asked for (a code, a new password) is not the password.
async fn answers(
    handle: &mut Handle<Gatekeeper>,
    user: &str,
    password: &str,
) -> Result<bool, russh::Error> {
    let mut unsaid = Some(password);
    let mut answer = handle
        .authenticate_keyboard_interactive_start(user, None)
        .await?;
    for _ in 0..ROUNDS {
        let prompts = match answer {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
        };
        let words = match prompts.as_slice() {
            [] => Vec::new(),
            [prompt] if !prompt.echo => match unsaid.take() {
                Some(password) => vec![password.to_owned()],
                None => return Ok(false),
            },
            _ => return Ok(false),
        };
        answer = handle
            .authenticate_keyboard_interactive_respond(words)
            .await?;
    }
    Ok(matches!(answer, KeyboardInteractiveAuthResponse::Success))
}

fn not_connected(error: &russh::Error, stranger: Option<String>) -> Trouble {
    if let Some(fingerprint) = stranger {
        return Trouble::Final(Unfetched::wrong(
            "YB-2412",
            format!(
                "服务器公钥与登记的不符，已中止，未发送口令。对方出示的指纹为 {fingerprint}。处理：通过电话等其他途径向对方核实；确已更换的，修改 host_key 或 known_hosts"
            ),
        ));
    }
    match error {
        russh::Error::NoCommonAlgo { .. } => Trouble::Final(Unfetched::wrong(
            "YB-2413",
            "与服务器没有共同的加密算法，或服务器没有登记的那种公钥。处理：核对 host_key；服务器过旧且暂不能升级的，写 old_algorithms = true",
        )),
        _ => Trouble::Lost(Unfetched::wrong(
            remote::NOT_CONNECTED,
            "无法连接服务器。处理：核对网络、主机和端口，稍后自动重试",
        )),
    }
}

fn no_sftp() -> Trouble {
    Trouble::Final(Unfetched::wrong(
        "YB-2418",
        "服务器不提供 SFTP 服务。处理：请对方为该账户开通 SFTP",
    ))
}

fn trouble(fault: Fault) -> Trouble {
    match fault {
        Fault::Lost => Trouble::lost(),
        Fault::Nonsense => Trouble::Final(Unfetched::wrong(
            remote::NONSENSE,
            "服务器的应答不合 SFTP 规范。处理：联系对方检查服务器",
        )),
        Fault::Said(PERMISSION_DENIED, _) => Trouble::Final(Unfetched::wrong(
            remote::NOT_ALLOWED,
            "服务器不允许该操作。处理：请对方核对该账户对目录和文件的权限",
        )),
        Fault::Said(code, said) => Trouble::Final(Unfetched::wrong(
            remote::REFUSED,
            format!("服务器拒绝（{code} {said}）。处理：联系对方检查服务器"),
        )),
    }
}
