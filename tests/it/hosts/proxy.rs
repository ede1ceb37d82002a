//! A line that breaks: connections through it are cut after so many bytes, as often as wanted.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// What went over the line.
#[derive(Default)]
pub struct Line {
    cuts: AtomicUsize,
    bytes: AtomicU64,
    rests: AtomicUsize,
    dies: AtomicBool,
    is_dead: AtomicBool,
}

impl Line {
    /// Bytes from the server.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// After the next cut nothing is carried any more, until it is repaired.
    pub fn dies(&self) {
        self.dies.store(true, Ordering::Relaxed);
    }

    /// It carries again, without cuts.
    pub fn repair(&self) {
        self.cuts.store(0, Ordering::Relaxed);
        self.dies.store(false, Ordering::Relaxed);
        self.is_dead.store(false, Ordering::Relaxed);
    }

    /// Cuts still to be made.
    pub fn cuts_left(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }

    /// How often a transfer was asked to go on in the middle.
    pub fn rests(&self) -> usize {
        self.rests.load(Ordering::Relaxed)
    }
}

/// Listens on a port of its own for `target`; the first `cuts` connections that carry more than `after` bytes from the
/// server end there. `rewrites`: it is an FTP control connection, and the data connections it names are led through it too.
pub fn line(target: u16, after: u64, cuts: usize, rewrites: bool) -> (u16, Arc<Line>) {
    let line = Arc::new(Line::default());
    line.cuts.store(cuts, Ordering::Relaxed);
    (listen(target, after, Arc::clone(&line), rewrites), line)
}

fn listen(target: u16, after: u64, line: Arc<Line>, rewrites: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let port = listener.local_addr().expect("address").port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let line = Arc::clone(&line);
            std::thread::spawn(move || carry(client, target, after, &line, rewrites));
        }
    });
    port
}

fn carry(client: TcpStream, target: u16, after: u64, line: &Arc<Line>, rewrites: bool) {
    if line.is_dead.load(Ordering::Relaxed) {
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else {
        return;
    };
    let (Ok(mut to_server), Ok(mut from_client)) = (server.try_clone(), client.try_clone()) else {
        return;
    };
    let up = Arc::clone(line);
    std::thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        while let Ok(read @ 1..) = from_client.read(&mut buffer) {
            if rewrites && buffer.starts_with(b"REST") {
                up.rests.fetch_add(1, Ordering::Relaxed);
            }
            if to_server.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (mut server, mut client) = (server, client);
    let mut carried = 0;
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = server.read(&mut buffer) {
        let mut piece = buffer[..read].to_vec();
        if rewrites {
            piece = rewritten(&piece, after, line);
        } else {
            carried += read as u64;
            line.bytes.fetch_add(read as u64, Ordering::Relaxed);
            let cut = carried > after
                && line
                    .cuts
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                        left.checked_sub(1)
                    })
                    .is_ok();
            if cut {
                if line.dies.load(Ordering::Relaxed) {
                    line.is_dead.store(true, Ordering::Relaxed);
                }
                break;
            }
        }
        if client.write_all(&piece).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

/// `229 Entering Extended Passive Mode (|||4711|)` with the port of a line to 4711.
fn rewritten(piece: &[u8], after: u64, line: &Arc<Line>) -> Vec<u8> {
    let text = String::from_utf8_lossy(piece);
    let Some((before, rest)) = text.split_once("(|||").filter(|_| text.starts_with("229")) else {
        return piece.to_vec();
    };
    let (port, behind) = rest.split_once('|').expect("a port");
    let port = listen(
        port.parse().expect("a port"),
        after,
        Arc::clone(line),
        false,
    );
    format!("{before}(|||{port}|{behind}").into_bytes()
}
