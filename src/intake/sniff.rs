//! What a file of unknown layout is: container, format, charset, delimiter, heading row, records — found by its bytes, then read
//! by the very decoders that a pull uses.
//!
//! Only the beginning is looked at, and only [`crate::adapter::draft::sample::ROWS`] rows are read, so that a file of any size takes about the same time.

use std::path::Path;

use crate::adapter::draft::aliases::Aliases;
use crate::adapter::draft::heading::{self, Below};
use crate::adapter::draft::layout::{Key, Layout, Table};
use crate::adapter::draft::sample::Sample;
use crate::adapter::language::{Adapter, AdapterFile};
use crate::adapter::row::Reply;
use crate::domain::batch::Unreadable;
use crate::intake::decode::decode;
use crate::intake::sniff::opening::{Head, open};

mod delimiter;
mod documents;
mod elements;
mod opening;

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
                Ok(Reply::GoOn)
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

#[cfg(test)]
mod tests;
