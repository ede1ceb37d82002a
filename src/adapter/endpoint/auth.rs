//! How requests to an address prove who asks: `[endpoints.NAME.auth.KIND]`. Secrets are references to files, never values.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::adapter::language::Complaint;

/// How requests prove who asks. Exactly one table under `auth`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Not at all.
    None {},
    /// User and password (RFC 7617).
    Basic {
        /// The user.
        user: String,
        /// File with the password.
        password_file: PathBuf,
    },
    /// `Authorization: Bearer …`.
    Bearer {
        /// File with the token.
        token_file: PathBuf,
    },
    /// A fixed key in a header.
    Header {
        /// The header's name.
        name: String,
        /// File with the key.
        value_file: PathBuf,
    },
    /// A fixed key in the query.
    Query {
        /// The parameter's name.
        name: String,
        /// File with the key.
        value_file: PathBuf,
    },
    /// The `X-BG-HMAC-*` headers of the IRS gateways: every request signed over method, path, sorted query and date.
    Irs {
        /// The access key.
        access_key: String,
        /// File with the secret key.
        secret_file: PathBuf,
        /// HMAC-SHA256 unless given.
        #[serde(default)]
        hash: Hash,
    },
    /// The `x-tif-*` headers: a hash over time, token and nonce.
    Tif {
        /// The `x-tif-paasid`.
        paas_id: String,
        /// File with the token.
        token_file: PathBuf,
        /// SHA-256 unless given.
        #[serde(default)]
        hash: Hash,
        /// Whether the signature is written in capitals; hosts differ.
        #[serde(default)]
        capitals: bool,
    },
    /// The MD5 token gateways: short-lived secrets, renewed by key at first and by secret afterwards.
    Token(Token),
    /// The national sharing platform and data-direct interfaces: four signed headers, with a secret of the day.
    Exchange(Exchange),
}

/// An MD5 token gateway: `appKey`, `sign`, `requestTime` go with every request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The application's key.
    pub app_key: String,
    /// File with the application's secret.
    pub secret_file: PathBuf,
    /// Path of the first renewal.
    #[serde(default = "by_key")]
    pub by_key: String,
    /// Path of later renewals.
    #[serde(default = "by_secret")]
    pub by_secret: String,
}

fn by_key() -> String {
    "/gateway/app/refreshTokenByKey.htm".to_owned()
}

fn by_secret() -> String {
    "/gateway/app/refreshTokenBySec.htm".to_owned()
}

/// The headers `PREFIX_rid`, `PREFIX_sid`, `PREFIX_rtime`, `PREFIX_sign`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// `gjgxjhpt` (sharing platform) unless given, or `gjzwfwpt` (data-direct).
    #[serde(default = "prefix")]
    pub prefix: String,
    /// The requester's number (rid).
    pub requester: String,
    /// The service's number (sid); one per interface.
    pub service: String,
    /// File with the appKey.
    pub key_file: PathBuf,
    /// Path where the secret of the day is had.
    pub renew: String,
    /// HMAC-SHA256 unless given.
    #[serde(default)]
    pub hash: Hash,
}

fn prefix() -> String {
    "gjgxjhpt".to_owned()
}

/// The hash under a signature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hash {
    /// SHA-256.
    #[default]
    Sha256,
    /// SM3.
    Sm3,
}

/// Headers that the program writes itself.
const OWN_HEADERS: [&str; 7] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "accept-encoding",
    "range",
    "if-range",
];

impl Auth {
    /// The table's name.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::None {} => "none",
            Self::Basic { .. } => "basic",
            Self::Bearer { .. } => "bearer",
            Self::Header { .. } => "header",
            Self::Query { .. } => "query",
            Self::Irs { .. } => "irs",
            Self::Tif { .. } => "tif",
            Self::Token(_) => "token",
            Self::Exchange(_) => "exchange",
        }
    }

    /// Its secret file with the key that names it.
    #[must_use]
    pub fn secret_file(&self) -> Option<(&'static str, &Path)> {
        match self {
            Self::None {} => None,
            Self::Basic { password_file, .. } => Some(("password_file", password_file)),
            Self::Bearer { token_file } | Self::Tif { token_file, .. } => {
                Some(("token_file", token_file))
            }
            Self::Header { value_file, .. } | Self::Query { value_file, .. } => {
                Some(("value_file", value_file))
            }
            Self::Irs { secret_file, .. } => Some(("secret_file", secret_file)),
            Self::Token(token) => Some(("secret_file", &token.secret_file)),
            Self::Exchange(exchange) => Some(("key_file", &exchange.key_file)),
        }
    }

    /// What is wrong with it; keys begin with `endpoints.NAME.auth.KIND`.
    pub(super) fn complaints(&self, name: &str) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut add = |key: &str, code: &'static str, text: &str| {
            complaints.push(Complaint {
                key: format!("endpoints.{name}.auth.{}.{key}", self.kind()),
                code,
                text: text.to_owned(),
            });
        };
        if let Some((key, file)) = self.secret_file()
            && file.as_os_str().is_empty()
        {
            add(
                key,
                "YB-1355",
                "不能为空。处理：写上口令或密钥文件的路径（权限 0600）",
            );
        }
        for (key, text) in self.words() {
            if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                add(
                    key,
                    "YB-1355",
                    "应为不含空格的英文、数字、符号。处理：照对方给的接入资料填写",
                );
            }
        }
        match self {
            Self::Basic { user, .. }
                if user.is_empty() || user.contains(':') || user.chars().any(char::is_control) =>
            {
                add(
                    "user",
                    "YB-1355",
                    "用户名不能为空，不能含冒号。处理：照对方给的接入资料填写",
                );
            }
            Self::Header { name, .. } => {
                let is_token = name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
                if !is_token || OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
                    add(
                        "name",
                        "YB-1356",
                        "不能用作请求头名称。处理：照对方给的接入资料填写，如 X-Api-Key",
                    );
                }
            }
            Self::Token(token) => {
                for (key, path) in [("by_key", &token.by_key), ("by_secret", &token.by_secret)] {
                    if !is_path(path) {
                        add(
                            key,
                            "YB-1357",
                            "应为以 / 开头的路径。处理：只写路径，主机写在 url 中",
                        );
                    }
                }
            }
            Self::Exchange(exchange) => {
                if !is_path(&exchange.renew) {
                    add(
                        "renew",
                        "YB-1357",
                        "应为以 / 开头的路径。处理：只写路径，主机写在 url 中",
                    );
                }
                if !exchange
                    .prefix
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                {
                    add(
                        "prefix",
                        "YB-1356",
                        "前缀只能用小写字母、数字。处理：写作 gjgxjhpt 或 gjzwfwpt",
                    );
                }
            }
            _ => {}
        }
        complaints
    }

    /// Values that must be there and travel in headers or parameters.
    fn words(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::None {} | Self::Basic { .. } | Self::Bearer { .. } => Vec::new(),
            Self::Header { name, .. } | Self::Query { name, .. } => vec![("name", name)],
            Self::Irs { access_key, .. } => vec![("access_key", access_key)],
            Self::Tif { paas_id, .. } => vec![("paas_id", paas_id)],
            Self::Token(token) => vec![("app_key", &token.app_key)],
            Self::Exchange(exchange) => vec![
                ("prefix", &exchange.prefix),
                ("requester", &exchange.requester),
                ("service", &exchange.service),
            ],
        }
    }
}

fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.contains("://")
        && !path.contains("..")
        && !path.contains(['?', '#'])
}
