//! A paged JSON interface: how pages are asked for, where the answer says what, and what says that it was the last one.

use serde::Deserialize;

use crate::adapter::language::OneOrMany;
use crate::adapter::transport::request::{Body, Method, Parameters, Request};

/// A paged JSON interface. All pages are kept as one JSON-lines file (one page per line) and archived so. Exactly one of
/// `page`, `offset`, `cursor` and `next_link` says how the next page is reached. A pull is complete only when the rows add up to
/// `total`, or when an explicit sign (`last`, `total_pages`, no further cursor or link, `until_empty`) says that it was the last page;
/// where both exist, both must agree.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// Name of the endpoint whose `url` is the base address.
    pub endpoint: String,
    /// Path below the base; placeholders as in [`crate::adapter::transport::Http`].
    pub path: String,
    /// GET (parameters in the query) or POST (in the body).
    #[serde(default)]
    pub method: Method,
    /// JSON or form body of a POST.
    #[serde(default)]
    pub body: Body,
    /// Parameters that are the same on every page; texts may hold `{period}` and `{day}`.
    #[serde(default)]
    pub parameters: Parameters,
    /// Parameter of the page number.
    pub page: Option<String>,
    /// Number of the first page: 1 unless given, or 0.
    pub first: Option<u32>,
    /// Parameter of the offset of the first row, from 0.
    pub offset: Option<String>,
    /// Parameter of the cursor; the first page is asked for without it.
    pub cursor: Option<String>,
    /// JSON pointer of the next cursor; null, empty or absent on the last page.
    pub next: Option<String>,
    /// JSON pointer of the next page's address (null, empty or absent on the last page), or `header` for the `Link` header.
    /// Only addresses of the same origin are followed.
    pub next_link: Option<String>,
    /// Parameter of the page size.
    pub size: Option<String>,
    /// Rows per page.
    pub per_page: Option<u32>,
    /// JSON pointer of the success code.
    pub success: Option<String>,
    /// The text or texts of the success code (`"200"`; a number compares by its text).
    pub success_is: Option<OneOrMany>,
    /// JSON pointer of the message that goes with a failure.
    pub message: Option<String>,
    /// JSON pointer of the total number of rows; pages must give the same total and add up to it.
    pub total: Option<String>,
    /// JSON pointer of the number of pages.
    pub total_pages: Option<String>,
    /// JSON pointer of the sign of the last page.
    pub last: Option<String>,
    /// Its text or texts on the last page; `true` unless given.
    pub last_is: Option<OneOrMany>,
    /// Whether a page without rows is the department's sign that there are no more. Without it such a page proves nothing.
    #[serde(default)]
    pub until_empty: bool,
    /// JSON pointer of the array of rows; a text that holds a JSON array, and null, are understood too.
    pub rows: String,
    /// Answers in plain text, or messages, that mean: there are no rows. Whole texts, nothing else counts.
    #[serde(default)]
    pub empty: Vec<String>,
    /// Result codes that mean: the key is too old. It is renewed once, where the endpoint's way of signing has a key to renew.
    #[serde(default)]
    pub stale_key: Vec<String>,
    /// Milliseconds between two pages; 0 unless given.
    #[serde(default)]
    pub pause_ms: u32,
    /// Where the data lie encrypted inside the answer. `success` and `message` speak of the answer, all other pointers, and those of the
    /// format, of the decrypted document.
    pub envelope: Option<Envelope>,
}

/// An encrypted answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// JSON pointer of the encrypted text (hex or base64), such as `/data/encData`.
    pub field: String,
    /// How it is encrypted; the key stands in the endpoint's `data_key_file`.
    pub cipher: Cipher,
}

/// Ciphers of envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cipher {
    /// SM4-ECB with PKCS#7 padding.
    Sm4Ecb,
    /// SM4-CBC with PKCS#7 padding; the first 16 bytes are the initialisation vector.
    Sm4Cbc,
}

/// How the next page is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging<'p> {
    /// By number, from the first one's.
    Number(&'p str, u32),
    /// By the offset of its first row.
    Offset(&'p str),
    /// By the cursor of the page before: its parameter and where it stands.
    Cursor(&'p str, &'p str),
    /// By the link in the page before: where it stands.
    Link(&'p str),
}

impl Pages {
    /// Its request.
    #[must_use]
    pub const fn request(&self) -> Request<'_> {
        Request {
            path: self.path.as_str(),
            method: self.method,
            body: self.body,
            parameters: &self.parameters,
        }
    }

    /// How the next page is reached; `None` when the file says nothing, or more than one thing.
    #[must_use]
    pub fn paging(&self) -> Option<Paging<'_>> {
        match (&self.page, &self.offset, &self.cursor, &self.next_link) {
            (Some(page), None, None, None) => Some(Paging::Number(page, self.first.unwrap_or(1))),
            (None, Some(offset), None, None) => Some(Paging::Offset(offset)),
            (None, None, Some(cursor), None) => {
                Some(Paging::Cursor(cursor, self.next.as_deref().unwrap_or("")))
            }
            (None, None, None, Some(link)) => Some(Paging::Link(link)),
            _ => None,
        }
    }
}
