//! Couriers: a slice of messages in, one outcome each. Whoever calls records the attempt before and the outcome after.

use crate::domain::notice::{Notice, Outcome};

pub mod dry_run;
pub mod outputs;
pub mod settings;
pub mod sms;
pub mod smtp;

/// A notice with the bytes of its attachments.
#[derive(Debug, Clone)]
pub struct Parcel<'a> {
    /// The notice.
    pub notice: &'a Notice,
    /// File names (ASCII) and bytes, in the notice's order.
    pub files: Vec<(String, Vec<u8>)>,
}

/// One way out of the house.
pub trait Courier {
    /// Sends each parcel; the answer has as many outcomes, in the same order. Never repeats a send whose end it does not know.
    fn send(&self, parcels: &[Parcel<'_>]) -> Vec<Outcome>;
}
