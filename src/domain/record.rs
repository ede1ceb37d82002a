//! The canonical record: what one row of a department's export says, in our words and units.
//!
//! A record is a sorted list of fields. Each field is declared once, here, with its type, the
//! furthest audience that may see it and its Chinese title; everything else (mapping, change
//! tracking, renderers) goes by these declarations.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::code;
use crate::domain::fields::{Fields, Refill};
use crate::domain::finding::Insurance;

/// Version of the normaliser, hashed into every fingerprint: raised when the same raw row would
/// give another canonical record, so that old fingerprints never pass as equal.
pub const NORMALISER: u8 = 1;

/// What kind of export a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// 市场监管登记信息 (with the annual report's figures where the export carries them).
    Registration,
    /// 税务: paying filers of wages, heads, revenue, assets of one month.
    Tax,
    /// 交通运输: licences of taxi, ride-hailing and road transport.
    Transport,
    /// 参保登记册: unit × insurance kind × month with registered and paying heads.
    InsuredRoll,
}

/// The furthest audience a field may be shown to; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// 公共业务科 and 信息科 of the centre only.
    Section,
    /// The county agency the case belongs to.
    County,
    /// The enterprise itself.
    Firm,
    /// Anybody.
    Public,
}

/// How a field's text is read and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// An identifier: width-folded, upper case, no blanks.
    Code,
    /// Free text, trimmed and width-folded.
    Text,
    /// Persons, vehicles: a whole number, zero or more.
    Count,
    /// Money, kept in fen (分); the adapter names the unit of the column.
    Money,
    /// A calendar day.
    Date,
    /// A calendar month (费款所属期).
    Month,
    /// A word of a closed vocabulary, reached through the adapter's lookup.
    Word,
    /// A personal identifier of which only a keyed digest is kept: equal persons stay equal, nobody can be read from it
    /// (Personal Information Protection Law, art. 51: 去标识化).
    Pseudonym,
}

macro_rules! fields {
    ($($variant:ident = $id:literal, $name:literal, $title:literal, $type:ident, $audience:ident;)*) => {
        /// A canonical field. The number is its identity in stored data and is never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Field { $(#[doc = $title] $variant = $id,)* }

        impl Field {
            /// Every field, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The name in adapters and JSON.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name,)* } }
            /// The Chinese title for staff.
            #[must_use]
            pub const fn title(self) -> &'static str { match self { $(Self::$variant => $title,)* } }
            /// How its text is read.
            #[must_use]
            pub const fn field_type(self) -> FieldType { match self { $(Self::$variant => FieldType::$type,)* } }
            /// The furthest audience that may see it.
            #[must_use]
            pub const fn audience(self) -> Audience { match self { $(Self::$variant => Audience::$audience,)* } }
        }
    };
}

