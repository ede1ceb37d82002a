//! Real programs: shell scripts that do what programs do wrong.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::adapter::endpoint::Endpoint;
use crate::adapter::language::{Adapter, AdapterFile};

struct Bench {
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
    adapter: Adapter,
}

impl Bench {
    fn new(arguments: &str) -> Self {
        let text = format!(
            r#"
department = "税务"
title = "测试数据"
basis = "test"
record = "tax"
mode = "increment"
as_of = "delivery"
[transport.command]
endpoint = "extract"
arguments = {arguments}
[format.json]
rows = ""
[fields]
credit_code = {{ from = "码", required = true }}
month = {{ from = "月", required = true }}
"#
        );
        let file: AdapterFile = toml::from_str(&text).unwrap();
        Self {
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap(),
            folder: tempfile::tempdir().unwrap(),
            adapter: Adapter::check("test", "digest", file).unwrap(),
        }
    }

    fn script(&self, body: &str) -> PathBuf {
        let path = self.folder.path().join("program");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn fetch(
        &self,
        program: PathBuf,
        taken: &dyn Fn(&str, &str) -> bool,
    ) -> Result<Fetched, Unfetched> {
        let spool = self.folder.path().join("spool");
        fs::create_dir_all(&spool).unwrap();
        let fetched = crate::intake::fetch::fetch(&Errand {
            adapter: &self.adapter,
            endpoint: &Endpoint {
                program: Some(program),
                ..Endpoint::default()
            },
            home: self.folder.path(),
            spool: &spool,
            notes: &self.folder.path().join("notes"),
            today: jiff::civil::date(2026, 3, 18),
            now: jiff::Timestamp::UNIX_EPOCH,
            waits: crate::intake::fetch::client::Waits::default(),
            taken,
            runtime: self.runtime.handle(),
        });
        let left = fs::read_dir(&spool).unwrap().count();
        assert_eq!(left, usize::from(fetched.is_ok()), "{fetched:?}");
        fetched
    }

    fn run(&self, body: &str) -> Result<String, Unfetched> {
        let fetched = self.fetch(self.script(body), &|_, _| false)?;
        let text = fs::read_to_string(&fetched.path).unwrap();
        fs::remove_file(fetched.path).unwrap();
        Ok(text)
    }
}

#[test]
fn a_program_gets_its_arguments_and_nothing_else() {
    let bench = Bench::new(r#"["--day", "{day}", "a b; echo $HOME"]"#);
    let told = bench
        .run("printf '%s|' \"$@\"; env | cut -d= -f1 | sort | tr '\\n' ' '; pwd; ls -A; cat")
        .unwrap();
    let (arguments, rest) = told.split_at(told.rfind('|').unwrap() + 1);
    assert_eq!(arguments, "--day|20260318|a b; echo $HOME|");
    assert!(rest.starts_with("HOME LANG PATH PWD TMPDIR "), "{rest}");
    assert_eq!(rest.lines().count(), 1, "an empty folder, no input: {rest}");
}

#[test]
fn months_are_asked_for_until_they_have_come() {
    let bench = Bench::new(r#"["{period}"]"#);
    let program = bench.script("test $1 = 202601 && exit 75; echo \"[$1]\"");
    let known = std::cell::RefCell::new(Vec::<(String, String)>::new());
    let taken = |name: &str, digest: &str| {
        known
            .borrow()
            .iter()
            .any(|(n, d)| n == name && (digest.is_empty() || d == digest))
    };
    for month in ["202512", "202602"] {
        let fetched = bench.fetch(program.clone(), &taken).unwrap();
        assert_eq!(fetched.name, format!("extract {month}"));
        fs::remove_file(fetched.path).unwrap();
        known.borrow_mut().push((fetched.name, fetched.digest));
    }
    let nothing = bench.fetch(program, &taken).unwrap_err();
    assert!(nothing.not_yet, "{nothing:?}");
}

#[test]
fn what_goes_wrong_is_told_and_nothing_is_taken() {
    let mut bench = Bench::new("[]");
    bench.adapter.limits.fetch_seconds = 1;
    bench.adapter.limits.file_bytes = 100_000;
    bench.adapter.limits.program_bytes = 64 << 20;
    for (body, code, word) in [
        (
            "echo '{}'; echo no database >&2; exit 3",
            "YB-2442",
            "退出码 3 结束，输出不予采用。处理：检查程序；程序输出：no database",
        ),
        ("exit 75", "YB-2001", "尚无数据"),
        ("kill -9 $$", "YB-2445", "信号 9"),
        ("sleep 30", "YB-2443", "超过1秒"),
        // It goes away and leaves one behind that holds the output open.
        ("exec >/dev/null 2>&1; sleep 30", "YB-2443", "超过1秒"),
        ("while :; do echo 0123456789; done", "YB-2005", "100000"),
        (
            "echo password=abc token: xyz 13800001234 >&2; exit 1",
            "YB-2442",
            "password=*** token: *** ******",
        ),
    ] {
        let refused = bench.run(body).unwrap_err();
        assert_eq!(refused.code, code, "{body}: {refused}");
        assert!(refused.text.contains(word), "{body}: {refused}");
    }
    assert_eq!(bench.run("(sleep 30) & echo '{}'").unwrap(), "{}\n");
    let long =
        bench.run("i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo line $i; done >&2; exit 1");
    let long = long.unwrap_err().text;
    assert!(
        long.len() < 2 * TAIL && long.ends_with("line 5000"),
        "{long}"
    );
}

#[test]
fn memory_is_limited() {
    let mut bench = Bench::new("[]");
    bench.adapter.limits.program_bytes = 256 << 20;
    let greedy = "sleep 0.1; exec dd if=/dev/zero of=/dev/null bs=1G count=1";
    let refused = bench.run(greedy).unwrap_err();
    assert_eq!(refused.code, "YB-2442");
    assert!(refused.text.contains("memory exhausted"), "{refused}");
}

#[test]
fn only_programs_that_nobody_else_can_have_put_there_are_run() {
    let bench = Bench::new("[]");
    let refused = |program: PathBuf| bench.fetch(program, &|_, _| false).unwrap_err().code;
    let script = bench.script("echo '{}'");
    for mode in [0o777, 0o775, 0o644] {
        fs::set_permissions(&script, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(refused(script.clone()), "YB-2440", "{mode:o}");
    }
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let open = bench.folder.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    fs::copy(&script, open.join("program")).unwrap();
    assert_eq!(
        refused(open.join("program")),
        "YB-2440",
        "a folder open to all"
    );
    assert_eq!(refused(PathBuf::from("program")), "YB-2440");
    assert_eq!(refused(bench.folder.path().to_path_buf()), "YB-2440");
    assert_eq!(refused(bench.folder.path().join("none")), "YB-2440");
}

#[test]
fn secrets_and_long_numbers_are_masked() {
    for (text, wanted) in [
        ("plain words 12345", "plain words 12345"),
        ("id 410123199001011234 x", "id ****** x"),
        ("电话13800001234。", "电话******。"),
        ("PASSWORD=abc next", "PASSWORD=*** next"),
        ("password abc next", "password *** next"),
        ("--token abc", "--token ***"),
        ("\"secret\":\"abc\"", "\"secret\":***"),
        ("口令：abc", "口令：***"),
        ("postgres://u:p@db/x refused", "*** refused"),
        ("a\u{1b}[31m\nb", "a[31m b"),
    ] {
        assert_eq!(masked(text), wanted);
    }
}
