//! What every target does: one file, one adapter, the whole way from bytes to records.
//!
//! A target finds a fault when the decoder or the mapping panics, hangs, or hands on more than the caps allow.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;

use yingbao::adapter::language::Adapter;
use yingbao::adapter::mapping::Mapper;
use yingbao::adapter::row::Decoded;
use yingbao::domain::batch::Unreadable;
use yingbao::intake::decode::{Decoding, Memory, decode, decode_knowing};

/// Caps small enough that a fault shows within one run.
const LIMITS: &str = "[limits]\nfile_bytes = 1048576\nunpacked_bytes = 4194304\nrows = 5000\ncolumns = 64\ncell_bytes = 4096\ndepth = 24\n";

const KEY: [u8; 32] = [0; 32];

/// An adapter with this `format.…` (and `container.…`) line.
///
/// # Panics
/// The line is not what the language knows: a mistake of the target.
#[must_use]
pub fn adapter(lines: &str) -> Adapter {
    let text = format!(
        "department = \"税务\"\ntitle = \"月报\"\nbasis = \"条例\"\nrecord = \"tax\"\nmode = \"increment\"\nas_of = \"delivery\"\n\
         transport.folder = {{ endpoint = \"x\", pattern = \"x*\" }}\n{lines}\n[fields]\n\
         credit_code = {{ from = [\"code\", \"代码\"], required = true }}\nmonth = {{ from = [\"month\", \"月\"], required = true }}\n\
         name = {{ from = [\"name\", \"名称\"] }}\nrevenue = {{ from = \"revenue\", unit = \"yuan\" }}\n{LIMITS}"
    );
    Adapter::check("x", "0", toml::from_str(&text).expect("an adapter")).expect("no complaint")
}

/// Reads the bytes as the adapter says and holds the caps against what comes out.
///
/// # Panics
/// A cap was not kept.
pub fn run(adapter: &Adapter, bytes: &[u8]) {
    let path = spool();
    let mut file = std::fs::File::create(&path).expect("a file");
    file.write_all(bytes).expect("written");
    drop(file);
    let mut mapper = Mapper::new(
        adapter,
        "x_202603.csv",
        "2026-03-18".parse().expect("a day"),
        &KEY,
    );
    let (mut rows, mut columns) = (0u64, 0usize);
    let decoded = decode(&path, adapter, &mut |decoded| {
        match decoded {
            Decoded::Title(line) => {
                mapper.title(&line);
            }
            Decoded::Columns(headings) => {
                assert!(
                    headings.len() <= adapter.limits.columns,
                    "more columns than the cap"
                );
                columns = headings.len();
                mapper.columns(&headings)?;
            }
            Decoded::Row(row) => {
                rows += 1;
                assert!(rows <= adapter.limits.rows, "more rows than the cap");
                assert!(row.len() <= columns, "more cells than columns");
                for cell in row.cells().flatten() {
                    assert!(
                        cell.text.len() <= adapter.limits.cell_bytes,
                        "a cell longer than the cap"
                    );
                }
                mapper.depersonalise(row);
                mapper.row(row);
            }
            Decoded::Spoilt { code, .. } => assert!(code.starts_with("YB-")),
            #[allow(unreachable_patterns, reason = "more kinds may be told")]
            _ => {}
        }
        Ok(())
    });
    if let Err(refusal) = decoded {
        assert!(refusal.code.starts_with("YB-") && !refusal.text.is_empty());
    }
}

/// A row: its cells under their names, and its fingerprint.
type Row = (Vec<(String, String, bool)>, u64);

/// What one reading told.
struct Told {
    columns: Vec<String>,
    rows: BTreeMap<u64, Row>,
    decoding: Decoding,
}

fn told(
    adapter: &Adapter,
    bytes: &[u8],
    known: &BTreeSet<u64>,
    columns: &[String],
) -> Result<Told, Unreadable> {
    let path = spool();
    std::fs::write(&path, bytes).expect("written");
    let knows = |print: u64| known.contains(&print);
    let memory = Memory {
        knows: &knows,
        coming: &|_| {},
        columns,
    };
    let mut names: Vec<String> = Vec::new();
    let mut rows = BTreeMap::new();
    let decoding = decode_knowing(&path, adapter, Some(&memory), &mut |decoded| {
        match decoded {
            Decoded::Columns(headings) => names = headings,
            Decoded::Row(row) => {
                let mut cells: Vec<_> = (names.iter().zip(row.cells()))
                    .filter_map(|(name, cell)| {
                        cell.map(|cell| (name.clone(), cell.text.to_owned(), cell.numeric))
                    })
                    .collect();
                cells.sort();
                let before = rows.insert(row.number, (cells, row.fingerprint));
                assert!(before.is_none(), "two rows of one number");
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(Told {
        columns: names,
        rows,
        decoding,
    })
}

/// Reads `first`, knows the rows of it that `keep` picks, and reads `second` with and without that.
///
/// # Panics
/// The rows that are not known are others with than without.
pub fn compare(adapter: &Adapter, first: &[u8], second: &[u8], keep: u64) {
    let nothing = BTreeSet::new();
    let Ok(before) = told(adapter, first, &nothing, &[]) else {
        return;
    };
    let known: BTreeSet<u64> = (before.rows.values().map(|(_, print)| *print))
        .filter(|print| print % 8 <= keep % 8)
        .collect();
    let Ok(whole) = told(adapter, second, &nothing, &[]) else {
        return;
    };
    // Refused with rows left out: whoever pulls reads the file in full then, and hears what that says.
    let Ok(sieved) = told(adapter, second, &known, &before.columns) else {
        return;
    };
    assert_eq!(sieved.decoding.rows, whole.decoding.rows);
    assert_eq!(
        sieved.decoding.known,
        (whole.rows.len() - sieved.rows.len()) as u64
    );
    let meant: BTreeSet<&Vec<_>> = (before.rows.values())
        .filter(|(_, print)| known.contains(print))
        .map(|(cells, _)| cells)
        .collect();
    for (number, (cells, _)) in &whole.rows {
        match sieved.rows.get(number) {
            Some((same, _)) => assert_eq!(same, cells),
            None => assert!(meant.contains(cells), "left out, but not known"),
        }
    }
}

/// In memory where the machine has such a folder: a run is a thousandth of a second.
fn spool() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    let folder = if shared.is_dir() {
        shared
    } else {
        std::env::temp_dir()
    };
    folder.join(format!("yingbao-fuzz-{}", std::process::id()))
}
