//! Addresses by name: what `[endpoints]` in the settings holds, and adapters use by name only.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::adapter::endpoint::auth::Auth;
use crate::adapter::endpoint::host::{FtpHost, SftpHost};
use crate::adapter::language::Complaint;
use crate::adapter::transport::Transport;

pub mod auth;
pub mod host;

/// One named address. Credentials are references to files, never values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// A drop folder (relative to home).
    pub path: Option<PathBuf>,
    /// Base address of an HTTP interface, `https://…` (plain `http://` is warned of by `check` unless it is loopback).
    pub url: Option<String>,
    /// File with a bearer token: the short way of writing `auth.bearer`.
    pub token_file: Option<PathBuf>,
    /// File with the only CA certificates to trust (PEM).
    pub ca_file: Option<PathBuf>,
    /// File with the client certificate and its chain (PEM), where the department asks for one.
    pub client_cert_file: Option<PathBuf>,
    /// File with its private key (PEM).
    pub client_key_file: Option<PathBuf>,
    /// File with the key (16 characters, or 32 hex digits) of answers that come encrypted.
    pub data_key_file: Option<PathBuf>,
    /// How requests prove who asks.
    pub auth: Option<Auth>,
    /// An SFTP server.
    pub sftp: Option<SftpHost>,
    /// An FTP server.
    pub ftp: Option<FtpHost>,
    /// A program on this machine (absolute): no adapter can name another.
    pub program: Option<PathBuf>,
}

