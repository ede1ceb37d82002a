//! From bytes to rows: fetching an export, opening its container, reading its format.
pub mod decode;
pub mod fetch;
pub mod pattern;
pub mod sniff;
