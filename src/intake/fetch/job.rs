//! An export that is made on request. What was asked is written down before anything else is done, so that a restart goes on
//! waiting and never asks twice.

use jiff::SignedDuration;
use reqwest::{StatusCode, Url};
use serde_json::Value;

use crate::adapter::transport::job::{Download as Place, Job};
use crate::adapter::transport::request::Method;
use crate::intake::fetch::answer::{self, is_word, pointed, shortened, text};
use crate::intake::fetch::client::{Asking, Content, Session};
use crate::intake::fetch::download::{Download, download};
use crate::intake::fetch::notes::{Asked, Failures, Notes};
use crate::intake::fetch::{Errand, Fetched, Unfetched, filled};

/// Failures of the same export on one day, after which it is not asked for again that day.
const FAILURES: u32 = 3;

/// Answers that have something to say about a job: done, begun, under way.
const HEARD: [StatusCode; 3] = [StatusCode::OK, StatusCode::CREATED, StatusCode::ACCEPTED];

/// Longest job number, characters.
const ID_CHARS: usize = 200;

/// Fetches the export: asks for it unless that was done, waits, downloads.
pub fn fetch(errand: &Errand<'_>, job: &Job) -> Result<Fetched, Unfetched> {
    let session = Session::open(errand)?;
    let name = errand
        .adapter
        .transport
        .requested_name()
        .map(|name| filled(&name, errand.today))
        .unwrap_or_default();
    session.run(async {
        let mut errands = Round {
            session: &session,
            job,
            notes: Notes::read(errand.notes, &errand.adapter.name),
            name,
        };
        errands.fetch().await
    })
}

/// One pull.
struct Round<'r, 'e> {
    session: &'r Session<'e>,
    job: &'r Job,
    notes: Notes,
    name: String,
}

impl Round<'_, '_> {
    async fn fetch(&mut self) -> Result<Fetched, Unfetched> {
        let errand = self.session.errand;
        let asking = self.session.asking(
            self.job.ask.request(),
            &|text| filled(text, errand.today),
            &[],
        )?;
        let question = question(&asking);
        if let Some(asked) = &self.notes.job
            && let Some(digest) = &asked.digest
            && (errand.taken)(&asked.name, digest)
        {
            self.forget()?;
        }
        // Last period's export that is still under way is waited for before the next one is asked for.
        let mut asked = match self.notes.job.clone() {
            Some(asked) => asked,
            None => self.ask(&asking, &question).await?,
        };
        let age = self.session.now().duration_since(asked.at);
        if age > SignedDuration::from_hours(i64::from(self.job.poll.patience())) {
            return Err(self.give_up(
                &asked,
                "YB-2077",
                format!(
                    "导出任务{}小时后仍未就绪，已放弃。处理：下次拉取时重新申请；持续出现请联系该部门",
                    self.job.poll.patience()
                ),
            ));
        }
        let url = self.ready(&asked).await?;
        let asking = Asking {
            method: Method::Get,
            url,
            content: Content::None,
        };
        match download(self.session, &asking, &asked.name, None, self.job.mislabelled).await {
            Ok(Download::File(file)) => {
                let (fetched, _) = *file;
                if (errand.taken)(&asked.name, &fetched.digest) {
                    // Nothing new: this export has served.
                    let _ = std::fs::remove_file(&fetched.path);
                    self.forget()?;
                    return Err(Unfetched::not_yet(format!(
                        "{}尚无新数据",
                        errand.adapter.title
                    )));
                }
                // The export is kept until this file was taken in: a file that gets lost is downloaded again, not asked for again.
                asked.digest = Some(fetched.digest.clone());
                self.notes.job = Some(asked);
                let _ = self.write();
                Ok(fetched)
            }
            Ok(Download::Unchanged) => Err(Unfetched::not_yet("对方数据没有变化")),
            Err(unfetched) if unfetched.not_yet => Err(self.give_up(
                &asked,
                "YB-2077",
                "导出文件已就绪但取不到（可能已过期删除）。处理：下次拉取时重新申请；持续出现请缩短拉取间隔".to_owned(),
            )),
            Err(unfetched) => Err(unfetched),
        }
    }

    async fn ask(&mut self, asking: &Asking, question: &str) -> Result<Asked, Unfetched> {
        let today = self.session.errand.today;
        if let Some(failures) = &self.notes.failures
            && failures.question == question
            && failures.on == today
            && failures.count >= FAILURES
        {
            return Err(Unfetched::wrong(
                "YB-2079",
                format!("导出任务今天已失败{FAILURES}次，今天不再申请。处理：联系该部门核对"),
            ));
        }
        // A folder that can not be written must show before the department starts to work, not after.
        self.write()?;
        let response = self.session.send(asking, &HEARD, true).await?;
        let body = self
            .session
            .body(response, "申请导出的应答")
            .await
            .map_err(|trouble| trouble.unfetched)?;
        let document = document(&body)?;
        let ask = &self.job.ask;
        if let (Some(success), Some(words)) = (&ask.success, &ask.success_is) {
            let code = pointed(&document, success);
            if !is_word(words, &code) {
                return Err(Unfetched::wrong(
                    "YB-2074",
                    format!(
                        "申请导出未成功，结果码“{}”{}。处理：核对授权和参数，联系该部门",
                        shortened(&code),
                        message(&document, ask.message.as_deref())
                    ),
                ));
            }
        }
        let id = pointed(&document, &ask.id);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:~".contains(c);
        if id.is_empty()
            || id.chars().count() > ID_CHARS
            || !id.chars().all(is_plain)
            || id.contains("..")
        {
            return Err(Unfetched::wrong(
                "YB-2059",
                "申请导出的应答中没有可用的任务编号。处理：核对适配文件 ask.id（JSON 指针）",
            ));
        }
        let asked = Asked {
            question: question.to_owned(),
            name: self.name.clone(),
            id,
            at: self.session.now(),
            digest: None,
        };
        self.notes.job = Some(asked.clone());
        self.write()?;
        Ok(asked)
    }

