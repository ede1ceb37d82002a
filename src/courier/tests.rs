//! The couriers against files, scripted servers and a small gateway, all on this machine.

use std::path::Path;

use jiff::civil::date;
use tokio::runtime::Runtime;

use super::*;
use crate::courier::settings::{CourierMode, MailSecurity, SmtpSettings};
use crate::domain::notice::{Attachment, NoticeState, Purpose, Recipient};

mod sms_gateway;
mod smtp_server;

pub(super) fn notice(channel: Channel, key: &str, address: &str) -> Notice {
    Notice {
        key: key.to_owned(),
        purpose: Purpose::CountyAlert,
        recipient: Recipient::County {
            unit: "411302".to_owned(),
        },
        channel,
        cases: Vec::new(),
        unit: "411302".to_owned(),
        address: address.to_owned(),
        subject: "待核实清单".to_owned(),
        text: "您好，请登录系统核实。".to_owned(),
        attachments: Vec::new(),
        decided: "2026-03-02T00:30:00Z".parse().expect("instant"),
        day: date(2026, 3, 2),
        state: NoticeState::Queued,
        attempts: 0,
        answer: None,
    }
}

/// The notice with these files, which it is made to speak of.
pub(super) fn parcel<'a>(notice: &'a mut Notice, files: &[(&str, &[u8])]) -> Parcel<'a> {
    notice.attachments = files
        .iter()
        .map(|(name, bytes)| Attachment {
            name: (*name).to_owned(),
            digest: blake3::hash(bytes).to_hex().to_string(),
        })
        .collect();
    Parcel {
        notice,
        files: files
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()))
            .collect(),
    }
}

/// Names and bytes.
type Files<'a> = &'a [(&'a str, &'a [u8])];

pub(super) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("runtime")
}

/// `accepted`, `dry_run`, or kind and code.
pub(super) fn class(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted { .. } => "accepted".to_owned(),
        Outcome::DryRun { .. } => "dry_run".to_owned(),
        Outcome::Retry { code, .. } => format!("retry {code}"),
        Outcome::Unknown { code, .. } => format!("unknown {code}"),
        Outcome::Failed { code, .. } => format!("failed {code}"),
    }
}

pub(super) fn answer(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Accepted { answer }
        | Outcome::DryRun { answer }
        | Outcome::Retry { answer, .. }
        | Outcome::Unknown { answer, .. }
        | Outcome::Failed { answer, .. } => answer,
    }
}

fn relay() -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port: Some(2525),
        security: MailSecurity::None,
        user: None,
        password_file: None,
        ca_file: None,
        timeout_s: 5,
    }
}

fn made(settings: &CourierSettings, demo: bool, folder: &Path) -> Result<Couriers, Trouble> {
    Couriers::build(
        settings,
        "yingbao@centre.example",
        demo,
        folder,
        folder,
        runtime().handle(),
    )
}

#[test]
fn a_demo_home_has_no_live_courier() {
    let folder = tempfile::tempdir().expect("folder");
    let live = CourierSettings {
        mode: CourierMode::Live,
        smtp: Some(relay()),
        sms: None,
    };
    let refused = made(&live, true, folder.path()).err().expect("refused");
    assert_eq!(refused.code, "YB-6001", "{refused}");
    assert!(made(&live, false, folder.path()).expect("couriers").live());
    let dry = made(&CourierSettings::default(), true, folder.path()).expect("couriers");
    assert!(!dry.live());
}

#[test]
fn live_without_what_it_needs_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let with = |change: &dyn Fn(&mut SmtpSettings)| {
        let mut smtp = relay();
        change(&mut smtp);
        CourierSettings {
            mode: CourierMode::Live,
            smtp: Some(smtp),
            sms: None,
        }
    };
    let mut none = with(&|_| ());
    none.smtp = None;
    let cases = [
        (none, "YB-6002"),
        (with(&|smtp| smtp.host = "https://x".to_owned()), "YB-6005"),
        (with(&|smtp| smtp.user = Some("u".to_owned())), "YB-6005"),
        (with(&|smtp| smtp.timeout_s = 0), "YB-6005"),
        (
            with(&|smtp| {
                smtp.user = Some("u".to_owned());
                smtp.password_file = Some("nowhere".into());
            }),
            "YB-2024",
        ),
        (
            with(&|smtp| {
                smtp.security = MailSecurity::Tls;
                smtp.ca_file = Some("nowhere".into());
            }),
            "YB-2022",
        ),
    ];
    for (settings, code) in cases {
        let refused = made(&settings, false, folder.path())
            .err()
            .expect("refused");
        assert_eq!(refused.code, code, "{refused}");
        assert!(refused.text.contains("处理："), "{refused}");
    }
}

#[test]
fn every_channel_has_its_way() {
    let folder = tempfile::tempdir().expect("folder");
    let dry = made(&CourierSettings::default(), true, folder.path()).expect("couriers");
    let live = CourierSettings {
        mode: CourierMode::Live,
        smtp: Some(relay()),
        sms: None,
    };
    let live = made(&live, false, folder.path()).expect("couriers");
    for channel in [
        Channel::Letter,
        Channel::CallList,
        Channel::Sms,
        Channel::Email,
    ] {
        assert!(dry.for_channel(channel).is_some());
        assert_eq!(live.for_channel(channel).is_some(), channel != Channel::Sms);
    }
}

