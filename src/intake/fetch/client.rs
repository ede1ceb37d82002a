//! One HTTP client per errand: TLS verified, no redirects, no proxy, every wait bounded; nothing it says names host or port.

use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Response, StatusCode};

use crate::intake::fetch::{Errand, Unfetched};

/// Until the connection stands.
const CONNECT: Duration = Duration::from_secs(10);

/// Between two pieces of an answer.
const SILENCE: Duration = Duration::from_secs(60);

/// A whole pull.
pub const WHOLE: Duration = Duration::from_secs(3600);

/// Longest token, bytes.
const TOKEN_BYTES: u64 = 16 << 10;

/// The client of an errand and its base address without a trailing slash.
pub fn of(errand: &Errand<'_>, endpoint: &str) -> Result<(Client, String), Unfetched> {
    let Some(url) = &errand.endpoint.url else {
        return Err(Unfetched::wrong(
            "YB-2020",
            format!("地址“{endpoint}”没有 url。处理：在 [endpoints] 中写明接口地址"),
        ));
    };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(file) = &errand.endpoint.token_file {
        let token = secret(&errand.home.join(file))?;
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
            Unfetched::wrong(
                "YB-2021",
                "令牌文件的内容不能作为请求头。处理：核对令牌文件",
            )
        })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let mut builder = Client::builder()
        .default_headers(headers)
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    if let Some(file) = &errand.endpoint.ca_file {
        let wrong = || {
            Unfetched::wrong(
                "YB-2022",
                "证书文件不能读取。处理：核对 ca_file，须为 PEM 格式",
            )
        };
        let pem = std::fs::read(errand.home.join(file)).map_err(|_| wrong())?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| wrong())?;
        builder = builder.tls_certs_only(certificates);
    }
    let client = builder.build().map_err(|_| {
        Unfetched::wrong(
            "YB-2023",
            "无法建立网络客户端。处理：查看日志并联系维护人员",
        )
    })?;
    Ok((client, url.trim_end_matches('/').to_owned()))
}

fn secret(file: &std::path::Path) -> Result<String, Unfetched> {
    use std::io::Read as _;
    let wrong = || {
        Unfetched::wrong(
            "YB-2024",
            "令牌文件不能读取。处理：核对 token_file 的路径和权限（0600）",
        )
    };
    let mut text = String::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(TOKEN_BYTES).read_to_string(&mut text))
        .map_err(|_| wrong())?;
    Ok(text.trim().to_owned())
}

/// Asks once.
pub async fn get(
    client: &Client,
    url: &str,
    query: &[(&str, String)],
) -> Result<Response, Unfetched> {
    let response = client
        .get(url)
        .query(query)
        .send()
        .await
        .map_err(|error| failed(&error))?;
    let status = response.status();
    match status {
        StatusCode::OK => Ok(response),
        StatusCode::NOT_FOUND => Err(Unfetched::not_yet("对方尚未生成数据（404）")),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Unfetched::wrong(
            "YB-2026",
            format!(
                "对方拒绝访问（{}）。处理：核对令牌、授权期限和来源地址登记",
                status.as_u16()
            ),
        )),
        _ if status.is_redirection() => Err(Unfetched::wrong(
            "YB-2027",
            format!(
                "对方要求转到其他地址（{}），未跟随。处理：核对 [endpoints] 的地址",
                status.as_u16()
            ),
        )),
        _ => Err(Unfetched::wrong(
            "YB-2028",
            format!(
                "对方应答 {}。处理：稍后自动重试；持续出现请联系该部门",
                status.as_u16()
            ),
        )),
    }
}

/// What went wrong on the way, without the address.
pub fn failed(error: &reqwest::Error) -> Unfetched {
    let what = if error.is_connect() {
        "无法连接。处理：核对网络、地址和证书；对方只支持旧版加密时须由本地代理转接"
    } else if error.is_timeout() {
        "对方应答超时。处理：稍后自动重试；持续出现请联系该部门"
    } else {
        "传输中断或内容不完整。处理：稍后自动重试；持续出现请联系该部门"
    };
    Unfetched::wrong("YB-2025", what)
}
