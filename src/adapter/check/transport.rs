//! Complaints about where an export comes from.

use crate::adapter::check::{self, Complaints};
use crate::adapter::format::{Container, Format};
use crate::adapter::language::AdapterFile;
use crate::adapter::transport::{Pickup, Transport};

impl Complaints {
    pub(super) fn transport(&mut self, file: &AdapterFile) {
        if file.transport.endpoint().trim().is_empty() {
            let key = format!("transport.{}.endpoint", file.transport.kind());
            self.add(
                key,
                check::EMPTY,
                "不能为空。处理：写上设置文件 [endpoints] 中的名称",
            );
        }
        match &file.transport {
            Transport::Folder(_) => {}
            Transport::Sftp(remote) | Transport::Ftp(remote) => {
                self.remote_path(file.transport.kind(), &remote.path);
            }
            Transport::Command(command) => {
                self.arguments(&command.arguments);
                self.command_format(file);
            }
            Transport::Http(http) => self.path("transport.http.path", &http.path),
            Transport::Pages(pages) => {
                self.pages(pages);
                self.pages_format(file);
            }
            Transport::Job(job) => self.job(job),
        }
        if let Some(pickup) = file.transport.pickup() {
            self.pickup(file.transport.kind(), pickup);
        }
        if let Some(Container::Zip { member, .. }) = &file.container {
            self.pattern("container.zip.member", member);
        }
    }

    /// What every kind of folder has in common.
    fn pickup(&mut self, kind: &str, pickup: Pickup<'_>) {
        let key = |part: &str| format!("transport.{kind}.{part}");
        self.pattern(&key("pattern"), pickup.pattern);
        if let Some(marker) = pickup.marker
            && (marker.is_empty() || marker.contains(['*', '/', '\\']))
        {
            let text = "完成标记是加在文件名后的后缀。处理：写作 \".ok\"";
            self.add(key("marker"), check::VALUE, text);
        }
        if let Some(done) = pickup.done
            && (done.trim().is_empty()
                || done == "."
                || done == ".."
                || done.contains(['*', '/', '\\'])
                || done.chars().any(char::is_control))
        {
            let text = "不是目录名。处理：写接收目录下的一个目录名，如 \"done\"";
            self.add(key("done"), "YB-1380", text);
        }
        if pickup.depth > 8 {
            let text = "子目录最多看 8 层。处理：按对方的目录结构填写，不用子目录时删去";
            self.add(key("depth"), "YB-1381", text);
        }
        if pickup.settle_ms > 60_000 {
            let text = "两次查看之间最多隔 60000 毫秒。处理：一般用 2000";
            self.add(key("settle_ms"), "YB-1381", text);
        }
    }

    fn remote_path(&mut self, kind: &str, path: &str) {
        let is_wrong = path.contains("://")
            || path.contains('\\')
            || path.split('/').any(|part| part == "..")
            || path.chars().any(char::is_control);
        if is_wrong {
            let text =
                "不是服务器上的目录。处理：用 / 分隔，如 /out 或 out，主机写在 [endpoints] 中";
            self.add(format!("transport.{kind}.path"), check::PATH, text);
        }
    }

    fn arguments(&mut self, arguments: &[String]) {
        if arguments.len() > 64 || arguments.iter().any(|argument| argument.len() > 4096) {
            let text = "参数最多 64 个，每个最长 4096 字节。处理：减少参数，或写入程序自己的配置";
            self.add("transport.command.arguments", "YB-1382", text);
        }
        for argument in arguments {
            if argument.chars().any(char::is_control) {
                let text = "参数中有控制字符。处理：删去换行等字符";
                self.add("transport.command.arguments", "YB-1382", text);
            }
            let rest = argument.replace("{period}", "").replace("{day}", "");
            if rest.contains(['{', '}']) {
                let text = format!(
                    "“{argument}”中有不认识的占位符。处理：只能用 {{period}}（上一整月）和 {{day}}（当日）"
                );
                self.add("transport.command.arguments", check::PATH, text);
            }
        }
    }

    fn command_format(&mut self, file: &AdapterFile) {
        if !matches!(file.format, Format::Json(_)) {
            let text =
                "程序（transport.command）只能输出 JSON。处理：改用 [format.json]，每行一个 JSON";
            self.add("format", check::MISFIT, text);
        }
        if file.container.is_some() {
            let text = "程序的输出没有压缩包。处理：删去 [container]";
            self.add("container", check::MISFIT, text);
        }
    }

    fn pages_format(&mut self, file: &AdapterFile) {
        if !matches!(file.format, Format::Json(_)) {
            self.add(
                "format",
                check::MISFIT,
                "分页接口（transport.pages）只能配 format.json。处理：改用 [format.json]",
            );
        }
        if file.container.is_some() {
            let text = "分页接口的数据没有压缩包。处理：删去 [container]";
            self.add("container", check::MISFIT, text);
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

    pub(super) fn path(&mut self, key: &str, path: &str) {
        self.path_with(key, path, &["{period}", "{day}"]);
    }

    /// A path below the base address that holds no other placeholders than these.
    pub(super) fn path_with(&mut self, key: &str, path: &str, placeholders: &[&str]) {
        if !path.starts_with('/') || path.contains("://") || path.contains("..") {
            self.add(
                key,
                check::PATH,
                format!(
                    "“{path}”应为以 / 开头的路径。处理：主机和端口写在设置文件的 [endpoints] 中"
                ),
            );
        }
        self.placeholders(key, path, placeholders);
    }

    /// No other placeholders than these.
    pub(super) fn placeholders(&mut self, key: &str, text: &str, placeholders: &[&str]) {
        let rest = placeholders
            .iter()
            .fold(text.to_owned(), |rest, known| rest.replace(known, ""));
        if rest.contains(['{', '}']) {
            let known: Vec<String> = placeholders.iter().map(|known| explained(known)).collect();
            self.add(
                key,
                check::PATH,
                format!(
                    "“{text}”中有不认识的占位符。处理：只能用 {}",
                    known.join("和 ")
                ),
            );
        }
    }
}

fn explained(placeholder: &str) -> String {
    let meaning = match placeholder {
        "{period}" => "（上一整月，如202602）",
        "{day}" => "（当日，如20260302）",
        _ => "（任务编号）",
    };
    format!("{placeholder}{meaning}")
}
