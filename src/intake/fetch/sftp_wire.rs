//! SFTP version 3 over any stream, as much of it as reading needs.
//!
//! Our own because file names are bytes: the client library at hand makes text of them and loses every name that is
//! not UTF-8. What the server sends is bounded: packets, names in a packet, answers that come out of turn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest packet a server may send; what it is asked for fits in many times over.
const PACKET: usize = 300_000;

/// Bytes asked for at once: what every server must grant.
const PIECE: u32 = 32 << 10;

/// Pieces asked for ahead, so that a distant server does not wait for us.
const AHEAD: usize = 32;

/// Until an answer comes.
const SILENCE: Duration = Duration::from_secs(60);

/// Longest word of a server that is shown.
const SAID_CHARS: usize = 120;

const INIT: u8 = 1;
const VERSION: u8 = 2;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;
const READ: u8 = 5;
const LSTAT: u8 = 7;
const OPENDIR: u8 = 11;
const READDIR: u8 = 12;
const MKDIR: u8 = 14;
const RENAME: u8 = 18;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRS: u8 = 105;

const OK: u32 = 0;
const EOF: u32 = 1;
/// Status: there is no such file.
pub const NO_SUCH_FILE: u32 = 2;
/// Status: not allowed.
pub const PERMISSION_DENIED: u32 = 3;

/// What went wrong.
#[derive(Debug)]
pub enum Fault {
    /// The connection is gone or silent.
    Lost,
    /// The server said no: its code and word.
    Said(u32, String),
    /// What the server said makes no sense.
    Nonsense,
}

impl From<std::io::Error> for Fault {
    fn from(_: std::io::Error) -> Self {
        Self::Lost
    }
}

/// What a server tells of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Bytes.
    pub size: Option<u64>,
    /// Type and permissions.
    pub mode: Option<u32>,
    /// Time of change, seconds.
    pub modified: Option<u32>,
}

/// One conversation.
pub struct Wire<S> {
    stream: S,
    next: u32,
    /// Answers that came before their turn.
    early: BTreeMap<u32, (u8, Vec<u8>)>,
    /// Questions whose answers nobody waits for any more.
    forgotten: BTreeSet<u32>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Agrees on version 3.
    pub async fn begin(mut stream: S) -> Result<Self, Fault> {
        let mut hello = Packet::new(INIT);
        hello.number(3);
        stream.write_all(&hello.framed()).await?;
        stream.flush().await?;
        let mut wire = Self {
            stream,
            next: 0,
            early: BTreeMap::new(),
            forgotten: BTreeSet::new(),
        };
        let (kind, _) = wire.packet().await?;
        (kind == VERSION).then_some(wire).ok_or(Fault::Nonsense)
    }

    /// The entries of a folder; none beyond `most` + 1.
    pub async fn list(
        &mut self,
        path: &[u8],
        most: usize,
    ) -> Result<Vec<(Vec<u8>, Attributes)>, Fault> {
        let handle = self.handle(OPENDIR, path, &[]).await?;
        let mut entries = Vec::new();
        while entries.len() <= most {
            let id = self.ask(READDIR, |packet| packet.text(&handle)).await?;
            match self.answer(id).await? {
                (NAME, body) => {
                    let mut body = Reader(&body);
                    let count = body.number()?;
                    if count == 0 {
                        return Err(Fault::Nonsense);
                    }
                    for _ in 0..count {
                        let name = body.text()?.to_vec();
                        body.text()?;
                        let attributes = body.attributes()?;
                        if name != b"." && name != b".." {
                            entries.push((name, attributes));
                        }
                    }
                }
                (STATUS, body) => match status(&body)? {
                    (EOF, _) => break,
                    (code, said) => return Err(Fault::Said(code, said)),
                },
                _ => return Err(Fault::Nonsense),
            }
        }
        self.close(&handle).await?;
        Ok(entries)
    }

    /// What the server tells of a file, or of the link itself; `None` when nothing is there.
    pub async fn lstat(&mut self, path: &[u8]) -> Result<Option<Attributes>, Fault> {
        let id = self.ask(LSTAT, |packet| packet.text(path)).await?;
        match self.answer(id).await? {
            (ATTRS, body) => Ok(Some(Reader(&body).attributes()?)),
            (STATUS, body) => match status(&body)? {
                (NO_SUCH_FILE, _) => Ok(None),
                (code, said) => Err(Fault::Said(code, said)),
            },
            _ => Err(Fault::Nonsense),
        }
    }

