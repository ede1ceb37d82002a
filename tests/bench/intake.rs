//! Reading at size: every format on the same million rows, beside the bare loop of its parser in the same run, and the memory each
//! decoder needs above an idle process.
//!
//! `cargo bench --bench intake` runs it; `-- --rows N --passes N` set the size, `-- --memory-only` leaves the figures of time out.
//! Each figure is processor time of this thread, so that another job on the machine does not count.

#[path = "values.rs"]
mod values;
#[path = "xls.rs"]
mod xls;

use std::fmt::Write as _;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use encoding_rs::GB18030;
use jiff::civil::date;
use yingbao::adapter::language::Adapter;
use yingbao::adapter::mapping::Mapper;
use yingbao::adapter::row::Decoded;
use yingbao::domain::code::{credit_code_check, organisation_check};
use yingbao::intake::decode::decode;

/// What may be needed above idle, MiB, by a format that can be read as a stream.
const MEMORY_MIB: u64 = 64;

/// The headings, and the fields they feed.
const HEADINGS: [(&str, &str); 9] = [
    ("统一社会信用代码", "credit_code"),
    ("企业名称", "name"),
    ("登记状态", "status"),
    ("行业代码", "industry_code"),
    ("成立日期", "founded"),
    ("核准日期", "approved"),
    ("登记机关", "region"),
    ("住所", "address"),
    ("经营范围", "business_scope"),
];

/// One layout that a million rows are written in.
struct Layout {
    name: &'static str,
    file: &'static str,
    format: &'static str,
    write: fn(&Path, u64),
    /// Rows that fit, or that its writer can hold; without the heading.
    most_rows: u64,
    /// Whether the format has to be kept in memory, under a limit of its own (`kept_bytes`).
    is_kept: bool,
}

const LAYOUTS: &[Layout] = &[
    Layout {
        name: "csv",
        file: "rows.csv",
        format: "format.csv = { header = \"统一社会信用代码\", charset = \"utf-8\" }",
        write: csv_utf8,
        most_rows: u64::MAX,
        is_kept: false,
    },
    Layout {
        name: "csv gb18030",
        file: "rows-gb.csv",
        format: "format.csv = { header = \"统一社会信用代码\", charset = \"gb18030\" }",
        write: csv_gb,
        most_rows: u64::MAX,
        is_kept: false,
    },
    Layout {
        name: "xml",
        file: "rows.xml",
        format: "format.xml = { record = \"DATA/ROW\" }",
        write: xml_utf8,
        most_rows: u64::MAX,
        is_kept: false,
    },
    Layout {
        name: "xml gb18030",
        file: "rows-gb.xml",
        format: "format.xml = { record = \"DATA/ROW\" }",
        write: xml_gb,
        most_rows: u64::MAX,
        is_kept: false,
    },
    Layout {
        name: "json",
        file: "rows.json",
        format: "format.json = { rows = \"/data\" }",
        write: json,
        most_rows: u64::MAX,
        is_kept: false,
    },
    Layout {
        name: "json lines",
        file: "rows.jsonl",
        format: "format.json = { lines = true, charset = \"utf-8\" }",
        write: json_lines,
        most_rows: u64::MAX,
        is_kept: false,
    },
    Layout {
        name: "xlsx",
        file: "rows.xlsx",
        format: "format.xlsx = { header = \"统一社会信用代码\" }",
        write: xlsx,
        most_rows: 1_048_575,
        is_kept: false,
    },
    Layout {
        name: "xlsx shared texts",
        file: "rows-shared.xlsx",
        format: "format.xlsx = { header = \"统一社会信用代码\" }",
        write: xlsx_shared,
        most_rows: 100_000,
        is_kept: true,
    },
    Layout {
        name: "xls",
        file: "rows.xls",
        format: "format.xlsx = { header = \"统一社会信用代码\" }",
        write: xls_old,
        most_rows: 65_535,
        is_kept: true,
    },
    Layout {
        name: "spreadsheetml",
        file: "rows-2003.xls",
        format: "format.xlsx = { header = \"统一社会信用代码\" }",
        write: spreadsheetml,
        most_rows: u64::MAX,
        is_kept: false,
    },
    Layout {
        name: "html",
        file: "rows-page.xls",
        format: "format.xlsx = { header = \"统一社会信用代码\" }",
        write: html,
        most_rows: u64::MAX,
        is_kept: false,
    },
    Layout {
        name: "fixed gb18030",
        file: "rows.txt",
        format: "[format.fixed]\ncharset = \"gb18030\"\ncolumns = [{ heading = \"统一社会信用代码\", width = 18 }, \
                 { heading = \"企业名称\", width = 60 }, { heading = \"登记状态\", width = 30 }, { heading = \"行业代码\", width = 6 }, \
                 { heading = \"成立日期\", width = 10 }, { heading = \"核准日期\", width = 10 }, { heading = \"登记机关\", width = 6 }, \
                 { heading = \"住所\", width = 60 }, { heading = \"经营范围\", width = 100 }]\n",
        write: fixed,
        most_rows: u64::MAX,
        is_kept: false,
    },
];

