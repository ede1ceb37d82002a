//! The whole configuration of a home: every file read, every fault of every file reported at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::adapter::language::{Adapter, AdapterFile, Complaint, FieldTable};
use crate::calendar::{Calendar, CalendarYear};
use crate::config::fault::{self, Fault, sentence};
use crate::config::home::Home;
use crate::config::rule_tables::{self, in_force};
use crate::config::schedule::{self, Schedule};
use crate::config::settings::{self, Overrides, Settings};
use crate::config::settings_check::{is_mail_address, mail_address_text};
use crate::config::toml_file::{self, Probe};
use crate::domain::coverage::{RuleVersion, Rules};
use crate::domain::explanation::SETTINGS;
use crate::domain::ladder::Ladder;
use crate::domain::liability::LiabilityTable;
use crate::domain::new_form;
use crate::domain::record::FieldType;
use crate::domain::size;
use crate::domain::unit::{Unit, Units};

/// Everything the operator wrote, parsed and checked together. Swapped whole, never edited.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Where it lies.
    pub home: Home,
    /// config/yingbao.toml, config/site.toml, environment.
    pub settings: Settings,
    /// config/calendar/*.toml.
    pub calendar: Calendar,
    /// config/ladder.toml.
    pub ladder: Ladder,
    /// Size tables, new-form markers, figures of the comparison, reporting units.
    pub rules: Rules,
    /// adapters/*.toml by name.
    pub adapters: BTreeMap<String, Adapter>,
    /// schedules/*.toml in the order of their names.
    pub schedules: Vec<Schedule>,
    /// The files in force: path below home → text, for the archive.
    pub files: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitsFile {
    unit: Vec<Unit>,
}

/// Reads files below a home and gathers their faults.
struct Reader<'a> {
    root: &'a Path,
    files: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn text(&mut self, file: &str) -> Option<String> {
        match toml_file::text(self.root, file) {
            Ok(text) => {
                self.files.insert(file.to_owned(), text.clone());
                Some(text)
            }
            Err(error) => {
                self.faults.push(Fault::unreadable(file, &error));
                None
            }
        }
    }

    fn parse<T: for<'de> Deserialize<'de>>(&mut self, file: &str) -> Option<T> {
        let text = self.text(file)?;
        match toml_file::parse(file, &text) {
            Ok(value) => Some(value),
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    /// The `*.toml` files of a folder, sorted; a folder that is not there has none.
    fn folder(&mut self, folder: &str) -> Vec<String> {
        let entries = match fs::read_dir(self.root.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.faults.push(Fault::unreadable(folder, &error));
                return Vec::new();
            }
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| {
                !name.starts_with('.') && Path::new(name).extension() == Some("toml".as_ref())
            })
            .map(|name| format!("{folder}/{name}"))
            .collect();
        names.sort();
        names
    }
}

