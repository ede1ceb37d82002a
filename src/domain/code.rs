//! Identifiers: unified credit code (GB 32100-2015), organisation code (GB 11714-1997), registration number (GS 15-2006),
//! tax ids, citizen ids (GB 11643): recognised, checked, never silently repaired beyond width, case and blanks.

use std::borrow::Cow;

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

use crate::domain::record::mask;
use crate::domain::text::{is_invisible, is_regular};

/// What an identifier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 统一社会信用代码.
    CreditCode,
    /// 组织机构代码.
    OrganisationCode,
    /// 工商注册号.
    RegistrationNumber,
    /// 纳税人识别号 of an older shape.
    TaxId,
    /// 公民身份号码: personal; `normalized` is masked.
    CitizenId,
    /// Nothing known fits.
    Opaque,
}

impl Kind {
    /// As in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::CreditCode => "credit_code",
            Self::OrganisationCode => "organisation_code",
            Self::RegistrationNumber => "registration_number",
            Self::TaxId => "tax_id",
            Self::CitizenId => "citizen_id",
            Self::Opaque => "opaque",
        }
    }
}

/// Whether it passes its checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeVerdict {
    /// Form and check characters are right.
    Valid,
    /// The form is right, a check character is not (really issued codes of that kind exist: kept and flagged).
    BadCheck,
    /// The form is wrong.
    BadForm,
}

impl CodeVerdict {
    /// As in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::BadCheck => "bad_check",
            Self::BadForm => "bad_form",
        }
    }
}

/// The answer of [`examine`]; its JSON is the shape of `code check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Examined {
    /// As given (masked when it is a citizen id).
    pub input: String,
    /// What it is.
    pub kind: Kind,
    /// Whether it passes.
    pub verdict: CodeVerdict,
    /// Width, case and blanks made regular.
    pub normalized: String,
    /// What may have been meant; for a person to decide.
    pub suggestions: Vec<String>,
}

/// The 31 characters of GB 32100-2015 (no I, O, S, V, Z), by value.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// The value of a byte in [`ALPHABET`]; [`NONE`] outside it.
const VALUE: [u8; 256] = values();
const NONE: u8 = u8::MAX;
/// 3^(i-1) mod 31 (GB 32100-2015).
const WEIGHT: [u32; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];
/// Weights of GB 11714-1997.
const ORGANISATION_WEIGHT: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
/// Weights of GB 11643 (ISO 7064 MOD 11-2).
const CITIZEN_WEIGHT: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// More than a handful of suggestions helps nobody to decide.
const MOST_SUGGESTIONS: usize = 5;

const fn values() -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut i: u8 = 0;
    while i < 31 {
        values[ALPHABET[i as usize] as usize] = i;
        i += 1;
    }
    values
}

/// Recognises and checks one identifier.
#[must_use]
pub fn examine(input: &str) -> Examined {
    let code = regular(input);
    let (kind, verdict) = judge(code.as_bytes());
    if kind == Kind::CitizenId {
        let masked = mask(&code);
        return Examined {
            input: masked.clone(),
            kind,
            verdict,
            normalized: masked,
            suggestions: Vec::new(),
        };
    }
    let suggestions = if kind == Kind::CreditCode && verdict != CodeVerdict::Valid {
        suggestions(code.as_bytes())
    } else {
        Vec::new()
    };
    Examined {
        input: input.to_owned(),
        kind,
        verdict,
        normalized: code.into_owned(),
        suggestions,
    }
}

/// Whether a text is, as it stands, a credit code in which both checks hold (GB 32100-2015, GB 11714-1997): nearly every cell of a code
/// column is one, and nothing else needs to be found out about it.
#[must_use]
pub fn is_plain_credit_code(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase();
    text.len() == 18 && text.bytes().all(is_plain) && is_credit_code(text.as_bytes())
}

/// Width-folded, upper case, without blanks (also NBSP, U+3000, zero-width), leading apostrophe and hyphens.
#[must_use]
pub fn normal(input: &str) -> String {
    regular(input).into_owned()
}

/// The organisation code (9 characters) inside a credit code (its positions 9–17), a 15-, 18- or 20-character tax id, or the
/// code itself. `None` when nothing of the kind is inside: a citizen id, a registration number, a code that a spreadsheet has
/// cut to 15 digits (its organisation code would be another one).
#[must_use]
pub fn organisation_code_of(id: &str) -> Option<String> {
    // ASCII, by its form.
    organisation_bytes_of(id).map(|inner| String::from_utf8_lossy(&inner).into_owned())
}

/// The same without a copy: every row of every export is asked for it.
#[must_use]
pub fn organisation_bytes_of(id: &str) -> Option<Organisation> {
    let code = regular(id);
    let code = code.as_bytes();
    let inner = match code.len() {
        9 => code,
        15 => inner_of_15(code)?,
        18 => inner_of_18(code)?,
        20 => match split_20(code)? {
            bare if bare.len() == 15 => inner_of_15(bare)?,
            bare => inner_of_18(bare)?,
        },
        _ => return None,
    };
    let inner = <[u8; 9]>::try_from(inner).ok()?;
    has_organisation_form(&inner).then_some(inner)
}

