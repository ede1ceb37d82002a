//! Letters to firms, as pages to print: 参保登记通知书 and 参保催办提醒. In the county agency's name, number and seal place
//! left blank, never a fine or an order.

use jiff::civil::Date;
use minijinja::context;

use crate::domain::case::Step;
use crate::domain::finding::{FindingKind, Insurance};
use crate::render::RenderError;
use crate::render::page;
use crate::render::wording;

/// One letter; several findings of one firm are bundled in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Marks a demo.
    pub demo_mark: Option<String>,
    /// Which letter.
    pub step: Step,
    /// 南阳市宛城区社会保险中心.
    pub agency: String,
    /// Its telephone; a blank to fill in when `None`.
    pub agency_phone: Option<String>,
    /// The firm.
    pub firm: String,
    /// Its credit code.
    pub credit_code: String,
    /// Where it is posted to.
    pub address: String,
    /// What was found and confirmed: kind and the insurances concerned.
    pub findings: Vec<(FindingKind, Vec<Insurance>)>,
    /// The day it was decided.
    pub day: Date,
    /// `15日`, `10个工作日`: counted from receipt.
    pub answer: String,
    /// Case ids, small at the foot, so that an answer finds its case.
    pub cases: Vec<String>,
}

/// The page (HTML, A4, prints on one sheet).
pub fn html(letter: &Letter) -> Result<String, RenderError> {
    let what = letter.step.title();
    let (reminder, short) = match letter.step {
        Step::RegistrationNotice => (false, "通知"),
        Step::Reminder => (true, "提醒"),
    };
    page::fill(
        what,
        "letter.html",
        context! {
            title => what,
            demo_mark => &letter.demo_mark,
            reminder,
            short,
            agency => &letter.agency,
            agency_phone => &letter.agency_phone,
            firm => &letter.firm,
            credit_code => &letter.credit_code,
            address => &letter.address,
            findings => wording::all_confirmed(what, &letter.findings)?,
            day => crate::domain::text::day(letter.day),
            answer => &letter.answer,
            cases => letter.cases.join("、"),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    /// Words of fines, orders and publicity, which are another authority's.
    const FORBIDDEN: &[&str] = &[
        "责令",
        "罚款",
        "处罚",
        "滞纳金",
        "强制",
        "黑名单",
        "失信",
        "曝光",
        "违法",
        "申报人数",
        "undefined",
    ];

    fn letter(step: Step, findings: Vec<(FindingKind, Vec<Insurance>)>) -> Letter {
        Letter {
            demo_mark: Some("演示数据，纯属虚构".into()),
            step,
            agency: "南阳市宛城区社会保险中心".into(),
            agency_phone: None,
            firm: "南阳<b>市</b>晨&光食品有限公司".into(),
            credit_code: "91411302MA4FQYQ67X".into(),
            address: "南阳市宛城区某路1号".into(),
            findings,
            day: date(2026, 3, 5),
            answer: "15日".into(),
            cases: vec!["EMA4FQYQ67-A-1".into()],
        }
    }

    #[test]
    fn no_letter_speaks_of_fines_and_every_letter_is_marked_and_escaped() {
        for step in [Step::RegistrationNotice, Step::Reminder] {
            for kind in FindingKind::ALL
                .into_iter()
                .filter(|kind| kind.opens_case())
            {
                let page = html(&letter(step, vec![(kind, Insurance::ALL.to_vec())])).unwrap();
                for word in FORBIDDEN {
                    assert!(!page.contains(word), "{step:?} {kind:?}: {word}");
                }
                assert!(page.contains("演示数据，纯属虚构"));
                assert!(page.contains("晨&amp;光") && !page.contains("<b>市"));
                assert!(page.contains("2026年3月5日") && page.contains("之日起15日内"));
                assert!(page.contains("EMA4FQYQ67-A-1") && page.contains("（印章）"));
            }
        }
    }

    #[test]
    fn without_the_mark_nothing_speaks_of_a_demo() {
        let mut real = letter(
            Step::Reminder,
            vec![(FindingKind::Absent, vec![Insurance::Pension])],
        );
        real.demo_mark = None;
        assert!(!html(&real).unwrap().contains("演示"));
    }

    #[test]
    fn arrears_and_empty_letters_are_refused() {
        for findings in [
            vec![],
            vec![(FindingKind::NotPaying, vec![Insurance::Pension])],
            vec![(FindingKind::Absent, vec![])],
        ] {
            assert!(html(&letter(Step::RegistrationNotice, findings)).is_err());
        }
    }
}
