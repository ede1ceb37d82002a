//! A server that says exactly what a test tells it to, and writes down what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Bench;

/// One answer: its bytes, after which the connection is closed.
pub type Script = dyn Fn(usize, &str) -> String + Send + Sync;

/// A running server.
pub struct Scripted {
    pub url: String,
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Every request so far, in the order in which they came.
    pub fn requests(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// First lines only.
    pub fn lines(&self) -> Vec<String> {
        self.requests()
            .iter()
            .map(|request| request.lines().next().unwrap_or_default().to_owned())
            .collect()
    }
}

impl Bench {
    /// Answers the n-th request with what the script makes of it.
    pub fn scripted(
        &self,
        script: impl Fn(usize, &str) -> String + Send + Sync + 'static,
    ) -> Scripted {
        self.paced(Duration::ZERO, script)
    }

    /// Likewise, a byte at a time.
    pub fn paced(
        &self,
        pace: Duration,
        script: impl Fn(usize, &str) -> String + Send + Sync + 'static,
    ) -> Scripted {
        let listener = self
            .runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Script> = Arc::new(script);
        let written = Arc::clone(&asked);
        self.runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, written) = (Arc::clone(&script), Arc::clone(&written));
                tokio::spawn(answer(stream, pace, script, written));
            }
        });
        Scripted { url, asked }
    }
}

/// Reads one request, answers it, closes.
pub async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    pace: Duration,
    script: Arc<Script>,
    asked: Arc<Mutex<Vec<String>>>,
) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&piece[..read]),
        }
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                break;
            }
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let number = {
        let mut asked = asked.lock().unwrap();
        asked.push(text.clone());
        asked.len() - 1
    };
    let answer = script(number, &text);
    if pace.is_zero() {
        let _ = stream.write_all(answer.as_bytes()).await;
    } else {
        for byte in answer.bytes() {
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(pace).await;
        }
    }
    let _ = stream.shutdown().await;
}

/// A whole answer with its length; `more` are header lines, each with its line end.
pub fn reply(status: &str, more: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A JSON answer.
pub fn json(body: &serde_json::Value) -> String {
    reply(
        "200 OK",
        "Content-Type: application/json\r\n",
        &body.to_string(),
    )
}

/// The value of a header of a request.
pub fn header<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    request.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}
