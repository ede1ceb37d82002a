//! The servers of tax and transport, on the loopback only: what the city has published so far.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, RwLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::civil::Date;
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::demo::city::City;
use crate::demo::departments::{period, tax, transport};
use crate::demo::dirt::Tally;
use crate::domain::record::Month;

/// What lies ready to be fetched.
#[derive(Debug, Default)]
pub struct Served {
    tax: BTreeMap<String, Bytes>,
    licences: Vec<String>,
    licences_of: Option<Month>,
}

/// Shared between the city and its server.
pub type Desk = Arc<RwLock<Served>>;

/// The largest page of licences.
const LARGEST_PAGE: usize = 1000;

impl City {
    /// Lays out what is there on `day`: tax files that have come and the licences of the month. The rows of what is new are counted.
    pub fn fill(&self, desk: &Desk, day: Date) -> Tally {
        let mut tally = Tally::default();
        // Whoever panicked with the lock held left whole entries behind: they are only ever replaced.
        let mut served = desk
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut month = tax::first_month(&self.options);
        while month < Month::of(day) {
            let name = period(month);
            if tax::delivered(&self.options, month) <= day && !served.tax.contains_key(&name) {
                let file = tax::file(self, month);
                tally += file.tally;
                served.tax.insert(name, file.content.into());
            }
            month = month.plus(1);
        }
        if served.licences_of != Some(Month::of(day)) {
            let rows = transport::rows(self, day);
            tally += rows.tally;
            served.licences = rows.content;
            served.licences_of = Some(Month::of(day));
        }
        tally
    }
}

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct Server {
    base_url: String,
    stop: Option<oneshot::Sender<()>>,
}

impl Server {
    /// Starts on a free port of the loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(runtime: &Handle, desk: Desk) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let _inside = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new()
            .route("/export/{file}", get(export))
            .route("/api/licences", get(licences))
            .with_state(desk);
        runtime.spawn(async move {
            // A dropped sender stops it as well as a sent word.
            let end = async move {
                let _ = stopped.await;
            };
            if let Err(error) = axum::serve(listener, router)
                .with_graceful_shutdown(end)
                .await
            {
                tracing::warn!(%error, "the demo server stopped");
            }
        });
        Ok(Self {
            base_url,
            stop: Some(stop),
        })
    }

    /// `http://127.0.0.1:port`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have stopped already.
            let _ = stop.send(());
        }
    }
}

async fn export(State(desk): State<Desk>, Path(file): Path<String>) -> Response {
    let served = desk
        .read()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let found = file
        .strip_suffix(".csv")
        .and_then(|period| served.tax.get(period))
        .cloned();
    match found {
        Some(bytes) => ([(header::CONTENT_TYPE, "text/csv; charset=GBK")], bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Debug, Deserialize)]
struct Page {
    page: Option<usize>,
    size: Option<usize>,
}

async fn licences(State(desk): State<Desk>, Query(page): Query<Page>) -> Response {
    let served = desk
        .read()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let size = page.size.unwrap_or(200).clamp(1, LARGEST_PAGE);
    let skipped = page
        .page
        .unwrap_or(1)
        .max(1)
        .saturating_sub(1)
        .saturating_mul(size);
    let rows: Vec<&str> = served
        .licences
        .iter()
        .skip(skipped)
        .take(size)
        .map(String::as_str)
        .collect();
    let mut body = String::new();
    // Writing to a String never fails.
    let _ = write!(
        body,
        "{{\"code\":\"200\",\"msg\":\"ok\",\"data\":{{\"total\":\"{}\",\"list\":[{}]}}}}",
        served.licences.len(),
        rows.join(",")
    );
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use jiff::civil::date;

    use super::*;
    use crate::demo::city::tests::{calendar, options};
    use crate::demo::options::Dirt;

    fn fetch(base_url: &str, path: &str) -> (u16, Vec<u8>) {
        let host = base_url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let at = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap();
        let status = String::from_utf8_lossy(&answer[9..12]).parse().unwrap();
        (status, answer[at + 4..].to_vec())
    }

    #[test]
    fn serves_what_has_been_published() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mut city = City::new(options(300, 6, Dirt::Default));
        city.advance(date(2026, 3, 20), &calendar(), &[]);
        let desk = Desk::default();
        city.fill(&desk, date(2026, 3, 20));
        let server = Server::start(runtime.handle(), desk.clone()).unwrap();
        let url = server.base_url().to_owned();
        assert_eq!(fetch(&url, "/export/202601.csv").0, 200);
        assert_eq!(fetch(&url, "/export/202602.csv").0, 404, "late");
        city.advance(date(2026, 4, 2), &calendar(), &[]);
        city.fill(&desk, date(2026, 4, 2));
        assert_eq!(fetch(&url, "/export/202602.csv").0, 200);
        assert_eq!(fetch(&url, "/export/../x").0, 404);
        let (status, body) = fetch(&url, "/api/licences?page=1&size=3");
        let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, 200);
        assert_eq!(page["data"]["list"].as_array().map(Vec::len), Some(3));
        assert!(
            page["data"]["total"]
                .as_str()
                .unwrap()
                .parse::<usize>()
                .unwrap()
                > 3
        );
        assert_eq!(page["data"]["list"][0]["data_date"], "2026-04-01");
        drop(server);
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(TcpStream::connect(url.trim_start_matches("http://")).is_err());
    }
}