fields! {
    CreditCode = 1, "credit_code", "统一社会信用代码", Code, Public;
    Name = 2, "name", "名称", Text, Public;
    Status = 3, "status", "状态", Word, Public;
    IndustryCode = 4, "industry_code", "行业代码", Code, County;
    Founded = 5, "founded", "成立日期", Date, Public;
    Approved = 6, "approved", "核准日期", Date, County;
    Region = 7, "region", "登记机关行政区划", Code, Public;
    Address = 8, "address", "住所", Text, Public;
    Phone = 9, "phone", "联系电话", Text, County;
    Email = 10, "email", "电子邮箱", Text, County;
    BusinessScope = 11, "business_scope", "经营范围", Text, Public;
    HeadOfficeCode = 12, "head_office_code", "隶属企业信用代码", Code, County;
    ReportYear = 13, "report_year", "年报年度", Count, Section;
    Employees = 14, "employees", "从业人数", Count, Section;
    Revenue = 15, "revenue", "营业收入", Money, Section;
    Assets = 16, "assets", "资产总额", Money, Section;
    Month = 17, "month", "所属期", Month, County;
    Filers = 18, "filers", "工资薪金个税申报人数", Count, Section;
    LicenceKind = 19, "licence_kind", "许可类别", Word, County;
    LicenceNumber = 20, "licence_number", "许可证号", Code, County;
    LicenceUntil = 21, "licence_until", "许可证有效期止", Date, County;
    Vehicles = 22, "vehicles", "车辆数", Count, County;
    Drivers = 23, "drivers", "驾驶员数", Count, County;
    UnitNumber = 24, "unit_number", "单位编号", Code, County;
    Agency = 25, "agency", "经办机构", Text, County;
    Insurance = 26, "insurance", "险种", Word, County;
    RegisteredHeads = 27, "registered_heads", "参保人数", Count, County;
    PayingHeads = 28, "paying_heads", "缴费人数", Count, County;
    UnitState = 29, "unit_state", "单位参保状态", Word, County;
    Township = 30, "township", "所属乡镇街道", Text, County;
    Effective = 31, "effective", "生效日期", Date, County;
    Representative = 32, "representative", "法定代表人标识（去标识化）", Pseudonym, Section;
    RegisteredCapital = 33, "registered_capital", "注册资本", Money, Section;
    RegistrationAuthority = 34, "registration_authority", "登记机关", Text, Public;
    RegistrationNumber = 35, "registration_number", "工商注册号", Code, Public;
    FormerNames = 36, "former_names", "曾用名", Text, Public;
    IndustryName = 37, "industry_name", "行业名称", Text, County;
}

/// Some fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSet(u64);

impl FieldSet {
    /// All that there are.
    pub const ALL: Self = Self(u64::MAX);

    /// These.
    #[must_use]
    pub const fn of(fields: &[Field]) -> Self {
        let (mut set, mut at) = (0, 0);
        while at < fields.len() {
            set |= Self::bit(fields[at]);
            at += 1;
        }
        Self(set)
    }

    const fn bit(field: Field) -> u64 {
        1 << (field as u32)
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a field is among them.
    #[must_use]
    pub const fn has(self, field: Field) -> bool {
        self.0 & Self::bit(field) != 0
    }
}

impl Field {
    /// The field with this name in adapters and JSON.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }

    fn by_id(id: u8) -> Option<Self> {
        // The numbers go up by one, which a test says.
        Self::ALL.get(usize::from(id).checked_sub(1)?).copied()
    }

    /// The canonical words of a [`FieldType::Word`] field; empty for the others.
    #[must_use]
    pub const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Status => &[
                "active",
                "suspended",
                "revoked",
                "liquidating",
                "moved",
                "cancelled",
                "abnormal",
                "unclear",
            ],
            Self::Insurance => &["pension", "unemployment", "work_injury"],
            Self::UnitState => &["normal", "suspended", "terminated"],
            Self::LicenceKind => &["ride_hailing", "taxi", "road_freight", "online_freight"],
            _ => &[],
        }
    }

    /// What staff call a canonical word of this field; `None` for a word that is not one of [`Self::words`].
    #[must_use]
    pub fn word_title(self, word: &str) -> Option<&'static str> {
        Some(match (self, word) {
            (Self::Status, "active") => "存续",
            (Self::Status, "suspended") => "停业（歇业）",
            (Self::Status, "revoked") => "吊销未注销",
            (Self::Status, "liquidating") => "清算",
            (Self::Status, "moved") => "迁出",
            (Self::Status, "cancelled") => "注销",
            (Self::Status, "abnormal") => "非正常",
            (Self::Status, "unclear") => "待核实",
            (Self::Insurance, word) => Insurance::by_word(word)?.title(),
            (Self::UnitState, "normal") => "正常参保",
            (Self::UnitState, "suspended") => "暂停",
            (Self::UnitState, "terminated") => "终止",
            (Self::LicenceKind, "ride_hailing") => "网络预约出租汽车经营许可",
            (Self::LicenceKind, "taxi") => "巡游出租汽车经营许可",
            (Self::LicenceKind, "road_freight") => "道路货物运输经营许可",
            (Self::LicenceKind, "online_freight") => "网络平台道路货物运输经营许可",
            _ => return None,
        })
    }

    /// A value of this field as staff read it: words by their titles, money in 元, contacts masked.
    #[must_use]
    pub fn shown(self, value: &Value) -> String {
        let text = value.to_string();
        if matches!(value, Value::Money(_)) {
            return format!("{text}元");
        }
        match self.word_title(&text) {
            Some(title) => title.to_owned(),
            None if self.masked() => mask(&text),
            None => text,
        }
    }

    /// Whether only a mask may be shown outside the archive and the contact itself.
    #[must_use]
    pub const fn masked(self) -> bool {
        matches!(self, Self::Phone | Self::Email)
    }
}