impl Configuration {
    /// Reads and checks everything below the home.
    ///
    /// # Errors
    /// Every fault of every file.
    pub fn load(home: &Home, overrides: &Overrides) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader {
            root: &home.root,
            files: BTreeMap::new(),
            faults: Vec::new(),
        };
        let settings = match settings::load(&home.root, overrides) {
            Ok((settings, files)) => {
                reader.files.extend(files);
                Some(settings)
            }
            Err(faults) => {
                reader.faults.extend(faults);
                None
            }
        };
        let units: Option<UnitsFile> = reader.parse("config/units.toml");
        let ladder: Option<Ladder> = reader.parse("config/ladder.toml");
        let sizes: Option<size::SizeTable> = reader.parse(&in_force(rule_tables::SIZE));
        let finance: Option<size::FinanceTable> = reader.parse(&in_force(rule_tables::FINANCE));
        let markers: Option<new_form::Rules> = reader.parse(&in_force(rule_tables::NEW_FORM));
        let liability: Option<LiabilityTable> = reader.parse(&in_force(rule_tables::LIABILITY));
        let years: Vec<CalendarYear> = reader
            .folder("config/calendar")
            .iter()
            .filter_map(|file| reader.parse(file))
            .collect();
        let calendar = match Calendar::new(years) {
            Ok(calendar) => calendar,
            Err(texts) => {
                reader
                    .faults
                    .extend(texts.into_iter().map(Fault::of_calendar));
                Calendar::default()
            }
        };
        let mut adapters = adapters(&mut reader);
        let schedules = schedules(&mut reader);
        if let Some(units) = &units {
            check_units(&mut reader, &units.unit, settings.as_ref());
            check_expected_units(&mut reader, &units.unit, &adapters);
            for adapter in adapters.values_mut() {
                adapter.regions = regions(&units.unit);
            }
        }
        if let Some(settings) = &settings {
            check_endpoints(&mut reader, settings, &adapters);
            check_pseudonyms(&mut reader, settings, &adapters);
        }
        let Reader {
            files, mut faults, ..
        } = reader;
        faults.sort();
        faults.dedup();
        match (settings, units, ladder, sizes, finance, markers, liability) {
            (
                Some(settings),
                Some(units),
                Some(ladder),
                Some(sizes),
                Some(finance),
                Some(new_form),
                Some(liability),
            ) if faults.is_empty() => {
                let home = home.with_state(&settings.state);
                let rules = Rules {
                    coverage: settings.review.clone(),
                    size: size::Tables {
                        size: sizes,
                        finance,
                    },
                    new_form,
                    liability,
                    units: Units { units: units.unit },
                    versions: versions(&files),
                };
                let contradictions = rule_tables::contradictions(&rules);
                if !contradictions.is_empty() {
                    return Err(contradictions);
                }
                Ok(Self {
                    home,
                    settings,
                    calendar,
                    ladder,
                    rules,
                    adapters,
                    schedules,
                    files,
                })
            }
            _ => Err(faults),
        }
    }

    /// What works but deserves a warning, placed like a fault: what travels in the clear, what is left unsent.
    #[must_use]
    pub fn warnings(&self) -> Vec<Fault> {
        let endpoints = self.settings.endpoints.iter().flat_map(|(name, endpoint)| {
            let cautions = endpoint.cautions(name).into_iter();
            cautions.map(|caution| (caution.key, caution.code, caution.text))
        });
        let couriers = self.settings.couriers.cautions().into_iter();
        let couriers = couriers.map(|(key, text)| (key, "YB-1216", text));
        endpoints
            .chain(couriers)
            .map(|(key, code, text)| {
                // Where the site's file says it, it is meant; what comes from outside any file has no line.
                let text_of = |file: &str| self.files.get(file).map_or("", String::as_str);
                let is_there = |file: &&str| toml_file::locate(text_of(file), &key).0 > 0;
                let file = [settings::SITE, settings::BASE]
                    .into_iter()
                    .find(is_there)
                    .unwrap_or(settings::BASE);
                Fault::at_key(file, text_of(file), &key, code, sentence(text))
            })
            .collect()
    }

    /// The reporting units.
    #[must_use]
    pub const fn units(&self) -> &Units {
        &self.rules.units
    }
}

/// The rule tables among the files in force.
fn versions(files: &BTreeMap<String, String>) -> Vec<RuleVersion> {
    [
        rule_tables::SIZE,
        rule_tables::FINANCE,
        rule_tables::NEW_FORM,
        rule_tables::LIABILITY,
    ]
    .into_iter()
    .filter_map(|name| Some(rule_tables::version(name, files.get(&in_force(name))?)))
    .chain([of_settings(files)])
    .collect()
}

/// The settings as one text: the site's own file lies over the base.
fn of_settings(files: &BTreeMap<String, String>) -> RuleVersion {
    let texts: Vec<&str> = [settings::BASE, settings::SITE]
        .into_iter()
        .filter_map(|file| files.get(file).map(String::as_str))
        .collect();
    RuleVersion {
        basis: String::new(),
        from: String::new(),
        ..rule_tables::version(SETTINGS, &texts.concat())
    }
}

