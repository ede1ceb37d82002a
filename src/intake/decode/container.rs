//! The file as received, or the one member of its archive, as bytes under caps.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use encoding_rs::GB18030;
use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::adapter::format::Container;
use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::capped::{Capped, Timed, too_big};
use crate::intake::decode::{from_io, inside_io, likeness, unreadable};
use crate::intake::pattern;

/// Parts a workbook may have.
const PARTS: usize = 1000;

/// Bytes that may be read to learn what is in an archive: a directory of thousands of entries is far smaller, one of
/// millions would fill the memory before anybody could count them.
const DIRECTORY_BYTES: u64 = 16 << 20;

/// Bit 11 of a member's flags: its name is UTF-8.
const UTF8_NAME: u16 = 1 << 11;

/// A file and what it is packed in.
pub struct Export<'a> {
    path: &'a Path,
    container: Option<&'a Container>,
    /// Caps.
    pub limits: &'a Limits,
    /// The member that is read, once it is chosen.
    member: usize,
    /// When reading began: a file that never comes to an end must not hold the whole round up.
    since: Instant,
}

/// One member of an archive that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name; empty for a file that is no archive.
    pub name: String,
    at: usize,
    bytes: u64,
}

impl<'a> Export<'a> {
    /// The file at `path`; the time it may take runs from now.
    #[allow(
        clippy::disallowed_methods,
        reason = "a deadline for a file that never ends; no decision hangs on the time of day"
    )]
    pub fn new(path: &'a Path, container: Option<&'a Container>, limits: &'a Limits) -> Self {
        Self {
            path,
            container,
            limits,
            member: 0,
            since: Instant::now(),
        }
    }

    /// Whether all members that fit are read.
    pub fn has_several(&self) -> bool {
        matches!(self.container, Some(Container::Zip { several: true, .. }))
    }

    /// What is to be read, in order: the file itself, or the members of an archive that fit, by name.
    pub fn members(&self) -> Result<Vec<Member>, Unreadable> {
        let Some(Container::Zip { member, several }) = self.container else {
            return Ok(vec![Member {
                name: String::new(),
                at: 0,
                bytes: 0,
            }]);
        };
        let mut archive = open_archive(self.open()?, self.limits.members)?;
        let mut members = find_members(&archive, member)?;
        if archive
            .has_overlapping_entries()
            .map_err(|error| from_zip(&error))?
        {
            return Err(unreadable(
                "YB-2084",
                "压缩包内各文件的位置互相重叠，疑为压缩炸弹。处理：核对文件来源，请提供方重新打包",
            ));
        }
        if members.is_empty() {
            return Err(unreadable(
                "YB-2063",
                format!(
                    "压缩包内没有符合“{member}”的文件。处理：核对适配文件 container.zip.member，或请提供方重新打包"
                ),
            ));
        }
        if members.len() > 1 && !several {
            return Err(unreadable(
                "YB-2064",
                format!(
                    "压缩包内有多个文件符合“{member}”，无法确定以哪个为准。处理：请提供方每包只放一个导出文件；确应全部读取的，在适配文件中写明 container.zip.several = true"
                ),
            ));
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        // A member that says less than it holds is refused when it is read.
        let bytes = members
            .iter()
            .fold(0_u64, |sum, member| sum.saturating_add(member.bytes));
        if bytes > self.limits.unpacked_bytes {
            return Err(too_big(self.limits.unpacked_bytes));
        }
        Ok(members)
    }

    /// The same export, of which this member is read.
    pub fn of(&self, member: &Member) -> Self {
        Self {
            member: member.at,
            ..*self
        }
    }

    /// Hands the export's bytes to `look`, from the start. May be called again: some things are known only after
    /// a first look.
    pub fn read<T>(
        &self,
        look: impl FnOnce(&mut dyn Read) -> Result<T, Unreadable>,
    ) -> Result<T, Unreadable> {
        let mut file = self.open()?;
        let bytes = length(&file)?;
        match self.container {
            None => look(&mut self.timed(file)),
            Some(Container::Gzip {}) => {
                check_gzip(&mut file)?;
                look(&mut self.timed(Capped::new(
                    MultiGzDecoder::new(BufReader::new(file)),
                    bytes,
                    None,
                    self.limits,
                )))
            }
            Some(Container::Zip { .. }) => {
                let mut archive = open_archive(file, self.limits.members)?;
                let unpacked = unpack(&mut archive, self.member, bytes, self.limits)?;
                look(&mut self.timed(unpacked))
            }
        }
    }

    /// Refuses an archive inside an archive: what is in it was not agreed upon, and it is how bombs are built.
    pub fn check_nesting(&self, head: &[u8]) -> Result<(), Unreadable> {
        match likeness::packed(head) {
            Some(found) if self.container.is_some() => Err(unreadable(
                "YB-2083",
                format!("压缩包内的文件又是{found}，不予打开。处理：请提供方只打包一层"),
            )),
            _ => Ok(()),
        }
    }

    fn timed<R>(&self, inner: R) -> Timed<R> {
        Timed::new(inner, self.since, self.limits.seconds)
    }

    /// The export as a file that can be read at any place; a member is unpacked to a nameless file first.
    pub fn seekable(&self) -> Result<File, Unreadable> {
        if self.container.is_none() {
            return self.open();
        }
        self.read(|bytes| {
            let mut file = tempfile::tempfile().map_err(|error| from_io(&error))?;
            io::copy(bytes, &mut file).map_err(|error| from_io(&error))?;
            file.seek(SeekFrom::Start(0))
                .map_err(|error| from_io(&error))?;
            Ok(file)
        })
    }

    fn open(&self) -> Result<File, Unreadable> {
        let file = File::open(self.path).map_err(|error| from_io(&error))?;
        let bytes = length(&file)?;
        if bytes == 0 {
            return Err(likeness::empty());
        }
        if bytes > self.limits.file_bytes {
            return Err(unreadable(
                "YB-2072",
                format!(
                    "文件大小超过上限 {} 字节。处理：核对文件是否正确；确需更大时调高适配文件 limits.file_bytes",
                    self.limits.file_bytes
                ),
            ));
        }
        Ok(file)
    }
}

