//! One file by HTTP GET.

use jiff::civil::Date;

use crate::adapter::transport::Http;
use crate::adapter::transport::request::Method;
use crate::domain::record::Month;
use crate::intake::fetch::client::{Asking, Content, Session};
use crate::intake::fetch::download::{Download, download};
use crate::intake::fetch::notes::Notes;
use crate::intake::fetch::{Errand, Fetched, Unfetched, filled};

/// Full months that are asked for, oldest first, until they have come: a month that is late is not forgotten when the next begins.
const MONTHS: i32 = 3;

/// Fetches the first file with a content that was not taken yet; its name is the path without host and port.
pub fn fetch(errand: &Errand<'_>, http: &Http) -> Result<Fetched, Unfetched> {
    let session = Session::open(errand)?;
    let paths = paths(&http.path, errand.today);
    let mut notes = Notes::read(errand.notes, &errand.adapter.name);
    notes.files.retain(|path, _| paths.contains(path));
    session.run(async {
        let mut not_yet = Unfetched::not_yet(format!("{}尚无新文件", errand.adapter.title));
        for path in &paths {
            // The newest is looked at again even when it was taken: it may have been corrected.
            let is_newest = *path == filled(&http.path, errand.today);
            if !is_newest && (errand.taken)(path, "") {
                continue;
            }
            // Only what was taken in is worth remembering: a file that was fetched and lost comes again.
            let known = notes
                .files
                .get(path)
                .filter(|known| (errand.taken)(path, &known.digest));
            let asking = Asking {
                method: Method::Get,
                url: session.below(path)?,
                content: Content::None,
            };
            match download(&session, &asking, path, known, http.mislabelled).await {
                Ok(Download::Unchanged) => {}
                Ok(Download::File(file)) => {
                    let (fetched, remembered) = *file;
                    notes.files.insert(path.clone(), remembered);
                    // Without the note the file is downloaded once more, that is all.
                    let _ = notes.write(errand.notes, &errand.adapter.name);
                    if !(errand.taken)(path, &fetched.digest) {
                        return Ok(fetched);
                    }
                    let _ = std::fs::remove_file(&fetched.path);
                }
                Err(unfetched) if unfetched.not_yet => not_yet = unfetched,
                Err(unfetched) => return Err(unfetched),
            }
        }
        Err(not_yet)
    })
}

/// One path, or one for each of the last full months where the path names the month.
fn paths(path: &str, today: Date) -> Vec<String> {
    if !path.contains("{period}") {
        return vec![filled(path, today)];
    }
    (0..MONTHS)
        .rev()
        .map(|back| filled(path, Month::of(today).plus(-back).first_day()))
        .collect()
}
