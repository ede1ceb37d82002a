//! What a command works with: the configuration of a home, its store, the time, a runtime for the network.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::cli::console::Console;
use crate::config::configuration::Configuration;
use crate::config::fault::Fault;
use crate::config::home::Home;
use crate::config::settings::Overrides;
use crate::courier::Couriers;
use crate::daemon::clock::Clock;
use crate::store::Store;
use crate::tasks::{Desk, Failure};

/// A file in the state folder of every demo: such a home can never send for real.
pub const DEMO: &str = "DEMO";

/// Where a command looks for its home, as the caller (command line, daemon, demo) knows it.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// `--home` or `YINGBAO_HOME`.
    pub home: Option<PathBuf>,
    /// `--state`.
    pub state: Option<PathBuf>,
    /// Settings from the environment and from the demo.
    pub overrides: Overrides,
}

/// A loaded home with its store open.
pub struct Session {
    /// The configuration.
    pub configuration: Configuration,
    /// The store.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// The runtime of the network; tasks themselves are synchronous.
    pub runtime: Arc<tokio::runtime::Runtime>,
    /// Is told rows read, where somebody looks on.
    pub watch: Box<dyn Fn(u64) + Send + Sync>,
}

impl Session {
    /// A desk for one activation: the clock is read here, once.
    #[must_use]
    pub fn desk(&self) -> Desk<'_> {
        self.desk_at(self.clock.now())
    }

    /// The couriers that the settings name.
    ///
    /// # Errors
    /// A demo home with live couriers, a secret that cannot be read.
    pub fn couriers(&self) -> Result<Couriers, Failure> {
        let settings = &self.configuration.settings;
        Couriers::build(
            &settings.couriers,
            &settings.mail_from,
            // The mark of a demo's state folder stands even when its settings were changed.
            settings.demo_mark.is_some() || self.configuration.home.state.join(DEMO).exists(),
            &self.configuration.home.state,
            &self.configuration.home.root,
            self.runtime.handle(),
        )
        .map_err(|trouble| Failure::Usage {
            code: trouble.code,
            text: trouble.text,
        })
    }

    /// A desk at a given time.
    #[must_use]
    pub fn desk_at(&self, now: Timestamp) -> Desk<'_> {
        Desk {
            store: &self.store,
            configuration: &self.configuration,
            now,
            runtime: self.runtime.handle(),
            watch: &*self.watch,
        }
    }
}

/// The clock that the settings name.
#[must_use]
pub fn clock_of(configuration: &Configuration) -> Clock {
    configuration
        .settings
        .clock
        .as_ref()
        .map_or_else(Clock::real, |clock| {
            Clock::simulated(clock.start, clock.speed)
        })
}

/// Why a command could not begin.
#[derive(Debug)]
pub enum Unopened {
    /// The configuration has faults (exit 2).
    Faults(Vec<Fault>),
    /// The store or the machine (exit 3).
    Failure(Failure),
}

impl Unopened {
    /// Says it and gives the exit code.
    pub fn report(&self, console: &mut Console<'_>) -> i32 {
        match self {
            Self::Faults(faults) => {
                for fault in faults {
                    console.message(fault.to_string());
                }
                2
            }
            Self::Failure(failure) => {
                console.message(failure.to_string());
                failure.exit_code()
            }
        }
    }
}

/// Loads the configuration of a place.
pub fn configuration(place: &Place) -> Result<Configuration, Unopened> {
    let home = Home::locate(place.home.as_deref(), place.state.as_deref());
    if !home.root.is_dir() {
        return Err(Unopened::Failure(Failure::Usage {
            code: "YB-7213",
            text: format!(
                "没有目录 {}。处理：核对 --home 或 YINGBAO_HOME。",
                home.root.display()
            ),
        }));
    }
    Configuration::load(&home, &place.overrides).map_err(Unopened::Faults)
}

/// Loads the configuration and opens the store.
pub fn open(place: &Place) -> Result<Session, Unopened> {
    opened(configuration(place)?)
}

/// Opens the store of a loaded configuration.
pub fn opened(configuration: Configuration) -> Result<Session, Unopened> {
    let clock = clock_of(&configuration);
    let store =
        Store::open(&configuration.home.state).map_err(|error| Unopened::Failure(error.into()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| {
            Unopened::Failure(Failure::Io {
                what: "启动网络运行时".into(),
                source,
            })
        })?;
    Ok(Session {
        configuration,
        store,
        clock,
        runtime: Arc::new(runtime),
        watch: Box::new(|_| {}),
    })
}
