//! Mails byte for byte, and through a real mail server.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::Duration;

use tokio::runtime::Runtime;
use yingbao::courier::settings::{CourierMode, CourierSettings, MailSecurity, SmtpSettings};
use yingbao::courier::{Couriers, Parcel};
use yingbao::domain::notice::{
    Attachment, Channel, Notice, NoticeState, Outcome, Purpose, Recipient,
};

const FROM: &str = "南阳市社会保险中心 <yingbao@centre.example>";

/// Who owns the delivered mail: `nobody`, whom no file of the machine belongs to.
const NOBODY: u32 = 65534;

/// What a case makes of a good notice.
type Change<'a> = &'a dyn Fn(&mut Notice);

/// Names and bytes.
type Files = Vec<(String, Vec<u8>)>;

fn notice(
    key: &str,
    address: &str,
    subject: &str,
    text: &str,
    files: &[(String, Vec<u8>)],
) -> Notice {
    Notice {
        key: key.to_owned(),
        purpose: Purpose::CountyAlert,
        recipient: Recipient::County {
            unit: "411302".to_owned(),
        },
        channel: Channel::Email,
        cases: Vec::new(),
        unit: "411302".to_owned(),
        address: address.to_owned(),
        subject: subject.to_owned(),
        text: text.to_owned(),
        attachments: files
            .iter()
            .map(|(name, bytes)| Attachment {
                name: name.clone(),
                digest: blake3::hash(bytes).to_hex().to_string(),
            })
            .collect(),
        decided: "2026-03-02T00:30:00Z".parse().expect("instant"),
        day: jiff::civil::date(2026, 3, 2),
        state: NoticeState::Queued,
        attempts: 0,
        answer: None,
    }
}

/// Name of the golden, notice, files.
fn letters() -> Vec<(&'static str, Notice, Files)> {
    let file = |name: &str, bytes: &[u8]| (name.to_owned(), bytes.to_vec());
    let list = vec![file(
        "worklist-411302-2026-03-02.xlsx",
        b"PK\x03\x04 not a real workbook",
    )];
    let report = vec![
        file("report.html", "<!doctype html>\n<p>演练</p>\n".as_bytes()),
        file("report.txt", "演练\n".as_bytes()),
    ];
    let alert = notice(
        "county_alert/411302/2026-03-02",
        "officer@county.example",
        "待核实疑点清单（宛城区，2026 年 3 月 2 日，新增 12 户，累计未核实 345 户）",
        "您好：\n\n附件是待核实的疑点清单，请在 15 个工作日内核实。\n.\n以一个点开头的一行也应原样到达。\n\n南阳市社会保险中心\n",
        &list,
    );
    let reminder = notice(
        "reminder/0000/email/1f",
        "clerk@firm.example",
        "参保登记提醒",
        "贵单位尚未办理社会保险登记。如已办理，请忽略本提醒。咨询电话 12333。",
        &[],
    );
    let plain = notice(
        "feed_alert/tax",
        "it@centre.example",
        "feed tax",
        "silent since 07:00\n.\n..two dots\n",
        &report,
    );
    vec![
        ("county_alert", alert, list),
        ("reminder", reminder, Vec::new()),
        ("feed_alert", plain, report),
    ]
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("runtime")
}

fn send(settings: &CourierSettings, home: &Path, parcel: Parcel<'_>) -> Outcome {
    let runtime = runtime();
    Couriers::build(settings, FROM, false, home, home, runtime.handle())
        .expect("couriers")
        .for_channel(Channel::Email)
        .expect("mail")
        .send(&[parcel])
        .remove(0)
}

/// The file a dry run writes.
fn dry_run(notice: &Notice, files: &Files) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("folder");
    let parcel = Parcel {
        notice,
        files: files.clone(),
    };
    match send(&CourierSettings::default(), folder.path(), parcel) {
        Outcome::DryRun { answer } => fs::read(folder.path().join(answer)).expect("file"),
        other => panic!("{other:?}"),
    }
}

/// `YINGBAO_RENEW=1` writes the goldens anew; look at the difference before it is committed.
#[test]
fn mails_are_the_same_bytes_as_ever() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mail");
    for (name, notice, files) in letters() {
        let path = folder.join(format!("{name}.eml"));
        let found = dry_run(&notice, &files);
        if std::env::var_os("YINGBAO_RENEW").is_some() {
            fs::write(&path, &found).expect("golden");
        }
        let wanted = fs::read(&path).expect("golden");
        assert_eq!(
            String::from_utf8_lossy(&found),
            String::from_utf8_lossy(&wanted),
            "{name}"
        );
    }
}

/// A Postfix of its own under a temporary folder, on three ports of the loopback; stopped when dropped.
struct Postfix {
    folder: tempfile::TempDir,
    plain: u16,
    starttls: u16,
    tls: u16,
}

fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    Command::new(program).args(arguments).output().ok()
}