fn adapter(layout: &Layout) -> Adapter {
    let mut text = format!(
        "department = \"市场监管\"\ntitle = \"登记\"\nbasis = \"社会保险经办条例第九条\"\nrecord = \"registration\"\nmode = \"snapshot\"\n\
         as_of = \"delivery\"\ntransport.folder = {{ endpoint = \"x\", pattern = \"rows*\" }}\n{}\n[fields]\n",
        layout.format
    );
    for (heading, field) in HEADINGS {
        let _ = match field {
            "credit_code" => writeln!(
                text,
                "{field} = {{ from = \"{heading}\", required = true }}"
            ),
            "status" => writeln!(
                text,
                "{field} = {{ from = \"{heading}\", lookup = \"status\" }}"
            ),
            _ => writeln!(text, "{field} = \"{heading}\""),
        };
    }
    text.push_str("[lookup.status]\nactive = [\"存续（在营、开业、在册）\"]\n[limits]\nshared_strings_bytes = 2147483648\n");
    let file = toml::from_str(&text).or_else(|_| {
        // The cap on shared strings has its own default where the key is not known.
        toml::from_str(text.split("[limits]").next().unwrap_or_default())
    });
    Adapter::check("rows", "0", file.expect("an adapter")).expect("no complaint")
}

/// The cells of row `n`: the same bytes in every run.
fn cells(n: u64, cells: &mut [String; 9]) {
    for cell in cells.iter_mut() {
        cell.clear();
    }
    // Valid in both checks, as nearly all real codes are; the alphabet has no I, O, S, V, Z.
    let mut body = format!("MA{:06}", n % 1_000_000);
    body.push(organisation_check(&body).expect("eight characters"));
    let region = 411_302 + n % 14;
    let first_17 = format!("91{region}{body}");
    let check = credit_code_check(&first_17).expect("seventeen characters");
    let _ = write!(cells[0], "{first_17}{check}");
    let _ = write!(cells[1], "南阳拟名{n}号商贸有限公司");
    cells[2].push_str("存续（在营、开业、在册）");
    let _ = write!(cells[3], "{}", 5100 + n % 99);
    let _ = write!(
        cells[4],
        "20{:02}-{:02}-{:02}",
        n % 24,
        n % 12 + 1,
        n % 28 + 1
    );
    let _ = write!(cells[5], "2024/{}/{}", n % 12 + 1, n % 28 + 1);
    let _ = write!(cells[6], "4113{:02}", n % 14 + 2);
    let _ = write!(
        cells[7],
        "河南省南阳市虚构街道{}号院{}号楼",
        n % 977,
        n % 31
    );
    cells[8].push_str("一般项目：日用百货销售；办公用品销售；互联网销售（除销售需要许可的商品）");
}

fn rows(mut each: impl FnMut(&[String; 9]), count: u64) {
    let mut row: [String; 9] = Default::default();
    for n in 0..count {
        cells(n, &mut row);
        each(&row);
    }
}

fn out(path: &Path) -> BufWriter<File> {
    BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"))
}

fn csv_text(path: &Path, count: u64, gb: bool) {
    let mut file = out(path);
    let mut put = |line: &str| {
        if gb {
            file.write_all(&GB18030.encode(line).0).expect("written");
        } else {
            file.write_all(line.as_bytes()).expect("written");
        }
    };
    put(&format!(
        "{}\n",
        HEADINGS.map(|(heading, _)| heading).join(",")
    ));
    rows(|row| put(&format!("{}\n", row.join(","))), count);
}

fn csv_utf8(path: &Path, count: u64) {
    csv_text(path, count, false);
}

