//! In which unit the money columns of a sample stand. Pure.

use crate::adapter::draft::aliases::{Aliases, Heading};
use crate::adapter::draft::sample::{Column, Sample};
use crate::adapter::reading::{self, MoneyUnit, Said, unit_in_title};
use crate::domain::text::fold;

/// Revenue per head and year of ordinary firms lies between 1 万元 and 1000 万元; in fen.
const PER_HEAD: std::ops::RangeInclusive<i128> = 1_000_000..=1_000_000_000;
/// Rows with both figures that are needed to judge by them.
const ROWS_NEEDED: usize = 5;

/// A unit with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The unit.
    pub unit: MoneyUnit,
    /// Why, in Chinese.
    pub why: String,
    /// Nothing says so: a person must look.
    pub is_guess: bool,
}

impl Unit {
    /// Its name in adapters.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.unit {
            MoneyUnit::Yuan => "yuan",
            MoneyUnit::WanYuan => "wan_yuan",
            MoneyUnit::Fen => "fen",
        }
    }
}

/// The unit of a money column: its heading says so, else the title lines, else a data standard, else the figures themselves.
#[must_use]
pub fn unit(
    sample: &Sample,
    column: &Column,
    aliases: &Aliases,
    heads: Option<&Column>,
    revenue: Option<&Column>,
) -> Unit {
    let certain = |unit, why: String| Unit {
        unit,
        why,
        is_guess: false,
    };
    if let Some(unit) = in_heading(&column.heading) {
        return certain(unit, format!("列名写明{}", unit.title()));
    }
    if let Some(unit) = sample
        .titles
        .iter()
        .find_map(|line| unit_in_title(&fold(line)))
    {
        return certain(unit, format!("表题写明单位为{}", unit.title()));
    }
    if let Some(unit) = aliases
        .unit(&Heading::new(&column.heading))
        .and_then(MoneyUnit::by_name)
    {
        return certain(unit, format!("数据标准中此列以{}计，请核对", unit.title()));
    }
    if let (Some(heads), Some(revenue)) = (heads, revenue)
        && let Some(unit) = by_figures(heads, revenue)
    {
        return Unit {
            unit,
            why: format!("按人均营业收入推断为{}，必须向来源部门核实", unit.title()),
            is_guess: true,
        };
    }
    Unit {
        unit: MoneyUnit::Yuan,
        why: "未见单位，暂按元，必须向来源部门核实".to_owned(),
        is_guess: true,
    }
}

/// `营业收入(万元)`, `营业收入（单位：元）`, `营业收入_万元`.
fn in_heading(heading: &str) -> Option<MoneyUnit> {
    let text = fold(heading);
    let inside = text
        .rsplit_once('(')
        .map(|(_, rest)| rest.split(')').next().unwrap_or(rest))
        .or_else(|| text.rsplit_once(['_', '/', '-']).map(|(_, rest)| rest))?;
    let inside = inside
        .rsplit([':', '为'])
        .next()
        .unwrap_or(inside)
        .trim()
        .trim_start_matches("人民币");
    match inside {
        "万元" | "万" => Some(MoneyUnit::WanYuan),
        "元" => Some(MoneyUnit::Yuan),
        "分" => Some(MoneyUnit::Fen),
        _ => None,
    }
}

/// The only unit in which the usual revenue per head is that of ordinary firms. The columns' values stand in the same order, but not
/// beside each other, so medians are compared.
fn by_figures(heads: &Column, revenue: &Column) -> Option<MoneyUnit> {
    let heads =
        median(
            heads
                .values
                .iter()
                .filter_map(|cell| match reading::count(&fold(&cell.text)) {
                    Said::Value(n) if n > 0 => Some(i128::from(n)),
                    _ => None,
                }),
        )?;
    let per_head = |unit| {
        let fen = median(revenue.values.iter().filter_map(|cell| {
            match reading::money(&fold(&cell.text), unit) {
                Said::Value(fen) if fen > 0 => Some(i128::from(fen)),
                _ => None,
            }
        }))?;
        Some(fen / heads)
    };
    let plausible: Vec<MoneyUnit> = [MoneyUnit::Yuan, MoneyUnit::WanYuan]
        .into_iter()
        .filter(|unit| per_head(*unit).is_some_and(|fen| PER_HEAD.contains(&fen)))
        .collect();
    match plausible.as_slice() {
        [unit] => Some(*unit),
        _ => None,
    }
}

fn median(figures: impl Iterator<Item = i128>) -> Option<i128> {
    let mut figures: Vec<i128> = figures.collect();
    figures.sort_unstable();
    (figures.len() >= ROWS_NEEDED).then(|| figures[figures.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::row::Cell;

    #[test]
    fn headings_name_their_unit() {
        for (heading, wanted) in [
            ("营业收入(万元)", Some(MoneyUnit::WanYuan)),
            ("营业收入（单位：元）", Some(MoneyUnit::Yuan)),
            ("营业收入（人民币万元）", Some(MoneyUnit::WanYuan)),
            ("资产总额_万元", Some(MoneyUnit::WanYuan)),
            ("营业收入(季末)", None),
            ("营业收入", None),
        ] {
            assert_eq!(in_heading(heading), wanted, "{heading}");
        }
    }

    #[test]
    fn figures_tell_the_unit_only_when_one_is_plausible() {
        let column = |values: &[u64]| Column {
            values: values
                .iter()
                .map(|n| Cell {
                    text: n.to_string(),
                    numeric: false,
                })
                .collect(),
            ..Column::default()
        };
        let heads = column(&[2, 3, 4, 5, 6]);
        for (revenue, wanted) in [
            (&[132, 147, 110, 200, 300][..], Some(MoneyUnit::WanYuan)),
            (
                &[1_320_000, 1_470_000, 1_100_000, 900_000, 800_000],
                Some(MoneyUnit::Yuan),
            ),
            (&[132, 147], None),
        ] {
            assert_eq!(by_figures(&heads, &column(revenue)), wanted, "{revenue:?}");
        }
    }
}
