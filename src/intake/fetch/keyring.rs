//! Short-lived keys. They live in memory only, one ring per address and application, so that pulls that run side by side renew a
//! key once; losing one costs a renewal.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::adapter::endpoint::auth;
use crate::adapter::transport::request::Method;
use crate::calendar::shanghai;
use crate::intake::fetch::Unfetched;
use crate::intake::fetch::answer::{shortened, text};
use crate::intake::fetch::client::{Asking, Content, Session};
use crate::intake::fetch::login::sensitive;
use crate::intake::fetch::signing::{exchange, token};
use crate::intake::fetch::trouble::Trouble;

/// A key is renewed this long before its end.
const MARGIN: SignedDuration = SignedDuration::from_mins(3);

/// A key whose end makes no sense is used for this long.
const AT_LEAST: SignedDuration = SignedDuration::from_secs(60);

/// A key and its end.
#[derive(Clone)]
struct Key {
    secret: SecretString,
    until: Timestamp,
}

impl Key {
    fn is_good(&self, now: Timestamp) -> bool {
        now < self.until
    }
}

#[derive(Default)]
struct Ring {
    /// Signs requests.
    request: Option<Key>,
    /// Signs renewals (token gateways only).
    refresh: Option<Key>,
}

type Shared = Arc<tokio::sync::Mutex<Ring>>;

static RINGS: LazyLock<Mutex<BTreeMap<String, Shared>>> = LazyLock::new(Mutex::default);

/// The ring of an address and application; another secret in the file is another application. As many as the settings have endpoints.
fn ring(kind: &str, url: &str, id: &str, secret: &SecretString) -> Shared {
    let mut hasher = blake3::Hasher::new();
    for part in [kind, url, id, secret.expose_secret()] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let key = hasher.finalize().to_hex().to_string();
    let mut rings = RINGS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(rings.entry(key).or_default())
}

/// An MD5 token gateway.
pub struct Token<'e> {
    settings: &'e auth::Token,
    secret: SecretString,
    ring: Shared,
}

impl<'e> Token<'e> {
    /// With its ring.
    pub fn of(settings: &'e auth::Token, secret: SecretString, url: &str) -> Self {
        let ring = ring("token", url, &settings.app_key, &secret);
        Self {
            settings,
            secret,
            ring,
        }
    }

    /// The application's key.
    pub fn app_key(&self) -> &str {
        &self.settings.app_key
    }

    /// Forgets the key of requests; the next request renews it.
    pub async fn forget(&self) {
        self.ring.lock().await.request = None;
    }

    /// The key of requests, renewed when its end is near. Who comes meanwhile waits for the one renewal.
    pub async fn request_secret(&self, session: &Session<'_>) -> Result<SecretString, Trouble> {
        let mut ring = self.ring.lock().await;
        let now = session.now();
        if let Some(key) = ring.request.as_ref().filter(|key| key.is_good(now)) {
            return Ok(key.secret.clone());
        }
        let known = ring.refresh.take().filter(|key| key.is_good(now));
        let mut renewed = None;
        if let Some(refresh) = known {
            match self
                .renew(session, &self.settings.by_secret, &refresh.secret)
                .await
            {
                Ok(keys) => renewed = Some(keys),
                // The gateway may have lost it: the application's own secret still opens the door.
                Err(trouble) if trouble.passing => {
                    ring.refresh = Some(refresh);
                    return Err(trouble);
                }
                Err(_) => {}
            }
        }
        let (request, refresh) = match renewed {
            Some(keys) => keys,
            None => {
                self.renew(session, &self.settings.by_key, &self.secret)
                    .await?
            }
        };
        let secret = request.secret.clone();
        ring.request = Some(request);
        ring.refresh = refresh;
        Ok(secret)
    }

    async fn renew(
        &self,
        session: &Session<'_>,
        path: &str,
        secret: &SecretString,
    ) -> Result<(Key, Option<Key>), Trouble> {
        let now = session.now();
        let mut url = session.below(path)?;
        let named = token::parameters(self.app_key(), secret.expose_secret(), now.as_millisecond());
        url.query_pairs_mut().extend_pairs(named);
        let asking = Asking {
            method: Method::Get,
            url,
            content: Content::None,
        };
        let answer = answer(session, &asking, HeaderMap::new()).await?;
        accepted(&answer, "00")?;
        // The pair is an object, or a text that holds one.
        let datas = match answer.get("datas") {
            Some(Value::String(inner)) => serde_json::from_str(inner).unwrap_or(Value::Null),
            Some(other) => other.clone(),
            None => Value::Null,
        };
        let key = |name: &str, end: &str| {
            let secret = datas
                .get(name)?
                .as_str()
                .filter(|secret| !secret.is_empty())?;
            Some(Key {
                secret: SecretString::from(secret),
                until: until(datas.get(end), now),
            })
        };
        let request = key("requestSecret", "requestSecretEndTime")
            .ok_or_else(|| refused("应答中没有密钥"))?;
        Ok((request, key("refreshSecret", "refreshSecretEndTime")))
    }
}

/// The national exchange.
pub struct Exchange<'e> {
    settings: &'e auth::Exchange,
    app_key: SecretString,
    ring: Shared,
}

impl<'e> Exchange<'e> {
    /// With its ring.
    pub fn of(settings: &'e auth::Exchange, app_key: SecretString, url: &str) -> Self {
        let id = format!("{} {}", settings.requester, settings.service);
        let ring = ring("exchange", url, &id, &app_key);
        Self {
            settings,
            app_key,
            ring,
        }
    }

