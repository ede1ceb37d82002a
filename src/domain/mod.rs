//! The nouns of the work and their rules. Pure: no clock, randomness, files, store, logger, async.
pub mod batch;
pub mod record;
pub mod unit;
