//! Rules against the last accepted batch.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::adapter::check::MISSING_AT_MOST;
use crate::adapter::guard::absolute::title;
use crate::adapter::guard::{Delivery, hold, percent, share, shrinkage, warning};
use crate::adapter::language::Mode;
use crate::domain::batch::{Batch, Census, Reason};
use crate::domain::record::{Month, RecordKind};
use crate::domain::unit::Units;

/// Shrinkage of a whole snapshot and of its parts.
const SNAPSHOT_SHRINK: (f64, f64) = (0.1, 0.2);
/// Of an increment, which is a month's traffic: the Spring Festival shows in it.
const INCREMENT_SHRINK: (f64, f64) = (0.3, 0.3);
/// Shrinkage of the registered heads of one insurance kind.
const HEADS_SHRINK: f64 = 0.15;
/// Records a part must have had before its shrinkage means anything; also for fill rates and changed shares.
const PART_RECORDS: u64 = 20;
/// Records from which it is no coincidence that nothing at all changed in a month.
const CONTENT_RECORDS: u64 = 5_000;
/// Parts a reason names.
const PARTS_NAMED: usize = 8;
/// Share filled before from which a collapse is judged.
const FILL_BEFORE: f64 = 0.5;
/// Points of fill that a field may lose without a word.
const FILL_DROP: f64 = 0.2;
/// Changed ÷ known.
const CHANGED_AT_MOST: f64 = 0.5;
/// Mass re-key: missing ÷ known, new ÷ missing, and both in numbers.
const REKEY_MISSING: f64 = 0.05;
const REKEY_NEW: f64 = 0.8;
const REKEY_RECORDS: u64 = 50;

pub(super) fn reasons(delivery: &Delivery<'_>, previous: &Batch) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(order(delivery, previous));
    reasons.extend(same_content(delivery, previous));
    reasons.extend(columns(delivery, previous));
    reasons.extend(whole(delivery, previous));
    let absent = absent_units(delivery, previous);
    reasons.extend(parts(delivery, previous, &absent));
    reasons.extend(units(&absent, delivery.adapter.record));
    reasons.extend(heads(delivery, previous));
    reasons.extend(fill(delivery, previous));
    reasons.extend(missing(delivery));
    reasons.extend(rekeyed(delivery));
    reasons.extend(grown(delivery));
    reasons.extend(changed(delivery));
    reasons
}

/// The same records under a later month: last month's file with a new date on it. Within one month nothing may really have happened.
fn same_content(delivery: &Delivery<'_>, previous: &Batch) -> Option<Reason> {
    let (now, before) = (delivery.census, &previous.census);
    let is_same = now.records >= PART_RECORDS
        && now.records == before.records
        && !now.content.is_empty()
        && now.content == before.content;
    let since = previous.as_of.filter(|_| is_same)?;
    if delivery.as_of < since {
        return None;
    }
    // Licences and registrations may stand still for a month; filings and rolls do not.
    let moves = now.records >= CONTENT_RECORDS
        && matches!(
            delivery.adapter.record,
            RecordKind::Tax | RecordKind::InsuredRoll
        );
    if moves && Month::of(delivery.as_of) > Month::of(since) {
        return Some(hold(
            "YB-3120",
            &format!(
                "数据日期为{}，内容却与{since}的上一批（{}）完全相同，疑似旧文件换了日期",
                delivery.as_of, previous.batch
            ),
            "请来源部门核对是否重复导出了上一期，补送本期文件",
        ));
    }
    Some(warning(
        "YB-3125",
        &format!(
            "内容与上一批（{}，数据日期{since}）完全相同",
            previous.batch
        ),
        "连续出现时，向来源部门核对导出程序是否仍在更新",
    ))
}

/// Headings that came or went. What is required is refused elsewhere; here a person learns that the department changed its export.
fn columns(delivery: &Delivery<'_>, previous: &Batch) -> Option<Reason> {
    if previous.columns.is_empty() || delivery.columns.is_empty() {
        return None;
    }
    let absent = |from: &[String], other: &[String]| -> Vec<String> {
        from.iter()
            .filter(|heading| !other.contains(heading))
            .cloned()
            .collect()
    };
    let gone = absent(&previous.columns, delivery.columns);
    let come = absent(delivery.columns, &previous.columns);
    let mut what = Vec::new();
    if !gone.is_empty() {
        what.push(format!("少了{}", listed(gone.into_iter())));
    }
    if !come.is_empty() {
        what.push(format!("多了{}", listed(come.into_iter())));
    }
    (!what.is_empty()).then(|| {
        warning(
            "YB-3124",
            &format!("文件的列与上一批不同：{}", what.join("；")),
            "向来源部门核对是否改了导出格式；新列写入适配器的 [fields] 或 [ignore]",
        )
    })
}

