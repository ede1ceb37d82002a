//! Servers that hold files, and programs that make them: the tables `sftp`, `ftp` and the key `program` of an address.

use std::path::PathBuf;

use serde::Deserialize;

/// Key of the address below `endpoints.NAME`, code, text.
pub(super) type Word = (&'static str, &'static str, &'static str);

/// What file names on a server are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Names {
    /// UTF-8 where they are valid UTF-8, else GB18030.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// GB18030, GBK, GB2312.
    #[serde(rename = "gb18030", alias = "gbk", alias = "gb2312")]
    Gb18030,
}

/// An SFTP server. Its key is pinned: there is no "accept any".
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SftpHost {
    /// Name or number.
    pub host: String,
    /// Port; 22 unless given.
    #[serde(default = "ssh_port")]
    pub port: u16,
    /// Account.
    pub user: String,
    /// File with the password (0600).
    pub password_file: Option<PathBuf>,
    /// File with the private key, as `ssh-keygen` writes it (0600). ed25519 is best.
    pub key_file: Option<PathBuf>,
    /// File with the passphrase of the private key (0600).
    pub passphrase_file: Option<PathBuf>,
    /// The server's key as in its `.pub` file: `ssh-ed25519 AAAA…`.
    pub host_key: Option<String>,
    /// File with the server's keys, as `ssh-keyscan` writes it.
    pub known_hosts: Option<PathBuf>,
    /// What file names are written in.
    #[serde(default)]
    pub names: Names,
    /// Whether the server is so old that it knows only SHA-1 signatures, key exchange and checksums, or CBC ciphers.
    #[serde(default)]
    pub old_algorithms: bool,
}

const fn ssh_port() -> u16 {
    22
}

/// An FTP server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FtpHost {
    /// Name or number.
    pub host: String,
    /// Port; 21 unless given, 990 for `tls = "implicit"`.
    pub port: Option<u16>,
    /// Account.
    pub user: String,
    /// File with its password (0600).
    pub password_file: PathBuf,
    /// How TLS begins.
    #[serde(default)]
    pub tls: FtpTls,
    /// File with the only CA certificates to trust (PEM).
    pub ca_file: Option<PathBuf>,
    /// The name in the server's certificate, where it is not `host`.
    pub certificate_name: Option<String>,
    /// Password and data may travel in the clear. Only for servers that know no TLS; warned of each time.
    #[serde(default)]
    pub plain: bool,
    /// What file names are written in.
    #[serde(default)]
    pub names: Names,
}

/// How TLS begins on an FTP server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FtpTls {
    /// `AUTH TLS` on the usual port.
    #[default]
    Explicit,
    /// From the first byte.
    Implicit,
}

/// Kinds of server keys, as they stand before the key.
const KEYS: [&str; 5] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
];

/// Whether a text looks like a host without user, port and path.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'))
}

/// Whether a text is an account: one line, something in it.
fn is_user(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control)
}

impl SftpHost {
    pub(super) fn words(&self) -> Vec<Word> {
        let mut words = common("sftp", &self.host, &self.user, self.port);
        if self.password_file.is_none() && self.key_file.is_none() {
            words.push((
                "sftp",
                "YB-1372",
                "没有登录凭据。处理：写上 key_file（私钥文件）或 password_file（口令文件）",
            ));
        }
        if self.passphrase_file.is_some() && self.key_file.is_none() {
            words.push((
                "sftp.passphrase_file",
                "YB-1372",
                "没有私钥，用不到私钥口令。处理：补上 key_file，或删去",
            ));
        }
        match (&self.host_key, &self.known_hosts) {
            (None, None) => words.push((
                "sftp",
                "YB-1373",
                "没有固定服务器公钥。处理：向对方索取公钥，写入 host_key（ssh-ed25519 AAAA…）或 known_hosts 文件",
            )),
            (Some(_), Some(_)) => words.push((
                "sftp.known_hosts",
                "YB-1373",
                "host_key 与 known_hosts 只能有一个。处理：删去一个",
            )),
            (Some(key), None) if !is_public_key(key) => words.push((
                "sftp.host_key",
                "YB-1373",
                "不是公钥。处理：照抄服务器 .pub 文件中的一行，如 ssh-ed25519 AAAA…",
            )),
            _ => {}
        }
        words
    }
}

/// `ssh-ed25519 AAAA… [comment]`; whether the key itself holds is found out when it is used.
fn is_public_key(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let kind = words.next().is_some_and(|kind| KEYS.contains(&kind));
    let key = words.next().is_some_and(|key| {
        key.starts_with("AAAA")
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
    });
    kind && key && !text.contains(['\n', '\r'])
}

impl FtpHost {
    /// The port given, or the usual one.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            FtpTls::Explicit => 21,
            FtpTls::Implicit => 990,
        })
    }

    /// The name the certificate must bear.
    #[must_use]
    pub fn certificate_name(&self) -> &str {
        self.certificate_name.as_deref().unwrap_or(&self.host)
    }

    /// Whether password and data travel unencrypted over a network.
    #[must_use]
    pub fn is_in_the_clear(&self) -> bool {
        self.plain && !is_this_machine(&self.host)
    }

    pub(super) fn words(&self) -> Vec<Word> {
        let mut words = common("ftp", &self.host, &self.user, self.port());
        match (self.plain, &self.ca_file) {
            (false, None) => words.push((
                "ftp",
                "YB-1374",
                "没有证书文件。处理：写上 ca_file（对方 CA 证书，PEM）；对方确实不支持加密时写 plain = true",
            )),
            (true, Some(_)) => words.push((
                "ftp.ca_file",
                "YB-1374",
                "明文连接不核对证书。处理：删去 plain 或 ca_file",
            )),
            (true, None) if self.tls == FtpTls::Implicit => words.push((
                "ftp.tls",
                "YB-1374",
                "plain 与 tls 只能有一个。处理：删去一个",
            )),
            (true, None) if self.certificate_name.is_some() => words.push((
                "ftp.certificate_name",
                "YB-1374",
                "明文连接不核对证书。处理：删去",
            )),
            _ => {}
        }
        if self
            .certificate_name
            .as_ref()
            .is_some_and(|name| !is_host(name))
        {
            words.push((
                "ftp.certificate_name",
                "YB-1374",
                "不是主机名。处理：照抄证书中的名称",
            ));
        }
        words
    }
}

/// Loopback by name or number.
fn is_this_machine(host: &str) -> bool {
    let is_v4 = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    host == "localhost" || host == "::1" || (is_v4 && host.starts_with("127."))
}

fn common(kind: &'static str, host: &str, user: &str, port: u16) -> Vec<Word> {
    let key = |sftp, ftp| if kind == "sftp" { sftp } else { ftp };
    let mut words = Vec::new();
    if !is_host(host) {
        words.push((
            key("sftp.host", "ftp.host"),
            "YB-1370",
            "不是主机名。处理：只写主机名或地址，端口写在 port，账户写在 user",
        ));
    }
    if !is_user(user) {
        words.push((
            key("sftp.user", "ftp.user"),
            "YB-1371",
            "没有账户，或含有换行等字符。处理：填写登录账户",
        ));
    }
    if port == 0 {
        words.push((
            key("sftp.port", "ftp.port"),
            "YB-1370",
            "端口不能为 0。处理：改为服务器的端口",
        ));
    }
    words
}
