//! What the departments deliver on a day, each in its own format, with its everyday dirt.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::calendar::{Calendar, shanghai};
use crate::demo::city::City;
use crate::demo::dirt::{Row, Tally, Written};
use crate::demo::firm::Firm;
use crate::demo::incidents::Incident;
use crate::demo::server::Desk;
use crate::demo::shelf::Shelf;
use crate::demo::steps::plus_days;
use crate::domain::record::Month;

pub mod dispatch;
pub mod express;
pub mod food;
pub mod licences;
pub mod market;
pub mod roll;
pub mod tax;
pub mod transport;

/// Where the city delivers to.
#[derive(Debug, Clone, Copy)]
pub struct Folders<'a> {
    /// Drop folder of market regulation.
    pub market_regulation: &'a Path,
    /// Drop folder of the insured roll.
    pub insured_roll: &'a Path,
    /// What the tax and transport servers serve.
    pub desk: Option<&'a Desk>,
}

/// What departments with servers of files show on them.
#[derive(Debug, Clone, Default)]
pub struct Shelves {
    /// Licences of express delivery.
    pub express: Shelf,
    /// Licences of food business.
    pub food: Shelf,
}

/// What was delivered on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// Files in the drop folders.
    pub paths: Vec<PathBuf>,
    /// Rows of all that came anew.
    pub tally: Tally,
}

impl City {
    /// Lays out the files of the month of `day`, each with its marker, and counts their rows. A file that lies there stays as it is.
    pub fn shelve(&self, shelves: &Shelves, day: Date) -> Tally {
        let name = express::name(day).into_bytes();
        let mut tally = lay(&shelves.express, &name, day, || express::file(self, day));
        tally += lay(&shelves.food, &food::name(day), day, || {
            food::file(self, day)
        });
        tally
    }

    /// Delivers what the departments have on `day` (to be called after [`City::advance`]): the drop folders on working days, the
    /// servers as months come. Files get their name when they are whole, their marker last. The same city and day give the same bytes.
    ///
    /// # Errors
    /// When a folder cannot be written.
    pub fn publish(
        &self,
        day: Date,
        calendar: &Calendar,
        folders: Folders<'_>,
    ) -> io::Result<Published> {
        let mut published = Published::default();
        if let Some(desk) = folders.desk {
            published.tally += self.fill(desk, day);
        }
        if !calendar.is_working_day(day) {
            return Ok(published);
        }
        let incident = self.incident(day, calendar);
        let stamp = stamp(day);
        // Two departments write at the same time, as they do.
        let halved = incident == Some(Incident::RollHalved);
        let (zip, book) = std::thread::scope(|scope| {
            let registration = scope.spawn(|| market::archive(self, day));
            let comes = incident != Some(Incident::RollAbsent);
            let book = comes.then(|| roll::workbook(self, day, halved));
            (registration.join(), book)
        });
        let zip = zip.map_err(|_| io::Error::other("the register could not be written"))??;
        published.tally += zip.tally;
        let mut zip = zip.content;
        if incident == Some(Incident::RegistrationTruncated) {
            zip.truncate(zip.len() * 3 / 5);
        }
        let registration = folders.market_regulation.join(format!("scjg_{stamp}.zip"));
        deliver(&registration, &zip)?;
        published.paths.push(registration);
        if let Some(book) = book.transpose()? {
            let insured = folders.insured_roll.join(format!("cbdj_{stamp}.xlsx"));
            deliver(&insured, &book.content)?;
            published.paths.push(insured);
            published.tally += book.tally;
        }
        Ok(published)
    }

    /// Writes the tax files of the two months before the last one, which the operator carries by hand at the start.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn history_files(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let first = tax::first_month(&self.options);
        let mut paths = Vec::new();
        for month in [first, first.plus(1)] {
            let path = folder.join(format!("{}.csv", period(month)));
            write_whole(&path, &tax::file(self, month).content)?;
            paths.push(path);
        }
        Ok(paths)
    }
}

/// `20260302`.
#[must_use]
pub fn stamp(day: Date) -> String {
    format!("{:04}{:02}{:02}", day.year(), day.month(), day.day())
}

/// `202603`.
#[must_use]
pub fn period(month: Month) -> String {
    format!("{:04}{:02}", month.year, month.month)
}

/// Its number in the year.
pub(crate) fn month_number(month: Month) -> u64 {
    u64::try_from(month.month).unwrap_or(0)
}

/// What a department calls a firm: half of them go by the name of one to eight months before.
pub(crate) fn known_as<'a>(firm: &'a Firm, row: &Row, day: Date) -> &'a str {
    let late = row.touch(15, 500);
    let late = late.and_then(|how| i32::try_from(30 + how % 210).ok());
    firm.name(plus_days(day, -late.unwrap_or(0)))
}

