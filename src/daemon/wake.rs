//! tokio-cron-scheduler as the wake-up source: it only pokes; losing or doubling a poke is harmless, `plan` decides.
//!
//! The library drops what its channels cannot hold, never recovers from concurrent adding, deletes a job without a next
//! occurrence in silence, and lets a job that panics die. So: wide channels, jobs added one after another and looked at
//! afterwards, a job body that only pokes, and a new scheduler after any error.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::config::cron::{self, CronLine};

/// How often a scheduler is built before the safety interval is left to wake alone.
const TRIES: u32 = 3;

/// Least size of the library's channels.
const LEAST_CHANNEL: usize = 1024;

/// Why no scheduler could be built.
#[derive(Debug, thiserror::Error)]
pub enum WakeError {
    /// The library said no, and no more.
    #[error("the scheduler failed: {0:?}")]
    Scheduler(#[from] JobSchedulerError),
    /// A line was taken but would never wake.
    #[error("the cron line {0:?} has no next occurrence")]
    Never(String),
    /// UTC+8 is no offset: cannot happen.
    #[error("no zone")]
    NoZone,
}

/// A running scheduler.
pub struct Wake {
    scheduler: JobScheduler,
}

impl Wake {
    /// Pokes `poke` whenever one of the lines (five fields, Asia/Shanghai) occurs, within a second. Needs a multi-thread runtime.
    ///
    /// # Errors
    /// No scheduler could be built, several times over.
    pub async fn start(lines: &[String], poke: &Arc<Notify>) -> Result<Self, WakeError> {
        let mut tried = 0;
        loop {
            match Self::build(lines, poke).await {
                Ok(wake) => return Ok(wake),
                Err(error) if tried + 1 < TRIES => {
                    tried += 1;
                    tracing::warn!(%error, tried, "building the scheduler again");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn build(lines: &[String], poke: &Arc<Notify>) -> Result<Self, WakeError> {
        let lines: BTreeSet<String> = lines
            .iter()
            .map(|line| CronLine::with_seconds(line))
            .collect();
        let zone = cron::zone().ok_or(WakeError::NoZone)?;
        let channel = LEAST_CHANNEL.max(4 * lines.len());
        let mut wake = Self {
            scheduler: JobScheduler::new_with_channel_size(channel).await?,
        };
        match wake.fill(&lines, zone, poke).await {
            Ok(()) => Ok(wake),
            Err(error) => {
                wake.stop().await;
                Err(error)
            }
        }
    }

    async fn fill(
        &mut self,
        lines: &BTreeSet<String>,
        zone: chrono::FixedOffset,
        poke: &Arc<Notify>,
    ) -> Result<(), WakeError> {
        for line in lines {
            let poke = Arc::clone(poke);
            let job = Job::new_async_tz(line.as_str(), zone, move |_, _| {
                let poke = Arc::clone(&poke);
                Box::pin(async move { poke.notify_one() })
            })?;
            let id = self.scheduler.add(job).await?;
            if self.scheduler.next_tick_for_job(id).await?.is_none() {
                return Err(WakeError::Never(line.clone()));
            }
        }
        self.scheduler.start().await?;
        Ok(())
    }

    /// Pokes no more.
    pub async fn stop(mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::warn!(?error, "the scheduler did not stop cleanly");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn lines_are_taken_and_impossible_ones_are_not() {
        let poke = Arc::new(Notify::new());
        let lines: Vec<String> = (0..60)
            .map(|minute| format!("{minute} 8 * * *"))
            .chain(["30 8 * * *".to_owned()])
            .collect();
        let wake = Wake::start(&lines, &poke).await.expect("good lines");
        wake.stop().await;
        let error = Wake::build(&["0 8 31 2 *".to_owned()], &poke).await.err();
        assert!(matches!(error, Some(WakeError::Never(_))), "{error:?}");
        let error = Wake::build(&["x".to_owned()], &poke).await.err();
        assert!(matches!(error, Some(WakeError::Scheduler(_))), "{error:?}");
    }

    /// The one test that waits for real time, at most two seconds: whether the library wakes anybody can not be seen otherwise.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_line_that_occurs_pokes() {
        let poke = Arc::new(Notify::new());
        let mut wake = Wake {
            scheduler: JobScheduler::new_with_channel_size(LEAST_CHANNEL)
                .await
                .expect("a scheduler"),
        };
        let every_second = BTreeSet::from(["* * * * * *".to_owned()]);
        let zone = cron::zone().expect("UTC+8");
        wake.fill(&every_second, zone, &poke).await.expect("taken");
        let woken = tokio::time::timeout(Duration::from_secs(20), poke.notified()).await;
        assert!(woken.is_ok(), "no poke came");
        wake.stop().await;
    }
}
