//! XLSX workbooks. A sheet is read once, row by row, and never laid out in memory: one cell in the far corner costs nothing.
//!
//! Merged areas stand behind the rows they belong to. Where the rows hang on them, the sheet is read once for them beforehand. Else
//! they only have to be counted: a sheet that has any that go down is read once more for that.

use std::fs::File;

use crate::adapter::format::{Merged, Xlsx};
use crate::adapter::limits::Limits;
use crate::adapter::row::Decoded;
use crate::domain::batch::Unreadable;
use crate::intake::decode::handover::Handover;
use crate::intake::decode::line::Row;
use crate::intake::decode::merges::Merges;
use crate::intake::decode::sheets::{Lines, choose};
use crate::intake::decode::workbook::{Package, damaged};
use crate::intake::decode::xlsx::cells::Take;
use crate::intake::decode::xlsx::outline::Outline;
use crate::intake::decode::xlsx::sheet::{Facts, Reading};

mod cells;
mod outline;
mod regular;
mod rich;
mod sheet;
mod strings;
mod styles;

/// Reads the sheets of a workbook that the adapter asks for.
pub fn decode(
    file: File,
    format: &Xlsx,
    limits: &Limits,
    handover: &mut Handover<'_>,
) -> Result<Option<u64>, Unreadable> {
    let mut package = Package::open(file, limits)?;
    let mut outline = outline::read(&mut package, limits)?;
    let chosen = choose(&outline.listed, format)?;
    let mut book = Book {
        looks_ahead: handover.looks_ahead,
        merges_left: limits.merged_cells,
        format,
        limits,
        package,
    };
    for at in 0..outline.listed.len() {
        if outline.listed[at].visible && !chosen.contains(&at) {
            outline.listed[at].filled = book.is_filled(&outline, at)?;
        }
    }
    let mut lines = Lines::new(handover, format, limits).of(&outline.listed, &chosen);
    for at in chosen {
        // Nobody could tell two sheets of one name apart.
        let name = &outline.listed[at].name;
        if (outline.listed.iter())
            .filter(|other| other.name == *name)
            .count()
            > 1
        {
            return Err(damaged());
        }
        book.sheet(&outline, at, &mut lines)?;
    }
    lines.finish()
}

/// A workbook whose sheets are read one after another.
struct Book<'f, 'l> {
    package: Package<'l>,
    format: &'f Xlsx,
    limits: &'l Limits,
    /// Merged areas that may come yet.
    merges_left: usize,
    looks_ahead: bool,
}

impl<'l> Book<'_, 'l> {
    fn sheet(
        &mut self,
        outline: &Outline,
        at: usize,
        lines: &mut Lines<'_, '_, '_>,
    ) -> Result<(), Unreadable> {
        let name = &outline.listed[at].name;
        let needs_merges = self.format.header_rows == Some(2) || self.format.merged == Merged::Down;
        let merges = if needs_merges {
            let nobody = &mut |_: &mut Row| Ok(());
            Merges::new(self.read(outline, at, nobody)?.merges)
        } else {
            Merges::default()
        };
        lines.begin(name, merges);
        let facts = self.read(outline, at, &mut |row| lines.row(row))?;
        self.merges_left -= facts.merges.len();
        if !needs_merges
            && facts
                .merges
                .iter()
                .any(|area| area.last_row > area.first_row)
        {
            lines.add_first_only(self.first_only(outline, at, Merges::new(facts.merges))?);
        }
        lines.end(&facts.hidden_columns)
    }

    /// The merged areas of data that give their value to their first row only.
    fn first_only(
        &mut self,
        outline: &Outline,
        at: usize,
        merges: Merges,
    ) -> Result<u64, Unreadable> {
        let (format, limits) = (self.format, self.limits);
        let nobody = &mut |_: Decoded<'_>| Ok(());
        let mut handover = Handover::new(nobody, limits);
        let mut lines = Lines::new(&mut handover, format, limits);
        lines.begin(&outline.listed[at].name, merges);
        self.read(outline, at, &mut |row| lines.row(row))?;
        Ok(lines.first_only())
    }

    fn read(
        &mut self,
        outline: &Outline,
        at: usize,
        take: &mut Take<'_>,
    ) -> Result<Facts, Unreadable> {
        let reading = self.reading(outline);
        reading.read(self.package.stream(&outline.parts[at])?, take)
    }

    fn is_filled(&mut self, outline: &Outline, at: usize) -> Result<bool, Unreadable> {
        // A sheet that is listed and not there is no reason to refuse the others.
        if !self.package.has(&outline.parts[at]) {
            return Ok(false);
        }
        let reading = self.reading(outline);
        reading.finds_a_value(self.package.stream(&outline.parts[at])?)
    }

    fn reading<'w>(&self, outline: &'w Outline) -> Reading<'w, 'l> {
        Reading::new(
            &outline.workbook,
            self.limits,
            self.merges_left,
            self.looks_ahead,
        )
    }
}
