//! One session per errand: TLS verified, no redirects, no proxy, every wait bounded, requests signed and repeated with sense;
//! nothing it says names host or port.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{Client, Response, StatusCode, Url};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use crate::adapter::transport::request::{Body, Method, Parameter, Parameters, Request};
use crate::intake::fetch::login::Login;
use crate::intake::fetch::trouble::{self, Trouble};
use crate::intake::fetch::{Errand, Unfetched};
use crate::secret;

/// How long is waited for what. The whole of a pull is a limit of the adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// Until the connection stands.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub silence: Duration,
    /// Before the second attempt; each further pause is twice the one before.
    pub first_pause: Duration,
    /// Longest pause that the program chooses itself. A department that says how long to wait is obeyed.
    pub longest_pause: Duration,
    /// Stands for a second: of the pull's time, of a wait that the department asks for, between two looks at an export job.
    pub second: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(60),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            second: Duration::from_secs(1),
        }
    }
}

/// What is asked, before it is signed.
#[derive(Debug, Clone)]
pub struct Asking {
    /// GET or POST.
    pub method: Method,
    /// Address with query.
    pub url: Url,
    /// Body of a POST.
    pub content: Content,
}

/// A body.
#[derive(Debug, Clone)]
pub enum Content {
    /// None.
    None,
    /// A JSON object.
    Json(Value),
    /// Names and values.
    Form(Vec<(String, String)>),
}

impl Asking {
    /// What is asked, unsigned, as a text that tells it from other questions.
    pub fn question(&self) -> String {
        format!("{:?} {} {:?}", self.method, self.url, self.content)
    }
}

/// A department that is being asked.
pub struct Session<'e> {
    /// The errand.
    pub errand: &'e Errand<'e>,
    client: Client,
    base: String,
    login: Login<'e>,
    started: Instant,
}

/// How often one request was tried.
#[derive(Debug, Default)]
pub struct Patience {
    attempts: u32,
    renewed: bool,
}

/// Nonces differ even within one tick of the clock.
static NONCES: AtomicU64 = AtomicU64::new(0);