/// The 9 characters of an organisation code (GB 11714): what identifiers of a firm have in common over their shapes.
pub type Organisation = [u8; 9];

/// What an identifier is worth for telling whose a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It passes its checks and holds this organisation code.
    Sound(Organisation),
    /// It has the form of one that holds this organisation code, but fails a check.
    Doubtful(Organisation),
    /// Something else: a registration number, a code that lost digits, nothing known.
    Opaque,
    /// Nothing.
    Blank,
}

impl Claim {
    /// The organisation code inside, sound or not.
    #[must_use]
    pub const fn organisation(self) -> Option<Organisation> {
        match self {
            Self::Sound(organisation) | Self::Doubtful(organisation) => Some(organisation),
            Self::Opaque | Self::Blank => None,
        }
    }
}

/// What an identifier is worth. A 15-digit number that may be a registration number as well as a tax id is doubtful.
#[must_use]
pub fn claim(id: &str) -> Claim {
    let code = regular(id);
    if code.is_empty() {
        return Claim::Blank;
    }
    let Some(inner) = organisation_bytes_of(&code) else {
        return Claim::Opaque;
    };
    let bytes = code.as_bytes();
    let bare = if bytes.len() == 20 {
        split_20(bytes).unwrap_or(bytes)
    } else {
        bytes
    };
    match judge(bare) {
        (Kind::CreditCode | Kind::TaxId | Kind::OrganisationCode, CodeVerdict::Valid) => {
            Claim::Sound(inner)
        }
        _ => Claim::Doubtful(inner),
    }
}

/// How many characters spreadsheets leave of a code: at most what a number holds, at least what says more than the county.
pub const KEPT_BY_SPREADSHEET: std::ops::RangeInclusive<usize> = 9..=15;

/// The first 15 characters of an all-digit code whose last three a spreadsheet has lost: 18 digits that fail a check and end in 000,
/// or in what a 64-bit float makes of them, or the exponential writing of one.
#[must_use]
pub fn kept_by_spreadsheet(id: &str) -> Option<String> {
    let code = regular(id);
    if let Some((mantissa, exponent)) = code.split_once("E+") {
        let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
        let is_code =
            exponent == "17" && is_digits(digits.as_bytes()) && mantissa.get(1..2) == Some(".");
        // Fewer than eight digits say no more than the county.
        return (is_code && (9..=18).contains(&digits.len()))
            .then(|| digits.chars().take(*KEPT_BY_SPREADSHEET.end()).collect());
    }
    let bytes = code.as_bytes();
    let is_number = bytes.len() == 18 && is_digits(bytes) && !is_credit_code(bytes);
    is_number
        .then(|| code.get(..15).map(str::to_owned))
        .flatten()
}

/// The check character of a credit code's first 17 characters; `None` when they are not 17 of its alphabet.
#[must_use]
pub fn credit_code_check(first_17: &str) -> Option<char> {
    let sum = credit_sum(first_17.as_bytes().try_into().ok()?)?;
    // The outer mod matters: remainder 0 gives the character 0.
    Some(char::from(ALPHABET[((31 - sum % 31) % 31) as usize]))
}

/// The check character of an organisation code's first 8 characters; `None` when they are not 8 digits or letters.
#[must_use]
pub fn organisation_check(first_8: &str) -> Option<char> {
    organisation_check_of(first_8.as_bytes()).map(char::from)
}

/// As [`normal`], without a copy where nothing is to be done.
#[must_use]
pub fn regular(input: &str) -> Cow<'_, str> {
    let is_clean = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase();
    // What stands where a code should may be a name: common hanzi stay as they are.
    let is_known = |b: u8| is_clean(b) || !b.is_ascii();
    if input.bytes().all(is_clean) || (input.bytes().all(is_known) && is_regular(input)) {
        return Cow::Borrowed(input);
    }
    Cow::Owned(made_regular(input))
}

fn made_regular(input: &str) -> String {
    let mut code = String::with_capacity(input.len());
    if input.is_ascii() {
        input.chars().for_each(|c| keep(c, &mut code));
    } else {
        input.nfkc().for_each(|c| keep(c, &mut code));
        // Marks that a dropped blank held apart change places when it is gone: what is regular must stay as it is.
        if !code.is_ascii() {
            code = code.nfkc().collect();
        }
    }
    code
}

fn keep(c: char, code: &mut String) {
    let is_hyphen = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    // A spreadsheet's mark for “this is text”.
    let is_mark = code.is_empty() && matches!(c, '\'' | '‘' | '’' | '`');
    if !(is_hyphen || is_mark || c.is_whitespace() || is_invisible(c)) {
        code.push(c.to_ascii_uppercase());
    }
}

