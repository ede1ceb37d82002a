//! The closing pages of a demo: the index, seven stories, one county's worklist and one letter.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::calendar::shanghai;
use crate::cli::demo::days::Run;
use crate::cli::demo::ending::Summary;
use crate::cli::demo::{MARK, io};
use crate::cli::notices;
use crate::domain::batch::Verdict;
use crate::domain::case::{Case, ClosingReason, Stage};
use crate::domain::coverage::{Assessment, Evidence, Standing};
use crate::domain::event::Event;
use crate::domain::figures;
use crate::domain::finding::{Ground, Insurance};
use crate::domain::notice::{Channel, Notice, Purpose};
use crate::domain::record::Field;
use crate::domain::register::Enterprise;
use crate::domain::text::{self, day};
use crate::render::RenderError;
use crate::render::demo::{self as page, CutRoll, FunnelLine, Index, Story};
use crate::tasks::county;
use crate::tasks::known::Known;
use crate::tasks::{Desk, Failure};

/// Rows of the worklist that the index shows; the workbook has all.
const EXCERPT: usize = 6;

fn rendered(result: Result<String, RenderError>) -> Result<String, Failure> {
    result.map_err(|error| Failure::Render {
        what: error.what.to_owned(),
        text: error.text,
    })
}

/// Writes index, stories, worklist and letter under OUT.
pub fn write(
    run: &Run,
    desk: Desk<'_>,
    known: &Known,
    cases: &[Case],
    summary: &Summary,
) -> Result<(), Failure> {
    let notices = desk.store.notices().collect::<Result<Vec<_>, _>>()?;
    let out = &run.out;
    for folder in ["stories", "samples"] {
        fs::create_dir_all(out.join(folder)).map_err(io("建立演示目录"))?;
    }
    let mut index = Index {
        demo_mark: MARK.to_owned(),
        centre: desk.configuration.settings.centre.clone(),
        enterprises: summary.enterprises,
        days: u64::from(summary.days),
        first: Some(run.progress.options.start),
        last: Some(run.last_day()),
        funnel: funnel(desk, known, cases),
        not_accused: not_accused(summary),
        headline: headline(summary),
        cut: cut(run, desk)?,
        stopped: stopped(desk)?,
        late: late(desk)?,
        ..Index::default()
    };
    let teller = Teller {
        run,
        desk,
        known,
        cases,
        notices: &notices,
    };
    for (name, told) in teller.stories() {
        let file = format!("stories/{name}.html");
        fs::write(out.join(&file), rendered(page::story(&told))?).map_err(io("写演示页面"))?;
        index
            .stories
            .push((told.title.clone(), told.ending.clone(), file));
    }
    samples(out, desk, &notices, known, cases, &mut index)?;
    for bulletin in &summary.bulletins {
        let kind = if bulletin.ends_with(".html") {
            "网页"
        } else {
            "工作簿"
        };
        let month = bulletin
            .trim_start_matches("bulletins/bulletin-")
            .split('.')
            .next()
            .unwrap_or_default();
        index
            .links
            .push((format!("{month}通报草稿（{kind}）"), bulletin.clone()));
    }
    index
        .links
        .push(("真相（每户一行）".to_owned(), "truth.jsonl".to_owned()));
    index
        .links
        .push(("疑点（每件一行）".to_owned(), "findings.jsonl".to_owned()));
    fs::write(out.join("index.html"), rendered(page::index(&index))?).map_err(io("写演示首页"))
}

fn headline(summary: &Summary) -> Vec<(String, String, String)> {
    let card =
        |title: &str, value: String, remark: &str| (title.to_owned(), value, remark.to_owned());
    vec![
        card(
            "已通知企业",
            format!("{}户", summary.accused),
            "经具名人员核实后才发出通知",
        ),
        card(
            "误催企业",
            format!("{}户", summary.accused_wrongly),
            "与真相逐户比对",
        ),
        card(
            "应催尽催",
            format!("{:.1}%", summary.recall * 100.0),
            "有用工证据的未足额参保企业中已列疑点的比例",
        ),
        card(
            "新增参保",
            format!("{}户", summary.enrolled),
            "由完整的参保登记册自动确认",
        ),
        card(
            "转稽核",
            format!("{}件", summary.transferred),
            "逾期且有邮寄或通话记录",
        ),
        card(
            "拦截问题数据",
            format!("{}批", summary.quarantined + summary.refused),
            "残缺、截断的文件没有进入比对",
        ),
    ]
}

fn not_accused(summary: &Summary) -> Vec<(String, u64)> {
    let mut reasons: Vec<(String, u64)> = summary
        .not_accused
        .iter()
        .map(|(standing, n)| (standing.title().to_owned(), *n))
        .collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    reasons
}

