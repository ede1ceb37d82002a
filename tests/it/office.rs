//! The workbooks that staff open, opened by a real spreadsheet program.

use std::io::Write as _;
use std::process::Command;

use jiff::civil::date;
use yingbao::domain::finding::{FindingKind, Insurance};
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

#[test]
fn a_spreadsheet_program_reads_the_worklist() {
    if Command::new("soffice").arg("--version").output().is_err() {
        // Past the test harness, so that whoever runs the tests sees it.
        let _ = std::io::stderr()
            .lock()
            .write_all(b"\nskipped: the worklist in a spreadsheet program: no soffice here\n");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let book = folder.path().join("worklist.xlsx");
    std::fs::write(&book, xlsx(&list()).unwrap()).unwrap();
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
    let text = std::fs::read_to_string(folder.path().join("worklist.csv"))
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    for word in [
        "演示数据，纯属虚构",
        "91411303MA49U85BX9",
        "=cmd|南阳棠屿商贸有限公司",
        "疑似有用工未办理参保登记",
    ] {
        assert!(text.contains(word), "{word}\n{text}");
    }
}
