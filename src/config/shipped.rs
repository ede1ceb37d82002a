//! The configuration, adapters and schedules as shipped, embedded in the binary.

/// Path below home → content.
pub const FILES: &[(&str, &str)] = &[];
