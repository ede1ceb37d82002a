//! `[couriers]` of the settings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::courier::sms_template::SmsValues;

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

/// Dotted key and what is wrong with it, with the remedy.
pub type Complaint = (String, String);

impl CourierSettings {
    /// Whether somebody outside would be reached. A demo home never may.
    #[must_use]
    pub const fn live(&self) -> bool {
        matches!(self.mode, CourierMode::Live)
    }

    /// What makes these settings unusable. Files they name are not looked at: that is done when the couriers are made.
    #[must_use]
    pub fn complaints(&self) -> Vec<Complaint> {
        let mut found = Vec::new();
        if self.live() && self.smtp.is_none() {
            complain(
                &mut found,
                "couriers.smtp",
                "mode 为 live 时必须有邮件服务器。处理：填写 [couriers.smtp]，或把 mode 改为 dry_run",
            );
        }
        if let Some(smtp) = &self.smtp {
            smtp.complain(&mut found);
        }
        if let Some(sms) = &self.sms {
            sms.complain(&mut found);
        }
        found
    }

    /// What works but deserves a warning.
    #[must_use]
    pub fn cautions(&self) -> Vec<Complaint> {
        let mut found = Vec::new();
        if let Some(smtp) = &self.smtp
            && smtp.security == MailSecurity::None
            && !is_this_machine(&smtp.host)
        {
            complain(
                &mut found,
                "couriers.smtp.security",
                "邮件将以明文传送。处理：仅限可信内网；能用 tls 或 starttls 时请改用",
            );
        }
        if let Some(sms) = &self.sms
            && let Ok(url) = reqwest::Url::parse(&sms.url)
            && url.scheme() == "http"
            && !url.host_str().is_some_and(is_this_machine)
        {
            complain(
                &mut found,
                "couriers.sms.url",
                "短信内容和口令将以明文传送。处理：仅限可信内网；能用 https 时请改用",
            );
        }
        if self.live() && self.sms.is_none() {
            complain(
                &mut found,
                "couriers.sms",
                "没有短信通道，不发送短信。处理：需要短信时填写 [couriers.sms]",
            );
        }
        found
    }
}

fn complain(found: &mut Vec<Complaint>, key: &str, text: &str) {
    found.push((key.to_owned(), text.to_owned()));
}

/// Loopback by name or number.
fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn complain_of_timeout(found: &mut Vec<Complaint>, key: &str, timeout_s: u64) {
    if !(1..=600).contains(&timeout_s) {
        complain(found, key, "超时须在 1 至 600 秒之间。处理：一般用 60");
    }
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

impl SmtpSettings {
    /// The port given, or the usual one of this kind of connection.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            MailSecurity::Tls => 465,
            MailSecurity::Starttls => 587,
            MailSecurity::None => 25,
        })
    }

    fn complain(&self, found: &mut Vec<Complaint>) {
        if self.host.is_empty() || self.host.contains(|c: char| c.is_whitespace() || c == '/') {
            complain(
                found,
                "couriers.smtp.host",
                "不是主机名。处理：只写主机名，如 mail.example.org，不带协议和端口",
            );
        }
        if self.port == Some(0) {
            complain(
                found,
                "couriers.smtp.port",
                "端口不能为 0。处理：改为服务器的端口",
            );
        }
        match (&self.user, &self.password_file) {
            (Some(_), None) => complain(
                found,
                "couriers.smtp.password_file",
                "有账户而无口令文件。处理：把口令（授权码）写入权限 0600 的文件，并在此引用",
            ),
            (None, Some(_)) => complain(
                found,
                "couriers.smtp.user",
                "有口令文件而无账户。处理：填写 user，或去掉 password_file",
            ),
            (Some(_), Some(_))
                if self.security == MailSecurity::None && !is_this_machine(&self.host) =>
            {
                complain(
                    found,
                    "couriers.smtp.security",
                    "不得以明文传送口令。处理：改用 tls 或 starttls；按来源地址放行的内网中继则去掉 user 和 password_file",
                );
            }
            _ => {}
        }
        if self.security == MailSecurity::None && self.ca_file.is_some() {
            complain(
                found,
                "couriers.smtp.ca_file",
                "明文连接不核对证书。处理：去掉 ca_file，或改用 tls、starttls",
            );
        }
        complain_of_timeout(found, "couriers.smtp.timeout_s", self.timeout_s);
    }
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
    pub fields: BTreeMap<String, String>,
    /// Header templates, the same variables.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
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

