//! `[couriers]` of the settings.

use std::path::PathBuf;

use serde::Deserialize;

/// How messages leave the house.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CourierSettings {
    /// `dry_run` (the default of a new install) or `live`.
    pub mode: CourierMode,
    /// The mail relay; needed when live.
    pub smtp: Option<SmtpSettings>,
    /// The SMS gateway; without it no texts are sent when live.
    pub sms: Option<SmsSettings>,
}

/// Dry run or live.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CourierMode {
    /// `.eml` and text files; nobody is reached.
    #[default]
    DryRun,
    /// Real mail and texts.
    Live,
}

/// A mail relay.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    /// Host name.
    pub host: String,
    /// Port; 465 for `tls`, 587 for `starttls`, 25 for `none` unless given.
    pub port: Option<u16>,
    /// Implicit TLS unless given; `none` only for a relay on this machine or an inner network, and `check` warns.
    #[serde(default)]
    pub security: MailSecurity,
    /// Account.
    pub user: Option<String>,
    /// File with its password (0600).
    pub password_file: Option<PathBuf>,
    /// File with the only CA certificates to trust (PEM).
    pub ca_file: Option<PathBuf>,
    /// Seconds for one message, connect to last reply.
    #[serde(default = "sixty")]
    pub timeout_s: u64,
}

const fn sixty() -> u64 {
    60
}

/// How the relay is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// STARTTLS, required.
    Starttls,
    /// Plain.
    None,
}

/// One HTTP SMS gateway, described: provincial portals differ endlessly.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsSettings {
    /// Where the request goes (POST).
    pub url: String,
    /// `json` or `form`.
    pub body: SmsBody,
    /// Template (minijinja) of each body field by name: `{{ phone }}`, `{{ text }}`, `{{ key }}`, `{{ secret }}`.
    pub fields: std::collections::BTreeMap<String, String>,
    /// Header templates, the same variables.
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    /// File with the secret (0600).
    pub secret_file: Option<PathBuf>,
    /// JSON pointer of the answer's code.
    pub code: String,
    /// The code of success.
    pub success: String,
    /// JSON pointer of the gateway's message number.
    pub number: Option<String>,
    /// Codes after which another try later makes sense; every other code is final.
    #[serde(default)]
    pub retry: Vec<String>,
    /// File with the only CA certificates to trust (PEM).
    pub ca_file: Option<PathBuf>,
    /// Signature, without 【】.
    pub signature: String,
    /// Seconds for one request.
    #[serde(default = "sixty")]
    pub timeout_s: u64,
}

/// How the body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsBody {
    /// A JSON object of strings.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}
