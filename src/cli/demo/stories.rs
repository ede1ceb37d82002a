//! The stories of a demo: what happened to one firm of each kind, told from the store and the city's truth.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cli::demo::MARK;
use crate::cli::demo::days::Run;
use crate::cli::notices;
use crate::domain::case::{Case, ClosingReason, Stage};
use crate::domain::coverage::{Assessment, Standing};
use crate::domain::employment::Evidence;
use crate::domain::finding::{Ground, Insurance};
use crate::domain::notice::{Notice, Purpose};
use crate::domain::record::Field;
use crate::domain::register::Enterprise;
use crate::domain::text::day;
use crate::render::demo::Story;
use crate::tasks::Desk;
use crate::tasks::known::Known;
/// Who tells them.
pub struct Teller<'a> {
    pub run: &'a Run,
    pub desk: Desk<'a>,
    pub known: &'a Known,
    pub cases: &'a [Case],
    pub notices: &'a [Notice],
}

impl Teller<'_> {
    /// File name and story, in the order of the index; a story that did not happen in this run is left out.
    pub fn stories(&self) -> Vec<(&'static str, Story)> {
        let mut told = Vec::new();
        let closed = |reason: ClosingReason| {
            move |case: &&Case| {
                case.closed
                    .as_ref()
                    .is_some_and(|closing| closing.reason == reason)
            }
        };
        let mut tell = |name: &'static str, title: &str, summary: &str, case: Option<&Case>| {
            if let Some(case) = case {
                told.push((name, self.of_case(title, summary, case)));
            }
        };
        tell(
            "enrolled",
            "通知后参保",
            "数据显示有用工而未参保，具名人员核实属实后寄出通知书，企业随后办理了参保登记；完整的参保登记册显示之后，个案自动办结。",
            self.cases
                .iter()
                .filter(closed(ClosingReason::Enrolled))
                .find(|case| case.accused()),
        );
        tell(
            "enrolled-partly",
            "通知后部分参保",
            "收到通知后只办理了一部分：原个案按部分参保办结，仍缺的险种或人数成为新的疑点，重新核实。",
            self.cases
                .iter()
                .filter(closed(ClosingReason::EnrolledPartly))
                .filter(|case| case.accused())
                .max_by_key(|case| (self.later(case).count() > 0, std::cmp::Reverse(&case.id))),
        );
        let mut standing = |name: &'static str, title: &str, summary: &str, wanted: Standing| {
            if let Some((assessment, enterprise)) = self.of_standing(wanted) {
                told.push((
                    name,
                    self.of_enterprise(title, summary, assessment, enterprise),
                ));
            }
        };
        standing(
            "head-office",
            "随总公司参保的分支机构",
            "分支机构名下无人参保，但隶属的总公司参保人数足以覆盖其职工：不列疑点，不打扰企业。",
            Standing::InsuredByHeadOffice,
        );
        standing(
            "shell",
            "没有用工的企业",
            "登记存续，但连续申报显示没有职工或只有经营者本人：没有参保不违法，不列疑点。",
            Standing::NoStaff,
        );
        standing(
            "construction",
            "建筑企业",
            "工伤保险按建设项目参加，单位登记册上没有工伤险种不等于险种不全：不列疑点。",
            Standing::InsuredByProject,
        );
        let mut tell = |name: &'static str, title: &str, summary: &str, case: Option<&Case>| {
            if let Some(case) = case {
                told.push((name, self.of_case(title, summary, case)));
            }
        };
        tell(
            "elsewhere",
            "职工在异地或其他单位参保",
            "任何部门的数据都看不出，只有核实才能知道：具名人员登记证明材料后排除疑点，没有发出任何通知。",
            self.cases
                .iter()
                .find(closed(ClosingReason::InsuredElsewhere)),
        );
        tell(
            "transferred",
            "逾期转稽核",
            "通知和催办都有邮寄或通话记录，期满后更新的参保登记册仍显示未参保：连同全部依据和联系记录转稽核。",
            self.cases
                .iter()
                .find(|case| case.stage == Stage::Transferred),
        );
        told
    }

    fn of_standing(&self, wanted: Standing) -> Option<(&Assessment, &Enterprise)> {
        let fits = |assessment: &&Assessment| assessment.standing == wanted;
        // A shell that the tax rows speak of says more than one that nobody mentions.
        let richer = |assessment: &&Assessment| {
            self.known
                .register
                .get(&assessment.enterprise)
                .is_some_and(|enterprise| !enterprise.tax.is_empty())
        };
        let found = self
            .known
            .assessments
            .iter()
            .filter(fits)
            .find(richer)
            .or_else(|| self.known.assessments.iter().find(fits))?;
        Some((found, self.known.register.get(&found.enterprise)?))
    }

    /// Cases of the same firm that were opened after this one ended, in order.
    fn later<'c>(&'c self, case: &'c Case) -> impl Iterator<Item = &'c Case> {
        let ended = case.closed.as_ref().map(|closing| closing.date);
        self.cases.iter().filter(move |other| {
            other.enterprise == case.enterprise
                && other.id != case.id
                && ended.is_some_and(|ended| other.opened >= ended)
        })
    }

    fn of_case(&self, title: &str, summary: &str, case: &Case) -> Story {
        let mut ending = ended(case);
        for next in self.later(case) {
            let _ = write!(
                ending,
                "后续个案{}（{}）：{}",
                next.id,
                next.finding.kind.title(),
                ended(next)
            );
        }
        let enterprise = self.known.register.get(&case.enterprise);
        let mut firm = vec![
            ("个案编号".to_owned(), case.id.clone()),
            ("疑点".to_owned(), case.finding.kind.title().to_owned()),
            (
                "涉及险种".to_owned(),
                case.finding
                    .kinds
                    .iter()
                    .map(|kind| kind.title())
                    .collect::<Vec<_>>()
                    .join("、"),
            ),
        ];
        let mut history = lived(case);
        let later: Vec<&Case> = self.later(case).collect();
        for next in &later {
            history.extend(
                lived(next)
                    .into_iter()
                    .map(|(day, by, text)| (day, by, format!("〔后续个案{}〕{text}", next.id))),
            );
        }
        let told = |id: &String| *id == case.id || later.iter().any(|next| next.id == *id);
        firm.splice(
            0..0,
            self.firm(enterprise, &case.name, &case.credit_code, &case.unit),
        );
        Story {
            demo_mark: MARK.to_owned(),
            title: title.to_owned(),
            summary: summary.to_owned(),
            firm,
            grounds: std::iter::once(case)
                .chain(later.iter().copied())
                .flat_map(|case| &case.finding.grounds)
                .map(|ground| self.ground(ground))
                .collect(),
            history,
            notices: self
                .notices
                .iter()
                .filter(|notice| {
                    notice.cases.iter().any(told) && notice.purpose != Purpose::CountyAlert
                })
                .map(|notice| {
                    [
                        day(notice.day),
                        notice.channel.title().to_owned(),
                        format!("{}：{}", notices::recipient(notice), notice.subject),
                        notice.state.title().to_owned(),
                        notice
                            .answer
                            .as_ref()
                            .filter(|answer| is_file(answer))
                            .map(|answer| format!("../home/state/{answer}"))
                            .unwrap_or_default(),
                    ]
                })
                .collect(),
            ending,
            back: "../index.html".to_owned(),
        }
    }

    /// What the head office has on the roll, newest month first: that is what covers a branch.
    fn head_office(&self, enterprise: &Enterprise) -> Vec<Ground> {
        let code = enterprise
            .registration
            .as_ref()
            .and_then(|row| row.record.text(Field::HeadOfficeCode));
        let Some(head) = code.and_then(|code| self.known.register.find(code).first().copied())
        else {
            return Vec::new();
        };
        let mut grounds = Vec::new();
        for ((month, kind), heads) in head.roll.iter().rev().take(3) {
            let registered = heads
                .registered
                .map_or("不详".to_owned(), |n| n.to_string());
            if let Some(row) = heads.rows.first() {
                grounds.push(row.ground(
                    format!(
                        "隶属企业{}：{}{}参保{registered}人",
                        head.name,
                        kind.title(),
                        month.title()
                    ),
                    "coverage.roll",
                    "社会保险法第五十八条",
                ));
            }
        }
        grounds
    }

    fn of_enterprise(
        &self,
        title: &str,
        summary: &str,
        assessment: &Assessment,
        enterprise: &Enterprise,
    ) -> Story {
        let mut grounds = Vec::new();
        if let Some(row) = &enterprise.registration {
            let head = row
                .record
                .text(Field::HeadOfficeCode)
                .map(|code| format!("，隶属企业{code}"))
                .unwrap_or_default();
            grounds.push(row.ground(
                format!("登记存续{head}"),
                "coverage.liable",
                "社会保险法第五十七条",
            ));
        }
        for (month, row) in enterprise.tax.iter().rev().take(3) {
            let filers = row
                .record
                .count(Field::Filers)
                .map_or("不详".to_owned(), |n| n.to_string());
            grounds.push(row.ground(
                format!("{}工资薪金个税申报{filers}人", month.title()),
                "coverage.evidence",
                "社会保险经办条例第九条",
            ));
        }
        for ((month, kind), heads) in enterprise.roll.iter().rev().take(3) {
            let registered = heads
                .registered
                .map_or("不详".to_owned(), |n| n.to_string());
            if let Some(row) = heads.rows.first() {
                grounds.push(row.ground(
                    format!("{}{}参保{registered}人", kind.title(), month.title()),
                    "coverage.roll",
                    "社会保险法第五十八条",
                ));
            }
        }
        grounds.extend(self.head_office(enterprise));
        let mut firm = self.firm(
            Some(enterprise),
            &enterprise.name,
            &enterprise.credit_code,
            &assessment.unit,
        );
        let evidence = match &assessment.evidence {
            Evidence::Strong(_) => "连续两个月以上有多人申报工资薪金",
            Evidence::Visited(..) => "走访核实有用工",
            Evidence::Nobody => "没有，或仅经营者本人",
            Evidence::Unknown => "不明",
        };
        firm.push(("用工迹象".to_owned(), evidence.to_owned()));
        Story {
            demo_mark: MARK.to_owned(),
            title: title.to_owned(),
            summary: summary.to_owned(),
            firm,
            grounds: grounds.iter().map(|ground| self.ground(ground)).collect(),
            history: Vec::new(),
            notices: Vec::new(),
            ending: format!(
                "判断：{}。没有立案，没有任何通知。",
                assessment.standing.title()
            ),
            back: "../index.html".to_owned(),
        }
    }

    fn firm(
        &self,
        enterprise: Option<&Enterprise>,
        name: &str,
        credit_code: &str,
        unit: &str,
    ) -> Vec<(String, String)> {
        let text = |field| {
            enterprise
                .and_then(|enterprise| enterprise.registration.as_ref())
                .and_then(|row| row.record.text(field))
                .unwrap_or("—")
                .to_owned()
        };
        let units = self.desk.configuration.units();
        let truth = self
            .run
            .city
            .standing(credit_code, self.run.last_day())
            .map_or("—".to_owned(), |standing| {
                standing.state.title().to_owned()
            });
        vec![
            ("企业名称".to_owned(), name.to_owned()),
            ("统一社会信用代码".to_owned(), credit_code.to_owned()),
            (
                "经办机构".to_owned(),
                units
                    .get(unit)
                    .map_or("—".to_owned(), |unit| unit.agency.clone()),
            ),
            ("行业代码".to_owned(), text(Field::IndustryCode)),
            ("住所".to_owned(), text(Field::Address)),
            ("真相（演示城市期末）".to_owned(), truth),
        ]
    }

    fn ground(&self, ground: &Ground) -> [String; 7] {
        let department = self
            .desk
            .configuration
            .adapters
            .get(&ground.source)
            .map_or(ground.source.clone(), |adapter| adapter.department.clone());
        [
            department,
            ground.file.clone(),
            if ground.row == 0 {
                "无此行".to_owned()
            } else {
                ground.row.to_string()
            },
            ground.date.map(|day| day.to_string()).unwrap_or_default(),
            ground.text.clone(),
            ground.rule.clone(),
            ground.article.clone(),
        ]
    }
}

fn lived(case: &Case) -> Vec<(jiff::civil::Date, String, String)> {
    case.history
        .iter()
        .map(|entry| (entry.date, entry.by.clone(), entry.text.clone()))
        .collect()
}

fn ended(case: &Case) -> String {
    match &case.closed {
        Some(closing) => format!(
            "{}办结：{}。{}{}",
            day(closing.date),
            closing.reason.title(),
            closing.text,
            enrolled_heads(&closing.heads)
        ),
        None => format!("现处“{}”。", case.stage.title()),
    }
}

/// Whether a courier's answer is the path of a file below the state folder.
pub fn is_file(answer: &str) -> bool {
    answer.starts_with("out/") || answer.starts_with("dry-run/")
}

/// `，新增参保：养老保险6人、工伤保险6人。`, or nothing.
fn enrolled_heads(heads: &BTreeMap<Insurance, u64>) -> String {
    if heads.is_empty() {
        return String::new();
    }
    let each: Vec<String> = heads
        .iter()
        .map(|(kind, n)| format!("{}{n}人", kind.title()))
        .collect();
    format!("，新增参保：{}。", each.join("、"))
}