fn csv_gb(path: &Path, count: u64) {
    csv_text(path, count, true);
}

fn xml_text(path: &Path, count: u64, gb: bool) {
    let mut file = out(path);
    let mut put = |text: &str| {
        if gb {
            file.write_all(&GB18030.encode(text).0).expect("written");
        } else {
            file.write_all(text.as_bytes()).expect("written");
        }
    };
    let charset = if gb { "GB18030" } else { "UTF-8" };
    put(&format!(
        "<?xml version=\"1.0\" encoding=\"{charset}\"?>\n<DATA>\n"
    ));
    let mut text = String::new();
    rows(
        |row| {
            text.clear();
            text.push_str("<ROW>");
            for ((heading, _), cell) in HEADINGS.iter().zip(row) {
                let _ = write!(text, "<{heading}>{cell}</{heading}>");
            }
            text.push_str("</ROW>\n");
            put(&text);
        },
        count,
    );
    put("</DATA>\n");
}

fn xml_utf8(path: &Path, count: u64) {
    xml_text(path, count, false);
}

fn xml_gb(path: &Path, count: u64) {
    xml_text(path, count, true);
}

fn json(path: &Path, count: u64) {
    let mut file = out(path);
    file.write_all(b"{\"data\":[").expect("written");
    let mut first = true;
    rows(
        |row| {
            let object: serde_json::Map<String, serde_json::Value> = HEADINGS
                .iter()
                .zip(row)
                .map(|((heading, _), cell)| ((*heading).to_owned(), cell.as_str().into()))
                .collect();
            let comma = if std::mem::take(&mut first) {
                ""
            } else {
                ",\n"
            };
            write!(file, "{comma}{}", serde_json::Value::from(object)).expect("written");
        },
        count,
    );
    file.write_all(b"]}").expect("written");
}

fn json_lines(path: &Path, count: u64) {
    let mut file = out(path);
    let mut text = String::new();
    rows(
        |row| {
            text.clear();
            for ((heading, _), cell) in HEADINGS.iter().zip(row) {
                let start = if text.is_empty() { '{' } else { ',' };
                let _ = write!(text, "{start}\"{heading}\":\"{cell}\"");
            }
            text.push_str("}\n");
            file.write_all(text.as_bytes()).expect("written");
        },
        count,
    );
}

fn xlsx(path: &Path, count: u64) {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook
        .add_worksheet_with_constant_memory()
        .expect("a sheet");
    for (at, (heading, _)) in (0u16..).zip(HEADINGS) {
        sheet.write(0, at, heading).expect("a heading");
    }
    let mut line = 1;
    rows(
        |row| {
            for (at, cell) in (0u16..).zip(row) {
                sheet.write(line, at, cell.as_str()).expect("a cell");
            }
            line += 1;
        },
        count,
    );
    workbook.save(path).expect("a workbook");
}

fn xlsx_shared(path: &Path, count: u64) {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (at, (heading, _)) in (0u16..).zip(HEADINGS) {
        sheet.write(0, at, heading).expect("a heading");
    }
    let mut line = 1;
    rows(
        |row| {
            for (at, cell) in (0u16..).zip(row) {
                sheet.write(line, at, cell.as_str()).expect("a cell");
            }
            line += 1;
        },
        count,
    );
    workbook.save(path).expect("a workbook");
}

fn xls_old(path: &Path, count: u64) {
    let mut sheet = xls::Sheet::new();
    sheet.push(HEADINGS.map(|(heading, _)| heading));
    rows(|row| sheet.push(row), count);
    sheet.save(path).expect("a workbook");
}

/// A table of tags: what stands before and behind it, a row, a heading, a cell.
fn tagged(path: &Path, count: u64, frame: [&str; 2], row_tags: [&str; 2], cell_tags: [&str; 2]) {
    let mut file = out(path);
    let mut text = frame[0].to_owned();
    let mut line = |text: &mut String, cells: &mut dyn Iterator<Item = &str>| {
        text.push_str(row_tags[0]);
        for cell in cells {
            let _ = write!(text, "{}{cell}{}", cell_tags[0], cell_tags[1]);
        }
        let _ = writeln!(text, "{}", row_tags[1]);
        file.write_all(text.as_bytes()).expect("written");
        text.clear();
    };
    line(&mut text, &mut HEADINGS.iter().map(|(heading, _)| *heading));
    rows(
        |row| line(&mut text, &mut row.iter().map(String::as_str)),
        count,
    );
    file.write_all(frame[1].as_bytes()).expect("written");
}

