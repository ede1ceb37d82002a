//! ProFTPD.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::hosts::proxy::line;
use crate::hosts::server::{Server, free_ports, lesser_user, must, skip, user};
use crate::hosts::{Bench, noise, story};

struct Ftpd {
    bench: Bench,
    _server: Server,
    explicit: u16,
    implicit: u16,
    plain: u16,
}

/// `None`, with a line that says so, where it is not installed.
fn start() -> Option<Ftpd> {
    let program = Path::new("/usr/sbin/proftpd");
    let has_tls = [
        "/usr/lib/proftpd/mod_tls.so",
        "/usr/libexec/proftpd/mod_tls.so",
    ]
    .iter()
    .any(|module| Path::new(module).exists());
    if !program.exists() || !has_tls {
        skip("ProFTPD with TLS is not installed");
        return None;
    }
    if Command::new("openssl").arg("version").output().is_err() {
        skip("openssl is not installed");
        return None;
    }
    let bench = Bench::new();
    certificates(&bench);
    let [explicit, implicit, plain] = free_ports();
    let etc = |name: &str| bench.path(&format!("etc/{name}")).display().to_string();
    let number = lesser_user().map_or_else(
        || must("id", &["-u"]).trim().to_owned(),
        |id| id.to_string(),
    );
    let group = lesser_user().map_or_else(
        || must("id", &["-g"]).trim().to_owned(),
        |id| id.to_string(),
    );
    let hash = must("openssl", &["passwd", "-6", "口令 1"]);
    let passwords = format!(
        "tax:{}:{number}:{group}::{}:/bin/sh\n",
        hash.trim(),
        bench.home.path().display()
    );
    bench.secret("etc/passwd", &passwords);
    bench.own("etc/passwd");
    bench.own("etc");
    bench.secret("password", "口令 1\n");
    bench.secret("wrong", "口令 2\n");
    let tls = format!(
        "TLSEngine on\nTLSRequired on\nTLSECCertificateFile {}\nTLSECCertificateKeyFile {}\nTLSLog {}",
        etc("server.pem"),
        etc("server.key"),
        etc("tls.log")
    );
    let common = format!(
        "RequireValidShell off\nAuthUserFile {}\nAuthOrder mod_auth_file.c\nAllowOverwrite on\nAllowRetrieveRestart on\n\
         TransferLog none\nWtmpLog off\n<IfModule mod_lang.c>\nUseEncoding off\n</IfModule>",
        etc("passwd")
    );
    let group_name = must("id", &["-gn", &user()]);
    let config = format!(
        "ServerName test\nServerType standalone\nDefaultAddress 127.0.0.1\nUseIPv6 off\nPort {explicit}\nUser {}\nGroup {}\n\
         PidFile {}\nScoreboardFile {}\nDelayTable none\nUseReverseDNS off\nLoadModule mod_tls.c\nSystemLog {}\n\
         {common}\n{tls}\n\
         <VirtualHost 127.0.0.1>\nPort {implicit}\n{common}\n{tls}\nTLSOptions UseImplicitSSL\n</VirtualHost>\n\
         <VirtualHost 127.0.0.1>\nPort {plain}\n{common}\nFactsAdvertise off\n</VirtualHost>\n",
        user(),
        group_name.trim(),
        etc("pid"),
        etc("scoreboard"),
        etc("system.log"),
    );
    fs::write(bench.path("etc/proftpd.conf"), config).expect("file");
    let server = Server::start(
        program,
        &["--nodaemon", "--config", &etc("proftpd.conf")],
        plain,
        &bench.path("etc/log"),
    );
    Some(Ftpd {
        bench,
        _server: server,
        explicit,
        implicit,
        plain,
    })
}

/// An authority, a certificate of it for `localhost`, and an authority nobody signed by.
fn certificates(bench: &Bench) {
    let made = |name: &str, subject: &str, more: &[&str]| {
        let key = bench.path(&format!("etc/{name}.key")).display().to_string();
        let pem = bench.path(&format!("etc/{name}.pem")).display().to_string();
        let mut arguments = vec![
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "3",
            "-subj",
            subject,
            "-keyout",
            &key,
            "-out",
            &pem,
        ];
        arguments.extend_from_slice(more);
        must("openssl", &arguments);
    };
    made("ca", "/CN=test authority", &[]);
    made("other", "/CN=other authority", &[]);
    let (ca, key) = (bench.path("etc/ca.pem"), bench.path("etc/ca.key"));
    made(
        "server",
        "/CN=localhost",
        &[
            "-CA",
            &ca.display().to_string(),
            "-CAkey",
            &key.display().to_string(),
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ],
    );
    bench.own("etc/server.key");
}