/// More new records than the adapter allows.
fn grown(delivery: &Delivery<'_>) -> Option<Reason> {
    let bound = delivery.adapter.expect.change.new_at_most?;
    let (new, known) = (delivery.changes.new, known(delivery));
    let found = share(new, known);
    (known > 0 && found > bound).then(|| {
        hold(
            "YB-3122",
            &format!(
                "上批{known}条记录，本批新增{new}条（{}），超过{}",
                percent(found),
                percent(bound)
            ),
            "请来源部门说明增加的原因，核对是否混入其他范围的数据",
        )
    })
}

/// Whether the same month a year before was as small: then the season explains it, and a person only looks.
fn is_seasonal(delivery: &Delivery<'_>, now: u64, then: Option<u64>, bound: f64) -> bool {
    delivery.adapter.mode == Mode::Increment
        && then.is_some_and(|then| then > 0 && shrinkage(then, now) <= bound)
}

/// An older statement after a newer one; another statement of the same day.
fn order(delivery: &Delivery<'_>, previous: &Batch) -> Option<Reason> {
    let before = previous.as_of?;
    if delivery.as_of < before {
        let what = format!(
            "旧文件：数据日期{}早于已接收的{before}（{}）",
            delivery.as_of, previous.batch
        );
        return Some(hold("YB-3117", &what, "以较新的数据为准，旧文件不必放行"));
    }
    let changes = delivery.changes;
    let differs = changes.new + changes.changed + changes.missing + changes.returned > 0;
    (delivery.as_of == before && differs).then(|| {
        warning(
            "YB-3118",
            &format!(
                "更正件：数据日期{before}的数据已接收过（{}），本次内容不同，以本次为准",
                previous.batch
            ),
            "用 yingbao changes 查看改动；来源部门没有更正的，请其说明",
        )
    })
}

/// The bounds of the whole and of a part.
fn shrink_bounds(delivery: &Delivery<'_>) -> (f64, f64) {
    let adapter = delivery.adapter;
    match (adapter.expect.change.shrink_at_most, adapter.mode) {
        (Some(bound), _) => (bound, bound),
        (None, Mode::Snapshot) => SNAPSHOT_SHRINK,
        (None, Mode::Increment) => INCREMENT_SHRINK,
    }
}

fn whole(delivery: &Delivery<'_>, previous: &Batch) -> Option<Reason> {
    let (bound, _) = shrink_bounds(delivery);
    // No rows at all has its own rule.
    let found = shrinkage(previous.rows, delivery.rows);
    if delivery.rows == 0 || found <= bound {
        return None;
    }
    let what = format!(
        "共{}行，比上一批（{}行）少{}，超过{}",
        delivery.rows,
        previous.rows,
        percent(found),
        percent(bound)
    );
    let then = delivery.year_before.map(|batch| batch.rows);
    if is_seasonal(delivery, delivery.rows, then, bound) {
        let what = format!("{what}；上年同月{}行，属季节波动", then.unwrap_or_default());
        let remedy = "无需处理；有疑问的向来源部门核对";
        return Some(warning("YB-3126", &what, remedy));
    }
    let remedy = "请来源部门核对是否漏了数据，补送完整文件";
    Some(hold("YB-3104", &what, remedy))
}

/// Parts with one name per reporting unit, however the export spells it: a department that writes 城乡一体化示范区 instead of
/// 示范区 has lost nothing.
fn by_unit(census: &Census, units: &Units) -> BTreeMap<String, u64> {
    let mut parts = BTreeMap::new();
    for (part, count) in &census.parts {
        let name = unit_of(part, units).unwrap_or_else(|| part.clone());
        *parts.entry(name).or_default() += count;
    }
    parts
}

/// `agency:南召县`: the part of a reporting unit; `None` when it is none's.
fn unit_of(part: &str, units: &Units) -> Option<String> {
    let (kind, text) = part.split_once(':')?;
    let unit = match kind {
        "region" => units.get(text)?,
        "agency" => units.by_name(text)?,
        _ => return None,
    };
    Some(format!("{kind}:{}", unit.name))
}

/// For staff: 经办机构：南召县.
fn part_title(part: &str) -> String {
    let (kind, text) = part.split_once(':').unwrap_or(("", part));
    let kind = match kind {
        "region" => "登记区划：",
        "agency" => "经办机构：",
        "insurance" => "",
        _ => return part.to_owned(),
    };
    let text = match text {
        "pension" => "企业职工基本养老保险",
        "unemployment" => "失业保险",
        "work_injury" => "工伤保险",
        other => other,
    };
    format!("{kind}{text}")
}

