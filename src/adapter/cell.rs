//! One cell becomes one value, or a fault that says why not. Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::adapter::reading::{self, MoneyUnit, Said};
use crate::adapter::row::CellText;
use crate::domain::code::{self, CodeVerdict, Kind};
use crate::domain::record::{Field, FieldType, Value};
use crate::domain::text::{fold, folded, is_regular, is_regular_apart, is_wide_bracket};

/// Why a cell's value is not taken, or only with a doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Stable code, `YB-22xx`.
    pub code: &'static str,
    /// What and the remedy, in Chinese.
    pub reason: String,
    /// The text is personal or may be: it is only shown masked, and never kept.
    pub is_personal: bool,
}

impl Fault {
    fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
            is_personal: false,
        }
    }

    fn personal(code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            is_personal: true,
            ..Self::new(code, reason)
        }
    }
}

/// What a cell became: a value (perhaps doubted), nothing, or a fault.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The value; [`Value::Unread`] when it cannot be read; `None` when there is nothing, or nothing that may be kept.
    pub value: Option<Value>,
    /// What is wrong.
    pub fault: Option<Fault>,
}

impl Outcome {
    fn value(value: Value) -> Self {
        Self {
            value: Some(value),
            fault: None,
        }
    }

    fn doubted(value: Value, fault: Fault) -> Self {
        Self {
            value: Some(value),
            fault: Some(fault),
        }
    }

    /// Kept as text, so that a change of it is seen — unless it is personal.
    fn unread(text: &str, fault: Fault) -> Self {
        let value = (!fault.is_personal).then(|| Value::Unread(cut(text, UNREAD_CHARS)));
        Self {
            value,
            fault: Some(fault),
        }
    }

    /// Whether it holds something usable.
    #[must_use]
    pub fn is_read(&self) -> bool {
        !matches!(self.value, None | Some(Value::Unread(_)))
    }
}

/// How the column of one field is read.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The field.
    pub field: Field,
    /// Unit of a money column.
    pub unit: MoneyUnit,
    /// Text (folded, without blanks) → canonical word.
    pub lookup: Option<&'a BTreeMap<String, String>>,
    /// The day of delivery: no firm is founded later.
    pub delivered: Date,
    /// Under which pseudonyms are made: without it they could be found by trying every citizen id.
    pub pseudonym_key: &'a [u8; 32],
}

/// Hex digits of a pseudonym: 128 bits, of which accidental equals are out of question.
const PSEUDONYM_DIGITS: usize = 32;
/// They are written with these.
const HEX: &[u8; 16] = b"0123456789abcdef";
/// A key for values that are thrown away.
const NO_KEY: [u8; 32] = [0; 32];

/// Characters of an unread text that are kept.
const UNREAD_CHARS: usize = 60;
/// No identifier is longer.
const CODE_CHARS: usize = 64;
/// Digits a spreadsheet keeps of a number.
const EXACT_DIGITS: usize = 15;

/// Characters of a free text that are kept: what is longer is cut and said.
const fn chars_at_most(field: Field) -> usize {
    match field {
        Field::BusinessScope => 1000,
        Field::Address => 300,
        Field::Name | Field::Agency => 200,
        _ => 120,
    }
}

/// At most `n` characters.
#[must_use]
pub fn cut(text: &str, n: usize) -> String {
    text.chars().take(n).collect()
}

/// The text a lookup goes by: folded, and without the blanks that layout puts between hanzi.
#[must_use]
pub fn lookup_text(text: &str) -> String {
    fold(text).replace(' ', "")
}

/// The text headings are matched by: folded, without blanks and line breaks.
#[must_use]
pub fn heading_text(text: &str) -> String {
    fold(text).replace(' ', "")
}

/// What a short way found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plain<'c> {
    /// The text of the cell, as it stands.
    Text(&'c str),
    /// A value.
    Value(Value),
}

impl From<Plain<'_>> for Value {
    fn from(plain: Plain<'_>) -> Self {
        match plain {
            Plain::Text(text) => Self::Text(text.to_owned()),
            Plain::Value(value) => value,
        }
    }
}

