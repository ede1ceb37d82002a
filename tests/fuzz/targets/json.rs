//! JSON documents, pages after each other, a record per line, JSON inside a text.
#![no_main]

use std::sync::LazyLock;

use yingbao::adapter::language::Adapter;
use yingbao_fuzz::{adapter, run};

static ADAPTERS: LazyLock<Vec<Adapter>> = LazyLock::new(|| {
    vec![
        adapter("format.json = { rows = \"\" }"),
        adapter("format.json = { rows = \"/d\", total = \"/n\" }"),
        adapter("format.json = { lines = true }"),
        adapter("format.json = { lines = true, rows = \"/d\", charset = \"gb18030\" }"),
    ]
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    run(&ADAPTERS[usize::from(*first) % ADAPTERS.len()], rest);
});
