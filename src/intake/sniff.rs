//! What a file of unknown layout is: container, format, charset, delimiter, heading row, records — found by its bytes, then read
//! by the very decoders that a pull uses.
//!
//! Only the beginning is looked at, and only [`crate::adapter::draft::sample::ROWS`] rows are read, so that a file of any size takes about the same time.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use encoding_rs::{Encoding, GB18030, UTF_8};
use zip::ZipArchive;

use crate::adapter::draft::aliases::Aliases;
use crate::adapter::draft::heading::{self, Below};
use crate::adapter::draft::layout::{Key, Layout, Table};
use crate::adapter::draft::sample::Sample;
use crate::adapter::draft::text::pattern;
use crate::adapter::language::{Adapter, AdapterFile};
use crate::domain::batch::Unreadable;
use crate::intake::decode::decode;
use crate::intake::pattern::fits;

mod delimiter;
mod documents;
mod elements;

/// Bytes of the unpacked file that are looked at.
const HEAD_BYTES: u64 = 8 << 20;
/// Members an archive may have to be looked into.
const MEMBERS: usize = 1000;
/// Beginning of a title that no file has: the decoder then gives every line as a title.
const NO_HEADING: &str = "\u{10fffd}";
/// Code of the refusal of a layout that the adapter's language does not have.
const LACKING: &str = "YB-2194";
/// Code of the refusal by which the sink ends the reading; never shown.
const ENOUGH: &str = "enough";

/// How the structure of a format is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A table with a heading row, the cells given by the decoder.
    Table,
    /// Text with delimiters: a table whose delimiter is to be found first.
    Delimited,
    /// Elements by path.
    Elements,
    /// Documents with an array of records.
    Documents,
}

/// One format: how its bytes look, and its table in an adapter.
struct Look {
    /// Name under `[format]`.
    format: &'static str,
    /// For people.
    title: &'static str,
    looks: fn(&Head) -> bool,
    shape: Shape,
}

/// Every format that the decoders read, the most certain first. All kinds of spreadsheets are one format in an adapter: what the
/// bytes are, its decoder finds out itself.
const FORMATS: &[Look] = &[
    Look {
        format: "xlsx",
        title: "XLSX 工作簿",
        looks: |head| head.bytes.starts_with(b"PK\x03\x04") && head.is_workbook,
        shape: Shape::Table,
    },
    Look {
        format: "xlsx",
        title: "旧版 XLS 工作簿",
        looks: |head| head.bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        shape: Shape::Table,
    },
    Look {
        format: "xlsx",
        title: "XML 表格（SpreadsheetML）",
        looks: |head| {
            head.starts("<")
                && head
                    .text
                    .contains("schemas-microsoft-com:office:spreadsheet")
        },
        shape: Shape::Table,
    },
    Look {
        format: "xlsx",
        title: "网页表格（HTML）",
        looks: |head| {
            [
                "<!doctype html",
                "<html",
                "<head",
                "<body",
                "<table",
                "<meta",
            ]
            .iter()
            .any(|start| head.starts(start))
        },
        shape: Shape::Table,
    },
    Look {
        format: "xml",
        title: "XML",
        looks: |head| head.starts("<"),
        shape: Shape::Elements,
    },
    Look {
        format: "json",
        title: "JSON",
        looks: |head| head.starts("{") || head.starts("["),
        shape: Shape::Documents,
    },
    Look {
        format: "csv",
        title: "分隔文本",
        looks: |head| !head.text.is_empty() && !head.text.contains('\0'),
        shape: Shape::Delimited,
    },
];

/// The beginning of the unpacked file.
struct Head {
    bytes: Vec<u8>,
    /// A zip with the parts of a workbook.
    is_workbook: bool,
    /// As text, without BOM.
    text: String,
    /// Its charset as adapters name it; `None` for pure ASCII and for workbooks.
    charset: Option<&'static str>,
}

impl Head {
    fn starts(&self, start: &str) -> bool {
        let text = self.text.trim_start();
        text.len() >= start.len()
            && text.as_bytes()[..start.len()].eq_ignore_ascii_case(start.as_bytes())
    }
}

