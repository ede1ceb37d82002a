//! Texts of cells read as dates, months, counts and money, in every way departments write them. Pure.
//!
//! Every function takes a text already folded ([`crate::domain::text::fold`]): width, blanks and invisible characters are regular.
//! Money is computed in whole numbers only; a float never touches it.

use jiff::civil::Date;

use crate::domain::record::Month;

/// What the text of a cell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said<T> {
    /// This.
    Value(T),
    /// Nothing: empty, a dash, 未公示 — unknown, which is neither zero nor guilty.
    Nothing,
    /// Something that cannot be read: why, and the remedy, in Chinese.
    Unclear(&'static str),
}

/// A date at the beginning of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leading {
    /// A day.
    Day(Date),
    /// Only a month.
    Month(Month),
}

impl Leading {
    /// The day; of a month alone its last.
    #[must_use]
    pub fn last_day(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::Month(month) => month.last_day(),
        }
    }
}

/// Unit of a money column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyUnit {
    /// 元.
    Yuan,
    /// 万元.
    WanYuan,
    /// 分.
    Fen,
}

impl MoneyUnit {
    /// Names in adapters, in the order of the enum.
    pub const NAMES: [&'static str; 3] = ["yuan", "wan_yuan", "fen"];

    /// The unit with this name in adapters.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "yuan" => Some(Self::Yuan),
            "wan_yuan" => Some(Self::WanYuan),
            "fen" => Some(Self::Fen),
            _ => None,
        }
    }

    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Yuan => "元",
            Self::WanYuan => "万元",
            Self::Fen => "分",
        }
    }

    const fn fen(self) -> i128 {
        match self {
            Self::Yuan => 100,
            Self::WanYuan => 1_000_000,
            Self::Fen => 1,
        }
    }
}

/// More persons or vehicles than this in one firm is a slip: the city has fewer inhabitants.
pub const COUNT_AT_MOST: u64 = 10_000_000;

/// Ways of writing “nothing to say”.
const NOTHING: &[&str] = &[
    "",
    "-",
    "--",
    "---",
    "—",
    "——",
    "–",
    "/",
    "//",
    "\\",
    "\\N",
    "无",
    "空",
    "未公示",
    "不公示",
    "企业选择不公示",
    "未填",
    "未填报",
    "未填写",
    "未报",
    "未知",
    "不详",
    "暂无",
    "null",
    "NULL",
    "None",
    "NaN",
    "#N/A",
];

/// Ways of writing “no end”.
const OPEN_END: &[&str] = &[
    "长期",
    "永久",
    "长期有效",
    "永久有效",
    "无固定期限",
    "无期限",
    "长久",
];

/// Whether a text is one of the ways of saying nothing.
#[must_use]
pub fn says_nothing(text: &str) -> bool {
    // Most texts that are asked about are codes, and none of the ways begins with a digit.
    !text.starts_with(|c: char| c.is_ascii_digit()) && NOTHING.contains(&text)
}

/// Whether a spreadsheet has shortened a number to a mantissa and an exponent (`9.11522E+17`): digits are lost.
#[must_use]
pub fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else {
        return false;
    };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_mantissa = mantissa
        .strip_prefix('-')
        .unwrap_or(mantissa)
        .split_once('.')
        .is_some_and(|(whole, rest)| is_digits(whole) && is_digits(rest));
    // `1E5` without a point is also a legal piece of a code, so a plain mantissa needs the sign that spreadsheets write.
    let is_plain = is_digits(mantissa) && text.contains(['+', '-']);
    is_digits(exponent) && exponent.len() <= 3 && (is_mantissa || is_plain)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The digits at the beginning and what follows them.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