/// The value of a cell that needs no work: a valid code, a regular text, a figure or day as most exports write them. It is what
/// [`read`] would give, found sooner; `None` says nothing.
#[inline]
#[must_use]
pub fn plain<'c>(reader: &Reader<'_>, cell: CellText<'c>) -> Option<Plain<'c>> {
    let text = cell.text;
    let is_whole = match reader.field.field_type() {
        FieldType::Code if matches!(reader.field, Field::CreditCode | Field::HeadOfficeCode) => {
            !cell.numeric && code::is_plain_credit_code(text)
        }
        FieldType::Code => !cell.numeric && is_plain_code(text),
        FieldType::Text => is_plain_text(reader.field, text),
        FieldType::Count if reader.field != Field::ReportYear => {
            // Seven digits are below every cap.
            return plain_number(text.as_bytes(), 7).map(|n| Plain::Value(Value::Count(n)));
        }
        FieldType::Money => {
            return plain_money(text, reader.unit).map(|fen| Plain::Value(Value::Money(fen)));
        }
        FieldType::Date => {
            let day = reading::plain_day(text)?;
            let is_sure = reader.field != Field::Founded || day <= reader.delivered;
            return is_sure.then_some(Plain::Value(Value::Date(day)));
        }
        _ => false,
    };
    is_whole.then_some(Plain::Text(text))
}

/// Capital letters and digits that are neither a citizen id nor a way of saying nothing.
fn is_plain_code(text: &str) -> bool {
    (1..=CODE_CHARS).contains(&text.len())
        && text.len() != 18
        && (text.bytes()).all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && !reading::says_nothing(text)
}

/// A text without anything to fold, cut or hide. Eighteen bytes may be a citizen id in the wrong column, and short ones may say
/// nothing; a telephone number is neither.
fn is_plain_text(field: Field, text: &str) -> bool {
    let length = text.len();
    if (10..=15).contains(&length) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    if length <= 18 || length > chars_at_most(field) {
        return false;
    }
    if !matches!(field, Field::Name | Field::Address) {
        return is_regular(text) && (length > 30 || !reading::says_nothing(text));
    }
    // Their brackets are full-width in the end.
    is_regular_apart(text, is_wide_bracket)
        && (length > 30 || !reading::says_nothing(&folded(text)))
        && memchr::memchr2(b'(', b')', text.as_bytes()).is_none()
}

/// A number of digits only.
fn plain_number(digits: &[u8], most: usize) -> Option<u64> {
    if digits.is_empty() || digits.len() > most {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + u64::from(digit))
    })
}

/// Digits, and perhaps two behind a point.
fn plain_money(text: &str, unit: MoneyUnit) -> Option<i64> {
    let bytes = text.as_bytes();
    let (whole, cents) = match bytes.len().checked_sub(3) {
        Some(point) if bytes[point] == b'.' => {
            (&bytes[..point], plain_number(&bytes[point + 1..], 2)?)
        }
        _ => (bytes, 0),
    };
    let hundredths = plain_number(whole, 9)? * 100 + cents;
    let fen = match unit {
        MoneyUnit::Yuan => hundredths,
        MoneyUnit::WanYuan => hundredths * 10_000,
        // Parts of a fen are rounded with care elsewhere.
        MoneyUnit::Fen if cents == 0 => hundredths / 100,
        MoneyUnit::Fen => return None,
    };
    i64::try_from(fen).ok()
}

