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
    /// XLSX workbook.
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

/// XLSX workbook.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Xlsx {
    /// Name of the sheet; the first visible one unless given.
    pub sheet: Option<String>,
    /// The row that holds this heading is the header; what stands above it is a title.
    pub header: String,
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
