//! Archives: one member, several, gzip; what is inside is delimited text or a workbook.
#![no_main]

use std::sync::LazyLock;

use yingbao::adapter::language::Adapter;
use yingbao_fuzz::{adapter, run};

static ADAPTERS: LazyLock<Vec<Adapter>> = LazyLock::new(|| {
    vec![
        adapter("format.csv = { header = \"code\" }\ncontainer.zip = { member = \"*.csv\" }"),
        adapter(
            "format.csv = { header = \"code\" }\ncontainer.zip = { member = \"*\", several = true }",
        ),
        adapter("format.csv = { header = \"code\" }\ncontainer.gzip = {}"),
        adapter("format.xlsx = { header = \"code\" }\ncontainer.zip = { member = \"*.xlsx\" }"),
    ]
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    run(&ADAPTERS[usize::from(*first) % ADAPTERS.len()], rest);
});
