//! The program of the centre's licensing office: it writes what the city has laid beside it, as JSON lines.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use jiff::civil::Date;
use tempfile::TempDir;

use crate::demo::city::City;
use crate::demo::departments::dispatch;
use crate::demo::dirt::Tally;

/// What the program is called.
const NAME: &str = "dispatch-licences";

/// What it writes out.
const LINES: &str = "lines.jsonl";

/// It names no folder: the data lie where it lies itself. 75 says that there is nothing yet.
const TEXT: &str = "#!/bin/sh\n\
    # 演示程序：逐行输出劳务派遣许可。\n\
    lines=\"${0%/*}/lines.jsonl\"\n\
    [ -s \"$lines\" ] || exit 75\n\
    exec cat \"$lines\"\n";

/// A program in a folder of its own that nobody else can write to, whatever the demo's folder allows; gone when dropped.
#[derive(Debug)]
pub struct Program {
    folder: TempDir,
}

impl Program {
    /// Installs it.
    ///
    /// # Errors
    /// When the temporary folder cannot be written.
    pub fn install() -> io::Result<Self> {
        let program = Self {
            folder: tempfile::Builder::new().prefix("yingbao-").tempdir()?,
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o700)
            .open(program.folder.path().join(NAME))?;
        file.write_all(TEXT.as_bytes())?;
        Ok(program)
    }

    /// Where it is, from the root.
    ///
    /// # Errors
    /// When the folder is gone.
    pub fn path(&self) -> io::Result<PathBuf> {
        Ok(fs::canonicalize(self.folder.path())?.join(NAME))
    }
}

impl City {
    /// Lays out what the program has to tell in the month of `day`. Its rows are counted on the first day on which they are told.
    ///
    /// # Errors
    /// When its folder cannot be written.
    pub fn stock(&self, program: &Program, day: Date) -> io::Result<Tally> {
        let folder = program.folder.path();
        let part = folder.join("lines.part");
        let lines = dispatch::lines(self, day);
        fs::write(&part, lines.content)?;
        fs::rename(part, folder.join(LINES))?;
        let is_new = day == self.options.start || day == day.first_of_month();
        Ok(if is_new {
            lines.tally
        } else {
            Tally::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use jiff::civil::date;

    use super::*;
    use crate::demo::city::tests::{calendar, options};
    use crate::demo::options::Dirt;

    #[test]
    fn it_writes_what_the_month_has() {
        let program = Program::install().unwrap();
        let run = || {
            let output = Command::new(program.path().unwrap()).output().unwrap();
            (
                output.status.code(),
                String::from_utf8(output.stdout).unwrap(),
            )
        };
        assert_eq!(run(), (Some(75), String::new()), "nothing yet");
        let mut city = City::new(options(600, 6, Dirt::Default));
        city.advance(date(2026, 3, 2), &calendar(), &[]);
        city.stock(&program, date(2026, 3, 2)).unwrap();
        let (code, lines) = run();
        assert_eq!(code, Some(0));
        assert!(lines.lines().count() > 3, "{lines}");
        for line in lines.lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(row["数据日期"], "2026-03-01");
        }
        city.stock(&program, date(2026, 3, 30)).unwrap();
        assert_eq!(run().1, lines, "the same all month");
    }
}
