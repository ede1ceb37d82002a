//! Delimited text in every way of quoting, two heading rows, a trailer; and fixed width.
#![no_main]

use std::sync::LazyLock;

use yingbao::adapter::language::Adapter;
use yingbao_fuzz::{adapter, run};

static ADAPTERS: LazyLock<Vec<Adapter>> = LazyLock::new(|| {
    vec![
        adapter("format.csv = { header = \"code\" }"),
        adapter(
            "format.csv = { header = \"code\", delimiter = \"\\t\", quotes = \"backslash\", charset = \"gb18030\" }",
        ),
        adapter(
            "format.csv = { header = \"code\", quotes = \"none\", header_rows = 2, code_row = true }",
        ),
        adapter("format.csv = { header = \"code\", trailer = \"记录数\" }"),
        adapter(
            "format.fixed = { columns = [{ heading = \"code\", width = 18 }, { heading = \"month\", width = 6 }, { heading = \"name\", width = 8 }] }",
        ),
        adapter(
            "format.fixed = { unit = \"characters\", charset = \"gb18030\", title_lines = 1, trailer = \"T\", columns = [{ heading = \"code\", from = 3, width = 18 }, { heading = \"month\", width = 6 }] }",
        ),
    ]
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    run(&ADAPTERS[usize::from(*first) % ADAPTERS.len()], rest);
});
