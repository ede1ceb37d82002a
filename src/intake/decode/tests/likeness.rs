//! Files that are something else.

use rust_xlsxwriter::Workbook;

use super::*;

#[test]
#[allow(clippy::large_stack_arrays, reason = "workbooks among the cases")]
fn other_formats_are_named() {
    let mut book = Workbook::new();
    book.add_worksheet()
        .write_string(0, 0, "名称")
        .expect("cell");
    let book = book.save_to_buffer().expect("workbook");
    let ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest of an old workbook".to_vec();
    for (adapter, bytes, code, word) in [
        (csv(None), book, "YB-2106", "XLSX"),
        (csv(None), ole.clone(), "YB-2106", "XLS"),
        (
            csv(None),
            b"  <!DOCTYPE HTML><html>login</html>".to_vec(),
            "YB-2106",
            "HTML",
        ),
        (
            json(),
            b"<html><body>502</body></html>".to_vec(),
            "YB-2106",
            "HTML",
        ),
        (
            xml(None),
            b"\n<!doctype html><p>x".to_vec(),
            "YB-2106",
            "HTML",
        ),
        (csv(None), b"{\"code\":500}".to_vec(), "YB-2106", "JSON"),
        (
            csv(None),
            b"<?xml version='1.0'?><a/>".to_vec(),
            "YB-2106",
            "XML",
        ),
        (json(), "无数据".as_bytes().to_vec(), "YB-2106", "普通文本"),
        (
            json(),
            "名称,金额\n".as_bytes().to_vec(),
            "YB-2106",
            "普通文本",
        ),
        (
            xml(None),
            "名称,金额\n".as_bytes().to_vec(),
            "YB-2106",
            "普通文本",
        ),
        (xml(None), b"%PDF-1.4".to_vec(), "YB-2106", "PDF"),
        (csv(None), b"\x1f\x8b\x08rest".to_vec(), "YB-2106", "GZIP"),
        (csv(None), b"abc\0def,\0\0x".to_vec(), "YB-2106", "二进制"),
        (
            xlsx(None),
            b"<html><body>502</body></html>".to_vec(),
            "YB-2106",
            "HTML",
        ),
        (xlsx(None), b"{\"code\":500}".to_vec(), "YB-2106", "JSON"),
        (xlsx(None), ole, "YB-2141", "损坏"),
        (csv(None), Vec::new(), "YB-2101", "空"),
        (xml(None), b"\xef\xbb\xbf \r\n".to_vec(), "YB-2101", "空"),
        (json(), b"\n".to_vec(), "YB-2101", "空"),
        (xlsx(None), Vec::new(), "YB-2101", "空"),
    ] {
        let said = refused(&adapter, &bytes, code);
        assert!(said.contains(word), "{word}: {said}");
    }
}