/// Reads one cell.
#[must_use]
pub fn read(reader: &Reader<'_>, cell: CellText<'_>) -> Outcome {
    let text = folded(cell.text);
    let text = text.as_ref();
    let outcome = match reader.field.field_type() {
        FieldType::Word => word(reader, text),
        _ if reading::says_nothing(text) => Outcome::default(),
        FieldType::Code if matches!(reader.field, Field::CreditCode | Field::HeadOfficeCode) => {
            credit_code(cell, text)
        }
        FieldType::Code => other_code(cell, text),
        FieldType::Text => free_text(reader.field, text.to_owned()),
        FieldType::Count => {
            let said = reading::count(text);
            number(reader.field, said, text)
        }
        FieldType::Money => typed(
            reading::money(text, reader.unit),
            text,
            "YB-2210",
            Value::Money,
        ),
        FieldType::Date => day(reader, text),
        FieldType::Month => typed(reading::month(text), text, "YB-2208", Value::Month),
        FieldType::Pseudonym => return pseudonym(reader, cell, text),
    };
    hide_citizen_ids(outcome, text)
}

/// Reads a cell of a money column whose unit is disputed: only a figure that names its own unit counts.
#[must_use]
pub fn read_disputed(reader: &Reader<'_>, cell: CellText<'_>) -> Outcome {
    let of = |unit| read(&Reader { unit, ..*reader }, cell);
    let (low, high) = (of(MoneyUnit::Fen), of(MoneyUnit::WanYuan));
    // A figure that is the same in either unit says its unit itself (or is zero).
    if low == high {
        return low;
    }
    let reason = "金额单位存疑（表题与适配器不一致）。处理：与来源部门核实";
    Outcome::unread(&fold(cell.text), Fault::new("YB-2212", reason))
}

/// The value of an empty cell as an adapter writes it; `None` when it does not parse.
#[must_use]
pub fn default_value(field: Field, unit: MoneyUnit, text: &str) -> Option<Value> {
    if field.field_type() == FieldType::Word {
        return field
            .words()
            .contains(&text)
            .then(|| Value::Text(text.to_owned()));
    }
    let reader = Reader {
        field,
        unit,
        lookup: None,
        delivered: Date::MAX,
        pseudonym_key: &NO_KEY,
    };
    let outcome = read(
        &reader,
        CellText {
            text,
            numeric: false,
        },
    );
    outcome.value.filter(|_| outcome.fault.is_none())
}

fn typed<T>(
    said: Said<T>,
    text: &str,
    code: &'static str,
    value: impl FnOnce(T) -> Value,
) -> Outcome {
    match said {
        Said::Value(read) => Outcome::value(value(read)),
        Said::Nothing => Outcome::default(),
        Said::Unclear(reason) => Outcome::unread(text, Fault::new(code, reason)),
    }
}

fn number(field: Field, said: Said<u64>, text: &str) -> Outcome {
    match said {
        Said::Value(year) if field == Field::ReportYear && !(1990..=2100).contains(&year) => {
            let reason = "年报年度不在合理范围。处理：请填写四位年份";
            Outcome::unread(text, Fault::new("YB-2209", reason))
        }
        said => typed(said, text, "YB-2209", Value::Count),
    }
}

fn day(reader: &Reader<'_>, text: &str) -> Outcome {
    match reading::date(text) {
        Said::Value(day) if reader.field == Field::Founded && day > reader.delivered => {
            let reason = format!(
                "成立日期{day}晚于交付日{}。处理：请核对后重新导出",
                reader.delivered
            );
            Outcome::unread(text, Fault::new("YB-2211", reason))
        }
        said => typed(said, text, "YB-2208", Value::Date),
    }
}

/// A word that is not in the lookup stays unread: a registration without a known status is neither active nor cancelled.
fn word(reader: &Reader<'_>, text: &str) -> Outcome {
    let known = reader
        .lookup
        .and_then(|lookup| lookup.get(&lookup_text(text)));
    match known {
        Some(word) => Outcome::value(Value::Text(word.clone())),
        None if reading::says_nothing(text) => Outcome::default(),
        None => {
            let reason = format!(
                "{}的写法不在对照表中，按未知处理。处理：确认含义后补入适配器的 [lookup]",
                reader.field.title()
            );
            Outcome::unread(text, Fault::new("YB-2207", reason))
        }
    }
}

