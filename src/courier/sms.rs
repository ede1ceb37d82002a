//! Texts through one HTTP gateway, described in the settings. One request per message.
//!
//! No gateway is idempotent: a request whose answer did not come is *unknown*, and never repeated here, nor by the HTTP library.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use tracing::instrument::WithSubscriber;

use crate::courier::settings::{SmsBody, SmsSettings};
use crate::courier::sms_template::SmsValues;
use crate::courier::sms_verdict::{Answer, Hidden, judge};
use crate::courier::trouble::{self, Trouble};
use crate::courier::{Courier, Parcel, one_by_one, sms_text};
use crate::domain::notice::Outcome;
use crate::domain::outreach::is_mobile;
use crate::domain::record::mask;
use crate::secret;

/// Longest answer that is read, bytes.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// Longest a connection may take, so that it fails as a connection and not as a request whose fate is unknown.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Sends texts. Blocks the calling thread; must not be called on a worker of the runtime it was given.
pub struct SmsCourier {
    settings: SmsSettings,
    client: Client,
    home: PathBuf,
    runtime: Handle,
}

/// A request, filled in.
struct Request {
    headers: HeaderMap,
    fields: Vec<(String, String)>,
}

impl SmsCourier {
    /// Checks that the secret and the certificates can be read, so that a bad install shows at the start.
    pub(super) fn build(
        settings: &SmsSettings,
        home: &Path,
        runtime: &Handle,
    ) -> Result<Self, Trouble> {
        let courier = Self {
            settings: settings.clone(),
            client: client(settings, home)?,
            home: home.to_owned(),
            runtime: runtime.clone(),
        };
        courier.secret()?;
        Ok(courier)
    }

    fn secret(&self) -> Result<Option<SecretString>, Trouble> {
        self.settings
            .secret_file
            .as_ref()
            .map(|file| secret::read(&self.home, file).map_err(Trouble::from))
            .transpose()
    }

    fn deliver(&self, secret: Option<&str>, parcel: &Parcel<'_>) -> Outcome {
        let notice = parcel.notice;
        if !is_mobile(&notice.address) {
            return Trouble::new(
                "YB-6202",
                format!(
                    "{} 不是手机号码。处理：更正号码后重新生成通知",
                    mask(&notice.address)
                ),
            )
            .failed();
        }
        let text = match sms_text::signed(Some(&self.settings.signature), &notice.text) {
            Ok(text) => text,
            Err(refusal) => return Trouble::new(sms_text::UNFIT, refusal.text()).failed(),
        };
        let values = SmsValues {
            phone: &notice.address,
            text: &text,
            key: &notice.key,
            secret,
        };
        let request = match self.request(&values) {
            Ok(request) => request,
            Err(trouble) => return trouble.retry(),
        };
        let hidden = Hidden {
            phone: &notice.address,
            secret,
        };
        self.runtime.block_on(
            self.exchange(request, hidden)
                // What the HTTP library logs may hold the secret and the number.
                .with_subscriber(tracing::Dispatch::none()),
        )
    }

    fn request(&self, values: &SmsValues<'_>) -> Result<Request, Trouble> {
        let wrong = |text: String| Trouble::new(trouble::NOT_OURS, text);
        let mut fields = Vec::with_capacity(self.settings.fields.len());
        for (name, template) in &self.settings.fields {
            let value = values
                .fill(template)
                .map_err(|text| wrong(format!("couriers.sms.fields.{name}：{text}")))?;
            fields.push((name.clone(), value));
        }
        let mut headers = HeaderMap::new();
        for (name, template) in &self.settings.headers {
            let unfit = || {
                wrong(format!(
                    "couriers.sms.headers.{name}：不能作请求头。处理：只用 ASCII 字符，不换行"
                ))
            };
            let value = values
                .fill(template)
                .map_err(|text| wrong(format!("couriers.sms.headers.{name}：{text}")))?;
            let mut value = HeaderValue::from_str(&value).map_err(|_| unfit())?;
            value.set_sensitive(true);
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
            headers.insert(name, value);
        }
        Ok(Request { headers, fields })
    }

