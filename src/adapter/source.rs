//! How a department's export is fetched and laid out: the part of an adapter that intake obeys.

use serde::Deserialize;

/// Where the export comes from. Exactly one table under `[transport]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Transport {
    /// A folder the department writes into.
    Folder(Folder),
    /// One file by HTTP GET.
    Http(Http),
    /// A paged JSON interface by HTTP GET.
    Pages(Pages),
}

impl Transport {
    /// The endpoint's name under `[endpoints]` in the settings.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        match self {
            Self::Folder(folder) => &folder.endpoint,
            Self::Http(http) => &http.endpoint,
            Self::Pages(pages) => &pages.endpoint,
        }
    }
}

/// A drop folder. Files are copied, never deleted at the source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Name of the endpoint whose `path` is the folder.
    pub endpoint: String,
    /// File name with at most one `*`, such as `scjg_*.zip`. The greatest name that is complete and not yet taken is next.
    pub pattern: String,
    /// Suffix of the companion file that says the export is complete, such as `.ok`. Without it a file
    /// counts as complete when size and digest are the same over two looks.
    pub marker: Option<String>,
}

/// One file by HTTP GET.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Name of the endpoint whose `url` is the base address.
    pub endpoint: String,
    /// Path below the base; `{period}` is the last full month as `YYYYMM`, `{day}` today as `YYYYMMDD`.
    pub path: String,
}

/// A paged JSON interface. All pages are kept as one JSON-lines file (one page per line) and archived so.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// Name of the endpoint whose `url` is the base address.
    pub endpoint: String,
    /// Path below the base; placeholders as in [`Http`].
    pub path: String,
    /// Query parameter of the page number (first page 1).
    pub page: String,
    /// Query parameter of the page size.
    pub size: String,
    /// Rows per page.
    pub per_page: u32,
    /// JSON pointer of the success code.
    pub success: String,
    /// The text of the success code (`"200"`; a number compares by its text).
    pub success_is: String,
    /// JSON pointer of the total number of rows; pages must give the same total and add up to it.
    pub total: String,
    /// JSON pointer of the array of rows.
    pub rows: String,
}

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

/// Caps on everything that comes from outside.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of the file as received.
    pub file_bytes: u64,
    /// Bytes after unpacking.
    pub unpacked_bytes: u64,
    /// Unpacked ÷ packed.
    pub ratio: u64,
    /// Rows.
    pub rows: u64,
    /// Columns.
    pub columns: usize,
    /// Bytes of one cell.
    pub cell_bytes: usize,
    /// Depth of elements or JSON values.
    pub depth: usize,
    /// Pages of one paged pull.
    pub pages: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 2 << 30,
            unpacked_bytes: 8 << 30,
            ratio: 200,
            rows: 20_000_000,
            columns: 512,
            cell_bytes: 64 << 10,
            depth: 64,
            pages: 20_000,
        }
    }
}