fn day_of(year: &str, month: &str, day: &str) -> Option<Date> {
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

fn month_of(year: &str, month: &str) -> Option<Month> {
    let month = Month {
        year: year.parse().ok()?,
        month: month.parse().ok()?,
    };
    (1..=12).contains(&month.month).then_some(month)
}

/// The date at the beginning of a text and what follows it: `20230401`, `20230401120000`, `202304`, `2023-4-1`, `2023/4/1`,
/// `2023.4.1`, `2023年4月1日`, `2023年4月`, `2023-04`.
#[must_use]
pub fn leading_date(text: &str) -> Option<(Leading, &str)> {
    let (first, rest) = digits(text);
    match first.len() {
        8 | 12 | 14 => Some((
            Leading::Day(day_of(&first[..4], &first[4..6], &first[6..8])?),
            rest,
        )),
        6 => Some((Leading::Month(month_of(&first[..4], &first[4..])?), rest)),
        4 => separated_date(first, rest),
        _ => None,
    }
}

fn separated_date<'t>(year: &str, rest: &'t str) -> Option<(Leading, &'t str)> {
    let rest = rest.trim_start();
    let mark = rest.chars().next().filter(|c| "年-/.".contains(*c))?;
    let (month, rest) = digits(rest[mark.len_utf8()..].trim_start());
    if !(1..=2).contains(&month.len()) {
        return None;
    }
    let after = rest.trim_start();
    let mark = if mark == '年' { '月' } else { mark };
    let Some(after) = after.strip_prefix(mark) else {
        return Some((Leading::Month(month_of(year, month)?), rest));
    };
    let (day, tail) = digits(after.trim_start());
    if !(1..=2).contains(&day.len()) {
        // `2026年3月` is whole; `2026-03-` is a torn date.
        return (mark == '月')
            .then(|| month_of(year, month).map(|month| (Leading::Month(month), after)))?;
    }
    let tail = tail
        .trim_start_matches(' ')
        .strip_prefix(['日', '号'])
        .unwrap_or(tail);
    Some((Leading::Day(day_of(year, month, day)?), tail))
}

/// Nothing, or a time of day as `00:00:00`, `T08:30:00.000+08:00`.
fn is_time(rest: &str) -> bool {
    let rest = rest.trim_start_matches(['T', ' ']);
    let (hour, after) = digits(rest);
    rest.is_empty()
        || ((1..=2).contains(&hour.len())
            && after.starts_with(':')
            && after
                .chars()
                .all(|c| c.is_ascii_digit() || ":.+-Z".contains(c)))
}

/// A day number of a spreadsheet (1900 system): 45017 is 2023-04-01. Five digits only — 1927 to 2173 — so that no year, month or
/// compact date is taken for one.
fn serial(text: &str) -> Option<Date> {
    let (whole, rest) = digits(text);
    if whole.len() != 5 || !(rest.is_empty() || rest.strip_prefix('.').is_some_and(is_digits)) {
        return None;
    }
    let days: i64 = whole.parse().ok().filter(|days| *days >= 10_000)?;
    // Day 1 is 1900-01-01, and the system counts a 1900-02-29 that never was: hence the 30th of December.
    Date::new(1899, 12, 30)
        .ok()?
        .checked_add(jiff::Span::new().try_days(days).ok()?)
        .ok()
}

fn is_zero_date(text: &str) -> bool {
    text.contains('0') && text.chars().all(|c| "0-/. :".contains(c))
}

/// A day. No end (长期, 9999-12-31) and empty dates are nothing.
#[must_use]
pub fn date(text: &str) -> Said<Date> {
    const UNCLEAR: &str = "日期无法识别。处理：请按“2023-04-01”格式填写";
    if says_nothing(text) || OPEN_END.contains(&text) || is_zero_date(text) {
        return Said::Nothing;
    }
    if let Some(day) = serial(text) {
        return Said::Value(day);
    }
    match leading_date(text) {
        Some((Leading::Day(day), rest)) if is_time(rest) => match day.year() {
            9999.. => Said::Nothing,
            1900..=2200 => Said::Value(day),
            _ => Said::Unclear("日期不在合理年份内。处理：请核对年份后重新导出"),
        },
        Some((Leading::Month(_), "")) => {
            Said::Unclear("日期只写到月份。处理：请补全到日，如“2023-04-01”")
        }
        _ => Said::Unclear(UNCLEAR),
    }
}