fn length(file: &File) -> Result<u64, Unreadable> {
    Ok(file.metadata().map_err(|error| from_io(&error))?.len())
}

fn check_gzip(file: &mut File) -> Result<(), Unreadable> {
    let mut head = [0; 4];
    let amount = file.read(&mut head).map_err(|error| from_io(&error))?;
    file.seek(SeekFrom::Start(0))
        .map_err(|error| from_io(&error))?;
    if head[..amount].starts_with(b"\x1f\x8b\x08") {
        return Ok(());
    }
    Err(unreadable(
        "YB-2086",
        "文件不是 GZIP 格式。处理：核对传输是否完整；没有压缩的，删去适配文件 [container.gzip]",
    ))
}

/// A file that may be read only so far until the ration is lifted.
pub struct Rationed {
    file: BufReader<File>,
    left: Rc<Cell<Option<u64>>>,
    members: usize,
}

impl Read for Rationed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let amount = self.file.read(buffer)?;
        if let Some(left) = self.left.get() {
            let Some(rest) = left.checked_sub(amount as u64) else {
                return Err(inside_io(too_many_members(self.members)));
            };
            self.left.set(Some(rest));
        }
        Ok(amount)
    }
}

impl Seek for Rationed {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// Opens a workbook as the archive it is, and reads its directory.
pub fn open_zip(file: File) -> Result<ZipArchive<Rationed>, Unreadable> {
    open_archive(file, PARTS)
}

/// Opens an archive of at most so many members, and reads its directory.
fn open_archive(file: File, members: usize) -> Result<ZipArchive<Rationed>, Unreadable> {
    let left = Rc::new(Cell::new(Some(DIRECTORY_BYTES)));
    let rationed = Rationed {
        file: BufReader::new(file),
        left: Rc::clone(&left),
        members,
    };
    let archive = ZipArchive::new(rationed).map_err(|error| from_zip(&error))?;
    left.set(None);
    if archive.len() > members {
        return Err(too_many_members(members));
    }
    if archive.has_duplicate_names() {
        return Err(unreadable(
            "YB-2064",
            "压缩包内有同名文件，无法确定以哪个为准。处理：请提供方重新打包",
        ));
    }
    Ok(archive)
}

fn too_many_members(most: usize) -> Unreadable {
    unreadable(
        "YB-2062",
        format!(
            "压缩包内文件数超过上限 {most} 个。处理：请提供方只打包约定的导出文件；确需更多时调高适配文件 limits.members"
        ),
    )
}

fn damaged() -> Unreadable {
    unreadable(
        "YB-2061",
        "压缩包损坏或不是 ZIP 格式。处理：核对传输是否完整，请提供方重新打包",
    )
}

/// The refusal for an archive that cannot be opened.
pub fn from_zip(error: &ZipError) -> Unreadable {
    match error {
        ZipError::Io(inner)
            if inner
                .get_ref()
                .and_then(|wrapped| wrapped.downcast_ref::<Unreadable>())
                .is_some() =>
        {
            from_io(inner)
        }
        ZipError::UnsupportedArchive(text) if *text == ZipError::PASSWORD_REQUIRED => encrypted(),
        ZipError::CompressionMethodNotSupported(_) | ZipError::UnsupportedArchive(_) => unreadable(
            "YB-2070",
            "压缩包使用了不支持的压缩方式。处理：请提供方用普通 ZIP（Deflate）重新打包",
        ),
        _ => damaged(),
    }
}

fn encrypted() -> Unreadable {
    unreadable(
        "YB-2066",
        "压缩包设有密码，不能读取。处理：请提供方取消密码，改用受控的传输通道",
    )
}

/// The members that fit the pattern. The names of all others are looked at as well.
fn find_members(archive: &ZipArchive<Rationed>, pattern: &str) -> Result<Vec<Member>, Unreadable> {
    let mut found = Vec::new();
    for at in 0..archive.len() {
        let member = archive
            .by_index_data(at)
            .map_err(|error| from_zip(&error))?;
        let names = names(member.name_raw(), member.flags().as_u16() & UTF8_NAME != 0);
        if names.is_empty() || names.iter().any(|name| leads_out(name)) {
            return Err(unreadable(
                "YB-2065",
                "压缩包内有不安全的文件名（绝对路径、上级目录或无法识别的字符）。处理：请提供方检查并重新打包",
            ));
        }
        let fitting = names.into_iter().find(|name| fits(pattern, name));
        let Some(name) = fitting.filter(|_| !member.is_dir()) else {
            continue;
        };
        if member.is_symlink() {
            return Err(unreadable(
                "YB-2069",
                "压缩包内约定的文件是链接，不是文件。处理：请提供方重新打包",
            ));
        }
        if member.encrypted() {
            return Err(encrypted());
        }
        found.push(Member {
            name,
            at,
            bytes: member.size(),
        });
    }
    Ok(found)
}

/// A pattern without a slash speaks of the last part of a member's name only.
fn fits(pattern: &str, name: &str) -> bool {
    let name = if pattern.contains('/') {
        name
    } else {
        name.rsplit('/').next().unwrap_or(name)
    };
    pattern::fits(pattern, name)
}

/// What a member may be called. Chinese Windows writes GBK without a flag; some tools elsewhere write UTF-8 without
/// it, and such bytes can be read as GB18030, too: both readings count.
fn names(raw: &[u8], flagged_utf8: bool) -> Vec<String> {
    let utf8 = std::str::from_utf8(raw).ok().map(str::to_owned);
    if flagged_utf8 || raw.is_ascii() {
        return utf8.into_iter().collect();
    }
    let gb18030 = GB18030
        .decode_without_bom_handling_and_without_replacement(raw)
        .map(std::borrow::Cow::into_owned);
    gb18030.into_iter().chain(utf8).collect()
}

/// Whether a name points out of the folder it would be unpacked into. Nothing is ever unpacked by name here; a
/// package with such a name was made by an attacker or a broken tool, and neither is to be believed.
fn leads_out(name: &str) -> bool {
    let drive = name.as_bytes().get(1) == Some(&b':');
    name.is_empty()
        || name.starts_with(['/', '\\'])
        || drive
        || name.contains('\0')
        || name.split(['/', '\\']).any(|part| part == "..")
}

/// Opens a member for reading, capped while it is read: what headers say of sizes is not believed, and a member that
/// holds more or less than it says is refused.
pub fn unpack<'a>(
    archive: &'a mut ZipArchive<Rationed>,
    at: usize,
    archive_bytes: u64,
    limits: &Limits,
) -> Result<impl Read + use<'a>, Unreadable> {
    let member = archive.by_index(at).map_err(|error| from_zip(&error))?;
    let packed = member.compressed_size().min(archive_bytes);
    let declared = member.size();
    Ok(Capped::new(member, packed, Some(declared), limits))
}
