//! What the values of a column say it may be. Pure.

use crate::adapter::draft::sample::Column;
use crate::adapter::reading::{self, MoneyUnit, Said};
use crate::adapter::row::Cell;
use crate::domain::code::{self, CodeVerdict, Kind};
use crate::domain::record::{Field, FieldType, mask};
use crate::domain::text::fold;

/// Share of values that must be readable as a field for a heading to be believed.
pub const FIT_AT_LEAST: f64 = 0.5;
/// Share of values from which a column without a known heading is taken for what it looks like.
const CERTAIN: f64 = 0.8;
/// Characters of a masked sample value.
const SHOWN_CHARS: usize = 24;

/// How well the values of a column suit a field, 0 to 1; 1 when there are none.
#[must_use]
pub fn fit(field: Field, column: &Column) -> f64 {
    let share = |is: &dyn Fn(&Cell) -> bool| column.share(is).unwrap_or(1.0);
    match field {
        Field::CreditCode | Field::HeadOfficeCode => {
            share(&|cell| is_code(&cell.text) || cell.numeric)
        }
        Field::Email => share(&|cell| cell.text.contains('@')),
        Field::Phone => share(&|cell| cell.text.chars().filter(|c| c.is_numeric()).count() >= 7),
        Field::Name => share(&|cell| !fold(&cell.text).is_ascii()),
        _ => match field.field_type() {
            FieldType::Count => share(&|cell| said(&reading::count(&fold(&cell.text)))),
            FieldType::Money => {
                share(&|cell| said(&reading::money(&fold(&cell.text), MoneyUnit::Yuan)))
            }
            FieldType::Date => share(&|cell| said(&reading::date(&fold(&cell.text)))),
            FieldType::Month => share(&|cell| said(&reading::month(&fold(&cell.text)))),
            // A closed vocabulary has few words; names and addresses are no status.
            FieldType::Word => f64::from(u8::from(!column.is_open)),
            FieldType::Code | FieldType::Text => 1.0,
            // A person decides that one is kept.
            FieldType::Pseudonym => 0.0,
        },
    }
}

fn said<T>(said: &Said<T>) -> bool {
    !matches!(said, Said::Unclear(_))
}

fn is_code(text: &str) -> bool {
    let examined = code::examine(text);
    match examined.kind {
        Kind::CreditCode => true,
        Kind::TaxId | Kind::OrganisationCode => examined.verdict == CodeVerdict::Valid,
        _ => code::organisation_code_of(&examined.normalized).is_some(),
    }
}

fn is_citizen_id(text: &str) -> bool {
    let examined = code::examine(text);
    examined.kind == Kind::CitizenId && examined.verdict == CodeVerdict::Valid
}

fn is_mobile(text: &str) -> bool {
    let digits: String = fold(text).chars().filter(char::is_ascii_digit).collect();
    digits.len() == 11 && digits.starts_with('1')
}

/// Whether the values are those of persons, whatever the heading says.
#[must_use]
pub fn is_personal(column: &Column) -> bool {
    column
        .share(|cell| is_citizen_id(&cell.text))
        .is_some_and(|share| share >= FIT_AT_LEAST)
}

/// Whether the values can only be unified credit codes.
#[must_use]
pub fn is_credit_code(column: &Column) -> bool {
    column
        .share(|cell| {
            let examined = code::examine(&cell.text);
            examined.kind == Kind::CreditCode && examined.verdict == CodeVerdict::Valid
        })
        .is_some_and(|share| share >= CERTAIN)
}

/// What a column looks like, in a word, for the person who decides about it.
#[must_use]
pub fn appearance(column: &Column) -> &'static str {
    let mostly = |is: &dyn Fn(&str) -> bool| {
        column
            .share(|cell| is(&fold(&cell.text)))
            .is_some_and(|share| share >= CERTAIN)
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if column.values.is_empty() {
        "样本中全为空"
    } else if !column.is_open && column.words.len() == 1 && column.filled > 2 {
        "每行都一样"
    } else if mostly(&|text| is_citizen_id(text)) {
        "公民身份号码"
    } else if mostly(&|text| is_code(text)) {
        "代码"
    } else if mostly(&|text| is_mobile(text)) {
        "手机号码"
    } else if mostly(&|text| matches!(reading::date(text), Said::Value(_))) {
        "日期"
    } else if mostly(&|text| text.len() == 6 && matches!(reading::month(text), Said::Value(_))) {
        "月份"
    } else if mostly(&|text| {
        !digits(text) && matches!(reading::money(text, MoneyUnit::Yuan), Said::Value(_))
    }) {
        "金额或小数"
    } else if mostly(&digits) {
        "数字"
    } else if !column.is_open && column.words.len() <= 12 && column.filled > 12 {
        "少数几种写法"
    } else {
        "文字"
    }
}

/// A sample value of a column, masked.
#[must_use]
pub fn masked(column: &Column) -> String {
    let value = column.values.first().map(|cell| fold(&cell.text));
    let shown: String = mask(&value.unwrap_or_default());
    shown.chars().take(SHOWN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[&str]) -> Column {
        Column {
            heading: "列".into(),
            filled: values.len() as u64,
            values: values
                .iter()
                .map(|text| Cell {
                    text: (*text).to_owned(),
                    numeric: false,
                })
                .collect(),
            ..Column::default()
        }
    }

    #[test]
    fn values_say_what_a_column_may_be() {
        for (field, values, fits) in [
            (
                Field::CreditCode,
                &["91350100M000100Y43", "91411303MA49U85BX9"][..],
                true,
            ),
            (Field::CreditCode, &["南阳甲公司", "南阳乙公司"], false),
            (Field::Founded, &["2020-01-02", "2021年3月4日", "-"], true),
            (Field::Founded, &["甲", "乙"], false),
            (Field::Month, &["202601", "2026年02月"], true),
            (Field::Employees, &["12", "１", "3人"], true),
            (Field::Employees, &["12万元", "3.5"], false),
            (Field::Revenue, &["12,345.60", "500万元"], true),
            (Field::Name, &["南阳甲公司"], true),
            (Field::Name, &["1234"], false),
            (Field::Phone, &["0377-00000000"], true),
            (Field::Phone, &["张示例"], false),
            (Field::Address, &[], true),
        ] {
            assert_eq!(
                fit(field, &column(values)) >= FIT_AT_LEAST,
                fits,
                "{field:?} {values:?}"
            );
        }
    }

    #[test]
    fn what_stays_unknown_is_described_and_masked() {
        for (values, wanted) in [
            (&[][..], "样本中全为空"),
            (&["2020-01-02", "2020/1/3"], "日期"),
            (&["19900000001", "19900000002"], "手机号码"),
            (&["12", "13"], "数字"),
            (&["12.5", "1,300.00"], "金额或小数"),
            (&["甲路1号", "乙路2号"], "文字"),
        ] {
            assert_eq!(appearance(&column(values)), wanted, "{values:?}");
        }
        assert_eq!(masked(&column(&["示例"])), "**");
        assert_eq!(masked(&column(&["19900000001"])), "199****01");
    }
}