/// Units that had rows in the last snapshot and have none in this one: part → rows before.
fn absent_units(delivery: &Delivery<'_>, previous: &Batch) -> BTreeMap<String, u64> {
    if delivery.adapter.mode != Mode::Snapshot || delivery.rows == 0 {
        return BTreeMap::new();
    }
    let now = by_unit(delivery.census, delivery.units);
    let known: Vec<String> = delivery
        .units
        .units
        .iter()
        .flat_map(|unit| {
            [
                format!("region:{}", unit.name),
                format!("agency:{}", unit.name),
            ]
        })
        .collect();
    by_unit(&previous.census, delivery.units)
        .into_iter()
        .filter(|(part, before)| *before > 0 && !now.contains_key(part) && known.contains(part))
        .collect()
}

/// Rows of a unit that may end by themselves: the one licence of a county runs out. On the roll each row is somebody's cover.
const FEW: u64 = 5;

fn units(absent: &BTreeMap<String, u64>, kind: RecordKind) -> Option<Reason> {
    if absent.is_empty() {
        return None;
    }
    let named = listed(
        absent
            .iter()
            .map(|(part, before)| format!("{}（上批{before}条）", part_title(part))),
    );
    let what = format!("以下填报单位上批有数据、本批一条也没有：{named}");
    let are_few = kind != RecordKind::InsuredRoll && absent.values().all(|before| *before < FEW);
    Some(if are_few {
        warning("YB-3119", &what, "请向来源部门核对")
    } else {
        hold(
            "YB-3119",
            &what,
            "请来源部门核对这些单位的数据，补送完整文件",
        )
    })
}

fn listed(texts: impl ExactSizeIterator<Item = String>) -> String {
    let n = texts.len();
    let mut text = texts.take(PARTS_NAMED).collect::<Vec<_>>().join("、");
    if n > PARTS_NAMED {
        text = format!("{text} 等{n}个");
    }
    text
}

fn parts(
    delivery: &Delivery<'_>,
    previous: &Batch,
    absent: &BTreeMap<String, u64>,
) -> Option<Reason> {
    if delivery.rows == 0 {
        return None;
    }
    let (_, bound) = shrink_bounds(delivery);
    let now = by_unit(delivery.census, delivery.units);
    let then = delivery
        .year_before
        .map(|batch| by_unit(&batch.census, delivery.units))
        .unwrap_or_default();
    let shrunk: Vec<String> = by_unit(&previous.census, delivery.units)
        .into_iter()
        .filter(|(part, before)| *before >= PART_RECORDS && !absent.contains_key(part))
        .filter_map(|(part, before)| {
            let now = now.get(&part).copied().unwrap_or(0);
            let seasonal = is_seasonal(delivery, now, then.get(&part).copied(), bound);
            (shrinkage(before, now) > bound && !seasonal)
                .then(|| format!("{}从{before}条减为{now}条", part_title(&part)))
        })
        .collect();
    (!shrunk.is_empty()).then(|| {
        hold(
            "YB-3105",
            &format!(
                "以下部分的记录比上一批减少超过{}：{}",
                percent(bound),
                listed(shrunk.into_iter())
            ),
            "请来源部门核对这些部分是否漏了数据，补送完整文件",
        )
    })
}

/// The registered heads per insurance kind of the newest month but one, not later than the month of `as_of`: the newest month is
/// still being filled.
#[must_use]
fn heads_of(census: &Census, as_of: Date) -> BTreeMap<String, u64> {
    let latest = Month::of(as_of);
    let mut by_month: BTreeMap<Month, BTreeMap<String, u64>> = BTreeMap::new();
    for (key, heads) in &census.heads {
        if let Some((month, kind)) = key.split_once('/')
            && let Some(month) = Month::parse(month).filter(|month| *month <= latest)
        {
            by_month
                .entry(month)
                .or_default()
                .insert(kind.to_owned(), *heads);
        }
    }
    by_month.into_values().rev().nth(1).unwrap_or_default()
}

fn heads(delivery: &Delivery<'_>, previous: &Batch) -> Option<Reason> {
    let before = heads_of(&previous.census, previous.as_of?);
    let now = heads_of(delivery.census, delivery.as_of);
    // One month alone has no “newest but one”: nothing to compare.
    if now.is_empty() {
        return None;
    }
    let shrunk: Vec<String> = before
        .into_iter()
        .filter_map(|(kind, before)| {
            let now = now.get(&kind).copied().unwrap_or(0);
            let found = shrinkage(before, now);
            (before >= PART_RECORDS && found > HEADS_SHRINK).then(|| {
                format!(
                    "{}从{before}人减为{now}人",
                    part_title(&format!("insurance:{kind}"))
                )
            })
        })
        .collect();
    (!shrunk.is_empty()).then(|| {
        hold(
            "YB-3106",
            &format!(
                "最近月份的上一个月的参保人数比上一批减少超过{}：{}",
                percent(HEADS_SHRINK),
                listed(shrunk.into_iter())
            ),
            "请来源部门核对这些险种的人数，补送完整文件",
        )
    })
}