fn spreadsheetml(path: &Path, count: u64) {
    tagged(
        path,
        count,
        [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" \
             xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\"><Worksheet ss:Name=\"S\"><Table>\n",
            "</Table></Worksheet></Workbook>\n",
        ],
        ["<Row>", "</Row>"],
        ["<Cell><Data ss:Type=\"String\">", "</Data></Cell>"],
    );
}

fn html(path: &Path, count: u64) {
    tagged(
        path,
        count,
        [
            "<html><head><meta charset=\"utf-8\"></head><body><table>\n",
            "</table></body></html>\n",
        ],
        ["<tr>", "</tr>"],
        ["<td>", "</td>"],
    );
}

/// Bytes of each column in [`fixed`], as its adapter says.
const WIDTHS: [usize; 9] = [18, 60, 30, 6, 10, 10, 6, 60, 100];

fn fixed(path: &Path, count: u64) {
    let mut file = out(path);
    let mut line = Vec::new();
    rows(
        |row| {
            line.clear();
            for (cell, width) in row.iter().zip(WIDTHS) {
                let from = line.len();
                line.extend_from_slice(&GB18030.encode(cell).0);
                assert!(line.len() <= from + width, "{cell} is too wide");
                line.resize(from + width, b' ');
            }
            line.push(b'\n');
            file.write_all(&line).expect("written");
        },
        count,
    );
}

/// Processor time of this thread, seconds.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds: f64 = text
        .split(' ')
        .next()
        .and_then(|ns| ns.parse().ok())
        .expect("nanoseconds");
    nanoseconds / 1e9
}

fn timed(work: impl FnOnce()) -> f64 {
    let before = cpu();
    work();
    cpu() - before
}

fn read_and_map(path: &Path, adapter: &Adapter) -> u64 {
    let key = [0; 32];
    let mut mapper = Mapper::new(adapter, "rows", date(2026, 3, 18), &key);
    let mut records = 0;
    decode(path, adapter, &mut |decoded| {
        match decoded {
            Decoded::Columns(columns) => {
                mapper.columns(&columns)?;
            }
            Decoded::Row(row) => {
                mapper.depersonalise(row);
                records += u64::from(black_box(mapper.row(row)).record.is_some());
            }
            _ => {}
        }
        Ok(())
    })
    .expect("readable");
    records
}

fn bare_csv(path: &Path) {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(BufReader::with_capacity(
            1 << 16,
            File::open(path).expect("a file"),
        ));
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).expect("a row") {
        black_box(record.len());
    }
}

fn bare_xml(path: &Path) {
    let mut reader = quick_xml::Reader::from_reader(BufReader::with_capacity(
        1 << 16,
        File::open(path).expect("a file"),
    ));
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer).expect("XML") {
            quick_xml::events::Event::Eof => break,
            event => {
                black_box(&event);
            }
        }
        buffer.clear();
    }
}

fn bare_json(path: &Path) {
    let text = std::fs::read(path).expect("a file");
    black_box(serde_json::from_slice::<values::Values>(&text).expect("JSON"));
}

fn bare_json_lines(path: &Path) {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).expect("a file"));
    let mut line = Vec::new();
    while file.read_until(b'\n', &mut line).expect("a line") > 0 {
        black_box(serde_json::from_slice::<values::Values>(&line).expect("JSON"));
        line.clear();
    }
}

fn bare_xlsx(path: &Path) {
    use calamine::Reader as _;
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(path).expect("a workbook");
    let sheet = book.sheet_names().first().cloned().expect("a sheet");
    let mut cells = book.worksheet_cells_reader(&sheet).expect("a sheet");
    while let Some(cell) = cells.next_cell().expect("a cell") {
        black_box(cell.get_value());
    }
}

/// Highest memory of this process so far and memory now, MiB.
fn memory() -> (u64, u64) {
    let mut text = String::new();
    File::open("/proc/self/status")
        .and_then(|mut file| file.read_to_string(&mut text))
        .expect("Linux");
    let of = |key: &str| {
        text.lines()
            .find_map(|line| {
                line.strip_prefix(key)?
                    .split_whitespace()
                    .next()?
                    .parse::<u64>()
                    .ok()
            })
            .unwrap_or(0)
            / 1024
    };
    (of("VmHWM:"), of("VmRSS:"))
}

