//! Rules that need no past.

use crate::adapter::check::SET_ASIDE_AT_MOST;
use crate::adapter::guard::{Delivery, hold, percent, share, warning};
use crate::domain::batch::Reason;
use crate::domain::record::Field;

/// Row counts at which spreadsheet programs cut a table off, with and without the heading row.
const CUT_OFF: [u64; 4] = [65_535, 65_536, 1_048_575, 1_048_576];
/// Exporting programs page by thousands: a total that is a whole number of them looks like a torn export.
const ROUND: u64 = 1_000;

pub(super) fn reasons(delivery: &Delivery<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(rows(delivery));
    reasons.extend(declared_total(delivery));
    reasons.extend(cut(delivery));
    reasons.extend(set_aside(delivery));
    reasons.extend(fill(delivery));
    reasons.extend(units(delivery));
    reasons.extend(round_total(delivery));
    reasons.extend(future(delivery));
    reasons
}

/// Zero rows; fewer or more than the adapter expects.
fn rows(delivery: &Delivery<'_>) -> Option<Reason> {
    let rows = delivery.rows;
    let expect = &delivery.adapter.expect;
    if rows == 0 {
        return (!expect.may_be_empty).then(|| {
            hold(
                "YB-3101",
                "文件中没有数据行，而适配器没有声明可以为空",
                "请来源部门核对导出程序后重新导出；确可为空的，在适配器写明 expect.may_be_empty",
            )
        });
    }
    if let Some(min) = expect.rows.min.filter(|min| rows < *min) {
        let what = format!("共{rows}行，少于适配器声明的下限{min}行");
        return Some(hold(
            "YB-3102",
            &what,
            "请来源部门补送完整文件；规模确已变小的，调低 expect.rows.min",
        ));
    }
    let max = expect.rows.max.filter(|max| rows > *max)?;
    Some(warning(
        "YB-3103",
        &format!("共{rows}行，多于适配器声明的上限{max}行"),
        "核对是否重复导出；数据确已增长的，调整 expect.rows.max",
    ))
}

/// The file's own total against what was received.
fn declared_total(delivery: &Delivery<'_>) -> Option<Reason> {
    let total = delivery
        .declared_total
        .filter(|total| *total != delivery.rows)?;
    let relation = if delivery.rows < total { "少" } else { "多" };
    Some(hold(
        "YB-3114",
        &format!(
            "文件声明共{total}条，实收{}条，{relation}{}条，文件可能不完整",
            delivery.rows,
            delivery.rows.abs_diff(total)
        ),
        "请来源部门补送完整文件",
    ))
}

/// A file that breaks off in its last row has lost all that stood behind it, however much that was.
fn cut(delivery: &Delivery<'_>) -> Option<Reason> {
    delivery.cut_row.map(|row| {
        hold(
            "YB-3127",
            &format!("文件在第{row}行中断，其后的内容缺失"),
            "请来源部门核对传输是否完整，补送完整文件",
        )
    })
}

/// Too many bad rows mean a bad batch.
fn set_aside(delivery: &Delivery<'_>) -> Option<Reason> {
    let bound = delivery
        .adapter
        .expect
        .set_aside_at_most
        .unwrap_or(SET_ASIDE_AT_MOST);
    let found = share(delivery.set_aside, delivery.rows);
    (found > bound).then(|| {
        hold(
            "YB-3113",
            &format!(
                "{}行中有{}行不能采用（{}），超过{}",
                delivery.rows,
                delivery.set_aside,
                percent(found),
                percent(bound)
            ),
            "把问题清单退来源部门更正后重新导出",
        )
    })
}

/// Fill rates the adapter declares.
fn fill(delivery: &Delivery<'_>) -> Vec<Reason> {
    let census = delivery.census;
    if census.records == 0 {
        return Vec::new();
    }
    delivery
        .adapter
        .expect
        .fill
        .iter()
        .filter_map(|(name, bound)| {
            let filled = census.filled.get(name).copied().unwrap_or(0);
            let found = share(filled, census.records);
            (found < *bound).then(|| {
                hold(
                    "YB-3107",
                    &format!(
                        "{}（{name}）可用率{}，低于声明的{}",
                        title(name),
                        percent(found),
                        percent(*bound)
                    ),
                    "向来源部门核对是否漏列或改了写法",
                )
            })
        })
        .collect()
}

/// Units the adapter names that have no row.
fn units(delivery: &Delivery<'_>) -> Option<Reason> {
    if delivery.rows == 0 {
        return None;
    }
    let has_rows = |wanted: &str| {
        let wanted = delivery.units.by_name(wanted).map(|unit| &unit.id);
        delivery.census.parts.iter().any(|(part, n)| {
            let found = match part.split_once(':') {
                Some(("region", text)) => delivery.units.get(text),
                Some(("agency", text)) => delivery.units.by_name(text),
                _ => None,
            };
            *n > 0 && wanted.is_some() && found.map(|unit| &unit.id) == wanted
        })
    };
    let absent: Vec<&str> = delivery
        .adapter
        .expect
        .units
        .iter()
        .map(String::as_str)
        .filter(|name| !has_rows(name))
        .collect();
    (!absent.is_empty()).then(|| {
        hold(
            "YB-3121",
            &format!("应有数据的填报单位一条也没有：{}", absent.join("、")),
            "请来源部门核对这些单位的数据，补送完整文件",
        )
    })
}

pub(super) fn title(name: &str) -> &'static str {
    Field::by_name(name).map_or("字段", Field::title)
}

/// A total at which programs cut off. Whole thousands are only odd when the last batch had another number.
fn round_total(delivery: &Delivery<'_>) -> Option<Reason> {
    let rows = delivery.rows;
    let before = delivery.previous.map(|previous| previous.rows);
    let is_cut = CUT_OFF.contains(&rows) && before != Some(rows);
    let is_round =
        rows >= ROUND && rows.is_multiple_of(ROUND) && before.is_some_and(|before| before != rows);
    (is_cut || is_round).then(|| {
        let what = if is_cut {
            format!("共{rows}行，恰为电子表格的行数上限，可能被截断")
        } else {
            format!("共{rows}行，恰为{ROUND}的整数倍，可能被分页截断")
        };
        warning("YB-3115", &what, "向来源部门核对总数")
    })
}

/// A statement about a day that has not come.
fn future(delivery: &Delivery<'_>) -> Option<Reason> {
    (delivery.as_of > delivery.today).then(|| {
        hold(
            "YB-3116",
            &format!("数据日期{}晚于今天{}", delivery.as_of, delivery.today),
            "核对数据日期的写法，请来源部门更正",
        )
    })
}
