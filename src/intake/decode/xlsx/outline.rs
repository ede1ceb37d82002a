//! What an XLSX workbook says of its sheets: their names and parts, in its order.

use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::sheets::Listed;
use crate::intake::decode::source::Source;
use crate::intake::decode::workbook::{PACKAGE_RELATIONS, Package, attributes, damaged, walk};
use crate::intake::decode::xlsx::cells::Workbook;
use crate::intake::decode::xlsx::strings::Strings;
use crate::intake::decode::xlsx::styles;

/// A relation of a part: what it is for, and the part it leads to.
struct Relation {
    kind: String,
    target: String,
}

/// The sheets of a workbook, charts and the like left out.
pub struct Outline {
    /// The sheets; whether they are filled is not known yet.
    pub listed: Vec<Listed>,
    /// Their parts.
    pub parts: Vec<String>,
    /// What their cells hang on.
    pub workbook: Workbook,
}

/// Reads everything but the sheets.
pub fn read(package: &mut Package<'_>, limits: &Limits) -> Result<Outline, Unreadable> {
    let root = relations(package.keep(PACKAGE_RELATIONS)?.0, limits)?;
    let of_package = root.values().find(|relation| relation.is("officeDocument"));
    let book = of_package
        .and_then(|relation| resolve("", &relation.target))
        .ok_or_else(damaged)?;
    let (folder, name) = book.rsplit_once('/').unwrap_or(("", &book));
    let relations_of_book = resolve(folder, &format!("_rels/{name}.rels")).ok_or_else(damaged)?;
    let relations = relations(package.keep(&relations_of_book)?.0, limits)?;
    let part = |kind: &str, usual: &str| {
        let relation = relations.values().find(|relation| relation.is(kind));
        resolve(folder, relation.map_or(usual, |relation| &relation.target))
    };
    let mut outline = Outline {
        listed: Vec::new(),
        parts: Vec::new(),
        workbook: Workbook::default(),
    };
    let source = package.keep(&book)?.0;
    walk(source, limits, &mut |event, _| match event {
        Event::Start(start) => outline.see(start, &relations, folder),
        _ => Ok(()),
    })?;
    if let Some(name) = part("styles", "styles.xml").filter(|name| package.has(name)) {
        outline.workbook.looks = styles::read(package.keep(&name)?.0, limits)?;
    }
    if let Some(name) = part("sharedStrings", "sharedStrings.xml").filter(|name| package.has(name))
    {
        let (source, bytes) = package.keep(&name)?;
        outline.workbook.strings = Strings::read(source, bytes, limits)?;
    }
    Ok(outline)
}

impl Relation {
    /// Kinds are addresses, one for each edition of the standard, that end alike.
    fn is(&self, kind: &str) -> bool {
        self.kind.rsplit('/').next() == Some(kind)
    }
}

impl Outline {
    fn see(
        &mut self,
        start: &BytesStart<'_>,
        relations: &HashMap<String, Relation>,
        folder: &str,
    ) -> Result<(), Unreadable> {
        match start.local_name().as_ref() {
            "workbookPr" => {
                let [is_1904] = attributes(start, ["date1904"])?;
                // An extension has an element of the same name, and never says it.
                if let Some(is_1904) = is_1904 {
                    self.workbook.is_1904 = matches!(is_1904.as_str(), "1" | "true" | "on");
                }
            }
            "sheet" => {
                let [name, state, id] = attributes(start, ["name", "state", "id"])?;
                let relation = (id.and_then(|id| relations.get(&id))).ok_or_else(damaged)?;
                let visible = match state.as_deref() {
                    None | Some("visible") => true,
                    Some("hidden" | "veryHidden") => false,
                    Some(_) => return Err(damaged()),
                };
                if relation.is("worksheet") {
                    self.listed.push(Listed {
                        name: name.unwrap_or_default(),
                        visible,
                        filled: false,
                    });
                    let part = resolve(folder, &relation.target).ok_or_else(damaged)?;
                    self.parts.push(part);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Reads a part of relations, by their names.
fn relations(source: Source<'_>, limits: &Limits) -> Result<HashMap<String, Relation>, Unreadable> {
    let mut relations = HashMap::new();
    walk(source, limits, &mut |event, _| {
        if let Event::Start(start) = event
            && start.local_name().as_ref() == "Relationship"
        {
            let [id, kind, target] = attributes(start, ["Id", "Type", "Target"])?;
            if let Some(id) = id {
                let relation = Relation {
                    kind: kind.unwrap_or_default(),
                    target: target.unwrap_or_default(),
                };
                relations.insert(id, relation);
            }
        }
        Ok(())
    })?;
    Ok(relations)
}

/// The name of the part that a target in a part of this folder leads to, as it is looked for; `None` when it leads out of the
/// package.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let target = target.replace('\\', "/").to_lowercase();
    let mut steps: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').filter(|step| !step.is_empty()).collect(),
    };
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop()?;
            }
            step => steps.push(step),
        }
    }
    Some(steps.join("/"))
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn targets_are_relative_or_absolute_and_never_lead_out() {
        for (folder, target, expected) in [
            (
                "xl",
                "worksheets/Sheet1.xml",
                Some("xl/worksheets/sheet1.xml"),
            ),
            (
                "xl",
                "/xl/worksheets/sheet1.xml",
                Some("xl/worksheets/sheet1.xml"),
            ),
            ("xl", "./worksheets/../styles.xml", Some("xl/styles.xml")),
            ("xl", "../xl/styles.xml", Some("xl/styles.xml")),
            ("", "xl/workbook.xml", Some("xl/workbook.xml")),
            ("", "workbook.xml", Some("workbook.xml")),
            (
                "xl",
                "worksheets\\sheet1.xml",
                Some("xl/worksheets/sheet1.xml"),
            ),
            ("xl", "../../../etc/passwd", None),
            ("", "../a", None),
        ] {
            assert_eq!(resolve(folder, target).as_deref(), expected, "{target}");
        }
    }
}
