//! The nouns of the work and their rules. Pure: no clock, randomness, files, store, logger, async.
pub mod batch;
pub mod bulletin;
pub mod case;
pub mod event;
pub mod finding;
pub mod notice;
pub mod record;
pub mod unit;
