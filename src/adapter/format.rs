//! How an export is packed, encoded and laid out.

use serde::Deserialize;

/// How the bytes are laid out. Exactly one table under `[format]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Format {
    /// XML records.
    Xml(Xml),
    /// Delimited text.
    Csv(Csv),
    /// JSON: one document, or JSON lines of documents (as the paged transport keeps them).
    Json(Json),
    /// Spreadsheet, whatever its bytes are: XLSX, XLS, SpreadsheetML 2003, a web page or delimited text.
    Xlsx(Xlsx),
    /// Text in columns of fixed width, as mainframes write it.
    Fixed(Fixed),
}

/// XML records by element path. Names are local names: prefixes of namespaces are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Xml {
    /// Slash path of the record element from the root, such as `DATA/ROWS/ROW`. Its child elements are the columns,
    /// deeper ones joined by slashes (`OWNER/NAME`), attributes with an at sign (`@id`, `OWNER/@type`). An element that
    /// is repeated is one cell, its texts joined by `；`.
    pub record: String,
    /// Charset; without it BOM, then declaration, then as for delimited text.
    pub charset: Option<Charset>,
    /// Slash path of an element, or of an attribute (`DATA/@total`), that holds the declared number of records, when the
    /// export has one.
    pub total: Option<String>,
}

/// Delimited text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Csv {
    /// Charset; without it BOM, then UTF-8 if the whole file is valid, then GB18030 if it decodes without replacement.
    pub charset: Option<Charset>,
    /// One character, `"\t"` for tabs; a comma unless given.
    pub delimiter: Option<char>,
    /// The row that holds this heading is the header; what stands above it is a title. Of two heading rows it is in the
    /// upper one.
    pub header: String,
    /// How quotes inside a quoted value are written.
    #[serde(default)]
    pub quotes: Quotes,
    /// Rows of the header, 1 unless given. Two are joined as `上级/下级`.
    pub header_rows: Option<u8>,
    /// Whether the line under the header gives the columns' codes (`AAB001` …): it is passed over then.
    #[serde(default)]
    pub code_row: bool,
    /// What the first cell of the line begins with that says how many rows there are, such as `记录数`. The file must have
    /// one then, below its rows or among its titles.
    pub trailer: Option<String>,
}

/// How quotes inside a quoted value are written. It is never guessed: a value may end with a backslash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quotes {
    /// Twice (`""`), as spreadsheets do (RFC 4180). A backslash is just a backslash.
    #[default]
    Doubled,
    /// With a backslash (`\"`), as JT/T 1415 has it; `\\` is a backslash, and twice is understood as well.
    Backslash,
    /// Never: a quote is a character like others.
    None,
}

/// JSON documents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Json {
    /// JSON pointer of the array of records (`""` when the document is the array). A text there that holds JSON is read
    /// as that JSON. Keys of inner objects are columns joined by slashes (`owner/name`).
    #[serde(default)]
    pub rows: String,
    /// JSON pointer of the declared total, when the export has one.
    pub total: Option<String>,
    /// Every line is a document with one record, at `rows`. Without it the file is one document, or several after
    /// each other, each with an array of records.
    #[serde(default)]
    pub lines: bool,
    /// Charset; without it as for delimited text.
    pub charset: Option<Charset>,
}

/// Text in columns of fixed width.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
    /// Charset; without it as for delimited text.
    pub charset: Option<Charset>,
    /// What positions and widths count.
    #[serde(default)]
    pub unit: WidthUnit,
    /// The columns, from left to right.
    pub columns: Vec<FixedColumn>,
    /// Lines at the beginning that are titles.
    #[serde(default)]
    pub title_lines: u8,
    /// What the line begins with that says how many rows there are; as for delimited text.
    pub trailer: Option<String>,
}

/// One column of fixed width.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedColumn {
    /// Its heading: the file itself has none.
    pub heading: String,
    /// Position of its first byte or character, the first of a line 1; right behind the column before unless given.
    pub from: Option<usize>,
    /// How many bytes or characters it has.
    pub width: usize,
}