impl RecordKind {
    /// The fields a record of this kind may carry.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        use Field as F;
        match self {
            Self::Registration => &[
                F::CreditCode,
                F::Name,
                F::Status,
                F::IndustryCode,
                F::Founded,
                F::Approved,
                F::Region,
                F::Address,
                F::Township,
                F::Phone,
                F::Email,
                F::BusinessScope,
                F::HeadOfficeCode,
                F::ReportYear,
                F::Employees,
                F::Revenue,
                F::Assets,
                F::Effective,
                F::Representative,
                F::RegisteredCapital,
                F::RegistrationAuthority,
                F::RegistrationNumber,
                F::FormerNames,
                F::IndustryName,
            ],
            Self::Tax => &[
                F::CreditCode,
                F::Name,
                F::Status,
                F::Month,
                F::Filers,
                F::Employees,
                F::Revenue,
                F::Assets,
                F::IndustryCode,
                F::Phone,
                F::Effective,
                F::Representative,
                F::IndustryName,
            ],
            Self::Transport => &[
                F::CreditCode,
                F::Name,
                F::LicenceKind,
                F::LicenceNumber,
                F::LicenceUntil,
                F::Vehicles,
                F::Drivers,
                F::Region,
                F::Phone,
                F::Status,
                F::Effective,
            ],
            Self::InsuredRoll => &[
                F::UnitNumber,
                F::CreditCode,
                F::Name,
                F::Agency,
                F::Insurance,
                F::Month,
                F::RegisteredHeads,
                F::PayingHeads,
                F::UnitState,
                F::Effective,
            ],
        }
    }

    /// The fields that make the key of a record; an adapter must map and require each.
    #[must_use]
    pub const fn key(self) -> &'static [Field] {
        use Field as F;
        match self {
            Self::Registration => &[F::CreditCode],
            Self::Tax => &[F::CreditCode, F::Month],
            Self::Transport => &[F::CreditCode, F::LicenceNumber],
            Self::InsuredRoll => &[F::UnitNumber, F::Insurance, F::Month],
        }
    }

    /// The name in adapters and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Tax => "tax",
            Self::Transport => "transport",
            Self::InsuredRoll => "insured_roll",
        }
    }
}

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// Four-digit year.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
}

impl Month {
    /// The month a day lies in.
    #[must_use]
    pub fn of(day: Date) -> Self {
        Self {
            year: day.year(),
            month: day.month(),
        }
    }

    /// `n` months later (earlier when negative).
    #[must_use]
    pub fn plus(self, n: i32) -> Self {
        let index = i32::from(self.year) * 12 + i32::from(self.month) - 1 + n;
        Self {
            year: i16::try_from(index.div_euclid(12)).unwrap_or(i16::MAX),
            month: i8::try_from(index.rem_euclid(12) + 1).unwrap_or(1),
        }
    }

    /// `2026年3月`, for staff.
    #[must_use]
    pub fn title(self) -> String {
        format!("{}年{}月", self.year, self.month)
    }

