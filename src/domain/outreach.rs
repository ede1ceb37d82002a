//! By which channels a firm is told, and why not by the others. Pure.

use std::collections::HashMap;

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
pub fn ways(contacts: &Contacts, wrong_contact: bool, firms_on: &FirmsByPhone) -> Vec<Way> {
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
            Some(number) if firms_on.is_agents(number) => {
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

/// How many firms carry each number. A city's numbers are many: of each only its hash is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirmsByPhone(HashMap<u64, u32>);

impl FirmsByPhone {
    /// Counts the numbers of one more firm.
    pub fn add(&mut self, contacts: &Contacts) {
        for number in &contacts.phones {
            *self.0.entry(hash(number)).or_default() += 1;
        }
    }

    /// Whether so many firms carry it that it is a bookkeeping agent's.
    #[must_use]
    pub fn is_agents(&self, number: &str) -> bool {
        let firms = self.0.get(&hash(number));
        firms.is_some_and(|firms| *firms >= SHARED_PHONE)
    }
}

fn hash(number: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(number.as_bytes())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_three_firms_give_is_an_agents_and_gets_calls_instead_of_texts() {
        let shared = Contacts::read(Some("13800000000、0377-00000000"), None);
        let own = Contacts::read(Some("13900000000"), None);
        let mut firms_on = FirmsByPhone::default();
        let texted = |contacts: &Contacts, firms_on: &FirmsByPhone| {
            let ways = ways(contacts, false, firms_on);
            let has = |wanted| {
                ways.iter()
                    .any(|way| matches!(way, Way::Take { channel, .. } if *channel == wanted))
            };
            assert!(has(Channel::Letter) && has(Channel::CallList), "{ways:?}");
            has(Channel::Sms)
        };
        firms_on.add(&own);
        for _ in 0..2 {
            firms_on.add(&shared);
            assert!(texted(&shared, &firms_on));
        }
        firms_on.add(&shared);
        assert!(!texted(&shared, &firms_on));
        assert!(texted(&own, &firms_on));
    }
}