/// What positions and widths of [`Fixed`] count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WidthUnit {
    /// Bytes in the file's own charset: a hanzi has two in GBK.
    #[default]
    Bytes,
    /// Characters.
    Characters,
}

impl Fixed {
    /// Where each column begins and ends, counted from 0, in order.
    #[must_use]
    pub fn places(&self) -> Vec<(usize, usize)> {
        let mut next = 0;
        self.columns
            .iter()
            .map(|column| {
                let start = column.from.map_or(next, |from| from.saturating_sub(1));
                next = start.saturating_add(column.width);
                (start, next)
            })
            .collect()
    }
}

/// A spreadsheet. What it is, is told by its content and never by its name: clerks save the same table as XLSX
/// today and as XLS tomorrow, and many a system writes a web page or delimited text and calls it `.xls`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Xlsx {
    /// Name of the sheet, with at most one `*`; the first visible one unless given. A hidden sheet is read only when
    /// it is named whole. Web pages and delimited text have no sheets, there it is not looked at.
    pub sheet: Option<String>,
    /// How many sheets are read.
    #[serde(default)]
    pub sheets: Sheets,
    /// The row that holds this heading is the header (the upper one of two); what stands above it is a title.
    pub header: String,
    /// Rows of the header, 1 unless given. With 2 a column is called `上级/下级`.
    pub header_rows: Option<u8>,
    /// Whether the line under the header gives the columns' codes (`AAB001` …): it is passed over then.
    #[serde(default)]
    pub code_row: bool,
    /// What becomes of data cells that were merged downwards.
    #[serde(default)]
    pub merged: Merged,
    /// What becomes of hidden rows.
    #[serde(default)]
    pub hidden_rows: HiddenRows,
    /// What the line begins with that says how many rows there are, such as `合计`: the first number in it counts. It is no row, and
    /// must be there once.
    pub trailer: Option<String>,
    /// Charset of what has one: delimited text, web pages, workbooks from before Excel 97. It is for files whose own
    /// label is wrong or missing.
    pub charset: Option<Charset>,
}

/// How many sheets of a workbook are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sheets {
    /// One. Several that fit are refused.
    #[default]
    One,
    /// All that fit and can be seen, one after another, under the same headings: an export that was split at 65,536
    /// rows.
    All,
}

/// Which cells of a merged data area get its value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merged {
    /// The first, as the file stores it; the others are empty, and a warning says so.
    #[default]
    First,
    /// Every row of its first column.
    Down,
}

/// What becomes of hidden rows. A filter that was left on hides rows which are real.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HiddenRows {
    /// They are read, and a warning tells how many.
    #[default]
    Read,
    /// They are left out, and a warning tells how many.
    Skip,
    /// A hidden row refuses the file.
    Refuse,
}

/// Character sets that departments use. GBK and GB2312 are read as GB18030, their superset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Charset {
    /// UTF-8, with or without BOM.
    #[serde(rename = "utf-8")]
    Utf8,
    /// GB18030, GBK, GB2312.
    #[serde(rename = "gb18030", alias = "gbk", alias = "gb2312")]
    Gb18030,
    /// UTF-16, low byte first: what Excel saves as “Unicode 文本”. Recognised by its BOM.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, high byte first. Recognised by its BOM.
    #[serde(rename = "utf-16be")]
    Utf16Be,
}

impl Charset {
    /// Its name in adapters and outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Gb18030 => "gb18030",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }
}

/// The container around the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Container {
    /// A zip; the member that matches the pattern (at most one `*`) is the export. Names without
    /// the UTF-8 flag are read as GB18030.
    Zip {
        /// The pattern.
        member: String,
        /// All members that match are the export, read in the order of their names; they have the same headings.
        /// Without it there must be exactly one.
        #[serde(default)]
        several: bool,
    },
    /// A gzip, also of several pieces after each other.
    Gzip {},
}
