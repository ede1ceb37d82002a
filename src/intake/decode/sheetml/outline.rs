//! What a SpreadsheetML document says of its sheets and styles.

use std::collections::HashMap;
use std::io::BufRead;

use quick_xml::events::Event;

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::look::Look;
use crate::intake::decode::sheetml::{is, walk};
use crate::intake::decode::sheets::Listed;
use crate::intake::decode::workbook::{attributes, damaged};

/// Sheets a document may have.
const SHEETS: usize = 1000;

/// Styles a document may have; spreadsheet programs stop far below.
const STYLES: usize = 65_536;

/// What the first reading learns.
#[derive(Debug, Default)]
pub struct Outline {
    /// The sheets.
    pub listed: Vec<Listed>,
    /// What styles make of numbers.
    pub looks: HashMap<String, Look>,
    inside_worksheet: bool,
    style: String,
    visible: bool,
}

/// Reads the sheets and styles of a document.
pub fn read(text: impl BufRead, limits: &Limits) -> Result<Outline, Unreadable> {
    let mut outline = Outline::default();
    walk(text, limits, &mut |event, path| outline.see(event, path))?;
    Ok(outline)
}

impl Outline {
    fn see(&mut self, event: &Event<'_>, path: &[String]) -> Result<(), Unreadable> {
        match event {
            Event::Start(start) => match path.last().map_or("", String::as_str) {
                "Style" if is(path, &["Workbook", "Styles", "Style"]) => {
                    let [id] = attributes(start, ["ID"])?;
                    self.style = id.unwrap_or_default();
                }
                "NumberFormat" if path.len() == 4 && self.looks.len() < STYLES => {
                    let [code] = attributes(start, ["Format"])?;
                    let look = named(&code.unwrap_or_default());
                    self.looks.insert(self.style.clone(), look);
                }
                "Worksheet" if is(path, &["Workbook", "Worksheet"]) => {
                    if self.listed.len() >= SHEETS {
                        return Err(damaged());
                    }
                    let [name] = attributes(start, ["Name"])?;
                    self.listed.push(Listed {
                        name: name.unwrap_or_default(),
                        visible: true,
                        filled: false,
                    });
                    self.inside_worksheet = true;
                }
                "Data" => {
                    if let Some(sheet) = self.listed.last_mut() {
                        sheet.filled = true;
                    }
                }
                "Visible" => self.visible = true,
                _ => {}
            },
            Event::Text(text) if self.visible && self.inside_worksheet => {
                if let Some(sheet) = self.listed.last_mut() {
                    sheet.visible = text.xml10_content().trim() == "SheetVisible";
                }
            }
            Event::End(_) => {
                self.visible = false;
                self.inside_worksheet &= !is(path, &["Workbook", "Worksheet"]);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Formats have names here, too.
fn named(code: &str) -> Look {
    if code.ends_with("Date") || code == "General Date" {
        return Look::Date;
    }
    match code {
        "General" | "General Number" | "Currency" | "Euro Currency" | "Fixed" | "Standard"
        | "Percent" | "Scientific" | "Yes/No" | "True/False" | "On/Off" | "Long Time"
        | "Medium Time" | "Short Time" => Look::Number,
        code => Look::of_code(code),
    }
}