fn free_text(field: Field, text: String) -> Outcome {
    // Names and addresses go out on letters: their brackets are full-width there, as on the licence, whatever the export did.
    let text = match field {
        Field::Name | Field::Address if text.contains(['(', ')']) => {
            text.replace('(', "（").replace(')', "）")
        }
        _ => text,
    };
    let most = chars_at_most(field);
    if text.chars().count() <= most {
        return Outcome::value(Value::Text(text));
    }
    let reason = format!("内容超过{most}字，只取前{most}字。处理：无需重报，请核对是否错列");
    Outcome::doubted(Value::Text(cut(&text, most)), Fault::new("YB-2214", reason))
}

/// An identifier that is no credit code: 单位编号, 许可证号, 行业代码, 行政区划.
fn other_code(cell: CellText<'_>, text: &str) -> Outcome {
    let normal = code::normal(text);
    if reading::is_scientific(text) || (cell.numeric && normal.len() > EXACT_DIGITS) {
        return Outcome::unread(text, lost_digits());
    }
    if normal.is_empty() {
        return Outcome::default();
    }
    if normal.chars().count() > CODE_CHARS {
        let reason = format!("编号超过{CODE_CHARS}个字符。处理：请核对是否错列");
        return Outcome::unread(text, Fault::new("YB-2203", reason));
    }
    Outcome::value(Value::Text(normal))
}

/// A digest instead of the identifier, which is kept nowhere. Letters count in upper case and blanks not at all, so that the same
/// person written two ways stays the same; a number that lost digits would make strangers equal.
fn pseudonym(reader: &Reader<'_>, cell: CellText<'_>, text: &str) -> Outcome {
    if cell.numeric || reading::is_scientific(text) {
        return Outcome {
            value: None,
            fault: Some(Fault::personal(
                "YB-2205",
                "证件号码以数值存放，末几位已经丢失，不作猜测。处理：单元格设为文本格式后重新导出",
            )),
        };
    }
    let normal = code::regular(text);
    if normal.is_empty() {
        return Outcome::default();
    }
    let digest = blake3::keyed_hash(reader.pseudonym_key, normal.as_bytes());
    let mut digits = String::with_capacity(PSEUDONYM_DIGITS);
    for byte in &digest.as_bytes()[..PSEUDONYM_DIGITS / 2] {
        for half in [byte >> 4, byte & 15] {
            digits.push(char::from(HEX[usize::from(half)]));
        }
    }
    Outcome::value(Value::Text(digits))
}

fn lost_digits() -> Fault {
    Fault::new(
        "YB-2205",
        "编号以数值存放，末几位已经丢失，不作猜测。处理：单元格设为文本格式后重新导出",
    )
}

/// A unified credit code, or what stands in its column and leads to it: an older tax id, an organisation code, the registration number
/// of a firm from before the credit codes.
fn credit_code(cell: CellText<'_>, text: &str) -> Outcome {
    if cell.numeric || reading::is_scientific(text) {
        return Outcome::unread(text, lost_digits());
    }
    if text.chars().count() > CODE_CHARS {
        let reason = format!("代码超过{CODE_CHARS}个字符。处理：请核对是否错列");
        return Outcome::unread(text, Fault::new("YB-2203", reason));
    }
    let examined = code::examine(cell.text);
    let normal = examined.normalized;
    let value = || Value::Text(normal.clone());
    let bad_check = || {
        Fault::new(
            "YB-2204",
            "代码校验位不符，暂予保留并标记。处理：请对照登记证照核对",
        )
    };
    match (examined.kind, examined.verdict, normal.len()) {
        (Kind::CitizenId, ..) => Outcome::unread(
            text,
            Fault::personal(
                "YB-2206",
                "代码栏填的是公民身份号码，不予采用。处理：改填统一社会信用代码；没有的不必报送",
            ),
        ),
        (
            Kind::CreditCode | Kind::TaxId | Kind::OrganisationCode | Kind::RegistrationNumber,
            CodeVerdict::Valid,
            _,
        ) => Outcome::value(value()),
        // All digits and three zeros at the end: a spreadsheet kept 15 digits and wrote it back as text.
        (Kind::CreditCode, CodeVerdict::BadCheck, 18)
            if normal.ends_with("000") && normal.bytes().all(|b| b.is_ascii_digit()) =>
        {
            Outcome::unread(text, lost_digits())
        }
        (Kind::CreditCode, CodeVerdict::BadCheck, 18) => Outcome::doubted(value(), bad_check()),
        (_, verdict, 15 | 20) if code::organisation_code_of(&normal).is_some() => {
            if verdict == CodeVerdict::Valid {
                Outcome::value(value())
            } else {
                Outcome::doubted(value(), bad_check())
            }
        }
        _ => {
            let hint = examined
                .suggestions
                .first()
                .map_or_else(String::new, |likely| format!("（可能是{likely}）"));
            let reason = format!(
                "不是18位统一社会信用代码，也不是可换算的税号{hint}。处理：请按登记证照核对后重新导出"
            );
            Outcome::unread(&normal, Fault::new("YB-2203", reason))
        }
    }
}

