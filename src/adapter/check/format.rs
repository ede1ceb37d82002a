//! Complaints about how an export is packed and laid out, and about its caps.

use crate::adapter::check::{self, Complaints};
use crate::adapter::format::{Charset, Csv, Fixed, Format, Quotes, Sheets, WidthUnit, Xlsx};
use crate::adapter::language::{AdapterFile, AsOf, Period};
use crate::adapter::limits::{FETCH_SECONDS, Limits};
use crate::domain::record::Field;

/// The longest line of fixed width.
const FIXED_AT_MOST: usize = 1 << 20;

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
                if xml.record.contains('@') {
                    let text = "记录须是元素，不能是属性。处理：写到元素为止，如 \"DATA/ROWS/ROW\"";
                    self.add("format.xml.record", "YB-1308", text);
                }
                if let Some(total) = &xml.total {
                    self.element_path("format.xml.total", total);
                }
            }
            Format::Csv(csv) => self.csv(csv),
            Format::Json(json) => {
                self.pointer("format.json.rows", &json.rows);
                if let Some(total) = &json.total {
                    self.pointer("format.json.total", total);
                    if json.lines {
                        let text =
                            "逐行一条记录的 JSON 没有声明总数的位置。处理：删去 total 或 lines";
                        self.add("format.json.total", "YB-1308", text);
                    }
                }
            }
            Format::Fixed(fixed) => self.fixed(fixed),
            Format::Xlsx(xlsx) => self.sheet(xlsx),
        }
    }

    fn sheet(&mut self, xlsx: &Xlsx) {
        self.heading("format.xlsx.header", &xlsx.header);
        if !matches!(xlsx.header_rows, None | Some(1 | 2)) {
            let text = "表头只能是 1 行或 2 行。处理：改为 1 或 2，或删去以使用 1";
            self.add("format.xlsx.header_rows", "YB-1309", text);
        }
        self.trailer("format.xlsx.trailer", xlsx.trailer.as_deref());
        let Some(sheet) = &xlsx.sheet else {
            return;
        };
        if sheet.trim().is_empty() || sheet.matches('*').count() > 1 {
            let text = "工作表名称不能为空，通配符“*”至多一个。处理：照工作簿下方的标签填写，或删去以使用第一张可见的表";
            self.add("format.xlsx.sheet", "YB-1384", text);
        } else if xlsx.sheets == Sheets::All && !sheet.contains('*') {
            let text = "工作表名称没有“*”，只会有一张表，与 sheets = \"all\" 不合。处理：写成如 \"Sheet1*\"，或删去 sheets";
            self.add("format.xlsx.sheets", "YB-1384", text);
        }
    }

    fn csv(&mut self, csv: &Csv) {
        self.heading("format.csv.header", &csv.header);
        let unusable = |c: char| {
            !c.is_ascii()
                || c.is_ascii_alphanumeric()
                || "\"\r\n\0".contains(c)
                || (c == '\\' && csv.quotes == Quotes::Backslash)
        };
        if csv.delimiter.is_some_and(unusable) {
            let text =
                "分隔符应为逗号、分号、竖线或制表符等单个半角符号。处理：改正，或删去以使用逗号";
            self.add("format.csv.delimiter", check::VALUE, text);
        }
        if !(1..=2).contains(&csv.header_rows.unwrap_or(1)) {
            let text = "表头只能是1行或2行。处理：单行表头删去此项，两行表头写2";
            self.add("format.csv.header_rows", "YB-1309", text);
        }
        self.trailer("format.csv.trailer", csv.trailer.as_deref());
    }

    fn trailer(&mut self, key: &str, label: Option<&str>) {
        if label.is_some_and(|label| label.trim().is_empty()) {
            let text = "尾行的字样不能为空。处理：照文件末行写，如 \"记录数\"，没有尾行的删去此项";
            self.add(key, check::EMPTY, text);
        }
    }

    fn fixed(&mut self, fixed: &Fixed) {
        if fixed.columns.is_empty() {
            let text = "没有列。处理：照提供方的格式说明逐列写明 heading 和 width";
            self.add("format.fixed.columns", "YB-1383", text);
        }
        let mut end = 0;
        for (at, (column, (start, next))) in fixed.columns.iter().zip(fixed.places()).enumerate() {
            let key = format!("format.fixed.columns[{at}]");
            self.heading(&format!("{key}.heading"), &column.heading);
            if !(1..=FIXED_AT_MOST).contains(&column.width) || next > FIXED_AT_MOST {
                let text =
                    format!("列宽须大于0，一行至多{FIXED_AT_MOST}。处理：照提供方的格式说明改正");
                self.add(format!("{key}.width"), "YB-1383", text);
            }
            if column.from == Some(0) || start < end {
                let text = "位置从1数起，各列从左到右、互不重叠。处理：照提供方的格式说明改正，或删去 from";
                self.add(format!("{key}.from"), "YB-1383", text);
            }
            end = next;
        }
        let utf16 = matches!(fixed.charset, Some(Charset::Utf16Le | Charset::Utf16Be));
        if utf16 && fixed.unit == WidthUnit::Bytes {
            let text = "UTF-16 的定长文本只能按字符计宽。处理：写 unit = \"characters\"";
            self.add("format.fixed.unit", "YB-1383", text);
        }
        self.trailer("format.fixed.trailer", fixed.trailer.as_deref());
    }

    pub(super) fn as_of(&mut self, file: &AdapterFile) {
        match &file.as_of {
            AsOf::Column(heading) => self.heading("as_of.column", heading),
            AsOf::Month(heading) => self.heading("as_of.month", heading),
            AsOf::Title(label) => {
                self.heading("as_of.title", label);
                if matches!(file.format, Format::Xml(_) | Format::Json(_)) {
                    let text = "XML 和 JSON 没有表头以上的标题行。处理：改用 column、month、file_name 或 delivery";
                    self.add("as_of.title", check::MISFIT, text);
                }
            }
            AsOf::FileName => {
                let Some(path) = file.transport.requested_name() else {
                    return;
                };
                if !(path.contains("{period}") || path.contains("{day}")) {
                    let text = "接口路径中没有 {period} 或 {day}，从名称得不到日期。处理：改用 column、title、month 或 delivery";
                    self.add("as_of", check::MISFIT, text);
                }
            }
            AsOf::Delivery => {}
        }
    }

    pub(super) fn period(&mut self, file: &AdapterFile) {
        let Some(period) = &file.period else { return };
        if !file.record.fields().contains(&Field::Month) {
            let text = format!(
                "{} 类记录没有所属期。处理：删去 [period]",
                file.record.name()
            );
            self.add("period", "YB-1333", text);
        }
        if file.fields.contains_key(Field::Month.name()) {
            let text = "所属期既由列取得又由 [period] 取得。处理：二者去一";
            self.add("period", "YB-1333", text);
        }
        match period {
            Period::Title(label) => {
                self.heading("period.title", label);
                if matches!(file.format, Format::Xml(_) | Format::Json(_)) {
                    let text = "这种格式没有表头以上的标题行。处理：改用 file_name";
                    self.add("period.title", check::MISFIT, text);
                }
            }
            Period::FileName => {
                if let Some(path) = file.transport.requested_name()
                    && !(path.contains("{period}") || path.contains("{day}"))
                {
                    let text = "接口路径中没有 {period} 或 {day}，从名称得不到月份。处理：改用 title 或用列";
                    self.add("period", check::MISFIT, text);
                }
            }
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
            ("members", limits.members as u64),
            ("seconds", limits.seconds),
            ("embedded_bytes", limits.embedded_bytes),
            ("entries", limits.entries as u64),
            ("program_bytes", limits.program_bytes),
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
        if limits.fetch_seconds > FETCH_SECONDS {
            let text =
                format!("一次拉取最长{FETCH_SECONDS}秒（一天）。处理：调小，或删去以使用默认值");
            self.add("limits.fetch_seconds", check::VALUE, text);
        }
    }
}