fn judge(code: &[u8]) -> (Kind, CodeVerdict) {
    let opaque = (Kind::Opaque, CodeVerdict::BadForm);
    if !code.iter().all(u8::is_ascii_alphanumeric) {
        return opaque;
    }
    match code.len() {
        18 => judge_18(code),
        20 => split_20(code).map_or(opaque, |bare| match judge_bare(bare) {
            (Kind::CitizenId, verdict) => (Kind::CitizenId, verdict),
            (_, verdict) => (Kind::TaxId, verdict),
        }),
        17 if is_old_citizen(&code[..15]) => (Kind::CitizenId, CodeVerdict::BadForm),
        17 | 19 if matches!(&code[..2], b"91" | b"92" | b"93") => {
            (Kind::CreditCode, CodeVerdict::BadForm)
        }
        15 => judge_bare(code),
        // Numbers from before the renumbering of 2007.
        13 if is_digits(code) => (Kind::RegistrationNumber, CodeVerdict::BadForm),
        9 if has_organisation_form(code) => (Kind::OrganisationCode, inner_verdict(code)),
        _ => opaque,
    }
}

/// 15 or 18 characters, as they stand alone or before the zeros of a 20-character tax id.
fn judge_bare(code: &[u8]) -> (Kind, CodeVerdict) {
    if code.len() == 18 {
        return judge_18(code);
    }
    let inner = &code[6..];
    if is_registration_number(code) {
        (Kind::RegistrationNumber, CodeVerdict::Valid)
    } else if is_digits(&code[..6]) && holds_organisation_check(inner) {
        (Kind::TaxId, CodeVerdict::Valid)
    } else if is_old_citizen(code) {
        (Kind::CitizenId, CodeVerdict::BadForm)
    } else if is_digits(code) {
        // A registration number or a tax id: nothing says which, so it is neither.
        (Kind::Opaque, CodeVerdict::BadCheck)
    } else if is_digits(&code[..6]) && has_organisation_form(inner) {
        (Kind::TaxId, CodeVerdict::BadCheck)
    } else {
        (Kind::Opaque, CodeVerdict::BadForm)
    }
}

fn judge_18(code: &[u8]) -> (Kind, CodeVerdict) {
    if is_credit_code(code) {
        return (Kind::CreditCode, CodeVerdict::Valid);
    }
    if let Some(verdict) = citizen_verdict(code) {
        return (Kind::CitizenId, verdict);
    }
    // A letter may lead (A 军委, N 农业, Y 其他), but no enterprise has one: without its checks it is a slip.
    let form = code.iter().all(|&b| VALUE[b as usize] != NONE) && is_digits(&code[..8]);
    if form {
        (Kind::CreditCode, CodeVerdict::BadCheck)
    } else {
        (Kind::CreditCode, CodeVerdict::BadForm)
    }
}

/// Both checks hold: the outer of GB 32100 and the inner of GB 11714.
fn is_credit_code(code: &[u8]) -> bool {
    let Ok(code) = <&[u8; 18]>::try_from(code) else {
        return false;
    };
    is_digits(&code[2..8])
        && outer_remainder(code) == Some(0)
        && holds_organisation_check(&code[8..17])
}

/// 0 when the outer check holds.
fn outer_remainder(code: &[u8; 18]) -> Option<u32> {
    let [first @ .., last] = code;
    let last = u32::from(VALUE[*last as usize]);
    (last < 31)
        .then(|| credit_sum(first).map(|sum| (sum + last) % 31))
        .flatten()
}

fn credit_sum(first_17: &[u8; 17]) -> Option<u32> {
    let mut sum = 0;
    for (b, weight) in first_17.iter().zip(WEIGHT) {
        let value = VALUE[*b as usize];
        if value == NONE {
            return None;
        }
        sum += u32::from(value) * weight;
    }
    Some(sum)
}

fn organisation_check_of(first_8: &[u8]) -> Option<u8> {
    let first_8: &[u8; 8] = first_8.try_into().ok()?;
    let mut sum = 0;
    for (b, weight) in first_8.iter().zip(ORGANISATION_WEIGHT) {
        let value = match b {
            b'0'..=b'9' => b - b'0',
            b'A'..=b'Z' => b - b'A' + 10,
            _ => return None,
        };
        sum += u32::from(value) * weight;
    }
    Some(b"0X987654321"[(sum % 11) as usize])
}

fn has_organisation_form(code: &[u8]) -> bool {
    code.len() == 9
        && code[..8]
            .iter()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        && (code[8].is_ascii_digit() || code[8] == b'X')
}

fn holds_organisation_check(code: &[u8]) -> bool {
    code.len() == 9 && organisation_check_of(&code[..8]) == Some(code[8])
}