/// A citizen id in a column where nobody expects one (a slipped column) is not kept as unread text either. A readable text is
/// taken for one only when its check character holds: licence and unit numbers may look like the old 15-digit ids.
fn hide_citizen_ids(outcome: Outcome, text: &str) -> Outcome {
    let (is_suspect, must_hold) = match &outcome.value {
        Some(Value::Unread(_)) => (true, false),
        // Only what could pass its check is looked at: seventeen digits and the check character.
        Some(Value::Text(kept)) => (
            kept.len() == 18 && kept.bytes().take(17).all(|b| b.is_ascii_digit()),
            true,
        ),
        _ => (false, false),
    };
    if !is_suspect {
        return outcome;
    }
    let examined = code::examine(text);
    let is_held = !must_hold || examined.verdict == CodeVerdict::Valid;
    if examined.kind != Kind::CitizenId || !is_held {
        return outcome;
    }
    let reason = "此栏填的是公民身份号码，不予采用。处理：请核对是否错列";
    Outcome::unread(text, Fault::personal("YB-2206", reason))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn check(text: &str) {
        for field in Field::ALL {
            for unit in [MoneyUnit::Yuan, MoneyUnit::WanYuan, MoneyUnit::Fen] {
                let reader = Reader {
                    field: *field,
                    unit,
                    lookup: None,
                    delivered: jiff::civil::date(2026, 3, 18),
                    pseudonym_key: &KEY,
                };
                for numeric in [false, true] {
                    let cell = CellText { text, numeric };
                    let read = read(&reader, cell);
                    if let Some(found) = plain(&reader, cell) {
                        let expected = Outcome::value(found.into());
                        assert_eq!(read, expected, "{} {unit:?} {text}", field.name());
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_short_way_gives_what_the_long_way_gives(
            digits in "[0-9]{0,20}(\\.[0-9]{0,3})?",
            day in "[0-9]{4}[-/.][01]?[0-9][-/.][0-3]?[0-9]",
            text in "[0-9A-Z（(南阳市示例商贸)） -]{0,24}",
        ) {
            check(&digits);
            check(&day);
            check(&text);
        }
    }

    #[test]
    fn the_short_way_at_its_borders() {
        for text in [
            "0",
            "00",
            "007",
            "1",
            "999999999",
            "1000000000",
            "0.00",
            "0.5",
            "1.05",
            "141952.52",
            "1.005",
            ".50",
            "1.",
            "2023-04-01",
            "1900-01-01",
            "1899-12-31",
            "2200-12-31",
            "9999-12-31",
            "0000-00-00",
            "2023-02-29",
            "2026-03-19",
            "00012345678",
            "0377000000",
            "000000000000000",
            "1234567890123456",
            "11010519491231002X",
            "110105194912310021",
            "9.11522E+17",
            "-5",
            "+5",
            "一般项目：日用百货",
            "南阳示例（集团）有限公司",
            "南阳示例(集团)有限公司",
            "企业选择不公示",
            "未公示未公示未公示",
            "2025",
            "25",
        ] {
            check(text);
        }
    }
}
