//! Reporting units (填报单位): counties, districts, functional zones and 市本级, as configured.

use serde::{Deserialize, Serialize};

/// The id of a reporting unit: its six-digit code, or a short name where it has none (`city`, `yahe` …).
pub type UnitId = String;

/// One reporting unit and the agency that works its cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// 宛城区, 高新区, 市本级 …
    pub name: String,
    /// 南阳市宛城区社会保险中心 …: who signs letters.
    pub agency: String,
    /// Other ways exports write it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Towns and streets that belong to it though their six-digit code says otherwise.
    #[serde(default)]
    pub townships: Vec<String>,
    /// Mail address of the county's worklist.
    pub email: String,
    /// Mail address of the agency's own audit unit (稽核股); the city's 稽核科 for 市本级.
    pub audit_email: String,
    /// Telephone that letters and texts name; a blank to fill in when `None`.
    #[serde(default)]
    pub phone: Option<String>,
    /// Flagged 省直管: shown apart in bulletins.
    #[serde(default)]
    pub provincial: bool,
}

/// All reporting units, in the order of bulletins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    /// The units.
    pub units: Vec<Unit>,
}

impl Units {
    /// The unit with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.id == id)
    }

    /// The unit an export means by `name` (its name, agency or an alias).
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Unit> {
        let name = name.trim();
        self.units.iter().find(|unit| {
            unit.name == name
                || unit.agency == name
                || unit.id == name
                || unit.aliases.iter().any(|alias| alias == name)
        })
    }

    /// The unit that the registrar's region code means: its id or an alias, by its six digits where more are written.
    #[must_use]
    pub fn by_region(&self, code: &str) -> Option<&Unit> {
        let code = code.trim();
        self.by_name(code).or_else(|| {
            let is_longer = code.len() > 6 && code.bytes().all(|byte| byte.is_ascii_digit());
            self.by_name(code.get(..6).filter(|_| is_longer)?)
        })
    }

    /// The unit a township or street belongs to.
    #[must_use]
    pub fn by_township(&self, township: &str) -> Option<&Unit> {
        let township = township.trim();
        self.units
            .iter()
            .find(|unit| unit.townships.iter().any(|own| own == township))
    }

    /// The agency a firm's case belongs to: where it is insured, else by township, else by the registrar's
    /// region code. `None` when nothing says (the case then goes to the section's own list).
    #[must_use]
    pub fn assign(
        &self,
        insured_at: Option<&str>,
        township: Option<&str>,
        region: Option<&str>,
    ) -> Option<&Unit> {
        insured_at
            .and_then(|name| self.by_name(name))
            .or_else(|| township.and_then(|name| self.by_township(name)))
            .or_else(|| region.and_then(|code| self.by_region(code)))
    }
}
