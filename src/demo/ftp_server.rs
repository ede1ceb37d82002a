//! A department's FTP server, on the loopback only: one shelf, read only, passive, in the clear as old ones are; names go
//! over the wire as the bytes they are.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::body::Bytes;
use jiff::tz::TimeZone;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

use crate::demo::door::Door;
use crate::demo::sftp_server::Account;
use crate::demo::shelf::{Laid, Named, Shelf, named};

/// Longest line of a caller.
const LINE: u64 = 4 << 10;

/// A silent caller is sent away.
const SILENCE: Duration = Duration::from_secs(60);

/// Until the caller comes for its data.
const DATA: Duration = Duration::from_secs(10);

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct FtpServer {
    door: Door,
}

impl FtpServer {
    /// Starts on a free port of the loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(runtime: &Handle, account: Account, shelf: Shelf) -> io::Result<Self> {
        let door = Door::open(runtime, move |stream| {
            let (account, shelf) = (account.clone(), shelf.clone());
            async move {
                // A caller that breaks off has ended, whatever it was doing.
                let _ = Caller::new(stream, account, shelf).serve().await;
            }
        })?;
        Ok(Self { door })
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.door.port()
    }
}

/// How far a login has come.
#[derive(Debug, PartialEq, Eq)]
enum Login {
    Nobody,
    Named(bool),
    Done,
}

struct Caller {
    lines: BufReader<OwnedReadHalf>,
    words: OwnedWriteHalf,
    account: Account,
    shelf: Shelf,
    login: Login,
    /// Where the caller will come for its data.
    passive: Option<TcpListener>,
    /// Where the next file begins.
    rest: usize,
}

impl Caller {
    fn new(stream: TcpStream, account: Account, shelf: Shelf) -> Self {
        let (lines, words) = stream.into_split();
        Self {
            lines: BufReader::new(lines),
            words,
            account,
            shelf,
            login: Login::Nobody,
            passive: None,
            rest: 0,
        }
    }

    async fn serve(&mut self) -> io::Result<()> {
        self.say("220 ready").await?;
        while let Some(line) = self.line().await? {
            let space = line.iter().position(|byte| *byte == b' ');
            let (word, argument) = match space {
                Some(at) => (&line[..at], &line[at + 1..]),
                None => (&line[..], &b""[..]),
            };
            let word = String::from_utf8_lossy(word).to_ascii_uppercase();
            if word == "QUIT" {
                return self.say("221 bye").await;
            }
            match (&self.login, word.as_str()) {
                (_, "USER") => {
                    self.login = Login::Named(argument == self.account.user.as_bytes());
                    self.say("331 password").await?;
                }
                (Login::Named(is_known), "PASS") => {
                    if *is_known && argument == self.account.password.as_bytes() {
                        self.login = Login::Done;
                        self.say("230 in").await?;
                    } else {
                        self.login = Login::Nobody;
                        self.say("530 no").await?;
                    }
                }
                (_, "FEAT") => {
                    self.say("211-Features:\r\n MLST type*;size*;modify*;\r\n EPSV\r\n SIZE\r\n MDTM\r\n REST STREAM\r\n211 End")
                        .await?;
                }
                (Login::Done, word) => self.obey(word, argument).await?,
                _ => self.say("530 log in first").await?,
            }
        }
        Ok(())
    }

