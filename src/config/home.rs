//! The home folder and its state folder.

use std::path::{Path, PathBuf};

/// Where everything lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// `config/`, `adapters/`, `schedules/` lie here.
    pub root: PathBuf,
    /// The state folder.
    pub state: PathBuf,
    /// Whether the state folder was named on the command line.
    pub state_named: bool,
}

impl Home {
    /// The home named, else the current folder; the state folder named, else the setting's (see [`Self::with_state`]).
    #[must_use]
    pub fn locate(home: Option<&Path>, state: Option<&Path>) -> Self {
        let root = home.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        Self {
            state: state.map_or_else(|| root.join("state"), Path::to_path_buf),
            root,
            state_named: state.is_some(),
        }
    }

    /// With the setting's state folder (relative to home), unless one was named.
    #[must_use]
    pub fn with_state(&self, setting: &Path) -> Self {
        let state = if self.state_named {
            self.state.clone()
        } else {
            self.root.join(setting)
        };
        Self {
            state,
            ..self.clone()
        }
    }
}
