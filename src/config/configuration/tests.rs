use super::*;
use crate::config::shipped;

const LADDER: &str = include_str!("../../../config/ladder.toml");
const UNITS_TEXT: &str = include_str!("../../../config/units.toml");

/// A home with the shipped files but for adapters, changed by `changes`: path → text.
fn home(changes: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let shipped = [
        (
            "config/yingbao.toml",
            include_str!("../../../config/yingbao.toml"),
        ),
        ("config/units.toml", UNITS_TEXT),
        ("config/ladder.toml", LADDER),
        (
            "config/rules/size-2017.toml",
            include_str!("../../../config/rules/size-2017.toml"),
        ),
        (
            "config/rules/finance-2015.toml",
            include_str!("../../../config/rules/finance-2015.toml"),
        ),
        (
            "config/rules/liability.toml",
            include_str!("../../../config/rules/liability.toml"),
        ),
        (
            "config/rules/new-form.toml",
            include_str!("../../../config/rules/new-form.toml"),
        ),
        (
            "config/calendar/2026.toml",
            include_str!("../../../config/calendar/2026.toml"),
        ),
        (
            "schedules/review.toml",
            include_str!("../../../schedules/review.toml"),
        ),
    ];
    for (path, text) in shipped.iter().chain(changes) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("written");
    }
    folder
}

fn load(folder: &tempfile::TempDir) -> Result<Configuration, Vec<Fault>> {
    Configuration::load(
        &Home::locate(Some(folder.path()), None),
        &Overrides::default(),
    )
}

/// `file:line:column code key` of every fault.
fn said(changes: &[(&str, &str)]) -> Vec<String> {
    let folder = home(changes);
    load(&folder).map_or_else(
        |faults| {
            faults
                .iter()
                .map(|f| {
                    assert!(f.text.contains("处理："), "{f}");
                    format!(
                        "{}:{}:{} {} {}",
                        f.file,
                        f.line,
                        f.column,
                        &f.code[3..],
                        f.key
                    )
                })
                .collect()
        },
        |_| Vec::new(),
    )
}

#[test]
fn a_sound_home_is_loaded_whole() {
    let folder = home(&[]);
    let configuration = load(&folder).expect("sound");
    assert_eq!(configuration.units().units.len(), 19);
    assert_eq!(configuration.home.state, folder.path().join("state"));
    assert_eq!(configuration.schedules.len(), 1);
    assert!(configuration.calendar.knows(2026));
    assert_eq!(configuration.files["config/ladder.toml"], LADDER);
    assert_eq!(configuration.files.len(), 9);
}

#[test]
fn one_fault_in_each_file_is_named_by_line_column_and_key() {
    let swap = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let ladder = swap(LADDER, "\nto = \"county\"", "\ntoo = \"county\"");
    let units = swap(UNITS_TEXT, "email = \"wolong@", "emial = \"wolong@");
    let size = swap(
        include_str!("../../../config/rules/size-2017.toml"),
        "\n[[",
        "\nrow = = 1\n[[",
    );
    let calendar = swap(
        include_str!("../../../config/calendar/2026.toml"),
        "year = 2026",
        "year = \"2026\"",
    );
    let found = said(&[
        ("config/site.toml", "[couriers]\nmode = \"lvie\"\n"),
        ("config/ladder.toml", &ladder),
        ("config/units.toml", &units),
        ("config/rules/size-2017.toml", &size),
        ("config/calendar/2026.toml", &calendar),
        (
            "schedules/review.toml",
            "task = \"review\"\ncron = \"0 8 31 2 *\"\n",
        ),
        (
            "schedules/second.toml",
            "task = \"pull\"\nadapter = \"tax\"\ncron = \"0 8 * * *\"\n",
        ),
        (
            "adapters/half.toml",
            "department = \"税务\"\ntitel = \"x\"\n[fields]\nname = { form = \"名称\" }\n",
        ),
    ]);
    for expected in [
        "config/site.toml:2:8 1203 couriers.mode",
        "transfer.too",
        "unit[2].emial",
        "config/rules/size-2017.toml:",
        "config/calendar/2026.toml:",
        "schedules/review.toml:2:1 1220 cron",
        "schedules/second.toml:2:1 1205 adapter",
        "adapters/half.toml:2:1 1202 titel",
        "adapters/half.toml:4:10 1202 fields.name.form",
        "adapters/half.toml:0:0 1204 basis",
    ] {
        assert!(
            found.iter().any(|fault| fault.contains(expected)),
            "{expected}: {found:#?}"
        );
    }
}

#[test]
fn units_must_be_told_apart_and_reached() {
    let unit = |id: &str, name: &str, rest: &str| {
        format!(
            "[[unit]]\nid = \"{id}\"\nname = \"{name}\"\nagency = \"{name}中心\"\nemail = \"a@b.example\"\naudit_email = \"a@b.example\"\n{rest}\n"
        )
    };
    for (units, expected) in [
        (unit("city", "市本级", ""), &[][..]),
        (
            unit("city", "市本级", "") + &unit("city", "甲县", ""),
            &["config/units.toml:9:1 1209 unit[2].id"],
        ),
        (
            unit("city", "市本级", "") + &unit("a", "甲县", "aliases = [\"乙\", \"市本级\"]"),
            &["config/units.toml:14:1 1209 unit[2].aliases"],
        ),
        (
            unit("city", "市本级", "townships = [\"子镇\"]")
                + &unit("a", "甲县", "townships = [\"子镇\"]"),
            &["config/units.toml:14:1 1209 unit[2].townships"],
        ),
        (
            unit("city", "市本级", "").replacen("email = \"a@b.example\"", "email = \"a b\"", 1),
            &["config/units.toml:5:1 1212 unit[1].email"],
        ),
        (
            unit("a", "甲县", ""),
            &["config/yingbao.toml:10:1 1205 city_unit"],
        ),
    ] {
        let found = said(&[("config/units.toml", &units)]);
        assert_eq!(found, expected, "{units}");
    }
}