impl SmsSettings {
    fn complain(&self, found: &mut Vec<Complaint>) {
        self.complain_of_address(found);
        if self.fields.is_empty() {
            complain(
                found,
                "couriers.sms.fields",
                "没有字段。处理：按网关接口文档填写，至少含 {{ phone }} 和 {{ text }}",
            );
        }
        self.complain_of_templates(found);
        for (key, pointer) in [
            ("couriers.sms.code", Some(&self.code)),
            ("couriers.sms.number", self.number.as_ref()),
        ] {
            if pointer.is_some_and(|pointer| !pointer.starts_with('/')) {
                complain(
                    found,
                    key,
                    "不是 JSON 指针。处理：写成 /code 或 /data/0/id 的形式",
                );
            }
        }
        if self.success.is_empty() {
            complain(
                found,
                "couriers.sms.success",
                "成功代码是空的。处理：按网关接口文档填写",
            );
        }
        if self.retry.contains(&self.success) {
            complain(
                found,
                "couriers.sms.retry",
                "成功代码也列为重试代码，会造成重复发送。处理：从 retry 中去掉",
            );
        }
        let length = self.signature.chars().count();
        if !(2..=12).contains(&length)
            || self
                .signature
                .contains(|c: char| c.is_control() || c == '【' || c == '】')
        {
            complain(
                found,
                "couriers.sms.signature",
                "签名须为 2 至 12 字，不带【】。处理：填写在运营商登记的签名",
            );
        }
        complain_of_timeout(found, "couriers.sms.timeout_s", self.timeout_s);
    }

    fn complain_of_address(&self, found: &mut Vec<Complaint>) {
        let Some(url) = reqwest::Url::parse(&self.url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        else {
            complain(
                found,
                "couriers.sms.url",
                "不是网址。处理：写成 https://… 的完整地址",
            );
            return;
        };
        if !url.username().is_empty() || url.password().is_some() {
            complain(
                found,
                "couriers.sms.url",
                "网址中含有账户或口令。处理：口令写入 secret_file，用 {{ secret }} 引用",
            );
        }
        if url.scheme() == "http" && self.ca_file.is_some() {
            complain(
                found,
                "couriers.sms.ca_file",
                "http 连接不核对证书。处理：去掉 ca_file，或改用 https",
            );
        }
    }

    /// Every template is tried on an invented message, so that a misspelt variable shows in `check` and not at night.
    fn complain_of_templates(&self, found: &mut Vec<Complaint>) {
        let values = SmsValues {
            phone: "00000000000",
            text: "文",
            key: "0",
            secret: self.secret_file.as_ref().map(|_| "0"),
        };
        let templates = self
            .fields
            .iter()
            .map(|entry| ("fields", entry))
            .chain(self.headers.iter().map(|entry| ("headers", entry)));
        for (table, (name, template)) in templates {
            let key = format!("couriers.sms.{table}.{name}");
            if table == "headers"
                && reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err()
            {
                complain(found, &key, "不是请求头名称。处理：按网关接口文档填写");
            }
            if let Err(error) = values.fill(template) {
                complain(found, &key, &error);
            }
        }
        for (variable, word) in [("phone", "号码"), ("text", "正文")] {
            if !self
                .fields
                .values()
                .any(|template| template.contains(variable))
            {
                complain(
                    found,
                    "couriers.sms.fields",
                    &format!(
                        "没有字段用到 {{{{ {variable} }}}}（{word}）。处理：按网关接口文档填写"
                    ),
                );
            }
        }
    }
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
