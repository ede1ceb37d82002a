//! A server of ours inside the test that asks for the password in every way servers do, and writes down what it was told.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Response, Session, run_stream};
use russh::{Channel, ChannelId, ChannelStream, MethodKind, MethodSet};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::hosts::Bench;

const PASSWORD: &str = "tea-and-rice";

const FILES: &str = "sftp]\nendpoint = \"e\"\npath = \"shown\"\npattern = \"*.csv\"";

/// What is asked in one round, and whether the answer is seen while it is typed.
type Round = Vec<(&'static str, bool)>;

/// How a server wants to be convinced.
#[derive(Clone, Default)]
struct Manner {
    /// Takes the password as such.
    plain: bool,
    /// Takes it in a conversation of these rounds.
    rounds: Vec<Round>,
    /// Says no after the last round, whatever was answered.
    refuses: bool,
}

/// One connection.
struct Asked {
    manner: Manner,
    round: usize,
    heard: Arc<Mutex<Vec<String>>>,
    channel: Option<Channel<Msg>>,
}

impl Asked {
    fn no(&self) -> Auth {
        let mut methods = MethodSet::empty();
        if self.manner.plain {
            methods.push(MethodKind::Password);
        }
        if !self.manner.rounds.is_empty() {
            methods.push(MethodKind::KeyboardInteractive);
        }
        Auth::Reject {
            proceed_with_methods: Some(methods),
            partial_success: false,
        }
    }
}

impl Handler for Asked {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        assert_eq!(user, "social");
        if self.manner.plain {
            let heard = format!("password {password}");
            self.heard.lock().expect("a list").push(heard);
            if password == PASSWORD {
                return Ok(Auth::Accept);
            }
        }
        Ok(self.no())
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        assert_eq!(user, "social");
        if let Some(response) = response {
            let words: Vec<_> = response
                .map(|word| String::from_utf8_lossy(&word).into_owned())
                .collect();
            let wanted: Vec<_> = self.manner.rounds[self.round]
                .iter()
                .map(|_| PASSWORD)
                .collect();
            let is_right = words == wanted;
            let heard = format!("answers {}", words.join("|"));
            self.heard.lock().expect("a list").push(heard);
            self.round += 1;
            if !is_right {
                return Ok(self.no());
            }
        }
        Ok(match self.manner.rounds.get(self.round) {
            Some(round) => Auth::Partial {
                name: Cow::Borrowed(""),
                instructions: Cow::Borrowed(""),
                prompts: round
                    .iter()
                    .map(|(prompt, echo)| (Cow::Borrowed(*prompt), *echo))
                    .collect(),
            },
            None if self.manner.refuses => self.no(),
            None => Auth::Accept,
        })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channel = Some(channel);
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        if let Some(channel) = self.channel.take() {
            tokio::spawn(empty_folder(channel.into_stream()));
        }
        Ok(())
    }
}

/// As much of SFTP as an empty folder needs.
async fn empty_folder(mut stream: ChannelStream<Msg>) {
    while let Ok(length) = stream.read_u32().await {
        let mut packet = vec![0; length as usize];
        if stream.read_exact(&mut packet).await.is_err() {
            return;
        }
        let id = packet.get(1..5).unwrap_or_default();
        let status = |code: u8| [&[101], id, &[0, 0, 0, code], &[0; 8]].concat();
        let answer = match packet[0] {
            1 => vec![2, 0, 0, 0, 3],
            11 => [&[102], id, &[0, 0, 0, 1, b'h']].concat(),
            12 => status(1),
            _ => status(0),
        };
        let length = u32::try_from(answer.len()).expect("short");
        let framed = [&length.to_be_bytes()[..], &answer].concat();
        if stream.write_all(&framed).await.is_err() {
            return;
        }
    }
}

/// Where it listens, its key, and what it heard.
struct Desk {
    bench: Bench,
    endpoint: String,
    heard: Arc<Mutex<Vec<String>>>,
}

