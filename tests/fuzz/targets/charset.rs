#![no_main]
//! T
use std::sync::LazyLock;

use yingbao::adapter::language::Adapter;
use yingbao_fuzz::{adapter, run};

static ADAPTERS: LazyLock<[Adapter; 2]> = LazyLock::new(|| {
    [
        adapter("format.csv = { header = \"code\" }"),
        adapter("format.csv = { header = \"code\", delimiter = \"\\t\", charset = \"gb18030\" }"),
    ]
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    run(&ADAPTERS[usize::from(*first) % ADAPTERS.len()], rest);
});