    /// Its first day.
    #[must_use]
    pub fn first_day(self) -> Date {
        Date::new(self.year, self.month, 1).unwrap_or(Date::MIN)
    }

    /// Its last day.
    #[must_use]
    pub fn last_day(self) -> Date {
        self.first_day().last_of_month()
    }

    /// Reads `2026-03`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        if !year
            .bytes()
            .chain(month.bytes())
            .all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let month = Self {
            year: year.parse().ok()?,
            month: month.parse().ok()?,
        };
        (year.len() == 4 && (1..=12).contains(&month.month)).then_some(month)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl Serialize for Month {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("{text:?} is not a month such as 2026-03"))
        })
    }
}

/// One value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Code, text or word.
    Text(String),
    /// A whole number.
    Count(u64),
    /// Money in fen (分). 1 万元 = 1,000,000 fen.
    Money(i64),
    /// A calendar day.
    Date(Date),
    /// A calendar month.
    Month(Month),
    /// An optional value that could not be read: kept as normalised text so that its change is seen;
    /// every typed accessor treats it as unknown.
    Unread(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Unread(text) => f.write_str(text),
            Self::Count(n) => write!(f, "{n}"),
            Self::Money(fen) => write!(
                f,
                "{}{}.{:02}",
                if *fen < 0 { "-" } else { "" },
                fen.unsigned_abs() / 100,
                fen.unsigned_abs() % 100
            ),
            Self::Date(day) => write!(f, "{day}"),
            Self::Month(month) => write!(f, "{month}"),
        }
    }
}

impl Value {
    /// As JSON for `changes`, `preview` and `enterprise`: counts and money (yuan) as numbers, the rest as text.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Count(n) => (*n).into(),
            #[allow(
                clippy::cast_precision_loss,
                reason = "shown figures; exact to the fen below 90 万亿元"
            )]
            Self::Money(fen) => (*fen as f64 / 100.0).into(),
            other => other.to_string().into(),
        }
    }
}

/// One canonical record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The kind of export it came from.
    pub kind: RecordKind,
    /// Its fields, sorted.
    pub fields: Fields,
}

impl Record {
    /// An empty record.
    #[must_use]
    pub const fn new(kind: RecordKind) -> Self {
        Self {
            kind,
            fields: Fields::new(),
        }
    }

