//! Texts to firms.

use minijinja::context;

use crate::domain::case::Step;
use crate::render::RenderError;
use crate::render::page;

/// Characters of a firm's name that a text holds; a longer one is cut.
const FIRM_CHARS: usize = 20;
/// UTF-16 units of one segment when the text fits in it.
const SINGLE: usize = 70;
/// UTF-16 units of each segment of a longer text.
const LINKED: usize = 67;
/// UTF-16 units that no gateway takes more of, signature included.
const LONGEST: usize = 500;

/// What a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmText {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// Which step.
    pub step: Step,
    /// In whose name.
    pub agency: String,
    /// Its telephone.
    pub agency_phone: Option<String>,
    /// The firm.
    pub firm: String,
    /// `15日`.
    pub answer: String,
}

/// The text without signature; no 【】, no line breaks.
pub fn text(sms: &FirmText) -> Result<String, RenderError> {
    let template = match sms.step {
        Step::RegistrationNotice => "sms-notice.txt",
        Step::Reminder => "sms-reminder.txt",
    };
    page::fill(
        "短信",
        template,
        context! {
            demo_mark => sms.demo_mark.as_deref().map(plain),
            firm => shortened(&plain(&sms.firm)),
            answer => plain(&sms.answer),
            agency => plain(&sms.agency),
            agency_phone => sms.agency_phone.as_deref().map(plain),
        },
    )
}

/// Without what a gateway refuses in a body: 【】 mark the signature, line breaks split it.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '【' | '】') && !c.is_control())
        .collect::<String>()
        .trim()
        .to_owned()
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= FIRM_CHARS {
        return name.to_owned();
    }
    name.chars().take(FIRM_CHARS - 1).chain(['…']).collect()
}

/// Segments of a text with its signature: UTF-16 units, 70 in one, else 67 each; `None` above 500.
/// The signature counts with its brackets, whether it is given with them or without.
#[must_use]
pub fn segments(text: &str, signature: &str) -> Option<usize> {
    let name = signature.trim_start_matches('【').trim_end_matches('】');
    let brackets = if name.is_empty() { 0 } else { 2 };
    let units = text.encode_utf16().count() + name.encode_utf16().count() + brackets;
    match units {
        0..=SINGLE => Some(1),
        _ if units <= LONGEST => Some(units.div_ceil(LINKED)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sms(step: Step, firm: &str) -> FirmText {
        FirmText {
            demo_mark: Some("演示数据，纯属虚构".into()),
            step,
            agency: "南阳市宛城区社会保险中心".into(),
            agency_phone: Some("000-12345678".into()),
            firm: firm.into(),
            answer: "15日".into(),
        }
    }

    #[test]
    fn segments_are_counted_as_gateways_do() {
        for (text, signature, expected) in [
            ("测".repeat(64), "【某市社保】", Some(1)),
            ("测".repeat(64), "某市社保", Some(1)),
            ("测".repeat(65), "【某市社保】", Some(2)),
            ("测".repeat(128), "【某市社保】", Some(2)),
            ("测".repeat(129), "【某市社保】", Some(3)),
            ("𠮷".repeat(35), "", Some(1)),
            ("𠮷".repeat(36), "", Some(2)),
            ("a".repeat(160), "", Some(3)),
            (String::new(), "", Some(1)),
            ("测".repeat(494), "某市社保", Some(8)),
            ("测".repeat(495), "某市社保", None),
        ] {
            assert_eq!(
                segments(&text, signature),
                expected,
                "{} {signature}",
                text.chars().count()
            );
        }
    }

    #[test]
    fn a_text_fits_two_segments_even_in_a_demo_with_the_longest_name() {
        for step in [Step::RegistrationNotice, Step::Reminder] {
            for firm in [
                "南阳晨光食品有限公司",
                "南阳市宛城区某某某某某某某某某某某某某某某某某有限责任公司第一分公司",
            ] {
                let text = text(&sms(step, firm)).unwrap();
                assert!(
                    segments(&text, "南阳社保") <= Some(2),
                    "{} units: {text}",
                    text.encode_utf16().count()
                );
                assert!(text.starts_with("（演示数据，纯属虚构）"), "{text}");
            }
        }
    }

    #[test]
    fn brackets_line_breaks_and_threats_never_stand_in_a_text() {
        for step in [Step::RegistrationNotice, Step::Reminder] {
            let text = text(&sms(step, "【南阳】\r\n晨光\u{7}食品")).unwrap();
            for word in [
                "【", "】", "\n", "\r", "\u{7}", "责令", "罚", "逾期", "稽核",
            ] {
                assert!(!text.contains(word), "{text}");
            }
            assert!(text.contains("南阳晨光食品"));
        }
    }
}
