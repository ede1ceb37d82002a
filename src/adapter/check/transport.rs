//! Complaints about where an export comes from.

use crate::adapter::check::Complaints;
use crate::adapter::format::{Container, Format};
use crate::adapter::language::AdapterFile;
use crate::adapter::transport::Transport;

impl Complaints {
    pub(super) fn transport(&mut self, file: &AdapterFile) {
        if file.transport.endpoint().trim().is_empty() {
            let key = format!("transport.{}.endpoint", transport_name(&file.transport));
            self.add(
                key,
                "YB-1302",
                "不能为空。处理：写上设置文件 [endpoints] 中的名称",
            );
        }
        match &file.transport {
            Transport::Folder(folder) => {
                self.pattern("transport.folder.pattern", &folder.pattern);
                if let Some(marker) = &folder.marker
                    && (marker.is_empty() || marker.contains(['*', '/', '\\']))
                {
                    let text = "完成标记是加在文件名后的后缀。处理：写作 \".ok\"";
                    self.add("transport.folder.marker", "YB-1304", text);
                }
            }
            Transport::Http(http) => self.path("transport.http.path", &http.path),
            Transport::Pages(pages) => {
                self.path("transport.pages.path", &pages.path);
                self.pointer("transport.pages.success", &pages.success);
                self.pointer("transport.pages.total", &pages.total);
                self.pointer("transport.pages.rows", &pages.rows);
                for (key, text) in [("page", &pages.page), ("size", &pages.size)] {
                    if text.is_empty() {
                        let key = format!("transport.pages.{key}");
                        self.add(key, "YB-1302", "不能为空。处理：填写分页参数的名称");
                    }
                }
                if pages.page == pages.size {
                    let text = "页码与每页行数不能是同一个参数。处理：分别填写";
                    self.add("transport.pages.size", "YB-1304", text);
                }
                if !(1..=10_000).contains(&pages.per_page) {
                    let text = "每页行数应在1至10000之间。处理：按接口文档填写";
                    self.add("transport.pages.per_page", "YB-1304", text);
                }
                self.pages_format(file);
            }
        }
        if let Some(Container::Zip { member, .. }) = &file.container {
            self.pattern("container.zip.member", member);
        }
    }

    fn pages_format(&mut self, file: &AdapterFile) {
        if !matches!(file.format, Format::Json(_)) {
            self.add(
                "format",
                "YB-1305",
                "分页接口（transport.pages）只能配 format.json。处理：改用 [format.json]",
            );
        }
        if file.container.is_some() {
            let text = "分页接口的数据没有压缩包。处理：删去 [container]";
            self.add("container", "YB-1305", text);
        }
    }

    pub(super) fn pattern(&mut self, key: &str, pattern: &str) {
        if pattern.matches('*').count() > 1 {
            self.add(
                key,
                "YB-1306",
                format!("“{pattern}”中有不止一个 *。处理：至多用一个 * 代表变化的部分"),
            );
        }
        if pattern.is_empty() || pattern.contains(['/', '\\', '?', '[']) || pattern.contains("..") {
            self.add(
                key,
                "YB-1306",
                format!(
                    "“{pattern}”不是文件名样式。处理：只写文件名，变化的部分用一个 *，如 scjg_*.zip"
                ),
            );
        }
    }

    fn path(&mut self, key: &str, path: &str) {
        if !path.starts_with('/') || path.contains("://") || path.contains("..") {
            self.add(
                key,
                "YB-1307",
                format!(
                    "“{path}”应为以 / 开头的路径。处理：主机和端口写在设置文件的 [endpoints] 中"
                ),
            );
        }
        let rest = path.replace("{period}", "").replace("{day}", "");
        if rest.contains(['{', '}']) {
            self.add(
                key,
                "YB-1307",
                format!("“{path}”中有不认识的占位符。处理：只能用 {{period}}（上一整月，如202602）和 {{day}}（当日，如20260302）"),
            );
        }
    }
}

const fn transport_name(transport: &Transport) -> &'static str {
    match transport {
        Transport::Folder(_) => "folder",
        Transport::Http(_) => "http",
        Transport::Pages(_) => "pages",
    }
}
