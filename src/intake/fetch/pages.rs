//! A paged JSON interface: every page, checked against the others, kept as one file with a page per line.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::header::{HeaderMap, LINK};
use reqwest::{StatusCode, Url};
use secrecy::ExposeSecret;

use crate::adapter::format::Format;
use crate::adapter::transport::pages::{Pages, Paging};
use crate::adapter::transport::request::{Method, Parameter};
use crate::intake::fetch::answer::{Answer, Page, empty_line, read};
use crate::intake::fetch::client::{Asking, Content, Session};
use crate::intake::fetch::signing::unhex;
use crate::intake::fetch::spooled::Spooled;
use crate::intake::fetch::{Errand, Fetched, Unfetched, filled};
use crate::secret;

/// Longest cursor or link, bytes.
const NEXT_BYTES: usize = 8 << 10;

/// Fetches all pages. A repeated page, a short page before the end, a total that changes or does not add up fails the whole.
pub fn fetch(errand: &Errand<'_>, pages: &Pages) -> Result<Fetched, Unfetched> {
    let session = Session::open(errand)?;
    let name = errand
        .adapter
        .transport
        .requested_name()
        .map(|name| filled(&name, errand.today))
        .unwrap_or_default();
    let paging = pages.paging().ok_or_else(|| {
        Unfetched::wrong(
            "YB-2040",
            "翻页方式没有写明。处理：核对适配文件 [transport.pages]",
        )
    })?;
    let mut turning = Turning {
        session: &session,
        pages,
        paging,
        data_key: data_key(errand, pages)?,
        spooled: Spooled::new(errand.adapter, errand.spool)?,
        received: 0,
        total: None,
        seen: BTreeSet::new(),
        was_short: false,
    };
    session.run(turning.all())?;
    turning.spooled.finish(&name)
}

/// How to reach the next page: by counting on, or by what the page before gave.
enum Next {
    Position,
    Cursor(String),
    Link(Url),
}

/// A pull on its way.
struct Turning<'t, 'e> {
    session: &'t Session<'e>,
    pages: &'t Pages,
    paging: Paging<'t>,
    data_key: Option<[u8; 16]>,
    spooled: Spooled,
    received: u64,
    total: Option<u64>,
    /// Digests of pages and of cursors that came.
    seen: BTreeSet<[u8; 32]>,
    /// A page came that was shorter than asked for: only an empty one may follow.
    was_short: bool,
}

impl Turning<'_, '_> {
    async fn all(&mut self) -> Result<(), Unfetched> {
        let most = u64::from(self.session.errand.adapter.limits.pages);
        let mut next: Option<Next> = None;
        for ordinal in 1..=most {
            if ordinal > 1 && self.pages.pause_ms > 0 {
                tokio::time::sleep(Duration::from_millis(self.pages.pause_ms.into())).await;
            }
            let asking = self.asking(ordinal, next.as_ref())?;
            let (headers, answer) = self.page(&asking, ordinal).await?;
            let page = match answer {
                Answer::Empty => return self.ended_in_words(ordinal),
                Answer::Page(page) => page,
            };
            next = self.next(&page, &headers, &asking.url, ordinal)?;
            self.repeats(&page, ordinal)?;
            self.received += page.count;
            self.spooled.write(page.line.as_bytes())?;
            self.spooled.write(b"\n")?;
            if self.is_complete(&page, next.is_none(), ordinal)? {
                return Ok(());
            }
        }
        Err(Unfetched::wrong(
            "YB-2044",
            format!("超过{most}页。处理：核对分页参数；确需更多时调高适配文件 limits.pages"),
        ))
    }

