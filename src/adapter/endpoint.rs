//! Addresses by name: what `[endpoints]` in the settings holds, and adapters use by name only.

use std::path::PathBuf;

use serde::Deserialize;

/// One named address. Credentials are references to files, never values.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// A drop folder (relative to home).
    pub path: Option<PathBuf>,
    /// Base address of an HTTP interface, `https://…` (plain `http://` is warned of by `check` unless it is loopback).
    pub url: Option<String>,
    /// File with a bearer token.
    pub token_file: Option<PathBuf>,
    /// File with the only CA certificates to trust (PEM).
    pub ca_file: Option<PathBuf>,
}
