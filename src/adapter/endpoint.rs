//! Addresses by name: what `[endpoints]` in the settings holds, and adapters use by name only.

use std::path::PathBuf;

use serde::Deserialize;

use crate::adapter::language::Complaint;
use crate::adapter::transport::Transport;

/// One named address. Credentials are references to files, never values.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// A drop folder (relative to home).
    pub path: Option<PathBuf>,
    /// Base address of an HTTP interface, `https://…` (plain `http://` is warned of by `check` unless it is loopback).
    pub url: Option<String>,
    /// File with a bearer token.
    pub token_file: Option<PathBuf>,
    /// File with the only CA certificates to trust (PEM).
    pub ca_file: Option<PathBuf>,
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
        match (&self.path, &self.url) {
            (None, None) => add(
                "",
                "YB-1350",
                "没有地址。处理：写上 path（目录）或 url（接口地址）之一",
            ),
            (Some(_), Some(_)) => add("", "YB-1350", "path 与 url 只能有一个。处理：删去一个"),
            (Some(path), None) if path.as_os_str().is_empty() => {
                add(".path", "YB-1350", "目录不能为空。处理：写上投放目录");
            }
            _ => {}
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
        for (key, file) in [
            (".token_file", &self.token_file),
            (".ca_file", &self.ca_file),
        ] {
            if file.is_some() && self.url.is_none() {
                add(key, "YB-1353", "只有接口地址（url）才用得到。处理：删去");
            }
        }
        complaints
    }

    /// Whether a transport can use it; the complaint's key is `transport.KIND.endpoint` of the adapter.
    #[must_use]
    pub fn suits(&self, transport: &Transport) -> Option<Complaint> {
        let (kind, is_there, wanted) = match transport {
            Transport::Folder(_) => ("folder", self.path.is_some(), "目录（path）"),
            Transport::Http(_) => ("http", self.url.is_some(), "接口地址（url）"),
            Transport::Pages(_) => ("pages", self.url.is_some(), "接口地址（url）"),
        };
        (!is_there).then(|| Complaint {
            key: format!("transport.{kind}.endpoint"),
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
            (
                "path = 'a'\ntoken_file = 't'\nca_file = 'c'",
                &["YB-1353", "YB-1353"],
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
