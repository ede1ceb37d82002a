//! Daily snapshots of an invented registry, with the true differences: the shape of a real export — quoted commas, doubled quotes, line
//! breaks, `&` and `<`, characters outside GB2312 and outside the BMP — and not one real firm, person or number in it.
//!
//! A row is a function of its number and of how often it was changed: the same arguments give the same bytes everywhere.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use encoding_rs::GB18030;
use yingbao::domain::code::{credit_code_check, organisation_check};

/// The headings, the key first.
pub const HEADINGS: [&str; 11] = [
    "统一社会信用代码",
    "企业名称",
    "法定代表人",
    "成立日期",
    "登记状态",
    "行业代码",
    "注册资本",
    "住所",
    "登记机关",
    "联系电话",
    "从业人数",
];

/// Columns that a change may touch: every one but the key, the day of founding and the authority.
const CHANGING: [usize; 8] = [1, 2, 4, 5, 6, 7, 9, 10];

const COUNTIES: [(&str, &str); 13] = [
    ("411302", "宛城区"),
    ("411303", "卧龙区"),
    ("411321", "南召县"),
    ("411322", "方城县"),
    ("411323", "西峡县"),
    ("411324", "镇平县"),
    ("411325", "内乡县"),
    ("411326", "淅川县"),
    ("411327", "社旗县"),
    ("411328", "唐河县"),
    ("411329", "新野县"),
    ("411330", "桐柏县"),
    ("411381", "邓州市"),
];
/// Words of different meaning.
const STATES: [&str; 5] = [
    "存续（在营、开业、在册）",
    "注销",
    "吊销，未注销",
    "迁出",
    "停业",
];
const MARKS: [&str; 12] = [
    "拟甲", "拟乙", "拟丙", "拟丁", "拟戊", "拟己", "拟庚", "拟辛", "拟壬", "拟癸", "拟龖", "拟𬭎",
];
const TRADES: [&str; 8] = [
    "商贸",
    "建筑工程",
    "农业科技",
    "餐饮管理",
    "物流运输",
    "电子商务",
    "机械制造",
    "劳务服务",
];
const CODE_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Mixes a number well (splitmix64).
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

fn pick(row: u32, what: u64, of: u64) -> u64 {
    mix(u64::from(row) ^ (what << 40)) % of
}

fn chosen<T: Copy>(row: u32, what: u64, from: &[T]) -> T {
    from[usize::try_from(pick(row, what, from.len() as u64)).unwrap_or_default()]
}

/// One line of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Which enterprise.
    pub row: u32,
    /// How many of its fields were changed since its first day, one at a time.
    pub version: u32,
}

/// How much a day brings.
#[derive(Debug, Clone, Copy)]
pub struct Traffic {
    /// Rows with one other field.
    pub changed: usize,
    /// Rows that were not there.
    pub new: usize,
    /// Rows that are gone.
    pub removed: usize,
    /// Rows that stand elsewhere.
    pub moved: usize,
}

impl Traffic {
    /// Of a usual day: 0.5 % changed, 0.2 % new, 0.1 % gone, a fifth moved.
    #[must_use]
    pub const fn usual(rows: usize) -> Self {
        Self {
            changed: rows / 200,
            new: rows / 500,
            removed: rows / 1000,
            moved: rows / 5,
        }
    }
}

/// The true differences of a day: sorted keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Truth {
    /// Not there the day before.
    pub new: BTreeSet<String>,
    /// There with another content.
    pub changed: BTreeSet<String>,
    /// No longer there.
    pub removed: BTreeSet<String>,
}

/// The lines of one day, in the order of the file.
#[derive(Debug, Clone)]
pub struct Snapshot {
    lines: Vec<Line>,
    next: u32,
    day: u64,
}

impl Snapshot {
    /// The first day.
    #[must_use]
    pub fn first(rows: u32) -> Self {
        let lines = (0..rows).map(|row| Line { row, version: 0 }).collect();
        Self {
            lines,
            next: rows,
            day: 1,
        }
    }

