//! Where a department's export comes from.

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

    /// The path that is asked for, which is then the file's name; `None` where files have names of their own.
    #[must_use]
    pub fn requested_path(&self) -> Option<&str> {
        match self {
            Self::Folder(_) => None,
            Self::Http(http) => Some(&http.path),
            Self::Pages(pages) => Some(&pages.path),
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
