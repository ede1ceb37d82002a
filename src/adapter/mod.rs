//! The language of adapters: how an export is fetched and laid out, what its columns mean, what is expected of it.
pub mod row;
pub mod source;
