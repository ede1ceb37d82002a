//! Rule tables that somebody proposes: read and checked like those in force, but not put in force.

use std::path::Path;

use serde::Deserialize;

use crate::config::fault::Fault;
use crate::config::toml_file;
use crate::domain::coverage::Rules;

/// No table lies in the folder.
const NONE_THERE: &str = "YB-1222";

/// 划型 by 213号.
pub const SIZE: &str = "size-2017.toml";
/// 划型 of finance by 309号.
pub const FINANCE: &str = "finance-2015.toml";
/// New-form markers.
pub const NEW_FORM: &str = "new-form.toml";

/// Where a table in force lies below home.
#[must_use]
pub fn in_force(name: &str) -> String {
    format!("config/rules/{name}")
}

/// The rules in force with the tables that lie in `folder` in their place: `size-2017.toml`, `finance-2015.toml`,
/// `new-form.toml`, any of them. One that is not there stays as it is.
///
/// # Errors
/// Every fault of every table; none being there is one too.
pub fn proposed(folder: &Path, current: &Rules) -> Result<Rules, Vec<Fault>> {
    let mut rules = current.clone();
    let mut found = Found {
        folder,
        tables: 0,
        faults: Vec::new(),
    };
    found.replace(SIZE, &mut rules.size.size);
    found.replace(FINANCE, &mut rules.size.finance);
    found.replace(NEW_FORM, &mut rules.new_form);
    if found.tables == 0 {
        let what = format!(
            "该目录中没有 {SIZE}、{FINANCE} 或 {NEW_FORM}。处理：把拟启用的规则表以原文件名放入一个目录，再用 --compare 指明该目录。"
        );
        found.faults = vec![Fault::of_file(
            &folder.display().to_string(),
            NONE_THERE,
            what,
        )];
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
                Ok(proposed) => *table = proposed,
                Err(faults) => self.faults.extend(faults),
            },
        }
    }
}