fn inner_verdict(code: &[u8]) -> CodeVerdict {
    if holds_organisation_check(code) {
        CodeVerdict::Valid
    } else {
        CodeVerdict::BadCheck
    }
}

fn is_digits(code: &[u8]) -> bool {
    code.iter().all(u8::is_ascii_digit)
}

/// GS 15-2006: ISO 7064 MOD 11,10 over 15 digits.
fn is_registration_number(code: &[u8]) -> bool {
    let [first @ .., last] = code else {
        return false;
    };
    if code.len() != 15 || !is_digits(code) {
        return false;
    }
    let mut p = 10;
    for b in first {
        let s = (p + u32::from(b - b'0')) % 10;
        p = if s == 0 { 10 } else { s } * 2 % 11;
    }
    (11 - p) % 10 == u32::from(last - b'0')
}

/// Of a citizen id (GB 11643); `None` when it is none. One with a wrong check character is still somebody's, so a province and a
/// birth date are enough to treat it as one.
fn citizen_verdict(code: &[u8]) -> Option<CodeVerdict> {
    let [first @ .., last] = code else {
        return None;
    };
    if code.len() != 18
        || !is_digits(first)
        || !(last.is_ascii_digit() || *last == b'X')
        || !matches!(number(&code[6..10]), 1900..=2099)
        || !is_day(&code[10..14])
    {
        return None;
    }
    let sum: u32 = first
        .iter()
        .zip(CITIZEN_WEIGHT)
        .map(|(b, weight)| u32::from(b - b'0') * weight)
        .sum();
    if b"10X98765432"[(sum % 11) as usize] == *last {
        // Also the ids of foreign residents, which begin with 9.
        Some(CodeVerdict::Valid)
    } else {
        is_province(code).then_some(CodeVerdict::BadCheck)
    }
}

/// The 15 digits of citizen ids before 1999: region, YYMMDD, number, without a check.
fn is_old_citizen(code: &[u8]) -> bool {
    code.len() == 15 && is_digits(code) && is_province(code) && is_day(&code[8..12])
}

fn is_province(code: &[u8]) -> bool {
    matches!(number(&code[..2]),
        11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83)
}

fn is_day(month_and_day: &[u8]) -> bool {
    matches!(number(&month_and_day[..2]), 1..=12) && matches!(number(&month_and_day[2..]), 1..=31)
}

/// Of a few digits.
fn number(digits: &[u8]) -> u32 {
    digits
        .iter()
        .fold(0, |n, b| n * 10 + u32::from(b.wrapping_sub(b'0')))
}

/// The id before the zeros of a 20-character tax id: 15 + `00000`, or 18 + two digits (`00`; further households `01`, `02`).
fn split_20(code: &[u8]) -> Option<&[u8]> {
    let long = code.get(..18)?;
    let is_long = is_credit_code(long) || citizen_verdict(long).is_some();
    if code.ends_with(b"00000") && !is_long {
        Some(&code[..15])
    } else {
        is_digits(&code[18..]).then_some(long)
    }
}

fn inner_of_15(code: &[u8]) -> Option<&[u8]> {
    let inner = &code[6..];
    match judge_bare(code) {
        (Kind::TaxId, _) => Some(inner),
        (Kind::RegistrationNumber, _) if holds_organisation_check(inner) => Some(inner),
        _ => None,
    }
}

fn inner_of_18(code: &[u8]) -> Option<&[u8]> {
    let usable = code.iter().all(u8::is_ascii_alphanumeric)
        && judge_18(code).0 == Kind::CreditCode
        && !is_cut_by_spreadsheet(code);
    usable.then(|| &code[8..17])
}

/// 18 digits ending in 000 that fail a check: a spreadsheet keeps 15 digits of a number.
fn is_cut_by_spreadsheet(code: &[u8]) -> bool {
    code.len() == 18 && is_digits(code) && code.ends_with(b"000") && !is_credit_code(code)
}

/// Valid codes that a slip of reading or typing may have turned into this one, likeliest first.
fn suggestions(code: &[u8]) -> Vec<String> {
    let Ok(code) = <[u8; 18]>::try_from(code) else {
        return of_other_length(code);
    };
    // Three digits are lost there: every guess would be another firm.
    if is_cut_by_spreadsheet(&code) {
        return Vec::new();
    }
    let mut found: Vec<[u8; 18]> = Vec::new();
    for base in replace_impossible(code) {
        if is_credit_code(&base) {
            note(&mut found, base);
        } else if outer_remainder(&base).is_some() {
            let mut slips = single_slips(&base);
            slips.sort_by_key(|(_, alike)| !alike);
            for (slip, alike) in slips {
                // On top of a replaced letter only a lookalike is likely.
                if alike || base == code {
                    note(&mut found, slip);
                }
            }
        }
    }
    found
        .into_iter()
        .map(|code| String::from_utf8_lossy(&code).into_owned())
        .collect()
}