/// The department writes at seven on the first of the month.
fn lay(
    shelf: &Shelf,
    name: &[u8],
    day: Date,
    file: impl FnOnce() -> Option<Written<Vec<u8>>>,
) -> Tally {
    if shelf.file(name).is_some() {
        return Tally::default();
    }
    let Some(file) = file() else {
        return Tally::default();
    };
    let written = shanghai::instant(day.first_of_month().at(7, 0, 0, 0));
    shelf.lay(name, file.content, written);
    shelf.lay(&[name, b".ok"].concat(), Vec::new(), written);
    file.tally
}

fn deliver(path: &Path, content: &[u8]) -> io::Result<()> {
    write_whole(path, content)?;
    let mut marker = path.as_os_str().to_owned();
    marker.push(".ok");
    write_whole(Path::new(&marker), b"")
}

/// Under another name first, so that nobody picks up a half.
fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let mut file = fs::File::create(&part)?;
    file.write_all(content)?;
    drop(file);
    fs::rename(&part, path)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use calamine::{Data, Reader, Xlsx};
    use jiff::civil::date;

    use super::*;
    use crate::demo::city::tests::{calendar, options};
    use crate::demo::options::Dirt;

    fn city(dirt: Dirt, seed: u64) -> City {
        let mut city = City::new(options(240, seed, dirt));
        city.advance(date(2026, 3, 3), &calendar(), &[]);
        city
    }

    #[test]
    fn equal_cities_write_equal_bytes() {
        let day = date(2026, 3, 3);
        let month = Month {
            year: 2026,
            month: 1,
        };
        let bytes = |city: &City| {
            [
                market::archive(city, day).unwrap().content,
                roll::workbook(city, day, false).unwrap().content,
                tax::file(city, month).content,
                transport::rows(city, day).content.concat().into_bytes(),
                dispatch::lines(city, day).content.into_bytes(),
                express::file(city, day).unwrap().content,
                food::file(city, day).unwrap().content,
            ]
        };
        let first = bytes(&city(Dirt::Default, 1));
        assert!(first == bytes(&city(Dirt::Default, 1)));
        for (one, other) in first.iter().zip(&bytes(&city(Dirt::Default, 2))) {
            assert!(one != other);
        }
    }

    #[test]
    fn the_registration_parses_back() {
        for dirt in [Dirt::None, Dirt::Heavy] {
            let city = city(dirt, 4);
            let zip = market::archive(&city, date(2026, 3, 3)).unwrap();
            let mut archive = zip::ZipArchive::new(Cursor::new(zip.content)).unwrap();
            let mut member = archive.by_index(0).unwrap();
            let (name, _, broken) = encoding_rs::GBK.decode(member.name_raw());
            assert_eq!((&*name, broken), ("登记信息_20260303.xml", false));
            let mut raw = Vec::new();
            member.read_to_end(&mut raw).unwrap();
            let (text, _, broken) = encoding_rs::GB18030.decode(&raw);
            assert!(!broken);
            let mut reader = quick_xml::Reader::from_str(&text);
            let (mut rows, mut depth) = (0, 0);
            loop {
                match reader.read_event().unwrap() {
                    quick_xml::events::Event::Start(tag) => {
                        depth += 1;
                        rows += usize::from(tag.name().as_ref() == "ROW");
                    }
                    quick_xml::events::Event::End(_) => depth -= 1,
                    quick_xml::events::Event::Eof => break,
                    _ => {}
                }
            }
            assert_eq!(depth, 0);
            assert!(text.contains(&format!("<TOTAL>{rows}</TOTAL>")), "{rows}");
            assert_eq!(rows == city.len(), dirt == Dirt::None);
        }
    }

    #[test]
    fn the_roll_reads_back() {
        let city = city(Dirt::Default, 4);
        let book = roll::workbook(&city, date(2026, 3, 3), false).unwrap();
        let half = roll::workbook(&city, date(2026, 3, 3), true).unwrap();
        let mut rows = Vec::new();
        for written in [book, half] {
            let bytes = written.content;
            let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
            let range = book.worksheet_range("参保登记册").unwrap();
            assert_eq!(
                range.get((1, 0)),
                Some(&Data::String("数据日期：2026年3月3日".into()))
            );
            assert_eq!(range.get((2, 5)), Some(&Data::String("险种".into())));
            assert_eq!(
                range.get((range.height() - 1, 0)),
                Some(&Data::String("合计".into()))
            );
            rows.push(range.height());
        }
        assert!(
            rows[1] * 10 > rows[0] * 3 && rows[1] * 10 < rows[0] * 7,
            "{rows:?}"
        );
    }

    #[test]
    fn the_tax_file_has_its_title_and_total() {
        let city = city(Dirt::None, 4);
        let bytes = tax::file(
            &city,
            Month {
                year: 2026,
                month: 1,
            },
        )
        .content;
        let (text, _, broken) = encoding_rs::GBK.decode(&bytes);
        assert!(!broken);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "南阳市税务申报月度数据");
        assert_eq!(lines[1], "数据截止日期：2026-02-15,,单位：元");
        let mut reader =
            csv::ReaderBuilder::new().from_reader(text.splitn(3, '\n').nth(2).unwrap().as_bytes());
        assert_eq!(reader.headers().unwrap().len(), 12);
        let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        let (total, rows) = records.split_last().unwrap();
        let sum: u32 = rows.iter().map(|row| row[5].parse::<u32>().unwrap()).sum();
        assert_eq!((&total[0], &total[5]), ("合计", &*sum.to_string()));
        assert!(sum > 100);
    }

    /// What each department writes of a month.
    fn tallies(city: &City, day: Date) -> [(&'static str, Tally); 7] {
        let month = Month {
            year: 2026,
            month: 1,
        };
        [
            ("market", market::archive(city, day).unwrap().tally),
            ("roll", roll::workbook(city, day, false).unwrap().tally),
            ("tax", tax::file(city, month).tally),
            ("transport", transport::rows(city, day).tally),
            ("dispatch", dispatch::lines(city, day).tally),
            ("express", express::file(city, day).unwrap().tally),
            ("food", food::file(city, day).unwrap().tally),
        ]
    }

    #[test]
    fn a_twentieth_of_every_departments_rows_is_dirty_and_none_where_none_shall_be() {
        let day = date(2026, 3, 3);
        let of = |dirt| {
            let mut city = City::new(options(3000, 4, dirt));
            city.advance(day, &calendar(), &[]);
            tallies(&city, day)
        };
        let (none, usual, heavy) = (of(Dirt::None), of(Dirt::Default), of(Dirt::Heavy));
        for ((department, none), ((_, usual), (_, heavy))) in
            none.into_iter().zip(usual.into_iter().zip(heavy))
        {
            assert_eq!(none.touched, 0, "{department} {none:?}");
            assert!(none.rows > 40, "{department} {none:?}");
            assert!(usual.touched * 20 >= usual.rows, "{department} {usual:?}");
            let more = heavy.touched * usual.rows > usual.touched * heavy.rows;
            assert!(more, "{department} {usual:?} {heavy:?}");
        }
    }

    #[test]
    fn a_row_is_counted_as_touched_where_a_cell_differs_from_the_clean_one() {
        let month = Month {
            year: 2026,
            month: 1,
        };
        let lines = |dirt| {
            let written = tax::file(&city(dirt, 4), month);
            let (text, _, _) = encoding_rs::GBK.decode(&written.content);
            // Serial numbers move with every row that comes twice.
            let rows = text
                .lines()
                .skip(3)
                .filter(|line| !line.starts_with("合计"));
            let rows = rows.map(|line| line.split_once(',').unwrap().1.to_owned());
            (rows.collect::<Vec<_>>(), written.tally)
        };
        let (clean, none) = lines(Dirt::None);
        let (dirty, usual) = lines(Dirt::Default);
        assert_eq!((none.rows, none.touched), (clean.len() as u64, 0));
        assert_eq!(usual.rows, dirty.len() as u64);
        let mut clean: std::collections::BTreeSet<_> = clean.into_iter().collect();
        // A row that comes twice is touched, though it says the same.
        let differing = dirty.iter().filter(|line| !clean.remove(*line)).count() as u64;
        assert_eq!(usual.touched, differing);
    }

    #[test]
    fn files_are_delivered_whole_with_their_marker() {
        let city = city(Dirt::Default, 4);
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders {
            market_regulation: &folder.path().join("a"),
            insured_roll: &folder.path().join("b"),
            desk: None,
        };
        let paths = city
            .publish(date(2026, 3, 3), &calendar(), folders)
            .unwrap();
        for path in paths.paths {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(path.with_file_name(format!("{name}.ok")).exists());
            assert!(!path.with_file_name(format!("{name}.part")).exists());
        }
        assert!(
            city.publish(date(2026, 3, 7), &calendar(), folders)
                .unwrap()
                .paths
                .is_empty()
        );
        assert_eq!(city.history_files(folder.path()).unwrap().len(), 2);
    }

    /// Run by hand in a release build, the clock beside it: `cargo test --release --lib demo:: -- --ignored`.
    #[test]
    #[ignore = "long: writes 85 working days of 2,000 firms"]
    fn a_whole_run_can_be_written() {
        let calendar = calendar();
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders {
            market_regulation: &folder.path().join("a"),
            insured_roll: &folder.path().join("b"),
            desk: None,
        };
        let mut city = City::new(options(2000, 1, Dirt::Default));
        let mut day = city.options().start;
        let mut days = 0;
        while days < 85 {
            city.advance(day, &calendar, &[]);
            let published = city.publish(day, &calendar, folders).unwrap();
            days += usize::from(!published.paths.is_empty());
            day = plus_days(day, 1);
        }
        // Each with its marker; on six days none comes.
        assert_eq!(folders.insured_roll.read_dir().unwrap().count(), 158);
        assert!(city.len() > 2050);
    }
}
