//! The only reader of the wall clock.

use jiff::Timestamp;

/// Real time, or a simulated one that starts somewhere and runs at some speed.
#[derive(Debug, Clone)]
pub struct Clock {
    simulated: Option<Simulated>,
}

#[derive(Debug, Clone)]
struct Simulated {
    start: Timestamp,
    speed: f64,
    began: std::time::Instant,
}

impl Clock {
    /// The wall clock.
    #[must_use]
    pub const fn real() -> Self {
        Self { simulated: None }
    }

    /// A clock that shows `start` now and runs `speed` times as fast.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    pub fn simulated(start: Timestamp, speed: f64) -> Self {
        Self {
            simulated: Some(Simulated {
                start,
                speed,
                began: std::time::Instant::now(),
            }),
        }
    }

    /// What it shows, to the second.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    pub fn now(&self) -> Timestamp {
        let now = match &self.simulated {
            None => Timestamp::now(),
            Some(simulated) => {
                let passed = simulated.began.elapsed().as_secs_f64() * simulated.speed;
                simulated
                    .start
                    .checked_add(
                        jiff::SignedDuration::try_from_secs_f64(passed).unwrap_or_default(),
                    )
                    .unwrap_or(Timestamp::MAX)
            }
        };
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// Simulated seconds per second; 1 for the wall clock.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.simulated
            .as_ref()
            .map_or(1.0, |simulated| simulated.speed)
    }
}
