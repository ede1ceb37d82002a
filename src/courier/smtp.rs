//! Mail through a relay: one connection and one recipient per message.
//!
//! The dialogue is led command by command, so that at its end it is known whether the message itself was under way: before that a
//! break means *not sent*, after it *unknown*. Connections are never reused: a dialogue that was given up half-way leaves replies
//! behind that the next message would take for its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail as MailCommand, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Severity;
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use tracing::instrument::WithSubscriber;

use crate::courier::mime::Mail;
use crate::courier::settings::{MailSecurity, SmtpSettings};
use crate::courier::smtp_verdict::{End, Hidden, Stage, judge};
use crate::courier::trouble::{self, Trouble};
use crate::courier::{Courier, Parcel, mime, one_by_one};
use crate::domain::notice::Outcome;
use crate::secret;

/// How long a good-bye may take once the outcome is known.
const FAREWELL: Duration = Duration::from_secs(1);

/// Sends mail. Blocks the calling thread; must not be called on a worker of the runtime it was given.
pub struct SmtpCourier {
    host: String,
    port: u16,
    security: MailSecurity,
    tls: Option<TlsParameters>,
    account: Option<(String, PathBuf)>,
    home: PathBuf,
    from: Mailbox,
    limit: Duration,
    runtime: Handle,
}

/// A password of an account, read for one slice of messages.
type Account<'a> = Option<(&'a str, SecretString)>;

impl SmtpCourier {
    /// Checks that the password and the certificates can be read, so that a bad install shows at the start.
    pub(super) fn build(
        settings: &SmtpSettings,
        from: Mailbox,
        home: &Path,
        runtime: &Handle,
    ) -> Result<Self, Trouble> {
        let tls = match settings.security {
            MailSecurity::None => None,
            MailSecurity::Tls | MailSecurity::Starttls => Some(tls(settings, home)?),
        };
        let courier = Self {
            host: settings.host.clone(),
            port: settings.port(),
            security: settings.security,
            tls,
            account: settings.user.clone().zip(settings.password_file.clone()),
            home: home.to_owned(),
            from,
            limit: Duration::from_secs(settings.timeout_s),
            runtime: runtime.clone(),
        };
        courier.account()?;
        Ok(courier)
    }

    fn account(&self) -> Result<Account<'_>, Trouble> {
        self.account
            .as_ref()
            .map(|(user, file)| Ok((user.as_str(), secret::read(&self.home, file)?)))
            .transpose()
    }

    fn deliver(&self, account: &Account<'_>, parcel: &Parcel<'_>) -> Outcome {
        let mail = match mime::compose(&self.from, parcel) {
            Ok(mail) => mail,
            Err(trouble) => return trouble.failed(),
        };
        let mut stage = Stage::Connect;
        let mut connection = None;
        let end = self.runtime.block_on(
            async {
                let dialogue = self.dialogue(account, &mail, &mut stage, &mut connection);
                // The library's own timeout covers the TCP connect only.
                let end = match tokio::time::timeout(self.limit, dialogue).await {
                    Ok(Ok(end)) => end,
                    Ok(Err(error)) => End::Broken(error),
                    Err(_) => End::Silence,
                };
                // A connection that was lost while it turned to TLS has no stream left to say good-bye on.
                let open = connection.as_mut().filter(|_| stage > Stage::Encrypt);
                if let (Some(open), false) = (open, matches!(end, End::Silence)) {
                    // The outcome is known; a server that does not answer QUIT changes nothing.
                    let _ = tokio::time::timeout(FAREWELL, open.abort()).await;
                }
                end
            }
            // The library logs every line of the dialogue: the password, addresses, the text. None of it may reach any log.
            .with_subscriber(tracing::Dispatch::none()),
        );
        let hidden = Hidden {
            address: &parcel.notice.address,
            password: account.as_ref().map(|(_, secret)| secret.expose_secret()),
        };
        judge(stage, &end, hidden)
    }

    async fn dialogue(
        &self,
        account: &Account<'_>,
        mail: &Mail,
        stage: &mut Stage,
        held: &mut Option<AsyncSmtpConnection>,
    ) -> Result<End, SmtpError> {
        let hello = ClientId::default();
        let wrapped = self
            .tls
            .clone()
            .filter(|_| self.security == MailSecurity::Tls);
        let address = (self.host.as_str(), self.port);
        let connection = held.insert(
            AsyncSmtpConnection::connect_tokio1(address, Some(self.limit), &hello, wrapped, None)
                .await?,
        );
        if let (MailSecurity::Starttls, Some(tls)) = (self.security, &self.tls) {
            *stage = Stage::Encrypt;
            connection.starttls(tls.clone(), &hello).await?;
        }
        if let Some((user, secret)) = account {
            *stage = Stage::SignIn;
            let credentials =
                Credentials::new((*user).to_owned(), secret.expose_secret().to_owned());
            let reply = connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
            if reply.code().severity != Severity::PositiveCompletion {
                return Ok(End::Reply(reply));
            }
        }
        *stage = Stage::Sender;
        let sender = MailCommand::new(Some(mail.from.clone()), Vec::new());
        let reply = connection.command(sender).await?;
        if reply.code().severity != Severity::PositiveCompletion {
            return Ok(End::Reply(reply));
        }
        *stage = Stage::Recipient;
        let recipient = Rcpt::new(mail.to.clone(), Vec::new());
        let reply = connection.command(recipient).await?;
        if reply.code().severity != Severity::PositiveCompletion {
            return Ok(End::Reply(reply));
        }
        *stage = Stage::Data;
        let reply = connection.command(Data).await?;
        if reply.code().severity != Severity::PositiveIntermediate {
            return Ok(End::Reply(reply));
        }
        *stage = Stage::Content;
        connection.message(&mail.bytes).await.map(End::Reply)
    }
}

/// The relay's own certificate authority when one is given, and then no other.
fn tls(settings: &SmtpSettings, home: &Path) -> Result<TlsParameters, Trouble> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(file) = &settings.ca_file {
        let pem = secret::certificates(home, file)?;
        let certificate =
            Certificate::from_pem(&pem).map_err(|_| secret::unfit_certificates(file))?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(certificate);
    }
    builder.build().map_err(|error| match &settings.ca_file {
        Some(file) => secret::unfit_certificates(file).into(),
        None => Trouble::new(
            trouble::CERTIFICATES,
            format!(
                "不能使用系统的 CA 证书（{error}）。处理：安装 ca-certificates，或填写 ca_file"
            ),
        ),
    })
}

impl Courier for SmtpCourier {
    fn send(&self, parcels: &[Parcel<'_>]) -> Vec<Outcome> {
        match self.account() {
            Ok(account) => one_by_one(parcels, |parcel| self.deliver(&account, parcel)),
            Err(trouble) => one_by_one(parcels, |_| trouble.clone().retry()),
        }
    }
}
