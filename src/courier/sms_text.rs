//! What a text message may be: its signature, its length, how many the carrier counts. Pure.

/// Longest text with its signature, in UTF-16 units, as gateways count.
pub const TEXT_MAX_UNITS: usize = 500;

/// A text that cannot be sent.
pub(super) const UNFIT: &str = "YB-6201";

/// Why a text cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRefusal {
    /// `【` or `】` in the text: the reader, and many gateways, would take it for a second signature.
    Brackets,
    /// A line end or another control character.
    Control,
    /// Nothing in it.
    Empty,
    /// More than [`TEXT_MAX_UNITS`]; how many.
    Long {
        /// UTF-16 units with the signature.
        units: usize,
    },
}

impl TextRefusal {
    /// For staff, with the remedy.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Brackets => "短信正文含有【】，会与签名混淆。处理：修改短信模板".to_owned(),
            Self::Control => "短信正文含有换行或控制字符。处理：修改短信模板，写成一段".to_owned(),
            Self::Empty => "短信正文是空的。处理：检查短信模板".to_owned(),
            Self::Long { units } => format!(
                "短信连同签名共 {units} 字，超过上限 {TEXT_MAX_UNITS} 字。处理：缩短短信模板"
            ),
        }
    }
}

/// The text as it leaves: signature in front, in `【】`; without a signature the text alone.
pub fn signed(signature: Option<&str>, text: &str) -> Result<String, TextRefusal> {
    if text.contains(['【', '】']) {
        return Err(TextRefusal::Brackets);
    }
    if text
        .chars()
        .any(|c| c.is_control() || c == '\u{2028}' || c == '\u{2029}')
    {
        return Err(TextRefusal::Control);
    }
    if text.trim().is_empty() {
        return Err(TextRefusal::Empty);
    }
    let whole = match signature {
        Some(signature) => format!("【{signature}】{text}"),
        None => text.to_owned(),
    };
    let units = units(&whole);
    if units > TEXT_MAX_UNITS {
        return Err(TextRefusal::Long { units });
    }
    Ok(whole)
}

/// UTF-16 units, which is what carriers count: a rare character outside the basic plane is two.
#[must_use]
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// How many messages the carrier counts: one up to 70 units, above that one per 67.
#[must_use]
pub fn segments(text: &str) -> usize {
    match units(text) {
        units @ 0..=70 => units.min(1),
        units => units.div_ceil(67),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_count_as_carriers_do() {
        let cases = [
            ("字", 64, 70, 1),
            ("字", 65, 71, 2),
            ("字", 128, 134, 2),
            ("字", 129, 135, 3),
        ];
        for (letter, count, units_wanted, segments_wanted) in cases {
            let text = signed(Some("某市社保"), &letter.repeat(count)).expect("text");
            assert_eq!(
                (units(&text), segments(&text)),
                (units_wanted, segments_wanted)
            );
        }
        for (letter, count, units_wanted, segments_wanted) in
            [("𠮷", 35, 70, 1), ("𠮷", 36, 72, 2), ("a", 160, 160, 3)]
        {
            let text = signed(None, &letter.repeat(count)).expect("text");
            assert_eq!(
                (units(&text), segments(&text)),
                (units_wanted, segments_wanted)
            );
        }
        assert_eq!(segments(""), 0);
    }

    #[test]
    fn texts_that_cannot_go_are_refused() {
        let cases = [
            ("【南阳社保】您好", TextRefusal::Brackets),
            ("您好】", TextRefusal::Brackets),
            ("您好\n请办理", TextRefusal::Control),
            ("您好\u{2028}请办理", TextRefusal::Control),
            ("您好\t请办理", TextRefusal::Control),
            ("　", TextRefusal::Empty),
        ];
        for (text, refusal) in cases {
            assert_eq!(signed(Some("南阳社保"), text), Err(refusal), "{text}");
        }
        assert!(signed(Some("南阳社保"), &"字".repeat(494)).is_ok());
        assert_eq!(
            signed(Some("南阳社保"), &"字".repeat(495)),
            Err(TextRefusal::Long { units: 501 })
        );
        assert_eq!(
            signed(None, &"𠮷".repeat(251)),
            Err(TextRefusal::Long { units: 502 })
        );
    }
}
