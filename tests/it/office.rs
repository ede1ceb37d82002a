//! The workbooks that staff open, opened by a real spreadsheet program.

use std::io::Write as _;
use std::process::Command;

use jiff::civil::date;
use yingbao::domain::batch::Issue;
use yingbao::domain::finding::{FindingKind, Insurance};
use yingbao::render::issue_sheet::{self, IssueSheet};
use yingbao::render::worklist::{WorkRow, Worklist, xlsx};

fn list() -> Worklist {
    Worklist {
        demo_mark: Some("演示数据，纯属虚构".into()),
        unit: "宛城区".into(),
        agency: "南阳市宛城区社会保险中心".into(),
        day: date(2026, 3, 20),
        rows: vec![WorkRow {
            case: "EMA49U85BX-A-1".into(),
            wave: Some(1),
            stage: "核实中".into(),
            task: "核实用工和参保情况，登记核实结果".into(),
            due: Some(date(2026, 4, 10)),
            late: false,
            name: "=cmd|南阳棠屿商贸有限公司".into(),
            credit_code: "91411303MA49U85BX9".into(),
            address: "宛城区虚构路1号".into(),
            phone: "037****23".into(),
            class: "微型".into(),
            tags: String::new(),
            finding: FindingKind::Absent,
            kinds: Insurance::ALL.to_vec(),
            heads: "5–9人".into(),
            grounds: vec!["连续月份有工资薪金个税申报，显示存在用工".into()],
        }],
    }
}

fn issues() -> IssueSheet {
    IssueSheet {
        demo_mark: None,
        centre: "南阳市社会保险中心".into(),
        department: "税务".into(),
        export: "税务申报月度数据".into(),
        file: "202601.csv".into(),
        batch: "tax-20260302-1a2b3c4d".into(),
        received: date(2026, 3, 2),
        as_of: Some(date(2026, 2, 15)),
        verdict: "已接收",
        rows: 2000,
        set_aside: 1,
        reasons: Vec::new(),
        issues: vec![Issue {
            row: 3,
            column: "营业收入".into(),
            value: "=1+1".into(),
            code: "YB-2210".into(),
            reason: "金额无法识别。处理：请填写数字，单位与表头一致".into(),
        }],
        found: 1500,
    }
}

#[test]
fn a_spreadsheet_program_reads_the_workbooks() {
    if Command::new("soffice").arg("--version").output().is_err() {
        // Past the test harness, so that whoever runs the tests sees it.
        let _ = std::io::stderr()
            .lock()
            .write_all(b"\nskipped: workbooks in a spreadsheet program: no soffice here\n");
        return;
    }
    let text = opened(&xlsx(&list()).unwrap());
    for word in [
        "演示数据，纯属虚构",
        "91411303MA49U85BX9",
        "=cmd|南阳棠屿商贸有限公司",
        "疑似有用工未办理参保登记",
    ] {
        assert!(text.contains(word), "{word}\n{text}");
    }
    let text = opened(&issue_sheet::xlsx(&issues()).unwrap());
    for word in [
        "税务申报月度数据问题清单",
        "共1500个问题，列出前1个，另有1499个未列出",
        "金额无法识别。",
        "请填写数字，单位与表头一致。",
        "=1+1",
    ] {
        assert!(text.contains(word), "{word}\n{text}");
    }
}

/// The first sheet of a workbook as the program shows it.
fn opened(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let book = folder.path().join("book.xlsx");
    std::fs::write(&book, bytes).unwrap();
    let profile = format!(
        "-env:UserInstallation=file://{}",
        folder.path().join("profile").display()
    );
    let output = Command::new("soffice")
        .args([
            profile.as_str(),
            "--headless",
            "--convert-to",
            "csv:Text - txt - csv (StarCalc):44,34,76",
            "--outdir",
        ])
        .arg(folder.path())
        .arg(&book)
        .output()
        .unwrap();
    std::fs::read_to_string(folder.path().join("book.csv"))
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}
