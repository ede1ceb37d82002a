//! Workbooks, cell by cell: never a whole sheet, so that one cell in a far corner costs nothing.

use std::io::{BufReader, Read, Seek};

use calamine::{DataRef, Reader, SheetVisible, Xlsx, XlsxError};

use crate::adapter::row::Cell;
use crate::adapter::source::{Limits, Xlsx as Layout};
use crate::domain::batch::Unreadable;
use crate::intake::decode::container::{Export, open_zip};
use crate::intake::decode::handover::Handover;
use crate::intake::decode::table::Table;
use crate::intake::decode::{from_io, likeness, number, unreadable};

/// Bytes of shared texts, styles and relations together: the library holds them whole.
const HELD_BYTES: u64 = 512 << 20;

/// Reads the sheet that the adapter names, else the first visible one.
pub fn decode(
    export: &Export<'_>,
    layout: &Layout,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<(), Unreadable> {
    let mut file = export.seekable()?;
    let mut head = [0u8; 8];
    let read = file.read(&mut head).map_err(|error| from_io(&error))?;
    file.rewind().map_err(|error| from_io(&error))?;
    if !head[..read].starts_with(b"PK") {
        return Err(not_a_workbook(&head[..read]));
    }
    weigh(file.try_clone().map_err(|error| from_io(&error))?, limits)?;
    file.rewind().map_err(|error| from_io(&error))?;
    let mut workbook: Xlsx<_> = Xlsx::new(BufReader::new(file)).map_err(|error| broken(&error))?;
    let sheet = chosen(&workbook, layout.sheet.as_deref())?;
    let mut cells = workbook
        .worksheet_cells_reader(&sheet)
        .map_err(|error| broken(&error))?;
    let mut table = Table::new(handover, &layout.header, limits);
    let (mut row, mut line): (u32, Vec<(usize, Cell)>) = (0, Vec::new());
    while let Some(cell) = cells.next_cell().map_err(|error| broken(&error))? {
        let (at, column) = cell.get_position();
        if at != row && !line.is_empty() {
            table.line(u64::from(row) + 1, &mut line, None)?;
        }
        row = at;
        if let Some(read) = read_cell(cell.get_value()) {
            line.push((column as usize, read));
        }
    }
    if !line.is_empty() {
        table.line(u64::from(row) + 1, &mut line, None)?;
    }
    table.finish()
}

fn not_a_workbook(head: &[u8]) -> Unreadable {
    // Encrypted workbooks and old .xls both are OLE files.
    if head.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return unreadable(
            "YB-2181",
            "文件是加密的工作簿或旧版 .xls，不能读取。处理：请提供方去掉密码，另存为 .xlsx 后重新导出",
        );
    }
    if head.is_empty() {
        return likeness::empty();
    }
    unreadable(
        "YB-2182",
        "文件不是 .xlsx 工作簿。处理：核对提供方的导出格式，或改正适配文件的 [format]",
    )
}

/// Caps on what the library will hold or unpack, before it opens anything.
fn weigh(file: std::fs::File, limits: &Limits) -> Result<(), Unreadable> {
    let mut archive = open_zip(file)?;
    let (mut held, mut all) = (0u64, 0u64);
    for at in 0..archive.len() {
        let Ok(member) = archive.by_index_raw(at) else {
            return Err(unreadable(
                "YB-2183",
                "工作簿内部结构损坏。处理：请提供方重新导出",
            ));
        };
        all = all.saturating_add(member.size());
        if !member
            .name()
            .is_ok_and(|name| name.starts_with("xl/worksheets/"))
        {
            held = held.saturating_add(member.size());
        }
        let ratio = member.size() / member.compressed_size().max(1);
        if member.size() > (1 << 20) && ratio > limits.ratio {
            return Err(unreadable(
                "YB-2184",
                format!(
                    "工作簿解压比例超过上限 {} 倍。处理：核对文件来源；确属正常时调高适配文件 limits.ratio",
                    limits.ratio
                ),
            ));
        }
    }
    if held > HELD_BYTES || all > limits.unpacked_bytes {
        return Err(unreadable(
            "YB-2185",
            "工作簿解压后超过大小上限。处理：核对文件来源；确需更大时调高适配文件 limits.unpacked_bytes",
        ));
    }
    Ok(())
}

fn chosen<R: Read + Seek>(workbook: &Xlsx<R>, wanted: Option<&str>) -> Result<String, Unreadable> {
    let sheets = workbook.sheets_metadata();
    let found = match wanted {
        Some(name) => sheets.iter().find(|sheet| sheet.name == name),
        None => sheets
            .iter()
            .find(|sheet| sheet.visible == SheetVisible::Visible),
    };
    found.map(|sheet| sheet.name.clone()).ok_or_else(|| {
        let names: Vec<&str> = sheets
            .iter()
            .map(|sheet| sheet.name.as_str())
            .take(20)
            .collect();
        unreadable(
            "YB-2186",
            format!(
                "工作簿中没有工作表“{}”，现有：{}。处理：核对导出，或改正适配文件的 sheet",
                wanted.unwrap_or("（可见的）"),
                names.join("、")
            ),
        )
    })
}

