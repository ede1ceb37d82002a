//! Cron lines: five fields (minute hour day month weekday), Asia/Shanghai. Read by the same library, in the same way, as the
//! one that wakes the daemon, so that what `check` accepts is what runs.

use chrono::{DateTime, FixedOffset};
use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::Timestamp;

/// China has kept UTC+8 without summer time since 1991.
const OFFSET_S: i32 = 8 * 3600;

/// Five years, the longest gap between two February 29ths but for the turn of a century.
const FIVE_YEARS_S: i64 = 5 * 366 * 86_400;

/// 2026-01-01 00:00 in Asia/Shanghai: from here a line must have an occurrence within five years. A fixed day, so that a
/// file that was good yesterday is good today.
const REFERENCE_S: i64 = 1_767_196_800;

/// A cron line that has been read.
#[derive(Debug, Clone)]
pub struct CronLine {
    cron: Cron,
}

impl CronLine {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it and the remedy, in Chinese. A line that limits both day and weekday is refused: the library wants
    /// both to match, Unix cron either, and nobody should have to know. So is one that never comes within five years.
    pub fn read(line: &str) -> Result<Self, String> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let &[_, _, day, month, weekday] = fields.as_slice() else {
            return Err(format!(
                "cron“{line}”有{}段，应为5段：分 时 日 月 星期。处理：例如每天 8:30 写作 \"30 8 * * *\"。",
                fields.len()
            ));
        };
        let open = |field: &str| field == "*" || field == "?";
        if !open(day) && !open(weekday) {
            return Err(format!(
                "cron“{line}”同时限定了日和星期，两者须同时满足，容易误解。处理：只限定其中一个，另一个写 *；要工作日请用 days = \"working\"。"
            ));
        }
        let cron = CronParser::builder()
            .seconds(Seconds::Required)
            .dom_and_dow(true)
            .build()
            .parse(&format!("0 {}", fields.join(" ")))
            .map_err(|error| {
                format!("cron“{line}”无法读出（{error}）。处理：5段依次为 分(0-59) 时(0-23) 日(1-31) 月(1-12) 星期(0-7)。")
            })?;
        let read = Self { cron };
        let reference = Timestamp::from_second(REFERENCE_S).unwrap_or(Timestamp::UNIX_EPOCH);
        if read.after(reference).is_none() {
            return Err(format!(
                "cron“{line}”五年内不会出现（日 {day}、月 {month}）。处理：检查日和月，例如没有2月30日。"
            ));
        }
        Ok(read)
    }

    /// The line as tokio-cron-scheduler wants it: with seconds.
    #[must_use]
    pub fn with_seconds(line: &str) -> String {
        let fields: Vec<&str> = line.split_whitespace().collect();
        format!("0 {}", fields.join(" "))
    }

    /// The next occurrence after `at`; `None` within five years.
    #[must_use]
    pub fn after(&self, at: Timestamp) -> Option<Timestamp> {
        let next = self.cron.find_next_occurrence(&local(at)?, false).ok()?;
        let next = Timestamp::from_second(next.timestamp()).ok()?;
        (next.as_second() - at.as_second() <= FIVE_YEARS_S).then_some(next)
    }

    /// The last occurrence at or before `at`; `None` within five years.
    #[must_use]
    pub fn at_or_before(&self, at: Timestamp) -> Option<Timestamp> {
        let last = self.cron.find_previous_occurrence(&local(at)?, true).ok()?;
        let last = Timestamp::from_second(last.timestamp()).ok()?;
        (at.as_second() - last.as_second() <= FIVE_YEARS_S).then_some(last)
    }
}

/// The zone that occurrences are counted in.
#[must_use]
pub fn zone() -> Option<FixedOffset> {
    FixedOffset::east_opt(OFFSET_S)
}

fn local(at: Timestamp) -> Option<DateTime<FixedOffset>> {
    Some(DateTime::from_timestamp(at.as_second(), 0)?.with_timezone(&zone()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("{text}:00+08:00").parse().expect("a time")
    }

    #[test]
    fn the_reference_is_what_it_says() {
        assert_eq!(REFERENCE_S, at("2026-01-01T00:00").as_second());
    }

    #[test]
    fn occurrences_are_counted_in_shanghai() {
        for (line, now, next, last) in [
            (
                "30 8 * * *",
                "2026-03-02T08:30",
                "2026-03-03T08:30",
                "2026-03-02T08:30",
            ),
            (
                "30 8 * * *",
                "2026-03-02T08:29",
                "2026-03-02T08:30",
                "2026-03-01T08:30",
            ),
            (
                "0 0 1 * *",
                "2026-02-28T23:59",
                "2026-03-01T00:00",
                "2026-02-01T00:00",
            ),
            (
                "10 8 1-5 * *",
                "2026-03-05T09:00",
                "2026-04-01T08:10",
                "2026-03-05T08:10",
            ),
            (
                "0 7 29 2 *",
                "2026-03-05T09:00",
                "2028-02-29T07:00",
                "2024-02-29T07:00",
            ),
            (
                "0 9 * * MON",
                "2026-03-02T09:00",
                "2026-03-09T09:00",
                "2026-03-02T09:00",
            ),
            (
                "0 9 * * 7",
                "2026-03-02T09:00",
                "2026-03-08T09:00",
                "2026-03-01T09:00",
            ),
            (
                "0 9 L * ?",
                "2026-03-02T09:00",
                "2026-03-31T09:00",
                "2026-02-28T09:00",
            ),
        ] {
            let cron = CronLine::read(line).expect(line);
            assert_eq!(cron.after(at(now)), Some(at(next)), "{line} after {now}");
            assert_eq!(
                cron.at_or_before(at(now)),
                Some(at(last)),
                "{line} before {now}"
            );
        }
    }

    #[test]
    fn bad_lines_are_refused_with_a_remedy() {
        for (line, why) in [
            ("30 8 * *", "有4段"),
            ("0 30 8 * * *", "有6段"),
            ("@daily", "有1段"),
            ("", "有0段"),
            ("60 8 * * *", "无法读出"),
            ("x 8 * * *", "无法读出"),
            ("0 8 30 2 *", "五年内不会出现"),
            ("0 8 1 * MON", "同时限定了日和星期"),
        ] {
            let text = CronLine::read(line).expect_err(line);
            assert!(text.contains(why), "{line}: {text}");
            assert!(text.contains("处理："), "{text}");
        }
    }
}
