//! What the end of a mail dialogue means. Pure: how far it came and what was heard, in; the outcome, out.

use std::error::Error as _;

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::response::{Response, Severity};

use crate::courier::trouble::{self, Trouble, spoken};
use crate::domain::notice::Outcome;

/// How far a dialogue came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Connection, TLS when implicit, greeting.
    Connect,
    /// STARTTLS.
    Encrypt,
    /// AUTH.
    SignIn,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// The word DATA; nothing of the message is sent before it is answered.
    Data,
    /// The message itself: from its first byte on, it may have been taken.
    Content,
}

/// How a dialogue ended.
#[derive(Debug)]
pub(super) enum End {
    /// A reply without an error: to the message, or an unfit one to an earlier command.
    Reply(Response),
    /// The library's error: a negative reply, a cut connection, a server that does not speak SMTP.
    Broken(SmtpError),
    /// The deadline passed.
    Silence,
}

/// What servers may repeat and nobody must read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hidden<'a> {
    /// The recipient: masked.
    pub address: &'a str,
    /// The password: taken out.
    pub password: Option<&'a str>,
}

impl Hidden<'_> {
    fn spoken(&self, text: &str) -> String {
        let secrets: Vec<&str> = self.password.into_iter().collect();
        spoken(text, &[self.address], &secrets)
    }
}

/// The outcome. Only a reply of severity 2 to the message itself is success; the library calls 3yz positive too.
pub(super) fn judge(stage: Stage, end: &End, hidden: Hidden<'_>) -> Outcome {
    match end {
        End::Reply(reply) => of_reply(stage, reply, hidden),
        End::Silence if stage == Stage::Content => Trouble::new(
            "YB-6110",
            "邮件正文已发出，超时未得到答复，可能已送达。处理：先向收件人或邮件服务器核实，再决定是否重发",
        )
        .unknown(),
        End::Silence if stage == Stage::Connect => {
            Trouble::new(trouble::NOT_CONNECTED, "连接邮件服务器超时。处理：检查网络、host 和 port").retry()
        }
        End::Silence => Trouble::new(
            "YB-6104",
            format!("邮件服务器在{}时超时未答复，邮件未发出。处理：稍后自动重试", title(stage)),
        )
        .retry(),
        End::Broken(error) => of_error(stage, error, hidden),
    }
}

fn of_reply(stage: Stage, reply: &Response, hidden: Hidden<'_>) -> Outcome {
    let lines: Vec<&str> = reply.message().collect();
    let said = hidden.spoken(&format!("{} {}", reply.code(), lines.join(" ")));
    match (stage, reply.code().severity) {
        (Stage::Content, Severity::PositiveCompletion) => Outcome::Accepted { answer: said },
        (Stage::Content, _) => Trouble::new(
            "YB-6109",
            format!("邮件服务器的答复不合规范（{said}），可能已送达。处理：先向邮件服务器核实，再决定是否重发"),
        )
        .unknown(),
        _ => Trouble::new(
            "YB-6104",
            format!(
                "邮件服务器在{}时的答复不合规范（{said}），邮件未发出。处理：检查邮件服务器",
                title(stage)
            ),
        )
        .retry(),
    }
}

fn of_error(stage: Stage, error: &SmtpError, hidden: Hidden<'_>) -> Outcome {
    let Some(code) = error.status() else {
        return of_break(stage, error, hidden);
    };
    let words = error.source().map(ToString::to_string).unwrap_or_default();
    let said = hidden.spoken(&format!("{code} {words}"));
    let wants_sign_in = matches!(u16::from(code), 530 | 534 | 535 | 538);
    if stage == Stage::SignIn || (wants_sign_in && stage > Stage::Connect) {
        return Trouble::new(
            trouble::NO_LOGIN,
            format!("邮件服务器不接受登录：{said}。处理：检查 user、口令文件（很多邮箱要用授权码）和 security"),
        )
        .retry();
    }
    if error.is_transient() {
        return Trouble::new(
            "YB-6107",
            format!("邮件服务器暂不接收：{said}。处理：稍后自动重试"),
        )
        .retry();
    }
    match stage {
        Stage::Connect | Stage::Encrypt | Stage::SignIn => Trouble::new(
            "YB-6104",
            format!("邮件服务器拒绝对话：{said}。处理：检查 host、port、security，并询问邮件管理员是否放行本机"),
        )
        .retry(),
        // The sender is the same for every mail: nothing is wrong with this one.
        Stage::Sender => Trouble::new(
            trouble::SENDER,
            format!("邮件服务器不接受发件人：{said}。处理：mail_from 须与登录账户一致，或由邮件管理员放行"),
        )
        .retry(),
        Stage::Recipient | Stage::Data | Stage::Content => Trouble::new(
            "YB-6108",
            format!("邮件被拒收：{said}。处理：核对收件地址后另行联系"),
        )
        .failed(),
    }
}

/// No reply code: the connection was cut, or what came was not SMTP.
fn of_break(stage: Stage, error: &SmtpError, hidden: Hidden<'_>) -> Outcome {
    let said = hidden.spoken(&error.to_string());
    match stage {
        Stage::Content => Trouble::new(
            "YB-6109",
            format!("发送正文时连接中断（{said}），可能已送达。处理：先向收件人或邮件服务器核实，再决定是否重发"),
        )
        .unknown(),
        Stage::Connect if !is_tls(error) => Trouble::new(
            trouble::NOT_CONNECTED,
            format!("不能连接邮件服务器（{said}）。处理：检查网络、host、port 和 security"),
        )
        .retry(),
        Stage::Connect | Stage::Encrypt => Trouble::new(
            trouble::NO_TLS,
            format!("不能建立加密连接（{said}）。处理：检查 security、ca_file，以及证书是否发给 host 所写的名称；只支持 TLS 1.2 以上"),
        )
        .retry(),
        Stage::SignIn if error.is_client() => Trouble::new(
            trouble::NO_LOGIN,
            format!("邮件服务器没有可用的登录方式（{said}）。处理：本程序支持 PLAIN 和 LOGIN；检查 security，或改用按来源地址放行的中继"),
        )
        .retry(),
        Stage::SignIn | Stage::Sender | Stage::Recipient | Stage::Data => Trouble::new(
            "YB-6104",
            format!(
                "连接在{}时中断（{said}），邮件未发出。处理：稍后自动重试",
                title(stage)
            ),
        )
        .retry(),
    }
}

const fn title(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "连接",
        Stage::Encrypt => "加密",
        Stage::SignIn => "登录",
        Stage::Sender => "核对发件人",
        Stage::Recipient => "核对收件人",
        Stage::Data => "准备接收正文",
        Stage::Content => "发送正文",
    }
}

/// Whether TLS is at the root of it. An `io::Error` hides the error it wraps from `source`, so it is asked apart.
fn is_tls(error: &SmtpError) -> bool {
    let mut cause = error.source();
    while let Some(found) = cause {
        let wrapped = found
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>);
        if wrapped || found.is::<rustls::Error>() {
            return true;
        }
        cause = found.source();
    }
    false
}
