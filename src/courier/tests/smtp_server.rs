//! Mail against a server that answers by a script.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;

/// What the server answers to each step; `cut` closes the connection, `silent` answers nothing.
#[derive(Clone, Copy)]
struct Script {
    greeting: &'static str,
    hello: &'static str,
    auth: &'static str,
    sender: &'static str,
    recipient: &'static str,
    data: &'static str,
    content: &'static str,
}

const KIND: Script = Script {
    greeting: "220 relay.example ready",
    hello: "250-relay.example\r\n250 AUTH PLAIN LOGIN",
    auth: "235 2.7.0 welcome",
    sender: "250 2.1.0 ok",
    recipient: "250 2.1.5 ok",
    data: "354 go on",
    content: "250 2.0.0 queued as 4F1",
};

/// What a case makes of a kind server.
type Change = fn(&mut Script);

/// Puts a reply in one place of a script.
type SetReply = fn(&mut Script, &'static str);

/// What came in, connection after connection.
type Heard = Arc<Mutex<Vec<String>>>;

fn serve(script: Script) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let port = listener.local_addr().expect("address").port();
    let heard = Heard::default();
    let kept = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            // A script that cuts ends its connection with an error; the next one starts anew.
            let _ = talk(stream, script, &kept);
        }
    });
    (port, heard)
}

/// Answers, or ends the talk.
fn say(stream: &mut TcpStream, words: &str) -> std::io::Result<()> {
    match words {
        "cut" => Err(std::io::ErrorKind::ConnectionAborted.into()),
        "silent" => {
            // Waits until the other side gives up.
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            let _ = std::io::Read::read(stream, &mut [0]);
            Err(std::io::ErrorKind::TimedOut.into())
        }
        _ => write!(stream, "{words}\r\n"),
    }
}

fn talk(mut stream: TcpStream, script: Script, heard: &Heard) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let note = |line: &str| heard.lock().expect("list").push(line.trim_end().to_owned());
    note("connected");
    say(&mut stream, script.greeting)?;
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        note(&line);
        let word = line.split([' ', '\r']).next().unwrap_or_default();
        match word {
            "EHLO" => say(&mut stream, script.hello)?,
            "AUTH" => say(&mut stream, script.auth)?,
            "MAIL" => say(&mut stream, script.sender)?,
            "RCPT" => say(&mut stream, script.recipient)?,
            "DATA" => {
                say(&mut stream, script.data)?;
                if !script.data.starts_with("354") {
                    continue;
                }
                loop {
                    line.clear();
                    if lines.read_line(&mut line)? == 0 {
                        return Ok(());
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    note(&line);
                }
                say(&mut stream, script.content)?;
            }
            _ => {
                say(&mut stream, "221 2.0.0 bye")?;
                return Ok(());
            }
        }
    }
}

/// The outcomes of one slice of so many mails.
fn outcomes(script: Script, account: bool, count: usize) -> (Vec<Outcome>, Vec<String>) {
    let (port, heard) = serve(script);
    let home = tempfile::tempdir().expect("folder");
    let secret = home.path().join("secret");
    std::fs::write(&secret, "tea-and-rice\n").expect("file");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).expect("mode");
    let settings = CourierSettings {
        mode: CourierMode::Live,
        smtp: Some(SmtpSettings {
            port: Some(port),
            user: account.then(|| "yingbao".to_owned()),
            password_file: account.then(|| "secret".into()),
            timeout_s: 1,
            ..relay()
        }),
        sms: None,
    };
    let runtime = runtime();
    let couriers = Couriers::build(
        &settings,
        "yingbao@centre.example",
        false,
        home.path(),
        home.path(),
        runtime.handle(),
    )
    .expect("couriers");
    let mut letter = notice(Channel::Email, "k/1", "officer@county.example");
    let parcels = vec![parcel(&mut letter, &[("list.txt", b"one\n")]); count];
    let outcomes = couriers
        .for_channel(Channel::Email)
        .expect("courier")
        .send(&parcels);
    let heard = heard.lock().expect("list").clone();
    (outcomes, heard)
}

fn check(script: Script, wanted: &str) {
    let (outcomes, _) = outcomes(script, true, 1);
    let found = class(&outcomes[0]);
    assert_eq!(found, wanted, "{}", answer(&outcomes[0]));
    let said = answer(&outcomes[0]);
    for hidden in ["officer", "tea-and-rice", "AHlpbmdiYW8"] {
        assert!(!said.contains(hidden), "{said}");
    }
    if found != "accepted" {
        assert!(said.contains("处理："), "{said}");
    }
}

