use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::courier::settings::CourierMode;

const SHIPPED: &str = include_str!("../../../config/yingbao.toml");

/// A home with the shipped base (or another) and perhaps a site file.
fn home(base: &str, site: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    fs::create_dir(home.path().join("config")).expect("a folder");
    fs::write(home.path().join(BASE), base).expect("written");
    if !site.is_empty() {
        fs::write(home.path().join(SITE), site).expect("written");
    }
    home
}

fn overrides(variables: &[(&str, &str)]) -> Overrides {
    Overrides {
        environment: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        endpoints: BTreeMap::new(),
    }
}

fn loaded(site: &str, variables: &[(&str, &str)]) -> Settings {
    let home = home(SHIPPED, site);
    match load(home.path(), &overrides(variables)) {
        Ok((settings, _)) => settings,
        Err(faults) => panic!("{faults:#?}"),
    }
}

/// `file:line:column code key` of every fault, `|` between them.
fn said(base: &str, site: &str, variables: &[(&str, &str)]) -> String {
    let home = home(base, site);
    let Err(faults) = load(home.path(), &overrides(variables)) else {
        return String::new();
    };
    faults
        .iter()
        .map(|f| {
            assert!(f.text.contains("处理："), "{f}");
            let place = if f.line > 0 {
                format!(":{}:{}", f.line, f.column)
            } else {
                String::new()
            };
            format!("{}{place} {} {}", f.file, &f.code[3..], f.key)
        })
        .collect::<Vec<_>>()
        .join("|")
}

fn line_of(text: &str, start: &str) -> usize {
    1 + text
        .lines()
        .position(|line| line.starts_with(start))
        .expect("a line that starts so")
}

#[test]
fn the_shipped_settings_are_safe() {
    let settings = loaded("", &[]);
    assert_eq!(settings.couriers.mode, CourierMode::DryRun);
    assert_eq!(settings.city, "南阳市");
    assert_eq!(settings.review, CoverageRules::default());
    assert_eq!((settings.demo_mark, settings.clock), (None, None));
    assert_eq!(settings.endpoints.len(), 4);
}

#[test]
fn every_commented_example_is_true_when_uncommented() {
    // A line such as `# key = value` or `# [table]` becomes live; what a sentence says stays a comment.
    let live: String = SHIPPED
        .lines()
        .flat_map(|line| {
            let bare = line.strip_prefix("# ").unwrap_or(line);
            let is_entry = bare.starts_with('[')
                || bare.split_once(" = ").is_some_and(|(key, _)| {
                    key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                });
            [if is_entry { bare } else { line }, "\n"]
        })
        .collect();
    assert!(
        live.contains("\n[couriers.sms]")
            && live.contains("\n[clock]")
            && live.contains("\ndemo_mark")
    );
    assert_eq!(said(&live, "", &[]), "");
}

#[test]
fn site_and_environment_lie_over_the_base() {
    let settings = loaded(
        "centre = \"示例中心\"\n[endpoints.tax]\nurl = \"https://a.example\"\n[review]\ngap = 5\n",
        &[
            ("YINGBAO_REVIEW__GAP", "7"),
            ("YINGBAO_REVIEW__RATIO", "0.5"),
            ("YINGBAO_REVIEW__COOPERATIVES", "true"),
            ("YINGBAO_ENDPOINTS__MARKET_REGULATION__PATH", "elsewhere"),
            ("YINGBAO_CITY", "123"),
            ("YINGBAO_DEMO_MARK", "456"),
        ],
    );
    assert_eq!(settings.centre, "示例中心");
    assert_eq!(settings.review.gap, 7);
    assert!((settings.review.ratio - 0.5).abs() < 1e-9);
    assert!(settings.review.cooperatives);
    assert_eq!(
        settings.endpoints["market-regulation"].path,
        Some("elsewhere".into())
    );
    assert_eq!(
        settings.endpoints["tax"].url.as_deref(),
        Some("https://a.example")
    );
    assert_eq!(
        (settings.city.as_str(), settings.demo_mark.as_deref()),
        ("123", Some("456"))
    );
}

