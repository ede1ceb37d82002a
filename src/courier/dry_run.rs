//! Dry run: what would have been sent, as `.eml` and text files under the state folder. The address stands in the file only.

use std::path::{Path, PathBuf};

use lettre::message::Mailbox;

use crate::courier::trouble::Trouble;
use crate::courier::{Courier, Parcel, files, mime, sms_text};
use crate::domain::notice::{Channel, Outcome};

/// Writes mails and texts below `<state>/dry-run/<day>/<channel>/`, under a name derived from the notice's key: a repeat writes
/// the same file again. What live couriers would refuse for its content is refused here too.
#[derive(Debug)]
pub struct DryRunCourier {
    state: PathBuf,
    from: Mailbox,
    signature: Option<String>,
}

impl DryRunCourier {
    /// Below this state folder, in this sender's name; texts with this signature.
    pub(super) fn new(state: &Path, from: Mailbox, signature: Option<String>) -> Self {
        Self {
            state: state.to_owned(),
            from,
            signature,
        }
    }

    fn write(&self, parcel: &Parcel<'_>) -> Outcome {
        let content = match parcel.notice.channel {
            Channel::Sms => self.text(parcel).map(|text| ("txt", text.into_bytes())),
            Channel::Email | Channel::Letter | Channel::CallList => {
                mime::compose(&self.from, parcel).map(|mail| ("eml", mail.bytes))
            }
        };
        let (extension, bytes) = match content {
            Ok(content) => content,
            Err(trouble) => return trouble.failed(),
        };
        let notice = parcel.notice;
        let relative = files::day_folder("dry-run", notice.day)
            .join(notice.channel.word())
            .join(format!("{}.{extension}", files::name_of(&notice.key)));
        match files::write(&self.state, &relative, &bytes, false) {
            Ok(answer) => Outcome::DryRun { answer },
            Err(trouble) => trouble.retry(),
        }
    }

    /// The message as a phone would show it, under its address and what the carrier would count.
    fn text(&self, parcel: &Parcel<'_>) -> Result<String, Trouble> {
        let notice = parcel.notice;
        let text = sms_text::signed(self.signature.as_deref(), &notice.text)
            .map_err(|refusal| Trouble::new(sms_text::UNFIT, refusal.text()))?;
        Ok(format!(
            "收信号码：{}\n编号：{}\n字数：{}（计费 {} 条）\n\n{text}\n",
            notice.address,
            notice.key,
            sms_text::units(&text),
            sms_text::segments(&text),
        ))
    }
}

impl Courier for DryRunCourier {
    fn send(&self, parcels: &[Parcel<'_>]) -> Vec<Outcome> {
        parcels.iter().map(|parcel| self.write(parcel)).collect()
    }
}
