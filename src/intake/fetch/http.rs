//! One file by HTTP GET, streamed into the spool.

use jiff::civil::Date;
use reqwest::Client;

use crate::adapter::transport::Http;
use crate::domain::record::Month;
use crate::intake::fetch::client::{self, WHOLE, failed, get};
use crate::intake::fetch::{Errand, Fetched, Spooled, Unfetched, filled};

/// Full months that are asked for, oldest first, until they have come: a month that is late is not forgotten when the next begins.
const MONTHS: i32 = 3;

/// Fetches the first file with a content that was not taken yet; its name is the path without host and port.
pub fn fetch(errand: &Errand<'_>, http: &Http) -> Result<Fetched, Unfetched> {
    let (client, base) = client::of(errand, &http.endpoint)?;
    let mut not_yet = Unfetched::not_yet(format!("{}尚无新文件", errand.adapter.title));
    for path in paths(&http.path, errand.today) {
        // The newest is looked at again even when it was taken: it may have been corrected.
        let is_newest = path == filled(&http.path, errand.today);
        if !is_newest && (errand.taken)(&path, "") {
            continue;
        }
        match one(errand, &client, &base, &path) {
            Ok(fetched) if (errand.taken)(&path, &fetched.digest) => {
                let _ = std::fs::remove_file(&fetched.path);
            }
            Ok(fetched) => return Ok(fetched),
            Err(unfetched) if unfetched.not_yet => not_yet = unfetched,
            Err(unfetched) => return Err(unfetched),
        }
    }
    Err(not_yet)
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

fn one(errand: &Errand<'_>, client: &Client, base: &str, path: &str) -> Result<Fetched, Unfetched> {
    let mut spooled = Spooled::new(errand.adapter, errand.spool)?;
    errand.runtime.block_on(async {
        let whole = async {
            let mut response = get(client, &format!("{base}{path}"), &[]).await?;
            while let Some(piece) = response.chunk().await.map_err(|error| failed(&error))? {
                spooled.write(&piece)?;
            }
            Ok(())
        };
        tokio::time::timeout(WHOLE, whole)
            .await
            .unwrap_or_else(|_| {
                Err(Unfetched::wrong(
                    "YB-2029",
                    "下载超过一小时。处理：联系该部门核对文件大小和网络",
                ))
            })
    })?;
    spooled.finish(path)
}
