//! Files that couriers write, and those that go with a notice.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::courier::Parcel;
use crate::courier::trouble::Trouble;

/// All attachments of one notice, bytes; most relays take 25 MB after base64.
const PARCEL_MAX_BYTES: usize = 18 * 1024 * 1024;

/// Longest file name, bytes.
const NAME_MAX_BYTES: usize = 100;

/// The files are the ones the notice speaks of, byte for byte, under plain names, and not too large. A letter whose content is
/// not what was decided must not go out, so any difference is refused.
pub(super) fn check(parcel: &Parcel<'_>) -> Result<(), Trouble> {
    let wanted = &parcel.notice.attachments;
    if wanted.len() != parcel.files.len() {
        return Err(Trouble::new(
            "YB-6010",
            format!(
                "通知应附 {} 个文件，实有 {} 个。处理：用 yingbao verify 核对存档后重新生成通知",
                wanted.len(),
                parcel.files.len()
            ),
        ));
    }
    for (attachment, (name, bytes)) in wanted.iter().zip(&parcel.files) {
        if !is_plain(name) || *name != attachment.name {
            return Err(Trouble::new(
                "YB-6011",
                "附件名与通知不符，或含英文字母、数字和 . - _ 以外的字符。处理：检查生成附件的模板",
            ));
        }
        if blake3::hash(bytes).to_hex().as_str() != attachment.digest {
            return Err(Trouble::new(
                "YB-6010",
                format!(
                    "附件 {name} 的内容与通知记录的摘要不符，未发送。处理：用 yingbao verify 核对存档后重新生成通知"
                ),
            ));
        }
    }
    let total: usize = parcel.files.iter().map(|(_, bytes)| bytes.len()).sum();
    if total > PARCEL_MAX_BYTES {
        return Err(Trouble::new(
            "YB-6012",
            format!(
                "附件共 {} MB，超过上限 {} MB。处理：缩小清单范围，分次发送",
                total / (1024 * 1024),
                PARCEL_MAX_BYTES / (1024 * 1024)
            ),
        ));
    }
    Ok(())
}

/// What the names of files begin with that are being written.
const UNFINISHED: &str = ".writing-";
/// None takes as long to write.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Letters, digits, `.`, `-` and `_` of ASCII, not hidden: safe as a file name, and readable in the oldest mail programs.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_MAX_BYTES
        && !name.starts_with('.')
        && name.bytes().all(is_plain_byte)
}

const fn is_plain_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// A plain file name derived from a key: its readable beginning and twelve digits of its hash, so that no two keys share one.
pub(super) fn name_of(key: &str) -> String {
    let readable: String = key
        .chars()
        .take(72)
        .map(|c| {
            if u8::try_from(c).is_ok_and(is_plain_byte) {
                c
            } else {
                '-'
            }
        })
        .collect();
    let hash = blake3::hash(key.as_bytes()).to_hex();
    format!("{}-{}", readable.trim_start_matches('.'), &hash[..12])
}

/// Writes the whole file or nothing, below `root`; the answer is its path relative to `root`. A file that already holds these
/// bytes stays untouched. `durable` means that the file and its name survive a power cut once this returns.
pub(super) fn write(
    root: &Path,
    relative: &Path,
    bytes: &[u8],
    durable: bool,
) -> Result<String, Trouble> {
    let path = root.join(relative);
    place(&path, bytes, durable).map_err(|error| {
        Trouble::new(
            "YB-6006",
            format!(
                "不能写入 {}：{error}。处理：检查状态目录的权限和磁盘空间",
                relative.display()
            ),
        )
    })?;
    Ok(slashed(relative))
}

