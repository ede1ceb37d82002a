//! One file, streamed into the spool: continued where the connection broke when the department can say that it is still the same
//! file, else begun anew.
//!
//! Less than the announced length is caught here. More is not: by RFC 9110 and RFC 9112 the announced length is the message, and
//! what a department sends beyond it is dropped by the HTTP library together with the connection, without a word (a connection
//! that is not used again looks the same for many good reasons). Such a file ends where the length says. Its reader holds or
//! refuses it when that is inside a row or a document; where only the end of a last cell is missing, a declared total is the
//! only protection.

use jiff::SignedDuration;
use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
};
use reqwest::{Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::adapter::format::Format;
use crate::adapter::language::Adapter;
use crate::intake::fetch::client::{Asking, Patience, Session, moment, text_of};
use crate::intake::fetch::notes::Remembered;
use crate::intake::fetch::spooled::Spooled;
use crate::intake::fetch::trouble::{self, Trouble};
use crate::intake::fetch::{Fetched, Unfetched};

/// Bytes at the beginning that tell a web page.
const HEAD: usize = 512;

/// A file whose department shows no clock of its own counts as settled when it was changed this long before.
const SETTLED: SignedDuration = SignedDuration::from_hours(24);

/// Longest mark that is remembered, bytes.
const MARK_BYTES: usize = 1024;

/// What came.
pub enum Download {
    /// A file, and what it is known by.
    File(Box<(Fetched, Remembered)>),
    /// The department says that it is the remembered one.
    Unchanged,
}

/// Downloads a file. `known` is the last one, where that was taken in. What an earlier pull got of it before it broke off, was
/// stopped or killed is gone on with, when the department can say that it is still the same file.
pub async fn download(
    session: &Session<'_>,
    asking: &Asking,
    name: &str,
    known: Option<&Remembered>,
    mislabelled: bool,
) -> Result<Download, Unfetched> {
    let mut part = Part::open(session, asking, mislabelled)?;
    let mut patience = Patience::default();
    loop {
        let ended = match part.more(session, asking, known).await {
            Ok(End::Unchanged) => return Ok(Download::Unchanged),
            Ok(End::Whole) => None,
            Err(trouble) => Some(trouble),
        };
        if let Some(trouble) = ended {
            session.wait(&mut patience, trouble).await?;
            continue;
        }
        part.judge_head()?;
        let remembered = part.remembered.clone();
        let fetched = part.spooled.finish(name)?;
        let remembered = Remembered {
            digest: fetched.digest.clone(),
            ..remembered
        };
        return Ok(Download::File(Box::new((fetched, remembered))));
    }
}

enum End {
    Whole,
    Unchanged,
}

/// A mark by which a later piece is known to belong to the same content.
enum Same {
    Etag(HeaderValue),
    Modified(HeaderValue),
}

/// What must be known of a part to go on with it at a later pull.
#[derive(Serialize, Deserialize)]
struct Mark {
    etag: Option<String>,
    modified: Option<String>,
    /// Whether the `ETag` is what tells the same content, else the time of change.
    by_etag: bool,
    total: u64,
}

/// The file so far.
struct Part {
    spooled: Spooled,
    head: Vec<u8>,
    head_is_judged: bool,
    looks_for_pages: bool,
    label_counts: bool,
    same: Option<Same>,
    total: Option<u64>,
    remembered: Remembered,
}

impl Part {
    fn open(session: &Session<'_>, asking: &Asking, mislabelled: bool) -> Result<Self, Unfetched> {
        let (spooled, mark) = Spooled::resumable(session.errand, &asking.question())?;
        let mut part = Self {
            spooled,
            head: Vec::new(),
            head_is_judged: false,
            looks_for_pages: is_no_web_page(session.errand.adapter),
            label_counts: !mislabelled,
            same: None,
            total: None,
            remembered: Remembered::default(),
        };
        if let Some(mark) = mark.and_then(|mark| serde_json::from_str(&mark).ok()) {
            part.resume(mark)?;
        }
        Ok(part)
    }

    /// Takes up what is known of the part that an earlier pull left.
    fn resume(&mut self, mark: Mark) -> Result<(), Unfetched> {
        let by = if mark.by_etag {
            &mark.etag
        } else {
            &mark.modified
        };
        let same = by.as_ref().and_then(|by| HeaderValue::from_str(by).ok());
        let Some(same) = same.filter(|_| self.spooled.bytes < mark.total) else {
            return self.restart();
        };
        self.same = Some(if mark.by_etag {
            Same::Etag(same)
        } else {
            Same::Modified(same)
        });
        self.total = Some(mark.total);
        self.head = self.spooled.head(HEAD)?;
        self.remembered.etag = mark.etag;
        self.remembered.modified = mark.modified;
        Ok(())
    }

    /// Forgets what came: the next piece begins at zero.
    fn restart(&mut self) -> Result<(), Unfetched> {
        self.spooled.start_over()?;
        self.head.clear();
        self.head_is_judged = false;
        self.same = None;
        self.total = None;
        self.remembered = Remembered::default();
        Ok(())
    }

    /// By what the part could be gone on with at a later pull; `None` when it could not.
    fn mark(&self) -> Option<String> {
        let mark = Mark {
            etag: self.remembered.etag.clone(),
            modified: self.remembered.modified.clone(),
            by_etag: matches!(self.same.as_ref()?, Same::Etag(_)),
            total: self.total?,
        };
        serde_json::to_string(&mark).ok()
    }

    /// Asks once for what is missing and takes what comes.
    async fn more(
        &mut self,
        session: &Session<'_>,
        asking: &Asking,
        known: Option<&Remembered>,
    ) -> Result<End, Trouble> {
        if self.spooled.bytes > 0 && self.same.is_none() {
            self.restart()?;
        }
        let mut headers = HeaderMap::new();
        let mut wanted = vec![StatusCode::OK];
        if let Some(same) = self.same.as_ref().filter(|_| self.spooled.bytes > 0) {
            let range = format!("bytes={}-", self.spooled.bytes);
            headers.insert(RANGE, HeaderValue::from_str(&range).map_err(|_| changed())?);
            let (Same::Etag(mark) | Same::Modified(mark)) = same;
            headers.insert(IF_RANGE, mark.clone());
            wanted.extend([
                StatusCode::PARTIAL_CONTENT,
                StatusCode::RANGE_NOT_SATISFIABLE,
            ]);
        } else if let Some(known) = known {
            insert(&mut headers, IF_NONE_MATCH, known.etag.as_deref());
            insert(&mut headers, IF_MODIFIED_SINCE, known.modified.as_deref());
            if !headers.is_empty() {
                wanted.push(StatusCode::NOT_MODIFIED);
            }
        }
        let response = session.attempt(asking, &headers, &wanted).await?;
        match response.status() {
            StatusCode::NOT_MODIFIED => return Ok(End::Unchanged),
            StatusCode::PARTIAL_CONTENT => {
                if let Err(unfetched) = self.continues(response.headers()) {
                    self.restart()?;
                    return Err(Trouble::passing(unfetched));
                }
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                self.restart()?;
                return Err(Trouble::passing(changed()));
            }
            _ => {
                if self.spooled.bytes > 0 {
                    self.restart()?;
                }
                self.begins(session, response.headers())?;
            }
        }
        self.take(response).await
    }

    /// The first piece: how long the whole is, by which mark it is known.
    fn begins(&mut self, session: &Session<'_>, headers: &HeaderMap) -> Result<(), Unfetched> {
        let label = text_of(headers, &CONTENT_TYPE).unwrap_or_default();
        let is_page = label
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("text/html");
        if is_page && self.looks_for_pages && self.label_counts {
            return Err(web_page());
        }
        self.total = text_of(headers, &CONTENT_LENGTH).and_then(|text| text.trim().parse().ok());
        let kept = |name: &HeaderName| {
            text_of(headers, name)
                .filter(|mark| mark.len() <= MARK_BYTES)
                .map(str::to_owned)
        };
        self.remembered.etag = kept(&ETAG);
        // A file that was changed within the second it was sent in may have been changed again.
        let modified = text_of(headers, &LAST_MODIFIED).and_then(moment);
        let is_settled = modified.is_some_and(|modified| {
            text_of(headers, &DATE).and_then(moment).map_or_else(
                || session.now().duration_since(modified) > SETTLED,
                |date| date.duration_since(modified) >= SignedDuration::from_secs(1),
            )
        });
        self.remembered.modified = is_settled.then(|| kept(&LAST_MODIFIED)).flatten();
        let strong = headers
            .get(ETAG)
            .filter(|etag| etag.as_bytes().starts_with(b"\""));
        self.same = match strong {
            Some(etag) => Some(Same::Etag(etag.clone())),
            None if is_settled => headers.get(LAST_MODIFIED).cloned().map(Same::Modified),
            None => None,
        };
        let mark = self.mark();
        self.spooled.marked(mark);
        Ok(())
    }

    /// A further piece: it must begin where the last one ended, in the same content of the same length.
    fn continues(&mut self, headers: &HeaderMap) -> Result<(), Unfetched> {
        let (from, total) = text_of(headers, &CONTENT_RANGE)
            .and_then(range)
            .ok_or_else(changed)?;
        let is_same_length = match (self.total, total) {
            (Some(known), Some(said)) => known == said,
            _ => true,
        };
        let is_same = match &self.same {
            Some(Same::Etag(mark)) => headers.get(ETAG).is_none_or(|etag| etag == mark),
            Some(Same::Modified(mark)) => headers
                .get(LAST_MODIFIED)
                .is_none_or(|modified| modified == mark),
            None => false,
        };
        if from != self.spooled.bytes || !is_same_length || !is_same {
            return Err(changed());
        }
        self.total = self.total.or(total);
        Ok(())
    }

    async fn take(&mut self, mut response: Response) -> Result<End, Trouble> {
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| trouble::failed(&error))?
        {
            if self.head.len() < HEAD {
                let missing = (HEAD - self.head.len()).min(piece.len());
                self.head.extend_from_slice(&piece[..missing]);
                if self.head.len() == HEAD {
                    self.judge_head()?;
                }
            }
            self.spooled.write(&piece)?;
        }
        match self.total {
            Some(total) if self.spooled.bytes != total => {
                let text = format!(
                    "对方称共{total}字节，实收{}字节，传输不完整。处理：稍后自动重试；持续出现请联系该部门",
                    self.spooled.bytes
                );
                if self.spooled.bytes > total {
                    self.same = None;
                    self.spooled.marked(None);
                }
                Err(Trouble::passing(Unfetched::wrong("YB-2030", text)))
            }
            _ => Ok(End::Whole),
        }
    }

    /// A page that asks to log in, or says that it is sorry, is no data.
    fn judge_head(&mut self) -> Result<(), Unfetched> {
        if self.head_is_judged || !self.looks_for_pages {
            return Ok(());
        }
        self.head_is_judged = true;
        if begins_like_a_page(&self.head) {
            self.spooled.marked(None);
            return Err(web_page());
        }
        Ok(())
    }
}

