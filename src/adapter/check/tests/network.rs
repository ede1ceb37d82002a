//! Complaints about paged interfaces and export jobs.

use super::{TRANSPORT, file};
use crate::adapter::language::Adapter;

/// The shipped paged adapter with another transport.
fn complaints(transport: &str) -> Vec<(String, &'static str)> {
    let (before, rest) = TRANSPORT.split_once("[transport.pages]").unwrap();
    let (_, after) = rest.split_once("[format.json]").unwrap();
    let text = format!("{before}{transport}\n[format.json]{after}");
    match Adapter::check("x", "0", file(&text)) {
        Ok(_) => Vec::new(),
        Err(list) => list
            .into_iter()
            .map(|complaint| {
                assert!(complaint.text.contains("处理："), "{complaint:?}");
                (complaint.key, complaint.code)
            })
            .collect(),
    }
}

fn check(transport: &str, wanted: &[(&str, &str)]) {
    let wanted: Vec<_> = wanted
        .iter()
        .map(|(key, code)| ((*key).to_owned(), *code))
        .collect();
    assert_eq!(complaints(transport), wanted, "{transport}");
}

#[test]
fn paged_interfaces_must_say_how_pages_turn_and_end() {
    const SIZE: &str = "size = \"s\"\nper_page = 9\n";
    for (keys, wanted) in [
        (
            "page = \"p\"\nsize = \"s\"\nper_page = 9\ntotal = \"/n\"",
            &[][..],
        ),
        (
            "page = \"p\"\nfirst = 0\nsize = \"s\"\nper_page = 9\nlast = \"/end\"\nlast_is = [\"Y\"]",
            &[],
        ),
        (
            "offset = \"o\"\nsize = \"s\"\nper_page = 9\nuntil_empty = true",
            &[],
        ),
        ("cursor = \"c\"\nnext = \"/next\"", &[]),
        ("next_link = \"header\"", &[]),
        (
            "next_link = \"/next\"\nparameters = { month = \"{period}\", day = \"{day}\" }",
            &[],
        ),
        (
            "next_link = \"/next\"\nmethod = \"post\"\nparameters = { deep = [1, \"{day}\"] }",
            &[],
        ),
        (
            "next_link = \"/next\"\nenvelope = { field = \"/data/encData\", cipher = \"sm4_ecb\" }",
            &[],
        ),
        ("", &[("transport.pages.page", "YB-1361")]),
        (
            "page = \"p\"\ncursor = \"c\"",
            &[("transport.pages.page", "YB-1361")],
        ),
        (
            "page = \"p\"",
            &[
                ("transport.pages.size", "YB-1361"),
                ("transport.pages.total", "YB-1361"),
            ],
        ),
        (
            "page = \"p\"\nfirst = 2\ntotal = \"/n\"\nSIZE",
            &[("transport.pages.first", "YB-1304")],
        ),
        (
            "page = \"p\"\ntotal = \"n\"\nSIZE",
            &[("transport.pages.total", "YB-1308")],
        ),
        (
            "page = \"s\"\ntotal = \"/n\"\nSIZE",
            &[("transport.pages.size", "YB-1304")],
        ),
        (
            "page = \"\"\ntotal = \"/n\"\nSIZE",
            &[("transport.pages.page", "YB-1302")],
        ),
        (
            "page = \"p\"\ntotal = \"/n\"\nparameters = { p = 1 }\nSIZE",
            &[("transport.pages.page", "YB-1304")],
        ),
        ("cursor = \"c\"", &[("transport.pages.next", "YB-1361")]),
        (
            "next_link = \"/next\"\nnext = \"/x\"",
            &[("transport.pages.next", "YB-1360")],
        ),
        (
            "next_link = \"/next\"\nfirst = 0",
            &[("transport.pages.first", "YB-1360")],
        ),
        (
            "next_link = \"next\"",
            &[("transport.pages.next_link", "YB-1308")],
        ),
        (
            "next_link = \"/next\"\nsize = \"s\"",
            &[("transport.pages.size", "YB-1361")],
        ),
        (
            "next_link = \"/next\"\nlast_is = \"Y\"",
            &[("transport.pages.last_is", "YB-1360")],
        ),
        (
            "next_link = \"/next\"\nsuccess = \"/code\"",
            &[("transport.pages.success_is", "YB-1361")],
        ),
        (
            "next_link = \"/next\"\nsuccess = \"/code\"\nsuccess_is = []",
            &[("transport.pages.success_is", "YB-1302")],
        ),
        (
            "next_link = \"/next\"\nempty = [\" \"]",
            &[("transport.pages.empty", "YB-1304")],
        ),
        (
            "next_link = \"/next\"\npause_ms = 60001",
            &[("transport.pages.pause_ms", "YB-1304")],
        ),
        (
            "next_link = \"/next\"\nbody = \"form\"",
            &[("transport.pages.body", "YB-1360")],
        ),
        (
            "next_link = \"/next\"\nparameters = { a = [1], b = \"{job}\" }",
            &[
                ("transport.pages.parameters.a", "YB-1304"),
                ("transport.pages.parameters.b", "YB-1307"),
            ],
        ),
        (
            "next_link = \"/next\"\nenvelope = { field = \"x\", cipher = \"sm4_cbc\" }",
            &[("transport.pages.envelope.field", "YB-1308")],
        ),
    ] {
        let keys = keys.replace("SIZE", SIZE);
        check(
            &format!(
                "[transport.pages]\nendpoint = \"e\"\npath = \"/x\"\nrows = \"/rows\"\n{keys}"
            ),
            wanted,
        );
    }
}

