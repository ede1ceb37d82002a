//! XML records with attributes, nested and repeated elements, and a declared total.
#![no_main]

use std::sync::LazyLock;

use yingbao::adapter::language::Adapter;
use yingbao_fuzz::{adapter, run};

static ADAPTERS: LazyLock<Vec<Adapter>> = LazyLock::new(|| {
    vec![
        adapter("format.xml = { record = \"a/b\" }"),
        adapter("format.xml = { record = \"a/b\", total = \"a/@n\" }"),
        adapter("format.xml = { record = \"a/b/c\", total = \"a/n\", charset = \"gb18030\" }"),
    ]
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    run(&ADAPTERS[usize::from(*first) % ADAPTERS.len()], rest);
});