#[test]
fn endpoints_of_the_caller_lie_over_everything() {
    let home = home(SHIPPED, "");
    let mut over = overrides(&[]);
    let loopback = Endpoint {
        url: Some("http://127.0.0.1:4000".to_owned()),
        ..Endpoint::default()
    };
    over.endpoints.insert("tax".to_owned(), loopback.clone());
    let (settings, files) = load(home.path(), &over).expect("good");
    assert_eq!(settings.endpoints["tax"], loopback);
    assert_eq!(files.keys().collect::<Vec<_>>(), [BASE]);
}

#[test]
fn faults_of_each_layer_are_named_at_once() {
    let base = SHIPPED
        .replace("mode = \"dry_run\"\n", "mode = \"dri_run\"\n")
        .replace("centre = ", "center = ");
    let mode = line_of(&base, "mode = ");
    let center = line_of(&base, "center = ");
    assert_eq!(
        said(
            &base,
            "[review]\nevidence_filrs = 2\n",
            &[("YINGBAO_REVIEW__GAPP", "1")]
        ),
        format!(
            "config/site.toml:2:1 1202 review.evidence_filrs\
             |config/yingbao.toml:{center}:1 1202 center\
             |config/yingbao.toml:{mode}:8 1203 couriers.mode\
             |环境变量 YINGBAO_REVIEW__GAPP 1202 review.gapp"
        )
    );
}

#[test]
fn single_faults_name_their_place() {
    let in_base = |key: &str| line_of(SHIPPED, key);
    let live = "[couriers]\nmode = \"live\"\n[couriers.smtp]\nhost = \"h.example\"\n";
    for (site, variables, expected) in [
        ("city = 5", &[][..], "config/site.toml:1:8 1203 city".to_owned()),
        ("ctiy = \"x\"", &[], "config/site.toml:1:1 1202 ctiy".to_owned()),
        ("city = “x”", &[], "config/site.toml:1:8 1201 ".to_owned()),
        ("city = \" \"", &[], "config/site.toml:1:1 1203 city".to_owned()),
        ("[couriers.smtp]\nport = 25", &[], "config/site.toml:1:11 1204 couriers.smtp.host".to_owned()),
        ("contact_hours = [\"9-12\"]", &[], "config/site.toml:1:17 1203 contact_hours".to_owned()),
        ("mail_from = \"nobody\"", &[], "config/site.toml:1:1 1212 mail_from".to_owned()),
        ("[recipients]\nit_section = \"甲 <a@b.example>\"", &[], "config/site.toml:2:1 1212 recipients.it_section".to_owned()),
        ("[endpoints.x]\n", &[], "config/site.toml:1:12 1350 endpoints.x".to_owned()),
        ("[endpoints.tax]\nurl = \"ftp://x.example\"", &[], "config/site.toml:2:1 1351 endpoints.tax.url".to_owned()),
        ("[couriers]\nmode = \"live\"", &[], "config/site.toml:1:2 1214 couriers.smtp".to_owned()),
        ("[review]\nratio = 1.5", &[], "config/site.toml:2:1 1203 review.ratio".to_owned()),
        ("[clock]\nstart = \"2026-03-02T07:00:00+08:00\"\nspeed = 0", &[], "config/site.toml:3:1 1203 clock.speed".to_owned()),
        ("", &[("YINGBAO_CTIY", "x")], "环境变量 YINGBAO_CTIY 1202 ctiy".to_owned()),
        ("", &[("YINGBAO_COURIERS__MODE", "lvie")], "环境变量 YINGBAO_COURIERS__MODE 1203 couriers.mode".to_owned()),
        ("", &[("YINGBAO_REVIEW__GAP", "viel")], "环境变量 YINGBAO_REVIEW__GAP 1203 review.gap".to_owned()),
        ("", &[("YINGBAO_REVIEW", "1")], "环境变量 YINGBAO_REVIEW 1203 review".to_owned()),
        ("", &[("YINGBAO_CONTACT_HOURS", "09:00-12:00")], "环境变量 YINGBAO_CONTACT_HOURS 1203 contact_hours".to_owned()),
        ("", &[("YINGBAO_CITY__NAME", "x")], "环境变量 YINGBAO_CITY__NAME 1203 city".to_owned()),
        ("", &[("YINGBAO_MAIL_FROM", "x")], "环境变量 YINGBAO_MAIL_FROM 1212 mail_from".to_owned()),
        (live, &[("YINGBAO_DEMO_MARK", "演示")], "环境变量 YINGBAO_DEMO_MARK 1210 demo_mark".to_owned()),
        (
            "demo_mark = \"演示\"\n[couriers]\nmode = \"live\"\n[couriers.smtp]\nhost = \"h.example\"\nuser = \"u\"\npassword_file = \"nowhere\"\n[clock]\nstart = \"2026-03-02T07:00:00+08:00\"\nspeed = 60",
            &[],
            "config/site.toml:1:1 1210 demo_mark|config/site.toml:7:1 1213 couriers.smtp.password_file|config/site.toml:8:2 1211 clock".to_owned(),
        ),
    ] {
        assert_eq!(said(SHIPPED, site, variables), expected, "{site} {variables:?}");
    }
    assert_eq!(
        said(
            &SHIPPED.replace("it_section = \"it@sbzx.example\"", ""),
            "",
            &[]
        ),
        format!(
            "config/yingbao.toml:{}:2 1204 recipients.it_section",
            in_base("[recipients]")
        )
    );
    assert_eq!(said(SHIPPED, live, &[]), "");
}