#[test]
fn export_jobs_must_say_what_is_asked_and_what_the_states_mean() {
    const JOB: &str = r#"
[transport.job]
endpoint = "e"
[transport.job.ask]
method = "post"
path = "/ask"
parameters = { month = "{period}" }
id = "/id"
[transport.job.poll]
path = "/jobs/{job}"
state = "/state"
ready = "DONE"
working = ["QUEUED", "RUNNING"]
failed = "FAILED"
every = 10
[transport.job.download]
path = "/jobs/{job}/file"
"#;
    check(JOB, &[]);
    for (from, to, wanted) in [
        (
            "path = \"/ask\"",
            "path = \"/ask/{job}\"",
            &[("transport.job.ask.path", "YB-1307")][..],
        ),
        (
            "\"{period}\"",
            "\"{month}\"",
            &[("transport.job.ask.parameters.month", "YB-1307")],
        ),
        (
            "id = \"/id\"",
            "id = \"id\"",
            &[("transport.job.ask.id", "YB-1308")],
        ),
        (
            "path = \"/jobs/{job}\"",
            "path = \"/jobs\"",
            &[("transport.job.poll.path", "YB-1361")],
        ),
        (
            "path = \"/jobs/{job}\"",
            "path = \"/jobs\"\nparameters = { id = \"{job}\" }",
            &[],
        ),
        (
            "failed = \"FAILED\"",
            "failed = \"DONE\"",
            &[("transport.job.poll.failed", "YB-1304")],
        ),
        (
            "failed = \"FAILED\"",
            "failed = []",
            &[("transport.job.poll.failed", "YB-1302")],
        ),
        (
            "every = 10",
            "every = 0\nhours = 9999",
            &[
                ("transport.job.poll.every", "YB-1304"),
                ("transport.job.poll.hours", "YB-1304"),
            ],
        ),
        (
            "path = \"/jobs/{job}/file\"",
            "path = \"jobs/{day}\"",
            &[
                ("transport.job.download.path", "YB-1307"),
                ("transport.job.download.path", "YB-1307"),
            ],
        ),
        (
            "path = \"/jobs/{job}/file\"",
            "link = \"url\"",
            &[("transport.job.download.link", "YB-1308")],
        ),
        (
            "id = \"/id\"",
            "id = \"/id\"\nsuccess_is = \"0\"",
            &[("transport.job.ask.success_is", "YB-1361")],
        ),
    ] {
        assert!(JOB.contains(from), "{from}");
        check(&JOB.replacen(from, to, 1), wanted);
    }
}

#[test]
fn the_date_may_stand_in_the_parameters() {
    let job = "[transport.pages]\nendpoint = \"e\"\npath = \"/x\"\nrows = \"/rows\"\nnext_link = \"header\"\nparameters = { d = \"{day}\" }";
    let (before, rest) = TRANSPORT.split_once("[transport.pages]").unwrap();
    let (_, after) = rest.split_once("[format.json]").unwrap();
    let text = format!("{before}{job}\n[format.json]{after}")
        .replace("{ column = \"data_date\" }", "\"file_name\"");
    let adapter = Adapter::check("x", "0", file(&text)).unwrap();
    assert_eq!(
        adapter.transport.requested_name().as_deref(),
        Some("/x#{day}")
    );
}