    async fn obey(&mut self, word: &str, argument: &[u8]) -> io::Result<()> {
        let rest = std::mem::take(&mut self.rest);
        match word {
            "TYPE" | "MODE" | "STRU" | "NOOP" => self.say("200 so be it").await,
            "SYST" => self.say("215 UNIX Type: L8").await,
            "PWD" | "XPWD" => self.say("257 \"/\"").await,
            "CWD" => match named(argument) {
                Named::Shelf => self.say("250 here").await,
                Named::File(_) | Named::Nowhere => self.say("550 no such folder").await,
            },
            "EPSV" | "PASV" => self.listen(word == "EPSV").await,
            "REST" => {
                let offset = std::str::from_utf8(argument)
                    .ok()
                    .and_then(|text| text.parse().ok());
                match offset {
                    Some(offset) => {
                        self.rest = offset;
                        self.say("350 from there").await
                    }
                    None => self.say("501 not a number").await,
                }
            }
            "SIZE" => match self.laid(argument) {
                Some(laid) => self.say(&format!("213 {}", laid.content.len())).await,
                None => self.say("550 no such file").await,
            },
            "MDTM" => match self.laid(argument) {
                Some(laid) => self.say(&format!("213 {}", modified(&laid))).await,
                None => self.say("550 no such file").await,
            },
            "MLSD" | "NLST" | "LIST" => match named(argument) {
                Named::Shelf => {
                    let listing = listing(word, &self.shelf);
                    self.send(&listing.into()).await
                }
                Named::File(_) | Named::Nowhere => self.say("550 no such folder").await,
            },
            "RETR" => match self.laid(argument) {
                Some(laid) => {
                    let from = rest.min(laid.content.len());
                    self.send(&laid.content.slice(from..)).await
                }
                None => self.say("550 no such file").await,
            },
            "STOR" | "APPE" | "DELE" | "MKD" | "RMD" | "RNFR" | "RNTO" => {
                self.say("550 read only").await
            }
            _ => self.say("502 not here").await,
        }
    }

    /// The caller's next line, without its end; `None` when it is gone, silent or says too much.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut one = (&mut self.lines).take(LINE);
        let read = tokio::time::timeout(SILENCE, one.read_until(b'\n', &mut line)).await;
        match read {
            Ok(read) => read?,
            Err(_) => return Ok(None),
        };
        let Some(whole) = line.strip_suffix(b"\n") else {
            return Ok(None);
        };
        Ok(Some(whole.strip_suffix(b"\r").unwrap_or(whole).to_vec()))
    }

    async fn say(&mut self, words: &str) -> io::Result<()> {
        self.words
            .write_all(format!("{words}\r\n").as_bytes())
            .await
    }

    /// Takes a port where the caller gets its data.
    async fn listen(&mut self, extended: bool) -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        self.passive = Some(listener);
        if extended {
            self.say(&format!("229 there (|||{port}|)")).await
        } else {
            let [high, low] = port.to_be_bytes();
            self.say(&format!("227 there (127,0,0,1,{high},{low})"))
                .await
        }
    }

    async fn send(&mut self, content: &Bytes) -> io::Result<()> {
        let Some(listener) = self.passive.take() else {
            return self.say("425 PASV or EPSV first").await;
        };
        self.say("150 here it comes").await?;
        let sent = async {
            let (mut stream, _) = listener.accept().await?;
            stream.write_all(content).await?;
            stream.shutdown().await
        };
        match tokio::time::timeout(DATA, sent).await {
            Ok(Ok(())) => self.say("226 done").await,
            Ok(Err(_)) | Err(_) => self.say("426 broken off").await,
        }
    }

    fn laid(&self, path: &[u8]) -> Option<Laid> {
        match named(path) {
            Named::File(name) => self.shelf.file(name),
            Named::Shelf | Named::Nowhere => None,
        }
    }
}

/// `20260301070000`, in UTC as RFC 3659 has it.
fn modified(laid: &Laid) -> String {
    let at = TimeZone::UTC.to_datetime(laid.modified);
    at.strftime("%Y%m%d%H%M%S").to_string()
}

fn listing(word: &str, shelf: &Shelf) -> Vec<u8> {
    let mut listing = Vec::new();
    for (name, laid) in shelf.files() {
        let size = laid.content.len();
        let facts = match word {
            "MLSD" => format!("type=file;size={size};modify={}; ", modified(&laid)),
            "LIST" => format!("-r--r--r-- 1 demo demo {size} Jan  1  2026 "),
            _ => String::new(),
        };
        listing.extend_from_slice(facts.as_bytes());
        listing.extend_from_slice(&name);
        listing.extend_from_slice(b"\r\n");
    }
    listing
}
