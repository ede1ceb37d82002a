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

/// Every way out of the house, by channel.
pub struct Couriers {
    live: bool,
}

impl Couriers {
    /// Builds them.
    ///
    /// # Errors
    /// A demo home with live couriers (YB-6001), a secret file that cannot be read.
    pub fn build(
        settings: &settings::CourierSettings,
        mail_from: &str,
        demo: bool,
        state: &std::path::Path,
        home: &std::path::Path,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Self, String> {
        let _ = (settings, mail_from, demo, state, home, runtime);
        todo!()
    }

    /// The courier of a channel.
    #[must_use]
    pub fn for_channel(&self, channel: crate::domain::notice::Channel) -> Option<&dyn Courier> {
        let _ = channel;
        todo!()
    }

    /// Whether anybody can be reached.
    #[must_use]
    pub const fn live(&self) -> bool {
        self.live
    }
}