#[test]
fn each_reply_has_its_outcome() {
    check(KIND, "accepted");
    let cases: &[(SetReply, &'static str, &str)] = &[
        (
            |s, r| s.greeting = r,
            "554 5.3.2 not today",
            "retry YB-6104",
        ),
        (|s, r| s.greeting = r, "421 4.3.2 too many", "retry YB-6107"),
        (|s, r| s.greeting = r, "SSH-2.0-other", "retry YB-6102"),
        (|s, r| s.greeting = r, "cut", "retry YB-6102"),
        (|s, r| s.hello = r, "250 relay.example", "retry YB-6105"),
        (|s, r| s.hello = r, "502 5.5.1 what", "retry YB-6104"),
        (
            |s, r| s.auth = r,
            "535 5.7.8 tea-and-rice is wrong",
            "retry YB-6105",
        ),
        (|s, r| s.auth = r, "454 4.7.0 busy", "retry YB-6105"),
        (|s, r| s.auth = r, "cut", "retry YB-6104"),
        (
            |s, r| s.sender = r,
            "553 5.7.1 not your name",
            "retry YB-6106",
        ),
        (|s, r| s.sender = r, "530 5.7.0 sign in", "retry YB-6105"),
        (|s, r| s.sender = r, "452 4.3.1 disk full", "retry YB-6107"),
        (
            |s, r| s.recipient = r,
            "550 5.1.1 <officer@county.example> unknown",
            "failed YB-6108",
        ),
        (
            |s, r| s.recipient = r,
            "451 4.7.1 greylisted officer",
            "retry YB-6107",
        ),
        (|s, r| s.recipient = r, "354 odd", "retry YB-6104"),
        (|s, r| s.recipient = r, "cut", "retry YB-6104"),
        (|s, r| s.data = r, "451 4.3.0 later", "retry YB-6107"),
        (|s, r| s.data = r, "554 5.5.1 no", "failed YB-6108"),
        (|s, r| s.data = r, "250 odd", "retry YB-6104"),
        (|s, r| s.data = r, "cut", "retry YB-6104"),
        (|s, r| s.content = r, "554 5.7.1 refused", "failed YB-6108"),
        (|s, r| s.content = r, "451 4.3.0 later", "retry YB-6107"),
        (|s, r| s.content = r, "354 odd", "unknown YB-6109"),
        (|s, r| s.content = r, "cut", "unknown YB-6109"),
        (|s, r| s.content = r, "not smtp at all", "unknown YB-6109"),
    ];
    for (set, reply, wanted) in cases {
        let mut script = KIND;
        set(&mut script, reply);
        check(script, wanted);
    }
}

#[test]
fn silence_means_unsent_before_the_message_and_unknown_after() {
    let cases: &[(Change, &str)] = &[
        (|s| s.greeting = "silent", "retry YB-6102"),
        (|s| s.recipient = "silent", "retry YB-6104"),
        (|s| s.data = "silent", "retry YB-6104"),
        (|s| s.content = "silent", "unknown YB-6110"),
    ];
    for (set, wanted) in cases {
        let mut script = KIND;
        set(&mut script);
        check(script, wanted);
    }
}

#[test]
fn nobody_there_is_a_retry() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        listener.local_addr().expect("address").port()
    };
    let folder = tempfile::tempdir().expect("folder");
    let settings = CourierSettings {
        mode: CourierMode::Live,
        smtp: Some(SmtpSettings {
            port: Some(port),
            ..relay()
        }),
        sms: None,
    };
    let runtime = runtime();
    let couriers = Couriers::build(
        &settings,
        "yingbao@centre.example",
        false,
        folder.path(),
        folder.path(),
        runtime.handle(),
    )
    .expect("couriers");
    let mut letter = notice(Channel::Email, "k/1", "officer@county.example");
    let parcel = parcel(&mut letter, &[]);
    let outcomes = couriers
        .for_channel(Channel::Email)
        .expect("courier")
        .send(&[parcel]);
    assert_eq!(class(&outcomes[0]), "retry YB-6102");
}

#[test]
fn each_mail_has_its_own_connection_and_says_good_bye() {
    let (outcomes, heard) = outcomes(KIND, false, 3);
    assert!(outcomes.iter().all(|outcome| class(outcome) == "accepted"));
    assert_eq!(answer(&outcomes[0]), "250 2.0.0 queued as 4F1");
    for word in ["connected", "RCPT TO:<officer@county.example>", "QUIT"] {
        let count = heard.iter().filter(|line| *line == word).count();
        assert_eq!(count, 3, "{word}");
    }
    assert!(!heard.iter().any(|line| line.starts_with("AUTH")));
}

#[test]
fn a_refused_mail_does_not_stop_the_next_but_a_refused_password_does() {
    let mut full = KIND;
    full.recipient = "550 5.1.1 unknown";
    let (found, heard) = outcomes(full, false, 2);
    assert!(
        found
            .iter()
            .all(|outcome| class(outcome) == "failed YB-6108")
    );
    assert_eq!(heard.iter().filter(|line| *line == "connected").count(), 2);

    let mut locked = KIND;
    locked.auth = "535 5.7.8 no";
    let (found, heard) = outcomes(locked, true, 3);
    assert!(found.iter().all(stops_channel));
    assert_eq!(heard.iter().filter(|line| *line == "connected").count(), 1);
}

#[test]
fn a_relay_without_starttls_gets_nothing() {
    let (port, heard) = serve(KIND);
    let folder = tempfile::tempdir().expect("folder");
    for (security, wanted) in [
        (MailSecurity::Starttls, "retry YB-6103"),
        (MailSecurity::Tls, "retry YB-6103"),
    ] {
        let settings = CourierSettings {
            mode: CourierMode::Live,
            smtp: Some(SmtpSettings {
                port: Some(port),
                security,
                ..relay()
            }),
            sms: None,
        };
        let runtime = runtime();
        let couriers = Couriers::build(
            &settings,
            "yingbao@centre.example",
            false,
            folder.path(),
            folder.path(),
            runtime.handle(),
        )
        .expect("couriers");
        let mut letter = notice(Channel::Email, "k/1", "officer@county.example");
        let parcel = parcel(&mut letter, &[]);
        let outcomes = couriers
            .for_channel(Channel::Email)
            .expect("courier")
            .send(&[parcel]);
        assert_eq!(class(&outcomes[0]), wanted, "{}", answer(&outcomes[0]));
    }
    let heard = heard.lock().expect("list");
    assert!(!heard.iter().any(|line| line.starts_with("MAIL")));
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_dialogue_reaches_no_log_whatever_is_asked_for() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!("before");
        check(KIND, "accepted");
    });
    let log = String::from_utf8(log.0.lock().expect("log").clone()).expect("text");
    assert!(log.contains("before"));
    for hidden in ["officer@", "AUTH", "AHlpbmdiYW8", "Subject"] {
        assert!(!log.contains(hidden), "{log}");
    }
}