/// Valid codes that one character more or less makes of this one: one was lost, or struck twice. What a doubled character explains
/// comes first.
fn of_other_length(code: &[u8]) -> Vec<String> {
    let mut found: Vec<[u8; 18]> = Vec::new();
    match code.len() {
        17 => {
            let with = |at: usize, b: u8| {
                let mut longer = [0; 18];
                longer[..at].copy_from_slice(&code[..at]);
                longer[at] = b;
                longer[at + 1..].copy_from_slice(&code[at..]);
                longer
            };
            // One of two equal characters is lost more easily than any other.
            let doubled = (0..17).map(|at| with(at, code[at]));
            let any = (0..18).flat_map(|at| ALPHABET.iter().map(move |b| with(at, *b)));
            for longer in doubled.chain(any) {
                if longer[0].is_ascii_digit() && is_credit_code(&longer) {
                    note(&mut found, longer);
                }
            }
        }
        19 => {
            let without = |at: usize| {
                let mut shorter = [0; 18];
                shorter[..at].copy_from_slice(&code[..at]);
                shorter[at..].copy_from_slice(&code[at + 1..]);
                shorter
            };
            let doubled = (1..19).filter(|at| code[*at] == code[*at - 1]);
            for shorter in doubled.chain(0..19).map(without) {
                if is_credit_code(&shorter) {
                    note(&mut found, shorter);
                }
            }
        }
        _ => {}
    }
    found
        .into_iter()
        .map(|code| String::from_utf8_lossy(&code).into_owned())
        .collect()
}

fn note(found: &mut Vec<[u8; 18]>, code: [u8; 18]) {
    if found.len() < MOST_SUGGESTIONS && !found.contains(&code) {
        found.push(code);
    }
}

/// The code with every letter that cannot stand in its place replaced by what it looks like; itself when there is none.
fn replace_impossible(code: [u8; 18]) -> Vec<[u8; 18]> {
    let mut bases = vec![code];
    for (i, &b) in code.iter().enumerate() {
        let meant: &[u8] = match b {
            b'O' => b"0",
            b'I' => b"1",
            b'Z' => b"2",
            b'S' => b"5",
            b'V' => b"UY",
            b'B' if i < 8 => b"8",
            b'G' if i < 8 => b"6",
            b'D' | b'Q' if i < 8 => b"0",
            b'L' if i < 8 => b"1",
            _ => continue,
        };
        // Two readings of each V; sixteen readings of one code are more than enough.
        let readings = if bases.len() < 16 { meant } else { &meant[..1] };
        bases = readings
            .iter()
            .flat_map(|&c| {
                bases.iter().map(move |base| {
                    let mut base = *base;
                    base[i] = c;
                    base
                })
            })
            .collect();
    }
    bases
}

/// Every valid code that differs in one character, and whether the two characters look alike. 31 is prime, so the outer check
/// leaves one possible character for each place.
fn single_slips(code: &[u8; 18]) -> Vec<([u8; 18], bool)> {
    let Some(off) = outer_remainder(code) else {
        return Vec::new();
    };
    let mut slips = Vec::new();
    for i in 0..18 {
        let weight = WEIGHT.get(i).copied().unwrap_or(1);
        let value = u32::from(VALUE[code[i] as usize]);
        let Some(meant) = (0..31).find(|new| (off + weight * (31 + new - value)) % 31 == 0) else {
            continue;
        };
        let mut slip = *code;
        slip[i] = ALPHABET[meant as usize];
        if slip != *code && is_digits(&slip[..1]) && is_credit_code(&slip) {
            slips.push((slip, look_alike(code[i], slip[i])));
        }
    }
    slips
}

