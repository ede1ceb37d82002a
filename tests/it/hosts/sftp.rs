//! OpenSSH.

use std::fs;
use std::path::Path;

use crate::hosts::proxy::line;
use crate::hosts::server::{Server, free_ports, must, skip, user};
use crate::hosts::{Bench, noise, story};

struct Sshd {
    bench: Bench,
    _server: Server,
    port: u16,
    user: String,
    /// ed25519, RSA.
    keys: [String; 2],
}

/// `None`, with a line that says so, where it is not installed. `more` goes into its configuration.
fn start(more: &str) -> Option<Sshd> {
    let program = Path::new("/usr/sbin/sshd");
    if !program.exists() {
        skip("OpenSSH is not installed");
        return None;
    }
    let bench = Bench::new();
    let etc = |name: &str| bench.path(&format!("etc/{name}")).display().to_string();
    for (kind, name, passphrase) in [
        ("ed25519", "server", ""),
        ("rsa", "server-rsa", ""),
        ("ed25519", "client", "pass phrase"),
        ("rsa", "client-rsa", ""),
        ("ed25519", "stranger", ""),
    ] {
        must(
            "ssh-keygen",
            &["-q", "-t", kind, "-N", passphrase, "-f", &etc(name)],
        );
        if name.starts_with("server") {
            bench.own(&format!("etc/{name}"));
        }
    }
    let public = |name: &str| fs::read_to_string(etc(&format!("{name}.pub"))).expect("key");
    let allowed = format!("{}{}", public("client"), public("client-rsa"));
    fs::write(bench.path("etc/allowed"), allowed).expect("file");
    bench.secret("etc/passphrase", "pass phrase\n");
    bench.secret("etc/password", "not it");
    let [port] = free_ports();
    let config = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {}\nHostKey {}\nPidFile none\nUsePAM yes\nStrictModes no\n\
         AuthorizedKeysFile {}\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n\
         Subsystem sftp internal-sftp\nForceCommand internal-sftp -d {}\n{more}\n",
        etc("server"),
        etc("server-rsa"),
        etc("allowed"),
        bench.home.path().display()
    );
    fs::write(bench.path("etc/sshd_config"), config).expect("file");
    let server = Server::start(
        program,
        &["-D", "-e", "-f", &etc("sshd_config")],
        port,
        &bench.path("etc/log"),
    );
    let keys = [public("server"), public("server-rsa")].map(|key| key.trim().to_owned());
    Some(Sshd {
        bench,
        _server: server,
        port,
        user: user(),
        keys,
    })
}

impl Sshd {
    /// The table of the address: port, key of the server, and what else.
    fn at(&self, port: u16, host_key: &str, more: &str) -> String {
        format!(
            "[sftp]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"{}\"\n{host_key}\n{more}\n",
            self.user
        )
    }

    fn pinned(&self) -> String {
        format!("host_key = \"{}\"", self.keys[0])
    }
}

const KEY: &str = "key_file = \"etc/client\"\npassphrase_file = \"etc/passphrase\"";

const FILES: &str =
    "sftp]\nendpoint = \"e\"\npath = \"shown\"\npattern = \"*.csv\"\nmarker = \".ok\"";

#[test]
fn files_come_from_openssh_in_order_and_are_moved_aside() {
    let Some(sshd) = start("") else { return };
    let endpoint = sshd.at(sshd.port, &sshd.pinned(), KEY);
    story(&sshd.bench, &endpoint, "sftp", true);
}

#[test]
fn openssh_is_known_by_its_key_and_knows_us_by_ours() {
    let Some(sshd) = start("") else { return };
    let bench = &sshd.bench;
    bench.put("a.csv", b"a");
    bench.put("a.csv.ok", b"");
    let known = |line: &str| fs::write(bench.path("etc/known"), line).expect("file");
    let files = "known_hosts = \"etc/known\"";
    let stranger = fs::read_to_string(bench.path("etc/stranger.pub")).expect("key");
    let mismatch = format!("host_key = \"{}\"", stranger.trim());
    let told = bench.refused(&sshd.at(sshd.port, &mismatch, KEY), FILES, "YB-2412");
    let server = bench.path("etc/server.pub").display().to_string();
    let fingerprint = must("ssh-keygen", &["-lf", &server]);
    let fingerprint = fingerprint.split(' ').nth(1).expect("a fingerprint");
    assert!(told.contains(fingerprint), "{told} {fingerprint}");
    let log = fs::read_to_string(bench.path("etc/log")).expect("log");
    assert!(
        !log.contains("Failed password"),
        "nothing is sent to a stranger"
    );

    known(&format!("[127.0.0.1]:{} {}\n", sshd.port, sshd.keys[1]));
    let rsa = sshd.at(sshd.port, files, "key_file = \"etc/client-rsa\"");
    assert!(bench.fetch(&rsa, FILES).is_ok(), "RSA on both sides");
    known(&format!("other.example {}\n", sshd.keys[1]));
    bench.refused_leaving_spool(&rsa, "YB-2416");
    known(&format!("@revoked * {}\n", sshd.keys[1]));
    bench.refused_leaving_spool(&rsa, "YB-2416");

    for (login, code) in [
        ("password_file = \"etc/password\"", "YB-2414"),
        ("key_file = \"etc/stranger\"", "YB-2414"),
        ("key_file = \"etc/client\"", "YB-2415"),
        (
            "key_file = \"etc/client\"\npassphrase_file = \"etc/password\"",
            "YB-2415",
        ),
        ("key_file = \"etc/none\"", "YB-2024"),
    ] {
        bench.refused_leaving_spool(&sshd.at(sshd.port, &sshd.pinned(), login), code);
    }
    let [nowhere] = free_ports();
    bench.refused_leaving_spool(&sshd.at(nowhere, &sshd.pinned(), KEY), "YB-2411");
}