/// Fill rates the adapter does not declare, against the last batch's.
fn fill(delivery: &Delivery<'_>, previous: &Batch) -> Vec<Reason> {
    let (now, before) = (delivery.census, &previous.census);
    if now.records == 0 || before.records < PART_RECORDS {
        return Vec::new();
    }
    before
        .filled
        .iter()
        .filter(|(name, _)| !delivery.adapter.expect.fill.contains_key(*name))
        .filter_map(|(name, filled)| {
            let was = share(*filled, before.records);
            let is = share(now.filled.get(name).copied().unwrap_or(0), now.records);
            let what = format!(
                "{}（{name}）可用率由上批{}降到{}",
                title(name),
                percent(was),
                percent(is)
            );
            if was >= FILL_BEFORE && is < was / 2.0 {
                Some(hold(
                    "YB-3108",
                    &what,
                    "查看问题清单，向来源部门核对是否漏列或改了写法",
                ))
            } else if was - is > FILL_DROP {
                let remedy = "查看问题清单，向来源部门核对是否漏列或改了写法";
                Some(warning("YB-3109", &what, remedy))
            } else {
                None
            }
        })
        .collect()
}

/// Keys that were there before this batch.
fn known(delivery: &Delivery<'_>) -> u64 {
    let changes = delivery.changes;
    changes.missing + changes.changed + changes.unchanged
}

fn missing(delivery: &Delivery<'_>) -> Option<Reason> {
    let bound = delivery
        .adapter
        .expect
        .change
        .missing_at_most
        .unwrap_or(MISSING_AT_MOST);
    let (missing, known) = (delivery.changes.missing, known(delivery));
    let found = share(missing, known);
    (found > bound).then(|| {
        hold(
            "YB-3110",
            &format!(
                "上批{known}条记录中有{missing}条不见了（{}），超过{}",
                percent(found),
                percent(bound)
            ),
            "请来源部门说明减少的原因，漏报的补送完整文件",
        )
    })
}

/// As many new keys as lost ones: the department has numbered its records anew.
fn rekeyed(delivery: &Delivery<'_>) -> Option<Reason> {
    let (missing, new) = (delivery.changes.missing, delivery.changes.new);
    let is_rekeyed = missing >= REKEY_RECORDS
        && new >= REKEY_RECORDS
        && share(missing, known(delivery)) >= REKEY_MISSING
        && share(new, missing) >= REKEY_NEW;
    is_rekeyed.then(|| {
        hold(
            "YB-3111",
            &format!("疑似整体换码：{missing}条记录不见、同时新增{new}条，来源部门可能更换了编号或主键的写法"), "请来源部门提供新旧编号对照")
    })
}

fn changed(delivery: &Delivery<'_>) -> Option<Reason> {
    let (changed, known) = (delivery.changes.changed, known(delivery));
    let found = share(changed, known);
    if let Some(bound) = delivery.adapter.expect.change.changed_at_most {
        return (known > 0 && found > bound).then(|| {
            hold(
                "YB-3123",
                &format!(
                    "上批{known}条记录中有{changed}条内容改变（{}），超过{}",
                    percent(found),
                    percent(bound)
                ),
                "用 yingbao preview 查看记录，请来源部门说明改动的原因",
            )
        });
    }
    (known >= PART_RECORDS && found > CHANGED_AT_MOST).then(|| {
        warning(
            "YB-3112",
            &format!(
                "上批{known}条记录中有{changed}条内容改变（{}），超过{}",
                percent(found),
                percent(CHANGED_AT_MOST)
            ),
            "用 yingbao changes 查看哪些字段变了；确系来源部门统一更新的，无需处理",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::batch::Weight;

    #[test]
    fn a_unit_s_few_rows_may_end_anywhere_but_on_the_roll() {
        let of = |rows: &[u64], kind| {
            let absent = rows
                .iter()
                .zip(["agency:宛城区", "agency:卧龙区"])
                .map(|(rows, part)| (part.to_owned(), *rows))
                .collect();
            units(&absent, kind).map(|reason| reason.weight)
        };
        let (transport, roll) = (RecordKind::Transport, RecordKind::InsuredRoll);
        assert_eq!(of(&[], transport), None);
        assert_eq!(of(&[1, 4], transport), Some(Weight::Warning));
        assert_eq!(of(&[1, 5], transport), Some(Weight::Hold));
        assert_eq!(of(&[1], roll), Some(Weight::Hold));
    }
}