/// Finds out what a file is and reads the beginning of it. `name` is its name without folder; `watch` is told rows read.
///
/// # Errors
/// It is empty, of no format that this program reads, damaged, or no heading row is found.
pub fn sniff(
    path: &Path,
    name: &str,
    aliases: &Aliases,
    watch: &dyn Fn(u64),
) -> Result<Sample, Unreadable> {
    let (container, head) = open(path)?;
    if head.bytes.trim_ascii().is_empty() {
        return Err(refusal("YB-2101", "文件是空的。处理：换一份有数据的样本"));
    }
    let Some(look) = FORMATS.iter().find(|look| (look.looks)(&head)) else {
        let text = "看不出是哪种格式。处理：提供 CSV、XML、JSON 或工作簿样本";
        return Err(refusal("YB-2191", text));
    };
    let layouts = layouts(look, container.as_ref(), &head, aliases);
    let reader = Reader {
        path,
        name,
        aliases,
        watch,
    };
    let mut first = None;
    for layout in layouts {
        let read = if matches!(look.shape, Shape::Table | Shape::Delimited) {
            reader.table(&layout)
        } else {
            reader.read(layout)
        };
        match read {
            Ok(sample) => return Ok(sample),
            Err(refused) => first = Some(prefer(first, refused)),
        }
    }
    Err(first.unwrap_or_else(|| refusal("YB-2191", "文件中没有找到记录。处理：换一份有数据的样本")))
}

/// The first refusal that says something of the file; that this program lacks a key is only said for want of another.
fn prefer(first: Option<Unreadable>, next: Unreadable) -> Unreadable {
    first.filter(|first| first.code != LACKING).unwrap_or(next)
}

fn refusal(code: &'static str, text: impl Into<String>) -> Unreadable {
    Unreadable {
        code,
        text: text.into(),
    }
}

fn io_refusal(error: &std::io::Error) -> Unreadable {
    let text = format!(
        "读取文件时出错（{}）。处理：检查文件和磁盘后重试",
        error.kind()
    );
    refusal("YB-2073", text)
}

/// The layouts worth trying, the likeliest first.
fn layouts(look: &Look, container: Option<&Table>, head: &Head, aliases: &Aliases) -> Vec<Layout> {
    let of = |keys: Vec<Key>| Layout {
        container: container.cloned(),
        format: Table {
            name: format!("format.{}", look.format),
            why: format!("按内容判断为{}", look.title),
            keys,
        },
        charset: head.charset.unwrap_or_default().to_owned(),
    };
    let charset = || {
        head.charset
            .map(|charset| Key::text("charset", charset, "按内容判断；GBK、GB2312 按 GB18030 读"))
    };
    match look.shape {
        Shape::Table => vec![of(Vec::new())],
        Shape::Delimited => {
            let mut keys: Vec<Key> = charset().into_iter().collect();
            let (delimiter, title) = delimiter::find(&head.text);
            if delimiter != ',' {
                let delimiter = delimiter.to_string();
                keys.push(Key::text("delimiter", &delimiter, format!("{title}分隔")));
            }
            vec![of(keys)]
        }
        Shape::Elements => elements::find(&head.text, aliases)
            .into_iter()
            .map(|found| {
                let why = format!("样本开头有{}个；其子元素（和属性）就是列", found.count);
                let mut keys = vec![Key::text("record", &found.record, why)];
                keys.extend(charset().filter(|_| !agrees(&head.text, head.charset)));
                keys.extend(
                    found
                        .total
                        .map(|total| Key::text("total", &total, "声明的总条数，与实收不符则隔离")),
                );
                of(keys)
            })
            .collect(),
        Shape::Documents => documents::find(&head.text, aliases)
            .into_iter()
            .map(|found| {
                let mut keys = vec![Key::text("rows", &found.rows, "记录数组的位置")];
                if found.lines {
                    keys = vec![Key {
                        name: "lines",
                        value: "true".to_owned(),
                        why: "每行一条记录".to_owned(),
                    }];
                }
                keys.extend(
                    found
                        .total
                        .map(|total| Key::text("total", &total, "声明的总条数，与实收不符则隔离")),
                );
                of(keys)
            })
            .collect(),
    }
}

/// Whether an XML declaration names the charset that the content has; without one UTF-8 needs no word.
fn agrees(text: &str, charset: Option<&str>) -> bool {
    let label = text
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split("?>").next())
        .and_then(|declaration| declaration.split_once("encoding"))
        .map(|(_, after)| {
            after
                .trim_start_matches(['=', ' ', '"', '\''])
                .to_ascii_lowercase()
        });
    match (label, charset) {
        (_, None) => true,
        (None, Some(charset)) => charset == "utf-8",
        (Some(label), Some("utf-8")) => label.starts_with("utf"),
        (Some(label), Some(_)) => label.starts_with("gb"),
    }
}

/// Reads with the decoders.
struct Reader<'a> {
    path: &'a Path,
    name: &'a str,
    aliases: &'a Aliases,
    watch: &'a dyn Fn(u64),
}