    /// How it is signed.
    pub const fn settings(&self) -> &auth::Exchange {
        self.settings
    }

    /// Forgets the secret; the next request renews it.
    pub async fn forget(&self) {
        self.ring.lock().await.request = None;
    }

    /// The secret of the day, renewed when its end is near. Who comes meanwhile waits for the one renewal.
    pub async fn secret_of_the_day(&self, session: &Session<'_>) -> Result<SecretString, Trouble> {
        let mut ring = self.ring.lock().await;
        let now = session.now();
        if let Some(key) = ring.request.as_ref().filter(|key| key.is_good(now)) {
            return Ok(key.secret.clone());
        }
        let named = self.marks(session, self.app_key.expose_secret());
        let mut headers = HeaderMap::new();
        for (name, value) in &named {
            if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
                headers.insert(name, sensitive(value)?);
            }
        }
        let asking = Asking {
            method: Method::Post,
            url: session.below(&self.settings.renew)?,
            // Documents want the four names in the body; some gateways look at the headers.
            content: Content::Json(Value::Object(
                named
                    .into_iter()
                    .map(|(name, value)| (name, Value::String(value)))
                    .collect(),
            )),
        };
        let answer = answer(session, &asking, headers).await?;
        accepted(&answer, "0")?;
        let closed = answer.pointer("/data/secret").and_then(Value::as_str);
        let secret = closed
            .and_then(|closed| exchange::opened(self.app_key.expose_secret(), closed))
            .map(SecretString::from)
            .ok_or_else(|| refused("密钥解不开，与本应用的 appKey 不符"))?;
        ring.request = Some(Key {
            secret: secret.clone(),
            until: until(answer.pointer("/data/secretEndTime"), now),
        });
        Ok(secret)
    }
}

async fn answer(
    session: &Session<'_>,
    asking: &Asking,
    headers: HeaderMap,
) -> Result<Value, Trouble> {
    let response = session
        .unsigned(asking, headers, &[StatusCode::OK])
        .await
        .map_err(|mut trouble| {
            // The door of keys knows no other key.
            trouble.stale_key = false;
            // That it is not there is no word about the data.
            if trouble.unfetched.not_yet {
                trouble.unfetched = refused("没有换取密钥的接口");
            }
            trouble
        })?;
    let body = session.body(response, "密钥应答").await?;
    serde_json::from_slice(&body).map_err(|_| Trouble::lasting(refused("应答不是 JSON")))
}

fn accepted(answer: &Value, wanted: &str) -> Result<(), Unfetched> {
    let code = answer.get("code").map(text).unwrap_or_default();
    if code == wanted {
        return Ok(());
    }
    let message = ["message", "msg"]
        .iter()
        .find_map(|name| answer.get(name)?.as_str())
        .unwrap_or_default();
    let what = format!("结果码“{}”，{}", shortened(&code), shortened(message));
    Err(refused(&what))
}

fn refused(what: &str) -> Unfetched {
    Unfetched::wrong(
        "YB-2039",
        format!("换取临时密钥未成功：{what}。处理：核对应用标识、密钥文件、授权名单和本机时钟"),
    )
}

/// The moment from which a key is renewed: its end (milliseconds, seconds, or a time of day in China) less the margin. Without one
/// it holds for the rest of the day.
fn until(end: Option<&Value>, now: Timestamp) -> Timestamp {
    let written = end.map(text).unwrap_or_default();
    let end = instant(written.trim()).unwrap_or_else(|| {
        let today = shanghai::civil(now).date();
        shanghai::instant(today.at(23, 59, 59, 0))
    });
    let least = now.checked_add(AT_LEAST).unwrap_or(now);
    end.checked_sub(MARGIN).unwrap_or(end).max(least)
}

fn instant(written: &str) -> Option<Timestamp> {
    if written.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = written.parse().ok()?;
        return match written.len() {
            10 => Timestamp::from_second(number).ok(),
            13 => Timestamp::from_millisecond(number).ok(),
            14 => DateTime::strptime("%Y%m%d%H%M%S", written)
                .ok()
                .map(shanghai::instant),
            _ => None,
        };
    }
    written.parse::<Timestamp>().ok().or_else(|| {
        written
            .replace('/', "-")
            .parse()
            .ok()
            .map(shanghai::instant)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ends_of_keys_are_read_in_every_way_of_writing() {
        let now: Timestamp = "2026-11-23T02:00:00Z".parse().unwrap();
        let quarter = "2026-11-23T02:12:00Z";
        for (end, wanted) in [
            (json!(1_795_400_100_000_i64), quarter),
            (json!("1795400100000"), quarter),
            (json!(1_795_400_100), quarter),
            (json!("2026-11-23 10:15:00"), quarter),
            (json!("2026/11/23 10:15:00"), quarter),
            (json!("20261123101500"), quarter),
            (json!("2026-11-23T02:15:00Z"), quarter),
            // Nothing that can be read: the rest of the day in China.
            (json!("soon"), "2026-11-23T15:56:59Z"),
            (json!(null), "2026-11-23T15:56:59Z"),
            // An end in the past must not renew on every request.
            (json!("2026-11-23 09:00:00"), "2026-11-23T02:01:00Z"),
        ] {
            let wanted: Timestamp = wanted.parse().unwrap();
            assert_eq!(until(Some(&end), now), wanted, "{end}");
        }
    }
}
