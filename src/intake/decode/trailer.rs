//! The line that says how many rows a file has.

use crate::adapter::row::Cell;
use crate::domain::batch::Unreadable;
use crate::domain::text::fold;
use crate::intake::decode::unreadable;

/// Looks out for the line that an adapter says is there.
pub struct Trailer {
    /// What its first cell begins with, folded; `None` when the file has no such line.
    label: Option<String>,
    total: Option<u64>,
    /// It stood below the rows, so that nothing may follow.
    is_last: bool,
}

impl Trailer {
    /// A line whose first cell begins with `label`.
    pub fn new(label: Option<&str>) -> Self {
        Self {
            label: label.map(fold),
            total: None,
            is_last: false,
        }
    }

    /// Whether the line is no row but the one that is looked for. Among the titles (`in_rows` is not set) it counts as
    /// well, and is a title too.
    pub fn take(
        &mut self,
        number: u64,
        cells: &[(usize, Cell)],
        in_rows: bool,
    ) -> Result<bool, Unreadable> {
        let Some(label) = &self.label else {
            return Ok(false);
        };
        let mut texts = cells
            .iter()
            .map(|(_, cell)| fold(&cell.text))
            .filter(|text| !text.is_empty());
        let Some(first) = texts.next() else {
            return Ok(false);
        };
        let Some(rest) = first.strip_prefix(label.as_str()) else {
            if self.is_last {
                return Err(refusal(&format!(
                    "第 {number} 行在“{label}”行之后，文件可能是几份接在一起的"
                )));
            }
            return Ok(false);
        };
        let figure = std::iter::once(rest.to_owned())
            .chain(texts)
            .find_map(|text| figure(&text))
            .ok_or_else(|| refusal(&format!("第 {number} 行“{label}”之后没有数")))?;
        if self.total.replace(figure).is_some() {
            return Err(refusal(&format!("“{label}”出现了两次（第 {number} 行）")));
        }
        self.is_last = in_rows;
        Ok(in_rows)
    }

    /// Whether it stood below the rows, so that nothing may follow.
    pub fn is_behind(&self) -> bool {
        self.is_last
    }

    /// The file has ended: the total it declared. A file without the line was cut off.
    pub fn finish(&self) -> Result<Option<u64>, Unreadable> {
        match (&self.label, self.total) {
            (Some(label), None) => Err(refusal(&format!(
                "没有“{label}”行，文件可能不完整，只写了一部分"
            ))),
            (_, total) => Ok(total),
        }
    }
}

/// The first number in a text: `:1,234条` is 1234.
fn figure(text: &str) -> Option<u64> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let digits: String = text[start..]
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',')
        .filter(|c| *c != ',')
        .collect();
    digits.parse().ok()
}

fn refusal(what: &str) -> Unreadable {
    unreadable(
        "YB-2128",
        format!("{what}。处理：核对传输是否完整，请提供方重新导出；约定有变时改正适配文件 trailer"),
    )
}
