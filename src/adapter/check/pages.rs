//! Complaints about paged interfaces.

use crate::adapter::check::{self, Complaints};
use crate::adapter::language::OneOrMany;
use crate::adapter::transport::pages::{Pages, Paging};
use crate::adapter::transport::request::{Body, Method, Request};

/// Longest pause between two pages, milliseconds.
const PAUSE_MS: u32 = 60_000;

impl Complaints {
    pub(super) fn pages(&mut self, pages: &Pages) {
        self.request("transport.pages", pages.request(), &["{period}", "{day}"]);
        for (key, pointer) in [
            ("success", &pages.success),
            ("message", &pages.message),
            ("total", &pages.total),
            ("total_pages", &pages.total_pages),
            ("last", &pages.last),
            ("next", &pages.next),
        ] {
            if let Some(pointer) = pointer {
                self.pointer(&format!("transport.pages.{key}"), pointer);
            }
        }
        self.pointer("transport.pages.rows", &pages.rows);
        self.success(
            "transport.pages",
            pages.success.as_deref(),
            pages.success_is.as_ref(),
        );
        if let Some(words) = &pages.last_is {
            self.words("transport.pages.last_is", words);
            if pages.last.is_none() {
                let text =
                    "没有写 last，用不到 last_is。处理：补上 last（末页标志的 JSON 指针），或删去";
                self.add("transport.pages.last_is", check::UNUSED, text);
            }
        }
        self.paging(pages);
        self.end(pages);
        if pages.pause_ms > PAUSE_MS {
            let text = format!("两页之间至多停{PAUSE_MS}毫秒。处理：调小");
            self.add("transport.pages.pause_ms", check::VALUE, text);
        }
        if pages.empty.iter().any(|text| text.trim().is_empty()) {
            let text = "不能有空白的一条：空应答不等于没有数据。处理：照对方“无数据”的原话填写";
            self.add("transport.pages.empty", check::VALUE, text);
        }
        if let Some(envelope) = &pages.envelope {
            self.pointer("transport.pages.envelope.field", &envelope.field);
        }
    }

    fn paging(&mut self, pages: &Pages) {
        let Some(paging) = pages.paging() else {
            let text = "翻页方式须写且只写一种。处理：page（页码）、offset（起始行）、cursor（游标）、next_link（下一页地址）中留一个";
            self.add("transport.pages.page", check::INCOMPLETE, text);
            return;
        };
        let by_size = matches!(paging, Paging::Number(..) | Paging::Offset(_));
        match paging {
            Paging::Number(..) if pages.first.is_some_and(|first| first > 1) => {
                let text = "第一页的页码只能是0或1。处理：照接口文档填写";
                self.add("transport.pages.first", check::VALUE, text);
            }
            Paging::Cursor(..) if pages.next.is_none() => {
                let text = "用游标翻页须写明下一个游标在应答中的位置。处理：补上 next（JSON 指针）";
                self.add("transport.pages.next", check::INCOMPLETE, text);
            }
            Paging::Link(link) if link != "header" => {
                self.pointer("transport.pages.next_link", link);
            }
            _ => {}
        }
        if pages.first.is_some() && !matches!(paging, Paging::Number(..)) {
            let text = "只有按页码翻页才有第一页的页码。处理：删去";
            self.add("transport.pages.first", check::UNUSED, text);
        }
        if pages.next.is_some() && !matches!(paging, Paging::Cursor(..)) {
            let text = "只有用游标翻页才用得到。处理：删去";
            self.add("transport.pages.next", check::UNUSED, text);
        }
        let mut names = vec![("page", &pages.page), ("offset", &pages.offset)];
        names.extend([("cursor", &pages.cursor), ("size", &pages.size)]);
        let mut used: Vec<&str> = pages.parameters.keys().map(String::as_str).collect();
        for (key, name) in names {
            let Some(name) = name else { continue };
            let key = format!("transport.pages.{key}");
            if name.trim().is_empty() {
                self.add(&key, check::EMPTY, "不能为空。处理：填写分页参数的名称");
            }
            if used.contains(&name.as_str()) {
                let text = format!(
                    "参数“{name}”写了两遍，页码与每页行数等不能是同一个参数。处理：分别填写"
                );
                self.add(&key, check::VALUE, text);
            }
            used.push(name);
        }
        if by_size && (pages.size.is_none() || pages.per_page.is_none()) {
            let text =
                "按页码或起始行翻页须写明每页行数。处理：补上 size（参数名）和 per_page（行数）";
            self.add("transport.pages.size", check::INCOMPLETE, text);
        } else if pages.size.is_some() != pages.per_page.is_some() {
            let text = "size（参数名）与 per_page（行数）须同时写。处理：补上另一个，或都删去";
            self.add("transport.pages.size", check::INCOMPLETE, text);
        }
        if let Some(per_page) = pages.per_page
            && !(1..=10_000).contains(&per_page)
        {
            let text = "每页行数应在1至10000之间。处理：按接口文档填写";
            self.add("transport.pages.per_page", check::VALUE, text);
        }
    }

    /// Something must say that the last page was the last.
    fn end(&mut self, pages: &Pages) {
        let is_said = pages.total.is_some()
            || pages.total_pages.is_some()
            || pages.last.is_some()
            || pages.until_empty
            || matches!(
                pages.paging(),
                Some(Paging::Cursor(..) | Paging::Link(_)) | None
            );
        if !is_said {
            let text = "没有总数，也没有末页标志，无从知道数据是否完整。处理：写上 total（总行数）、total_pages（总页数）或 last（末页标志）之一；接口确以空页表示结束的写 until_empty = true";
            self.add("transport.pages.total", check::INCOMPLETE, text);
        }
    }

    pub(super) fn success(&mut self, key: &str, pointer: Option<&str>, words: Option<&OneOrMany>) {
        if pointer.is_some() != words.is_some() {
            let text = "success（位置）与 success_is（成功码）须同时写。处理：补上另一个，或都删去";
            self.add(format!("{key}.success_is"), check::INCOMPLETE, text);
        }
        if let Some(words) = words {
            self.words(&format!("{key}.success_is"), words);
        }
    }

    /// One word or several, none of them missing.
    pub(super) fn words(&mut self, key: &str, words: &OneOrMany) {
        if words.list().is_empty() {
            self.add(key, check::EMPTY, "至少要有一个。处理：照接口文档填写");
        }
    }

    /// What is asked, however often: the same keys in every table that asks.
    pub(super) fn request(&mut self, key: &str, request: Request<'_>, placeholders: &[&str]) {
        self.path_with(&format!("{key}.path"), request.path, placeholders);
        let takes_lists = request.method == Method::Post && request.body == Body::Json;
        for (name, value) in request.parameters {
            let key = format!("{key}.parameters.{name}");
            if name.trim().is_empty() {
                self.add(&key, check::EMPTY, "参数名不能为空。处理：照接口文档填写");
            }
            if !(value.is_plain() || takes_lists) {
                let text = "数组和对象只能放在 JSON 请求体中。处理：改用 method = \"post\"、body = \"json\"，或改成文字";
                self.add(&key, check::VALUE, text);
            }
            for text in value.texts() {
                self.placeholders(&key, text, placeholders);
            }
        }
        if request.method == Method::Get && request.body == Body::Form {
            let text = "GET 请求没有请求体。处理：删去 body，或改用 method = \"post\"";
            self.add(format!("{key}.body"), check::UNUSED, text);
        }
    }
}
