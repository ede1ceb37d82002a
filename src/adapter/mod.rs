//! The language of adapters: how an export is fetched and laid out, what its columns mean, what is expected of it.
pub mod cell;
pub mod check;
pub mod draft;
pub mod endpoint;
pub mod format;
pub mod guard;
pub mod language;
pub mod limits;
pub mod mapping;
pub mod reading;
pub mod row;
pub mod transport;
