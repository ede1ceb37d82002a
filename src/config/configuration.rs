//! The whole configuration of a home: every file read, every fault of every file reported at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::adapter::language::{Adapter, AdapterFile};
use crate::calendar::{Calendar, CalendarYear};
use crate::config::fault::Fault;
use crate::config::home::Home;
use crate::config::schedule::{self, Schedule, TaskName};
use crate::config::settings::{self, Overrides, Settings};
use crate::config::toml_file;
use crate::domain::coverage::Rules;
use crate::domain::ladder::Ladder;
use crate::domain::new_form;
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
        let Ok(entries) = fs::read_dir(self.root.join(folder)) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".toml") && !name.starts_with('.'))
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
        let sizes: Option<size::SizeTable> = reader.parse("config/rules/size-2017.toml");
        let finance: Option<size::FinanceTable> = reader.parse("config/rules/finance-2015.toml");
        let markers: Option<new_form::Rules> = reader.parse("config/rules/new-form.toml");
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
        let adapters = adapters(&mut reader);
        let schedules = schedules(&mut reader, &adapters);
        let Reader {
            files, mut faults, ..
        } = reader;
        if let Some(settings) = &settings {
            faults.extend(dangling_endpoints(settings, &adapters));
        }
        match (settings, units, ladder, sizes, finance, markers) {
            (
                Some(settings),
                Some(units),
                Some(ladder),
                Some(sizes),
                Some(finance),
                Some(new_form),
            ) if faults.is_empty() => {
                let home = home.with_state(&settings.state);
                let rules = Rules {
                    coverage: settings.review.clone(),
                    size: size::Tables {
                        size: sizes,
                        finance,
                    },
                    new_form,
                    units: Units { units: units.unit },
                };
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

    /// The reporting units.
    #[must_use]
    pub const fn units(&self) -> &Units {
        &self.rules.units
    }
}

fn adapters(reader: &mut Reader<'_>) -> BTreeMap<String, Adapter> {
    let mut adapters = BTreeMap::new();
    for file in reader.folder("adapters") {
        let Some(text) = reader.text(&file) else {
            continue;
        };
        let name = file
            .trim_start_matches("adapters/")
            .trim_end_matches(".toml")
            .to_owned();
        let digest = blake3::hash(text.as_bytes()).to_hex().to_string();
        let read = toml_file::parse::<AdapterFile>(&file, &text).and_then(|written| {
            Adapter::check(&name, &digest, written).map_err(|complaints| {
                complaints
                    .into_iter()
                    .map(|complaint| Fault::of_adapter(&file, &text, complaint))
                    .collect()
            })
        });
        match read {
            Ok(adapter) => {
                adapters.insert(name, adapter);
            }
            Err(faults) => reader.faults.extend(faults),
        }
    }
    adapters
}

fn schedules(reader: &mut Reader<'_>, adapters: &BTreeMap<String, Adapter>) -> Vec<Schedule> {
    let mut schedules = Vec::new();
    for file in reader.folder("schedules") {
        let Some(text) = reader.text(&file) else {
            continue;
        };
        match schedule::parse(&file, &text) {
            Ok(schedule) => {
                if let TaskName::Pull(adapter) = &schedule.task
                    && !adapters.contains_key(adapter)
                {
                    reader.faults.push(Fault::dangling(
                        &file,
                        &text,
                        "adapter",
                        adapter,
                        adapters.keys(),
                    ));
                }
                schedules.push(schedule);
            }
            Err(faults) => reader.faults.extend(faults),
        }
    }
    schedules
}

/// An adapter whose endpoint has no address would fail at night; say so now.
fn dangling_endpoints(settings: &Settings, adapters: &BTreeMap<String, Adapter>) -> Vec<Fault> {
    adapters
        .values()
        .filter(|adapter| {
            !settings
                .endpoints
                .contains_key(adapter.transport.endpoint())
        })
        .map(|adapter| {
            let file = format!("adapters/{}.toml", adapter.name);
            Fault::dangling(
                &file,
                "",
                "endpoint",
                adapter.transport.endpoint(),
                settings.endpoints.keys(),
            )
        })
        .collect()
}