    async fn exchange(&self, request: Request, hidden: Hidden<'_>) -> Outcome {
        let limit = Duration::from_secs(self.settings.timeout_s);
        let post = self.client.post(&self.settings.url);
        let post = match self.settings.body {
            SmsBody::Json => {
                let object: BTreeMap<String, String> = request.fields.into_iter().collect();
                post.json(&object)
            }
            SmsBody::Form => post.form(&request.fields),
        };
        let sending = post.headers(request.headers).send();
        match tokio::time::timeout(limit, self.answered(sending, hidden)).await {
            Ok(outcome) => outcome,
            Err(_) => Trouble::new(
                "YB-6207",
                "短信请求已发出，超时未得到答复，可能已发出。处理：在网关平台查询后再决定是否重发",
            )
            .unknown(),
        }
    }

    async fn answered(
        &self,
        sending: impl Future<Output = reqwest::Result<reqwest::Response>>,
        hidden: Hidden<'_>,
    ) -> Outcome {
        let mut response = match sending.await {
            Ok(response) => response,
            Err(error) => return unanswered(error, hidden),
        };
        let status = response.status().as_u16();
        let mut body = Vec::new();
        let whole = loop {
            match response.chunk().await {
                Ok(Some(piece)) if body.len() + piece.len() <= ANSWER_MAX_BYTES => {
                    body.extend_from_slice(&piece);
                }
                Ok(None) => break true,
                Ok(Some(_)) | Err(_) => break false,
            }
        };
        let answer = Answer {
            status,
            body: &body,
            whole,
        };
        judge(&self.settings, answer, hidden)
    }
}

/// Without an answer, only a connection that never stood is sure not to have sent anything.
fn unanswered(error: reqwest::Error, hidden: Hidden<'_>) -> Outcome {
    // The address is the operator's, but may hold an account in its query.
    let error = error.without_url();
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(found) = cause {
        said = format!("{said}：{found}");
        cause = found.source();
    }
    let said = hidden.spoken(&said);
    if error.is_connect() {
        return Trouble::new(
            trouble::NO_GATEWAY,
            format!(
                "不能连接短信网关（{said}）。处理：检查网络、url 和 ca_file；只支持 TLS 1.2 以上"
            ),
        )
        .retry();
    }
    if error.is_builder() {
        return Trouble::new(
            trouble::NOT_OURS,
            format!("短信请求不能成文（{said}）。处理：检查 couriers.sms"),
        )
        .retry();
    }
    Trouble::new(
        "YB-6207",
        format!(
            "短信请求已发出，连接中断（{said}），可能已发出。处理：在网关平台查询后再决定是否重发"
        ),
    )
    .unknown()
}

/// One connection per message, no redirect, no proxy, no repeat of any kind.
fn client(settings: &SmsSettings, home: &Path) -> Result<Client, Trouble> {
    // The whole program uses this provider; whoever comes first sets it, and a second time does nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let limit = Duration::from_secs(settings.timeout_s);
    let mut builder = Client::builder()
        .connect_timeout(CONNECT_MAX.min(limit / 2))
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .http1_only()
        .no_proxy()
        .referer(false);
    if let Some(file) = &settings.ca_file {
        let pem = secret::certificates(home, file)?;
        let certificates =
            Certificate::from_pem_bundle(&pem).map_err(|_| secret::unfit_certificates(file))?;
        builder = builder.tls_certs_only(certificates);
    }
    builder.build().map_err(|error| {
        Trouble::new(
            trouble::CERTIFICATES,
            format!("不能准备加密连接（{error}）。处理：检查 ca_file，或安装 ca-certificates"),
        )
    })
}

impl Courier for SmsCourier {
    fn send(&self, parcels: &[Parcel<'_>]) -> Vec<Outcome> {
        match self.secret() {
            Ok(secret) => one_by_one(parcels, |parcel| {
                self.deliver(secret.as_ref().map(ExposeSecret::expose_secret), parcel)
            }),
            Err(trouble) => one_by_one(parcels, |_| trouble.clone().retry()),
        }
    }
}