    /// The key: the key fields' values joined by `|`. Unique within a source.
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = String::new();
        for (i, field) in self.kind.key().iter().enumerate() {
            if i > 0 {
                key.push('|');
            }
            if let Some(value) = self.fields.get(field) {
                key.push_str(&value.to_string());
            }
        }
        key
    }

    /// A text, code or word; `None` when absent or unread.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<&str> {
        match self.fields.get(&field) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// A count; `None` when absent or unread — unknown is not zero.
    #[must_use]
    pub fn count(&self, field: Field) -> Option<u64> {
        match self.fields.get(&field) {
            Some(Value::Count(n)) => Some(*n),
            _ => None,
        }
    }

    /// Money in fen.
    #[must_use]
    pub fn money(&self, field: Field) -> Option<i64> {
        match self.fields.get(&field) {
            Some(Value::Money(fen)) => Some(*fen),
            _ => None,
        }
    }

    /// A day.
    #[must_use]
    pub fn date(&self, field: Field) -> Option<Date> {
        match self.fields.get(&field) {
            Some(Value::Date(day)) => Some(*day),
            _ => None,
        }
    }

    /// A month.
    #[must_use]
    pub fn month(&self) -> Option<Month> {
        match self.fields.get(&Field::Month) {
            Some(Value::Month(month)) => Some(*month),
            _ => None,
        }
    }

    /// The canonical bytes: field number, type tag, length, bytes, for each field in order.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        self.encode_into(&mut out);
        out
    }

    /// Appends the canonical bytes.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        self.encode_where(|_| true, out);
    }

    fn encode_where(&self, keep: impl Fn(Field) -> bool, out: &mut Vec<u8>) {
        for (field, value) in self.fields.iter().filter(|(field, _)| keep(**field)) {
            let mut put = |tag: u8, bytes: &[u8]| {
                out.push(*field as u8);
                out.push(tag);
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                out.extend_from_slice(&length.to_be_bytes());
                out.extend_from_slice(bytes);
            };
            match value {
                Value::Text(text) => put(1, text.as_bytes()),
                Value::Count(n) => put(2, &n.to_be_bytes()),
                Value::Money(fen) => put(3, &fen.to_be_bytes()),
                Value::Date(day) => put(4, &day_bytes(*day)),
                Value::Month(month) => put(5, &month_bytes(*month)),
                Value::Unread(text) => put(6, text.as_bytes()),
            }
        }
    }

    /// Reads what [`Self::encode`] wrote; `None` when the bytes are damaged.
    #[must_use]
    pub fn decode(kind: RecordKind, bytes: &[u8]) -> Option<Self> {
        let mut record = Self::new(kind);
        record.decode_over(bytes)?;
        Some(record)
    }

    /// The same over what it says now, so that one after the other is read without asking for memory; `None` when the bytes are
    /// damaged, and then it says nothing.
    #[must_use]
    pub fn decode_over(&mut self, bytes: &[u8]) -> Option<()> {
        self.decode_some_over(bytes, FieldSet::ALL)
    }

    /// The same, of no more than these fields; what the others say is not looked at.
    #[must_use]
    pub fn decode_some_over(&mut self, mut bytes: &[u8], wanted: FieldSet) -> Option<()> {
        let mut fields = Refill::over(std::mem::take(&mut self.fields));
        let mut last = 0;
        while !bytes.is_empty() {
            let (head, rest) = bytes.split_at_checked(6)?;
            let len = u32::from_be_bytes(head[2..6].try_into().ok()?) as usize;
            let (body, rest) = rest.split_at_checked(len)?;
            let text = || simdutf8::basic::from_utf8(body).ok();
            // Fields are written in the order of their numbers.
            let field = Field::by_id(head[0]).filter(|_| head[0] > last)?;
            last = head[0];
            bytes = rest;
            if !wanted.has(field) {
                continue;
            }
            match head[1] {
                1 => fields.text(field, text()?),
                2 => fields.value(
                    field,
                    Value::Count(u64::from_be_bytes(body.try_into().ok()?)),
                ),
                3 => fields.value(
                    field,
                    Value::Money(i64::from_be_bytes(body.try_into().ok()?)),
                ),
                4 => fields.value(field, Value::Date(day_of(body)?)),
                5 => fields.value(field, Value::Month(month_of(body)?)),
                6 => fields.value(field, Value::Unread(text()?.to_owned())),
                _ => return None,
            }
        }
        self.fields = fields.done();
        Some(())
    }

    /// The fingerprint of the canonical bytes and the normaliser's version.
    #[must_use]
    pub fn fingerprint(&self) -> u128 {
        encoded_fingerprint(&self.encode())
    }

    /// Whether it says nothing of a month or of the day it took effect: then [`Self::content_fingerprint`] is its fingerprint.
    #[must_use]
    pub fn is_all_content(&self) -> bool {
        !self.fields.contains_key(&Field::Month) && !self.fields.contains_key(&Field::Effective)
    }

    /// The fingerprint of what the record says beside its month and the day it took effect: last month's file under a new
    /// heading is told by it.
    #[must_use]
    pub fn content_fingerprint(&self) -> u128 {
        let mut bytes = Vec::with_capacity(128);
        self.encode_where(
            |field| !matches!(field, Field::Month | Field::Effective),
            &mut bytes,
        );
        encoded_fingerprint(&bytes)
    }

    /// As JSON with field names: fields this audience may see, personal ones masked.
    #[must_use]
    pub fn to_json(&self, audience: Audience) -> serde_json::Value {
        let mut map = serde_json::Map::new();
        for (field, value) in &self.fields {
            if field.audience() < audience {
                continue;
            }
            map.insert(field.name().to_owned(), shown(*field, value).0);
        }
        map.into()
    }
}

