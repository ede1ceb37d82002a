//! What a synthetic city is made from.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// How dirty the departments write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dirt {
    /// Every cell as agreed.
    None,
    /// Everyday dirt: at least one row in twenty is touched.
    Default,
    /// Three times as much.
    Heavy,
}

impl Dirt {
    /// How many times the everyday amount.
    #[must_use]
    pub const fn factor(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Default => 1,
            Self::Heavy => 3,
        }
    }
}

/// The whole input of a city: equal options make equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Firms at the start; more are founded later.
    pub enterprises: u32,
    /// The seed.
    pub seed: u64,
    /// The first day of the run.
    pub start: Date,
    /// Calendar days the run lasts: incidents are placed by it.
    pub days: u32,
    /// How dirty the departments write.
    pub dirt: Dirt,
}
