//! `config/yingbao.toml` (base), `config/site.toml` (site, optional) and `YINGBAO_…` variables, merged by the `config` crate.
//!
//! A variable names section and key with two underscores between them; a dash is written as an underscore:
//! `YINGBAO_ENDPOINTS__MARKET_REGULATION__PATH`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use crate::adapter::endpoint::Endpoint;
use crate::calendar::age::Age;
use crate::calendar::hours::ContactHours;
use crate::config::fault::{self, Fault};
use crate::config::settings_check;
use crate::config::settings_layers::Layers;
use crate::config::toml_file;
use crate::courier::settings::CourierSettings;
use crate::domain::coverage::CoverageRules;

/// The settings in force.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// 南阳市.
    pub city: String,
    /// 南阳市社会保险中心: who signs bulletins and internal mail.
    pub centre: String,
    /// Id of the reporting unit 市本级.
    pub city_unit: String,
    /// State folder, relative to home.
    pub state: PathBuf,
    /// Marks every page, sheet, letter and text of a demo; such a home can never send for real.
    pub demo_mark: Option<String>,
    /// Who receives what inside the centre.
    pub recipients: Recipients,
    /// Mail address that internal and outgoing mail comes from.
    pub mail_from: String,
    /// Addresses by name.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// How long a person's release counts.
    pub release: ReleaseSettings,
    /// File with the key under which personal identifiers become pseudonyms; needed by adapters that map one.
    pub pseudonym_key_file: Option<PathBuf>,
    /// How messages leave the house.
    pub couriers: CourierSettings,
    /// When firms may be contacted.
    pub contact_hours: ContactHours,
    /// Figures of the comparison.
    pub review: CoverageRules,
    /// A simulated clock; accepted only with dry-run couriers.
    pub clock: Option<ClockSettings>,
}

/// How long a person's release of a held batch counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseSettings {
    /// After it nothing is founded on the batch, until a newer one is accepted.
    pub counts_for: Age,
}

/// Mail addresses inside the centre.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipients {
    /// 信息科.
    pub it_section: String,
    /// 公共业务科.
    pub public_section: String,
    /// 稽核科.
    pub audit_section: String,
}

/// A simulated clock.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockSettings {
    /// What it shows when the daemon starts, such as `2026-03-02T07:00:00+08:00`.
    pub start: Timestamp,
    /// Simulated seconds per second.
    pub speed: f64,
}

/// What the caller lays over the files: environment variables (`YINGBAO_COURIERS__MODE=…`) and, for the demo, addresses.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Variables whose name begins with `YINGBAO_`, as read by the command line (`YINGBAO_HOME` taken out).
    pub environment: BTreeMap<String, String>,
    /// Endpoint name → address, over whatever the files say.
    pub endpoints: BTreeMap<String, Endpoint>,
}

/// Settings and the text of the files they came from, by path below home.
pub type Loaded = (Settings, BTreeMap<String, String>);

/// The base file.
pub(crate) const BASE: &str = "config/yingbao.toml";
/// The site's own file.
pub(crate) const SITE: &str = "config/site.toml";

/// Reads and merges. Each file is parsed alone first, for line and column; only scalars may come from the environment.
///
/// # Errors
/// Every fault at once; among them: a demo home or a simulated clock with live couriers.
pub fn load(root: &Path, overrides: &Overrides) -> Result<Loaded, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut files = BTreeMap::new();
    for (file, needed) in [(BASE, true), (SITE, false)] {
        match toml_file::text(root, file) {
            Ok(text) => {
                faults.extend(toml_file::faults_of_part::<Settings>(file, &text));
                files.insert(file.to_owned(), text);
            }
            Err(error) if !needed && error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => faults.push(Fault::unreadable(file, &error)),
        }
    }
    // Layers can be laid over one another only when each can be read.
    let readable = faults
        .iter()
        .all(|fault| fault.code != fault::NO_TOML && fault.code != fault::UNREADABLE);
    let settings = if readable {
        let layers = Layers::new(&files, &overrides.environment);
        match layers.merge() {
            Ok(mut settings) => {
                settings.endpoints.extend(overrides.endpoints.clone());
                faults.extend(settings_check::faults(&settings, root, &layers));
                Some(settings)
            }
            Err(merged) => {
                let known: Vec<(String, String)> = faults
                    .iter()
                    .map(|f| (f.key.clone(), f.code.clone()))
                    .collect();
                faults.extend(
                    merged
                        .into_iter()
                        .filter(|f| !known.contains(&(f.key.clone(), f.code.clone()))),
                );
                None
            }
        }
    } else {
        None
    };
    match settings {
        Some(settings) if faults.is_empty() => Ok((settings, files)),
        _ => {
            faults.sort();
            Err(faults)
        }
    }
}

#[cfg(test)]
mod tests;
