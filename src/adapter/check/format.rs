//! Complaints about how an export is packed and laid out, and about its caps.

use crate::adapter::check::Complaints;
use crate::adapter::format::Format;
use crate::adapter::language::{AdapterFile, AsOf};
use crate::adapter::limits::Limits;

impl Complaints {
    pub(super) fn pointer(&mut self, key: &str, pointer: &str) {
        if !(pointer.is_empty() || pointer.starts_with('/')) {
            self.add(
                key,
                "YB-1308",
                format!("“{pointer}”不是 JSON 指针。处理：写作 \"/data/list\"，整个文档写作 \"\""),
            );
        }
    }

    fn element_path(&mut self, key: &str, path: &str) {
        if path.is_empty() || path.split('/').any(|name| name.trim().is_empty()) {
            self.add(
                key,
                "YB-1308",
                format!("“{path}”不是元素路径。处理：从根元素写起，如 \"DATA/ROWS/ROW\""),
            );
        }
    }

    pub(super) fn format(&mut self, format: &Format) {
        match format {
            Format::Xml(xml) => {
                self.element_path("format.xml.record", &xml.record);
                if let Some(total) = &xml.total {
                    self.element_path("format.xml.total", total);
                }
            }
            Format::Csv(csv) => {
                self.heading("format.csv.header", &csv.header);
                if csv.delimiter.is_some_and(|c| {
                    !c.is_ascii() || c.is_ascii_alphanumeric() || "\"\r\n".contains(c)
                }) {
                    let text = "分隔符应为逗号、分号、竖线或制表符等单个半角符号。处理：改正，或删去以使用逗号";
                    self.add("format.csv.delimiter", "YB-1304", text);
                }
            }
            Format::Json(json) => {
                self.pointer("format.json.rows", &json.rows);
                if let Some(total) = &json.total {
                    self.pointer("format.json.total", total);
                }
            }
            Format::Xlsx(xlsx) => self.heading("format.xlsx.header", &xlsx.header),
        }
    }

    pub(super) fn as_of(&mut self, file: &AdapterFile) {
        match &file.as_of {
            AsOf::Column(heading) => self.heading("as_of.column", heading),
            AsOf::Month(heading) => self.heading("as_of.month", heading),
            AsOf::Title(label) => {
                self.heading("as_of.title", label);
                if matches!(file.format, Format::Xml(_) | Format::Json(_)) {
                    let text = "只有 CSV 和 XLSX 有表头以上的标题行。处理：改用 column、month、file_name 或 delivery";
                    self.add("as_of.title", "YB-1305", text);
                }
            }
            AsOf::FileName => {
                let Some(path) = file.transport.requested_name() else {
                    return;
                };
                if !(path.contains("{period}") || path.contains("{day}")) {
                    let text = "接口路径中没有 {period} 或 {day}，从名称得不到日期。处理：改用 column、title、month 或 delivery";
                    self.add("as_of", "YB-1305", text);
                }
            }
            AsOf::Delivery => {}
        }
    }

    pub(super) fn limits(&mut self, limits: &Limits) {
        let values = [
            ("file_bytes", limits.file_bytes),
            ("unpacked_bytes", limits.unpacked_bytes),
            ("ratio", limits.ratio),
            ("rows", limits.rows),
            ("columns", limits.columns as u64),
            ("cell_bytes", limits.cell_bytes as u64),
            ("depth", limits.depth as u64),
            ("pages", u64::from(limits.pages)),
            ("page_bytes", limits.page_bytes as u64),
            ("fetch_seconds", u64::from(limits.fetch_seconds)),
        ];
        for (name, value) in values {
            if value == 0 {
                self.add(
                    format!("limits.{name}"),
                    "YB-1343",
                    "上限为0则什么也读不了。处理：写一个大于0的上限，或删去以使用默认值",
                );
            }
        }
    }
}