impl Bench {
    fn refused_otherwise(&self, endpoint: &str, codes: &[&str]) {
        let unfetched = self.fetch(endpoint, FILES).unwrap_err();
        assert!(codes.contains(&unfetched.code), "{unfetched}");
    }

    fn refused_leaving_spool(&self, endpoint: &str, code: &str) {
        for entry in fs::read_dir(self.path("spool")).expect("spool") {
            fs::remove_file(entry.expect("entry").path()).expect("removed");
        }
        self.refused(endpoint, FILES, code);
    }
}

#[test]
fn a_download_from_openssh_goes_on_where_it_broke_off() {
    let Some(sshd) = start("") else { return };
    let bytes = noise(8_000_000);
    sshd.bench.put("a.csv", &bytes);
    sshd.bench.put("a.csv.ok", b"");
    let (port, broken) = line(sshd.port, 3_000_000, 2, false);
    let endpoint = sshd.at(port, &sshd.pinned(), KEY);
    assert!(
        sshd.bench.take(&endpoint, FILES).1 == bytes,
        "byte for byte"
    );
    assert_eq!(broken.cuts_left(), 0);
    // Two pieces of what was under way are lost at each cut, not the file.
    assert!(broken.bytes() < 12_000_000, "{}", broken.bytes());
    // A line that never carries anything ends in a word.
    let (port, _) = line(sshd.port, 10_000, 1000, false);
    sshd.bench.taken.borrow_mut().clear();
    sshd.bench
        .refused(&sshd.at(port, &sshd.pinned(), KEY), FILES, "YB-2422");
}

#[test]
fn the_next_pull_goes_on_where_the_line_died() {
    let Some(sshd) = start("") else { return };
    let bytes = noise(8_000_000);
    // What happens to the file meanwhile; whether its beginning is still good.
    for changes in [false, true] {
        sshd.bench.empty();
        sshd.bench.put("a.csv", &bytes);
        sshd.bench.put("a.csv.ok", b"");
        let (port, line) = line(sshd.port, 6_000_000, 1, false);
        line.dies();
        let endpoint = sshd.at(port, &sshd.pinned(), KEY);
        sshd.bench
            .refused_otherwise(&endpoint, &["YB-2411", "YB-2422"]);
        let first = line.bytes();
        line.repair();
        let mut wanted = bytes.clone();
        if changes {
            // The same size, another content, another time.
            wanted.reverse();
            sshd.bench.put("a.csv", &wanted);
            let other = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
            let file = fs::File::options()
                .write(true)
                .open(sshd.bench.path("shown/a.csv"));
            file.expect("file").set_modified(other).expect("a time");
        }
        assert!(
            sshd.bench.take(&endpoint, FILES).1 == wanted,
            "byte for byte"
        );
        let second = line.bytes() - first;
        assert_eq!(second > 8_000_000, changes, "{first} and {second}");
        let parts = fs::read_dir(sshd.bench.path("notes/test.parts")).expect("parts");
        assert_eq!(parts.count(), 1, "nothing but the lock is left");
    }
}

#[test]
fn old_algorithms_are_used_only_when_allowed() {
    let old = "KexAlgorithms diffie-hellman-group14-sha1\nHostKeyAlgorithms ssh-rsa\nCiphers aes128-cbc\n\
               MACs hmac-sha1\nPubkeyAcceptedAlgorithms ssh-rsa,ssh-ed25519";
    let Some(sshd) = start(old) else { return };
    sshd.bench.put("a.csv", b"a");
    sshd.bench.put("a.csv.ok", b"");
    let key = format!("host_key = \"{}\"", sshd.keys[1]);
    sshd.bench
        .refused(&sshd.at(sshd.port, &key, KEY), FILES, "YB-2413");
    for login in [KEY, "key_file = \"etc/client-rsa\""] {
        let more = format!("{login}\nold_algorithms = true");
        assert_eq!(
            sshd.bench.take(&sshd.at(sshd.port, &key, &more), FILES).1,
            b"a"
        );
        sshd.bench.taken.borrow_mut().clear();
    }
}
