//! A notice as the bytes of one mail. The same notice gives the same bytes: its date is the day it was decided, its number and
//! boundary come from its key, so that a repeat can be recognised by any mail system on the way.

use std::time::SystemTime;

use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, Message, MultiPart, SinglePart};

use crate::calendar::shanghai;
use crate::courier::trouble::{self, Trouble};
use crate::courier::{Parcel, files};
use crate::domain::outreach::is_email;
use crate::domain::record::mask;

/// Bytes ready for a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mail {
    /// Envelope sender.
    pub from: Address,
    /// The one envelope recipient.
    pub to: Address,
    /// Headers and body, ASCII, lines end in CRLF.
    pub bytes: Vec<u8>,
}

/// Who all mail comes from.
pub(super) fn sender(mail_from: &str) -> Result<Mailbox, Trouble> {
    let refused = || {
        Trouble::new(
            trouble::SETTINGS,
            "mail_from 不是有效的邮箱地址。处理：写成 name@example.org 或 名称 <name@example.org> 的形式",
        )
    };
    let mailbox: Mailbox = mail_from.parse().map_err(|_| refused())?;
    if !is_email(mailbox.email.as_ref()) {
        return Err(refused());
    }
    Ok(mailbox)
}

/// Writes the mail.
///
/// # Errors
/// The address is none (`YB-6101`), or the files are not those of the notice (`YB-6010` to `YB-6012`): this mail never can be sent.
pub(super) fn compose(from: &Mailbox, parcel: &Parcel<'_>) -> Result<Mail, Trouble> {
    files::check(parcel)?;
    let notice = parcel.notice;
    let to: Address = Some(&notice.address)
        .filter(|address| is_email(address))
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| {
            Trouble::new(
                "YB-6101",
                format!(
                    "收件地址 {} 无效。处理：更正后重新生成通知",
                    mask(&notice.address)
                ),
            )
        })?;
    let hash = blake3::hash(notice.key.as_bytes()).to_hex();
    let subject: String = notice
        .subject
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let builder = Message::builder()
        // A placeholder, so that the library does not read the clock; the true date replaces it below.
        .date(SystemTime::UNIX_EPOCH)
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(subject)
        .message_id(Some(format!("<{}@{}>", &hash[..32], from.email.domain())))
        // Holiday answers and read receipts of robots to a robot help nobody (RFC 3834).
        .raw_header(raw("Auto-Submitted", "auto-generated".to_owned()));
    let text = SinglePart::plain(notice.text.clone());
    let built = if parcel.files.is_empty() {
        builder.singlepart(text)
    } else {
        let mixed = MultiPart::mixed()
            .boundary(format!("yingbao-{}", &hash[32..]))
            .singlepart(text);
        let mut parts = mixed;
        for (name, bytes) in &parcel.files {
            parts = parts.singlepart(attached(name, bytes)?);
        }
        builder.multipart(parts)
    };
    let mut message = built.map_err(|error| {
        Trouble::new(
            "YB-6014",
            format!("邮件不能成文：{error}。处理：检查 mail_from 和通知的主题"),
        )
    })?;
    message
        .headers_mut()
        .insert_raw(raw("Date", date(notice.decided)));
    Ok(Mail {
        from: from.email.clone(),
        to,
        bytes: message.formatted(),
    })
}