/// The fingerprint of canonical bytes, as [`Record::fingerprint`] has it of the record.
#[must_use]
pub fn encoded_fingerprint(bytes: &[u8]) -> u128 {
    xxhash_rust::xxh3::xxh3_128_with_seed(bytes, u64::from(NORMALISER))
}

/// Year, month, day.
fn day_bytes(day: Date) -> [u8; 4] {
    let [high, low] = day.year().to_be_bytes();
    [
        high,
        low,
        day.month().to_be_bytes()[0],
        day.day().to_be_bytes()[0],
    ]
}

fn day_of(bytes: &[u8]) -> Option<Date> {
    let [high, low, month, day] = bytes.try_into().ok()?;
    let part = |byte: u8| i8::from_be_bytes([byte]);
    Date::new(i16::from_be_bytes([high, low]), part(month), part(day)).ok()
}

/// Year, month.
fn month_bytes(month: Month) -> [u8; 3] {
    let [high, low] = month.year.to_be_bytes();
    [high, low, month.month.to_be_bytes()[0]]
}

fn month_of(bytes: &[u8]) -> Option<Month> {
    let [high, low, month] = bytes.try_into().ok()?;
    let month = Month {
        year: i16::from_be_bytes([high, low]),
        month: i8::from_be_bytes([month]),
    };
    (1..=12).contains(&month.month).then_some(month)
}

/// A value as JSON, and whether it is masked: phone and mail always, a code when it is a citizen id (households are taxed under one).
#[must_use]
pub fn shown(field: Field, value: &Value) -> (serde_json::Value, bool) {
    let personal = field.masked()
        || (matches!(field, Field::CreditCode | Field::HeadOfficeCode)
            && is_citizen_id(&value.to_string()));
    if personal {
        (mask(&value.to_string()).into(), true)
    } else {
        (value.to_json(), false)
    }
}

/// A value for staff: as [`Field::shown`], and a citizen id in the place of a code is masked.
#[must_use]
pub fn shown_to_staff(field: Field, value: &Value) -> String {
    match shown(field, value) {
        (serde_json::Value::String(masked), true) => masked,
        _ => field.shown(value),
    }
}

/// A record's key for people: a part that is a citizen id is masked.
#[must_use]
pub fn shown_key(key: &str) -> String {
    let parts: Vec<String> = key
        .split('|')
        .map(|part| {
            if is_citizen_id(part) {
                mask(part)
            } else {
                part.to_owned()
            }
        })
        .collect();
    parts.join("|")
}

fn is_citizen_id(code: &str) -> bool {
    code::examine(code).kind == code::Kind::CitizenId
}

