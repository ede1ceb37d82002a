//! What was said of a record, delivery after delivery, and over which days it stood.

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::change::{Change, ChangeKind};
use crate::domain::record::{Field, Record, shown_key};

/// What a delivery did to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// First mentioned.
    New,
    /// Another content.
    Changed,
    /// A complete delivery no longer mentions it.
    Missing,
    /// Mentioned again.
    Returned,
    /// The same export, read otherwise after its adapter was changed.
    Remapped,
    /// Said by a batch that was taken back: it does not count.
    Withdrawn,
}

impl Deed {
    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::New => "首次出现",
            Self::Changed => "内容变更",
            Self::Missing => "不再出现",
            Self::Returned => "再次出现",
            Self::Remapped => "读取规则调整",
            Self::Withdrawn => "已撤回",
        }
    }

    const fn change(self, has_before: bool) -> ChangeKind {
        match self {
            Self::Missing => ChangeKind::Missing,
            Self::Returned => ChangeKind::Returned,
            Self::Changed | Self::Remapped | Self::Withdrawn if has_before => ChangeKind::Changed,
            Self::New | Self::Changed | Self::Remapped | Self::Withdrawn => ChangeKind::New,
        }
    }
}

/// One step of a record's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The adapter.
    pub source: String,
    /// The record's key.
    pub key: String,
    /// What the delivery did.
    pub deed: Deed,
    /// The batch.
    pub batch: String,
    /// Its file as the department named it.
    pub file: String,
    /// The row; 0 when it was not mentioned.
    pub row: u64,
    /// The day from which the centre knew it: reception or release.
    pub learned: Date,
    /// The day the file speaks of.
    pub as_of: Option<Date>,
    /// Who took the batch back, why, and on which day, when somebody did.
    pub withdrawn: Option<(String, String, Date)>,
    /// The record before.
    pub before: Option<Record>,
    /// The record from then on; `None` when it was not mentioned.
    pub after: Option<Record>,
}

impl Step {
    /// The day on which it took effect, as the row says.
    #[must_use]
    pub fn effective(&self) -> Option<Date> {
        self.after.as_ref()?.date(Field::Effective)
    }

    /// As a change: before → after.
    #[must_use]
    pub fn change(&self) -> Change {
        Change {
            kind: self.deed.change(self.before.is_some()),
            key: self.key.clone(),
            before: self.before.clone(),
            after: self.after.clone(),
            row: self.row,
        }
    }

    /// `{"source", "key", "change", "batch", "file", "row", "learned", "as_of", "effective", "fields": {name: [before, after]},
    /// "masked": [names], "withdrawn": null | {"by", "reason", "date"}}`; personal fields masked.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut change = self.change().to_json();
        json!({
            "source": self.source,
            "key": shown_key(&self.key),
            "change": self.deed,
            "batch": self.batch,
            "file": self.file,
            "row": self.row,
            "learned": self.learned,
            "as_of": self.as_of,
            "effective": self.effective(),
            "fields": change["fields"].take(),
            "masked": change["masked"].take(),
            "withdrawn": self.withdrawn.as_ref().map(|(by, reason, date)| json!({ "by": by, "reason": reason, "date": date })),
        })
    }
}

/// Days over which a record stood in its source without a break, as the files say, else as the centre learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The adapter.
    pub source: String,
    /// The record's key, masked where it is personal.
    pub key: String,
    /// The day of the first file that mentioned it.
    pub from: Date,
    /// The day of the first complete file that did not; `None` while it stands.
    pub until: Option<Date>,
}

/// The spans of one record, oldest first, from its steps, oldest first. What was taken back does not count.
#[must_use]
pub fn spans<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for step in steps {
        let day = step.as_of.unwrap_or(step.learned);
        let open = spans.last_mut().filter(|span| span.until.is_none());
        match (step.deed, open) {
            (Deed::Missing, Some(span)) => span.until = Some(day),
            (Deed::New | Deed::Changed | Deed::Returned | Deed::Remapped, None) => {
                spans.push(Span {
                    source: step.source.clone(),
                    key: shown_key(&step.key),
                    from: day,
                    until: None,
                });
            }
            _ => {}
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::record::{RecordKind, Value as FieldValue};

    fn step(deed: Deed, day: i8) -> Step {
        let mut record = Record::new(RecordKind::Registration);
        let mut set = |field, text: String| record.fields.insert(field, FieldValue::Text(text));
        set(Field::CreditCode, "91411303MA49U85BX9".to_owned());
        set(Field::Phone, format!("0001234567{day}"));
        Step {
            source: "market".to_owned(),
            key: record.key(),
            deed,
            batch: format!("market-{day}"),
            file: "scjg.csv".to_owned(),
            row: 2,
            learned: date(2026, 3, day),
            as_of: (day != 4).then(|| date(2026, 2, day)),
            withdrawn: None,
            before: None,
            after: (deed != Deed::Missing).then_some(record),
        }
    }

    #[test]
    fn spans_survive_absence_and_return_and_what_was_taken_back() {
        use Deed as D;
        let steps = [
            step(D::New, 1),
            step(D::Changed, 2),
            step(D::Missing, 3),
            step(D::Withdrawn, 3),
            step(D::Returned, 4),
            step(D::Remapped, 5),
        ];
        let days: Vec<(Date, Option<Date>)> = spans(&steps)
            .into_iter()
            .map(|span| (span.from, span.until))
            .collect();
        // The file of the fourth day does not say of which day it speaks.
        assert_eq!(
            days,
            [
                (date(2026, 2, 1), Some(date(2026, 2, 3))),
                (date(2026, 3, 4), None)
            ]
        );
        assert!(spans(&[]).is_empty());
    }

    #[test]
    fn a_step_shows_what_differs_and_masks_what_is_personal() {
        let new = step(Deed::New, 1);
        let mut next = step(Deed::Changed, 2);
        next.before.clone_from(&new.after);
        next.withdrawn = Some(("张示例".to_owned(), "来函更正".to_owned(), date(2026, 3, 9)));
        let json = next.to_json();
        assert_eq!(json["change"], "changed");
        assert_eq!(
            json["fields"],
            json!({ "phone": ["000****71", "000****72"] })
        );
        assert_eq!(json["masked"], json!(["phone"]));
        assert_eq!(json["withdrawn"]["date"], "2026-03-09");
        assert_eq!(json["learned"], "2026-03-02");
        assert!(new.to_json()["withdrawn"].is_null());
        assert_eq!(new.to_json()["fields"]["credit_code"][0], Value::Null);
    }
}