#[test]
fn an_endpoint_that_is_not_there_is_named_in_the_adapter() {
    const TAX: &str = include_str!("../../../adapters/tax.toml");
    let line = 1 + TAX
        .lines()
        .position(|line| line.starts_with("endpoint"))
        .expect("there");
    for (name, code) in [
        ("tax", None),
        ("txa", Some("1205")),
        ("insured-roll", Some("1354")),
    ] {
        let text = TAX.replacen("endpoint = \"tax\"", &format!("endpoint = \"{name}\""), 1);
        let expected: Vec<String> = code
            .map(|code| format!("adapters/tax.toml:{line}:1 {code} transport.http.endpoint"))
            .into_iter()
            .collect();
        assert_eq!(said(&[("adapters/tax.toml", &text)]), expected, "{name}");
    }
}

#[test]
fn an_adapter_that_is_wrong_is_not_unknown_besides() {
    let found = said(&[
        ("adapters/tax.toml", "x = 1"),
        (
            "schedules/pull.toml",
            "task = \"pull\"\nadapter = \"tax\"\ncron = \"0 8 * * *\"\n",
        ),
    ]);
    assert!(
        found
            .iter()
            .all(|fault| fault.starts_with("adapters/tax.toml")),
        "{found:#?}"
    );
}

/// Every value of every shipped file spoilt in turn and all at once: an answer comes, with a fault, in good time.
#[test]
fn spoilt_files_are_answered_for() {
    let spoil = |line: &str| match line.split_once('=') {
        Some((key, _)) if !line.trim_start().starts_with('#') => format!("{key}= {{ odd = 1 }}"),
        _ => line.to_owned(),
    };
    for (path, text) in shipped::FILES {
        let path = shipped::in_use(path);
        let all: String = text.lines().map(|line| spoil(line) + "\n").collect();
        let found = said(&[(&path, &all)]);
        assert!(
            found
                .iter()
                .filter(|fault| fault.starts_with(&path))
                .count()
                > 1,
            "{path}: {found:#?}"
        );
    }
    let ladder = LADDER.lines().count();
    for spoilt in 0..ladder {
        let text: String = LADDER
            .lines()
            .enumerate()
            .map(|(at, line)| {
                if at == spoilt {
                    spoil(line) + "\n"
                } else {
                    format!("{line}\n")
                }
            })
            .collect();
        let found = said(&[("config/ladder.toml", &text)]);
        let place = format!("config/ladder.toml:{}:", spoilt + 1);
        assert_eq!(
            text == LADDER,
            found.is_empty(),
            "line {}: {found:#?}",
            spoilt + 1
        );
        assert!(
            found.iter().all(|fault| fault.starts_with(&place)),
            "line {}: {found:#?}",
            spoilt + 1
        );
    }
}

#[test]
fn the_former_limit_of_file_servers_is_refused_with_its_new_name() {
    let tax = include_str!("../../../adapters/tax.toml");
    let old = format!("{tax}\n[limits]\nhost_seconds = 60\n");
    let folder = home(&[("adapters/tax.toml", &old)]);
    let faults = load(&folder).expect_err("an unknown key");
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0].code, "YB-1202");
    assert_eq!(faults[0].key, "limits.host_seconds");
    assert!(
        faults[0].text.contains("是否想写“fetch_seconds”"),
        "{}",
        faults[0]
    );
    let new = old.replace("host_seconds", "fetch_seconds");
    assert_eq!(said(&[("adapters/tax.toml", &new)]), [""; 0]);
}

#[test]
fn a_rule_table_that_contradicts_itself_is_no_rule() {
    const SIZE: &str = include_str!("../../../config/rules/size-2017.toml");
    const LIABILITY: &str = include_str!("../../../config/rules/liability.toml");
    let bounds = SIZE.replacen("[20000, 500, 50]", "[500, 20000, 50]", 1);
    // A day between two periods on which nobody would know the law.
    let gap = LIABILITY.replacen("until = \"2023-11-30\"", "until = \"2023-11-29\"", 1);
    for (file, text) in [
        ("config/rules/size-2017.toml", bounds.as_str()),
        ("config/rules/liability.toml", gap.as_str()),
    ] {
        assert_ne!(text, SIZE);
        assert_eq!(said(&[(file, text)]), [format!("{file}:0:0 1223 ")]);
    }
    // A word that is no event has its line like any other fault.
    let mistyped = LIABILITY.replacen("event = \"waiver\"", "event = \"wavier\"", 1);
    let faults = said(&[("config/rules/liability.toml", &mistyped)]);
    assert!(
        faults.iter().all(|fault| !fault.contains(":0:0")),
        "{faults:?}"
    );
    assert!(!faults.is_empty());
}

#[test]
fn every_table_in_force_has_its_version() {
    let folder = home(&[]);
    let tables: Vec<String> = load(&folder)
        .expect("sound")
        .rules
        .versions
        .iter()
        .map(|version| {
            assert_eq!(version.digest.len(), 12, "{version:?}");
            version.table.clone()
        })
        .collect();
    assert_eq!(
        tables,
        [
            "size-2017.toml",
            "finance-2015.toml",
            "new-form.toml",
            "liability.toml",
            "yingbao.toml"
        ]
    );
}