impl<'e> Session<'e> {
    /// Opens it: reads secrets and certificates, connects to nothing yet.
    pub fn open(errand: &'e Errand<'e>) -> Result<Self, Unfetched> {
        let endpoint = errand.adapter.transport.endpoint();
        let Some(url) = &errand.endpoint.url else {
            return Err(Unfetched::wrong(
                "YB-2020",
                format!("地址“{endpoint}”没有 url。处理：在 [endpoints] 中写明接口地址"),
            ));
        };
        let login = Login::of(errand)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "how much of the pull's time is used up, and signatures of later requests; the time of day is a value"
        )]
        let started = Instant::now();
        Ok(Self {
            errand,
            client: client(errand)?,
            base: url.trim_end_matches('/').to_owned(),
            login,
            started,
        })
    }

    /// Runs the whole of a pull within the adapter's time.
    pub fn run<T>(&self, work: impl Future<Output = Result<T, Unfetched>>) -> Result<T, Unfetched> {
        let seconds = self.errand.adapter.limits.fetch_seconds;
        self.errand.runtime.block_on(async {
            tokio::time::timeout(self.whole(), work)
                .await
                .unwrap_or_else(|_| {
                    Err(Unfetched::wrong(
                        "YB-2029",
                        format!("拉取超过{seconds}秒仍未完成。处理：联系该部门核对数据量和网络；确需更久时调高适配文件 limits.fetch_seconds"),
                    ))
                })
        })
    }

    fn whole(&self) -> Duration {
        let seconds = u64::from(self.errand.adapter.limits.fetch_seconds);
        self.seconds(seconds)
    }

    /// Whether the pull's time is not over after such a pause.
    pub fn has_time_for(&self, pause: Duration) -> bool {
        self.started.elapsed().saturating_add(pause) < self.whole()
    }

    /// So many seconds.
    pub fn seconds(&self, seconds: u64) -> Duration {
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        self.errand.waits.second.saturating_mul(seconds)
    }

    /// Now: the activation's time, moved on by what has passed since.
    pub fn now(&self) -> Timestamp {
        let passed =
            SignedDuration::try_from(self.started.elapsed()).unwrap_or(SignedDuration::ZERO);
        self.errand
            .now
            .checked_add(passed)
            .unwrap_or(self.errand.now)
    }

    /// A text that no other request has.
    pub fn nonce(&self) -> String {
        let count = NONCES.fetch_add(1, Ordering::Relaxed);
        let seed = format!("{} {count} {}", self.now().as_nanosecond(), self.base);
        blake3::hash(seed.as_bytes()).to_hex()[..32].to_owned()
    }

    /// The address of a path below the base.
    pub fn below(&self, path: &str) -> Result<Url, Unfetched> {
        Url::parse(&format!("{}{path}", self.base)).map_err(|_| {
            Unfetched::wrong(
                "YB-2020",
                "地址与路径合起来不是有效的网址。处理：核对 [endpoints] 的 url 和适配文件的 path",
            )
        })
    }

    /// An address that the department named: absolute or relative, and at the place it was asked at. Anything else could carry
    /// credentials away.
    pub fn followed(&self, from: &Url, link: &str) -> Result<Url, Unfetched> {
        let wrong = |what: &str| {
            Unfetched::wrong(
                "YB-2053",
                format!(
                    "对方给出的下一个地址{what}，未跟随。处理：联系该部门核对接口；地址变更时改 [endpoints]"
                ),
            )
        };
        let url = from.join(link).map_err(|_| wrong("无效"))?;
        if url.origin() != from.origin() || !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("在另一台主机上"));
        }
        Ok(url)
    }

    /// A request as its table writes it, placeholders filled in, with further parameters.
    pub fn asking(
        &self,
        request: Request<'_>,
        filled: &dyn Fn(&str) -> String,
        further: &[(&str, Parameter)],
    ) -> Result<Asking, Unfetched> {
        let mut url = self.below(&filled(request.path))?;
        let mut parameters: Parameters = request.parameters.clone();
        for (name, value) in further {
            parameters.insert((*name).to_owned(), value.clone());
        }
        let pairs = || -> Vec<(String, String)> {
            parameters
                .iter()
                .map(|(name, value)| (name.clone(), plain(value, filled)))
                .collect()
        };
        let content = match (request.method, request.body) {
            (Method::Get, _) => {
                if !parameters.is_empty() {
                    url.query_pairs_mut().extend_pairs(pairs());
                }
                Content::None
            }
            (Method::Post, Body::Form) => Content::Form(pairs()),
            (Method::Post, Body::Json) => Content::Json(Value::Object(
                parameters
                    .iter()
                    .map(|(name, value)| (name.clone(), json(value, filled)))
                    .collect::<Map<String, Value>>(),
            )),
        };
        Ok(Asking {
            method: request.method,
            url,
            content,
        })
    }

    /// Sends it until there is a wanted answer, as often as makes sense. A request that must not be made twice (`once`) is repeated
    /// only when the department has certainly not taken it.
    pub async fn send(
        &self,
        asking: &Asking,
        wanted: &[StatusCode],
        once: bool,
    ) -> Result<Response, Unfetched> {
        let mut patience = Patience::default();
        loop {
            match self.attempt(asking, &HeaderMap::new(), wanted).await {
                Ok(response) => return Ok(response),
                Err(trouble) if once && trouble.maybe_taken && !trouble.stale_key => {
                    return Err(trouble.unfetched);
                }
                Err(trouble) => self.wait(&mut patience, trouble).await?,
            }
        }
    }

    /// Signs it and sends it one time.
    pub async fn attempt(
        &self,
        asking: &Asking,
        headers: &HeaderMap,
        wanted: &[StatusCode],
    ) -> Result<Response, Trouble> {
        let mark = self.login.mark(self, asking).await?;
        let mut asking = asking.clone();
        match &mut asking.content {
            Content::Form(pairs) if mark.in_form => pairs.extend(mark.parameters),
            _ if !mark.parameters.is_empty() => {
                asking.url.query_pairs_mut().extend_pairs(mark.parameters);
            }
            _ => {}
        }
        let mut headers = headers.clone();
        headers.extend(mark.headers);
        self.unsigned(&asking, headers, wanted).await
    }

    /// Sends it one time as it is.
    pub async fn unsigned(
        &self,
        asking: &Asking,
        headers: HeaderMap,
        wanted: &[StatusCode],
    ) -> Result<Response, Trouble> {
        let request = match asking.method {
            Method::Get => self.client.get(asking.url.clone()),
            Method::Post => self.client.post(asking.url.clone()),
        };
        let request = match &asking.content {
            Content::None => request,
            Content::Json(value) => request.json(value),
            Content::Form(pairs) => request.form(pairs),
        };
        let response = request
            .headers(headers)
            .send()
            .await
            .map_err(|error| trouble::failed(&error))?;
        let status = response.status();
        if !wanted.contains(&status) {
            let wait = asked_wait(response.headers(), self.now());
            return Err(trouble::refused(status, wait));
        }
        let encoding = response.headers().get(CONTENT_ENCODING);
        if status != StatusCode::NOT_MODIFIED
            && encoding
                .is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
        {
            return Err(Trouble::lasting(Unfetched::wrong(
                "YB-2031",
                "对方未经请求压缩了应答（Content-Encoding），无法核对长度、断点续传。处理：请该部门关闭此接口的压缩，或改为提供压缩包文件",
            )));
        }
        Ok(response)
    }

    /// Waits before the next attempt, or gives up.
    pub async fn wait(&self, patience: &mut Patience, trouble: Trouble) -> Result<(), Unfetched> {
        if trouble.stale_key && !patience.renewed && self.login.forget_key().await {
            patience.renewed = true;
            return Ok(());
        }
        let retries = self.errand.adapter.limits.retries;
        let most = retries.min(trouble.most_attempts.saturating_sub(1));
        if !trouble.passing || patience.attempts >= most {
            return Err(trouble.unfetched);
        }
        let waits = &self.errand.waits;
        let pause = trouble.asked_wait.map_or_else(
            || {
                waits
                    .first_pause
                    .saturating_mul(1 << patience.attempts.min(16))
                    .min(waits.longest_pause)
            },
            |asked| self.seconds(asked),
        );
        patience.attempts += 1;
        if !self.has_time_for(pause) {
            return Err(match trouble.asked_wait {
                Some(wait) => Unfetched::wrong(
                    "YB-2038",
                    format!(
                        "对方要求{wait}秒后再来，超过本次拉取的时限。处理：错开拉取时间，或联系该部门放宽频率"
                    ),
                ),
                None => trouble.unfetched,
            });
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// The whole of a small answer, under the cap of a page.
    pub async fn body(&self, mut response: Response, what: &str) -> Result<Vec<u8>, Trouble> {
        let most = self.errand.adapter.limits.page_bytes;
        let mut body = Vec::new();
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| trouble::failed(&error))?
        {
            if body.len() + piece.len() > most {
                return Err(Trouble::lasting(Unfetched::wrong(
                    "YB-2045",
                    format!(
                        "{what}超过{most}字节。处理：调小 per_page；确需更大时调高适配文件 limits.page_bytes"
                    ),
                )));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// An answer and its body, tried again when the connection breaks inside it.
    pub async fn answer(
        &self,
        asking: &Asking,
        wanted: &[StatusCode],
        what: &str,
    ) -> Result<(HeaderMap, Vec<u8>), Unfetched> {
        let mut patience = Patience::default();
        loop {
            let tried = async {
                let response = self.attempt(asking, &HeaderMap::new(), wanted).await?;
                let headers = response.headers().clone();
                Ok((headers, self.body(response, what).await?))
            };
            match tried.await {
                Ok(answer) => return Ok(answer),
                Err(trouble) => self.wait(&mut patience, trouble).await?,
            }
        }
    }

    /// Forgets the short-lived key, where the way of signing has one.
    pub async fn forget_key(&self) -> bool {
        self.login.forget_key().await
    }
}

fn client(errand: &Errand<'_>) -> Result<Client, Unfetched> {
    let endpoint = errand.endpoint;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let mut builder = Client::builder()
        .default_headers(headers)
        .connect_timeout(errand.waits.connect)
        .read_timeout(errand.waits.silence)
        .redirect(reqwest::redirect::Policy::none())
        .no_gzip()
        .no_proxy();
    if let Some(file) = &endpoint.ca_file {
        let pem = secret::certificates(errand.home, file)?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem)
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .ok_or_else(|| secret::unfit_certificates(file))?;
        builder = builder.tls_certs_only(certificates);
    }
    if let (Some(certificate), Some(key)) = (&endpoint.client_cert_file, &endpoint.client_key_file)
    {
        let mut pem = secret::certificates(errand.home, certificate)?;
        pem.push(b'\n');
        pem.extend(secret::key(errand.home, key)?.expose_secret().as_bytes());
        let identity = reqwest::Identity::from_pem(&pem).map_err(|_| {
            Unfetched::wrong(
                "YB-2036",
                "客户端证书或私钥不能使用。处理：核对 client_cert_file（证书及证书链）和 client_key_file（未加密的私钥），均为 PEM 格式；.p12/.pfx 文件须先转换",
            )
        })?;
        builder = builder.identity(identity);
    }
    builder.build().map_err(|_| {
        Unfetched::wrong(
            "YB-2023",
            "无法建立网络客户端。处理：核对 ca_file、客户端证书与私钥是否配对，仍不行请联系维护人员",
        )
    })
}

/// How many seconds the department asks to wait: a number, or a date against its own clock.
fn asked_wait(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let until = moment(text)?;
    let from = text_of(headers, &DATE).and_then(moment).unwrap_or(now);
    u64::try_from(until.duration_since(from).as_secs()).ok()
}

/// A header as text.
pub fn text_of<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// `Mon, 23 Nov 2026 02:00:00 GMT`.
pub fn moment(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()
}

fn plain(value: &Parameter, filled: &dyn Fn(&str) -> String) -> String {
    match value {
        Parameter::Text(text) => filled(text),
        Parameter::Number(number) => number.to_string(),
        Parameter::Truth(truth) => truth.to_string(),
        // The check keeps these out of queries and forms.
        Parameter::Many(_) | Parameter::Table(_) => String::new(),
    }
}

fn json(value: &Parameter, filled: &dyn Fn(&str) -> String) -> Value {
    match value {
        Parameter::Text(text) => Value::String(filled(text)),
        Parameter::Number(number) => Value::from(*number),
        Parameter::Truth(truth) => Value::Bool(*truth),
        Parameter::Many(list) => list.iter().map(|value| json(value, filled)).collect(),
        Parameter::Table(table) => Value::Object(
            table
                .iter()
                .map(|(name, value)| (name.clone(), json(value, filled)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_wait_is_read_in_both_ways_of_writing() {
        let now: Timestamp = "2026-11-23T02:00:00Z".parse().unwrap();
        for (retry, date, wanted) in [
            ("7", None, Some(7)),
            (" 0 ", None, Some(0)),
            ("Mon, 23 Nov 2026 02:00:09 GMT", None, Some(9)),
            // A department whose clock is an hour off.
            (
                "Mon, 23 Nov 2026 03:00:09 GMT",
                Some("Mon, 23 Nov 2026 03:00:00 GMT"),
                Some(9),
            ),
            ("Mon, 23 Nov 2026 01:00:00 GMT", None, None),
            ("-1", None, None),
            ("soon", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(retry).unwrap());
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_str(date).unwrap());
            }
            assert_eq!(asked_wait(&headers, now), wanted, "{retry}");
        }
    }
}
