//! tokio-cron-scheduler as the wake-up source: it only pokes; losing or doubling a poke is harmless, `plan` decides.
