//! How days, figures and lists of insurances are written in official papers.

use crate::domain::finding::{FindingKind, Insurance};
use crate::render::RenderError;

/// `12,345`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `part` of `whole` in tenths of a per cent, rounded half up — except that what is not all never reads 100 %,
/// and what is not nothing never reads 0 %. `None` when there is no whole.
#[must_use]
pub fn per_mille(part: u64, whole: u64) -> Option<u64> {
    if whole == 0 {
        return None;
    }
    let exact = u128::from(part) * 1000;
    let rounded =
        u64::try_from((exact + u128::from(whole) / 2) / u128::from(whole)).unwrap_or(u64::MAX);
    Some(if part < whole {
        rounded.clamp(u64::from(part > 0), 999)
    } else {
        rounded
    })
}

/// `85.7%`, or `—` when there is no whole.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    per_mille(part, whole).map_or_else(
        || "—".to_owned(),
        |tenths| format!("{}.{}%", tenths / 10, tenths % 10),
    )
}

/// `养老保险、工伤保险`, in the order of the law, each once.
#[must_use]
pub fn kinds(insurances: &[Insurance]) -> String {
    Insurance::ALL
        .into_iter()
        .filter(|kind| insurances.contains(kind))
        .map(Insurance::title)
        .collect::<Vec<_>>()
        .join("、")
}

/// What a firm is told of one confirmed finding: that it employs and what is not registered, no figures.
///
/// # Errors
/// Arrears are the tax authority's and never stand in a letter of the agency; a finding without a kind says nothing.
pub fn confirmed(
    what: &'static str,
    kind: FindingKind,
    insurances: &[Insurance],
) -> Result<String, RenderError> {
    let refuse = |text: &str| {
        Err(RenderError {
            what,
            text: text.to_owned(),
        })
    };
    let kinds = kinds(insurances);
    if kinds.is_empty() {
        return refuse("没有写明险种");
    }
    Ok(match kind {
        FindingKind::Absent => format!("你单位已有用工，尚未为职工办理{kinds}参保登记。"),
        FindingKind::NobodyInsured => {
            format!("你单位已办理社会保险登记并已有用工，尚未为职工办理{kinds}参保登记。")
        }
        FindingKind::KindsMissing => {
            format!("你单位已为职工办理部分险种的参保登记，尚未办理{kinds}参保登记。")
        }
        FindingKind::FewerInsured => format!("你单位尚有部分职工未办理{kinds}参保登记。"),
        FindingKind::NotPaying => {
            return refuse("已参保未缴费由税务部门负责，不得写入经办机构的通知");
        }
    })
}

/// The sentences of all findings of a notice, each once.
///
/// # Errors
/// As [`confirmed`]; and when nothing was found there is nothing to write.
pub fn all_confirmed(
    what: &'static str,
    findings: &[(FindingKind, Vec<Insurance>)],
) -> Result<Vec<String>, RenderError> {
    if findings.is_empty() {
        return Err(RenderError {
            what,
            text: "没有经核实的事项".to_owned(),
        });
    }
    let mut sentences = Vec::new();
    for (kind, insurances) in findings {
        let sentence = confirmed(what, *kind, insurances)?;
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    Ok(sentences)
}

/// A line of text that came from outside: line breaks and control characters become blanks.
#[must_use]
pub fn one_line(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_and_counts_are_written_as_in_official_papers() {
        assert_eq!(crate::domain::text::day(date(2026, 3, 5)), "2026年3月5日");
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (118_204, "118,204"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn a_share_never_claims_more_than_is_true() {
        for (part, whole, text) in [
            (0, 0, "—"),
            (0, 7, "0.0%"),
            (6, 7, "85.7%"),
            (7, 7, "100.0%"),
            (9_999, 10_000, "99.9%"),
            (1, 100_000, "0.1%"),
            (1, 2, "50.0%"),
        ] {
            assert_eq!(percent(part, whole), text, "{part}/{whole}");
        }
    }

    #[test]
    fn kinds_stand_in_the_order_of_the_law() {
        assert_eq!(
            kinds(&[
                Insurance::WorkInjury,
                Insurance::Pension,
                Insurance::WorkInjury
            ]),
            "养老保险、工伤保险"
        );
    }

    #[test]
    fn what_a_firm_must_not_be_told_is_refused() {
        let all = Insurance::ALL.to_vec();
        assert!(confirmed("信", FindingKind::NotPaying, &all).is_err());
        assert!(confirmed("信", FindingKind::Absent, &[]).is_err());
        assert!(all_confirmed("信", &[]).is_err());
        for kind in FindingKind::ALL
            .into_iter()
            .filter(|kind| kind.opens_case())
        {
            let text = confirmed("信", kind, &all).unwrap();
            assert!(text.contains("养老保险、失业保险、工伤保险"), "{text}");
            assert!(!text.chars().any(|c| c.is_ascii_digit()), "{text}");
        }
    }
}
