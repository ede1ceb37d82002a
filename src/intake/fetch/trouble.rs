//! What goes wrong on the way to a department: in words without the address, and whether it is worth another attempt.

use std::error::Error;

use reqwest::StatusCode;
use rustls::{AlertDescription, CertificateError};

use crate::intake::fetch::Unfetched;

/// A failed attempt.
#[derive(Debug)]
pub struct Trouble {
    /// What is told when it stays so.
    pub unfetched: Unfetched,
    /// It may be otherwise in a moment.
    pub passing: bool,
    /// The department may have taken the request all the same.
    pub maybe_taken: bool,
    /// The short-lived key may be too old.
    pub stale_key: bool,
    /// How many seconds the department asks to wait.
    pub asked_wait: Option<u64>,
    /// So many attempts are enough, whatever the adapter allows.
    pub most_attempts: u32,
}

impl Trouble {
    /// Another attempt would end the same way.
    pub fn lasting(unfetched: Unfetched) -> Self {
        Self {
            unfetched,
            passing: false,
            maybe_taken: true,
            stale_key: false,
            asked_wait: None,
            most_attempts: u32::MAX,
        }
    }

    /// It may be otherwise in a moment.
    pub fn passing(unfetched: Unfetched) -> Self {
        Self {
            passing: true,
            ..Self::lasting(unfetched)
        }
    }
}

impl From<Unfetched> for Trouble {
    fn from(unfetched: Unfetched) -> Self {
        Self::lasting(unfetched)
    }
}

/// An answer that is none of the wanted ones.
pub fn refused(status: StatusCode, asked_wait: Option<u64>) -> Trouble {
    let number = status.as_u16();
    match status {
        StatusCode::NOT_FOUND
        | StatusCode::GONE
        | StatusCode::NO_CONTENT
        | StatusCode::ACCEPTED => {
            Trouble::lasting(Unfetched::not_yet(format!("对方尚未生成数据（{number}）")))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Trouble {
            stale_key: true,
            ..Trouble::lasting(Unfetched::wrong(
                "YB-2026",
                format!(
                    "对方拒绝访问（{number}）。处理：核对令牌或密钥、授权期限、来源地址登记；按时间签名的还须核对本机时钟"
                ),
            ))
        },
        _ if status.is_redirection() => Trouble::lasting(Unfetched::wrong(
            "YB-2027",
            format!("对方要求转到其他地址（{number}），未跟随。处理：核对 [endpoints] 的地址"),
        )),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Trouble {
            // Turned away at the door.
            maybe_taken: false,
            asked_wait,
            ..Trouble::passing(Unfetched::wrong(
                "YB-2028",
                format!(
                    "对方繁忙或限制频率（{number}），重试后仍如此。处理：稍后自动重试；持续出现请错开时间或联系该部门"
                ),
            ))
        },
        _ => Trouble {
            passing: status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT,
            ..Trouble::lasting(Unfetched::wrong(
                "YB-2028",
                format!("对方应答 {number}。处理：稍后自动重试；持续出现请联系该部门"),
            ))
        },
    }
}

/// A request that got no answer, or half of one.
pub fn failed(error: &reqwest::Error) -> Trouble {
    if let Some(unfetched) = distrusted(error) {
        return Trouble {
            maybe_taken: false,
            ..Trouble::lasting(unfetched)
        };
    }
    let what = if error.is_connect() {
        "无法连接。处理：核对网络、地址和证书；对方只支持旧版加密时须由本地代理转接"
    } else if error.is_timeout() {
        "对方应答超时。处理：稍后自动重试；持续出现请联系该部门"
    } else {
        "传输中断或内容不完整。处理：稍后自动重试；持续出现请联系该部门"
    };
    Trouble {
        maybe_taken: !error.is_connect(),
        // A name that nobody knows is a mistake in the settings, or a network that is down for longer than a pull.
        passing: !is_unknown_name(error),
        // So is mostly a door that stays shut: the next pull comes anyway.
        most_attempts: if error.is_connect() { 2 } else { u32::MAX },
        ..Trouble::lasting(Unfetched::wrong("YB-2025", what))
    }
}

/// The connector says so in words only.
fn is_unknown_name(error: &(dyn Error + 'static)) -> bool {
    error.to_string().starts_with("dns error") || error.source().is_some_and(is_unknown_name)
}

/// What the two sides could not agree on about certificates. The word lies at the end of a chain in which errors of input and
/// output hold each other inside, where `source` does not show them.
fn distrusted(error: &(dyn Error + 'static)) -> Option<Unfetched> {
    if let Some(rustls) = error.downcast_ref::<rustls::Error>() {
        return said(rustls);
    }
    let held = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    match held {
        Some(held) => distrusted(held),
        None => distrusted(error.source()?),
    }
}

fn said(error: &rustls::Error) -> Option<Unfetched> {
    let what = match error {
        rustls::Error::InvalidCertificate(fault) => match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "对方的证书已过期。处理：请该部门更换证书；并核对本机时钟"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "对方的证书尚未生效。处理：核对本机时钟；时钟无误请联系该部门"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "对方的证书与地址中的主机名不符。处理：核对 [endpoints] 的 url；确认无误请该部门更换证书"
            }
            CertificateError::UnknownIssuer => {
                "对方的证书不是所信任的机构签发的。处理：向该部门索取其 CA 证书，写入 ca_file；不要在未核实时更换"
            }
            CertificateError::Revoked => "对方的证书已吊销。处理：联系该部门",
            _ => "对方的证书无效。处理：核对 ca_file，联系该部门",
        },
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError,
        ) => {
            return Some(Unfetched::wrong(
                "YB-2035",
                "对方要求客户端证书，或不接受所用的证书。处理：核对 client_cert_file、client_key_file 及其有效期，向该部门确认已登记",
            ));
        }
        _ => return None,
    };
    Some(Unfetched::wrong("YB-2034", what))
}
