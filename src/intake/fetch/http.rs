//! One file by HTTP GET, streamed into the spool.

use crate::adapter::source::Http;
use crate::intake::fetch::client::{self, WHOLE, failed, get};
use crate::intake::fetch::{Errand, Fetched, Spooled, Unfetched, filled};

/// Fetches it; its name is the path without host and port.
pub fn fetch(errand: &Errand<'_>, http: &Http) -> Result<Fetched, Unfetched> {
    let (client, base) = client::of(errand, &http.endpoint)?;
    let path = filled(&http.path, errand.today);
    let mut spooled = Spooled::new(errand.adapter, errand.spool)?;
    errand.runtime.block_on(async {
        let whole = async {
            let mut response = get(&client, &format!("{base}{path}"), &[]).await?;
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
    spooled.finish(&path)
}