    /// Rows of the day.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The day after, and what it brought.
    #[must_use]
    pub fn next(&self, traffic: Traffic) -> (Self, Truth) {
        let mut random = Random(mix(self.day ^ 0x00DA_7000));
        let order = random.some(
            self.lines.len(),
            traffic.changed + traffic.removed + traffic.moved,
        );
        let (changed, rest) = order.split_at(traffic.changed.min(order.len()));
        let (removed, moved) = rest.split_at(traffic.removed.min(rest.len()));
        let mut lines = self.lines.clone();
        let mut truth = Truth::default();
        for at in changed {
            lines[*at].version += 1;
            truth.changed.insert(code(lines[*at].row));
        }
        let gone: BTreeSet<usize> = removed.iter().copied().collect();
        truth.removed = gone.iter().map(|at| code(lines[*at].row)).collect();
        // The moved ones change places in a ring.
        if let [first, others @ ..] = moved {
            for at in others {
                lines.swap(*first, *at);
            }
        }
        let mut fresh: Vec<(usize, u32)> = (self.next..)
            .take(traffic.new)
            .map(|row| (random.below(lines.len() + 1), row))
            .collect();
        fresh.sort_unstable();
        truth.new = fresh.iter().map(|(_, row)| code(*row)).collect();
        let mut fresh = fresh.into_iter().peekable();
        let mut after = Vec::with_capacity(lines.len() + traffic.new);
        for (at, line) in lines.into_iter().enumerate() {
            while let Some((_, row)) = fresh.next_if(|(before, _)| *before <= at) {
                after.push(Line { row, version: 0 });
            }
            if !gone.contains(&at) {
                after.push(line);
            }
        }
        after.extend(fresh.map(|(_, row)| Line { row, version: 0 }));
        let next = self.next + u32::try_from(traffic.new).unwrap_or(u32::MAX);
        let snapshot = Self {
            lines: after,
            next,
            day: self.day + 1,
        };
        (snapshot, truth)
    }

    /// The same rows in quite another order.
    #[must_use]
    pub fn shuffled(&self) -> Self {
        let order = Random(7).some(self.lines.len(), self.lines.len());
        Self {
            lines: order.into_iter().map(|at| self.lines[at]).collect(),
            ..*self
        }
    }

    /// Writes the day as CSV.
    pub fn csv(&self, path: &Path, gb: bool) -> io::Result<()> {
        self.write(
            path,
            gb,
            &format!("{}\n", HEADINGS.join(",")),
            "",
            |cells, text| {
                for (at, cell) in cells.iter().enumerate() {
                    text.push_str(if at == 0 { "" } else { "," });
                    if cell.contains(['"', ',', '\n']) {
                        let _ = write!(text, "\"{}\"", cell.replace('"', "\"\""));
                    } else {
                        text.push_str(cell);
                    }
                }
                text.push('\n');
            },
        )
    }

    /// Writes the day as XML.
    pub fn xml(&self, path: &Path, gb: bool) -> io::Result<()> {
        let charset = if gb { "GB18030" } else { "UTF-8" };
        let head = format!("<?xml version=\"1.0\" encoding=\"{charset}\"?>\n<企业名录>\n");
        self.write(path, gb, &head, "</企业名录>\n", |cells, text| {
            text.push_str("<企业>");
            for (heading, cell) in HEADINGS.iter().zip(cells) {
                let _ = write!(text, "<{heading}>");
                for c in cell.chars() {
                    match c {
                        '&' => text.push_str("&amp;"),
                        '<' => text.push_str("&lt;"),
                        '>' => text.push_str("&gt;"),
                        c => text.push(c),
                    }
                }
                let _ = write!(text, "</{heading}>");
            }
            text.push_str("</企业>\n");
        })
    }

    /// Writes the day as JSON lines; heads are a number there.
    pub fn jsonl(&self, path: &Path) -> io::Result<()> {
        self.write(path, false, "", "", |cells, text| {
            for (at, (heading, cell)) in HEADINGS.iter().zip(cells).enumerate() {
                text.push(if at == 0 { '{' } else { ',' });
                if at == 10 {
                    let _ = write!(text, "\"{heading}\":{cell}");
                } else {
                    let _ = write!(
                        text,
                        "\"{heading}\":{}",
                        serde_json::Value::from(cell.as_str())
                    );
                }
            }
            text.push_str("}\n");
        })
    }

