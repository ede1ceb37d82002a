//! The decision of the charset, and what contradicts it later.
#![no_main]

use std::sync::LazyLock;

use yingbao::adapter::language::Adapter;
use yingbao_fuzz::{adapter, run};

static ADAPTERS: LazyLock<Vec<Adapter>> = LazyLock::new(|| {
    vec![
        adapter("format.csv = { header = \"code\" }"),
        adapter("format.xml = { record = \"a/b\" }"),
        adapter("format.csv = { header = \"code\", charset = \"utf-16le\" }"),
        adapter("format.json = { rows = \"\" }"),
        adapter("format.csv = { header = \"code\", charset = \"gb18030\" }"),
    ]
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    run(&ADAPTERS[usize::from(*first) % ADAPTERS.len()], rest);
});
