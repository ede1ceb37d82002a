//! How a session proves who asks: secrets read from their files, every request marked anew.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::adapter::endpoint::auth::{Auth, Hash};
use crate::intake::fetch::client::{Asking, Session};
use crate::intake::fetch::keyring::{Exchange, Token};
use crate::intake::fetch::signing::{exchange, irs, tif, token};
use crate::intake::fetch::trouble::Trouble;
use crate::intake::fetch::{Errand, Unfetched};
use crate::secret;

/// A way of signing with its secrets.
pub enum Login<'e> {
    /// None.
    None,
    /// The same header on every request.
    Header(HeaderName, HeaderValue),
    /// The same parameter on every request.
    Query(&'e str, SecretString),
    /// IRS gateway.
    Irs(&'e str, SecretString, Hash),
    /// TIF gateway.
    Tif(&'e str, SecretString, Hash, bool),
    /// MD5 token gateway.
    Token(Token<'e>),
    /// National exchange.
    Exchange(Exchange<'e>),
}

/// What a signed request has more.
#[derive(Default)]
pub struct Mark {
    /// Headers.
    pub headers: HeaderMap,
    /// Parameters.
    pub parameters: Vec<(String, String)>,
    /// They belong into a form, where the request has one.
    pub in_form: bool,
}

impl<'e> Login<'e> {
    /// Reads the secrets.
    pub fn of(errand: &'e Errand<'e>) -> Result<Self, Unfetched> {
        let read = |file| secret::read(errand.home, file);
        if let Some(file) = &errand.endpoint.token_file {
            return bearer(&read(file)?);
        }
        Ok(match &errand.endpoint.auth {
            None | Some(Auth::None {}) => Self::None,
            Some(Auth::Bearer { token_file }) => bearer(&read(token_file)?)?,
            Some(Auth::Basic {
                user,
                password_file,
            }) => {
                let password = read(password_file)?;
                let pair = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
                Self::Header(AUTHORIZATION, sensitive(&format!("Basic {pair}"))?)
            }
            Some(Auth::Header { name, value_file }) => Self::Header(
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?,
                sensitive(read(value_file)?.expose_secret())?,
            ),
            Some(Auth::Query { name, value_file }) => Self::Query(name, read(value_file)?),
            Some(Auth::Irs {
                access_key,
                secret_file,
                hash,
            }) => Self::Irs(access_key, read(secret_file)?, *hash),
            Some(Auth::Tif {
                paas_id,
                token_file,
                hash,
                capitals,
            }) => Self::Tif(paas_id, read(token_file)?, *hash, *capitals),
            Some(Auth::Token(settings)) => Self::Token(Token::of(
                settings,
                read(&settings.secret_file)?,
                errand.endpoint.url.as_deref().unwrap_or_default(),
            )),
            Some(Auth::Exchange(settings)) => Self::Exchange(Exchange::of(
                settings,
                read(&settings.key_file)?,
                errand.endpoint.url.as_deref().unwrap_or_default(),
            )),
        })
    }

    /// What this request has more, at this moment. Short-lived keys are renewed first where they must be.
    pub async fn mark(&self, session: &Session<'_>, asking: &Asking) -> Result<Mark, Trouble> {
        let mut mark = Mark::default();
        match self {
            Self::None => {}
            Self::Header(name, value) => {
                mark.headers.insert(name.clone(), value.clone());
            }
            Self::Query(name, value) => {
                mark.parameters
                    .push(((*name).to_owned(), value.expose_secret().to_owned()));
            }
            Self::Irs(access_key, secret, hash) => {
                let method = match asking.method {
                    crate::adapter::transport::request::Method::Get => "GET",
                    crate::adapter::transport::request::Method::Post => "POST",
                };
                let query = asking.url.query().unwrap_or_default();
                let headers = irs::headers(
                    method,
                    asking.url.path(),
                    query,
                    access_key,
                    secret.expose_secret(),
                    *hash,
                    session.now(),
                );
                mark.headers(&headers)?;
            }
            Self::Tif(paas_id, token, hash, capitals) => {
                let headers = tif::headers(
                    paas_id,
                    token.expose_secret(),
                    session.now().as_second(),
                    &session.nonce(),
                    *hash,
                    *capitals,
                );
                mark.headers(&headers)?;
            }
            Self::Token(gateway) => {
                let secret = gateway.request_secret(session).await?;
                let millis = session.now().as_millisecond();
                let named = token::parameters(gateway.app_key(), secret.expose_secret(), millis);
                mark.parameters
                    .extend(named.map(|(name, value)| (name.to_owned(), value)));
                mark.in_form = true;
            }
            Self::Exchange(platform) => {
                let secret = platform.secret_of_the_day(session).await?;
                let named = platform.marks(session, secret.expose_secret());
                mark.headers(&named)?;
            }
        }
        Ok(mark)
    }

    /// Forgets a short-lived key; false when this way of signing has none.
    pub async fn forget_key(&self) -> bool {
        match self {
            Self::Token(gateway) => gateway.forget().await,
            Self::Exchange(platform) => platform.forget().await,
            _ => return false,
        }
        true
    }
}

impl Mark {
    fn headers(&mut self, named: &[(impl AsRef<str>, String)]) -> Result<(), Unfetched> {
        for (name, value) in named {
            let name = HeaderName::from_bytes(name.as_ref().as_bytes()).map_err(|_| unfit())?;
            self.headers.insert(name, sensitive(value)?);
        }
        Ok(())
    }
}

impl Exchange<'_> {
    /// The four headers of a request at this moment.
    pub fn marks(&self, session: &Session<'_>, key: &str) -> [(String, String); 4] {
        let settings = self.settings();
        exchange::marks(
            &settings.prefix,
            &settings.service,
            &settings.requester,
            session.now().as_millisecond(),
            key,
            settings.hash,
        )
    }
}

fn bearer<'e>(token: &SecretString) -> Result<Login<'e>, Unfetched> {
    let value = sensitive(&format!("Bearer {}", token.expose_secret()))?;
    Ok(Login::Header(AUTHORIZATION, value))
}

/// A header value that no log shows.
pub fn sensitive(text: &str) -> Result<HeaderValue, Unfetched> {
    let mut value = HeaderValue::from_str(text).map_err(|_| unfit())?;
    value.set_sensitive(true);
    Ok(value)
}

fn unfit() -> Unfetched {
    Unfetched::wrong(
        "YB-2021",
        "令牌或密钥文件的内容不能作为请求头。处理：核对文件，只写令牌一行，不带引号和中文",
    )
}