/// Writes the whole file or nothing; one that already holds these bytes stays untouched. `durable` as in [`write`].
///
/// # Errors
/// The disk's.
pub fn place(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    let same = fs::metadata(path).is_ok_and(|found| found.len() == bytes.len() as u64)
        && fs::read(path)? == bytes;
    if !same {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        if durable {
            file.as_file().sync_all()?;
        }
        file.persist(path).map_err(|refused| refused.error)?;
    }
    if durable {
        // Also when the file was there: the earlier run may have ended between the rename and this.
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Removes what a power cut left of files that were being written, below the folder of outputs: of those that nobody has touched for
/// an hour. How many.
///
/// # Errors
/// The disk's.
pub fn sweep(outputs: &Path) -> io::Result<u64> {
    let mut swept = 0;
    let mut folders = vec![outputs.to_owned()];
    while let Some(folder) = folders.pop() {
        let items = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            items => items?,
        };
        for item in items {
            let item = item?;
            let is_unfinished = item
                .file_name()
                .to_str()
                .is_some_and(|name| name.starts_with(UNFINISHED));
            let found = match item.metadata() {
                // Written to its end meanwhile, and called otherwise.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                found => found?,
            };
            if found.is_dir() {
                folders.push(item.path());
            } else if is_unfinished {
                // By the machine's clock, which wrote it too, whatever day it is for the program.
                let age = found.modified()?.elapsed().unwrap_or_default();
                if age >= ABANDONED {
                    fs::remove_file(item.path())?;
                    swept += 1;
                }
            }
        }
    }
    Ok(swept)
}

fn slashed(path: &Path) -> String {
    path.components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

/// `<top>/<day>`, both plain.
pub(super) fn day_folder(top: &str, day: jiff::civil::Date) -> PathBuf {
    Path::new(top).join(day.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_power_cut_left_is_swept_once_it_is_old() {
        let root = tempfile::tempdir().expect("folder");
        let folder = root.path().join("out/2026-03-02/issues");
        place(&folder.join("a.xlsx"), b"abc", true).expect("write");
        let left = folder.join(".writing-x1");
        fs::write(&left, b"half").expect("write");
        assert_eq!(sweep(&root.path().join("out")).expect("sweep"), 0, "new");
        let written = fs::metadata(&left).and_then(|left| left.modified());
        let long_ago = written.expect("age") - 2 * ABANDONED;
        for name in [".writing-x1", "a.xlsx"] {
            let file = fs::File::options()
                .write(true)
                .open(folder.join(name))
                .expect("open");
            file.set_modified(long_ago).expect("age");
        }
        assert_eq!(sweep(&root.path().join("out")).expect("sweep"), 1);
        assert!(!left.exists() && folder.join("a.xlsx").exists());
        assert_eq!(sweep(&root.path().join("none")).expect("sweep"), 0);
    }

    #[test]
    fn names_are_plain_and_differ() {
        let keys = [
            "a/b",
            "a-b",
            "../../x",
            "…",
            "",
            ".hidden",
            &"k".repeat(500),
        ];
        let names: std::collections::BTreeSet<String> =
            keys.iter().map(|key| name_of(key)).collect();
        assert_eq!(names.len(), keys.len());
        for name in names {
            assert!(is_plain(&name), "{name}");
        }
        for bad in ["", ".a", "a/b", "名.txt", "a b", "a\"b", &"k".repeat(101)] {
            assert!(!is_plain(bad), "{bad}");
        }
    }

    #[test]
    fn a_file_is_there_whole_and_a_repeat_changes_nothing() {
        let root = tempfile::tempdir().expect("folder");
        let relative = Path::new("out/2026-03-02/x.txt");
        for bytes in [&b"one"[..], b"one", b"two"] {
            let answer = write(root.path(), relative, bytes, true).expect("written");
            assert_eq!(answer, "out/2026-03-02/x.txt");
            assert_eq!(fs::read(root.path().join(relative)).expect("file"), bytes);
        }
        let left = fs::read_dir(root.path().join("out/2026-03-02"))
            .expect("folder")
            .count();
        assert_eq!(left, 1, "no temporary file is left");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_said() {
        let root = tempfile::tempdir().expect("folder");
        fs::write(root.path().join("out"), b"a file in the way").expect("file");
        let trouble = write(root.path(), Path::new("out/x"), b"1", false).expect_err("refused");
        assert_eq!(trouble.code, "YB-6006");
    }
}
