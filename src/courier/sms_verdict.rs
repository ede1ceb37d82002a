//! What a gateway's answer means. Pure: status and body in, outcome out.

use serde_json::Value;

use crate::courier::settings::SmsSettings;
use crate::courier::trouble::{self, Trouble, spoken};
use crate::domain::notice::Outcome;

/// What came back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// Body, as far as the cap allows.
    pub body: &'a [u8],
    /// Whether all of the body came.
    pub whole: bool,
}

/// What gateways may repeat and nobody must read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hidden<'a> {
    /// The number: masked.
    pub phone: &'a str,
    /// The secret: taken out.
    pub secret: Option<&'a str>,
}

impl Hidden<'_> {
    /// A server's text, fit to be kept.
    pub fn spoken(&self, text: &str) -> String {
        let secrets: Vec<&str> = self.secret.into_iter().collect();
        spoken(text, &[self.phone], &secrets)
    }
}

/// The outcome. A code that contradicts the status (success with an error status) leaves it unknown.
pub(super) fn judge(settings: &SmsSettings, answer: Answer<'_>, hidden: Hidden<'_>) -> Outcome {
    let status = answer.status;
    match status {
        429 => {
            return Trouble::new(
                "YB-6209",
                "短信网关限流（HTTP 429），短信未发出。处理：稍后自动重试",
            )
            .retry();
        }
        // Address and credentials are the same for every text: nothing is wrong with this one.
        401 | 403 | 404 | 407 => {
            return Trouble::new(
                trouble::NOT_OURS,
                format!("短信网关不接受请求（HTTP {status}）。处理：检查 url、secret_file 和请求头，并询问网关是否放行本机"),
            )
            .retry();
        }
        _ => {}
    }
    let document = if answer.whole {
        parse(answer.body)
    } else {
        None
    };
    let code = document
        .as_ref()
        .and_then(|document| text_at(document, &settings.code));
    let Some(code) = code else {
        return without_code(status);
    };
    let said = hidden.spoken(&code);
    let good = code == settings.success;
    match status {
        200..=299 if good => {
            let number = settings
                .number
                .as_ref()
                .zip(document.as_ref())
                .and_then(|(pointer, document)| text_at(document, pointer))
                .map(|number| hidden.spoken(&number));
            Outcome::Accepted {
                answer: number.map_or_else(|| said.clone(), |number| format!("{said} {number}")),
            }
        }
        _ if good => Trouble::new(
            "YB-6206",
            format!("短信网关的答复自相矛盾（HTTP {status}，代码 {said}），可能已发出。处理：在网关平台查询后再决定是否重发"),
        )
        .unknown(),
        _ if settings.retry.contains(&code) => Trouble::new(
            "YB-6204",
            format!("短信网关暂不接收（代码 {said}）。处理：稍后自动重试"),
        )
        .retry(),
        _ => Trouble::new(
            "YB-6205",
            format!("短信网关拒绝（HTTP {status}，代码 {said}）。处理：按网关的代码表查明原因"),
        )
        .failed(),
    }
}

fn without_code(status: u16) -> Outcome {
    match status {
        // 408 comes from whoever stands between: the gateway may have taken the request all the same.
        400..=499 if status != 408 => Trouble::new(
            "YB-6208",
            format!("短信网关拒绝请求（HTTP {status}）。处理：按网关接口文档检查字段"),
        )
        .failed(),
        _ => Trouble::new(
            "YB-6206",
            format!("短信网关的答复不能识别（HTTP {status}），可能已发出。处理：在网关平台查询后再决定是否重发；若总是如此，检查 url 和 code"),
        )
        .unknown(),
    }
}

/// JSON in UTF-8 or, as older gateways write, in GBK.
fn parse(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok().or_else(|| {
        let (text, _, wrong) = encoding_rs::GB18030.decode(body);
        (!wrong).then(|| serde_json::from_str(&text).ok()).flatten()
    })
}

/// The value as text: `0` and `"0"` are the same code.
fn text_at(document: &Value, pointer: &str) -> Option<String> {
    match document.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