/// Host of an `http(s)://` address, without user, port and path; `None` when it is none.
fn host(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let address = authority.rsplit('@').next()?;
    let host = match address.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => address.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

impl Endpoint {
    /// Whether data and token would travel unencrypted over a network: plain `http://` to another machine.
    #[must_use]
    pub fn is_in_the_clear(&self) -> bool {
        self.url.as_deref().is_some_and(|url| {
            let is_loopback = host(url).is_some_and(|host| {
                let is_v4 = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                host == "localhost" || host == "::1" || (is_v4 && host.starts_with("127."))
            });
            url.starts_with("http://") && !is_loopback
        })
    }

    /// What is wrong with the address called `name`; keys begin with `endpoints.NAME`. The address itself is not repeated.
    #[must_use]
    pub fn complaints(&self, name: &str) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut add = |key: &str, code: &'static str, text: &str| {
            complaints.push(Complaint {
                key: format!("endpoints.{name}{key}"),
                code,
                text: text.to_owned(),
            });
        };
        let kinds = [
            self.path.is_some(),
            self.url.is_some(),
            self.sftp.is_some(),
            self.ftp.is_some(),
            self.program.is_some(),
        ];
        match kinds.iter().filter(|is_there| **is_there).count() {
            0 => add(
                "",
                "YB-1350",
                "没有地址。处理：写上 path（目录）、url（接口地址）、sftp、ftp（文件服务器）、program（程序）之一",
            ),
            1 => {}
            _ => add(
                "",
                "YB-1350",
                "path、url、sftp、ftp、program 只能有一个。处理：只留一个",
            ),
        }
        if self
            .path
            .as_ref()
            .is_some_and(|path| path.as_os_str().is_empty())
        {
            add(".path", "YB-1350", "目录不能为空。处理：写上投放目录");
        }
        if self
            .program
            .as_ref()
            .is_some_and(|program| !program.is_absolute())
        {
            add(
                ".program",
                "YB-1375",
                "不是绝对路径。处理：写以 / 开头的完整路径",
            );
        }
        let sftp = self.sftp.iter().flat_map(SftpHost::words);
        for (key, code, text) in sftp.chain(self.ftp.iter().flat_map(FtpHost::words)) {
            add(&format!(".{key}"), code, text);
        }
        if let Some(url) = &self.url {
            if host(url).is_none() {
                add(
                    ".url",
                    "YB-1351",
                    "不是 http:// 或 https:// 地址。处理：写完整的接口地址",
                );
            }
            let authority = url
                .split("://")
                .nth(1)
                .and_then(|rest| rest.split('/').next());
            if authority.is_some_and(|authority| authority.contains('@')) {
                add(
                    ".url",
                    "YB-1352",
                    "地址中带有账号口令。处理：口令写入文件，用 token_file 引用",
                );
            }
            if url.contains(['?', '#']) {
                add(
                    ".url",
                    "YB-1351",
                    "地址中不应有查询参数。处理：只写基础地址，路径写在适配器中",
                );
            }
        }
        for (key, is_there) in [
            (".token_file", self.token_file.is_some()),
            (".ca_file", self.ca_file.is_some()),
            (".client_cert_file", self.client_cert_file.is_some()),
            (".client_key_file", self.client_key_file.is_some()),
            (".data_key_file", self.data_key_file.is_some()),
            (".auth", self.auth.is_some()),
        ] {
            if is_there && self.url.is_none() {
                add(key, "YB-1353", "只有接口地址（url）才用得到。处理：删去");
            }
        }
        if self.token_file.is_some() && self.auth.is_some() {
            let text = "已写 auth，不能再写 token_file。处理：令牌写作 [endpoints.名称.auth.bearer]，或删去 auth";
            add(".token_file", "YB-1358", text);
        }
        if self.client_cert_file.is_some() != self.client_key_file.is_some() {
            let text = "客户端证书与私钥须同时写。处理：补上另一个，或都删去";
            add(".client_cert_file", "YB-1359", text);
        }
        if let Some(auth) = &self.auth {
            complaints.extend(auth.complaints(name));
        }
        complaints
    }

    /// Every file that holds a secret, with its key below `endpoints.NAME.`: only the account that runs the program may read them.
    #[must_use]
    pub fn secret_files(&self) -> Vec<(String, &Path)> {
        let mut files: Vec<(String, &Path)> = [
            ("token_file", &self.token_file),
            ("client_key_file", &self.client_key_file),
            ("data_key_file", &self.data_key_file),
        ]
        .into_iter()
        .filter_map(|(key, file)| Some((key.to_owned(), file.as_deref()?)))
        .collect();
        if let Some(auth) = &self.auth
            && let Some((key, file)) = auth.secret_file()
        {
            files.push((format!("auth.{}.{key}", auth.kind()), file));
        }
        if let Some(host) = &self.sftp {
            let own = [
                ("password_file", &host.password_file),
                ("key_file", &host.key_file),
                ("passphrase_file", &host.passphrase_file),
            ];
            files.extend(
                own.into_iter()
                    .filter_map(|(key, file)| Some((format!("sftp.{key}"), file.as_deref()?))),
            );
        }
        if let Some(host) = &self.ftp {
            files.push(("ftp.password_file".to_owned(), &host.password_file));
        }
        files
    }

    /// What works but deserves a warning: data or a password in the clear. Keys begin with `endpoints.NAME`.
    #[must_use]
    pub fn cautions(&self, name: &str) -> Vec<Complaint> {
        let mut cautions = Vec::new();
        if self.is_in_the_clear() {
            cautions.push(Complaint {
                key: format!("endpoints.{name}.url"),
                code: "YB-1390",
                text: "数据和令牌将以明文传送。处理：仅限可信内网；能用 https 时请改用".to_owned(),
            });
        }
        if self.ftp.as_ref().is_some_and(FtpHost::is_in_the_clear) {
            cautions.push(Complaint {
                key: format!("endpoints.{name}.ftp.plain"),
                code: "YB-1391",
                text: "口令和数据将以明文传送。处理：请对方开通 FTPS 或 SFTP，开通后删去 plain"
                    .to_owned(),
            });
        }
        if self.sftp.as_ref().is_some_and(|sftp| sftp.old_algorithms) {
            cautions.push(Complaint {
                key: format!("endpoints.{name}.sftp.old_algorithms"),
                code: "YB-1392",
                text: "允许使用过时的加密算法。处理：请对方升级服务器，升级后删去该项".to_owned(),
            });
        }
        cautions
    }

    /// Whether a transport can use it; the complaint's key is `transport.KIND.endpoint` of the adapter.
    #[must_use]
    pub fn suits(&self, transport: &Transport) -> Option<Complaint> {
        let (is_there, wanted) = match transport {
            Transport::Folder(_) => (self.path.is_some(), "目录（path）"),
            Transport::Pages(pages) if pages.envelope.is_some() && self.data_key_file.is_none() => {
                (false, "数据密钥文件（data_key_file）")
            }
            Transport::Http(_) | Transport::Pages(_) | Transport::Job(_) => {
                (self.url.is_some(), "接口地址（url）")
            }
            Transport::Sftp(_) => (self.sftp.is_some(), " SFTP 服务器（sftp）"),
            Transport::Ftp(_) => (self.ftp.is_some(), " FTP 服务器（ftp）"),
            Transport::Command(_) => (self.program.is_some(), "程序（program）"),
        };
        (!is_there).then(|| Complaint {
            key: format!("transport.{}.endpoint", transport.kind()),
            code: "YB-1354",
            text: format!(
                "地址“{}”没有写{wanted}。处理：在设置文件的 [endpoints.{}] 中补上",
                transport.endpoint(),
                transport.endpoint()
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        toml::from_str(text).expect("an endpoint")
    }

    #[test]
    fn addresses_are_checked() {
        for (text, codes) in [
            ("path = 'inbox/tax'", &[][..]),
            ("url = 'https://data.tax.example/base'", &[]),
            ("url = 'http://127.0.0.1:9'\ntoken_file = 'secret/tax'", &[]),
            ("", &["YB-1350"]),
            ("path = ''", &["YB-1350"]),
            ("path = 'a'\nurl = 'https://b.example'", &["YB-1350"]),
            ("url = 'ftp://b.example'", &["YB-1351"]),
            ("url = 'https://'", &["YB-1351"]),
            ("url = 'https://u:p@b.example/x'", &["YB-1352"]),
            ("url = 'https://b.example/?key=1'", &["YB-1351"]),
            ("program = '/opt/extract/tax'", &[]),
            ("program = 'extract'", &["YB-1375"]),
            (
                "path = 'a'\n[sftp]\nhost = 'h.example'\nuser = 'u'\nkey_file = 'k'\nknown_hosts = 'n'",
                &["YB-1350"],
            ),
            (
                "[sftp]\nhost = '10.0.0.8'\nuser = 'u'\npassword_file = 'p'\nhost_key = 'ssh-ed25519 AAAAC3Nz tax'",
                &[],
            ),
            (
                "[sftp]\nhost = 'u@h:22/x'\nuser = ' '\nport = 0\npassphrase_file = 'p'",
                &[
                    "YB-1370", "YB-1371", "YB-1370", "YB-1372", "YB-1372", "YB-1373",
                ],
            ),
            (
                "[sftp]\nhost = 'h'\nuser = 'u'\nkey_file = 'k'\nhost_key = 'SHA256:abc'",
                &["YB-1373"],
            ),
            (
                "[sftp]\nhost = 'h'\nuser = 'u'\nkey_file = 'k'\nhost_key = 'ssh-rsa AAAA'\nknown_hosts = 'n'",
                &["YB-1373"],
            ),
            (
                "[ftp]\nhost = 'h'\nuser = 'u'\npassword_file = 'p'\nca_file = 'c'",
                &[],
            ),
            (
                "[ftp]\nhost = 'h'\nuser = 'u'\npassword_file = 'p'\nplain = true",
                &[],
            ),
            (
                "[ftp]\nhost = 'h'\nuser = 'u'\npassword_file = 'p'",
                &["YB-1374"],
            ),
            (
                "[ftp]\nhost = 'h'\nuser = 'u'\npassword_file = 'p'\nplain = true\nca_file = 'c'",
                &["YB-1374"],
            ),
            (
                "[ftp]\nhost = 'h'\nuser = 'u'\npassword_file = 'p'\nplain = true\ntls = 'implicit'",
                &["YB-1374"],
            ),
            (
                "path = 'a'\ntoken_file = 't'\nca_file = 'c'",
                &["YB-1353", "YB-1353"],
            ),
            ("path = 'a'\n[auth.bearer]\ntoken_file = 't'", &["YB-1353"]),
            (
                "url = 'https://b.example'\ntoken_file = 't'\n[auth.bearer]\ntoken_file = 't'",
                &["YB-1358"],
            ),
            (
                "url = 'https://b.example'\nclient_key_file = 'k'",
                &["YB-1359"],
            ),
            (
                "url = 'https://b.example'\nclient_key_file = 'k'\nclient_cert_file = 'c'\n[auth.none]",
                &[],
            ),
            (
                "url = 'https://b.example'\n[auth.basic]\nuser = 'a:b'\npassword_file = ''",
                &["YB-1355", "YB-1355"],
            ),
            (
                "url = 'https://b.example'\n[auth.header]\nname = 'Range'\nvalue_file = 'k'",
                &["YB-1356"],
            ),
            (
                "url = 'https://b.example'\n[auth.query]\nname = 'api key'\nvalue_file = 'k'",
                &["YB-1355"],
            ),
            (
                "url = 'https://b.example'\n[auth.irs]\naccess_key = 'a'\nsecret_file = 'k'\nhash = 'sm3'",
                &[],
            ),
            (
                "url = 'https://b.example'\n[auth.tif]\npaas_id = ''\ntoken_file = 'k'",
                &["YB-1355"],
            ),
            (
                "url = 'https://b.example'\n[auth.token]\napp_key = 'a'\nsecret_file = 'k'\nby_key = 'x'",
                &["YB-1357"],
            ),
            (
                "url = 'https://b.example'\n[auth.exchange]\nprefix = 'GJ'\nrequester = 'a'\nservice = 's'\nkey_file = 'k'\nrenew = 'https://b.example/x'",
                &["YB-1357", "YB-1356"],
            ),
        ] {
            let found: Vec<_> = endpoint(text)
                .complaints("x")
                .into_iter()
                .map(|complaint| complaint.code)
                .collect();
            assert_eq!(found, codes, "{text}");
        }
    }

    #[test]
    fn every_secret_file_is_named() {
        let files = endpoint(
            "url = 'https://b.example'\nclient_key_file = 'k'\nclient_cert_file = 'c'\ndata_key_file = 'd'\n\
             [auth.exchange]\nrequester = 'a'\nservice = 's'\nkey_file = 'e'\nrenew = '/x'",
        );
        let named: Vec<_> = files
            .secret_files()
            .into_iter()
            .map(|(key, file)| (key, file.to_str().unwrap().to_owned()))
            .collect();
        let wanted = [
            ("client_key_file", "k"),
            ("data_key_file", "d"),
            ("auth.exchange.key_file", "e"),
        ];
        assert_eq!(
            named,
            wanted.map(|(key, file)| (key.to_owned(), file.to_owned()))
        );
        for text in [
            "url = 'https://b.example'\n[auth.bearer]\ntoken = 'inline'",
            "url = 'https://b.example'\n[auth]\nnonsense = {}",
            "url = 'https://b.example'\n[auth.none]\nx = 1",
        ] {
            assert!(toml::from_str::<Endpoint>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_travels_in_the_clear_is_warned_of() {
        let plain = |host: &str| {
            format!("[ftp]\nhost = '{host}'\nuser = 'u'\npassword_file = 'p'\nplain = true")
        };
        for (text, codes) in [
            ("path = 'inbox'".to_owned(), &[][..]),
            ("url = 'http://tax.example'".to_owned(), &["YB-1390"]),
            (plain("10.0.0.8"), &["YB-1391"]),
            (plain("127.0.0.1"), &[]),
            (
                "[sftp]\nhost = 'h'\nuser = 'u'\nkey_file = 'k'\nknown_hosts = 'n'\nold_algorithms = true"
                    .to_owned(),
                &["YB-1392"],
            ),
        ] {
            let found: Vec<_> = endpoint(&text)
                .cautions("x")
                .into_iter()
                .map(|caution| caution.code)
                .collect();
            assert_eq!(found, codes, "{text}");
        }
    }

    #[test]
    fn plain_http_is_told_apart() {
        for (url, wanted) in [
            ("http://tax.example", true),
            ("http://10.0.0.8:8080/x", true),
            ("https://tax.example", false),
            ("http://localhost:80", false),
            ("http://127.0.0.1:80/a", false),
            ("http://[::1]:80", false),
            ("http://localhost@tax.example", true),
            ("http://127.tax.example", true),
        ] {
            assert_eq!(
                endpoint(&format!("url = '{url}'")).is_in_the_clear(),
                wanted,
                "{url}"
            );
        }
    }
}