/// What each dry channel answers and writes, twice with the same end.
#[test]
fn dry_run_writes_what_would_have_gone() {
    let folder = tempfile::tempdir().expect("folder");
    let couriers = made(&CourierSettings::default(), true, folder.path()).expect("couriers");
    let cases: &[(Channel, &str, Files<'_>, &str, &str)] = &[
        (
            Channel::Email,
            "office@county.example",
            &[("list.txt", b"1")],
            "dry-run/2026-03-02/email/step-email-",
            "To: office@county.example\r\n",
        ),
        (
            Channel::Sms,
            "13000000001",
            &[],
            "dry-run/2026-03-02/sms/step-sms-",
            "13000000001\n",
        ),
        (
            Channel::Letter,
            "",
            &[("letter.html", b"<p>to a firm</p>")],
            "out/2026-03-02/411302/letter/letter-",
            "to a firm",
        ),
        (
            Channel::CallList,
            "0377-00000000",
            &[("calls.xlsx", b"PK")],
            "out/2026-03-02/411302/call_list/calls-",
            "PK",
        ),
    ];
    for (channel, address, files, path, content) in cases {
        let mut letter = notice(*channel, &format!("step/{}", channel.word()), address);
        let parcel = parcel(&mut letter, files);
        let courier = couriers.for_channel(*channel).expect("courier");
        let outcomes = courier.send(&[parcel.clone(), parcel]);
        assert_eq!(outcomes[0], outcomes[1]);
        assert_eq!(class(&outcomes[0]), "dry_run");
        let relative = answer(&outcomes[0]);
        assert!(relative.starts_with(path), "{relative}");
        assert!(address.is_empty() || !relative.contains(address));
        let written = std::fs::read(folder.path().join(relative)).expect("file");
        assert!(String::from_utf8_lossy(&written).contains(content));
        let folder = folder.path().join(relative);
        let count = std::fs::read_dir(folder.parent().expect("folder"))
            .expect("folder")
            .count();
        assert_eq!(count, 1, "a repeat writes no second file");
    }
}

#[test]
fn outputs_of_a_live_house_are_accepted_and_apart() {
    let folder = tempfile::tempdir().expect("folder");
    let live = CourierSettings {
        mode: CourierMode::Live,
        smtp: Some(relay()),
        sms: None,
    };
    let couriers = made(&live, false, folder.path()).expect("couriers");
    let send = |channel, key: &str, files: &[(&str, &[u8])]| {
        let mut letter = notice(channel, key, "");
        let parcel = parcel(&mut letter, files);
        couriers
            .for_channel(channel)
            .expect("courier")
            .send(&[parcel])[0]
            .clone()
    };
    let one = send(Channel::Letter, "k/1", &[("letter.html", b"same")]);
    let two = send(Channel::Letter, "k/2", &[("letter.html", b"same")]);
    assert_eq!(
        (class(&one).as_str(), class(&two).as_str()),
        ("accepted", "accepted")
    );
    assert_ne!(answer(&one), answer(&two), "one letter per notice");
    let one = send(Channel::CallList, "k/1", &[("calls.xlsx", b"same")]);
    let two = send(Channel::CallList, "k/2", &[("calls.xlsx", b"same")]);
    assert_eq!(
        answer(&one),
        answer(&two),
        "one list for all notices that share it"
    );
    for files in [&[][..], &[("a.html", &b"1"[..]), ("b.html", b"2")]] {
        assert_eq!(
            class(&send(Channel::Letter, "k/3", files)),
            "failed YB-6015"
        );
    }
    let outside = send(Channel::Letter, "k/4", &[("../letter.html", b"1")]);
    assert_eq!(class(&outside), "failed YB-6011");
}

#[test]
fn a_unit_cannot_lead_out_of_the_folder() {
    let folder = tempfile::tempdir().expect("folder");
    let couriers = made(&CourierSettings::default(), true, folder.path()).expect("couriers");
    let mut letter = notice(Channel::Letter, "k/1", "");
    letter.unit = "../../elsewhere".to_owned();
    let parcel = parcel(&mut letter, &[("letter.html", b"1")]);
    let outcomes = couriers
        .for_channel(Channel::Letter)
        .expect("courier")
        .send(&[parcel]);
    let relative = answer(&outcomes[0]);
    assert!(!relative.split('/').any(|part| part == ".."), "{relative}");
    assert!(folder.path().join(relative).exists());
}

#[test]
fn a_text_that_could_not_go_is_refused_in_the_dry_run_too() {
    let folder = tempfile::tempdir().expect("folder");
    let couriers = made(&CourierSettings::default(), true, folder.path()).expect("couriers");
    let mut text = notice(Channel::Sms, "k/1", "13000000001");
    text.text = "【他人】您好".to_owned();
    let parcel = parcel(&mut text, &[]);
    let outcomes = couriers
        .for_channel(Channel::Sms)
        .expect("courier")
        .send(&[parcel]);
    assert_eq!(class(&outcomes[0]), "failed YB-6201");
}

#[test]
fn trouble_of_the_channel_ends_the_slice() {
    let letter = notice(Channel::Email, "k/1", "office@county.example");
    let parcels = vec![
        Parcel {
            notice: &letter,
            files: Vec::new(),
        };
        4
    ];
    let mut tried = 0;
    let outcomes = one_by_one(&parcels, |_| {
        tried += 1;
        if tried == 2 {
            Trouble::new("YB-6105", "refused").retry()
        } else {
            Trouble::new("YB-6107", "later").retry()
        }
    });
    assert_eq!(tried, 2);
    let stops: Vec<bool> = outcomes.iter().map(stops_channel).collect();
    assert_eq!(stops, [false, true, true, true]);
    assert_eq!(answer(&outcomes[2]), answer(&outcomes[3]));
    assert!(answer(&outcomes[3]).starts_with(UNTRIED));
}