fn raw(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// RFC 5322, with the city's own offset: `Mon, 02 Mar 2026 08:30:00 +0800`.
fn date(decided: jiff::Timestamp) -> String {
    shanghai::civil(decided)
        .strftime("%a, %d %b %Y %H:%M:%S +0800")
        .to_string()
}

/// Always base64: workbooks are binary, and the bytes of a page must not change on the way.
fn attached(name: &str, bytes: &[u8]) -> Result<SinglePart, Trouble> {
    let wrong = || Trouble::new("YB-6013", "附件不能编码。处理：检查生成附件的模板");
    let body = Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64)
        .map_err(|_| wrong())?;
    let kind = ContentType::parse(content_type(name)).map_err(|_| wrong())?;
    Ok(Attachment::new(name.to_owned()).body(body, kind))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("html") => "text/html; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("csv") => "text/csv; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::courier::tests::{notice, parcel};
    use crate::domain::notice::Channel;

    fn text_of(subject: &str, text: &str, attached: &[(&str, &[u8])]) -> String {
        let mut letter = notice(Channel::Email, "k/1", "office@county.example");
        letter.subject = subject.to_owned();
        letter.text = text.to_owned();
        let parcel = parcel(&mut letter, attached);
        let from = sender("南阳市社会保险中心 <yingbao@centre.example>").expect("sender");
        let mail = compose(&from, &parcel).expect("mail");
        let again = compose(&from, &parcel).expect("mail");
        assert_eq!(mail, again, "the same notice gives the same bytes");
        String::from_utf8(mail.bytes).expect("ASCII")
    }

    #[test]
    fn headers_say_what_the_notice_says() {
        let mail = text_of("参保登记提醒", "您好。", &[("list.xlsx", b"PK\x03\x04")]);
        for part in [
            "Date: Mon, 02 Mar 2026 08:30:00 +0800\r\n",
            "Subject: =?utf-8?b?5Y+C5L+d55m76K6w5o+Q6YaS?=\r\n",
            "To: office@county.example\r\n",
            "@centre.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Disposition: attachment; filename=\"list.xlsx\"\r\n",
            "UEsDBA==",
        ] {
            assert!(mail.contains(part), "{part} in\n{mail}");
        }
        assert_eq!(mail.matches("Date: ").count(), 1);
        assert_eq!(mail.matches("Message-ID: ").count(), 1);
        assert!(mail.is_ascii());
    }

    #[test]
    fn a_subject_cannot_bring_its_own_headers() {
        let mail = text_of("x\r\nBcc: other@firm.example", "text", &[]);
        assert!(!mail.contains("\r\nBcc"), "{mail}");
    }

    #[test]
    fn no_line_is_longer_than_mail_allows_and_none_ends_bare() {
        let long = "长".repeat(4000);
        let ascii = "a".repeat(4000);
        for text in [long.as_str(), ascii.as_str(), "one\ntwo\n.\nthree"] {
            let mail = text_of(&long, text, &[("page.html", text.as_bytes())]);
            assert!(mail.split("\r\n").all(|line| line.len() <= 998));
            assert!(!mail.replace("\r\n", "").contains(['\r', '\n']));
        }
    }

    #[test]
    fn bad_addresses_and_files_are_refused() {
        let from = sender("yingbao@centre.example").expect("sender");
        for address in [
            "",
            "a@b",
            "张三@firm.example",
            "a@firm.example\r\nRCPT",
            "<a@firm.example>",
        ] {
            let mut letter = notice(Channel::Email, "k/2", address);
            let trouble = compose(&from, &parcel(&mut letter, &[])).expect_err("refused");
            assert_eq!(trouble.code, "YB-6101", "{address}");
            assert!(!trouble.text.contains("firm.example"), "{trouble}");
        }
        let mut letter = notice(Channel::Email, "k/3", "office@county.example");
        letter.attachments = parcel(&mut letter.clone(), &[("a.txt", b"one")])
            .notice
            .attachments
            .clone();
        for (files, code) in [
            (vec![], "YB-6010"),
            (vec![("a.txt".to_owned(), b"two".to_vec())], "YB-6010"),
            (vec![("b.txt".to_owned(), b"one".to_vec())], "YB-6011"),
        ] {
            let parcel = Parcel {
                notice: &letter,
                files,
            };
            assert_eq!(compose(&from, &parcel).expect_err("refused").code, code);
        }
        for from in ["", "nobody", "a@b", "中心 a@centre.example"] {
            assert_eq!(sender(from).expect_err("refused").code, "YB-6005");
        }
    }
}
