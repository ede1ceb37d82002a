//! Texts against a small gateway on this machine.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::*;
use crate::courier::settings::{SmsBody, SmsSettings};

/// Content type, token header and body of each request.
type Heard = Arc<Mutex<Vec<(String, String, String)>>>;

/// What a case makes of a good description.
type Change = fn(&mut SmsSettings);

/// How the gateway behaves.
#[derive(Clone, Copy)]
enum Manner {
    Answers(u16, &'static [u8]),
    Redirects,
    Floods,
    Silent,
}

fn gateway(runtime: &Runtime, manner: Manner) -> (u16, Heard) {
    let heard = Heard::default();
    let kept = Arc::clone(&heard);
    let serve = move |headers: HeaderMap, body: Bytes| {
        let kept = Arc::clone(&kept);
        async move {
            let of = |name: &str| {
                headers
                    .get(name)
                    .and_then(|value| value.to_str().ok())
                    .unwrap_or_default()
                    .to_owned()
            };
            kept.lock().expect("list").push((
                of("content-type"),
                of("x-token"),
                String::from_utf8_lossy(&body).into_owned(),
            ));
            match manner {
                Manner::Answers(status, body) => {
                    (StatusCode::from_u16(status).expect("status"), body).into_response()
                }
                Manner::Redirects => (
                    StatusCode::TEMPORARY_REDIRECT,
                    [(header::LOCATION, "/other")],
                )
                    .into_response(),
                Manner::Floods => vec![b' '; 1024 * 1024].into_response(),
                Manner::Silent => {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    Response::default()
                }
            }
        }
    };
    let listener = runtime
        .block_on(TcpListener::bind("127.0.0.1:0"))
        .expect("port");
    let port = listener.local_addr().expect("address").port();
    let router = Router::new()
        .route("/send", post(serve.clone()))
        .route("/other", post(serve));
    runtime.spawn(async move { axum::serve(listener, router).await });
    (port, heard)
}

fn described(port: u16, body: SmsBody) -> SmsSettings {
    SmsSettings {
        url: format!("http://127.0.0.1:{port}/send"),
        body,
        fields: BTreeMap::from(
            [
                ("mobile", "{{ phone }}"),
                ("content", "{{ text }}"),
                ("ref", "{{ key }}"),
            ]
            .map(|(name, template)| (name.to_owned(), template.to_owned())),
        ),
        headers: BTreeMap::from([("X-Token".to_owned(), "Bearer {{ secret }}".to_owned())]),
        secret_file: Some("secret".into()),
        code: "/result/code".to_owned(),
        success: "0".to_owned(),
        number: Some("/result/id".to_owned()),
        retry: vec!["BUSY".to_owned(), "17".to_owned()],
        ca_file: None,
        signature: "南阳社保".to_owned(),
        timeout_s: 1,
    }
}

fn couriers(runtime: &Runtime, sms: SmsSettings) -> (tempfile::TempDir, Result<Couriers, Trouble>) {
    let home = tempfile::tempdir().expect("folder");
    let secret = home.path().join("secret");
    std::fs::write(&secret, "tea-and-rice\n").expect("file");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).expect("mode");
    let settings = CourierSettings {
        mode: CourierMode::Live,
        smtp: Some(relay()),
        sms: Some(sms),
    };
    let made = Couriers::build(
        &settings,
        "yingbao@centre.example",
        false,
        home.path(),
        home.path(),
        runtime.handle(),
    );
    (home, made)
}

fn send(runtime: &Runtime, sms: SmsSettings, phone: &str, text: &str) -> Outcome {
    let (_home, couriers) = couriers(runtime, sms);
    let mut letter = notice(Channel::Sms, "k/1", phone);
    letter.text = text.to_owned();
    let parcel = parcel(&mut letter, &[]);
    couriers
        .expect("couriers")
        .for_channel(Channel::Sms)
        .expect("courier")
        .send(&[parcel])
        .remove(0)
}