    /// Looks until it is ready; then where the file lies.
    async fn ready(&mut self, asked: &Asked) -> Result<Url, Unfetched> {
        let poll = &self.job.poll;
        let filled = |text: &str| text.replace("{job}", &asked.id);
        let asking = self.session.asking(poll.request(), &filled, &[])?;
        let pause = self.session.seconds(u64::from(poll.seconds()));
        for look in 0..poll.looks() {
            if look > 0 {
                if !self.session.has_time_for(pause) {
                    break;
                }
                tokio::time::sleep(pause).await;
            }
            let body = match self.session.answer(&asking, &HEARD, "导出任务的应答").await {
                Ok((_, body)) => body,
                Err(unfetched) if unfetched.not_yet => {
                    return Err(self.give_up(
                        asked,
                        "YB-2077",
                        "对方已没有这个导出任务（可能已过期）。处理：下次拉取时重新申请；持续出现请缩短拉取间隔".to_owned(),
                    ));
                }
                Err(unfetched) => return Err(unfetched),
            };
            let document = document(&body)?;
            let state = pointed(&document, &poll.state);
            if is_word(&poll.ready, &state) {
                return self.place(&asking.url, &document, asked);
            }
            if is_word(&poll.failed, &state) {
                let text = format!(
                    "导出任务失败，状态“{}”{}。处理：下次拉取时重新申请；持续出现请联系该部门",
                    shortened(&state),
                    message(&document, poll.message.as_deref())
                );
                return Err(self.give_up(asked, "YB-2075", text));
            }
            if !is_word(&poll.working, &state) {
                return Err(Unfetched::wrong(
                    "YB-2076",
                    format!(
                        "导出任务的状态“{}”不认识{}。处理：问清含义，写入适配文件 poll 的 ready、working 或 failed",
                        shortened(&state),
                        message(&document, poll.message.as_deref())
                    ),
                ));
            }
        }
        Err(Unfetched::not_yet("导出任务已申请，对方仍在生成"))
    }

    fn place(&self, from: &Url, document: &Value, asked: &Asked) -> Result<Url, Unfetched> {
        match &self.job.download {
            Place::Path(path) => self.session.below(&path.replace("{job}", &asked.id)),
            Place::Link(pointer) => {
                let link = pointed(document, pointer);
                if link.is_empty() {
                    return Err(Unfetched::wrong(
                        "YB-2078",
                        "导出已就绪，但应答中没有下载地址。处理：核对适配文件 download.link（JSON 指针）",
                    ));
                }
                self.session.followed(from, &link)
            }
        }
    }

    /// The job is forgotten; the next pull asks anew.
    fn give_up(&mut self, asked: &Asked, code: &'static str, text: String) -> Unfetched {
        let today = self.session.errand.today;
        let before = self
            .notes
            .failures
            .take()
            .filter(|failures| failures.question == asked.question && failures.on == today)
            .map_or(0, |failures| failures.count);
        self.notes.failures = Some(Failures {
            question: asked.question.clone(),
            on: today,
            count: before + 1,
        });
        self.notes.job = None;
        match self.write() {
            Ok(()) => Unfetched::wrong(code, text),
            Err(unwritten) => unwritten,
        }
    }

    fn forget(&mut self) -> Result<(), Unfetched> {
        self.notes.job = None;
        self.notes.failures = None;
        self.write()
    }

    fn write(&self) -> Result<(), Unfetched> {
        let errand: &Errand<'_> = self.session.errand;
        self.notes.write(errand.notes, &errand.adapter.name)
    }
}

/// What is asked, as a digest.
fn question(asking: &Asking) -> String {
    blake3::hash(asking.question().as_bytes())
        .to_hex()
        .to_string()
}

fn document(body: &[u8]) -> Result<Value, Unfetched> {
    serde_json::from_slice(body).map_err(|_| {
        Unfetched::wrong(
            answer::NO_JSON,
            "对方的应答不是 JSON（可能是出错页面）。处理：联系该部门核对接口",
        )
    })
}

fn message(document: &Value, pointer: Option<&str>) -> String {
    pointer
        .and_then(|pointer| document.pointer(pointer))
        .map(text)
        .filter(|message| !message.is_empty())
        .map_or_else(String::new, |message| {
            format!("，“{}”", shortened(&message))
        })
}