    fn asking(&self, ordinal: u64, next: Option<&Next>) -> Result<Asking, Unfetched> {
        if let Some(Next::Link(url)) = next {
            return Ok(Asking {
                method: Method::Get,
                url: url.clone(),
                content: Content::None,
            });
        }
        let number = |number: u64| Parameter::Number(i64::try_from(number).unwrap_or(i64::MAX));
        let mut further = Vec::new();
        match (self.paging, next) {
            (Paging::Number(name, first), _) => {
                further.push((name, number(ordinal - 1 + u64::from(first))));
            }
            (Paging::Offset(name), _) => further.push((name, number(self.received))),
            (Paging::Cursor(name, _), Some(Next::Cursor(cursor))) => {
                further.push((name, Parameter::Text(cursor.clone())));
            }
            _ => {}
        }
        if let (Some(size), Some(per_page)) = (&self.pages.size, self.pages.per_page) {
            further.push((size, Parameter::Number(per_page.into())));
        }
        let today = self.session.errand.today;
        self.session
            .asking(self.pages.request(), &|text| filled(text, today), &further)
    }

    /// Asks for a page; once more with a new key when the answer says that the key is too old.
    async fn page(&self, asking: &Asking, ordinal: u64) -> Result<(HeaderMap, Answer), Unfetched> {
        let pointer = match self.paging {
            Paging::Cursor(_, pointer) => Some(pointer),
            Paging::Link(pointer) if pointer != "header" => Some(pointer),
            _ => None,
        };
        let mut renewed = false;
        loop {
            let (headers, body) = self
                .session
                .answer(asking, &[StatusCode::OK], &format!("第{ordinal}页"))
                .await
                .map_err(|unfetched| missing(unfetched, ordinal))?;
            match read(self.pages, &body, self.data_key.as_ref(), pointer, ordinal) {
                Ok(answer) => return Ok((headers, answer)),
                Err(unfit) if unfit.stale_key && !renewed && self.session.forget_key().await => {
                    renewed = true;
                }
                Err(unfit) => return Err(unfit.unfetched),
            }
        }
    }

    fn next(
        &mut self,
        page: &Page,
        headers: &HeaderMap,
        from: &Url,
        ordinal: u64,
    ) -> Result<Option<Next>, Unfetched> {
        let next = match self.paging {
            Paging::Number(..) | Paging::Offset(_) => return Ok(Some(Next::Position)),
            Paging::Link("header") => linked(headers),
            Paging::Cursor(..) | Paging::Link(_) => page.next.clone(),
        };
        let Some(next) = next else {
            return Ok(None);
        };
        if next.len() > NEXT_BYTES {
            return Err(Unfetched::wrong(
                "YB-2054",
                format!("第{ordinal}页给出的下一页标志过长。处理：联系该部门核对接口"),
            ));
        }
        if !self
            .seen
            .insert(*blake3::hash(format!("next {next}").as_bytes()).as_bytes())
        {
            return Err(repeated(ordinal));
        }
        match self.paging {
            Paging::Link(_) => self.session.followed(from, &next).map(Next::Link).map(Some),
            _ => Ok(Some(Next::Cursor(next))),
        }
    }

    fn repeats(&mut self, page: &Page, ordinal: u64) -> Result<(), Unfetched> {
        if page.count > 0 && !self.seen.insert(*page.rows.as_bytes()) {
            return Err(repeated(ordinal));
        }
        if let Some(total) = page.total
            && *self.total.get_or_insert(total) != total
        {
            return Err(Unfetched::wrong(
                "YB-2042",
                format!(
                    "第{ordinal}页的总数变为{total}，数据在拉取期间变化。处理：稍后自动重新拉取"
                ),
            ));
        }
        if page.count > 0 && self.was_short {
            return Err(incomplete(self.total, ordinal, self.received));
        }
        Ok(())
    }