/// Everything by which an export may name a county.
fn regions(units: &[Unit]) -> BTreeSet<String> {
    units
        .iter()
        .flat_map(|unit| {
            [&unit.id, &unit.name, &unit.agency]
                .into_iter()
                .chain(&unit.aliases)
        })
        .cloned()
        .collect()
}

/// The name of an adapter by its file.
fn adapter_name(file: &str) -> &str {
    let name = file.strip_prefix("adapters/").unwrap_or(file);
    name.strip_suffix(".toml").unwrap_or(name)
}

fn adapters(reader: &mut Reader<'_>) -> BTreeMap<String, Adapter> {
    let mut adapters = BTreeMap::new();
    for file in reader.folder("adapters") {
        let Some(text) = reader.text(&file) else {
            continue;
        };
        let name = adapter_name(&file);
        match adapter(&file, name, &text) {
            Ok(adapter) => {
                adapters.insert(name.to_owned(), adapter);
            }
            Err(faults) => reader.faults.extend(faults),
        }
    }
    adapters
}

/// One adapter from its text: first its form, then its meaning.
///
/// # Errors
/// Every fault at once.
pub fn adapter(file: &str, name: &str, text: &str) -> Result<Adapter, Vec<Fault>> {
    let written: AdapterFile =
        toml_file::parse_probing(file, text, &[Probe::of::<FieldTable>(&["fields"])])?;
    let digest = blake3::hash(text.as_bytes()).to_hex().to_string();
    Adapter::check(name, &digest, written).map_err(|complaints| {
        complaints
            .into_iter()
            .map(|complaint| Fault::of_adapter(file, text, complaint))
            .collect()
    })
}

fn schedules(reader: &mut Reader<'_>) -> Vec<Schedule> {
    // By file name: an adapter with a fault of its own is not unknown besides.
    let known: Vec<String> = reader
        .folder("adapters")
        .iter()
        .map(|file| adapter_name(file).to_owned())
        .collect();
    let mut schedules = Vec::new();
    for file in reader.folder("schedules") {
        let Some(text) = reader.text(&file) else {
            continue;
        };
        if let Some(adapter) =
            toml_file::word(&text, "adapter").filter(|name| !known.contains(name))
        {
            let fault = Fault::dangling(&file, &text, "adapter", &adapter, known.iter());
            reader.faults.push(fault);
        }
        match schedule::parse(&file, &text) {
            Ok(schedule) => schedules.push(schedule),
            Err(faults) => reader.faults.extend(faults),
        }
    }
    schedules
}

const UNITS: &str = "config/units.toml";

/// Ids, names and townships mean one unit each; worklists and transfers have somewhere to go.
fn check_units(reader: &mut Reader<'_>, units: &[Unit], settings: Option<&Settings>) {
    let text = reader.files.get(UNITS).cloned().unwrap_or_default();
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut townships: BTreeMap<&str, usize> = BTreeMap::new();
    let mut fault = |key: String, code: &str, what: String| {
        reader
            .faults
            .push(Fault::at_key(UNITS, &text, &key, code, what));
    };
    for (index, unit) in units.iter().enumerate() {
        let number = index + 1;
        let key = |part: &str| format!("unit[{number}].{part}");
        for (part, word) in [
            ("id", &unit.id),
            ("name", &unit.name),
            ("agency", &unit.agency),
        ] {
            if word.trim().is_empty() {
                let what = "不能为空。处理：填写名称。".to_owned();
                fault(key(part), fault::VALUE, what);
            }
        }
        // An export may call a unit by any of these, so no two units may share one.
        let own = [
            ("id", &unit.id),
            ("name", &unit.name),
            ("agency", &unit.agency),
        ];
        for (part, word) in own
            .into_iter()
            .chain(unit.aliases.iter().map(|alias| ("aliases", alias)))
        {
            let first = *names.entry(word.as_str()).or_insert(number);
            if first != number {
                let what = format!(
                    "“{word}”已用于第{first}个单位，无法分辨指的是哪一个。处理：每个代码、名称、别名只归一个单位。"
                );
                fault(key(part), "YB-1209", what);
            }
        }
        for township in &unit.townships {
            let first = *townships.entry(township.as_str()).or_insert(number);
            if first != number {
                let what =
                    format!("“{township}”已归第{first}个单位。处理：每个乡镇街道只归一个单位。");
                fault(key("townships"), "YB-1209", what);
            }
        }
        for (part, address) in [("email", &unit.email), ("audit_email", &unit.audit_email)] {
            if !is_mail_address(address) {
                fault(key(part), fault::MAIL_ADDRESS, mail_address_text(address));
            }
        }
    }
    if let Some(settings) = settings
        && !units.iter().any(|unit| unit.id == settings.city_unit)
    {
        let file = if reader
            .files
            .get(settings::SITE)
            .is_some_and(|text| toml_file::locate(text, "city_unit").0 > 0)
        {
            settings::SITE
        } else {
            settings::BASE
        };
        let text = reader.files.get(file).cloned().unwrap_or_default();
        let known: Vec<String> = units.iter().map(|unit| unit.id.clone()).collect();
        let fault = Fault::dangling(file, &text, "city_unit", &settings.city_unit, known.iter());
        reader.faults.push(fault);
    }
}

