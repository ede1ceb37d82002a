//! The configuration, adapters and schedules as shipped, embedded in the binary.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Embeds a file of the repository under its path.
macro_rules! shipped {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path)))),+]
    };
}

/// Path below home → content.
pub const FILES: &[(&str, &str)] = shipped![
    "adapters/insured-roll.toml",
    "adapters/market-regulation.toml",
    "adapters/optional/express.toml",
    "adapters/optional/food.toml",
    "adapters/tax.toml",
    "adapters/transport.toml",
    "config/calendar/2025.toml",
    "config/calendar/2026.toml",
    "config/ladder.toml",
    "config/rules/finance-2015.toml",
    "config/rules/liability.toml",
    "config/rules/new-form.toml",
    "config/rules/size-2017.toml",
    "config/units.toml",
    "config/yingbao.toml",
    "schedules/compact.toml",
    "schedules/deliver-afternoon.toml",
    "schedules/deliver-morning.toml",
    "schedules/escalate.toml",
    "schedules/notify.toml",
    "schedules/optional/pull-express.toml",
    "schedules/optional/pull-food.toml",
    "schedules/publish.toml",
    "schedules/pull-insured-roll.toml",
    "schedules/pull-market-regulation.toml",
    "schedules/pull-tax.toml",
    "schedules/pull-transport.toml",
    "schedules/review.toml",
    "schedules/selfcheck.toml",
];

/// The folder of sources that a city may have and need not. What lies in it is not read: whoever has such a source copies its files up.
const OPTIONAL: &str = "/optional/";

/// Whether a shipped file is of an optional source, and so not read where it lies.
#[must_use]
pub fn is_optional(path: &str) -> bool {
    path.contains(OPTIONAL)
}

/// Where a shipped file lies when it is in use.
#[must_use]
pub fn in_use(path: &str) -> String {
    path.replacen(OPTIONAL, "/", 1)
}

/// The content of one shipped file.
#[must_use]
pub fn text(path: &str) -> Option<&'static str> {
    FILES
        .iter()
        .find(|(file, _)| *file == path)
        .map(|(_, text)| *text)
}

/// Writes every file below `home` that is not there yet. What an operator has written is never overwritten.
///
/// # Errors
/// A folder or file cannot be written.
pub fn unpack(home: &Path) -> io::Result<()> {
    for (file, text) in FILES {
        let path = home.join(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut written) => written.write_all(text.as_bytes())?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
