//! Letters and call lists: files for the county agencies, to number, seal and post, or to call by.

use std::path::{Path, PathBuf};

use crate::courier::trouble::Trouble;
use crate::courier::{Courier, Parcel, files};
use crate::domain::notice::{Channel, Outcome};

/// Writes the attachment of a letter or a call list below `<state>/out/<day>/<unit>/<channel>/`. The answer is the path below
/// the state folder. A letter's name comes from its notice, a call list's from its content: several notices that share one list
/// write it once.
#[derive(Debug)]
pub struct OutputCourier {
    state: PathBuf,
    dry: bool,
}

impl OutputCourier {
    /// Below this state folder; `dry` when nobody is to be reached, and the outcome says so.
    pub(super) fn new(state: &Path, dry: bool) -> Self {
        Self {
            state: state.to_owned(),
            dry,
        }
    }

    fn write(&self, parcel: &Parcel<'_>) -> Outcome {
        let (relative, bytes) = match place(parcel) {
            Ok(found) => found,
            Err(trouble) => return trouble.failed(),
        };
        match files::write(&self.state, &relative, bytes, !self.dry) {
            Ok(answer) if self.dry => Outcome::DryRun { answer },
            Ok(answer) => Outcome::Accepted { answer },
            Err(trouble) => trouble.retry(),
        }
    }
}

/// Where the one file of this parcel belongs.
fn place<'a>(parcel: &'a Parcel<'_>) -> Result<(PathBuf, &'a [u8]), Trouble> {
    files::check(parcel)?;
    let notice = parcel.notice;
    let [(name, bytes)] = parcel.files.as_slice() else {
        return Err(Trouble::new(
            "YB-6015",
            format!(
                "{}应恰有一个文件，实有 {} 个。处理：重新生成通知",
                notice.channel.title(),
                parcel.files.len()
            ),
        ));
    };
    let mark = match notice.channel {
        Channel::CallList => blake3::hash(bytes).to_hex(),
        Channel::Letter | Channel::Sms | Channel::Email => {
            blake3::hash(notice.key.as_bytes()).to_hex()
        }
    };
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "bin"));
    let unit = if files::is_plain(&notice.unit) {
        notice.unit.clone()
    } else {
        files::name_of(&notice.unit)
    };
    let relative = files::day_folder("out", notice.day)
        .join(unit)
        .join(notice.channel.word())
        .join(format!("{stem}-{}.{extension}", &mark[..12]));
    Ok((relative, bytes))
}

impl Courier for OutputCourier {
    fn send(&self, parcels: &[Parcel<'_>]) -> Vec<Outcome> {
        parcels.iter().map(|parcel| self.write(parcel)).collect()
    }
}
