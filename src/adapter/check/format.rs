//! Complaints about how an export is packed and laid out, and about its caps.

use crate::adapter::check::Complaints;
use crate::adapter::format::{Format, Sheets, Xlsx};
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
            Format::Xlsx(xlsx) => self.sheet(xlsx),
        }
    }

    fn sheet(&mut self, xlsx: &Xlsx) {
        self.heading("format.xlsx.header", &xlsx.header);
        if !matches!(xlsx.header_rows, None | Some(1 | 2)) {
            let text = "表头只能是 1 行或 2 行。处理：改为 1 或 2，或删去以使用 1";
            self.add("format.xlsx.header_rows", "YB-1309", text);
        }
        let Some(sheet) = &xlsx.sheet else {
            return;
        };
        if sheet.trim().is_empty() || sheet.matches('*').count() > 1 {
            let text = "工作表名称不能为空，通配符“*”至多一个。处理：照工作簿下方的标签填写，或删去以使用第一张可见的表";
            self.add("format.xlsx.sheet", "YB-1309", text);
        } else if xlsx.sheets == Sheets::All && !sheet.contains('*') {
            let text = "工作表名称没有“*”，只会有一张表，与 sheets = \"all\" 不合。处理：写成如 \"Sheet1*\"，或删去 sheets";
            self.add("format.xlsx.sheets", "YB-1309", text);
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
                let Some(path) = file.transport.requested_path() else {
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
            ("kept_bytes", limits.kept_bytes),
            ("merged_cells", limits.merged_cells as u64),
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