/// A day written as `2023-04-01`, `2023/4/1` or `2023.4.1` and nothing else: what [`date`] says of it, found sooner. `None`
/// says nothing.
#[must_use]
pub fn plain_day(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let number = |digits: &[u8]| -> Option<i16> {
        digits.iter().try_fold(0, |sum: i16, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + i16::from(byte - b'0'))
        })
    };
    let mark = *bytes.get(4).filter(|mark| b"-/.".contains(mark))?;
    let (month, day) =
        bytes[5..].split_at_checked(bytes[5..].iter().take(3).position(|byte| *byte == mark)?)?;
    let day = &day[1..];
    if month.is_empty() || day.is_empty() || day.len() > 2 {
        return None;
    }
    let year = number(&bytes[..4]).filter(|year| (1900..=2200).contains(year))?;
    let [month, day] = [month, day].map(|digits| number(digits).and_then(|n| i8::try_from(n).ok()));
    Date::new(year, month?, day?).ok()
}

/// A month: `202604`, `2026-04`, `2026年4月`, or the month of a day in it.
#[must_use]
pub fn month(text: &str) -> Said<Month> {
    if says_nothing(text) || is_zero_date(text) {
        return Said::Nothing;
    }
    let month = match leading_date(text) {
        Some((Leading::Month(month), "" | "份" | "期")) => Some(month),
        Some((Leading::Day(day), rest)) if is_time(rest) => Some(Month::of(day)),
        None => serial(text).map(Month::of),
        _ => None,
    };
    match month {
        Some(month) if (1990..=2100).contains(&month.year) => Said::Value(month),
        _ => Said::Unclear("所属期无法识别为一个月份。处理：请按“202604”格式逐月填写"),
    }
}

/// A decimal number as written: sign, digits before and after the point, thousands separators checked and taken out.
struct Decimal {
    is_negative: bool,
    whole: String,
    fraction: String,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix(['-', '−']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let mut groups = whole.split(',');
        let first = groups.next()?;
        let rest: Vec<&str> = groups.collect();
        let is_grouped =
            rest.is_empty() || (first.len() <= 3 && rest.iter().all(|group| group.len() == 3));
        let whole = whole.replace(',', "");
        (is_grouped && !first.is_empty() && is_digits(&whole) && is_digits(fraction)).then(|| {
            Self {
                is_negative,
                whole: whole.trim_start_matches('0').to_owned(),
                fraction: fraction.trim_end_matches('0').to_owned(),
            }
        })
    }
}

/// A count of persons or vehicles: `1,234`, `50人`, `12.0`; zero or more, at most [`COUNT_AT_MOST`].
#[must_use]
pub fn count(text: &str) -> Said<u64> {
    const UNITS: &[&str] = &["人", "名", "位", "个", "辆", "台", "户", "年度", "年"];
    if says_nothing(text) {
        return Said::Nothing;
    }
    if is_scientific(text) {
        return Said::Unclear(
            "数值成了科学计数法，位数已经丢失。处理：单元格设为数值格式后重新导出",
        );
    }
    let bare = UNITS
        .iter()
        .find_map(|unit| text.strip_suffix(unit))
        .unwrap_or(text)
        .trim_end();
    let Some(number) = Decimal::parse(bare) else {
        return Said::Unclear("不是一个确定的整数（区间、约数不能使用）。处理：请填写实际数");
    };
    if !number.fraction.is_empty() {
        return Said::Unclear("应为整数。处理：请填写实际数");
    }
    if number.whole.is_empty() {
        return Said::Value(0);
    }
    if number.is_negative {
        return Said::Unclear("不应为负数。处理：请核对后重新导出");
    }
    match number.whole.parse() {
        Ok(n) if n <= COUNT_AT_MOST => Said::Value(n),
        _ => Said::Unclear("数值大得不合理。处理：请核对是否错列或单位有误"),
    }
}

const CURRENCIES: &[&str] = &[
    "美元",
    "欧元",
    "港元",
    "港币",
    "日元",
    "英镑",
    "澳元",
    "加元",
    "加拿大元",
    "澳大利亚元",
    "新加坡元",
    "新台币",
    "台币",
    "韩元",
    "韩圆",
    "卢布",
    "法郎",
    "马克",
    "泰铢",
    "USD",
    "EUR",
    "HKD",
    "JPY",
    "GBP",
    "$",
    "€",
    "£",
    "外币",
];