/// In a process of its own: memory above idle after decoding one file, MiB.
fn child(layout: &Layout, path: &Path) {
    let adapter = adapter(layout);
    let (_, idle) = memory();
    let mut rows = 0u64;
    decode(path, &adapter, &mut |decoded| {
        rows += u64::from(matches!(decoded, Decoded::Row(_)));
        Ok(())
    })
    .expect("readable");
    let (peak, _) = memory();
    println!("{rows} {}", peak.saturating_sub(idle));
}

fn option(arguments: &[String], name: &str) -> Option<String> {
    let at = arguments.iter().position(|word| word == name)?;
    arguments.get(at + 1).cloned()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(name) = option(&arguments, "--child") {
        let layout = LAYOUTS
            .iter()
            .find(|layout| layout.name == name)
            .expect("a layout");
        child(
            layout,
            &PathBuf::from(option(&arguments, "--file").expect("a file")),
        );
        return;
    }
    let count = option(&arguments, "--rows")
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000_000);
    let passes = option(&arguments, "--passes")
        .and_then(|n| n.parse().ok())
        .unwrap_or(3);
    let folder = tempfile::tempdir().expect("a folder");
    let mut failed = false;
    println!("{count} rows, {passes} passes; ratios are the medians of pass-by-pass ratios");
    println!(
        "{:<18}{:>10}{:>10}{:>12}{:>12}{:>16}",
        "format", "MiB", "rows", "seconds", "× floor", "MiB above idle"
    );
    let mut csv_seconds = Vec::new();
    let mut xml_seconds = Vec::new();
    let only = option(&arguments, "--only");
    let wanted = |layout: &&Layout| {
        only.as_ref()
            .is_none_or(|only| layout.name.starts_with(only))
    };
    for layout in LAYOUTS.iter().filter(wanted) {
        let path = folder.path().join(layout.file);
        (layout.write)(&path, count.min(layout.most_rows));
        let size = std::fs::metadata(&path).expect("a file").len() >> 20;
        let output = Command::new(std::env::current_exe().expect("itself"))
            .args(["--child", layout.name, "--file", &path.to_string_lossy()])
            .output()
            .expect("a process");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut told = told
            .split_whitespace()
            .map(|word| word.parse::<u64>().unwrap_or(0));
        let (rows, above) = (told.next().unwrap_or(0), told.next().unwrap_or(u64::MAX));
        failed |= rows != count.min(layout.most_rows) || (above > MEMORY_MIB && !layout.is_kept);
        let mut seconds = Vec::new();
        let mut ratios = Vec::new();
        if !arguments.iter().any(|word| word == "--memory-only") {
            let adapter = adapter(layout);
            for pass in 0..passes {
                let whole = timed(|| {
                    black_box(read_and_map(&path, &adapter));
                });
                let floor = match layout.name {
                    "csv" => timed(|| bare_csv(&path)),
                    "xml" => timed(|| bare_xml(&path)),
                    "json" => timed(|| bare_json(&path)),
                    "json lines" => timed(|| bare_json_lines(&path)),
                    "xlsx" | "xlsx shared texts" => timed(|| bare_xlsx(&path)),
                    // GB18030 stands beside the same rows in UTF-8, read in the same run.
                    "csv gb18030" => csv_seconds.get(pass).copied().unwrap_or(f64::NAN),
                    "xml gb18030" => xml_seconds.get(pass).copied().unwrap_or(f64::NAN),
                    _ => f64::NAN,
                };
                seconds.push(whole);
                ratios.push(whole / floor);
            }
            match layout.name {
                "csv" => csv_seconds.clone_from(&seconds),
                "xml" => xml_seconds.clone_from(&seconds),
                _ => {}
            }
        }
        let ratio = median(&mut ratios);
        let ratio = if ratio.is_nan() {
            "—".to_owned()
        } else {
            format!("{ratio:.2}")
        };
        println!(
            "{:<18}{size:>10}{rows:>10}{:>12.2}{ratio:>12}{above:>16}",
            layout.name,
            median(&mut seconds),
        );
        let _ = std::fs::remove_file(&path);
    }
    if failed {
        println!("a decoder lost rows, or needs more than {MEMORY_MIB} MiB");
        std::process::exit(1);
    }
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