    /// Makes a folder.
    pub async fn make_folder(&mut self, path: &[u8]) -> Result<(), Fault> {
        let id = self
            .ask(MKDIR, |packet| {
                packet.text(path);
                packet.number(0);
            })
            .await?;
        self.done(id).await
    }

    /// Gives a file another name; version 3 refuses where the name is taken.
    pub async fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), Fault> {
        let id = self
            .ask(RENAME, |packet| {
                packet.text(from);
                packet.text(to);
            })
            .await?;
        self.done(id).await
    }

    /// Reads the bytes from `from` up to `until` in order; fewer when the file ends before. `sink` may end it.
    pub async fn read<E>(
        &mut self,
        path: &[u8],
        from: u64,
        until: u64,
        sink: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Result<(), E>, Fault> {
        // Read only, no attributes.
        let handle = self.handle(OPEN, path, &[0, 0, 0, 1, 0, 0, 0, 0]).await?;
        let mut asked: VecDeque<(u32, u64, u32)> = VecDeque::new();
        let mut at = from;
        let ended = loop {
            while asked.len() < AHEAD && at < until {
                let wanted = u32::try_from(until - at).map_or(PIECE, |left| left.min(PIECE));
                asked.push_back((self.ask_piece(&handle, at, wanted).await?, at, wanted));
                at += u64::from(wanted);
            }
            let Some((id, offset, wanted)) = asked.pop_front() else {
                break Ok(());
            };
            match self.answer(id).await? {
                (DATA, body) => {
                    let piece = Reader(&body).text()?;
                    let Some(missing) = u32::try_from(piece.len())
                        .ok()
                        .filter(|length| *length > 0)
                        .and_then(|length| wanted.checked_sub(length))
                    else {
                        return Err(Fault::Nonsense);
                    };
                    if let Err(stop) = sink(piece) {
                        break Err(stop);
                    }
                    if missing > 0 {
                        let offset = offset + u64::from(wanted - missing);
                        let id = self.ask_piece(&handle, offset, missing).await?;
                        asked.push_front((id, offset, missing));
                    }
                }
                (STATUS, body) => match status(&body)? {
                    (EOF, _) => break Ok(()),
                    (code, said) => return Err(Fault::Said(code, said)),
                },
                _ => return Err(Fault::Nonsense),
            }
        };
        for (id, ..) in asked {
            self.early.remove(&id);
            self.forgotten.insert(id);
        }
        self.close(&handle).await?;
        Ok(ended)
    }

    async fn ask_piece(&mut self, handle: &[u8], at: u64, wanted: u32) -> Result<u32, Fault> {
        self.ask(READ, |packet| {
            packet.text(handle);
            packet.long(at);
            packet.number(wanted);
        })
        .await
    }

    async fn handle(&mut self, kind: u8, path: &[u8], more: &[u8]) -> Result<Vec<u8>, Fault> {
        let id = self
            .ask(kind, |packet| {
                packet.text(path);
                packet.0.extend_from_slice(more);
            })
            .await?;
        match self.answer(id).await? {
            (HANDLE, body) => Ok(Reader(&body).text()?.to_vec()),
            (STATUS, body) => {
                let (code, said) = status(&body)?;
                Err(Fault::Said(code, said))
            }
            _ => Err(Fault::Nonsense),
        }
    }

    async fn close(&mut self, handle: &[u8]) -> Result<(), Fault> {
        let id = self.ask(CLOSE, |packet| packet.text(handle)).await?;
        // Nothing was written, so nothing can fail that matters.
        self.answer(id).await.map(|_| ())
    }

    async fn done(&mut self, id: u32) -> Result<(), Fault> {
        match self.answer(id).await? {
            (STATUS, body) => match status(&body)? {
                (OK, _) => Ok(()),
                (code, said) => Err(Fault::Said(code, said)),
            },
            _ => Err(Fault::Nonsense),
        }
    }

    async fn ask(&mut self, kind: u8, fill: impl FnOnce(&mut Packet)) -> Result<u32, Fault> {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        let mut packet = Packet::new(kind);
        packet.number(id);
        fill(&mut packet);
        let bytes = packet.framed();
        in_time(async {
            self.stream.write_all(&bytes).await?;
            Ok(self.stream.flush().await?)
        })
        .await?;
        Ok(id)
    }

    /// The answer to a question: its kind and what follows the id.
    async fn answer(&mut self, id: u32) -> Result<(u8, Vec<u8>), Fault> {
        if let Some(answer) = self.early.remove(&id) {
            return Ok(answer);
        }
        loop {
            let (kind, mut body) = self.packet().await?;
            let answered = Reader(&body).number()?;
            body.drain(..4);
            if answered == id {
                return Ok((kind, body));
            }
            if self.forgotten.remove(&answered) {
                continue;
            }
            if self.early.len() >= AHEAD || answered >= self.next {
                return Err(Fault::Nonsense);
            }
            self.early.insert(answered, (kind, body));
        }
    }

    async fn packet(&mut self) -> Result<(u8, Vec<u8>), Fault> {
        in_time(async {
            let length = self.stream.read_u32().await?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if !(5..=PACKET).contains(&length) {
                return Err(Fault::Nonsense);
            }
            let kind = self.stream.read_u8().await?;
            let mut body = vec![0; length - 1];
            self.stream.read_exact(&mut body).await?;
            Ok((kind, body))
        })
        .await
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::time::timeout(SILENCE, work)
        .await
        .unwrap_or(Err(Fault::Lost))
}

fn status(body: &[u8]) -> Result<(u32, String), Fault> {
    let mut body = Reader(body);
    let code = body.number()?;
    // Very old servers send the code alone.
    let said = body.text().unwrap_or_default();
    let said = String::from_utf8_lossy(said)
        .chars()
        .filter(|c| !c.is_control())
        .take(SAID_CHARS)
        .collect();
    Ok((code, said))
}

/// A packet in the making: room for the length, kind, fields.
struct Packet(Vec<u8>);

impl Packet {
    fn new(kind: u8) -> Self {
        Self(vec![0, 0, 0, 0, kind])
    }

    fn number(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn long(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn text(&mut self, text: &[u8]) {
        self.number(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(text);
    }

    fn framed(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len() - 4).unwrap_or(u32::MAX);
        self.0[..4].copy_from_slice(&length.to_be_bytes());
        self.0
    }
}

/// What is left of a packet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(Fault::Nonsense)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<u32, Fault> {
        let mut number = [0; 4];
        number.copy_from_slice(self.bytes(4)?);
        Ok(u32::from_be_bytes(number))
    }

    fn long(&mut self) -> Result<u64, Fault> {
        let mut number = [0; 8];
        number.copy_from_slice(self.bytes(8)?);
        Ok(u64::from_be_bytes(number))
    }

    fn text(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.number()?;
        self.bytes(usize::try_from(length).map_err(|_| Fault::Nonsense)?)
    }

    fn attributes(&mut self) -> Result<Attributes, Fault> {
        let flags = self.number()?;
        let mut found = Attributes::default();
        if flags & 1 != 0 {
            found.size = Some(self.long()?);
        }
        if flags & 2 != 0 {
            self.bytes(8)?;
        }
        if flags & 4 != 0 {
            found.mode = Some(self.number()?);
        }
        if flags & 8 != 0 {
            self.number()?;
            found.modified = Some(self.number()?);
        }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..self.number()? {
                self.text()?;
                self.text()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers each question in turn with the packet of the script: kind, then what follows the id. That many pieces of
    /// data are gathered, and the last one sent first.
    async fn serve(
        mut stream: tokio::io::DuplexStream,
        script: Vec<(u8, Vec<u8>)>,
        reversed: usize,
    ) {
        let mut length = [0; 4];
        let mut waiting = Vec::new();
        let mut script = script.into_iter();
        let mut is_first = true;
        loop {
            if stream.read_exact(&mut length).await.is_err() {
                return;
            }
            let mut body = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut body).await.unwrap();
            let mut answer = if std::mem::take(&mut is_first) {
                let mut hello = Packet::new(VERSION);
                hello.number(3);
                hello
            } else {
                let Some((kind, more)) = script.next() else {
                    return;
                };
                let mut answer = Packet::new(kind);
                answer.0.extend_from_slice(&body[1..5]);
                answer.0.extend_from_slice(&more);
                waiting.push(answer.framed());
                if kind == DATA && waiting.len() < reversed {
                    continue;
                }
                while let Some(answer) = waiting.pop() {
                    if stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
                continue;
            };
            answer.0.truncate(9);
            stream.write_all(&answer.framed()).await.unwrap();
        }
    }

    fn text(text: &[u8]) -> Vec<u8> {
        let mut packet = Packet(Vec::new());
        packet.text(text);
        packet.0
    }

    fn said(code: u32) -> (u8, Vec<u8>) {
        let mut packet = Packet(Vec::new());
        packet.number(code);
        packet.text(b"word");
        packet.text(b"en");
        (STATUS, packet.0)
    }

    fn run<T>(
        script: Vec<(u8, Vec<u8>)>,
        reversed: usize,
        work: impl AsyncFnOnce(&mut Wire<tokio::io::DuplexStream>) -> T,
    ) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (ours, theirs) = tokio::io::duplex(1 << 20);
            tokio::spawn(serve(theirs, script, reversed));
            let mut wire = Wire::begin(ours).await.unwrap();
            work(&mut wire).await
        })
    }

    fn read(script: Vec<(u8, Vec<u8>)>, reversed: usize, until: u64) -> Result<Vec<u8>, Fault> {
        run(script, reversed, async |wire| {
            let mut found = Vec::new();
            wire.read(b"f", 0, until, &mut |piece: &[u8]| {
                found.extend_from_slice(piece);
                Ok::<(), ()>(())
            })
            .await
            .map(|ended| {
                ended.unwrap();
                found
            })
        })
    }

    #[test]
    fn pieces_are_put_together_in_order_whatever_comes_first() {
        let handle = || (HANDLE, text(b"h"));
        let piece = |byte: u8, length: usize| (DATA, text(&vec![byte; length]));
        let whole = PIECE as usize;
        let wanted = [vec![1; whole], vec![2; whole], vec![3; 10]].concat();
        let until = wanted.len() as u64;
        let three = vec![
            handle(),
            piece(1, whole),
            piece(2, whole),
            piece(3, 10),
            said(OK),
        ];
        assert_eq!(read(three, 1, until).unwrap(), wanted);
        let mut reversed = vec![handle()];
        reversed.extend([piece(1, whole), piece(2, whole), piece(3, 10), said(OK)]);
        assert_eq!(read(reversed, 3, until).unwrap(), wanted);
        // A short piece is asked for again before the next; the file ends before its size.
        let short = vec![handle(), piece(1, 100), piece(1, 50), said(EOF), said(OK)];
        assert_eq!(read(short, 1, 1000).unwrap(), vec![1; 150]);
    }

    #[test]
    fn nonsense_is_refused() {
        let handle = || (HANDLE, text(b"h"));
        for script in [
            vec![handle(), (DATA, text(&[1; 20]))],
            vec![handle(), (DATA, text(&[]))],
            vec![handle(), (DATA, vec![0, 0, 1, 0, 7])],
            vec![handle(), (HANDLE, text(b"x"))],
            vec![(DATA, text(b"x"))],
            vec![(HANDLE, vec![255, 255, 255, 255, 1])],
        ] {
            let found = read(script.clone(), 1, 10);
            assert!(matches!(found, Err(Fault::Nonsense)), "{script:?}");
        }
        assert!(matches!(
            read(vec![said(PERMISSION_DENIED)], 1, 10),
            Err(Fault::Said(PERMISSION_DENIED, word)) if word == "word"
        ));
        assert!(matches!(read(vec![handle()], 1, 10), Err(Fault::Lost)));
    }

    #[test]
    fn names_stay_bytes_and_have_an_end() {
        let page = |names: &[&[u8]]| {
            let mut packet = Packet(Vec::new());
            packet.number(u32::try_from(names.len()).unwrap());
            for name in names {
                packet.text(name);
                packet.text(b"-rw-r--r--");
                packet.number(4 | 1);
                packet.long(7);
                packet.number(0o100_644);
            }
            (NAME, packet.0)
        };
        let handle = || (HANDLE, text(b"h"));
        let gbk: &[u8] = b"\xb2\xce.csv";
        let script = vec![
            handle(),
            page(&[b".", gbk]),
            page(&[b"b"]),
            said(EOF),
            said(OK),
        ];
        let found = run(script, 1, async |wire| wire.list(b"/", 10).await).unwrap();
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_slice()).collect();
        assert_eq!(names, [gbk, b"b"]);
        assert_eq!(
            (found[0].1.size, found[0].1.mode),
            (Some(7), Some(0o100_644))
        );
        let endless = vec![handle(), page(&[b"a", b"b"]), page(&[b"c"]), said(OK)];
        let found = run(endless, 1, async |wire| wire.list(b"/", 1).await).unwrap();
        assert_eq!(found.len(), 2, "one more than allowed is enough to know");
        let empty = vec![handle(), page(&[])];
        let found = run(empty, 1, async |wire| wire.list(b"/", 1).await);
        assert!(matches!(found, Err(Fault::Nonsense)));
        let found = run(vec![said(NO_SUCH_FILE)], 1, async |wire| {
            wire.lstat(b"x").await
        });
        assert!(matches!(found, Ok(None)));
    }

    proptest::proptest! {
        #[test]
        fn no_packet_breaks_the_reader(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
            let _ = Reader(&bytes).attributes();
            let _ = status(&bytes);
            let mut reader = Reader(&bytes);
            while reader.text().is_ok() {}
        }
    }
}