/// Fen in one unit of money as written behind a figure.
fn fen_in(unit: &str) -> Option<i128> {
    Some(match unit {
        "分" => 1,
        "元" | "圆" | "元整" | "圆整" => 100,
        "千元" => 100_000,
        "万" | "万元" | "万元整" | "万圆" => 1_000_000,
        "百万元" => 100_000_000,
        "亿" | "亿元" => 10_000_000_000,
        _ => return None,
    })
}

/// Money in fen: `1,234.50`, `500万元`, `500万元(认缴)`, `305843.0395万元人民币`. A unit in the cell overrides the column's.
/// Exact to the fen; what lies beyond it (the tail of a spreadsheet's number) is rounded, halves away from zero.
#[must_use]
pub fn money(text: &str, column: MoneyUnit) -> Said<i64> {
    if says_nothing(text) {
        return Said::Nothing;
    }
    if CURRENCIES.iter().any(|currency| text.contains(currency)) {
        return Said::Unclear("金额为外币，不作换算。处理：请按人民币填写");
    }
    if is_scientific(text) {
        return Said::Unclear(
            "数值成了科学计数法，位数已经丢失。处理：单元格设为数值格式后重新导出",
        );
    }
    figure(text, column).map_or(
        Said::Unclear("金额无法识别。处理：请填写数字，单位与表头一致"),
        Said::Value,
    )
}

fn figure(text: &str, column: MoneyUnit) -> Option<i64> {
    const NATIONAL: &[&str] = &["人民币", "RMB", "CNY", "¥"];
    let strip = |text: &str| {
        NATIONAL
            .iter()
            .fold(text.to_owned(), |text, word| text.replace(word, ""))
            .replace(' ', "")
    };
    let text = strip(text);
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || "+-−.,".contains(c)))
        .unwrap_or(text.len());
    let (number, tail) = text.split_at(end);
    let (unit, remark) = tail.split_once('(').unwrap_or((tail, ""));
    if !remark.is_empty() && !remark.ends_with(')') {
        return None;
    }
    // `500(万元)`: the remark is the unit.
    let unit = if unit.is_empty() && fen_in(remark.trim_end_matches(')')).is_some() {
        remark.trim_end_matches(')')
    } else {
        unit
    };
    let factor = if unit.is_empty() {
        column.fen()
    } else {
        fen_in(unit)?
    };
    to_fen(&Decimal::parse(number)?, factor)
}

fn to_fen(number: &Decimal, factor: i128) -> Option<i64> {
    // 18 and 20 digits times the greatest factor stay far inside 128 bits.
    if number.whole.len() > 18 || number.fraction.len() > 20 {
        return None;
    }
    let value = |digits: &str| -> Option<i128> {
        if digits.is_empty() {
            Some(0)
        } else {
            digits.parse().ok()
        }
    };
    let scale = 10_i128.pow(u32::try_from(number.fraction.len()).ok()?);
    let whole = value(&number.whole)? * factor;
    let fraction = (value(&number.fraction)? * factor * 2 + scale) / (scale * 2);
    let fen = whole + fraction;
    i64::try_from(if number.is_negative { -fen } else { fen }).ok()
}

