//! What a record is found by: the identities that the register joins records on.
//!
//! The register attaches records by the organisation code inside an identifier, by an identifier that holds none as it is written,
//! by the unit number of the roll and by the normalised name, current or former; a branch names its head office. Whoever wants the
//! records of one enterprise asks for these.

use std::borrow::Cow;

use crate::domain::code::{organisation_bytes_of, regular};
use crate::domain::linking::names_of;
use crate::domain::record::{Field, Record, RecordKind};
use crate::domain::text::{normal_name, normalised_name};

/// One identity of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// The organisation code inside its identifier.
    Organisation(String),
    /// Its unit number on the roll.
    Unit(String),
    /// Its normalised name.
    Name(String),
    /// The organisation code of the head office that it names.
    HeadOffice(String),
    /// Its identifier as it is written, made regular, when no organisation code is inside; or the number that the registrar had for it.
    Written(String),
}

impl Identity {
    /// Whether a record bears it. What an index found is believed only after this.
    #[must_use]
    pub fn is_of(&self, record: &Record) -> bool {
        let holds = |field, code: &str| {
            let inner = record.text(field).and_then(organisation_bytes_of);
            inner.is_some_and(|inner| inner == code.as_bytes())
        };
        match self {
            Self::Organisation(code) => holds(Field::CreditCode, code),
            Self::HeadOffice(code) => holds(Field::HeadOfficeCode, code),
            Self::Unit(unit) => record.text(Field::UnitNumber) == Some(unit),
            Self::Name(name) => names_of(record).any(|own| normal_name(own) == *name),
            Self::Written(text) => {
                let is_it = |field| record.text(field).is_some_and(|own| regular(own) == *text);
                is_it(Field::RegistrationNumber)
                    || (is_it(Field::CreditCode) && organisation_bytes_of(text).is_none())
            }
        }
    }

    /// Whether the key of this kind of record begins with it.
    #[must_use]
    pub fn leads(&self, kind: RecordKind) -> bool {
        match self {
            Self::Organisation(_) | Self::Written(_) => led_by_code(kind),
            Self::Unit(_) => kind.key().first() == Some(&Field::UnitNumber),
            Self::Name(_) | Self::HeadOffice(_) => false,
        }
    }
}

/// Whether the key of this kind of record begins with an identifier that holds an organisation code.
#[must_use]
pub fn led_by_code(kind: RecordKind) -> bool {
    kind.key().first() == Some(&Field::CreditCode)
}

/// An identity of a record without a copy of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Borne<'a> {
    /// As [`Identity::Organisation`].
    Organisation([u8; 9]),
    /// As [`Identity::Name`].
    Name(Cow<'a, str>),
    /// As [`Identity::HeadOffice`].
    HeadOffice([u8; 9]),
    /// As [`Identity::Written`].
    Written(Cow<'a, str>),
}

/// Tells `each` the identities of a record that its key does not begin with.
pub fn beside_key<'a>(record: &'a Record, each: &mut dyn FnMut(Borne<'a>)) {
    for name in names_of(record) {
        let name = normalised_name(name);
        if !name.is_empty() {
            each(Borne::Name(name));
        }
    }
    let inner = |field| record.text(field).and_then(organisation_bytes_of);
    if !led_by_code(record.kind)
        && let Some(written) = record.text(Field::CreditCode)
    {
        match organisation_bytes_of(written) {
            Some(code) => each(Borne::Organisation(code)),
            None => each(Borne::Written(regular(written))),
        }
    }
    if let Some(number) = record.text(Field::RegistrationNumber) {
        each(Borne::Written(regular(number)));
    }
    if record.kind == RecordKind::Registration
        && let Some(code) = inner(Field::HeadOfficeCode)
    {
        each(Borne::HeadOffice(code));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Value;

    #[test]
    fn every_identity_is_led_to_by_the_key_or_told_beside_it() {
        let text = |text: &str| Value::Text(text.to_owned());
        for kind in [
            RecordKind::Registration,
            RecordKind::Tax,
            RecordKind::Transport,
            RecordKind::InsuredRoll,
        ] {
            let mut record = Record::new(kind);
            for (field, value) in [
                (Field::CreditCode, "91411303MA49U85BX9"),
                (Field::Name, "南阳宛东（集团） 有限公司"),
                (Field::UnitNumber, "4113000001"),
                (Field::HeadOfficeCode, "411381MA4RHCMP9"),
                (Field::RegistrationNumber, "411300000012347"),
                (Field::FormerNames, "南阳旧名有限公司；南阳更旧有限公司"),
            ] {
                if kind.fields().contains(&field) {
                    record.fields.insert(field, text(value));
                }
            }
            let mut told = Vec::new();
            beside_key(&record, &mut |borne| {
                told.push(match borne {
                    Borne::Organisation(code) => {
                        Identity::Organisation(String::from_utf8_lossy(&code).into_owned())
                    }
                    Borne::Name(name) => Identity::Name(name.into_owned()),
                    Borne::HeadOffice(code) => {
                        Identity::HeadOffice(String::from_utf8_lossy(&code).into_owned())
                    }
                    Borne::Written(text) => Identity::Written(text.into_owned()),
                });
            });
            for identity in [
                Identity::Organisation("MA49U85BX".to_owned()),
                Identity::Unit("4113000001".to_owned()),
                Identity::Name("南阳宛东(集团)有限公司".to_owned()),
                Identity::HeadOffice("MA4RHCMP9".to_owned()),
                Identity::Name("南阳更旧有限公司".to_owned()),
                Identity::Written("411300000012347".to_owned()),
            ] {
                // Where such an identifier leads the key, it is another record's: this one has a code.
                let is_led = identity.leads(kind) && !matches!(identity, Identity::Written(_));
                let found = told.contains(&identity) || is_led;
                assert_eq!(identity.is_of(&record), found, "{kind:?} {identity:?}");
            }
            let other = Identity::Organisation("MA4RHCMP9".to_owned());
            assert!(!other.is_of(&record) && !told.contains(&other));
        }
    }
}