fn read_cell(value: &DataRef<'_>) -> Option<Cell> {
    let text = |text: &str| {
        Some(Cell {
            text: text.to_owned(),
            numeric: false,
        })
    };
    match value {
        DataRef::Empty => None,
        DataRef::SharedString(shown) => text(shown),
        DataRef::Int(n) => Some(Cell {
            text: n.to_string(),
            numeric: true,
        }),
        DataRef::Float(n) => Some(Cell {
            text: number::plain(*n),
            numeric: true,
        }),
        DataRef::Bool(yes) => text(if *yes { "TRUE" } else { "FALSE" }),
        DataRef::String(shown) | DataRef::DateTimeIso(shown) | DataRef::DurationIso(shown) => {
            text(shown)
        }
        DataRef::DateTime(at) => {
            let (year, month, day, ..) = at.to_ymd_hms_milli();
            text(&format!("{year:04}-{month:02}-{day:02}"))
        }
        DataRef::Error(error) => text(&error.to_string()),
    }
}

fn broken(error: &XlsxError) -> Unreadable {
    // What the library says may quote the content; its kind is enough.
    let kind = match error {
        XlsxError::Zip(_) => "压缩结构",
        XlsxError::Xml(_) | XlsxError::XmlAttr(_) => "内部 XML",
        XlsxError::Password => "密码保护",
        _ => "内部结构",
    };
    unreadable(
        "YB-2187",
        format!("工作簿{kind}不能读取，可能已损坏或未传完。处理：请提供方重新导出"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::row::Decoded;
    use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

    fn layout() -> Layout {
        Layout {
            sheet: None,
            header: "单位编号".into(),
        }
    }

    fn rows(bytes: &[u8], limits: &Limits) -> Result<Vec<Decoded>, Unreadable> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut seen = Vec::new();
        let mut sink = |decoded| {
            seen.push(decoded);
            Ok(())
        };
        let mut handover = Handover::new(&mut sink, limits);
        let export = Export {
            path: file.path(),
            container: None,
            limits,
        };
        decode(&export, &layout(), limits, &mut handover)?;
        Ok(seen)
    }

    fn workbook() -> Vec<u8> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "参保登记册").unwrap();
        sheet.write_string(2, 0, "单位编号").unwrap();
        sheet.write_string(2, 1, "参保人数").unwrap();
        sheet.write_string(2, 2, "日期").unwrap();
        sheet.write_string(3, 0, "0012").unwrap();
        sheet.write_number(3, 1, 12.0).unwrap();
        let day = ExcelDateTime::from_ymd(2026, 3, 2).unwrap();
        sheet
            .write_datetime_with_format(3, 2, &day, &Format::new().set_num_format("yyyy-mm-dd"))
            .unwrap();
        sheet.write_number(5, 0, 911_522_010_783_762_860.0).unwrap();
        book.save_to_buffer().unwrap()
    }

    #[test]
    fn titles_headings_rows_dates_and_numbers() {
        let seen = rows(&workbook(), &Limits::default()).unwrap();
        assert_eq!(seen[0], Decoded::Title("参保登记册".into()));
        assert_eq!(
            seen[1],
            Decoded::Columns(vec!["单位编号".into(), "参保人数".into(), "日期".into()])
        );
        let Decoded::Row(first) = &seen[2] else {
            panic!("{seen:?}")
        };
        assert_eq!(first.number, 4);
        let texts: Vec<_> = first
            .cells
            .iter()
            .map(|cell| cell.as_ref().map(|cell| cell.text.as_str()))
            .collect();
        assert_eq!(texts, [Some("0012"), Some("12"), Some("2026-03-02")]);
        let Decoded::Row(second) = &seen[3] else {
            panic!("{seen:?}")
        };
        assert_eq!(second.number, 6);
        assert!(
            second.cells[0].as_ref().unwrap().numeric
                && second.cells[0].as_ref().unwrap().text.contains('E')
        );
    }

    #[test]
    fn what_is_no_workbook_is_refused_with_its_likeness() {
        let limits = Limits::default();
        let whole = workbook();
        for (bytes, code) in [
            (&b"a,b\n1,2\n"[..], "YB-2182"),
            (
                &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1][..],
                "YB-2181",
            ),
        ] {
            assert_eq!(rows(bytes, &limits).unwrap_err().code, code);
        }
        assert!(rows(&whole[..whole.len() / 2], &limits).is_err());
        assert!(rows(b"", &limits).is_err());
    }

    #[test]
    fn a_cell_in_the_far_corner_is_one_refused_row_not_a_full_memory() {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "单位编号").unwrap();
        sheet.write_string(1_048_575, 16_383, "x").unwrap();
        let seen = rows(&book.save_to_buffer().unwrap(), &Limits::default()).unwrap();
        assert!(
            matches!(
                seen.last(),
                Some(Decoded::Spoilt {
                    number: 1_048_576,
                    ..
                })
            ),
            "{seen:?}"
        );
    }
}
