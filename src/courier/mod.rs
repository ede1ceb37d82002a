//! Couriers: a slice of messages in, one outcome each. Whoever calls records the attempt before and the outcome after.
//!
//! The codes they speak, all `YB-6…`: `60xx` settings, secrets and files, `61xx` mail, `62xx` texts. What each outcome
//! promises: *retry* and *failed* mean that nothing went out; *unknown* means that it may have, and nobody repeats it blindly.

use std::path::Path;

use tokio::runtime::Handle;

use crate::courier::dry_run::DryRunCourier;
use crate::courier::outputs::OutputCourier;
use crate::courier::settings::CourierSettings;
use crate::courier::sms::SmsCourier;
use crate::courier::smtp::SmtpCourier;
use crate::courier::trouble::Trouble;
use crate::domain::notice::{Channel, Notice, Outcome};

pub mod dry_run;
pub mod files;
mod mime;
pub mod outputs;
pub mod settings;
pub mod sms;
mod sms_template;
pub mod sms_text;
mod sms_verdict;
pub mod smtp;
mod smtp_verdict;
pub mod trouble;

/// A notice with the bytes of its attachments.
#[derive(Debug, Clone)]
pub struct Parcel<'a> {
    /// The notice.
    pub notice: &'a Notice,
    /// File names (ASCII) and bytes, in the notice's order.
    pub files: Vec<(String, Vec<u8>)>,
}

/// One way out of the house.
pub trait Courier {
    /// Sends each parcel; the answer has as many outcomes, in the same order. Never repeats a send whose end it does not know.
    fn send(&self, parcels: &[Parcel<'_>]) -> Vec<Outcome>;
}

/// A courier that may be shared between threads.
type Shared = Box<dyn Courier + Send + Sync>;

/// Every way out of this house, live or dry. The only door to a live courier: none can be made past [`Couriers::build`].
pub struct Couriers {
    mail: Shared,
    sms: Option<Shared>,
    outputs: Shared,
    live: bool,
}

impl Couriers {
    /// Makes the couriers the settings ask for. `state` and `home` are folders, `runtime` drives the sockets of live ones;
    /// these block, so call them off its workers.
    ///
    /// # Errors
    /// A message with its code: a demo home that asks for live sending (`YB-6001`), live without a relay (`YB-6002`), a secret
    /// or certificate file that cannot be used (`YB-2022`, `YB-2024`, `YB-2037`, `YB-6004`), settings that contradict themselves (`YB-6005`).
    pub fn build(
        settings: &CourierSettings,
        mail_from: &str,
        demo: bool,
        state: &Path,
        home: &Path,
        runtime: &Handle,
    ) -> Result<Self, Trouble> {
        let from = mime::sender(mail_from)?;
        if !settings.live() {
            let signature = settings.sms.as_ref().map(|sms| sms.signature.clone());
            return Ok(Self {
                mail: Box::new(DryRunCourier::new(state, from.clone(), signature.clone())),
                sms: Some(Box::new(DryRunCourier::new(state, from, signature))),
                outputs: Box::new(OutputCourier::new(state, true)),
                live: false,
            });
        }
        if demo {
            return Err(Trouble::new(
                "YB-6001",
                "演示环境不得实际发送消息，couriers.mode 却为 live。处理：演示环境改为 dry_run；正式环境请另建目录，并去掉 demo_mark",
            ));
        }
        let relay = settings
            .smtp
            .as_ref()
            .ok_or_else(|| Trouble::new("YB-6002", "没有 couriers.smtp。处理：填写邮件服务器"))?;
        if let Some((key, text)) = settings.complaints().into_iter().next() {
            return Err(Trouble::new(trouble::SETTINGS, format!("{key}：{text}")));
        }
        let mail = SmtpCourier::build(relay, from, home, runtime)?;
        let sms = match &settings.sms {
            None => None,
            Some(gateway) => Some(Box::new(SmsCourier::build(gateway, home, runtime)?) as Shared),
        };
        Ok(Self {
            mail: Box::new(mail),
            sms,
            outputs: Box::new(OutputCourier::new(state, false)),
            live: true,
        })
    }

    /// Who carries this channel; `None` for texts when live without a gateway.
    #[must_use]
    pub fn for_channel(&self, channel: Channel) -> Option<&dyn Courier> {
        match channel {
            Channel::Email => Some(self.mail.as_ref()),
            Channel::Sms => self.sms.as_deref().map(|courier| courier as &dyn Courier),
            Channel::Letter | Channel::CallList => Some(self.outputs.as_ref()),
        }
    }

    /// Whether somebody outside is reached.
    #[must_use]
    pub const fn live(&self) -> bool {
        self.live
    }
}

/// Whether this outcome speaks of the channel itself (relay unreachable, password refused, secret file unreadable …) and not of
/// the one message: whoever calls stops the channel, and tells the IT section.
#[must_use]
pub fn stops_channel(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Retry { code, .. } if trouble::OF_CHANNEL.contains(&code.as_str()))
}

/// Sends one by one until the channel itself is in trouble: what is left gets the same answer untried. A relay that hangs
/// would otherwise be waited for once per message, and a refused password repeated until the account is locked.
fn one_by_one(
    parcels: &[Parcel<'_>],
    mut send: impl FnMut(&Parcel<'_>) -> Outcome,
) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(parcels.len());
    for parcel in parcels {
        let outcome = match outcomes.last() {
            Some(Outcome::Retry { code, answer })
                if trouble::OF_CHANNEL.contains(&code.as_str()) =>
            {
                let answer = if answer.starts_with(UNTRIED) {
                    answer.clone()
                } else {
                    format!("{UNTRIED}：{answer}")
                };
                Outcome::Retry {
                    code: code.clone(),
                    answer,
                }
            }
            _ => send(parcel),
        };
        outcomes.push(outcome);
    }
    outcomes
}

const UNTRIED: &str = "本件未尝试，因前一件遇到通道故障";

#[cfg(test)]
mod tests;
