//! Files from real servers: OpenSSH and ProFTPD on the loopback, with everything that goes wrong on the way.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use yingbao::adapter::endpoint::Endpoint;
use yingbao::adapter::language::{Adapter, AdapterFile};
use yingbao::intake::fetch::{Errand, Fetched, Unfetched, fetch, finish};

mod ftp;
mod login;
mod own;
mod proxy;
mod server;
mod sftp;

/// 参保_1.csv in GBK.
const GBK: &[u8] = b"\xb2\xce\xb1\xa3_1.csv";

/// A home with an address, the folder a server shows, and what was taken so far.
struct Bench {
    runtime: tokio::runtime::Runtime,
    home: tempfile::TempDir,
    taken: RefCell<BTreeMap<String, String>>,
}

impl Bench {
    fn new() -> Self {
        let bench = Self {
            runtime: tokio::runtime::Runtime::new().expect("runtime"),
            home: tempfile::tempdir().expect("folder"),
            taken: RefCell::default(),
        };
        // The servers run as another user when the tests run as root, and must be able to pass.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(bench.home.path(), open).expect("mode");
        for below in ["shown", "spool", "etc"] {
            fs::create_dir(bench.home.path().join(below)).expect("folder");
        }
        bench.own("shown");
        bench
    }

    fn path(&self, below: &str) -> PathBuf {
        self.home.path().join(below)
    }

    /// Gives a file to the user the servers run as.
    fn own(&self, below: &str) {
        if let Some(user) = server::lesser_user() {
            chown(self.path(below), Some(user), Some(user)).expect("owner");
        }
    }

    /// A secret file.
    fn secret(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::write(&path, text).expect("file");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("mode");
    }

    fn put(&self, name: impl AsRef<Path>, bytes: &[u8]) {
        let path = self.path("shown").join(name);
        fs::write(&path, bytes).expect("file");
        if let Some(user) = server::lesser_user() {
            chown(path, Some(user), Some(user)).expect("owner");
        }
    }

    fn make_folder(&self, name: &str) {
        fs::create_dir(self.path("shown").join(name)).expect("folder");
        self.own(&format!("shown/{name}"));
    }

