//! Complaints about exports that are made on request.

use crate::adapter::check::{self, Complaints};
use crate::adapter::transport::job::{Download, Job};
use crate::adapter::transport::request::Request;

/// Longest time between two looks, seconds.
const EVERY: u32 = 3600;

/// Most looks within one pull.
const LOOKS: u32 = 1000;

/// Longest patience, hours.
const HOURS: u32 = 24 * 31;

impl Complaints {
    pub(super) fn job(&mut self, job: &Job) {
        let ask = &job.ask;
        self.request("transport.job.ask", ask.request(), &["{period}", "{day}"]);
        self.success(
            "transport.job.ask",
            ask.success.as_deref(),
            ask.success_is.as_ref(),
        );
        let poll = &job.poll;
        self.request("transport.job.poll", poll.request(), &["{job}"]);
        for (key, pointer) in [
            ("ask.success", ask.success.as_deref()),
            ("ask.message", ask.message.as_deref()),
            ("ask.id", Some(ask.id.as_str())),
            ("poll.state", Some(poll.state.as_str())),
            ("poll.message", poll.message.as_deref()),
        ] {
            if let Some(pointer) = pointer {
                self.pointer(&format!("transport.job.{key}"), pointer);
            }
        }
        let mut used: Vec<&str> = Vec::new();
        for (key, words) in [
            ("ready", &poll.ready),
            ("working", &poll.working),
            ("failed", &poll.failed),
        ] {
            let key = format!("transport.job.poll.{key}");
            self.words(&key, words);
            for word in words.list() {
                if used.contains(&word.as_str()) {
                    let text = format!(
                        "状态“{word}”写了两遍。处理：每个状态只归入 ready、working、failed 之一"
                    );
                    self.add(&key, check::VALUE, text);
                }
                used.push(word);
            }
        }
        if !says_job(poll.request()) {
            let text = "查询请求中没有 {job}，不知道问的是哪个任务。处理：在 path 或 parameters 中写 {job}";
            self.add("transport.job.poll.path", check::INCOMPLETE, text);
        }
        for (key, value, most) in [
            ("every", poll.every, EVERY),
            ("at_most", poll.at_most, LOOKS),
            ("hours", poll.hours, HOURS),
        ] {
            if value.is_some_and(|value| value == 0 || value > most) {
                let text = format!("应在1至{most}之间。处理：改正或删去");
                self.add(format!("transport.job.poll.{key}"), check::VALUE, text);
            }
        }
        match &job.download {
            Download::Path(path) => {
                self.path_with("transport.job.download.path", path, &["{job}"]);
            }
            Download::Link(pointer) => self.pointer("transport.job.download.link", pointer),
        }
    }
}

fn says_job(request: Request<'_>) -> bool {
    request.path.contains("{job}")
        || request
            .parameters
            .values()
            .flat_map(crate::adapter::transport::request::Parameter::texts)
            .any(|text| text.contains("{job}"))
}
