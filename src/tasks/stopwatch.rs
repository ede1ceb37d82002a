//! Seconds by stage, for people only: nothing is decided by them.

use std::collections::BTreeMap;
use std::time::Instant;

/// Runs from its making.
#[derive(Debug)]
pub struct Stopwatch {
    last: Instant,
    stages: BTreeMap<String, f64>,
}

impl Stopwatch {
    /// Starts it.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "a duration that is shown to people"
    )]
    pub fn start() -> Self {
        Self {
            last: Instant::now(),
            stages: BTreeMap::new(),
        }
    }

    /// Ends a stage.
    #[allow(
        clippy::disallowed_methods,
        reason = "a duration that is shown to people"
    )]
    pub fn lap(&mut self, stage: &str) {
        let now = Instant::now();
        let seconds = (now - self.last).as_secs_f64();
        self.last = now;
        *self.stages.entry(stage.to_owned()).or_default() += (seconds * 1e6).round() / 1e6;
    }

    /// The stages with their seconds.
    #[must_use]
    pub fn stages(self) -> BTreeMap<String, f64> {
        self.stages
    }
}
