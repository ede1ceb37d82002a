//! By which channels a firm is told, and why not by the others. Pure.

use std::collections::BTreeMap;

use crate::domain::case::{Case, CaseId, Step};
use crate::domain::notice::Channel;

/// From how many firms on one phone number is a bookkeeping agent's: no texts, one call list row each.
pub const SHARED_PHONE: u32 = 3;

/// What is known of a firm's contacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contacts {
    /// Phone numbers, mobile and landline.
    pub phones: Vec<String>,
    /// Mail address.
    pub email: Option<String>,
}

impl Contacts {
    /// Splits what the register holds: several numbers are joined by `、/,;` or blanks.
    #[must_use]
    pub fn read(phone: Option<&str>, email: Option<&str>) -> Self {
        let phones = phone
            .unwrap_or_default()
            .split(['、', '/', ',', ';', ' ', '，', '；'])
            .map(str::trim)
            .filter(|number| number.bytes().filter(u8::is_ascii_digit).count() >= 7)
            .map(str::to_owned)
            .collect();
        let email = email
            .map(str::trim)
            .filter(|address| is_email(address))
            .map(str::to_owned);
        Self { phones, email }
    }
}

/// A stricter check than the mail library's: ASCII local part, dotted domain, no blanks.
#[must_use]
pub fn is_email(address: &str) -> bool {
    address.is_ascii()
        && !address
            .bytes()
            .any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control())
        && address.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && domain.contains('.')
                && !domain.contains('@')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
        })
}

/// `1[3-9]` and nine digits.
#[must_use]
pub fn is_mobile(number: &str) -> bool {
    let bytes = number.as_bytes();
    bytes.len() == 11
        && bytes.iter().all(u8::is_ascii_digit)
        && bytes[0] == b'1'
        && bytes[1] >= b'3'
}

/// One way that is taken, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Send there.
    Take {
        /// The way.
        channel: Channel,
        /// Number or mail address.
        address: String,
    },
    /// Not this way, and why (Chinese).
    Leave {
        /// The way.
        channel: Channel,
        /// In Chinese.
        why: String,
    },
}

/// The ways to one firm for one step. A letter always; text, mail and call beside it.
#[must_use]
pub fn ways(
    contacts: &Contacts,
    wrong_contact: bool,
    firms_on: &BTreeMap<String, u32>,
) -> Vec<Way> {
    let mut ways = vec![Way::Take {
        channel: Channel::Letter,
        address: String::new(),
    }];
    let leave = |channel, why: &str| Way::Leave {
        channel,
        why: why.to_owned(),
    };
    if wrong_contact {
        ways.push(leave(Channel::Sms, "核实登记联系方式有误"));
        ways.push(leave(Channel::CallList, "核实登记联系方式有误"));
    } else {
        let mobile = contacts.phones.iter().find(|number| is_mobile(number));
        ways.push(match mobile {
            None => leave(Channel::Sms, "没有手机号码"),
            Some(number) if firms_on.get(number).copied().unwrap_or(0) >= SHARED_PHONE => {
                leave(Channel::Sms, "该号码为多户企业共用（代账机构），转电话清单")
            }
            Some(number) => Way::Take {
                channel: Channel::Sms,
                address: number.clone(),
            },
        });
        ways.push(match contacts.phones.first() {
            None => leave(Channel::CallList, "没有电话号码"),
            Some(number) => Way::Take {
                channel: Channel::CallList,
                address: number.clone(),
            },
        });
    }
    ways.push(match &contacts.email {
        None => leave(Channel::Email, "没有可用的电子邮箱"),
        Some(address) => Way::Take {
            channel: Channel::Email,
            address: address.clone(),
        },
    });
    ways
}

/// How many firms carry each number.
#[must_use]
pub fn firms_by_phone<'a>(contacts: impl Iterator<Item = &'a Contacts>) -> BTreeMap<String, u32> {
    let mut firms = BTreeMap::new();
    for number in contacts.flat_map(|contacts| &contacts.phones) {
        *firms.entry(number.clone()).or_default() += 1;
    }
    firms
}

/// The outbox key: the same step, cases, channel and contact is the same message, whoever asks again.
#[must_use]
pub fn key(
    enterprise: &str,
    step: Step,
    cases: &[CaseId],
    channel: Channel,
    address: &str,
) -> String {
    let version = xxhash_rust::xxh3::xxh3_64(format!("{}\n{address}", cases.join(",")).as_bytes());
    format!(
        "{}/{enterprise}/{}/{version:016x}",
        step.word(),
        channel.word()
    )
}

/// Cases that share a letter: same firm, same step, decided on the same day.
#[must_use]
pub fn bundles<'a>(cases: impl Iterator<Item = &'a Case>, step: Step) -> Vec<Vec<&'a Case>> {
    let mut groups: std::collections::BTreeMap<(&str, jiff::civil::Date), Vec<&Case>> =
        std::collections::BTreeMap::new();
    for case in cases.filter(|case| case.is_open()) {
        if let Some(decided) = case.decided(step) {
            groups
                .entry((&case.enterprise, decided))
                .or_default()
                .push(case);
        }
    }
    groups.into_values().collect()
}