impl Reader<'_> {
    /// A table: the lines first, then again from the heading row on.
    fn table(&self, layout: &Layout) -> Result<Sample, Unreadable> {
        let with = |heading: &str, why: &str| {
            let mut layout = layout.clone();
            layout.format.keys.push(Key::text("header", heading, why));
            layout
        };
        let mut lines = Sample::new(self.name, with(NO_HEADING, ""));
        let refused = self.fill(&mut lines).err();
        // No line at all: what the decoder says is what is wrong.
        if let Some(refused) = refused.filter(|_| lines.titles.is_empty()) {
            return Err(refused);
        }
        let mut first = None;
        for (heading, below) in heading::candidates(&lines.titles, self.aliases) {
            let why = "含有这个列名的一行是表头，其上是标题行";
            let plain = with(&heading, why);
            let mut further = plain.clone();
            further.format.keys.extend(match below {
                Below::Data => None,
                Below::Codes => Some(Key {
                    name: "code_row",
                    value: "true".to_owned(),
                    why: "表头下一行是列的代码".to_owned(),
                }),
                Below::Headings => Some(Key {
                    name: "header_rows",
                    value: "2".to_owned(),
                    why: "表头有两行，列名写作“上级/下级”".to_owned(),
                }),
            });
            for layout in [further, plain] {
                match self.read(layout) {
                    Ok(sample) if sample.columns.len() >= 2 => return Ok(sample),
                    Ok(_) => {}
                    Err(refused) => first = Some(prefer(first, refused)),
                }
            }
        }
        Err(first.unwrap_or_else(|| {
            let text = "前50行内看不出哪一行是表头。处理：核对样本是否有表头，或照其他适配器手写";
            refusal("YB-2192", text)
        }))
    }

    fn read(&self, layout: Layout) -> Result<Sample, Unreadable> {
        let mut sample = Sample::new(self.name, layout);
        self.fill(&mut sample)?;
        if sample.columns.is_empty() {
            let text = "文件中没有找到记录。处理：换一份有数据的样本";
            return Err(refusal("YB-2193", text));
        }
        Ok(sample)
    }

    fn fill(&self, sample: &mut Sample) -> Result<(), Unreadable> {
        let adapter = provisional(&sample.layout)?;
        let result = decode(self.path, &adapter, &mut |decoded| {
            let is_more = sample.take(decoded);
            (self.watch)(sample.rows);
            if is_more {
                Ok(())
            } else {
                Err(refusal(ENOUGH, ""))
            }
        });
        match result {
            Ok(decoding) => {
                sample.whole = true;
                sample.layout.charset = decoding.charset;
                Ok(())
            }
            Err(refused) if refused.code == ENOUGH => Ok(()),
            Err(refused) => Err(refused),
        }
    }
}

/// An adapter that only says how a file is packed and laid out.
fn provisional(layout: &Layout) -> Result<Adapter, Unreadable> {
    let text = format!(
        "department = \"-\"\ntitle = \"-\"\nbasis = \"-\"\nrecord = \"registration\"\nmode = \"snapshot\"\nas_of = \"delivery\"\n\
         [transport.folder]\nendpoint = \"-\"\npattern = \"*\"\n{}\
         [fields]\ncredit_code = {{ from = \"-\", required = true }}\n",
        layout.toml()
    );
    let unknown = || {
        let format = layout.format_name();
        let text = format!(
            "本版本不能读取{}（{format}）。处理：请提供方改用 CSV、XML、JSON 或 XLSX 导出",
            layout.format.why.trim_start_matches("按内容判断为")
        );
        refusal(LACKING, text)
    };
    let file: AdapterFile = toml::from_str(&text).map_err(|_| unknown())?;
    Adapter::check("draft", "", file).map_err(|complaints| {
        complaints.into_iter().next().map_or_else(unknown, |first| {
            refusal(
                "YB-2195",
                format!("样本的布局不能写成适配器：{}", first.text),
            )
        })
    })
}

/// Opens a file down to the export, and reads its beginning.
fn open(path: &Path) -> Result<(Option<Table>, Head), Unreadable> {
    let mut magic = Vec::new();
    file(path)?
        .take(4)
        .read_to_end(&mut magic)
        .map_err(|error| io_refusal(&error))?;
    if magic.starts_with(b"\x1f\x8b") {
        let table = Table {
            name: "container.gzip".to_owned(),
            why: "文件是 GZIP 压缩的".to_owned(),
            keys: Vec::new(),
        };
        let unpacked = flate2::read::MultiGzDecoder::new(file(path)?);
        return Ok((Some(table), head(unpacked, false)?));
    }
    if !magic.starts_with(b"PK\x03\x04") {
        return Ok((None, head(file(path)?, false)?));
    }
    let damaged = || {
        let text = "压缩包损坏或不是 ZIP 格式。处理：核对传输是否完整，请提供方重新打包";
        refusal("YB-2061", text)
    };
    let mut archive = ZipArchive::new(file(path)?).map_err(|_| damaged())?;
    if archive.len() > MEMBERS {
        let text = format!("压缩包内文件数超过{MEMBERS}个。处理：只打包约定的导出文件");
        return Err(refusal("YB-2062", text));
    }
    if archive.index_for_name("[Content_Types].xml").is_some() {
        return Ok((None, head(file(path)?, true)?));
    }
    let (at, table) = member(&mut archive)?;
    let member = archive.by_index(at).map_err(|_| damaged())?;
    let mut head = head(member, false)?;
    // A workbook in an archive: its own parts are not looked for, only the decoder opens it.
    head.is_workbook = head.bytes.starts_with(b"PK\x03\x04");
    Ok((Some(table), head))
}

