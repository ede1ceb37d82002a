//! Rule tables: those in force, and those that somebody proposes, read and checked alike but not put in force.

use std::path::Path;

use serde::Deserialize;

use crate::config::fault::Fault;
use crate::config::toml_file;
use crate::domain::coverage::{RuleVersion, Rules};

/// No table lies in the folder.
const NONE_THERE: &str = "YB-1222";
/// A table that can be read contradicts itself.
const CONTRADICTION: &str = "YB-1223";

/// 划型 by 213号.
pub const SIZE: &str = "size-2017.toml";
/// 划型 of finance by 309号.
pub const FINANCE: &str = "finance-2015.toml";
/// New-form markers.
pub const NEW_FORM: &str = "new-form.toml";
/// Who is liable for what since when.
pub const LIABILITY: &str = "liability.toml";

/// Hex digits of a table's digest that are shown.
const SHOWN_DIGITS: usize = 12;

/// Where a table in force lies below home.
#[must_use]
pub fn in_force(name: &str) -> String {
    format!("config/rules/{name}")
}

/// The version of a table with this text.
#[must_use]
pub fn version(name: &str, text: &str) -> RuleVersion {
    let mut digest = blake3::hash(text.as_bytes()).to_hex().to_string();
    digest.truncate(SHOWN_DIGITS);
    RuleVersion {
        table: name.to_owned(),
        digest,
        basis: toml_file::word(text, "basis").unwrap_or_default(),
        from: toml_file::word(text, "from").unwrap_or_default(),
    }
}

/// What the tables say against themselves, each placed in its file.
#[must_use]
pub fn contradictions(rules: &Rules) -> Vec<Fault> {
    let of = |name: &str, texts: Vec<String>| -> Vec<Fault> {
        let fault = |text: String| {
            let what = format!("{text}。处理：对照所依据的文件改正。");
            Fault::of_file(&in_force(name), CONTRADICTION, what)
        };
        texts.into_iter().map(fault).collect()
    };
    let mut faults = of(SIZE, rules.size.faults());
    faults.extend(of(LIABILITY, rules.liability.faults()));
    faults
}

/// The rules in force with the tables that lie in `folder` in their place: `size-2017.toml`, `finance-2015.toml`,
/// `new-form.toml`, `liability.toml`, any of them. One that is not there stays as it is.
///
/// # Errors
/// Every fault of every table; none being there is one too.
pub fn proposed(folder: &Path, current: &Rules) -> Result<Rules, Vec<Fault>> {
    let mut rules = current.clone();
    let mut found = Found {
        folder,
        tables: 0,
        versions: Vec::new(),
        faults: Vec::new(),
    };
    found.replace(SIZE, &mut rules.size.size);
    found.replace(FINANCE, &mut rules.size.finance);
    found.replace(NEW_FORM, &mut rules.new_form);
    found.replace(LIABILITY, &mut rules.liability);
    for version in std::mem::take(&mut found.versions) {
        rules.versions.retain(|known| known.table != version.table);
        rules.versions.push(version);
    }
    if found.tables == 0 {
        let what = format!(
            "该目录中没有 {SIZE}、{FINANCE}、{NEW_FORM} 或 {LIABILITY}。处理：把拟启用的规则表以原文件名放入一个目录，再用 --compare 指明该目录。"
        );
        found.faults = vec![Fault::of_file(
            &folder.display().to_string(),
            NONE_THERE,
            what,
        )];
    }
    if found.faults.is_empty() {
        found.faults = contradictions(&rules);
    }
    if found.faults.is_empty() {
        Ok(rules)
    } else {
        Err(found.faults)
    }
}

struct Found<'a> {
    folder: &'a Path,
    tables: u32,
    versions: Vec<RuleVersion>,
    faults: Vec<Fault>,
}

impl Found<'_> {
    fn replace<T: for<'de> Deserialize<'de>>(&mut self, name: &str, table: &mut T) {
        if !self.folder.join(name).exists() {
            return;
        }
        self.tables += 1;
        let shown = self.folder.join(name).display().to_string();
        match toml_file::text(self.folder, name) {
            Err(error) => self.faults.push(Fault::unreadable(&shown, &error)),
            Ok(text) => match toml_file::parse(&shown, &text) {
                Ok(proposed) => {
                    *table = proposed;
                    self.versions.push(version(name, &text));
                }
                Err(faults) => self.faults.extend(faults),
            },
        }
    }
}