/// The funnel by unit over the whole run, total last.
fn funnel(desk: Desk<'_>, known: &Known, cases: &[Case]) -> Vec<FunnelLine> {
    let base = figures::base(&known.assessments);
    let mut firms: BTreeMap<&str, [std::collections::BTreeSet<&str>; 5]> = BTreeMap::new();
    let mut heads: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    for case in cases {
        let [checked, notified, enrolled, transferred, doubted] =
            firms.entry(&case.unit).or_default();
        doubted.insert(&case.enterprise);
        let answered = case
            .closed
            .as_ref()
            .is_some_and(|closing| closing.reason.clears_for_days() > 0);
        if case.confirmed.is_some() || answered {
            checked.insert(&case.enterprise);
        }
        if case.accused() {
            notified.insert(&case.enterprise);
        }
        if case.transferred.is_some() {
            transferred.insert(&case.enterprise);
        }
        if let Some(closing) = &case.closed
            && matches!(
                closing.reason,
                ClosingReason::Enrolled | ClosingReason::EnrolledPartly
            )
        {
            enrolled.insert(&case.enterprise);
            let sums = heads.entry(&case.unit).or_default();
            for (at, kind) in Insurance::ALL.iter().enumerate() {
                sums[at] += closing.heads.get(kind).copied().unwrap_or(0);
            }
        }
    }
    // Findings that still wait for their case are doubts as well.
    for assessment in known
        .assessments
        .iter()
        .filter(|a| a.standing == Standing::Doubtful)
    {
        firms.entry(&assessment.unit).or_default()[4].insert(&assessment.enterprise);
    }
    let mut lines: Vec<FunnelLine> = Vec::new();
    let mut total = FunnelLine {
        unit: "合计".to_owned(),
        ..FunnelLine::default()
    };
    for unit in &desk.configuration.units().units {
        let base = base.get(&unit.id).copied().unwrap_or_default();
        let sets = firms.get(unit.id.as_str());
        let count = |at: usize| sets.map_or(0, |sets| sets[at].len() as u64);
        let line = FunnelLine {
            unit: unit.name.clone(),
            firms: [
                base.registered,
                base.active,
                base.with_staff,
                base.in_scope,
                base.insured,
                count(4),
                count(0),
                count(1),
                count(2),
                count(3),
            ],
            heads: heads.get(unit.id.as_str()).copied().unwrap_or_default(),
        };
        for at in 0..10 {
            total.firms[at] += line.firms[at];
        }
        for at in 0..3 {
            total.heads[at] += line.heads[at];
        }
        lines.push(line);
    }
    lines.push(total);
    lines
}

fn cut(run: &Run, desk: Desk<'_>) -> Result<Option<CutRoll>, Failure> {
    let Some(cut) = &run.progress.cut else {
        return Ok(None);
    };
    let batch = desk.store.batch(&cut.batch)?;
    let units = desk.configuration.units();
    Ok(Some(CutRoll {
        day: cut.day,
        file: batch
            .as_ref()
            .map(|batch| batch.file.clone())
            .unwrap_or_default(),
        rows: cut.rows,
        reasons: batch
            .map(|batch| {
                batch
                    .reasons
                    .into_iter()
                    .map(|reason| reason.text)
                    .collect()
            })
            .unwrap_or_default(),
        firms: cut.by_unit.values().sum(),
        by_unit: cut
            .by_unit
            .iter()
            .map(|(id, n)| {
                (
                    units
                        .get(id)
                        .map_or("未归属", |unit| unit.name.as_str())
                        .to_owned(),
                    *n,
                )
            })
            .collect(),
    }))
}

/// Deliveries that the door refused.
fn stopped(desk: Desk<'_>) -> Result<Vec<(jiff::civil::Date, String, String)>, Failure> {
    Ok(desk
        .store
        .batches(None, usize::MAX)?
        .into_iter()
        .filter(|batch| batch.verdict == Verdict::Refused)
        .map(|batch| {
            let what: Vec<String> = batch
                .reasons
                .iter()
                .map(|reason| format!("[{}] {}", reason.code, reason.text))
                .collect();
            (
                shanghai::civil(batch.received).date(),
                batch.file,
                what.join("；"),
            )
        })
        .collect())
}

