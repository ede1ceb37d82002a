//! Every decoder against files built here: good ones, dirty ones, hostile ones; by format in the files below.

use std::fs;
use std::io::{Cursor, Write};

use encoding_rs::GB18030;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Decoding, Memory, decode, decode_knowing};
use crate::adapter::format::{
    Charset, Container, Csv, Fixed, FixedColumn, Format, Json, Xlsx, Xml,
};
use crate::adapter::language::{Adapter, AsOf, Expect, Mode, Repeat};
use crate::adapter::limits::Limits;
use crate::adapter::row::Decoded;
use crate::adapter::transport::{Folder, Transport};
use crate::domain::batch::Unreadable;
use crate::domain::record::RecordKind;

mod charset;
mod container;
mod csv;
mod fixed;
mod grammar;
mod json;
mod likeness;
mod properties;
mod sheets;
mod sieve;
mod ways;
mod wellformed;
mod workbook;
mod xml;

fn adapter(format: Format) -> Adapter {
    Adapter {
        name: "sample".to_owned(),
        digest: String::new(),
        department: "测试".to_owned(),
        title: "样例".to_owned(),
        record: RecordKind::Tax,
        mode: Mode::Snapshot,
        repeat: Repeat::default(),
        gone_after: 3,
        agreement: None,
        transport: Transport::Folder(Folder {
            endpoint: "sample".to_owned(),
            pattern: "*".to_owned(),
            marker: None,
            done: None,
            depth: 0,
            settle_ms: 0,
        }),
        container: None,
        format,
        as_of: AsOf::Delivery,
        precedence: 0,
        period: None,
        personal: Vec::new(),
        fields: std::collections::BTreeMap::new(),
        lookup: std::collections::BTreeMap::new(),
        ignore: Vec::new(),
        expect: Expect::default(),
        limits: Limits::default(),
        regions: std::collections::BTreeSet::new(),
    }
}

fn csv(charset: Option<Charset>) -> Adapter {
    adapter(Format::Csv(Csv {
        charset,
        header: "名称".to_owned(),
        ..Csv::default()
    }))
}

/// Delimited text with its options changed.
fn csv_with(change: impl FnOnce(&mut Csv)) -> Adapter {
    let mut format = Csv {
        header: "名称".to_owned(),
        ..Csv::default()
    };
    change(&mut format);
    adapter(Format::Csv(format))
}

/// Text of fixed width: columns of these headings and widths.
fn fixed(columns: &[(&str, usize)], change: impl FnOnce(&mut Fixed)) -> Adapter {
    let columns = columns.iter().map(|(heading, width)| FixedColumn {
        heading: (*heading).to_owned(),
        from: None,
        width: *width,
    });
    let mut format = Fixed {
        columns: columns.collect(),
        ..Fixed::default()
    };
    change(&mut format);
    adapter(Format::Fixed(format))
}

fn xml(total: Option<&str>) -> Adapter {
    adapter(Format::Xml(Xml {
        record: "DATA/ROWS/ROW".to_owned(),
        total: total.map(str::to_owned),
        ..Xml::default()
    }))
}

fn json() -> Adapter {
    adapter(Format::Json(Json {
        rows: "/data/list".to_owned(),
        total: Some("/data/total".to_owned()),
        ..Json::default()
    }))
}

fn xlsx(sheet: Option<&str>) -> Adapter {
    adapter(Format::Xlsx(Xlsx {
        sheet: sheet.map(str::to_owned),
        header: "名称".to_owned(),
        ..Xlsx::default()
    }))
}

fn zipped(mut inner: Adapter) -> Adapter {
    inner.container = Some(Container::Zip {
        member: "登记信息_*.xml".to_owned(),
        several: false,
    });
    inner
}

fn gbk(text: &str) -> Vec<u8> {
    GB18030.encode(text).0.into_owned()
}

/// Everything a decoder said, as short lines: `T title`, `C a|b`, `3 x|-|12#` (`#` numeric), `!4 YB-2151`.
fn read(adapter: &Adapter, bytes: &[u8]) -> Result<(Vec<String>, Decoding), Unreadable> {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("export");
    fs::write(&path, bytes).expect("file");
    let mut said = Vec::new();
    let decoding = decode(&path, adapter, &mut |piece| {
        said.push(match piece {
            Decoded::Member(name) => format!("M {name}"),
            Decoded::Title(text) => format!("T {text}"),
            Decoded::Columns(columns) => format!("C {}", columns.join("|")),
            Decoded::Row(row) => {
                let cells: Vec<String> = row
                    .cells()
                    .map(|cell| {
                        cell.map_or_else(
                            || "-".to_owned(),
                            |cell| format!("{}{}", cell.text, if cell.numeric { "#" } else { "" }),
                        )
                    })
                    .collect();
                format!("{} {}", row.number, cells.join("|"))
            }
            Decoded::Spoilt {
                number,
                code,
                reason,
            } => {
                assert!(reason.contains("处理："), "{reason}");
                format!("!{number} {code}")
            }
        });
        Ok(())
    })?;
    Ok((said, decoding))
}

fn lines(adapter: &Adapter, bytes: &[u8]) -> Vec<String> {
    match read(adapter, bytes) {
        Ok((said, _)) => said,
        Err(refusal) => panic!("{refusal}"),
    }
}

fn refused(adapter: &Adapter, bytes: &[u8], code: &str) -> String {
    match read(adapter, bytes) {
        Ok((said, _)) => panic!("{code} expected, read {said:?}"),
        Err(refusal) => {
            assert_eq!(refusal.code, code, "{refusal}");
            assert!(refusal.text.contains("处理："), "{refusal}");
            refusal.text
        }
    }
}

const RECORDS: &str = "<DATA><ROWS><ROW><A>甲</A></ROW></ROWS></DATA>";

fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).expect("member");
        writer.write_all(content).expect("content");
    }
    writer.finish().expect("archive").into_inner()
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut replaced = bytes.to_vec();
    let mut at = 0;
    while at + from.len() <= replaced.len() {
        if &replaced[at..at + from.len()] == from {
            replaced[at..at + to.len()].copy_from_slice(to);
        }
        at += 1;
    }
    replaced
}

#[test]
fn an_error_of_the_caller_ends_it() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("export");
    fs::write(&path, "名称\n甲\n乙\n").expect("file");
    let mut calls = 0;
    let refusal = decode(&path, &csv(None), &mut |_| {
        calls += 1;
        Err(super::unreadable("YB-2999", "停"))
    })
    .expect_err("ends");
    assert_eq!((refusal.code, calls), ("YB-2999", 1));
}