/// Whether nothing that this adapter reads looks like a web page. Old spreadsheets often are web pages, whatever their name says.
fn is_no_web_page(adapter: &Adapter) -> bool {
    adapter.container.is_some()
        || matches!(
            adapter.format,
            Format::Csv(_) | Format::Json(_) | Format::Xml(_) | Format::Fixed(_)
        )
}

/// `<!doctype html` or `<html`, after blanks and a byte order mark.
pub fn begins_like_a_page(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let head = head.trim_ascii_start().to_ascii_lowercase();
    head.starts_with(b"<!doctype html") || head.starts_with(b"<html")
}

fn web_page() -> Unfetched {
    Unfetched::wrong(
        "YB-2032",
        "对方返回的是网页（登录页或出错页），不是数据。处理：核对令牌、授权和路径；数据确实标作 text/html 的，在适配文件的 [transport.http]（或 job）写 mislabelled = true",
    )
}

fn changed() -> Unfetched {
    Unfetched::wrong(
        "YB-2033",
        "续传的部分与已收部分接不上，文件可能正在更换。处理：稍后自动重新拉取；持续出现请联系该部门",
    )
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: Option<&str>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
        headers.insert(name, value);
    }
}

/// First byte and whole length (`*` when unknown) of `bytes 5-9/10`.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (from, until) = range.split_once('-')?;
    let (from, until): (u64, u64) = (from.trim().parse().ok()?, until.trim().parse().ok()?);
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    let fits = from <= until && total.is_none_or(|total| until < total);
    fits.then_some((from, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        for (text, wanted) in [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 5-9/*", Some((5, None))),
            ("bytes 9-5/10", None),
            ("bytes 5-10/10", None),
            ("bytes */10", None),
            ("5-9/10", None),
            ("bytes 5-9", None),
            ("bytes -1-9/10", None),
        ] {
            assert_eq!(range(text), wanted, "{text}");
        }
    }

    #[test]
    fn web_pages_are_told_from_data() {
        for (head, wanted) in [
            (&b"<!DOCTYPE html><html>"[..], true),
            (b"\xef\xbb\xbf \r\n<HTML lang=zh>", true),
            (b"<?xml version='1.0'?><html/>", false),
            (b"code,name", false),
            (b"", false),
        ] {
            assert_eq!(begins_like_a_page(head), wanted);
        }
    }
}