    /// Whether this was the last page and everything is there.
    fn is_complete(&mut self, page: &Page, no_next: bool, ordinal: u64) -> Result<bool, Unfetched> {
        let wrong = || incomplete(self.total, ordinal, self.received);
        let by_size = matches!(self.paging, Paging::Number(..) | Paging::Offset(_));
        let is_short = by_size
            && self
                .pages
                .per_page
                .is_some_and(|per_page| page.count < u64::from(per_page));
        let is_end =
            no_next || page.is_last == Some(true) || (self.pages.until_empty && page.count == 0);
        // Every sign that the department gives must say so.
        let is_denied = page.is_last == Some(false) || (!by_size && !no_next);
        match self.total {
            Some(total) if self.received == total && !(is_denied && page.count > 0) => {
                return Ok(true);
            }
            Some(total)
                if self.received > total || (self.received < total && (is_end || is_short)) =>
            {
                return Err(wrong());
            }
            None if is_end && !(no_next && page.is_last == Some(false)) => return Ok(true),
            None if is_end => return Err(wrong()),
            None if page.count == 0 && by_size => {
                return Err(Unfetched::wrong(
                    "YB-2055",
                    format!(
                        "第{ordinal}页没有数据，也没有末页标志，无从知道是否完整。处理：核对适配文件 last、total_pages；接口确以空页表示结束的写 until_empty = true"
                    ),
                ));
            }
            None if is_short && !self.pages.until_empty => return Err(wrong()),
            _ => {}
        }
        self.was_short |= is_short;
        Ok(false)
    }

    /// The department says in words that there are no (more) rows.
    fn ended_in_words(&mut self, ordinal: u64) -> Result<(), Unfetched> {
        if self.total.is_some_and(|total| total != self.received) {
            return Err(incomplete(self.total, ordinal, self.received));
        }
        if ordinal > 1 {
            return Ok(());
        }
        if let Format::Json(json) = &self.session.errand.adapter.format {
            let line = empty_line(&json.rows, json.total.as_deref());
            self.spooled.write(line.as_bytes())?;
            self.spooled.write(b"\n")?;
        }
        Ok(())
    }
}

/// That a later page is not there is no “not yet”: the export is incomplete.
fn missing(unfetched: Unfetched, ordinal: u64) -> Unfetched {
    if ordinal == 1 || !unfetched.not_yet {
        return unfetched;
    }
    Unfetched::wrong(
        "YB-2052",
        format!(
            "第{ordinal}页不存在，数据不完整。处理：稍后自动重新拉取；持续出现请联系该部门核对接口"
        ),
    )
}

fn repeated(ordinal: u64) -> Unfetched {
    Unfetched::wrong(
        "YB-2041",
        format!("第{ordinal}页与已取的一页相同，接口没有翻页。处理：核对分页参数，联系该部门"),
    )
}

fn incomplete(total: Option<u64>, ordinal: u64, received: u64) -> Unfetched {
    let total = total.map_or_else(String::new, |total| format!("总数为{total}，"));
    Unfetched::wrong(
        "YB-2043",
        format!(
            "{total}到第{ordinal}页实收{received}行，缺页或多页。处理：核对每页行数是否超过接口上限，联系该部门核对接口"
        ),
    )
}

/// The address after `rel="next"` in `Link` headers (RFC 8288).
fn linked(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(LINK)
        .iter()
        .filter_map(|value| value.to_str().ok())
        // An address may hold commas, but no angle brackets.
        .flat_map(|value| value.split('<').skip(1))
        .find_map(|link| {
            let (address, marks) = link.split_once('>')?;
            let is_next = marks.split([';', ',']).any(|mark| {
                let mark = mark.trim().to_ascii_lowercase();
                mark.strip_prefix("rel=").is_some_and(|rel| {
                    rel.trim_matches('"')
                        .split_whitespace()
                        .any(|rel| rel == "next")
                })
            });
            is_next.then(|| address.to_owned())
        })
}

fn data_key(errand: &Errand<'_>, pages: &Pages) -> Result<Option<[u8; 16]>, Unfetched> {
    if pages.envelope.is_none() {
        return Ok(None);
    }
    let wrong = || {
        Unfetched::wrong(
            "YB-2057",
            "没有可用的数据密钥。处理：在 [endpoints] 写 data_key_file，内容为16个字符或32位十六进制数",
        )
    };
    let file = errand.endpoint.data_key_file.as_ref().ok_or_else(wrong)?;
    let text = secret::read(errand.home, file)?;
    let text = text.expose_secret();
    let bytes = if text.len() == 32 {
        unhex(text).ok_or_else(wrong)?
    } else {
        text.as_bytes().to_vec()
    };
    bytes.try_into().map(Some).map_err(|_| wrong())
}
