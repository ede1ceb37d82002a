//! tokio-cron-scheduler as the wake-up source: it only pokes; losing or doubling a poke is harmless, `plan` decides.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// Its channel loses pokes when it is small; this is far above what a house has in jobs.
const CHANNEL: usize = 1024;

/// Starts a scheduler that pokes at every cron line (five fields, Asia/Shanghai). Lines are added one after another: the
/// scheduler breaks when they are added at once. Each line is asked for its next tick afterwards; one without is an error.
///
/// # Errors
/// The scheduler refuses a line or lost it.
pub async fn start(
    cron_lines: &[String],
    poke: Arc<Notify>,
) -> Result<JobScheduler, JobSchedulerError> {
    let mut lines: Vec<&String> = cron_lines.iter().collect();
    lines.sort();
    lines.dedup();
    let mut scheduler = JobScheduler::new_with_channel_size(CHANNEL.max(lines.len() * 4)).await?;
    let zone = chrono::FixedOffset::east_opt(8 * 3600).ok_or(JobSchedulerError::CantInit)?;
    for line in lines {
        let poke = Arc::clone(&poke);
        let job = Job::new_async_tz(format!("0 {line}"), zone, move |_, _| {
            let poke = Arc::clone(&poke);
            Box::pin(async move { poke.notify_one() })
        })?;
        let id = scheduler.add(job).await?;
        if scheduler.next_tick_for_job(id).await?.is_none() {
            return Err(JobSchedulerError::CantAdd);
        }
    }
    scheduler.start().await?;
    Ok(scheduler)
}