#[test]
fn each_answer_has_its_outcome() {
    let cases: &[(Manner, &str)] = &[
        (
            Manner::Answers(200, br#"{"result":{"code":0,"id":"M1"}}"#),
            "accepted",
        ),
        (
            Manner::Answers(200, br#"{"result":{"code":"0"}}"#),
            "accepted",
        ),
        (
            // The message is GBK, as older gateways write.
            Manner::Answers(
                200,
                b"{\"result\":{\"code\":\"0\"},\"m\":\"\xb3\xc9\xb9\xa6\"}",
            ),
            "accepted",
        ),
        (
            Manner::Answers(200, br#"{"result":{"code":"BUSY"}}"#),
            "retry YB-6204",
        ),
        (
            Manner::Answers(503, br#"{"result":{"code":17}}"#),
            "retry YB-6204",
        ),
        (
            Manner::Answers(400, br#"{"result":{"code":17}}"#),
            "retry YB-6204",
        ),
        (
            Manner::Answers(200, br#"{"result":{"code":"13000000001 tea-and-rice"}}"#),
            "failed YB-6205",
        ),
        (
            Manner::Answers(500, br#"{"result":{"code":"BAD"}}"#),
            "failed YB-6205",
        ),
        (
            Manner::Answers(500, br#"{"result":{"code":"0"}}"#),
            "unknown YB-6206",
        ),
        (Manner::Answers(200, b"<html>ok</html>"), "unknown YB-6206"),
        (Manner::Answers(200, br#"{"result":{}}"#), "unknown YB-6206"),
        (
            Manner::Answers(200, br#"{"result":{"code":null}}"#),
            "unknown YB-6206",
        ),
        (
            Manner::Answers(502, b"<html>bad gateway</html>"),
            "unknown YB-6206",
        ),
        (Manner::Answers(408, b""), "unknown YB-6206"),
        (Manner::Answers(400, b"bad"), "failed YB-6208"),
        (
            Manner::Answers(429, br#"{"result":{"code":"0"}}"#),
            "retry YB-6209",
        ),
        (Manner::Answers(401, b""), "retry YB-6210"),
        (Manner::Answers(404, b""), "retry YB-6210"),
        (Manner::Redirects, "unknown YB-6206"),
        (Manner::Floods, "unknown YB-6206"),
        (Manner::Silent, "unknown YB-6207"),
    ];
    let runtime = runtime();
    for (manner, wanted) in cases {
        let (port, heard) = gateway(&runtime, *manner);
        let outcome = send(
            &runtime,
            described(port, SmsBody::Json),
            "13000000001",
            "您好",
        );
        let said = answer(&outcome);
        assert_eq!(class(&outcome), *wanted, "{said}");
        assert_eq!(
            heard.lock().expect("list").len(),
            1,
            "one request, whatever came"
        );
        assert!(
            !said.contains("13000000001") && !said.contains("tea-and-rice"),
            "{said}"
        );
    }
}

#[test]
fn what_goes_out_is_what_is_described() {
    let runtime = runtime();
    let (port, heard) = gateway(
        &runtime,
        Manner::Answers(200, br#"{"result":{"code":0,"id":"M1"}}"#),
    );
    let outcome = send(
        &runtime,
        described(port, SmsBody::Json),
        "13000000001",
        "您好 & \"再见\"",
    );
    assert_eq!(answer(&outcome), "0 M1");
    send(
        &runtime,
        described(port, SmsBody::Form),
        "13000000001",
        "a&b=c",
    );
    let heard = heard.lock().expect("list");
    assert_eq!(heard[0].0, "application/json");
    assert_eq!(heard[0].1, "Bearer tea-and-rice");
    let body: serde_json::Value = serde_json::from_str(&heard[0].2).expect("JSON");
    assert_eq!(
        body,
        serde_json::json!({
            "mobile": "13000000001",
            "content": "【南阳社保】您好 & \"再见\"",
            "ref": "k/1",
        })
    );
    assert_eq!(heard[1].0, "application/x-www-form-urlencoded");
    assert_eq!(
        heard[1].2,
        "content=%E3%80%90%E5%8D%97%E9%98%B3%E7%A4%BE%E4%BF%9D%E3%80%91a%26b%3Dc&mobile=13000000001&ref=k%2F1"
    );
}

#[test]
fn what_cannot_go_is_not_asked_of_the_gateway() {
    let runtime = runtime();
    let (port, heard) = gateway(&runtime, Manner::Answers(200, b"{}"));
    for (phone, text, wanted) in [
        ("0377-00000000", "您好", "failed YB-6202"),
        ("", "您好", "failed YB-6202"),
        ("13000000001", "【甲】您好", "failed YB-6201"),
        ("13000000001", "一\n二", "failed YB-6201"),
    ] {
        let outcome = send(&runtime, described(port, SmsBody::Json), phone, text);
        assert_eq!(class(&outcome), wanted);
    }
    assert!(heard.lock().expect("list").is_empty());
}

#[test]
fn broken_connections() {
    let runtime = runtime();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let port = closed.local_addr().expect("address").port();
    drop(closed);
    let outcome = send(
        &runtime,
        described(port, SmsBody::Json),
        "13000000001",
        "您好",
    );
    assert_eq!(class(&outcome), "retry YB-6203", "{}", answer(&outcome));

    // Takes the request and hangs up without a word, or in the middle of the answer.
    for said in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{\"result\"",
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
        let port = listener.local_addr().expect("address").port();
        let taken = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("connection");
            let mut heard = [0; 4096];
            let count = std::io::Read::read(&mut stream, &mut heard).expect("request");
            std::io::Write::write_all(&mut stream, said.as_bytes()).expect("answer");
            count
        });
        let outcome = send(
            &runtime,
            described(port, SmsBody::Json),
            "13000000001",
            "您好",
        );
        assert!(
            class(&outcome).starts_with("unknown"),
            "{}",
            answer(&outcome)
        );
        assert!(taken.join().expect("server") > 0);
    }
}

#[test]
fn a_description_that_cannot_work_is_refused_at_the_start() {
    let runtime = runtime();
    let cases: &[(Change, &str)] = &[
        (
            |s| s.url = "sms.example/send".to_owned(),
            "couriers.sms.url",
        ),
        (
            |s| s.url = "https://u:p@sms.example/".to_owned(),
            "couriers.sms.url",
        ),
        (
            |s| {
                s.fields.insert("x".to_owned(), "{{ phnoe }}".to_owned());
            },
            "couriers.sms.fields.x",
        ),
        (
            |s| {
                s.fields.insert("x".to_owned(), "{{ phone".to_owned());
            },
            "couriers.sms.fields.x",
        ),
        (
            |s| {
                s.fields.remove("mobile");
            },
            "couriers.sms.fields",
        ),
        (|s| s.secret_file = None, "couriers.sms.headers.X-Token"),
        (
            |s| {
                s.headers.insert("no good".to_owned(), "1".to_owned());
            },
            "couriers.sms.headers.no good",
        ),
        (|s| s.code = "code".to_owned(), "couriers.sms.code"),
        (|s| s.retry.push("0".to_owned()), "couriers.sms.retry"),
        (
            |s| s.signature = "【南阳社保】".to_owned(),
            "couriers.sms.signature",
        ),
        (|s| s.timeout_s = 0, "couriers.sms.timeout_s"),
        (|s| s.secret_file = Some("nowhere".into()), "YB-2024"),
    ];
    for (change, part) in cases {
        let mut sms = described(9, SmsBody::Json);
        change(&mut sms);
        let refused = couriers(&runtime, sms)
            .1
            .err()
            .expect("refused")
            .to_string();
        assert!(refused.contains(part), "{part}: {refused}");
        assert!(!refused.contains("tea-and-rice"));
    }
}

#[test]
fn what_deserves_a_warning() {
    let cautions = |change: &dyn Fn(&mut CourierSettings)| {
        let mut settings = CourierSettings {
            mode: CourierMode::Live,
            smtp: Some(relay()),
            sms: Some(described(9, SmsBody::Form)),
        };
        change(&mut settings);
        assert_eq!(settings.complaints(), []);
        let keys = settings.cautions().into_iter().map(|(key, _)| key);
        keys.collect::<Vec<_>>()
    };
    assert_eq!(cautions(&|_| ()), [""; 0]);
    assert_eq!(cautions(&|settings| settings.sms = None), ["couriers.sms"]);
    assert_eq!(
        cautions(&|settings| {
            if let (Some(smtp), Some(sms)) = (&mut settings.smtp, &mut settings.sms) {
                smtp.host = "relay.example".to_owned();
                sms.url = "http://sms.example/send".to_owned();
            }
        }),
        ["couriers.smtp.security", "couriers.sms.url"]
    );
}