/// The unit a title line names (`单位：万元`, `金额单位:人民币元`); `None` when it names none that is money.
#[must_use]
pub fn unit_in_title(line: &str) -> Option<MoneyUnit> {
    line.match_indices("单位").find_map(|(at, label)| {
        let after = line[at + label.len()..].trim_start_matches(['为', ':', ' ']);
        let after = after.strip_prefix("人民币").unwrap_or(after);
        let end = after
            .find(|c: char| " ,;()、，；".contains(c))
            .unwrap_or(after.len());
        match &after[..end] {
            "元" => Some(MoneyUnit::Yuan),
            "万元" => Some(MoneyUnit::WanYuan),
            "分" => Some(MoneyUnit::Fen),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as day;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::text::fold;

    fn unclear<T>(said: &Said<T>) -> bool {
        matches!(said, Said::Unclear(reason) if reason.contains("处理："))
    }

    #[test]
    fn every_way_of_saying_nothing_is_found() {
        for text in NOTHING {
            assert!(says_nothing(text), "{text}");
        }
        assert!(!says_nothing("0") && !says_nothing("甲"));
    }

    #[test]
    fn dates_in_every_variant() {
        for text in [
            "20230401",
            "2023/4/1",
            "2023/04/01",
            "2023-04-01",
            "2023-04-01 00:00:00",
            "2023-4-1 9:30",
            "2023年4月1日",
            "2023年04月01日",
            "2023 年 4 月 1 日",
            "2023.4.1",
            "45017",
            "45017.5",
            "２０２３－０４－０１",
            " 2023-04-01\u{a0}",
            "2023-04-01T00:00:00",
            "2023-04-01T00:00:00.000+08:00",
            "20230401000000",
            "2023年4月1号",
        ] {
            assert_eq!(date(&fold(text)), Said::Value(day(2023, 4, 1)), "{text}");
        }
        for text in [
            "",
            "-",
            "/",
            "—",
            "长期",
            "永久",
            "9999-12-31",
            "99991231",
            "9999/12/31",
            "0000-00-00",
            "00000000",
            "0000-00-00 00:00:00",
            "0",
            "未公示",
            "NULL",
        ] {
            assert_eq!(date(&fold(text)), Said::Nothing, "{text}");
        }
        for text in [
            "202304",
            "2023",
            "2023-02-30",
            "20231301",
            "1823-04-01",
            "2023-04-01至2024-04-01",
            "去年",
            "4/1/2023",
            "2023-04-",
            "2023/4-1",
            "123",
            "2023-04-01 2023-05-01",
            "20230401x",
        ] {
            assert!(unclear(&date(&fold(text))), "{text}");
        }
    }

    #[test]
    fn months_in_every_variant() {
        let april = Month {
            year: 2026,
            month: 4,
        };
        for text in [
            "202604",
            "2026-04",
            "2026/4",
            "2026.4",
            "2026年4月",
            "2026年04月",
            "２０２６０４",
            "2026-04-01",
            "20260401",
            "2026年4月份",
            "2026-04-01 00:00:00",
            "46113",
        ] {
            assert_eq!(month(&fold(text)), Said::Value(april), "{text}");
        }
        for text in [
            "202613",
            "2026",
            "2026-01至2026-03",
            "2026年第一季度",
            "190001",
            "4月",
            "2026-01-01 2026-03-31",
            "202601-202603",
        ] {
            assert!(unclear(&month(&fold(text))), "{text}");
        }
        assert_eq!(month("-"), Said::Nothing);
    }

    #[test]
    fn counts_in_every_variant() {
        for (text, wanted) in [
            ("0", 0),
            ("-0", 0),
            ("12", 12),
            ("１２", 12),
            ("1,234", 1234),
            ("１，２３４", 1234),
            ("50人", 50),
            ("50 人", 50),
            ("007", 7),
            ("12.0", 12),
            ("2025年度", 2025),
            ("10,000,000", 10_000_000),
        ] {
            assert_eq!(count(&fold(text)), Said::Value(wanted), "{text}");
        }
        for text in ["", "-", "/", "未公示", "　", "——", "无"] {
            assert_eq!(count(&fold(text)), Said::Nothing, "{text}");
        }
        for text in [
            "1-49人",
            "10000人以上",
            "-3",
            "12.5",
            "10,000,001",
            "99999999999999999999999",
            "约50",
            "1,23",
            "1,2345",
            "一百",
            "1E+3",
            "50人左右",
            "3/5",
            ".5",
        ] {
            assert!(unclear(&count(&fold(text))), "{text}");
        }
    }

    #[test]
    fn money_to_the_fen() {
        use MoneyUnit::{Fen, WanYuan, Yuan};
        for (text, unit, wanted) in [
            ("0", Yuan, 0),
            ("1,234.50", Yuan, 123_450),
            ("1,234,567.00", Yuan, 123_456_700),
            ("1,234.50", WanYuan, 1_234_500_000),
            ("123", Fen, 123),
            ("500万元", Yuan, 500_000_000),
            ("500万元（认缴）", Yuan, 500_000_000),
            ("500（万元）", Yuan, 500_000_000),
            ("305843.0395万元人民币", Yuan, 305_843_039_500),
            ("人民币500元", WanYuan, 50_000),
            ("￥1,000", Yuan, 100_000),
            ("５００", Yuan, 50_000),
            ("1.5亿元", WanYuan, 15_000_000_000),
            ("-12.34", Yuan, -1234),
            ("0.0001", WanYuan, 100),
            ("0.1", Yuan, 10),
            ("0.29", Yuan, 29),
            ("1.005", Yuan, 101),
            ("1.0049999999999", Yuan, 100),
            ("-0.005", Yuan, -1),
            ("1234567.8900000001", Yuan, 123_456_789),
        ] {
            assert_eq!(
                money(&fold(text), unit),
                Said::Value(wanted),
                "{text} {unit:?}"
            );
        }
        for text in ["", "-", "未公示", "/"] {
            assert_eq!(money(&fold(text), Yuan), Said::Nothing, "{text}");
        }
        for text in [
            "6350万美元",
            "500（美元）",
            "USD 100",
            "1.2E+8",
            "100万元以上",
            "1-2万元",
            "约100万元",
            "一百万元",
            "99999999999999999999",
            "100000000000000000亿元",
            "100元/人",
            "1,23",
            "500万元（认缴",
            "万元",
            "1..2",
        ] {
            assert!(unclear(&money(&fold(text), Yuan)), "{text}");
        }
    }

    #[test]
    fn titles_name_their_unit() {
        for (line, wanted) in [
            ("数据截止日期:2026-03-18 单位:元", Some(MoneyUnit::Yuan)),
            ("单位：万元", Some(MoneyUnit::WanYuan)),
            (
                "填报单位:南阳市税务局 金额单位:人民币万元",
                Some(MoneyUnit::WanYuan),
            ),
            ("(单位:万元)", Some(MoneyUnit::WanYuan)),
            ("填报单位:元庄乡", None),
            ("单位:人", None),
            ("南阳市税务申报月度数据", None),
        ] {
            assert_eq!(unit_in_title(&fold(line)), wanted, "{line}");
        }
    }

    #[test]
    fn exponents_are_recognised() {
        for (text, wanted) in [
            ("9.11522E+17", true),
            ("9.11522e17", true),
            ("9E+17", true),
            ("91350100M000100Y43", false),
            ("1E5", false),
            ("12E345678", false),
            ("豫E+12", false),
            ("911522010783762860", false),
        ] {
            assert_eq!(is_scientific(text), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC{0,24}") {
            let text = fold(&text);
            let _ = (date(&text), month(&text), count(&text), money(&text, MoneyUnit::WanYuan), unit_in_title(&text), is_scientific(&text));
        }

        #[test]
        fn near_dates_do_not_panic(text in "[0-9年月日./: T-]{0,20}") {
            let _ = (date(&text), month(&text), leading_date(&text));
        }

        #[test]
        fn the_short_way_of_a_day_says_what_the_long_way_says(
            text in "(0000|18[0-9]{2}|19[0-9]{2}|2[0-3][0-9]{2}|9999|[0-9]{0,5})[-/.年]?[0-3]?[0-9]{0,3}[-/.]?[0-9]{0,3}[日 a]?",
        ) {
            if let Some(day) = plain_day(&text) {
                prop_assert_eq!(date(&text), Said::Value(day));
            }
        }

        #[test]
        fn every_day_is_read_back(days in 0_i64..80_000) {
            let wanted = day(1920, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            let (y, m, d) = (wanted.year(), wanted.month(), wanted.day());
            for text in [format!("{y}{m:02}{d:02}"), format!("{y}/{m}/{d}"), format!("{y}年{m}月{d}日"), wanted.to_string()] {
                prop_assert_eq!(date(&text), Said::Value(wanted));
                let is_plain = text.len() <= 10 && text.contains(['/', '-']);
                prop_assert_eq!(plain_day(&text).is_some(), is_plain);
            }
        }

        #[test]
        fn fen_are_kept(fen in -1_000_000_000_000_000_i64..1_000_000_000_000_000) {
            let text = format!("{}{}.{:02}", if fen < 0 { "-" } else { "" }, fen.abs() / 100, fen.abs() % 100);
            prop_assert_eq!(money(&text, MoneyUnit::Yuan), Said::Value(fen));
            prop_assert_eq!(money(&fen.to_string(), MoneyUnit::Fen), Said::Value(fen));
        }
    }
}