    fn empty(&self) {
        for entry in fs::read_dir(self.path("shown")).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() && !path.is_symlink() {
                fs::remove_dir_all(path).expect("removed");
            } else {
                fs::remove_file(path).expect("removed");
            }
        }
        self.taken.borrow_mut().clear();
        let _ = fs::remove_file(self.path("spool/test.looked"));
    }

    fn with<T>(&self, endpoint: &str, transport: &str, work: impl FnOnce(&Errand<'_>) -> T) -> T {
        let text = format!(
            "department = \"税务\"\ntitle = \"测试数据\"\nbasis = \"test\"\nrecord = \"tax\"\nmode = \"increment\"\n\
             as_of = \"delivery\"\n[transport.{transport}\n[format.csv]\nheader = \"码\"\n[fields]\n\
             credit_code = {{ from = \"码\", required = true }}\nmonth = {{ from = \"月\", required = true }}\n\
             [limits]\nfile_bytes = 8000000\nentries = 40\nfetch_seconds = 60\n"
        );
        let file: AdapterFile =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let adapter = Adapter::check("test", "digest", file).expect("an adapter");
        let endpoint: Endpoint = toml::from_str(endpoint).expect("an endpoint");
        let complaints = endpoint.complaints("e");
        assert!(complaints.is_empty(), "{complaints:?}");
        work(&Errand {
            adapter: &adapter,
            endpoint: &endpoint,
            home: self.home.path(),
            spool: &self.path("spool"),
            notes: &self.path("notes"),
            today: jiff::civil::date(2026, 3, 18),
            now: jiff::Timestamp::UNIX_EPOCH,
            waits: yingbao::intake::fetch::client::Waits::default(),
            taken: &|name, digest| {
                let taken = self.taken.borrow();
                let known = taken.get(name);
                known.is_some_and(|known| digest.is_empty() || known == digest)
            },
            runtime: self.runtime.handle(),
        })
    }

    fn fetch(&self, endpoint: &str, transport: &str) -> Result<Fetched, Unfetched> {
        let fetched = self.with(endpoint, transport, fetch);
        if let Err(unfetched) = &fetched {
            let left = fs::read_dir(self.path("spool")).expect("spool");
            let left: Vec<_> = left
                .map(|entry| entry.expect("entry").file_name())
                .filter(|name| name != "test.looked")
                .collect();
            assert!(left.is_empty(), "{left:?} is left of {unfetched}");
            assert!(!unfetched.text.contains("127.0.0.1"), "{unfetched}");
        }
        fetched
    }

    /// Fetches what must be there, counts it as taken, moves it aside; its name and content.
    fn take(&self, endpoint: &str, transport: &str) -> (String, Vec<u8>) {
        let fetched = self
            .fetch(endpoint, transport)
            .unwrap_or_else(|unfetched| panic!("{transport}: {unfetched}"));
        let bytes = fs::read(&fetched.path).expect("spooled");
        assert_eq!(fetched.digest, blake3::hash(&bytes).to_hex().to_string());
        self.count(&fetched);
        self.with(endpoint, transport, |errand| finish(errand, &fetched))
            .unwrap_or_else(|unmoved| panic!("{unmoved}"));
        (fetched.name, bytes)
    }

    fn count(&self, fetched: &Fetched) {
        fs::remove_file(&fetched.path).expect("spooled");
        self.taken
            .borrow_mut()
            .insert(fetched.name.clone(), fetched.digest.clone());
    }

    fn refused(&self, endpoint: &str, transport: &str, code: &str) -> String {
        match self.fetch(endpoint, transport) {
            Ok(fetched) => panic!("{code} wanted, fetched {}", fetched.name),
            Err(unfetched) => {
                assert_eq!(unfetched.code, code, "{unfetched}");
                unfetched.text
            }
        }
    }

    fn names(&self, below: &str) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.path("shown").join(below))
            .expect("folder")
            .map(|entry| {
                entry
                    .expect("entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

fn raw(name: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt as _;
    Path::new(std::ffi::OsStr::from_bytes(name))
}

/// Bytes that no compression or repetition hides.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

/// What every server of files must allow and every file must go through, in this order.
fn story(bench: &Bench, endpoint: &str, kind: &str, knows_links: bool) {
    bench.empty();
    let at = |more: &str| {
        format!(
            "{kind}]\nendpoint = \"e\"\npath = \"shown\"\nsettle_ms = 20\npattern = \"*.csv\"\n{more}"
        )
    };
    assert!(bench.fetch(endpoint, &at("")).unwrap_err().not_yet, "empty");
    bench.refused(
        endpoint,
        &at("").replace("\"shown\"", "\"nowhere\""),
        "YB-2417",
    );
    // GBK names, an ASCII name with a space, a big file, an empty one, in the order of names.
    let big = noise(3_000_000);
    bench.put(raw(GBK), b"gbk");
    bench.put("a b.csv", &big);
    bench.put("c.csv", b"");
    bench.put("a.txt", b"no");
    assert_eq!(
        bench.take(endpoint, &at("")),
        ("a b.csv".to_owned(), big.clone())
    );
    assert_eq!(bench.take(endpoint, &at("")).0, "c.csv");
    assert_eq!(
        bench.take(endpoint, &at("")),
        ("参保_1.csv".to_owned(), b"gbk".to_vec())
    );
    // Twice: downloaded again and seen to be the same, then remembered.
    for _ in 0..2 {
        assert!(bench.fetch(endpoint, &at("")).unwrap_err().not_yet);
    }
    // A correction under the old name.
    bench.put(raw(GBK), b"gbk, corrected");
    assert_eq!(bench.take(endpoint, &at("")).1, b"gbk, corrected");
    assert_eq!(
        bench.names("").len(),
        4,
        "nothing is moved unless the adapter says so"
    );

    // Markers, moves, a crash between the journal and the move, a name that is taken where it should go.
    bench.empty();
    let moved = at("marker = \".ok\"\ndone = \"完成\"");
    bench.put("a.csv", b"one");
    assert!(bench.fetch(endpoint, &moved).unwrap_err().not_yet);
    bench.put("a.csv.ok", b"");
    assert_eq!(bench.take(endpoint, &moved).1, b"one");
    assert_eq!(bench.names(""), ["完成"]);
    assert_eq!(bench.names("完成"), ["a.csv", "a.csv.ok"]);
    bench.put("a.csv", b"two");
    bench.put("a.csv.ok", b"");
    let crashed = bench.fetch(endpoint, &moved).unwrap();
    bench.count(&crashed);
    bench.put("b.csv", b"three");
    bench.put("b.csv.ok", b"");
    assert_eq!(bench.take(endpoint, &moved).1, b"three");
    assert_eq!(bench.names(""), ["完成"]);
    assert_eq!(
        bench.names("完成"),
        [
            "a.csv",
            "a.csv.2",
            "a.csv.ok",
            "a.csv.ok.2",
            "b.csv",
            "b.csv.ok"
        ]
    );
    // What changes between the journal and the move stays, and is the next delivery.
    bench.put("c.csv", b"four");
    bench.put("c.csv.ok", b"");
    let taken = bench.fetch(endpoint, &moved).unwrap();
    bench.count(&taken);
    bench.put("c.csv", b"four and more");
    let unmoved = bench.with(endpoint, &moved, |errand| finish(errand, &taken));
    assert_eq!(unmoved.unwrap_err().code, "YB-2435");
    assert_eq!(bench.take(endpoint, &moved).1, b"four and more");

    hardships(bench, endpoint, &at, knows_links, &big);
}

fn hardships(
    bench: &Bench,
    endpoint: &str,
    at: &dyn Fn(&str) -> String,
    knows_links: bool,
    big: &[u8],
) {
    bench.empty();
    if knows_links {
        // Folders to their depth; links passed over with a word.
        bench.make_folder("20260318");
        bench.put("20260318/x.csv", b"deep");
        symlink("/etc/passwd", bench.path("shown/a.csv")).expect("link");
        symlink("/etc", bench.path("shown/etc.csv")).expect("link");
        let word = bench.fetch(endpoint, &at("")).unwrap_err();
        assert!(
            word.not_yet && word.text.contains("YB-2430") && word.text.contains("a.csv"),
            "{word}"
        );
        let deep = at("depth = 1\ndone = \"done\"");
        let fetched = bench.fetch(endpoint, &deep).unwrap();
        assert_eq!(
            (fetched.name.as_str(), fetched.cautions.len()),
            ("20260318/x.csv", 1)
        );
        bench.count(&fetched);
        bench
            .with(endpoint, &deep, |errand| finish(errand, &fetched))
            .expect("moved");
        assert_eq!(bench.names("done/20260318"), ["x.csv"]);
        bench.empty();
    } else {
        let word = bench.fetch(endpoint, &at("depth = 1")).unwrap_err();
        assert!(word.not_yet && word.text.contains("YB-2439"), "{word}");
    }
    // More entries than allowed, more bytes than allowed.
    for number in 0..50 {
        bench.put(format!("{number}.csv"), b"");
    }
    bench.refused(endpoint, &at(""), "YB-2012");
    bench.empty();
    bench.put("a.csv", &noise(8_000_001));
    bench.refused(endpoint, &at(""), "YB-2005");
    // A file that grows while it is looked at.
    bench.put("a.csv", big);
    let is_over = AtomicBool::new(false);
    let path = bench.path("shown/a.csv");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use std::io::Write as _;
            let mut file = fs::OpenOptions::new()
                .append(true)
                .open(&path)
                .expect("file");
            while !is_over.load(Ordering::Relaxed) {
                file.write_all(b"more").expect("written");
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        });
        let growing = bench.fetch(endpoint, &at(""));
        is_over.store(true, Ordering::Relaxed);
        let growing = growing.unwrap_err();
        assert!(
            growing.not_yet && growing.text.contains("仍在写入"),
            "{growing}"
        );
    });
    let size = fs::metadata(bench.path("shown/a.csv"))
        .expect("file")
        .size();
    assert_eq!(bench.take(endpoint, &at("")).1.len() as u64, size);
}