#[test]
fn what_the_base_lacks_the_site_may_give() {
    let base = SHIPPED.replace("city = \"南阳市\"", "");
    assert_eq!(said(&base, "city = \"某市\"", &[]), "");
    assert_eq!(said(&base, "", &[("YINGBAO_CITY", "某市")]), "");
    assert_eq!(said(&base, "", &[]), "config/yingbao.toml 1204 city");
}

#[test]
fn a_secret_that_others_may_read_is_refused() {
    let host = "host = \"h.example\"\nuser = \"u\"";
    let host_key = "host_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ\"";
    for (site, key) in [
        (
            "[endpoints.tax]\ntoken_file = \"token\"\n".to_owned(),
            "endpoints.tax.token_file",
        ),
        (
            format!("[endpoints.s.sftp]\n{host}\n{host_key}\npassword_file = \"token\"\n"),
            "endpoints.s.sftp.password_file",
        ),
        (
            format!("[endpoints.s.sftp]\n{host}\n{host_key}\nkey_file = \"token\"\n"),
            "endpoints.s.sftp.key_file",
        ),
        (
            format!("[endpoints.f.ftp]\n{host}\nplain = true\npassword_file = \"token\"\n"),
            "endpoints.f.ftp.password_file",
        ),
        (
            "[couriers.smtp]\nhost = \"h.example\"\nuser = \"u\"\npassword_file = \"token\"\n"
                .to_owned(),
            "couriers.smtp.password_file",
        ),
        (
            "pseudonym_key_file = \"token\"\n".to_owned(),
            "pseudonym_key_file",
        ),
    ] {
        let home = home(SHIPPED, &site);
        let token = home.path().join("token");
        let none = overrides(&[]);
        let missing = load(home.path(), &none);
        assert!(
            missing.is_ok(),
            "missing is no fault in a dry run: {missing:?}"
        );
        fs::write(&token, "x").expect("written");
        for (mode, good) in [
            (0o600, true),
            (0o640, false),
            (0o644, false),
            (0o602, false),
        ] {
            fs::set_permissions(&token, fs::Permissions::from_mode(mode)).expect("set");
            let answer = load(home.path(), &none);
            assert_eq!(answer.is_ok(), good, "{key} {mode:o}: {answer:?}");
            if let Err(faults) = answer {
                assert_eq!(faults[0].key, key);
                assert_eq!(faults[0].code, "YB-1213");
            }
        }
    }
}

#[test]
fn unreadable_files_are_named() {
    let home = tempfile::tempdir().expect("a folder");
    let faults = load(home.path(), &overrides(&[])).expect_err("nothing there");
    assert_eq!(faults[0].code, "YB-1207");
    assert!(faults[0].text.contains("没有这个文件"), "{}", faults[0]);
    fs::create_dir(home.path().join("config")).expect("a folder");
    fs::write(home.path().join(BASE), b"city = \"\xc4\xcf\xd1\xf4\"").expect("written");
    let faults = load(home.path(), &overrides(&[])).expect_err("GBK");
    assert!(faults[0].text.contains("不是 UTF-8"), "{}", faults[0]);
    let long = usize::try_from(toml_file::FILE_BYTES).expect("small") + 1;
    fs::write(home.path().join(BASE), " ".repeat(long)).expect("written");
    let faults = load(home.path(), &overrides(&[])).expect_err("too long");
    assert!(faults[0].text.contains("KiB"), "{}", faults[0]);
}
