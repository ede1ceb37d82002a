//! What one row alone shows to be untrue though each of its cells can be read. The values stay as they are, so that nothing is hidden;
//! a person looks, and no verdict is founded on them ([`crate::domain::doubt`]).

use crate::adapter::cell;
use crate::adapter::mapping::{Mapper, SHOWN_CHARS};
use crate::domain::batch::Issue;
use crate::domain::doubt::{DoubtRules, PerHead};
use crate::domain::industry;
use crate::domain::record::{Field, Month, Record};

impl Mapper<'_> {
    /// Every doubt about a record.
    pub(super) fn doubts(&self, row: u64, record: &Record) -> Vec<Issue> {
        let rules = DoubtRules::default();
        [
            self.unit(&rules, row, record),
            self.industry(row, record),
            self.heads(&rules, row, record, Field::Employees),
            self.heads(&rules, row, record, Field::Filers),
            self.region(row, record),
            self.month(row, record),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn doubt(&self, row: u64, record: &Record, field: Field, code: &str, why: String) -> Issue {
        let plan = self.plans.iter().find(|plan| plan.reader.field == field);
        let value = record
            .fields
            .get(&field)
            .map_or_else(String::new, ToString::to_string);
        Issue {
            row,
            column: plan.map_or_else(String::new, |plan| plan.heading(&self.headings)),
            value: cell::cut(&value, SHOWN_CHARS),
            code: code.to_owned(),
            reason: why,
        }
    }

    /// Revenue per head ten thousand times off what is usual: 元 and 万元 were probably mixed up.
    fn unit(&self, rules: &DoubtRules, row: u64, record: &Record) -> Option<Issue> {
        let revenue = record.money(Field::Revenue)?;
        let heads = record
            .count(Field::Employees)
            .or_else(|| record.count(Field::Filers))?;
        let why = match rules.per_head(revenue, heads)? {
            PerHead::High => "超过10亿元",
            PerHead::Low => "不足10元",
        };
        let why =
            format!("按{heads}人计，人均营业收入{why}，可能混淆了元和万元。处理：请核对金额单位");
        Some(self.doubt(row, record, Field::Revenue, "YB-2213", why))
    }

    /// A code that no edition of the classification has, or one that the name beside it contradicts.
    fn industry(&self, row: u64, record: &Record) -> Option<Issue> {
        let code = record.text(Field::IndustryCode)?;
        let name = record.text(Field::IndustryName).unwrap_or_default();
        let why = if industry::is_known(code) {
            industry::read(code, name).contradiction?
        } else {
            "行业代码不在GB/T 4754中"
        };
        let why = format!("{why}，不据以划型。处理：请按GB/T 4754核对后重新导出");
        Some(self.doubt(row, record, Field::IndustryCode, "YB-2216", why))
    }

    /// More heads than any enterprise of the city has; those below zero are not read in the first place.
    fn heads(&self, rules: &DoubtRules, row: u64, record: &Record, field: Field) -> Option<Issue> {
        let heads = record.count(field)?;
        (heads > rules.heads_most).then(|| {
            let why = format!("{heads}人大得不合理，不据以认定。处理：请核对是否错列或单位有误");
            self.doubt(row, record, field, "YB-2217", why)
        })
    }

    /// A month that had not come when the file did: a slip of the year.
    fn month(&self, row: u64, record: &Record) -> Option<Issue> {
        let month = record.month()?;
        (month > Month::of(self.delivered)).then(|| {
            let why = format!(
                "所属期{month}晚于交付日{}，不据以认定。处理：请核对后重新导出",
                self.delivered
            );
            self.doubt(row, record, Field::Month, "YB-2219", why)
        })
    }

    /// A county that there is none of.
    fn region(&self, row: u64, record: &Record) -> Option<Issue> {
        let region = record.text(Field::Region)?;
        let six = region.get(..6).unwrap_or(region);
        let is_known = self.adapter.regions.is_empty()
            || self.adapter.regions.contains(region)
            || self.adapter.regions.contains(six);
        (!is_known).then(|| {
            let why = format!(
                "行政区划“{region}”不是任何填报单位。处理：请核对；确有其地的，写入 config/units.toml"
            );
            self.doubt(row, record, Field::Region, "YB-2218", why)
        })
    }
}
