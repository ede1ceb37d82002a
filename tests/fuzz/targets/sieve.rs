//! Rows that are known by their bytes: leaving them out leaves the others as they are.
//!
//! The first byte picks the adapter, the second which rows are known, 0xFF parts yesterday's file from today's; without it both are
//! the same.
#![no_main]

use std::sync::LazyLock;

use yingbao::adapter::language::Adapter;
use yingbao_fuzz::{adapter, compare};

static ADAPTERS: LazyLock<Vec<Adapter>> = LazyLock::new(|| {
    vec![
        adapter("format.csv = { header = \"code\" }"),
        adapter("format.csv = { header = \"code\", charset = \"gb18030\" }"),
        adapter(
            "format.csv = { header = \"code\", delimiter = \"\\t\", quotes = \"backslash\", charset = \"utf-8\" }",
        ),
        adapter("format.csv = { header = \"code\", quotes = \"none\" }"),
        adapter("format.xml = { record = \"D/R\" }"),
        adapter("format.xml = { record = \"D/R\", total = \"D/N\", charset = \"gb18030\" }"),
        adapter("format.json = { lines = true }"),
        adapter("format.json = { lines = true, charset = \"gb18030\" }"),
    ]
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [which, keep, rest @ ..] = bytes else {
        return;
    };
    let (first, second) = match rest.iter().position(|byte| *byte == 0xFF) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, rest),
    };
    let which = usize::from(*which) % ADAPTERS.len();
    compare(&ADAPTERS[which], first, second, u64::from(*keep));
});
