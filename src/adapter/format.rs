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
}

/// XML records by element path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Xml {
    /// Slash path of the record element from the root, such as `DATA/ROWS/ROW`. Its child elements are the columns.
    pub record: String,
    /// Charset; without it BOM, then declaration, then UTF-8.
    pub charset: Option<Charset>,
    /// Slash path of an element whose text is the declared number of records, when the export has one.
    pub total: Option<String>,
}

/// Delimited text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Csv {
    /// Charset; without it BOM, then UTF-8 if valid, then GB18030 if it decodes without replacement.
    pub charset: Option<Charset>,
    /// One character; a comma unless given.
    pub delimiter: Option<char>,
    /// The row that holds this heading is the header; what stands above it is a title.
    pub header: String,
}

/// JSON documents.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Json {
    /// JSON pointer of the array of records (`""` when the document is the array).
    pub rows: String,
    /// JSON pointer of the declared total, when the export has one.
    pub total: Option<String>,
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
}

/// The container around the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Container {
    /// A zip; the one member that matches the pattern (at most one `*`) is the export. Names without
    /// the UTF-8 flag are read as GB18030.
    Zip {
        /// The pattern.
        member: String,
    },
}
