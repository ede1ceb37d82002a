//! A paged JSON interface: every page, checked against the others, kept as one file with a page per line.

use reqwest::Client;
use serde_json::Value;

use crate::adapter::transport::Pages;
use crate::intake::fetch::client::{self, WHOLE, failed, get};
use crate::intake::fetch::{Errand, Fetched, Spooled, Unfetched, filled};

/// Bytes of one page.
const PAGE_BYTES: usize = 32 << 20;

/// Fetches all pages. A repeated page, a short page before the end, a total that changes or does not add up fails the whole.
pub fn fetch(errand: &Errand<'_>, pages: &Pages) -> Result<Fetched, Unfetched> {
    let (client, base) = client::of(errand, &pages.endpoint)?;
    let path = filled(&pages.path, errand.today);
    let url = format!("{base}{path}");
    let mut spooled = Spooled::new(errand.adapter, errand.spool)?;
    errand.runtime.block_on(async {
        let whole = all(errand, pages, &client, &url, &mut spooled);
        tokio::time::timeout(WHOLE, whole)
            .await
            .unwrap_or_else(|_| {
                Err(Unfetched::wrong(
                    "YB-2029",
                    "下载超过一小时。处理：联系该部门核对数据量和网络",
                ))
            })
    })?;
    spooled.finish(&path)
}

async fn all(
    errand: &Errand<'_>,
    pages: &Pages,
    client: &Client,
    url: &str,
    spooled: &mut Spooled,
) -> Result<(), Unfetched> {
    let mut total: Option<u64> = None;
    let mut received = 0u64;
    let mut before: Option<blake3::Hash> = None;
    for number in 1..=errand.adapter.limits.pages {
        let query = [
            (pages.page.as_str(), number.to_string()),
            (pages.size.as_str(), pages.per_page.to_string()),
        ];
        let page = one(client, url, &query, pages, number).await?;
        let hash = blake3::hash(page.rows.to_string().as_bytes());
        if page.count > 0 && before == Some(hash) {
            return Err(Unfetched::wrong(
                "YB-2041",
                format!("第{number}页与上一页相同，接口没有翻页。处理：核对分页参数，联系该部门"),
            ));
        }
        before = Some(hash);
        if *total.get_or_insert(page.total) != page.total {
            return Err(Unfetched::wrong(
                "YB-2042",
                format!(
                    "第{number}页的总数变为{}，数据在拉取期间变化。处理：稍后自动重新拉取",
                    page.total
                ),
            ));
        }
        received += page.count;
        spooled.write(page.line.as_bytes())?;
        spooled.write(b"\n")?;
        if received == page.total {
            return Ok(());
        }
        if received > page.total || page.count < u64::from(pages.per_page) {
            return Err(Unfetched::wrong(
                "YB-2043",
                format!(
                    "总数为{}，到第{number}页实收{received}行，缺页或多页。处理：联系该部门核对接口",
                    page.total
                ),
            ));
        }
    }
    Err(Unfetched::wrong(
        "YB-2044",
        format!(
            "超过{}页。处理：核对分页参数；确需更多时调高适配文件 limits.pages",
            errand.adapter.limits.pages
        ),
    ))
}

struct Page {
    line: String,
    rows: Value,
    count: u64,
    total: u64,
}

async fn one(
    client: &Client,
    url: &str,
    query: &[(&str, String)],
    pages: &Pages,
    number: u32,
) -> Result<Page, Unfetched> {
    let mut response = get(client, url, query).await?;
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| failed(&error))? {
        body.extend_from_slice(&piece);
        if body.len() > PAGE_BYTES {
            return Err(Unfetched::wrong(
                "YB-2045",
                format!("第{number}页超过{PAGE_BYTES}字节。处理：调小 per_page"),
            ));
        }
    }
    let document: Value = serde_json::from_slice(&body).map_err(|_| {
        Unfetched::wrong(
            "YB-2046",
            format!("第{number}页的应答不是 JSON（可能是出错页面）。处理：联系该部门核对接口"),
        )
    })?;
    let code = document
        .pointer(&pages.success)
        .map(text)
        .unwrap_or_default();
    if code != pages.success_is {
        return Err(Unfetched::wrong(
            "YB-2047",
            format!(
                "第{number}页的结果码是“{}”，不是“{}”。处理：联系该部门核对授权和参数",
                shortened(&code),
                pages.success_is
            ),
        ));
    }
    let total = document
        .pointer(&pages.total)
        .and_then(|value| text(value).parse().ok())
        .ok_or_else(|| {
            Unfetched::wrong(
                "YB-2048",
                format!("第{number}页没有总数。处理：核对适配文件 total"),
            )
        })?;
    let rows = document
        .pointer(&pages.rows)
        .filter(|rows| rows.is_array())
        .cloned()
        .ok_or_else(|| {
            Unfetched::wrong(
                "YB-2049",
                format!("第{number}页没有数据数组。处理：核对适配文件 rows"),
            )
        })?;
    let count = rows.as_array().map_or(0, |rows| rows.len() as u64);
    Ok(Page {
        line: document.to_string(),
        rows,
        count,
        total,
    })
}

/// `"200"` and `200` are the same code.
fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn shortened(code: &str) -> String {
    code.chars().take(40).collect()
}