fn look_alike(a: u8, b: u8) -> bool {
    let pair = if a < b { [a, b] } else { [b, a] };
    matches!(
        &pair,
        b"0D"
            | b"0Q"
            | b"0C"
            | b"DQ"
            | b"CG"
            | b"17"
            | b"1L"
            | b"1J"
            | b"1T"
            | b"2R"
            | b"38"
            | b"3B"
            | b"56"
            | b"6G"
            | b"8B"
            | b"69"
            | b"UW"
            | b"EF"
            | b"PR"
            | b"MN"
            | b"HN"
            | b"XY"
            | b"KX"
            | b"7T"
            | b"4A"
            | b"08"
            | b"06"
            | b"89"
    )
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    const VALID: &[&str] = &[
        "91350100M000100Y43",
        "91110000600037341L",
        "9135052155323005XL",
        "91310115591693856A",
        "91310110666007217T",
        "914403003429409755",
        "914403006990676707",
        "91440300L83341734R",
        "121200004013590816",
        "91152201078377449P",
        "911522010783762860",
        "91340600MA2PBM9HXD",
        "92340603MA2PBMCG0U",
        "914112810713741814",
        "92411381MA4FQYQ67Y",
        "92411302MA4EAJAFXR",
        "92411303MA9MWA7340",
        "91411303MA49U85BX9",
        "91411381MA4RHCMP9A",
        "93411302MA91HCCKXE",
        "92411371MA52KTRWX1",
        "914113022328776885",
    ];

    #[test]
    fn a_lost_or_doubled_character_is_suggested_and_never_repaired() {
        for &code in VALID {
            for at in 0..18 {
                let mut shorter = code.to_owned();
                shorter.remove(at);
                let mut longer = code.to_owned();
                longer.insert(at, code.as_bytes()[at].into());
                let seen = examine(&longer);
                assert_ne!(seen.verdict, CodeVerdict::Valid, "{longer}");
                if seen.kind == Kind::CreditCode {
                    assert_eq!(seen.suggestions[0], code, "{longer}");
                }
                let seen = examine(&shorter);
                assert_ne!(seen.verdict, CodeVerdict::Valid, "{shorter}");
                // Where two equal characters stood, the missing one is among those told first.
                let was_double = at > 0 && code.as_bytes()[at - 1] == code.as_bytes()[at];
                if seen.kind == Kind::CreditCode && was_double {
                    assert!(seen.suggestions.contains(&code.to_owned()), "{shorter}");
                }
            }
        }
    }

    #[test]
    fn an_identifier_claims_what_its_checks_allow() {
        let inner = |text: &str| <Organisation>::try_from(text.as_bytes()).unwrap();
        for (id, wanted) in [
            ("91350100M000100Y43", Claim::Sound(inner("M000100Y4"))),
            ("91350100m000100y43 ", Claim::Sound(inner("M000100Y4"))),
            ("350100M000100Y4", Claim::Sound(inner("M000100Y4"))),
            ("350100M000100Y400000", Claim::Sound(inner("M000100Y4"))),
            ("91350100M000100Y4300", Claim::Sound(inner("M000100Y4"))),
            ("M000100Y-4", Claim::Sound(inner("M000100Y4"))),
            // Issued with a wrong check character.
            ("91350211M00013FA1N", Claim::Doubtful(inner("M00013FA1"))),
            ("91350100M000100Y44", Claim::Doubtful(inner("M000100Y4"))),
            ("911522010783762000", Claim::Opaque),
            ("411300000012347", Claim::Opaque),
            ("11010519491231002X", Claim::Opaque),
            ("9.11522E+17", Claim::Opaque),
            ("无", Claim::Opaque),
            (" \u{3000}", Claim::Blank),
        ] {
            assert_eq!(claim(id), wanted, "{id:?}");
        }
    }

    #[test]
    fn what_a_spreadsheet_leaves_of_a_code_is_its_first_digits() {
        let kept = Some("911522010783762".to_owned());
        assert_eq!(kept_by_spreadsheet("911522010783762000"), kept);
        assert_eq!(kept_by_spreadsheet("911522010783762816"), kept);
        assert_eq!(kept_by_spreadsheet("9.11522010783762E+17"), kept);
        for nothing in [
            "911522010783762860",
            "9.11522E+17",
            "9.11522010783762E+18",
            "91350100M000100Y43",
            "",
        ] {
            assert_eq!(kept_by_spreadsheet(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn valid_credit_codes_pass_and_stay() {
        for &code in VALID {
            let seen = examine(code);
            assert_eq!(
                (seen.kind, seen.verdict),
                (Kind::CreditCode, CodeVerdict::Valid),
                "{code}"
            );
            assert_eq!(seen.normalized, code);
            assert!(seen.suggestions.is_empty());
            assert_eq!(
                credit_code_check(&code[..17]),
                code.chars().last(),
                "{code}"
            );
            assert_eq!(organisation_code_of(code).as_deref(), Some(&code[8..17]));
        }
        // Remainder 0 gives the character 0.
        assert_eq!(credit_code_check("92411303MA9MWA734"), Some('0'));
        for first in ["", "9241130", "92411303MA9MWA73O", "92411303MA9MWA7340"] {
            assert_eq!(credit_code_check(first), None, "{first}");
        }
    }

    #[test]
    fn each_identifier_is_told_by_its_form_and_check() {
        use CodeVerdict::{BadCheck, BadForm, Valid};
        use Kind::{CitizenId, CreditCode, Opaque, OrganisationCode, RegistrationNumber, TaxId};
        for (code, kind, verdict) in [
            ("12345", Opaque, BadForm),
            ("", Opaque, BadForm),
            ("A1110000600037341L", CreditCode, BadForm),
            ("9111000060003IOZSV", CreditCode, BadForm),
            ("91110000600037341N", CreditCode, BadCheck),
            ("91350211M00013FA1N", CreditCode, BadCheck),
            ("911522010783762000", CreditCode, BadCheck),
            ("9.11522E+17", Opaque, BadForm),
            ("91350100M000100Y4", CreditCode, BadForm),
            ("D2143569-X", OrganisationCode, Valid),
            ("55323005X", OrganisationCode, Valid),
            ("MA5AP9ET-2", OrganisationCode, Valid),
            ("D2143569-0", OrganisationCode, BadCheck),
            ("MA5AP9ET-5", OrganisationCode, BadCheck),
            ("110108000000016", RegistrationNumber, Valid),
            ("411300000012347", RegistrationNumber, Valid),
            ("411381100005670", RegistrationNumber, Valid),
            ("110108000000017", Opaque, BadCheck),
            ("4113002001234", RegistrationNumber, BadForm),
            // Positions 3–17 of a credit code.
            ("35052155323005X", TaxId, Valid),
            ("350521553230051", Opaque, BadCheck),
            ("411303MA49U85BX", TaxId, Valid),
            ("411303MA49U85B1", TaxId, BadCheck),
            ("35052155323005X00000", TaxId, Valid),
            ("91411303MA49U85BX900", TaxId, Valid),
            ("91411303MA49U85BX901", TaxId, Valid),
            ("91411303MA49U85BX800", TaxId, BadCheck),
            ("92411303MA9MWA734000", TaxId, Valid),
            ("11010519491231002X", CitizenId, Valid),
            ("110105194912310021", CitizenId, BadCheck),
            ("11010519491231002X00", CitizenId, Valid),
            ("110105491231003", CitizenId, BadForm),
            ("南阳宛东商贸有限公司", Opaque, BadForm),
        ] {
            let seen = examine(code);
            assert_eq!((seen.kind, seen.verdict), (kind, verdict), "{code}");
        }
    }

    #[test]
    fn width_blanks_and_case_are_repaired_and_nothing_else() {
        for code in [
            "９１３５０１００Ｍ０００１００Ｙ４３",
            "91 350100 M000100Y4 3",
            "91350100m000100y43",
            "91350100M000100Y43\t",
            "'91350100M000100Y43",
            "\u{feff}91350100M000100Y43\u{a0}",
            "91350100\u{3000}M000100\u{200b}Y43",
            "91350100-M000100Y4-3",
        ] {
            let seen = examine(code);
            assert_eq!(seen.normalized, "91350100M000100Y43", "{code:?}");
            assert_eq!(seen.verdict, CodeVerdict::Valid);
            assert_eq!(seen.input, code);
            assert_eq!(normal(code), seen.normalized);
        }
        for code in ["91350100MOOO1OOY43", "9111000060003IOZSV", "MA5AP9ET5"] {
            assert_eq!(normal(code), code);
        }
    }

    #[test]
    fn a_likely_slip_is_suggested_never_repaired() {
        let seen = examine("91350100MOOO1OOY43");
        assert_eq!(seen.verdict, CodeVerdict::BadForm);
        assert_eq!(seen.normalized, "91350100MOOO1OOY43");
        assert_eq!(seen.suggestions, ["91350100M000100Y43"]);

        for (code, meant) in [
            ("9I350100M000100Y43", "91350100M000100Y43"),
            ("9135O1OOM0001OOY43", "91350100M000100Y43"),
            ("91340600MA2P8M9HXD", "91340600MA2PBM9HXD"),
            ("9Z340603MAZPBMCG0V", "92340603MA2PBMCG0U"),
            ("91110000600037341N", "91110000600037341L"),
            ("92411303MA9MWA734O", "92411303MA9MWA7340"),
        ] {
            let seen = examine(code);
            assert!(seen.suggestions.iter().any(|s| s == meant), "{seen:?}");
            assert!(seen.suggestions.len() <= MOST_SUGGESTIONS);
        }
        // What a spreadsheet has cut off cannot be guessed.
        let cut = examine("911522010783762000");
        assert_eq!(cut.verdict, CodeVerdict::BadCheck);
        assert!(cut.suggestions.is_empty());
    }

    #[test]
    fn a_citizen_id_is_never_shown() {
        for code in [
            "11010519491231002X",
            " 11010519491231002x",
            "110105194912310021",
            "11010519491231002X00",
            "110105491231003",
        ] {
            let seen = examine(code);
            assert_eq!(seen.kind, Kind::CitizenId, "{code}");
            let shown = serde_json::to_string(&seen).expect("plain values");
            assert!(!shown.contains("491231"), "{shown}");
            assert!(seen.input.starts_with("110****"), "{shown}");
            assert_eq!(organisation_code_of(code), None);
        }
    }

    #[test]
    fn the_organisation_code_is_found_where_one_is() {
        for (id, inner) in [
            ("9135052155323005XL", Some("55323005X")),
            ("91 350521 55323005x L", Some("55323005X")),
            ("35052155323005X", Some("55323005X")),
            ("35052155323005X00000", Some("55323005X")),
            ("9135052155323005XL00", Some("55323005X")),
            ("55323005-X", Some("55323005X")),
            ("55323005X", Some("55323005X")),
            // Another region before the same code: a firm that moved.
            ("41130255323005X", Some("55323005X")),
            // A bad outer check is kept.
            ("91350211M00013FA1N", Some("M00013FA1")),
            ("91110000600037341N", Some("600037341")),
            // A registration number has none inside.
            ("110108000000016", None),
            ("110108000000017", None),
            ("911522010783762000", None),
            ("9111000060003IOZSV", None),
            ("12345", None),
            ("", None),
            ("南阳宛东商贸有限公司一二三四五六七八", None),
        ] {
            assert_eq!(organisation_code_of(id).as_deref(), inner, "{id}");
        }
    }

    #[test]
    fn the_organisation_check_is_that_of_the_standard() {
        for (first, check) in [
            ("D2143569", Some('X')),
            ("55323005", Some('X')),
            ("MA5AP9ET", Some('2')),
            ("d2143569", None),
            ("D214356", None),
        ] {
            assert_eq!(organisation_check(first), check, "{first}");
        }
    }

    prop_compose! {
        fn credit_code()(
            head in prop::sample::select(&["91", "92", "93"][..]),
            region in 110_000u32..660_000,
            body in "[0-9A-HJ-NPQRTUWXY]{8}",
        ) -> String {
            let inner = organisation_check(&body).expect("of its alphabet");
            let first = format!("{head}{region}{body}{inner}");
            let check = credit_code_check(&first).expect("of its alphabet");
            format!("{first}{check}")
        }
    }

    #[test]
    fn every_single_corruption_of_a_thousand_codes_is_noticed() {
        let mut state = 20_261_125_u64;
        let mut draw = |below: u64| {
            // Knuth's multiplier: the codes are the same in every run.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((state >> 33) % below).expect("small")
        };
        let mut checked = 0;
        for _ in 0..1000 {
            let mut first = ["91", "92", "93"][draw(3)].to_owned();
            let _ = write!(first, "41{:04}", 1300 + draw(100));
            let body: String = (0..8).map(|_| char::from(ALPHABET[draw(31)])).collect();
            first += &body;
            first.push(organisation_check(&body).expect("of its alphabet"));
            // X is a check character of organisation codes and of the alphabet too.
            let check = credit_code_check(&first).expect("of its alphabet");
            let code = format!("{first}{check}");
            assert_eq!(examine(&code).verdict, CodeVerdict::Valid, "{code}");
            for at in 0..18 {
                for to in (b'0'..=b'9').chain(b'A'..=b'Z') {
                    let mut slip = code.clone().into_bytes();
                    if slip[at] == to {
                        continue;
                    }
                    slip[at] = to;
                    let (kind, verdict) = judge(&slip);
                    assert!(
                        kind == Kind::CitizenId || verdict != CodeVerdict::Valid,
                        "{code} {at} {}",
                        char::from(to)
                    );
                    checked += 1;
                }
            }
        }
        assert_eq!(checked, 1000 * 18 * 35);
    }

    #[test]
    fn what_is_regular_stays_as_it_is() {
        for odd in ["\u{1e008}ﹲ", "Ａ\u{3000}ﹲ", "‘9１"] {
            let once = normal(odd);
            assert_eq!(normal(&once), once, "{odd:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_regular_is_not_made_otherwise(text in "[0-9A-Z一-龥、。《》]{0,12}[a ，-]?[가-힣一-龥Ⅳ]{0,2}") {
            prop_assert_eq!(regular(&text).into_owned(), made_regular(&text));
        }

        #[test]
        fn a_made_code_is_valid_and_its_legacy_tax_id_has_the_same_organisation_code(code in credit_code()) {
            let seen = examine(&code.to_lowercase());
            prop_assert_eq!(seen.verdict, CodeVerdict::Valid);
            prop_assert_eq!(&seen.normalized, &code);
            prop_assert_eq!(organisation_code_of(&code[2..17]), organisation_code_of(&code));
        }

        #[test]
        fn every_single_slip_is_noticed_and_every_suggestion_is_valid(
            code in credit_code(),
            at in 0usize..18,
            to in prop::sample::select(&ALPHABET[..]),
        ) {
            let mut slip = code.clone().into_bytes();
            prop_assume!(slip[at] != to);
            slip[at] = to;
            let seen = examine(std::str::from_utf8(&slip).expect("ASCII"));
            prop_assert!(seen.kind == Kind::CitizenId || seen.verdict != CodeVerdict::Valid);
            for suggestion in &seen.suggestions {
                prop_assert!(is_credit_code(suggestion.as_bytes()));
            }
        }

        #[test]
        fn nothing_panics(input in "\\PC{0,24}|[0-9A-Z]{9,21}|[0-9]{9,21}") {
            let seen = examine(&input);
            prop_assert!(seen.suggestions.len() <= MOST_SUGGESTIONS);
            prop_assert_eq!(normal(&seen.normalized), seen.normalized.clone());
            let _ = organisation_code_of(&input);
        }
    }
}