fn desk(manner: &Manner, password: &str) -> Desk {
    let bench = Bench::new();
    let keypair = Ed25519Keypair::from_seed(&[7; 32]);
    let key = PrivateKey::new(KeypairData::from(keypair), "").expect("a key");
    let public = key.public_key().to_openssh().expect("a line");
    let config = Arc::new(Config {
        keys: vec![key],
        auth_rejection_time: Duration::ZERO,
        ..Config::default()
    });
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = bench
        .runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .expect("port");
    let port = listener.local_addr().expect("address").port();
    let (manner, written) = (manner.clone(), Arc::clone(&heard));
    bench.runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let asked = Asked {
                manner: manner.clone(),
                round: 0,
                heard: Arc::clone(&written),
                channel: None,
            };
            let config = Arc::clone(&config);
            tokio::spawn(async move {
                if let Ok(session) = run_stream(config, stream, asked).await {
                    let _ = session.await;
                }
            });
        }
    });
    bench.secret("etc/password", password);
    let endpoint = format!(
        "[sftp]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"social\"\nhost_key = \"{public}\"\n\
         password_file = \"etc/password\"\n"
    );
    Desk {
        bench,
        endpoint,
        heard,
    }
}

#[test]
fn a_password_opens_a_server_in_each_way_it_may_be_asked_for() {
    let hidden = |prompt| vec![(prompt, false)];
    let talks = |rounds: &[Round]| Manner {
        rounds: rounds.to_vec(),
        ..Manner::default()
    };
    let plain = Manner {
        plain: true,
        ..Manner::default()
    };
    // How the server asks, what is in the file, what it may hear, whether it opens.
    let cases: Vec<(Manner, &str, &[&str], bool)> = vec![
        (
            plain.clone(),
            "tea-and-rice\n",
            &["password tea-and-rice"],
            true,
        ),
        (plain, "coffee\n", &["password coffee"], false),
        (
            talks(&[hidden("Password: ")]),
            "tea-and-rice\n",
            &["answers tea-and-rice"],
            true,
        ),
        // A last round without a question, as PAM has it, and one before the question.
        (
            talks(&[vec![], hidden("口令："), vec![]]),
            "tea-and-rice\n",
            &["answers ", "answers tea-and-rice", "answers "],
            true,
        ),
        (
            talks(&[hidden("Password: ")]),
            "coffee\n",
            &["answers coffee"],
            false,
        ),
        (
            Manner {
                refuses: true,
                ..talks(&[hidden("Password: ")])
            },
            "tea-and-rice\n",
            &["answers tea-and-rice"],
            false,
        ),
        // The plain way is refused first; the conversation opens.
        (
            Manner {
                plain: true,
                ..talks(&[hidden("Password: ")])
            },
            "tea-and-rice\n",
            &["password tea-and-rice"],
            true,
        ),
        // What may be seen is no password; two questions want more than one; a second question wants another word: a code
        // from a telephone, a new password.
        (
            talks(&[vec![("Token: ", true)]]),
            "tea-and-rice\n",
            &[],
            false,
        ),
        (
            talks(&[vec![("Password: ", false), ("Code: ", false)]]),
            "tea-and-rice\n",
            &[],
            false,
        ),
        (
            talks(&[hidden("Password: "), hidden("New password: ")]),
            "tea-and-rice\n",
            &["answers tea-and-rice"],
            false,
        ),
        // It never ends asking.
        (
            talks(&vec![vec![]; 50]),
            "tea-and-rice\n",
            &["answers ", "answers ", "answers ", "answers "],
            false,
        ),
    ];
    for (number, (manner, password, wanted, opens)) in cases.into_iter().enumerate() {
        let desk = desk(&manner, password);
        let unfetched = desk.bench.fetch(&desk.endpoint, FILES).unwrap_err();
        assert_eq!(unfetched.not_yet, opens, "{number}: {unfetched}");
        if !opens {
            assert_eq!(unfetched.code, "YB-2414", "{number}: {unfetched}");
        }
        assert!(!unfetched.text.contains(password.trim()), "{unfetched}");
        let heard = desk.heard.lock().expect("a list");
        assert_eq!(*heard, wanted, "{number}");
    }
}