/// An adapter whose endpoint has no address, or the wrong kind of address, would fail at night; say so now.
fn check_endpoints(
    reader: &mut Reader<'_>,
    settings: &Settings,
    adapters: &BTreeMap<String, Adapter>,
) {
    for adapter in adapters.values() {
        let file = format!("adapters/{}.toml", adapter.name);
        let text = reader.files.get(&file).cloned().unwrap_or_default();
        let name = adapter.transport.endpoint();
        let fault = match settings.endpoints.get(name) {
            None => {
                let key = format!("transport.{}.endpoint", adapter.transport.kind());
                Fault::dangling(&file, &text, &key, name, settings.endpoints.keys())
            }
            Some(endpoint) => match endpoint.suits(&adapter.transport) {
                Some(complaint) => Fault::of_adapter(&file, &text, complaint),
                None => continue,
            },
        };
        reader.faults.push(fault);
    }
}

/// A pseudonym without a key could be undone by trying every citizen id; in a demo's home all people are invented.
fn check_pseudonyms(
    reader: &mut Reader<'_>,
    settings: &Settings,
    adapters: &BTreeMap<String, Adapter>,
) {
    if settings.pseudonym_key_file.is_some() || settings.demo_mark.is_some() {
        return;
    }
    for adapter in adapters.values() {
        let mapped = adapter
            .fields
            .keys()
            .find(|field| field.field_type() == FieldType::Pseudonym);
        let Some(field) = mapped else { continue };
        let file = format!("adapters/{}.toml", adapter.name);
        let text = reader.files.get(&file).cloned().unwrap_or_default();
        let complaint = Complaint {
            key: format!("fields.{}", field.name()),
            code: "YB-1376",
            text: format!(
                "{}须在密钥下去标识化。处理：在 config/site.toml 写明 pseudonym_key_file，或删去这个字段并把该列列入 [personal]",
                field.title()
            ),
        };
        reader
            .faults
            .push(Fault::of_adapter(&file, &text, complaint));
    }
}

/// A unit that is expected and misspelt would hold every batch.
fn check_expected_units(
    reader: &mut Reader<'_>,
    units: &[Unit],
    adapters: &BTreeMap<String, Adapter>,
) {
    let known = Units {
        units: units.to_vec(),
    };
    for adapter in adapters.values() {
        let file = format!("adapters/{}.toml", adapter.name);
        let text = reader.files.get(&file).cloned().unwrap_or_default();
        for name in &adapter.expect.units {
            if known.by_name(name).is_none() {
                let names: Vec<&String> = units.iter().map(|unit| &unit.name).collect();
                let fault = Fault::dangling(&file, &text, "expect.units", name, names.into_iter());
                reader.faults.push(fault);
            }
        }
    }
}

#[cfg(test)]
mod tests;