fn file(path: &Path) -> Result<BufReader<File>, Unreadable> {
    File::open(path)
        .map(BufReader::new)
        .map_err(|error| io_refusal(&error))
}

/// The greatest member, and a pattern that only it fits.
fn member(archive: &mut ZipArchive<BufReader<File>>) -> Result<(usize, Table), Unreadable> {
    let mut members = Vec::new();
    for at in 0..archive.len() {
        let Ok(member) = archive.by_index_raw(at) else {
            continue;
        };
        if member.is_dir() {
            continue;
        }
        let raw = member.name_raw();
        let (name, _) = match std::str::from_utf8(raw) {
            Ok(_) => UTF_8.decode_without_bom_handling(raw),
            Err(_) => GB18030.decode_without_bom_handling(raw),
        };
        let last = name.rsplit('/').next().unwrap_or(&name).to_owned();
        members.push((member.size(), at, last));
    }
    let Some((_, at, name)) = members.iter().max_by_key(|(size, ..)| *size).cloned() else {
        let text = "压缩包内没有文件。处理：请提供方重新打包";
        return Err(refusal("YB-2063", text));
    };
    let wanted = pattern(&name);
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let is_alike = |other: &str| other.rsplit_once('.').map_or("", |(_, end)| end) == end;
    let fitting = members.iter().filter(|(.., name)| fits(&wanted, name));
    let keys = match fitting.clone().count() {
        1 if members.len() == 1 => {
            vec![Key::text(
                "member",
                &wanted,
                "包内的文件名，变化的部分写作一个 *",
            )]
        }
        1 => {
            let why = format!("包内有{}个文件，取最大的一个", members.len());
            vec![Key::text("member", &wanted, why)]
        }
        count if wanted != "*" && fitting.clone().all(|(.., name)| is_alike(name)) => vec![
            Key::text("member", &wanted, format!("包内有{count}个这样的文件")),
            Key {
                name: "several",
                value: "true".to_owned(),
                why: "按名称顺序读完全部；若只应取一个，改正 member 并删去此行".to_owned(),
            },
        ],
        _ => vec![Key::text(
            "member",
            &name,
            "包内最大的一个；每次名称会变的，请写成带一个 * 的样式",
        )],
    };
    let table = Table {
        name: "container.zip".to_owned(),
        why: "文件是 ZIP 压缩的".to_owned(),
        keys,
    };
    Ok((at, table))
}

/// The beginning of a stream. Damage further on is the decoder's to tell.
fn head(bytes: impl Read, is_workbook: bool) -> Result<Head, Unreadable> {
    let mut kept = Vec::new();
    if let Err(error) = bytes.take(HEAD_BYTES).read_to_end(&mut kept)
        && kept.is_empty()
    {
        return Err(io_refusal(&error));
    }
    let is_text = !kept.starts_with(b"PK") && !kept.starts_with(b"\xd0\xcf");
    let (text, charset) = if is_text {
        text(&kept)
    } else {
        (String::new(), None)
    };
    Ok(Head {
        bytes: kept,
        is_workbook,
        text,
        charset,
    })
}

fn text(bytes: &[u8]) -> (String, Option<&'static str>) {
    // The mark says it, an adapter need not; whether it can be read is the decoder's to say.
    if let Some((encoding, _)) = Encoding::for_bom(bytes).filter(|(encoding, _)| *encoding != UTF_8)
    {
        return (encoding.decode_with_bom_removal(bytes).0.into_owned(), None);
    }
    let plain = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // The end may cut a character in two.
    let is_utf8 = match std::str::from_utf8(plain) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    if is_utf8 {
        let text = String::from_utf8_lossy(plain).into_owned();
        let charset = (!plain.is_ascii()).then_some("utf-8");
        return (text, charset);
    }
    let (text, _) = GB18030.decode_without_bom_handling(plain);
    (text.into_owned(), Some("gb18030"))
}

#[cfg(test)]
mod tests;
