//! What is wrong with a channel or a message, and the words for it: coded, masked, with the remedy.

use std::fmt;

use crate::domain::notice::Outcome;
use crate::domain::record::mask;
use crate::secret;

/// Certificates can not be used.
pub(super) const CERTIFICATES: &str = "YB-6004";
/// The settings can not be used.
pub(super) const SETTINGS: &str = "YB-6005";
/// The relay is not there.
pub(super) const NOT_CONNECTED: &str = "YB-6102";
/// No encrypted connection with the relay.
pub(super) const NO_TLS: &str = "YB-6103";
/// The relay does not let us in.
pub(super) const NO_LOGIN: &str = "YB-6105";
/// The relay refuses the sender.
pub(super) const SENDER: &str = "YB-6106";
/// The gateway is not there.
pub(super) const NO_GATEWAY: &str = "YB-6203";
/// The gateway wants nothing of what it is asked, whoever is written to.
pub(super) const NOT_OURS: &str = "YB-6210";

/// Codes that speak of the channel and not of one message.
pub(super) const OF_CHANNEL: &[&str] = &[
    secret::UNUSABLE,
    secret::OPEN,
    secret::CERTIFICATES,
    CERTIFICATES,
    SETTINGS,
    NOT_CONNECTED,
    NO_TLS,
    NO_LOGIN,
    SENDER,
    NO_GATEWAY,
    NOT_OURS,
];

/// Longest answer that is kept of what a server says, in characters.
const ANSWER_MAX_CHARS: usize = 300;

/// A coded fault before it is known what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Stable code.
    pub code: &'static str,
    /// What, and the remedy.
    pub text: String,
}

impl Trouble {
    /// Of its parts.
    pub(super) fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }

    /// Not sent; another try later makes sense.
    pub(super) fn retry(self) -> Outcome {
        Outcome::Retry {
            code: self.code.to_owned(),
            answer: self.text,
        }
    }

    /// Not sent, and never will be.
    pub(super) fn failed(self) -> Outcome {
        Outcome::Failed {
            code: self.code.to_owned(),
            answer: self.text,
        }
    }

    /// It may have gone out.
    pub(super) fn unknown(self) -> Outcome {
        Outcome::Unknown {
            code: self.code.to_owned(),
            answer: self.text,
        }
    }
}

impl From<secret::Refused> for Trouble {
    fn from(refused: secret::Refused) -> Self {
        Self::new(refused.code, refused.text)
    }
}

/// `[YB-6004] …`
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.code, self.text)
    }
}

/// What a server said, fit to be kept: one line, short, without the secrets (replaced whole) and with the private texts masked.
/// Servers repeat addresses in their refusals, so each is looked for in any case of letters.
pub(super) fn spoken(text: &str, private: &[&str], secrets: &[&str]) -> String {
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    for secret in secrets {
        line = replaced(&line, secret, "****");
    }
    for word in private {
        line = replaced(&line, word, &mask(word));
        if let Some((local, _)) = word.split_once('@') {
            line = replaced_word(&line, local, "****");
        }
    }
    let mut short: String = line.trim().chars().take(ANSWER_MAX_CHARS).collect();
    if short.len() < line.trim().len() {
        short.push('…');
    }
    short
}

fn replaced(text: &str, word: &str, by: &str) -> String {
    replaced_where(text, word, by, |_, _| true)
}

/// Only where the word stands alone, so that the local part `info` does not eat a piece of `information`.
fn replaced_word(text: &str, word: &str, by: &str) -> String {
    let joined = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_' || c == '-';
    if word.len() < 4 {
        return text.to_owned();
    }
    replaced_where(text, word, by, |before, after| {
        !before.chars().next_back().is_some_and(joined) && !after.chars().next().is_some_and(joined)
    })
}

fn replaced_where(text: &str, word: &str, by: &str, fits: impl Fn(&str, &str) -> bool) -> String {
    if word.is_empty() {
        return text.to_owned();
    }
    // Lowering ASCII letters only keeps every byte where it is, so places found in one text hold in the other.
    let (low_text, low_word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (place, _) in low_text.match_indices(&low_word) {
        let end = place + word.len();
        if place >= done && fits(&text[..place], &text[end..]) {
            out.push_str(&text[done..place]);
            out.push_str(by);
            done = end;
        }
    }
    out.push_str(&text[done..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_say_is_masked() {
        let cases = [
            (
                "5.1.1 <WangWu@firm.example>: Recipient\r\nunknown",
                "5.1.1 <wan****le>: Recipient  unknown",
            ),
            ("user wangwu unknown", "user **** unknown"),
            ("wangwus is another", "wangwus is another"),
            ("bad 13000000001 here", "bad 130****01 here"),
            ("token s3cret! refused", "token **** refused"),
        ];
        for (said, kept) in cases {
            assert_eq!(
                spoken(said, &["wangwu@firm.example", "13000000001"], &["s3cret!"]),
                kept
            );
        }
        assert_eq!(spoken(&"长".repeat(900), &[], &[""]).chars().count(), 301);
    }
}