    fn write(
        &self,
        path: &Path,
        gb: bool,
        head: &str,
        foot: &str,
        row: impl Fn(&[String; 11], &mut String),
    ) -> io::Result<()> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let mut text = head.to_owned();
        let mut cells: [String; 11] = Default::default();
        for line in &self.lines {
            fill(*line, &mut cells);
            row(&cells, &mut text);
            put(&mut file, gb, &mut text)?;
        }
        text.push_str(foot);
        put(&mut file, gb, &mut text)?;
        file.flush()
    }
}

fn put(file: &mut impl Write, gb: bool, text: &mut String) -> io::Result<()> {
    if gb {
        file.write_all(&GB18030.encode(text).0)?;
    } else {
        file.write_all(text.as_bytes())?;
    }
    text.clear();
    Ok(())
}

/// The code of an enterprise, valid in both checks.
#[must_use]
pub fn code(row: u32) -> String {
    let mut body = *b"MA000000";
    let mut n = row as usize;
    for place in body[2..].iter_mut().rev() {
        *place = CODE_ALPHABET[n % 31];
        n /= 31;
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    let (county, _) = chosen(row, 1, &COUNTIES);
    let check = organisation_check(&body).expect("eight characters of the alphabet");
    let first_17 = format!("91{county}{body}{check}");
    let check = credit_code_check(&first_17).expect("seventeen characters of the alphabet");
    format!("{first_17}{check}")
}

fn fill(line: Line, cells: &mut [String; 11]) {
    let row = line.row;
    let (_, county) = chosen(row, 1, &COUNTIES);
    let (mark, trade) = (chosen(row, 2, &MARKS), chosen(row, 3, &TRADES));
    // How often each column was changed so far.
    let mut changes = [0_u64; 11];
    for version in 0..line.version {
        changes[chosen(row, 100 + u64::from(version), &CHANGING)] += 1;
    }
    let name = if pick(row, 4, 100) == 0 {
        format!("{county}A&B<{mark}>{trade}{row}")
    } else {
        format!("{county}{mark}{row}号{trade}有限公司")
    };
    let tail = match pick(row, 5, 100) {
        0 => "，东邻\"老街\",西邻河",
        1 => ",二楼",
        2 => "\n（一照多址）",
        _ => "",
    };
    // Most are active, which is written in two ways; a changed one steps to the next word, which always means something else.
    let state = pick(row, 6, 12).saturating_sub(7) + changes[4];
    let state = match usize::try_from(state % 5) {
        Ok(0) if row.is_multiple_of(2) => "在业",
        Ok(at) => STATES[at],
        Err(_) => STATES[0],
    };
    *cells = [
        code(row),
        format!(
            "{name}{}",
            "（变更）".repeat(usize::try_from(changes[1]).unwrap_or(1))
        ),
        format!(
            "法人{}{}",
            row % 9973,
            "甲".repeat(usize::try_from(changes[2]).unwrap_or(1))
        ),
        format!(
            "{}-{:02}-{:02}",
            1994 + pick(row, 7, 30),
            pick(row, 8, 12) + 1,
            pick(row, 9, 28) + 1
        ),
        state.to_owned(),
        format!("F{:04}", 5100 + (pick(row, 10, 400) + changes[5]) % 500),
        format!(
            "{}.{:02}",
            pick(row, 11, 500_000) + changes[6] * 1_000_000,
            pick(row, 12, 100)
        ),
        format!(
            "河南省南阳市{county}虚构街道拟定路{}号{}室{tail}{}",
            pick(row, 13, 999) + 1,
            pick(row, 14, 2400) + 101,
            "附2号".repeat(usize::try_from(changes[7]).unwrap_or(1))
        ),
        format!("南阳市{county}市场监督管理局"),
        // No such number is given to anybody.
        format!(
            "10{:09}",
            (pick(row, 15, 900_000_000) + changes[9]) % 1_000_000_000
        ),
        (pick(row, 16, 240) + 1 + changes[10]).to_string(),
    ];
}

/// Draws that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(1);
        usize::try_from(mix(self.0 << 8) % (n.max(1) as u64)).unwrap_or_default()
    }

    /// `count` different places below `n`, in any order.
    fn some(&mut self, n: usize, count: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        let count = count.min(n);
        for at in 0..count {
            let other = at + self.below(n - at);
            all.swap(at, other);
        }
        all.truncate(count);
        all
    }
}