fn must(program: &str, arguments: &[&str]) {
    let output = run(program, arguments).unwrap_or_else(|| panic!("{program} is not there"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Past the harness, which keeps what passing tests print: whoever reads the log must see what was not tried. The line end
/// before it is for harnesses of one thread, which have begun a line of their own.
fn skip(why: &str) {
    let line = format!("\nskipped: mail through a real server: {why}\n");
    std::io::stderr()
        .lock()
        .write_all(line.as_bytes())
        .expect("standard error");
}

fn a_default(name: &str) -> Option<String> {
    let output = run("postconf", &["-d", "-h", name])?;
    let value = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| value.trim().to_owned())
}

fn free_ports() -> [u16; 3] {
    let listeners = [0; 3].map(|_| TcpListener::bind("127.0.0.1:0").expect("port"));
    listeners.map(|listener| listener.local_addr().expect("address").port())
}

impl Postfix {
    /// `None`, with a line that says so, where it is not installed or cannot be started.
    fn start() -> Option<Self> {
        let Some(daemons) = a_default("daemon_directory") else {
            skip("Postfix is not installed");
            return None;
        };
        if run("openssl", &["version"]).is_none() {
            skip("openssl is not installed");
            return None;
        }
        if fs::metadata("/proc/self").is_ok_and(|own| own.uid() != 0) {
            skip("Postfix needs root to start");
            return None;
        }
        let folder = tempfile::tempdir().expect("folder");
        let [plain, starttls, tls] = free_ports();
        let postfix = Self {
            folder,
            plain,
            starttls,
            tls,
        };
        postfix.lay_out(&daemons);
        must("postfix", &["-c", &postfix.path("etc"), "start"]);
        Some(postfix)
    }

    fn path(&self, below: &str) -> String {
        self.folder.path().join(below).display().to_string()
    }

    fn lay_out(&self, daemons: &str) {
        let root = self.folder.path();
        // Its parts run as their own users and must be able to pass.
        fs::set_permissions(root, fs::Permissions::from_mode(0o755)).expect("mode");
        for below in ["etc", "queue", "data", "boxes"] {
            fs::create_dir(root.join(below)).expect("folder");
        }
        chown(root.join("boxes"), Some(NOBODY), Some(NOBODY)).expect("owner");
        must("chown", &["postfix", &self.path("data")]);
        certificates(root);
        fs::write(root.join("etc/boxes"), "officer@county.example officer/\n").expect("file");
        let main = format!(
            "compatibility_level = 3.6\n\
             daemon_directory = {daemons}\n\
             queue_directory = {root}/queue\n\
             data_directory = {root}/data\n\
             maillog_file_prefixes = {root}\n\
             maillog_file = {root}/log\n\
             myhostname = relay.example\n\
             mydestination =\n\
             mynetworks = 192.0.2.1\n\
             inet_interfaces = 127.0.0.1\n\
             inet_protocols = ipv4\n\
             alias_maps =\n\
             alias_database =\n\
             smtpd_relay_restrictions = reject_unauth_destination\n\
             virtual_mailbox_domains = county.example\n\
             virtual_mailbox_base = {root}/boxes\n\
             virtual_mailbox_maps = texthash:{root}/etc/boxes\n\
             virtual_uid_maps = static:{NOBODY}\n\
             virtual_gid_maps = static:{NOBODY}\n\
             message_size_limit = 1000000\n\
             virtual_mailbox_limit = 1000000\n\
             smtpd_tls_cert_file = {root}/etc/server.pem\n\
             smtpd_tls_key_file = {root}/etc/server.key\n",
            root = root.display()
        );
        fs::write(root.join("etc/main.cf"), main).expect("file");
        let master = format!(
            "127.0.0.1:{} inet n - n - - smtpd\n\
             127.0.0.1:{} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt\n\
             127.0.0.1:{} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n\
             pickup unix n - n 60 1 pickup\n\
             cleanup unix n - n - 0 cleanup\n\
             qmgr unix n - n 300 1 qmgr\n\
             tlsmgr unix - - n 1000? 1 tlsmgr\n\
             rewrite unix - - n - - trivial-rewrite\n\
             bounce unix - - n - 0 bounce\n\
             defer unix - - n - 0 bounce\n\
             trace unix - - n - 0 bounce\n\
             proxymap unix - - n - - proxymap\n\
             error unix - - n - - error\n\
             retry unix - - n - - error\n\
             virtual unix - n n - - virtual\n\
             anvil unix - - n - 1 anvil\n\
             postlog unix-dgram n - n - 1 postlogd\n",
            self.plain, self.starttls, self.tls
        );
        fs::write(root.join("etc/master.cf"), master).expect("file");
    }

    /// The mails in the box, once there are so many.
    fn delivered(&self, count: usize) -> Vec<String> {
        let folder = self.folder.path().join("boxes/officer/new");
        for _ in 0..400 {
            let mails: Vec<String> = fs::read_dir(&folder)
                .into_iter()
                .flatten()
                .map(|entry| fs::read_to_string(entry.expect("entry").path()).expect("mail"))
                .collect();
            if mails.len() >= count {
                return mails;
            }
            sleep(Duration::from_millis(25));
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("{count} mails did not come\n{log}");
    }
}

/// The relay on this machine.
fn relay(security: MailSecurity, port: u16, ca_file: Option<&str>) -> CourierSettings {
    CourierSettings {
        mode: CourierMode::Live,
        smtp: Some(SmtpSettings {
            host: "localhost".to_owned(),
            port: Some(port),
            security,
            user: None,
            password_file: None,
            ca_file: ca_file.map(PathBuf::from),
            timeout_s: 20,
        }),
        sms: None,
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = run("postfix", &["-c", &self.path("etc"), "stop"]);
    }
}

/// An authority, a server certificate of it for `localhost`, and an authority nobody signed by.
fn certificates(root: &Path) {
    let etc = |name: &str| root.join("etc").join(name).display().to_string();
    let made = |name: &str, subject: &str, more: &[&str]| {
        let (key, pem) = (etc(&format!("{name}.key")), etc(&format!("{name}.pem")));
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
    made(
        "server",
        "/CN=localhost",
        &[
            "-CA",
            &etc("ca.pem"),
            "-CAkey",
            &etc("ca.key"),
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ],
    );
}

fn kind(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::DryRun { .. } => "dry_run",
        Outcome::Retry { code, .. }
        | Outcome::Unknown { code, .. }
        | Outcome::Failed { code, .. } => code,
    }
}

#[test]
fn a_real_server_takes_what_was_written_and_refuses_what_it_must() {
    let Some(postfix) = Postfix::start() else {
        return;
    };
    let home = postfix.folder.path();
    let (_, alert, files) = letters().remove(0);
    let try_it = |settings: &CourierSettings, change: Change<'_>| {
        let mut notice = alert.clone();
        change(&mut notice);
        let files = files.clone();
        let parcel = Parcel {
            notice: &notice,
            files,
        };
        let outcome = send(settings, home, parcel);
        let address = notice.address;
        assert!(!format!("{outcome:?}").contains(&address), "{outcome:?}");
        outcome
    };
    let plain = relay(MailSecurity::None, postfix.plain, None);
    let starttls = relay(MailSecurity::Starttls, postfix.starttls, Some("etc/ca.pem"));
    let tls = relay(MailSecurity::Tls, postfix.tls, Some("etc/ca.pem"));

    for settings in [&plain, &starttls, &tls] {
        let outcome = try_it(settings, &|_| ());
        let Outcome::Accepted { answer } = &outcome else {
            panic!("{outcome:?}");
        };
        assert!(
            answer.starts_with("250 ") && answer.contains("queued as"),
            "{answer}"
        );
    }
    // Plain ASCII goes without base64, so its dots are on the wire.
    let dots = |notice: &mut Notice| notice.text = "one\n.\n..two\n".to_owned();
    assert_eq!(kind(&try_it(&tls, &dots)), "accepted");
    let mut dotted = alert.clone();
    dots(&mut dotted);
    // What arrived is what a dry run shows, below what the server put on top.
    let bytes = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
    let arrived = postfix.delivered(4);
    for (notice, count) in [(&alert, 3), (&dotted, 1)] {
        let wanted = String::from_utf8(dry_run(notice, &files)).expect("ASCII");
        let same = arrived
            .iter()
            .filter(|mail| bytes(mail).ends_with(&bytes(&wanted)));
        assert_eq!(same.count(), count, "{arrived:#?}");
    }

    let stranger = relay(MailSecurity::Tls, postfix.tls, Some("etc/other.pem"));
    let unpinned = relay(MailSecurity::Tls, postfix.tls, None);
    let unencrypted = relay(MailSecurity::None, postfix.starttls, None);
    let wrong_way = relay(MailSecurity::Starttls, postfix.plain, Some("etc/other.pem"));
    let large = "长".repeat(400_000);
    let nobody = |notice: &mut Notice| notice.address = "nobody-here@county.example".to_owned();
    let elsewhere = |notice: &mut Notice| notice.address = "clerk@elsewhere.example".to_owned();
    let too_large = |notice: &mut Notice| notice.text.clone_from(&large);
    let cases: [(&CourierSettings, Change<'_>, &str); 7] = [
        (&plain, &nobody, "YB-6108"),
        (&plain, &elsewhere, "YB-6108"),
        (&plain, &too_large, "YB-6108"),
        (&stranger, &|_| (), "YB-6103"),
        (&unpinned, &|_| (), "YB-6103"),
        (&unencrypted, &|_| (), "YB-6105"),
        (&wrong_way, &|_| (), "YB-6103"),
    ];
    for (number, (settings, change, code)) in cases.into_iter().enumerate() {
        let outcome = try_it(settings, change);
        assert_eq!(kind(&outcome), code, "case {number}: {outcome:?}");
    }
    assert_eq!(postfix.delivered(4).len(), 4, "nothing else arrived");
}