/// Masks a phone number, citizen id, mail address or other personal text: the first three and last
/// two characters stay when the text is long enough, otherwise nothing does.
#[must_use]
pub fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < 8 {
        return "*".repeat(chars.len().min(8));
    }
    let head: String = chars[..3].iter().collect();
    let tail: String = chars[chars.len() - 2..].iter().collect();
    format!("{head}****{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_numbered_from_one_without_a_gap() {
        for (at, field) in (1..).zip(Field::ALL) {
            assert_eq!(*field as u8, at);
            assert_eq!(Field::by_id(at), Some(*field));
        }
        assert_eq!(Field::by_id(0), None);
        assert_eq!(Field::by_id(u8::MAX), None);
    }

    #[test]
    fn every_word_has_a_title_of_its_own() {
        for field in Field::ALL {
            let mut titles = std::collections::BTreeSet::new();
            for word in field.words() {
                let title = field
                    .word_title(word)
                    .unwrap_or_else(|| panic!("{} {word}", field.name()));
                assert!(titles.insert(title), "{title} twice");
                assert_eq!(field.shown(&Value::Text((*word).to_owned())), title);
            }
            assert_eq!(field.word_title("no such word"), None);
        }
    }

    #[test]
    fn a_record_survives_its_bytes_and_damage_is_noticed() {
        let record = Record {
            kind: RecordKind::Tax,
            fields: Fields::from([
                (Field::CreditCode, Value::Text("91411303MA49U85BX9".into())),
                (
                    Field::Month,
                    Value::Month(Month {
                        year: 2026,
                        month: 3,
                    }),
                ),
                (Field::Filers, Value::Count(8)),
                (Field::Revenue, Value::Money(-150)),
                (Field::Founded, Value::Date(jiff::civil::date(2020, 1, 31))),
                (Field::Employees, Value::Unread("若干".into())),
            ]),
        };
        let bytes = record.encode();
        assert_eq!(
            Record::decode(RecordKind::Tax, &bytes),
            Some(record.clone())
        );
        assert_eq!(record.key(), "91411303MA49U85BX9|2026-03");
        assert_eq!(record.count(Field::Employees), None);
        assert_eq!(
            Record::decode(RecordKind::Tax, &bytes[..bytes.len() - 1]),
            None
        );
        let mut wrong = bytes;
        wrong[1] = 99;
        assert_eq!(Record::decode(RecordKind::Tax, &wrong), None);
    }

    #[test]
    fn field_numbers_and_names_are_unique() {
        for (at, field) in Field::ALL.iter().enumerate() {
            assert_eq!(Field::by_name(field.name()), Some(*field));
            assert_eq!(Field::by_id(*field as u8), Some(*field));
            assert!(
                Field::ALL[at + 1..]
                    .iter()
                    .all(|other| other.title() != field.title())
            );
        }
        for kind in [
            RecordKind::Registration,
            RecordKind::Tax,
            RecordKind::Transport,
            RecordKind::InsuredRoll,
        ] {
            assert!(kind.key().iter().all(|field| kind.fields().contains(field)));
        }
    }

    #[test]
    fn months_are_read_and_counted() {
        let march = Month::parse("2026-03").expect("a month");
        assert_eq!(march.plus(-3).to_string(), "2025-12");
        assert_eq!(march.plus(10).to_string(), "2027-01");
        assert_eq!(march.last_day().to_string(), "2026-03-31");
        for text in [
            "", "2026", "2026-13", "2026-00", "2026-+3", "26-03", "-026-03", "2026/03",
        ] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
    }

    #[test]
    fn money_and_masks_are_shown() {
        for (fen, shown) in [
            (0, "0.00"),
            (-5, "-0.05"),
            (123_456, "1234.56"),
            (i64::MIN, "-92233720368547758.08"),
        ] {
            assert_eq!(Value::Money(fen).to_string(), shown);
        }
        assert_eq!(mask("00012345678"), "000****78");
        assert_eq!(mask("0001234"), "*******");
        let phone = Value::Text("00012345678".into());
        assert_eq!(shown(Field::Phone, &phone), ("000****78".into(), true));
        assert_eq!(shown(Field::UnitNumber, &phone).0, "00012345678");
        assert_eq!(
            shown_key("91411303MA49U85BX9|2026-03"),
            "91411303MA49U85BX9|2026-03"
        );
    }

    #[test]
    fn an_audience_sees_its_fields_only() {
        let record = Record {
            kind: RecordKind::Registration,
            fields: Fields::from([
                (Field::Name, Value::Text("南阳甲公司".into())),
                (Field::Phone, Value::Text("00012345678".into())),
                (Field::Revenue, Value::Money(100)),
            ]),
        };
        let names = |audience| -> Vec<String> {
            let json = record.to_json(audience);
            json.as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect()
        };
        assert_eq!(names(Audience::Public), ["name"]);
        assert_eq!(names(Audience::County), ["name", "phone"]);
        assert_eq!(names(Audience::Section), ["name", "phone", "revenue"]);
    }
}