/// The late feed, as the alerts of the selfcheck told it.
fn late(desk: Desk<'_>) -> Result<Option<String>, Failure> {
    let mut raised: BTreeMap<String, jiff::civil::Date> = BTreeMap::new();
    let mut told = Vec::new();
    for entry in desk.store.journal()? {
        let entry = entry?;
        let day = shanghai::civil(entry.at).date();
        for event in entry.events {
            match event {
                Event::Alerted { alert, .. } if alert.starts_with("stale/") => {
                    raised.insert(alert, day);
                }
                Event::AlertEnded { alert } => {
                    if let Some(since) = raised.remove(&alert) {
                        let name = alert.trim_start_matches("stale/");
                        let title = desk
                            .configuration
                            .adapters
                            .get(name)
                            .map_or(name, |adapter| adapter.title.as_str())
                            .to_owned();
                        told.push(format!(
                            "{title}在{}超过约定时限，当日邮件告知信息科一次；期间不据此新立疑点；{}补到并恢复。",
                            text::day(since),
                            text::day(day)
                        ));
                    }
                }
                _ => {}
            }
        }
    }
    Ok((!told.is_empty()).then(|| told.join("")))
}

/// The fullest worklist mail and the letter of a case, as clerk and firm see them.
fn samples(
    out: &Path,
    desk: Desk<'_>,
    notices: &[Notice],
    known: &Known,
    cases: &[Case],
    index: &mut Index,
) -> Result<(), Failure> {
    let letter = notices
        .iter()
        .filter(|notice| {
            notice.channel == Channel::Letter && notice.purpose == Purpose::RegistrationNotice
        })
        .min_by_key(|notice| (notice.day, notice.key.clone()));
    if let Some(page) = letter.and_then(|letter| letter.attachments.first()) {
        let bytes = desk.store.read_archived(&page.digest)?;
        fs::write(out.join("samples/letter.html"), &bytes).map_err(io("写样例"))?;
        index.links.push((
            "参保登记通知书（样例）".to_owned(),
            "samples/letter.html".to_owned(),
        ));
        index.letter = Some((
            "参保登记通知书（样例）".to_owned(),
            String::from_utf8_lossy(&bytes).into_owned(),
        ));
    }
    let Some(unit) = desk.configuration.units().units.iter().max_by_key(|unit| {
        cases
            .iter()
            .filter(|case| case.unit == unit.id && case.is_open())
            .count()
    }) else {
        return Ok(());
    };
    let list = county::worklist(desk, known, unit, cases);
    let workbook = crate::render::worklist::xlsx(&list).map_err(|error| Failure::Render {
        what: error.what.to_owned(),
        text: error.text,
    })?;
    fs::write(out.join("samples/worklist.xlsx"), workbook).map_err(io("写样例"))?;
    index.links.push((
        format!("{}工作清单（工作簿）", unit.name),
        "samples/worklist.xlsx".to_owned(),
    ));
    let rows = list
        .rows
        .iter()
        .take(EXCERPT)
        .map(|row| {
            vec![
                row.name.clone(),
                row.finding.title().to_owned(),
                row.heads.clone(),
                row.stage.clone(),
                row.due.map(|day| day.to_string()).unwrap_or_default(),
                row.task.clone(),
            ]
        })
        .collect();
    let heading = ["企业名称", "疑点", "用工规模", "阶段", "期限", "下一步"]
        .map(str::to_owned)
        .to_vec();
    index.worklist = Some((
        format!(
            "{}工作清单（{}，共{}件）",
            unit.name,
            list.day,
            list.rows.len()
        ),
        heading,
        rows,
    ));
    Ok(())
}

/// Whether a courier's answer is the path of a file below the state folder.
fn is_file(answer: &str) -> bool {
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

struct Teller<'a> {
    run: &'a Run,
    desk: Desk<'a>,
    known: &'a Known,
    cases: &'a [Case],
    notices: &'a [Notice],
}

impl Teller<'_> {
    /// File name and story, in the order of the index; a story that did not happen in this run is left out.
    fn stories(&self) -> Vec<(&'static str, Story)> {
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
                .find(|case| case.accused()),
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

    fn of_case(&self, title: &str, summary: &str, case: &Case) -> Story {
        let ending = match &case.closed {
            Some(closing) => format!(
                "{}办结：{}。{}{}",
                day(closing.date),
                closing.reason.title(),
                closing.text,
                enrolled_heads(&closing.heads)
            ),
            None => format!("现处“{}”。", case.stage.title()),
        };
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
        firm.splice(
            0..0,
            self.firm(enterprise, &case.name, &case.credit_code, &case.unit),
        );
        Story {
            demo_mark: MARK.to_owned(),
            title: title.to_owned(),
            summary: summary.to_owned(),
            firm,
            grounds: case
                .finding
                .grounds
                .iter()
                .map(|ground| self.ground(ground))
                .collect(),
            history: case
                .history
                .iter()
                .map(|entry| (entry.date, entry.by.clone(), entry.text.clone()))
                .collect(),
            notices: self
                .notices
                .iter()
                .filter(|notice| {
                    notice.cases.contains(&case.id) && notice.purpose != Purpose::CountyAlert
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