/// The table of the address.
fn at(port: u16, more: &str) -> String {
    format!(
        "[ftp]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"tax\"\npassword_file = \"password\"\n{more}\n"
    )
}

const PINNED: &str = "ca_file = \"etc/ca.pem\"\ncertificate_name = \"localhost\"";

const FILES: &str =
    "ftp]\nendpoint = \"e\"\npath = \"shown\"\npattern = \"*.csv\"\nmarker = \".ok\"";

#[test]
fn files_come_from_proftpd_in_order_and_are_moved_aside() {
    let Some(ftpd) = start() else { return };
    story(&ftpd.bench, &at(ftpd.explicit, PINNED), "ftp", true);
    let implicit = format!("{PINNED}\ntls = \"implicit\"");
    story(&ftpd.bench, &at(ftpd.implicit, &implicit), "ftp", true);
    // Without MLSD nobody says what is a link.
    story(&ftpd.bench, &at(ftpd.plain, "plain = true"), "ftp", false);
}

#[test]
fn proftpd_is_known_by_its_certificate_and_knows_us_by_the_password() {
    let Some(ftpd) = start() else { return };
    let bench = &ftpd.bench;
    for (port, more, code) in [
        (
            ftpd.explicit,
            "ca_file = \"etc/other.pem\"\ncertificate_name = \"localhost\"",
            "YB-2426",
        ),
        (ftpd.explicit, "ca_file = \"etc/ca.pem\"", "YB-2426"),
        (ftpd.explicit, "ca_file = \"password\"", "YB-2426"),
        // No TLS there; TLS asked for where none is allowed to be missing.
        (ftpd.plain, PINNED, "YB-2427"),
        (ftpd.explicit, "plain = true", "YB-2414"),
        (
            ftpd.explicit,
            &format!("{PINNED}\ntls = \"implicit\""),
            "YB-2427",
        ),
        (free_ports::<1>()[0], PINNED, "YB-2411"),
    ] {
        bench.refused(&at(port, more), FILES, code);
    }
    let wrong = at(ftpd.explicit, PINNED).replace("\"password\"", "\"wrong\"");
    bench.refused(&wrong, FILES, "YB-2414");
    let log = fs::read_to_string(bench.path("etc/system.log")).unwrap_or_default();
    assert!(!log.contains("口令"), "{log}");
}

#[test]
fn a_download_from_proftpd_goes_on_where_it_broke_off() {
    let Some(ftpd) = start() else { return };
    let bytes = noise(8_000_000);
    ftpd.bench.put("a.csv", &bytes);
    ftpd.bench.put("a.csv.ok", b"");
    let (port, broken) = line(ftpd.plain, 3_000_000, 2, true);
    let taken = ftpd.bench.take(&at(port, "plain = true"), FILES);
    assert!(taken.1 == bytes, "byte for byte");
    assert_eq!((broken.cuts_left(), broken.rests()), (0, 2));
    assert!(broken.bytes() < 12_000_000, "{}", broken.bytes());
}

#[test]
fn the_next_pull_goes_on_where_the_line_to_proftpd_died() {
    let Some(ftpd) = start() else { return };
    let bytes = noise(8_000_000);
    ftpd.bench.put("a.csv", &bytes);
    ftpd.bench.put("a.csv.ok", b"");
    let (port, line) = line(ftpd.plain, 6_000_000, 1, true);
    line.dies();
    let endpoint = at(port, "plain = true");
    let unfetched = ftpd.bench.fetch(&endpoint, FILES).unwrap_err();
    assert!(
        ["YB-2411", "YB-2422"].contains(&unfetched.code),
        "{unfetched}"
    );
    assert_eq!(line.rests(), 0);
    line.repair();
    let first = line.bytes();
    assert!(
        ftpd.bench.take(&endpoint, FILES).1 == bytes,
        "byte for byte"
    );
    assert_eq!(line.rests(), 1);
    assert!(line.bytes() - first < 4_000_000, "{}", line.bytes() - first);
}
